"""Architecture control: the same corpus on several backbones, and the same backbones with examples in the prompt."""

import pandas as pd
from matplotlib.figure import Figure

from measuring import dots, plots
from measuring.inputs import ORDER
from measuring.pooling import POOLED
from measuring.selection import Selection
from measuring.stats import wilson

NEEDS = ("tables/accuracy", "published", "arms")
CAPTION = """The same training examples on several backbones, and the same backbones with examples in the prompt
instead of training. One block per family, evaluation set and corpus (design, what the prompt shows, training rows,
recipe) that at least two backbones were trained on, and one of the prompting arms of the family; no digit of a key is
shown. Marks: mean over training seeds with Wilson 95 % intervals for n different rows, join and value rows apart;
bars: the arm's ceiling; grey dots: the single seeds; last column: completions that the token budget cuts off. Hollow
marks, at the bottom: the study's control on the cryptarithms of its validation set; its Nemotron number is of other
corpora and epochs, and all hits of the other backbones are join rows. A stroke through a mark: the arm cannot do its
single steps (table ``steps``), so it is no evidence about its procedure."""
CHANGE = """if the architecture were the reason, a backbone of one kind would lie apart from the others on value rows
under the same corpus, beyond the intervals and with every seed."""
SELECTION = Selection(how="each in its own row")
EXAMPLE = {
    "arm": "search-other", "families": "cryptarithm_deduce", "design": "search", "reveal": "0", "corruption": "none",
    "selection": "all", "n": "2400", "backbone": "scratch", "recipe": "small", "seeds": "3",
}  # fmt: skip
CORPUS = ["family", "eval_set", "design", "rule", "arm_n", "recipe"]


def make(accuracy: pd.DataFrame, published: pd.DataFrame, arms: pd.DataFrame) -> Figure:
    ours = plots.unaided(SELECTION.of(accuracy))
    trained = ours.trained.astype(bool)
    several = trained & (ours.groupby(CORPUS).backbone.transform("nunique") > 1)
    several = several.where(trained, False)
    prompted = ours[~trained & (ours.recipe == "in-context")]
    ours = ours[several | (~trained & ours.family.isin(ours[several].family))]
    if ours.empty or not several.any():
        what = "on a second backbone with the corpus of another arm (its row with another backbone)"
        return plots.nothing(what, SELECTION, EXAMPLE, arms)
    strata = [*plots.ordered_strata(ours.stratum)[1:], POOLED]
    columns = {stratum: f"{stratum} rows" for stratum in strata} | {"cut off": "cut off"}
    colours = {name: plots.CYCLE[i % len(plots.CYCLE)] for i, name in enumerate(sorted(ours.backbone.unique()))}
    blocks = []
    for family in [each for each in ORDER if each in set(ours.family)]:
        for eval_set in sorted(ours[ours.family == family].eval_set.unique(), reverse=True):
            part = ours[(ours.family == family) & (ours.eval_set == eval_set)]
            groups = list(part[part.trained.astype(bool)].groupby(CORPUS))
            for key, own in groups:
                told = dict(zip(CORPUS, key, strict=True))
                title = f"{family}, {eval_set}\n{told['design']}, n={told['arm_n']}\nrecipe {told['recipe']}"
                blocks.append(block(title, own, columns, colours, lambda row: f"{row.backbone} ({row.arm})"))
            asked = prompted[(prompted.family == family) & (prompted.eval_set == eval_set)]
            if len(asked):
                title = f"{family}, {eval_set}\nprompted"
                blocks.append(
                    block(title, asked, columns, colours, lambda r: f"{r.backbone}, {r.arm_n} examples ({r.arm})")
                )
    blocks.append(the_study(published))
    figure = dots.draw(blocks, columns)
    plots.state(figure, SELECTION, accuracy)
    return figure


def block(title: str, part: pd.DataFrame, columns: dict, colours: dict, name) -> dots.Block:
    """A row per arm, the backbones in alphabetical order."""
    made = dots.Block(title)
    pooled = part[part.seed == POOLED]
    for _, own in sorted(
        part.groupby("arm"), key=lambda each: (each[1].backbone.iloc[0], each[1].arm_n.iloc[0], each[0])
    ):
        row = own.iloc[0]
        colour, marker = colours[row.backbone]
        for column in columns:
            if column == "cut off":
                every = own[(own.seed == POOLED) & (own.stratum == POOLED)].iloc[0]
                mark = dots.Mark(every.truncated, *wilson(every.truncated * every.n, every.n), colour, marker)
            else:
                mark = dots.accuracy_mark(own[own.stratum == column], colour, marker)
            made.add(name(row), column, mark)
    n = pooled.groupby("stratum").n.max()
    made.n = {column: n.get(POOLED if column == "cut off" else column, 0) for column in columns}
    return made


def the_study(published: pd.DataFrame) -> dots.Block:
    rows = published[published.table == "backbones"]
    made = dots.Block("published")
    for row in rows.to_dict("records"):
        made.add(f"{row['row']} (n={row['n']:.0f})", row["stratum"], dots.published_mark(row, "published"))
    return made
