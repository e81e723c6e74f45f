"""search: depth first over recalled candidate rows, every step on the page.

It begins as derive does, with the examples, those that have the query's operator and the test for a join. Each node
says how many catalog rows every open example still has, takes the example with the fewest and supposes its rows one by
one in catalog order. An example whose operator already has a rule and whose operands are known is computed at once; a
value that differs, or an example without any row, sends the search back. It stops when the query can be worked out and
no example is without rows. With digits revealed the search starts from them. Nothing but the page guides it; a thought
longer than the budget is not rendered.
"""

import random
from collections.abc import Mapping
from typing import Any

from puzzles.base import Problem, Solution
from puzzles.cryptarithm.family import CRYPTARITHMS
from puzzles.equations.prompt import Equation
from puzzles.equations.rules import BY_NAME
from reasoning.designs.cryptarithm.engines.forward import Bounded, gated
from reasoning.designs.cryptarithm.engines.propagation import Clue, clues, matching
from reasoning.designs.cryptarithm.engines.wrong_key import swap_digits
from reasoning.designs.cryptarithm.lines import (
    arithmetic,
    digit_lines,
    join_lines,
    notation,
    query_lines,
    row_search,
    rule_tests,
)
from reasoning.grammar.lines import Line
from reasoning.grammar.reveal import RULE_SOURCES
from reasoning.grammar.trace import Design, Trace, Unrenderable

SPARE = 220  # characters of the budget of 1,850 that stay free: a search whose text comes near the limit is not told


class Searcher(Bounded):
    """A worker that supposes candidate rows."""

    def ready(self) -> bool:
        return row_search.query_ready(self.row, self.digits, {op: rule.name for op, rule in self.rules.items()})

    def check(self, number: int, e: Equation, mode: str, group: str, free: str) -> Line:
        """Compute one example and compare it with its output."""
        return self.add(self.test(number, e, mode, group, self.digits, free))

    def fetch(self, number: int) -> None:
        """Bring an example next to where it is used; nothing here."""

    def compute(self, open_clues: list[Clue]) -> list[Clue] | None:
        """Compute every open example that the rules and digits allow; what is still open, None on a clash."""
        rest = list(open_clues)
        progress = True
        while progress:
            progress = False
            for clue in rest:
                e = self.row.examples[clue.number - 1]
                rule = self.rules.get(clue.op)
                if rule is None or self.unknown(e.left + e.right):
                    continue
                free = "".join(str(d) for d in range(10) if d not in self.digits.values())
                each = self.check(clue.number, e, rule.mode, arithmetic.test_group(rule), free)
                if each.verdict not in ("several", arithmetic.offset_word(rule) if rule.group != "sub" else "same"):
                    return None
                if rule.group == "sub" and rule.base != "mod":
                    side, found = notation.side_of(self._value(e, rule)), notation.side_of(each.target)
                    verdict = "same" if side == found else "no"
                    order = arithmetic.compare(int(each.x), int(each.y))
                    self.add(row_search.SignCheck(clue.number, rule.base, order, side, found, verdict))
                    if verdict == "no":
                        return None
                self._read_off(clue.number, e)
                rest = [each for each in rest if each is not clue]
                progress = True
                break
        return rest

    def give_back(self, number: int, k: int, n: int) -> None:
        """Say that a supposed row is taken back."""
        self.add(row_search.UndoRow(number, k, n))

    def search(self, open_clues: list[Clue]) -> bool:
        """Suppose rows until the query can be worked out. False: nothing below this node fits."""
        if not open_clues:
            return True
        chosen = notation.chosen_rules({op: rule.name for op, rule in self.rules.items()})
        tables = {c.number: matching(c, self.digits, notation.row_mode(chosen), chosen) for c in open_clues}
        counts = tuple((number, min(row_search.COUNT_CAP, len(table))) for number, table in tables.items())
        if not all(count for _, count in counts):
            self.add(row_search.Counts(counts, "back"))
            return False
        if self.ready():
            self.add(row_search.Counts(counts, "done"))
            return True
        self.add(row_search.Counts(counts, "take"))
        number, n = min(counts, key=lambda each: each[1])
        clue = next(clue for clue in open_clues if clue.number == number)
        e = self.row.examples[number - 1]
        for k in range(1, len(tables[number]) + 1):
            before = dict(self.digits), dict(self.rules)
            supposed = row_search.supposed(e, clue, tables[number], self.digits, k, n)
            self.fetch(number)
            self.add(supposed)
            self.digits.update(supposed.pairs)
            self.rules[clue.op] = BY_NAME[supposed.rule]
            rest = self.compute([each for each in open_clues if each is not clue])
            if rest is not None and self.search(rest):
                return True
            self.give_back(number, k, n)
            self.digits, self.rules = before
        return False


def narrate(work: Searcher) -> None:
    """Write the whole thought of a row."""
    row = work.row
    work.look_up()
    if work.asked():
        return
    if not work.search(list(clues(row))):
        if work.left_over()[0]:
            raise Unrenderable("no assignment of the inventory fits")
        work.undetermined("rule", row.query.op)  # the shown key is wrong
        return
    if len(work.missing()) == 1:
        work.last()
    work.conclude()


def render(problem: Problem, parsed: Any, solution: Solution, known: Mapping[str, int], rng: random.Random) -> Trace:
    work = Searcher(parsed, known)
    work.thought -= SPARE
    narrate(work)
    return gated(problem, work)


KINDS = (
    *join_lines.LOOKUP_KINDS,
    *join_lines.JOIN_KINDS,
    join_lines.Unseen,
    row_search.Counts,
    row_search.RowTry,
    row_search.UndoRow,
    rule_tests.AddTest,
    rule_tests.MulTest,
    rule_tests.SubTest,
    rule_tests.ModTest,
    row_search.SignCheck,
    digit_lines.ReadOff,
    digit_lines.Left,
    digit_lines.Pin,
    rule_tests.Bet,
    *query_lines.QUERY_KINDS,
    query_lines.Undetermined,
)
DESIGNS = tuple(
    Design("search", family, KINDS, render, tuple(range(11)), RULE_SOURCES, swap_digits) for family in CRYPTARITHMS
)
