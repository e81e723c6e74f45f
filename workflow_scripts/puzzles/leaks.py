"""The check that no evaluation row is a training example, also under other names or in another order."""

from collections.abc import Iterable
from pathlib import Path

from common.artifacts import read_table
from common.errors import LabError


def check_no_leak(ids: Iterable[str], puzzles: Iterable[str | Path], held_out: Iterable[str | Path]) -> int:
    """How many held-out rows were compared. `ids` are the training rows, `puzzles` the tables they were drawn from.

    Raises LabError naming the held-out row when a training row has the same canonical form (the same problem up to
    renaming of glyphs or letters and the order of examples), or naming the training row when its puzzle is unknown.
    """
    canonical_of, compared = {}, 0
    for path in puzzles:
        canonical_of.update(_canonical(path))
    trained = {}
    for row in ids:
        if row not in canonical_of:
            raise LabError("its puzzle is in none of the tables of training puzzles", row=row, field="id")
        trained[canonical_of[row]] = row
    for path in held_out:
        for row, canonical in _canonical(path):
            compared += 1
            if canonical in trained:
                raise LabError(
                    f"it is also the training row {trained[canonical]}; expected none in common",
                    file=path,
                    row=row,
                    field="canonical",
                )
    return compared


def _canonical(path: str | Path) -> list[tuple[str, str]]:
    table = read_table(path, ("id", "canonical"))
    return list(zip(table["id"].to_pylist(), table["canonical"].to_pylist(), strict=True))
