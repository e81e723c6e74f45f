"""Forced prefixes: how much of a thought must be given until a model ends it, and does it recover from an error?"""

import json

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from measuring import plots
from measuring.pooling import POOLED
from measuring.selection import Selection, with_arms

NEEDS = ("tables/decoders", "arms")
CAPTION = """The first lines of the design's own text are given, the rest is decoded greedily. Across: the share of
the lines given, 0 is greedy decoding as it is; up: accuracy on the rows whose own text is right (n), which is what
following it to the end would reach on all of them (the ceiling, 1). Solid: the lines as they are; dotted: the last
one given has an error that the audit marks. Seeds pooled, bars: Wilson 95 % intervals. One panel per family, stratum
and evaluation set. ``no steps`` at an arm: it cannot do its single steps (table ``steps``), so it is no evidence about
its procedure."""
CHANGE = """if a model could do a procedure once it was under way, a quarter of the lines would lift the curve to the
ceiling; if it only imitates, the curve rises with what is left out. Recovery: a dotted curve near the solid one; a
model that just continues what stands there falls to 0."""
SELECTION = Selection(decoder="greedy and those with given lines", backbone="each, named with the arm")
EXAMPLE = {
    "arm": "search-forced", "families": "cryptarithm_deduce", "design": "search", "reveal": "10", "corruption": "none",
    "selection": "all", "n": "2400", "backbone": "small", "recipe": "small", "seeds": "1",
    "decoders": "greedy,forced-25,forced-50,forced-75,forced-100,astray-50",
}  # fmt: skip


def make(decoders: pd.DataFrame, arms: pd.DataFrame) -> Figure:
    """One panel per family, stratum and evaluation set, two curves per arm."""
    every = with_arms(decoders, arms)
    ours = every[(every.corruption == SELECTION.corruption) & every.selection.isin(SELECTION.selections)]
    given = ours[ours.kind == "forced"]
    ours = ours[(ours.kind == "forced") | (ours.decoder == "greedy")]
    ours = ours.merge(given[["arm", "family", "eval_set"]].drop_duplicates())
    ours = plots.without_pooled(ours)
    ours = ours[ours.ceiling_n > 0]
    if ours.empty:
        return plots.nothing("with given lines whose own text is right", SELECTION, EXAMPLE, arms)
    panels = plots.panels(ours, ["family", "stratum", "eval_set"])
    names, width = sorted(ours.arm.unique()), min(3, len(panels))
    with plt.rc_context(plots.STYLE):
        figure, axes = plt.subplots(
            -(-len(panels) // width), width, figsize=(1 + 4 * width, 3.4 * -(-len(panels) // width)), squeeze=False
        )
        for axis, ((family, stratum, eval_set), part) in zip(axes.flat, panels, strict=False):
            for arm, own in part.groupby("arm"):
                colour, marker = plots.nth(names.index(arm))
                first = own.iloc[0]
                label = f"{arm} (backbone {first.backbone}, n={first.arm_n}){plots.told(first.installed)}"
                for wrong, style in ((False, "-"), (True, ":")):
                    curve = own.assign(at=[place(row, wrong) for row in own.itertuples()]).dropna(subset="at")
                    curve = curve.sort_values("at")
                    if len(curve) < 2:
                        continue
                    spread = [curve.of_ceiling - curve.of_ceiling_low, curve.of_ceiling_high - curve.of_ceiling]
                    said = f"{label}, last line wrong" if wrong else label
                    how = {"color": colour, "marker": marker, "ls": style, "ms": 5, "lw": 1.2, "label": said}
                    axis.errorbar(curve["at"], curve.of_ceiling, spread, elinewidth=0.9, capsize=0, **how)
            axis.axhline(1, color=plots.GREY, lw=1, ls="--", label=plots.CEILING, zorder=1)
            rows = "" if stratum == POOLED else f", {stratum} rows"
            axis.set_title(f"{family}{rows}, {eval_set}, n = {int(part.ceiling_n.max())}")
            axis.set(xlabel="share of the lines given", ylabel="accuracy", xlim=(-0.05, 1.05), ylim=(-0.03, 1.06))
        for axis in axes.flat[len(panels) :]:
            axis.set_axis_off()
        plots.legend(figure, axes.flat, columns=2)
        plots.state(figure, SELECTION)
    return figure


def place(row, wrong: bool) -> float | None:
    """Where a decoder stands on a curve; greedy is where both begin."""
    if row.kind != "forced":
        return 0.0
    settings = json.loads(row.settings)
    return settings["share"] if settings["wrong"] == wrong else None
