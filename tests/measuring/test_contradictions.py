"""What would change our mind must be visible: every figure is made of outcomes that differ as its sentence CHANGE says,
and what is drawn is read back, as a reader would.

An outcome is a set of completions that someone might have decoded, as graded rows or, where that is a folder of files,
as the table that they give. A new figure needs an entry: `@reads(figure, outcomes)` over a function that plants one
outcome and a function that tells, from the picture alone, which of them it sees.
"""

import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace

import made_run
import matplotlib.pyplot as plt
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from common.artifacts import write_table
from common.config import IN_CONTEXT
from measuring import modules, plots
from measuring.evidence import KEYS, NO, YES, marked
from measuring.inputs import read_published
from measuring.stats import wilson
from measuring.tables import accuracy, decoders, lengths, meaning, paired, walls
from measuring.tables.categories import SOLVER
from reasoning.grammar.reveal import Reveal

CRYPT, BITS, GRAVITY = "cryptarithm_deduce", "bit_manipulation", "gravity"
PUBLISHED = read_published(made_run.ROOT / "config/published.csv")
N = 40
Tables = dict[str, pd.DataFrame]


@dataclass(frozen=True)
class Entry:
    """outcomes: their names; plant: a name -> what the figure needs; read: a figure -> the name that it shows."""

    outcomes: tuple[str, ...]
    plant: Callable[[str], Tables]
    read: Callable[[Figure], str]


ENTRIES: dict[str, Entry] = {}


def reads(name: str, *outcomes: str):
    """Declare how a figure is planted; `.read` on the result declares how it is read."""

    def declare(plant: Callable[[str], Tables]) -> SimpleNamespace:
        def reader(read: Callable[[Figure], str]) -> Callable[[Figure], str]:
            ENTRIES[name] = Entry(outcomes, plant, read)
            return read

        return SimpleNamespace(read=reader)

    return declare


@pytest.fixture(autouse=True)
def bare(monkeypatch):
    """Where things stand on the paper takes most of the time of a figure, and nothing here looks at it."""
    monkeypatch.setattr(Figure, "tight_layout", lambda figure: None)


@pytest.mark.parametrize("name", modules.names("figure"))
def test_a_figure_shows_what_would_contradict_it(name):
    assert name in ENTRIES, "no outcomes are stated here in which this figure would look otherwise"
    entry, module = ENTRIES[name], modules.load("figure", name)
    assert len(entry.outcomes) > 1
    for outcome in entry.outcomes:
        tables = {"published": PUBLISHED} | entry.plant(outcome)
        figure = module.make(
            **{need.removeprefix("tables/"): tables[need.removeprefix("tables/")] for need in module.NEEDS}
        )
        assert entry.read(figure) == outcome, made_run.words(figure)
        plt.close(figure)


# Planting: rows of the table of arms, and graded completions of them.


def arms_of(*rows: dict[str, str]) -> pd.DataFrame:
    split = {"families", "decoders"}
    found = [
        {k: tuple(v.split(",")) if k in split else v for k, v in ({"source": "", "start": ""} | row).items()}
        for row in rows
    ]
    return pd.DataFrame(found).set_index("arm")


def graded(arms: pd.DataFrame, shares: dict[str, object], ceiling: float = 1.0, **columns: object) -> pd.DataFrame:
    """N graded rows per family, stratum and seed of every arm, the first of them right.

    shares: arm -> the share that is right, or one per stratum; a tuple for one per seed.
    """
    found = []
    for name, own in shares.items():
        told = arms.loc[name]
        shown = Reveal.parse(told.reveal)
        who = {"arm": name, "design": told.design, "reveal": shown.digits, "order": shown.order, "rule": shown.rule}
        who |= {"slate": shown.slate, "eval_set": "test", "decoder": "greedy", "sample": 0, "abstains": False}
        who |= {"abstained": False, "abstained_right": False, "n_tokens": 50, "boxed": True}
        for family in told.families:
            for stratum, share in (own if isinstance(own, dict) else {"all": own}).items():
                for seed, right in enumerate(share if isinstance(share, tuple) else [share] * int(told.seeds), 1):
                    for i in range(N):
                        row = who | {"family": family, "stratum": stratum, "seed": str(seed), "id": f"{stratum}-{i}"}
                        row |= {"official": i < right * N, "strict": i < right * N, "boxes": i < ceiling * N}
                        found.append(row | {"failure": "" if row["official"] else "wrong"} | columns)
    return pd.DataFrame(found)


def steps(arms: pd.DataFrame, installed: str = YES, decoders: tuple[str, ...] = ("greedy",)) -> pd.DataFrame:
    cells = [
        (arm, family, "test", decoder) for arm in arms.index for family in arms.families[arm] for decoder in decoders
    ]
    return pd.DataFrame(cells, columns=KEYS).assign(installed=installed)


def reached(arms: pd.DataFrame, grades: pd.DataFrame, installed: str = YES) -> pd.DataFrame:
    """The table of accuracies."""
    return marked(accuracy.accuracy(grades, arms), steps(arms, installed))


def kind(arm: str, design: str, kind: str, given: float, **changes: object) -> dict[str, object]:
    """A line of the table of kinds: 100 lines on 50 rows; everything right that is not said otherwise."""
    told = {"transcription": 1.0, "arithmetic": 1.0, "verdict": given, "given": given} | changes
    line = {"arm": arm, "family": CRYPT, "design": design, "eval_set": "test", "decoder": "greedy", "kind": kind}
    line |= {"lines": 100, "rows": 50, "top": 0.5, "stump": 0.5, "declared": "yes no", "trained": "yes:9 no:9"}
    line |= {"fixed": False, "installed": YES} | told
    for axis in ("transcription", "arithmetic", "verdict", "given"):
        low, high = wilson(line[axis] * 100, 100)
        line |= {f"{axis}_n": 100, f"{axis}_low": low, f"{axis}_high": high}
    return line


