"""Which GPUs of this machine a job uses: jobs that run at the same time get different ones."""

import os
import socket
import sys
import time
from pathlib import Path

from common.errors import LabError

VISIBLE = "CUDA_VISIBLE_DEVICES"
SECONDS = 2  # between two looks for free GPUs
HELD: list[socket.socket] = []
"""One bound socket per claimed GPU. A child that inherits them (`pass_fds`) keeps the GPUs until it ends too."""


def present() -> list[str]:
    """The GPUs that jobs here may use: those that CUDA_VISIBLE_DEVICES names, else all of the machine's."""
    if (given := os.environ.get(VISIBLE)) is not None:
        return [name.strip() for name in given.split(",") if name.strip() not in ("", "-1")]
    return [str(i) for i in range(len(list(Path("/dev").glob("nvidia[0-9]*"))))]


def require(n: int) -> None:
    """Raise LabError where there are not as many as n GPUs."""
    if n > len(found := present()):
        raise LabError(f"{n} GPU(s) asked for, {len(found)} present ({VISIBLE} can name others)", field="--gpus")


def claim(n: int) -> list[str]:
    """Take n GPUs that no other job has until this process ends, waiting where too few are free; hide all others.

    Returns their names, which are in CUDA_VISIBLE_DEVICES from now on. Call it before torch looks for GPUs.
    """
    require(n)
    names, waited = present(), False
    while True:
        taken: dict[str, socket.socket] = {}
        for name in names:
            if len(taken) < n and (lock := _lock(name)):
                taken[name] = lock
        if len(taken) == n:
            break
        for lock in taken.values():  # a job that waits holds none, so two jobs never wait for each other
            lock.close()
        if not waited:
            waited = True
            print(f"waiting for {n} of the GPUs {', '.join(names)}: other jobs have them", file=sys.stderr, flush=True)
        time.sleep(SECONDS)
    HELD.extend(taken.values())
    os.environ[VISIBLE] = ",".join(taken)
    return list(taken)


def _lock(name: str) -> socket.socket | None:
    """Hold a GPU's name in Linux's abstract sockets: one process has it, no file is left, a death frees it.

    The numbers that a cluster gives to a job are that job's own: on one node, two jobs may each have a GPU 0.
    """
    job = os.environ.get("SLURM_JOB_ID", "") if VISIBLE in os.environ else ""
    lock = socket.socket(socket.AF_UNIX)
    try:
        lock.bind(f"\0gpu/{job}/{name}")
    except OSError:
        lock.close()
        return None
    return lock
