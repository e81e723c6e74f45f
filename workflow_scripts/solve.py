"""Solve every puzzle of a table from its prompt alone, and keep what the solver found.

Reads a puzzles table and a prior, writes one row per puzzle: answer (null where there is none), posterior,
n_consistent, exhaustive, nodes, reason, found (JSON). The hidden rule and key are not read.

    python workflow_scripts/solve.py --puzzles test.parquet --family cipher --prior prior.json --out solutions.parquet
"""

import json
from pathlib import Path

from common import cli
from common.artifacts import read_table, write_table
from common.errors import LabError
from common.progress import progress
from puzzles.base import PromptError
from puzzles.registry import FAMILIES
from puzzles.tables import SOLUTIONS, solution_row


def read_prior(path: str) -> dict:
    """A prior as fit_prior.py wrote it; raises LabError naming the file."""
    try:
        prior = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise LabError("no such file", file=path) from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise LabError(f"not JSON ({error})", file=path) from error
    if not isinstance(prior, dict):
        raise LabError("expected a JSON mapping", file=path)
    return prior


def main() -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--puzzles", required=True)
    parser.add_argument("--family", required=True, choices=FAMILIES)
    parser.add_argument("--prior", help="JSON of fit_prior.py; without it the family's own default")
    parser.add_argument("--out", required=True)
    args = parser.parse_args()
    family = FAMILIES[args.family]
    prior = read_prior(args.prior) if args.prior and family.fit_prior else None
    rows = []
    puzzles = read_table(args.puzzles, ["id", "family", "prompt"]).to_pylist()
    for number, puzzle in enumerate(progress(puzzles, desc=f"solve {args.family}"), 1):
        if puzzle["family"] != args.family:
            message = f"{puzzle['family']!r}, expected {args.family!r}"
            raise LabError(message, file=args.puzzles, row=number, field="family")
        try:
            parsed = family.parse(puzzle["prompt"])
        except PromptError as error:
            raise LabError(str(error), file=args.puzzles, row=number, field="prompt") from error
        rows.append(solution_row(puzzle["id"], args.family, family.solve(parsed, prior)))
    sources = [args.puzzles, *([args.prior] if args.prior else [])]
    write_table(args.out, rows, SOLUTIONS, params={"family": args.family}, sources=sources)


if __name__ == "__main__":
    cli.run(main)
