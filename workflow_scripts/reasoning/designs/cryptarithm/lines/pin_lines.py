"""Lines of the witnessed chain that narrow and settle digits, each with the numbers that it rests on."""

from typing import Annotated, Literal

from puzzles.equations.prompt import Equation
from puzzles.equations.rules import BY_NAME, VALUE_RULES, Rule
from reasoning.designs.cryptarithm.engines.propagation import clues
from reasoning.designs.cryptarithm.lines import arithmetic, notation
from reasoning.designs.cryptarithm.lines.chain_lines import ChainLine
from reasoning.designs.cryptarithm.lines.column_lines import COLUMNS, column, column_sum, offset_of, triple
from reasoning.designs.cryptarithm.lines.drop_units import (
    Work,
    ones_hits,
    operands_in,
    right_form,
    units_sign,
    units_text,
)
from reasoning.designs.cryptarithm.lines.drop_values import LetterSets, Reading, WithReadings
from reasoning.designs.cryptarithm.lines.letters import (
    ALL,
    Letter,
    Operator,
    Target,
    ValueRule,
    glyph_of,
    gone,
    letters_of,
    live_modes,
    operator_glyph,
    operators_of,
    pinned,
    put_digit,
    said,
    settles,
    target_in_letters,
)
from reasoning.grammar.lines import Chars, Digit, Digits, line
from reasoning.grammar.page import Page

Pairs = tuple[tuple[Letter, Digit], ...]


def settled(page: Page, e: Equation | None, rule: str) -> bool:
    """Is this the one rule that the page leaves the example's operator?"""
    return e is not None and settles(page, operators_of(page.parsed)[e.op], rule)


class PinLine(ChainLine):
    """Shared by the lines that settle letters; has `pairs`."""

    def open(self, page: Page) -> bool:
        """Are the letters of this row, and without a digit so far?"""
        return all(glyph_of(page, letter) is not None and pinned(page, letter) is None for letter, _ in self.pairs)

    def settle(self, page: Page) -> None:
        for letter, value in self.pairs:
            put_digit(page, letter, value)


class OnePin(PinLine):
    """Shared by the lines that settle one letter; has `letter` and `digit`."""

    @property
    def pairs(self) -> Pairs:
        return ((self.letter, self.digit),)


def solved(value: str, target: str) -> Pairs:
    """The digits that a value gives to the letters of a target."""
    return tuple((letter, int(digit)) for letter, digit in (notation.fits(value, target) or {}).items())


@line
class Copy(PinLine):
    """Operands and rule known: the value's digits go to the output's letters."""

    KIND = "pin/copy"
    TEXT = "s{step} E{number} {rule} {x},{y} gives {value} is {target} so {pairs: =}"
    ROLES = "step:T number:T rule:T/A x:TA y:TA value:AV target:TV pairs:VT line:~"
    step: int
    number: int
    rule: ValueRule
    x: notation.Pair
    y: notation.Pair
    value: notation.Value
    target: Target
    pairs: Pairs

    def agrees(self, page: Page) -> bool:
        e, known, mode = notation.example(page, self.number), notation.known_digits(page), BY_NAME[self.rule].mode
        if not settled(page, e, self.rule) or not self.open(page):
            return False
        wanted = target_in_letters(page.parsed, e, known, mode)
        return notation.operands_of(e, known, mode) == (self.x, self.y) and self.target == wanted

    def arithmetic(self, page: Page) -> bool:
        return int(self.x) > 0 < int(self.y) and self.value == arithmetic.written(BY_NAME[self.rule], self.x, self.y)

    def verdict_follows(self, page: Page) -> bool:
        return self.pairs == solved(self.value, self.target)


def inverse(rule: Rule, value: str, side: str, known: str) -> list[str]:
    """The operands of 10 to 99 that give a value together with the known one on its side."""
    pairs = (((known, str(other)) if side == "left" else (str(other), known)) for other in range(10, 100))
    return [pair[side == "left"] for pair in pairs if int(known) and arithmetic.written(rule, *pair) == value]


