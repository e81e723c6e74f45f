"""The smoke configuration from end to end, and what an edit of a table or of a figure then replans."""

import json
import resource
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from test_workflow import SMOKE, copy, edited, planned

from measuring.modules import KINDS, declared, names

FIGURE = '''"""How many rows there are."""

import matplotlib.pyplot as plt

NEEDS = ("tables/accuracy",)
CAPTION = "Rows per arm."
CHANGE = "an arm without rows."


def make(accuracy):
    figure, axis = plt.subplots()
    axis.barh(accuracy.arm, accuracy.n)
    return figure
'''
TABLE = '''"""How many rows there are."""

NEEDS = ("grades",)
CAPTION = "Rows per arm."
CHANGE = "an arm without rows."


def make(grades):
    return grades.groupby("arm", as_index=False).id.nunique()
'''


def snakemake(folder: Path, *words: str) -> subprocess.CompletedProcess:
    """A run as a user starts it, whose processor time counts as that of a child of this process."""
    command = [sys.executable, "-m", "snakemake", "--cores", "2", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=2400)


def cpu_seconds() -> float:
    """Processor time of everything run so far: unlike the clock, the same on a busy machine."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    """Every stage on two cores, DeepSpeed with two ranks; small against what planning takes on the same machine."""
    folder = copy(tmp_path_factory.mktemp("smoke"))
    started = cpu_seconds()
    snakemake(folder, "--dry-run", *SMOKE)
    planned_in = cpu_seconds() - started
    done = snakemake(folder, *SMOKE)
    assert done.returncode == 0, done.stdout + done.stderr
    assert cpu_seconds() - started < 240 * planned_in
    return folder


@pytest.mark.slow
def test_smoke_from_end_to_end(finished):
    """Everything is made; a second run does nothing; the report is one file."""
    results = finished / "results/smoke"
    for name in names("figure"):
        assert (results / f"figures/{name}.png").stat().st_size > 10_000
        assert (results / f"figures/{name}.pdf").read_bytes().startswith(b"%PDF")
    for name in names("table"):
        assert (results / f"tables/{name}.html").is_file()
    for arm in ("forward-mix", "derive-reveal-10"):
        made = json.loads((results / f"adapters/{arm}/seed-1/provenance.json").read_text())
        assert made["run"]["ranks"] == made["ranks"] == 2 and made["gpus"] == 0
    assert (results / "tables/accuracy.csv").read_text().count("\n") > 30

    started = cpu_seconds()
    done = snakemake(finished, *SMOKE)
    assert "Nothing to be done" in done.stdout + done.stderr
    assert cpu_seconds() - started < 20
    done = snakemake(finished, "--report", "report.html", *SMOKE)
    assert done.returncode == 0, done.stdout + done.stderr
    page = (finished / "report.html").read_text(encoding="utf-8")
    assert "What would change our mind" in page and '<script src="http' not in page
    assert "lowest final loss on top" in page and "if a low loss meant a learned procedure" in page
    assert "Run smoke." in page


def dependants(kind: str, name: str) -> Counter:
    """How many tables and figures an edit of one may change: itself, and what is made from it."""
    found, todo = set(), [(kind, name)]
    while todo:
        each = todo.pop()
        found.add(each)
        if each[0] == "table":
            todo += [(k, n) for k in KINDS for n in names(k) if f"tables/{each[1]}" in declared(k, n).needs]
    return Counter(k for k, _ in found)


@pytest.mark.slow
def test_an_edit_of_one_module_redraws_that_one_and_what_is_made_from_it(finished):
    assert planned(finished, *SMOKE) == {}
    assert dependants("figure", "reveal") == {"figure": 1} and dependants("table", "sets") == {"table": 1}
    assert dependants("table", "paired") == {"table": 1, "figure": 2} and dependants("table", "accuracy")["table"] > 3
    for kind, name in (("figure", "reveal"), ("table", "sets"), ("table", "paired"), ("table", "accuracy")):
        path = finished / f"workflow_scripts/measuring/{kind}s/{name}.py"
        with edited(path, lambda text: text + "\n# Another word.\n"):
            assert planned(finished, *SMOKE) == {"all": 1, **dependants(kind, name)}, name


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "text"), [("figure", FIGURE), ("table", TABLE)])
def test_a_new_one_is_one_new_file(finished, kind, text):
    path = finished / f"workflow_scripts/measuring/{kind}s/rows.py"
    path.write_text(text)
    try:
        assert planned(finished, *SMOKE) == {"all": 1, kind: 1}
        done = snakemake(finished, *SMOKE)
        assert done.returncode == 0, done.stdout + done.stderr
        assert (finished / f"results/smoke/{kind}s/rows.{'png' if kind == 'figure' else 'csv'}").stat().st_size > 10
    finally:
        path.unlink()
