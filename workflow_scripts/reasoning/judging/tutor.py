"""What stands beside a model that writes: it reads line by line, and answers in its place or leads it astray.

Decoders ask for it by name (`TUTORED`), because the room that decodes knows no family.
"""

import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import fields

from reasoning.grammar.page import Page, Truth
from reasoning.grammar.trace import CLOSE, OPEN, Box, Design, Malformed, parse_completion, place_of
from reasoning.judging.audit import audit, audit_lines
from reasoning.judging.oracle import is_wrong, repaired
from reasoning.judging.planted_errors import wrong_lines
from reasoning.judging.truths import truths
from reasoning.registry import design_of


class Tutor:
    """Of one row: its design, its prompt as shown with what it hides from the model, and the truth behind it.

    seen: the prompt alone, where the row hides a line.
    """

    def __init__(self, design: Design, shown: str, truth: Truth | None, seen: str | None = None):
        self.design, self.shown, self.truth = design, shown, truth
        self.seen = seen if seen is not None else shown

    def page(self) -> Page:
        page = Page.of(self.design.family, self.shown, self.truth)
        page.thinks = bool(self.design.kinds)
        return page

    def listener(self, answers: Sequence[str], since: str = "") -> "Listener":
        """Reads one completion from its beginning and answers on these axes, from the first line on in whose kind the
        regular expression `since` is found."""
        return Listener(self, answers, since)

    def fault(self, text: str) -> int | None:
        """The number of the first line of a completion at which the audit, on the prompt alone, finds fault; None where
        it finds none."""
        checked = audit(text, self.seen, self.design)
        failed = next((i for i, line in enumerate(checked) if line.failed), None)
        return None if failed is None else place_of(text, failed)

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

    def __init__(self, tutor: Tutor, answers: Sequence[str], since: str = ""):
        self.design, self.page, self.answers, self.since = tutor.design, tutor.page(), answers, since
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
        if re.search(self.since, getattr(line, "KIND", "box")):
            self.since = ""
        answers = () if self.since else self.answers
        for axis in answers:
            right = repaired(right, self.page, axis) or right
        self.corrected += right != line
        self.unsolved += any(is_wrong(right, self.page, axis) for axis in answers)
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
            row["prompt"],
        )
        for row in rows
    }
