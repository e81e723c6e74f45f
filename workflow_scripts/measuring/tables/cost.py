"""Does a model think longer where the solver works more, within the tiers that it was trained on and outside?"""

import math

import pandas as pd

from common.artifacts import read_table
from measuring.evidence import marked

NEEDS = ("grades", "puzzles", "train_puzzles", "solutions", "texts", "corpora", "arms", "tables/steps")
CAPTION = """Spearman's rank correlation, over the rows of an evaluation set, of the tokens that an arm writes (mean
over seeds and samples) with the steps that the exact solver takes. tiers: ``all``, each tier of the solver's expected
work, ``within`` the tiers that the arm's training examples are of, and ``outside`` them; training_share: their share
of the training examples. text_rho: the same correlation for the characters of the arm's own rendered texts, which is
what the model would reach by following its design. n: rows; rho is empty below 10 rows or where nothing varies;
intervals by Fisher's transformation with the variance of Bonett and Wright (2000). Completions that are cut off count
with the budget. installed: whether the arm can do its single steps (table ``steps``)."""
CHANGE = """if the length of a thought were work done, rho would be as high outside the training tiers as within them;
where it falls outside while text_rho stays, the model learned the lengths of its training texts."""
LEAST = 10
KEYS = ["arm", "family", "design", "eval_set", "decoder"]


def make(
    grades: pd.DataFrame, puzzles: list[str], train_puzzles: list[str], solutions: list[str], texts: list[str],
    corpora: list[str], arms: pd.DataFrame, steps: pd.DataFrame,
) -> pd.DataFrame:  # fmt: skip
    """One line per KEYS and tiers."""
    work = pd.concat([worked(*paths) for paths in zip(puzzles, solutions, strict=True)], ignore_index=True)
    shown = grades.join(arms.reveal.rename("shown"), on="arm")
    written = shown.groupby([*KEYS, "shown", "id"], as_index=False).n_tokens.mean()
    written = written.merge(work, on=["family", "eval_set", "id"])
    written = written.merge(lengths(texts), on=["family", "design", "shown", "eval_set", "id"], how="left")
    trained, found = tiers(corpora, train_puzzles), []
    for key, own in written.groupby(KEYS):
        shares = trained.get((key[0], key[1]), {})
        within = own.tier.isin([tier for tier, share in shares.items() if share > 0])
        parts = {"all": own, "within": own[within], "outside": own[~within]}
        parts |= {f"tier {tier}": part for tier, part in own.groupby("tier")}
        for name, part in parts.items():
            line = dict(zip(KEYS, key, strict=True)) | {"tiers": name, "n": len(part)}
            line["training_share"] = sum(shares.get(tier, 0.0) for tier in part.tier.unique())
            rho, low, high = correlation(part.n_tokens, part.nodes)
            rendered = part.dropna(subset="n_chars")
            text_rho = correlation(rendered.n_chars, rendered.nodes)[0]
            found.append(line | {"rho": rho, "low": low, "high": high, "text_rho": text_rho})
    return marked(pd.DataFrame(found), steps)


def correlation(a: pd.Series, b: pd.Series) -> tuple[float, float, float]:
    """Spearman's rho with its 95 % interval."""
    if len(a) < LEAST or a.nunique() < 2 or b.nunique() < 2:
        return (math.nan,) * 3
    rho = float(a.rank().corr(b.rank()))
    z, half = math.atanh(max(-0.9999, min(0.9999, rho))), 1.96 * math.sqrt((1 + rho**2 / 2) / (len(a) - 3))
    return rho, math.tanh(z - half), math.tanh(z + half)


def worked(puzzle: str, solution: str) -> pd.DataFrame:
    """family, id, eval_set, tier and nodes of the rows of one table."""
    left = read_table(puzzle, ["id", "family", "tier"]).to_pandas()
    right = read_table(solution, ["id", "nodes"]).to_pandas()
    return left.merge(right, on="id").assign(eval_set=puzzle.rpartition("/")[2].removesuffix(".parquet"))


def lengths(texts: list[str]) -> pd.DataFrame:
    """n_chars of every rendered text."""
    frames = []
    for path in texts:
        frame = read_table(path, ["id", "family", "design", "reveal", "n_chars", "status"]).to_pandas()
        eval_set = path.rpartition("/")[2].removesuffix(".parquet")
        frames.append(frame[frame.status == "rendered"].rename(columns={"reveal": "shown"}).assign(eval_set=eval_set))
    return pd.concat(frames, ignore_index=True).drop(columns="status")


def tiers(corpora: list[str], train_puzzles: list[str]) -> dict[tuple[str, str], dict[int, float]]:
    """(arm, family) -> the share of its training examples per tier."""
    tier = pd.concat([read_table(path, ["id", "tier"]).to_pandas() for path in train_puzzles]).drop_duplicates("id")
    found = {}
    frames = [
        read_table(path, ["id", "family", "role"]).to_pandas().assign(arm=path.split("/")[-2]) for path in corpora
    ]
    rows = pd.concat(frames, ignore_index=True)
    rows = rows[rows.role == "task"].merge(tier, on="id")
    for key, own in rows.groupby(["arm", "family"]):
        found[key] = own.tier.value_counts(normalize=True).to_dict()
    return found
