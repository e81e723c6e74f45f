"""Random models of the hub backbones' own classes, a few thousand parameters each, with the entries as they stand."""

import json

import pyarrow.parquet as pq
import pytest
import torch
from transformers.models.nemotron_h import modeling_nemotron_h

import tiny_models
from common.artifacts import write_table
from common.errors import LabError
from learning import adapters
from learning.backbones import load_model
from learning.tokens import character_tokenizer
from learning_fixtures import PHRASES, RECIPE, asked, greedy, recipe, run, save_corpus

# As the models' own templates do, these open the thinking block in the generation prompt.
OPENS_THINKING = ("nemotron-nano-30b", "qwen-4b")
IDS = list(range(5, 60))
REACHED = {
    "llama-3b": {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"},
    "qwen-4b": {"q_proj", "k_proj", "v_proj", "o_proj", "in_proj_qkv", "in_proj_z", "out_proj"}
    | {"gate_proj", "up_proj", "down_proj"},
    "gpt-oss-20b": {"q_proj", "k_proj", "v_proj", "o_proj", "lm_head", "experts.gate_up_proj", "experts.down_proj"},
    "nemotron-nano-30b": {"q_proj", "k_proj", "v_proj", "o_proj", "in_proj", "out_proj", "lm_head"}
    | {"shared.up_proj", "shared.down_proj", "experts.up_proj", "experts.down_proj"},
    "qwen-moe": {"q_proj", "k_proj", "v_proj", "o_proj", "lm_head", "experts.gate_up_proj", "experts.down_proj"},
}


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Name -> (backbone folder, adapter folder, wrapped model), made when first asked for."""
    made, root = {}, tmp_path_factory.mktemp("tiny")

    def get(name: str):
        if name not in made:
            backbone = tiny_models.save(name, root / name / "backbone")
            adapter = root / name / "adapter"
            made[name] = (backbone, adapter, tiny_models.save_adapter(name, backbone, adapter))
        return made[name]

    return get


@pytest.mark.parametrize("name", [*tiny_models.HUB, "qwen-moe"])
def test_the_adapter_reaches_what_it_should_and_comes_back(name, saved):
    backbone, folder, model = saved(name)
    share = adapters.reached(model)
    assert set(share) == REACHED[name] | {"all"}
    assert 0.84 < share["all"] < 0.94  # the rest: embeddings, norms, routers, convolutions
    with model.disable_adapter():
        bare = adapters.probe(model, IDS)
    trained = adapters.probe(model, IDS)
    assert float((trained - bare).abs().max()) > 0.1
    adapters.check_file(folder, adapters.adapter_shapes(model))
    again = adapters.attach(load_model(backbone, tiny_models.options(name)), folder)
    assert adapters.gap(adapters.probe(again, IDS), trained, "float32") == 0
    _, difference = adapters.merged(again, IDS, "float32")
    assert difference == 0


def test_every_part_of_a_hybrid_gets_a_gradient(saved, monkeypatch):
    """Also the Mamba output, where a fused kernel takes its weight and never calls it, as on a GPU."""
    backbone, _, _ = saved("nemotron-nano-30b")
    options = tiny_models.options("nemotron-nano-30b")
    fused = []

    def kernel(zxbcdt, *args, outproj_weight=None, **kwargs):
        fused.append(outproj_weight)
        return zxbcdt[..., : outproj_weight.shape[1]] @ outproj_weight.T

    monkeypatch.setattr(modeling_nemotron_h, "mamba2_split_conv1d_scan_combined", kernel)
    model = adapters.add_lora(load_model(backbone, options), recipe(rank=2), options).train()
    model(input_ids=torch.tensor([IDS]), use_cache=False).logits.float().pow(2).mean().backward()
    gradients = {n: float(p.grad.abs().max()) for n, p in model.named_parameters() if "lora_B" in n}
    assert fused and gradients and min(gradients.values()) > 0, gradients


def test_unknown_experts_are_refused(saved, monkeypatch):
    backbone, _, _ = saved("nemotron-nano-30b")
    options = tiny_models.options("nemotron-nano-30b", experts=["experts.gate_up_proj"])
    model = load_model(backbone, options)
    with pytest.raises(LabError, match=r"no parameter is called experts.gate_up_proj.*'experts.down_proj'"):
        adapters.add_lora(model, recipe(), options)
    options = tiny_models.options("nemotron-nano-30b")
    with pytest.raises(LabError, match="knows no dropout"):
        adapters.add_lora(model, recipe(dropout=0.1), options)
    monkeypatch.delattr(type(model.model.layers[1].mixer.experts), "is_transposed", raising=False)
    for module in model.modules():
        vars(module).pop("is_transposed", None)
    with pytest.raises(LabError, match="of NemotronHExperts has an unknown layout"):
        adapters.add_lora(model, recipe(), options)


@pytest.mark.slow
@pytest.mark.parametrize("name", tiny_models.HUB)
def test_train_and_sample(name, tmp_path):
    """The entry of backbones.yaml as it stands, its stage of ZeRO too, except that a CPU computes in fp32."""
    options = tiny_models.entry(name)
    tokenizer = character_tokenizer(PHRASES, 512)
    if name in OPENS_THINKING:
        tokenizer.chat_template = tokenizer.chat_template.replace("'<|assistant|>'", "'<|assistant|><think>\n'")
    if name == "llama-3b":
        tokenizer.chat_template = None  # as in the hub's base models
    tiny_models.save(name, tmp_path / "backbone", tokenizer)
    corpus = save_corpus(tmp_path / "corpus.parquet", 16)
    common = ["--backbone", tmp_path / "backbone", "--backbone-options", json.dumps(options), "--threads", 1]
    train = [*common, "--corpus", corpus, "--out", tmp_path / "adapter", "--state", tmp_path / "state"]
    train += ["--deepspeed", f"config/deepspeed/zero{options['zero_stage']}.json"]
    done = run("train", *train, "--recipe", json.dumps({**RECIPE, "epochs": 1}))
    assert done.returncode == 0, done.stderr[-3000:]
    made = json.loads((tmp_path / "adapter" / "provenance.json").read_text())["run"]
    assert set(made["reached"]) == REACHED[name] | {"all"}
    write_table(tmp_path / "texts.parquet", asked(5, seed=2))
    sample = [*common, "--texts", tmp_path / "texts.parquet", *greedy(8, 3), "--state", tmp_path / "s"]
    done = run("sample", *sample, "--adapter", tmp_path / "adapter", "--out", tmp_path / "c.parquet")
    assert done.returncode == 0, done.stderr[-3000:]
    found = pq.read_table(tmp_path / "c.parquet").to_pylist()
    assert [row["id"] for row in found] == [f"row-{i}" for i in range(5)]
    assert all(0 < row["n_tokens"] <= 8 for row in found)
    assert all(row["text"].startswith("<think>\n") for row in found) == (name in OPENS_THINKING)


def test_sinks_by_fused_kernels_are_those_of_the_plain_way(saved):
    """Logits, gradients and cached decoding, of a padded text and of one longer than the window."""
    backbone, _, _ = saved("gpt-oss-20b")
    ids = torch.tensor([IDS, [0] * 20 + IDS[20:]])
    seen = torch.ones_like(ids)
    seen[1, :20] = 0
    found = {}
    for attention in ("eager", "sinks"):
        model = load_model(backbone, tiny_models.options("gpt-oss-20b", attention=attention))
        assert model.config._attn_implementation == attention
        torch.manual_seed(0)
        for name, parameter in model.named_parameters():
            if name.endswith("sinks"):
                parameter.data.normal_(0, 3)
        logits = model(input_ids=ids, attention_mask=seen).logits
        torch.nn.functional.cross_entropy(logits[seen.bool()][:-1].float(), ids[seen.bool()][1:]).backward()
        grads = [p.grad for name, p in model.named_parameters() if name.endswith(("sinks", "q_proj.weight"))]
        first = model(input_ids=ids[:1, :40], use_cache=True)
        later = model(input_ids=ids[:1, 40:41], past_key_values=first.past_key_values).logits
        found[attention] = [logits[seen.bool()], logits[:1, 40:41], later, *grads]
    for plain, fused in zip(*found.values(), strict=True):
        assert plain.abs().max() > 0
        torch.testing.assert_close(plain, fused, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(*found["sinks"][1:3], rtol=1e-4, atol=1e-5)
