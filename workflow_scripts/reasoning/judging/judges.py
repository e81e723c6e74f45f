"""What a completion of a training row is worth, by name: what a method that learns from its own completions asks."""

from collections.abc import Callable, Mapping

from puzzles.base import PromptError
from puzzles.checker import extract, grade, official
from reasoning.grammar.page import Truth
from reasoning.judging.audit import Checked, audit, is_valid
from reasoning.registry import design_of

Judge = Callable[[Mapping[str, str], str], float]


def answer(row: Mapping[str, str], text: str) -> float:
    """1 where the official rule reads the row's answer from the text. row: of a corpus or of texts."""
    return float(official(extract(text), row["answer"]))


def boxed(row: Mapping[str, str], text: str) -> float:
    """1 where a closed box holds the answer by the official rule: without its ways around a missing box."""
    found = grade(text, row["answer"])
    return float(found.official and found.boxed)


def judges(truths: Mapping[str, Truth | None]) -> dict[str, Judge]:
    """The judges. truths: by the row's id, what it hides; claims of other rows without evidence are not judged."""

    def lines(row: Mapping[str, str], text: str) -> list[Checked] | None:
        """Every line checked; None where there is nothing to check: drills have no design."""
        if not row["design"]:
            return None
        page = "\n".join(filter(None, (row["prompt"], row["hidden"])))
        try:
            return audit(text, page, design_of(row["family"], row["design"]), truths.get(row["id"]))
        except PromptError:
            return None

    def valid(row: Mapping[str, str], text: str) -> float:
        """1 where there are lines and the audit finds no fault in any."""
        checked = lines(row, text)
        return float(checked is not None and is_valid(checked))

    def prefix(row: Mapping[str, str], text: str) -> float:
        """The lines before the first one at fault, as a share of the lines of the solver's own text, 1 at most."""
        checked, told = lines(row, text), lines(row, row["completion"])
        if not checked or not told:
            return 0.0
        sound = next((i for i, each in enumerate(checked) if each.failed), len(checked))
        return min(1.0, sound / len(told))

    return {"answer": answer, "boxed": boxed, "valid": valid, "prefix": prefix}


JUDGES = judges({})
"""The judges that do not know what rows hide."""
