"""The test of families of rules by an output that is one of its own operands."""

from typing import Annotated, Literal

from puzzles.equations.prompt import Equation, EquationRow, minus_and_digits
from reasoning.designs.cryptarithm.lines.drop_families import KEEP, FamiliesTest, FamilyName
from reasoning.designs.cryptarithm.lines.letters import Operator, letters_of
from reasoning.grammar.lines import Chars, line
from reasoning.grammar.page import Page

Returns = Literal["none", "left", "right", "either"]
Two = Annotated[str, Chars("A-V", 2)]
RETURNS: dict[str, Returns] = {"sub": "right", "rsub": "left", "abs": "either"}
"""Which operand (10 to 99) a family can give back without a minus: 84-42=42 but never 84; no other family does."""


def returns_of(family: str) -> Returns:
    return RETURNS.get(family, "none")


def in_letters(row: EquationRow, e: Equation) -> tuple[str, str, str] | None:
    """Operands and output in letters, None where the output has a minus or not two glyphs."""
    side, out = minus_and_digits(e)
    names = letters_of(row)
    parts = (e.left, e.right, out)
    return None if side or len(out) != 2 else tuple("".join(names[c] for c in part) for part in parts)


def fails(returns: str, left: str, right: str, out: str) -> bool:
    """Is the output an operand that cannot be given back?"""
    equal = {side for side, operand in (("left", left), ("right", right)) if operand == out}
    return bool(equal - ({"left", "right"} if returns == "either" else {returns}))


@line
class TestIdent(FamiliesTest):
    """Which operand a family can give back, against an output of two letters; the same in both reading orders."""

    KIND = "try/ident"
    TEXT = "s{step} try {op} {families:,} returns {returns} E{number} {left} {right} gives {output} {verdict}"
    OUTCOMES = KEEP
    FORCED_BY = "the three pairs of letters on the same line: dropped when the output is an operand never given back"
    ROLES = "step:T op:T families:A/T returns:AV number:T left:TV right:TV output:TV line:~"
    step: int
    op: Operator
    families: tuple[FamilyName, ...]
    returns: Returns
    number: int
    left: Two
    right: Two
    output: Two
    verdict: str

    def premises(self, page: Page, e: Equation) -> bool:
        return (self.left, self.right, self.output) == in_letters(page.parsed, e)

    def arithmetic(self, page: Page) -> bool:
        return all(returns_of(family) == self.returns for family in self.families)

    def verdict_follows(self, page: Page) -> bool:
        return self.verdict == ("drop" if fails(self.returns, self.left, self.right, self.output) else "keep")
