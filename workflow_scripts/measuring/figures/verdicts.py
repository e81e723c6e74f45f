"""Per arm and kind of line that concludes something: what is copied, computed and concluded rightly."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from common.config import IN_CONTEXT
from measuring import plots
from measuring.selection import QUOTAS, Selection, quota
from reasoning.judging.audit import AXES

NEEDS = ("tables/kinds", "published", "arms")
CAPTION = """Every kind of line that concludes something, one panel per trained arm and evaluation set, seeds together,
with 95 % intervals clustered by row: the share of its lines whose transcription (circles) and arithmetic (squares) is
right, and of those that copied and computed without a mistake the share whose verdict is (triangles: the conclusion
against the line's own numbers). Grey on the same lines: bars, always saying the outcome most frequent in training;
crosses, going by one feature of the line alone. Only kinds with at least 20 verdicts on the evaluation rows; on top
every line of the arm together, without interval, struck through where the arm's steps are not installed (table
``steps``). n: lines with a verdict, and the rows on which they stand. A kind in italics had a single outcome in the
arm's training examples, so its verdict never depended on anything. Hollow marks, in the last panel: the published audit
of r8 on 100 rows, its verdicts on all lines, intervals as if these were independent."""
CHANGE = """that verdicts are tokens and not conclusions is contradicted by triangles whose interval lies right of the
grey marks, on kinds that are not in italics and of arms without a stroke; it is supported by triangles at the grey
marks where circles and squares lie near 1. Circles near 0, or a struck one on top, are an echo: lines that agree with
themselves and not with the prompt."""
SELECTION = Selection(selections=("all", "right", *QUOTAS))
EXAMPLE = {
    "arm": "search", "families": "cryptarithm_deduce", "design": "search", "reveal": "0", "corruption": "none",
    "selection": "all", "n": "2400", "backbone": "small", "recipe": "small", "seeds": "3",
}  # fmt: skip
LEAST = 20
MARKS = dict(zip(AXES, ((plots.BLUE, "o"), (plots.GREEN, "s"), (plots.RED, "^")), strict=True))
SHOWN = ("transcription", "arithmetic", "given")
"""The columns that are drawn, in the order of AXES."""
BASELINES = {"top": ("|", "verdict, most frequent outcome"), "stump": ("x", "verdict, by one feature")}
COLUMNS = 3


def make(kinds: pd.DataFrame, published: pd.DataFrame, arms: pd.DataFrame) -> Figure:
    """A grid of panels, the arms in the order of the table of arms."""
    told = arms[["corruption", "selection", "backbone", "recipe", "n"]].rename(columns={"n": "arm_n"})
    every = kinds.join(told, on="arm")
    every = every[every.recipe != IN_CONTEXT]
    ours = SELECTION.of(every)
    ours = ours[(ours.declared != "") & (ours.verdict_n >= LEAST)]
    if ours.empty:
        what = f"that is trained and wrote {LEAST} lines of a kind with a verdict"
        return plots.nothing(what, SELECTION, EXAMPLE, arms)
    keys = ["arm", "family", "eval_set"]
    panels = sorted(ours.groupby(keys), key=lambda each: (list(arms.index).index(each[0][0]), each[0]))
    theirs = published[published.table == "fidelity"]
    rows = math.ceil((len(panels) + 1) / COLUMNS)
    most = [max(len(part) for _, part in panels[i * COLUMNS : (i + 1) * COLUMNS] or panels[-1:]) for i in range(rows)]
    with plt.rc_context(plots.STYLE):
        heights = [1.0 + 0.27 * max(1 + each, theirs.row.nunique()) for each in most]
        figure, axes = plt.subplots(
            rows, COLUMNS, figsize=(5.6 * COLUMNS, sum(heights)), height_ratios=heights, sharex=True, squeeze=False
        )
        for axis, ((arm, family, eval_set), part) in zip(axes.flat, panels, strict=False):
            row = part.iloc[0]
            axis.set_title(
                f"{arm} (n={row.arm_n}{quota(row.selection)}, {row.backbone})\n{family}, {eval_set}", fontsize=8.5
            )
            own = every[(every.arm == arm) & (every.family == family) & (every.eval_set == eval_set)]
            draw(axis, part.sort_values("kind"), own[own.decoder == SELECTION.decoder])
        for axis in list(axes.flat)[max(0, len(panels) - COLUMNS + 1) :]:
            axis.tick_params(labelbottom=True)
        last = axes.flat[len(panels)]
        last.set_title("published audit of r8", fontsize=8.5)
        draw_published(last, theirs)
        for axis in list(axes.flat)[len(panels) + 1 :]:
            axis.remove()
        last.set(xlim=(-0.03, 1.03), xlabel="share of lines that are right")
        plots.legend(figure, figure.axes, columns=4)
        few = sorted(set(SELECTION.of(every).arm) - set(ours.arm))
        notes = [f"Fewer than {LEAST} lines of every kind with a verdict: {', '.join(few)}."] if few else []
        plots.state(figure, SELECTION, every, *notes)
    return figure


def draw(axis: Axes, part: pd.DataFrame, every: pd.DataFrame) -> None:
    """All lines of the arm on top, then one line per kind; the three axes under one another."""
    names = [f"every line (n={every.lines.sum()})"]
    names += [f"{row.kind} (n={row.verdict_n} on {row.rows})" for row in part.itertuples()]
    for i, (axis_name, name) in enumerate(zip(AXES, SHOWN, strict=True)):
        colour, marker = MARKS[axis_name]
        label = "verdict, of lines right so far" if name == "given" else name
        judged = every[every[f"{name}_n"] > 0]
        if len(judged):
            share = (judged[name] * judged[f"{name}_n"]).sum() / judged[f"{name}_n"].sum()
            axis.plot([share], [0.22 * (i - 1)], marker, color=colour, ms=5)
            if name != "given":
                plots.strike(axis, judged[:1], [share], [0.22 * (i - 1)])
        for y, (_, row) in enumerate(part.iterrows(), 1):
            if row[f"{name}_n"]:
                plots.intervals(axis, row.to_frame().T, y + 0.22 * (i - 1), colour, marker, label, name)
    for name, (marker, label) in BASELINES.items():
        known = part[name].notna().to_numpy()
        axis.plot(
            part[name][known], (1.22 + np.arange(len(part)))[known], marker, color=plots.GREY, ms=7, label=label,
            zorder=4,
        )  # fmt: skip
    plots.named_axis(axis, names, first=True)
    for label, fixed in zip(axis.get_yticklabels(), [False, *part.fixed], strict=True):
        label.set(fontsize=7.5, style="italic" if fixed else "normal")


def draw_published(axis: Axes, theirs: pd.DataFrame) -> None:
    names = sorted(theirs.row.unique())
    for _, row in theirs.iterrows():
        i = list(MARKS).index(row.measure)
        at = names.index(row.row) + 0.22 * (i - 1)
        plots.published_point(axis, row, at, MARKS[row.measure][1], f"published {row.measure}", horizontal=True)
    labels = [f"{name} (n={theirs[theirs.row == name].n.max():.0f})" for name in names]
    plots.named_axis(axis, labels, first=True)
    for label in axis.get_yticklabels():
        label.set(fontsize=7.5)
