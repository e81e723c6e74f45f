"""From one example to many: accuracy against the number of training examples, in the weights and in the prompt."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from measuring import plots
from measuring.pooling import POOLED
from measuring.selection import Selection, with_corpora

NEEDS = ("tables/accuracy", "tables/traces", "arms")
CAPTION = """Accuracy (official grade, one row of panels per stratum) and, in the last row, the share of completions
whose every line is sound, against the number of examples on a logarithmic axis; one column of panels per family,
evaluation set and amount of the key shown. One line per design, corruption, selection, source, start, backbone and
recipe that has at least two numbers of examples, with Wilson 95 % intervals for n rows; small grey dots: the single
seeds, each with the same examples and its own initial adapter. Recipe in-context: the examples stand in the prompt and
nothing is trained; its 0 stands at the left edge. Single marks: other designs, selections, sources, starts and
recipes at a number of examples that a line of the column has."""
CHANGE = """if few examples elicit what the backbone can do, accuracy is near its final value at n = 20 and the arm
trained on swapped texts is as good; if they teach, it rises with n and the swapped arm stays at the bottom."""
SELECTION = Selection(corruption="each", selections=("each",), backbone="each, in the legend")
EXAMPLE = {
    "arm": "few-20", "families": "cryptarithm_deduce", "design": "journey", "reveal": "0", "corruption": "none",
    "selection": "all", "n": "20", "backbone": "small", "recipe": "few", "seeds": "3",
}  # fmt: skip
COLUMN = ["family", "eval_set", "shown"]
SERIES = ["design", "corruption", "selection", "source", "start", "backbone", "recipe"]
BESIDE = [*COLUMN, "backbone", "arm_n"]
"""Single marks stand beside a line of the same ones."""
ZERO = 0.4  # where no example stands on the logarithmic axis


def make(accuracy: pd.DataFrame, traces: pd.DataFrame, arms: pd.DataFrame) -> Figure:
    """Columns of panels: family, evaluation set, what is shown; a row per stratum, the last one for sound thoughts."""
    every = with_corpora(accuracy[accuracy.decoder == SELECTION.decoder], arms)
    pooled = every[(every.seed == POOLED) & (every.stratum == POOLED)]
    is_line = pooled.groupby(COLUMN + SERIES).arm_n.transform("nunique") > 1
    trained = pooled[is_line & pooled.trained.astype(bool)]
    beside = pooled[BESIDE].merge(trained[BESIDE].drop_duplicates(), how="left", indicator=True)._merge == "both"
    shown = pooled[is_line | beside.to_numpy()]
    if trained.empty:
        return plots.nothing("with two numbers of examples under one recipe", SELECTION, EXAMPLE, arms)
    columns = plots.panels(shown, COLUMN)
    strata = [plots.strata_apart(every[every.arm.isin(rows.arm) & (every.family == key[0])]) for key, rows in columns]
    height = max(map(len, strata)) + 1
    keys = dict.fromkeys(map(tuple, pd.concat([trained, shown])[SERIES].to_numpy()))  # lines first
    looks = {key: plots.nth(i) for i, key in enumerate(keys)}
    valid = traces.set_index(["arm", "family", "eval_set", "decoder"])
    with plt.rc_context(plots.STYLE):
        size = (4.6 * len(columns), 2.7 * height)
        figure, axes = plt.subplots(height, len(columns), figsize=size, squeeze=False, sharex="col")
        for column, own_strata, ((family, eval_set, reveal), rows) in zip(axes.T, strata, columns, strict=True):
            for key, own in rows.groupby(SERIES):
                look = look_of(key, looks)
                for axis, stratum in zip(column, own_strata, strict=False):
                    part = every[every.arm.isin(own.arm) & (every.family == family) & (every.eval_set == eval_set)]
                    draw_accuracy(axis, part[part.stratum == stratum], look)
                own = own.sort_values("arm_n")
                lines = valid.loc[[(arm, family, eval_set, SELECTION.decoder) for arm in own.arm]]
                draw(column[-1], own.arm_n, lines.valid, lines.valid_low, lines.valid_high, look)
            told = f"{family}, {eval_set}" + f", reveal {reveal}" * (reveal != "0")
            for axis, stratum in zip(column, own_strata, strict=False):
                found = every[every.arm.isin(rows.arm) & (every.family == family) & (every.stratum == stratum)]
                apart = f", {stratum} rows" * (stratum != POOLED)
                axis.set(title=f"{told}{apart}, n = {int(found[found.eval_set == eval_set].n.max())}")
            for axis in column[len(own_strata) : -1]:
                axis.set_axis_off()
            column[-1].set(title=f"{told}, n = {int(rows.n.max())}", xlabel="training examples")
            numbers = sorted(set(rows.arm_n))
            for axis in column:
                axis.set(xscale="log", ylim=(-0.03, 1.03))
            column[-1].set_xticks([max(n, ZERO) for n in numbers], numbers)
            column[-1].minorticks_off()
        for axis in axes[:-1, 0]:
            axis.set_ylabel("accuracy")
        axes[-1][0].set_ylabel("completions without a fault")
        plots.legend(figure, axes.flat, columns=1)
        plots.state(figure, SELECTION)
    return figure


def look_of(key: tuple, looks: dict[tuple, tuple[str, str]]) -> dict:
    """How a line is drawn, and what the legend calls it."""
    colour, marker = looks[key]
    label = label_of(dict(zip(SERIES, key, strict=True)))
    return {"color": colour, "marker": marker, "ms": 5, "lw": 1.2, "label": label}


def draw_accuracy(axis: Axes, rows: pd.DataFrame, look: dict) -> None:
    """One line of one stratum, and dots for single seeds where there are several."""
    own = rows[rows.seed == POOLED].sort_values("arm_n")
    draw(axis, own.arm_n, own.official, own.official_low, own.official_high, look)
    single = rows[rows.seed != POOLED]
    single = single[single.groupby("arm").seed.transform("nunique") > 1]
    axis.scatter(single.arm_n.clip(lower=ZERO), single.official, 7, plots.GREY, zorder=3)


def draw(axis: Axes, n: pd.Series, y: pd.Series, low: pd.Series, high: pd.Series, look: dict) -> None:
    """Shares against numbers of examples, with intervals."""
    x = n.clip(lower=ZERO)
    axis.plot(x, y.to_numpy(), **look)
    axis.vlines(x, low, high, color=look["color"], lw=1, alpha=0.6)


def label_of(named: dict) -> str:
    """What the legend calls a line: what differs from the usual."""
    parts = [named["design"], f"recipe {named['recipe']}"]
    parts += [f"texts broken: {named['corruption']}"] if named["corruption"] != "none" else []
    parts += [f"selection {named['selection']}"] if named["selection"] != "all" else []
    parts += [f"written by {named['source']}"] if named["source"] else []
    parts += [f"from {named['start']}"] if named["start"] else []
    return ", ".join([*parts, named["backbone"]])
