"""Kinds of line of the honest designs: one column, product or division with a single unknown, everything else known."""

from typing import Annotated, Literal

from puzzles.equations.prompt import Equation
from puzzles.equations.rules import BY_NAME, Rule
from reasoning.designs.cryptarithm.lines import arithmetic, letters, notation
from reasoning.grammar.lines import FAILED, PASSED, Chars, Digit, Digits, Glyph, Line, line
from reasoning.grammar.page import Page

COLUMNS = ("units", "tens", "top")
Column = Literal["units", "tens", "top"]


def triple(e: Equation, rule: Rule, larger: str) -> tuple[str, str, str] | None:
    """An example as first + second = third in reading order, a difference as smaller + result = larger.

    `larger`: left or right, which operand of a difference is the larger. None for products and remainders.
    """
    left, right, out = notation.reading(e, rule.mode)
    if rule.group == "add":
        return left, right, out
    if rule.group == "sub" and rule.base != "mod":
        return (right, out, left) if larger == "left" else (left, out, right)
    return None


def column(parts: tuple[str, str, str], name: str) -> tuple[str, str, str]:
    """The glyphs of a column, "" where a number is shorter."""
    place = COLUMNS.index(name)
    return tuple(part[-1 - place] if len(part) > place else "" for part in parts)


def column_sum(parts: tuple[str, str, str], name: str, offset: int, known: dict[str, int]) -> tuple[str, int] | None:
    """The column's sum as printed and its total, None when a digit that it needs is unknown."""
    carry = offset
    for each in COLUMNS[: COLUMNS.index(name) + 1]:
        p, q, _ = column(parts, each)
        if any(glyph and glyph not in known for glyph in (p, q)):
            return None
        digits = [known[glyph] for glyph in (p, q) if glyph]
        total = sum(digits) + carry
        work = "+".join(map(str, digits)) + (f"{carry:+d}" if carry else "")
        carry = total // 10
    return f"{work or '0'}={total}", total


def offset_of(rule: Rule) -> int:
    """What a sum adds to the plain one."""
    return arithmetic.OFFSETS[arithmetic.offset_word(rule)] if rule.group == "add" else 0


@line
class LeadPin(Line):
    """A sum of three digits opens with 1."""

    KIND = "column/lead"
    TEXT = "E{number} three-digit sum so {glyph}={digit}"
    ROLES = "number:T~ glyph:T digit:A/T"
    number: int
    glyph: Glyph
    digit: Digit

    def transcription(self, page: Page) -> bool:
        e, known = notation.example(page, self.number), notation.known_digits(page)
        rule = BY_NAME.get(page.get("rule", e.op, "")) if e is not None else None
        if rule is None or rule.group != "add" or self.glyph in known or self.digit in known.values():
            return False
        out = notation.reading(e, rule.mode)[2]
        return len(out) == 3 and out[0] == self.glyph

    def arithmetic(self, page: Page) -> bool:
        return self.digit == 1

    def establish(self, page: Page) -> None:
        page.put("digit", self.glyph, self.digit)


@line
class ProductPin(Line):
    """Both operands known: the value's digits go to the output's unknown glyphs."""

    KIND = "column/value"
    TEXT = "E{number} {x},{y} gives {value} so {pairs: =}"
    ROLES = "number:TAV x:TA y:TA value:AV pairs:V"
    number: int
    x: notation.Pair
    y: notation.Pair
    value: notation.Value
    pairs: tuple[tuple[Glyph, Digit], ...]

    def rule(self, page: Page) -> tuple[Equation, Rule] | None:
        e = notation.example(page, self.number)
        rule = BY_NAME.get(page.get("rule", e.op, "")) if e is not None else None
        return None if rule is None or rule.is_join else (e, rule)

    def transcription(self, page: Page) -> bool:
        found = self.rule(page)
        if found is None:
            return False
        return notation.operands_of(found[0], notation.known_digits(page), found[1].mode) == (self.x, self.y)

    def arithmetic(self, page: Page) -> bool:
        found = self.rule(page)
        return (
            found is not None
            and int(self.x) > 0 < int(self.y)
            and arithmetic.written(found[1], self.x, self.y) == self.value
        )

    def verdict_follows(self, page: Page) -> bool:
        found = self.rule(page)
        if found is None:
            return False
        target = notation.target_of(found[0], notation.known_digits(page), found[1].mode)
        return notation.fits(self.value, target) == {glyph: str(digit) for glyph, digit in self.pairs}

    def establish(self, page: Page) -> None:
        for glyph, digit in self.pairs:
            page.put("digit", glyph, digit)


