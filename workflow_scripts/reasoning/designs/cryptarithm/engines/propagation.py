"""What the examples of a cryptarithm force, without knowing its answer: candidate rows and their propagation.

An equation's *signature* writes its left side and output by first occurrence (`<!+^& = @<?` is ABCDEAF, a minus stays
a minus). Every signature has a finite table of rows: an arithmetic rule and one digit per letter. Propagation keeps,
per glyph, the digits that may still stand behind it and, per operator, the rules that may still be meant, and repeats
until nothing changes: an equation keeps the rows that agree with both; glyphs and rules keep what some row of every
equation supports; a settled digit or group is taken from the others; a digit that only one glyph can take is given to
it when the page shows ten glyphs. Operand values are 10..99 (so a leading zero is printed only in flip mode).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache

import numpy as np

from puzzles.cryptarithm import signatures
from puzzles.equations.prompt import Equation, EquationRow, join_of
from puzzles.equations.rules import MODES, VALUE_RULES

GROUPS = ("add", "sub", "mul")
RULE_GROUP = tuple(GROUPS.index(rule.group) for rule in VALUE_RULES)
ALL_DIGITS = (1 << 10) - 1
ALL_RULES = (1 << len(VALUE_RULES)) - 1
MODE_RULES = tuple(sum(1 << i for i, rule in enumerate(VALUE_RULES) if rule.mode == mode) for mode in MODES)
GROUP_RULES = tuple(sum(1 << i for i, rule in enumerate(VALUE_RULES) if rule.group == group) for group in GROUPS)


@dataclass(frozen=True, eq=False)
class Table:
    """The rows of one signature: `rule` (n,) indices into VALUE_RULES, `digits` (n, letters), in catalog order
    (rule, then digits ascending)."""

    rule: np.ndarray
    digits: np.ndarray

    def __len__(self) -> int:
        return len(self.rule)

    def keep(self, mask: np.ndarray) -> "Table":
        return Table(self.rule[mask], self.digits[mask])

    @cached_property
    def rows(self) -> "Rows":
        return Rows(1 << np.vstack([self.rule, self.digits.T]).astype(np.int32))


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows of a table as bits (1 + letters, n): a row's rule, then its digits, one bit each."""

    bits: np.ndarray

    def __len__(self) -> int:
        return self.bits.shape[1]

    @cached_property
    def support(self) -> list[int]:
        """The rules, then the digits of each letter, that some row has (1 + letters masks)."""
        return np.bitwise_or.reduce(self.bits, axis=1).tolist()

    def within(self, live: list[int]) -> "Rows":
        """The rows whose rule and digits are all among those of `live` (1 + letters masks)."""
        lost = [place for place, has in enumerate(self.support) if has & ~live[place]]
        if not lost:
            return self
        mask = self.bits[lost[0]] & live[lost[0]]
        for place in lost[1:]:
            mask = np.where(self.bits[place] & live[place], mask, 0)
        return Rows(self.bits[:, mask != 0])


def signature(equation: Equation) -> tuple[str, tuple[str, ...]]:
    """The signature and the equation's distinct digit glyphs in the order of its letters."""
    names: dict[str, str] = {}
    text = equation.left + equation.right + equation.output
    sign = equation.op if len(equation.output) > 1 else ""
    letters = ["-" if i > 3 and c == sign else names.setdefault(c, chr(65 + len(names))) for i, c in enumerate(text)]
    return "".join(letters), tuple(names)


@cache
def rows_of(letters: str) -> Table:
    """All rows of a signature (an empty table for one that no rule can print)."""
    rule, digits = signatures.proper_rows(letters)
    return Table(rule.astype(np.int8), np.ascontiguousarray(digits[:, : len(set(letters) - {"-"})], dtype=np.int8))


@dataclass(frozen=True, eq=False)
class Clue:
    """One arithmetic example: its number on the page (from 1), operator, glyphs and signature table."""

    number: int
    op: str
    glyphs: tuple[str, ...]
    letters: str
    table: Table


@lru_cache(1024)
def clues(row: EquationRow) -> tuple[Clue, ...]:
    """The examples that are not joins."""
    found = []
    for number, equation in enumerate(row.examples, 1):
        if not join_of(equation):
            letters, glyphs = signature(equation)
            found.append(Clue(number, equation.op, glyphs, letters, rows_of(letters)))
    return tuple(found)


