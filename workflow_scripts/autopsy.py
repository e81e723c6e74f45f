"""What an adapter changes, module by module, and which modules it never moved.

Reads   --adapter DIR; with --backbone DIR and --texts P.parquet (prompt, completion) the first-step gradient, too
Writes  --out P.parquet: module, expert (of fused ones), kind, rank, norm of b @ a, effective_rank, dead, first_gradient
        (norm of the gradient of a fresh adapter's b on the first texts; null where not asked for); dead ones on stdout

    python workflow_scripts/autopsy.py --adapter results/main/adapters/derive/seed-1 --out autopsy.parquet
"""

import os
from collections.abc import Callable, Mapping

from common import cli
from common.artifacts import read_table, write_table
from common.errors import LabError


def main() -> None:
    """Measure, and name what is dead."""
    p = cli.parser(__doc__)
    p.add_argument("--adapter", required=True)
    p.add_argument("--backbone")
    p.add_argument("--backbone-options", default="{}", help="JSON, one entry of config/backbones.yaml")
    p.add_argument("--texts")
    p.add_argument("--rows", type=int, default=4, help="texts of the first step")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--out", required=True)
    args = p.parse_args()

    os.environ["OMP_NUM_THREADS"] = str(args.threads)
    os.environ["HF_HUB_OFFLINE"] = "1"
    from types import SimpleNamespace

    from safetensors import SafetensorError

    from learning import adapters, autopsy
    from learning.settings import WEIGHTS, BackboneOptions, check_adapter

    check_adapter(args.adapter)
    try:
        tensors, config = autopsy.read(args.adapter)
    except SafetensorError as error:
        raise LabError(f"not a whole safetensors file ({error})", file=f"{args.adapter}/{WEIGHTS}") from error
    check_pairs(tensors, lambda module: autopsy.rank_of(module, config), f"{args.adapter}/{WEIGHTS}")
    rows = autopsy.examine(tensors, config)
    gradients = {}
    if args.backbone and args.texts:
        from learning.backbones import load_model, load_tokenizer
        from learning.training import tokenized

        options = BackboneOptions.read(args.backbone_options)
        tokenizer = load_tokenizer(args.backbone)
        shape = SimpleNamespace(rank=config["r"], alpha=config["lora_alpha"], dropout=0.0)
        model = adapters.add_lora(load_model(args.backbone, options), shape, options)
        texts = read_table(args.texts, ["prompt", "completion"]).slice(0, args.rows).to_pylist()
        examples = [tokenized(tokenizer, row) for row in texts]
        gradients = autopsy.first_gradients(model, [(e.ids, e.labels) for e in examples])
    write_table(args.out, [{**row, "first_gradient": gradients.get(row["module"])} for row in rows])
    never = autopsy.dead(rows)
    print(f"{len(rows)} updates; {len(never)} modules never moved{': ' if never else ''}{', '.join(never)}")


def check_pairs(tensors: Mapping, rank_of: Callable[[str], int], file: str) -> None:
    """Raise LabError unless the tensors are pairs of A and B whose ranks are those of the configuration."""
    for name, tensor in tensors.items():
        one, other = ("lora_A", "lora_B") if ".lora_A." in name else ("lora_B", "lora_A")
        if (pair := name.replace(f".{one}.", f".{other}.")) not in tensors or pair == name:
            raise LabError(f"{name} has no {other}", file=file)
        rank = rank_of(name.removeprefix("base_model.model.").partition(".lora_")[0])
        if (found := tensor.shape[0 if one == "lora_A" else 1]) % rank:  # of fused experts, one rank after the other
            raise LabError(f"{name} has rank {found}, its configuration says {rank}", file=file)


if __name__ == "__main__":
    cli.run(main)
