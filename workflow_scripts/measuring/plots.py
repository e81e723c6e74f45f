"""The figures: our numbers filled, the published ones hollow, Wilson 95 % intervals, one dot per training seed."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from common.artifacts import whole
from measuring.stats import wilson
from reasoning.grammar.reveal import MOST, ORDERS, RULE_SOURCES, Reveal

# Okabe and Ito's palette: told apart with any colour vision. Markers differ as well, so colour never carries alone.
BLACK, ORANGE, SKY, GREEN, BLUE, RED, PINK = "#000000", "#E69F00", "#56B4E9", "#009E73", "#0072B2", "#D55E00", "#CC79A7"
CYCLE = ((BLUE, "o"), (PINK, "D"), (RED, "s"), (GREEN, "^"), (SKY, "P"), (BLACK, "X"), (ORANGE, "v"))
FIRST = ("forward", "answer-only", "derive", "search")
"""Designs that keep their place, colour and marker in every figure; others follow in alphabetical order."""
GREY = "#8A8A8A"
UNTRAINED = "<>ph8dH"
STYLE = {
    "font.size": 9, "axes.titlesize": 9.5, "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True,
    "grid.color": "#E6E6E6", "grid.linewidth": 0.6, "axes.axisbelow": True, "legend.frameon": False, "figure.dpi": 100,
    "savefig.dpi": 150, "pdf.fonttype": 42,
}  # fmt: skip
FAMILIES = (
    "numeral", "unit_conversion", "gravity", "cipher", "bit_manipulation", "equation_numeric_deduce",
    "equation_numeric_guess", "cryptarithm_deduce", "cryptarithm_guess",
)  # fmt: skip
CLOSURE = "closure "
RULE_LINES = dict(zip(RULE_SOURCES, ("-", "--", ":"), strict=True))
RULE_WORDS = dict(zip(RULE_SOURCES, ("", ", rules given", ", rules hidden"), strict=True))
DRAWN = ("forward trace", "units/open", "compute/open", "full/open", "full/given")
"""The closures that the figures show; the table has them all."""


def save(figure: Figure, paths: Iterable[str | Path]) -> None:
    """Write the figure under each name; the suffix says the format. No dates, so the same data give the same bytes."""
    for path in map(Path, paths):
        with whole(path) as partial:
            dates = {"CreationDate": None, "ModDate": None} if path.suffix == ".pdf" else {}
            figure.savefig(partial, format=path.suffix[1:], metadata=dates, bbox_inches="tight")
    plt.close(figure)


def frontier(accuracy: pd.DataFrame, solvers: pd.DataFrame, published: pd.DataFrame) -> Figure:
    """Per family and stratum: the exact solver, what a forward closure derives, every arm that is shown no key."""
    eval_sets = sorted(solvers.eval_set.unique(), reverse=True)
    ours = _unaided(accuracy)
    ours = ours[ours.seed == "all"]
    keys = [(f, s) for f in FAMILIES if f in set(solvers.family) for s in _strata(solvers[solvers.family == f].stratum)]
    solvers = solvers.assign(measure=solvers.measure.str.removesuffix("@0"))
    names = [CLOSURE + name for name in DRAWN if CLOSURE + name in set(solvers.measure)]
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(
            1, len(eval_sets), figsize=(2.6 + 4.4 * len(eval_sets), 1.9 + 0.36 * len(keys)), sharey=True, squeeze=False
        )
        for axis, eval_set in zip(axes[0], eval_sets, strict=True):
            for y, (family, stratum) in enumerate(keys):
                solved = solvers.query("family == @family and stratum == @stratum and eval_set == @eval_set")
                _intervals(axis, solved[solved.measure == "official"], y - 0.2, BLACK, "s", "exact solver", "value")
                for i, name in enumerate(names):
                    share = solved[solved.measure == name]
                    marker = ("|", "1", "2", "3", "4", "+", "x")[i % 7]
                    label = f"forward-derivable: {name.removeprefix(CLOSURE)}"
                    axis.scatter(share.value, [y - 0.36] * len(share), 50, ORANGE, marker=marker, label=label, zorder=4)
                arms = ours.query("family == @family and stratum == @stratum and eval_set == @eval_set")
                for i, (_, arm) in enumerate(arms.sort_values("arm").iterrows()):
                    colour, marker = _look(ours, arm.arm)
                    label = f"model, design {arm.design}" if arm.trained else f"not trained: {arm.arm}"
                    step = 0.36 * (i + 1) / (len(arms) + 1)
                    _intervals(axis, arm.to_frame().T, y - 0.05 + step, colour, marker, label, "official")
                if stratum == "all":
                    _published_master(axis, published, family, y)
                n = solved[solved.measure == "official"].n
                axis.text(1.03, y, f"n={int(n.iloc[0])}" if len(n) else "", va="center", fontsize=7.5, color=GREY)
            axis.set(xlim=(-0.03, 1.03), xlabel="accuracy", title=f"evaluation set: {eval_set}")
        axes[0][0].set_yticks(range(len(keys)), [f if s == "all" else s for f, s in keys])
        axes[0][0].set_ylim(len(keys) - 0.4, -0.6)
        for label, (_, stratum) in zip(axes[0][0].get_yticklabels(), keys, strict=True):
            label.set_color(BLACK if stratum == "all" else GREY)
        _legend(figure, axes[0], columns=2)
    return figure


def designs(accuracy: pd.DataFrame, paired: pd.DataFrame, published: pd.DataFrame) -> Figure:
    """Cryptarithms without a key shown: accuracy per design and stratum, the published designs underneath."""
    ours = _unaided(accuracy)
    ours = ours[ours.family.str.startswith("cryptarithm")]
    strata = [s for s in ("join", "value", "all") if s in set(ours.stratum)]
    groups = sorted(set(zip(ours.family, ours.eval_set, strict=True)), key=lambda g: (g[0], g[1] != "test"))
    arms = sorted(ours.arm.unique(), key=lambda arm: (_design_order(ours).index(_design_of(ours, arm)), arm))
    theirs = published[(published.table == "designs") & (published.measure == "deduce")]
    names = sorted(theirs.row.unique(), key=lambda name: int(name.removeprefix("r")))
    with plt.rc_context(STYLE):
        rows = len(groups) + 1
        heights = [0.6 + 0.38 * len(arms)] * len(groups) + [0.6 + 0.2 * len(names)]
        figure, axes = plt.subplots(
            rows, len(strata), figsize=(9, 0.9 + sum(heights)), height_ratios=heights, sharex=True, squeeze=False
        )
        for line, (family, eval_set) in zip(axes, groups, strict=False):
            for axis, stratum in zip(line, strata, strict=True):
                panel = ours.query("family == @family and eval_set == @eval_set and stratum == @stratum")
                for y, arm in enumerate(arms):
                    own = panel[panel.arm == arm]
                    colour, marker = _look(ours, arm)
                    _intervals(axis, own[own.seed == "all"], y, colour, marker, "", "official")
                    seeds = own[own.seed != "all"]
                    axis.scatter(seeds.official, [y + 0.25] * len(seeds), 12, GREY, label="one training seed", zorder=3)
                n = panel.n.max() if len(panel) else 0
                axis.set_title(f"{stratum} rows, n = {n}" + _best_p(paired, arms, family, eval_set, stratum))
                _arm_axis(axis, arms, first=stratum == strata[0])
            line[0].set_ylabel(f"{family}\n({eval_set})")
        for axis, stratum in zip(axes[-1], strata, strict=True):
            panel = theirs[theirs.stratum == stratum].set_index("row")
            for y, name in enumerate(names):
                if name in panel.index:
                    _published_point(axis, panel.loc[name], y, "o", "published (hollow)", horizontal=True)
            n = panel.n.max()
            axis.set(title=f"published, {stratum} rows, n = {'?' if pd.isna(n) else int(n)}", xlabel="accuracy")
            _arm_axis(axis, names, first=stratum == strata[0])
        axes[0][0].set_xlim(-0.03, 1.03)
        _legend(figure, axes.flat, columns=3)
    return figure


def reveal(accuracy: pd.DataFrame, solvers: pd.DataFrame, published: pd.DataFrame) -> Figure:
    """Cryptarithms: accuracy against the number of digits shown, with the share of rows that forward steps derive.

    A row of panels per backbone; of a backbone's recipes the one that most arms have, on true thoughts of all rows.
    """
    ours = accuracy[accuracy.family.str.startswith("cryptarithm") & accuracy.trained]
    ours = ours[(ours.corruption == "none") & (ours.selection == "all")]
    ours = ours[ours.recipe == ours.groupby("backbone").recipe.transform(lambda r: r.mode()[0])]
    strata = [s for s in ("join", "value", "all") if s in set(ours.stratum)]
    groups = set(zip(ours.family, ours.eval_set, ours.backbone, ours.order, strict=True))
    groups = sorted(groups, key=lambda g: (g[0], g[1] != "test", g[2], ORDERS.index(g[3])))
    several = ours.backbone.nunique() > 1
    places = _design_order(ours)
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(
            len(groups), len(strata), figsize=(3.3 * len(strata), 0.9 + 2.9 * len(groups)), sharex=True, sharey=True,
            squeeze=False,
        )  # fmt: skip
        for line, (family, eval_set, backbone, order) in zip(axes, groups, strict=True):
            for axis, stratum in zip(line, strata, strict=True):
                panel = ours.query(
                    "family == @family and eval_set == @eval_set and stratum == @stratum and backbone == @backbone"
                )
                for (design, rule), own in sorted(
                    panel.groupby(["design", "rule"]), key=lambda g: places.index(g[0][0])
                ):
                    if order not in set(own.order):
                        continue
                    own = own[(own.order == order) | own.reveal.isin((0, MOST))].sort_values("reveal")
                    colour, marker = CYCLE[places.index(design) % len(CYCLE)]
                    shift = 0.12 * (places.index(design) - (len(places) - 1) / 2)
                    _curve(
                        axis, own, shift, colour, marker, f"model, design {design}{RULE_WORDS[rule]}", RULE_LINES[rule]
                    )
                shares = solvers.query("family == @family and eval_set == @eval_set and stratum == @stratum")
                _closures(axis, shares, order)
                if stratum == "all" and family == "cryptarithm_deduce" and order == ORDERS[0]:
                    dose = {"none": 0, "half": 5, "full": 10}
                    for _, row in published[published.table == "intervention"].iterrows():
                        _published_point(axis, row, dose[row.row] + 0.25, "o", "published model", horizontal=False)
                n = panel.n.max() if len(panel) else 0
                axis.set_title(f"{stratum} rows, n = {n}" + ("" if eval_set == "test" else f" ({eval_set})"))
            notes = [f"\n{backbone}"] * several + [f"\n{order}"] * (order != ORDERS[0])
            line[0].set_ylabel(f"{family}\naccuracy{''.join(notes)}")
        for axis in axes[-1]:
            axis.set(xlabel="digits shown", xticks=range(0, 11, 1))
        axes[0][0].set(ylim=(-0.03, 1.03))
        _legend(figure, axes.flat, columns=3)
    return figure


LEDGER = (
    ("tokens", "tokens trained on", 1e-6, "million tokens"), ("minutes", "time in steps", 1, "minutes"),
    ("tokens_per_s", "speed", 1e-3, "thousand tokens/s"), ("peak_memory_mb", "peak memory", 1 / 1024, "GiB"),
    ("loss", "final loss", 1, "nats per learned token"),
)  # fmt: skip


def runs(ledger: pd.DataFrame) -> Figure:
    """The ledger as a picture: one line per arm, lowest final loss first, and on it one mark per training seed."""
    arms = list(ledger.groupby("arm").loss.mean().sort_values(kind="stable").index)
    strata = [column for column in ledger if column.startswith("official")]
    backbones = sorted(ledger.backbone.unique())
    colours = {name: CYCLE[i % len(CYCLE)] for i, name in enumerate(backbones)}
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(
            1, len(LEDGER) + 1, figsize=(13.5, 1.3 + 0.3 * len(arms)), sharey=True, width_ratios=[1] * 5 + [1.6]
        )
        for axis, (column, title, scale, unit) in zip(axes, LEDGER, strict=False):
            for name, own in ledger.groupby("backbone"):
                (colour, marker), heights = colours[name], own.arm.map(arms.index)
                label = f"backbone {name}"
                axis.plot(own[column] * scale, heights, marker, color=colour, ms=5, alpha=0.75, label=label)
            axis.set(title=title, xlabel=unit)
            axis.set_xlim(left=0)
        for i, column in enumerate(strata):
            marker, fill = ("o", "s", "^", "D", "v", "P", "X")[i % 7], BLACK if column == "official" else "white"
            label = f"accuracy, {column.removeprefix('official').strip() or 'all'} rows"
            shift = 0.28 * (i - (len(strata) - 1) / 2) / max(1, len(strata) - 1) * 2
            heights = ledger.arm.map(arms.index) + shift
            axes[-1].plot(ledger[column], heights, marker, mec=BLACK, mfc=fill, ms=4.5, alpha=0.8, label=label)
        axes[-1].set(title="accuracy on the test rows", xlabel="official grade", xlim=(-0.03, 1.03))
        axes[0].set_yticks(range(len(arms)), arms)
        axes[0].set_ylim(len(arms) - 0.4, -0.6)
        _legend(figure, axes, columns=4)
    return figure


def _strata(found: pd.Series) -> list[str]:
    """`all` first, then the strata in a fixed order."""
    rest = sorted(set(found) - {"all"}, key=lambda s: ("join value 1-tap 2-tap 3-tap".split() + [s]).index(s))
    return ["all", *rest]


def _design_order(frame: pd.DataFrame) -> list[str]:
    """The designs of a frame, in an order that is the same in every figure."""
    return [*FIRST, *sorted(set(frame.design) - set(FIRST))]


def _look(frame: pd.DataFrame, arm: str) -> tuple[str, str]:
    """Colour and marker of an arm: its design's, or grey and one of its own where nothing was trained."""
    untrained = sorted(frame[~frame.trained].arm.unique())
    if arm in untrained:
        return GREY, UNTRAINED[untrained.index(arm) % len(UNTRAINED)]
    return CYCLE[_design_order(frame).index(_design_of(frame, arm)) % len(CYCLE)]