@line
class DivisionPin(Line):
    """A product and one operand known: exact division gives the other."""

    KIND = "column/division"
    TEXT = "E{number} {product}/{known}={other} so {pairs: =}"
    ROLES = "number:TV product:TA known:TA other:AV pairs:V"
    number: int
    product: int
    known: int
    other: int
    pairs: tuple[tuple[Glyph, Digit], ...]

    def sides(self, page: Page) -> tuple[str, str, int] | None:
        """The known operand's glyphs, the other's, and the product by the page."""
        e, digits = notation.example(page, self.number), notation.known_digits(page)
        rule = BY_NAME.get(page.get("rule", e.op, "")) if e is not None else None
        if rule is None or rule.group != "mul":
            return None
        return division_sides(e, rule, digits)

    def transcription(self, page: Page) -> bool:
        found, digits = self.sides(page), notation.known_digits(page)
        return found is not None and found[2] == self.product and notation.read(found[0], digits) == str(self.known)

    def arithmetic(self, page: Page) -> bool:
        return self.known * self.other == self.product

    def verdict_follows(self, page: Page) -> bool:
        found = self.sides(page)
        if found is None or len(str(self.other)) != 2:
            return False
        target = notation.read(found[1], notation.known_digits(page))
        return notation.fits(str(self.other), target) == {glyph: str(digit) for glyph, digit in self.pairs}

    def establish(self, page: Page) -> None:
        for glyph, digit in self.pairs:
            page.put("digit", glyph, digit)


def division_sides(e: Equation, rule: Rule, digits: dict[str, int]) -> tuple[str, str, int] | None:
    """Known operand, open operand and product (without its neighbour's one), None when they are not so."""
    left, right, out = notation.reading(e, rule.mode)
    value = notation.read(out, digits)
    known, other = (left, right) if notation.read(left, digits).isdigit() else (right, left)
    if not value.isdigit() or not notation.read(known, digits).isdigit() or notation.read(other, digits).isdigit():
        return None
    return known, other, int(value) - arithmetic.OFFSETS[arithmetic.offset_word(rule)]


@line
class BranchOn(Line):
    """The glyph of the one branch and the digits it may have."""

    KIND = "column/branch"
    TEXT = "branch {glyph} in {digits}"
    ROLES = "glyph:- digits:T"
    glyph: Glyph
    digits: Digits

    def transcription(self, page: Page) -> bool:
        known = notation.known_digits(page)
        free = "".join(str(d) for d in range(10) if d not in known.values())
        return self.glyph in page.parsed.digit_glyphs() and self.glyph not in known and self.digits == free

    def establish(self, page: Page) -> None:
        page.put("branch", "", (self.glyph, self.digits))


@line
class BranchEnd(Line):
    """A digit of the branch: the example in which it clashes, or that it stands."""

    KIND = "column/branch-end"
    TEXT = "{glyph}={digit} {place} {verdict}"
    OUTCOMES = {"breaks": FAILED, "stands": PASSED}
    FORCED_BY = "the named place, where values are only summed up to break"
    ROLES = "glyph:TB digit:T/V/B~ place:-"
    glyph: Glyph
    digit: Digit
    place: Annotated[str, Chars("E0-9a-z")]
    verdict: str

    def transcription(self, page: Page) -> bool:
        """A digit of the branch that has not ended yet."""
        glyph, digits = page.get("branch", "", ("", ""))
        place = letters.is_thing(page, self.place) or self.place in ("digits", "all")
        return self.glyph == glyph and str(self.digit) in digits and place

    def verdict_follows(self, page: Page) -> bool:
        """Only the last digit of the branch can stand."""
        last = page.get("branch", "", ("", ""))[1] == str(self.digit)
        return (self.verdict == "stands") == (self.place == "all" and last)

    def is_true(self, page: Page) -> bool | None:
        digit = page.truth.digits.get(self.glyph) if page.judges else None
        return None if digit is None else (self.digit == digit) == (self.verdict == "stands")

    def establish(self, page: Page) -> None:
        glyph, digits = page.get("branch", "", ("", ""))
        page.put("branch", "", (glyph, digits.replace(str(self.digit), "")))
        if self.verdict == "stands":
            page.put("digit", self.glyph, self.digit)


COLUMN_KINDS = (LeadPin, ProductPin, DivisionPin, BranchOn, BranchEnd)
