"""Complexity-weighted voting: only the samples with most lines vote (arXiv:2210.00720), or, as a control, with fewest.

Of samples with as many lines the one with more characters counts as longer. Where all may vote it is self-consistency.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from common import typed
from common.errors import LabError
from learning.decoders.base import Selection
from learning.decoders.majority import most_voted

ORDERS = ("longest", "shortest")


@dataclass(frozen=True, kw_only=True)
class Decoder(Selection):
    """k: how many samples vote; by: `longest` or `shortest`."""

    k: int
    by: str

    def __post_init__(self):
        super().__post_init__()
        typed.at_least(self, 1, "k")
        if self.by not in ORDERS:
            raise LabError(f"{self.by!r} is not one of {', '.join(ORDERS)}", field="by")

    def check(self, n: int) -> None:
        """See Selection."""
        super().check(n)
        if self.k > (self.first or n):
            raise LabError(f"{self.k} of {self.first or n} samples cannot vote", field="k")

    def choose(self, samples: Sequence[Mapping]) -> int:
        """See Selection."""
        sign = -1 if self.by == "longest" else 1
        sizes = [(sign * row["text"].count("\n"), sign * len(row["text"]), i) for i, row in enumerate(samples)]
        voters = sorted(i for *_, i in sorted(sizes)[: self.k])
        return voters[most_voted([samples[i] for i in voters])]
