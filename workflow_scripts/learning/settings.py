"""How a backbone is treated, and its folder, checked before anything expensive starts (no torch here)."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from common import typed
from common.errors import LabError
from common.typed import setting
from learning.make import Make

MAX_RANK = 32
WEIGHTS, CONFIG = "adapter_model.safetensors", "adapter_config.json"  # the files of an adapter
EARLY = "early"  # in its folder: the adapter as it was after the first steps
MODEL_SUFFIXES = (".safetensors", ".json", ".jinja", ".model", ".txt")
TEMPLATE_DATE = datetime(2026, 1, 1)
"""The date that chat templates print as today's: a prompt is the same on every day."""


SOURCES = ("make", "hub", "path", "endpoint", "baseline")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An OpenAI-compatible server."""

    url: str = setting("up to /v1, no user or password", form=r"https?://[^@?#]+", secret=True)
    model: str = setting("as the server names it")
    key: str = setting("the environment variable with the key, not the key", "", form="[A-Z_][A-Z0-9_]*", secret=True)
    concurrency: int = setting("requests at a time", 8, low=1)
    attempts: int = setting("per row", 8, low=1)
    wait: float = setting("seconds before the second attempt, then doubled", 1, above=0)
    timeout: float = setting("seconds without a byte", 600, above=0)
    parameters: dict[str, Any] = setting("of the request, beside or instead of the usual; null omits one", {})

    def __post_init__(self):
        typed.check(self)


@dataclass(frozen=True, slots=True)
class BackboneOptions:
    """One entry of config/backbones.yaml: where a backbone comes from, and how training and decoding treat it.

    It has one of SOURCES, which a script may leave out where it is told a folder. An endpoint or a baseline is not
    trained and has no folder here.
    """

    make: Make | None = setting("shape and pretraining of a backbone made here", None)
    hub: str = setting("Hugging Face repository", "", form="[^/]+/[^/]+")
    revision: str = setting("a commit, because a branch moves", "", form="[0-9a-f]{40}")
    path: str = setting("local model folder", "")
    shape: dict[str, Any] = setting("sizes of a hub backbone's configuration, for estimates before it is fetched", {})
    endpoint: Endpoint | None = setting("an OpenAI-compatible server", None)
    baseline: str = setting("answers without a model", "", among=("most-frequent",))
    targets: tuple[str, ...] = setting(
        "modules that get LoRA", ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
    )
    experts: tuple[str, ...] = setting("fused tensors of routed experts that get LoRA, experts.down_proj say", ())
    dtype: str = setting("of the weights in memory", "float32", among=("float32", "bfloat16", "float16"))
    compute: str = setting(
        "of matrix products in supervised training, where the machine has it", "float32", among=("float32", "bfloat16")
    )
    attention: str = setting("attention implementation", "packed")
    packing: bool = setting("several examples in one sequence", True)
    checkpointing: bool = setting("trade time for memory in training", False)
    engine: str = setting("how completions are decoded", "slots", among=("slots", "generate", "vllm"))
    zero_stage: int = setting("what DeepSpeed shards, of config/deepspeed", 2, low=2, high=3)
    offload: bool = setting("optimiser state, in stage 3 weights too, in the CPU's memory", False)

    def __post_init__(self):
        typed.check(self)
        if not self.targets:
            raise LabError("no module gets LoRA", field="targets")
        if self.compute != "float32" and self.dtype != "float32":
            raise LabError(f"weights in {self.dtype} decide it", field="compute")
        if bool(self.hub) != bool(self.revision):
            raise LabError("a hub repository is named with its revision", field="revision" if self.hub else "hub")
        if self.make and (tied := {"lm_head", "embed_tokens"} & set(self.targets)):
            message = f"the embeddings of a backbone made here are tied: an adapter on {min(tied)} cannot be merged"
            raise LabError(message, field="targets")

    @property
    def here(self) -> bool:
        """Whether the backbone is a folder, not an endpoint or a baseline."""
        return self.endpoint is None and not self.baseline

    def source(self) -> dict[str, Any]:
        """What decides the files of a backbone: how it is made, or where it lies."""
        parts = {"make": self.make and asdict(self.make), "hub": self.hub, "revision": self.revision, "path": self.path}
        return {name: value for name, value in parts.items() if value}

    def answers(self) -> dict[str, Any]:
        """What decides the completions, beside the files of the backbone."""
        if self.endpoint:
            return {name: getattr(self.endpoint, name) for name in ("url", "model", "parameters")}
        if self.baseline:
            return {"baseline": self.baseline}
        return self._some("dtype", "attention", "engine")

    def trains(self) -> dict[str, Any]:
        """What decides a training, beside the files of the backbone and DeepSpeed's."""
        return self._some("targets", "experts", "dtype", "compute", "attention", "packing", "checkpointing")

    def probes(self) -> dict[str, Any]:
        """What decides the probabilities that a model gives to a text."""
        return self._some("dtype", "attention")

    def _some(self, *names: str) -> dict[str, Any]:
        return {name: getattr(self, name) for name in names} | {"template_date": TEMPLATE_DATE.date().isoformat()}

    @classmethod
    def read(cls, text: str) -> "BackboneOptions":
        """From the JSON of one entry of backbones.yaml, as a script gets it."""
        try:
            return typed.read(cls, json.loads(text))
        except json.JSONDecodeError as error:
            raise LabError(f"not JSON ({error})", field="--backbone-options") from error


def read_backbones(entries: Mapping[str, Mapping], file: str | Path) -> dict[str, BackboneOptions]:
    """The entries of backbones.yaml; raises LabError naming the file and the field."""
    found = {}
    for name, entry in entries.items():
        try:
            if not re.fullmatch("[a-z0-9-]+", str(name)):
                raise LabError("the name is not made of a-z, 0-9 and '-'", field=str(name))
            found[name] = typed.read(BackboneOptions, entry, f"{name}.")
            if len(sources := [source for source in SOURCES if source in entry]) != 1:
                message = f"a backbone has one of {', '.join(SOURCES)}; found {' and '.join(sources) or 'none'}"
                raise LabError(message, field=str(name))
        except LabError as error:
            raise LabError(error.message, file=file, field=error.field) from None
    return found


def check_local(backbones: Mapping[str, BackboneOptions], file: str | Path) -> None:
    """Raise LabError naming the entry of `file` whose `path` is not a complete model folder."""
    for name, folder in sorted((name, options.path) for name, options in backbones.items() if options.path):
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
