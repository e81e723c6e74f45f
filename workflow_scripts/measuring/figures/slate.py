"""Proposing against verifying: to find the key, or to choose it among a few that the prompt lists."""

import pandas as pd
from matplotlib.figure import Figure

from measuring import dots, plots
from measuring.inputs import ORDER
from measuring.pooling import POOLED
from measuring.selection import Selection, by_backbone
from reasoning.grammar.reveal import Reveal

NEEDS = ("tables/accuracy", "tables/kinds", "published", "arms")
CAPTION = """Cryptarithms: arms whose prompt lists candidate keys, of which one is right or none (verifying), above
arms of the designs that search or derive, to whom nothing is shown (proposing); blocks: family, evaluation set and
backbone; join and value rows apart. Filled marks: mean over training seeds, official grade, Wilson 95 % intervals for
n different rows; bars: the ceiling of the arm's own texts; grey dots: single seeds. Orange bars: what choosing one of
the listed keys, or ``none``, blindly would answer: the share of rows that have a right key over the keys listed; a
wrong key may give the right answer by chance, so this is a floor. Plausible wrong keys carry one example, random ones
none. Verdicts: of the lines that let a key stand or drop it, copied and computed rightly, the share whose verdict
follows, intervals clustered by row; grey bars: always saying the outcome most frequent in training. Rules of
the slates are given, as their name says; the proposing arms have to find them, too. Hollow marks: an
entrant's selections with the right key listed, and the study's hit@8, a rank among rules without digits. A stroke
through a mark: the arm cannot do its single steps (table ``steps``), so it is no evidence about its procedure."""
CHANGE = """if what fails is proposing, the slates lie near their ceiling, with verdicts near 1, where the proposing
arms lie near 0; a slate near its floor says that checking fails as well, and one at its ceiling with verdicts at the
grey bar that its answers do not come from checking."""
SELECTION = Selection()
EXAMPLE = {
    "arm": "slate-8", "families": "cryptarithm_deduce", "design": "slate", "reveal": "slate-8-given",
    "corruption": "none", "selection": "all", "n": "2400", "backbone": "small", "recipe": "small", "seeds": "3",
}  # fmt: skip
PROPOSING = ("search", "derive-search", "derive")
END, VERDICTS = "slate/end", "verdicts"


def make(accuracy: pd.DataFrame, kinds: pd.DataFrame, published: pd.DataFrame, arms: pd.DataFrame) -> Figure:
    ours = SELECTION.of(accuracy)
    ours = ours[ours.trained.astype(bool)]
    verifying = ours[ours.slate > 0]
    if verifying.empty:
        return plots.nothing("whose prompts list candidate keys", SELECTION, EXAMPLE, arms)
    proposing = plots.unaided(ours)
    proposing = proposing[proposing.design.isin(PROPOSING) & proposing.family.isin(verifying.family)]
    proposing = proposing[proposing.backbone.isin(verifying.backbone)]
    ours = pd.concat([verifying, proposing])
    strata = [*plots.ordered_strata(ours.stratum)[1:], POOLED]
    columns = {stratum: f"{stratum} rows" for stratum in strata} | {VERDICTS: "verdicts on keys"}
    ends = kinds[(kinds.kind == END) & (kinds.decoder == SELECTION.decoder) & (kinds.given_n > 0)]
    groups = sorted(
        set(zip(ours.family, ours.eval_set, strict=True)), key=lambda g: (ORDER.index(g[0]), g[1] != "test")
    )
    blocks = []
    for family, eval_set in groups:
        for backbone, part in by_backbone(ours[(ours.family == family) & (ours.eval_set == eval_set)]):
            block = dots.Block("\n".join((family, eval_set, backbone)))
            names = sorted(part.arm.unique(), key=lambda arm: (slate_of(part, arm) == 0, slate_of(part, arm), arm))
            for arm in names:
                own, k = part[part.arm == arm], slate_of(part, arm)
                colour, marker = (plots.BLUE, "o") if k else (plots.PINK, "D")
                row = f"{f'verifying {k} keys' if k else 'proposing'}: {arm} (n={own.arm_n.iloc[0]})"
                for stratum in strata:
                    label = "verifying" if k else "proposing"
                    block.add(row, stratum, dots.accuracy_mark(own[own.stratum == stratum], colour, marker, label))
                    if k and stratum != "join":
                        floor = (1 - Reveal.parse(arms.at[arm, "reveal"]).none / 100) / k
                        block.add(
                            row, stratum, dots.Mark(floor, colour=plots.ORANGE, marker="|", label="a blind choice")
                        )
                told = ends[(ends.arm == arm) & (ends.family == family) & (ends.eval_set == eval_set)]
                for line in told.itertuples():
                    shown = {"colour": colour, "label": "verifying", "installed": line.installed}
                    block.add(row, VERDICTS, dots.Mark(line.given, line.given_low, line.given_high, **shown))
                    most = dots.Mark(line.top, colour=plots.GREY, marker="|", label="verdict, most frequent outcome")
                    block.add(row, VERDICTS, most)
            n = part[part.seed == POOLED].groupby("stratum").n.max()
            block.n = {stratum: n.get(stratum, 0) for stratum in strata}
            blocks.append(block)
    blocks.append(the_study(published))
    figure = dots.draw(blocks, columns, xlabel="accuracy, or share of verdicts")
    plots.state(figure, SELECTION, accuracy)
    return figure


def slate_of(part: pd.DataFrame, arm: str) -> int:
    return int(part[part.arm == arm].slate.iloc[0])


def the_study(published: pd.DataFrame) -> dots.Block:
    block = dots.Block("published")
    rows = published[((published.table == "entrants") & (published.row == "slate")) | (published.row == "hit_at_8")]
    for row in rows.to_dict("records"):
        if str(row["source"]).startswith("independent"):
            continue
        name = row["measure"] if row["table"] == "entrants" else "right rules among eight"
        who = "an entrant" if row["table"] == "entrants" else "the study"
        block.add(f"{who}: {name} (n={row['n']:.0f})", POOLED, dots.published_mark(row, "published"))
    return block
