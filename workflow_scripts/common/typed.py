"""Reads settings from a mapping into a dataclass; an error names the field."""

import dataclasses
import difflib
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin

from common.errors import LabError

T = TypeVar("T")
WORDS = {int: "a whole number", float: "a number", str: "a text", bool: "true or false", dict: "a mapping"}
WRITTEN_AS_TEXT = "; YAML reads it as text: an exponent needs a point and a sign, as in 1.0e-3, and no quotes"


def setting(
    words: str,
    default: Any = MISSING,
    *,
    low: float | None = None,
    above: float | None = None,
    high: float | None = None,
    among: Collection[str] = (),
    form: str = "",
    secret: bool = False,
) -> Any:
    """A field of a dataclass with its words and limits, which `check` looks at.

    low, high: inclusive bounds; above: an exclusive one; among: the texts that it may be; form: a regular expression
    that a text must match, unless it is the default; secret: the value is never shown.
    """
    limits = {"low": low, "above": above, "high": high, "among": among, "form": form, "secret": secret}
    metadata = {"words": words, **limits}
    if isinstance(default, dict | list):
        return dataclasses.field(default_factory=lambda: type(default)(default), metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def read(cls: type[T], values: Mapping, place: str = "") -> T:
    """An instance of the dataclass `cls`, and of those within it.

    place: what stands before the name of a field in an error. Raises LabError for a field that is unknown, missing, of
    another type, or refused by the `__post_init__` of `cls`.
    """
    if not isinstance(values, Mapping):
        raise LabError(f"{values!r} is not a mapping of settings", field=place.rstrip(".") or None)
    known = {f.name: f for f in fields(cls)}
    given = {}
    for name, value in values.items():
        if name not in known:
            raise LabError(f"unknown key{suggestion(str(name), known)}", field=f"{place}{name}")
        given[name] = converted(value, known[name], f"{place}{name}")
    for name, f in known.items():
        if name not in values and f.default is MISSING and f.default_factory is MISSING:
            expected = f.metadata.get("words") or WORDS.get(f.type, f.type)
            raise LabError(f"missing key; expected {expected}", field=f"{place}{name}")
    try:
        return cls(**given)
    except LabError as error:
        raise LabError(error.message, field=f"{place}{error.field or ''}".rstrip(".") or None) from None


def converted(value: object, field: dataclasses.Field, place: str) -> object:
    """A value from YAML or JSON, converted to the field's type; raises LabError where it has another type."""
    wanted = field.type
    if isinstance(wanted, UnionType):
        kinds = [each for each in get_args(wanted) if each is not type(None)]
        if value is None and len(kinds) < len(get_args(wanted)):
            return None
        wanted = next((each for each in kinds[1:] if isinstance(value, get_origin(each) or each)), kinds[0])
    if is_dataclass(wanted):
        return read(wanted, value, f"{place}.")
    origin = get_origin(wanted) or wanted
    if origin is tuple:
        item = get_args(wanted)[0]
        if not isinstance(value, list | tuple) or not all(fits(each, item) for each in value):
            raise LabError(f"{shown(value, field)} is not a list of {WORDS[item].split(' ', 1)[1]}s", field=place)
        return tuple(value)
    if not fits(value, origin):
        why = number_as_text(value) if origin in (int, float) else ""
        raise LabError(f"{shown(value, field)} is not {WORDS.get(origin, origin)}{why}", field=place)
    return value


def fits(value: object, wanted: type) -> bool:
    """Whether a value from YAML or JSON is of the declared type; whole numbers are numbers, truth values are not."""
    if wanted in (int, float):
        return type(value) is int or (wanted is float and type(value) is float)
    return isinstance(value, wanted) if wanted in WORDS else True


def number_as_text(value: object) -> str:
    """Why YAML read a number as text; "" where the value is no number."""
    try:
        looks_like_one = isinstance(value, str) and float(value) is not None
    except ValueError:
        looks_like_one = False
    return WRITTEN_AS_TEXT if looks_like_one else ""


def shown(value: object, field: dataclasses.Field) -> str:
    """A value as it may stand in a message: a secret one is not shown."""
    return "the value" if field.metadata.get("secret") else repr(value)


def suggestion(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?` with the nearest known word, or the list of known words when none is near."""
    known = sorted(map(str, known))
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else f"; expected one of {', '.join(known)}"


def check(settings: object) -> None:
    """Raise LabError for the first field that is outside the limits of its `setting`."""
    for f in fields(settings):
        value, limits = getattr(settings, f.name), f.metadata
        if not limits or value is None or (f.default is not MISSING and value == f.default):
            continue
        if limits["among"] and value not in limits["among"]:
            raise LabError(f"unknown {f.name} {value!r}{suggestion(str(value), limits['among'])}", field=f.name)
        if limits["form"] and isinstance(value, str) and not re.fullmatch(limits["form"], value):
            expected = f"text of the form {limits['form']}"
        elif limits["low"] is not None and not value >= limits["low"]:
            expected = f"at least {limits['low']}"
        elif limits["above"] is not None and not value > limits["above"]:
            expected = f"above {limits['above']}"
        elif limits["high"] is not None and not value <= limits["high"]:
            expected = f"at most {limits['high']}"
        else:
            continue
        raise LabError(f"{shown(value, f)} is not {expected} ({limits['words']})", field=f.name)


def at_least(settings: object, low: float, *names: str) -> None:
    """Raise LabError for the first of these fields that is below `low`."""
    for name in names:
        if not getattr(settings, name) >= low:
            raise LabError(f"{getattr(settings, name)} is not at least {low}", field=name)


def above(settings: object, low: float, *names: str) -> None:
    """Raise LabError for the first of these fields that is not above `low`."""
    for name in names:
        if not getattr(settings, name) > low:
            raise LabError(f"{getattr(settings, name)} is not above {low}", field=name)
