"""Import the rows of one family from the challenge's train.csv, or any CSV with id, prompt and answer.

The whole file is checked, whatever the family. Writes the same columns as generate.py, with split `real`, an empty
rule and key, and tier 0; a family without rows gives an empty table.

    python workflow_scripts/import_real.py --csv train.csv --family cipher --out real.parquet
"""

from common import cli
from common.artifacts import write_table
from puzzles.importer import read_problems
from puzzles.registry import FAMILIES
from puzzles.tables import PUZZLES, problem_row


def main() -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--csv", required=True)
    parser.add_argument("--family", required=True, choices=FAMILIES)
    parser.add_argument("--out", required=True)
    args = parser.parse_args()
    rows = [
        problem_row(problem, "real", row_id)
        for row_id, problem in read_problems(args.csv)
        if problem.family == args.family
    ]
    write_table(args.out, rows, PUZZLES, params={"family": args.family}, sources=[args.csv])


if __name__ == "__main__":
    cli.run(main)
