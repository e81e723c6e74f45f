"""The rule of evidence: an arm says something of a procedure only where it can do the procedure's single steps.

A model that copies or computes wrongly fails any procedure, so its accuracy tells nothing of that one. Per arm, family,
evaluation set and decoder the audit's marks of all seeds and samples are pooled:

transcription  the share of right lines of those up to the first wrong conclusion or claim of their completion: after
               it the page says two things, and a line can agree with one of them only. A malformed line is a wrong one.
arithmetic     the share of right lines of those that compute something, up to the same place: what an example leaves
               its letters is computed from the rules that stand, so that a wrong verdict would count as a wrong step.
written        how much of the thought is there: the lines of a completion, at most as many as its row's own text has,
               over those of the text; the mean over completions. Who stops at once shows no step.

Steps are installed where both shares are at least STEPS and `written` at least WRITTEN. The shares themselves count,
not the lower ends of their intervals: of 60 rows without a single fault that end is .94, and so the number of
evaluation rows would decide. The intervals, clustered by row, stand beside them. The rule is the same for every design,
forward or search. A design without lines has no steps, so nothing is said of it.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd
import pyarrow as pa

from common.artifacts import read_table
from measuring.inputs import cell_of
from measuring.stats import clustered
from reasoning.grammar.texts import RENDERED
from reasoning.judging.audit import MALFORMED

STEPS, WRITTEN = 0.97, 0.5
KEYS = ["arm", "family", "eval_set", "decoder"]
YES, NO, NONE = "yes", "no", ""
AXES = ("transcription", "arithmetic")


def steps(lines: Iterable[str], texts: Iterable[str], arms: pd.DataFrame) -> pd.DataFrame:
    """One line per KEYS: lines, written, per axis share, interval and n, installed (yes, no, or empty: no steps)."""
    own = own_lines(texts)
    counts = pd.concat([counted(path) for path in lines], ignore_index=True)
    counts = counts.join(arms.reveal.rename("shown"), on="arm")
    counts = counts.merge(own, on=["id", "family", "design", "shown", "eval_set"], how="left", validate="many_to_one")
    found = []
    for key, group in counts.groupby(KEYS):
        told = group.dropna(subset="own")
        written = float((np.minimum(told.read, told.own) / told.own).mean()) if len(told) else 0.0
        line = dict(zip(KEYS, key, strict=True)) | {"lines": int(group.lines.sum()), "written": written}
        rows = group.groupby("id")[[f"{axis}_{what}" for axis in AXES for what in ("right", "n")]].sum()
        for axis in AXES:
            share, low, high = clustered(rows[f"{axis}_right"], rows[f"{axis}_n"])
            line |= {axis: share, f"{axis}_low": low, f"{axis}_high": high, f"{axis}_n": int(rows[f"{axis}_n"].sum())}
        found.append(line | {"installed": installed(line) if told.steps.any() else NONE})
    return pd.DataFrame(found)


def installed(line: dict) -> str:
    """YES or NO of a line of the table; an axis that no line has (a design that never computes) does not count."""
    shares = [line[axis] for axis in AXES if line[f"{axis}_n"]]
    return YES if shares and min(shares) >= STEPS and line["written"] >= WRITTEN else NO


def counted(path: str) -> pd.DataFrame:
    """Per completion of an audited file: lines, those that could be read, and per axis how many count and are right."""
    who, marks = ["id", "family", "design", "sample"], [*AXES, "verdict", "true"]
    table = read_table(path, [*who, "line", "kind", *marks])
    for name in marks:  # 1, 0, or -1 where the line is not judged
        column = table[name].cast(pa.int8()).fill_null(-1)
        table = table.set_column(table.column_names.index(name), name, column)
    frame = table.to_pandas().sort_values([*who, "line"], kind="stable")
    malformed = frame.kind.str.startswith(MALFORMED)
    wrong = (frame.verdict == 0) | (frame.true == 0)
    before = wrong.groupby([frame[name] for name in who]).cumsum() - wrong == 0
    frame = frame.assign(
        lines=1,
        read=~malformed,
        transcription_n=malformed | (before & (frame.transcription >= 0)),
        transcription_right=~malformed & before & (frame.transcription == 1),
        arithmetic_n=before & (frame.arithmetic >= 0),
        arithmetic_right=before & (frame.arithmetic == 1),
    )
    sums = ["lines", "read", *(f"{axis}_{what}" for axis in AXES for what in ("n", "right"))]
    return frame.groupby(who)[sums].sum().reset_index().assign(**cell_of(path))


def own_lines(texts: Iterable[str]) -> pd.DataFrame:
    """Of the rendered texts of the evaluation rows: steps, how many lines they have; own, with the box."""
    found = []
    for path in texts:
        for row in read_table(path, ["id", "family", "design", "reveal", "status", "completion", "lines"]).to_pylist():
            if row["status"] == RENDERED:
                told = {"id": row["id"], "family": row["family"], "design": row["design"], "shown": row["reveal"]}
                eval_set = path.rpartition("/")[2].removesuffix(".parquet")
                n = len(row["lines"])
                found.append(told | {"eval_set": eval_set, "steps": n, "own": n + ("\\boxed{" in row["completion"])})
    columns = ["id", "family", "design", "shown", "eval_set", "steps", "own"]
    return pd.DataFrame(found, columns=columns)


def marked(frame: pd.DataFrame, steps: pd.DataFrame, end: str = "") -> pd.DataFrame:
    """A table with arm and decoder (with this ending), family and eval_set, and the column `installed` of these."""
    names = {name: name + end if name in ("arm", "decoder") else name for name in KEYS}
    told = steps[[*KEYS, "installed"]].rename(columns=names | {"installed": f"installed{end}"})
    found = frame.merge(told, on=list(names.values()), how="left", validate="many_to_one")
    return found.fillna({f"installed{end}": NONE})


def own_rows(arms: pd.DataFrame, arm: str, family: str) -> int:
    """Training rows of the family in the arm's own design, with those of the arms that its training started from."""
    design, found, name = arms.at[arm, "design"], 0, arm
    while name:
        row = arms.loc[name]
        found += int(row.n) if row.design == design and family in row.families else 0
        name = row.get("start", "")
    return found


def all_of(told: Iterable[str]) -> str:
    """What is said of several families together: no if it is said of one, nothing if it is said of none."""
    found = set(told)
    return NO if NO in found else YES if YES in found else NONE
