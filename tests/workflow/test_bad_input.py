"""What a user can get wrong ends in one clear line that names file, row and field, and in nothing half-made."""

import json
import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
import yaml
from test_workflow import SMOKE, copy, edited, snakemake

from common.artifacts import write_table
from common.config import check, read_arms, read_yaml
from common.errors import LabError
from reasoning.judging.corruption import CORRUPTIONS
from reasoning.registry import DESIGNS

ROOT = Path(__file__).resolve().parents[2]
PUZZLE = {"id": "a", "family": "numeral", "split": "train", "prompt": "x", "answer": "I", "stratum": "all", "tier": 0,
          "rule": "{}", "key": "{}", "canonical": "c"}  # fmt: skip


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    return copy(tmp_path_factory.mktemp("project"))


def refused(folder: Path, *words: str) -> str:
    """The one line that a plan is refused with."""
    done = snakemake(folder, "--dry-run", *words)
    text = done.stdout + done.stderr
    assert done.returncode != 0 and "Traceback" not in text, text
    lines = text.splitlines()
    return lines[next(i for i, line in enumerate(lines) if line.startswith("WorkflowError")) + 1]


def test_the_workflow_stops_before_planning_with_one_line(project):
    """The same checks as below, seen from the command line."""
    assert refused(project, "--config", "sed=3") == "--config: field sed: unknown key; did you mean 'seed'?"
    assert refused(project, "--config", "arms=config/none.tsv") == "config/none.tsv: no such file"
    with edited(project / "config/smoke.yaml", lambda text: text + "dekoders: {}\n"):
        assert refused(project, *SMOKE) == "config/smoke.yaml: field dekoders: unknown key; did you mean 'decoders'?"
    row = (project / "config/arms.smoke.tsv").read_text().count("\n") + 1
    with edited(project / "config/arms.smoke.tsv", lambda text: text + GOOD.replace("derive", "derivee")):
        line = f"config/arms.smoke.tsv: row {row}, field design: unknown design 'derivee' for cryptarithm_deduce"
        assert refused(project, *SMOKE).startswith(line)
    wide = ("place:\n  {rank: 32", "place:\n  {rank: 64")
    with edited(project / "config/recipes.yaml", lambda text: text.replace(*wide)):
        assert refused(project) == "config/recipes.yaml: field first-place.rank: 64 is not at most 32 (LoRA rank)"


def complaint(schema: str, value: dict, *files: Path) -> str:
    """What `check` says of a mapping, without the folder of the files."""
    with pytest.raises(LabError) as caught:
        check(value, ROOT / f"config/{schema}.schema.yaml", files)
    return str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ranks": "two"}, "field ranks: 'two' is not integer (processes per training job on CPUs)"),
        ({"ranks": 0}, "field ranks: 0 is not at least 1 (processes per training job on CPUs)"),
        ({"run": "Main run"},
         "field run: 'Main run' is not text of the form ^[a-z0-9-]+$ (name of the folder under results/)"),
        ({"rows": {"trian": {"default": 3}}}, "field rows.trian: unknown key; did you mean 'train'?"),
        ({"rows": {"train": {"default": 1, "cypher": 3}, "test": {"default": 1}}},
         "field rows.train.cypher: unknown key; did you mean 'cipher'?"),
        ({"options": {"gravty": {}}}, "field options.gravty: unknown key; did you mean 'gravity'?"),
        ({"decoders": {"greedy": {"batch": 1}}},
         "field decoders.greedy.max_tokens: missing key; expected new tokens per completion"),
    ],
)  # fmt: skip
def test_configuration(tmp_path, change, message):
    default = ROOT / "config/default.yaml"
    assert complaint("config", {**read_yaml(default), **change}, default) == f"--config: {message}"
    own = tmp_path / "own.yaml"
    own.write_text(yaml.safe_dump(change))
    expected = f"{own}: {message}" if "missing" not in message else f"--config: {message}"
    assert complaint("config", {**read_yaml(default), **change}, default, own) == expected


