"""The benchmark of training, at its smallest: what it reports is there and adds up."""

import json

import pytest

from learning_fixtures import RECIPE, run, save_backbone, save_corpus


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
