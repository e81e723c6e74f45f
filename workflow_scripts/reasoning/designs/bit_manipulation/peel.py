"""bit_manipulation / peel (the study's peel): the output is one tap, the head, xor something over the others.

Try heads; the right one leaves residuals that a rule of at most two taps makes; name that rule, verify, apply.
Residuals are in hexadecimal. That a rule fits them, or that none does, is claimed and not worked out, as in the study.
Only rules with an xor or xnor at the head can be told.
"""

import random
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated

from puzzles.base import Problem, Solution
from puzzles.bit_manipulation.inventory import TAPS, kind, tap_sets
from puzzles.bit_manipulation.prompt import Parsed
from puzzles.bit_manipulation.solver import scan
from reasoning.designs.bit_manipulation.lines import bits
from reasoning.grammar.lines import FAILED, PASSED, Bits, Chars, Line, line
from reasoning.grammar.page import Page
from reasoning.grammar.trace import Design, Trace, Unrenderable

Hex = Annotated[str, Chars("0-9a-f", 2)]
MOST_WRONG = 4
VERIFIED = 2


def xor(a: str, b: str) -> str:
    return "".join("01"[x != y] for x, y in zip(a, b, strict=True))


@lru_cache(maxsize=4096)
def two_taps_fit(examples: tuple[tuple[int, int], ...]) -> bool:
    """Whether some rule of at most two taps makes these outputs."""
    alive = scan(examples).alive
    return bool(len(alive)) and bool((tap_sets().size[alive] <= 2).any())


@line
class Head(Line):
    """A tap tried as head: every example's output xor the tap's byte, and whether two taps can make that."""

    KIND = "bits/head"
    TEXT = "head {tap} {residuals:,} {verdict}"
    OUTCOMES = {"no": FAILED, "fits": PASSED}
    FORCED_BY = "whether a rule of at most two taps makes the residuals"
    ROLES = "tap:A residuals:AV"
    tap: bits.Tap
    residuals: tuple[Hex, ...]
    verdict: str

    def arithmetic(self, page: Page) -> bool:
        return self.tap in TAPS and self.residuals == residuals(page.parsed, self.tap)

    def verdict_follows(self, page: Page) -> bool:
        if len(self.residuals) != len(page.parsed.examples):
            return False
        pairs = zip(page.parsed.examples, self.residuals, strict=True)
        return two_taps_fit(tuple((given, int(rest, 16)) for (given, _), rest in pairs)) == (self.verdict == "fits")

    def establish(self, page: Page) -> None:
        page.put("head", "", self.tap)


@line
class Rest(Line):
    """The rule of the residuals: its taps and table."""

    KIND = "bits/rest"
    TEXT = "rest {taps:,}: {table: =}"
    ROLES = "taps:- table:-"
    taps: tuple[bits.Tap, ...]
    table: tuple[tuple[Bits, bits.Bit], ...]

    def arithmetic(self, page: Page) -> bool:
        return set(TAPS).issuperset(self.taps) and bits.whole_table(self.table, len(self.taps))

    def establish(self, page: Page) -> None:
        page.put("rule", "", (self.taps, dict(self.table)))


@line
class Verify(Line):
    """Head and residual rule together on one example."""

    KIND = "bits/peel-verify"
    TEXT = "E{i} {given} {head}^{rest}={made} wanted {wanted} {verdict}"
    OUTCOMES = {"yes": PASSED, "no": FAILED}
    FORCED_BY = "whether the byte made is the byte wanted"
    ROLES = "i:T given:TA head:A rest:A made:AV wanted:TV"
    i: int
    given: bits.Byte
    head: bits.Byte
    rest: bits.Byte
    made: bits.Byte
    wanted: bits.Byte
    verdict: str

    def transcription(self, page: Page) -> bool:
        return bits.example(page, self.i) == (self.given, self.wanted)

    def arithmetic(self, page: Page) -> bool:
        taps, table = page.get("rule", "", ((), {}))
        values = [bits.tap_value(tap, self.given) for tap in taps]
        return (
            self.head == bits.tap_value(page.get("head", "", ""), self.given)
            and self.rest == bits.look_up(table, values)
            and self.made == xor(self.head, self.rest)
        )

    def verdict_follows(self, page: Page) -> bool:
        return (self.verdict == "yes") == (self.made == self.wanted)


