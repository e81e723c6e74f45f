"""Equations with visible digits: find each operator's rule, then apply the query's (deduce) or infer it (guess)."""

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from puzzles import checker
from puzzles.base import Family, Problem, PromptError, Solution
from puzzles.equations import prompt as equations
from puzzles.equations import rules
from puzzles.equations.prior import default_prior, fit_prior, group_share, regime_shares, rule_share
from puzzles.equations.prompt import Equation, EquationRow
from puzzles.equations.rules import Rule

DEDUCE, GUESS = "equation_numeric_deduce", "equation_numeric_guess"
# Shares of rows with 3, 4 and 5 examples.
COUNTS = (0.287, 0.366, 0.347)
DEFAULT_PRIOR = default_prior(hidden=False)


def generate(
    rng: random.Random,
    n: int,
    *,
    family: str,
    prior: Mapping[str, Any] | None = None,
    counts: tuple[float, float, float] = COUNTS,
) -> Iterator[Problem]:
    """Yield n problems, drawn by `prior` (see prior.py) and `counts` (weights of 3, 4 and 5 examples).

    tier: how many rule assignments fit the examples, as 1 (one), 2 (two to four), 3 (more).
    """
    prior = prior or DEFAULT_PRIOR
    for _ in range(n):
        drawn = equations.draw(rng, prior, family == DEDUCE, counts)
        row = drawn.row
        yield Problem(
            family=family,
            prompt=row.prompt,
            answer=drawn.answer,
            stratum="join" if drawn.operators[row.query.op].is_join else "value",
            tier=tier(row),
            rule=equations.hidden_rule(drawn),
            canonical=canonical(row),
        )


def canonical(row: EquationRow) -> str:
    return equations.relabelled(row, digits_hidden=False)


def parse(prompt: str, family: str | None = None) -> EquationRow:
    """Read a prompt; `family` tells whether the query's operator must be shown. Raises PromptError."""
    row = equations.parse(prompt)
    for number, equation in enumerate((*row.examples, row.query), 1):
        place = f"example {number}" if equation.output else "query"
        if not (equation.left + equation.right).isdigit():
            raise PromptError(f"operands must be digits, got {equation.text!r}", field=place)
        if equation.op.isdigit():
            raise PromptError(f"the operator is a digit in {equation.text!r}", field=place)
        if equation.output and not equations.minus_and_digits(equation)[1].isdigit():
            raise PromptError(f"the output must be digits with at most one minus, got {equation.text!r}", field=place)
    if family is not None and row.seen != (family == DEDUCE):
        shown = "shown" if row.seen else "not shown"
        raise PromptError(f"the query's operator is {shown} by the examples", field="query")
    return row


def possible_modes(row: EquationRow) -> tuple[str, ...]:
    """The modes that the operands allow: their values are 10..99, and flip rows print them backwards.

    Both when the operands contradict each other.
    """
    operands = [text for equation in (*row.examples, row.query) for text in (equation.left, equation.right)]
    modes = tuple(
        mode for mode, place in (("normal", 0), ("flip", 1)) if not any(text[place] == "0" for text in operands)
    )
    return modes or rules.MODES


def fitting(row: EquationRow) -> dict[str, tuple[Rule, ...]]:
    """Per operator the rules of either mode that give all its examples; all 24 for an unseen operator."""
    groups: dict[str, list[Equation]] = defaultdict(list)
    for equation in row.examples:
        groups[equation.op].append(equation)
    return {op: tuple(rule for rule in rules.RULES if _gives(rule, groups[op])) for op in row.operators}


def _gives(rule: Rule, examples: list[Equation]) -> bool:
    try:
        return all(rules.apply(rule, e.left, e.right, e.op) == e.output for e in examples)
    except ZeroDivisionError:
        return False


def assignments(choices: Sequence[Sequence[Rule]]) -> Iterator[tuple[Rule, ...]]:
    """One rule per operator, no two of them values of the same group."""

    def extend(taken: tuple[Rule, ...], groups: frozenset[str]) -> Iterator[tuple[Rule, ...]]:
        if len(taken) == len(choices):
            yield taken
            return
        for rule in choices[len(taken)]:
            if rule.is_join:
                yield from extend((*taken, rule), groups)
            elif rule.group not in groups:
                yield from extend((*taken, rule), groups | {rule.group})

    return extend((), frozenset())


def tier(row: EquationRow) -> int:
    """1, 2 or 3: one, two to four, or more assignments of rules to the shown operators fit the examples."""
    fits = fitting(row)
    shown = dict.fromkeys(equation.op for equation in row.examples)
    count = 0
    for mode in possible_modes(row):
        count += sum(1 for _ in assignments([[r for r in fits[op] if r.mode in ("", mode)] for op in shown]))
    return 1 if count <= 1 else 2 if count <= 4 else 3


@dataclass(frozen=True, slots=True)
class _Configuration:
    weight: float
    mode: str
    regime: str
    rules: tuple[Rule, ...]
    answer: str