@line
class Inverse(PinLine):
    """Output and one operand known: the only operand with which the rule gives that output."""

    KIND = "pin/inverse"
    TEXT = "s{step} E{number} {rule} {value} with {side} {known} wants {other} is {target} so {pairs: =}"
    ROLES = "step:T number:T rule:T/A value:TA side:T/A known:TA other:AV target:TV pairs:VT line:~"
    step: int
    number: int
    rule: ValueRule
    value: notation.Value
    side: Literal["left", "right"]
    known: notation.Pair
    other: notation.Pair
    target: Target
    pairs: Pairs

    def agrees(self, page: Page) -> bool:
        e, known, mode = notation.example(page, self.number), notation.known_digits(page), BY_NAME[self.rule].mode
        if not settled(page, e, self.rule) or not self.open(page):
            return False
        left, right, _ = notation.reading(e, mode)
        mine, other = (left, right) if self.side == "left" else (right, left)
        names = letters_of(page.parsed)
        wanted = "".join(names.get(c, c) for c in notation.read(other, known))
        same = notation.read(mine, known) == self.known and self.target == wanted
        return same and notation.target_of(e, known, mode) == self.value

    def arithmetic(self, page: Page) -> bool:
        return inverse(BY_NAME[self.rule], self.value, self.side, self.known) == [self.other]

    def verdict_follows(self, page: Page) -> bool:
        return self.pairs == solved(self.other, self.target)


def orientation(e: Equation, rule: Rule) -> str:
    """sum, or which operand of a difference is the larger, told by the side of the minus; "" where it is not told."""
    if rule.group == "add":
        return "sum"
    sign = units_sign(rule, e) if rule.group == "sub" else ""
    return {"-": "left", "r": "right"}.get(sign, "")


def column_solutions(e: Equation, rule: Rule, name: str, glyph: str, digits: str, known: dict[str, int]) -> list[int]:
    """The digits of a set with which a column of a sum or difference ends as it must; [] when more is unknown."""
    larger = orientation(e, rule)
    parts = triple(e, rule, larger) if larger else None
    found = []
    for digit in map(int, digits if parts is not None else ""):
        made = column_sum(parts, name, offset_of(rule), {**known, glyph: digit})
        third = column(parts, name)[2]
        if made is not None and third and {**known, glyph: digit}.get(third) == made[1] % 10:
            found.append(digit)
    return found


@line
class ColumnLetter(OnePin):
    """Carry and two of the three digits of a column known: the only digit that is left for the third."""

    KIND = "pin/column"
    TEXT = "s{step} E{number} {rule} {column} {work} so {letter}={digit}"
    ROLES = "step:T number:T/A/V~ rule:T/A/V column:A/T/V work:A letter:T/A/V digit:A/V line:~"
    step: int
    number: int
    rule: ValueRule
    column: Literal[COLUMNS]
    work: Annotated[str, Chars("0-9+=\\-")]
    letter: Letter
    digit: Digit

    def place(self, page: Page) -> tuple[Equation, str] | None:
        e, glyph = notation.example(page, self.number), glyph_of(page, self.letter)
        larger = orientation(e, BY_NAME[self.rule]) if e is not None else ""
        return (e, glyph) if larger and glyph is not None else None

    def agrees(self, page: Page) -> bool:
        found = self.place(page)
        if found is None or not settled(page, found[0], self.rule) or not self.open(page):
            return False
        rule = BY_NAME[self.rule]
        return found[1] in column(triple(found[0], rule, orientation(found[0], rule)), self.column)

    def arithmetic(self, page: Page) -> bool:
        found, rule = self.place(page), BY_NAME[self.rule]
        if found is None:
            return False
        known = {**notation.known_digits(page), found[1]: self.digit}
        made = column_sum(triple(found[0], rule, orientation(found[0], rule)), self.column, offset_of(rule), known)
        return made is not None and made[0] == self.work

    def verdict_follows(self, page: Page) -> bool:
        found, known = self.place(page), notation.known_digits(page)
        if found is None:
            return False
        digits = said(page, found[1])
        return column_solutions(found[0], BY_NAME[self.rule], self.column, found[1], digits, known) == [self.digit]


@line
class Lead(OnePin):
    """A sum of two numbers of two digits that has three opens with 1."""

    KIND = "pin/lead"
    TEXT = "s{step} E{number} {op} sum of three digits so {letter}={digit}"
    ROLES = "step:T number:T~ op:T letter:T digit:A line:~"
    step: int
    number: int
    op: Operator
    letter: Letter
    digit: Digit

    def agrees(self, page: Page) -> bool:
        """The operator has only sums left, and the letter leads the output in every order that is left."""
        e, op = notation.example(page, self.number), operator_glyph(page, self.op)
        if e is None or e.op != op or not self.open(page):
            return False
        left = [rule for rule in VALUE_RULES if rule.name not in gone(page, self.op)]
        outs = [notation.reading(e, rule.mode)[2] for rule in left]
        glyph = glyph_of(page, self.letter)
        return bool(left) and all(
            rule.group == "add" and len(out) == 3 and out[0] == glyph for rule, out in zip(left, outs, strict=True)
        )

    def arithmetic(self, page: Page) -> bool:
        return self.digit == 1


