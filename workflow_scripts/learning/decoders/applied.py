"""The model finds the rule, an interpreter applies it (SolverLearner, arXiv:2408.00114): which of the two does it lack?

Up to the first line that works on the query, the model writes alone. From there on the interpreter puts every line
right against what the model's own lines before it say, right or wrong: a wrong rule stays wrong, and is applied well.
Greedy decoding beside it says what the application by the model costs.
"""

import re
from dataclasses import dataclass
from typing import Any

from common.errors import LabError
from learning.decoders import oracle
from learning.decoders.base import Stream


@dataclass(frozen=True, kw_only=True)
class Decoder(oracle.Decoder):
    """since: a regular expression, found in the kinds of the lines that work on the query."""

    since: str

    def __post_init__(self):
        super().__post_init__()
        try:
            re.compile(self.since)
        except re.error as error:
            raise LabError(f"not a regular expression: {error}", field="since") from error
        if not self.since:
            raise LabError("expected a part of the name of a kind of line", field="since")
        if "branch" in self.answers:
            raise LabError("what a row hides is no application of the model's rule: no branch here", field="answers")

    def listener(self, stream: Stream) -> Any:
        """See the oracle's."""
        return stream.question.tutor.listener(self.answers, self.since)
