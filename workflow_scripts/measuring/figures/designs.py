"""Families with a key, none of it shown: accuracy per design and stratum, the published designs underneath."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from measuring import plots
from measuring.inputs import has_key
from measuring.pooling import POOLED
from measuring.selection import QUOTAS, Selection, by_backbone, quota

NEEDS = ("tables/accuracy", "tables/paired", "published", "arms")
CAPTION = """Cryptarithms, no digit of the key shown: accuracy (official grade) per design of the chain of thought,
one row of panels per family, evaluation set and backbone. Left to right: rows whose answer is the operands joined,
rows whose answer is a number, all rows. Coloured marks: mean over training seeds with Wilson 95 % intervals for n
different rows (n at the arm: its training rows); small grey dots: the single seeds; bars: the arm's ceiling, the
share of the same rows on which its own rendered text boxes the right answer; crosses: the share of rows on which
that text gives up and the model does so too; a stroke through a mark: the arm cannot do its single steps (table
``steps``), so it is no evidence about its procedure. Hollow marks, at the bottom: the published designs on the
study's 100 rows (7 join, 93 value), intervals computed from these counts, and what entrants of the challenge
report, on rows of their own. The p value above a panel is the smallest of all pairs of designs in it (sign-flip
test of the rows, each counted once over the seeds, Holm's adjustment).

Join rows need no digits. Only the column of value rows says whether a design taught the search."""
CHANGE = """a design whose interval on value rows lies above that of answer-only, with every seed and with as many
valid completions (table ``traces``), shows that its search was learned; that it cannot be is supported only by marks
without a stroke that stay at answer-only's while their ceiling lies above it."""
SELECTION = Selection(selections=("all", "right", *QUOTAS))
EXAMPLE = {
    "arm": "search", "families": "cryptarithm_deduce", "design": "search", "reveal": "0", "corruption": "none",
    "selection": "all", "n": "2400", "backbone": "small", "recipe": "small", "seeds": "3",
}  # fmt: skip


def make(accuracy: pd.DataFrame, paired: pd.DataFrame, published: pd.DataFrame, arms: pd.DataFrame) -> Figure:
    """Rows of panels: family, evaluation set, backbone; columns: strata."""
    ours = plots.unaided(SELECTION.of(accuracy))
    ours = ours[ours.family.map(has_key).astype(bool)]
    if ours.empty:
        return plots.nothing("of a family with a key to which no digit is shown", SELECTION, EXAMPLE, arms)
    strata = [*plots.ordered_strata(ours.stratum)[1:], POOLED]
    groups = sorted(set(zip(ours.family, ours.eval_set, strict=True)), key=lambda g: (g[0], g[1] != "test"))
    panels = [
        (family, eval_set, backbone, part)
        for family, eval_set in groups
        for backbone, part in by_backbone(ours[(ours.family == family) & (ours.eval_set == eval_set)])
    ]
    order = plots.design_order(ours)
    theirs = published[(published.table == "designs") & (published.measure == "deduce")]
    theirs = pd.concat([theirs, entrants(published)])
    names = sorted(theirs.row.unique(), key=lambda name: (len(name) > 3, int(name[1:]) if len(name) < 4 else 0))
    with plt.rc_context(plots.STYLE):
        heights = [0.8 + 0.38 * part.arm.nunique() for *_, part in panels] + [0.6 + 0.2 * len(names)]
        figure, axes = plt.subplots(
            len(panels) + 1, len(strata), figsize=(3.2 * len(strata) + 3.5, 0.9 + sum(heights)), height_ratios=heights,
            sharex=True, squeeze=False,
        )  # fmt: skip
        for line, (family, eval_set, backbone, part) in zip(axes, panels, strict=False):
            arms_here = sorted(part.arm.unique(), key=lambda arm: (order.index(plots.design_of(part, arm)), arm))
            for axis, stratum in zip(line, strata, strict=True):
                panel = part[part.stratum == stratum]
                for y, arm in enumerate(arms_here):
                    own = panel[panel.arm == arm]
                    pooled, seeds = own[own.seed == POOLED], own[own.seed != POOLED]
                    colour, marker = plots.look(ours, arm)
                    plots.intervals(axis, pooled, y, colour, marker, "", "official")
                    trained = pooled[pooled.trained.astype(bool)]
                    plots.ceiling(axis, trained, y, colour, abstention=True)
                    plots.strike(axis, trained, trained.official, [y] * len(trained))
                    axis.scatter(
                        seeds.official, [y + 0.25] * len(seeds), 12, plots.GREY, label="one training seed", zorder=3
                    )
                n = panel.n.max() if len(panel) else 0
                axis.set_title(f"{stratum} rows, n = {n}" + best_p(paired, arms_here, family, eval_set, stratum))
                labels = [label_of(part[part.arm == arm].iloc[0]) for arm in arms_here]
                plots.named_axis(axis, labels, first=stratum == strata[0])
            line[0].set_ylabel("\n".join(filter(None, (family, f"({eval_set})", backbone))))
        for axis, stratum in zip(axes[-1], strata, strict=True):
            panel = theirs[theirs.stratum == stratum].set_index("row")
            for y, name in enumerate(names):
                if name in panel.index:
                    marker, label = ("o", "published design") if len(name) < 4 else ("P", "an entrant, on its own rows")
                    plots.published_point(axis, panel.loc[name], y, marker, label, horizontal=True)
            n = panel.n[panel.index.str.len() < 4].max()
            axis.set(title=f"published, {stratum} rows, n = {'?' if pd.isna(n) else int(n)}", xlabel="accuracy")
            plots.named_axis(axis, names, first=stratum == strata[0])
        axes[0][0].set_xlim(-0.03, 1.03)
        plots.legend(figure, axes.flat, columns=3)
        plots.state(figure, SELECTION, accuracy)
    return figure


def entrants(published: pd.DataFrame) -> pd.DataFrame:
    """What entrants report of cryptarithms, named by design, n and whether the rows were held out."""
    rows = published[(published.table == "entrants") & published.row.str.startswith("cryptarithm")]
    names = [f"{r.measure} (n={r.n:.0f}, held out: {r.held_out})" for r in rows.itertuples()]
    return rows.assign(row=names)


def label_of(arm: pd.Series) -> str:
    return f"{arm.arm} (n={arm.arm_n}{quota(arm.selection)})" if arm.trained else f"{arm.arm} (not trained)"


def best_p(paired: pd.DataFrame, arms: list[str], family: str, eval_set: str, stratum: str) -> str:
    """The smallest adjusted p value among the pairs that the panel shows, as a line of its title."""
    rows = paired.query("family == @family and eval_set == @eval_set and stratum == @stratum")
    rows = rows[(rows.decoder_a == SELECTION.decoder) & (rows.decoder_b == SELECTION.decoder)]
    rows = rows[rows.arm_a.isin(arms) & rows.arm_b.isin(arms)]
    return f"\nsmallest p (Holm): {rows.p_holm.min():.2g}" if len(rows) else ""
