"""Kinds of line of the catalog design: signatures and their recalled rows, anchor and order, the scan of the examples.

`path` says where the search is: 3/15 is the third of fifteen anchor rows, 3/15-1/2 the first of two below it.
"""

from typing import Annotated

from puzzles.equations.prompt import Equation, EquationRow, minus_and_digits
from puzzles.equations.rules import BY_NAME, VALUE_RULES
from reasoning.designs.cryptarithm.engines.propagation import Clue, Table, clues, matching, signature
from reasoning.designs.cryptarithm.lines import arithmetic, drop_families, drop_sizes, notation
from reasoning.designs.cryptarithm.lines.drop_families import RULE_FAMILIES, FamilyName
from reasoning.designs.cryptarithm.lines.letters import ValueRule
from reasoning.grammar.lines import FAILED, PASSED, SEEN, Chars, Digit, Glyph, Line, Word, line
from reasoning.grammar.page import Page
from reasoning.grammar.reveal import Known

Path = Annotated[str, Chars("0-9/\\-")]
Signature = Annotated[str, Chars("A-J\\-")]
LONG, LENIENT = 8, 30


def clue_of(page: Page, number: int) -> Clue | None:
    return next((clue for clue in clues(page.parsed) if clue.number == number), None)


def recalled(clue: Clue, known: Known) -> Table:
    """The rows of an example's signature that agree with what is known beforehand, in catalog order."""
    chosen = notation.chosen_rules(known.rules)
    return matching(clue, known, notation.row_mode(chosen), chosen)


def active(row: EquationRow, op: str) -> tuple[str, ...]:
    """The families that can print every output of an operator: its length and the place of its minus."""
    found = []
    examples = [e for e in row.examples if e.op == op]
    for family in RULE_FAMILIES:
        low, high = drop_sizes.RANGES[family]
        fit = all(
            drop_sizes.length_range(e)[0] <= high
            and drop_sizes.length_range(e)[1] >= low
            and notation.side_of(notation.target_of(e, {}, "normal")) in drop_families.sides_of(family, e)
            for e in examples
        )
        if fit:
            found.append(family)
    return tuple(found)


def group_of(family: str) -> str:
    return family if family in ("add", "mul") else "sub"


def anchor_of(counts: tuple[tuple[int, int], ...], lengths: dict[int, int]) -> tuple[int, str]:
    """The example to start from: a signature of length 8 with at most max(30, twice the least) rows, or the least."""
    least = min(count for _, count in counts)
    for number, count in sorted(counts, key=lambda each: each[1]):
        if lengths[number] == LONG and count <= max(LENIENT, 2 * least):
            return number, "long"
    return next(number for number, count in counts if count == least), "least"


def order_of(found: tuple[Clue, ...], row: EquationRow, anchor: int, known: set[str]) -> tuple[int, ...]:
    """The other examples, each time the one with the fewest unknown glyphs on its left side."""
    seen = set(known)
    rest = {clue.number: clue for clue in found}
    order, number = [], anchor
    while True:
        seen |= set(rest.pop(number).glyphs)
        if not rest:
            return tuple(order)
        number = min(rest, key=lambda n: (len(set(row.examples[n - 1].left + row.examples[n - 1].right) - seen), n))
        order.append(number)


@line
class SignatureLine(Line):
    """An example's signature, its output's length and minus, and how many catalog rows it has (recalled)."""

    KIND = "catalog/signature"
    TEXT = "E{number} sig {letters} len {length} sign {side} rows {count}"
    ROLES = "number:TA~ letters:T length:T side:T count:A"
    number: int
    letters: Signature
    length: int
    side: Annotated[str, Chars("ps.", 1)]
    count: int

    def transcription(self, page: Page) -> bool:
        e = notation.example(page, self.number)
        if e is None:
            return False
        side = notation.side_of(notation.target_of(e, {}, "normal"))
        return (self.letters, self.length, self.side) == (signature(e)[0], len(minus_and_digits(e)[1]), side)

    def arithmetic(self, page: Page) -> bool:
        clue = clue_of(page, self.number)
        return clue is not None and self.count == len(recalled(clue, page.key))

    def establish(self, page: Page) -> None:
        page.put("rows", str(self.number), self.count)


@line
class ActiveLine(Line):
    """The families of rules that pass the length and sign checks on every example of an operator."""

    KIND = "catalog/active"
    TEXT = "{op} may be {families:,}"
    ROLES = "op:AT families:A"
    op: Glyph
    families: tuple[FamilyName, ...]

    def transcription(self, page: Page) -> bool:
        return any(e.op == self.op for e in page.parsed.examples)

    def arithmetic(self, page: Page) -> bool:
        return self.families == active(page.parsed, self.op)

    def establish(self, page: Page) -> None:
        page.put("active", self.op, self.families)


