"""Samples from the power distribution p^alpha of whole answers (arXiv:2510.14901, 2605.30327), by an exact kernel.

Of an answer x with log-probabilities l, the target is proportional to exp(alpha * sum(l)). That is not a temperature,
which sharpens each token without a look at what can follow. Metropolis-Hastings: cut x at a place c drawn from C(.|x),
draw a new rest from the model at `temperature` up to the horizon, and accept it with probability min(1, exp(r)),

    r = alpha * (sum of l of the new rest - of the old) + (log-probability as drawn of the old rest - of the new)
        + log C(c|new) - log C(c|old).

An answer grows by blocks: its horizon is moved on, what has not ended is extended, and `steps` such moves follow. The
horizon, not the present length, bounds a new rest, so that an answer can grow again; the end of the turn is a token
like any other. Nothing is cut off the model's distribution.
"""

import math
import random
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from common import typed
from common.errors import LabError
from learning.decoders.base import Decoding, Stream, driven, in_batches, record, seed_of
from learning.engines import DRAWS, SAMPLES, TOKENS, Engine, Extension, Request

CUTS = ("uniform", "entropy", "jump")


@dataclass(slots=True)
class Answer:
    """An answer so far, with the log-probability of every token under the model and as drawn, and the entropy of the
    distribution that it was drawn from. state: what the engine has kept of it; ended: its turn is over."""

    tokens: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    drawn: list[float] = field(default_factory=list)
    entropies: list[float] = field(default_factory=list)
    state: Any = None
    ended: bool = False

    def redrawn(self, cut: int, made: Extension) -> "Answer":
        """The first `cut` tokens and a new rest."""
        return Answer(
            self.tokens[:cut] + made.tokens,
            self.logprobs[:cut] + made.logprobs,
            self.drawn[:cut] + made.drawn,
            self.entropies[:cut] + made.entropies,
            made.state,
            made.finish == "stop",
        )


def log_cuts(entropies: Sequence[float], cut: str, beta: float, uniform: float) -> tuple[list[float], bool]:
    """(log C(c|x) of every place c of an answer, whether no place has a weight, so that all are as likely).

    The weight of a place is its entropy to the power beta (`entropy`), or that by which it is above that of the place
    before (`jump`). A share `uniform` of all cuts is made anywhere.
    """
    n = len(entropies)
    weights = [1.0] * n
    if cut == "entropy":
        weights = [entropy**beta for entropy in entropies]
    elif cut == "jump":
        weights = [max(b - a, 0.0) ** beta for a, b in zip([0.0, *entropies], entropies, strict=False)]
    total = math.fsum(weights)
    if total == 0:
        return [-math.log(n)] * n, True
    shares = [uniform / n + (1 - uniform) * weight / total for weight in weights]
    return [math.log(share) if share else -math.inf for share in shares], False


def log_ratio(old: Answer, new: Answer, cut: int, alpha: float, before: float, after: float) -> float:
    """r of the module's docstring. before, after: log C(cut|old) and log C(cut|new)."""
    likelihood = math.fsum(new.logprobs[cut:]) - math.fsum(old.logprobs[cut:])
    proposal = math.fsum(old.drawn[cut:]) - math.fsum(new.drawn[cut:])
    return alpha * likelihood + proposal + after - before


@dataclass(frozen=True, kw_only=True)
class Decoder(Decoding):
    """k: independent samples per row; alpha: the power; temperature: of new rests (1/alpha is usual); seed: of draws.

    cut, beta, uniform: see `log_cuts`; blocks: how often the horizon is moved on, to max_tokens; steps: moves in each.
    early_stop: an answer that has ended after a block's moves is final. That is cheaper and not exact, because answers
    that end later have had no turn.
    """

    NEEDS: ClassVar[frozenset[str]] = frozenset({TOKENS, SAMPLES, DRAWS})
    k: int
    alpha: float
    temperature: float
    seed: int
    cut: str
    beta: float
    uniform: float
    blocks: int
    steps: int
    early_stop: bool

    def __post_init__(self):
        super().__post_init__()
        typed.at_least(self, 1, "k", "blocks", "steps")
        typed.at_least(self, 0, "seed")
        typed.above(self, 0, "alpha", "temperature", "beta")
        if self.cut not in CUTS:
            raise LabError(f"{self.cut!r} is not one of {', '.join(CUTS)}", field="cut")
        if not 0 <= self.uniform < 1:
            raise LabError(f"{self.uniform} is not a share from 0 to below 1", field="uniform")
        if self.blocks > self.max_tokens:
            raise LabError(f"{self.blocks} blocks of {self.max_tokens} tokens", field="blocks")

    @property
    def samples(self) -> int:
        """See Decoding."""
        return self.k

    def decode(self, engine: Engine, streams: Sequence[Stream], seed: int) -> Iterator[list[dict]]:
        """See Decoding."""
        for part in in_batches(engine, streams, 4):
            chains = [self.chain(stream, engine.window, self.rng(stream, seed)) for stream in part]
            found = driven(engine, chains, temperature=self.temperature)
            yield [self.made(engine, part[i], *answer) for i, answer in found]

    def rng(self, stream: Stream, seed: int) -> random.Random:
        """The random numbers of one chain, which also seed its draws."""
        return random.Random(seed_of(stream.question, stream.sample, self.seed, seed))

    def made(self, engine: Engine, stream: Stream, answer: Answer, notes: dict[str, int]) -> dict:
        """The record of a chain."""
        total, finish = round(math.fsum(answer.logprobs), 6), "stop" if answer.ended else "length"
        own = {"n_decoded": notes.pop("decoded"), "logprob_sum": total, "notes": notes}
        return record(stream, engine.text(answer.tokens), len(answer.tokens), finish, **own)

    def chain(
        self, stream: Stream, window: int, rng: random.Random
    ) -> Generator[Request, Extension, tuple[Answer, dict[str, int]]]:
        """Asks for extensions one after another; the answer in the end, and what was decoded, proposed and accepted.

        uniform: of the proposed ones, how many were cut anywhere, because no place had a weight.
        """
        x, notes = Answer(), {"decoded": 0, "proposed": 0, "accepted": 0, "uniform": 0}

        def rest(cut: int, horizon: int) -> Generator[Request, Extension, Answer]:
            budget, kept = horizon - cut, x.state
            made = yield Request([*stream.beginning, *x.tokens[:cut]], budget, (rng.getrandbits(31),), kept)
            notes["decoded"] += len(made.tokens)
            return x.redrawn(cut, made)

        longest = min(self.max_tokens, window - len(stream.beginning))
        for horizon in sorted(
            {min(longest, -(-self.max_tokens * b // self.blocks)) for b in range(1, self.blocks + 1)}
        ):
            if not x.ended and len(x.tokens) < horizon:
                x = yield from rest(len(x.tokens), horizon)
            before, anywhere = log_cuts(x.entropies, self.cut, self.beta, self.uniform)
            for _ in range(self.steps):
                (cut,) = rng.choices(range(len(before)), [math.exp(each) for each in before])
                y = yield from rest(cut, horizon)
                after, nowhere = log_cuts(y.entropies, self.cut, self.beta, self.uniform)
                r = log_ratio(x, y, cut, self.alpha, before[cut], after[cut])
                accepted = math.log(1 - rng.random()) < min(0.0, r)  # 1 - u, which is never 0
                notes["proposed"] += 1
                notes["accepted"] += accepted
                notes["uniform"] += anywhere
                if accepted:
                    x, before, anywhere = y, after, nowhere
            if self.early_stop and x.ended:
                break
        return x, notes
