"""One rank of a supervised training, whatever part of the model it trains.

The library's Trainer over DeepSpeed, fed by a fixed plan of packed micro-batches.
"""

import dataclasses
import fcntl
import hashlib
import json
import math
import os
import re
import resource
import shutil
import sys
import time
from bisect import bisect_right
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from peft import PeftModel
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import SequentialSampler
from transformers import Trainer, TrainerCallback, TrainingArguments, get_scheduler, set_seed
from transformers.integrations.deepspeed import unset_hf_deepspeed_config

from common.artifacts import file_hash, read_table, whole, write_json
from common.errors import LabError
from learning import adapters, autopsy, voice
from learning.backbones import context_of, load_model, load_tokenizer
from learning.bar import TokenBar
from learning.loss import summed_loss
from learning.methods.base import Supervised, TrainJob, n_steps
from learning.packing import Collator, Example, MicroBatches, plan
from learning.precision import computing, has_bf16
from learning.rehearsal import rehearse
from learning.settings import EARLY, model_files
from learning.token_screen import LOOKED, warning
from learning.tokens import completion_ids, fitting, prompt_ids, require_characters

DONE = "complete"  # written into a checkpoint after everything else: without it the checkpoint is not resumed
VOICED = 16  # rows on which the native voice is measured
OPTIONAL = ("role", "unlearned", "weights", "prefix", "rejected", "ended")  # columns of a corpus
HINT_TEST = "hint-test"  # the role of the corpus rows that are no examples
METRICS, PROVENANCE, BEFORE = "metrics.jsonl", "provenance.json", "before.json"


