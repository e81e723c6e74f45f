"""Lines of the study's tree search (r1-r6): cues, passes, pins with their reasons, tries."""

from typing import Annotated, Literal

from puzzles.equations.prior import SIGN_GROUPS
from puzzles.equations.prompt import join_of, minus_and_digits
from puzzles.equations.rules import BY_NAME
from reasoning.designs.cryptarithm.lines import arithmetic, letters, notation
from reasoning.designs.cryptarithm.lines.letters import Letter, Operator, ValueRule
from reasoning.grammar.lines import FAILED, PASSED, SEEN, Chars, Digit, Digits, Line, Word, line
from reasoning.grammar.page import Page

CUES = ("join", "difference", "product", "small", "sum", "sum-or-product", "any", "unknown")


def cue_of(lengths: str, signed: bool, joins: bool) -> str:
    """What the shapes of an operator's outputs suggest."""
    if not lengths:
        return "unknown"
    if joins:
        return "join"
    if signed:
        return "difference"
    if "4" in lengths:
        return "product"
    if set(lengths) == {"1"}:
        return "small"
    if set(lengths) == {"2", "3"}:
        return "sum"
    return "sum-or-product" if set(lengths) == {"3"} else "any"


@line
class Cue(Line):
    """The lengths of an operator's outputs (s: one shows a minus, j: all are joins) and the family they suggest."""

    KIND = "study/cue"
    TEXT = "cue {op} {shape} {verdict}"
    OUTCOMES = dict.fromkeys(CUES, SEEN)
    FORCED_BY = "the shapes on the same line"
    ROLES = "op:T~ shape:TV"
    op: Operator
    shape: Annotated[str, Chars("1-5sjn")]
    verdict: str

    def transcription(self, page: Page) -> bool:
        glyph = letters.operator_glyph(page, self.op)
        return glyph is not None and self.shape == shape_of(page.parsed, glyph)

    def verdict_follows(self, page: Page) -> bool:
        lengths = "".join(c for c in self.shape if c.isdigit())
        return self.verdict == cue_of(lengths, "s" in self.shape, "j" in self.shape)


def shape_of(row, glyph: str) -> str:
    """Lengths of an operator's outputs in order of appearance, s and j as above, n for an operator without example."""
    found = [e for e in row.examples if e.op == glyph]
    shape = "".join(str(len(minus_and_digits(e)[1])) for e in found)
    if any(minus_and_digits(e)[0] for e in found):
        shape += "s"
    if found and all(join_of(e) for e in found):
        shape += "j"
    return shape or "n"


@line
class Pass(Line):
    """The assumptions of the next attempt; `true`: the renderer knows the order, no line leads to it."""

    KIND = "study/pass"
    TEXT = "pass {mode} {rules}"
    ROLES = "mode:- rules:- line:-"
    mode: Literal["normal", "flip"]
    rules: Literal["plain", "family-plain", "family", "all", "true"]

    def establish(self, page: Page) -> None:
        start_again(page, self.mode)
        page.assumed = pass_holds(page, self.mode, self.rules)
        page.put("pass", "", (self.mode, self.rules))


def passes_of(families: bool) -> tuple[tuple[str, str], ...]:
    """Mode and rules of the passes in their order: plain rules, then all; of the signs' own families before all."""
    vocabularies = ("family-plain", "family", "all") if families else ("plain", "all")
    return tuple((mode, rules) for rules in vocabularies for mode in ("normal", "flip"))


PLAIN_RULES = ("add", "mul", "sub", "rsub", "abs", "negabs", "absneg")


def pass_holds(page: Page, mode: str, rules: str, without: int = 0) -> bool | None:
    """Does the row fit a pass's assumptions, one example left out perhaps? None where what it hides is not known."""
    if page.truth is None:
        return None
    digits = page.truth.digits
    for number, e in enumerate(page.parsed.examples, 1):
        rule = BY_NAME[page.truth.rules[e.op]]
        if number != without and not rule.is_join:
            operands = notation.operands_of(e, digits, rule.mode)
            value = arithmetic.written(rule, *operands) if operands and "00" not in operands else ""
            fits = "plain" not in rules or rule.base in PLAIN_RULES
            fits = fits and ("family" not in rules or rule.group == SIGN_GROUPS.get(e.op))
            if not fits or rule.mode != mode or value != notation.target_of(e, digits, rule.mode):
                return False
    return True


