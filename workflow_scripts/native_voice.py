"""Screen a design against a backbone before training: how likely would the backbone begin its trace that way?

Reads rendered texts and a backbone's folder; writes one row per example, the first --rows that are rendered: the
trace's first token, its probability and rank (1: the backbone's own choice), and the backbone's choice with its
probability. A trace whose first token the backbone would never choose is seldom entered when it decodes freely, however
well it predicts the rest (arXiv:2606.21884).

    python workflow_scripts/native_voice.py --texts results/main/texts/numeral/forward/reveal-0/none/train.parquet \
        --backbone results/main/backbones/small --out voice.parquet
"""

import os

import pyarrow as pa

from common import cli
from common.artifacts import read_table, write_table
from common.errors import LabError
from common.progress import progress

SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("id", "family", "design", "reveal", "stratum", "token", "choice")]
    + [("probability", pa.float64()), ("rank", pa.int32()), ("choice_probability", pa.float64())]
)
TEXT_COLUMNS = ("id", "family", "design", "reveal", "stratum", "prompt", "completion", "status")


def main() -> None:
    p = cli.parser(__doc__)
    p.add_argument("--texts", required=True)
    p.add_argument("--backbone", required=True)
    p.add_argument("--backbone-options", default="{}", help="JSON, one entry of config/backbones.yaml")
    p.add_argument("--rows", type=int, default=64)
    p.add_argument("--gpus", type=int, default=0, help="0 runs on the CPU")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--out", required=True)
    args = p.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(args.threads)
    os.environ["HF_HUB_OFFLINE"] = "1"
    from learning.settings import BackboneOptions, check_folder

    options = BackboneOptions.read(args.backbone_options)
    check_folder(args.backbone)
    rows = [row for row in read_table(args.texts, TEXT_COLUMNS).to_pylist() if row["status"] == "rendered"]
    if not rows:
        raise LabError("no rendered row", file=args.texts, field="status")

    from learning import machine

    device = machine.device(args.gpus)

    import torch

    from learning.backbones import load_model, load_tokenizer
    from learning.voice import first_token

    torch.set_num_threads(args.threads)
    tokenizer = load_tokenizer(args.backbone)
    model = load_model(args.backbone, options, device).eval()
    table = [
        {**row, **first_token(model, tokenizer, row["prompt"], row["completion"])}
        for row in progress(rows[: args.rows], desc="native voice")
    ]
    write_table(args.out, table, SCHEMA, params={"rows": args.rows, **options.probes()}, sources=[args.texts])


if __name__ == "__main__":
    cli.run(main)
