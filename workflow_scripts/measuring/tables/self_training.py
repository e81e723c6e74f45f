"""Rounds of self-training, each beside the arm that it samples and beside its control."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from common.artifacts import read_table, table_note
from measuring.pooling import with_pooled
from measuring.selection import Selection
from measuring.stats import clustered, wilson
from measuring.tables.runs import read_metrics

NEEDS = ("arms", "corpora", "metrics", "grades", "rows")
CAPTION = """Arms that learn from another arm's completions of training rows (source), and those arms themselves, round
by round (0: an arm that is only sampled, the seed_model of the rounds after it). examples; own: the share of them that
the source wrote itself, whole (the control of a round has the solver's text of the same rows: 0); valid: of these the
share whose every line the audit finds sound; example_chars: mean length. harvested: completions that could be kept, of
sampled; texts_per_row: different texts among a row's samples. tokens: those that its training took through the model,
prompts and repetitions among them (a control has as many examples and updates, and tokens of its own). On the
evaluation rows, greedy, per stratum and pooled (``all``): official accuracy with its Wilson 95 % interval for n rows
(several seeds count as their mean), valid_lines: completions whose every line is sound, with a 95 % interval clustered
by row, mean_tokens, truncated. gain: accuracy minus the start's own (start: the arm whose adapter the round goes on
from)."""
CHANGE = """that self-training installs a procedure is contradicted by accuracy that rises over rounds while valid_lines
does not, and by rises that the control on the same rows has as well; that it cannot, by both rising above the
control."""
SELECTION = Selection()
COLUMNS = [
    "arm", "family", "design", "seed_model", "round", "source", "start", "eval_set", "stratum", "examples", "own",
    "valid", "example_chars", "harvested", "sampled", "texts_per_row", "tokens", "n", "accuracy", "accuracy_low",
    "accuracy_high", "valid_lines", "valid_lines_low", "valid_lines_high", "mean_tokens", "truncated", "gain",
]  # fmt: skip
KEYS = ["arm", "family", "design", "eval_set", "stratum"]


def make(
    arms: pd.DataFrame,
    corpora: Iterable[str | Path],
    metrics: Iterable[str | Path],
    grades: pd.DataFrame,
    rows: pd.DataFrame,
) -> pd.DataFrame:
    """One line per arm, family, evaluation set and stratum; no line where no arm has a source."""
    rounds = rounds_of(arms)
    if not rounds:
        return pd.DataFrame(columns=COLUMNS)
    learned: dict[str, list[dict]] = {}
    for path in map(Path, corpora):
        if (arm := path.parent.name) in rounds:
            learned.setdefault(arm, []).append(examples(path))
    taken: dict[str, list[float]] = {}
    for path in map(Path, metrics):
        if (arm := path.parts[-3]) in rounds:
            taken.setdefault(arm, []).append(float(read_metrics(path).tokens.sum()))
    grades = grades[(grades.decoder == SELECTION.decoder) & grades.arm.isin(rounds)]
    audits = rows[["arm", "seed", "decoder", "eval_set", "family", "id", "sample", "valid"]]
    both = grades.merge(audits, on=["arm", "seed", "decoder", "eval_set", "family", "id", "sample"], how="left")
    lines = []
    for key, group in with_pooled(both, "stratum").groupby(KEYS):
        line = dict(zip(KEYS, key, strict=True))
        arm = arms.loc[line["arm"]]
        per_row = group.groupby("id").official.mean()
        low, high = wilson(float(per_row.sum()), len(per_row))
        line |= rounds[line["arm"]] | {"source": arm.get("source", ""), "start": arm.get("start", "")}
        line |= {name: mean(each[name] for each in learned[line["arm"]]) for name in learned[line["arm"]][0]}
        line["tokens"] = mean(taken.get(line["arm"], []))
        line |= {"n": len(per_row), "accuracy": float(per_row.mean()), "accuracy_low": low, "accuracy_high": high}
        judged = group.dropna(subset="valid").groupby("id").valid
        share, low, high = clustered(judged.sum().astype(float), judged.count())
        line |= {"valid_lines": share, "valid_lines_low": low, "valid_lines_high": high}
        line |= {"mean_tokens": float(group.n_tokens.mean()), "truncated": float((group.failure == "truncated").mean())}
        lines.append(line)
    found = pd.DataFrame(lines)
    starts = found.set_index(KEYS).accuracy
    keys = found.assign(arm=found.start)[KEYS].itertuples(index=False, name=None)
    found["gain"] = found.accuracy - [starts.get(key, float("nan")) for key in keys]
    return found.sort_values(["seed_model", "round", "arm", "family", "eval_set", "stratum"])[COLUMNS].reset_index(
        drop=True
    )


def rounds_of(arms: pd.DataFrame) -> dict[str, dict]:
    """Arm -> its round (sources behind it) and the first of these; of arms that have a source or are one."""
    sources = arms["source"].to_dict() if "source" in arms else {}

    def behind(arm: str) -> list[str]:
        return [*behind(sources[arm]), arm] if sources[arm] else [arm]

    chains = {arm: behind(arm) for arm in sources if sources[arm] or arm in sources.values()}
    return {arm: {"seed_model": chain[0], "round": len(chain) - 1} for arm, chain in chains.items()}


def examples(path: Path) -> Mapping[str, float | None]:
    """What the corpus of a training says of its examples and of the harvest that they come from."""
    table = read_table(path, ["role", "n_chars", "valid"]).to_pylist()
    tasks = [row for row in table if row["role"] == "task"]
    own = [row["valid"] for row in tasks if row["valid"] is not None]
    counts = table_note(path)["params"].get("harvested") or []
    texts, n = sum(each["texts"] for each in counts), sum(each["rows"] for each in counts)
    return {
        "examples": len(tasks),
        "own": len(own) / len(tasks) if tasks else None,
        "valid": sum(own) / len(own) if own else None,
        "example_chars": sum(row["n_chars"] for row in tasks) / len(tasks) if tasks else None,
        "harvested": sum(each["statuses"].get("rendered", 0) for each in counts) if counts else None,
        "sampled": sum(sum(each["statuses"].values()) for each in counts) if counts else None,
        "texts_per_row": texts / n if n else None,
    }


def mean(values: Iterable[float | None]) -> float:
    """The mean of what is known, over seeds; nan where nothing is."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else float("nan")
