"""Kinds of line that several cryptarithm designs share: joins, decoding, rule tests, arithmetic, encoding, endings.

On these lines an unknown glyph stands for itself; a known one is written as its digit. `target` is an example's
output read that way, the minus written `-` on its own side, digits reversed in flip mode. Operand values are written
with two characters.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from puzzles import rules
from puzzles.equations import Equation, EquationRow, minus_and_digits
from puzzles.rules import BY_NAME, VALUE_RULES, Rule
from reasoning.lines import Chars, Digit, Digits, Glyph, Line, Word, line
from reasoning.page import Page
from reasoning.propagation import clues, matching

Flip = Literal["", "flip "]
Pair = Annotated[str, Chars("0-9", 2)]  # a two-character operand value
Sum = Annotated[str, Chars("0-9+*=%")]  # one step of arithmetic such as 7+6=13
Difference = Annotated[str, Chars("0-9=\\-")]
Value = Annotated[str, Chars("0-9\\-")]  # digits with a minus in front or behind
RuleName = Literal[tuple(BY_NAME)]
NearWords = ("same", "+1", "-1", "several", "no")
OFFSETS = {"same": 0, "+1": 1, "-1": -1}
SUB_BASES = ("sub", "rsub", "abs", "negabs", "absneg")
ORDER = {"<": -1, "=": 0, ">": 1}


# --- what the page says -------------------------------------------------------------------------------------------


def example(page: Page, number: int) -> Equation | None:
    """Example `number` (from 1) of the prompt, None when there is none."""
    found = page.parsed.examples
    return found[number - 1] if 0 < number <= len(found) else None


def digit(page: Page, glyph: str) -> int | None:
    """The digit the page knows for a glyph: established by a line, or shown by the key."""
    return page.get("digit", glyph, page.key.get(glyph))


def known_digits(page: Page) -> dict[str, int]:
    return {**page.key, **page.names("digit")}


def left_over(page: Page) -> tuple[str, str]:
    """Glyphs of the page without a digit, and digits without a glyph, in order."""
    known = known_digits(page)
    glyphs = "".join(glyph for glyph in page.parsed.digit_glyphs() if glyph not in known)
    return glyphs, "".join(str(d) for d in range(10) if d not in known.values())


def read(text: str, known: dict[str, int], trial: dict[str, int] | None = None) -> str:
    """Known glyphs as digits, unknown ones as themselves."""
    return "".join(str(known[c]) if c in known else str(trial[c]) if trial and c in trial else c for c in text)


def target_of(equation: Equation, known: dict[str, int], mode: str) -> str:
    """An example's output as the rule tests compare it."""
    side, glyphs = minus_and_digits(equation)
    text = read(glyphs, known)[:: -1 if mode == "flip" else 1]
    return "-" + text if side == "prefix" else text + "-" if side == "suffix" else text


def operands_of(equation: Equation, known: dict[str, int], mode: str) -> tuple[str, str] | None:
    """Both operand values as written in a mode, None when a digit is missing."""
    turn = -1 if mode == "flip" else 1
    left, right = read(equation.left, known)[::turn], read(equation.right, known)[::turn]
    return (left, right) if (left + right).isdigit() else None


def fits(value: str, target: str, free: str | None = None) -> dict[str, str] | None:
    """The unknown glyphs' digits that make a value equal a target, None when it cannot be.

    `free`: the digits that unknown glyphs may have (None: any); two glyphs never share one.
    """
    if len(value) != len(target):
        return None
    found: dict[str, str] = {}
    for got, want in zip(value, target, strict=True):
        if want.isdigit() or want == "-" or got == "-":
            if got != want:
                return None
        elif found.setdefault(want, got) != got or (free is not None and got not in free):
            return None
    return found if len(set(found.values())) == len(found) else None


def near(value: int, target: str, free: str | None) -> str:
    """Which of value, value+1, value-1 prints as the target."""
    found = [word for word, k in OFFSETS.items() if fits(str(value + k), target, free) is not None]
    return found[0] if len(found) == 1 else "several" if found else "no"


def compare(x: int, y: int) -> str:
    return "<" if x < y else ">" if x > y else "="


def sub_base(mode: str, cases: tuple[tuple[str, str], ...]) -> str:
    """The first difference rule of the inventory that writes its minus as in every case (order, side)."""
    for base in SUB_BASES:
        rule = BY_NAME.get(base if mode == "normal" else f"flip_{base}")
        if rule and all(rules.value(rule, *_SAMPLE[order])[1][:1] == side.strip(".") for order, side in cases):
            return base
    return "none"


_SAMPLE = {"<": (11, 12), "=": (11, 11), ">": (12, 11)}
_SIDES = {"prefix": "p", "suffix": "s", "": "."}


def side_of(target: str) -> str:
    """p, s or . for a minus in front, behind, or none."""
    return "p" if target[:1] == "-" else "s" if target[-1:] == "-" else "."


# --- arithmetic as printed ----------------------------------------------------------------------------------------


def add_steps(x: str, y: str) -> tuple[str, str]:
    """Units and tens of a two-digit sum with the carry: 27+96 -> 7+6=13, 2+9+1=12."""
    units = int(x[1]) + int(y[1])
    carry = "+1" if units > 9 else ""
    return f"{x[1]}+{y[1]}={units}", f"{x[0]}+{y[0]}{carry}={int(x[0]) + int(y[0]) + units // 10}"


