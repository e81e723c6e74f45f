"""r6's training rows with a bad example: which rows get one, what is told of them, and that no other split has any."""

import random
from functools import cache
from pathlib import Path

import pytest

import forked
from common.artifacts import read_table, write_table
from common.errors import LabError
from puzzles.base import Problem, Solution, row_rng, split_of
from puzzles.cryptarithm import family as cryptarithm
from puzzles.cryptarithm.solver import solve
from puzzles.leaks import check_no_leak
from puzzles.tables import PUZZLES, SOLUTIONS, problem_row, solution_row
from reasoning.grammar.page import Page
from reasoning.grammar.texts import RENDERED, Row, render_row
from reasoning.grammar.trace import parse_completion
from reasoning.judging.audit import audit, is_valid
from reasoning.judging.planted_errors import Told, errors
from reasoning.registry import DESIGNS

FAMILY = "cryptarithm_deduce"
DESIGN = DESIGNS[FAMILY, "hardened"]
SCRIPTS = Path(__file__).resolve().parents[2] / "workflow_scripts"
THOUGHT = 6000  # these thoughts run through every pass, most are longer than the smallest budget


@cache
def problems() -> tuple[Problem, ...]:
    return tuple(cryptarithm.generate(row_rng(11, FAMILY), 150, family=FAMILY))


def told(problem: Problem, reveal: str = "0", train: bool = True) -> Row:
    return render_row(problem.id, problem, Solution(None), DESIGN, DESIGN.reveal(reveal), 0, THOUGHT, train)


@cache
def spoiled(reveal: str = "0") -> tuple[tuple[Problem, Row], ...]:
    pairs = [(problem, told(problem, reveal)) for problem in problems()]
    return tuple((problem, row) for problem, row in pairs if row.problem.prompt != problem.prompt)


def test_a_bad_example_is_one_more_that_nothing_fits() -> None:
    found = spoiled()
    assert 0.03 * len(problems()) < len(found) < 0.35 * len(problems())
    for problem, row in found:
        own, shown = cryptarithm.parse(problem.prompt), cryptarithm.parse(row.prompt)
        assert solve(own).answer is not None and solve(shown).answer is None
        assert shown.query == own.query and row.answer == problem.answer
        extra = [e for e in shown.examples if e not in own.examples]
        assert len(extra) == 1 and tuple(e for e in shown.examples if e not in extra) == own.examples
        assert set(shown.digit_glyphs()) == set(own.digit_glyphs()) and extra[0].op in {e.op for e in own.examples}
        assert row.problem.canonical == cryptarithm.canonical(shown) != problem.canonical
        assert split_of(row.problem.canonical) == "train"  # so it is no row of a test set


@pytest.mark.parametrize("reveal", ["0", "5"])
def test_the_bad_example_is_named_and_the_row_answered(reveal: str) -> None:
    rendered = [(problem, row) for problem, row in spoiled(reveal) if row.status == RENDERED]
    assert len(rendered) > 0.4 * len(spoiled(reveal))
    for problem, row in rendered:
        assert row == told(problem, reveal) and row.boxed == problem.answer
        assert is_valid(audit(row.completion, row.page, DESIGN)), row.completion
        lines = parse_completion(row.completion, DESIGN)
        assert "\n".join(each.text() for each in lines[:-1]) == "\n".join(each.text for each in row.lines)
        kinds = [each.KIND for each in lines]
        assert kinds.count("study/no-pass") == kinds.count("study/bad") == 1
        assert kinds.index("study/no-pass") < kinds.index("study/without") < kinds.index("study/bad")
        plain = told(problem, reveal, train=False)
        assert (
            row.prompt.splitlines()[len(row.problem.prompt.splitlines()) :]
            == plain.prompt.splitlines()[len(problem.prompt.splitlines()) :]
        )  # the same digits are shown


def test_one_error_in_the_new_lines_is_caught() -> None:
    rows = []
    for _, row in spoiled():
        if row.status == RENDERED:
            rows.append(Told(FAMILY, row.prompt, tuple(parse_completion(row.completion, DESIGN)), row.completion))
    found = list(errors(rows, 600, random.Random(1)))
    new = {"study/no-pass", "study/without", "study/bad", "study/excluded"}
    assert new <= {each.kind for each in found}
    assert {"count", "number", "verdict", "line"} <= {each.field for each in found if each.kind == "study/without"}
    assert [each for each in found if each.kind in new and not (each.caught or each.true)] == []
    assert [each for each in found if each.kind in new and each.others] == []


def test_giving_up_too_early_or_naming_another_example_is_noticed() -> None:
    row = next(row for _, row in spoiled() if row.status == RENDERED)
    lines = list(parse_completion(row.completion, DESIGN))
    kinds = [each.KIND for each in lines]
    start, failed = kinds.index("study/no-pass"), kinds.index("study/pass-dead")
    bad = lines[kinds.index("study/bad")]
    page = Page.of(FAMILY, row.page)
    for each in lines[: failed + 1]:
        each.establish(page)
    assert lines[start].transcription(page) is False  # one pass alone has failed
    for each in lines[failed + 1 : kinds.index("study/bad")]:
        each.establish(page)
    assert bad.transcription(page) and type(bad)(bad.number + 1).transcription(page) is False


def test_only_the_training_rows_of_a_table_are_changed(tmp_path: Path) -> None:
    some = [problem for problem, _ in spoiled()][:4]
    for split in ("train", "test"):
        write_table(tmp_path / f"{split}.parquet", [problem_row(each, split) for each in some], PUZZLES)
    solutions = [solution_row(each.id, FAMILY, Solution(each.answer)) for each in some]
    write_table(tmp_path / "solutions.parquet", solutions, SOLUTIONS)
    for out, split in (("a", "train"), ("b", "train"), ("c", "test")):
        command = [SCRIPTS / "render.py", "--puzzles", tmp_path / f"{split}.parquet"]
        command += ["--solutions", tmp_path / "solutions.parquet", "--family", FAMILY, "--design", "hardened"]
        forked.run(*command, "--thought", THOUGHT, "--out", tmp_path / f"{out}.parquet", check=True)
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    train, test = (read_table(tmp_path / f"{name}.parquet").to_pylist() for name in "ac")
    assert [row["prompt"] for row in test] == [each.prompt for each in some]
    assert [row["prompt"] for row in train] == [row.prompt for _, row in spoiled()][:4]
    assert [row["id"] for row in train] == [each.id for each in some]
    with pytest.raises(LabError, match="it is also the training row"):  # a puzzle with one example more is no other
        check_no_leak([row["id"] for row in train], [tmp_path / "train.parquet"], [tmp_path / "test.parquet"])
