"""bit_manipulation / prior-scan (the study's r3): try every rule for one output bit, most frequent kinds first.

Each is a short line of its own; a match is walked over the other bits and verified on the examples. A match by chance
is refuted by its walk, and the scan goes on. Rows that need more than MOST candidates are left out, as the study left
out those beyond its 185.
"""

import random
from collections.abc import Mapping

from puzzles.base import Problem, Solution
from puzzles.bit_manipulation.prompt import Parsed
from reasoning.designs.bit_manipulation.lines import bit_columns as columns
from reasoning.designs.bit_manipulation.lines import bits
from reasoning.grammar.lines import Line
from reasoning.grammar.trace import Design, Trace, Unrenderable

MOST = 120
VERIFIED = 2


def verify_lines(parsed: Parsed, rules: tuple[str, ...], count: int) -> list[Line]:
    lines = []
    for i, (given, wanted) in enumerate(parsed.examples[:count], 1):
        made = "".join(bits.rule_value(rule, f"{given:08b}") for rule in rules)
        lines.append(
            columns.Verify(i, f"{given:08b}", made, f"{wanted:08b}", "yes" if made == f"{wanted:08b}" else "no")
        )
    return lines


def render(problem: Problem, parsed: Parsed, solution: Solution, known: Mapping[str, int], rng: random.Random) -> Trace:
    taps, table = bits.found_rule(problem, solution)
    rules = bits.bit_rules(table, taps)
    inputs, _, input_columns, output_columns = bits.columns(parsed)
    anchor = columns.anchor_of(rules)
    if rules[anchor] not in columns.ORDER[:MOST]:
        raise Unrenderable(f"the rule of the scanned bit is not among the first {MOST}")
    lines: list[Line] = [columns.Column("i", p, column) for p, column in enumerate(input_columns)]
    wanted = output_columns[anchor]
    lines.append(columns.Scan("all", anchor, wanted))
    for rule in columns.ORDER[:MOST]:
        tried = columns.candidate(rule, inputs, wanted)
        lines.append(tried)
        if rule == rules[anchor]:
            break
        if tried.verdict == "match":
            refuted = columns.stuck(anchor, rule, inputs, output_columns)
            if refuted is None:
                raise Unrenderable("another rule fits every bit that it is walked over")
            lines += refuted
    lines += columns.walk_all(anchor, rules, inputs, output_columns)
    lines += verify_lines(parsed, rules, VERIFIED)
    lines += columns.out_lines(rules, parsed.query)
    return Trace(tuple(lines), problem.answer)


KINDS = (columns.Column, columns.Scan, columns.Candidate, columns.Walk, columns.Verify, columns.Out, bits.Answer)
DESIGN = Design("prior-scan", "bit_manipulation", KINDS, render)
