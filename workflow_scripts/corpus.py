"""Select and mix the training examples of one arm.

Reads the rendered train texts of the arm's families, the puzzles they were rendered from, and the puzzles held out for
evaluation; writes one table with n examples per family, shuffled together, each with a content hash. Fails when a
family has too few rendered rows, or when any example is, up to renaming and order, an evaluation row.

With --hint, a share of the same examples is replaced by auxiliary tasks on them (`role` hint; see
reasoning/auxiliary/hints.py), and as many rows outside the selection, up to 64 a family, give the ones that training
measures (`role` hint-test).

With --unlearned, the column `unlearned` holds the numbers of the lines that training reads but does not learn, counted
from 0, the opening tag: lines whose test failed (`failed`), or whose test failed or passed (`outcomes`). The texts say
which lines those are; hints and drills have none.

With --harvests, the examples are another arm's verified completions (of harvest.py, one table per family, in the place
of the rendered texts) but for the share --rendered of them, which are rendered texts.

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
from reasoning.grammar.lines import FAILED, PASSED

SCHEMA = pa.schema(
    [
        (name, pa.string())
        for name in ("id", "family", "design", "prompt", "hidden", "completion", "answer", "stratum", "role")
    ]
    + [("n_chars", pa.int32()), ("hash", pa.string()), ("unlearned", pa.list_(pa.int32()))]
)
DRILL_COLUMNS = ("id", "family", "prompt", "completion", "answer", "stratum", "status")
TEXT_COLUMNS = (*DRILL_COLUMNS, "design", "hidden")
PUZZLE_COLUMNS = ("id", "family", "prompt", "answer", "rule", "key")
TASK, HINT, HINT_TEST, DRILL = "task", "hint", "hint-test", "drill"
UNLEARNED = {"none": (), "failed": (FAILED,), "outcomes": (FAILED, PASSED)}
SETTINGS = ("n", "selection", "rendered", "hint", "share", "unlearned", "n_drills", "seed")
MEASURED = 64  # rows a family whose hints are kept out of training


def select(
    path: Path, n: int, selection: str, seed: int, columns: tuple[str, ...], puzzles: Path
) -> tuple[list[dict], list[dict]]:
    """(n rendered rows of a family's texts, drawn by a permutation of ids that depends on the seed alone; the rest).

    Arms that differ in design or in what is shown draw the same rows as far as both rendered them. What a selection can
    be: reasoning/auxiliary/selections.py.
    """
    wanted = ("lines",) if selection.startswith(("ends", "bad")) else ("tier",) if selection.startswith("tiers") else ()
    every = read_table(path, dict.fromkeys((*columns, *wanted))).to_pylist()
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
            others = Counter(row["status"] for row in every if row["status"] != "rendered").most_common(4)
            why = "".join(f"; {count}: {status}" for status, count in others)
            message = f"{wanted} rows asked for, but of {len(every)} only {len(found)} {what}{why}"
            raise LabError(message, file=path, field="n")
        chosen, rest = chosen + found[:wanted], rest + found[wanted:]
    return tuple([{name: row[name] for name in columns} for row in each] for each in (chosen, rest))


def part(paths: list[str], i: int, n: int, args, columns: tuple[str, ...]) -> tuple[list[dict], list[dict]]:
    """(n examples of family number i from its table, the rest of the table)."""
    if len(paths) != len(args.puzzles):
        raise LabError(f"{len(paths)} tables for {len(args.puzzles)} families", field="--texts, --harvests")
    try:
        return select(Path(paths[i]), n, args.selection, args.seed, columns, Path(args.puzzles[i]))
    except LabError as error:
        if paths is not args.harvests:
            raise
        more = "more rows or samples of the source, a lower n, or the recipe's `harvest: answer` give more"
        raise LabError(f"{error.message}. {more}", file=error.file, field=error.field) from None


def with_hints(
    rows: list[dict], rest: list[dict], puzzles: Path, kind: str, share: float, seed: int
) -> tuple[list[dict], list[dict]]:
    """(the rows, a share of them turned into hints; hints on other rows, to measure by)."""
    every = {row["id"]: row for row in read_table(puzzles, PUZZLE_COLUMNS).to_pylist()}
    wanted = round(share * len(rows))

    def turned(row: dict, role: str) -> dict | None:
        found = hint(kind, row, every[row["id"]], row_rng(seed, kind, row["id"]))
        if found is None:
            return None
        prompt, completion = found
        return {**row, "prompt": prompt, "completion": completion, "answer": completion, "role": role, "lines": ()}

    hints = {row["id"]: made for row in rows if (made := turned(row, HINT))}
    if len(hints) < wanted:
        raise LabError(f"{wanted} rows with hint {kind!r} asked for, {len(hints)} have one", file=puzzles)
    chosen = set(list(hints)[:wanted])
    measured = [made for row in rest[:MEASURED] if (made := turned(row, HINT_TEST))]
    return [hints[row["id"]] if row["id"] in chosen else row for row in rows], measured


def main() -> None:
    args = cli.parser(__doc__)
    args.add_argument("--texts", nargs="*", default=[], help="rendered train texts, one table per family")
    args.add_argument("--harvests", nargs="*", default=[], help="verified completions, one table per family")
    args.add_argument("--rendered", type=float, default=0.0, help="share that are rendered texts all the same")
    args.add_argument("--puzzles", nargs="+", required=True, help="the train puzzles of the same families")
    args.add_argument("--held-out", nargs="+", required=True, help="puzzles of the evaluation set")
    args.add_argument("--n", type=int, required=True, help="examples per family")
    args.add_argument(
        "--selection",
        default="all",
        help="all, right, even, a stratum, tiers-N, wrong-N, bad-N or ends-A-B-C (reasoning/auxiliary/selections.py)",
    )
    args.add_argument("--hint", choices=HINTS, default="none", help="auxiliary task")
    args.add_argument("--share", type=float, default=0.0, help="of the examples that become hints")
    args.add_argument("--unlearned", choices=UNLEARNED, default="none", help="lines that carry no loss")
    args.add_argument("--drills", nargs="*", default=[], help="tables of recall drills, one per family")
    args.add_argument("--n-drills", type=int, default=0, help="drills of each table")
    args.add_argument("--seed", type=int, required=True)
    args.add_argument("--out", required=True)
    args = args.parse_args()

    rows, measured = [], []
    hinted = args.hint != "none"
    if hinted != (0 < args.share < 1):
        raise LabError(f"a share of {args.share} for hint {args.hint!r}; none has 0, another 0..1", field="--share")
    columns = (*TEXT_COLUMNS, "lines") if hinted or args.unlearned != "none" else TEXT_COLUMNS
    n_rendered = round(args.rendered * args.n) if args.harvests else args.n
    sources = [(args.harvests, args.n - n_rendered), (args.texts, n_rendered)]
    for i, puzzles in enumerate(args.puzzles):
        chosen, rest = [], []
        for paths, n in sources:
            if paths:
                for found, more in zip((chosen, rest), part(paths, i, n, args, columns), strict=True):
                    found += more
        if hinted:
            chosen, own = with_hints(chosen, rest, Path(puzzles), args.hint, args.share, args.seed)
            measured += own
        rows += [{"role": TASK, **row} for row in chosen]
    for path in args.drills:
        drills, _ = select(Path(path), args.n_drills, "all", args.seed, DRILL_COLUMNS, Path(path))
        rows += [{"role": DRILL, "design": "", "hidden": "", **row} for row in drills]
    row_rng(args.seed, "mix").shuffle(rows)
    rows += measured
    check_no_leak([row["id"] for row in rows], [*args.puzzles, *args.drills], args.held_out)
    for row in rows:
        results = [line["result"] for line in row.get("lines", ())]
        row["unlearned"] = [i for i, result in enumerate(results, 1) if result in UNLEARNED[args.unlearned]]
        row["n_chars"] = len(row["completion"])
        row["hash"] = content_hash(f"{row['prompt']}\n{row['completion']}")
    write_table(
        args.out,
        [{name: row[name] for name in SCHEMA.names} for row in rows],
        SCHEMA,
        params={name: getattr(args, name) for name in SETTINGS},
        sources=[*args.texts, *args.harvests, *args.puzzles, *args.drills, *args.held_out],
    )


if __name__ == "__main__":
    cli.run(main)
