"""The tables: one function each, from the graded completions and the solvers' results to a data frame."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from common.artifacts import read_table
from common.config import IN_CONTEXT
from common.errors import LabError
from measuring.stats import holm, mcnemar, wilson
from reasoning.grammar.reveal import Reveal

GRADE_COLUMNS = (
    "id",
    "family",
    "design",
    "reveal",
    "stratum",
    "sample",
    "official",
    "strict",
    "parsed",
    "boxed",
    "failure",
    "n_tokens",
)
KIND_COLUMNS = (
    "family", "design", "kind", "n", "transcription_n", "transcription_right", "arithmetic_n", "arithmetic_right",
    "verdict_n", "verdict_right", "declared", "trained", "fixed",
)  # fmt: skip
ROW_COLUMNS = ("id", "family", "design", "n_lines", "n_malformed", "valid", "perfect", "failure_kind", "failure_axis")
SCREEN_COLUMNS = (
    "family", "design", "reveal", "kind", "n_rows", "share_rendered", "chars_mean", "chars_p95", "tokens_mean",
    "lines_per_row", "wrong_answers", "undetermined", "coverage", "verdict_kinds", "one_outcome", "verdict_top",
    "verdict_bits", "verdict_free", "verdict_given_line", "unwitnessed", "unchecked", "bare", "bare_digits",
    "bare_rules", "fetch_mean", "fetch_p95", "branching", "flags", "n_lines", "outcomes_seen",
)  # fmt: skip
STUDY = {
    "tiered": "r1", "decode-first": "r2", "truthful": "r3", "policy-search": "r4", "two-regime": "r5", "hardened": "r6",
    "forced-chain": "r7", "witness": "r8", "anchor": "r9", "anchor-capped": "r10", "anchor-sized": "r11",
    "honest-columns": "honest-r1", "honest-products": "honest-r2", "honest-branch": "honest-r3",
}  # fmt: skip
"""Design -> the published run that it re-implements."""
STUDY_MEASURES = ("tokens_mean", "share_rendered", "bare_digits", "bare_rules", "one_outcome_lines", "wrong_answers")
"""The measures of a screen that were published too; `one_outcome_lines` there: of the lines that strike out rules."""
POOLED = "all"
Grader = Callable[[str, str], bool]
"""Whether a prediction (first) answers the puzzle whose gold answer is the second."""


def read_cells(paths: Iterable[str | Path], columns: Iterable[str]) -> pd.DataFrame:
    """The tables under one another, with arm, seed, decoder and eval_set from paths ARM/seed-S/DECODER/SET.parquet."""
    frames = []
    for path in map(Path, paths):
        arm, seed, decoder = path.parts[-4:-1] if len(path.parts) >= 4 else ("", "", "")
        if not seed.startswith("seed-"):
            raise LabError("expected a path that ends in ARM/seed-S/DECODER/EVAL_SET.parquet", file=path)
        frame = read_table(path, columns).to_pandas()
        frames.append(
            frame.assign(arm=arm, seed=seed.removeprefix("seed-"), decoder=decoder, eval_set=path.name.split(".")[0])
        )
    if not frames:
        raise LabError("no tables were given")
    return pd.concat(frames, ignore_index=True)


def read_grades(paths: Iterable[str | Path]) -> pd.DataFrame:
    """All graded completions; reveal is the number of digits shown, order and rule what else the arm's reveal says."""
    frame = read_cells(paths, GRADE_COLUMNS)
    shown = frame.reveal.map({text: Reveal.parse(text) for text in frame.reveal.unique()})
    names = {"reveal": "digits", "order": "order", "rule": "rule"}
    return frame.assign(**{name: [getattr(each, field) for each in shown] for name, field in names.items()})


