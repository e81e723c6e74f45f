"""The catalog of bit rules: every byte function of an enumerated rule set, as a sequence of eight per-output-bit rules.

Positions count 0-7 from the left. Per-bit rules are written C0 C1 (constants), I4 N4 (bit 4, its negation), a two-input
gate with its input positions (AND24, XNOR01; ANDN24 is bit 2 and not bit 4, NDAN24 is bit 4 and not bit 2, ORN and NRO
likewise), or a three-input truth table T<8 entries>:<positions>. For example maj(rol2, shl4, shr7) is
AND24 AND35 AND46 AND57 C0 C0 C0 AND01. Equal functions have equal sequences, so duplicates vanish.

The enumerated set: single taps and their negations; xor, and, or of two taps; the ten three-tap forms of `FORMS`; taps
of one rule are of different kinds (identity or rotation by 1-7, left shift by 1-7, right shift by 1-7), any of them
negated, in any order: 25,666 sequences. The write-up of the challenge's first place counts 5,238 without saying which
negations, orders and taps it takes. Of the variants tried, this part of the set has exactly that count, and it
has rules of one or two input positions per output bit only, as the write-up's examples do: the ten forms over
(rotation or identity, left shift, right shift) in this order, at most one negated, no output bit that reads more than
two positions. Column `listed` marks it. The count may be a coincidence: this part has only those two-tap rules that are
also such a three-tap rule, and 107 to 464 of the others would come on top, depending on their negations.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import permutations, product

import numpy as np
import pyarrow as pa

from common.errors import LabError
from puzzles.bit_manipulation.inventory import LUT, TAPS

PUBLISHED_COUNT = 5238
TURNS = ("x", *(f"rol{k}" for k in range(1, 8)))
LEFTS = tuple(f"shl{k}" for k in range(1, 8))
RIGHTS = tuple(f"shr{k}" for k in range(1, 8))
PAIR_FORMS = {"xor": "a^b", "and": "a&b", "or": "a|b"}
FORMS = {
    "maj": "a&b|a&c|b&c",
    "parity": "a^b^c",
    "ch": "a&b|~a&c",
    "sel": "a&~(b&c)|~a&~(b^c)",
    "and-or": "a&b|c",
    "or-and": "(a|b)&c",
    "and-xor": "(a&b)^c",
    "or-xor": "(a|b)^c",
    "xor-and": "(a^b)&c",
    "xor-or": "(a^b)|c",
}
_PAIR_NAMES = {
    "0001": "AND",
    "0111": "OR",
    "0110": "XOR",
    "1110": "NAND",
    "1000": "NOR",
    "1001": "XNOR",
    "0010": "ANDN",
    "0100": "NDAN",
    "1011": "ORN",
    "1101": "NRO",
}
_PAIR_TABLES = {name: table for table, name in _PAIR_NAMES.items()}

SCHEMA = pa.schema(
    [
        ("index", pa.int32()),
        ("sequence", pa.list_(pa.string())),
        ("form", pa.string()),
        ("taps", pa.list_(pa.string())),
        ("inputs", pa.int32()),
        ("listed", pa.bool_()),
    ]
)


def rule_table(rule: str) -> tuple[tuple[int, ...], str]:
    """The input positions and the truth table of a per-bit rule; LabError when it is not one."""
    head = rule.rstrip("01234567") if not rule.startswith("T") else "T"
    try:
        if rule in ("C0", "C1"):
            return (), rule[1]
        if head in ("I", "N") and len(rule) == 2:
            return (int(rule[1]),), "01" if head == "I" else "10"
        if head in _PAIR_TABLES and len(rule) == len(head) + 2:
            return (int(rule[-2]), int(rule[-1])), _PAIR_TABLES[head]
        if head == "T" and len(rule) == 13 and set(rule[1:9]) <= set("01") and rule[9] == ":":
            positions = tuple(map(int, rule[10:]))
            if max(positions) < 8:
                return positions, rule[1:9]
    except ValueError:
        pass
    raise LabError(f"{rule!r} is not a per-bit rule", field="rule")


def rule_name(positions: Sequence[int], table: str) -> str:
    """The per-bit rule of a truth table over ascending input positions, every one of which it depends on."""
    if len(positions) == 0:
        return f"C{table}"
    if len(positions) == 1:
        return f"{'I' if table == '01' else 'N'}{positions[0]}"
    head = _PAIR_NAMES[table] if len(positions) == 2 else f"T{table}:"
    return head + "".join(map(str, positions))


def apply_rule(rule: str, byte: int) -> int:
    """The output bit of a per-bit rule."""
    positions, table = rule_table(rule)
    index = 0
    for position in positions:
        index = index << 1 | byte >> (7 - position) & 1
    return int(table[index])


def apply_sequence(sequence: Sequence[str], byte: int) -> int:
    """The output byte of eight per-bit rules."""
    out = 0
    for rule in sequence:
        out = out << 1 | apply_rule(rule, byte)
    return out


def _bit_rule(column: np.ndarray) -> str:
    """The rule of one output bit from its value for all 256 inputs."""
    inputs = np.arange(256)
    positions = [p for p in range(8) if (column != column[inputs ^ (128 >> p)]).any()]
    entries = product((0, 1), repeat=len(positions))
    rows = [sum(bit << (7 - p) for bit, p in zip(entry, positions, strict=True)) for entry in entries]
    return rule_name(positions, "".join(str(int(column[row])) for row in rows))


def sequences_of(functions: np.ndarray) -> list[tuple[str, ...]]:
    """The eight rules of each byte function; functions: (N, 256) uint8."""
    columns = np.unpackbits(functions[:, :, None], axis=2).transpose(0, 2, 1)  # (N, 8 output bits, 256 inputs)
    packed = np.packbits(columns.reshape(-1, 256), axis=1).view("V32").ravel()
    distinct, which = np.unique(packed, return_inverse=True)
    names = [_bit_rule(np.unpackbits(np.frombuffer(raw.tobytes(), dtype=np.uint8))) for raw in distinct]
    return [tuple(names[i] for i in row) for row in which.reshape(-1, 8)]


def _rules() -> Iterator[tuple[str, tuple[str, ...], list[int], list[int], str]]:
    """(form, groups of taps, their order as arguments, negations, expression) of what is enumerated, simplest first."""
    groups = (TURNS, LEFTS, RIGHTS)
    for group in range(3):
        for negated in (0, 1):
            yield "tap", (groups[group],), [0], [negated], "a"
    for form, text in PAIR_FORMS.items():
        for pair in ((0, 1), (0, 2), (1, 2)):
            for negated in sorted(product((0, 1), repeat=2), key=sum):
                yield form, tuple(groups[g] for g in pair), [0, 1], list(negated), text
    for form, text in FORMS.items():
        for order in permutations(range(3)):
            for negated in sorted(product((0, 1), repeat=3), key=sum):
                yield form, groups, list(order), list(negated), text


@dataclass(frozen=True)
class Catalog:
    """sequences: the N distinct rules; index: sequence -> row; codes: (N, 8) per-bit rules as small integers;
    functions: (N, 256) uint8; forms, taps: how the first enumerated rule of each is written; inputs: the most positions
    that one output bit reads; listed: the part of the published count."""

    sequences: tuple[tuple[str, ...], ...]
    index: dict[tuple[str, ...], int]
    codes: np.ndarray
    code_of: dict[str, int]
    functions: np.ndarray
    forms: tuple[str, ...]
    taps: tuple[tuple[str, ...], ...]
    inputs: np.ndarray
    listed: np.ndarray


@cache
def catalog() -> Catalog:
    """Enumerate the rule set (module docstring), without duplicates, in enumeration order; a few seconds."""
    found: dict[bytes, tuple[str, tuple[str, ...]]] = {}
    candidates: set[bytes] = set()
    for form, groups, order, negated, text in _rules():
        rows = list(product(*groups))
        luts = [LUT[[TAPS.index(row[g]) for row in rows]] for g in order]
        luts = [~lut if flip else lut for lut, flip in zip(luts, negated, strict=True)]
        values = eval(compile(text, form, "eval"), {}, dict(zip("abc", luts, strict=False)))  # noqa: S307 - our own text
        for row, value in zip(rows, values, strict=True):
            key = value.tobytes()
            if key not in found:
                found[key] = form, tuple(("~" if flip else "") + row[g] for g, flip in zip(order, negated, strict=True))
        if form in FORMS and order == [0, 1, 2] and sum(negated) <= 1:
            candidates.update(value.tobytes() for value in values)
    functions = np.frombuffer(b"".join(found), dtype=np.uint8).reshape(-1, 256)
    sequences = sequences_of(functions)
    reads = {rule: len(rule_table(rule)[0]) for sequence in sequences for rule in sequence}
    inputs = np.array([max(reads[rule] for rule in sequence) for sequence in sequences])
    code_of = {rule: code for code, rule in enumerate(sorted(reads))}
    return Catalog(
        sequences=tuple(sequences),
        index={sequence: row for row, sequence in enumerate(sequences)},
        codes=np.array([[code_of[rule] for rule in sequence] for sequence in sequences], dtype=np.int16),
        code_of=code_of,
        functions=functions,
        forms=tuple(form for form, _ in found.values()),
        taps=tuple(taps for _, taps in found.values()),
        inputs=inputs,
        listed=np.array([key in candidates for key in found]) & (inputs <= 2),
    )


def build() -> pa.Table:
    """The catalog as a table (see SCHEMA), one row per sequence."""
    whole = catalog()
    return pa.table(
        {
            "index": np.arange(len(whole.sequences), dtype=np.int32),
            "sequence": [list(sequence) for sequence in whole.sequences],
            "form": list(whole.forms),
            "taps": [list(taps) for taps in whole.taps],
            "inputs": whole.inputs.astype(np.int32),
            "listed": whole.listed,
        },
        schema=SCHEMA,
    )


def nearest(sequence: Sequence[str], limit: int = 32, listed: bool = False) -> list[tuple[int, int]]:
    """The `limit` catalog rows nearest to a sequence of eight rules, as (Hamming distance over the eight rules, row).

    Ties in catalog order. A rule that the catalog never uses differs from every row. `listed`: only from that part.
    """
    if len(sequence) != 8:
        raise LabError(f"expected eight per-bit rules, got {len(sequence)}", field="sequence")
    whole = catalog()
    wanted = np.array([whole.code_of.get(rule, -1) for rule in sequence])
    distance = (whole.codes != wanted).sum(axis=1)
    if listed:
        distance[~whole.listed] = 9
    reach = int(np.searchsorted(np.cumsum(np.bincount(distance, minlength=10)), limit))
    rows = np.flatnonzero(distance <= min(reach, 8))
    best = rows[np.argsort(distance[rows], kind="stable")[:limit]]
    return [(int(distance[row]), int(row)) for row in best]
