"""How every arm was trained: its row of the table of arms, its recipe's settings, what came of them."""

from pathlib import Path

import pandas as pd

from measuring.tables.runs import read_metrics, read_provenance

NEEDS = ("metrics", "provenance", "published", "arms")
CAPTION = """The configuration of every trained arm: what its row of the table of arms says, the settings of its
recipe, and of its first seed the examples, steps, tokens read (prompts included) per example and epoch, trainable
parameters and processes. First line: the settings of the study's trainings, where its released scripts state them."""
CHANGE = """that two compared arms are a controlled comparison is contradicted by more than one column in which they
differ."""
ARM = ["families", "design", "reveal", "corruption", "selection", "n", "backbone", "recipe", "seeds", "source", "start"]


def make(metrics: list[str], provenance: list[str], published: pd.DataFrame, arms: pd.DataFrame) -> pd.DataFrame:
    """One line per trained arm, after the study's."""
    rows = published[published.table == "training"]
    lines: dict[str, dict] = {"study": dict(zip(rows.measure, rows.value, strict=True))}
    for steps_file, made_file in zip(map(Path, metrics), map(Path, provenance), strict=True):
        name = steps_file.parts[-3]
        if name in lines:
            continue
        steps, made = read_metrics(steps_file), read_provenance(made_file)
        recipe, row = made["recipe"], arms.loc[name]
        line = {column: row[column] for column in ARM if column in arms} | {"families": ",".join(row.families)}
        examples = made["run"]["rows"]
        epochs = recipe.get("epochs", 1) + recipe.get("first_epochs", 0)
        line |= {"examples": examples, "steps": int(steps.step.iloc[-1]), "tokens": int(steps.tokens.sum())}
        line |= {"tokens_per_example": steps.tokens.sum() / (examples * epochs) if examples else float("nan")}
        line |= {"trainable_parameters": made["run"]["trainable_parameters"], "ranks": made["ranks"]}
        lines[name] = line | {key: value for key, value in recipe.items() if isinstance(value, str | int | float)}
    frame = pd.DataFrame.from_dict(lines, orient="index").rename_axis("arm").reset_index()
    first = ["arm", *(column for column in ARM if column in frame)]
    frame = frame[[*first, *(column for column in frame if column not in first)]]
    text = frame.select_dtypes(exclude="number").columns
    return frame.assign(**{name: frame[name].map(lambda v: "" if pd.isna(v) else str(v)) for name in text})
