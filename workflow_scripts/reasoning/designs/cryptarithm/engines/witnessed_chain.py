"""The chain with witnesses (r8) and its balanced twin: an inference is written only with the numbers that show it."""

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

from puzzles.equations.prompt import Equation
from puzzles.equations.rules import BY_NAME, VALUE_RULES
from reasoning.designs.cryptarithm.engines.forced_chain import Chain
from reasoning.designs.cryptarithm.engines.propagation import (
    GROUP_RULES,
    GROUPS,
    MODE_RULES,
    MODES,
    State,
    bits,
    restrict,
    settle,
    single,
    start,
)
from reasoning.designs.cryptarithm.lines import arithmetic, chain_lines, drop_lines, letters, notation, pin_lines

MOST_SET, MOST_PAIRS, MOST_EACH, MOST_TWINS = 5, 7, 7, 16
MOST_OPEN = 4  # candidates tried at once that do not hit
AHEAD = 0.75  # how often the open letter comes before its pin


class Held(State):
    """A state whose pins are only those that a line has shown; `domains` hold what the engine narrowed silently.

    among: the candidates that a line has said; done: the lines that need not be written again; owed: per way of
    pinning, the pins written less the lines of the same kind that leave their letter open.
    """

    def __init__(self, *fields, shown: dict[str, int], among: dict[str, str], done: set, owed: dict[str, int]):
        super().__init__(*fields)
        self.shown, self.among, self.done, self.owed = shown, among, done, owed

    def copy(self) -> "Held":
        plain = super().copy()
        fields = plain.domains, plain.rules, plain.tables, plain.dead, plain.events
        return Held(*fields, shown=dict(self.shown), among=dict(self.among), done=set(self.done), owed=dict(self.owed))


