"""Tables and figures, found by their place: a module of measuring/tables/ or measuring/figures/ is one of them.

A module says in literals what it NEEDS (names of measuring/inputs.py), its CAPTION, and CHANGE: what would change our
mind. Its function `make` takes the needs as arguments (`tables/accuracy` as `accuracy`) and returns a data frame or a
figure. Names that start with an underscore are shared parts.
"""

import ast
import importlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

from common.errors import LabError

HERE = Path(__file__).parent
KINDS = ("table", "figure")


@dataclass(frozen=True)
class Declared:
    """What a module says of itself. module: its name, with the dots of an import."""

    needs: tuple[str, ...]
    caption: str
    module: str


def names(kind: str) -> list[str]:
    """All tables or figures, in alphabetical order."""
    return sorted(path.stem for path in (HERE / f"{kind}s").glob("[!_]*.py"))


@cache
def declared(kind: str, name: str) -> Declared:
    """Read from the module's text, so that planning imports neither matplotlib nor scipy.

    Raises LabError naming the file and the constant that is missing or not a literal.
    """
    path = HERE / f"{kind}s" / f"{name}.py"
    found = {}
    for node in ast.parse(path.read_text(encoding="utf-8"), filename=str(path)).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            try:
                found[node.targets[0].id] = ast.literal_eval(node.value)
            except ValueError:
                continue
    for constant, example in (("NEEDS", '("grades", "arms")'), ("CAPTION", "a text"), ("CHANGE", "a text")):
        if not found.get(constant):
            raise LabError(f"missing; expected a literal such as {example}", file=path, field=constant)
    caption = f"{found['CAPTION']}\n\nWhat would change our mind: {found['CHANGE']}"
    return Declared(tuple(found["NEEDS"]), caption, f"measuring.{kind}s.{name}")


def load(kind: str, name: str) -> ModuleType:
    """The module; raises LabError with the names there are."""
    if name not in names(kind):
        raise LabError(f"no {kind} {name!r}; there are {', '.join(names(kind))}", field="--name")
    return importlib.import_module(f"measuring.{kind}s.{name}")
