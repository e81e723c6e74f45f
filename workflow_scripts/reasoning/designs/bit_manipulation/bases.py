"""bit_manipulation / bases (arXiv:2606.23672): bases and truth tables with backtracking.

Choose up to three taps as bases by likeness to the outputs, read their truth table off the examples, and drop the last
base again when equal patterns ask for different bits. A set of bases is viewed example by example until two positions
clash; without a clash its table is full, or open when some pattern never occurs. Bases that look more like the outputs
than the right one are tried before it, at most MOST_WRONG per place.
"""

import random
from collections.abc import Mapping, Sequence

from puzzles.base import Problem, Solution
from puzzles.bit_manipulation.inventory import TAPS, reorder
from puzzles.bit_manipulation.prompt import Parsed
from reasoning.designs.bit_manipulation.lines import bits
from reasoning.grammar.lines import FAILED, SEEN, Bits, Line, line
from reasoning.grammar.page import Page
from reasoning.grammar.trace import Design, Trace, Unrenderable

MOST_WRONG = 1


@line
class Near(Line):
    """Two examples whose outputs differ in few bits: where their inputs and outputs differ."""

    KIND = "bits/near"
    TEXT = "E{i}^E{k} in {given} out {made}"
    ROLES = "i:AT k:AT given:A made:A"
    i: int
    k: int
    given: bits.Byte
    made: bits.Byte

    def transcription(self, page: Page) -> bool:
        return bool(bits.example(page, self.i) and bits.example(page, self.k))

    def arithmetic(self, page: Page) -> bool:
        a, b = bits.example(page, self.i), bits.example(page, self.k)
        return bool(a and b) and (self.given, self.made) == (xor(a[0], b[0]), xor(a[1], b[1]))


@line
class Bases(Line):
    """The bases tried now."""

    KIND = "bits/bases"
    TEXT = "bases {taps:,}"
    ROLES = "taps:-"
    taps: tuple[bits.Tap, ...]

    def transcription(self, page: Page) -> bool:
        return set(TAPS).issuperset(self.taps) and len(set(self.taps)) == len(self.taps)

    def establish(self, page: Page) -> None:
        page.put("bases", "", self.taps)
        page.put("seen", "", ())
        page.put("views", "", 0)


@line
class View(Line):
    """The bases' bytes for one example, and its output."""

    KIND = "bits/view"
    TEXT = "E{i} {values:,} {wanted}"
    ROLES = "i:A/T~ values:A wanted:T"
    i: int
    values: tuple[bits.Byte, ...]
    wanted: bits.Byte

    def transcription(self, page: Page) -> bool:
        shown = bits.example(page, self.i)
        return shown is not None and shown[1] == self.wanted and self.i == page.get("views", "", 0) + 1

    def arithmetic(self, page: Page) -> bool:
        shown = bits.example(page, self.i)
        return shown is not None and self.values == tuple(
            bits.tap_value(tap, shown[0]) for tap in page.get("bases", "", ())
        )

    def establish(self, page: Page) -> None:
        steps = zip(bits.patterns(self.values), self.wanted, strict=True)
        page.put("seen", "", (*page.get("seen", "", ()), *steps))
        page.put("views", "", self.i)


@line
class Fill(Line):
    """The table's entries in the order in which the viewed positions show them, up to the first clash."""

    KIND = "bits/fill"
    TEXT = "table {entries:,=} {verdict}"
    OUTCOMES = {"clash": FAILED, "full": SEEN, "open": SEEN}
    FORCED_BY = "whether a pattern comes with both bits, and whether every pattern comes"
    ROLES = "entries:TV"
    entries: tuple[tuple[Bits, bits.Bit], ...]
    verdict: str

    def transcription(self, page: Page) -> bool:
        """The entries are those of the views, which end with a clash or with the last example."""
        ended = verdict(self.entries) == "clash" or page.get("views", "", 0) == len(page.parsed.examples)
        return ended and self.entries == filled(page.get("seen", "", ()))

    def verdict_follows(self, page: Page) -> bool:
        return self.verdict == verdict(self.entries)

    def establish(self, page: Page) -> None:
        page.put("rule", "", (page.get("bases", "", ()), dict(self.entries)))
        page.put("open", "", self.verdict == "open")


