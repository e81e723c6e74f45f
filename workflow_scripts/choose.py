"""Choose one of the samples of every row: self-consistency, best of N, or another kind of selection.

Reads a table of completions with several samples per row; writes the chosen ones, one per row, in the same columns.
`sample` says which one it is; n_decoded counts the tokens of all that it could choose from. A kind that asks whether a
sample is valid (JUDGED) has every line audited, on the prompt alone.

    python workflow_scripts/choose.py --completions results/main/completions/search/seed-1/sample-8/test.parquet \
        --decoder '{"kind": "majority", "of": "sample-8"}' --out maj-8.parquet
"""

import importlib
from itertools import groupby

import pyarrow as pa

from common import cli
from common.artifacts import read_table, table_note, write_table
from common.errors import LabError
from learning.decoders import parse_decoder
from learning.decoders.base import Selection


def main() -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--completions", required=True)
    parser.add_argument("--decoder", required=True, help="JSON, one entry of config/decoders.yaml")
    parser.add_argument("--out", required=True)
    args = parser.parse_args()
    decoder = parse_decoder(args.decoder)
    if not isinstance(decoder, Selection):
        raise LabError("it is no selection; expected a kind that chooses among samples", field="--decoder")
    table = read_table(args.completions)
    columns = ("id", "family", "sample", "text", "n_decoded", "logprob_sum", "logprob_mean")
    rows = read_table(args.completions, (*columns, *(("design", "prompt") if decoder.JUDGED else ()))).to_pylist()
    if decoder.JUDGED:
        # By its name, because only a kind that asks for it depends on the families.
        judge = importlib.import_module("reasoning.judging.judges").JUDGES["valid"]
        rows = [row | {"valid": judge({**row, "hidden": ""}, row["text"]) == 1} for row in rows]
    chosen = []
    numbered = enumerate(rows)
    for (_, row_id), group in groupby(numbered, key=lambda each: (each[1]["family"], each[1]["id"])):
        places, samples = zip(*group, strict=True)
        if len(samples) < 2 or [row["sample"] for row in samples] != list(range(len(samples))):
            found = ", ".join(str(row["sample"]) for row in samples)
            raise LabError(f"samples {found}; expected at least two, from 0 on", file=args.completions, row=row_id)
        samples = samples[: decoder.first or None]
        spent = [row["n_decoded"] for row in samples]
        chosen.append((places[decoder.choose(samples)], None if None in spent else sum(spent)))
    made = table.take([place for place, _ in chosen])
    column = table.schema.field("n_decoded")
    spent = pa.array([total for _, total in chosen], column.type)
    made = made.set_column(made.column_names.index(column.name), column, spent)
    params = {**table_note(args.completions).get("params", {}), "selection": args.decoder}
    write_table(args.out, made, params=params, sources=[args.completions])


if __name__ == "__main__":
    cli.run(main)