def decoded(arms: pd.DataFrame, cells: dict[str, tuple], ceiling: float = 1.0) -> Tables:
    """The table of decoders of one arm: decoder -> (share right, kind, tokens decoded, settings)."""
    (name,) = arms.index
    grades = pd.concat([graded(arms, {name: own[0]}, ceiling, decoder=each) for each, own in cells.items()])
    told = {each: {"kind": own[1], "n_decoded": own[2], "settings": json.dumps(own[3])} for each, own in cells.items()}
    spent = grades.assign(notes=None, logprob_sum=-1.0)
    spent = spent.assign(**{k: [told[each][k] for each in spent.decoder] for k in ("kind", "n_decoded", "settings")})
    table = marked(accuracy.accuracy(grades, arms), steps(arms, decoders=tuple(cells)))
    return {"arms": arms, "decoders": decoders.make(table, grades, spent)}


# Reading: what stands in a panel at a height, and curves by their label.


def panel(figure: Figure, title: str, nth: int = 0) -> Axes:
    """The nth panel with these words in its title or under its axis."""
    found = [a for a in figure.axes if title in (a.get_title() + a.get_title("left") + a.get_xlabel())]
    assert found, (title, [a.get_title() + a.get_title("left") for a in figure.axes])
    return found[nth]


def height(figure: Figure, name: str) -> float:
    """Where the name stands that begins so."""
    found = {
        float(y) for axis in figure.axes for y, label in zip(axis.get_yticks(), axis.get_yticklabels(), strict=False)
        if label.get_text().startswith(name)
    }  # fmt: skip
    assert len(found) == 1, (name, made_run.words(figure))
    return found.pop()


def at(axis: Axes, y: float) -> SimpleNamespace:
    """The mark, its interval, its bar, the dots of its seeds and whether it is struck, in the row at a height."""
    found = SimpleNamespace(value=None, low=None, high=None, bar=None, labelled={}, seeds=[], struck=False)
    for line in axis.get_lines():
        xs, ys, marker = line.get_xdata(), line.get_ydata(), line.get_marker()
        if not len(ys) or any(abs(float(each) - y) > 0.45 for each in ys) or line.get_mfc() == "white":
            continue
        if isinstance(marker, tuple):
            found.struck = True
        elif marker == "None":
            found.low, found.high = map(float, xs)
        elif marker == "|":
            found.labelled[line.get_label()] = float(xs[0])
            found.bar = float(xs[0]) if line.get_label() in (plots.CEILING, "its own texts") else found.bar
        else:
            found.value = float(xs[0])
    for dots in axis.collections:
        found.seeds += [float(x) for x, dot in dots.get_offsets() if abs(dot - y) < 0.45]
    return found


def curve(axis: Axes, label: str, nth: int = 0) -> dict[float, float]:
    """The points of the nth thing drawn whose label begins so."""
    found = [line for line in axis.get_lines() if str(line.get_label()).startswith(label)]
    assert found, (label, [line.get_label() for line in axis.get_lines()])
    return {float(x): float(y) for x, y in zip(found[nth].get_xdata(), found[nth].get_ydata(), strict=True)}


def ends(axis: Axes, label: str, nth: int = 0) -> tuple[float, float]:
    """The first and last value of a curve."""
    found = curve(axis, label, nth)
    return found[min(found)], found[max(found)]


def dots(axis: Axes, label: str) -> list[tuple[float, float, object]]:
    """(x, y, line) of single marks whose label begins so."""
    return [
        (float(x), float(y), line)
        for line in axis.get_lines() if str(line.get_label()).startswith(label)
        for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True)
    ]  # fmt: skip


# The entries, in alphabetical order.
arm = made_run.arm


@reads("backbones", "alike", "with one seed", "apart")
def of_backbones(outcome: str) -> Tables:
    arms = arms_of(*(arm(name, CRYPT, "search", backbone=name, seeds=2) for name in ("one", "two")))
    value = {"alike": (0.1, 0.1), "with one seed": (0.1, 0.7), "apart": (0.7, 0.8)}[outcome]
    grades = graded(arms, {"one": {"join": 0.9, "value": (0.1, 0.1)}, "two": {"join": 0.9, "value": value}})
    return {"arms": arms, "accuracy": reached(arms, grades)}


@of_backbones.read
def _(figure: Figure) -> str:
    axis = panel(figure, "value rows")
    one, two = (at(axis, height(figure, f"{name} (")) for name in ("one", "two"))
    if min(two.seeds) > one.high and two.low > one.high:
        return "apart"
    return "with one seed" if max(two.seeds) > one.high else "alike"


@reads("bits", "alike", "recalled rules fall less")
def of_bits(outcome: str) -> Tables:
    arms = arms_of(arm("scan", BITS, "prior-scan"), arm("recall", BITS, "catalog-repair"))
    scan = {"1-tap": 0.9, "2-tap": 0.5, "3-tap": 0.1}
    recall = scan if outcome == "alike" else {"1-tap": 0.9, "2-tap": 0.9, "3-tap": 0.8}
    return {"arms": arms, "accuracy": reached(arms, graded(arms, {"scan": scan, "recall": recall}))}


@of_bits.read
def _(figure: Figure) -> str:
    taps = [panel(figure, title) for title in ("1 tap", "3 taps")]
    few, many = (
        [at(axis, height(figure, name)) for axis in taps] for name in ("catalog-repair: recall", "prior-scan: scan")
    )
    less = few[0].value - few[1].value < many[0].value - many[1].value and few[1].low > many[1].high
    return "recalled rules fall less" if less else "alike"


