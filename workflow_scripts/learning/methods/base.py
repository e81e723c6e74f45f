"""What training methods have in common: the settings of a recipe, and what they are given."""

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, ClassVar

from common import typed
from common.errors import LabError
from learning.settings import BackboneOptions

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

SCHEDULES = ("linear", "cosine")
HARVESTS = ("answer", "valid")
UNLEARNED = ("none", "failed", "outcomes")
Judge = Callable[[Mapping[str, str], str], float]
"""What a completion of a row of the corpus is worth, 0 to 1."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The settings that every method has: of the optimiser, and of how the corpus is mixed; the study's unless said.

    lr, schedule, warmup (share of the steps), floor: the learning rate, linear or cosine, down to the share `floor` of
    lr (linear: to zero). batch: rows per optimiser step. epochs: passes over the rows. max_length: tokens per example.
    micro_tokens: tokens that one rank takes through the model at once (memory). save_every: steps per checkpoint.

    drills: recall drills per family in the corpus. hint, share: an auxiliary task on a share of the rows, whose
    accuracy is measured in the end. For an arm with a source: harvest, which of its completions are examples, those
    with the right answer or those that are valid too; rendered, the share of the examples that are the design's own
    texts instead.
    """

    JUDGED: ClassVar[bool] = False  # whether the method asks what its own completions are worth

    lr: float = 2e-4
    schedule: str = "linear"
    batch: int = 32
    epochs: float = 2
    max_length: int = 8192
    floor: float = 0.0
    warmup: float = 0.0
    dropout: float = 0.0
    micro_tokens: int = 8192
    weight_decay: float = 0.0
    clip: float = 1.0
    beta2: float = 0.95
    save_every: int = 50
    drills: int = 0
    hint: str = "none"
    share: float = 0.0
    harvest: str = "answer"
    rendered: float = 0.0

    def __post_init__(self):
        if self.schedule not in SCHEDULES:
            raise LabError(f"unknown schedule {self.schedule!r}; expected linear or cosine", field="schedule")
        if self.floor and self.schedule != "cosine":
            raise LabError("only the cosine schedule ends above zero", field="floor")
        if self.harvest not in HARVESTS:
            raise LabError(f"unknown harvest {self.harvest!r}; expected answer or valid", field="harvest")
        typed.above(self, 0, "lr", "batch", "epochs", "max_length", "micro_tokens", "clip", "save_every")
        typed.at_least(self, 0, "weight_decay", "drills")
        if (self.hint == "none") != (self.share == 0):
            raise LabError(f"hint {self.hint!r} with a share of {self.share}; only none has 0", field="share")
        self.shares("dropout", "floor", "warmup", "share", "rendered")

    def shares(self, *names: str) -> None:
        """Raise LabError for the first of these fields that is outside [0, 1)."""
        for name in names:
            if not 0 <= getattr(self, name) < 1:
                raise LabError(f"{getattr(self, name)!r} is outside [0, 1)", field=name)

    @property
    def method(self) -> str:
        """The name of the method: that of its file."""
        return type(self).__module__.rpartition(".")[2]

    def settings(self) -> dict:
        """Everything that the recipe decides, the method too."""
        return {"method": self.method, **asdict(self)}

    def train(self, job: "TrainJob") -> None:
        """Run this rank of a training to the end."""
        raise NotImplementedError

    def trainable(self, model: "PreTrainedModel", options: BackboneOptions, start: str | None) -> "torch.nn.Module":
        """The model with what is to be trained; start: an adapter folder that it starts from."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Supervised(Recipe):
    """A method that learns the completions of the corpus, token by token.

    masking: Masked Thought, the probability of a wrong token in what the model reads. unlearned: the lines that the
    corpus marks and that carry no loss: none, failed (tests) or outcomes (of tests). first_stage: a regular expression
    on "family/stratum"; rows in which it is found are trained before the others, for `first_epochs` (0: for `epochs`),
    with a schedule of their own; the others get a share `replay` of them mixed in.
    """

    masking: float = 0.0
    unlearned: str = "none"
    first_stage: str = ""
    first_epochs: float = 0.0
    replay: float = 0.1

    def __post_init__(self):
        super().__post_init__()
        if self.unlearned not in UNLEARNED:
            raise LabError(f"unknown policy {self.unlearned!r}; expected {', '.join(UNLEARNED)}", field="unlearned")
        try:
            re.compile(self.first_stage)
        except re.error as error:
            raise LabError(f"not a regular expression: {error}", field="first_stage") from error
        typed.at_least(self, 0, "first_epochs")
        self.shares("masking", "replay")


@dataclass(frozen=True, slots=True)
class TrainJob:
    """Everything a rank needs. `deepspeed` is the content of the DeepSpeed file, `provenance` goes into the output.

    start: the adapter folder that the training starts from, if any. judges: by name, what a completion is worth; only
    for methods that ask (`JUDGED`), because they know the families. texts: tables whose prompts are to be completed
    later, checked before the training.
    """

    backbone: str
    corpus: str
    out: str
    state: str
    recipe: Recipe
    options: BackboneOptions
    deepspeed: dict
    seed: int
    ranks: int
    device: str
    provenance: dict
    start: str | None = None
    judges: Mapping[str, Judge] | None = None
    texts: tuple[str, ...] = ()
