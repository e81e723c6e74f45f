"""The pretraining: worksheets fixed by number, shares by held-out error, kills that change nothing, snapshots."""

import json
import os
import signal

import numpy as np
import pytest
import torch

from common import typed
from common.errors import LabError
from learning import precision
from learning.backbone import pretrain as module
from learning.backbone.attention import blocked_attention
from learning.backbone.pretrain import (
    Make,
    Trunk,
    build,
    load_last,
    load_trunk,
    pretrain,
    save,
    skill_accuracy,
    start_trunk,
)
from learning.backbone.worksheets import IGNORE, NAMES, Writer
from learning.settings import check_folder
from learning.shipped import shipped_files
from learning.tokens import character_tokenizer
from learning_fixtures import PHRASES, last_error, run

TOKENIZER = character_tokenizer(PHRASES, 1024)
SMALL = {"width": 128, "layers": 2, "feed_forward": 32, "context": 512, "lengths": [256], "batch": 512,
         "steps": 8, "decay": 3, "check": 3, "table": 2, "warmup": 2}  # fmt: skip
EVEN = dict.fromkeys(NAMES, 1.0)


def weights(trunk: Trunk) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in trunk.model.parameters()])


def test_worksheets_are_fixed_by_their_number():
    writer = Writer(TOKENIZER, 1024)
    one, other = (writer.batch("a:1", 12, 256, EVEN) for _ in range(2))
    assert all(np.array_equal(one[k], other[k]) for k in one)
    assert not np.array_equal(one["input_ids"], writer.batch("a:2", 12, 256, EVEN)["input_ids"])
    learned = one["labels"] != IGNORE
    assert np.array_equal(one["labels"][learned], one["input_ids"][learned]) and 0.15 < learned.mean() < 0.6
    assert (np.diff(one["position_ids"]) >= 1).all() and one["position_ids"].max() < 1024
    assert (one["skills"][one["ends"]] >= 0).all() and learned[one["skills"] >= 0].all()
    text = TOKENIZER.decode(one["input_ids"][0])
    assert text.startswith("<|user|>") and "\ue000" not in text and "<|unknown|>" not in text


def test_worksheets_are_the_same_whoever_writes_them():
    """Two processes for a GPU, none for a CPU: the batches and their order are the same."""
    writer, make = Writer(TOKENIZER, 512), Make(**SMALL)
    steps = module.Steps(writer, make, EVEN, 0, 5)
    alone, written = (list(module.loader(steps, workers)) for workers in (0, 2))
    assert len(alone) == len(written) == 5
    assert all(torch.equal(a[key], b[key]) for a, b in zip(alone, written, strict=True) for key in a)
    assert module.writers() >= 1


def test_signs_of_an_example_are_not_learned():
    """An example is learned but for its notation; later answers are learned whole."""
    writer = Writer(TOKENIZER, 256)
    found = writer.batch("b", 60, 256, {"multiply": 1.0})
    shares = []
    for labels, skills in zip(found["labels"], found["skills"], strict=True):
        first = np.flatnonzero(labels != IGNORE)[0]
        last = np.flatnonzero(skills >= 0)[0] if (skills >= 0).any() else len(labels)
        shares.append((labels[first:last] == IGNORE).mean())
    assert 0.1 < np.mean(shares) < 0.9


def test_structured_start_copies_before_any_training():
    g = torch.Generator().manual_seed(0)
    right = {}
    for start in ("structured", "random"):
        model = build(Make(start=start, layers=2), len(TOKENIZER), TOKENIZER).eval()
        half = torch.randint(5, len(TOKENIZER), (16, 40), generator=g.manual_seed(0))
        ids = torch.cat([half, half], 1)
        with torch.no_grad():
            guess = model(input_ids=ids).logits.argmax(-1)
        right[start] = (guess[:, 41:-1] == ids[:, 42:]).float().mean().item()
    assert right["structured"] > 0.8 and right["random"] < 0.1


