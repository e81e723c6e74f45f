"""How long the chains of thought of every family and design are, before anything is trained on them, and what they cost
a trained model."""

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from common.artifacts import read_table
from reasoning.grammar.texts import RENDERED
from reasoning.judging.screens import TOKEN

NEEDS = ("texts", "probes", "arms")
CAPTION = """The texts that the arms' designs write of the evaluation rows, per family, design and what the prompt
shows: rows and how many of them are rendered, lines, characters (median, 95th percentile) and tokens (mean, median,
95th percentile) of the completion, and tokens of the prompt. Tokens are words, single digits and single signs, about
what a byte-pair tokenizer that splits digits makes of them. loss: nats per token of these texts under the arms
trained on the design without corruption, teacher-forced (first: the share of tokens that the model ranks first), over
seeds; empty where the run has no probes."""
CHANGE = """if designs failed because they are long, their accuracy (table ``accuracy``) would follow these
lengths; if loss told what is learned, the families with the lowest would be those that are answered."""
COLUMNS = ["family", "design", "reveal", "eval_set"]


def make(texts: list[str], probes: pd.DataFrame, arms: pd.DataFrame) -> pd.DataFrame:
    """One line per COLUMNS."""
    frame = pd.DataFrame([measured(path) for path in texts])
    return frame.merge(losses(probes, arms), on=COLUMNS, how="left")


def measured(path: str) -> dict:
    """The lengths of one table of texts."""
    table = read_table(path, ["family", "design", "reveal", "prompt", "completion", "lines", "n_chars", "status"])
    rendered = table.filter(pc.equal(table["status"], RENDERED))
    tokens = np.array([len(TOKEN.findall(text)) for text in rendered["completion"].to_pylist()])
    prompts = [len(TOKEN.findall(text)) for text in table["prompt"].to_pylist()]
    who = {name: table[name][0].as_py() for name in COLUMNS[:3]}
    who |= {"eval_set": path.rpartition("/")[2].removesuffix(".parquet"), "n": len(table), "rendered": len(rendered)}
    who |= {"prompt_tokens": float(np.mean(prompts))}
    chars, lines = rendered["n_chars"].to_numpy(), pc.list_value_length(rendered["lines"]).to_numpy()
    quantile = {"median": 0.5, "p95": 0.95}
    for name, values in (("lines", lines), ("chars", chars), ("tokens", tokens)):
        who |= {f"{name}_mean": float(values.mean()) if len(values) else np.nan}
        who |= {f"{name}_{q}": float(np.quantile(values, at)) if len(values) else np.nan for q, at in quantile.items()}
    return who


def losses(probes: pd.DataFrame, arms: pd.DataFrame) -> pd.DataFrame:
    """loss and first per COLUMNS, of the arms that are trained without corruption."""
    own = probes[probes.arm.map(arms.corruption) == "none"]
    sums = own.groupby(COLUMNS)[["n_tokens", "logprob", "n_first"]].sum().astype(float)
    found = sums.assign(loss=-sums.logprob / sums.n_tokens, first=sums.n_first / sums.n_tokens)
    return found[["loss", "first"]].reset_index()
