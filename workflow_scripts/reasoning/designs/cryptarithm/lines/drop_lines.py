"""Lines of the witnessed chain that drop rules, each with the numbers that it rests on."""

from typing import Annotated, Literal

from puzzles.equations.prompt import Equation, minus_and_digits
from puzzles.equations.rules import BY_NAME, VALUE_RULES
from reasoning.designs.cryptarithm.lines import arithmetic, notation
from reasoning.designs.cryptarithm.lines.chain_lines import ChainLine
from reasoning.designs.cryptarithm.lines.letters import (
    Operator,
    Target,
    ValueRule,
    candidates,
    drop,
    gone,
    hidden_digit,
    letters_of,
    operator_glyph,
    operators_of,
    struck,
    target_in_letters,
)
from reasoning.grammar.lines import FAILED, PASSED, Chars, Digits, line
from reasoning.grammar.page import Page

RULE_FAMILIES = ("add", "mul", "sub", "rsub", "abs", "negabs", "absneg", "mod")
_SIDES = {"sub": "p.", "rsub": "s.", "negabs": "p", "absneg": "s"}


def sides_of(family: str, equation: Equation) -> str:
    """Where a family can write its minus in an output as long as this one; only a zero goes without its minus."""
    sides = _SIDES.get(family, ".")
    return sides if len(sides) == 2 or sides == "." or len(minus_and_digits(equation)[1]) > 1 else sides + "."


KEEP = {"drop": FAILED, "keep": PASSED}


def family_rules(name: str) -> tuple[str, ...]:
    """All rules of a family word: add and mul with their neighbours, a difference rule in both modes."""
    return tuple(rule.name for rule in VALUE_RULES if family_of(rule.name) == name)


def family_of(rule: str) -> str:
    base = BY_NAME[rule].base
    return base if base in RULE_FAMILIES else base[:3]


class _Kill(ChainLine):
    """Shared by the witnessed rule tests: the dropped rules leave the page."""

    def names(self) -> tuple[str, ...]:
        return (self.rule,)

    def live(self, page: Page) -> bool:
        """Are the rules it speaks of still on the page?"""
        return self.rule not in struck(page, self.op)

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


class _KillFamilies(_Kill):
    """Shared by the tests of whole families."""

    def names(self) -> tuple[str, ...]:
        return tuple(name for family in self.families for name in family_rules(family))

    def live(self, page: Page) -> bool:
        dropped = struck(page, self.op)
        distinct = len(set(self.families)) == len(self.families)
        return distinct and all(not set(family_rules(family)) <= dropped for family in self.families)


@line
class KillSign(_KillFamilies):
    """Where a family can write its minus, against the page."""

    KIND = "witness/sign"
    TEXT = "s{step} {op} {families:,} puts {sides} E{number} has {found} {verdict}"
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


@line
class KillRange(_KillFamilies):
    """The least and greatest value of a family on any operands, against the output's length."""

    KIND = "witness/range"
    TEXT = "s{step} {op} {families:,} {low}..{high} E{number} {least}..{most} {verdict}"
    OUTCOMES = KEEP
    FORCED_BY = "the two intervals on the same line"
    ROLES = "step:T op:T families:A/T low:AV high:AV number:T~ least:TV most:T line:~"
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


def ones_work(rule: str, first: str, second: str, e: Equation) -> tuple[str, ...]:
    """The units of a sum or product for every pair of units digits the two sets allow, such as 3*1+1=4."""
    base = BY_NAME[rule].base
    sign, k = "+" if base.startswith("add") else "*", base[3:]
    left, right, _ = notation.reading(e, BY_NAME[rule].mode)
    found = []
    for p in first:
        for q in second:
            if (p == q) == (left[1] == right[1]):
                value = int(p) + int(q) if sign == "+" else int(p) * int(q)
                found.append(f"{p}{sign}{q}{k}={(value + arithmetic.OFFSETS[k or 'same']) % 10}")
    return tuple(found)


