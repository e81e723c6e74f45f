"""Traces, designs, and the text of a completion: written, and read back without ever raising."""

import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, NamedTuple

from common.errors import LabError
from puzzles.base import Problem, Solution
from reasoning.grammar.lines import Chars, Line, line
from reasoning.grammar.page import Page
from reasoning.grammar.reveal import Known, Reveal

OPEN, CLOSE = "<think>", "</think>"


class Unrenderable(LabError):
    """The design cannot render this row; the message says why and is kept in the table."""


@dataclass(frozen=True)
class Trace:
    """The lines of one thought. answer None: it ends undetermined (a line of the design says so) and boxes nothing."""

    lines: tuple[Line, ...]
    answer: str | None


Render = Callable[[Problem, Any, Solution, Known, random.Random], Trace]
Spoil = Callable[[Problem, Known, random.Random], tuple[Problem, Known]]


@dataclass(frozen=True)
class Design:
    """A chain-of-thought design of one family.

    render(problem, parsed, solution, known, rng) gives the trace or raises Unrenderable; `known` is the part of the key
    that the prompt shows, with the rules where the thought need not derive them. kinds: every kind of line it may
    write. reveals: how many digits a prompt may show. rules: which of RULE_SOURCES it allows. spoil: changes the
    problem of a training row, or what is shown with it, and keeps its answer; None in most designs. Rows of other sets
    are never changed. slates: how many candidate keys a prompt may list, where it shows no digits. never: strata of
    which it tells no row.
    """

    id: str
    family: str
    kinds: tuple[type[Line], ...]
    render: Render
    reveals: tuple[int, ...] = (0,)
    rules: tuple[str, ...] = ("derived",)
    spoil: Spoil | None = None
    slates: tuple[int, ...] = ()
    never: tuple[str, ...] = ()

    def reveal(self, text: str) -> Reveal:
        """Read a reveal; raises LabError (without a place) when this design cannot show it."""
        reveal = Reveal.parse(text)
        if not self.can_show(reveal):
            ranges = ((self.reveals, "digits"), (self.slates, "candidate keys"))
            what = [f"{e[0]}{f' to {e[-1]}' if len(e) > 1 else ''} {name}" for e, name in ranges if e]
            raise LabError(
                f"design {self.id} of {self.family} can show {' or '.join(what)},"
                f" rules {' or '.join(self.rules)}; not {text}"
            )
        return reveal

    def can_show(self, reveal: Reveal) -> bool:
        shows = reveal.slate in self.slates if reveal.slate else reveal.digits in self.reveals
        return shows and reveal.rule in self.rules

    @property
    def shows(self) -> tuple[str, ...]:
        """Everything a prompt of this design may show, the rules derived, in plain slates: reveals as texts."""
        return (*map(str, self.reveals), *(f"slate-{k}" for k in self.slates))

    @cached_property
    def openers(self) -> Mapping[str, tuple[type[Line], ...]]:
        """First character -> the kinds that may start with it, longest fixed opener first; "" has the others."""
        table = defaultdict(list)
        for kind in sorted(self.kinds, key=lambda kind: -len(kind.opener)):
            table[kind.opener[:1]].append(kind)
        free = table.pop("", [])
        return {**{first: (*kinds, *free) for first, kinds in table.items()}, "": tuple(free)}


@line
class Box(Line):
    """The boxed answer after the thought; not part of a trace's lines."""

    KIND = "box"
    TEXT = "\\boxed{{{answer}"
    ROLES = "answer:T"
    answer: Annotated[str, Chars(" -~")]

    def text(self) -> str:
        return f"\\boxed{{{self.answer}}}"

    @classmethod
    def parse(cls, text: str) -> "Box | None":
        """An answer may hold any glyph, braces too: it runs to the brace that ends the line."""
        return super().parse(text[:-1]) if text.endswith("}") else None

    def transcription(self, page: Page) -> bool | None:
        return self.answer == page.answer if page.thinks or page.lines_read else None


class Malformed(NamedTuple):
    """A line that is of none of the design's kinds. line: its index; offset: of its first character in the text;
    nearest: the kind whose fixed opener it starts with, "" if none."""

    raw: str
    line: int
    offset: int
    nearest: str = ""

    def text(self) -> str:
        return self.raw


def completion_of(trace: Trace) -> str:
    """The text a model is trained to write for a trace."""
    body = "\n".join([OPEN, *(each.text() for each in trace.lines), CLOSE])
    return body if trace.answer is None else f"{body}\n{Box(trace.answer).text()}"


def spoken(text: str) -> Iterator[tuple[int, int, str, bool]]:
    """(number from 0, offset, line, whether in the thought) of the lines that are neither tags nor a blank end.

    The opening tag may be missing, because a chat template may already have written it, and the text may stop anywhere.
    """
    thinking, offset = True, 0
    for number, raw in enumerate(text.split("\n")):
        start, offset = offset, offset + len(raw) + 1
        if (number == 0 and raw == OPEN) or (not raw and offset > len(text)):
            continue
        if thinking and raw == CLOSE:
            thinking = False
            continue
        yield number, start, raw, thinking


def place_of(text: str, line: int) -> int:
    """The number, among all lines of a text, of what parse_completion reads as line `line`; both count from 0."""
    return next(number for k, (number, *_) in enumerate(spoken(text)) if k == line)


def parse_completion(text: str, design: Design) -> list[Line | Malformed]:
    """Every line of a completion: lines of the design's kinds, Malformed ones, and a Box for the boxed answer.

    Never raises; time is linear in the length of the text. For rendered traces parse_completion(completion_of(trace),
    design) == [*trace.lines, Box(trace.answer)].
    """
    found: list[Line | Malformed] = []
    openers = design.openers
    for _, start, raw, thinking in spoken(text):
        kinds = openers.get(raw[:1], openers[""]) if thinking else (Box,)
        for kind in kinds:
            if raw.startswith(kind.opener):
                parsed = kind.parse(raw)
                if parsed is not None:
                    found.append(parsed)
                    break
        else:
            near = next((kind.KIND for kind in kinds if kind.opener and raw.startswith(kind.opener)), "")
            found.append(Malformed(raw, len(found), start, near))
    return found
