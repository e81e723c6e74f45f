"""Which of an arm's own completions become examples, and which corpus they make."""

import json
import subprocess
from pathlib import Path

import pytest

import forked
from common.artifacts import read_table, table_note, write_table
from puzzles.base import row_rng
from puzzles.registry import FAMILIES
from puzzles.tables import problem_row
from reasoning.grammar.reveal import Reveal
from reasoning.grammar.texts import TEXTS, render_row, table_row
from reasoning.registry import DESIGNS

AT_FAULT = "right answer, a line at fault"
ROOT = Path(__file__).resolve().parents[2]


def script(name: str, *words: object) -> subprocess.CompletedProcess:
    return forked.run(ROOT / f"workflow_scripts/{name}.py", *words)


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """Rendered texts of six numerals, and four completions of each: see `completions`."""
    folder = tmp_path_factory.mktemp("harvest")
    family, design = FAMILIES["numeral"], DESIGNS["numeral", "forward"]
    problems = list(family.generate(row_rng(5, "numeral"), 6))
    texts = [
        table_row(render_row(p.id, p, family.solve(family.parse(p.prompt)), design, Reveal(), 0), design, Reveal())
        for p in problems
    ]
    write_table(folder / "texts.parquet", texts, TEXTS)
    write_table(folder / "puzzles.parquet", [problem_row(p, "train") for p in problems])
    write_table(folder / "held_out.parquet", [{"id": "e", "canonical": "another"}])
    table = [
        {**{k: row[k] for k in ("id", "family", "design", "reveal", "stratum", "prompt", "answer")},
         "sample": k, "text": text, "finish": finish, "n_tokens": 9}
        for row in texts
        for k, (text, finish) in enumerate(completions(row["completion"]))
    ]  # fmt: skip
    write_table(folder / "completions.parquet", table)
    words = ["--completions", folder / "completions.parquet"]
    assert script("grade", *words, "--out", folder / "grades.parquet").returncode == 0
    words += ["--puzzles", folder / "puzzles.parquet", "--texts", folder / "texts.parquet"]
    done = script("audit", *words, "--out", folder / "lines.parquet", "--rows", folder / "rows.parquet")
    assert done.returncode == 0, done.stderr
    return folder


def completions(right: str) -> list[tuple[str, str]]:
    """Cut off; wrong; with a line too many, though its answer is right; as rendered, twice."""
    head, tail = right.split("\n</think>")
    bad = f"{head}\nso be it\n</think>{tail}"
    wrong = right.rpartition("\\boxed{")[0] + "\\boxed{x}"
    return [(right, "length"), (wrong, "stop"), (bad, "stop"), (right, "stop"), (right, "stop")]


def harvest(place: Path, keep: str, *more: object) -> subprocess.CompletedProcess:
    words = ["--completions", place / "completions.parquet", "--grades", place / "grades.parquet", "--audits"]
    words += [place / "rows.parquet", "--texts", place / "texts.parquet", "--keep", keep]
    return script("harvest", *words, *more, "--out", place / f"{keep}.parquet")


@pytest.mark.parametrize(
    ("keep", "distinct", "statuses"),
    [
        ("answer", 2, ["cut off", "wrong answer", "rendered", "rendered", "same as an earlier sample"]),
        ("answer", 1, ["cut off", "wrong answer", "rendered", "1 of this row are kept", "1 of this row are kept"]),
        (
            "valid",
            2,
            ["cut off", "wrong answer", AT_FAULT, "rendered", "same as an earlier sample"],
        ),
    ],
)
def test_what_is_kept(place, keep, distinct, statuses):
    done = harvest(place, keep, "--distinct", distinct)
    assert done.returncode == 0, done.stderr
    rows = read_table(place / f"{keep}.parquet").to_pylist()
    told = {row["id"]: row for row in read_table(place / "texts.parquet").to_pylist()}
    assert len(rows) == 30
    for row in rows:
        assert row["status"] == statuses[row["sample"]]
        if row["sample"] >= 3:
            assert row["lines"] == told[row["id"]]["lines"] and row["completion"] == told[row["id"]]["completion"]
        if row["sample"] == 2:
            assert row["lines"][-1] == {"kind": "malformed", "text": "so be it", "verdict": "", "result": ""}


def test_the_control_has_the_solvers_text_as_often(place):
    counts = {}
    for keep in ("answer", "solver"):
        assert harvest(place, keep, "--distinct", 2).returncode == 0
        rows = read_table(place / f"{keep}.parquet").to_pylist()
        counts[keep] = [(row["id"], row["sample"]) for row in rows if row["status"] == "rendered"]
    told = {row["id"]: row["completion"] for row in read_table(place / "texts.parquet").to_pylist()}
    assert counts["answer"] == counts["solver"]
    assert all(row["completion"] == told[row["id"]] for row in rows if row["status"] == "rendered")
    assert {row["valid"] for row in rows} == {None}
    assert table_note(place / "solver.parquet")["params"]["counts"]["rows"] == 6


