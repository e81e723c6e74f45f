"""unit_conversion / forward: slope of the first example by long division, then slope times the query."""

import random
from collections.abc import Mapping

from puzzles.base import Problem, Solution
from puzzles.unit_conversion import UnitRow
from reasoning.designs import proportion
from reasoning.grammar.lines import Line, Number, line
from reasoning.grammar.page import Page
from reasoning.grammar.trace import Design, Trace, Unrenderable

DROPPED = proportion.SLOPE_DIGITS - 1


@line
class Example(Line):
    """The first example and the query, as printed and in hundredths."""

    KIND = "unit/example"
    TEXT = "E1 {x}={x_cents} {y}={y_cents} Q {query}={query_cents}"
    ROLES = "x:TA x_cents:A y:TA y_cents:A query:TA query_cents:A"
    x: Number
    x_cents: int
    y: Number
    y_cents: int
    query: Number
    query_cents: int

    def transcription(self, page: Page) -> bool:
        return page.parsed.examples[0] == (self.x, self.y) and self.query == page.parsed.query

    def arithmetic(self, page: Page) -> bool:
        pairs = ((self.x, self.x_cents), (self.y, self.y_cents), (self.query, self.query_cents))
        return all(proportion.as_cents(text) == value for text, value in pairs)

    def establish(self, page: Page) -> None:
        page.put("measure", "x", self.x_cents)
        page.put("measure", "q", self.query_cents)
        page.put("dividend", "", self.y_cents)
        page.put("decimals", "", DROPPED)


def render(
    problem: Problem,
    parsed: UnitRow,
    solution: Solution,
    known: Mapping[str, int],
    rng: random.Random,
    wording: proportion.Wording = proportion.AT_ONCE,
) -> Trace:
    x, y = parsed.examples[0]
    values = tuple(map(proportion.as_cents, (x, y, parsed.query)))
    if values[1] >= 10 * values[0]:
        raise Unrenderable("the slope is not below ten")
    lines, answer = proportion.scale(values[1], values[0], values[2], DROPPED, "unit_conversion", wording)
    return Trace((Example(x, values[0], y, values[1], parsed.query, values[2]), *lines), answer)


DESIGN = Design("forward", "unit_conversion", (Example, *proportion.AT_ONCE.kinds), render)
