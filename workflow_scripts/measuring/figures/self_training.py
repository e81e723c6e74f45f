"""Rounds of self-training: accuracy and sound lines, round by round, beside the control of each round."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from measuring import plots
from measuring.selection import Selection

NEEDS = ("tables/self_training", "published", "arms")
CAPTION = """Self-training, one row of panels per family, evaluation set and seed model. Left and middle: accuracy
(official grade) of the evaluation rows of each stratum, and the share of their completions whose every line is sound,
with 95 % intervals (Wilson for n rows; clustered by row). Round 0 is the seed model itself. Filled, joined to the arm
that they sampled: arms that learn from its completions; hollow: arms that learn from the solver's texts of the same
rows (the control has as many of them); under the panel, the arms of each round with the tokens that training took.
Right: what each round learned from: the share of its own examples whose every line is sound, with their number, and
completions kept of those sampled. Grey: the published rounds on bit manipulation; the released evaluations have the
seed model's score and a third round, which the paper leaves out."""
CHANGE = """if self-training installed the procedure, filled marks would rise over rounds above the hollow ones in both
the left and the middle panel."""
SELECTION = Selection(corruption="each", selections=("each",), backbone="the seed model's")
EXAMPLE = {
    "arm": "round-1", "families": "cryptarithm_deduce", "design": "search", "reveal": "0", "corruption": "none",
    "selection": "all", "n": "200", "backbone": "small", "recipe": "star", "seeds": "1", "source": "search",
    "start": "search",
}  # fmt: skip
THEIRS = (
    (0, 0.15, "seed", "D", "published seed model"), (0, 0.25, "baseline", "s", "published, another grammar"),
    (1, 0.15, "round1", "o", "published"), (2, 0.15, "round2", "o", "published"),
    (3, 0.15, "round3", "X", "published, left out"),
)  # fmt: skip
"""Round, where beside it, the row of the published numbers, marker, label."""
OWN, STRATA = 0.5, ("o", "s", "^", "D", "v", "P")


def make(self_training: pd.DataFrame, published: pd.DataFrame, arms: pd.DataFrame) -> Figure:
    """Rows of panels: family, evaluation set, design."""
    if self_training.empty:
        return plots.nothing("that learns from another arm's completions", SELECTION, EXAMPLE, arms)
    groups = list(self_training.groupby(["family", "eval_set", "seed_model"]))
    with plt.rc_context(plots.STYLE):
        figure, axes = plt.subplots(len(groups), 3, figsize=(11.5, 0.8 + 3.3 * len(groups)), squeeze=False)
        for line, ((family, eval_set, seed), rows) in zip(axes, groups, strict=True):
            draw(line[0], rows, "accuracy")
            draw(line[1], rows, "valid_lines")
            harvest(line[2], rows)
            if family == "bit_manipulation":
                draw_published(line[0], published)
            line[0].set(title=f"{family}, {eval_set}, from {seed}", ylabel="accuracy")
            line[1].set(title="completions without a fault", ylabel="share")
            line[2].set(title="what the round learned from", ylabel="share")
            theirs = {number for number, *_ in THEIRS} if family == "bit_manipulation" else set()
            for axis, rounds in zip(line, ({*rows["round"], *theirs}, {*rows["round"]}, {*rows["round"]}), strict=True):
                axis.set(xlabel="round", ylim=(-0.03, 1.03), xticks=sorted(rounds), xlim=(-0.75, max(rounds) + 0.35))
            line[0].set_xlabel(f"round\n{named(rows)}", fontsize=7)
        plots.legend(figure, axes.flat, columns=4)
        plots.state(figure, SELECTION)
    return figure


def named(rows: pd.DataFrame) -> str:
    """The arms of every round, and the tokens that each was trained on."""
    arms = rows.drop_duplicates("arm")
    names = arms.arm + " " + (arms.tokens / 1000).round().astype(int).astype(str) + "k"
    return "\n".join(f"{number}: {', '.join(own)}" for number, own in names.groupby(arms["round"]))


def draw(axis: Axes, rows: pd.DataFrame, name: str) -> None:
    """A measure of the evaluation rows against rounds, each stratum with its colour."""
    for i, stratum in enumerate(plots.ordered_strata(rows.stratum)):
        colour, _ = plots.CYCLE[i % len(plots.CYCLE)]
        own = rows[rows.stratum == stratum].sort_values("round")
        shift = 0.06 * (i - 1)
        place = {row.arm: (row["round"] + shift, row[name]) for _, row in own.iterrows()}
        filled = own[(own["round"] == 0) | (own.own > OWN)]
        for _, row in filled[filled["round"] > 0].iterrows():
            axis.plot(*zip(place[row.source], place[row.arm], strict=True), color=colour, lw=1.2)
        look = {"marker": STRATA[i % 6], "mec": colour, "ls": "none"}
        axis.plot(
            filled["round"] + shift, filled[name], mfc=colour, label=f"{stratum} rows, n = {int(own.n.max())}", **look
        )
        other = own[~own.arm.isin(filled.arm)]
        axis.plot(
            other["round"] + shift + 0.03, other[name], mfc="white", label=f"{stratum} rows, solver's texts", **look
        )
        axis.vlines(own["round"] + shift, own[f"{name}_low"], own[f"{name}_high"], color=colour, lw=1, alpha=0.6)


def harvest(axis: Axes, rows: pd.DataFrame) -> None:
    """The yield and the soundness of each round's examples."""
    own = rows[(rows.stratum == "all") & (rows.own > OWN)].sort_values("round")
    axis.plot(own["round"], own.valid, "o-", color=plots.GREEN, label="sound among its own examples")
    axis.plot(own["round"], own.harvested / own.sampled, "s--", color=plots.ORANGE, label="kept of those sampled")
    for _, row in own.iterrows():
        axis.annotate(f"{row.examples:.0f}", (row["round"], row.valid), fontsize=7, xytext=(3, 4),
                      textcoords="offset points")  # fmt: skip


def draw_published(axis: Axes, published: pd.DataFrame) -> None:
    """The study's rounds; it leaves out the third, which collapsed, and compares with a run of another grammar."""
    own = published[published.table == "bit_star"].set_index("row")
    for number, shift, name, marker, label in THEIRS:
        plots.published_point(axis, own.loc[name], number + shift, marker, label, horizontal=False)
