"""What tables and figures are made from: which files of a run hold it, and how they are read."""

import argparse
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from common.artifacts import read_table, table_note
from common.config import IN_CONTEXT, USUAL_DECODER, read_text
from common.errors import LabError
from puzzles.registry import FAMILIES
from reasoning.grammar.reveal import Reveal

GRADE_COLUMNS = (
    "id", "family", "design", "reveal", "stratum", "sample", "official", "strict", "parsed", "boxed", "failure",
    "n_tokens",
)  # fmt: skip
ROW_COLUMNS = (
    "id", "family", "design", "sample", "n_lines", "n_malformed", "valid", "perfect", "failure_line", "failure_kind",
    "failure_axis", "ending",
)  # fmt: skip
PROBE_COLUMNS = (
    "id", "family", "design", "reveal", "stratum", "line", "kind", "n_tokens", "logprob", "n_first",
)  # fmt: skip
COMPLETION_COLUMNS = ("id", "family", "stratum", "sample", "n_tokens", "n_decoded", "logprob_sum", "notes")
PUBLISHED_COLUMNS = (
    "table", "row", "measure", "stratum", "value", "n", "ci_low", "ci_high", "held_out", "source",
)  # fmt: skip


def has_key(family: str) -> bool:
    """Whether the family's rows have a hidden key, so that digits of it can be shown."""
    return FAMILIES[family].has_key


