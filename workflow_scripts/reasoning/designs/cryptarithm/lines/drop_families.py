"""What tests of rules share, families of rules, and the test of a sign."""

from collections.abc import Callable
from typing import Annotated, Literal

from puzzles.equations.prompt import Equation, minus_and_digits
from puzzles.equations.rules import BY_NAME, VALUE_RULES
from reasoning.designs.cryptarithm.lines import notation
from reasoning.designs.cryptarithm.lines.chain_lines import ChainLine
from reasoning.designs.cryptarithm.lines.letters import Operator, drop, operators_of, struck
from reasoning.grammar.lines import FAILED, PASSED, Chars, line
from reasoning.grammar.page import Page

RULE_FAMILIES = ("add", "mul", "sub", "rsub", "abs", "negabs", "absneg", "mod")
_SIDES = {"sub": "p.", "rsub": "s.", "negabs": "p", "absneg": "s"}
KEEP = {"drop": FAILED, "keep": PASSED}
Sets = Callable[[str], str]  # glyph -> the digits that are written of it


def sides_of(family: str, equation: Equation) -> str:
    """Where a family can write its minus in an output as long as this one; only a zero goes without its minus."""
    sides = _SIDES.get(family, ".")
    return sides if len(sides) == 2 or sides == "." or len(minus_and_digits(equation)[1]) > 1 else sides + "."


def family_rules(name: str, mode: str = "any") -> tuple[str, ...]:
    """All rules of a family word: add and mul with their neighbours, a difference rule; in one mode or in both."""
    return tuple(rule.name for rule in VALUE_RULES if family_of(rule.name) == name and mode in ("any", rule.mode))


def family_of(rule: str) -> str:
    base = BY_NAME[rule].base
    return base if base in RULE_FAMILIES else base[:3]


class RuleTest(ChainLine):
    """Shared by the tests: dropped rules leave the page."""

    def names(self) -> tuple[str, ...]:
        return (self.rule,)

    def live(self, page: Page) -> bool:
        """Are the rules it speaks of still on the page?"""
        return not struck(page, self.op) & set(self.names())

    def agrees(self, page: Page) -> bool:
        e = notation.example(page, self.number)
        named = e is not None and operators_of(page.parsed)[e.op] == self.op
        return named and self.live(page) and self.premises(page, e)

    def premises(self, page: Page, e: Equation) -> bool:
        return True

    def settle(self, page: Page) -> None:
        if self.verdict == "drop":
            drop(page, self.op, self.names())


FamilyName = Literal[RULE_FAMILIES]


class FamiliesTest(RuleTest):
    """Shared by the tests of whole families."""

    def order(self) -> str:
        """The reading order it speaks of."""
        return "any"

    def names(self) -> tuple[str, ...]:
        return tuple(name for family in self.families for name in family_rules(family, self.order()))

    def live(self, page: Page) -> bool:
        dropped, distinct = struck(page, self.op), len(set(self.families)) == len(self.families)
        rules = [set(family_rules(family, self.order())) for family in self.families]
        return distinct and all(each and not each <= dropped for each in rules)


@line
class TestSign(FamiliesTest):
    """Where a family can write its minus, against the page."""

    KIND = "try/sign"
    TEXT = "s{step} try {op} {families:,} puts {sides} E{number} has {found} {verdict}"
    OUTCOMES = KEEP
    FORCED_BY = "the sides on the same line (p in front, s behind, . none)"
    ROLES = "step:T op:T families:A/T sides:AV number:T/A~ found:TV line:~"
    step: int
    op: Operator
    families: tuple[FamilyName, ...]
    sides: Annotated[str, Chars("ps.")]
    number: int
    found: Annotated[str, Chars("ps.", 1)]
    verdict: str

    def premises(self, page: Page, e: Equation) -> bool:
        return self.found == notation.side_of(notation.target_of(e, {}, "normal"))

    def arithmetic(self, page: Page) -> bool:
        e = notation.example(page, self.number)
        return e is not None and all(sides_of(family, e) == self.sides for family in self.families)

    def verdict_follows(self, page: Page) -> bool:
        return self.verdict == ("keep" if self.found in self.sides else "drop")
