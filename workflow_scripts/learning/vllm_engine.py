"""Completions by vLLM, which applies the adapter without merging it. The package is not among the requirements."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from common.errors import LabError
from learning.adapters import CONFIG
from learning.backbones import context_of, end_tokens, load_tokenizer
from learning.local import CHUNK, encode, record, written
from learning.sampling import Job, Question
from learning.settings import MAX_RANK
from learning.tokens import opened_thinking


def complete(job: Job, questions: Mapping[int, Question], shown: object) -> Iterator[list[dict]]:
    """Greedy completions, a few batches at a time."""
    try:
        from vllm import LLM, SamplingParams
        from vllm.lora.request import LoRARequest
    except ImportError as error:
        raise LabError(f"the engine vllm needs the package vllm ({error}); pip install vllm", field="engine") from None
    if job.adapter:
        if json.loads(Path(job.adapter, CONFIG).read_text()).get("method") == "full":
            raise LabError("vLLM puts on LoRA adapters, not new values of every parameter", file=job.adapter)
    tokenizer = load_tokenizer(job.backbone)
    window = context_of(job.backbone) or 1 << 30
    prompts = encode(tokenizer, questions, window)
    longest = max(map(len, prompts.values()))
    end = end_tokens(job.backbone, tokenizer)
    model = LLM(
        model=str(job.backbone),
        dtype=job.options.dtype,
        tensor_parallel_size=max(1, job.gpus),
        max_model_len=min(window, longest + job.budget),
        max_num_seqs=job.batch,
        enable_lora=bool(job.adapter),
        max_lora_rank=MAX_RANK,
        generation_config="vllm",  # not the repository's own temperature
        seed=0,
    )
    adapter = LoRARequest("adapter", 1, str(Path(job.adapter).resolve())) if job.adapter else None
    opened = opened_thinking(tokenizer)
    order = list(prompts)
    size = job.batch * CHUNK
    for start in range(0, len(order), size):
        chunk = order[start : start + size]
        outputs = model.generate(
            [{"prompt_token_ids": prompts[i]} for i in chunk],
            [
                SamplingParams(
                    temperature=0,
                    max_tokens=min(job.budget, window - len(prompts[i])),
                    stop_token_ids=sorted(end),
                    logprobs=0,  # of the chosen token only
                    detokenize=False,
                )
                for i in chunk
            ],
            lora_request=adapter,
            use_tqdm=False,
        )
        records = []
        for i, output in zip(chunk, outputs, strict=True):
            tokens, finish, logprob = completed(output.outputs[0])
            records.append(record(i, opened + written(tokenizer, tokens, end), len(tokens), finish, logprob))
        yield records


def completed(output) -> tuple[list[int], str, float]:
    """(tokens, finish, log-probability) of a vllm.CompletionOutput."""
    if output.finish_reason not in ("stop", "length"):
        raise LabError(f"vLLM ended a completion with {output.finish_reason!r}", field="finish_reason")
    return list(output.token_ids), output.finish_reason, output.cumulative_logprob
