"""The engines that run a model here, token by token: the backbone, its adapter merged in, and prompts as tokens."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from peft import PeftModel
from transformers import PreTrainedTokenizerBase

from common.errors import LabError
from learning.adapters import CONFIG, WEIGHTS, attach, probe
from learning.backbones import context_of, end_tokens, load_model, load_tokenizer
from learning.decoding import ENGINES
from learning.sampling import Job, Question
from learning.tokens import opened_thinking, prompt_ids, require_characters

CHUNK = 8  # batches that are kept at once


def check_adapter(folder: str) -> None:
    """Raise LabError when a file of the adapter is missing."""
    for name in (WEIGHTS, CONFIG):
        if not Path(folder, name).is_file():
            raise LabError(f"missing {name}; run the `train` rule first", file=folder)


def load(job: Job):
    """(model with the adapter merged in, tokenizer). Merging is kept only if the logits of a prompt stay the same."""
    tokenizer = load_tokenizer(job.backbone)
    model = load_model(job.backbone, job.options, job.device)
    if job.adapter:
        check_adapter(job.adapter)
        try:
            wrapped = attach(model, job.adapter)
        except (RuntimeError, ValueError) as error:
            raise LabError(f"the adapter does not fit the backbone: {error}", file=job.adapter) from error
        ids = prompt_ids(tokenizer, "0123456789")
        before = probe(wrapped, ids)
        model = wrapped.merge_and_unload() if isinstance(wrapped, PeftModel) else wrapped
        gap = float((probe(model, ids) - before).abs().max())
        if gap > (1e-3 if job.options.dtype == "float32" else 5e-2) * max(1.0, float(before.abs().max())):
            raise LabError(f"merging the adapter changes the logits by {gap:.3g}", file=job.adapter)
    return model.eval(), tokenizer


def encode(tokenizer: PreTrainedTokenizerBase, questions: Mapping[int, Question], window: int) -> dict[int, list[int]]:
    """The tokens of every question, similar ones after one another; raises LabError naming the row that cannot be."""
    require_characters(tokenizer, [q.text for q in questions.values()], [q.id for q in questions.values()])
    prompts = {i: prompt_ids(tokenizer, question.text) for i, question in questions.items()}
    for i, prompt in prompts.items():
        if len(prompt) >= window:
            message = f"a prompt of {len(prompt)} tokens fills the context of {window}"
            raise LabError(message, row=questions[i].id)
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
