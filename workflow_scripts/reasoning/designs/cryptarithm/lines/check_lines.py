"""Lines that close the study's tree search (r1-r6): map, rules, verification, a bad example."""

from typing import Annotated

from puzzles.equations.prior import SIGN_GROUPS
from puzzles.equations.prompt import MAX_EXAMPLES, EquationRow
from puzzles.equations.rules import BY_NAME
from reasoning.designs.cryptarithm.engines.propagation import clues
from reasoning.designs.cryptarithm.lines import arithmetic, letters, notation
from reasoning.designs.cryptarithm.lines.letters import Letter, Operator, Target, ValueRule
from reasoning.designs.cryptarithm.lines.tree_lines import (
    Choose,
    Collision,
    Cue,
    DropRules,
    Exhausted,
    NoLeadingZero,
    Pass,
    PassDead,
    PinLead,
    PinSole,
    PinUnits,
    PinValue,
    Take,
    TryCounted,
    TryDigit,
    UndoDigit,
    pass_holds,
    passes_of,
    start_again,
)
from reasoning.grammar.lines import FAILED, PASSED, Chars, Digit, Digits, Line, Word, line
from reasoning.grammar.page import Page


@line
class Map(Line):
    """Every settled letter with its digit."""

    KIND = "study/map"
    TEXT = "map {pairs: =}"
    ROLES = "pairs:T"
    pairs: tuple[tuple[Letter, Digit], ...]

    def transcription(self, page: Page) -> bool:
        names = letters.letters_of(page.parsed)
        known = {names[glyph]: value for glyph, value in notation.known_digits(page).items() if glyph in names}
        return dict(self.pairs) == known


@line
class Distinct(Line):
    """The digits of the map, all different."""

    KIND = "study/distinct"
    TEXT = "digits {digits} {verdict}"
    OUTCOMES = {"differ": PASSED, "repeat": FAILED}
    FORCED_BY = "the digits on the line"
    ROLES = "digits:TV"
    digits: Digits
    verdict: str

    def transcription(self, page: Page) -> bool:
        names = letters.letters_of(page.parsed)
        known = [str(value) for glyph, value in notation.known_digits(page).items() if glyph in names]
        return sorted(self.digits) == sorted(known)

    def verdict_follows(self, page: Page) -> bool:
        return (self.verdict == "differ") == (len(set(self.digits)) == len(self.digits))


@line
class RulesFound(Line):
    """The rule of every operator."""

    KIND = "study/rules"
    TEXT = "rules {pairs:,:}"
    ROLES = "pairs:T~"
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
    OUTCOMES = {"no": FAILED, "match": PASSED}
    FORCED_BY = "the two values on the line"
    ROLES = "op:T rule:A/T~ number:T x:TA y:TA value:AV target:TV"
    op: Operator
    rule: ValueRule
    number: int
    x: notation.Pair
    y: notation.Pair
    value: notation.Value
    target: Target
    verdict: str

    def transcription(self, page: Page) -> bool:
        e = notation.example(page, self.number)
        if e is None or letters.operators_of(page.parsed)[e.op] != self.op:
            return False
        known, mode = notation.known_digits(page), BY_NAME[self.rule].mode
        target = letters.target_in_letters(page.parsed, e, known, mode)
        live = self.rule not in letters.gone(page, self.op)
        return live and notation.operands_of(e, known, mode) == (self.x, self.y) and target == self.target

    def arithmetic(self, page: Page) -> bool:
        return int(self.x) > 0 < int(self.y) and self.value == arithmetic.written(BY_NAME[self.rule], self.x, self.y)

    def verdict_follows(self, page: Page) -> bool:
        return (self.verdict == "match") == (self.value == self.target)


@line
class Verify(Line):
    """An example once more: its output is read first, then computed."""

    KIND = "study/verify"
    TEXT = "verify E{number} {output} reads {target}, {rule} {x},{y} gives {value} {verdict}"
    OUTCOMES = {"match": PASSED, "differ": FAILED}
    FORCED_BY = "the two values on the line"
    ROLES = "number:T output:T target:TV rule:TA x:TA y:TA value:AV"
    number: int
    output: Word
    target: Target
    rule: ValueRule
    x: notation.Pair
    y: notation.Pair
    value: notation.Value
    verdict: str

    def transcription(self, page: Page) -> bool:
        e = notation.example(page, self.number)
        if e is None or self.output != e.output or page.get("rule", e.op) != self.rule:
            return False
        known, mode = notation.known_digits(page), BY_NAME[self.rule].mode
        target = letters.target_in_letters(page.parsed, e, known, mode)
        return notation.operands_of(e, known, mode) == (self.x, self.y) and target == self.target

    def arithmetic(self, page: Page) -> bool:
        return int(self.x) > 0 < int(self.y) and self.value == arithmetic.written(BY_NAME[self.rule], self.x, self.y)

    def verdict_follows(self, page: Page) -> bool:
        return (self.verdict == "match") == (self.value == self.target)


