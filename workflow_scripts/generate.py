"""Draw problems of one family.

Writes one Parquet table: id, family, split, prompt, answer, stratum, tier, rule, key, canonical. A problem belongs to
the split that the hash of its canonical form says, so train and test never share a problem whatever the seeds.

    python workflow_scripts/generate.py --family cipher --split train --n 1000 --seed 1 --out train.parquet
"""

import inspect
import json

from tqdm import tqdm

from common import cli
from common.artifacts import write_table
from common.errors import LabError
from puzzles.base import Problem, row_rng, split_of
from puzzles.registry import FAMILIES
from puzzles.tables import PUZZLES, problem_row

GIVE_UP_AFTER = 200
"""Draws per row asked for before a family is said to have too few problems."""


def options_of(family: str, text: str) -> dict:
    """The generator's options from JSON; raises LabError for what is not a mapping or not an option of the family."""
    try:
        options = json.loads(text)
    except json.JSONDecodeError as error:
        raise LabError(f"not JSON ({error})", field="--options") from error
    known = [
        name
        for name, parameter in inspect.signature(FAMILIES[family].generate).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY or name not in ("rng", "n")
    ]
    if not isinstance(options, dict) or not set(options) <= set(known):
        raise LabError(f"expected a mapping of {', '.join(known) or 'nothing'}, got {text}", field="--options")
    return options


def problems(family: str, split: str, n: int, seed: int, options: dict) -> list[Problem]:
    """`n` different problems of one split, in the order of the draws. Raises LabError when the family has too few."""
    rng, seen, kept = row_rng(seed, family, split), set(), []
    bar = tqdm(total=n, desc=f"{family} {split}", disable=None)
    for problem in FAMILIES[family].generate(rng, GIVE_UP_AFTER * n, **options):
        if split_of(FAMILIES[family].split_by(problem)) == split and problem.canonical not in seen:
            seen.add(problem.canonical)
            kept.append(problem)
            bar.update()
            if len(kept) == n:
                return kept
    raise LabError(f"only {len(kept)} different {split} problems in {GIVE_UP_AFTER * n} draws, {n} asked", field="--n")


def main() -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--family", required=True, choices=FAMILIES)
    parser.add_argument("--split", required=True, choices=("train", "test"))
    parser.add_argument("--n", required=True, type=int, help="rows")
    parser.add_argument("--seed", required=True, type=int)
    parser.add_argument("--options", default="{}", help="options of the family's generator, as JSON")
    parser.add_argument("--out", required=True)
    args = parser.parse_args()
    if args.n < 1:
        raise LabError(f"expected at least 1 row, got {args.n}", field="--n")
    options = options_of(args.family, args.options)
    rows = [problem_row(p, args.split) for p in problems(args.family, args.split, args.n, args.seed, options)]
    params = {"family": args.family, "split": args.split, "n": args.n, "seed": args.seed, "options": options}
    write_table(args.out, rows, PUZZLES, params=params)


if __name__ == "__main__":
    cli.run(main)
