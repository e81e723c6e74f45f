"""Lines of a search over catalog rows: counts, a row supposed, checked, taken back."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import fields, replace
from typing import Annotated, Literal, Self

from puzzles.equations.prior import SIGN_GROUPS
from puzzles.equations.prompt import Equation, EquationRow
from puzzles.equations.rules import BY_NAME, VALUE_RULES
from reasoning.designs.cryptarithm.engines.propagation import Clue, Table, clues, matching
from reasoning.designs.cryptarithm.lines.arithmetic import compare, signed, written
from reasoning.designs.cryptarithm.lines.notation import (
    Pair,
    RuleName,
    Value,
    chosen_rules,
    example,
    known_digits,
    lacking_digits,
    operands_of,
    row_mode,
    side_of,
    target_of,
)
from reasoning.grammar.lines import FAILED, PASSED, Chars, Digit, Glyph, Line, line
from reasoning.grammar.page import Page

COUNT_CAP = 99


@line
class Counts(Line):
    """How many catalog rows each open example has left under the present digits and rules (at most 99 is written)."""

    KIND = "crypt/counts"
    TEXT = "rows {counts:,:} {verdict}"
    OUTCOMES = {"take": PASSED, "back": FAILED, "done": PASSED}
    FORCED_BY = "a zero among the counts sends back; with none, a query that can be worked out is done"
    ROLES = "counts:AV"
    counts: tuple[tuple[int, int], ...]
    verdict: str

    def arithmetic(self, page: Page) -> bool:
        digits, chosen = known_digits(page), chosen_rules(page.names("rule"))
        placed, counts = page.names("placed"), dict(self.counts)
        for clue in clues(page.parsed):
            e, number = example(page, clue.number), clue.number
            if number in counts:
                count = min(COUNT_CAP, len(matching(clue, digits, row_mode(chosen), chosen)))
                if counts.pop(number) != count or str(number) in placed:
                    return False
            elif str(number) not in placed and not is_computable(e, digits, chosen):  # then it must be counted
                return False
        return not counts and len(self.counts) == len(dict(self.counts))

    def verdict_follows(self, page: Page) -> bool:
        if any(count == 0 for _, count in self.counts):
            return self.verdict == "back"
        ready = query_ready(page.parsed, known_digits(page), page.names("rule"))
        return self.verdict == ("done" if ready else "take")

    def computed(self, page: Page) -> Self | None:
        """The examples that are open and cannot simply be computed, and what follows; None where there is none."""
        digits, chosen = known_digits(page), chosen_rules(page.names("rule"))
        counts = tuple(
            (number, n)
            for number, n in left_counts(page.parsed, page.names("placed"), digits, chosen)
            if not is_computable(example(page, number), digits, chosen)
        )
        if not counts:
            return None
        verdict = "done" if query_ready(page.parsed, digits, page.names("rule")) else "take"
        return replace(self, counts=counts, verdict=verdict if all(n for _, n in counts) else "back")

    def establish(self, page: Page) -> None:
        page.put("counts", "", self.counts)
        empty = next((number for number, count in self.counts if not count), None)
        if empty is not None:
            page.put("failed", "", empty)


def is_computable(e: Equation, digits: Mapping[str, int], rules: Container[str]) -> bool:
    """Are the digits of an example's operands known, and its operator's rule?"""
    return e.op in rules and all(c in digits for c in e.left + e.right)


def query_ready(row: EquationRow, known: dict[str, int], found: dict[str, str]) -> bool:
    """Can the query be worked out: its digits known, its operator's rule and the answer's glyphs, or no better bet?

    A bet on an operator that no example shows can be placed early only when its sign tells its group.
    """
    query = row.query
    if any(c not in known for c in query.left + query.right):
        return False
    if row.seen or query.op in found:
        return query.op in found and not lacking_digits(row, BY_NAME[found[query.op]], known)
    return bool(found) and all(op in SIGN_GROUPS for op in row.operators)


@line
class SignCheck(Line):
    """The side on which a supposed difference rule writes its minus, against the side on the page."""

    KIND = "crypt/sign-check"
    TEXT = "E{number} {base} {order} puts {side} has {found} {verdict}"
    OUTCOMES = {"same": PASSED, "no": FAILED}
    FORCED_BY = "the two sides on the same line (p in front, s behind, . none)"
    ROLES = "number:T~ base:TA order:TA side:AV found:TV"
    number: int
    base: Literal["sub", "rsub", "abs", "negabs", "absneg"]
    order: Literal["<", "=", ">"]
    side: Annotated[str, Chars("ps.", 1)]
    found: Annotated[str, Chars("ps.", 1)]
    verdict: str

    def transcription(self, page: Page) -> bool:
        e = example(page, self.number)
        rule = BY_NAME.get(page.get("rule", e.op, "")) if e else None
        operands = operands_of(e, known_digits(page), rule.mode) if rule else None
        if rule is None or operands is None or rule.base != self.base:
            return False
        return self.order == compare(*map(int, operands)) and self.found == side_of(target_of(e, {}, rule.mode))

    def arithmetic(self, page: Page) -> bool:
        """The rule does put its minus there."""
        return self.side == side_of(signed(self.base, self.order, 1))

    def verdict_follows(self, page: Page) -> bool:
        return (self.verdict == "same") == (self.side == self.found)

    def establish(self, page: Page) -> None:
        page.put("failed", "", self.number)
        page.put("sign", str(self.number), self.verdict)


@line
class RowTry(Line):
    """Suppose one catalog row of the open example with the fewest: rule, values, and the digits that are new."""

    KIND = "crypt/row"
    TEXT = "E{number} {k}/{n} {rule} {x} {y} {value} {pairs: =|none}"
    ROLES = "n:T number:TA k:A rule:T/A x:TA y:TA value:TA pairs:T/A"
    number: int
    k: int
    n: int
    rule: RuleName
    x: Pair
    y: Pair
    value: Value
    pairs: tuple[tuple[Glyph, Digit], ...]

    def transcription(self, page: Page) -> bool:
        """The example with the fewest rows, its count, and values that are its glyphs under the digits given."""
        e, rule = example(page, self.number), BY_NAME[self.rule]
        if e is None or rule.is_join or (self.number, self.n) != fewest(page)[:2]:
            return False
        digits = {**known_digits(page), **dict(self.pairs)}
        return operands_of(e, digits, rule.mode) == (self.x, self.y) and target_of(e, digits, rule.mode) == self.value

    def arithmetic(self, page: Page) -> bool:
        """The rule gives the value, and this is the k-th row of the catalog."""
        e, rule = example(page, self.number), BY_NAME[self.rule]
        if e is None or rule.is_join or not int(self.x) or not int(self.y):
            return False
        clue = next((clue for clue in clues(page.parsed) if clue.number == self.number), None)
        if clue is None or written(rule, self.x, self.y) != self.value:
            return False
        digits, table = known_digits(page), rows_left(page, clue)
        if not 0 < self.k <= len(table):
            return False
        new = dict(self.pairs)
        row = dict(zip(clue.glyphs, map(int, table.digits[self.k - 1]), strict=True))
        same = all(row[glyph] == {**digits, **new}.get(glyph) for glyph in clue.glyphs)
        return same and VALUE_RULES[table.rule[self.k - 1]] == rule

    def computed(self, page: Page) -> Self | None:
        """The next row of the example with the fewest."""
        number, n, clue = fewest(page)
        return None if clue is None else row_of(page, clue, page.get("undone", str(number), 0) + 1, n)

    def is_bare(self, page: Page) -> bool:
        """Is a row picked while those before it have not been tried and taken back?"""
        return self.k != page.get("undone", str(self.number), 0) + 1

    def establish(self, page: Page) -> None:
        page.mark()
        e = example(page, self.number)
        if e is not None:
            page.put("rule", e.op, self.rule)
            page.put("placed", str(self.number), True)
        for glyph, value in self.pairs:
            page.put("digit", glyph, value)
        page.put("supposed", "", (self.number, self.k, self.n))


def fewest(page: Page) -> tuple[int, int, Clue | None]:
    """The example with the fewest rows by the latest counts, how many, and its clue; None where none is open."""
    number, n = min(page.get("counts", "", ()), key=lambda each: each[1], default=(0, 0))
    return number, n, next((clue for clue in clues(page.parsed) if clue.number == number), None)


def rows_left(page: Page, clue: Clue) -> Table:
    """The catalog rows of an example under the present digits and rules."""
    chosen = chosen_rules(page.names("rule"))
    return matching(clue, known_digits(page), row_mode(chosen), chosen)


def row_of(page: Page, clue: Clue, k: int, n: int) -> RowTry | None:
    """The line that supposes the k-th row, from 1, of n that an example has left; None where it has fewer."""
    table = rows_left(page, clue)
    return supposed(example(page, clue.number), clue, table, known_digits(page), k, n) if k <= len(table) else None


def supposed(e: Equation, clue: Clue, table: Table, digits: Mapping[str, int], k: int, n: int) -> RowTry:
    """The same, of the rows that are left under the digits that are known."""
    rule = VALUE_RULES[table.rule[k - 1]]
    row = dict(zip(clue.glyphs, map(int, table.digits[k - 1]), strict=True))
    both = {**digits, **row}
    pairs = tuple((glyph, digit) for glyph, digit in row.items() if glyph not in digits)
    x, y = operands_of(e, both, rule.mode)
    return RowTry(clue.number, k, n, rule.name, x, y, target_of(e, both, rule.mode), pairs)


@line
class UndoRow(Line):
    """Take the latest supposed row back."""

    KIND = "crypt/undo"
    TEXT = "undo E{number} {k}/{n}"
    ROLES = "n:T number:T k:T"
    number: int
    k: int
    n: int

    def transcription(self, page: Page) -> bool:
        return page.get("supposed") == (self.number, self.k, self.n)

    def establish(self, page: Page) -> None:
        page.undo()
        page.put("failed", "", self.number)
        page.put("undone", str(self.number), self.k)


@line
class Reflect(Line):
    """Why the present row is given up: an example that failed, before it is taken back."""

    KIND = "crypt/reflect"
    TEXT = "E{failed} fails, E{number} {k}/{n} was wrong"
    ROLES = "failed:T n:T number:T k:T"
    failed: int
    number: int
    k: int
    n: int

    def transcription(self, page: Page) -> bool:
        return page.get("supposed") == (self.number, self.k, self.n) and page.get("failed") == self.failed


@line
class RowStep(RowTry):
    """Suppose one catalog row of the example with the fewest, and count at once what it leaves the other examples.

    Where one is left without a row the line takes itself back; otherwise the row stands until a `RowBack`.
    """

    KIND = "crypt/row-step"
    TEXT = "E{number} {k}/{n} {rule} {x} {y} {value} {pairs: =|none}: {counts:,:|none} {verdict}"
    OUTCOMES = {"go": PASSED, "back": FAILED, "done": PASSED}
    FORCED_BY = "a zero among the counts sends back; with none, a query that can be worked out is done"
    ROLES = "n:T number:T/A k:TA rule:T/A x:TA y:TA value:TA pairs:T/A counts:AV"
    counts: tuple[tuple[int, int], ...]
    verdict: str

    def transcription(self, page: Page) -> bool:
        """The next row of the example with the fewest, its values as the digits make them."""
        return self.k == page.get("row-tried", "", 0) + 1 and super().transcription(page)

    def after(self, page: Page) -> tuple[dict[str, int], dict[str, str]]:
        """The digits and rules under this row."""
        e = example(page, self.number)
        rules = {**page.names("rule"), **({e.op: self.rule} if e is not None else {})}
        return {**known_digits(page), **dict(self.pairs)}, rules

    def arithmetic(self, page: Page) -> bool:
        digits, rules = self.after(page)
        return super().arithmetic(page) and self.counts == left_counts(
            page.parsed, {*page.names("placed"), str(self.number)}, digits, chosen_rules(rules)
        )

    def verdict_follows(self, page: Page) -> bool:
        if any(count == 0 for _, count in self.counts):
            return self.verdict == "back"
        return self.verdict == ("done" if query_ready(page.parsed, *self.after(page)) else "go")

    def computed(self, page: Page) -> Self | None:
        """The next row of the example with the fewest, what it leaves, and what follows."""
        number, n, clue = fewest(page)
        row = None if clue is None else row_of(page, clue, page.get("row-tried", "", 0) + 1, n)
        if row is None:
            return None
        own = replace(self, **{field.name: getattr(row, field.name) for field in fields(row)})
        digits, rules = own.after(page)
        left = left_counts(page.parsed, {*page.names("placed"), str(number)}, digits, chosen_rules(rules))
        verdict = "done" if query_ready(page.parsed, digits, rules) else "go"
        return replace(own, counts=left, verdict=verdict if all(n for _, n in left) else "back")

    def establish(self, page: Page) -> None:
        if self.verdict == "back":
            page.put("row-tried", "", self.k)
            return
        super().establish(page)
        page.put("row-tried", "", 0)
        page.put("counts", "", self.counts)


def left_counts(
    row: EquationRow, placed: Iterable[str], digits: Mapping[str, int], chosen: Mapping[str, int]
) -> tuple[tuple[int, int], ...]:
    """How many catalog rows (at most 99 is written) every example that is not placed has left."""
    return tuple(
        (clue.number, min(COUNT_CAP, len(matching(clue, digits, row_mode(chosen), chosen))))
        for clue in clues(row)
        if str(clue.number) not in placed
    )


@line
class RowBack(UndoRow):
    """Take the latest supposed row back: none of the rows below it stands. The next of its example is to come."""

    KIND = "crypt/row-back"
    TEXT = "no row left, undo E{number} {k}/{n}"
    ROLES = "n:T number:T k:T"
    number: int
    k: int
    n: int

    def transcription(self, page: Page) -> bool:
        """All rows of the example with the fewest were tried."""
        _, _, clue = fewest(page)
        if clue is None or not super().transcription(page):
            return False
        return page.get("row-tried", "", 0) == len(rows_left(page, clue))

    def establish(self, page: Page) -> None:
        page.undo()
        page.put("row-tried", "", self.k)
