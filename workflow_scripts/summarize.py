"""Gather grades, audits, solutions and training metrics into the tables.

Reads the grades and the audits' rows and kinds (paths ending in ARM/seed-S/DECODER/EVAL_SET.parquet), the puzzles with
their solutions, what forward steps derive of them, and each adapter's metrics.jsonl with the provenance.json beside it;
writes accuracy, sets, paired, solvers, traces, kinds and runs to the folder --out, each as .parquet, .csv and .html.

    python workflow_scripts/summarize.py --grades results/main/grades/*/seed-*/greedy/test.parquet \
        --rows results/main/audits/*/seed-*/greedy/test.rows.parquet \
        --kinds results/main/audits/*/seed-*/greedy/test.kinds.parquet --puzzles results/main/puzzles/*/test.parquet \
        --solutions results/main/solutions/*/test.parquet --closures results/main/closures/*/test.parquet \
        --forward results/main/texts/*/forward/reveal-0/none/test.parquet \
        --metrics results/main/adapters/*/seed-*/metrics.jsonl --out tables
"""

import pandas as pd

from common import cli
from measuring import files, tables
from puzzles.checker import official


def main() -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--grades", nargs="+", required=True)
    parser.add_argument("--rows", nargs="+", required=True, help="one row per audited completion")
    parser.add_argument("--kinds", nargs="+", required=True, help="one row per audited kind of line")
    parser.add_argument("--puzzles", nargs="+", required=True)
    parser.add_argument("--solutions", nargs="+", required=True, help="in the order of --puzzles")
    parser.add_argument("--closures", nargs="*", default=[])
    parser.add_argument("--forward", nargs="*", default=[], help="evaluation texts of the forward designs")
    parser.add_argument("--metrics", nargs="*", default=[])
    parser.add_argument("--arms", required=True, help="the table of arms")
    parser.add_argument("--out", required=True)
    args = parser.parse_args()

    grades = tables.read_grades(args.grades)
    accuracy = tables.accuracy(grades, tables.read_arms(args.arms))
    made = {
        "accuracy": accuracy,
        "sets": tables.sets(accuracy),
        "paired": tables.paired(grades),
        "solvers": pd.concat(
            [tables.solvers(args.puzzles, args.solutions, official), tables.derivable(args.closures, args.forward)]
        ),
        "traces": tables.traces(args.rows),
        "kinds": tables.kinds(args.kinds),
        "runs": tables.runs(args.metrics, accuracy),
    }
    for name, frame in made.items():
        files.write(args.out, name, frame)


if __name__ == "__main__":
    cli.run(main)
