"""The study's five bounds and its hit@k, ours and published, each by its stated definition."""

import textwrap

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from measuring import plots
from measuring.selection import Selection

NEEDS = ("tables/walls", "arms")
CAPTION = """The study's five bounds (arXiv:2606.21884), each recomputed by an exactly stated definition, and beside
them how soon a ranking names the right rules. Black squares: ours, with 95 % intervals (Wilson for n rows; lines
clustered by row). Hollow circles: what the study states; hollow diamonds: what an independent re-measurement on real
rows found. The panel of information is in nats, with the shuffled baseline as a bar: an estimate inside its bar says
nothing of the key. Its second pair has as many rows as the study had. base: the backbone alone, no example in its
prompt. forward: value rows whose answer forward steps derive, no digit shown; last, the accuracy there of the arm
that comes highest, of those whose steps are installed (table ``steps``) and whose prompt shows nothing. verdict: of
all trained arms together (lines: from the lowest arm to the highest), the kinds of line that training showed with one
outcome and those with several, and what is computed on the latter; below, the tests of the witnessed designs; ours of
the lines that copied and computed rightly so far, the study's of all. hit: order and rules, no digits. Why a
published number cannot be had again stands in the table ``walls``, and under the panel."""
CHANGE = """a bound bounds a model only if no arm lies beyond it: an arm whose steps are installed and that lies on
value rows above the forward closures, or whose verdicts on kinds with several outcomes are as right as its arithmetic,
takes a wall down."""
SELECTION = Selection(corruption="each", selections=("each",), how="each, by its arm")
EXAMPLE = {
    "arm": "base-cryptarithm", "families": "cryptarithm_deduce", "design": "answer-only", "reveal": "0",
    "corruption": "none", "selection": "all", "n": "0", "backbone": "small", "recipe": "in-context", "seeds": "1",
}  # fmt: skip
WALLS = ("solver", "information", "base", "forward", "verdict", "hit")


def make(walls: pd.DataFrame, arms: pd.DataFrame) -> Figure:
    """One column of panels per family and evaluation set, one panel per wall."""
    if walls.empty:
        return plots.nothing("of a family with a key", SELECTION, EXAMPLE, arms)
    columns = sorted(walls.groupby(["family", "eval_set"]), key=lambda each: (each[0][0], each[0][1] != "test"))
    names = {wall: max(len(part[part.wall == wall]) for _, part in columns) for wall in WALLS}
    with plt.rc_context(plots.STYLE):
        heights = [1.35 + 0.26 * max(1, n) for n in names.values()]
        figure, axes = plt.subplots(
            len(WALLS), len(columns), figsize=(8.2 * len(columns), sum(heights)), height_ratios=heights, squeeze=False
        )
        for column, ((family, eval_set), part) in zip(axes.T, columns, strict=True):
            for axis, wall in zip(column, WALLS, strict=True):
                own = part[part.wall == wall]
                draw(axis, own)
                axis.set_title(f"{wall}: {family}, {eval_set}", loc="left")
                if wall != "information":
                    axis.set_xlim(-0.03, 1.03)
                why = list(dict.fromkeys(filter(None, own.why.fillna(""))))
                if own.empty:
                    why = ["Nothing to show. " + (f"A row that would fill it: {row_of()}" if wall == "base" else "")]
                lines = [line for each in why for line in textwrap.wrap(each, 100)]
                axis.set_xlabel("\n".join(lines), fontsize=7.5, color="#404040", loc="left")
        plots.legend(figure, axes.flat, columns=3)
        plots.state(figure, SELECTION)
    return figure


def row_of() -> str:
    return " ".join(f"{name} {value}" for name, value in EXAMPLE.items())


def draw(axis: Axes, rows: pd.DataFrame) -> None:
    labels = []
    for y, row in enumerate(rows.to_dict("records")):
        low, high = row["low"], row["high"]
        if str(row["measure"]).startswith("shuffled"):
            axis.plot([low, high], [y, y], color=plots.ORANGE, lw=7, alpha=0.6, label="shuffled keys, the middle 95 %")
            axis.plot([row["value"]], [y], "|", color=plots.BLACK, ms=9, label="shuffled keys, mean")
        else:
            if not pd.isna(low):
                axis.plot([low, high], [y, y], color=plots.BLACK, lw=1.2, alpha=0.7)
            axis.plot([row["value"]], [y], "s", color=plots.BLACK, ms=5, label="ours", zorder=4)
        for name, marker, label in (("study", "o", "the study"), ("measured", "D", "re-measured on real rows")):
            if not pd.isna(row[name]):
                axis.plot([row[name]], [y + 0.22], marker, mfc="white", mec=plots.GREY, ms=5.5, label=label, zorder=3)
        stratum = "" if row["stratum"] == "all" else f", {row['stratum']} rows"
        labels.append(f"{row['measure']}{stratum} (n={row['n']:.0f})")
    plots.named_axis(axis, labels, first=True)
    axis.tick_params(axis="y", labelsize=8)
