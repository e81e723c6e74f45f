"""What the figures share: our numbers filled, the published ones hollow, Wilson 95 % intervals, a dot per seed."""

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

from common.artifacts import whole
from measuring.evidence import NO
from measuring.inputs import ORDER
from measuring.pooling import POOLED
from measuring.selection import Selection
from measuring.stats import wilson
from reasoning.grammar.reveal import RULE_SOURCES

# Okabe and Ito's palette: told apart with any colour vision. Markers differ as well, so colour never carries alone.
BLACK, ORANGE, SKY, GREEN, BLUE, RED, PINK = "#000000", "#E69F00", "#56B4E9", "#009E73", "#0072B2", "#D55E00", "#CC79A7"
CYCLE = ((BLUE, "o"), (PINK, "D"), (RED, "s"), (GREEN, "^"), (SKY, "P"), (BLACK, "X"), (ORANGE, "v"))
FIRST = ("forward", "answer-only", "derive", "search")
"""Designs that keep their place, colour and marker in every figure; others follow in alphabetical order."""
GREY = "#8A8A8A"
UNTRAINED = "<>ph8dH"
FURTHER = "<>*dph8H"
STYLE = {
    "font.size": 9, "axes.titlesize": 9.5, "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True,
    "grid.color": "#E6E6E6", "grid.linewidth": 0.6, "axes.axisbelow": True, "legend.frameon": False, "figure.dpi": 100,
    "savefig.dpi": 150, "pdf.fonttype": 42,
}  # fmt: skip
STRATA = ("all", "join", "value", "1-tap", "2-tap", "3-tap")
CLOSURE = "closure "
DRAWN = ("forward trace", "units/open", "compute/open", "full/open", "full/given")
"""The closures that the figures show; the table has them all."""
CEILING = "ceiling: the arm's own text is right"
ABSTAINED = "rightly undetermined"
STRUCK = "steps not installed: no evidence of its procedure"
STROKE = {"ls": "", "marker": (2, 2, -45), "color": BLACK, "ms": 15, "mew": 1.1, "zorder": 6}


def save(figure: Figure, paths: Iterable[str | Path]) -> None:
    """Write the figure under each name; the suffix says the format. No dates, so the same data give the same bytes."""
    with plt.rc_context(STYLE):
        for path in map(Path, paths):
            with whole(path) as partial:
                dates = {"CreationDate": None, "ModDate": None} if path.suffix == ".pdf" else {}
                figure.savefig(partial, format=path.suffix[1:], metadata=dates, bbox_inches="tight")
    plt.close(figure)


def state(figure: Figure, selection: Selection, accuracy: pd.DataFrame | None = None, *notes: str) -> None:
    """Write above the figure what it shows, and which arms of the table the selection leaves out."""
    lines = [f"Shown: {selection}."]
    if accuracy is not None and (others := selection.left_out(accuracy)):
        lines.append(f"Left out for it: {', '.join(others[:6])}{f' and {len(others) - 6} more' * (len(others) > 6)}.")
    lines += notes
    width = max(60, int(figure.get_figwidth() * 17))
    text = "\n".join(part for line in lines for part in textwrap.wrap(line, width, subsequent_indent="  "))
    figure.text(0.01, 1.01, text, va="bottom", ha="left", fontsize=7.5, color="#404040")


def nothing(what: str, selection: Selection, example: Mapping[str, str], arms: pd.DataFrame) -> Figure:
    """A figure that says that there is nothing to show, and which row of the table of arms would fill it."""
    columns = ["arm", *(name for name in arms.columns if name in example)]
    cells = [[name, example[name]] for name in columns]
    widths = [max(map(len, column)) for column in cells]
    rows = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in zip(*cells, strict=True)
    ]
    own = textwrap.fill(f"The arms here: {', '.join(arms.index)}.", 100)
    text = [f"Nothing to show: no arm {what}.", f"Shown would be: {selection}.", "",
            "A row of the table of arms that would fill it:", "", *rows, "", own]  # fmt: skip
    figure = plt.figure(figsize=(9, 0.6 + 0.18 * len(text)))
    figure.text(0.01, 0.98, "\n".join(text), va="top", family="monospace", fontsize=8)
    return figure


def ordered_strata(found: Iterable[str]) -> list[str]:
    """`all` first, then the others in a fixed order."""
    return sorted({"all", *found}, key=lambda s: (STRATA.index(s) if s in STRATA else len(STRATA), s))