def _configurations(
    row: EquationRow, fits: Mapping[str, Sequence[Rule]], prior: Mapping[str, Any]
) -> Iterator[_Configuration]:
    """Every mode and assignment of rules to the operators of `fits` that has an answer, with its weight."""
    query, operators = row.query, tuple(fits)
    regimes = regime_shares(prior, operators, len(equations.OPERATOR_GLYPHS))
    for mode in possible_modes(row):
        choices = [[rule for rule in options if rule.mode in ("", mode)] for options in fits.values()]
        parts = []
        for regime, share in regimes.items():
            flip = prior["regimes"][regime]["flip"]
            share *= flip if mode == "flip" else 1 - flip
            if share > 0.0:
                rule_shares = [
                    {rule: rule_share(prior, regime, mode, op, rule) for rule in options}
                    for op, options in zip(operators, choices, strict=True)
                ]
                parts.append((regime, share, rule_shares))
        for found in assignments(choices):
            groups = [rule.group for rule in found]
            weights = {}
            for regime, share, rule_shares in parts:
                weights[regime] = share * group_share(regime, groups)
                for rule, options in zip(found, rule_shares, strict=True):
                    weights[regime] *= options[rule]
            weight = sum(weights.values())
            if weight > 0.0:
                asked = found[operators.index(query.op)]
                try:
                    answer = rules.apply(asked, query.left, query.right, query.op)
                except ZeroDivisionError:
                    continue
                yield _Configuration(weight, mode, max(weights, key=weights.get), found, answer)


def solve(row: EquationRow, prior: Mapping[str, Any] | None = None) -> Solution:
    """The exact posterior over answers: every mode and assignment of rules that fits, weighed by `prior`.

    The answer is the one that the challenge's checker, with its tolerance of 1 %, most probably accepts; `posterior`
    is the probability of the exact string. `found`: mode, order, regime, operators (glyph -> rule), query (rule) of the
    best configuration that gives it, and `accepted`, the probability that the checker accepts it. An operator that no
    rule fits is left out, and `reason` says so; without any configuration the answer is None.
    """
    fits = fitting(row)
    odd = [op for op, options in fits.items() if not options]
    reason = f"no rule of the inventory fits {' '.join(odd)}" if odd else ""
    if row.query.op in odd:
        return Solution(None, reason=f"contradictory: {reason}")
    kept = {op: options for op, options in fits.items() if options}
    mass: dict[str, float] = defaultdict(float)
    best: dict[str, _Configuration] = {}
    count = 0
    for configuration in _configurations(row, kept, prior or DEFAULT_PRIOR):
        count += 1
        answer = configuration.answer
        mass[answer] += configuration.weight
        if answer not in best or configuration.weight > best[answer].weight:
            best[answer] = configuration
    if not mass:
        return Solution(None, reason="contradictory: no mode and rules fit all operators together")
    total = sum(mass.values())
    answers = tuple(sorted(((a, m / total) for a, m in mass.items()), key=lambda pair: (-pair[1], pair[0])))
    accepted = accepted_shares(answers)
    answer, posterior = max(answers, key=lambda pair: accepted[pair[0]])
    chosen = best[answer]
    named = {op: rule.name for op, rule in zip(kept, chosen.rules, strict=True)}
    return Solution(
        answer=answer,
        posterior=posterior,
        answers=answers,
        n_consistent=count,
        nodes=count,
        reason=reason,
        found={
            "mode": chosen.mode,
            "order": "reversed" if chosen.mode == "flip" else "standard",
            "regime": chosen.regime,
            "operators": named,
            "query": named[row.query.op],
            "accepted": accepted[answer],
        },
    )


def accepted_shares(answers: Sequence[tuple[str, float]]) -> dict[str, float]:
    """Per answer of a posterior, the probability that the official checker accepts it."""
    numbers: dict[str, float | None] = {}
    for text, _ in answers:
        try:
            numbers[text] = float(text)
        except ValueError:
            numbers[text] = None
    shares = {}
    for said, share in answers:
        for truth, its_share in answers:
            a, b = numbers[said], numbers[truth]
            near = a is not None and b is not None and abs(a - b) <= max(0.01 * max(abs(a), abs(b)), 1e-5)
            if said != truth and near and checker.official(said, truth):
                share += its_share
        shares[said] = share
    return shares


def is_answer(row: EquationRow, text: str) -> bool:
    """Whether a text is one to five digits, one of which may be a minus at either end."""
    signs = (row.query.op, "-")
    digits = text[1:] if text.startswith(signs) else text[:-1] if text.endswith(signs) else text
    return equations.is_output(text) and digits.isdigit()


def _family(name: str) -> Family:
    return Family(
        name=name,
        generate=partial(generate, family=name),
        parse=partial(parse, family=name),
        solve=solve,
        canonical=canonical,
        is_answer=is_answer,
        answer_form="digits, with at most one minus (the query's operator or -) before or after them",
        phrases=equations.PHRASES,
        strata=("join", "value"),
        order=6 if name == DEDUCE else 7,
        tell=equations.family_name,
        fit_prior=fit_prior,
    )


FAMILIES = (_family(DEDUCE), _family(GUESS))
