"""forward-only: rows that witnessed lines alone carry to the answer; the search is not hidden but absent.

The purified corpus: the chain of `witness` without splits, guesses or any line that takes something back. Rows that
such lines do not settle are not rendered.
"""

import random
from collections.abc import Mapping
from typing import Any

from puzzles.base import Problem, Solution
from reasoning import cryptarithm_letters as letters
from reasoning import cryptarithm_lines as kinds
from reasoning.designs._cryptarithm_chain import Witnessed
from reasoning.designs._cryptarithm_forward import FAMILIES, gated
from reasoning.propagation import State
from reasoning.trace import Design, Trace, Unrenderable


class Purified(Witnessed):
    """A witnessed chain that has to arrive by itself."""

    guesses = False
    scans = False

    def split(self, state: State) -> None:
        return None

    def give_up(self, state: State) -> None:
        raise Unrenderable("forward lines do not settle it")

    def undetermined(self, what: str, of: str) -> None:
        raise Unrenderable("forward lines do not settle it")


def render(problem: Problem, parsed: Any, solution: Solution, known: Mapping[str, int], rng: random.Random) -> Trace:
    work = Purified(parsed, known)
    work.narrate()
    return gated(problem, work)


TABLE = (letters.Letters, letters.Operators, letters.FormLine, letters.QueryForm, letters.Disjoint, letters.Given)
KINDS = (
    *TABLE,
    letters.Regime,
    *kinds.JOIN_KINDS,
    kinds.Unseen,
    *letters.KILL_KINDS,
    *letters.PIN_KINDS,
    letters.Rules,
    letters.Resolved,
    kinds.Bet,
    kinds.Left,
    kinds.Pin,
    *kinds.QUERY_KINDS,
)
DESIGNS = tuple(Design("forward-only", family, KINDS, render, tuple(range(11))) for family in FAMILIES)
