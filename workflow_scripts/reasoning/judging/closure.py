"""How far forward deduction alone gets in a cryptarithm, under five nested and exactly stated sets of rules.

State: the digits that may stand behind every glyph and the rules that an operator may have. To start, a glyph may be
any digit, but no operand value and no longer output begins with 0. Every set repeats, until nothing changes:

all-different   a settled digit is taken from the other glyphs (naked singles only);
groups          an operator whose rules share one group takes that group from the others (rules not given only);

and per equation and rule, a digit being kept when some rule of the operator keeps it and a rule being dropped when it
leaves some glyph without a digit:

units           the units of sum, product and difference modulo 10 over the two unit digits (none for a remainder);
magnitude       + a digit at a place is kept if the interval of results that it allows meets the interval of outputs;
compute         + when all operand digits are settled, the result is computed and its digits are settled;
limited         + a digit is kept if it occurs in some solution of the equation, where the operands' glyphs have at
                  most 100 digit combinations left;
full            + the same without the limit.

Each set is run with the row's mode and rules given, and with neither: then both modes are closed on their own, from all
rules of the mode (the sign's own group for rows that only use + - *). Success: every digit of the query's operands is
settled; without given rules also a single mode left and a single rule for the query's operator where it is shown.
The published counterpart is in arXiv:2606.21884, whose closure is said to settle 1 of 659 rows.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from common.compiled import compiled
from puzzles.cryptarithm.relational_join import RULE_CODE, RULE_GROUP, compute
from puzzles.cryptarithm.signatures import proper_rows, signature_of
from puzzles.equations.prior import SIGN_GROUPS
from puzzles.equations.prompt import Equation, EquationRow, join_of, minus_and_digits
from puzzles.equations.rules import BY_NAME, MODES, VALUE_RULES

LEVELS = ("units", "magnitude", "compute", "limited", "full")
LIMIT = 100
ALL_DIGITS = (1 << 10) - 1
# Share of 87 real value rows of cryptarithm_deduce that an independent re-measurement found settled, rules given.
PUBLISHED = {"units": 0 / 87, "magnitude": 20 / 87, "compute": 23 / 87, "limited": 48 / 87, "full": 60 / 87}
_SIDES = {"": 0, "prefix": 1, "suffix": 2}


@dataclass(frozen=True, slots=True)
class Closed:
    """A fixpoint. modes: those without contradiction. digits: glyph -> digits left (of all live modes). rules:
    operator -> names of the rules left."""

    modes: tuple[str, ...]
    digits: Mapping[str, frozenset[int]]
    rules: Mapping[str, frozenset[str]]

    def settled(self, glyphs: Iterable[str]) -> bool:
        return bool(self.modes) and all(len(self.digits[glyph]) == 1 for glyph in glyphs)


@compiled
def _span(code, sign, xl, xh, yl, yh):
    """Interval of the output's magnitude for operands in [xl, xh] and [yl, yh]; (1, 0) where the sign is wrong."""
    if code <= 2 or code >= 9:
        if sign != 0:
            return 1, 0
        step = 0
        if code == 1 or code == 10:
            step = 1
        elif code == 2 or code == 11:
            step = -1
        if code <= 2:
            return xl + yl + step, xh + yh + step
        return xl * yl + step, xh * yh + step
    if code == 3:
        if sign == 0:
            return max(0, xl - yh), xh - yl
        if sign == 1:
            return max(1, yl - xh), yh - xl
        return 1, 0
    if code == 4:
        if sign == 0:
            return max(0, yl - xh), yh - xl
        if sign == 2:
            return max(1, xl - yh), xh - yl
        return 1, 0
    if code == 8:
        if sign == 0:
            return 0, min(xh, yh) - 1
        return 1, 0
    low, high = max(0, xl - yh, yl - xh), max(xh - yl, yh - xl)
    if code == 5:
        if sign == 0:
            return low, high
        return 1, 0
    if sign == 0:
        return low, 0
    if (code == 6 and sign == 1) or (code == 7 and sign == 2):
        return max(1, low), high
    return 1, 0


