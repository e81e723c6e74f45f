"""What the exact solvers reach, and what forward steps alone derive."""

from collections.abc import Callable, Iterable
from pathlib import Path

import pandas as pd

from common.artifacts import read_table
from common.errors import LabError
from measuring.pooling import shares
from puzzles import checker
from reasoning.registry import DESIGNS

NEEDS = ("puzzles", "solutions", "closures", "forward")
CAPTION = """The exact solvers, which see the prompt only: official and strict accuracy, the posterior that they
expect of themselves, the share of rows in which all configurations were enumerated. ``closure NAME@REVEAL``: the
share of rows whose answer forward steps alone derive from what is shown, per stated set of steps; ``closure forward
trace``: rows that the family's forward design answers rightly without a line that takes something from memory (a word
of the vocabulary, the commonest rule). ``chance@REVEAL``: the expected share of the best guess that sees which glyphs
of the key are shown and how long the answer is, but no digit; where it rises with the digits shown, the choice of
glyphs tells of the answer. Wilson 95 % intervals for n rows."""
CHANGE = """that a solver's posterior bounds a model is contradicted by one outside the interval of that solver's
accuracy; that accuracy at some reveal comes from the digits shown, by a chance that is as high."""
Grader = Callable[[str, str], bool]
"""Whether a prediction (first) answers the puzzle whose gold answer is the second."""


def make(puzzles: list[str], solutions: list[str], closures: list[str], forward: list[str]) -> pd.DataFrame:
    """Long form, one line per family, stratum, eval set and measure, with value, n, low and high."""
    return pd.concat([solved(puzzles, solutions), derivable(closures, forward)])


def solved(
    puzzles: Iterable[str | Path], solutions: Iterable[str | Path], official: Grader = checker.official
) -> pd.DataFrame:
    """Measures `official`, `strict`, `posterior` and `exhaustive`; an unsolved row counts as wrong."""
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
    """Measures `closure NAME@REVEAL` for each stated set of rules and what is shown, `chance@REVEAL` for what is shown,
    and `closure forward trace`.

    Rows without a key have no chance. A forward trace counts where it boxes a right answer and no line of it takes
    something from memory.
    """
    frames = []
    for path in map(Path, closures):
        columns = ["id", "family", "stratum", "reveal", "closure", "settled", "by_chance"]
        frame = read_table(path, columns).to_pandas().assign(eval_set=path.stem)
        shown = "@" + frame.reveal.astype(str)
        frames.append(frame.assign(measure="closure " + frame.closure + shown, value=frame.settled.astype(float)))
        guessed = frame.assign(measure="chance" + shown, value=frame.by_chance.astype(float)).dropna(subset="value")
        frames.append(guessed.drop_duplicates(["id", "reveal"]))  # it is the same for every set of steps
    for path in map(Path, forward):
        rows = read_table(path, ["family", "stratum", "answer", "completion", "lines"]).to_pylist()
        recalls = {kind.KIND for row in rows[:1] for kind in DESIGNS[row["family"], "forward"].kinds if kind.RECALLS}
        frame = pd.DataFrame([{name: row[name] for name in ("family", "stratum")} for row in rows])
        derived = [
            checker.grade(row["completion"], row["answer"]).official
            and not recalls & {each["kind"] for each in row["lines"]}
            for row in rows
        ]
        value = pd.Series(derived, frame.index, dtype=float)
        frames.append(frame.assign(measure="closure forward trace", value=value, eval_set=path.stem))
    return shares(pd.concat(frames, ignore_index=True)) if frames else pd.DataFrame()
