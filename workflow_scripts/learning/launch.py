"""From one command to N ranks under the DeepSpeed launcher, and back to one exit status and one clear error line."""

import argparse
import base64
import ctypes
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from common import gpus
from common.artifacts import file_hash
from common.errors import LabError
from learning.machine import keep_freed_memory, require_cuda
from learning.methods import parse_recipe
from learning.methods.base import Judge, TrainJob
from learning.settings import TEMPLATE_DATE, WEIGHTS, BackboneOptions, check_folder

ERROR = "error-{}.txt"  # in the state folder, one for each rank: why it stopped
GONE = ("Connection closed by peer", "Connection reset by peer", "NCCL")
UNWRITABLE = ("PytorchStreamWriter", "inline_container", "No space left", "File too large", "serializ")
STRAY = ("SLURM_", "PMI_", "PMIX_", "OMPI_", "MPI_", "PALS_", "TORCHELASTIC_")
STRAY_NAMES = tuple("RANK LOCAL_RANK WORLD_SIZE LOCAL_SIZE MASTER_ADDR MASTER_PORT CROSS_RANK CROSS_SIZE".split())
PACKAGES = ("torch", "transformers", "peft", "deepspeed", "accelerate", "trl", "tokenizers", "numpy", "pyarrow")


def check(args: argparse.Namespace) -> None:
    """Everything that can be known to be wrong without torch."""
    recipe, options = parse_recipe(args.recipe), BackboneOptions.read(args.backbone_options)
    if recipe.method == "full" and options.engine == "vllm":
        raise LabError("vllm puts on LoRA adapters only; method full needs slots or generate", field="engine")
    check_folder(args.backbone)
    if "start" in recipe.NEEDS and not args.start:
        raise LabError(f"method {recipe.method} goes on from an adapter, found none", field="--start")
    if args.start and not Path(args.start).is_dir():
        raise LabError("no such adapter folder to start from; run the `train` rule first", file=args.start)
    for path in (args.corpus, args.deepspeed, *args.texts, *args.puzzles):
        if not Path(path).is_file():
            raise LabError("no such file", file=path)
    try:
        json.loads(Path(args.deepspeed).read_text())
    except json.JSONDecodeError as error:
        raise LabError(f"not a DeepSpeed JSON file: {error}", file=args.deepspeed) from error
    if (total := sum(slots(args))) != args.ranks:
        raise LabError(f"{total} slots for {args.ranks} ranks", file=args.hostfile, field="--ranks")
    if args.hostfile and not shutil.which("pdsh"):
        raise LabError("no pdsh here to start the nodes by", file=args.hostfile)
    if args.gpus:
        gpus.require(max(slots(args)))
        require_cuda(max(slots(args)))


def slots(args: argparse.Namespace) -> list[int]:
    """How many ranks each node runs: the slots of the host file, or all of them here."""
    if not args.hostfile:
        return [args.ranks]
    if not Path(args.hostfile).is_file():
        raise LabError("no such file", file=args.hostfile)
    found = []
    for number, line in enumerate(Path(args.hostfile).read_text().splitlines(), 1):
        if line := line.partition("#")[0].strip():
            if not (match := re.fullmatch(r"\S+\s+slots=([1-9]\d*)", line)):
                raise LabError(f"{line!r} is not of the form `host slots=4`", file=args.hostfile, row=number)
            found.append(int(match[1]))
    return found


def free_port() -> int:
    """A TCP port that nothing listens on now."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def environment(args: argparse.Namespace) -> dict[str, str]:
    """The launcher's environment: ours without what a scheduler or an outer launcher left, and the ranks' settings."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(STRAY) and k not in STRAY_NAMES}
    env.setdefault("PYTHONWARNINGS", "ignore::FutureWarning")  # the libraries' own, about each other
    if not args.gpus and not args.hostfile:
        env.setdefault("GLOO_SOCKET_IFNAME", "lo")
    return env | rank_settings(args)


