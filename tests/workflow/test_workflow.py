"""The workflow: style, plans, and what an edit replans."""

import csv
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from numba.core.caching import _CacheLocator

import forked
from common.artifacts import read_table, write_table
from common.config import ARM_COLUMNS
from reasoning.registry import DESIGNS

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("Snakefile", "rules", "config", "profiles", "envs", "workflow_scripts", "requirements.txt")
SMOKE = ("--configfile", "config/smoke.yaml")
SEARCH = "workflow_scripts/reasoning/designs/cryptarithm/search.py"


def copy(folder: Path) -> Path:
    """The project's own files in a new folder, so that nothing here touches the results of a real run.

    With what is compiled here, by numba too: that takes ten seconds of every copy that solves cryptarithms.
    """
    for part in PARTS:
        source, target = ROOT / part, folder / part
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("numba-*", "*.pyc.*"))
        else:
            shutil.copy2(source, target)
    for cache in (ROOT / "workflow_scripts").rglob("__pycache__/numba-*/*"):
        place = folder / cache.parents[2].relative_to(ROOT)
        name = _CacheLocator.get_suitable_cache_subpath(str(place / "a.py"))  # numba's folders are named by their place
        shutil.copytree(cache, place / "__pycache__" / cache.parent.name / name)
    return folder


def snakemake(folder: Path, *words: str, timeout: float = 900) -> subprocess.CompletedProcess:
    """A run of Snakemake in this folder, whose jobs are forks, too. Those of test_smoke.py start as a user's do."""
    command = ("-m", "snakemake", "--cores", "2", *words)
    return forked.run(*command, cwd=folder, timeout=timeout, python=forked.python())


def planned(folder: Path, *words: str) -> dict[str, int]:
    """Jobs per rule of a dry run."""
    return plan(folder, *words)[0]


def plan(folder: Path, *words: str) -> tuple[dict[str, int], str]:
    """Jobs per rule of a dry run, and the outputs of all of them."""
    done = snakemake(folder, "--dry-run", *words)
    text = done.stdout + done.stderr
    assert done.returncode == 0, text
    block = re.search(r"^job +count\n-+ +-+\n(.*?)^total", text, re.M | re.S)
    jobs = {name: int(n) for name, n in re.findall(r"^(\w+) +(\d+)$", block[1], re.M)} if block else {}
    return jobs, "\n".join(re.findall(r"^ +output: (.*)$", text, re.M))


def outputs(folder: Path, *words: str) -> str:
    """The planned outputs of a dry run."""
    return plan(folder, *words)[1]


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    return copy(tmp_path_factory.mktemp("project"))


