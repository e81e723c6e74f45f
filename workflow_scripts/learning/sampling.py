"""From tables of texts to a table of completions, whoever answers: what is asked, and what survives a kill."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pyarrow as pa

from common.artifacts import file_hash, read_table, write_table
from common.errors import LabError
from common.progress import progress
from learning.decoders.base import Decoding, Stream
from learning.engines import Engine, Opening, Question, engine_of, open_engine, versions
from learning.records import fault
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
        ("n_decoded", pa.int32()),
        ("finish", pa.string()),
        ("logprob_sum", pa.float64()),
        ("logprob_mean", pa.float64()),
        ("notes", pa.string()),
    ]
)
EXAMPLE = ["family", "prompt", "completion", "answer"]
DONE = "done.jsonl"


@dataclass(frozen=True, slots=True)
class SampleJob:
    """What to complete with what, and how. device: cpu or cuda; rows: the first so many of each table, 0 for all.

    corpus: the table of examples, of which `shots` of a row's family stand in its prompt. seed: of the arm; each has
    its own examples and draws. told: the files that tutors are made of, for a decoder that asks for them.
    """

    backbone: str
    adapter: str | None
    texts: tuple[str, ...]
    options: BackboneOptions
    decoder: Decoding
    device: str
    state: str
    out: str
    gpus: int = 0
    corpus: str | None = None
    shots: int = 0
    seed: int = 1
    rows: int = 0
    told: tuple[str, ...] = ()

    def fingerprint(self) -> str:
        """Hash of everything that affects the completions; what is done is reused only on a match."""
        files = [*map(Path, self.texts), *(model_files(self.backbone) if self.backbone else ())]
        files += [Path(self.adapter, name) for name in (WEIGHTS, CONFIG)] if self.adapter else []
        files += [Path(each) for each in ((self.corpus,) if self.corpus else ()) + self.told]
        parts = [[file_hash(f) for f in files], self.device, self.how()]
        return blake2b(json.dumps(parts, sort_keys=True).encode(), digest_size=8).hexdigest()

    def how(self) -> dict:
        """Who completes how, for the table's metadata: engine and its versions, decoder and its settings, seed."""
        engine, decoder = engine_of(self.options), asdict(self.decoder)
        if not self.options.here:  # rows do not meet there
            del decoder["batch"]
        return {
            "engine": engine,
            **self.options.answers(),
            **versions(engine),
            "decoder": {"kind": type(self.decoder).__module__.rpartition(".")[2], **decoder},
            "shots": self.shots,
            "seed": self.seed,
            "rows": self.rows,
        }


def examples(job: SampleJob) -> dict[str, list[dict]]:
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


def kept(path: Path) -> dict[tuple[int, int], dict]:
    """What an earlier attempt wrote down, by row and sample.

    What a kill cut short does not count, nor what does not fit into the table: it is asked again.
    """
    done = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else []:
        try:
            records = json.loads(line)
        except json.JSONDecodeError:
            continue
        if isinstance(records, list):
            whole = [record for record in records if not fault(record, places=True)]
            done.update({(record["row"], record["sample"]): record for record in whole})
    return done


def read_rows(job: SampleJob) -> tuple[list[dict], list[str]]:
    """(the rows to complete, the completion that the design renders for each, "" for none)."""
    rows, targets = [], []
    for path in job.texts:
        table = read_table(path)
        own = read_table(path, INPUT).to_pylist()[: job.rows or None]
        rows += own
        rendered = table["completion"].to_pylist() if "completion" in table.column_names else [""] * len(own)
        targets += [text or "" for text in rendered[: len(own)]]
    return rows, targets


