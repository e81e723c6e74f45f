"""Kinds of line of the study's tree-search designs (r1-r6): cues, pins with their reasons, tries, map, verification."""

from typing import Annotated, Literal

from puzzles.equations import MAX_EXAMPLES, EquationRow, join_of, minus_and_digits
from puzzles.rules import BY_NAME
from reasoning import cryptarithm_letters as letters
from reasoning import cryptarithm_lines as kinds
from reasoning.cryptarithm_letters import Letter, Operator, Target, ValueRule
from reasoning.lines import Chars, Digit, Digits, Line, Word, line
from reasoning.page import Page
from reasoning.propagation import clues

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
    OUTCOMES = CUES
    FORCED_BY = "the shapes on the same line"
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
    """The assumptions of the next attempt."""

    KIND = "study/pass"
    TEXT = "pass {mode} {rules}"
    mode: Literal["normal", "flip"]
    rules: Literal["plain", "family", "all", "true"]

    def establish(self, page: Page) -> None:
        start_again(page, self.mode)
        page.put("pass", "", (self.mode, self.rules))


def passes_of(first: str) -> tuple[tuple[str, str], ...]:
    """Mode and rules of the passes in their order: those of the first vocabulary, then all."""
    return tuple((mode, rules) for rules in (first, "all") for mode in ("normal", "flip"))


def start_again(page: Page, mode: str) -> None:
    """A new attempt starts from the key alone."""
    for namespace, name in list(page.facts):
        if namespace in ("digit", "gone", "rule", "tried"):
            del page.facts[namespace, name]
    page.put("mode", "", mode)


@line
class PassDead(Line):
    """The attempt has no solution: a bare claim."""

    KIND = "study/pass-dead"
    TEXT = "pass fails at {what} {verdict}"
    OUTCOMES = ("next",)
    FORCED_BY = "nothing on the line: a claim about all digits"
    what: Word
    verdict: str

    def transcription(self, page: Page) -> bool:
        return self.what == "all" or letters.is_thing(page, self.what)

    def establish(self, page: Page) -> None:
        page.put("failed", " ".join(page.get("pass", "", ())), True)
        page.put("holds", "", False)


@line
class NoLeadingZero(Line):
    """Letters that open a number and so are not 0."""

    KIND = "study/no-zero"
    TEXT = "not zero {letters}"
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
            and self.digit not in kinds.known_digits(page).values()
        )

    def establish(self, page: Page) -> None:
        letters.put_digit(page, self.letter, self.digit)


@line
class PinValue(_Pin):
    """Operands known: the value's digit at the letter's place."""

    KIND = "study/pin-value"
    TEXT = "E{number} {rule} {x},{y} gives {value} so {letter}={digit}"
    number: int
    rule: ValueRule
    x: kinds.Pair
    y: kinds.Pair
    value: kinds.Value
    letter: Letter
    digit: Digit

    def transcription(self, page: Page) -> bool:
        e = kinds.example(page, self.number)
        if e is None or not self.free(page):
            return False
        return kinds.operands_of(e, kinds.known_digits(page), BY_NAME[self.rule].mode) == (self.x, self.y)

    def arithmetic(self, page: Page) -> bool:
        return int(self.x) > 0 < int(self.y) and self.value == kinds.written(BY_NAME[self.rule], self.x, self.y)

    def verdict_follows(self, page: Page) -> bool | None:
        e = kinds.example(page, self.number)
        if e is None:
            return None
        target = letters.target_in_letters(page.parsed, e, kinds.known_digits(page), BY_NAME[self.rule].mode)
        found = kinds.fits(self.value, target) or {}
        return found.get(self.letter) == str(self.digit)


@line
class PinUnits(_Pin):
    """The units of a sum or product: the digit that makes them end as they must."""

    KIND = "study/pin-units"
    TEXT = "E{number} {rule} units {work} so {letter}={digit}"
    number: int
    rule: ValueRule
    work: Annotated[str, Chars("0-9+*=\\-")]
    letter: Letter
    digit: Digit

    def transcription(self, page: Page) -> bool:
        return self.free(page) and kinds.example(page, self.number) is not None

    def arithmetic(self, page: Page) -> bool:
        e = kinds.example(page, self.number)
        if e is None:
            return False
        known = {**kinds.known_digits(page), letters.glyph_of(page, self.letter) or "": self.digit}
        return self.work == units_work(self.rule, e, known)

    def verdict_follows(self, page: Page) -> bool | None:
        """The printed units end in the digit that the output's units letter has."""
        e = kinds.example(page, self.number)
        if e is None:
            return None
        out = letters.reading(e, BY_NAME[self.rule].mode)[2][-1]
        known = {**kinds.known_digits(page), letters.glyph_of(page, self.letter) or "": self.digit}
        return str(known.get(out)) == self.work[-1:]


