"""Whether the training rows that arms ask for can be had, told before any job from a sample of them.

A corpus fails where too few rows have a text of its design, or none of a stratum that its arm claims. For sure that is
known only when all texts are there. So planning renders training rows for every design and reveal that an arm trains
on, as many as it takes to see that there are enough, or that there are not: that a stratum which the arm claims has no
text in SAMPLE of its rows, or that so few rows of a part of its selection would be seen less than once in 1,000 samples
if there were enough. What passes may still be short of some rows: the corpus counts them.

Only families with a key are looked at: their designs write from the row alone, others need what the solver found.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import islice
from math import comb
from typing import Any

from common.errors import LabError
from planning.lab import Lab
from puzzles.base import Problem, Solution, row_rng, split_of
from puzzles.registry import FAMILIES
from reasoning.auxiliary.selections import KINDRED, THIRDS, empty_stratum, parts
from reasoning.grammar.texts import RENDERED, render_row, table_row
from reasoning.registry import DESIGNS

SAMPLE = 100  # rows that say which strata an arm claims, and that one of them has no text
STAGES = (12, 25, 50, SAMPLE, 200, 400)  # rows after which it is looked whether there are enough
LEAST = 3  # rows of every part that must have been seen by then
UNLIKELY = 0.001
DRAWS = 10_000

Row = Mapping[str, Any]
"""A row of the texts, with its hidden rule."""
First = Callable[[int, str], Sequence[Row]]
"""So many rows, the first of all ("") or of a stratum."""


def check_supply(lab: Lab) -> None:
    """Raise LabError for the first arm whose rows cannot be had, naming its row of the table of arms."""
    config = lab.config

    @cache
    def problems(family: str, stratum: str) -> Drawn:
        return Drawn(training_problems(family, config["seed"], config["options"].get(family, {}), stratum))

    @cache
    def text(family: str, design: str, reveal: str, stratum: str, i: int) -> Row:
        own, problem = DESIGNS[family, design], problems(family, stratum).first(i + 1)[i]
        shown = own.reveal(reveal)
        told = Solution(None), own, shown, config["seed"], config["thought"]
        return table_row(render_row(problem.id, problem, *told, train=True), own, shown) | {"rule": problem.rule}

    @cache
    def check(family: str, design: str, reveal: str, selection: str, n: int) -> None:
        def first(most: int, stratum: str) -> list[Row]:
            there = problems(family, stratum).first(most)
            return [text(family, design, reveal, stratum, i) for i in range(len(there))]

        strata = [problem.stratum for problem in problems(family, "").first(SAMPLE)]
        check_rows(first, strata, selection, n, lab.rows("train", family))

    for name, row in lab.arms.iterrows():
        for family in row.families:
            if not FAMILIES[family].has_key or row.source:
                continue
            try:
                check(family, row.design, row.reveal, row.selection, int(row.n))
            except LabError as error:
                message = f"arm {name}, design {row.design} of {family}: {error.message}"
                raise LabError(message, file=config["arms"], row=int(row.row), field=error.field) from None


class Drawn:
    """Problems, drawn as far as they are asked for."""

    def __init__(self, source: Iterator[Problem]):
        self.source, self.drawn = source, []

    def first(self, n: int) -> list[Problem]:
        self.drawn += islice(self.source, max(0, n - len(self.drawn)))
        return self.drawn[:n]


def training_problems(family: str, seed: int, options: Mapping[str, Any], stratum: str = "") -> Iterator[Problem]:
    """The training problems that a run draws, in its order, of all strata or of one."""
    own = FAMILIES[family]
    drawn = own.generate(row_rng(seed, family, "train"), DRAWS, **options)
    return (each for each in drawn if split_of(own.split_by(each)) == "train" and stratum in ("", each.stratum))


def check_rows(first: First, strata: Sequence[str], selection: str, n: int, total: int) -> None:
    """Raise LabError (without file and row) where n rows of a selection are too many for `total` training rows.

    strata: of a sample, which say what a selection that names none claims. Selections that compare rows among
    themselves take a part of what is rendered: it must at least be as many.
    """
    if selection in (*THIRDS, *KINDRED):
        selection = "all"
    most = min(total, STAGES[-1])
    for m in sorted({most, *(stage for stage in STAGES if stage < most)}):
        rows = first(m, "")
        rendered = [row for row in rows if row["status"] == RENDERED]
        empty = empty_stratum(selection, strata, [row["stratum"] for row in rendered])
        if empty and m >= min(SAMPLE, most):
            check_stratum(empty, first(SAMPLE, empty))
            empty = ""
        found = [(part, sum(map(part.belongs, rendered))) for part in parts(selection, n)]
        if not empty and all(k >= min(LEAST, part.n) and k * total >= part.n * len(rows) for part, k in found):
            return
        for part, k in found:
            if part.n > total or at_most(k, len(rows), part.n / total) < UNLIKELY:
                message = f"{part.n} of {total} training rows are asked for that {part.what}; of the first {len(rows)}"
                raise LabError(f"{message} there are {k} ({reasons(rows)})", field="n")


def check_stratum(stratum: str, rows: Sequence[Row]) -> None:
    """Raise LabError where none of a stratum's rows has a text."""
    if not any(row["status"] == RENDERED for row in rows):
        message = f"it claims rows of stratum {stratum!r}, and none of {len(rows)} has a text ({reasons(rows)});"
        raise LabError(f"{message} the selection may name another stratum", field="selection")


def at_most(k: int, m: int, share: float) -> float:
    """The probability of no more than k of m rows, where each is one with this probability."""
    return sum(comb(m, i) * share**i * (1 - share) ** (m - i) for i in range(k + 1))


def reasons(rows: Sequence[Row]) -> str:
    """What became of the rows, the commonest first."""
    return ", ".join(f"{n}: {status}" for status, n in Counter(row["status"] for row in rows).most_common(3))
