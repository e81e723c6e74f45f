"""Lines of unit_conversion and gravity: long division for the slope of the first example, then the query times it.

Every step is a look-up, a comparison, a subtraction or an addition. A digit of the slope is found as the sum of 8, 4, 2
and 1 times the measure that fit in what is left; the multiples stand on the page beside their factors. The slope gets
three decimals. The answer is written as it comes out: its last digit is often not the row's, which the challenge's
tolerance of 1 % accepts, and leaving these rows out would let the answer choose the rows.
"""

from dataclasses import dataclass
from typing import Annotated, Literal, Self

from reasoning.designs.columns import Columns, computed, copied, in_columns, read
from reasoning.grammar.lines import FAILED, PASSED, Chars, Digit, Digits, Line, Number, line
from reasoning.grammar.page import Page

Which = Literal["x", "q"]
Part = Annotated[str, Chars("8421", 1)]
# Three decimals: the slope is at least 0.3, so the cut costs at most a third of a per cent.
SLOPE_DIGITS = 4
PARTS = (8, 4, 2, 1)


def as_cents(text: str) -> int:
    """A decimal number in hundredths, any further decimals cut off."""
    whole, _, decimals = text.partition(".")
    return int(whole + (decimals + "00")[:2])


@line
class Multiples(Line):
    """Multiples of the example's measure (x: 8, 4, 2, 1, by which it is divided) or of the query's (q: 1 to 9)."""

    KIND = "proportion/multiples"
    TEXT = "{which} {multiples: =}"
    ROLES = "which:TA multiples:AT"
    which: Which
    multiples: tuple[tuple[int, int], ...]

    def transcription(self, page: Page) -> bool:
        return dict(self.multiples).get(1) == page.get("measure", self.which)

    def arithmetic(self, page: Page) -> bool:
        measure = dict(self.multiples).get(1, 0)
        return self.multiples == multiples(self.which, measure).multiples

    def establish(self, page: Page) -> None:
        page.put("table", self.which, dict(self.multiples))
        if self.which == "x":
            page.put("left", "", page.get("dividend"))
            page.put("due", "", PARTS[0])
            page.put("digit", "", 0)
            page.put("digits", "", "")


def multiples(which: Which, measure: int) -> Multiples:
    factors = (1, 2, 4, 8) if which == "x" else range(1, 10)
    return Multiples(which, tuple((k, k * measure) for k in factors))


