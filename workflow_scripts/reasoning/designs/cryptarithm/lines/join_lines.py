"""Lines about joins: the examples with their numbers, which of them have the query's operator, whether it is a join,
and the answer of a join row."""

from typing import Literal

from reasoning.designs.cryptarithm.lines.notation import Two, example
from reasoning.grammar.lines import FAILED, PASSED, Glyph, Line, Word, line
from reasoning.grammar.page import Page

JOIN_WORDS = {"join": "join", "join_swap": "swap"}


@line
class Example(Line):
    """An example with its number, the operator first: what later lines say of it is copied from a line of its name, and
    its glyphs stand there in the order in which they are decoded."""

    KIND = "crypt/example"
    TEXT = "E{number} {op} {left} {right} {output}"
    ROLES = "number:T op:T left:T right:T output:T line:-"
    number: int
    op: Glyph
    left: Two
    right: Two
    output: Word

    def transcription(self, page: Page) -> bool:
        e = example(page, self.number)
        return e is not None and (self.op, self.left, self.right, self.output) == (e.op, e.left, e.right, e.output)


@line
class Question(Line):
    """The query, the operator first."""

    KIND = "crypt/question"
    TEXT = "Q {op} {left} {right}"
    ROLES = "op:T left:T right:T line:-"
    op: Glyph
    left: Two
    right: Two

    def transcription(self, page: Page) -> bool:
        query = page.parsed.query
        return (self.op, self.left, self.right) == (query.op, query.left, query.right)


@line
class Lookup(Line):
    """Every example's operator with its number, then the query's with the numbers of the examples that have it."""

    KIND = "crypt/lookup"
    TEXT = "ops {ops: }; query {op}{numbers:,|none}"
    ROLES = "ops:TV op:TV numbers:V line:~"
    ops: tuple[tuple[Glyph, int], ...]
    op: Glyph
    numbers: tuple[int, ...]

    def transcription(self, page: Page) -> bool:
        listed = tuple((e.op, number) for number, e in enumerate(page.parsed.examples, 1))
        return (self.ops, self.op) == (listed, page.parsed.query.op)

    def verdict_follows(self, page: Page) -> bool:
        return self.numbers == tuple(number for op, number in self.ops if op == self.op)

    def establish(self, page: Page) -> None:
        page.put("lookup", "", self.numbers)


@line
class JoinTest(Line):
    """Both ways of putting the operands together, against the output."""

    KIND = "crypt/join-test"
    TEXT = "E{number} {joined} {swapped} vs {output} {verdict}"
    OUTCOMES = {"join": PASSED, "swap": PASSED, "both": PASSED, "neither": FAILED}
    FORCED_BY = "the two strings against the output on the same line"
    ROLES = "number:T joined:TV swapped:TV output:TV"
    number: int
    joined: Word
    swapped: Word
    output: Word
    verdict: str

    def transcription(self, page: Page) -> bool:
        e = example(page, self.number)
        strings = self.joined, self.swapped, self.output
        if e is None or self.number not in page.get("lookup", "", (self.number,)):
            return False
        return strings == (e.left + e.right, e.right + e.left, e.output)

    def verdict_follows(self, page: Page) -> bool:
        same = self.joined == self.output, self.swapped == self.output
        return self.verdict == {(True, True): "both", (True, False): "join", (False, True): "swap"}.get(same, "neither")

    def establish(self, page: Page) -> None:
        e = example(page, self.number)
        if e is not None:
            page.put("join", e.op, self.verdict)


@line
class JoinQuery(Line):
    """The query's operands joined: the answer of a join row."""

    KIND = "crypt/join-query"
    TEXT = "{how} {left} {right} gives {output}"
    ROLES = "how:TA left:TA right:TA output:A"
    how: Literal["join", "swap"]
    left: Word
    right: Word
    output: Word

    def transcription(self, page: Page) -> bool:
        query = page.parsed.query
        verdict = page.get("join", query.op, JOIN_WORDS.get(page.key.rules.get(query.op)))
        return (self.left, self.right) == (query.left, query.right) and (self.how == verdict or verdict == "both")

    def arithmetic(self, page: Page) -> bool:
        return self.output == (self.left + self.right if self.how == "join" else self.right + self.left)

    def establish(self, page: Page) -> None:
        page.answer = self.output


@line
class Unseen(Line):
    """The query's operator occurs in no example."""

    KIND = "crypt/unseen"
    TEXT = "no example of {op}"
    ROLES = "op:T"
    op: Glyph

    def transcription(self, page: Page) -> bool:
        return self.op == page.parsed.query.op and not page.parsed.seen


LOOKUP_KINDS = (Example, Question, Lookup)
JOIN_KINDS = (JoinTest, JoinQuery)
