"""Does the teacher-forced probe say beforehand which rows and which arms come out right, and how early?"""

from collections.abc import Iterator

import pandas as pd

from measuring.evidence import AXES
from measuring.stats import auc, spearman

NEEDS = ("probes", "early_probes", "grades", "tables/steps")
CAPTION = """How the probe of a rendered trace predicts the official grade of what the arm writes by itself (greedy).
after: a tenth, where the adapter was probed after the first tenth of its training (`early` of its recipe; what is
predicted is always the outcome of the whole training); all, after the training. Measures: logprob, the mean
log-probability of the trace's tokens; first, the share of them that greedy decoding would choose; reached, the share
of the trace before the first line that it would leave. Rows of an arm (predicted: grade): AUC, how often a row that is
right (with more than half of the seeds) has the higher value than one that is wrong (.5: no better than chance),
Hanley and McNeil's 95 % interval, n rows, n_right of them right; without a value where all are right or all wrong.
Arms of a family: Spearman's rank correlation, Fisher's interval, between the arms' means and their accuracy
(predicted: grade; seeds apart, n adapters) or their steps (predicted: steps; the smaller share of lines copied and
computed rightly, seeds together, n arms; table ``steps``)."""
CHANGE = """if the probe is a gate worth having, the AUC of `reached` is above .5 and arms rank as they score; an
interval with .5 (or 0) in it says that decoding cannot be spared. If a tenth of a training is enough to tell, its lines
say nearly what those of the whole training say."""
COLUMNS = [
    "after", "of", "arm", "family", "eval_set", "measure", "predicted", "statistic", "value", "low", "high", "n",
    "n_right",
]  # fmt: skip
MEASURES = ("logprob", "first", "reached")
DECODER = "greedy"


def make(probes: pd.DataFrame, early_probes: pd.DataFrame, grades: pd.DataFrame, steps: pd.DataFrame) -> pd.DataFrame:
    """One line per time of the probe, measure, what is predicted, and arm (its rows) or family (its arms)."""
    key = ["arm", "seed", "eval_set", "family", "id"]
    greedy = grades[grades.decoder == DECODER][[*key, "official"]]
    own = steps[steps.decoder == DECODER].set_index(["arm", "family", "eval_set"])[list(AXES)].min(axis=1)
    found = []
    for after, table in (("a tenth", early_probes), ("all", probes)):
        rows = per_trace(table).merge(greedy, on=key)
        for line in [*of_rows(rows), *of_arms(rows, own)]:
            found.append((after, *line))
    return pd.DataFrame(found, columns=COLUMNS).astype({"n_right": "Int64"})


def of_rows(rows: pd.DataFrame) -> Iterator[tuple]:
    """Per arm and measure: the lines without `after`."""
    for (arm, family, eval_set), own in rows.groupby(["arm", "family", "eval_set"]):
        mean = own.groupby("id").agg({**dict.fromkeys(MEASURES, "mean"), "official": "mean"})
        right = mean.official > 0.5
        for name in MEASURES:
            value = auc(mean[name][right], mean[name][~right])
            yield "rows", arm, family, eval_set, name, "grade", "AUC", *value, len(mean), int(right.sum())


def of_arms(rows: pd.DataFrame, steps: pd.Series) -> Iterator[tuple]:
    """Per family and measure, against accuracy and against steps: the lines without `after`."""
    arms = rows.groupby(["family", "eval_set", "arm", "seed"])[[*MEASURES, "official"]].mean()
    for (family, eval_set), own in arms.groupby(["family", "eval_set"]):
        pooled = own.groupby("arm").mean()
        pooled["steps"] = [steps.get((arm, family, eval_set)) for arm in pooled.index]
        pooled = pooled.dropna(subset="steps")
        for predicted, table, column in (("grade", own, "official"), ("steps", pooled, "steps")):
            for name in MEASURES:
                value = spearman(table[name].tolist(), table[column].tolist())
                yield "arms", "", family, eval_set, name, predicted, "Spearman", *value, len(table), None


def per_trace(probes: pd.DataFrame) -> pd.DataFrame:
    """The three measures of every probed trace."""
    lines = probes.sort_values("line", kind="stable")
    key = ["arm", "seed", "eval_set", "family", "id"]
    broken = (lines.n_first < lines.n_tokens).groupby([lines[name] for name in key]).cummax()
    lines = lines.assign(before=lines.n_tokens.where(~broken.astype(bool), 0))
    sums = lines.groupby(key)[["logprob", "n_first", "before", "n_tokens"]].sum()
    shares = {"logprob": sums.logprob, "first": sums.n_first, "reached": sums.before}
    return pd.DataFrame({name: total / sums.n_tokens for name, total in shares.items()}).reset_index()
