"""forward-only: rows that the witnessed lines solve without any search.

The chain of `witness` without splits, guesses or any line that takes something back. Rows that such lines do not settle
are not rendered. In 1,850 characters it renders every join row; of 267 value rows 10 without digits shown (8 products,
2 sums), of 133 value rows 43 with five and 80 with ten: without a key such an arm trains on joins for the most part.
"""

import random
from collections.abc import Mapping
from typing import Any

from puzzles.base import Problem, Solution
from puzzles.cryptarithm.family import CRYPTARITHMS
from reasoning.designs.cryptarithm.engines.forward import gated
from reasoning.designs.cryptarithm.engines.propagation import State
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
from reasoning.designs.cryptarithm.witness import one_ended
from reasoning.grammar.trace import Design, Trace, Unrenderable


class Purified(Witnessed):
    """A witnessed chain that neither splits nor guesses."""

    guesses = False
    scans = False

    def split(self, state: State) -> None:
        return None

    def give_up(self, state: State) -> None:
        raise Unrenderable("forward lines do not settle it")

    def undetermined(self, what: str, of: str) -> None:
        raise Unrenderable("forward lines do not settle it")


def render(problem: Problem, parsed: Any, solution: Solution, known: Mapping[str, int], rng: random.Random) -> Trace:
    work = Purified(parsed, known, rng)
    work.narrate()
    trace = gated(problem, work)
    return Trace(tuple(one_ended(trace.lines)), trace.answer)


TABLE = (letters.Letters, letters.Operators, letters.FormLine, letters.QueryForm, letters.Disjoint, letters.Given)
KINDS = (
    *TABLE,
    letters.Regime,
    *join_lines.JOIN_KINDS,
    join_lines.Unseen,
    *drop_lines.NOT_KINDS,
    *pin_lines.NARROW_KINDS,
    *pin_lines.PIN_KINDS,
    chain_lines.Rules,
    chain_lines.Resolved,
    rule_tests.Bet,
    digit_lines.Left,
    digit_lines.Pin,
    *query_lines.QUERY_KINDS,
)
DESIGNS = tuple(Design("forward-only", family, KINDS, render, tuple(range(11))) for family in CRYPTARITHMS)
