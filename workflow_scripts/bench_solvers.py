"""Measure the solvers: accuracy by stratum, coverage, calibration, time per row; and the generators' throughput.

Rows come from a CSV with id, prompt and answer (the family is told from the prompt) or, without one, are drawn.
Writes one row per puzzle (id, family, stratum, prediction, official, strict, posterior, exhaustive, nodes, ms) and
prints the tables. Priors are the families' own defaults unless a folder of fit_prior.py's files is given; they never
see the rows that are scored. With --figure, time per row against the size of the search space.

    python workflow_scripts/bench_solvers.py --rows train.csv --out bench.parquet
    python workflow_scripts/bench_solvers.py --n 500 --out bench.parquet --figure bench.png
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa

from common import cli
from common.artifacts import whole, write_table
from common.errors import LabError
from common.progress import progress
from puzzles import bench
from puzzles.base import AnswerError, Problem, PromptError, row_rng
from puzzles.importer import problem_of, read_csv
from puzzles.registry import FAMILIES, family_of

TYPES = {"official": pa.bool_(), "strict": pa.bool_(), "exhaustive": pa.bool_(), "nodes": pa.int64()}
TYPES |= {"posterior": pa.float64(), "ms": pa.float64()}
SCHEMA = pa.schema([(name, TYPES.get(name, pa.string())) for name in bench.COLUMNS])


def drawn(families: list[str], n: int, seed: int) -> Iterator[tuple[str, Problem]]:
    """`n` generated rows per family."""
    for name in families:
        for problem in FAMILIES[name].generate(row_rng(seed, "bench", name), n):
            yield problem.id, problem


def given(path: str) -> Iterator[tuple[str, Problem]]:
    """The rows of a CSV. Of a malformed prompt only the family is told; it counts as not answered and is reported."""
    for number, row_id, prompt, answer in read_csv(path):
        try:
            name = family_of(prompt)
        except PromptError as error:
            raise LabError(str(error), file=path, row=number, field="prompt") from error
        try:
            yield row_id, problem_of(prompt, answer)
        except PromptError as error:
            print(f"{path}: row {number}, field prompt: {error}", file=sys.stderr)
            yield row_id, Problem(name, prompt, answer, stratum="malformed")
        except AnswerError as error:
            raise LabError(str(error), file=path, row=number, field="answer") from error


def read_priors(folder: str | None) -> dict[str, dict]:
    """FOLDER/{family}.json of the families that use a prior; {} without a folder."""
    if folder is None:
        return {}
    priors = {}
    for name in (name for name, family in FAMILIES.items() if family.fit_prior):
        path = Path(folder) / f"{name}.json"
        try:
            priors[name] = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise LabError("no such file, expected a prior of fit_prior.py", file=path) from error
        except json.JSONDecodeError as error:
            raise LabError(f"not JSON ({error})", file=path) from error
    return priors


def plot(rows: pd.DataFrame, path: str) -> None:
    """Time per row against the search space that brute force would face, and against the nodes that were visited."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.5), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    for i, family in enumerate(name for name in FAMILIES if name in set(rows.family)):
        part = rows[rows.family == family]
        style = {"s": 9, "alpha": 0.5, "color": f"C{i}", "label": family, "linewidths": 0}
        left.scatter(10**part.space, part.ms, **style)
        right.scatter(part.nodes.clip(lower=1), part.ms, **style)
    for axis, label in (
        (left, "configurations that brute force would try"),
        (right, "nodes that the solver visited"),
    ):
        axis.set(xscale="log", yscale="log", xlabel=label)
        axis.grid(alpha=0.3)
    left.set_ylabel("ms per row")
    figure.legend(*left.get_legend_handles_labels(), loc="outside right upper", markerscale=2, frameon=False)
    with whole(path) as partial:
        figure.savefig(partial, format=Path(path).suffix[1:] or "png", dpi=150)


def show(title: str, table: pd.DataFrame) -> None:
    print(f"\n{title}")
    print(table.to_string(index=False, float_format=lambda value: f"{value:.3f}" if value < 1000 else f"{value:,.0f}"))


def main() -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--rows", help="CSV with id, prompt, answer; without it rows are drawn")
    parser.add_argument("--n", type=int, default=500, help="drawn rows per family")
    parser.add_argument("--family", nargs="+", choices=FAMILIES, default=list(FAMILIES), help="only these")
    parser.add_argument("--seed", type=int, default=0, help="of the drawn rows")
    parser.add_argument("--priors", help="folder with {family}.json")
    parser.add_argument("--out", required=True)
    parser.add_argument("--figure", help="image file: time per row against search-space size")
    args = parser.parse_args()
    if args.n < 1:
        raise LabError(f"expected at least 1 row, got {args.n}", field="--n")
    if args.figure and Path(args.figure).suffix not in (".png", ".pdf", ".svg"):
        raise LabError(f"expected a .png, .pdf or .svg file, got {args.figure}", field="--figure")
    source = list(given(args.rows) if args.rows else drawn(args.family, args.n, args.seed))
    source = [(row_id, problem) for row_id, problem in source if problem.family in args.family]
    rows = bench.measure(progress(source, desc="solve"), read_priors(args.priors))

    table = pa.Table.from_pandas(rows, SCHEMA, preserve_index=False)
    write_table(args.out, table, params=vars(args), sources=[args.rows] if args.rows else [])
    if args.figure:
        plot(rows, args.figure)
    origin = args.rows or "drawn rows"
    show(f"Accuracy on {origin} (expected: mean of the solver's own posterior)", bench.accuracy(rows))
    show("Time per row, parsing and solving, one core, one untimed row per family first", bench.times(rows))
    show("Calibration: share right (exact string) per bin of the solver's posterior", bench.calibration(rows))
    if not args.rows:
        show("Generators, rows per CPU second", bench.throughput(args.seed, args.family))


if __name__ == "__main__":
    cli.run(main)
