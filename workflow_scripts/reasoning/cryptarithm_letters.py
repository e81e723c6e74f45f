"""Kinds of line of the study's letter designs: symbol tables, the forced chain, splits, guesses, witnesses.

Digit glyphs are renamed A..J and operators w..z in the order in which the page shows them (examples, then query).
`s{step}` counts the chain's lines.
"""

from functools import lru_cache
from typing import Annotated, Literal

from puzzles.equations import Equation, EquationRow, minus_and_digits
from puzzles.rules import BY_NAME, VALUE_RULES
from reasoning import cryptarithm_lines as kinds
from reasoning.lines import Chars, Digit, Digits, Glyph, Line, Word, line
from reasoning.page import Page
from reasoning.propagation import clues

LETTERS = "ABCDEFGHIJKLMNOPQRSTUV"
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
    names, text = letters_of(row), kinds.target_of(equation, known, mode)
    return "".join(names.get(c, c) for c in text)


def glyph_of(page: Page, letter: str) -> str | None:
    return next((glyph for glyph, name in letters_of(page.parsed).items() if name == letter), None)


def operator_glyph(page: Page, letter: str) -> str | None:
    return next((glyph for glyph, name in operators_of(page.parsed).items() if name == letter), None)


def pinned(page: Page, letter: str) -> int | None:
    """The digit the page holds for a letter."""
    glyph = glyph_of(page, letter)
    return None if glyph is None else kinds.digit(page, glyph)


def put_digit(page: Page, letter: str, value: int) -> None:
    glyph = glyph_of(page, letter)
    if glyph is not None:
        page.put("digit", glyph, value)


def is_thing(page: Page, what: str) -> bool:
    """Is it a letter, an operator letter, an example or a digit of this row?"""
    if glyph_of(page, what) is not None or operator_glyph(page, what) is not None:
        return True
    number = what.removeprefix("E")
    return number.isdigit() and len(number) == 1 and (what == number or kinds.example(page, int(number)) is not None)


def live_modes(page: Page) -> set[str]:
    """The reading orders in which some operator of the arithmetic examples has a rule left."""
    names = operators_of(page.parsed)
    ops = {names[clue.op] for clue in clues(page.parsed)}
    return {rule.mode for op in ops for rule in VALUE_RULES if rule.name not in gone(page, op)}


def listed(rules: tuple[str, ...]) -> bool:
    """Are these rules in the order of the inventory, each once?"""
    places = [kinds.RULE_INDEX[rule] for rule in rules]
    return places == sorted(set(places))


def in_step(page: Page, step: int) -> bool:
    return step == page.get("step", "", 0) + 1


# --- tables -------------------------------------------------------------------------------------------------------


@line
class Letters(Line):
    """Every digit glyph with its letter."""

    KIND = "letters/digits"
    TEXT = "letters {pairs: =}"
    pairs: tuple[tuple[Glyph, Letter], ...]

    def transcription(self, page: Page) -> bool:
        return dict(self.pairs) == letters_of(page.parsed) and len(self.pairs) == len(dict(self.pairs))


@line
class Operators(Line):
    """Every operator glyph with its letter."""

    KIND = "letters/operators"
    TEXT = "ops {pairs: =}"
    pairs: tuple[tuple[Glyph, Operator], ...]

    def transcription(self, page: Page) -> bool:
        return dict(self.pairs) == operators_of(page.parsed) and len(self.pairs) == len(dict(self.pairs))


@line
class FormLine(Line):
    """An example in letters."""

    KIND = "letters/form"
    TEXT = "E{number} {form}"
    number: int
    form: Form

    def transcription(self, page: Page) -> bool:
        e = kinds.example(page, self.number)
        return e is not None and self.form == form_of(page.parsed, e)


@line
class QueryForm(Line):
    """The query in letters."""

    KIND = "letters/query-form"
    TEXT = "Q {form}"
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
    number: int
    places: tuple[tuple[Digit, Glyph], ...]
    output: Word

    def transcription(self, page: Page) -> bool:
        e = kinds.example(page, self.number)
        return e is not None and self.places == indexed(e) and self.output == e.output


@line
class Sets(Line):
    """Digit glyphs and operator glyphs. No verdict: that they share nothing cannot fail in a well-formed row."""

    KIND = "letters/sets"
    TEXT = "digits {digits} ops {ops}"
    digits: Word
    ops: Word

    def transcription(self, page: Page) -> bool:
        row = page.parsed
        return self.digits == "".join(row.digit_glyphs()) and self.ops == "".join(row.operators)


