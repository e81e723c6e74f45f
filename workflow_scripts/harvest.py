"""Turn an arm's own completions of training rows into examples for another arm: those that are verified.

Reads a table of completions of training rows, with their grades and the audit's row per completion, and the rendered
texts of the same rows of one family; writes one row per completion of that family in the form of rendered texts, with
its sample number. `status` is `rendered` for the examples; else it says why a completion is none.

--keep answer: the official grade is right and the completion ended by itself; --keep valid: besides, the audit finds no
fault in any line. Of one row at most --distinct different texts are kept, those sampled first.

    python workflow_scripts/harvest.py --completions results/main/completions/search/seed-1/sample-8/train.parquet \
        --grades results/main/grades/search/seed-1/sample-8/train.parquet \
        --audits results/main/audits/search/seed-1/sample-8/train.rows.parquet \
        --texts results/main/texts/cryptarithm_deduce/search/reveal-0/none/train.parquet \
        --keep valid --distinct 2 --out harvest.parquet
"""

import sys
from collections import Counter, defaultdict
from dataclasses import asdict

import pyarrow as pa

from common import cli
from common.artifacts import read_table, write_table
from common.errors import LabError
from reasoning.grammar.texts import RENDERED, TEXTS, Written
from reasoning.grammar.trace import Box, Malformed, parse_completion
from reasoning.judging.audit import MALFORMED
from reasoning.registry import design_of

HARVEST = TEXTS.append(pa.field("sample", pa.int32()))
SHARED = ("id", "family", "design", "reveal", "prompt", "answer", "stratum", "sample")


def verdicts(path: str, column: str) -> dict[tuple[str, str, int], bool]:
    """(family, id, sample) -> a column of grades or audits."""
    rows = read_table(path, ("family", "id", "sample", column)).to_pylist()
    return {(row["family"], row["id"], row["sample"]): row[column] for row in rows}


def lines_of(text: str, family: str, design: str) -> list[dict]:
    """The lines of a completion as rendered texts keep them."""
    lines = []
    for each in parse_completion(text, design_of(family, design)):
        if isinstance(each, Malformed):
            lines.append(asdict(Written(MALFORMED, each.raw)))
        elif not isinstance(each, Box):
            lines.append(asdict(Written.of(each)))
    return lines


def main() -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--completions", required=True)
    parser.add_argument("--grades", required=True)
    parser.add_argument("--audits", required=True, help="the audit's table with one row per completion")
    parser.add_argument("--texts", required=True, help="the rendered texts of the rows of one family")
    parser.add_argument("--keep", choices=("answer", "valid"), required=True)
    parser.add_argument("--distinct", type=int, default=2, help="different texts of a row at most")
    parser.add_argument("--out", required=True)
    args = parser.parse_args()
    if args.distinct < 1:
        raise LabError(f"{args.distinct} is not at least 1", field="--distinct")
    told = {row["id"]: row for row in read_table(args.texts, ("id", "family", "hidden", "tier")).to_pylist()}
    right, valid = verdicts(args.grades, "official"), verdicts(args.audits, "valid")
    rows, kept, counts = [], defaultdict(set), Counter()
    for row in read_table(args.completions, (*SHARED, "text", "finish")).to_pylist():
        if row["id"] not in told or row["family"] != told[row["id"]]["family"]:
            continue
        which = row["family"], row["id"], row["sample"]
        for table, path in ((right, args.grades), (valid, args.audits)):
            if which not in table:
                raise LabError(f"no row of sample {row['sample']}", file=path, row=row["id"])
        if row["finish"] != "stop":
            status = "cut off"
        elif not right[which]:
            status = "wrong answer"
        elif args.keep == "valid" and not valid[which]:
            status = "right answer, a line at fault"
        elif row["text"] in kept[row["id"]]:
            status = "same as an earlier sample"
        elif len(kept[row["id"]]) == args.distinct:
            status = f"{args.distinct} of this row are kept"
        else:
            status = RENDERED
            kept[row["id"]].add(row["text"])
        counts[status] += 1
        rows.append(
            {
                **{name: row[name] for name in SHARED},
                "hidden": told[row["id"]]["hidden"],
                "tier": told[row["id"]]["tier"],
                "lines": lines_of(row["text"], row["family"], row["design"]),
                "completion": row["text"],
                "n_chars": len(row["text"]),
                "status": status,
                "donor": "",
            }
        )
    if not rows:
        raise LabError(f"no completion of a row of {args.texts}", file=args.completions)
    print("\n".join(f"{n} {status}" for status, n in counts.most_common()), file=sys.stderr)
    sources = [args.completions, args.grades, args.audits, args.texts]
    write_table(args.out, rows, HARVEST, params={"keep": args.keep, "distinct": args.distinct}, sources=sources)


if __name__ == "__main__":
    cli.run(main)
