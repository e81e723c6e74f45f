"""A backbone that comes as a folder: are its files the ones that were made, and do the families' phrases fit in?

Read without torch, so that a plan can be refused before anything runs.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from common.artifacts import file_hash
from common.errors import LabError
from learning.phrases import MIN_PHRASE, is_spare
from learning.settings import BackboneOptions


def shipped_files(folder: str | Path) -> list[Path]:
    """The files of a backbone folder; those that its provenance names must be there, with the hashes given there.

    Raises LabError naming the file that is missing or changed.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise LabError("no such backbone folder", file=folder)
    note = folder / "provenance.json"
    if not note.is_file():
        return sorted(path for path in folder.iterdir() if path.is_file())
    named = {folder / name: made for name, made in json.loads(note.read_text()).get("files", {}).items()}
    for path, made in named.items():
        if not path.is_file():
            raise LabError("a file of this backbone is missing; take it from the repository again", file=path)
        if (found := file_hash(path)) != made:
            raise LabError(f"changed since it was made (hash {found}, not {made})", file=path)
    return [note, *sorted(named)]


def context_of_folder(folder: str | Path) -> int | None:
    """How many tokens the backbone can see; None where its configuration does not say."""
    return json.loads(Path(folder, "config.json").read_text()).get("max_position_embeddings")


def character_context(options: BackboneOptions) -> int | None:
    """The context of a backbone, made here or in a folder, that writes one character per token; None for others."""
    if options.make:
        return options.make.context
    file = Path(options.path or "", "tokenizer.json")
    if not options.path or not file.is_file():
        return None
    is_words = json.loads(file.read_text(encoding="utf-8"))["model"]["type"] == "WordLevel"
    return context_of_folder(options.path) if is_words else None


def check_context(arm: str, recipe: Mapping, options: BackboneOptions) -> None:
    """Raise LabError when an arm's recipe allows rows that its backbone, in a folder or made here, cannot hold."""
    made = options.make.context if options.make else None
    context = context_of_folder(options.path) if options.path else made
    if context and recipe.get("max_length", 0) > context:
        raise LabError(
            f"arm {arm}: rows of up to {recipe['max_length']} tokens, but its backbone sees {context}",
            field="max_length",
        )


def with_phrases(tokenizer: dict, phrases: Iterable[str], file: object = None) -> dict:
    """A tokenizer.json whose spare tokens have become the phrases that it lacks, in alphabetical order.

    One that never had spare tokens is left as it is: it spells phrases its own way. Raises LabError when there are more
    phrases than spare tokens.
    """
    added = tokenizer.get("added_tokens", [])
    spares = [token for token in added if is_spare(token["content"])]
    if not spares:
        return tokenizer
    known = {token["content"] for token in added}
    lacking = sorted({p for p in phrases if len(p) >= MIN_PHRASE} - known)
    if len(lacking) > len(spares):
        raise LabError(
            f"{len(lacking)} phrases of the families' prompts are no tokens here and only {len(spares)} are spare;"
            f" make the backbone anew (the first is {lacking[0]!r})",
            file=file,
        )
    new = {id(token): phrase for token, phrase in zip(spares, lacking, strict=False)}
    return tokenizer | {"added_tokens": [t | {"content": new[id(t)]} if id(t) in new else t for t in added]}


def check_shipped(folder: str | Path, phrases: Iterable[str]) -> list[Path]:
    """`shipped_files`, and an error when the phrases do not fit in."""
    files = shipped_files(folder)
    tokenizer = Path(folder, "tokenizer.json")
    if tokenizer.is_file():
        with_phrases(json.loads(tokenizer.read_text()), phrases, file=tokenizer)
    return files
