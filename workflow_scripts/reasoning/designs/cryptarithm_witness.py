"""witness (the study's r8): the forced chain, but every drop and pin carries a compact witness.

Rules fall by sign, range, value or an enumeration of units; letters are pinned by copying, units, trying each candidate
or what is left over. Two quirks are kept because they are the point: every such kind is written with one outcome only
(drop, pin), and the candidate sets on the lines are engine state whose narrowing the page never shows. Bailed rows keep
their guess as the target, right or wrong.
"""

import random
from collections.abc import Mapping
from typing import Any

from puzzles.base import Problem, Solution
from reasoning import cryptarithm_letters as letters
from reasoning import cryptarithm_lines as kinds
from reasoning.designs._cryptarithm_chain import Witnessed
from reasoning.designs._cryptarithm_forward import FAMILIES, gated
from reasoning.reveal import RULES
from reasoning.trace import Design, Trace


def render(problem: Problem, parsed: Any, solution: Solution, known: Mapping[str, int], rng: random.Random) -> Trace:
    work = Witnessed(parsed, known)
    work.narrate()
    return gated(problem, work)


KINDS = (
    *letters.TABLE_KINDS,
    *kinds.JOIN_KINDS,
    kinds.Unseen,
    *letters.KILL_KINDS,
    *letters.PIN_KINDS,
    *letters.END_KINDS,
    kinds.Bet,
    kinds.Left,
    kinds.Pin,
    *kinds.QUERY_KINDS,
    kinds.Undetermined,
)
DESIGNS = tuple(Design("witness", family, KINDS, render, tuple(range(11)), RULES) for family in FAMILIES)
