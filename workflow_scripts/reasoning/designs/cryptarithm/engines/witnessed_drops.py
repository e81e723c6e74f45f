"""How the chain with witnesses drops rules: each by the first test that the page shows to fail."""

import random
from collections.abc import Callable, Mapping
from functools import partial

from puzzles.equations.prompt import Equation, EquationRow
from puzzles.equations.rules import VALUE_RULES
from reasoning.designs.cryptarithm.engines.forced_chain import Chain
from reasoning.designs.cryptarithm.engines.propagation import (
    GROUP_RULES,
    GROUPS,
    MODE_RULES,
    MODES,
    State,
    bits,
    single,
    start,
)
from reasoning.designs.cryptarithm.lines import (
    arithmetic,
    chain_lines,
    drop_families,
    drop_ident,
    drop_lines,
    drop_sizes,
    drop_units,
    drop_values,
    letters,
    notation,
)
from reasoning.designs.cryptarithm.lines.query_lines import Undetermined
from reasoning.grammar.lines import Line

MOST_SET, MOST_PAIRS, MOST_READINGS, MOST_RULES, MOST_SAID = 5, 7, 7, 4, 7
MOST_TWINS = 16
SINGLE = False


class Written(State):
    """A state of what is written. shown: the digits of letters that are settled; `domains` hold what lines have left
    of the others, without the digits that are taken; among: with them. done: tests that need not be written again."""

    def __init__(self, *fields, shown: dict[str, int], among: dict[str, str], done: set):
        super().__init__(*fields)
        self.shown, self.among, self.done = shown, among, done

    def copy(self) -> "Written":
        plain = super().copy()
        fields = plain.domains, plain.rules, plain.tables, plain.dead, plain.events
        return Written(*fields, shown=dict(self.shown), among=dict(self.among), done=set(self.done))

    def digits(self, glyph: str) -> str:
        return "".join(map(str, bits(self.domains[glyph])))