def units_work(rule: str, e, known: dict[str, int]) -> str:
    """Units of a sum or product with its neighbour, such as 7+6+1=14; "" when a unit is unknown."""
    base = BY_NAME[rule].base
    if base[:3] not in ("add", "mul"):
        return ""
    left, right, _ = letters.reading(e, BY_NAME[rule].mode)
    if left[1] not in known or right[1] not in known:
        return ""
    p, q, k = known[left[1]], known[right[1]], base[3:]
    total = (p + q if base.startswith("add") else p * q) + kinds.OFFSETS[k or "same"]
    return f"{p}{'+' if base.startswith('add') else '*'}{q}{k}={total}"


@line
class PinLead(_Pin):
    """A sum of three digits opens with 1."""

    KIND = "study/pin-lead"
    TEXT = "E{number} sum of three digits so {letter}={digit}"
    number: int
    letter: Letter
    digit: Digit

    def transcription(self, page: Page) -> bool:
        e = kinds.example(page, self.number)
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
    OUTCOMES = ("pin",)
    FORCED_BY = "nothing on the line: the listed digits are declared impossible"
    letter: Letter
    gone: Digits
    letter2: Letter
    digit: Digit
    verdict: str

    def transcription(self, page: Page) -> bool:
        return self.free(page) and self.letter == self.letter2 and str(self.digit) not in self.gone


@line
class DropRules(Line):
    """Rules of an operator that no digits fit: a bare claim."""

    KIND = "study/drop"
    TEXT = "{op} only {rules:,} {verdict}"
    OUTCOMES = ("drop",)
    FORCED_BY = "nothing on the line: a claim about all digits"
    op: Operator
    rules: tuple[ValueRule, ...]
    verdict: str

    def transcription(self, page: Page) -> bool:
        live = letters.operator_glyph(page, self.op) is not None and not letters.gone(page, self.op) & set(self.rules)
        return live and letters.listed(self.rules)

    def establish(self, page: Page) -> None:
        dropped = tuple(name for name in kinds.RULE_INDEX if name not in self.rules)
        letters.drop(page, self.op, dropped)


@line
class Choose(Line):
    """The letter to branch on and the digits it may still have."""

    KIND = "study/choose"
    TEXT = "choose {letter} of {digits}"
    letter: Letter
    digits: Digits

    def transcription(self, page: Page) -> bool:
        open_ = letters.pinned(page, self.letter) is None and letters.glyph_of(page, self.letter) is not None
        return open_ and list(self.digits) == sorted(set(self.digits))

    def establish(self, page: Page) -> None:
        page.put("chosen", "", (self.letter, self.digits))


@line
class TryDigit(Line):
    """One digit of the chosen letter: what it leads to, and the digits tried so far."""

    KIND = "study/try"
    TEXT = "try {letter}={digit} {consequence} tried {tried} {verdict}"
    OUTCOMES = ("dead", "holds")
    FORCED_BY = "the named consequence: something without a value is a conflict"
    letter: Letter
    digit: Digit
    consequence: Annotated[str, Chars("A-Vw-z0-9E\\-")]
    tried: Digits
    verdict: str

    def transcription(self, page: Page) -> bool:
        letter, digits = page.get("chosen", "", ("", ""))
        free = letters.pinned(page, self.letter) is None and self.digit not in kinds.known_digits(page).values()
        named = self.consequence == "-" or letters.is_thing(page, self.consequence)
        before = page.get("tried", self.letter, "")
        chosen = self.letter == letter and str(self.digit) in digits
        return free and named and chosen and self.tried == before + str(self.digit)

    def verdict_follows(self, page: Page) -> bool:
        return (self.verdict == "holds") == (self.consequence == "-")

    def establish(self, page: Page) -> None:
        page.put("tried", self.letter, self.tried)
        if self.verdict == "holds":
            page.mark()
            page.put("supposed", "", self.letter)
            letters.put_digit(page, self.letter, self.digit)


@line
class TryCounted(TryDigit):
    """The same with a number in front that only rises (r6)."""

    KIND = "study/try-counted"
    TEXT = "t{count} try {letter}={digit} {consequence} tried {tried} {verdict}"
    OUTCOMES = ("dead", "holds")
    FORCED_BY = "the named consequence: something without a value is a conflict"
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
    OUTCOMES = ("clash",)
    FORCED_BY = "the two equal digits on the line"
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
    letter: Letter
    digit: Digit

    def transcription(self, page: Page) -> bool:
        return self.free(page)


