"""How the lines of cryptarithm designs write an example, and what the page says of a glyph.

An unknown glyph stands for itself; a known one is written as its digit. `target` is an example's output read that way,
the minus written `-` on its own side, digits reversed in flip mode. Operand values are written with two characters.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from puzzles.equations.prompt import Equation, EquationRow, minus_and_digits
from puzzles.equations.rules import BY_NAME, VALUE_RULES, Rule
from reasoning.designs.cryptarithm.lines.arithmetic import OFFSETS, rule_value
from reasoning.grammar.lines import FAILED, PASSED, Chars
from reasoning.grammar.page import Page

Flip = Literal["", "flip "]
Two = Annotated[str, Chars("!-~", 2)]  # an operand as it stands
Pair = Annotated[str, Chars("0-9", 2)]  # a two-character operand value
Sum = Annotated[str, Chars("0-9+*=%")]  # one step of arithmetic such as 7+6=13
Difference = Annotated[str, Chars("0-9=\\-")]
Value = Annotated[str, Chars("0-9\\-")]  # digits with a minus in front or behind
RuleName = Literal[tuple(BY_NAME)]
NEAR = {"same": PASSED, "+1": PASSED, "-1": PASSED, "several": PASSED, "no": FAILED}


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


_SIDES = {"prefix": "p", "suffix": "s", "": "."}


def side_of(target: str) -> str:
    """p, s or . for a minus in front, behind, or none."""
    return "p" if target[:1] == "-" else "s" if target[-1:] == "-" else "."


def minus_glyph(equation: Equation) -> str:
    """The operator glyph where the output shows it as a minus, else ""."""
    return equation.op if minus_and_digits(equation)[0] else ""


def query_rule(page: Page) -> Rule | None:
    """The rule that the page holds for the query's operator."""
    return BY_NAME.get(page.get("rule", page.parsed.query.op, ""))


def chosen_rules(found: Mapping[str, str]) -> dict[str, int]:
    """Operators that have a rule of arithmetic, as indices into VALUE_RULES."""
    return {op: RULE_INDEX[name] for op, name in found.items() if name in RULE_INDEX}


def row_mode(chosen: dict[str, int]) -> str:
    """The mode of the row once any rule is chosen, "" before."""
    return next((VALUE_RULES[index].mode for index in chosen.values()), "")


RULE_INDEX = {rule.name: index for index, rule in enumerate(VALUE_RULES)}


def lacking_digits(row: EquationRow, rule: Rule, known: dict[str, int]) -> str:
    """The digits of the query's result that no glyph is known for; "" also when its operands are unknown or joined."""
    operands = None if rule.is_join else operands_of(row.query, known, rule.mode)
    if operands is None:
        return ""
    return "".join(c for c in rule_value(rule, *operands) if c.isdigit() and int(c) not in known.values())


def reading(equation: Equation, mode: str) -> tuple[str, str, str]:
    """Operands and output digits of an example in a mode's reading order (tens first)."""
    turn = -1 if mode == "flip" else 1
    return equation.left[::turn], equation.right[::turn], minus_and_digits(equation)[1][::turn]
