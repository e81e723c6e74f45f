"""Lines of the witnessed chain that test rules, each with the numbers that it rests on.

Every kind of test comes three times: `try` may end in drop or keep, `not` ends in drop and `may` in keep. The fields
and the checks are the same; what differs is whether the line's opening word tells its end.
"""

from collections.abc import Callable, Sequence
from math import prod
from typing import Annotated, Literal

from puzzles.equations.prompt import Equation, minus_and_digits
from puzzles.equations.rules import BY_NAME, VALUE_RULES, Rule
from reasoning.designs.cryptarithm.lines import arithmetic, notation
from reasoning.designs.cryptarithm.lines.chain_lines import ChainLine
from reasoning.designs.cryptarithm.lines.letters import (
    Letter,
    Operator,
    Target,
    ValueRule,
    drop,
    gone,
    letters_of,
    operator_glyph,
    operators_of,
    said,
    struck,
    target_in_letters,
)
from reasoning.grammar.lines import FAILED, PASSED, Chars, Digits, Line, line
from reasoning.grammar.page import Page

RULE_FAMILIES = ("add", "mul", "sub", "rsub", "abs", "negabs", "absneg", "mod")
_SIDES = {"sub": "p.", "rsub": "s.", "negabs": "p", "absneg": "s"}
KEEP = {"drop": FAILED, "keep": PASSED}
Sets = Callable[[str], str]  # glyph -> the digits that are written of it


def sides_of(family: str, equation: Equation) -> str:
    """Where a family can write its minus in an output as long as this one; only a zero goes without its minus."""
    sides = _SIDES.get(family, ".")
    return sides if len(sides) == 2 or sides == "." or len(minus_and_digits(equation)[1]) > 1 else sides + "."


def family_rules(name: str, mode: str = "any") -> tuple[str, ...]:
    """All rules of a family word: add and mul with their neighbours, a difference rule; in one mode or in both."""
    return tuple(rule.name for rule in VALUE_RULES if family_of(rule.name) == name and mode in ("any", rule.mode))


def family_of(rule: str) -> str:
    base = BY_NAME[rule].base
    return base if base in RULE_FAMILIES else base[:3]


class _Test(ChainLine):
    """Shared by the tests: dropped rules leave the page."""

    def names(self) -> tuple[str, ...]:
        return (self.rule,)

    def live(self, page: Page) -> bool:
        """Are the rules it speaks of still on the page?"""
        return not struck(page, self.op) & set(self.names())

    def agrees(self, page: Page) -> bool:
        e = notation.example(page, self.number)
        named = e is not None and operators_of(page.parsed)[e.op] == self.op
        return named and self.live(page) and self.premises(page, e)

    def premises(self, page: Page, e: Equation) -> bool:
        return True

    def settle(self, page: Page) -> None:
        if self.verdict == "drop":
            drop(page, self.op, self.names())


FamilyName = Literal[RULE_FAMILIES]


class _TestFamilies(_Test):
    """Shared by the tests of whole families."""

    def order(self) -> str:
        """The reading order it speaks of."""
        return "any"

    def names(self) -> tuple[str, ...]:
        return tuple(name for family in self.families for name in family_rules(family, self.order()))

    def live(self, page: Page) -> bool:
        dropped, distinct = struck(page, self.op), len(set(self.families)) == len(self.families)
        rules = [set(family_rules(family, self.order())) for family in self.families]
        return distinct and all(each and not each <= dropped for each in rules)


@line
class TestSign(_TestFamilies):
    """Where a family can write its minus, against the page."""

    KIND = "try/sign"
    TEXT = "s{step} try {op} {families:,} puts {sides} E{number} has {found} {verdict}"
    OUTCOMES = KEEP
    FORCED_BY = "the sides on the same line (p in front, s behind, . none)"
    ROLES = "step:T op:T families:A/T sides:AV number:T/A~ found:TV line:~"
    step: int
    op: Operator
    families: tuple[FamilyName, ...]
    sides: Annotated[str, Chars("ps.")]
    number: int
    found: Annotated[str, Chars("ps.", 1)]
    verdict: str

    def premises(self, page: Page, e: Equation) -> bool:
        return self.found == notation.side_of(notation.target_of(e, {}, "normal"))

    def arithmetic(self, page: Page) -> bool:
        e = notation.example(page, self.number)
        return e is not None and all(sides_of(family, e) == self.sides for family in self.families)

    def verdict_follows(self, page: Page) -> bool:
        return self.verdict == ("keep" if self.found in self.sides else "drop")


