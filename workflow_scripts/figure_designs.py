"""Figure, per cryptarithm design: accuracy without a shown key, by stratum.

Reads the tables accuracy and paired and the published numbers; writes the figure under every name given.

    python workflow_scripts/figure_designs.py --accuracy results/main/tables/accuracy.parquet \
        --paired results/main/tables/paired.parquet --published config/published.csv --out designs.png designs.pdf
"""

from common import cli
from common.artifacts import read_table
from measuring import plots
from measuring.tables import read_published


def main() -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--accuracy", required=True)
    parser.add_argument("--paired", required=True)
    parser.add_argument("--published", required=True)
    parser.add_argument("--out", nargs="+", required=True, help="names ending in .png, .pdf or .svg")
    args = parser.parse_args()

    accuracy, paired = (read_table(path).to_pandas() for path in (args.accuracy, args.paired))
    plots.save(plots.designs(accuracy, paired, read_published(args.published)), args.out)


if __name__ == "__main__":
    cli.run(main)
