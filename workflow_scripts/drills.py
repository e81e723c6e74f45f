"""Make recall drills: questions about the catalog that a family's design recalls from, in the wording of the design.

Writes one row per drill: id, family, prompt, completion, answer, stratum (drill), status, canonical. A corpus mixes
them in where the arm's recipe says so; they are no puzzles, so none can be an evaluation row.

    python workflow_scripts/drills.py --family cryptarithm_deduce --n 10000 --seed 17 --out drills.parquet
"""

import pyarrow as pa

from common import cli
from common.artifacts import write_table
from puzzles.registry import FAMILIES
from reasoning.auxiliary.drills import drills

COLUMNS = ("id", "family", "prompt", "completion", "answer", "stratum", "status", "canonical")


def main() -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--family", required=True, choices=FAMILIES)
    parser.add_argument("--n", type=int, required=True, help="number of drills")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--out", required=True)
    args = parser.parse_args()
    schema = pa.schema([(name, pa.string()) for name in COLUMNS])
    params = {"family": args.family, "n": args.n, "seed": args.seed}
    write_table(args.out, drills(args.family, args.n, args.seed), schema, params=params)


if __name__ == "__main__":
    cli.run(main)
