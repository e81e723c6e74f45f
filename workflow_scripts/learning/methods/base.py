"""What training methods have in common: the settings of a recipe, and what they are given."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, ClassVar

from common import typed
from common.errors import LabError
from learning.settings import BackboneOptions

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

SCHEDULES = ("linear", "cosine")
HARVESTS = ("answer", "valid", "solver", "partial", "repair")
UNLEARNED = ("none", "failed", "outcomes")
Judge = Callable[[Mapping[str, str], str], float]
"""What a completion of a row of the corpus is worth, 0 to 1."""


def n_steps(rows: int, batch: int, epochs: float) -> int:
    """The optimiser steps of a stage of training."""
    return max(1, round(epochs * max(1, rows // batch)))


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The settings that every method has: of the optimiser, and of how the corpus is mixed; the study's unless said.

    lr, schedule, warmup (share of the steps), floor: the learning rate, linear or cosine, down to the share `floor` of
    lr (linear: to zero). batch: rows per optimiser step. epochs: passes over the rows; updates: steps in their place,
    however few the rows; 0 for none. max_length: tokens per example. micro_tokens: tokens that one rank takes through
    the model at once (memory). save_every: steps per checkpoint.

    drills: recall drills per family in the corpus. hint, share: an auxiliary task on a share of the rows, whose
    accuracy is measured in the end. For an arm with a source: harvest, what is made of its completions (`--keep` of
    harvest.py); rendered, the share of the examples that are the design's own texts instead. redraw: whether each
    training seed has other rows.
    """

    JUDGED: ClassVar[bool] = False  # whether the method asks what its own completions are worth
    NEEDS: ClassVar[tuple[str, ...]] = ()  # columns that an arm of this recipe fills: source, start

    lr: float = 2e-4
    schedule: str = "linear"
    batch: int = 32
    epochs: float = 2
    updates: int = 0
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
    redraw: bool = False

    def __post_init__(self):
        if self.schedule not in SCHEDULES:
            raise LabError(f"unknown schedule {self.schedule!r}; expected linear or cosine", field="schedule")
        if self.floor and self.schedule != "cosine":
            raise LabError("only the cosine schedule ends above zero", field="floor")
        if self.harvest not in HARVESTS:
            raise LabError(f"unknown harvest {self.harvest!r}; expected {', '.join(HARVESTS)}", field="harvest")
        typed.above(self, 0, "lr", "batch", "epochs", "max_length", "micro_tokens", "clip", "save_every")
        typed.at_least(self, 0, "weight_decay", "drills", "updates")
        if (self.hint == "none") != (self.share == 0):
            raise LabError(f"hint {self.hint!r} with a share of {self.share}; only none has 0", field="share")
        self.shares("dropout", "floor", "warmup", "share", "rendered")

    def shares(self, *names: str) -> None:
        """Raise LabError for the first of these fields that is outside [0, 1)."""
        for name in names:
            if not 0 <= getattr(self, name) < 1:
                raise LabError(f"{getattr(self, name)!r} is outside [0, 1)", field=name)

    def check(self, options: BackboneOptions, ranks: int) -> None:
        """Raise LabError where it cannot be trained on this backbone by so many processes."""

    def taken(self, rows: int) -> float:
        """How many texts a training on so many rows takes through the model."""
        return self.updates * self.batch or rows * self.epochs

    def written(self) -> tuple[int, int, int]:
        """(texts that the model writes during a training, tokens of each at most, texts in flight at once)."""
        return 0, 0, 0

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
    corpus marks and that carry no loss: none, failed (tests) or outcomes (of tests). weights: by kind of line, what the
    loss of its tokens counts; 1 where it is not named. first_stage: a regular expression
    on "family/stratum"; rows in which it is found are trained before the others, for `first_epochs` (0: for `epochs`),
    with a schedule of their own; the others get a share `replay` of them mixed in. early: the share of the steps after
    which what is trained is kept beside the outcome, so that the probe can be asked what it foretells; 0 for none.
    """

    GROUPED: ClassVar[bool] = False  # whether rows are learned in groups, by `objective` and not token by token
    COMPARED: ClassVar[bool] = False  # whether that asks what the texts' probabilities were at the start

    masking: float = 0.0
    unlearned: str = "none"
    weights: dict[str, float] = field(default_factory=dict)
    first_stage: str = ""
    first_epochs: float = 0.0
    replay: float = 0.1
    early: float = 0.1

    def __post_init__(self):
        super().__post_init__()
        if self.unlearned not in UNLEARNED:
            raise LabError(f"unknown policy {self.unlearned!r}; expected {', '.join(UNLEARNED)}", field="unlearned")
        for kind, weight in self.weights.items():
            if not typed.fits(weight, float) or not 0 <= weight < float("inf"):
                raise LabError(f"{weight!r} is not a number from 0", field=f"weights.{kind}")
        if self.first_stage and self.updates:
            raise LabError("two stages are counted in epochs, not in updates", field="updates")
        try:
            re.compile(self.first_stage)
        except re.error as error:
            raise LabError(f"not a regular expression: {error}", field="first_stage") from error
        typed.at_least(self, 0, "first_epochs")
        self.shares("masking", "replay", "early")

    def units(self, rows: Sequence[Mapping]) -> list[list[dict]]:
        """The rows of the corpus as groups of texts that are learned together; a text is a row, perhaps changed."""
        return [[dict(row)] for row in rows]

    def objective(self, sums: "torch.Tensor", before: "torch.Tensor") -> "torch.Tensor":
        """The loss of one group. sums, before: the log-probability of the learned part of each of its texts, shape
        (texts,), now and at the start of the training (0 where it is not COMPARED)."""
        raise NotImplementedError


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
