"""Select and mix the training examples of one arm.

Reads the rendered train texts of the arm's families, the puzzles they were rendered from, and the puzzles held out for
evaluation; writes one table with n examples per family, shuffled together, each with a content hash. Fails when a
family has too few rendered rows, or when any example is, up to renaming and order, an evaluation row.

With --hint, a share of the same examples is replaced by auxiliary tasks on them (`role` hint; see
reasoning/auxiliary/hints.py), and as many rows outside the selection, up to 64 a family, give the ones that training
measures (`role` hint-test).

With --drills, that many recall drills of each family with a table of them are mixed in (`role` drill).

    python workflow_scripts/corpus.py --texts results/main/texts/numeral/forward/reveal-0/none/train.parquet \
        --puzzles results/main/puzzles/numeral/train.parquet --held-out results/main/puzzles/numeral/test.parquet \
        --n 100 --selection all --seed 17 --out corpus.parquet
"""

import json
from collections import Counter
from pathlib import Path

import pyarrow as pa

from common import cli
from common.artifacts import read_table, write_table
from common.errors import LabError
from puzzles.base import content_hash, row_rng
from puzzles.leaks import check_no_leak
from reasoning.auxiliary.hints import HINTS, hint
from reasoning.auxiliary.selections import parts

SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("id", "family", "prompt", "completion", "answer", "stratum", "role")]
    + [("n_chars", pa.int32()), ("hash", pa.string())]
)
TEXT_COLUMNS = ("id", "family", "prompt", "completion", "answer", "stratum", "status")
PUZZLE_COLUMNS = ("id", "family", "prompt", "answer", "rule", "key")
TASK, HINT, HINT_TEST, DRILL = "task", "hint", "hint-test", "drill"
MEASURED = 64  # rows a family whose hints are kept out of training


def select(
    path: Path, n: int, selection: str, seed: int, columns: tuple[str, ...], puzzles: Path | None = None
) -> tuple[list[dict], list[dict]]:
    """(n rendered rows of a family's texts, drawn by a permutation of ids that depends on the seed alone; the rest).

    Arms that differ in design or in what is shown draw the same rows as far as both rendered them. What a selection can
    be: reasoning/auxiliary/selections.py.
    """
    every = read_table(path, (*columns, *(("lines",) if selection.startswith(("ends", "bad")) else ()))).to_pylist()
    rows = [row for row in every if row["status"] == "rendered"]
    (most, count), *_ = Counter(row["stratum"] for row in every).most_common(1) or [("", 0)]
    if selection == "all" and rows and most not in {row["stratum"] for row in rows}:
        message = f"none of the {count} rows of stratum {most!r} is rendered; the selection may name another one"
        raise LabError(message, file=path, field="selection")
    if selection == "even":
        rules = {row["id"]: json.loads(row["rule"]) for row in read_table(puzzles, ("id", "rule")).to_pylist()}
        rows = [row | {"rule": rules[row["id"]]} for row in rows]
    rows.sort(key=lambda row: content_hash(f"{seed}:{row['id']}"))
    chosen, rest = [], []
    for wanted, belongs, what in parts(selection, n):
        found = [row for row in rows if belongs(row)]
        if len(found) < wanted:
            raise LabError(
                f"{wanted} rows asked for, but of {len(every)} only {len(found)} {what}", file=path, field="n"
            )
        chosen, rest = chosen + found[:wanted], rest + found[wanted:]
    return chosen, rest


def with_hints(
    rows: list[dict], rest: list[dict], puzzles: Path, kind: str, share: float, seed: int
) -> tuple[list[dict], list[dict]]:
    """(the rows, a share of them turned into hints; hints on other rows, to measure by)."""
    every = {row["id"]: row for row in read_table(puzzles, PUZZLE_COLUMNS).to_pylist()}
    wanted = round(share * len(rows))

    def turned(row: dict, role: str) -> dict | None:
        found = hint(kind, row, every[row["id"]], row_rng(seed, kind, row["id"]))
        return found and {**row, "prompt": found[0], "completion": found[1], "answer": found[1], "role": role}

    hints = {row["id"]: made for row in rows if (made := turned(row, HINT))}
    if len(hints) < wanted:
        raise LabError(f"{wanted} rows with hint {kind!r} asked for, {len(hints)} have one", file=puzzles)
    chosen = set(list(hints)[:wanted])
    measured = [made for row in rest[:MEASURED] if (made := turned(row, HINT_TEST))]
    return [hints[row["id"]] if row["id"] in chosen else row for row in rows], measured


def main() -> None:
    args = cli.parser(__doc__)
    args.add_argument("--texts", nargs="+", required=True, help="rendered train texts, one table per family")
    args.add_argument("--puzzles", nargs="+", required=True, help="the train puzzles of the same families")
    args.add_argument("--held-out", nargs="+", required=True, help="puzzles of the evaluation set")
    args.add_argument("--n", type=int, required=True, help="examples per family")
    args.add_argument(
        "--selection",
        default="all",
        help="all, a stratum, even, wrong-N, bad-N or ends-A-B-C (reasoning/auxiliary/selections.py)",
    )
    args.add_argument("--hint", choices=HINTS, default="none", help="auxiliary task")
    args.add_argument("--share", type=float, default=0.0, help="of the examples that become hints")
    args.add_argument("--drills", nargs="*", default=[], help="tables of recall drills, one per family")
    args.add_argument("--n-drills", type=int, default=0, help="drills of each table")
    args.add_argument("--seed", type=int, required=True)
    args.add_argument("--out", required=True)
    args = args.parse_args()

    rows, measured = [], []
    hinted = args.hint != "none"
    if hinted != (0 < args.share < 1):
        raise LabError(f"a share of {args.share} for hint {args.hint!r}; none has 0, another 0..1", field="--share")
    columns = (*TEXT_COLUMNS, "lines") if hinted else TEXT_COLUMNS
    for path, puzzles in zip(args.texts, args.puzzles, strict=True):
        chosen, rest = select(Path(path), args.n, args.selection, args.seed, columns, Path(puzzles))
        if hinted:
            chosen, own = with_hints(chosen, rest, Path(puzzles), args.hint, args.share, args.seed)
            measured += own
        rows += [{"role": TASK, **row} for row in chosen]
    for path in args.drills:
        rows += [{"role": DRILL, **row} for row in select(Path(path), args.n_drills, "all", args.seed, TEXT_COLUMNS)[0]]
    row_rng(args.seed, "mix").shuffle(rows)
    rows += measured
    check_no_leak([row["id"] for row in rows], [*args.puzzles, *args.drills], args.held_out)
    for row in rows:
        row["n_chars"] = len(row["completion"])
        row["hash"] = content_hash(f"{row['prompt']}\n{row['completion']}")
    write_table(
        args.out,
        [{name: row[name] for name in SCHEMA.names} for row in rows],
        SCHEMA,
        params={name: getattr(args, name) for name in ("n", "selection", "hint", "share", "n_drills", "seed")},
        sources=[*args.texts, *args.puzzles, *args.drills, *args.held_out],
    )


if __name__ == "__main__":
    cli.run(main)
