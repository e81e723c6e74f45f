"""A round of self-training from end to end: a small model that gets some numerals right learns from those."""

import json

import pytest
from test_workflow import copy, snakemake

from common.artifacts import read_table, table_note
from common.config import ARM_COLUMNS, OPTIONAL_COLUMNS

CONFIG = """
run: star
arms: config/arms.star.tsv
rows: {train: {default: 200}, test: {default: 24}}
decoding: {max_tokens: 200, batch: 32}
decoders: config/decoders.star.yaml
recipes: config/recipes.star.yaml
harvest: {decoder: sample-4, rows: 40, distinct: 2}
"""
DECODERS = """
greedy: {kind: greedy}
sample-4: {kind: sample, k: 4, temperature: 0.8, seed: 17}
maj-4: {kind: majority, of: sample-4}
"""
RECIPES = """
small: &small
  {rank: 32, alpha: 64, lr: 0.003, schedule: cosine, warmup: 0.05, batch: 4, epochs: 1, max_length: 2048}
small-on: &on {<<: *small, lr: 0.0003}
control: {<<: *on, harvest: solver}
grpo:
  {method: grpo, rank: 32, alpha: 64, lr: 0.0003, batch: 2, group: 4, updates: 4, tokens: 200, max_length: 512,
   kl: 0.01, reward: prefix, save_every: 2, held_out: 12}
"""
ARMS = """
taught\tnumeral\tforward\t0\tnone\tall\t180\tsmall\tsmall\t1\t\t\tgreedy,maj-4
round-1\tnumeral\tforward\t0\tnone\tall\t16\tsmall\tsmall-on\t1\ttaught\ttaught
round-1-solver\tnumeral\tforward\t0\tnone\tall\t16\tsmall\tcontrol\t1\ttaught\ttaught
grpo\tnumeral\tforward\t0\tnone\tall\t16\tsmall\tgrpo\t1\t\ttaught
"""


@pytest.mark.slow
def test_a_round_of_self_training(tmp_path):
    folder = copy(tmp_path)
    (folder / "config/star.yaml").write_text(CONFIG)
    (folder / "config/decoders.star.yaml").write_text(DECODERS)
    (folder / "config/recipes.star.yaml").write_text(RECIPES)
    (folder / "config/arms.star.tsv").write_text("\t".join((*ARM_COLUMNS, *OPTIONAL_COLUMNS)) + ARMS)
    results = folder / "results/star"
    graded = {"taught": ("greedy", "maj-4")}
    paths = [f"grades/{arm}/seed-1/{decoder}/test.parquet" for arm, names in graded.items() for decoder in names]
    targets = [f"results/star/{path}" for path in (*paths, "tables/self_training.csv", "figures/self_training.png")]
    targets += [f"results/star/{path}" for path in ("tables/reinforcement.csv", "figures/reinforcement.png")]
    done = snakemake(folder, *targets, "--configfile", "config/star.yaml", timeout=2400)
    assert done.returncode == 0, done.stdout + done.stderr

    # Of 40 rows, 4 samples each; what is kept is right by the grade, ended by itself, and differs within its row.
    grades = read_table(results / "grades/taught/seed-1/sample-4/train.parquet").to_pylist()
    right = {(row["id"], row["sample"]) for row in grades if row["official"]}
    kept = read_table(results / "harvests/taught/seed-1/sample-4/answer/numeral.parquet").to_pylist()
    assert len(grades) == len(kept) == 160
    kept = [row for row in kept if row["status"] == "rendered"]
    assert {(row["id"], row["sample"]) for row in kept} <= right
    assert len({(row["id"], row["completion"]) for row in kept}) == len(kept) >= 16
    corpus = read_table(results / "corpora/round-1/seed-1.parquet").to_pylist()
    assert len(corpus) == 16 and {row["completion"] for row in corpus} <= {row["completion"] for row in kept}

    # It goes on where the other arm ended, and a second run has nothing to do.
    first, last = (
        [json.loads(line)["loss"] for line in (results / f"adapters/{arm}/seed-1/metrics.jsonl").open()]
        for arm in ("round-1", "taught")
    )
    assert first[0] < 0.2 * last[0]
    assert json.loads((results / "adapters/round-1/seed-1/provenance.json").read_text())["start_hash"]
    chosen = read_table(results / "completions/taught/seed-1/maj-4/test.parquet").to_pylist()
    drawn = read_table(results / "completions/taught/seed-1/sample-4/test.parquet").to_pylist()
    texts = {(row["id"], row["sample"]): row["text"] for row in drawn}
    assert len(chosen) == 24 and all(row["text"] == texts[row["id"], row["sample"]] for row in chosen)
    assert sum(row["n_decoded"] for row in chosen) == sum(row["n_decoded"] for row in drawn)
    note = table_note(results / "completions/taught/seed-1/maj-4/test.parquet")["params"]
    assert note["decoder"]["k"] == 4 and json.loads(note["selection"])["kind"] == "majority"

    # The control learns from as many of the solver's texts, of the same rows; each stands in the table.
    told = {
        row["id"]: row["completion"]
        for row in read_table(results / "texts/numeral/forward/reveal-0/none/train.parquet").to_pylist()
    }
    control = read_table(results / "corpora/round-1-solver/seed-1.parquet").to_pylist()
    assert sorted(row["id"] for row in control) == sorted(row["id"] for row in corpus)
    assert all(row["completion"] == told[row["id"]] and row["valid"] is None for row in control)
    assert all(row["valid"] is not None for row in corpus)
    table = read_table(results / "tables/self_training.parquet").to_pandas().set_index(["arm", "stratum"])
    rounds = {"taught": 0, "round-1": 1, "round-1-solver": 1}
    assert {arm: table.loc[arm]["round"].iloc[0] for arm in rounds} == rounds
    line = table.loc[("round-1", "all")]
    assert line.own == 1 and line.sampled == 160 and line.harvested == len(kept) and line.examples == 16
    assert line.valid == sum(row["valid"] for row in corpus) / 16
    assert abs(line.gain - (line.accuracy - table.loc[("taught", "all")].accuracy)) < 1e-9
    updates = read_table(results / "tables/reinforcement.parquet").to_pandas()
    updates = updates[updates.stratum == "all"]
    assert updates["update"].tolist() == [0, 2, 4] and set(updates.n) == {12} and set(updates.start) == {"taught"}
    assert abs(updates.accuracy.iloc[0] - table.loc[("taught", "all")].accuracy) < 0.5  # on 12 of its 24 rows
    assert updates.reward.iloc[1:].between(0, 1).all() and updates.kl.iloc[1:].notna().all()
    done = snakemake(folder, *targets, "--configfile", "config/star.yaml")
    assert "Nothing to be done" in done.stdout + done.stderr
