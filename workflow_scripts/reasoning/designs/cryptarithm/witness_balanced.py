"""witness-balanced: the corrected twin of `witness`.

Every kind of line is also written with its other outcome, after the same opening words; which of the two comes first is
drawn per row. Candidate sets are stated before they are used. A thought that is stuck ends undetermined and does not
guess. Both cases of a split are counted, the one that fails and the one that holds. The line which says that digits and
operators share no glyph has no verdict, because it cannot fail in a generated row.

A letter that the examples settle is first stated with a second candidate. It is stated alone only when nothing else is
left to write: a single candidate would be a pin without a witness, and every test of it would hit. So the kinds units,
each and left pin in one half to two thirds of their lines. Without digits shown few rows come to a pin at all (units
and each: about one line in a hundred rows).
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
