"""Loading a backbone folder: whole, with the dtype and attention that its entry in config/backbones.yaml asks for."""

from pathlib import Path

import torch
import transformers
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from common.errors import LabError
from learning import packing  # noqa: F401  (makes "packed" attention known)
from learning.settings import BackboneOptions, check_folder

transformers.utils.logging.disable_progress_bar()

# For a backbone that was never taught turns: roles by name, and the end token after the assistant's.
PLAIN_TEMPLATE = (
    "{%- for message in messages -%}"
    "{{- message.role | capitalize + ': ' + message.content -}}"
    "{{- eos_token if message.role == 'assistant' else '\n\n' -}}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- 'Assistant: ' -}}{%- endif -%}"
)


def load_tokenizer(folder: str | Path) -> PreTrainedTokenizerBase:
    """The backbone's tokenizer, with a plain chat template where it has none; it must have an end-of-turn token."""
    tokenizer = AutoTokenizer.from_pretrained(check_folder(folder), local_files_only=True)
    if tokenizer.chat_template is None:
        tokenizer.chat_template = PLAIN_TEMPLATE
    if tokenizer.eos_token_id is None:
        raise LabError("the tokenizer has no end-of-turn token", file=folder)
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def context_of(folder: str | Path) -> int | None:
    """How many tokens the backbone can see, without loading its weights; None where its configuration does not say."""
    config = AutoConfig.from_pretrained(check_folder(folder), local_files_only=True)
    return getattr(config.get_text_config(), "max_position_embeddings", None)


def load_model(folder: str | Path, options: BackboneOptions, device: str = "cpu") -> PreTrainedModel:
    """The backbone's weights, all of them: a tensor missing from the files is an error, not a random matrix."""
    try:
        model, info = AutoModelForCausalLM.from_pretrained(
            check_folder(folder),
            dtype=getattr(torch, options.dtype),
            attn_implementation=options.attention,
            local_files_only=True,
            output_loading_info=True,
        )
    except (OSError, RuntimeError) as error:
        raise LabError(f"cannot load the backbone: {error}", file=folder) from error
    if info["missing_keys"]:
        raise LabError(f"the weight files lack {sorted(info['missing_keys'])[:5]}", file=folder)
    return model.to(device)
