"""Task hints: right answers, a share of the same rows, and rows kept apart to measure by."""

import json
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest
from test_forward_designs import solved

import forked
from common.artifacts import read_table, write_table
from learning_fixtures import run, save_backbone, settings
from puzzles.base import Solution, row_rng
from puzzles.cryptarithm.signatures import rows_of, signature_of
from puzzles.equations.prompt import Equation
from puzzles.registry import FAMILIES
from puzzles.tables import PUZZLES, problem_row
from reasoning.auxiliary.hints import hint, needed
from reasoning.grammar.page import Page
from reasoning.grammar.reveal import Reveal
from reasoning.grammar.texts import RENDERED, TEXTS, render_row, table_row
from reasoning.grammar.trace import parse_completion
from reasoning.registry import DESIGNS

ROOT = Path(__file__).resolve().parents[2]


@cache
def texts(family: str, design: str, n: int = 60, reveal: int = 0) -> list[tuple[dict, dict]]:
    """(row of the texts, row of the puzzles) of what renders; the cryptarithm designs here need no solver."""
    if family.startswith("cryptarithm"):
        found = [(p, Solution(None)) for p in FAMILIES[family].generate(row_rng(3, family), n)]
    else:
        found = [(problem, solution) for problem, _, solution in solved(family)[:n]]
    pairs = []
    for problem, solution in found:
        row = render_row(problem.id, problem, solution, DESIGNS[family, design], Reveal(reveal), 0)
        if row.status == RENDERED:
            pairs.append((table_row(row, DESIGNS[family, design], Reveal(reveal)), problem_row(problem, "train")))
    return pairs


def hints(kind: str, family: str, design: str, reveal: int = 0) -> list[tuple[dict, dict, str, str]]:
    """(text, puzzle, prompt, completion) of every row that has such a hint."""
    found = []
    for text, puzzle in texts(family, design, reveal=reveal):
        made = hint(kind, text, puzzle, row_rng(0, text["id"]))
        assert made == hint(kind, text, puzzle, row_rng(0, text["id"]))
        if made:
            assert made[0].startswith(f"Hint: {kind}\n") and made[1]
            found.append((text, puzzle, *made))
    return found


@pytest.mark.parametrize(
    ("family", "design", "reveal"), [("cryptarithm_deduce", "derive", 10), ("bit_manipulation", "prior-scan", 0)]
)
def test_verdicts_are_those_of_the_next_line_and_balanced(family, design, reveal):
    found = hints("verdict", family, design, reveal)
    assert len(found) == len(texts(family, design, reveal=reveal))
    for text, _, prompt, completion in found:
        thought = prompt.partition("\nThought:\n")[2].split("\n")
        line = text["lines"][len(thought) - 1]
        assert [each["text"] for each in text["lines"][: len(thought) - 1]] == thought[:-1]
        assert line["verdict"] == completion and line["text"].startswith(f"{thought[-1]} {completion}")
    drawn = [completion for *_, completion in found]
    most = max(drawn.count(word) for word in set(drawn)) / len(drawn)
    every = [line["verdict"] for text, *_ in found for line in text["lines"] if line["verdict"]]
    assert len(set(drawn)) > 1 and most <= max(every.count(word) for word in set(every)) / len(every)


@pytest.mark.parametrize(
    ("family", "design", "reveal"), [("bit_manipulation", "prior-scan", 0), ("cryptarithm_deduce", "search", 5)]
)
def test_the_successor_is_the_next_line_of_the_most_frequent_kind(family, design, reveal):
    found = hints("successor", family, design, reveal)
    assert len(found) > len(texts(family, design, reveal=reveal)) / 2 > 10
    for text, _, prompt, completion in found:
        shown = [*prompt.partition("\nTried:\n")[2].split("\n"), completion]
        kind = next(line["kind"] for line in text["lines"] if line["text"] == completion)
        same = [line["text"] for line in text["lines"] if line["kind"] == kind]
        assert same[: len(shown)] == shown
        assert all(len(same) >= sum(line["kind"] == other["kind"] for other in text["lines"]) for line in text["lines"])


@pytest.mark.parametrize("family", ["cryptarithm_deduce", "cipher", "gravity"])
def test_applymap_gives_rule_and_key_and_asks_for_the_answer(family):
    design = "answer-only" if family.startswith("crypt") else "forward"
    for text, puzzle, prompt, completion in hints("applymap", family, design):
        assert completion == text["answer"] and prompt.count(puzzle["prompt"]) == 1
        rule = json.loads(re.search(r"\nRule: (.*)", prompt)[1])
        assert rule == {k: v for k, v in json.loads(puzzle["rule"]).items() if k != "alphabet"}
        for glyph, digit in json.loads(puzzle["key"]).items():
            assert f" {glyph}={digit}" in prompt