@line
class Disjoint(Sets):
    """Digit glyphs and operator glyphs share nothing."""

    KIND = "letters/disjoint"
    TEXT = "digits {digits} ops {ops} {verdict}"
    OUTCOMES = ("apart", "shared")
    FORCED_BY = "the two sets on the same line"
    digits: Word
    ops: Word
    verdict: str

    def verdict_follows(self, page: Page) -> bool:
        return (self.verdict == "shared") == bool(set(self.digits) & set(self.ops))


@line
class Given(Line):
    """The letters whose digits the prompt's key shows."""

    KIND = "letters/given"
    TEXT = "given {pairs: =}"
    pairs: tuple[tuple[Letter, Digit], ...]

    def transcription(self, page: Page) -> bool:
        names = letters_of(page.parsed)
        return dict(self.pairs) == {names[g]: d for g, d in page.key.items() if g in names}


@line
class Regime(Line):
    """Whether the operator glyphs are the literal signs, each with its own family of rules."""

    KIND = "letters/regime"
    TEXT = "ops {ops} {verdict}"
    OUTCOMES = ("literal", "arbitrary")
    FORCED_BY = "the operator glyphs: literal when all are among + - *"
    ops: Word
    verdict: str

    def transcription(self, page: Page) -> bool:
        return self.ops == "".join(page.parsed.operators)

    def verdict_follows(self, page: Page) -> bool:
        return (self.verdict == "literal") == all(op in kinds.SIGN_GROUP for op in self.ops)

    def establish(self, page: Page) -> None:
        if self.verdict == "literal":
            for glyph, op in operators_of(page.parsed).items():
                group = kinds.SIGN_GROUP.get(glyph)
                if group is not None:
                    drop(page, op, tuple(rule.name for rule in VALUE_RULES if rule.group != group))


# --- the forced chain ---------------------------------------------------------------------------------------------


class _Step(Line):
    """A numbered line of the chain."""

    def transcription(self, page: Page) -> bool:
        return in_step(page, self.step) and self.agrees(page)

    def agrees(self, page: Page) -> bool:
        return True

    def establish(self, page: Page) -> None:
        page.put("step", "", self.step)
        self.settle(page)

    def settle(self, page: Page) -> None:
        """What the line itself establishes."""


def gone(page: Page, op: str) -> set[str]:
    """The rules of an operator letter that lines have dropped, or that are not the one known beforehand."""
    told = page.key.rules.get(operator_glyph(page, op))
    dropped = set(page.get("gone", op, ()))
    return dropped if told is None else dropped | {rule.name for rule in VALUE_RULES if rule.name != told}


def drop(page: Page, op: str, rules: tuple[str, ...]) -> None:
    page.put("gone", op, tuple(sorted(gone(page, op) | set(rules))))


@line
class AssertDrop(_Step):
    """Rules of an operator that fit no digits: a bare claim (r7), without any evidence on the line."""

    KIND = "chain/drop"
    TEXT = "s{step} {op} {rules:,} {verdict}"
    OUTCOMES = ("drop",)
    FORCED_BY = "nothing on the page: a claim about all digits that are left"
    step: int
    op: Operator
    rules: tuple[ValueRule, ...]
    verdict: str

    def agrees(self, page: Page) -> bool:
        live = operator_glyph(page, self.op) is not None and not gone(page, self.op) & set(self.rules)
        return live and listed(self.rules)

    def settle(self, page: Page) -> None:
        drop(page, self.op, self.rules)


@line
class AssertOnly(_Step):
    """The only rules of an operator that fit any digits: the same bare claim, said the shorter way round."""

    KIND = "chain/only"
    TEXT = "s{step} {op} only {rules:,} {verdict}"
    OUTCOMES = ("drop",)
    FORCED_BY = "nothing on the page: a claim about all digits that are left"
    step: int
    op: Operator
    rules: tuple[ValueRule, ...]
    verdict: str

    def agrees(self, page: Page) -> bool:
        live = operator_glyph(page, self.op) is not None and not gone(page, self.op) & set(self.rules)
        return live and listed(self.rules)

    def settle(self, page: Page) -> None:
        drop(page, self.op, tuple(rule.name for rule in VALUE_RULES if rule.name not in self.rules))


