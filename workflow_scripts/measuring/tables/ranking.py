"""Are likelier answers better ones? Where they are not, no decoder that looks for likely answers can help."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from measuring.endings import read_texts
from measuring.stats import clustered_mean

NEEDS = ("completions", "grades", "probes", "texts", "arms")
CAPTION = """Do an arm's log-probabilities rank right answers above wrong ones of the same row? Of ``own answers``
(what it wrote greedily and drew by itself), and of ``its text`` (the rendered text of the row, where that is right)
against wrong own answers. by: the sum of a whole answer's log-probabilities, which is what power sampling sharpens,
or their mean per token, which best-of-N goes by. auc: over the rows that have both, the mean share of pairs in which
the right one is likelier (ties half), with a 95 % interval clustered by row; rows: how many those are, of rows_all;
right, wrong: answers. says: what that means for power sampling and best-of-N. It is the first thing to look at: they
cost ten times what this table does."""
CHANGE = """that no decoder which prefers likely answers can help is contradicted by an AUC of own answers with an
interval above .5; that the right answer is there and only has to be preferred, by such an AUC beside decoders (table
``decoders``) that all stay level."""
KEYS = ["arm", "family", "eval_set"]
ROW = [*KEYS, "seed", "id"]
COLUMNS = [*KEYS, "of", "by", "auc", "low", "high", "rows", "rows_all", "right", "wrong", "says"]
DRAWN = ("greedy", "sample")


def make(
    completions: pd.DataFrame, grades: pd.DataFrame, probes: pd.DataFrame, texts: list[str], arms: pd.DataFrame
) -> pd.DataFrame:
    """One line per KEYS, of and by."""
    own = completions[completions.kind.isin(DRAWN) | (completions.decoder == "greedy")].dropna(subset="logprob_sum")
    own = own.merge(grades[[*ROW, "decoder", "sample", "official"]], on=[*ROW, "decoder", "sample"])
    own = own.drop_duplicates([*ROW, "logprob_sum", "n_tokens"])  # a single draw is the first of eight
    answers = own.assign(sum=own.logprob_sum, mean=own.logprob_sum / own.n_tokens.clip(lower=1))
    traces = probed(probes, texts, arms)
    found = []
    for key, group in answers.groupby(KEYS):
        theirs = traces[(traces[KEYS] == list(key)).all(axis=1)].set_index(["seed", "id"])
        for of in ("own answers", "its text"):
            for by in ("sum", "mean"):
                pairs = list(compared(group, theirs if of == "its text" else None, by))
                frame = pd.DataFrame(pairs, columns=["id", "share", "right", "wrong"])
                rows = frame.groupby("id").share.agg(["sum", "count"])
                area, low, high = np.clip(clustered_mean(rows["sum"], rows["count"]), 0, 1).tolist()
                line = dict(zip(KEYS, key, strict=True)) | {"of": of, "by": by, "auc": area, "low": low, "high": high}
                line |= {"rows": len(rows), "rows_all": group.id.nunique()}
                line |= {"right": int(frame.right.sum()), "wrong": int(frame.wrong.sum())}
                found.append(line | {"says": said(line)})
    return pd.DataFrame(found, columns=COLUMNS)


def probed(probes: pd.DataFrame, texts: list[str], arms: pd.DataFrame) -> pd.DataFrame:
    """sum and mean of the log-probabilities of the rendered texts that are right."""
    sums = probes.groupby([*ROW, "design"], as_index=False)[["logprob", "n_tokens"]].sum()
    told = read_texts(texts)
    sums = sums.assign(shown=sums.arm.map(arms.reveal)).merge(
        told[["id", "family", "design", "shown", "eval_set", "boxes"]],
        on=["id", "family", "design", "shown", "eval_set"],
    )
    right = sums[sums.boxes.astype(bool)]
    return right.assign(sum=right.logprob.astype(float), mean=(right.logprob / right.n_tokens).astype(float))


def compared(answers: pd.DataFrame, texts: pd.DataFrame | None, by: str) -> Iterator[tuple[str, float, int, int]]:
    """(row, share of pairs in which the right one is likelier, right ones, wrong ones) of rows and seeds with both."""
    official, value = answers.official.to_numpy(bool), answers[by].to_numpy()
    theirs = {} if texts is None else dict(zip(texts.index, texts[by], strict=True))
    for (seed, row), own in answers.groupby(["seed", "id"]).indices.items():
        right, wrong = value[own[official[own]]], value[own[~official[own]]]
        if texts is not None:
            right = np.array([theirs[seed, row]] if (seed, row) in theirs else [])
        if len(right) and len(wrong):
            gaps = right[:, None] - wrong[None, :]
            yield row, float(((gaps > 0) + 0.5 * (gaps == 0)).mean()), len(right), len(wrong)


def said(line: dict) -> str:
    """What an AUC means."""
    if not line["rows"]:
        return "nothing to compare: no row has a right and a wrong answer"
    if line["of"] == "its text":
        return "the text is likelier than what it writes" if line["auc"] > 0.5 else "what it writes is likelier"
    if line["auc"] <= 0.5:
        return "power sampling cannot help: likelier answers are not better"
    return "likelier answers are better" if line["low"] > 0.5 else "not told apart from .5"
