"""Figure, the ledger: what every training took, where its loss ended, and what its model reached.

Reads the table runs; writes the figure under every name given.

    python workflow_scripts/figure_runs.py --runs results/main/tables/runs.parquet --out runs.png runs.pdf
"""

from common import cli
from common.artifacts import read_table
from measuring import plots


def main() -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--runs", required=True)
    parser.add_argument("--out", nargs="+", required=True, help="names ending in .png, .pdf or .svg")
    args = parser.parse_args()

    plots.save(plots.runs(read_table(args.runs).to_pandas()), args.out)


if __name__ == "__main__":
    cli.run(main)
