"""Two engines on the same rows: where their texts part, and whether it matters for what is right."""

from collections.abc import Callable, Mapping, Sequence
from itertools import zip_longest

import numpy as np
from scipy.stats import binomtest

from common.errors import LabError
from measuring.stats import wilson


def first_difference(one: Sequence, other: Sequence) -> int | None:
    """The place of the first token that differs, from 0; None where all are the same."""
    pairs = zip_longest(one, other)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), None)


def compare(
    one: Sequence[Mapping],
    other: Sequence[Mapping],
    tokens: Callable[[str], Sequence],
    right: Callable[[Mapping], bool],
) -> dict:
    """What two tables of completions have in common, in all and by family.

    tokens: of a text. right: whether a row is. McNemar's test is the exact one: of the rows that only one of the two
    gets right, each is as likely either's. Raises LabError where the rows are not the same ones in the same order.
    """
    if [(row["id"], row["sample"]) for row in one] != [(row["id"], row["sample"]) for row in other]:
        raise LabError("the two engines did not complete the same rows")
    rows = []
    for a, b in zip(one, other, strict=True):
        place = first_difference(tokens(a["text"]), tokens(b["text"]))
        same = a["text"] == b["text"] and a["finish"] == b["finish"]
        rows.append({"family": a["family"], "same": same, "place": place, "one": right(a), "other": right(b)})
    families = sorted({row["family"] for row in rows})
    return {
        **summary(rows),
        "by_family": {name: summary([row for row in rows if row["family"] == name]) for name in families},
        "first_differing_token": [row["place"] for row in rows],
    }


def summary(rows: Sequence[Mapping]) -> dict:
    """Shares with their intervals, the usual place of the first differing token, and McNemar's test."""
    n, same = len(rows), sum(row["same"] for row in rows)
    places = [row["place"] for row in rows if row["place"] is not None]
    only_one, only_other = (sum(row[x] and not row[y] for row in rows) for x, y in (("one", "other"), ("other", "one")))
    parted = only_one + only_other
    return {
        "n": n,
        "same": same / n if n else None,
        "same_95": wilson(same, n),
        "first_differing_token_quartiles": np.percentile(places, (25, 50, 75)).tolist() if places else None,
        "accuracy_one": sum(row["one"] for row in rows) / n if n else None,
        "accuracy_other": sum(row["other"] for row in rows) / n if n else None,
        "only_one_right": only_one,
        "only_other_right": only_other,
        "mcnemar_p": float(binomtest(only_one, parted).pvalue) if parted else 1.0,
    }
