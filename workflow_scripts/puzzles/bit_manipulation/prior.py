"""How often each number of taps, kind of tap and truth table is drawn, and the solver's weights made of it."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import permutations
from typing import Any

import numpy as np

from common.errors import LabError
from puzzles.bit_manipulation.inventory import GATE, GATES, TAPS, depends_on_all, kind, reorder, table_str, tap_sets

TAP_SHARES = {1: 0.09, 2: 0.56, 3: 0.35}


def _pattern(taps: Iterable[str]) -> str:
    return "+".join(sorted(map(kind, taps), key=("x", "rol", "shl", "shr").index))


def _sorted_rule(table: str, taps: Iterable[str]) -> tuple[str, tuple[str, ...]]:
    """The same rule with its taps in the order of TAPS."""
    taps = tuple(taps)
    order = tuple(sorted(range(len(taps)), key=lambda j: TAPS.index(taps[j])))
    return reorder(table, order), tuple(taps[j] for j in order)


def fit_prior(rules: Iterable[Mapping[str, Any]]) -> dict:
    """Shares of tap counts, of tap kinds and of truth tables (taps in the order of TAPS) among hidden rules.

    `rules` are the rule entries of generated train rows, {"gate", "taps", ...}. The solver smooths the shares, so
    what never occurred stays possible.
    """
    sizes: Counter = Counter()
    patterns: dict[str, Counter] = {"1": Counter(), "2": Counter(), "3": Counter()}
    tables: dict[str, Counter] = {"1": Counter(), "2": Counter(), "3": Counter()}
    for rule in rules:
        table, taps = _sorted_rule(GATE[rule["gate"]].table, rule["taps"])
        n = str(len(taps))
        sizes[n] += 1
        patterns[n][_pattern(taps)] += 1
        tables[n][table] += 1
    if not sizes:
        raise LabError("no rules to fit a prior on")

    def share(counts: Counter) -> dict[str, float]:
        return {key: round(count / counts.total(), 6) for key, count in sorted(counts.items())}

    return {
        "family": "bit_manipulation",
        "rows": sizes.total(),
        "sizes": share(sizes),
        "patterns": {n: share(c) for n, c in patterns.items()},
        "tables": {n: share(c) for n, c in tables.items()},
    }


ORDERED = 0.75
SMOOTHING = 0.02  # share of the prior that is spread evenly over what the fitted shares leave out


@cache
def default_prior() -> dict:
    """The generator's own shares, exactly, in the form of `fit_prior`."""
    patterns = {
        "1": {k: 1 / 3 for k in ("rol", "shl", "shr")},
        "2": {k: 1 / 3 for k in ("rol+shl", "rol+shr", "shl+shr")},
        "3": {"rol+shl+shr": 1.0},
    }
    tables: dict[str, dict[str, float]] = {"1": {}, "2": {}, "3": {}}
    for gate in GATES:
        orders = list(permutations(range(gate.taps)))
        total = sum(g.share for g in GATES if g.taps == gate.taps)
        for order in orders:
            weight = (1 - ORDERED) / len(orders) + ORDERED * (order == orders[0])
            table = reorder(gate.table, order)
            row = tables[str(gate.taps)]
            row[table] = row.get(table, 0.0) + gate.share / total * weight
    return {"sizes": {str(n): s for n, s in TAP_SHARES.items()}, "patterns": patterns, "tables": tables}


@dataclass(frozen=True)
class Weights:
    """A prior in the solver's form: per tap set (N,), and per size and table (4, 256); tables that ignore an argument
    weigh nothing, they belong to a smaller set."""

    sets: np.ndarray
    tables: np.ndarray


def weights(prior: Mapping[str, Any]) -> Weights:
    sets = tap_sets()
    names = [_pattern(TAPS[t] for t in s) for s in sets.taps]
    members = Counter(names)
    by_set = np.zeros(len(sets.taps))
    for index, (taps, name) in enumerate(zip(sets.taps, names, strict=True)):
        n = str(len(taps))
        seen = prior["patterns"].get(n, {}).get(name, 0.0)
        spread = SMOOTHING / int((sets.size == len(taps)).sum())
        by_set[index] = prior["sizes"].get(n, 0.0) * ((1 - SMOOTHING) * seen / members[name] + spread)
    by_table = np.zeros((4, 256))
    for n in (1, 2, 3):
        proper = [t for t in range(2 ** (2**n)) if depends_on_all(table_str(t, n))]
        for t in proper:
            seen = prior["tables"].get(str(n), {}).get(table_str(t, n), 0.0)
            by_table[n, t] = (1 - SMOOTHING) * seen + SMOOTHING / len(proper)
    return Weights(by_set, by_table)


@lru_cache(maxsize=8)
def weights_of(prior: str) -> Weights:
    return weights(json.loads(prior) if prior else default_prior())
