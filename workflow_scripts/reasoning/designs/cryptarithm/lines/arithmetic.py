"""Arithmetic as the lines of cryptarithm designs print it, and what each rule gives on operand values."""

from puzzles.equations import rules
from puzzles.equations.rules import BY_NAME, Rule
from reasoning.designs.columns import compare
from reasoning.designs.remainder import mod_steps, sub_steps
from reasoning.grammar.page import Page

OFFSETS = {"same": 0, "+1": 1, "-1": -1}
SUB_BASES = ("sub", "rsub", "abs", "negabs", "absneg")
ORDER = {"<": -1, "=": 0, ">": 1}


def sub_bases(mode: str, cases: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """The difference rules of the inventory, each with the minus that it writes in the order of every case, up to the
    first that writes it as the cases have it: normal, (">.", "<.") -> (("sub", ">.<p"), ("abs", ">.<."))."""
    found = []
    for base in SUB_BASES:
        rule = BY_NAME.get(base if mode == "normal" else f"flip_{base}")
        if rule:
            sides = [rules.value(rule, *_SAMPLE[case[0]])[1][:1] or "." for case in cases]
            found.append((base, "".join(case[0] + side for case, side in zip(cases, sides, strict=True))))
            if found[-1][1] == "".join(cases):
                break
    return tuple(found)


_SAMPLE = {"<": (11, 12), "=": (11, 11), ">": (12, 11)}


def add_steps(x: str, y: str) -> tuple[str, str]:
    """Units and tens of a two-digit sum with the carry: 27+96 -> 7+6=13, 2+9+1=12."""
    units = int(x[1]) + int(y[1])
    carry = "+1" if units > 9 else ""
    return f"{x[1]}+{y[1]}={units}", f"{x[0]}+{y[0]}{carry}={int(x[0]) + int(y[0]) + units // 10}"


def mul_steps(x: str, y: str) -> tuple[str, str, tuple[str, ...], int]:
    """Two partial products, their sum by columns from the right, each with its carry, and the product: 27*96 ->
    27*9=243, 27*6=162, (2430+162, 0+2=2, 3+6=9, 4+1=5, 2+0=2), 2592."""
    tens, ones = int(x) * int(y[0]), int(x) * int(y[1])
    return f"{int(x)}*{y[0]}={tens}", f"{int(x)}*{y[1]}={ones}", columns(tens * 10, ones), tens * 10 + ones


def columns(a: int, b: int) -> tuple[str, ...]:
    """A sum, then the sum of each column from the right with its carry."""
    found, carry = [f"{a}+{b}"], 0
    for k in range(max(len(str(a)), len(str(b)))):
        x, y = a // 10**k % 10, b // 10**k % 10
        found.append(f"{x}+{y}{'+1' if carry else ''}={x + y + carry}")
        carry = (x + y + carry) // 10
    return tuple(found)


def beside(value: int) -> tuple[int, int]:
    """A value with one less and one more, as a test writes them before its verdict."""
    return value - 1, value + 1


class Addition:
    """A sum as printed by add_steps."""

    __slots__ = ()

    def arithmetic(self, page: Page) -> bool:
        return (self.units, self.tens, self.total) == (*add_steps(self.x, self.y), int(self.x) + int(self.y))


class Multiplication:
    """A product as printed by mul_steps."""

    __slots__ = ()

    def arithmetic(self, page: Page) -> bool:
        return (self.tens, self.ones, self.columns, self.total) == mul_steps(self.x, self.y)


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
        steps = self.order, (self.steps, self.rest)
        return steps == (compare(int(self.x), int(self.y)), mod_steps(self.x, self.y))


def test_group(rule: Rule) -> str:
    """The kind of test that tries a rule: its group, or `mod`."""
    return "mod" if rule.base == "mod" else rule.group


def offset_word(rule: Rule) -> str:
    """The verdict that an example of this sum or product rule gives."""
    return rule.base.removeprefix(rule.group) or "same"


def signed(base: str, order: str, total: int) -> str:
    """A difference with the minus that its rule writes."""
    rule = BY_NAME.get(base) or BY_NAME[f"flip_{base}"]
    side = rules.value(rule, *_SAMPLE[order])[1]
    return f"-{total}" if side == "prefix" else f"{total}-" if side == "suffix" else str(total)


def rule_value(rule: Rule, x: str, y: str) -> str:
    """What a rule gives on operand values; the rest by zero, which a wrong digit can ask for, is the operand itself."""
    return str(mod_steps(x, y)[1]) if rule.base == "mod" else written(rule, x, y)


def written(rule: Rule, x: str, y: str) -> str:
    """What an arithmetic rule gives on operand values, with its minus, before any reversal; "" for a join."""
    if rule.is_join:
        return ""
    number, side = rules.value(rule, int(x), int(y))
    return f"-{-number}" if side == "prefix" else f"{-number}-" if side == "suffix" else str(number)


def plain_value(group: str, x: str, y: str) -> int:
    """Sum, product, distance or rest of two operand values."""
    if group == "add":
        return int(x) + int(y)
    if group == "mul":
        return int(x) * int(y)
    return abs(int(x) - int(y)) if group == "sub" else mod_steps(x, y)[1]
