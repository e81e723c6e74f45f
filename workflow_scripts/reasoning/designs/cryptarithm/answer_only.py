"""answer-only: no thought, the boxed answer alone; the control for every design that shows work."""

import random
from collections.abc import Mapping
from typing import Any

from puzzles.base import Problem, Solution
from puzzles.cryptarithm.family import CRYPTARITHMS
from reasoning.grammar.trace import Design, Trace


def render(problem: Problem, parsed: Any, solution: Solution, known: Mapping[str, int], rng: random.Random) -> Trace:
    return Trace((), problem.answer)


DESIGNS = tuple(Design("answer-only", family, (), render, tuple(range(11))) for family in CRYPTARITHMS)
