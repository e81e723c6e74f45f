"""gravity / forward: distance over time squared by long division, then times the square of the query's time.

The example with the longest time is used.
"""

import random
from collections.abc import Mapping

from puzzles.base import Problem, Solution
from puzzles.gravity import GravityRow
from reasoning.designs import proportion
from reasoning.grammar.lines import Line, Number, line
from reasoning.grammar.page import Page
from reasoning.grammar.trace import Design, Trace, Unrenderable

# Four decimals: the cut costs the answer at most 0.0025 (t squared is at most 25).
SLOPE_DIGITS, DROPPED = 5, 6


@line
class Example(Line):
    """The example that is used and the query, as printed and in hundredths."""

    KIND = "gravity/example"
    TEXT = "E{i} {t}={t_cents} {d}={d_cents} Q {query}={query_cents}"
    ROLES = "i:T t:TA t_cents:A d:TA d_cents:A query:TA query_cents:A"
    i: int
    t: Number
    t_cents: int
    d: Number
    d_cents: int
    query: Number
    query_cents: int

    def transcription(self, page: Page) -> bool:
        examples = page.parsed.examples
        return (
            1 <= self.i <= len(examples)
            and self.i == page.get("chosen")
            and examples[self.i - 1] == (self.t, self.d)
            and self.query == page.parsed.query
        )

    def arithmetic(self, page: Page) -> bool:
        pairs = ((self.t, self.t_cents), (self.d, self.d_cents), (self.query, self.query_cents))
        return all(proportion.as_cents(text) == value for text, value in pairs)

    def establish(self, page: Page) -> None:
        page.put("time", "x", self.t_cents)
        page.put("time", "q", self.query_cents)
        page.put("dividend", "", self.d_cents * 100)
        page.put("decimals", "", DROPPED)


@line
class Square(Line):
    """A time squared, by the three digits of its second factor."""

    KIND = "gravity/square"
    TEXT = "{which} {t}*{u}={hundreds}+{tens}={both}+{ones}={square}"
    ROLES = "which:T t:TA u:TA hundreds:A tens:A both:A ones:A square:A"
    which: proportion.Which
    t: int
    u: int
    hundreds: int
    tens: int
    both: int
    ones: int
    square: int

    def transcription(self, page: Page) -> bool:
        return self.t == self.u == page.get("time", self.which)

    def arithmetic(self, page: Page) -> bool:
        return self == square(self.which, self.t, self.u)

    def establish(self, page: Page) -> None:
        page.put("measure", self.which, self.square)


def square(which: str, t: int, u: int) -> Square:
    """The line that multiplies t by u, digit by digit of u."""
    parts = t * (u // 100 * 100), t * (u // 10 % 10 * 10), t * (u % 10)
    return Square(which, t, u, parts[0], parts[1], parts[0] + parts[1], parts[2], sum(parts))


def render(
    problem: Problem, parsed: GravityRow, solution: Solution, known: Mapping[str, int], rng: random.Random
) -> Trace:
    widest = proportion.widest([t for t, _ in parsed.examples])
    t, d = parsed.examples[widest.i - 1]
    long, fall, query = map(proportion.as_cents, (t, d, parsed.query))
    if fall * 100 >= 10 * long * long:
        raise Unrenderable("the slope is not below ten")
    squares = square("x", long, long), square("q", query, query)
    lines, answer = proportion.scale(fall * 100, squares[0].square, squares[1].square, SLOPE_DIGITS, DROPPED, "gravity")
    return Trace((widest, Example(widest.i, t, long, d, fall, parsed.query, query), *squares, *lines), answer)


DESIGN = Design("forward", "gravity", (Example, Square, *proportion.KINDS), render)
