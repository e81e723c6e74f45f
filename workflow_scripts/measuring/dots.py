"""A figure of marks with intervals: blocks of named rows from top to bottom, columns of shares from left to right."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from measuring import plots
from measuring.evidence import NO
from measuring.pooling import POOLED
from measuring.stats import wilson

TITLE = 0.068
"""Inches that a character of a block's title takes up beside its rows."""


@dataclass(frozen=True)
class Mark:
    """A share with its interval. label: in the legend, "" for none; ceiling: drawn as a bar; seeds: as small dots;
    hollow: a published number; installed: NO (measuring/evidence.py) strikes it through."""

    value: float
    low: float = float("nan")
    high: float = float("nan")
    colour: str = plots.BLACK
    marker: str = "o"
    label: str = ""
    ceiling: float = float("nan")
    seeds: tuple[float, ...] = ()
    hollow: bool = False
    installed: str = ""


@dataclass
class Block:
    """Rows of panels under one title. rows: name -> column -> marks; n: column -> how many rows of the evaluation set
    stand behind it, said in the panel's title."""

    title: str
    rows: dict[str, dict[str, list[Mark]]] = field(default_factory=dict)
    n: dict[str, float] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)

    def add(self, row: str, column: str, mark: Mark | None) -> None:
        """A mark in a row and column; None adds the row alone."""
        marks = self.rows.setdefault(row, {}).setdefault(column, [])
        if mark is not None:
            marks.append(mark)


def draw(
    blocks: Sequence[Block],
    columns: Mapping[str, str],
    *,
    xlabel: str = "share",
    limits: tuple[float, float] = (-0.03, 1.03),
    bar: str = plots.CEILING,
) -> Figure:
    """columns: key -> title. limits: of all panels; bar: what the legend calls the bars."""
    with plt.rc_context(plots.STYLE):
        titles = [max(map(len, block.title.split("\n"))) for block in blocks]
        heights = [
            max(0.75 + 0.3 * max(1, len(block.rows)), 0.35 + TITLE * n) for block, n in zip(blocks, titles, strict=True)
        ]
        longest = max((len(line) for block in blocks for name in block.rows for line in name.split("\n")), default=0)
        width = 2.9 * len(columns) + 0.075 * longest + 0.8
        figure, axes = plt.subplots(
            len(blocks), len(columns), figsize=(width, 0.6 + sum(heights)), height_ratios=heights, sharex=True,
            squeeze=False,
        )  # fmt: skip
        for line, block in zip(axes, blocks, strict=True):
            for axis, (column, title) in zip(line, columns.items(), strict=True):
                for y, marks in enumerate(block.rows.values()):
                    place(axis, y, marks.get(column, []), bar)
                n = block.n.get(column)
                said = title if n is None else f"{title}, n = {'?' if pd.isna(n) else int(n)}"
                axis.set_title("\n".join(filter(None, (said, block.notes.get(column)))))
                plots.named_axis(axis, list(block.rows), first=column == next(iter(columns)))
            line[0].set_ylabel(block.title, fontsize=8)
        axes[0][0].set_xlim(*limits)
        for axis in axes[-1]:
            axis.set_xlabel(xlabel)
        plots.legend(figure, axes.flat, columns=3)
    return figure


def place(axis: Axes, y: float, marks: Sequence[Mark], bar: str) -> None:
    """The marks of one row and column, a little apart where there are several."""
    step = 0.5 / max(1, len(marks))
    for i, mark in enumerate(marks):
        at = y + step * (i - (len(marks) - 1) / 2)
        colour = plots.GREY if mark.hollow else mark.colour
        if not pd.isna(mark.low):
            axis.plot(
                [mark.low, mark.high], [at, at], color=colour, lw=0.9 if mark.hollow else 1.2, alpha=0.7, zorder=2
            )
        fill = "white" if mark.hollow else colour
        size = {"ms": 11, "mew": 1.8} if mark.marker == "|" else {"ms": 5}
        axis.plot([mark.value], [at], mark.marker, mfc=fill, mec=colour, label=mark.label or None, zorder=5, **size)
        if mark.installed == NO:
            axis.plot([mark.value], [at], label=plots.STRUCK, **plots.STROKE)
        if not pd.isna(mark.ceiling):
            axis.plot([mark.ceiling], [at], "|", color=colour, ms=11, mew=1.8, label=bar, zorder=4)
        if mark.seeds:
            axis.scatter(mark.seeds, [at + 0.22] * len(mark.seeds), 10, plots.GREY, label="one training seed", zorder=3)


def accuracy_mark(
    rows: pd.DataFrame, colour: str, marker: str, label: str = "", *, ceiling: bool = True
) -> Mark | None:
    """The mark of one arm, family, stratum, evaluation set and decoder of the table of accuracies; None without it."""
    pooled, seeds = rows[rows.seed == POOLED], rows[rows.seed != POOLED]
    if pooled.empty:
        return None
    row = pooled.iloc[0]
    return Mark(
        row.official, row.official_low, row.official_high, colour, marker, label,
        ceiling=row.ceiling if ceiling and row.trained else float("nan"),
        seeds=tuple(seeds.official) if len(seeds) > 1 else (), installed=row.installed if row.trained else "",
    )  # fmt: skip


def published_mark(row: Mapping, label: str, marker: str = "o") -> Mark:
    """A published share, with its interval or the Wilson one where only n was published."""
    value, low, high = float(row["value"]), row["ci_low"], row["ci_high"]
    if pd.isna(low) and not pd.isna(row["n"]):
        low, high = wilson(value * row["n"], int(row["n"]))
    return Mark(value, low, high, marker=marker, label=label, hollow=True)
