"""bit_manipulation / per-bit (the study's v14): find the rule of one output bit, give the other bits by moving its
positions along, check one of them, apply bit by bit.

Of the scan only the last rejected rules are shown; the others are skipped and counted. At edges the stride changes the
rule without an argument. Both are the design's own gaps.
"""

import random
from collections.abc import Mapping

from puzzles.base import Problem, Solution
from puzzles.bit_manipulation.prompt import Parsed
from reasoning.designs.bit_manipulation.lines import bit_columns as columns
from reasoning.designs.bit_manipulation.lines import bits
from reasoning.grammar.lines import Line, line
from reasoning.grammar.page import Page
from reasoning.grammar.trace import Design, Trace

WINDOW = 8


@line
class Stride(Line):
    """The rules of all eight output bits, each the one before moved by one unless its kind changes at an edge."""

    KIND = "bits/stride"
    TEXT = "stride {rules: }"
    ROLES = "rules:A/T~"
    rules: tuple[columns.Rule, ...]

    def transcription(self, page: Page) -> bool:
        scanned = page.get("scan", "bit")
        return (
            scanned is not None
            and scanned < len(self.rules) == 8
            and self.rules[scanned] == page.get("bit rule", str(scanned))
        )

    def arithmetic(self, page: Page) -> bool:
        if not all(map(bits.parts, self.rules)):
            return False
        return all(columns.step(a, 1) == b or edge(a, b) for a, b in zip(self.rules, self.rules[1:], strict=False))

    def establish(self, page: Page) -> None:
        for j, rule in enumerate(self.rules):
            page.put("bit rule", str(j), rule)


def edge(before: str, after: str) -> bool:
    """Whether something leaves or enters: the rule's kind or number of positions changes, or one of its positions is an
    end of the byte."""
    first, second = bits.parts(before), bits.parts(after)
    return first[1] != second[1] or 7 in first[0] or 0 in second[0]


def render(problem: Problem, parsed: Parsed, solution: Solution, known: Mapping[str, int], rng: random.Random) -> Trace:
    taps, table = bits.found_rule(problem, solution)
    rules = bits.bit_rules(table, taps)
    inputs, _, input_columns, output_columns = bits.columns(parsed)
    anchor = columns.anchor_of(rules)
    place = columns.ORDER.index(rules[anchor])
    wanted = output_columns[anchor]
    window: list[Line] = []
    for rule in reversed(columns.ORDER[max(0, place - WINDOW) : place]):
        tried = columns.candidate(rule, inputs, wanted)
        if tried.verdict == "match":
            break  # a match by chance is skipped with those before it
        window.insert(0, tried)
    lines: list[Line] = [columns.Column("i", p, column) for p, column in enumerate(input_columns)]
    lines += [columns.Scan("window", anchor, wanted), columns.Skip(place - len(window)), *window]
    lines += [columns.candidate(rules[anchor], inputs, wanted), Stride(rules)]
    other = rng.choice([j for j in range(8) if j != anchor])
    lines.append(columns.walk(other, rules[other], inputs, output_columns[other]))
    lines += columns.out_lines(rules, parsed.query)
    return Trace(tuple(lines), problem.answer)


KINDS = (
    columns.Column,
    columns.Scan,
    columns.Skip,
    columns.Candidate,
    Stride,
    columns.Walk,
    columns.Out,
    bits.Answer,
)
DESIGN = Design("per-bit", "bit_manipulation", KINDS, render)
