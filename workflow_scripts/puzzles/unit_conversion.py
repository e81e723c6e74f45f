"""A hidden slope turns x metres into y; both are seen rounded to two decimals.

Tier and solver cost are the same number: how many examples, longest x first, it takes until one answer is left
(6: all of them leave more than one).
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from puzzles.base import Family, Problem, PromptError, Solution
from puzzles.frame import checked, split_prompt
from puzzles.proportional import OPEN, above_zero, bounds, hundredths, is_number, solution

HEADER = "In Alice's Wonderland, a secret unit conversion is applied to measurements. For example:\n"
BECOMES = " m becomes "
BEFORE = "\nNow, convert the following measurement: "
AFTER = " m"
SLOPES = (0.5, 2.0)
LENGTHS = (5.0, 50.0)
TIERS = range(1, OPEN + 1)


@dataclass(frozen=True, slots=True)
class UnitRow:
    """A parsed prompt: examples as printed (x, y), and the x asked for, as printed."""

    examples: tuple[tuple[str, str], ...]
    query: str


def generate(
    rng: random.Random, n: int, *, examples: Sequence[int] = (3, 4, 5), tiers: Sequence[int] = TIERS
) -> Iterator[Problem]:
    """`n` problems: slope uniform in 0.5..2, x uniform in 5..50 printed without trailing zeros, y with two decimals."""
    counts, wanted = checked(examples, range(1, 21), "examples"), set(checked(tiers, TIERS, "tiers"))
    uniform, (low, high) = rng.random, LENGTHS
    made = 0
    while made < n:
        slope = SLOPES[0] + (SLOPES[1] - SLOPES[0]) * uniform()
        k = counts[int(uniform() * len(counts))] + 1
        xs = [round(low + (high - low) * uniform(), 2) for _ in range(k)]
        ys = [f"{slope * x:.2f}" for x in xs]
        answer = ys.pop()
        lengths = [round(x * 100) for x in xs]
        query = lengths.pop()
        tier = bounds([(x, int(y.replace(".", ""))) for x, y in zip(lengths, ys, strict=True)], query)[2]
        if tier not in wanted:
            continue
        made += 1
        lines = [f"{x}{BECOMES}{y}" for x, y in zip(xs, ys, strict=False)]
        yield Problem(
            family="unit_conversion",
            prompt=HEADER + "\n".join(lines) + f"{BEFORE}{xs[-1]}{AFTER}",
            answer=answer,
            stratum="all",
            tier=tier,
            rule={"slope": slope},
            canonical=_canonical(lengths, ys, query),
        )


def parse(prompt: str) -> UnitRow:
    """Read a prompt; raises PromptError naming the part."""
    lines, query = split_prompt(prompt, (HEADER, BEFORE, AFTER))
    pairs = []
    for i, line in enumerate(lines, 1):
        x, found, y = line.partition(BECOMES)
        if not found:
            raise PromptError(f"expected `<x> m becomes <y>`, got {line!r}", field=f"example {i}")
        hundredths(y, f"example {i}")
        pairs.append((above_zero(x, f"example {i}"), y))
    return UnitRow(tuple(pairs), above_zero(query, "query"))


def _print(y: int) -> str:
    """Hundredths as the prompts print y."""
    return f"{y // 100}.{y % 100:02d}"


def solve(row: UnitRow, prior: dict | None = None) -> Solution:
    """The most probable rounded answer for a slope uniform on what the examples allow; exact where they settle it."""
    return solution(row.examples, row.query, lambda x: x, 1, _print)


def _canonical(xs: Sequence[int], ys: Sequence[str], query: int) -> str:
    return " ".join(sorted([f"{x}={y}" for x, y in zip(xs, ys, strict=True)])) + f" ?{query}"


def canonical(row: UnitRow) -> str:
    """Equal for two prompts that differ in the order of examples only."""
    xs = [hundredths(x, "") for x, _ in row.examples]
    return _canonical(xs, [y for _, y in row.examples], hundredths(row.query, ""))


def is_answer(row: UnitRow, text: str) -> bool:
    """Whether a text is a number as the prompts print y: two decimals, always."""
    return is_number(text, _print)


FAMILY = Family(
    name="unit_conversion",
    generate=generate,
    parse=parse,
    solve=solve,
    canonical=canonical,
    is_answer=is_answer,
    answer_form="a number with two decimals, such as 7.90",
    phrases=(HEADER, BECOMES, BEFORE, AFTER),
    order=2,
)
