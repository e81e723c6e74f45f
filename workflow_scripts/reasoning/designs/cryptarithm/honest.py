"""honest-columns, honest-products, honest-branch (the study's honest series): column facts, no look-ahead.

A digit is pinned only by a fact in which it is the single unknown: a column of a sum or difference with its carry, the
leading 1 of a three-digit sum, the value of known operands, the last digit left; honest-products adds exact division,
honest-branch one branch whose other digits are summed up as breaking. Rules, reading order and which operand of a
difference is the larger come from the renderer, not from the page. There is no failure ending. The study's r1 to r3
differed in their corpora and in the facts that were switched on; the three steps here follow the facts.
"""

import random
from collections.abc import Mapping
from functools import partial
from typing import Any

from puzzles.base import Problem, Solution
from puzzles.cryptarithm.family import CRYPTARITHMS
from puzzles.equations.prompt import EquationRow, join_of
from puzzles.equations.rules import BY_NAME
from reasoning.designs.cryptarithm.engines.forward import Worker, gated
from reasoning.designs.cryptarithm.engines.propagation import bits, clues, propagate, start
from reasoning.designs.cryptarithm.lines import anchor_lines as anchor
from reasoning.designs.cryptarithm.lines import (
    arithmetic,
    digit_lines,
    join_lines,
    notation,
    query_lines,
    rule_tests,
    single_steps,
)
from reasoning.designs.cryptarithm.lines import column_lines as columns
from reasoning.grammar.trace import Design, Trace, Unrenderable