@dataclass(frozen=True)
class Run:
    """Where the artifacts of a run lie. arms: the table of arms, indexed by arm."""

    results: str
    arms: pd.DataFrame
    eval_sets: tuple[str, ...]
    arms_file: str = ""
    published: str = "config/published.csv"

    @staticmethod
    def add_arguments(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--results", required=True, help="folder of the run, such as results/main")
        parser.add_argument("--arms", required=True, help="the table of arms")
        parser.add_argument("--eval-sets", nargs="+", default=["test"], help="test, real")
        parser.add_argument("--published", default="config/published.csv", help="the published numbers")

    @classmethod
    def of(cls, args: argparse.Namespace) -> "Run":
        arms = read_arms(args.arms)
        return cls(args.results, arms, tuple(args.eval_sets), args.arms, args.published)

    @property
    def families(self) -> list[str]:
        return sorted({family for row in self.arms.families for family in row})

    def is_evaluated(self, arm: str, eval_set: str) -> bool:
        """Real rows have neither key nor rules, so arms that show either skip them."""
        return eval_set != "real" or self.arms.at[arm, "reveal"] == "0"

    def cells(self, folder: str, suffix: str = ".parquet") -> list[str]:
        """FOLDER/ARM/seed-S/DECODER/EVAL_SET of every arm, seed, decoder and evaluation set."""
        return [
            f"{self.results}/{folder}/{arm}/seed-{seed}/{decoder}/{eval_set}{suffix}"
            for arm, row in self.arms.iterrows()
            for seed in range(1, int(row.seeds) + 1)
            for decoder in row.decoders
            for eval_set in self.eval_sets
            if self.is_evaluated(arm, eval_set)
        ]

    def texts(self, arm: str, split: str) -> list[str]:
        """The rendered texts of an arm, one table per family. What a model is shown never depends on the corruption."""
        row = self.arms.loc[arm]
        tail = f"{row.design}/reveal-{row.reveal}/{row.corruption if split == 'train' else 'none'}/{split}.parquet"
        return [f"{self.results}/texts/{family}/{tail}" for family in row.families]

    def own_texts(self) -> list[str]:
        """The texts that the arms would have written themselves of the rows on which they are evaluated."""
        found = (
            path
            for arm in self.arms.index
            for eval_set in self.eval_sets
            if self.is_evaluated(arm, eval_set)
            for path in self.texts(arm, eval_set)
        )
        return list(dict.fromkeys(found))

    def per_family(self, pattern: str, families: Iterable[str] | None = None) -> list[str]:
        """One file per family and evaluation set."""
        wanted = self.families if families is None else families
        return [f"{self.results}/{pattern.format(f=f, s=s)}" for f in wanted for s in self.eval_sets]

    def trainings(self, name: str) -> list[str]:
        """A file of every adapter."""
        return [
            f"{self.results}/adapters/{arm}/seed-{seed}/{name}"
            for arm, row in self.arms.iterrows()
            if row.recipe != IN_CONTEXT
            for seed in range(1, int(row.seeds) + 1)
        ]

    def probes(self, suffix: str = ".parquet") -> list[str]:
        """The teacher-forced probe of every adapter on every evaluation set."""
        return [
            f"{self.results}/probes/{arm}/seed-{seed}/{eval_set}{suffix}"
            for arm, row in self.arms.iterrows()
            if row.recipe != IN_CONTEXT
            for seed in range(1, int(row.seeds) + 1)
            for eval_set in self.eval_sets
            if self.is_evaluated(arm, eval_set)
        ]

    def corpora(self) -> list[str]:
        """The training examples of every arm's first seed; in context, those that may stand in the prompt."""
        return [f"{self.results}/corpora/{arm}/seed-1.parquet" for arm in self.arms.index]

    def with_forward(self) -> list[str]:
        """The families that have a forward design."""
        from reasoning.registry import DESIGNS

        return [family for family in self.families if (family, "forward") in DESIGNS]

    def files(self, need: str) -> list[str]:
        """The files of one need; raises LabError naming the needs there are."""
        if need.startswith("tables/"):
            return [f"{self.results}/{need}.parquet"]
        if need not in FILES:
            raise LabError(f"unknown {need!r}; expected tables/NAME or one of {', '.join(FILES)}", field="NEEDS")
        return FILES[need](self)

    def read(self, need: str) -> Any:
        """A need as `make` gets it: a data frame, or the paths where the module reads them itself."""
        files = self.files(need)
        return read_table(files[0]).to_pandas() if need.startswith("tables/") else READ.get(need, list)(files)


def read_arms(path: str | Path) -> pd.DataFrame:
    """The table of arms, indexed by arm, `families` and `decoders` tuples; the workflow has checked it.

    source and start are "" where an arm has none.
    """
    lines = [line for line in read_text(Path(path)).split("\n") if line.strip() and not line.startswith("#")]
    columns = lines[0].split("\t")
    cells = [[cell.strip() for cell in line.split("\t")] for line in lines[1:]]
    rows = [dict(zip(columns, row + [""] * (len(columns) - len(row)), strict=True)) for row in cells]
    for row in rows:
        row["families"] = tuple(row["families"].split(","))
        row.update(source=row.get("source", ""), start=row.get("start", ""))
        row["decoders"] = tuple(name.strip() for name in (row.get("decoders") or USUAL_DECODER).split(","))
    return pd.DataFrame.from_records(rows).set_index("arm")


def cell_of(path: str | Path, decoded: bool = True) -> dict[str, str]:
    """arm, seed, decoder and eval_set of a path ARM/seed-S/DECODER/SET.parquet; without a decoder, ARM/seed-S/SET."""
    path = Path(path)
    names = ("arm", "seed", "decoder") if decoded else ("arm", "seed")
    cell = dict(zip(names, path.parts[-len(names) - 1 : -1], strict=False))
    if not cell.get("seed", "").startswith("seed-"):
        raise LabError(f"expected a path that ends in ARM/seed-S/{'DECODER/' * decoded}EVAL_SET.parquet", file=path)
    return cell | {"seed": cell["seed"].removeprefix("seed-"), "eval_set": path.name.split(".")[0]}


def read_cells(paths: Iterable[str | Path], columns: Iterable[str]) -> pd.DataFrame:
    """The tables under one another, with arm, seed, decoder and eval_set from their paths."""
    frames = [read_table(path, columns).to_pandas().assign(**cell_of(path)) for path in paths]
    if not frames:
        raise LabError("no tables were given")
    return pd.concat(frames, ignore_index=True)


def read_grades(paths: Iterable[str | Path]) -> pd.DataFrame:
    """All graded completions; reveal is the number of digits shown, order, rule and slate (candidate keys, 0: none)
    what else the arm's reveal says."""
    frame = read_cells(paths, GRADE_COLUMNS)
    shown = frame.reveal.map({text: Reveal.parse(text) for text in frame.reveal.unique()})
    names = {"reveal": "digits", "order": "order", "rule": "rule", "slate": "slate"}
    return frame.assign(**{name: [getattr(each, field) for each in shown] for name, field in names.items()})


def read_completions(paths: Iterable[str | Path]) -> pd.DataFrame:
    """All completions without their texts; kind: of the decoder, settings: its other ones as JSON."""
    frames = []
    for path in paths:
        told = table_note(path).get("params", {})
        decoder = dict(json.loads(told["selection"]) if "selection" in told else told.get("decoder", {}))
        kind = decoder.pop("kind", "")
        frame = read_table(path, COMPLETION_COLUMNS).to_pandas()
        frames.append(frame.assign(kind=kind, settings=json.dumps(decoder, sort_keys=True), **cell_of(path)))
    return pd.concat(frames, ignore_index=True)


def read_probes(paths: Iterable[str | Path]) -> pd.DataFrame:
    """All lines of the teacher-forced probes, with arm, seed and eval_set from their paths; no rows without probes."""
    empty = pd.DataFrame(columns=[*PROBE_COLUMNS, "arm", "seed", "eval_set"])
    frames = [read_table(path, PROBE_COLUMNS).to_pandas().assign(**cell_of(path, decoded=False)) for path in paths]
    return pd.concat(frames, ignore_index=True) if frames else empty


def read_published(path: str | Path) -> pd.DataFrame:
    """The published numbers (a CSV with PUBLISHED_COLUMNS). held_out: whether the rows were kept out of training."""
    path = Path(path)
    if not path.is_file():
        raise LabError("no such file", file=path)
    frame = pd.read_csv(path, dtype={"held_out": str})
    missing = set(PUBLISHED_COLUMNS) - set(frame.columns)
    if missing:
        raise LabError(f"missing column(s) {', '.join(sorted(missing))}", file=path)
    return frame


FILES: dict[str, Callable[[Run], list[str]]] = {
    "arms": lambda run: [run.arms_file],
    "published": lambda run: [run.published],
    "grades": lambda run: run.cells("grades"),
    "lines": lambda run: run.cells("audits"),
    "rows": lambda run: run.cells("audits", ".rows.parquet"),
    "kinds": lambda run: run.cells("audits", ".kinds.parquet"),
    "completions": lambda run: run.cells("completions"),
    "probes": lambda run: run.probes(),
    "early_probes": lambda run: run.probes(".early.parquet"),
    "texts": lambda run: run.own_texts(),
    "puzzles": lambda run: run.per_family("puzzles/{f}/{s}.parquet"),
    "train_puzzles": lambda run: [f"{run.results}/puzzles/{f}/train.parquet" for f in run.families],
    "solutions": lambda run: run.per_family("solutions/{f}/{s}.parquet"),
    "closures": lambda run: run.per_family("closures/{f}/{s}.parquet", filter(has_key, run.families)),
    "hypotheses": lambda run: run.per_family("hypotheses/{f}/{s}.parquet", filter(has_key, run.families)),
    "corpora": lambda run: run.corpora(),
    "forward": lambda run: run.per_family("texts/{f}/forward/reveal-0/none/{s}.parquet", run.with_forward()),
    "metrics": lambda run: run.trainings("metrics.jsonl"),
    "provenance": lambda run: run.trainings("provenance.json"),
}
"""What can be needed, beside tables/NAME."""
READ: dict[str, Callable[[list[str]], Any]] = {
    "arms": lambda paths: read_arms(paths[0]),
    "published": lambda paths: read_published(paths[0]),
    "grades": read_grades,
    "completions": read_completions,
    "probes": read_probes,
    "early_probes": read_probes,
    "rows": lambda paths: read_cells(paths, ROW_COLUMNS),
}
"""Needs that come as a data frame; the others as paths."""
ORDER = list(FAMILIES)
"""The families, easy ones first."""
