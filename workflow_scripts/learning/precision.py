"""Which number format the arithmetic of this machine is fast in."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import torch


@cache
def has_bf16(device: str = "cpu") -> bool:
    """Whether matrix products in bf16 are fast here: a GPU that knows them, or a CPU with AVX-512 BF16 or AMX.

    Says so once where they are not.
    """
    if device != "cpu":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    known = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    if not known:
        print("this processor has no bf16 instructions; computing in fp32", file=sys.stderr)
    return known


def autocast(device: str = "cpu") -> torch.autocast:
    """bf16 for matrix products where the machine has it, fp32 elsewhere."""
    return torch.autocast(device, dtype=torch.bfloat16, enabled=has_bf16(device))


@contextmanager
def computing(model: torch.nn.Module, compute: str, device: str) -> Iterator[None]:
    """Within it, calls of the model have their matrix products in `compute`, where the machine has it.

    It is put on the model's own forward pass: DeepSpeed switches off what is put around its engine.
    """
    if compute == "float32":
        yield
        return
    model.forward = autocast(device)(model.forward)
    try:
        yield
    finally:
        del model.forward
