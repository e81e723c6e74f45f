"""Benchmark of decoding on one machine: the engines `slots` and `generate`, and decoders, on the same prompts.

Reads   --texts P.parquet (prompts), --backbone DIR and, if given, --adapter DIR
Writes  --out FILE.json (and the same on stdout): seconds, new tokens and tokens per second of every engine, the ratio
        of slots (rows leave a batch when they end) to plain `generate`, and the share of completions that are the same;
        processor seconds and decoded tokens of greedy, of one and of eight samples of a row, and of power sampling, and
        two ratios: what eight samples cost to greedy, and power sampling's tokens per second to plain sampling's

    python workflow_scripts/bench_decoding.py --texts results/main/texts/numeral/forward/reveal-0/none/test.parquet \
        --backbone results/main/backbones/small --adapter results/main/adapters/forward-mix/seed-1 --out decoding.json
"""

import argparse
import json
import os
import time
from dataclasses import replace
from typing import Any

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

    found, texts, engines = {}, {}, {}
    for name in ("slots", "generate"):
        engine = open_engine(Opening(args.backbone, args.adapter, replace(options, engine=name), args.batch, device))
        engines[name] = engine
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
    costs = {name: cost(decoder, engines["slots"], rows) for name, decoder in decoders(args).items()}
    same = sum(a == b for a, b in zip(texts["slots"], texts["generate"], strict=True)) / len(rows)
    ratio = found["slots"]["tokens_per_s"] / found["generate"]["tokens_per_s"]
    about = {"rows": len(rows), "batch": args.batch, "budget": args.budget, "device": device, "threads": args.threads}
    result = {**about, **found, "slots_to_generate": round(ratio, 3), "same": round(same, 4), "decoders": costs}
    result["eight_samples_to_greedy"] = round(costs["sample-8"]["cpu_s"] / costs["greedy"]["cpu_s"], 3)
    result["power_to_sample"] = round(costs["power"]["tokens_per_s"] / costs["sample"]["tokens_per_s"], 3)
    write_json(args.out, result)
    print(json.dumps(result, indent=1))


def decoders(args: argparse.Namespace) -> dict[str, dict]:
    """The entries whose costs are compared; as in config/decoders.yaml, samples of a row have four times the batch."""
    usual = {"max_tokens": args.budget, "batch": args.batch}
    drawn = usual | {"kind": "sample", "temperature": 0.8, "seed": 1}
    power = {"k": 1, "alpha": 4.0, "temperature": 0.25, "seed": 1, "cut": "uniform", "beta": 1.0, "uniform": 0.0}
    power |= {"kind": "power", "blocks": 4, "steps": 4, "early_stop": True}
    return {
        "greedy": usual | {"kind": "greedy"},
        "sample": drawn | {"k": 1},
        "sample-8": drawn | {"k": 8, "batch": 4 * args.batch},
        "power": usual | power,
    }


def cost(entry: dict, engine: Any, rows: list[dict]) -> dict[str, float]:
    """Processor seconds and tokens of completing every row. On a GPU only the processor's share of the work is seen."""
    from learning.decoders import read_decoder
    from learning.decoders.base import Stream
    from learning.engines import Question

    decoder = read_decoder(entry)
    engine.batch = decoder.batch
    asked = [Question(row["id"], row["family"], row["prompt"]) for row in rows]
    streams = [Stream(i, k, q, engine.begin(q)) for i, q in enumerate(asked) for k in range(decoder.samples)]
    streams.sort(key=lambda stream: (len(stream.beginning), stream.row, stream.sample))
    start = time.process_time()
    tokens = sum(record["n_decoded"] for part in decoder.decode(engine, streams, 1) for record in part)
    seconds = time.process_time() - start
    return {"cpu_s": round(seconds, 2), "tokens": tokens, "tokens_per_s": round(tokens / seconds, 1)}


if __name__ == "__main__":
    cli.run(main)
