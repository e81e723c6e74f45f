"""Best of N: the sample to which the model gives the highest log-probability, per token or in all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from common.errors import LabError
from learning.decoders.base import Selection
from learning.engines import TOKENS

SCORES = {"mean": "logprob_mean", "sum": "logprob_sum"}


@dataclass(frozen=True, kw_only=True)
class Decoder(Selection):
    """by: `mean`, log-probability per token, or `sum`, of the whole completion."""

    NEEDS: ClassVar[frozenset[str]] = frozenset({TOKENS})
    by: str

    def __post_init__(self):
        super().__post_init__()
        if self.by not in SCORES:
            raise LabError(f"{self.by!r} is not one of {', '.join(SCORES)}", field="by")

    def choose(self, samples: Sequence[Mapping]) -> int:
        """See Selection; of equal ones the first."""
        scores = [row[SCORES[self.by]] for row in samples]
        if None in scores:
            raise LabError("a sample without log-probabilities cannot be ranked", row=samples[0]["id"], field="by")
        return scores.index(max(scores))
