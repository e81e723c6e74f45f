"""An adapter is accepted only when its files hold what was trained; every planted defect is found."""

import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from common.errors import LabError
from learning import adapters
from learning.backbones import load_model
from learning.settings import BackboneOptions
from learning_fixtures import recipe, save_backbone

OPTIONS = BackboneOptions()
IDS = [5, 6, 7, 8]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """(backbone folder, adapter folder, shapes, logits) of an adapter with random B."""
    root = tmp_path_factory.mktemp("adapter")
    backbone = save_backbone(root / "backbone")
    torch.manual_seed(1)
    model = adapters.add_lora(load_model(backbone, OPTIONS), recipe(rank=4), OPTIONS)
    for name, p in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(p, std=0.1)
    model.save_pretrained(root / "adapter")
    return backbone, root / "adapter", adapters.adapter_shapes(model), adapters.probe(model, IDS), model


def test_a_good_adapter_passes(trained):
    backbone, folder, shapes, logits, model = trained
    adapters.check_file(folder, shapes)
    adapters.check_reload(folder, backbone, OPTIONS, IDS, logits)
    saved = load_file(folder / adapters.WEIGHTS)
    gathered = adapters.gather(model)
    assert set(saved) == set(gathered) and all(torch.equal(saved[n], gathered[n]) for n in saved)


def drop(t):
    t.pop(sorted(t)[0])


def rename(t):
    t["extra"] = t.pop(sorted(t)[0])


def add(t):
    t["extra"] = torch.ones(1)


def empty(t):
    name = sorted(t)[0]
    t[name] = torch.zeros(0)


def transpose(t):
    name = next(n for n in t if "lora_A" in n)
    t[name] = t[name].T.contiguous()


def zero(t):
    t[next(n for n in t if "lora_B" in n)].zero_()


def nan(t):
    t[sorted(t)[0]][0, 0] = float("nan")


@pytest.mark.parametrize(
    ("defect", "message"),
    [
        (drop, "adapter tensors are missing"),
        (rename, "adapter tensors are missing"),
        (add, "unexpected adapter tensors"),
        (empty, "has shape"),
        (transpose, "has shape"),
        (zero, "is zero everywhere"),
        (nan, "not finite"),
    ],
)
def test_defects_in_the_tensors(trained, tmp_path, defect, message):
    _, good, shapes, _, _ = trained
    folder = shutil.copytree(good, tmp_path / "bad")
    tensors = load_file(folder / adapters.WEIGHTS)
    defect(tensors)
    save_file(tensors, folder / adapters.WEIGHTS)
    with pytest.raises(LabError, match=message):
        adapters.check_file(folder, shapes)


def test_defects_in_the_files(trained, tmp_path):
    _, good, shapes, _, _ = trained
    folder = shutil.copytree(good, tmp_path / "bad")
    whole = (folder / adapters.WEIGHTS).read_bytes()
    for content in (b"", whole[:40], whole[:-10]):
        (folder / adapters.WEIGHTS).write_bytes(content)
        with pytest.raises(LabError, match="not a whole safetensors file"):
            adapters.check_file(folder, shapes)
    (folder / adapters.WEIGHTS).unlink()
    with pytest.raises(LabError, match="lacks"):
        adapters.check_file(folder, shapes)


def test_other_values_fail_the_reload(trained, tmp_path):
    backbone, good, shapes, logits, _ = trained
    folder = shutil.copytree(good, tmp_path / "bad")
    tensors = load_file(folder / adapters.WEIGHTS)
    tensors[next(n for n in tensors if "lora_B" in n)] += 0.1
    save_file(tensors, folder / adapters.WEIGHTS)
    adapters.check_file(folder, shapes)
    with pytest.raises(LabError, match="logits differ"):
        adapters.check_reload(folder, backbone, OPTIONS, IDS, logits)


def test_an_unknown_target_is_named(trained):
    options = BackboneOptions(targets=("q_proj", "w_proj"))
    with pytest.raises(LabError, match="no module called w_proj"):
        adapters.add_lora(load_model(trained[0], OPTIONS), recipe(), options)
