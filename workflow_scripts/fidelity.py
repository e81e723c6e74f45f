"""Compare generated rows with real ones, statistic by statistic, and say where they differ.

Reads a CSV with id, prompt and answer, draws rows of the same families, writes a Parquet table (one line per family
and statistic: both summaries, test, effect, p, Holm-corrected p, differs) and, with --report, the same as text.

    python workflow_scripts/fidelity.py --csv train.csv --n 2000 --seed 1 --out fidelity.parquet --report fidelity.txt
"""

import pyarrow as pa

from common import cli
from common.artifacts import whole, write_table
from common.errors import LabError
from common.progress import progress
from puzzles import fidelity
from puzzles.base import row_rng
from puzzles.importer import read_problems
from puzzles.registry import FAMILIES


def main() -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--csv", required=True)
    parser.add_argument("--n", type=int, default=2000, help="drawn rows per family")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--report", help="text file")
    args = parser.parse_args()
    if args.n < 100:
        raise LabError(f"expected at least 100 rows, got {args.n}", field="--n")
    real = [problem for _, problem in read_problems(args.csv)]
    families = [name for name in FAMILIES if name in {problem.family for problem in real}]
    drawn = (
        problem
        for name in progress(families, desc="families")
        for problem in FAMILIES[name].generate(row_rng(args.seed, "fidelity", name), args.n)
    )
    frame = fidelity.report(real, drawn)
    table = pa.Table.from_pandas(frame, preserve_index=False)
    write_table(args.out, table, params={"n": args.n, "seed": args.seed}, sources=[args.csv])
    text = fidelity.text(frame)
    if args.report:
        with whole(args.report) as partial:
            partial.write_text(text, encoding="utf-8")
    print(text.split("\nALL")[0])


if __name__ == "__main__":
    cli.run(main)
