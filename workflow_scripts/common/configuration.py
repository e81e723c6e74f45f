"""The settings of a run: every key of config/default.yaml and of the files that override it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from common import typed
from common.errors import LabError
from common.typed import setting, suggestion

CARDS = ("h200", "h100", "a100", "l40s", "l4", "a10", "4090")  # their numbers: learning/estimate.py
NAME = "[a-z0-9-]+"
DEFAULT = "default"  # of the families that rows does not name


@dataclass(frozen=True, slots=True)
class Rows:
    """Problems per split: of each family that is named, and of the others."""

    train: dict[str, int] = setting("rows of the training split per family")
    test: dict[str, int] = setting("rows of the test split per family")

    def __post_init__(self):
        for split in ("train", "test"):
            sizes = getattr(self, split)
            if DEFAULT not in sizes:
                raise LabError("missing key; expected the number of rows", field=f"{split}.{DEFAULT}")
            for family, size in sizes.items():
                if not (typed.fits(size, int) and size >= 1):
                    message = f"{size!r} is not a whole number from 1{typed.number_as_text(size)}"
                    raise LabError(message, field=f"{split}.{family}")


@dataclass(frozen=True, slots=True)
class Usual:
    """Of every decoder that does not say its own."""

    max_tokens: int = setting("new tokens per completion", low=1)
    batch: int = setting("completions in flight", low=1)

    def __post_init__(self):
        typed.check(self)


@dataclass(frozen=True, slots=True)
class Harvest:
    """The completions of training rows that an arm with a source learns from."""

    decoder: str = setting("one of the decoders, which makes them")
    rows: int = setting("training rows per family that are completed", low=1)
    distinct: int = setting("different completions of a row at most", low=1)

    def __post_init__(self):
        typed.check(self)


@dataclass(frozen=True, slots=True)
class Threads:
    """CPU threads of one job."""

    backbone: int = setting("CPU threads of a job", low=1)
    train: int = setting("CPU threads of a job", low=1)
    sample: int = setting("CPU threads of a job", low=1)

    def __post_init__(self):
        typed.check(self)


@dataclass(frozen=True, slots=True)
class Config:
    """A whole configuration; config/default.yaml says everything, other files override."""

    run: str = setting("name of the folder under results/", form=NAME)
    seed: int = setting("seed of everything but training", low=0)
    arms: str = setting("table of arms", form=r".+\.tsv")
    backbones: str = setting("file that describes the backbones", form=r".+\.yaml")
    recipes: str | dict = setting("file that describes the recipes, or what is other in them", form=r".+\.yaml")
    decoders: str | dict = setting("file that describes the decoders, or what is other in them", form=r".+\.yaml")
    benchmark_csv: str = setting("CSV with id, prompt, answer; empty for none")
    traces: dict[str, str] = setting("files of texts from elsewhere, by the names that stand for their arms")
    rows: Rows = setting("problems per family and split")
    options: dict[str, dict] = setting("generator options per family")
    thought: int = setting("characters that a cryptarithm's thought may have", low=1)
    decoding: Usual = setting("of every decoder that does not say its own")
    harvest: Harvest = setting("what an arm with a source learns from")
    ranks: int = setting("processes per training job on CPUs", low=1)
    card: str = setting("the GPU that estimates are for", among=CARDS)
    gpus: int = setting("GPUs per training job; 0 for none", low=0)
    threads: Threads = setting("CPU threads of one job, by its kind")

    def __post_init__(self):
        typed.check(self)
        for name, path in self.traces.items():
            if not (isinstance(name, str) and re.fullmatch(NAME, name)):
                raise LabError(f"{name!r} is not a name of the form {NAME}", field="traces")
            if not isinstance(path, str):
                raise LabError(f"{path!r} is not the name of a file", field=f"traces.{name}")

    def check_families(self, families: Iterable[str]) -> None:
        """Raise LabError for a key that is no family where a family is expected."""
        known = list(families)
        for place, given, more in (
            ("rows.train", self.rows.train, [DEFAULT]),
            ("rows.test", self.rows.test, [DEFAULT]),
            ("options", self.options, []),
        ):
            for name, value in given.items():
                if name not in (*known, *more):
                    raise LabError(f"unknown key{suggestion(str(name), [*known, *more])}", field=f"{place}.{name}")
                if place == "options" and not isinstance(value, dict):
                    raise LabError(f"{value!r} is not a mapping", field=f"{place}.{name}")
