"""Taps, gates and truth tables: every rule that a row of bit manipulation can have.

A tap is the byte itself, a rotation or a zero-filled shift.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import combinations

import numpy as np

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


# Counts of the released rule cache (1,602 rows). Its most frequent three-tap form, ~(a^(~b&c)), equals two others,
# (~(a^b))|c and (~(a&b) if c else ~(a^b)), up to the names of the arguments, wherever b and c are shifts that do not
# overlap. Real rows whose shifts overlap show the other two. So its 195 rows are shared among the three, the shortest a
# little ahead. The unnamed rest is spread evenly.
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
