"""Any of several completions of a problem will do: beta-smoothed marginal likelihood (arXiv:2205.14318).

All rows of the corpus with the same id are one set: the model's own verified completions, sound beginnings of others
(`harvest: partial`), the solver's text where the recipe mixes it in (`rendered`). The loss of a set with probabilities
p is -(1/beta) log sum p^beta. beta 1 is the marginal likelihood, which favours what the model writes anyway; smaller
ones lift all members. Of a set of one it is the ordinary loss, summed over the text.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from common.errors import LabError
from learning.methods.lora import Method as Lora

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, kw_only=True)
class Method(Lora):
    """beta: in (0, 1]; the paper's best is 0.25."""

    NEEDS: ClassVar[tuple[str, ...]] = ("source",)
    GROUPED: ClassVar[bool] = True
    harvest: str = "partial"
    beta: float = 0.25

    def __post_init__(self):
        super().__post_init__()
        if not 0 < self.beta <= 1:
            raise LabError(f"{self.beta} is outside (0, 1]", field="beta")

    def units(self, rows: Sequence[Mapping]) -> list[list[dict]]:
        """See Supervised: the rows of each id, in their order."""
        found: dict[str, list[dict]] = {}
        for row in rows:
            found.setdefault(row["id"], []).append(dict(row))
        return list(found.values())

    def objective(self, sums: "torch.Tensor", before: "torch.Tensor") -> "torch.Tensor":
        """See Supervised."""
        return -(self.beta * sums).logsumexp(0) / self.beta
