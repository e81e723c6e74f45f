"""Sums and differences of the equations with visible digits, column by column; a remainder by repeated subtraction."""

from typing import Literal, Self

from reasoning.designs.columns import Columns, compare, computed, copied, in_columns, read
from reasoning.designs.equation_numeric.lines.equation_lines import Difference, Start, Sum, Wording
from reasoning.designs.remainder import Taken, mod_steps
from reasoning.grammar.lines import line
from reasoning.grammar.page import Page


@line
class ColumnSum(Sum):
    KIND = "equation/sum-columns"
    TEXT = "{x}+{y} {columns: :}={value}"
    ROLES = "x:TA y:TA columns:T/A value:A"
    columns: Columns

    @classmethod
    def of(cls, x: int, y: int) -> Self:
        return cls(x, y, x + y, in_columns(x, y, 1))

    def transcription(self, page: Page) -> bool:
        return super().transcription(page) and copied(self.columns, self.x, self.y)

    def arithmetic(self, page: Page) -> bool:
        return computed(self.columns, 1) and self.value == read(self.columns)


@line
class ColumnDifference(Difference):
    """The larger number less the smaller, then the difference with its sign."""

    KIND = "equation/difference-columns"
    TEXT = "{x}-{y} {order} {large}-{small} {columns: :}={distance} {value}"
    ROLES = "x:TA y:TA order:A large:A small:A columns:A distance:A value:A"
    order: Literal["<", "=", ">"]
    large: int
    small: int
    columns: Columns
    distance: int

    @classmethod
    def of(cls, x: int, y: int) -> Self:
        large, small = max(x, y), min(x, y)
        return cls(x, y, x - y, compare(x, y), large, small, in_columns(large, small, -1), large - small)

    def arithmetic(self, page: Page) -> bool:
        return (
            self.order == compare(self.x, self.y)
            and (self.large, self.small) == (max(self.x, self.y), min(self.x, self.y))
            and copied(self.columns, self.large, self.small)
            and computed(self.columns, -1)
            and self.distance == read(self.columns)
            and self.value == (-self.distance if self.order == "<" else self.distance)
        )


@line
class ColumnRemainder(Start):
    """The smaller operand taken off the larger until less is left."""

    KIND = "equation/remainder-columns"
    TEXT = "{large}%{small} {steps:,} {value}"
    ROLES = "large:TA small:TA steps:A value:A"
    group = "mod"
    large: int
    small: int
    steps: tuple[Taken, ...]
    value: int

    @classmethod
    def of(cls, x: int, y: int) -> Self:
        large, small = max(x, y), min(x, y)
        return cls(large, small, *mod_steps(f"{large:02d}", f"{small:02d}"))

    def transcription(self, page: Page) -> bool:
        read = page.get("read", default=("", -1, -1))[1:]
        return (self.large, self.small) == (max(read), min(read))

    def arithmetic(self, page: Page) -> bool:
        return 0 < self.small <= self.large and self == self.of(self.large, self.small)


IN_COLUMNS = Wording(ColumnSum, ColumnDifference, ColumnRemainder)
