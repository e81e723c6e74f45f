"""Greedy decoding with an oracle in the loop: where a line is done, the interpreter puts it right on some axes.

The model goes on from the line as it should have been. How much accuracy an axis gains says how much of the failure
lies there (successive prompting, arXiv:2212.04092): the causal counterpart of the audit.
"""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from common.errors import LabError
from learning.decoders.base import Decoding, Stream, driven, in_batches, record
from learning.engines import TOKENS, Engine, Extension, Request

AXES = ("transcription", "arithmetic", "verdict", "branch")


@dataclass(frozen=True, kw_only=True)
class Decoder(Decoding):
    """answers: axes on which the interpreter answers: what is copied, computed, concluded, which branch is taken."""

    NEEDS: ClassVar[frozenset[str]] = frozenset({TOKENS})
    TUTORED: ClassVar[bool] = True
    answers: tuple[str, ...]

    def __post_init__(self):
        super().__post_init__()
        if not self.answers or not set(self.answers) <= set(AXES):
            raise LabError(f"{list(self.answers)} is not a list of {', '.join(AXES)}", field="answers")

    def decode(self, engine: Engine, streams: Sequence[Stream], seed: int) -> Iterator[list[dict]]:
        """See Decoding."""
        for part in in_batches(engine, streams):
            writers = [self.written(engine, stream) for stream in part]
            yield [found for _, found in driven(engine, writers, stop=engine.breaks)]

    def listener(self, stream: Stream) -> Any:
        """What hears the lines of a completion (`Tutor.listener`)."""
        return stream.question.tutor.listener(self.answers)

    def written(self, engine: Engine, stream: Stream) -> Generator[Request, Extension, dict]:
        """Asks for one line after another. notes: lines heard, put right, and wrong ones for which nothing was found.

        n_decoded counts what the model wrote, also of lines that were replaced.
        """
        listener = self.listener(stream)
        prompt, tokens, kept, heard, decoded = stream.beginning, [], None, 0, 0
        limit = min(self.max_tokens, engine.window - len(prompt))
        finish = "pause"
        while finish == "pause" and len(tokens) < limit:
            made = yield Request([*prompt, *tokens], limit - len(tokens), kept=kept)
            tokens, kept, finish = [*tokens, *made.tokens], made.state, made.finish
            decoded += len(made.tokens)
            lines = engine.text(tokens).split("\n")
            while finish == "pause" and heard < len(lines) - 1:
                right = listener.heard(lines[heard])
                heard += 1
                if right != lines[heard - 1]:
                    text = "\n".join([*lines[: heard - 1], right, ""])
                    tokens = engine.begin(stream.question, text)[len(prompt) :]
                    break
        notes = {"lines": heard, "corrected": listener.corrected, "unsolved": listener.unsolved}
        finish = "length" if finish == "pause" else finish
        return record(stream, engine.text(tokens), len(tokens), finish, n_decoded=decoded, notes=notes)
