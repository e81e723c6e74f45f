"""Accuracy per arm and stratum, absolutely and against what the arm's own rendered texts reach."""

import pandas as pd

from common.config import IN_CONTEXT
from measuring.endings import read_texts
from measuring.evidence import marked, own_rows
from measuring.pooling import POOLED, with_pooled
from measuring.stats import wilson

NEEDS = ("grades", "rows", "texts", "arms", "tables/steps")
CAPTION = """Accuracy per arm, family, stratum, evaluation set, decoder and training seed (``all``: pooled). n:
different rows; arm_n: training rows per family (in context: examples); own_rows: those in the arm's own design,
counting those of the arms that its training started from: arms that differ in it are no matched comparison. official,
strict: the two grades, with Wilson 95 % intervals for n rows; several seeds or samples of a row count as their mean.
truncated, no_box: shares; mean_tokens; seed_min, seed_max: worst and best seed.

ceiling: the share of the same rows on which the arm's own rendered text boxes the right answer (a row without a
text counts as not boxed), ceiling_n of them; of_ceiling: accuracy on these rows alone. abstains: the share of rows
on which that text rightly gives up and boxes nothing; abstained: of the rows on which the model ends so;
abstained_right: the share of all rows on which both do. installed: whether the arm can do the single steps of its
design (table ``steps``); where it cannot, its accuracy says nothing of the procedure."""
CHANGE = """of_ceiling as low as answer-only's accuracy on the same rows, with steps installed, says that the procedure
was not learned; of_ceiling near 1 says that it was, where the table ``traces`` has as many valid completions: right
answers after wrong lines come from something else."""

ARM = {"backbone": "", "recipe": "", "corruption": "none", "selection": "all"}
"""What a line repeats of its arm, and its value where the arm is not known."""
KEYS = ["arm", "family", "design", "reveal", "order", "rule", "slate", "eval_set", "decoder", "stratum"]
COMPLETION = ["arm", "seed", "decoder", "eval_set", "family", "id", "sample"]
SCORES = ["official", "strict", "truncated", "no_box", "n_tokens", "abstained", "abstained_right"]


def make(
    grades: pd.DataFrame, rows: pd.DataFrame, texts: list[str], arms: pd.DataFrame, steps: pd.DataFrame
) -> pd.DataFrame:
    """One line per arm, family, stratum, eval set, decoder and seed; stratum and seed also pooled (`all`)."""
    own = read_texts(texts)
    ends = set(own[own.abstains][["family", "design", "ending"]].itertuples(index=False, name=None))
    reveals = arms.reveal.rename("shown")
    grades = grades.merge(rows[[*COMPLETION, "ending"]], on=COMPLETION, how="left", validate="one_to_one")
    grades = grades.join(reveals, on="arm").merge(
        own[["id", "family", "design", "shown", "eval_set", "boxes", "abstains"]],
        on=["id", "family", "design", "shown", "eval_set"],
        how="left",
        validate="many_to_one",
    )
    boxes, abstains = (grades[name].fillna(False).astype(bool) for name in ("boxes", "abstains"))
    endings = zip(grades.family, grades.design, grades.ending, strict=True)
    abstained = (grades.failure == "no-box") & pd.Series([each in ends for each in endings], grades.index)
    told = {"boxes": boxes, "abstains": abstains, "abstained": abstained, "abstained_right": abstained & abstains}
    return marked(accuracy(grades.assign(**told), arms), steps)


def accuracy(grades: pd.DataFrame, arms: pd.DataFrame) -> pd.DataFrame:
    """The table, of grades with the columns boxes, abstains, abstained and abstained_right.

    Pooled over seeds (or samples), the score of a row is its mean, and the Wilson interval is that of n rows.
    """
    grades = grades.assign(truncated=grades.failure == "truncated", no_box=~grades.boxed)
    long, lines = with_pooled(grades, "stratum"), []
    per_row = long.groupby([*KEYS, "seed", "id"])["official"].mean()
    seeds = per_row.groupby([*KEYS, "seed"]).mean().groupby(KEYS).agg(["min", "max", "count"])
    for key, group in with_pooled(long, "seed").groupby([*KEYS, "seed"], sort=True):
        scores = group.groupby("id")[[*SCORES, "boxes", "abstains"]].mean()
        n = len(scores)
        line = dict(zip([*KEYS, "seed"], key, strict=True)) | {"n": n, "completions": len(group)}
        for name in ("official", "strict"):
            line |= with_interval(name, float(scores[name].mean()), n)
        line |= {name: float(scores[name].mean()) for name in ("truncated", "no_box")}
        line |= {"mean_tokens": float(scores.n_tokens.mean())}
        spread, own = seeds.loc[key[:-1]], line["official"]
        pooled = key[-1] == POOLED
        line |= {
            "seeds": int(spread["count"]) if pooled else 1,
            "seed_min": float(spread["min"]) if pooled else own,
            "seed_max": float(spread["max"]) if pooled else own,
        }
        arm = arms.loc[line["arm"]]
        line |= arm[list(ARM)].to_dict() | {"trained": arm.recipe != IN_CONTEXT, "arm_n": int(arm.n)}
        line["own_rows"] = own_rows(arms, line["arm"], line["family"])
        boxed = scores[scores.boxes > 0]
        line |= {"ceiling": float(scores.boxes.mean()), "ceiling_n": len(boxed)}
        line |= with_interval("of_ceiling", float(boxed.official.mean()), len(boxed))
        lines.append(line | {name: float(scores[name].mean()) for name in ("abstains", "abstained", "abstained_right")})
    return pd.DataFrame(lines)


def with_interval(name: str, share: float, n: int) -> dict[str, float]:
    low, high = wilson(share * n, n)
    return {name: share, f"{name}_low": low, f"{name}_high": high}
