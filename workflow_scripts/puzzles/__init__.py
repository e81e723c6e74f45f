"""The nine puzzle families, and which of them a prompt belongs to."""

from puzzles import (
    bit_manipulation,
    cipher,
    cryptarithm,
    equation_numeric,
    equations,
    gravity,
    numeral,
    unit_conversion,
)
from puzzles.base import Family, PromptError

FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        numeral.FAMILY,
        unit_conversion.FAMILY,
        gravity.FAMILY,
        cipher.FAMILY,
        bit_manipulation.FAMILY,
        *equation_numeric.FAMILIES,
        *cryptarithm.FAMILIES,
    )
}


def family_of(prompt: str) -> str:
    """The family a prompt belongs to, told from its header and, for equations, from its digits and operators.

    Raises PromptError when no family has this header, or when the equations cannot be read.
    """
    for module in (numeral, unit_conversion, gravity, cipher, bit_manipulation):
        if prompt.startswith(module.HEADER):
            return module.FAMILY.name
    if not prompt.startswith(equations.HEADER):
        raise PromptError(f"no family has a prompt that starts {prompt[:60]!r}", field="prompt")
    row = equations.parse(prompt)
    sides = "".join(equation.left + equation.right for equation in (*row.examples, row.query))
    kind = "equation_numeric" if sides.isdigit() else "cryptarithm"
    return f"{kind}_{'deduce' if row.seen else 'guess'}"
