"""Intervals and paired tests for accuracies measured on the same rows with several training seeds."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import binomtest
from statsmodels.stats.proportion import proportion_confint


def wilson(successes: float, n: int) -> tuple[float, float]:
    """The Wilson 95 % interval of a proportion; (nan, nan) without rows.

    `successes` need not be whole: pooled over seeds it is the number of rows times the mean accuracy, so that the
    interval stays as wide as the number of different rows allows.
    """
    if n == 0:
        return math.nan, math.nan
    low, high = proportion_confint(successes, n, alpha=0.05, method="wilson")
    return float(low) if successes > 0 else 0.0, float(high) if successes < n else 1.0  # exact, not 3e-17


def mcnemar(a: pd.DataFrame, b: pd.DataFrame, column: str = "official") -> dict[str, float]:
    """Exact McNemar test of two arms on the rows that both have, each row counted once.

    `a` and `b` have one line per row and seed (columns id, sample and `column`, a bool). A row's score is its mean
    over seeds; rows that score higher in one arm are the discordant ones, and the test is the exact two-sided
    binomial test on them. With one seed this is the ordinary exact McNemar test.
    Returns n (shared rows), a, b (mean accuracies), a_only, b_only (rows where that arm is better) and p.
    """
    left, right = (arm.groupby("id")[column].mean() for arm in (a, b))
    ids = left.index.intersection(right.index)
    left, right = left[ids], right[ids]
    better, worse = int((left > right).sum()), int((left < right).sum())
    p = binomtest(better, better + worse, 0.5).pvalue if better + worse else 1.0
    return {
        "n": len(ids),
        "a": float(left.mean()) if len(ids) else math.nan,
        "b": float(right.mean()) if len(ids) else math.nan,
        "a_only": better,
        "b_only": worse,
        "p": float(p),
    }


def holm(p: Sequence[float]) -> np.ndarray:
    """P values adjusted for the number of comparisons (Holm's step-down method), in the order given."""
    p = np.asarray(p, float)
    order = np.argsort(p, kind="stable")
    steps = np.maximum.accumulate(np.minimum(p[order] * (len(p) - np.arange(len(p))), 1.0))
    adjusted = np.empty_like(p)
    adjusted[order] = steps
    return adjusted