def sub_steps(x: str, y: str) -> tuple[str, str]:
    """Units and tens of larger minus smaller with the borrow: 27, 96 -> 16-7=9, 8-2=6."""
    high, low = (x, y) if int(x) >= int(y) else (y, x)
    borrow = int(high[1]) < int(low[1])
    top, tens = int(high[1]) + 10 * borrow, int(high[0]) - borrow
    return f"{top}-{low[1]}={top - int(low[1])}", f"{tens}-{low[0]}={tens - int(low[0])}"


def mul_steps(x: str, y: str) -> tuple[str, str, str]:
    """Two partial products and their sum: 27*96 -> 27*9=243, 27*6=162, 2430+162=2592."""
    tens, ones = int(x) * int(y[0]), int(x) * int(y[1])
    return f"{int(x)}*{y[0]}={tens}", f"{int(x)}*{y[1]}={ones}", f"{tens * 10}+{ones}={tens * 10 + ones}"


def mod_steps(x: str, y: str) -> tuple[str, str]:
    """The multiple that fits and the rest, larger by smaller: 96, 27 -> 27*3=81, 96-81=15."""
    high, low = max(int(x), int(y)), min(int(x), int(y))
    times = high // low if low else 0
    return f"{low}*{times}={low * times}", f"{high}-{low * times}={high - low * times}"


class Addition:
    """A sum as printed by add_steps."""

    __slots__ = ()

    def arithmetic(self, page: Page) -> bool:
        return (self.units, self.tens, self.total) == (*add_steps(self.x, self.y), int(self.x) + int(self.y))


class Multiplication:
    """A product as printed by mul_steps."""

    __slots__ = ()

    def arithmetic(self, page: Page) -> bool:
        return (self.tens, self.ones, self.total) == mul_steps(self.x, self.y)


class Subtraction:
    """Larger minus smaller as printed by sub_steps."""

    __slots__ = ()

    def arithmetic(self, page: Page) -> bool:
        x, y = int(self.x), int(self.y)
        steps = (self.order, self.units, self.tens, self.total)
        return steps == (compare(x, y), *sub_steps(self.x, self.y), abs(x - y))


class Modulo:
    """A rest as printed by mod_steps."""

    __slots__ = ()

    def arithmetic(self, page: Page) -> bool:
        return (self.product, self.rest) == mod_steps(self.x, self.y)


# --- joins --------------------------------------------------------------------------------------------------------


JOIN_WORDS = {"join": "join", "join_swap": "swap"}


@line
class Lookup(Line):
    """Every example's operator with its number, then the query's with the numbers of the examples that have it."""

    KIND = "crypt/lookup"
    TEXT = "ops {ops: }; query {op}{numbers:,|none}"
    ops: tuple[tuple[Glyph, int], ...]
    op: Glyph
    numbers: tuple[int, ...]

    def transcription(self, page: Page) -> bool:
        listed = tuple((e.op, number) for number, e in enumerate(page.parsed.examples, 1))
        return (self.ops, self.op) == (listed, page.parsed.query.op)

    def verdict_follows(self, page: Page) -> bool:
        return self.numbers == tuple(number for op, number in self.ops if op == self.op)

    def establish(self, page: Page) -> None:
        page.put("lookup", "", self.numbers)


@line
class JoinTest(Line):
    """Both ways of putting the operands together, against the output."""

    KIND = "crypt/join-test"
    TEXT = "E{number} {joined} {swapped} vs {output} {verdict}"
    OUTCOMES = ("join", "swap", "both", "neither")
    FORCED_BY = "the two strings against the output on the same line"
    number: int
    joined: Word
    swapped: Word
    output: Word
    verdict: str

    def transcription(self, page: Page) -> bool:
        e = example(page, self.number)
        strings = self.joined, self.swapped, self.output
        if e is None or self.number not in page.get("lookup", "", (self.number,)):
            return False
        return strings == (e.left + e.right, e.right + e.left, e.output)

    def verdict_follows(self, page: Page) -> bool:
        same = self.joined == self.output, self.swapped == self.output
        return self.verdict == {(True, True): "both", (True, False): "join", (False, True): "swap"}.get(same, "neither")

    def establish(self, page: Page) -> None:
        e = example(page, self.number)
        if e is not None:
            page.put("join", e.op, self.verdict)


@line
class JoinQuery(Line):
    """The query's operands joined: the answer of a join row."""

    KIND = "crypt/join-query"
    TEXT = "{how} {left} {right} gives {output}"
    how: Literal["join", "swap"]
    left: Word
    right: Word
    output: Word

    def transcription(self, page: Page) -> bool:
        query = page.parsed.query
        verdict = page.get("join", query.op, JOIN_WORDS.get(page.key.rules.get(query.op)))
        return (self.left, self.right) == (query.left, query.right) and (self.how == verdict or verdict == "both")

    def arithmetic(self, page: Page) -> bool:
        return self.output == (self.left + self.right if self.how == "join" else self.right + self.left)

    def establish(self, page: Page) -> None:
        page.answer = self.output


@line
class Unseen(Line):
    """The query's operator occurs in no example."""

    KIND = "crypt/unseen"
    TEXT = "no example of {op}"
    op: Glyph

    def transcription(self, page: Page) -> bool:
        return self.op == page.parsed.query.op and not page.parsed.seen


# --- digits -------------------------------------------------------------------------------------------------------