@reads("categories", "alike", "the arm's own", "the solver's as well")
def of_categories(outcome: str) -> Tables:
    arms = arms_of(arm("one", BITS, "forward"))
    shares = {"one": (0.8, 0.8) if outcome == "alike" else (0.8, 0.2)}
    shares[SOLVER] = (0.9, 0.3) if outcome == "the solver's as well" else (0.9, 0.9)
    cells = [
        {"arm": name, "decoder": "" if name == SOLVER else "greedy", "family": BITS, "eval_set": "test",
         "feature": "gate", "value": value, "official": share, "n": N, "installed": YES}
        | dict(zip(("low", "high"), wilson(share * N, N), strict=True))
        for name, own in shares.items() for value, share in zip(("and", "xor"), own, strict=True)
    ]  # fmt: skip
    return {"arms": arms, "categories": pd.DataFrame(cells)}


@of_categories.read
def _(figure: Figure) -> str:
    axis = panel(figure, BITS)
    cells = axis.images[0].get_array()
    printed = {text.get_position(): float(text.get_text()) for text in axis.texts}
    assert all(printed[x, y] == pytest.approx(cells[y, x], abs=0.005) for x, y in printed) and len(printed) == 4
    solver, own = (float(abs(cells[0, k] - cells[1, k])) for k in (0, 1))
    assert [t.get_text().partition(" (")[0] for t in axis.get_xticklabels()] == [SOLVER, "one"]
    return "alike" if own < 0.3 else "the arm's own" if solver < 0.3 else "the solver's as well"


@reads("corruption", "the lines carry the answer", "the lines decorate")
def of_corruption(outcome: str) -> Tables:
    broken = ("none", "swap", "solutiononly")
    arms = arms_of(*(arm(name, GRAVITY, "forward", corruption=name) for name in broken))
    carries = outcome == "the lines carry the answer"
    grades = graded(arms, dict(zip(broken, (0.5, 0.1, 0.1) if carries else (0.8, 0.8, 0.8), strict=True)))
    number = grades.id.str.partition("-")[2].astype(int)
    valid = number < 0.5 * N if carries else number % 2 == 0  # those that are right, or half of all
    rows = grades.assign(valid=valid & (grades.arm == "none"), n_lines=5)
    return {"arms": arms, "meaning": meaning.make(grades, rows, arms, steps(arms))}


@of_corruption.read
def _(figure: Figure) -> str:
    right, valid, not_valid = (panel(figure, t) for t in ("right answers", "right if every", "right if a line"))
    none, swap, bare = (at(right, height(figure, name)).value for name in ("none", "swap", "solutiononly"))
    with_lines, without = (at(axis, height(figure, "none")).value for axis in (valid, not_valid))
    if none - swap > 0.3 and abs(swap - bare) < 0.1 and with_lines - without > 0.5:
        return "the lines carry the answer"
    return "the lines decorate" if none - swap < 0.1 and abs(with_lines - without) < 0.1 else ""


@reads("cost", "work done", "lengths learned", "its texts as well")
def of_cost(outcome: str) -> Tables:
    arms = arms_of(arm("one", CRYPT, "search", selection="tiers-1-2"))
    rho = {"within": 0.9, "outside": 0.9 if outcome == "work done" else -0.2}
    own = {"within": 0.9, "outside": 0.1 if outcome == "its texts as well" else 0.9}
    line = {"arm": "one", "family": CRYPT, "design": "search", "eval_set": "test", "decoder": "greedy", "n": N}
    rows = [
        line | {"tiers": t, "rho": rho[t], "low": rho[t] - 0.1, "high": rho[t] + 0.1, "text_rho": own[t]} for t in rho
    ]
    return {"arms": arms, "cost": pd.DataFrame(rows).assign(installed=YES)}


@of_cost.read
def _(figure: Figure) -> str:
    y = height(figure, "one")
    within, outside = at(panel(figure, "tiers of its training"), y), at(panel(figure, "other tiers"), y)
    if outside.high > within.low:
        return "work done"
    return "lengths learned" if outside.bar > within.bar - 0.1 else "its texts as well"


@reads("decoders", "level", "risen")
def of_decoders(outcome: str) -> Tables:
    share = {"level": 0.25, "risen": 0.9}[outcome]
    cells = {"greedy": (0.2, "greedy", 50, {}), "maj-8": (share, "majority", 400, {})}
    return decoded(arms_of(arm("one", GRAVITY, "forward")), cells)


@of_decoders.read
def _(figure: Figure) -> str:
    greedy, vote = sorted((x, y, line.get_mfc()) for x, y, line in dots(panel(figure, GRAVITY), "one"))
    assert (greedy[0], vote[0]) == (50, 400) and greedy[2] != "white"
    assert curve(panel(figure, GRAVITY), plots.CEILING)[0.0] == 1
    return "level" if vote[2] == "white" else "risen" if vote[1] > greedy[1] + 0.3 else ""


@reads("designs", "not learned", "learned", "not possible", "no evidence")
def of_designs(outcome: str) -> Tables:
    arms = arms_of(arm("answer-only", CRYPT, "answer-only", seeds=2), arm("search", CRYPT, "search", seeds=2))
    share = (0.7, 0.8) if outcome == "learned" else (0.05, 0.05)
    grades = graded(arms, {"answer-only": {"join": 0.9, "value": 0.05}, "search": {"join": 0.9, "value": share}})
    grades["boxes"] &= (grades.arm != "search") | (outcome != "not possible") | grades.official
    told = NO if outcome == "no evidence" else YES
    table = reached(arms, grades, told)
    return {"arms": arms, "accuracy": table, "paired": paired.make(grades, arms, steps(arms, told), [])}


@of_designs.read
def _(figure: Figure) -> str:
    axis = panel(figure, "value rows")
    bare, search = (at(axis, height(figure, name)) for name in ("answer-only", "search"))
    p = float(re.search(r"smallest p \(Holm\): (\S+)", axis.get_title())[1])
    if search.struck:
        return "no evidence"
    if search.low > bare.high and min(search.seeds) > bare.high:
        return "learned" if p < 0.05 else ""
    return "not learned" if search.bar > search.high else "not possible"


