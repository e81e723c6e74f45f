"""Lines of the witnessed chain that test rules, each with the numbers that it rests on.

Every kind of test comes three times: `try` may end in drop or keep, `not` ends in drop and `may` in keep. The fields
and the checks are the same; what differs is whether the line's opening word tells its end.
"""

from typing import Literal

from puzzles.equations.rules import VALUE_RULES
from reasoning.designs.cryptarithm.lines.chain_lines import ChainLine
from reasoning.designs.cryptarithm.lines.drop_families import KEEP, FamiliesTest, FamilyName, TestSign
from reasoning.designs.cryptarithm.lines.drop_ident import TestIdent
from reasoning.designs.cryptarithm.lines.drop_sizes import TestRange
from reasoning.designs.cryptarithm.lines.drop_units import TestBoth, TestOnes, TestOrder, drop_order
from reasoning.designs.cryptarithm.lines.drop_values import TestReadings, TestValue
from reasoning.designs.cryptarithm.lines.letters import Operator, drop, gone, operator_glyph, struck
from reasoning.grammar.lines import FAILED, Line, line
from reasoning.grammar.page import Page


@line
class TestGroup(ChainLine):
    """Two operators never share a group of rules."""

    KIND = "try/group"
    TEXT = "s{step} try {other} is {group} so {op} {mine} {verdict}"
    OUTCOMES = KEEP
    FORCED_BY = "the two groups on the same line: equal ones cannot both stand"
    ROLES = "step:T other:T group:TV op:T~ mine:V/T~ line:~"
    step: int
    other: Operator
    group: Literal["add", "sub", "mul"]
    op: Operator
    mine: Literal["add", "sub", "mul"]
    verdict: str

    def agrees(self, page: Page) -> bool:
        left = [
            {rule.group for rule in VALUE_RULES if rule.name not in out(page, self.other)} for out in (gone, struck)
        ]
        mine = any(rule.group == self.mine and rule.name not in struck(page, self.op) for rule in VALUE_RULES)
        known = operator_glyph(page, self.op) is not None
        return self.op != self.other and {self.group} in left and known and mine

    def verdict_follows(self, page: Page) -> bool:
        return (self.verdict == "drop") == (self.group == self.mine)

    def settle(self, page: Page) -> None:
        if self.verdict == "drop":
            drop(page, self.op, tuple(rule.name for rule in VALUE_RULES if rule.group == self.mine))


@line
class TestMode(ChainLine):
    """How many rules of a reading order an operator has left; none rules the order out for all."""

    KIND = "try/mode"
    TEXT = "s{step} try order {mode} leaves {op} {count} {verdict}"
    OUTCOMES = KEEP
    FORCED_BY = "the number on the same line"
    ROLES = "step:T mode:T op:T~ count:TV line:~"
    step: int
    mode: Literal["normal", "flip"]
    op: Operator
    count: int
    verdict: str

    def agrees(self, page: Page) -> bool:
        own = [rule.name for rule in VALUE_RULES if rule.mode == self.mode]
        left = {len(set(own) - gone(page, self.op)), len(set(own) - struck(page, self.op))}
        return operator_glyph(page, self.op) is not None and self.count in left

    def verdict_follows(self, page: Page) -> bool:
        return self.verdict == ("keep" if self.count else "drop")

    def settle(self, page: Page) -> None:
        if self.verdict == "drop":
            drop_order(page, self.mode)


TEST_KINDS = (
    TestSign, TestRange, TestIdent, TestOnes, TestBoth, TestOrder, TestValue, TestReadings, TestGroup, TestMode,
)  # fmt: skip


@line
class AssertFamilies(FamiliesTest):
    """Families of an operator that fit no digits: a bare claim, what is left of their test without its witness."""

    KIND = "chain/families"
    TEXT = "s{step} {op} {mode} {families:,} {verdict}"
    OUTCOMES = {"drop": FAILED}
    FORCED_BY = "nothing on the page: a claim about all digits that are left"
    ROLES = "step:T op:- mode:- families:- line:~"
    step: int
    op: Operator
    mode: Literal["any", "normal", "flip"]
    families: tuple[FamilyName, ...]
    verdict: str

    def order(self) -> str:
        return self.mode

    def agrees(self, page: Page) -> bool:
        return operator_glyph(page, self.op) is not None and self.live(page)


def with_one_end(kind: type[Line], word: str, outcome: str) -> type[Line]:
    """The same test under an opening word that tells its end."""
    name = f"{word.title()}{kind.__name__.removeprefix('Test')}"
    own = {
        "__doc__": kind.__doc__,
        "__module__": kind.__module__,
        "__annotations__": {"verdict": str},
        "KIND": kind.KIND.replace("try/", f"{word}/"),
        "TEXT": kind.TEXT.replace(" try ", f" {word} "),
        "OUTCOMES": {outcome: KEEP[outcome]},
        "FORCED_BY": kind.FORCED_BY,
    }
    return line(type(name, (kind,), own))


NOT_KINDS = tuple(with_one_end(kind, "not", "drop") for kind in TEST_KINDS)
MAY_KINDS = tuple(with_one_end(kind, "may", "keep") for kind in TEST_KINDS)