@line
class NoPass(Line):
    """Every pass has failed, so one of the examples must be bad (r6)."""

    KIND = "study/no-pass"
    TEXT = "t{count} no pass fits, an example is bad"
    ROLES = "count:T"
    count: int

    def transcription(self, page: Page) -> bool:
        failed = [page.get("failed", " ".join(each), False) for each in passes_of(are_signs(page))]
        return all(failed) and self.count == page.get("tries", "", 0) + 1

    def establish(self, page: Page) -> None:
        page.put("tries", "", self.count)
        page.put("without", "", 0)


def are_signs(page: Page) -> bool:
    """Are all operators signs, so that the first pass has the signs' own rules?"""
    return all(op in SIGN_GROUPS for op in page.parsed.operators)


def spare(row: EquationRow) -> tuple[int, ...]:
    """The arithmetic examples whose operator has another one, which may be left out."""
    found = clues(row)
    return tuple(clue.number for clue in found if sum(other.op == clue.op for other in found) > 1)


@line
class Without(Line):
    """One example left out and the first pass tried again: what that leads to (r6)."""

    KIND = "study/without"
    TEXT = "t{count} without E{number} {consequence} {verdict}"
    OUTCOMES = {"dead": FAILED, "holds": PASSED}
    FORCED_BY = "the named consequence: something without a value is a conflict"
    ROLES = "count:T number:T consequence:-"
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

    def is_bare(self, page: Page) -> bool:
        return True

    def is_true(self, page: Page) -> bool | None:
        """What holds is written out by the lines that follow."""
        found = pass_holds(page, *passes_of(are_signs(page))[0], self.number)
        return not found if found is not None and self.verdict == "dead" else None

    def establish(self, page: Page) -> None:
        page.put("tries", "", self.count)
        page.put("without", "", self.number)
        page.put("holds", "", self.verdict == "holds")
        start_again(page, "normal")
        page.assumed = pass_holds(page, *passes_of(are_signs(page))[0], self.number)


@line
class Bad(Line):
    """The example without which the others fit (r6)."""

    KIND = "study/bad"
    TEXT = "E{number} is the bad one"
    ROLES = "number:T"
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
    OUTCOMES = {"match": PASSED, "differ": FAILED}
    FORCED_BY = "the two values on the line"
    ROLES = "number:T output:T target:TV rule:TA x:TA y:TA value:AV"
    number: int
    output: Word
    target: Target
    rule: ValueRule
    x: notation.Pair
    y: notation.Pair
    value: notation.Value
    verdict: str

    def transcription(self, page: Page) -> bool:
        return self.number == page.get("bad") and super().transcription(page)


@line
class CheckEcho(Line):
    """r1's check: the computed value beside an expectation that is never read from the page, so it may be an echo."""

    KIND = "study/check"
    TEXT = "check E{number} {rule} {x},{y} gives {value} expected {expected} {verdict}"
    OUTCOMES = {"match": PASSED, "differ": FAILED}
    FORCED_BY = "the two values on the line"
    ROLES = "number:T rule:TA x:TA y:TA value:AV expected:TV"
    number: int
    rule: ValueRule
    x: notation.Pair
    y: notation.Pair
    value: notation.Value
    expected: notation.Value
    verdict: str

    def transcription(self, page: Page) -> bool:
        e = notation.example(page, self.number)
        if e is None or page.get("rule", e.op) != self.rule:
            return False
        known, mode = notation.known_digits(page), BY_NAME[self.rule].mode
        wanted = notation.target_of(e, known, mode)
        return notation.operands_of(e, known, mode) == (self.x, self.y) and wanted == self.expected

    def arithmetic(self, page: Page) -> bool:
        return int(self.x) > 0 < int(self.y) and self.value == arithmetic.written(BY_NAME[self.rule], self.x, self.y)

    def verdict_follows(self, page: Page) -> bool:
        return (self.verdict == "match") == (self.value == self.expected)


STUDY_KINDS = (
    Cue, Pass, PassDead, NoLeadingZero, PinValue, PinUnits, PinLead, PinSole, DropRules, Choose, TryDigit, TryCounted,
    UndoDigit, Exhausted, Collision, Take, Map, Distinct, RulesFound, Compare, Verify, CheckEcho,
)  # fmt: skip
DROP_KINDS = (NoPass, Without, Bad, Excluded)
