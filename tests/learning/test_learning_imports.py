"""Imports run one way: no circle, torch in one room only, and that room knows no family."""

import subprocess
import sys
from graphlib import TopologicalSorter

from common.sources import ROOT, _imports, _named, _parsed

GRAPH = {str(path.relative_to(ROOT)): _imports(str(path.relative_to(ROOT))) for path in ROOT.rglob("*.py")}


def test_no_file_imports_itself_by_a_detour():
    """Imports inside functions count too. Raises CycleError, which names the circle."""
    order = list(TopologicalSorter({path: needs - {path} for path, needs in GRAPH.items()}).static_order())
    assert len(order) == len(GRAPH) > 100


ODD = {
    "from a import b as c, d\nfrom e import (\n    g,\n    h as i,\n)\n": {"a", "a.b", "a.d", "e", "e.g", "e.h"},
    "def f():\n    import j.k as l, m\n": {"j.k", "m"}, "import a; import b\n": {"a", "b"}, "if x: import a\n": {"a"},
    "from a import b, \\\n    c\n": {"a", "a.b", "a.c"}, "from a import (  # (of b)\n    b,\n)\n": {"a", "a.b"},
    '"""Of the import."""\nimport a\n': {"a"}, "from .x import y\n": {"x", "x.y"}, "from . import x\n": set(),
}  # fmt: skip


def test_imports_are_found_as_the_parser_finds_them():
    for text, expected in ODD.items():
        assert set(_named(text, "x.py")) == set(_parsed(text, "x.py")) == expected
    for path in ROOT.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert set(_named(text, str(path))) == set(_parsed(text, str(path))), path


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