@compiled
def _units_fit(code, sign, x, y, out):
    """Whether the unit digits x, y, out agree modulo 10; the sign is known to be possible."""
    if code <= 2:
        step = 1 if code == 1 else -1 if code == 2 else 0
        return (x + y + step) % 10 == out
    if code >= 9:
        step = 1 if code == 10 else -1 if code == 11 else 0
        return (x * y + step) % 10 == out
    if code == 8:
        return True
    if code == 3:
        return ((x - y) % 10 if sign == 0 else (y - x) % 10) == out
    if code == 4:
        return ((y - x) % 10 if sign == 0 else (x - y) % 10) == out
    if sign == 0 and code != 5:
        return x == y and out == 0
    return (x - y) % 10 == out or (y - x) % 10 == out


@compiled
def _bounds(glyphs, domains, pinned, digit):
    """Smallest and largest number of the places `glyphs` (units first) where glyph `pinned` is `digit`."""
    low, high, scale = 0, 0, 1
    for k in range(glyphs.shape[0]):
        glyph = glyphs[k]
        mask = (1 << digit) if glyph == pinned else domains[glyph]
        first, last = -1, -1
        for d in range(10):
            if mask >> d & 1:
                if first < 0:
                    first = d
                last = d
        low += scale * first
        high += scale * last
        scale *= 10
    return low, high


@compiled
def _without_solving(level, code, sign, operands, output, domains, kept):
    """Narrow `kept` (glyph -> digits, a copy of `domains`) by one rule's units, magnitude and computing.

    operands: glyphs of x units, x tens, y units, y tens; output: its glyphs, units first. False if a glyph is left
    without a digit.
    """
    if _span(code, sign, 10, 99, 10, 99)[0] > _span(code, sign, 10, 99, 10, 99)[1]:
        return False
    first, second, last = operands[0], operands[2], output[0]
    kept_x, kept_y, kept_o = 0, 0, 0
    for x in range(10):
        if not domains[first] >> x & 1:
            continue
        for y in range(10):
            if not domains[second] >> y & 1 or (first == second) != (x == y):
                continue
            for out in range(10):
                if not domains[last] >> out & 1 or (first == last) != (x == out) or (second == last) != (y == out):
                    continue
                if _units_fit(code, sign, x, y, out):
                    kept_x |= 1 << x
                    kept_y |= 1 << y
                    kept_o |= 1 << out
    kept[first] &= kept_x
    kept[second] &= kept_y
    kept[last] &= kept_o
    if level >= 1:
        for pinned in range(10):
            involved = False
            for k in range(4):
                involved |= operands[k] == pinned
            for k in range(output.shape[0]):
                involved |= output[k] == pinned
            if not involved:
                continue
            for digit in range(10):
                if domains[pinned] >> digit & 1:
                    xl, xh = _bounds(operands[:2], domains, pinned, digit)
                    yl, yh = _bounds(operands[2:], domains, pinned, digit)
                    ol, oh = _bounds(output, domains, pinned, digit)
                    low, high = _span(code, sign, xl, xh, yl, yh)
                    if low > high or max(low, ol) > min(high, oh):
                        kept[pinned] &= ~(1 << digit)
    if level >= 2:
        settled = True
        for k in range(4):
            settled &= domains[operands[k]] & (domains[operands[k]] - 1) == 0
        if settled:
            x, _ = _bounds(operands[:2], domains, -1, 0)
            y, _ = _bounds(operands[2:], domains, -1, 0)
            number, side = compute(code, x, y)
            if (0 if number >= 0 else 1 + side) != sign:
                return False
            number = abs(number)
            for k in range(output.shape[0]):
                kept[output[k]] &= 1 << (number % 10)
                number //= 10
            if number > 0:
                return False
    for k in range(4):
        if kept[operands[k]] == 0:
            return False
    for k in range(output.shape[0]):
        if kept[output[k]] == 0:
            return False
    return True