def with_pooled(frame: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """The frame and, for each column in turn, a copy of every row with that column set to `all`.

    A stratum that is already `all` (families without strata) is not doubled.
    """
    for column in columns:
        frame = pd.concat([frame[frame[column] != POOLED], frame.assign(**{column: POOLED})], ignore_index=True)
    return frame


ARM = {"backbone": "", "recipe": "", "corruption": "none", "selection": "all"}
"""What a line of the accuracy table repeats of its arm, and its value where the arm is not known."""


def accuracy(grades: pd.DataFrame, arms: pd.DataFrame | None = None) -> pd.DataFrame:
    """Accuracy per arm, family, stratum, eval set, decoder and seed; stratum and seed also pooled (`all`).

    n is the number of different rows. Pooled over seeds (or samples), the score of a row is its mean, and the Wilson
    interval is that of n rows: seeds do not make it narrower. seed_min and seed_max are the accuracies of the worst
    and the best seed. arms: the table of arms, whose backbone, recipe, corruption and selection each line repeats;
    trained: the recipe trains. official_low/high, strict_low/high: Wilson 95 %.
    """
    keys = ["arm", "family", "design", "reveal", "order", "rule", "eval_set", "decoder", "stratum", "seed"]
    long = with_pooled(grades, "stratum")
    seeds = long.groupby([*keys[:-1], "seed"])["official"].mean().groupby(keys[:-1]).agg(["min", "max", "count"])
    lines = []
    for key, group in with_pooled(long, "seed").groupby(keys, sort=True):
        row_scores = group.groupby("id")[["official", "strict"]].mean()
        n = len(row_scores)
        line = dict(zip(keys, key, strict=True)) | {"n": n, "completions": len(group)}
        for grade in ("official", "strict"):
            mean = float(row_scores[grade].mean())
            low, high = wilson(mean * n, n)
            line |= {grade: mean, f"{grade}_low": low, f"{grade}_high": high}
        line |= {
            "truncated": float((group.failure == "truncated").mean()),
            "no_box": float((~group.boxed).mean()),
            "mean_tokens": float(group.n_tokens.mean()),
        }
        spread = seeds.loc[key[:-1]]
        own = line["official"]
        pooled = key[-1] == POOLED
        line |= {
            "seeds": int(spread["count"]) if pooled else 1,
            "seed_min": float(spread["min"]) if pooled else own,
            "seed_max": float(spread["max"]) if pooled else own,
        }
        own_arm = ARM if arms is None else arms.loc[line["arm"], list(ARM)].to_dict()
        lines.append(line | own_arm | {"trained": own_arm["recipe"] != IN_CONTEXT})
    return pd.DataFrame(lines)


def sets(accuracies: pd.DataFrame) -> pd.DataFrame:
    """The official accuracy on each evaluation set side by side, pooled over seeds, from the table of accuracies.

    Columns SET, SET_low, SET_high (Wilson 95 %) and SET_n for every set (`test`, and `real` with a benchmark); empty
    where an arm was not evaluated on it.
    """
    keys = ["arm", "family", "design", "reveal", "order", "rule", "decoder", "stratum"]
    names = {"official": "", "official_low": "_low", "official_high": "_high", "n": "_n"}
    wide = accuracies[accuracies.seed == POOLED].pivot(index=keys, columns="eval_set", values=list(names))
    columns = [(name, each) for each in sorted(accuracies.eval_set.unique(), reverse=True) for name in names]
    wide = wide[columns].set_axis([f"{each}{names[name]}" for name, each in columns], axis=1)
    return wide.astype({f"{each}_n": "Int64" for each in accuracies.eval_set.unique()}).reset_index()


def read_arms(path: str | Path) -> pd.DataFrame:
    """The table of arms, indexed by arm; the workflow has checked it (common/config.py)."""
    return pd.read_csv(path, sep="\t", comment="#", dtype=str).set_index("arm")


def paired(grades: pd.DataFrame) -> pd.DataFrame:
    """Every two arms of a family on the rows that both were evaluated on, per stratum and eval set (exact McNemar).

    p_holm adjusts for the comparisons within one family, stratum and eval set.
    """
    lines = []
    for (family, eval_set, decoder, stratum), group in with_pooled(grades, "stratum").groupby(
        ["family", "eval_set", "decoder", "stratum"]
    ):
        arms = dict(list(group.groupby("arm")))
        names = sorted(arms)
        block = [
            {"family": family, "eval_set": eval_set, "decoder": decoder, "stratum": stratum, "arm_a": a, "arm_b": b}
            | mcnemar(arms[a], arms[b])
            for i, a in enumerate(names)
            for b in names[i + 1 :]
        ]
        for line, p in zip(block, holm([line["p"] for line in block]), strict=True):
            lines.append(line | {"p_holm": float(p)})
    columns = [
        "family",
        "eval_set",
        "decoder",
        "stratum",
        "arm_a",
        "arm_b",
        "n",
        "a",
        "b",
        "a_only",
        "b_only",
        "p",
        "p_holm",
    ]
    return pd.DataFrame(lines, columns=columns)


def solvers(puzzles: Iterable[str | Path], solutions: Iterable[str | Path], official: Grader) -> pd.DataFrame:
    """What the exact solvers reach, per family, stratum and eval set.

    Long form, one line per measure, with value, n, low and high: `official` and `strict` accuracy, `posterior` (what
    the solver expects of itself), `exhaustive` (all configurations were enumerated).
    """
    frames = []
    for puzzle_path, solution_path in zip(map(Path, puzzles), map(Path, solutions), strict=True):
        left = read_table(puzzle_path, ["id", "family", "stratum", "answer"]).to_pandas()
        right = read_table(solution_path, ["id", "answer", "posterior", "exhaustive"]).to_pandas()
        frame = left.merge(right, on="id", suffixes=("", "_found"), validate="one_to_one")
        if len(frame) != len(left):
            raise LabError(f"{len(left) - len(frame)} row(s) of {puzzle_path} have no solution", file=solution_path)
        frames.append(frame.assign(eval_set=puzzle_path.stem))
    rows = pd.concat(frames, ignore_index=True)
    found = rows.answer_found.notna()
    rows["strict"] = rows.answer_found == rows.answer
    rows["official"] = [ok and official(p, g) for ok, p, g in zip(found, rows.answer_found, rows.answer, strict=True)]
    long = rows.melt(["family", "stratum", "eval_set"], ["official", "strict", "posterior", "exhaustive"], "measure")
    return shares(long)


def derivable(closures: Iterable[str | Path], forward: Iterable[str | Path]) -> pd.DataFrame:
    """The share of rows whose answer forward steps alone derive, in the form of `solvers`.

    Measures `closure NAME@REVEAL` for each stated set of rules and what is shown, and `closure forward trace`: the rows
    that the family's forward design can write down to the right answer.
    """
    frames = []
    for path in map(Path, closures):
        frame = read_table(path, ["family", "stratum", "reveal", "closure", "settled"]).to_pandas()
        name = "closure " + frame.closure + "@" + frame.reveal.astype(str)
        frames.append(frame.assign(measure=name, value=frame.settled, eval_set=path.stem))
    for path in map(Path, forward):
        frame = read_table(path, ["family", "stratum", "status"]).to_pandas()
        frames.append(
            frame.assign(measure="closure forward trace", value=frame.status == "rendered", eval_set=path.stem)
        )
    return shares(pd.concat(frames, ignore_index=True)) if frames else pd.DataFrame()


def shares(long: pd.DataFrame) -> pd.DataFrame:
    """Mean `value` per family, stratum (and all), eval set and measure, with n and the Wilson 95 % interval."""
    lines = []
    keys = ["family", "stratum", "eval_set", "measure"]
    for key, values in with_pooled(long, "stratum").groupby(keys)["value"]:
        low, high = wilson(float(values.sum()), len(values))
        line = dict(zip(keys, key, strict=True))
        lines.append(line | {"value": float(values.mean()), "n": len(values), "low": low, "high": high})
    return pd.DataFrame(lines)


def traces(paths: Iterable[str | Path]) -> pd.DataFrame:
    """Per arm, family and eval set: the share of completions whose every line is right, or the rendered text itself.

    perfect_n: completions whose row could be rendered, so that there is a text to equal. first_failure: the kind of
    line and the axis on which most completions first go wrong, with its share of all.
    """
    found = []
    for key, group in read_cells(paths, ROW_COLUMNS).groupby(["arm", "family", "design", "eval_set", "decoder"]):
        line = dict(zip(("arm", "family", "design", "eval_set", "decoder"), key, strict=True))
        line |= {
            "completions": len(group),
            "lines": int(group.n_lines.sum()),
            "malformed": int(group.n_malformed.sum()),
        }
        for name in ("valid", "perfect"):
            values = group[name].dropna().astype(float)
            line |= {name: values.mean(), f"{name}_n": len(values)}
        failures = (group.failure_kind + ", " + group.failure_axis)[group.failure_kind != ""].value_counts()
        line["first_failure"] = f"{failures.index[0]}: {failures.iloc[0] / len(group):.2f}" if len(failures) else ""
        found.append(line)
    return pd.DataFrame(found)


def kinds(paths: Iterable[str | Path]) -> pd.DataFrame:
    """Per arm, family, eval set and kind of line: how many lines, and the share that is right on each axis.

    A line counts on an axis only where the axis applies to it. trained: the outcomes that the kind had in training;
    fixed: it had only one, so its verdict never depended on anything.
    """
    found, keys = [], ["arm", "family", "design", "eval_set", "decoder", "kind"]
    for key, group in read_cells(paths, KIND_COLUMNS).groupby(keys):
        line = dict(zip(keys, key, strict=True)) | {"lines": int(group.n.sum())}
        for axis in ("transcription", "arithmetic", "verdict"):
            n, right = int(group[f"{axis}_n"].sum()), int(group[f"{axis}_right"].sum())
            low, high = wilson(right, n)
            line |= {axis: right / n if n else np.nan, f"{axis}_n": n, f"{axis}_low": low, f"{axis}_high": high}
        found.append(line | group.iloc[0][["declared", "trained", "fixed"]].to_dict())
    return pd.DataFrame(found)


LAST = 0.1  # of the steps, over which the final loss is averaged


def runs(metrics: Iterable[str | Path], accuracies: pd.DataFrame) -> pd.DataFrame:
    """The ledger: one line per training, from adapters/ARM/seed-S/metrics.jsonl and the provenance.json beside it.

    minutes: in optimiser steps, of all attempts that count. tokens_per_s: over these. peak_memory_mb: of the first
    rank. loss: mean of the last tenth of the steps. official and official STRATUM: accuracy on the test rows, decoded
    greedily where that was done.
    """
    lines = []
    for path in map(Path, metrics):
        steps, made = read_metrics(path), read_provenance(path.with_name("provenance.json"))
        arm, seed = path.parts[-3], path.parts[-2].removeprefix("seed-")
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
        reached = accuracies.query("arm == @arm and seed == @seed and eval_set == 'test'")
        if (reached.decoder == "greedy").any():
            reached = reached[reached.decoder == "greedy"]
        for stratum, own in reached.groupby("stratum"):
            name = "official" if stratum == POOLED else f"official {stratum}"
            line[name] = float((own.official * own.n).sum() / own.n.sum())
        lines.append(line)
    ledger = pd.DataFrame(lines, columns=None if lines else ["arm", "seed", "native_voice", "hint_accuracy"])
    return ledger.astype({"native_voice": float, "hint_accuracy": float})


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


def designs(screens: Iterable[str | Path], published: pd.DataFrame) -> pd.DataFrame:
    """One line per screened design: its measures as a whole, and as ..._study what was published of its counterpart.

    coverage_...: one column per rule set of the forward closures; one_outcome_lines: share of the lines with a verdict
    whose kind is only ever seen with one. Only cryptarithm_deduce is compared: the published numbers are of its rows.
    """
    frames = [read_table(path, SCREEN_COLUMNS).to_pandas() for path in screens]
    if not frames:
        raise LabError("no screens were given")
    every, key = pd.concat(frames, ignore_index=True), ["family", "design", "reveal"]
    tested = every[(every.kind != "") & (every.outcomes_seen != "")]
    alone = ~tested.outcomes_seen.str.contains(" ")
    lines = tested.assign(alone=tested.n_lines * alone).groupby(key)[["alone", "n_lines"]].sum()
    frame = every[every.kind == ""].drop(columns=["kind", "n_lines", "outcomes_seen"])
    frame = frame.join((lines.alone / lines.n_lines).rename("one_outcome_lines"), on=key).reset_index(drop=True)
    covered = pd.DataFrame([json.loads(each) for each in frame.pop("coverage")]).rename(columns=_coverage_column)
    theirs = published[(published.table == "designs") & published.measure.isin(STUDY_MEASURES)]
    theirs = theirs.pivot_table(index="row", columns="measure", values="value").reindex(columns=list(STUDY_MEASURES))
    frame["study"] = frame.design.map(STUDY).where(frame.family == "cryptarithm_deduce")
    frame = frame.join(theirs.add_suffix("_study"), on="study")
    columns = [*key, "study"]
    for name in frame.columns:
        if name not in columns and not name.endswith("_study"):
            columns += [name, f"{name}_study"] if name in STUDY_MEASURES else [name]
    columns.remove("flags")
    return frame[columns].join(covered).join(frame["flags"]).sort_values(key, ignore_index=True)


def _coverage_column(rules: str) -> str:
    return "coverage_" + rules.replace("/", "_").replace("-", "_")


def read_published(path: str | Path) -> pd.DataFrame:
    """The published numbers (CSV: table, row, measure, stratum, value, n, ci_low, ci_high, source)."""
    path = Path(path)
    if not path.is_file():
        raise LabError("no such file", file=path)
    frame = pd.read_csv(path)
    missing = {"table", "row", "measure", "stratum", "value", "n", "ci_low", "ci_high", "source"} - set(frame.columns)
    if missing:
        raise LabError(f"missing column(s) {', '.join(sorted(missing))}", file=path)
    return frame
