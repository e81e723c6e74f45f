"""The ledger of all trainings."""

import json
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from common.errors import LabError
from measuring.evidence import all_of
from measuring.pooling import POOLED

NEEDS = ("metrics", "provenance", "tables/accuracy")
CAPTION = """One line per trained adapter and decoder. minutes: in optimiser steps, of all attempts that count;
tokens_per_s over these; peak_memory_mb: of the first rank; loss: mean of the last tenth of the steps, per learned
token; native_voice: probability of the trace's first token under the backbone; hint_accuracy: of the auxiliary
task. official and official STRATUM: accuracy on the test rows; ceiling and ceiling STRATUM: the share of them that
the arm's own rendered texts answer rightly. installed: whether the adapter's arm can do its single steps (table
``steps``), in all its families."""
CHANGE = """if a low loss meant a learned procedure, adapters with a lower loss would come closer to their ceiling;
a low loss far below the ceiling, with steps installed, says that it does not."""
LAST = 0.1  # of the steps, over which the final loss is averaged


def make(metrics: Iterable[str | Path], provenance: Iterable[str | Path], accuracy: pd.DataFrame) -> pd.DataFrame:
    """One line per adapters/ARM/seed-S/metrics.jsonl and decoder."""
    lines, strata = [], {}
    for steps_file, made_file in zip(map(Path, metrics), map(Path, provenance), strict=True):
        steps, made = read_metrics(steps_file), read_provenance(made_file)
        arm, seed = steps_file.parts[-3], steps_file.parts[-2].removeprefix("seed-")
        seconds = float((steps.tokens / steps.tokens_per_s).sum())
        line = {
            "arm": arm,
            "seed": seed,
            "backbone": made["backbone"],
            "method": made["recipe"]["method"],
            "ranks": made["ranks"],
            "gpus": made["gpus"],
            "trainable_parameters": made["run"]["trainable_parameters"],
            "rows": made["run"]["rows"],
            "steps": int(steps.step.iloc[-1]),
            "tokens": int(steps.tokens.sum()),
            "minutes": seconds / 60,
            "tokens_per_s": steps.tokens.sum() / seconds,
            "peak_memory_mb": steps.peak_memory_mb.max(),
            "loss": steps.loss.tail(max(1, round(LAST * len(steps)))).mean(),
            "native_voice": made["run"]["native_voice"],
            "hint_accuracy": made["run"]["hint_accuracy"],
        }
        reached = accuracy.query("arm == @arm and seed == @seed and eval_set == 'test'")
        for decoder, part in reached.groupby("decoder"):
            shares = {}
            for stratum, own in part.groupby("stratum"):
                for name in ("official", "ceiling"):
                    column = name if stratum == POOLED else f"{name} {stratum}"
                    shares[column] = float((own[name] * own.n).sum() / own.n.sum())
            strata |= dict.fromkeys(shares)
            lines.append(line | {"decoder": decoder, "installed": all_of(part.installed)} | shares)
    first = [name for name in strata if name.startswith("official")]
    columns = [*line, *first, "decoder", *(n for n in strata if n not in first), "installed"] if lines else EMPTY
    return pd.DataFrame(lines, columns=columns).astype({"native_voice": float, "hint_accuracy": float})


EMPTY = ["arm", "seed", "backbone", "tokens", "minutes", "tokens_per_s", "peak_memory_mb", "loss", "native_voice",
         "hint_accuracy", "official", "decoder", "ceiling", "installed"]  # fmt: skip
"""The columns of a ledger without a training."""


def read_provenance(path: Path) -> dict:
    """A training's provenance.json; raises LabError when it is missing or lacks what the ledger needs."""
    try:
        made = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise LabError("no such file", file=path) from error
    except json.JSONDecodeError as error:
        raise LabError(f"not JSON ({error})", file=path) from error
    if missing := sorted({"backbone", "recipe", "ranks", "gpus", "run"} - set(made)):
        raise LabError(f"missing {', '.join(missing)}", file=path)
    return made


def read_metrics(path: str | Path) -> pd.DataFrame:
    """A metrics.jsonl (one JSON object per logged step); raises LabError naming file and line."""
    path = Path(path)
    if not path.is_file():
        raise LabError("no such file", file=path)
    records = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            records.append(json.loads(line))
        except json.JSONDecodeError as error:
            raise LabError("not a JSON object", file=path, row=number) from error
    if not records:
        raise LabError("empty file, expected one JSON object per logged step", file=path)
    return pd.DataFrame(records)
