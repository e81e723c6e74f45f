"""What rows hide, from the tables of puzzles and solutions: what bare claims are held to."""

import json
from collections.abc import Iterable
from pathlib import Path

from common.artifacts import read_table
from reasoning.grammar.page import Truth


def truths(puzzles: Iterable[str | Path], solutions: Iterable[str | Path] = ()) -> dict[str, Truth | None]:
    """What every row hides, by its id; None where it is not known."""
    found, rows = {}, {}
    for path in puzzles:
        for row in read_table(path, ["id", "answer", "rule", "key"]).to_pylist():
            rows[row["id"]], found[row["id"]] = row, Truth.of(json.loads(row["key"]), json.loads(row["rule"]))
    for path in solutions:
        for row in read_table(path, ["id", "answer", "found"]).to_pylist():
            solved = json.loads(row["found"])
            if found.get(row["id"], True) is None and row["answer"] == rows[row["id"]]["answer"]:
                found[row["id"]] = Truth.of(solved.get("key", {}), solved)
    return found
