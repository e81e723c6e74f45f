"""catalog: recall the candidate rows of one example by its signature, check them on the others, depth first.

The design of the challenge's first place, in our wording: what a model memorises (rows per signature, their counts) is
kept apart from what it computes on the page (whether a row's digits carry the other examples). Joins first; a table of
the rules that can print an operator's outputs, with the groups; the example with the fewest rows as anchor (a signature
of length 8 with at most max(30, twice the least) rows goes first); then branch by branch, rule by rule, digit by digit.
Most rows do not fit the small budget unless digits are revealed: the share is a result, not a defect to hide.
"""

import random
from collections.abc import Mapping
from itertools import permutations
from typing import Any

from puzzles.base import Problem, Solution
from puzzles.cryptarithm.family import CRYPTARITHMS
from puzzles.equations.prompt import EquationRow
from puzzles.equations.rules import BY_NAME, VALUE_RULES
from reasoning.designs.cryptarithm.engines.forward import Bounded, gated
from reasoning.designs.cryptarithm.engines.propagation import Clue, clues
from reasoning.designs.cryptarithm.lines import (
    arithmetic,
    digit_lines,
    drop_families,
    join_lines,
    notation,
    query_lines,
    rule_tests,
)
from reasoning.designs.cryptarithm.lines import catalog_lines as catalog
from reasoning.grammar.reveal import RULE_SOURCES
from reasoning.grammar.trace import Design, Trace, Unrenderable


