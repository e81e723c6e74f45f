"""Engines: what writes. Opened once, an engine extends beginnings of texts; a decoder asks it to.

One file each. A beginning is what the engine's own `begin` makes of a question: the tokens of the prompt for a model
here, the prompt itself for a server. This file needs no torch: planning asks it what an engine can do.
"""

import importlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any, Protocol

from learning.settings import BackboneOptions

TOKENS = "extends any tokens and tells their log-probabilities"
SAMPLES = "draws at a temperature"
TOGETHER = 8  # batches that are kept at once, where the numbers of a row depend on its batch
DRAWS = "tells the probability of every draw and the entropy before it"
ABILITIES = {
    "slots": {TOKENS, SAMPLES, DRAWS},
    "generate": {TOKENS, SAMPLES, DRAWS},
    "vllm": {TOKENS, SAMPLES},
    "endpoint": {SAMPLES},
    "baseline": set(),
}
"""What each engine can do beyond greedy completions."""
PACKAGES = {
    "slots": ("torch", "transformers"),
    "generate": ("torch", "transformers"),
    "vllm": ("vllm",),
    "endpoint": (),
    "baseline": (),
}
"""The packages whose versions may change what an engine writes."""

Beginning = Any


@dataclass(frozen=True, slots=True)
class Question:
    """A row to complete. text: its prompt after the examples that stand before it.

    target: the completion that the design renders for it, "" where it renders none. tutor: what decoders that ask for
    it (`TUTORED`) know of the row, see reasoning/judging/tutor.py.
    """

    id: str
    family: str
    text: str
    target: str = ""
    tutor: Any = None


@dataclass(frozen=True, slots=True)
class Request:
    """A beginning to extend by at most `budget` tokens, once for each seed.

    kept: the state of an extension that begins with the same tokens, as many as may be; they are not read again.
    """

    beginning: Beginning
    budget: int
    seeds: tuple[int, ...] = (0,)
    kept: Any = None


@dataclass(slots=True)
class Extension:
    """What came after the beginning of request number `request`, for seed number `sample` of it.

    tokens: with the token that ended it; logprobs: their log-probabilities under the model. Where they were drawn at a
    temperature: drawn, the log-probabilities of the choices as they were made, and entropies (nats) of the model's
    next-token distributions. finish: stop (the turn ended), pause (a token of `stop`), length, or a server's own word.
    An engine without tokens tells text, n_tokens (None if unknown) and served (the server's name of the model) instead.
    state: what an engine that was asked to `keep` knows of all these tokens, None where it has nothing to keep.
    """

    request: int
    sample: int = 0
    tokens: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    drawn: list[float] = field(default_factory=list)
    entropies: list[float] = field(default_factory=list)
    finish: str = "length"
    text: str | None = None
    n_tokens: int | None = None
    served: str = ""
    state: Any = None


@dataclass(frozen=True, slots=True)
class Opening:
    """What an engine is opened with. batch: extensions in flight; shown: the examples of each family."""

    backbone: str
    adapter: str | None
    options: BackboneOptions
    batch: int
    device: str = "cpu"
    gpus: int = 0
    shown: Mapping[str, list[dict]] = field(default_factory=dict)


class Engine(Protocol):
    """What a decoder works with. together: extensions that share batches and are kept at once; 0: each by itself.

    window: tokens of a prompt and its answer together at most; breaks: the tokens that hold a line break (both need
    TOKENS).
    """

    together: int
    window: int
    breaks: frozenset[int]

    def begin(self, question: Question, written: str = "") -> Beginning:
        """The beginning of an answer. written: text of the answer that already stands there (needs TOKENS)."""

    def extend(
        self,
        requests: Sequence[Request],
        *,
        temperature: float = 0.0,
        stop: frozenset[int] = frozenset(),
        keep: bool = False,
    ) -> Iterator[Extension]:
        """Extensions as they are finished, greedy ones at temperature 0.

        The list of requests may grow while extensions are taken (needs TOKENS). keep: their states are wanted.

        The same beginning, seed and temperature give the same tokens, whatever else is asked for. Each extension ends
        with the turn, with a token of `stop` (needs TOKENS), or with its budget.
        """

    def text(self, tokens: Sequence[int]) -> str:
        """The text of all tokens of an answer, without the token that ends a turn (needs TOKENS)."""


def engine_of(options: BackboneOptions) -> str:
    """The name of the engine that completes for a backbone."""
    return "endpoint" if options.endpoint else "baseline" if options.baseline else options.engine


def versions(name: str) -> dict[str, str]:
    """The installed packages that may change what an engine writes; a missing one is left to its engine to report."""
    found = {}
    for package in PACKAGES[name]:
        try:
            found[package] = version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def open_engine(opening: Opening) -> Engine:
    """The engine, with what questions need; a model is loaded when it is first asked to extend something."""
    return importlib.import_module(f"{__name__}.{engine_of(opening.options)}").Engine(opening)
