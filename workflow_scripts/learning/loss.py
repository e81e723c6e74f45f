"""The loss of the learned tokens without the logits of all: at a vocabulary of 131,000 they outweigh the model."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from peft import PeftModel
from torch.nn.functional import cross_entropy
from torch.utils.checkpoint import checkpoint

from learning.loss_size import LOGITS
from learning.packing import IGNORE


@contextmanager
def summed_loss(
    model: torch.nn.Module,
    labels: torch.Tensor,
    logits: int = LOGITS,
    *,
    weights: torch.Tensor | None = None,
    texts: torch.Tensor | None = None,
    n: int = 1,
) -> Iterator[None]:
    """Within it, the model's `logits` are the summed cross-entropy of the labels (rows, tokens) instead, (1, 1, 1).

    weights: what each label counts, of their shape. texts: which of n texts each label belongs to; then the sums are
    those of each text, (1, 1, n).

    The output layer computes it, so whatever wraps or shards the model sees an ordinary pass. It takes only positions
    that are learned, as many at once as make `logits` numbers, and makes them again in the backward pass if there are
    more.
    """
    head = (model.get_base_model() if isinstance(model, PeftModel) else model).get_output_embeddings()
    plain = head.forward
    targets = torch.nn.functional.pad(labels[:, 1:], (0, 1), value=IGNORE)
    learned = targets != IGNORE
    wanted = targets[learned]
    marks = [None if each is None else each[:, 1:][learned[:, :-1]] for each in (weights, texts)]

    def piece(states: torch.Tensor, wanted: torch.Tensor, counts=None, place=None) -> torch.Tensor:
        if counts is None and place is None:
            return cross_entropy(plain(states).float(), wanted, ignore_index=IGNORE, reduction="sum")
        losses = cross_entropy(plain(states).float(), wanted, ignore_index=IGNORE, reduction="none")
        losses = losses if counts is None else losses * counts.to(losses)
        return losses.sum() if place is None else losses.new_zeros(n).index_add(0, place, losses)

    def forward(hidden: torch.Tensor) -> torch.Tensor:
        if not len(wanted):  # a row of nothing, which still takes part in the backward pass
            return piece(hidden[0, :1], targets[0, -1:]).reshape(1, 1, 1)
        states = hidden[learned]
        size = max(1, logits // vocabulary(head))
        if len(states) <= size:
            return piece(states, wanted, *marks).reshape(1, 1, -1)
        parts = [[None] * -(-len(states) // size) if each is None else each.split(size) for each in marks]
        pieces = zip(states.split(size), wanted.split(size), *parts, strict=True)
        return sum(checkpoint(piece, *each, use_reentrant=False) for each in pieces).reshape(1, 1, -1)

    head.forward = forward
    try:
        yield
    finally:
        del head.forward


def vocabulary(head: torch.nn.Module) -> int:
    """The outputs of an output layer, with LoRA on it or not."""
    return getattr(head, "base_layer", head).out_features
