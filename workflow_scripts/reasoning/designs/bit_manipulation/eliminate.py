"""bit_manipulation / eliminate: derive a rule of one or two taps by comparing every tap with the output.

The examples are ordered by how even their outputs are, since an output of mostly zeros says little. The first one's 22
taps are written down, each with what it can be to the output: an argument of an AND (& : it is 1 wherever the output
is) or of an OR (|), plain or negated (~). Two more examples strike taps out. What is left is tried on the first example
as a copy, an AND or an OR; then a XOR is looked for, whose second tap can be read off, since tap ^ output must stand in
the list. A rule that fits is tested on further examples, once: of two taps that are each other's partner the first.
Nothing is recalled and no step knows the rule. Rules of three taps that are not also rules of two are not found, and
their rows are not rendered.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Literal

from puzzles.base import Problem, Solution
from puzzles.bit_manipulation.inventory import TAPS
from puzzles.bit_manipulation.prompt import Parsed
from reasoning.designs.bit_manipulation.lines import bits
from reasoning.grammar.lines import FAILED, PASSED, Bits, Chars, Line, line
from reasoning.grammar.page import Page
from reasoning.grammar.trace import Design, Trace, Unrenderable

COMPARED = 3
TESTED = 3
MOST_TRIED = 30
NONE = "none"
Relation = Literal["&", "|", "&~", "|~"]
Partner = Annotated[str, Chars("a-z0-9~")]
Rule = tuple[tuple[str, ...], str]  # taps and the truth table over them


def relations(tap: str, wanted: str) -> tuple[str, ...]:
    """What a tap's byte can be to the output's byte."""
    pairs = set(zip(tap, wanted, strict=True))
    impossible = {"&": ("0", "1"), "|": ("1", "0"), "&~": ("1", "1"), "|~": ("0", "0")}
    return tuple(name for name, pair in impossible.items() if pair not in pairs)


def proposals(live: Mapping[str, Sequence[str]]) -> Iterator[Rule]:
    """Copies, ANDs and ORs of the taps that are left, in this order and in the order of the taps."""
    for tap, names in live.items():
        if {"&", "|"} <= set(names):
            yield (tap,), "01"
        if {"&~", "|~"} <= set(names):
            yield (tap,), "10"
    for gate, on in (("&", "1"), ("|", "0")):
        literals = [(tap, name != gate) for tap, names in live.items() for name in names if name[0] == gate]
        for k, (a, not_a) in enumerate(literals):
            for b, not_b in literals[k + 1 :]:
                if a != b:  # the one pattern that gives `on`: an AND of ones, or an OR of zeros
                    at = 2 * ((on == "1") != not_a) + ((on == "1") != not_b)
                    yield (a, b), "".join(on if m == at else "01"[on == "0"] for m in range(4))


def order_of(ones: Sequence[int]) -> tuple[int, ...]:
    """Numbers of the examples from 1, those with nearest to four ones first."""
    return tuple(sorted(range(1, len(ones) + 1), key=lambda i: (abs(ones[i - 1] - 4), i)))


def partner_of(rest: str, taps: Mapping[str, str]) -> str:
    """The listed tap whose byte, or whose byte negated (written ~), is `rest`."""
    turned = rest.translate(str.maketrans("01", "10"))
    found = [tap if byte == rest else f"~{tap}" for tap, byte in taps.items() if byte in (rest, turned)]
    return found[0] if found else NONE


def xor_rule(tap: str, partner: str) -> Rule:
    return (tap, partner.removeprefix("~")), "1001" if partner.startswith("~") else "0110"


@line
class Order(Line):
    """How many ones each output has, and the examples in the order in which they are used."""

    KIND = "bits/order"
    TEXT = "ones {ones:,} order {order:,}"
    ROLES = "ones:TV order:V"
    ones: tuple[int, ...]
    order: tuple[int, ...]

    def transcription(self, page: Page) -> bool:
        return self.ones == tuple(wanted.bit_count() for _, wanted in page.parsed.examples)

    def verdict_follows(self, page: Page) -> bool:
        return self.order == order_of(self.ones)

    def establish(self, page: Page) -> None:
        page.put("order", "", self.order)


@line
class Aim(Line):
    """The example that the next lines compare with."""

    KIND = "bits/aim"
    TEXT = "E{i} {given} -> {wanted}"
    ROLES = "i:T given:T wanted:T"
    i: int
    given: bits.Byte
    wanted: bits.Byte

    def transcription(self, page: Page) -> bool:
        due = page.get("order", default=())[page.get("aims", default=0) :]
        return due[:1] == (self.i,) and bits.example(page, self.i) == (self.given, self.wanted)

    def establish(self, page: Page) -> None:
        page.put("aims", "", page.get("aims", default=0) + 1)
        page.put("aim", "", (self.given, self.wanted))
        page.put("due", "", tuple(tap for tap, names in page.names("live").items() if names))
        if page.get("aims") == 1:
            page.put("first", "", self.wanted)
            page.put("due", "", TAPS)


@line
class Relate(Line):
    """A tap of the example's input, and what it still says about the output."""

    KIND = "bits/relate"
    TEXT = "{tap} {byte} {relations:,|no}"
    ROLES = "tap:TAV byte:AV relations:V"
    tap: bits.Tap
    byte: bits.Byte
    relations: tuple[Relation, ...]

    def transcription(self, page: Page) -> bool:
        """The taps come in their order, later only those that are left."""
        return page.get("due", default=())[:1] == (self.tap,)

    def arithmetic(self, page: Page) -> bool:
        return self.byte == bits.tap_value(self.tap, page.get("aim", default=("", ""))[0])

    def verdict_follows(self, page: Page) -> bool:
        wanted = page.get("aim", default=("", ""))[1]
        if len(wanted) != len(self.byte):
            return False
        found, before = relations(self.byte, wanted), page.names("live").get(self.tap, ())
        first = page.get("aims", default=0) == 1
        return self.relations == tuple(name for name in found if first or name in before)

    def establish(self, page: Page) -> None:
        if page.get("aims", default=0) == 1:
            page.put("listed", self.tap, self.byte)
        page.put("live", self.tap, self.relations)
        due = page.get("due", default=())
        page.put("due", "", due[due.index(self.tap) + 1 :] if self.tap in due else due)


