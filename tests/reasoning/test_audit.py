"""No text and no order of lines breaks the audit; what its tables and its script say."""

import json
import random
import subprocess
import sys
from collections import Counter
from dataclasses import fields
from pathlib import Path

import pytest
from test_forward_designs import rendered, solved
from told import told

from common.artifacts import read_table, write_table
from puzzles.base import Solution
from puzzles.tables import PUZZLES, problem_row
from reasoning.grammar.texts import TEXTS, render_row, table_row
from reasoning.grammar.trace import Box, completion_of
from reasoning.judging.audit import audit, first_divergence, is_valid, kind_table
from reasoning.judging.planted_errors import wrong_lines
from reasoning.registry import DESIGNS

SCRIPTS = Path(__file__).resolve().parents[2] / "workflow_scripts"


@pytest.mark.parametrize(("family", "name"), sorted(DESIGNS))
def test_any_order_and_any_values_are_judged_without_an_error(family: str, name: str):
    """Lines that read as the design's kinds but say anything, in any order, on any page of the family; and noise."""
    design, rng = DESIGNS[family, name], random.Random(5)
    rows = [each for _, each in told(family, name, 44)[0]][:25]
    pool = [(line, row.alphabet) for row in rows for line in row.lines if not isinstance(line, Box)]
    if not pool:
        pytest.skip("the design writes no lines")
    with_fields = [(line, alphabet) for line, alphabet in pool if fields(line)]
    picked = [(line, a, rng.choice(fields(line)).name) for line, a in rng.choices(with_fields, k=450)]
    wrong = [each for line, alphabet, field in picked for each in wrong_lines(line, field, alphabet, rng)]
    lines = [line for line, _ in pool] + wrong
    for row in rows:
        for _ in range(4):
            assert not is_valid(row.audit(rng.choices(lines, k=30)))
        for _ in range(8):
            noisy = list(row.text)
            for _ in range(rng.randrange(1, 12)):
                noisy[rng.randrange(len(noisy))] = rng.choice("0123456789 \n=+-*.?$azX\x00\u00e9")
            checked = audit("".join(noisy)[: rng.randrange(len(row.text))], row.shown, design)
            assert sum(each.first_failure for each in checked) <= 1


def test_first_divergence_is_a_line():
    assert first_divergence("a\nb\nc", "a\nb\nc") is None
    assert first_divergence("a\nx\nc", "a\nb\nc") == 1
    assert first_divergence("a", "a\nb") == 1


def test_kinds_with_one_outcome_in_training_are_marked():
    family = "equation_numeric_deduce"
    design, (told, _) = DESIGNS[family, "forward"], rendered(family, solved(family)[:30])
    checked = [each for shown, trace in told for each in audit(completion_of(trace), shown, design)]
    both = Counter((each.kind, each.outcome) for each in checked)
    only = Counter({pair: n for pair, n in both.items() if pair[1] != "no"})
    fixed = {row["kind"]: row["fixed"] for row in kind_table(checked, both, design)}
    assert not fixed["equation/test"]
    fixed = {row["kind"]: row["fixed"] for row in kind_table(checked, only, design)}
    assert fixed["equation/test"] and not fixed["equation/lock"]


def test_script_tells_lines_rows_and_kinds(tmp_path: Path):
    family = "numeral"
    problems = [problem for problem, _, _ in solved(family)[:4]]
    told, _ = rendered(family, solved(family)[:4])
    texts = [completion_of(trace) for _, trace in told]
    wrong = texts[1].replace("-", "-9", 1)
    write_table(tmp_path / "p.parquet", [problem_row(problem, "test") for problem in problems], PUZZLES)
    completions = [
        {"id": problem.id, "family": family, "design": "forward", "text": text}
        for problem, text in zip(problems, [texts[0], wrong, "no trace at all", ""], strict=True)
    ]
    write_table(tmp_path / "c.parquet", completions)
    command = [sys.executable, SCRIPTS / "audit.py", "--completions", "c.parquet", "--puzzles", "p.parquet"]
    command += ["--out", "a.parquet", "--rows", "r.parquet", "--kinds", "k.parquet"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    lines = read_table(tmp_path / "a.parquet").to_pylist()
    assert [line["id"] for line in lines if line["first_failure"]] == [problems[1].id, problems[2].id]
    rows = read_table(tmp_path / "r.parquet").to_pylist()
    assert [row["valid"] for row in rows] == [True, False, False, True]
    assert [row["failure_axis"] for row in rows][:3] == ["", "arithmetic", "form"]
    assert rows[0]["perfect"] is None
    again = tmp_path / "b.parquet"
    subprocess.run([*command[:6], "--out", again], cwd=tmp_path, check=True, capture_output=True)
    assert read_table(again).to_pylist() == lines and json.dumps(lines)


def test_script_refuses_completions_of_unknown_rows(tmp_path: Path):
    problem = solved("numeral")[0][0]
    write_table(tmp_path / "p.parquet", [problem_row(problem, "test")], PUZZLES)
    write_table(tmp_path / "c.parquet", [{"id": "x", "family": "numeral", "design": "forward", "text": ""}])
    command = [sys.executable, SCRIPTS / "audit.py", "--completions", "c.parquet", "--puzzles", "p.parquet"]
    done = subprocess.run([*command, "--out", "a.parquet"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1 and "field id: 'x' is in none of the puzzles" in done.stderr
    assert not (tmp_path / "a.parquet").exists()


def test_script_judges_hidden_rules_by_the_texts(tmp_path: Path):
    """A thought that uses unsaid rules is held to those of the rendered rows, which must be named."""
    family, design = "cryptarithm_deduce", DESIGNS["cryptarithm_deduce", "derive"]
    problems = [problem for problem, _, _ in solved(family)[:6]]
    reveal = design.reveal("10-hidden")
    rows = [render_row(problem.id, problem, Solution(None), design, reveal, 0) for problem in problems]
    write_table(tmp_path / "p.parquet", [problem_row(problem, "test") for problem in problems], PUZZLES)
    write_table(tmp_path / "t.parquet", [table_row(row, design, reveal) for row in rows], TEXTS)
    told = [{"id": row.id, "family": family, "design": "derive", "reveal": str(reveal), "prompt": row.prompt,
             "text": row.completion} for row in rows]  # fmt: skip
    write_table(tmp_path / "c.parquet", told)
    command = [sys.executable, SCRIPTS / "audit.py", "--completions", "c.parquet", "--puzzles", "p.parquet"]
    command += ["--out", "a.parquet", "--rows", "r.parquet"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1 and "row 1, field reveal: a text of these rows is needed" in done.stderr
    subprocess.run([*command, "--texts", "t.parquet"], cwd=tmp_path, check=True, capture_output=True)
    found = read_table(tmp_path / "r.parquet").to_pylist()
    assert len(found) == 6 and all(row["valid"] and row["perfect"] for row in found)
