"""forced-chain (the study's r7): symbol tables, then numbered lines that each settle one thing.

Drops and pins are bare claims: their kinds have a single outcome and nothing on the line forces it. A chain that is
stuck tries one split into two cases, where that settles the row, and shows the case that fails; else it makes labelled
guesses. A row that ends in a guess keeps it as the training target even when it is wrong: this property of the study is
what the design reproduces. Of 500 rows without digits 202 are chains (54 of them joins), 34 splits, 264 bails (176
wrong), all within 1,850 characters.
"""

import random
from collections.abc import Mapping
from typing import Any

from puzzles.base import Problem, Solution
from puzzles.cryptarithm.family import CRYPTARITHMS
from reasoning.designs.cryptarithm.engines.forced_chain import Forced
from reasoning.designs.cryptarithm.engines.forward import gated
from reasoning.designs.cryptarithm.lines import chain_lines, digit_lines, join_lines, letters, query_lines, rule_tests
from reasoning.grammar.trace import Design, Trace


def render(problem: Problem, parsed: Any, solution: Solution, known: Mapping[str, int], rng: random.Random) -> Trace:
    work = Forced(parsed, known)
    work.narrate()
    return gated(problem, work)


KINDS = (
    *letters.TABLE_KINDS,
    *join_lines.JOIN_KINDS,
    join_lines.Unseen,
    *chain_lines.CHAIN_KINDS,
    *chain_lines.END_KINDS,
    rule_tests.Bet,
    digit_lines.Left,
    digit_lines.Pin,
    *query_lines.QUERY_KINDS,
    query_lines.Undetermined,
)
DESIGNS = tuple(Design("forced-chain", family, KINDS, render, tuple(range(11))) for family in CRYPTARITHMS)
