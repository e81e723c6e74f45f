"""Pretraining of the small backbone on worksheets of skills, and the measured accuracy of each skill.

The trunk runs at a constant learning rate; a usable backbone is a branch of it whose rate falls linearly to zero over
a last stretch. So a backbone can be taken at any time and the trunk goes on. The shares of the skills follow their
held-out error, measured at fixed steps; everything that decides the next batch is in the checkpoint.
"""

import json
import math
import os
import platform
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerBase

from common.artifacts import file_hash, whole, write_json
from common.errors import LabError
from common.progress import progress
from learning.backbone import attention  # noqa: F401  (makes "blocked" attention known)
from learning.backbone.circuits import structured_start
from learning.backbone.muon import Muon
from learning.backbone.worksheets import IGNORE, NAMES, Writer
from learning.make import Make
from learning.precision import autocast, has_bf16
from learning.tokens import character_tokenizer

MICRO = 2048  # tokens of one forward and backward pass: larger ones leave the processor's caches
LEAST = 0.03  # an error below this counts as this, so that no skill is forgotten
SMOOTH = 0.5  # weight of the newest held-out table in the running error


def config_of(make: Make, vocabulary: int, tokenizer: PreTrainedTokenizerBase) -> LlamaConfig:
    """A Llama-style model with tied embeddings."""
    return LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=make.width,
        intermediate_size=make.feed_forward,
        num_hidden_layers=make.layers,
        num_attention_heads=make.heads,
        num_key_value_heads=make.heads,
        head_dim=make.head_size,
        rope_parameters={"rope_type": "default", "rope_theta": make.theta},
        max_position_embeddings=make.context,
        tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
        attn_implementation="blocked",
    )


def build(make: Make, vocabulary: int, tokenizer: PreTrainedTokenizerBase) -> LlamaForCausalLM:
    """The model at its start."""
    torch.manual_seed(make.seed)
    model = LlamaForCausalLM(config_of(make, vocabulary, tokenizer))
    if make.start == "structured":
        structured_start(model, make.seed)
    return model