@line
class Together(Line):
    """The query's output: head xor rest."""

    KIND = "bits/together"
    TEXT = "{tap} {head}^{rest}={made}"
    ROLES = "tap:TA head:A rest:TA made:A"
    tap: bits.Tap
    head: bits.Byte
    rest: bits.Byte
    made: bits.Byte

    def transcription(self, page: Page) -> bool:
        rest = "".join(page.get("out", str(j), "?") for j in range(8))
        return self.tap == page.get("head") and self.rest == rest

    def arithmetic(self, page: Page) -> bool:
        query = f"{page.parsed.query:08b}"
        return self.head == bits.tap_value(self.tap, query) and self.made == xor(self.head, self.rest)

    def establish(self, page: Page) -> None:
        for j, bit in enumerate(self.made):
            page.put("out", str(j), bit)


def residuals(parsed: Parsed, tap: str) -> tuple[str, ...]:
    """Every example's output xor the tap of its input, in hexadecimal."""
    return tuple(f"{wanted ^ int(bits.tap_value(tap, f'{given:08b}'), 2):02x}" for given, wanted in parsed.examples)


def heads(table: str, taps: tuple[str, ...]) -> list[int]:
    """The places of the taps that flip the output whatever the others are."""
    n = len(taps)
    places = []
    for place in range(n):
        half = 1 << (n - 1 - place)
        if all(table[m] != table[m ^ half] for m in range(2**n)):
            places.append(place)
    return places


def render(problem: Problem, parsed: Parsed, solution: Solution, known: Mapping[str, int], rng: random.Random) -> Trace:
    taps, table = bits.found_rule(problem, solution)
    places = heads(table, taps)
    if not places or len(taps) == 1:
        raise Unrenderable("no tap of the rule is the head of an xor")
    place = places[0]
    head, others = taps[place], taps[:place] + taps[place + 1 :]
    rest = "".join(table[m] for m in range(len(table)) if not m & 1 << (len(taps) - 1 - place))
    tried = [tap for tap in TAPS if kind(tap) == kind(head) and tap != head]
    lines: list[Line] = [head_line(parsed, tap) for tap in rng.sample(tried, rng.randint(0, MOST_WRONG))]
    lines = [each for each in lines if each.verdict == "no"]
    lines += [head_line(parsed, head), Rest(others, bits.entries(rest))]
    for i, (given, wanted) in enumerate(parsed.examples[:VERIFIED], 1):
        byte = f"{given:08b}"
        a = bits.tap_value(head, byte)
        b = bits.look_up(dict(bits.entries(rest)), [bits.tap_value(tap, byte) for tap in others])
        verdict = "yes" if xor(a, b) == f"{wanted:08b}" else "no"
        lines.append(Verify(i, byte, a, b, xor(a, b), f"{wanted:08b}", verdict))
    *applied, made = bits.apply_lines(others, rest, parsed.query)
    a = bits.tap_value(head, f"{parsed.query:08b}")
    lines += [*applied, Together(head, a, made.byte, xor(a, made.byte)), bits.Answer(xor(a, made.byte))]
    return Trace(tuple(lines), problem.answer)


def head_line(parsed: Parsed, tap: str) -> Head:
    found = residuals(parsed, tap)
    pairs = zip(parsed.examples, found, strict=True)
    fits = two_taps_fit(tuple((given, int(rest, 16)) for (given, _), rest in pairs))
    return Head(tap, found, "fits" if fits else "no")


DESIGN = Design("peel", "bit_manipulation", (Head, Rest, Verify, Together, *bits.APPLY_KINDS), render, never=("1-tap",))
