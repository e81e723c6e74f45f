"""Lines of the witnessed chain that settle digits, each with the numbers that it rests on."""

from typing import Annotated

from puzzles.equations.prompt import Equation
from puzzles.equations.rules import BY_NAME
from reasoning.designs.cryptarithm.lines import arithmetic, notation
from reasoning.designs.cryptarithm.lines.chain_lines import ChainLine
from reasoning.designs.cryptarithm.lines.letters import (
    Letter,
    Target,
    ValueRule,
    candidates,
    glyph_of,
    hidden_digit,
    letters_of,
    operators_of,
    pinned,
    put_digit,
    struck,
    target_in_letters,
)
from reasoning.grammar.lines import PASSED, SEEN, Chars, Digit, Digits, line
from reasoning.grammar.page import Page

PINNED = {"pin": PASSED, "open": SEEN}


@line
class Copy(ChainLine):
    """Operands and rule known: the value's digits go to the output's letters."""

    KIND = "witness/copy"
    TEXT = "s{step} E{number} {rule} {x},{y} gives {value} so {pairs: =}"
    ROLES = "step:T number:T rule:TA x:TA y:TA value:TA pairs:T line:~"
    step: int
    number: int
    rule: ValueRule
    x: notation.Pair
    y: notation.Pair
    value: notation.Value
    pairs: tuple[tuple[Letter, Digit], ...]

    def agrees(self, page: Page) -> bool:
        e = notation.example(page, self.number)
        if e is None or self.rule in struck(page, operators_of(page.parsed)[e.op]):
            return False
        known, mode = notation.known_digits(page), BY_NAME[self.rule].mode
        if notation.operands_of(e, known, mode) != (self.x, self.y):
            return False
        found = notation.fits(self.value, target_in_letters(page.parsed, e, known, mode))
        return found is not None and {name: int(d) for name, d in found.items()} == dict(self.pairs)

    def arithmetic(self, page: Page) -> bool:
        return int(self.x) > 0 < int(self.y) and self.value == arithmetic.written(BY_NAME[self.rule], self.x, self.y)

    def settle(self, page: Page) -> None:
        for letter, value in self.pairs:
            put_digit(page, letter, value)


class _Candidates(ChainLine):
    """Shared by the tests of a letter's candidates: those that hit are left; when none does, those not tested."""

    def whole(self, page: Page) -> bool:
        """Candidates that narrow a letter are all that a line has left it."""
        allowed, said = candidates(page, self.letter)
        return self.hits == "-" or not said or set(self.candidates) == set(allowed)

    def is_bare(self, page: Page) -> bool:
        """Do they narrow a letter to some of the candidates of which no line has spoken?"""
        allowed, said = candidates(page, self.letter)
        return self.hits != "-" and not said and not set(self.candidates) >= set(allowed)

    def is_true(self, page: Page) -> bool | None:
        digit = hidden_digit(page, self.letter)
        return str(digit) in self.candidates if digit is not None and self.is_bare(page) else None

    def settle(self, page: Page) -> None:
        allowed = page.get("among", self.letter, "0123456789")
        untested = "".join(c for c in allowed if c not in self.candidates)
        page.put("among", self.letter, untested if self.hits == "-" else self.hits)
        if self.verdict == "pin" and self.hits.isdigit():
            put_digit(page, self.letter, int(self.hits[0]))


@line
class PinEach(_Candidates):
    """Candidates of a letter, each put into one example under its rule: value and wanted output; those that agree."""

    KIND = "witness/each"
    TEXT = "s{step} {letter} in {candidates} E{number} {rule} {work:,:} hits {hits} {verdict}"
    OUTCOMES = PINNED
    FORCED_BY = "the number of candidates that hit: one pins"
    ROLES = "step:T letter:TAb candidates:ATVb number:TA rule:AT~ work:T/A/V hits:V/b line:~"
    step: int
    letter: Letter
    candidates: Digits
    number: int
    rule: ValueRule
    work: tuple[tuple[notation.Value, Target], ...]
    hits: Annotated[str, Chars("0-9\\-")]
    verdict: str

    def agrees(self, page: Page) -> bool:
        e, glyph = notation.example(page, self.number), glyph_of(page, self.letter)
        if e is None or glyph is None or len(self.candidates) != len(self.work):
            return False
        known = notation.known_digits(page)
        allowed = page.get("among", self.letter, "0123456789")
        if glyph in known or any(int(c) in known.values() or c not in allowed for c in self.candidates):
            return False
        if not self.whole(page):
            return False
        mode = BY_NAME[self.rule].mode
        return all(
            target_in_letters(page.parsed, e, {**known, glyph: int(c)}, mode) == target
            and notation.operands_of(e, {**known, glyph: int(c)}, mode) is not None
            for c, (_, target) in zip(self.candidates, self.work, strict=True)
        )

    def arithmetic(self, page: Page) -> bool:
        e, glyph = notation.example(page, self.number), glyph_of(page, self.letter)
        if e is None or glyph is None or len(self.candidates) != len(self.work):
            return False
        rule, known = BY_NAME[self.rule], notation.known_digits(page)
        values = []
        for c in self.candidates:
            operands = notation.operands_of(e, {**known, glyph: int(c)}, rule.mode)
            if operands is None or not int(operands[0]) or not int(operands[1]):
                return False
            values.append(arithmetic.written(rule, *operands))
        return values == [value for value, _ in self.work]

    def verdict_follows(self, page: Page) -> bool:
        free = notation.left_over(page)[1]
        hits = "".join(
            c
            for c, (value, target) in zip(self.candidates, self.work, strict=False)
            if notation.fits(value, target, free.replace(c, "")) is not None
        )
        return self.hits == (hits or "-") and self.verdict == ("pin" if len(hits) == 1 else "open")


