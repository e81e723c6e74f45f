"""Arms against arms, and decoders against decoders, on the rows that both have."""

from itertools import combinations
from pathlib import Path

import pandas as pd

from common.artifacts import read_table
from measuring.evidence import NO, YES, marked, own_rows
from measuring.pooling import with_pooled
from measuring.stats import draws, holm, paired_test

NEEDS = ("grades", "arms", "tables/steps", "corpora")
CAPTION = """Every two arms under one decoder, and every two decoders of one arm, on the rows that both were
evaluated on, per stratum and evaluation set. a, b: accuracies (official grade, a row counts as its mean over draws:
seeds and samples); a_only, b_only: rows on which that one's mean is higher; p: two-sided sign-flip test of the
rows' differences (with one draw each: exact McNemar; draws_a, draws_b: how many a row has); p_holm: adjusted (Holm)
for all comparisons of the same sort within a family, stratum and evaluation set. installed_a, installed_b: whether
the arm can do its single steps (table ``steps``). own_rows_a, own_rows_b: training rows in the arm's own design, those
of the arms it started from among them; matched: whether they are as many. Where they are not, what differs may be the
practice and not the design. shared: of the training texts of the arm that has fewer (its first seed), the share that
the other was trained on as well: where it is near 1, the two can hardly come out differently."""
CHANGE = """that one arm is better than another, or no worse, is contradicted by p_holm below .05 with the other one
ahead; p_holm above .05 shows no difference on these rows and is no proof of none: a_only and b_only say how many rows
there were to tell them apart."""
COLUMNS = [
    "family", "eval_set", "stratum", "arm_a", "decoder_a", "arm_b", "decoder_b", "n", "draws_a", "draws_b", "a", "b",
    "a_only", "b_only", "p", "p_holm", "own_rows_a", "own_rows_b", "matched", "shared",
]  # fmt: skip


def make(grades: pd.DataFrame, arms: pd.DataFrame, steps: pd.DataFrame, corpora: list[str]) -> pd.DataFrame:
    """One line per pair; arms of one decoder first, then decoders of one arm."""
    lines, texts = [], texts_of(corpora)
    for key, group in with_pooled(grades, "stratum").groupby(["family", "eval_set", "stratum"]):
        own = {each: draws(part) for each, part in group.groupby(["arm", "decoder"])}
        pairs = list(combinations(sorted(own, key=lambda each: each[::-1]), 2))
        for same in (1, 0):  # the decoder, the arm
            block = [
                dict(zip(("family", "eval_set", "stratum"), key, strict=True))
                | {"arm_a": a[0], "decoder_a": a[1], "arm_b": b[0], "decoder_b": b[1]}
                | paired_test(own[a], own[b])
                for a, b in pairs
                if a[same] == b[same]
            ]
            for line, p in zip(block, holm([line["p"] for line in block]), strict=True):
                a, b = (own_rows(arms, line[name], key[0]) for name in ("arm_a", "arm_b"))
                matched = {"own_rows_a": a, "own_rows_b": b, "matched": YES if a == b else NO}
                matched["shared"] = shared(*(texts.get((line[name], key[0]), set()) for name in ("arm_a", "arm_b")))
                lines.append(line | {"p_holm": float(p)} | matched)
    return marked(marked(pd.DataFrame(lines, columns=COLUMNS), steps, "_a"), steps, "_b")


def texts_of(corpora: list[str]) -> dict[tuple[str, str], set[int]]:
    """Hashes of the training texts per arm and family. corpora: files as in the folder `corpora/{arm}/`."""
    found = {}
    for path in corpora:
        table = read_table(path, ["family", "completion"]).to_pandas()
        for family, own in table.groupby("family"):
            found[Path(path).parent.name, family] = set(pd.util.hash_pandas_object(own.completion, index=False))
    return found


def shared(a: set[int], b: set[int]) -> float:
    """The share of the smaller set that is in the other; NaN where one is empty."""
    return len(a & b) / min(len(a), len(b)) if a and b else float("nan")
