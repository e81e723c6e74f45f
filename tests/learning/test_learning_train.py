"""train.py and sample.py as commands: two ranks to the end, a kill -9 in the middle, and every refusal."""

import json
import os
import random
import resource
import shutil
import signal
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace

import pyarrow.parquet as pq
import pytest
from safetensors.torch import load_file

import forked
from common.artifacts import write_table
from learning import launch
from learning.precision import has_bf16
from learning_fixtures import RECIPE, ROOT, asked, environment, greedy, last_error, recipe, rows, run, script, settings

SEED = os.environ["KILL_SEED"]  # another in every run; set it to repeat a failure
STEPS = sorted(random.Random(SEED).sample(range(1, 9), 2))
FILES = {"adapter_model.safetensors", "adapter_config.json", "metrics.jsonl", "provenance.json"}


def arguments(place: Path, out: str, ranks: int = 2, corpus: str = "corpus.parquet", **recipe) -> list[object]:
    return [
        *("--corpus", place / corpus, "--backbone", place / "backbone", "--out", place / out),
        *("--state", place / f"{out}-state", "--seed", 3, "--ranks", ranks, "--threads", ranks),
        *("--recipe", json.dumps(settings(**recipe))),
    ]


def curve(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def trained(place) -> Path:
    done = run("train", *arguments(place, "adapter"))
    assert done.returncode == 0, done.stderr[-3000:]
    return place / "adapter"


def test_two_ranks_to_the_end(place, trained):
    assert {p.name for p in trained.iterdir()} == FILES | {"early"}
    steps = curve(trained)
    assert [row["step"] for row in steps] == list(range(1, 9))
    assert steps[-1]["loss"] < steps[0]["loss"]
    assert steps[-1]["lr"] < steps[0]["lr"]
    assert all(row["tokens_per_s"] > 0 and row["peak_memory_mb"] > 0 for row in steps)
    record = json.loads((trained / "provenance.json").read_text())
    assert record["ranks"] == record["run"]["ranks"] == 2
    assert record["recipe"]["rank"] == 4 and record["run"]["rows"] == 32
    assert record["template_date"] == "2026-01-01"
    assert 0 < record["run"]["native_voice"] < 0.2  # random weights have no voice
    early, late = (load_file(folder / "adapter_model.safetensors") for folder in (trained / "early", trained))
    assert {p.name for p in (trained / "early").iterdir()} == {"adapter_config.json", "adapter_model.safetensors"}
    assert early.keys() == late.keys() and any(not early[name].equal(late[name]) for name in late)
    assert not list((place / "adapter-state").glob("*/checkpoint-*"))


def test_products_in_16_bits_where_the_machine_has_them(place, trained):
    done = run("train", *arguments(place, "half"), "--backbone-options", json.dumps({"compute": "bfloat16"}))
    assert done.returncode == 0, done.stderr[-3000:]
    plain, half = curve(trained), curve(place / "half")
    found = json.loads((place / "half/provenance.json").read_text())["run"]["compute"]
    assert json.loads((trained / "provenance.json").read_text())["run"]["compute"] == "float32"
    assert found == ("bfloat16" if has_bf16() else "float32")
    assert [row["loss"] for row in half] == pytest.approx([row["loss"] for row in plain], rel=2e-2)
    assert (half[-1]["loss"] != plain[-1]["loss"]) == has_bf16()
    assert ("no bf16 instructions" in done.stderr) != has_bf16()


def test_training_needs_no_other_program(place, tmp_path):
    """Python and pip alone are promised: no git, not even a shell."""
    line = script("train", *arguments(place, "bare", ranks=1, epochs=0.25))
    env = environment() | {"PATH": str(tmp_path)}
    done = subprocess.run(line, capture_output=True, text=True, env=env, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads((place / "bare" / "provenance.json").read_text())["git_commit"] is None


@pytest.mark.skipif(not shutil.which("git"), reason="no git here")
def test_the_commit_is_kept_where_there_is_one():
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    assert launch.git_commit() == (done.stdout.strip() if done.returncode == 0 else None)


def test_decoding_with_the_adapter(place, trained):
    """Both engines give the same completions; a second run reuses the parts of a killed first one."""
    write_table(place / "texts.parquet", asked(12, seed=1))
    common = ["--backbone", place / "backbone", "--adapter", trained, "--texts", place / "texts.parquet"]
    tables = {}
    for engine in ("slots", "generate"):
        out = place / f"{engine}.parquet"
        options = ("--backbone-options", json.dumps({"engine": engine}))
        done = run("sample", *common, *options, *greedy(12, 5), "--state", place / "s", "--out", out)
        assert done.returncode == 0, done.stderr[-3000:]
        tables[engine] = pq.read_table(out).to_pylist()
    assert [row["id"] for row in tables["slots"]] == [f"row-{i}" for i in range(12)]
    for one, other in zip(tables["slots"], tables["generate"], strict=True):
        assert one["text"] == other["text"] and one["finish"] == other["finish"]
        assert one["n_tokens"] == other["n_tokens"] <= 12
        assert one["logprob_sum"] == pytest.approx(other["logprob_sum"], abs=1e-3)


def start_and_kill(arguments: list[object], metrics: Path, step: int) -> None:
    """Start training, and kill -9 the launcher's parent and every rank once `step` is in the metrics below a folder."""
    process = forked.begin(*script("train", *arguments)[1:], env=environment(), cwd=ROOT, leader=True)
    until = time.monotonic() + 120
    while time.monotonic() < until and process.is_alive():
        if any(len(p.read_text().splitlines()) >= step for p in metrics.glob("*/metrics.jsonl")):
            break
        time.sleep(0.005)
    assert process.is_alive(), "the training ended before it could be killed"
    os.killpg(process.pid, signal.SIGKILL)
    process.join()


def same_end(one: Path, other: Path) -> None:
    """Same loss curve and adapter; the tolerance is that of fp32 sums."""
    for a, b in zip(curve(one), curve(other), strict=True):
        assert a["step"] == b["step"] and a["loss"] == pytest.approx(b["loss"], rel=1e-4)
    for place in (".", "early") if (one / "early").exists() else (".",):
        first, second = (load_file(folder / place / "adapter_model.safetensors") for folder in (one, other))
        for name in first:
            assert (first[name] - second[name]).abs().max() < 1e-4, name


def went_on(out: Path, step: int) -> bool:
    """Whether a training that was killed at a step went on from no earlier checkpoint than it had to."""
    resumed = json.loads((out / "provenance.json").read_text())["run"]["resumed_from"]
    whole = [None, *(f"checkpoint-{n}" for n in (2, 4, 6, 8))]  # one every second step; the kill may miss its step
    return whole.index(resumed) >= (step - 1) // 2


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS[:1], ids=[f"KILL_SEED={SEED}-{STEPS[0]}"])
def test_two_ranks_that_are_killed_go_on(place, trained, step):
    """At a random step; test_methods.py kills one rank twice."""
    start_and_kill(arguments(place, "killed"), place / "killed-state", step)
    assert not (place / "killed").exists()
    assert run("train", *arguments(place, "killed")).returncode == 0
    assert went_on(place / "killed", step)
    same_end(trained, place / "killed")


@pytest.mark.slow
@pytest.mark.parametrize("zero", ["zero3", "zero2-offload", "zero3-offload"])
def test_however_it_is_spread_the_adapter_is_the_same(place, trained, zero):
    """Under ZeRO-3 a parameter is empty outside its layer's turn; the adapter must hold the same tensors anyway."""
    done = run("train", *arguments(place, zero), "--deepspeed", ROOT / "config" / "deepspeed" / f"{zero}.json")
    assert done.returncode == 0, done.stderr[-3000:]
    same_end(trained, place / zero)


def refused(place: Path, out: str, *more: object, **changes) -> str:
    """The error of a run that must fail, after checking that it left no output."""
    error = last_error(run("train", *arguments(place, out, **changes), *more))
    assert not (place / out).exists()
    return error


def test_refusals_before_anything_starts(place, tmp_path):
    assert "field rank: LoRA rank 64 is outside 1..32" in refused(place, "bad", rank=64)
    assert "did you mean 'rank'?" in refused(place, "bad", rnak=8)
    assert "is not a number" in refused(place, "bad", lr="high")
    assert "no such file" in refused(place, "bad", corpus="absent.parquet")
    assert "one rank per GPU" in refused(place, "bad", "--gpus", 1)
    assert "no such backbone folder" in refused(place, "bad", "--backbone", tmp_path / "absent")
    broken = shutil.copytree(place / "backbone", tmp_path / "broken")
    (broken / "model.safetensors").unlink()
    assert "missing weight shard(s) model.safetensors" in refused(place, "bad", "--backbone", broken)
    index = {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}
    (broken / "model.safetensors.index.json").write_text(json.dumps(index))
    (broken / "model-00001-of-00002.safetensors").touch()
    assert "model-00002-of-00002.safetensors of 2" in refused(place, "bad", "--backbone", broken)


def test_gpus_that_are_not_there(place):
    import torch

    if torch.cuda.device_count() >= 9:
        pytest.skip("nine GPUs are there")
    assert "9 GPU(s) asked for" in refused(place, "bad", "--gpus", 9, ranks=9)


def test_refusal_inside_a_rank_reaches_the_command(place):
    """The rank names the character; the launcher stops the other rank; the command ends in that one line."""
    bad = rows(8)
    bad[3]["completion"] += "é"
    write_table(place / "accent.parquet", bad)
    error = refused(place, "bad", corpus="accent.parquet")
    assert "accent.parquet: row row-3: the backbone's tokenizer loses the character(s) 'é' (U+00E9)" in error


def test_a_loss_that_is_no_number_stops_training(place):
    assert "the loss is nan" in refused(place, "nan", ranks=1, lr=1e30, clip=1e30)


def test_a_full_disk_leaves_the_state_to_resume_from(place, trained):
    """Files may not grow beyond 20 kB, as on a full disk: an error that says so, no output, and a run that goes on.

    On one rank, which ends where two do.
    """
    limit = {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))}
    line = script("train", *arguments(place, "full", ranks=1))
    error = last_error(subprocess.run(line, capture_output=True, text=True, env=environment(), cwd=ROOT, **limit))
    assert "cannot write a checkpoint or the adapter" in error, error
    assert not (place / "full").exists()
    assert run("train", *arguments(place, "full", ranks=1)).returncode == 0
    same_end(trained, place / "full")


