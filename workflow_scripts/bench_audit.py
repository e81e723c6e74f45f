"""Measure the audit and the renderers: planted errors caught and nothing else marked, rows and lines per second.

Draws rows of every family, renders every design, and plants one error at a time: a field damaged, a verdict turned, a
line left out (reasoning/judging/planted_errors.py says what counts as caught). Writes one row per design, kind of line
and field, and prints, per kind and axis, the share that is caught (recall) and the share of marks that are right
(precision).

    python workflow_scripts/bench_audit.py --n 10000 --out bench.parquet
    python workflow_scripts/bench_audit.py --n 0 --design witness --out bench.parquet     # speed alone
"""

import random
import time
from collections import defaultdict

import pandas as pd
import pyarrow as pa

from common import cli
from common.artifacts import write_table
from common.errors import LabError
from common.progress import progress
from puzzles.base import Problem, Solution, row_rng
from puzzles.registry import FAMILIES
from reasoning.grammar.reveal import THOUGHT, Known, shown_key, shown_prompt
from reasoning.grammar.trace import Box, Design, Unrenderable, completion_of
from reasoning.judging.audit import audit
from reasoning.judging.planted_errors import AXIS_ORDER, Told, errors
from reasoning.registry import DESIGNS

PASSES = 3
"""The fastest counts: the first also builds the catalogs, and others' work on the machine slows some."""
SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("family", "design", "kind", "field", "axis")]
    + [(name, pa.int64()) for name in ("planted", "caught", "true", "clean", "spreads")]
)


def drawn(family: str, n: int, seed: int) -> list[tuple[Problem, object, Solution]]:
    """Generated problems, parsed, with the solution where a design needs one (those with a key do not)."""
    module = FAMILIES[family]
    problems = list(module.generate(row_rng(seed, "bench audit", family), n))
    parsed = [module.parse(problem.prompt) for problem in problems]
    solved = [Solution(None) if p.key else module.solve(row) for p, row in zip(problems, parsed, strict=True)]
    return list(zip(problems, parsed, solved, strict=True))


def render(design: Design, rows: list, seed: int, thought: int) -> tuple[list[Told], float]:
    """Every row at the least, a middle and the greatest number of digits shown, in turn; and the seconds it took."""
    reveals = sorted({design.reveals[0], design.reveals[len(design.reveals) // 2], design.reveals[-1]})
    told, start = [], time.process_time()
    for number, (problem, parsed, solution) in enumerate(rows):
        k = reveals[number % len(reveals)]
        known = Known(shown_key(problem, k, seed=seed) if k else {}, thought=thought)
        try:
            trace = design.render(problem, parsed, solution, known, row_rng(seed, problem.id))
        except Unrenderable:
            continue
        text = completion_of(trace)
        boxed = () if trace.answer is None else (Box(trace.answer),)
        told.append(Told(design.family, shown_prompt(problem.prompt, known), (*trace.lines, *boxed), text))
    return told, time.process_time() - start


def speed(design: Design, told: list[Told]) -> tuple[int, float]:
    """Lines read and checked, and the seconds it took."""
    start = time.process_time()
    lines = sum(len(audit(each.text, each.shown, design)) for each in told)
    return lines, time.process_time() - start


def by_kind(results: pd.DataFrame) -> pd.DataFrame:
    """Recall over the errors that are none of the true ones, precision over the errors: nothing else was marked."""
    table = (
        results.groupby(["kind", "axis"], sort=True)[["planted", "true", "caught", "clean", "spreads"]]
        .sum()
        .reset_index()
    )
    table["recall"] = table.caught / (table.planted - table.true)
    table["precision"] = table.clean / table.planted
    return table


def show(title: str, table: pd.DataFrame) -> None:
    print(f"\n{title}")
    print(table.to_string(index=False, float_format=lambda value: f"{value:.3f}" if value < 100 else f"{value:,.0f}"))


def main() -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--n", type=int, default=10_000, help="errors to plant, over all designs")
    parser.add_argument("--rows", type=int, default=60, help="drawn rows per family")
    parser.add_argument("--family", nargs="+", choices=FAMILIES, default=list(FAMILIES), help="only these")
    parser.add_argument("--design", nargs="+", help="only these")
    parser.add_argument("--thought", type=int, default=THOUGHT, help="characters of a cryptarithm's thought")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", required=True)
    args = parser.parse_args()
    if args.rows < 1 or args.n < 0:
        raise LabError(f"expected at least 1 row and 0 errors, got {args.rows} and {args.n}", field="--rows, --n")
    chosen = {key: d for key, d in sorted(DESIGNS.items()) if key[0] in args.family and key[1] in (args.design or key)}
    if not chosen:
        raise LabError(f"no design {' or '.join(args.design)} of these families", field="--design")
    rows = {family: drawn(family, args.rows, args.seed) for family in progress({f for f, _ in chosen}, "rows")}
    found, speeds = defaultdict(lambda: [0, 0, 0, 0, 0]), []
    for (family, name), design in progress(chosen.items(), desc="designs"):
        passes = [render(design, rows[family], args.seed, args.thought) for _ in range(PASSES)]
        told, rendering = min(passes, key=lambda each: each[1])
        lines, reading = min(speed(design, told) for _ in range(PASSES))
        speeds.append(
            {
                "family": family,
                "design": name,
                "rendered": len(told),
                "rows/s": len(rows[family]) / max(rendering, 1e-9),
            }
            | {"lines": lines, "lines/s": lines / max(reading, 1e-9)}
        )
        for each in errors(told, -(-args.n // len(chosen)), random.Random(f"{args.seed} {family} {name}")):
            cell = found[family, name, each.kind, each.field, each.axis]
            for place, value in enumerate((True, each.caught, each.true, not each.others, each.spreads)):
                cell[place] += value
    results = pd.DataFrame([(*key, *counts) for key, counts in sorted(found.items())], columns=SCHEMA.names)
    write_table(args.out, pa.Table.from_pandas(results, SCHEMA, preserve_index=False), params=vars(args))
    if args.n:
        kinds = by_kind(results)
        show("Planted errors by kind of line and axis (true: another value that is as true)", kinds)
        axes = by_kind(results.assign(kind="all"))
        axes["order"] = axes.axis.map(AXIS_ORDER.index)
        show("Planted errors by axis", axes.sort_values("order").drop(columns="order"))
        under = kinds[(kinds.recall < 0.99) | (kinds.precision < 0.99)]
        print(f"\n{len(kinds) - len(under)} of {len(kinds)} kinds and axes have recall and precision of 0.99 or more")
    show("Speed on one core: rows rendered, lines read and checked per second of processor time", pd.DataFrame(speeds))


if __name__ == "__main__":
    cli.run(main)