def answer_logits(model: torch.nn.Module, batch: Mapping[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """(logits, targets) at the learned positions only. The mask of ones keeps jumps in position one sequence."""
    hidden = model.model(
        input_ids=batch["input_ids"],
        position_ids=batch["position_ids"],
        attention_mask=torch.ones_like(batch["input_ids"]),
        use_cache=False,
    ).last_hidden_state
    targets = batch["labels"][:, 1:]
    learned = targets != IGNORE
    return model.lm_head(hidden[:, :-1][learned]), targets[learned]


def micro_batches(batch: Mapping[str, torch.Tensor], tokens: int) -> list[dict[str, torch.Tensor]]:
    """A batch in pieces of about so many tokens."""
    rows = max(1, tokens // batch["input_ids"].shape[1])
    pieces = {key: value.split(rows) for key, value in batch.items()}
    return [{key: value[i] for key, value in pieces.items()} for i in range(len(pieces["labels"]))]


@torch.no_grad()
def skill_accuracy(
    model: LlamaForCausalLM, writer: Writer, name: str, n: int, lengths: tuple[int, ...], rounds: int
) -> dict[str, dict]:
    """Share of held-out answers that greedy decoding gets right to the last character, by skill and worksheet length.

    One forward pass with the true answers in place: an answer is right when every one of its characters is the most
    likely one, which is when greedy decoding would produce it. Answers cut off by the end of a worksheet, and the first
    of a skill on a worksheet, do not count. Worksheets of each length are drawn, MICRO tokens of each a round, for the
    quarter of the skills that have the fewest answers, until each has `n`; at most so many rounds.
    """
    right, seen = Counter(), Counter()
    device, training = next(model.parameters()).device, model.training
    model.eval()
    for number in range(rounds):
        for length in lengths:
            so_far = {skill: sum(seen[skill, x] for x in lengths) for skill in NAMES}
            fewest = sorted(NAMES, key=so_far.get)[: max(1, len(NAMES) // 4)]
            shares = {skill: 1.0 for skill in fewest if so_far[skill] < n}
            if not shares:
                break
            made = writer.batch(f"held-out:{name}:{length}:{number}", max(1, MICRO // length), length, shares)
            batch = {key: torch.from_numpy(value).to(device) for key, value in made.items()}
            with autocast(device.type):
                logits, targets = answer_logits(model, batch)
            good = torch.zeros_like(batch["labels"], dtype=torch.bool)
            good[:, 1:][batch["labels"][:, 1:] != IGNORE] = logits.argmax(-1) == targets
            for which, ends, fine in zip(made["skills"], made["ends"], good.tolist(), strict=True):
                whole_answer = True
                for skill, end, here in zip(which.tolist(), ends.tolist(), fine, strict=True):
                    whole_answer = whole_answer and here if skill >= 0 else True
                    if end:
                        right[NAMES[skill], length] += whole_answer
                        seen[NAMES[skill], length] += 1
                        whole_answer = True
    model.train(training)
    table = {}
    for skill in NAMES:
        total = sum(seen[skill, length] for length in lengths)
        if total:
            table[skill] = {
                "accuracy": round(sum(right[skill, length] for length in lengths) / total, 4),
                "n": total,
                "by_length": {str(x): round(right[skill, x] / max(1, seen[skill, x]), 4) for x in lengths},
            }
    return table


class Steps(torch.utils.data.Dataset):
    """The batch of every step, made from its number."""

    def __init__(self, writer: Writer, make: Make, shares: Mapping[str, float], first: int, last: int):
        self.writer, self.make, self.shares, self.first, self.last = writer, make, dict(shares), first, last

    def __len__(self) -> int:
        return self.last - self.first

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        step = self.first + index
        length = self.make.lengths[step % len(self.make.lengths)]
        made = self.writer.batch(f"train:{self.make.seed}:{step}", self.make.batch // length, length, self.shares)
        return {key: torch.from_numpy(made[key]) for key in ("input_ids", "labels", "position_ids")}


def writers() -> int:
    """How many processes write worksheets for a GPU: each writes about half a million tokens a second."""
    return max(1, min(8, len(os.sched_getaffinity(0)) - 1))


def loader(steps: Steps, workers: int, pinned: bool = False) -> torch.utils.data.DataLoader:
    """The batches in their order, the same ones whoever writes them; pinned ones go to a GPU while it computes."""
    ahead = {"prefetch_factor": 4} if workers else {}
    return torch.utils.data.DataLoader(steps, batch_size=None, num_workers=workers, pin_memory=pinned, **ahead)


@dataclass
class Trunk:
    """Where a pretraining is: all that the next step depends on, and the learning curve."""

    make: Make
    model: LlamaForCausalLM
    optimizer: torch.optim.Optimizer
    writer: Writer
    step: int = 0
    error: dict[str, float] = field(default_factory=lambda: dict.fromkeys(NAMES, 1.0))
    curve: list[dict] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    seconds: float = 0.0
    warm: int = 0  # the step at which the optimiser's moments began
    history: list[dict] = field(default_factory=list)  # settings and worksheets of earlier stretches
    compiled: bool = False

    @classmethod
    def begin(cls, make: Make, tokenizer: PreTrainedTokenizerBase, device: str = "cpu") -> "Trunk":
        """Step 0."""
        model = build(make, len(tokenizer), tokenizer).to(device).train()
        named = list(model.named_parameters())
        matrices = [p for n, p in named if p.ndim == 2 and "embed" not in n and make.optimizer == "muon"]
        inside = {id(p) for p in matrices}
        others = [p for _, p in named if id(p) not in inside]
        groups = [{"params": others, "lr": make.lr, "peak": make.lr}]
        if matrices:
            groups.append({"params": matrices, "lr": make.matrix_lr, "peak": make.matrix_lr, "muon": True})
        return cls(make, model, Muon(groups, lr=make.lr), Writer(tokenizer, make.context))

    @property
    def lengths(self) -> tuple[int, ...]:
        return tuple(dict.fromkeys(self.make.lengths))

    def compile(self) -> None:
        """Let torch fuse what surrounds the matrix products. Raises LabError without the C++ compiler it would call."""
        compiler = os.environ.get("CXX", "g++")
        if self.model.device.type == "cpu" and not shutil.which(compiler):
            raise LabError(f"needs a C++ compiler, and there is no {compiler}", field="--compile")
        torch.compiler.config.recompile_limit = 64  # one for each layer and shape, with gradients and without
        for layer in self.model.model.layers:
            layer.compile(dynamic=False)
        self.compiled = True

    def shares(self) -> dict[str, float]:
        """Share of each skill: as the root of its running held-out error."""
        return {name: max(error, LEAST) ** 0.5 for name, error in self.error.items()}

    def run(self, until: int, fall: bool = False, each: Callable[["Trunk"], None] = lambda trunk: None) -> None:
        """Advance to step `until`, with a rate that falls linearly to zero if `fall`; call `each` after every step."""
        first, gpu = self.step, self.model.device.type == "cuda"
        while self.step < until:
            last = min(until, (self.step // self.make.check + 1) * self.make.check)
            steps = Steps(self.writer, self.make, self.shares(), self.step, last)
            for batch in loader(steps, writers() if gpu else 0, pinned=gpu):
                began = time.monotonic()
                self.advance(batch, 1 - (self.step - first) / (until - first) if fall else 1.0)
                if self.step % self.make.check == 0:
                    self.look()
                self.seconds += time.monotonic() - began
                each(self)

    def advance(self, batch: Mapping[str, torch.Tensor], rate: float) -> None:
        """One step at `rate` times the constant learning rate."""
        device = self.model.device
        learned = max(1, int((batch["labels"][:, 1:] != IGNORE).sum()))  # a small batch may have none
        losses = []
        for piece in micro_batches(batch, MICRO if device.type == "cpu" else self.make.batch):
            piece = {key: value.to(device, non_blocking=True) for key, value in piece.items()}
            with autocast(device.type):
                logits, targets = answer_logits(self.model, piece)
            loss = torch.nn.functional.cross_entropy(logits.float(), targets, reduction="sum") / learned
            loss.backward()
            losses.append(loss.detach())
        total = sum(losses).item()
        if not math.isfinite(total):
            raise LabError(f"the pretraining loss is {total} at step {self.step}; lower the learning rate", field="lr")
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        rate *= min(1.0, (self.step - self.warm + 1) / self.make.warmup)
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * rate
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.step += 1
        self.losses.append(total)

    def look(self, n: int = 40, rounds: int = 24) -> None:
        """Measure the held-out error, move the shares, and add a point to the learning curve."""
        found = skill_accuracy(self.model, self.writer, "check", n, self.lengths, rounds)
        for name, row in found.items():
            self.error[name] += SMOOTH * (1 - row["accuracy"] - self.error[name])
        self.curve.append(
            {
                "step": self.step,
                "tokens": self.step * self.make.batch,
                "hours": round(self.seconds / 3600, 3),
                "loss": round(sum(self.losses) / max(1, len(self.losses)), 4),
                "skills": {name: row["accuracy"] for name, row in found.items()},
            }
        )
        self.losses = []

    def progress(self) -> dict:
        """What is known beside weights and moments."""
        names = ("step", "error", "curve", "losses", "seconds", "warm", "history")
        return {name: getattr(self, name) for name in names}

    def take(self, progress: Mapping) -> None:
        for name, value in progress.items():
            setattr(self, name, value)


def save(trunk: Trunk, folder: Path, keep: int = 2) -> None:
    """Write a checkpoint under a temporary name, rename it, and drop all but the last `keep`."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {"progress": trunk.progress(), "model": trunk.model.state_dict(), "optimizer": trunk.optimizer.state_dict()}
    with whole(folder / f"step-{trunk.step:07}.pt") as partial:
        torch.save(state, partial)
        with open(partial, "rb+") as handle:
            os.fsync(handle.fileno())
    for old in sorted(folder.glob("step-*.pt"))[:-keep]:
        old.unlink()


def load_last(trunk: Trunk, folder: Path) -> bool:
    """Go on from the newest checkpoint that can be read; False where there is none."""
    for path in sorted(folder.glob("step-*.pt"), reverse=True):
        try:
            state = torch.load(path, weights_only=True, map_location=trunk.model.device)
        except Exception as error:
            print(f"{path}: cannot be read ({error}); trying the one before it", file=sys.stderr)
            continue
        trunk.model.load_state_dict(state["model"])
        trunk.optimizer.load_state_dict(state["optimizer"])
        trunk.take(state["progress"])
        return True
    return False


def save_trunk(trunk: Trunk, folder: Path) -> None:
    """The weights at the constant rate in fp16, without moments, and the progress: small enough to be kept for ever."""
    with whole(folder) as partial:
        partial.mkdir(parents=True)
        weights = {name: value.detach().half().contiguous() for name, value in trunk.model.named_parameters()}
        save_file(weights, partial / "trunk.safetensors")
        made = {"make": asdict(trunk.make), "corpus_hash": corpus_hash(trunk.writer)}
        write_json(partial / "trunk.json", trunk.progress() | made)


def load_trunk(trunk: Trunk, folder: Path) -> None:
    """Go on from a folder that `save_trunk` wrote; the moments begin anew, with a warm-up."""
    for name in ("trunk.json", "trunk.safetensors"):
        if not (folder / name).is_file():
            raise LabError(f"missing {name}, not the trunk of a pretraining", file=folder)
    progress = json.loads((folder / "trunk.json").read_text())
    shape = ("width", "layers", "heads", "head_size", "feed_forward", "theta", "context")
    made, worksheets = progress.pop("make"), progress.pop("corpus_hash")
    if differing := [name for name in shape if made[name] != getattr(trunk.make, name)]:
        raise LabError(f"made with another {', '.join(differing)}", file=folder / "trunk.json")
    weights = load_file(folder / "trunk.safetensors")
    for name, value in trunk.model.named_parameters():
        if name not in weights or weights[name].shape != value.shape:
            raise LabError(f"{name} is missing or of another shape", file=folder / "trunk.safetensors")
        value.data.copy_(weights[name])
    trunk.take(progress)
    trunk.error = {name: trunk.error.get(name, 1.0) for name in NAMES}
    trunk.history = [*trunk.history, {"until": trunk.step, "make": made, "corpus_hash": worksheets}]
    trunk.warm = trunk.step


def corpus_hash(writer: Writer) -> str:
    """What the worksheets are, told from 60 of them: another skill, notation or token gives another one."""
    even = dict.fromkeys(NAMES, 1.0)
    made = [writer.batch("corpus", 20, length, even)["input_ids"] for length in (256, 512, 1024)]
    return blake2b(b"".join(ids.astype("int32").tobytes() for ids in made), digest_size=16).hexdigest()


def state_folder(trunk: Trunk, state: Path) -> Path:
    """Where the checkpoints of this trunk lie: steps and decay do not make another trunk, anything else does."""
    settings = {k: v for k, v in asdict(trunk.make).items() if k not in ("steps", "decay", "table")}
    key = json.dumps([settings, corpus_hash(trunk.writer)], sort_keys=True)
    return state / blake2b(key.encode(), digest_size=8).hexdigest()


def start_trunk(
    make: Make, phrases: list[str], state: Path, source: Path | None = None, device: str = "cpu"
) -> tuple[Trunk, Path]:
    """The newest checkpoint in `state`, else the trunk in `source`, else step 0; and its folder of checkpoints."""
    tokenizer = character_tokenizer(phrases, make.context)
    trunk = Trunk.begin(make, tokenizer, device)
    folder = state_folder(trunk, state)
    if not make.steps:
        return trunk, folder
    if not load_last(trunk, folder) and source is not None:
        load_trunk(trunk, source)
    return trunk, folder


def export(trunk: Trunk, out: Path, table: Path) -> None:
    """A plain transformers folder in bf16 with its skills table, learning curve and provenance."""
    model = LlamaForCausalLM(trunk.model.config)
    model.load_state_dict(trunk.model.state_dict())
    model = model.to(torch.bfloat16).float().eval()  # measured as it will be loaded
    n = trunk.make.table
    skills = skill_accuracy(model, trunk.writer, "table", n, trunk.lengths, rounds=2 * n) if trunk.step else {}
    with whole(out) as partial:
        model.to(torch.bfloat16).save_pretrained(partial)
        trunk.writer.tokenizer.save_pretrained(partial)
        write_json(partial / "skills.json", {"skills": skills})
        write_json(partial / "curve.json", trunk.curve)
        write_json(partial / "provenance.json", provenance(trunk, partial))
    write_json(table, {"skills": skills})


def provenance(trunk: Trunk, folder: Path) -> dict:
    """What made a backbone, and the hashes of its files."""
    device = trunk.model.device.type
    return {
        "make": asdict(trunk.make),
        "history": trunk.history,
        "steps": trunk.step,
        "tokens": trunk.step * trunk.make.batch,
        "hours": round(trunk.seconds / 3600, 2),
        "hardware": torch.cuda.get_device_name() if device == "cuda" else processor(),
        "threads": torch.get_num_threads(),
        "precision": "bf16" if has_bf16(device) else "fp32",
        "compiled": trunk.compiled,
        "corpus_hash": corpus_hash(trunk.writer),
        "code": {path.name: file_hash(path) for path in sorted(Path(__file__).parent.glob("*.py"))},
        "packages": {name: version(name) for name in ("torch", "transformers", "tokenizers")},
        "files": {path.name: file_hash(path) for path in sorted(folder.iterdir())},
    }


def processor() -> str:
    """The processor's name as Linux tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def grow(trunk: Trunk, last: int, folder: Path, minutes: float, tell: Callable[[Trunk], None]) -> None:
    """Train at the constant rate to step `last`; a checkpoint every `minutes`, at the end and when told to stop."""
    saved, stop = time.monotonic(), []
    before = {s: signal.signal(s, lambda number, _: stop.append(number)) for s in (signal.SIGTERM, signal.SIGINT)}

    def each(trunk: Trunk) -> None:
        nonlocal saved
        tell(trunk)
        if trunk.curve and trunk.curve[-1]["step"] == trunk.step:
            write_json(folder / "curve.json", trunk.curve)
        if stop or trunk.step == last or time.monotonic() - saved > 60 * minutes:
            save(trunk, folder)
            saved = time.monotonic()
        if stop:
            sys.exit(128 + stop[0])

    try:
        trunk.run(last, each=each)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def pretrain(
    make: Make,
    phrases: list[str],
    out: Path,
    state: Path,
    table: Path,
    source: Path | None = None,
    snapshot: Path | None = None,
    device: str = "cpu",
    minutes: float = 10,
    compiled: bool = False,
) -> None:
    """Train to the last step, with a checkpoint every `minutes`, and write the backbone to `out`.

    snapshot: a folder for the trunk; then nothing is trained but the falling end, from where the trunk is now, and the
    checkpoints are left alone. Without steps, the start is written as it is: for arms that train every parameter.
    compiled: compile the layers for each shape of batch before it is first seen; not the same to the last bit.
    """
    trunk, folder = start_trunk(make, phrases, state, source, device)
    if compiled:
        trunk.compile()
    if snapshot is not None:
        if not trunk.step:
            raise LabError("no checkpoint to take a snapshot of", file=folder)
        save_trunk(trunk, snapshot)
    last = trunk.step if snapshot is not None else max(0, make.steps - make.decay)
    end = last + make.decay if snapshot is not None else make.steps
    tokens = {"total": end * make.batch, "initial": trunk.step * make.batch}
    with progress(desc="pretrain", unit="token", unit_scale=True, **tokens) as bar:

        def tell(trunk: Trunk) -> None:
            loss = trunk.losses[-1] if trunk.losses else trunk.curve[-1]["loss"]
            bar.set_postfix_str(f"step {trunk.step}/{end}, loss {loss:.4g}", refresh=False)
            bar.update(make.batch)

        grow(trunk, last, folder, minutes, tell)
        trunk.run(end, fall=True, each=tell)  # after a kill in here, it falls again from where the trunk ended
    export(trunk, out, table)
    if snapshot is None:
        shutil.rmtree(folder, ignore_errors=True)
