"""Scale curves: accuracy against the number of training rows."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from measuring import plots
from measuring.pooling import POOLED
from measuring.selection import Selection, with_corpora

NEEDS = ("tables/accuracy", "published", "arms")
CAPTION = """Accuracy (official grade) against the training rows of an arm, for arms that differ in nothing else
(design, what the prompt shows, recipe, families, the arm whose adapter they start from); a row of panels per family,
evaluation set and backbone, join and value rows apart. Lines with marks: mean over training seeds with Wilson 95 %
intervals for n different rows; grey dots: single seeds; thin lines: the ceiling of the arm's own texts. Steps grow with
the rows, as every arm reads its rows as often as the others of its recipe. Hollow marks: entrants' direct search
(squares) and two-stage recall (circles) with 12k and with 40k rows or more, on 11 and 17 rows that their solver
finishes: not the same rows, and their rows grew with the steps, too. A stroke through a mark: the arm cannot do its
single steps (table ``steps``), so it is no evidence about its procedure."""
CHANGE = """if rows were what is missing, value rows would rise with them and not level off below the ceiling; a curve
that is flat where the training loss (figure ``runs``) falls says that more of the same does not teach the search."""
SELECTION = Selection()
EXAMPLE = {
    "arm": "search-600", "families": "cryptarithm_deduce", "design": "search", "reveal": "0", "corruption": "none",
    "selection": "all", "n": "600", "backbone": "small", "recipe": "small", "seeds": "3",
}  # fmt: skip
ALIKE = ["family", "eval_set", "backbone", "design", "shown", "recipe", "families", "selection", "start"]
ENTRANTS = {"with 12k rows": 12_000, "of 12k rows": 12_000, "40k rows or more": 40_000}


def make(accuracy: pd.DataFrame, published: pd.DataFrame, arms: pd.DataFrame) -> Figure:
    ours = with_corpora(SELECTION.of(accuracy), arms)
    ours = ours[ours.trained.astype(bool) & (ours.arm_n > 0)]
    ours = ours[ours.groupby(ALIKE).arm_n.transform("nunique") > 1] if len(ours) else ours
    if ours.empty:
        return plots.nothing("that differs from another in its training rows alone", SELECTION, EXAMPLE, arms)
    strata = [*plots.ordered_strata(ours.stratum)[1:], POOLED]
    groups = plots.panels(ours, ["family", "eval_set", "backbone"])
    order = plots.design_order(ours)
    with plt.rc_context(plots.STYLE):
        figure, axes = plt.subplots(
            len(groups), len(strata), figsize=(3.4 * len(strata) + 0.8, 0.8 + 2.9 * len(groups)), sharey=True,
            squeeze=False,
        )  # fmt: skip
        for line, ((family, eval_set, backbone), part) in zip(axes, groups, strict=True):
            for axis, stratum in zip(line, strata, strict=True):
                panel = part[part.stratum == stratum]
                for key, own in panel.groupby(ALIKE[3:]):
                    colour, marker = plots.CYCLE[order.index(key[0]) % len(plots.CYCLE)]
                    shown = f", reveal {key[1]}" * (key[1] != "0")
                    others = f", {key[3].count(',') + 1} families" * (key[3] != family)
                    start = f", from {key[5]}" * bool(key[5])
                    curve(
                        axis,
                        own.sort_values(["arm_n", "arm"]),
                        colour,
                        marker,
                        f"design {key[0]}{shown}{others}{start}, recipe {key[2]}",
                    )
                if family == "cryptarithm_deduce" and stratum == POOLED:
                    draw_published(axis, published)
                n = panel.n.max() if len(panel) else 0
                rows = sorted({*panel.arm_n, *(ENTRANTS.values() if axis.texts else ())})
                axis.set(title=f"{stratum} rows, n = {n}", xscale="log", xlabel="training rows")
                axis.set_xticks(rows, [f"{n:,}" for n in rows], rotation=40, ha="right", fontsize=7.5)
                axis.minorticks_off()
            line[0].set_ylabel(f"{family}\n{eval_set}, {backbone}\naccuracy")
        axes[0][0].set_ylim(-0.03, 1.03)
        plots.legend(figure, axes.flat, columns=3)
        plots.state(figure, SELECTION, accuracy)
    return figure


def curve(axis: Axes, rows: pd.DataFrame, colour: str, marker: str, label: str) -> None:
    pooled, seeds = rows[rows.seed == POOLED], rows[rows.seed != POOLED]
    axis.plot(pooled.arm_n, pooled.official, marker=marker, color=colour, ms=5, lw=1.2, label=label, zorder=5)
    axis.vlines(pooled.arm_n, pooled.official_low, pooled.official_high, color=colour, lw=1.2, alpha=0.7)
    plots.strike(axis, pooled, pooled.arm_n, pooled.official)
    seeds = seeds[seeds.groupby("arm").seed.transform("nunique") > 1]
    if len(seeds):
        axis.scatter(seeds.arm_n * 1.06, seeds.official, 8, plots.GREY, label="one training seed", zorder=3)
    axis.plot(pooled.arm_n, pooled.ceiling, marker="_", ms=9, mew=1.6, color=colour, lw=0.5, label=plots.CEILING)


def draw_published(axis: Axes, published: pd.DataFrame) -> None:
    rows = published[(published.table == "entrants") & (published.row == "cryptarithm")]
    for row in rows.to_dict("records"):
        n = next((n for text, n in ENTRANTS.items() if row["measure"].endswith(text)), None)
        if n:
            marker, what = ("s", "direct search") if row["measure"].startswith("direct") else ("o", "two-stage recall")
            plots.published_point(axis, row, n, marker, f"an entrant: {what}", horizontal=False)
            place = {"xytext": (-5, 0), "textcoords": "offset points", "ha": "right", "va": "center"}
            place |= {"bbox": {"fc": "white", "ec": "none", "pad": 0.5}}  # another one's interval may run behind it
            axis.annotate(f"n={row['n']:.0f}", (n, row["value"]), fontsize=7, color=plots.GREY, **place)
