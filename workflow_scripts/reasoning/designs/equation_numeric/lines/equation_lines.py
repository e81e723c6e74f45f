"""Lines shared by the two families of equations with visible digits."""

from dataclasses import dataclass
from typing import Annotated, Literal, Self

from puzzles.equations import rules
from puzzles.equations.prompt import Equation, minus_and_digits
from puzzles.equations.rules import Rule
from reasoning.grammar.lines import FAILED, PASSED, SEEN, Chars, Digit, Glyph, Line, Word, line
from reasoning.grammar.page import Page

Two = Annotated[str, Chars("0-9", 2)]
Mode = Literal["flip", "normal"]
# What can follow from the shape of a result, and the rules then tried, in this order.
CANDIDATES = {
    "join/mul": ("join", "join_swap", "mul", "mul+1", "mul-1"),
    "add/mul": ("add", "add+1", "add-1", "mul", "mul+1", "mul-1"),
    "add/sub": ("add", "add+1", "add-1", "abs", "sub", "rsub", "mod"),
    "sub": ("abs", "sub", "rsub", "mod"),
    "signed": ("sub", "rsub", "absneg", "negabs"),
}
VALUE_BASES = tuple(dict.fromkeys(base for bases in CANDIDATES.values() for base in bases if base[:4] != "join"))
GROUP_OF = {rule.base: rule.group for rule in rules.RULES}
# Which of the four basic results a rule starts from.
START = {base: "mod" if base == "mod" else GROUP_OF[base] for base in VALUE_BASES}


def shape(digits: int, signed: bool) -> str:
    """Which kinds of rule give a result of so many digits; "" for none."""
    return "signed" if signed else {1: "sub", 2: "add/sub", 3: "add/mul", 4: "join/mul"}.get(digits, "")


def rule_of(mode: str, base: str) -> Rule | None:
    return rules.BY_NAME.get(base if GROUP_OF.get(base) == "join" or mode == "normal" else f"flip_{base}")


def from_start(base: str, start: int) -> int:
    """The number that a rule gives, from the basic result (sum, product, x - y, remainder) that it starts from."""
    if base in ("sub", "mod"):
        return start
    if base == "rsub":
        return -start
    if base in ("abs", "negabs", "absneg"):
        return abs(start) if base == "abs" else -abs(start)
    return start + {"+1": 1, "-1": -1}.get(base[-2:], 0)


def written(base: str, value: int, mode: str, op: str) -> str:
    """A rule's number as the row prints it: backwards in flip mode, with the operator as its minus."""
    digits = str(abs(value))[:: -1 if mode == "flip" else 1]
    if value >= 0:
        return digits
    return digits + op if base in ("rsub", "absneg") else op + digits


@line
class Example(Line):
    """The example, or with no result the query, that the next lines are about."""

    KIND = "equation/example"
    TEXT = "E{i} {left}{op}{right} {target}"
    ROLES = "i:T left:T op:T right:T target:T"
    i: int
    left: Two
    op: Glyph
    right: Two
    target: Word

    def transcription(self, page: Page) -> bool:
        examples = page.parsed.examples
        shown = Equation(self.left, self.op, self.right, self.target)
        return 1 <= self.i <= len(examples) and examples[self.i - 1] == shown

    def establish(self, page: Page) -> None:
        page.put("now", "", (self.left, self.op, self.right, self.target, self.i))
        forget_reading(page)


@line
class Ops(Line):
    """Every example's operator with its number."""

    KIND = "equation/ops"
    TEXT = "ops {ops: }"
    ROLES = "ops:T"
    ops: tuple[tuple[Glyph, int], ...]

    def transcription(self, page: Page) -> bool:
        return self.ops == tuple((example.op, i) for i, example in enumerate(page.parsed.examples, 1))

    def establish(self, page: Page) -> None:
        page.put("ops", "", self.ops)


@line
class With(Line):
    """The numbers of the examples that have an operator, out of the list of operators."""

    KIND = "equation/with"
    TEXT = "with {op} {numbers:,|none}"
    ROLES = "op:T numbers:T"
    op: Glyph
    numbers: tuple[int, ...]

    def transcription(self, page: Page) -> bool:
        ops = page.get("ops")
        return ops is not None and self.numbers == tuple(i for op, i in ops if op == self.op)

    def establish(self, page: Page) -> None:
        page.put("with", self.op, self.numbers)


