"""The puzzle families, found by their place, and which of them a prompt belongs to.

A family is one file of puzzles/, or of a folder in it, that ends in `FAMILY = Family(...)`. Where several families
share their code it ends in `FAMILIES = (...)`.
"""

import importlib
import re
from pathlib import Path

from common.errors import LabError
from puzzles.base import Family, PromptError

FOLDER = Path(__file__).parent
_DECLARES = re.compile(r"^FAMIL(Y|IES) = ", re.M)


def _discover() -> tuple[dict[str, Family], dict[str, str]]:
    found: list[tuple[int, Family, str]] = []
    for path in sorted([*FOLDER.glob("*.py"), *FOLDER.glob("*/*.py")]):
        if not _DECLARES.search(path.read_text(encoding="utf-8")):
            continue
        name = ".".join(("puzzles", *path.relative_to(FOLDER).with_suffix("").parts))
        module = importlib.import_module(name)
        for family in getattr(module, "FAMILIES", None) or (module.FAMILY,):
            if any(family.name == other.name for _, other, _ in found):
                raise LabError(f"two families are called {family.name}", file=path)
            found.append((family.order, family, name))
    found.sort(key=lambda each: each[0])
    return {family.name: family for _, family, _ in found}, {family.name: module for _, family, module in found}


FAMILIES, MODULES = _discover()
"""Name -> the family, in the order of tables and figures; and -> the module that declares it."""


def family_of(prompt: str) -> str:
    """The family a prompt belongs to, told from its header and, where several share one, by their own `tell`.

    Raises PromptError when no family has this header, or when the prompt cannot be read.
    """
    for family in FAMILIES.values():
        if prompt.startswith(family.phrases[0]):
            return family.tell(prompt) if family.tell else family.name
    raise PromptError(f"no family has a prompt that starts {prompt[:60]!r}", field="prompt")
