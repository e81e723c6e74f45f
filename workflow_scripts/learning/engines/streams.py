"""What is being written by a model here, token by token: which token is chosen next, and when it ends."""

import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from learning.engines import Extension, Request


@dataclass(slots=True)
class Stream:
    """One extension on its way. limit: new tokens at most; ends: tokens that end the turn; stops: those that pause.

    fed: tokens of the prompt that the model has been given, all of them unless the stream goes on from a `kept` state.
    """

    prompt: list[int]
    limit: int
    ends: frozenset[int]
    stops: frozenset[int]
    draws: random.Random
    made: Extension
    kept: Any = None
    fed: int = 0

    @property
    def request(self) -> int:
        return self.made.request

    @property
    def writes(self) -> bool:
        """Whether the next token is for the model to choose."""
        return self.fed >= len(self.prompt)

    @property
    def done(self) -> bool:
        return self.made.finish != "length" or len(self.made.tokens) >= self.limit

    def add(self, token: int, logprob: float, drawn: float | None, entropy: float | None) -> None:
        """Take the next token."""
        self.made.tokens.append(token)
        self.made.logprobs.append(logprob)
        if drawn is not None:
            self.made.drawn.append(drawn)
            self.made.entropies.append(entropy)
        if token in self.ends:
            self.made.finish = "stop"
        elif token in self.stops:
            self.made.finish = "pause"


class Waiting:
    """The streams that have not begun, those of a request after one another: one for each of its seeds.

    The list of requests may grow meanwhile. No stream is longer than the window lets it be.
    """

    def __init__(self, requests: Sequence[Request], ends: set[int], stops: frozenset[int], window: int):
        self.requests, self.ends, self.stops, self.window = requests, frozenset(ends), stops, window
        self.read, self.left = 0, deque()

    def __len__(self) -> int:
        for number in range(self.read, len(self.requests)):
            request = self.requests[number]
            limit = min(request.budget, self.window - len(request.beginning))
            for sample, seed in enumerate(request.seeds):
                made, draws = Extension(number, sample), random.Random(seed)
                self.left.append(Stream(request.beginning, limit, self.ends, self.stops, draws, made, request.kept))
        self.read = len(self.requests)
        return len(self.left)

    def take(self, most: int) -> list[Stream]:
        """The next ones."""
        return [self.left.popleft() for _ in range(min(most, len(self)))]


def choose(logits: torch.Tensor, temperature: float, writing: Sequence[Stream | None]) -> list[int]:
    """The next token of every row of logits (rows, vocabulary), which its stream takes; rows without one get any.

    At temperature 0 the likeliest, else one drawn by the stream's own random numbers, so that it does not matter which
    streams share a batch: the first token whose cumulative probability, in float64, is above a number from [0, 1).
    """
    logprobs = torch.log_softmax(logits.float(), -1)
    drawn = entropies = [None] * len(writing)
    if temperature == 0:
        best, choice = logprobs.max(-1)
    else:
        tempered = torch.log_softmax(logits.double() / temperature, -1)
        numbers = [stream.draws.random() if stream else 0.0 for stream in writing]
        heaps = tempered.exp().cumsum(-1)
        aims = torch.tensor(numbers, dtype=torch.double, device=logits.device)[:, None] * heaps[:, -1:]
        choice = torch.searchsorted(heaps, aims, right=True)[:, 0]
        best = logprobs.gather(1, choice[:, None])[:, 0]
        drawn = tempered.gather(1, choice[:, None])[:, 0].tolist()
        entropies = torch.special.entr(logprobs.exp()).sum(-1).tolist()
    tokens = choice.tolist()
    for stream, *step in zip(writing, tokens, best.tolist(), drawn, entropies, strict=True):
        if stream is not None:
            stream.add(*step)
    return tokens