def matching(
    clue: Clue,
    digits: Mapping[str, int],
    mode: str = "",
    chosen: Mapping[str, int] | None = None,
    table: Table | None = None,
) -> Table:
    """The clue's rows that agree with known digits (others stay free but unused), the mode and the operators' rules.

    `chosen` maps operators to rule indices; two operators never share a group.
    """
    table, chosen = clue.table if table is None else table, chosen or {}
    unused, rules = ALL_DIGITS, ALL_RULES
    for digit in digits.values():
        unused &= ~(1 << digit)
    if clue.op in chosen:
        rules = 1 << chosen[clue.op]
    else:
        if mode:
            rules = MODE_RULES[MODES.index(mode)]
        for rule in chosen.values():
            rules &= ~GROUP_RULES[RULE_GROUP[rule]]
    live = [rules, *(1 << digits[glyph] if glyph in digits else unused for glyph in clue.glyphs)]
    lost = [place for place, has in enumerate(table.rows.support) if has & ~live[place]]
    if not lost:
        return table
    mask = table.rows.bits[lost[0]] & live[lost[0]] != 0
    for place in lost[1:]:
        mask &= table.rows.bits[place] & live[place] != 0
    return table.keep(mask)


@lru_cache(1 << 14)
def bits(mask: int) -> tuple[int, ...]:
    """The positions of a mask's bits, ascending."""
    return tuple(i for i in range(mask.bit_length()) if mask >> i & 1)


def single(mask: int) -> bool:
    return mask != 0 and mask & (mask - 1) == 0


@dataclass(frozen=True, slots=True)
class Event:
    """One inference. kind: assign (a glyph has one digit left), compute (fewer digits) or test (rules dropped).

    name: the glyph or operator; args: the reason, then what was possible before (assign, compute) or the dropped rules
    (test); result: what is left; verdict: `drop` for a test.
    """

    kind: str
    name: str
    args: tuple[str, ...] = ()
    result: str = ""
    verdict: str = ""


@dataclass
class State:
    """What is still possible. domains: glyph -> bit mask of digits; rules: operator -> bit mask over VALUE_RULES;
    tables: clue number -> rows that survive; dead: why nothing is left ("" while something is)."""

    domains: dict[str, int]
    rules: dict[str, int]
    tables: dict[int, Rows]
    dead: str = ""
    events: list[Event] = field(default_factory=list)

    def copy(self) -> "State":
        return State(dict(self.domains), dict(self.rules), dict(self.tables), self.dead, [])

    def digit(self, glyph: str) -> int | None:
        mask = self.domains.get(glyph, 0)
        return mask.bit_length() - 1 if single(mask) else None

    def known(self) -> dict[str, int]:
        return {glyph: mask.bit_length() - 1 for glyph, mask in self.domains.items() if single(mask)}

    def modes(self) -> tuple[str, ...]:
        live = 0
        for mask in self.rules.values():
            live |= mask
        return tuple(mode for mode, rules_ in zip(MODES, MODE_RULES, strict=True) if live & rules_)

    def log(self, kind: str, name: str, args: tuple[str, ...] = (), result: str = "", verdict: str = "") -> None:
        self.events.append(Event(kind, name, args, result, verdict))


def start(
    row: EquationRow, known: Mapping[str, int], vocabulary: Mapping[str, int] | None = None
) -> tuple[State, tuple[Clue, ...]]:
    """The state before any propagation and the row's clues.

    vocabulary: operator -> mask of rules to consider (default: all). Known digits start settled.
    """
    found = clues(row)
    taken = sum(1 << digit for digit in known.values())
    domains = {
        glyph: 1 << known[glyph] if glyph in known else ALL_DIGITS & ~taken
        for glyph in dict.fromkeys((*row.digit_glyphs(), *known))
    }
    operators = {clue.op: (vocabulary or {}).get(clue.op, ALL_RULES) for clue in found}
    return State(domains, operators, {clue.number: clue.table.rows for clue in found}), found


def _supported(state: State, clue: Clue) -> list[int]:
    """Keep the equation's rows that agree with the state; the rules and digits that they have (see Rows.support)."""
    live = [state.rules[clue.op], *(state.domains[glyph] for glyph in clue.glyphs)]
    rows = state.tables[clue.number] = state.tables[clue.number].within(live)
    if not len(rows):
        state.dead = f"E{clue.number}"
    return rows.support