def fingerprint(job: TrainJob) -> str:
    """Hash of everything that affects the result: a checkpoint is resumed only by a job with the same one."""
    weights = [file_hash(path) for path in model_files(job.backbone)]
    start = [file_hash(Path(job.start, name)) for name in (adapters.WEIGHTS, adapters.CONFIG)] if job.start else []
    parts = [job.recipe.settings(), job.options.trains(), job.deepspeed, job.seed, job.ranks, job.device]
    text = json.dumps([weights, start, file_hash(job.corpus), *parts], sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def read_corpus(
    path: str, tokenizer, recipe: Supervised, context: int | None = None
) -> tuple[list[list[Example]], list[int]]:
    """(the corpus as tokens, in the units that are learned together, the units of the first stage).

    Raises LabError for an empty corpus, a lost character, a row above `recipe.max_length` or the backbone's context, or
    without anything to learn.
    """
    rows = corpus_rows(path, recipe)
    if not rows:
        raise LabError("the corpus has no rows", file=path)
    texts = [row["prompt"] + "\n" + row["completion"] for row in rows]
    require_characters(tokenizer, texts, [row["id"] for row in rows], file=path)
    units = []
    for number, group in enumerate(recipe.units(rows)):
        units.append([])
        for row in group:
            example = dataclasses.replace(tokenized(tokenizer, row), group=number if recipe.GROUPED else -1)
            check_length(example, recipe, context, path, row["id"])
            if not row["completion"] or len(example.unlearned) == len(example.completion):
                raise LabError("nothing to learn", file=path, row=row["id"], field="completion")
            units[-1].append(example)
    first = []
    if recipe.first_stage:
        labels = [f"{row['family']}/{row['stratum']}" for row in rows]
        first = [i for i, label in enumerate(labels) if re.search(recipe.first_stage, label)]
        if len(first) in (0, len(rows)):
            raise LabError(
                f"{recipe.first_stage!r} is found in {len(first)} of {len(rows)} rows, which makes no two stages;"
                f" the rows are {', '.join(sorted(set(labels)))}",
                file=path,
                field="first_stage",
            )
    return units, first


def corpus_rows(path: str, recipe: Supervised) -> list[dict]:
    """The examples of a corpus; what its columns may leave out is as it is for rendered texts."""
    needed = {"id", "prompt", "completion"} | ({"family", "stratum"} if recipe.first_stage else set())
    needed |= {"role"} if recipe.hint != "none" else set()
    needed |= {"unlearned"} if recipe.unlearned != "none" else set()
    needed |= {"weights"} if recipe.weights else set()
    read_table(path, needed)  # for its complaint
    found = read_table(path)
    columns = [name for name in found.column_names if name in needed or name in OPTIONAL]
    return [row for row in found.select(columns).to_pylist() if row.get("role") != HINT_TEST]


def check_length(example: Example, recipe: Supervised, context: int | None, path: str, row: str) -> None:
    """Raise LabError for an example above the recipe's limit or the backbone's context."""
    for limit, name in ((recipe.max_length, "limit"), (context or recipe.max_length, "backbone's context")):
        if len(example) > limit:
            raise LabError(f"{len(example)} tokens, above the {name} of {limit}", file=path, row=row)


def token_flags(path: str, tokenizer, budget: int) -> str:
    """What the token screen says of the corpus; told on standard error, too, before anything is trained."""
    table = read_table(path)
    columns = ["prompt", "completion", "answer"]
    rows = table.select(columns).slice(0, LOOKED).to_pylist() if "answer" in table.column_names else []
    flags = warning(rows, tokenizer, budget)
    if flags and os.environ.get("RANK", "0") == "0":
        print(f"{path}: {flags}", file=sys.stderr)
    return flags


def read_hints(path: str, tokenizer, recipe: Supervised, context: int | None = None) -> list[Example]:
    """The hints that the corpus keeps out of training, to measure by; none where the recipe has no hint."""
    if recipe.hint == "none":
        return []
    rows = read_table(path, ["id", "role", "prompt", "completion"]).to_pylist()
    rows = [row for row in rows if row["role"] == HINT_TEST]
    texts = [row["prompt"] + "\n" + row["completion"] for row in rows]
    require_characters(tokenizer, texts, [row["id"] for row in rows], file=path)
    hints = [tokenized(tokenizer, row) for row in rows]
    for row, hint in zip(rows, hints, strict=True):
        check_length(hint, recipe, context, path, row["id"])
    return hints


def tokenized(tokenizer, row: Mapping) -> Example:
    """One row as tokens.

    unlearned: the numbers of the completion's lines, from 0, that carry no loss; weights: what the loss of every line
    counts. ended False: the beginning of a completion, after which the turn does not end.
    """
    prompt, completion = row["prompt"], row["completion"]
    ids = completion_ids(tokenizer, prompt, completion)
    fixed = len(tokenizer.encode(completion[max(0, completion.rfind("</think>")) :], add_special_tokens=False)) + 1
    unlearned, weights = row.get("unlearned") or (), row.get("weights") or ()
    places: set[int] = set()
    counts: tuple[float, ...] = ()
    if unlearned or weights:
        start = len(completion) - len(tokenizer.decode(ids[:-1], skip_special_tokens=False))
        offsets = tokenizer(completion[start:], add_special_tokens=False, return_offsets_mapping=True).offset_mapping
        ends = [found.end() - start for found in re.finditer(r"[^\n]*\n?", completion)]
        lines = [bisect_right(ends, a) for a, _ in offsets]
        places = {i for i, line in enumerate(lines) if line in unlearned}
        if weights:
            counts = (*(weights[line] if line < len(weights) else 1.0 for line in lines), 1.0)
            places |= {i for i, weight in enumerate(counts) if weight == 0}
    if row.get("ended") is False:
        ids, counts, fixed = ids[:-1], counts[:-1], 0
    return Example(tuple(prompt_ids(tokenizer, prompt)), tuple(ids), frozenset(places), counts, fixed)


def staged(args: TrainingArguments, stages: list[int]) -> Callable[[int], float]:
    """Step -> share of the learning rate, where every stage (of so many steps) runs through the schedule anew."""
    curves = []
    for n in stages:
        optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
        schedule = get_scheduler(
            args.lr_scheduler_type, optimizer, args.get_warmup_steps(n), n, args.lr_scheduler_kwargs or {}
        )
        curves.append(schedule.lr_lambdas[0])

    def share(step: int) -> float:
        k = step >= stages[0]
        return curves[k](step - k * stages[0])

    return share


class PackedTrainer(Trainer):
    """The library's Trainer with the plan's order and logits only where there is something to learn.

    first_steps: steps of a first stage, which has a warm-up and a decay of its own; 0 for none. compute: the format of
    the matrix products.
    """

    def __init__(self, *args, first_steps: int = 0, compute: str = "float32", **kwargs):
        super().__init__(*args, **kwargs)
        self.first_steps, self.compute = first_steps, compute

    def create_scheduler(self, num_training_steps, optimizer=None):
        if self.lr_scheduler is None and self.first_steps:
            stages = [self.first_steps, num_training_steps - self.first_steps]
            self.lr_scheduler = LambdaLR(optimizer or self.optimizer, staged(self.args, stages))
            self._created_lr_scheduler = True
        return super().create_scheduler(num_training_steps, optimizer)

    def _get_train_sampler(self, dataset=None):
        return SequentialSampler(dataset if dataset is not None else self.train_dataset)

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        labels, weights = inputs.pop("labels"), inputs.pop("weights", None)
        with summed_loss(self.model, labels, weights=weights), computing(self.model, self.compute, labels.device.type):
            total = model(**inputs, use_cache=False).logits.sum()
        # DeepSpeed averages gradients over ranks; the loss is per token of the whole step, whoever holds it.
        return total * self.accelerator.num_processes / num_items_in_batch


class GroupTrainer(PackedTrainer):
    """The same for methods whose loss is of groups of texts, per group of a step."""

    def put_to(self, recipe: Supervised, groups: int, state: Path) -> None:
        """groups: in every step; state: where the log-probabilities at the start are kept."""
        self.recipe, self.groups = recipe, groups
        if recipe.COMPARED:
            self.add_callback(Before(self, state / BEFORE))

    def sums(self, model, inputs) -> torch.Tensor:
        """The log-probability of the learned part of every text, shape (texts,)."""
        labels, weights = inputs.pop("labels"), inputs.pop("weights", None)
        n = len(inputs.pop("groups"))
        inputs.pop("before")
        texts = torch.arange(n, device=labels.device)[:, None].expand(labels.shape) if len(labels) == n > 1 else None
        if texts is None:  # packed: `cu_seq_lens` says where each text ends; the spare tokens at the end have no label
            places = torch.arange(labels.shape[1], device=labels.device)
            ends = inputs["cu_seq_lens_q"][1:] if "cu_seq_lens_q" in inputs else places.new_tensor([len(places)])
            texts = torch.bucketize(places, ends, right=True).clamp(max=n - 1)[None]
        told = summed_loss(self.model, labels, weights=weights, texts=texts, n=n)
        with told, computing(self.model, self.compute, labels.device.type):
            return -model(**inputs, use_cache=False).logits.flatten()

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        if "groups" not in inputs:  # a micro-batch of nothing
            return super().compute_loss(model, inputs, num_items_in_batch=1) * 0.0
        groups, before = inputs["groups"], inputs["before"]
        sums = self.sums(model, inputs)
        losses = [self.recipe.objective(sums[groups == g], before[groups == g]) for g in groups.unique()]
        return torch.stack(losses).sum() * self.accelerator.num_processes / self.groups


class Before(TrainerCallback):
    """Takes down what every text's log-probability is before the first step; a resumed training reads it."""

    def __init__(self, trainer: GroupTrainer, path: Path):
        self.trainer, self.path = trainer, path

    @torch.no_grad()
    def on_train_begin(self, args, state, control, model=None, **kwargs):
        trainer, units = self.trainer, self.trainer.train_dataset.units
        if state.global_step == 0:
            model = trainer.model_wrapped
            model.eval()
            found = []
            for unit in units:
                inputs = trainer._prepare_inputs(trainer.data_collator([unit]))
                found.append(trainer.sums(model, inputs).tolist())
            model.train()
            if trainer.is_world_process_zero():
                write_json(self.path, found)
        else:
            found = json.loads(self.path.read_text())
        for i, (unit, sums) in enumerate(zip(units, found, strict=True)):
            units[i] = [dataclasses.replace(e, before=before) for e, before in zip(unit, sums, strict=True)]


class Reached(TrainerCallback):
    """Stops after the first step with a gradient where none came to a module that is to be trained.

    A step without any is one where nothing was learned: all completions of its groups were worth the same.
    """

    def __init__(self, model: torch.nn.Module):
        self.watched: autopsy.FirstGradients | None = autopsy.FirstGradients(model)

    def on_step_end(self, args, state, control, **kwargs):
        if self.watched and self.watched.seen():
            self.watched.close()
            self.watched = None


class Early(TrainerCallback):
    """Keeps what is trained after the step `at` in the state folder, from where `save` takes it along."""

    def __init__(self, job: TrainJob, at: int, folder: Path):
        self.job, self.at, self.folder = job, at, folder

    def on_step_end(self, args, state, control, model=None, **kwargs):
        if state.global_step != self.at:
            return
        tensors = adapters.gather(model)
        if state.is_world_process_zero:
            with whole(self.folder) as partial:
                partial.mkdir(parents=True)
                adapters.write(model, tensors, partial, Path(self.job.backbone))


class Metrics(TrainerCallback):
    """metrics.jsonl in the state folder, one line a step, readable meanwhile; stops at a loss that is no number."""

    def __init__(self, path: Path, tokens: list[int], main: bool):
        self.path, self.tokens, self.main = path, tokens, main
        self.clock = time.monotonic()

    def on_train_begin(self, args, state, control, **kwargs):
        self.clock = time.monotonic()
        if self.main:
            rows = [json.loads(line) for line in self.path.read_text().splitlines()] if self.path.exists() else []
            kept = [json.dumps(row) + "\n" for row in rows if row["step"] <= state.global_step]
            self.path.write_text("".join(kept))

    def on_log(self, args, state, control, logs=None, **kwargs):
        if "loss" not in logs:
            return
        if not math.isfinite(logs["loss"]):
            raise LabError(f"the loss is {logs['loss']} at step {state.global_step}; lower the learning rate")
        if not self.main:
            return
        now = time.monotonic()
        row = {
            "step": state.global_step,
            "steps": state.max_steps,
            "loss": logs["loss"],
            "lr": logs["learning_rate"],
            "grad_norm": float(logs.get("grad_norm") or 0.0),
            "tokens": self.tokens[state.global_step - 1],
            "tokens_per_s": round(self.tokens[state.global_step - 1] / max(now - self.clock, 1e-9), 1),
            "peak_memory_mb": peak_memory_mb(),
        }
        row |= self.more(logs)
        self.clock = now
        with open(self.path, "a") as handle:
            handle.write(json.dumps(row) + "\n")

    def more(self, logs: Mapping[str, float]) -> dict:
        """What else a line tells."""
        return {}

    def on_save(self, args, state, control, **kwargs):
        if torch.distributed.is_initialized():
            torch.distributed.barrier()
        if self.main:
            folder = Path(args.output_dir, f"checkpoint-{state.global_step}")
            (folder / DONE).touch()
        self.clock = time.monotonic()


def peak_memory_mb() -> float:
    """Peak memory of this rank: of the GPU where there is one, else resident memory."""
    if torch.cuda.is_available():
        return round(torch.cuda.max_memory_allocated() / 2**20, 1)
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10, 1)


