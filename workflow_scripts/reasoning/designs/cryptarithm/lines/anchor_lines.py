"""Kinds of line of the study's anchor designs (r9-r11): whole assignments of one example, tried and rejected."""

from typing import Annotated, Literal

from puzzles.equations.prompt import Equation
from puzzles.equations.rules import BY_NAME, Rule
from reasoning.designs.cryptarithm.engines.propagation import clues, matching
from reasoning.designs.cryptarithm.lines import arithmetic, drop_families, drop_sizes, notation
from reasoning.designs.cryptarithm.lines.drop_values import choices
from reasoning.designs.cryptarithm.lines.letters import ValueRule
from reasoning.grammar.lines import FAILED, PASSED, Chars, Digit, Glyph, Line, Word, line
from reasoning.grammar.page import Page

Pairs = tuple[tuple[Glyph, Digit], ...]


def spaced(equation: Equation) -> str:
    """An example with a blank between all characters."""
    return " ".join(equation.left + equation.op + equation.right + "=" + equation.output)


@line
class Spaced(Line):
    """An example, one glyph at a time."""

    KIND = "anchor/spaced"
    TEXT = "E{number}: {text_}"
    ROLES = "number:T text_:T"
    number: int
    text_: Annotated[str, Chars("!-~ ")]

    def transcription(self, page: Page) -> bool:
        e = notation.example(page, self.number)
        return e is not None and self.text_ == spaced(e)


@line
class OperatorRule(Line):
    """An operator's rule, named after the length of an output, which cannot tell it: the renderer knows it."""

    KIND = "anchor/operator"
    TEXT = "{op} E{number} prints {length}, no join, so {rule}"
    ROLES = "op:TB number:T~ length:T rule:B/V"
    op: Glyph
    number: int
    length: int
    rule: ValueRule

    def transcription(self, page: Page) -> bool:
        e = notation.example(page, self.number)
        return e is not None and e.op == self.op and self.length == len(e.output)

    def verdict_follows(self, page: Page) -> bool | None:
        """Only that the family can print so many digits; nothing on the line tells the rule."""
        e = notation.example(page, self.number)
        if e is None:
            return None
        low, high = drop_sizes.RANGES[drop_families.family_of(self.rule)]
        least, most = drop_sizes.length_range(e)
        return least <= high and most >= low

    def is_true(self, page: Page) -> bool | None:
        rule = page.truth.rules.get(self.op) if page.judges else None
        return None if rule is None else self.rule == rule

    def establish(self, page: Page) -> None:
        page.put("rule", self.op, self.rule)


@line
class OrderGiven(Line):
    """The reading order, asserted."""

    KIND = "anchor/order"
    TEXT = "order {mode}"
    ROLES = "mode:T"
    mode: Literal["normal", "flip"]

    def transcription(self, page: Page) -> bool:
        return all(BY_NAME[rule].mode == self.mode for rule in page.names("rule").values() if rule in BY_NAME)

    def establish(self, page: Page) -> None:
        page.put("order-given", "", self.mode)


@line
class Sizes(Line):
    """Two toy products that say how large a result is (r11)."""

    KIND = "anchor/sizes"
    TEXT = "sizes {a}*{b}={small} {c}*{d}={large}"
    ROLES = "a:A b:A small:A c:A d:A large:A"
    a: int
    b: int
    small: int
    c: int
    d: int
    large: int

    def arithmetic(self, page: Page) -> bool:
        return self.a * self.b == self.small and self.c * self.d == self.large


@line
class AnchorChoice(Line):
    """The example whose assignments are tried, and how many it has."""

    KIND = "anchor/anchor"
    TEXT = "anchor E{number} {count} ways"
    ROLES = "number:AT~ count:A"
    number: int
    count: int

    def transcription(self, page: Page) -> bool:
        return notation.example(page, self.number) is not None

    def arithmetic(self, page: Page) -> bool:
        """As many rows of the catalog agree with its operator's rule and the digits known."""
        chosen = notation.chosen_rules(page.names("rule"))
        clue = next((clue for clue in clues(page.parsed) if clue.number == self.number), None)
        if clue is None or clue.op not in chosen:
            return False
        return self.count == len(matching(clue, notation.known_digits(page), notation.row_mode(chosen), chosen))

    def establish(self, page: Page) -> None:
        page.put("anchor", "", self.number)


