"""The recipes' patterns of unlearned lines mean, in every design, the lines that they say."""

import re
from pathlib import Path

import pytest
import yaml
from test_hints import texts

from learning.settings import Recipe
from reasoning.registry import DESIGNS

RECIPES = yaml.safe_load((Path(__file__).resolve().parents[2] / "config/recipes.yaml").read_text())
FAILED = set("no none fail repeat differ clash dead drop out back breaks neither next zero".split())
# Outcomes that name a class of what is looked at; nothing was tried.
CLASSES = set(
    "apart shared any literal arbitrary product sum sum-or-product difference small unknown open full long least "
    "default some join/mul add/mul add/sub sub signed".split()
)
SIGNS = {"sub", "rsub", "abs", "negabs", "absneg", "none"}


def lines():
    """Every rendered line of every design, of a few rows each."""
    for (family, design), declared in DESIGNS.items():
        if family != "cryptarithm_guess":
            for reveal in {0, 10} & set(declared.reveals):
                for text, _ in texts(family, design, 16, reveal):
                    yield from text["lines"]


def test_every_recipe_can_be_read():
    import json

    for recipe in RECIPES.values():
        Recipe.read(json.dumps(recipe))


@pytest.mark.parametrize("name", ["passed-lines", "untold-outcomes"])
def test_unlearned_lines(name):
    pattern, seen = re.compile(RECIPES[name]["unlearned"]), set()
    for line in lines():
        if line["kind"] == "study/exhausted":  # a hypothesis given up, without a test of its own
            continue
        outcome = line["verdict"]
        if name == "passed-lines":
            wanted = outcome in FAILED
        else:
            wanted = outcome != "" and (outcome not in CLASSES or line["kind"] in ("crypt/signs", "bits/tier"))
        assert bool(pattern.search(line["text"])) == wanted, line
        seen.add((outcome, wanted))
    assert sum(wanted for _, wanted in seen) > 10 and sum(not wanted for _, wanted in seen) > 5


def test_outcomes_of_every_design_are_sorted():
    """A new word for an outcome has to be put on one side, and into the patterns."""
    passed = "yes ok match fits same +1 -1 several holds stands stays keep pin join swap both take done deeper".split()
    every = {word for design in DESIGNS.values() for kind in design.kinds for word in kind.OUTCOMES}
    assert every <= FAILED | CLASSES | {*passed} | SIGNS, every - FAILED - CLASSES - {*passed} - SIGNS