class Dropping(Chain):
    """Writes the tests as `try` lines; with `twins`, beside each that drops one of the same kind that keeps."""

    def __init__(self, row: EquationRow, shown: Mapping[str, int], rng: random.Random, twins: bool = False):
        super().__init__(row, shown)
        self.rng, self.twins = rng, twins
        self.instead: Line | None = None  # the ending that says what is missing, where the thought guesses
        self.cut = 0  # and the lines before it

    def begin(self, vocabulary):
        state, found = start(self.row, self.digits, vocabulary)
        fields = state.domains, state.rules, state.tables, "", []
        return Written(*fields, shown=dict(self.digits), among={}, done=set()), found

    def pins(self, state: Written) -> dict[str, int]:
        return state.shown

    def pin(self, state: Written, glyph: str, digit: int) -> None:
        state.domains[glyph] = 1 << digit
        self.note(state, glyph, digit)

    def said_of(self, state: Written, glyph: str) -> list[int]:
        return bits(state.domains[glyph])

    def note(self, state: Written, glyph: str, digit: int) -> None:
        state.shown[glyph] = digit
        for other in state.domains:
            if other not in state.shown:
                state.domains[other] &= ~(1 << digit)
                if not state.domains[other]:
                    state.dead = other

    def examples_of(self, op: str) -> list[tuple[int, Equation]]:
        return [(c.number, self.row.examples[c.number - 1]) for c in self.clues if c.op == op]

    def rule_of(self, state: Written, op: str) -> str | None:
        mask = state.rules[op]
        return VALUE_RULES[mask.bit_length() - 1].name if single(mask) else None

    def guess(self, state: Written) -> None:
        known, query = self.pins(state), self.row.query
        missing = "".join(dict.fromkeys(c for c in query.left + query.right if c not in known))
        self.instead = Undetermined("digit", missing) if missing else Undetermined("rule", query.op)
        super().guess(state)

    def undetermined(self, what: str, of: str) -> None:
        if self.instead is None:
            self.instead, self.cut = Undetermined(what, of), len(self.lines)
        super().undetermined(what, of)

    def add(self, each: Line) -> Line:
        super().add(each)
        if isinstance(each, chain_lines.Bail) and not self.quiet:
            self.cut = len(self.lines)
        return each

    def live(self, state: Written, op: str) -> list[str]:
        return [VALUE_RULES[i].name for i in bits(state.rules[op])]

    def drop(self, state: Written, op: str, names) -> None:
        for name in names:
            state.rules[op] &= ~(1 << notation.RULE_INDEX[name])
        if not state.rules[op]:
            state.dead = op

    def drop_order(self, state: Written, mode: str) -> None:
        mask = MODE_RULES[MODES.index(mode)]
        for op in state.rules:
            state.rules[op] &= ~mask
            if not state.rules[op]:
                state.dead = op

    def beside(self, drop: Callable[[], object], keep: Callable[[], object]) -> None:
        """Write a line that drops; with twins also one that keeps, before or after."""
        for write in (drop,) if not self.twins else (drop, keep) if self.rng.random() < 0.5 else (keep, drop):
            write()

    def shapes(self, state: Written) -> bool:
        """The next families that an output rules out by its sign, by its size, or as one of its own operands."""
        for op in state.rules:
            for number, e in self.examples_of(op):
                for tests in (self.signs, self.ranges, self.identities):
                    found = tests(state, op, number, e)
                    fails = next((each for each in found if each[2]), None)
                    if fails is not None:
                        keeps = [each for each in found if not each[2]]
                        self.beside(partial(self.strike, state, op, *fails), partial(self.spare, state, keeps))
                        return True
        return False

    def families(self, state: Written, op: str, mode: str = "any") -> list[str]:
        own = [name for name in self.live(state, op) if mode in ("any", VALUE_RULES[notation.RULE_INDEX[name]].mode)]
        return list(dict.fromkeys(drop_families.family_of(name) for name in own))

    def signs(self, state: Written, op: str, number: int, e: Equation) -> list[tuple]:
        """(kind, fields, does it fail, the rules) of every group of families that write their minus alike."""
        found = notation.side_of(notation.target_of(e, {}, "normal"))
        groups: dict[str, list[str]] = {}
        for family in self.families(state, op):
            groups.setdefault(drop_families.sides_of(family, e), []).append(family)
        return [
            (drop_families.TestSign, (self.ops[op], tuple(members), sides, number, found), found not in sides,
             [name for family in members for name in drop_families.family_rules(family)])
            for sides, members in groups.items()
        ]  # fmt: skip

    def ranges(self, state: Written, op: str, number: int, e: Equation) -> list[tuple]:
        """The same for the sizes, of both orders together where they are the same."""
        made = []
        together = drop_sizes.spans(e, state.shown, "any") is not None
        for mode in ("any",) if together else MODES:
            x, y, out = drop_sizes.spans(e, state.shown, mode)
            groups: dict[tuple[int, int], list[str]] = {}
            for family in self.families(state, op, mode):
                groups.setdefault(drop_sizes.family_span(family, x, y), []).append(family)
            made += [
                (drop_sizes.TestRange, (self.ops[op], tuple(members), mode, number, *x, *y, *span, *out),
                 out[1] < span[0] or out[0] > span[1],
                 [name for family in members for name in drop_families.family_rules(family, mode)])
                for span, members in groups.items()
            ]  # fmt: skip
        return made

    def identities(self, state: Written, op: str, number: int, e: Equation) -> list[tuple]:
        """The same for an output that is one of the operands; none for another output."""
        parts = drop_ident.in_letters(self.row, e)
        if parts is None or parts[2] not in parts[:2]:
            return []
        groups: dict[str, list[str]] = {}
        for family in self.families(state, op):
            groups.setdefault(drop_ident.returns_of(family), []).append(family)
        return [
            (drop_ident.TestIdent, (self.ops[op], tuple(members), returns, number, *parts),
             drop_ident.fails(returns, *parts),
             [name for family in members for name in drop_families.family_rules(family)])
            for returns, members in groups.items()
        ]  # fmt: skip

    def strike(self, state: Written, op: str, kind: Callable, fields: tuple, fails: bool, names) -> None:
        """Write a test that fails, and drop its rules."""
        self.numbered(kind, *fields, "drop")
        self.drop(state, op, names)

    def spare(self, state: Written, tests: list[tuple]) -> None:
        """Write the first of these tests that was not written yet."""
        for kind, fields, *_ in tests:
            if (kind, fields) not in state.done:
                state.done.add((kind, fields))
                self.numbered(kind, *fields, "keep")
                return

    def wholes(self, state: Written) -> bool:
        """Orders without a rule, and groups that another operator owns."""
        for mode, mask in zip(MODES, MODE_RULES, strict=True):
            for op, live in state.rules.items():
                if not live & mask and any(other & mask for other in state.rules.values()):
                    rest = MODES[1 - MODES.index(mode)]
                    count = (live & MODE_RULES[MODES.index(rest)]).bit_count()
                    self.beside(
                        partial(self.numbered, drop_lines.TestMode, mode, self.ops[op], 0, "drop"),
                        partial(self.spare, state, [(drop_lines.TestMode, (rest, self.ops[op], count))]),
                    )
                    self.drop_order(state, mode)
                    return True
        for op, live in state.rules.items():
            for group, mask in zip(GROUPS, GROUP_RULES, strict=True):
                if live & mask != live:
                    continue
                for other, rest in state.rules.items():
                    if other == op or not rest & mask:
                        continue
                    held = [g for g, m in zip(GROUPS, GROUP_RULES, strict=True) if rest & m and g != group]
                    fields = self.ops[op], group, self.ops[other]
                    self.beside(
                        partial(self.numbered, drop_lines.TestGroup, *fields, group, "drop"),
                        partial(self.spare, state, [(drop_lines.TestGroup, (*fields, g)) for g in held]),
                    )
                    self.drop(state, other, [VALUE_RULES[i].name for i in bits(mask)])
                    return True
        return False

    def value_test(self, state: Written, op: str, name: str, number: int, e: Equation) -> tuple | None:
        """A test on operands that are known; on a few choices of their digits; None where it cannot be made."""
        known, rule = state.shown, VALUE_RULES[notation.RULE_INDEX[name]]
        operands = notation.operands_of(e, known, rule.mode)
        if operands is not None:
            if not int(operands[0]) or not int(operands[1]):
                return None
            value = arithmetic.written(rule, *operands)
            target = letters.target_in_letters(self.row, e, known, rule.mode)
            free = "".join(str(d) for d in range(10) if d not in known.values())
            fields = self.ops[op], name, number, *operands, value, target
            return drop_values.TestValue, fields, notation.fits(value, target, free) is None, [name]
        made = self.readings(state, name, e)
        if made is None:
            return None
        sets, work, fit = made
        return drop_values.TestReadings, (self.ops[op], name, number, sets, work), not fit, [name]

    def readings(self, state: Written, name: str, e: Equation) -> tuple[tuple, tuple, list[int]] | None:
        """(sets, readings, those that fit) of a rule on an example, None where there are too many."""
        known = state.shown
        glyphs = drop_values.open_letters(e, known, VALUE_RULES[notation.RULE_INDEX[name]].mode)
        size = 1
        for glyph in glyphs:
            size *= state.domains[glyph].bit_count()
            if size > 3 * MOST_READINGS:
                return None
        sets = [(glyph, state.digits(glyph)) for glyph in glyphs]
        work = drop_values.readings(self.row, e, name, known, sets)
        if not 0 < len(work) <= MOST_READINGS:
            return None
        fit = drop_values.fitting(work, known, drop_values.choices(sets))
        return tuple((self.names[glyph], digits) for glyph, digits in sets), tuple(work), fit

    def units(self, state: Written, name: str, e: Equation) -> tuple[tuple, tuple, bool] | None:
        """(sets, units of every pair, does one agree) of a rule on an example; None where there are too many."""
        sets = drop_units.ones_sets(name, e, state.digits)
        if any(len(each) > MOST_SET for each in sets[:2]):
            return None
        work = drop_units.ones_work(name, sets[0], sets[1], e)
        if not 0 < len(work) <= MOST_PAIRS:
            return None
        return sets, work, bool(drop_units.ones_hits(name, work, sets[2], e))

    def ones_test(self, state: Written, op: str, name: str, number: int, e: Equation) -> tuple | None:
        made = self.units(state, name, e)
        if made is None:
            return None
        sets, work, hits = made
        return drop_units.TestOnes, (self.ops[op], name, number, *sets[:2], work, sets[2]), not hits, [name]

    def both_test(self, state: Written, op: str, name: str, number: int, e: Equation) -> tuple | None:
        """One rule in both orders, while both are open."""
        flipped = f"flip_{name}"
        if name.startswith("flip_") or flipped not in self.live(state, op):
            return None
        made = [self.units(state, each, e) for each in (name, flipped)]
        if None in made or made[0][2] != made[1][2]:
            return None
        fields = self.ops[op], name, number, made[0][1], made[0][0][2], made[1][1], made[1][0][2]
        return drop_units.TestBoth, fields, not made[0][2], [name, flipped]

    def order_test(self, state: Written, op: str, mode: str) -> tuple | None:
        """All rules that an operator has left in an order, each on the example that speaks most against it."""
        live = [name for name in self.live(state, op) if VALUE_RULES[notation.RULE_INDEX[name]].mode == mode]
        if not 1 < len(live) <= MOST_RULES:
            return None
        entries, alive = [], False
        for name in live:
            made = [(number, self.units(state, name, e)) for number, e in self.examples_of(op)]
            made = sorted(((number, each) for number, each in made if each is not None), key=lambda each: each[1][2])
            if not made:
                return None
            number, (sets, work, hits) = made[0]
            entries.append(drop_units.order_entry(name, number, work, sets[2]))
            alive |= hits
        return drop_units.TestOrder, (mode, self.ops[op], tuple(entries)), not alive

    def kill_one(self, state: Written) -> bool:
        """The next order or rule that units or values rule out."""
        order = sorted(state.rules, key=lambda op: op != self.row.query.op)
        if len(state.modes()) == 2:
            tests = [(mode, self.order_test(state, op, mode)) for op in order for mode in MODES]
            tests = [(mode, test) for mode, test in tests if test is not None]
            for mode, test in tests:
                if test[2]:
                    keeps = [each for other, each in tests if not each[2] and other != mode]
                    self.beside(partial(self.numbered, test[0], *test[1], "drop"), partial(self.spare, state, keeps))
                    self.drop_order(state, mode)
                    return True
        for op in order:
            if single(state.rules[op]):
                continue
            for name in self.live(state, op):
                for number, e in self.examples_of(op):
                    for make in (self.value_test, self.both_test, self.ones_test):
                        test = make(state, op, name, number, e)
                        if test is not None and test[2]:
                            keep = partial(self.twin, state, op, make, test[0]) if self.twins else None
                            self.beside(partial(self.strike, state, op, *test), keep)
                            return True
        return False

    def twin(self, state: Written, op: str, make: Callable, kind: Callable) -> None:
        """Beside a rule that falls, a test of the same kind that another rule or example passes."""
        tests = [(o, n, *each) for o in state.rules for n in self.live(state, o) for each in self.examples_of(o)]
        self.rng.shuffle(tests)
        tests.sort(key=lambda each: each[0] != op)
        made = (make(state, *each) for each in tests)
        self.spare(state, [test for test in made if test is not None and test[0] is kind and not test[2]][:MOST_TWINS])
