"""The line grammar: a kind of line is declared once, and that declaration renders it, parses it and checks it.

Declaring a kind of line:

    @line
    class Partial(Line):
        KIND = "gravity/partial"
        TEXT = "{a}*{b}={product} {verdict}"
        OUTCOMES = {"small": SEEN, "large": SEEN}  # every word the verdict can be; needs a field named `verdict`
        FORCED_BY = "product against 100"        # what on the page forces it
        RECALLS = ""                             # what it takes from memory, neither read off the page nor computed
        ROLES = "a:TA b:A product:AV"            # what forces each field; see roles.py
        a: Digit
        b: int
        product: int
        verdict: str

        def transcription(self, page):           # True | False | None (nothing to compare with)
            return page.get("digit", "a") == self.a
        def arithmetic(self, page):
            return self.a * self.b == self.product
        def verdict_follows(self, page):         # from the line's OWN numbers, not from the truth
            return (self.verdict == "large") == (self.product >= 100)
        def establish(self, page):               # what later lines may rely on
            page.put("product", str(self.b), self.product)

    Partial(3, 12, 36, "small").text() == "3*12=36 small"
    Partial.parse("3*12=36 small") == Partial(3, 12, 36, "small")

A line that claims something without evidence has `is_true` as well, which holds the claim to what the row hides; one
that rests on something nobody wrote, though its fields are forced, says so by `is_bare`.

TEXT is literal text with {field} places; write {{ and }} for braces. The field's type decides its form:

    int                 canonical decimal, at most 15 digits        Digit    one digit, as int
    Digits Bits Letters runs of 0-9, of 01, of a-z (str)            Number   decimal number as printed (str)
    Glyph               one printable character, never a space      Word     a run of them
    Annotated[str, Chars("IVXLC")]     your own characters; Chars("!-~", 2): exactly two of them
    Literal["add", "sub"]              one of the listed words
    tuple[T, ...]       a list, written {field:SEP}: {xs:,} prints 1,2,3; {xs:,|none} prints `none` when it is empty;
                        {xs:} joins without a separator (T of fixed length); without |WORD a list is never empty
    tuple[tuple[A, B], ...]            written {pairs:SEP INNER} without the blank: {key: =} prints `!=3 @=7`

An outcome is PASSED or FAILED where the line tests a hypothesis, and SEEN where it only names a class of what is there.
Parsing takes linear time: a field or list that can grow must be followed by the end of the line or by a literal whose
first character it cannot contain. `@line` raises TypeError for a declaration that breaks this or any other rule.
Checks are called on lines that a model wrote: any value of the field's type may come, in any order of lines, and a
check must answer False or None, never raise.
"""

import dataclasses
import re
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    ClassVar,
    Literal,
    Self,
    TypeVar,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
)

from reasoning.grammar.roles import Role, read_roles

if TYPE_CHECKING:
    from reasoning.grammar.page import Page

PASSED, FAILED, SEEN = "passed", "failed", "seen"
PRINTABLE = frozenset(map(chr, range(33, 127)))


@dataclass(frozen=True)
class Chars:
    """A run of characters of a regex class body such as "0-9"; `length` fixes how many, 0 means one or more."""

    body: str
    length: int = 0


@dataclass(frozen=True)
class Codec:
    """How a value is written: regex without capture groups, both conversions, the characters that it can start with
    and those that could continue it."""

    pattern: str
    encode: Callable[[Any], str]
    decode: Callable[[str], Any]
    starts: frozenset[str]
    continues: frozenset[str] = frozenset()


Digit = Annotated[int, Chars("0-9", 1)]
Digits = Annotated[str, Chars("0-9")]
Bits = Annotated[str, Chars("01")]
Letters = Annotated[str, Chars("a-z")]
Glyph = Annotated[str, Chars("!-~", 1)]
Word = Annotated[str, Chars("!-~")]
DIGITS = frozenset("0123456789")
_NUMBER = Codec(r"-?[0-9]{1,12}+(?:\.[0-9]{1,12}+)?+", str, str, DIGITS | {"-"}, DIGITS | {"."})
Number = Annotated[str, _NUMBER]


# Every start of a job loads all kinds of line, and most read none: a pattern is compiled when a text is held to it.
_compiled = cache(re.compile)


