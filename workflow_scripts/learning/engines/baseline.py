"""What one scores without reading the problem: every row of a family gets its family's most frequent example answer."""

from collections import Counter
from collections.abc import Iterator, Sequence

from common.errors import LabError
from learning.engines import Extension, Opening, Question, Request


class Engine:
    """Of equally frequent answers the first in alphabetical order."""

    together = 0

    def __init__(self, opening: Opening):
        if not opening.shown:
            raise LabError("the most frequent of 0 answers", field="--shots")
        self.best = {}
        for family, rows in opening.shown.items():
            counts = Counter(row["answer"] for row in rows)
            self.best[family] = min(counts, key=lambda answer: (-counts[answer], answer))

    def begin(self, question: Question, written: str = "") -> str:
        """See learning.engines.Engine."""
        return self.best[question.family]

    def text(self, tokens: Sequence[int]) -> str:
        """See learning.engines.Engine."""
        raise LabError("a baseline has no tokens", field="baseline")

    def extend(
        self,
        requests: Sequence[Request],
        *,
        temperature: float = 0.0,
        stop: frozenset[int] = frozenset(),
        keep: bool = False,
    ) -> Iterator[Extension]:
        """The answers, in a box."""
        for number, request in enumerate(requests):
            text = f"<think>\n</think>\n\\boxed{{{request.beginning}}}"
            yield Extension(number, finish="stop", text=text, n_tokens=0)