@line
class Fit(Line):
    """A copy, an AND or an OR of taps that are left, on the first example of the order."""

    KIND = "bits/fit"
    TEXT = "{taps:,} {table} {made} {verdict}"
    OUTCOMES = {"no": FAILED, "yes": PASSED}
    FORCED_BY = "whether the byte made is the first example's output"
    ROLES = "taps:T/A table:T/A made:AV"
    taps: tuple[bits.Tap, ...]
    table: Bits
    made: bits.Byte
    verdict: str

    def transcription(self, page: Page) -> bool:
        live = {tap: names for tap, names in page.names("live").items() if names}
        return (self.taps, self.table) in list(proposals(live))

    def arithmetic(self, page: Page) -> bool:
        listed = page.names("listed")
        return self.made == bits.look_up(dict(bits.entries(self.table)), [listed.get(tap, "") for tap in self.taps])

    def verdict_follows(self, page: Page) -> bool:
        return (self.verdict == "yes") == (self.made == page.get("first"))

    def establish(self, page: Page) -> None:
        if self.verdict == "yes":
            page.put("found", "", (*page.get("found", default=()), (self.taps, self.table)))


@line
class Xor(Line):
    """A tap of the first example xor its output, and the listed tap that this is."""

    KIND = "bits/xor"
    TEXT = "{tap} {byte}^{wanted}={rest} {partner}"
    ROLES = "tap:T byte:TA wanted:TA rest:AV partner:V"
    tap: bits.Tap
    byte: bits.Byte
    wanted: bits.Byte
    rest: bits.Byte
    partner: Partner

    def transcription(self, page: Page) -> bool:
        return page.names("listed").get(self.tap) == self.byte and self.wanted == page.get("first")

    def arithmetic(self, page: Page) -> bool:
        return self.rest == "".join("01"[a != b] for a, b in zip(self.byte, self.wanted, strict=True))

    def verdict_follows(self, page: Page) -> bool:
        return self.partner == partner_of(self.rest, page.names("listed"))

    def establish(self, page: Page) -> None:
        if self.partner != NONE:
            page.put("found", "", (*page.get("found", default=()), xor_rule(self.tap, self.partner)))