def test_beginnings_end_before_the_first_fault_and_repairs_go_on_from_there(place, tmp_path):
    """Of every completion that has a line at fault: `wrong` (its box) and the one with a line too many."""
    told = {row["id"]: row["completion"] for row in read_table(place / "texts.parquet").to_pylist()}
    written = {(r["id"], r["sample"]): r["text"] for r in read_table(place / "completions.parquet").to_pylist()}
    found = {}
    for keep in ("partial", "repair"):
        assert harvest(place, keep, "--distinct", 4).returncode == 0
        for row in read_table(place / f"{keep}.parquet").to_pylist():
            if row["status"] == "rendered":
                found[keep, row["id"], row["sample"]] = row
    for (row, sample), text in written.items():
        whole = told[row].split("\n")
        fault = {1: len(whole) - 1, 2: len(whole) - 2}.get(sample)  # the box; before the closing tag
        if fault is None:
            assert ("repair", row, sample) not in found
            continue
        repair = found["repair", row, sample]
        assert (repair["prefix"], repair["completion"], repair["rejected"]) == (fault, told[row], text)
        assert text.split("\n")[:fault] == whole[:fault] and text.split("\n")[fault] != whole[fault]
        if sample == 1:
            begun = found["partial", row, sample]
            assert begun["completion"] == "\n".join([*whole[:fault], ""]) and not begun["ended"]
    assert found["partial", row, 3]["ended"] and found["partial", row, 3]["valid"]
    words = ["--harvests", place / "repair.parquet", "--puzzles", place / "puzzles.parquet", "--n", 6, "--seed", 1]
    words += ["--held-out", place / "held_out.parquet", "--weights", json.dumps({"box": 2})]
    done = script("corpus", *words, "--out", tmp_path / "c.parquet")
    assert done.returncode == 0, done.stderr
    for row in read_table(tmp_path / "c.parquet").to_pylist():
        n = row["completion"].count("\n") + 1
        assert row["unlearned"] == [*range(row["prefix"])] and row["weights"] == [1.0] * (n - 1) + [2.0]


def test_a_grade_that_is_missing_is_named(place, tmp_path):
    grades = read_table(place / "grades.parquet")
    write_table(tmp_path / "grades.parquet", grades.slice(0, 29))
    done = harvest(place, "answer", "--grades", tmp_path / "grades.parquet")
    assert done.returncode == 1 and "grades.parquet: row " in done.stderr and "no row of sample 4" in done.stderr


def corpus(place: Path, out: Path, n: int, *more: object) -> subprocess.CompletedProcess:
    words = ["--harvests", place / "valid.parquet", "--puzzles", place / "puzzles.parquet", "--n", n, "--seed", 1]
    return script("corpus", *words, "--held-out", place / "held_out.parquet", *more, "--out", out)


def test_a_corpus_of_verified_completions(place, tmp_path):
    harvest(place, "valid")
    done = corpus(place, tmp_path / "c.parquet", 6)
    assert done.returncode == 0, done.stderr
    rows = read_table(tmp_path / "c.parquet").to_pylist()
    told = {row["id"]: row["completion"] for row in read_table(place / "texts.parquet").to_pylist()}
    assert {row["id"]: row["completion"] for row in rows} == told and {row["design"] for row in rows} == {"forward"}
    done = corpus(place, tmp_path / "d.parquet", 8)
    message = "valid.parquet: field n: 8 rows asked for, but of 30 only 6 are rendered and of selection 'all'"
    assert done.returncode == 1 and message in done.stderr and "6: wrong answer" in done.stderr
    assert "harvest: answer" in done.stderr and done.stderr.count("\n") == 1


def test_rendered_texts_mixed_in(place, tmp_path):
    harvest(place, "answer")
    texts = read_table(place / "texts.parquet").to_pylist()
    write_table(tmp_path / "texts.parquet", [row | {"completion": "told"} for row in texts], TEXTS)
    words = ["--harvests", place / "answer.parquet", "--texts", tmp_path / "texts.parquet", "--rendered", 0.25]
    done = corpus(place, tmp_path / "c.parquet", 8, *words)
    assert done.returncode == 0, done.stderr
    assert sum(row["completion"] == "told" for row in read_table(tmp_path / "c.parquet").to_pylist()) == 2


def test_the_judges_say_what_grade_and_audit_say(place):
    from reasoning.judging.judges import JUDGES

    assert set(JUDGES) == {"answer", "boxed", "valid", "prefix"}
    hidden = {row["id"]: row["hidden"] for row in read_table(place / "texts.parquet").to_pylist()}
    right, valid = (read_table(place / name).to_pylist() for name in ("grades.parquet", "rows.parquet"))
    rows = read_table(place / "completions.parquet").to_pylist()
    for row, grade, audit in zip(rows, right, valid, strict=True):
        asked = row | {"hidden": hidden[row["id"]]}
        assert JUDGES["answer"](asked, row["text"]) == grade["official"]
        assert JUDGES["valid"](asked, row["text"]) == audit["valid"]
    assert {row["valid"] for row in valid} == {True, False} == {row["official"] for row in right}
    assert JUDGES["valid"](asked | {"design": ""}, row["text"]) == 0
    told = read_table(place / "texts.parquet").to_pylist()[0]
    lines = told["completion"].split("\n")
    assert JUDGES["prefix"](told, told["completion"]) == 1 == JUDGES["boxed"](told, told["completion"])
    cut = "\n".join(lines[:2])
    assert JUDGES["prefix"](told, cut + "\nso be it") == 1 / (len(lines) - 2) and JUDGES["boxed"](told, cut) == 0
