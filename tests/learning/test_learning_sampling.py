"""Decoding: finished parts survive a kill, slots change nothing, an adapter that does not fit is refused."""

import json
import signal

import pyarrow.parquet as pq
import pytest
import torch

import forked
from common.artifacts import write_table
from common.errors import LabError
from learning import adapters, sampling
from learning.backbones import load_model
from learning.decoders import read_decoder
from learning.engines import Request, slots
from learning.engines.slots import decode_slots
from learning.engines.streams import Waiting
from learning.settings import BackboneOptions
from learning_fixtures import ROOT, asked, recipe, save_backbone

OPTIONS = BackboneOptions()


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sampling")
    save_backbone(folder / "backbone", seed=3)
    write_table(folder / "texts.parquet", asked(21, seed=4))
    return folder


def job(place, out="out.parquet", adapter=None, decoder=None, **changes) -> sampling.SampleJob:
    decoder = read_decoder({"kind": "greedy", "max_tokens": 6, "batch": 2, **(decoder or {})})
    settings = {"options": OPTIONS, "decoder": decoder, "device": "cpu", "state": str(place / "state")}
    files = {"backbone": str(place / "backbone"), "adapter": adapter, "texts": (str(place / "texts.parquet"),)}
    return sampling.SampleJob(**{**settings, **files, "out": str(place / out), **changes})


DYING = """
import os, signal, sys
from pathlib import Path
sys.path[:0] = {paths}
from learning import sampling
from learning.engines import slots
from test_learning_sampling import job

decode, batches = slots.decode_slots, []

def dying(model, wanted, **settings):
    batches.append(wanted)
    if len(batches) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    yield from decode(model, wanted, **settings)

slots.decode_slots = dying
sampling.sample(job(Path({place!r}), "again.parquet"))
"""


def test_a_job_killed_with_9_goes_on_where_it_was(place, tmp_path, monkeypatch):
    sampling.sample(job(place))
    folders = [str(ROOT / name) for name in ("workflow_scripts", "tests", "tests/learning")]
    (tmp_path / "dying.py").write_text(DYING.format(paths=folders, place=str(place)))
    assert forked.run(tmp_path / "dying.py", timeout=300).returncode == -signal.SIGKILL
    assert not (place / "again.parquet").exists()
    sizes = []

    def counting(model, wanted, **settings):
        sizes.append(len(wanted))
        yield from decode_slots(model, wanted, **settings)

    monkeypatch.setattr(slots, "decode_slots", counting)
    sampling.sample(job(place, "again.parquet"))
    assert sizes == [5]  # of 21 rows: the 16 of the batch before the kill are there
    assert pq.read_table(place / "again.parquet").equals(pq.read_table(place / "out.parquet"))
    assert not list((place / "state").iterdir())


def test_other_settings_do_not_reuse_parts(place):
    one, other = job(place), job(place, decoder={"max_tokens": 7})
    again = job(place, "elsewhere.parquet", decoder={"max_tokens": 7})
    assert one.fingerprint() != other.fingerprint() == again.fingerprint()
    drawn = [
        job(place, decoder={"kind": "sample", "k": 2, "temperature": t, "seed": s}, seed=arm)
        for t, s, arm in ((1.0, 0, 1), (0.8, 0, 1), (1.0, 1, 1), (1.0, 0, 2))
    ]
    assert len({each.fingerprint() for each in (one, other, *drawn)}) == 6


@pytest.mark.parametrize("batch", [1, 3, 8])
def test_slots_decode_as_one_row_alone(place, batch):
    """Whatever shares the slots, a row's tokens are those of the plain loop over the whole text."""
    model = load_model(place / "backbone", OPTIONS).eval()
    g = torch.Generator().manual_seed(0)
    prompts = [torch.randint(5, 90, (n,), generator=g).tolist() for n in (3, 40, 7, 70, 12, 5, 66)]
    end = {20, 21, 22}
    wanted = Waiting([Request(prompt, 90) for prompt in prompts], end, frozenset(), 100)
    found = {c.request: c for c in decode_slots(model, wanted, batch=batch, pad=0)}
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
        assert sum(found[i].logprobs) == pytest.approx(total, abs=1e-3)
        assert found[i].finish == ("stop" if ids[-1] in end else "length")


def test_adapters_that_do_not_fit(place, tmp_path):
    other = save_backbone(tmp_path / "other", width=48)
    model = adapters.add_lora(load_model(other, OPTIONS), recipe(rank=4), OPTIONS)
    model.save_pretrained(tmp_path / "adapter")
    with pytest.raises(LabError, match="does not fit the backbone"):
        sampling.sample(job(place, adapter=str(tmp_path / "adapter")))
    (tmp_path / "adapter" / "adapter_config.json").unlink()
    with pytest.raises(LabError, match="missing adapter_config.json"):
        sampling.sample(job(place, adapter=str(tmp_path / "adapter")))


def test_a_prompt_longer_than_the_context(place, tmp_path):
    long = asked(1)
    long[0]["prompt"] = "1" * 600
    write_table(tmp_path / "long.parquet", long)
    with pytest.raises(LabError, match="row row-0: a prompt of .* tokens fills the context of 512"):
        sampling.sample(job(place, texts=(str(tmp_path / "long.parquet"),)))


def test_options():
    assert (
        BackboneOptions.read(json.dumps({"hub": "a/b", "revision": "c" * 40, "engine": "generate"})).engine
        == "generate"
    )
    for bad, message in (
        ({"dtype": "fp8"}, "unknown dtype"),
        ({"engine": "x"}, "generate, slots, vllm"),
        ({"a": 1}, "field a: unknown key"),
    ):
        with pytest.raises(LabError, match=message):
            BackboneOptions.read(json.dumps(bad))