@reads("failures", "verdicts", "alike in both")
def of_failures(outcome: str) -> Tables:
    arms = arms_of(arm("search", CRYPT, "search"), arm("steps", CRYPT, "forward"))
    causes = {"search": {"right": 0.2, "arithmetic": 0.1, "verdict": 0.7}, "steps": {"right": 0.7, "arithmetic": 0.3}}
    if outcome == "alike in both":
        causes = dict.fromkeys(causes, {"right": 0.3, "arithmetic": 0.6, "verdict": 0.1})
    who = {
        "family": CRYPT,
        "eval_set": "test",
        "decoder": "greedy",
        "stratum": "all",
        "n": N,
        "rows": N,
        "installed": YES,
    }
    rows = [
        who | {"arm": name, "cause": cause, "share": share, "low": share - 0.1, "high": share + 0.1}
        for name, own in causes.items() for cause, share in own.items()
    ]  # fmt: skip
    return {"arms": arms, "failures": pd.DataFrame(rows)}


@of_failures.read
def _(figure: Figure) -> str:
    axis = panel(figure, CRYPT)
    largest = {}
    for name in ("search", "steps"):
        y = height(figure, name)
        bars = {b.get_label(): b[0].get_width() for b in axis.containers if abs(b[0].get_y() + 0.34 - y) < 0.1}
        assert sum(bars.values()) == pytest.approx(1)
        largest[name] = max((cause for cause in bars if cause != "right"), key=bars.get)
        assert [t.get_text() for t in axis.texts if t.get_position()[1] == y][0].startswith(largest[name])
    return "verdicts" if largest == {"search": "verdict", "steps": "arithmetic"} else "alike in both"


@reads("few_examples", "elicited", "taught")
def of_few_examples(outcome: str) -> Tables:
    sizes = {"few-1": 1, "few-20": 20, "few-900": 900, "few-20-swap": 20}
    arms = arms_of(*(
        arm(name, GRAVITY, "forward", n=n, recipe="few", corruption="swap" if "swap" in name else "none")
        for name, n in sizes.items()
    ))  # fmt: skip
    shares = dict(
        zip(sizes, {"elicited": (0.5, 0.85, 0.9, 0.85), "taught": (0.05, 0.3, 0.9, 0.05)}[outcome], strict=True)
    )
    lines = steps(arms).assign(valid=[shares[name] / 2 for name in arms.index], valid_low=0.0, valid_high=1.0)
    return {"arms": arms, "accuracy": reached(arms, graded(arms, shares)), "traces": lines}


@of_few_examples.read
def _(figure: Figure) -> str:
    above, below = figure.axes
    own = {
        label: curve(above, label)
        for label in ("forward, recipe few, small", "forward, recipe few, texts broken: swap")
    }
    whole, swapped = own.values()
    assert curve(below, "forward, recipe few, small") == {x: pytest.approx(y / 2) for x, y in whole.items()}
    if whole[20] > whole[900] - 0.1 and swapped[20] > whole[20] - 0.1:
        return "elicited"
    return "taught" if whole[1] < whole[20] < whole[900] and swapped[20] < 0.1 else ""


@reads("fidelity", "tokens", "conclusions")
def of_fidelity(outcome: str) -> Tables:
    arms = arms_of(arm("witness", CRYPT, "witness", reveal="4"), arm("balanced", CRYPT, "witness-balanced", reveal="4"))
    share = {"tokens": 0.52, "conclusions": 0.97}[outcome]
    rows = [kind("balanced", "witness-balanced", f"try/{test}", share) for test in ("ones", "range")]
    once = {"fixed": True, "trained": "no:9", "top": 0.5}
    rows += [kind("witness", "witness", f"not/{test}", 0.5, **once) for test in ("ones", "range")]
    return {"arms": arms, "kinds": pd.DataFrame(rows)}


@of_fidelity.read
def _(figure: Figure) -> str:
    axis = panel(figure, "right by training's most frequent outcome")
    both, once = (dots(axis, f"design {name}") for name in ("witness-balanced", "witness"))
    once = [each for each in once if each[2].get_label() == "design witness"]
    assert len(both) == len(once) == 2
    assert {line.get_mfc() for *_, line in once} == {"none"} and "none" not in {line.get_mfc() for *_, line in both}
    tests = [x for x, *_ in dots(panel(figure, "verdict", -1), "design witness-balanced")]
    assert sorted(tests) == sorted(y for _, y, _ in both)
    above = [y - x for x, y, _ in both]
    return "conclusions" if min(above) > 0.3 and min(tests) > 0.9 else "tokens" if max(above) < 0.1 else ""


@reads("forced", "under way, recovers", "imitates, goes on")
def of_forced(outcome: str) -> Tables:
    shares = {25: 0.95, 50: 1.0, 75: 1.0} if "recovers" in outcome else {25: 0.25, 50: 0.5, 75: 0.75}
    cells = {"greedy": (0.1, "greedy", 50, {})}
    for percent, share in shares.items():
        cells[f"forced-{percent}"] = (share, "forced", 20, {"share": percent / 100, "wrong": False})
    cells["astray-50"] = (0.9 if "recovers" in outcome else 0.0, "forced", 20, {"share": 0.5, "wrong": True})
    return decoded(arms_of(arm("one", GRAVITY, "forward")), cells)


@of_forced.read
def _(figure: Figure) -> str:
    axis = panel(figure, GRAVITY)
    own = {bars.get_label(): dict(zip(*bars[0].get_data(), strict=True)) for bars in axis.containers}
    solid, dotted = (own[f"one (backbone small, n=8){words}"] for words in ("", ", last line wrong"))
    styles = [bars[0].get_linestyle() for bars in axis.containers]
    assert sorted(styles) == ["-", ":"] and styles[[*own].index("one (backbone small, n=8)")] == "-"
    if solid[0.25] > 0.9 and solid[0.5] - dotted[0.5] < 0.2:
        return "under way, recovers"
    slope = [solid[x] for x in (0.25, 0.5, 0.75)]
    return "imitates, goes on" if slope == pytest.approx([0.25, 0.5, 0.75]) and dotted[0.5] == 0 else ""


