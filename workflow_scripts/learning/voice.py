"""The native voice: what a backbone would write where a trace begins.

A trace whose first token the backbone would never choose is seldom entered when it decodes freely, however well it
predicts the rest (arXiv:2606.21884).
"""

from collections.abc import Sequence

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from learning.adapters import probe
from learning.tokens import completion_ids, prompt_ids


def beginning(
    model: torch.nn.Module, tokenizer: PreTrainedTokenizerBase, prompt: Sequence[int], completion: Sequence[int]
) -> tuple[torch.Tensor, int]:
    """(probability of every token after the opening of the thinking, shape (vocabulary,); the trace's own token)."""
    opening = tokenizer.encode("<think>\n", add_special_tokens=False)
    skip = len(opening) if list(completion[: len(opening)]) == opening else 0
    return torch.softmax(probe(model, [*prompt, *completion[:skip]]), -1), completion[skip]


def first_token(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, prompt: str, completion: str
) -> dict[str, object]:
    """The token after the opening of the thinking, its probability and rank, and what the model would choose."""
    ids = prompt_ids(tokenizer, prompt), completion_ids(tokenizer, prompt, completion)
    shares, token = beginning(model, tokenizer, *ids)
    choice = int(shares.argmax())
    return {
        "token": tokenizer.decode([token]),
        "probability": round(float(shares[token]), 9),
        "rank": int((shares > shares[token]).sum()) + 1,
        "choice": tokenizer.decode([choice]),
        "choice_probability": round(float(shares[choice]), 9),
    }
