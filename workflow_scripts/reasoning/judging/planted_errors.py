"""Planted errors: one line of a rendered trace with one field made wrong, its verdict turned, or left out.

They measure the audit itself. It should mark that line, on the axis that the ROLES of its kind name for the field, and
nothing else. Where another value can be as true and no check fails, the error counts as `true`, not as missed. Where
nothing forces a field, nothing is planted. An error in a verdict belongs on the verdict axis alone.

The later lines stay as they are, so they may contradict the damaged one. A later line may be marked only when something
that it reads from the page has changed; when it then fails on arithmetic or verdict, the error `spreads`. A line left
out is an error (on `structure`) when a later line reads by name something that it had put on the page. It is caught
when some line then fails.
"""

import random
import string
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cache, cached_property
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from reasoning.grammar.lines import Line
from reasoning.grammar.page import Page
from reasoning.grammar.roles import LEFT_OUT
from reasoning.grammar.trace import Box
from reasoning.judging.audit import AXES, Checked, audit_lines

CLASSES = (string.digits, string.ascii_lowercase, string.ascii_uppercase, string.punctuation)
AXIS_ORDER = (*AXES, "structure")


@dataclass(frozen=True)
class Result:
    """One planted error. axis: where it belongs (`structure` for a line left out); others: what else was marked."""

    kind: str
    field: str
    axis: str
    caught: bool
    true: bool
    others: tuple[tuple[str, str], ...]
    spreads: bool
    was: str
    planted: str


@dataclass(frozen=True)
class Told:
    """A rendered row: its family, the prompt as shown, the lines with the box, the completion."""

    family: str
    shown: str
    lines: tuple[Line, ...]
    text: str

    @cached_property
    def alphabet(self) -> str:
        """The characters of the examples and of the lines."""
        return "".join(sorted(set(self.shown.rpartition("examples")[2]) | set(self.text)))

    @cached_property
    def reads(self) -> list["_Reads"]:
        """What every line reads."""
        return _reads(self, self.lines)

    def without(self, number: int, *instead: Line) -> list[Line]:
        return [*self.lines[:number], *instead, *self.lines[number + 1 :]]

    def audit(self, lines: Sequence[Line]) -> list[Checked]:
        """The audit of other lines on this row."""
        return audit_lines(lines, _thinking(Page.of(self.family, self.shown)))


def damaged(value: Any, hint: Any, alphabet: str, rng: random.Random) -> Any:
    """The value with one character replaced by another of its class that occurs in the row; another listed word."""
    if get_origin(hint) is Annotated:
        hint = get_args(hint)[0]
    if get_origin(hint) is Literal:
        return rng.choice([word for word in get_args(hint) if word != value])
    if isinstance(value, tuple):
        parts = [part for part in get_args(hint) if part is not ...]
        place = rng.randrange(len(value))
        part = damaged(value[place], parts[place % len(parts)] if parts else None, alphabet, rng)
        return (*value[:place], part, *value[place + 1 :])
    text = str(value)
    place = rng.choice([i for i, c in enumerate(text) if c not in ".- "] or [0])
    members = next(each for each in CLASSES if text[place] in each)
    near = [c for c in (members if members == string.digits else alphabet) if c in members and c != text[place]]
    text = text[:place] + rng.choice(near or [c for c in members if c != text[place]]) + text[place + 1 :]
    return int(text) if isinstance(value, int) else text


@cache
def _hints(kind: type[Line]) -> dict[str, Any]:
    return get_type_hints(kind, include_extras=True)


def wrong_lines(each: Line, name: str, alphabet: str, rng: random.Random, tries: int = 20) -> Iterator[Line]:
    """The line with one field damaged; it still has the form of its kind. Every other outcome for a verdict."""
    if name == "verdict":
        yield from (replace(each, verdict=other) for other in each.OUTCOMES if other != each.verdict)
        return
    value = getattr(each, name)
    for _ in range(tries if value not in ((), "") else 0):
        wrong = replace(each, **{name: damaged(value, _hints(type(each))[name], alphabet, rng)})
        if wrong != each and type(each).parse(wrong.text()) == wrong:
            yield wrong
            return