@line
class AssertPin(_Step):
    """A letter's digit: a bare claim (r7). sole: the only digit that fits; left: the others hold the rest; place: no
    other letter can take it."""

    KIND = "chain/pin"
    TEXT = "s{step} {letter}={digit} {why} {verdict}"
    OUTCOMES = ("pin",)
    FORCED_BY = "nothing on the page: a claim about all digits that are left"
    step: int
    letter: Letter
    digit: Digit
    why: Literal["sole", "left", "place"]
    verdict: str

    def agrees(self, page: Page) -> bool:
        free = glyph_of(page, self.letter) is not None and pinned(page, self.letter) is None
        return free and self.digit not in kinds.known_digits(page).values()

    def settle(self, page: Page) -> None:
        put_digit(page, self.letter, self.digit)


@line
class AssertMode(_Step):
    """A reading order in which some operator has no rule: a bare claim (r7)."""

    KIND = "chain/order"
    TEXT = "s{step} order {mode} has no {op} {verdict}"
    OUTCOMES = ("drop",)
    FORCED_BY = "nothing on the page: a claim about all rules of the operator"
    step: int
    mode: Literal["normal", "flip"]
    op: Operator
    verdict: str

    def agrees(self, page: Page) -> bool:
        return operator_glyph(page, self.op) is not None and page.get("no-mode", self.mode) is None

    def settle(self, page: Page) -> None:
        page.put("no-mode", self.mode, True)
        rules = tuple(rule.name for rule in VALUE_RULES if rule.mode == self.mode)
        for op in operators_of(page.parsed).values():
            drop(page, op, rules)


@line
class Stall(_Step):
    """The chain is stuck: what is still open."""

    KIND = "chain/stall"
    TEXT = "s{step} stuck on {what}"
    step: int
    what: Literal["order", "rule", "digit"]

    def agrees(self, page: Page) -> bool:
        """The first that is open: the reading order, the query's rule, a digit."""
        if len(live_modes(page)) > 1:
            return self.what == "order"
        op = page.parsed.query.op
        rules = len(VALUE_RULES) - len(gone(page, operators_of(page.parsed)[op]))
        return self.what == ("digit" if rules == 1 or page.get("rule", op) is not None else "rule")


@line
class SplitLine(Line):
    """A point with two values, tried as two cases."""

    KIND = "chain/split"
    TEXT = "split {a} or {b}"
    a: Claim
    b: Claim

    def transcription(self, page: Page) -> bool:
        same = self.a.partition("=")[0] == self.b.partition("=")[0]
        return same and self.a != self.b and claimable(page, self.a) and claimable(page, self.b)

    def establish(self, page: Page) -> None:
        page.put("split", "", (self.a, self.b))


def suppose(page: Page, claim: str) -> None:
    """Put a claim such as A=3, x=add or order=flip on the page."""
    name, _, value = claim.partition("=")
    if name == "order":
        page.put("no-mode", "normal" if value == "flip" else "flip", True)
        for op in operators_of(page.parsed).values():
            drop(page, op, tuple(rule.name for rule in VALUE_RULES if rule.mode != value))
    elif len(name) == 1 and name in OPERATORS:
        glyph = operator_glyph(page, name)
        if glyph is not None and value in BY_NAME:
            drop(page, name, tuple(rule.name for rule in VALUE_RULES if rule.name != value))
    elif value.isdigit():
        put_digit(page, name, int(value[:1]))


def claimable(page: Page, claim: str) -> bool:
    """Is the claim about something the page knows of and has not settled?"""
    name, _, value = claim.partition("=")
    if name == "order":
        return value in ("normal", "flip") and page.get("no-mode", value) is None
    if len(name) == 1 and name in OPERATORS:
        return operator_glyph(page, name) is not None and value in BY_NAME and value not in gone(page, name)
    return len(value) == 1 and value.isdigit() and glyph_of(page, name) is not None and pinned(page, name) is None


@line
class Case(Line):
    """One case of a split, or a guess, on the page until it is taken back."""

    KIND = "chain/case"
    TEXT = "{why} {claim}"
    why: Literal["case", "guess"]
    claim: Claim

    def transcription(self, page: Page) -> bool:
        """A case is one of the latest split's; a guess comes when no split has settled the row."""
        announced = self.claim in page.get("split", "", ()) if self.why == "case" else page.get("bailed", "", False)
        return announced and claimable(page, self.claim)

    def establish(self, page: Page) -> None:
        page.mark()
        page.put("supposed", "", self.claim)
        suppose(page, self.claim)


