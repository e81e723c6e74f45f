"""Decoding: finished parts survive a kill, slots change nothing, an adapter that does not fit is refused."""

import json

import pyarrow.parquet as pq
import pytest
import torch

from common.artifacts import write_table
from common.errors import LabError
from learning import adapters, local, sampling
from learning.backbones import load_model
from learning.decoding import decode_slots
from learning.settings import BackboneOptions, Recipe
from learning_fixtures import rows, save_backbone

OPTIONS = BackboneOptions()


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sampling")
    save_backbone(folder / "backbone", seed=3)
    write_table(folder / "texts.parquet", rows(21, seed=4))
    return folder


def job(place, out="out.parquet", adapter=None, **changes) -> sampling.Job:
    settings = {"options": OPTIONS, "budget": 6, "batch": 2, "device": "cpu", "state": str(place / "state")}
    files = {"backbone": str(place / "backbone"), "adapter": adapter, "texts": (str(place / "texts.parquet"),)}
    return sampling.Job(**{**settings, **files, "out": str(place / out), **changes})


def test_a_killed_job_goes_on_where_it_was(place, monkeypatch):
    sampling.sample(job(place))
    asked = []

    def counting(model, prompts, **settings):
        asked.append(len(prompts))
        if len(asked) == 2:
            raise KeyboardInterrupt
        yield from decode_slots(model, prompts, **settings)

    monkeypatch.setitem(local.ENGINES, "slots", counting)
    with pytest.raises(KeyboardInterrupt):
        sampling.sample(job(place, "again.parquet"))
    assert not (place / "again.parquet").exists()
    sampling.sample(job(place, "again.parquet"))
    assert asked == [16, 5, 5]
    assert pq.read_table(place / "again.parquet").equals(pq.read_table(place / "out.parquet"))
    assert not list((place / "state").iterdir())


def test_other_settings_do_not_reuse_parts(place):
    one, other = job(place), job(place, budget=7)
    assert one.fingerprint() != other.fingerprint() == job(place, "elsewhere.parquet", budget=7).fingerprint()


@pytest.mark.parametrize("batch", [1, 3, 8])
def test_slots_decode_as_one_row_alone(place, batch):
    """Whatever shares the slots, a row's tokens are those of the plain loop over the whole text."""
    model = load_model(place / "backbone", OPTIONS).eval()
    g = torch.Generator().manual_seed(0)
    prompts = [torch.randint(5, 90, (n,), generator=g).tolist() for n in (3, 40, 7, 70, 12, 5, 66)]
    end = {20, 21, 22}
    settings = {"budget": 90, "end": end, "pad": 0, "window": 100}
    found = {c.row: c for c in decode_slots(model, prompts, batch=batch, **settings)}
    for i, prompt in enumerate(prompts):
        ids, total = list(prompt), 0.0
        while len(ids) - len(prompt) < min(90, 100 - len(prompt)):
            with torch.no_grad():
                best, token = torch.log_softmax(model(torch.tensor([ids])).logits[0, -1], -1).max(-1)
            ids.append(int(token))
            total += float(best)
            if int(token) in end:
                break
        assert found[i].tokens == ids[len(prompt) :]
        assert found[i].logprob == pytest.approx(total, abs=1e-3)
        assert found[i].finish == ("stop" if ids[-1] in end else "length")


def test_adapters_that_do_not_fit(place, tmp_path):
    other = save_backbone(tmp_path / "other", width=48)
    model = adapters.add_lora(load_model(other, OPTIONS), Recipe(rank=4), OPTIONS)
    model.save_pretrained(tmp_path / "adapter")
    with pytest.raises(LabError, match="does not fit the backbone"):
        sampling.sample(job(place, adapter=str(tmp_path / "adapter")))
    (tmp_path / "adapter" / "adapter_config.json").unlink()
    with pytest.raises(LabError, match="missing adapter_config.json"):
        sampling.sample(job(place, adapter=str(tmp_path / "adapter")))


def test_a_prompt_longer_than_the_context(place, tmp_path):
    long = rows(1)
    long[0]["prompt"] = "1" * 600
    write_table(tmp_path / "long.parquet", long)
    with pytest.raises(LabError, match="row row-0: a prompt of .* tokens fills the context of 512"):
        sampling.sample(job(place, texts=(str(tmp_path / "long.parquet"),)))


def test_options():
    assert BackboneOptions.read(json.dumps({"hub": "a/b", "revision": "c", "engine": "generate"})).engine == "generate"
    for bad, message in (
        ({"dtype": "fp8"}, "unknown dtype"),
        ({"engine": "x"}, "slots, generate or vllm"),
        ({"a": 1}, "a;"),
    ):
        with pytest.raises(LabError, match=message):
            BackboneOptions.read(json.dumps(bad))
