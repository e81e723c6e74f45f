"""The teacher-forced probe of an adapter: how it likes the rendered traces of rows that it was not trained on.

Reads   --texts T1.parquet ... (rendered texts), --backbone DIR and, if given, --adapter DIR
Writes  --out P.parquet: one row per line of a rendered text (the marks around the thought are the kinds open and close,
        the boxed answer is box, the token that ends the turn is end): n_tokens, logprob (nats, of all its tokens),
        n_first (tokens that greedy decoding would choose, given all before them); of the first that it would not:
        wanted, choice, and their probabilities. Rows without a text are left out.
        --early E.parquet: the same of what was trained after the first steps (DIR/early of the adapter), as far as the
        training kept it; else the table stays empty.

Nothing is decoded: one forward pass per row, so a training can be screened in seconds.

    python workflow_scripts/probe.py --texts results/main/texts/numeral/forward/reveal-0/none/test.parquet \
        --backbone results/main/backbones/small --adapter results/main/adapters/forward-mix/seed-1 --out probe.parquet
"""

import os
import sys
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa

from common import cli
from common.artifacts import read_table, write_table
from common.errors import LabError
from common.progress import progress
from reasoning.grammar.texts import RENDERED

KEPT = ("id", "family", "design", "reveal", "stratum")
PROBE = pa.schema(
    [
        *((name, pa.string()) for name in KEPT),
        ("line", pa.int32()),
        ("kind", pa.string()),
        ("n_tokens", pa.int32()),
        ("logprob", pa.float64()),
        ("n_first", pa.int32()),
        ("wanted", pa.string()),
        ("choice", pa.string()),
        ("wanted_probability", pa.float64()),
        ("choice_probability", pa.float64()),
    ]
)
COLUMNS = (*KEPT, "prompt", "completion", "lines", "status")


def kinds_of(row: dict) -> list[str]:
    """The kind of every line of a rendered completion, and of the token that ends it."""
    frame = ["open", *(line["kind"] for line in row["lines"]), "close"]
    box = row["completion"].count("\n") + 1 - len(frame)
    return [*frame, *["box"] * box, "end"]


def main() -> None:
    p = cli.parser(__doc__)
    p.add_argument("--texts", nargs="+", required=True)
    p.add_argument("--backbone", required=True)
    p.add_argument("--adapter", help="folder of the adapter; none probes the backbone alone")
    p.add_argument("--backbone-options", default="{}", help="JSON, one entry of config/backbones.yaml")
    p.add_argument("--gpus", type=int, default=0, help="0 runs on the CPU")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--early", help="another table, of what the training kept early")
    p.add_argument("--out", required=True)
    args = p.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(args.threads)
    os.environ["HF_HUB_OFFLINE"] = "1"
    from learning.settings import EARLY, BackboneOptions, check_adapter, check_folder

    options = BackboneOptions.read(args.backbone_options)
    check_folder(args.backbone)
    if args.adapter:
        check_adapter(args.adapter)
    elif args.early:
        raise LabError("only a training has something early", field="--early")
    told = [row for path in args.texts for row in read_table(path, COLUMNS).to_pylist() if row["status"] == RENDERED]
    if not told:
        print("no row has a rendered text: the table stays empty", file=sys.stderr)

    from learning import machine

    device = machine.device(args.gpus)

    import torch

    from learning.engines import Opening, Question
    from learning.engines.local import LocalEngine
    from learning.probing import probed

    torch.set_num_threads(args.threads)
    asked = [(args.adapter, args.out)]
    if args.early:
        asked.append((Path(args.adapter, EARLY), args.early))
    for adapter, out in asked:
        table = []
        if adapter is None or Path(adapter).is_dir():
            engine = LocalEngine(Opening(args.backbone, adapter and str(adapter), options, 1, device))
            for row in progress(told, desc="probe"):
                kinds, kept = kinds_of(row), {name: row[name] for name in KEPT}
                for each in probed(engine, Question(row["id"], row["family"], row["prompt"], row["completion"])):
                    table.append({**kept, "kind": kinds[each.line], **asdict(each)})
        write_table(out, table, PROBE, params=options.probes(), sources=args.texts)


if __name__ == "__main__":
    cli.run(main)
