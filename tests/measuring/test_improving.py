"""Tables and figures of self-training, reinforcement and few examples, on runs whose numbers are known."""

import json

import made_run
import matplotlib.pyplot as plt
import pandas as pd
import pytest

from common.artifacts import write_table
from measuring import modules
from measuring.inputs import read_published
from measuring.tables import reinforcement, self_training

CRYPT = "cryptarithm_deduce"
ROWS = [("seed", "", ""), ("round-1", "seed", "seed"), ("control-1", "seed", "seed"), ("round-2", "round-1", "round-1")]
ARMS = pd.DataFrame(
    [{"arm": a, "source": s, "start": t, "n": 4, "reveal": "0", "families": (CRYPT,)} for a, s, t in ROWS]
    + [{"arm": "other", "source": "", "start": "", "n": 4, "reveal": "0", "families": (CRYPT,)}]
).set_index("arm", drop=False)


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def graded(right: dict[str, int], valid: dict[str, int]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Ten rows an arm, five joins and five values, of which the first `right` are right and the first `valid` sound."""
    who = [
        {"arm": arm, "seed": "1", "decoder": "greedy", "eval_set": "test", "family": CRYPT, "design": "search",
         "id": str(i), "sample": 0, "stratum": "join" if i < 5 else "value"}
        for arm in right for i in range(10)
    ]  # fmt: skip
    grades = [row | {"official": int(row["id"]) < right[row["arm"]], "n_tokens": 100, "failure": ""} for row in who]
    audits = [row | {"valid": int(row["id"]) < valid[row["arm"]]} for row in who]
    return pd.DataFrame(grades), pd.DataFrame(audits)


def corpora(folder) -> list[str]:
    """Four examples an arm: of a round three of four are sound, of the control none is its own."""
    paths = []
    for arm, source, _ in ROWS:
        own = {"round-1": [True, True, True, False], "round-2": [True] * 4}.get(arm, [None] * 4)
        rows = [{"role": "task", "n_chars": 50, "valid": valid} for valid in own]
        counts = {"statuses": {"rendered": 6, "wrong answer": 26}, "rows": 4, "texts": 20}
        path = folder / f"corpora/{arm}/seed-1.parquet"
        params = {"harvested": [counts] if source else []}
        write_table(path, pd_table(rows), params=params)
        paths.append(str(path))
    return paths


def metrics(folder) -> list[str]:
    """Trainings of two steps; the rounds' took more tokens than their control's."""
    paths = []
    for arm, _, _ in ROWS:
        path = folder / f"adapters/{arm}/seed-1/metrics.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        steps = [{"step": step, "tokens": 3400 if arm == "control-1" else 4200} for step in (1, 2)]
        path.write_text("".join(json.dumps(step) + "\n" for step in steps))
        paths.append(str(path))
    return paths


def pd_table(rows: list[dict]):
    import pyarrow as pa

    schema = pa.schema([("role", pa.string()), ("n_chars", pa.int32()), ("valid", pa.bool_())])
    return pa.Table.from_pylist(rows, schema=schema)


@pytest.fixture()
def rounds(tmp_path) -> pd.DataFrame:
    right = {"seed": 5, "round-1": 7, "control-1": 5, "round-2": 9, "other": 10}
    valid = {"seed": 5, "round-1": 4, "control-1": 5, "round-2": 2, "other": 10}
    return self_training.make(ARMS, corpora(tmp_path), metrics(tmp_path), *graded(right, valid))


def test_rounds_stand_beside_their_start_and_their_control(rounds):
    table = rounds.set_index(["arm", "stratum"])
    assert set(rounds.arm) == {"seed", "round-1", "control-1", "round-2"}
    line = table.loc[("round-2", "all")]
    assert (line["round"], line.accuracy, line.valid_lines, line.own, line.valid) == (2, 0.9, 0.2, 1.0, 1.0)
    assert line.gain == pytest.approx(0.2) and (line.harvested, line.sampled, line.texts_per_row) == (6, 32, 5.0)
    assert table.loc[("round-1", "value")].accuracy == 0.4 and table.loc[("round-1", "all")].valid == 0.75
    control = table.loc[("control-1", "all")]
    assert (line.tokens, control.tokens) == (8400, 6800)
    assert control.own == 0 and control["round"] == 1 and control.gain == 0 and pd.isna(control.valid)
    assert table.loc[("seed", "all")]["round"] == 0 and pd.isna(table.loc[("seed", "all")].gain)
    assert self_training.make(ARMS.assign(source=""), [], [], *graded({"seed": 1}, {"seed": 1})).empty


def test_the_figure_of_rounds_joins_rounds_and_leaves_controls_hollow(rounds):
    published = read_published(made_run.ROOT / "config/published.csv")
    figure = modules.load("figure", "self_training").make(rounds, published, ARMS)
    assert {0.9, 0.7, 0.5, 0.2} <= made_run.drawn(figure) and "solver's texts" in made_run.words(figure)
    assert all(said in made_run.words(figure) for said in ("n = 10", "round-1 8k", "control-1 7k"))
    bits = rounds.assign(family="bit_manipulation")
    assert {0.61, 0.678, 0.04} <= made_run.drawn(modules.load("figure", "self_training").make(bits, published, ARMS))


def run_of(folder) -> tuple[list[str], list[str]]:
    """A training of four updates measured at 0, 2 and 4, and one that measures nothing."""
    files = [[], []]
    for arm in ("round-1", "other"):
        place = folder / f"adapters/{arm}/seed-1"
        place.mkdir(parents=True)
        steps = [
            {"step": s, "reward": s / 10, "kl": None, "completion_tokens": 9.0, "same_reward": 0.5} for s in range(1, 5)
        ]
        (place / "metrics.jsonl").write_text("".join(json.dumps(step) + "\n" for step in steps))
        measured = [
            {"step": s, "family": CRYPT, "stratum": stratum, "n": 10, "right": s + k, "valid": 8 - s,
             "right_and_valid": min(1, s + k), "ended": 9, "tokens": 500}
            for s in (0, 2, 4) for k, stratum in enumerate(("join", "value"))
        ]  # fmt: skip
        made = {"backbone": "b", "recipe": {"reward": "outcome"}, "ranks": 1, "gpus": 0}
        made["run"] = {"held_out": measured} if arm == "round-1" else {}
        (place / "provenance.json").write_text(json.dumps(made))
        for names, name in zip(files, ("metrics.jsonl", "provenance.json"), strict=True):
            names.append(str(place / name))
    return files


def test_reinforcement_is_told_checkpoint_by_checkpoint(tmp_path):
    table = reinforcement.make(*run_of(tmp_path), ARMS)
    assert set(table.arm) == {"round-1"} and table.reward_kind.eq("outcome").all() and table.start.eq("seed").all()
    pooled = table[table.stratum == "all"].set_index("update")
    assert pooled.accuracy.tolist() == [0.05, 0.25, 0.45] and pooled.valid.tolist() == [0.8, 0.6, 0.4]
    assert pooled.n.eq(20).all() and pooled.valid_of_right[4] == pytest.approx(2 / 9)
    assert pd.isna(pooled.reward[0]) and pooled.reward[2] == pytest.approx(0.15) == pooled.reward[4] - 0.2
    figure = modules.load("figure", "reinforcement").make(table, ARMS)
    assert {0.05, 0.45, 0.8, 0.4} <= made_run.drawn(figure)
    assert "from seed, reward outcome" in made_run.words(figure) and "n = 20" in made_run.words(figure)


def test_few_examples_are_curves_over_their_number():
    """A curve of one recipe, a choice at a number that it has, and examples in the prompt; others are not drawn."""
    arms, accuracy, traces = [], [], []
    for name, n, recipe, selection, share in (
        ("few-1", 1, "few", "all", 0.11), ("few-20", 20, "few", "all", 0.22), ("few-hard", 20, "few", "hard", 0.33),
        ("shown-0", 0, "in-context", "all", 0.44), ("shown-1", 1, "in-context", "all", 0.55),
        ("many", 900, "small", "all", 0.66), ("on", 50, "few", "all", 0.77),
    ):  # fmt: skip
        start = "many" if name == "on" else ""
        arms.append({"arm": name, "source": "", "start": start, "reveal": "0", "families": (CRYPT,)})
        for seed in ("1", "all"):
            accuracy.append(
                {"arm": name, "family": CRYPT, "eval_set": "test", "decoder": "greedy", "design": "journey",
                 "reveal": 0, "stratum": "all", "seed": seed, "corruption": "none", "selection": selection,
                 "backbone": "small", "recipe": recipe, "arm_n": n, "n": 40, "official": share, "official_low": share,
                 "official_high": share, "trained": recipe != "in-context"}
            )  # fmt: skip
        traces.append({"arm": name, "family": CRYPT, "eval_set": "test", "decoder": "greedy", "valid": share / 2,
                       "valid_low": 0, "valid_high": 1})  # fmt: skip
    arms = pd.DataFrame(arms).set_index("arm", drop=False)
    figure = modules.load("figure", "few_examples").make(pd.DataFrame(accuracy), pd.DataFrame(traces), arms)
    assert {0.11, 0.22, 0.33, 0.44, 0.55, 0.11 / 2} <= made_run.drawn(figure)
    assert not {0.66, 0.77} & made_run.drawn(figure), "another recipe, another start"
    assert "selection hard" in made_run.words(figure) and "n = 40" in made_run.words(figure)
