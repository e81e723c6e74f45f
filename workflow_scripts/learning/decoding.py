"""Greedy decoding of many prompts at once with a KV cache, in two engines behind one interface.

`slots` keeps a fixed number of rows in flight, each at its own length, and gives the place of a finished row to the
next prompt. It needs a model whose whole state is keys and values. `generate` is the library's own loop, for the rest.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import torch
from transformers import Cache, DynamicCache, GenerationConfig, LogitsProcessor, LogitsProcessorList, PreTrainedModel
from transformers.cache_utils import DynamicLayer

ROUND = 64  # lengths are rounded up to this, so that the kernels see few shapes


@dataclass(slots=True)
class Completion:
    """What was produced for prompt number `row`: tokens with the end token where there was one, and its log-probs."""

    row: int
    tokens: list[int] = field(default_factory=list)
    logprob: float = 0.0
    finish: str = "length"


class SlotLayer(DynamicLayer):
    """Keys and values of one layer, (slots, heads, capacity, size); each step writes every slot at its own length."""

    def __init__(self, table: "SlotCache"):
        super().__init__()
        self.table = table

    def grow(self, like: torch.Tensor, capacity: int) -> None:
        shape = (len(self.table.lengths), like.shape[1], capacity)
        keys, values = like.new_zeros(*shape, like.shape[3]), like.new_zeros(*shape, self.value_size)
        if self.is_initialized:
            keys[:, :, : self.keys.shape[2]], values[:, :, : self.keys.shape[2]] = self.keys, self.values
        self.keys, self.values, self.is_initialized = keys, values, True

    def put(self, slots: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> None:
        """Prompts of new rows, (rows, heads, length, size), into their slots."""
        self.value_size = values.shape[3]
        if not self.is_initialized or self.keys.shape[2] < keys.shape[2]:
            self.grow(keys, max(self.table.width, keys.shape[2]))
        self.keys[slots, :, : keys.shape[2]] = keys
        self.values[slots, :, : values.shape[2]] = values

    def update(self, key_states, value_states, *args, **kwargs):
        if self.keys.shape[2] < self.table.width:
            self.grow(key_states, self.table.width)
        here = torch.arange(len(self.table.lengths), device=key_states.device)
        self.keys[here, :, self.table.lengths] = key_states[:, :, 0]
        self.values[here, :, self.table.lengths] = value_states[:, :, 0]
        return self.keys[:, :, : self.table.width], self.values[:, :, : self.table.width]


class SlotCache(Cache):
    """All layers' slots, the tokens each slot holds, and the width (longest slot, rounded up) that attention sees."""

    def __init__(self, layers: int, slots: int, device: torch.device):
        self.lengths = torch.zeros(slots, dtype=torch.long, device=device)
        self.width = 0
        super().__init__(layers=[SlotLayer(self) for _ in range(layers)])

    def fit(self) -> None:
        longest = int(self.lengths.max()) + 1
        self.width = longest + -longest % ROUND

    def mask(self) -> torch.Tensor:
        """(slots, 1, 1, width): what the next token of each slot may attend to, itself included."""
        return (torch.arange(self.width, device=self.lengths.device) <= self.lengths[:, None])[:, None, None]

    def select(self, slots: torch.Tensor) -> None:
        """Keep only these slots."""
        self.lengths = self.lengths[slots]
        for layer in self.layers:
            layer.batch_select_indices(slots)