@line
class Left(Line):
    """Glyphs that have no digit yet, and digits that have no glyph."""

    KIND = "crypt/left"
    TEXT = "left {glyphs} for {digits}"
    glyphs: Word
    digits: Digits

    def transcription(self, page: Page) -> bool:
        return (self.glyphs, self.digits) == left_over(page)

    def establish(self, page: Page) -> None:
        page.put("left", "", (self.glyphs, self.digits))


def _decodes(page: Page, text: str, pairs: tuple[tuple[str, str], ...], sign: str) -> bool:
    """Are these the text's characters with what the page knows of them, the minus as `-`?"""
    known = known_digits(page)
    return list(pairs) == [(c, "-" if c == sign else str(known.get(c, c))) for c in text]


def minus_glyph(equation: Equation) -> str:
    """The operator glyph where the output shows it as a minus, else ""."""
    return equation.op if minus_and_digits(equation)[0] else ""


@line
class Decode(Line):
    """Every character of an example's operands and output with its digit; a glyph without one stands for itself."""

    KIND = "crypt/decode"
    TEXT = "E{number} {pairs: =}"
    number: int
    pairs: tuple[tuple[Glyph, Glyph], ...]

    def transcription(self, page: Page) -> bool:
        e = example(page, self.number)
        return e is not None and _decodes(page, e.left + e.right + e.output, self.pairs, minus_glyph(e))


@line
class DecodeQuery(Line):
    """Every glyph of the query's operands with its digit."""

    KIND = "crypt/decode-query"
    TEXT = "query {pairs: =}"
    pairs: tuple[tuple[Glyph, Glyph], ...]

    def transcription(self, page: Page) -> bool:
        query = page.parsed.query
        return _decodes(page, query.left + query.right, self.pairs, "")


@line
class Try(Line):
    """Suppose a digit for one glyph, for the tests that follow."""

    KIND = "crypt/try"
    TEXT = "try {glyph}={value}"
    glyph: Glyph
    value: Digit

    def transcription(self, page: Page) -> bool:
        """The first of the digits that are left, or the one after that which was tried last."""
        glyphs, digits = left_over(page)
        tried = "".join(str(value) for glyph, value, _ in page.get("trials", "", ()) if glyph == self.glyph)
        before, found, _ = digits.partition(str(self.value))
        return self.glyph in glyphs and bool(found) and before[-1:] in (tried[-1:], "")

    def establish(self, page: Page) -> None:
        """The first digit that is left begins a new round, in another example perhaps."""
        first = left_over(page)[1][:1] == str(self.value)
        same = [] if first else [t for t in page.get("trials", "", ()) if t[0] == self.glyph]
        page.put("trials", "", (*same, (self.glyph, self.value, [])))


@line
class Pin(Line):
    """A glyph's digit: the last one left, or the only one of those tried that passed."""

    KIND = "crypt/pin"
    TEXT = "{why} {glyph}={value}"
    why: Literal["last", "only"]
    glyph: Glyph
    value: Digit

    def transcription(self, page: Page) -> bool:
        glyphs, digits = page.get("left", "", ("", ""))
        return self.glyph in glyphs and str(self.value) in digits

    def arithmetic(self, page: Page) -> bool:
        """Last: one glyph and one digit were left. Only: every digit left was tried, and just this one passed."""
        if self.why == "last":
            return page.get("left") == (self.glyph, str(self.value))
        trials = page.get("trials", "", ())
        passed = [(glyph, value) for glyph, value, agreed in trials if agreed and all(agreed)]
        tried = "".join(str(value) for glyph, value, _ in trials if glyph == self.glyph)
        return passed == [(self.glyph, self.value)] and tried == page.get("left", "", ("", ""))[1]

    def establish(self, page: Page) -> None:
        page.put("digit", self.glyph, self.value)
        page.put("trials", "", ())


@line
class ReadOff(Line):
    """The digits that a computed value gives to the unknown glyphs of an output."""

    KIND = "crypt/read-off"
    TEXT = "E{number} {value} is {target} so {pairs: =}"
    number: int
    value: Value
    target: Word
    pairs: tuple[tuple[Glyph, Digit], ...]

    def transcription(self, page: Page) -> bool | None:
        e = example(page, self.number)
        if e is None:
            return False
        rule = BY_NAME.get(page.get("rule", e.op, ""))
        return rule is not None and self.target == target_of(e, known_digits(page), rule.mode)

    def arithmetic(self, page: Page) -> bool:
        """The value is what the operator's rule gives."""
        e = example(page, self.number)
        rule = BY_NAME.get(page.get("rule", e.op, "")) if e is not None else None
        operands = operands_of(e, known_digits(page), rule.mode) if rule is not None else None
        return operands is not None and self.value == rule_value(rule, *operands)

    def verdict_follows(self, page: Page) -> bool:
        return fits(self.value, self.target) == {glyph: str(value) for glyph, value in self.pairs}

    def establish(self, page: Page) -> None:
        for glyph, value in self.pairs:
            page.put("digit", glyph, value)


# --- rule tests ---------------------------------------------------------------------------------------------------


