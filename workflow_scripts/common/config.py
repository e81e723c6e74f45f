"""The configuration and the table of arms, checked before anything is planned."""

import json
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import pandas as pd
import yaml

from common import typed
from common.artifacts import whole
from common.configuration import Config
from common.errors import LabError
from common.typed import suggestion

MISSING = object()
COMMAND_LINE = "--config"
TAKEN_AS_TEXT = "; inside braces --config takes every value as text: put it into a file for --configfile"
FILES = ("arms", "backbones", "recipes", "decoders")
"""The keys of the configuration that name files of their own."""


def read_text(path: str | Path) -> str:
    """A text file in UTF-8, with or without a byte order mark; raises LabError naming the file when it is neither."""
    path = Path(path)
    if not path.is_file():
        raise LabError("no such file", file=path)
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise LabError(f"not UTF-8 text ({error.reason}); save it as UTF-8", file=path) from None


def read_yaml(path: str | Path) -> dict:
    """A YAML mapping; raises LabError naming the file when it is missing, not YAML or not a mapping."""
    try:
        value = yaml.safe_load(read_text(path))
    except yaml.YAMLError as error:
        raise LabError(f"not YAML ({' '.join(str(error).split())})", file=path) from error
    if not isinstance(value, dict):
        raise LabError("expected a mapping of keys to values", file=path)
    return value


def check(value: Mapping, families: Iterable[str], files: Iterable[str | Path]) -> None:
    """Check a configuration; raises LabError naming the file, the key and what was expected.

    families: every puzzle family there is. files: those that the mapping was merged from; the error names the last one
    that holds the faulty value, else --config.
    """
    try:
        typed.read(Config, value).check_families(families)
    except LabError as error:
        path, message = error.field.split("."), error.message
        file = holder(value, path, files)
        if file == COMMAND_LINE and message.endswith(typed.WRITTEN_AS_TEXT):
            message = message.removesuffix(typed.WRITTEN_AS_TEXT) + TAKEN_AS_TEXT
        raise LabError(message, file=file, field=error.field) from None


def keep_config(config: Mapping, folder: str | Path) -> None:
    """Write the configuration, as merged from all files and --config, and copies of the files that it names.

    The folder of an earlier run is replaced.
    """
    with whole(folder) as partial:
        partial.mkdir()
        text = yaml.safe_dump(json.loads(json.dumps(config)), sort_keys=False, allow_unicode=True)
        (partial / "config.yaml").write_text(text, encoding="utf-8")
        for key in FILES:
            if isinstance(config[key], str):
                shutil.copyfile(config[key], partial / Path(config[key]).name)


def require_file(value: Mapping, files: Iterable[str | Path], *path: str) -> None:
    """Raise LabError where the setting `key` names a missing file; an empty text or a mapping names none."""
    named = _at(value, path)
    if named and isinstance(named, str) and not Path(named).is_file():
        raise LabError(f"no such file: {named}", file=holder(value, path, files), field=".".join(path))


def holder(value: Mapping, path: Sequence, files: Iterable[str | Path]) -> str | Path:
    """Where the setting under `path` comes from: the last of the merged files that has this value, else --config."""
    wanted = _at(value, path)
    found = [file for file in files if _same(_at(read_yaml(file), path), wanted)]
    return found[-1] if found else COMMAND_LINE


def _same(one: object, other: object) -> bool:
    """Whether two settings are the same; 1 is not true."""
    return one == other != MISSING and type(one) is type(other)


def _at(value: object, path: Sequence) -> object:
    """What stands under a path of keys and indices, MISSING when nothing does."""
    for key in path:
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            return MISSING
    return value


IN_CONTEXT = "in-context"
"""The recipe of an arm that is not trained: its n examples per family stand in the prompt, other ones for each seed."""
ARM_COLUMNS = ("arm", "families", "design", "reveal", "corruption", "selection", "n", "backbone", "recipe", "seeds")
OPTIONAL_COLUMNS = ("source", "start", "decoders")
"""The arm whose verified completions are the examples, the arm whose adapter the training starts from, and the decoders
that the arm is evaluated with. A row may leave them empty or end before them."""
USUAL_DECODER = "greedy"


