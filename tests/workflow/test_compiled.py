"""Compiled code and its cache."""

import shutil
import subprocess
import sys
from pathlib import Path

from common.sources import ROOT

MAIN = """
from common.compiled import compiled
from rules import RULES, double

@compiled
def total(x):
    return double(x) + RULES[1]

print(total(20), sum(total.stats.cache_hits.values()))
"""
RULES = """
import numpy as np
from common.compiled import compiled
from numbers_of_rules import NUMBER

RULES = np.array([1, NUMBER])

@compiled
def double(x):
    return 2 * x
"""


def run(folder: Path) -> tuple[int, int]:
    """What the compiled function gives in a process of its own, and how many functions came from the cache."""
    done = subprocess.run([sys.executable, "main.py"], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return tuple(map(int, done.stdout.split()))


def test_an_edit_of_anything_compiled_in_is_compiled_anew(tmp_path):
    shutil.copytree(ROOT / "common", tmp_path / "common")
    for name, text in (("main", MAIN), ("rules", RULES), ("numbers_of_rules", "NUMBER = 3\n")):
        (tmp_path / f"{name}.py").write_text(text)
    assert run(tmp_path) == (43, 0)
    assert run(tmp_path) == (43, 1)
    (tmp_path / "numbers_of_rules.py").write_text("NUMBER = 4\n")
    assert run(tmp_path) == (44, 0)
    (tmp_path / "rules.py").write_text(RULES.replace("2 * x", "3 * x"))
    assert run(tmp_path) == (64, 0)
    (tmp_path / "rules.py").write_text(RULES)
    assert run(tmp_path)[0] == 44


def test_no_other_cache_of_numba():
    users = [path for path in ROOT.rglob("*.py") if "njit" in path.read_text() and path.name != "compiled.py"]
    assert not users
