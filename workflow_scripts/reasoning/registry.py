"""The designs, found by their place: every file of reasoning/designs/FAMILY/ declares DESIGN or DESIGNS.

Kinds of line and engines that several designs of a family share are in its subfolders; what several families share is
beside their folders.
"""

import importlib
from pathlib import Path

from common.errors import LabError
from reasoning.grammar.trace import Design

FOLDER = Path(__file__).parent / "designs"


def _discover() -> tuple[dict[tuple[str, str], Design], dict[tuple[str, str], str]]:
    found: dict[tuple[str, str], Design] = {}
    modules: dict[tuple[str, str], str] = {}
    for path in sorted(FOLDER.glob("*/*.py")):
        name = ".".join(("reasoning", "designs", path.parent.name, path.stem))
        module = importlib.import_module(name)
        designs = getattr(module, "DESIGNS", None) or (getattr(module, "DESIGN", None),)
        for design in designs:
            if design is None:
                raise LabError("a file in a family's folder declares DESIGN or DESIGNS", file=str(path))
            if not design.family.startswith(path.parent.name):
                raise LabError(f"a design of {design.family} in the folder of another family", file=str(path))
            if (design.family, design.id) in found:
                raise LabError(f"two designs are called {design.id} of {design.family}", file=str(path))
            found[design.family, design.id], modules[design.family, design.id] = design, name
    return found, modules


DESIGNS, MODULES = _discover()
"""(family, design) -> the design; and -> the module that declares it."""


def design_of(family: str, design_id: str) -> Design:
    """The design, or a LabError naming those that exist."""
    design = DESIGNS.get((family, design_id))
    if design is None:
        known = ", ".join(f"{f}/{d}" for f, d in sorted(DESIGNS))
        raise LabError(f"no design {design_id!r} of family {family!r}; there are {known}", field="design")
    return design
