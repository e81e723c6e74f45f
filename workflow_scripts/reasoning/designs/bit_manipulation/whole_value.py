"""bit_manipulation / whole-value (the study's v13): guess a rule for the whole byte.

Reject up to two wrong simple ones, confirm the right one on the second example, apply. Every value is computed in one
step, with nothing shown in between.
"""

import random
from collections.abc import Mapping
from typing import Annotated

from puzzles.base import Problem, Solution
from puzzles.bit_manipulation.inventory import GATES
from puzzles.bit_manipulation.prompt import Parsed
from reasoning.designs.bit_manipulation.lines import bits
from reasoning.grammar.lines import FAILED, PASSED, Chars, Line, line
from reasoning.grammar.page import Page
from reasoning.grammar.trace import Design, Trace

GateName = Annotated[str, Chars("a-z0-9\\-")]
SIMPLE_TAPS = ("rol", "shl", "shr")


def value(gate: str, taps: tuple[str, ...], byte: str) -> str:
    """The byte that a gate over taps makes; "" when there is no such gate or tap."""
    table = bits.gate_table(gate, len(taps)) if len(taps) < 5 else ""
    made = [bits.tap_value(tap, byte) for tap in taps]
    return bits.look_up(dict(bits.entries(table)), made) if table and all(made) else ""


@line
class Guess(Line):
    """A rule's whole output for an example, against the output wanted."""

    KIND = "bits/guess"
    TEXT = "E{i} {gate}({taps:,}) {made} wanted {wanted} {verdict}"
    OUTCOMES = {"no": FAILED, "yes": PASSED}
    FORCED_BY = "whether the byte made is the byte wanted"
    ROLES = "i:T/A~ gate:A taps:A~ made:AV wanted:TV"
    i: int
    gate: GateName
    taps: tuple[bits.Tap, ...]
    made: bits.Byte
    wanted: bits.Byte
    verdict: str

    def transcription(self, page: Page) -> bool:
        shown = bits.example(page, self.i)
        return shown is not None and shown[1] == self.wanted

    def arithmetic(self, page: Page) -> bool:
        shown = bits.example(page, self.i)
        return shown is not None and value(self.gate, self.taps, shown[0]) == self.made

    def verdict_follows(self, page: Page) -> bool:
        return (self.verdict == "yes") == (self.made == self.wanted)

    def establish(self, page: Page) -> None:
        if self.verdict == "yes":
            page.put("guess", "", (self.gate, self.taps))


@line
class Apply(Line):
    """The accepted rule's output for the query."""

    KIND = "bits/apply"
    TEXT = "Q {byte} {gate}({taps:,}) {made}"
    ROLES = "byte:TA gate:TA taps:TA made:A"
    byte: bits.Byte
    gate: GateName
    taps: tuple[bits.Tap, ...]
    made: bits.Byte

    def transcription(self, page: Page) -> bool:
        return self.byte == f"{page.parsed.query:08b}" and page.get("guess") == (self.gate, self.taps)

    def arithmetic(self, page: Page) -> bool:
        return value(self.gate, self.taps, self.byte) == self.made

    def establish(self, page: Page) -> None:
        for j, bit in enumerate(self.made):
            page.put("out", str(j), bit)


def guess(i: int, gate: str, taps: tuple[str, ...], parsed: Parsed) -> Guess:
    given, wanted = parsed.examples[i - 1]
    made = value(gate, taps, f"{given:08b}")
    return Guess(i, gate, taps, made, f"{wanted:08b}", "yes" if made == f"{wanted:08b}" else "no")


def render(problem: Problem, parsed: Parsed, solution: Solution, known: Mapping[str, int], rng: random.Random) -> Trace:
    taps, table = bits.found_rule(problem, solution)
    gate = solution.found["gate"] if solution.found["gate"] != "table" else table
    lines: list[Line] = []
    for _ in range(rng.randrange(3)):
        simple = rng.choice([g.name for g in GATES if g.taps <= min(len(taps), 2)])
        size = next(g.taps for g in GATES if g.name == simple)
        wrong = guess(1, simple, tuple(f"{k}{rng.randint(1, 7)}" for k in rng.sample(SIMPLE_TAPS, size)), parsed)
        if wrong.verdict == "no" and wrong not in lines:
            lines.append(wrong)
    lines += [guess(i, gate, taps, parsed) for i in (1, 2)[: len(parsed.examples)]]
    byte = f"{parsed.query:08b}"
    made = value(gate, taps, byte)
    lines += [Apply(byte, gate, taps, made), bits.Answer(made)]
    return Trace(tuple(lines), problem.answer)


DESIGN = Design("whole-value", "bit_manipulation", (Guess, Apply, bits.Answer), render)
