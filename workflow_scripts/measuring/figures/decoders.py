"""Accuracy against decoded tokens: what is bought by drawing, voting, ranking or power sampling instead of greedy."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from measuring import plots
from measuring.pooling import POOLED
from measuring.selection import Selection, with_arms

NEEDS = ("tables/decoders", "arms")
CAPTION = """Accuracy (official grade, seeds pooled, Wilson 95 % intervals for n rows) against the tokens that are
decoded for one answer, rejected proposals and samples that are not chosen among them: the same height further right
is money for nothing. One panel per family, stratum and evaluation set; a colour per arm, its decoders named at the
points, greedy leftmost; filled points differ from greedy (sign-flip test of the rows' differences, adjusted, p_holm
below .05), hollow ones do not; dashes: the arm's ceiling. Decoders that are given something (forced lines, an oracle)
are not among them. A stroke through a mark: the arm cannot do its single steps (table ``steps``), so it is no evidence
about its procedure."""
CHANGE = """if the right answer were in the model and greedy decoding missed it, filled points would rise to the
right; hollow points on one level say that more tokens buy nothing."""
SELECTION = Selection(decoder="greedy beside the others", backbone="each, named with the arm")
EXAMPLE = {
    "arm": "search-decoded", "families": "cryptarithm_deduce", "design": "search", "reveal": "10", "corruption": "none",
    "selection": "all", "n": "2400", "backbone": "small", "recipe": "small", "seeds": "1",
    "decoders": "greedy,maj-8,bon-8,power",
}  # fmt: skip
TOLD = ("applied", "forced", "oracle")


def make(decoders: pd.DataFrame, arms: pd.DataFrame) -> Figure:
    """One panel per family, stratum and evaluation set with an arm that has several decoders."""
    every = with_arms(decoders, arms)
    ours = every[(every.corruption == SELECTION.corruption) & every.selection.isin(SELECTION.selections)]
    ours = ours[~ours.kind.isin(TOLD) & ours.decoded.notna()]
    ours = ours[ours.groupby(["arm", "family", "eval_set", "stratum"]).decoder.transform("nunique") > 1]
    ours = plots.without_pooled(ours)
    if ours.empty:
        return plots.nothing("with a decoder beside greedy", SELECTION, EXAMPLE, arms)
    panels = plots.panels(ours, ["family", "stratum", "eval_set"])
    names = sorted(ours.arm.unique())
    width = min(3, len(panels))
    with plt.rc_context(plots.STYLE):
        figure, axes = plt.subplots(
            -(-len(panels) // width), width, figsize=(1 + 4.8 * width, 4.0 * -(-len(panels) // width)), squeeze=False
        )
        for axis, ((family, stratum, eval_set), part) in zip(axes.flat, panels, strict=False):
            plots.log_ticks(axis)
            for arm, own in part.groupby("arm"):
                draw(axis, own.sort_values("decoded"), *plots.nth(names.index(arm)))
            axis.margins(x=0.15)
            rows = "" if stratum == POOLED else f", {stratum} rows"
            axis.set_title(f"{family}{rows}, {eval_set}, n = {int(part.n.max())}")
            axis.set(xlabel="decoded tokens per answer", ylabel="accuracy", ylim=(-0.03, 1.03))
        for axis in axes.flat[len(panels) :]:
            axis.set_axis_off()
        plots.legend(figure, axes.flat, columns=2)
        for axis, (_, part) in zip(axes.flat, panels, strict=False):
            points = {(round(row.decoded, 1), round(row.official, 3), row.decoder) for row in part.itertuples()}
            plots.name_points(axis, points, size=7)
        plots.state(figure, SELECTION)
    return figure


def draw(axis: Axes, own: pd.DataFrame, colour: str, marker: str) -> None:
    """One arm."""
    first = own.iloc[0]
    label = f"{first.arm} (backbone {first.backbone}, n={first.arm_n})"
    for row in own.itertuples():
        axis.plot([row.decoded] * 2, [row.official_low, row.official_high], color=colour, lw=1, alpha=0.6)
        fill = colour if row.decoder == "greedy" or row.p_holm < 0.05 else "white"
        axis.plot([row.decoded], [row.official], marker, mfc=fill, mec=colour, ms=6, label=label, zorder=4)
    plots.strike(axis, own, own.decoded, own.official)
    if first.trained:
        axis.axhline(first.ceiling, color=colour, lw=1, ls="--", alpha=0.7, label=plots.CEILING, zorder=1)
