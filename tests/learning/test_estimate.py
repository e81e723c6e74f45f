"""What an estimate says is what a training then needs, and one that does not fit is refused with what would."""

import json
import runpy
import subprocess
import sys
from dataclasses import replace
from math import prod
from types import SimpleNamespace

import pytest
import torch
import yaml

import tiny_models
from common.errors import LabError
from learning import counting, estimate, fit, training
from learning.methods import read_recipe
from learning.settings import BackboneOptions
from learning_fixtures import ROOT, environment, recipe, save_backbone

MEASURED = """
import gc, json, sys
sys.path[:0] = ["workflow_scripts"]
import torch
from learning import counting, estimate
from learning.backbones import load_model
from learning.loss import summed_loss
from learning.methods import read_recipe
from learning.settings import BackboneOptions

recipe = read_recipe({"rank": 32, "alpha": 64})

def field(name):
    return next(int(l.split()[1]) for l in open("/proc/self/status") if l.startswith(name)) * 1024

def train(folder, options, tokens, steps):
    model = recipe.trainable(load_model(folder, options), options, None).train()
    if options.checkpointing:
        model.enable_input_require_grads()
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad])
    ids, ends = torch.randint(5, 100, (1, tokens)), torch.tensor([0, tokens], dtype=torch.int32)
    packed = {"cu_seq_lens_q": ends, "cu_seq_lens_k": ends, "max_length_q": tokens, "max_length_k": tokens}
    for _ in range(steps):
        with summed_loss(model, ids):
            positions = torch.arange(tokens)[None]
            model(input_ids=ids, position_ids=positions, use_cache=False, **packed).logits.sum().backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

for folder, tokens, checkpointing in json.loads(sys.argv[1]):
    options = BackboneOptions(checkpointing=checkpointing)
    told = estimate.memory(counting.count(options, recipe, folder, 1, tokens), options, 1, tokens, gpu=False).peak
    train(folder, options, 64, 1)  # what libraries make at their first use
    gc.collect()
    open("/proc/self/clear_refs", "w").write("5")  # the peak starts anew
    before = field("VmRSS")
    train(folder, options, tokens, 2)
    print(tokens, checkpointing, told, field("VmHWM") - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak from /proc")
def test_the_estimate_is_the_measured_peak(tmp_path):
    """Within 20 %, where the allocator gives freed memory back; glibc's own keeps up to as much again."""
    small = str(ROOT / "config/backbones/small")
    tiny = str(save_backbone(tmp_path / "tiny", width=128, heads=4, head_size=48, feed_forward=256, context=4096))
    cases = [(tiny, 4096, False), (small, 2048, False), (small, 3072, True)]
    env = environment() | {"MALLOC_MMAP_THRESHOLD_": "100000"}
    line = [sys.executable, "-c", MEASURED, json.dumps(cases)]
    done = subprocess.run(line, capture_output=True, text=True, env=env, cwd=ROOT, timeout=400)
    assert done.returncode == 0, done.stderr[-2000:]
    print(done.stdout)
    for row in done.stdout.splitlines():
        *_, told, measured = row.split()
        assert int(told) == pytest.approx(int(measured), rel=0.2), row


BACKBONES, RECIPES = (yaml.safe_load((ROOT / f"config/{name}.yaml").read_text()) for name in ("backbones", "recipes"))


def entry(name: str, **changes) -> BackboneOptions:
    return BackboneOptions.read(json.dumps(BACKBONES[name] | changes))


@pytest.fixture(scope="module")
def llama():
    return counting.count(entry("llama-3b"), recipe(rank=32), None, 1, 2048)


def test_hub_backbones_have_their_published_sizes():
    """Parameters in all and per token, in billions, from the shapes in backbones.yaml."""
    known = {
        "llama-3b": (3.21, 3.21),
        "gpt-oss-20b": (20.9, 3.6),
        "nemotron-nano-30b": (31.6, 3.2),
        "qwen-4b": (4.2, 4.2),
    }
    for name, (all_of_them, active) in known.items():
        model = counting.skeleton(entry(name), None)
        parameters = sum(p.numel() for p in model.parameters())
        assert parameters / 1e9 == pytest.approx(all_of_them, rel=0.01), name
        assert (parameters - counting.idle(model)) / 1e9 == pytest.approx(active, rel=0.02), name


