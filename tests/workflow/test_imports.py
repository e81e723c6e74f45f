"""Which files a job depends on, and which way imports run."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

from common.sources import ROOT, sources
from puzzles import registry as puzzle_registry
from reasoning import registry as design_registry

ROOMS = {"common": set(), "puzzles": {"common"}, "reasoning": {"common", "puzzles"}}
ROOMS["measuring"] = {"common", "puzzles", "reasoning"}
LINES = "reasoning/designs/cryptarithm/lines"


def render_of(family: str, design: str) -> set[str]:
    """The library files that the texts of a design depend on."""
    return set(sources("render.py", puzzle_registry.MODULES[family], design_registry.MODULES[family, design]))


def imported(path: Path) -> set[str]:
    """The modules that a file of the library imports when it is loaded, by their dotted names."""
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:  # what only a type checker reads is deeper
        for each in [node] if isinstance(node, ast.Import | ast.ImportFrom) else []:
            if isinstance(each, ast.Import):
                names = [alias.name for alias in each.names]
            else:
                names = [f"{each.module}.{alias.name}" for alias in each.names]
            for name in names:
                stem = ROOT / name.replace(".", "/")
                module = name if stem.with_suffix(".py").is_file() else name.rpartition(".")[0]
                if (ROOT / module.replace(".", "/")).with_suffix(".py").is_file():
                    found.add(module)
    return found


def test_the_texts_of_a_design_depend_on_its_own_lines_and_engines_only():
    answer_only = render_of("cryptarithm_deduce", "answer-only")
    search = render_of("cryptarithm_deduce", "search")
    assert f"{LINES}/row_search.py" in search
    assert not {path for path in answer_only if "/lines/" in path or "/engines/" in path}
    assert f"{LINES}/row_search.py" not in render_of("cryptarithm_deduce", "derive")
    assert f"{LINES}/rule_tests.py" in render_of("cryptarithm_deduce", "derive")
    for (family, design), module in design_registry.MODULES.items():
        files = render_of(family, design)
        others = {other for other in design_registry.MODULES.values() if other.split(".")[2] != module.split(".")[2]}
        assert not {f"{other.replace('.', '/')}.py" for other in others} & files, (family, design)


def test_imports_run_one_way_and_have_no_circle():
    graph = {}
    for room, allowed in ROOMS.items():
        for path in sorted((ROOT / room).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            graph[name] = imported(path)
            assert {other.split(".")[0] for other in graph[name]} <= allowed | {room}, name
    assert len(graph) > 100 and sum(map(len, graph.values())) > 300
    TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle
