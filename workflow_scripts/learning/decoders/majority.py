"""Self-consistency: the answer that most samples of a row box (arXiv:2203.11171).

Answers are compared as written. Samples without a box have no vote, unless none has one. Of equally frequent answers
the one wins that was boxed first, and its first sample stands for it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from learning.decoders.base import Selection
from puzzles.checker import last_box


@dataclass(frozen=True, kw_only=True)
class Decoder(Selection):
    """No settings of its own."""

    def choose(self, samples: Sequence[Mapping]) -> int:
        """See Selection."""
        boxed = [last_box(row["text"]) for row in samples]
        votes = Counter(answer.strip() for answer in boxed if answer is not None)
        if not votes:
            return 0
        most = max(votes.values())
        return next(i for i, answer in enumerate(boxed) if answer is not None and votes[answer.strip()] == most)