def start_again(page: Page, mode: str) -> None:
    """A new attempt starts from the key alone."""
    page.forget_guesses()
    for namespace, name in list(page.facts):
        if namespace in ("digit", "gone", "doubt", "rule", "tried"):
            del page.facts[namespace, name]
    page.put("mode", "", mode)


@line
class PassDead(Line):
    """The attempt has no solution: a bare claim."""

    KIND = "study/pass-dead"
    TEXT = "pass fails at {what} {verdict}"
    OUTCOMES = {"next": FAILED}
    FORCED_BY = "nothing on the line: a claim about all digits"
    ROLES = "what:-"
    what: Word
    verdict: str

    def transcription(self, page: Page) -> bool:
        return self.what == "all" or letters.is_thing(page, self.what)

    def is_bare(self, page: Page) -> bool:
        return True

    def is_true(self, page: Page) -> bool | None:
        return None if page.truth is None or page.assumed is None else not page.assumed

    def establish(self, page: Page) -> None:
        page.put("failed", " ".join(page.get("pass", "", ())), True)
        page.put("holds", "", False)


@line
class NoLeadingZero(Line):
    """Letters that open a number and so are not 0."""

    KIND = "study/no-zero"
    TEXT = "not zero {letters}"
    ROLES = "letters:T"
    letters: Annotated[str, Chars("A-V")]

    def transcription(self, page: Page) -> bool:
        return self.letters == "".join(dict.fromkeys(leading(page.parsed, page.get("mode", "", "normal"))))


def leading(row, mode: str) -> list[str]:
    """Letters of the tens of all operands, in a reading order."""
    names = letters.letters_of(row)
    return [names[part[0 if mode == "normal" else 1]] for e in (*row.examples, row.query) for part in (e.left, e.right)]


class _Pin(Line):
    """Shared by pins: a free letter gets a digit that no other letter holds."""

    def free(self, page: Page) -> bool:
        return (
            letters.glyph_of(page, self.letter) is not None
            and letters.pinned(page, self.letter) is None
            and self.digit not in notation.known_digits(page).values()
        )

    def establish(self, page: Page) -> None:
        letters.put_digit(page, self.letter, self.digit)


@line
class PinValue(_Pin):
    """Operands known: the value's digit at the letter's place."""

    KIND = "study/pin-value"
    TEXT = "E{number} {rule} {x},{y} gives {value} so {letter}={digit}"
    ROLES = "number:TV rule:A/T/V~ x:TA y:TA value:AV letter:V/T/A digit:V/T/A"
    number: int
    rule: ValueRule
    x: notation.Pair
    y: notation.Pair
    value: notation.Value
    letter: Letter
    digit: Digit

    def transcription(self, page: Page) -> bool:
        e = notation.example(page, self.number)
        if e is None or not self.free(page):
            return False
        return notation.operands_of(e, notation.known_digits(page), BY_NAME[self.rule].mode) == (self.x, self.y)

    def arithmetic(self, page: Page) -> bool:
        return int(self.x) > 0 < int(self.y) and self.value == arithmetic.written(BY_NAME[self.rule], self.x, self.y)

    def verdict_follows(self, page: Page) -> bool | None:
        e = notation.example(page, self.number)
        if e is None:
            return None
        target = letters.target_in_letters(page.parsed, e, notation.known_digits(page), BY_NAME[self.rule].mode)
        found = notation.fits(self.value, target) or {}
        return found.get(self.letter) == str(self.digit)


@line
class PinUnits(_Pin):
    """The units of a sum or product: the digit that makes them end as they must."""

    KIND = "study/pin-units"
    TEXT = "E{number} {rule} units {work} so {letter}={digit}"
    ROLES = "number:T/A/V rule:A/V work:AV letter:T/A/V digit:T/A/V"
    number: int
    rule: ValueRule
    work: Annotated[str, Chars("0-9+*=\\-")]
    letter: Letter
    digit: Digit

    def transcription(self, page: Page) -> bool:
        return self.free(page) and notation.example(page, self.number) is not None

    def arithmetic(self, page: Page) -> bool:
        e = notation.example(page, self.number)
        if e is None:
            return False
        known = {**notation.known_digits(page), letters.glyph_of(page, self.letter) or "": self.digit}
        return self.work == units_work(self.rule, e, known)

    def verdict_follows(self, page: Page) -> bool | None:
        """The printed units end in the digit that the output's units letter has."""
        e = notation.example(page, self.number)
        if e is None:
            return None
        out = notation.reading(e, BY_NAME[self.rule].mode)[2][-1]
        known = {**notation.known_digits(page), letters.glyph_of(page, self.letter) or "": self.digit}
        return str(known.get(out)) == self.work[-1:]