class Backbone(Protocol):
    """What is used of a backbone's settings here: whether it is a folder, and its `Make` where it is made here."""

    here: bool
    make: Any


def read_arms(
    path: str | Path,
    *,
    designs: Mapping[tuple[str, str], Callable[[str], object]],
    backbones: Mapping[str, Backbone],
    recipes: Mapping[str, Mapping],
    corruptions: Iterable[str],
    selections: Callable[[str, str, str], None],
    decoders: Mapping[str, Callable[[Backbone], Iterable[str]]],
    harvest: str,
) -> pd.DataFrame:
    """The table of arms, indexed by arm; `families` and `decoders` are tuples, n and seeds are int.

    designs: (family, design) to a function that reads a reveal and raises LabError when the design cannot show it.
    selections: raises LabError for a selection that a family's design cannot be asked for (selection, family, design).
    decoders: name to a function that lists what a backbone lacks for that decoder. harvest: the decoder whose
    completions an arm with a source learns from. An arm names only arms above it, so that no two wait for each other.
    Raises LabError naming file, row (the line of the file), field and what was expected.
    """
    path = Path(path)
    lines = [(i, line) for i, line in enumerate(read_text(path).split("\n"), 1)]
    lines = [(i, line) for i, line in lines if line.strip() and not line.startswith("#")]
    columns = tuple(lines[0][1].split("\t")) if lines else ()
    more = columns[len(ARM_COLUMNS) :]
    if columns[: len(ARM_COLUMNS)] != ARM_COLUMNS or sorted(more) != sorted(set(more) & set(OPTIONAL_COLUMNS)):
        expected = f"{', '.join(ARM_COLUMNS)}, then any of {', '.join(OPTIONAL_COLUMNS)}"
        raise LabError(f"expected the columns {expected}, separated by tabs", file=path, row=1)
    arms, known_families = {}, sorted({family for family, _ in designs})
    for number, line in lines[1:]:
        cells = line.split("\t")
        if not len(ARM_COLUMNS) <= len(cells) <= len(columns):
            most = f" to {len(columns)}" if more else ""
            raise LabError(f"{len(cells)} cells, expected {len(ARM_COLUMNS)}{most}", file=path, row=number)
        row = {name: "" for name in OPTIONAL_COLUMNS}
        row |= dict(zip(columns, (cell.strip() for cell in cells), strict=False))

        def fail(field: str, message: str, number: int = number) -> LabError:
            return LabError(message, file=path, row=number, field=field)

        def pick(field: str, known: Iterable[str], row: dict = row, fail=fail) -> None:
            if row[field] not in set(known):
                raise fail(field, f"unknown {field} {row[field]!r}{suggestion(row[field], known)}")

        def whole_number(field: str, low: int, high: int, row: dict = row, fail=fail) -> int:
            if not row[field].isdigit() or not low <= int(row[field]) <= high:
                raise fail(field, f"{row[field]!r} is not a whole number from {low} to {high}")
            return int(row[field])

        if not row["arm"] or not all(c in "abcdefghijklmnopqrstuvwxyz0123456789-" for c in row["arm"]):
            raise fail("arm", f"{row['arm']!r} is not made of a-z, 0-9 and '-'")
        if row["arm"] in arms:
            raise fail("arm", f"duplicate arm {row['arm']!r}, already on row {arms[row['arm']]['row']}")
        families = tuple(row["families"].split(","))
        for family in families:
            if family not in known_families:
                raise fail("families", f"unknown family {family!r}{suggestion(family, known_families)}")
            own = sorted(design for f, design in designs if f == family)
            if row["design"] not in own:
                raise fail("design", f"unknown design {row['design']!r} for {family}{suggestion(row['design'], own)}")
        if len(set(families)) < len(families):
            raise fail("families", f"a family is named twice in {row['families']!r}")
        for family in families:
            try:
                designs[family, row["design"]](row["reveal"])
            except LabError as error:
                raise fail("reveal", str(error)) from None
            try:
                selections(row["selection"], family, row["design"])
            except LabError as error:
                raise fail("selection", str(error)) from None
        for field, known in (("corruption", corruptions), ("backbone", backbones), ("recipe", [*recipes, IN_CONTEXT])):
            pick(field, known)
        trained = row["recipe"] != IN_CONTEXT
        if trained and not backbones[row["backbone"]].here:
            message = f"recipe {row['recipe']} trains, backbone {row['backbone']} cannot be; expected {IN_CONTEXT}"
            raise fail("recipe", message)
        named = tuple(name.strip() for name in (row["decoders"] or USUAL_DECODER).split(","))
        for name in named:
            if name not in decoders:
                raise fail("decoders", f"unknown decoder {name!r}{suggestion(name, decoders)}")
        for field, name in [("decoders", name) for name in named] + [("source", harvest)] * bool(row["source"]):
            if lacking := list(decoders[name](backbones[row["backbone"]])):
                message = f"decoder {name} needs what backbone {row['backbone']} cannot serve: an engine that "
                raise fail(field, message + "; ".join(lacking))
        if len(set(named)) < len(named):
            raise fail("decoders", f"a decoder is named twice in {row['decoders']!r}")
        read = {
            **row,
            "row": number,
            "families": families,
            "n": whole_number("n", 1 if trained else 0, 10**7),
            "seeds": whole_number("seeds", 1, 100),
            "decoders": named,
        }
        for field in ("source", "start"):
            if row[field]:
                if fault := unfit(field, read, arms, recipes):
                    raise fail(field, fault)
        arms[row["arm"]] = read
    if not arms:
        raise LabError("no arms, expected at least one row", file=path)
    return pd.DataFrame.from_records(list(arms.values())).set_index("arm", drop=False)