@pytest.mark.parametrize("name", [*tiny_models.HUB, "qwen-moe"])
def test_every_class_can_be_counted(name, tmp_path):
    folder = tiny_models.save(name, tmp_path / "backbone")
    options = tiny_models.options(name)
    short, long = (counting.count(options, recipe(rank=4), folder, 1, tokens) for tokens in (64, 128))
    assert 0 < short.saved < long.saved <= 4.2 * short.saved
    assert len(long.per_layer) == long.layers and min(long.per_layer) > 0


def test_memory_follows_the_settings(llama):
    options = entry("llama-3b")
    one, eight = (estimate.memory(llama, options, ranks, 2048) for ranks in (1, 8))
    assert eight.optimizer == one.optimizer // 8 and eight.weights == one.weights
    third = estimate.memory(llama, replace(options, zero_stage=3), 8, 2048)
    assert third.weights < one.weights / 2
    assert estimate.memory(llama, replace(options, checkpointing=True), 1, 2048).activations < one.activations / 3
    assert estimate.memory(llama, replace(options, offload=True), 1, 2048).host == one.optimizer


def test_what_does_not_fit_is_refused_with_what_would(llama):
    options = entry("llama-3b")
    needed = estimate.memory(llama, options, 1, 2048)
    estimate.require(needed, needed.peak, [], "arm x")
    room = needed.peak - estimate.GIB
    ways = estimate.ways_to_fit(llama, options, 1, 2048, room)
    assert ways and ways[0] == "checkpointing: true"
    with pytest.raises(LabError, match=r"arm x: a rank needs .* 1\.0 more than .*fit with checkpointing: true"):
        estimate.require(needed, room, ways, "arm x")
    with pytest.raises(LabError, match="nothing that is a setting makes it fit"):
        estimate.require(needed, estimate.GIB, estimate.ways_to_fit(llama, options, 1, 2048, estimate.GIB), "arm x")


def test_a_training_is_refused_before_its_weights_are_loaded(tmp_path, monkeypatch, capsys):
    folder = tiny_models.save("llama-3b", tmp_path / "backbone")
    job = SimpleNamespace(
        options=tiny_models.options("llama-3b"), recipe=recipe(rank=4), backbone=folder, ranks=1, device="cuda"
    )
    half = counting.count(job.options, job.recipe, folder, 1, 2048)
    room = estimate.memory(half, job.options, 1, 2048).peak
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (0, room))
    training.foresee(job, 2048)
    with pytest.raises(LabError, match=r"4096 tokens at once: a rank needs .*rows of 2048 tokens at most"):
        training.foresee(job, 4096)
    with pytest.raises(LabError, match=r"2048 tokens at once: .*texts being written"):
        training.foresee(job, 2048, rows=4, written=1 << 22)
    for device in ("cpu", "cuda"):
        job.device, other = device, tiny_models.options("llama-3b", targets=["in_proj"])
        with pytest.raises(LabError, match="no module called in_proj"):
            training.foresee(SimpleNamespace(**{**vars(job), "options": other}), 64)
    monkeypatch.setattr(counting, "count", lambda *_: 1 / 0)
    training.foresee(job, 4096)  # what cannot be counted is trained
    assert "cannot be estimated: division by zero" in capsys.readouterr().err


