"""Training rows whose shown key is wrong, so that a thought that finds no rule learns to end.

A text with the right key never shows the case that every test fails. A model that has decoded a digit wrongly gets
there all the same, and without an example of how to end it goes on with numbers of its own.
"""

import random
from itertools import combinations

from puzzles.base import Problem
from puzzles.cryptarithm.family import parse
from reasoning.designs.cryptarithm.engines.forward import Worker
from reasoning.grammar.reveal import MOST, Known

SHARE = 0.05


def swap_digits(problem: Problem, known: Known, rng: random.Random) -> tuple[Problem, Known]:
    """In a share of the rows that show the whole key and ask for arithmetic: the key with the digits of two glyphs
    swapped, so that no rule fits the examples with the query's operator. Rows that have no such key keep theirs."""
    if rng.random() >= SHARE or len(known) < MOST or known.rules or problem.stratum == "join":
        return problem, known
    row = parse(problem.prompt)
    glyphs = {glyph for e in row.examples if e.op == row.query.op for glyph in e.left + e.right + e.output}
    pairs = [pair for pair in combinations(known, 2) if glyphs.intersection(pair)]
    rng.shuffle(pairs)
    for a, b in pairs:
        swapped = Known({**known, a: known[b], b: known[a]}, thought=known.thought)
        if row.seen and not Worker(row, swapped).find_rule(row.query.op):
            return problem, swapped
    return problem, known