class _Test(Line):
    """Shared by the tests: operands and target are what the page says, the verdict is kept for the rule line."""

    GROUP = ""

    def transcription(self, page: Page) -> bool:
        e = example(page, self.number)
        if e is None:
            return False
        known, mode = known_digits(page), "flip" if self.flip else "normal"
        for glyph, value, _ in page.get("trials", "", ())[-1:]:
            known[glyph] = value
        return operands_of(e, known, mode) == (self.x, self.y) and target_of(e, known, mode) == self.target

    def free(self, page: Page) -> str:
        """The digits that unknown glyphs of the target may have."""
        digits = left_over(page)[1]
        trials = page.get("trials", "", ())
        return digits.replace(str(trials[-1][1]), "") if trials else digits

    def establish(self, page: Page) -> None:
        e = example(page, self.number)
        if e is None:
            return
        trials = page.get("trials", "", ())
        if trials:
            rule = BY_NAME.get(page.get("rule", e.op, ""))
            trials[-1][2].append(rule is not None and self.verdict == offset_word(rule))
            return
        mode = "flip" if self.flip else "normal"
        page.put("test", f"{e.op} {mode} {self.GROUP} {self.number}", self.verdict)
        page.put("failed", "", self.number)
        if page.get("supposed") is not None:
            page.put("placed", str(self.number), True)


def test_group(rule: Rule) -> str:
    """The kind of test that tries a rule: its group, or `mod`."""
    return "mod" if rule.base == "mod" else rule.group


def offset_word(rule: Rule) -> str:
    """The verdict that an example of this sum or product rule gives."""
    return rule.base.removeprefix(rule.group) or "same"


@line
class AddTest(Addition, _Test):
    """The sum of an example's operands against its output, units and tens first."""

    KIND = "crypt/add-test"
    TEXT = "E{number} {flip}add {x} {y}: {units} {tens} {total} vs {target} {verdict}"
    OUTCOMES = NearWords
    FORCED_BY = "the total against the target on the same line, one more and one less included"
    GROUP = "add"
    number: int
    flip: Flip
    x: Pair
    y: Pair
    units: Sum
    tens: Sum
    total: int
    target: Word
    verdict: str

    def verdict_follows(self, page: Page) -> bool:
        return self.verdict == near(self.total, self.target, self.free(page))


@line
class MulTest(Multiplication, _Test):
    """The product of an example's operands against its output, by two partial products."""

    KIND = "crypt/mul-test"
    TEXT = "E{number} {flip}mul {x} {y}: {tens} {ones} {total} vs {target} {verdict}"
    OUTCOMES = NearWords
    FORCED_BY = "the total against the target on the same line, one more and one less included"
    GROUP = "mul"
    number: int
    flip: Flip
    x: Pair
    y: Pair
    tens: Sum
    ones: Sum
    total: Sum
    target: Word
    verdict: str

    def product(self) -> int:
        last = self.total.rpartition("=")[2]
        return int(last) if last.isdigit() and len(last) < 9 else -9

    def verdict_follows(self, page: Page) -> bool:
        return self.verdict == near(self.product(), self.target, self.free(page))


@line
class SubTest(Subtraction, _Test):
    """Larger minus smaller operand against the digits of an output; the sign is judged apart."""

    KIND = "crypt/sub-test"
    TEXT = "E{number} {flip}sub {x}{order}{y}: {units} {tens} {total} vs {target} {verdict}"
    OUTCOMES = ("same", "no")
    FORCED_BY = "the difference against the target's digits on the same line"
    GROUP = "sub"
    number: int
    flip: Flip
    x: Pair
    order: Literal["<", "=", ">"]
    y: Pair
    units: Difference
    tens: Difference
    total: int
    target: Word
    verdict: str

    def verdict_follows(self, page: Page) -> bool:
        found = fits(str(self.total), self.target.strip("-"), self.free(page))
        return self.verdict == ("no" if found is None else "same")

    def establish(self, page: Page) -> None:
        super().establish(page)
        case = self.flip, self.order + side_of(self.target)
        page.put("cases", "", (*page.get("cases", "", ()), case)[-5:])


@line
class ModTest(Modulo, _Test):
    """The rest of larger by smaller operand against an output."""

    KIND = "crypt/mod-test"
    TEXT = "E{number} {flip}mod {x} {y}: {product} {rest} vs {target} {verdict}"
    OUTCOMES = ("same", "no")
    FORCED_BY = "the rest against the target on the same line"
    GROUP = "mod"
    number: int
    flip: Flip
    x: Pair
    y: Pair
    product: Sum
    rest: Difference
    target: Word
    verdict: str

    def verdict_follows(self, page: Page) -> bool:
        found = fits(self.rest.rpartition("=")[2], self.target, self.free(page))
        return self.verdict == ("no" if found is None else "same")


@line
class Signs(Line):
    """Where a difference writes its minus, over the tested examples: p in front, s behind, . none; and the first
    rule of the inventory that does so."""

    KIND = "crypt/signs"
    TEXT = "{flip}signs {cases:,} {verdict}"
    OUTCOMES = (*SUB_BASES, "none")
    FORCED_BY = "the order of the operands and the place of the minus in every case on the same line"
    flip: Flip
    cases: tuple[Annotated[str, Chars("<=>ps.", 2)], ...]
    verdict: str

    def transcription(self, page: Page) -> bool:
        """The cases are those of the latest tests of a difference."""
        return page.get("cases", "", ())[-len(self.cases) :] == tuple((self.flip, case) for case in self.cases)

    def verdict_follows(self, page: Page) -> bool:
        cases = tuple((case[0], case[1]) for case in self.cases if case[0] in ORDER and case[1] in "ps.")
        return len(cases) == len(self.cases) and self.verdict == sub_base("flip" if self.flip else "normal", cases)

    def establish(self, page: Page) -> None:
        page.put("signs", self.flip.strip() or "normal", self.verdict)


