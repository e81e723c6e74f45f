"""numeral / forward: take the largest Roman value that fits, subtract it, append its symbol, until nothing is left."""

import random
from collections.abc import Mapping
from typing import Annotated

from puzzles import numeral
from puzzles.base import Problem, Solution
from reasoning.grammar.lines import Chars, Line, line
from reasoning.grammar.page import Page
from reasoning.grammar.trace import Design, Trace, Unrenderable

VALUES = {symbol: value for value, symbol in numeral.VALUES}
Roman = Annotated[str, Chars("IVXLCDM")]


def largest_symbol(number: int) -> str:
    """The symbol with the largest value that fits into a number >= 1; "" for anything less."""
    return next((symbol for symbol, value in VALUES.items() if value <= number), "")


@line
class Take(Line):
    """One subtraction, the symbol it gives, and the numeral so far."""

    KIND = "numeral/take"
    TEXT = "{before}-{value}={after} {symbol} {so_far}"
    ROLES = "before:TAV value:AV after:A symbol:TA so_far:T"
    before: int
    value: int
    after: int
    symbol: Roman
    so_far: Roman

    def transcription(self, page: Page) -> bool:
        return self.before == page.get("left", default=page.parsed.query) and self.so_far == (
            page.get("so far", default="") + self.symbol
        )

    def arithmetic(self, page: Page) -> bool:
        return self.before - self.value == self.after and VALUES.get(self.symbol) == self.value

    def verdict_follows(self, page: Page) -> bool:
        """The choice follows when no larger value fits."""
        fitting = largest_symbol(self.before)
        return fitting != "" and self.value == VALUES[fitting]

    def establish(self, page: Page) -> None:
        page.put("left", "", self.after)
        page.put("so far", "", self.so_far)
        page.answer = self.so_far if self.after == 0 else None


def render(
    problem: Problem, parsed: numeral.NumeralRow, solution: Solution, known: Mapping[str, int], rng: random.Random
) -> Trace:
    lines, left, so_far = [], parsed.query, ""
    while left:
        symbol = largest_symbol(left)
        so_far += symbol
        lines.append(Take(left, VALUES[symbol], left - VALUES[symbol], symbol, so_far))
        left -= VALUES[symbol]
    if so_far != problem.answer:
        raise Unrenderable("the answer is not the Roman numeral")
    return Trace(tuple(lines), so_far)


DESIGN = Design("forward", "numeral", (Take,), render)
