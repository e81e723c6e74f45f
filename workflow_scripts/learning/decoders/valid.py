"""Best of N by the audit: of the samples in which no line is at fault, the answer that most of them box.

The audit sees the prompt and nothing that it hides, so a claim without evidence is not held to the truth. Where every
sample has a fault, all of them vote.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from learning.decoders.base import Selection
from learning.decoders.majority import most_voted


@dataclass(frozen=True, kw_only=True)
class Decoder(Selection):
    """No settings of its own."""

    JUDGED: ClassVar[bool] = True

    def choose(self, samples: Sequence[Mapping]) -> int:
        """See Selection."""
        voters = [i for i, row in enumerate(samples) if row["valid"]] or list(range(len(samples)))
        return voters[most_voted([samples[i] for i in voters])]
