"""Real rows: what is read from a CSV, and the one clear error for everything that is wrong with it."""

import csv
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

import forked
from common.artifacts import file_hash, read_table
from common.errors import LabError
from puzzles.base import row_rng
from puzzles.checker import official
from puzzles.equations.prompt import Equation
from puzzles.importer import problem_of, read_csv, read_problems
from puzzles.registry import FAMILIES

SCRIPTS = Path(__file__).resolve().parents[2] / "workflow_scripts"
REAL = os.environ.get("BENCHMARK_CSV")
needs_real = pytest.mark.skipif(not REAL, reason="BENCHMARK_CSV is not set: no real rows")


def run(script, *args):
    return forked.run(SCRIPTS / f"{script}.py", *args, timeout=120)


def records(n=3):
    drawn = [p for name, family in FAMILIES.items() for p in family.generate(row_rng(0, "csv", name), n)]
    return [{"id": p.id, "prompt": p.prompt, "answer": p.answer} for p in drawn], drawn


def write(path, rows, columns=("id", "prompt", "answer")):
    with open(path, "w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_every_family_is_told_from_its_prompt(tmp_path):
    rows, drawn = records(20)
    found = list(read_problems(write(tmp_path / "rows.csv", rows)))
    assert [row_id for row_id, _ in found] == [row["id"] for row in rows]
    for (_, read), made in zip(found, drawn, strict=True):
        assert (read.family, read.prompt, read.answer) == (made.family, made.prompt, made.answer)
        assert read.canonical == made.canonical and read.rule == {} and read.key == {}
        if made.family == "bit_manipulation":
            assert int(read.stratum[0]) <= int(made.stratum[0])
        elif made.stratum == "join":
            assert read.stratum == "join"


def test_strata_of_equations():
    head = (
        "In Alice's Wonderland, a secret set of transformation rules is applied to equations. Below are a few examples:"
    )
    prompt = f"{head}\n12+34 = 46\n56*78 = 5678\nNow, determine the result for: 11*22"
    assert problem_of(prompt, "1122").stratum == "join" and problem_of(prompt, "2211").stratum == "join"
    assert problem_of(prompt, "242").stratum == "value"


def test_columns_in_any_order_and_more_of_them(tmp_path):
    rows, _ = records(1)
    for row in rows:
        row["note"] = "a, b"
    path = write(tmp_path / "rows.csv", rows, ("answer", "note", "prompt", "id"))
    assert [record[1:] for record in read_csv(path)] == [(r["id"], r["prompt"], r["answer"]) for r in rows]
    marked = tmp_path / "marked.csv"
    marked.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert list(read_csv(marked)) == list(read_csv(path))


@pytest.mark.parametrize("line_break", [b"\r\n", b"\r"])
def test_line_breaks_of_another_system(tmp_path, line_break):
    """As Git or an editor on Windows leaves them, those inside the prompts among them."""
    rows, drawn = records(2)
    path = write(tmp_path / "rows.csv", rows)
    path.write_bytes(path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", line_break))
    found = [problem for _, problem in read_problems(path)]
    assert [(p.prompt, p.answer) for p in found] == [(p.prompt, p.answer) for p in drawn]


def spoil(rows, row, **cells):
    return [{**r, **cells} if i == row else r for i, r in enumerate(rows, 1)]


@pytest.mark.parametrize(
    ("row", "cells", "expected"),
    [
        (2, {"prompt": "What is 2 + 2?"}, "row 2, field prompt: field prompt: no family"),
        (2, {"prompt": ""}, "row 2, field prompt: empty"),
        (3, {"answer": ""}, "row 3, field answer: empty"),
        (3, {"id": ""}, "row 3, field id: empty"),
        (1, {"prompt": "{numeral} of old"}, "row 1, field prompt: field query: expected a last line"),
        (1, {"prompt": "{numeral}\n"}, "row 1, field prompt: field query: expected a last line"),
    ],
)
def test_a_spoilt_row_is_named(tmp_path, row, cells, expected):
    rows, _ = records(1)
    cells = {name: value.replace("{numeral}", rows[0]["prompt"]) for name, value in cells.items()}
    path = write(tmp_path / "rows.csv", spoil(rows, row, **cells))
    with pytest.raises(LabError) as error:
        list(read_problems(path))
    assert str(error.value).startswith(f"{path}: {expected}")


NOT_ANSWERS = {
    "numeral": ("38", "xiv", "XIIII", "IC", "XIV ", " ", "XIV.", "MMMM"),
    "unit_conversion": ("77.2", "5,05", "77", "77.20 m", "-1.00", "+1.00", "1e2", "007.20", "٧.٢٠"),
    "gravity": ("5,05", "54.10", "50", ".5", "54.361", "54.1 m", "-3.5"),
    "bit_manipulation": ("101001", "0b000001", "10.0", "001010010", "0010100a", "０００００００１", "0010 101"),
    "equation_numeric_deduce": ("12.0", "1,031", "twelve", "1 2", "123456", "--5", "-", "5\n", "٣"),
    "equation_numeric_guess": ("12.0", "1,031", "twelve", "1 2", "123456", "--5", "-", "5\n", "٣"),
    "cryptarithm_deduce": ("12", "@ <", "@<&>()", "€", "@1", "@\n"),
    "cryptarithm_guess": ("12", "@ <", "@<&>()", "€", "@1", "@\n"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAMILIES)
def test_an_answer_of_another_form_is_refused_and_named(name, tmp_path):
    rows, drawn = records(1)
    at, problem = next((i, p) for i, p in enumerate(drawn) if p.family == name)
    words = problem.answer.split(" ")
    half = [" ".join(words[:-1]), problem.answer.upper(), problem.answer + " "]
    half += [problem.answer.replace(" ", "  "), "x" * len(problem.answer), " ".join(words[:-1] + ["a" + words[-1]])]
    for answer in half if name == "cipher" else NOT_ANSWERS[name]:
        path = write(tmp_path / "rows.csv", spoil(rows, at + 1, answer=answer))
        expected = f"{path}: row {at + 1}, field answer: expected {FAMILIES[name].answer_form}, got {answer!r}"
        with pytest.raises(LabError) as error:
            list(read_problems(path))
        assert str(error.value) == expected


def test_both_scripts_that_read_a_csv_refuse_an_answer_of_another_form(tmp_path):
    """Whatever the family that is asked for."""
    rows, _ = records(1)
    path, out = write(tmp_path / "rows.csv", spoil(rows, 1, answer="38")), tmp_path / "out.parquet"
    for script, option in (("import_real", "--csv"), ("bench_solvers", "--rows")):
        done = run(script, option, path, "--family", "cipher", "--out", out)
        expected = f"error: {path}: row 1, field answer: expected a Roman numeral, got '38'\n"
        assert (done.returncode, done.stderr) == (1, expected) and not out.exists()


@pytest.mark.parametrize("name", FAMILIES)
def test_every_answer_of_a_family_has_its_form(name):
    """The drawn ones, and wrong ones that other rows have: the form alone is checked."""
    family, rng = FAMILIES[name], row_rng(4, "answers", name)
    drawn = list(family.generate(rng, 400))
    for problem in drawn:
        assert family.is_answer(family.parse(problem.prompt), problem.answer)
    if name != "cipher" and not name.startswith("equation"):  # there the prompt decides the form, too
        asked = family.parse(drawn[0].prompt)
        assert all(family.is_answer(asked, problem.answer) for problem in drawn)


@pytest.mark.parametrize(
    ("family", "query", "answer", "right"),
    [
        ("equation_numeric_deduce", "12/34", "/92", True),
        ("equation_numeric_deduce", "12/34", "92/", True),
        ("equation_numeric_deduce", "12/34", "-92", True),
        ("equation_numeric_deduce", "12/34", "02", True),
        ("equation_numeric_deduce", "12/34", "?92", False),
        ("equation_numeric_deduce", "12/34", "/", False),
        ("cryptarithm_deduce", "@<+&>", "+@<", True),
        ("cipher", "abc cd", "the ex", True),
        ("cipher", "abc cd", "the he", False),
        ("cipher", "abc cd", "the e x", False),
        ("cipher", "abc", "a c", False),
    ],
)
def test_the_form_depends_on_the_query(family, query, answer, right):
    parsed = SimpleNamespace(query=query.split(" "))
    if family != "cipher":
        parsed.query = Equation(query[:2], query[2], query[3:])
    assert FAMILIES[family].is_answer(parsed, answer) is right


def test_duplicate_id(tmp_path):
    rows, _ = records(1)
    path = write(tmp_path / "rows.csv", spoil(rows, 5, id=rows[1]["id"]))
    with pytest.raises(LabError, match="row 5, field id: duplicate id .* already in row 2"):
        list(read_problems(path))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "empty file"),
        (b"id,prompt\n1,x\n", "row 0, field answer: missing column; the header has id, prompt"),
        (b"id,prompt,answer\n", "no rows below the header"),
        (b"id,prompt,answer\n1,x\n", "row 1, field answer: empty"),
        (b"id,prompt,answer\n1,x,y,z\n", "row 1: more cells than the header's 3"),
        (b'id,prompt,answer\n1,"x,y\n', "row 1: not a CSV"),
        (b"id,prompt,answer\n1,\xff,y\n", "not UTF-8 text"),
        (None, "no such file"),
    ],
)
def test_a_broken_file_is_named(tmp_path, content, expected):
    path = tmp_path / "rows.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(LabError) as error:
        list(read_problems(path))
    assert str(error.value).startswith(f"{path}: {expected}")