def check_length(job: SampleJob, engine: Engine, streams: list[Stream]) -> None:
    """Raise LabError where a completion as the design renders it could not be written to its end: it would be counted
    as a failure of the model. Only a tokenizer knows, so servers and baselines are not asked."""
    if not engine.together:
        return
    targets = [s for s in streams if s.sample == 0 and s.question.target]
    lengths = [(engine.length(s.question), len(s.beginning), s) for s in targets]
    budget = job.decoder.max_tokens
    longest, _, stream = max(lengths, key=lambda each: each[0], default=(0, 0, None))
    if longest > budget:
        message = f"the design's own completion has {longest} tokens, the decoder writes at most {budget}"
        raise LabError(message, file=job.out, row=stream.question.id, field="max_tokens")
    longest, prompt, stream = max(lengths, key=lambda each: each[0] + each[1], default=(0, 0, None))
    if longest + prompt > engine.window:
        message = f"a prompt of {prompt} tokens and the design's own completion of {longest} exceed the context"
        raise LabError(f"{message} of {engine.window}", file=job.out, row=stream.question.id)


def sample(job: SampleJob, tutors: Mapping[tuple[str, str], Any] | None = None) -> None:
    """Complete every row of the tables, in their order, and write one table. tutors: (family, id) -> that of a row."""
    if job.adapter:
        check_adapter(job.adapter)
    rows, targets = read_rows(job)
    shown = examples(job)
    if job.shots and (lacking := {row["family"] for row in rows} - set(shown)):
        raise LabError(f"no examples of {', '.join(sorted(lacking))}", file=job.corpus)
    before = {f: [(e["prompt"], e["completion"]) for e in own] for f, own in shown.items()}
    engine = open_engine(
        Opening(
            job.backbone, job.adapter, job.options, job.decoder.batch, job.device, job.gpus, shown if job.shots else {}
        )
    )
    questions = [
        Question(
            row["id"],
            row["family"],
            in_context(row["prompt"], before.get(row["family"], ())),
            target,
            (tutors or {}).get((row["family"], row["id"])),
        )
        for row, target in zip(rows, targets, strict=True)
    ]
    streams = [
        Stream(i, k, question, beginning)
        for i, question in enumerate(questions)
        for beginning in [engine.begin(question)]
        for k in range(job.decoder.samples)
    ]
    if engine.together:  # similar ones after one another
        streams.sort(key=lambda s: (s.question.family, len(s.beginning), s.row, s.sample))
    check_length(job, engine, streams)
    state = Path(job.state) / job.fingerprint()
    state.mkdir(parents=True, exist_ok=True)
    done = kept(state / DONE)
    left = [stream for stream in streams if (stream.row, stream.sample) not in done]
    bar = progress(desc="sample", unit="completion", total=len(streams), initial=len(done))
    with bar, open(state / DONE, "a", encoding="utf-8") as log:
        for records in job.decoder.decode(engine, left, job.seed) if left else ():
            for record in records:
                if wrong := fault(record, places=True):
                    message = f"{record.get(wrong)!r} cannot be kept"
                    raise LabError(message, row=rows[record["row"]]["id"], field=wrong)
            log.write("\n" + json.dumps(records))  # the line break first: it also ends a line that a kill cut short
            log.flush()
            done.update({(record["row"], record["sample"]): record for record in records})
            bar.update(len(records))
    params = job.how()
    if served := sorted({record["served"] for record in done.values() if record.get("served")}):
        params["served"] = served
    table = [completion(rows[i], done[i, k]) for i in range(len(rows)) for k in range(job.decoder.samples)]
    write_table(job.out, table, SCHEMA, params=params, sources=())
    shutil.rmtree(state, ignore_errors=True)


def completion(row: Mapping, record: Mapping) -> dict:
    """A row of the table of completions."""
    total, n = record["logprob_sum"], record["n_tokens"]
    mean = None if total is None else round(total / max(1, n), 6)
    notes = json.dumps(record["notes"], sort_keys=True) if record.get("notes") else None
    return {**row, **{k: v for k, v in record.items() if k != "row"}, "logprob_mean": mean, "notes": notes}
