"""Equations whose digits hide behind glyphs: generator, prompt and family; solver.py solves them."""

import random
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from puzzles.base import Family, Problem, PromptError, Solution
from puzzles.cryptarithm import difficulty
from puzzles.equations import prompt as equations
from puzzles.equations.prior import GLYPH_PRIOR, fit_prior
from puzzles.equations.prompt import DIGIT_GLYPHS, OPERATOR_GLYPHS, Equation, EquationRow

CRYPTARITHMS = DEDUCE, GUESS = "cryptarithm_deduce", "cryptarithm_guess"
# Shares of rows with 3, 4 and 5 examples.
COUNTS = (0.287, 0.366, 0.347)


def generate(
    rng: random.Random,
    n: int,
    *,
    family: str,
    prior: Mapping[str, Any] | None = None,
    counts: tuple[float, float, float] = COUNTS,
) -> Iterator[Problem]:
    """Yield n problems, drawn by `prior` (see equations/prior.py) and `counts` (weights of 3, 4 and 5 examples).

    tier: 1 to 4 by the exact solver's expected work (difficulty.py). key: the digit of every glyph that the prompt or
    the answer shows; all ten are in rule["alphabet"].
    """
    prior = prior or GLYPH_PRIOR
    for _ in range(n):
        glyphs = rng.sample(DIGIT_GLYPHS, 10)
        pool = [glyph for glyph in OPERATOR_GLYPHS if glyph not in glyphs]
        drawn = equations.draw(rng, prior, family == DEDUCE, counts, pool)
        hide = str.maketrans("0123456789", "".join(glyphs))
        examples = tuple(
            Equation(e.left.translate(hide), e.op, e.right.translate(hide), e.output.translate(hide))
            for e in drawn.row.examples
        )
        query = drawn.row.query
        row = EquationRow(examples, Equation(query.left.translate(hide), query.op, query.right.translate(hide)))
        answer = drawn.answer.translate(hide)
        prompt = row.prompt
        shown = set(row.digit_glyphs()).union(answer)
        yield Problem(
            family=family,
            prompt=prompt,
            answer=answer,
            stratum="join" if drawn.operators[query.op].is_join else "value",
            tier=difficulty.tier(row),
            rule=equations.hidden_rule(drawn) | {"alphabet": {glyph: d for d, glyph in enumerate(glyphs)}},
            key={glyph: d for d, glyph in enumerate(glyphs) if glyph in shown},
            canonical=canonical(row),
        )


def canonical(row: EquationRow) -> str:
    return equations.relabelled(row, digits_hidden=True)


def parse(prompt: str, family: str | None = None) -> EquationRow:
    """Read a prompt; `family` tells whether the query's operator must be shown. Raises PromptError."""
    row = equations.parse(prompt)
    for number, equation in enumerate((*row.examples, row.query), 1):
        if any(c.isdigit() for c in equation.text):
            place = f"example {number}" if equation.output else "query"
            raise PromptError(f"digits must hide behind glyphs, got {equation.text!r}", field=place)
    if family is not None and row.seen != (family == DEDUCE):
        shown = "shown" if row.seen else "not shown"
        raise PromptError(f"the query's operator is {shown} by the examples", field="query")
    return row


def is_answer(row: EquationRow, text: str) -> bool:
    """Whether a text may be an output: its digits hide behind glyphs."""
    return equations.is_output(text) and not any(c.isdigit() for c in text)


def solve(row: EquationRow, prior: Mapping[str, Any] | None = None) -> Solution:
    """See solver.py, which is loaded here: numba takes half a second, and most jobs solve nothing."""
    from puzzles.cryptarithm import solver

    return solver.solve(row, prior)


def _family(name: str) -> Family:
    return Family(
        name=name,
        generate=partial(generate, family=name),
        parse=partial(parse, family=name),
        solve=solve,
        canonical=canonical,
        is_answer=is_answer,
        answer_form="one to five printable characters without digits and blanks",
        phrases=equations.PHRASES,
        strata=("join", "value"),
        order=8 if name == DEDUCE else 9,
        has_key=True,
        tell=equations.family_name,
        fit_prior=fit_prior,
    )


FAMILIES = (_family(DEDUCE), _family(GUESS))
