"""The workflow on a real one-node Slurm: submitted, one job killed, one run cancelled, and finished all the same."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import slurm_cluster
import yaml
from test_workflow import copy, snakemake

from common.artifacts import read_table
from common.config import ARM_COLUMNS

TARGET = "results/cluster/grades/numerals/seed-1/greedy/test.parquet"
BEFORE = [f"results/cluster/{name}" for name in (
    "leaks/numerals/seed-1/test.json", "texts/numeral/forward/reveal-0/none/test.parquet",
)]  # fmt: skip
ADAPTER = "results/cluster/adapters/numerals/seed-1"
ARM = "\nnumerals\tnumeral\tforward\t0\tnone\tall\t32\tsmallest\tshort\t1\n"
MADE = {"width": 32, "layers": 1, "heads": 2, "head_size": 16, "feed_forward": 32, "context": 1024, "start": "random"}
CONFIGS = {
    "cluster": {
        "run": "cluster", "rows": {"train": {"default": 40}, "test": {"default": 12}},
        "decoding": {"max_tokens": 200, "batch": 12}, "arms": "config/cluster.tsv",
        "backbones": "config/cluster.backbones.yaml", "recipes": "config/cluster.recipes.yaml",
        "threads": {"backbone": 1},  # the node has two, and more are never given
    },
    "cluster.backbones": {"smallest": {"make": {**MADE, "steps": 0}, "targets": ["q_proj", "v_proj"]}},
    "cluster.recipes": {"short": {"rank": 4, "alpha": 8, "batch": 8, "epochs": 1, "max_length": 512}},
}  # fmt: skip
CONFIG = ("--configfile", "config/cluster.yaml")
LIMIT = 600  # seconds
# One `scontrol show config` that fails or takes ten seconds, and the executor plugin asks sacct, which has no answer
# without accounting; it then forgets its jobs and waits for ever.
LOST = "Falling back to 'sacct'"


def submit(folder: Path, log: Path) -> subprocess.Popen:
    """The workflow as a user of a cluster without accounting starts it: squeue tells the state of a job."""
    command = [
        sys.executable, "-X", "faulthandler", "-m", "snakemake", TARGET,
        "--workflow-profile", "profiles/slurm", *CONFIG,
        "--default-resources", "slurm_partition=main", "mem_mb=2000", "runtime=30",
        "--slurm-no-account", "--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "3",
        "--seconds-between-status-checks", "2", "--max-status-checks-per-second", "1", "--latency-wait", "5",
    ]  # fmt: skip
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with open(log, "a") as out:
        return subprocess.Popen(
            command, cwd=folder, stdout=out, stderr=out, env={**os.environ, "PATH": path}, preexec_fn=interruptible
        )


def interruptible() -> None:
    """What a shell starts in the background ignores SIGINT, and so do its children: this one is to be cancelled."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def wait_for(run: subprocess.Popen, log: Path, rule: str) -> str:
    """The Slurm id of the running job of a rule."""
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline and LOST not in log.read_text():
        assert run.poll() is None, log.read_text()
        for job, state, comment in slurm_cluster.queue():
            if state == "RUNNING" and comment.startswith(f"rule_{rule}"):
                return job
        time.sleep(0.5)
    raise AssertionError(f"no job of rule {rule}:\n{standstill(run, log)}")


def standstill(run: subprocess.Popen, log: Path) -> str:
    """What Slurm and every thread of Snakemake are waiting for: the run is ended, its log has their stacks."""
    run.send_signal(signal.SIGABRT)
    run.wait(60)
    return f"{slurm_cluster.state()}\n{log.read_text()[-20_000:]}"


@pytest.mark.flaky(reruns=1, only_rerun=LOST)
@pytest.mark.slow
@pytest.mark.skipif(bool(slurm_cluster.why_not()), reason=slurm_cluster.why_not())
def test_killed_cancelled_finished(tmp_path):
    """From the backbone on; texts are made before. After every look at the queue in which no job has ended, the plugin
    waits ten seconds longer for the next, so that a chain of short jobs mostly waits."""
    folder, log = tmp_path / "project", tmp_path / "snakemake.log"
    folder.mkdir()
    copy(folder)
    for name, content in CONFIGS.items():
        (folder / f"config/{name}.yaml").write_text(yaml.safe_dump(content))
    (folder / "config/cluster.tsv").write_text("\t".join(ARM_COLUMNS) + ARM)
    made = snakemake(folder, *BEFORE, *CONFIG)
    assert made.returncode == 0, made.stdout + made.stderr
    with slurm_cluster.cluster():
        run = submit(folder, log)
        killed = wait_for(run, log, "backbone")
        subprocess.run(["scancel", "--signal=KILL", "--full", killed], check=True)

        wait_for(run, log, "train")
        text = log.read_text()
        assert f"SLURM-job '{killed}' failed" in text and "Trying to restart" in text
        time.sleep(5)
        run.send_signal(signal.SIGINT)
        run.wait(120)
        deadline = time.monotonic() + 60
        while slurm_cluster.queue() and time.monotonic() < deadline:
            time.sleep(0.5)
        assert not slurm_cluster.queue()
        assert not (folder / ADAPTER / "adapter_model.safetensors").exists()
        assert not list(folder.glob("results/**/*.partial"))

        run = submit(folder, log)
        deadline = time.monotonic() + LIMIT
        while run.poll() is None:
            assert time.monotonic() < deadline and LOST not in log.read_text(), standstill(run, log)
            time.sleep(0.5)
        assert run.returncode == 0, log.read_text()
    assert read_table(folder / TARGET).num_rows == 12
