"""derive: decode with the shown key, test the rules of the inventory, work the query out, encode.

It first writes the examples down and looks up which of them have the query's operator: the one to test a rule on is
then read off the page. A join is answered from the glyphs alone. A digit that the key does not show is filled only by
lines that show all work (an output read off a computed value, every digit left tried in one equation, the last digit
left); otherwise the thought ends in an explicit `undetermined` line and boxes nothing, as it does in a few training
rows whose key is wrong (engines/wrong_key.py). The forward design of the first
slice; with the key fully shown it is the intervention of the study's section 5 with its arithmetic and its rule tests
on the page.
"""

import random
from collections.abc import Mapping
from typing import Any

from puzzles.base import Problem, Solution
from puzzles.cryptarithm.family import CRYPTARITHMS
from puzzles.equations.prompt import join_of
from reasoning.designs.cryptarithm.engines.forward import Worker, gated, until_fixed
from reasoning.designs.cryptarithm.engines.wrong_key import swap_digits
from reasoning.designs.cryptarithm.lines import digit_lines, join_lines, query_lines, rule_tests
from reasoning.grammar.reveal import RULE_SOURCES
from reasoning.grammar.trace import Design, Trace


def derive(work: Worker) -> bool:
    """Write the forward steps of a row; True when they have answered it, as a join."""
    row = work.row
    work.look_up()
    if work.asked():
        return True
    joins = {e.op for e in row.examples if join_of(e)}
    others = [op for op in row.operators if op != row.query.op and op not in joins]

    def wanted() -> bool:
        """Is a digit or rule still needed, and can more lines bring it? With every digit known no other rule brings the
        query's. A bet needs the mode, and the other groups unless the sign tells its own."""
        if work.lacking():
            return True
        if row.seen:
            return row.query.op not in work.rules and bool(work.left_over()[0])
        return len(work.rules) < (min(1, len(others)) if work.canonical else len(others))

    def rule_of_query() -> bool:
        return row.seen and row.query.op not in work.rules and work.find_rule(row.query.op)

    def rule_of_other() -> bool:
        return wanted() and any(op not in work.rules and work.find_rule(op) for op in others)

    def last_digit() -> bool:
        return wanted() and work.last()

    def trials() -> bool:
        return wanted() and any(work.trial(number, e) for number, e in enumerate(row.examples, 1))

    def readings() -> bool:
        return wanted() and any(work.read(number, e) for number, e in enumerate(row.examples, 1))

    if work.digits:
        find = (readings,) if work.told else (rule_of_query, rule_of_other)
        until_fixed(last_digit, *find, trials)
    return False


def render(problem: Problem, parsed: Any, solution: Solution, known: Mapping[str, int], rng: random.Random) -> Trace:
    work = Worker(parsed, known)
    if not derive(work):
        work.conclude()
    return gated(problem, work)


KINDS = (
    *join_lines.LOOKUP_KINDS,
    *join_lines.JOIN_KINDS,
    join_lines.Unseen,
    digit_lines.Left,
    digit_lines.Decode,
    digit_lines.Try,
    digit_lines.Pin,
    digit_lines.ReadOff,
    *rule_tests.TEST_KINDS,
    rule_tests.Bet,
    *query_lines.QUERY_KINDS,
    query_lines.Undetermined,
)
DESIGNS = tuple(
    Design("derive", family, KINDS, render, tuple(range(11)), RULE_SOURCES, swap_digits) for family in CRYPTARITHMS
)