@line
class Dead(Line):
    """A case or guess that leaves something without a value; it is taken back."""

    KIND = "chain/dead"
    TEXT = "no value for {what} so {claim} {verdict}"
    OUTCOMES = ("out",)
    FORCED_BY = "nothing on the line: a claim about all digits that are left"
    what: Word
    claim: Claim
    verdict: str

    def transcription(self, page: Page) -> bool:
        return page.get("supposed") == self.claim and is_thing(page, self.what)

    def establish(self, page: Page) -> None:
        page.undo()


@line
class Leaves(Line):
    """How many values a case leaves to a letter, operator or example (counted beside the page); it is taken back."""

    KIND = "chain/leaves"
    TEXT = "under {claim} {what} has {count} {verdict}"
    OUTCOMES = ("out", "stays")
    FORCED_BY = "the number on the same line: none is out"
    claim: Claim
    what: Word
    count: int
    verdict: str

    def transcription(self, page: Page) -> bool:
        return page.get("supposed") == self.claim and is_thing(page, self.what)

    def verdict_follows(self, page: Page) -> bool:
        return self.verdict == ("stays" if self.count else "out")

    def establish(self, page: Page) -> None:
        page.undo()


@line
class Survives(Line):
    """The other case holds."""

    KIND = "chain/survives"
    TEXT = "so {claim}"
    claim: Claim

    def transcription(self, page: Page) -> bool:
        return self.claim in page.get("split", "", ()) and claimable(page, self.claim)

    def establish(self, page: Page) -> None:
        suppose(page, self.claim)


@line
class Rules(Line):
    """Every operator whose rule is settled."""

    KIND = "chain/rules"
    TEXT = "rules {pairs:,:}"
    pairs: tuple[tuple[Operator, ValueRule], ...]

    def transcription(self, page: Page) -> bool:
        return all(
            operator_glyph(page, op) is not None
            and {rule.name for rule in VALUE_RULES} - gone(page, op) <= {rule}
            and rule not in gone(page, op)
            for op, rule in self.pairs
        )

    def establish(self, page: Page) -> None:
        for op, rule in self.pairs:
            glyph = operator_glyph(page, op)
            if glyph is not None:
                page.put("rule", glyph, rule)


@line
class Bail(Line):
    """No single split settles the row."""

    KIND = "chain/bail"
    TEXT = "no single split settles it"

    def establish(self, page: Page) -> None:
        page.put("bailed", "", True)


@line
class Assemble(Line):
    """Rule and digits taken without a reason, so that something can be boxed."""

    KIND = "chain/assemble"
    TEXT = "assemble {rule} {pairs: =|none}"
    rule: ValueRule
    pairs: tuple[tuple[Letter, Digit], ...]

    def transcription(self, page: Page) -> bool:
        return all(pinned(page, letter) is None for letter, _ in self.pairs)

    def establish(self, page: Page) -> None:
        page.put("rule", page.parsed.query.op, self.rule)
        for letter, value in self.pairs:
            put_digit(page, letter, value)


@line
class Resolved(Line):
    """Rule of the query and the digits of its letters, restated before the computation."""

    KIND = "chain/resolved"
    TEXT = "resolved {op} {rule} {pairs: =}"
    op: Operator
    rule: ValueRule
    pairs: tuple[tuple[Letter, Digit], ...]

    def transcription(self, page: Page) -> bool:
        glyph, names = page.parsed.query.op, letters_of(page.parsed)
        query = dict.fromkeys(names[c] for c in page.parsed.query.left + page.parsed.query.right)
        right = operator_glyph(page, self.op) == glyph and [letter for letter, _ in self.pairs] == list(query)
        left = {rule.name for rule in VALUE_RULES} - gone(page, self.op)
        settled = page.get("rule", glyph) == self.rule or left == {self.rule}
        return right and settled and all(pinned(page, a) == d for a, d in self.pairs)

    def establish(self, page: Page) -> None:
        page.put("rule", page.parsed.query.op, self.rule)


@line
class JoinOperands(Line):
    """Nothing is left but to box the operands joined."""

    KIND = "chain/last-resort"
    TEXT = "last resort {output}"
    output: Word

    def transcription(self, page: Page) -> bool:
        query = page.parsed.query
        return self.output == query.left + query.right

    def establish(self, page: Page) -> None:
        page.answer = self.output


# --- witnesses ----------------------------------------------------------------------------------------------------

FAMILIES = ("add", "mul", "sub", "rsub", "abs", "negabs", "absneg", "mod")
_SIDES = {"sub": "p.", "rsub": "s.", "negabs": "p", "absneg": "s"}


def sides_of(family: str, equation: Equation) -> str:
    """Where a family can write its minus in an output as long as this one; only a zero goes without its minus."""
    sides = _SIDES.get(family, ".")
    return sides if len(sides) == 2 or sides == "." or len(minus_and_digits(equation)[1]) > 1 else sides + "."


