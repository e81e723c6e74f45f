"""The scripts that report on puzzles: grades of completions, the solvers' benchmark, the fidelity of generated rows."""

import csv
from pathlib import Path

import pyarrow as pa
import pytest

import forked
from common.artifacts import read_table, write_table
from puzzles import bench, numeral
from puzzles.base import row_rng
from puzzles.registry import FAMILIES

SCRIPTS = Path(__file__).resolve().parents[2] / "workflow_scripts"


def run(script, *args):
    return forked.run(SCRIPTS / f"{script}.py", *args, timeout=240)


@pytest.fixture
def rows_csv(tmp_path):
    """60 rows of two families, as a person would bring them."""
    path = tmp_path / "rows.csv"
    with open(path, "w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle)
        writer.writerow(["id", "prompt", "answer"])
        for name in ("numeral", "equation_numeric_deduce"):
            for problem in FAMILIES[name].generate(row_rng(3, "reports", name), 30):
                writer.writerow([problem.id, problem.prompt, problem.answer])
    return path


def test_grade(tmp_path):
    given = [
        (r"<think>\n</think>\n\boxed{XIV}", "stop", (True, True, "XIV", True, "")),
        (r"\boxed{xiv}", "stop", (True, False, "xiv", True, "")),
        ("XIV and so on", "length", (False, False, "XIV and so on", False, "truncated")),
        (r"\boxed{XV}", "stop", (False, False, "XV", True, "wrong")),
    ]
    rows = [
        {
            **{"id": f"r{i}", "family": "numeral", "design": "forward", "reveal": "0", "stratum": "all", "sample": i},
            **{"prompt": "p", "answer": "XIV", "text": text, "n_tokens": 10 + i, "finish": finish},
        }
        for i, (text, finish, _) in enumerate(given)
    ]
    write_table(tmp_path / "completions.parquet", rows)
    done = run("grade", "--completions", tmp_path / "completions.parquet", "--out", tmp_path / "grades.parquet")
    assert done.returncode == 0, done.stderr
    table = read_table(tmp_path / "grades.parquet")
    assert table.schema.field("n_tokens").type == pa.int32() and table.column("n_tokens").to_pylist() == [
        10,
        11,
        12,
        13,
    ]
    found = [
        tuple(row[name] for name in ("official", "strict", "parsed", "boxed", "failure")) for row in table.to_pylist()
    ]
    assert found == [expected for _, _, expected in given]


def test_bench_on_given_rows(tmp_path, rows_csv):
    out, figure = tmp_path / "bench.parquet", tmp_path / "bench.png"
    with open(rows_csv, "a", newline="", encoding="utf-8") as handle:
        csv.writer(handle).writerow(["bad", numeral.HEADER + "1 -> one" + numeral.BEFORE + "1" + numeral.AFTER, "I"])
    done = run("bench_solvers", "--rows", rows_csv, "--out", out, "--figure", figure)
    assert done.returncode == 0, done.stderr
    table = read_table(out)
    assert tuple(table.column_names) == bench.COLUMNS and table.num_rows == 61
    frame = table.to_pandas().set_index("id")
    assert "row 61, field prompt: field example 1" in done.stderr
    assert frame.prediction.isna().to_dict() == {row_id: row_id == "bad" for row_id in frame.index}
    assert not frame.loc["bad"].official
    easy = frame[(frame.family == "numeral") & (frame.index != "bad")]
    assert easy.strict.all() and len(easy) == 30 and figure.read_bytes()[:4] == b"\x89PNG"
    for part in ("official", "expected", "coverage", "p99 ms", "rows/s", "Calibration", "join", "value"):
        assert part in done.stdout
    assert "Generators" not in done.stdout


def test_bench_on_drawn_rows(tmp_path):
    out = tmp_path / "bench.parquet"
    done = run("bench_solvers", "--n", 10, "--family", "gravity", "cipher", "--out", out)
    assert done.returncode == 0, done.stderr
    assert sorted(set(read_table(out).column("family").to_pylist())) == ["cipher", "gravity"]
    assert "drawn and hashed/s" in done.stdout
    refused = run("bench_solvers", "--n", 10, "--priors", tmp_path, "--out", tmp_path / "no.parquet")
    assert refused.returncode == 1 and "bit_manipulation.json: no such file" in refused.stderr
    assert not (tmp_path / "no.parquet").exists()


def test_fidelity(tmp_path, rows_csv):
    out, report = tmp_path / "fidelity.parquet", tmp_path / "fidelity.txt"
    done = run("fidelity", "--csv", rows_csv, "--n", 150, "--seed", 1, "--out", out, "--report", report)
    assert done.returncode == 0, done.stderr
    table = read_table(out).to_pandas()
    assert set(table.family) == {"numeral", "equation_numeric_deduce"}
    assert set(table.n_generated) == {150} and set(table.n_real) == {30}
    assert "tolerance: family-wise error 0.05" in done.stdout and "\nALL\n" in report.read_text()
