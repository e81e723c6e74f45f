"""bit_manipulation / catalog-repair (the challenge's first place): project a per-bit guess onto the catalog.

Select a rule for every output bit by runs that move along by one, then recall the nearest rules of the catalog and
check where they differ, until one fits. A bit that no rule of at most two positions fits is selected as C1 by default.
Catalog rules come by Hamming distance from the selection, at most MOST of them; only the bits in which they differ need
a check, and a candidate that changes a fitting bit to another fitting rule passes there.
"""

import random
from collections.abc import Mapping, Sequence

from puzzles.base import Problem, Solution
from puzzles.bit_manipulation import catalog as bit_catalog
from puzzles.bit_manipulation.prompt import Parsed
from reasoning.designs.bit_manipulation.lines import bit_columns as columns
from reasoning.designs.bit_manipulation.lines import bits
from reasoning.grammar.lines import PASSED, SEEN, Bits, Digit, Line, line
from reasoning.grammar.page import Page
from reasoning.grammar.trace import Design, Trace, Unrenderable

MOST = 32
DEFAULT = "C1"


@line
class Select(Line):
    """The rule selected for an output bit: one that fits its column, or the default where none does."""

    KIND = "bits/select"
    TEXT = "o{j} {wanted} {rule} {column} {verdict}"
    OUTCOMES = {"fits": PASSED, "default": SEEN}
    FORCED_BY = "the rule's column against the wanted column"
    ROLES = "j:T wanted:TV rule:A~ column:AV"
    j: Digit
    wanted: Bits
    rule: columns.Rule
    column: Bits
    verdict: str

    def transcription(self, page: Page) -> bool:
        due = len(page.names("selected"))
        return self.j == due < 8 and columns.columns_of(page)[3][self.j] == self.wanted

    def arithmetic(self, page: Page) -> bool:
        return columns.computed(page, self.rule, self.column)

    def verdict_follows(self, page: Page) -> bool:
        return columns.forced(self.column, self.wanted) is (self.verdict == "fits")

    def establish(self, page: Page) -> None:
        page.put("selected", str(self.j), self.rule)
        page.put("bit rule", str(self.j), self.rule)


@line
class Recall(Line):
    """A catalog rule: its number, its distance from the selection, and the bits in which it differs."""

    KIND = "bits/recall"
    TEXT = "#{row} d{distance} {changes:,=|none}"
    ROLES = "row:T distance:A changes:TA"
    row: int
    distance: int
    changes: tuple[tuple[Digit, columns.Rule], ...]

    def transcription(self, page: Page) -> bool:
        selected = page.names("selected")
        changed = {**selected, **{str(j): rule for j, rule in self.changes}}
        sequences = bit_catalog.catalog().sequences
        return 0 <= self.row < len(sequences) and sequences[self.row] == tuple(changed.get(str(j)) for j in range(8))

    def arithmetic(self, page: Page) -> bool:
        selected = page.names("selected")
        return self.distance == len(self.changes) and all(selected.get(str(j)) != rule for j, rule in self.changes)

    def establish(self, page: Page) -> None:
        for j, rule in page.names("selected").items():
            page.put("bit rule", j, rule)
        for j, rule in self.changes:
            page.put("bit rule", str(j), rule)


def select(inputs: Sequence[str], outputs: Sequence[str]) -> list[str]:
    """For every output bit a fitting rule, such that runs from one bit to the next moved by one are long."""
    fitting = columns.fitting(inputs, outputs)
    run: list[dict[str, int]] = [{} for _ in range(9)]
    for j in range(7, -1, -1):
        run[j] = {rule: 1 + run[j + 1].get(columns.step(rule, 1), 0) for rule in fitting[j]}
    chosen: list[str] = []
    while len(chosen) < 8:
        j = len(chosen)
        if not run[j]:
            chosen.append(DEFAULT)
            continue
        rule = max(run[j], key=run[j].get)  # the first of equals, in the order of the scan
        for _ in range(run[j][rule]):
            chosen.append(rule)
            rule = columns.step(rule, 1)
    return chosen


def repair(chosen: Sequence[str], inputs: Sequence[str], outputs: Sequence[str]) -> tuple[list[Line], tuple[str, ...]]:
    """The recalled rules with their checks up to the first that fits, and its eight rules."""
    lines: list[Line] = []
    for distance, row in bit_catalog.nearest(chosen, MOST):
        sequence = bit_catalog.catalog().sequences[row]
        changes = tuple((j, rule) for j, rule in enumerate(sequence) if rule != chosen[j])
        lines.append(Recall(row, distance, changes))
        kept = [j for j, rule in enumerate(sequence) if rule == chosen[j]]
        fits = all(bits.rule_column(chosen[j], inputs) == outputs[j] for j in kept)
        for j, rule in changes:
            lines.append(columns.walk(j, rule, inputs, outputs[j]))
            if lines[-1].verdict == "no":
                fits = False
                break
        if fits:
            return lines, sequence
    raise Unrenderable(f"none of the {MOST} nearest rules fits")


def render(problem: Problem, parsed: Parsed, solution: Solution, known: Mapping[str, int], rng: random.Random) -> Trace:
    inputs, _, input_columns, output_columns = bits.columns(parsed)
    chosen = select(inputs, output_columns)
    lines: list[Line] = [columns.Column("i", p, column) for p, column in enumerate(input_columns)]
    for j, rule in enumerate(chosen):
        found = columns.walk(j, rule, inputs, output_columns[j])
        verdict = "fits" if found.verdict == "ok" else "default"
        lines.append(Select(j, found.wanted, rule, found.column, verdict))
    repaired, sequence = repair(chosen, inputs, output_columns)
    lines += repaired
    lines += columns.out_lines(sequence, parsed.query)
    if lines[-1].byte != problem.answer:
        raise Unrenderable("the first catalog rule that fits gives another answer")
    return Trace(tuple(lines), problem.answer)


KINDS = (columns.Column, Select, Recall, columns.Walk, columns.Out, bits.Answer)
DESIGN = Design("catalog-repair", "bit_manipulation", KINDS, render)