class Honest(Worker):
    """Writes one honest trace."""

    def __init__(self, problem: Problem, row: EquationRow, shown: Mapping[str, int], division: bool, branch: bool):
        super().__init__(row, shown)
        self.problem, self.division, self.may_branch = problem, division, branch
        self.truth = {op: BY_NAME[name] for op, name in problem.rule["operators"].items()}

    def narrate(self) -> None:
        row = self.row
        if row.seen:
            verdict = self.join(row.query.op)
            if verdict != "neither":
                self.join_query(verdict)
                return
        else:
            self.add(join_lines.Unseen(row.query.op))
        for number, e in enumerate(row.examples, 1):
            if not join_of(e) and e.op not in self.rules:
                if self.truth[e.op].is_join:
                    raise Unrenderable("a join that does not look like one")
                self.add(anchor.OperatorRule(e.op, number, len(e.output), self.truth[e.op].name))
                self.rules[e.op] = self.truth[e.op]
        self.add(anchor.OrderGiven(self.problem.rule["mode"]))
        self.clues = clues(row)
        while self.lacking():
            if not (self.fact() or self.last() or self.branch()):
                raise Unrenderable("the facts do not settle the query")
        self.check()
        if not row.seen:
            self.bet()
        if row.query.op not in self.rules:
            raise Unrenderable("no rule is left for the query")
        self.query()

    def larger(self, number: int) -> str:
        """Which operand of a difference is the larger: known to the renderer."""
        e, rule = self.row.examples[number - 1], self.rules[self.row.examples[number - 1].op]
        if rule.group == "add":
            return "sum"
        x, y = notation.operands_of(e, self.problem.key, rule.mode)
        return "left" if int(x) >= int(y) else "right"

    def fact(self) -> bool:
        """The first fact, example by example, with a single unknown."""
        for clue in self.clues:
            e, rule = self.row.examples[clue.number - 1], self.rules[clue.op]
            if not self.unknown("".join(clue.glyphs)):
                continue
            out = notation.reading(e, rule.mode)[2]
            if rule.group == "add" and len(out) == 3 and out[0] not in self.digits and 1 not in self.digits.values():
                self.add(columns.LeadPin(clue.number, out[0], 1))
                self.digits[out[0]] = 1
                return True
            larger = self.larger(clue.number)
            parts = columns.triple(e, rule, larger)
            if parts is not None and self.column(clue.number, parts, larger, columns.offset_of(rule)):
                return True
            operands = notation.operands_of(e, self.digits, rule.mode)
            if operands is not None and int(operands[0]) and int(operands[1]):
                value = arithmetic.written(rule, *operands)
                new = notation.fits(value, notation.target_of(e, self.digits, rule.mode))
                if new:
                    pairs = tuple((glyph, int(digit)) for glyph, digit in new.items())
                    self.add(columns.ProductPin(clue.number, *operands, value, pairs))
                    self.digits.update(pairs)
                    return True
            if self.division and rule.group == "mul" and self.divide(clue.number):
                return True
        return False

    def column(self, number: int, parts: tuple[str, str, str], larger: str, offset: int) -> bool:
        for name in columns.COLUMNS:
            glyphs = {glyph for glyph in columns.column(parts, name) if glyph and glyph not in self.digits}
            if len(glyphs) != 1 or not columns.column(parts, name)[2]:
                continue
            glyph = glyphs.pop()
            fitting = columns.column_fits(parts, name, offset, glyph, self.digits)
            if len(fitting) == 1:
                work, _ = columns.column_sum(parts, name, offset, {**self.digits, glyph: fitting[0]})
                self.add(columns.ColumnPin(number, name, larger, work, glyph, fitting[0]))
                self.digits[glyph] = fitting[0]
                return True
        return False

    def divide(self, number: int) -> bool:
        e = self.row.examples[number - 1]
        sides = columns.division_sides(e, self.rules[e.op], self.digits)
        if sides is None:
            return False
        known = int(notation.read(sides[0], self.digits))
        if not known or sides[2] % known or len(str(sides[2] // known)) != 2:
            return False
        new = notation.fits(str(sides[2] // known), notation.read(sides[1], self.digits))
        if not new:
            return False
        pairs = tuple((glyph, int(digit)) for glyph, digit in new.items())
        self.add(columns.DivisionPin(number, sides[2], known, sides[2] // known, pairs))
        self.digits.update(pairs)
        return True

    def branch(self) -> bool:
        """One branch on the glyph with the fewest digits that propagation leaves; all but one must break."""
        if not self.may_branch:
            return False
        self.may_branch = False
        masks = {op: 1 << notation.RULE_INDEX[rule.name] for op, rule in self.rules.items()}
        state, found = start(self.row, self.digits, masks)
        open_ = [glyph for clue in found for glyph in clue.glyphs if glyph not in self.digits]
        propagate(state, found)
        if state.dead or not open_:
            return False
        glyph = min(open_, key=lambda glyph: (state.domains[glyph].bit_count(), glyph))
        if state.domains[glyph].bit_count() != 1:
            return False
        true = bits(state.domains[glyph])[0]
        free = self.left_over()[1]
        self.add(columns.BranchOn(glyph, free))
        for digit in map(int, free):
            if digit != true:
                trial, _ = start(self.row, {**self.digits, glyph: digit}, masks)
                dead = propagate(trial, found).dead
                place = dead if dead.startswith("E") else "digits"
                self.add(columns.BranchEnd(glyph, digit, place, "breaks"))
        self.add(columns.BranchEnd(glyph, true, "all", "stands"))
        self.digits[glyph] = true
        return True

    def check(self) -> None:
        """The query's operator on one example, and one other family refuted."""
        for number, e in self.usable(self.row.query.op):
            rule = self.rules[e.op]
            x, y = notation.operands_of(e, self.digits, rule.mode)
            target, flip = notation.target_of(e, self.digits, rule.mode), "flip " if rule.mode == "flip" else ""
            free = self.left_over()[1]
            group = arithmetic.test_group(rule)
            for each in dict.fromkeys((group, "mul" if group == "add" else "add")):
                value = arithmetic.plain_value(each, x, y)
                digits = target.strip("-") if each == "sub" else target
                if each in ("add", "mul"):
                    verdict = notation.near(value, digits, free)
                else:
                    verdict = "no" if notation.fits(str(value), digits, free) is None else "same"
                self.add(single_steps.Check(number, flip, each, x, y, value, target, verdict))
            return

    def undetermined(self, what: str, of: str) -> None:
        raise Unrenderable("an answer digit has no glyph")


def render(
    problem: Problem,
    parsed: Any,
    solution: Solution,
    known: Mapping[str, int],
    rng: random.Random,
    *,
    division: bool = False,
    branch: bool = False,
) -> Trace:
    if not (problem.rule and problem.key):
        raise Unrenderable("this design needs the hidden key and rules")
    work = Honest(problem, parsed, known, division, branch)
    work.narrate()
    return gated(problem, work)


KINDS = (
    *join_lines.JOIN_KINDS,
    join_lines.Unseen,
    anchor.OperatorRule,
    anchor.OrderGiven,
    *columns.COLUMN_KINDS,
    digit_lines.Left,
    digit_lines.Pin,
    single_steps.Check,
    rule_tests.Bet,
    *query_lines.QUERY_KINDS,
)
VARIANTS = {
    "honest-columns": {},
    "honest-products": {"division": True},
    "honest-branch": {"division": True, "branch": True},
}
DESIGNS = tuple(
    Design(name, family, KINDS, partial(render, **options), tuple(range(11)))
    for name, options in VARIANTS.items()
    for family in CRYPTARITHMS
)
