"""The events of a cryptarithm as a person would solve it with the catalog at hand, without the answer or any prior.

Joins first. Then every value equation's signature and its candidate count are recalled; the equation with the fewest
candidates is the anchor, the others follow by fewest unknown operand glyphs. The search is depth first: candidates in
catalog order (rule table, then digits ascending), each checked against the digits, rules, mode and groups chosen so
far; the first assignment that satisfies every equation is taken.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from puzzles.base import Event
from puzzles.cryptarithm.signatures import catalog, signature_of
from puzzles.equations import rules
from puzzles.equations.prompt import Equation, EquationRow, join_of, minus_and_digits
from puzzles.equations.rules import BY_NAME, VALUE_RULES, Rule

MAX_EVENTS = 400
# A product with a four-digit output is the anchor even with somewhat more candidates than the smallest.
PRODUCT_LENGTH, PRODUCT_COUNT = 8, 30


@dataclass(slots=True)
class _Clue:
    name: str
    equation: Equation
    signature: str
    glyphs: tuple[str, ...]
    rule: np.ndarray
    letters: np.ndarray

    @property
    def operands(self) -> set[str]:
        return set(self.equation.left + self.equation.right)


class _Spent(Exception):
    """The log is full."""


@dataclass(slots=True)
class _Log:
    events: list[Event] = field(default_factory=list)

    def __call__(self, kind: str, name: str, args: tuple[str, ...] = (), result: str = "", verdict: str = "") -> None:
        if len(self.events) >= MAX_EVENTS:
            raise _Spent
        self.events.append(Event(kind, name, args, result, verdict))


def trace_events(row: EquationRow, known: Mapping[str, int] | None = None) -> tuple[Event, ...]:
    """The reference run's events, at most 400 and a last `emit`.

    known: digits given beforehand. Event names are E1, E2, ... for examples, rule names, glyphs or "query". A run that
    fills the log, contradicts itself or leaves the answer open ends in an `emit` with that verdict and no result.
    """
    log = _Log()
    try:
        verdict, answer = _run(row, dict(known or {}), log)
    except _Spent:
        verdict, answer = "log full", ""
    return (*log.events, Event("emit", "answer", (), answer, verdict))


def _run(row: EquationRow, digits: dict[str, int], log: _Log) -> tuple[str, str]:
    query = row.query
    joins: dict[str, Rule] = {}
    clues = []
    for number, equation in enumerate(row.examples, 1):
        name = f"E{number}"
        log("transcribe", name, (equation.text,))
        found = join_of(equation)
        log("test", "join", (name,), found[0].name if found else "none", "ok" if found else "no")
        if found:
            joins.setdefault(equation.op, found[0])
            continue
        place = catalog().slices.get(signature_of(equation), slice(0, 0))
        keep = catalog().proper[place]
        glyphs = tuple(dict.fromkeys(equation.left + equation.right + minus_and_digits(equation)[1]))
        letters = catalog().letters[place][keep][:, : len(glyphs)]
        clues.append(_Clue(name, equation, signature_of(equation), glyphs, catalog().rule[place][keep], letters))
    if query.op in joins:
        output = rules.apply(joins[query.op], query.left, query.right)
        log("compute", joins[query.op].name, (query.left, query.right), output)
        return "ok", output
    for clue in clues:
        log("recall", clue.name, (clue.signature,), str(len(clue.rule)))
    order = _order(clues, set(digits))
    log("fetch", "order", tuple(clue.name for clue in order))
    chosen: dict[str, int] = {}
    if not _descend(order, 0, digits, chosen, log):
        return "contradiction", ""
    return _answer(query, digits, chosen, log)


def _order(clues: list[_Clue], fixed: set[str]) -> list[_Clue]:
    if not clues:
        return []
    fewest = min(len(clue.rule) for clue in clues)
    products = [
        clue
        for clue in clues
        if len(clue.signature) == PRODUCT_LENGTH and len(clue.rule) <= max(PRODUCT_COUNT, 2 * fewest)
    ]
    left = list(clues)
    order = [min(products or clues, key=lambda clue: len(clue.rule))]
    left.remove(order[0])
    fixed = fixed | set(order[0].glyphs)
    while left:
        clue = min(left, key=lambda clue: (len(clue.operands - fixed), len(clue.rule)))
        left.remove(clue)
        order.append(clue)
        fixed |= set(clue.glyphs)
    return order


def _matching(clue: _Clue, digits: Mapping[str, int], chosen: Mapping[str, int]) -> np.ndarray:
    """The candidate rows of a clue that agree with the digits, rules, mode and groups so far."""
    mask = np.ones(len(clue.rule), dtype=bool)
    taken = np.zeros(10, dtype=bool)
    taken[list(digits.values())] = True
    for column, glyph in enumerate(clue.glyphs):
        if glyph in digits:
            mask &= clue.letters[:, column] == digits[glyph]
        else:
            mask &= ~taken[clue.letters[:, column]]
    allowed = np.ones(len(VALUE_RULES), dtype=bool)
    for op, number in chosen.items():
        for other, rule in enumerate(VALUE_RULES):
            if op == clue.equation.op:
                allowed[other] &= other == number
            else:
                allowed[other] &= rule.mode == VALUE_RULES[number].mode and rule.group != VALUE_RULES[number].group
    return np.flatnonzero(mask & allowed[clue.rule])


def _descend(order: list[_Clue], depth: int, digits: dict[str, int], chosen: dict[str, int], log: _Log) -> bool:
    if depth == len(order):
        return True
    clue = order[depth]
    rows = _matching(clue, digits, chosen)
    log("test", clue.name, (clue.signature,), str(len(rows)), "ok" if len(rows) else "fail")
    for count, place in enumerate(rows.tolist(), 1):
        rule = int(clue.rule[place])
        values = clue.letters[place].tolist()
        log("branch", clue.name, (VALUE_RULES[rule].name, "".join(map(str, values))), f"{count}/{len(rows)}")
        new = {glyph: digit for glyph, digit in zip(clue.glyphs, values, strict=True) if glyph not in digits}
        fresh_rule = clue.equation.op not in chosen
        digits.update(new)
        chosen[clue.equation.op] = rule
        for glyph, digit in new.items():
            log("assign", glyph, (clue.name,), str(digit))
        if _descend(order, depth + 1, digits, chosen, log):
            return True
        for glyph in new:
            del digits[glyph]
        if fresh_rule:
            del chosen[clue.equation.op]
        log("undo", clue.name, (f"{count}/{len(rows)}",))
    return False


def _answer(query: Equation, digits: dict[str, int], chosen: Mapping[str, int], log: _Log) -> tuple[str, str]:
    if query.op not in chosen:
        return "operator not shown", ""
    missing = [glyph for glyph in query.left + query.right if glyph not in digits]
    if missing:
        return "digits open", ""
    rule = BY_NAME[VALUE_RULES[chosen[query.op]].name]
    left, right = ("".join(str(digits[glyph]) for glyph in side) for side in (query.left, query.right))
    try:
        output = rules.apply(rule, left, right, query.op)
    except ZeroDivisionError:
        return "contradiction", ""
    log("compute", rule.name, (left, right), output)
    names = {str(digit): glyph for glyph, digit in digits.items()} | {query.op: query.op}
    if not all(c in names for c in output):
        return "glyph unknown", ""
    return "ok", "".join(names[c] for c in output)