@line
class Compare(Line):
    """Whether a multiple fits in what is left, and the digit of the slope so far, which grows where it does."""

    KIND = "proportion/compare"
    TEXT = "{part} {left} {multiple} {verdict} {digit}"
    OUTCOMES = {"yes": PASSED, "no": FAILED}
    FORCED_BY = "what is left against the multiple"
    ROLES = "part:TA left:TV multiple:TV verdict:VA digit:A"
    part: Part
    left: int
    multiple: int
    verdict: str
    digit: int

    def transcription(self, page: Page) -> bool:
        return (
            self.left == page.get("left")
            and int(self.part) == page.get("due")
            and self.multiple == page.get("table", "x", {}).get(int(self.part))
        )

    def arithmetic(self, page: Page) -> bool:
        return self.digit == page.get("digit", default=0) + int(self.part) * (self.verdict == "yes")

    def verdict_follows(self, page: Page) -> bool:
        return (self.verdict == "yes") == (self.left >= self.multiple)

    def establish(self, page: Page) -> None:
        page.put("fits", "", (self.left, self.multiple) if self.verdict == "yes" else None)
        page.put("due", "", int(self.part) // 2)
        page.put("digit", "", self.digit)
        if self.verdict == "no":
            next_digit(page, self.left)


def next_digit(page: Page, left: int) -> None:
    """After the last part the digit is complete and what is left is looked at in tenths."""
    last = page.get("due") == 0
    page.put("left", "", left * 10 if last else left)
    if last:
        page.put("due", "", PARTS[0])
        page.put("digits", "", page.get("digits", default="") + str(page.get("digit", default=0)))
        page.put("digit", "", 0)


@line
class Subtract(Line):
    """What is left without a multiple that fits."""

    KIND = "proportion/subtract"
    TEXT = "{left}-{multiple}={rest}"
    ROLES = "left:TA multiple:TA rest:A"
    left: int
    multiple: int
    rest: int

    @classmethod
    def of(cls, left: int, multiple: int) -> Self:
        """The line of these two numbers."""
        return cls(left, multiple, left - multiple)

    def transcription(self, page: Page) -> bool:
        return page.get("fits") == (self.left, self.multiple)

    def arithmetic(self, page: Page) -> bool:
        return self.left - self.multiple == self.rest

    def establish(self, page: Page) -> None:
        page.put("fits", "", None)
        next_digit(page, self.rest)


@line
class ColumnSubtract(Subtract):
    """What is left without a multiple that fits, column by column."""

    KIND = "proportion/subtract-columns"
    TEXT = "{left}-{multiple} {columns: :}={rest}"
    ROLES = "left:TA multiple:TA columns:T/A rest:A"
    columns: Columns

    @classmethod
    def of(cls, left: int, multiple: int) -> Self:
        return cls(left, multiple, left - multiple, in_columns(left, multiple, -1))

    def transcription(self, page: Page) -> bool:
        return super().transcription(page) and copied(self.columns, self.left, self.multiple)

    def arithmetic(self, page: Page) -> bool:
        return computed(self.columns, -1) and self.rest == read(self.columns)


@line
class Slope(Line):
    """The digits of the division read together."""

    KIND = "proportion/slope"
    TEXT = "slope {slope}"
    ROLES = "slope:T"
    slope: Number

    def transcription(self, page: Page) -> bool:
        digits = page.get("digits", default="")
        return len(digits) == SLOPE_DIGITS and self.slope == f"{digits[:1]}.{digits[1:]}"

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

    @classmethod
    def of(cls, digit: int, total: int, part: int) -> Self:
        """The line that puts a multiple of the query after the total so far."""
        return cls(digit, total * 10, part, total * 10 + part)

    def transcription(self, page: Page) -> bool:
        table = {0: 0, **page.get("table", "q", {})}
        return (
            page.get("unused", default="").startswith(str(self.digit))
            and self.shifted == 10 * page.get("total", default=0)
            and table.get(self.digit) == self.part
        )

    def arithmetic(self, page: Page) -> bool:
        return self.shifted + self.part == self.total

    def establish(self, page: Page) -> None:
        page.put("unused", "", page.get("unused", default="")[1:])
        page.put("total", "", self.total)


@line
class ColumnMultiply(Multiply):
    """One digit of the slope times the query, the sum column by column."""

    KIND = "proportion/multiply-columns"
    TEXT = "{digit} {shifted}+{part} {columns: :}={total}"
    ROLES = "digit:T shifted:TA part:TA columns:T/A total:A"
    columns: Columns

    @classmethod
    def of(cls, digit: int, total: int, part: int) -> Self:
        return cls(digit, total * 10, part, total * 10 + part, in_columns(total * 10, part, 1))

    def transcription(self, page: Page) -> bool:
        return super().transcription(page) and copied(self.columns, self.shifted, self.part)

    def arithmetic(self, page: Page) -> bool:
        return computed(self.columns, 1) and self.total == read(self.columns)


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


@dataclass(frozen=True)
class Wording:
    """How the long differences and sums are written."""

    subtract: type[Subtract]
    multiply: type[Multiply]

    @property
    def kinds(self) -> tuple[type[Line], ...]:
        return Multiples, Compare, self.subtract, Slope, self.multiply, Round


AT_ONCE = Wording(Subtract, Multiply)
IN_COLUMNS = Wording(ColumnSubtract, ColumnMultiply)


def printed(hundredths: int, family: str) -> str:
    """A number of hundredths as the family prints its answers: gravity drops trailing zeros but one."""
    return str(hundredths / 100) if family == "gravity" else f"{hundredths // 100}.{hundredths % 100:02d}"


def scale(
    dividend: int, measure: int, query: int, dropped: int, family: str, wording: Wording
) -> tuple[list[Line], str]:
    """The lines that give query * dividend / measure, and the answer.

    dividend / measure < 10; the product's last `dropped` digits lie below the hundredths.
    """
    lines: list[Line] = [multiples("x", measure)]
    slope, left = "", dividend
    for _ in range(SLOPE_DIGITS):
        digit = 0
        for part in PARTS:
            multiple = part * measure
            fits = left >= multiple
            digit += part * fits
            lines.append(Compare(str(part), left, multiple, "yes" if fits else "no", digit))
            if fits:
                lines.append(wording.subtract.of(left, multiple))
                left -= multiple
        slope, left = slope + str(digit), left * 10
    lines += [Slope(f"{slope[0]}.{slope[1:]}"), multiples("q", query)]
    total = 0
    for digit in map(int, slope):
        lines.append(wording.multiply.of(digit, total, digit * query))
        total = lines[-1].total
    kept, rest = divmod(total, 10**dropped)
    below = f"{rest:0{dropped}d}"
    answer = printed(kept + (below >= "5"), family)
    lines.append(Round(kept, below, answer))
    return lines, answer
