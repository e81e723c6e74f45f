"""From tables of texts to a table of completions: model, prompts, and partial results that survive a kill."""

import json
import os
import shutil
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import pyarrow as pa
import torch
from peft import PeftModel
from tqdm import tqdm

from common.artifacts import file_hash, read_table, whole, write_table
from common.errors import LabError
from learning.adapters import CONFIG, WEIGHTS, attach, probe
from learning.backbones import load_model, load_tokenizer
from learning.decoding import ENGINES
from learning.settings import BackboneOptions
from learning.tokens import opened_thinking, prompt_ids, require_characters

INPUT = ["id", "family", "design", "reveal", "stratum", "prompt", "answer"]
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("family", pa.string()),
        ("design", pa.string()),
        ("reveal", pa.string()),
        ("stratum", pa.string()),
        ("prompt", pa.string()),
        ("answer", pa.string()),
        ("sample", pa.int32()),
        ("text", pa.string()),
        ("n_tokens", pa.int32()),
        ("finish", pa.string()),
        ("logprob_sum", pa.float64()),
        ("logprob_mean", pa.float64()),
    ]
)
CHUNK = 8  # batches per part file


@dataclass(frozen=True, slots=True)
class Job:
    """What to decode with what. budget: new tokens per row; batch: rows in flight."""

    backbone: str
    adapter: str | None
    texts: tuple[str, ...]
    options: BackboneOptions
    budget: int
    batch: int
    device: str
    state: str
    out: str

    def fingerprint(self) -> str:
        """Of what decides the result; parts are reused only under the same one."""
        files = [*sorted(Path(self.backbone).glob("*.safetensors")), *map(Path, self.texts)]
        files += [Path(self.adapter, WEIGHTS)] if self.adapter else []
        parts = [[file_hash(f) for f in files], self.budget, self.batch, self.options.dtype, self.options.engine]
        return blake2b(json.dumps(parts).encode(), digest_size=8).hexdigest()


def load(job: Job):
    """(model with the adapter merged in, tokenizer). Merging is kept only if the logits of a prompt stay the same."""
    tokenizer = load_tokenizer(job.backbone)
    model = load_model(job.backbone, job.options, job.device)
    if job.adapter:
        for name in (WEIGHTS, CONFIG):
            if not Path(job.adapter, name).is_file():
                raise LabError(f"missing {name}; run the `train` rule first", file=job.adapter)
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


def sample(job: Job) -> None:
    """Decode every row of the tables, in their order, and write one table."""
    rows = [row for path in job.texts for row in read_table(path, INPUT).to_pylist()]
    state = Path(job.state) / job.fingerprint()
    state.mkdir(parents=True, exist_ok=True)
    done = {}
    for part in state.glob("part-*.json"):
        done.update({record["row"]: record for record in json.loads(part.read_text())})
    left = [i for i in range(len(rows)) if i not in done]
    if left:
        model, tokenizer = load(job)
        require_characters(tokenizer, [rows[i]["prompt"] for i in left], [rows[i]["id"] for i in left])
        prompts = {i: prompt_ids(tokenizer, rows[i]["prompt"]) for i in left}
        window = getattr(model.config, "max_position_embeddings", None) or 1 << 30
        for i in left:
            if len(prompts[i]) >= window:
                raise LabError(f"a prompt of {len(prompts[i])} tokens fills the context of {window}", row=rows[i]["id"])
        left.sort(key=lambda i: (rows[i]["family"], len(prompts[i]), i))
        end = end_tokens(model, tokenizer)
        opened = opened_thinking(tokenizer)
        progress = tqdm(total=len(rows), initial=len(done), unit="row", disable=not os.isatty(2))
        size = job.batch * CHUNK
        for start in range(0, len(left), size):
            chunk = left[start : start + size]
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
                kept = c.tokens[:-1] if c.finish == "stop" else c.tokens
                records.append(
                    {
                        "row": chunk[c.row],
                        "text": opened + tokenizer.decode(kept, skip_special_tokens=False),
                        "n_tokens": len(c.tokens),
                        "finish": c.finish,
                        "logprob_sum": round(c.logprob, 6),
                    }
                )
                progress.update()
            with whole(state / f"part-{chunk[0]:07d}.json") as partial:
                partial.write_text(json.dumps(records))
            done.update({record["row"]: record for record in records})
        progress.close()
    out = []
    for i, row in enumerate(rows):
        record = done[i]
        mean = round(record["logprob_sum"] / max(1, record["n_tokens"]), 6)
        out.append({**row, "sample": 0, **{k: v for k, v in record.items() if k != "row"}, "logprob_mean": mean})
    write_table(job.out, out, SCHEMA, params={"budget": job.budget}, sources=())
    shutil.rmtree(state, ignore_errors=True)


def end_tokens(model: torch.nn.Module, tokenizer) -> set[int]:
    """The tokens that end a turn: the tokenizer's own and those of the model's generation settings."""
    listed = getattr(model.generation_config, "eos_token_id", None)
    return {tokenizer.eos_token_id, *(listed if isinstance(listed, list) else [listed])} - {None}
