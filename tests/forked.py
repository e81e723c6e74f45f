"""Python commands in forks of a process that has imported the large libraries once: seconds less for every command.

Nothing of this project is imported there, so a fork of it runs the files of any copy of the project.
"""

import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from functools import cache
from multiprocessing import forkserver
from pathlib import Path

TESTS = Path(__file__).resolve().parent
LARGE = ["snakemake.cli", "pandas", "pyarrow.parquet", "numba", "scipy.stats", "matplotlib.pyplot", "torch"]
LARGE += ["transformers", "peft"]
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(LARGE)


def run(
    *words: object,
    cwd: str | Path | None = None,
    env: dict[str, str] | None = None,
    timeout: float = 900,
    check: bool = False,
) -> subprocess.CompletedProcess:
    """As `subprocess.run` of this Python with these words (-m MODULE or a script, then its arguments), outputs as text.

    Raises subprocess.TimeoutExpired, after ending the process, when it takes more than `timeout` seconds; with `check`
    subprocess.CalledProcessError, when it fails.
    """
    words = [str(word) for word in words]
    start()
    with tempfile.TemporaryDirectory() as folder:
        outputs = [Path(folder, name) for name in ("stdout", "stderr")]
        args = (words, str(cwd or os.getcwd()), dict(os.environ if env is None else env), [str(out) for out in outputs])
        process = FORKS.Process(target=_main, args=args)
        process.start()
        process.join(timeout)
        if process.is_alive():
            process.terminate()
            process.join()
            raise subprocess.TimeoutExpired(words, timeout)
        texts = [out.read_text(encoding="utf-8") for out in outputs]
    done = subprocess.CompletedProcess(words, process.exitcode, *texts)
    if check:
        done.check_returncode()
    return done


@cache
def start() -> None:
    """Start the process that is forked; its libraries look for no models on the network."""
    before = os.environ.get("HF_HUB_OFFLINE")
    os.environ["HF_HUB_OFFLINE"] = "1"
    forkserver.ensure_running()
    del os.environ["HF_HUB_OFFLINE"]
    if before is not None:
        os.environ["HF_HUB_OFFLINE"] = before


def _main(words: list[str], cwd: str, env: dict[str, str], outputs: list[str]) -> None:
    """In the fork: become the command."""
    for number, path in enumerate(("/dev/null", *outputs)):
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
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
