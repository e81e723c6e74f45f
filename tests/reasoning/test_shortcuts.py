"""Shortcuts: a planted one is found, chance is not, and of the puzzles only those that are part of them are left."""

import random

import pytest

import shortcuts as script
from common.artifacts import read_table, write_table
from puzzles.base import row_rng
from puzzles.registry import FAMILIES
from puzzles.tables import PUZZLES, problem_row
from reasoning.grammar.reveal import Reveal
from reasoning.grammar.texts import TEXTS, render_row, table_row
from reasoning.judging.shortcuts import ask, flagged, of_puzzles
from reasoning.judging.stump import fit, fit_tree
from reasoning.registry import DESIGNS

KNOWN = {
    "cipher": {"answer length", "answer's first sign"},  # letters are exchanged one by one, words are of a vocabulary
    "equation_numeric_deduce": {"rule regime", "rule query", "answer length"},  # a plus sign adds, in literal rows
    "equation_numeric_guess": {"rule regime", "rule query", "answer length"},
    "cryptarithm_deduce": {"rule regime", "rule query", "answer length"},
    "cryptarithm_guess": {"rule regime", "rule query", "answer length"},
    "numeral": {"answer length"},  # of the number
}
"""Family -> what the looks of a prompt may tell, because the puzzle is so."""


@pytest.mark.parametrize("name", FAMILIES)
def test_the_looks_of_a_prompt_tell_no_answer_and_no_rule(name):
    problems = FAMILIES[name].generate(row_rng(1, name), 240)
    told = of_puzzles([problem_row(problem, "train") for problem in problems])
    assert {each.target for each in told if each.flag} <= KNOWN.get(name, set()), [e for e in told if e.flag]
    by_target = {each.target: each for each in told}
    assert not by_target["answer"].flag and by_target["answer"].tree < 0.1


def test_what_two_questions_tell_is_flagged_and_chance_is_not():
    rng = random.Random(1)
    rows = [{"a": rng.randrange(4), "b": rng.randrange(4), "c": rng.choice("xy")} for _ in range(200)]
    planted = [(i, row, "yes" if row["a"] <= 1 and row["b"] <= 1 else "no") for i, row in enumerate(rows)]
    chance = [(i, row, rng.choice(("yes", "no"))) for i, row in enumerate(rows)]
    samples = [(features, value) for _, features, value in planted]
    assert all(fit_tree(samples).says(row) == value for row, value in samples)
    assert not all(fit(samples).says(row) == value for row, value in samples), "one question is not enough"
    found, not_found = flagged({"planted": planted, "chance": chance})
    assert (found.tree, found.flag, not_found.flag) == (1, True, False) and found.majority < 0.9
    assert found.n == found.rows == 100 and "a <= 1" in found.by and "b <= 1" in found.by


def test_lines_of_one_row_are_one_row():
    """Ten rows whose fifty lines each say the same are ten chances, not five hundred."""
    lines = [(row, {"a": row % 4 // 2}, "yes" if row % 4 // 2 else "no") for row in range(44) for _ in range(50)]
    told = ask("verdict", lines)
    assert (told.n, told.rows, told.tree) == (1100, 22, 1) and told.p >= 0.5**22
    assert ask("verdict", lines[: 50 * 30]) is None, "fewer rows than are asked at least"


def test_the_script_screens_puzzles_and_lines(tmp_path, monkeypatch, capsys):
    family, shown = FAMILIES["equation_numeric_deduce"], Reveal.parse("0")
    design = DESIGNS["equation_numeric_deduce", "forward"]
    problems = list(family.generate(row_rng(2, "s"), 60))
    texts = [
        table_row(render_row(p.id, p, family.solve(family.parse(p.prompt)), design, shown, 0), design, shown)
        for p in problems
    ]
    write_table(tmp_path / "texts.parquet", texts, TEXTS)
    write_table(tmp_path / "puzzles.parquet", [problem_row(p, "train") for p in problems], PUZZLES)
    words = [f"--{name}={tmp_path / name}.parquet" for name in ("puzzles", "texts")]
    monkeypatch.setattr("sys.argv", ["shortcuts.py", *words, "--out", str(tmp_path / "out.parquet")])
    script.main()
    rows = {(row["design"], row["target"]): row for row in read_table(tmp_path / "out.parquet").to_pylist()}
    assert ("", "answer") in rows and ("forward", "verdict of equation/test") in rows
    said = capsys.readouterr().err
    for (design_name, target), row in rows.items():
        assert (f"{row['family']} {design_name}: {target}: " in said) == row["flag"]
