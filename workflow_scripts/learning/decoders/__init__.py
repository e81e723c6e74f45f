"""Decoders: how the choices of an engine become the completions of a row. One file each, found by its place.

The file's name is the decoder's kind; its class `Decoder` declares the settings and does the work. An entry of
config/decoders.yaml gives a kind a name and its settings. No file here needs torch.
"""

import importlib
import json
import pkgutil
import re
from collections.abc import Mapping

from common import typed
from common.errors import LabError
from common.typed import suggestion
from learning.decoders.base import Decoding, Selection
from learning.engines import ABILITIES

KINDS: dict[str, type[Decoding | Selection]] = {
    info.name: importlib.import_module(f"{__name__}.{info.name}").Decoder
    for info in pkgutil.iter_modules(__path__)
    if info.name != "base"
}


def read_decoder(entry: Mapping, place: str = "") -> Decoding | Selection:
    """One entry: its kind and the settings of that kind. Raises LabError naming the field."""
    if not isinstance(entry, Mapping):
        raise LabError(f"{entry!r} is no mapping of settings", field=place.rstrip(".") or None)
    kind = entry.get("kind")
    if kind not in KINDS:
        raise LabError(f"unknown kind {kind!r}{suggestion(str(kind), KINDS)}", field=f"{place}kind")
    return typed.read(KINDS[kind], {k: v for k, v in entry.items() if k != "kind"}, place)


def parse_decoder(text: str) -> Decoding | Selection:
    """The same from JSON, as a script gets it."""
    try:
        return read_decoder(json.loads(text))
    except json.JSONDecodeError as error:
        raise LabError(f"not JSON ({error})", field="--decoder") from error


def changed(entries: Mapping[str, Mapping], own: Mapping[str, Mapping]) -> dict[str, Mapping]:
    """The entries with a run's own settings in place of theirs, and with its own entries."""
    both = {name: {**entries.get(name, {}), **entry} for name, entry in own.items() if isinstance(entry, Mapping)}
    return {**entries, **own, **both}


def resolve(entries: Mapping[str, Mapping], usual: Mapping[str, int], file: object = None) -> dict[str, dict]:
    """Every entry with all its settings. usual: max_tokens and batch of those over an engine that do not say theirs.

    Raises LabError naming the file and the field, also for a selection of what is no table of samples.
    """
    found: dict[str, dict] = {}
    try:
        for name, entry in entries.items():
            if not re.fullmatch("[a-z0-9-]+", str(name)):
                raise LabError(f"{name!r} is not made of a-z, 0-9 and '-'", field=str(name))
            over_engine = isinstance(entry, Mapping) and issubclass(KINDS.get(entry.get("kind"), Decoding), Decoding)
            found[name] = {**usual, **entry} if over_engine and isinstance(entry, Mapping) else entry
            read_decoder(found[name], f"{name}.")
        for name, entry in found.items():
            if "of" in entry:
                check_source(name, found)
    except LabError as error:
        raise LabError(error.message, file=file, field=error.field) from None
    return found


def check_source(name: str, found: Mapping[str, Mapping]) -> None:
    """Raise LabError unless a selection can choose from the samples of the decoder that it names."""
    selection, of = read_decoder(found[name]), found[name]["of"]
    if of not in found or "of" in found[of]:
        raise LabError(f"{of!r} is no decoder over an engine{suggestion(of, found)}", field=f"{name}.of")
    if (n := read_decoder(found[of]).samples) < 2:
        raise LabError(f"{of} makes {n} completion a row, nothing to choose from", field=f"{name}.of")
    try:
        selection.check(n)
    except LabError as error:
        raise LabError(error.message, field=f"{name}.{error.field}") from None


def unserved(decoder: Decoding | Selection, engine: str) -> list[str]:
    """What the decoder needs and the engine cannot do."""
    return sorted(decoder.NEEDS - ABILITIES[engine])


def lacking(name: str, entries: Mapping[str, Mapping], engine: str) -> list[str]:
    """What an entry needs, or the one that it chooses from, and the engine cannot do."""
    names = [name, *([entries[name]["of"]] if "of" in entries[name] else [])]
    return sorted({each for n in names for each in unserved(read_decoder(entries[n]), engine)})
