"""How far a long job is: a bar on a terminal, and in a log a line of it every few seconds."""

import sys
from collections.abc import Iterable

from tqdm import tqdm

LOG_SECONDS = 10
LOG_LINE = "{desc}: {n_fmt}/{total_fmt} {unit}, {rate_fmt}{postfix}, {elapsed} gone, {remaining} left"


class Lines:
    """Standard error for tqdm where it is no terminal: whole lines, without the returns that overwrite a bar."""

    def write(self, text: str) -> None:
        if text := text.strip():
            sys.stderr.write(f"{text}\n")

    def flush(self) -> None:
        sys.stderr.flush()


def progress(items: Iterable | None = None, desc: str = "", unit: str = "row", **kwargs) -> tqdm:
    """tqdm over `items`, or updated by hand up to `total=`; jobs of less than LOG_SECONDS write no line to a log."""
    if not sys.stderr.isatty():
        kwargs |= {"file": Lines(), "bar_format": LOG_LINE, "mininterval": LOG_SECONDS, "delay": LOG_SECONDS}
        kwargs |= {"miniters": 1, "ascii": True}
    return tqdm(items, desc=desc, unit=unit, **kwargs)
