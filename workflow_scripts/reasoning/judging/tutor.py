"""What stands beside a model that writes: it reads line by line, and answers in its place or leads it astray.

Decoders ask for it by name (`TUTORED`), because the room that decodes knows no family.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import fields

from reasoning.grammar.page import Page, Truth
from reasoning.grammar.trace import CLOSE, OPEN, Box, Design, Malformed, parse_completion
from reasoning.judging.audit import audit_lines
from reasoning.judging.oracle import is_wrong, repaired
from reasoning.judging.planted_errors import wrong_lines
from reasoning.judging.truths import truths
from reasoning.registry import design_of


class Tutor:
    """Of one row: its design, its prompt as shown with what it hides from the model, and the truth behind it."""

    def __init__(self, design: Design, shown: str, truth: Truth | None):
        self.design, self.shown, self.truth = design, shown, truth

    def page(self) -> Page:
        page = Page.of(self.design.family, self.shown, self.truth)
        page.thinks = bool(self.design.kinds)
        return page

    def listener(self, answers: Sequence[str]) -> "Listener":
        """Reads one completion from its beginning and answers on these axes."""
        return Listener(self, answers)

    def astray(self, text: str, n: int, seed: int) -> list[str]:
        """The first n lines of a thought, the last of them wrong where the audit finds it; fewer where only an earlier
        one can be made wrong, none where none can."""
        lines, rng = parse_completion(text, self.design), random.Random(seed)
        alphabet = "".join(sorted(set(self.shown) | set(text)))
        for last in range(min(n, len(lines)) - 1, -1, -1):
            if isinstance(lines[last], Malformed | Box):
                continue
            names = [field.name for field in fields(lines[last]) if lines[last].roles[field.name] is not None]
            for name in rng.sample(names, len(names)):
                for wrong in wrong_lines(lines[last], name, alphabet, rng):
                    if audit_lines([*lines[:last], wrong], self.page())[last].failed:
                        return [each.text() for each in (*lines[:last], wrong)]
        return []


class Listener:
    """Hears a completion line by line. corrected: lines that were put right; unsolved: wrong ones that were not."""

    def __init__(self, tutor: Tutor, answers: Sequence[str]):
        self.design, self.page, self.answers = tutor.design, tutor.page(), answers
        self.thinking, self.corrected, self.unsolved = True, 0, 0

    def heard(self, raw: str) -> str:
        """The line, or what it should have been; it then stands on the page."""
        if raw == CLOSE:
            self.thinking = False
        if raw in ("", OPEN, CLOSE) or not self.thinking:
            return raw
        (line,) = parse_completion(f"{OPEN}\n{raw}", self.design)
        if isinstance(line, Malformed):
            return raw
        right = line
        for axis in self.answers:
            right = repaired(right, self.page, axis) or right
        self.corrected += right != line
        self.unsolved += any(is_wrong(right, self.page, axis) for axis in self.answers)
        right.establish(self.page)
        self.page.lines_read += 1
        return right.text()


def tutors(rows: Iterable[dict], puzzles: Sequence[str], solutions: Sequence[str]) -> dict[tuple[str, str], Tutor]:
    """(family, id) -> the tutor of a row. rows: of rendered texts; hidden: the line that its prompt does not show."""
    known = truths(puzzles, solutions)
    return {
        (row["family"], row["id"]): Tutor(
            design_of(row["family"], row["design"]),
            "\n".join(filter(None, (row["prompt"], row.get("hidden")))),
            known.get(row["id"]),
        )
        for row in rows
    }
