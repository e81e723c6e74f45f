"""Which source files a script depends on: itself, and every library module that its imports reach."""

import ast
import os
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# A statement of imports on lines of its own.
_PLAIN = re.compile(r"^[ \t]*(?:from (\w[\w.]*) )?import ([\w., ]+|\([\w,\s]+\))$", re.M)


def _statements(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """All statements, also those inside others; `ast.walk` would visit every expression, ten times as many nodes."""
    for node in body:
        yield node
        for part in ("body", "orelse", "handlers", "finalbody", "cases"):
            yield from _statements(getattr(node, part, ()))


@cache
def _module(stem: str) -> tuple[str, ...]:
    """The library file of a module or of a package, if there is one."""
    return tuple(path for path in (f"{stem}.py", f"{stem}/__init__.py") if os.path.isfile(f"{ROOT}/{path}"))


@cache
def _imports(path: str) -> frozenset[str]:
    """The library files, relative to ROOT, that the import statements of one file name (their packages included)."""
    found = set()
    for name in _named((ROOT / path).read_text(encoding="utf-8"), path):
        parts = name.split(".")
        for i in range(1, len(parts) + 1):
            found.update(_module("/".join(parts[:i])))
    return frozenset(found)


def _named(text: str, path: str) -> list[str]:
    """What the import statements of a file name, with dots.

    A plan reads nearly all files, and a parser takes half a second for them: it reads those only that say `import`
    elsewhere than in plain statements.
    """
    plain = _PLAIN.findall(text)
    if len(plain) != len(re.findall(r"\bimport\b", text)):
        return _parsed(text, path)
    names = []
    for module, words in plain:
        parts = [each.split()[0] for each in words.strip("() \n").split(",") if each.strip()]
        names += [module, *(f"{module}.{part}" for part in parts)] if module else parts
    return names


def _parsed(text: str, path: str) -> list[str]:
    """The same by Python's own parser."""
    names = []
    for node in _statements(ast.parse(text, filename=path).body):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return names


@cache
def sources(script: str, *members: str) -> tuple[str, ...]:
    """Files under ROOT that `script` depends on, itself first. members: modules that it loads by name, as the
    registries load families and designs, of which a job uses one or a few."""
    todo, seen = [*(f"{member.replace('.', '/')}.py" for member in members), script], set()
    while todo:
        path = todo.pop()
        if path not in seen:
            seen.add(path)
            todo.extend(_imports(path))
    return (script, *sorted(seen - {script}))
