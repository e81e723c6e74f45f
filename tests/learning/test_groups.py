"""Losses of groups of texts (preferences, sets), weights of lines, and trainings of a fixed number of updates."""

import json
import math

import pytest
import torch
from test_learning_train import arguments, curve, same_end, start_and_kill

from common.artifacts import write_table
from common.errors import LabError
from learning.backbones import load_model, load_tokenizer
from learning.loss import summed_loss
from learning.methods import check_needs, check_weights, read_recipe
from learning.methods.base import n_steps
from learning.packing import IGNORE, Collator, plan
from learning.settings import BackboneOptions
from learning.training import GroupTrainer, read_corpus
from learning_fixtures import RECIPE, rows, run

DPO = RECIPE | {"method": "dpo", "beta": 0.5, "lr": 0.003}
MML = RECIPE | {"method": "mml", "beta": 0.25}


def pairs(n: int) -> list[dict]:
    """Sums whose result the model got wrong by one; the opening tag is shared."""
    found = []
    for row in rows(n):
        wrong = row["completion"].replace(f"={row['answer']}\n", f"={int(row['answer']) + 1}\n")
        found.append(row | {"prefix": 1, "rejected": wrong, "ended": True, "unlearned": [0]})
    return found


@pytest.mark.parametrize("span", ["rest", "line"])
def test_pairs_share_what_is_read_and_differ_in_what_is_learned(place, span):
    tokenizer = load_tokenizer(place / "backbone")
    write_table(place / "pairs.parquet", pairs(3))
    units, _ = read_corpus(place / "pairs.parquet", tokenizer, read_recipe(DPO | {"span": span}))
    for row, (chosen, rejected) in zip(pairs(3), units, strict=True):
        learned = [tokenizer.decode([t for t in e.labels if t != IGNORE]) for e in (chosen, rejected)]
        if span == "line":
            assert learned == [text.split("\n")[1] + "\n" for text in (row["completion"], row["rejected"])]
        else:
            texts = (row["completion"] + "<|end|>", row["rejected"])
            assert learned == [text.removeprefix("<think>\n") for text in texts]
        assert chosen.prompt == rejected.prompt and chosen.group == rejected.group


def test_the_preference_starts_at_log_2_and_the_set_of_one_is_the_ordinary_loss():
    sums = torch.tensor([-3.0, -5.0])
    dpo, mml, marginal = read_recipe(DPO), read_recipe(MML), read_recipe(MML | {"beta": 1})
    assert dpo.objective(sums, sums).item() == pytest.approx(math.log(2))
    better = dpo.objective(sums + torch.tensor([1.0, -1.0]), sums).item()
    assert better == pytest.approx(math.log1p(math.exp(-0.5 * 2))) and better < math.log(2)
    assert mml.objective(sums[:1], sums[:1]).item() == pytest.approx(3)
    assert marginal.objective(sums, sums).item() == pytest.approx(-math.log(math.exp(-3) + math.exp(-5)))
    lifted = [torch.autograd.functional.jacobian(lambda s, m=m: m.objective(s, s), sums) for m in (marginal, mml)]
    assert lifted[0][1].abs() < lifted[1][1].abs()  # a small beta lifts the unlikely member more


@pytest.mark.parametrize("packing", [True, False])
@torch.no_grad()
def test_sums_are_those_of_each_text_alone(place, packing):
    """Packed or padded, a text's log-probability is what the model gives it by itself."""
    tokenizer, model = load_tokenizer(place / "backbone"), load_model(place / "backbone", BackboneOptions())
    write_table(place / "pairs.parquet", pairs(3))
    units, _ = read_corpus(place / "pairs.parquet", tokenizer, read_recipe(DPO))
    collate = Collator(tokenizer.pad_token_id, packing)
    trainer = GroupTrainer.__new__(GroupTrainer)
    trainer.compute = "float32"
    trainer.model = model
    together = trainer.sums(model, collate([[e for unit in units for e in unit]]))
    for example, total in zip([e for unit in units for e in unit], together.tolist(), strict=True):
        logits = model(input_ids=torch.tensor([example.ids])).logits[0].log_softmax(-1)
        learned = [(i, t) for i, t in enumerate(example.labels) if t != IGNORE]
        assert total == pytest.approx(sum(float(logits[i - 1, t]) for i, t in learned), abs=1e-3)


@pytest.mark.parametrize("packing", [True, False])
@torch.no_grad()
def test_a_weight_multiplies_the_loss_of_its_line_and_0_leaves_it_out(place, packing):
    tokenizer, model = load_tokenizer(place / "backbone"), load_model(place / "backbone", BackboneOptions())
    collate = Collator(tokenizer.pad_token_id, packing)
    found = {}
    for name, weights in (("plain", []), ("thrice", [1, 3, 1, 1]), ("without", [1, 0, 1, 1])):
        write_table(place / "weighted.parquet", [row | {"weights": [float(w) for w in weights]} for row in rows(3)])
        units, _ = read_corpus(place / "weighted.parquet", tokenizer, read_recipe(RECIPE | {"weights": {"sum": 2}}))
        inputs = collate([[e for unit in units for e in unit]])
        for size in (1 << 26, 500):  # at once, and a few tokens at a time
            given = dict(inputs)
            with summed_loss(model, given.pop("labels"), size, weights=given.pop("weights", None)):
                found[name, size] = float(model(**given, use_cache=False).logits.sum())
    for size in (1 << 26, 500):
        line = found["plain", size] - found["without", size]
        assert line > 1 and found["thrice", size] == pytest.approx(found["plain", size] + 2 * line, rel=1e-4)


