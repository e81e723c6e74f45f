"""The library's own loop, in left-padded batches: for models whose state is more than keys and values."""

from collections.abc import Iterator, Sequence

import torch
from transformers import GenerationConfig, LogitsProcessor, LogitsProcessorList, PreTrainedModel

from learning.engines import Extension, Request
from learning.engines.local import LocalEngine
from learning.engines.streams import Stream, Waiting, choose


class Engine(LocalEngine):
    """`generate` over a model in this process. Every sample of a prompt passes over it again, and no state is kept."""

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
        return decode_generate(self.model, asked, temperature=temperature, batch=self.batch, pad=self.pad)


class Chosen(LogitsProcessor):
    """Our choice of each row's next token, as the only one that the library can make."""

    def __init__(self, temperature: float, writing: Sequence[Stream]):
        self.temperature, self.writing = temperature, writing

    def __call__(self, input_ids, scores):
        open_streams = [None if stream.done else stream for stream in self.writing]
        tokens = torch.tensor(choose(scores, self.temperature, open_streams), device=scores.device)
        return torch.full_like(scores, -torch.inf).scatter(1, tokens[:, None], 0.0)


@torch.inference_mode()
def decode_generate(
    model: PreTrainedModel, asked: Waiting, *, temperature: float = 0.0, batch: int, pad: int
) -> Iterator[Extension]:
    """Extensions, a batch at a time."""
    model.generation_config = GenerationConfig()  # what is not said below would be filled in from the repository's
    while chunk := asked.take(batch):
        width = max(len(stream.prompt) for stream in chunk)
        gaps = [width - len(stream.prompt) for stream in chunk]
        ids = torch.tensor([[pad] * n + list(s.prompt) for n, s in zip(gaps, chunk, strict=True)], device=model.device)
        mask = torch.tensor([[0] * n + [1] * (width - n) for n in gaps], device=model.device)
        model.generate(
            input_ids=ids,
            attention_mask=mask,
            generation_config=GenerationConfig(
                do_sample=False,
                num_beams=1,
                max_new_tokens=max(stream.limit for stream in chunk),
                eos_token_id=sorted(chunk[0].ends | chunk[0].stops),
                pad_token_id=pad,
            ),
            logits_processor=LogitsProcessorList([Chosen(temperature, chunk)]),
        )
        yield from (stream.made for stream in chunk)
