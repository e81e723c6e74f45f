"""Why completions fail: per arm the shares of their root causes."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from measuring import plots
from measuring.pooling import POOLED
from measuring.selection import QUOTAS, Selection, quota, with_arms

NEEDS = ("tables/failures", "published", "arms")
CAPTION = """Every completion of a trained arm by its one root cause (the table ``failures`` states the rule): right,
with all lines right or in spite of a wrong one; else the first thing that goes wrong in it. One block per family and
evaluation set, one bar per arm, training seeds together; n: completions, and the rows that they answer. Right of a
bar: its largest cause of failure, with the 95 % interval clustered by row. At the bottom of ``cryptarithm_deduce``:
the published audit of r8, 100 completions by the axis on which their first false line fails; its audit held no line
to what the row hides, so ``claim`` is empty there. Causes of failure that the study names: verdict and claim (a
verdict decoupled from its evidence), loop and cut off (no carried search state), never enters and form (distribution
mismatch), output. ``no steps`` at an arm: it cannot do its single steps (table ``steps``), so it is no evidence about
its procedure."""
CHANGE = """if verdicts were what breaks a search, ``verdict`` would be the largest cause of its arms and small where
forward steps suffice; causes that are alike in both say that something else breaks them."""
SELECTION = Selection(selections=("all", "right", *QUOTAS), how="each, named at the arm")
EXAMPLE = {
    "arm": "search", "families": "cryptarithm_deduce", "design": "search", "reveal": "0", "corruption": "none",
    "selection": "all", "n": "2400", "backbone": "small", "recipe": "small", "seeds": "3",
}  # fmt: skip
LOOK = {
    "right": (plots.GREEN, ""), "right anyway": (plots.GREEN, "////"), "never enters": (plots.PINK, "////"),
    "form": (plots.PINK, ""), "transcription": (plots.BLUE, ""), "arithmetic": (plots.SKY, ""),
    "verdict": (plots.RED, ""), "claim": (plots.RED, "////"), "output": (plots.BLUE, "////"),
    "loop": (plots.BLACK, ""), "cut off": ("#5A5A5A", "...."), "gave up": ("#BDBDBD", ""), "answer": (plots.ORANGE, ""),
    "no thought": ("#E3E3E3", "////"), "not audited": ("#FFFFFF", "xxxx"),
}  # fmt: skip


def make(failures: pd.DataFrame, published: pd.DataFrame, arms: pd.DataFrame) -> Figure:
    """Blocks from top to bottom: family, evaluation set."""
    every = with_arms(failures, arms)
    ours = SELECTION.of(every[every.trained.astype(bool) & (every.stratum == POOLED)])
    if ours.empty:
        return plots.nothing("that is trained", SELECTION, EXAMPLE, arms)
    panels = plots.panels(ours, ["family", "eval_set"])
    theirs = published[published.table == "failures"]
    rows = [part.arm.nunique() + (family == "cryptarithm_deduce") for (family, _), part in panels]
    with plt.rc_context(plots.STYLE):
        heights = [0.55 + 0.32 * n for n in rows]
        figure, axes = plt.subplots(
            len(panels), 1, figsize=(11, 0.5 + sum(heights)), height_ratios=heights, sharex=True, squeeze=False
        )
        for axis, ((family, eval_set), part) in zip(axes[:, 0], panels, strict=True):
            names = []
            for arm in [each for each in arms.index if each in set(part.arm)]:
                own = part[part.arm == arm]
                row = own.iloc[0]
                bar(axis, len(names), own.set_index("cause").share)
                axis.text(1.01, len(names), worst(own), va="center", fontsize=7.5)
                names.append(
                    f"{arm} ({row.backbone}{quota(row.selection)}, n={row.n} on {row.rows}{plots.told(row.installed)})"
                )
            if family == "cryptarithm_deduce":
                bar(axis, len(names), theirs.set_index("measure").value)
                names.append(f"published audit of r8 (n={theirs.n.max():.0f})")
            axis.set_title(f"{family}, {eval_set}", loc="left")
            axis.grid(axis="y", visible=False)
            plots.named_axis(axis, names, first=True)
        axes[-1][0].set(xlim=(0, 1), xlabel="share of completions")
        plots.legend(figure, axes[:, 0], columns=5)
        plots.state(figure, SELECTION, every)
    return figure


def bar(axis: Axes, y: int, shares: pd.Series) -> None:
    """One stacked bar, the causes in the order of LOOK."""
    left = 0.0
    for cause, (colour, hatch) in LOOK.items():
        share = float(shares.get(cause, 0.0))
        if share:
            axis.barh(
                y, share, 0.68, left, color=colour, hatch=hatch, edgecolor="white", linewidth=0.5, label=cause, zorder=3
            )
            left += share


def worst(own: pd.DataFrame) -> str:
    wrong = own[~own.cause.str.startswith("right")]
    if wrong.empty:
        return ""
    row = wrong.loc[wrong.share.idxmax()]
    return f"{row.cause} {row.share:.2f} [{row.low:.2f}, {row.high:.2f}]"