def test_scripts_from_csv_to_solutions(tmp_path):
    rows, drawn = records(6)
    source = write(tmp_path / "rows.csv", rows)
    out = [tmp_path / f"{i}.parquet" for i in range(2)]
    for path in out:
        done = run("import_real", "--csv", source, "--family", "cipher", "--out", path)
        assert done.returncode == 0, done.stderr
    assert file_hash(out[0]) == file_hash(out[1])
    table = read_table(out[0]).to_pylist()
    assert [row["prompt"] for row in table] == [p.prompt for p in drawn if p.family == "cipher"]
    assert {(row["split"], row["rule"], row["key"], row["stratum"]) for row in table} == {("real", "{}", "{}", "all")}
    solved = tmp_path / "solutions.parquet"
    done = run("solve", "--puzzles", out[0], "--family", "cipher", "--out", solved)
    assert done.returncode == 0, done.stderr
    assert [row["answer"] for row in read_table(solved).to_pylist()] == [row["answer"] for row in table]
    refused = run("fit_prior", "--puzzles", out[0], "--family", "cipher", "--out", tmp_path / "prior.json")
    assert refused.returncode == 1 and "row 1, field split: 'real', expected 'train'" in refused.stderr
    refused = run("solve", "--puzzles", out[0], "--family", "numeral", "--out", tmp_path / "no.parquet")
    assert refused.returncode == 1 and "row 1, field family: 'cipher', expected 'numeral'" in refused.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["0.parquet", "1.parquet", "rows.csv", "solutions.parquet"]


