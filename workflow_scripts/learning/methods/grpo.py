"""Reinforcement from verifiable rewards: group-relative policy optimisation (GRPO, arXiv:2402.03300), by TRL.

Of every row of the corpus only the problem is used: the model writes a group of completions of it, and learns from
those that are worth more than the group's mean.

reward outcome          1 for a right answer in a box, of a completion that ended
reward outcome-valid    the same where the audit also finds no line at fault
reward prefix           of a completion that is not right, `partial` times the share of lines before the first at fault
                        (partial credit, as in arXiv:2401.08967)

The evaluation rows (the first `held_out` of each family) are completed greedily before the training and at every saved
checkpoint: whether accuracy rises and whether the lines stay valid are two questions.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from common import typed
from common.errors import LabError
from learning.methods.base import Judge, Recipe, TrainJob
from learning.settings import MAX_RANK, BackboneOptions

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

REWARDS = ("outcome", "outcome-valid", "prefix")


@dataclass(frozen=True, kw_only=True)
class Method(Recipe):
    """rank, alpha: of the adapter, as of the one that the training starts from.

    group: completions per row; temperature: at which they are drawn; tokens: each has at most. kl: the weight of the
    divergence from the start. reward, partial: see above. patience: where in so many first updates every group was
    worth the same throughout, nothing can be learned, which is an error. held_out: evaluation rows per family.
    """

    JUDGED: ClassVar[bool] = True
    NEEDS: ClassVar[tuple[str, ...]] = ("start",)
    rank: int
    alpha: float
    updates: int
    group: int = 8
    temperature: float = 0.9
    tokens: int = 1880
    kl: float = 0.0
    reward: str = "outcome"
    partial: float = 0.1
    patience: int = 3
    held_out: int = 200

    def __post_init__(self):
        super().__post_init__()
        if not 1 <= self.rank <= MAX_RANK:
            raise LabError(f"LoRA rank {self.rank} is outside 1..{MAX_RANK}", field="rank")
        typed.above(self, 0, "alpha", "updates", "temperature", "tokens")
        typed.at_least(self, 0, "kl")
        typed.at_least(self, 1, "patience", "held_out")
        if self.group < 2:
            raise LabError(f"{self.group} completion(s) cannot be compared; expected at least 2", field="group")
        if self.reward not in REWARDS:
            raise LabError(f"unknown reward {self.reward!r}{typed.suggestion(self.reward, REWARDS)}", field="reward")
        if not 0 < self.partial < 1:
            raise LabError(f"{self.partial} is outside (0, 1)", field="partial")
        if self.hint != "none" or self.drills:
            raise LabError("hints and drills have no lines to judge", field="hint")

    def check(self, options: BackboneOptions, ranks: int) -> None:
        """See Recipe."""
        if "lm_head" in options.targets:
            raise LabError("TRL trains no adapter on lm_head, which is among the backbone's targets", field="method")
        if self.batch * self.group % ranks:
            message = f"{self.batch} rows of {self.group} completions cannot be shared by {ranks} ranks"
            raise LabError(message, field="batch")

    def taken(self, rows: int) -> float:
        """See Recipe."""
        return self.updates * self.batch * self.group

    def written(self) -> tuple[int, int, int]:
        """See Recipe; without the evaluation rows."""
        texts = self.batch * self.group
        return self.updates * texts, self.tokens, min(texts, max(1, self.micro_tokens // 64))

    def worth(self, judges: Mapping[str, Judge], row: Mapping[str, str], text: str, ended: bool) -> float:
        """The reward of a completion of a row, 0 to 1; ended: by itself, not by the limit of tokens."""
        right = ended and judges["boxed"](row, text) > 0
        if right and self.reward == "outcome-valid":
            return judges["valid"](row, text)
        if not right and self.reward == "prefix":
            return self.partial * judges["prefix"](row, text)
        return float(right)

    def train(self, job: TrainJob) -> None:
        """See Recipe."""
        from learning.reinforcement import train

        train(job)

    def trainable(self, model: "PreTrainedModel", options: BackboneOptions, start: str | None) -> "torch.nn.Module":
        """See Recipe."""
        from learning import adapters

        wrapped = adapters.add_lora(model, self, options)
        if start:  # none where only shapes are counted
            adapters.check_like(start, self, options)
            adapters.restore(wrapped, start)
        return wrapped
