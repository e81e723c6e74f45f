"""Tests of rules by a value that is worked out, and by every reading of letters that are still open."""

from collections.abc import Sequence
from math import prod
from typing import Annotated

from puzzles.equations.prompt import Equation
from puzzles.equations.rules import BY_NAME
from reasoning.designs.cryptarithm.lines import arithmetic, notation
from reasoning.designs.cryptarithm.lines.chain_lines import ChainLine
from reasoning.designs.cryptarithm.lines.drop_families import KEEP, RuleTest
from reasoning.designs.cryptarithm.lines.letters import (
    Letter,
    Operator,
    Target,
    ValueRule,
    letters_of,
    said,
    target_in_letters,
)
from reasoning.grammar.lines import Chars, Digits, line
from reasoning.grammar.page import Page


@line
class TestValue(RuleTest):
    """What a rule gives on known operands, against the output (unknown glyphs stand for themselves)."""

    KIND = "try/value"
    TEXT = "s{step} try {op} {rule} E{number} {x},{y} gives {value} vs {target} {verdict}"
    OUTCOMES = KEEP
    FORCED_BY = "the value against the output on the same line, unknown glyphs taking free digits"
    ROLES = "step:T op:T rule:T/A~ number:T x:TA y:TA value:AV target:TV line:~"
    step: int
    op: Operator
    rule: ValueRule
    number: int
    x: notation.Pair
    y: notation.Pair
    value: notation.Value
    target: Target
    verdict: str

    def premises(self, page: Page, e: Equation) -> bool:
        known, mode = notation.known_digits(page), BY_NAME[self.rule].mode
        target = target_in_letters(page.parsed, e, known, mode)
        return notation.operands_of(e, known, mode) == (self.x, self.y) and target == self.target

    def arithmetic(self, page: Page) -> bool:
        return int(self.x) > 0 < int(self.y) and self.value == arithmetic.written(BY_NAME[self.rule], self.x, self.y)

    def verdict_follows(self, page: Page) -> bool:
        free = notation.left_over(page)[1]
        return self.verdict == ("keep" if notation.fits(self.value, self.target, free) is not None else "drop")


MOST_CHOICES = 100
Reading = Annotated[str, Chars("0-9A-V:/\\-")]
LetterSets = tuple[tuple[Letter, Digits], ...]


def open_letters(e: Equation, known: dict[str, int], mode: str) -> list[str]:
    """The operand glyphs without a digit, in reading order."""
    left, right, _ = notation.reading(e, mode)
    return list(dict.fromkeys(glyph for glyph in left + right if glyph not in known))


def choices(sets: Sequence[tuple[str, str]]) -> list[dict[str, int]]:
    """Every way to give each glyph a digit of its set, no digit twice."""
    found: list[dict[str, int]] = [{}]
    for glyph, digits in sets:
        found = [{**each, glyph: int(c)} for each in found for c in digits if int(c) not in each.values()]
    return found


def readings(row, e: Equation, rule: str, known: dict[str, int], sets: Sequence[tuple[str, str]]) -> list[Reading]:
    """Operands, value and output for every choice; [] where an operand is zero or not known."""
    found = []
    for choice in choices(sets):
        digits = {**known, **choice}
        operands = notation.operands_of(e, digits, BY_NAME[rule].mode)
        if operands is None or not int(operands[0]) or not int(operands[1]):
            return []
        value = arithmetic.written(BY_NAME[rule], *operands)
        target = target_in_letters(row, e, digits, BY_NAME[rule].mode)
        found.append(f"{operands[0]}/{operands[1]}:{value}:{target}")
    return found


def fitting(work: Sequence[Reading], known: dict[str, int], digits: Sequence[dict[str, int]]) -> list[int]:
    """Which readings (from 0) agree with the output, whose unknown letters take digits that are free then."""
    found = []
    for k, (each, choice) in enumerate(zip(work, digits, strict=False)):
        _, value, target = each.split(":")
        free = "".join(c for c in "0123456789" if int(c) not in known.values() and int(c) not in choice.values())
        if notation.fits(value, target, free) is not None:
            found.append(k)
    return found


class WithReadings(ChainLine):
    """Shared by the lines that put several digits into one example; has `number`, `rule`, `sets` and `work`."""

    def expected(self, page: Page) -> list[Reading]:
        e = notation.example(page, self.number)
        if e is None or not self.few():
            return []
        return readings(page.parsed, e, self.rule, notation.known_digits(page), self.by_glyph(page))

    def few(self) -> bool:
        """Are there no more choices than any thought has? A model may write any sets."""
        return prod(len(digits) for _, digits in self.sets) <= MOST_CHOICES

    def by_glyph(self, page: Page) -> list[tuple[str, str]]:
        back = {name: glyph for glyph, name in letters_of(page.parsed).items()}
        return [(back.get(letter, "?"), digits) for letter, digits in self.sets]

    def same_sets(self, page: Page, e: Equation) -> bool:
        """The letters without a digit with what is written of them; operands and outputs as these make them."""
        known, names = notation.known_digits(page), letters_of(page.parsed)
        glyphs = open_letters(e, known, BY_NAME[self.rule].mode)
        if self.sets != tuple((names[glyph], said(page, glyph)) for glyph in glyphs):
            return False
        return [_ends(each) for each in self.work] == [_ends(each) for each in self.expected(page)]

    def right_values(self, page: Page) -> bool:
        for each in self.work:
            operands, _, rest = each.partition(":")
            x, _, y = operands.partition("/")
            if len(x) != 2 or len(y) != 2 or not (x + y).isdigit() or not int(x) or not int(y):
                return False
            if rest.partition(":")[0] != arithmetic.written(BY_NAME[self.rule], x, y):
                return False
        return True

    def fits(self, page: Page) -> list[int] | None:
        if any(each.count(":") != 2 for each in self.work) or not self.few():
            return None
        return fitting(self.work, notation.known_digits(page), choices(self.by_glyph(page)))


def _ends(reading: Reading) -> tuple[str, str]:
    """Operands and output of a reading."""
    return reading.partition(":")[0], reading.rpartition(":")[2]


@line
class TestReadings(WithReadings, RuleTest):
    """A rule on one example under every choice of the digits that are written of its unknown operand letters."""

    KIND = "try/readings"
    TEXT = "s{step} try {op} {rule} E{number} with {sets:,=}: {work:;} {verdict}"
    OUTCOMES = KEEP
    FORCED_BY = "every value against the output beside it, unknown letters taking free digits"
    ROLES = "step:T op:T rule:T/A~ number:T/A/V~ sets:TV work:A/T/V line:~"
    step: int
    op: Operator
    rule: ValueRule
    number: int
    sets: LetterSets
    work: tuple[Reading, ...]
    verdict: str

    def premises(self, page: Page, e: Equation) -> bool:
        return self.same_sets(page, e)

    def arithmetic(self, page: Page) -> bool:
        return self.right_values(page)

    def verdict_follows(self, page: Page) -> bool | None:
        found = self.fits(page)
        return None if found is None else self.verdict == ("keep" if found else "drop")