@compiled
def _close(level, operands, output, lengths, signs, slots, starts, row_rule, row_digits, glyphs, sizes, domains, rules):
    """Run one set of rules to its fixpoint in place; False on a contradiction.

    operands (E, 4), output (E, 4): glyphs, units first; lengths, signs, slots (E): of the output, 0/1/2, operator.
    starts (E + 1): the catalog rows of each equation in row_rule (n), row_digits (n, 8); glyphs (E, 8), sizes (E): the
    glyph of each of their letters. domains (10), rules (S): bit masks.
    """
    changed = True
    kept = np.empty(10, dtype=np.int64)
    support = np.empty(10, dtype=np.int64)
    while changed:
        changed = False
        for glyph in range(10):
            mask = domains[glyph]
            if mask and mask & (mask - 1) == 0:
                for other in range(10):
                    if other != glyph and domains[other] & mask:
                        domains[other] &= ~mask
                        changed = True
                        if domains[other] == 0:
                            return False
        for slot in range(rules.shape[0]):
            groups = 0
            for rule in range(RULE_GROUP.shape[0]):
                if rules[slot] >> rule & 1:
                    groups |= RULE_GROUP[rule]
            if groups & (groups - 1) == 0:
                for other in range(rules.shape[0]):
                    for rule in range(RULE_GROUP.shape[0]):
                        if other != slot and rules[other] >> rule & 1 and RULE_GROUP[rule] == groups:
                            rules[other] &= ~(1 << rule)
                            changed = True
                    if rules[other] == 0:
                        return False
        for e in range(slots.shape[0]):
            allowed = rules[slots[e]]
            alive = 0
            support[:] = 0
            combinations = 1
            for k in range(4):
                fresh = True
                for j in range(k):
                    fresh &= operands[e, j] != operands[e, k]
                if fresh:
                    count = 0
                    for d in range(10):
                        count += domains[operands[e, k]] >> d & 1
                    combinations *= count
            if level == 4 or (level == 3 and combinations <= LIMIT):
                for row in range(starts[e], starts[e + 1]):
                    if not allowed >> row_rule[row] & 1:
                        continue
                    good = True
                    for k in range(sizes[e]):
                        if not domains[glyphs[e, k]] >> row_digits[row, k] & 1:
                            good = False
                            break
                    if good:
                        alive |= 1 << row_rule[row]
                        for k in range(sizes[e]):
                            support[glyphs[e, k]] |= 1 << row_digits[row, k]
            else:
                for rule in range(RULE_GROUP.shape[0]):
                    if allowed >> rule & 1:
                        kept[:] = domains
                        if _without_solving(
                            level, RULE_CODE[rule], signs[e], operands[e], output[e, : lengths[e]], domains, kept
                        ):
                            alive |= 1 << rule
                            for k in range(sizes[e]):
                                support[glyphs[e, k]] |= kept[glyphs[e, k]]
            if alive == 0:
                return False
            if alive != allowed:
                rules[slots[e]] = alive
                changed = True
            for k in range(sizes[e]):
                glyph = glyphs[e, k]
                if domains[glyph] & ~support[glyph]:
                    domains[glyph] &= support[glyph]
                    changed = True
                    if domains[glyph] == 0:
                        return False
    return True


def close(
    row: EquationRow,
    level: str,
    given: Mapping[str, Any] | None = None,
    known: Mapping[str, int] | None = None,
) -> Closed:
    """Close a row under the rules of `level`.

    given: the row's "mode" and "operators" (glyph -> rule name), as in a puzzle's hidden rule or a solution's `found`;
    None to give neither. known: digits of glyphs given beforehand. Raises KeyError for a rule that does not exist.
    """
    known = known or {}
    names = tuple(dict.fromkeys((*row.digit_glyphs(), *known)))
    number = {glyph: k for k, glyph in enumerate(names)}
    values = [equation for equation in row.examples if not join_of(equation)]
    slots = tuple(dict.fromkeys(equation.op for equation in values))
    digits: dict[str, int] = dict.fromkeys(names, 0)
    left: dict[str, set[str]] = {op: set() for op in slots}
    modes = []
    if len(names) <= 10 and not set(names).intersection(row.operators):
        for mode in MODES if given is None else (given["mode"],):
            found = _close_mode(row, LEVELS.index(level), mode, given, known, number, values, slots)
            if found is not None:
                modes.append(mode)
                for glyph in names:
                    digits[glyph] |= int(found[0][number[glyph]])
                for slot, op in enumerate(slots):
                    left[op].update(r.name for k, r in enumerate(VALUE_RULES) if int(found[1][slot]) >> k & 1)
    return Closed(
        tuple(modes),
        {glyph: frozenset(d for d in range(10) if mask >> d & 1) for glyph, mask in digits.items()},
        {op: frozenset(found) for op, found in left.items()},
    )