@line
class RuleFound(Line):
    """The rule of an operator, as its tests left it."""

    KIND = "crypt/rule"
    TEXT = "rule {op} {rule}"
    op: Glyph
    rule: RuleName

    def transcription(self, page: Page) -> bool:
        rule = BY_NAME[self.rule]
        group = test_group(rule)
        head = f"{self.op} {rule.mode} {group} "
        verdicts = {verdict for name, verdict in page.names("test").items() if name.startswith(head)}
        if group == "sub":
            return verdicts == {"same"} and page.get("signs", rule.mode) == rule.base
        return verdicts == {"same" if group == "mod" else offset_word(rule)}

    def establish(self, page: Page) -> None:
        page.put("rule", self.op, self.rule)


@line
class Bet(Line):
    """A rule for an operator that no example shows: the plain one of the first group that is still open."""

    KIND = "crypt/bet"
    TEXT = "bet {op} of {groups:,} {rule}"
    op: Glyph
    groups: tuple[Literal["add", "mul", "sub"], ...]
    rule: RuleName

    def transcription(self, page: Page) -> bool:
        return self.op == page.parsed.query.op and list(self.groups) == open_groups(page.parsed, page.names("rule"))

    def verdict_follows(self, page: Page) -> bool:
        dropped = any(NORMAL_RULES <= set(rules) for rules in page.names("gone").values())
        flip = dropped or page.get("mode") == "flip"
        return self.rule == bet_rule(self.groups, page.names("rule"), flip).name

    def establish(self, page: Page) -> None:
        page.put("rule", self.op, self.rule)


NORMAL_RULES = frozenset(rule.name for rule in VALUE_RULES if rule.mode == "normal")
SIGN_GROUP = {"+": "add", "*": "mul", "-": "sub"}


def open_groups(row: EquationRow, found: dict[str, str]) -> list[str]:
    """The groups that an unseen query operator may still have: its sign's, or those no other operator has."""
    if all(op in SIGN_GROUP for op in row.operators):
        return [SIGN_GROUP[row.query.op]]
    used = {BY_NAME[name].group for op, name in found.items() if op != row.query.op}
    return [group for group in ("add", "mul", "sub") if group not in used]


def bet_rule(groups: tuple[str, ...], found: dict[str, str], flip: bool = False) -> Rule:
    """The plain rule of the first open group, in the mode of the rules found so far; without any, flip if said so."""
    mode = next((BY_NAME[name].mode for name in found.values() if BY_NAME[name].mode), "flip" if flip else "normal")
    return BY_NAME[("flip_" if mode == "flip" else "") + groups[0]]


# --- the query ----------------------------------------------------------------------------------------------------


class _Query(Line):
    """Shared by the query's arithmetic: operands as the page knows them, in the rule's mode."""

    GROUP = ""

    def transcription(self, page: Page) -> bool:
        rule = query_rule(page)
        if rule is None:
            return False
        operands = operands_of(page.parsed.query, known_digits(page), rule.mode)
        return test_group(rule) == self.GROUP and operands == (self.x, self.y)


def query_rule(page: Page) -> Rule | None:
    """The rule that the page holds for the query's operator."""
    return BY_NAME.get(page.get("rule", page.parsed.query.op, ""))


@line
class Reverse(Line):
    """The query's operands read backwards (flip mode)."""

    KIND = "crypt/reverse"
    TEXT = "reverse {left} {right}: {x} {y}"
    left: Pair
    right: Pair
    x: Pair
    y: Pair

    def transcription(self, page: Page) -> bool:
        rule = query_rule(page)
        operands = operands_of(page.parsed.query, known_digits(page), "normal")
        return rule is not None and rule.mode == "flip" and operands == (self.left, self.right)

    def arithmetic(self, page: Page) -> bool:
        return (self.x, self.y) == (self.left[::-1], self.right[::-1])


@line
class AddQuery(Addition, _Query):
    """The query's sum, units and tens first."""

    KIND = "crypt/add"
    TEXT = "add {x} {y}: {units} {tens} {total}"
    GROUP = "add"
    x: Pair
    y: Pair
    units: Sum
    tens: Sum
    total: int

    def establish(self, page: Page) -> None:
        page.put("result", "", str(self.total))


@line
class MulQuery(Multiplication, _Query):
    """The query's product, by two partial products."""

    KIND = "crypt/mul"
    TEXT = "mul {x} {y}: {tens} {ones} {total}"
    GROUP = "mul"
    x: Pair
    y: Pair
    tens: Sum
    ones: Sum
    total: Sum

    def establish(self, page: Page) -> None:
        page.put("result", "", self.total.rpartition("=")[2])


@line
class SubQuery(Subtraction, _Query):
    """Larger minus smaller of the query's operands."""

    KIND = "crypt/sub"
    TEXT = "sub {x}{order}{y}: {units} {tens} {total}"
    GROUP = "sub"
    x: Pair
    order: Literal["<", "=", ">"]
    y: Pair
    units: Difference
    tens: Difference
    total: int

    def establish(self, page: Page) -> None:
        page.put("result", "", str(self.total))
        page.put("order", "", self.order)


@line
class ModQuery(Modulo, _Query):
    """The rest of larger by smaller of the query's operands."""

    KIND = "crypt/mod"
    TEXT = "mod {x} {y}: {product} {rest}"
    GROUP = "mod"
    x: Pair
    y: Pair
    product: Sum
    rest: Difference

    def establish(self, page: Page) -> None:
        page.put("result", "", self.rest.rpartition("=")[2])


