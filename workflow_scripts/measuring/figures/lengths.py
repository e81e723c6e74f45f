"""Length and kind of failure: how long right and wrong completions are, and how many run out of tokens."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from measuring import plots
from measuring.pooling import POOLED
from measuring.selection import Selection, with_arms

NEEDS = ("tables/lengths", "published", "arms")
CAPTION = """Tokens of the completions of every arm by how they were graded: right, wrong (a box with another answer),
no-box, truncated (the token budget ran out), under one another. Mark: median; thick line: middle half; thin line: 5th
to 95th percentile; the size of a mark grows with its share of the arm's completions. One panel per family and
evaluation set, seeds together; n at the arm: completions, and the share that is truncated. Hollow marks, beside
``cryptarithm_deduce``: the published medians of all completions of the study's runs, and the share that was cut off,
in the tokens of another tokenizer. ``no steps`` at an arm: it cannot do its single steps (table ``steps``), so it is
no evidence about its procedure."""
CHANGE = """if failing were running out of budget, most failures would be truncated and the others as long as right
answers; short wrong answers say that the budget is not what fails."""
SELECTION = Selection(how="each, named at the arm")
EXAMPLE = {
    "arm": "forward-mix", "families": "numeral,cipher", "design": "forward", "reveal": "0", "corruption": "none",
    "selection": "all", "n": "500", "backbone": "small", "recipe": "small", "seeds": "1",
}  # fmt: skip
LOOK = {
    "right": (plots.GREEN, "o"), "wrong": (plots.RED, "s"), "no-box": (plots.GREY, "^"),
    "truncated": (plots.BLACK, "X"),
}  # fmt: skip


def make(lengths: pd.DataFrame, published: pd.DataFrame, arms: pd.DataFrame) -> Figure:
    """Panels from top to bottom: family, evaluation set; the study's in one of its own."""
    every = with_arms(lengths[lengths.stratum == POOLED], arms)
    ours = SELECTION.of(every)
    if ours.empty:
        return plots.nothing("that is evaluated so", SELECTION, EXAMPLE, arms)
    panels = plots.panels(ours, ["family", "eval_set"])
    theirs = published[published.table == "lengths"]
    theirs = theirs.iloc[: 0 if "cryptarithm_deduce" not in set(ours.family) else len(theirs)]
    rows = [part.arm.nunique() for _, part in panels] + [theirs.row.nunique()] * bool(len(theirs))
    with plt.rc_context(plots.STYLE):
        heights = [0.7 + (0.42 if i < len(panels) else 0.22) * n for i, n in enumerate(rows)]
        figure, axes = plt.subplots(
            len(rows), 1, figsize=(9.5, 0.4 + sum(heights)), height_ratios=heights, squeeze=False
        )
        for axis, ((family, eval_set), part) in zip(axes[:, 0], panels, strict=False):
            names = []
            for arm in [each for each in arms.index if each in set(part.arm)]:
                own = part[part.arm == arm].set_index("end")
                draw(axis, len(names), own)
                cut, steps = own.share.get("truncated", 0.0), plots.told(own.installed.iloc[0])
                names.append(f"{arm} ({own.backbone.iloc[0]}, n={own.n['all']}, cut off {cut:.2f}{steps})")
            axis.set_title(f"{family}, {eval_set}", loc="left")
            axis.set_xlim(left=-0.012 * axis.get_xlim()[1])  # a mark at 0 is whole
            plots.named_axis(axis, names, first=True)
        if len(theirs):
            draw_published(axes[-1][0], theirs)
        axes[-1][0].set_xlabel("tokens of a completion")
        plots.legend(figure, axes[:, 0], columns=5)
        plots.state(figure, SELECTION, every)
    return figure


def draw(axis: Axes, y: int, own: pd.DataFrame) -> None:
    for i, (end, (colour, marker)) in enumerate(LOOK.items()):
        if end in own.index:
            row, at = own.loc[end], y + 0.2 * (i - 1.5)
            axis.plot([row.q05, row.q95], [at, at], color=colour, lw=0.8, alpha=0.7)
            axis.plot([row.q25, row.q75], [at, at], color=colour, lw=2.4, alpha=0.7)
            axis.plot([row.q50], [at], marker, color=colour, ms=3 + 4 * row.share**0.5, label=end, zorder=4)


def draw_published(axis: Axes, theirs: pd.DataFrame) -> None:
    wide = theirs.pivot(index="row", columns="measure", values="value").reindex(theirs.row.unique())
    for y, row in enumerate(wide.itertuples()):
        axis.plot([row[2]], [y], "o", mfc="white", mec=plots.GREY, ms=5, label="published median of all")
    names = [f"{name} (n=100, cut off {row['cut off']:.2f})" for name, row in wide.iterrows()]
    plots.named_axis(axis, names, first=True)
    axis.set_title("published: cryptarithm_deduce", loc="left")
    axis.set_xlim(left=0)
