"""A real one-node Slurm on this machine: munged, slurmctld and slurmd from the distribution's packages, on loopback."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel")
# The job step that the executor plugin starts drops SLURM_* variables, so only the default place is found there.
SYSTEM_CONFIG = Path("/etc/slurm/slurm.conf")


def why_not() -> str:
    """Why no cluster can be started here; empty when it can."""
    missing = [program for program in PROGRAMS if not shutil.which(program)]
    if missing:
        return f"not installed: {', '.join(missing)} (Debian: slurmctld slurmd slurm-client munge)"
    if os.geteuid() != 0:
        return "slurmd needs root to start jobs"
    return f"{SYSTEM_CONFIG} exists: this machine has a Slurm of its own" if SYSTEM_CONFIG.exists() else ""


def config_text(folder: Path, cpus: int, memory_mb: int) -> str:
    """A slurm.conf for one node without accounting and without control groups."""
    return f"""\
ClusterName=test
SlurmctldHost=localhost
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
AccountingStorageType=accounting_storage/none
MpiDefault=none
ReturnToService=2
SchedulerParameters=sched_interval=1
MinJobAge=300
KillWait=5
MessageTimeout=60
UnkillableStepTimeout=300
NodeName=localhost NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory_mb} State=UNKNOWN
PartitionName=main Nodes=localhost Default=YES MaxTime=INFINITE State=UP
"""


def _wait(condition, what: str, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} not reached within {seconds} s")
        time.sleep(0.3)


def queue() -> list[tuple[str, str, str]]:
    """(job id, state, comment) of every job that is pending or running."""
    out = subprocess.run(
        ["squeue", "--noheader", "--states=PD,R,CG", "--format=%i|%T|%k"], capture_output=True, text=True, check=True
    )
    return [tuple(line.split("|", 2)) for line in out.stdout.splitlines()]


def state() -> str:
    """The nodes with the reason why one takes no job, every job with the reason why it waits, the controller's log."""
    log = next(line.partition("=")[2] for line in SYSTEM_CONFIG.read_text().splitlines() if "SlurmctldLogFile" in line)
    told = [
        subprocess.run(command, capture_output=True, text=True).stdout
        for command in (["scontrol", "show", "node"], ["squeue", "--states=all", "--long"])
    ]
    return "\n".join([*told, Path(log).read_text()[-5000:]])


@contextmanager
def cluster(cpus: int = 2, memory_mb: int = 16000) -> Iterator[None]:
    """Start the daemons, yield while the node is idle, stop everything and remove the configuration.

    Its folder has a short name: the path of a job's socket may have 107 characters, or no job is launched.
    """
    folder = Path(tempfile.mkdtemp(prefix="slurm-", dir="/tmp"))
    elsewhere = os.environ.pop("SLURM_CONF", None)  # see conftest.py
    for name in ("state", "spool"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    key = folder / "munge.key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o400)
    SYSTEM_CONFIG.parent.mkdir(parents=True, exist_ok=True)
    SYSTEM_CONFIG.write_text(config_text(folder, cpus, memory_mb))
    daemons: list[subprocess.Popen] = []

    def start(*command: str) -> None:
        with open(folder / f"{command[0]}.out", "w") as out:
            daemons.append(subprocess.Popen(command, stdout=out, stderr=out))

    def idle() -> bool:
        out = subprocess.run(["sinfo", "--noheader", "--format=%T"], capture_output=True, text=True)
        return out.stdout.strip() == "idle"

    try:
        start(
            "munged", "--foreground", "--force", f"--socket={folder}/munge.socket", f"--key-file={key}",
            f"--pid-file={folder}/munged.pid", f"--log-file={folder}/munged.log", f"--seed-file={folder}/munge.seed",
        )  # fmt: skip
        _wait((folder / "munge.socket").exists, "munge socket", 20)
        start("slurmctld", "-D")
        start("slurmd", "-D", "-N", "localhost")
        _wait(idle, "idle Slurm node", 60)
        yield
    finally:
        subprocess.run(["scancel", "--quiet", "--partition=main"], capture_output=True)
        for daemon in reversed(daemons):
            daemon.terminate()
            try:
                daemon.wait(20)
            except subprocess.TimeoutExpired:
                daemon.kill()
        SYSTEM_CONFIG.unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        if elsewhere:
            os.environ["SLURM_CONF"] = elsewhere
