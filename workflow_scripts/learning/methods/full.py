"""Every parameter of the backbone is trained."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from learning.methods.base import Supervised, TrainJob
from learning.settings import BackboneOptions

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

TO_RESIDUAL = ("o_proj", "out_proj", "down_proj")  # modules whose output is added to the residual stream


@dataclass(frozen=True, kw_only=True)
class Method(Supervised):
    """dropout: of the embeddings and of all that is added to the residual stream."""

    def train(self, job: TrainJob) -> None:
        """See Recipe."""
        from learning.training import train

        train(job)

    def trainable(self, model: "PreTrainedModel", options: BackboneOptions, start: str | None) -> "torch.nn.Module":
        """See Recipe."""
        import torch

        from learning import adapters

        if start:
            adapters.restore(model, start)
        if self.dropout:
            dropped = [m for n, m in model.named_modules() if n.endswith(TO_RESIDUAL)]
            for module in (model.get_input_embeddings(), *dropped):
                module.register_forward_hook(
                    lambda module, _, out: torch.nn.functional.dropout(out, self.dropout, module.training)
                )
        return model