def test_rows_of_one_id_are_a_set_and_a_beginning_does_not_end(place):
    tokenizer = load_tokenizer(place / "backbone")
    told = [row | {"ended": True} for row in rows(2)]
    told.insert(1, told[0] | {"completion": "<think>\n", "ended": False})
    write_table(place / "sets.parquet", told)
    units, _ = read_corpus(place / "sets.parquet", tokenizer, read_recipe(MML))
    assert [len(unit) for unit in units] == [2, 1]
    assert [unit.completion[-1] == tokenizer.eos_token_id for unit in units[0]] == [True, False]


def test_so_many_updates_however_few_the_rows():
    for n, batch in ((1, 4), (5, 4), (50, 4)):
        micros, _ = plan([10] * n, batch=batch, epochs=1, ranks=1, micro_tokens=1000, seed=0, updates=9)
        assert len(micros) == 9 and {len(micro) for micro in micros} == {min(n, batch)}
    assert n_steps(50, 4, 1) == 12


@pytest.mark.slow
def test_a_preference_is_learned(place):
    """From log 2 down, on a model that starts from another arm's adapter; what it began from is in its state."""
    write_table(place / "pairs.parquet", pairs(32))
    for out, changes, start in (("sft", {"epochs": 1}, []), ("dpo", DPO, ["--start", place / "sft"])):
        corpus = "pairs.parquet" if out == "dpo" else "corpus.parquet"
        options = arguments(place, out, 1, corpus)
        done = run("train", *options[:-1], json.dumps(RECIPE | changes), *start)
        assert done.returncode == 0, done.stderr[-3000:]
    losses = [row["loss"] for row in curve(place / "dpo")]
    assert losses[0] == pytest.approx(math.log(2), abs=1e-4) and losses[-1] < 0.9 * losses[0]


@pytest.mark.slow
def test_sets_are_learned_and_a_killed_training_loses_one_interval(place):
    """Sets of a whole text, another one and a beginning: the loss falls, and a resumed training ends where one ends
    that was not killed."""
    told = [row | {"ended": True} for row in rows(24)]
    told += [row | {"completion": row["completion"].replace("=", " =", 1)} for row in told]
    told += [
        row | {"completion": "\n".join(row["completion"].split("\n")[:2]) + "\n", "ended": False} for row in told[:24]
    ]
    write_table(place / "sets.parquet", told)

    def words(out: str) -> list[object]:
        return [*arguments(place, out, 1, "sets.parquet")[:-1], json.dumps(MML | {"updates": 9})]

    start_and_kill(words("killed"), place / "killed-state", step=5)
    for out in ("killed", "whole"):
        done = run("train", *words(out))
        assert done.returncode == 0, done.stderr[-3000:]
    losses = [row["loss"] for row in curve(place / "whole")]
    epochs = [sum(losses[i : i + 3]) / 3 for i in (0, 3, 6)]  # 24 sets, 8 a step: each epoch has them all
    assert epochs[0] - 1 > epochs[1] > epochs[2]  # of 73; a backbone of random weights can do little
    made = json.loads((place / "killed" / "provenance.json").read_text())["run"]
    assert made["resumed_from"] in ("checkpoint-4", "checkpoint-6")
    same_end(place / "whole", place / "killed")


def test_what_cannot_be(place):
    import pandas as pd

    for recipe, message in (
        (DPO | {"harvest": "answer"}, "pairs come from harvest repair alone"),
        (DPO | {"span": "word"}, "unknown span 'word'; expected rest or line"),
        (MML | {"beta": 0}, r"0 is outside \(0, 1\]"),
        (RECIPE | {"weights": {"sum": -1}}, "-1 is not a number from 0"),
        (RECIPE | {"updates": 5, "first_stage": "/drill$"}, "two stages are counted in epochs"),
    ):
        with pytest.raises(LabError, match=message):
            read_recipe(recipe)
    recipes = {"dpo": DPO, "repair": RECIPE | {"harvest": "repair"}}
    for name, source, start, message in (
        ("dpo", "", "a", r"arms.tsv: row 3, field source: recipe dpo \(method dpo\) needs an arm above this row"),
        ("dpo", "a", "", "row 3, field start"),
        ("repair", "", "", r"field source: recipe repair learns from completions \(harvest: repair\), found no source"),
    ):
        arms = pd.DataFrame([{"arm": "b", "recipe": name, "row": 3, "source": source, "start": start}])
        with pytest.raises(LabError, match=message):
            check_needs(arms, recipes, "arms.tsv")
    with pytest.raises(LabError, match="weights.crypt/rwo: no line of kind 'crypt/rwo'; did you mean 'crypt/row'"):
        check_weights({"crypt/row"}, {"weights": {"crypt/rwo": 2}})
    write_table(place / "alone.parquet", rows(2))
    with pytest.raises(LabError, match="nothing to prefer the completion to"):
        read_corpus(place / "alone.parquet", load_tokenizer(place / "backbone"), read_recipe(DPO))
