"""Lines about digits: what is left, an example decoded, a digit tried, pinned or read off."""

from typing import Literal, Self

from puzzles.equations.rules import BY_NAME
from reasoning.designs.cryptarithm.lines.arithmetic import rule_value
from reasoning.designs.cryptarithm.lines.notation import (
    Two,
    Value,
    example,
    fits,
    known_digits,
    left_over,
    minus_glyph,
    operands_of,
    target_of,
)
from reasoning.grammar.lines import Digit, Digits, Glyph, Line, Word, line
from reasoning.grammar.page import Page


@line
class Left(Line):
    """Glyphs that have no digit yet, and digits that have no glyph."""

    KIND = "crypt/left"
    TEXT = "left {glyphs} for {digits}"
    ROLES = "glyphs:T digits:T"
    glyphs: Word
    digits: Digits

    def transcription(self, page: Page) -> bool:
        return (self.glyphs, self.digits) == left_over(page)

    def establish(self, page: Page) -> None:
        page.put("left", "", (self.glyphs, self.digits))


def _decodes(page: Page, text: str, pairs: tuple[tuple[str, str], ...], sign: str) -> bool:
    """Are these the text's characters with what the page knows of them, the minus as `-`?"""
    known = known_digits(page)
    return list(pairs) == [(c, "-" if c == sign else str(known.get(c, c))) for c in text]


@line
class Decode(Line):
    """Every character of an example's operands and, after its own name and copied at one go, of its output with its
    digit, then the three numbers; a glyph without a digit stands for itself."""

    KIND = "crypt/decode"
    TEXT = "E{number} {operands: =}; R{again} {glyphs} {outputs: =}: {left} {right} {output}"
    ROLES = "number:T operands:T again:T glyphs:T outputs:T left:T right:T output:T"
    number: int
    operands: tuple[tuple[Glyph, Glyph], ...]
    again: int
    glyphs: Word
    outputs: tuple[tuple[Glyph, Glyph], ...]
    left: Two
    right: Two
    output: Word

    @classmethod
    def of(cls, number: int, pairs: tuple[tuple[str, str], ...]) -> Self:
        """The line of these pairs."""
        digits = "".join(digit for _, digit in pairs)
        glyphs = "".join(glyph for glyph, _ in pairs[4:])
        return cls(number, pairs[:4], number, glyphs, pairs[4:], digits[:2], digits[2:4], digits[4:])

    def transcription(self, page: Page) -> bool:
        e = example(page, self.number)
        if e is None:
            return False
        operands = _decodes(page, e.left + e.right, self.operands, minus_glyph(e))
        outputs = operands and self.glyphs == e.output and _decodes(page, e.output, self.outputs, minus_glyph(e))
        return outputs and self == self.of(self.number, self.operands + self.outputs)


@line
class DecodeQuery(Line):
    """Every glyph of the query's operands with its digit."""

    KIND = "crypt/decode-query"
    TEXT = "query {pairs: =}"
    ROLES = "pairs:T"
    pairs: tuple[tuple[Glyph, Glyph], ...]

    def transcription(self, page: Page) -> bool:
        query = page.parsed.query
        return _decodes(page, query.left + query.right, self.pairs, "")


@line
class Try(Line):
    """Suppose a digit for one glyph, for the tests that follow."""

    KIND = "crypt/try"
    TEXT = "try {glyph}={value}"
    ROLES = "glyph:- value:T~"
    glyph: Glyph
    value: Digit

    def transcription(self, page: Page) -> bool:
        """The first of the digits that are left, or the one after that which was tried last."""
        glyphs, digits = left_over(page)
        tried = "".join(str(value) for glyph, value, _ in page.get("trials", "", ()) if glyph == self.glyph)
        before, found, _ = digits.partition(str(self.value))
        return self.glyph in glyphs and bool(found) and before[-1:] in (tried[-1:], "")

    def establish(self, page: Page) -> None:
        """The first digit that is left begins a new round, in another example perhaps."""
        first = left_over(page)[1][:1] == str(self.value)
        same = [] if first else [t for t in page.get("trials", "", ()) if t[0] == self.glyph]
        page.put("trials", "", (*same, (self.glyph, self.value, [])))


@line
class Pin(Line):
    """A glyph's digit: the last one left, or the only one of those tried that passed."""

    KIND = "crypt/pin"
    TEXT = "{why} {glyph}={value}"
    ROLES = "why:A glyph:T/A value:T/A"
    why: Literal["last", "only"]
    glyph: Glyph
    value: Digit

    def transcription(self, page: Page) -> bool:
        glyphs, digits = page.get("left", "", ("", ""))
        return self.glyph in glyphs and str(self.value) in digits

    def arithmetic(self, page: Page) -> bool:
        """Last: one glyph and one digit were left. Only: every digit left was tried, and just this one passed."""
        if self.why == "last":
            return page.get("left") == (self.glyph, str(self.value))
        trials = page.get("trials", "", ())
        passed = [(glyph, value) for glyph, value, agreed in trials if agreed and all(agreed)]
        tried = "".join(str(value) for glyph, value, _ in trials if glyph == self.glyph)
        return passed == [(self.glyph, self.value)] and tried == page.get("left", "", ("", ""))[1]

    def establish(self, page: Page) -> None:
        page.put("digit", self.glyph, self.value)
        page.put("trials", "", ())


@line
class ReadOff(Line):
    """The digits that a computed value gives to the unknown glyphs of an output."""

    KIND = "crypt/read-off"
    TEXT = "E{number} {value} is {target} so {pairs: =}"
    ROLES = "number:TA value:AV target:TV pairs:V"
    number: int
    value: Value
    target: Word
    pairs: tuple[tuple[Glyph, Digit], ...]

    def transcription(self, page: Page) -> bool | None:
        e = example(page, self.number)
        if e is None:
            return False
        rule = BY_NAME.get(page.get("rule", e.op, ""))
        return rule is not None and self.target == target_of(e, known_digits(page), rule.mode)

    def arithmetic(self, page: Page) -> bool:
        """The value is what the operator's rule gives."""
        e = example(page, self.number)
        rule = BY_NAME.get(page.get("rule", e.op, "")) if e is not None else None
        operands = operands_of(e, known_digits(page), rule.mode) if rule is not None else None
        return operands is not None and self.value == rule_value(rule, *operands)

    def verdict_follows(self, page: Page) -> bool:
        return fits(self.value, self.target) == {glyph: str(value) for glyph, value in self.pairs}

    def establish(self, page: Page) -> None:
        for glyph, value in self.pairs:
            page.put("digit", glyph, value)
