"""Random models of the hub backbones' own classes, a few thousand parameters each, through train and sample."""

import json

import pyarrow.parquet as pq
import pytest
import torch
import yaml
from transformers import AutoModelForCausalLM, GptOssConfig, LlamaConfig, NemotronHConfig, Qwen3_5TextConfig

from common.artifacts import write_table
from learning.tokens import character_tokenizer
from learning_fixtures import PHRASES, RECIPE, ROOT, asked, greedy, run, save_corpus

# As the models' own templates do, these open the thinking block in the generation prompt.
OPENS_THINKING = ("nemotron-nano-30b", "qwen-4b")


def tiny(name: str, shared: dict):
    """The architecture's config class with sizes in the tens."""
    linear = {f"linear_{part}": size for part, size in (("num_key_heads", 2), ("num_value_heads", 2))}
    linear |= {f"linear_{part}_head_dim": 16 for part in ("key", "value")}
    blocks = ["mamba", "moe", "attention", "moe"]
    mamba = {"mamba_num_heads": 4, "mamba_head_dim": 16, "ssm_state_size": 16, "n_groups": 1, "n_routed_experts": 4}
    experts = {"moe_intermediate_size": 64, "moe_shared_expert_intermediate_size": 64, "num_experts_per_tok": 2}
    return {
        "llama-3b": lambda: LlamaConfig(**shared, num_hidden_layers=2),
        "qwen-4b": lambda: Qwen3_5TextConfig(**shared, **linear, num_hidden_layers=4),
        "gpt-oss-20b": lambda: GptOssConfig(
            **shared, num_hidden_layers=2, num_local_experts=4, num_experts_per_tok=2, sliding_window=32
        ),
        "nemotron-nano-30b": lambda: NemotronHConfig(**shared, **mamba, **experts, layers_block_type=blocks),
    }[name]()


def shared_sizes(tokenizer) -> dict:
    """What the configurations have in common."""
    return {
        "vocab_size": len(tokenizer),
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 16,
        "max_position_embeddings": 512,
        "pad_token_id": tokenizer.pad_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "bos_token_id": None,
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", ["llama-3b", "qwen-4b", "gpt-oss-20b", "nemotron-nano-30b"])
def test_train_and_sample(name, tmp_path):
    """The entry of backbones.yaml as it stands, except that a CPU computes in fp32."""
    entry = yaml.safe_load((ROOT / "config" / "backbones.yaml").read_text())[name]
    options = json.dumps({**entry, "dtype": "float32"})
    tokenizer = character_tokenizer(PHRASES, 512)
    if name in OPENS_THINKING:
        tokenizer.chat_template = tokenizer.chat_template.replace("'<|assistant|>'", "'<|assistant|><think>\n'")
    if name == "llama-3b":
        tokenizer.chat_template = None  # as in the hub's base models
    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(tiny(name, shared_sizes(tokenizer))).save_pretrained(tmp_path / "backbone")
    tokenizer.save_pretrained(tmp_path / "backbone")
    corpus = save_corpus(tmp_path / "corpus.parquet", 16)
    common = ["--backbone", tmp_path / "backbone", "--backbone-options", options, "--threads", 1]
    train = [*common, "--corpus", corpus, "--out", tmp_path / "adapter", "--state", tmp_path / "state"]
    done = run("train", *train, "--recipe", json.dumps({**RECIPE, "epochs": 1}))
    assert done.returncode == 0, done.stderr[-3000:]
    write_table(tmp_path / "texts.parquet", asked(5, seed=2))
    sample = [*common, "--texts", tmp_path / "texts.parquet", *greedy(8, 3), "--state", tmp_path / "s"]
    done = run("sample", *sample, "--adapter", tmp_path / "adapter", "--out", tmp_path / "c.parquet")
    assert done.returncode == 0, done.stderr[-3000:]
    found = pq.read_table(tmp_path / "c.parquet").to_pylist()
    assert [row["id"] for row in found] == [f"row-{i}" for i in range(5)]
    assert all(0 < row["n_tokens"] <= 8 for row in found)
    assert all(row["text"].startswith("<think>\n") for row in found) == (name in OPENS_THINKING)
