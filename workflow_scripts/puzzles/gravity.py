"""A hidden g: d = 0.5 g t^2, with t and d seen rounded to two decimals and without trailing zeros.

Tier and solver cost are the same number: how many examples, longest t first, it takes until one answer is left
(6: all of them leave more than one).
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from puzzles.base import Family, Problem, PromptError, Solution
from puzzles.frame import checked, split_prompt
from puzzles.proportional import OPEN, above_zero, bounds, hundredths, is_number, solution

HEADER = (
    "In Alice's Wonderland, the gravitational constant has been secretly changed. Here are some example observations:\n"
)
FOR, DISTANCE, METRES = "For t = ", "s, distance = ", " m"
BEFORE = "\nNow, determine the falling distance for t = "
AFTER = "s given d = 0.5*g*t^2."
CONSTANTS = (4.9, 19.6)
TIMES = (1.0, 5.0)
SCALE = 100
"""t squared is in units of 1e-4 and d of 1e-2, so a slope in d per t squared is a hundred hundredths per unit."""
TIERS = range(1, OPEN + 1)


@dataclass(frozen=True, slots=True)
class GravityRow:
    """A parsed prompt: examples as printed (t, d), and the t asked for, as printed."""

    examples: tuple[tuple[str, str], ...]
    query: str


def generate(
    rng: random.Random, n: int, *, examples: Sequence[int] = (3, 4, 5), tiers: Sequence[int] = TIERS
) -> Iterator[Problem]:
    """`n` problems: g uniform in 4.9..19.6, t uniform in 1..5; t and d rounded, printed without trailing zeros."""
    counts, wanted = checked(examples, range(1, 21), "examples"), set(checked(tiers, TIERS, "tiers"))
    uniform, (low, high) = rng.random, TIMES
    made = 0
    while made < n:
        g = CONSTANTS[0] + (CONSTANTS[1] - CONSTANTS[0]) * uniform()
        k = counts[int(uniform() * len(counts))] + 1
        ts = [round(low + (high - low) * uniform(), 2) for _ in range(k)]
        ds = [round(0.5 * g * t * t, 2) for t in ts]
        answer = str(ds.pop())
        times = [round(t * 100) for t in ts]
        query = times.pop()
        falls = [round(d * 100) for d in ds]
        tier = bounds([(t * t, d) for t, d in zip(times, falls, strict=True)], query * query, SCALE)[2]
        if tier not in wanted:
            continue
        made += 1
        lines = [f"{FOR}{t}{DISTANCE}{d}{METRES}" for t, d in zip(ts, ds, strict=False)]
        yield Problem(
            family="gravity",
            prompt=HEADER + "\n".join(lines) + f"{BEFORE}{ts[-1]}{AFTER}",
            answer=answer,
            stratum="all",
            tier=tier,
            rule={"g": g},
            canonical=_canonical(times, falls, query),
        )


def parse(prompt: str) -> GravityRow:
    """Read a prompt; raises PromptError naming the part."""
    lines, query = split_prompt(prompt, (HEADER, BEFORE, AFTER))
    pairs = []
    for i, line in enumerate(lines, 1):
        t, found, d = line.removeprefix(FOR).partition(DISTANCE)
        if not found or not line.startswith(FOR) or not d.endswith(METRES):
            raise PromptError(f"expected `For t = <t>s, distance = <d> m`, got {line!r}", field=f"example {i}")
        d = d.removesuffix(METRES)
        hundredths(d, f"example {i}")
        pairs.append((above_zero(t, f"example {i}"), d))
    return GravityRow(tuple(pairs), above_zero(query, "query"))


def _print(d: int) -> str:
    """Hundredths as the prompts print d."""
    return str(d / 100)


def solve(row: GravityRow, prior: dict | None = None) -> Solution:
    """The most probable rounded answer for a g uniform on what the examples allow; exact whenever they settle it.

    `found["slope"]` is g/2, the distance per second squared.
    """
    return solution(row.examples, row.query, lambda t: t * t, SCALE, _print)


def _canonical(ts: Sequence[int], ds: Sequence[int], query: int) -> str:
    return " ".join(sorted([f"{t}={d}" for t, d in zip(ts, ds, strict=True)])) + f" ?{query}"


def canonical(row: GravityRow) -> str:
    """Equal for two prompts that differ in the order of examples only."""
    ts = [hundredths(t, "") for t, _ in row.examples]
    ds = [hundredths(d, "") for _, d in row.examples]
    return _canonical(ts, ds, hundredths(row.query, ""))


def is_answer(row: GravityRow, text: str) -> bool:
    """Whether a text is a number as the prompts print d: one or two decimals, no zero at the end but that of 50.0."""
    return is_number(text, _print)


FAMILY = Family(
    name="gravity",
    generate=generate,
    parse=parse,
    solve=solve,
    canonical=canonical,
    is_answer=is_answer,
    answer_form="a number such as 54.36, 54.1 or 50.0",
    phrases=(HEADER, FOR, DISTANCE, METRES, BEFORE, AFTER),
    order=3,
)
