"""Which files a job depends on, and which way imports run."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from common.sources import ROOT
from reasoning import registry as design_registry
from reasoning.job_files import code, code_of_designs

ROOMS = {"common": set(), "puzzles": {"common"}, "reasoning": {"common", "puzzles"}}
ROOMS |= {"measuring": {"common", "puzzles", "reasoning"}, "learning": {"common", "puzzles"}}
ROOMS["planning"] = {"common", "puzzles", "reasoning", "measuring", "learning"}
LINES = "reasoning/designs/cryptarithm/lines"


def render_of(family: str, design: str) -> set[str]:
    """The library files that the texts of a design depend on."""
    return {path.removeprefix("workflow_scripts/") for path in code("render", family, design)}


def imported(path: Path) -> set[str]:
    """The modules that a file of the library imports anywhere, by their dotted names; not those for type hints only."""
    tree, found = ast.parse(path.read_text(encoding="utf-8")), set()
    hints = [node for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)]
    skipped = {id(each) for node in hints for each in ast.walk(node)}
    for node in ast.walk(tree):
        if id(node) in skipped or not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in (each for whole in names for each in (whole, whole.rpartition(".")[0])):
            if (ROOT / f"{name.replace('.', '/')}.py").is_file():
                found.add(name)
    return found


def test_the_texts_of_a_design_depend_on_its_own_lines_and_engines_only():
    answer_only = render_of("cryptarithm_deduce", "answer-only")
    search = render_of("cryptarithm_deduce", "search")
    assert f"{LINES}/row_search.py" in search
    assert not {path for path in answer_only if "/lines/" in path or "/engines/" in path}
    assert f"{LINES}/row_search.py" not in render_of("cryptarithm_deduce", "derive")
    assert f"{LINES}/rule_tests.py" in render_of("cryptarithm_deduce", "derive")
    assert {f"workflow_scripts/{path}" for path in search} <= {
        *code_of_designs("gallery", ["cryptarithm_deduce"]),
        *code("render"),
    }
    for (family, design), module in design_registry.MODULES.items():
        files = render_of(family, design)
        others = {other for other in design_registry.MODULES.values() if other.split(".")[2] != module.split(".")[2]}
        assert not {f"{other.replace('.', '/')}.py" for other in others} & files, (family, design)


def test_imports_run_one_way():
    """Circles are looked for among the imports inside functions, too: see tests/learning/test_learning_imports.py."""
    graph = {}
    for room, allowed in ROOMS.items():
        for path in sorted((ROOT / room).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            graph[name] = imported(path)
            assert {other.split(".")[0] for other in graph[name]} <= allowed | {room}, name
    assert len(graph) > 150 and sum(map(len, graph.values())) > 600


@pytest.mark.parametrize("path", sorted(ROOT.glob("*.py")), ids=lambda path: path.stem)
def test_a_script_starts_by_itself_and_explains_itself(path):
    """In a process of its own; other tests start scripts in one that has the libraries loaded."""
    done = subprocess.run([sys.executable, path, "--help"], capture_output=True, text=True, cwd=ROOT.parent)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"usage: {path.name}")
    assert f"\n    python workflow_scripts/{path.name}" in done.stdout or f"\n    snakemake {path.stem}" in done.stdout
