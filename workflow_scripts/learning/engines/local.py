"""What the engines share that run a model here: the backbone, its adapter merged in, and prompts as tokens."""

import sys
from collections.abc import Sequence
from functools import cached_property

import torch
from peft import PeftModel
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from common.errors import LabError
from learning.adapters import attach, merged
from learning.backbones import check_engine, context_of, end_tokens, load_model, load_tokenizer
from learning.engines import TOGETHER, Opening, Question
from learning.settings import BackboneOptions
from learning.tokens import completion_ids, fitting, opened_thinking, prompt_ids


class Tokens:
    """Questions as tokens, and tokens as text: the part of an engine that needs a tokenizer only."""

    def __init__(self, opening: Opening):
        backbone = opening.backbone
        self.opening, self.batch, self.together = opening, opening.batch, opening.batch * TOGETHER
        self.tokenizer = load_tokenizer(backbone)
        self.window = context_of(backbone) or 1 << 30
        self.pad = self.tokenizer.pad_token_id
        self.end = end_tokens(backbone, self.tokenizer)
        self.opened = opened_thinking(self.tokenizer)

    @cached_property
    def breaks(self) -> frozenset[int]:
        """See learning.engines.Engine."""
        return frozenset(i for i in range(len(self.tokenizer)) if "\n" in self.tokenizer.decode([i]))

    def begin(self, question: Question, written: str = "") -> list[int]:
        """See learning.engines.Engine. Raises LabError where the prompt leaves no room for an answer."""
        (ids,) = fitting([question.text], [question.id], self.tokenizer, self.window)
        if written:
            ids += completion_ids(self.tokenizer, question.text, written)[:-1]
        if len(ids) >= self.window:
            message = f"a prompt of {len(ids)} tokens fills the context of {self.window}"
            raise LabError(message, row=question.id)
        return ids

    def length(self, question: Question) -> int:
        """The tokens of the question's target, with the one that ends the turn."""
        return len(completion_ids(self.tokenizer, question.text, question.target))

    def text(self, tokens: Sequence[int]) -> str:
        """See learning.engines.Engine."""
        return self.opened + written(self.tokenizer, list(tokens), self.end)


class LocalEngine(Tokens):
    """A model in this process."""

    @cached_property
    def model(self) -> PreTrainedModel:
        """The model with its adapter, loaded when it is first needed."""
        o = self.opening
        return load(o.backbone, o.adapter, o.options, o.device, self.tokenizer)


def load(
    backbone: str, adapter: str | None, options: BackboneOptions, device: str, tokenizer: PreTrainedTokenizerBase
) -> PreTrainedModel:
    """The model with the adapter merged in.

    Where merging changes the logits of a prompt, the adapter stays beside the weights instead.
    """
    model = attached(backbone, adapter, options, device)
    if isinstance(model, PeftModel):
        model, difference = merged(model, prompt_ids(tokenizer, "0123456789"), options.dtype)
        if difference:
            print(f"{adapter} is not merged, which would change the logits by {difference:.3g}", file=sys.stderr)
            model = attached(backbone, adapter, options, device).get_base_model()
    return model.eval()


def attached(backbone: str, adapter: str | None, options: BackboneOptions, device: str) -> torch.nn.Module:
    """The backbone with the adapter, if any, on it; raises LabError when it does not fit."""
    model = load_model(backbone, options, device)
    check_engine(model, options)
    if not adapter:
        return model
    try:
        return attach(model, adapter)
    except (RuntimeError, ValueError) as error:
        raise LabError(f"the adapter does not fit the backbone: {error}", file=adapter) from error


def written(tokenizer: PreTrainedTokenizerBase, tokens: list[int], end: set[int]) -> str:
    """The text of the tokens, without the end token of a finished turn."""
    return tokenizer.decode(tokens[:-1] if tokens and tokens[-1] in end else tokens, skip_special_tokens=False)
