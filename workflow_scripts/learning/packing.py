"""Which rows go into which optimiser step, rank and micro-batch, and how they become tensors.

The plan is fixed before training from the lengths, the seed and the number of ranks, so a resumed run sees exactly the
data that an uninterrupted one would. A step is `batch` rows, as the recipe says, however many ranks share it.
"""

import dataclasses
import inspect
import itertools
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch.utils.data import Dataset
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from common.errors import LabError
from learning.backbone.attention import blocked_attention
from learning.methods.base import n_steps

IGNORE = -100
PAD_TO = 128  # micro-batches are padded to a multiple of this: few distinct shapes


@dataclass(frozen=True, slots=True)
class Example:
    """One row as tokens; only `completion` is learned.

    unlearned: places in the completion that carry no loss. weights: what the loss of each place counts, () where each
    counts 1. fixed: tokens at its end that masking leaves alone.
    shown: what the model reads in place of the completion, when that differs (masked thought). group: the number of the
    group that it is learned in; before: its log-probability at the start of the training, where a method asks for it.
    """

    prompt: tuple[int, ...]
    completion: tuple[int, ...]
    unlearned: frozenset[int] = frozenset()
    weights: tuple[float, ...] = ()
    fixed: int = 0
    shown: tuple[int, ...] = ()
    group: int = -1
    before: float = 0.0

    @property
    def ids(self) -> list[int]:
        return [*self.prompt, *(self.shown or self.completion)]

    @property
    def labels(self) -> list[int]:
        learned = (IGNORE if i in self.unlearned else token for i, token in enumerate(self.completion))
        return [*[IGNORE] * len(self.prompt), *learned]

    def __len__(self) -> int:
        return len(self.prompt) + len(self.completion)