@line
class Combine(bits.Rule):
    """A rule that fits the first example: its taps and the truth table over them. Tests follow."""

    KIND = "bits/combine"
    RECALLS = ""
    ROLES = "taps:T/A table:T/A"

    def transcription(self, page: Page) -> bool:
        return (self.taps, "".join(bit for _, bit in self.table)) in page.get("found", default=())


def tests(parsed: Parsed, taps: tuple[str, ...], table: str, numbers: Sequence[int]) -> list[Line]:
    """The rule and its tests on these examples, up to the first that fails."""
    lines: list[Line] = [Combine(taps, bits.entries(table))]
    for i in numbers:
        given, wanted = parsed.examples[i - 1]
        lines.append(bits.test_line(i, taps, table, f"{given:08b}", f"{wanted:08b}"))
        if lines[-1].verdict == "no":
            break
    return lines


def compare(parsed: Parsed, order: Sequence[int]) -> tuple[list[Line], dict[str, str], dict[str, tuple[str, ...]]]:
    """The lines that compare, the first example's bytes by tap, and what is left by tap."""
    lines: list[Line] = []
    live: dict[str, tuple[str, ...]] = {}
    listed = {tap: bits.tap_value(tap, f"{parsed.examples[order[0] - 1][0]:08b}") for tap in TAPS}
    for place, i in enumerate(order[:COMPARED]):
        byte, output = (f"{value:08b}" for value in parsed.examples[i - 1])
        lines.append(Aim(i, byte, output))
        for tap in tuple(live) if place else TAPS:
            value = bits.tap_value(tap, byte)
            left = tuple(name for name in relations(value, output) if not place or name in live[tap])
            lines.append(Relate(tap, value, left))
            live[tap] = left
        live = {tap: names for tap, names in live.items() if names}
    return lines, listed, live


def render(problem: Problem, parsed: Parsed, solution: Solution, known: Mapping[str, int], rng: random.Random) -> Trace:
    ones = tuple(wanted.bit_count() for _, wanted in parsed.examples)
    order = order_of(ones)
    compared, listed, live = compare(parsed, order)
    lines: list[Line] = [Order(ones, order), *compared]
    output = f"{parsed.examples[order[0] - 1][1]:08b}"

    def rules() -> Iterator[Rule]:
        for tried, (taps, table) in enumerate(proposals(live)):
            if tried == MOST_TRIED:
                raise Unrenderable(f"the taps that are left make more than {MOST_TRIED} rules")
            made = bits.look_up(dict(bits.entries(table)), [listed[tap] for tap in taps])
            lines.append(Fit(taps, table, made, "yes" if made == output else "no"))
            if made == output:
                yield taps, table
        tested = set()  # a ^ b is b ^ a
        for tap, value in listed.items():
            rest = "".join("01"[a != b] for a, b in zip(value, output, strict=True))
            lines.append(Xor(tap, value, output, rest, partner_of(rest, listed)))
            if lines[-1].partner != NONE:
                taps, table = xor_rule(tap, lines[-1].partner)
                if (frozenset(taps), table) not in tested:
                    tested.add((frozenset(taps), table))
                    yield taps, table

    for taps, table in rules():
        lines += tests(parsed, taps, table, order[1 : 1 + TESTED])
        if lines[-1].verdict == "yes":
            lines += bits.apply_lines(taps, table, parsed.query)
            return Trace(tuple(lines), lines[-1].byte)
    raise Unrenderable("no rule of one or two taps passes")


KINDS = (Order, Aim, Relate, Fit, Xor, Combine, bits.Test, *bits.APPLY_KINDS)
DESIGN = Design("eliminate", "bit_manipulation", KINDS, render)
