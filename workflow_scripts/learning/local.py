"""The engines that run a model here, token by token: the backbone, its adapter merged in, and prompts as tokens."""

import sys
from collections.abc import Iterator, Mapping

import torch
from peft import PeftModel
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from common.errors import LabError
from learning.adapters import attach, merged
from learning.backbones import check_engine, context_of, end_tokens, load_model, load_tokenizer
from learning.decoding import ENGINES
from learning.sampling import Job, Question
from learning.tokens import fitting, opened_thinking, prompt_ids

CHUNK = 8  # batches that are kept at once


def load(job: Job) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """The model with the adapter merged in, and the tokenizer.

    Where merging changes the logits of a prompt, the adapter stays beside the weights instead.
    """
    tokenizer = load_tokenizer(job.backbone)
    model = attached(job)
    if isinstance(model, PeftModel):
        model, difference = merged(model, prompt_ids(tokenizer, "0123456789"), job.options.dtype)
        if difference:
            print(f"{job.adapter} is not merged, which would change the logits by {difference:.3g}", file=sys.stderr)
            model = attached(job).get_base_model()
    return model.eval(), tokenizer


def attached(job: Job) -> torch.nn.Module:
    """The backbone with the adapter, if any, on it; raises LabError when it does not fit."""
    model = load_model(job.backbone, job.options, job.device)
    check_engine(model, job.options)
    if not job.adapter:
        return model
    try:
        return attach(model, job.adapter)
    except (RuntimeError, ValueError) as error:
        raise LabError(f"the adapter does not fit the backbone: {error}", file=job.adapter) from error


def encode(tokenizer: PreTrainedTokenizerBase, questions: Mapping[int, Question], window: int) -> dict[int, list[int]]:
    """The tokens of every question, similar ones after one another; raises LabError naming the row that cannot be."""
    prompts = fitting([q.text for q in questions.values()], [q.id for q in questions.values()], tokenizer, window)
    prompts = dict(zip(questions, prompts, strict=True))
    return dict(sorted(prompts.items(), key=lambda item: (questions[item[0]].family, len(item[1]), item[0])))


def complete(job: Job, questions: Mapping[int, Question], shown: object) -> Iterator[list[dict]]:
    """Greedy completions, a few batches at a time; the batches of a second attempt are those of the first."""
    model, tokenizer = load(job)
    window = context_of(job.backbone) or 1 << 30
    prompts = encode(tokenizer, questions, window)
    end = end_tokens(job.backbone, tokenizer)
    opened = opened_thinking(tokenizer)
    order = list(prompts)
    size = job.batch * CHUNK
    for start in range(0, len(order), size):
        chunk = order[start : start + size]
        records = []
        for c in ENGINES[job.options.engine](
            model,
            [prompts[i] for i in chunk],
            budget=job.budget,
            batch=job.batch,
            end=end,
            pad=tokenizer.pad_token_id,
            window=window,
        ):
            text = opened + written(tokenizer, c.tokens, end)
            records.append(record(chunk[c.row], text, len(c.tokens), c.finish, c.logprob))
        yield records


def record(row: int, text: str, n_tokens: int, finish: str, logprob: float) -> dict:
    """A completion as `sampling.Engine` states it."""
    return {"row": row, "text": text, "n_tokens": n_tokens, "finish": finish, "logprob_sum": round(logprob, 6)}


def written(tokenizer: PreTrainedTokenizerBase, tokens: list[int], end: set[int]) -> str:
    """The text of the tokens, without the end token of a finished turn."""
    return tokenizer.decode(tokens[:-1] if tokens and tokens[-1] in end else tokens, skip_special_tokens=False)
