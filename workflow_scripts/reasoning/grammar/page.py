"""The page: the problem as shown and everything that the lines read so far have established."""

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from typing import Any

from puzzles.registry import FAMILIES
from reasoning.grammar.reveal import Known, split_shown


@dataclass(frozen=True)
class Truth:
    """What a row hides: the digit of each glyph, the rule of each operator, the reading mode of the row."""

    digits: Mapping[str, int]
    rules: Mapping[str, str]
    mode: str

    @classmethod
    def of(cls, key: Mapping[str, int], rule: Mapping[str, Any]) -> "Truth | None":
        """From the key and the rule of a problem, or of a solution; None for a row that hides no digits."""
        if not key:
            return None
        return cls(rule.get("alphabet") or key, rule["operators"], rule["mode"])


class Page:
    """What a line may be compared with.

    parsed: the family's own form of the prompt; key: what is known beforehand, glyph -> digit, and the operators' rules
    where the thought need not work them out; facts: (namespace, name) -> value, filled by `Line.establish`; a later
    line overwrites an earlier one, because a trace is judged against what it says itself. answer: the answer the lines
    have arrived at, None so far. thinks: the design writes lines, so that a boxed answer must come from them. truth:
    what the row hides, None where that is not known; only what a line claims without evidence is held to it. assumed:
    is what the present attempt starts from so? in_doubt: the line that is established now fails a mark.
    """

    def __init__(self, family: str, parsed: Any, key: Mapping[str, int] | None = None, truth: Truth | None = None):
        self.family, self.parsed, self.truth = family, parsed, truth
        self.key = key if isinstance(key, Known) else Known(key or {})
        self.facts: dict[tuple[str, str], Any] = {("rule", op): rule for op, rule in self.key.rules.items()}
        self.answer: str | None = None
        self.lines_read = 0
        self.thinks = False
        self.assumed: bool | None = True
        self.in_doubt = False
        self._marks: list[tuple[dict, str | None, bool | None]] = []

    @classmethod
    def of(cls, family: str, shown: str, truth: Truth | None = None) -> "Page":
        """The empty page of a prompt as shown (with its lines of digits and rules, where there are such)."""
        prompt, key = split_shown(shown)
        return cls(family, FAMILIES[family].parse(prompt), key, truth)

    def get(self, namespace: str, name: str = "", default: Any = None) -> Any:
        return self.facts.get((namespace, name), default)

    def put(self, namespace: str, name: str, value: Any) -> None:
        self.facts[namespace, name] = value

    def names(self, namespace: str) -> dict[str, Any]:
        """Everything established in one namespace."""
        return {name: value for (space, name), value in self.facts.items() if space == namespace}

    def copy(self) -> "Page":
        """The page as it is now; what is put on either is not on the other."""
        other = copy(self)
        other.facts, other._marks = dict(self.facts), list(self._marks)
        return other

    @property
    def depth(self) -> int:
        """How many guesses have not been taken back."""
        return len(self._marks)

    @property
    def guess_holds(self) -> bool | None:
        """Is the latest guess true? None where that is not known."""
        return self._marks[-1][2]

    @property
    def judges(self) -> bool:
        """May a bare claim be held to the truth? Not below an assumption that is false or unknown."""
        return self.judges_before and all(mark[2] is True for mark in self._marks[-1:])

    @property
    def judges_before(self) -> bool:
        """The same, the latest guess left aside: for a line that gives it up."""
        return self.truth is not None and self.assumed is True and all(mark[2] is True for mark in self._marks[:-1])

    def mark(self, holds: bool | None = None) -> None:
        """Remember the state before a guess. holds: whether the guess is true, None where that is not known."""
        self._marks.append((dict(self.facts), self.answer, holds))

    def forget_guesses(self) -> None:
        """A new attempt: no guess stands."""
        self._marks.clear()

    def undo(self) -> bool:
        """Return to the latest mark; False when there is none."""
        if not self._marks:
            return False
        self.facts, self.answer, _ = self._marks.pop()
        return True
