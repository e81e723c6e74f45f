"""The settings of one training and the backbone folder, checked before anything expensive starts (no torch here)."""

import difflib
import json
import re
from dataclasses import dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from common.errors import LabError

MAX_RANK = 32
WEIGHTS, CONFIG = "adapter_model.safetensors", "adapter_config.json"  # the files of an adapter
MODEL_SUFFIXES = (".safetensors", ".json", ".jinja", ".model", ".txt")
TEMPLATE_DATE = datetime(2026, 1, 1)
"""The date that chat templates print as today's: a prompt is the same on every day."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """One entry of config/recipes.yaml.

    method: lora, or full (every parameter is trained; rank and alpha mean nothing). batch: rows per optimiser step.
    warmup: share of the steps. schedule: linear or cosine, down to the share `floor` of lr (linear: to zero).
    dropout: of what LoRA reads; with `full`, of the embeddings and of all that is added to the residual stream.
    micro_tokens: tokens that one rank takes through the model at once (memory). save_every: steps per checkpoint.
    masking: Masked Thought, the probability of a wrong token in what the model reads. unlearned: the
    lines that the corpus marks and that carry no loss: none, failed (tests) or outcomes (of tests). drills: recall
    drills that the corpus holds. first_stage: a regular expression on "family/stratum"; rows in which it is found are
    trained before the others, for `first_epochs` (0: for `epochs`), with a schedule of their own; the others get a
    share `replay` of them mixed in. hint, share: the auxiliary task that the corpus holds, whose accuracy is measured
    in the end.
    """

    method: str = "lora"
    rank: int = 32
    alpha: int = 32
    dropout: float = 0.0
    lr: float = 2e-4
    schedule: str = "linear"
    floor: float = 0.0
    warmup: float = 0.0
    batch: int = 32
    epochs: float = 2
    max_length: int = 8192
    micro_tokens: int = 8192
    weight_decay: float = 0.0
    clip: float = 1.0
    beta2: float = 0.95
    save_every: int = 50
    masking: float = 0.0
    unlearned: str = "none"
    drills: int = 0
    first_stage: str = ""
    first_epochs: float = 0.0
    replay: float = 0.1
    hint: str = "none"
    share: float = 0.0

    def __post_init__(self):
        if self.method not in ("lora", "full"):
            raise LabError(f"unknown method {self.method!r}; expected lora or full", field="method")
        if not 1 <= self.rank <= MAX_RANK:
            raise LabError(f"LoRA rank {self.rank} is outside 1..{MAX_RANK}", field="rank")
        if self.schedule not in ("linear", "cosine"):
            raise LabError(f"unknown schedule {self.schedule!r}; expected linear or cosine", field="schedule")
        if self.floor and self.schedule != "cosine":
            raise LabError("only the cosine schedule ends above zero", field="floor")
        for name in ("alpha", "lr", "batch", "epochs", "max_length", "micro_tokens", "clip", "save_every"):
            if not getattr(self, name) > 0:
                raise LabError(f"{getattr(self, name)!r} is not above zero", field=name)
        if (self.hint == "none") != (self.share == 0):
            raise LabError(f"hint {self.hint!r} with a share of {self.share}; only none has 0", field="share")
        if self.unlearned not in ("none", "failed", "outcomes"):
            raise LabError(f"unknown policy {self.unlearned!r}; expected none, failed or outcomes", field="unlearned")
        try:
            re.compile(self.first_stage)
        except re.error as error:
            raise LabError(f"not a regular expression: {error}", field="first_stage") from error
        for name in ("dropout", "floor", "warmup", "masking", "replay", "share"):
            if not 0 <= getattr(self, name) < 1:
                raise LabError(f"{getattr(self, name)!r} is outside [0, 1)", field=name)

    @classmethod
    def read(cls, text: str) -> "Recipe":
        """From JSON; unknown names are errors that suggest the nearest known one."""
        try:
            values = json.loads(text)
        except json.JSONDecodeError as error:
            raise LabError(f"the recipe is not JSON: {error}") from error
        known = {f.name: f.type for f in fields(cls)}
        for name in values:
            if name not in known:
                near = difflib.get_close_matches(name, known, 1)
                hint = f"; did you mean {near[0]}?" if near else f"; known: {', '.join(known)}"
                raise LabError(f"unknown recipe setting{hint}", field=name)
        for name, value in values.items():
            if known[name] is str and not isinstance(value, str):
                raise LabError(f"expected a text, found {value!r}", field=name)
            if known[name] is not str and (isinstance(value, bool) or not isinstance(value, int | float)):
                raise LabError(f"expected a number, found {value!r}", field=name)
            if known[name] is int and value != int(value):
                raise LabError(f"expected a whole number, found {value!r}", field=name)
        return cls(**values)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An OpenAI-compatible server. url: up to /v1, say; key: the environment variable that holds the key, if any.

    concurrency: requests at a time; attempts: per row; wait: seconds before the second attempt, doubled from there on;
    timeout: seconds without a byte; parameters: of the request, beside or instead of the usual ones (null omits one).
    """

    url: str
    model: str
    key: str = ""
    concurrency: int = 8
    attempts: int = 8
    wait: float = 1
    timeout: float = 600
    parameters: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BackboneOptions:
    """How LoRA, attention and decoding treat a backbone. `zero_stage` and `offload` choose the DeepSpeed file.

    endpoint: a server that completes; baseline: a rule that answers without a model. Either has no folder here.
    """

    targets: tuple[str, ...] = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
    dtype: str = "float32"
    attention: str = "packed"
    packing: bool = True
    checkpointing: bool = False
    engine: str = "slots"
    endpoint: Endpoint | None = None
    baseline: str = ""

    def __post_init__(self):
        if self.dtype not in ("float32", "bfloat16", "float16"):
            raise LabError(f"unknown dtype {self.dtype!r}; expected float32, bfloat16 or float16", field="dtype")
        if self.engine not in ("slots", "generate", "vllm"):
            raise LabError(f"unknown engine {self.engine!r}; expected slots, generate or vllm", field="engine")
        if self.baseline not in ("", "most-frequent"):
            raise LabError(f"unknown baseline {self.baseline!r}; expected most-frequent", field="baseline")

    @property
    def here(self) -> bool:
        """Whether the backbone is a folder, not an endpoint or a baseline."""
        return self.endpoint is None and not self.baseline

    def answers(self) -> dict[str, Any]:
        """What decides the completions, beside the files of the backbone."""
        if self.endpoint:
            return {name: getattr(self.endpoint, name) for name in ("url", "model", "parameters")}
        if self.baseline:
            return {"baseline": self.baseline}
        return self._some("dtype", "attention", "engine")

    def trains(self) -> dict[str, Any]:
        """What decides a training, beside the files of the backbone and DeepSpeed's."""
        return self._some("targets", "dtype", "attention", "packing", "checkpointing")

    def probes(self) -> dict[str, Any]:
        """What decides the probabilities that a model gives to a text."""
        return self._some("dtype", "attention")

    def _some(self, *names: str) -> dict[str, Any]:
        return {name: getattr(self, name) for name in names} | {"template_date": TEMPLATE_DATE.date().isoformat()}

    @classmethod
    def read(cls, text: str) -> "BackboneOptions":
        """From the JSON of one entry of backbones.yaml; what only making or fetching it needs is left aside."""
        values = json.loads(text)
        known = {f.name for f in fields(cls)}
        other = {"make", "hub", "path", "revision", "zero_stage", "offload"}
        if unknown := sorted(set(values) - known - other):
            raise LabError(
                f"unknown backbone option(s) {', '.join(unknown)}; known: {', '.join(sorted(known | other))}"
            )
        if "targets" in values:
            values["targets"] = tuple(values["targets"])
        if "endpoint" in values:
            try:
                values["endpoint"] = Endpoint(**values["endpoint"])
            except TypeError as error:
                message = str(error).removeprefix("Endpoint.__init__() ")
                raise LabError(f"not the settings of an endpoint: {message}", field="endpoint") from None
        return cls(**{k: v for k, v in values.items() if k in known})


