"""One rank of a reinforcement: TRL's trainer, completions by our own decoding loops, rewards by the judges of the job.

What is drawn depends on the seed, the update, the row and the completion's number, so a resumed training goes on as an
uninterrupted one would. At every checkpoint the evaluation rows are completed greedily (HELD_OUT, one line a checkpoint
and stratum).
"""

import json
import os
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from itertools import groupby
from pathlib import Path

import torch
from transformers import TrainerCallback, set_seed

from common.artifacts import read_table
from common.errors import LabError
from learning.backbones import context_of, load_tokenizer
from learning.bar import TokenBar
from learning.engines import Extension, Opening, Request, generate, slots
from learning.methods.base import TrainJob
from learning.rehearsal import rehearse
from learning.tokens import fitting
from learning.training import (
    METRICS,
    Metrics,
    Reached,
    common_arguments,
    fingerprint,
    finish,
    foresee,
    hold,
    last_checkpoint,
    load_trained,
)

os.environ["TRL_EXPERIMENTAL_SILENCE"] = "1"  # that the hook for completions may change: trl is pinned
from datasets import Dataset  # noqa: E402
from trl import GRPOConfig, GRPOTrainer  # noqa: E402
from trl.models import unwrap_model_for_generation  # noqa: E402

HELD_OUT = "held_out.jsonl"
ROW = ("id", "family", "design", "prompt", "hidden", "completion", "answer", "stratum")
"""What a judge may ask of a row."""


class Writer:
    """Completions by the model as it is now, through one of our engines: with rows that leave when they end."""

    def __init__(self, job: TrainJob):
        self.job, self.recipe = job, job.recipe
        kind = slots if job.options.engine == "slots" else generate  # vllm would load a model of its own
        *_, batch = self.recipe.written()
        opening = Opening(job.backbone, None, job.options, batch, job.device)
        self.engine = kind.Engine(opening)

    def write(self, trainer, requests: Sequence[Request], temperature: float) -> list[Extension]:
        """The extensions of the requests, in their order and in that of their seeds."""
        unwrapped = unwrap_model_for_generation(trainer.model_wrapped, trainer.accelerator)
        with unwrapped as wrapped, torch.inference_mode():
            model = self.engine.model = wrapped.get_base_model()
            training, settings = model.training, model.generation_config
            model.eval()
            made = list(self.engine.extend(requests, temperature=temperature))
            model.generation_config = settings
            model.train(training)
        return sorted(made, key=lambda each: (each.request, each.sample))

    def text(self, made: Extension) -> str:
        return self.engine.text(made.tokens)


