"""Differences of two-digit numbers by units and tens, and a remainder as a chain of them."""

from typing import Annotated

from reasoning.designs.columns import compare
from reasoning.grammar.lines import DIGITS, Codec

Taken = Annotated[str, Codec("(?:[0-9]+-[0-9]=[0-9]|[0-9]{2}:[0-9]{2}[<=>])", str, str, DIGITS)]
"""One step of a remainder: a digit taken off, or what is left against the smaller number, the sign after both."""


def sub_steps(x: str, y: str) -> tuple[str, str]:
    """Units and tens of larger minus smaller with the borrow: 27, 96 -> 16-7=9, 8-2=6."""
    high, low = (x, y) if int(x) >= int(y) else (y, x)
    borrow = int(high[1]) < int(low[1])
    top, tens = int(high[1]) + 10 * borrow, int(high[0]) - borrow
    return f"{top}-{low[1]}={top - int(low[1])}", f"{tens}-{low[0]}={tens - int(low[0])}"


def mod_steps(x: str, y: str) -> tuple[tuple[str, ...], int]:
    """The smaller taken off the larger until less is left, and the rest: 74, 27 -> (14-7=7, 6-2=4, 47:27>, 7-7=0,
    4-2=2, 20:27<), 20. Ten times the smaller is taken off at once while it fits; nothing by zero."""
    rest, low = max(int(x), int(y)), min(int(x), int(y))
    steps: list[str] = []
    while 0 < low <= rest:
        taken = 10 * low if 10 * low <= rest else low
        steps += sub_steps(f"{rest:02d}", f"{taken:02d}")
        rest -= taken
        steps.append(f"{rest:02d}:{low:02d}{compare(rest, low)}")
    return tuple(steps), rest
