"""Training of every parameter from a random start, through the same scripts as an adapter."""

import json

import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_file, save_file
from test_learning_train import arguments, curve, same_end, start_and_kill

from common.artifacts import write_table
from common.errors import LabError
from learning import adapters
from learning.backbones import load_model
from learning.settings import BackboneOptions, check_folder
from learning_fixtures import RECIPE, ROOT, asked, greedy, recipe, run

FULL = {"method": "full", "schedule": "cosine", "floor": 0.1, "beta2": 0.99}


def train(place, out: str, ranks: int = 2, **recipe) -> list[object]:
    return arguments(place, out, ranks, **FULL, **recipe)


@pytest.fixture(scope="module")
def trained(place):
    done = run("train", *train(place, "adapter"))
    assert done.returncode == 0, done.stderr[-3000:]
    return place / "adapter"


def test_every_parameter_is_trained_and_saved(place, trained):
    start = load_model(place / "backbone", BackboneOptions())
    saved = load_file(trained / adapters.WEIGHTS)
    before = dict(start.named_parameters())
    assert set(saved) == set(before) and all(not torch.equal(saved[n], before[n]) for n in saved)
    steps = curve(trained)
    assert steps[-1]["loss"] < steps[0]["loss"]
    assert 0.1 < steps[-1]["lr"] / RECIPE["lr"] < 0.15
    record = json.loads((trained / "provenance.json").read_text())["run"]
    assert record["trainable_parameters"] == sum(p.numel() for p in before.values())
    assert record["native_voice"] is None
    assert not torch.equal(
        adapters.probe(load_model(place / "backbone", BackboneOptions()), [5, 6]),
        adapters.probe(adapters.attach(load_model(place / "backbone", BackboneOptions()), trained), [5, 6]),
    )


def test_it_is_decoded_like_an_adapter(place, trained):
    write_table(place / "texts.parquet", asked(5, seed=1))
    common = ["--backbone", place / "backbone", "--texts", place / "texts.parquet", *greedy(12), "--state", place]
    texts = {}
    for name, adapter in (("start", []), ("trained", ["--adapter", trained])):
        done = run("sample", *common, *adapter, "--out", place / f"{name}.parquet")
        assert done.returncode == 0, done.stderr[-3000:]
        texts[name] = pq.read_table(place / f"{name}.parquet")["text"].to_pylist()
    assert texts["start"] != texts["trained"]


@pytest.mark.slow
def test_killed_and_on_one_rank_it_ends_the_same(place, trained):
    """As the two ranks that were not killed."""
    start_and_kill(train(place, "killed", ranks=1), place / "killed-state", step=5)
    assert run("train", *train(place, "killed", ranks=1)).returncode == 0
    resumed = json.loads((place / "killed" / "provenance.json").read_text())["run"]["resumed_from"]
    assert resumed in ("checkpoint-4", "checkpoint-6")
    same_end(trained, place / "killed")


def test_weights_of_another_model_are_refused(place, trained, tmp_path):
    tensors = load_file(trained / adapters.WEIGHTS)
    adapters.write_json(tmp_path / adapters.CONFIG, {"method": "full"})
    model = load_model(place / "backbone", BackboneOptions())
    name = sorted(tensors)[0]
    save_file({n: t for n, t in tensors.items() if n != name}, tmp_path / adapters.WEIGHTS)
    with pytest.raises(LabError, match=f"1 tensors are missing or unknown, first {name}"):
        adapters.attach(model, tmp_path)
    save_file({**tensors, name: torch.ones(3)}, tmp_path / adapters.WEIGHTS)
    with pytest.raises(RuntimeError, match=name):
        adapters.attach(model, tmp_path)


def test_dropout_is_on_in_training_only(place):
    options = BackboneOptions()
    model = recipe(method="full", dropout=0.5).trainable(load_model(place / "backbone", options), options, None)
    ids = torch.tensor([[5, 6, 7]])
    model.train()
    assert not torch.equal(model(input_ids=ids).logits, model(input_ids=ids).logits)
    model.eval()
    plain = load_model(place / "backbone", options).eval()
    assert torch.equal(model(input_ids=ids).logits, plain(input_ids=ids).logits)


def test_settings():
    with pytest.raises(LabError, match="field method: unknown method 'fulll'"):
        recipe(method="fulll")
    with pytest.raises(LabError, match="field floor: only the cosine schedule"):
        recipe(floor=0.1)


def test_a_backbone_without_pretraining(tmp_path):
    """The entry `scratch` as it stands: ten million random weights in seconds."""
    import yaml

    entry = yaml.safe_load((ROOT / "config/backbones.yaml").read_text())["scratch"]
    out = tmp_path / "scratch"
    common = ["--state", tmp_path / "state", "--skills", tmp_path / "skills.json", "--threads", 1]
    done = run("backbone", "--options", json.dumps(entry), "--out", out, *common)
    assert done.returncode == 0, done.stderr[-2000:]
    check_folder(out)
    size = sum(p.numel() for p in load_model(out, BackboneOptions()).parameters())
    assert 10_000_000 < size < 11_500_000
