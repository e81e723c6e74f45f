"""The letters of the study's designs, and their tables at the head of a thought.

Digit glyphs are renamed A..J and operators w..z in the order in which the page shows them (examples, then query).
"""

from functools import lru_cache
from typing import Annotated, Literal

from puzzles.equations.prior import SIGN_GROUPS
from puzzles.equations.prompt import Equation, EquationRow, minus_and_digits
from puzzles.equations.rules import VALUE_RULES
from reasoning.designs.cryptarithm.engines.propagation import clues
from reasoning.designs.cryptarithm.lines import notation
from reasoning.grammar.lines import SEEN, Chars, Digit, Glyph, Line, Word, line
from reasoning.grammar.page import Page

LETTERS = "ABCDEFGHIJKLMNOPQRSTUV"
ALL = "0123456789"
OPERATORS = "xyzw"
Letter = Annotated[str, Chars("A-V", 1)]
Operator = Annotated[str, Chars("w-z", 1)]
Form = Annotated[str, Chars("A-Vw-z=\\-")]
Target = Annotated[str, Chars("0-9A-V\\-")]
Claim = Annotated[str, Chars("A-Vw-za-z0-9=_+\\-")]
ValueRule = Literal[tuple(rule.name for rule in VALUE_RULES)]


@lru_cache(1024)
def letters_of(row: EquationRow) -> dict[str, str]:
    """Digit glyph -> letter; one dictionary per row, not to be changed."""
    return dict(zip(row.digit_glyphs(), LETTERS, strict=False))


@lru_cache(1024)
def operators_of(row: EquationRow) -> dict[str, str]:
    """Operator glyph -> letter; one dictionary per row, not to be changed."""
    return dict(zip(row.operators, OPERATORS, strict=False))


def form_of(row: EquationRow, equation: Equation) -> str:
    """An equation in letters, the minus as `-`."""
    names, ops = letters_of(row), operators_of(row)
    left = "".join(names[c] for c in equation.left) + ops[equation.op] + "".join(names[c] for c in equation.right)
    if not equation.output:
        return left
    side, digits = minus_and_digits(equation)
    out = "".join(names[c] for c in digits)
    return left + "=" + ("-" + out if side == "prefix" else out + "-" if side == "suffix" else out)


def target_in_letters(row: EquationRow, equation: Equation, known: dict[str, int], mode: str) -> str:
    """An example's output as the tests compare it, unknown glyphs as their letters."""
    names, text = letters_of(row), notation.target_of(equation, known, mode)
    return "".join(names.get(c, c) for c in text)


def glyph_of(page: Page, letter: str) -> str | None:
    return next((glyph for glyph, name in letters_of(page.parsed).items() if name == letter), None)


def operator_glyph(page: Page, letter: str) -> str | None:
    return next((glyph for glyph, name in operators_of(page.parsed).items() if name == letter), None)


def pinned(page: Page, letter: str) -> int | None:
    """The digit the page holds for a letter."""
    glyph = glyph_of(page, letter)
    return None if glyph is None else notation.digit(page, glyph)


def put_digit(page: Page, letter: str, value: int) -> None:
    glyph = glyph_of(page, letter)
    if glyph is not None:
        page.put("digit", glyph, value)


def said(page: Page, glyph: str) -> str:
    """The digits that a glyph may have by what is written: its own, or those said of it that no other glyph holds."""
    known = notation.known_digits(page)
    if glyph in known:
        return str(known[glyph])
    taken = {str(digit) for digit in known.values()}
    return "".join(c for c in page.get("among", letters_of(page.parsed).get(glyph, ""), ALL) if c not in taken)


def is_thing(page: Page, what: str) -> bool:
    """Is it a letter, an operator letter, an example or a digit of this row?"""
    if glyph_of(page, what) is not None or operator_glyph(page, what) is not None:
        return True
    number = what.removeprefix("E")
    return number.isdigit() and len(number) == 1 and (what == number or notation.example(page, int(number)) is not None)


def live_modes(page: Page) -> set[str]:
    """The reading orders in which some operator of the arithmetic examples has a rule left."""
    names = operators_of(page.parsed)
    ops = {names[clue.op] for clue in clues(page.parsed)}
    return {rule.mode for op in ops for rule in VALUE_RULES if rule.name not in gone(page, op)}


def listed(rules: tuple[str, ...]) -> bool:
    """Are these rules in the order of the inventory, each once?"""
    places = [notation.RULE_INDEX[rule] for rule in rules]
    return places == sorted(set(places))


def in_step(page: Page, step: int) -> bool:
    return step == page.get("step", "", 0) + 1


@line
class Letters(Line):
    """Every digit glyph with its letter."""

    KIND = "letters/digits"
    TEXT = "letters {pairs: =}"
    ROLES = "pairs:T"
    pairs: tuple[tuple[Glyph, Letter], ...]

    def transcription(self, page: Page) -> bool:
        return dict(self.pairs) == letters_of(page.parsed) and len(self.pairs) == len(dict(self.pairs))


@line
class Operators(Line):
    """Every operator glyph with its letter."""

    KIND = "letters/operators"
    TEXT = "ops {pairs: =}"
    ROLES = "pairs:T"
    pairs: tuple[tuple[Glyph, Operator], ...]

    def transcription(self, page: Page) -> bool:
        return dict(self.pairs) == operators_of(page.parsed) and len(self.pairs) == len(dict(self.pairs))


@line
class FormLine(Line):
    """An example in letters."""

    KIND = "letters/form"
    TEXT = "E{number} {form}"
    ROLES = "number:T form:T"
    number: int
    form: Form

    def transcription(self, page: Page) -> bool:
        e = notation.example(page, self.number)
        return e is not None and self.form == form_of(page.parsed, e)


