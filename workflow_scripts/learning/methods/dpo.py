"""Preference for the solver's line over the model's own first wrong one (arXiv:2406.14532, arXiv:2305.18290).

A row of the corpus (`harvest: repair`) begins with lines that the model wrote itself and that the audit finds sound.
The solver's text goes on from there, and so does the model's, with a line at fault. The first is preferred: the loss is
-log sigmoid(beta * d), where d is how much more than at the start the model favours it, in log-probability.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from common import typed
from common.errors import LabError
from learning.methods.lora import Method as Lora

if TYPE_CHECKING:
    import torch

SPANS = ("rest", "line")


@dataclass(frozen=True, kw_only=True)
class Method(Lora):
    """beta: how sharp the preference is. span: what is compared after the shared lines, the rest of both texts or one
    line of each."""

    NEEDS: ClassVar[tuple[str, ...]] = ("source", "start")
    GROUPED: ClassVar[bool] = True
    COMPARED: ClassVar[bool] = True
    harvest: str = "repair"
    beta: float = 0.1
    span: str = "rest"

    def __post_init__(self):
        super().__post_init__()
        typed.above(self, 0, "beta")
        if self.span not in SPANS:
            raise LabError(f"unknown span {self.span!r}; expected {' or '.join(SPANS)}", field="span")
        if self.harvest != "repair" or self.rendered or self.hint != "none" or self.drills:
            raise LabError("pairs come from harvest repair alone, without texts, hints or drills", field="harvest")

    def units(self, rows: Sequence[Mapping]) -> list[list[dict]]:
        """See Supervised: the preferred text and the other one."""
        found = []
        for row in rows:
            if not row.get("rejected"):
                raise LabError("nothing to prefer the completion to", row=row["id"], field="rejected")
            pair = []
            for text in (row["completion"], row["rejected"]):
                after = range(row["prefix"] + 1, text.count("\n") + 1) if self.span == "line" else ()
                told = {**row, "completion": text, "unlearned": [*range(row["prefix"]), *after]}
                pair.append(told | {"ended": self.span == "rest" and text is row["completion"]})
            found.append(pair)
        return found

    def objective(self, sums: "torch.Tensor", before: "torch.Tensor") -> "torch.Tensor":
        """See Supervised."""
        from torch.nn.functional import logsigmoid

        preferred, other = sums - before
        return -logsigmoid(self.beta * (preferred - other))
