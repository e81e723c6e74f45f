"""Every design: rendered traces read back, are valid on every axis, end in the answer and stay short.

Rows are drawn fresh; the forward designs are also rendered on the real rows that BENCHMARK_CSV points at.
"""

import csv
import os
from collections import Counter
from functools import cache

import pytest

from puzzles.base import Problem, Solution, row_rng
from puzzles.registry import FAMILIES
from reasoning.grammar.reveal import shown_key, shown_prompt
from reasoning.grammar.trace import Box, Trace, Unrenderable, completion_of, parse_completion
from reasoning.judging.audit import audit, is_valid
from reasoning.registry import DESIGNS, design_of

FORWARD = sorted(family for family, design in DESIGNS if design == "forward")
N = 300
# Share of generated rows that the procedure tells, and mean length, measured on 2,000 rows and rounded outwards.
EXPECTED = {
    "numeral": (1.0, 90),
    "unit_conversion": (0.75, 460),
    "gravity": (0.75, 580),
    "cipher": (0.97, 360),
    "equation_numeric_deduce": (0.88, 330),
    "equation_numeric_guess": (0.3, 620),
}


@cache
def solved(family: str, n: int = N) -> list[tuple[Problem, object, Solution]]:
    module = FAMILIES[family]
    problems = module.generate(row_rng(11, family), n)
    parsed = [(problem, module.parse(problem.prompt)) for problem in problems]
    return [(problem, row, module.solve(row)) for problem, row in parsed]


def rendered(family: str, rows: list, k: int = 0, design: str = "forward") -> tuple[list[tuple[str, Trace]], Counter]:
    """(prompt as shown, trace) of every row that can be rendered, and why the others cannot."""
    told, why = [], Counter()
    for problem, row, solution in rows:
        known = shown_key(problem, k) if k else {}
        try:
            trace = DESIGNS[family, design].render(problem, row, solution, known, row_rng(0, problem.id))
            told.append((shown_prompt(problem.prompt, known), trace))
        except Unrenderable as reason:
            why[str(reason)] += 1
    return told, why


@pytest.mark.parametrize("family", FORWARD)
def test_forward_traces_read_back_and_are_valid(family: str):
    design = DESIGNS[family, "forward"]
    told, why = rendered(family, solved(family))
    lengths = []
    for shown, trace in told:
        text = completion_of(trace)
        lengths.append(len(text))
        assert text.isascii()
        assert parse_completion(text, design) == [*trace.lines, Box(trace.answer)]
        assert [each.text for each in audit(text, shown, design) if each.failed] == []
    share, mean = len(told) / N, sum(lengths) / len(lengths)
    print(f"{family}: {share:.3f} rendered, mean {mean:.0f} characters, longest {max(lengths)}; {dict(why)}")
    if family in EXPECTED:
        assert share >= EXPECTED[family][0] and mean <= EXPECTED[family][1]


@pytest.mark.parametrize("family", FORWARD)
def test_the_trace_ends_in_the_answer_of_the_row(family: str):
    module = FAMILIES[family]
    for problem, row, solution in solved(family)[:100]:
        try:
            trace = DESIGNS[family, "forward"].render(problem, row, solution, {}, row_rng(0, problem.id))
        except Unrenderable:
            continue
        assert trace.answer == problem.answer
        assert module.parse(problem.prompt) == row


@pytest.mark.parametrize("family", FORWARD)
def test_lines_of_another_row_are_not_valid(family: str):
    """Otherwise the lines would say nothing about their problem."""
    design = DESIGNS[family, "forward"]
    told, _ = rendered(family, solved(family)[:100])
    shown = [prompt for prompt, _ in told]
    valid = sum(
        is_valid(audit(completion_of(trace), prompt, design))
        for (_, trace), prompt in zip(told, shown[1:] + shown[:1], strict=True)
    )
    assert valid <= 0.05 * len(told)


@pytest.mark.skipif("BENCHMARK_CSV" not in os.environ, reason="BENCHMARK_CSV is not set")
@pytest.mark.parametrize("family", FORWARD)
def test_real_rows_are_told_and_valid(family: str):
    with open(os.environ["BENCHMARK_CSV"], newline="", encoding="utf-8") as handle:
        problems = [
            Problem(family, row["prompt"], row["answer"])
            for row in csv.DictReader(handle)
            if row.get("family", family) == family
        ]
    module = FAMILIES[family]
    rows = [(problem, module.parse(problem.prompt)) for problem in problems]
    told, why = rendered(family, [(problem, row, module.solve(row)) for problem, row in rows])
    print(f"{family}: {len(told)} of {len(rows)} real rows; {dict(why)}")
    assert told
    for shown, trace in told:
        assert is_valid(audit(completion_of(trace), shown, DESIGNS[family, "forward"]))


def test_unknown_design_and_reveal_are_refused():
    with pytest.raises(ValueError, match="no design 'backward' of family 'numeral'"):
        design_of("numeral", "backward")
    with pytest.raises(ValueError, match="can show 0 digits, rules derived; not 3"):
        design_of("numeral", "forward").reveal("3")
