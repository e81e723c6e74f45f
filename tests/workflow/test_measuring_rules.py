"""A run that trains nothing and has no cryptarithm: a table, a figure, the explorer, chats."""

import json
import zipfile
from pathlib import Path

import pytest
from test_workflow import copy, planned, snakemake

from common.config import ARM_COLUMNS
from measuring.modules import names
from puzzles.base import row_rng
from puzzles.registry import FAMILIES

ONE = ("--configfile", "config/one.yaml")
ONE_YAML = """
run: one
arms: config/arms.one.tsv
rows: {train: {default: 20}, test: {default: 4}}
decoding: {max_tokens: 64, batch: 8}
traces: {theirs: theirs.jsonl}
"""
ARM = "\nnumerals-only\tnumeral\tforward\t0\tnone\tall\t10\tmost-frequent\tin-context\t1\n"
CHATS = "results/one/chats/numerals-only/seed-1.jsonl"
MADE = ("quick", "explorer", CHATS)


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """Of one arm: the accuracies, a figure with nothing to show, the explorer of it and of one text from elsewhere, and
    its training examples as chats."""
    folder = copy(tmp_path_factory.mktemp("one"))
    (folder / "config/one.yaml").write_text(ONE_YAML)
    (folder / "config/arms.one.tsv").write_text("\t".join(ARM_COLUMNS) + ARM)
    puzzle = next(FAMILIES["numeral"].generate(row_rng(3, "theirs"), 1))
    said = {"role": "assistant", "content": f"\\boxed{{{puzzle.answer}}}"}
    chat = {"messages": [{"role": "user", "content": puzzle.prompt}, said], "answer": puzzle.answer}
    (folder / "theirs.jsonl").write_text(json.dumps(chat))
    done = snakemake(folder, *MADE, *ONE)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.mark.slow
def test_the_explorer_shows_arms_and_imported_texts_and_goes_into_the_report(project):
    assert "numerals-only" in (project / "results/one/tables/accuracy.csv").read_text()
    assert (project / "results/one/figures/reveal.png").stat().st_size > 5_000
    rows = (project / "results/one/explorer/rows.js").read_text()
    words = json.loads(rows.removeprefix("run(").removesuffix(");\n"))["words"]
    assert words["arm"] == ["numerals-only", "theirs"] and words["decoder"] == ["greedy", "imported"]
    assert "right" in words["answer"] and words["trace"][-1] == "not audited"
    chats = [json.loads(line) for line in (project / CHATS).read_text().splitlines()]
    assert len(chats) == 10 and all(len(chat["messages"]) == 2 for chat in chats)
    done = snakemake(project, *MADE[:2], "--report", "report.zip", *ONE)
    assert done.returncode == 0, done.stdout + done.stderr
    packed = {name.rpartition("/")[2] for name in zipfile.ZipFile(project / "report.zip").namelist()}
    assert {"report.html", "index.html", "page.js", "rows.js", "0.js"} <= packed


@pytest.mark.slow
def test_all_tables_and_figures_of_it_are_planned(project):
    """They are made of such arms in tests/measuring/test_figures.py."""
    plan = planned(project, *ONE)
    for kind, ending in (("figure", "png"), ("table", "csv")):
        made = len(list(project.glob(f"results/one/{kind}s/*.{ending}")))
        assert made and plan[kind] == len(names(kind)) - made
