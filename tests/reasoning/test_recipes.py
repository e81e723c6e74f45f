"""What the lines of every design say of a test reaches the corpus of an arm, and what its recipe leaves unlearned."""

from pathlib import Path

import pytest
import yaml
from test_hints import corpus, texts

from common.artifacts import read_table, write_table
from common.errors import LabError
from learning.methods import check_recipes
from puzzles.tables import PUZZLES
from reasoning.auxiliary.hints import HINTS
from reasoning.grammar.lines import FAILED, PASSED, SEEN
from reasoning.grammar.texts import TEXTS
from reasoning.registry import DESIGNS

RECIPES = yaml.safe_load((Path(__file__).resolve().parents[2] / "config/recipes.yaml").read_text())
KINDS = {kind.KIND: kind for design in DESIGNS.values() for kind in design.kinds}


def test_every_recipe_can_be_read():
    check_recipes(RECIPES, HINTS)
    with pytest.raises(LabError, match="r.yaml: field study.hint: unknown hint 'rote'; expected one of"):
        check_recipes({"study": RECIPES["study"] | {"hint": "rote", "share": 0.5}}, HINTS, "r.yaml")


def test_every_outcome_is_passed_failed_or_seen():
    """The words that mean the same wherever they stand; a new kind that uses one the other way round is named."""
    means = {word: FAILED for word in "no none fail dead out back breaks neither zero clash".split()}
    means |= {word: PASSED for word in "yes ok fits same holds stands keep pin match".split()}
    for kind, each in KINDS.items():
        assert set(each.OUTCOMES.values()) <= {PASSED, FAILED, SEEN}
        assert {word: result for word, result in each.OUTCOMES.items() if means.get(word, result) != result} == {}, kind
    assert KINDS["study/distinct"].OUTCOMES == {"differ": PASSED, "repeat": FAILED}
    assert KINDS["study/verify"].OUTCOMES == {"match": PASSED, "differ": FAILED}


@pytest.mark.parametrize(
    ("family", "design"),
    sorted(key for key, design in DESIGNS.items() if key[0] != "cryptarithm_guess" and design.reveals),
)
def test_texts_say_what_each_outcome_means(family, design):
    for text, _ in texts(family, design, 16, max(DESIGNS[family, design].reveals)):
        for line in text["lines"]:
            assert line["result"] == (KINDS[line["kind"]].OUTCOMES[line["verdict"]] if line["verdict"] else "")


@pytest.fixture(scope="module")
def tables(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("recipes")
    pairs = texts("bit_manipulation", "prior-scan")
    write_table(folder / "texts.parquet", [text for text, _ in pairs], TEXTS)
    write_table(folder / "puzzles.parquet", [puzzle for _, puzzle in pairs], PUZZLES)
    write_table(folder / "held.parquet", [{"id": "e", "canonical": "another"}])
    return folder


@pytest.mark.parametrize(("policy", "results"), [("failed", {FAILED}), ("outcomes", {FAILED, PASSED})])
def test_the_corpus_names_the_lines_that_are_not_learned(tables, policy, results):
    assert corpus(tables, "plain.parquet").returncode == 0
    assert not any(read_table(tables / "plain.parquet").column("unlearned").to_pylist())
    done = corpus(tables, "marked.parquet", "--unlearned", policy)
    assert done.returncode == 0, done.stderr
    every = {row["id"]: row for row in read_table(tables / "texts.parquet").to_pylist()}
    marked = read_table(tables / "marked.parquet").to_pylist()
    for row in marked:
        wanted = [line["text"] for line in every[row["id"]]["lines"] if line["result"] in results]
        assert [row["completion"].split("\n")[i] for i in row["unlearned"]] == wanted
    assert sum(map(bool, (row["unlearned"] for row in marked))) > len(marked) / 2
