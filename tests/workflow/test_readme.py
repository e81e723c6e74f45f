"""What the README shows is what is there: the picture of the workflow, and the numbers."""

import csv
import re
from math import prod
from pathlib import Path

import networkx
import pytest
import yaml

import forked
from common.sources import ROOT

PROJECT = ROOT.parent
README = (PROJECT / "README.md").read_text(encoding="utf-8")


def test_the_picture_is_the_workflow():
    """Without the arrows that others imply, and without that of a table made from a table."""
    command = ["-m", "snakemake", "--rulegraph", "mermaid-js", "--configfile", "config/smoke.yaml"]
    drawn = forked.run(*command, cwd=PROJECT, check=True).stdout
    names = dict(re.findall(r"(id\d+)\[(\w+)\]", drawn))
    arrows = [(names[a], names[b]) for a, b in re.findall(r"(id\d+) --> (id\d+)", drawn)]
    planned = networkx.transitive_reduction(networkx.DiGraph([(a, b) for a, b in arrows if a != b]))
    shown = re.search(r"```mermaid\n(.*?)```", README, re.S)[1]
    assert set(re.findall(r"(\w+) --> (\w+)", shown)) == set(planned.edges)


def test_the_command_for_a_cluster_loses_nothing_of_the_profile():
    """--default-resources replaces the profile's list, so a command that names a partition has to repeat it."""
    defaults = yaml.safe_load((PROJECT / "profiles/slurm/profile.yaml").read_text())["default-resources"]
    (said,) = re.findall(r"--default-resources ([^`]*)`", README)
    assert {f"{name}={value}" for name, value in defaults.items()} < set(said.split())


RECORD = PROJECT / "results/reference"
# Numbers of a text: not those inside words, nor of an interval's level.
NUMBER = re.compile(r"(?<![\w.])(?:\d[\d,]*\.\d+|\.\d+|\d[\d,]*\d|\d)(?![\w])")


def quoted(path: Path, heading: str) -> list[tuple[list[str], str]]:
    """The numbers of a section, each group with the comment behind it, which says where they are from."""
    text = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", path.read_text(encoding="utf-8"), re.M | re.S)[1]
    parts = re.split(r"<!--(.*?)-->", text, flags=re.S)
    words = [re.sub(r"`[^`]*`|\]\([^)]*\)|\b95 %", "", part) for part in parts[::2]]
    assert not NUMBER.findall(words[-1]), f"{path.name}: no comment says where the numbers of {words[-1]!r} are from"
    sources = [" ".join(source.split()) for source in parts[1::2]]
    return [(NUMBER.findall(said), source) for said, source in zip(words[:-1], sources, strict=True)]


def fault(numbers: list[str], source: str, tables: Path = RECORD) -> str:
    """What is wrong with numbers that are said to be from one line of a table: TABLE column=value ...: columns."""
    named = re.fullmatch(r"([\w/]+)((?: [\w-]+=\S+)+): ([\w* ]+)", source)
    if not named:
        return f"{source!r} names no line of a table"
    table, where, columns = named[1], dict(each.split("=") for each in named[2].split()), named[3].split()
    with open(tables / f"{table}.csv", newline="", encoding="utf-8") as handle:
        lines = [row for row in csv.DictReader(handle) if where.items() <= row.items()]
    if len(lines) != 1 or len(columns) != len(numbers):
        return f"{source}: {len(lines)} lines, {len(columns)} columns for the numbers {numbers}"
    for number, column in zip(numbers, columns, strict=True):
        value = prod(float(lines[0][name]) for name in column.split("*"))
        digits = len(number.partition(".")[2])
        as_said = {f"{value * scale:.{digits}f}".removeprefix("0" * number.startswith(".")) for scale in (1, 100)}
        if number.replace(",", "") not in as_said:
            return f"{source}: {number} is said, {column} is {value}"
    return ""


@pytest.mark.parametrize(
    ("path", "heading", "tables"),
    [
        (PROJECT / "README.md", "What has been found so far", RECORD),
        (RECORD / "README.md", "What the numbers are", RECORD),
        (RECORD / "README.md", "What was claimed here and is withdrawn", RECORD),
        (RECORD / "matched/README.md", "What the numbers are", RECORD / "matched"),
        (RECORD / "improve-small/README.md", "What each arm shows", RECORD / "improve-small"),
        (RECORD / "improve/README.md", "What the numbers are", RECORD / "improve"),
        (RECORD / "eleven/README.md", "What the numbers are", RECORD / "eleven"),
        (RECORD / "fetch/README.md", "What the numbers are", RECORD / "fetch"),
        (RECORD / "evidence/README.md", "What the numbers are", RECORD / "evidence"),
        (RECORD / "forward/README.md", "What the numbers are", RECORD / "forward"),
        (RECORD / "wordings/README.md", "What the numbers are", RECORD / "wordings"),
    ],
)
def test_every_number_is_in_the_tables_of_the_record(path, heading, tables):
    """Or says why it is in none."""
    found = [(numbers, source) for numbers, source in quoted(path, heading) if numbers]
    faults = [fault(numbers, source, tables) for numbers, source in found if not source.startswith("no table: ")]
    assert found and [each for each in faults if each] == []


def test_a_number_that_is_not_in_the_tables_is_found(tmp_path):
    (tmp_path / "accuracy.csv").write_text("arm,stratum,official,n\na,all,0.7583,120\na,value,0.5,98\n")

    def found(numbers: list[str], source: str) -> str:
        return fault(numbers, source, tmp_path)

    line = "accuracy arm=a stratum=all: official n"
    assert found(["75.8", "120"], line) == found([".758", "120"], line) == ""
    assert found(["68.0", "120"], line).endswith("68.0 is said, official is 0.7583")
    assert "2 columns for" in found(["75.8"], line)
    assert " 0 lines" in found(["75.8", "120"], line.replace("=all", "=al"))
    assert found(["75.8"], "a run of ours") == "'a run of ours' names no line of a table"
    (tmp_path / "README.md").write_text("## Found\n\nRight on 25.0 %, with `5` of 95 % in 7 rows.\n")
    with pytest.raises(AssertionError, match="no comment says where"):
        quoted(tmp_path / "README.md", "Found")