@line
class GroupLine(Line):
    """An operator with a single group left takes it from another."""

    KIND = "catalog/group"
    TEXT = "{op} loses {group} to {owner}"
    ROLES = "op:T group:T owner:T line:~"
    op: Glyph
    group: Annotated[str, Chars("a-z")]
    owner: Glyph

    def transcription(self, page: Page) -> bool:
        owned = {group_of(family) for family in page.get("active", self.owner, ())}
        mine = {group_of(family) for family in page.get("active", self.op, ())}
        return self.op != self.owner and owned == {self.group} and self.group in mine

    def establish(self, page: Page) -> None:
        left = tuple(f for f in page.get("active", self.op, ()) if group_of(f) != self.group)
        page.put("active", self.op, left)


@line
class AnchorLine(Line):
    """The example whose rows are listed first, and by which rule it is chosen."""

    KIND = "catalog/anchor"
    TEXT = "anchor E{number} {verdict}"
    OUTCOMES = {"least": SEEN, "long": SEEN}
    FORCED_BY = "the counts on the signature lines"
    ROLES = "number:V"
    number: int
    verdict: str

    def verdict_follows(self, page: Page) -> bool:
        found = clues(page.parsed)
        counts = tuple((clue.number, page.get("rows", str(clue.number))) for clue in found)
        if not counts or any(count is None for _, count in counts):
            return False
        return (self.number, self.verdict) == anchor_of(counts, {clue.number: len(clue.letters) for clue in found})

    def establish(self, page: Page) -> None:
        page.put("anchor", "", self.number)


@line
class OrderLine(Line):
    """The order in which the other examples are read."""

    KIND = "catalog/order"
    TEXT = "then {numbers:,|none}"
    ROLES = "numbers:V"
    numbers: tuple[int, ...]

    def verdict_follows(self, page: Page) -> bool:
        found = clues(page.parsed)
        anchor = page.get("anchor", "", 0)
        if all(clue.number != anchor for clue in found):
            return False
        return self.numbers == order_of(found, page.parsed, anchor, set(page.key))

    def establish(self, page: Page) -> None:
        page.put("sequence", "", (page.get("anchor", "", 0), *self.numbers))


@line
class BranchLine(Line):
    """One recalled row of the anchor: rule, operand values, result."""

    KIND = "catalog/branch"
    TEXT = "b{k} {rule} {x} {y} {value}"
    ROLES = "k:A rule:A x:A y:A value:A"
    k: int
    rule: ValueRule
    x: notation.Pair
    y: notation.Pair
    value: notation.Value

    def arithmetic(self, page: Page) -> bool:
        """The rule gives the value, and this is the k-th row of the anchor's signature."""
        clue = clue_of(page, page.get("anchor", "", 0))
        if clue is None or not int(self.x) or not int(self.y):
            return False
        rule, e = BY_NAME[self.rule], notation.example(page, clue.number)
        table = recalled(clue, page.key)
        if arithmetic.written(rule, self.x, self.y) != self.value or not 0 < self.k <= len(table):
            return False
        row = dict(zip(clue.glyphs, map(int, table.digits[self.k - 1]), strict=True))
        same = notation.operands_of(e, row, rule.mode) == (self.x, self.y)
        return same and VALUE_RULES[table.rule[self.k - 1]] == rule


def due(page: Page, below: bool) -> int | None:
    """The example that is read where the search stands, or the one below it."""
    sequence, path = page.get("sequence", "", ()), page.get("path", "", "")
    depth = (path.count("-") + 1 if path else 0) - 1 + below
    return sequence[depth] if 0 <= depth < len(sequence) else None