def solved(family: str, measures: dict[str, float], stratum: str = "all") -> pd.DataFrame:
    """Lines of the table of solvers."""
    lines = [
        {"measure": m, "value": v} | dict(zip(("low", "high"), wilson(v * N, N), strict=True))
        for m, v in measures.items()
    ]
    return pd.DataFrame(lines).assign(family=family, stratum=stratum, eval_set="test", n=N)


@reads("frontier", "as far as forward steps", "beyond", "short of them", "no evidence")
def of_frontier(outcome: str) -> Tables:
    arms = arms_of(arm("one", GRAVITY, "forward"))
    share = {"as far as forward steps": 0.5, "beyond": 0.95}.get(outcome, 0.1)
    table = reached(arms, graded(arms, {"one": share}, ceiling=0.5), NO if outcome == "no evidence" else YES)
    return {
        "arms": arms,
        "accuracy": table,
        "solvers": solved(GRAVITY, {"official": 1.0, "closure forward trace": 0.5}),
    }


@of_frontier.read
def _(figure: Figure) -> str:
    (axis,) = figure.axes
    y = height(figure, GRAVITY)
    ((value, where, _),) = dots(axis, "model, design forward")
    orange = [float(x) for dot in axis.collections for x, at in dot.get_offsets() if abs(at - y) < 0.45]
    (spread,) = [
        line.get_xdata() for line in axis.get_lines() if len(line.get_xdata()) == 2 and line.get_ydata()[0] == where
    ]
    ((bar, _, _),) = [each for each in dots(axis, plots.CEILING) if each[1] == where]
    if dots(axis, plots.STRUCK):
        return "no evidence"
    if spread[1] < min(*orange, bar):
        return "short of them"
    return "beyond" if spread[0] > max(orange) else "as far as forward steps" if abs(value - bar) < 0.05 else ""


@reads("interference", "disturbed", "neither", "shared")
def of_interference(outcome: str) -> Tables:
    arms = arms_of(arm("alone", "cipher", "forward"), arm("mixed", "numeral,cipher", "forward"))
    alone, mixed = {"disturbed": (0.9, 0.2), "neither": (0.5, 0.5), "shared": (0.2, 0.9)}[outcome]
    grades = graded(arms, {"alone": alone, "mixed": mixed})
    return {"arms": arms, "accuracy": reached(arms, grades), "paired": paired.make(grades, arms, steps(arms), [])}


@of_interference.read
def _(figure: Figure) -> str:
    alone, mixed = (
        at(panel(figure, "all rows"), height(figure, name)) for name in ("alone (1 family", "mixed (2 families")
    )
    p = float(re.search(r"mixed \(2 families, p = (\S+)\)", made_run.words(figure))[1])
    if p > 0.05:
        return "neither"
    return "disturbed" if mixed.high < alone.low else "shared" if mixed.low > alone.high else ""


@reads("lengths", "the budget runs out", "the budget is not what fails")
def of_lengths(outcome: str) -> Tables:
    arms = arms_of(arm("one", GRAVITY, "forward"))
    grades = graded(arms, {"one": 0.3})
    number = grades.id.str.partition("-")[2].astype(int)
    grades["n_tokens"] = 90 + number
    if outcome == "the budget runs out":
        grades.loc[number >= 0.4 * N, ["failure", "n_tokens"]] = "truncated", 500
    else:
        grades.loc[number >= 0.3 * N, "n_tokens"] = 10
    return {"arms": arms, "lengths": lengths.make(grades, steps(arms))}


@of_lengths.read
def _(figure: Figure) -> str:
    ((right, _, _),), ((wrong, _, small),) = (dots(panel(figure, GRAVITY), end) for end in ("right", "wrong"))
    cut = dots(panel(figure, GRAVITY), "truncated")
    said = float(re.search(r"cut off ([\d.]+)", made_run.words(figure))[1])
    if cut and cut[0][0] > 2 * right and cut[0][2].get_ms() > small.get_ms() and said == 0.6 and wrong > 0.9 * right:
        return "the budget runs out"
    return "the budget is not what fails" if not cut and said == 0 and wrong < right / 2 else ""


@reads("memorisation", "recalling is missing", "the steps after it fail", "the catalog is not used")
def of_memorisation(outcome: str) -> Tables:
    arms = arms_of(arm("plain", CRYPT, "catalog"), arm("staged", CRYPT, "catalog", recipe="two-stage"))
    recall, value = {
        "recalling is missing": ((0.1, 0.95), (0.1, 0.9)), "the steps after it fail": ((0.1, 0.95), (0.1, 0.1)),
        "the catalog is not used": ((0.1, 0.1), (0.9, 0.9)),
    }[outcome]  # fmt: skip
    names = ("plain", "staged")
    grades = graded(arms, {name: {"join": 0.9, "value": own} for name, own in zip(names, value, strict=True)})
    rows = [
        kind(name, "catalog", "catalog/signature", 1.0, arithmetic=own) for name, own in zip(names, recall, strict=True)
    ]
    configuration = pd.DataFrame({"arm": names, "drills": [0, 9], "first_stage": ["", "/drill$"]})
    return {
        "arms": arms,
        "accuracy": reached(arms, grades),
        "kinds": pd.DataFrame(rows),
        "configuration": configuration,
    }


@of_memorisation.read
def _(figure: Figure) -> str:
    axis = panel(figure, "catalog/signature")
    ((x, y, _),), ((drilled_x, drilled_y, _),) = (
        dots(axis, label) for label in ("neither: plain", "two-stage: staged")
    )
    if min(y, drilled_y) > 0.7 and max(x, drilled_x) < 0.3:
        return "the catalog is not used"
    assert drilled_x > x + 0.5
    return "recalling is missing" if drilled_y > y + 0.5 else "the steps after it fail"