def signed(base: str, order: str, total: int) -> str:
    """A difference with the minus that its rule writes."""
    rule = BY_NAME.get(base) or BY_NAME[f"flip_{base}"]
    side = rules.value(rule, *_SAMPLE[order])[1]
    return f"-{total}" if side == "prefix" else f"{total}-" if side == "suffix" else str(total)


@line
class SignQuery(Line):
    """The query's difference with its minus."""

    KIND = "crypt/sign"
    TEXT = "{base} {order} {total}: {value}"
    base: Literal["sub", "rsub", "abs", "negabs", "absneg"]
    order: Literal["<", "=", ">"]
    total: int
    value: Value

    def transcription(self, page: Page) -> bool:
        rule = query_rule(page)
        made = page.get("order"), page.get("result")
        return rule is not None and rule.base == self.base and made == (self.order, str(self.total))

    def verdict_follows(self, page: Page) -> bool:
        return self.value == signed(self.base, self.order, self.total)

    def establish(self, page: Page) -> None:
        page.put("result", "", self.value)
        page.put("stage", "sign", True)


@line
class OffsetQuery(Line):
    """One more or one less than the query's sum or product."""

    KIND = "crypt/offset"
    TEXT = "offset {total} {offset}: {value}"
    total: int
    offset: Literal["+1", "-1"]
    value: int

    def transcription(self, page: Page) -> bool:
        rule = query_rule(page)
        return rule is not None and rule.base.endswith(self.offset) and page.get("result") == str(self.total)

    def arithmetic(self, page: Page) -> bool:
        return self.value == self.total + OFFSETS[self.offset]

    def establish(self, page: Page) -> None:
        page.put("result", "", str(self.value))
        page.put("stage", "offset", True)


def reversed_digits(value: str) -> str:
    """Digits backwards, a minus stays on its side."""
    return "-" + value[:0:-1] if value[:1] == "-" else value[-2::-1] + "-" if value[-1:] == "-" else value[::-1]


@line
class ReverseResult(Line):
    """The result written backwards (flip mode)."""

    KIND = "crypt/reverse-result"
    TEXT = "reverse {value}: {printed}"
    value: Value
    printed: Value

    def transcription(self, page: Page) -> bool:
        rule = query_rule(page)
        return rule is not None and rule.mode == "flip" and page.get("result") == self.value

    def arithmetic(self, page: Page) -> bool:
        return self.printed == reversed_digits(self.value)

    def establish(self, page: Page) -> None:
        page.put("result", "", self.printed)
        page.put("stage", "reverse", True)


def finished(page: Page) -> bool:
    """Has the query's result gone through all that its rule asks for after the computation?

    Without a rule nothing is asked: the computation, which needs one, is the line to blame.
    """
    rule = query_rule(page)
    if rule is None:
        return True
    sign, offset = rule.group == "sub" and rule.base != "mod", rule.base[-2:] in OFFSETS
    needed = {"sign": sign, "offset": offset, "reverse": rule.mode == "flip"}
    return all(page.get("stage", stage, False) for stage, asked in needed.items() if asked)


@line
class Encode(Line):
    """Every character of the result with its glyph; the minus is the query's operator."""

    KIND = "crypt/encode"
    TEXT = "encode {value}: {pairs: =}"
    value: Value
    pairs: tuple[tuple[Glyph, Glyph], ...]

    def transcription(self, page: Page) -> bool:
        known = known_digits(page)
        same = page.get("result") == self.value and finished(page)
        return same and all(
            glyph == page.parsed.query.op if value == "-" else str(known.get(glyph, "")) == value
            for value, glyph in self.pairs
        )

    def verdict_follows(self, page: Page) -> bool:
        return "".join(value for value, _ in self.pairs) == self.value

    def establish(self, page: Page) -> None:
        page.answer = "".join(glyph for _, glyph in self.pairs)


@line
class Undetermined(Line):
    """The end of a thought that the page cannot carry further: what is missing."""

    KIND = "crypt/undetermined"
    TEXT = "undetermined: no {what} for {of}"
    what: Literal["digit", "rule", "glyph"]
    of: Word

    def transcription(self, page: Page) -> bool:
        """All query glyphs without a digit; or else the query's operator; or all digits of the result without glyph."""
        known, query = known_digits(page), page.parsed.query
        missing = "".join(dict.fromkeys(c for c in query.left + query.right if c not in known))
        if self.what == "digit" or missing:
            return self.what == "digit" and bool(missing) and self.of == missing
        if self.what == "rule":
            return self.of == query.op and query_rule(page) is None
        result = page.get("result", "", "") if finished(page) else ""
        return bool(self.of) and self.of == "".join(
            dict.fromkeys(c for c in result if c.isdigit() and int(c) not in known.values())
        )


QUERY_KINDS = (
    DecodeQuery, Reverse, AddQuery, MulQuery, SubQuery, ModQuery, SignQuery, OffsetQuery, ReverseResult, Encode,
)  # fmt: skip
TEST_KINDS = (AddTest, MulTest, SubTest, ModTest, Signs, RuleFound)
JOIN_KINDS = (JoinTest, JoinQuery)


# --- search over candidate rows -----------------------------------------------------------------------------------

COUNT_CAP = 99


def chosen_rules(found: Mapping[str, str]) -> dict[str, int]:
    """Operators that have a rule of arithmetic, as indices into VALUE_RULES."""
    return {op: RULE_INDEX[name] for op, name in found.items() if name in RULE_INDEX}


