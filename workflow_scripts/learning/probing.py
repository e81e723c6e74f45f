"""The teacher-forced probe: how a model likes a text that it is given, token by token, in one forward pass.

Every token after the prompt has the log-probability that the model gives it there, and is `first` where greedy decoding
would choose it. The first token that is not is where greedy decoding would leave the text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import torch

from common.errors import LabError
from learning.engines import Question
from learning.engines.local import LocalEngine
from learning.tokens import completion_ids

CHUNK = 1024  # positions whose logits are in memory at once


@dataclass(frozen=True, slots=True)
class Scored:
    """One line of a text. line: its number, 0 is the first; the token that ends the turn comes as a line of its own.

    logprob: of all its tokens (nats); n_first: how many of them are the model's likeliest. Of the first that is not:
    wanted, the text's token, choice, the model's, and their probabilities; empty where all are first.
    """

    line: int
    n_tokens: int
    logprob: float
    n_first: int
    wanted: str = ""
    choice: str = ""
    wanted_probability: float | None = None
    choice_probability: float | None = None


def token_lines(engine: LocalEngine, question: Question) -> tuple[list[int], list[int]]:
    """(the tokens of the question's target, the number of the line in which each begins); a line holds its line break.

    The token that ends the turn has the number after the last line's.
    """
    text, tokenizer = question.target, engine.tokenizer
    ids = completion_ids(tokenizer, question.text, text)
    written = text.removeprefix("<think>").removeprefix("\n") if engine.opened else text
    encoded = tokenizer(written, add_special_tokens=False, return_offsets_mapping=True)
    if encoded["input_ids"] != ids[:-1]:
        raise LabError("the tokenizer does not say where its tokens stand in a text", row=question.id)
    dropped = text[: len(text) - len(written)].count("\n")
    numbers = [dropped + written.count("\n", 0, start) for start, _ in encoded["offset_mapping"]]
    return ids, [*numbers, text.count("\n") + 1]


@torch.inference_mode()
def probed(engine: LocalEngine, question: Question) -> list[Scored]:
    """The lines of the question's target. Raises LabError where it does not fit into the context after its prompt."""
    prompt = engine.begin(question)
    ids, numbers = token_lines(engine, question)
    if len(prompt) + len(ids) > engine.window:
        message = f"a prompt of {len(prompt)} tokens and a text of {len(ids)} exceed the context of {engine.window}"
        raise LabError(message, row=question.id)
    model = engine.model
    given = torch.tensor([[*prompt, *ids[:-1]]], device=model.device)
    logits = model(input_ids=given, use_cache=False).logits[0, len(prompt) - 1 :]
    found = [step for part in torch.split(torch.arange(len(ids)), CHUNK) for step in judged(logits, ids, part.tolist())]
    scored = []
    for number, group in groupby(zip(numbers, ids, found, strict=True), key=lambda each: each[0]):
        steps = [(token, *step) for _, token, step in group]
        left = next((step for step in steps if step[0] != step[2]), None)
        total = sum(step[1] for step in steps)
        n_first = sum(step[0] == step[2] for step in steps)
        scored.append(Scored(number, len(steps), round(total, 6), n_first, *departure(engine, left)))
    return scored


def judged(logits: torch.Tensor, ids: Sequence[int], part: Sequence[int]) -> list[tuple[float, int, float]]:
    """(log-probability of the token, the likeliest one, its log-probability) at some positions."""
    logprobs = torch.log_softmax(logits[part[0] : part[-1] + 1].float(), -1)
    own = logprobs.gather(1, torch.tensor([[ids[i]] for i in part], device=logits.device))[:, 0]
    best, choice = logprobs.max(-1)
    return list(zip(own.tolist(), choice.tolist(), best.tolist(), strict=True))


def departure(engine: LocalEngine, left: tuple[int, float, int, float] | None) -> tuple:
    """The last four fields of `Scored`, of the first token at which greedy decoding would write another."""
    if left is None:
        return ()
    token, own, choice, best = left
    texts = (engine.tokenizer.decode([each], skip_special_tokens=False) for each in (token, choice))
    return (*texts, *(round(float(torch.tensor(each).exp()), 6) for each in (own, best)))
