"""Accuracy by sub-category: by everything that a row's hidden rule names, and by what it looks like."""

import json

import pandas as pd

from common.artifacts import read_table
from measuring.evidence import marked
from measuring.stats import with_wilson
from puzzles.checker import official
from puzzles.registry import FAMILIES

NEEDS = ("grades", "puzzles", "solutions", "tables/steps")
CAPTION = """Official accuracy of every arm, and of the exact solver (arm ``exact solver``), by sub-category of the
rows: by what the hidden rule names in a word (``query``: the rule of the query's operator; ``mode``, ``regime``,
``gate``, ...), and for all families by ``stratum``, ``tier`` (of the solver's work), ``examples`` (how many the
prompt shows) and ``answer length`` (characters). Left out is a feature with a single value, with more than 30, with
less than two rows a value, or that parts the rows as an earlier one does; real rows hide their rule, so they have the
latter ones only. A row counts as its mean over seeds and samples; n: rows; Wilson 95 % intervals for n rows.
installed: whether the arm can do its single steps (table ``steps``)."""
CHANGE = """that an arm's accuracy is that of its procedure is contradicted by a sub-category whose interval lies apart
from the others', where the exact solver's does not: then it comes from there."""
SOLVER = "exact solver"
MOST = 30


def make(grades: pd.DataFrame, puzzles: list[str], solutions: list[str], steps: pd.DataFrame) -> pd.DataFrame:
    """One line per arm, family, evaluation set, decoder, feature and value."""
    known = pd.concat([telling(features(path)) for path in puzzles], ignore_index=True)
    arms = grades.groupby(["arm", "decoder", "family", "eval_set", "id"], as_index=False).official.mean()
    rows = pd.concat([arms, solved(puzzles, solutions)], ignore_index=True)
    rows = rows.merge(known, on=["family", "eval_set", "id"])
    by = ["arm", "family", "eval_set", "decoder", "feature", "value"]
    found = rows.groupby(by).official.agg(["mean", "size"]).reset_index()
    return marked(with_wilson(found.rename(columns={"mean": "official", "size": "n"}), "official"), steps)


def telling(known: pd.DataFrame) -> pd.DataFrame:
    """The features that part the rows into 2 to MOST parts of two rows or more on average, each parting once."""
    kept: dict[tuple, str] = {}
    for feature, own in known.groupby("feature", sort=False):
        values = own.sort_values("id").value
        if 1 < values.nunique() <= min(MOST, len(values) / 2):
            kept.setdefault(tuple(pd.factorize(values)[0]), feature)
    return known[known.feature.isin(kept.values())]


def features(path: str) -> pd.DataFrame:
    """id, family, eval_set, feature and value (a text) of the rows of one puzzles table."""
    found = []
    eval_set = path.rpartition("/")[2].removesuffix(".parquet")
    columns = ["id", "family", "prompt", "answer", "stratum", "tier", "rule"]
    for row in read_table(path, columns).to_pylist():
        told = {"stratum": row["stratum"], "tier": row["tier"], "answer length": len(row["answer"])}
        told["examples"] = len(getattr(FAMILIES[row["family"]].parse(row["prompt"]), "examples", ()))
        told |= {name: value for name, value in json.loads(row["rule"]).items() if isinstance(value, str)}
        if told["tier"] is None or eval_set == "real":
            del told["tier"]
        who = {"id": row["id"], "family": row["family"], "eval_set": eval_set}
        found += [who | {"feature": name, "value": str(value)} for name, value in told.items()]
    return pd.DataFrame(found)


def solved(puzzles: list[str], solutions: list[str]) -> pd.DataFrame:
    """The exact solver's answers, graded, as if it were an arm."""
    frames = []
    for puzzle, solution in zip(puzzles, solutions, strict=True):
        gold = read_table(puzzle, ["id", "family", "answer"]).to_pandas()
        found = read_table(solution, ["id", "answer"]).to_pandas().set_index("id").answer
        right = [
            isinstance(found.get(i), str) and official(found[i], answer)
            for i, answer in zip(gold.id, gold.answer, strict=True)
        ]
        eval_set = puzzle.rpartition("/")[2].removesuffix(".parquet")
        frames.append(
            gold[["id", "family"]].assign(official=pd.Series(right, gold.index).astype(float), eval_set=eval_set)
        )
    return pd.concat(frames, ignore_index=True).assign(arm=SOLVER, decoder="")
