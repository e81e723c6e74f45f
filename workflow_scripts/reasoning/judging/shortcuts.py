"""Shortcuts: what of a row can be said from the looks of it, without doing what its design is about.

A depth-two tree (judging/stump.py) is fitted on every other row and asked on the rest. Of a puzzle it sees the looks of
the prompt: how many examples, the lengths of their sides, the first and last signs, the signs of the query at each
place. It is asked for each part of the hidden rule that takes few values, the stratum, the answer, its length and its
first sign. Of a line it sees what a stump sees (features of the line and its place), and is asked for the verdict.

It should be right no more often than always saying the most frequent value. Where it is, p is the chance of so many
more rows in its favour (sign test of the rows, one-sided): a model can be right as often without the procedure. Some
shortcuts are part of a puzzle: an operator that is a plus sign adds, in rows with literal signs; `by` says what the
tree goes by.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from scipy.stats import binomtest

from reasoning.grammar.texts import RENDERED
from reasoning.grammar.trace import Design, Malformed, parse_completion
from reasoning.judging.stump import Features, features_of, fit_tree

MOST_ROWS, LEAST, MOST_VALUES, MOST_TEXT = 400, 20, 30, 24
"""Rows that are looked at, and asked at least; values that a part of a rule may take, and their characters."""
LEVEL = 0.01
"""Of p, divided by the number of questions of a table: below it a shortcut is flagged."""
Sample = tuple[int, Features, str]
"""Number of the row, what the tree sees, what it is asked for."""
_SIDES = re.compile(" = | -> | becomes ")


@dataclass(frozen=True)
class Shortcut:
    """target: what is asked for; n: rows, or lines on rows, that the tree is asked about; majority, tree: shares right
    of always saying the most frequent value, and of the tree; by: its two questions."""

    target: str
    n: int
    rows: int
    majority: float
    tree: float
    p: float
    by: str
    flag: bool = False


def looks(prompt: str) -> dict[str, str | float]:
    """The surface of a prompt."""
    *examples, last = prompt.split("\n")[1:] or [prompt]
    query = last.rpartition(": ")[2]
    found: dict[str, str | float] = {
        "examples": len(examples),
        "prompt length": len(prompt),
        "query length": len(query),
    }
    found["signs in query"] = len(set(query))
    found |= {f"query sign {i}": sign for i, sign in enumerate(query[:8])}
    for i, line in enumerate(examples[:3]):
        sides = _SIDES.split(line, maxsplit=1)
        found |= {f"example {i} left length": len(sides[0]), f"example {i} right length": len(sides[-1])}
        found |= {f"example {i} right first": sides[-1][:1], f"example {i} right last": sides[-1][-1:]}
    return found


def asked_of(puzzle: Mapping) -> dict[str, str]:
    """What the tree is asked of a puzzle: target -> value."""
    rule = json.loads(puzzle["rule"]) if isinstance(puzzle["rule"], str) else puzzle["rule"]
    found = {
        f"rule {name}": value for name, value in rule.items() if isinstance(value, str) and len(value) <= MOST_TEXT
    }
    answer = puzzle["answer"]
    found |= {"stratum": puzzle["stratum"], "answer": answer, "answer length": str(len(answer))}
    return found | {"answer's first sign": answer[:1]}


def of_puzzles(puzzles: Sequence[Mapping]) -> list[Shortcut]:
    """puzzles: rows of one family, with prompt, answer, stratum and rule."""
    samples: dict[str, list[Sample]] = defaultdict(list)
    for number, puzzle in enumerate(puzzles[:MOST_ROWS]):
        seen = looks(puzzle["prompt"])
        for target, value in asked_of(puzzle).items():
            samples[target].append((number, seen, value))
    for target in [t for t in samples if t.startswith("rule ")]:
        if len({value for *_, value in samples[target]}) > MOST_VALUES:
            del samples[target]
    return flagged(samples)


def of_lines(texts: Sequence[Mapping], design: Design) -> list[Shortcut]:
    """texts: rendered rows of the design; one question per kind of line with several outcomes."""
    samples: dict[str, list[Sample]] = defaultdict(list)
    rendered = [row for row in texts if row["status"] == RENDERED][:MOST_ROWS]
    for number, row in enumerate(rendered):
        seen: dict[str, list[str]] = defaultdict(list)
        for each in parse_completion(row["completion"], design):
            if not isinstance(each, Malformed) and each.OUTCOMES:
                earlier = seen[each.KIND]
                features = features_of(each, len(earlier), earlier[-1] if earlier else "")
                samples[f"verdict of {each.KIND}"].append((number, features, each.verdict))
                earlier.append(each.verdict)
    return flagged(samples)


def flagged(samples: Mapping[str, Sequence[Sample]]) -> list[Shortcut]:
    """The answers to all questions that vary and are asked often enough."""
    told = [found for target, each in samples.items() if (found := ask(target, each))]
    return [Shortcut(**{**vars(each), "flag": each.p * len(told) < LEVEL}) for each in told]


def ask(target: str, samples: Sequence[Sample]) -> Shortcut | None:
    """Fit on the even rows, ask on the odd ones; None where that is too little or nothing varies."""
    train, test = ([each for each in samples if each[0] % 2 == odd] for odd in (0, 1))
    rows = {number for number, *_ in test}
    if len(rows) < LEAST or len({value for *_, value in train}) < 2:
        return None
    tree = fit_tree([(features, value) for _, features, value in train])
    top = Counter(value for *_, value in train).most_common(1)[0][0]
    by_tree, by_top = ([said == value for said, (*_, value) in zip(says, test, strict=True)]
                       for says in ([tree.says(features) for _, features, _ in test], [top] * len(test)))  # fmt: skip
    gains: Counter[int] = Counter()
    for (number, *_), a, b in zip(test, by_tree, by_top, strict=True):
        gains[number] += a - b
    better, worse = sum(each > 0 for each in gains.values()), sum(each < 0 for each in gains.values())
    p = float(binomtest(better, better + worse, alternative="greater").pvalue) if better + worse else 1.0
    share_top, share_tree = sum(by_top) / len(test), sum(by_tree) / len(test)
    return Shortcut(target, len(test), len(rows), share_top, share_tree, p, str(tree))


def table(found: Iterable[Shortcut], who: Mapping[str, str]) -> list[dict]:
    return [{**who, **vars(each)} for each in found]
