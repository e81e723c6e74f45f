"""Bit manipulation: one boolean expression over at most three taps of a byte, the same for all eight bits.

A tap is the byte itself, a rotation or a zero-filled shift. The solver looks at every set of one, two or three taps at
once: the examples fill the set's truth table position by position, and a set survives when no entry is asked to be both
0 and 1. What stays open in a table, and which sets survive, is weighed by a prior; the posterior over answers is the
weight of the surviving (set, table) pairs that give each answer. All 256 three-input tables are covered, so a rule
outside the generator's inventory is found too.

Format, shares of gates and of taps: arXiv:2606.21884 and its released rule cache. That taps of one rule are of
different kinds (at most one rotation, one left shift, one right shift, usually in this order) was read off real rows.
"""

from collections.abc import Iterator, Mapping
from random import Random
from typing import Any

from common.errors import LabError
from puzzles.base import Family, Problem
from puzzles.bit_manipulation.inventory import GATE, GATES, Gate, function_of, minimum_taps
from puzzles.bit_manipulation.prior import ORDERED, TAP_SHARES, fit_prior
from puzzles.bit_manipulation.prompt import EXAMPLES, HEADER, QUERY, Parsed, canonical, format_prompt, is_byte, parse
from puzzles.bit_manipulation.solver import scan, solve

EXAMPLE_SHARES = {7: 0.30, 8: 0.22, 9: 0.27, 10: 0.21}


def _shares(name: str, given: Mapping | None, default: Mapping[Any, float]) -> dict:
    shares = {type(next(iter(default)))(key): value for key, value in (given or default).items()}
    unknown = sorted(set(shares) - set(default), key=str)
    if unknown:
        raise LabError(f"unknown {unknown}; known are {sorted(default, key=str)}", field=name)
    if any(v < 0 for v in shares.values()) or not sum(shares.values()):
        raise LabError(f"expected shares that are not negative and not all zero, got {shares}", field=name)
    return shares


def _draw(rng: Random, shares: Mapping) -> Any:
    return rng.choices(list(shares), weights=list(shares.values()))[0]


def generate(
    rng: Random,
    n: int,
    *,
    tap_shares: Mapping[int, float] | None = None,
    gate_shares: Mapping[str, float] | None = None,
    example_shares: Mapping[int, float] | None = None,
    ordered: float = ORDERED,
) -> Iterator[Problem]:
    """Yield n problems.

    A rule is drawn as tap count, gate, and taps of as many different kinds; it is redrawn unless the drawn number of
    taps is the fewest that express it, so the shares hold for what the rows need. `ordered` is the share of rules
    whose arguments are in the order rotation, left shift, right shift. Raises LabError on nonsense parameters.
    """
    if n < 0:
        raise LabError(f"expected a number of rows, got {n}", field="n")
    if not 0 <= ordered <= 1:
        raise LabError(f"expected a share from 0 to 1, got {ordered}", field="ordered")
    sizes = _shares("tap_shares", tap_shares, TAP_SHARES)
    lengths = _shares("example_shares", example_shares, EXAMPLE_SHARES)
    gates = _shares("gate_shares", gate_shares, {g.name: g.share for g in GATES})
    by_size = {
        size: {g.name: gates[g.name] for g in GATES if g.taps == size and gates.get(g.name, 0) > 0} for size in sizes
    }
    for size, share in sizes.items():
        if share and not by_size[size]:
            raise LabError(f"no gate with a positive share takes {size} tap(s)", field="gate_shares")
    for _ in range(n):
        gate, taps, function = _draw_rule(rng, sizes, by_size, ordered)
        inputs = rng.sample(range(256), _draw(rng, lengths) + 1)
        examples, query = tuple((i, function[i]) for i in inputs[:-1]), inputs[-1]
        parsed = Parsed(examples, query)
        yield Problem(
            family="bit_manipulation",
            prompt=format_prompt(examples, query),
            answer=f"{function[query]:08b}",
            stratum=f"{gate.taps}-tap",
            tier=tier(scan(examples).nodes),
            rule={"gate": gate.name, "taps": list(taps), "table": gate.table},
            canonical=canonical(parsed),
        )


def _draw_rule(rng: Random, sizes: Mapping, by_size: Mapping, ordered: float) -> tuple[Gate, tuple[str, ...], bytes]:
    size = _draw(rng, sizes)
    gate = GATE[_draw(rng, by_size[size])]
    while True:
        kinds = rng.sample(("rol", "shl", "shr"), size)
        if rng.random() < ordered:
            kinds.sort()
        taps = tuple(f"{k}{rng.randint(1, 7)}" for k in kinds)
        function = function_of(gate.table, taps)
        if minimum_taps(function) == size:
            return gate, taps, function


TIER_NODES = (2_100, 2_300, 2_600, 4_000)  # about 28, 25, 24, 13 and 10 % of the rows


def tier(nodes: int) -> int:
    """1 (cheapest) to 5, by the (tap set, example) pairs that the exact scan looks at."""
    return 1 + sum(nodes > limit for limit in TIER_NODES)


def is_answer(parsed: Parsed, text: str) -> bool:
    """Whether a text is a byte with all its zeros."""
    return is_byte(text)


FAMILY = Family(
    name="bit_manipulation",
    generate=generate,
    parse=parse,
    solve=solve,
    canonical=canonical,
    is_answer=is_answer,
    answer_form="eight binary digits",
    phrases=(HEADER, EXAMPLES, QUERY),
    strata=("1-tap", "2-tap", "3-tap"),
    order=5,
    fit_prior=fit_prior,
)
