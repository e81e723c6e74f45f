"""Random models of the hub backbones' own classes, a few thousand parameters each, and adapters on them."""

import json
from pathlib import Path

import torch
import yaml
from transformers import (
    AutoModelForCausalLM,
    GptOssConfig,
    LlamaConfig,
    NemotronHConfig,
    PreTrainedConfig,
    Qwen3_5TextConfig,
    Qwen3MoeConfig,
)

from learning import adapters
from learning.settings import BackboneOptions
from learning.tokens import character_tokenizer
from learning_fixtures import PHRASES, ROOT, recipe

HUB = ("llama-3b", "qwen-4b", "gpt-oss-20b", "nemotron-nano-30b")
QWEN_MOE = {
    "targets": ["q_proj", "k_proj", "v_proj", "o_proj", "lm_head"],
    "experts": ["experts.gate_up_proj", "experts.down_proj"],
    "attention": "sdpa",
    "packing": False,
    "engine": "generate",
}
"""An entry for a class that config/backbones.yaml does not have: its experts are fused out of three parts."""


def entry(name: str) -> dict:
    """The entry of backbones.yaml as it stands, except that a CPU computes in fp32."""
    entries = yaml.safe_load((ROOT / "config" / "backbones.yaml").read_text())
    entries |= {"qwen-moe": QWEN_MOE, "nemotron-dense": {**entries["nemotron-nano-30b"], "experts": []}}
    return {**entries[name], "dtype": "float32"}


def options(name: str, **changes) -> BackboneOptions:
    """The same as training reads it."""
    return BackboneOptions.read(json.dumps(entry(name) | changes))


def config(name: str, tokenizer) -> PreTrainedConfig:
    """The architecture's config class with sizes in the tens."""
    shared = {
        "vocab_size": len(tokenizer),
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 32,  # vLLM has no kernel for smaller heads on a CPU
        "max_position_embeddings": 512,
        "pad_token_id": tokenizer.pad_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "bos_token_id": None,
    }
    linear = {f"linear_{part}": size for part, size in (("num_key_heads", 2), ("num_value_heads", 2))}
    linear |= {f"linear_{part}_head_dim": 64 for part in ("key", "value")}  # the smallest that vLLM takes on a CPU
    blocks = ["mamba", "moe", "attention", "moe"]
    mamba = {"mamba_num_heads": 4, "mamba_head_dim": 16, "ssm_state_size": 16, "n_groups": 1, "n_routed_experts": 4}
    experts = {"moe_intermediate_size": 48, "moe_shared_expert_intermediate_size": 64, "num_experts_per_tok": 2}
    return {
        "llama-3b": lambda: LlamaConfig(**shared, num_hidden_layers=2, tie_word_embeddings=True),
        "qwen-4b": lambda: Qwen3_5TextConfig(**shared, **linear, num_hidden_layers=4, tie_word_embeddings=True),
        "gpt-oss-20b": lambda: GptOssConfig(
            **shared, num_hidden_layers=2, num_local_experts=4, num_experts_per_tok=2, sliding_window=32
        ),
        "nemotron-nano-30b": lambda: NemotronHConfig(**shared, **mamba, **experts, layers_block_type=blocks),
        "nemotron-dense": lambda: NemotronHConfig(**shared, **mamba, layers_block_type=["mamba", "attention", "mlp"]),
        "qwen-moe": lambda: Qwen3MoeConfig(
            **shared, num_hidden_layers=2, num_experts=4, num_experts_per_tok=2, moe_intermediate_size=48
        ),
    }[name]()


def save(name: str, folder: Path, tokenizer=None) -> Path:
    """The model with random weights and the single-character tokenizer, as a transformers folder."""
    tokenizer = tokenizer or character_tokenizer(PHRASES, 512)
    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(config(name, tokenizer)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def save_adapter(name: str, backbone: Path, folder: Path, **changes) -> torch.nn.Module:
    """A LoRA adapter with random A and B, written as training writes it; the wrapped model."""
    model = fresh(backbone, options(name, **changes))
    torch.manual_seed(1)
    for parameter in model.parameters():
        if parameter.requires_grad:
            torch.nn.init.normal_(parameter, std=0.1)
    folder.mkdir(parents=True)
    adapters.write(model, adapters.gather(model), folder, backbone)
    return model.eval()


def fresh(backbone: Path, chosen: BackboneOptions) -> torch.nn.Module:
    """The backbone with an adapter at its start."""
    from learning.backbones import load_model

    return adapters.add_lora(load_model(backbone, chosen), recipe(rank=4), chosen)
