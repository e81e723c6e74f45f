"""Intervals and tests against values computed by hand, by brute force, or by simulation."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest
from statsmodels.stats.proportion import proportion_confint

from measuring.stats import clustered, draws, holm, paired_test, wilson


def scores(rows: list[list[int]]) -> pd.DataFrame:
    """A table of draws: one line per row, its draws as they are given."""
    return pd.DataFrame(rows, index=[f"r{i}" for i in range(len(rows))])


def test_wilson_is_the_textbook_formula():
    for successes, n in ((8, 10), (0, 3), (3, 3), (2.5, 7), (499, 500), (1e-9, 40)):
        assert wilson(successes, n) == pytest.approx(proportion_confint(successes, n, method="wilson"), abs=1e-12)
    low, high = wilson(8, 10)
    z, p, n = 1.959963984540054, 0.8, 10
    centre, half = (p + z * z / (2 * n)), z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    assert (low, high) == pytest.approx(((centre - half) / (1 + z * z / n), (centre + half) / (1 + z * z / n)))
    assert all(wilson(0, n)[0] == 0 and wilson(n, n)[1] == 1 for n in range(1, 200))
    assert all(np.isnan(x) for x in wilson(0, 0))


def test_clusters_that_agree_within_count_as_one_line_each():
    alone, repeated = clustered([1] * 30 + [0] * 30, [1] * 60), clustered([20] * 30 + [0] * 30, [20] * 60)
    assert repeated == pytest.approx(alone) and repeated[0] == 0.5
    assert repeated[2] - repeated[1] > 4 * np.subtract(*wilson(600, 1200)[::-1])
    assert clustered([50, 50], [50, 50]) == pytest.approx((1, *wilson(2, 2)))
    assert clustered([3, 0], [3, 0])[0] == 1 and all(np.isnan(x) for x in clustered([0], [0]))


@pytest.mark.parametrize("p", [0.3, 0.9])
def test_clustered_intervals_cover_the_truth(p):
    """Rows of 1 to 12 lines that share a row's own probability; an interval from line counts covers far less."""
    rng, n = np.random.default_rng(3), 400
    held = naive = 0
    for _ in range(n):
        total = rng.integers(1, 13, 60)
        right = rng.binomial(total, rng.beta(p, 1 - p, 60))
        _, low, high = clustered(right, total)
        held += low <= p <= high
        low, high = wilson(right.sum(), total.sum())
        naive += low <= p <= high
    assert held / n >= 0.92 and naive / n <= 0.75


def test_one_draw_each_is_the_exact_mcnemar_test():
    found = paired_test(scores([[1]] * 7 + [[0]] * 1 + [[1]] * 4), scores([[0]] * 7 + [[1]] * 1 + [[1]] * 4))
    assert (found["n"], found["a_only"], found["b_only"]) == (12, 7, 1)
    assert found["p"] == pytest.approx(2 * (1 + 8) / 2**8)


def test_sign_flips_are_those_of_brute_force():
    rng = np.random.default_rng(5)
    a, b = rng.integers(0, 2, (9, 2)), rng.integers(0, 2, (9, 3))
    differences = a.mean(axis=1) - b.mean(axis=1)
    sums = [abs(np.dot(signs, differences)) for signs in itertools.product((1, -1), repeat=9)]
    expected = np.mean([each >= abs(differences.sum()) - 1e-9 for each in sums])
    assert paired_test(scores(a.tolist()), scores(b.tolist()))["p"] == pytest.approx(expected)


def test_a_row_counts_once_and_only_where_both_have_it():
    a, b = [[1, 1, 1], [1, 0, 1], [0, 0, 0], [1, 0, 0]], [[0, 0, 0], [0, 1, 0], [0, 0, 0], [0, 1, 0]]
    found = paired_test(scores(a), scores(b))
    assert (found["a_only"], found["b_only"], found["draws_a"], found["draws_b"]) == (2, 0, 3, 3)
    assert found["p"] == pytest.approx(0.5) and paired_test(scores(a), scores(a))["p"] == 1
    grades = {"id": ["x", "x", "y"], "seed": ["1", "2", "1"], "sample": [0, 0, 0], "official": [True, False, True]}
    assert list(draws(pd.DataFrame(grades)).index) == ["x"]


def sign_test(a: np.ndarray, b: np.ndarray) -> float:
    """What an exact McNemar test on the means over seeds would say: the wrong test where these are unequal."""
    better, worse = int((a.mean(1) > b.mean(1)).sum()), int((a.mean(1) < b.mean(1)).sum())
    return binomtest(better, better + worse).pvalue if better + worse else 1.0


def test_a_chosen_sample_is_a_draw_whatever_its_number():
    """A majority keeps the number of the sample it chose, another one in each row."""
    rows = [{"id": str(i), "seed": "1", "sample": i % 8, "official": i < 12} for i in range(40)]
    chosen, greedy = pd.DataFrame(rows), pd.DataFrame(rows).assign(sample=0, official=False)
    found = paired_test(draws(chosen), draws(greedy))
    assert (found["n"], found["a_only"], found["b_only"]) == (40, 12, 0) and found["p"] < 0.001
    eight = pd.concat([greedy.assign(sample=k, official=k < 4) for k in range(7, -1, -1)])
    assert draws(eight).shape == (40, 8) and draws(eight).mean(axis=None) == 0.5


@pytest.mark.parametrize("draws_of", [(1, 3), (1, 8), (3, 3)])
@pytest.mark.parametrize("p", [0.02, 0.3])
def test_false_alarms_stay_at_five_percent_and_real_differences_are_found(draws_of, p):
    """120 rows of unequal difficulty, seeds that repeat it, as many draws as each arm happens to have."""
    rng, n = np.random.default_rng(11), 100
    alarms = found = old = 0
    for _ in range(n):
        hard = rng.beta(2 * p, 2 * (1 - p), (120, 1))
        a, b = (rng.random((120, k)) < hard for k in draws_of)
        better = rng.random((120, draws_of[1])) < hard + 0.25 * (1 - hard)
        alarms += paired_test(pd.DataFrame(a), pd.DataFrame(b))["p"] < 0.05
        found += paired_test(pd.DataFrame(a), pd.DataFrame(better))["p"] < 0.05
        old += sign_test(a, b) < 0.05
    assert alarms / n <= 0.07 and found / n >= 0.9
    if draws_of == (1, 8) and p == 0.3:
        assert old / n > 0.25


def test_holm_matches_its_definition():
    p = [0.01, 0.04, 0.03, 0.005]
    for order in itertools.permutations(range(4)):
        adjusted = holm([p[i] for i in order])
        assert [adjusted[order.index(i)] for i in range(4)] == pytest.approx([0.03, 0.06, 0.06, 0.02])
