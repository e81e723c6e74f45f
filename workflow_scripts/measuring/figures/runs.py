"""The ledger as a picture: one line per arm, lowest final loss first, and on it one mark per training seed."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from measuring import plots
from measuring.selection import Selection

NEEDS = ("tables/runs", "arms")
CAPTION = """The ledger: one line per arm, those with the lowest final loss on top; one mark per training seed,
coloured by backbone. Tokens: read in all epochs, prompts included. Time: spent in optimiser steps, start and
checkpoints left out. Peak memory: of the first rank. Final loss: mean over the last tenth of the steps, per learned
token. Accuracy: official grade on the test rows, pooled over the arm's families, all rows and by stratum; bars: the
arm's ceiling, the share of all these rows on which its own rendered text boxes the right answer; a stroke through
the mark of all rows: the arm cannot do its single steps (table ``steps``), so it is no evidence about its
procedure. n at the arm: training rows per family. The table ``runs`` has the numbers, with the probability of the
trace's first token under the backbone (native_voice) and the accuracy of the auxiliary task where an arm has one
(hint_accuracy). Every corruption, selection and backbone is shown, an arm has one of each."""
CHANGE = """if a low loss meant a learned procedure, the marks of all rows would lie at their bars on top and fall
away from them downwards; arms without a stroke far from their bars on top say that it does not."""
SELECTION = Selection(corruption="each", selections=("each",), how="each, by colour")
EXAMPLE = {
    "arm": "answer-only", "families": "numeral", "design": "forward", "reveal": "0", "corruption": "none",
    "selection": "all", "n": "500", "backbone": "small", "recipe": "small", "seeds": "1",
}  # fmt: skip
LEDGER = (
    ("tokens", "tokens trained on", 1e-6, "million tokens"), ("minutes", "time in steps", 1, "minutes"),
    ("tokens_per_s", "speed", 1e-3, "thousand tokens/s"), ("peak_memory_mb", "peak memory", 1 / 1024, "GiB"),
    ("loss", "final loss", 1, "nats per learned token"),
)  # fmt: skip


def make(runs: pd.DataFrame, arms: pd.DataFrame) -> Figure:
    """The columns of LEDGER, then the accuracies."""
    ledger = runs[runs.decoder == SELECTION.decoder]
    if ledger.empty:
        return plots.nothing("that is trained", SELECTION, EXAMPLE, arms)
    names = list(ledger.groupby("arm").loss.mean().sort_values(kind="stable").index)
    labels = [f"{arm} (n={arms.at[arm, 'n']})" for arm in names]
    strata = [column for column in ledger if column.startswith("official")]
    colours = {name: plots.CYCLE[i % len(plots.CYCLE)] for i, name in enumerate(sorted(ledger.backbone.unique()))}
    with plt.rc_context(plots.STYLE):
        figure, axes = plt.subplots(
            1, len(LEDGER) + 1, figsize=(13.5, 1.3 + 0.3 * len(names)), sharey=True, width_ratios=[1] * 5 + [1.6]
        )
        for axis, (column, title, scale, unit) in zip(axes, LEDGER, strict=False):
            for name, own in ledger.groupby("backbone"):
                (colour, marker), heights = colours[name], own.arm.map(names.index)
                axis.plot(
                    own[column] * scale, heights, marker, color=colour, ms=5, alpha=0.75, label=f"backbone {name}"
                )
            axis.set(title=title, xlabel=unit)
            axis.update_datalim([(0, 0)], updatey=False)
            axis.set_xlim(left=0)
        apart = [column for column in strata if column != "official"]
        most = max(1, (len(apart) - 1) // 2)  # steps away from the arm's own height, all nearer than the next arm's
        shifts = {"official": 0.0} | {c: (-1) ** i * (0.28 + 0.14 * (i // 2) / most) for i, c in enumerate(apart)}
        for i, column in enumerate(strata):
            marker, fill = ("o", "s", "^", "D", "v", "P", "X")[i % 7], plots.BLACK if column == "official" else "white"
            label = f"accuracy, {column.removeprefix('official').strip() or 'all'} rows"
            heights = ledger.arm.map(names.index) + shifts[column]
            axes[-1].plot(ledger[column], heights, marker, mec=plots.BLACK, mfc=fill, ms=4.5, alpha=0.8, label=label)
        best = ledger.groupby("arm", as_index=False).ceiling.first()
        axes[-1].plot(
            best.ceiling, best.arm.map(names.index), "|", color=plots.BLUE, ms=13, mew=1.8, label=plots.CEILING
        )
        plots.strike(axes[-1], ledger, ledger.official, ledger.arm.map(names.index))
        axes[-1].set(title="accuracy on the test rows", xlabel="official grade", xlim=(-0.03, 1.03))
        plots.named_axis(axes[0], labels, first=True)
        plots.legend(figure, axes, columns=4)
        plots.state(figure, SELECTION)
    return figure
