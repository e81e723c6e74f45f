"""Families with a key: accuracy against the number of digits shown, with what forward steps derive from them."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from measuring import plots
from measuring.inputs import has_key
from measuring.pooling import POOLED
from measuring.selection import Selection
from reasoning.grammar.reveal import MOST, ORDERS, RULE_SOURCES, Reveal

NEEDS = ("tables/accuracy", "tables/solvers", "published", "arms")
CAPTION = """Cryptarithms: accuracy (official grade) against the number of digits of the key that the prompt shows;
the shown digits are nested, the rows are the same everywhere. One row of panels per backbone and order in which the
digits are revealed; of a backbone's recipes the one that most arms have, named at the panel. Lines with marks: mean
over training seeds (solid: the thought derives the rules, dashed: the prompt gives them, dotted: the thought uses
them unsaid), with Wilson 95 % intervals for n different rows; n in the legend: training rows; small grey dots: the
single seeds. Thin lines with bars: the arm's ceiling, the share of the same rows on which its own rendered text
boxes the right answer; crosses: the share on which that text gives up and the model does so too; a stroke through a
mark: the arm cannot do its single steps (table ``steps``), so it is no evidence about its procedure. Orange lines: the
share of the same rows whose answer forward steps derive from what is shown, one line per stated set of steps
(``units``: units columns and all-different, ``compute``: with bounds and results of known operands, ``full``: every
consequence of each single equation; ``given``: reading order and rules are known, ``open``: neither). Black dotted
line: the best guess that sees which glyphs are shown and how long the answer is, but no digit. Hollow marks:
the published intervention; its half and full arms were given operation and order as well, and its evaluation rows
were part of its training data."""
CHANGE = """that a model learns what forward steps derive and no more is contradicted by a mark on value rows whose
interval lies above every orange line, or, without a stroke, below them while its ceiling is above. A line that follows
its own ceiling says only that its design gives up there, and one that is not above the dotted line says nothing of
digits."""
SELECTION = Selection()
EXAMPLE = {
    "arm": "search-reveal-5", "families": "cryptarithm_deduce", "design": "search", "reveal": "5",
    "corruption": "none", "selection": "all", "n": "2400", "backbone": "small", "recipe": "small", "seeds": "3",
}  # fmt: skip
LINES = dict(zip(RULE_SOURCES, ("-", "--", ":"), strict=True))
WORDS = dict(zip(RULE_SOURCES, ("", ", rules given", ", rules hidden"), strict=True))
DOSE = {"none": 0, "half": 5, "full": 10}


def make(accuracy: pd.DataFrame, solvers: pd.DataFrame, published: pd.DataFrame, arms: pd.DataFrame) -> Figure:
    """Rows of panels: family, evaluation set, backbone, order of revealing; columns: strata."""
    ours = SELECTION.of(accuracy)
    ours = ours[ours.family.map(has_key).astype(bool) & ours.trained.astype(bool) & (ours.slate == 0)]
    if ours.empty:
        return plots.nothing("of a family with a key that is trained", SELECTION, EXAMPLE, arms)
    ours = ours[ours.recipe == ours.groupby("backbone").recipe.transform(lambda r: r.mode()[0])]
    ours = with_series(ours)
    strata = [*plots.ordered_strata(ours.stratum)[1:], POOLED]
    keys = ["family", "eval_set", "backbone", "order"]
    groups = set(ours[keys].itertuples(index=False, name=None))
    groups = sorted(groups, key=lambda g: (g[0], g[1] != "test", g[2], ORDERS.index(g[3])))
    places = plots.design_order(ours)
    with plt.rc_context(plots.STYLE):
        figure, axes = plt.subplots(
            len(groups), len(strata), figsize=(3.3 * len(strata), 0.9 + 2.9 * len(groups)), sharex=True, sharey=True,
            squeeze=False,
        )  # fmt: skip
        for line, (family, eval_set, backbone, order) in zip(axes, groups, strict=True):
            recipe = ours[ours.backbone == backbone].recipe.iloc[0]
            for axis, stratum in zip(line, strata, strict=True):
                panel = ours.query(
                    "family == @family and eval_set == @eval_set and stratum == @stratum and backbone == @backbone"
                )
                curves = [
                    each for each in panel.groupby(["design", "rule", "arm_n", "series"]) if order in set(each[1].order)
                ]
                curves.sort(key=lambda each: (places.index(each[0][0]), each[0][1:]))
                for i, ((design, rule, n, series), own) in enumerate(curves):
                    own = own[(own.order == order) | own.reveal.isin((0, MOST))].sort_values("reveal")
                    colour, marker = plots.CYCLE[places.index(design) % len(plots.CYCLE)]
                    marker = (marker, *plots.FURTHER)[series % (1 + len(plots.FURTHER))]
                    label = f"design {design}{WORDS[rule]}, n = {n}"
                    if panel[panel.design == design].series.any():
                        label += f" ({', '.join(dict.fromkeys(own.arm))})"
                    shift = min(0.16, 0.8 / len(curves)) * (i - (len(curves) - 1) / 2)
                    curve(axis, own, shift, colour, marker, label, LINES[rule])
                shares = solvers.query("family == @family and eval_set == @eval_set and stratum == @stratum")
                closures(axis, shares, order)
                chance(axis, shares, order)
                if stratum == POOLED and order == ORDERS[0]:
                    draw_published(axis, published, family)
                n = panel.n.max() if len(panel) else 0
                axis.set_title(f"{stratum} rows, n = {n}" + ("" if eval_set == "test" else f" ({eval_set})"))
            notes = [f"\n{backbone}, recipe {recipe}"] + [f"\n{order}"] * (order != ORDERS[0])
            line[0].set_ylabel(f"{family}\naccuracy{''.join(notes)}")
        for axis in axes[-1]:
            axis.set(xlabel="digits shown", xticks=range(0, MOST + 1, 1))
        axes[0][0].set(ylim=(-0.03, 1.03))
        plots.legend(figure, axes.flat, columns=3)
        plots.state(figure, SELECTION, accuracy)
    return figure


def with_series(ours: pd.DataFrame) -> pd.DataFrame:
    """A number, so that arms which differ in nothing that a curve tells apart are points of different curves."""
    same = ["family", "eval_set", "backbone", "design", "rule", "arm_n", "order", "reveal"]
    arms = ours[[*same, "arm"]].drop_duplicates().sort_values("arm")
    return ours.merge(arms.assign(series=arms.groupby(same).cumcount()), on=[*same, "arm"])


def curve(axis: Axes, rows: pd.DataFrame, shift: float, colour: str, marker: str, label: str, style: str) -> None:
    """Pooled accuracy with its interval against the digits shown, its ceiling, and a small dot per seed."""
    pooled, seeds = rows[rows.seed == POOLED], rows[rows.seed != POOLED]
    look = {"marker": marker, "color": colour, "ls": style, "ms": 5, "lw": 1.2, "zorder": 5}
    x = pooled.reveal + shift
    axis.plot(x, pooled.official, label=f"model, {label}", **look)
    axis.vlines(x, pooled.official_low, pooled.official_high, color=colour, lw=1.2, alpha=0.7)
    plots.strike(axis, pooled, x, pooled.official)
    axis.scatter(seeds.reveal + shift + 0.12, seeds.official, 8, plots.GREY, label="one training seed", zorder=3)
    axis.plot(x, pooled.ceiling, marker="_", ms=9, mew=1.6, color=colour, ls=style, lw=0.5, label=plots.CEILING)
    given_up = pooled[pooled.abstains > 0]
    axis.plot(
        given_up.reveal + shift, given_up.abstained_right, "x", color=colour, ms=4, mew=1.0, label=plots.ABSTAINED
    )


def closures(axis: Axes, rows: pd.DataFrame, order: str) -> None:
    """Per closure the share of rows it derives from digits in one order; a measure is `closure NAME@REVEAL`."""
    for name, style in zip(sorted(plots.DRAWN[1:]), ("--", "-.", ":", "-"), strict=True):
        if found := points(rows, plots.CLOSURE + name, order):
            label = f"forward-derivable: {name}"
            axis.plot(
                *zip(*found, strict=True), ls=style, marker="|", color=plots.ORANGE, lw=1.1, label=label, zorder=2
            )


def chance(axis: Axes, rows: pd.DataFrame, order: str) -> None:
    """What a guess reaches that knows which glyphs are shown, but no digit."""
    if found := points(rows, "chance", order):
        label = "best guess without a digit's value"
        axis.plot(*zip(*found, strict=True), ":", color=plots.BLACK, lw=1.6, label=label, zorder=2)


def points(rows: pd.DataFrame, measure: str, order: str) -> list[tuple[int, float]]:
    """(digits shown, share) of the lines MEASURE@REVEAL whose digits are shown in one order."""
    own = rows[rows.measure.str.startswith(f"{measure}@")]
    found = [(Reveal.parse(text.rpartition("@")[2]), value) for text, value in zip(own.measure, own.value, strict=True)]
    return sorted((each.digits, v) for each, v in found if each.order == order or each.digits in (0, MOST))


def draw_published(axis: Axes, published: pd.DataFrame, family: str) -> None:
    """The published intervention: without a key nothing was given; with one, operation and order were too."""
    for _, row in published[(published.table == "intervention") & (published.row.isin(DOSE))].iterrows():
        if row.measure.startswith(family):
            rule = row.measure.removeprefix(family).strip(", ") or RULE_SOURCES[0]
            label = f"published model, rules {rule}"
            marker = {"given": "o"}.get(rule, "s")
            plots.published_point(axis, row, DOSE[row.row] + 0.25, marker, label, horizontal=False)
