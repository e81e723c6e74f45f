"""The nine puzzle families, and which of them a prompt belongs to."""

from puzzles import cipher, gravity, numeral, unit_conversion
from puzzles.base import Family, PromptError
from puzzles.bit_manipulation import family as bit_manipulation
from puzzles.cryptarithm import family as cryptarithm
from puzzles.equations import numeric
from puzzles.equations import prompt as equations

_OF_ONE = (numeral, unit_conversion, gravity, cipher, bit_manipulation)
FAMILIES: dict[str, Family] = {
    family.name: family for family in (*(module.FAMILY for module in _OF_ONE), *numeric.FAMILIES, *cryptarithm.FAMILIES)
}
MODULES = {
    **{module.FAMILY.name: module.__name__ for module in _OF_ONE},
    **{family.name: module.__name__ for module in (numeric, cryptarithm) for family in module.FAMILIES},
}
"""Family -> the module that declares it."""


def family_of(prompt: str) -> str:
    """The family a prompt belongs to, told from its header and, for equations, from its digits and operators.

    Raises PromptError when no family has this header, or when the equations cannot be read.
    """
    for module in _OF_ONE:
        if prompt.startswith(module.HEADER):
            return module.FAMILY.name
    if not prompt.startswith(equations.HEADER):
        raise PromptError(f"no family has a prompt that starts {prompt[:60]!r}", field="prompt")
    row = equations.parse(prompt)
    sides = "".join(equation.left + equation.right for equation in (*row.examples, row.query))
    kind = "equation_numeric" if sides.isdigit() else "cryptarithm"
    return f"{kind}_{'deduce' if row.seen else 'guess'}"
