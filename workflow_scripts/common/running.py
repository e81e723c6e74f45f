"""Lets Snakemake run without an activated environment, and start again after it was killed."""

import fcntl
import os
import shutil
import socket
import sys
from pathlib import Path
from typing import TextIO


def use_this_python() -> None:
    """Put the Python that runs Snakemake on the PATH of its jobs; a conda environment's own still comes first."""
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"


def hold(folder: Path = Path(".snakemake")) -> TextIO | None:
    """Mark this process as alive in `folder`; keep what is returned open for as long as it is.

    Snakemake locks its folder by plain files, which outlive a kill or a power loss. They are removed where no process
    of this machine is alive here and the last that locked the folder was of this machine. None where the file system
    has no locks.
    """
    folder.mkdir(exist_ok=True)
    alive, locks, host = open(folder / "alive", "a+"), folder / "locks", socket.gethostname()
    try:
        try:
            fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pass
        else:
            alive.seek(0)
            if alive.read() == host:
                shutil.rmtree(locks, ignore_errors=True)
            if not locks.is_dir() or not any(locks.iterdir()):
                alive.truncate(0)
                alive.write(host)
                alive.flush()
        fcntl.flock(alive, fcntl.LOCK_SH)
    except OSError:
        alive.close()
        return None
    return alive
