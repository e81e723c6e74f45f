"""derive-search: derive, and where its forward steps end a search over recalled rows, so that it tries at every dose.

The forward steps are those of derive. When digits or the rule of the query are still missing, every example says how
many catalog rows it has left under what is known; the rows of the one with the fewest are supposed one by one in
catalog order, each with what it leaves the others on the same line. A row that leaves one of them nothing takes itself
back; the search stops as soon as the query can be worked out and no example is without rows. One line a row, and no
line that computes again what the catalog has, so that most rows fit a context of 2,048 characters with their prompt. It
ends undetermined only where a digit or glyph of the query is on no example.
"""

import random
from collections.abc import Mapping
from typing import Any

from puzzles.base import Problem, Solution
from puzzles.cryptarithm.family import CRYPTARITHMS
from puzzles.equations.prompt import join_of
from puzzles.equations.rules import BY_NAME
from reasoning.designs.cryptarithm.derive import KINDS as DERIVE_KINDS
from reasoning.designs.cryptarithm.derive import derive
from reasoning.designs.cryptarithm.engines.forward import Bounded, gated
from reasoning.designs.cryptarithm.engines.propagation import clues, matching
from reasoning.designs.cryptarithm.lines import notation, row_search
from reasoning.grammar.reveal import RULE_SOURCES
from reasoning.grammar.trace import Design, Trace, Unrenderable

SPARE = 150  # characters of the budget that stay free, so that thought and prompt go into one context


class DeriveSearch(Bounded):
    """A forward worker that searches when it is stuck."""

    def found(self) -> dict[str, str]:
        return {op: rule.name for op, rule in self.rules.items()}

    def chosen(self) -> dict[str, int]:
        return notation.chosen_rules(self.found())

    def ready(self) -> bool:
        return row_search.query_ready(self.row, self.digits, self.found())

    def search(self) -> bool:
        """Write the counts and suppose rows until the query can be worked out. False: nothing fits."""
        counts = row_search.left_counts(self.row, (), self.digits, self.chosen())
        verdict = "back" if not all(count for _, count in counts) else "done" if self.ready() else "take"
        self.add(row_search.Counts(counts, verdict))
        return verdict == "done" or (verdict == "take" and self.suppose(counts, frozenset()))

    def suppose(self, counts: tuple[tuple[int, int], ...], placed: frozenset[str]) -> bool:
        """The rows of the example with the fewest, one by one, as deep as it takes."""
        if not counts:
            return True
        number, n = min(counts, key=lambda each: each[1])
        clue = next(clue for clue in clues(self.row) if clue.number == number)
        e, chosen = self.row.examples[number - 1], self.chosen()
        table = matching(clue, self.digits, notation.row_mode(chosen), chosen)
        below = placed | {str(number)}
        for k in range(1, len(table) + 1):
            before = dict(self.digits), dict(self.rules)
            row = row_search.supposed(e, clue, table, self.digits, k, n)
            self.digits.update(row.pairs)
            self.rules[clue.op] = BY_NAME[row.rule]
            left = row_search.left_counts(self.row, below, self.digits, self.chosen())
            verdict = "back" if not all(count for _, count in left) else "done" if self.ready() else "go"
            self.add(row_search.RowStep(**vars(row), counts=left, verdict=verdict))
            if verdict == "done":
                return True
            if verdict == "go":
                if self.suppose(left, below):
                    return True
                self.add(row_search.RowBack(number, k, n))
            self.digits, self.rules = before
        return False


def render(problem: Problem, parsed: Any, solution: Solution, known: Mapping[str, int], rng: random.Random) -> Trace:
    work = DeriveSearch(parsed, known)
    work.thought -= SPARE
    if not derive(work):
        if not work.ready() and not all(join_of(e) for e in parsed.examples) and not work.search():
            raise Unrenderable("no assignment of the inventory fits")
        if len(work.missing()) == 1:
            work.last()
        work.conclude()
    return gated(problem, work)


KINDS = (*DERIVE_KINDS, row_search.Counts, row_search.RowStep, row_search.RowBack)
DESIGNS = tuple(
    Design("derive-search", family, KINDS, render, tuple(range(11)), RULE_SOURCES) for family in CRYPTARITHMS
)
