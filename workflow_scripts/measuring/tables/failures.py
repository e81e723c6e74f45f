"""Why completions fail: each one has a single root cause, the first thing that goes wrong in it."""

import numpy as np
import pandas as pd

from common.artifacts import read_table
from measuring.evidence import marked
from measuring.inputs import cell_of
from measuring.pooling import with_pooled
from measuring.stats import clustered

NEEDS = ("grades", "rows", "lines", "tables/steps")
CAPTION = """Every audited completion has one cause, the first of these that holds. Right by the official grade:
``right`` (no line fails) or ``right anyway`` (one does). Wrong, and a line fails, the first such line decides:
``never enters`` (it is the first line, and of no kind of the design), ``form`` (a later one of no kind), ``output``
(it writes down a result: a line that encodes, or the box), else the mark that it fails: ``transcription``,
``arithmetic``, ``verdict``, ``claim`` (asserted without evidence, and false). Wrong, and no line fails: ``no
thought`` (it has no line but the box), ``loop`` (cut off, and at least half of its lines stood before in it), ``cut
off``, ``gave up`` (no box), ``answer`` (a wrong box after lines that are all right, such as a bet). ``not audited``:
the run has no audit of it. share: of the completions of an arm, family, stratum (and all), evaluation set and
decoder; 95 % intervals clustered by row. n: completions; rows: different rows. study: the root cause under which the
study would count it. installed: whether the arm can do its single steps (table ``steps``)."""
CHANGE = """if verdicts were what breaks a search, ``verdict`` would be the largest cause of its arms and small in
arms that do not search; causes that are alike in both say that something else breaks them."""
COMPLETION = ["arm", "seed", "decoder", "eval_set", "family", "id", "sample"]
KEYS = ["arm", "family", "design", "eval_set", "decoder", "stratum"]
CAUSES = {
    "right": "", "right anyway": "", "never enters": "distribution mismatch", "form": "distribution mismatch",
    "transcription": "", "arithmetic": "", "verdict": "verdict decoupled from evidence",
    "claim": "verdict decoupled from evidence", "output": "output corruption", "loop": "no carried search state",
    "cut off": "no carried search state", "gave up": "", "answer": "", "no thought": "", "not audited": "",
}  # fmt: skip
"""Cause -> the root cause of the study's list that it belongs to, where it has one."""
OUTPUTS = ("crypt/encode", "box")
REPEATED = 0.5


def make(grades: pd.DataFrame, rows: pd.DataFrame, lines: list[str], steps: pd.DataFrame) -> pd.DataFrame:
    """One line per KEYS and cause that occurs."""
    audited = rows.merge(repeated(lines), on=COMPLETION, how="left", validate="one_to_one")
    audited = audited.drop(columns="design")
    told = grades.merge(audited, on=COMPLETION, how="left", validate="one_to_one", indicator="found")
    told = with_pooled(told.assign(cause=causes(told)), "stratum")
    counts = told.groupby([*KEYS, "id", "cause"], observed=True).size().unstack("cause", fill_value=0)
    found = []
    for key, own in counts.groupby(level=KEYS):
        total = own.sum(axis=1)
        for cause, study in CAUSES.items():
            if cause in own and own[cause].any():
                share, low, high = clustered(own[cause], total)
                line = dict(zip(KEYS, key, strict=True)) | {"cause": cause, "study": study}
                line |= {"share": share, "low": low, "high": high, "n": int(total.sum()), "rows": len(own)}
                found.append(line)
    return marked(pd.DataFrame(found), steps)


def causes(told: pd.DataFrame) -> np.ndarray:
    """The cause of every completion, of its grade, its audit and the share of its lines that stood before."""
    is_form = told.failure_axis == "form"
    fails = told.failure_kind.fillna("") != ""
    cut = told.failure == "truncated"
    rules = [
        (told.found == "left_only", "not audited"),
        (told.official.astype(bool) & ~fails, "right"),
        (told.official.astype(bool), "right anyway"),
        (fails & is_form & (told.failure_line == 0), "never enters"),
        (fails & is_form, "form"),
        (fails & told.failure_kind.isin(OUTPUTS) & (told.n_lines > 1), "output"),
        (told.n_lines - (told.ending == "box") <= 0, "no thought"),
        *((fails & (told.failure_axis == axis), axis) for axis in ("transcription", "arithmetic", "verdict")),
        (fails, "claim"),
        (cut & (told.repeats >= REPEATED), "loop"),
        (cut, "cut off"),
        (~told.boxed.astype(bool), "gave up"),
    ]
    return np.select([mask.to_numpy(bool) for mask, _ in rules], [name for _, name in rules], default="answer")


def repeated(paths: list[str]) -> pd.DataFrame:
    """repeats: the share of a completion's lines that stood before in it."""
    by, frames = ["id", "family", "sample"], []
    for path in paths:
        table = read_table(path, [*by, "text"])
        counts = table.group_by(by).aggregate([("text", "count"), ("text", "count_distinct")]).to_pandas()
        share = 1 - counts.text_count_distinct / counts.text_count
        frames.append(counts[by].assign(repeats=share, **cell_of(path)))
    return pd.concat(frames, ignore_index=True)
