"""Recall drills: true, in the words of the designs that recall, and mixed into a corpus without a leak."""

from functools import cache
from pathlib import Path

import pytest
from test_corpus import corpus, write_inputs

import forked
from common.artifacts import read_table, write_table
from puzzles.base import Solution, row_rng
from puzzles.cryptarithm import family as cryptarithm
from puzzles.equations.prompt import EquationRow
from reasoning.auxiliary.drills import LISTED, drills, equation_of, signature_drills
from reasoning.designs.bit_manipulation.catalog_repair import Recall
from reasoning.designs.cryptarithm.lines.catalog_lines import BranchLine, SignatureLine
from reasoning.grammar.page import Page
from reasoning.grammar.reveal import Reveal
from reasoning.grammar.texts import RENDERED, render_row
from reasoning.registry import DESIGNS

SCRIPTS = Path(__file__).resolve().parents[2] / "workflow_scripts"


@cache
def of_signatures() -> dict[str, tuple]:
    return {question: trace.lines for question, trace in signature_drills()}


def test_every_line_on_signatures_is_true():
    for question, lines in list(of_signatures().items())[::7]:
        e = equation_of(question.split()[3].rstrip("."))
        page = Page("cryptarithm_deduce", EquationRow((e,), e))
        page.put("anchor", "", 1)
        for each in lines:
            assert each.transcription(page) is not False and each.arithmetic(page), each.text()


def test_signatures_are_covered():
    counts = [each.count for lines in of_signatures().values() for each in lines if isinstance(each, SignatureLine)]
    listed = [each for lines in of_signatures().values() for each in lines if isinstance(each, BranchLine)]
    assert len(listed) == sum(count for count in counts if count <= LISTED) and sum(counts) > 2 * len(listed)


def test_the_catalog_design_says_what_the_drills_say():
    """Its counts and rows, where no digit is shown, are lines of the drills, but for the number of the example."""
    said = {each.text() for lines in of_signatures().values() for each in lines}
    design, seen = DESIGNS["cryptarithm_deduce", "catalog"], 0
    for problem in cryptarithm.generate(row_rng(5, "drills"), 120, family="cryptarithm_deduce"):
        row = render_row(problem.id, problem, Solution(None), design, Reveal(), 0)
        for each in row.lines:
            if each.kind == "catalog/signature":
                seen += 1
                assert "E1" + each.text[2:] in said
            elif each.kind == "catalog/branch":
                assert each.text in said
    assert seen > 20


def test_every_line_on_bits_is_true():
    for row in drills("bit_manipulation", 40, 3):
        words = row["prompt"].removeprefix("Catalog: ").partition(".")[0].split(" ")
        page = Page("bit_manipulation", None)
        for name, rule in zip(words[::2], words[1::2], strict=True):
            page.put("selected", name[1:], rule)
        lines = [Recall.parse(text) for text in row["completion"].split("\n")[1:-2]]
        assert len(lines) == 4 and all(each.transcription(page) and each.arithmetic(page) for each in lines)
        assert [each.distance for each in lines] == sorted(each.distance for each in lines)


@pytest.mark.parametrize("family", ["cryptarithm_guess", "bit_manipulation"])
def test_drills_are_different_and_the_same_for_a_seed(family: str):
    found = drills(family, 60, 1)
    assert found == drills(family, 60, 1) and found != drills(family, 60, 2)
    assert len({row["prompt"] for row in found}) == 60 == len({row["id"] for row in found})
    assert all(row["status"] == RENDERED and row["completion"].endswith(f"{row['answer']}}}") for row in found)


def test_what_cannot_be_drilled_is_refused():
    with pytest.raises(ValueError, match="field family: no design of numeral recalls a catalog"):
        drills("numeral", 5, 0)
    every = len(of_signatures())
    with pytest.raises(ValueError, match=f"field n: {every + 1} drills asked for, there are {every}"):
        drills("cryptarithm_deduce", every + 1, 0)


def test_a_corpus_mixes_drills_in_and_none_is_a_leak(tmp_path: Path):
    paths = write_inputs(tmp_path)
    table = tmp_path / "drills.parquet"
    command = [SCRIPTS / "drills.py", "--family", "cryptarithm_deduce", "--n", "30", "--seed", "1"]
    forked.run(*command, "--out", table, check=True)
    done = corpus(paths, tmp_path / "c.parquet", "--drills", str(table), "--n-drills", "25")
    assert done.returncode == 0, done.stderr
    rows = read_table(tmp_path / "c.parquet").to_pylist()
    roles = [row["role"] for row in rows]
    assert roles.count("drill") == 25 and roles.count("task") == 20 and roles != sorted(roles)
    assert all((row["stratum"] == "drill") == (row["role"] == "drill") for row in rows)
    leaks = [SCRIPTS / "leaks.py", "--corpus", tmp_path / "c.parquet", "--held-out", paths["held_out"]]
    leaks += ["--puzzles", paths["cipher_puzzles"], paths["numeral_puzzles"], table, "--out", tmp_path / "l.json"]
    forked.run(*leaks, check=True)
    write_table(paths["held_out"], [{"id": "e", "canonical": "canonical cipher-0"}])
    assert corpus(paths, tmp_path / "d.parquet", "--drills", str(table), "--n-drills", "25", n=40).returncode == 1
    done = corpus(paths, tmp_path / "d.parquet", "--drills", str(table), "--n-drills", "31")
    assert done.returncode == 1 and "31 rows asked for, but of 30 only 30" in done.stderr
