"""Fit a solver's prior on the hidden rules of generated train rows; evaluated rows never reach it.

Reads a puzzles table of generate.py, writes JSON. A family whose solver needs no prior gets its name and row count.

    python workflow_scripts/fit_prior.py --puzzles train.parquet --family bit_manipulation --out prior.json
"""

import json

from common import cli
from common.artifacts import read_table, write_json
from common.errors import LabError
from puzzles.registry import FAMILIES


def main() -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--puzzles", required=True)
    parser.add_argument("--family", required=True, choices=FAMILIES)
    parser.add_argument("--out", required=True)
    args = parser.parse_args()
    rows = read_table(args.puzzles, ["family", "split", "rule"]).to_pylist()
    for number, row in enumerate(rows, 1):
        for field, wanted in (("family", args.family), ("split", "train")):
            if row[field] != wanted:
                raise LabError(f"{row[field]!r}, expected {wanted!r}", file=args.puzzles, row=number, field=field)
    fit = FAMILIES[args.family].fit_prior
    prior = fit([json.loads(row["rule"]) for row in rows]) if fit else {"family": args.family, "rows": len(rows)}
    write_json(args.out, prior)


if __name__ == "__main__":
    cli.run(main)
