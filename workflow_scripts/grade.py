"""Grade completions with the challenge's official rule and with the strict one.

Reads a completions table of sample.py, writes one row per completion: id, family, design, reveal, stratum, sample,
official, strict, parsed, boxed, failure, n_tokens.

    python workflow_scripts/grade.py --completions completions.parquet --out grades.parquet
"""

import pyarrow as pa

from common import cli
from common.artifacts import read_table, write_table
from puzzles.checker import grade

KEPT = {
    "id": pa.string(),
    "family": pa.string(),
    "design": pa.string(),
    "reveal": pa.string(),
    "stratum": pa.string(),
    "sample": pa.int32(),
}
GRADES = pa.schema(
    [
        *KEPT.items(),
        ("official", pa.bool_()),
        ("strict", pa.bool_()),
        ("parsed", pa.string()),
        ("boxed", pa.bool_()),
        ("failure", pa.string()),
        ("n_tokens", pa.int32()),
    ]
)


def main() -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--completions", required=True)
    parser.add_argument("--out", required=True)
    args = parser.parse_args()
    rows = []
    for row in read_table(args.completions, [*KEPT, "answer", "text", "n_tokens", "finish"]).to_pylist():
        verdict = grade(row["text"], row["answer"], row["finish"] == "length")
        rows.append(
            {
                **{name: row[name] for name in KEPT},
                "official": verdict.official,
                "strict": verdict.strict,
                "parsed": verdict.parsed,
                "boxed": verdict.boxed,
                "failure": verdict.failure,
                "n_tokens": row["n_tokens"],
            }
        )
    write_table(args.out, rows, GRADES, sources=[args.completions])


if __name__ == "__main__":
    cli.run(main)
