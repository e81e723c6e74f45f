"""Sums and differences of long numbers, written column by column from the right.

A column is a digit of each number, a colon, the digit of the result, and whether one goes to the next column: `'` where
it does, `.` where it does not. 5702-2906 is `26:6' 00:9' 79:7' 52:2.`; the digits before the marks, read
backwards, are 2796.
"""

from typing import Annotated, Literal

from reasoning.grammar.lines import DIGITS, Chars, Codec

CARRIED, KEPT = "'", "."
Outcome = Annotated[str, Codec(r"[0-9]['.]", str, str, DIGITS)]
Columns = tuple[tuple[Annotated[str, Chars("0-9", 2)], Outcome], ...]


def compare(x: int, y: int) -> Literal["<", "=", ">"]:
    """The sign between two numbers."""
    return "<" if x < y else ">" if x > y else "="


def operands(a: int, b: int) -> tuple[str, ...]:
    """The two digits of each column from the right, as many columns as the longer number has."""
    return tuple(f"{a // 10**k % 10}{b // 10**k % 10}" for k in range(max(len(str(abs(a))), len(str(abs(b))))))


def outcomes(pairs: tuple[str, ...], sign: int) -> tuple[str, ...]:
    """What each column gives; sign: 1 adds, -1 subtracts."""
    found, carried = [], 0
    for pair in pairs:
        total = int(pair[0]) + sign * (int(pair[1]) + carried)
        carried = int(not 0 <= total < 10)
        found.append(f"{total % 10}{CARRIED if carried else KEPT}")
    return tuple(found)


def in_columns(a: int, b: int, sign: int) -> Columns:
    """The columns of a + b (sign 1) or a - b (sign -1); of a sum that carries to the end one more, `00:1.`."""
    pairs = operands(a, b)
    if sign > 0 and outcomes(pairs, sign)[-1].endswith(CARRIED):
        pairs += ("00",)
    return tuple(zip(pairs, outcomes(pairs, sign), strict=True))


def read(written: Columns) -> int:
    """The number whose digits the columns give from the right; -1 for no column."""
    return int("".join(outcome[0] for _, outcome in reversed(written)) or "-1")


def copied(written: Columns, a: int, b: int) -> bool:
    """Are the digits those of the two numbers, and the columns as many as there should be?"""
    pairs = tuple(pair for pair, _ in written)
    return pairs in (operands(a, b), (*operands(a, b), "00"))


def computed(written: Columns, sign: int) -> bool:
    """Does each column give what its digits and the column before it make, and does the last one leave nothing over?"""
    pairs, found = zip(*written, strict=True) if written else ((), ())
    return bool(found) and found == outcomes(pairs, sign) and found[-1].endswith(KEPT)
