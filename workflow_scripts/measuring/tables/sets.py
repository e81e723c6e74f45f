"""The evaluation sets side by side."""

import pandas as pd

from measuring.evidence import NONE
from measuring.pooling import POOLED

NEEDS = ("tables/accuracy",)
CAPTION = """The official accuracy on the drawn rows (``test``) and, with a benchmark, on the real ones (``real``)
side by side, pooled over training seeds, with Wilson 95 % intervals, n, and whether the arm can do its single steps
(table ``steps``); empty where an arm was not evaluated."""
CHANGE = """that drawn rows stand for real ones is contradicted, for a family, by an arm whose two intervals lie apart;
intervals that overlap do not prove it."""


def make(accuracy: pd.DataFrame) -> pd.DataFrame:
    """Columns SET, SET_low, SET_high and SET_n for every evaluation set."""
    keys = ["arm", "family", "design", "reveal", "order", "rule", "slate", "decoder", "stratum"]
    names = {"official": "", "official_low": "_low", "official_high": "_high", "n": "_n", "installed": "_installed"}
    wide = accuracy[accuracy.seed == POOLED].pivot(index=keys, columns="eval_set", values=list(names))
    columns = [(name, each) for each in sorted(accuracy.eval_set.unique(), reverse=True) for name in names]
    wide = wide[columns].set_axis([f"{each}{names[name]}" for name, each in columns], axis=1)
    types = {"": float, "_low": float, "_high": float, "_n": "Int64", "_installed": str}
    wide = wide.fillna({f"{each}_installed": NONE for each in accuracy.eval_set.unique()})
    return wide.astype(
        {f"{each}{end}": t for each in accuracy.eval_set.unique() for end, t in types.items()}
    ).reset_index()