@line
class QueryForm(Line):
    """The query in letters."""

    KIND = "letters/query-form"
    TEXT = "Q {form}"
    ROLES = "form:T"
    form: Form

    def transcription(self, page: Page) -> bool:
        return self.form == form_of(page.parsed, page.parsed.query)


def indexed(equation: Equation) -> tuple[tuple[int, str], ...]:
    """The five characters of a left side with their places from 1."""
    return tuple(enumerate(equation.left + equation.op + equation.right, 1))


@line
class Scan(Line):
    """An example's five places one by one, then its output."""

    KIND = "letters/scan"
    TEXT = "scan E{number} {places:,=} to {output}"
    ROLES = "number:T places:T output:T"
    number: int
    places: tuple[tuple[Digit, Glyph], ...]
    output: Word

    def transcription(self, page: Page) -> bool:
        e = notation.example(page, self.number)
        return e is not None and self.places == indexed(e) and self.output == e.output


@line
class Disjoint(Line):
    """Digit glyphs and operator glyphs share nothing."""

    KIND = "letters/disjoint"
    TEXT = "digits {digits} ops {ops} {verdict}"
    OUTCOMES = {"apart": SEEN, "shared": SEEN}
    FORCED_BY = "the two sets on the same line"
    ROLES = "digits:TV ops:TV"
    digits: Word
    ops: Word
    verdict: str

    def transcription(self, page: Page) -> bool:
        row = page.parsed
        return self.digits == "".join(row.digit_glyphs()) and self.ops == "".join(row.operators)

    def verdict_follows(self, page: Page) -> bool:
        return (self.verdict == "shared") == bool(set(self.digits) & set(self.ops))


@line
class Given(Line):
    """The letters whose digits the prompt's key shows."""

    KIND = "letters/given"
    TEXT = "given {pairs: =}"
    ROLES = "pairs:T"
    pairs: tuple[tuple[Letter, Digit], ...]

    def transcription(self, page: Page) -> bool:
        names = letters_of(page.parsed)
        return dict(self.pairs) == {names[g]: d for g, d in page.key.items() if g in names}


@line
class Regime(Line):
    """Whether the operator glyphs are the literal signs, each with its own family of rules."""

    KIND = "letters/regime"
    TEXT = "ops {ops} {verdict}"
    OUTCOMES = {"literal": SEEN, "arbitrary": SEEN}
    FORCED_BY = "the operator glyphs: literal when all are among + - *"
    ROLES = "ops:TV line:~"
    ops: Word
    verdict: str

    def transcription(self, page: Page) -> bool:
        return self.ops == "".join(page.parsed.operators)

    def verdict_follows(self, page: Page) -> bool:
        return (self.verdict == "literal") == all(op in SIGN_GROUPS for op in self.ops)

    def establish(self, page: Page) -> None:
        if self.verdict == "literal":
            for glyph, op in operators_of(page.parsed).items():
                group = SIGN_GROUPS.get(glyph)
                if group is not None:
                    drop(page, op, tuple(rule.name for rule in VALUE_RULES if rule.group != group))


def gone(page: Page, op: str) -> set[str]:
    """The rules of an operator letter that lines have dropped, or that are not the one known beforehand."""
    told = page.key.rules.get(operator_glyph(page, op))
    dropped = set(page.get("gone", op, ()))
    return dropped if told is None else dropped | {rule.name for rule in VALUE_RULES if rule.name != told}


def drop(page: Page, op: str, rules: tuple[str, ...]) -> None:
    """Strike rules out; those that a line struck out which fails itself stay in doubt."""
    doubt = set(page.get("doubt", op, ()))
    new = set(rules) - gone(page, op)
    page.put("doubt", op, tuple(sorted(doubt | new if page.in_doubt else doubt - set(rules))))
    page.put("gone", op, tuple(sorted(gone(page, op) | set(rules))))


def struck(page: Page, op: str) -> set[str]:
    """The rules that are gone for good: a line that speaks of one of the others is not to blame for it."""
    return gone(page, op) - set(page.get("doubt", op, ()))


def settles(page: Page, op: str, rule: str) -> bool:
    """Is this the one rule that an operator has left?"""
    return rule not in struck(page, op) and {each.name for each in VALUE_RULES} - gone(page, op) <= {rule}


# what a row hides


def hidden_digit(page: Page, letter: str) -> int | None:
    """The digit that is behind a letter; None where it is not known or below a false guess."""
    return page.truth.digits.get(glyph_of(page, letter) or "") if page.judges else None


def hidden_rule(page: Page, op: str) -> str | None:
    """The rule that an operator letter has; None where it is not known or below a false guess."""
    return page.truth.rules.get(operator_glyph(page, op) or "") if page.judges else None


def holds(page: Page, claim: str) -> bool | None:
    """Is a claim such as A=3, x=add or order=flip so? None where that is not known, whatever guesses stand."""
    name, _, value = claim.partition("=")
    if page.truth is None:
        return None
    if name == "order":
        return page.truth.mode == value
    glyph, op = glyph_of(page, name), operator_glyph(page, name)
    if glyph is not None and glyph in page.truth.digits:
        return str(page.truth.digits[glyph]) == value
    return page.truth.rules[op] == value if op in page.truth.rules else None


def candidates(page: Page, letter: str) -> tuple[str, bool]:
    """The digits that the page leaves a letter, and whether a line has settled or narrowed it."""
    digit = pinned(page, letter)
    if digit is not None:
        return str(digit), True
    said, taken = page.get("among", letter), notation.known_digits(page).values()
    return "".join(c for c in said or "0123456789" if int(c) not in taken), said is not None


TABLE_KINDS = (Scan, Letters, Operators, FormLine, QueryForm, Disjoint, Given, Regime)
