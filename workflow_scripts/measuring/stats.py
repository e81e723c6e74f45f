"""Intervals and paired tests for shares measured on the same rows with several training seeds, samples or lines.

Every table and figure is a process of its own and needs these. scipy.stats and statsmodels have the same formulas (the
tests compare them) and take most of a second to load; scipy.special takes a third of what a table loads, and is loaded
where it is used.
"""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

Z = 1.959963984540054  # the 97.5 % quantile of the normal distribution


def wilson(successes: float, n: float) -> tuple[float, float]:
    """The Wilson 95 % interval of a proportion; (nan, nan) without rows.

    `successes` need not be whole: pooled over seeds it is the number of rows times the mean accuracy, so that the
    interval stays as wide as the number of different rows allows.
    """
    if n == 0:
        return math.nan, math.nan
    p, square = successes / n, Z * Z / n
    centre, half = p + square / 2, math.sqrt(square * max(0.0, p * (1 - p)) + square * square / 4)
    low, high = (centre - half) / (1 + square), (centre + half) / (1 + square)
    return low if successes > 0 else 0.0, high if successes < n else 1.0  # exact, not 3e-17


def with_wilson(frame: pd.DataFrame, share: str = "share", n: str = "n") -> pd.DataFrame:
    """The frame with columns low and high: the Wilson 95 % interval of each line's share of n rows."""
    found = [wilson(p * rows, rows) for p, rows in zip(frame[share], frame[n], strict=True)]
    return frame.assign(low=[low for low, _ in found], high=[high for _, high in found])


def clustered(right: Sequence[float], total: Sequence[float]) -> tuple[float, float, float]:
    """(share, low, high): right / total over all clusters, with a 95 % interval that knows that they are clusters.

    One entry per row of the evaluation set: how many of its lines (over seeds and samples) are right, and how many
    there are. With share p and G rows, the linearised variance of the ratio is

        v = G / (G - 1) * sum((right - p * total)^2) / sum(total)^2

    and the interval is Wilson's for n = p (1 - p) / v * (1.96 / t)^2 lines, t the 97.5 % quantile of Student's t with
    G - 1 degrees of freedom (Korn and Graubard, 1998). n is at most the number of lines. Where v is 0 (all right, all
    wrong, one row), lines tell no more than rows, and n = G.
    """
    p, variance, rows, lines = _ratio(right, total)
    if not rows:
        return math.nan, math.nan, math.nan
    n = float(rows)
    if variance > 1e-15 and 0 < p < 1:
        n = min(float(lines), p * (1 - p) / variance * (Z / student(rows - 1)) ** 2)
    return p, *wilson(p * n, n)


def clustered_mean(sums: Sequence[float], counts: Sequence[float]) -> tuple[float, float, float]:
    """(mean, low, high) of any numbers, such as log-probabilities, with a 95 % interval that knows their clusters.

    One entry per row: the sum of its numbers, and how many there are. The variance is that of `clustered`, the interval
    Student's; without bounds (nan) where there is one row only.
    """
    mean, variance, rows, _ = _ratio(sums, counts)
    if rows < 2:
        return mean, math.nan, math.nan
    half = student(rows - 1) * math.sqrt(variance)
    return mean, mean - half, mean + half


def student(degrees: int) -> float:
    """The 97.5 % quantile of Student's t."""
    from scipy.special import stdtrit

    return float(stdtrit(degrees, 0.975))


def _ratio(sums: Sequence[float], counts: Sequence[float]) -> tuple[float, float, int, float]:
    """(the ratio of the totals, its linearised variance, the rows that count, the total of their counts)."""
    y, m = np.asarray(sums, float), np.asarray(counts, float)
    y, m = y[m > 0], m[m > 0]
    rows, total = len(m), float(m.sum())
    if not rows:
        return math.nan, math.nan, 0, 0.0
    ratio = float(y.sum() / total)
    return ratio, rows / (rows - 1) * float(((y - ratio * m) ** 2).sum()) / total**2 if rows > 1 else 0.0, rows, total


def auc(right: Sequence[float], wrong: Sequence[float]) -> tuple[float, float, float]:
    """(AUC, low, high): how often a score of the first is above one of the second, ties half; nan where one is empty.

    The 95 % interval is that of Hanley and McNeil (1982), cut to [0, 1].
    """
    a, b = np.asarray(right, float), np.asarray(wrong, float)
    if not len(a) or not len(b):
        return math.nan, math.nan, math.nan
    ranks = pd.Series(np.concatenate([a, b])).rank().to_numpy()
    area = float((ranks[: len(a)].sum() - len(a) * (len(a) + 1) / 2) / (len(a) * len(b)))
    one, two = area / (2 - area), 2 * area**2 / (1 + area)
    variance = area * (1 - area) + (len(a) - 1) * (one - area**2) + (len(b) - 1) * (two - area**2)
    half = Z * math.sqrt(max(0.0, variance) / (len(a) * len(b)))
    return area, max(0.0, area - half), min(1.0, area + half)


