"""Write an adapter as servers and challenges take it, and check it by loading it back.

Reads   --adapter DIR, --backbone DIR, --texts P.parquet (prompt, completion; a few of them are compared)
Writes  --out DIR: adapter_config.json and adapter_model.safetensors with the hub checkpoint's own names and one pair of
        matrices per linear layer, adapter.zip of the two, and export.json: ranks, sizes, and what the check found

    python workflow_scripts/export.py --adapter results/main/adapters/derive/seed-1 \
        --backbone results/main/backbones/small --texts results/main/corpora/derive/seed-1.parquet --out export
"""

import json
import os
from pathlib import Path

from common import cli
from common.artifacts import read_table, whole
from common.errors import LabError


def main() -> None:
    """Check the arguments, export, and compare."""
    p = cli.parser(__doc__)
    p.add_argument("--adapter", required=True)
    p.add_argument("--backbone", required=True)
    p.add_argument("--backbone-options", default="{}", help="JSON, one entry of config/backbones.yaml")
    p.add_argument("--texts", required=True)
    p.add_argument("--rows", type=int, default=3, help="texts to compare on")
    p.add_argument(
        "--dtype", default="", choices=("", "float32", "bfloat16", "float16"), help="the backbone's if empty"
    )
    p.add_argument("--rank", type=int, default=32, help="the highest that the server takes")
    p.add_argument("--lose", type=float, default=0.0, help="share of a squared norm that a lower rank may lose")
    p.add_argument("--served", nargs="*", default=[], help="modules that the server takes; all if left out")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--out", type=Path, required=True)
    args = p.parse_args()
    if args.rank < 1 or args.rows < 1:
        raise LabError("--rank and --rows are above zero")
    if not 0 <= args.lose < 1:
        raise LabError(f"{args.lose} is outside [0, 1)", field="--lose")

    os.environ["OMP_NUM_THREADS"] = str(args.threads)
    os.environ["HF_HUB_OFFLINE"] = "1"
    from learning.settings import BackboneOptions, check_adapter, check_folder

    check_folder(args.backbone)
    check_adapter(args.adapter)
    import torch
    from peft import PeftModel

    from learning import export
    from learning.backbones import load_model, load_tokenizer
    from learning.engines.local import attached
    from learning.training import tokenized

    torch.set_num_threads(args.threads)
    options = BackboneOptions.read(args.backbone_options)
    tokenizer = load_tokenizer(args.backbone)
    rows = read_table(args.texts, ["prompt", "completion"]).slice(0, args.rows).to_pylist()
    texts = [tokenized(tokenizer, row).ids for row in rows]
    if not texts:
        raise LabError("no texts to compare on", file=args.texts)
    model = attached(args.backbone, args.adapter, options, "cpu").eval()
    if not isinstance(model, PeftModel):
        raise LabError("every parameter was trained there: it is a model of its own, no adapter", file=args.adapter)
    export.check_loaded(model, Path(args.adapter))
    with whole(args.out) as partial:
        partial.mkdir(parents=True)
        made = export.export(
            model,
            load_model(args.backbone, options).eval(),
            Path(args.backbone),
            partial,
            texts,
            hub=options.hub or Path(args.backbone).name,
            dtype=args.dtype or options.dtype,
            rank=args.rank,
            lose=args.lose,
            served=args.served,
        )
        export.archive(partial, partial / "adapter.zip")
    print(json.dumps(made, indent=1))


if __name__ == "__main__":
    cli.run(main)
