"""Completions by vLLM, which applies the adapter without merging it. The package is not among the requirements."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from common.errors import LabError
from learning.engines import Extension, Opening, Question, Request
from learning.engines.local import Tokens
from learning.settings import CONFIG, MAX_RANK


class Engine(Tokens):
    """A model that vLLM holds, made at the first request for the longest of the questions begun until then."""

    def __init__(self, opening: Opening):
        try:
            import vllm
            from vllm.lora.request import LoRARequest
        except ImportError as error:
            message = f"the engine vllm needs the package vllm ({error}); pip install vllm"
            raise LabError(message, field="engine") from None
        super().__init__(opening)
        self.package, self.model, self.adapter = vllm, None, None
        self.longest = 1
        if opening.adapter:
            if json.loads(Path(opening.adapter, CONFIG).read_text()).get("method") == "full":
                raise LabError("vLLM puts on LoRA adapters, not new values of every parameter", file=opening.adapter)
            self.adapter = LoRARequest("adapter", 1, str(Path(opening.adapter).resolve()))

    def begin(self, question: Question, written: str = "") -> list[int]:
        """See learning.engines.Engine."""
        ids = super().begin(question, written)
        self.longest = max(self.longest, len(ids))
        return ids

    def extend(
        self,
        requests: Sequence[Request],
        *,
        temperature: float = 0.0,
        stop: frozenset[int] = frozenset(),
        keep: bool = False,
    ) -> Iterator[Extension]:
        """See learning.engines.Engine. vLLM remembers beginnings by itself."""
        if self.model is None:
            self.model = self.made(self.longest + max(request.budget for request in requests))
        first = 0
        while first < len(requests):
            asked = [(i, j, requests[i], seed) for i in range(first, len(requests)) for j, seed in
                     enumerate(requests[i].seeds)]  # fmt: skip
            first = len(requests)
            outputs = self.model.generate(
                [{"prompt_token_ids": list(request.beginning)} for _, _, request, _ in asked],
                [
                    self.package.SamplingParams(
                        temperature=temperature,
                        seed=seed if temperature else None,
                        max_tokens=min(request.budget, self.window - len(request.beginning)),
                        stop_token_ids=sorted(self.end | stop),
                        logprobs=0,  # of the chosen token only
                        detokenize=False,
                    )
                    for _, _, request, seed in asked
                ],
                lora_request=self.adapter,
                use_tqdm=False,
            )
            for (request, sample, _, _), output in zip(asked, outputs, strict=True):
                yield completed(output.outputs[0], request, sample, stop)

    def made(self, length: int):
        """vLLM's model, for texts of so many tokens: it keeps memory for the longest."""
        return self.package.LLM(
            model=str(self.opening.backbone),
            dtype=self.opening.options.dtype,
            tensor_parallel_size=max(1, self.opening.gpus),
            max_model_len=min(self.window, length),
            max_num_seqs=self.opening.batch,
            enable_lora=bool(self.opening.adapter),
            max_lora_rank=MAX_RANK,
            logprobs_mode="raw_logprobs",  # of the model, whatever the temperature
            generation_config="vllm",  # not the repository's own temperature
            seed=0,
        )


def completed(output, request: int, sample: int, stop: frozenset[int]) -> Extension:
    """A vllm.CompletionOutput as an extension."""
    if output.finish_reason not in ("stop", "length"):
        raise LabError(f"vLLM ended a completion with {output.finish_reason!r}", field="finish_reason")
    tokens = list(output.token_ids)
    logprobs = [step[token].logprob for token, step in zip(tokens, output.logprobs, strict=True)]
    finish = "pause" if tokens and tokens[-1] in stop else output.finish_reason
    return Extension(request, sample, tokens, logprobs, finish=finish)
