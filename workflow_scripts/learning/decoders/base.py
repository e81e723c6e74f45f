"""What decoders have in common: the streams they are asked for, and the records they give."""

import math
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import groupby
from typing import ClassVar, TypeVar

from common import typed
from common.errors import LabError
from learning.engines import Beginning, Engine, Extension, Question, Request

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Stream:
    """One completion to make: sample number `sample` of row number `row`."""

    row: int
    sample: int
    question: Question
    beginning: Beginning


@dataclass(frozen=True, kw_only=True)
class Decoding:
    """A decoder over an engine. max_tokens: new tokens per completion; batch: extensions in flight.

    Subclasses declare their settings as fields, what the engine must be able to do, and `decode`. TUTORED: it asks for
    the `tutor` of a question.
    """

    NEEDS: ClassVar[frozenset[str]] = frozenset()
    TUTORED: ClassVar[bool] = False
    max_tokens: int
    batch: int

    def __post_init__(self):
        typed.at_least(self, 1, "max_tokens", "batch")

    @property
    def samples(self) -> int:
        """Completions per row."""
        return 1

    def decode(self, engine: Engine, streams: Sequence[Stream], seed: int) -> Iterator[list[dict]]:
        """The records of the streams, in any order; each list is kept at once. seed: of the arm."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Selection:
    """A choice among the samples that another decoder, `of`, made of each row; the engine has done its part by then.

    first: so many of the samples, 0 for all, so that budgets can be matched. JUDGED: it asks whether each sample is
    `valid`, by an audit that sees the prompt only.
    """

    NEEDS: ClassVar[frozenset[str]] = frozenset()
    JUDGED: ClassVar[bool] = False
    of: str
    first: int = 0

    def __post_init__(self):
        if self.first < 0 or self.first == 1:
            raise LabError(f"{self.first} is not at least 2, or 0 for all samples", field="first")

    def check(self, n: int) -> None:
        """Raise LabError where `n` samples are too few."""
        if self.first > n:
            raise LabError(f"the first {self.first} of {n} samples", field="first")

    def choose(self, samples: Sequence[Mapping]) -> int:
        """Which of the rows of completions, all of one problem and in the order of their samples."""
        raise NotImplementedError


def seed_of(question: Question, sample: int, *seeds: int) -> int:
    """The seed of one sample of one row, below 2^31; it depends on nothing else that is asked for."""
    text = ":".join(map(str, (*seeds, question.family, question.id, sample)))
    return int.from_bytes(blake2b(text.encode(), digest_size=4).digest(), "big") >> 1


def record(stream: Stream, text: str, n_tokens: int | None, finish: str, **more: object) -> dict:
    """A completion as `sampling` keeps it.

    more: logprob_sum, of all its tokens under the model; n_decoded, where more tokens were made for it than it has
    (rejected ones too); served, a server's name of the model; notes, whole numbers that the decoder wants to tell.
    """
    found = {"row": stream.row, "sample": stream.sample, "text": text, "n_tokens": n_tokens, "n_decoded": n_tokens}
    return {**found, "finish": finish, "logprob_sum": None, **more}


def in_batches(engine: Engine, streams: Sequence[Stream], finer: int = 1) -> Iterator[Sequence[Stream]]:
    """The streams whose records are kept at once, so that the batches of a second attempt are those of the first.

    finer: how many times as often as the engine would have it, for decoders that take longer for each.
    """
    size = max(1, engine.together // finer) if engine.together else len(streams)
    for start in range(0, len(streams), size):
        yield streams[start : start + size]


Writer = Generator[Request, Extension, Result]
"""What writes one answer: it asks for one extension after another, and returns what it has made."""


def driven(
    engine: Engine, writers: Sequence[Writer], *, temperature: float = 0.0, stop: frozenset[int] = frozenset()
) -> Iterator[tuple[int, Result]]:
    """(number of the writer, what it returns), as they end. All go on at once, none waits for another."""
    requests: list[Request | None] = []
    owners: list[int] = []

    def ask(number: int, request: Request) -> None:
        requests.append(request)
        owners.append(number)

    for number, writer in enumerate(writers):
        ask(number, next(writer))
    for made in engine.extend(requests, temperature=temperature, stop=stop, keep=True):
        number, requests[made.request] = owners[made.request], None  # it holds a state that nobody else needs
        try:
            ask(number, writers[number].send(made))
        except StopIteration as end:
            yield number, end.value


def plain(
    engine: Engine, streams: Sequence[Stream], budget: int, *, temperature: float = 0.0, seeds: Sequence[int] = ()
) -> Iterator[list[dict]]:
    """Every stream extended once from its beginning, without a second thought.

    What shares batches is kept at once, so that the batches of a second attempt are those of the first; drawn ones, of
    which a row has several, four times as often.
    """
    for part in in_batches(engine, streams, 4 if temperature else 1):
        chunk = [list(own) for _, own in groupby(part, key=lambda stream: stream.row)]
        requests = [
            Request(own[0].beginning, budget, tuple(seed_of(s.question, s.sample, *seeds) for s in own))
            for own in chunk
        ]
        made = engine.extend(requests, temperature=temperature)
        records = (as_record(engine, chunk[each.request][each.sample], each) for each in made)
        if engine.together:
            yield list(records)
        else:
            yield from ([each] for each in records)


def as_record(engine: Engine, stream: Stream, made: Extension) -> dict:
    """An extension that is the whole completion."""
    if made.text is not None:
        served = {"served": made.served} if made.served else {}
        return record(stream, made.text, made.n_tokens, made.finish, **served)
    total = round(math.fsum(made.logprobs), 6)
    return record(stream, engine.text(made.tokens), len(made.tokens), made.finish, logprob_sum=total)
