"""Many texts at once with a KV cache: a fixed number of slots, each at its own length.

The slot of a finished text goes to the next one. All samples of a prompt start from one pass over it. It needs a model
whose whole state is keys and values; `generate` is for the rest.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from transformers import Cache, DynamicCache, PreTrainedModel
from transformers.cache_utils import DynamicLayer

from learning.engines import Extension, Request
from learning.engines.local import LocalEngine
from learning.engines.streams import Stream, Waiting, choose

ROUND = 64  # lengths are rounded up to this, so that the kernels see few shapes


class Engine(LocalEngine):
    """Slots over a model in this process."""

    def extend(
        self,
        requests: Sequence[Request],
        *,
        temperature: float = 0.0,
        stop: frozenset[int] = frozenset(),
        keep: bool = False,
    ) -> Iterator[Extension]:
        """See learning.engines.Engine."""
        asked = Waiting(requests, self.end, stop, self.window)
        how = {"temperature": temperature, "batch": self.batch, "pad": self.pad}
        return decode_slots(self.model, asked, **how, **({"keep": True} if keep else {}))


@dataclass(frozen=True, slots=True)
class Kept:
    """Keys and values of every layer, (heads, tokens, size), for these tokens."""

    tokens: list[int]
    layers: list[tuple[torch.Tensor, torch.Tensor]]

    def shared(self, prompt: Sequence[int]) -> int:
        """How many first tokens of a prompt it knows; the last one must be read in any case, to go on from it."""
        most = min(len(self.tokens), len(prompt) - 1)
        if self.tokens[:most] == prompt[:most]:
            return most
        return next(i for i in range(most) if self.tokens[i] != prompt[i])


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

    def keep(self, slot: int, tokens: Sequence[int]) -> Kept:
        """What a slot holds; tokens: all of its text, of which the last may not have been read."""
        n = int(self.lengths[slot])
        layers = [(layer.keys[slot, :, :n].clone(), layer.values[slot, :, :n].clone()) for layer in self.layers]
        return Kept(list(tokens[:n]), layers)

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
    model: PreTrainedModel, waiting: Waiting, *, temperature: float = 0.0, batch: int, pad: int, keep: bool = False
) -> Iterator[Extension]:
    """Extensions in the order in which they finish."""
    batch = min(batch, len(waiting))
    cache = SlotCache(model.config.num_hidden_layers, batch, model.device)
    slots: list[Stream | None] = [None] * batch
    tokens = torch.zeros(batch, dtype=torch.long, device=model.device)
    begun: tuple[int, torch.Tensor, list] | None = None  # the last prompt's request, logits, keys and values

    def admit(free: list[int]) -> None:
        nonlocal begun
        fresh = waiting.take(len(free))
        known, fresh = ([s for s in fresh if (s.kept is not None) == is_known] for is_known in (True, False))
        resume(known, free)
        where = free[len(known) : len(known) + len(fresh)]
        again = sum(begun is not None and stream.request == begun[0] for stream in fresh)
        if again:
            start(fresh[:again], where[:again], [0] * again, *begun[1:])
        if new := fresh[again:]:
            prompts = {stream.request: stream.prompt for stream in new}
            logits, made = prefill(model, list(prompts.values()), pad)
            layers = [(layer.keys, layer.values) for layer in made.layers]
            rows = {request: row for row, request in enumerate(prompts)}
            start(new, where[again:], [rows[stream.request] for stream in new], logits, layers)
            begun = (new[-1].request, logits[-1:], [(keys[-1:], values[-1:]) for keys, values in layers])

    def start(fresh: list[Stream], where: list[int], rows: list[int], logits: torch.Tensor, layers: list) -> None:
        """Put streams into their slots. rows: where each one's prompt is in the logits, keys and values."""
        places, rows = (torch.tensor(numbers, device=model.device) for numbers in (where, rows))
        cache.lengths[places] = torch.tensor([len(stream.prompt) for stream in fresh], device=model.device)
        cache.fit()
        for layer, (keys, values) in zip(cache.layers, layers, strict=True):
            layer.put(places, keys[rows], values[rows])
        for slot, stream in zip(where, fresh, strict=True):
            slots[slot], stream.fed = stream, len(stream.prompt)
        take(logits[rows], where)

    def resume(known: list[Stream], where: list[int]) -> None:
        """Put streams into their slots that go on from a kept state; what it lacks of their prompt is read in turn."""
        shared = [stream.kept.shared(stream.prompt) for stream in known]
        for slot, n, stream in zip(where, shared, known, strict=False):
            cache.lengths[slot], tokens[slot], stream.fed = n, stream.prompt[n], n + 1
            slots[slot] = stream
        if known:
            cache.fit()
        for slot, n, stream in zip(where, shared, known, strict=False):
            for layer, (keys, values) in zip(cache.layers, stream.kept.layers, strict=True):
                layer.put(torch.tensor([slot], device=model.device), keys[None, :, :n], values[None, :, :n])
            stream.kept = None

    def take(logits: torch.Tensor, where: Sequence[int]) -> None:
        writing = [slots[slot] for slot in where]
        chosen = choose(logits, temperature, [stream if stream and stream.writes else None for stream in writing])
        for i, stream in enumerate(writing):
            if stream is not None and not stream.writes:
                chosen[i] = stream.prompt[stream.fed]
                stream.fed += 1
        tokens[torch.tensor(where, device=tokens.device)] = torch.tensor(chosen, device=tokens.device)

    while True:
        for slot, stream in enumerate(slots):
            if stream is not None and stream.done:
                if keep:
                    stream.made.state = cache.keep(slot, [*stream.prompt, *stream.made.tokens])
                yield stream.made
                slots[slot] = None
                cache.lengths[slot] = 0
        free = [i for i, stream in enumerate(slots) if stream is None]
        if waiting and len(free) >= min(len(slots), max(1, batch // 4), len(waiting)):
            admit(free)
            continue
        if len(free) == len(slots):
            return
        if not waiting and len(free) > len(slots) // 2:
            rest = torch.tensor([i for i, stream in enumerate(slots) if stream is not None], device=model.device)
            cache.select(rest)
            tokens = tokens[rest]
            slots[:] = [stream for stream in slots if stream is not None]
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