def plant(told: Told, number: int, wrong: Line, name: str) -> Result:
    """Audit the trace with one line replaced, and judge the audit."""
    lines = told.without(number, wrong)
    checked = told.audit(lines)
    role, here = wrong.roles[name], set(checked[number].failed)
    others = [(wrong.KIND, axis) for axis in sorted(here - role.first - role.also)]
    others += [(each.kind, axis) for each in checked[:number] for axis in each.failed]
    later = [each for each in checked[number + 1 :] if each.failed]
    if later:
        before, after = told.reads, _reads(told, lines)
        others += [(e.kind, axis) for e in later for axis in e.failed if before[e.line] == after[e.line]]
    axis = next(axis for axis in AXES if axis in (here & role.first or role.first))
    return Result(
        kind=wrong.KIND,
        field=name,
        axis=axis,
        caught=bool(here & role.first) and checked[number].first_failure,
        true=role.may_be_true and not here,
        others=tuple(others),
        spreads=any(set(each.failed) - {"transcription"} for each in later),
        was=told.lines[number].text(),
        planted=wrong.text(),
    )


def leave_out(told: Told, number: int) -> Result | None:
    """Audit the trace without one line; None when no later line reads by name what it had put on the page."""
    rest = told.without(number)
    whole, without = told.reads[number + 1 :], _reads(told, rest)[number:]
    if [each.named for each in whole] == [each.named for each in without]:
        return None
    checked = told.audit(rest)
    caught = any(each.failed for each in checked[number:])
    role = told.lines[number].roles[LEFT_OUT]
    return Result(
        kind=told.lines[number].KIND,
        field=LEFT_OUT,
        axis="structure",
        caught=caught,
        true=role.may_be_true and not caught,
        others=tuple((each.kind, axis) for each in checked[:number] for axis in each.failed),
        spreads=False,
        was=told.lines[number].text(),
        planted="",
    )


@dataclass(frozen=True)
class _Reads:
    """What a line reads from the page while it is checked: single facts by name, whole namespaces."""

    named: dict[tuple[str, str], Any] = field(default_factory=dict)
    whole: dict[str, dict[str, Any]] = field(default_factory=dict)


class _Watched(Page):
    """A page that keeps what is read from it."""

    reads = _Reads()

    def get(self, namespace: str, name: str = "", default: Any = None) -> Any:
        found = super().get(namespace, name, default)
        self.reads.named[namespace, name] = found
        return found

    def names(self, namespace: str) -> dict[str, Any]:
        found = super().names(namespace)
        self.reads.whole[namespace] = found
        return found


def _thinking(page: Page) -> Page:
    page.thinks = True
    return page


def _reads(told: Told, lines: Sequence[Line]) -> list[_Reads]:
    page, found = _thinking(_Watched.of(told.family, told.shown)), []
    for each in lines:
        page.reads = _Reads()
        each.transcription(page), each.arithmetic(page), each.verdict_follows(page)
        if isinstance(each, Box):
            page.reads.named["answer", ""] = page.answer
        found.append(page.reads)
        page.reads = _Reads()
        each.establish(page)
        page.lines_read += 1
    return found


def cells(lines: Sequence[Line]) -> Iterator[tuple[int, str]]:
    """Every place where something can be planted: (line, field), or (line, LEFT_OUT)."""
    for number, each in enumerate(lines):
        known = each.roles
        for part in fields(each):
            if known[part.name] is not None and (part.name != "verdict" or len(each.OUTCOMES) > 1):
                yield number, part.name
        if known[LEFT_OUT] is not None and not isinstance(each, Box):
            yield number, LEFT_OUT


def errors(told: Sequence[Told], n: int, rng: random.Random) -> Iterator[Result]:
    """About n errors in traces of one design, spread over kinds of line and fields; rare kinds get what they have."""
    sites: dict[tuple[str, str], list[tuple[Told, int]]] = {}
    for each in told:
        for number, name in cells(each.lines):
            sites.setdefault((each.lines[number].KIND, name), []).append((each, number))
    left, queues = n, []
    for key, places in sorted(sites.items()):
        rng.shuffle(places)
        queues.append((key[1], places))
    while left > 0 and queues:
        queues = [queue for queue in queues if queue[1]]
        for name, places in queues:
            each, number = places.pop()
            made = [*_one(each, number, name, rng)]
            left -= len(made)
            yield from made
            if left <= 0:
                return


def _one(told: Told, number: int, name: str, rng: random.Random) -> Iterator[Result]:
    if name == LEFT_OUT:
        result = leave_out(told, number)
        if result is not None:
            yield result
        return
    for wrong in wrong_lines(told.lines[number], name, told.alphabet, rng):
        yield plant(told, number, wrong, name)
