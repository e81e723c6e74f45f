"""Reinforcement: accuracy and sound lines against updates."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from measuring import plots
from measuring.selection import Selection

NEEDS = ("tables/reinforcement", "arms")
CAPTION = """Reinforcement from verifiable rewards, against the number of updates: greedy completions of the first
evaluation rows of each family at the start and at every checkpoint (n at the panel). One row of panels per family and
stratum. Left: accuracy, official grade. Middle: completions whose every line the audit finds sound. Right: mean reward
of the training rows since the checkpoint before. Bands: Wilson 95 % intervals. One line per arm and training seed; the
legend names the arm, its start and its reward. The table ``reinforcement`` has lengths, divergence and the share of
groups without a difference."""
CHANGE = """that a reward for answers teaches the procedure is contradicted by a line that rises on the left and not in
the middle: it has learned answers. That it cannot is contradicted by one that rises in both."""
SELECTION = Selection(corruption="of the start", selections=("each",), backbone="of the start")
EXAMPLE = {
    "arm": "grpo", "families": "cryptarithm_deduce", "design": "search", "reveal": "5", "corruption": "none",
    "selection": "all", "n": "400", "backbone": "small", "recipe": "grpo", "seeds": "1", "source": "",
    "start": "search-reveal-5",
}  # fmt: skip
MEASURES = (("accuracy", "accuracy"), ("valid", "completions without a fault"), ("reward", "mean reward"))


def make(reinforcement: pd.DataFrame, arms: pd.DataFrame) -> Figure:
    """Rows of panels: family and stratum."""
    if reinforcement.empty:
        return plots.nothing("that is trained by reinforcement", SELECTION, EXAMPLE, arms)
    groups = [
        (family, stratum, own[own.stratum == stratum])
        for family, own in reinforcement.groupby("family")
        for stratum in plots.ordered_strata(own.stratum)
    ]
    names = sorted(reinforcement.arm.unique())
    with plt.rc_context(plots.STYLE):
        figure, axes = plt.subplots(len(groups), 3, figsize=(11.5, 0.8 + 2.7 * len(groups)), squeeze=False, sharex=True)
        for line, (family, stratum, rows) in zip(axes, groups, strict=True):
            for axis, (name, title) in zip(line, MEASURES, strict=True):
                for (arm, _), own in rows.sort_values("update").groupby(["arm", "seed"]):
                    colour, marker = plots.nth(names.index(arm))
                    first = own.iloc[0]
                    label = f"{arm} from {first.start}, reward {first.reward_kind}"
                    axis.plot(own["update"], own[name], marker=marker, ms=4, color=colour, lw=1.2, label=label)
                    if name != "reward":
                        axis.fill_between(
                            own["update"], own[f"{name}_low"], own[f"{name}_high"], color=colour, alpha=0.12, lw=0
                        )
                axis.set(title=title, xlabel="updates", ylim=(-0.03, 1.03))
            line[0].set_ylabel(f"{family}\n{stratum} rows, n = {int(rows.n.max())}")
        plots.legend(figure, axes.flat, columns=2)
        plots.state(figure, SELECTION)
    return figure
