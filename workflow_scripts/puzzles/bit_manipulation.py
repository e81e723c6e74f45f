"""Bit manipulation: one boolean expression over at most three taps of a byte, the same for all eight bits.

A tap is the byte itself, a rotation or a zero-filled shift. The solver looks at every set of one, two or three taps at
once: the examples fill the set's truth table position by position, and a set survives when no entry is asked to be both
0 and 1. What stays open in a table, and which sets survive, is weighed by a prior; the posterior over answers is the
weight of the surviving (set, table) pairs that give each answer. All 256 three-input tables are covered, so a rule
outside the generator's inventory is found too.

Format, shares of gates and of taps: arXiv:2606.21884 and its released rule cache. That taps of one rule are of
different kinds (at most one rotation, one left shift, one right shift, usually in this order) was read off real rows.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import combinations, permutations
from random import Random
from typing import Any

import numpy as np

from common.errors import LabError
from puzzles.base import Event, Family, Problem, PromptError, Solution

HEADER = (
    "In Alice's Wonderland, a secret bit manipulation rule transforms 8-bit binary numbers. The transformation "
    "involves operations like bit shifts, rotations, XOR, AND, OR, NOT, and possibly majority or choice functions."
)
EXAMPLES = "Here are some examples of input -> output:"
QUERY = "Now, determine the output for: "

_X = np.arange(256)
_LUTS = {"x": _X}
_LUTS |= {f"rol{k}": (_X << k | _X >> (8 - k)) & 255 for k in range(1, 8)}
_LUTS |= {f"shl{k}": (_X << k) & 255 for k in range(1, 8)}
_LUTS |= {f"shr{k}": _X >> k for k in range(1, 8)}
TAPS: tuple[str, ...] = tuple(_LUTS)
LUT = np.array(list(_LUTS.values()), dtype=np.uint8)  # (22 taps, 256 inputs)


@dataclass(frozen=True, slots=True)
class Gate:
    """A boolean function of 1-3 taps. `table[m]` is its value where m reads the arguments a, b, c as a binary number;
    `text` is the same as an expression; `share` its relative frequency among gates of as many taps."""

    name: str
    taps: int
    text: str
    share: float

    @property
    def table(self) -> str:
        return _table_of(self.text, self.taps)


@cache
def _table_of(text: str, taps: int) -> str:
    value = compile(text, "gate", "eval")
    rows = (dict(zip("abc", map(int, format(m, f"0{taps}b")), strict=False)) for m in range(2**taps))
    return "".join(str(eval(value, {}, row) & 1) for row in rows)  # noqa: S307 - our own constant expressions


# Counts of the released rule cache (1,602 rows). Its most frequent three-tap form, ~(a^(~b&c)), equals (~(a^b))|c and
# (~(a&b) if c else ~(a^b)) up to the naming of arguments wherever b and c are shifts that do not overlap, and real rows
# where they do overlap show the latter two: its 195 are shared among the three, the shortest
# a little ahead. The unnamed rest is spread evenly.
GATES: tuple[Gate, ...] = (
    Gate("id", 1, "a", 149),
    Gate("not", 1, "~a", 15),
    Gate("xor", 2, "a^b", 323),
    Gate("or", 2, "a|b", 289),
    Gate("and", 2, "a&b", 126),
    Gate("andn", 2, "a&~b", 92),
    Gate("orn", 2, "a|~b", 52),
    Gate("xnor", 2, "~(a^b)", 15),
    Gate("xnor-andn", 3, "~(b^(a&~c))", 65),
    Gate("xnor-or", 3, "~(a^b)|c", 66),
    Gate("sel", 3, "~((a&b)&c|(a^b)&~c)", 64),
    Gate("xor-andn", 3, "b^(a&~c)", 67),
    Gate("and-or", 3, "a&(b|c)", 61),
    Gate("maj", 3, "a&b|a&c|b&c", 53),
    Gate("ch", 3, "a&b|~a&c", 48),
    Gate("and-orn", 3, "a&(~b|c)", 48),
    Gate("parity", 3, "a^b^c", 11),
    Gate("or-and", 3, "a&b|c", 11),
    Gate("xor-and", 3, "(a&b)^c", 11),
    Gate("xor-or", 3, "(a|b)^c", 11),
    Gate("and-xor", 3, "(a^b)&c", 11),
    Gate("or-xor", 3, "(a^b)|c", 11),
)
GATE: dict[str, Gate] = {gate.name: gate for gate in GATES}
TAP_SHARES = {1: 0.09, 2: 0.56, 3: 0.35}
EXAMPLE_SHARES = {7: 0.30, 8: 0.22, 9: 0.27, 10: 0.21}


def kind(tap: str) -> str:
    """The tap without its amount: x, rol, shl or shr."""
    return tap.rstrip("0123456789")


def evaluate(table: str, taps: Iterable[str], byte: int) -> int:
    """The output byte of a truth table over taps (in the table's argument order) for one input byte."""
    values = [int(LUT[TAPS.index(tap), byte]) for tap in taps]
    out = 0
    for place in range(7, -1, -1):
        index = 0
        for value in values:
            index = index << 1 | value >> place & 1
        out = out << 1 | int(table[index])
    return out


# ---- format -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Parsed:
    """The prompt's numbers: example input and output bytes, and the query byte."""

    examples: tuple[tuple[int, int], ...]
    query: int


def format_prompt(examples: Iterable[tuple[int, int]], query: int) -> str:
    lines = [f"{i:08b} -> {o:08b}" for i, o in examples]
    return "\n".join([HEADER, "", EXAMPLES, *lines, "", f"{QUERY}{query:08b}"])


_BYTE = re.compile(r"[01]{8}", re.ASCII)


def _byte(text: str, field: str) -> int:
    if not _BYTE.fullmatch(text):
        raise PromptError(f"expected eight binary digits, got {text[:40]!r}", field=field)
    return int(text, 2)


def parse(prompt: str) -> Parsed:
    """Parse a prompt; PromptError names the part that is not of the family's form."""
    lines = prompt.split("\n")
    if lines[0] != HEADER:
        raise PromptError("not the header of bit_manipulation", field="header")
    if lines[1:3] != ["", EXAMPLES]:
        raise PromptError(f"expected a blank line and {EXAMPLES!r} after the header", field="examples header")
    if len(lines) < 5 or lines[-2] != "":
        raise PromptError("expected a blank line before the query", field="query")
    if not lines[-1].startswith(QUERY):
        raise PromptError(f"expected a last line {QUERY + '...'!r}", field="query")
    examples = []
    for number, line in enumerate(lines[3:-2], 1):
        left, arrow, right = line.partition(" -> ")
        if not arrow:
            raise PromptError(f"expected 'input -> output', got {line[:40]!r}", field=f"example {number}")
        examples.append((_byte(left, f"example {number} input"), _byte(right, f"example {number} output")))
    if not examples:
        raise PromptError("no examples", field="examples")
    return Parsed(tuple(examples), _byte(lines[-1].removeprefix(QUERY), "query"))


def canonical(parsed: Parsed) -> str:
    """Equal for prompts that differ in the order (or repetition) of examples only."""
    pairs = ",".join(f"{i:02x}{o:02x}" for i, o in sorted(set(parsed.examples)))
    return f"bit_manipulation:{pairs}:{parsed.query:02x}"


# ---- tap sets -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class TapSets:
    """All sets of 1-3 taps, in the order of TAPS.

    taps: tuples of tap indices; size: (N,) their lengths; minterms: (256 inputs, 8, N) uint8, the output positions
    (as a byte) at which set s shows argument pattern m; reach: (N,) uint8, the patterns that occur for any input.
    """

    taps: tuple[tuple[int, ...], ...]
    size: np.ndarray
    minterms: np.ndarray
    reach: np.ndarray


@cache
def tap_sets() -> TapSets:
    taps = tuple(s for n in (1, 2, 3) for s in combinations(range(len(TAPS)), n))
    size = np.array([len(s) for s in taps])
    minterms = np.zeros((256, 8, len(taps)), dtype=np.uint8)
    start = 0
    for n in (1, 2, 3):
        sets = np.array([s for s in taps if len(s) == n])
        values = [LUT[sets[:, j]].T for j in range(n)]  # each (256, number of sets)
        for m in range(2**n):
            mask = np.full_like(values[0], 255)
            for j in range(n):
                mask &= values[j] if m >> (n - 1 - j) & 1 else ~values[j]
            minterms[:, m, start : start + len(sets)] = mask
        start += len(sets)
    reach = np.packbits((minterms != 0).any(axis=0), axis=0, bitorder="little")[0]
    return TapSets(taps, size, minterms, reach)


def table_int(table: str) -> int:
    """A table string as a number whose bit m is entry m."""
    return sum(1 << m for m, bit in enumerate(table) if bit == "1")


def table_str(table: int, taps: int) -> str:
    return "".join(str(table >> m & 1) for m in range(2**taps))


def reorder(table: str, order: tuple[int, ...]) -> str:
    """The table of the same function when argument order[j] of the old one becomes argument j."""
    n = len(order)
    out = []
    for m in range(2**n):
        new = format(m, f"0{n}b")
        old = [""] * n
        for j, argument in enumerate(order):
            old[argument] = new[j]
        out.append(table[int("".join(old), 2)])
    return "".join(out)


def depends_on_all(table: str) -> bool:
    """Whether every argument can change the value."""
    n = len(table).bit_length() - 1
    return all(any(table[m] != table[m ^ 1 << j] for m in range(2**n)) for j in range(n))


# ---- prior --------------------------------------------------------------------------------------------------------


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
def _weights_of(prior: str) -> Weights:
    return weights(json.loads(prior) if prior else default_prior())


# ---- solver -------------------------------------------------------------------------------------------------------

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
    sets, weight = tap_sets(), _weights_of(json.dumps(prior) if prior else "")
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
        events=tuple(_events(parsed, found, gate, table, taps, f"{best:08b}")),
    )


