"""Low-rank adapters on a frozen backbone (arXiv:2106.09685)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from common import typed
from common.errors import LabError
from learning.methods.base import Supervised, TrainJob
from learning.settings import MAX_RANK, BackboneOptions

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel


@dataclass(frozen=True, kw_only=True)
class Method(Supervised):
    """rank; alpha: scale times rank; dropout: of what the adapter reads."""

    rank: int
    alpha: float

    def __post_init__(self):
        super().__post_init__()
        if not 1 <= self.rank <= MAX_RANK:
            raise LabError(f"LoRA rank {self.rank} is outside 1..{MAX_RANK}", field="rank")
        typed.above(self, 0, "alpha")

    def train(self, job: TrainJob) -> None:
        """See Recipe."""
        from learning.training import train

        train(job)

    def trainable(self, model: "PreTrainedModel", options: BackboneOptions, start: str | None) -> "torch.nn.Module":
        """See Recipe."""
        from learning import adapters

        wrapped = adapters.add_lora(model, self, options)
        if start:
            adapters.check_like(start, self, options)
            adapters.restore(wrapped, start)
        return wrapped