def _close_mode(
    row: EquationRow,
    level: int,
    mode: str,
    given: Mapping[str, Any] | None,
    known: Mapping[str, int],
    number: Mapping[str, int],
    values: list[Equation],
    slots: tuple[str, ...],
) -> tuple[np.ndarray, np.ndarray] | None:
    """Domains (10) and rules (S) of one mode at the fixpoint, None on a contradiction."""
    turn, lead = (-1, 1) if mode == "flip" else (1, 0)
    domains = np.zeros(10, dtype=np.int64)
    for glyph, k in number.items():
        domains[k] = 1 << known[glyph] if glyph in known else ALL_DIGITS
    leading = [text[lead] for e in (*row.examples, row.query) for text in (e.left, e.right)]
    for equation in values:
        output = minus_and_digits(equation)[1][::turn]
        leading += output[:1] if len(output) > 1 else ""
    for glyph in leading:
        domains[number[glyph]] &= ~1
    if any(domains[k] == 0 for k in number.values()):
        return None
    canonical = all(op in SIGN_GROUPS for op in row.operators)
    allowed = np.zeros(len(slots), dtype=np.int64)
    for slot, op in enumerate(slots):
        for k, rule in enumerate(VALUE_RULES):
            if given is not None:
                keep = rule == BY_NAME[given["operators"][op]]
            else:
                keep = rule.mode == mode and (not canonical or rule.group == SIGN_GROUPS[op])
            allowed[slot] |= keep << k
    if not allowed.all():
        return None
    n = len(values)
    operands, outputs = np.zeros((n, 4), dtype=np.int64), np.zeros((n, 4), dtype=np.int64)
    letters, sizes = np.zeros((n, 10), dtype=np.int64), np.zeros(n, dtype=np.int64)
    lengths, signs = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    rows = []
    for e, equation in enumerate(values):
        side, output = minus_and_digits(equation)
        if len(output) > 4:
            return None
        value_order = (*equation.left[::turn][::-1], *equation.right[::turn][::-1])
        operands[e] = [number[glyph] for glyph in value_order]
        lengths[e], signs[e] = len(output), _SIDES[side]
        outputs[e, : len(output)] = [number[glyph] for glyph in output[::turn][::-1]]
        glyphs = tuple(dict.fromkeys(equation.left + equation.right + output))
        sizes[e] = len(glyphs)
        letters[e, : len(glyphs)] = [number[glyph] for glyph in glyphs]
        rows.append(proper_rows(signature_of(equation)))
    starts = np.cumsum([0, *(len(rule) for rule, _ in rows)])
    row_rule = np.concatenate([np.zeros(0, dtype=np.int64), *(rule for rule, _ in rows)])
    row_digits = np.concatenate([np.zeros((0, 8), dtype=np.int64), *(digits for _, digits in rows)])
    slot_of = np.array([slots.index(equation.op) for equation in values], dtype=np.int64)
    fits = _close(
        level, operands, outputs, lengths, signs, slot_of, starts, row_rule, row_digits, letters, sizes,
        domains, allowed,
    )  # fmt: skip
    return (domains, allowed) if fits else None


def closure_flags(
    row: EquationRow, given: Mapping[str, Any] | None, known: Mapping[str, int] | None = None
) -> dict[str, bool]:
    """Per set of rules whether forward deduction settles a value row: "{level}/given" and "{level}/open".

    given, known: as in `close`; without `given` the "given" flags are left out. {} for a row whose query is a join: it
    needs no digits.
    """
    query = row.query
    if any(equation.op == query.op and join_of(equation) for equation in row.examples):
        return {}
    flags = {}
    for level in LEVELS:
        if given is not None:
            flags[f"{level}/given"] = close(row, level, given, known).settled(query.left + query.right)
        free = close(row, level, None, known)
        flags[f"{level}/open"] = (
            free.settled(query.left + query.right)
            and len(free.modes) == 1
            and (query.op not in free.rules or len(free.rules[query.op]) == 1)
        )
    return flags


def compare(rows: Iterable[tuple[EquationRow, Mapping[str, Any]]]) -> str:
    """A table of the shares of value rows that each set settles, beside the published re-measurement.

    rows: parsed rows with their mode and rules.
    """
    flags = [found for found in (closure_flags(row, given) for row, given in rows) if found]
    lines = [f"{'rules':<10} {'given':>7} {'open':>7} {'published, given':>17}   (n = {len(flags)})"]
    for level in LEVELS:
        shares = [sum(f[f"{level}/{kind}"] for f in flags) / max(len(flags), 1) for kind in ("given", "open")]
        lines.append(f"{level:<10} {shares[0]:>7.3f} {shares[1]:>7.3f} {PUBLISHED[level]:>17.3f}")
    return "\n".join(lines)
