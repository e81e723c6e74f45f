"""Every table and figure on tables of arms of every shape; nothing that is not selected is drawn."""

import made_run
import matplotlib.pyplot as plt
import pandas as pd
import pytest
import yaml

from measuring import modules, plots
from measuring.figures import designs, frontier, reveal
from measuring.selection import by_backbone
from reasoning.auxiliary.selections import parts
from reasoning.judging.corruption import CORRUPTIONS
from reasoning.registry import DESIGNS

FIGURES = modules.names("figure")
DECODERS = yaml.safe_load((made_run.ROOT / "config/decoders.yaml").read_text())
CRYPT = "cryptarithm_deduce"


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> made_run.Made:
    """A run with arms of every sort; the decoder `vote` draws two samples of a row."""
    arm, model = made_run.arm, made_run.guesser
    half = {"greedy": model(0.5), "vote": model(0.9)}
    planned = [
        (arm("mix", "numeral,cipher", "forward"), half),
        (arm("mix-other", "numeral,cipher", "forward", backbone="other"), half),
        (arm("answer-only", CRYPT, "answer-only", seeds=2), half),
        *((arm(f"derive-{k}", CRYPT, "derive", reveal=k, n=9), half) for k in ("0", "5", "10", "5-given")),
        *((arm(f"derive-{k}-other", CRYPT, "derive", reveal=k, n=9, backbone="other"), half) for k in ("0", "5", "10")),
        (arm("derive-0-two-stage", CRYPT, "derive", n=9, recipe="two-stage"), half),
        (arm("derive-0-swap", CRYPT, "derive", n=9, corruption="swap"), half),
        (arm("derive-0-join", CRYPT, "derive", n=9, selection="join"), half),
        (arm("capped", CRYPT, "anchor-capped", selection="wrong-19"), half),
        (arm("base", "numeral", "forward", recipe="in-context", n=0), half),
        (arm("base-cryptarithm", CRYPT, "answer-only", recipe="in-context", n=0), half),
        (arm("most-frequent", "numeral", "forward", recipe="in-context", backbone="most-frequent"), half),
    ]
    return made_run.make(tmp_path_factory.mktemp("made"), planned, decoders=("greedy", "vote"))


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


