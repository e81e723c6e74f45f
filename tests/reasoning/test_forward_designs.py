"""The forward designs: how many rows they tell, how long they are, and that their lines are about their row.

Rows are drawn fresh; they are also rendered on the real rows that BENCHMARK_CSV points at.
"""

import csv
import os
from collections import Counter
from functools import cache

import pytest

from puzzles.base import Problem, Solution, row_rng
from puzzles.checker import official
from puzzles.registry import FAMILIES
from reasoning.grammar.reveal import shown_key, shown_prompt
from reasoning.grammar.trace import Trace, Unrenderable, completion_of
from reasoning.judging.audit import audit, is_valid
from reasoning.registry import DESIGNS, design_of

FORWARD = sorted(family for family, design in DESIGNS if design == "forward")
N = 300
# Share of generated rows that the procedure tells, and mean length, measured on 2,000 rows and rounded outwards.
EXPECTED = {
    "numeral": (1.0, 90),
    "unit_conversion": (1.0, 650),
    "gravity": (1.0, 800),
    "cipher": (0.97, 1150),
    "equation_numeric_deduce": (0.97, 390),
    "equation_numeric_guess": (0.9, 690),
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


@pytest.mark.parametrize("family", EXPECTED)
def test_forward_traces_are_frequent_and_short(family: str):
    told, why = rendered(family, solved(family))
    lengths = [len(completion_of(trace)) for _, trace in told]
    share, mean = len(told) / N, sum(lengths) / len(lengths)
    print(f"{family}: {share:.3f} rendered, mean {mean:.0f} characters, longest {max(lengths)}; {dict(why)}")
    assert share >= EXPECTED[family][0] and mean <= EXPECTED[family][1]


@pytest.mark.parametrize("family", FORWARD)
def test_the_trace_ends_in_the_answer_of_the_row(family: str):
    """To the character, or for a measure read off one example to the last digit, which the challenge accepts.

    An equation's first rule that fits is not always the hidden one, and a bet on an unseen operator often fails.
    """
    module = FAMILIES[family]
    exact, right = [], []
    for problem, row, solution in solved(family)[:100]:
        try:
            trace = DESIGNS[family, "forward"].render(problem, row, solution, {}, row_rng(0, problem.id))
        except Unrenderable:
            continue
        exact.append(trace.answer == problem.answer)
        right.append(official(trace.answer, problem.answer))
        assert module.parse(problem.prompt) == row
    least = {"equation_numeric_deduce": 0.9, "equation_numeric_guess": 0.35}.get(family, 1.0)
    assert sum(right) >= least * len(right)
    assert sum(exact) >= {"unit_conversion": 0.25, "gravity": 0.38}.get(family, least) * len(exact)


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
