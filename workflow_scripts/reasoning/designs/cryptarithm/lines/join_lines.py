"""Lines about joins: the examples with their numbers, which of them have the query's operator, whether it is a join,
and the answer of a join row."""

from typing import Annotated, Literal, Self

from puzzles.equations.prompt import Equation, EquationRow
from reasoning.designs.cryptarithm.lines.notation import Two, example
from reasoning.grammar.lines import DIGITS, FAILED, PASSED, Codec, Glyph, Line, Word, line
from reasoning.grammar.page import Page

Marked = Annotated[str, Codec("[1-9][0-9]?[.!]", str, str, DIGITS)]
JOIN_WORDS = {"join": "join", "join_swap": "swap"}


@line
class Example(Line):
    """An example with its number, the operator first, its output with a name of its own: what later lines say of it is
    copied from behind one of the two names, and its glyphs stand there in the order in which they are decoded."""

    KIND = "crypt/example"
    TEXT = "E{number} {op} {left} {right} R{again} {output}"
    ROLES = "number:T op:T left:T right:T again:T output:T line:-"
    number: int
    op: Glyph
    left: Two
    right: Two
    again: int
    output: Word

    @classmethod
    def of(cls, number: int, e: Equation) -> Self:
        """The line of an example."""
        return cls(number, e.op, e.left, e.right, number, e.output)

    def transcription(self, page: Page) -> bool:
        e = example(page, self.number)
        return e is not None and self == Example.of(self.number, e)


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
    """The query's operator, every example's operator with its number and a mark, `!` where it is the query's and `.`
    where not; then the numbers that are marked."""

    KIND = "crypt/lookup"
    TEXT = "query {op}: {ops: }; {numbers:,|none}"
    ROLES = "op:TV ops:TV numbers:V line:~"
    op: Glyph
    ops: tuple[tuple[Glyph, Marked], ...]
    numbers: tuple[int, ...]

    @classmethod
    def of(cls, row: EquationRow) -> Self:
        """The line of a row."""
        op = row.query.op
        ops = tuple((e.op, f"{number}{mark(e.op == op)}") for number, e in enumerate(row.examples, 1))
        return cls(op, ops, tuple(number for number, e in enumerate(row.examples, 1) if e.op == op))

    def transcription(self, page: Page) -> bool:
        listed = [(op, marked[:-1]) for op, marked in self.ops]
        there = [(e.op, str(number)) for number, e in enumerate(page.parsed.examples, 1)]
        return (self.op, listed) == (page.parsed.query.op, there)

    def verdict_follows(self, page: Page) -> bool:
        marks = all(marked[-1] == mark(op == self.op) for op, marked in self.ops)
        return marks and self.numbers == tuple(int(marked[:-1]) for op, marked in self.ops if op == self.op)

    def establish(self, page: Page) -> None:
        page.put("lookup", "", self.numbers)


def mark(same: bool) -> str:
    """What stands behind an example's number."""
    return "!" if same else "."


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
