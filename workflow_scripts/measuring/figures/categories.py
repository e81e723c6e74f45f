"""Answers by sub-category: every arm's accuracy on every kind of row of its family."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from measuring import plots
from measuring.selection import Selection, with_arms
from measuring.tables.categories import SOLVER

NEEDS = ("tables/categories", "arms")
CAPTION = """Accuracy (official grade) by sub-category, one panel per family and evaluation set: a line for every
value of every feature of a row (what its hidden rule names: the query's rule, mode, regime, gate, ...; how many
examples its prompt shows; the length of its answer; its tier of the solver's work), a column for the exact solver and
for every arm. n: rows of the value. A cell counts a row as its mean over seeds; pale print: the Wilson 95 % interval
is wider than a half, so that the cell says little. Above 24 arms of a family a cell has its colour alone (white 0,
dark 1). The table ``categories`` has the numbers, the intervals, and every other decoder. ``no steps`` at an arm: it
cannot do its single steps (table ``steps``), so it is no evidence about its procedure."""
CHANGE = """that an arm's accuracy is that of its procedure is contradicted by a sub-category whose cells differ from
the others' in the arm's column and not in the solver's: then it comes from there."""
SELECTION = Selection(how="each, named at the arm")
EXAMPLE = {
    "arm": "forward-mix", "families": "numeral,cipher", "design": "forward", "reveal": "0", "corruption": "none",
    "selection": "all", "n": "500", "backbone": "small", "recipe": "small", "seeds": "1",
}  # fmt: skip
WIDE = 0.5
PRINTED = 24
"""More arms of a family are told by colour alone."""


def make(categories: pd.DataFrame, arms: pd.DataFrame) -> Figure:
    """Panels from top to bottom: family, evaluation set."""
    every = with_arms(categories[categories.arm != SOLVER], arms)
    ours = SELECTION.of(every)
    if ours.empty:
        return plots.nothing("of a family whose rows have sub-categories", SELECTION, EXAMPLE, arms)
    panels = plots.panels(ours, ["family", "eval_set"])
    lines = [len(part[["feature", "value"]].drop_duplicates()) for _, part in panels]
    most = max(part.arm.nunique() for _, part in panels)
    longest = max(len(arm) for arm in ours.arm)
    with plt.rc_context({**plots.STYLE, "axes.grid": False}):
        heights = [0.9 + 0.06 * longest + 0.2 * n for n in lines]
        figure, axes = plt.subplots(
            len(panels),
            1,
            figsize=(3.6 + (0.46 if most <= PRINTED else 0.2) * max(8, most + 1), sum(heights)),
            height_ratios=heights,
            squeeze=False,
        )
        for axis, ((family, eval_set), part) in zip(axes[:, 0], panels, strict=True):
            solver = categories.query("arm == @SOLVER and family == @family and eval_set == @eval_set")
            draw(axis, pd.concat([solver, part]), [SOLVER, *(arm for arm in arms.index if arm in set(part.arm))], arms)
            axis.set_title(f"{family}, {eval_set}", loc="left")
            axis.set_xlim(-0.5, max(8, most + 1) - 0.5)
        figure.tight_layout()
        plots.state(figure, SELECTION, every)
    return figure


def draw(axis: Axes, rows: pd.DataFrame, columns: list[str], arms: pd.DataFrame) -> None:
    """A picture of cells with their numbers."""
    keys = list(rows[["feature", "value"]].drop_duplicates().itertuples(index=False, name=None))
    keys.sort(key=lambda key: (key[0], len(key[1]) if key[1].isdigit() else 0, key[1]))
    cells, n = np.full((len(keys), len(columns)), np.nan), dict.fromkeys(keys, 0)
    grey = set()
    for row in rows.itertuples():
        at = keys.index((row.feature, row.value)), columns.index(row.arm)
        cells[at], n[row.feature, row.value] = row.official, max(n[row.feature, row.value], row.n)
        if row.high - row.low > WIDE:
            grey.add(at)
    axis.imshow(cells, cmap="Greens", vmin=0, vmax=1.25, aspect="auto")
    for (y, x), value in np.ndenumerate(cells):
        if not np.isnan(value) and len(columns) <= PRINTED + 1:
            said = f"{value:.2f}".lstrip("0") if value < 1 else "1"
            dark, light = ("#C8E6C9", "#9A9A9A") if (y, x) in grey else ("white", "black")
            axis.text(x, y, said, ha="center", va="center", fontsize=7, color=dark if value > 0.6 else light)
    axis.spines[:].set_visible(False)
    firsts = {key: key[0] for i, key in enumerate(keys) if not i or keys[i - 1][0] != key[0]}
    labels = [f"{firsts.get(key, '')}   {key[1]} (n={n[key]})" for key in keys]
    axis.set_yticks(range(len(keys)), labels, fontsize=7.5)
    steps = rows.groupby("arm").installed.first()
    names = [arm if arm == SOLVER else f"{arm} ({arms.at[arm, 'backbone']}{plots.told(steps[arm])})" for arm in columns]
    axis.set_xticks(range(len(columns)), names, rotation=40, ha="right", rotation_mode="anchor", fontsize=7.5)
    for i in range(1, len(keys)):
        if keys[i] in firsts:
            axis.axhline(i - 0.5, color="white", lw=2)
