"""Make one figure of a run: a module of measuring/figures/.

Reads what the module needs from the run's folder (measuring/inputs.py says which files); writes the figure under every
name given.

    python workflow_scripts/figure.py --name reveal --results results/main --arms config/arms.tsv \\
        --out reveal.png reveal.pdf
"""

from common import cli
from measuring import plots
from measuring.inputs import Run
from measuring.modules import load


def main() -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--name", required=True, help="of a module in measuring/figures/")
    Run.add_arguments(parser)
    parser.add_argument("--out", nargs="+", required=True, help="names ending in .png, .pdf or .svg")
    args = parser.parse_args()

    module, run = load("figure", args.name), Run.of(args)
    figure = module.make(**{need.removeprefix("tables/"): run.read(need) for need in module.NEEDS})
    plots.save(figure, args.out)


if __name__ == "__main__":
    cli.run(main)
