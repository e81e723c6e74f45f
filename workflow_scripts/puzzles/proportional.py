"""y = slope * x from pairs rounded to two decimals: which slopes fit exactly, and which answer most of them give.

All numbers are whole hundredths, `x` a positive integer measure (for gravity, t squared), so that y - 1/2 <= slope * x
<= y + 1/2 bounds the slope by ratios of integers and nothing is lost to floating point.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from puzzles.base import PromptError, Solution

OPEN = 6
"""Tier of a row whose examples, all of them, leave more than one answer."""
MAX_ANSWERS = 1000


def hundredths(text: str, place: str) -> int:
    """A printed number with at most two decimals and no sign, in hundredths; raises PromptError naming the place."""
    whole, point, decimals = text.partition(".")
    if not (text.isascii() and whole.isdigit() and (decimals.isdigit() if point else True)) or (
        len(whole) > 6 or len(decimals) > 2
    ):
        raise PromptError(f"expected a number with at most two decimals, got {text!r}", field=place)
    return int(whole) * 100 + int((decimals + "00")[:2])


def above_zero(text: str, place: str) -> str:
    """The same text, checked to be such a number and not zero."""
    if not hundredths(text, place):
        raise PromptError("expected a number above zero", field=place)
    return text


def is_number(text: str, write: Callable[[int], str]) -> bool:
    """Whether a text is a number exactly as `write` prints its hundredths."""
    try:
        return write(hundredths(text, "")) == text
    except PromptError:
        return False


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What the examples say about the slope, and so about the query.

    low, high: (numerator, denominator) of the slope's bounds. answers: (y in hundredths, share of the interval), most
    probable first; empty when no slope fits. n_answers: how many there are, of which MAX_ANSWERS at most are listed.
    used: as in `bounds`. clash: positions of two examples that no slope fits.
    """

    low: tuple[int, int]
    high: tuple[int, int]
    answers: tuple[tuple[int, float], ...]
    n_answers: int
    used: int
    clash: tuple[int, int] | None = None


def bounds(
    pairs: Sequence[tuple[int, int]], query: int, scale: int = 1
) -> tuple[tuple[int, int], tuple[int, int], int, tuple[int, int] | None]:
    """(low, high, used, clash): intersect the slopes that `pairs` (x, y) allow, largest x first.

    The slope is in units of y per `scale` * x. Bounds are inclusive, as a rounded half may have come from either side.
    used: examples until slope * query rounds to one answer, OPEN if that never happens.
    """
    used = OPEN
    ln, ld, hn, hd = 0, 1, 1, 0
    low_from = high_from = 0
    query2 = 2 * query
    for step, i in enumerate(sorted(range(len(pairs)), key=pairs.__getitem__, reverse=True), 1):
        x, y = pairs[i]
        n, d = (2 * y - 1) * scale, 2 * x
        if n * ld > ln * d:
            ln, ld, low_from = n, d, i
        n += 2 * scale
        if n * hd < hn * d:
            hn, hd, high_from = n, d, i
        if ln * hd > hn * ld:
            return (ln, ld), (hn, hd), step, (min(low_from, high_from), max(low_from, high_from))
        if used == OPEN:
            first = (ln * query2 + ld * scale) // (2 * ld * scale)
            if (2 * first + 1) * hd * scale >= hn * query2:
                used = min(step, OPEN - 1)
    return (ln, ld), (hn, hd), used, None


def narrow(pairs: Sequence[tuple[int, int]], query: int, scale: int = 1) -> Narrowing:
    """The bounds of the slope, and the answers that they leave with their shares."""
    (ln, ld), (hn, hd), used, clash = bounds(pairs, query, scale)
    if clash:
        return Narrowing((ln, ld), (hn, hd), (), 0, used, clash)
    query2 = 2 * query
    # query * slope / scale lies in [bottom, top], in hundredths of y; each whole number owns half a unit either side.
    first = max(0, (ln * query2 + ld * scale) // (2 * ld * scale))
    last = max(first, -((hd * scale - hn * query2) // (2 * hd * scale)))
    if first == last:
        answers: tuple[tuple[int, float], ...] = ((first, 1.0),)
    else:
        bottom, top = Fraction(ln * query, ld * scale), Fraction(hn * query, hd * scale)
        shares = [
            (y, float((min(top, Fraction(2 * y + 1, 2)) - max(bottom, Fraction(2 * y - 1, 2))) / (top - bottom)))
            for y in range(first, min(last + 1, first + MAX_ANSWERS))
        ]
        answers = tuple(sorted(shares, key=lambda pair: -pair[1]))
    return Narrowing((ln, ld), (hn, hd), answers, last - first + 1, used)


def shortest_slope(found: Narrowing, query: int, scale: int = 1) -> tuple[int, int]:
    """(m, k) with m / 10**k the shortest decimal inside the slope's bounds that rounds the query to the best answer.

    Falls back on twelve decimals of the middle when the bounds are narrower than that.
    """
    best = found.answers[0][0]
    low = max(Fraction(*found.low), Fraction((2 * best - 1) * scale, 2 * query))
    high = min(Fraction(*found.high), Fraction((2 * best + 1) * scale, 2 * query))
    for k in range(13):
        m = round((low + high) / 2 * 10**k)
        if low < Fraction(m, 10**k) < high:
            break
    return m, k


def solution(
    examples: Sequence[tuple[str, str]],
    query: str,
    measure: Callable[[int], int],
    scale: int,
    write: Callable[[int], str],
) -> Solution:
    """Solve a row of printed (x, y): the answer of the largest share, or none when two examples contradict.

    `measure` turns hundredths of x into what the slope multiplies, `write` prints hundredths of y.
    """
    pairs = [(measure(hundredths(x, "")), hundredths(y, "")) for x, y in examples]
    wanted = measure(hundredths(query, ""))
    found = narrow(pairs, wanted, scale)
    if found.clash:
        i, j = (k + 1 for k in found.clash)
        return Solution(None, reason=f"no slope fits examples {i} and {j}", nodes=found.used)
    m, k = shortest_slope(found, wanted, scale)
    slope = f"{m / 10**k:.{max(k, 1)}f}"
    answers = tuple((write(y), share) for y, share in found.answers)
    answer, posterior = answers[0]
    return Solution(
        answer,
        posterior,
        answers,
        found.n_answers,
        len(answers) == found.n_answers,
        found.used,
        "" if len(answers) == 1 else "the examples leave more than one answer",
        {"slope": slope, "low": "/".join(map(str, found.low)), "high": "/".join(map(str, found.high))},
    )