class Reinforcement(GRPOTrainer):
    """TRL's trainer with completions, rewards and measurements of ours."""

    def __init__(self, *args, writer: Writer, rows: Sequence[Mapping], held_out: Sequence[Mapping], folder: Path, **kw):
        self.writer, self.rows, self.held_out, self.folder = writer, rows, held_out, folder
        super().__init__(*args, reward_funcs=[self.reward], rollout_func=self.complete, **kw)

    def complete(self, prompts: list, trainer) -> dict[str, list]:
        """The hook of TRL: `prompts` are numbers of rows, each as often as this rank completes it."""
        numbers = [int(text) for text in prompts]
        rank, step = self.accelerator.process_index, self.state.global_step
        requests = []
        for number, own in groupby(enumerate(numbers), key=lambda each: each[1]):
            seeds = tuple(seed_of(self.writer.job.seed, step, rank, place, number) for place, _ in own)
            requests.append(Request(self.rows[number]["ids"], self.writer.recipe.tokens, seeds))
        made = self.writer.write(self, requests, self.writer.recipe.temperature)
        return {
            "prompt_ids": [self.rows[number]["ids"] for number in numbers],
            "completion_ids": [each.tokens for each in made],
            "logprobs": None,
            "text": [self.writer.text(each) for each in made],
            "ended": [each.finish == "stop" for each in made],
        }

    def reward(self, prompts: list, text: list[str], ended: list[bool], **kwargs) -> list[float]:
        """The other hook."""
        recipe, judges = self.writer.recipe, self.writer.job.judges
        rows = [self.rows[int(number)] for number in prompts]
        return [recipe.worth(judges, *each) for each in zip(rows, text, ended, strict=True)]

    def _save_checkpoint(self, model, trial):
        super()._save_checkpoint(model, trial)
        self.measure()

    def create_model_card(self, *args, **kwargs):
        """None: the checkpoints are not published."""

    def measure(self) -> None:
        """Complete the evaluation rows greedily, and write down per family and stratum what that is worth."""
        ranks, rank = self.accelerator.num_processes, self.accelerator.process_index
        own = list(self.held_out)[rank::ranks]
        requests = [Request(row["ids"], self.writer.recipe.tokens) for row in own]
        counts: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0] * 6)
        for row, made in zip(own, self.writer.write(self, requests, 0.0), strict=True):
            text, ended = self.writer.text(made), made.finish == "stop"
            right, valid = (self.writer.job.judges[name](row, text) > 0 for name in ("answer", "valid"))
            found = (1, right, valid, right and valid, ended, len(made.tokens))
            which = counts[row["family"], row["stratum"]]
            which[:] = [a + int(b) for a, b in zip(which, found, strict=True)]
        parts = [counts]
        if ranks > 1:
            parts = [None] * ranks
            torch.distributed.all_gather_object(parts, dict(counts))
        if self.is_world_process_zero():
            lines = []
            for family, stratum in sorted({which for part in parts for which in part}):
                sums = map(
                    sum, zip(*(part[family, stratum] for part in parts if (family, stratum) in part), strict=True)
                )
                names = ("n", "right", "valid", "right_and_valid", "ended", "tokens")
                who = {"step": self.state.global_step, "family": family, "stratum": stratum}
                lines.append(json.dumps(who | dict(zip(names, sums, strict=True))) + "\n")
            with open(self.folder / HELD_OUT, "a") as handle:
                handle.write("".join(lines))


class Start(TrainerCallback):
    """Measures before the first update; drops the measurements of updates that a resumed training makes again."""

    def __init__(self):
        self.trainer = None

    def on_train_begin(self, args, state, control, **kwargs):
        path = self.trainer.folder / HELD_OUT
        if self.trainer.is_world_process_zero() and path.exists():
            rows = [json.loads(line) for line in path.read_text().splitlines()]
            kept = [row for row in rows if row["step"] <= state.global_step and state.global_step]
            path.write_text("".join(json.dumps(row) + "\n" for row in kept))
        if state.global_step == 0:
            self.trainer.measure()


class Updates(Metrics):
    """metrics.jsonl, with what an update earned; stops a training that has nothing to learn from."""

    def __init__(self, path: Path, steps: int, main: bool, patience: int):
        super().__init__(path, [0] * steps, main)
        self.patience, self.even = patience, False

    def on_train_begin(self, args, state, control, **kwargs):
        super().on_train_begin(args, state, control, **kwargs)
        self.even = state.global_step == 0

    def on_log(self, args, state, control, logs=None, **kwargs):
        if "loss" not in logs:
            return
        self.tokens[state.global_step - 1] = round(logs["completions/mean_length"] * self.completions(args))
        self.even &= logs["frac_reward_zero_std"] == 1.0
        if self.even and state.global_step == min(self.patience, args.max_steps):
            raise LabError(
                f"in the first {state.global_step} updates every completion of a group was worth the same (mean reward"
                f" {logs['reward']:.3g}): nothing can be learned from that. Rows that the start solves now and then (a"
                " selection, more digits shown), another start, reward prefix, a larger group or a higher temperature"
                " make a difference",
                field="reward",
            )
        super().on_log(args, state, control, logs=logs, **kwargs)

    @staticmethod
    def completions(args) -> int:
        """Completions per update."""
        return args.per_device_train_batch_size * args.gradient_accumulation_steps * args.world_size

    def more(self, logs: Mapping[str, float]) -> dict:
        """See Metrics."""
        return {
            "reward": logs["reward"],
            "reward_std": logs["reward_std"],
            "same_reward": logs["frac_reward_zero_std"],  # share of groups without a difference
            "completion_tokens": logs["completions/mean_length"],
            "cut_off": logs["completions/clipped_ratio"],
            "kl": logs.get("kl"),
            "entropy": logs["entropy"],
        }


def seed_of(*parts: int) -> int:
    """The seed of one completion, below 2^31."""
    return int.from_bytes(blake2b(":".join(map(str, parts)).encode(), digest_size=4).digest(), "big") >> 1