def model_files(folder: str | Path) -> list[Path]:
    """The files of a model folder that decide what the model does: weights, settings, tokenizer, chat template."""
    return sorted(path for path in Path(folder).iterdir() if path.suffix in MODEL_SUFFIXES)


def check_adapter(folder: str) -> None:
    """Raise LabError when a file of the adapter is missing."""
    for name in (WEIGHTS, CONFIG):
        if not Path(folder, name).is_file():
            raise LabError(f"missing {name}; run the `train` rule first", file=folder)


def check_folder(folder: str | Path) -> Path:
    """Raise LabError when the folder, its config, its tokenizer or one of its weight shards is missing."""
    folder = Path(folder)
    if not folder.is_dir():
        raise LabError("no such backbone folder; run the `backbone` rule first", file=folder)
    for name in ("config.json", "tokenizer_config.json"):
        if not (folder / name).is_file():
            raise LabError(f"missing {name}, not a complete model folder", file=folder)
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        wanted = sorted(set(json.loads(index.read_text())["weight_map"].values()))
    else:
        wanted = ["model.safetensors"]
    if missing := [name for name in wanted if not (folder / name).is_file()]:
        raise LabError(f"missing weight shard(s) {', '.join(missing)} of {len(wanted)}", file=folder)
    return folder
