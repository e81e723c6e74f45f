"""Store a finite structure that a model can memorise.

Reads:  nothing; the catalogs follow from the rules alone.
Writes: --out, a Parquet table. `signatures`: one row per signature of a cryptarithm equation with its (rule, digits)
        rows; `bit_sequences`: one row per sequence of eight per-bit rules.

    python workflow_scripts/catalog.py --kind signatures --out results/main/catalogs/signatures.parquet
"""

from common import cli
from common.artifacts import write_table
from puzzles.bit_manipulation import catalog as bit_catalog
from puzzles.cryptarithm import signatures

BUILDERS = {"signatures": signatures.build, "bit_sequences": bit_catalog.build}


def main() -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--kind", choices=BUILDERS, required=True, help="which catalog to build")
    parser.add_argument("--out", required=True, help="the Parquet file to write")
    args = parser.parse_args()
    write_table(args.out, BUILDERS[args.kind](), params={"kind": args.kind})


if __name__ == "__main__":
    cli.run(main)