def _events(parsed: Parsed, found: Scan, gate: str, table: str, taps: tuple[str, ...], answer: str) -> Iterator[Event]:
    """The run as a reader can follow it: the tap sets left after each example, then the rule chosen from them, tested
    on every example and applied to the query."""
    rule = expression(gate, table, taps)
    for number, (given, wanted) in enumerate(parsed.examples, 1):
        yield Event("transcribe", f"example {number}", (f"{given:08b}",), f"{wanted:08b}")
        yield Event("branch", "tap sets left", (f"example {number}",), str(found.left[number - 1]))
    yield Event("assign", "rule", taps, rule)
    for number, (given, wanted) in enumerate(parsed.examples, 1):
        yield from _apply_events(f"example {number}", table, taps, given)
        made = evaluate(table, taps, given)
        yield Event(
            "test", f"example {number}", (f"{made:08b}", f"{wanted:08b}"), rule, "yes" if made == wanted else "no"
        )
    yield Event("transcribe", "query", (f"{parsed.query:08b}",))
    yield from _apply_events("query", table, taps, parsed.query)
    yield Event("emit", "answer", (), answer)


def _apply_events(name: str, table: str, taps: tuple[str, ...], byte: int) -> Iterator[Event]:
    for tap in taps:
        yield Event("fetch", name, (tap, f"{byte:08b}"), f"{int(LUT[TAPS.index(tap), byte]):08b}")
    yield Event("compute", name, taps, f"{evaluate(table, taps, byte):08b}")


