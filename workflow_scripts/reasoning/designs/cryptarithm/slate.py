"""slate: the candidate keys that the prompt lists, checked against the examples one by one.

It parts verifying from proposing. Where the rules are given, each example is computed under the key and compared; where
they are not, the rules of one reading order are tested and then those of the other. A key falls at the first example
that fails; the first that carries all examples answers the query. When none does the thought says so and boxes nothing.
How many of 200 rows that ask for arithmetic fit 1,850 characters: with rules given all with two keys, 147 with eight
plausible ones, 173 with eight random ones; with rules derived 191, 49 and 56. Arms that are compared have as many keys,
or a budget for all.
"""

import random
from collections.abc import Mapping
from typing import Any

from puzzles.base import Problem, Solution
from puzzles.cryptarithm.family import CRYPTARITHMS
from puzzles.equations.prompt import minus_and_digits
from puzzles.equations.rules import BY_NAME
from reasoning.designs.cryptarithm.engines.forward import Bounded, gated, groups_of
from reasoning.designs.cryptarithm.engines.propagation import MODES, clues
from reasoning.designs.cryptarithm.lines import arithmetic, digit_lines, join_lines, notation, query_lines, rule_tests
from reasoning.designs.cryptarithm.lines.row_search import SignCheck
from reasoning.designs.cryptarithm.lines.slate_lines import ALL, SLATE_KINDS, NoKey, SlateEnd, SlateKey
from reasoning.grammar.reveal import LARGEST_SLATE, RULE_SOURCES
from reasoning.grammar.trace import Design, Trace, Unrenderable


class Checker(Bounded):
    """A worker that takes up candidate keys."""

    def narrate(self) -> None:
        """Write the whole thought of a row."""
        self.look_up()
        if self.asked():
            return
        told = dict(self.rules)
        for k, key in enumerate(self.known.slate, 1):
            self.decoded.clear()
            for mode in (self.known.mode,) if self.told else MODES:
                self.digits, self.rules = dict(key), dict(told)
                self.add(SlateKey(k, mode))
                place = self.computed() if self.told else self.tested_in(mode)
                self.add(SlateEnd(k, mode, place, "stands" if place == ALL else "out"))
                if place == ALL:
                    self.conclude()
                    return
        self.add(NoKey())

    def computed(self) -> str:
        """Compute every example by its rule: the first that differs, or all."""
        for clue in clues(self.row):
            number, e, rule = clue.number, self.row.examples[clue.number - 1], self.rules[clue.op]
            self.decode(number)
            group = arithmetic.test_group(rule)
            each = self.add(self.test(number, e, rule.mode, group, self.digits, ""))
            if each.verdict != ("same" if group in ("sub", "mod") else arithmetic.offset_word(rule)):
                return f"E{number}"
            if group == "sub":
                side, found = notation.side_of(self._value(e, rule)), notation.side_of(each.target)
                verdict = "same" if side == found else "no"
                order = arithmetic.compare(int(each.x), int(each.y))
                self.add(SignCheck(number, rule.base, order, side, found, verdict))
                if verdict == "no":
                    return f"E{number}"
        return ALL

    def tested_in(self, mode: str) -> str:
        """Test the rules of one reading order: the first example whose operator has none, or all."""
        for clue in clues(self.row):
            op, e = clue.op, self.row.examples[clue.number - 1]
            if op in self.rules:
                continue
            taken = {rule.group for rule in self.rules.values()}
            groups = [group for group in groups_of(e, self.canonical) if group not in taken]
            if "sub" in groups and not minus_and_digits(e)[0]:
                groups.insert(groups.index("sub") + 1, "mod")
            for group in groups:
                found = self._try_rule(self.examples(op), group, mode, "")
                if found:
                    self.rules[op] = BY_NAME[found]
                    self.add(rule_tests.RuleFound(op, found))
                    break
            else:
                return f"E{clue.number}"
        return ALL


def render(problem: Problem, parsed: Any, solution: Solution, known: Mapping[str, int], rng: random.Random) -> Trace:
    work = Checker(parsed, known)
    if not work.known.slate:
        raise Unrenderable("the prompt lists no keys")
    work.narrate()
    return gated(problem, work)


KINDS = (
    *join_lines.LOOKUP_KINDS,
    *join_lines.JOIN_KINDS,
    join_lines.Unseen,
    *SLATE_KINDS,
    digit_lines.Decode,
    *rule_tests.TEST_KINDS,
    SignCheck,
    rule_tests.Bet,
    *query_lines.QUERY_KINDS,
    query_lines.Undetermined,
)
DESIGNS = tuple(
    Design("slate", family, KINDS, render, (), RULE_SOURCES, slates=tuple(range(2, LARGEST_SLATE + 1)))
    for family in CRYPTARITHMS
)