KEEP = ("drop", "keep")
PINNED = ("pin", "open")


def family_rules(name: str) -> tuple[str, ...]:
    """All rules of a family word: add and mul with their neighbours, a difference rule in both modes."""
    return tuple(rule.name for rule in VALUE_RULES if family_of(rule.name) == name)


def family_of(rule: str) -> str:
    base = BY_NAME[rule].base
    return base if base in FAMILIES else base[:3]


def reading(equation: Equation, mode: str) -> tuple[str, str, str]:
    """Operands and output digits of an example in a mode's reading order (tens first)."""
    turn = -1 if mode == "flip" else 1
    return equation.left[::turn], equation.right[::turn], minus_and_digits(equation)[1][::turn]


class _Kill(_Step):
    """Shared by the witnessed rule tests: the dropped rules leave the page."""

    def names(self) -> tuple[str, ...]:
        return (self.rule,)

    def live(self, page: Page) -> bool:
        """Are the rules it speaks of still on the page?"""
        return self.rule not in gone(page, self.op)

    def agrees(self, page: Page) -> bool:
        e = kinds.example(page, self.number)
        named = e is not None and operators_of(page.parsed)[e.op] == self.op
        return named and self.live(page) and self.premises(page, e)

    def premises(self, page: Page, e: Equation) -> bool:
        return True

    def settle(self, page: Page) -> None:
        if self.verdict == "drop":
            drop(page, self.op, self.names())


FamilyName = Literal[FAMILIES]


class _KillFamilies(_Kill):
    """Shared by the tests of whole families."""

    def names(self) -> tuple[str, ...]:
        return tuple(name for family in self.families for name in family_rules(family))

    def live(self, page: Page) -> bool:
        dropped = gone(page, self.op)
        distinct = len(set(self.families)) == len(self.families)
        return distinct and all(not set(family_rules(family)) <= dropped for family in self.families)


@line
class KillSign(_KillFamilies):
    """Where a family can write its minus, against the page."""

    KIND = "witness/sign"
    TEXT = "s{step} {op} {families:,} puts {sides} E{number} has {found} {verdict}"
    OUTCOMES = KEEP
    FORCED_BY = "the sides on the same line (p in front, s behind, . none)"
    step: int
    op: Operator
    families: tuple[FamilyName, ...]
    sides: Annotated[str, Chars("ps.")]
    number: int
    found: Annotated[str, Chars("ps.", 1)]
    verdict: str

    def premises(self, page: Page, e: Equation) -> bool:
        return self.found == kinds.side_of(kinds.target_of(e, {}, "normal"))

    def arithmetic(self, page: Page) -> bool:
        e = kinds.example(page, self.number)
        return e is not None and all(sides_of(family, e) == self.sides for family in self.families)

    def verdict_follows(self, page: Page) -> bool:
        return self.verdict == ("keep" if self.found in self.sides else "drop")


@line
class KillRange(_KillFamilies):
    """The least and greatest value of a family on any operands, against the output's length."""

    KIND = "witness/range"
    TEXT = "s{step} {op} {families:,} {low}..{high} E{number} {least}..{most} {verdict}"
    OUTCOMES = KEEP
    FORCED_BY = "the two intervals on the same line"
    step: int
    op: Operator
    families: tuple[FamilyName, ...]
    low: int
    high: int
    number: int
    least: int
    most: int
    verdict: str

    def premises(self, page: Page, e: Equation) -> bool:
        return (self.least, self.most) == length_range(e)

    def arithmetic(self, page: Page) -> bool:
        return all(RANGES[family] == (self.low, self.high) for family in self.families)

    def verdict_follows(self, page: Page) -> bool:
        return self.verdict == ("drop" if self.most < self.low or self.least > self.high else "keep")


# Over operands 10..99, neighbours of sums and products included.
RANGES = {
    "add": (19, 199), "mul": (99, 9802), "mod": (0, 48), "sub": (0, 89), "rsub": (0, 89), "abs": (0, 89),
    "negabs": (0, 89), "absneg": (0, 89),
}  # fmt: skip


def length_range(equation: Equation) -> tuple[int, int]:
    """The magnitudes of as many digits as the output has."""
    n = len(minus_and_digits(equation)[1])
    return (10 ** (n - 1) if n > 1 else 0), 10**n - 1


Work = Annotated[str, Chars("0-9+*\\-=")]


