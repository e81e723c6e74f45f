"""Which files of the library a job depends on: its script, what that imports, and its own families and design."""

from collections.abc import Iterable

from common.sources import sources
from puzzles import registry as puzzle_registry
from reasoning import registry as design_registry


def code(script: str, family: str | Iterable[str] = (), design: str | None = None) -> list[str]:
    """The script and the library files it runs on, from the root of the project, the script first.

    family: the family or families that the job is about; design: the design of these families, where there is one.
    """
    families = [family] if isinstance(family, str) else list(family)
    members = {puzzle_registry.MODULES[name] for name in families}
    members |= {design_registry.MODULES[name, design] for name in families if design}
    return [f"workflow_scripts/{path}" for path in sources(f"{script}.py", *sorted(members))]


def code_of_designs(script: str, families: Iterable[str]) -> list[str]:
    """The same for a job about every design of these families."""
    members = {module for (family, _), module in design_registry.MODULES.items() if family in families}
    members |= {puzzle_registry.MODULES[name] for name in families}
    return [f"workflow_scripts/{path}" for path in sources(f"{script}.py", *sorted(members))]