def test_scripts_from_nothing_to_solutions_and_closures(tmp_path):
    train, prior, solved, closed = (tmp_path / name for name in ("t.parquet", "prior.json", "s.parquet", "c.parquet"))
    family = "cryptarithm_deduce"
    for script, *args in (
        ("generate", "--family", family, "--split", "train", "--n", 8, "--seed", 1, "--out", train),
        ("fit_prior", "--puzzles", train, "--family", family, "--out", prior),
        ("solve", "--puzzles", train, "--family", family, "--prior", prior, "--out", solved),
        ("closure", "--puzzles", train, "--seed", 1, "--orders", "uniform", "--out", closed),
    ):
        done = run(script, *args)
        assert done.returncode == 0, done.stderr
    problems = read_table(train).to_pylist()
    assert [row["id"] for row in read_table(solved).to_pylist()] == [row["id"] for row in problems]
    flags = {(row["id"], row["closure"]) for row in read_table(closed).to_pylist()}
    assert flags >= {(row["id"], name) for row in problems for name in ("full/given", "full/open")}


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (["--n", "0"], "field --n: expected at least 1 row"),
        (["--options", "{"], "field --options: not JSON"),
        (["--options", '{"tiers": [77]}'], "field tiers: [77] is not a list of whole numbers 1..8"),
        (["--options", '{"tiers": [1], "examples": [1]}', "--n", "800"], "field --n: only"),
    ],
)
def test_generate_refuses_nonsense(tmp_path, args, expected):
    base = ["--family", "numeral", "--split", "test", "--n", "5", "--seed", "1", "--out", tmp_path / "x.parquet"]
    done = run("generate", *base, *args)
    assert done.returncode == 1 and expected in done.stderr and "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_spoilt_csv_leaves_no_output(tmp_path):
    rows, _ = records(1)
    source = write(tmp_path / "rows.csv", spoil(rows, 9, answer=""))
    out = tmp_path / "out" / "real.parquet"
    done = run("import_real", "--csv", source, "--family", "numeral", "--out", out)
    assert done.returncode == 1 and "row 9, field answer" in done.stderr and "Traceback" not in done.stderr
    assert not out.parent.exists()


@needs_real
def test_real_rows_are_told_and_solved():
    with open(REAL, newline="", encoding="utf-8") as handle:
        named = {row["id"]: row.get("family") for row in csv.DictReader(handle)}
    right, total = {}, {}
    for row_id, problem in read_problems(REAL):
        family = FAMILIES[problem.family]
        assert named[row_id] in (None, problem.family)
        found = family.solve(family.parse(problem.prompt))
        total[problem.family] = total.get(problem.family, 0) + 1
        hit = found.answer is not None and official(found.answer, problem.answer)
        right[problem.family] = right.get(problem.family, 0) + hit
        if problem.family in ("unit_conversion", "gravity", "cipher", "numeral") and found.n_consistent == 1:
            assert found.answer == problem.answer
    for family in ("numeral", "unit_conversion", "gravity", "cipher"):
        assert right[family] == total[family]
