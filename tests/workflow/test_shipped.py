"""A backbone that comes as a folder: changed files, new phrases, too short a context are told before anything runs."""

import json
from pathlib import Path

import pandas as pd
import pytest
from test_bad_input import refused
from test_workflow import copy, edited
from transformers import AutoTokenizer

from common import typed
from common.artifacts import file_hash, write_json
from common.config import check_budgets, read_yaml
from common.errors import LabError
from learning.phrases import SPARES
from learning.settings import BackboneOptions
from learning.shipped import (
    character_context,
    check_context,
    check_shipped,
    context_of_folder,
    shipped_files,
    with_phrases,
)
from learning.tokens import character_tokenizer, spare_tokens
from learning_fixtures import PHRASES

ROOT = Path(__file__).resolve().parents[2]
SMALL = ROOT / "config/backbones/small"


@pytest.fixture
def folder(tmp_path) -> Path:
    character_tokenizer(PHRASES, 512).save_pretrained(tmp_path / "b")
    write_json(tmp_path / "b/config.json", {"max_position_embeddings": 512})
    files = {path.name: file_hash(path) for path in (tmp_path / "b").iterdir()}
    write_json(tmp_path / "b/provenance.json", {"files": files})
    return tmp_path / "b"


def test_a_changed_or_missing_file_is_named(folder):
    assert {path.name for path in shipped_files(folder)} == {path.name for path in folder.iterdir()}
    config = folder / "config.json"
    config.write_text(config.read_text().replace("512", "513"))
    with pytest.raises(LabError, match=r"b/config\.json: changed since it was made"):
        shipped_files(folder)
    config.unlink()
    with pytest.raises(LabError, match=r"b/config\.json: a file of this backbone is missing"):
        shipped_files(folder)
    with pytest.raises(LabError, match="no such backbone folder"):
        shipped_files(folder / "x")


def test_a_folder_without_provenance_is_taken_as_it_is(folder):
    (folder / "provenance.json").unlink()
    assert {path.name for path in shipped_files(folder)} == {path.name for path in folder.iterdir()}


def test_new_phrases_take_the_spare_tokens(folder):
    before = AutoTokenizer.from_pretrained(folder)
    spares = spare_tokens(before)
    assert len(spares) == SPARES
    new = ["\nThis is a new question: ", "A new header of a new family\n"]
    path = folder / "tokenizer.json"
    write_json(path, with_phrases(json.loads(path.read_text()), [*PHRASES, *new, "short"]))
    after = AutoTokenizer.from_pretrained(folder)
    assert [after.encode(text) for text in new] == [[spares[0]], [spares[1]]] and len(before.encode(new[0])) > 10
    assert spare_tokens(after) == spares[2:] and len(after) == len(before)
    text = f"{PHRASES[0]} 1+2\n<think>\n"
    assert after.encode(text) == before.encode(text) and after.decode(after.encode(new[1] + "x")) == new[1] + "x"


def test_more_new_phrases_than_spare_tokens_are_refused(folder):
    many = [f"a new phrase with number {i}" for i in range(SPARES + 1)]
    check_shipped(folder, many[:-1])
    with pytest.raises(LabError, match=r"b/tokenizer.json: 65 phrases .* only 64 are spare; make the backbone anew"):
        check_shipped(folder, many)


def test_a_tokenizer_without_spare_tokens_is_left_alone():
    own = {"added_tokens": [{"content": "<eos>", "id": 1}]}
    assert with_phrases(own, ["a phrase of a family"]) is own


def test_budgets_below_the_longest_thought_are_refused(folder):
    """Known at planning wherever a token is a character: of a backbone made here, and of one that ships."""
    shipped, made = (typed.read(BackboneOptions, each) for each in (
        {"path": str(folder)}, {"make": {"context": 2048, "lengths": [256]}}
    ))  # fmt: skip
    assert (character_context(shipped), character_context(made)) == (512, 2048)
    assert character_context(typed.read(BackboneOptions, {"hub": "a/b", "revision": 40 * "a"})) is None
    arms = pd.DataFrame({"backbone": ["small"], "decoders": [("greedy", "vote")]}, index=["search"])
    decoders = {"greedy": {"max_tokens": 500}, "drawn": {"max_tokens": 400}, "vote": {"of": "drawn"}}
    check_budgets(arms, ["search"], {"small": 512}, decoders, 370)
    check_budgets(arms, ["search"], {"small": None}, decoders, 5000)
    check_budgets(arms, ["search"], {"small": 400}, decoders, 5000)
    message = "field decoding.max_tokens: decoder vote of arm search writes at most 400 tokens"
    for thought in (371, 450):
        with pytest.raises(LabError, match=message):
            check_budgets(arms, ["search"], {"small": 512}, decoders, thought)
    check_budgets(arms, [], {"small": 512}, decoders, 450)


def test_rows_longer_than_the_context_are_refused(folder):
    assert context_of_folder(folder) == 512
    check_context("a", {"max_length": 512}, typed.read(BackboneOptions, {"path": str(folder)}))
    with pytest.raises(LabError, match="arm a: rows of up to 513 tokens, but its backbone sees 512"):
        check_context("a", {"max_length": 513}, typed.read(BackboneOptions, {"path": str(folder)}))
    with pytest.raises(LabError, match="sees 256"):
        check_context(
            "a", {"max_length": 513}, typed.read(BackboneOptions, {"make": {"context": 256, "lengths": [256]}})
        )
    check_context(
        "a", {"max_length": 8192}, typed.read(BackboneOptions, {"hub": "a/b", "revision": "0" * 40})
    )  # a model from elsewhere: told when it is loaded


def test_the_shipped_backbone_is_small_and_whole():
    files = shipped_files(SMALL)
    assert sum(path.stat().st_size for path in files) < 12e6
    entry = read_yaml(ROOT / "config/backbones.yaml")["small"]
    assert ROOT / entry["path"] == SMALL
    made = json.loads((SMALL / "provenance.json").read_text())
    ours = read_yaml(ROOT / "config/backbones.yaml")["small-made"]["make"]
    schedule = ("steps", "decay", "check", "table", "batch", "lr", "matrix_lr")
    assert {k: v for k, v in made["make"].items() if k not in schedule and k in ours} == {
        k: v for k, v in ours.items() if k not in schedule
    }
    table = json.loads((SMALL / "skills.json").read_text())["skills"]
    assert all(row["n"] >= 500 for row in table.values()), {k: row["n"] for k, row in table.items()}
    curve = json.loads((SMALL / "curve.json").read_text())
    assert curve[-1]["tokens"] <= made["tokens"]


def test_a_plan_with_a_changed_backbone_or_a_long_recipe_is_refused(tmp_path):
    (tmp_path / "project").mkdir()
    project = copy(tmp_path / "project")
    with edited(project / "config/recipes.yaml", lambda text: text.replace("max_length: 2048", "max_length: 4096")):
        assert "but its backbone sees" in refused(project)
    config = project / "config/backbones/small/config.json"
    with edited(config, lambda text: text + " "):
        assert refused(project).startswith("config/backbones/small/config.json: changed since it was made")
    (config.parent / "skills.json").unlink()
    assert refused(project).startswith("config/backbones/small/skills.json: a file of this backbone is missing")
