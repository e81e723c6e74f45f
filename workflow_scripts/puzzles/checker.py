r"""Whether a completion answers its puzzle: the challenge's own rule, and a strict one beside it.

The official rule is the challenge's published metric, to the letter (arXiv:2606.21884 names its parts). It reads the
last \boxed{...} that is not blank. A box runs to the last } before the next box or the end of the text, or to that end
where no } follows. If all boxes are blank the answer is "". Without a box it looks for a "final answer" line, then for
the last number, then takes the last line. Answers of 0 and 1 only are compared as strings, numbers within 1 %,
everything else ignoring case.

The tolerance cannot tell a product from the product plus one, and the fallbacks hide a missing box. So the strict
verdict asks for more: the box that the official rule reads is closed and holds the answer, character for character.
"""

import math
import re
from dataclasses import dataclass

BOX = r"\boxed{"
BLANK = "NOT_FOUND"
"""What the official rule reads from a text without a character that is not blank."""
# Tried in this order; the last occurrence of the first form that occurs counts. Line breaks are blanks, too.
_FINAL = tuple(
    re.compile(rf"{form}\s*([^\n]+)", re.IGNORECASE)
    for form in ("the final answer is:", "final answer is:", r"final answer\s*[:：]")
)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Grade:
    """Verdicts on one completion.

    parsed: what the official rule reads. boxed: it reads it from a closed box that is not blank. failure: "" (right
    and boxed), "no-box", "truncated" or "wrong".
    """

    official: bool
    strict: bool
    parsed: str
    boxed: bool
    failure: str


def boxes(text: str) -> list[tuple[str, bool]]:
    r"""(content, closed) of every \boxed{ of a text, in order."""
    found = []
    for piece in text.split(BOX)[1:]:
        content, brace, rest = piece.rpartition("}")
        found.append((content, True) if brace else (rest, False))
    return found


def last_box(text: str) -> tuple[str, bool] | None:
    """(content, closed) of the last box that is not blank; None without one."""
    return next((box for box in reversed(boxes(text)) if box[0].strip()), None)


def extract(text: str) -> str:
    """The answer that the official rule reads from a completion, without blanks around it."""
    if BOX in text:
        box = last_box(text)
        return box[0].strip() if box else ""
    for pattern in (*_FINAL, _NUMBER):
        if found := pattern.findall(text):
            return found[-1].strip()
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else BLANK


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
    content, closed = last_box(text) or ("", False)
    parsed = extract(text)
    right = official(parsed, answer)
    if right and closed:
        failure = ""
    elif truncated:
        failure = "truncated"
    else:
        failure = "wrong" if closed else "no-box"
    return Grade(right, closed and content == answer, parsed, closed, failure)
