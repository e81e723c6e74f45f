"""Whether the training rows that arms ask for can be had, told before any job from a sample of them.

A corpus fails where too few rows have a text of its design, or none of a stratum that its arm claims. For sure that is
known only when all texts are there. So planning renders training rows for every design and reveal that an arm trains
on, as many as it takes to see that there are enough, SAMPLE at most. It refuses an arm where a stratum that it claims
has no text in SAMPLE of its rows, or where so few rows of a part of its selection would be seen less than once in 1,000
such samples if there were enough. What passes may still be short of a few rows: the corpus counts them.

Only families with a key are looked at: their designs write from the row alone, others need what the solver found.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
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

SAMPLE = 100
STAGES = (12, 25, 50, SAMPLE)  # rows after which it is looked whether there are enough
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
    def problems(family: str, stratum: str) -> Sequence[Problem]:
        return training_problems(family, config["seed"], config["options"].get(family, {}), stratum)

    @cache
    def text(family: str, design: str, reveal: str, stratum: str, i: int) -> Row:
        own, problem = DESIGNS[family, design], problems(family, stratum)[i]
        shown = own.reveal(reveal)
        told = Solution(None), own, shown, config["seed"], config["thought"]
        return table_row(render_row(problem.id, problem, *told, train=True), own, shown) | {"rule": problem.rule}

    @cache
    def check(family: str, design: str, reveal: str, selection: str, n: int) -> None:
        def first(most: int, stratum: str) -> list[Row]:
            there = range(min(most, len(problems(family, stratum))))
            return [text(family, design, reveal, stratum, i) for i in there]

        strata = [problem.stratum for problem in problems(family, "")]
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


def training_problems(family: str, seed: int, options: Mapping[str, Any], stratum: str = "") -> list[Problem]:
    """The first SAMPLE training problems that a run draws, or the first of a stratum; fewer where DRAWS give fewer."""
    own = FAMILIES[family]
    drawn = own.generate(row_rng(seed, family, "train"), DRAWS, **options)
    fit = (each for each in drawn if split_of(own.split_by(each)) == "train" and stratum in ("", each.stratum))
    return list(islice(fit, SAMPLE))


def check_rows(first: First, strata: Sequence[str], selection: str, n: int, total: int) -> None:
    """Raise LabError (without file and row) where n rows of a selection are too many for `total` training rows.

    strata: of a sample, which say what a selection that names none claims. Selections that compare rows among
    themselves take a part of what is rendered: it must at least be as many.
    """
    if selection in (*THIRDS, *KINDRED):
        selection = "all"
    for m in sorted({*STAGES, total} - {m for m in (*STAGES, total) if m > min(SAMPLE, total)}):
        rows = first(m, "")
        rendered = [row for row in rows if row["status"] == RENDERED]
        found = [(part, sum(map(part.belongs, rendered))) for part in parts(selection, n)]
        empty = empty_stratum(selection, strata, [row["stratum"] for row in rendered])
        enough = all(k >= min(LEAST, part.n) and k * total >= part.n * len(rows) for part, k in found)
        if enough and not empty:
            return
    if empty:
        own = first(SAMPLE, empty)
        if not any(row["status"] == RENDERED for row in own):
            message = f"it claims rows of stratum {empty!r}, and none of {len(own)} has a text ({reasons(own)});"
            raise LabError(f"{message} the selection may name another stratum", field="selection")
    for part, k in found:
        if part.n > total or at_most(k, len(rows), part.n / total) < UNLIKELY:
            message = f"{part.n} of {total} training rows are to be such that {part.what}, but of the first {len(rows)}"
            raise LabError(f"{message} only {k} are ({reasons(rows)})", field="n")


def at_most(k: int, m: int, share: float) -> float:
    """The probability of no more than k of m rows, where each is one with this probability."""
    return sum(comb(m, i) * share**i * (1 - share) ** (m - i) for i in range(k + 1))


def reasons(rows: Sequence[Row]) -> str:
    """What became of the rows, the commonest first."""
    return ", ".join(f"{n}: {status}" for status, n in Counter(row["status"] for row in rows).most_common(3))