# ---- generator ----------------------------------------------------------------------------------------------------


@cache
def _small_functions() -> dict[bytes, int]:
    """Every byte function of at most two taps, with the fewest taps that express it."""
    found = {bytes([0] * 256): 0, bytes([255] * 256): 0}
    for n in (1, 2):
        for taps in combinations(TAPS, n):
            for table in range(2 ** (2**n)):
                found.setdefault(function_of(table_str(table, n), taps), n)
    return found


def minimum_taps(function: bytes) -> int:
    """The fewest taps that express a byte function (its 256 outputs) of at most three taps; 0 for a constant."""
    return _small_functions().get(function, 3)


def function_of(table: str, taps: Iterable[str]) -> bytes:
    """The byte function of a rule as its 256 outputs."""
    out = np.zeros(256, dtype=np.uint8)
    arguments = [LUT[TAPS.index(tap)] for tap in taps]
    for m, bit in enumerate(table):
        if bit == "1":
            mask = np.full(256, 255, dtype=np.uint8)
            for j, value in enumerate(arguments):
                mask &= value if m >> (len(arguments) - 1 - j) & 1 else ~value
            out |= mask
    return out.tobytes()


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
    return bool(_BYTE.fullmatch(text))


FAMILY = Family(
    name="bit_manipulation",
    generate=generate,
    parse=parse,
    solve=solve,
    canonical=canonical,
    is_answer=is_answer,
    answer_form="eight binary digits",
    phrases=(HEADER, EXAMPLES, QUERY),
    fit_prior=fit_prior,
)
