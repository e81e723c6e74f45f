"""The corpus script: the same seeded rows in every arm, mixed, and never an evaluation row."""

from pathlib import Path

import pytest

import forked
from common.artifacts import file_hash, read_table, table_note, write_table
from common.errors import LabError
from corpus import TEXT_COLUMNS, select
from puzzles.base import row_rng
from puzzles.registry import FAMILIES
from reasoning.auxiliary.selections import narrowed

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
    command = [ROOT / "workflow_scripts/corpus.py", "--n", str(n), "--seed", str(seed), "--out", out]
    command += ["--texts", *(paths[f"{family}_texts"] for family in families)]
    command += ["--puzzles", *(paths[f"{family}_puzzles"] for family in families), "--held-out", paths["held_out"]]
    return forked.run(*command, *words)


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


def test_a_quota_of_endings_is_kept(tmp_path):
    """Chain, split, bail in the study's shares, and among the bails as many wrong ones as asked for."""
    paths = write_inputs(tmp_path, n=100)
    texts = read_table(paths["cipher_texts"]).to_pylist()
    lines = (["a"], ["chain/split"], ["chain/split", "chain/bail"], ["chain/last-resort"])

    def changed(k: int, row: dict) -> dict:
        kinds = [{"kind": kind, "text": "", "verdict": ""} for kind in lines[k % 4]]
        box = "b" if k % 4 >= 2 and k % 3 else "a"
        return row | {"lines": kinds, "completion": f"</think>\n\\boxed{{{box}}}"}

    write_table(paths["cipher_texts"], [changed(k, row) for k, row in enumerate(texts)])
    out = tmp_path / "c.parquet"
    kinds = {row["id"]: lines[k % 4] for k, row in enumerate(texts)}
    for selection, wrong in (("ends-55-30-15", None), ("ends-55-30-15-wrong-9", 4)):
        done = corpus(paths, out, "--selection", selection, families=["cipher"], n=40)
        assert done.returncode == 0, done.stderr
        rows = read_table(out).to_pylist()
        found = [kinds[row["id"]] for row in rows]
        assert (found.count(["a"]), found.count(["chain/split"]), len(found)) == (22, 12, 40)
        assert wrong is None or sum("{b}" in row["completion"] for row in rows) == wrong
    for selection, message in (
        ("ends-90-5-5", "36 rows asked for, but of 100 only 25 end straight on"),
        ("ends-50-30-15", "expected three parts of 100"),
        ("ends-55-30-15-wrong-20", "no more wrong rows than bails"),
        ("wrong-a", "is no selection"),
    ):
        done = corpus(paths, out, "--selection", selection, families=["cipher"], n=40)
        assert done.returncode and message in done.stderr, done.stderr


def test_even_draws_as_many_of_every_group_of_rules(tmp_path):
    paths = write_inputs(tmp_path)
    names = ("join_swap", "add+1", "flip_abs", "mul", "mul")
    puzzles = [
        {"id": f"cipher-{i}", "canonical": f"canonical cipher-{i}", "rule": f'{{"query": "{names[i % 5]}"}}'}
        for i in range(40)
    ]
    write_table(paths["cipher_puzzles"], puzzles)
    out = tmp_path / "c.parquet"
    done = corpus(paths, out, "--selection", "even", families=["cipher"], n=32)
    assert done.returncode == 0, done.stderr
    drawn = [names[int(row["id"].rpartition("-")[2]) % 5] for row in read_table(out).to_pylist()]
    assert sorted(map(drawn.count, dict.fromkeys(names))) == [8, 8, 8, 8]
    done = corpus(paths, out, "--selection", "even", families=["cipher"], n=36)
    assert done.returncode and "9 rows asked for, but of 40 only 8 ask for a rule of group" in done.stderr
    write_table(paths["cipher_puzzles"], [row | {"rule": "{}"} for row in puzzles])
    done = corpus(paths, out, "--selection", "diverse", families=["cipher"], n=4)
    assert "selection 'diverse' is for families whose rows hide a rule for each operator" in done.stderr


def test_selections_that_compare_rows():
    """Thirds of lengths within each stratum and tier, thirds of tiers within each length; one rule, or many."""
    rows = [
        {
            "id": i,
            "stratum": "value",
            "tier": i % 3,
            "n_chars": 100 + i,
            "rule": {"query": "abcd"[i % 4 % 3], "mode": "m"},
        }
        for i in range(36)
    ]
    found = {name: narrowed(name, rows) for name in ("short", "long", "easy", "hard", "alike", "diverse", "all")}
    assert found["all"] == rows and len(found["short"]) == len(found["long"]) == 12
    assert {row["tier"] for row in found["short"]} == {0, 1, 2}  # as hard as the long ones
    assert max(row["n_chars"] for row in found["short"]) < min(row["n_chars"] for row in found["long"])
    assert {row["tier"] for row in found["easy"]} == {0} and {row["tier"] for row in found["hard"]} == {2}
    assert {row["rule"]["query"] for row in found["alike"]} == {"a"}
    assert [row["rule"]["query"] for row in found["diverse"][:3]] == ["a", "b", "c"] and len(found["diverse"]) == 36


def test_a_stratum_that_no_row_renders_is_named(tmp_path):
    """An arm on all rows claims the stratum that most of its puzzles have."""
    paths = write_inputs(tmp_path, unrendered=tuple(k for k in range(40) if k % 4))
    done = corpus(paths, tmp_path / "c.parquet", families=["cipher"], n=5)
    assert done.returncode and "field selection: none of the 30 rows of stratum 'value' is rendered" in done.stderr
    assert corpus(paths, tmp_path / "c.parquet", "--selection", "join", families=["cipher"], n=5).returncode == 0


@pytest.mark.parametrize(("selection", "empty"), [("right", "join"), ("wrong-19", "join"), ("all", "value")])
def test_every_stratum_that_an_arm_claims_has_rows(tmp_path, selection, empty):
    """A quarter of the rows are joins; of one stratum no row is rendered."""
    paths = write_inputs(tmp_path, unrendered=tuple(k for k in range(40) if (k % 4 == 0) == (empty == "join")))
    with pytest.raises(LabError, match=f"field selection: none of the .* rows of stratum '{empty}' is rendered"):
        select(paths["cipher_texts"], 5, selection, 1, TEXT_COLUMNS, paths["cipher_puzzles"])


def test_the_strata_of_a_family_are_those_of_its_rows():
    for name, family in FAMILIES.items():
        assert {problem.stratum for problem in family.generate(row_rng(3, name), 60)} == set(family.strata), name


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
