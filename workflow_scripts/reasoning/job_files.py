"""Which files of the library a job depends on: its script, what that imports, and its own families and design."""

import os
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from common.sources import sources
from puzzles import registry as puzzle_registry
from reasoning import registry as design_registry

SCRIPTS = Path(__file__).parents[1]


def code(
    script: str, family: str | Iterable[str] = (), design: str | None = None, more: Iterable[str] = ()
) -> list[str]:
    """The script and the library files it runs on, relative to the working folder, the script first.

    family: the family or families that the job is about; design: the design of these families, where there is one;
    more: modules that the script finds by their place, such as a decoder's.
    """
    families = [family] if isinstance(family, str) else list(family)
    members = {puzzle_registry.MODULES[name] for name in families} | set(more)
    members |= {design_registry.MODULES[name, design] for name in families if design}
    return _files(script, members)


def code_of_designs(script: str, families: Iterable[str]) -> list[str]:
    """The same for a job about every design of these families."""
    members = {module for (family, _), module in design_registry.MODULES.items() if family in families}
    return _files(script, members | {puzzle_registry.MODULES[name] for name in families})


def _files(script: str, members: Iterable[str]) -> list[str]:
    here = os.getcwd()
    return [_seen_from(here, path) for path in sources(f"{script}.py", *sorted(members))]


@cache
def _seen_from(here: str, path: str) -> str:
    """A file of the library; a plan of thousands of jobs asks for the same ones each time."""
    return os.path.relpath(SCRIPTS / path, here)