@reads("oracle", "verdicts", "what to write")
def of_oracle(outcome: str) -> Tables:
    answers = {"arithmetic": ["arithmetic"], "verdict": ["verdict"]}
    answers["all"] = ["branch", "verdict", "transcription", "arithmetic"]
    shares = dict(zip(answers, (0.2, 0.9, 0.9) if outcome == "verdicts" else (0.2, 0.25, 0.3), strict=True))
    cells = {"greedy": (0.2, "greedy", 50, {})}
    cells |= {f"oracle-{name}": (shares[name], "oracle", 50, {"answers": own}) for name, own in answers.items()}
    return decoded(arms_of(arm("one", GRAVITY, "forward")), cells)


@of_oracle.read
def _(figure: Figure) -> str:
    axis = panel(figure, "all rows")
    nothing, sums, verdict, every = (
        at(axis, height(figure, name)) for name in ("nothing", "arith", "verdict", "all of")
    )
    assert every.bar == 1
    if verdict.high > every.value and verdict.low > nothing.high and sums.low < nothing.value:
        return "verdicts"
    return "what to write" if every.high < 0.6 * every.bar else ""


@reads("reinforcement", "answers", "the procedure", "nothing")
def of_reinforcement(outcome: str) -> Tables:
    arms = arms_of(arm("grpo", GRAVITY, "forward", recipe="grpo", start="one"))
    right = (0.2, 0.2, 0.2) if outcome == "nothing" else (0.2, 0.5, 0.9)
    valid = right if outcome == "the procedure" else (0.2, 0.2, 0.1)
    rows = []
    for update, own in zip((0, 10, 20), zip(right, valid, strict=True), strict=True):
        line = {
            "arm": "grpo",
            "seed": "1",
            "start": "one",
            "reward_kind": "outcome",
            "family": GRAVITY,
            "stratum": "all",
        }
        line |= {"update": update, "n": N, "reward": own[0]}
        for name, share in zip(("accuracy", "valid"), own, strict=True):
            low, high = wilson(share * N, N)
            line |= {name: share, f"{name}_low": low, f"{name}_high": high}
        rows.append(line)
    return {"arms": arms, "reinforcement": pd.DataFrame(rows)}


@of_reinforcement.read
def _(figure: Figure) -> str:
    right, valid = (
        ends(panel(figure, title), "grpo from one") for title in ("accuracy", "completions without a fault")
    )
    if right[1] - right[0] < 0.1:
        return "nothing"
    return "the procedure" if valid[1] - valid[0] > 0.3 else "answers"


@reads("reveal", "as forward steps", "beyond", "short of them", "gives up there", "no evidence")
def of_reveal(outcome: str) -> Tables:
    names = {0: "none", 5: "half", 10: "full"}
    arms = arms_of(*(arm(name, CRYPT, "search", reveal=str(k)) for k, name in names.items()))
    derived = {0: 0.0, 5: 0.4, 10: 0.9}
    shares = {"beyond": {0: 0.6, 5: 0.9, 10: 0.9}, "as forward steps": derived}.get(outcome, {0: 0.0, 5: 0.05, 10: 0.1})
    written = shares if outcome == "gives up there" else dict.fromkeys(names, 1.0)
    grades = pd.concat(
        graded(arms, {name: {"join": 0.9, "value": shares[k]}}, ceiling=written[k]) for k, name in names.items()
    )
    told = reached(arms, grades, NO if outcome == "no evidence" else YES)
    closures = {f"closure {name}@{k}": v for k, v in derived.items() for name in plots.DRAWN[1:]}
    solvers = solved(CRYPT, closures | {f"chance@{k}": 0.02 for k in derived}, "value")
    return {"arms": arms, "accuracy": told, "solvers": solvers}


@of_reveal.read
def _(figure: Figure) -> str:
    axis = panel(figure, "value rows")
    own = {round(x): y for x, y in curve(axis, "model, design search").items()}
    bars = {round(x): y for x, y in curve(axis, plots.CEILING).items()}
    orange = [curve(axis, f"forward-derivable: {name}") for name in plots.DRAWN[1:]]
    above = {k: own[k] - max(each[float(k)] for each in orange) for k in own}
    assert curve(axis, "best guess")[5.0] == 0.02
    if dots(axis, plots.STRUCK):
        return "no evidence"
    if max(above.values()) > 0.3:
        return "beyond"
    if above[10] < -0.5:
        return "short of them" if bars[10] - own[10] > 0.5 else "gives up there"
    return "as forward steps"


@reads("runs", "loss tells", "loss does not tell")
def of_runs(outcome: str) -> Tables:
    arms = arms_of(arm("low", GRAVITY, "forward"), arm("high", GRAVITY, "forward"))
    reach = {"low": 0.9, "high": 0.1} if outcome == "loss tells" else {"low": 0.1, "high": 0.1}
    rows = [
        {"arm": name, "seed": "1", "backbone": "small", "tokens": 1e6, "minutes": 3.0, "tokens_per_s": 5e3,
         "decoder": "greedy", "peak_memory_mb": 99.0, "loss": loss, "official": reach[name], "ceiling": 0.95,
         "installed": YES}
        for name, loss in (("high", 1.5), ("low", 0.1))
    ]  # fmt: skip
    return {"arms": arms, "runs": pd.DataFrame(rows)}


@of_runs.read
def _(figure: Figure) -> str:
    low, high = (height(figure, name) for name in ("low", "high"))
    panels = {"backbone small": "final loss", "accuracy, all rows": "accuracy on", plots.CEILING: "accuracy on"}
    loss, own, bars = ({y: x for x, y, _ in dots(panel(figure, title), label)} for label, title in panels.items())
    assert low < high and loss[low] < loss[high] and bars[high] - own[high] > 0.5
    return "loss tells" if bars[low] - own[low] < 0.1 else "loss does not tell"


