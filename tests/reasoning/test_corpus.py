"""The corpus script: the same seeded rows in every arm, mixed, and never an evaluation row."""

import subprocess
import sys
from pathlib import Path

import pytest

from common.artifacts import file_hash, read_table, table_note, write_table

ROOT = Path(__file__).resolve().parents[2]


def write_inputs(folder: Path, n: int = 40, unrendered: tuple[int, ...] = ()) -> dict[str, Path]:
    """Texts and puzzles of two families, and an evaluation table that shares no problem with them."""
    paths = {"held_out": folder / "held_out.parquet"}
    for family in ("cipher", "numeral"):
        ids = [f"{family}-{i}" for i in range(n)]
        paths[f"{family}_puzzles"] = folder / f"{family}.parquet"
        write_table(paths[f"{family}_puzzles"], [{"id": i, "canonical": f"canonical {i}"} for i in ids])
        texts = [
            {"id": row, "family": family, "prompt": f"p {row}", "completion": f"c {row}", "answer": "a",
             "design": "d", "hidden": "",
             "stratum": "join" if k % 4 == 0 else "value", "status": "too hard" if k in unrendered else "rendered"}
            for k, row in enumerate(ids)
        ]  # fmt: skip
        paths[f"{family}_texts"] = folder / f"{family}_texts.parquet"
        write_table(paths[f"{family}_texts"], texts)
    write_table(paths["held_out"], [{"id": "e", "canonical": "another"}])
    return paths


def corpus(paths: dict[str, Path], out: Path, *words: str, families=("cipher", "numeral"), n=10, seed=1):
    command = [sys.executable, ROOT / "workflow_scripts/corpus.py", "--n", str(n), "--seed", str(seed), "--out", out]
    command += ["--texts", *(paths[f"{family}_texts"] for family in families)]
    command += ["--puzzles", *(paths[f"{family}_puzzles"] for family in families), "--held-out", paths["held_out"]]
    return subprocess.run([*map(str, command), *words], capture_output=True, text=True)


def test_rows_are_mixed_hashed_and_repeat_to_the_byte(tmp_path):
    paths = write_inputs(tmp_path)
    for name in ("one", "two"):
        assert corpus(paths, tmp_path / f"{name}.parquet").returncode == 0
    assert file_hash(tmp_path / "one.parquet") == file_hash(tmp_path / "two.parquet")
    rows = read_table(tmp_path / "one.parquet").to_pylist()
    families = [row["family"] for row in rows]
    assert families.count("cipher") == families.count("numeral") == 10
    assert families != sorted(families)
    assert len({row["hash"] for row in rows}) == 20 and all(row["n_chars"] == len(row["completion"]) for row in rows)
    assert table_note(tmp_path / "one.parquet")["params"]["n"] == 10
    assert corpus(paths, tmp_path / "three.parquet", seed=2).returncode == 0
    assert {r["id"] for r in read_table(tmp_path / "three.parquet").to_pylist()} != {r["id"] for r in rows}


def test_arms_draw_the_same_rows_as_far_as_both_render_them(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    full, partial = write_inputs(tmp_path / "a"), write_inputs(tmp_path / "b", unrendered=(0, 3, 5))
    corpus(full, tmp_path / "full.parquet")
    corpus(partial, tmp_path / "partial.parquet")
    one, two = ({r["id"] for r in read_table(tmp_path / f"{x}.parquet").to_pylist()} for x in ("full", "partial"))
    lost = {f"{family}-{i}" for family in ("cipher", "numeral") for i in (0, 3, 5)}
    assert one - lost <= two and not two & lost and len(one) == len(two) == 20


def test_selection_draws_one_stratum(tmp_path):
    paths = write_inputs(tmp_path)
    assert corpus(paths, tmp_path / "c.parquet", "--selection", "join").returncode == 0
    assert {row["stratum"] for row in read_table(tmp_path / "c.parquet").to_pylist()} == {"join"}


def test_a_quota_of_wrong_answers_is_kept(tmp_path):
    paths = write_inputs(tmp_path)
    texts = read_table(paths["cipher_texts"]).to_pylist()
    ends = ("</think>\n\\boxed{b}", "</think>\n\\boxed{a}", "</think>")  # wrong, right, undetermined
    write_table(paths["cipher_texts"], [row | {"completion": ends[k % 3]} for k, row in enumerate(texts)])
    out = tmp_path / "c.parquet"
    assert corpus(paths, out, "--selection", "wrong-19", families=["cipher"], n=16).returncode == 0
    assert sum("{b}" in row["completion"] for row in read_table(out).to_pylist()) == 3
    done = corpus(paths, out, "--selection", "wrong-90", families=["cipher"], n=20)
    assert done.returncode and "18 rows asked for, but of 40 only 14 box a wrong answer" in done.stderr


@pytest.mark.parametrize("leaked", ["cipher-0", "numeral-39"])
def test_an_evaluation_row_among_the_examples_stops_it(tmp_path, leaked):
    paths = write_inputs(tmp_path)
    write_table(paths["held_out"], [{"id": "e", "canonical": "x"}, {"id": "twin", "canonical": f"canonical {leaked}"}])
    done = corpus(paths, tmp_path / "c.parquet", n=40)
    assert done.returncode == 1 and not (tmp_path / "c.parquet").exists()
    assert f"row twin, field canonical: it is also the training row {leaked}" in done.stderr


def test_too_few_rendered_rows_are_named(tmp_path):
    paths = write_inputs(tmp_path, unrendered=tuple(range(35)))
    done = corpus(paths, tmp_path / "c.parquet")
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    message = "cipher_texts.parquet: field n: 10 rows asked for, but of 40 only 5 are rendered and of selection 'all'"
    assert f"{message}; 35: too hard" in done.stderr


def test_the_selection_right_leaves_out_rows_that_box_a_wrong_answer(tmp_path):
    paths = write_inputs(tmp_path)
    rows = read_table(paths["cipher_texts"]).to_pylist()
    for k, row in enumerate(rows):
        row["completion"] = f"\\boxed{{{'a' if k % 2 else 'b'}}}"
    write_table(paths["cipher_texts"], rows)
    done = corpus(paths, tmp_path / "right.parquet", "--selection", "right", families=("cipher",))
    assert done.returncode == 0, done.stderr
    assert {row["completion"] for row in read_table(tmp_path / "right.parquet").to_pylist()} == {"\\boxed{a}"}
    refused = corpus(paths, tmp_path / "no.parquet", "--selection", "right", families=("cipher",), n=30)
    assert (
        refused.returncode
        and "30 rows asked for, but of 40 only 20 are rendered and of selection 'right'" in refused.stderr
    )
