"""Benchmark of training on one machine: packed micro-batches against a plain Trainer, two ranks against one.

Reads   --corpus P.parquet (id, prompt, completion) and --backbone DIR
Writes  --out FILE.json (and the same as a table on stdout): tokens per second of both trainers in one process, their
        loss curves, the ratio, the matrix-multiply rate of the machine and the share of it that training reaches; then
        train.py itself on one and on two ranks that share the same threads, with the time before its first step and
        after its last; and where the time goes. --profile FILE.txt: the profiler's own table of one step

    python workflow_scripts/bench_training.py --corpus results/main/corpora/forward-mix/seed-1.parquet \
        --backbone results/main/backbones/small --steps 12 --threads 2 --out benchmark.json \
        --recipe '{"rank": 32, "alpha": 64, "lr": 0.003, "schedule": "cosine", "batch": 4, "epochs": 1,
        "max_length": 2048}'
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import cli
from common.artifacts import read_table, whole, write_json, write_table
from common.errors import LabError

SCRIPTS = Path(__file__).parent


def train_job(args, corpus: Path, recipe: dict, ranks: int, folder: Path) -> dict[str, float]:
    """One run of train.py: tokens per second after the first step; seconds before it, in steps, and after the last."""
    state = folder / f"state-{ranks}"
    line = [sys.executable, SCRIPTS / "train.py", "--corpus", corpus, "--backbone", args.backbone, "--ranks", ranks]
    line += ["--threads", args.threads, "--out", folder / f"adapter-{ranks}", "--state", state]
    line += ["--recipe", json.dumps(recipe), "--backbone-options", args.backbone_options]
    line += ["--deepspeed", SCRIPTS.parent / "config/deepspeed/zero2.json"]
    begun, first = time.time(), None
    process = subprocess.Popen(list(map(str, line)), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while process.poll() is None and first is None:
        time.sleep(0.01)
        first = next((p.stat().st_mtime for p in state.glob("*/metrics.jsonl") if p.stat().st_size), None)
    _, complaint = process.communicate()
    ended = time.time()
    if process.returncode:
        raise LabError(f"train.py on {ranks} rank(s) failed: {complaint.splitlines()[-1]}")
    steps = [json.loads(row) for row in (folder / f"adapter-{ranks}/metrics.jsonl").read_text().splitlines()]
    seconds = [step["tokens"] / step["tokens_per_s"] for step in steps]
    before = first - begun - seconds[0]
    return {
        "tokens_per_s": round(sum(step["tokens"] for step in steps[1:]) / sum(seconds[1:]), 1),
        "start_s": round(before, 2),
        "steps_s": round(sum(seconds), 2),
        "end_s": round(ended - begun - before - sum(seconds), 2),
        "peak_memory_mb_per_rank": max(step["peak_memory_mb"] for step in steps),
        "last_loss": round(steps[-1]["loss"], 5),
    }


def ranks_compared(args, recipe, folder: Path) -> dict[str, object]:
    """train.py on one and on two ranks: the same rows and steps, and the same threads in total."""
    rows = read_table(args.corpus).slice(0, args.steps * recipe.batch)
    write_table(folder / "corpus.parquet", rows)
    settings = recipe.settings()
    settings |= {"epochs": 1, "first_stage": "", "hint": "none", "share": 0.0, "save_every": 10**6}
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import learning.training"], cwd=SCRIPTS, check=True, capture_output=True)
    imports = time.perf_counter() - begun
    one, two = (train_job(args, folder / "corpus.parquet", settings, ranks, folder) for ranks in (1, 2))
    ratio = two["tokens_per_s"] / one["tokens_per_s"]
    return {
        "one_rank": one,
        "two_ranks": two,
        "two_to_one": round(ratio, 3),
        "overhead_of_two": round(1 / ratio - 1, 3),  # extra time per token
        "imports_s": round(imports, 2),  # of one rank, within start_s
    }


def main() -> None:
    """Run both trainers on the same rows in the same steps."""
    p = cli.parser(__doc__)
    p.add_argument("--corpus", required=True)
    p.add_argument("--backbone", required=True)
    p.add_argument("--backbone-options", default="{}", help="JSON, one entry of config/backbones.yaml")
    p.add_argument("--recipe", required=True, help="JSON, one entry of config/recipes.yaml")
    p.add_argument("--steps", type=int, default=12)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--profile", type=Path, help="text file for the profiler's table")
    p.add_argument("--out", required=True)
    args = p.parse_args()

    os.environ["OMP_NUM_THREADS"] = str(args.threads)
    os.environ["HF_HUB_OFFLINE"] = "1"
    import torch
    from torch.profiler import ProfilerActivity, profile
    from transformers import Trainer, TrainerCallback, TrainingArguments, set_seed

    from learning.backbones import load_model, load_tokenizer
    from learning.machine import keep_freed_memory
    from learning.methods import parse_recipe
    from learning.packing import Collator, MicroBatches, plan
    from learning.settings import BackboneOptions
    from learning.training import PackedTrainer, read_corpus

    torch.set_num_threads(args.threads)
    recipe, options = parse_recipe(args.recipe), BackboneOptions.read(args.backbone_options)
    tokenizer = load_tokenizer(args.backbone)
    units, _ = read_corpus(args.corpus, tokenizer, recipe)
    examples = [example for unit in units for example in unit]
    lengths = [len(e) for e in examples]
    settings = {"batch": recipe.batch, "epochs": recipe.epochs, "ranks": 1, "seed": 0}
    padded, _ = plan(lengths, micro_tokens=1 << 40, **settings)
    packed, per_step = plan(lengths, micro_tokens=recipe.micro_tokens, **settings)
    padded, packed = padded[: args.steps], packed[: args.steps * per_step]

    class Clock(TrainerCallback):
        """Time and loss of every step."""

        def __init__(self):
            self.seconds, self.losses = [], []

        def on_step_begin(self, *_, **__):
            self.start = time.perf_counter()

        def on_step_end(self, *_, **__):
            self.seconds.append(time.perf_counter() - self.start)

        def on_log(self, arguments, state, control, logs=None, **_):
            if "loss" in logs:
                self.losses.append(round(logs["loss"], 5))

    def trainer(kind: type, micros: list, accumulation: int, packing: bool, attention: str, folder: str) -> Trainer:
        set_seed(0)
        entry = BackboneOptions(targets=options.targets, dtype=options.dtype, attention=attention, packing=packing)
        model = recipe.trainable(load_model(args.backbone, entry), entry, None)
        clock = Clock()
        out = kind(
            model=model,
            args=TrainingArguments(
                output_dir=folder,
                per_device_train_batch_size=1,
                gradient_accumulation_steps=accumulation,
                num_train_epochs=1,
                learning_rate=recipe.lr,
                lr_scheduler_type="constant",
                max_grad_norm=recipe.clip,
                logging_steps=1,
                save_strategy="no",
                use_cpu=not torch.cuda.is_available(),
                remove_unused_columns=False,
                report_to=[],
                disable_tqdm=True,
            ),
            train_dataset=MicroBatches(units, micros),
            data_collator=Collator(tokenizer.pad_token_id, packing),
            callbacks=[clock],
        )
        out.clock = clock
        return out

    class Plain(Trainer):
        """The library's Trainer as it is, but for the order of the rows."""

        _get_train_sampler = PackedTrainer._get_train_sampler

    tokens = [sum(lengths[i] for i in step) for step in padded]
    with tempfile.TemporaryDirectory() as folder:
        ranks = ranks_compared(args, recipe, Path(folder))
        plain = trainer(Plain, padded, 1, False, "sdpa", folder)
        plain.train()
        keep_freed_memory()
        ours = trainer(PackedTrainer, packed, per_step, options.packing, options.attention, folder)
        ours.train()
        again = trainer(PackedTrainer, packed[:per_step], per_step, options.packing, options.attention, folder)
        with profile(activities=[ProfilerActivity.CPU]) as trace:
            again.train()
    events = sorted(trace.key_averages(), key=lambda e: -e.self_cpu_time_total)
    spent = sum(e.self_cpu_time_total for e in events)
    if args.profile:
        with whole(args.profile) as partial:
            partial.write_text(trace.key_averages().table(sort_by="self_cpu_time_total", row_limit=30) + "\n")

    device, size = ("cuda", 8192) if torch.cuda.is_available() else ("cpu", 1024)
    a = torch.randn(size, size, dtype=getattr(torch, options.dtype), device=device)
    (a @ a).sum().item()
    start = time.perf_counter()
    for _ in range(20):
        product = a @ a
    product.sum().item()  # waits for the device
    ceiling = 20 * 2 * size**3 / (time.perf_counter() - start)

    def rate(clock: Clock) -> float:
        return sum(tokens[1:]) / sum(clock.seconds[1:])  # the first step warms up

    weights = sum(p.numel() for n, p in ours.model.named_parameters() if p.ndim == 2 and "lora_" not in n)
    adapter = sum(p.numel() for p in ours.model.parameters() if p.requires_grad)
    # A frozen matrix costs a product forward and one backward; a trained one a second one backward.
    flops = rate(ours.clock) * (4 * weights + 6 * adapter)
    widest = [max(lengths[i] for i in step) * len(step) for step in padded]
    result = {
        "plain_tokens_per_s": round(rate(plain.clock), 1),
        "packed_tokens_per_s": round(rate(ours.clock), 1),
        "ratio": round(rate(ours.clock) / rate(plain.clock), 3),
        "padding_share": round(1 - sum(tokens) / sum(widest), 3),
        "plain_loss": plain.clock.losses,
        "packed_loss": ours.clock.losses,
        "largest_loss_difference": max(abs(x - y) for x, y in zip(plain.clock.losses, ours.clock.losses, strict=True)),
        "matmul_gflops": round(ceiling / 1e9, 1),
        "training_gflops": round(flops / 1e9, 1),
        "share_of_ceiling": round(flops / ceiling, 3),
        "ranks": ranks,
        "profile": {e.key: round(e.self_cpu_time_total / spent, 3) for e in events[:12]},
        "threads": args.threads,
        "parameters": weights,
    }
    write_json(args.out, result)
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    cli.run(main)
