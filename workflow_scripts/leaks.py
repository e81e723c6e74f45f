"""Check that an arm was not trained on the rows it is evaluated on.

Reads the corpus of the arm, the train puzzles of its families and the puzzles of one evaluation set; writes a JSON file
that says how many rows were compared. Fails naming the row when a training example is, up to renaming and order, an
evaluation row.

    python workflow_scripts/leaks.py --corpus results/main/corpora/answer-only/seed-1.parquet \\
        --puzzles results/main/puzzles/cryptarithm_deduce/train.parquet \\
        --held-out results/main/puzzles/cryptarithm_deduce/real.parquet --out leaks.json
"""

from common import cli
from common.artifacts import read_table, write_json
from puzzles.leaks import check_no_leak


def main() -> None:
    args = cli.parser(__doc__)
    args.add_argument("--corpus", required=True)
    args.add_argument(
        "--puzzles", nargs="+", required=True, help="the train puzzles (and drills) of the arm's families"
    )
    args.add_argument("--held-out", nargs="+", required=True, help="the puzzles of the evaluation set")
    args.add_argument("--out", required=True)
    args = args.parse_args()

    ids = read_table(args.corpus, ["id"])["id"].to_pylist()
    compared = check_no_leak(ids, args.puzzles, args.held_out)
    write_json(args.out, {"training_rows": len(ids), "held_out_rows": compared, "shared": 0})


if __name__ == "__main__":
    cli.run(main)
