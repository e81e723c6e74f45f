"""The evaluation sets side by side."""

import pandas as pd

from measuring.pooling import POOLED

NEEDS = ("tables/accuracy",)
CAPTION = """The official accuracy on the drawn rows (``test``) and, with a benchmark, on the real ones (``real``)
side by side, pooled over training seeds, with Wilson 95 % intervals and n; empty where an arm was not evaluated."""
CHANGE = """if drawn rows stand for real ones, an arm's two intervals overlap; an arm far apart says that they do
not."""


def make(accuracy: pd.DataFrame) -> pd.DataFrame:
    """Columns SET, SET_low, SET_high and SET_n for every evaluation set."""
    keys = ["arm", "family", "design", "reveal", "order", "rule", "decoder", "stratum"]
    names = {"official": "", "official_low": "_low", "official_high": "_high", "n": "_n"}
    wide = accuracy[accuracy.seed == POOLED].pivot(index=keys, columns="eval_set", values=list(names))
    columns = [(name, each) for each in sorted(accuracy.eval_set.unique(), reverse=True) for name in names]
    wide = wide[columns].set_axis([f"{each}{names[name]}" for name, each in columns], axis=1)
    return wide.astype({f"{each}_n": "Int64" for each in accuracy.eval_set.unique()}).reset_index()
