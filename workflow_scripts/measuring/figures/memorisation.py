"""Memorisation: is the catalog recalled, and does recalling it answer the task?"""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from measuring import plots
from measuring.pooling import POOLED
from measuring.selection import Selection

NEEDS = ("tables/kinds", "tables/accuracy", "tables/configuration", "published", "arms")
CAPTION = """Arms whose design recalls from a finite catalog: across, the share of recalled lines that are right
(clustered by row): signature counts (``catalog/signature``), catalog rows (``catalog/branch``), and for bits the
nearest rules (``bits/recall``), however the task ends; up, accuracy of the same arm on the task (official grade,
Wilson 95 % intervals for n rows), join rows left out where there are any. Shape and colour: recall drills before the
task (two-stage), mixed in (drilled), or none; the recipe's name in the legend. Seeds together. n: recalled lines
above a panel, rows of the task in the legend. Dotted lines: published: an entrant recalls .971 of 1,000 signatures,
and its two-stage model answers 7 of 11 (16 of 17 with 40k rows) of the rows that its solver finishes, its direct
search 0 of 11 (12 of 17). A stroke through a mark: the arm cannot do its single steps (table ``steps``), so it is no
evidence about its procedure."""
CHANGE = """if recalling were what is missing, arms would lie on a rising line, the drilled ones at its upper end;
high recall at low accuracy says that the steps after it fail, low recall at high accuracy that the catalog is not
used."""
SELECTION = Selection()
EXAMPLE = {
    "arm": "catalog-two-stage", "families": "cryptarithm_deduce", "design": "catalog", "reveal": "0",
    "corruption": "none", "selection": "all", "n": "1200", "backbone": "small", "recipe": "two-stage", "seeds": "3",
}  # fmt: skip
RECALLED = {"catalog/signature": "arithmetic", "catalog/branch": "arithmetic", "bits/recall": "transcription"}
"""Kind of line -> the mark that says whether what it recalls is right."""
SCHEDULES = {"two-stage": (plots.BLUE, "o"), "drilled": (plots.ORANGE, "s"), "neither": (plots.GREY, "^")}


def make(
    kinds: pd.DataFrame,
    accuracy: pd.DataFrame,
    configuration: pd.DataFrame,
    published: pd.DataFrame,
    arms: pd.DataFrame,
) -> Figure:
    """A row of panels per family, evaluation set and backbone, a column per kind of line that recalls."""
    task = SELECTION.of(accuracy)
    task = task[task.trained.astype(bool) & (task.seed == POOLED)]
    has_strata = task.groupby(["arm", "family", "eval_set"]).stratum.transform(lambda s: "value" in set(s))
    task = task[(task.stratum == "value") | (~has_strata.astype(bool) & (task.stratum == POOLED))]
    recall = kinds[kinds.kind.isin(RECALLED) & (kinds.decoder == SELECTION.decoder)]
    both = recall.merge(task, on=["arm", "family", "design", "eval_set", "decoder"], suffixes=("_line", ""))
    both = pd.concat(
        [part for part in (of(both, kind, mark) for kind, mark in RECALLED.items()) if len(part)] or [both[:0]]
    )
    if both.empty:
        return plots.nothing("that recalls from a catalog in its thought", SELECTION, EXAMPLE, arms)
    both = both.assign(schedule=both.arm.map(schedules(configuration)))
    groups = plots.panels(both, ["family", "eval_set", "backbone"])
    width = max(part.kind.nunique() for _, part in groups)
    with plt.rc_context(plots.STYLE):
        figure, axes = plt.subplots(
            len(groups),
            width,
            figsize=(1 + 4.2 * width, 0.8 + 3.7 * len(groups)),
            sharex=True,
            sharey=True,
            squeeze=False,
        )
        for line, ((family, eval_set, backbone), part) in zip(axes, groups, strict=True):
            found = [kind for kind in RECALLED if kind in set(part.kind)]
            for axis, kind in zip(line, found, strict=False):
                for row in part[part.kind == kind].sort_values("arm").itertuples():
                    colour, marker = SCHEDULES[row.schedule]
                    label = f"{row.schedule}: {row.arm}, recipe {row.recipe} (n={row.n} rows of the task)"
                    axis.plot([row.recall_low, row.recall_high], [row.official] * 2, color=colour, lw=1.1, alpha=0.7)
                    axis.plot([row.recall] * 2, [row.official_low, row.official_high], color=colour, lw=1.1, alpha=0.7)
                    axis.plot([row.recall], [row.official], marker, color=colour, ms=6, label=label, zorder=4)
                    axis.plot([row.recall], [row.ceiling], "_", color=colour, ms=11, mew=1.8, label=plots.CEILING)
                own = part[part.kind == kind]
                plots.strike(axis, own, own.recall, own.official)
                draw_published(axis, published, family, kind)
                n = own.recall_n
                said = f"{kind}, n = {n.min()} to {n.max()} lines of an arm"
                axis.set(xlabel="recalled rightly", title=said, xlim=(-0.03, 1.03), ylim=(-0.03, 1.03))
            for axis in line[len(found) :]:
                axis.remove()
            stratum = part.stratum.iloc[0]
            line[0].set_ylabel(f"{family}, {eval_set}\n{backbone}\naccuracy, {stratum} rows")
        plots.legend(figure, figure.axes, columns=2)
        plots.state(figure, SELECTION)
    return figure


def of(both: pd.DataFrame, kind: str, mark: str) -> pd.DataFrame:
    own = both[(both.kind == kind) & (both[f"{mark}_n"] > 0)]
    names = {mark: "recall", f"{mark}_n": "recall_n", f"{mark}_low": "recall_low", f"{mark}_high": "recall_high"}
    return own.rename(columns=names)


def schedules(configuration: pd.DataFrame) -> dict[str, str]:
    """Arm -> two-stage, drilled or neither, by its recipe's settings."""
    found = {}
    for row in configuration.to_dict("records"):
        drills = row.get("drills")
        staged = isinstance(row.get("first_stage"), str) and row["first_stage"] != ""
        found[row["arm"]] = "two-stage" if staged else "drilled" if drills and drills > 0 else "neither"
    return found


def draw_published(axis, published: pd.DataFrame, family: str, kind: str) -> None:
    rows = published[published.table == "entrants"]
    if kind == "catalog/signature":
        value = rows[rows.row == "signatures"].value.iloc[0]
        axis.axvline(value, color=plots.GREY, ls=":", lw=1, label=f"an entrant recalls {value} of signatures (n=1000)")
    if family == "cryptarithm_deduce":
        for row in rows[rows.measure.str.contains("two-stage with")].itertuples():
            label = f"an entrant: {row.measure} (n={row.n:.0f})"
            axis.axhline(row.value, color=plots.GREY, ls="--" if "12k" in row.measure else "-.", lw=0.8, label=label)
