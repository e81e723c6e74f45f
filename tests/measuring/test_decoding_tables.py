"""The tables about probes and decoders, against values counted by hand."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import mannwhitneyu

from measuring.stats import auc, clustered, clustered_mean, spearman
from measuring.tables import probe, screening


def probed(arm: str, row: str, *lines: tuple[str, int, int, float], seed: str = "1") -> list[dict]:
    """Lines of one probed trace: kind, tokens, how many of them first, log-probability."""
    kept = {"arm": arm, "seed": seed, "eval_set": "test", "family": "sums", "design": "plain", "id": row}
    return [
        kept | {"line": i, "kind": kind, "n_tokens": n, "n_first": first, "logprob": logprob}
        for i, (kind, n, first, logprob) in enumerate(lines)
    ]


def test_the_probe_counts_by_hand():
    lines = probed("a", "x", ("open", 1, 1, -0.1), ("sum", 4, 3, -2.0), ("sum", 4, 4, -0.4), ("box", 2, 1, -3.0))
    lines += probed("a", "x", ("open", 1, 1, -0.1), ("sum", 4, 4, -0.2), ("box", 2, 2, -0.2), seed="2")
    lines += probed("a", "y", ("open", 1, 1, -0.1), ("sum", 6, 6, -0.6), ("box", 2, 0, -4.0))
    table = probe.make(pd.DataFrame(lines)).set_index("kind")
    own = table.loc["sum"]
    assert (own["rows"], own.lines, own.tokens) == (2, 4, 18)
    assert own.loss == pytest.approx(3.2 / 18) and own["first"] == pytest.approx(17 / 18)
    assert own.whole == pytest.approx(3 / 4)
    assert (own.left, own.left_low) == pytest.approx(clustered([1, 0], [2, 1])[:2])
    assert table.left["box"] == pytest.approx(1 / 3)  # y; x leaves in its first sum, and not at all with seed 2
    assert table.left["all"] == pytest.approx(2 / 3) and table.left["open"] == 0
    assert table.loss["all"] == pytest.approx((3.2 + 0.3 + 7.2) / table.tokens["all"])


def test_the_probe_predicts_what_it_predicts():
    lines, grades = [], []
    for arm, right in (("a", 4), ("b", 2), ("c", 3), ("d", 0)):
        for i in range(4):
            good = i < right
            lines += probed(arm, f"r{i}", ("open", 1, 1, -0.1), ("sum", 5, 5 if good else 2, -1.0), ("box", 4, 4, -0.1))
            kept = {"arm": arm, "seed": "1", "eval_set": "test", "family": "sums", "id": f"r{i}", "sample": 0}
            grades += [kept | {"decoder": "greedy", "official": good}, kept | {"decoder": "vote", "official": not good}]
    table = screening.make(pd.DataFrame(lines), pd.DataFrame(grades))
    rows = table[table.of == "rows"].set_index(["arm", "measure"])
    assert rows.value["b", "reached"] == rows.value["b", "first"] == 1 and rows.value["b", "logprob"] == 0.5
    assert (rows.n["b", "first"], rows.n_right["b", "first"]) == (4, 2)
    assert math.isnan(rows.value["a", "reached"]) and math.isnan(rows.value["d", "reached"])
    arms = table[table.of == "arms"].set_index("measure")
    assert arms.value["first"] == pytest.approx(1) and math.isnan(arms.value["logprob"])  # it is the same everywhere
    assert arms.n["first"] == 4


def test_nothing_probed_gives_tables_without_rows():
    empty = pd.DataFrame(columns=["arm", "seed", "eval_set", "family", "id", "design", "line", "kind", "n_tokens",
                                  "n_first", "logprob"])  # fmt: skip
    grades = pd.DataFrame(columns=["arm", "seed", "eval_set", "family", "id", "sample", "decoder", "official"])
    assert probe.make(empty).empty and screening.make(empty, grades).empty


def test_areas_means_and_rank_correlations():
    rng = np.random.default_rng(1)
    a, b = rng.normal(1, 1, 60), rng.normal(0, 1, 80).round(1)
    area, low, high = auc(a, b)
    assert area == pytest.approx(mannwhitneyu(a, b).statistic / (60 * 80)) and 0.5 < low < area < high < 1
    assert auc([1, 1], [1, 1])[0] == 0.5 and auc([2], [1])[0] == 1 and math.isnan(auc([], [1])[0])
    flat, low, high = clustered_mean([2.0, 4.0, 6.0], [1, 2, 3])
    assert (flat, low, high) == pytest.approx((2, 2, 2))
    one = clustered_mean(a, np.ones(60))
    assert one[0] == pytest.approx(a.mean()) and one[2] - one[0] == pytest.approx(2.001 * a.std(ddof=1) / 60**0.5, 1e-3)
    assert spearman([1, 2, 3, 4], [1, 3, 2, 4])[0] == pytest.approx(0.8) and math.isnan(spearman([1, 2], [1, 2])[0])