def strata_apart(rows: pd.DataFrame) -> list[str]:
    """The strata of some rows without the pooled one, or that alone where there is no other."""
    return ordered_strata(rows.stratum)[1:] or [POOLED]


def without_pooled(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of single strata, and the pooled ones where a family's evaluation set has no strata."""
    strata = rows.groupby(["family", "eval_set"]).stratum.transform("nunique")
    return rows[(strata == 1) | (rows.stratum != POOLED)]


def panels(rows: pd.DataFrame, by: Sequence[str]) -> list[tuple[tuple, pd.DataFrame]]:
    """Groups of rows by columns, `family` the first of them: in the order of families, generated rows before real, then
    shorter values first, so that numbers are in their order."""
    at = list(by).index("eval_set")

    def place(each: tuple[tuple, pd.DataFrame]) -> tuple:
        key = each[0]
        return ORDER.index(key[0]), key[at] != "test", [(len(str(value)), value) for value in key]

    return sorted(rows.groupby(list(by)), key=place)


def design_order(frame: pd.DataFrame) -> list[str]:
    """The designs of a frame, in an order that is the same in every figure."""
    return [*FIRST, *sorted(set(frame.design) - set(FIRST))]


def nth(i: int) -> tuple[str, str]:
    """Colour and marker of the i-th of any number of things: after seven, the colours again with other markers."""
    colour, marker = CYCLE[i % len(CYCLE)]
    return colour, (marker, *FURTHER)[i // len(CYCLE) % (1 + len(FURTHER))]


def look(frame: pd.DataFrame, arm: str) -> tuple[str, str]:
    """Colour and marker of an arm: its design's (the first arm of a design has its marker, the others further ones; the
    eighth design, of the first one's colour, has them from the last one on), or grey where nothing is trained."""
    untrained = sorted(frame[~frame.trained.astype(bool)].arm.unique())
    if arm in untrained:
        return GREY, UNTRAINED[untrained.index(arm) % len(UNTRAINED)]
    again, place = divmod(design_order(frame).index(design_of(frame, arm)), len(CYCLE))
    colour, marker = CYCLE[place]
    nth_of_design = twins(frame, arm).index(arm)
    turn = -again - nth_of_design if again else nth_of_design
    return colour, (marker, *FURTHER)[turn % (1 + len(FURTHER))]


def twins(frame: pd.DataFrame, arm: str) -> list[str]:
    """The trained arms of an arm's design that have a family with it, itself among them."""
    own = frame[frame.arm == arm]
    same = frame[frame.trained.astype(bool) & (frame.design == own.design.iloc[0]) & frame.family.isin(own.family)]
    return sorted(same.arm.unique())


def name_of(frame: pd.DataFrame, arm: str) -> str:
    """What a legend calls an arm: its design and its training rows, and itself where others have the same design."""
    own = frame[frame.arm == arm].iloc[0]
    if not own.trained:
        return f"not trained: {arm}"
    return f"model, design {own.design}, n = {own.arm_n}{f' ({arm})' * (len(twins(frame, arm)) > 1)}"


def design_of(frame: pd.DataFrame, arm: str) -> str:
    return frame[frame.arm == arm].design.iloc[0]


def intervals(axis: Axes, rows: pd.DataFrame, y: float, colour: str, marker: str, label: str, value: str) -> None:
    """Points with their intervals at one height; `value` is the column, its limits are low/high or VALUE_low/high."""
    low, high = ("low", "high") if value == "value" else (f"{value}_low", f"{value}_high")
    for _, row in rows.iterrows():
        axis.plot([row[low], row[high]], [y, y], color=colour, lw=1.2, alpha=0.7, zorder=2)
        axis.plot([row[value]], [y], marker, color=colour, ms=5, label=label or None, zorder=5)


def ceiling(axis: Axes, rows: pd.DataFrame, y: float, colour: str, *, abstention: bool = False) -> None:
    """The mark of an arm's ceiling at one height, and a cross at its rightly undetermined share where it has any."""
    for _, row in rows.iterrows():
        axis.plot([row.ceiling], [y], "|", color=colour, ms=11, mew=1.8, label=CEILING, zorder=4)
        if abstention and row.abstains > 0:
            axis.plot([row.abstained_right], [y], "x", color=colour, ms=5, mew=1.1, label=ABSTAINED, zorder=4)


def strike(axis: Axes, rows: pd.DataFrame, x: Iterable[float], y: Iterable[float]) -> None:
    """A stroke through the points of the arms whose steps are not installed (measuring/evidence.py)."""
    points = [(a, b) for a, b, told in zip(x, y, rows.installed, strict=True) if told == NO]
    if points:
        xs, ys = zip(*points, strict=True)
        axis.plot(xs, ys, label=STRUCK, **STROKE)


def told(installed: str) -> str:
    """What a name says of an arm whose steps are not installed, where no mark can be struck through."""
    return "; no steps" if installed == NO else ""


def unaided(accuracy: pd.DataFrame) -> pd.DataFrame:
    """The arms that are shown neither digits nor rules and derive the rules in their thought."""
    return accuracy[(accuracy.reveal == 0) & (accuracy.slate == 0) & (accuracy.rule == RULE_SOURCES[0])]


def published_point(axis: Axes, row: Mapping, at: float, marker: str, label: str, *, horizontal: bool) -> None:
    """A hollow marker with the published interval, or the Wilson one where only n was published."""
    value, low, high = float(row["value"]), row["ci_low"], row["ci_high"]
    if pd.isna(low) and not pd.isna(row["n"]):
        low, high = wilson(value * row["n"], int(row["n"]))
    if not pd.isna(low):
        ends = ([low, high], [at, at]) if horizontal else ([at, at], [low, high])
        axis.plot(*ends, color=GREY, lw=0.9, zorder=1)
    point = ([value], [at]) if horizontal else ([at], [value])
    axis.plot(*point, marker, mfc="white", mec=GREY, ms=5, mew=1.1, label=label, zorder=3)


def named_axis(axis: Axes, names: list[str], *, first: bool) -> None:
    """One line per name, the first on top; the names stand at the leftmost panel only."""
    axis.set_yticks(range(len(names)), names if first else [""] * len(names))
    axis.set_ylim(len(names) - 0.4, -0.6)


def name_points(axis: Axes, points: Iterable[tuple[float, float, str]], size: float) -> None:
    """Names beside points (x, y, name), in letters of `size` points: each in the place nearest to its point where it
    stands on no other name or mark, and a thin line to the point where that is not right beside it.

    The axis has its limits and its place in the figure.
    """
    box, points = axis.get_window_extent(), sorted(points, key=lambda point: (-point[1], point[0]))
    letter, line = (size * axis.figure.dpi / 72 * k for k in (0.62, 1.25))  # pixels: a letter's width, a line's height
    marks = [axis.transData.transform(point[:2]) for point in points]
    taken = [(x - letter, x + letter, y) for x, y in marks]  # left, right, middle
    shifts = sorted((k * line / 4 for k in range(-100, 101)), key=lambda shift: (abs(shift), shift))
    for (x, y), (*_, name) in zip(marks, points, strict=True):
        width = letter * len(name)
        left_edges = (x + letter * 1.6, x - letter * 1.6 - width)
        places = [(left, left + width, y + shift) for shift in shifts for left in left_edges]
        inside = [p for p in places if box.x0 < p[0] and box.y0 + line / 2 < p[2] < box.y1]
        left, right, middle = next(
            (p for p in inside if not any(overlap(p, other, line) for other in taken)), places[0]
        )
        taken.append((left, right, middle))
        near = left if left > x else right
        if abs(middle - y) > line / 2:
            ends = axis.transAxes.inverted().transform([(x, y), (near, middle)])
            axis.plot(*ends.T, color=GREY, lw=0.5, transform=axis.transAxes, zorder=2)
        place = axis.transAxes.inverted().transform((near, middle))
        axis.text(
            *place, name, transform=axis.transAxes, ha="left" if left > x else "right", va="center", fontsize=size
        )


def overlap(a: tuple[float, float, float], b: tuple[float, float, float], height: float) -> bool:
    """Whether two texts of one height (left, right, middle) stand on one another."""
    return a[0] < b[1] and a[1] > b[0] and abs(a[2] - b[2]) < height


def log_ticks(axis: Axes) -> None:
    """Plain numbers at 1, 2 and 5 on a logarithmic axis of x."""
    axis.set_xscale("log")
    axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axis.xaxis.set_minor_locator(NullLocator())


def legend(figure: Figure, axes: Iterable[Axes], columns: int) -> None:
    """One legend for the figure, under it, each label once."""
    entries = {}
    for axis in axes:
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True):
            entries.setdefault(label, handle)
    figure.tight_layout()
    figure.legend(
        entries.values(), entries.keys(), loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=columns, fontsize=8
    )