def ones_hits(work: tuple[str, ...], target: str, e: Equation, mode: str) -> list[str]:
    """Which pairs agree with the set of the output's units digit (and with a units letter that returns in it)."""
    left, right, out = notation.reading(e, mode)
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
    ROLES = "step:T op:T rule:A/T/V/b~ number:T/A/V/b~ work:A/T/V/b~ target:T/V/b~ line:~"
    step: int
    op: Operator
    rule: ValueRule
    number: int
    work: tuple[Annotated[str, Chars("0-9+*\\-=", 0)], ...]
    target: Digits
    verdict: str

    def places(self, page: Page, e: Equation) -> list[tuple[str, str, str, bool]]:
        """For both operands' units and the output's: letter, digits on the line, those of the page, said by a line?"""
        left, right, out = notation.reading(e, BY_NAME[self.rule].mode)
        names = [letters_of(page.parsed)[glyph] for glyph in (left[1], right[1], out[-1])]
        printed = "".join(each[:1] for each in self.work), "".join(each[2:3] for each in self.work), self.target
        return [(name, digits, *candidates(page, name)) for name, digits in zip(names, printed, strict=True)]

    def premises(self, page: Page, e: Equation) -> bool:
        """The digits are those that the page leaves the letters: all of them where a line has said which."""
        places = self.places(page, e)
        if any(not set(digits) <= set(allowed) for _, digits, allowed, _ in places):
            return False
        first, second, target = ["".join(sorted(set(d))) if not said else a for _, d, a, said in places]
        whole = set(self.work) == set(ones_work(self.rule, first, second, e)) or not first + second
        return whole and list(self.target) == sorted(set(self.target)) and self.target == target

    def is_bare(self, page: Page) -> bool:
        """Are there fewer digits than the page leaves a letter that no line has narrowed?"""
        e = notation.example(page, self.number)
        if e is None or BY_NAME[self.rule].group not in ("add", "mul"):
            return False
        (_, _, first, _), (_, _, second, _), (_, digits, target, _) = self.places(page, e)
        return set(digits) != set(target) or set(self.work) != set(ones_work(self.rule, first, second, e))

    def is_true(self, page: Page) -> bool | None:
        """Digits that nobody has narrowed a letter to have the hidden one among them."""
        e = notation.example(page, self.number)
        if e is None or not page.judges or not self.is_bare(page):
            return None
        hidden = [(hidden_digit(page, name), digits) for name, digits, _, said in self.places(page, e) if not said]
        return all(digit is None or str(digit) in digits for digit, digits in hidden)

    def arithmetic(self, page: Page) -> bool:
        e = notation.example(page, self.number)
        if e is None or BY_NAME[self.rule].group not in ("add", "mul"):
            return False
        first, second = sorted({each[:1] for each in self.work}), sorted({each[2:3] for each in self.work})
        if not all(c.isdigit() for c in (*first, *second)):
            return False
        return set(self.work) == set(ones_work(self.rule, "".join(first), "".join(second), e))

    def verdict_follows(self, page: Page) -> bool | None:
        e = notation.example(page, self.number)
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


@line
class KillGroup(ChainLine):
    """Two operators never share a group of rules."""

    KIND = "witness/group"
    TEXT = "s{step} {other} is {group} so {op} {mine} {verdict}"
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
class KillMode(ChainLine):
    """How many rules of a reading order an operator has left; none rules the order out for all."""

    KIND = "witness/order"
    TEXT = "s{step} order {mode} leaves {op} {count} {verdict}"
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
            page.put("no-mode", self.mode, True)
            rules = tuple(rule.name for rule in VALUE_RULES if rule.mode == self.mode)
            for op in operators_of(page.parsed).values():
                drop(page, op, rules)


KILL_KINDS = (KillSign, KillRange, KillOnes, KillValue, KillGroup, KillMode)
