"""bit_manipulation / tap-table (the study's v15): from per-bit rules to taps of the whole byte.

Write the examples as columns, scan one output bit with whole kinds of rules summarised, walk the other bits, lift the
eight rules to taps and a table, verify every example, apply. A rule that fits the scanned bit by chance is walked until
it is stuck.
"""

import random
from collections.abc import Mapping

from puzzles.base import Problem, Solution
from puzzles.bit_manipulation.prompt import Parsed
from reasoning.designs.bit_manipulation.lines import bit_columns as columns
from reasoning.designs.bit_manipulation.lines import bits
from reasoning.designs.bit_manipulation.prior_scan import verify_lines
from reasoning.grammar.lines import Bits, Line, line
from reasoning.grammar.page import Page
from reasoning.grammar.trace import Design, Trace, Unrenderable

WINDOW = 3


@line
class Lock(Line):
    """The taps and the table whose per-bit rules are the eight that were found."""

    KIND = "bits/lock"
    TEXT = "lock {taps:,}: {table: =}"
    ROLES = "taps:TA table:TA~"
    taps: tuple[bits.Tap, ...]
    table: tuple[tuple[Bits, bits.Bit], ...]

    def transcription(self, page: Page) -> bool:
        known = page.names("bit rule")
        return self.arithmetic(page) and known == {str(j): rule for j, rule in enumerate(self._rules())}

    def arithmetic(self, page: Page) -> bool:
        return bits.whole_table(self.table, len(self.taps)) and all(bits.tap_value(tap, "0" * 8) for tap in self.taps)

    def _rules(self) -> tuple[str, ...]:
        return bits.bit_rules("".join(bit for _, bit in self.table), self.taps)

    def establish(self, page: Page) -> None:
        page.put("rule", "", (self.taps, dict(self.table)))


def render(problem: Problem, parsed: Parsed, solution: Solution, known: Mapping[str, int], rng: random.Random) -> Trace:
    taps, table = bits.found_rule(problem, solution)
    rules = bits.bit_rules(table, taps)
    inputs, _, input_columns, output_columns = bits.columns(parsed)
    anchor = columns.anchor_of(rules)
    wanted = output_columns[anchor]
    lines: list[Line] = [columns.Column("i", p, column) for p, column in enumerate(input_columns)]
    lines += [columns.Column("o", p, column) for p, column in enumerate(output_columns)]
    lines.append(columns.Scan("tiers", anchor, wanted))
    for head, family in columns.HEAD_RULES.items():
        tried = [columns.candidate(rule, inputs, wanted) for rule in family]
        matches = [place for place, each in enumerate(tried) if each.verdict == "match"]
        lines.append(columns.Tier(head, "some" if matches else "none"))
        own = family.index(rules[anchor]) if rules[anchor] in family else None
        for place in matches:
            if place == own:
                break
            refuted = columns.stuck(anchor, family[place], inputs, output_columns)
            if refuted is None:
                raise Unrenderable("another rule fits every bit that it is walked over")
            lines += [tried[place], *refuted]
        if own is not None:
            first = max([place + 1 for place in matches if place < own], default=0)
            lines += tried[max(first, own - WINDOW) : own + 1]
            break
    lines += columns.walk_all(anchor, rules, inputs, output_columns)
    lines.append(Lock(taps, bits.entries(table)))
    lines += verify_lines(parsed, rules, len(parsed.examples))
    lines += bits.apply_lines(taps, table, parsed.query)
    return Trace(tuple(lines), problem.answer)


KINDS = (
    columns.Column,
    columns.Scan,
    columns.Tier,
    columns.Candidate,
    columns.Walk,
    Lock,
    columns.Verify,
    *bits.APPLY_KINDS,
)
DESIGN = Design("tap-table", "bit_manipulation", KINDS, render)
