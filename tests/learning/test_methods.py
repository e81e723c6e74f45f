"""Training methods: found by their place, started from another arm's adapter, handed what judges completions."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file
from test_learning_train import SEED, STEPS, arguments, curve, same_end, start_and_kill, went_on

from common.artifacts import write_table
from common.errors import LabError
from learning import adapters
from learning.backbones import load_model
from learning.methods import METHODS, read_recipe
from learning.methods.base import Recipe
from learning.settings import WEIGHTS, BackboneOptions
from learning_fixtures import ROOT, last_error, recipe, run, settings
from puzzles.base import row_rng
from puzzles.registry import FAMILIES
from reasoning.grammar.reveal import Reveal
from reasoning.grammar.texts import RENDERED, render_row, table_row
from reasoning.registry import DESIGNS

FULL = {"method": "full", "lr": 0.001}


def test_methods_are_found_by_their_place():
    files = {path.stem for path in (ROOT / "workflow_scripts/learning/methods").glob("[a-z]*.py")} - {"base"}
    assert set(METHODS) == files >= {"lora", "full"}
    assert read_recipe(settings()).method == "lora" and recipe(method="full").settings()["method"] == "full"
    assert all(issubclass(method, Recipe) for method in METHODS.values())


@pytest.fixture(scope="module")
def first(place):
    done = run("train", *arguments(place, "first", ranks=1))
    assert done.returncode == 0, done.stderr[-3000:]
    return place / "first"


@pytest.fixture(scope="module")
def second(place, first):
    done = run("train", *arguments(place, "second", ranks=1), "--start", first)
    assert done.returncode == 0, done.stderr[-3000:]
    return place / "second"


def test_a_training_starts_from_another_adapter(place, first, second):
    """Its first loss is near the last one there, far from that of the backbone; provenance names the start."""
    begun, ended, losses = curve(first)[0]["loss"], curve(first)[-1]["loss"], curve(second)
    assert losses[0]["loss"] - ended < 0.3 * (begun - ended)
    made = [json.loads((place / name / "provenance.json").read_text()) for name in ("first", "second")]
    assert made[0]["start_hash"] is None and made[1]["start_hash"]
    assert not torch.equal(*(load_file(folder / WEIGHTS)[name(folder)] for folder in (first, second)))


def name(folder) -> str:
    return next(key for key in sorted(load_file(folder / WEIGHTS)) if "lora_B" in key)


@pytest.mark.slow
@pytest.mark.parametrize("steps", [STEPS], ids=[f"KILL_SEED={SEED}-{STEPS}"])
def test_killed_it_goes_on_and_from_another_start_it_does_not(place, first, second, steps):
    """Started three times, killed at two random steps one after the other."""
    for step in steps:
        start_and_kill([*arguments(place, "killed", ranks=1), "--start", first], place / "killed-state", step)
        assert not (place / "killed").exists()
    shutil.copytree(place / "killed-state", place / "afresh-state")
    for out, start in (("killed", ["--start", first]), ("afresh", [])):
        assert run("train", *arguments(place, out, ranks=1), *start).returncode == 0
    assert went_on(place / "killed", steps[-1])
    assert json.loads((place / "afresh" / "provenance.json").read_text())["run"]["resumed_from"] is None
    same_end(second, place / "killed")


@pytest.mark.slow
@pytest.mark.parametrize("zero", ["zero2", "zero3"])
def test_every_parameter_starts_where_another_ended(place, zero):
    """Under ZeRO-3 the ranks hold shards only; the values must arrive all the same."""
    if not (place / "whole-model").exists():
        assert run("train", *arguments(place, "whole-model", ranks=1, **FULL)).returncode == 0
    config = ["--deepspeed", ROOT / f"config/deepspeed/{zero}.json"]
    done = run("train", *arguments(place, zero, ranks=2, **FULL), "--start", place / "whole-model", *config)
    assert done.returncode == 0, done.stderr[-3000:]
    losses = [curve(place / "whole-model")[i]["loss"] for i in (0, -1)]
    assert curve(place / zero)[0]["loss"] - losses[1] < 0.3 * (losses[0] - losses[1])


@pytest.mark.slow
def test_an_adapter_starts_where_another_ended_under_zero_3(place, first):
    config = ["--deepspeed", ROOT / "config/deepspeed/zero3.json"]
    done = run("train", *arguments(place, "sharded", ranks=2), "--start", first, *config)
    assert done.returncode == 0, done.stderr[-3000:]
    begun, ended = (curve(first)[i]["loss"] for i in (0, -1))
    assert curve(place / "sharded")[0]["loss"] - ended < 0.3 * (begun - ended)


def test_starts_that_cannot_be(place, first, tmp_path):
    options = BackboneOptions()
    for changes, message in (
        ({"rank": 2}, "field rank: the adapter to start from has 4, expected 2"),
        ({"alpha": 16}, "field alpha: the adapter to start from has 8, expected 16"),
        ({"method": "full"}, "tensors are missing or unknown, first"),
    ):
        with pytest.raises(LabError, match=message):
            recipe(**changes).trainable(load_model(place / "backbone", options), options, str(first))
    model = adapters.add_lora(load_model(place / "backbone", options), recipe(), options)
    shutil.copytree(first, tmp_path / "cut")
    (tmp_path / "cut" / WEIGHTS).write_bytes((first / WEIGHTS).read_bytes()[:-8])
    with pytest.raises(LabError, match="no whole adapter_model.safetensors to start from"):
        adapters.restore(model, tmp_path / "cut")
    error = last_error(run("train", *arguments(place, "bad"), "--start", tmp_path / "none"))
    assert f"{tmp_path}/none: no such adapter folder to start from" in error


WRONG = "\n\\boxed{wrong}"


def rendered(family: str, design: str, n: int) -> list[dict]:
    """Rows of rendered texts without their lines."""
    known, told = FAMILIES[family], DESIGNS[family, design]
    rows = []
    for problem in known.generate(row_rng(3, family), n):
        solution = known.solve(known.parse(problem.prompt))
        row = table_row(render_row(problem.id, problem, solution, told, Reveal(), 0), told, Reveal())
        rows.append({name: value for name, value in row.items() if name != "lines"})
    assert all(row["status"] == RENDERED for row in rows)
    return rows


JUDGED = '''"""It learns nothing and writes down what the judges say: what a reward would be made of."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from common.artifacts import read_table
from learning.methods.base import Recipe, TrainJob


