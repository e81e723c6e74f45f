"""tail, tail-noA, tail-noL, tail-noM: the search written as a machine would run it, and its three ablations.

After TAIL (arXiv 2507.13332): linear (every step of every branch in the order in which it happens), atomic (one
operation per line) and memory-fetching (whatever a step uses is brought next to it first). The same run of the search
is written four ways: `tail` has all three; noA merges the operations of a computation into one line; noL keeps of
every level its header and the row that stood; noM leaves the fetches out.
"""

import random
from collections.abc import Mapping
from functools import partial
from typing import Any

from puzzles.base import Problem, Solution
from puzzles.cryptarithm.family import CRYPTARITHMS
from puzzles.equations.prompt import Equation, EquationRow
from puzzles.equations.rules import Rule
from reasoning.designs.cryptarithm.engines.forward import gated
from reasoning.designs.cryptarithm.journey import without_detours
from reasoning.designs.cryptarithm.lines import arithmetic, digit_lines, notation, row_search, rule_tests, single_steps
from reasoning.designs.cryptarithm.search import KINDS as SEARCH_KINDS
from reasoning.designs.cryptarithm.search import Searcher, narrate
from reasoning.designs.remainder import mod_steps, sub_steps
from reasoning.grammar.lines import Line
from reasoning.grammar.trace import Design, Trace


def steps_of(group: str, x: str, y: str) -> tuple[str, ...]:
    """The operations behind a value, in order."""
    if group == "mul":
        tens, ones, columns, total = arithmetic.mul_steps(x, y)
        return tens, ones, *columns[1:], f"{columns[0]}={total}"
    if group == "mod":
        return tuple(step for step in mod_steps(x, y)[0] if "-" in step)
    return arithmetic.add_steps(x, y) if group == "add" else sub_steps(x, y)


class Tail(Searcher):
    """A search with its properties switched on or off."""

    def __init__(self, row: EquationRow, shown: Mapping[str, int], atomic: bool, linear: bool, memory: bool):
        super().__init__(row, shown, times=4)  # what noL drops does not count
        self.atomic, self.linear, self.memory = atomic, linear, memory

    def fetch(self, number: int) -> None:
        if self.memory and self.linear:
            e = self.row.examples[number - 1]
            pairs = self._pairs(e.left + e.right + e.output, notation.minus_glyph(e))
            self.add(digit_lines.Decode.of(number, pairs))

    def check(self, number: int, e: Equation, mode: str, group: str, free: str) -> Line:
        self.fetch(number)
        whole = self.test(number, e, mode, group, self.digits, free)
        if not self.atomic:
            return self.add(whole)
        for step in steps_of(group, whole.x, whole.y):
            self.add(single_steps.Step(step))
        value = arithmetic.plain_value(group, whole.x, whole.y)
        flip = "flip " if mode == "flip" else ""
        return self.add(single_steps.Check(number, flip, group, whole.x, whole.y, value, whole.target, whole.verdict))

    def work_out(self, rule: Rule, x: str, y: str) -> None:
        if not self.atomic:
            super().work_out(rule, x, y)
            return
        group = arithmetic.test_group(rule)
        for step in steps_of(group, x, y):
            self.add(single_steps.Step(step))
        self.add(single_steps.QueryValue(group, x, y, arithmetic.plain_value(group, x, y)))


def levels_only(lines: list[Line]) -> list[Line]:
    """Of every level its header and the row that stood, without the computations between."""
    inner = (
        rule_tests.AddTest,
        rule_tests.MulTest,
        rule_tests.SubTest,
        rule_tests.ModTest,
        row_search.SignCheck,
        single_steps.Step,
        single_steps.Check,
    )
    kept = without_detours(lines)
    end = next((i for i, each in enumerate(kept) if isinstance(each, digit_lines.DecodeQuery)), len(kept))
    return [each for i, each in enumerate(kept) if i >= end or not isinstance(each, inner)]


def render(
    problem: Problem,
    parsed: Any,
    solution: Solution,
    known: Mapping[str, int],
    rng: random.Random,
    *,
    atomic: bool = True,
    linear: bool = True,
    memory: bool = True,
) -> Trace:
    work = Tail(parsed, known, atomic, linear, memory)
    narrate(work)
    if not linear:
        work.lines = levels_only(work.lines)
    return gated(problem, work)


KINDS = (*SEARCH_KINDS, digit_lines.Decode, single_steps.Step, single_steps.Check, single_steps.QueryValue)
VARIANTS = {
    "tail": {},
    "tail-noA": {"atomic": False},
    "tail-noL": {"linear": False},
    "tail-noM": {"memory": False},
}
DESIGNS = tuple(
    Design(name, family, KINDS, partial(render, **options), tuple(range(11)))
    for name, options in VARIANTS.items()
    for family in CRYPTARITHMS
)
