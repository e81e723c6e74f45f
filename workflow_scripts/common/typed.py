"""Settings as a dataclass declares them: read from a mapping, with every fault named by its field."""

import difflib
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import TypeVar

from common.errors import LabError

T = TypeVar("T")
WORDS = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}


def read(cls: type[T], values: Mapping, place: str = "") -> T:
    """An instance of the dataclass `cls`. Raises LabError for an unknown, missing or mistyped field, and with the
    field's own complaint from `__post_init__`; place: what stands before the name of the field."""
    known = {f.name: f for f in fields(cls)}
    for name, value in values.items():
        if name not in known:
            near = difflib.get_close_matches(str(name), known, 1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; expected one of {', '.join(sorted(known))}"
            raise LabError(f"unknown key{hint}", field=f"{place}{name}")
        if not fits(value, known[name].type):
            expected = WORDS.get(known[name].type, known[name].type)
            why = number_as_text(value) if known[name].type in (int, float) else ""
            raise LabError(f"{value!r} is not {expected}{why}", field=f"{place}{name}")
    for name, f in known.items():
        if name not in values and f.default is MISSING and f.default_factory is MISSING:
            raise LabError(f"missing key; expected {WORDS.get(f.type, f.type)}", field=f"{place}{name}")
    try:
        return cls(**values)
    except LabError as error:
        raise LabError(error.message, field=f"{place}{error.field or ''}".rstrip(".") or None) from None


def fits(value: object, wanted: type) -> bool:
    """Whether a value from YAML or JSON is of the declared type; whole numbers are numbers, truth values are not."""
    if wanted in (int, float):
        return type(value) in (int, float) and (wanted is float or value == int(value))
    return isinstance(value, wanted) if wanted in WORDS else True


def number_as_text(value: object) -> str:
    """Why YAML gave a text for what looks like a number; "" where it does not look like one."""
    try:
        looks_like_one = isinstance(value, str) and float(value) is not None
    except ValueError:
        looks_like_one = False
    return (
        "; YAML reads it as text: an exponent needs a point and a sign, as in 1.0e-3, and no quotes"
        if looks_like_one
        else ""
    )


def at_least(settings: object, low: float, *names: str) -> None:
    """Raise LabError for the first of these fields that is below `low`."""
    for name in names:
        if getattr(settings, name) < low:
            raise LabError(f"{getattr(settings, name)} is not at least {low}", field=name)


def above(settings: object, low: float, *names: str) -> None:
    """Raise LabError for the first of these fields that is not above `low`."""
    for name in names:
        if not getattr(settings, name) > low:
            raise LabError(f"{getattr(settings, name)} is not above {low}", field=name)
