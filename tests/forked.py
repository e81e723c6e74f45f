"""Python commands in forks of a process that has imported the large libraries once: seconds less for every command.

Nothing of this project is imported there, so a fork of it runs the files of any copy of the project.
"""

import atexit
import json
import multiprocessing
import os
import runpy
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from functools import cache
from multiprocessing import connection, forkserver
from multiprocessing.process import BaseProcess
from pathlib import Path

TESTS = Path(__file__).resolve().parent
LARGE = ["snakemake.cli", "pandas", "pyarrow.parquet", "numba", "scipy.stats", "matplotlib.pyplot", "torch"]
LARGE += ["transformers.trainer", "transformers.models.llama.modeling_llama", "peft"]
WITHOUT_GPU = {"DS_ACCELERATOR": "cpu", "CUDA_VISIBLE_DEVICES": "", "TORCHDYNAMO_DISABLE": "1"}
"""What training on CPUs sets before it imports DeepSpeed, see learning/launch.py."""
FORKS = multiprocessing.get_context("forkserver")
LOCK = threading.Lock()
"""Starting a process asks all others whether they have ended, and two threads must not ask one at once."""


def run(
    *words: object,
    cwd: str | Path | None = None,
    env: dict[str, str] | None = None,
    timeout: float = 900,
    check: bool = False,
    python: str | Path | None = None,
) -> subprocess.CompletedProcess:
    """As `subprocess.run` of this Python with these words (-m MODULE or a script, then its arguments), outputs as text.

    python: the file that the command takes for its own Python. Raises subprocess.TimeoutExpired, after ending the
    process, when it takes more than `timeout` seconds; with `check` subprocess.CalledProcessError, when it fails.
    """
    words = [str(word) for word in words]
    with tempfile.TemporaryDirectory() as folder:
        outputs = [Path(folder, name) for name in ("stdout", "stderr")]
        process = begin(*words, cwd=cwd, env=env, outputs=outputs, python=python)
        connection.wait([process.sentinel], timeout)
        with LOCK:
            late = process.is_alive()
        if late:
            process.terminate()
            process.join()
            raise subprocess.TimeoutExpired(words, timeout)
        texts = [out.read_text(encoding="utf-8") for out in outputs]
    done = subprocess.CompletedProcess(words, process.exitcode, *texts)
    if check:
        done.check_returncode()
    return done


def begin(
    *words: object,
    cwd: str | Path | None = None,
    env: dict[str, str] | None = None,
    outputs: Sequence[str | Path] = (os.devnull, os.devnull),
    leader: bool = False,
    python: str | Path | None = None,
) -> BaseProcess:
    """The same, while it runs. outputs: files for what it says; leader: of a session of its own, to be killed with all
    that it starts."""
    start()
    args = ([str(word) for word in words], str(cwd or os.getcwd()), dict(os.environ if env is None else env))
    process = FORKS.Process(target=_main, args=(*args, [str(out) for out in outputs], leader, str(python or "")))
    with LOCK:
        process.start()
    return process


@cache
def start() -> None:
    """Start the process that is forked; its libraries look for no models on the network.

    With GPUs it goes without DeepSpeed, which would open one, and a fork cannot use what was opened before.
    """
    from common.gpus import present  # not above: every fork imports this file

    before = dict(os.environ)
    os.environ["HF_HUB_OFFLINE"] = "1"
    if present():
        FORKS.set_forkserver_preload(LARGE)
    else:
        FORKS.set_forkserver_preload([*LARGE, "deepspeed"])
        os.environ |= WITHOUT_GPU
    forkserver.ensure_running()
    os.environ.clear()
    os.environ.update(before)


PYTHON = """#!{python} -IS
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as asked:
    asked.connect(os.path.join(os.path.dirname(sys.argv[0]), "socket"))
    told = sys.argv[1:], os.getcwd(), dict(os.environ), os.getpid()
    asked.sendall(json.dumps(told).encode() + b"\\n")
    status = int(asked.makefile().readline() or 1)
if status < 0:
    os.kill(os.getpid(), -status)
sys.exit(status)
"""
"""Hands its command on to `_serve`, and ends as it ended."""


@cache
def python() -> Path:
    """A program that runs Python commands in such forks, for what starts Python by itself: `run(..., python=...)` of
    Snakemake has its jobs run by it."""
    folder = Path(tempfile.mkdtemp(prefix="forked-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(folder / "socket"))
    listener.listen()
    threading.Thread(target=_listen, args=(listener,), daemon=True).start()
    (folder / "python").write_text(PYTHON.format(python=sys.executable))
    (folder / "python").chmod(0o700)
    return folder / "python"


def _listen(listener: socket.socket) -> None:
    while True:
        threading.Thread(target=_serve, args=listener.accept()[:1], daemon=True).start()


def _serve(asked: socket.socket) -> None:
    """Run a command that was handed on, and say how it ended; end it where who asked is gone."""
    with asked:
        words, cwd, env, asker = json.loads(asked.makefile().readline())
        process = begin(*words, cwd=cwd, env=env, outputs=[f"/proc/{asker}/fd/{number}" for number in (1, 2)])
        if gone := asked in connection.wait([process.sentinel, asked]):
            process.kill()
        with LOCK:
            process.join()
        if not gone:
            asked.sendall(f"{process.exitcode}\n".encode())


def _main(words: list[str], cwd: str, env: dict[str, str], outputs: list[str], leader: bool, python: str) -> None:
    """In the fork: become the command."""
    if leader:
        os.setsid()
    sys.executable = python or sys.executable
    for number, path in enumerate(("/dev/null", *outputs)):
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(file, number)
        os.close(file)
    sys.stdin = os.fdopen(0)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    inside = str(TESTS.parent)
    first = [""] if words[0] == "-m" else [str(Path(words[0]).resolve().parent)]
    sys.path[:] = first + [path for path in sys.path if path and not path.startswith(inside)]
    if words[0] == "-m":
        sys.argv = words[1:]
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = words
        runpy.run_path(words[0], run_name="__main__")
