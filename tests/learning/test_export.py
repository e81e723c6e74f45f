"""An exported adapter has the hub's names and is the same adapter there; every way to lose a part of it is an error."""

import json
import runpy
import shutil
import zipfile

import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_file, save_file

import tiny_models
from common.errors import LabError
from learning import adapters, autopsy, export
from learning.backbones import load_model
from learning.training import Reached
from learning_fixtures import ROOT, last_error, run, save_corpus

IDS = list(range(5, 60))
TEXTS = [IDS, IDS[::-1]]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Name -> (backbone folder, adapter folder, export folder, what export said), made when first asked for."""
    found, root = {}, tmp_path_factory.mktemp("export")

    def get(name: str):
        if name not in found:
            backbone = tiny_models.save(name, root / name / "backbone")
            tiny_models.save_adapter(name, backbone, root / name / "adapter")
            found[name] = (backbone, root / name / "adapter", *exported(name, backbone, root / name / "adapter"))
        return found[name]

    return get


def exported(name, backbone, adapter, **changes):
    options = tiny_models.options(name)
    folder = adapter.with_name(f"export-{len(list(adapter.parent.iterdir()))}")
    folder.mkdir()
    model = adapters.attach(load_model(backbone, options), adapter).eval()
    settings = {"hub": "org/model", "dtype": "float32", **changes}
    return folder, export.export(model, load_model(backbone, options).eval(), backbone, folder, TEXTS, **settings)


@pytest.mark.parametrize("name", [*tiny_models.HUB, "qwen-moe"])
def test_an_export_has_the_checkpoints_names_and_probabilities(name, made):
    backbone, _, folder, said = made(name)
    keys = export.checkpoint_keys(backbone)
    tensors = load_file(folder / export.WEIGHTS)
    config = json.loads((folder / export.CONFIG).read_text())
    for tensor in tensors:
        module = tensor.removeprefix(export.PREFIX).partition(".lora_")[0]
        if name != "gpt-oss-20b" or "experts" not in module:
            assert f"{module}.weight" in keys, tensor
    assert isinstance(config["target_modules"], list) and config["target_modules"] == sorted(config["target_modules"])
    assert config["base_model_name_or_path"] == "org/model" and config["r"] == 4
    assert said["check"]["largest_difference"] < 1e-4 and said["tensors"] == len(tensors)
    # All of the checkpoint's matrices of experts have their own pair, or all are still fused.
    single = [key for key in keys if ".experts." in key and key.endswith(".weight")]
    own = [t for t in tensors if ".experts" in t and "base_layer" not in t and "lora_A" in t]
    assert len(own) == (2 if name == "gpt-oss-20b" else len(single))
    assert bool(config["target_parameters"]) == (name == "gpt-oss-20b")


def test_a_prefix_that_loading_takes_away_comes_back(made, tmp_path):
    """A multimodal checkpoint whose text model is loaded alone has its layers one level deeper."""
    backbone, adapter, _, _ = made("qwen-4b")
    deep = shutil.copytree(backbone, tmp_path / "backbone")
    weights = load_file(deep / "model.safetensors")
    moved = {k.replace("model.", "model.language_model.", 1): v for k, v in weights.items()}
    save_file(moved, deep / "model.safetensors", metadata={"format": "pt"})
    shutil.copytree(adapter, tmp_path / "adapter")
    folder, said = exported("qwen-4b", deep, tmp_path / "adapter")
    names = [name for name in load_file(folder / export.WEIGHTS) if "lm_head" not in name]
    assert all(name.startswith("base_model.model.model.language_model.layers.") for name in names)
    assert said["check"]["largest_difference"] < 1e-4


def damaged(made, name, tmp_path, change):
    """The error for an export whose tensors were changed after it was written."""
    backbone, _, folder, _ = made(name)
    copy = shutil.copytree(folder, tmp_path / "copy")
    tensors = load_file(copy / export.WEIGHTS)
    options = tiny_models.options(name)
    model = adapters.attach(load_model(backbone, options), made(name)[1]).eval()
    expected = [export.log_probabilities(model, ids) for ids in TEXTS]
    change(tensors)
    save_file(tensors, copy / export.WEIGHTS)
    with pytest.raises(LabError) as caught:
        export.check(copy, load_model(backbone, options).eval(), TEXTS, expected, 1e-3)
    return str(caught.value)


def test_tensors_that_a_server_would_drop_are_named(made, tmp_path):
    def rename(tensors):
        """transformers' name in place of the checkpoint's."""
        for name in [n for n in tensors if "backbone.layers.2" in n]:
            tensors[name.replace("backbone.", "model.")] = tensors.pop(name)

    error = damaged(made, "nemotron-nano-30b", tmp_path, rename)
    assert "a server would drop 8 of 54 tensors" in error and "base_model.model.model.layers.2.mixer.k_proj" in error


def test_swapped_halves_of_fused_experts_are_found(made, tmp_path):
    def swap(tensors):
        for name in [n for n in tensors if "gate_proj.lora_B" in n]:
            other = name.replace("gate_proj", "up_proj")
            tensors[name], tensors[other] = tensors[other], tensors[name]

    assert "a log-probability differs by" in damaged(made, "qwen-moe", tmp_path, swap)


def test_a_rank_above_the_servers_is_told_with_its_price(made, tmp_path):
    backbone, adapter, folder, _ = made("qwen-moe")
    shutil.copytree(adapter, tmp_path / "adapter")
    with pytest.raises(LabError, match=r"rank 4, above the 2 .* would lose \d+\.\d+% of its squared norm at rank 2"):
        exported("qwen-moe", backbone, tmp_path / "adapter", rank=2)
    reduced, said = exported("qwen-moe", backbone, tmp_path / "adapter", rank=2, lose=0.9)
    assert 0.01 < said["lost"] < 0.9 and said["rank"] == 2
    whole, part = load_file(folder / export.WEIGHTS), load_file(reduced / export.WEIGHTS)
    losses = []
    for name in (n for n in whole if "lora_A" in n):
        b = name.replace("lora_A", "lora_B")
        before, after = (t[b] @ t[name] for t in (whole, part))
        losses.append(float((before - after).norm() ** 2 / before.norm() ** 2))
    assert max(losses) == pytest.approx(said["lost"], rel=1e-3)
    with pytest.raises(LabError, match="it would drop 32 tensors of gate_proj, up_proj, first base_model.model.model"):
        served = ["q_proj", "k_proj", "v_proj", "o_proj", "lm_head", "down_proj"]
        exported("qwen-moe", backbone, tmp_path / "adapter", served=served)


def test_a_layout_that_is_no_rows_and_columns_is_refused(made, monkeypatch):
    backbone, _, _, _ = made("qwen-moe")
    model = load_model(backbone, tiny_models.options("qwen-moe"))
    real = export.revert_weight_conversion

    def twisted(model, tensors):
        return {
            k: v.reshape(-1)[torch.arange(v.numel()).flip(0) // 2].reshape(v.shape)
            for k, v in real(model, tensors).items()
        }

    monkeypatch.setattr(export, "revert_weight_conversion", twisted)
    with pytest.raises(LabError, match="an unknown layout"):
        export.places(model, "model.layers.0.mlp.experts.gate_up_proj")


def test_an_archive_is_the_same_twice(made, tmp_path):
    _, _, folder, _ = made("nemotron-nano-30b")
    for name in ("one.zip", "two.zip"):
        export.archive(folder, tmp_path / name)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "one.zip") as held:
        assert held.namelist() == ["adapter_config.json", "adapter_model.safetensors"]
        assert held.read("adapter_config.json") == (folder / export.CONFIG).read_bytes()


def test_an_autopsy_measures_the_update_and_names_what_is_dead(made, tmp_path):
    _, adapter, _, _ = made("gpt-oss-20b")
    folder = shutil.copytree(adapter, tmp_path / "adapter")
    tensors = load_file(folder / export.WEIGHTS)
    q, fused = (f"{export.PREFIX}model.layers.0.{name}" for name in ("self_attn.q_proj", "mlp.experts"))
    tensors[f"{q}.lora_B.weight"] *= 1e-4
    tensors[f"{fused}.lora_B.weight"].reshape(64, 4, 4)[:, :, 2] = 0  # the third expert's
    tensors[f"{q.replace('layers.0', 'layers.1')}.lora_B.weight"][:, 1:] = 0  # one direction left
    save_file(tensors, folder / export.WEIGHTS)
    rows = autopsy.examine(*autopsy.read(folder))
    assert autopsy.dead(rows) == ["model.layers.0.mlp.experts (1 experts)", "model.layers.0.self_attn.q_proj"]
    by = {(row["module"], row["expert"]): row for row in rows}
    k = f"{export.PREFIX}model.layers.0.self_attn.k_proj"
    update = 2.0 * tensors[f"{k}.lora_B.weight"] @ tensors[f"{k}.lora_A.weight"]  # alpha 8, rank 4
    assert by["model.layers.0.self_attn.k_proj", None]["norm"] == pytest.approx(float(update.norm()), rel=1e-4)
    assert by["model.layers.1.self_attn.q_proj", None]["effective_rank"] == pytest.approx(1, abs=1e-3)
    assert by["model.layers.0.mlp.experts", 2]["norm"] == 0 < by["model.layers.0.mlp.experts", 1]["norm"]


@pytest.mark.parametrize("name", [*tiny_models.HUB, "qwen-moe"])
def test_an_adapter_of_another_backbone_is_no_export(name, made):
    """peft loads what names a module and says nothing of the rest."""
    backbone, adapter, _, _ = made(name)
    model = adapters.attach(load_model(backbone, tiny_models.options(name)), adapter)
    export.check_loaded(model, adapter)
    other = made("qwen-moe" if name == "llama-3b" else "llama-3b")[1]
    with pytest.raises(
        LabError, match=r"adapter_model.safetensors: \d+ tensors .*: it was trained on another backbone"
    ):
        export.check_loaded(model, other)


def test_an_adapter_file_that_is_not_whole(made, tmp_path):
    _, adapter, _, _ = made("llama-3b")
    tensors = load_file(adapter / export.WEIGHTS)
    name = f"{export.PREFIX}model.layers.1.self_attn.q_proj.lora_B.weight"
    check = runpy.run_path(str(ROOT / "workflow_scripts/autopsy.py"))["check_pairs"]
    check(tensors, lambda module: 4, "file")
    with pytest.raises(LabError, match=r"file: .*lora_A.weight has rank 4, its configuration says 3"):
        check(tensors, lambda module: 3, "file")
    tensors.pop(name)
    with pytest.raises(LabError, match=r"layers.1.self_attn.q_proj.lora_A.weight has no lora_B"):
        check(tensors, lambda module: 4, "file")
    folder = shutil.copytree(adapter, tmp_path / "adapter")
    (folder / export.WEIGHTS).write_bytes((adapter / export.WEIGHTS).read_bytes()[:-100])
    done = run("autopsy", "--adapter", folder, "--out", tmp_path / "a.parquet")
    assert "adapter_model.safetensors: not a whole safetensors file" in last_error(done)


@pytest.mark.slow
def test_a_name_that_the_checkpoint_does_not_have_is_an_error(made, monkeypatch, tmp_path):
    backbone, adapter, _, _ = made("qwen-moe")
    keys = export.checkpoint_keys(backbone) - {"model.layers.1.mlp.experts.3.up_proj.weight"}
    monkeypatch.setattr(export, "checkpoint_keys", lambda _: keys)
    shutil.copytree(adapter, tmp_path / "adapter")
    with pytest.raises(
        LabError, match="has no tensor model.layers.1.mlp.experts.3.up_proj.weight, which model.layers.1"
    ):
        exported("qwen-moe", backbone, tmp_path / "adapter")


def test_the_scripts(made, tmp_path):
    backbone, adapter, _, _ = made("llama-3b")
    corpus = save_corpus(tmp_path / "corpus.parquet", 4)
    words = ["--adapter", adapter, "--backbone", backbone, "--texts", corpus]
    words += ["--backbone-options", json.dumps(tiny_models.entry("llama-3b"))]
    done = run("export", *words, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr[-2000:]
    assert {p.name for p in (tmp_path / "out").iterdir()} == {
        export.CONFIG,
        export.WEIGHTS,
        "adapter.zip",
        "export.json",
    }
    done = run("autopsy", *words, "--out", tmp_path / "a.parquet")
    assert done.returncode == 0, done.stderr[-2000:]
    assert "14 updates; 0 modules never moved" in done.stdout
    assert all(row["first_gradient"] > 0 for row in pq.read_table(tmp_path / "a.parquet").to_pylist())


def test_a_module_without_a_gradient_ends_the_training_at_its_first_step(made):
    backbone, _, _, _ = made("llama-3b")
    options = tiny_models.options("llama-3b")
    model = tiny_models.fresh(backbone, options).train()
    layer = model.get_submodule("base_model.model.model.layers.0.mlp.up_proj")
    layer.forward = layer.base_layer.forward  # what a fused kernel does
    watched = Reached(model)
    logits = model(input_ids=torch.tensor([IDS])).logits.float()
    logits.mul(0).sum().backward(retain_graph=True)
    watched.on_step_end(None, None, None)  # a step in which there was nothing to learn says nothing
    logits.pow(2).mean().backward()
    with pytest.raises(LabError, match="the adapter of 1 of 14 modules, model.layers.0.mlp.up_proj:"):
        watched.on_step_end(None, None, None)