def ones_work(rule: str, first: str, second: str, e: Equation) -> tuple[str, ...]:
    """The units of a sum or product for every pair of units digits the two sets allow, such as 3*1+1=4."""
    base = BY_NAME[rule].base
    sign, k = "+" if base.startswith("add") else "*", base[3:]
    left, right, _ = reading(e, BY_NAME[rule].mode)
    found = []
    for p in first:
        for q in second:
            if (p == q) == (left[1] == right[1]):
                value = int(p) + int(q) if sign == "+" else int(p) * int(q)
                found.append(f"{p}{sign}{q}{k}={(value + kinds.OFFSETS[k or 'same']) % 10}")
    return tuple(found)


def ones_hits(work: tuple[str, ...], target: str, e: Equation, mode: str) -> list[str]:
    """Which pairs agree with the set of the output's units digit (and with a units letter that returns in it)."""
    left, right, out = reading(e, mode)
    hits = []
    for each in work:
        p, q, got = each[0], each[2], each[-1]
        same = (out[-1] != left[1] or got == p) and (out[-1] != right[1] or got == q)
        other = (out[-1] == left[1] or got != p) and (out[-1] == right[1] or got != q)
        if got in target and same and other:
            hits.append(each)
    return hits


@line
class KillOnes(_Kill):
    """All units digits that two operands may have, each with the units of the result, against those of the output."""

    KIND = "witness/ones"
    TEXT = "s{step} {op} {rule} E{number} ones {work:,} in {target} {verdict}"
    OUTCOMES = KEEP
    FORCED_BY = "the printed units against the output's digits on the same line, equal letters having equal digits"
    step: int
    op: Operator
    rule: ValueRule
    number: int
    work: tuple[Annotated[str, Chars("0-9+*\\-=", 0)], ...]
    target: Digits
    verdict: str

    def premises(self, page: Page, e: Equation) -> bool:
        """Pinned units are written with their digit; open ones never with a digit that another letter holds."""
        known = kinds.known_digits(page)
        left, right, out = reading(e, BY_NAME[self.rule].mode)
        for glyph, digits in (
            (left[1], {each[:1] for each in self.work}),
            (right[1], {each[2:3] for each in self.work}),
            (out[-1], set(self.target)),
        ):
            taken = {str(d) for g, d in known.items() if g != glyph}
            if (glyph in known and digits != {str(known[glyph])}) or digits & taken:
                return False
        said = "" if out[-1] in known else page.get("among", letters_of(page.parsed)[out[-1]], "")
        narrowed = "".join(c for c in said if int(c) not in known.values())
        return list(self.target) == sorted(set(self.target)) and (not narrowed or self.target == narrowed)

    def arithmetic(self, page: Page) -> bool:
        e = kinds.example(page, self.number)
        if e is None or BY_NAME[self.rule].group not in ("add", "mul"):
            return False
        first, second = sorted({each[:1] for each in self.work}), sorted({each[2:3] for each in self.work})
        if not all(c.isdigit() for c in (*first, *second)):
            return False
        return set(self.work) == set(ones_work(self.rule, "".join(first), "".join(second), e))

    def verdict_follows(self, page: Page) -> bool | None:
        e = kinds.example(page, self.number)
        if e is None or not all(len(each) > 4 and each[0].isdigit() and each[2].isdigit() for each in self.work):
            return None
        hits = ones_hits(self.work, self.target, e, BY_NAME[self.rule].mode)
        return self.verdict == ("keep" if hits else "drop")


@line
class KillValue(_Kill):
    """What a rule gives on known operands, against the output (unknown glyphs stand for themselves)."""

    KIND = "witness/value"
    TEXT = "s{step} {op} {rule} E{number} {x},{y} gives {value} vs {target} {verdict}"
    OUTCOMES = KEEP
    FORCED_BY = "the value against the output on the same line, unknown glyphs taking free digits"
    step: int
    op: Operator
    rule: ValueRule
    number: int
    x: kinds.Pair
    y: kinds.Pair
    value: kinds.Value
    target: Target
    verdict: str

    def premises(self, page: Page, e: Equation) -> bool:
        known, mode = kinds.known_digits(page), BY_NAME[self.rule].mode
        target = target_in_letters(page.parsed, e, known, mode)
        return kinds.operands_of(e, known, mode) == (self.x, self.y) and target == self.target

    def arithmetic(self, page: Page) -> bool:
        return int(self.x) > 0 < int(self.y) and self.value == kinds.written(BY_NAME[self.rule], self.x, self.y)

    def verdict_follows(self, page: Page) -> bool:
        free = kinds.left_over(page)[1]
        return self.verdict == ("keep" if kinds.fits(self.value, self.target, free) is not None else "drop")


