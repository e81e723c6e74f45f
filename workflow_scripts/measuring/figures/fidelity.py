"""Are verdicts conclusions or tokens? The witnessed designs, alike but for the outcomes that training shows."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from common.config import IN_CONTEXT
from measuring import plots
from measuring.selection import Selection
from reasoning.judging.audit import AXES

NEEDS = ("tables/kinds", "published", "arms")
CAPTION = """Verdict-as-token. On top, a mark for every kind of line with at least 20 verdicts of every trained arm,
and up the share of these verdicts that are right. Left: against what training's most frequent outcome would get
right; middle: against what one feature of the line would (both: lines whose transcription and arithmetic are right);
right: against the share of its lines whose arithmetic is right. Filled: training showed the kind with several
outcomes, hollow: with one. On the diagonal of the first two a verdict is a token; with one outcome it cannot be told
from one. Rows of panels below: the tests of the witnessed designs, one row per test, transcription, arithmetic and
verdict (against the line's own numbers). The tests of ``witness`` (the study's r8) can only end in one way, those of
``witness-balanced`` stand with both outcomes in training, those of ``witness-onesided`` have both, but each opener
has one. Under a test: the outcomes that training showed, and how often. 95 % intervals clustered by row, seeds
together; n: lines with a verdict, and the rows on which they stand. Hollow squares: the published audit of r8 on 100
rows (its onesenum, range, 2mode and modekill lines), intervals as if its lines were independent. A stroke through a
mark: the arm cannot do its single steps (table ``steps``), so it is no evidence about its procedure."""
CHANGE = """if verdicts are tokens, the verdicts of ``witness-balanced`` lie on the diagonal and near those of
``witness``; well above the diagonal with both outcomes in training, they are conclusions, and the study measured its
grammar."""
SELECTION = Selection(selections=("all", "right", "ends-55-30-15"))
EXAMPLE = {
    "arm": "witness", "families": "cryptarithm_deduce", "design": "witness", "reveal": "0", "corruption": "none",
    "selection": "ends-55-30-15", "n": "2400", "backbone": "small", "recipe": "small", "seeds": "3",
}  # fmt: skip
LEAST = 20
GROUP = ("witness", "witness-onesided", "witness-balanced")
OPENERS = ("not", "may", "try")
"""The openers of their tests; what stands after it names the test."""
SCATTERS = (
    ("top", "given", "right by training's most frequent outcome"),
    ("stump", "given", "right by one feature of the line"),
    ("arithmetic", "verdict", "arithmetic right"),
)
"""Across, up, and the words for across."""
STUDY = {"kill/onesenum": "ones", "kill/range": "range", "kill/2mode": "both", "kill/modekill": "mode"}


def make(kinds: pd.DataFrame, published: pd.DataFrame, arms: pd.DataFrame) -> Figure:
    """The scatter of all kinds on top, then rows of panels: family, evaluation set, backbone."""
    told = arms[["corruption", "selection", "backbone", "recipe", "reveal"]].rename(columns={"reveal": "shown"})
    every = kinds.join(told, on="arm")
    ours = SELECTION.of(every[every.recipe != IN_CONTEXT])
    ours = ours[(ours.declared != "") & (ours.verdict_n > 0)]
    if not (ours.given_n >= LEAST).any():
        what = f"that is trained and wrote {LEAST} verdicts of one kind"
        return plots.nothing(what, SELECTION, EXAMPLE, arms)
    head = ours.kind.str.partition("/")
    tests = ours[head[0].isin(OPENERS) & ours.design.isin(GROUP)]
    tests = tests.assign(test=head[2][tests.index])
    panels = list(tests.groupby(["family", "eval_set", "backbone", "shown"]))
    theirs = (
        published[published.table == "fidelity"].assign(test=lambda rows: rows.row.map(STUDY)).dropna(subset="test")
    )
    names = [sorted({*part.test, *theirs.test}) for _, part in panels]
    with plt.rc_context(plots.STYLE):
        heights = [3.6] + [0.8 + 0.62 * len(each) for each in names]
        figure = plt.figure(figsize=(13, sum(heights) + 0.6))
        grid = figure.add_gridspec(len(heights), 3, height_ratios=heights)
        points = ours[ours.given_n >= LEAST]
        for k, (across, up, words) in enumerate(SCATTERS):
            axis = figure.add_subplot(grid[0, k])
            scatter(axis, points.dropna(subset=[across, up]), ours, across, up, words)
            if across == "arithmetic":
                draw_study(axis, published[published.table == "fidelity"])
        for i, (((family, eval_set, backbone, shown), part), own) in enumerate(zip(panels, names, strict=True), 1):
            for k, name in enumerate(AXES):
                axis = figure.add_subplot(grid[i, k])
                draw(axis, part, own, name, plots.design_order(ours))
                draw_published(axis, theirs[theirs.measure == name], own)
                axis.set(title=name, xlim=(-0.03, 1.03))
                axis.set_xlabel("share of lines that are right" if i == len(panels) else "")
                plots.named_axis(axis, [label(part, test) for test in own], first=k == 0)
                axis.tick_params(axis="y", labelsize=7)
                if k == 0:
                    axis.set_ylabel(f"{family}, {eval_set}\n{backbone}, reveal {shown}")
        plots.legend(figure, figure.axes, columns=4)
        notes = [f"Of {' and '.join(missing)} there is no arm." for missing in [absent(tests)] if missing]
        plots.state(figure, SELECTION, every, *notes)
    return figure


def scatter(axis: Axes, points: pd.DataFrame, ours: pd.DataFrame, across: str, up: str, words: str) -> None:
    """One mark per arm and kind: a share of its lines against another one."""
    axis.plot([0, 1], [0, 1], color=plots.GREY, lw=0.9, ls="--", label="both alike", zorder=1)
    order = plots.design_order(ours)
    for design, own in points.groupby("design"):
        colour, marker = plots.nth(order.index(design))
        for fixed, part in own.groupby(own.fixed.astype(bool)):
            fill = "none" if fixed else colour
            plots.strike(axis, part, part[across], part[up])
            axis.vlines(part[across], part[f"{up}_low"], part[f"{up}_high"], color=colour, lw=0.7, alpha=0.5)
            axis.plot(
                part[across], part[up], marker, mfc=fill, mec=colour, ms=5, ls="", label=f"design {design}", zorder=4
            )
    axis.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), xlabel=words, ylabel="verdict right")
    axis.set_title(f"{len(points)} kinds of line, n at least {LEAST} verdicts each")


def draw_study(axis: Axes, theirs: pd.DataFrame) -> None:
    """The kinds of the published audit, verdict against arithmetic."""
    wide = theirs.pivot(index="row", columns="measure", values="value")
    axis.plot(
        wide.arithmetic, wide.verdict, "s", mfc="white", mec=plots.GREY, ms=5, ls="", label="published r8", zorder=3
    )


def draw(axis: Axes, part: pd.DataFrame, tests: list[str], name: str, order: list[str]) -> None:
    """One axis of the audit: per test a mark for every arm that wrote it; the first arm of a design looks as above."""
    arms = sorted(part.arm.unique(), key=lambda arm: (GROUP.index(design(part, arm)), arm))
    firsts = set(part.drop_duplicates("arm").sort_values("arm").drop_duplicates("design").arm)
    for k, arm in enumerate(arms):
        colour, marker = plots.nth(order.index(design(part, arm)) if arm in firsts else len(order) + k)
        own = part[(part.arm == arm) & (part[f"{name}_n"] > 0)]
        for opener, rows in own.groupby(own.kind.str.partition("/")[0]):
            for _, row in rows.iterrows():
                at = tests.index(row.test) + 0.6 * ((k + 0.5) / (len(arms) + 1) - 0.5) + 0.06 * (opener == "may")
                said = f"design {row.design}" + f" ({arm})" * (arm not in firsts)
                plots.intervals(axis, row.to_frame().T, at, colour, marker, said, name)
                plots.strike(axis, row.to_frame().T, [row[name]], [at])


def design(part: pd.DataFrame, arm: str) -> str:
    return part[part.arm == arm].design.iloc[0]


def draw_published(axis: Axes, theirs: pd.DataFrame, tests: list[str]) -> None:
    for _, row in theirs.iterrows():
        plots.published_point(axis, row, tests.index(row.test) + 0.28, "s", "published r8", horizontal=True)


def label(part: pd.DataFrame, test: str) -> str:
    """A test, and for every kind of it the verdicts that were judged and the outcomes that training showed."""
    rows = part[part.test == test].drop_duplicates(["arm", "kind"])
    said = [
        f"{r.kind} n={r.verdict_n} on {r.rows}, trained {r.trained.replace(':', ' ') or 'never'}"
        for r in rows.itertuples()
    ]
    return "\n".join([test, *list(dict.fromkeys(said))[:3]])


def absent(tests: pd.DataFrame) -> list[str]:
    return [name for name in ("witness", "witness-balanced") if name not in set(tests.design)]
