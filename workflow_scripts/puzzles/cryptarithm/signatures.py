"""The catalog of signatures: which (rule, digits) rows every shape of an equation can stand for.

The signature of `AB op CD = output` is its left, right and output written by first occurrence (A, B, C, ...), with
`-` for the sign. Over the 22 arithmetic rules and all operands 00..99 there are 4,205 of them.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa

from puzzles.equations.prompt import Equation, minus_and_digits
from puzzles.equations.rules import VALUE_RULES, Rule, values

LETTERS = "ABCDEFGHIJ"
SIDES = ("", "prefix", "suffix")
# Characters of the longest equation: four operand digits and four output digits.
WIDTH = 8
SCHEMA = pa.schema(
    [
        ("signature", pa.string()),
        ("count", pa.int32()),
        ("rules", pa.list_(pa.string())),
        ("rows", pa.list_(pa.struct([("rule", pa.string()), ("digits", pa.string())]))),
    ]
)


@dataclass(frozen=True, slots=True)
class Catalog:
    """All rows, sorted by signature, then rule (table order), then digits.

    slices: signature -> its rows. rule: index into VALUE_RULES per row. digits: (rows, 8) the printed digits, -1 where
    the equation is shorter. letters: (rows, 8) the digit of A, B, ..., -1 beyond the last. proper: whether both
    operand values are 10..99, as in every real row.
    """

    slices: dict[str, slice]
    rule: np.ndarray
    digits: np.ndarray
    letters: np.ndarray
    proper: np.ndarray


def spell(text: str, minus: str = "-") -> str:
    """`text` by first occurrence, with `-` wherever it has `minus`."""
    names: dict[str, str] = {}
    return "".join("-" if c == minus else names.setdefault(c, LETTERS[len(names)]) for c in text)


def signature_of(equation: Equation) -> str:
    """The signature of a glyph equation; its operator counts as the sign only at an end of the output.

    Raises IndexError for an output with so many glyphs that the letters run out.
    """
    side, magnitude = minus_and_digits(equation)
    body = spell(equation.left + equation.right + magnitude, minus="\0")
    return body[:4] + "-" + body[4:] if side == "prefix" else body + "-" if side == "suffix" else body


def _rows_of(rule: Rule) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Printed digits (n, 8), side of the minus (n,) and properness (n,) of one rule over operands 00..99."""
    first = 1 if rule.base == "mod" else 0
    x, y = (grid.ravel() for grid in np.mgrid[first:100, first:100])
    results, side = values(rule, x.tolist(), y.tolist())
    signed = np.array(results)
    number = np.abs(signed)
    length = 1 + (number > 9) + (number > 99) + (number > 999)
    places = np.arange(4)
    # Digit k of the output as printed: from the left in normal rows, from the right (units first) in flip rows.
    power = places if rule.mode == "flip" else length[:, None] - 1 - places
    output = np.where(places < length[:, None], number[:, None] // 10 ** np.maximum(power, 0) % 10, -1)
    tens_first = np.stack([x // 10, x % 10, y // 10, y % 10], axis=1)
    operands = tens_first[:, [1, 0, 3, 2]] if rule.mode == "flip" else tens_first
    sides = np.where(signed < 0, SIDES.index(side), 0).astype(np.int8)
    return np.concatenate([operands, output], axis=1).astype(np.int8), sides, (x >= 10) & (y >= 10)


@cache
def catalog() -> Catalog:
    """Build the catalog (a tenth of a second, once per process)."""
    parts = [_rows_of(rule) for rule in VALUE_RULES]
    digits = np.concatenate([part[0] for part in parts])
    side = np.concatenate([part[1] for part in parts])
    proper = np.concatenate([part[2] for part in parts])
    rule = np.repeat(np.arange(len(parts), dtype=np.int8), [len(part[0]) for part in parts])
    names = np.full_like(digits, -1)
    letters = np.full_like(digits, -1)
    used = np.zeros(len(digits), dtype=np.int8)
    every = np.arange(len(digits))
    for i in range(WIDTH):
        present = digits[:, i] >= 0
        for j in range(i):
            names[:, i] = np.where(
                (names[:, i] < 0) & present & (digits[:, j] == digits[:, i]), names[:, j], names[:, i]
            )
        new = present & (names[:, i] < 0)
        names[new, i] = used[new]
        letters[every[new], used[new]] = digits[new, i]
        used[new] += 1
    # One integer per row and column group, so that sorting by signature, rule and digits is one lexsort.
    code = side.astype(np.int64)
    number = np.zeros(len(digits), dtype=np.int64)
    for i in range(WIDTH):
        code = code * 16 + names[:, i] + 1
        number = number * 16 + digits[:, i] + 1
    order = np.lexsort((number, rule, code))
    code = code[order]
    starts = np.flatnonzero(np.r_[True, code[1:] != code[:-1]])
    ends = np.r_[starts[1:], len(code)]
    slices = {}
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        row = order[start]
        body = "".join(LETTERS[k] for k in names[row] if k >= 0)
        text = body[:4] + "-" + body[4:] if side[row] == 1 else body + "-" if side[row] == 2 else body
        slices[text] = slice(start, end)
    return Catalog(dict(sorted(slices.items())), rule[order], digits[order], letters[order], proper[order])


@cache
def _proper() -> tuple[dict[str, slice], np.ndarray, np.ndarray]:
    table = catalog()
    place = np.r_[0, np.cumsum(table.proper)].tolist()
    slices = {name: slice(place[s.start], place[s.stop]) for name, s in table.slices.items()}
    return slices, table.rule[table.proper].astype(np.int64), table.letters[table.proper].astype(np.int64)


def proper_rows(signature: str) -> tuple[np.ndarray, np.ndarray]:
    """The rows with operand values 10..99: rule (n), an index into VALUE_RULES, and the digits of A, B, ... (n, 8).

    Digits are -1 beyond the last letter. Empty arrays for an unknown signature.
    """
    slices, rule, letters = _proper()
    place = slices.get(signature, slice(0, 0))
    return rule[place], letters[place]


def rows_of(signature: str) -> list[tuple[Rule, str]]:
    """The (rule, digits) rows of one signature, digits printed with the sign; empty for an unknown signature."""
    table = catalog()
    place = table.slices.get(signature, slice(0, 0))
    found = []
    for rule, digits in zip(table.rule[place].tolist(), table.digits[place].tolist(), strict=True):
        text = "".join(str(d) for d in digits if d >= 0)
        if signature.endswith("-"):
            text += "-"
        elif "-" in signature:
            text = text[:4] + "-" + text[4:]
        found.append((VALUE_RULES[rule], text))
    return found


def build() -> pa.Table:
    """The catalog as a table, one row per signature: its count, the rules it can stand for, and its rows."""
    records = []
    for signature in catalog().slices:
        rows = rows_of(signature)
        records.append(
            {
                "signature": signature,
                "count": len(rows),
                "rules": list(dict.fromkeys(rule.name for rule, _ in rows)),
                "rows": [{"rule": rule.name, "digits": digits} for rule, digits in rows],
            }
        )
    return pa.Table.from_pylist(records, schema=SCHEMA)
