"""Task hints (arXiv:2310.00726): an auxiliary task on the same inputs, simpler than the row's own.

successor   given the lines so far of the thought's most frequent kind, write the next one
verdict     given the thought up to a verdict, write the verdict
applymap    given the hidden rule and key, write the answer
recall      given the signature of an equation, write how many catalog rows it has and the first of them (cryptarithms)
line        a drill: given a line up to what it computes or concludes, and the earlier lines that it needs, and only
            those, write the rest; every kind of line of the thought is drawn equally often
copy        the control: write the problem again

The first line of a hint's prompt carries a tag, which tells it from the task.
"""

import json
import random
from collections import Counter
from collections.abc import Mapping, Sequence

from puzzles.cryptarithm.signatures import rows_of, signature_of
from puzzles.registry import FAMILIES
from reasoning.grammar.lines import Line
from reasoning.grammar.page import Page
from reasoning.grammar.trace import Box, Malformed, parse_completion
from reasoning.registry import design_of

HINTS = ("none", "successor", "verdict", "applymap", "recall", "line", "copy")
SHOWN = 3  # catalog rows of an entry


def hint(kind: str, text: Mapping, puzzle: Mapping, rng: random.Random) -> tuple[str, str] | None:
    """(prompt, completion) made of one row of the texts and of the puzzles; None where the row has no such hint."""
    found = MADE[kind](text, puzzle, rng)
    return found and (f"Hint: {kind}\n{found[0]}", found[1])


def successor(text: Mapping, puzzle: Mapping, rng: random.Random) -> tuple[str, str] | None:
    """The first lines of the thought's most frequent kind (what it goes through one by one), and the next."""
    kinds = Counter(line["kind"] for line in text["lines"])
    lines = [line["text"] for line in text["lines"] if line["kind"] == max(kinds, key=kinds.get)]
    if len(lines) < 2:
        return None
    place = rng.randrange(1, len(lines))
    return "\n".join([text["prompt"], "Tried:", *lines[:place]]), lines[place]


def verdict(text: Mapping, puzzle: Mapping, rng: random.Random) -> tuple[str, str] | None:
    """The thought up to a verdict, and the verdict; every outcome of the row is drawn equally often."""
    outcomes = sorted({line["verdict"] for line in text["lines"] if line["verdict"]})
    if not outcomes:
        return None
    outcome = rng.choice(outcomes)
    place = rng.choice([i for i, line in enumerate(text["lines"]) if line["verdict"] == outcome])
    before = [line["text"] for line in text["lines"][:place]]
    evidence = text["lines"][place]["text"].rpartition(f" {outcome}")[0]
    return "\n".join([text["prompt"], "Thought:", *before, evidence]), outcome


def applymap(text: Mapping, puzzle: Mapping, rng: random.Random) -> tuple[str, str]:
    """The problem with its hidden rule and key, and its answer."""
    rule = {name: value for name, value in json.loads(puzzle["rule"]).items() if name != "alphabet"}
    given = [f"Rule: {json.dumps(rule, separators=(',', ':'))}"]
    if key := json.loads(puzzle["key"]):
        given.append("Key: " + " ".join(f"{glyph}={digit}" for glyph, digit in key.items()))
    return "\n".join([puzzle["prompt"], *given]), puzzle["answer"]


def recall(text: Mapping, puzzle: Mapping, rng: random.Random) -> tuple[str, str] | None:
    """The signature of one of the row's examples, and the head of its catalog entry."""
    if not FAMILIES[puzzle["family"]].has_key:
        return None
    example = rng.choice(FAMILIES[puzzle["family"]].parse(puzzle["prompt"]).examples)
    signature = signature_of(example)
    rows = rows_of(signature)
    entry = [f"{rule.name} {digits}" for rule, digits in rows[:SHOWN]]
    return f"Signature: {signature}", ", ".join([f"rows {len(rows)}", *entry])


def line(text: Mapping, puzzle: Mapping, rng: random.Random) -> tuple[str, str] | None:
    """The problem, the lines that a line needs, and its beginning; and the rest of it."""
    lines = parse_completion(text["completion"], design_of(text["family"], text["design"]))
    if any(isinstance(each, Malformed) for each in lines):  # a broken text
        return None
    places: dict[str, list[int]] = {}
    for i, each in enumerate(lines):
        if not isinstance(each, Box) and each.split():
            places.setdefault(each.KIND, []).append(i)
    if not places:
        return None
    place = rng.choice(places[rng.choice(sorted(places))])
    page = Page.of(text["family"], "\n".join(filter(None, (text["prompt"], text["hidden"]))))
    page.thinks = True
    before, rest = lines[place].split()
    shown = [each.text() for each in needed(lines[:place], lines[place], page)]
    return "\n".join([text["prompt"], "Thought:", *shown, before]), rest


def needed(lines: Sequence[Line], target: Line, page: Page) -> list[Line]:
    """The lines that a line rests on: without any of them, what it says of the page is judged otherwise.

    page: an empty one. Larger pieces are tried before single lines.
    """

    def marks(kept: Sequence[Line]) -> tuple[bool | None, ...]:
        own = page.copy()
        for each in kept:
            each.establish(own)
            own.lines_read += 1
        return target.transcription(own), target.arithmetic(own), target.verdict_follows(own)

    kept, wanted, size = list(lines), marks(lines), len(lines)
    while size:
        before = len(kept)
        for start in range(len(kept) - size, -1, -size):
            fewer = kept[:start] + kept[start + size :]
            if marks(fewer) == wanted:
                kept = fewer
        if size > 1 or len(kept) == before:  # single lines until none can go
            size //= 2
    return kept


def copy(text: Mapping, puzzle: Mapping, rng: random.Random) -> tuple[str, str]:
    """The problem, and the problem."""
    return text["prompt"], text["prompt"]


MADE = {
    "successor": successor, "verdict": verdict, "applymap": applymap, "recall": recall, "line": line, "copy": copy,
}  # fmt: skip
