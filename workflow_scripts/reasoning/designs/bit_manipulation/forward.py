"""bit_manipulation / forward: name the rule, test it on two examples, apply it to the query bit by bit.

The rule is recalled, not derived. In half of the rows a rule that differs in one tap or in the gate comes first and is
refuted by an example, so that a test ends in both ways.
"""

import random
from collections.abc import Mapping

from puzzles.base import Problem, Solution
from puzzles.bit_manipulation.inventory import GATES, TAPS, kind
from puzzles.bit_manipulation.prompt import Parsed
from reasoning.designs.bit_manipulation.lines import bits
from reasoning.grammar.lines import Line
from reasoning.grammar.trace import Design, Trace

WRONG_FIRST = 0.5
TESTS = 2


def neighbour(taps: tuple[str, ...], table: str, rng: random.Random) -> tuple[tuple[str, ...], str]:
    """A rule that differs in the amount or kind of one tap, or in the gate."""
    gates = [gate.table for gate in GATES if gate.taps == len(taps) and gate.table != table]
    if rng.random() < 0.25:
        return taps, rng.choice(gates)
    place = rng.randrange(len(taps))
    free = [tap for tap in TAPS[1:] if tap not in taps]
    near = [tap for tap in free if kind(tap) == kind(taps[place]) or tap[3:] == taps[place][3:]]
    return (*taps[:place], rng.choice(near), *taps[place + 1 :]), table


def refuted(parsed: Parsed, taps: tuple[str, ...], table: str) -> list[Line]:
    """The rule and its tests up to the first that fails; empty when none of the first ones does."""
    lines: list[Line] = [bits.rule_line(taps, table)]
    for i, (given, wanted) in enumerate(parsed.examples[:TESTS], 1):
        lines.append(bits.test_line(i, taps, table, f"{given:08b}", f"{wanted:08b}"))
        if lines[-1].verdict == "no":
            return lines
    return []


def render(problem: Problem, parsed: Parsed, solution: Solution, known: Mapping[str, int], rng: random.Random) -> Trace:
    taps, table = bits.found_rule(problem, solution)
    lines: list[Line] = []
    if rng.random() < WRONG_FIRST:
        lines += refuted(parsed, *neighbour(taps, table, rng))
    lines.append(bits.rule_line(taps, table))
    for i, (given, wanted) in enumerate(parsed.examples[:TESTS], 1):
        lines.append(bits.test_line(i, taps, table, f"{given:08b}", f"{wanted:08b}"))
    lines += bits.apply_lines(taps, table, parsed.query)
    return Trace(tuple(lines), problem.answer)


DESIGN = Design("forward", "bit_manipulation", (bits.Rule, bits.Test, *bits.APPLY_KINDS), render)
