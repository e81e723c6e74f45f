"""The configuration and the files that it names, read and checked together: a mistake is told before any job."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from common.config import FILES, check, check_budgets, read_arms, read_yaml, require_file
from common.errors import LabError
from learning.decoders import changed, lacking, resolve
from learning.engines import engine_of
from learning.methods import check_needs, check_recipes, check_weights, read_recipe
from learning.methods.base import n_steps
from learning.settings import BackboneOptions, check_local, read_backbones
from learning.shipped import character_context, check_context, check_shipped
from planning.lab import Lab
from puzzles.registry import FAMILIES
from reasoning.auxiliary import selections
from reasoning.auxiliary.hints import HINTS
from reasoning.judging.corruption import CORRUPTIONS
from reasoning.registry import DESIGNS

Place = Callable[[str], str]
"""Where a file of the project lies, seen from the working folder."""


def read_lab(config: dict, files: Sequence[str], here: Place) -> Lab:
    """Everything that a run is configured with. files: those that `config` was merged from.

    Paths in `config` that are not found from the working folder become those of the project. Raises LabError naming
    file, row and field.
    """
    check(config, FAMILIES, files)
    for key in (*FILES, "benchmark_csv"):
        if isinstance(config[key], str):
            config[key] = found(config[key], here)
        require_file(config, files, key)
    for name, path in config["traces"].items():
        config["traces"][name] = found(path, here)
        require_file(config, files, "traces", name)
    entries, recipes = read_yaml(config["backbones"]), read_changed(config, "recipes", here)
    backbones = read_backbones(entries, config["backbones"])
    for name, options in backbones.items():
        if options.path:
            entries[name]["path"] = found(options.path, here)
            backbones[name] = replace(options, path=entries[name]["path"])
    check_recipes(recipes, HINTS, file_of(config, "recipes", here))
    decoders = read_decoders(config, here)
    arms = read_arms(
        config["arms"],
        designs={key: design.reveal for key, design in DESIGNS.items()},
        backbones=backbones,
        recipes=recipes,
        corruptions=CORRUPTIONS,
        selections=check_selection,
        decoders={name: lambda backbone, name=name: lacking(name, decoders, engine_of(backbone)) for name in decoders},
        harvest=config["harvest"]["decoder"],
    )
    for name in sorted({*config["traces"]} & {*arms.index}):
        raise LabError("an arm is called so, too", field=f"traces.{name}")
    lab = Lab(config, arms, entries, backbones, recipes, decoders, here)
    check_used(lab)
    return lab


def check_selection(selection: str, family: str, design: str) -> None:
    """Raise LabError where a family's design cannot be asked for a selection."""
    own = DESIGNS[family, design]
    selections.check(selection, FAMILIES[family].strata, [kind.KIND for kind in own.kinds])
    if selection in own.never:
        raise LabError(f"selection {selection!r}: design {design} tells no row of this stratum")


def found(path: str, here: Place) -> str:
    """A path as it is where something lies there, else one of the project where that exists."""
    return here(path) if not Path(path).exists() and Path(here(path)).exists() else path


def file_of(config: Mapping, key: str, here: Place) -> str:
    """The file of entries that `key` names; of one that changes some entries, the project's."""
    return config[key] if isinstance(config[key], str) else here(f"config/{key}.yaml")


def read_changed(config: Mapping, key: str, here: Place) -> dict[str, Mapping]:
    """The entries of that file, with what the configuration changes in them."""
    own = config[key] if isinstance(config[key], dict) else {}
    return changed(read_yaml(file_of(config, key, here)), own)


def read_decoders(config: Mapping, here: Place) -> dict[str, dict]:
    """All decoders with all their settings."""
    file = file_of(config, "decoders", here)
    decoders = resolve(read_changed(config, "decoders", here), config["decoding"], file)
    if config["harvest"]["decoder"] not in decoders:
        raise LabError(f"unknown decoder, not in {file}", field="harvest.decoder")
    return decoders


def check_used(lab: Lab) -> None:
    """Raise LabError where an arm cannot work with its backbone, or a decoder may cut its thoughts short."""
    used: dict[str, BackboneOptions] = {name: lab.backbones[name] for name in lab.arms.backbone}
    check_local(used, lab.config["backbones"])
    for options in used.values():
        if options.path:
            check_shipped(options.path, lab.phrases)
    check_needs(lab.arms, lab.recipes, lab.config["arms"])
    for name, row in lab.arms.iterrows():
        check_training(lab, name, row)
        check_context(name, lab.recipes.get(row.recipe, {}), used[row.backbone])
    limited = [name for name, row in lab.arms.iterrows() if has_limit(row)]
    contexts = {name: character_context(options) for name, options in used.items()}
    check_budgets(lab.arms, limited, contexts, lab.decoders, lab.config["thought"])


def check_training(lab: Lab, name: str, row: pd.Series) -> None:
    """Raise LabError where a recipe weighs a line that the design does not write, cannot train the backbone, does
    not see all examples, or would take one step at a learning rate of zero."""
    if row.recipe not in lab.recipes:
        return
    kinds = {kind.KIND for family in row.families for kind in DESIGNS[family, row.design].kinds} | {"box"}
    try:
        check_weights(kinds, lab.recipes[row.recipe])
        recipe = read_recipe(lab.recipes[row.recipe])
        recipe.check(lab.backbones[row.backbone], lab.ranks)
        rows = row.n * len(row.families)
        if recipe.updates and recipe.method != "grpo" and not row.source and rows > recipe.updates * recipe.batch:
            seen = f"{recipe.updates} updates of {recipe.batch} see {recipe.updates * recipe.batch} examples"
            raise LabError(f"{seen}, not {rows}; more updates, or a smaller n", field="updates")
        known = not (row.source or recipe.drills or recipe.updates)
        if recipe.warmup and known and n_steps(rows, recipe.batch, recipe.epochs) == 1:
            message = f"{rows} rows in batches of {recipe.batch}: the only step is the warm-up's first, at a rate of 0"
            raise LabError(message, field="warmup")
    except LabError as error:
        message = f"arm {name} of recipe {row.recipe}: {error.message}"
        raise LabError(message, file=file_of(lab.config, "recipes", lab.here), field=error.field) from None


def has_limit(row: pd.Series) -> bool:
    """Whether the setting `thought` limits the length of an arm's thoughts."""
    return any(FAMILIES[family].has_key and DESIGNS[family, row.design].kinds for family in row.families)