def units_work(rule: str, e, known: dict[str, int]) -> str:
    """Units of a sum or product with its neighbour, such as 7+6+1=14; "" when a unit is unknown."""
    base = BY_NAME[rule].base
    if base[:3] not in ("add", "mul"):
        return ""
    left, right, _ = notation.reading(e, BY_NAME[rule].mode)
    if left[1] not in known or right[1] not in known:
        return ""
    p, q, k = known[left[1]], known[right[1]], base[3:]
    total = (p + q if base.startswith("add") else p * q) + arithmetic.OFFSETS[k or "same"]
    return f"{p}{'+' if base.startswith('add') else '*'}{q}{k}={total}"


@line
class PinLead(_Pin):
    """A sum of three digits opens with 1."""

    KIND = "study/pin-lead"
    TEXT = "E{number} sum of three digits so {letter}={digit}"
    ROLES = "number:T~ letter:T digit:AT"
    number: int
    letter: Letter
    digit: Digit

    def transcription(self, page: Page) -> bool:
        e = notation.example(page, self.number)
        if e is None or not self.free(page) or len(minus_and_digits(e)[1]) != 3:
            return False
        out = minus_and_digits(e)[1]
        first = out[-1 if page.get("mode", "", "normal") == "flip" else 0]
        return letters.letters_of(page.parsed)[first] == self.letter

    def arithmetic(self, page: Page) -> bool:
        return self.digit == 1


@line
class PinSole(_Pin):
    """The digit that is left when the others are declared impossible, without any arithmetic."""

    KIND = "study/pin-sole"
    TEXT = "{letter} not {gone} so {letter2}={digit} {verdict}"
    OUTCOMES = {"pin": PASSED}
    FORCED_BY = "nothing on the line: the listed digits are declared impossible"
    ROLES = "letter:T gone:- letter2:TB digit:T/B~"
    letter: Letter
    gone: Digits
    letter2: Letter
    digit: Digit
    verdict: str

    def transcription(self, page: Page) -> bool:
        return self.free(page) and self.letter == self.letter2 and str(self.digit) not in self.gone

    def is_true(self, page: Page) -> bool | None:
        digit = letters.hidden_digit(page, self.letter2)
        return None if digit is None else self.digit == digit


@line
class DropRules(Line):
    """Rules of an operator that no digits fit: a bare claim."""

    KIND = "study/drop"
    TEXT = "{op} only {rules:,} {verdict}"
    OUTCOMES = {"drop": FAILED}
    FORCED_BY = "nothing on the line: a claim about all digits"
    ROLES = "op:T/B~ rules:T/B~ line:-"
    op: Operator
    rules: tuple[ValueRule, ...]
    verdict: str

    def transcription(self, page: Page) -> bool:
        live = letters.operator_glyph(page, self.op) is not None and not letters.struck(page, self.op) & set(self.rules)
        return live and letters.listed(self.rules)

    def is_true(self, page: Page) -> bool | None:
        rule = letters.hidden_rule(page, self.op)
        return None if rule is None else rule in self.rules

    def establish(self, page: Page) -> None:
        dropped = tuple(name for name in notation.RULE_INDEX if name not in self.rules)
        letters.drop(page, self.op, dropped)


@line
class Choose(Line):
    """The letter to branch on and the digits it may still have."""

    KIND = "study/choose"
    TEXT = "choose {letter} of {digits}"
    ROLES = "letter:T/B~ digits:T/B~"
    letter: Letter
    digits: Digits

    def transcription(self, page: Page) -> bool:
        open_ = letters.pinned(page, self.letter) is None and letters.glyph_of(page, self.letter) is not None
        return open_ and list(self.digits) == sorted(set(self.digits))

    def is_true(self, page: Page) -> bool | None:
        digit = letters.hidden_digit(page, self.letter)
        return None if digit is None else str(digit) in self.digits

    def establish(self, page: Page) -> None:
        page.put("chosen", "", (self.letter, self.digits))


