"""Lines of the bit designs that work column by column: bit j of every example, and rules for one output bit.

A column is written from the first example on; a computed column stops at its first difference from the wanted one.
"""

from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from itertools import combinations
from typing import Annotated, Literal

import numpy as np

from puzzles.bit_manipulation import catalog as bit_catalog
from puzzles.bit_manipulation.inventory import reorder
from reasoning.designs.bit_manipulation.lines import bits
from reasoning.designs.bit_manipulation.lines.bits import Bit
from reasoning.grammar.lines import FAILED, PASSED, Bits, Chars, Digit, Line, line
from reasoning.grammar.page import Page

Rule = Annotated[str, Chars("A-Z0-9:")]
Head = Annotated[str, Chars("A-Z")]
# The per-bit rules that a scan goes through, by how often generated rows need them.
HEADS = ("I", "XOR", "AND", "OR", "XNOR", "NDAN", "NRO", "ANDN", "ORN", "N", "NAND", "NOR", "C")
HEAD_RULES: dict[str, tuple[str, ...]] = {
    head: tuple(f"{head}{''.join(map(str, p))}" for p in combinations(range(8), 1 if head in ("I", "N") else 2))
    for head in HEADS[:-1]
} | {"C": ("C0", "C1")}
ORDER: tuple[str, ...] = tuple(rule for head in HEADS for rule in HEAD_RULES[head])
_PLACE = {rule: place for place, rule in enumerate(ORDER)}


@lru_cache(maxsize=16384)
def step(rule: str, by: int) -> str:
    """The rule with every input position moved by +1 or -1 (7 and 0 are neighbours)."""
    positions, table = bits.parts(rule)
    moved = [(p + by) % 8 for p in positions]
    order = tuple(sorted(range(len(moved)), key=moved.__getitem__))
    return bit_catalog.rule_name(sorted(moved), reorder(table, order)) if positions else rule


def upto(column: str, wanted: str) -> str:
    """A column up to and with its first difference from the wanted one."""
    for place, (a, b) in enumerate(zip(column, wanted, strict=True)):
        if a != b:
            return column[: place + 1]
    return column


def columns_of(page: Page) -> tuple[list[str], list[str], list[str], list[str]]:
    """`bits.columns` of the page's problem, worked out once."""
    found = page.get("columns")
    if found is None:
        found = bits.columns(page.parsed)
        page.put("columns", "", found)
    return found


def computed(page: Page, rule: str, column: str) -> bool:
    """Whether `column` is the beginning of the rule's column."""
    inputs = columns_of(page)[0]
    return bool(bits.parts(rule)) and column == bits.rule_column(rule, inputs[: len(column)])


def forced(column: str, wanted: str) -> bool | None:
    """True: the column is the wanted one; False: its last bit differs and no earlier one does; None: neither."""
    if column == wanted:
        return True
    head = len(column) - 1
    differs = head < len(wanted) and column[:head] == wanted[:head] and column[head:] != wanted[head : head + 1]
    return False if differs else None


@cache
def _outputs() -> np.ndarray:
    """The output bit of every rule of ORDER for every input byte: (rules, 256)."""
    inputs = [f"{byte:08b}" for byte in range(256)]
    return np.array([[int(bits.rule_value(rule, byte)) for byte in inputs] for rule in ORDER], dtype=np.uint8)


def fitting(inputs: Sequence[str], wanted: Sequence[str]) -> list[list[str]]:
    """For each wanted column the rules of ORDER that give it, in that order."""
    made = _outputs()[:, [int(byte, 2) for byte in inputs]]
    columns = np.array([[int(bit) for bit in column] for column in wanted], dtype=np.uint8)
    fits = (made[None] == columns[:, None]).all(axis=2)
    return [[ORDER[place] for place in np.flatnonzero(row)] for row in fits]


@line
class Column(Line):
    """One column of the examples: input or output bit p."""

    KIND = "bits/column"
    TEXT = "{side}{p} {column}"
    ROLES = "side:T p:T column:T"
    side: Literal["i", "o"]
    p: Digit
    column: Bits

    def transcription(self, page: Page) -> bool:
        _, _, inputs, outputs = columns_of(page)
        due = page.get("column", self.side, 0)
        return self.p == due < 8 and (inputs if self.side == "i" else outputs)[self.p] == self.column

    def establish(self, page: Page) -> None:
        page.put("column", self.side, self.p + 1)


