"""Benchmark of greedy decoding on one machine: the engines `slots` and `generate` on the same prompts, in one run.

Reads   --texts P.parquet (prompts), --backbone DIR and, if given, --adapter DIR
Writes  --out FILE.json (and the same on stdout): seconds, new tokens and tokens per second of every engine, the ratio
        of slots (rows leave a batch when they end) to plain `generate`, and the share of completions that are the same

    python workflow_scripts/bench_decoding.py --texts results/main/texts/numeral/forward/reveal-0/none/test.parquet \
        --backbone results/main/backbones/small --adapter results/main/adapters/forward-mix/seed-1 --out decoding.json
"""

import json
import os
import time
from dataclasses import replace

from common import cli
from common.artifacts import read_table, write_json
from common.errors import LabError


def main() -> None:
    """Decode the same prompts with each engine, after one short batch that warms it up."""
    p = cli.parser(__doc__)
    p.add_argument("--texts", required=True)
    p.add_argument("--backbone", required=True)
    p.add_argument("--adapter")
    p.add_argument("--backbone-options", default="{}", help="JSON, one entry of config/backbones.yaml")
    p.add_argument("--rows", type=int, default=128)
    p.add_argument("--batch", type=int, default=64, help="rows in flight")
    p.add_argument("--budget", type=int, default=512, help="new tokens per row")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--out", required=True)
    args = p.parse_args()
    for name in ("rows", "batch", "budget", "threads"):
        if getattr(args, name) < 1:
            raise LabError(f"{getattr(args, name)} is not above zero", field=f"--{name}")

    os.environ["OMP_NUM_THREADS"] = str(args.threads)
    os.environ["HF_HUB_OFFLINE"] = "1"
    import torch

    from learning.engines import Opening, Question, Request, open_engine
    from learning.machine import keep_freed_memory
    from learning.settings import BackboneOptions

    torch.set_num_threads(args.threads)
    keep_freed_memory()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    options = BackboneOptions.read(args.backbone_options)
    rows = read_table(args.texts, ["id", "family", "prompt"]).slice(0, args.rows).to_pylist()
    if not rows:
        raise LabError("no rows to complete", file=args.texts)

    found, texts = {}, {}
    for name in ("slots", "generate"):
        engine = open_engine(Opening(args.backbone, args.adapter, replace(options, engine=name), args.batch, device))
        begun = [engine.begin(Question(row["id"], row["family"], row["prompt"])) for row in rows]
        begun.sort(key=len)

        def completed(beginnings, budget, engine=engine):
            return list(engine.extend([Request(each, budget) for each in beginnings]))

        completed(begun[: args.batch], 4)
        start = time.perf_counter()
        done = sorted(completed(begun, args.budget), key=lambda e: e.request)
        seconds = time.perf_counter() - start
        tokens = sum(len(e.tokens) for e in done)
        texts[name] = [tuple(e.tokens) for e in done]
        found[name] = {"seconds": round(seconds, 2), "tokens": tokens, "tokens_per_s": round(tokens / seconds, 1)}
    same = sum(a == b for a, b in zip(texts["slots"], texts["generate"], strict=True)) / len(rows)
    ratio = found["slots"]["tokens_per_s"] / found["generate"]["tokens_per_s"]
    about = {"rows": len(rows), "batch": args.batch, "budget": args.budget, "device": device, "threads": args.threads}
    result = {**about, **found, "slots_to_generate": round(ratio, 3), "same": round(same, 4)}
    write_json(args.out, result)
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    cli.run(main)
