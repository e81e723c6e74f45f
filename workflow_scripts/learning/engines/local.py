"""What the engines share that run a model here: the backbone, its adapter merged in, and prompts as tokens."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from peft import PeftModel
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from common.errors import LabError
from learning.adapters import attach, probe
from learning.backbones import context_of, end_tokens, load_model, load_tokenizer
from learning.engines import TOGETHER, Opening, Question
from learning.settings import CONFIG, WEIGHTS, BackboneOptions
from learning.tokens import completion_ids, opened_thinking, prompt_ids, require_characters


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
        if opening.adapter:
            check_adapter(opening.adapter)

    def begin(self, question: Question, written: str = "") -> list[int]:
        """See learning.engines.Engine. Raises LabError where the prompt leaves no room for an answer."""
        require_characters(self.tokenizer, [question.text], [question.id])
        ids = prompt_ids(self.tokenizer, question.text)
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


def check_adapter(folder: str) -> None:
    """Raise LabError when a file of the adapter is missing."""
    for name in (WEIGHTS, CONFIG):
        if not Path(folder, name).is_file():
            raise LabError(f"missing {name}; run the `train` rule first", file=folder)


def load(backbone: str, adapter: str | None, options: BackboneOptions, device: str, tokenizer: PreTrainedTokenizerBase):
    """The model with the adapter merged in. Merging is kept only if the logits of a prompt stay the same."""
    model = load_model(backbone, options, device)
    if adapter:
        try:
            wrapped = attach(model, adapter)
        except (RuntimeError, ValueError) as error:
            raise LabError(f"the adapter does not fit the backbone: {error}", file=adapter) from error
        ids = prompt_ids(tokenizer, "0123456789")
        before = probe(wrapped, ids)
        model = wrapped.merge_and_unload() if isinstance(wrapped, PeftModel) else wrapped
        gap = float((probe(model, ids) - before).abs().max())
        if gap > (1e-3 if options.dtype == "float32" else 5e-2) * max(1.0, float(before.abs().max())):
            raise LabError(f"merging the adapter changes the logits by {gap:.3g}", file=adapter)
    return model.eval()


def written(tokenizer: PreTrainedTokenizerBase, tokens: list[int], end: set[int]) -> str:
    """The text of the tokens, without the end token of a finished turn."""
    return tokenizer.decode(tokens[:-1] if tokens and tokens[-1] in end else tokens, skip_special_tokens=False)
