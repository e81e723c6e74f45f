"""Training methods: what is trained, and on what. One file each, found by its place.

The file's name is the method; its class `Method` declares the settings of its recipes and does the work. An entry of
config/recipes.yaml gives a method a name and its settings; without one it is LoRA. Torch is imported only to train.
"""

import importlib
import json
import pkgutil
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from common import typed
from common.errors import LabError
from common.typed import suggestion
from learning.methods.base import Recipe

if TYPE_CHECKING:
    import pandas as pd

METHODS: dict[str, type[Recipe]] = {
    info.name: importlib.import_module(f"{__name__}.{info.name}").Method
    for info in pkgutil.iter_modules(__path__)
    if info.name != "base"
}
USUAL = "lora"


def read_recipe(entry: Mapping, place: str = "") -> Recipe:
    """One entry: the settings of its method. Raises LabError naming the field."""
    if not isinstance(entry, Mapping):
        raise LabError(f"{entry!r} is no mapping of settings", field=place.rstrip(".") or None)
    method = entry.get("method", USUAL)
    if method not in METHODS:
        raise LabError(f"unknown method {method!r}{suggestion(str(method), METHODS)}", field=f"{place}method")
    return typed.read(METHODS[method], {k: v for k, v in entry.items() if k != "method"}, place)


def parse_recipe(text: str) -> Recipe:
    """The same from JSON, as a script gets it."""
    try:
        return read_recipe(json.loads(text))
    except json.JSONDecodeError as error:
        raise LabError(f"not JSON ({error})", field="--recipe") from error


def check_needs(arms: "pd.DataFrame", recipes: Mapping[str, Mapping], file: object = None) -> None:
    """Raise LabError naming the row of the table of arms that lacks a column which the method of its recipe needs."""
    for _, arm in arms.iterrows():
        recipe = read_recipe(recipes[arm.recipe]) if arm.recipe in recipes else None
        for column in recipe.NEEDS if recipe else ():
            if not arm[column]:
                message = f"recipe {arm.recipe} (method {recipe.method}) needs an arm above this row, found none"
                raise LabError(message, file=file, row=int(arm.row), field=column)
        if recipe and recipe.harvest in ("partial", "repair") and not arm.source:
            message = f"recipe {arm.recipe} learns from completions (harvest: {recipe.harvest}), found no source"
            raise LabError(message, file=file, row=int(arm.row), field="source")


def check_weights(kinds: Collection[str], recipe: Mapping) -> None:
    """Raise LabError for a weight of a kind of line that an arm's design does not write."""
    for kind in recipe.get("weights", {}):
        if kind not in kinds:
            raise LabError(f"no line of kind {kind!r}{suggestion(kind, kinds)}", field=f"weights.{kind}")


def check_recipes(entries: Mapping[str, Mapping], hints: Collection[str], file: object = None) -> None:
    """Raise LabError naming the file and the field of the first entry that is no recipe. hints: all there are."""
    for name, entry in entries.items():
        try:
            hint = read_recipe(entry, f"{name}.").hint
            if hint not in hints:
                raise LabError(f"unknown hint {hint!r}{suggestion(hint, hints)}", field=f"{name}.hint")
        except LabError as error:
            raise LabError(error.message, file=file, field=error.field) from None
