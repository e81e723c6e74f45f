"""Planted errors are caught on the right axis at the right line, nothing true is flagged, no text breaks the audit."""

import json
import random
import subprocess
import sys
from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path

import pytest

from common.artifacts import read_table, write_table
from planted import checks, field_errors
from puzzles.base import Solution
from puzzles.tables import PUZZLES, problem_row
from reasoning.audit import audit, first_divergence, is_valid, kind_table
from reasoning.designs import DESIGNS
from reasoning.lines import Line
from reasoning.rows import TEXTS, render_row, table_row
from reasoning.trace import Box, Design, completion_of
from test_forward_designs import FORWARD, rendered, solved

SCRIPTS = Path(__file__).resolve().parents[1] / "workflow_scripts"
# kind -> field -> axes: the first must fail when the field is damaged, the others may. Fields whose damage can leave
# a true line (another example's word, a rule that gives the same number) are left out.
AXES = {
    "numeral/take": {"before": "TAV", "value": "AV", "after": "A", "symbol": "TA", "so_far": "T"},
    "unit/example": {"i": "T", "x": "TA", "x_cents": "A", "y": "TA", "y_cents": "A", "query": "TA", "query_cents": "A"},
    "gravity/example": {
        "i": "T", "t": "TA", "t_cents": "A", "d": "TA", "d_cents": "A", "query": "TA", "query_cents": "A"
    },
    "gravity/square": {"t": "TA", "u": "TA", "hundreds": "A", "tens": "A", "both": "A", "ones": "A", "square": "A"},
    "proportion/table": {"which": "T", "multiples": "AT"},
    "proportion/divide": {"dividend": "TA", "taken": "TA", "left": "AV", "digit": "T"},
    "proportion/slope": {"slope": "T"},
    "proportion/multiply": {"digit": "T", "shifted": "TA", "part": "TA", "total": "A"},
    "proportion/round": {"kept": "TA", "dropped": "TA", "answer": "A"},
    "cipher/pair": {"code": "TA", "plain": "TA", "letters": "A"},
    "cipher/decode": {"code": "T", "seen": "T"},
    "cipher/recall": {"code": "TAV", "seen": "TAV", "word": "AV", "letters": "A"},
    "cipher/answer": {"words": "T"},
    "equation/example": {"i": "T", "left": "T", "op": "T", "right": "T", "target": "T"},
    "equation/query": {"left": "T", "op": "T", "right": "T"},
    "equation/shape": {"target": "TAV", "digits": "AV", "sign": "AV", "verdict": "V"},
    "equation/read": {"x": "TV", "y": "TV", "verdict": "V"},
    "equation/sum": {"x": "TA", "y": "TA", "value": "A"},
    "equation/difference": {"x": "TA", "y": "TA", "value": "A"},
    "equation/product": {"x": "TA", "y": "TA", "tens": "A", "ones": "A", "value": "A"},
    "equation/remainder": {"large": "TA", "small": "TA", "large_again": "TA", "multiple": "A", "value": "A"},
    "equation/test": {"value": "A", "printed": "AV", "target": "TV", "verdict": "V"},
    "equation/join-test": {"printed": "TV", "target": "TV", "verdict": "V"},
    "equation/lock": {"op": "VT", "mode": "V", "rule": "V"},
    "equation/bet": {"op": "T"},
    "equation/result": {"rule": "TA", "value": "A", "answer": "A"},
    "equation/join-result": {"rule": "T", "answer": "T"},
    "box": {"answer": "T"},
}  # fmt: skip
LETTER = {"transcription": "T", "arithmetic": "A", "verdict": "V"}
# Kinds that later lines stand on: leaving one out must be noticed further down.
STANDS_ON = {
    "numeral/take", "unit/example", "gravity/example", "gravity/square", "proportion/table", "proportion/divide",
    "proportion/slope", "proportion/multiply", "proportion/round", "cipher/absent", "cipher/recall",
    "cipher/answer", "equation/query", "equation/sum", "equation/difference", "equation/product",
    "equation/remainder", "equation/lock", "equation/bet", "equation/result", "equation/join-result",
}  # fmt: skip
OURS = [family for family in FORWARD if family != "bit_manipulation"]


def traces(family: str, n: int) -> tuple[Design, list[tuple[str, list[Line]]]]:
    told, _ = rendered(family, solved(family))
    return DESIGNS[family, "forward"], [(shown, [*trace.lines, Box(trace.answer)]) for shown, trace in told[:n]]


