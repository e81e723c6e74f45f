"""How a backbone is treated, and its folder, checked before anything expensive starts (no torch here)."""

import json
from collections.abc import Mapping
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


def check_local(backbones: Mapping[str, Mapping], file: str | Path) -> None:
    """Raise LabError naming the entry of `file` whose `path` is not a complete model folder."""
    for name, options in sorted(backbones.items()):
        if folder := options.get("path"):
            try:
                if not Path(folder).is_dir():
                    raise LabError("no such folder", file=folder)
                check_folder(folder)
            except LabError as error:
                raise LabError(str(error), file=file, field=f"{name}.path") from None


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
