"""The catalog of signatures: which (rule, digits) rows every shape of an equation can stand for.

The signature of `AB op CD = output` is its left, right and output written by first occurrence (A, B, C, ...), with
`-` for the sign. Over the 22 arithmetic rules and all operands 00..99 there are 4,205 of them.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa

from puzzles.equations import Equation, minus_and_digits
from puzzles.rules import VALUE_RULES, Rule, value

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
    turn = -1 if rule.mode == "flip" else 1
    rows, sides, proper = [], [], []
    for x in range(100):
        for y in range(100):
            if rule.base == "mod" and min(x, y) == 0:
                continue
            number, side = value(rule, x, y)
            text = f"{x:02d}"[::turn] + f"{y:02d}"[::turn] + str(abs(number))[::turn]
            rows.append([*map(int, text), *[-1] * (WIDTH - len(text))])
            sides.append(SIDES.index(side))
            proper.append(x >= 10 and y >= 10)
    return np.array(rows, dtype=np.int8), np.array(sides, dtype=np.int8), np.array(proper)


@cache
def catalog() -> Catalog:
    """Build the catalog (about a second, once per process)."""
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