LEARNING = {"few_examples", "reinforcement", "self_training"}
"""Figures of what trainings and arms of more than one row leave: see test_improving.py."""
ARMS = {"backbones", "corruption", "interference", "memorisation", "scale", "slate", *LEARNING}
"""Figures that compare arms of a certain sort: empty unless a shape says otherwise."""
QUIET = {"fidelity", "verdicts"}
"""Figures of verdicts: nobody here writes lines."""
KEYED = {"designs", "reveal", "walls"}
TRAINED = {"cost", "failures", "reveal", "runs"}
DECODED = {"decoders", "forced", "oracle"}
"""Figures of decoders beside greedy: those that need a kind of decoder are filled in test_decoding_tables.py."""
SHAPES = {  # name -> the arms, the decoders, and the figures that have nothing to show
    "one family": (["mix", "base"], ["greedy"], ARMS | QUIET | KEYED | {"bits"}),
    "only digits shown": (["derive-5", "derive-10"], ["greedy"], ARMS | QUIET | {"bits", "designs", "cost"}),
    "only untrained arms": (
        ["base", "base-cryptarithm", "most-frequent"], ["greedy"], ARMS | QUIET | TRAINED | {"bits"}
    ),
    "one untrained arm": (["most-frequent"], ["greedy"], ARMS | QUIET | KEYED | TRAINED | {"bits"}),
    "one arm": (["derive-0"], ["greedy"], ARMS | QUIET | {"bits", "cost"}),
    "two decoders": (["mix", "derive-0", "derive-5"], ["greedy", "vote"], ARMS | QUIET | {"bits"}),
    "another decoder": (
        ["derive-0"], ["vote"], ARMS | QUIET | KEYED - {"walls"} | TRAINED | {"bits", "categories", "lengths"}
    ),
    "a corruption": (
        ["derive-0-swap"], ["greedy"],
        ARMS | QUIET | KEYED - {"walls"} | {"bits", "categories", "cost", "failures", "lengths"},
    ),
    "a corruption beside the truth": (
        ["derive-0", "derive-0-swap"], ["greedy"], ARMS - {"corruption"} | QUIET | {"bits", "cost"}
    ),
    "a selection": (
        ["derive-0-join"], ["greedy"],
        ARMS | QUIET | KEYED - {"walls"} | {"bits", "categories", "cost", "failures", "lengths"},
    ),
    "a quota": (
        ["capped"], ["greedy"], ARMS | QUIET | {"bits", "categories", "cost", "lengths", "reveal"}
    ),
    "two backbones": (
        ["mix", "mix-other", "derive-0", "derive-0-other", "base"], ["greedy"], ARMS - {"backbones"} | QUIET | {"bits"}
    ),
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_every_table_and_figure_is_made(made, shape, tmp_path):
    arms, decoders, empty = SHAPES[shape]
    part = made.part(tmp_path / "part", arms, decoders)
    tables = part.tables()
    assert set(tables) == set(modules.names("table"))
    assert set(tables["accuracy"].arm) == set(part.arms) and set(tables["accuracy"].decoder) == set(decoders)
    trained = [row for row in part.arms.values() if row["recipe"] != "in-context"]
    assert len(tables["runs"]) == sum(int(row["seeds"]) for row in trained) * len(decoders)
    for name in FIGURES:
        figure = part.figure(name)
        said = made_run.words(figure)
        assert "decoder greedy" in said and "corruption" in said and "selection" in said and "backbone" in said
        if name in DECODED:
            empty = empty | {name} if name != "decoders" or len(decoders) == 1 else empty
        assert ("Nothing to show: no arm " in said) == (name in empty), (name, said)
        if name in empty:
            example = modules.load("figure", name).EXAMPLE
            assert example["arm"] in said and example["recipe"] in said and all(arm in said for arm in part.arms)
        if name in empty and shape == "one untrained arm":  # all empty figures are made alike
            plots.save(figure, [tmp_path / f"{name}.png"])
            assert (tmp_path / f"{name}.png").stat().st_size > 5_000


def test_an_example_is_a_row_of_the_table_of_arms():
    columns = {"arm", "families", "design", "reveal", "corruption", "selection", "n", "backbone", "recipe", "seeds"}
    for name in FIGURES:
        example = modules.load("figure", name).EXAMPLE
        extra = {"source", "start"} | ({"decoders"} if name in DECODED else set())
        assert columns <= set(example) <= columns | extra, name
        assert set(example.get("decoders", "greedy").split(",")) <= set(DECODERS), name
        for family in example["families"].split(","):
            DESIGNS[family, example["design"]].reveal(example["reveal"])
        assert example["recipe"] in made_run.RECIPES or example["recipe"] == "in-context", name
        assert example["corruption"] in CORRUPTIONS and parts(example["selection"], 10), name


@pytest.mark.slow
def test_the_rows_that_empty_figures_name_fill_them(tmp_path):
    """A run of these rows and no other, one arm each, written by a model that follows its target."""
    figures = sorted(set(FIGURES) - LEARNING - DECODED)
    examples = {name: modules.load("figure", name).EXAMPLE for name in figures}
    rows = {row["arm"]: row | {"seeds": "1", "decoders": "greedy"} for row in examples.values()}
    assert len(rows) == len({tuple(row.items()) for row in rows.values()}), "one name, one row"
    made = made_run.make(tmp_path, [(row, {"greedy": made_run.oracle}) for row in rows.values()], n=30)
    made.tables()
    for name in figures:
        said = made_run.words(made.figure(name))
        assert "Nothing to show" not in said and "n=" in said.replace(" ", ""), name


@pytest.fixture(scope="module")
def tables(made) -> dict[str, pd.DataFrame]:
    return made.tables()


OTHERS = {
    "decoder": lambda table: table.decoder == "vote",
    "corruption": lambda table: table.corruption != "none",
    "selection": lambda table: table.selection == "join",
}


@pytest.mark.parametrize("setting", OTHERS)
@pytest.mark.parametrize("name", ["frontier", "designs", "reveal"])
def test_other_settings_never_mix_in(made, tables, name, setting):
    """With accuracies that no other number has, the lines of the other setting are not to be found on the figure."""
    accuracy = tables["accuracy"].copy()
    other = OTHERS[setting](accuracy)
    accuracy.loc[other, ["official", "ceiling"]] = 0.987654
    accuracy.loc[~other, "official"] = 0.123456
    figure = make(made, tables | {"accuracy": accuracy}, name)
    assert 0.987654 not in made_run.drawn(figure) and 0.123456 in made_run.drawn(figure)
    left_out = set(accuracy[other].arm) - set(accuracy[~other].arm)
    assert not left_out or "Left out" in made_run.words(figure)


def make(made, tables, name):
    module = modules.load("figure", name)
    given = {need.removeprefix("tables/") for need in module.NEEDS}
    return module.make(**{n: tables[n] if n in tables else made.run.read(n) for n in given})


@pytest.mark.parametrize("name", ["frontier", "designs", "reveal"])
def test_backbones_have_panels_of_their_own(made, tables, name):
    accuracy = tables["accuracy"].copy()
    values = {"other": 0.987654, "small": 0.123456}
    accuracy["official"] = accuracy.backbone.map(values).fillna(0.5)
    figure = make(made, tables | {"accuracy": accuracy}, name)
    found = []
    for axis in figure.axes:
        drawn = {round(float(v), 6) for line in axis.get_lines() for v in (*line.get_xdata(), *line.get_ydata())}
        found.append({backbone for backbone, value in values.items() if value in drawn})
    assert {"other", "small"} not in found and {"other"} in found and {"small"} in found
    assert {"other", "small"} <= {name for name, _ in by_backbone(accuracy)}


def test_the_ledger_shows_one_decoder(made, tables):
    runs = tables["runs"].copy()
    runs.loc[runs.decoder == "vote", "official"] = 0.987654
    assert 0.987654 not in made_run.drawn(make(made, tables | {"runs": runs}, "runs"))
    for axis in make(made, tables, "runs").axes[:5]:
        assert sum(len(line.get_xdata()) for line in axis.get_lines()) == len(runs) / 2


def test_every_figure_with_an_accuracy_has_the_ceiling_and_n(made, tables):
    accuracy = tables["accuracy"].assign(ceiling=0.765432)
    runs = tables["runs"].assign(ceiling=0.765432)
    for name in ("frontier", "designs", "reveal", "runs", "backbones"):
        figure = make(made, tables | {"accuracy": accuracy, "runs": runs}, name)
        assert 0.765432 in made_run.drawn(figure) and plots.CEILING in made_run.words(figure), name
        assert any(text in made_run.words(figure) for text in ("n=9", "n = 9")), name


def test_a_curve_has_one_point_per_dose(made, tables):
    """Arms of another recipe are no points of the curve; the same arm twice becomes two curves."""
    accuracy = tables["accuracy"]
    twice = pd.concat([accuracy, accuracy[accuracy.arm == "derive-5"].assign(arm="derive-5-again", official=0.7)])
    accuracy.loc[accuracy.recipe == "two-stage", "official"] = 0.987654
    figure = make(made, tables | {"accuracy": twice}, "reveal")
    assert 0.987654 not in made_run.drawn(figure)
    for axis in figure.axes:
        curves = [line for line in axis.get_lines() if line.get_label().startswith("model")]
        assert curves and all(len(set(line.get_xdata())) == len(line.get_xdata()) for line in curves)
    assert "derive-5-again" in made_run.words(figure)


def test_published_numbers_stand_beside_ours(made, tables):
    figure = make(made, tables, "frontier")
    points = {
        (round(float(line.get_xdata()[0]), 4), line.get_label()) for axis in figure.axes for line in axis.get_lines()
    }
    assert (0.07, "published: model") in points, "cryptarithm_deduce has a model"
    assert (0.0713, "an entrant's model, held out: no") in points
    said = made_run.words(make(made, tables, "designs"))
    assert "two-stage with 12k rows (n=11, held out: yes)" in said and "r1" in said
    assert "published model, rules given" in made_run.words(make(made, tables, "reveal"))
    assert reveal.DOSE["full"] == 10 and frontier.SELECTION.decoder == designs.SELECTION.decoder == "greedy"


def test_figures_repeat_to_the_byte(made, tables, tmp_path):
    shown = ("accuracy", "runs", "failures")
    few = {name: tables[name][tables[name].arm.isin(["mix", "derive-5"])] for name in shown}
    for name in ("frontier", "designs", "reveal", "runs", "verdicts", "walls", "failures"):
        for turn in "ab":
            figure = make(made, tables | few, name)
            plots.save(figure, [tmp_path / f"{name}-{turn}.png", tmp_path / f"{name}-{turn}.pdf"])
        for suffix in ("png", "pdf"):
            one, two = ((tmp_path / f"{name}-{turn}.{suffix}").read_bytes() for turn in "ab")
            assert one == two and len(one) > 5_000


def test_names_beside_points_stand_on_no_other_name():
    figure, axis = plt.subplots(figsize=(5, 4))
    axis.set(xscale="log", xlim=(100, 2000), ylim=(-0.03, 1.03))
    points = [(700 + 3 * i, 0.1 + 0.01 * (i % 3), f"decoder-{i}") for i in range(14)] + [(1900, 1.0, "at-the-edge")]
    plots.name_points(axis, points, size=7)
    boxes = [text.get_window_extent() for text in axis.texts]
    assert len(boxes) == 15 and all(axis.get_window_extent().y0 < box.y0 for box in boxes)
    assert not [(a, b) for i, a in enumerate(boxes) for b in boxes[:i] if a.overlaps(b)]
    assert len(axis.lines) > 5, "a line leads to a point whose name stands elsewhere"
    plt.close(figure)
