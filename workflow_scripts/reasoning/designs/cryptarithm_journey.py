"""journey, shortcut: the same search with its failed rows, or with the path that succeeded alone.

After the O1 replication journey (arXiv 2410.18982): the journey shows every row that was tried, says why it is given up
and goes back; the shortcut is the same run with everything removed that was taken back.
"""

import random
from collections.abc import Mapping
from functools import partial
from typing import Any

from puzzles.base import Problem, Solution
from reasoning import cryptarithm_lines as kinds
from reasoning.designs._cryptarithm_forward import FAMILIES, gated
from reasoning.designs.cryptarithm_search import KINDS as SEARCH_KINDS
from reasoning.designs.cryptarithm_search import Searcher, narrate
from reasoning.lines import Line
from reasoning.trace import Design, Trace


class Journey(Searcher):
    """A search that says what failed before it goes back."""

    def give_back(self, number: int, k: int, n: int) -> None:
        latest = self.lines[-1]
        if isinstance(latest, kinds.Counts):
            failed = next((place for place, count in latest.counts if not count), number)
        else:
            failed = getattr(latest, "number", number)
        self.add(kinds.Reflect(failed, number, k, n))
        super().give_back(number, k, n)


def without_detours(lines: list[Line]) -> list[Line]:
    """The lines left when every row that was taken back goes, with all that followed from it."""
    kept: list[Line] = []
    opened: list[int] = []
    for each in lines:
        if isinstance(each, kinds.RowTry):
            opened.append(len(kept))
        if isinstance(each, kinds.UndoRow):
            del kept[opened.pop() :]
        else:
            kept.append(each)
    return kept


def render(
    problem: Problem,
    parsed: Any,
    solution: Solution,
    known: Mapping[str, int],
    rng: random.Random,
    *,
    detours: bool,
) -> Trace:
    work = Journey(parsed, known, times=1 if detours else 4)
    narrate(work)
    if not detours:
        work.lines = without_detours(work.lines)
    return gated(problem, work)


KINDS = (*SEARCH_KINDS, kinds.Reflect)
DESIGNS = tuple(
    Design(name, family, KINDS, partial(render, detours=name == "journey"), tuple(range(11)))
    for name in ("journey", "shortcut")
    for family in FAMILIES
)
