"""Per family and stratum: the exact solver, what a forward closure derives, every arm that is shown no key."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from measuring import plots
from measuring.inputs import ORDER
from measuring.pooling import POOLED
from measuring.selection import Selection, by_backbone

NEEDS = ("tables/accuracy", "tables/solvers", "published", "arms")
CAPTION = """Accuracy on the evaluation rows, per family and, where a family has them, per stratum (grey labels).
Black squares: the exact solver, which sees the prompt only. Orange marks: the share of rows whose answer forward
steps alone derive, one mark per stated set of steps (``forward trace``: the family's forward design reaches the
answer; for cryptarithms ``units``: units columns and all-different, ``compute``: with bounds and results of known
operands, ``full``: every consequence of each single equation; ``given``: reading order and rules are known,
``open``: neither). Coloured marks: every trained arm to which no digit of the key is shown, official grade, mean
over its training seeds; n in the legend: its training rows per family. Coloured bars: the arm's ceiling, the share
of the same rows on which its own rendered text boxes the right answer; a stroke through a mark: the arm cannot do
its single steps (table ``steps``), so it is no evidence about its procedure. Filled grey marks: arms without training,
the backbone alone (``base``) and the most frequent training answer of the family (``most-frequent``). Hollow marks:
the numbers of arXiv:2606.21884 and of entrants of the challenge, on their own rows; the legend says whether these
were held out of their training.

Lines are Wilson 95 % intervals for n different rows; several seeds on the same rows do not make them narrower. n
stands on the right. What is shown, and what is left out, stands above."""
CHANGE = """that a model reaches what forward steps derive and no more is contradicted by a model mark whose interval
lies right of all orange marks of its row; or by one without a stroke whose interval lies left of the forward trace's
mark and of its own ceiling."""
SELECTION = Selection()
EXAMPLE = {
    "arm": "forward-mix", "families": "numeral,cipher", "design": "forward", "reveal": "0", "corruption": "none",
    "selection": "all", "n": "500", "backbone": "small", "recipe": "small", "seeds": "1",
}  # fmt: skip
PUBLISHED = (
    ("master", "solver", "s"),
    ("master", "model", "o"),
    ("master", "base", "v"),
    ("first_place", "model", "D"),
)


def make(accuracy: pd.DataFrame, solvers: pd.DataFrame, published: pd.DataFrame, arms: pd.DataFrame) -> Figure:
    """One panel per evaluation set and backbone."""
    ours = plots.unaided(SELECTION.of(accuracy))
    ours = ours[ours.seed == POOLED]
    keys = [
        (f, s)
        for f in ORDER
        if f in set(solvers.family)
        for s in plots.ordered_strata(solvers[solvers.family == f].stratum)
    ]
    panels = [
        (eval_set, backbone, frame)
        for eval_set in sorted(solvers.eval_set.unique(), reverse=True)
        for backbone, frame in by_backbone(ours)
    ]
    most = ours.groupby(["family", "stratum", "eval_set", "backbone"]).size().max() if len(ours) else 0
    with plt.rc_context(plots.STYLE):
        figure, axes = plt.subplots(
            1, len(panels), figsize=(2.6 + 4.4 * len(panels), 1.9 + (0.36 + 0.03 * most) * len(keys)), sharey=True,
            squeeze=False,
        )  # fmt: skip
        for axis, (eval_set, backbone, frame) in zip(axes[0], panels, strict=True):
            draw(axis, keys, solvers[solvers.eval_set == eval_set], frame[frame.eval_set == eval_set], published)
            axis.set(xlim=(-0.03, 1.03), xlabel="accuracy")
            axis.set_title(f"evaluation set: {eval_set}" + (f", backbone {backbone}" if backbone else ""))
        axes[0][0].set_yticks(range(len(keys)), [f if s == POOLED else s for f, s in keys])
        axes[0][0].set_ylim(len(keys) - 0.4, -0.6)
        for label, (_, stratum) in zip(axes[0][0].get_yticklabels(), keys, strict=True):
            label.set_color(plots.BLACK if stratum == POOLED else plots.GREY)
        plots.legend(figure, axes[0], columns=2)
        notes = []
        if not ours.trained.any():
            row = " ".join(f"{name} {value}" for name, value in EXAMPLE.items())
            notes.append(f"No trained arm to show: none without digits shown. Such a row of the table of arms: {row}.")
        plots.state(figure, SELECTION, accuracy, *notes)
    return figure


def draw(axis: Axes, keys: list, solvers: pd.DataFrame, ours: pd.DataFrame, published: pd.DataFrame) -> None:
    """One panel, the families and strata from top to bottom."""
    solvers = solvers.assign(measure=solvers.measure.str.removesuffix("@0"))
    names = [plots.CLOSURE + name for name in plots.DRAWN if plots.CLOSURE + name in set(solvers.measure)]
    for y, (family, stratum) in enumerate(keys):
        solved = solvers.query("family == @family and stratum == @stratum")
        exact = solved[solved.measure == "official"]
        plots.intervals(axis, exact, y - 0.2, plots.BLACK, "s", "exact solver", "value")
        for i, name in enumerate(names):
            share = solved[solved.measure == name]
            marker = ("|", "1", "2", "3", "4", "+", "x")[i % 7]
            label = f"forward-derivable: {name.removeprefix(plots.CLOSURE)}"
            axis.scatter(share.value, [y - 0.36] * len(share), 50, plots.ORANGE, marker=marker, label=label, zorder=4)
        own = ours.query("family == @family and stratum == @stratum").sort_values("arm")
        for i, (_, arm) in enumerate(own.iterrows()):
            colour, marker = plots.look(ours, arm.arm)
            height = y - 0.05 + 0.36 * (i + 1) / (len(own) + 1)
            plots.intervals(axis, arm.to_frame().T, height, colour, marker, plots.name_of(ours, arm.arm), "official")
            if arm.trained:
                plots.ceiling(axis, arm.to_frame().T, height, colour)
                plots.strike(axis, arm.to_frame().T, [arm.official], [height])
        if stratum == POOLED:
            draw_published(axis, published, family, y)
        axis.text(
            1.03, y, f"n={int(exact.n.iloc[0])}" if len(exact) else "", va="center", fontsize=7.5, color=plots.GREY
        )


def draw_published(axis: Axes, published: pd.DataFrame, family: str, y: float) -> None:
    """The study's solver, model and base accuracy of a family, and what entrants' models reach."""
    rows = published[(published.row == family)].dropna(subset="value")
    for table, measure, marker in PUBLISHED:
        for _, row in rows[(rows.table == table) & (rows.measure == measure)].iterrows():
            who = "published" if table == "master" else "first place (held out: no)"
            plots.published_point(axis, row, y + 0.36, marker, f"{who}: {measure}", horizontal=True)
    for _, row in rows[rows.table == "entrants"].iterrows():
        label = f"an entrant's model, held out: {'not said' if pd.isna(row.held_out) else row.held_out}"
        marker = {"yes": "P", "no": "X"}.get(row.held_out, "*")
        plots.published_point(axis, row, y + 0.44, marker, label, horizontal=True)
