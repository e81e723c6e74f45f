"""The page: the problem as shown and everything that the lines read so far have established."""

from collections.abc import Mapping
from typing import Any

from puzzles.registry import FAMILIES
from reasoning.grammar.reveal import Known, split_shown


class Page:
    """What a line may be compared with.

    parsed: the family's own form of the prompt; key: what is known beforehand, glyph -> digit, and the operators' rules
    where the thought need not work them out; facts: (namespace, name) -> value, filled by `Line.establish`; a later
    line overwrites an earlier one, because a trace is judged against what it says itself. answer: the answer the lines
    have arrived at, None so far. thinks: the design writes lines, so that a boxed answer must come from them.
    """

    def __init__(self, family: str, parsed: Any, key: Mapping[str, int] | None = None):
        self.family, self.parsed = family, parsed
        self.key = key if isinstance(key, Known) else Known(key or {})
        self.facts: dict[tuple[str, str], Any] = {("rule", op): rule for op, rule in self.key.rules.items()}
        self.answer: str | None = None
        self.lines_read = 0
        self.thinks = False
        self._marks: list[tuple[dict, str | None]] = []

    @classmethod
    def of(cls, family: str, shown: str) -> "Page":
        """The empty page of a prompt as shown (with its lines of digits and rules, where there are such)."""
        prompt, key = split_shown(shown)
        return cls(family, FAMILIES[family].parse(prompt), key)

    def get(self, namespace: str, name: str = "", default: Any = None) -> Any:
        return self.facts.get((namespace, name), default)

    def put(self, namespace: str, name: str, value: Any) -> None:
        self.facts[namespace, name] = value

    def names(self, namespace: str) -> dict[str, Any]:
        """Everything established in one namespace."""
        return {name: value for (space, name), value in self.facts.items() if space == namespace}

    @property
    def depth(self) -> int:
        """How many guesses have not been taken back."""
        return len(self._marks)

    def mark(self) -> None:
        """Remember the state before a guess."""
        self._marks.append((dict(self.facts), self.answer))

    def undo(self) -> bool:
        """Return to the latest mark; False when there is none."""
        if not self._marks:
            return False
        self.facts, self.answer = self._marks.pop()
        return True
