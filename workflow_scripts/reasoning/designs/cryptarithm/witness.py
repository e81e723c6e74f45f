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
from puzzles.cryptarithm.family import CRYPTARITHMS
from reasoning.designs.cryptarithm.engines.forward import gated
from reasoning.designs.cryptarithm.engines.witnessed_chain import Witnessed
from reasoning.designs.cryptarithm.lines import (
    chain_lines,
    digit_lines,
    drop_lines,
    join_lines,
    letters,
    pin_lines,
    query_lines,
    rule_tests,
)
from reasoning.grammar.reveal import RULE_SOURCES
from reasoning.grammar.trace import Design, Trace


def render(problem: Problem, parsed: Any, solution: Solution, known: Mapping[str, int], rng: random.Random) -> Trace:
    work = Witnessed(parsed, known)
    work.narrate()
    return gated(problem, work)


KINDS = (
    *letters.TABLE_KINDS,
    *join_lines.JOIN_KINDS,
    join_lines.Unseen,
    *drop_lines.KILL_KINDS,
    *pin_lines.PIN_KINDS,
    *chain_lines.END_KINDS,
    rule_tests.Bet,
    digit_lines.Left,
    digit_lines.Pin,
    *query_lines.QUERY_KINDS,
    query_lines.Undetermined,
)
DESIGNS = tuple(Design("witness", family, KINDS, render, tuple(range(11)), RULE_SOURCES) for family in CRYPTARITHMS)
