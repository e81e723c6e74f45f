"""The benchmarks of training and decoding, at their smallest: what they report is there and adds up."""

import json

import pytest

from common.artifacts import write_table
from learning_fixtures import RECIPE, rows, run, save_backbone, save_corpus


@pytest.mark.slow
def test_it_compares_trainers_and_ranks(tmp_path):
    save_backbone(tmp_path / "backbone")
    save_corpus(tmp_path / "corpus.parquet")
    words = ["--corpus", tmp_path / "corpus.parquet", "--backbone", tmp_path / "backbone", "--steps", 3, "--threads", 2]
    words += ["--recipe", json.dumps(RECIPE), "--profile", tmp_path / "profile.txt", "--out", tmp_path / "bench.json"]
    done = run("bench_training", *words)
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads((tmp_path / "bench.json").read_text())
    assert len(found["plain_loss"]) == len(found["packed_loss"]) == 3 and found["largest_loss_difference"] < 1e-3
    ranks = found["ranks"]
    assert ranks["one_rank"]["last_loss"] == pytest.approx(ranks["two_ranks"]["last_loss"], rel=1e-3)
    ratio = ranks["two_ranks"]["tokens_per_s"] / ranks["one_rank"]["tokens_per_s"]
    assert ranks["two_to_one"] == pytest.approx(ratio, abs=1e-3)
    for name in ("one_rank", "two_ranks"):
        assert min(ranks[name][part] for part in ("start_s", "steps_s", "end_s")) > 0
    assert 0 < ranks["imports_s"] and "aten::mm" in (tmp_path / "profile.txt").read_text()


@pytest.mark.slow
def test_it_compares_engines(tmp_path):
    save_backbone(tmp_path / "backbone")
    write_table(tmp_path / "texts.parquet", rows(6, seed=2))
    words = ["--texts", tmp_path / "texts.parquet", "--backbone", tmp_path / "backbone", "--threads", 1]
    done = run("bench_decoding", *words, "--batch", 4, "--budget", 12, "--out", tmp_path / "bench.json")
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads((tmp_path / "bench.json").read_text())
    assert found["rows"] == 6 and found["same"] == 1.0
    assert found["slots"]["tokens"] == found["generate"]["tokens"] > 0
    ratio = found["slots"]["tokens_per_s"] / found["generate"]["tokens_per_s"]
    assert found["slots_to_generate"] == pytest.approx(ratio, rel=0.01)