def test_recipe_and_backbone_with_an_unknown_key():
    recipes, backbones = ROOT / "config/recipes.yaml", ROOT / "config/backbones.yaml"
    study = read_yaml(recipes)["study"]
    assert (
        complaint("recipes", {"study": study | {"epoch": 3}})
        == "--config: field study.epoch: unknown key; did you mean 'epochs'?"
    )
    small = read_yaml(backbones)["small"]
    message = complaint("backbones", {"small": {"dtyp" if k == "dtype" else k: v for k, v in small.items()}})
    assert message == "--config: field small.dtyp: unknown key; did you mean 'dtype'?"
    llama = read_yaml(backbones)["llama-3b"]
    message = complaint("backbones", {"llama-3b": llama | {"revision": "main"}})
    assert message.startswith("--config: field llama-3b.revision: 'main' is not text of the form ^[0-9a-f]{40}$")


def test_a_key_in_the_place_of_its_variable_is_not_repeated():
    entry = {"endpoint": {"url": "https://a.example/v1", "model": "m", "key": "sk-secret"}}
    message = complaint("backbones", {"a": entry})
    assert message.startswith("--config: field a.endpoint.key: the value is not text of the form")
    entry = {"endpoint": {"url": "https://me:secret@a.example/v1", "model": "m"}}
    assert "secret" not in complaint("backbones", {"a": entry})


def test_the_schemas_know_every_setting_that_training_knows():
    from learning.pretrain import Make
    from learning.settings import BackboneOptions, Endpoint, Recipe

    recipe = read_yaml(ROOT / "config/recipes.schema.yaml")["additionalProperties"]["properties"]
    backbone = read_yaml(ROOT / "config/backbones.schema.yaml")["additionalProperties"]["properties"]
    assert set(recipe) == {f.name for f in fields(Recipe)}
    assert set(backbone) - {"make", "hub", "revision", "path", "zero_stage", "offload"} == {
        f.name for f in fields(BackboneOptions)
    }
    assert set(backbone["make"]["properties"]) == {f.name for f in fields(Make)}
    assert set(backbone["endpoint"]["properties"]) == {f.name for f in fields(Endpoint)}