@line
class Scan(Line):
    """The output bit whose column is scanned for. all: every rule in order; window: only the last rejected ones;
    tiers: kinds of rule one by one."""

    KIND = "bits/scan"
    TEXT = "scan {how} o{j} {wanted}"
    ROLES = "how:- j:T~ wanted:T"
    how: Literal["all", "window", "tiers"]
    j: Digit
    wanted: Bits

    def transcription(self, page: Page) -> bool:
        return self.j < 8 and columns_of(page)[3][self.j] == self.wanted

    def establish(self, page: Page) -> None:
        page.put("scan", "how", self.how)
        page.put("scan", "bit", self.j)
        page.put("scan", "wanted", self.wanted)
        page.put("scan", "next", {"all": 0, "window": -1}.get(self.how))  # a window is due only after its skip
        page.put("scan", "fitting", None)


@line
class Skip(Line):
    """How many rules of the scan are not shown."""

    KIND = "bits/skip"
    TEXT = "skip {n}"
    ROLES = "n:-"
    n: int

    def arithmetic(self, page: Page) -> bool:
        return 0 <= self.n < len(ORDER)

    def establish(self, page: Page) -> None:
        page.put("scan", "next", self.n)


@line
class Tier(Line):
    """All rules of one kind at once: does any give the scanned column?"""

    KIND = "bits/tier"
    TEXT = "tier {head} {verdict}"
    OUTCOMES = {"none": FAILED, "some": PASSED}
    FORCED_BY = "the columns of the rules of this kind against the scanned column"
    ROLES = "head:TV"
    head: Head
    verdict: str

    def transcription(self, page: Page) -> bool:
        """The kinds of rule come in the order of the scan."""
        heads = tuple(HEAD_RULES)
        return self.head in heads and heads.index(self.head) == page.get("scan", "tier", 0)

    def verdict_follows(self, page: Page) -> bool:
        inputs, wanted = columns_of(page)[0], page.get("scan", "wanted", "")
        if len(wanted) != len(inputs):
            return False
        found = page.get("scan", "fitting")
        if found is None:
            found = fitting(inputs, [wanted])[0]
            page.put("scan", "fitting", found)
        return any(rule in HEAD_RULES.get(self.head, ()) for rule in found) == (self.verdict == "some")

    def establish(self, page: Page) -> None:
        page.put("scan", "next", None)
        page.put("scan", "tier", page.get("scan", "tier", 0) + 1)


@line
class Candidate(Line):
    """A rule tried on the scanned column; after a rejected one the next in order is due."""

    KIND = "bits/candidate"
    TEXT = "{rule} {column} {verdict}"
    OUTCOMES = {"no": FAILED, "match": PASSED}
    FORCED_BY = "the rule's column against the scanned column"
    ROLES = "rule:T/A~ column:AV line:~"
    rule: Rule
    column: Bits
    verdict: str

    def transcription(self, page: Page) -> bool | None:
        due = page.get("scan", "next")
        return None if due is None else _PLACE.get(self.rule) == due

    def arithmetic(self, page: Page) -> bool:
        return computed(page, self.rule, self.column)

    def verdict_follows(self, page: Page) -> bool:
        return forced(self.column, page.get("scan", "wanted", "")) is (self.verdict == "match")

    def establish(self, page: Page) -> None:
        goes_on = page.get("scan", "how") != "tiers" or self.verdict == "no"
        page.put("scan", "next", _PLACE.get(self.rule, -1) + 1 if goes_on else None)
        if self.verdict == "match":
            page.put("bit rule", str(page.get("scan", "bit")), self.rule)


@line
class Walk(Line):
    """A rule tried on the column of another output bit."""

    KIND = "bits/walk"
    TEXT = "o{j} {wanted} {rule} {column} {verdict}"
    OUTCOMES = {"ok": PASSED, "no": FAILED}
    FORCED_BY = "the rule's column against the wanted column"
    ROLES = "j:TV~ wanted:TV rule:A~ column:AV"
    j: Digit
    wanted: Bits
    rule: Rule
    column: Bits
    verdict: str

    def transcription(self, page: Page) -> bool:
        return self.j < 8 and columns_of(page)[3][self.j] == self.wanted

    def arithmetic(self, page: Page) -> bool:
        return computed(page, self.rule, self.column)

    def verdict_follows(self, page: Page) -> bool:
        return forced(self.column, self.wanted) is (self.verdict == "ok")

    def establish(self, page: Page) -> None:
        if self.verdict == "ok":
            page.put("bit rule", str(self.j), self.rule)


