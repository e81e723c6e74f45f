"""Lines shared by unit_conversion and gravity: choose an example, long division for the slope, then the query times the
slope.

The example with the largest measure is used, because its rounding moves the slope least. Both procedures lean on a
printed table of multiples, so that each step is a look-up, a subtraction or an addition. One example settles the last
digit of about four answers in five; the answer of the others is one hundredth off, which the challenge's tolerance of
1 % accepts, and is written all the same: leaving these rows out would let the answer choose the rows.
"""

from collections.abc import Sequence
from typing import Literal

from reasoning.grammar.lines import Digit, Digits, Line, Number, line
from reasoning.grammar.page import Page

Which = Literal["x", "q"]


def as_cents(text: str) -> int:
    """A decimal number in hundredths, any further decimals cut off."""
    whole, _, decimals = text.partition(".")
    return int(whole + (decimals + "00")[:2])


@line
class Widest(Line):
    """The measure of every example, as printed and in hundredths, and the number of the largest."""

    KIND = "proportion/widest"
    TEXT = "{measures:,=} largest {i}"
    ROLES = "measures:T/A/V i:V"
    measures: tuple[tuple[Number, int], ...]
    i: int

    def transcription(self, page: Page) -> bool:
        return [text for text, _ in self.measures] == [text for text, _ in page.parsed.examples]

    def arithmetic(self, page: Page) -> bool:
        return all(as_cents(text) == value for text, value in self.measures)

    def verdict_follows(self, page: Page) -> bool:
        values = [value for _, value in self.measures]
        return self.i == values.index(max(values)) + 1

    def establish(self, page: Page) -> None:
        page.put("chosen", "", self.i)


@line
class Table(Line):
    """The multiples one to nine of the example's measure (x) or the query's (q)."""

    KIND = "proportion/table"
    TEXT = "{which}* {multiples: }"
    ROLES = "which:T multiples:AT"
    which: Which
    multiples: tuple[int, ...]

    def transcription(self, page: Page) -> bool:
        return self.multiples[0] == page.get("measure", self.which)

    def arithmetic(self, page: Page) -> bool:
        return self.multiples == tuple(k * self.multiples[0] for k in range(1, 10))

    def establish(self, page: Page) -> None:
        page.put("table", self.which, (0, *self.multiples))
        if self.which == "x":
            page.put("left", "", page.get("dividend"))
            page.put("digits", "", "")


@line
class Divide(Line):
    """One digit of the slope: the largest multiple that fits, and what is left."""

    KIND = "proportion/divide"
    TEXT = "{dividend}-{taken}={left} {digit}"
    ROLES = "dividend:TA taken:TA left:AV digit:T"
    dividend: int
    taken: int
    left: int
    digit: Digit

    def transcription(self, page: Page) -> bool:
        table = page.get("table", "x", ())
        return self.dividend == page.get("left") and self.digit < len(table) and table[self.digit] == self.taken

    def arithmetic(self, page: Page) -> bool:
        return self.dividend - self.taken == self.left

    def verdict_follows(self, page: Page) -> bool | None:
        """The digit follows when nothing is overdrawn and one multiple more would not fit."""
        measure = page.get("measure", "x")
        return None if measure is None else 0 <= self.left < measure

    def establish(self, page: Page) -> None:
        page.put("left", "", self.left * 10)
        page.put("digits", "", page.get("digits", default="") + str(self.digit))


@line
class Slope(Line):
    """The digits of the division read together."""

    KIND = "proportion/slope"
    TEXT = "slope {slope}"
    ROLES = "slope:T"
    slope: Number

    def transcription(self, page: Page) -> bool:
        digits = page.get("digits", default="")
        return self.slope == f"{digits[:1]}.{digits[1:]}"

    def establish(self, page: Page) -> None:
        page.put("slope", "", self.slope)
        page.put("unused", "", self.slope.replace(".", ""))
        page.put("total", "", 0)


@line
class Multiply(Line):
    """One digit of the slope times the query: ten times the total so far plus a multiple."""

    KIND = "proportion/multiply"
    TEXT = "{digit} {shifted}+{part}={total}"
    ROLES = "digit:T shifted:TA part:TA total:A"
    digit: Digit
    shifted: int
    part: int
    total: int

    def transcription(self, page: Page) -> bool:
        table = page.get("table", "q", ())
        return (
            page.get("unused", default="").startswith(str(self.digit))
            and self.shifted == 10 * page.get("total", default=0)
            and self.digit < len(table)
            and table[self.digit] == self.part
        )

    def arithmetic(self, page: Page) -> bool:
        return self.shifted + self.part == self.total

    def establish(self, page: Page) -> None:
        page.put("unused", "", page.get("unused", default="")[1:])
        page.put("total", "", self.total)


@line
class Round(Line):
    """The product in hundredths with its dropped digits, and the answer rounded from it as the family prints it."""

    KIND = "proportion/round"
    TEXT = "{kept}.{dropped} ~ {answer}"
    ROLES = "kept:TA dropped:TA answer:A"
    kept: int
    dropped: Digits
    answer: Number

    def transcription(self, page: Page) -> bool:
        return page.get("unused") == "" and str(page.get("total")) == f"{self.kept or ''}{self.dropped}".lstrip("0")

    def arithmetic(self, page: Page) -> bool:
        return self.answer == printed(self.kept + (self.dropped >= "5"), page.family) and len(self.dropped) == page.get(
            "decimals"
        )

    def establish(self, page: Page) -> None:
        page.answer = self.answer


KINDS = (Widest, Table, Divide, Slope, Multiply, Round)


def widest(measures: Sequence[str]) -> Widest:
    """The line that chooses the example with the largest measure, the first of equal ones."""
    values = [as_cents(text) for text in measures]
    return Widest(tuple(zip(measures, values, strict=True)), values.index(max(values)) + 1)


def printed(hundredths: int, family: str) -> str:
    """A number of hundredths as the family prints its answers: gravity drops trailing zeros but one."""
    return str(hundredths / 100) if family == "gravity" else f"{hundredths // 100}.{hundredths % 100:02d}"


def scale(dividend: int, measure: int, query: int, digits: int, dropped: int, family: str) -> tuple[list[Line], str]:
    """The lines that give query * dividend / measure with a slope of `digits` digits, and the answer.

    dividend / measure < 10; the product's last `dropped` digits lie below the hundredths.
    """
    lines: list[Line] = [Table("x", tuple(k * measure for k in range(1, 10)))]
    slope, left = "", dividend
    for _ in range(digits):
        digit, rest = divmod(left, measure)
        lines.append(Divide(left, digit * measure, rest, digit))
        slope, left = slope + str(digit), rest * 10
    lines += [Slope(f"{slope[0]}.{slope[1:]}"), Table("q", tuple(k * query for k in range(1, 10)))]
    total = 0
    for digit in map(int, slope):
        lines.append(Multiply(digit, total * 10, digit * query, total * 10 + digit * query))
        total = lines[-1].total
    kept, rest = divmod(total, 10**dropped)
    below = f"{rest:0{dropped}d}"
    answer = printed(kept + (below >= "5"), family)
    lines.append(Round(kept, below, answer))
    return lines, answer