def plan(
    lengths: Sequence[int],
    *,
    batch: int,
    epochs: float,
    ranks: int,
    micro_tokens: int,
    seed: int,
    first: Sequence[int] = (),
    first_epochs: float = 0.0,
    replay: float = 0.0,
    updates: int = 0,
) -> tuple[list[list[int]], int]:
    """Return (micro-batches of row numbers, micro-batches per step and rank).

    Micro-batch `(step * per_step + micro) * ranks + rank` holds that rank's rows. Every epoch is shuffled anew; the
    last, partial step of an epoch is kept only when there would be none otherwise. Rows are dealt longest first to
    the emptiest micro-batch, so ranks finish together. updates: steps in place of epochs, 0 for none. With `first`,
    those rows make a stage of their own, of `first_epochs`, before the others, which get a share `replay` of them.
    """
    stages = [(list(range(len(lengths))), epochs)]
    if first:
        chosen = set(first)
        again = random.Random(f"{seed}:replay").sample(sorted(chosen), round(replay * len(chosen)))
        rest = [i for i in range(len(lengths)) if i not in chosen]
        stages = [(sorted(chosen), first_epochs or epochs), (sorted([*rest, *again]), epochs)]
    steps = [
        step
        for k, (rows, times) in enumerate(stages)
        for step in _steps(rows, batch, updates or n_steps(len(rows), batch, times), f"{seed}:{k}")
    ]
    per_rank = max(sum(lengths[i] for i in step) for step in steps) / ranks
    per_step = max(1, -(-int(per_rank) // micro_tokens))
    micros: list[list[int]] = []
    for step in steps:
        bins: list[list[int]] = [[] for _ in range(per_step * ranks)]
        fill = [0] * len(bins)
        for i in sorted(step, key=lambda i: (-lengths[i], i)):
            j = fill.index(min(fill))
            bins[j].append(i)
            fill[j] += lengths[i]
        micros.extend(bins)
    return micros, per_step


def _steps(rows: list[int], batch: int, total: int, seed: str) -> list[list[int]]:
    """The rows of every optimiser step of a stage of `total` steps."""
    steps: list[list[int]] = []
    for epoch in itertools.count():
        if len(steps) >= total:
            return steps[:total]
        shuffled = rows[:]
        random.Random(f"{seed}:{epoch}").shuffle(shuffled)
        whole = [shuffled[i : i + batch] for i in range(0, len(shuffled), batch)]
        steps.extend(whole[:-1] if len(whole) > 1 and len(whole[-1]) < batch else whole)


class MicroBatches(Dataset):
    """The plan as a dataset: item k is the list of examples of micro-batch k, whose numbers are those of `units`.

    With `masking` above zero (Masked Thought, arXiv:2403.02178) tokens of the completion that the model reads, though
    not those it must produce, are replaced by random ones with a probability that rises from zero to `masking` over
    the first two thirds of the training.
    """

    def __init__(
        self, units: Sequence[Sequence[Example]], micros: Sequence[Sequence[int]], masking: float = 0.0, seed: int = 0
    ):
        self.units, self.micros, self.masking, self.seed = units, micros, masking, seed
        texts = [example.completion[:-1] for unit in units for example in unit] if masking else []  # not the end
        self.vocabulary = sorted({token for text in texts for token in text})

    def __len__(self) -> int:
        return len(self.micros)

    def __getitem__(self, k: int) -> list[Example]:
        rows = [example for i in self.micros[k] for example in self.units[i]]
        if not self.masking:
            return rows
        rng = random.Random(f"{self.seed}:mask:{k}")
        p = self.masking * min(1.0, 1.5 * k / len(self.micros))
        return [self._masked(row, p, rng) for row in rows]

    def _masked(self, row: Example, p: float, rng: random.Random) -> Example:
        open_to_it = len(row.completion) - row.fixed
        shown = (
            rng.choice(self.vocabulary) if i < open_to_it and rng.random() < p else token
            for i, token in enumerate(row.completion)
        )
        return dataclasses.replace(row, shown=tuple(shown))


class Collator:
    """Turns one micro-batch into tensors: packed end to end, or padded to the longest row.

    Packed: shape (1, T), positions restart with each row and `cu_seq_lens_*` mark the boundaries that attention keeps.
    Padded: shape (rows, T). Labels are IGNORE on prompts and padding. Raises LabError when nothing is left to learn.
    """

    def __init__(self, pad: int, packing: bool):
        self.pad, self.packing = pad, packing

    def __call__(self, items: list[list[Example]]) -> dict[str, torch.Tensor | int]:
        (rows,) = items
        rows = rows or [Example((self.pad,) * 2, ())]  # fewer rows than micro-batches: one row of nothing
        out = self._packed(rows) if self.packing else self._padded(rows)
        if any(row.completion for row in rows) and not bool((out["labels"] != IGNORE).any()):
            raise LabError("a micro-batch without a single token to learn")
        if any(row.group >= 0 for row in rows):
            out["groups"] = torch.tensor([row.group for row in rows])
            out["before"] = torch.tensor([row.before for row in rows])
        if any(row.weights for row in rows):
            out["weights"] = self._weights(rows, out["labels"])
        return out

    def _weights(self, rows: list[Example], labels: torch.Tensor) -> torch.Tensor:
        """What each label's loss counts, of the labels' shape."""
        weights = torch.ones(labels.shape)
        start = 0
        for i, row in enumerate(rows):
            line, at = (0, start) if self.packing else (i, 0)
            if row.weights:
                first = at + len(row.prompt)
                weights[line, first : first + len(row.completion)] = torch.tensor(row.weights)
            start += len(row)
        return weights

    def _packed(self, rows: list[Example]) -> dict[str, torch.Tensor | int]:
        ids, labels, positions, ends = [], [], [], [0]
        for row in rows:
            ids += row.ids
            labels += row.labels
            positions += range(len(row))
            ends.append(len(ids))
        if spare := -len(ids) % PAD_TO:
            ids += [self.pad] * spare
            labels += [IGNORE] * spare
            positions += range(spare)
            ends.append(len(ids))
        bounds = torch.tensor(ends, dtype=torch.int32)
        longest = max(b - a for a, b in zip(ends, ends[1:], strict=False))
        return {
            "input_ids": torch.tensor([ids]),
            "labels": torch.tensor([labels]),
            "position_ids": torch.tensor([positions]),
            "cu_seq_lens_q": bounds,
            "cu_seq_lens_k": bounds,
            "max_length_q": longest,
            "max_length_k": longest,
        }

    def _padded(self, rows: list[Example]) -> dict[str, torch.Tensor | int]:
        width = max(map(len, rows))
        width += -width % min(PAD_TO, 64)
        ids = torch.full((len(rows), width), self.pad)
        labels = torch.full((len(rows), width), IGNORE)
        mask = torch.zeros((len(rows), width), dtype=torch.long)
        for i, row in enumerate(rows):
            ids[i, : len(row)] = torch.tensor(row.ids)
            labels[i, : len(row)] = torch.tensor(row.labels)
            mask[i, : len(row)] = 1
        return {"input_ids": ids, "labels": labels, "attention_mask": mask}


def kernel_for_any_lengths() -> Callable | None:
    """torch's attention over rows of any lengths, where it takes what we ask of it; older ones do not."""
    try:
        from torch.nn.attention.varlen import varlen_attn
    except ImportError:
        return None
    known = inspect.signature(varlen_attn).parameters
    return varlen_attn if {"scale", "window_size", "enable_gqa"} <= set(known) else None


HALF = (torch.bfloat16, torch.float16)
VARLEN = kernel_for_any_lengths()


def varlen_attention(query, key, value, bounds: torch.Tensor, longest: int, scaling: float | None) -> torch.Tensor:
    """All packed rows in one call: (1, heads, T, size) -> (T, heads, size)."""
    parts = (part[0].transpose(0, 1).contiguous() for part in (query, key, value))
    grouped = {"enable_gqa": True} if key.shape[1] != query.shape[1] else {}
    return VARLEN(*parts, bounds, bounds, longest, longest, scale=scaling, window_size=(-1, 0), **grouped)


def places(bounds: torch.Tensor) -> list[int]:
    """The boundaries as numbers, fetched from the device once and not in every layer."""
    if not hasattr(bounds, "as_numbers"):
        bounds.as_numbers = bounds.tolist()
    return bounds.as_numbers


def packed_attention(module, query, key, value, attention_mask, dropout=0.0, scaling=None, **kwargs):
    """Causal attention inside each packed row: (1, heads, T, size) -> (1, T, heads, size).

    On a GPU in 16 bits all rows are one call of the kernel for rows of any lengths, where torch has it; else each row
    is one call of the fused kernel, for which a CPU in 16 bits has plain matrix products, since they are faster there.
    No work is spent on pairs of rows and no mask is built. Without boundaries (decoding, padded batches) it is the
    library's own `sdpa`.
    """
    bounds = kwargs.get("cu_seq_lens_q")
    if bounds is None:
        plain = ALL_ATTENTION_FUNCTIONS["sdpa"]
        return plain(module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **kwargs)
    if query.device.type == "cuda" and query.dtype in HALF and VARLEN and not (dropout and module.training):
        return varlen_attention(query, key, value, bounds, kwargs["max_length_q"], scaling)[None], None
    if (
        query.device.type == "cpu"
        and torch.is_autocast_enabled("cpu")
        and query.shape[1] == key.shape[1]
        and not dropout
    ):
        rows = [
            blocked_attention(module, query[:, :, a:b], key[:, :, a:b], value[:, :, a:b], None, scaling)[0]
            for a, b in pairwise(places(bounds))
        ]
        return torch.cat(rows, dim=1), None
    rows = [
        torch.nn.functional.scaled_dot_product_attention(
            query[:, :, a:b],
            key[:, :, a:b],
            value[:, :, a:b],
            dropout_p=dropout if module.training else 0.0,
            is_causal=True,
            scale=scaling,
            enable_gqa=key.shape[1] != query.shape[1],
        )
        for a, b in pairwise(places(bounds))
    ]
    return torch.cat(rows, dim=2).transpose(1, 2).contiguous(), None


def _mask(*args, attention_mask: torch.Tensor | None = None, **kwargs) -> torch.Tensor | None:
    """The library's `sdpa` mask where there is padding; packed rows need none."""
    if attention_mask is None:
        return None
    return ALL_MASK_ATTENTION_FUNCTIONS["sdpa"](*args, attention_mask=attention_mask, **kwargs)


AttentionInterface.register("packed", packed_attention)
AttentionMaskInterface.register("packed", _mask)
