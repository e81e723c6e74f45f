"""Whether an arm fits onto its GPUs, in training and in decoding, and what would make it fit. No torch here."""

from dataclasses import dataclass

from learning.estimate import BYTES, GIB, ON_A_GPU, SPLIT, Counted, Memory, memory, ways_to_fit
from learning.settings import BackboneOptions


@dataclass(frozen=True, slots=True)
class Arm:
    """What an arm asks of GPUs.

    ranks: GPUs of its training; tokens, written: see `memory`, 0 tokens where nothing is trained. batch: texts that are
    decoded at once, of `length` tokens at most.
    """

    counted: Counted
    options: BackboneOptions
    ranks: int
    tokens: int
    written: int
    batch: int
    length: int

    @property
    def training(self) -> Memory | None:
        """What a rank holds; None where nothing is trained."""
        if not self.tokens:
            return None
        return memory(self.counted, self.options, self.ranks, self.tokens, written=self.written)

    def decoding(self, batch: int = 0, gpus: int = 0) -> int:
        """Bytes that each of so many GPUs holds while it decodes: weights, the adapter until it is merged into them,
        keys and values. vLLM spreads a model over all GPUs, the other engines use one."""
        size, c = BYTES[self.options.dtype], self.counted
        gpus = gpus or (self.ranks if self.options.engine == "vllm" else 1)
        adapter = 0 if c.adapter >= c.parameters else c.adapter * size
        return int(
            (c.parameters * size + adapter + SPLIT * (batch or self.batch) * self.length * c.kept) / gpus + ON_A_GPU
        )

    def lacks(self, room: int) -> list[str]:
        """By how much it is too large and what would make it fit, in words; empty where it fits."""
        found = []
        if self.training and (more := self.training.peak - room) > 0:
            ways = ways_to_fit(self.counted, self.options, self.ranks, self.tokens, room, written=self.written)
            found.append(f"training needs {more / GIB:.1f} GiB more than a GPU has; {fitting(ways)}")
        if (more := self.decoding() - room) > 0:
            batch = next((n for n in range(self.batch, 0, -1) if self.decoding(n) <= room), 0)
            ways = [f"a decoding batch of {batch}"] if batch else []
            if self.decoding(gpus=self.ranks) <= room:
                ways.append(f"engine: vllm, which spreads it over {self.ranks} GPUs")
            found.append(f"decoding needs {more / GIB:.1f} GiB more than a GPU has; {fitting(ways)}")
        return found


def fitting(ways: list[str]) -> str:
    """What would make something fit, for a message."""
    return f"it would fit with {'; or '.join(ways)}" if ways else "nothing that is a setting makes it fit"
