"""honest-columns, honest-products, honest-branch (the study's honest series): column facts, no look-ahead.

A glyph gets a digit, or is left few, only by a fact whose few unknowns are tried under what is written: the leading 1
of a three-digit sum, a column of a sum or difference with its carry, the units of a product, the value of known
operands, the last digit left, the only glyph that can have a digit. honest-products adds exact division, factor pairs
of a known product, casting out nines and elevens, the size of a product and the equation itself (its operands are
tried, the output is computed); honest-branch adds two facts that share a glyph (at most 100 choices tried) and one
branch whose other digits are summed up as breaking. Rules, reading order and which operand of a difference is the
larger come from the renderer, not from the page. There is no failure ending. In 1,850 characters they render every join
row; of 267 value rows 9, 24 and 64 without digits shown (sums, differences and products alike), of 133 others 81, 88
and 106 with five, all with ten. What stops them without a key: every equation that is left has more than 100 choices,
and to try as many is no line that shows its work; consistency without a limit would settle two rows of three. So the
selection `even` keeps such a corpus from being joins. The study's r1 to r3 differed in their corpora and in the facts
that were switched on; the three steps here follow the facts.
"""

import random
from collections.abc import Mapping
from functools import partial
from itertools import combinations
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
from reasoning.designs.cryptarithm.lines import fact_lines as facts
from reasoning.grammar.trace import Design, Trace, Unrenderable

MOST_LEFT = 7  # digits that a line leaves a glyph


