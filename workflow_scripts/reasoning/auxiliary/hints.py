"""Task hints (arXiv:2310.00726): an auxiliary task on the same inputs, simpler than the row's own.

successor   given the lines so far of the thought's most frequent kind, write the next one
verdict     given the thought up to a verdict, write the verdict
applymap    given the hidden rule and key, write the answer
recall      given the signature of an equation, write how many catalog rows it has and the first of them (cryptarithms)
copy        the control: write the problem again

The first line of a hint's prompt carries a tag, which tells it from the task.
"""

import json
import random
from collections import Counter
from collections.abc import Mapping

from puzzles.cryptarithm.signatures import rows_of, signature_of
from puzzles.registry import FAMILIES

HINTS = ("none", "successor", "verdict", "applymap", "recall", "copy")
SHOWN = 3  # catalog rows of an entry


def hint(kind: str, text: Mapping, puzzle: Mapping, rng: random.Random) -> tuple[str, str] | None:
    """(prompt, completion) made of one row of the texts and of the puzzles; None where the row has no such hint."""
    found = {"successor": successor, "verdict": verdict, "applymap": applymap, "recall": recall, "copy": copy}[kind](
        text, puzzle, rng
    )
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


def copy(text: Mapping, puzzle: Mapping, rng: random.Random) -> tuple[str, str]:
    """The problem, and the problem."""
    return text["prompt"], text["prompt"]