# --- sizes --------------------------------------------------------------------------------------------------------

Span = tuple[int, int]


def operand_span(part: str, known: dict[str, int]) -> Span:
    """The values that an operand may have (its two glyphs, tens first) by its known digits."""
    tens, units = known.get(part[0]), known.get(part[1])
    if tens is None:
        return (10, 99) if units is None else (10 + units, 90 + units)
    return (10 * tens, 10 * tens + 9) if units is None else (10 * tens + units, 10 * tens + units)


def output_span(out: str, known: dict[str, int]) -> Span:
    """The values that an output may have by its length and the known digits that lead it."""
    lead = ""
    for glyph in out:
        if glyph not in known:
            break
        lead += str(known[glyph])
    rest = len(out) - len(lead)
    least = int((lead or ("1" if len(out) > 1 else "0")) + "0" * (rest if lead or len(out) == 1 else rest - 1))
    return (least if lead or len(out) > 1 else 0), int(lead + "9" * rest)


def family_span(family: str, x: Span, y: Span) -> Span:
    """Bounds of what a family gives on operands within two spans, the neighbours of sums and products included."""
    if family == "add":
        return x[0] + y[0] - 1, x[1] + y[1] + 1
    if family == "mul":
        return x[0] * y[0] - 1, x[1] * y[1] + 1
    if family == "mod":
        return 0, max(0, min(x[1], y[1], (max(x[1], y[1]) + 1) // 2) - 1)
    return max(0, x[0] - y[1], y[0] - x[1]), max(abs(x[1] - y[0]), abs(y[1] - x[0]))


RANGES = {family: family_span(family, (10, 99), (10, 99)) for family in RULE_FAMILIES}
"""Over all operands."""


def length_range(equation: Equation) -> Span:
    """The magnitudes of as many digits as the output has."""
    return output_span(minus_and_digits(equation)[1], {})


def spans(e: Equation, known: dict[str, int], mode: str) -> tuple[Span, Span, Span] | None:
    """Both operands' spans and the output's; in mode `any` only where both reading orders give the same."""
    found = []
    for each in ("normal", "flip") if mode == "any" else (mode,):
        left, right, out = notation.reading(e, each)
        found.append((operand_span(left, known), operand_span(right, known), output_span(out, known)))
    return found[0] if found[0] == found[-1] else None


@line
class TestRange(_TestFamilies):
    """The least and greatest value of a family on operands as far as their digits are known, against the output's."""

    KIND = "try/range"
    TEXT = (
        "s{step} try {op} {families:,} {mode} E{number} {x0}..{x1} {y0}..{y1} gives {low}..{high}"
        " wants {least}..{most} {verdict}"
    )
    OUTCOMES = KEEP
    FORCED_BY = "the two last intervals on the same line"
    ROLES = (
        "step:T op:T families:A/T mode:T/A~ number:T~ x0:TA x1:TA y0:TA y1:TA low:AV high:AV least:TV most:TV line:~"
    )
    step: int
    op: Operator
    families: tuple[FamilyName, ...]
    mode: Literal["any", "normal", "flip"]
    number: int
    x0: int
    x1: int
    y0: int
    y1: int
    low: int
    high: int
    least: int
    most: int
    verdict: str

    def order(self) -> str:
        return self.mode

    def premises(self, page: Page, e: Equation) -> bool:
        written = (self.x0, self.x1), (self.y0, self.y1), (self.least, self.most)
        return written == spans(e, notation.known_digits(page), self.mode)

    def arithmetic(self, page: Page) -> bool:
        x, y = (self.x0, self.x1), (self.y0, self.y1)
        return all(family_span(family, x, y) == (self.low, self.high) for family in self.families)

    def verdict_follows(self, page: Page) -> bool:
        return self.verdict == ("drop" if self.most < self.low or self.least > self.high else "keep")


# --- units --------------------------------------------------------------------------------------------------------

Work = Annotated[str, Chars("0-9+*\\-=")]


def units_sign(rule: Rule, e: Equation) -> str:
    """How a rule combines the units of its operands: +, *, - or `r` (right minus left); "" where it cannot be told."""
    if rule.group in ("add", "mul"):
        return "+" if rule.group == "add" else "*"
    side = minus_and_digits(e)[0]
    if rule.base == "sub" and side != "suffix":
        return "r" if side else "-"
    if rule.base == "rsub" and side != "prefix":
        return "-" if side else "r"
    return ""


def units_text(rule: Rule, sign: str, p: str, q: str) -> str:
    """The units of a value from the units of its operands (left, right), such as 3*4+1=3."""
    if sign in "-r":
        p, q = (p, q) if sign == "-" else (q, p)
        return f"{p}-{q}={(int(p) - int(q)) % 10}"
    k = rule.base[3:]
    value = (int(p) + int(q) if sign == "+" else int(p) * int(q)) + arithmetic.OFFSETS[k or "same"]
    return f"{p}{sign}{q}{k}={value % 10}"


def operands_in(text: str, sign: str) -> tuple[str, str]:
    """The units of left and right operand on such a text."""
    return (text[2:3], text[:1]) if sign == "r" else (text[:1], text[2:3])


def ones_pairs(first: str, second: str, e: Equation, mode: str) -> list[tuple[str, str]]:
    """Every pair of units digits: one digit for one letter, two for two."""
    left, right, _ = notation.reading(e, mode)
    return [(p, q) for p in first for q in second if (p == q) == (left[1] == right[1])]


def ones_work(rule: str, first: str, second: str, e: Equation) -> tuple[str, ...]:
    """The units of a rule for every pair of units digits that two sets allow; () where the rule has no units."""
    sign = units_sign(BY_NAME[rule], e)
    pairs = ones_pairs(first, second, e, BY_NAME[rule].mode) if sign else ()
    return tuple(units_text(BY_NAME[rule], sign, p, q) for p, q in pairs)


def ones_hits(rule: str, work: Sequence[str], target: str, e: Equation) -> list[str]:
    """Which pairs agree with the set of the output's units digit (and with a units letter that returns in it)."""
    left, right, out = notation.reading(e, BY_NAME[rule].mode)
    hits, sign = [], units_sign(BY_NAME[rule], e)
    for each in work:
        (p, q), got = operands_in(each, sign), each[-1]
        same = (out[-1] != left[1] or got == p) and (out[-1] != right[1] or got == q)
        other = (out[-1] == left[1] or got != p) and (out[-1] == right[1] or got != q)
        if got in target and same and other:
            hits.append(each)
    return hits


def right_units(rule: str, work: Sequence[str], e: Equation | None) -> bool:
    """Is every printed text the units of the rule for its own operands?"""
    sign = units_sign(BY_NAME[rule], e) if e is not None else ""
    if not sign or any(len(each) < 5 or not each[0].isdigit() or not each[2].isdigit() for each in work):
        return False
    return all(each == units_text(BY_NAME[rule], sign, *operands_in(each, sign)) for each in work)


def ones_sets(rule: str, e: Equation, sets: Sets) -> tuple[str, str, str]:
    """The written digits of both units letters and of the output's."""
    left, right, out = notation.reading(e, BY_NAME[rule].mode)
    return sets(left[1]), sets(right[1]), sets(out[-1])


def same_pairs(rule: str, work: Sequence[str], e: Equation, sets: Sets) -> bool:
    """Do the printed texts speak of exactly the pairs that the written sets allow?"""
    sign = units_sign(BY_NAME[rule], e)
    first, second, _ = ones_sets(rule, e, sets)
    pairs = ones_pairs(first, second, e, BY_NAME[rule].mode)
    return bool(sign) and [operands_in(each, sign) for each in work] == pairs


@line
class TestOnes(_Test):
    """All units digits that two operands may have, each with the units of the result, against those of the output."""

    KIND = "try/ones"
    TEXT = "s{step} try {op} {rule} E{number} ones {first} {second}: {work:,} in {target} {verdict}"
    OUTCOMES = KEEP
    FORCED_BY = "the printed units against the output's digits on the same line, equal letters having equal digits"
    ROLES = "step:T op:T rule:A/T/V~ number:T/A/V~ first:TA second:TA work:AV target:TV line:~"
    step: int
    op: Operator
    rule: ValueRule
    number: int
    first: Digits
    second: Digits
    work: tuple[Work, ...]
    target: Digits
    verdict: str

    def premises(self, page: Page, e: Equation) -> bool:
        """The three sets are those that are written of the letters."""
        return (self.first, self.second, self.target) == ones_sets(self.rule, e, lambda glyph: said(page, glyph))

    def arithmetic(self, page: Page) -> bool:
        e = notation.example(page, self.number)
        return e is not None and self.work == ones_work(self.rule, self.first, self.second, e)

    def verdict_follows(self, page: Page) -> bool | None:
        e = notation.example(page, self.number)
        if e is None or not right_form(self.work):
            return None
        hits = ones_hits(self.rule, self.work, self.target, e)
        return self.verdict == ("keep" if hits else "drop")


def right_form(work: Sequence[str]) -> bool:
    return all(len(each) > 4 and each[0].isdigit() and each[2].isdigit() for each in work)


def base_modes(base: str) -> tuple[str, str]:
    """A rule in the normal and in the flipped order."""
    return base, f"flip_{base}"


UnitsBase = Literal["add", "add+1", "add-1", "mul", "mul+1", "mul-1", "sub"]


@line
class TestBoth(_Test):
    """One rule in both reading orders, each with its units: it falls in both or stays in both."""

    KIND = "try/both"
    TEXT = "s{step} try {op} {base} E{number} normal {work:,} in {target} flip {turned:,} in {turned_target} {verdict}"
    OUTCOMES = KEEP
    FORCED_BY = "the printed units against the output's digits of each order: dropped when no pair of either agrees"
    ROLES = "step:T op:T base:A/T/V~ number:T/A/V~ work:A/T/V target:TV turned:A/T/V turned_target:TV line:~"
    step: int
    op: Operator
    base: UnitsBase
    number: int
    work: tuple[Work, ...]
    target: Digits
    turned: tuple[Work, ...]
    turned_target: Digits
    verdict: str

    def names(self) -> tuple[str, ...]:
        return base_modes(self.base)

    def parts(self) -> tuple[tuple[str, tuple[str, ...], str], ...]:
        normal, flip = self.names()
        return (normal, self.work, self.target), (flip, self.turned, self.turned_target)

    def premises(self, page: Page, e: Equation) -> bool:
        def sets(glyph: str) -> str:
            return said(page, glyph)

        return all(
            same_pairs(rule, work, e, sets) and target == ones_sets(rule, e, sets)[2]
            for rule, work, target in self.parts()
        )

    def arithmetic(self, page: Page) -> bool:
        e = notation.example(page, self.number)
        return all(right_units(rule, work, e) for rule, work, _ in self.parts())

    def verdict_follows(self, page: Page) -> bool | None:
        e = notation.example(page, self.number)
        if e is None or not right_form(self.work + self.turned):
            return None
        hits = [ones_hits(rule, work, target, e) for rule, work, target in self.parts()]
        return self.verdict == ("keep" if any(hits) else "drop")


OrderEntry = Annotated[str, Chars("a-z0-9_+*\\-=:,E")]


def order_entry(rule: str, number: int, work: Sequence[str], target: str) -> str:
    return f"{rule}:E{number}:{','.join(work)}:{target}"


@line
class TestOrder(ChainLine):
    """A reading order by one operator: each rule that it has left in it, with the units of an example."""

    KIND = "try/order"
    TEXT = "s{step} try order {mode} {op} {tests:;} {verdict}"
    OUTCOMES = KEEP
    FORCED_BY = "the printed units against the output's digits of every rule: the order falls when no pair agrees"
    ROLES = "step:T mode:T op:T tests:A/T/V line:~"
    step: int
    mode: Literal["normal", "flip"]
    op: Operator
    tests: tuple[OrderEntry, ...]
    verdict: str

    def parts(self, page: Page) -> list[tuple[str, Equation, list[str], str]] | None:
        """Rule, example, units and target of every entry, None when an entry is not of that form."""
        found = []
        for entry in self.tests:
            rule, _, rest = entry.partition(":")
            place, _, rest = rest.partition(":")
            work, _, target = rest.partition(":")
            number = place[1:]
            e = (
                notation.example(page, int(number))
                if place[:1] == "E" and number.isdigit() and len(number) < 3
                else None
            )
            if e is None or rule not in notation.RULE_INDEX or not right_form(work.split(",")) or not target.isdigit():
                return None
            found.append((rule, e, work.split(","), target))
        return found

    def agrees(self, page: Page) -> bool:
        """All live rules of the operator in that order, on examples of its own, with the sets that are written."""
        parts, op = self.parts(page), operator_glyph(page, self.op)
        dropped = gone(page, self.op)
        left = [rule.name for rule in VALUE_RULES if rule.mode == self.mode and rule.name not in dropped]

        def sets(glyph: str) -> str:
            return said(page, glyph)

        if parts is None or op is None or [rule for rule, *_ in parts] != left:
            return False
        return all(
            e.op == op and same_pairs(rule, work, e, sets) and target == ones_sets(rule, e, sets)[2]
            for rule, e, work, target in parts
        )

    def arithmetic(self, page: Page) -> bool:
        parts = self.parts(page)
        return parts is not None and all(right_units(rule, work, e) for rule, e, work, _ in parts)

    def verdict_follows(self, page: Page) -> bool | None:
        parts = self.parts(page)
        if parts is None:
            return None
        hits = [ones_hits(rule, work, target, e) for rule, e, work, target in parts]
        return self.verdict == ("keep" if any(hits) else "drop")

    def settle(self, page: Page) -> None:
        if self.verdict == "drop":
            drop_order(page, self.mode)


def drop_order(page: Page, mode: str) -> None:
    """No operator has a rule of that order any more."""
    page.put("no-mode", mode, True)
    for op in operators_of(page.parsed).values():
        drop(page, op, tuple(rule.name for rule in VALUE_RULES if rule.mode == mode))


# --- values -------------------------------------------------------------------------------------------------------


@line
class TestValue(_Test):
    """What a rule gives on known operands, against the output (unknown glyphs stand for themselves)."""

    KIND = "try/value"
    TEXT = "s{step} try {op} {rule} E{number} {x},{y} gives {value} vs {target} {verdict}"
    OUTCOMES = KEEP
    FORCED_BY = "the value against the output on the same line, unknown glyphs taking free digits"
    ROLES = "step:T op:T rule:T/A~ number:T x:TA y:TA value:AV target:TV line:~"
    step: int
    op: Operator
    rule: ValueRule
    number: int
    x: notation.Pair
    y: notation.Pair
    value: notation.Value
    target: Target
    verdict: str

    def premises(self, page: Page, e: Equation) -> bool:
        known, mode = notation.known_digits(page), BY_NAME[self.rule].mode
        target = target_in_letters(page.parsed, e, known, mode)
        return notation.operands_of(e, known, mode) == (self.x, self.y) and target == self.target

    def arithmetic(self, page: Page) -> bool:
        return int(self.x) > 0 < int(self.y) and self.value == arithmetic.written(BY_NAME[self.rule], self.x, self.y)

    def verdict_follows(self, page: Page) -> bool:
        free = notation.left_over(page)[1]
        return self.verdict == ("keep" if notation.fits(self.value, self.target, free) is not None else "drop")


MOST_CHOICES = 100
Reading = Annotated[str, Chars("0-9A-V:/\\-")]
LetterSets = tuple[tuple[Letter, Digits], ...]


def open_letters(e: Equation, known: dict[str, int], mode: str) -> list[str]:
    """The operand glyphs without a digit, in reading order."""
    left, right, _ = notation.reading(e, mode)
    return list(dict.fromkeys(glyph for glyph in left + right if glyph not in known))


def choices(sets: Sequence[tuple[str, str]]) -> list[dict[str, int]]:
    """Every way to give each glyph a digit of its set, no digit twice."""
    found: list[dict[str, int]] = [{}]
    for glyph, digits in sets:
        found = [{**each, glyph: int(c)} for each in found for c in digits if int(c) not in each.values()]
    return found


def readings(row, e: Equation, rule: str, known: dict[str, int], sets: Sequence[tuple[str, str]]) -> list[Reading]:
    """Operands, value and output for every choice; [] where an operand is zero or not known."""
    found = []
    for choice in choices(sets):
        digits = {**known, **choice}
        operands = notation.operands_of(e, digits, BY_NAME[rule].mode)
        if operands is None or not int(operands[0]) or not int(operands[1]):
            return []
        value = arithmetic.written(BY_NAME[rule], *operands)
        target = target_in_letters(row, e, digits, BY_NAME[rule].mode)
        found.append(f"{operands[0]}/{operands[1]}:{value}:{target}")
    return found


def fitting(work: Sequence[Reading], known: dict[str, int], digits: Sequence[dict[str, int]]) -> list[int]:
    """Which readings (from 0) agree with the output, whose unknown letters take digits that are free then."""
    found = []
    for k, (each, choice) in enumerate(zip(work, digits, strict=False)):
        _, value, target = each.split(":")
        free = "".join(c for c in "0123456789" if int(c) not in known.values() and int(c) not in choice.values())
        if notation.fits(value, target, free) is not None:
            found.append(k)
    return found


class WithReadings(ChainLine):
    """Shared by the lines that put several digits into one example; has `number`, `rule`, `sets` and `work`."""

    def expected(self, page: Page) -> list[Reading]:
        e = notation.example(page, self.number)
        if e is None or not self.few():
            return []
        return readings(page.parsed, e, self.rule, notation.known_digits(page), self.by_glyph(page))

    def few(self) -> bool:
        """Are there no more choices than any thought has? A model may write any sets."""
        return prod(len(digits) for _, digits in self.sets) <= MOST_CHOICES

    def by_glyph(self, page: Page) -> list[tuple[str, str]]:
        back = {name: glyph for glyph, name in letters_of(page.parsed).items()}
        return [(back.get(letter, "?"), digits) for letter, digits in self.sets]

    def same_sets(self, page: Page, e: Equation) -> bool:
        """The letters without a digit with what is written of them; operands and outputs as these make them."""
        known, names = notation.known_digits(page), letters_of(page.parsed)
        glyphs = open_letters(e, known, BY_NAME[self.rule].mode)
        if self.sets != tuple((names[glyph], said(page, glyph)) for glyph in glyphs):
            return False
        return [_ends(each) for each in self.work] == [_ends(each) for each in self.expected(page)]

    def right_values(self, page: Page) -> bool:
        for each in self.work:
            operands, _, rest = each.partition(":")
            x, _, y = operands.partition("/")
            if len(x) != 2 or len(y) != 2 or not (x + y).isdigit() or not int(x) or not int(y):
                return False
            if rest.partition(":")[0] != arithmetic.written(BY_NAME[self.rule], x, y):
                return False
        return True

    def fits(self, page: Page) -> list[int] | None:
        if any(each.count(":") != 2 for each in self.work) or not self.few():
            return None
        return fitting(self.work, notation.known_digits(page), choices(self.by_glyph(page)))


def _ends(reading: Reading) -> tuple[str, str]:
    """Operands and output of a reading."""
    return reading.partition(":")[0], reading.rpartition(":")[2]


@line
class TestReadings(WithReadings, _Test):
    """A rule on one example under every choice of the digits that are written of its unknown operand letters."""

    KIND = "try/readings"
    TEXT = "s{step} try {op} {rule} E{number} with {sets:,=}: {work:;} {verdict}"
    OUTCOMES = KEEP
    FORCED_BY = "every value against the output beside it, unknown letters taking free digits"
    ROLES = "step:T op:T rule:T/A~ number:T/A/V~ sets:TV work:A/T/V line:~"
    step: int
    op: Operator
    rule: ValueRule
    number: int
    sets: LetterSets
    work: tuple[Reading, ...]
    verdict: str

    def premises(self, page: Page, e: Equation) -> bool:
        return self.same_sets(page, e)

    def arithmetic(self, page: Page) -> bool:
        return self.right_values(page)

    def verdict_follows(self, page: Page) -> bool | None:
        found = self.fits(page)
        return None if found is None else self.verdict == ("keep" if found else "drop")


# --- wholes -------------------------------------------------------------------------------------------------------


@line
class TestGroup(ChainLine):
    """Two operators never share a group of rules."""

    KIND = "try/group"
    TEXT = "s{step} try {other} is {group} so {op} {mine} {verdict}"
    OUTCOMES = KEEP
    FORCED_BY = "the two groups on the same line: equal ones cannot both stand"
    ROLES = "step:T other:T group:TV op:T~ mine:V/T~ line:~"
    step: int
    other: Operator
    group: Literal["add", "sub", "mul"]
    op: Operator
    mine: Literal["add", "sub", "mul"]
    verdict: str

    def agrees(self, page: Page) -> bool:
        left = [
            {rule.group for rule in VALUE_RULES if rule.name not in out(page, self.other)} for out in (gone, struck)
        ]
        mine = any(rule.group == self.mine and rule.name not in struck(page, self.op) for rule in VALUE_RULES)
        known = operator_glyph(page, self.op) is not None
        return self.op != self.other and {self.group} in left and known and mine

    def verdict_follows(self, page: Page) -> bool:
        return (self.verdict == "drop") == (self.group == self.mine)

    def settle(self, page: Page) -> None:
        if self.verdict == "drop":
            drop(page, self.op, tuple(rule.name for rule in VALUE_RULES if rule.group == self.mine))


@line
class TestMode(ChainLine):
    """How many rules of a reading order an operator has left; none rules the order out for all."""

    KIND = "try/mode"
    TEXT = "s{step} try order {mode} leaves {op} {count} {verdict}"
    OUTCOMES = KEEP
    FORCED_BY = "the number on the same line"
    ROLES = "step:T mode:T op:T~ count:TV line:~"
    step: int
    mode: Literal["normal", "flip"]
    op: Operator
    count: int
    verdict: str

    def agrees(self, page: Page) -> bool:
        own = [rule.name for rule in VALUE_RULES if rule.mode == self.mode]
        left = {len(set(own) - gone(page, self.op)), len(set(own) - struck(page, self.op))}
        return operator_glyph(page, self.op) is not None and self.count in left

    def verdict_follows(self, page: Page) -> bool:
        return self.verdict == ("keep" if self.count else "drop")

    def settle(self, page: Page) -> None:
        if self.verdict == "drop":
            drop_order(page, self.mode)


TEST_KINDS = (
    TestSign, TestRange, TestOnes, TestBoth, TestOrder, TestValue, TestReadings, TestGroup, TestMode,
)  # fmt: skip


@line
class AssertFamilies(_TestFamilies):
    """Families of an operator that fit no digits: a bare claim, what is left of their test without its witness."""

    KIND = "chain/families"
    TEXT = "s{step} {op} {mode} {families:,} {verdict}"
    OUTCOMES = {"drop": FAILED}
    FORCED_BY = "nothing on the page: a claim about all digits that are left"
    ROLES = "step:T op:- mode:- families:- line:~"
    step: int
    op: Operator
    mode: Literal["any", "normal", "flip"]
    families: tuple[FamilyName, ...]
    verdict: str

    def order(self) -> str:
        return self.mode

    def agrees(self, page: Page) -> bool:
        return operator_glyph(page, self.op) is not None and self.live(page)


def with_one_end(kind: type[Line], word: str, outcome: str) -> type[Line]:
    """The same test under an opening word that tells its end."""
    name = f"{word.title()}{kind.__name__.removeprefix('Test')}"
    own = {
        "__doc__": kind.__doc__,
        "__module__": kind.__module__,
        "__annotations__": {"verdict": str},
        "KIND": kind.KIND.replace("try/", f"{word}/"),
        "TEXT": kind.TEXT.replace(" try ", f" {word} "),
        "OUTCOMES": {outcome: KEEP[outcome]},
        "FORCED_BY": kind.FORCED_BY,
    }
    return line(type(name, (kind,), own))


NOT_KINDS = tuple(with_one_end(kind, "not", "drop") for kind in TEST_KINDS)
MAY_KINDS = tuple(with_one_end(kind, "may", "keep") for kind in TEST_KINDS)