@line
class Out(Line):
    """An output bit of the query: its rule, the query's bits that the rule reads, the bit."""

    KIND = "bits/out"
    TEXT = "y{j} {rule} {values:|-} {bit}"
    ROLES = "j:T rule:TA values:TA bit:A"
    j: Digit
    rule: Rule
    values: tuple[Bit, ...]
    bit: Bit

    def transcription(self, page: Page) -> bool:
        byte = f"{page.parsed.query:08b}"
        named = self.j == len(page.names("out")) and page.get("bit rule", str(self.j)) == self.rule
        return named and self.values == bits.rule_bits(self.rule, byte)

    def arithmetic(self, page: Page) -> bool:
        found = bits.parts(self.rule)
        if found is None or len(found[0]) != len(self.values):
            return False
        return found[1][int("".join(self.values) or "0", 2)] == self.bit

    def establish(self, page: Page) -> None:
        page.put("out", str(self.j), self.bit)


@line
class Verify(Line):
    """The locked rule on one example."""

    KIND = "bits/verify"
    TEXT = "E{i} {given} makes {made} wanted {wanted} {verdict}"
    OUTCOMES = {"yes": PASSED, "no": FAILED}
    FORCED_BY = "whether the byte made is the byte wanted"
    ROLES = "i:T given:TA made:AV wanted:TV"
    i: int
    given: bits.Byte
    made: bits.Byte
    wanted: bits.Byte
    verdict: str

    def transcription(self, page: Page) -> bool:
        return bits.example(page, self.i) == (self.given, self.wanted)

    def arithmetic(self, page: Page) -> bool:
        rules = page.names("bit rule")
        return all(bits.rule_value(rules.get(str(j), ""), self.given) == bit for j, bit in enumerate(self.made))

    def verdict_follows(self, page: Page) -> bool:
        return (self.verdict == "yes") == (self.made == self.wanted)


# ---- rendering


def anchor_of(rules: Sequence[str]) -> int:
    """The leftmost output bit among those that read most input bits, but not more than two."""
    reads = [len(bits.parts(rule)[0]) for rule in rules]
    return max(range(8), key=lambda j: (reads[j] if reads[j] <= 2 else -1, -j))


def candidate(rule: str, inputs: Sequence[str], wanted: str) -> Candidate:
    column = bits.rule_column(rule, inputs)
    return Candidate(rule, upto(column, wanted), "match" if column == wanted else "no")


def walk(j: int, rule: str, inputs: Sequence[str], wanted: str) -> Walk:
    column = bits.rule_column(rule, inputs)
    return Walk(j, wanted, rule, upto(column, wanted), "ok" if column == wanted else "no")


def walk_all(anchor: int, rules: Sequence[str], inputs: Sequence[str], outputs: Sequence[str]) -> Iterator[Walk]:
    """From the anchor to the right end, then to the left end: the neighbour's rule moved by one, where that fails at an
    edge, or is not the rule, the bit's own rule."""
    for by, places in ((1, range(anchor + 1, 8)), (-1, range(anchor - 1, -1, -1))):
        for j in places:
            moved = walk(j, step(rules[j - by], by), inputs, outputs[j])
            if moved.rule != rules[j] and moved.verdict == "no":
                yield moved
            yield walk(j, rules[j], inputs, outputs[j])


def stuck(anchor: int, rule: str, inputs: Sequence[str], outputs: Sequence[str]) -> list[Walk] | None:
    """The walk that refutes a rule which fits the anchor by chance; None when it never fails."""
    by = 1 if anchor < 4 else -1
    lines = []
    for j in range(anchor + by, 8 if by > 0 else -1, by):
        rule = step(rule, by)
        lines.append(walk(j, rule, inputs, outputs[j]))
        if lines[-1].verdict == "no":
            return lines
    return None


def out_lines(rules: Sequence[str], query: int) -> list[Line]:
    byte = f"{query:08b}"
    values = [bits.rule_value(rule, byte) for rule in rules]
    lines: list[Line] = [Out(j, rule, bits.rule_bits(rule, byte), values[j]) for j, rule in enumerate(rules)]
    return [*lines, bits.Answer("".join(values))]
