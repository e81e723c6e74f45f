"""Make one table of a run: a module of measuring/tables/.

Reads what the module needs from the run's folder (measuring/inputs.py says which files); writes NAME.parquet, NAME.csv
and NAME.html to the folder --out.

    python workflow_scripts/table.py --name accuracy --results results/main --arms config/arms.tsv --out tables
"""

from common import cli
from measuring import files
from measuring.inputs import Run
from measuring.modules import load


def main() -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--name", required=True, help="of a module in measuring/tables/")
    Run.add_arguments(parser)
    parser.add_argument("--out", required=True, help="folder")
    args = parser.parse_args()

    module, run = load("table", args.name), Run.of(args)
    frame = module.make(**{need.removeprefix("tables/"): run.read(need) for need in module.NEEDS})
    files.write(args.out, args.name, frame)


if __name__ == "__main__":
    cli.run(main)