def _narrow(state: State, clue: Clue) -> bool:
    """One equation's consistency: keep supported rows, then supported digits and rules. True when something changed."""
    rules, *support = _supported(state, clue)
    if state.dead:
        return True
    changed = False
    for glyph, digits in zip(clue.glyphs, support, strict=True):
        kept = digits & state.domains[glyph]
        changed |= kept != state.domains[glyph] and restrict(state, glyph, kept, "equation", clue.number)
    kept = rules & state.rules[clue.op]
    if kept != state.rules[clue.op]:
        drop_rules(state, clue.op, kept, f"E{clue.number}")
        changed = True
    return changed


def restrict(state: State, glyph: str, kept: int, reason: str, number: int = 0) -> bool:
    """Leave a glyph only the digits of `kept`; logs the narrowing, or the pin when one digit is left."""
    before = state.domains[glyph]
    kept &= before
    if kept == before:
        return False
    state.domains[glyph] = kept
    place = f"E{number}" if number else ""
    if not kept:
        state.dead = glyph
    elif single(kept):
        state.log("assign", glyph, (reason, place, "".join(map(str, bits(before)))), str(kept.bit_length() - 1))
    else:
        state.log("compute", glyph, (reason, place, "".join(map(str, bits(before)))), "".join(map(str, bits(kept))))
    return True


def drop_rules(state: State, op: str, kept: int, reason: str) -> None:
    """Leave an operator only the rules of `kept`; logs what was dropped."""
    gone = state.rules[op] & ~kept
    state.rules[op] &= kept
    names = tuple(VALUE_RULES[i].name for i in bits(gone))
    state.log("test", op, (reason, *names), " ".join(VALUE_RULES[i].name for i in bits(state.rules[op])), "drop")
    if not state.rules[op]:
        state.dead = op


def _spread(state: State) -> bool:
    """All-different digits, the hidden single, one mode for the row, one group per operator."""
    changed = False
    for glyph, mask in list(state.domains.items()):
        if single(mask):
            for other in state.domains:
                if other != glyph and state.domains[other] & mask:
                    changed |= restrict(state, other, ~mask, "taken")
                    if state.dead:
                        return True
    if len(state.domains) == 10:
        for digit in range(10):
            holders = [glyph for glyph, mask in state.domains.items() if mask >> digit & 1]
            if not holders:
                state.dead = str(digit)
                return True
            if len(holders) == 1 and not single(state.domains[holders[0]]):
                changed |= restrict(state, holders[0], 1 << digit, "only")
    for mode in MODE_RULES:
        empty = next((op for op, mask in state.rules.items() if not mask & mode), None)
        if empty is not None:
            for op, mask in list(state.rules.items()):
                if mask & mode:
                    drop_rules(state, op, mask & ~mode, f"mode {empty}")
                    changed = True
                    if state.dead:
                        return True
    for op, mask in list(state.rules.items()):
        for group in GROUP_RULES:
            if mask & group == mask:
                for other, rest in state.rules.items():
                    if other != op and rest & group:
                        drop_rules(state, other, rest & ~group, f"group {op}")
                        changed = True
                        if state.dead:
                            return True
    return changed


def propagate(state: State, found: tuple[Clue, ...]) -> State:
    """Run every rule to its fixpoint, in place; events are appended to `state.events`."""
    changed = True
    while changed and not state.dead:
        changed = _spread(state)
        for clue in found:
            if state.dead:
                break
            changed |= _narrow(state, clue)
    return state


def settle(state: State, found: tuple[Clue, ...]) -> None:
    """Narrow digits only: every glyph keeps what some row of every equation supports under the rules that are left,
    and settled digits are taken from the others. No rule is dropped and nothing is logged."""
    changed = True
    while changed and not state.dead:
        before = dict(state.domains)
        for clue in found:
            _, *support = _supported(state, clue)
            if state.dead:
                return
            for glyph, digits in zip(clue.glyphs, support, strict=True):
                state.domains[glyph] &= digits
        for glyph, mask in list(state.domains.items()):
            if single(mask):
                for other in state.domains:
                    if other != glyph:
                        state.domains[other] &= ~mask
                        if not state.domains[other]:
                            state.dead = other
                            return
        changed = before != state.domains


def branches(state: State, found: tuple[Clue, ...], glyph: str) -> Iterator[tuple[int, State]]:
    """For every digit a glyph may still have, ascending: the digit and the propagated state under it."""
    for digit in bits(state.domains[glyph]):
        trial = state.copy()
        restrict(trial, glyph, 1 << digit, "try")
        yield digit, propagate(trial, found)
