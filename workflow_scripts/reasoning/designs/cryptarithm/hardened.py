"""hardened (the study's r6): symbol table built up, tries counted, a bad example in some training rows.

Adds to two-regime the scan of every example, the two disjoint glyph sets, a running number on every try, and an ending
for rows that no pass fits: examples are left out one at a time, the first without which the others fit is named bad
and excluded. A quarter of the training rows get an example that contradicts the others; no row of an evaluation set has
one, so what they teach is never right there (the study's quirk). Their thoughts run through every pass, and many are
too long: the study's share, 10 in 100 of the rows trained on, is the selection bad-10 of a corpus.
"""

import random
from dataclasses import replace

from puzzles.base import Problem, split_of
from puzzles.cryptarithm.family import canonical, parse, solve
from puzzles.equations.prompt import Equation, EquationRow, join_of
from puzzles.equations.rules import BY_NAME
from reasoning.designs.cryptarithm.engines.tree_search import Options, designs
from reasoning.grammar.reveal import Known

SHARE = 0.4  # of the rows that can have one, which are half of all
DRAWS = 20


def spoil(problem: Problem, known: Known, rng: random.Random) -> tuple[Problem, Known]:
    """Insert an example of an operator that has one already, in glyphs of the row, that no digits and rules fit.

    Only rows in the normal order whose query asks for arithmetic; a changed row stays in the train split.
    """
    rules = problem.rule.get("operators", {})
    if problem.stratum == "join" or problem.rule.get("mode") != "normal" or rng.random() >= SHARE:
        return problem, known
    row = parse(problem.prompt)
    glyphs = row.digit_glyphs()
    ops = [e.op for e in row.examples if not BY_NAME[rules[e.op]].is_join]
    for _ in range(DRAWS if ops else 0):
        left, right, output = ("".join(rng.choices(glyphs, k=k)) for k in (2, 2, rng.choice((2, 3))))
        bad, place = Equation(left, rng.choice(ops), right, output), rng.randint(0, len(row.examples))
        changed = EquationRow((*row.examples[:place], bad, *row.examples[place:]), row.query)
        form = canonical(changed)
        if join_of(bad) or split_of(form) != "train":
            continue
        solution = solve(changed)
        if solution.answer is None and solution.exhaustive:
            return replace(problem, prompt=changed.prompt, canonical=form), known
    return problem, known


DESIGNS = designs("hardened", Options(refute=False, families=True, scans=True, drops=True), spoil)
