"""Trace length against the solver's cost: does a model think longer where there is more to do?"""

import pandas as pd
from matplotlib.figure import Figure

from measuring import dots, plots
from measuring.selection import Selection, with_arms

NEEDS = ("tables/cost", "arms")
CAPTION = """Spearman's correlation of the tokens that an arm writes with the steps that the exact solver takes, over
the rows of the evaluation set: all, those of the tiers of work that its training examples are of, and those of no
such tier. 0 is no correlation; left of it, longer thoughts for less work. Filled marks: trained arms with 95 %
intervals; bars: the same correlation for the characters of the arm's own rendered texts, which is what following the
design would give. n at the arm: rows within and outside. An arm has rows outside only if its selection leaves a tier
out; what would fill that column is an arm trained on some tiers. The study has no such number. A stroke through a
mark: the arm cannot do its single steps (table ``steps``), so it is no evidence about its procedure."""
CHANGE = """if the length of a thought were work done, the third column would be as high as the second; where it falls
while the bars stay, the model learned the lengths of its training texts."""
SELECTION = Selection(selections=("each",), how="each, named at the arm")
EXAMPLE = {
    "arm": "search-tiers", "families": "cryptarithm_deduce", "design": "search", "reveal": "0", "corruption": "none",
    "selection": "tiers-1-2", "n": "2400", "backbone": "small", "recipe": "small", "seeds": "3",
}  # fmt: skip
COLUMNS = {"all": "all rows", "within": "tiers of its training", "outside": "other tiers"}


def make(cost: pd.DataFrame, arms: pd.DataFrame) -> Figure:
    every = with_arms(cost, arms)
    ours = every[every.trained.astype(bool) & (every.decoder == SELECTION.decoder) & (every.corruption == "none")]
    shown = ours[ours.tiers.isin(COLUMNS)].dropna(subset="rho")
    if shown.empty:
        return plots.nothing("that is trained, with ten rows whose lengths differ", SELECTION, EXAMPLE, arms)
    blocks = []
    for (family, eval_set), part in plots.panels(shown, ["family", "eval_set"]):
        block = dots.Block(f"{family}\n{eval_set}")
        for arm in [each for each in arms.index if each in set(part.arm)]:
            own = part[part.arm == arm].set_index("tiers")
            sizes = ours[(ours.arm == arm) & (ours.family == family) & (ours.eval_set == eval_set)].set_index("tiers").n
            colour, marker = plots.look(ours, arm)
            name = f"{arm} ({own.backbone.iloc[0]}, n={sizes.get('within', 0)}+{sizes.get('outside', 0)})"
            for column in COLUMNS:
                mark = None
                if column in own.index:
                    row = own.loc[column]
                    mark = dots.Mark(
                        row.rho, row.low, row.high, colour, marker, ceiling=row.text_rho, installed=row.installed
                    )
                block.add(name, column, mark)
        blocks.append(block)
    figure = dots.draw(blocks, COLUMNS, xlabel="Spearman's rho", limits=(-1.03, 1.03), bar="its own texts")
    notes = []
    if not (shown.tiers == "outside").any():
        row = " ".join(f"{name} {value}" for name, value in EXAMPLE.items())
        notes.append(
            f"No arm has ten rows of tiers that it was not trained on. A row of the table of arms that would: {row}."
        )
    plots.state(figure, SELECTION, None, *notes)
    return figure
