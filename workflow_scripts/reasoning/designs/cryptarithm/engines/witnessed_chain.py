"""The chain with witnesses (r8): a rule falls and a digit is settled only by a line with the numbers that show it.

What a line may use is what is written: a letter's digits are those that earlier lines have left it.
"""

from collections.abc import Callable

from puzzles.equations.prompt import Equation
from puzzles.equations.rules import VALUE_RULES
from reasoning.designs.cryptarithm.engines.propagation import ALL_DIGITS, GROUP_RULES, bits, single
from reasoning.designs.cryptarithm.engines.witnessed_drops import MOST_PAIRS, MOST_SAID, SINGLE, Dropping, Written
from reasoning.designs.cryptarithm.lines import (
    arithmetic,
    column_lines,
    drop_units,
    drop_values,
    letters,
    notation,
    pin_lines,
)


class Witnessed(Dropping):
    """Settles digits, too, by the shortest way that the page shows."""

    def advance(self, state: Written) -> None:
        steps = (self.shapes, self.wholes, self.pin_one, self.kill_one, self.no_zero, self.narrow)
        while not state.dead and not self.encodable(state):
            if not any(step(state) for step in steps):
                return

    def pin_all(self, state: Written, kind: Callable, fields: tuple, pairs: tuple[tuple[str, int], ...]) -> bool:
        """Write a line that settles letters, and settle them."""
        self.numbered(kind, *fields)
        back = {letter: glyph for glyph, letter in self.names.items()}
        for letter, digit in pairs:
            self.pin(state, back[letter], digit)
        return True

    def pin_one(self, state: Written) -> bool:
        """The next letters that a witness settles, the shortest way first."""
        clued = [(clue.number, self.row.examples[clue.number - 1], self.rule_of(state, clue.op)) for clue in self.clues]
        told = [(number, e, name) for number, e, name in clued if name is not None]
        ways = (self.by_copy, self.by_column, self.by_inverse, self.by_units, self.by_readings)
        return (
            self.by_lead(state)
            or self.by_rest(state)
            or any(way(state, *each) for way in ways for each in told)
            or self.by_place(state)
        )

    def by_lead(self, state: Written) -> bool:
        modes = state.modes()
        for clue in self.clues:
            e, mask = self.row.examples[clue.number - 1], state.rules[clue.op]
            live = {VALUE_RULES[i].mode for i in bits(mask)}
            leads = {notation.reading(e, mode)[2][0] for mode in modes if mode in live}
            glyph = next(iter(leads))
            fits = mask & GROUP_RULES[0] == mask and len(leads) == 1 and len(notation.reading(e, "normal")[2]) == 3
            if fits and glyph not in state.shown and state.domains[glyph] >> 1 & 1:
                fields = clue.number, self.ops[clue.op], self.names[glyph], 1
                return self.pin_all(state, pin_lines.Lead, fields, ((self.names[glyph], 1),))
        return False

    def by_rest(self, state: Written) -> bool:
        for glyph, letter in self.names.items():
            if glyph not in state.shown and single(state.domains[glyph]):
                digit = state.domains[glyph].bit_length() - 1
                taken = tuple(sorted(state.shown.values()))
                fields = letter, self.said(state, glyph), taken, letter, digit
                return self.pin_all(state, pin_lines.Last, fields, ((letter, digit),))
        return False

    def said(self, state: Written, glyph: str) -> str:
        """What lines have left of a letter, digits of others included."""
        return state.among.get(glyph, letters.ALL)

    def say(self, state: Written, glyph: str, digits: str) -> None:
        state.among[glyph] = digits
        state.domains[glyph] &= sum(1 << int(c) for c in digits)
        if not state.domains[glyph]:
            state.dead = glyph

    def by_copy(self, state: Written, number: int, e: Equation, name: str) -> bool:
        rule, known = VALUE_RULES[notation.RULE_INDEX[name]], state.shown
        operands = notation.operands_of(e, known, rule.mode)
        if operands is None or not int(operands[0]) or not int(operands[1]):
            return False
        value = arithmetic.written(rule, *operands)
        target = letters.target_in_letters(self.row, e, known, rule.mode)
        pairs = pin_lines.solved(value, target)
        return self.fixes(state, pairs) and self.pin_all(
            state, pin_lines.Copy, (number, name, *operands, value, target, pairs), pairs
        )

    def fixes(self, state: Written, pairs) -> bool:
        """Is there something to settle, and is it allowed by what is written?"""
        back = {letter: glyph for glyph, letter in self.names.items()}
        return bool(pairs) and all(state.domains[back[letter]] >> digit & 1 for letter, digit in pairs)

    def by_column(self, state: Written, number: int, e: Equation, name: str) -> bool:
        rule = VALUE_RULES[notation.RULE_INDEX[name]]
        larger = pin_lines.orientation(e, rule)
        if not larger:
            return False
        parts = column_lines.triple(e, rule, larger)
        for place in column_lines.COLUMNS:
            glyphs = {glyph for glyph in column_lines.column(parts, place) if glyph and glyph not in state.shown}
            if len(glyphs) != 1:
                continue
            glyph = glyphs.pop()
            found = pin_lines.column_solutions(e, rule, place, glyph, state.digits(glyph), state.shown)
            if len(found) == 1:
                known = {**state.shown, glyph: found[0]}
                work, _ = column_lines.column_sum(parts, place, column_lines.offset_of(rule), known)
                fields = number, name, place, work, self.names[glyph], found[0]
                return self.pin_all(state, pin_lines.ColumnLetter, fields, ((self.names[glyph], found[0]),))
        return False

    def by_inverse(self, state: Written, number: int, e: Equation, name: str) -> bool:
        rule, known = VALUE_RULES[notation.RULE_INDEX[name]], state.shown
        value = notation.target_of(e, known, rule.mode)
        left, right, _ = notation.reading(e, rule.mode)
        read = [notation.read(part, known) for part in (left, right)]
        if not value.strip("-").isdigit() or read[0].isdigit() == read[1].isdigit():
            return False
        side = "left" if read[0].isdigit() else "right"
        mine, other = read if side == "left" else read[::-1]
        found = pin_lines.inverse(rule, value, side, mine)
        if len(found) != 1:
            return False
        target = "".join(self.names.get(c, c) for c in other)
        pairs = pin_lines.solved(found[0], target)
        return self.fixes(state, pairs) and self.pin_all(
            state, pin_lines.Inverse, (number, name, value, side, mine, found[0], target, pairs), pairs
        )

    def by_units(self, state: Written, number: int, e: Equation, name: str) -> bool:
        left, right, out = notation.reading(e, VALUE_RULES[notation.RULE_INDEX[name]].mode)
        unknown = {glyph for glyph in (left[1], right[1], out[-1]) if glyph not in state.shown}
        if len(unknown) != 1:
            return False
        glyph = unknown.pop()
        sets = drop_units.ones_sets(name, e, state.digits)
        work = drop_units.ones_work(name, sets[0], sets[1], e)
        if not 0 < len(work) <= MOST_PAIRS:
            return False
        found = pin_lines.units_left(name, work, sets[2], e, glyph)
        if len(found) != 1:
            return False
        digit, letter = int(found.pop()), self.names[glyph]
        fields = number, name, *sets[:2], work, sets[2], letter, digit
        return self.pin_all(state, pin_lines.Units, fields, ((letter, digit),))

    def by_readings(self, state: Written, number: int, e: Equation, name: str) -> bool:
        made = self.readings(state, name, e)
        if made is None or len(made[2]) != 1 or not made[0]:
            return False
        glyphs = drop_values.open_letters(e, state.shown, VALUE_RULES[notation.RULE_INDEX[name]].mode)
        choice = drop_values.choices([(glyph, state.digits(glyph)) for glyph in glyphs])[made[2][0]]
        pairs = tuple((self.names[glyph], choice[glyph]) for glyph in glyphs)
        return self.pin_all(state, pin_lines.OneReading, (number, name, *made[:2], pairs), pairs)

    def by_place(self, state: Written) -> bool:
        if len(self.names) != 10:
            return False
        sets = tuple((name, state.digits(glyph)) for glyph, name in self.names.items() if glyph not in state.shown)
        for digit in range(10):
            holders = [letter for letter, digits in sets if str(digit) in digits]
            if len(holders) == 1 and digit not in state.shown.values():
                pairs = ((holders[0], digit),)
                return self.pin_all(state, pin_lines.Place, (sets, *pairs[0]), pairs)
        return False

    def no_zero(self, state: Written) -> bool:
        """The letters that open a number cannot be 0."""
        found = [
            glyph
            for glyph in pin_lines.leading_glyphs(self.row, state.modes())
            if glyph not in state.shown and "0" in self.said(state, glyph)
        ]
        if not found or not any(state.domains[glyph] & 1 for glyph in found):
            return False
        self.numbered(pin_lines.NoZero, tuple(self.names[glyph] for glyph in found))
        for glyph in found:
            self.say(state, glyph, self.said(state, glyph).replace("0", ""))
        return True

    def narrow(self, state: Written) -> bool:
        """The next example that leaves some of its letters few digits: never one, which no line would show."""
        for clue in self.clues:
            live = [state.rules[clue.op], *(state.domains.get(glyph, ALL_DIGITS) for glyph in clue.glyphs)]
            rows = state.tables[clue.number] = state.tables[clue.number].within(live)
            if not len(rows):
                state.dead = f"E{clue.number}"
                return True
            sets = []
            for glyph, kept in zip(clue.glyphs, rows.support[1:], strict=True):
                least = 0 if SINGLE else 1
                if glyph not in state.shown and kept != state.domains[glyph] and least < kept.bit_count() <= MOST_SAID:
                    sets.append((glyph, "".join(map(str, bits(kept)))))
            if sets:
                self.numbered(pin_lines.ExampleLeaves, clue.number, tuple((self.names[g], d) for g, d in sets))
                for glyph, digits in sets:
                    self.say(state, glyph, digits)
                return True
        return False