def row_mode(chosen: dict[str, int]) -> str:
    """The mode of the row once any rule is chosen, "" before."""
    return next((VALUE_RULES[index].mode for index in chosen.values()), "")


RULE_INDEX = {rule.name: index for index, rule in enumerate(VALUE_RULES)}


@line
class Counts(Line):
    """How many catalog rows each open example has left under the present digits and rules (at most 99 is written)."""

    KIND = "crypt/counts"
    TEXT = "rows {counts:,:} {verdict}"
    OUTCOMES = ("take", "back", "done")
    FORCED_BY = "a zero among the counts sends back; with none, a query that can be worked out is done"
    counts: tuple[tuple[int, int], ...]
    verdict: str

    def arithmetic(self, page: Page) -> bool:
        digits, chosen = known_digits(page), chosen_rules(page.names("rule"))
        placed, counts = page.names("placed"), dict(self.counts)
        for clue in clues(page.parsed):
            e, number = example(page, clue.number), clue.number
            if number in counts:
                count = min(COUNT_CAP, len(matching(clue, digits, row_mode(chosen), chosen)))
                if counts.pop(number) != count or str(number) in placed:
                    return False
            elif str(number) not in placed:  # unless it can simply be computed, it must be counted
                if clue.op not in chosen or any(c not in digits for c in e.left + e.right):
                    return False
        return not counts and len(self.counts) == len(dict(self.counts))

    def verdict_follows(self, page: Page) -> bool:
        if any(count == 0 for _, count in self.counts):
            return self.verdict == "back"
        ready = query_ready(page.parsed, known_digits(page), page.names("rule"))
        return self.verdict == ("done" if ready else "take")

    def establish(self, page: Page) -> None:
        page.put("counts", "", self.counts)
        empty = next((number for number, count in self.counts if not count), None)
        if empty is not None:
            page.put("failed", "", empty)


def query_ready(row: EquationRow, known: dict[str, int], found: dict[str, str]) -> bool:
    """Can the query be worked out: its digits known, its operator's rule and the answer's glyphs, or no better bet?

    A bet on an operator that no example shows can be placed early only when its sign tells its group.
    """
    query = row.query
    if any(c not in known for c in query.left + query.right):
        return False
    if row.seen or query.op in found:
        return query.op in found and not lacking_digits(row, BY_NAME[found[query.op]], known)
    return bool(found) and all(op in SIGN_GROUP for op in row.operators)


@line
class SignCheck(Line):
    """The side on which a supposed difference rule writes its minus, against the side on the page."""

    KIND = "crypt/sign-check"
    TEXT = "E{number} {base} {order} puts {side} has {found} {verdict}"
    OUTCOMES = ("same", "no")
    FORCED_BY = "the two sides on the same line (p in front, s behind, . none)"
    number: int
    base: Literal["sub", "rsub", "abs", "negabs", "absneg"]
    order: Literal["<", "=", ">"]
    side: Annotated[str, Chars("ps.", 1)]
    found: Annotated[str, Chars("ps.", 1)]
    verdict: str

    def transcription(self, page: Page) -> bool:
        e = example(page, self.number)
        rule = BY_NAME.get(page.get("rule", e.op, "")) if e else None
        operands = operands_of(e, known_digits(page), rule.mode) if rule else None
        if rule is None or operands is None or rule.base != self.base:
            return False
        return self.order == compare(*map(int, operands)) and self.found == side_of(target_of(e, {}, rule.mode))

    def arithmetic(self, page: Page) -> bool:
        """The rule does put its minus there."""
        return self.side == side_of(signed(self.base, self.order, 1))

    def verdict_follows(self, page: Page) -> bool:
        return (self.verdict == "same") == (self.side == self.found)

    def establish(self, page: Page) -> None:
        page.put("failed", "", self.number)


@line
class RowTry(Line):
    """Suppose one catalog row of the open example with the fewest: rule, values, and the digits that are new."""

    KIND = "crypt/row"
    TEXT = "E{number} {k}/{n} {rule} {x} {y} {value} {pairs: =|none}"
    number: int
    k: int
    n: int
    rule: RuleName
    x: Pair
    y: Pair
    value: Value
    pairs: tuple[tuple[Glyph, Digit], ...]

    def transcription(self, page: Page) -> bool:
        """The example with the fewest rows, its count, and values that are its glyphs under the digits given."""
        e, rule = example(page, self.number), BY_NAME[self.rule]
        counts = page.get("counts", "", ())
        if e is None or rule.is_join or not counts or (self.number, self.n) != min(counts, key=lambda each: each[1]):
            return False
        digits = {**known_digits(page), **dict(self.pairs)}
        return operands_of(e, digits, rule.mode) == (self.x, self.y) and target_of(e, digits, rule.mode) == self.value

    def arithmetic(self, page: Page) -> bool:
        """The rule gives the value, and this is the k-th row of the catalog."""
        e, rule = example(page, self.number), BY_NAME[self.rule]
        if e is None or rule.is_join or not int(self.x) or not int(self.y):
            return False
        clue = next((clue for clue in clues(page.parsed) if clue.number == self.number), None)
        if clue is None or written(rule, self.x, self.y) != self.value:
            return False
        digits, chosen = known_digits(page), chosen_rules(page.names("rule"))
        table = matching(clue, digits, row_mode(chosen), chosen)
        if not 0 < self.k <= len(table):
            return False
        new = dict(self.pairs)
        row = dict(zip(clue.glyphs, map(int, table.digits[self.k - 1]), strict=True))
        same = all(row[glyph] == {**digits, **new}.get(glyph) for glyph in clue.glyphs)
        return same and VALUE_RULES[table.rule[self.k - 1]] == rule

    def establish(self, page: Page) -> None:
        page.mark()
        e = example(page, self.number)
        if e is not None:
            page.put("rule", e.op, self.rule)
            page.put("placed", str(self.number), True)
        for glyph, value in self.pairs:
            page.put("digit", glyph, value)
        page.put("supposed", "", (self.number, self.k, self.n))