@line
class KillGroup(_Step):
    """Two operators never share a group of rules."""

    KIND = "witness/group"
    TEXT = "s{step} {other} is {group} so {op} {mine} {verdict}"
    OUTCOMES = KEEP
    FORCED_BY = "the two groups on the same line: equal ones cannot both stand"
    step: int
    other: Operator
    group: Literal["add", "sub", "mul"]
    op: Operator
    mine: Literal["add", "sub", "mul"]
    verdict: str

    def agrees(self, page: Page) -> bool:
        left = {rule.group for rule in VALUE_RULES if rule.name not in gone(page, self.other)}
        mine = any(rule.group == self.mine and rule.name not in gone(page, self.op) for rule in VALUE_RULES)
        known = operator_glyph(page, self.op) is not None
        return self.op != self.other and left == {self.group} and known and mine

    def verdict_follows(self, page: Page) -> bool:
        return (self.verdict == "drop") == (self.group == self.mine)

    def settle(self, page: Page) -> None:
        if self.verdict == "drop":
            drop(page, self.op, tuple(rule.name for rule in VALUE_RULES if rule.group == self.mine))


@line
class KillMode(_Step):
    """How many rules of a reading order an operator has left; none rules the order out for all."""

    KIND = "witness/order"
    TEXT = "s{step} order {mode} leaves {op} {count} {verdict}"
    OUTCOMES = KEEP
    FORCED_BY = "the number on the same line"
    step: int
    mode: Literal["normal", "flip"]
    op: Operator
    count: int
    verdict: str

    def agrees(self, page: Page) -> bool:
        left = [rule for rule in VALUE_RULES if rule.mode == self.mode and rule.name not in gone(page, self.op)]
        return operator_glyph(page, self.op) is not None and len(left) == self.count

    def verdict_follows(self, page: Page) -> bool:
        return self.verdict == ("keep" if self.count else "drop")

    def settle(self, page: Page) -> None:
        if self.verdict == "drop":
            page.put("no-mode", self.mode, True)
            rules = tuple(rule.name for rule in VALUE_RULES if rule.mode == self.mode)
            for op in operators_of(page.parsed).values():
                drop(page, op, rules)


@line
class Copy(_Step):
    """Operands and rule known: the value's digits go to the output's letters."""

    KIND = "witness/copy"
    TEXT = "s{step} E{number} {rule} {x},{y} gives {value} so {pairs: =}"
    step: int
    number: int
    rule: ValueRule
    x: kinds.Pair
    y: kinds.Pair
    value: kinds.Value
    pairs: tuple[tuple[Letter, Digit], ...]

    def agrees(self, page: Page) -> bool:
        e = kinds.example(page, self.number)
        if e is None or self.rule in gone(page, operators_of(page.parsed)[e.op]):
            return False
        known, mode = kinds.known_digits(page), BY_NAME[self.rule].mode
        if kinds.operands_of(e, known, mode) != (self.x, self.y):
            return False
        found = kinds.fits(self.value, target_in_letters(page.parsed, e, known, mode))
        return found is not None and {name: int(d) for name, d in found.items()} == dict(self.pairs)

    def arithmetic(self, page: Page) -> bool:
        return int(self.x) > 0 < int(self.y) and self.value == kinds.written(BY_NAME[self.rule], self.x, self.y)

    def settle(self, page: Page) -> None:
        for letter, value in self.pairs:
            put_digit(page, letter, value)


