"""Tests of rules by the units digits of operands and output.

On these lines `=` is followed by the units alone: 1+9=0, since 10 ends in 0, and 3-5=8.
"""

from collections.abc import Sequence
from typing import Annotated, Literal

from puzzles.equations.prompt import Equation, minus_and_digits
from puzzles.equations.rules import BY_NAME, VALUE_RULES, Rule
from reasoning.designs.cryptarithm.lines import arithmetic, notation
from reasoning.designs.cryptarithm.lines.chain_lines import ChainLine
from reasoning.designs.cryptarithm.lines.drop_families import KEEP, RuleTest, Sets
from reasoning.designs.cryptarithm.lines.letters import (
    Operator,
    ValueRule,
    drop,
    gone,
    operator_glyph,
    operators_of,
    said,
)
from reasoning.grammar.lines import Chars, Digits, line
from reasoning.grammar.page import Page

Work = Annotated[str, Chars("0-9+*\\-=")]


def units_sign(rule: Rule, e: Equation) -> str:
    """How a rule combines the units of its operands: +, *, - or `r` (right minus left); "" where it cannot be told."""
    if rule.group in ("add", "mul"):
        return "+" if rule.group == "add" else "*"
    side = minus_and_digits(e)[0]
    if rule.base == "sub" and side != "suffix":
        return "r" if side else "-"
    if rule.base == "rsub" and side != "prefix":
        return "-" if side else "r"
    return ""


def units_text(rule: Rule, sign: str, p: str, q: str) -> str:
    """The units of a value from the units of its operands (left, right), such as 3*4+1=3."""
    if sign in "-r":
        p, q = (p, q) if sign == "-" else (q, p)
        return f"{p}-{q}={(int(p) - int(q)) % 10}"
    k = rule.base[3:]
    value = (int(p) + int(q) if sign == "+" else int(p) * int(q)) + arithmetic.OFFSETS[k or "same"]
    return f"{p}{sign}{q}{k}={value % 10}"


def operands_in(text: str, sign: str) -> tuple[str, str]:
    """The units of left and right operand on such a text."""
    return (text[2:3], text[:1]) if sign == "r" else (text[:1], text[2:3])


def ones_pairs(first: str, second: str, e: Equation, mode: str) -> list[tuple[str, str]]:
    """Every pair of units digits: one digit for one letter, two for two."""
    left, right, _ = notation.reading(e, mode)
    return [(p, q) for p in first for q in second if (p == q) == (left[1] == right[1])]


def ones_work(rule: str, first: str, second: str, e: Equation) -> tuple[str, ...]:
    """The units of a rule for every pair of units digits that two sets allow; () where the rule has no units."""
    sign = units_sign(BY_NAME[rule], e)
    pairs = ones_pairs(first, second, e, BY_NAME[rule].mode) if sign else ()
    return tuple(units_text(BY_NAME[rule], sign, p, q) for p, q in pairs)


def ones_hits(rule: str, work: Sequence[str], target: str, e: Equation) -> list[str]:
    """Which pairs agree with the set of the output's units digit (and with a units letter that returns in it)."""
    left, right, out = notation.reading(e, BY_NAME[rule].mode)
    hits, sign = [], units_sign(BY_NAME[rule], e)
    for each in work:
        (p, q), got = operands_in(each, sign), each[-1]
        same = (out[-1] != left[1] or got == p) and (out[-1] != right[1] or got == q)
        other = (out[-1] == left[1] or got != p) and (out[-1] == right[1] or got != q)
        if got in target and same and other:
            hits.append(each)
    return hits


def right_units(rule: str, work: Sequence[str], e: Equation | None) -> bool:
    """Is every printed text the units of the rule for its own operands?"""
    sign = units_sign(BY_NAME[rule], e) if e is not None else ""
    if not sign or any(len(each) < 5 or not each[0].isdigit() or not each[2].isdigit() for each in work):
        return False
    return all(each == units_text(BY_NAME[rule], sign, *operands_in(each, sign)) for each in work)


def ones_sets(rule: str, e: Equation, sets: Sets) -> tuple[str, str, str]:
    """The written digits of both units letters and of the output's."""
    left, right, out = notation.reading(e, BY_NAME[rule].mode)
    return sets(left[1]), sets(right[1]), sets(out[-1])


def same_pairs(rule: str, work: Sequence[str], e: Equation, sets: Sets) -> bool:
    """Do the printed texts speak of exactly the pairs that the written sets allow?"""
    sign = units_sign(BY_NAME[rule], e)
    first, second, _ = ones_sets(rule, e, sets)
    pairs = ones_pairs(first, second, e, BY_NAME[rule].mode)
    return bool(sign) and [operands_in(each, sign) for each in work] == pairs


@line
class TestOnes(RuleTest):
    """All units digits that two operands may have, each with the units of the result, against those of the output."""

    KIND = "try/ones"
    TEXT = "s{step} try {op} {rule} E{number} ones {first} {second}: {work:,} in {target} {verdict}"
    OUTCOMES = KEEP
    FORCED_BY = (
        "the printed units (1+9=0: the last digit alone) against the output's digits on the same line, equal letters"
        " having equal digits"
    )
    ROLES = "step:T op:T rule:A/T/V~ number:T/A/V~ first:TA second:TA work:AV target:TV line:~"
    step: int
    op: Operator
    rule: ValueRule
    number: int
    first: Digits
    second: Digits
    work: tuple[Work, ...]
    target: Digits
    verdict: str

    def premises(self, page: Page, e: Equation) -> bool:
        """The three sets are those that are written of the letters."""
        return (self.first, self.second, self.target) == ones_sets(self.rule, e, lambda glyph: said(page, glyph))

    def arithmetic(self, page: Page) -> bool:
        e = notation.example(page, self.number)
        return e is not None and self.work == ones_work(self.rule, self.first, self.second, e)

    def verdict_follows(self, page: Page) -> bool | None:
        e = notation.example(page, self.number)
        if e is None or not right_form(self.work):
            return None
        hits = ones_hits(self.rule, self.work, self.target, e)
        return self.verdict == ("keep" if hits else "drop")