def test_a_taken_port_is_tried_again(place, monkeypatch, tmp_path):
    """A start that fails because its port was taken in between is repeated with another one; other failures are not."""
    from common.errors import LabError
    from learning import launch

    ports = []

    def start(line, env):
        ports.append(next(word for word in line if word.startswith("--master_port")))
        (tmp_path / launch.ERROR.format(0)).write_text("EADDRINUSE" if len(ports) == 1 else reasons.pop())
        return len(reasons)

    args = SimpleNamespace(state=str(tmp_path), ranks=1, gpus=0, threads=1, hostfile=None)
    monkeypatch.setattr(launch, "run_launcher", start)
    monkeypatch.setenv("SLURM_PROCID", "7")
    reasons = [""]
    with pytest.raises(IndexError):
        launch.launch(["train.py"], args)
        reasons.pop()
    assert len(ports) == 2 and ports[0] != ports[1]
    assert "SLURM_PROCID" not in launch.environment(args)
    reasons = ["more", "the rank's own reason"]
    with pytest.raises(LabError, match="the rank's own reason"):
        launch.launch(["train.py"], args)
    assert len(ports) == 3


def test_corpus_refusals(place):
    from common.errors import LabError
    from learning.backbones import load_tokenizer
    from learning.training import read_corpus

    tokenizer = load_tokenizer(place / "backbone")
    with pytest.raises(LabError, match=r"corpus.parquet: row row-\d+: \d+ tokens, above the limit of 20"):
        read_corpus(place / "corpus.parquet", tokenizer, recipe(max_length=20))
    table = pq.read_table(place / "corpus.parquet")
    write_table(place / "empty.parquet", table.slice(0, 0))
    with pytest.raises(LabError, match="the corpus has no rows"):
        read_corpus(place / "empty.parquet", tokenizer, recipe())
    (place / "cut.parquet").write_bytes((place / "corpus.parquet").read_bytes()[:-20])
    with pytest.raises(LabError, match="truncated"):
        read_corpus(place / "cut.parquet", tokenizer, recipe())


