"""gravity / forward: distance over time squared by long division, then times the square of the query's time.

The first example is used. Squares are cut to three decimals, which costs the answer at most a tenth of a per cent each
where times are at least one second.
"""

import random
from collections.abc import Mapping

from puzzles.base import Problem, Solution
from puzzles.gravity import GravityRow
from reasoning.designs import proportion
from reasoning.grammar.lines import Line, Number, line
from reasoning.grammar.page import Page
from reasoning.grammar.trace import Design, Trace, Unrenderable

DROPPED = proportion.SLOPE_DIGITS


@line
class Example(Line):
    """The first example and the query, as printed and in hundredths."""

    KIND = "gravity/example"
    TEXT = "E1 {t}={t_cents} {d}={d_cents} Q {query}={query_cents}"
    ROLES = "t:TA t_cents:A d:TA d_cents:A query:TA query_cents:A"
    t: Number
    t_cents: int
    d: Number
    d_cents: int
    query: Number
    query_cents: int

    def transcription(self, page: Page) -> bool:
        return page.parsed.examples[0] == (self.t, self.d) and self.query == page.parsed.query

    def arithmetic(self, page: Page) -> bool:
        pairs = ((self.t, self.t_cents), (self.d, self.d_cents), (self.query, self.query_cents))
        return all(proportion.as_cents(text) == value for text, value in pairs)

    def establish(self, page: Page) -> None:
        page.put("time", "x", self.t_cents)
        page.put("time", "q", self.query_cents)
        page.put("dividend", "", self.d_cents * 10)
        page.put("decimals", "", DROPPED)


@line
class Square(Line):
    """A time squared, by the three digits of its second factor, and the square without its last digit."""

    KIND = "gravity/square"
    TEXT = "{which} {t}*{u}={hundreds}+{tens}={both}+{ones}={square} {cut}"
    ROLES = "which:T t:TA u:TA hundreds:A tens:A both:A ones:A square:A cut:A"
    which: proportion.Which
    t: int
    u: int
    hundreds: int
    tens: int
    both: int
    ones: int
    square: int
    cut: int

    def transcription(self, page: Page) -> bool:
        return self.t == self.u == page.get("time", self.which)

    def arithmetic(self, page: Page) -> bool:
        return self == square(self.which, self.t, self.u)

    def establish(self, page: Page) -> None:
        page.put("measure", self.which, self.cut)


def square(which: str, t: int, u: int) -> Square:
    """The line that multiplies t by u, digit by digit of u."""
    parts = t * (u // 100 * 100), t * (u // 10 % 10 * 10), t * (u % 10)
    return Square(which, t, u, parts[0], parts[1], parts[0] + parts[1], parts[2], sum(parts), sum(parts) // 10)


def render(
    problem: Problem,
    parsed: GravityRow,
    solution: Solution,
    known: Mapping[str, int],
    rng: random.Random,
    wording: proportion.Wording = proportion.AT_ONCE,
) -> Trace:
    t, d = parsed.examples[0]
    time, fall, query = map(proportion.as_cents, (t, d, parsed.query))
    squares = square("x", time, time), square("q", query, query)
    if fall * 10 >= 10 * squares[0].cut:
        raise Unrenderable("the slope is not below ten")
    lines, answer = proportion.scale(fall * 10, squares[0].cut, squares[1].cut, DROPPED, "gravity", wording)
    return Trace((Example(t, time, d, fall, parsed.query, query), *squares, *lines), answer)


DESIGN = Design("forward", "gravity", (Example, Square, *proportion.AT_ONCE.kinds), render)
