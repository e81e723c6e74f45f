"""What the README shows is what is there: the picture of the workflow, and the numbers."""

import csv
import re

import networkx

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


def test_the_numbers_are_those_of_the_record():
    with open(PROJECT / "results/reference/accuracy.csv", newline="") as handle:
        rows = {(row["arm"], row["stratum"], row["seed"]): row for row in csv.DictReader(handle)}
    found = re.search(
        r"right on ([\d.]+) % of (\d+) test rows \(95 % interval ([\d.]+) to ([\d.]+) %, three seeds\),"
        r" with five digits on ([\d.]+) %, without any on (\d)",
        README.replace("\n", " "),
    )
    full, half, none = (rows[arm, "all", "all"] for arm in ("derive-reveal-10", "derive-reveal-5", "derive"))
    percent = [f"{100 * float(full[name]):.1f}" for name in ("official", "official_low", "official_high")]
    assert [found[1], found[3], found[4]] == percent and found[2] == full["n"] and full["seeds"] == "3"
    assert found[5] == f"{100 * float(half['official']):.1f}" and float(found[6]) == float(none["official"])
