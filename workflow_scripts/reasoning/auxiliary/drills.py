"""Recall drills: what a design recalls from a finite catalog, as training rows in that design's own lines.

cryptarithms, as in `catalog`: how many rows a signature has, and the rows themselves, PAGE at a time (of signatures
with at most LISTED rows, which a thought has room to list). bit_manipulation, as in `catalog-repair`: the catalog rules
nearest to a selection of eight. A drill is no puzzle: its prompt is a question about the catalog and nothing else.
"""

import random
from collections.abc import Iterator

from common.errors import LabError
from puzzles.base import content_hash, row_rng
from puzzles.bit_manipulation import catalog as bit_catalog
from puzzles.cryptarithm import signatures
from puzzles.equations.prompt import Equation, EquationRow, minus_and_digits
from puzzles.equations.rules import VALUE_RULES
from puzzles.registry import FAMILIES
from reasoning.designs.bit_manipulation import catalog_repair as repair
from reasoning.designs.cryptarithm.engines.propagation import Clue, clues
from reasoning.designs.cryptarithm.lines import arithmetic, notation
from reasoning.designs.cryptarithm.lines import catalog_lines as catalog
from reasoning.grammar.lines import Line
from reasoning.grammar.texts import RENDERED
from reasoning.grammar.trace import Trace, completion_of

PAGE, LISTED, NEAREST, PERTURBED = 10, 100, 4, 2
STRATUM = "drill"
Drill = tuple[str, Trace]
"""Question and thought."""


def equation_of(signature: str) -> Equation:
    """The equation whose glyphs are the letters of a signature."""
    return Equation(signature[:2], "+", signature[2:4], signature[4:].replace("-", "+"))


def signature_drills() -> Iterator[Drill]:
    """The count of every signature that an example can have, and the pages of the short ones."""
    for signature in signatures.catalog().slices:
        e = equation_of(signature)
        found = clues(EquationRow((e,), e))  # none for a join
        if found and len(found[0].table):
            yield _count(signature, e, found[0])
            if len(found[0].table) <= LISTED:
                for first in range(1, len(found[0].table) + 1, PAGE):
                    yield _page(signature, e, found[0], first)


def _count(signature: str, e: Equation, clue: Clue) -> Drill:
    side, length = notation.side_of(notation.target_of(e, {}, "normal")), len(minus_and_digits(e)[1])
    said = catalog.SignatureLine(1, signature, length, side, len(clue.table))
    return f"Catalog: E1 is {signature}. How many rows?", Trace((said,), str(said.count))


def _page(signature: str, e: Equation, clue: Clue, first: int) -> Drill:
    lines: list[Line] = []
    for k in range(first, min(first + PAGE, len(clue.table) + 1)):
        rule = VALUE_RULES[clue.table.rule[k - 1]]
        digits = dict(zip(clue.glyphs, map(int, clue.table.digits[k - 1]), strict=True))
        x, y = notation.operands_of(e, digits, rule.mode)
        lines.append(catalog.BranchLine(k, rule.name, x, y, arithmetic.written(rule, x, y)))
    return f"Catalog: E1 is {signature}. The rows from b{first}?", Trace(tuple(lines), f"b{lines[-1].k}")


def bit_drills(rng: random.Random) -> Iterator[Drill]:
    """Selections near catalog rules, without end, each with the nearest rules of the catalog."""
    sequences = bit_catalog.catalog().sequences
    while True:
        chosen = list(rng.choice(sequences))
        for j in rng.sample(range(8), rng.randint(0, PERTURBED)):
            chosen[j] = rng.choice((repair.DEFAULT, rng.choice(sequences)[j]))
        lines = []
        for distance, row in bit_catalog.nearest(chosen, NEAREST):
            changes = tuple((j, rule) for j, rule in enumerate(sequences[row]) if rule != chosen[j])
            lines.append(repair.Recall(row, distance, changes))
        said = " ".join(f"o{j} {rule}" for j, rule in enumerate(chosen))
        yield f"Catalog: {said}. The nearest rules?", Trace(tuple(lines), f"#{lines[0].row}")


def drills(family: str, n: int, seed: int) -> list[dict]:
    """n different drills as rows of a texts table (with `canonical`), the same for the same seed.

    Raises LabError for a family whose designs recall nothing, or when there are fewer.
    """
    if FAMILIES[family].has_key:
        every = sorted(signature_drills(), key=lambda drill: content_hash(f"{seed}:{drill[0]}"))[:n]
        if len(every) < n:
            raise LabError(f"{n} drills asked for, there are {len(every)}", field="n")
    elif family == "bit_manipulation":
        found, source = {}, bit_drills(row_rng(seed, "drills"))
        while len(found) < n:
            found.update([next(source)])
        every = list(found.items())
    else:
        raise LabError(f"no design of {family} recalls a catalog", field="family")
    return [
        {
            "id": f"drill-{content_hash(question)[:12]}",
            "family": family,
            "prompt": question,
            "completion": completion_of(trace),
            "answer": trace.answer,
            "stratum": STRATUM,
            "status": RENDERED,
            "canonical": f"{STRATUM} {question}",
        }
        for question, trace in every
    ]