def _design_of(frame: pd.DataFrame, arm: str) -> str:
    return frame[frame.arm == arm].design.iloc[0]


def _intervals(axis: Axes, rows: pd.DataFrame, y: float, colour: str, marker: str, label: str, value: str) -> None:
    """Points with their intervals at one height; `value` is the column, its limits are low/high or VALUE_low/high."""
    low, high = ("low", "high") if value == "value" else (f"{value}_low", f"{value}_high")
    for _, row in rows.iterrows():
        axis.plot([row[low], row[high]], [y, y], color=colour, lw=1.2, alpha=0.7, zorder=2)
        axis.plot([row[value]], [y], marker, color=colour, ms=5, label=label or None, zorder=5)


def _unaided(accuracy: pd.DataFrame) -> pd.DataFrame:
    """The arms that are shown neither digits nor rules and derive the rules in their thought."""
    return accuracy[(accuracy.reveal == 0) & (accuracy.rule == RULE_SOURCES[0])]


def _curve(axis: Axes, rows: pd.DataFrame, shift: float, colour: str, marker: str, label: str, style: str) -> None:
    """Pooled accuracy with its interval against the digits shown, and a small dot per seed."""
    pooled, seeds = rows[rows.seed == "all"], rows[rows.seed != "all"]
    look = {"marker": marker, "color": colour, "ls": style, "ms": 5, "lw": 1.2, "zorder": 5}
    axis.plot(pooled.reveal + shift, pooled.official, label=label, **look)
    axis.vlines(pooled.reveal + shift, pooled.official_low, pooled.official_high, color=colour, lw=1.2, alpha=0.7)
    axis.scatter(seeds.reveal + shift + 0.12, seeds.official, 8, GREY, label="one training seed", zorder=3)


