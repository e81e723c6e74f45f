"""Facts about one example under its rule, and the lines that draw on one of them or on two.

A fact is a column of a sum or difference with its carry, the units of a product, its size by leading digits, the whole
equation modulo 9 or 11 (casting out), or the equation itself. It is written with the digits that are known in their
places, `c` for a carry that is not. What it leaves its glyphs follows by trying the digits that are written of them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import Annotated, Literal, NamedTuple

from puzzles.equations.prompt import Equation, minus_and_digits
from puzzles.equations.rules import BY_NAME, Rule
from reasoning.designs.cryptarithm.lines import arithmetic, notation
from reasoning.designs.cryptarithm.lines.column_lines import COLUMNS, column, offset_of, triple
from reasoning.designs.cryptarithm.lines.drop_sizes import family_span, operand_span, output_span
from reasoning.designs.cryptarithm.lines.pin_lines import leading_glyphs, orientation
from reasoning.grammar.lines import Chars, Digit, Digits, Glyph, Line, line
from reasoning.grammar.page import Page

ALL = "0123456789"
SIDES = {"sum": "", "left": ">", "right": "<"}
"""Which operand of a difference is the larger, behind the name of a fact."""
NAMES = (*COLUMNS, "nines", "elevens", "size", "whole")
FactName = Literal[tuple(name + side for name in NAMES for side in SIDES.values())]
MOST_TRIED = {"nines": 100, "elevens": 100, "whole": 100}
MOST_COLUMN, MOST_TOGETHER = 3000, 100


class Fact(NamedTuple):
    """name: with its side; glyphs: those it speaks of; text: with known digits in place; holds: of digits of all.

    follow: glyphs whose digits the others' make, `made` then gives them (None: it cannot hold); none in most facts.
    """

    number: int
    name: str
    glyphs: tuple[str, ...]
    text: str
    holds: Callable[[Mapping[str, int]], bool]
    follow: tuple[str, ...] = ()
    made: Callable[[Mapping[str, int]], Mapping[str, str] | None] = lambda digits: {}

    def most(self) -> int:
        """How many choices of digits may be tried."""
        return MOST_TRIED.get(self.name.rstrip("<>"), MOST_COLUMN)


def may_be(page: Page, glyph: str) -> str:
    """The digits that a glyph may have by what is written."""
    return free_of(glyph, notation.known_digits(page), page.names("may"))


def free_of(glyph: str, known: Mapping[str, int], may: Mapping[str, str]) -> str:
    if glyph in known:
        return str(known[glyph])
    taken = {str(digit) for digit in known.values()}
    return "".join(c for c in may.get(glyph, ALL) if c not in taken)


def facts_of(e: Equation, number: int, rule: Rule, larger: str, known: Mapping[str, int]) -> Iterator[Fact]:
    """Every fact of an example; larger: sum for sums and products, else which operand of a difference is the larger."""
    if (rule.group == "sub") != (larger != "sum") or orientation(e, rule) not in ("", larger):
        return
    known = dict(known)
    parts = triple(e, rule, larger)
    if parts is not None:
        if len(parts[2]) > len(COLUMNS):  # no sum of two-digit numbers is so long
            return
        for place in range(len(parts[2])):
            yield column_fact(number, parts, place, offset_of(rule), SIDES[larger], known)
        yield from modular(number, parts, "+", offset_of(rule), SIDES[larger], known)
    elif rule.group == "mul":
        parts, k = notation.reading(e, rule.mode), arithmetic.OFFSETS[arithmetic.offset_word(rule)]
        p, q, r = parts[0][1], parts[1][1], parts[2][-1]
        text = f"{shown(p, known)}*{shown(q, known)}{signed_offset(k)}={shown(r, known)}"
        yield Fact(number, "units", tuple(dict.fromkeys((p, q, r))), text, lambda d: (d[p] * d[q] + k - d[r]) % 10 == 0)
        yield size_fact(number, parts, k, known)
        yield from modular(number, parts, "*", k, "", known)
    if rule.base != "mod" and (parts is not None):
        yield whole_fact(e, number, rule, known)


def shown(text: str, known: Mapping[str, int]) -> str:
    return notation.read(text, dict(known))


def signed_offset(k: int) -> str:
    return f"{k:+d}" if k else ""


def column_fact(number: int, parts: tuple[str, str, str], place: int, offset: int, side: str, known: dict) -> Fact:
    """One column; the carry into it is known when all digits below are, that out of the last but one tells the top."""
    name = COLUMNS[place]
    p, q, r = column(parts, name)
    carry, known_carry = offset, True
    for lower in COLUMNS[:place]:
        a, b, _ = column(parts, lower)
        known_carry = known_carry and all(glyph in known for glyph in (a, b) if glyph)
        if known_carry:
            carry = (sum(known[glyph] for glyph in (a, b) if glyph) + carry) // 10
    carries = (carry,) if known_carry else (0, 1) if offset >= 0 else (-1, 0, 1)
    digits = len(parts[2])

    def holds(d: Mapping[str, int]) -> bool:
        for c in carries:
            total = sum(d[glyph] for glyph in (p, q) if glyph) + c
            out = None if place == 0 and digits > 1 else int(place == 1 and digits == 3)  # the carry that must go out
            if total % 10 == d[r] and out in (None, total // 10):
                return True
        return False

    terms = "+".join(shown(glyph, known) for glyph in (p, q) if glyph) or "0"
    carried = signed_offset(carry) if known_carry else "+c"
    text = f"{terms}{carried}={shown(r, known)}"
    return Fact(number, name + side, tuple(dict.fromkeys(glyph for glyph in (p, q, r) if glyph)), text, holds)


def number_in(part: str, digits: Mapping[str, int]) -> int:
    return int("".join(str(digits[glyph]) for glyph in part))


def modular(number: int, parts, sign: str, k: int, side: str, known: dict) -> Iterator[Fact]:
    """The equation modulo 9 and modulo 11."""
    glyphs = tuple(dict.fromkeys("".join(parts)))
    x, y, r = (shown(part, known) for part in parts)
    text = f"{x}{sign}{y}{signed_offset(k)}={r}"

    def holds(modulus: int) -> Callable[[Mapping[str, int]], bool]:
        def same(d: Mapping[str, int]) -> bool:
            a, b, out = (number_in(part, d) for part in parts)
            return ((a + b if sign == "+" else a * b) + k - out) % modulus == 0

        return same

    yield Fact(number, "nines" + side, glyphs, text, holds(9))
    yield Fact(number, "elevens" + side, glyphs, text, holds(11))


def size_fact(number: int, parts: tuple[str, str, str], k: int, known: dict) -> Fact:
    """The size of a product by the tens of its operands and the digit that leads it."""
    left, right, out = parts
    glyphs = tuple(dict.fromkeys((left[0], right[0], out[0])))

    def holds(d: Mapping[str, int]) -> bool:
        digits = {**known, **d}
        low, high = family_span("mul", operand_span(left, digits), operand_span(right, digits))
        least, most = output_span(out, digits)
        return low + 1 + k <= most and least <= high - 1 + k

    text = f"{shown(left, known)}*{shown(right, known)}{signed_offset(k)}={shown(out, known)}"
    return Fact(number, "size", glyphs, text, holds)


def whole_fact(e: Equation, number: int, rule: Rule, known: dict) -> Fact:
    """The equation itself."""
    operands = tuple(dict.fromkeys(e.left + e.right))
    follow = tuple(dict.fromkeys(glyph for glyph in minus_and_digits(e)[1] if glyph not in operands))

    def made(d: Mapping[str, int]) -> Mapping[str, str] | None:
        x, y = notation.operands_of(e, dict(d), rule.mode)
        if not int(x) or not int(y):
            return None
        return notation.fits(arithmetic.written(rule, x, y), notation.target_of(e, dict(d), rule.mode))

    left, right, _ = notation.reading(e, rule.mode)
    text = f"{shown(left, known)},{shown(right, known)}={notation.target_of(e, known, rule.mode)}"
    return Fact(number, "whole", (*operands, *follow), text, lambda d: made(d) is not None, follow, made)


def left_by(
    facts: Sequence[Fact], most: int, known: Mapping[str, int], may: Mapping[str, str]
) -> dict[str, str] | None:
    """What facts together leave their unknown glyphs, no digit twice; None when there is too much to try or nothing."""
    glyphs = tuple(dict.fromkeys(glyph for fact in facts for glyph in fact.glyphs if glyph not in known))
    alone = facts[0] if len(facts) == 1 else None
    tried = [glyph for glyph in glyphs if alone is None or glyph not in alone.follow]
    free = {glyph: free_of(glyph, known, may) for glyph in glyphs}
    size = 1
    for glyph in tried:
        size *= len(free[glyph])
    if not 0 < size <= most or not glyphs:
        return None
    found: dict[str, set[str]] = {glyph: set() for glyph in glyphs}
    for choice in product(*(free[glyph] for glyph in tried)):
        if len(set(choice)) < len(choice):
            continue
        chosen = dict(zip(tried, choice, strict=True))
        digits = {**known, **{glyph: int(c) for glyph, c in chosen.items()}}
        if alone is not None:
            made = alone.made(digits)
            fits = made is not None and all(c in free[glyph] and c not in choice for glyph, c in made.items())
            if not fits or not (alone.follow or alone.holds(digits)):
                continue
            chosen |= made
        elif not all(fact.holds(digits) for fact in facts):
            continue
        for glyph, c in chosen.items():
            found[glyph].add(c)
    if not all(found.values()):
        return None
    return {glyph: "".join(sorted(each)) for glyph, each in found.items()}


# --- lines --------------------------------------------------------------------------------------------------------

Formula = Annotated[str, Chars("!-~")]
GlyphSets = tuple[tuple[Glyph, Digits], ...]


def fact_on(page: Page, number: int, name: str) -> Fact | None:
    """The fact of that name as the page has it."""
    e = notation.example(page, number)
    rule = BY_NAME.get(page.get("rule", e.op, "")) if e is not None else None
    if rule is None or rule.is_join:
        return None
    larger = {"<": "right", ">": "left"}.get(name[-1:], "sum")
    if name == "whole" and rule.group == "sub":
        larger = orientation(e, rule) or "left"
    return next(
        (fact for fact in facts_of(e, number, rule, larger, notation.known_digits(page)) if fact.name == name), None
    )


class Narrowing(Line):
    """Shared by the lines that leave glyphs fewer digits: one digit settles a glyph. Has `sets`."""

    def new(self, page: Page) -> bool:
        known = notation.known_digits(page)
        return len(dict(self.sets)) == len(self.sets) and all(glyph not in known for glyph, _ in self.sets)

    def same(self, found: Mapping[str, str] | None) -> bool:
        return found is not None and all(found.get(glyph) == digits for glyph, digits in self.sets)

    def establish(self, page: Page) -> None:
        for glyph, digits in self.sets:
            page.put("may", glyph, digits)
            if len(digits) == 1:
                page.put("digit", glyph, int(digits))


@line
class OneFact(Narrowing):
    """A fact and what it leaves its glyphs."""

    KIND = "fact/one"
    TEXT = "E{number} {fact} {formula} so {sets: =}"
    ROLES = "number:T/V fact:T/V formula:T sets:VT"
    number: int
    fact: FactName
    formula: Formula
    sets: GlyphSets

    def transcription(self, page: Page) -> bool:
        fact = fact_on(page, self.number, self.fact)
        return fact is not None and fact.text == self.formula and self.new(page)

    def verdict_follows(self, page: Page) -> bool:
        fact = fact_on(page, self.number, self.fact)
        known = notation.known_digits(page)
        return fact is not None and self.same(left_by((fact,), fact.most(), known, page.names("may")))


@line
class TwoFacts(Narrowing):
    """Two facts that share a glyph, and what they leave their glyphs together: at most 100 choices are tried."""

    KIND = "fact/two"
    TEXT = "E{number} {fact} {formula} and E{other} {other_fact} {other_formula} so {sets: =}"
    ROLES = "number:T/V fact:T/V formula:T other:T/V other_fact:T/V other_formula:T sets:VT"
    number: int
    fact: FactName
    formula: Formula
    other: int
    other_fact: FactName
    other_formula: Formula
    sets: GlyphSets

    def facts(self, page: Page) -> list[Fact | None]:
        return [fact_on(page, self.number, self.fact), fact_on(page, self.other, self.other_fact)]

    def transcription(self, page: Page) -> bool:
        facts, known = self.facts(page), notation.known_digits(page)
        if None in facts or [fact.text for fact in facts] != [self.formula, self.other_formula]:
            return False
        shared = set(facts[0].glyphs) & set(facts[1].glyphs) - set(known)
        return bool(shared) and facts[0] != facts[1] and self.new(page)

    def verdict_follows(self, page: Page) -> bool:
        facts = self.facts(page)
        if None in facts:
            return False
        return self.same(left_by(facts, MOST_TOGETHER, notation.known_digits(page), page.names("may")))


@line
class FactorPairs(Narrowing):
    """A known product as two numbers of two digits in every way: what the ways that fit leave its operands' glyphs."""

    KIND = "fact/factors"
    TEXT = "E{number} {value} is {pairs:,*} so {sets: =}"
    ROLES = "number:T/V value:TA pairs:AV sets:VT"
    number: int
    value: int
    pairs: tuple[tuple[notation.Pair, notation.Pair], ...]
    sets: GlyphSets

    def place(self, page: Page) -> tuple[Equation, Rule] | None:
        e = notation.example(page, self.number)
        rule = BY_NAME.get(page.get("rule", e.op, "")) if e is not None else None
        return (e, rule) if rule is not None and rule.group == "mul" else None

    def transcription(self, page: Page) -> bool:
        found = self.place(page)
        return found is not None and product_of(*found, notation.known_digits(page)) == self.value and self.new(page)

    def arithmetic(self, page: Page) -> bool:
        return self.pairs == factor_pairs(self.value)

    def verdict_follows(self, page: Page) -> bool:
        found = self.place(page)
        if found is None:
            return False
        return self.same(factors_leave(*found, self.pairs, notation.known_digits(page), page.names("may")))


