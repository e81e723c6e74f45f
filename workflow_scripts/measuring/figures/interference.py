"""Interference: a family trained alone, and the same rows of it trained together with other families."""

import pandas as pd
from matplotlib.figure import Figure

from measuring import dots, plots
from measuring.pooling import POOLED
from measuring.selection import Selection, with_corpora

NEEDS = ("tables/accuracy", "tables/paired", "published", "arms")
CAPTION = """One block per family and evaluation set that was trained alone and in a mixture, otherwise alike (design,
what the prompt shows, training rows of the family, backbone, recipe, start): accuracy (official grade) on the family's
rows. Marks: mean over training seeds with Wilson 95 % intervals for n different rows; bars: the ceiling of the arm's
own texts; grey dots: single seeds. In brackets: how many families the arm has, and at a mixture the p value of its
difference to the arm alone on the same rows (sign-flip test, each row counted once over the seeds, Holm's adjustment).
Hollow: the study's one adapter for all nine families. A stroke through a mark: the arm cannot do its single steps
(table ``steps``), so it is no evidence about its procedure."""
CHANGE = """if families disturbed each other, the mixtures would lie below the arms alone beyond chance; where they
lie above, the families share what they learn; where neither, one adapter can be read as if it were many."""
SELECTION = Selection()
EXAMPLE = {
    "arm": "forward-cipher", "families": "cipher", "design": "forward", "reveal": "0", "corruption": "none",
    "selection": "all", "n": "500", "backbone": "small", "recipe": "small", "seeds": "1",
}  # fmt: skip
ALIKE = ["family", "eval_set", "design", "reveal", "order", "rule", "slate", "arm_n", "backbone", "recipe", "start"]


def make(accuracy: pd.DataFrame, paired: pd.DataFrame, published: pd.DataFrame, arms: pd.DataFrame) -> Figure:
    ours = with_corpora(SELECTION.of(accuracy), arms)
    ours["families"] = ours.families.str.count(",") + 1
    ours = ours[ours.trained.astype(bool)]
    least, most = (ours.groupby(ALIKE).families.transform(how) for how in ("min", "max"))
    ours = ours[(least == 1) & (most > 1)] if len(ours) else ours
    if ours.empty:
        what = "that trains a family alone which another arm, otherwise alike, trains among others"
        return plots.nothing(what, SELECTION, EXAMPLE, arms)
    strata = [*plots.ordered_strata(ours.stratum)[1:], POOLED]
    columns = {stratum: f"{stratum} rows" for stratum in strata}
    blocks = []
    for key, part in plots.panels(ours, ALIKE):
        told = dict(zip(ALIKE, key, strict=True))
        title = f"{told['family']}\n{told['eval_set']}, {told['backbone']}\n{told['design']}, n={told['arm_n']}"
        block = dots.Block(title)
        (alone, *_) = sorted(part[part.families == 1].arm.unique())
        for arm in sorted(part.arm.unique(), key=lambda arm: (int(part[part.arm == arm].families.iloc[0]), arm)):
            own = part[part.arm == arm]
            k = int(own.families.iloc[0])
            look = (plots.BLUE, "o", "alone") if k == 1 else (plots.RED, "s", "among others")
            p = "" if k == 1 else p_of(paired, alone, arm, told)
            for stratum in strata:
                mark = dots.accuracy_mark(own[own.stratum == stratum], *look)
                block.add(f"{arm} ({k} famil{'y' if k == 1 else 'ies'}{p})", stratum, mark)
        for row in published[(published.row == told["family"]) & (published.measure == "model")].to_dict("records"):
            if row["table"] == "master":
                block.add("the study's one adapter (9 families)", POOLED, dots.published_mark(row, "published"))
        n = part[part.seed == POOLED].groupby("stratum").n.max()
        block.n = {stratum: n.get(stratum, 0) for stratum in strata}
        blocks.append(block)
    figure = dots.draw(blocks, columns, xlabel="accuracy")
    plots.state(figure, SELECTION, accuracy)
    return figure


def p_of(paired: pd.DataFrame, alone: str, arm: str, told: dict) -> str:
    """The adjusted p value of two arms on all rows of a family."""
    names = {alone, arm}
    rows = paired[(paired.family == told["family"]) & (paired.eval_set == told["eval_set"])]
    rows = rows[
        (rows.stratum == POOLED) & (rows.decoder_a == SELECTION.decoder) & (rows.decoder_b == SELECTION.decoder)
    ]
    rows = rows[rows.arm_a.isin(names) & rows.arm_b.isin(names)]
    return f", p = {rows.p_holm.iloc[0]:.2g}" if len(rows) else ""