def hold(folder: Path):
    """Rank 0: a locked handle in the state folder, so that two runs never write the same checkpoints."""
    if os.environ.get("RANK", "0") != "0":
        return None
    handle = open(folder / "lock", "w")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise LabError("another training is using this state folder", file=folder) from error
    return handle


def last_checkpoint(folder: Path) -> str | None:
    """The newest checkpoint that was written to the end."""
    found = [p for p in folder.glob("checkpoint-*") if (p / DONE).exists()]
    return str(max(found, key=lambda p: int(p.name.split("-")[1]))) if found else None


def training_arguments(job: TrainJob, folder: Path, accumulation: int) -> TrainingArguments:
    """The recipe in the library's words."""
    return TrainingArguments(
        **common_arguments(job, folder),
        per_device_train_batch_size=1,
        gradient_accumulation_steps=accumulation,
        num_train_epochs=1,
    )


def common_arguments(job: TrainJob, folder: Path) -> dict[str, object]:
    """What every method says to the library in the same words."""
    recipe = job.recipe
    return dict(
        output_dir=str(folder),
        learning_rate=recipe.lr,
        lr_scheduler_type="cosine_with_min_lr" if recipe.floor else recipe.schedule,
        lr_scheduler_kwargs={"min_lr_rate": recipe.floor} if recipe.floor else None,
        warmup_steps=recipe.warmup,
        weight_decay=recipe.weight_decay,
        adam_beta2=recipe.beta2,
        max_grad_norm=recipe.clip,
        optim="adamw_torch",
        logging_steps=1,
        logging_nan_inf_filter=False,
        save_strategy="steps",
        save_steps=recipe.save_every,
        save_total_limit=2,
        seed=job.seed,
        data_seed=job.seed,
        bf16=job.options.dtype == "bfloat16",
        fp16=job.options.dtype == "float16",
        activation_checkpointing=job.options.checkpointing,
        activation_checkpointing_kwargs={"use_reentrant": False} if job.options.checkpointing else None,
        use_cpu=job.device == "cpu",
        ddp_backend="gloo" if job.device == "cpu" else None,
        dataloader_pin_memory=job.device != "cpu",
        deepspeed=job.deepspeed,
        remove_unused_columns=False,
        report_to=[],
        disable_tqdm=True,
    )