class Cataloguer(Bounded):
    """Writes the catalog thought."""

    def __init__(self, row: EquationRow, shown: Mapping[str, int]):
        super().__init__(row, shown)
        self.active: dict[str, list[str]] = {}

    def tables(self, found: tuple[Clue, ...]) -> None:
        """Signatures with their counts, active families, group precheck."""
        for clue in found:
            e = self.row.examples[clue.number - 1]
            side = notation.side_of(notation.target_of(e, {}, "normal"))
            count = len(catalog.recalled(clue, self.known))
            length = len(notation.target_of(e, {}, "normal").strip("-"))
            self.add(catalog.SignatureLine(clue.number, clue.letters, length, side, count))
        if self.told:
            return
        for op in dict.fromkeys(clue.op for clue in found):
            families = catalog.active(self.row, op)
            if not families:
                raise Unrenderable("no rule of the inventory prints these outputs")
            self.active[op] = list(families)
            self.add(catalog.ActiveLine(op, families))
        again = True
        while again:
            again = False
            for owner, owned in self.active.items():
                groups = {catalog.group_of(family) for family in owned}
                for op in self.active:
                    if len(groups) == 1 and op != owner and any(catalog.group_of(f) in groups for f in self.active[op]):
                        group = next(iter(groups))
                        self.active[op] = [f for f in self.active[op] if catalog.group_of(f) != group]
                        self.add(catalog.GroupLine(op, group, owner))
                        again = True

    def allowed(self, op: str) -> list[str]:
        """Rules of an operator that its table, the row's mode and the other operators' groups allow."""
        if op in self.rules:
            return [self.rules[op].name]
        mode = next((rule.mode for rule in self.rules.values()), "")
        taken = {rule.group for rule in self.rules.values()}
        return [
            rule.name
            for rule in VALUE_RULES
            if drop_families.family_of(rule.name) in self.active[op]
            and rule.mode == (mode or rule.mode)
            and rule.group not in taken
        ]

    def search(self, found: tuple[Clue, ...]) -> bool:
        counts = tuple((clue.number, len(catalog.recalled(clue, self.known))) for clue in found)
        number, why = catalog.anchor_of(counts, {clue.number: len(clue.letters) for clue in found})
        self.add(catalog.AnchorLine(number, why))
        order = catalog.order_of(found, self.row, number, set(self.digits))
        self.add(catalog.OrderLine(order))
        clue = next(clue for clue in found if clue.number == number)
        e, table = self.row.examples[number - 1], catalog.recalled(clue, self.known)
        branches = []
        for k in range(len(table)):
            rule = VALUE_RULES[table.rule[k]]
            row = dict(zip(clue.glyphs, map(int, table.digits[k]), strict=True))
            x, y = notation.operands_of(e, row, rule.mode)
            self.add(catalog.BranchLine(k + 1, rule.name, x, y, arithmetic.written(rule, x, y)))
            branches.append((rule.name, row))
        return self.descend("", number, branches, order)

    def descend(self, path: str, number: int, options: list, order: tuple[int, ...]) -> bool:
        """Take the options (rule name, digits) of an example one by one; below each, scan the next example."""
        op = self.row.examples[number - 1].op
        allowed = set(self.allowed(op))
        for k, (name, row) in enumerate(options, 1):
            if name not in allowed:
                continue
            before = dict(self.digits), dict(self.rules)
            here = f"{path}{'-' if path else ''}{k}/{len(options)}"
            pairs = tuple((glyph, digit) for glyph, digit in row.items() if glyph not in self.digits)
            self.add(catalog.AtLine(here, number, name, pairs))
            self.digits.update(pairs)
            self.rules[op] = BY_NAME[name]
            if not order or self.scan(here, order):
                return True
            self.add(catalog.LeaveLine(here))
            self.digits, self.rules = before
        return False

    def scan(self, path: str, order: tuple[int, ...]) -> bool:
        """Every allowed rule and every choice of unknown operand digits on the next example."""
        number = order[0]
        e = self.row.examples[number - 1]
        unknown = self.unknown(e.left + e.right)
        free = [d for d in range(10) if d not in self.digits.values()]
        options = []
        for name in self.allowed(e.op):
            rule = BY_NAME[name]
            for choice in permutations(free, len(unknown)):
                digits = {**self.digits, **dict(zip(unknown, choice, strict=True))}
                x, y = notation.operands_of(e, digits, rule.mode)
                if x[0] == "0" or y[0] == "0":
                    continue
                value, target = arithmetic.written(rule, x, y), notation.target_of(e, digits, rule.mode)
                verdict = catalog.scanned(value, target, {str(d) for d in digits.values()})
                self.add(catalog.ScanLine(number, name, x, y, value, target, verdict))
                if verdict == "ok":
                    options.append((name, {**digits, **{g: int(d) for g, d in notation.fits(value, target).items()}}))
        self.add(catalog.ScanCount(number, len(options), "deeper" if options else "back"))
        return self.descend(path, number, options, order[1:])


def narrate(work: Cataloguer) -> None:
    row = work.row
    if work.told:
        if work.asked():
            return
    else:
        for op in row.operators:
            if any(e.op == op for e in row.examples):
                verdict = work.join(op)
                if op == row.query.op and verdict != "neither":
                    work.join_query(verdict)
                    return
        if not row.seen:
            work.add(join_lines.Unseen(row.query.op))
    found = clues(row)
    if not found:
        raise Unrenderable("every example is a join")
    work.tables(found)
    if not work.search(found):
        raise Unrenderable("no assignment of the inventory fits")
    if len(work.missing()) == 1:
        work.last()
    work.conclude()


def render(problem: Problem, parsed: Any, solution: Solution, known: Mapping[str, int], rng: random.Random) -> Trace:
    work = Cataloguer(parsed, known)
    narrate(work)
    return gated(problem, work)


KINDS = (
    *join_lines.JOIN_KINDS,
    join_lines.Unseen,
    *catalog.CATALOG_KINDS,
    digit_lines.Left,
    digit_lines.Pin,
    rule_tests.Bet,
    *query_lines.QUERY_KINDS,
    query_lines.Undetermined,
)
DESIGNS = tuple(Design("catalog", family, KINDS, render, tuple(range(11)), RULE_SOURCES) for family in CRYPTARITHMS)