@line
class PinOnes(_Candidates):
    """Candidates of a units letter against the two other units of a sum or product: the result's units for each."""

    KIND = "witness/units"
    TEXT = "s{step} {letter} in {candidates} E{number} {rule} ones {work:,} wants {target} hits {hits} {verdict}"
    OUTCOMES = PINNED
    FORCED_BY = "the number of candidates that hit: one pins"
    ROLES = "step:T letter:T/A/V/b candidates:ATVb number:AT rule:AT work:AV target:TV hits:V line:~"
    step: int
    letter: Letter
    candidates: Digits
    number: int
    rule: ValueRule
    work: tuple[Annotated[str, Chars("0-9+*\\-=")], ...]
    target: Annotated[str, Chars("0-9A-V", 1)]
    hits: Annotated[str, Chars("0-9\\-")]
    verdict: str

    def agrees(self, page: Page) -> bool:
        e, glyph = notation.example(page, self.number), glyph_of(page, self.letter)
        if e is None or glyph is None or BY_NAME[self.rule].group not in ("add", "mul"):
            return False
        known, names = notation.known_digits(page), letters_of(page.parsed)
        allowed = page.get("among", self.letter, "0123456789")
        if glyph in known or any(int(c) in known.values() or c not in allowed for c in self.candidates):
            return False
        if not self.whole(page):
            return False
        out = notation.reading(e, BY_NAME[self.rule].mode)[2][-1]
        return self.target == (str(known[out]) if out in known else names[out])

    def arithmetic(self, page: Page) -> bool:
        e, glyph = notation.example(page, self.number), glyph_of(page, self.letter)
        if e is None or glyph is None:
            return False
        return list(self.work) == units_of(self.rule, e, glyph, self.candidates, notation.known_digits(page))

    def verdict_follows(self, page: Page) -> bool:
        hits = ""
        for c, each in zip(self.candidates, self.work, strict=False):
            if each[-1:] == (c if self.target == self.letter else self.target):
                hits += c
        return self.hits == (hits or "-") and self.verdict == ("pin" if len(hits) == 1 else "open")


def units_of(rule: str, e: Equation, glyph: str, candidates: str, known: dict[str, int]) -> list[str]:
    """For every candidate of a units glyph the units of a sum or product, [] when another unit is unknown."""
    base = BY_NAME[rule].base
    if BY_NAME[rule].group not in ("add", "mul"):
        return []
    sign, k = "+" if base.startswith("add") else "*", base[3:]
    left, right, _ = notation.reading(e, BY_NAME[rule].mode)
    work = []
    for c in candidates:
        p, q = (int(c) if g == glyph else known.get(g) for g in (left[1], right[1]))
        if p is None or q is None:
            return []
        value = (p + q if sign == "+" else p * q) + arithmetic.OFFSETS[k or "same"]
        work.append(f"{p}{sign}{q}{k}={value % 10}")
    return work


@line
class Among(ChainLine):
    """The digits a letter may still have, by all examples together: said, so that later lines can be held to it."""

    KIND = "witness/among"
    TEXT = "s{step} {letter} among {digits}"
    ROLES = "step:T letter:T/B~ digits:T/B~ line:-"
    step: int
    letter: Letter
    digits: Digits

    def agrees(self, page: Page) -> bool:
        allowed = page.get("among", self.letter, "0123456789")
        free = glyph_of(page, self.letter) is not None and pinned(page, self.letter) is None
        return free and list(self.digits) == sorted(set(self.digits) & set(allowed))

    def is_true(self, page: Page) -> bool | None:
        digit = hidden_digit(page, self.letter)
        return None if digit is None else str(digit) in self.digits

    def settle(self, page: Page) -> None:
        page.put("among", self.letter, self.digits)


@line
class PinLast(_Candidates):
    """The digits that no letter holds, against a letter's candidates."""

    KIND = "witness/left"
    TEXT = "s{step} {letter} in {candidates} taken {taken} left {hits} {verdict}"
    OUTCOMES = PINNED
    FORCED_BY = "the number of candidates that are not taken: one pins"
    ROLES = "step:T letter:Tb~ candidates:TAb taken:TA hits:A line:~"
    step: int
    letter: Letter
    candidates: Digits
    taken: Digits
    hits: Annotated[str, Chars("0-9\\-")]
    verdict: str

    def agrees(self, page: Page) -> bool:
        known = notation.known_digits(page)
        allowed = page.get("among", self.letter, "0123456789")
        return (
            pinned(page, self.letter) is None
            and glyph_of(page, self.letter) is not None
            and self.candidates == allowed
            and self.taken == "".join(sorted(str(d) for d in known.values()))
        )

    def arithmetic(self, page: Page) -> bool:
        return self.hits == ("".join(c for c in self.candidates if c not in self.taken) or "-")

    def verdict_follows(self, page: Page) -> bool:
        return self.verdict == ("pin" if len(self.hits.strip("-")) == 1 else "open")


PIN_KINDS = (Copy, PinEach, PinOnes, PinLast)
