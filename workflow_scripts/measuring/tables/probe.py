"""The teacher-forced probe: how each adapter likes the rendered traces of held-out rows, per kind of line."""

import pandas as pd

from measuring.stats import clustered, clustered_mean

NEEDS = ("probes",)
CAPTION = """The rendered trace of every evaluation row under the arm's adapter, in one forward pass, nothing decoded.
Per kind of line (``all``: the whole trace; open, close: the marks around the thought; box; end: the token that ends
the turn), seeds together: loss, the mean of minus the log-probability of a token (nats), the study's token loss;
first: the share of tokens that greedy decoding would choose, given the right ones before; whole: the share of lines
in which it would choose all; left: the share of rows whose trace greedy decoding leaves for the first time in a line
of this kind (all: anywhere). 95 % intervals are clustered by row; rows: different rows, lines and tokens over all
seeds."""
CHANGE = """if a procedure were learned, no kind of line would have a `whole` far below the others' and greedy decoding
would seldom leave; where `left` gathers on one kind, that step is what the model lacks."""
KEYS = ["arm", "family", "design", "eval_set", "kind"]
COLUMNS = [
    *KEYS, "rows", "lines", "tokens", "loss", "loss_low", "loss_high", "first", "first_low", "first_high", "whole",
    "whole_low", "whole_high", "left", "left_low", "left_high",
]  # fmt: skip
ROW = ["arm", "seed", "eval_set", "family", "id"]


def make(probes: pd.DataFrame) -> pd.DataFrame:
    """One line per arm, family, eval set and kind."""
    lines = probes.assign(whole=probes.n_first == probes.n_tokens, loss=-probes.logprob)
    left = lines[~lines.whole].sort_values("line").groupby(ROW).head(1).index
    lines = lines.assign(left=lines.index.isin(left))
    every = lines.assign(kind="all")
    traces = dict(iter(every.groupby(KEYS[:-1] + ["id"]).seed.nunique().groupby(level=KEYS[:-1])))
    per_row = pd.concat([every, lines]).groupby([*KEYS, "id"]).agg(
        n=("n_tokens", "sum"), loss=("loss", "sum"), first=("n_first", "sum"), lines=("whole", "size"),
        whole=("whole", "sum"), left=("left", "sum"),
    )  # fmt: skip
    found = []
    for key, sums in per_row.groupby(level=KEYS):
        line = dict(zip(KEYS, key, strict=True))
        own, sums = traces[key[:-1]].droplevel(KEYS[:-1]), sums.droplevel(KEYS)
        line |= {"rows": len(sums), "lines": int(sums.lines.sum()), "tokens": int(sums.n.sum())}
        for name, (share, low, high) in {
            "loss": clustered_mean(sums.loss, sums.n),
            "first": clustered(sums["first"], sums.n),
            "whole": clustered(sums.whole, sums.lines),
            "left": clustered(sums.left.reindex(own.index, fill_value=0), own),
        }.items():
            line |= {name: share, f"{name}_low": low, f"{name}_high": high}
        found.append(line)
    return pd.DataFrame(found, columns=COLUMNS)