def _closures(axis: Axes, rows: pd.DataFrame, order: str) -> None:
    """Per closure the share of rows it derives from digits in one order; a measure is `closure NAME@REVEAL`."""
    shares: dict[str, list[tuple[int, float]]] = {}
    for _, row in rows[rows.measure.str.startswith(CLOSURE)].iterrows():
        name, _, text = row.measure.removeprefix(CLOSURE).partition("@")
        if name not in DRAWN[1:]:
            continue
        shown = Reveal.parse(text)
        if shown.order == order or shown.digits in (0, MOST):
            shares.setdefault(name, []).append((shown.digits, row.value))
    for (name, points), style in zip(sorted(shares.items()), ("--", "-.", ":", "-"), strict=False):
        xs, ys = zip(*sorted(points), strict=True)
        axis.plot(xs, ys, ls=style, marker="|", color=ORANGE, lw=1.1, label=f"forward-derivable: {name}", zorder=2)


def _published_master(axis: Axes, published: pd.DataFrame, family: str, y: float) -> None:
    """The study's solver, model and base accuracy of a family, and the first-place model's."""
    for table, measure, marker in (
        ("master", "solver", "s"), ("master", "model", "o"), ("master", "base", "v"), ("first_place", "model", "D"),
    ):  # fmt: skip
        rows = published[(published.table == table) & (published.row == family) & (published.measure == measure)]
        who = "first place" if table == "first_place" else "published"
        for _, row in rows.iterrows():
            _published_point(axis, row, y + 0.36, marker, f"{who}: {measure}", horizontal=True)


