"""Reinforcement: a start that is right half of the time learns to be, a killed one goes on, no reward is refused."""

import json
import random
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from test_learning_train import arguments, curve, same_end, start_and_kill

from common.artifacts import write_table
from common.errors import LabError
from learning import adapters, launch
from learning.backbones import load_model, load_tokenizer
from learning.methods import read_recipe
from learning.packing import Collator
from learning.settings import BackboneOptions
from learning.training import tokenized
from learning_fixtures import PHRASES, ROOT, last_error, recipe, run

GRPO = {"method": "grpo", "rank": 4, "alpha": 8, "lr": 0.008, "schedule": "linear", "batch": 4, "max_length": 256}
GRPO |= {"updates": 12, "group": 8, "tokens": 24, "save_every": 4, "held_out": 8, "micro_tokens": 4096, "kl": 0.05}


def coins(n: int, right: str = "2") -> list[dict]:
    """Rows that say heads or tails at random; only one is right."""
    rng = random.Random(n)
    return [
        {
            **{name: "" for name in ("design", "hidden")},
            "id": f"row-{i}", "family": "coins", "stratum": "all", "answer": right, "status": "rendered",
            "prompt": f"{PHRASES[0]} {i}{PHRASES[1]}",
            "completion": f"<think>\n</think>\n\\boxed{{{rng.choice('12')}}}",
        }
        for i in range(n)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def coin(place) -> Path:
    """A backbone that boxes 1 or 2, each about half of the time, and an adapter that changes nothing."""
    options, tokenizer = BackboneOptions(), load_tokenizer(place / "backbone")
    model = load_model(place / "backbone", options)
    rows, collate = [tokenized(tokenizer, row) for row in coins(64)], Collator(tokenizer.pad_token_id, packing=False)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    for step in range(120):
        model(**collate([rows[step % 2 :: 2]])).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    model.save_pretrained(place / "backbone")
    (place / "coin").mkdir()
    wrapped = adapters.add_lora(model, recipe(), options)
    adapters.write(wrapped, adapters.gather(wrapped), place / "coin", place / "backbone")
    write_table(place / "coins.parquet", coins(64))
    write_table(place / "asked.parquet", coins(12))
    return place / "coin"


def words(place: Path, out: str, ranks: int = 1, corpus: str = "coins.parquet", **changes) -> list[object]:
    """The command line of a reinforcement."""
    options = arguments(place, out, ranks, corpus)
    return [*options[:-1], json.dumps(GRPO | changes), "--start", place / "coin", "--texts", place / "asked.parquet"]


@pytest.fixture(scope="module")
def whole(place, coin) -> Path:
    done = run("train", *words(place, "whole"))
    assert done.returncode == 0, done.stderr[-3000:]
    return place / "whole"


def test_what_is_rewarded_is_learned_and_measured_at_every_checkpoint(whole):
    updates = curve(whole)
    assert [row["step"] for row in updates] == list(range(1, 13))
    assert all(0 <= row["reward"] <= 1 for row in updates) and 0.2 < updates[0]["reward"] < 0.8
    assert all(row["tokens"] > 0 and row["tokens_per_s"] > 0 and row["kl"] >= 0 for row in updates)
    assert updates[0]["kl"] < 1e-6 < updates[-1]["kl"]  # the divergence is from the start
    made = json.loads((whole / "provenance.json").read_text())
    measured = made["run"]["held_out"]
    assert [row["step"] for row in measured] == [0, 4, 8, 12] and {row["n"] for row in measured} == {8}
    assert [row["right"] for row in measured][:: len(measured) - 1] == [0, 8]
    assert measured[-1]["valid"] == 0 and made["start_hash"]


@pytest.mark.slow
def test_killed_it_loses_at_most_one_interval(place, whole):
    """The resumed training draws the same completions: it ends where the whole one does."""
    start_and_kill(words(place, "killed"), place / "killed-state", step=5)
    done = run("train", *words(place, "killed"))
    assert done.returncode == 0, done.stderr[-3000:]
    made = [json.loads((folder / "provenance.json").read_text())["run"] for folder in (whole, place / "killed")]
    assert made[1]["resumed_from"] in ("checkpoint-4", "checkpoint-8")
    same_end(whole, place / "killed")
    assert made[0]["held_out"] == made[1]["held_out"]


@pytest.mark.slow
def test_two_ranks_share_the_groups(place, coin):
    done = run("train", *words(place, "two", ranks=2, updates=2))
    assert done.returncode == 0, done.stderr[-3000:]
    made = json.loads((place / "two" / "provenance.json").read_text())["run"]
    assert made["ranks"] == 2 and {row["n"] for row in made["held_out"]} == {8}


@pytest.mark.slow
def test_a_reward_without_a_difference_is_refused_at_once(place, coin):
    write_table(place / "hopeless.parquet", coins(64, right="no such answer"))
    error = last_error(run("train", *words(place, "hopeless", corpus="hopeless.parquet")))
    assert (
        "field reward: in the first 3 updates every completion of a group was worth the same (mean reward 0)" in error
    )


def test_rewards():
    """By reward: a right and valid completion, a right one, a wrong one, a right one that did not end."""
    judges = {
        "boxed": lambda row, text: float("right" in text),
        "valid": lambda row, text: float("valid" in text),
        "prefix": lambda row, text: 0.5,
    }
    cases = (("right valid", True), ("right", True), ("valid", True), ("right valid", False))
    expected = {"outcome": [1, 1, 0, 0], "outcome-valid": [1, 0, 0, 0], "prefix": [1, 1, 0.1, 0.1]}
    for reward, values in expected.items():
        method = read_recipe(GRPO | {"reward": reward, "partial": 0.2})
        assert [method.worth(judges, {}, *case) for case in cases] == values
    for options, ranks, message in (
        (BackboneOptions(targets=("q_proj", "lm_head")), 1, "no adapter on lm_head"),
        (BackboneOptions(), 3, "4 rows of 8 completions cannot be shared by 3 ranks"),
    ):
        with pytest.raises(LabError, match=message):
            read_recipe(GRPO).check(options, ranks)
    args = SimpleNamespace(recipe=json.dumps(GRPO), backbone_options="{}", backbone=ROOT / "config/backbones/small")
    with pytest.raises(LabError, match="field --start: method grpo goes on from an adapter, found none"):
        launch.check(SimpleNamespace(**vars(args), start=None))
    for changes, message in (
        ({"group": 1}, "1 completion"),
        ({"reward": "fame"}, "unknown reward 'fame'; expected one of outcome, outcome-valid, prefix"),
        ({"updates": 0}, "0 is not above 0"),
    ):
        with pytest.raises(LabError, match=message):
            read_recipe(GRPO | changes)