def read_rows(path: str, tokenizer, context: int, n: int = 0) -> list[dict]:
    """The rows of a table (the first n, 0 for all) with the tokens of their prompts, `ids`."""
    rows = read_table(path, ROW).to_pylist()[: n or None]
    prompts = fitting([row["prompt"] for row in rows], [row["id"] for row in rows], tokenizer, context, file=path)
    return [row | {"ids": ids} for row, ids in zip(rows, prompts, strict=True)]


def shared(job: TrainJob) -> tuple[int, int]:
    """(completions of a rank in every update, how many of them it takes through the model at once)."""
    share = job.recipe.batch * job.recipe.group // job.ranks
    most = max(1, job.recipe.micro_tokens // job.recipe.max_length)
    return share, max(n for n in range(1, share + 1) if share % n == 0 and n <= most)


def arguments_of(job: TrainJob, folder: Path) -> GRPOConfig:
    """The recipe in TRL's words; what its defaults would decide is said."""
    recipe = job.recipe
    share, micro = shared(job)
    return GRPOConfig(
        **common_arguments(job, folder),
        per_device_train_batch_size=micro,
        gradient_accumulation_steps=share // micro,
        max_steps=recipe.updates,
        gradient_checkpointing=job.options.checkpointing,
        num_generations=recipe.group,
        generation_batch_size=recipe.batch * recipe.group,
        max_completion_length=recipe.tokens,
        temperature=recipe.temperature,
        beta=recipe.kl,
        top_p=1.0,
        top_k=0,
        min_p=None,
        repetition_penalty=1.0,
        num_iterations=1,
        epsilon=0.2,
        loss_type="grpo",
        scale_rewards="group",
        importance_sampling_level="token",
        mask_truncated_completions=False,
        shuffle_dataset=True,
        disable_dropout=False,
        use_vllm=False,
        log_completions=False,
    )


def train(job: TrainJob) -> None:
    """Run this rank to the end. Rank 0 verifies the adapter and moves it to `job.out`; state is removed only then."""
    tokenizer, context = load_tokenizer(job.backbone), context_of(job.backbone) or 1 << 30
    job.recipe.check(job.options, job.ranks)
    rows = read_rows(job.corpus, tokenizer, context)
    held_out = [row for path in job.texts for row in read_rows(path, tokenizer, context, job.recipe.held_out)]
    folder = Path(job.state) / fingerprint(job)
    folder.mkdir(parents=True, exist_ok=True)
    held = hold(folder)
    _, micro = shared(job)
    longest = max(len(row["ids"]) for row in rows) + job.recipe.tokens
    _, _, flight = job.recipe.written()
    foresee(job, micro * longest, rows=micro, written=flight * longest)
    if held and not last_checkpoint(folder):
        rehearse(job, tokenizer, folder)
    set_seed(job.seed)
    arguments = arguments_of(job, folder)
    main = arguments.process_index == 0
    model, shapes = load_trained(job)
    start, updates = Start(), Updates(folder / METRICS, job.recipe.updates, main, job.recipe.patience)
    trainer = Reinforcement(
        model=model,
        args=arguments,
        train_dataset=Dataset.from_dict({"prompt": [str(i) for i in range(len(rows))]}),
        processing_class=tokenizer,
        callbacks=[start, updates, Reached(model)],
        writer=Writer(job),
        rows=rows,
        held_out=held_out,
        folder=folder,
    )
    start.trainer = trainer
    TokenBar.put_on(trainer, "/".join(Path(job.out).parts[-2:]), [1] * job.recipe.updates, "update")
    started = time.monotonic()
    resumed = last_checkpoint(folder)
    trainer.train(resume_from_checkpoint=resumed)
    finish(
        job,
        trainer,
        shapes,
        rows[0]["ids"],
        folder,
        {
            "rows": len(rows),
            "steps": job.recipe.updates,
            "tokens": sum(updates.tokens),
            "seconds": round(time.monotonic() - started, 1),
            "resumed_from": Path(resumed).name if resumed else None,
            "native_voice": None,
            "hint_accuracy": None,
            "held_out": [json.loads(line) for line in (folder / HELD_OUT).read_text().splitlines()] if main else [],
        },
        held,
    )
