"""What a job asks of the machine: its GPUs, and memory that is kept once it was used."""

import ctypes
import sys

from common import gpus
from common.errors import LabError


def require_cuda(n: int) -> None:
    """Raise LabError where torch cannot use as many as n GPUs."""
    import torch

    if torch.cuda.device_count() < n:
        found = f"torch {torch.__version__} can use {torch.cuda.device_count()} of those present"
        raise LabError(f"{n} GPU(s) asked for, {found}", field="--gpus")


def device(n: int) -> str:
    """Claim n GPUs for this process; where torch then runs: cuda, or cpu for none."""
    gpus.claim(n)
    if n:
        require_cuda(n)
    return "cuda" if n else "cpu"


def keep_freed_memory() -> None:
    """Let glibc keep freed blocks: otherwise every large activation is mapped and page-faulted anew."""
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt:
            mallopt(-3, 1 << 30)  # M_MMAP_THRESHOLD
            mallopt(-1, (1 << 31) - 1)  # M_TRIM_THRESHOLD
