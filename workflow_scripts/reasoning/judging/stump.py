"""The depth-one stump: the verdict said from one feature of a line, without any comparison; and the depth-two tree.

A baseline for verdict fidelity, fitted on the lines of the training texts. Its features are what a model could go by
without looking at the evidence: how many lines of the kind came before in the trace and what the latest of them said,
and, of every field, its value, its length, and its number where it is one. One question splits the lines in two; each
part says its most frequent outcome. Source: R. C. Holte, Very simple classification rules, Machine Learning 11 (1993).
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

from reasoning.grammar.lines import Line

MOST_LINES, MOST_VALUES, MOST_CUTS = 4000, 24, 32
FIRSTS = 6
_NUMBER = re.compile(r"-?[0-9]{1,15}")

Features = Mapping[str, str | float]


@dataclass(frozen=True)
class Stump:
    """`feature` at most `cut` (a number), or equal to it (a text): say `yes`, else `no`. No feature: always `yes`."""

    feature: str
    cut: str | float
    yes: str
    no: str

    def says(self, features: Features) -> str:
        return self.yes if self.holds(features) else self.no

    def holds(self, features: Features) -> bool:
        """Is its question answered with yes?"""
        return not self.feature or _holds(features.get(self.feature), self.cut)

    def __str__(self) -> str:
        if not self.feature:
            return self.yes
        sign = "=" if isinstance(self.cut, str) else "<="
        return f"{self.feature} {sign} {self.cut}: {self.yes} else {self.no}"


def _holds(value: str | float | None, cut: str | float) -> bool:
    if isinstance(cut, str) or not isinstance(value, int | float):
        return value == cut
    return value <= cut


def features_of(each: Line, nth: int, before: str) -> dict[str, str | float]:
    """The features of a line. nth: lines of its kind before it in the trace; before: the latest one's outcome."""
    found: dict[str, str | float] = {"nth": nth, "before": before}
    for part in fields(each):
        value = getattr(each, part.name)
        if part.name == "verdict":
            continue
        found[f"{part.name} length"] = len(value) if isinstance(value, tuple) else len(str(value))
        if isinstance(value, tuple):
            continue
        found[part.name] = str(value)
        if _NUMBER.fullmatch(str(value)):
            found[f"{part.name} number"] = int(value)
    return found


def fit(samples: Sequence[tuple[Features, str]]) -> Stump:
    """The stump that says most of these outcomes right; the simplest where several do. Raises ValueError for none."""
    if not samples:
        raise ValueError("no lines to fit a stump on")
    samples = samples[:MOST_LINES]
    every = Counter(outcome for _, outcome in samples)
    top, most = every.most_common(1)[0]
    best = Stump("", "", top, top)
    if len(every) == 1:
        return best
    for name in dict.fromkeys(name for features, _ in samples for name in features):
        values = [features.get(name) for features, _ in samples]
        for cut in _cuts(values):
            inside = Counter(o for value, (_, o) in zip(values, samples, strict=True) if _holds(value, cut))
            yes, n_yes = (inside or every).most_common(1)[0]
            no, n_no = ((every - inside) or every).most_common(1)[0]
            right = (n_yes if inside else 0) + (n_no if every - inside else 0)
            if right > most:
                best, most = Stump(name, cut, yes, no), right
    return best


@dataclass(frozen=True)
class Tree:
    """Two questions: `first`, then that of the stump which its answer leads to."""

    first: Stump
    yes: Stump
    no: Stump

    def says(self, features: Features) -> str:
        return (self.yes if self.first.holds(features) else self.no).says(features)

    def __str__(self) -> str:
        sign = "=" if isinstance(self.first.cut, str) else "<="
        return f"{self.first.feature} {sign} {self.first.cut}: ({self.yes}) else ({self.no})"


def fit_tree(samples: Sequence[tuple[Features, str]]) -> Tree:
    """The tree that says most of these outcomes right, of those that begin with one of the FIRSTS purest divisions (by
    Gini's index: a first question may gain nothing alone). Raises ValueError for no samples."""
    whole = fit(samples)
    samples = samples[:MOST_LINES]
    best, most = Tree(Stump("", "", "", ""), whole, whole), _right(whole, samples)
    names = dict.fromkeys(name for features, _ in samples for name in features)
    firsts = sorted(filter(None, (_purest(name, samples) for name in names)), key=lambda found: found[0])
    for _, first in firsts[:FIRSTS]:
        parts = [[each for each in samples if first.holds(each[0]) == answer] for answer in (True, False)]
        tree = Tree(first, *map(fit, parts))
        if (right := _right(tree, samples)) > most:
            best, most = tree, right
    return best


def _purest(name: str, samples: Sequence[tuple[Features, str]]) -> tuple[float, Stump] | None:
    """(impurity, question) of the best division by one feature; None where it divides nothing."""
    every = Counter(outcome for _, outcome in samples)
    values, found = [features.get(name) for features, _ in samples], []
    for cut in _cuts(values):
        inside = Counter(o for value, (_, o) in zip(values, samples, strict=True) if _holds(value, cut))
        if 0 < inside.total() < len(samples):
            found.append((sum(_impurity(part) for part in (inside, every - inside)), Stump(name, cut, "", "")))
    return min(found, key=lambda each: each[0], default=None)


def _impurity(counts: Counter) -> float:
    return counts.total() - sum(n * n for n in counts.values()) / counts.total()


def _right(said: "Stump | Tree", samples: Sequence[tuple[Features, str]]) -> int:
    return sum(said.says(features) == outcome for features, outcome in samples)


def _cuts(values: Sequence[str | float | None]) -> list[str | float]:
    """Where a feature may be cut: at its most frequent texts, or at quantiles of its numbers."""
    texts = Counter(value for value in values if isinstance(value, str))
    numbers = sorted({value for value in values if isinstance(value, int | float)})
    step = max(1, len(numbers) // MOST_CUTS)
    return [*(text for text, _ in texts.most_common(MOST_VALUES)), *numbers[:-1:step]]
