"""The native voice: what a backbone would write where a trace begins."""

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from learning.adapters import probe
from learning.tokens import completion_ids, prompt_ids


def first_token(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, prompt: str, completion: str
) -> dict[str, object]:
    """The token after the opening of the thinking, its probability and rank, and what the model would choose."""
    opening = tokenizer.encode("<think>\n", add_special_tokens=False)
    ids = completion_ids(tokenizer, prompt, completion)
    skip = len(opening) if ids[: len(opening)] == opening else 0
    shares = torch.softmax(probe(model, [*prompt_ids(tokenizer, prompt), *ids[:skip]]), -1)
    choice = int(shares.argmax())
    return {
        "token": tokenizer.decode([ids[skip]]),
        "probability": round(float(shares[ids[skip]]), 9),
        "rank": int((shares > shares[ids[skip]]).sum()) + 1,
        "choice": tokenizer.decode([choice]),
        "choice_probability": round(float(shares[choice]), 9),
    }