NO_REVEAL = (
    " is not a reveal; expected digits from 0 to 10, with -query-first or -answer-first from 1 to 9, with -given or"
    " -hidden, such as 5 or 5-query-first-given"
)
ARMS = (ROOT / "config/arms.smoke.tsv").read_text().splitlines()
SEARCH_ROW = next(row for row, line in enumerate(ARMS, 1) if line.startswith("search\t"))
GOOD = "extra\tcryptarithm_deduce\tderive\t5\tnone\tall\t64\ttiny\tsmall\t1\n"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("derive", "derivee"), "unknown design 'derivee' for cryptarithm_deduce; did you mean 'derive'?"),
        (("cryptarithm_deduce", "cryptarithm_deduct"),
         "unknown family 'cryptarithm_deduct'; did you mean 'cryptarithm_deduce'?"),
        (("cryptarithm_deduce\tderive\t5", "cipher,cipher\tforward\t0"), "a family is named twice in 'cipher,cipher'"),
        (("\t5\t", "\t11\t"), f"'11'{NO_REVEAL}"),
        (("\t5\t", "\t-1\t"), f"'-1'{NO_REVEAL}"),
        (("\t5\t", "\t05\t"), f"'05'{NO_REVEAL}"),
        (("\t5\t", "\t5-given-query-first\t"), f"'5-given-query-first'{NO_REVEAL}"),
        (("\t5\t", "\t10-query-first\t"), f"'10-query-first'{NO_REVEAL}"),
        (("derive\t5", "honest-columns\t0-given"),
         "design honest-columns of cryptarithm_deduce can show 0 to 10 digits, rules derived; not 0-given"),
        (("tiny", "tinny"), "unknown backbone 'tinny'; did you mean 'tiny'?"),
        (("small", "smal"), "unknown recipe 'smal'; did you mean 'small'?"),
        (("none", "shufle"), "unknown corruption 'shufle'; did you mean 'shuffle'?"),
        (("extra", "search"), f"duplicate arm 'search', already on row {SEARCH_ROW}"),
        (("extra", "Extra!"), "'Extra!' is not made of a-z, 0-9 and '-'"),
        (("\t64\t", "\tmany\t"), "'many' is not a whole number from 1 to 10000000"),
        (("\tsmall\t1\n", "\tsmall\n"), "9 cells, expected 10"),
        (("tiny", "most-frequent"), "recipe small trains, backbone most-frequent cannot be; expected in-context"),
        (("\t64\t", "\t0\t"), "'0' is not a whole number from 1 to 10000000"),
        (("cryptarithm_deduce\tderive\t5", "cipher\tforward\t5"),
         "design forward of cipher can show 0 digits, rules derived; not 5"),
    ],
)  # fmt: skip
def test_arms_table(tmp_path, change, message):
    path = tmp_path / "arms.tsv"
    path.write_text("\n".join([*ARMS, GOOD.replace(*change)]))
    with pytest.raises(LabError) as caught:
        arms_of(path)
    assert str(caught.value).endswith(f": {message}")
    assert caught.value.row == len(ARMS) + 1 and caught.value.file == path
    named = {"design": "design ", "families": "family", "reveal": "digits", "backbone": "backbone", "recipe": "recipe",
             "corruption": "corruption", "n": "10000000", "arm": "a-z"}  # fmt: skip
    if caught.value.field:
        assert named[caught.value.field] in message or caught.value.field in message


def test_arms_table_without_its_columns(tmp_path):
    path = tmp_path / "arms.tsv"
    path.write_text((ROOT / "config/arms.smoke.tsv").read_text().replace("families\tdesign", "family\tdesign"))
    with pytest.raises(LabError, match="row 1: expected the columns arm, families"):
        arms_of(path)
    path.write_text("")
    with pytest.raises(LabError, match="row 1: expected the columns"):
        arms_of(path)


def arms_of(path: Path):
    return read_arms(
        path,
        designs={key: design.reveal for key, design in DESIGNS.items()},
        backbones=read_yaml(ROOT / "config/backbones.yaml"),
        recipes=read_yaml(ROOT / "config/recipes.yaml"),
        corruptions=CORRUPTIONS,
    )


def test_a_benchmark_file_that_is_not_there(project):
    done = snakemake(project, "--dry-run", *SMOKE, "--config", "benchmark_csv=/nowhere/rows.csv")
    assert done.returncode != 0 and "/nowhere/rows.csv" in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", "rows.csv: "),
        ("id,prompt\n1,x\n", "answer"),
        ("id,prompt,answer\n1,a prompt of no family,3\n", "row 1, field prompt"),
    ],
)
def test_benchmark_rows_stop_the_workflow_with_their_place(project, tmp_path, text, place):
    csv = tmp_path / "rows.csv"
    csv.write_text(text)
    target = "results/smoke/puzzles/cipher/real.parquet"
    done = snakemake(project, target, *SMOKE, "--config", f"benchmark_csv={csv}")
    errors = [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("error: ")]
    assert done.returncode != 0 and place in errors[0] and "rows.csv" in errors[0]
    assert not (project / target).exists()


def script(*words: object) -> subprocess.CompletedProcess:
    command = [sys.executable, *map(str, words)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)