@pytest.mark.parametrize("length", [100, 256, 300])
def test_blocked_attention_is_attention(length):
    q, k, v = (torch.randn(2, 3, length, 16, requires_grad=True) for _ in range(3))
    ours = blocked_attention(None, q, k, v, None)[0].transpose(1, 2)
    plain = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
    assert torch.allclose(ours, plain, atol=1e-5)
    for a, b in zip(
        torch.autograd.grad(ours.square().sum(), (q, k, v)),
        torch.autograd.grad(plain.square().sum(), (q, k, v)),
        strict=True,
    ):
        assert torch.allclose(a, b, atol=1e-4)


def test_accuracy_counts_whole_answers():
    """A model that knows the answers has 1, one that errs in a single token of each has 0."""
    writer = Writer(TOKENIZER, 256)
    trunk = Trunk.begin(typed.read(Make, SMALL), TOKENIZER)
    none = skill_accuracy(trunk.model, writer, "t", 3, (256,), 6)
    assert set(none) <= set(NAMES) and all(row["n"] > 0 and row["accuracy"] < 0.9 for row in none.values())

    class Knows(torch.nn.Module):
        """Says the true next token; at the last token of an answer another one if it `errs`."""

        def __init__(self, errs: bool):
            super().__init__()
            self.errs, self.weight = errs, torch.nn.Parameter(torch.zeros(1))

    def told(model, batch):
        targets = batch["labels"][:, 1:]
        learned = targets != IGNORE
        said = targets.clone()
        if model.errs:
            said[batch["ends"][:, 1:]] = 0
        return torch.nn.functional.one_hot(said[learned], len(TOKENIZER)).float(), targets[learned]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "answer_logits", told)
        for errs in (False, True):
            found = skill_accuracy(Knows(errs), writer, "t", 3, (256,), 6)
            assert {row["accuracy"] for row in found.values()} == {0.0 if errs else 1.0}


def test_shares_follow_the_held_out_error():
    trunk = Trunk.begin(typed.read(Make, SMALL), TOKENIZER)
    trunk.error |= dict.fromkeys(NAMES, 0.3) | {"copy": 0.0, "reverse": 0.04}
    shares = trunk.shares()
    assert shares["copy"] < shares["reverse"] < shares["compare"] and shares["copy"] > 0.1 * shares["compare"]
    trunk.error = dict.fromkeys(NAMES, 0.04)
    trunk.run(3)
    assert len(trunk.curve) == 1 and trunk.curve[0]["tokens"] == 3 * 512
    for name, accuracy in trunk.curve[0]["skills"].items():
        assert trunk.error[name] == pytest.approx(0.02 + 0.5 * (1 - accuracy))


def test_a_kill_changes_nothing(tmp_path):
    """Stopped and resumed again and again, once with a broken newest checkpoint, a run ends in the same weights."""
    make = typed.read(Make, SMALL)
    straight = Trunk.begin(make, TOKENIZER)
    straight.run(7)
    for stop in (1, 2, 4, 5):
        trunk = Trunk.begin(make, TOKENIZER)
        assert load_last(trunk, tmp_path) == (stop > 1)
        trunk.run(stop)
        save(trunk, tmp_path)
    files = sorted(tmp_path.iterdir())
    assert [f.name for f in files] == ["step-0000004.pt", "step-0000005.pt"]
    files[-1].write_bytes(files[-1].read_bytes()[:5000])  # killed while writing, on a file system that lost the rest
    trunk = Trunk.begin(make, TOKENIZER)
    assert load_last(trunk, tmp_path) and trunk.step == 4
    trunk.run(7)
    assert torch.equal(weights(trunk), weights(straight))
    assert [{**p, "hours": 0} for p in trunk.curve] == [{**p, "hours": 0} for p in straight.curve]
    assert trunk.error == straight.error


