"""equation_numeric_guess / forward: find the rules of the shown operators, then bet on the query's.

The bet is the solver's most probable rule: recalled, not derived. Rows where it contradicts the rules found are not
rendered; rows where it is wrong are, so that training on right answers only is a selection that an arm states.
"""

import random
from collections.abc import Mapping

from puzzles.base import Problem, Solution
from puzzles.equations.prompt import EquationRow
from puzzles.equations.rules import BY_NAME
from reasoning.designs.equation_numeric.engines.scan import Scan
from reasoning.designs.equation_numeric.lines.equation_lines import AT_ONCE, GROUP_OF, Bet, Wording
from reasoning.grammar.trace import Design, Trace, Unrenderable


def render(
    problem: Problem,
    parsed: EquationRow,
    solution: Solution,
    known: Mapping[str, int],
    rng: random.Random,
    wording: Wording = AT_ONCE,
) -> Trace:
    if solution.answer is None:
        raise Unrenderable(solution.reason or "the solver has no answer")
    scan = Scan(parsed, wording)
    found = [scan.find(op) for op in dict.fromkeys(example.op for example in parsed.examples)]
    bet = BY_NAME[solution.found["query"]]
    mode = bet.mode or "any"
    if mode != "any" and any(other not in ("any", mode) for other, _ in found):
        raise Unrenderable("the rules found are of another mode than the bet")
    if not bet.is_join and bet.group in {GROUP_OF[base] for _, base in found}:
        raise Unrenderable("a rule found is of the bet's group")
    scan.lines.append(Bet(parsed.query.op, mode, bet.base))
    answer = scan.apply(mode, bet.base)
    return Trace(tuple(scan.lines), answer)


DESIGN = Design("forward", "equation_numeric_guess", (*AT_ONCE.kinds, Bet), render)
