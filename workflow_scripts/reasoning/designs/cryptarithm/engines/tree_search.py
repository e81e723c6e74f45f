"""The study's r1-r6: letters, a deduction engine whose pins hide a joint enumeration, and in r4-r6 a narrated search.

r1-r3 know the answer while they write (a wrong digit may be tried, only the true one survives); r4-r6 follow a policy
that sees the page alone, over passes of rising generality.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from puzzles.base import Problem
from puzzles.cryptarithm.family import CRYPTARITHMS
from puzzles.equations.prior import GLYPH_PRIOR, SIGN_GROUPS
from puzzles.equations.prompt import EquationRow
from puzzles.equations.rules import BY_NAME, VALUE_RULES
from reasoning.designs.cryptarithm.engines.forward import Bounded, gated
from reasoning.designs.cryptarithm.engines.propagation import (
    ALL_RULES,
    GROUP_RULES,
    GROUPS,
    MODE_RULES,
    MODES,
    State,
    bits,
    clues,
    propagate,
    restrict,
    single,
    start,
)
from reasoning.designs.cryptarithm.lines import (
    arithmetic,
    check_lines,
    digit_lines,
    join_lines,
    letters,
    notation,
    query_lines,
    rule_tests,
    tree_lines,
)
from reasoning.designs.cryptarithm.lines.catalog_lines import active
from reasoning.designs.cryptarithm.lines.drop_families import family_of
from reasoning.grammar.lines import Line
from reasoning.grammar.trace import Design, Spoil, Trace, Unrenderable

MOST_TRIES = 44
MOST_WRONG = 2
MOST_RIVALS = 3  # wrong rules that are compared beside the right one
MOST_LISTED = 6
COLLISION = 0.38
PLAIN = sum(
    1 << i
    for i, rule in enumerate(VALUE_RULES)
    if rule.base in ("add", "mul", "sub", "rsub", "abs", "negabs", "absneg")
)


@dataclass(frozen=True)
class Options:
    """What a design of the series shows.

    truth: the renderer knows key and rules. numbers: pins carry their arithmetic where they can. decode: checks read
    the output before they compare. refute: the standard order is refuted first. compare: wrong rules are tried in
    plain sight. collide: a letter is sometimes given a digit that is taken. families: literal signs keep to their own
    family, and leading zeros are excluded. scans: the symbol table is built up; tries are counted. drops: when all
    passes fail, an example is left out.
    """

    truth: bool = False
    numbers: bool = True
    decode: bool = True
    refute: bool = True
    compare: bool = True
    collide: bool = False
    families: bool = False
    scans: bool = False
    drops: bool = False


def by_frequency(rules: Sequence[int], rng: random.Random) -> list[int]:
    """Rules (indices) drawn one after another, each as likely as it is frequent in its group."""
    shares = GLYPH_PRIOR["regimes"]["canonical"]["rules"]

    def weight(index: int) -> float:
        rule = VALUE_RULES[index]
        return shares[rule.mode][rule.group].get(rule.name, 0.02)

    return sorted(rules, key=lambda index: rng.random() ** (1 / weight(index)), reverse=True)


class Study(Bounded):
    """Writes one trace of the series."""

    def __init__(self, problem: Problem, row: EquationRow, shown: Mapping[str, int], rng: random.Random, how: Options):
        super().__init__(row, shown)
        self.problem, self.rng, self.how = problem, rng, how
        self.tries = 0
        self.names, self.ops = letters.letters_of(row), letters.operators_of(row)
        self.collided = False

    # tables

    def table(self) -> None:
        row = self.row
        if self.how.scans:
            for number, e in enumerate(row.examples, 1):
                self.add(letters.Scan(number, letters.indexed(e), e.output))
        self.add(letters.Letters(tuple(self.names.items())))
        self.add(letters.Operators(tuple(self.ops.items())))
        if self.how.scans:
            digits, ops = "".join(row.digit_glyphs()), "".join(row.operators)
            self.add(letters.Disjoint(digits, ops, "shared" if set(digits) & set(ops) else "apart"))
        for number, e in enumerate(row.examples, 1):
            self.add(letters.FormLine(number, letters.form_of(row, e)))
        self.add(letters.QueryForm(letters.form_of(row, row.query)))
        given = tuple((self.names[g], d) for g, d in self.digits.items() if g in self.names)
        if given:
            self.add(letters.Given(given))
        for glyph, op in self.ops.items():
            shape = tree_lines.shape_of(row, glyph)
            cue = tree_lines.cue_of("".join(c for c in shape if c.isdigit()), "s" in shape, "j" in shape)
            self.add(tree_lines.Cue(op, shape, cue))

    # passes

    def passes(self) -> list[tuple[str, str, dict[str, int]]]:
        """Mode, name of the vocabulary, operator -> rule mask."""
        ops = {e.op for e in self.row.examples}
        if self.how.truth:
            return [(self.problem.rule["mode"], "true", dict.fromkeys(ops, ALL_RULES))]
        masks = {"plain": dict.fromkeys(ops, PLAIN), "all": dict.fromkeys(ops, ALL_RULES)}
        families = self.how.families and self.canonical
        if families:
            masks["family"] = {op: GROUP_RULES[GROUPS.index(SIGN_GROUPS[op])] for op in ops}
            masks["family-plain"] = {op: mask & PLAIN for op, mask in masks["family"].items()}
        return [(mode, rules, masks[rules]) for mode, rules in tree_lines.passes_of(families)]

    def narrate(self) -> None:
        """Write the whole thought."""
        row = self.row
        self.table()
        if row.seen:
            verdict = self.join(row.query.op)
            if verdict != "neither":
                self.join_query(verdict)
                return
        else:
            self.add(join_lines.Unseen(row.query.op))
        if self.how.families:
            self.add(letters.Regime("".join(row.operators), "literal" if self.canonical else "arbitrary"))
        if self.how.truth and self.how.refute and self.problem.rule["mode"] == "flip":
            state, found = self.begin("normal", dict.fromkeys((e.op for e in row.examples), ALL_RULES))
            if propagate(state, found).dead:
                self.add(tree_lines.Pass("normal", "all"))
                self.add(tree_lines.PassDead(self.what(state.dead), "next"))
        for mode, vocabulary, masks in self.passes():
            self.add(tree_lines.Pass(mode, vocabulary))
            state = self.attempt(mode, masks)
            if state is not None:
                self.close(state)
                return
        if not self.how.drops:
            raise Unrenderable("no pass finds a solution")
        self.leave_one_out()

    def leave_one_out(self) -> None:
        """An example must be bad: the first pass again without one of them, until it fits."""
        self.count(check_lines.NoPass)
        mode, _, masks = self.passes()[0]
        for number in check_lines.spare(self.row):
            state = self.enter(mode, masks, number)
            dead = propagate(state.copy(), self.clues).dead
            self.count(check_lines.Without, number, *((self.what(dead), "dead") if dead else ("-", "holds")))
            if dead:
                continue
            solved = self.branch(state) if self.deduce(state) else None
            if solved is not None:
                self.add(check_lines.Bad(number))
                self.close(solved, number)
                return
            self.add(tree_lines.PassDead("all", "next"))
        raise Unrenderable("no example is bad alone")

    def count(self, kind: Callable, *fields) -> None:
        self.tries += 1
        self.add(kind(self.tries, *fields))

    def begin(self, mode: str, masks: dict[str, int]) -> tuple[State, tuple]:
        mask = MODE_RULES[MODES.index(mode)]
        return start(self.row, self.shown_digits(), {op: rules & mask for op, rules in masks.items()})

    def shown_digits(self) -> dict[str, int]:
        return dict(self.digits)

    def enter(self, mode: str, masks: dict[str, int], without: int = 0) -> State:
        """The state from which an attempt starts, perhaps without one example."""
        state, found = self.begin(mode, masks)
        self.clues = tuple(clue for clue in found if clue.number != without)
        state.tables.pop(without, None)
        self.live, self.written, self.held = dict(state.rules), dict(state.rules), dict(self.digits)
        self.rivals: dict[str, list[str]] = {}
        self.mode, self.tried = mode, {}
        return state

    def attempt(self, mode: str, masks: dict[str, int]) -> State | None:
        """One pass: the solved state, None when it fails."""
        state = self.enter(mode, masks)
        if self.how.families and mode == "normal":
            self.add(tree_lines.NoLeadingZero("".join(dict.fromkeys(tree_lines.leading(self.row, mode)))))
        if not self.deduce(state):
            self.add(tree_lines.PassDead(self.what(state.dead), "next"))
            return None
        solved = self.branch(state)
        if solved is None:
            self.add(tree_lines.PassDead("all", "next"))
        return solved

    def what(self, dead: str) -> str:
        return self.names.get(dead) or self.ops.get(dead) or dead

    def open_letters(self, state: State) -> list[str]:
        wanted = dict.fromkeys(self.row.query.left + self.row.query.right)
        shown = {glyph for clue in self.clues for glyph in clue.glyphs}
        return [glyph for glyph in wanted if glyph in shown and glyph not in self.held]

    def branch(self, state: State) -> State | None:
        """Depth first on the letter with the fewest digits until the query's letters are settled."""
        if not self.open_letters(state):
            return state
        shown = {glyph for clue in self.clues for glyph in clue.glyphs}
        glyph = min(
            (g for g in shown if g not in self.held), key=lambda g: (state.domains[g].bit_count(), self.names[g])
        )
        letter = self.names[glyph]
        self.add(tree_lines.Choose(letter, "".join(map(str, bits(state.domains[glyph])))))
        wrong = 0
        for digit in bits(state.domains[glyph]):
            true = self.problem.key.get(glyph) if self.how.truth else None
            if self.how.truth and digit != true and wrong >= MOST_WRONG:
                continue
            trial = state.copy()
            restrict(trial, glyph, 1 << digit, "try")
            dead = propagate(trial, self.clues).dead
            if self.how.truth and digit != true and not dead:
                continue
            if digit in self.held.values():
                continue  # dead without a word: the page shows that it is taken
            self.tries += 1
            if self.tries > MOST_TRIES:
                raise Unrenderable("too many tries")
            wrong += bool(dead)
            self.say_try(letter, digit, self.what(dead) if dead else "-")
            if dead:
                continue
            before = dict(self.held), dict(self.live), dict(self.written), dict(self.tried)
            self.held[glyph] = digit
            deeper = state.copy()
            restrict(deeper, glyph, 1 << digit, "try")
            if self.deduce(deeper):
                solved = self.branch(deeper)
                if solved is not None:
                    return solved
            self.held, self.live, self.written, self.tried = before
            self.add(tree_lines.UndoDigit(letter))
        self.add(tree_lines.Exhausted(letter, self.tried.get(letter, "0")))
        return None

    def say_try(self, letter: str, digit: int, consequence: str) -> None:
        self.tried[letter] = self.tried.get(letter, "") + str(digit)
        verdict = "holds" if consequence == "-" else "dead"
        fields = letter, digit, consequence, self.tried[letter], verdict
        self.add(tree_lines.TryCounted(*fields, self.tries) if self.how.scans else tree_lines.TryDigit(*fields))

    # deduction

    def deduce(self, state: State) -> bool:
        """Propagate and tell what was pinned and dropped. False: something is left without a value."""
        at = len(state.events)
        propagate(state, self.clues)
        for event in state.events[at:]:
            if event.kind == "assign" and event.name in self.names and event.args[0] != "try":
                digit = int(event.result)
                if digit in self.held.values():
                    break  # two letters want one digit: dead
                if event.name not in self.held:
                    self.pin(event.name, digit, event.args)
            elif event.verdict == "drop" and event.result:
                left = tuple(event.result.split())
                self.live[event.name] = sum(1 << notation.RULE_INDEX[name] for name in left)
                self.say_rules(event.name)
        return not state.dead

    def say_rules(self, op: str) -> None:
        """Write the rules that an operator has left; those that are to be compared later stay among them."""
        left = self.live[op]
        if self.how.compare:
            if op not in self.rivals:
                shapes = active(self.row, op)  # the families that print outputs like the operator's
                others = [i for i in bits(self.written[op] & ~left) if family_of(VALUE_RULES[i].name) in shapes]
                others = by_frequency(others, self.rng)
                self.rivals[op] = others[: self.rng.randint(1, MOST_RIVALS)]
            left |= sum(1 << i for i in self.rivals[op]) & self.written[op]
        if left != self.written[op]:
            self.written[op] = left
            names = tuple(VALUE_RULES[i].name for i in bits(left))
            if len(names) <= MOST_LISTED:
                self.add(tree_lines.DropRules(self.ops[op], names, "drop"))

    def pin(self, glyph: str, digit: int, args: tuple[str, ...]) -> None:
        letter = self.names[glyph]
        if self.how.collide and not self.collided and self.held and self.rng.random() < COLLISION:
            self.collided = True
            other = next((g for g in self.held if g in self.names), None)
            if other is not None:
                held = self.held[other]
                self.add(tree_lines.Collision(letter, held, self.names[other], held, "clash"))
        line = (
            self.reason(glyph, digit, letter) if self.how.numbers else self.lead(glyph, digit, letter)
        ) or tree_lines.PinSole(
            letter, args[2].replace(str(digit), "") or "0123456789".replace(str(digit), ""), letter, digit, "pin"
        )
        self.add(line)
        self.held[glyph] = digit

    def lead(self, glyph: str, digit: int, letter: str) -> Line | None:
        """A sum of three digits opens with 1."""
        for clue in self.clues:
            e, mask = self.row.examples[clue.number - 1], self.live[clue.op]
            out = notation.reading(e, self.mode)[2]
            if digit == 1 and len(out) == 3 and out[0] == glyph and mask & GROUP_RULES[0] == mask:
                return tree_lines.PinLead(clue.number, letter, 1)
        return None

    def reason(self, glyph: str, digit: int, letter: str) -> Line | None:
        """A line with numbers for a pin: computed value, units, or a leading 1."""
        for clue in self.clues:
            e, mask = self.row.examples[clue.number - 1], self.live[clue.op]
            if not single(mask) or glyph not in clue.glyphs:
                continue
            rule = VALUE_RULES[mask.bit_length() - 1]
            operands = notation.operands_of(e, self.held, rule.mode)
            if operands is not None and int(operands[0]) and int(operands[1]):
                value = arithmetic.written(rule, *operands)
                target = letters.target_in_letters(self.row, e, self.held, rule.mode)
                if (notation.fits(value, target) or {}).get(letter) == str(digit):
                    return tree_lines.PinValue(clue.number, rule.name, *operands, value, letter, digit)
            known = {**self.held, glyph: digit}
            out = notation.reading(e, rule.mode)[2][-1]
            work = tree_lines.units_work(rule.name, e, known)
            if work and glyph in (*(part[1] for part in notation.reading(e, rule.mode)[:2]), out) and out in known:
                if work[-1] == str(known[out]):
                    return tree_lines.PinUnits(clue.number, rule.name, work, letter, digit)
        return self.lead(glyph, digit, letter)

    # the end

    def close(self, state: State, bad: int = 0) -> None:
        """Letters that only the query shows, map, rules, checks (of a bad example too), query."""
        row, query = self.row, self.row.query
        self.digits = dict(self.held)
        for glyph in dict.fromkeys(query.left + query.right):
            if glyph not in self.digits:
                free = [d for d in range(10) if d not in self.digits.values()]
                digit = self.problem.key[glyph] if self.how.truth else free[0]
                self.add(tree_lines.Take(self.names[glyph], digit))
                self.digits[glyph] = digit
        order = sorted((self.names[g], d) for g, d in self.digits.items() if g in self.names)
        self.add(check_lines.Map(tuple(order)))
        if self.how.numbers:
            self.add(check_lines.Distinct("".join(str(d) for _, d in order), "differ"))
        found = {}
        for op in dict.fromkeys(clue.op for clue in clues(row)):
            name = self.problem.rule["operators"][op] if self.how.truth else VALUE_RULES[bits(self.live[op])[0]].name
            found[op] = self.compared(op, name) if self.how.compare else name
        if found:
            self.add(check_lines.RulesFound(tuple((self.ops[op], name) for op, name in found.items())))
        self.rules = {op: BY_NAME[name] for op, name in found.items()}
        for clue in self.clues:
            self.verify(clue.number, check_lines.Verify)
        if bad:
            self.verify(bad, check_lines.Excluded)
        if not row.seen:
            self.bet(flip=self.mode == "flip")
        if query.op not in self.rules:
            raise Unrenderable("no rule is left for the query")
        self.query()

    def compared(self, op: str, name: str) -> str:
        """The rules that are still written, the frequent ones sooner, on the first example whose digits are settled:
        wrong ones until the right one matches."""
        for clue in self.clues:
            e = self.row.examples[clue.number - 1]
            operands = notation.operands_of(e, self.digits, self.mode)
            if clue.op != op or operands is None or not int(operands[0]) or not int(operands[1]):
                continue
            target = letters.target_in_letters(self.row, e, self.digits, self.mode)
            wrong = 0
            for rival in by_frequency(bits(self.written[op]), self.rng):
                rule = VALUE_RULES[rival]
                value = arithmetic.written(rule, *operands)
                if rule.name == name or (value != target and wrong < MOST_RIVALS):
                    wrong += 1
                    verdict = "match" if value == target else "no"
                    fields = self.ops[op], rule.name, clue.number, *operands, value, target
                    self.add(check_lines.Compare(*fields, verdict))
                if rule.name == name:
                    return name
        return name

    def verify(self, number: int, kind: Callable) -> None:
        e = self.row.examples[number - 1]
        rule = self.rules[e.op]
        operands = notation.operands_of(e, self.digits, rule.mode)
        if operands is None or not int(operands[0]) or not int(operands[1]):
            return
        value = arithmetic.written(rule, *operands)
        target = letters.target_in_letters(self.row, e, self.digits, rule.mode)
        if self.how.decode:
            verdict = "match" if value == target else "differ"
            self.add(kind(number, e.output, target, rule.name, *operands, value, verdict))
        elif value == target:
            self.add(check_lines.CheckEcho(number, rule.name, *operands, value, value, "match"))

    def undetermined(self, what: str, of: str) -> None:
        raise Unrenderable("an answer digit has no glyph")


KINDS = (
    letters.Scan,
    letters.Letters,
    letters.Operators,
    letters.FormLine,
    letters.QueryForm,
    letters.Disjoint,
    letters.Given,
    letters.Regime,
    *join_lines.JOIN_KINDS,
    join_lines.Unseen,
    *check_lines.STUDY_KINDS,
    rule_tests.Bet,
    digit_lines.Left,
    digit_lines.Pin,
    *query_lines.QUERY_KINDS,
)


def designs(name: str, how: Options, spoil: Spoil | None = None) -> tuple[Design, ...]:
    """The design of both families."""
    written = (*KINDS, *check_lines.DROP_KINDS) if how.drops else KINDS

    def render(problem: Problem, parsed, solution, known: Mapping[str, int], rng: random.Random) -> Trace:
        if how.truth and not (problem.key and problem.rule):
            raise Unrenderable("this design needs the hidden key and rules")
        work = Study(problem, parsed, known, rng, how)
        work.narrate()
        return gated(problem, work)

    return tuple(Design(name, family, written, render, tuple(range(11)), spoil=spoil) for family in CRYPTARITHMS)
