"""witness (the study's r8) and what differs from it in one thing.

The forced chain, but every drop and pin carries a compact witness, and letters have the digits that lines have left
them, no others: what an example leaves is said where the study's engine narrowed silently. Rules fall by sign, range
(operands as far as their digits are known), an output that is an operand, units, values, a few readings, units in both
orders, or all rules of an order at once; letters are settled by copying, columns with their carry, inverse operations,
units, readings, what is left over, or the one place of a digit. A row without a single split that settles it ends in
guesses, and keeps their answer as its target, right or wrong. The study drew its rows until 55 in 100 were chains
(joins among them), 30 splits and 15 such bails: the selection ends-55-30-15 of a corpus. Of 1,000 rows without digits
192 are chains (107 of them joins), 153 splits, 651 bails (423 wrong); within 1,850 characters 124, 19 and 358, so a
corpus of that selection needs longer thoughts.

    witness               a rule is named only to be dropped (`not`)
    witness-undetermined  the same rows and lines, but a bail ends in saying what is missing, and boxes nothing
    witness-hidden        the same rows, a line for each line, but drops and pins without their witness
    witness-onesided      with every drop stands a test of the same kind that keeps (`may`): each opening has one end
    witness-balanced      the same rows and lines, but both ends have one opening (`try`)

So undetermined and hidden are to be compared with witness, balanced with onesided.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import partial
from typing import Any

from puzzles.base import Problem, Solution, row_rng
from puzzles.cryptarithm.family import CRYPTARITHMS
from puzzles.equations.rules import VALUE_RULES
from reasoning.designs.cryptarithm.engines.forward import gated
from reasoning.designs.cryptarithm.engines.witnessed_chain import Witnessed
from reasoning.designs.cryptarithm.lines import (
    chain_lines,
    digit_lines,
    drop_families,
    drop_lines,
    drop_units,
    join_lines,
    letters,
    pin_lines,
    query_lines,
    rule_tests,
)
from reasoning.grammar.lines import Line
from reasoning.grammar.page import Page
from reasoning.grammar.reveal import RULE_SOURCES
from reasoning.grammar.trace import Design, Trace

ONE_END = {
    "drop": dict(zip(drop_lines.TEST_KINDS, drop_lines.NOT_KINDS, strict=True)),
    "keep": dict(zip(drop_lines.TEST_KINDS, drop_lines.MAY_KINDS, strict=True)),
}


def one_ended(lines: Sequence[Line]) -> list[Line]:
    """Tests under the opening word that tells their end."""
    return [
        ONE_END[each.verdict][type(each)](**{part.name: getattr(each, part.name) for part in fields(each)})
        if type(each) in drop_lines.TEST_KINDS
        else each
        for each in lines
    ]


def without_witness(lines: Sequence[Line], page: Page) -> list[Line]:
    """Of every drop and pin its conclusion alone; reads the page up to each line for the rules that fall by it."""
    found = []
    for each in lines:
        before = {op: letters.gone(page, op) for op in letters.OPERATORS}
        each.establish(page)
        if isinstance(each, pin_lines.PinLine):
            each = chain_lines.AssertPins(each.step, each.pairs, "pin")
        elif isinstance(each, drop_lines.TestMode | drop_units.TestOrder):
            each = chain_lines.AssertMode(each.step, each.mode, each.op, "drop")
        elif isinstance(each, drop_families.FamiliesTest):
            each = drop_lines.AssertFamilies(each.step, each.op, each.order(), each.families, "drop")
        elif isinstance(each, drop_lines.TestGroup):
            fallen = letters.gone(page, each.op) - before[each.op]
            families = dict.fromkeys(drop_families.family_of(rule.name) for rule in VALUE_RULES if rule.name in fallen)
            each = drop_lines.AssertFamilies(each.step, each.op, "any", tuple(families), "drop")
        elif type(each) in drop_lines.TEST_KINDS:
            fallen = letters.gone(page, each.op) - before[each.op]
            rules = tuple(rule.name for rule in VALUE_RULES if rule.name in fallen)
            each = chain_lines.AssertDrop(each.step, each.op, rules, "drop")
        found.append(each)
    return found


def render(
    problem: Problem,
    parsed: Any,
    solution: Solution,
    known: Mapping[str, int],
    rng: random.Random,
    *,
    twins: bool = False,
    ends: bool = True,
    guess: bool = True,
    shown: bool = True,
) -> Trace:
    """twins: tests that keep, too. ends: the opening word tells the end. guess: at a bail. shown: the witness."""
    work = Witnessed(parsed, known, row_rng(0, "witness", problem.id), twins)  # the same draws in every design
    work.narrate()
    trace = gated(problem, work)
    lines, answer = list(trace.lines), trace.answer
    if not guess and work.instead is not None:
        lines, answer = [*lines[: work.cut], work.instead], None
    if not shown:
        lines = without_witness(lines, Page(problem.family, parsed, known))
    return Trace(tuple(one_ended(lines) if ends and shown else lines), answer)


COMMON = (
    *letters.TABLE_KINDS,
    *join_lines.JOIN_KINDS,
    join_lines.Unseen,
    *pin_lines.NARROW_KINDS,
    *chain_lines.END_KINDS,
    rule_tests.Bet,
    digit_lines.Left,
    digit_lines.Pin,
    *query_lines.QUERY_KINDS,
    query_lines.Undetermined,
)
BARE = (chain_lines.AssertDrop, drop_lines.AssertFamilies, chain_lines.AssertMode, chain_lines.AssertPins)
VARIANTS: dict[str, tuple[dict[str, bool], tuple[type[Line], ...]]] = {
    "witness": ({}, (*drop_lines.NOT_KINDS, *pin_lines.PIN_KINDS)),
    "witness-undetermined": ({"guess": False}, (*drop_lines.NOT_KINDS, *pin_lines.PIN_KINDS)),
    "witness-hidden": ({"shown": False}, BARE),
    "witness-onesided": ({"twins": True}, (*drop_lines.NOT_KINDS, *drop_lines.MAY_KINDS, *pin_lines.PIN_KINDS)),
    "witness-balanced": ({"twins": True, "ends": False}, (*drop_lines.TEST_KINDS, *pin_lines.PIN_KINDS)),
}
DESIGNS = tuple(
    Design(name, family, (*COMMON, *kinds), partial(render, **options), tuple(range(11)), RULE_SOURCES)
    for name, (options, kinds) in VARIANTS.items()
    for family in CRYPTARITHMS
)