@cache
def _chars(spec: Chars, base: type) -> Codec:
    allowed = frozenset(c for c in PRINTABLE if re.fullmatch(f"[{spec.body}]", c))
    if not allowed:
        raise TypeError(f"{spec} allows no printable character")
    quantity = f"{{{spec.length}}}" if spec.length else "++"
    return Codec(f"[{spec.body}]{quantity}", str, base, allowed, frozenset() if spec.length else allowed)


def _codec(hint: Any) -> Codec:
    if get_origin(hint) is Annotated:
        base, *notes = get_args(hint)
        for note in notes:
            if isinstance(note, Codec):
                return note
            if isinstance(note, Chars):
                return _chars(note, base)
    if hint is int:
        return Codec(r"(?:0|-?[1-9][0-9]{0,14}+)", str, int, DIGITS | {"-"}, DIGITS)
    if get_origin(hint) is Literal:
        return _words(get_args(hint))
    raise TypeError(f"no written form for {hint!r}; a str needs Annotated[str, Chars(...)]")


def _words(words: tuple[str, ...]) -> Codec:
    longest_first = sorted(words, key=len, reverse=True)
    longer = {b[len(a)] for a in words for b in words if a != b and b.startswith(a)}
    pattern = f"(?:{'|'.join(map(re.escape, longest_first))})"
    return Codec(pattern, str, str, frozenset(word[:1] for word in words), frozenset(longer))


def _pair(hint: Any, inner: str) -> Codec:
    first, second = (_codec(part) for part in get_args(hint))
    if first.continues & set(inner[:1]) or (first.continues and not inner):
        raise TypeError(f"in a pair the first part may run into the separator {inner!r}")

    def decode(text: str) -> tuple:
        head = _compiled(first.pattern).match(text).end()
        return first.decode(text[:head]), second.decode(text[head + len(inner) :])

    return Codec(
        first.pattern + re.escape(inner) + second.pattern,
        lambda pair: first.encode(pair[0]) + inner + second.encode(pair[1]),
        decode,
        first.starts,
        second.continues,
    )


def _list(hint: Any, spec: str) -> Codec:
    item_hint, *rest = get_args(hint)
    if rest != [...]:
        raise TypeError(f"a list field is tuple[T, ...], not {hint!r}")
    form, _, empty = spec.partition("|")
    separator, inner = form[:1], form[1:]
    item = _pair(item_hint, inner) if get_origin(item_hint) is tuple else _codec(item_hint)
    if separator in item.starts | item.continues or (not separator and item.continues):
        raise TypeError(f"list items may be taken for the separator {separator!r}")

    def encode(values: tuple) -> str:
        return separator.join(map(item.encode, values)) if values else empty

    def decode(text: str) -> tuple:
        return () if empty and text == empty else tuple(map(item.decode, _compiled(item.pattern).findall(text)))

    pattern = f"{item.pattern}(?:{re.escape(separator)}{item.pattern})*+"
    if empty:
        pattern = f"(?:{re.escape(empty)}|{pattern})"
    # without a separator any start of an item continues the list
    more = {separator} if separator else item.starts
    return Codec(pattern, encode, decode, item.starts | set(empty[:1]), item.continues | more)


