"""Kinds of line: the share that is right on each axis."""

from collections.abc import Iterable

import pandas as pd
import pyarrow as pa

from common.artifacts import read_table
from measuring.evidence import marked
from measuring.inputs import cell_of, read_cells
from measuring.stats import clustered
from reasoning.judging.audit import MEASURES

NEEDS = ("lines", "kinds", "tables/steps")
CAPTION = """Per arm, family, evaluation set, decoder and kind of line: how many lines (on rows different rows), and
the share that is right on each axis (transcription, arithmetic, verdict) where the axis applies, with 95 %
intervals clustered by row: the lines of a row, over seeds and samples, are not independent. true: what a line claims
without evidence, held to what the row hides. given: the verdict's share where transcription and arithmetic are right;
beside it, on the same lines, top: that of always saying training's most frequent outcome, and stump: that of one
feature of the line. trained: the outcomes that the kind had in the arm's training examples; fixed: it had only one, so
its verdict never depended on anything. installed: whether the arm can do its single steps (table ``steps``).
What is recalled from a catalog is the arithmetic of ``catalog/signature`` (counts) and ``catalog/branch`` (rows),
and the transcription of ``bits/recall`` (rules), however the task ends."""
CHANGE = """if verdicts are tokens and not conclusions, given stays within the interval of top or of stump, on kinds
that are not fixed and of arms whose steps are installed; given with an interval above both says that the model
concludes from what it wrote."""
KEYS = ["arm", "family", "design", "eval_set", "decoder", "kind"]


def make(lines: list[str], kinds: list[str], steps: pd.DataFrame) -> pd.DataFrame:
    """One line per arm, family, eval set, decoder and kind, seeds and samples together."""
    per_row = {key: part for key, part in counted(lines).groupby(KEYS)}
    found = []
    for key, group in read_cells(kinds, ("family", "design", "kind", "declared", "trained", "fixed")).groupby(KEYS):
        own = per_row.get(key)
        line = dict(zip(KEYS, key, strict=True))
        line |= {"lines": 0 if own is None else int(own.lines.sum())}
        for axis in MEASURES:
            right, total = ([], []) if own is None else (own[f"{axis}_right"], own[f"{axis}_n"])
            share, low, high = clustered(right, total)
            line |= {axis: share, f"{axis}_n": int(sum(total)), f"{axis}_low": low, f"{axis}_high": high}
        line |= {"rows": 0 if own is None else len(own)}
        found.append(line | group.iloc[0][["declared", "trained", "fixed"]].to_dict())
    return marked(pd.DataFrame(found), steps)


def counted(paths: Iterable[str]) -> pd.DataFrame:
    """Per KEYS and row: lines, and for each axis how many are judged and how many right."""
    by = ["family", "design", "kind", "id"]
    frames = []
    for path in paths:
        table = read_table(path, [*by, *MEASURES])
        for axis in MEASURES:
            table = table.set_column(table.column_names.index(axis), axis, table[axis].cast(pa.int64()))
        wanted = [("id", "count"), *((axis, how) for axis in MEASURES for how in ("count", "sum"))]
        names = (
            {"id_count": "lines"}
            | {f"{a}_count": f"{a}_n" for a in MEASURES}
            | {f"{a}_sum": f"{a}_right" for a in MEASURES}
        )
        frame = table.group_by(by).aggregate(wanted).to_pandas().rename(columns=names)
        frames.append(frame.assign(**cell_of(path)))
    return pd.concat(frames).groupby([*KEYS, "id"])[list(names.values())].sum().reset_index()
