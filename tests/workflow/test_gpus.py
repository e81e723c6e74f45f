"""GPUs, without any: what jobs are told, which devices they take, and how many jobs run at once."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from argparse import Namespace
from pathlib import Path
from uuid import uuid4

import pytest
from snakemake.cli import parse_args
from test_workflow import copy

import forked
from common import gpus
from common.config import ARM_COLUMNS
from common.errors import LabError
from learning import launch
from learning_fixtures import RECIPE, ROOT, last_error, run

SCRIPTS = str(ROOT / "workflow_scripts")
EIGHT = ",".join(map(str, range(8)))


# --- what jobs are told

CONFIG = """
run: g
arms: config/arms.g.tsv
backbones: config/backbones.g.yaml
rows: {train: {default: 40}, test: {default: 5}}
"""
BACKBONES = """
slots: &slots
  {make: {steps: 1}, targets: [q_proj], dtype: float32, attention: packed, packing: true, zero_stage: 2}
unpretrained: {<<: *slots, make: {steps: 0}}
vllm:
  {hub: a/b, revision: "0000000000000000000000000000000000000000", targets: [q_proj], dtype: bfloat16, attention: sdpa,
   packing: false, zero_stage: 3, engine: vllm}
server: {endpoint: {url: "http://localhost:8000/v1", model: default}}
"""
ARMS = """
slots\tnumeral\tforward\t0\tnone\tall\t32\tslots\tsmall\t1
vllm\tnumeral\tforward\t0\tnone\tall\t32\tvllm\tsmall\t1
server\tnumeral\tforward\t0\tnone\tall\t0\tserver\tin-context\t1
"""
VOICES = "slots", "unpretrained", "vllm"


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    folder = copy(tmp_path_factory.mktemp("gpus"))
    (folder / "config/g.yaml").write_text(CONFIG)
    (folder / "config/backbones.g.yaml").write_text(BACKBONES)
    (folder / "config/arms.g.tsv").write_text("\t".join(ARM_COLUMNS) + ARMS)
    return folder


def snakemake(folder: Path, *words: object, devices: str = EIGHT) -> str:
    """Both outputs of a run that has to succeed, on a machine with such devices."""
    env = {**os.environ, "CUDA_VISIBLE_DEVICES": devices, "PYTHONPATH": SCRIPTS}
    done = forked.run("-m", "snakemake", *words, cwd=folder, env=env, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def told(text: str) -> dict[str, tuple[str, ...]]:
    """Rule and backbone -> the job's --ranks and --gpus in its planned command line, and the `gpu` it reserves."""
    found = {}
    for block in re.split(r"\n(?=(?:local)?rule \w+:\n)", text):
        if line := re.search(r"^Shell command: .*/(backbone|train|sample|native_voice)\.py .*", block, re.M):
            which = re.search(r"results/g/\w+/(slots|unpretrained|vllm|server)\b", line[0])[1]
            options = dict(re.findall(r"--(ranks|gpus) (\d+)", line[0]))
            reserved = re.search(r"^ +resources: .*\bgpu=(\d+)", block, re.M)[1]
            found[f"{line[1]} {which}"] = (*options.values(), reserved)
    return found


def targets() -> list[str]:
    made = [f"results/g/backbones/{name}/config.json" for name in VOICES]
    voices = [f"results/g/native_voice/{name}/numeral/forward/reveal-0.parquet" for name in VOICES]
    sampled = [f"results/g/completions/{arm}/seed-1/greedy/test.parquet" for arm in ("slots", "vllm", "server")]
    return [*made, *voices, *sampled, "--cores", "8", "--configfile", "config/g.yaml", "-n", "-p"]


ALONE, LAID_OVER = ("--workflow-profile", "profiles/slurm"), ("--profile", "profiles/slurm")