@line
class Units(OnePin):
    """The digits that are written of a units letter, each with the units of the result: the only one that agrees.

    The other units are known; or both operands' are, and the letter is the output's.
    """

    KIND = "pin/units"
    TEXT = "s{step} E{number} {rule} ones {first} {second}: {work:,} in {target} so {letter}={digit}"
    ROLES = "step:T number:T/A/V rule:T/A/V first:TA second:TA work:AV target:TV letter:T/V digit:V line:~"
    step: int
    number: int
    rule: ValueRule
    first: Digits
    second: Digits
    work: tuple[Work, ...]
    target: Digits
    letter: Letter
    digit: Digit

    def agrees(self, page: Page) -> bool:
        e = notation.example(page, self.number)
        if not settled(page, e, self.rule) or not self.open(page):
            return False
        left, right, out = notation.reading(e, BY_NAME[self.rule].mode)
        sets = tuple(said(page, glyph) for glyph in (left[1], right[1], out[-1]))
        known = notation.known_digits(page)
        unknown = {glyph for glyph in (left[1], right[1], out[-1]) if glyph not in known}
        return sets == (self.first, self.second, self.target) and unknown == {glyph_of(page, self.letter)}

    def arithmetic(self, page: Page) -> bool:
        e = notation.example(page, self.number)
        sign = units_sign(BY_NAME[self.rule], e) if e is not None else ""
        if not sign:
            return False
        left, right, _ = notation.reading(e, BY_NAME[self.rule].mode)
        pairs = [(p, q) for p in self.first for q in self.second if (p == q) == (left[1] == right[1])]
        return list(self.work) == [units_text(BY_NAME[self.rule], sign, p, q) for p, q in pairs]

    def verdict_follows(self, page: Page) -> bool | None:
        e = notation.example(page, self.number)
        if e is None or not right_form(self.work):
            return None
        return units_left(self.rule, self.work, self.target, e, glyph_of(page, self.letter)) == {str(self.digit)}


def units_left(rule: str, work: tuple[str, ...], target: str, e: Equation, glyph: str | None) -> set[str]:
    """The digits that a units letter has in the pairs that agree with the output."""
    left, right, _ = notation.reading(e, BY_NAME[rule].mode)
    sign = units_sign(BY_NAME[rule], e)
    place = 0 if left[1] == glyph else 1 if right[1] == glyph else 2
    return {(*operands_in(each, sign), each[-1])[place] for each in ones_hits(rule, work, target, e)}


@line
class OneReading(WithReadings, PinLine):
    """Every choice of the digits that are written of an example's unknown operand letters: the only one that fits."""

    KIND = "pin/reading"
    TEXT = "s{step} E{number} {rule} with {sets:,=}: {work:;} so {pairs: =}"
    ROLES = "step:T number:T/A/V rule:T/A/V sets:T/V work:A/T/V pairs:VT line:~"
    step: int
    number: int
    rule: ValueRule
    sets: LetterSets
    work: tuple[Reading, ...]
    pairs: Pairs

    def agrees(self, page: Page) -> bool:
        e = notation.example(page, self.number)
        return settled(page, e, self.rule) and self.open(page) and self.same_sets(page, e)

    def arithmetic(self, page: Page) -> bool:
        return self.right_values(page)

    def verdict_follows(self, page: Page) -> bool | None:
        found, ways = self.fits(page), len(self.sets) and self.by_glyph(page)
        if found is None:
            return None
        if len(found) != 1 or not ways:
            return False
        operands = self.work[found[0]].partition(":")[0].replace("/", "")
        e = notation.example(page, self.number)
        if e is None:
            return None
        left, right, _ = notation.reading(e, BY_NAME[self.rule].mode)
        digits = dict(zip(left + right, operands, strict=False))
        return self.pairs == tuple(
            (letter, int(digits.get(glyph, -1))) for (letter, _), (glyph, _) in zip(self.sets, ways, strict=True)
        )


@line
class Last(OnePin):
    """All but one of the digits that are written of a letter are held by others."""

    KIND = "pin/last"
    TEXT = "s{step} {letter} in {candidates} taken {taken:|none} so {letter_again}={digit}"
    ROLES = "step:T letter:T candidates:TV taken:TV letter_again:T digit:V line:~"
    step: int
    letter: Letter
    candidates: Digits
    taken: tuple[Digit, ...]
    letter_again: Letter
    digit: Digit

    def agrees(self, page: Page) -> bool:
        known = notation.known_digits(page)
        whole = self.candidates == page.get("among", self.letter, ALL)
        same = self.taken == tuple(sorted(known.values()))
        return self.open(page) and whole and same and self.letter == self.letter_again

    def verdict_follows(self, page: Page) -> bool:
        return [int(c) for c in self.candidates if int(c) not in self.taken] == [self.digit]