@line
class AtLine(Line):
    """Go to a branch: its rule and the digits that are new."""

    KIND = "catalog/at"
    TEXT = "at {path} E{number} {rule} {pairs: =|none}"
    ROLES = "path:T~ number:TA rule:A~ pairs:T/A"
    path: Path
    number: int
    rule: ValueRule
    pairs: tuple[tuple[Glyph, Digit], ...]

    def transcription(self, page: Page) -> bool:
        """The path is one further than the place of the search, to an option not left before."""
        e, known = notation.example(page, self.number), notation.known_digits(page)
        new = dict(self.pairs)
        if self.number != due(page, below=True) or not self.follows(page):
            return False
        if e is None or set(new) & set(known) or set(new.values()) & set(known.values()):
            return False
        digits = {**known, **new}
        operands = notation.operands_of(e, digits, BY_NAME[self.rule].mode)
        return operands is not None and len(set(new.values())) == len(new)

    def follows(self, page: Page) -> bool:
        parent = page.get("path", "", "")
        options = page.get("fitting", "", 0) if parent else page.get("rows", str(page.get("anchor", "", 0)), 0)
        head, _, last = self.path.rpartition("-")
        k, _, n = last.partition("/")
        if head != parent or not (k.isdigit() and len(k) < 6 and n == str(options)):
            return False
        return page.get("option", parent, 0) < int(k) <= options

    def arithmetic(self, page: Page) -> bool:
        """Under these digits the example holds."""
        e, rule = notation.example(page, self.number), BY_NAME[self.rule]
        if e is None:
            return False
        digits = {**notation.known_digits(page), **dict(self.pairs)}
        operands = notation.operands_of(e, digits, rule.mode)
        if operands is None or not int(operands[0]) or not int(operands[1]):
            return False
        return arithmetic.written(rule, *operands) == notation.target_of(e, digits, rule.mode)

    def establish(self, page: Page) -> None:
        parent, _, last = self.path.rpartition("-")
        k = last.partition("/")[0]
        page.put("option", parent, int(k) if k.isdigit() and len(k) < 6 else 0)
        page.mark()
        e = notation.example(page, self.number)
        if e is not None:
            page.put("rule", e.op, self.rule)
        for glyph, value in self.pairs:
            page.put("digit", glyph, value)
        page.put("path", "", self.path)
        page.put("fitting", "", 0)


@line
class ScanLine(Line):
    """One rule on one choice of the unknown operand digits: value against the output as known so far."""

    KIND = "catalog/scan"
    TEXT = "E{number} {rule} {x},{y} {value} vs {target} {verdict}"
    OUTCOMES = {"ok": PASSED, "fail": FAILED, "repeat": FAILED}
    FORCED_BY = "value against target on the line; repeat: a new digit is one that another glyph holds"
    ROLES = "number:T rule:A/T~ x:A/T/V y:A/T/V value:AV target:TV"
    number: int
    rule: ValueRule
    x: notation.Pair
    y: notation.Pair
    value: notation.Value
    target: Word
    verdict: str

    def transcription(self, page: Page) -> bool:
        e, rule = notation.example(page, self.number), BY_NAME[self.rule]
        if e is None or self.number != due(page, below=True):
            return False
        digits = supposed_digits(e, rule.mode, self.x, self.y, notation.known_digits(page))
        return digits is not None and notation.target_of(e, digits, rule.mode) == self.target

    def arithmetic(self, page: Page) -> bool:
        return int(self.x) > 0 < int(self.y) and self.value == arithmetic.written(BY_NAME[self.rule], self.x, self.y)

    def verdict_follows(self, page: Page) -> bool:
        held = {str(d) for d in notation.known_digits(page).values()} | set(self.x + self.y)
        return self.verdict == scanned(self.value, self.target, held)

    def establish(self, page: Page) -> None:
        if self.verdict == "ok":
            page.put("fitting", "", page.get("fitting", "", 0) + 1)


def scanned(value: str, target: str, held: set[str]) -> str:
    """ok, fail (a known digit, the length or the minus differs) or repeat (an unknown glyph would get a held digit)."""
    new = notation.fits(value, target)
    if new is None:
        return "fail"
    return "repeat" if set(new.values()) & held else "ok"


def supposed_digits(e: Equation, mode: str, x: str, y: str, known: dict[str, int]) -> dict[str, int] | None:
    """Known digits and those that operand values x and y give to unknown glyphs; None when they contradict."""
    left, right, _ = notation.reading(e, mode)
    digits = dict(known)
    for glyph, value in zip(left + right, x + y, strict=True):
        if digits.setdefault(glyph, int(value)) != int(value):
            return None
    return digits if len(set(digits.values())) == len(digits) else None


@line
class ScanCount(Line):
    """How many choices of the scan fit."""

    KIND = "catalog/fit"
    TEXT = "E{number} fits {count} {verdict}"
    OUTCOMES = {"deeper": PASSED, "back": FAILED}
    FORCED_BY = "the count: none sends back"
    ROLES = "number:T count:TV"
    number: int
    count: int
    verdict: str

    def transcription(self, page: Page) -> bool:
        return self.count == page.get("fitting", "", 0) and self.number == due(page, below=True)

    def verdict_follows(self, page: Page) -> bool:
        return (self.verdict == "back") == (self.count == 0)


@line
class LeaveLine(Line):
    """Leave a branch."""

    KIND = "catalog/leave"
    TEXT = "leave {path}"
    ROLES = "path:T"
    path: Path

    def transcription(self, page: Page) -> bool:
        return page.get("path") == self.path

    def establish(self, page: Page) -> None:
        page.undo()


CATALOG_KINDS = (
    SignatureLine, ActiveLine, GroupLine, AnchorLine, OrderLine, BranchLine, AtLine, ScanLine, ScanCount, LeaveLine,
)  # fmt: skip
