"""Turn an arm's own completions of training rows into examples for another arm: those that are verified.

Reads a table of completions of training rows, with their grades and the audit's row per completion, and the rendered
texts of the same rows of one family; writes one row per completion of that family in the form of rendered texts, with
its sample number. `status` is `rendered` for the examples; else it says why a completion is none.

--keep answer   the official grade is right and the completion ended by itself
--keep valid    besides, the audit finds no fault in any line
--keep solver   the solver's text in place of each completion that `answer` keeps: the control, on the same rows
--keep partial  what `valid` keeps; of another completion the lines before the first one at fault (`ended` is false)
--keep repair   the solver's text where it goes on from the lines before the first one at fault; `prefix` is the number
                of lines that both begin with, the opening tag among them, `rejected` what the model wrote itself

Of one row at most --distinct different ones are kept, those sampled first. `valid` tells of a completion of the arm
that is kept whole whether the audit finds no fault in it. The table's note has the counts of statuses, rows and
different texts.

    python workflow_scripts/harvest.py --completions results/main/completions/search/seed-1/sample-8/train.parquet \
        --grades results/main/grades/search/seed-1/sample-8/train.parquet \
        --audits results/main/audits/search/seed-1/sample-8/train.rows.parquet \
        --texts results/main/texts/cryptarithm_deduce/search/reveal-0/none/train.parquet \
        --keep valid --distinct 2 --out harvest.parquet
"""

import sys
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import asdict

import pyarrow as pa

from common import cli
from common.artifacts import read_table, write_table
from common.errors import LabError
from reasoning.grammar.texts import RENDERED, TEXTS, Written
from reasoning.grammar.trace import Box, Malformed, parse_completion, place_of, spoken
from reasoning.judging.audit import MALFORMED, first_divergence
from reasoning.registry import design_of

HARVEST = pa.schema(
    [
        *TEXTS,
        ("sample", pa.int32()),
        ("prefix", pa.int32()),
        ("rejected", pa.string()),
        ("ended", pa.bool_()),
        ("valid", pa.bool_()),
    ]
)
SHARED = ("id", "family", "design", "reveal", "prompt", "answer", "stratum", "sample")
TOLD = ("id", "family", "hidden", "tier", "completion", "status")
KEEPS = ("answer", "valid", "solver", "partial", "repair")


def verdicts(path: str, *columns: str) -> dict[tuple[str, str, int], dict]:
    """(family, id, sample) -> these columns of grades or audits."""
    rows = read_table(path, ("family", "id", "sample", *columns)).to_pylist()
    return {(row["family"], row["id"], row["sample"]): row for row in rows}


def lines_of(text: str, family: str, design: str) -> list[dict]:
    """The lines of a completion as rendered texts keep them."""
    lines = []
    for each in parse_completion(text, design_of(family, design)):
        if isinstance(each, Malformed):
            lines.append(asdict(Written(MALFORMED, each.raw)))
        elif not isinstance(each, Box):
            lines.append(asdict(Written.of(each)))
    return lines


def example(keep: str, row: Mapping, right: bool, valid: bool, failure: int | None, told: Mapping) -> str | dict:
    """What is kept of a completion (columns of HARVEST beyond the row's own), or why nothing is."""
    whole = {"completion": row["text"], "prefix": 0, "rejected": "", "ended": True, "valid": bool(valid)}
    lines = row["text"].split("\n")
    if keep == "repair":
        if failure is None:
            return "no line at fault"
        if told["status"] != RENDERED:
            return "no text of the solver"
        fault = place_of(row["text"], failure)
        if row["finish"] != "stop" and fault == len(lines) - 1:
            return "cut off"
        if fault != first_divergence(row["text"], told["completion"]):
            return "left the solver's text before its first fault"
        return whole | {"completion": told["completion"], "prefix": fault, "rejected": row["text"], "valid": None}
    if keep == "partial" and failure is not None:
        fault = place_of(row["text"], failure)
        sound = lines[:fault]
        if sum(1 for _ in spoken("\n".join(sound))) == 0:
            return "its first line is at fault"
        return whole | {"completion": "\n".join([*sound, ""]), "ended": False, "valid": None}
    if row["finish"] != "stop":
        return "cut off"
    if not right:
        return "wrong answer"
    if keep in ("valid", "partial") and not valid:
        return "right answer, a line at fault"
    if keep == "solver":
        if told["status"] != RENDERED:
            return "no text of the solver"
        return whole | {"completion": told["completion"], "valid": None}
    return whole


def main() -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--completions", required=True)
    parser.add_argument("--grades", required=True)
    parser.add_argument("--audits", required=True, help="the audit's table with one row per completion")
    parser.add_argument("--texts", required=True, help="the rendered texts of the rows of one family")
    parser.add_argument("--keep", choices=KEEPS, required=True)
    parser.add_argument("--distinct", type=int, default=2, help="different texts of a row at most")
    parser.add_argument("--out", required=True)
    args = parser.parse_args()
    if args.distinct < 1:
        raise LabError(f"{args.distinct} is not at least 1", field="--distinct")
    told = {row["id"]: row for row in read_table(args.texts, TOLD).to_pylist()}
    right, audited = verdicts(args.grades, "official"), verdicts(args.audits, "valid", "failure_line")
    rows, kept, counts, texts = [], defaultdict(list), Counter(), defaultdict(set)
    for row in read_table(args.completions, (*SHARED, "text", "finish")).to_pylist():
        if row["id"] not in told or row["family"] != told[row["id"]]["family"]:
            continue
        which = row["family"], row["id"], row["sample"]
        for table, path in ((right, args.grades), (audited, args.audits)):
            if which not in table:
                raise LabError(f"no row of sample {row['sample']}", file=path, row=row["id"])
        audit = audited[which]
        found = example(
            args.keep, row, right[which]["official"], audit["valid"], audit["failure_line"], told[row["id"]]
        )
        own, earlier = row["text"], kept[row["id"]]
        if isinstance(found, str):
            status = found
            found = {"completion": own, "prefix": 0, "rejected": "", "ended": row["finish"] == "stop", "valid": None}
        else:
            own = found["completion"] if args.keep == "partial" else own
            if own in earlier:
                status = "same as an earlier sample"
            elif args.keep == "partial" and any(other.startswith(own) for other in earlier):
                status = "the beginning of an earlier sample"
            elif len(earlier) == args.distinct:
                status = f"{args.distinct} of this row are kept"
            else:
                status = RENDERED
                earlier.append(own)
        counts[status] += 1
        texts[row["id"]].add(row["text"])
        rows.append(
            {
                **{name: row[name] for name in SHARED},
                **found,
                "hidden": told[row["id"]]["hidden"],
                "tier": told[row["id"]]["tier"],
                "lines": lines_of(found["completion"], row["family"], row["design"]),
                "n_chars": len(found["completion"]),
                "status": status,
                "donor": "",
            }
        )
    if not rows:
        raise LabError(f"no completion of a row of {args.texts}", file=args.completions)
    print("\n".join(f"{n} {status}" for status, n in counts.most_common()), file=sys.stderr)
    sources = [args.completions, args.grades, args.audits, args.texts]
    note = {"statuses": dict(counts), "rows": len(texts), "texts": sum(map(len, texts.values()))}
    params = {"keep": args.keep, "distinct": args.distinct, "counts": note}
    write_table(args.out, rows, HARVEST, params=params, sources=sources)


if __name__ == "__main__":
    cli.run(main)
