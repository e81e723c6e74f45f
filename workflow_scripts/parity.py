"""Decode the same rows greedily by two engines and say where the texts part and whether the scores do.

Reads   --texts T1.parquet ..., --backbone DIR, optionally --adapter DIR; --engines A B, of slots, generate, vllm and
        endpoint (an OpenAI-compatible server that serves the same adapter, --endpoint JSON as in config/backbones.yaml)
Writes  --out DIR: parity.json (share of equal texts, first differing token, accuracies, McNemar's test; by family, too)
        and the completions of each engine, A.parquet and B.parquet, whose metadata name it and its version
Keeps   --state DIR: what is finished; the same command continues from there

    python workflow_scripts/parity.py --engines slots generate --backbone results/main/backbones/small \
        --adapter results/main/adapters/search/seed-1 --rows 50 --state state --out parity \
        --texts results/main/texts/cryptarithm_deduce/search/reveal-0/none/test.parquet
"""

import json
import os
import warnings
from dataclasses import replace
from pathlib import Path

from common import cli
from common.artifacts import read_table, table_note, whole, write_json
from common.errors import LabError


def main() -> None:
    """Check the arguments, decode twice, and compare."""
    p = cli.parser(__doc__)
    p.add_argument("--engines", nargs=2, required=True, metavar=("A", "B"))
    p.add_argument("--backbone", required=True)
    p.add_argument("--adapter")
    p.add_argument("--texts", nargs="+", required=True)
    p.add_argument("--backbone-options", default="{}", help="JSON, one entry of config/backbones.yaml")
    p.add_argument("--endpoint", help="JSON, for the engine endpoint")
    p.add_argument("--rows", type=int, default=200, help="the first so many of each table, 0 for all")
    p.add_argument("--max-tokens", type=int, default=512, help="new tokens per row")
    p.add_argument("--batch", type=int, default=60, help="rows in flight")
    p.add_argument("--gpus", type=int, default=0)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--state", type=Path, required=True)
    p.add_argument("--out", type=Path, required=True)
    args = p.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(args.threads)
    os.environ["HF_HUB_OFFLINE"] = "1"
    warnings.filterwarnings("ignore", category=FutureWarning)  # the libraries' own, about each other
    from learning.decoders import parse_decoder
    from learning.settings import BackboneOptions, check_folder

    check_folder(args.backbone)
    options = BackboneOptions.read(args.backbone_options)
    chosen = {}
    for name in args.engines:
        if name == "endpoint":
            if not args.endpoint:
                raise LabError("the engine endpoint needs its server", field="--endpoint")
            chosen[name] = BackboneOptions.read(json.dumps({"endpoint": json.loads(args.endpoint)}))
        else:
            chosen[name] = replace(options, engine=name)
    if len(chosen) < 2:
        raise LabError(f"{args.engines[0]} is compared with itself", field="--engines")
    decoder = parse_decoder(json.dumps({"kind": "greedy", "max_tokens": args.max_tokens, "batch": args.batch}))

    from learning import machine

    machine.keep_freed_memory()
    device = machine.device(args.gpus)
    import torch

    torch.set_num_threads(args.threads)
    from learning.backbones import load_tokenizer
    from learning.sampling import SampleJob, sample
    from measuring.parity import compare
    from puzzles.checker import grade

    tokenizer = load_tokenizer(args.backbone)
    with whole(args.out) as partial:
        partial.mkdir(parents=True)
        for name, own in chosen.items():
            sample(
                SampleJob(
                    backbone=args.backbone if own.here else "",
                    adapter=args.adapter if own.here else None,
                    texts=tuple(args.texts),
                    options=own,
                    decoder=decoder,
                    device=device,
                    state=str(args.state / name),
                    out=str(partial / f"{name}.parquet"),
                    gpus=args.gpus,
                    rows=args.rows,
                )
            )
        tables = [read_table(partial / f"{name}.parquet").to_pylist() for name in chosen]
        notes = [table_note(partial / f"{name}.parquet")["params"] for name in chosen]
        found = compare(
            *tables,
            tokens=lambda text: tokenizer.encode(text, add_special_tokens=False),
            right=lambda row: grade(row["text"], row["answer"], row["finish"] == "length").official,
        )
        write_json(partial / "parity.json", {"one": notes[0], "other": notes[1], **found})
    short = {k: v for k, v in found.items() if k not in ("first_differing_token", "by_family")}
    print(json.dumps({"engines": args.engines, **short}, indent=1))


if __name__ == "__main__":
    cli.run(main)