class Witnessed(Chain):
    """r8: an inference is taken only when a compact witness fits on its line."""

    twins = False  # the balanced twin: every kind also with its other outcome, and premises said

    def begin(self, vocabulary):
        state, found = start(self.row, self.digits, vocabulary)
        fields = state.domains, state.rules, state.tables, "", []
        return Held(*fields, shown=dict(self.digits), among={}, done=set(), owed={}), found

    def pins(self, state: Held) -> dict[str, int]:
        return state.shown

    def pin(self, state: Held, glyph: str, digit: int) -> None:
        restrict(state, glyph, 1 << digit, "claim")
        self.note(state, glyph, digit)

    def note(self, state: Held, glyph: str, digit: int) -> None:
        state.shown[glyph] = digit

    def examples_of(self, op: str) -> list[tuple[int, Equation]]:
        return [(c.number, self.row.examples[c.number - 1]) for c in self.clues if c.op == op]

    def advance(self, state: Held) -> None:
        while not state.dead and not self.encodable(state):
            before = dict(state.domains)
            settle(state, self.clues)
            if state.dead:
                return
            self.leave_open(state)
            if not (
                self.shapes(state)
                or self.wholes(state)
                or self.pin_one(state, before)
                or self.kill_one(state)
                or self.narrow_one(state)
            ):
                return

    def beside(self, drop: Callable[[], object], keep: Callable[[], object] | None) -> None:
        """Write a line that drops something; the balanced twin also writes one of the same kind that keeps."""
        drop()

    def order(self, groups: Iterable) -> Iterable:
        return groups

    def narrow_one(self, state: Held) -> bool:
        """For the balanced twin: state the only candidate of a letter when nothing else is left to write."""
        return False

    def leave_open(self, state: Held) -> None:
        """For the balanced twin: write the lines that leave a letter open, as many as there were pins of their kind."""

    def open_first(self, state: Held, way: Callable) -> bool:
        """For the balanced twin: write such a line before a pin. True when one was written; the pin is then looked for
        again."""
        return False

    def _drop(self, state: Held, op: str, names) -> None:
        for name in names:
            state.rules[op] &= ~(1 << notation.RULE_INDEX[name])
        if not state.rules[op]:
            state.dead = op

    def live(self, state: Held, op: str) -> list[str]:
        return [VALUE_RULES[i].name for i in bits(state.rules[op])]

    def shapes(self, state: Held) -> bool:
        """Sign and range of every operator's examples, once: the families that are left pass them all."""
        if "shapes" in state.done:
            return False
        state.done.add("shapes")
        progress = False
        for op in state.rules:
            for number, e in self.examples_of(op):
                families = list(dict.fromkeys(drop_lines.family_of(name) for name in self.live(state, op)))
                found = notation.side_of(notation.target_of(e, {}, "normal"))
                least, most = drop_lines.length_range(e)
                for kind, key in (
                    ("sign", lambda f, e=e: drop_lines.sides_of(f, e)),
                    ("range", drop_lines.RANGES.get),
                ):
                    groups: dict = {}
                    for family in families:
                        groups.setdefault(key(family), []).append(family)
                    fails = {
                        value: found not in value if kind == "sign" else most < value[0] or least > value[1]
                        for value in groups
                    }
                    for value, members in self.order(groups.items()):
                        if not fails[value] and not (self.twins and any(fails.values())):
                            continue
                        verdict = "drop" if fails[value] else "keep"
                        alive = {drop_lines.family_of(name) for name in self.live(state, op)}
                        members = tuple(family for family in members if family in alive)
                        if not members:
                            continue
                        if kind == "sign":
                            self.numbered(drop_lines.KillSign, self.ops[op], members, value, number, found, verdict)
                        else:
                            fields = self.ops[op], members, *value, number, least, most, verdict
                            self.numbered(drop_lines.KillRange, *fields)
                        if verdict == "drop":
                            progress = True
                            self._drop(state, op, [n for f in members for n in drop_lines.family_rules(f)])
                            if state.dead:
                                return True
        return progress

    def wholes(self, state: Held) -> bool:
        """Orders without a rule, and groups that another operator owns."""
        for mode, mask in zip(MODES, MODE_RULES, strict=True):
            for op, live in state.rules.items():
                if not live & mask and any(other & mask for other in state.rules.values()):
                    rest = MODES[1 - MODES.index(mode)]
                    count = (live & MODE_RULES[MODES.index(rest)]).bit_count()
                    self.beside(
                        partial(self.numbered, drop_lines.KillMode, mode, self.ops[op], 0, "drop"),
                        partial(self.numbered, drop_lines.KillMode, rest, self.ops[op], count, "keep"),
                    )
                    for other in list(state.rules):
                        state.rules[other] &= ~mask
                        if not state.rules[other]:
                            state.dead = other
                    return True
        for op, live in state.rules.items():
            for group, mask in zip(GROUPS, GROUP_RULES, strict=True):
                if live & mask != live:
                    continue
                for other, rest in state.rules.items():
                    if other == op or not rest & mask:
                        continue
                    held = [g for g, m in zip(GROUPS, GROUP_RULES, strict=True) if rest & m and g != group]
                    line = partial(self.numbered, drop_lines.KillGroup, self.ops[op], group, self.ops[other])
                    self.beside(partial(line, group, "drop"), partial(line, held[0], "keep") if held else None)
                    state.rules[other] &= ~mask
                    if not state.rules[other]:
                        state.dead = other
                    return True
        return False

    # rules

    def value_test(self, state: Held, op: str, name: str, number: int, e: Equation):
        """(fields, drops, glyphs) of a value test, None when an operand is not pinned."""
        mode = BY_NAME[name].mode
        operands = notation.operands_of(e, state.shown, mode)
        if operands is None or not int(operands[0]) or not int(operands[1]):
            return None
        value = arithmetic.written(BY_NAME[name], *operands)
        target = letters.target_in_letters(self.row, e, state.shown, mode)
        free = "".join(str(d) for d in range(10) if d not in state.shown.values())
        return (self.ops[op], name, number, *operands, value, target), notation.fits(value, target, free) is None, ()

    def ones_test(self, state: Held, op: str, name: str, number: int, e: Equation):
        """(fields, drops, glyphs) of a units enumeration, None when the sets are too large."""
        if BY_NAME[name].group not in ("add", "mul"):
            return None
        left, right, out = notation.reading(e, BY_NAME[name].mode)
        sets = ["".join(map(str, self.candidates(state, glyph))) for glyph in (left[1], right[1], out[-1])]
        if any(len(each) > MOST_SET for each in sets):
            return None
        work = drop_lines.ones_work(name, sets[0], sets[1], e)
        if not 0 < len(work) <= MOST_PAIRS:
            return None
        # only digits that occur in a pair are on the page
        hits = drop_lines.ones_hits(work, sets[2], e, BY_NAME[name].mode)
        return (self.ops[op], name, number, work, sets[2]), not hits, (left[1], right[1], out[-1])

    def candidates(self, state: Held, glyph: str) -> list[int]:
        if glyph in state.shown:
            return [state.shown[glyph]]
        taken = set(state.shown.values())
        return [d for d in bits(state.domains[glyph]) if d not in taken]

    def kill_one(self, state: Held) -> bool:
        """The next rule that a value or a units enumeration rules out."""
        order = sorted(state.rules, key=lambda op: op != self.row.query.op)
        for op in order:
            if single(state.rules[op]):
                continue
            for name in self.live(state, op):
                for number, e in self.examples_of(op):
                    kind, test = drop_lines.KillValue, self.value_test(state, op, name, number, e)
                    if test is None or not test[1]:
                        kind, test = drop_lines.KillOnes, self.ones_test(state, op, name, number, e)
                    if test is not None and test[1]:
                        drop = partial(self.strike, state, op, name, kind, test)
                        self.beside(drop, partial(self.twin, state, op, kind))
                        return True
        return False

    def strike(self, state: Held, op: str, name: str, kind: Callable, test: tuple) -> None:
        """Write a test that fails, and drop its rule."""
        self.premises(state, test[2])
        self.numbered(kind, *test[0], "drop")
        self._drop(state, op, [name])

    def twin(self, state: Held, op: str, kind: Callable) -> None:
        """The balanced twin: beside a rule that falls, a test of the same kind that another rule or example passes."""
        tests = [(o, n, *each) for o in state.rules for n in self.live(state, o) for each in self.examples_of(o)]
        self.rng.shuffle(tests)
        tests.sort(key=lambda each: each[0] != op)
        for other, name, number, e in tests[:MOST_TWINS]:
            test = (self.value_test if kind is drop_lines.KillValue else self.ones_test)(state, other, name, number, e)
            if test is not None and not test[1] and (kind, test[0]) not in state.done:
                state.done.add((kind, test[0]))
                self.premises(state, test[2])
                self.numbered(kind, *test[0], "keep")
                return

    def premises(self, state: Held, glyphs) -> None:
        """Say the candidate sets that a line uses, where the page does not know them yet."""
        for glyph in dict.fromkeys(glyphs) if self.twins else ():
            if glyph not in state.shown:
                self.premise_set(state, glyph, "".join(map(str, self.candidates(state, glyph))))

    # digits

    def pin_one(self, state: Held, before: Mapping[str, int]) -> bool:
        """The next letter that a witness settles: copied, by its units, by trying each candidate, or left over."""
        for clue in self.clues:
            e, mask = self.row.examples[clue.number - 1], state.rules[clue.op]
            if not single(mask):
                continue
            name = VALUE_RULES[mask.bit_length() - 1].name
            test = self.value_test(state, clue.op, name, clue.number, e)
            if test is not None:
                fields = test[0]
                new = notation.fits(fields[5], fields[6])
                if new:
                    pairs = tuple((letter, int(d)) for letter, d in new.items())
                    self.numbered(pin_lines.Copy, clue.number, name, *fields[3:6], pairs)
                    back = {letter: glyph for glyph, letter in self.names.items()}
                    for letter, digit in pairs:
                        self.pin(state, back[letter], digit)
                    return True
        for glyph in state.domains:
            if glyph in state.shown or glyph not in self.names or not single(state.domains[glyph]):
                continue
            digit = state.domains[glyph].bit_length() - 1
            taken = set(state.shown.values())
            said = state.among.get(glyph, "0123456789")
            untaken = "".join(d for d in said if int(d) not in taken)
            narrowed = "".join(d for d in untaken if before[glyph] >> int(d) & 1 or int(d) == digit)
            wides = [wide for wide in dict.fromkeys((untaken, narrowed)) if len(wide) <= MOST_EACH]
            ways = [(way, wide) for way in (self.by_units, self.by_each) for wide in wides]
            for way, wide in (*ways, (self.by_rest, untaken)):
                made = next(way(state, glyph, wide), None)
                if made is None:
                    continue
                kind, fields, hits = made
                if hits != str(digit):
                    continue
                if self.open_first(state, way):
                    return True
                if fields[1] and kind is not pin_lines.PinLast:
                    self.premise_set(state, glyph, fields[1])
                self.numbered(kind, *fields, hits, "pin")
                self.pin(state, glyph, digit)
                state.owed[way.__name__] = state.owed.get(way.__name__, 0) + 1
                self.leave_open(state)
                return True
        return False

    def premise_set(self, state: Held, glyph: str, digits: str) -> None:
        if self.twins and ("among", glyph, digits) not in state.done:
            state.done.add(("among", glyph, digits))
            state.among[glyph] = digits
            self.numbered(pin_lines.Among, self.names[glyph], digits)

    def by_units(self, state: Held, glyph: str, wide: str) -> Iterator[tuple]:
        for clue in self.clues:
            e, mask = self.row.examples[clue.number - 1], state.rules[clue.op]
            rule = VALUE_RULES[mask.bit_length() - 1]
            if not single(mask) or rule.group not in ("add", "mul") or not wide:
                continue
            left, right, out = notation.reading(e, rule.mode)
            if glyph not in (left[1], right[1]) or not (out[-1] in state.shown or out[-1] == glyph):
                continue
            work = pin_lines.units_of(rule.name, e, glyph, wide, state.shown)
            if not work:
                continue
            target = self.names[glyph] if out[-1] == glyph else str(state.shown[out[-1]])
            wanted = wide if out[-1] == glyph else target * len(wide)
            hits = "".join(c for c, each, want in zip(wide, work, wanted, strict=True) if each[-1] == want)
            yield (
                pin_lines.PinOnes,
                (self.names[glyph], wide, clue.number, rule.name, tuple(work), target),
                hits or "-",
            )

    def by_each(self, state: Held, glyph: str, wide: str) -> Iterator[tuple]:
        for clue in self.clues:
            e, mask = self.row.examples[clue.number - 1], state.rules[clue.op]
            rule = VALUE_RULES[mask.bit_length() - 1]
            unknown = {c for c in e.left + e.right if c not in state.shown}
            if not single(mask) or unknown != {glyph} or not wide:
                continue
            work, hits = [], ""
            free = "".join(str(d) for d in range(10) if d not in state.shown.values())
            for c in wide:
                digits = {**state.shown, glyph: int(c)}
                operands = notation.operands_of(e, digits, rule.mode)
                if not int(operands[0]) or not int(operands[1]):
                    break
                value = arithmetic.written(rule, *operands)
                target = letters.target_in_letters(self.row, e, digits, rule.mode)
                work.append((value, target))
                if notation.fits(value, target, free.replace(c, "")) is not None:
                    hits += c
            else:
                yield pin_lines.PinEach, (self.names[glyph], wide, clue.number, rule.name, tuple(work)), hits or "-"

    def by_rest(self, state: Held, glyph: str, wide: str) -> Iterator[tuple]:
        taken = "".join(sorted(map(str, state.shown.values())))
        if not taken:
            return
        said = state.among.get(glyph, "0123456789")
        hits = "".join(c for c in said if c not in taken)
        yield pin_lines.PinLast, (self.names[glyph], said, taken), hits or "-"