def xor(a: str, b: str) -> str:
    return "".join("01"[x != y] for x, y in zip(a, b, strict=True))


def filled(steps: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Each new (pattern, bit), ending with the first that clashes."""
    table: dict[str, str] = {}
    for pattern, bit in steps:
        if table.setdefault(pattern, bit) != bit:
            return (*table.items(), (pattern, bit))
    return tuple(table.items())


def verdict(entries: Sequence[tuple[str, str]]) -> str:
    table = dict(entries[:-1])
    pattern, bit = entries[-1]
    if table.get(pattern, bit) != bit:
        return "clash"
    return "full" if len(entries) == 2 ** len(pattern) else "open"


def likeness(parsed: Parsed, tap: str) -> int:
    """How far the share of positions at which the tap equals the output is from a half, in positions."""
    same = sum(
        8 - (int(bits.tap_value(tap, f"{given:08b}"), 2) ^ wanted).bit_count() for given, wanted in parsed.examples
    )
    return abs(2 * same - 8 * len(parsed.examples))


def try_bases(parsed: Parsed, taps: tuple[str, ...]) -> tuple[list[Line], str]:
    """The lines that view a set of bases, and how its table ends."""
    lines: list[Line] = [Bases(taps)]
    steps: list[tuple[str, str]] = []
    for i, (given, wanted) in enumerate(parsed.examples, 1):
        values = tuple(bits.tap_value(tap, f"{given:08b}") for tap in taps)
        lines.append(View(i, values, f"{wanted:08b}"))
        steps += zip(bits.patterns(values), f"{wanted:08b}", strict=True)
        end = verdict(filled(steps))
        if end == "clash":
            break
    lines.append(Fill(filled(steps), end))
    return lines, end


def render(problem: Problem, parsed: Parsed, solution: Solution, known: Mapping[str, int], rng: random.Random) -> Trace:
    right, table = bits.found_rule(problem, solution)
    ranked = sorted(TAPS, key=lambda tap: (-likeness(parsed, tap), TAPS.index(tap)))
    order = sorted(right, key=ranked.index)
    lines: list[Line] = []
    if near := nearest_pair(parsed):
        lines.append(near)
    bases: tuple[str, ...] = ()
    for tap in order:
        better = [other for other in ranked[: ranked.index(tap)] if other not in right]
        wrong = [(*bases, other) for other in better[:MOST_WRONG]] if bases else []
        for taps in (*wrong, (*bases, tap)):
            tried, end = try_bases(parsed, taps)
            last = len(taps) == len(right) and taps[-1] == tap
            if end != "clash" and not last:
                if taps[-1] == tap:
                    raise Unrenderable("fewer bases than the rule's fit every example")
                continue  # a wrong set that no example refutes is not shown
            lines += tried
        bases = (*bases, tap)
    turned = turn(table, right, bases)
    if tried[-1].verdict == "open":
        lines.append(bits.rule_line(bases, turned))
    lines += bits.apply_lines(bases, turned, parsed.query)
    return Trace(tuple(lines), problem.answer)


def turn(table: str, taps: tuple[str, ...], order: tuple[str, ...]) -> str:
    """The table with its arguments in another order."""
    return reorder(table, tuple(taps.index(tap) for tap in order))


def nearest_pair(parsed: Parsed) -> Near | None:
    """The two examples whose outputs differ in the fewest bits, but not in none."""
    pairs = [
        ((a[1] ^ b[1]).bit_count(), (a[0] ^ b[0]).bit_count(), i, k)
        for i, a in enumerate(parsed.examples, 1)
        for k, b in enumerate(parsed.examples, 1)
        if i < k and a[1] != b[1]
    ]
    if not pairs:
        return None
    _, _, i, k = min(pairs)
    (given, wanted), (other, output) = parsed.examples[i - 1], parsed.examples[k - 1]
    return Near(i, k, f"{given ^ other:08b}", f"{wanted ^ output:08b}")


KINDS = (Near, Bases, View, Fill, bits.Rule, *bits.APPLY_KINDS)
DESIGN = Design("bases", "bit_manipulation", KINDS, render)
