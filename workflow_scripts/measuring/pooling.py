"""Rows of a table counted once more under `all`, and shares of what they hold."""

from collections.abc import Sequence

import pandas as pd

from measuring.stats import wilson

POOLED = "all"


def with_pooled(frame: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """The frame and, for each column in turn, a copy of every row with that column set to `all`.

    A stratum that is already `all` (families without strata) is not doubled.
    """
    for column in columns:
        frame = pd.concat([frame[frame[column] != POOLED], frame.assign(**{column: POOLED})], ignore_index=True)
    return frame


def shares(long: pd.DataFrame, keys: Sequence[str] = ("family", "stratum", "eval_set", "measure")) -> pd.DataFrame:
    """Mean `value` per family, stratum (and all), eval set and measure, with n and the Wilson 95 % interval."""
    lines = []
    for key, values in with_pooled(long, "stratum").groupby(list(keys))["value"]:
        low, high = wilson(float(values.sum()), len(values))
        line = dict(zip(keys, key, strict=True))
        lines.append(line | {"value": float(values.mean()), "n": len(values), "low": low, "high": high})
    return pd.DataFrame(lines)