class _Candidates(_Step):
    """Shared by the tests of a letter's candidates: those that hit are left; when none does, those not tested."""

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
    step: int
    letter: Letter
    candidates: Digits
    number: int
    rule: ValueRule
    work: tuple[tuple[kinds.Value, Target], ...]
    hits: Annotated[str, Chars("0-9\\-")]
    verdict: str

    def agrees(self, page: Page) -> bool:
        e, glyph = kinds.example(page, self.number), glyph_of(page, self.letter)
        if e is None or glyph is None or len(self.candidates) != len(self.work):
            return False
        known = kinds.known_digits(page)
        allowed = page.get("among", self.letter, "0123456789")
        if glyph in known or any(int(c) in known.values() or c not in allowed for c in self.candidates):
            return False
        mode = BY_NAME[self.rule].mode
        return all(
            target_in_letters(page.parsed, e, {**known, glyph: int(c)}, mode) == target
            and kinds.operands_of(e, {**known, glyph: int(c)}, mode) is not None
            for c, (_, target) in zip(self.candidates, self.work, strict=True)
        )

    def arithmetic(self, page: Page) -> bool:
        e, glyph = kinds.example(page, self.number), glyph_of(page, self.letter)
        if e is None or glyph is None or len(self.candidates) != len(self.work):
            return False
        rule, known = BY_NAME[self.rule], kinds.known_digits(page)
        values = []
        for c in self.candidates:
            operands = kinds.operands_of(e, {**known, glyph: int(c)}, rule.mode)
            if operands is None or not int(operands[0]) or not int(operands[1]):
                return False
            values.append(kinds.written(rule, *operands))
        return values == [value for value, _ in self.work]

    def verdict_follows(self, page: Page) -> bool:
        free = kinds.left_over(page)[1]
        hits = "".join(
            c
            for c, (value, target) in zip(self.candidates, self.work, strict=False)
            if kinds.fits(value, target, free.replace(c, "")) is not None
        )
        return self.hits == (hits or "-") and self.verdict == ("pin" if len(hits) == 1 else "open")


@line
class PinOnes(_Candidates):
    """Candidates of a units letter against the two other units of a sum or product: the result's units for each."""

    KIND = "witness/units"
    TEXT = "s{step} {letter} in {candidates} E{number} {rule} ones {work:,} wants {target} hits {hits} {verdict}"
    OUTCOMES = PINNED
    FORCED_BY = "the number of candidates that hit: one pins"
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
        e, glyph = kinds.example(page, self.number), glyph_of(page, self.letter)
        if e is None or glyph is None or BY_NAME[self.rule].group not in ("add", "mul"):
            return False
        known, names = kinds.known_digits(page), letters_of(page.parsed)
        allowed = page.get("among", self.letter, "0123456789")
        if glyph in known or any(int(c) in known.values() or c not in allowed for c in self.candidates):
            return False
        out = reading(e, BY_NAME[self.rule].mode)[2][-1]
        return self.target == (str(known[out]) if out in known else names[out])

    def arithmetic(self, page: Page) -> bool:
        e, glyph = kinds.example(page, self.number), glyph_of(page, self.letter)
        if e is None or glyph is None:
            return False
        return list(self.work) == units_of(self.rule, e, glyph, self.candidates, kinds.known_digits(page))

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
    left, right, _ = reading(e, BY_NAME[rule].mode)
    work = []
    for c in candidates:
        p, q = (int(c) if g == glyph else known.get(g) for g in (left[1], right[1]))
        if p is None or q is None:
            return []
        value = (p + q if sign == "+" else p * q) + kinds.OFFSETS[k or "same"]
        work.append(f"{p}{sign}{q}{k}={value % 10}")
    return work


@line
class Among(_Step):
    """The digits a letter may still have, by all examples together: said, so that later lines can be held to it."""

    KIND = "witness/among"
    TEXT = "s{step} {letter} among {digits}"
    step: int
    letter: Letter
    digits: Digits

    def agrees(self, page: Page) -> bool:
        allowed = page.get("among", self.letter, "0123456789")
        free = glyph_of(page, self.letter) is not None and pinned(page, self.letter) is None
        return free and list(self.digits) == sorted(set(self.digits) & set(allowed))

    def settle(self, page: Page) -> None:
        page.put("among", self.letter, self.digits)


@line
class PinLast(_Candidates):
    """The digits that no letter holds, against a letter's candidates."""

    KIND = "witness/left"
    TEXT = "s{step} {letter} in {candidates} taken {taken} left {hits} {verdict}"
    OUTCOMES = PINNED
    FORCED_BY = "the number of candidates that are not taken: one pins"
    step: int
    letter: Letter
    candidates: Digits
    taken: Digits
    hits: Annotated[str, Chars("0-9\\-")]
    verdict: str

    def agrees(self, page: Page) -> bool:
        known = kinds.known_digits(page)
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


TABLE_KINDS = (Scan, Letters, Operators, FormLine, QueryForm, Disjoint, Given, Regime)
CHAIN_KINDS = (AssertDrop, AssertOnly, AssertPin, AssertMode)
END_KINDS = (Stall, Rules, SplitLine, Case, Dead, Survives, Bail, Assemble, Resolved, JoinOperands)
KILL_KINDS = (KillSign, KillRange, KillOnes, KillValue, KillGroup, KillMode)
PIN_KINDS = (Copy, PinEach, PinOnes, PinLast)