def prefill(model: PreTrainedModel, prompts: Sequence[Sequence[int]], pad: int) -> tuple[torch.Tensor, DynamicCache]:
    """Logits after each prompt, (rows, vocabulary), and their keys and values; padding stands on the right, unseen."""
    device = model.device
    width = max(map(len, prompts))
    width += -width % (ROUND // 4)
    ids = torch.full((len(prompts), width), pad, device=device)
    for i, prompt in enumerate(prompts):
        ids[i, : len(prompt)] = torch.tensor(prompt, device=device)
    cache = DynamicCache()
    hidden = model.get_decoder()(input_ids=ids, past_key_values=cache, use_cache=True).last_hidden_state
    last = torch.tensor([len(p) - 1 for p in prompts], device=device)
    return model.get_output_embeddings()(hidden[torch.arange(len(prompts), device=device), last]), cache


@torch.inference_mode()
def decode_slots(
    model: PreTrainedModel,
    prompts: Sequence[Sequence[int]],
    *,
    budget: int,
    batch: int,
    end: set[int],
    pad: int,
    window: int,
) -> Iterator[Completion]:
    """Greedy completions in the order in which they finish. A row stops at an end token, `budget` or the window."""
    waiting = list(range(len(prompts)))[::-1]
    batch = min(batch, len(prompts))
    cache = SlotCache(model.config.num_hidden_layers, batch, model.device)
    slots: list[Completion | None] = [None] * batch
    tokens = torch.zeros(batch, dtype=torch.long, device=model.device)

    def admit(free: list[int]) -> None:
        rows = [waiting.pop() for _ in range(min(len(free), len(waiting)))]
        places = torch.tensor(free[: len(rows)], device=model.device)
        logits, fresh = prefill(model, [prompts[r] for r in rows], pad)
        cache.lengths[places] = torch.tensor([len(prompts[r]) for r in rows], device=model.device)
        cache.fit()
        for layer, new in zip(cache.layers, fresh.layers, strict=True):
            layer.put(places, new.keys, new.values)
        for slot, row in zip(free, rows, strict=False):
            slots[slot] = Completion(row)
        take(logits, free[: len(rows)])

    def take(logits: torch.Tensor, where: Sequence[int]) -> None:
        best, choice = torch.log_softmax(logits.float(), -1).max(-1)
        tokens[torch.tensor(where, device=tokens.device)] = choice
        for slot, token, logprob in zip(where, choice.tolist(), best.tolist(), strict=True):
            if (row := slots[slot]) is not None:
                row.tokens.append(token)
                row.logprob += logprob
                if token in end:
                    row.finish = "stop"

    def done(row: Completion) -> bool:
        return row.finish == "stop" or len(row.tokens) >= min(budget, window - len(prompts[row.row]))

    while True:
        for slot, row in enumerate(slots):
            if row is not None and done(row):
                yield row
                slots[slot] = None
                cache.lengths[slot] = 0
        free = [i for i, row in enumerate(slots) if row is None]
        if waiting and len(free) >= min(len(slots), max(1, batch // 4), len(waiting)):
            admit(free)
            continue
        if len(free) == len(slots):
            return
        if not waiting and len(free) > len(slots) // 2:
            keep = torch.tensor([i for i, row in enumerate(slots) if row is not None], device=model.device)
            cache.select(keep)
            tokens = tokens[keep]
            slots[:] = [row for row in slots if row is not None]
        cache.fit()
        logits = model(
            input_ids=tokens[:, None],
            position_ids=cache.lengths[:, None],
            attention_mask=cache.mask(),
            past_key_values=cache,
            use_cache=True,
        ).logits[:, -1]
        cache.lengths += 1
        take(logits, range(len(slots)))


class BestLogprob(LogitsProcessor):
    """Adds up the log-probability of each row's most likely token while the library's loop generates."""

    def __init__(self):
        self.steps: list[torch.Tensor] = []

    def __call__(self, input_ids, scores):
        self.steps.append(torch.log_softmax(scores.float(), -1).amax(-1).cpu())
        return scores


@torch.inference_mode()
def decode_generate(
    model: PreTrainedModel,
    prompts: Sequence[Sequence[int]],
    *,
    budget: int,
    batch: int,
    end: set[int],
    pad: int,
    window: int,
) -> Iterator[Completion]:
    """The same interface over the library's `generate`, in left-padded batches."""
    model.generation_config = GenerationConfig()  # what is not said below would be filled in from the repository's
    for start in range(0, len(prompts), batch):
        chunk = prompts[start : start + batch]
        width = max(map(len, chunk))
        ids = torch.tensor([[pad] * (width - len(p)) + list(p) for p in chunk], device=model.device)
        mask = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in chunk], device=model.device)
        limits = [min(budget, window - len(p)) for p in chunk]
        scores = BestLogprob()
        out = model.generate(
            input_ids=ids,
            attention_mask=mask,
            generation_config=GenerationConfig(
                do_sample=False,
                num_beams=1,
                max_new_tokens=max(limits),
                eos_token_id=sorted(end),
                pad_token_id=pad,
            ),
            logits_processor=LogitsProcessorList([scores]),
        )[:, width:].tolist()
        for i, produced in enumerate(out):
            produced = produced[: limits[i]]
            stop = next((j for j, token in enumerate(produced) if token in end), None)
            kept = produced if stop is None else produced[: stop + 1]
            total = float(sum(scores.steps[j][i] for j in range(len(kept))))
            yield Completion(start + i, kept, total, "length" if stop is None else "stop")


ENGINES = {"slots": decode_slots, "generate": decode_generate}
