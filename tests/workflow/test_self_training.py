"""A round of self-training from end to end: a small model that gets some numerals right learns from those."""

import json

import pytest
from test_workflow import copy, snakemake

from common.artifacts import read_table, table_note
from common.config import ARM_COLUMNS, OPTIONAL_COLUMNS

CONFIG = """
run: star
arms: config/arms.star.tsv
rows: {train: {default: 1300}, test: {default: 24}}
decoding: {max_tokens: 200, batch: 32}
decoders: config/decoders.star.yaml
harvest: {decoder: sample-4, rows: 40, distinct: 2}
"""
DECODERS = """
greedy: {kind: greedy}
sample-4: {kind: sample, k: 4, temperature: 0.8, seed: 17}
maj-4: {kind: majority, of: sample-4}
"""
ARMS = """
taught\tnumeral\tforward\t0\tnone\tall\t1200\ttiny\tsmall\t1\t\t\tgreedy,maj-4
round-1\tnumeral\tforward\t0\tnone\tall\t16\ttiny\tsmall-on\t1\ttaught\ttaught
"""


@pytest.mark.slow
def test_a_round_of_self_training(tmp_path):
    folder = copy(tmp_path)
    (folder / "config/star.yaml").write_text(CONFIG)
    (folder / "config/decoders.star.yaml").write_text(DECODERS)
    (folder / "config/arms.star.tsv").write_text("\t".join((*ARM_COLUMNS, *OPTIONAL_COLUMNS)) + ARMS)
    results = folder / "results/star"
    graded = {"taught": ("greedy", "maj-4"), "round-1": ("greedy",)}
    paths = [f"grades/{arm}/seed-1/{decoder}/test.parquet" for arm, names in graded.items() for decoder in names]
    targets = [f"results/star/{path}" for path in (*paths, "audits/round-1/seed-1/greedy/test.rows.parquet")]
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
    done = snakemake(folder, *targets, "--configfile", "config/star.yaml")
    assert "Nothing to be done" in done.stdout + done.stderr
