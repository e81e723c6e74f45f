"""From one example to many: accuracy against the number of training examples, in the weights and in the prompt."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from measuring import plots
from measuring.pooling import POOLED
from measuring.selection import Selection, with_corpora

NEEDS = ("tables/accuracy", "tables/traces", "arms")
CAPTION = """Accuracy (official grade, upper row) and the share of completions whose every line is sound (lower row)
against the number of examples, on a logarithmic axis; one column of panels per family and evaluation set. One line per
design, corruption, selection, source, start, backbone and recipe that has at least two numbers of examples under one
recipe, with Wilson 95 % intervals for n rows; small grey dots: the single seeds, each with the same examples and its
own initial adapter. Recipe in-context: the examples stand in the prompt and nothing is trained; its 0 stands at the
left edge. Single marks: other selections and sources at a number of examples that a line has."""
CHANGE = """if few examples elicit what the backbone can do, accuracy is near its final value at n = 20 and the arm
trained on swapped texts is as good; if they teach, it rises with n and the swapped arm stays at the bottom."""
SELECTION = Selection(corruption="each", selections=("each",), backbone="each, in the legend")
EXAMPLE = {
    "arm": "few-20", "families": "cryptarithm_deduce", "design": "journey", "reveal": "0", "corruption": "none",
    "selection": "all", "n": "20", "backbone": "small", "recipe": "few", "seeds": "3",
}  # fmt: skip
SERIES = ["family", "eval_set", "design", "shown", "corruption", "selection", "source", "start", "backbone", "recipe"]
BESIDE = ["family", "eval_set", "design", "shown", "start", "backbone", "recipe", "arm_n"]
"""Single marks stand beside a line of the same ones."""
ZERO = 0.4  # where no example stands on the logarithmic axis


def make(accuracy: pd.DataFrame, traces: pd.DataFrame, arms: pd.DataFrame) -> Figure:
    """Columns of panels: family and evaluation set; two rows."""
    ours = accuracy[(accuracy.decoder == SELECTION.decoder) & (accuracy.stratum == POOLED)].copy()
    ours = with_corpora(ours, arms)
    pooled = ours[ours.seed == POOLED]
    is_line = pooled.groupby(SERIES).arm_n.transform("nunique") > 1
    trained = pooled[is_line & pooled.trained.astype(bool)]
    beside = pooled[BESIDE].merge(trained[BESIDE].drop_duplicates(), how="left", indicator=True)._merge == "both"
    shown = pooled[is_line | beside.to_numpy()]
    if trained.empty:
        return plots.nothing("with two numbers of examples under one recipe", SELECTION, EXAMPLE, arms)
    valid = traces.set_index(["arm", "family", "eval_set", "decoder"])
    columns = list(shown.groupby(["family", "eval_set"]))
    series = {key: i for i, key in enumerate(dict.fromkeys(map(tuple, shown[SERIES[2:]].to_numpy())))}
    with plt.rc_context(plots.STYLE):
        figure, axes = plt.subplots(2, len(columns), figsize=(5.2 * len(columns), 6.4), squeeze=False, sharex="col")
        for column, ((family, eval_set), rows) in zip(axes.T, columns, strict=True):
            for key, own in rows.groupby(SERIES[2:]):
                own = own.sort_values("arm_n")
                colour, marker = plots.CYCLE[series[key] % len(plots.CYCLE)]
                style = ("-", "--", ":")[series[key] // len(plots.CYCLE) % 3]
                x, named = own.arm_n.clip(lower=ZERO), dict(zip(SERIES[2:], key, strict=True))
                look = {"color": colour, "marker": marker, "ls": style, "ms": 5, "lw": 1.2, "label": label(named)}
                column[0].plot(x, own.official, **look)
                column[0].vlines(x, own.official_low, own.official_high, color=colour, lw=1, alpha=0.6)
                single = ours[(ours.seed != POOLED) & ours.arm.isin(own.arm) & (ours.family == family)]
                single = single[single.eval_set == eval_set]
                single = single[single.groupby("arm").seed.transform("nunique") > 1]
                column[0].scatter(single.arm_n.clip(lower=ZERO), single.official, 7, plots.GREY, zorder=3)
                lines = valid.loc[[(arm, family, eval_set, SELECTION.decoder) for arm in own.arm]]
                column[1].plot(x, lines.valid.to_numpy(), **look)
                column[1].vlines(x, lines.valid_low, lines.valid_high, color=colour, lw=1, alpha=0.6)
            column[0].set(title=f"{family}, {eval_set}, n = {int(rows.n.max())} rows", xscale="log", ylim=(-0.03, 1.03))
            column[1].set(xlabel="training examples", ylim=(-0.03, 1.03))
            numbers = sorted(set(rows.arm_n))
            column[1].set_xticks([max(n, ZERO) for n in numbers], numbers)
            column[1].minorticks_off()
        axes[0][0].set_ylabel("accuracy")
        axes[1][0].set_ylabel("completions without a fault")
        plots.legend(figure, axes.flat, columns=1)
        plots.state(figure, SELECTION)
    return figure


def label(named: dict) -> str:
    """What the legend calls a line: what differs from the usual."""
    parts = [named["design"], f"recipe {named['recipe']}"]
    parts += [f"reveal {named['shown']}"] if named["shown"] != "0" else []
    parts += [f"texts broken: {named['corruption']}"] if named["corruption"] != "none" else []
    parts += [f"selection {named['selection']}"] if named["selection"] != "all" else []
    parts += [f"written by {named['source']}"] if named["source"] else []
    parts += [f"from {named['start']}"] if named["start"] else []
    return ", ".join([*parts, named["backbone"]])
