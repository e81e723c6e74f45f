"""Plants one error in a rendered trace: a field of one line changed, a verdict flipped, a line left out."""

import random
import string
from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any, Literal, get_args, get_origin, get_type_hints

from reasoning.audit import Checked, audit_lines
from reasoning.lines import Line
from reasoning.page import Page
from reasoning.trace import Design

CLASSES = (string.digits, string.ascii_lowercase, "IVXLC")


def damaged(value: Any, hint: Any, rng: random.Random) -> Any:
    """The value with one digit, letter or glyph replaced by another of its class; another word of a Literal."""
    if get_origin(hint) is Literal:
        return rng.choice([word for word in get_args(hint) if word != value])
    if isinstance(value, tuple):
        place = rng.randrange(len(value))
        return (*value[:place], damaged(value[place], None, rng), *value[place + 1 :])
    text = str(value)
    places = [i for i, c in enumerate(text) if c not in ".-"] or [0]
    place = rng.choice(places)
    allowed = next((c for c in CLASSES if text[place] in c), "!#$%&<>@^|+*-")
    other = rng.choice([c for c in allowed if c != text[place]])
    text = text[:place] + other + text[place + 1 :]
    return int(text) if isinstance(value, int) else text


def field_errors(line: Line, rng: random.Random, tries: int = 20) -> Iterator[tuple[str, Line]]:
    """(field, line with that field damaged) for every field; the damaged line still has the form of its kind."""
    hints = get_type_hints(type(line))
    for field in fields(line):
        if field.name == "verdict":
            for other in line.OUTCOMES:
                if other != line.verdict:
                    yield "verdict", replace(line, verdict=other)
            continue
        for _ in range(tries if getattr(line, field.name) != () else 0):
            wrong = replace(line, **{field.name: damaged(getattr(line, field.name), hints[field.name], rng)})
            if type(line).parse(wrong.text()) == wrong and wrong != line:
                yield field.name, wrong
                break


def checks(lines: list[Line], shown: str, design: Design) -> list[Checked]:
    page = Page.of(design.family, shown)
    page.thinks = bool(design.kinds)
    return audit_lines(lines, page)
