"""Is a right answer reached by right lines? Two by two: every line right or not, the answer right or not."""

import pandas as pd

from measuring.evidence import marked
from measuring.pooling import with_pooled
from measuring.stats import clustered

NEEDS = ("grades", "rows", "arms", "tables/steps")
CAPTION = """Audited completions two by two: valid (every line right, and what is claimed without evidence true) or
not, right (official grade) or not. valid_right, valid_wrong, invalid_right, invalid_wrong: counts; valid, right:
shares; right_if_valid, right_if_invalid: the share of right answers among the one and the other; all with 95 %
intervals clustered by row. n: completions whose validity is known; rows: different rows. corruption: what was broken
in the arm's training texts. installed: whether the arm can do its single steps (table ``steps``)."""
CHANGE = """if answers came from the lines, right_if_valid would be near 1 and right_if_invalid near that of an arm
without a trace, and both would fall with the corruption of the training texts; equal columns say that the lines
decorate."""
COMPLETION = ["arm", "seed", "decoder", "eval_set", "family", "id", "sample"]
KEYS = ["arm", "family", "design", "eval_set", "decoder", "stratum"]


def make(grades: pd.DataFrame, rows: pd.DataFrame, arms: pd.DataFrame, steps: pd.DataFrame) -> pd.DataFrame:
    """One line per KEYS, strata also pooled."""
    judged = rows[[*COMPLETION, "valid", "n_lines"]].dropna(subset="valid")
    both = grades.merge(judged, on=COMPLETION, validate="one_to_one")
    both = with_pooled(both.assign(valid=both.valid.astype(bool), official=both.official.astype(bool)), "stratum")
    both = both.assign(
        valid_right=both.valid & both.official, valid_wrong=both.valid & ~both.official,
        invalid_right=~both.valid & both.official, invalid_wrong=~both.valid & ~both.official,
    )  # fmt: skip
    cells = ["valid_right", "valid_wrong", "invalid_right", "invalid_wrong"]
    found = []
    for key, own in both.groupby([*KEYS, "id"])[cells].sum().groupby(level=KEYS):
        line = dict(zip(KEYS, key, strict=True)) | {"n": int(own.to_numpy().sum()), "rows": len(own)}
        line |= {name: int(own[name].sum()) for name in cells}
        valid, right = own.valid_right + own.valid_wrong, own.valid_right + own.invalid_right
        total = own.sum(axis=1)
        pairs = {
            "valid": (valid, total), "right": (right, total), "right_if_valid": (own.valid_right, valid),
            "right_if_invalid": (own.invalid_right, total - valid),
        }  # fmt: skip
        for name, (part, whole) in pairs.items():
            line |= dict(zip((name, f"{name}_low", f"{name}_high"), clustered(part, whole), strict=True))
        found.append(line)
    columns = [*KEYS, "n", "rows", *cells]
    frame = pd.DataFrame(found, columns=None if found else columns).join(arms.corruption, on="arm")
    return marked(frame, steps)