def test_a_reinforcement_is_counted_with_what_it_writes(tmp_path):
    """It has no adapter to start from yet; of its rows only the number in an update matters."""
    folder = tiny_models.save("llama-3b", tmp_path / "backbone")
    grpo = {"method": "grpo", "rank": 4, "alpha": 8, "batch": 2, "group": 8, "updates": 5, "tokens": 100}
    grpo |= {"max_length": 256, "micro_tokens": 512}
    options, method = tiny_models.options("llama-3b"), read_recipe(grpo)
    counts, tokens = counting.counted("llama-3b", options, grpo, folder)
    assert tokens == 512 and method.taken(64) == method.taken(1) == 80 and method.written() == (80, 100, 8)
    few, many = (estimate.memory(counts, options, 1, tokens, written=n) for n in (1, 1 << 24))
    assert few.peak < many.peak and many.written == (1 << 24) * 2 * 2 * 2 * 32 * 4  # layers, heads, keys and values
    assert read_recipe({"rank": 4, "alpha": 8, "epochs": 3}).taken(10) == 30


def test_the_table_has_every_method_of_training(monkeypatch, capsys):
    recipes = {name: entry for name, entry in RECIPES.items() if name in ("small", "grpo")}
    arm = {"backbone": "small", "rows": 100, "seeds": 2, "tests": 10}
    arms = [{**arm, "arm": f"with-{name}", "recipe": name} for name in (*recipes, "in-context")]
    words = {"arms": arms, "backbones": {"small": BACKBONES["small"]}, "recipes": recipes}
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "argv", ["estimate", *(w for k, v in words.items() for w in (f"--{k}", json.dumps(v)))])
    runpy.run_path(str(ROOT / "workflow_scripts/estimate.py"))["main"]()
    lines = capsys.readouterr().out.splitlines()
    header = lines[0].split()
    rows = [dict(zip(header, line.split(), strict=True)) for line in lines if line.strip().startswith("with-")]
    tokens = {row["arm"]: float(row["million_tokens"]) for row in rows}
    asked = 2 * prod(recipes["grpo"][name] for name in ("updates", "batch", "group", "max_length"))
    assert tokens["with-grpo"] == pytest.approx(asked / 1e6, abs=0.05)
    assert 0 < tokens["with-small"] < 1 and {row["fits"] for row in rows} == {"yes"}
    assert 0.001 < float(rows[0]["disk_gib"]) < 0.1  # small, and not nothing
    assert "host_gib" not in header  # nothing is offloaded here
    alone = rows[-1]  # decoded and never trained
    assert (alone["arm"], alone["million_tokens"], alone["train_gib"]) == ("with-in-context", "0.0", "0.0")
    assert float(alone["decode_gib"]) > 1 and float(alone["decode_gpu_h"]) > 0


def test_an_arm_says_by_how_much_it_is_too_large_and_what_would_fit():
    """Llama 3B on GPUs of 24 GiB: its training needs checkpointing, its decoding a smaller batch or several GPUs."""
    options = entry("llama-3b")
    c, tokens = counting.counted("llama-3b", options, RECIPES["study"], None)
    arm = fit.Arm(c, options, ranks=8, tokens=tokens, written=0, batch=64, length=8192)
    room = 24 * estimate.GIB
    training, decoding = arm.lacks(room)
    assert f"training needs {(arm.training.peak - room) / estimate.GIB:.1f} GiB more" in training
    assert "it would fit with checkpointing: true" in training
    batch = int(decoding.partition("a decoding batch of ")[2].partition(";")[0])
    assert arm.decoding(batch) <= room < arm.decoding(batch + 1)
    assert "engine: vllm, which spreads it over 8 GPUs" in decoding
    assert f"decoding needs {(arm.decoding() - room) / estimate.GIB:.1f} GiB more" in decoding
    assert replace(arm, tokens=0).lacks(80 * estimate.GIB) == []
    told = replace(arm, ranks=1, tokens=0).lacks(4 * estimate.GIB)
    assert len(told) == 1 and "nothing that is a setting makes it fit" in told[0]


def test_a_backbone_of_unknown_size_is_an_error():
    with pytest.raises(LabError, match="neither a folder nor a `shape`"):
        counting.skeleton(entry("llama-3b", shape={}), None)
    assert estimate.card("NVIDIA H100 80GB HBM3")[0] == 79
    with pytest.raises(LabError, match="none of the known GPUs"):
        estimate.card("abacus")
