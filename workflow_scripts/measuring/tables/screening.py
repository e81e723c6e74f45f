"""Does the teacher-forced probe say beforehand which rows and which arms come out right?"""

import pandas as pd

from measuring.stats import auc, spearman

NEEDS = ("probes", "grades")
CAPTION = """How the probe of a rendered trace predicts the official grade of what the arm writes by itself (greedy).
Measures: logprob, the mean log-probability of the trace's tokens; first, the share of them that greedy decoding would
choose; reached, the share of the trace before the first line that it would leave. Rows of an arm: AUC, how often a
row that is right (with more than half of the seeds) has the higher value than one that is wrong (.5: no better than
chance), Hanley and McNeil's 95 % interval, n rows, n_right of them right; without a value where all are right or all
wrong. Arms of a family: Spearman's rank correlation of the arms' means (seeds apart), Fisher's interval, n
adapters."""
CHANGE = """if the probe is a gate worth having, the AUC of `reached` is above .5 and arms rank as they score; an
interval with .5 (or 0) in it says that decoding cannot be spared."""
COLUMNS = ["of", "arm", "family", "eval_set", "measure", "statistic", "value", "low", "high", "n", "n_right"]
MEASURES = ("logprob", "first", "reached")


def make(probes: pd.DataFrame, grades: pd.DataFrame) -> pd.DataFrame:
    """One line per measure, of the rows of each arm and of the arms of each family."""
    key = ["arm", "seed", "eval_set", "family", "id"]
    greedy = grades[grades.decoder == "greedy"][[*key, "official"]]
    rows = per_trace(probes).merge(greedy, on=key)
    found = []
    for (arm, family, eval_set), own in rows.groupby(["arm", "family", "eval_set"]):
        mean = own.groupby("id").agg({**dict.fromkeys(MEASURES, "mean"), "official": "mean"})
        right = mean.official > 0.5
        for name in MEASURES:
            value, low, high = auc(mean[name][right], mean[name][~right])
            found.append(("rows", arm, family, eval_set, name, "AUC", value, low, high, len(mean), int(right.sum())))
    arms = rows.groupby(["family", "eval_set", "arm", "seed"])[[*MEASURES, "official"]].mean()
    for (family, eval_set), own in arms.groupby(["family", "eval_set"]):
        for name in MEASURES:
            value, low, high = spearman(own[name].tolist(), own.official.tolist())
            found.append(("arms", "", family, eval_set, name, "Spearman", value, low, high, len(own), None))
    return pd.DataFrame(found, columns=COLUMNS).astype({"n_right": "Int64"})


def per_trace(probes: pd.DataFrame) -> pd.DataFrame:
    """The three measures of every probed trace."""
    lines = probes.sort_values("line", kind="stable")
    key = ["arm", "seed", "eval_set", "family", "id"]
    broken = (lines.n_first < lines.n_tokens).groupby([lines[name] for name in key]).cummax()
    lines = lines.assign(before=lines.n_tokens.where(~broken.astype(bool), 0))
    sums = lines.groupby(key)[["logprob", "n_first", "before", "n_tokens"]].sum()
    shares = {"logprob": sums.logprob, "first": sums.n_first, "reached": sums.before}
    return pd.DataFrame({name: total / sums.n_tokens for name, total in shares.items()}).reset_index()