@reads("scale", "rows are missing", "levels off")
def of_scale(outcome: str) -> Tables:
    sizes = {"few": 100, "more": 1000, "most": 10_000}
    arms = arms_of(
        *(arm(name, CRYPT, "search", n=n) for name, n in sizes.items()), arm("on", CRYPT, "search", n=3000, start="few")
    )
    value = {"on": 0.5} | dict(
        zip(sizes, (0.1, 0.5, 0.95) if outcome == "rows are missing" else (0.1, 0.12, 0.12), strict=True)
    )
    grades = graded(arms, {name: {"join": 0.9, "value": share} for name, share in value.items()})
    return {"arms": arms, "accuracy": reached(arms, grades)}


@of_scale.read
def _(figure: Figure) -> str:
    axis = panel(figure, "value rows")
    (first, last), (_, bar) = (ends(axis, label) for label in ("design search", plots.CEILING))
    assert 3000 not in curve(axis, "design search"), "an arm with another start is none of the curve"
    return "rows are missing" if last - first > 0.5 and bar - last < 0.1 else "levels off" if bar - last > 0.5 else ""


@reads("self_training", "installs the procedure", "answers only", "the control as well")
def of_self_training(outcome: str) -> Tables:
    arms = arms_of(
        arm("seed", GRAVITY, "forward"), arm("own", GRAVITY, "forward", source="seed"),
        arm("control", GRAVITY, "forward", source="seed"),
    )  # fmt: skip
    shares = {"seed": (0.3, 0.3), "own": (0.8, 0.8), "control": (0.3, 0.3)}
    shares["own"] = (0.8, 0.1) if outcome == "answers only" else (0.8, 0.8)
    shares["control"] = (0.8, 0.8) if outcome == "the control as well" else (0.3, 0.3)
    rows = []
    for name, own in shares.items():
        line = {
            "arm": name,
            "family": GRAVITY,
            "eval_set": "test",
            "seed_model": "seed",
            "round": int(name != "seed"),
            "n": N,
        }
        line |= {
            "source": "seed" if name != "seed" else "",
            "stratum": "all",
            "own": {"own": 1.0, "control": 0.0}.get(name),
        }
        line |= {"valid": 0.9 if name == "own" else None, "examples": 20, "harvested": 20, "sampled": 60, "tokens": 1e4}
        for measure, share in zip(("accuracy", "valid_lines"), own, strict=True):
            line |= {measure: share, f"{measure}_low": share - 0.1, f"{measure}_high": share + 0.1}
        rows.append(line)
    return {"arms": arms, "self_training": pd.DataFrame(rows)}


@of_self_training.read
def _(figure: Figure) -> str:
    risen, ahead = [], []
    for axis in figure.axes[:2]:
        first, last = ends(axis, "all rows, n = ")
        ((_, control, line),) = dots(axis, "all rows, solver's texts")
        assert line.get_mfc() == "white"
        risen.append(last - first > 0.3)
        ahead.append(last - control > 0.3)
    if risen == [True, True]:
        return "installs the procedure" if all(ahead) else "the control as well"
    return "answers only" if risen == [True, False] else ""


@reads("slate", "proposing fails", "checking fails, too", "not by checking")
def of_slate(outcome: str) -> Tables:
    arms = arms_of(arm("choose", CRYPT, "slate", reveal="slate-2-given"), arm("search", CRYPT, "search"))
    value = {"checking fails, too": 0.45}.get(outcome, 0.95)
    verdict = {"proposing fails": 0.98}.get(outcome, 0.5)
    grades = graded(arms, {"choose": {"join": 0.9, "value": value}, "search": {"join": 0.9, "value": 0.02}})
    ends = kind("choose", "slate", "slate/end", verdict, top=0.5)
    return {"arms": arms, "accuracy": reached(arms, grades), "kinds": pd.DataFrame([ends])}


@of_slate.read
def _(figure: Figure) -> str:
    y = height(figure, "verifying 2 keys: choose")
    slate, verdicts = at(panel(figure, "value rows"), y), at(panel(figure, "verdicts on keys"), y)
    proposing = at(panel(figure, "value rows"), height(figure, "proposing: search"))
    assert proposing.high < 0.2 and proposing.bar == 1
    if slate.low < slate.labelled["a blind choice"] < slate.high:
        return "checking fails, too"
    assert slate.bar - slate.value < 0.1
    token = verdicts.low < verdicts.labelled["verdict, most frequent outcome"] < verdicts.high
    return "not by checking" if token else "proposing fails" if verdicts.value > 0.9 else ""


@reads("tokens", "length", "loss", "neither")
def of_tokens(outcome: str) -> Tables:
    designs = ("answer-only", "derive", "search")
    arms = arms_of(*(arm(name, CRYPT, name) for name in designs))
    shares = {"length": (0.9, 0.5, 0.1), "loss": (0.1, 0.9, 0.5), "neither": (0.1, 0.5, 0.9)}[outcome]
    rows = [
        {"family": CRYPT, "design": name, "reveal": "0", "eval_set": "test", "n": N, "rendered": N,
         "tokens_median": tokens, "tokens_p95": 2 * tokens, "loss": loss}
        for name, tokens, loss in zip(designs, (10, 200, 900), (0.9, 0.1, 0.3), strict=True)
    ]  # fmt: skip
    table = reached(arms, graded(arms, dict(zip(designs, shares, strict=True))))
    return {"arms": arms, "tokens": pd.DataFrame(rows), "accuracy": table}


@of_tokens.read
def _(figure: Figure) -> str:
    heights = [height(figure, f"{CRYPT}, test: {name}") for name in ("answer-only", "derive", "search")]
    found = {title: [at(panel(figure, title), y).value for y in heights] for title in ("length", "loss", "accuracy")}
    order = {title: pd.Series(own).rank().tolist() for title, own in found.items()}
    against = [4 - rank for rank in order["accuracy"]]
    return "length" if against == order["length"] else "loss" if against == order["loss"] else "neither"