def test_compiled_layers_learn_the_same():
    """Up to the last bits: one step of both, from the same start and on the same batch."""
    make = typed.read(Make, SMALL)
    plain, compiled = (Trunk.begin(make, TOKENIZER) for _ in range(2))
    compiled.compile()
    (batch,) = module.loader(module.Steps(plain.writer, make, EVEN, 0, 1), 0)
    for trunk in (plain, compiled):
        trunk.advance(batch, 1.0)
    assert compiled.losses == pytest.approx(plain.losses, rel=1e-3)
    assert torch.allclose(weights(compiled), weights(plain), atol=make.lr)
    assert list(compiled.model.state_dict()) == list(plain.model.state_dict())


def test_compiling_without_a_compiler_is_refused(monkeypatch):
    trunk = Trunk.begin(typed.read(Make, SMALL), TOKENIZER)
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(LabError, match=r"--compile.*there is no no-such-compiler"):
        trunk.compile()
    assert not trunk.compiled


def test_a_run_told_to_stop_keeps_its_last_step(tmp_path, monkeypatch):
    """SIGTERM in the middle of a step: the step is finished and saved, and the same command goes on from it."""
    make = typed.read(Make, SMALL)
    advance = Trunk.advance

    def stopped(trunk, *rest):
        if trunk.step == 1:
            os.kill(os.getpid(), signal.SIGTERM)
        advance(trunk, *rest)

    monkeypatch.setattr(Trunk, "advance", stopped)
    with pytest.raises(SystemExit) as caught:
        pretrain(make, list(PHRASES), tmp_path / "out", tmp_path / "state", tmp_path / "t.json")
    assert caught.value.code == 128 + signal.SIGTERM and not (tmp_path / "out").exists()
    assert [path.name for path in (tmp_path / "state").glob("*/step-*.pt")] == ["step-0000002.pt"]
    pretrain(make, list(PHRASES), tmp_path / "out", tmp_path / "state", tmp_path / "t.json")
    assert json.loads((tmp_path / "out/provenance.json").read_text())["steps"] == 8
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_a_snapshot_leaves_the_trunk_alone_and_the_trunk_goes_on_elsewhere(tmp_path):
    make, state = typed.read(Make, SMALL), tmp_path / "state"
    trunk, folder = start_trunk(make, list(PHRASES), state)
    with pytest.raises(LabError, match="no checkpoint"):
        pretrain(make, list(PHRASES), tmp_path / "out", state, tmp_path / "t.json", snapshot=tmp_path / "trunk")
    trunk.run(4)
    save(trunk, folder)
    before = {f.name: f.read_bytes() for f in folder.iterdir()}
    pretrain(make, list(PHRASES), tmp_path / "out", state, tmp_path / "t.json", snapshot=tmp_path / "trunk")
    assert {f.name: f.read_bytes() for f in folder.iterdir()} == before
    check_folder(tmp_path / "out")
    made = json.loads((tmp_path / "out/provenance.json").read_text())
    assert made["tokens"] == 7 * 512 and made["steps"] == 7 and made["precision"] in ("bf16", "fp32")
    assert json.loads((tmp_path / "out/skills.json").read_text()) == json.loads((tmp_path / "t.json").read_text())
    files = {path.name for path in shipped_files(tmp_path / "out")}
    assert {"model.safetensors", "tokenizer.json", "skills.json", "curve.json", "provenance.json"} <= files

    again, _ = start_trunk(make, list(PHRASES), tmp_path / "other", source=tmp_path / "trunk")
    assert again.step == 4 and again.curve == trunk.curve and again.error == trunk.error
    assert torch.allclose(weights(again), weights(trunk), atol=1e-3)
    assert [part["until"] for part in again.history] == [4] and again.history[0]["make"]["lr"] == make.lr
    again.run(6)
    other = Trunk.begin(typed.read(Make, SMALL | {"width": 192}), TOKENIZER)
    with pytest.raises(LabError, match="another width"):
        load_trunk(other, tmp_path / "trunk")
    (tmp_path / "trunk/trunk.safetensors").unlink()
    with pytest.raises(LabError, match=r"missing trunk.safetensors"):
        load_trunk(again, tmp_path / "trunk")