def spearman(x: Sequence[float], y: Sequence[float]) -> tuple[float, float, float]:
    """(rank correlation, low, high) with Fisher's 95 % interval, variance 1.06 / (n - 3); nan for fewer than four."""
    n = len(x)
    if n < 3 or len(set(x)) < 2 or len(set(y)) < 2:
        return math.nan, math.nan, math.nan
    rho = float(np.corrcoef(pd.Series(x).rank(), pd.Series(y).rank())[0, 1])
    if n < 4:
        return rho, math.nan, math.nan
    z, half = math.atanh(max(-1 + 1e-12, min(1 - 1e-12, rho))), Z * math.sqrt(1.06 / (n - 3))
    return rho, math.tanh(z - half), math.tanh(z + half)


MOST_RATIO, CHOICES = 3, 10


def paired_test(a: pd.DataFrame, b: pd.DataFrame) -> dict[str, float]:
    """Two-sided sign-flip test of the difference in accuracy on the rows that both have, each row counted once.

    `a` and `b` are tables of `draws`. The difference of a row's two means is taken to be as likely as its negative; the
    statistic is the sum of the differences, and its distribution under all sign flips is computed exactly. With one
    draw each this is the exact McNemar test. With unequal numbers of draws the differences are not quite symmetric:
    that matters only where one has many times as many, so no more than MOST_RATIO times as many are used, and p is the
    mean over CHOICES of them (fixed seed). The test is about these trained models; how much another training seed
    would change is told by the spread of the seeds.

    Returns n (shared rows), draws_a, draws_b (per row, as used), a, b (mean accuracies over all draws), a_only, b_only
    (rows where that arm's mean is higher) and p.
    """
    ids = a.index.intersection(b.index)
    left, right = a.loc[ids].to_numpy(float), b.loc[ids].to_numpy(float)
    means = left.mean(axis=1), right.mean(axis=1)
    most = MOST_RATIO * min(left.shape[1], right.shape[1])
    rng, p = np.random.default_rng(0), []
    for _ in range(CHOICES if max(left.shape[1], right.shape[1]) > most else 1):
        x, y = (scores[:, np.sort(rng.permutation(scores.shape[1])[:most])] for scores in (left, right))
        p.append(_sign_flip(x.sum(axis=1) * y.shape[1] - y.sum(axis=1) * x.shape[1]))
    return {
        "n": len(ids),
        "draws_a": x.shape[1],
        "draws_b": y.shape[1],
        "a": float(means[0].mean()) if len(ids) else math.nan,
        "b": float(means[1].mean()) if len(ids) else math.nan,
        "a_only": int((means[0] > means[1] + 1e-9).sum()),
        "b_only": int((means[0] < means[1] - 1e-9).sum()),
        "p": float(np.mean(p)),
    }


def draws(grades: pd.DataFrame, column: str = "official") -> pd.DataFrame:
    """One line per row, one column per draw (of a seed, the first, second, ... of its samples, whatever their number: a
    decoder that chooses keeps that of the one it chose); rows that lack a draw are left out."""
    ordered = grades.sort_values(["seed", "sample"], kind="stable")
    ordered = ordered.assign(draw=ordered.groupby(["id", "seed"]).cumcount())
    return ordered.pivot(index="id", columns=["seed", "draw"], values=column).dropna()


def _sign_flip(differences: np.ndarray) -> float:
    """P(|sum of the differences with random signs| >= |their sum|), exactly; the differences are whole numbers."""
    from scipy.special import gammaln

    sizes, counts = np.unique(np.abs(differences).round().astype(int), return_counts=True)
    distribution = np.ones(1)
    for size, count in zip(sizes, counts, strict=True):
        if size:
            steps = np.zeros(2 * count * size + 1)
            k = np.arange(count + 1)
            ways = gammaln(count + 1) - gammaln(k + 1) - gammaln(count - k + 1)
            steps[:: 2 * size] = np.exp(ways - count * math.log(2))
            distribution = np.convolve(distribution, steps)
    reach = len(distribution) // 2
    observed = abs(int(round(float(differences.sum()))))
    return float(min(1.0, distribution[np.abs(np.arange(-reach, reach + 1)) >= observed].sum()))


def holm(p: Sequence[float]) -> np.ndarray:
    """P values adjusted for the number of comparisons (Holm's step-down method), in the order given."""
    p = np.asarray(p, float)
    order = np.argsort(p, kind="stable")
    steps = np.maximum.accumulate(np.minimum(p[order] * (len(p) - np.arange(len(p))), 1.0))
    adjusted = np.empty_like(p)
    adjusted[order] = steps
    return adjusted
