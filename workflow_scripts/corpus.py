"""Select and mix the training examples of one arm.

Reads the rendered train texts of the arm's families, the puzzles they were rendered from, and the puzzles held out for
evaluation; writes one table with n examples per family, shuffled together, each with a content hash. Fails when a
family has too few rendered rows, or when any example is, up to renaming and order, an evaluation row.

    python workflow_scripts/corpus.py --texts results/main/texts/numeral/forward/reveal-0/none/train.parquet \
        --puzzles results/main/puzzles/numeral/train.parquet --held-out results/main/puzzles/numeral/test.parquet \
        --n 100 --selection all --seed 17 --out /tmp/corpus.parquet
"""

from pathlib import Path

import pyarrow as pa

from common import cli
from common.artifacts import read_table, write_table
from common.errors import LabError
from measuring.leaks import check_no_leak
from puzzles.base import content_hash, row_rng

SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("id", "family", "prompt", "completion", "answer", "stratum")]
    + [("n_chars", pa.int32()), ("hash", pa.string())]
)
TEXT_COLUMNS = ("id", "family", "prompt", "completion", "answer", "stratum", "status")


def select(path: Path, n: int, selection: str, seed: int) -> list[dict]:
    """n rendered rows of one family's texts, drawn by a permutation of the ids that depends on the seed alone.

    Arms that differ in design or in what is shown draw the same rows as far as both rendered them.
    """
    every = read_table(path, TEXT_COLUMNS).to_pylist()
    rows = [row for row in every if row["status"] == "rendered" and selection in ("all", row["stratum"])]
    if len(rows) < n:
        raise LabError(
            f"{n} rows asked for, but of {len(every)} only {len(rows)} are rendered and of selection {selection!r}",
            file=path,
            field="n",
        )
    return sorted(rows, key=lambda row: content_hash(f"{seed}:{row['id']}"))[:n]


def main() -> None:
    args = cli.parser(__doc__)
    args.add_argument("--texts", nargs="+", required=True, help="rendered train texts, one table per family")
    args.add_argument("--puzzles", nargs="+", required=True, help="the train puzzles of the same families")
    args.add_argument("--held-out", nargs="+", required=True, help="puzzles of the evaluation set")
    args.add_argument("--n", type=int, required=True, help="examples per family")
    args.add_argument("--selection", default="all", help="all, or the one stratum to draw from")
    args.add_argument("--seed", type=int, required=True)
    args.add_argument("--out", required=True)
    args = args.parse_args()

    rows = [row for path in args.texts for row in select(Path(path), args.n, args.selection, args.seed)]
    check_no_leak([row["id"] for row in rows], args.puzzles, args.held_out)
    row_rng(args.seed, "mix").shuffle(rows)
    for row in rows:
        row["n_chars"] = len(row["completion"])
        row["hash"] = content_hash(f"{row['prompt']}\n{row['completion']}")
    write_table(
        args.out,
        [{name: row[name] for name in SCHEMA.names} for row in rows],
        SCHEMA,
        params={"n": args.n, "selection": args.selection, "seed": args.seed},
        sources=[*args.texts, *args.puzzles, *args.held_out],
    )


if __name__ == "__main__":
    cli.run(main)