def product_of(e: Equation, rule: Rule, known: dict[str, int]) -> int | None:
    """The product, without its neighbour's one, where all digits of the output are known."""
    value = notation.read(notation.reading(e, rule.mode)[2], known)
    return int(value) - arithmetic.OFFSETS[arithmetic.offset_word(rule)] if value.isdigit() else None


def factor_pairs(value: int) -> tuple[tuple[str, str], ...]:
    return tuple((str(x), str(value // x)) for x in range(10, 100) if value % x == 0 and 10 <= value // x < 100)


def factors_leave(
    e: Equation, rule: Rule, pairs: Sequence[tuple[str, str]], known: dict[str, int], may: Mapping[str, str]
) -> dict[str, str] | None:
    """What the pairs that fit the operands leave their unknown glyphs; None when none fits."""
    left, right, _ = notation.reading(e, rule.mode)
    glyphs = tuple(dict.fromkeys(glyph for glyph in left + right if glyph not in known))
    found: dict[str, set[str]] = {glyph: set() for glyph in glyphs}
    for x, y in pairs:
        new = notation.fits(x + y, notation.read(left + right, known))
        if new is not None and all(digit in free_of(glyph, known, may) for glyph, digit in new.items()):
            for glyph, digit in new.items():
                found[glyph].add(digit)
    if not glyphs or not all(found.values()):
        return None
    return {glyph: "".join(sorted(each)) for glyph, each in found.items()}


@line
class LeftOver(Line):
    """All but one of the digits that are written of a glyph are held by others."""

    KIND = "fact/left"
    TEXT = "{glyph} in {digits} others taken so {again}={digit}"
    ROLES = "glyph:T digits:TV again:T digit:V"
    glyph: Glyph
    digits: Digits
    again: Glyph
    digit: Digit

    def transcription(self, page: Page) -> bool:
        open_ = self.glyph in page.parsed.digit_glyphs() and self.glyph not in notation.known_digits(page)
        return open_ and self.digits == page.get("may", self.glyph, ALL) and self.glyph == self.again

    def verdict_follows(self, page: Page) -> bool:
        taken = notation.known_digits(page).values()
        return [int(c) for c in self.digits if int(c) not in taken] == [self.digit]

    def establish(self, page: Page) -> None:
        page.put("digit", self.glyph, self.digit)


@line
class OnlyPlace(Line):
    """All ten digits are on the page, and only one open glyph may have this one by what is written."""

    KIND = "fact/place"
    TEXT = "ten glyphs {sets: =}, so {glyph}={digit}"
    ROLES = "sets:TV glyph:V/T digit:V"
    sets: GlyphSets
    glyph: Glyph
    digit: Digit

    def transcription(self, page: Page) -> bool:
        known = notation.known_digits(page)
        glyphs = dict.fromkeys((*page.parsed.digit_glyphs(), *known))
        open_ = tuple((glyph, may_be(page, glyph)) for glyph in glyphs if glyph not in known)
        return len(glyphs) == 10 and self.sets == open_

    def verdict_follows(self, page: Page) -> bool:
        return [glyph for glyph, digits in self.sets if str(self.digit) in digits] == [self.glyph]

    def establish(self, page: Page) -> None:
        page.put("digit", self.glyph, self.digit)


@line
class NoZeros(Line):
    """The glyphs that open a number of an arithmetic example or of the query cannot be 0."""

    KIND = "fact/no-zero"
    TEXT = "no zero for {glyphs:}"
    ROLES = "glyphs:T"
    glyphs: tuple[Glyph, ...]

    def transcription(self, page: Page) -> bool:
        mode = page.get("order-given", "", "")
        known = notation.known_digits(page)
        leading = leading_glyphs(page.parsed, (mode,)) if mode else ()
        return self.glyphs == tuple(glyph for glyph in leading if glyph not in known)

    def establish(self, page: Page) -> None:
        for glyph in self.glyphs:
            page.put("may", glyph, ALL[1:])


FACT_KINDS = (NoZeros, OneFact, LeftOver, OnlyPlace)
PRODUCT_KINDS = (FactorPairs,)
TOGETHER_KINDS = (TwoFacts,)