@line
class Map(Line):
    """Every settled letter with its digit."""

    KIND = "study/map"
    TEXT = "map {pairs: =}"
    pairs: tuple[tuple[Letter, Digit], ...]

    def transcription(self, page: Page) -> bool:
        names = letters.letters_of(page.parsed)
        known = {names[glyph]: value for glyph, value in kinds.known_digits(page).items() if glyph in names}
        return dict(self.pairs) == known


@line
class Distinct(Line):
    """The digits of the map, all different."""

    KIND = "study/distinct"
    TEXT = "digits {digits} {verdict}"
    OUTCOMES = ("differ", "repeat")
    FORCED_BY = "the digits on the line"
    digits: Digits
    verdict: str

    def transcription(self, page: Page) -> bool:
        names = letters.letters_of(page.parsed)
        known = [str(value) for glyph, value in kinds.known_digits(page).items() if glyph in names]
        return sorted(self.digits) == sorted(known)

    def verdict_follows(self, page: Page) -> bool:
        return (self.verdict == "differ") == (len(set(self.digits)) == len(self.digits))


@line
class RulesFound(Line):
    """The rule of every operator."""

    KIND = "study/rules"
    TEXT = "rules {pairs:,:}"
    pairs: tuple[tuple[Operator, ValueRule], ...]

    def transcription(self, page: Page) -> bool:
        names = letters.operators_of(page.parsed)
        ops = [names[op] for op in dict.fromkeys(clue.op for clue in clues(page.parsed))]
        return [op for op, _ in self.pairs] == ops and all(
            rule not in letters.gone(page, op) for op, rule in self.pairs
        )

    def establish(self, page: Page) -> None:
        for op, rule in self.pairs:
            glyph = letters.operator_glyph(page, op)
            if glyph is not None:
                page.put("rule", glyph, rule)


@line
class Compare(Line):
    """A rule on an example: what it gives, against the output read through the map."""

    KIND = "study/compare"
    TEXT = "{op} as {rule} E{number} {x},{y} gives {value} vs {target} {verdict}"
    OUTCOMES = ("no", "match")
    FORCED_BY = "the two values on the line"
    op: Operator
    rule: ValueRule
    number: int
    x: kinds.Pair
    y: kinds.Pair
    value: kinds.Value
    target: Target
    verdict: str

    def transcription(self, page: Page) -> bool:
        e = kinds.example(page, self.number)
        if e is None or letters.operators_of(page.parsed)[e.op] != self.op:
            return False
        known, mode = kinds.known_digits(page), BY_NAME[self.rule].mode
        target = letters.target_in_letters(page.parsed, e, known, mode)
        return kinds.operands_of(e, known, mode) == (self.x, self.y) and target == self.target

    def arithmetic(self, page: Page) -> bool:
        return int(self.x) > 0 < int(self.y) and self.value == kinds.written(BY_NAME[self.rule], self.x, self.y)

    def verdict_follows(self, page: Page) -> bool:
        return (self.verdict == "match") == (self.value == self.target)


@line
class Verify(Line):
    """An example once more: its output is read first, then computed."""

    KIND = "study/verify"
    TEXT = "verify E{number} {output} reads {target}, {rule} {x},{y} gives {value} {verdict}"
    OUTCOMES = ("match", "differ")
    FORCED_BY = "the two values on the line"
    number: int
    output: Word
    target: Target
    rule: ValueRule
    x: kinds.Pair
    y: kinds.Pair
    value: kinds.Value
    verdict: str

    def transcription(self, page: Page) -> bool:
        e = kinds.example(page, self.number)
        if e is None or self.output != e.output or page.get("rule", e.op) != self.rule:
            return False
        known, mode = kinds.known_digits(page), BY_NAME[self.rule].mode
        target = letters.target_in_letters(page.parsed, e, known, mode)
        return kinds.operands_of(e, known, mode) == (self.x, self.y) and target == self.target

    def arithmetic(self, page: Page) -> bool:
        return int(self.x) > 0 < int(self.y) and self.value == kinds.written(BY_NAME[self.rule], self.x, self.y)

    def verdict_follows(self, page: Page) -> bool:
        return (self.verdict == "match") == (self.value == self.target)


