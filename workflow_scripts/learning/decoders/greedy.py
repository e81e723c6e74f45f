"""The likeliest token, each time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from learning.decoders.base import Decoding, Stream, plain
from learning.engines import Engine


@dataclass(frozen=True, kw_only=True)
class Decoder(Decoding):
    """No settings of its own."""

    def decode(self, engine: Engine, streams: Sequence[Stream], seed: int) -> Iterator[list[dict]]:
        """See Decoding."""
        return plain(engine, streams, self.max_tokens)
