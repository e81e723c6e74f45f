"""Bit manipulation: accuracy per design and number of taps, and how many completions are cut off."""

import pandas as pd
from matplotlib.figure import Figure

from measuring import dots, plots
from measuring.pooling import POOLED
from measuring.selection import Selection, by_backbone
from measuring.stats import wilson

NEEDS = ("tables/accuracy", "published", "arms")
CAPTION = """Bit manipulation: accuracy (official grade) per design of the chain of thought, on all rows and by the
fewest taps that express the row's rule, and the share of completions that the token budget cuts off. Blocks:
evaluation set and backbone. Coloured marks: mean over training seeds with Wilson 95 % intervals for n different rows
(n at the arm: its training rows); bars: the arm's ceiling, the share of the same rows on which its own rendered text
boxes the right answer; small grey dots: the single seeds. Hollow marks, at the bottom: the published designs and
self-training rounds on the study's 500 rows. Its rounds start from another model than the design they are compared
with. The tables ``bit_rules`` and ``categories`` hold the inventory of gates, taps and bases behind the columns. A
stroke through a mark: the arm cannot do its single steps (table ``steps``), so it is no evidence on its procedure."""
CHANGE = """if more taps were harder only because more must be searched, a design that recalls its rules
(catalog-repair) would fall less from left to right than one that scans; where all fall alike, the number of taps is
not the reason."""
SELECTION = Selection()
EXAMPLE = {
    "arm": "bits-prior-scan", "families": "bit_manipulation", "design": "prior-scan", "reveal": "0",
    "corruption": "none", "selection": "all", "n": "500", "backbone": "small", "recipe": "small", "seeds": "1",
}  # fmt: skip
FAMILY = "bit_manipulation"
COLUMNS = {POOLED: "all rows", "1-tap": "1 tap", "2-tap": "2 taps", "3-tap": "3 taps", "cut off": "cut off"}


def make(accuracy: pd.DataFrame, published: pd.DataFrame, arms: pd.DataFrame) -> Figure:
    ours = SELECTION.of(accuracy)
    ours = ours[ours.family == FAMILY]
    if ours.empty:
        return plots.nothing("of the family bit_manipulation", SELECTION, EXAMPLE, arms)
    order = plots.design_order(ours)
    blocks = []
    for eval_set in sorted(ours.eval_set.unique(), reverse=True):
        for backbone, part in by_backbone(ours[ours.eval_set == eval_set]):
            block = dots.Block("\n".join(filter(None, (eval_set, backbone))))
            for arm in sorted(part.arm.unique(), key=lambda arm: (order.index(plots.design_of(part, arm)), arm)):
                own = part[part.arm == arm]
                row = own.iloc[0]
                name = f"{row.design}: {arm} (n={row.arm_n})" if row.trained else f"{arm} (not trained)"
                colour, marker = plots.look(ours, arm)
                for column in COLUMNS:
                    if column == "cut off":
                        block.add(name, column, cut_off(own, colour, marker))
                    else:
                        mark = dots.accuracy_mark(own[own.stratum == column], colour, marker)
                        block.add(name, column, mark)
            n = part[part.seed == POOLED].groupby("stratum").n.max()
            block.n = {column: n.get("all" if column == "cut off" else column, 0) for column in COLUMNS}
            blocks.append(block)
    blocks.append(the_study(published))
    figure = dots.draw(blocks, COLUMNS)
    plots.state(figure, SELECTION, accuracy[accuracy.family == FAMILY])
    return figure


def cut_off(own: pd.DataFrame, colour: str, marker: str) -> dots.Mark | None:
    pooled = own[(own.seed == POOLED) & (own.stratum == POOLED)]
    if pooled.empty:
        return None
    row = pooled.iloc[0]
    return dots.Mark(row.truncated, *wilson(row.truncated * row.n, row.n), colour, marker)


def the_study(published: pd.DataFrame) -> dots.Block:
    rows = published[published.table == "bits"]
    block = dots.Block("published", n={column: float("nan") for column in COLUMNS})
    for row in rows.to_dict("records"):
        column = "cut off" if row["measure"] == "cut off" else row["stratum"]
        name = row["row"] + (" (trained on these rows)" if row["held_out"] == "no" else "")
        block.add(name, column, dots.published_mark(row, "published"))
        block.n[column] = pd.Series([block.n[column], row["n"]]).max()
    return block
