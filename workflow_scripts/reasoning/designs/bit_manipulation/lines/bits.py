"""What the bit designs share: bytes as strings, taps on them, truth tables, and the lines that test and apply a rule.

Bytes are written as eight characters and positions count 0-7 from the left, as in the catalog of bit rules.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Annotated

from common.errors import LabError
from puzzles.base import Problem, Solution
from puzzles.bit_manipulation import catalog as bit_catalog
from puzzles.bit_manipulation.inventory import GATE, TAPS
from puzzles.bit_manipulation.prompt import Parsed
from reasoning.grammar.lines import FAILED, PASSED, Bits, Chars, Line, line
from reasoning.grammar.page import Page
from reasoning.grammar.trace import Unrenderable

Bit = Annotated[str, Chars("01", 1)]
Byte = Annotated[str, Chars("01", 8)]
Tap = Annotated[str, Chars("a-z0-9")]
Table = Mapping[str, str]  # pattern of the taps' bits -> output bit

_TAPS = frozenset(TAPS)
_ZEROS = "0" * 8


@lru_cache(maxsize=8192)
def tap_value(tap: str, byte: str) -> str:
    """The byte that a tap makes of a byte; "" when there is no such tap."""
    if tap not in _TAPS:
        return ""
    if tap == "x":
        return byte
    kind, k = tap[:3], int(tap[3])
    if kind == "shr":
        return _ZEROS[:k] + byte[: 8 - k]
    return byte[k:] + (byte[:k] if kind == "rol" else _ZEROS[:k])


def patterns(values: Iterable[str]) -> list[str]:
    """The bits of several bytes (or columns), position by position."""
    return ["".join(bits) for bits in zip(*values, strict=False)]


def look_up(table: Table, values: Iterable[str]) -> str:
    """The output of a table for the taps' bytes; ? where it has no entry."""
    return "".join([table.get(pattern, "?") for pattern in patterns(values)])


@lru_cache(maxsize=4096)
def entries(table: str) -> tuple[tuple[str, str], ...]:
    """A table string as (pattern, bit) pairs, patterns in binary order."""
    n = len(table).bit_length() - 1
    return tuple((format(m, f"0{n}b"), bit) for m, bit in enumerate(table))


def whole_table(table: Sequence[tuple[str, str]], taps: int) -> bool:
    """Whether the pairs are all patterns of so many taps, in binary order."""
    return [pattern for pattern, _ in table] == [format(m, f"0{taps}b") for m in range(2**taps)] if taps < 5 else False


@lru_cache(maxsize=65536)
def bit_rules(table: str, taps: tuple[str, ...]) -> tuple[str, ...]:
    """The eight per-output-bit rules of a table over taps, named as in the catalog."""
    rules = []
    for j in range(8):
        sources = [_source(tap, j) for tap in taps]
        positions = sorted({p for p in sources if p >= 0})
        reduced = ""
        for m in range(2 ** len(positions)):
            bits = dict(zip(positions, format(m, f"0{len(positions)}b") if positions else "", strict=True))
            reduced += table[int("".join(bits.get(p, "0") for p in sources), 2)]
        rules.append(_reduce(positions, reduced))
    return tuple(rules)


def _source(tap: str, j: int) -> int:
    """The input position that a tap shows at output position j, -1 for a filled-in zero."""
    if tap == "x":
        return j
    kind, k = tap[:3], int(tap[3])
    p = j - k if kind == "shr" else j + k
    if kind == "rol":
        return p % 8
    return p if 0 <= p < 8 else -1


def _reduce(positions: list[int], table: str) -> str:
    """The per-bit rule without the positions that do not matter."""
    for index, position in enumerate(positions):
        n = len(positions)
        half = 1 << (n - 1 - index)
        low = "".join(table[m] for m in range(2**n) if not m & half)
        high = "".join(table[m] for m in range(2**n) if m & half)
        if low == high:
            return _reduce([p for p in positions if p != position], low)
    return bit_catalog.rule_name(positions, table)


@lru_cache(maxsize=65536)
def parts(rule: str) -> tuple[tuple[int, ...], str] | None:
    """The positions and the table of a per-bit rule; None when it is not one."""
    try:
        positions, table = bit_catalog.rule_table(rule)
    except LabError:
        return None
    return (positions, table) if len(set(positions)) == len(positions) else None


def rule_bits(rule: str, byte: str) -> tuple[str, ...]:
    """The input bits that a per-bit rule reads; () when it is not one."""
    found = parts(rule)
    return tuple(byte[p] for p in found[0]) if found else ()


def rule_value(rule: str, byte: str) -> str:
    """The output bit of a per-bit rule; ? when it is not one."""
    found = parts(rule)
    return found[1][int("".join(byte[p] for p in found[0]) or "0", 2)] if found else "?"


def rule_column(rule: str, inputs: Iterable[str]) -> str:
    """The output bits of a per-bit rule for several input bytes."""
    return "".join([rule_value(rule, byte) for byte in inputs])


def columns(parsed: Parsed) -> tuple[list[str], list[str], list[str], list[str]]:
    """Input bytes, output bytes, and the columns of both: bit j of every example."""
    inputs = [f"{i:08b}" for i, _ in parsed.examples]
    outputs = [f"{o:08b}" for _, o in parsed.examples]
    return inputs, outputs, patterns(inputs), patterns(outputs)


