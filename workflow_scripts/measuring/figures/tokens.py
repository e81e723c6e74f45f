"""How long the chains of thought are that a design writes, and what they cost a model that was trained on them."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from measuring import plots
from measuring.inputs import ORDER
from measuring.pooling import POOLED
from measuring.selection import Selection

NEEDS = ("tables/tokens", "tables/accuracy", "published", "arms")
CAPTION = """Left: tokens of the texts that every design of the run writes of the evaluation rows, prompt left out:
mark: median, line: up to the 95th percentile; tokens are words, single digits and single signs, about what a
byte-pair tokenizer that splits digits makes of them. Hollow marks: the published mean tokens of a training example of
the study's design, prompt and template included. n: rows that the design renders, of all. Right: nats per token of
these texts under the trained arms, teacher-forced, where the run has probes; hollow: the study's cross-entropy per
token and family, weighted by counts, of another model."""
CHANGE = """if designs failed because they are long, the accuracies of the figure ``designs`` would follow these
lengths; if loss told what is learned, the families with the lowest would be those that are answered."""
SELECTION = Selection(selections=("each",), how="each")
EXAMPLE = {
    "arm": "forward-mix", "families": "numeral,cipher", "design": "forward", "reveal": "0", "corruption": "none",
    "selection": "all", "n": "500", "backbone": "small", "recipe": "small", "seeds": "1",
}  # fmt: skip


def make(tokens: pd.DataFrame, accuracy: pd.DataFrame, published: pd.DataFrame, arms: pd.DataFrame) -> Figure:
    """One line per family, evaluation set, design and reveal."""
    from measuring.comparison import STUDY

    rows = tokens[tokens.rendered > 0]
    if rows.empty:
        return plots.nothing("whose design renders a row", SELECTION, EXAMPLE, arms)
    rows = rows.sort_values(
        ["family", "eval_set", "tokens_median", "design", "reveal"],
        key=lambda c: c.map(ORDER.index) if c.name == "family" else c,
    )
    lengths = published[published.measure == "tokens_mean"].set_index("row").value
    losses = published[published.table == "token_loss"].set_index("row").value
    trained = SELECTION.of(accuracy.assign(selection="each"))
    trained = trained[trained.trained.astype(bool) & (trained.seed == POOLED) & (trained.stratum == POOLED)]
    trained = trained.assign(reveal=trained.arm.map(arms.reveal))
    reached = {key: part for key, part in trained.groupby(["family", "eval_set", "design", "reveal"])}
    names = []
    with plt.rc_context(plots.STYLE):
        figure, (left, middle, right) = plt.subplots(
            1, 3, figsize=(14, 1.3 + 0.22 * len(rows)), sharey=True, width_ratios=(2, 1, 1)
        )
        for y, row in enumerate(rows.itertuples()):
            colour, marker = plots.nth(ORDER.index(row.family))
            left.plot([row.tokens_median, row.tokens_p95], [y, y], color=colour, lw=1.2, alpha=0.7)
            left.plot([row.tokens_median], [y], marker, color=colour, ms=5, label=row.family, zorder=4)
            study = lengths.get(STUDY.get(row.design, "")) if row.family == "cryptarithm_deduce" else None
            if study is not None:
                left.plot([study], [y], "o", mfc="white", mec=plots.GREY, ms=5, label="published mean of an example")
            if not pd.isna(row.loss):
                middle.plot([row.loss], [y], marker, color=colour, ms=5)
            if row.family in losses.index:
                middle.plot([losses[row.family]], [y], "o", mfc="white", mec=plots.GREY, ms=5, label="published")
            own = reached.get((row.family, row.eval_set, row.design, row.reveal), trained[:0])
            right.plot(own.official, [y] * len(own), marker, color=colour, ms=5, alpha=0.75)
            plots.strike(right, own, own.official, [y] * len(own))
            shown = f", reveal {row.reveal}" * (row.reveal != "0")
            names.append(f"{row.family}, {row.eval_set}: {row.design}{shown} (n={row.rendered} of {row.n})")
        left.set(xlabel="tokens of a thought and its answer", title="length")
        left.set_xlim(left=0)
        middle.set(
            xlabel="nats per token", title="loss" + ("" if rows.loss.notna().any() else ": no probes in this run")
        )
        middle.set_xlim(left=0)
        right.set(xlabel="official grade", title="accuracy", xlim=(-0.03, 1.03))
        plots.named_axis(left, names, first=True)
        left.tick_params(axis="y", labelsize=7.5)
        plots.legend(figure, (left, middle, right), columns=4)
        plots.state(figure, SELECTION)
    return figure
