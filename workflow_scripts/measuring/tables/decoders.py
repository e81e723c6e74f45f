"""What every way of decoding costs and gives, beside greedy on the same rows."""

import json

import pandas as pd

from measuring.pooling import POOLED, with_pooled
from measuring.stats import draws, holm, paired_test

NEEDS = ("tables/accuracy", "grades", "completions")
CAPTION = """Per arm, family, stratum, evaluation set and decoder: accuracy (official grade, seeds pooled, a row
counts as its mean; Wilson 95 % intervals for n rows), of_ceiling on the rows whose own text is right, and decoded,
the mean tokens that were decoded for one answer: rejected proposals and samples that were not chosen count, lines
that were given do not. cost: decoded over greedy's. Against greedy on the same rows: more, less (rows on which the
decoder's mean is higher, lower), p (two-sided sign-flip test of the rows' differences, exact McNemar with one draw
each) and p_holm, adjusted for all decoders and arms of a family, stratum and evaluation set. Shares that only some
kinds have: accepted and uniform (of power sampling's proposals, those accepted, and those cut anywhere because no
place had a weight), corrected and unsolved (of the lines that an oracle heard), given (of the lines of a row's text).
settings: of the decoder."""
CHANGE = """if the right answer were in the model and greedy decoding missed it, a decoder of a few times its cost
would be above it with a small p_holm; decoders that are all level say that it is not there."""
KEYS = ["arm", "family", "eval_set", "stratum"]
SHARES = {"accepted": "proposed", "uniform": "proposed", "corrected": "lines", "unsolved": "lines", "given": "lines"}
COLUMNS = [
    *KEYS, "decoder", "kind", "n", "official", "official_low", "official_high", "of_ceiling", "of_ceiling_low",
    "of_ceiling_high", "ceiling", "ceiling_n", "decoded", "cost", "more", "less", "p", "p_holm", *SHARES, "settings",
    "installed",
]  # fmt: skip


def make(accuracy: pd.DataFrame, grades: pd.DataFrame, completions: pd.DataFrame) -> pd.DataFrame:
    """One line per KEYS and decoder; arms with greedy alone have one line."""
    spent = costs(completions)
    lines = accuracy[accuracy.seed == POOLED].merge(spent, on=[*KEYS, "decoder"], how="left", validate="one_to_one")
    steps = lines[lines.decoder == "greedy"].set_index(KEYS)["installed"]
    scored = dict(iter(with_pooled(grades, "stratum").groupby([*KEYS, "decoder"])))
    found = []
    for key, own in lines.groupby(KEYS):
        plain = scored.get((*key, "greedy"))
        greedy = own[own.decoder == "greedy"].decoded
        for line in own.to_dict("records"):
            line["installed"] = steps.get(key, line["installed"])  # an oracle makes no arm able
            line["cost"] = line["decoded"] / greedy.iloc[0] if greedy.any() else None
            if plain is not None and line["decoder"] != "greedy":
                test = paired_test(draws(scored[(*key, line["decoder"])]), draws(plain))
                line |= {"more": test["a_only"], "less": test["b_only"], "p": test["p"]}
            found.append(line)
    table = pd.DataFrame(found).reindex(columns=COLUMNS)
    for _, block in table[table.p.notna()].groupby(KEYS[1:]):
        table.loc[block.index, "p_holm"] = holm(block.p)
    return table.astype({name: float for name in ("decoded", "cost", "p", "p_holm", *SHARES)}).astype(
        {"more": "Int64", "less": "Int64"}
    )


def costs(completions: pd.DataFrame) -> pd.DataFrame:
    """decoded, kind, settings and the SHARES per KEYS and decoder, seeds and samples together."""
    counts = [json.loads(text) if isinstance(text, str) else {} for text in completions.notes]
    told = pd.DataFrame(counts, index=completions.index).reindex(columns=sorted({*SHARES, *SHARES.values()}))
    every = with_pooled(pd.concat([completions.drop(columns="notes"), told], axis=1), "stratum")
    found = []
    for key, own in every.groupby([*KEYS, "decoder"]):
        line = dict(zip([*KEYS, "decoder"], key, strict=True)) | own[["kind", "settings"]].iloc[0].to_dict()
        line["decoded"] = float(own.n_decoded.mean()) if own.n_decoded.notna().all() else None
        for part, whole in SHARES.items():
            total = own[whole].where(own[part].notna()).sum()
            line[part] = float(own[part].sum() / total) if total else None
        found.append(line)
    return pd.DataFrame(found)