def test_other_settings_or_worksheets_are_another_trunk(tmp_path):
    make = typed.read(Make, SMALL)
    _, folder = start_trunk(make, list(PHRASES), tmp_path)
    assert start_trunk(typed.read(Make, SMALL | {"steps": 9, "decay": 1}), list(PHRASES), tmp_path)[1] == folder
    assert start_trunk(typed.read(Make, SMALL | {"lr": 0.1}), list(PHRASES), tmp_path)[1] != folder
    assert start_trunk(make, [*PHRASES, "another phrase"], tmp_path)[1] != folder


def test_a_processor_without_bf16_computes_in_fp32_and_says_so_once(monkeypatch, capsys):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    precision.has_bf16.cache_clear()
    try:
        for _ in range(3):
            with precision.autocast():
                assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32
        trunk = Trunk.begin(typed.read(Make, SMALL), TOKENIZER)
        trunk.run(1)
        assert capsys.readouterr().err.count("no bf16 instructions; computing in fp32") == 1
    finally:
        precision.has_bf16.cache_clear()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"widht": 3}, "field widht: unknown key; did you mean 'width'?"),
        ({"head_size": 33}, "even size"),
        ({"start": "warm"}, "unknown start 'warm'"),
        ({"layers": 1}, "field start: a structured start needs"),
        ({"layers": 0}, "0 is not at least 1"),
        ({"steps": -1}, "-1 is not at least 0"),
        ({"lengths": [512], "context": 256}, "192..256"),
        ({"lengths": [256, 300]}, "no whole number of 300"),
        ({"lengths": []}, "no lengths"),
    ],
)
def test_bad_settings(values, message):
    with pytest.raises(LabError, match=message):
        typed.read(Make, values)


def test_a_rate_far_too_high_is_told(tmp_path):
    make = typed.read(Make, SMALL | {"lr": 1e30, "matrix_lr": 1e30, "optimizer": "adamw"})
    trunk = Trunk.begin(make, TOKENIZER)
    with pytest.raises(LabError, match="lower the learning rate"):
        trunk.run(8)


def test_backbone_script(tmp_path):
    """A made backbone and a local one linked from it; a source that is no model is refused."""
    out, table = tmp_path / "made", tmp_path / "made.json"
    common = ["--state", tmp_path / "state", "--threads", 1]
    done = run("backbone", "--options", json.dumps({"make": SMALL}), "--out", out, "--skills", table, *common)
    assert done.returncode == 0, done.stderr[-2000:]
    check_folder(out)
    assert json.loads(table.read_text())["skills"]
    assert not list((tmp_path / "state").iterdir())
    linked = tmp_path / "linked"
    done = run("backbone", "--options", json.dumps({"path": str(out)}), "--out", linked, "--skills", table, *common)
    assert done.returncode == 0, done.stderr[-2000:]
    check_folder(linked)
    assert json.loads(table.read_text()) == json.loads((out / "skills.json").read_text())
    options = json.dumps({"path": str(tmp_path / "absent")})
    done = run("backbone", "--options", options, "--out", tmp_path / "no", "--skills", table, *common)
    assert "no such backbone folder" in last_error(done) and not (tmp_path / "no").exists()
    (out / "model.safetensors").write_bytes((out / "model.safetensors").read_bytes()[:-1] + b"x")
    options = json.dumps({"path": str(out)})
    done = run("backbone", "--options", options, "--out", tmp_path / "no", "--skills", table, *common)
    assert "model.safetensors" in last_error(done) and "changed since it was made" in last_error(done)
    assert not (tmp_path / "no").exists()
