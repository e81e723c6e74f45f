"""Figure, cryptarithms: accuracy against the number of digits shown.

Reads the tables accuracy and solvers and the published numbers; writes the figure under every name given.

    python workflow_scripts/figure_reveal.py --accuracy results/main/tables/accuracy.parquet \
        --solvers results/main/tables/solvers.parquet --published config/published.csv --out reveal.png reveal.pdf
"""

from common import cli
from common.artifacts import read_table
from measuring import plots
from measuring.tables import read_published


def main() -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--accuracy", required=True)
    parser.add_argument("--solvers", required=True)
    parser.add_argument("--published", required=True)
    parser.add_argument("--out", nargs="+", required=True, help="names ending in .png, .pdf or .svg")
    args = parser.parse_args()

    accuracy, solvers = (read_table(path).to_pandas() for path in (args.accuracy, args.solvers))
    plots.save(plots.reveal(accuracy, solvers, read_published(args.published)), args.out)


if __name__ == "__main__":
    cli.run(main)