@pytest.mark.parametrize(("n", "profile"), [(0, ()), (1, ()), (4, ()), (8, ALONE), (4, LAID_OVER)])
def test_every_job_is_told_its_own_number(project, n, profile):
    all_of, one, none = str(n), str(min(n, 1)), "0"
    assert told(snakemake(project, *targets(), "--config", f"gpus={n}", *profile)) == {
        "backbone slots": (one, one),
        "backbone unpretrained": (none, none),
        "backbone vllm": (none, none),
        "train slots": (str(n or 1), all_of, all_of),
        "train vllm": (str(n or 1), all_of, all_of),
        "sample slots": (one, one),
        "sample vllm": (all_of, all_of),
        "sample server": (none, none),
        **{f"native_voice {name}": (one, one) for name in VOICES},
    }


def test_the_machine_limits_what_is_reserved_never_what_a_job_is_told(project):
    """Here a job for four would find one GPU, and refuses; it never trains on fewer than were asked for."""
    found = told(snakemake(project, *targets(), "--config", "gpus=4", devices="3"))
    assert found["train slots"] == ("4", "4", "1") and found["sample vllm"] == ("4", "1")
    found = told(snakemake(project, *targets(), "--config", "gpus=4", "--resources", "gpu=2"))
    assert found["train slots"] == ("4", "4", "2")


def test_a_cluster_asks_for_more_threads_than_the_login_node_has():
    _, here = parse_args(["--snakefile", str(ROOT / "Snakefile"), "--workflow-profile", str(ROOT / "profiles/default")])
    _, there = parse_args(["--snakefile", str(ROOT / "Snakefile"), "--workflow-profile", str(ROOT / "profiles/slurm")])
    assert here.cores and here.executor != "slurm"
    assert there.cores is None and there.executor == "slurm"
    assert here.rerun_triggers == there.rerun_triggers and here.keep_going and there.keep_going
    assert not here.resources and not there.resources


# --- which devices they take

HOLDER = "import sys; from common.gpus import claim; print(*claim(int(sys.argv[1])), flush=True); sys.stdin.read()"


@pytest.fixture
def machine(monkeypatch):
    """Starts processes that claim GPUs of a machine of eight, whose names no other test has; ends them."""
    names = [f"{uuid4()}-{i}" for i in range(8)]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", ",".join(names))
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    monkeypatch.setenv("PYTHONPATH", SCRIPTS)
    started = []

    def hold(n: int, **env: str) -> subprocess.Popen:
        line = [sys.executable, "-c", HOLDER, str(n)]
        kinds = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        started.append(subprocess.Popen(line, **kinds, text=True, env={**os.environ, **env}))
        return started[-1]

    hold.names = names
    yield hold
    for process in started:
        process.kill()
        process.wait()


def taken(process: subprocess.Popen) -> list[str]:
    return process.stdout.readline().split()


def test_jobs_at_the_same_time_get_different_gpus_and_a_killed_one_frees_its_own(machine):
    one, two = machine(4), machine(4)
    first, second = taken(one), taken(two)
    assert len(first) == len(second) == 4 and sorted(first + second) == sorted(machine.names)
    three = machine(3)
    assert three.stderr.readline().startswith("waiting for 3 of the GPUs ")
    one.send_signal(signal.SIGKILL)
    third = taken(three)
    assert set(third) < set(first)
    two.stdin.close()  # ends by itself
    assert set(taken(machine(5))) == set(machine.names) - set(third)


def test_none_hides_all(machine):
    assert taken(machine(0)) == []
    line = "import os; from common.gpus import claim; claim(0); print(repr(os.environ['CUDA_VISIBLE_DEVICES']))"
    assert subprocess.run([sys.executable, "-c", line], capture_output=True, text=True).stdout == "''\n"


def test_the_numbers_of_two_jobs_of_a_cluster_are_not_compared(machine):
    """Where a cluster shows each job its own GPUs as 0, 1, ..., both have a GPU 0, and neither waits."""
    assert taken(machine(8, SLURM_JOB_ID="7")) == taken(machine(8, SLURM_JOB_ID="8")) == machine.names
    within = machine(1, SLURM_JOB_ID="8")  # a second process of the same allocation
    assert within.stderr.readline().startswith("waiting for 1 ")


