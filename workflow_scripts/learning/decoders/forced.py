"""The first lines of the design's own thought are given, the rest is decoded greedily: where does a model need help?

With `wrong`, the last line that is given has an error in it: does the model recover? Rows without a text of their own
are decoded from the start.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from common import typed
from common.errors import LabError
from learning.decoders.base import Decoding, Stream, in_batches, record, seed_of
from learning.engines import TOKENS, Engine, Request


@dataclass(frozen=True, kw_only=True)
class Decoder(Decoding):
    """share: of the lines of the thought that are given, rounded; wrong: whether the last of them is; seed: of how."""

    NEEDS: ClassVar[frozenset[str]] = frozenset({TOKENS})
    TUTORED: ClassVar[bool] = True
    share: float
    wrong: bool
    seed: int

    def __post_init__(self):
        super().__post_init__()
        typed.at_least(self, 0, "share", "seed")
        if self.share > 1 or (self.wrong and not self.share):
            expected = "above 0 where a line is to be wrong" if self.wrong else "a share from 0 to 1"
            raise LabError(f"{self.share} is not {expected}", field="share")

    def decode(self, engine: Engine, streams: Sequence[Stream], seed: int) -> Iterator[list[dict]]:
        """See Decoding. notes: lines of the whole thought, and how many were given."""
        for part in in_batches(engine, streams):
            lines = [thought(stream.question.target) for stream in part]
            given = [self.given(stream, own, seed) for stream, own in zip(part, lines, strict=True)]
            begun = [
                engine.begin(stream.question, "\n".join(["<think>", *own, ""])) if own else stream.beginning
                for stream, own in zip(part, given, strict=True)
            ]
            ahead = [ids[len(stream.beginning) :] for stream, ids in zip(part, begun, strict=True)]
            budgets = [max(1, self.max_tokens - len(tokens)) for tokens in ahead]
            requests = [Request(ids, budget) for ids, budget in zip(begun, budgets, strict=True)]
            found = []
            for made in engine.extend(requests):
                stream, tokens = part[made.request], [*ahead[made.request], *made.tokens]
                notes = {"lines": len(lines[made.request]), "given": len(given[made.request])}
                own = {"n_decoded": len(made.tokens), "notes": notes}
                found.append(record(stream, engine.text(tokens), len(tokens), made.finish, **own))
            yield found

    def given(self, stream: Stream, lines: Sequence[str], seed: int) -> list[str]:
        """The lines that a completion begins with."""
        n = round(self.share * len(lines))
        if not self.wrong:
            return list(lines[:n])
        question = stream.question
        return question.tutor.astray(question.target, n, seed_of(question, 0, self.seed, seed)) if n else []


def thought(target: str) -> list[str]:
    """The lines between the marks of a rendered completion."""
    lines = target.split("\n")
    return lines[1 : lines.index("</think>")] if target else []
