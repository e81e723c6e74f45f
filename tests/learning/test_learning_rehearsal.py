"""What a training, a reload, a merge or a decoding would refuse later is refused before anything is trained."""

import json

import pyarrow.parquet as pq
import pytest
import torch
from peft import LoraConfig, get_peft_model

import tiny_models
from common.artifacts import write_table
from common.errors import LabError
from learning import adapters, rehearsal, sampling, training
from learning.backbones import load_model, load_tokenizer
from learning.decoders import read_decoder
from learning.engines import Request
from learning.engines.slots import decode_slots
from learning.engines.streams import Waiting
from learning.methods.base import TrainJob
from learning.settings import BackboneOptions
from learning.tokens import prompt_ids
from learning_fixtures import RECIPE, asked, last_error, recipe, rows, run, save_talker

OPTIONS = BackboneOptions()
DECODER = read_decoder({"kind": "greedy", "max_tokens": 12, "batch": 2})


def train_job(backbone, tmp_path, **changes) -> TrainJob:
    """A training in this process, which must not get as far as its first step."""
    settings = {"recipe": recipe(), "options": OPTIONS, "deepspeed": {}, "seed": 1, "ranks": 1, "device": "cpu"}
    files = {"backbone": backbone, "corpus": backbone.parent / "corpus.parquet", "out": tmp_path / "out"}
    files = {name: str(path) for name, path in (files | {"state": tmp_path / "state"}).items()}
    return TrainJob(**{**settings, **files, "provenance": {}, **changes})


def rehearse(backbone, tmp_path, options=OPTIONS, **changes):
    tmp_path.joinpath("state").mkdir(exist_ok=True)
    job = train_job(backbone, tmp_path, options=options, recipe=recipe(**changes))
    rehearsal.rehearse(job, load_tokenizer(backbone), tmp_path / "state")
    assert not list((tmp_path / "state").iterdir())


@pytest.mark.parametrize("settings", [{}, {"dropout": 0.3}, {"method": "full"}])
def test_what_works_passes_and_leaves_nothing(place, tmp_path, settings):
    rehearse(place / "backbone", tmp_path, **settings)


TIED = "field targets: model.embed_tokens and lm_head share one weight; an adapter on"


@pytest.mark.parametrize("target", ["lm_head", "embed_tokens"])
def test_a_target_with_a_tied_weight(place, tmp_path, target):
    with pytest.raises(LabError, match=f"{TIED} {target} cannot be merged into it"):
        rehearse(place / "backbone", tmp_path, BackboneOptions(targets=("q_proj", target)))


def test_the_command_says_so_before_the_first_step(place):
    words = ["--corpus", place / "corpus.parquet", "--backbone", place / "backbone", "--out", place / "tied"]
    words += ["--state", place / "tied-state", "--recipe", json.dumps(RECIPE)]
    error = last_error(run("train", *words, "--backbone-options", '{"targets": ["q_proj", "lm_head"]}'))
    assert error.startswith(f"error: {TIED} lm_head")
    assert not (place / "tied").exists() and not list((place / "tied-state").glob("*/metrics.jsonl"))


def test_any_two_modules_that_share_a_weight(place):
    model = load_model(place / "backbone", OPTIONS)
    one, other = (layer.self_attn for layer in model.model.layers)
    one.q_proj.weight = other.q_proj.weight
    with pytest.raises(LabError, match=r"field targets: model.layers.0.self_attn.q_proj and model.layers.1.self_attn"):
        adapters.add_lora(model, recipe(), OPTIONS)
    adapters.add_lora(model, recipe(), BackboneOptions(targets=("k_proj",)))


def changed(monkeypatch, change, first=1):
    """Every load of the backbone from number `first` on gives a changed model."""
    loads = []

    def load(*args):
        loads.append(load_model(*args))
        if len(loads) >= first:
            change(loads[-1])
        return loads[-1]

    monkeypatch.setattr(rehearsal, "load_model", load)
    monkeypatch.setattr(adapters, "load_model", load)


def test_a_module_that_the_forward_pass_goes_round(place, tmp_path, monkeypatch):
    changed(monkeypatch, lambda model: setattr(model.model, "side_proj", torch.nn.Linear(32, 32)))
    with pytest.raises(LabError, match="field targets: the forward pass uses no module called side_proj"):
        rehearse(place / "backbone", tmp_path, BackboneOptions(targets=("q_proj", "side_proj")))


def test_a_backbone_that_comes_back_different(place, tmp_path, monkeypatch):
    changed(monkeypatch, lambda model: model.model.norm.weight.data.mul_(1.5), first=2)
    with pytest.raises(LabError, match="the reloaded adapter's logits differ by"):
        rehearse(place / "backbone", tmp_path)


def test_a_merge_that_changes_the_logits(place, tmp_path, monkeypatch):
    def offset(module, _, output):  # of a module that looks at its own weight, which merging changes
        return output + module.weight.sum()

    def hook(model):
        model.model.layers[0].mlp.up_proj.register_forward_hook(offset)

    changed(monkeypatch, hook)
    with pytest.raises(
        LabError, match="field targets: an adapter on these modules changes the logits by .* when merged"
    ):
        rehearse(place / "backbone", tmp_path)


