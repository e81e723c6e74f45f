"""The corruption ladder: what is the meaning of the lines worth, to the answer and to the lines themselves?"""

import pandas as pd
from matplotlib.figure import Figure

from measuring import dots, plots
from measuring.pooling import POOLED
from measuring.selection import Selection, with_arms, with_corpora
from reasoning.judging.corruption import CORRUPTIONS

NEEDS = ("tables/meaning", "arms")
CAPTION = """Arms that differ in nothing but what was broken in their training texts (the rows that a model is shown
are the same everywhere), one block per family, evaluation set, stratum, design, backbone and training rows. Left to
right: right answers (official grade), completions whose every line is right, right answers among these, and right
answers among those with a wrong line; Wilson-like 95 % intervals clustered by row, seeds together. n at the arm:
audited completions with every line right and with a wrong one: the two rows of the two-by-two table. ``none``:
unbroken; ``solutiononly``: no lines; ``filler``: dots; ``swap``: another row's lines; ``swapwithin``: those of a row
of like cost; ``shuffle``: another order; ``delete30``: lines left out; ``digit10``: wrong digits; ``verdictflip``:
turned verdicts; ``wrongans``: consistent lines that lead to a wrong answer. The study has no such arms. A stroke
through a mark: the arm cannot do its single steps (table ``steps``), so it is no evidence about its procedure."""
CHANGE = """if the lines' meaning carried the answer, right answers would fall from ``none`` to ``swap`` as far as to
``solutiononly``, and the third column would lie far above the fourth; equal columns say that the lines decorate."""
SELECTION = Selection(corruption="each", how="each in its own block")
EXAMPLE = {
    "arm": "forward-mix-swap", "families": "numeral,cipher", "design": "forward", "reveal": "0", "corruption": "swap",
    "selection": "all", "n": "500", "backbone": "small", "recipe": "small", "seeds": "1",
}  # fmt: skip
COLUMNS = {
    "right": "right answers", "valid": "every line right", "right_if_valid": "right if every line is",
    "right_if_invalid": "right if a line is wrong",
}  # fmt: skip
ALIKE = [
    "family", "eval_set", "stratum", "design", "shown", "selection", "backbone", "recipe", "arm_n", "families",
    "source", "start",
]  # fmt: skip


def make(meaning: pd.DataFrame, arms: pd.DataFrame) -> Figure:
    every = with_corpora(with_arms(meaning.drop(columns="corruption"), arms), arms)
    ours = every[every.trained.astype(bool) & (every.decoder == SELECTION.decoder)]
    ours = ours[ours.selection.isin(SELECTION.selections)]
    ours = plots.without_pooled(ours)
    ours = ours[ours.groupby(ALIKE).corruption.transform("nunique") > 1] if len(ours) else ours
    if ours.empty:
        return plots.nothing("that is trained on broken texts beside one on unbroken ones", SELECTION, EXAMPLE, arms)
    ladder, blocks = list(CORRUPTIONS), []
    for key, part in plots.panels(ours, ALIKE):
        name = dict(zip(ALIKE, key, strict=True))
        stratum = "" if name["stratum"] == POOLED else f"\n{name['stratum']} rows"
        block = dots.Block(
            f"{name['family']}{stratum}\n{name['eval_set']}, {name['backbone']}\n{name['design']}, n={name['arm_n']}"
        )
        for row in sorted(part.to_dict("records"), key=lambda r: (ladder.index(r["corruption"]), r["arm"])):
            valid, invalid = (row[f"{a}_right"] + row[f"{a}_wrong"] for a in ("valid", "invalid"))
            alone = (part.corruption == row["corruption"]).sum() == 1
            who = row["corruption"] if alone else f"{row['corruption']}: {row['arm']}"
            label = f"{who} (n={valid}+{invalid} on {row['rows']})"
            colour, marker = (plots.GREEN, "o") if row["corruption"] == "none" else (plots.RED, "s")
            for column in COLUMNS:
                known = not pd.isna(row[column])
                limits = row[f"{column}_low"], row[f"{column}_high"]
                mark = dots.Mark(row[column], *limits, colour, marker, installed=row["installed"]) if known else None
                block.add(label, column, mark)
        blocks.append(block)
    figure = dots.draw(blocks, COLUMNS)
    plots.state(figure, SELECTION, None, *unbroken(ours))
    return figure


def unbroken(ours: pd.DataFrame) -> list[str]:
    """Blocks without an arm on unbroken texts, named."""
    lacking = ours.groupby(ALIKE).filter(lambda part: "none" not in set(part.corruption))
    return [f"Without an unbroken arm beside it: {', '.join(sorted(lacking.arm.unique()))}."] if len(lacking) else []
