"""How much work a cryptarithm is for the exact solver, told from its shape alone, in microseconds per row.

The estimate walks the equations as the solver does (fewest expected matches first) and multiplies catalog counts by
the chance that random rows agree on shared glyphs; the glyphs of the query that no equation shows multiply by the
digits left. On generated rows it ranks the solver's nodes (see tests/puzzles/test_cryptarithm.py).
"""

from functools import cache

from puzzles.cryptarithm.signatures import catalog, signature_of
from puzzles.equations.prior import falling
from puzzles.equations.prompt import EquationRow, join_of, minus_and_digits

# Upper bounds of the estimated number of join steps for tiers 1, 2 and 3; tier 4 has no bound.
BOUNDS = (30, 300, 3_000)


@cache
def _counts() -> dict[str, int]:
    return {name: place.stop - place.start for name, place in catalog().slices.items()}


def estimated_steps(row: EquationRow) -> float:
    """The expected number of join steps until every digit that the query needs is fixed."""
    left = []
    for equation in row.examples:
        if not join_of(equation):
            glyphs = frozenset(equation.left + equation.right + minus_and_digits(equation)[1])
            left.append((_counts().get(signature_of(equation), 0), glyphs, equation.op))
    fixed: frozenset[str] = frozenset()
    ruled: set[str] = set()
    size, steps = 1.0, 0.0
    while left:

        def matches(item: tuple[int, frozenset[str], str], fixed: frozenset[str] = fixed) -> float:
            count, glyphs, op = item
            shared = len(glyphs & fixed)
            free = falling(10 - len(fixed), len(glyphs) - shared) / falling(10, len(glyphs))
            return count * free / (8 if op in ruled else 1)

        item = min(left, key=matches)
        left.remove(item)
        size *= matches(item)
        steps += size
        fixed |= item[1]
        ruled.add(item[2])
    if any(equation.op == row.query.op and join_of(equation) for equation in row.examples):
        return steps
    asked = frozenset(row.query.left + row.query.right) - fixed
    return steps + size * falling(10 - len(fixed), len(asked)) * (1 if row.seen else 10)


def tier(row: EquationRow) -> int:
    """1 to 4 by estimated steps."""
    steps = estimated_steps(row)
    return 1 + sum(steps > bound for bound in BOUNDS)
