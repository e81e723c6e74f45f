"""journey, shortcut, edited: the same search with its failed rows, with the path that succeeded alone, or with one
failed row and the way back from it put into that.

After the O1 replication journey (arXiv 2410.18982): the journey shows every row that was tried, says why it is given up
and goes back; the shortcut is the same run with everything removed that was taken back.
"""

import random
from collections.abc import Mapping
from functools import partial
from typing import Any

from puzzles.base import Problem, Solution
from puzzles.cryptarithm.family import CRYPTARITHMS
from reasoning.designs.cryptarithm.engines.forward import gated
from reasoning.designs.cryptarithm.lines import row_search
from reasoning.designs.cryptarithm.search import KINDS as SEARCH_KINDS
from reasoning.designs.cryptarithm.search import Searcher, narrate
from reasoning.grammar.lines import Line
from reasoning.grammar.trace import Design, Trace


class Journey(Searcher):
    """A search that says what failed before it goes back."""

    def give_back(self, number: int, k: int, n: int) -> None:
        latest = self.lines[-1]
        if isinstance(latest, row_search.Counts):
            failed = next((place for place, count in latest.counts if not count), number)
        else:
            failed = getattr(latest, "number", number)
        self.add(row_search.Reflect(failed, number, k, n))
        super().give_back(number, k, n)


def without_detours(lines: list[Line], shown: int = 0) -> list[Line]:
    """The lines left when every row that was taken back goes, with all that followed from it; but for the first `shown`
    of those that no other such row holds."""
    kept: list[Line] = []
    opened: list[int] = []
    for each in lines:
        if isinstance(each, row_search.RowTry):
            opened.append(len(kept))
        kept.append(each)
        if isinstance(each, row_search.UndoRow):
            start, shown = opened.pop(), shown - 1
            if shown < 0:
                shown += sum(isinstance(gone, row_search.UndoRow) for gone in kept[start:])
                del kept[start:]
    return kept


def render(
    problem: Problem,
    parsed: Any,
    solution: Solution,
    known: Mapping[str, int],
    rng: random.Random,
    *,
    detours: int | None,
) -> Trace:
    """detours: how many failed rows are shown at most, None for all."""
    work = Journey(parsed, known, times=1 if detours is None else 4)
    narrate(work)
    if detours is not None:
        work.lines = without_detours(work.lines, detours)
    return gated(problem, work)


KINDS = (*SEARCH_KINDS, row_search.Reflect)
DESIGNS = tuple(
    Design(name, family, KINDS, partial(render, detours=detours), tuple(range(11)))
    for name, detours in (("journey", None), ("shortcut", 0), ("edited", 1))
    for family in CRYPTARITHMS
)
