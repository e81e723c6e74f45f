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
        return most_voted(samples)


def most_voted(samples: Sequence[Mapping]) -> int:
    """Which sample stands for the answer that most of them box."""
    boxes = [last_box(row["text"]) for row in samples]
    answers = [box and box[0].strip() for box in boxes]
    votes = Counter(answer for answer in answers if answer is not None)
    most = max(votes.values(), default=0)
    return next((i for i, answer in enumerate(answers) if answer is not None and votes[answer] == most), 0)
