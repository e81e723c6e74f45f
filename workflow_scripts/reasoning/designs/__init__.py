"""The designs, discovered: every module here that has DESIGN or DESIGNS adds to DESIGNS, keyed (family, id).

A design is one file. Modules whose name starts with an underscore are shared parts, not designs.
"""

import importlib
import pkgutil

from common.errors import LabError
from reasoning.trace import Design


def _discover() -> dict[tuple[str, str], Design]:
    found: dict[tuple[str, str], Design] = {}
    for info in sorted(pkgutil.iter_modules(__path__), key=lambda info: info.name):
        if info.name.startswith("_"):
            continue
        module = importlib.import_module(f"{__name__}.{info.name}")
        for design in getattr(module, "DESIGNS", None) or (module.DESIGN,):
            if (design.family, design.id) in found:
                raise LabError(f"two designs are called {design.id} of {design.family}", file=module.__file__)
            found[design.family, design.id] = design
    return found


DESIGNS = _discover()


def design_of(family: str, design_id: str) -> Design:
    """The design, or a LabError naming those that exist."""
    design = DESIGNS.get((family, design_id))
    if design is None:
        known = ", ".join(f"{f}/{d}" for f, d in sorted(DESIGNS))
        raise LabError(f"no design {design_id!r} of family {family!r}; there are {known}", field="design")
    return design
