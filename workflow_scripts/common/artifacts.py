"""Tables and files that appear whole or not at all.

Parquet is written with fixed options, in the row order given, without timestamps, so that the same inputs give the
same bytes and Snakemake's checksums can stop a rerun.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from common.errors import LabError

METADATA_KEY = b"lab"


@contextmanager
def whole(path: str | Path) -> Iterator[Path]:
    """Yield a temporary name beside `path` (file or folder); rename it to `path` on success, remove it on failure."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield partial
        if path.is_dir():
            shutil.rmtree(path)
        os.replace(partial, path)
    finally:
        if partial.is_dir():
            shutil.rmtree(partial)
        else:
            partial.unlink(missing_ok=True)


def file_hash(path: str | Path) -> str:
    """BLAKE2b-128 of a file's bytes, in hexadecimal."""
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def write_table(
    path: str | Path,
    rows: Iterable[Mapping[str, object]] | pa.Table,
    schema: pa.Schema | None = None,
    *,
    params: Mapping[str, object] | None = None,
    sources: Iterable[str | Path] = (),
) -> None:
    """Write rows to Parquet under `path`, atomically.

    `params` and the hashes of `sources` (the files the table was made from) are kept in the schema metadata.
    """
    table = rows if isinstance(rows, pa.Table) else pa.Table.from_pylist(list(rows), schema=schema)
    note = {"params": dict(params or {}), "sources": {Path(s).name: file_hash(s) for s in sources}}
    metadata = {**(table.schema.metadata or {}), METADATA_KEY: json.dumps(note, sort_keys=True, default=str).encode()}
    with whole(path) as partial:
        pq.write_table(table.replace_schema_metadata(metadata), partial, compression="zstd", version="2.6")


def read_table(path: str | Path, columns: Iterable[str] | None = None) -> pa.Table:
    """Read a Parquet table; `columns` are required and the only ones returned.

    Raises LabError naming the file when it is missing, empty, truncated or lacks a column.
    """
    path = Path(path)
    if not path.is_file():
        raise LabError("no such file", file=path)
    if path.stat().st_size == 0:
        raise LabError("empty file, expected a Parquet table", file=path)
    try:
        source = pq.ParquetFile(path)
        wanted = None if columns is None else list(columns)
        missing = sorted(set(wanted or ()) - set(source.schema_arrow.names))
        if missing:
            raise LabError(
                f"missing column(s) {', '.join(missing)}; it has {', '.join(source.schema_arrow.names)}", file=path
            )
        return source.read(columns=wanted)
    except (pa.ArrowInvalid, OSError) as error:
        raise LabError(f"truncated or not a Parquet table ({error})", file=path) from error


def table_note(path: str | Path) -> dict:
    """The parameters and source hashes that `write_table` kept."""
    return json.loads((pq.read_schema(path).metadata or {}).get(METADATA_KEY, b"{}"))


def write_json(path: str | Path, value: object) -> None:
    """Write JSON with sorted keys, atomically."""
    with whole(path) as partial:
        partial.write_text(json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
