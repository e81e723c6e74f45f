"""Lines that work out the query: arithmetic, sign, offset, reversal, encoding, or an undetermined end."""

from typing import Annotated, Literal

from reasoning.designs.cryptarithm.lines.arithmetic import (
    OFFSETS,
    Addition,
    Modulo,
    Multiplication,
    Subtraction,
    signed,
    test_group,
)
from reasoning.designs.cryptarithm.lines.digit_lines import DecodeQuery
from reasoning.designs.cryptarithm.lines.notation import (
    Difference,
    Pair,
    Sum,
    Value,
    known_digits,
    operands_of,
    query_rule,
)
from reasoning.designs.remainder import Taken
from reasoning.grammar.lines import DIGITS, Codec, Glyph, Line, Word, line
from reasoning.grammar.page import Page

Back = Annotated[str, Codec("[0-9]=[!-~]", str, str, DIGITS)]  # a digit and the glyph that stands for it


class _Query(Line):
    """Shared by the query's arithmetic: operands as the page knows them, in the rule's mode."""

    GROUP = ""

    def transcription(self, page: Page) -> bool:
        rule = query_rule(page)
        if rule is None:
            return False
        operands = operands_of(page.parsed.query, known_digits(page), rule.mode)
        return test_group(rule) == self.GROUP and operands == (self.x, self.y)


@line
class Reverse(Line):
    """The query's operands read backwards (flip mode)."""

    KIND = "crypt/reverse"
    TEXT = "reverse {left} {right}: {x} {y}"
    ROLES = "left:TA right:TA x:A y:A"
    left: Pair
    right: Pair
    x: Pair
    y: Pair

    def transcription(self, page: Page) -> bool:
        rule = query_rule(page)
        operands = operands_of(page.parsed.query, known_digits(page), "normal")
        return rule is not None and rule.mode == "flip" and operands == (self.left, self.right)

    def arithmetic(self, page: Page) -> bool:
        return (self.x, self.y) == (self.left[::-1], self.right[::-1])


@line
class AddQuery(Addition, _Query):
    """The query's sum, units and tens first."""

    KIND = "crypt/add"
    TEXT = "add {x} {y}: {units} {tens} {total}"
    ROLES = "x:TA y:TA units:A tens:A total:A"
    GROUP = "add"
    x: Pair
    y: Pair
    units: Sum
    tens: Sum
    total: int

    def establish(self, page: Page) -> None:
        page.put("result", "", str(self.total))


@line
class MulQuery(Multiplication, _Query):
    """The query's product, by two partial products."""

    KIND = "crypt/mul"
    TEXT = "mul {x} {y}: {tens} {ones} {columns:,} {total}"
    ROLES = "x:TA y:TA tens:A ones:A columns:A total:A"
    GROUP = "mul"
    x: Pair
    y: Pair
    tens: Sum
    ones: Sum
    columns: tuple[Sum, ...]
    total: int

    def establish(self, page: Page) -> None:
        page.put("result", "", str(self.total))


@line
class SubQuery(Subtraction, _Query):
    """Larger minus smaller of the query's operands."""

    KIND = "crypt/sub"
    TEXT = "sub {x} {y} {order}: {units} {tens} {total}"
    ROLES = "x:TA y:TA order:A units:A tens:A total:A"
    GROUP = "sub"
    x: Pair
    y: Pair
    order: Literal["<", "=", ">"]
    units: Difference
    tens: Difference
    total: int

    def establish(self, page: Page) -> None:
        page.put("result", "", str(self.total))
        page.put("order", "", self.order)


@line
class ModQuery(Modulo, _Query):
    """The rest of larger by smaller of the query's operands."""

    KIND = "crypt/mod"
    TEXT = "mod {x} {y} {order}: {steps:,|none} {rest}"
    ROLES = "x:TA y:TA order:A steps:A rest:A"
    GROUP = "mod"
    x: Pair
    y: Pair
    order: Literal["<", "=", ">"]
    steps: tuple[Taken, ...]
    rest: int

    def establish(self, page: Page) -> None:
        page.put("result", "", str(self.rest))


@line
class SignQuery(Line):
    """The query's difference with its minus."""

    KIND = "crypt/sign"
    TEXT = "{base} {order} {total}: {value}"
    ROLES = "base:TV order:TV total:TV value:V"
    base: Literal["sub", "rsub", "abs", "negabs", "absneg"]
    order: Literal["<", "=", ">"]
    total: int
    value: Value

    def transcription(self, page: Page) -> bool:
        rule = query_rule(page)
        made = page.get("order"), page.get("result")
        return rule is not None and rule.base == self.base and made == (self.order, str(self.total))

    def verdict_follows(self, page: Page) -> bool:
        return self.value == signed(self.base, self.order, self.total)

    def establish(self, page: Page) -> None:
        page.put("result", "", self.value)
        page.put("stage", "sign", True)