def found_rule(problem: Problem, solution: Solution) -> tuple[tuple[str, ...], str]:
    """The solver's taps and table; Unrenderable where its answer is not the row's."""
    if solution.answer != problem.answer:
        raise Unrenderable(solution.reason or "the solver's answer is not the row's")
    return tuple(solution.found["taps"]), solution.found["table"]


def example(page: Page, i: int) -> tuple[str, str] | None:
    """Example i (from 1) as strings, None when there is none."""
    if not 1 <= i <= len(page.parsed.examples):
        return None
    given, wanted = page.parsed.examples[i - 1]
    return f"{given:08b}", f"{wanted:08b}"


def gate_table(gate: str, taps: int) -> str:
    """The table of a gate by name or written out; "" when it does not take so many taps."""
    table = GATE[gate].table if gate in GATE else gate
    return table if len(table) == 2**taps and set(table) <= {"0", "1"} else ""


# ---- lines


@line
class Rule(Line):
    """A rule put forward: its taps and the truth table over them. Nothing on the page forces it; tests follow."""

    KIND = "bits/rule"
    TEXT = "try {taps:,}: {table: =}"
    RECALLS = "which rule to try"
    ROLES = "taps:- table:-"
    taps: tuple[Tap, ...]
    table: tuple[tuple[Bits, Bit], ...]

    def arithmetic(self, page: Page) -> bool:
        return _TAPS.issuperset(self.taps) and whole_table(self.table, len(self.taps))

    def establish(self, page: Page) -> None:
        page.put("rule", "", (self.taps, dict(self.table)))
        page.put("open", "", False)


@line
class Test(Line):
    """The rule on one example: the taps' bytes, the byte it makes, the example's output."""

    KIND = "bits/test"
    TEXT = "E{i} {given} {values:,=} makes {made} wanted {wanted} {verdict}"
    OUTCOMES = {"yes": PASSED, "no": FAILED}
    FORCED_BY = "whether the byte made is the byte wanted"
    ROLES = "i:T given:TA values:A/T made:AV wanted:TV"
    i: int
    given: Byte
    values: tuple[tuple[Tap, Byte], ...]
    made: Byte
    wanted: Byte
    verdict: str

    def transcription(self, page: Page) -> bool:
        taps, _ = page.get("rule", "", ((), {}))
        return example(page, self.i) == (self.given, self.wanted) and tuple(t for t, _ in self.values) == taps

    def arithmetic(self, page: Page) -> bool:
        _, table = page.get("rule", "", ((), {}))
        return self.made == look_up(table, [v for _, v in self.values]) and all(
            tap_value(tap, self.given) == value for tap, value in self.values
        )

    def verdict_follows(self, page: Page) -> bool:
        return (self.verdict == "yes") == (self.made == self.wanted)


@line
class Query(Line):
    """The query and what the rule's taps make of it."""

    KIND = "bits/query"
    TEXT = "Q {byte} {values:,=}"
    ROLES = "byte:TA values:A/T"
    byte: Byte
    values: tuple[tuple[Tap, Byte], ...]

    def transcription(self, page: Page) -> bool:
        """A table that the examples left open is completed before it is applied."""
        taps, _ = page.get("rule", "", ((), {}))
        same = self.byte == f"{page.parsed.query:08b}" and tuple(t for t, _ in self.values) == taps
        return same and not page.get("open", "", False)

    def arithmetic(self, page: Page) -> bool:
        return all(tap_value(tap, self.byte) == value for tap, value in self.values)

    def establish(self, page: Page) -> None:
        page.put("query", "", [value for _, value in self.values])


@line
class ByBit(Line):
    """The table applied to the query position by position: the taps' bits and the output bit."""

    KIND = "bits/by-bit"
    TEXT = "bits {steps: =}"
    ROLES = "steps:A/T"
    steps: tuple[tuple[Bits, Bit], ...]

    def transcription(self, page: Page) -> bool:
        return [pattern for pattern, _ in self.steps] == patterns(page.get("query", "", []))

    def arithmetic(self, page: Page) -> bool:
        _, table = page.get("rule", "", ((), {}))
        return all(table.get(pattern) == bit for pattern, bit in self.steps)

    def establish(self, page: Page) -> None:
        for j, (_, bit) in enumerate(self.steps):
            page.put("out", str(j), bit)


@line
class Answer(Line):
    """The output byte, put together."""

    KIND = "bits/answer"
    TEXT = "= {byte}"
    ROLES = "byte:T"
    byte: Byte

    def transcription(self, page: Page) -> bool:
        return all(page.get("out", str(j)) == bit for j, bit in enumerate(self.byte))

    def establish(self, page: Page) -> None:
        page.answer = self.byte


APPLY_KINDS = (Query, ByBit, Answer)


def rule_line(taps: tuple[str, ...], table: str) -> Rule:
    return Rule(taps, entries(table))


def test_line(i: int, taps: tuple[str, ...], table: str, given: str, wanted: str) -> Test:
    values = tuple((tap, tap_value(tap, given)) for tap in taps)
    made = look_up(dict(entries(table)), [value for _, value in values])
    return Test(i, given, values, made, wanted, "yes" if made == wanted else "no")


def apply_lines(taps: tuple[str, ...], table: str, query: int) -> list[Line]:
    byte = f"{query:08b}"
    values = tuple((tap, tap_value(tap, byte)) for tap in taps)
    full = dict(entries(table))
    steps = tuple((pattern, full[pattern]) for pattern in patterns(value for _, value in values))
    return [Query(byte, values), ByBit(steps), Answer("".join(bit for _, bit in steps))]
