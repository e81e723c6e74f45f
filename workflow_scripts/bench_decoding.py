"""Benchmark of greedy decoding on one machine: the engines of learning/decoding.py on the same prompts, in one run.

Reads   --texts P.parquet (prompts), --backbone DIR and, if given, --adapter DIR
Writes  --out FILE.json (and the same on stdout): seconds, new tokens and tokens per second of every engine, the ratio
        of slots (rows leave a batch when they end) to plain `generate`, and the share of completions that are the same

    python workflow_scripts/bench_decoding.py --texts results/main/texts/numeral/forward/reveal-0/none/test.parquet \
        --backbone results/main/backbones/small --adapter results/main/adapters/forward-mix/seed-1 --out decoding.json
"""

import json
import os
import time

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

    from learning.backbones import context_of, end_tokens
    from learning.decoding import ENGINES
    from learning.launch import keep_freed_memory
    from learning.local import encode, load
    from learning.sampling import Job, Question
    from learning.settings import BackboneOptions

    torch.set_num_threads(args.threads)
    keep_freed_memory()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    options = BackboneOptions.read(args.backbone_options)
    job = Job(args.backbone, args.adapter, (args.texts,), options, args.budget, args.batch, device, "", args.out)
    model, tokenizer = load(job)
    rows = read_table(args.texts, ["id", "family", "prompt"]).slice(0, args.rows).to_pylist()
    if not rows:
        raise LabError("no rows to complete", file=args.texts)
    questions = {i: Question(row["id"], row["family"], row["prompt"]) for i, row in enumerate(rows)}
    window = context_of(args.backbone) or 1 << 30
    prompts = list(encode(tokenizer, questions, window).values())
    end = end_tokens(args.backbone, tokenizer)
    shared = {"batch": args.batch, "end": end, "pad": tokenizer.pad_token_id, "window": window}

    found, texts = {}, {}
    for name, engine in ENGINES.items():
        list(engine(model, prompts[: args.batch], budget=4, **shared))
        start = time.perf_counter()
        done = sorted(engine(model, prompts, budget=args.budget, **shared), key=lambda c: c.row)
        seconds = time.perf_counter() - start
        tokens = sum(len(c.tokens) for c in done)
        texts[name] = [tuple(c.tokens) for c in done]
        found[name] = {"seconds": round(seconds, 2), "tokens": tokens, "tokens_per_s": round(tokens / seconds, 1)}
    same = sum(a == b for a, b in zip(texts["slots"], texts["generate"], strict=True)) / len(rows)
    ratio = found["slots"]["tokens_per_s"] / found["generate"]["tokens_per_s"]
    about = {"rows": len(rows), "batch": args.batch, "budget": args.budget, "device": device, "threads": args.threads}
    result = {**about, **found, "slots_to_generate": round(ratio, 3), "same": round(same, 4)}
    write_json(args.out, result)
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    cli.run(main)