@reads("verdicts", "tokens", "conclusions", "an echo")
def of_verdicts(outcome: str) -> Tables:
    arms = arms_of(arm("one", CRYPT, "search"))
    copied = 0.05 if outcome == "an echo" else 1.0
    row = kind("one", "search", "crypt/join-test", 0.55 if outcome == "tokens" else 0.97, transcription=copied)
    return {"arms": arms, "kinds": pd.DataFrame([row]).assign(installed=NO if outcome == "an echo" else YES)}


@of_verdicts.read
def _(figure: Figure) -> str:
    axis = panel(figure, "one (")
    y, top = height(figure, "crypt/join-test"), height(figure, "every line (n=100)")
    ((verdict, at_, _),) = dots(axis, "verdict, of lines right so far")
    (span,) = [
        line.get_xdata() for line in axis.get_lines() if len(line.get_xdata()) == 2 and line.get_ydata()[0] == at_
    ]
    ((copied, where, _),) = dots(axis, "transcription")
    assert abs(where - y) < 0.45 and abs(at_ - y) < 0.45
    grey = [x for label in ("verdict, most frequent outcome", "verdict, by one feature") for x, *_ in dots(axis, label)]
    if copied < 0.3 and at(axis, top).struck:
        return "an echo"
    return "conclusions" if span[0] > max(grey) else "tokens" if copied > 0.9 else ""


@reads("walls", "they stand", "an arm beyond the closures", "verdicts as right as sums")
def of_walls(outcome: str) -> Tables:
    arms = arms_of(arm("one", CRYPT, "search"), arm("unable", CRYPT, "search"))
    grades = graded(arms, {"one": {"value": 0.9 if "beyond" in outcome else 0.1}, "unable": {"value": 1.0}})
    told = reached(arms, grades)
    told.loc[told.arm == "unable", "installed"] = NO
    kinds = pd.DataFrame(
        [kind("one", "search", "crypt/join-test", 0.99 if "sums" in outcome else 0.6, arithmetic=0.99)]
    )
    closures = {f"closure {level}/{kind}@0": 0.4 for level in walls.LEVELS for kind in ("given", "open")}
    lines = [
        *walls.of_forward_steps(solved(CRYPT, closures, "value")), *walls.of_the_highest(told),
        *walls.of_verdicts(kinds, PUBLISHED, arms.index),
    ]  # fmt: skip
    frame = pd.DataFrame(lines).assign(family=CRYPT, eval_set="test")
    return {"arms": arms, "walls": frame.reindex(columns=[*frame.columns, "study"]).fillna({"why": ""})}


@of_walls.read
def _(figure: Figure) -> str:
    forward, verdict = panel(figure, "forward: "), panel(figure, "verdict: ")
    derived = at(forward, height(figure, "full, given, value rows"))
    arm = at(forward, height(figure, "highest arm: one, value rows"))
    several, sums = (
        at(verdict, height(figure, name)) for name in ("kinds with several outcomes", "arithmetic of the same")
    )
    if arm.low > derived.high:
        return "an arm beyond the closures"
    return "verdicts as right as sums" if several.value > sums.value - 0.05 else "they stand"


@pytest.mark.parametrize("able", [False, True], ids=["the walls hide all", "the walls hide nothing"])
def test_the_other_walls_show_what_a_solver_keys_a_backbone_and_a_ranking_can_do(able, tmp_path):
    """What needs no trained arm: the whole table, made from files, and what its panels then say."""
    rng = random.Random(1)

    def key() -> str:
        digits = range(10) if able else rng.sample(range(10), 10)
        return json.dumps(dict(zip("!#$%&()*+,", digits, strict=True)))

    paths = [tmp_path / name / CRYPT / f"{of}.parquet" for name, of in
             (("puzzles", "test"), ("puzzles", "train"), ("solutions", "test"), ("hypotheses", "test"))]  # fmt: skip
    for path in paths[:2]:
        write_table(path, [{"id": f"{path.stem}-{i}", "answer": "1", "key": key()} for i in range(N)])
    posterior = {"posterior": 0.9 if able else 0.3, "answer": "1", "found": "{}"}
    write_table(paths[2], [posterior | {"id": f"test-{i}"} for i in range(N)])
    write_table(paths[3], [{"stratum": "value", "rank": 1 if able else 9, "standing": 1 if able else 9}] * N)
    arms = arms_of(arm("alone", CRYPT, "answer-only", n="0", recipe=IN_CONTEXT))
    grades = graded(arms, {"alone": 0.9 if able else 0.1}, failure="" if able else "truncated")
    kinds = pd.DataFrame([kind("one", "search", "crypt/row", 1.0)]).iloc[:0]
    puzzles, train, solutions, hypotheses = ([str(path)] for path in paths)
    table = walls.make(puzzles, train, solutions, hypotheses, PUBLISHED, arms,
                       solved(CRYPT, {"official": 0.9 if able else 0.1}), reached(arms, grades), kinds)  # fmt: skip
    figure = modules.load("figure", "walls").make(table, arms)
    high = {name: at(panel(figure, f"{wall}: "), height(figure, name)).value > 0.8 for wall, name in (
        ("solver", "right"), ("solver", "ambiguous"), ("base", "alone: right"), ("base", "alone: cut off"),
        ("hit", "rank at most 8"), ("hit", "standing at most 8"), ("information", "glyph and digit, evaluation"),
    )}  # fmt: skip
    assert high == {name: able != (name in ("ambiguous", "alone: cut off")) for name in high}
    shuffled = at(panel(figure, "information: "), height(figure, "shuffled, evaluation"))
    value = at(panel(figure, "information: "), height(figure, "glyph and digit, evaluation")).value
    assert (value > shuffled.high + 1) == able, "keys that tell nothing lie in the bar of the shuffled ones"
    plt.close(figure)
