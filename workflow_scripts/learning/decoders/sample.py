"""k completions of each row, drawn token by token from the model's distribution at a temperature.

Nothing is cut off the distribution. Each sample has random numbers of its own, from the seed, the arm's seed, the row
and the sample's number: sample 3 of a row is the same whether 4 or 8 are asked for.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from common import typed
from learning.decoders.base import Decoding, Stream, plain
from learning.engines import SAMPLES, Engine


@dataclass(frozen=True, kw_only=True)
class Decoder(Decoding):
    """k: samples per row; temperature: what logits are divided by; seed: of the draws."""

    NEEDS: ClassVar[frozenset[str]] = frozenset({SAMPLES})
    k: int
    temperature: float
    seed: int

    def __post_init__(self):
        super().__post_init__()
        typed.at_least(self, 1, "k")
        typed.at_least(self, 0, "seed")
        typed.above(self, 0, "temperature")

    @property
    def samples(self) -> int:
        """See Decoding."""
        return self.k

    def decode(self, engine: Engine, streams: Sequence[Stream], seed: int) -> Iterator[list[dict]]:
        """See Decoding."""
        return plain(engine, streams, self.max_tokens, temperature=self.temperature, seeds=(self.seed, seed))