def test_rules_are_formatted_and_lint_clean(project):
    files = [str(path) for path in (ROOT / "Snakefile", *sorted((ROOT / "rules").glob("*.smk")))]
    done = subprocess.run(
        [sys.executable, "-m", "snakefmt", "--check", "-l", "100", *files], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    done = snakemake(project, "--lint")
    assert done.returncode == 0, done.stdout + done.stderr


def test_conda_environments_have_the_same_pins():
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    pins = {line for line in lines if line and not line.startswith("#")}
    cpu, gpu = (
        set(yaml.safe_load((ROOT / f"envs/{n}.yaml").read_text())["dependencies"][-1]["pip"]) for n in ("cpu", "gpu")
    )
    assert gpu == pins and cpu < pins and not any(pin.startswith(("torch", "deepspeed")) for pin in cpu)


@pytest.mark.parametrize(
    ("name", "jobs"), [("default", 100), ("smoke", 60), ("designs", 600), ("gpu", 300), ("paper", 800)]
)
def test_every_configuration_plans(project, name, jobs):
    found = planned(project, "--configfile", f"config/{name}.yaml")
    assert sum(found.values()) >= jobs and {"train", "sample", "grade", "audit", "table", "figure"} <= set(found)


def test_the_first_look_is_three_trainings_and_one_figure(project):
    jobs = planned(project, "quick", "--configfile", "config/quick.yaml")
    assert (jobs["train"], jobs["figure"]) == (3, 1) and sum(jobs.values()) < 60


def test_an_arm_that_others_start_from_is_trained_first_and_any_is_decoded_before_the_next(project):
    answers = [f"results/main/completions/{arm}/seed-1/greedy/test.parquet" for arm in ("search-steps", "search")]
    done = snakemake(project, "--dry-run", *answers)
    first = {"train": {}, "sample": {}}
    for block in re.split(r"^rule ", done.stdout + done.stderr, flags=re.M):
        if (rule := block.partition(":")[0]) in first:
            told = re.search(r"priority: (\d+)", block)
            first[rule][re.search(r"wildcards: arm=([\w-]+)", block)[1]] = int(told[1]) if told else 0
    leader = first["train"].pop("steps")
    assert first["train"] == {"search-steps": 0, "search": 0}
    assert leader >= 10 > min(first["sample"].values()) > 0 and set(first["sample"]) == {"search-steps", "search"}


@pytest.mark.parametrize("family", ["cryptarithm_deduce", "bit_manipulation"])
@pytest.mark.parametrize("table", ["designs", "paper"])
def test_these_tables_train_every_design(table, family):
    rows = [line.split("\t") for line in (ROOT / f"config/arms.{table}.tsv").read_text().splitlines() if line[0] != "#"]
    trained = {row[2] for row in rows if family in row[1].split(",")}
    assert trained == {design for of, design in DESIGNS if of == family}


def examples_of(table: str) -> dict[str, list[str]]:
    """What decides the training of every arm of a table of config/."""
    lines = [line for line in (ROOT / "config" / table).read_text().splitlines() if not line.startswith("#")]
    rows = csv.DictReader(lines, delimiter="\t")
    return {row["arm"]: [row.get(c) or "" for c in ARM_COLUMNS[1:-1]] + [row.get("start") or ""] for row in rows}


@pytest.mark.parametrize(
    "table", ["arms.eleven.tsv", "arms.fetch.tsv", "arms.seeds.tsv", "arms.slate.tsv", "arms.improve.tsv"]
)
def test_tables_that_go_on_from_the_default_run_have_its_arms(table):
    """Else what is made in the same folder would replace an arm of that run, which others may start from."""
    usual, more = examples_of("arms.tsv"), examples_of(table)
    shared = usual.keys() & more.keys()
    assert "steps" in shared and {name: more[name] for name in shared} == {name: usual[name] for name in shared}


def test_a_benchmark_adds_the_real_rows_without_a_new_training(project, tmp_path):
    csv = tmp_path / "rows.csv"
    csv.write_text("id,prompt,answer\n")
    plain = planned(project, *SMOKE)
    real = planned(project, *SMOKE, "--config", f"benchmark_csv={csv}")
    assert real["sample"] == plain["sample"] + 5 and real["import_real"] == 6
    assert all(real[rule] == plain[rule] for rule in ("train", "corpus", "backbone", "generate"))


@pytest.mark.parametrize("option", ["-s", "--directory"])
def test_it_runs_from_elsewhere_and_without_activation(project, tmp_path, option):
    """As .venv/bin/snakemake, with a PATH that has no Python of ours; results lie where Snakemake works."""
    (tmp_path / "few.yaml").write_text(FEW_YAML.replace("config/arms.few.tsv", "few.tsv"))
    (tmp_path / "few.tsv").write_text("\t".join(ARM_COLUMNS) + FEW_ARMS)
    target = "results/few/puzzles/numeral/test.parquet"
    command = [Path(sys.executable).with_name("snakemake"), "--cores", "2", "--configfile", tmp_path / "few.yaml"]
    command += ["-s", project / "Snakefile"] if option == "-s" else ["--directory", tmp_path]
    (tmp_path / "bin").mkdir()
    for name in ("bash", "sh", "which"):  # `which` is of the Slurm plugin, where that is installed
        (tmp_path / "bin" / name).symlink_to(shutil.which(name))
    for words in (["--dry-run", "--forceall"], [target]):
        env = {"PATH": str(tmp_path / "bin"), "HOME": str(tmp_path)}
        where = tmp_path if option == "-s" else project
        done = subprocess.run([*command, *words], cwd=where, env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / target).is_file() and not (project / target).exists()


def test_any_text_that_a_design_supports_can_be_asked_for(project):
    path = "results/smoke/texts/cryptarithm_deduce/derive/reveal-7/none/train.parquet"
    assert planned(project, path, *SMOKE) == {"fit_prior": 1, "generate": 1, "render": 1, "solve": 1}


# --- what an edit replans: puzzles, texts and corpora are really made, of three families, at a few rows each.

FEW = ("--configfile", "config/few.yaml")
FEW_YAML = """
run: few
arms: config/arms.few.tsv
rows: {train: {default: 40, cryptarithm_deduce: 60}, test: {default: 5}}
"""
FEW_ARMS = """
mix\tnumeral,cipher\tforward\t0\tnone\tall\t32\ttiny\tsmall\t1
search\tcryptarithm_deduce\tsearch\t0\tnone\tall\t16\ttiny\tsmall\t1
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A project in which every corpus of two arms has been made."""
    folder = copy(tmp_path_factory.mktemp("made"))
    (folder / "config/few.yaml").write_text(FEW_YAML)
    (folder / "config/arms.few.tsv").write_text("\t".join(ARM_COLUMNS) + FEW_ARMS)
    done = snakemake(folder, "texts", *FEW)
    assert done.returncode == 0, done.stdout + done.stderr
    assert planned(folder, "texts", *FEW) == {}
    return folder


def test_what_a_run_was_configured_with_lies_beside_its_results(made):
    kept = made / "results/few/config"
    named = {"arms.few.tsv", "backbones.yaml", "recipes.yaml", "decoders.yaml"}
    assert {path.name for path in kept.iterdir()} == named | {"config.yaml"}
    assert (kept / "arms.few.tsv").read_bytes() == (made / "config/arms.few.tsv").read_bytes()
    config = yaml.safe_load((kept / "config.yaml").read_text())
    assert config["run"] == "few" and config["rows"]["test"]["default"] == 5 and config["seed"] == 17
    assert planned(made, "texts", "--configfile", str(kept / "config.yaml")) == {}


def test_touching_every_file_replans_nothing(made):
    for path in made.rglob("*"):
        if path.is_file() and ".snakemake" not in path.parts:
            path.touch()
    assert planned(made, "texts", *FEW) == {}


def test_copied_results_are_known_with_the_folder_that_the_readme_names(made, tmp_path):
    assert "`.snakemake`" in README
    folder = copy(tmp_path)
    for name in ("config/few.yaml", "config/arms.few.tsv"):
        shutil.copy(made / name, folder / name)
    for name in ("results", ".snakemake"):
        shutil.copytree(made / name, folder / name)
    assert planned(folder, "texts", *FEW) == {}


def test_editing_a_design_replans_its_dependants_only(made):
    with edited(made / SEARCH, lambda text: text + "\n# one more line\n"):
        jobs, listed = plan(made, "texts", *FEW)
        assert jobs == {"render": 1, "corpus": 1, "texts": 1}
        assert "texts/cryptarithm_deduce/search" in listed
    assert planned(made, "texts", *FEW) == {}


def test_editing_a_family_replans_no_other_family(made):
    with edited(made / "workflow_scripts/puzzles/numeral.py", lambda text: text + "\n# one more line\n"):
        listed = outputs(made, "texts", *FEW)
        assert "puzzles/numeral/train" in listed and "corpora/mix" in listed
        assert "cryptarithm" not in listed and "puzzles/cipher" not in listed


def test_adding_an_arm_plans_that_arm_only(made):
    row = "derive-5\tcryptarithm_deduce\tderive\t5\tnone\tall\t16\ttiny\tsmall\t1\n"
    with edited(made / "config/arms.few.tsv", lambda text: text + row):
        assert planned(made, "texts", *FEW) == {"render": 1, "corpus": 1, "texts": 1}
        listed = outputs(made, *FEW)
        assert "adapters/derive-5/seed-1" in listed and "tables/accuracy" in listed
        assert "texts/cryptarithm_deduce/derive/reveal-5/none/test.parquet" in listed


def test_a_round_of_self_training_is_a_row(made):
    """The arm above it completes training rows, which are verified; the round learns from those, from that adapter."""
    source = "mix\tnumeral,cipher\tforward\t0\tnone\tall\t32\ttiny\tsmall\t1"
    rounds = "".join(f"{n}\t{source.split(chr(9), 1)[1]}\t{of}\t{of}\n" for n, of in (("one", "mix"), ("two", "one")))
    header = "\t".join(ARM_COLUMNS)
    change = lambda text: text.replace(header, f"{header}\tsource\tstart\tdecoders") + rounds  # noqa: E731
    with edited(made / "config/arms.few.tsv", change):
        targets = ["results/few/grades/two/seed-1/greedy/test.parquet"]
        jobs, listed = plan(made, *targets, *FEW)
        wanted = {"audit": 2, "backbone": 1, "corpus": 2, "grade": 3, "harvest": 4, "leaks": 1, "sample": 3, "train": 3}
        assert {rule: jobs.get(rule) for rule in wanted} == wanted
        for path in (
            "completions/mix/seed-1/sample-8/train", "harvests/mix/seed-1/sample-8/answer/cipher",
            "corpora/one/seed-1", "completions/one/seed-1/sample-8/train", "harvests/one/seed-1/sample-8/answer",
        ):  # fmt: skip
            assert path in listed
        assert "corpora/mix" not in listed  # already made


def test_decoders_run_where_they_are_asked_for(made):
    header = "\t".join(ARM_COLUMNS)
    row = "drawn\tnumeral\tforward\t0\tnone\tall\t32\ttiny\tsmall\t1\tgreedy,maj-8,bon-8\n"
    with edited(made / "config/arms.few.tsv", lambda text: text.replace(header, f"{header}\tdecoders") + row):
        listed = outputs(made, *FEW)
        for decoder in ("greedy", "sample-8", "maj-8", "bon-8"):
            assert f"completions/drawn/seed-1/{decoder}/test" in listed
        assert "grades/drawn/seed-1/maj-8/test" in listed and "grades/drawn/seed-1/sample-8" not in listed
        assert "completions/mix/seed-1/sample-8" not in listed and "completions/drawn/seed-1/greedy/train" not in listed


class edited:
    """A file with changed text inside the with block, and its old text afterwards."""

    def __init__(self, path: Path, change):
        self.path, self.old = path, path.read_text(encoding="utf-8")
        self.new = change(self.old)

    def __enter__(self):
        self.path.write_text(self.new, encoding="utf-8")

    def __exit__(self, *_):
        self.path.write_text(self.old, encoding="utf-8")


README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_arm_of_the_readme_is_planned(made):
    arm = re.search(r"^derive-3\t.*$", README, re.M)[0]
    with edited(made / "config/arms.tsv", lambda text: text + arm + "\n"):
        listed = outputs(made, "results/main/adapters/derive-3/seed-1/adapter_model.safetensors")
        assert "results/main/texts/cryptarithm_deduce/derive/reveal-3/none/train.parquet" in listed


def test_the_round_of_the_readme_is_planned(made):
    rows = [re.search(rf"^{name}\t.*$", README, re.M)[0] for name in ("derive-3", "round-1")]
    with edited(made / "config/arms.tsv", lambda text: "\n".join((text.rstrip(), *rows, ""))):
        listed = outputs(made, "results/main/grades/round-1/seed-1/maj-8/test.parquet")
        assert "harvests/derive-3/seed-1/sample-8/answer/cryptarithm_deduce.parquet" in listed


def test_the_design_of_the_readme_renders_audits_and_has_its_planted_errors_found(made):
    """As shown, as a file of its own, without a word elsewhere."""
    source = re.search(r"```python\n(.*?)```", README, re.S)[1]
    path = made / "workflow_scripts/reasoning/designs/numeral/length.py"
    path.write_text(source, encoding="utf-8")
    try:
        target = "results/few/texts/numeral/length/reveal-0/none/test.parquet"
        done = snakemake(made, target, *FEW)
        assert done.returncode == 0, done.stdout + done.stderr
        rows = read_table(made / target).to_pylist()
        assert len(rows) == 5 and all(row["status"] == "rendered" for row in rows)
        assert all(re.fullmatch(r"[IVXLC]+ has \d+ symbols", row["lines"][0]["text"]) for row in rows)
        completions = made / "completions.parquet"
        write_table(completions, [{"id": r["id"], "family": "numeral", "text": r["completion"]} for r in rows])
        command = [made / "workflow_scripts/audit.py", "--completions", completions, "--design", "length"]
        command += ["--puzzles", "results/few/puzzles/numeral/test.parquet", "--out", "lines.parquet"]
        forked.run(*command, cwd=made, check=True)
        assert all(
            line["arithmetic"] for line in read_table(made / "lines.parquet").to_pylist() if line["kind"] != "box"
        )
        command = [made / "workflow_scripts/bench_audit.py", "--family", "numeral", "--design", "length"]
        forked.run(*command, "--rows", "20", "--n", "60", "--out", "planted.parquet", cwd=made, check=True)
        planted = read_table(made / "planted.parquet").to_pylist()
        assert {cell["field"] for cell in planted if cell["kind"] == "numeral/length"} == {
            "numeral",
            "n",
            "line",
            "premises",
        }
        assert all(cell["caught"] == cell["clean"] == cell["planted"] for cell in planted), planted
    finally:
        path.unlink()


def test_the_readme_names_what_is_there():
    tree = re.search(r"```\n(Snakefile.*?)```", README, re.S)[1]
    for name in re.findall(r"^(\S+?/?) {2,}", tree, re.M):
        assert (ROOT / name).exists(), name
    for command in re.findall(r"pip install -r (\S+)", README):
        assert (ROOT / command).is_file()
    assert README.count("```bash") == 2
