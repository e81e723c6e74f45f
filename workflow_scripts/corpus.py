"""Select and mix the training examples of one arm.

Reads the rendered train texts of the arm's families, the puzzles they were rendered from, and the puzzles held out for
evaluation; writes one table with n examples per family, shuffled together, each with a content hash. Fails when a
family has too few rendered rows, or when any example is, up to renaming and order, an evaluation row.

With --hint, a share of the same examples is replaced by auxiliary tasks on them (`role` hint; see
reasoning/auxiliary/hints.py), and as many rows outside the selection, up to 64 a family, give the ones that training
measures (`role` hint-test).

With --unlearned, the column `unlearned` holds the numbers of the lines that training reads but does not learn, counted
from 0, the opening tag: lines whose test failed (`failed`), or whose test failed or passed (`outcomes`). The texts say
which lines those are; hints and drills have none. With --weights, the column `weights` holds what the loss of every
line counts, by its kind; `box` is the line of the answer.

With --harvests, the examples are another arm's verified completions (of harvest.py, one table per family, in the place
of the rendered texts) but for the share --rendered of them, which are rendered texts. Lines that the arm wrote itself
(`prefix`) are not learned; `rejected` is what it went on with; what has not `ended` is the beginning of a completion;
`valid` tells of its own whole ones whether the audit finds no fault. The note has the counts of the harvests.

With --drills, that many recall drills of each family with a table of them are mixed in (`role` drill).

    python workflow_scripts/corpus.py --texts results/main/texts/numeral/forward/reveal-0/none/train.parquet \
        --puzzles results/main/puzzles/numeral/train.parquet --held-out results/main/puzzles/numeral/test.parquet \
        --n 100 --selection all --seed 17 --out corpus.parquet
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from common import cli
from common.artifacts import read_table, table_note, write_table
from common.errors import LabError
from common.typed import suggestion
from puzzles.base import content_hash, row_rng
from puzzles.leaks import check_no_leak
from reasoning.auxiliary.hints import HINTS, hint
from reasoning.auxiliary.selections import RULED, THIRDS, empty_stratum, narrowed, parts
from reasoning.grammar.lines import FAILED, PASSED

SCHEMA = pa.schema(
    [
        (name, pa.string())
        for name in ("id", "family", "design", "prompt", "hidden", "completion", "answer", "stratum", "role")
    ]
    + [("n_chars", pa.int32()), ("hash", pa.string()), ("unlearned", pa.list_(pa.int32()))]
    + [("weights", pa.list_(pa.float32())), ("prefix", pa.int32()), ("rejected", pa.string()), ("ended", pa.bool_())]
    + [("valid", pa.bool_())]
)
DRILL_COLUMNS = ("id", "family", "prompt", "completion", "answer", "stratum", "status")
TEXT_COLUMNS = (*DRILL_COLUMNS, "design", "hidden")
WHOLE = {"prefix": 0, "rejected": "", "ended": True, "valid": None}
"""The columns that a harvest has beside those of texts, as they are for rendered texts."""
PUZZLE_COLUMNS = ("id", "family", "prompt", "answer", "rule", "key")
TASK, HINT, HINT_TEST, DRILL = "task", "hint", "hint-test", "drill"
UNLEARNED = {"none": (), "failed": (FAILED,), "outcomes": (FAILED, PASSED)}
SETTINGS = ("n", "selection", "rendered", "hint", "share", "unlearned", "weights", "n_drills", "seed")
BOX = "box"  # the kind of the line of the answer
MEASURED = 64  # rows a family whose hints are kept out of training


def select(
    path: Path, n: int, selection: str, seed: int, columns: tuple[str, ...], puzzles: Path
) -> tuple[list[dict], list[dict]]:
    """(n rendered rows of a family's texts, drawn by a permutation of ids that depends on the seed alone; the rest).

    Arms that differ in design or in what is shown draw the same rows as far as both rendered them. What a selection can
    be: reasoning/auxiliary/selections.py.
    """
    read = {"ends": ("lines",), "bad": ("lines",), "tiers": ("tier",)}.get(selection.partition("-")[0], ())
    read += ("n_chars", "tier") if selection in THIRDS else ()
    every = read_table(path, dict.fromkeys((*columns, *read))).to_pylist()
    rows = [row for row in every if row["status"] == "rendered"]
    if empty := empty_stratum(selection, (row["stratum"] for row in every), (row["stratum"] for row in rows)):
        count = sum(row["stratum"] == empty for row in every)
        message = f"none of the {count} rows of stratum {empty!r} is rendered; the selection may name another one"
        raise LabError(message, file=path, field="selection")
    if selection in RULED:
        rules = {row["id"]: json.loads(row["rule"]) for row in read_table(puzzles, ("id", "rule")).to_pylist()}
        if any("query" not in rule for rule in rules.values()):
            message = f"selection {selection!r} is for families whose rows hide a rule for each operator"
            raise LabError(message, file=puzzles, field="rule")
        rows = [row | {"rule": rules[row["id"]]} for row in rows]
    rows.sort(key=lambda row: content_hash(f"{seed}:{row['id']}"))
    rows = narrowed(selection, rows)
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
    if paths is args.harvests:
        columns = (*columns, *WHOLE)
    if len(paths) != len(args.puzzles):
        raise LabError(f"{len(paths)} tables for {len(args.puzzles)} families", field="--texts, --harvests")
    try:
        return select(Path(paths[i]), n, args.selection, args.seed, columns, Path(args.puzzles[i]))
    except LabError as error:
        if paths is not args.harvests:
            raise
        more = "more rows or samples of the source (harvest in the configuration), a lower n, or the recipe's"
        more += " `harvest: answer` give more"
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
        return {
            **row,
            "prompt": prompt,
            "completion": completion,
            "answer": completion,
            "role": role,
            "lines": (),
            **WHOLE,
        }

    hints = {row["id"]: made for row in rows if (made := turned(row, HINT))}
    if len(hints) < wanted:
        raise LabError(f"{wanted} rows with hint {kind!r} asked for, {len(hints)} have one", file=puzzles)
    chosen = set(list(hints)[:wanted])
    measured = [made for row in rest[:MEASURED] if (made := turned(row, HINT_TEST))]
    return [hints[row["id"]] if row["id"] in chosen else row for row in rows], measured


def weights(lines: Sequence[Mapping], by_kind: Mapping[str, float]) -> list[float]:
    """What the loss of every line of a completion counts, from the opening tag to the box; [] where all count 1."""
    kinds = ["", *(line["kind"] for line in lines), "", BOX]
    return [by_kind.get(kind, 1.0) for kind in kinds] if lines and by_kind else []


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
        help="all, right, short, a stratum, ...: see reasoning/auxiliary/selections.py",
    )
    args.add_argument("--hint", choices=HINTS, default="none", help="auxiliary task")
    args.add_argument("--share", type=float, default=0.0, help="of the examples that become hints")
    args.add_argument("--unlearned", choices=UNLEARNED, default="none", help="lines that carry no loss")
    args.add_argument("--weights", type=json.loads, default={}, help="JSON, kind of line: what its loss counts")
    args.add_argument("--drills", nargs="*", default=[], help="tables of recall drills, one per family")
    args.add_argument("--n-drills", type=int, default=0, help="drills of each table")
    args.add_argument("--seed", type=int, required=True)
    args.add_argument("--out", required=True)
    args = args.parse_args()

    rows, measured = [], []
    hinted = args.hint != "none"
    if hinted != (0 < args.share < 1):
        raise LabError(f"a share of {args.share} for hint {args.hint!r}; none has 0, another 0..1", field="--share")
    columns = (*TEXT_COLUMNS, "lines") if hinted or args.weights or args.unlearned != "none" else TEXT_COLUMNS
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
    harvested = [table_note(path)["params"]["counts"] for path in args.harvests]
    row_rng(args.seed, "mix").shuffle(rows)
    rows += measured
    check_no_leak([row["id"] for row in rows], [*args.puzzles, *args.drills], args.held_out)
    known = {line["kind"] for row in rows for line in row.get("lines", ())}
    if unknown := sorted(set(args.weights) - known - {BOX}):
        raise LabError(f"no line of kind {unknown[0]!r}{suggestion(unknown[0], {*known, BOX})}", field="--weights")
    for row in rows:
        for name, value in WHOLE.items():
            row.setdefault(name, value)
        lines = row.get("lines", ())
        tested = [i for i, line in enumerate(lines, 1) if line["result"] in UNLEARNED[args.unlearned]]
        row["unlearned"] = sorted({*range(row["prefix"]), *tested})
        row["weights"] = weights(lines, args.weights)
        row["n_chars"] = len(row["completion"])
        row["hash"] = content_hash(f"{row['prompt']}\n{row['completion']}")
    write_table(
        args.out,
        [{name: row[name] for name in SCHEMA.names} for row in rows],
        SCHEMA,
        params={name: getattr(args, name) for name in SETTINGS} | {"harvested": harvested},
        sources=[*args.texts, *args.harvests, *args.puzzles, *args.drills, *args.held_out],
    )


if __name__ == "__main__":
    cli.run(main)