def rank_settings(args: argparse.Namespace) -> dict[str, str]:
    """What a rank needs in its environment before torch is imported; `threads` are those of one node."""
    settings = {
        "OMP_NUM_THREADS": str(max(1, args.threads // max(slots(args)))),
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }
    if args.gpus:
        return settings
    # DeepSpeed decorates its Muon for torch's compiler at import, four seconds that nothing here uses.
    return settings | {"DS_ACCELERATOR": "cpu", "CUDA_VISIBLE_DEVICES": "", "TORCHDYNAMO_DISABLE": "1"}


def die_with_parent(sig: int = signal.SIGKILL) -> None:
    """Ask the kernel (Linux) for `sig` when the parent dies, so that a killed job leaves no ranks behind."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(1, sig)


def launch(argv: list[str], args: argparse.Namespace) -> None:
    """Run the ranks to the end; raise LabError with the rank's own reason when they fail.

    A port can be taken between choosing and using it, so a start that fails on the port is tried again. On this machine
    the ranks get GPUs that no other job has; the nodes of a host file are taken whole.
    """
    state = Path(args.state)
    state.mkdir(parents=True, exist_ok=True)
    devices = gpus.claim(args.gpus) if args.gpus and not args.hostfile else list(range(args.ranks))
    for attempt in range(3):
        for old in state.glob(ERROR.format("*")):
            old.unlink()
        status = run_launcher(command(argv, args, devices), environment(args))
        if status == 0:
            return
        why = reason(state)
        if attempt < 2 and "EADDRINUSE" in why:
            continue
        raise LabError(why or f"training ended with status {status}; its output above says where")


def run_alone(args: argparse.Namespace, judges: Callable[[Sequence[str]], Mapping[str, Judge]] | None = None) -> None:
    """The only rank, in this process: a launcher would load the libraries a second time to start one process."""
    Path(args.state).mkdir(parents=True, exist_ok=True)
    if args.gpus:
        gpus.claim(args.gpus)
    env = environment(args) | {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1"}
    env |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "0"}  # 0: any that is free
    os.environ.clear()
    os.environ.update(env)
    warnings.simplefilter("ignore", FutureWarning)
    try:
        run_rank(args, judges)
    except LabError:
        raise
    except Exception as error:
        traceback.print_exc()  # as a rank of several does, whose command then ends in the one line
        raise LabError(f"{error}") from error


def command(argv: list[str], args: argparse.Namespace, devices: list) -> list[str]:
    """The launcher's command line: its per-node program directly, or its multi-node runner with a host file.

    The per-node program starts a rank per device and sets CUDA_VISIBLE_DEVICES to them, over what was there before.
    """
    port = str(free_port())
    if args.hostfile:
        head = ["-m", "deepspeed.launcher.runner", "--hostfile", args.hostfile, "--master_port", port, "--force_multi"]
        argv = [through_pdsh(a) for a in argv]
    else:
        world = base64.urlsafe_b64encode(json.dumps({"localhost": devices}).encode()).decode()
        head = ["-m", "deepspeed.launcher.launch", f"--world_info={world}", "--node_rank=0"]
        head += ["--master_addr=127.0.0.1", f"--master_port={port}", "--log_level=error"]
    return [sys.executable, *head, *argv]


def through_pdsh(argument: str) -> str:
    """An argument written so that a node's shell reads it as it is, after DeepSpeed's runner and pdsh had it.

    The runner puts what has a blank between double quotes and escapes only those in it; pdsh fills in %n and others.
    """
    argument = argument.replace("%", "%%")
    return re.sub(r"([\\$`])", r"\\\1", argument) if " " in argument else shlex.quote(argument)


def run_launcher(line: list[str], env: dict[str, str]) -> int:
    """Start the launcher, pass on SIGTERM and SIGINT, return its exit status."""
    held = [lock.fileno() for lock in gpus.HELD]  # the launcher ends last: until then its GPUs are not free
    process = subprocess.Popen(line, env=env, pass_fds=held, preexec_fn=lambda: die_with_parent(signal.SIGTERM))
    previous = {s: signal.signal(s, lambda s, _: process.send_signal(s)) for s in (signal.SIGTERM, signal.SIGINT)}
    try:
        return process.wait()
    finally:
        for s, handler in previous.items():
            signal.signal(s, handler)


def run_rank(args: argparse.Namespace, judges: Callable[[Sequence[str]], Mapping[str, Judge]] | None = None) -> None:
    """One rank: build the job, train, and leave the reason in the state folder when it cannot go on.

    judges: makes what judges completions, from the tables of the rows' problems.
    """
    keep_freed_memory()
    os.environ.update(rank_settings(args))  # the launcher hands little of its environment on to other nodes
    try:
        without_compiled_collectives()
        recipe = parse_recipe(args.recipe)
        options = BackboneOptions.read(args.backbone_options)
        recipe.train(
            TrainJob(
                backbone=args.backbone,
                corpus=args.corpus,
                out=args.out,
                state=args.state,
                recipe=recipe,
                options=options,
                deepspeed=json.loads(Path(args.deepspeed).read_text()),
                seed=args.seed,
                ranks=args.ranks,
                device="cuda" if args.gpus else "cpu",
                provenance=provenance(args),
                start=args.start,
                judges=judges(args.puzzles) if judges else None,
                texts=tuple(args.texts),
            )
        )
    except Exception as error:
        if any(mark in str(error) for mark in UNWRITABLE):
            free = shutil.disk_usage(args.state).free // 2**20
            error = LabError(f"cannot write a checkpoint or the adapter ({free} MiB free): {error}", file=args.state)
        leave_reason(args.state, error)
        raise error from None if isinstance(error, LabError) else error.__cause__
    sys.stdout.flush()


def leave_reason(state: str, error: Exception) -> None:
    """Keep this rank's reason; a disk too full even for that leaves it to stderr."""
    try:
        Path(state, ERROR.format(os.environ.get("RANK", "0"))).write_text(f"{error}")
    except OSError:
        pass


def reason(state: Path) -> str:
    """Why the ranks stopped: the first reason that is not merely that another rank had gone."""
    found = [path.read_text().strip() for path in sorted(state.glob(ERROR.format("*")))]
    return next(iter(sorted(found, key=lambda text: any(mark in text for mark in GONE))), "")


def without_compiled_collectives() -> None:
    """CPU ranks use gloo: DeepSpeed's shared-memory collectives are compiled at run time and need a C++ compiler."""
    import deepspeed

    deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False


def git_commit() -> str | None:
    """The commit of this code; None in a copy without its history, or on a machine without git."""
    try:
        done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=Path(__file__).parent, capture_output=True, text=True)
    except OSError:
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None


def provenance(args: argparse.Namespace) -> dict[str, object]:
    """What made this adapter: settings, command, code, packages, data."""
    options = BackboneOptions.read(args.backbone_options)
    return {
        "argv": [a for a in sys.argv if not a.startswith("--local_rank")],
        "backbone": Path(args.backbone).name,
        "recipe": parse_recipe(args.recipe).settings(),
        "backbone_options": asdict(options),
        "deepspeed": json.loads(Path(args.deepspeed).read_text()),
        "template_date": TEMPLATE_DATE.date().isoformat(),
        "seed": args.seed,
        "ranks": args.ranks,
        "gpus": args.gpus,
        "threads": args.threads,
        "git_commit": git_commit(),
        "packages": {name: version(name) for name in PACKAGES},
        "corpus_hash": file_hash(args.corpus),
        "start_hash": file_hash(Path(args.start, WEIGHTS)) if args.start else None,
        "backbone_config_hash": file_hash(Path(args.backbone, "config.json")),
    }
