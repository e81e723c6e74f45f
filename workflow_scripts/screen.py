"""Screen a design before it is trained: balance and information of its verdicts, lookahead, fetch distance, branching.

Reads rendered texts (of one design, uncorrupted) and the puzzles of the same rows, which say what each row hides.
Writes one row for the design (its kind is "") and one per kind of line; reasoning/judging/screens.py says what each
measure is.

    python workflow_scripts/screen.py --texts results/smoke/texts/cipher/forward/reveal-0/none/train.parquet \\
        --puzzles results/smoke/puzzles/cipher/train.parquet --out screen.parquet
"""

import json

import pyarrow as pa

from common import cli
from common.artifacts import read_table, write_table
from common.errors import LabError
from reasoning.grammar.page import Truth
from reasoning.judging.screens import screen
from reasoning.registry import design_of

SCHEMA = pa.schema(
    [
        ("family", pa.string()),
        ("design", pa.string()),
        ("reveal", pa.string()),
        ("kind", pa.string()),
        ("forced_by", pa.string()),
        ("n_rows", pa.int64()),
        ("share_rendered", pa.float64()),
        ("chars_mean", pa.float64()),
        ("chars_p95", pa.int64()),
        ("n_lines", pa.int64()),
        ("lines_per_row", pa.float64()),
        ("outcomes_declared", pa.int32()),
        ("outcomes_seen", pa.string()),
        ("verdict_top", pa.float64()),
        ("verdict_bits", pa.float64()),
        ("verdict_free", pa.float64()),
        ("verdict_given_line", pa.float64()),
        ("verdict_given_stump", pa.float64()),
        ("unwitnessed", pa.float64()),
        ("unchecked", pa.float64()),
        ("bare", pa.float64()),
        ("recalls", pa.string()),
        ("recalled", pa.float64()),
        ("verdict_kinds", pa.int32()),
        ("one_outcome", pa.int32()),
        ("bare_digits", pa.float64()),
        ("bare_rules", pa.float64()),
        ("wrong_answers", pa.float64()),
        ("undetermined", pa.float64()),
        ("tokens_mean", pa.float64()),
        ("fetch_mean", pa.float64()),
        ("fetch_p95", pa.int64()),
        ("fetch_max", pa.int64()),
        ("fetch_share", pa.float64()),
        ("branching", pa.float64()),
        ("coverage", pa.string()),
        ("flags", pa.string()),
    ]
)


def main() -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--texts", required=True)
    parser.add_argument("--puzzles", required=True, help="of the same rows")
    parser.add_argument("--out", required=True)
    args = parser.parse_args()
    columns = ["id", "family", "design", "reveal", "prompt", "hidden", "completion", "answer", "status"]
    rows = read_table(args.texts, columns).to_pylist()
    named = {(row["family"], row["design"], row["reveal"]) for row in rows}
    if len(named) != 1:
        raise LabError(f"{len(named)} designs or reveals, expected the texts of one", file=args.texts, field="design")
    family, name, reveal = named.pop()
    puzzles = {row["id"]: row for row in read_table(args.puzzles, ["id", "key", "rule"]).to_pylist()}
    for row in rows:
        if row["id"] not in puzzles:
            raise LabError(f"no puzzle {row['id']!r}", file=args.puzzles, field="id")
        hidden = puzzles[row["id"]]
        row["truth"] = Truth.of(json.loads(hidden["key"]), json.loads(hidden["rule"]))
    found = screen(rows, design_of(family, name))
    table = [{"family": family, "design": name, "reveal": reveal, **row} for row in found]
    write_table(args.out, table, SCHEMA, sources=[args.texts, args.puzzles])


if __name__ == "__main__":
    cli.run(main)
