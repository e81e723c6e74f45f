"""Imports run one way: no circle, torch in one room only, and that room knows no family."""

import subprocess
import sys
from graphlib import TopologicalSorter

from common.sources import ROOT, _imports

GRAPH = {str(path.relative_to(ROOT)): _imports(str(path.relative_to(ROOT))) for path in ROOT.rglob("*.py")}


def test_no_file_imports_itself_by_a_detour():
    """Imports inside functions count too. Raises CycleError, which names the circle."""
    order = list(TopologicalSorter({path: needs - {path} for path, needs in GRAPH.items()}).static_order())
    assert len(order) == len(GRAPH) > 100


def test_learning_knows_no_family():
    """Of the puzzles it uses how an answer is read from a text, nothing else."""
    needs = {need for path, own in GRAPH.items() if path.startswith("learning/") for need in own}
    others = {need for need in needs if not need.startswith(("learning/", "common/"))}
    assert others <= {"puzzles/__init__.py", "puzzles/checker.py"}


def test_planning_loads_no_large_library():
    """Nor do most jobs: these take seconds to load."""
    code = "import sys; sys.path.insert(0, 'workflow_scripts'); import planning.checks; "
    code += "assert not {'torch', 'transformers', 'deepspeed', 'numba', 'scipy', 'matplotlib'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT.parent, check=True)