@line
class Attempt(Line):
    """One assignment of the anchor's glyphs, with its own sum."""

    KIND = "anchor/attempt"
    TEXT = "try {k} {x},{y} {value} {pairs: =|none}"
    ROLES = "k:T x:TA y:TA value:A pairs:T/A"
    k: int
    x: notation.Pair
    y: notation.Pair
    value: notation.Value
    pairs: tuple[tuple[Glyph, Digit], ...]

    def transcription(self, page: Page) -> bool:
        """The next try, or the one to stop with; its digits are free and make the operands."""
        e = notation.example(page, page.get("anchor", "", 0))
        rule = BY_NAME.get(page.get("rule", e.op, "")) if e is not None else None
        if self.k != page.get("stop", "", page.get("tried", "", 0) + 1):
            return False
        known, new = notation.known_digits(page), dict(self.pairs)
        if rule is None or set(new) & set(known) or set(new.values()) & set(known.values()):
            return False
        digits = {**known, **new}
        return notation.operands_of(e, digits, rule.mode) == (self.x, self.y) and len(set(new.values())) == len(new)

    def arithmetic(self, page: Page) -> bool:
        e = notation.example(page, page.get("anchor", "", 0))
        rule = BY_NAME.get(page.get("rule", e.op, "")) if e is not None else None
        if rule is None or rule.is_join or not int(self.x) or not int(self.y):
            return False
        digits = {**notation.known_digits(page), **dict(self.pairs)}
        return arithmetic.written(rule, self.x, self.y) == self.value == notation.target_of(e, digits, rule.mode)

    def establish(self, page: Page) -> None:
        page.put("tried", "", self.k)
        page.mark()
        page.put("supposed", "", self.k)
        for glyph, value in self.pairs:
            page.put("digit", glyph, value)


def example_and_rule(page: Page, number: int) -> tuple[Equation | None, Rule | None]:
    """The example of that number and the rule that the page gives its operator, None where there is none."""
    e = notation.example(page, number)
    return e, BY_NAME.get(page.get("rule", e.op, "")) if e is not None else None


@line
class Completion(Line):
    """Another example under the attempt: its value against its output, and the digits that this gives."""

    KIND = "anchor/completion"
    TEXT = "E{number} {x},{y} gives {value} vs {target} {verdict} {pairs: =|none}"
    OUTCOMES = {"fits": PASSED, "out": FAILED}
    FORCED_BY = "the value against the output on the same line, and the digits that other glyphs hold"
    ROLES = "number:TA x:TA y:TA value:AV target:TV pairs:V"
    number: int
    x: notation.Pair
    y: notation.Pair
    value: notation.Value
    target: Word
    verdict: str
    pairs: tuple[tuple[Glyph, Digit], ...]

    def transcription(self, page: Page) -> bool:
        e, rule = example_and_rule(page, self.number)
        if rule is None:
            return False
        known = notation.known_digits(page)
        return notation.operands_of(e, known, rule.mode) == (self.x, self.y) and self.target == notation.target_of(
            e, known, rule.mode
        )

    def arithmetic(self, page: Page) -> bool:
        e, rule = example_and_rule(page, self.number)
        if rule is None or rule.is_join or not int(self.x) or not int(self.y):
            return False
        return arithmetic.written(rule, self.x, self.y) == self.value

    def verdict_follows(self, page: Page) -> bool:
        new = notation.fits(self.value, self.target, notation.left_over(page)[1])
        if new is None:
            return self.verdict == "out" and not self.pairs
        return self.verdict == "fits" and {glyph: str(value) for glyph, value in self.pairs} == new

    def establish(self, page: Page) -> None:
        for glyph, value in self.pairs:
            page.put("digit", glyph, value)


def open_operands(e: Equation, known: dict[str, int]) -> list[str]:
    """The operand glyphs without a digit, as they come."""
    return list(dict.fromkeys(c for c in e.left + e.right if c not in known))


@line
class Way(Line):
    """An example under the attempt with free digits for the glyphs that its operands lack: value against output."""

    KIND = "anchor/way"
    TEXT = "E{number} {pairs: =}: {x},{y} gives {value} vs {target} {verdict}"
    OUTCOMES = {"fits": PASSED, "out": FAILED}
    FORCED_BY = "the value against the output on the same line, unknown glyphs taking free digits"
    ROLES = "number:T/A pairs:T x:TA y:TA value:AV target:TV"
    number: int
    pairs: Pairs
    x: notation.Pair
    y: notation.Pair
    value: notation.Value
    target: Word
    verdict: str

    def transcription(self, page: Page) -> bool:
        """The next choice of free digits for all glyphs that the operands lack."""
        e, rule = example_and_rule(page, self.number)
        if rule is None:
            return False
        known, free = notation.known_digits(page), notation.left_over(page)[1]
        ways, tried = choices([(glyph, free) for glyph in open_operands(e, known)]), page.get("ways", "", ())
        place = sum(number == self.number for number, *_ in tried)
        digits = {**known, **dict(self.pairs)}
        if not place < len(ways) or dict(self.pairs) != ways[place] or len(self.pairs) != len(ways[place]):
            return False
        same = notation.operands_of(e, digits, rule.mode) == (self.x, self.y)
        return same and self.target == notation.target_of(e, digits, rule.mode)

    def arithmetic(self, page: Page) -> bool:
        _, rule = example_and_rule(page, self.number)
        if rule is None or rule.is_join or not int(self.x) or not int(self.y):
            return False
        return arithmetic.written(rule, self.x, self.y) == self.value

    def verdict_follows(self, page: Page) -> bool:
        used = {str(digit) for _, digit in self.pairs}
        free = "".join(c for c in notation.left_over(page)[1] if c not in used)
        return (self.verdict == "fits") == (notation.fits(self.value, self.target, free) is not None)

    def establish(self, page: Page) -> None:
        page.put("ways", "", (*page.get("ways", "", ()), (self.number, self.pairs, self.verdict)))