def unfit(field: str, row: Mapping, above: Mapping[str, Mapping], recipes: Mapping[str, Mapping]) -> str:
    """Why the arm that `row` names as its source or start cannot be one; "" where it can."""
    name = row[field]
    if name not in above:
        return f"{name!r} is no arm above this row{suggestion(name, above) if above else ''}"
    other = above[name]
    if row["recipe"] == IN_CONTEXT:
        return f"recipe {IN_CONTEXT} does not train, so the arm has no {field}"
    same = ["backbone"] if field == "start" else ["backbone", "design", "reveal"]
    for column in same:
        if row[column] != other[column]:
            return f"arm {name} has {column} {other[column]}, this one {row[column]}; expected the same"
    if lacking := [family for family in row["families"] if family not in other["families"]]:
        return f"arm {name} knows {', '.join(other['families'])}, not {', '.join(lacking)}"
    if row["seeds"] > other["seeds"]:
        return f"arm {name} has {other['seeds']} seed(s), this one {row['seeds']}; each seed needs its own"
    if field == "source":
        if row["corruption"] != "none":
            return f"corruption {row['corruption']} is for rendered texts, not for the completions of arm {name}"
        return ""
    if other["recipe"] == IN_CONTEXT:
        return f"arm {name} is not trained, it has no adapter"
    for key in ("rank", "alpha"):  # a method that trains every parameter has neither
        if recipes[row["recipe"]].get(key) != recipes[other["recipe"]].get(key):
            its, own = (recipes[arm["recipe"]].get(key, "of nothing") for arm in (other, row))
            return f"the recipe of arm {name} has {key} {its}, this one {own}; expected the same"
    return ""


FRAME = 30  # tokens of a completion around its thought: the marks, the box, an answer, the end of the turn


def check_budgets(
    arms: pd.DataFrame,
    told: Iterable[str],
    contexts: Mapping[str, int | None],
    decoders: Mapping[str, Mapping],
    thought: int,
) -> None:
    """Raise LabError where a decoder may stop before a thought of the allowed length ends.

    told: the arms whose thoughts may have `thought` characters, as far as the context holds them. contexts: of each
    backbone that is sure to write one character per token; None for the others. Whether the texts that an arm really
    has fit its context and its decoder, training and sampling know before they load a model.
    """
    for name in told:
        context = contexts[arms.at[name, "backbone"]]
        for decoder in arms.at[name, "decoders"] if context else ():
            most = decoders[decoders[decoder].get("of", decoder)]["max_tokens"]
            if most < min(thought + FRAME, context):
                message = f"decoder {decoder} of arm {name} writes at most {most} tokens, here characters;"
                message += f" a thought may have {thought}, with its frame {thought + FRAME}"
                raise LabError(message, field="decoding.max_tokens")