def _published_point(axis: Axes, row: Mapping, at: float, marker: str, label: str, *, horizontal: bool) -> None:
    """A hollow marker with the published interval, or the Wilson one where only n was published."""
    value, low, high = float(row["value"]), row["ci_low"], row["ci_high"]
    if pd.isna(low) and not pd.isna(row["n"]):
        low, high = wilson(value * row["n"], int(row["n"]))
    if not pd.isna(low):
        ends = ([low, high], [at, at]) if horizontal else ([at, at], [low, high])
        axis.plot(*ends, color=GREY, lw=0.9, zorder=1)
    point = ([value], [at]) if horizontal else ([at], [value])
    axis.plot(*point, marker, mfc="white", mec=GREY, ms=5, mew=1.1, label=label, zorder=3)


def _arm_axis(axis: Axes, names: list[str], *, first: bool) -> None:
    axis.set_yticks(range(len(names)), names if first else [""] * len(names))
    axis.set_ylim(len(names) - 0.4, -0.6)


def _best_p(paired: pd.DataFrame, arms: list[str], family: str, eval_set: str, stratum: str) -> str:
    """The smallest adjusted p value among the pairs that the panel shows, as a line of its title."""
    rows = paired.query("family == @family and eval_set == @eval_set and stratum == @stratum")
    rows = rows[rows.arm_a.isin(arms) & rows.arm_b.isin(arms)]
    return f"\nsmallest Holm-adjusted p: {rows.p_holm.min():.2g}" if len(rows) else ""


def _legend(figure: Figure, axes: Iterable[Axes], columns: int) -> None:
    """One legend for the figure, under it, each label once."""
    entries = {}
    for axis in axes:
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True):
            entries.setdefault(label, handle)
    figure.tight_layout()
    figure.legend(
        entries.values(), entries.keys(), loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=columns, fontsize=8
    )
