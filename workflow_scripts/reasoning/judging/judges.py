"""What a completion of a training row is worth, by name: what a method that learns from its own completions asks."""

from collections.abc import Callable, Mapping

from puzzles.base import PromptError
from puzzles.checker import extract, official
from reasoning.judging.audit import audit, is_valid
from reasoning.registry import design_of


def answer(row: Mapping[str, str], text: str) -> float:
    """1 where the official rule reads the row's answer from the text. row: of a corpus."""
    return float(official(extract(text), row["answer"]))


def valid(row: Mapping[str, str], text: str) -> float:
    """1 where the audit finds no fault in any line. Rows without a design (drills) have no lines to check: 0."""
    if not row["design"]:
        return 0.0
    page = "\n".join(filter(None, (row["prompt"], row["hidden"])))
    try:
        return float(is_valid(audit(text, page, design_of(row["family"], row["design"]))))
    except PromptError:
        return 0.0


JUDGES: dict[str, Callable[[Mapping[str, str], str], float]] = {"answer": answer, "valid": valid}