@line
class OffsetQuery(Line):
    """One more or one less than the query's sum or product."""

    KIND = "crypt/offset"
    TEXT = "offset {total} {offset}: {value}"
    ROLES = "total:TA offset:TA value:A"
    total: int
    offset: Literal["+1", "-1"]
    value: int

    def transcription(self, page: Page) -> bool:
        rule = query_rule(page)
        return rule is not None and rule.base.endswith(self.offset) and page.get("result") == str(self.total)

    def arithmetic(self, page: Page) -> bool:
        return self.value == self.total + OFFSETS[self.offset]

    def establish(self, page: Page) -> None:
        page.put("result", "", str(self.value))
        page.put("stage", "offset", True)


def reversed_digits(value: str) -> str:
    """Digits backwards, a minus stays on its side."""
    return "-" + value[:0:-1] if value[:1] == "-" else value[-2::-1] + "-" if value[-1:] == "-" else value[::-1]


@line
class ReverseResult(Line):
    """The result written backwards (flip mode)."""

    KIND = "crypt/reverse-result"
    TEXT = "reverse {value}: {printed}"
    ROLES = "value:TA printed:A"
    value: Value
    printed: Value

    def transcription(self, page: Page) -> bool:
        rule = query_rule(page)
        return rule is not None and rule.mode == "flip" and page.get("result") == self.value

    def arithmetic(self, page: Page) -> bool:
        return self.printed == reversed_digits(self.value)

    def establish(self, page: Page) -> None:
        page.put("result", "", self.printed)
        page.put("stage", "reverse", True)


def finished(page: Page) -> bool:
    """Has the query's result gone through all that its rule asks for after the computation?

    Without a rule nothing is asked: the computation, which needs one, is the line to blame.
    """
    rule = query_rule(page)
    if rule is None:
        return True
    sign, offset = rule.group == "sub" and rule.base != "mod", rule.base[-2:] in OFFSETS
    needed = {"sign": sign, "offset": offset, "reverse": rule.mode == "flip"}
    return all(page.get("stage", stage, False) for stage, asked in needed.items() if asked)


@line
class KeyBack(Line):
    """Every known glyph with its digit, and back. A model reads from left to right: in `#=4` it finds the digit of a
    glyph, but not the glyph of a digit."""

    KIND = "crypt/key-back"
    TEXT = "key {pairs: =}"
    ROLES = "pairs:T"
    pairs: tuple[tuple[Glyph, Back], ...]

    def transcription(self, page: Page) -> bool:
        known = {glyph: f"{digit}={glyph}" for glyph, digit in known_digits(page).items()}
        return len(self.pairs) == len(known) and dict(self.pairs) == known


@line
class Encode(Line):
    """Every character of the result with its glyph; the minus is the query's operator."""

    KIND = "crypt/encode"
    TEXT = "encode {value}: {pairs: =}"
    ROLES = "value:TV pairs:TV"
    value: Value
    pairs: tuple[tuple[Glyph, Glyph], ...]

    def transcription(self, page: Page) -> bool:
        known = known_digits(page)
        same = page.get("result") == self.value and finished(page)
        glyphs = {str(digit): glyph for glyph, digit in known.items()} | {"-": page.parsed.query.op}
        wanted = tuple((value, glyphs.get(value, "")) for value, _ in self.pairs)
        return same and (  # as a whole first: that tells an oracle what the line should be
            self.pairs == wanted
            or all(
                glyph == page.parsed.query.op if value == "-" else str(known.get(glyph, "")) == value
                for value, glyph in self.pairs
            )
        )

    def verdict_follows(self, page: Page) -> bool:
        return "".join(value for value, _ in self.pairs) == self.value

    def establish(self, page: Page) -> None:
        page.answer = "".join(glyph for _, glyph in self.pairs)


@line
class Undetermined(Line):
    """The end of a thought that the page cannot carry further: what is missing."""

    KIND = "crypt/undetermined"
    TEXT = "undetermined: no {what} for {of}"
    ROLES = "what:T of:T"
    what: Literal["digit", "rule", "glyph"]
    of: Word

    def transcription(self, page: Page) -> bool:
        """All query glyphs without a digit; or else the query's operator; or all digits of the result without glyph."""
        known, query = known_digits(page), page.parsed.query
        missing = "".join(dict.fromkeys(c for c in query.left + query.right if c not in known))
        if self.what == "digit" or missing:
            return self.what == "digit" and bool(missing) and self.of == missing
        if self.what == "rule":
            return self.of == query.op and query_rule(page) is None
        result = page.get("result", "", "") if finished(page) else ""
        return bool(self.of) and self.of == "".join(
            dict.fromkeys(c for c in result if c.isdigit() and int(c) not in known.values())
        )


QUERY_KINDS = (
    DecodeQuery, Reverse, AddQuery, MulQuery, SubQuery, ModQuery, SignQuery, OffsetQuery, ReverseResult,
    KeyBack, Encode,
)  # fmt: skip