@line
class Place(OnePin):
    """All ten digits are on the page, and only one open letter may have this one by what is written."""

    KIND = "pin/place"
    TEXT = "s{step} ten letters, {sets:,=} so {letter}={digit}"
    ROLES = "step:T sets:TV letter:V/T digit:V line:~"
    step: int
    sets: LetterSets
    letter: Letter
    digit: Digit

    def agrees(self, page: Page) -> bool:
        names, known = letters_of(page.parsed), notation.known_digits(page)
        sets = tuple((name, said(page, glyph)) for glyph, name in names.items() if glyph not in known)
        return len(names) == 10 and self.open(page) and self.sets == sets

    def verdict_follows(self, page: Page) -> bool:
        free = str(self.digit) in notation.left_over(page)[1]
        return free and [letter for letter, digits in self.sets if str(self.digit) in digits] == [self.letter]


PIN_KINDS = (Copy, Inverse, ColumnLetter, Lead, Units, OneReading, Last, Place)


# --- digits that are ruled out ------------------------------------------------------------------------------------


@line
class NoZero(ChainLine):
    """No number of two digits or more opens with 0: the letters that lead one in every order that is left."""

    KIND = "narrow/no-zero"
    TEXT = "s{step} no zero for {letters:}"
    ROLES = "step:T letters:T line:~"
    step: int
    letters: tuple[Letter, ...]

    def agrees(self, page: Page) -> bool:
        names = letters_of(page.parsed)
        leading = leading_glyphs(page.parsed, live_modes(page))
        wanted = [names[glyph] for glyph in leading if "0" in page.get("among", names[glyph], ALL)]
        known = notation.known_digits(page)
        return list(self.letters) == [name for name in wanted if glyph_of(page, name) not in known]

    def settle(self, page: Page) -> None:
        for letter in self.letters:
            page.put("among", letter, page.get("among", letter, ALL).replace("0", ""))


def leading_glyphs(row, modes) -> list[str]:
    """The glyphs that lead a number of an arithmetic example or of the query in all of these orders, as they come."""
    found: list[set[str]] = []
    equations = [row.examples[clue.number - 1] for clue in clues(row)]
    for mode in modes:
        leads = set()
        for e in equations:
            left, right, out = notation.reading(e, mode)
            leads |= {left[0], right[0], *(out[:1] if len(out) > 1 else "")}
        turn = -1 if mode == "flip" else 1
        leads |= {row.query.left[::turn][0], row.query.right[::turn][0]}
        found.append(leads)
    common = set.intersection(*found) if found else set()
    return [glyph for glyph in row.digit_glyphs() if glyph in common]


@line
class ExampleLeaves(ChainLine):
    """The digits that one example leaves some of its letters, under the rules and digits that are written.

    The narrowing that the study's engine kept to itself, said: an enumeration whose steps are not on the line.
    """

    KIND = "narrow/example"
    TEXT = "s{step} E{number} leaves {sets: =}"
    ROLES = "step:T number:T/A sets:A/T line:~"
    step: int
    number: int
    sets: LetterSets

    def agrees(self, page: Page) -> bool:
        e, known = notation.example(page, self.number), notation.known_digits(page)
        glyphs = [glyph_of(page, letter) for letter, _ in self.sets]
        shown = set(e.left + e.right + e.output) if e is not None else set()
        distinct = len(set(glyphs)) == len(glyphs)
        return distinct and all(glyph in shown and glyph not in known for glyph in glyphs)

    def arithmetic(self, page: Page) -> bool:
        clue = next((clue for clue in clues(page.parsed) if clue.number == self.number), None)
        if clue is None:
            return False
        dropped = gone(page, operators_of(page.parsed)[clue.op])
        rules = sum(1 << i for i, rule in enumerate(VALUE_RULES) if rule.name not in dropped)
        live = [rules, *(sum(1 << int(c) for c in said(page, glyph)) for glyph in clue.glyphs)]
        names = letters_of(page.parsed)
        support = dict(
            zip((names[glyph] for glyph in clue.glyphs), clue.table.rows.within(live).support[1:], strict=True)
        )
        return all(
            digits == "".join(str(d) for d in range(10) if support.get(letter, 0) >> d & 1)
            for letter, digits in self.sets
        )

    def settle(self, page: Page) -> None:
        for letter, digits in self.sets:
            page.put("among", letter, digits)


NARROW_KINDS = (NoZero, ExampleLeaves)