def test_unlearned_lines_and_stages(place):
    """Lines that the recipe leaves out carry no label; the first stage's rows come before the others."""
    from common.errors import LabError
    from learning.backbones import load_tokenizer
    from learning.packing import IGNORE, plan
    from learning.training import read_corpus, tokenized

    tokenizer = load_tokenizer(place / "backbone")
    row = {"prompt": "1 2", "completion": "<think>\n1+1=3 no\n1+2=3 yes\n</think>\n\\boxed{3}"}
    example = tokenized(tokenizer, row | {"unlearned": [1]})
    learned = [t for t in example.labels if t != IGNORE]
    assert tokenizer.decode(learned) == "<think>\n1+2=3 yes\n</think>\n\\boxed{3}<|end|>"
    assert tokenizer.decode(example.completion[-example.fixed :]) == "</think>\n\\boxed{3}<|end|>"
    staged = rows(20)
    for i, row in enumerate(staged):
        row["stratum"] = "drill" if i % 2 else "all"
    write_table(place / "staged.parquet", staged)
    units, first = read_corpus(place / "staged.parquet", tokenizer, recipe(first_stage="/drill$"))
    assert first == list(range(1, 20, 2))
    planned = {"batch": 5, "epochs": 1, "ranks": 1, "micro_tokens": 10_000, "seed": 0}
    lengths = [len(e) for unit in units for e in unit]
    micros, _ = plan(lengths, first=first, replay=0.2, **planned)
    drills = [sum(i % 2 for i in micro) for micro in micros]
    assert drills[:2] == [5, 5] and sum(drills[2:]) <= 2 and len(micros) == 4
    micros, _ = plan(lengths, first=first, first_epochs=3, replay=0.2, **planned)
    assert [sum(i % 2 for i in micro) for micro in micros][:6] == [5] * 6 and len(micros) == 6 + 2
    with pytest.raises(LabError, match="found in 0 of 20 rows.*sums/drill"):
        read_corpus(place / "staged.parquet", tokenizer, recipe(first_stage="absent"))


def test_each_stage_has_a_schedule_of_its_own(place):
    """Drills alone, then the rest with some of them again; the rate rises and falls twice."""
    staged = rows(48)
    for i, row in enumerate(staged):
        row["stratum"] = "drill" if i < 16 else "all"
    write_table(place / "drilled.parquet", staged)
    staging = {"first_stage": "/drill$", "first_epochs": 3, "epochs": 1, "warmup": 0.2, "replay": 0.1}
    done = run("train", *arguments(place, "drilled", 1, "drilled.parquet", **staging))
    assert done.returncode == 0, done.stderr[-3000:]
    rates = [row["lr"] for row in curve(place / "drilled")]
    assert len(rates) == 3 * 2 + (32 + 2) // 8
    first, second = rates[:6], rates[6:]
    for stage in (first, second):
        assert stage[0] == 0 and max(stage) == pytest.approx(RECIPE["lr"], rel=0.35)
        assert stage[-1] < 0.5 * max(stage) and stage.index(max(stage)) in (1, 2)
