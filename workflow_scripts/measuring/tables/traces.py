"""Whole completions: is every line right, is it the rendered text itself, where does it first go wrong?"""

import pandas as pd

from measuring.evidence import marked
from measuring.stats import clustered

NEEDS = ("rows", "tables/steps")
CAPTION = """Completions whose every line is right (valid), or that equal the rendered text (perfect; perfect_n:
those whose row could be rendered), with 95 % intervals clustered by row; lines, and malformed ones; the kind of
line and the axis on which most completions first go wrong, with its share of all. installed: whether the arm can do
its single steps (table ``steps``)."""
CHANGE = """that right answers come from the procedure is contradicted by an accuracy (table ``accuracy``) above the
upper end of valid's interval; that the lines lead to the answer, by valid completions that are wrong."""


def make(rows: pd.DataFrame, steps: pd.DataFrame) -> pd.DataFrame:
    """One line per arm, family, eval set and decoder."""
    found, keys = [], ["arm", "family", "design", "eval_set", "decoder"]
    for key, group in rows.groupby(keys):
        line = dict(zip(keys, key, strict=True))
        line |= {
            "completions": len(group),
            "lines": int(group.n_lines.sum()),
            "malformed": int(group.n_malformed.sum()),
        }
        for name in ("valid", "perfect"):
            judged = group.dropna(subset=name).groupby("id")[name]
            share, low, high = clustered(judged.sum().astype(float), judged.count())
            line |= {name: share, f"{name}_n": int(judged.count().sum()), f"{name}_low": low, f"{name}_high": high}
        failures = (group.failure_kind + ", " + group.failure_axis)[group.failure_kind != ""].value_counts()
        line["first_failure"] = f"{failures.index[0]}: {failures.iloc[0] / len(group):.2f}" if len(failures) else ""
        found.append(line)
    return marked(pd.DataFrame(found), steps)
