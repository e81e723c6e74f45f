"""The tables and figures of a whole run that trains nothing, and what an edit of one of their modules replans."""

from collections import Counter
from pathlib import Path

import pytest
from test_workflow import copy, edited, planned, snakemake

from common.config import ARM_COLUMNS
from measuring.modules import KINDS, declared, names

ONE = ("--configfile", "config/one.yaml")
ONE_YAML = """
run: one
arms: config/arms.one.tsv
rows: {train: {default: 20}, test: {default: 4}}
decoding: {max_tokens: 64, batch: 8}
"""
ARM = "\nnumerals-only\tnumeral\tforward\t0\tnone\tall\t10\tmost-frequent\tin-context\t1\n"
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


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """The default target of one arm without training and without a cryptarithm, made to the end."""
    folder = copy(tmp_path_factory.mktemp("one"))
    (folder / "config/one.yaml").write_text(ONE_YAML)
    (folder / "config/arms.one.tsv").write_text("\t".join(ARM_COLUMNS) + ARM)
    done = snakemake(folder, *ONE)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.mark.slow
def test_a_run_without_training_has_every_table_and_figure(project):
    for name in names("figure"):
        assert (project / f"results/one/figures/{name}.png").stat().st_size > 5_000
    for name in names("table"):
        assert (project / f"results/one/tables/{name}.html").is_file()
    done = snakemake(project, "--report", "report.html", *ONE)
    assert done.returncode == 0, done.stdout + done.stderr
    page = (project / "report.html").read_text(encoding="utf-8")
    assert "lowest final loss on top" in page and "if a low loss meant a learned procedure" in page
    assert "Run one." in page


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
def test_an_edit_of_one_module_redraws_that_one_and_what_is_made_from_it(project):
    assert planned(project, *ONE) == {}
    assert dependants("figure", "reveal") == {"figure": 1} and dependants("table", "sets") == {"table": 1}
    assert dependants("table", "paired") == {"table": 1, "figure": 2} and dependants("table", "accuracy")["table"] == 4
    for kind, name in (("figure", "reveal"), ("table", "sets"), ("table", "paired"), ("table", "accuracy")):
        path = project / f"workflow_scripts/measuring/{kind}s/{name}.py"
        with edited(path, lambda text: text + "\n# Another word.\n"):
            assert planned(project, *ONE) == {"all": 1, **dependants(kind, name)}, name


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "text"), [("figure", FIGURE), ("table", TABLE)])
def test_a_new_one_is_one_new_file(project, kind, text):
    path = project / f"workflow_scripts/measuring/{kind}s/rows.py"
    path.write_text(text)
    try:
        assert planned(project, *ONE) == {"all": 1, kind: 1}
        done = snakemake(project, *ONE)
        assert done.returncode == 0, done.stdout + done.stderr
        assert (project / f"results/one/{kind}s/rows.{'png' if kind == 'figure' else 'csv'}").stat().st_size > 10
    finally:
        path.unlink()
