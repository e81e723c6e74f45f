"""The inventory of bit rules: gates, taps and bases, how often they come, and who answers them."""

import json

import numpy as np
import pandas as pd

from common.artifacts import read_table
from measuring.stats import wilson
from measuring.tables.categories import solved
from puzzles.bit_manipulation.inventory import GATES, LUT, kind
from puzzles.bit_manipulation.prompt import parse

NEEDS = ("grades", "puzzles", "solutions", "train_puzzles", "published")
CAPTION = """Bit manipulation, one line per ``gate`` (a boolean function of one to three taps; expression: over taps
a, b, c), ``taps`` (how many the rule needs), ``tap`` (the transforms of the byte that the rules use) and ``basis``:
the first of six three-argument functions, in the order listed, that fits all examples of a row with some arguments
among the 22 taps and the constants 0 and 1 (``none``: no one does). study: the published share (gates: of the
released rule cache as it is normalised here; basis: of the study's own first-match partition, whose script was not
released and whose arguments and order are not stated, so that it cannot be recomputed). train: share of the training
rows (taps of a rule counted each); n, share: of the evaluation rows; solver and one column per arm and decoder:
official accuracy on them; low, high: the Wilson 95 % interval of share."""
CHANGE = """that a gate is learned as a boolean function is contradicted by an arm that answers it far less often than
others of as many taps: then it is a word to it. That drawn rows ask for what real ones ask for is contradicted by a
drawn share that lies apart from the study's."""
FAMILY = "bit_manipulation"
BASIS = {
    "xor": "a^b^c", "maj": "a&b|a&c|b&c", "xor_or": "(a^b)|c", "or_xnor": "~(a^b)|c",
    "choice": "a&b|~a&c", "and": "a&b&c",
}  # fmt: skip
NONE = "none"


def make(
    grades: pd.DataFrame, puzzles: list[str], solutions: list[str], train_puzzles: list[str], published: pd.DataFrame
) -> pd.DataFrame:
    """One line per evaluation set, what and name; empty without the family."""
    places = [k for k, path in enumerate(puzzles) if f"/{FAMILY}/" in path]
    if not places:
        return pd.DataFrame(
            columns=["eval_set", "what", "name", "expression", "study", "train", "n", "share", "solver"]
        )
    (train,) = (path for path in train_puzzles if f"/{FAMILY}/" in path)
    drawn = pd.concat([facts(row) for row in read_table(train, ["id", "rule"]).to_pylist()])
    drawn = drawn.groupby("what").name.value_counts(normalize=True)
    found, study = [], studied(published)
    for k in places:
        eval_set = puzzles[k].rpartition("/")[2].removesuffix(".parquet")
        rows = read_table(puzzles[k], ["id", "rule", "prompt"]).to_pylist()
        told = pd.concat([facts(row, row["prompt"]) for row in rows], ignore_index=True)
        own = grades[(grades.family == FAMILY) & (grades.eval_set == eval_set)]
        scores = own.assign(column=own.arm + " " + own.decoder).pivot_table("official", "id", "column", aggfunc="mean")
        scores.insert(0, "solver", solved([puzzles[k]], [solutions[k]]).set_index("id").official)
        counted = told.groupby("what").id.nunique()
        for (what, name), ids in told.groupby(["what", "name"]).id:
            n = ids.nunique()
            low, high = wilson(n, counted[what])
            line = {"eval_set": eval_set, "what": what, "name": name, "expression": EXPRESSIONS.get((what, name), "")}
            line |= {"study": study.get((what, name), np.nan), "train": drawn.get((what, name), np.nan)}
            line |= {"n": n, "share": n / counted[what], "low": low, "high": high}
            found.append(line | scores.reindex(ids.unique()).mean().to_dict())
    return pd.DataFrame(found)


EXPRESSIONS = {("gate", gate.name): gate.text for gate in GATES} | {("basis", n): text for n, text in BASIS.items()}


def facts(row: dict, prompt: str = "") -> pd.DataFrame:
    """What and name of one row, of its hidden rule (real rows hide it) and, with its prompt, its basis."""
    rule, found = json.loads(row["rule"]), []
    if rule:
        found = [("gate", rule["gate"]), ("taps", str(len(rule["taps"])))]
        found += [("tap", kind(tap)) for tap in rule["taps"]]
    if prompt:
        found.append(("basis", basis_of(parse(prompt).examples)))
    return pd.DataFrame(found, columns=["what", "name"]).assign(id=row["id"])


def basis_of(examples: tuple[tuple[int, int], ...]) -> str:
    """The first function of BASIS that fits all examples with some three arguments."""
    inputs, outputs = np.array(examples, dtype=np.uint8).T
    values = np.concatenate(
        [LUT[:, inputs], np.zeros((1, len(inputs)), np.uint8), np.full((1, len(inputs)), 255, np.uint8)]
    )
    a, b, c = values[:, None, None], values[None, :, None], values[None, None, :]
    made = {
        "xor": lambda: a ^ b ^ c, "maj": lambda: a & b | a & c | b & c, "xor_or": lambda: (a ^ b) | c,
        "or_xnor": lambda: ~(a ^ b) | c, "choice": lambda: a & b | ~a & c, "and": lambda: a & b & c,
    }  # fmt: skip
    return next((name for name in BASIS if (made[name]() == outputs).all(-1).any()), NONE)


def studied(published: pd.DataFrame) -> dict[tuple[str, str], float]:
    """(what, name) -> the published share."""
    total = sum(gate.share for gate in GATES)
    gates = {("gate", gate.name): gate.share / total for gate in GATES}
    taps = {("taps", str(k)): sum(g.share for g in GATES if g.taps == k) / total for k in (1, 2, 3)}
    rows = published[published.table == "basis"]
    return gates | taps | {("basis", name): value for name, value in zip(rows.row, rows.value, strict=True)}
