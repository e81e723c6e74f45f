"""The audit: every line of a completion checked on three axes against the prompt and against the page so far.

transcription: does the line agree with the prompt and with what earlier lines established? arithmetic: is everything
computed on it right? verdict: does its conclusion follow from its own numbers? Each is True, False, or None where the
line has nothing to check. An error in one line does not make later lines wrong: they are checked against what earlier
lines say, right or wrong.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reasoning.grammar.lines import Line
from reasoning.grammar.page import Page
from reasoning.grammar.trace import Design, Malformed, parse_completion

AXES = ("transcription", "arithmetic", "verdict")
MALFORMED = "malformed"


@dataclass(frozen=True)
class Checked:
    """One line of a completion. kind of a line that is none of the design's: `malformed` or `malformed/<nearest>`."""

    line: int
    kind: str
    text: str
    transcription: bool | None
    arithmetic: bool | None
    verdict: bool | None
    outcome: str
    first_failure: bool = False

    @property
    def failed(self) -> tuple[str, ...]:
        """The axes on which it fails; ("form",) for a malformed line."""
        if self.kind.startswith(MALFORMED):
            return ("form",)
        return tuple(axis for axis in AXES if getattr(self, axis) is False)


def audit(text: str, shown: str, design: Design) -> list[Checked]:
    """Check every line of a completion; raises PromptError for a broken prompt.

    shown: the prompt as the model saw it and, where there is one, the hidden line (Row.page).
    """
    page = Page.of(design.family, shown)
    page.thinks = bool(design.kinds)
    return audit_lines(parse_completion(text, design), page)


def audit_lines(lines: Iterable[Line | Malformed], page: Page) -> list[Checked]:
    """The audit of lines already read, on a page that they then fill."""
    checked = []
    clean = True
    for number, each in enumerate(lines):
        if isinstance(each, Malformed):
            kind = f"{MALFORMED}/{each.nearest}" if each.nearest else MALFORMED
            checked.append(Checked(number, kind, each.raw, None, None, None, "", clean))
            clean = False
            continue
        axes = each.transcription(page), each.arithmetic(page), each.verdict_follows(page)
        fails = False in axes
        checked.append(Checked(number, each.KIND, each.text(), *axes, getattr(each, "verdict", ""), clean and fails))
        clean = clean and not fails
        each.establish(page)
        page.lines_read += 1
    return checked


def is_valid(checked: Sequence[Checked]) -> bool:
    """No line fails on any axis or is malformed."""
    return not any(each.failed for each in checked)


def first_divergence(text: str, expected: str) -> int | None:
    """The line (0 is the opening tag) at which a completion first differs from the rendered one; None if nowhere."""
    for number, (got, want) in enumerate(zip(text.split("\n"), expected.split("\n"), strict=False)):
        if got != want:
            return number
    shorter = min(text.count("\n"), expected.count("\n"))
    return None if text == expected else shorter + 1


def kind_table(checked: Iterable[Checked], training: Counter[tuple[str, str]], design: Design) -> list[dict]:
    """One row per kind: how often, how often right on each axis, which outcomes are declared, trained and written.

    training: (kind, outcome) -> count in the texts the model was trained on. `fixed` marks a verdict-bearing kind
    that had a single outcome in training: its verdict says nothing about a comparison.
    """
    groups: dict[str, list[Checked]] = {kind.KIND: [] for kind in design.kinds}
    for each in checked:
        groups.setdefault(each.kind, []).append(each)
    declared = {kind.KIND: kind.OUTCOMES for kind in design.kinds}
    table = []
    for kind, lines in groups.items():
        row: dict[str, object] = {"kind": kind, "n": len(lines)}
        for axis in AXES:
            judged = [getattr(each, axis) for each in lines if getattr(each, axis) is not None]
            row[f"{axis}_n"], row[f"{axis}_right"] = len(judged), sum(judged)
        trained = {outcome: n for (name, outcome), n in sorted(training.items()) if name == kind and outcome}
        row["declared"] = " ".join(declared.get(kind, ()))
        row["trained"] = " ".join(f"{outcome}:{n}" for outcome, n in trained.items())
        row["written"] = " ".join(f"{o}:{n}" for o, n in sorted(Counter(e.outcome for e in lines if e.outcome).items()))
        row["fixed"] = bool(declared.get(kind)) and len(trained) == 1
        table.append(row)
    return table