@pytest.mark.parametrize("name", ["qwen-4b", "nemotron-nano-30b", "gpt-oss-20b"])
def test_an_engine_that_cannot_decode_the_backbone(tmp_path, name):
    """Slots hold keys and values; these models have other states, too, or windows."""
    tiny_models.save(name, tmp_path / "backbone")
    options = {"targets": ("q_proj", "v_proj"), "attention": "eager", "packing": False}
    rehearse(tmp_path / "backbone", tmp_path, BackboneOptions(**options, engine="generate"))
    with pytest.raises(LabError, match="field engine: slots cannot decode a"):
        rehearse(tmp_path / "backbone", tmp_path, BackboneOptions(**options, engine="slots"))
    write_table(tmp_path / "texts.parquet", asked(2))
    files = {name: str(tmp_path / name) for name in ("backbone", "state", "out")} | {"adapter": None}
    settings = {"options": BackboneOptions(**options), "decoder": DECODER, "device": "cpu"}
    with pytest.raises(LabError, match="field engine: slots cannot decode a"):
        sampling.sample(sampling.SampleJob(texts=(str(tmp_path / "texts.parquet"),), **files, **settings))


def test_vllm_takes_no_weights_of_every_parameter(place):
    words = ["--corpus", place / "corpus.parquet", "--backbone", place / "backbone", "--out", place / "full"]
    full = json.dumps({k: v for k, v in RECIPE.items() if k not in ("rank", "alpha")} | {"method": "full"})
    done = run("train", *words, "--state", place / "s", "--recipe", full, "--backbone-options", '{"engine": "vllm"}')
    assert "field engine: vllm puts on LoRA adapters only" in last_error(done)


@pytest.mark.parametrize(
    ("prompt", "message"),
    [("1" * 600, "a prompt of 603 tokens fills the context of 512"), ("naïve", "the backbone's tokenizer loses .*'ï'")],
)
def test_prompts_that_cannot_be_completed_later(place, tmp_path, prompt, message):
    texts = rows(5)
    texts[3]["prompt"] = prompt
    write_table(tmp_path / "test.parquet", texts)
    with pytest.raises(LabError, match=f"test.parquet: row row-3: {message}"):
        training.train(train_job(place / "backbone", tmp_path, texts=(str(tmp_path / "test.parquet"),)))


def test_hints_to_measure_by_are_checked_as_examples_are(place, tmp_path):
    corpus = [row | {"role": "hint-test"} for row in rows(3)]
    tokenizer, mixed = load_tokenizer(place / "backbone"), recipe(hint="copy", share=0.5, max_length=4096)
    write_table(tmp_path / "c.parquet", corpus)
    assert len(training.read_hints(tmp_path / "c.parquet", tokenizer, mixed, 512)) == 3
    for completion, message in (("9" * 600, "above the backbone's context of 512"), ("é", "loses the character")):
        corpus[1]["completion"] = completion
        write_table(tmp_path / "c.parquet", corpus)
        with pytest.raises(LabError, match=f"c.parquet: row row-1: .*{message}"):
            training.read_hints(tmp_path / "c.parquet", tokenizer, mixed, 512)


def test_a_training_of_nothing_but_a_warm_up(place, tmp_path):
    """Its only step would have a learning rate of 0, and the adapter would be refused in the end."""
    write_table(tmp_path / "corpus.parquet", rows(4))
    warm = recipe(epochs=1, warmup=0.05)
    with pytest.raises(LabError, match="field warmup: the only step is the warm-up's first"):
        training.train(train_job(place / "backbone", tmp_path, recipe=warm, corpus=str(tmp_path / "corpus.parquet")))


@pytest.mark.parametrize("engine", ["slots", "generate"])
def test_an_adapter_that_cannot_be_merged_is_decoded_beside_the_weights(tmp_path, capsys, engine):
    """One that somebody else trained on a tied head."""
    backbone = save_talker(tmp_path / "backbone")
    targets = {"r": 4, "lora_alpha": 8, "target_modules": ["q_proj", "lm_head"], "task_type": "CAUSAL_LM"}
    torch.manual_seed(0)
    model = get_peft_model(load_model(backbone, OPTIONS), LoraConfig(**targets))
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            parameter.data.normal_(0, 0.3)
    model.save_pretrained(tmp_path / "adapter", save_embedding_layers=False)
    write_table(tmp_path / "texts.parquet", asked(3, seed=9))
    files = {
        "backbone": str(backbone),
        "adapter": str(tmp_path / "adapter"),
        "texts": (str(tmp_path / "texts.parquet"),),
    }
    settings = {"options": BackboneOptions(engine=engine), "decoder": DECODER, "device": "cpu"}
    sampling.sample(
        sampling.SampleJob(**files, **settings, state=str(tmp_path / "s"), out=str(tmp_path / "out.parquet"))
    )
    assert "is not merged, which would change the logits by" in capsys.readouterr().err
    tokenizer = load_tokenizer(backbone)
    end = {tokenizer.eos_token_id}
    for row in pq.read_table(tmp_path / "out.parquet").to_pylist():
        ids = prompt_ids(tokenizer, row["prompt"])
        wanted = Waiting([Request(ids, 12)], end, frozenset(), 512)
        (alone,) = decode_slots(model.eval().get_base_model(), wanted, batch=1, pad=0)
        assert row["logprob_sum"] == pytest.approx(sum(alone.logprobs), abs=1e-3)


def test_a_training_that_goes_on_does_not_rehearse_again(place, tmp_path, monkeypatch):
    """Its first attempt has."""
    seen = []
    monkeypatch.setattr(training, "rehearse", lambda *args: seen.append(args))
    monkeypatch.setattr(training, "training_arguments", lambda *args: seen.append("started") or 1 / 0)
    job = train_job(place / "backbone", tmp_path)
    for expected in (2, 1):
        seen.clear()
        with pytest.raises(ZeroDivisionError):
            training.train(job)
        assert len(seen) == expected and seen[-1] == "started"
        done = tmp_path / "state" / training.fingerprint(job) / "checkpoint-2"
        done.mkdir(exist_ok=True)
        (done / training.DONE).touch()
