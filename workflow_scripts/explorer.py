"""One page to read a run by: every completion line by line as the audit judged it, the rendered trace beside it.

Reads the completions of every arm, seed, decoder and evaluation set with their grades and audits, the texts that the
arms were shown, the puzzles, and the folders of imported texts (import_traces.py). Writes a folder whose index.html a
browser opens from the disk: without a server, without a network, loading a row's texts when the row is opened.

    python workflow_scripts/explorer.py --results results/main --arms config/arms.tsv --out results/main/explorer
    python workflow_scripts/explorer.py --traces results/main/traces/mine --out page
"""

from pathlib import Path

from common import cli
from common.errors import LabError
from measuring.explorer.parts import cells_of, imported, write
from measuring.inputs import Run


def main() -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--results", help="folder of the run, such as results/main; none: imported texts alone")
    parser.add_argument("--arms", help="the table of arms")
    parser.add_argument("--eval-sets", nargs="+", default=["test"], help="test, real")
    parser.add_argument("--traces", nargs="*", default=[], help="folders of imported texts")
    parser.add_argument("--out", required=True, help="folder")
    args = parser.parse_args()
    if bool(args.results) != bool(args.arms):
        raise LabError("a run is named by its folder and its table of arms", field="--results, --arms")
    cells = []
    if args.results:
        args.published = ""
        cells = cells_of(Run.of(args))
    cells += map(imported, args.traces)
    write(args.out, Path(args.results or args.out).name, cells)


if __name__ == "__main__":
    cli.run(main)