@line
class Query(Line):
    KIND = "equation/query"
    TEXT = "Q {left}{op}{right}"
    ROLES = "left:T op:T right:T"
    left: Two
    op: Glyph
    right: Two

    def transcription(self, page: Page) -> bool:
        return page.parsed.query == Equation(self.left, self.op, self.right)

    def establish(self, page: Page) -> None:
        page.put("now", "", (self.left, self.op, self.right, "", 0))
        forget_reading(page)


@line
class Shape(Line):
    """The kinds of rule that the number of digits and the sign of a result leave."""

    KIND = "equation/shape"
    TEXT = "{target} {digits} {sign} {verdict}"
    OUTCOMES = dict.fromkeys(CANDIDATES, SEEN)
    FORCED_BY = "the number of digits and the sign"
    ROLES = "target:TA digits:AV sign:AV"
    target: Word
    digits: int
    sign: Literal["plain", "minus"]
    verdict: str

    def transcription(self, page: Page) -> bool:
        return self.target == now(page)[3]

    def arithmetic(self, page: Page) -> bool:
        side, digits = minus_and_digits(Equation("", now(page)[1], "", self.target))
        return self.digits == len(digits) and (self.sign == "minus") == bool(side)

    def verdict_follows(self, page: Page) -> bool:
        return self.verdict == shape(self.digits, self.sign == "minus")


@line
class Read(Line):
    """The operands' values in a mode, possible unless one starts with a zero."""

    KIND = "equation/read"
    TEXT = "{mode} {x} {y} {verdict}"
    OUTCOMES = {"ok": PASSED, "zero": FAILED}
    FORCED_BY = "a leading zero in x or y"
    ROLES = "mode:T~ x:TV y:TV"
    mode: Mode
    x: Two
    y: Two
    verdict: str

    def transcription(self, page: Page) -> bool:
        turn = -1 if self.mode == "flip" else 1
        left, _, right, _, _ = now(page)
        return (self.x, self.y) == (left[::turn], right[::turn])

    def verdict_follows(self, page: Page) -> bool:
        return (self.verdict == "zero") == ("0" in (self.x[0], self.y[0]))

    def establish(self, page: Page) -> None:
        forget_reading(page)
        page.put("read", "", (self.mode, int(self.x), int(self.y)))


class Start(Line):
    """Shared by the four basic results: checked against the operands just read."""

    group = ""

    def transcription(self, page: Page) -> bool:
        return (self.x, self.y) == page.get("read", default=("", -1, -1))[1:]

    def establish(self, page: Page) -> None:
        page.put("start", self.group, self.value)


@line
class Sum(Start):
    KIND = "equation/sum"
    TEXT = "{x}+{y}={value}"
    ROLES = "x:TA y:TA value:A"
    group = "add"
    x: int
    y: int
    value: int

    @classmethod
    def of(cls, x: int, y: int) -> Self:
        """The line of these operands."""
        return cls(x, y, x + y)

    def arithmetic(self, page: Page) -> bool:
        return self.x + self.y == self.value


@line
class Difference(Start):
    KIND = "equation/difference"
    TEXT = "{x}-{y}={value}"
    ROLES = "x:TA y:TA value:A"
    group = "sub"
    x: int
    y: int
    value: int

    @classmethod
    def of(cls, x: int, y: int) -> Self:
        """The line of these operands."""
        return cls(x, y, x - y)

    def arithmetic(self, page: Page) -> bool:
        return self.x - self.y == self.value


