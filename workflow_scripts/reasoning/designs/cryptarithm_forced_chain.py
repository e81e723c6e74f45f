"""forced-chain (the study's r7): symbol tables, routing, then numbered lines that each claim one survivor.

Drops and pins are bare claims: their kinds have a single outcome and nothing on the line forces it. A stall is met with
one binary split whose dead case is shown, then with labelled guesses; a bailed row keeps its guess as the training
target even when it is wrong, which is the point of the design and makes it an arm that says so.
"""

import random
from collections.abc import Mapping
from typing import Any

from puzzles.base import Problem, Solution
from reasoning import cryptarithm_letters as letters
from reasoning import cryptarithm_lines as kinds
from reasoning.designs._cryptarithm_chain import Forced
from reasoning.designs._cryptarithm_forward import FAMILIES, gated
from reasoning.trace import Design, Trace


def render(problem: Problem, parsed: Any, solution: Solution, known: Mapping[str, int], rng: random.Random) -> Trace:
    work = Forced(parsed, known)
    work.narrate()
    return gated(problem, work)


KINDS = (
    *letters.TABLE_KINDS,
    *kinds.JOIN_KINDS,
    kinds.Unseen,
    *letters.CHAIN_KINDS,
    *letters.END_KINDS,
    kinds.Bet,
    kinds.Left,
    kinds.Pin,
    *kinds.QUERY_KINDS,
    kinds.Undetermined,
)
DESIGNS = tuple(Design("forced-chain", family, KINDS, render, tuple(range(11))) for family in FAMILIES)
