"""Drawn again from the first fault: the model is told where its thought breaks, and not what is right.

An answer is drawn and audited on what the model itself sees. Where a line is at fault, the answer is cut before it and
drawn on from there, `rounds` times at most; the last draw stands. It is refinement by feedback (arXiv:2310.08559) for
thoughts that are checked line by line. A vote or the best of as many draws is the comparison at a matched budget.
"""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from common import typed
from learning.decoders.base import Decoding, Stream, driven, in_batches, record, seed_of
from learning.engines import SAMPLES, TOKENS, Engine, Extension, Request


@dataclass(frozen=True, kw_only=True)
class Decoder(Decoding):
    """rounds: of drawing again; temperature: what logits are divided by; seed: of the draws."""

    NEEDS: ClassVar[frozenset[str]] = frozenset({TOKENS, SAMPLES})
    TUTORED: ClassVar[bool] = True
    rounds: int
    temperature: float
    seed: int

    def __post_init__(self):
        super().__post_init__()
        typed.at_least(self, 1, "rounds")
        typed.at_least(self, 0, "seed")
        typed.above(self, 0, "temperature")

    def decode(self, engine: Engine, streams: Sequence[Stream], seed: int) -> Iterator[list[dict]]:
        """See Decoding."""
        for part in in_batches(engine, streams, 4):
            writers = [self.written(engine, stream, seed) for stream in part]
            yield [found for _, found in driven(engine, writers, temperature=self.temperature)]

    def written(self, engine: Engine, stream: Stream, seed: int) -> Generator[Request, Extension, dict]:
        """Asks for one draw after another. notes: how often it was drawn again, and whether a fault is left."""
        prompt, tutor, tokens, decoded = stream.beginning, stream.question.tutor, [], 0
        limit = min(self.max_tokens, engine.window - len(prompt))
        for draw in range(self.rounds + 1):
            own = seed_of(stream.question, draw, self.seed, seed)
            made = yield Request([*prompt, *tokens], limit - len(tokens), (own,))
            tokens, decoded = [*tokens, *made.tokens], decoded + len(made.tokens)
            text = engine.text(tokens)
            fault = tutor.fault(text)
            sound = text.split("\n")[:fault]
            kept = engine.begin(stream.question, "\n".join([*sound, ""]))[len(prompt) :] if sound else []
            if fault is None or draw == self.rounds or len(kept) >= limit:
                break
            tokens = kept
        notes = {"redrawn": draw, "faulty": int(fault is not None)}
        return record(stream, text, len(tokens), made.finish, n_decoded=decoded, notes=notes)
