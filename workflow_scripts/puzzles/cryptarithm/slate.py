"""Candidate keys for a prompt to list: at most one of them is the row's, the others fail some example.

A plausible candidate carries one example, under the rule that its operator has, and fails another one; a random one is
any assignment of the digits. All plausible keys of a slate carry the same example: of keys that carry different ones
the right key would be the most alike to the others. No key starts an operand with 0, so that none falls by its looks,
and no candidate but the row's own carries all examples under any rules, so that checking the examples tells them apart.
"""

import random
from collections.abc import Mapping

import numpy as np

from puzzles.cryptarithm.signatures import proper_rows, signature_of
from puzzles.equations.prompt import Equation, EquationRow, join_of, minus_and_digits
from puzzles.equations.rules import BY_NAME, MODES, VALUE_RULES, apply

Key = dict[str, int]
TRIES = 400


def candidate_keys(
    row: EquationRow,
    key: Mapping[str, int],
    operators: Mapping[str, str],
    n: int,
    rng: random.Random,
    *,
    plausible: bool,
    has_right: bool,
) -> tuple[Key, ...]:
    """n different keys of the same glyphs, in random order, the row's own among them if `has_right`; none at all where
    the examples rule too few keys out.

    key: the digits of all glyphs; operators: the rule of each operator. Where an example has no more plausible keys the
    next one's are taken, and in the end random ones.
    """
    found = [dict(key)] if has_right else []
    values = [e for e in row.examples if not join_of(e)]
    rng.shuffle(values)
    for shared in (*(values if plausible else ()), None):
        for _ in range(TRIES):
            if len(found) == n:
                break
            made = _carrying(shared, key, operators[shared.op], rng) if shared else _random(key, rng)
            fresh = made and made != key and made not in found
            if fresh and not _leads_with_zero(row, made, operators) and not carries(row, made):
                found.append(made)
    rng.shuffle(found)
    return tuple(found) if len(found) == n else ()


def carries(row: EquationRow, key: Mapping[str, int]) -> bool:
    """Do all examples hold under a key, with any rules of one mode?"""
    values = [e for e in row.examples if not join_of(e)]
    by_op = [[e for e in values if e.op == op] for op in dict.fromkeys(e.op for e in values)]
    return any(
        all(any(r.mode == mode and all(holds(e, key, r.name) for e in own) for r in VALUE_RULES) for own in by_op)
        for mode in MODES
    )


def holds(equation: Equation, key: Mapping[str, int], rule: str) -> bool:
    """Does an example print what a rule gives under a key?"""
    left, right = ("".join(str(key[c]) for c in text) for text in (equation.left, equation.right))
    if "00" in (left, right):
        return False
    side, digits = minus_and_digits(equation)
    text = "".join(str(key[c]) for c in digits)
    printed = f"-{text}" if side == "prefix" else f"{text}-" if side == "suffix" else text
    return apply(BY_NAME[rule], left, right) == printed


def _leads_with_zero(row: EquationRow, made: Key, operators: Mapping[str, str]) -> bool:
    flip = any(BY_NAME[rule].mode == "flip" for rule in operators.values())
    return any(made[text[flip]] == 0 for e in (*row.examples, row.query) for text in (e.left, e.right))


def _random(key: Mapping[str, int], rng: random.Random) -> Key:
    return dict(zip(key, rng.sample(range(10), len(key)), strict=True))


def _carrying(equation: Equation, key: Mapping[str, int], rule: str, rng: random.Random) -> Key:
    """An example's digits from the catalog of its rule, the other glyphs' at random."""
    glyphs = list(dict.fromkeys(equation.left + equation.right + minus_and_digits(equation)[1]))
    rules, digits = proper_rows(signature_of(equation))
    fitting = np.flatnonzero(rules == VALUE_RULES.index(BY_NAME[rule]))
    made = dict(zip(glyphs, map(int, digits[rng.choice(fitting.tolist())]), strict=False))
    rest = [d for d in range(10) if d not in made.values()]
    others = [glyph for glyph in key if glyph not in made]
    return {**made, **dict(zip(others, rng.sample(rest, len(others)), strict=True))}