@line
class Product(Start):
    """A product by the two digits of its second factor."""

    KIND = "equation/product"
    TEXT = "{x}*{y}: {x_tens}*{tens_digit}={tens} {x_ones}*{ones_digit}={ones} {shifted}+{added}={value}"
    ROLES = "x:TA y:TA x_tens:A tens_digit:A tens:A x_ones:A ones_digit:A ones:A shifted:A added:A value:A"
    group = "mul"
    x: int
    y: int
    x_tens: int
    tens_digit: Digit
    tens: int
    x_ones: int
    ones_digit: Digit
    ones: int
    shifted: int
    added: int
    value: int

    @classmethod
    def of(cls, x: int, y: int) -> Self:
        """The line that multiplies x by y, of two digits."""
        tens, ones = x * (y // 10), x * (y % 10)
        return cls(x, y, x, y // 10, tens, x, y % 10, ones, tens * 10, ones, x * y)

    def arithmetic(self, page: Page) -> bool:
        return 10 <= self.y < 100 and self == Product.of(self.x, self.y)


@line
class Remainder(Start):
    """The larger operand modulo the smaller, with the multiple that is taken off."""

    KIND = "equation/remainder"
    TEXT = "{large}%{small}={large_again}-{multiple}={value}"
    ROLES = "large:T small:TA large_again:TA multiple:A value:A"
    group = "mod"
    large: int
    small: int
    large_again: int
    multiple: int
    value: int

    @classmethod
    def of(cls, x: int, y: int) -> Self:
        """The line of these operands, the larger first."""
        large, small = max(x, y), min(x, y)
        return cls(large, small, large, large - large % small, large % small)

    def transcription(self, page: Page) -> bool:
        read = page.get("read", default=("", -1, -1))[1:]
        return (self.large, self.small) == (max(read), min(read)) and self.large_again == self.large

    def arithmetic(self, page: Page) -> bool:
        return (
            self.small > 0
            and self.multiple % self.small == 0
            and self.large_again - self.multiple == self.value
            and 0 <= self.value < self.small
        )


@line
class Test(Line):
    """A rule's number on the operands read, as printed, against the result."""

    KIND = "equation/test"
    TEXT = "{rule} {value} {printed} {target} {verdict}"
    OUTCOMES = {"no": FAILED, "yes": PASSED}
    FORCED_BY = "whether the printed number is the result"
    ROLES = "rule:T/A~ value:A printed:AV target:TV"
    rule: Literal[VALUE_BASES]
    value: int
    printed: Word
    target: Word
    verdict: str

    def transcription(self, page: Page) -> bool:
        return self.target == now(page)[3] and page.get("start", START[self.rule]) is not None

    def arithmetic(self, page: Page) -> bool:
        start = page.get("start", START[self.rule])
        return (start is None or self.value == from_start(self.rule, start)) and self.printed == written(
            self.rule, self.value, mode_read(page), now(page)[1]
        )

    def verdict_follows(self, page: Page) -> bool:
        return (self.verdict == "yes") == (self.printed == self.target)

    def establish(self, page: Page) -> None:
        if self.verdict == "yes":
            page.put("fits", f"{mode_read(page)} {self.rule} {now(page)[4]}", True)


@line
class JoinTest(Line):
    """A join of the operands as printed, against the result."""

    KIND = "equation/join-test"
    TEXT = "{rule} {printed} {target} {verdict}"
    OUTCOMES = {"no": FAILED, "yes": PASSED}
    FORCED_BY = "whether the joined operands are the result"
    ROLES = "rule:T~ printed:TV target:TV"
    rule: Literal["join", "join_swap"]
    printed: Word
    target: Word
    verdict: str

    def transcription(self, page: Page) -> bool:
        left, _, right, target, _ = now(page)
        return self.target == target and self.printed == rules.apply(rules.BY_NAME[self.rule], left, right)

    def verdict_follows(self, page: Page) -> bool:
        return (self.verdict == "yes") == (self.printed == self.target)

    def establish(self, page: Page) -> None:
        if self.verdict == "yes":
            page.put("fits", f"any {self.rule} {now(page)[4]}", True)


@line
class Lock(Line):
    """The operator's rule; it follows when every example of the operator was tested and fits."""

    KIND = "equation/lock"
    TEXT = "{op} is {mode} {rule}"
    ROLES = "op:VT mode:V rule:V"
    op: Glyph
    mode: Literal["flip", "normal", "any"]
    rule: Literal[("join", "join_swap", *VALUE_BASES)]

    def transcription(self, page: Page) -> bool:
        return page.get("with", self.op, ()) != ()

    def verdict_follows(self, page: Page) -> bool:
        numbers = page.get("with", self.op, ())
        fits = [page.get("fits", f"{self.mode} {self.rule} {number}", False) for number in numbers]
        return fits != [] and all(fits)

    def establish(self, page: Page) -> None:
        page.put("rule", self.op, (self.mode, self.rule))


@line
class Bet(Line):
    """A rule for an operator that no example shows: a guess, and said to be one."""

    KIND = "equation/bet"
    TEXT = "bet {op} is {mode} {rule}"
    RECALLS = "which rule is most frequent"
    ROLES = "op:T mode:T~ rule:-"
    op: Glyph
    mode: Literal["flip", "normal", "any"]
    rule: Literal[("join", "join_swap", *VALUE_BASES)]

    def transcription(self, page: Page) -> bool:
        """Of the query's unseen operator, once the others are found; in their mode and of none of their groups.

        Joins have neither mode nor limit.
        """
        others = page.names("rule").values()
        modes = {mode for mode, _ in others} - {"any"}
        groups = {GROUP_OF[rule] for _, rule in others} - {"join"}
        return (
            self.op == page.parsed.query.op
            and not page.parsed.seen
            and all(example.op in page.names("rule") for example in page.parsed.examples)
            and (self.mode == "any") == (GROUP_OF[self.rule] == "join")
            and (self.mode == "any" or modes <= {self.mode})
            and GROUP_OF[self.rule] not in groups
        )

    def is_bare(self, page: Page) -> bool:
        return True

    def establish(self, page: Page) -> None:
        page.put("rule", self.op, (self.mode, self.rule))


@line
class Result(Line):
    """The query's number under the operator's rule, and as printed."""

    KIND = "equation/result"
    TEXT = "{rule} {value} gives {answer}"
    ROLES = "rule:TA value:A answer:A"
    rule: Literal[VALUE_BASES]
    value: int
    answer: Word

    def transcription(self, page: Page) -> bool:
        op = now(page)[1]
        return (
            now(page)[4] == 0
            and page.get("rule", op) == (mode_read(page), self.rule)
            and page.get("start", START[self.rule]) is not None
        )

    def arithmetic(self, page: Page) -> bool:
        start = page.get("start", START[self.rule])
        return (start is None or self.value == from_start(self.rule, start)) and self.answer == written(
            self.rule, self.value, mode_read(page), now(page)[1]
        )

    def establish(self, page: Page) -> None:
        page.answer = self.answer


@line
class JoinResult(Line):
    KIND = "equation/join-result"
    TEXT = "{rule} gives {answer}"
    ROLES = "rule:T answer:T"
    rule: Literal["join", "join_swap"]
    answer: Word

    def transcription(self, page: Page) -> bool:
        left, op, right, _, number = now(page)
        joined = rules.apply(rules.BY_NAME[self.rule], left, right)
        return number == 0 and page.get("rule", op) == ("any", self.rule) and self.answer == joined

    def establish(self, page: Page) -> None:
        page.answer = self.answer


@dataclass(frozen=True)
class Wording:
    """How the basic results are written."""

    sum: type[Sum]
    difference: type[Difference]
    remainder: type[Start]

    @property
    def kinds(self) -> tuple[type[Line], ...]:
        """Every kind of line but a bet."""
        results = self.sum, self.difference, Product, self.remainder
        return (Ops, With, Example, Query, Shape, Read, *results, Test, JoinTest, Lock, Result, JoinResult)

    def start(self, group: str) -> type[Start]:
        """The line of one of the four basic results."""
        return {"add": self.sum, "sub": self.difference, "mul": Product, "mod": self.remainder}[group]


AT_ONCE = Wording(Sum, Difference, Remainder)


def now(page: Page) -> tuple[str, str, str, str, int]:
    """(left, op, right, result, number) of the example the page is at; number 0 is the query, -1 nothing yet."""
    return page.get("now", default=("", "", "", "", -1))


def mode_read(page: Page) -> str:
    return page.get("read", default=("", 0, 0))[0]


def forget_reading(page: Page) -> None:
    for space in ("read", "start"):
        for name in page.names(space):
            del page.facts[space, name]