def right_form(work: Sequence[str]) -> bool:
    return all(len(each) > 4 and each[0].isdigit() and each[2].isdigit() for each in work)


def base_modes(base: str) -> tuple[str, str]:
    """A rule in the normal and in the flipped order."""
    return base, f"flip_{base}"


UnitsBase = Literal["add", "add+1", "add-1", "mul", "mul+1", "mul-1", "sub"]


@line
class TestBoth(RuleTest):
    """One rule in both reading orders, each with its units: it falls in both or stays in both."""

    KIND = "try/both"
    TEXT = "s{step} try {op} {base} E{number} normal {work:,} in {target} flip {turned:,} in {turned_target} {verdict}"
    OUTCOMES = KEEP
    FORCED_BY = (
        "the printed units (1+9=0: the last digit alone) against the output's digits of each order: dropped when no"
        " pair of either agrees"
    )
    ROLES = "step:T op:T base:A/T/V~ number:T/A/V~ work:A/T/V target:TV turned:A/T/V turned_target:TV line:~"
    step: int
    op: Operator
    base: UnitsBase
    number: int
    work: tuple[Work, ...]
    target: Digits
    turned: tuple[Work, ...]
    turned_target: Digits
    verdict: str

    def names(self) -> tuple[str, ...]:
        return base_modes(self.base)

    def parts(self) -> tuple[tuple[str, tuple[str, ...], str], ...]:
        normal, flip = self.names()
        return (normal, self.work, self.target), (flip, self.turned, self.turned_target)

    def premises(self, page: Page, e: Equation) -> bool:
        def sets(glyph: str) -> str:
            return said(page, glyph)

        return all(
            same_pairs(rule, work, e, sets) and target == ones_sets(rule, e, sets)[2]
            for rule, work, target in self.parts()
        )

    def arithmetic(self, page: Page) -> bool:
        e = notation.example(page, self.number)
        return all(right_units(rule, work, e) for rule, work, _ in self.parts())

    def verdict_follows(self, page: Page) -> bool | None:
        e = notation.example(page, self.number)
        if e is None or not right_form(self.work + self.turned):
            return None
        hits = [ones_hits(rule, work, target, e) for rule, work, target in self.parts()]
        return self.verdict == ("keep" if any(hits) else "drop")


OrderEntry = Annotated[str, Chars("a-z0-9_+*\\-=:,E")]


def order_entry(rule: str, number: int, work: Sequence[str], target: str) -> str:
    return f"{rule}:E{number}:{','.join(work)}:{target}"


@line
class TestOrder(ChainLine):
    """A reading order by one operator: each rule that it has left in it, with the units of an example."""

    KIND = "try/order"
    TEXT = "s{step} try order {mode} {op} {tests:;} {verdict}"
    OUTCOMES = KEEP
    FORCED_BY = (
        "the printed units (1+9=0: the last digit alone) against the output's digits of every rule: the order falls"
        " when no pair agrees"
    )
    ROLES = "step:T mode:T op:T tests:A/T/V line:~"
    step: int
    mode: Literal["normal", "flip"]
    op: Operator
    tests: tuple[OrderEntry, ...]
    verdict: str

    def parts(self, page: Page) -> list[tuple[str, Equation, list[str], str]] | None:
        """Rule, example, units and target of every entry, None when an entry is not of that form."""
        found = []
        for entry in self.tests:
            rule, _, rest = entry.partition(":")
            place, _, rest = rest.partition(":")
            work, _, target = rest.partition(":")
            number = place[1:]
            e = (
                notation.example(page, int(number))
                if place[:1] == "E" and number.isdigit() and len(number) < 3
                else None
            )
            if e is None or rule not in notation.RULE_INDEX or not right_form(work.split(",")) or not target.isdigit():
                return None
            found.append((rule, e, work.split(","), target))
        return found

    def agrees(self, page: Page) -> bool:
        """All live rules of the operator in that order, on examples of its own, with the sets that are written."""
        parts, op = self.parts(page), operator_glyph(page, self.op)
        dropped = gone(page, self.op)
        left = [rule.name for rule in VALUE_RULES if rule.mode == self.mode and rule.name not in dropped]

        def sets(glyph: str) -> str:
            return said(page, glyph)

        if parts is None or op is None or [rule for rule, *_ in parts] != left:
            return False
        return all(
            e.op == op and same_pairs(rule, work, e, sets) and target == ones_sets(rule, e, sets)[2]
            for rule, e, work, target in parts
        )

    def arithmetic(self, page: Page) -> bool:
        parts = self.parts(page)
        return parts is not None and all(right_units(rule, work, e) for rule, e, work, _ in parts)

    def verdict_follows(self, page: Page) -> bool | None:
        parts = self.parts(page)
        if parts is None:
            return None
        hits = [ones_hits(rule, work, target, e) for rule, e, work, target in parts]
        return self.verdict == ("keep" if any(hits) else "drop")

    def settle(self, page: Page) -> None:
        if self.verdict == "drop":
            drop_order(page, self.mode)


def drop_order(page: Page, mode: str) -> None:
    """No operator has a rule of that order any more."""
    page.put("no-mode", mode, True)
    for op in operators_of(page.parsed).values():
        drop(page, op, tuple(rule.name for rule in VALUE_RULES if rule.mode == mode))
