"""Loading a backbone folder: whole, with the dtype and attention that its entry in config/backbones.yaml asks for."""

import json
from pathlib import Path

import torch
import transformers
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from common.errors import LabError
from learning import packing, sinks  # noqa: F401  (make "packed" and "sinks" attention known)
from learning.settings import TEMPLATE_DATE, BackboneOptions, check_folder

transformers.utils.logging.disable_progress_bar()

# For a backbone that was never taught turns: roles by name, and the end token after the assistant's.
PLAIN_TEMPLATE = (
    "{%- for message in messages -%}"
    "{{- message.role | capitalize + ': ' + message.content -}}"
    "{{- eos_token if message.role == 'assistant' else '\n\n' -}}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- 'Assistant: ' -}}{%- endif -%}"
)
# The clock of a chat template, stopped at TEMPLATE_DATE. Templates take no functions from outside, so it is a macro.
_CODES = [*"aAbBcdeHIjmMpSuUwWxXyYZz", "-d", "-m", "-H", "-I", "-M", "-S", "-j"]
CLOCK = (
    "{%- macro strftime_now(format) -%}{{- format"
    + "".join(f"|replace('%{code}', '{TEMPLATE_DATE.strftime('%' + code)}')" for code in _CODES)
    + " -}}{%- endmacro -%}{{ '' }}"
)


def load_tokenizer(folder: str | Path) -> PreTrainedTokenizerBase:
    """The backbone's tokenizer; it must have an end-of-turn token.

    It has a plain chat template where the repository has none, gives every text back as it is, and knows no other day
    than TEMPLATE_DATE.
    """
    tokenizer = AutoTokenizer.from_pretrained(check_folder(folder), local_files_only=True)
    tokenizer.clean_up_tokenization_spaces = False
    if tokenizer.chat_template is None:
        tokenizer.chat_template = PLAIN_TEMPLATE
    elif "strftime_now" in (template := tokenizer.get_chat_template()):
        tokenizer.chat_template = CLOCK + template
    if tokenizer.eos_token_id is None:
        raise LabError("the tokenizer has no end-of-turn token", file=folder)
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def context_of(folder: str | Path) -> int | None:
    """How many tokens the backbone can see, without loading its weights; None where its configuration does not say."""
    config = AutoConfig.from_pretrained(check_folder(folder), local_files_only=True)
    return getattr(config.get_text_config(), "max_position_embeddings", None)


def end_tokens(folder: str | Path, tokenizer: PreTrainedTokenizerBase) -> set[int]:
    """The tokens that end a turn: the tokenizer's own and those of the repository's generation settings.

    Nothing else of those settings is used: how a completion is decoded is ours to say.
    """
    path = Path(folder, "generation_config.json")
    if path.is_file():
        listed = json.loads(path.read_text(encoding="utf-8")).get("eos_token_id")
    else:
        config = AutoConfig.from_pretrained(folder, local_files_only=True)
        listed = getattr(config.get_text_config(), "eos_token_id", None)
    return {tokenizer.eos_token_id, *(listed if isinstance(listed, list) else [listed])} - {None}


def check_engine(model: PreTrainedModel, options: BackboneOptions) -> None:
    """Raise LabError for the engine slots and a model that it would decode wrongly.

    It holds keys and values of all earlier tokens: no other states, no windows.
    """
    config = model.config.get_text_config()
    kinds = set(getattr(config, "layer_types", None) or ())
    if not kinds and getattr(config, "sliding_window", None):
        kinds = {"sliding_attention"}
    if options.engine == "slots" and (kinds - {"full_attention"} or model._is_stateful):
        named = ", ".join(sorted(kinds - {"full_attention"})) or "states of its own"
        raise LabError(f"slots cannot decode a {type(model).__name__} ({named}); use generate", field="engine")


def load_model(folder: str | Path, options: BackboneOptions, device: str = "cpu") -> PreTrainedModel:
    """The backbone's weights, all of them: a tensor missing from the files is an error, not a random matrix.

    Dropout that the repository's configuration asks for is off; a recipe has its own.
    """
    config = AutoConfig.from_pretrained(check_folder(folder), local_files_only=True)
    for part in (config, config.get_text_config()):
        for name, value in vars(part).items():
            if "drop" in name and isinstance(value, float):
                setattr(part, name, 0.0)
    try:
        model, info = AutoModelForCausalLM.from_pretrained(
            folder,
            config=config,
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
