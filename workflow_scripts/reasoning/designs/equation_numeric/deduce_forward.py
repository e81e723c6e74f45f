"""equation_numeric_deduce / forward: find the query operator's rule from its examples, apply it to the query.

The first rule of the fixed order that fits is taken, also where another one that fits is the hidden one.
"""

import random
from collections.abc import Mapping

from puzzles.base import Problem, Solution
from puzzles.equations.prompt import EquationRow
from reasoning.designs.equation_numeric.engines.scan import Scan
from reasoning.designs.equation_numeric.lines.equation_lines import AT_ONCE, Wording
from reasoning.grammar.trace import Design, Trace


def render(
    problem: Problem,
    parsed: EquationRow,
    solution: Solution,
    known: Mapping[str, int],
    rng: random.Random,
    wording: Wording = AT_ONCE,
) -> Trace:
    scan = Scan(parsed, wording)
    answer = scan.apply(*scan.find(parsed.query.op))
    return Trace(tuple(scan.lines), answer)


DESIGN = Design("forward", "equation_numeric_deduce", AT_ONCE.kinds, render)