class Honest(Worker):
    """Writes one honest trace."""

    def __init__(self, problem: Problem, row: EquationRow, shown: Mapping[str, int], products: bool, branch: bool):
        super().__init__(row, shown)
        self.problem, self.products, self.branches, self.may_branch = problem, products, branch, branch
        self.may: dict[str, str] = {}
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
        leading = facts.leading_glyphs(row, (self.problem.rule["mode"],))
        leading = tuple(glyph for glyph in leading if glyph not in self.digits)
        if leading:
            self.add(facts.NoZeros(leading))
            self.may = dict.fromkeys(leading, facts.ALL[1:])
        while self.lacking():
            if not (
                self.plain()
                or self.last()
                or self.left_glyph()
                or self.only_place()
                or self.one_fact()
                or self.two_facts()
                or self.branch()
            ):
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

    def plain(self) -> bool:
        """The first example that gives digits outright: a leading 1, a value, an exact division."""
        for clue in self.clues:
            e, rule = self.row.examples[clue.number - 1], self.rules[clue.op]
            if not self.unknown("".join(clue.glyphs)):
                continue
            out = notation.reading(e, rule.mode)[2]
            if rule.group == "add" and len(out) == 3 and out[0] not in self.digits and 1 not in self.digits.values():
                self.add(columns.LeadPin(clue.number, out[0], 1))
                self.digits[out[0]] = 1
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
            if self.products and rule.group == "mul" and (self.divide(clue.number) or self.factor(clue.number)):
                return True
        return False

    def factor(self, number: int) -> bool:
        """A product whose digits are known, as two numbers in every way."""
        e = self.row.examples[number - 1]
        rule = self.rules[e.op]
        value = facts.product_of(e, rule, self.digits)
        pairs = facts.factor_pairs(value) if value is not None else ()
        found = facts.factors_leave(e, rule, pairs, self.digits, self.may) if pairs else None
        sets = self.news(found or {})
        return bool(sets) and self.narrow(facts.FactorPairs(number, value, pairs, sets))

    def left_glyph(self) -> bool:
        """A glyph all of whose digits but one are taken."""
        for glyph in self.row.digit_glyphs():
            free = facts.free_of(glyph, self.digits, self.may)
            if glyph not in self.digits and len(free) == 1:
                self.add(facts.LeftOver(glyph, self.may.get(glyph, facts.ALL), glyph, int(free)))
                self.digits[glyph] = int(free)
                return True
        return False

    def only_place(self) -> bool:
        """A digit that one glyph alone can have, where the page shows ten."""
        glyphs = dict.fromkeys((*self.row.digit_glyphs(), *self.digits))
        sets = tuple((g, facts.free_of(g, self.digits, self.may)) for g in glyphs if g not in self.digits)
        if len(glyphs) != 10:
            return False
        for digit in facts.ALL:
            holders = [glyph for glyph, digits in sets if digit in digits]
            if len(holders) == 1:
                self.add(facts.OnlyPlace(sets, holders[0], int(digit)))
                self.digits[holders[0]] = int(digit)
                return True
        return False

    def news(self, found: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
        """The glyphs that are left fewer digits than are written of them, and few enough to write."""
        return tuple(
            (glyph, digits)
            for glyph, digits in found.items()
            if len(digits) <= MOST_LEFT and len(digits) < len(facts.free_of(glyph, self.digits, self.may))
        )

    def narrow(self, each: facts.Narrowing) -> bool:
        """Write a line that leaves glyphs fewer digits."""
        self.add(each)
        self.may.update(each.sets)
        self.digits.update((glyph, int(digits)) for glyph, digits in each.sets if len(digits) == 1)
        return True

    def facts(self) -> list[facts.Fact]:
        """Every fact of every example that has an unknown glyph, of the kinds that the design may use."""
        found = []
        for clue in self.clues:
            e, rule = self.row.examples[clue.number - 1], self.rules[clue.op]
            for fact in facts.facts_of(e, clue.number, rule, self.larger(clue.number), self.digits):
                if self.unknown("".join(fact.glyphs)) and (self.products or fact.name.rstrip("<>") in columns.COLUMNS):
                    found.append(fact)
        return found

    def one_fact(self) -> bool:
        """The first fact that settles a glyph, or else the first that leaves one few digits."""
        narrower = None
        for fact in self.facts():
            found = facts.left_by((fact,), fact.most(), self.digits, self.may)
            sets = self.news(found or {})
            if sets:
                each = facts.OneFact(fact.number, fact.name, fact.text, sets)
                if any(len(digits) == 1 for _, digits in sets):
                    return self.narrow(each)
                narrower = narrower or each
        return narrower is not None and self.narrow(narrower)

    def two_facts(self) -> bool:
        """The same for two facts that share a glyph."""
        if not self.branches:
            return False
        narrower, every = None, self.facts()
        for a, b in combinations(every, 2):
            if not self.unknown("".join(set(a.glyphs) & set(b.glyphs))):
                continue
            found = facts.left_by((a, b), facts.MOST_TOGETHER, self.digits, self.may)
            sets = self.news(found or {})
            if sets:
                each = facts.TwoFacts(a.number, a.name, a.text, b.number, b.name, b.text, sets)
                if any(len(digits) == 1 for _, digits in sets):
                    return self.narrow(each)
                narrower = narrower or each
        return narrower is not None and self.narrow(narrower)

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
    products: bool = False,
    branch: bool = False,
) -> Trace:
    if not (problem.rule and problem.key):
        raise Unrenderable("this design needs the hidden key and rules")
    work = Honest(problem, parsed, known, products, branch)
    work.narrate()
    return gated(problem, work)


KINDS = (
    *join_lines.JOIN_KINDS,
    join_lines.Unseen,
    anchor.OperatorRule,
    anchor.OrderGiven,
    *columns.COLUMN_KINDS,
    *facts.FACT_KINDS,
    *facts.PRODUCT_KINDS,
    *facts.TOGETHER_KINDS,
    digit_lines.Left,
    digit_lines.Pin,
    single_steps.Check,
    rule_tests.Bet,
    *query_lines.QUERY_KINDS,
)
VARIANTS = {
    "honest-columns": {},
    "honest-products": {"products": True},
    "honest-branch": {"products": True, "branch": True},
}
DESIGNS = tuple(
    Design(name, family, KINDS, partial(render, **options), tuple(range(11)))
    for name, options in VARIANTS.items()
    for family in CRYPTARITHMS
)
