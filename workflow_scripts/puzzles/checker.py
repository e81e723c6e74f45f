r"""Whether a completion answers its puzzle: the challenge's own rule, and a strict one beside it.

The official rule (arXiv:2606.21884) reads the last non-empty \boxed{...}, whose content runs to the last } before the
next box or the end of the text; without one it falls back on a "final answer is" line, the last number, the last line.
Answers of 0 and 1 only are compared as strings, numbers within 1 %, everything else ignoring case. The tolerance cannot
tell a product from the product plus one and the fallbacks hide a missing box, so the strict verdict asks for a box that
holds the answer, character for character.
"""

import math
import re
from dataclasses import dataclass

BOX = r"\boxed{"
_FINAL = re.compile(r"final answer(?: is)?[ \t]*:?[ \t]*([^\n]+)", re.IGNORECASE)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Grade:
    """Verdicts on one completion. failure: "" (right, in a box), "no-box", "truncated" or "wrong"."""

    official: bool
    strict: bool
    parsed: str
    boxed: bool
    failure: str


def last_box(text: str) -> str | None:
    r"""The content of the last non-empty \boxed{...}, or None; a box that is never closed has no content."""
    for piece in reversed(text.split(BOX)[1:]):
        content, closed, _ = piece.rpartition("}")
        if closed and content.strip():
            return content
    return None


def extract(text: str) -> str:
    """The answer that the official rule reads from a completion; "" from a blank one."""
    box = last_box(text)
    if box is not None:
        return box.strip()
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for pattern in (_FINAL, _NUMBER):
        found = pattern.findall(text)
        if found:
            return found[-1].strip()
    return lines[-1] if lines else ""


def official(parsed: str, answer: str) -> bool:
    """The challenge's comparison of what was read with the stored answer."""
    parsed, answer = parsed.strip(), answer.strip()
    if answer and not answer.strip("01"):
        return parsed == answer
    try:
        return math.isclose(float(answer), float(parsed), rel_tol=1e-2, abs_tol=1e-5)
    except ValueError:
        return parsed.lower() == answer.lower()


def grade(text: str, answer: str, truncated: bool = False) -> Grade:
    """Grade a completion; `truncated`: it ran into the token budget."""
    box, parsed = last_box(text), extract(text)
    right = official(parsed, answer)
    if right and box is not None:
        failure = ""
    elif truncated:
        failure = "truncated"
    else:
        failure = "no-box" if box is None else "wrong"
    return Grade(right, box == answer, parsed, box is not None, failure)
