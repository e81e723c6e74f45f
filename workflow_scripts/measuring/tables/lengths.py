"""How long completions are, by how they end."""

import pandas as pd

from measuring.evidence import marked
from measuring.pooling import with_pooled
from measuring.stats import clustered

NEEDS = ("grades", "tables/steps")
CAPTION = """Tokens of the completions of every arm by how they were graded: ``right``, ``wrong`` (a box with another
answer), ``no-box``, ``truncated`` (the budget ran out), and ``all``. share: of the arm's completions, with a 95 %
interval clustered by row; n: completions; rows: different ones; q05 to q95: quantiles of the length in tokens of the
arm's own tokenizer. installed: whether the arm can do its single steps (table ``steps``)."""
CHANGE = """if failing were running out of budget, most failures would be ``truncated`` and the others as long as
right answers; short wrong answers say that the budget is not what fails."""
KEYS = ["arm", "family", "design", "eval_set", "decoder", "stratum"]
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def make(grades: pd.DataFrame, steps: pd.DataFrame) -> pd.DataFrame:
    """One line per KEYS and failure that occurs, and one for all."""
    failure = grades.failure.where(~grades.official.astype(bool), "right").replace("", "right")
    grades = with_pooled(grades.assign(end=failure), "stratum")
    counts = grades.groupby([*KEYS, "id", "end"]).size().unstack("end", fill_value=0)
    shares = {}
    for key, own in counts.groupby(level=KEYS):
        total = own.sum(axis=1)
        shares |= {(*key, end): (*clustered(own[end], total), len(own)) for end in own if own[end].any()}
        shares[(*key, "all")] = (1.0, 1.0, 1.0, len(own))
    both = pd.concat([grades, grades.assign(end="all")], ignore_index=True)
    found = both.groupby([*KEYS, "end"]).n_tokens.quantile(list(QUANTILES)).unstack()
    found.columns = [f"q{100 * q:02.0f}" for q in QUANTILES]
    told = pd.DataFrame.from_dict(shares, "index", columns=["share", "low", "high", "rows"])
    told.index = pd.MultiIndex.from_tuples(told.index, names=[*KEYS, "end"])
    n = both.groupby([*KEYS, "end"]).size().rename("n")
    return marked(told.join(n).join(found).sort_index().reset_index(), steps)