class Balanced(Witnessed):
    """The corrected twin of r8: both outcomes of every kind, in seeded order, candidate sets said first, no guesses."""

    guesses = False
    twins = True

    def __init__(self, *fields, rng: random.Random):
        super().__init__(*fields)
        self.seed, self.rng = rng.random(), rng

    def apart(self, digits: str, ops: str) -> None:
        self.add(letters.Sets(digits, ops))

    def beside(self, drop: Callable[[], object], keep: Callable[[], object] | None) -> None:
        for write in (drop, keep) if self.rng.random() < 0.5 else (keep, drop):
            if write is not None:
                write()

    def order(self, groups: Iterable) -> Iterable:
        return self.rng.sample(list(groups), len(groups))

    def candidates(self, state: Held, glyph: str) -> list[int]:
        """A letter that no line has settled is stated with a second digit. Stated alone, the digit would be a pin
        without a witness, and no later line about the letter could have the other outcome."""
        found = super().candidates(state, glyph)
        if glyph in state.shown or len(found) != 1:
            return found
        taken = {*state.shown.values(), *found}
        rest = [d for d in map(int, state.among.get(glyph, "0123456789")) if d not in taken]
        return sorted([*found, random.Random(f"{self.seed} {glyph}").choice(rest)]) if rest else found

    def narrow_one(self, state: Held) -> bool:
        """State a letter without its second digit when no other digit is left for it."""
        for glyph in self.names if state.shown else ():
            mask = state.domains.get(glyph, 0)
            digit = str(mask.bit_length() - 1)
            if glyph not in state.shown and single(mask) and state.among.get(glyph) != digit:
                self.premise_set(state, glyph, digit)
                return True
        return False

    # the two cases of a split, both written

    def silent(self, state: State, claim: str) -> State:
        return self.drawn_by(claim, lambda: super(Balanced, self).silent(state, claim))

    def die(self, state: State, claim: str, why: str) -> None:
        self.drawn_by(claim, lambda: super(Balanced, self).die(state, claim, why))

    def drawn_by(self, claim: str, run: Callable):
        """Run with draws that depend on the row and the claim alone, so that a silent and a written case go the same
        way."""
        before, self.rng = self.rng, random.Random(f"{self.seed} {claim}")
        try:
            return run()
        finally:
            self.rng = before

    def cases(self, state: Held, lost: str, kept: str, dead: str) -> None:
        self.beside(lambda: self.die(state, lost, "case"), lambda: self.stay(state, kept, dead))

    def stay(self, state: Held, claim: str, what: str) -> None:
        """The case that holds: what it leaves to the thing that the other case leaves without a value."""
        trial = self.fork(state)
        self.claim(trial, claim)
        settle(trial, self.clues)
        if what in trial.domains:
            count = trial.domains[what].bit_count()
        else:
            count = trial.rules[what].bit_count() if what in trial.rules else len(trial.tables[int(what[1:])])
        self.add(chain_lines.Case("case", claim))
        self.add(chain_lines.Leaves(claim, self.called(what), count, "stays"))

    def out(self, claim: str, dead: str) -> None:
        self.add(chain_lines.Leaves(claim, self.called(dead), 0, "out"))

    # letters that stay open

    def leave_open(self, state: Held) -> None:
        """For every pin so far a line of the same kind that leaves its letter open, as soon as there is one."""
        for way in (self.by_units, self.by_each, self.by_rest):
            if state.owed.get(way.__name__, 0) > 0:
                self.open_one(state, way)

    def open_first(self, state: Held, way: Callable) -> bool:
        return state.owed.get(way.__name__, 0) >= 0 and self.rng.random() < AHEAD and self.open_one(state, way)

    def open_one(self, state: Held, way: Callable) -> bool:
        """Write a test that leaves its letter open: several candidates hit, or none of those that are tried does."""
        glyphs = [glyph for glyph in self.names if glyph not in state.shown and glyph in state.domains]
        self.rng.shuffle(glyphs)
        glyphs.sort(key=lambda glyph: single(state.domains[glyph]))
        for glyph in glyphs:
            untaken = "".join(c for c in state.among.get(glyph, "0123456789") if int(c) not in state.shown.values())
            for kind, fields, hits in way(state, glyph, untaken):
                said_before = (kind, fields) in state.done or (kind is pin_lines.PinLast and hits == fields[1])
                if len(hits) > 1 and not said_before:
                    self.open(state, way, glyph, kind, fields, hits)
                    return True
                others = [c for c in untaken if c not in hits]
                if kind is not pin_lines.PinLast and others:
                    some = "".join(sorted(self.rng.sample(others, min(len(others), MOST_OPEN))))
                    for kind, fields, none in way(state, glyph, some):
                        if none == "-":
                            self.open(state, way, glyph, kind, fields, none, untaken)
                            return True
        return False

    def open(self, state, way, glyph: str, kind: Callable, fields: tuple, hits: str, untaken: str = "") -> None:
        """Write a line that leaves its letter open. What stays possible is what hit or, when nothing hit, what was not
        tried."""
        state.done.add((kind, fields))
        self.numbered(kind, *fields, hits, "open")
        left = hits if hits != "-" else "".join(c for c in untaken if c not in fields[1])
        state.among[glyph] = left
        state.domains[glyph] &= sum(1 << int(c) for c in left)
        state.owed[way.__name__] = state.owed.get(way.__name__, 0) - 1