@dataclass(frozen=True, kw_only=True)
class Method(Recipe):
    """suffix: what is added to every completion."""

    JUDGED: ClassVar[bool] = True
    suffix: str

    def train(self, job: TrainJob) -> None:
        rows = read_table(job.corpus).to_pylist()
        found = [{n: judge(r, r["completion"] + self.suffix) for n, judge in job.judges.items()} for r in rows]
        Path(job.out).write_text(json.dumps(found))
'''


def test_a_method_is_one_file_and_is_handed_judges(place, tmp_path):
    """In a copy of the scripts: a new file, nothing else touched; the judges come from the script."""
    shutil.copytree(ROOT / "workflow_scripts", tmp_path / "workflow_scripts")
    (tmp_path / "workflow_scripts/learning/methods/told.py").write_text(JUDGED)
    rows = rendered("numeral", "forward", 6)
    write_table(tmp_path / "corpus.parquet", rows)
    found = {}
    for suffix in ("", WRONG):
        told = {k: v for k, v in settings().items() if k not in ("rank", "alpha")}
        words = ["--corpus", tmp_path / "corpus.parquet", "--backbone", place / "backbone", "--recipe"]
        words += [json.dumps(told | {"method": "told", "suffix": suffix}), "--state", tmp_path / "state"]
        words += ["--out", tmp_path / "out", "--deepspeed", ROOT / "config/deepspeed/zero2.json"]
        done = run("train", *words, root=tmp_path)
        assert done.returncode == 0, done.stderr[-2000:]
        found[suffix] = json.loads((tmp_path / "out").read_text())
    for suffix, worth in (("", 1.0), (WRONG, 0.0)):
        assert len(found[suffix]) == len(rows)
        assert all(told["answer"] == told["valid"] == worth for told in found[suffix])
