"""The exact solver of bit manipulation: every set of one, two or three taps at once."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import numpy as np

from puzzles.base import Solution
from puzzles.bit_manipulation.inventory import GATE, GATES, TAPS, reorder, table_str, tap_sets
from puzzles.bit_manipulation.prior import weights_of
from puzzles.bit_manipulation.prompt import Parsed

_TABLE_BITS = (np.arange(256)[None, :] >> np.arange(8)[:, None] & 1).astype(np.int64)  # (8 entries, 256 tables)
_TABLES = np.arange(256, dtype=np.uint8)


@dataclass(frozen=True)
class Scan:
    """The tap sets that no example contradicts.

    alive: (M,) indices into `tap_sets().taps`; ones, zeros: (M,) uint8, the table entries that the examples force, one
    bit per entry; left: how many sets are left after each example; nodes: the (set, example) pairs looked at, a set
    being dropped at its first clash.
    """

    alive: np.ndarray
    ones: np.ndarray
    zeros: np.ndarray
    left: tuple[int, ...]
    nodes: int


def scan(examples: Iterable[tuple[int, int]]) -> Scan:
    sets = tap_sets()
    alive = np.arange(len(sets.taps))
    ones = np.zeros(len(alive), dtype=np.uint8)
    zeros = ones.copy()
    left = [len(alive)]
    for given, wanted in examples:
        positions = sets.minterms[given][:, alive]
        ones |= np.packbits(positions & np.uint8(wanted) != 0, axis=0, bitorder="little")[0]
        zeros |= np.packbits(positions & np.uint8(wanted ^ 255) != 0, axis=0, bitorder="little")[0]
        keep = np.flatnonzero((ones & zeros) == 0)
        alive, ones, zeros = alive[keep], ones[keep], zeros[keep]
        left.append(len(alive))
    return Scan(alive, ones, zeros, tuple(left[1:]), sum(left[:-1]))


def contradiction(examples: Iterable[tuple[int, int]]) -> str:
    """Names the first input given with two outputs, or ''."""
    seen: dict[int, int] = {}
    for given, wanted in examples:
        if seen.setdefault(given, wanted) != wanted:
            return f"contradictory examples: {given:08b} -> {seen[given]:08b} and {wanted:08b}"
    return ""


def named(table: str, taps: tuple[str, ...]) -> tuple[str, str, tuple[str, ...]]:
    """(gate, table, taps) with the arguments in the order in which a gate of the inventory has this table;
    gate is 'table' when none has."""
    for order in permutations(range(len(taps))):
        turned = reorder(table, order)
        for gate in GATES:
            if gate.taps == len(taps) and gate.table == turned:
                return gate.name, turned, tuple(taps[j] for j in order)
    return "table", table, taps


def expression(gate: str, table: str, taps: Iterable[str]) -> str:
    """The rule as text, such as `~(rol6^shl3)|shr3`, or `table 0110 of shl1,shr2` where no gate is named."""
    taps = tuple(taps)
    if gate == "table":
        return f"table {table} of {','.join(taps)}"
    return re.sub(r"[abc]", lambda match: taps["abc".index(match[0])], GATE[gate].text)


def solve(parsed: Parsed, prior: Mapping[str, Any] | None = None) -> Solution:
    """Exact posterior over the answers among all truth tables of at most three taps.

    n_consistent counts (tap set, table) pairs that differ on some input-reachable entry and fit every example.
    """
    reason = contradiction(parsed.examples)
    if reason:
        return Solution(None, reason=reason)
    sets, weight = tap_sets(), weights_of(json.dumps(prior) if prior else "")
    found = scan(parsed.examples)
    ones, zeros = found.ones[:, None], found.zeros[:, None]
    prior_mass = weight.sets[found.alive, None] * weight.tables[sets.size[found.alive]]
    fits = ((_TABLES & ones) == ones) & ((_TABLES & zeros) == 0) & (prior_mass > 0)
    rows, tables = np.nonzero(fits)
    if not len(rows):
        return Solution(None, nodes=found.nodes, reason="no expression over at most three taps fits every example")
    mass = prior_mass[rows, tables]
    positions = sets.minterms[parsed.query][:, found.alive[rows]]
    answers = (positions * _TABLE_BITS[:, tables]).sum(axis=0)
    by_answer = np.bincount(answers, weights=mass, minlength=256)
    by_answer /= by_answer.sum()
    ranked = sorted(((float(by_answer[a]), a) for a in np.unique(answers)), key=lambda pair: (-pair[0], pair[1]))
    best = ranked[0][1]
    pick = int(np.argmax(np.where(answers == best, mass, -1.0)))
    distinct = np.unique(found.alive[rows] << 8 | (tables & sets.reach[found.alive[rows]]))
    taps = tuple(TAPS[t] for t in sets.taps[found.alive[rows[pick]]])
    gate, table, taps = named(table_str(int(tables[pick]), len(taps)), taps)
    return Solution(
        answer=f"{best:08b}",
        posterior=ranked[0][0],
        answers=tuple((f"{a:08b}", p) for p, a in ranked),
        n_consistent=len(distinct),
        nodes=found.nodes,
        found={"gate": gate, "taps": list(taps), "table": table, "expression": expression(gate, table, taps)},
    )