def test_recall_is_the_catalog():
    for text, _, prompt, completion in hints("recall", "cryptarithm_deduce", "answer-only"):
        signature = prompt.removeprefix("Hint: recall\nSignature: ")
        rows = rows_of(signature)
        count, *entry = completion.split(", ")
        assert count == f"rows {len(rows)}" and entry == [f"{rule.name} {digits}" for rule, digits in rows[:3]]
        equations = re.findall(r"^(..)(.)(..) = (.+)$", text["prompt"], re.M)
        assert signature in {signature_of(Equation(*equation)) for equation in equations}
    assert not hints("recall", "numeral", "forward")


def test_copy_copies():
    assert all(prompt == f"Hint: copy\n{done}" for *_, prompt, done in hints("copy", "numeral", "forward"))


@pytest.mark.parametrize(("family", "design"), [("cryptarithm_deduce", "search"), ("numeral", "forward")])
def test_a_drill_has_the_lines_that_a_line_needs_and_no_others(family, design):
    """The rest of the line is of the thought; without any line that is shown, the line is judged otherwise."""
    found, shown = hints("line", family, design), 0
    for text, _, prompt, completion in found[:12]:
        *lines, beginning = prompt.partition("\nThought:\n")[2].split("\n")
        written = [line["text"] for line in text["lines"]]
        places = [i for i, each in enumerate(written) if each == beginning + completion]
        assert places and all(each in written[: places[-1]] for each in lines)
        known = parse_completion(text["completion"], DESIGNS[family, design])
        kept = [next(each for each in known if each.text() == line) for line in lines]
        page = Page.of(family, text["prompt"])
        page.thinks = True
        target = next(each for each in known if each.text() == beginning + completion)
        assert needed(kept, target, page) == kept
        shown += len(lines)
    assert len(found) > 20 and shown < sum(len(text["lines"]) for text, *_ in found[:12]) / 4


@pytest.fixture(scope="module")
def tables(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("hints")
    pairs = texts("numeral", "forward")
    write_table(folder / "texts.parquet", [text for text, _ in pairs], TEXTS)
    write_table(folder / "puzzles.parquet", [puzzle for _, puzzle in pairs], PUZZLES)
    write_table(folder / "held.parquet", [{"id": "e", "canonical": "another"}])
    return folder


def corpus(folder: Path, out: str, *words: str) -> subprocess.CompletedProcess:
    command = [ROOT / "workflow_scripts/corpus.py", "--n", 40, "--seed", 1, "--out", folder / out]
    command += ["--texts", folder / "texts.parquet", "--puzzles", folder / "puzzles.parquet"]
    command += ["--held-out", folder / "held.parquet", *words]
    return forked.run(*command)


def test_a_share_of_the_same_rows_becomes_hints(tables):
    assert corpus(tables, "none.parquet").returncode == 0
    assert corpus(tables, "copy.parquet", "--hint", "copy", "--share", "0.3").returncode == 0
    plain, hinted = (read_table(tables / f"{name}.parquet").to_pylist() for name in ("none", "copy"))
    roles = {role: {row["id"] for row in hinted if row["role"] == role} for role in ("task", "hint", "hint-test")}
    assert [len(roles[role]) for role in ("task", "hint", "hint-test")] == [28, 12, 20]
    assert roles["task"] | roles["hint"] == {row["id"] for row in plain} and {r["role"] for r in plain} == {"task"}
    assert not roles["hint-test"] & {row["id"] for row in plain}
    same = {row["id"]: row["completion"] for row in plain}
    assert all((row["completion"] == same[row["id"]]) == (row["role"] == "task") for row in hinted if row["id"] in same)
    assert not {row["role"] for row in hinted[:40]} - {"task", "hint"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--hint", "recall", "--share", "0.5"), "20 rows with hint 'recall' asked for, 0 have one"),
        (("--hint", "copy"), "field --share: a share of 0.0 for hint 'copy'"),
        (("--share", "0.5"), "field --share: a share of 0.5 for hint 'none'"),
    ],
)
def test_refusals(tables, words, message):
    done = corpus(tables, "bad.parquet", *words)
    assert done.returncode == 1 and message in done.stderr and not (tables / "bad.parquet").exists()


def test_training_measures_the_hint_on_rows_it_did_not_see(tables, tmp_path):
    """One short prompt with one answer: the hint is learned, the task is not trained at all on its rows."""
    save_backbone(tmp_path / "backbone")
    rows = [{"id": str(i), "prompt": "say", "completion": "yes", "role": "hint"} for i in range(16)]
    rows += [
        {"id": f"m{i}", "prompt": "say", "completion": c, "role": "hint-test"} for i, c in enumerate(("yes", "no"))
    ]
    write_table(tmp_path / "corpus.parquet", rows)
    recipe = settings(method="full", epochs=30, hint="copy", share=0.3)
    places = ["--corpus", tmp_path / "corpus.parquet", "--backbone", tmp_path / "backbone", "--out", tmp_path / "out"]
    done = run("train", *places, "--state", tmp_path / "state", "--threads", 1, "--recipe", json.dumps(recipe))
    assert done.returncode == 0, done.stderr[-2000:]
    record = json.loads((tmp_path / "out/provenance.json").read_text())["run"]
    assert record["rows"] == 16 and record["hint_accuracy"] == 0.5
