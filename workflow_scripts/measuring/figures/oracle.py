"""The oracle ladder: how much accuracy does each kind of failure cost? An interpreter puts lines right as they come."""

import json

import pandas as pd
from matplotlib.figure import Figure

from measuring import dots, plots
from measuring.selection import Selection, with_arms

NEEDS = ("tables/decoders", "arms")
CAPTION = """The same adapter with an interpreter in the loop: whenever a line is done, it is put right on the axes
named, and the model goes on from it. ``nothing``: greedy decoding as it is; transcription: what is copied;
arithmetic: what is computed; verdict: what is concluded from the line's own numbers; branch: guesses and bare claims,
chosen as the row hides them. What an axis gains is what failures of that kind cost, the causal counterpart of the
audit; lines of no kind, lines for which no right one is found and lines that are left out stay as they are. Accuracy
(official grade, seeds pooled) with Wilson 95 % intervals for n rows, strata apart; bars: the arm's ceiling. In
brackets: the share of lines that were put right, and of those that stayed wrong. ``no steps`` at an arm: it cannot do
its single steps (table ``steps``), so it is no evidence about its procedure."""
CHANGE = """if failures were verdicts, ``verdict`` would reach what all axes together do, and ``arithmetic`` would
stay at ``nothing``; if even all together stay far below the ceiling, the model fails at what to write, not at how."""
SELECTION = Selection(decoder="greedy and those with an oracle", backbone="each, named with the arm")
EXAMPLE = {
    "arm": "search-oracle", "families": "cryptarithm_deduce", "design": "search", "reveal": "10", "corruption": "none",
    "selection": "all", "n": "2400", "backbone": "small", "recipe": "small", "seeds": "1",
    "decoders": "greedy,oracle-arithmetic,oracle-verdict,oracle-all",
}  # fmt: skip
AXES = ("transcription", "arithmetic", "verdict", "branch")
NOTHING = "nothing"


def make(decoders: pd.DataFrame, arms: pd.DataFrame) -> Figure:
    """One block per family, arm and evaluation set, a row per oracle, a column per stratum."""
    every = with_arms(decoders, arms)
    ours = every[(every.corruption == SELECTION.corruption) & every.selection.isin(SELECTION.selections)]
    helped = ours[ours.kind == "oracle"]
    ours = ours[(ours.kind == "oracle") | (ours.decoder == "greedy")]
    ours = ours.merge(helped[["arm", "family", "eval_set"]].drop_duplicates())
    if ours.empty:
        return plots.nothing("with an oracle in the loop", SELECTION, EXAMPLE, arms)
    ours = ours.assign(answers=ours.apply(answers_of, axis=1))
    columns = {name: f"{name} rows" for name in plots.ordered_strata(ours.stratum)}
    blocks = []
    order = plots.panels(ours, ["family", "eval_set", "arm"])
    for (family, eval_set, arm), own in order:
        first = own.iloc[0]
        name = f"{family}, {eval_set}\n{arm}\n(backbone {first.backbone}, n={first.arm_n}){plots.told(first.installed)}"
        block = dots.Block(name, n=own.groupby("stratum").n.max().to_dict())
        for answers in sorted(own.answers.unique(), key=lambda each: (len(each), [AXES.index(a) for a in each])):
            part = own[own.answers == answers]
            whole = part[part.stratum == "all"].iloc[0]
            label = " + ".join(answers) if len(answers) < len(AXES) else "all of them"
            if answers and pd.notna(whole.corrected):
                label += f" [{whole.corrected:.1%}, {whole.unsolved:.1%}]"
            colour, marker = plots.nth(len(answers) and 1 + AXES.index(answers[0]) if len(answers) < 2 else 6)
            for row in part.itertuples():
                ceiling = row.ceiling if row.trained else float("nan")
                mark = dots.Mark(row.official, row.official_low, row.official_high, colour, marker, ceiling=ceiling)
                block.add(label or NOTHING, row.stratum, mark)
        blocks.append(block)
    figure = dots.draw(blocks, columns, xlabel="accuracy")
    plots.state(figure, SELECTION)
    return figure


def answers_of(row: pd.Series) -> tuple[str, ...]:
    """The axes on which a decoder's oracle answers, in a fixed order; none for greedy."""
    given = json.loads(row.settings).get("answers", ()) if row.kind == "oracle" else ()
    return tuple(axis for axis in AXES if axis in given)
