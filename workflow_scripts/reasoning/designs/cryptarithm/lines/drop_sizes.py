"""Tests of families of rules by the sizes that operands and output can have."""

from typing import Literal

from puzzles.equations.prompt import Equation, minus_and_digits
from reasoning.designs.cryptarithm.lines import notation
from reasoning.designs.cryptarithm.lines.drop_families import KEEP, RULE_FAMILIES, FamiliesTest, FamilyName
from reasoning.designs.cryptarithm.lines.letters import Operator
from reasoning.grammar.lines import line
from reasoning.grammar.page import Page

Span = tuple[int, int]


def operand_span(part: str, known: dict[str, int]) -> Span:
    """The values that an operand may have (its two glyphs, tens first) by its known digits."""
    tens, units = known.get(part[0]), known.get(part[1])
    if tens is None:
        return (10, 99) if units is None else (10 + units, 90 + units)
    return (10 * tens, 10 * tens + 9) if units is None else (10 * tens + units, 10 * tens + units)


def output_span(out: str, known: dict[str, int]) -> Span:
    """The values that an output may have by its length and the known digits that lead it."""
    lead = ""
    for glyph in out:
        if glyph not in known:
            break
        lead += str(known[glyph])
    rest = len(out) - len(lead)
    least = int((lead or ("1" if len(out) > 1 else "0")) + "0" * (rest if lead or len(out) == 1 else rest - 1))
    return (least if lead or len(out) > 1 else 0), int(lead + "9" * rest)


def family_span(family: str, x: Span, y: Span) -> Span:
    """Bounds of what a family gives on operands within two spans, the neighbours of sums and products included."""
    if family == "add":
        return x[0] + y[0] - 1, x[1] + y[1] + 1
    if family == "mul":
        return x[0] * y[0] - 1, x[1] * y[1] + 1
    if family == "mod":
        return 0, max(0, min(x[1], y[1], (max(x[1], y[1]) + 1) // 2) - 1)
    return max(0, x[0] - y[1], y[0] - x[1]), max(abs(x[1] - y[0]), abs(y[1] - x[0]))


RANGES = {family: family_span(family, (10, 99), (10, 99)) for family in RULE_FAMILIES}
"""Over all operands."""


def length_range(equation: Equation) -> Span:
    """The magnitudes of as many digits as the output has."""
    return output_span(minus_and_digits(equation)[1], {})


def spans(e: Equation, known: dict[str, int], mode: str) -> tuple[Span, Span, Span] | None:
    """Both operands' spans and the output's; in mode `any` only where both reading orders give the same."""
    found = []
    for each in ("normal", "flip") if mode == "any" else (mode,):
        left, right, out = notation.reading(e, each)
        found.append((operand_span(left, known), operand_span(right, known), output_span(out, known)))
    return found[0] if found[0] == found[-1] else None


@line
class TestRange(FamiliesTest):
    """The least and greatest value of a family on operands as far as their digits are known, against the output's."""

    KIND = "try/range"
    TEXT = (
        "s{step} try {op} {families:,} {mode} E{number} {x0}..{x1} {y0}..{y1} gives {low}..{high}"
        " wants {least}..{most} {verdict}"
    )
    OUTCOMES = KEEP
    FORCED_BY = "the two last intervals on the same line"
    ROLES = (
        "step:T op:T families:A/T mode:T/A~ number:T~ x0:TA x1:TA y0:TA y1:TA low:AV high:AV least:TV most:TV line:~"
    )
    step: int
    op: Operator
    families: tuple[FamilyName, ...]
    mode: Literal["any", "normal", "flip"]
    number: int
    x0: int
    x1: int
    y0: int
    y1: int
    low: int
    high: int
    least: int
    most: int
    verdict: str

    def order(self) -> str:
        return self.mode

    def premises(self, page: Page, e: Equation) -> bool:
        written = (self.x0, self.x1), (self.y0, self.y1), (self.least, self.most)
        return written == spans(e, notation.known_digits(page), self.mode)

    def arithmetic(self, page: Page) -> bool:
        x, y = (self.x0, self.x1), (self.y0, self.y1)
        return all(family_span(family, x, y) == (self.low, self.high) for family in self.families)

    def verdict_follows(self, page: Page) -> bool:
        return self.verdict == ("drop" if self.most < self.low or self.least > self.high else "keep")