@line
class Narrowed(Line):
    """All choices for an example were tried: the one that fits, or none."""

    KIND = "anchor/narrowed"
    TEXT = "E{number} {count} ways {verdict} {pairs: =|none}"
    OUTCOMES = {"fits": PASSED, "out": FAILED}
    FORCED_BY = "whether a way is named on the same line"
    ROLES = "number:T count:T pairs:TV"
    number: int
    count: int
    pairs: Pairs
    verdict: str

    def transcription(self, page: Page) -> bool:
        """As the lines before say, which have tried every choice."""
        e, known, free = notation.example(page, self.number), notation.known_digits(page), notation.left_over(page)[1]
        ways = [(pairs, verdict) for number, pairs, verdict in page.get("ways", "", ()) if number == self.number]
        if e is None or len(choices([(glyph, free) for glyph in open_operands(e, known)])) != len(ways):
            return False
        fits = [pairs for pairs, verdict in ways if verdict == "fits"]
        return self.count == len(ways) and len(fits) < 2 and self.pairs == (fits[0] if fits else ())

    def verdict_follows(self, page: Page) -> bool:
        return (self.verdict == "fits") == bool(self.pairs)

    def establish(self, page: Page) -> None:
        page.put("ways", "", ())
        for glyph, digit in self.pairs:
            page.put("digit", glyph, digit)


@line
class Reject(Line):
    """The attempt is given up."""

    KIND = "anchor/reject"
    TEXT = "reject {k}"
    ROLES = "k:T"
    k: int

    def transcription(self, page: Page) -> bool:
        return page.get("supposed") == self.k

    def establish(self, page: Page) -> None:
        page.undo()


@line
class Keep(Line):
    """Every example holds under the attempt."""

    KIND = "anchor/keep"
    TEXT = "keep {k}"
    ROLES = "k:T"
    k: int

    def transcription(self, page: Page) -> bool:
        return page.get("supposed") == self.k


@line
class StopAfter(Line):
    """The attempts that are allowed are used up: box the closest reading, right or wrong."""

    KIND = "anchor/stop"
    TEXT = "{k} tries gone, stop with try {chosen}"
    ROLES = "k:T chosen:-"
    k: int
    chosen: int

    def transcription(self, page: Page) -> bool:
        return self.k == page.get("tried") and 0 < self.chosen <= self.k

    def is_bare(self, page: Page) -> bool:
        return True

    def establish(self, page: Page) -> None:
        page.put("stop", "", self.chosen)


@line
class MapGlyphs(Line):
    """Every settled glyph with its digit."""

    KIND = "anchor/map"
    TEXT = "map {pairs: =}"
    ROLES = "pairs:T"
    pairs: tuple[tuple[Glyph, Digit], ...]

    def transcription(self, page: Page) -> bool:
        return dict(self.pairs) == notation.known_digits(page)


@line
class VerifyGlyphs(Line):
    """An example once more under the map."""

    KIND = "anchor/verify"
    TEXT = "verify E{number} {x},{y} gives {value} {verdict}"
    OUTCOMES = {"ok": PASSED}
    FORCED_BY = "the map: only assignments that carry every example get here"
    ROLES = "number:TAV x:TA y:TA value:AV"
    number: int
    x: notation.Pair
    y: notation.Pair
    value: notation.Value
    verdict: str

    def transcription(self, page: Page) -> bool:
        e, rule = example_and_rule(page, self.number)
        return rule is not None and notation.operands_of(e, notation.known_digits(page), rule.mode) == (self.x, self.y)

    def arithmetic(self, page: Page) -> bool:
        e, rule = example_and_rule(page, self.number)
        if rule is None or rule.is_join or not int(self.x) or not int(self.y):
            return False
        return arithmetic.written(rule, self.x, self.y) == self.value

    def verdict_follows(self, page: Page) -> bool | None:
        e, rule = example_and_rule(page, self.number)
        return None if rule is None else self.value == notation.target_of(e, notation.known_digits(page), rule.mode)


ANCHOR_KINDS = (
    Spaced, OperatorRule, OrderGiven, Sizes, AnchorChoice, Attempt, Completion, Way, Narrowed, Reject, Keep, StopAfter,
    MapGlyphs, VerifyGlyphs,
)  # fmt: skip
