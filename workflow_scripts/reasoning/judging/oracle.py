"""What a line should have said: the interpreter's answer in place of a model's, on one axis at a time.

The checks of a kind of line only say whether a line is right. What would be is found by asking them: a field's value is
replaced by one that remembers what the check compares it with, and what is remembered, or each of a few possible
values, is tried; where fields are one computation, the kind of line does it (`computed`), conclusion and all. A repair
is taken only where the line then passes that check and fails no other that it passed before.

Axes: transcription, arithmetic, verdict, as the audit has them, and branch: what nothing on the page forces (a guess, a
claim without evidence) is chosen as the row hides it.
"""

import re
import string
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from functools import cache, partial
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from reasoning.grammar.lines import Chars, Line
from reasoning.grammar.page import Page
from reasoning.judging.audit import AXES

ANSWERS = (*AXES, "branch")
MOST = 400  # lines that are tried in one repair


def is_wrong(line: Line, page: Page, axis: str) -> bool:
    """Does a line fail on an axis? A guess fails on branch where the row hides otherwise."""
    if axis == "branch":
        return (page.judges and line.is_true(page) is False) or (page.judges_before and misguides(line, page))
    return check(line, axis)(page) is False


def check(line: Line, axis: str) -> Callable[[Page], bool | None]:
    """The check of an axis of the audit."""
    return line.verdict_follows if axis == "verdict" else getattr(line, axis)


def misguides(line: Line, page: Page) -> bool:
    """Does the line choose an attempt, or a guess, that does not hold?"""
    if all(line.roles[field.name] is not None for field in fields(line)):
        return False  # nothing on it was a choice
    after = page.copy()
    line.establish(after)
    return after.assumed is False or (after.depth > page.depth and after.guess_holds is False)


def repaired(line: Line, page: Page, axis: str) -> Line | None:
    """The line as it should be on an axis; None where it is so, or where no such line is found."""
    if not is_wrong(line, page, axis):
        return None
    failed = {other for other in ANSWERS if is_wrong(line, page, other)}
    for change in (answered, changed):
        tried, todo = {line}, [line]
        while todo and len(tried) < MOST:
            now = todo.pop(0)
            for other in change(now, page, axis):
                if other in tried or type(other).parse(other.text()) != other:
                    continue
                tried.add(other)
                if not any(is_wrong(other, page, each) for each in ANSWERS if each == axis or each not in failed):
                    return other
                todo.append(other)
    return None


def answered(line: Line, page: Page, axis: str) -> Iterator[Line]:
    """The line with one of the fields that the axis forces as the checks ask for it, the last fields first: those are
    mostly results."""
    whole = line.computed(page) if axis == "arithmetic" else None
    if whole is not None:
        yield from (replace(whole, verdict=line.verdict), whole) if whole.OUTCOMES else (whole,)
    for name in wanted(line, axis):
        for value in compared(line, name, page, axis):
            yield replace(line, **{name: value})


def changed(line: Line, page: Page, axis: str) -> Iterator[Line]:
    """As answered; then with every other value of a field."""
    yield from answered(line, page, axis)
    for name in wanted(line, axis):
        for value in (*possible(type(line), name), *varied(getattr(line, name))):
            yield replace(line, **{name: value})


def wanted(line: Line, axis: str) -> list[str]:
    """The fields that the axis forces, the last first."""
    return [field.name for field in fields(line) if forced(line, field.name, axis)][::-1]


def forced(line: Line, name: str, axis: str) -> bool:
    """Does an error in the field belong on the axis? On branch do open fields and claims."""
    role = line.roles[name]
    if axis == "branch":
        return role is None or "true" in role.first | role.also
    return role is not None and axis in role.first


def compared(line: Line, name: str, page: Page, axis: str) -> list[Any]:
    """What the checks compare a field with; where it has parts, also the field with what they compare each part with,
    one after another, in its place. Each once."""
    value = getattr(line, name)
    found = heard(line, name, value, lambda asked: asked, page, axis)
    right = value
    for path, part in parts(value) if isinstance(value, tuple) else ():
        if others := heard(line, name, part, partial(put, right, path), page, axis):
            right = put(right, path, others[0])
            found.append(right)
    return list(dict.fromkeys(found))


def parts(value: tuple, path: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], Any]]:
    """The parts of a tuple that are none themselves, each with the places that lead to it."""
    for place, each in enumerate(value):
        if isinstance(each, tuple):
            yield from parts(each, (*path, place))
        else:
            yield (*path, place), each


def put(value: tuple, path: tuple[int, ...], part: Any) -> tuple:
    """The tuple with another part at a place."""
    inner = part if len(path) == 1 else put(value[path[0]], path[1:], part)
    return (*value[: path[0]], inner, *value[path[0] + 1 :])


def heard(line: Line, name: str, value: Any, field_with: Callable[[Any], Any], page: Page, axis: str) -> list[Any]:
    """What the checks compare a value with that stands in a field. field_with: the field with another value there."""
    found: list[Any] = []
    base = type(value)
    if base in (bool, type(None)):
        return found

    class Asked(base):  # type: ignore[misc, valid-type]
        __hash__ = base.__hash__

        def __eq__(self, other: object) -> bool:
            found.append(other)
            return base.__eq__(self, other)

        def __ne__(self, other: object) -> bool:
            return not self == other

    asked = replace(line, **{name: field_with(Asked(value))})
    if axis == "branch":  # what may be chosen is what the page has, and what is true
        asked.transcription(page)
        asked.is_true(page)
        misguides(asked, page)
    else:
        check(asked, axis)(page)
    return [each for each in found if type(each) is base and each != value]


def varied(value: Any) -> Iterator[str]:
    """A short text with one other digit, or one other capital letter: what a guess names."""
    for members in (string.digits, string.ascii_uppercase):
        for place, c in enumerate(value if isinstance(value, str) and len(value) <= 4 else ""):
            if c in members:
                yield from (value[:place] + other + value[place + 1 :] for other in members if other != c)


@cache
def possible(kind: type[Line], name: str) -> tuple[Any, ...]:
    """All values of a field where they are few: its words, single characters, two digits."""
    if name == "verdict":
        return tuple(kind.OUTCOMES)
    hint = get_type_hints(kind, include_extras=True)[name]
    if get_origin(hint) is Literal:
        return get_args(hint)
    base, form = get_args(hint)[:2] if get_origin(hint) is Annotated else (hint, None)
    if base is int and form is None:
        return tuple(range(100))
    if not isinstance(form, Chars) or form.length not in (1, 2):
        return ()
    single = [c for c in map(chr, range(33, 127)) if re.fullmatch(f"[{form.body}]", c)]
    texts = single if form.length == 1 else [a + b for a in single for b in single] if len(single) <= 10 else []
    return tuple(map(base, texts))