def lacking_digits(row: EquationRow, rule: Rule, known: dict[str, int]) -> str:
    """The digits of the query's result that no glyph is known for; "" also when its operands are unknown or joined."""
    operands = None if rule.is_join else operands_of(row.query, known, rule.mode)
    if operands is None:
        return ""
    return "".join(c for c in rule_value(rule, *operands) if c.isdigit() and int(c) not in known.values())


def rule_value(rule: Rule, x: str, y: str) -> str:
    """What a rule gives on operand values; the rest by zero, which a wrong digit can ask for, is the operand itself."""
    return mod_steps(x, y)[1].rpartition("=")[2] if rule.base == "mod" else written(rule, x, y)


def written(rule: Rule, x: str, y: str) -> str:
    """What an arithmetic rule gives on operand values, with its minus, before any reversal; "" for a join."""
    if rule.is_join:
        return ""
    number, side = rules.value(rule, int(x), int(y))
    return f"-{-number}" if side == "prefix" else f"{-number}-" if side == "suffix" else str(number)


@line
class UndoRow(Line):
    """Take the latest supposed row back."""

    KIND = "crypt/undo"
    TEXT = "undo E{number} {k}/{n}"
    number: int
    k: int
    n: int

    def transcription(self, page: Page) -> bool:
        return page.get("supposed") == (self.number, self.k, self.n)

    def establish(self, page: Page) -> None:
        page.undo()
        page.put("failed", "", self.number)


# --- one operation per line ---------------------------------------------------------------------------------------


@line
class Step(Line):
    """One operation, alone on its line."""

    KIND = "crypt/step"
    TEXT = "step {expression}"
    expression: Annotated[str, Chars("0-9+*=\\-")]

    def arithmetic(self, page: Page) -> bool:
        left, _, right = self.expression.partition("=")
        found = _SIMPLE.fullmatch(left)
        if found is None or not right.isdigit():
            return False
        total = int(found[1])
        for sign, number in _TERM.findall(found[2]):
            total = {"+": total.__add__, "-": total.__sub__, "*": total.__mul__}[sign](int(number))
        return total == int(right)


_SIMPLE = re.compile(r"([0-9]{1,5})((?:[+*-][0-9]{1,5}){1,2})")
_TERM = re.compile(r"([+*-])([0-9]+)")


@line
class Check(_Test):
    """An example's computed value against its output; the operations stand on the lines before (or nowhere)."""

    KIND = "crypt/check"
    TEXT = "E{number} {flip}by {group} {x} {y} gives {value} vs {target} {verdict}"
    OUTCOMES = NearWords
    FORCED_BY = "the value against the target on the same line"
    number: int
    flip: Flip
    group: Literal["add", "mul", "sub", "mod"]
    x: Pair
    y: Pair
    value: int
    target: Word
    verdict: str

    @property
    def GROUP(self) -> str:
        return self.group

    def arithmetic(self, page: Page) -> bool:
        return self.value == plain_value(self.group, self.x, self.y)

    def verdict_follows(self, page: Page) -> bool:
        free = self.free(page)
        if self.group in ("add", "mul"):
            return self.verdict == near(self.value, self.target, free)
        target = self.target.strip("-") if self.group == "sub" else self.target
        return self.verdict == ("no" if fits(str(self.value), target, free) is None else "same")


def plain_value(group: str, x: str, y: str) -> int:
    """Sum, product, distance or rest of two operand values."""
    if group == "add":
        return int(x) + int(y)
    if group == "mul":
        return int(x) * int(y)
    return abs(int(x) - int(y)) if group == "sub" else int(mod_steps(x, y)[1].rpartition("=")[2])


@line
class QueryValue(Line):
    """The query's sum, product, distance or rest; the operations stand on the lines before."""

    KIND = "crypt/query-value"
    TEXT = "{group} {x} {y} gives {value}"
    group: Literal["add", "mul", "sub", "mod"]
    x: Pair
    y: Pair
    value: int

    def transcription(self, page: Page) -> bool:
        rule = query_rule(page)
        if rule is None or test_group(rule) != self.group:
            return False
        return operands_of(page.parsed.query, known_digits(page), rule.mode) == (self.x, self.y)

    def arithmetic(self, page: Page) -> bool:
        return self.value == plain_value(self.group, self.x, self.y)

    def establish(self, page: Page) -> None:
        page.put("result", "", str(self.value))
        page.put("order", "", compare(int(self.x), int(self.y)))


@line
class Reflect(Line):
    """Why the present row is given up: an example that failed, before it is taken back."""

    KIND = "crypt/reflect"
    TEXT = "E{failed} fails, E{number} {k}/{n} was wrong"
    failed: int
    number: int
    k: int
    n: int

    def transcription(self, page: Page) -> bool:
        return page.get("supposed") == (self.number, self.k, self.n) and page.get("failed") == self.failed
