"""From tables of texts to a table of completions, whoever answers: what is asked, and what survives a kill."""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import pyarrow as pa

from common.artifacts import file_hash, read_table, write_table
from common.errors import LabError
from common.progress import progress
from learning.settings import CONFIG, WEIGHTS, BackboneOptions, check_adapter, model_files
from learning.tokens import in_context

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
EXAMPLE = ["family", "prompt", "completion", "answer"]
DONE = "done.jsonl"


@dataclass(frozen=True, slots=True)
class Job:
    """What to complete with what. budget: new tokens per row; batch: rows in flight; device: cpu or cuda.

    corpus: the table of examples, of which `shots` of a row's family stand in its prompt; each seed has its own.
    """

    backbone: str
    adapter: str | None
    texts: tuple[str, ...]
    options: BackboneOptions
    budget: int
    batch: int
    device: str
    state: str
    out: str
    gpus: int = 0
    corpus: str | None = None
    shots: int = 0
    seed: int = 1

    def fingerprint(self) -> str:
        """Of what decides the result; what is done is reused only under the same one."""
        files = [*map(Path, self.texts), *(model_files(self.backbone) if self.backbone else ())]
        files += [Path(self.adapter, name) for name in (WEIGHTS, CONFIG)] if self.adapter else []
        examples = [file_hash(self.corpus), self.shots, self.seed] if self.corpus else []
        machine = [self.batch, self.device] if self.options.here else []
        parts = [[file_hash(f) for f in files], self.budget, machine, self.options.answers(), examples]
        return blake2b(json.dumps(parts, sort_keys=True).encode(), digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True)
class Question:
    """A row to complete. text: its prompt after the examples that stand before it."""

    id: str
    family: str
    text: str


Engine = Callable[[Job, Mapping[int, Question], Mapping[str, list[dict]]], Iterator[list[dict]]]
"""Completes questions by number, given the examples of each family; yields, in any order, what is to be kept at once.

A completion has row (the number), text, n_tokens (None if unknown), finish and logprob_sum (None if unknown).
"""


def engine(options: BackboneOptions) -> Engine:
    """What answers for such a backbone; only its own libraries are imported."""
    if options.endpoint:
        from learning.endpoint import complete
    elif options.baseline:
        from learning.baseline import complete
    elif options.engine == "vllm":
        from learning.vllm_engine import complete
    else:
        from learning.local import complete
    return complete


def examples(job: Job) -> dict[str, list[dict]]:
    """The examples of each family, those of one seed after those of another in the order of the corpus."""
    found: dict[str, list[dict]] = {}
    for row in read_table(job.corpus, EXAMPLE).to_pylist() if job.corpus else []:
        found.setdefault(row["family"], []).append(row)
    start, stop = (job.seed - 1) * job.shots, job.seed * job.shots
    for family, rows in found.items():
        if len(rows) < stop:
            message = f"{len(rows)} examples of {family}; seed {job.seed} needs {stop}, {job.shots} of its own"
            raise LabError(message, file=job.corpus)
    return {family: rows[start:stop] for family, rows in found.items()}


def fault(record: object) -> str:
    """The first field of a completion that does not fit into the table; "" where all do."""
    if not isinstance(record, dict):
        return "completion"
    fits = {
        "row": is_count,
        "text": is_text,
        "finish": is_text,
        "n_tokens": lambda value: value is None or is_count(value),
        "logprob_sum": lambda value: value is None or type(value) in (int, float),
        "served": lambda value: value is None or is_text(value),
    }
    return next((name for name, fit in fits.items() if not fit(record.get(name))), "")


def is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < 2**31


def is_text(value: object) -> bool:
    """Whether a value is a text of whole characters; halves of them (lone surrogates) can come from a server."""
    return isinstance(value, str) and not any("\ud800" <= c <= "\udfff" for c in value)


def kept(path: Path) -> dict[int, dict]:
    """The completions that an earlier attempt wrote down, by number.

    What a kill cut short does not count, nor what does not fit into the table: those rows are asked again.
    """
    done = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else []:
        try:
            records = json.loads(line)
        except json.JSONDecodeError:
            continue
        if isinstance(records, list):
            done.update({record["row"]: record for record in records if not fault(record)})
    return done


def sample(job: Job) -> None:
    """Complete every row of the tables, in their order, and write one table."""
    if job.adapter:
        check_adapter(job.adapter)
    rows = [row for path in job.texts for row in read_table(path, INPUT).to_pylist()]
    shown = examples(job)
    if job.shots and (lacking := {row["family"] for row in rows} - set(shown)):
        raise LabError(f"no examples of {', '.join(sorted(lacking))}", file=job.corpus)
    state = Path(job.state) / job.fingerprint()
    state.mkdir(parents=True, exist_ok=True)
    done = kept(state / DONE)
    before = {f: [(e["prompt"], e["completion"]) for e in own] for f, own in shown.items()}
    left = {
        i: Question(row["id"], row["family"], in_context(row["prompt"], before.get(row["family"], ())))
        for i, row in enumerate(rows)
        if i not in done
    }
    bar = progress(desc="sample", total=len(rows), initial=len(done))
    with bar, open(state / DONE, "a", encoding="utf-8") as log:
        for records in engine(job.options)(job, left, shown) if left else ():
            for record in records:
                if wrong := fault(record):
                    raise LabError(f"{record.get(wrong)!r} cannot be kept", row=left[record["row"]].id, field=wrong)
            log.write("\n" + json.dumps(records))  # the line break first: it also ends a line that a kill cut short
            log.flush()
            done.update({record["row"]: record for record in records})
            bar.update(len(records))
    out = []
    for i, row in enumerate(rows):
        total, n = done[i]["logprob_sum"], done[i]["n_tokens"]
        mean = None if total is None else round(total / max(1, n), 6)
        out.append({**row, "sample": 0, **{k: v for k, v in done[i].items() if k != "row"}, "logprob_mean": mean})
    params = {"budget": job.budget, "shots": job.shots, "seed": job.seed, **job.options.answers()}
    if served := sorted({record["served"] for record in done.values() if record.get("served")}):
        params["served"] = served
    write_table(job.out, out, SCHEMA, params=params, sources=())
    shutil.rmtree(state, ignore_errors=True)