def test_truncated_and_empty_tables_name_the_file(tmp_path):
    whole = tmp_path / "p.parquet"
    write_table(whole, [PUZZLE] * 50)
    for name, data in (("cut", whole.read_bytes()[:-40]), ("empty", b"")):
        path = tmp_path / f"{name}.parquet"
        path.write_bytes(data)
        for command in (
            ("workflow_scripts/fit_prior.py", "--puzzles", path, "--family", "numeral"),
            ("workflow_scripts/solve.py", "--puzzles", path, "--family", "numeral"),
            ("workflow_scripts/leaks.py", "--corpus", path, "--puzzles", whole, "--held-out", whole),
            ("workflow_scripts/grade.py", "--completions", path),
        ):
            done = script(*command, "--out", tmp_path / "out")
            assert done.returncode == 1 and done.stderr.startswith(f"error: {path}: "), done.stderr
            assert done.stderr.count("\n") == 1 and not (tmp_path / "out").exists()


def test_a_missing_column_is_named(tmp_path):
    write_table(tmp_path / "p.parquet", [{"id": "a"}])
    done = script("workflow_scripts/grade.py", "--completions", tmp_path / "p.parquet", "--out", tmp_path / "o")
    assert done.returncode == 1 and "p.parquet: missing column(s) " in done.stderr


def test_a_missing_backbone_folder_is_named(tmp_path):
    write_table(tmp_path / "c.parquet", [{"id": "a", "prompt": "p", "completion": "c"}])
    done = script("workflow_scripts/train.py", "--corpus", tmp_path / "c.parquet", "--backbone", tmp_path / "nowhere",
                  "--out", tmp_path / "out", "--state", tmp_path / "state")  # fmt: skip
    assert done.returncode == 1 and f"error: {tmp_path}/nowhere: no such backbone folder" in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_rank_above_the_limit_is_refused_by_the_script_too(tmp_path):
    done = script("workflow_scripts/train.py", "--corpus", "c", "--backbone", "b", "--out", tmp_path / "out",
                  "--state", tmp_path / "state", "--recipe", json.dumps({"rank": 64}))  # fmt: skip
    assert done.returncode == 1 and "field rank: LoRA rank 64 is outside 1..32" in done.stderr


@pytest.mark.skipif(not os.access("/dev/full", os.W_OK), reason="no /dev/full here")
def test_a_full_disk_leaves_no_table(tmp_path, monkeypatch):
    """The table goes to a temporary name first; when that cannot be written, the old table stays."""
    code = (
        "import sys; sys.path.insert(0, 'workflow_scripts')\n"
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))\n"
        "from common import cli; from common.artifacts import write_table\n"
        f"cli.run(lambda: write_table({str(tmp_path / 't.parquet')!r}, [{{'x': str(i**9)}} for i in range(9999)]))\n"
    )
    write_table(tmp_path / "t.parquet", [{"x": "old"}])
    before = (tmp_path / "t.parquet").read_bytes()
    done = script("-c", code)
    assert done.returncode == 1 and "File too large" in done.stderr
    assert (tmp_path / "t.parquet").read_bytes() == before and [p.name for p in tmp_path.iterdir()] == ["t.parquet"]


def test_a_killed_run_keeps_what_was_made_and_goes_on(tmp_path):
    """A job that dies leaves no output of its own and all earlier ones; the next run makes only what is missing."""
    folder = copy(tmp_path)
    targets = [f"results/smoke/puzzles/numeral/{split}.parquet" for split in ("train", "test")]
    assert snakemake(folder, targets[0], *SMOKE).returncode == 0
    with edited(folder / "workflow_scripts/generate.py", lambda text: text):
        stamp = (folder / targets[0]).stat().st_mtime_ns
        command = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)\n"
        with edited(folder / "workflow_scripts/puzzles/cipher.py", lambda text: command + text.split('"""', 2)[2]):
            done = snakemake(folder, targets[1], "results/smoke/puzzles/cipher/test.parquet", *SMOKE)
            assert done.returncode != 0
    assert not (folder / "results/smoke/puzzles/cipher/test.parquet").exists()
    done = snakemake(folder, *targets, "results/smoke/puzzles/cipher/test.parquet", *SMOKE)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (folder / targets[0]).stat().st_mtime_ns == stamp
