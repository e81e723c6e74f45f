"""All designs side by side before any training: what the screens say, the published numbers beside it."""

import json
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from common.artifacts import read_table
from common.errors import LabError

SCREEN_COLUMNS = (
    "family", "design", "reveal", "kind", "n_rows", "share_rendered", "chars_mean", "chars_p95", "tokens_mean",
    "lines_per_row", "wrong_answers", "undetermined", "coverage", "verdict_kinds", "one_outcome", "verdict_top",
    "verdict_bits", "verdict_free", "verdict_given_line", "verdict_given_stump", "unwitnessed", "unchecked", "bare",
    "recalls", "recalled", "bare_digits", "bare_rules", "fetch_mean", "fetch_p95", "fetch_share", "branching", "flags",
    "n_lines", "outcomes_seen",
)  # fmt: skip
STUDY = {
    "tiered": "r1", "decode-first": "r2", "truthful": "r3", "policy-search": "r4", "two-regime": "r5", "hardened": "r6",
    "forced-chain": "r7", "witness": "r8", "anchor": "r9", "anchor-capped": "r10", "anchor-sized": "r11",
    "honest-columns": "honest-r1", "honest-products": "honest-r2", "honest-branch": "honest-r3",
}  # fmt: skip
"""Design -> the published run that it re-implements."""
STUDY_MEASURES = (
    "tokens_mean", "share_rendered", "bare_digits", "bare_rules", "one_outcome_lines", "wrong_answers",
    "wrong_answers_corpus",
)  # fmt: skip
"""The measures of a screen that were published too; `one_outcome_lines` there: of the lines that strike out rules;
`wrong_answers`: of rendered validation rows, as they come; `wrong_answers_corpus`: of the corpus, which has a quota."""


def designs(screens: Iterable[str | Path], published: pd.DataFrame) -> pd.DataFrame:
    """One line per screened design: its measures as a whole, and as ..._study what was published of its counterpart.

    coverage_...: one column per rule set of the forward closures; one_outcome_lines: share of the lines with a verdict
    whose kind is only ever seen with one. Only cryptarithm_deduce is compared: the published numbers are of its rows.
    """
    frames = [read_table(path, SCREEN_COLUMNS).to_pandas() for path in screens]
    if not frames:
        raise LabError("no screens were given")
    every, key = pd.concat(frames, ignore_index=True), ["family", "design", "reveal"]
    tested = every[(every.kind != "") & (every.outcomes_seen != "")]
    alone = ~tested.outcomes_seen.str.contains(" ")
    lines = tested.assign(alone=tested.n_lines * alone).groupby(key)[["alone", "n_lines"]].sum()
    frame = every[every.kind == ""].drop(columns=["kind", "n_lines", "outcomes_seen"])
    frame = frame.join((lines.alone / lines.n_lines).rename("one_outcome_lines"), on=key).reset_index(drop=True)
    covered = pd.DataFrame([json.loads(each) for each in frame.pop("coverage")]).rename(columns=_coverage_column)
    theirs = published[(published.table == "designs") & published.measure.isin(STUDY_MEASURES)]
    theirs = theirs.pivot_table(index="row", columns="measure", values="value").reindex(columns=list(STUDY_MEASURES))
    frame["study"] = frame.design.map(STUDY).where(frame.family == "cryptarithm_deduce")
    frame = frame.join(theirs.add_suffix("_study"), on="study")
    columns = [*key, "study"]
    for name in frame.columns:
        if name not in columns and not name.endswith("_study"):
            columns += [
                name,
                *(c for c in frame if name in STUDY_MEASURES and c.startswith(name) and c.endswith("_study")),
            ]
    columns.remove("flags")
    return frame[columns].join(covered).join(frame["flags"]).sort_values(key, ignore_index=True)


def _coverage_column(rules: str) -> str:
    return "coverage_" + rules.replace("/", "_").replace("-", "_")
