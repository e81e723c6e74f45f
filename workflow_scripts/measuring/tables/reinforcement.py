"""Reinforcement, checkpoint by checkpoint: what is rewarded, and what it does to the lines."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from measuring.pooling import with_pooled
from measuring.stats import wilson
from measuring.tables.runs import read_metrics, read_provenance

NEEDS = ("metrics", "provenance", "arms")
CAPTION = """Arms that are trained by reinforcement, at the start (update 0) and at every saved checkpoint: the first
evaluation rows of each family, completed greedily, per stratum and pooled (``all``). accuracy: official grade; valid:
every line is sound; valid_of_right: of the right ones the share whose every line is; with Wilson 95 % intervals for n
rows; mean_tokens; ended: share that ended by itself. reward, kl (divergence from the start per token, empty where it
has no weight), completion_tokens, same_reward (share of groups whose completions were all worth the same): means over
the updates since the checkpoint before, on training rows at the temperature of the draws."""
CHANGE = """that an outcome reward installs the procedure is contradicted by accuracy that rises while valid stays or
falls: what is learned is answers. That it can only teach answers is contradicted by valid that rises with it, most
clearly from a start trained on swapped traces, where nothing else can raise it."""
COLUMNS = [
    "arm", "seed", "start", "reward_kind", "family", "stratum", "update", "n", "accuracy", "accuracy_low",
    "accuracy_high", "valid", "valid_low", "valid_high", "valid_of_right", "valid_of_right_low", "valid_of_right_high",
    "mean_tokens", "ended", "reward", "kl", "completion_tokens", "same_reward",
]  # fmt: skip
COUNTS = ["n", "right", "valid", "right_and_valid", "ended", "tokens"]


def make(metrics: Iterable[str | Path], provenance: Iterable[str | Path], arms: pd.DataFrame) -> pd.DataFrame:
    """One line per arm, seed, checkpoint, family and stratum; none where nothing was measured on the way."""
    lines = []
    for steps_file, made_file in zip(map(Path, metrics), map(Path, provenance), strict=True):
        made = read_provenance(made_file)
        if not made["run"].get("held_out"):
            continue
        arm, seed = steps_file.parts[-3], steps_file.parts[-2].removeprefix("seed-")
        steps, measured = read_metrics(steps_file), pd.DataFrame(made["run"]["held_out"])
        updates = sorted(measured.step.unique())
        before = dict(zip(updates[1:], updates, strict=False))
        long = with_pooled(measured, "stratum").groupby(["step", "family", "stratum"], as_index=False)[COUNTS].sum()
        for _, row in long.iterrows():
            line = {"arm": arm, "seed": seed, "start": arms.at[arm, "start"], "reward_kind": made["recipe"]["reward"]}
            line |= {"family": row.family, "stratum": row.stratum, "update": int(row.step), "n": int(row.n)}
            line |= share("accuracy", row.right, row.n) | share("valid", row.valid, row.n)
            line |= share("valid_of_right", row.right_and_valid, row.right)
            line |= {"mean_tokens": row.tokens / row.n, "ended": row.ended / row.n}
            own = steps[(steps.step > before.get(row.step, row.step)) & (steps.step <= row.step)]
            for name in ("reward", "kl", "completion_tokens", "same_reward"):
                line[name] = float(pd.to_numeric(own[name]).mean()) if len(own) else float("nan")
            lines.append(line)
    return pd.DataFrame(lines, columns=COLUMNS)


def share(name: str, part: float, whole: float) -> dict[str, float]:
    low, high = wilson(part, whole)
    return {name: part / whole if whole else float("nan"), f"{name}_low": low, f"{name}_high": high}