def foresee(job: TrainJob, tokens: int, *, rows: int = 1, written: int = 0) -> None:
    """Before the weights are loaded: raise LabError for a target that is not there, and on a GPU where its memory is
    too little for the longest micro-batch, of so many tokens in so many rows.

    written: tokens of the texts that the model writes at once. A model that cannot be counted on shapes is trained
    without this.
    """
    from learning import counting, estimate

    try:
        if job.device == "cpu":
            job.recipe.trainable(counting.skeleton(job.options, job.backbone), job.options, None)
            return
        counts = {
            n: counting.count(job.options, job.recipe, job.backbone, rows, n // rows) for n in (tokens, tokens // 2)
        }
    except LabError:
        raise
    except Exception as error:
        print(f"its memory cannot be estimated: {error}", file=sys.stderr)
        return
    room = torch.cuda.mem_get_info()[1]
    needed = estimate.memory(counts[tokens], job.options, job.ranks, tokens, written=written)
    ways = estimate.ways_to_fit(counts[tokens], job.options, job.ranks, tokens, room, counts, written=written)
    estimate.require(needed, room, ways, f"{tokens} tokens at once")


def load_trained(job: TrainJob) -> tuple[torch.nn.Module, dict]:
    """The model with what the recipe trains, and the shapes of its adapter before ZeRO splits them."""
    model = job.recipe.trainable(load_model(job.backbone, job.options), job.options, job.start)
    shapes = adapters.adapter_shapes(model)
    if job.deepspeed["zero_optimization"]["stage"] == 3:
        adapters.gathered_whole(model)
    if job.options.checkpointing:
        model.enable_input_require_grads()
    return model, shapes


def train(job: TrainJob) -> None:
    """Run this rank to the end. Rank 0 verifies the adapter and moves it to `job.out`; state is removed only then."""
    tokenizer, context = load_tokenizer(job.backbone), context_of(job.backbone)
    units, first = read_corpus(job.corpus, tokenizer, job.recipe, context)
    hints = read_hints(job.corpus, tokenizer, job.recipe, context)
    flags = token_flags(job.corpus, tokenizer, job.recipe.max_length)
    for path in job.texts:
        asked = read_table(path, ["id", "prompt"])
        fitting(asked["prompt"].to_pylist(), asked["id"].to_pylist(), tokenizer, context or 1 << 30, file=path)
    micros, accumulation = plan(
        [sum(map(len, unit)) for unit in units],
        batch=job.recipe.batch,
        epochs=job.recipe.epochs,
        ranks=job.ranks,
        micro_tokens=job.recipe.micro_tokens,
        seed=job.seed,
        first=first,
        first_epochs=job.recipe.first_epochs,
        replay=job.recipe.replay,
        updates=job.recipe.updates,
    )
    per_step = accumulation * job.ranks
    tokens = [
        sum(len(example) for micro in micros[s : s + per_step] for i in micro for example in units[i])
        for s in range(0, len(micros), per_step)
    ]
    if len(tokens) == 1 and job.recipe.warmup:
        raise LabError("the only step is the warm-up's first, whose learning rate is 0", field="warmup")
    folder = Path(job.state) / fingerprint(job)
    folder.mkdir(parents=True, exist_ok=True)
    held = hold(folder)
    lengths = [[len(example) for i in micro for example in units[i]] for micro in micros]
    if job.options.packing:
        foresee(job, max(map(sum, lengths)))
    else:  # shorter rows are filled up
        padded, rows = max((len(own) * max(own), len(own)) for own in lengths)
        foresee(job, padded, rows=rows)
    if held and not last_checkpoint(folder):
        rehearse(job, tokenizer, folder)
    set_seed(job.seed)
    arguments = training_arguments(job, folder, accumulation)  # first: it starts DeepSpeed, which loading must know of
    main = arguments.process_index == 0
    if arguments.world_size != job.ranks:
        raise LabError(f"{arguments.world_size} ranks started, {job.ranks} were asked for")
    model, shapes = load_trained(job)
    trainer = (GroupTrainer if job.recipe.GROUPED else PackedTrainer)(
        model=model,
        args=arguments,
        train_dataset=MicroBatches(units, micros, job.recipe.masking, job.seed),
        data_collator=Collator(tokenizer.pad_token_id, job.options.packing),
        first_steps=n_steps(len(first), job.recipe.batch, job.recipe.first_epochs or job.recipe.epochs) if first else 0,
        callbacks=[Metrics(folder / METRICS, tokens, main), Reached(model)],
        compute=job.options.compute,
    )
    if job.recipe.GROUPED:
        trainer.put_to(job.recipe, min(job.recipe.batch, len(units)), folder)
    if 0 < (at := math.ceil(job.recipe.early * len(tokens))) < len(tokens):
        trainer.add_callback(Early(job, at, folder / EARLY))
    TokenBar.put_on(trainer, "/".join(Path(job.out).parts[-2:]), tokens)
    started = time.monotonic()
    resumed = last_checkpoint(folder)
    trainer.train(resume_from_checkpoint=resumed)
    examples = [example for unit in units for example in unit]
    ids = list(examples[0].prompt)
    hinted = sum(written(trainer.model_wrapped, hint) for hint in hints) / len(hints) if hints else None
    native = None  # with every parameter trained, the backbone is gone
    if isinstance(model, PeftModel):
        native = round(native_voice(model, trainer.model_wrapped, tokenizer, examples[:VOICED]), 6)
    run = {
        "token_flags": flags,
        "rows": len(units),
        "steps": len(tokens),
        "tokens": sum(tokens),
        "seconds": round(time.monotonic() - started, 1),
        "native_voice": native,
        "hint_accuracy": hinted,
        "compute": "bfloat16" if job.options.compute == "bfloat16" and has_bf16(job.device) else job.options.dtype,
        "resumed_from": Path(resumed).name if resumed else None,
    }
    finish(job, trainer, shapes, ids, folder, run, held)


def finish(
    job: TrainJob,
    trainer: Trainer,
    shapes: Mapping[str, tuple[int, ...]],
    ids: list[int],
    folder: Path,
    run: Mapping[str, object],
    held,
) -> None:
    """All ranks together after the last step: rank 0 saves what was trained, verified on a prompt `ids`, and what the
    run was, then the state goes."""
    tensors = adapters.gather(trainer.model)
    logits = adapters.probe(trainer.model_wrapped, ids)
    main = trainer.args.process_index == 0
    if main:
        made = {
            "ranks": trainer.args.world_size,
            "trainable_parameters": sum(math.prod(s) for s in shapes.values()),
            "reached": adapters.reached(trainer.model) if isinstance(trainer.model, PeftModel) else None,
            "peak_memory_mb": peak_memory_mb(),
        }
        save(job, trainer.model, tensors, shapes, ids, logits, folder, {**made, **run})
    if torch.distributed.is_initialized():
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()
    if main:
        shutil.rmtree(folder, ignore_errors=True)
        held.close()


@torch.no_grad()
def written(model: torch.nn.Module, example: Example) -> bool:
    """Whether greedy decoding writes the completion: each token is the likeliest after those before it."""
    device = next(model.parameters()).device
    model.eval()
    wanted = torch.tensor(example.completion, device=device)
    logits = model(input_ids=torch.tensor([example.ids], device=device), use_cache=False).logits[0]
    return bool((logits[len(example.prompt) - 1 : -1].argmax(-1) == wanted).all())


def native_voice(model, wrapped, tokenizer, examples: list[Example]) -> float:
    """Mean probability, under the backbone without its adapter, of a trace's first token; all ranks call it."""
    with model.disable_adapter():
        found = [voice.beginning(wrapped, tokenizer, example.prompt, example.completion) for example in examples]
    return sum(float(shares[token]) for shares, token in found) / len(found)


def save(
    job: TrainJob,
    model,
    tensors: Mapping[str, torch.Tensor],
    shapes: Mapping[str, tuple[int, ...]],
    ids: list[int],
    logits: torch.Tensor,
    folder: Path,
    run: Mapping[str, object],
) -> None:
    """Write the output files into a temporary folder, verify the adapter there, and move it into place."""
    with whole(job.out) as partial:
        partial.mkdir(parents=True)
        adapters.write(model, tensors, partial, Path(job.backbone))
        adapters.check_file(partial, shapes)
        if isinstance(model, PeftModel):
            still = autopsy.dead(autopsy.examine(*autopsy.read(partial)))
            run = {**run, "dead": still}
            if still:
                print(f"{len(still)} modules hardly moved: {', '.join(still[:10])}", file=sys.stderr)
        unset_hf_deepspeed_config()  # under ZeRO-3 loading would shard the model and wait for the other ranks
        adapters.check_reload(partial, Path(job.backbone), job.options, ids, logits)
        shutil.copy(folder / METRICS, partial / METRICS)
        if (folder / EARLY).is_dir():
            shutil.copytree(folder / EARLY, partial / EARLY)
        text = json.dumps({**job.provenance, "run": dict(run)}, indent=1, sort_keys=True)
        (partial / PROVENANCE).write_text(text + "\n")