@pytest.mark.parametrize("family", OURS)
def test_a_damaged_field_fails_on_its_axis_at_its_line(family: str):
    design, rows = traces(family, 40)
    rng = random.Random(3)
    caught: dict[tuple[str, str], Counter] = defaultdict(Counter)
    misses = []
    for shown, lines in rows:
        for number, line in enumerate(lines):
            for field, wrong in field_errors(line, rng):
                axes = AXES.get(line.KIND, {}).get(field)
                if axes is None:
                    continue
                checked = checks([*lines[:number], wrong, *lines[number + 1 :]], shown, design)
                failed = "".join(LETTER[axis] for axis in checked[number].failed)
                right = axes[0] in failed and set(failed) <= set(axes) and checked[number].first_failure
                caught[line.KIND, field][right] += 1
                if not right:
                    misses.append((line.text(), wrong.text(), field, failed))
    total = sum(counts.total() for counts in caught.values())
    for (kind, field), counts in sorted(caught.items()):
        print(f"{kind:22} {field:12} {counts[True]:5} of {counts.total():5}")
    print(f"{family}: {total} planted, {len(misses)} missed {misses[:5]}")
    assert total > 500
    for (kind, field), counts in caught.items():
        assert counts[True] >= 0.99 * counts.total(), (kind, field, misses[:5])


@pytest.mark.parametrize(("family", "name"), sorted(DESIGNS))
def test_a_flipped_verdict_fails_on_the_verdict_alone(family: str, name: str):
    """For every design there is: the line that concludes otherwise, and no line before it, is caught."""
    design = DESIGNS[family, name]
    two = {kind for kind in design.kinds if len(kind.OUTCOMES) > 1}
    if not two:
        pytest.skip("no kind of line has two outcomes")
    told, planted, misses = 0, 0, []
    for k in {design.reveals[0], design.reveals[-1]}:
        for shown, trace in rendered(family, solved(family)[:25], k, name)[0][:12]:
            told += 1
            lines = [*trace.lines, Box(trace.answer)] if trace.answer is not None else list(trace.lines)
            for number, line in enumerate(lines):
                for other in set(line.OUTCOMES) - {getattr(line, "verdict", "")}:
                    wrong = replace(line, verdict=other)
                    checked = checks([*lines[:number], wrong, *lines[number + 1 :]], shown, design)[number]
                    planted += 1
                    if checked.failed != ("verdict",) or not checked.first_failure:
                        misses.append((line.text(), other, checked.failed))
    print(f"{family}/{name}: {planted} verdicts flipped, {len(misses)} missed {misses[:3]}")
    assert told
    if not planted:
        pytest.skip(f"none of the {told} rows has a line with two outcomes")
    assert len(misses) <= 0.01 * planted, misses[:5]


@pytest.mark.parametrize("family", OURS)
def test_a_step_left_out_is_noticed(family: str):
    design, rows = traces(family, 40)
    seen: dict[str, Counter] = defaultdict(Counter)
    for shown, lines in rows:
        for number, line in enumerate(lines):
            if line.KIND in STANDS_ON:
                checked = checks([*lines[:number], *lines[number + 1 :]], shown, design)
                assert not any(each.failed for each in checked[:number])
                seen[line.KIND][not is_valid(checked)] += 1
    for kind, counts in sorted(seen.items()):
        print(f"{kind:22} {counts[True]:5} of {counts.total():5}")
        assert counts[True] >= 0.98 * counts.total(), kind


@pytest.mark.parametrize(("family", "name"), sorted(DESIGNS))
def test_any_order_and_any_values_are_judged_without_an_error(family: str, name: str):
    """Lines that read as the design's kinds but say anything, in any order, on any page of the family; and noise."""
    design = DESIGNS[family, name]
    rng = random.Random(5)
    told = rendered(family, solved(family)[:25], design.reveals[-1], name)[0]
    pool = [line for _, trace in told for line in trace.lines]
    if not pool:
        pytest.skip("the design writes no lines")
    pool += [wrong for line in rng.choices(pool, k=150) for _ in range(3) for _, wrong in field_errors(line, rng)]
    for shown, trace in told:
        for _ in range(4):
            assert not is_valid(checks(rng.choices(pool, k=30), shown, design))
        text = completion_of(trace)
        for _ in range(8):
            noisy = list(text)
            for _ in range(rng.randrange(1, 12)):
                noisy[rng.randrange(len(noisy))] = rng.choice("0123456789 \n=+-*.?$azX\x00\u00e9")
            checked = audit("".join(noisy)[: rng.randrange(len(text))], shown, design)
            assert sum(each.first_failure for each in checked) <= 1


def test_first_divergence_is_a_line():
    assert first_divergence("a\nb\nc", "a\nb\nc") is None
    assert first_divergence("a\nx\nc", "a\nb\nc") == 1
    assert first_divergence("a", "a\nb") == 1


def test_kinds_with_one_outcome_in_training_are_marked():
    design, rows = traces("equation_numeric_deduce", 30)
    checked = [each for shown, lines in rows for each in checks(lines, shown, design)]
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
