"""witness-balanced: the corrected twin of `witness`.

The same kinds of line, but each is also written with its other outcome on the same opener, before or after as a draw
of the row decides; candidate sets are said before they are used, and a thought that stalls ends undetermined instead
of guessing. Of a split both cases are counted, the one that falls and the one that holds. That digits and operators
share no glyph cannot fail in a generated row, so that this line has no verdict. A letter that the examples settle is
said with a second candidate, and without it only when nothing else is left to write: a lone candidate would be a pin
without a witness, and every test of it would hit. So units, each and left pin in one half to two thirds of their
lines; without digits shown few rows come to a pin at all (units and each: about one line in a hundred rows).
"""

import random
from collections.abc import Mapping
from typing import Any

from puzzles.base import Problem, Solution
from puzzles.cryptarithm.family import CRYPTARITHMS
from reasoning.designs.cryptarithm.engines.forward import gated
from reasoning.designs.cryptarithm.engines.witnessed_chain import Balanced
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
    work = Balanced(parsed, known, rng=rng)
    work.narrate()
    return gated(problem, work)


KINDS = (
    *(kind for kind in letters.TABLE_KINDS if kind is not letters.Disjoint),
    letters.Sets,
    *join_lines.JOIN_KINDS,
    join_lines.Unseen,
    *drop_lines.KILL_KINDS,
    *pin_lines.PIN_KINDS,
    pin_lines.Among,
    *(kind for kind in chain_lines.END_KINDS if kind is not chain_lines.Dead),
    chain_lines.Leaves,
    rule_tests.Bet,
    digit_lines.Left,
    digit_lines.Pin,
    *query_lines.QUERY_KINDS,
    query_lines.Undetermined,
)
DESIGNS = tuple(
    Design("witness-balanced", family, KINDS, render, tuple(range(11)), RULE_SOURCES) for family in CRYPTARITHMS
)
