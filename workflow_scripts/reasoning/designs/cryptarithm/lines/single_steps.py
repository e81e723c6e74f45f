"""Lines with one operation each, and the tests that refer to them."""

import re
from typing import Annotated, Literal

from reasoning.designs.cryptarithm.lines.arithmetic import compare, plain_value, test_group
from reasoning.designs.cryptarithm.lines.notation import (
    NEAR,
    Flip,
    Pair,
    fits,
    known_digits,
    near,
    operands_of,
    query_rule,
)
from reasoning.designs.cryptarithm.lines.rule_tests import RuleTest
from reasoning.grammar.lines import Chars, Line, Word, line
from reasoning.grammar.page import Page


@line
class Step(Line):
    """One operation, alone on its line."""

    KIND = "crypt/step"
    TEXT = "step {expression}"
    ROLES = "expression:A~"
    expression: Annotated[str, Chars("0-9+*=\\-")]

    def arithmetic(self, page: Page) -> bool:
        left, _, right = self.expression.partition("=")
        found = _SIMPLE.fullmatch(left)
        if found is None or not right.isdigit():
            return False
        total = int(found[1])
        for sign, number in _TERM.findall(found[2]):
            total = {"+": total.__add__, "-": total.__sub__, "*": total.__mul__}[sign](int(number))
        return total == int(right)


_SIMPLE = re.compile(r"([0-9]{1,5})((?:[+*-][0-9]{1,5}){1,2})")
_TERM = re.compile(r"([+*-])([0-9]+)")


@line
class Check(RuleTest):
    """An example's computed value against its output; the operations stand on the lines before (or nowhere)."""

    KIND = "crypt/check"
    TEXT = "E{number} {flip}by {group} {x} {y} gives {value} vs {target} {verdict}"
    OUTCOMES = NEAR
    FORCED_BY = "the value against the target on the same line; a difference against its digits, whatever its minus"
    ROLES = "number:T flip:T~ group:A/V~ x:TA y:TA value:AV target:TV line:~"
    number: int
    flip: Flip
    group: Literal["add", "mul", "sub", "mod"]
    x: Pair
    y: Pair
    value: int
    target: Word
    verdict: str

    @property
    def GROUP(self) -> str:
        return self.group

    def arithmetic(self, page: Page) -> bool:
        return self.value == plain_value(self.group, self.x, self.y)

    def verdict_follows(self, page: Page) -> bool:
        free = self.free(page)
        if self.group in ("add", "mul"):
            return self.verdict == near(self.value, self.target, free)
        target = self.target.strip("-") if self.group == "sub" else self.target
        return self.verdict == ("no" if fits(str(self.value), target, free) is None else "same")


@line
class QueryValue(Line):
    """The query's sum, product, distance or rest; the operations stand on the lines before."""

    KIND = "crypt/query-value"
    TEXT = "{group} {x} {y} gives {value}"
    ROLES = "group:TA x:TA y:TA value:A"
    group: Literal["add", "mul", "sub", "mod"]
    x: Pair
    y: Pair
    value: int

    def transcription(self, page: Page) -> bool:
        rule = query_rule(page)
        if rule is None or test_group(rule) != self.group:
            return False
        return operands_of(page.parsed.query, known_digits(page), rule.mode) == (self.x, self.y)

    def arithmetic(self, page: Page) -> bool:
        return self.value == plain_value(self.group, self.x, self.y)

    def establish(self, page: Page) -> None:
        page.put("result", "", str(self.value))
        page.put("order", "", compare(int(self.x), int(self.y)))
