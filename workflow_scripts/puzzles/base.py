"""What a problem and a solution are, for every family."""

import hashlib
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from common.errors import LabError


class PromptError(LabError):
    """A prompt that is not of the family's form; `field` says which part."""


class AnswerError(LabError):
    """An answer that is not of the family's form."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One puzzle. `rule` is the hidden rule (JSON-able), `key` the hidden glyph -> digit map (cryptarithm only)."""

    family: str
    prompt: str
    answer: str
    stratum: str = ""
    tier: int = 0
    rule: Mapping[str, Any] = field(default_factory=dict)
    key: Mapping[str, int] = field(default_factory=dict)
    canonical: str = ""

    @property
    def id(self) -> str:
        return content_hash(self.prompt)[:12]


@dataclass(frozen=True, slots=True)
class Solution:
    """What a solver found that sees the prompt only.

    answer: None when unsolvable, `reason` then says why. posterior: its probability of `answer`. answers: the posterior
    over answers, best first. n_consistent: configurations that fit every example. exhaustive: whether all were
    enumerated (False: the node budget was spent). found: the best configuration, as the designs need it.
    """

    answer: str | None
    posterior: float = 0.0
    answers: tuple[tuple[str, float], ...] = ()
    n_consistent: int = 0
    exhaustive: bool = True
    nodes: int = 0
    reason: str = ""
    found: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Family:
    """A puzzle family: everything the other rooms may ask of it.

    generate(rng, n, **config) yields n problems. parse(prompt) returns the family's own parsed form or raises
    PromptError. solve(parsed, prior) sees the prompt only. canonical(parsed) is equal for two prompts that are the same
    problem up to renaming of glyphs or letters and order of examples. is_answer(parsed, text): whether a text has the
    form of an answer to this prompt, right or wrong; answer_form says that form in words. phrases: fixed strings of its
    prompt, the header first. order: its place in tables and figures. split_by(problem): generated problems for which it
    is equal lie in one split; the canonical form unless the family says otherwise. has_key: its problems hide a key of
    glyphs and digits. strata: its rows are reported by them, ("all",) where it has none. tell(prompt), where families
    share a header: the name of the one that the prompt belongs to.
    """

    name: str
    generate: Callable[..., Iterator[Problem]]
    parse: Callable[[str], Any]
    solve: Callable[..., Solution]
    canonical: Callable[[Any], str]
    is_answer: Callable[[Any, str], bool]
    answer_form: str
    phrases: tuple[str, ...]
    order: int
    fit_prior: Callable[..., dict] | None = None
    split_by: Callable[[Problem], str] = lambda problem: problem.canonical
    has_key: bool = False
    strata: tuple[str, ...] = ("all",)
    tell: Callable[[str], str] | None = None


def content_hash(text: str) -> str:
    """BLAKE2b-128 of a text, in hexadecimal."""
    return hashlib.blake2b(text.encode("utf-8"), digest_size=16).hexdigest()


def split_of(text: str) -> str:
    """The split, 80 % train and 20 % test, of a canonical problem or of what else the family splits by. It does not
    depend on the seed with which the problem was drawn."""
    return "test" if int(content_hash(text)[:8], 16) % 5 == 0 else "train"


def row_rng(seed: int, *salt: object) -> random.Random:
    """A generator of its own for a seed and a purpose, independent of neighbouring seeds."""
    return random.Random(content_hash(":".join(map(str, (seed, *salt)))))
