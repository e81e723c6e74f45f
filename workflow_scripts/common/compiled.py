"""Functions compiled by numba, whose cache knows all that was compiled into them."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from numba import config, njit

from common.artifacts import file_hash
from common.sources import ROOT, sources


def compiled(function: Callable) -> Callable:
    """`njit` with a cache on disk beside the function's file; without one where that folder cannot be written.

    numba compares only the function's own file, but constants and functions of imported files are compiled in too. So
    the cache's folder is named by the hash of the file and of every library file that its imports reach.
    """
    file = Path(function.__code__.co_filename).resolve()
    text = "".join(file_hash(ROOT / path) for path in sources(str(file.relative_to(ROOT))))
    folder = file.parent / "__pycache__" / f"numba-{hashlib.blake2b(text.encode(), digest_size=8).hexdigest()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return njit(function)
    before, config.CACHE_DIR = config.CACHE_DIR, str(folder)
    try:
        return njit(cache=True)(function)
    finally:
        config.CACHE_DIR = before