class Line:
    """Base of every kind of line; see the module's docstring."""

    KIND: ClassVar[str] = ""
    TEXT: ClassVar[str] = ""
    OUTCOMES: ClassVar[Mapping[str, str]] = {}
    FORCED_BY: ClassVar[str] = ""
    RECALLS: ClassVar[str] = ""
    ROLES: ClassVar[str] = ""
    roles: ClassVar[Mapping[str, Role | None]]
    opener: ClassVar[str]
    _pieces: ClassVar[tuple[tuple[str, str, Callable[[Any], str] | None], ...]]
    _decoders: ClassVar[tuple[tuple[str, Callable[[str], Any]], ...]]
    _pattern: ClassVar[str]

    @property
    def result(self) -> str:
        """What the verdict means: PASSED, FAILED or SEEN; "" for a line without one."""
        return self.OUTCOMES.get(getattr(self, "verdict", ""), "")

    def text(self) -> str:
        """The line as printed."""
        return "".join(
            [
                literal if encode is None else literal + encode(getattr(self, name))
                for literal, name, encode in self._pieces
            ]
        )

    def split(self) -> tuple[str, str] | None:
        """(the line up to the first field that is computed or concluded, the rest); None where there is none."""
        before = ""
        for literal, name, encode in self._pieces:
            before += literal
            role = self.roles.get(name)
            if role is not None and role.first & {"arithmetic", "verdict"}:
                return before, self.text()[len(before) :]
            before += encode(getattr(self, name)) if encode else ""
        return None

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The line that prints as `text`, None when it is not of this kind."""
        match = _compiled(cls._pattern).fullmatch(text)
        if match is None:
            return None
        return cls(**{name: decode(part) for (name, decode), part in zip(cls._decoders, match.groups(), strict=True)})

    def transcription(self, page: "Page") -> bool | None:
        """Does it agree with the prompt and with what the page established?"""
        return None

    def arithmetic(self, page: "Page") -> bool | None:
        """Is every computation printed on it right?"""
        return None

    def verdict_follows(self, page: "Page") -> bool | None:
        """Does its conclusion follow from its own numbers?"""
        return None

    def is_true(self, page: "Page") -> bool | None:
        """Is what it claims without evidence so (`page.truth`)? None when it claims nothing of the sort."""
        return None

    def is_bare(self, page: "Page") -> bool:
        """Does it rest on something that neither it nor the page shows, beyond the fields that nothing forces?"""
        return False

    def computed(self, page: "Page") -> Self | None:
        """The line as the page has it computed, where several of its fields are one computation; None elsewhere."""
        return None

    def establish(self, page: "Page") -> None:
        """Write on the page what later lines may rely on."""


LineKind = TypeVar("LineKind", bound=type[Line])


@dataclass_transform(frozen_default=True)
def line(cls: LineKind) -> LineKind:
    """Class decorator: make the class a frozen record and compile its TEXT."""
    cls = dataclass(frozen=True)(cls)
    if not cls.KIND or (("verdict" in cls.__annotations__) != bool(cls.OUTCOMES)):
        raise TypeError(f"{cls.__name__}: needs a KIND, and OUTCOMES exactly when it has a `verdict` field")
    if bool(cls.OUTCOMES) != bool(cls.FORCED_BY):
        raise TypeError(f"{cls.__name__}: OUTCOMES and FORCED_BY go together")
    if not isinstance(cls.OUTCOMES, Mapping) or not set(cls.OUTCOMES.values()) <= {PASSED, FAILED, SEEN}:
        raise TypeError(f"{cls.__name__}: OUTCOMES says of every word whether it is PASSED, FAILED or SEEN")
    hints = get_type_hints(cls, include_extras=True)
    pieces, decoders, pattern, open_ended = [], [], "", frozenset()
    try:
        for literal, name, spec, _ in string.Formatter().parse(cls.TEXT):
            if literal[:1] in open_ended or (open_ended and not literal and name is not None):
                raise TypeError(f"{{{decoders[-1][0]}}} may run into what follows it")
            pattern += re.escape(literal)
            if name is None:
                pieces.append((literal, "", None))
                continue
            hint = hints[name]
            if name == "verdict":
                codec = _words(tuple(cls.OUTCOMES))
            else:
                codec = _list(hint, spec) if get_origin(hint) is tuple else _codec(hint)
            pattern += f"({codec.pattern})"
            open_ended = codec.continues
            pieces.append((literal, name, codec.encode))
            decoders.append((name, codec.decode))
    except (TypeError, KeyError) as error:
        raise TypeError(f"{cls.__name__}: {error}") from None
    if sorted(name for name, _ in decoders) != sorted(field.name for field in dataclasses.fields(cls)):
        raise TypeError(f"{cls.__name__}: every field must stand in TEXT exactly once")
    try:
        cls.roles = read_roles(cls.ROLES, (field.name for field in dataclasses.fields(cls)))
    except TypeError as error:
        raise TypeError(f"{cls.__name__}: {error}") from None
    cls._pieces, cls._decoders, cls._pattern = tuple(pieces), tuple(decoders), pattern
    cls.opener = pieces[0][0] if pieces else ""
    return cls
