"""Tables as anyone keeps them: the rows of a CSV, a JSON Lines or a Parquet file, with every fault named by its row."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from common.artifacts import read_table
from common.errors import LabError

csv.field_size_limit(1 << 30)
SUFFIXES = (".csv", ".jsonl", ".ndjson", ".parquet")


def read_records(path: str | Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """(row, its fields by name) of a file, the first being row 1; the suffix says how to read it.

    Raises LabError naming file and row: no such file, another suffix, not UTF-8, a row that is broken, no rows.
    """
    path = Path(path)
    if path.suffix not in SUFFIXES:
        raise LabError(f"unknown kind of file; expected one of {', '.join(SUFFIXES)}", file=path)
    if not path.is_file():
        raise LabError("no such file", file=path)
    number = 0
    rows = {".csv": _csv, ".parquet": _parquet}.get(path.suffix, _json_lines)
    try:
        for number, row in rows(path):
            yield number, row
    except UnicodeDecodeError as error:
        raise LabError(f"not UTF-8 text ({error.reason}); save it as UTF-8", file=path) from error
    except csv.Error as error:
        raise LabError(f"not a CSV ({error})", file=path, row=number + 1) from error
    if not number:
        raise LabError("no rows", file=path)


def _csv(path: Path) -> Iterator[tuple[int, dict]]:
    with open(path, newline="", encoding="utf-8-sig") as handle:
        for number, row in enumerate(csv.DictReader(handle, strict=True), 1):
            if None in row:
                raise LabError("more cells than the header", file=path, row=number)
            yield number, row


def _parquet(path: Path) -> Iterator[tuple[int, dict]]:
    yield from enumerate(read_table(path).to_pylist(), 1)


def _json_lines(path: Path) -> Iterator[tuple[int, dict]]:
    number = 0
    with open(path, encoding="utf-8-sig", newline="\n") as handle:
        for text in handle:
            if not text.strip():
                continue
            number += 1
            try:
                row = json.loads(text)
            except json.JSONDecodeError as error:
                raise LabError(f"not JSON ({error})", file=path, row=number) from error
            if not isinstance(row, dict):
                raise LabError("expected an object with named fields", file=path, row=number)
            yield number, row
