"""What a cryptarithm's rules may be, most probable first: how soon a solver that only ranks would name the right ones.

A hypothesis is a reading mode and a rule for every operator that the examples show; no digit belongs to it. It must
have the shape of the examples: an operator all of whose outputs join its operands has a join, any other a rule that
could write each of its outputs under some digits (puzzles/cryptarithm/signatures.py). Its probability is that of the
fitted prior (puzzles/equations/prior.py), summed over the regimes. The rank of the row's own rules is the number of
hypotheses that are at least as probable, so that ties count against it.

The consumer of the study's hit@k ranks hypotheses of this kind (arXiv:2606.21884); what produced its ranks was not
released.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

from puzzles.cryptarithm.signatures import proper_rows, signature_of
from puzzles.equations.prior import REGIMES, group_share, regime_shares, rule_share
from puzzles.equations.prompt import OPERATOR_GLYPHS, EquationRow, join_of
from puzzles.equations.rules import MODES, VALUE_RULES, Rule


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A reading mode and a rule for every operator that the examples show."""

    mode: str
    operators: Mapping[str, str]
    probability: float

    @property
    def given(self) -> dict[str, Any]:
        """As a row's hidden rule names it."""
        return {"mode": self.mode, "operators": dict(self.operators)}


def hypotheses(row: EquationRow, prior: Mapping[str, Any]) -> list[Hypothesis]:
    """All that have the shape of the examples and are not impossible under the prior, most probable first."""
    rules = {op: _of_the_shape(row, op) for op in dict.fromkeys(e.op for e in row.examples)}
    regimes = regime_shares(prior, row.operators, len(OPERATOR_GLYPHS) - 10)
    found = []
    for mode in MODES:
        fitting = [[rule for rule in own if rule.is_join or rule.mode == mode] for own in rules.values()]
        shares = {
            (regime, op, rule.name): rule_share(prior, regime, mode, op, rule)
            for regime in REGIMES
            for op, own in zip(rules, fitting, strict=True)
            for rule in own
        }
        for chosen in product(*fitting):
            probability = sum(
                regimes[regime]
                * _mode_share(prior, regime, mode)
                * group_share(regime, (rule.group for rule in chosen))
                * prod(shares[regime, op, rule.name] for op, rule in zip(rules, chosen, strict=True))
                for regime in REGIMES
            )
            if probability > 0:
                names = (rule.name for rule in chosen)
                found.append(Hypothesis(mode, dict(zip(rules, names, strict=True)), probability))
    return sorted(found, key=lambda each: (-each.probability, each.mode, tuple(each.operators.values())))


def is_right(hypothesis: Hypothesis, rule: Mapping[str, Any]) -> bool:
    """Whether it names the rules of the operators that the examples show, and the mode unless all of them join."""
    named = all(rule["operators"][op] == name for op, name in hypothesis.operators.items())
    joins = all(name in ("join", "join_swap") for name in hypothesis.operators.values())
    return named and (joins or hypothesis.mode == rule["mode"])


def _mode_share(prior: Mapping[str, Any], regime: str, mode: str) -> float:
    flip = prior["regimes"][regime]["flip"]
    return flip if mode == "flip" else 1 - flip


def _of_the_shape(row: EquationRow, op: str) -> list[Rule]:
    examples = [equation for equation in row.examples if equation.op == op]
    joins = [rule for rule in join_of(examples[0]) if all(rule in join_of(equation) for equation in examples)]
    return joins or list(_value_rules(examples))


def _value_rules(examples: list) -> Iterator[Rule]:
    numbers = set(range(len(VALUE_RULES)))
    for equation in examples:
        numbers &= set(proper_rows(signature_of(equation))[0].tolist())
    return (VALUE_RULES[number] for number in sorted(numbers))