@line
class TryDigit(Line):
    """One digit of the chosen letter: what it leads to, and the digits tried so far."""

    KIND = "study/try"
    TEXT = "try {letter}={digit} {consequence} tried {tried} {verdict}"
    OUTCOMES = {"dead": FAILED, "holds": PASSED}
    FORCED_BY = "the named consequence: something without a value is a conflict"
    ROLES = "letter:TB digit:TB consequence:- tried:T"
    letter: Letter
    digit: Digit
    consequence: Annotated[str, Chars("A-Vw-z0-9E\\-")]
    tried: Digits
    verdict: str

    def transcription(self, page: Page) -> bool:
        letter, digits = page.get("chosen", "", ("", ""))
        free = letters.pinned(page, self.letter) is None and self.digit not in notation.known_digits(page).values()
        named = self.consequence == "-" or letters.is_thing(page, self.consequence)
        before = page.get("tried", self.letter, "")
        chosen = self.letter == letter and str(self.digit) in digits
        return free and named and chosen and self.tried == before + str(self.digit)

    def verdict_follows(self, page: Page) -> bool:
        return (self.verdict == "holds") == (self.consequence == "-")

    def is_bare(self, page: Page) -> bool:
        """What a digit leads to is named, not shown."""
        return self.verdict == "dead"

    def is_true(self, page: Page) -> bool | None:
        """A digit that has no consequence is only supposed."""
        digit = letters.hidden_digit(page, self.letter)
        return None if digit is None or self.verdict == "holds" else self.digit != digit

    def establish(self, page: Page) -> None:
        page.put("tried", self.letter, self.tried)
        if self.verdict == "holds":
            page.mark(letters.holds(page, f"{self.letter}={self.digit}"))
            page.put("supposed", "", self.letter)
            letters.put_digit(page, self.letter, self.digit)


@line
class TryCounted(TryDigit):
    """The same with a number in front that only rises (r6)."""

    KIND = "study/try-counted"
    TEXT = "t{count} try {letter}={digit} {consequence} tried {tried} {verdict}"
    OUTCOMES = {"dead": FAILED, "holds": PASSED}
    FORCED_BY = "the named consequence: something without a value is a conflict"
    ROLES = "count:T letter:TB digit:TB consequence:- tried:T"
    letter: Letter
    digit: Digit
    consequence: Annotated[str, Chars("A-Vw-z0-9E\\-")]
    tried: Digits
    verdict: str
    count: int

    def transcription(self, page: Page) -> bool:
        return super().transcription(page) and self.count == page.get("tries", "", 0) + 1

    def establish(self, page: Page) -> None:
        page.put("tries", "", self.count)
        super().establish(page)


@line
class UndoDigit(Line):
    """Nothing below holds: the digit is taken back."""

    KIND = "study/undo"
    TEXT = "undo {letter}"
    ROLES = "letter:T"
    letter: Letter

    def transcription(self, page: Page) -> bool:
        return page.get("supposed") == self.letter

    def establish(self, page: Page) -> None:
        tries = page.get("tries", "", 0)
        page.undo()
        page.put("tries", "", tries)


@line
class Exhausted(Line):
    """Every digit of a letter has failed: one level up."""

    KIND = "study/exhausted"
    TEXT = "{letter} exhausted {tried} back"
    ROLES = "letter:T tried:T"
    letter: Letter
    tried: Digits

    def transcription(self, page: Page) -> bool:
        letter, _ = page.get("chosen", "", ("", ""))
        return self.letter == letter and self.tried == page.get("tried", letter, "0")


@line
class Collision(Line):
    """A letter is given a digit that another one holds: a clash, taken back at once."""

    KIND = "study/collision"
    TEXT = "{letter}={digit} but {other}={digit2} {verdict}"
    OUTCOMES = {"clash": FAILED}
    FORCED_BY = "the two equal digits on the line"
    ROLES = "letter:T~ digit:V other:T digit2:TV"
    letter: Letter
    digit: Digit
    other: Letter
    digit2: Digit
    verdict: str

    def transcription(self, page: Page) -> bool:
        open_ = letters.glyph_of(page, self.letter) is not None and letters.pinned(page, self.letter) is None
        return open_ and letters.pinned(page, self.other) == self.digit2

    def verdict_follows(self, page: Page) -> bool:
        return self.digit == self.digit2


@line
class Take(_Pin):
    """A digit for a letter that no example shows, taken without a reason."""

    KIND = "study/take"
    TEXT = "take {letter}={digit}"
    ROLES = "letter:- digit:-"
    letter: Letter
    digit: Digit

    def transcription(self, page: Page) -> bool:
        return self.free(page)

    def is_bare(self, page: Page) -> bool:
        return True
