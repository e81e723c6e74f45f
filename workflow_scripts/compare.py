"""One table of all designs: what the screens say of each before training, the study's own numbers beside them.

Reads the screens of any number of designs and the published numbers; writes designs.parquet and designs.csv, one row
per family, design and number of digits shown. `study` is the published run that a design re-implements.

    python workflow_scripts/compare.py --screens results/main/screens/*/*/reveal-0.parquet \\
        --published config/published.csv --out compare
"""

from pathlib import Path

import pyarrow as pa

from common import cli
from common.artifacts import whole, write_table
from measuring import tables


def main() -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--screens", nargs="+", required=True)
    parser.add_argument("--published", required=True)
    parser.add_argument("--out", required=True)
    args = parser.parse_args()
    frame = tables.designs(args.screens, tables.read_published(args.published))
    write_table(Path(args.out) / "designs.parquet", pa.Table.from_pandas(frame, preserve_index=False))
    with whole(Path(args.out) / "designs.csv") as partial:
        frame.to_csv(partial, index=False, float_format="%.4g", lineterminator="\n")


if __name__ == "__main__":
    cli.run(main)
