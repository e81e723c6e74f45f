"""Roman numerals: an integer is written by subtracting the largest of thirteen values, again and again.

Test rows ask for numbers that no training row asks for. Tier and solver cost are the same number: how many
subtractions the query takes (1 for 50, 8 for 88).
"""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from puzzles.base import Family, Problem, PromptError, Solution
from puzzles.frame import checked, split_prompt

HEADER = (
    "In Alice's Wonderland, numbers are secretly converted into a different numeral system. "
    "Some examples are given below:\n"
)
ARROW = " -> "
BEFORE = "\nNow, write the number "
AFTER = " in the Wonderland numeral system."

VALUES = (
    (1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"), (40, "XL"), (10, "X"),
    (9, "IX"), (5, "V"), (4, "IV"), (1, "I"),
)  # fmt: skip
LARGEST = 3999
TIERS = range(1, 9)


@dataclass(frozen=True, slots=True)
class NumeralRow:
    """A parsed prompt: examples as (integer, numeral), and the integer asked for."""

    examples: tuple[tuple[int, str], ...]
    query: int


def subtractions(number: int) -> list[tuple[int, str, int]]:
    """(value, its numeral, what remains) for each step of writing `number`."""
    steps = []
    for value, text in VALUES:
        while number >= value:
            number -= value
            steps.append((value, text, number))
    return steps


def roman(number: int) -> str:
    """The Roman numeral of 1..3999."""
    return "".join(text for _, text, _ in subtractions(number))


_NUMERAL = re.compile("M{0,3}(CM|CD|D?C{0,3})(XC|XL|L?X{0,3})(IX|IV|V?I{0,3})")
_ROMAN = [""] + [roman(n) for n in range(1, 101)]
_COST = [0] + [len(subtractions(n)) for n in range(1, 101)]
_LINES = [f"{n}{ARROW}{_ROMAN[n]}" for n in range(101)]


def generate(
    rng: random.Random, n: int, *, examples: Sequence[int] = (3, 4, 5), tiers: Sequence[int] = TIERS
) -> Iterator[Problem]:
    """`n` problems: distinct example integers 1..100 and a query 1..100, which may repeat one."""
    counts, wanted = checked(examples, range(1, 21), "examples"), checked(tiers, TIERS, "tiers")
    queries = [q for q in range(1, 101) if _COST[q] in wanted]
    numbers = range(1, 101)
    for _ in range(n):
        shown = rng.sample(numbers, rng.choice(counts))
        query = rng.choice(queries)
        yield Problem(
            family="numeral",
            prompt=HEADER + "\n".join([_LINES[x] for x in shown]) + BEFORE + str(query) + AFTER,
            answer=_ROMAN[query],
            stratum="all",
            tier=_COST[query],
            rule={"system": "roman"},
            canonical=_canonical([(x, _ROMAN[x]) for x in shown], query),
        )


def _integer(text: str, place: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= LARGEST):
        raise PromptError(f"expected an integer 1..{LARGEST}, got {text!r}", field=place)
    return int(text)


def parse(prompt: str) -> NumeralRow:
    """Read a prompt; raises PromptError naming the part."""
    lines, query = split_prompt(prompt, (HEADER, BEFORE, AFTER))
    pairs = []
    for i, line in enumerate(lines, 1):
        number, found, numeral = line.partition(ARROW)
        if not found or not numeral or numeral.strip("IVXLCDM"):
            raise PromptError(f"expected `<n> -> <Roman numeral>`, got {line!r}", field=f"example {i}")
        pairs.append((_integer(number, f"example {i}"), numeral))
    return NumeralRow(tuple(pairs), _integer(query, "query"))


def solve(row: NumeralRow, prior: dict | None = None) -> Solution:
    """Check that the examples are Roman, then write the query; no answer when an example is not."""
    for i, (number, numeral) in enumerate(row.examples, 1):
        right = roman(number)
        if right != numeral:
            reason = f"example {i}: {number} is {right} in Roman numerals, not {numeral}"
            return Solution(None, reason=reason, nodes=i)
    steps = subtractions(row.query)
    answer = "".join(text for _, text, _ in steps)
    return Solution(answer, 1.0, ((answer, 1.0),), 1, True, len(steps), found={"system": "roman"})


def _canonical(examples: Sequence[tuple[int, str]], query: int) -> str:
    return " ".join([f"{n}={r}" for n, r in sorted(examples)]) + f" ?{query}"


def canonical(row: NumeralRow) -> str:
    """Equal for two prompts that differ in the order of examples only."""
    return _canonical(row.examples, row.query)


def is_answer(row: NumeralRow, text: str) -> bool:
    """Whether a text is a Roman numeral, as `roman` writes it."""
    return bool(text and _NUMERAL.fullmatch(text))


# Split by the number asked for: of a hundred numbers a few hundred training rows would show every one, and a test row
# could be answered from memory. Examples may still show any number.
FAMILY = Family(
    name="numeral",
    generate=generate,
    parse=parse,
    solve=solve,
    canonical=canonical,
    is_answer=is_answer,
    answer_form="a Roman numeral",
    phrases=(HEADER, ARROW, BEFORE, AFTER),
    split_by=lambda problem: problem.answer,
    order=1,
)