@line
class NoPass(Line):
    """Every pass has failed, so one of the examples must be bad (r6)."""

    KIND = "study/no-pass"
    TEXT = "t{count} no pass fits, an example is bad"
    count: int

    def transcription(self, page: Page) -> bool:
        literal = all(op in kinds.SIGN_GROUP for op in page.parsed.operators)
        failed = [page.get("failed", " ".join(each), False) for each in passes_of("family" if literal else "plain")]
        return all(failed) and self.count == page.get("tries", "", 0) + 1

    def establish(self, page: Page) -> None:
        page.put("tries", "", self.count)
        page.put("without", "", 0)


def spare(row: EquationRow) -> tuple[int, ...]:
    """The arithmetic examples whose operator has another one, which may be left out."""
    found = clues(row)
    return tuple(clue.number for clue in found if sum(other.op == clue.op for other in found) > 1)


@line
class Without(Line):
    """One example left out and the first pass tried again: what that leads to (r6)."""

    KIND = "study/without"
    TEXT = "t{count} without E{number} {consequence} {verdict}"
    OUTCOMES = ("dead", "holds")
    FORCED_BY = "the named consequence: something without a value is a conflict"
    count: int
    number: int
    consequence: Annotated[str, Chars("A-Vw-z0-9E\\-")]
    verdict: str

    def transcription(self, page: Page) -> bool:
        """The first example that may be left out, or the next after the last one that was."""
        later = [number for number in spare(page.parsed) if number > page.get("without", "", MAX_EXAMPLES)]
        named = self.consequence == "-" or letters.is_thing(page, self.consequence)
        return later[:1] == [self.number] and named and self.count == page.get("tries", "", 0) + 1

    def verdict_follows(self, page: Page) -> bool:
        return (self.verdict == "holds") == (self.consequence == "-")

    def establish(self, page: Page) -> None:
        page.put("tries", "", self.count)
        page.put("without", "", self.number)
        page.put("holds", "", self.verdict == "holds")
        start_again(page, "normal")


@line
class Bad(Line):
    """The example without which the others fit (r6)."""

    KIND = "study/bad"
    TEXT = "E{number} is the bad one"
    number: int

    def transcription(self, page: Page) -> bool:
        return self.number == page.get("without") and page.get("holds", "", False)

    def establish(self, page: Page) -> None:
        page.put("bad", "", self.number)


@line
class Excluded(Verify):
    """The bad example as the others are verified: it stays excluded (r6)."""

    KIND = "study/excluded"
    TEXT = "excluded E{number} {output} reads {target}, {rule} {x},{y} gives {value} {verdict}"
    OUTCOMES = ("match", "differ")
    FORCED_BY = "the two values on the line"
    number: int
    output: Word
    target: Target
    rule: ValueRule
    x: kinds.Pair
    y: kinds.Pair
    value: kinds.Value
    verdict: str

    def transcription(self, page: Page) -> bool:
        return self.number == page.get("bad") and super().transcription(page)


@line
class CheckEcho(Line):
    """r1's check: the computed value beside an expectation that is never read from the page, so it may be an echo."""

    KIND = "study/check"
    TEXT = "check E{number} {rule} {x},{y} gives {value} expected {expected} {verdict}"
    OUTCOMES = ("match", "differ")
    FORCED_BY = "the two values on the line"
    number: int
    rule: ValueRule
    x: kinds.Pair
    y: kinds.Pair
    value: kinds.Value
    expected: kinds.Value
    verdict: str

    def transcription(self, page: Page) -> bool:
        e = kinds.example(page, self.number)
        if e is None or page.get("rule", e.op) != self.rule:
            return False
        known, mode = kinds.known_digits(page), BY_NAME[self.rule].mode
        wanted = kinds.target_of(e, known, mode)
        return kinds.operands_of(e, known, mode) == (self.x, self.y) and wanted == self.expected

    def arithmetic(self, page: Page) -> bool:
        return int(self.x) > 0 < int(self.y) and self.value == kinds.written(BY_NAME[self.rule], self.x, self.y)

    def verdict_follows(self, page: Page) -> bool:
        return (self.verdict == "match") == (self.value == self.expected)


STUDY_KINDS = (
    Cue, Pass, PassDead, NoLeadingZero, PinValue, PinUnits, PinLead, PinSole, DropRules, Choose, TryDigit, TryCounted,
    UndoDigit, Exhausted, Collision, Take, Map, Distinct, RulesFound, Compare, Verify, CheckEcho,
)  # fmt: skip
DROP_KINDS = (NoPass, Without, Bad, Excluded)