def test_a_child_that_inherits_a_gpu_keeps_it(machine):
    code = (
        "import subprocess, sys; from common import gpus; print(*gpus.claim(8), flush=True)\n"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(5)'], stdout=subprocess.DEVNULL,"
        " pass_fds=[lock.fileno() for lock in gpus.HELD])"
    )
    assert subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE).returncode == 0
    started = time.monotonic()
    after = machine(1)
    assert after.stderr.readline().startswith("waiting") and taken(after) and time.monotonic() - started > 2


@pytest.mark.parametrize(("given", "names"), [("", []), ("-1", []), ("2,5", ["2", "5"]), ("GPU-a , 3", ["GPU-a", "3"])])
def test_what_is_present(monkeypatch, given, names):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", given)
    assert gpus.present() == names
    with pytest.raises(LabError, match=rf"^field --gpus: 3 GPU\(s\) asked for, {len(names)} present"):
        gpus.claim(3)


def test_every_script_refuses_gpus_that_are_not_there(place, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    out = ["--out", place / "x", "--state", place / "x-state"]
    expected = "error: field --gpus: 2 GPU(s) asked for, 1 present (CUDA_VISIBLE_DEVICES can name others)"
    data = ["--corpus", place / "corpus.parquet", "--backbone", place / "backbone", "--ranks", 2, "--gpus", 2]
    data += ["--recipe", json.dumps(RECIPE)]
    assert last_error(run("train", *data, *out)) == expected
    make = ["--options", '{"make": {"steps": 1}}', "--skills", place / "s.json"]
    assert last_error(run("backbone", *make, *out, "--gpus", 2)) == expected


RANK = """
import os
print(os.environ["CUDA_VISIBLE_DEVICES"], file=open(f"{__file__}.{os.environ['RANK']}", "w"))
"""


def test_the_ranks_see_the_gpus_that_their_job_took(tmp_path, monkeypatch):
    """DeepSpeed's launcher would give them 0, 1, ... whatever its own environment says."""
    monkeypatch.setenv("DS_ACCELERATOR", "cpu")
    (tmp_path / "rank.py").write_text(RANK)
    args = Namespace(hostfile=None, ranks=2, gpus=2, threads=2)
    line = launch.command([str(tmp_path / "rank.py")], args, ["5", "GPU-b"])
    done = subprocess.run(line, capture_output=True, text=True, env=launch.environment(args))
    assert done.returncode == 0, done.stderr
    assert [(tmp_path / f"rank.py.{rank}").read_text() for rank in (0, 1)] == ["5,GPU-b\n"] * 2


# --- how many jobs run at once

JOBS = """
include: "rules/common.smk"


rule all:
    input:
        collect("{i}.json", i=range(4)),


rule hold:
    output:
        "{i}.json",
    resources:
        gpu=config["gpus"],
    params:
        gpus=config["gpus"],
    shell:
        "python hold.py {params.gpus} {output}"
"""
HOLD = """
import json, sys, time
from pathlib import Path
from common.gpus import claim
names, began = claim(int(sys.argv[1])), time.time()
time.sleep(3)
Path(sys.argv[2]).write_text(json.dumps([names, began, time.time()]))
"""


def test_two_jobs_of_four_run_at_once_on_eight(project):
    (project / "jobs.smk").write_text(JOBS)
    (project / "hold.py").write_text(HOLD)
    names = [f"{uuid4()}-{i}" for i in range(8)]
    words = ("-s", "jobs.smk", "--cores", 8, "--configfile", "config/default.yaml", "--config", "gpus=4")
    text = snakemake(project, *words, devices=",".join(names))
    assert "waiting" not in text  # the scheduler starts no job that would have to
    jobs = sorted((json.loads((project / f"{i}.json").read_text()) for i in range(4)), key=lambda job: job[1])
    together = [[other for other in jobs if other[1] < job[1] + 1.5 < other[2]] for job in jobs]
    assert [len(group) for group in together] == [2, 2, 2, 2]
    assert all(sorted(group[0][0] + group[1][0]) == sorted(names) for group in together)
