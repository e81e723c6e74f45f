"""The rules that both equation families draw from: two joins and 22 arithmetic rules in two reading modes.

An equation is `AB op CD = output`. In flip mode both operands are read backwards (BA, DC) and the result is written
backwards. A minus is the row's own operator glyph. An arithmetic rule is a function of the two operand values, a mode,
and the side on which its minus is written.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

GROUPS = ("add", "sub", "mul", "join")
MODES = ("normal", "flip")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `mode` is "" for the joins, which are written the same in both modes."""

    name: str
    group: str
    mode: str

    @property
    def is_join(self) -> bool:
        return self.group == "join"

    @property
    def base(self) -> str:
        """The name without its mode: `flip_add` and `add` share the base `add`."""
        return self.name.removeprefix("flip_")


# What each rule computes from the operand values: a signed number and the side its minus is written on.
_PREFIX, _SUFFIX = "prefix", "suffix"
_FUNCTIONS: dict[str, tuple[Callable[[int, int], int], str]] = {
    "add": (lambda a, b: a + b, _PREFIX),
    "add+1": (lambda a, b: a + b + 1, _PREFIX),
    "add-1": (lambda a, b: a + b - 1, _PREFIX),
    "sub": (lambda a, b: a - b, _PREFIX),
    "rsub": (lambda a, b: b - a, _SUFFIX),
    "abs": (lambda a, b: abs(a - b), _PREFIX),
    "negabs": (lambda a, b: -abs(a - b), _PREFIX),
    "absneg": (lambda a, b: -abs(a - b), _SUFFIX),
    "mod": (lambda a, b: max(a, b) % min(a, b), _PREFIX),
    "mul": (lambda a, b: a * b, _PREFIX),
    "mul+1": (lambda a, b: a * b + 1, _PREFIX),
    "mul-1": (lambda a, b: a * b - 1, _PREFIX),
}
_NORMAL = {
    "add": ("add", "add+1", "add-1"),
    "sub": ("sub", "abs", "negabs", "mod"),
    "mul": ("mul", "mul+1", "mul-1"),
}
_FLIP = {**_NORMAL, "sub": ("sub", "rsub", "abs", "negabs", "absneg", "mod")}

JOINS = (Rule("join", "join", ""), Rule("join_swap", "join", ""))
RULES: tuple[Rule, ...] = (
    *JOINS,
    *(Rule(name, group, "normal") for group, names in _NORMAL.items() for name in names),
    *(Rule(f"flip_{name}", group, "flip") for group, names in _FLIP.items() for name in names),
)
VALUE_RULES = tuple(rule for rule in RULES if not rule.is_join)
BY_NAME = {rule.name: rule for rule in RULES}


def value(rule: Rule, x: int, y: int) -> tuple[int, str]:
    """The signed number that an arithmetic rule gives for two operand *values*, and the side of its minus.

    The side is "" for numbers that carry none. Raises ZeroDivisionError for a remainder by zero.
    """
    function, side = _FUNCTIONS[rule.base]
    number = function(x, y)
    return number, side if number < 0 else ""


def values(rule: Rule, x: Iterable[int], y: Iterable[int]) -> tuple[list[int], str]:
    """The numbers of `value` for many pairs of operand values, and the side of the minus of those that carry one."""
    function, side = _FUNCTIONS[rule.base]
    return list(map(function, x, y)), side


def apply(rule: Rule, left: str, right: str, sign: str = "-") -> str:
    """The printed output of `left op right`, operands as printed (two characters each), `sign` for a minus.

    Joins accept any characters; arithmetic rules need decimal digits.
    """
    if rule.is_join:
        return left + right if rule.name == "join" else right + left
    turn = -1 if rule.mode == "flip" else 1
    number, side = value(rule, int(left[::turn]), int(right[::turn]))
    digits = str(abs(number))[::turn]
    return sign + digits if side == _PREFIX else digits + sign if side == _SUFFIX else digits
