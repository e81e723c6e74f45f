"""The tables behind the study's figures, on small made-up results, against values counted by hand."""

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from common.artifacts import read_table, write_table
from common.errors import LabError
from measuring.inputs import Run, read_cells
from measuring.modules import names
from measuring.tables import bit_rules, categories, configuration, cost, failures, lengths, meaning, tokens, walls
from puzzles.base import row_rng
from puzzles.cryptarithm.hypotheses import hypotheses, is_right
from puzzles.equations.prior import default_prior
from puzzles.registry import FAMILIES

ROOT = Path(__file__).resolve().parents[2]
ARMS = pd.DataFrame(
    {"corruption": ["none", "swap"], "reveal": "0", "recipe": "small", "selection": "all", "backbone": "b", "n": "9"},
    index=pd.Index(["a", "b"], name="arm"),
)
STEPS = pd.DataFrame([{"arm": "a", "family": "cipher", "eval_set": "test", "decoder": "greedy", "installed": "no"}])
COMPLETION = {"arm": "a", "seed": "1", "decoder": "greedy", "eval_set": "test", "family": "cipher", "sample": 0}


def graded(i: int, official: bool, failure: str = "", boxed: bool = True, **more: object) -> dict:
    who = COMPLETION | {"id": str(i), "design": "forward", "stratum": "all", "n_tokens": 10 * (i + 1)}
    return who | {"official": official, "failure": failure, "boxed": boxed} | more


def audited(i: int, kind: str = "", axis: str = "", line: float = math.nan, n: int = 5, ending: str = "box") -> dict:
    return COMPLETION | {"id": str(i), "design": "forward", "failure_kind": kind, "failure_axis": axis,
                         "failure_line": line, "n_lines": n, "ending": ending, "valid": not kind}  # fmt: skip


def test_every_completion_has_the_first_cause_that_holds(tmp_path):
    cases = {  # cause -> grade, audit, lines
        "right": (graded(0, True), audited(0), "pqrs"),
        "right anyway": (graded(1, True), audited(1, "k", "verdict", 2), "pqrs"),
        "never enters": (graded(2, False, "wrong"), audited(2, "malformed", "form", 0), "pqrs"),
        "form": (graded(3, False, "wrong"), audited(3, "malformed/k", "form", 3), "pqrs"),
        "output": (graded(4, False, "wrong"), audited(4, "crypt/encode", "transcription", 3), "pqrs"),
        "transcription": (graded(5, False, "wrong"), audited(5, "k", "transcription", 0), "pqrs"),
        "arithmetic": (graded(6, False, "truncated", False), audited(6, "k", "arithmetic", 1), "pppp"),
        "verdict": (graded(7, False, "wrong"), audited(7, "k", "verdict", 1), "pqrs"),
        "claim": (graded(8, False, "wrong"), audited(8, "k", "true", 1), "pqrs"),
        "no thought": (graded(9, False, "wrong"), audited(9, n=1), "p"),
        "loop": (graded(10, False, "truncated", False), audited(10, ending="k"), "pqpq"),
        "cut off": (graded(11, False, "truncated", False), audited(11, ending="k"), "pqrp"),
        "gave up": (graded(12, False, "no-box", False), audited(12, ending="k"), "pqrs"),
        "answer": (graded(13, False, "wrong"), audited(13), "pqrs"),
        "not audited": (graded(14, False, "wrong"), None, ""),
    }
    assert set(cases) == set(failures.CAUSES)
    path = tmp_path / "audits/a/seed-1/greedy/test.parquet"
    who = {"family": "cipher", "design": "forward", "sample": 0}
    write_table(path, [who | {"id": str(i), "text": t} for i, (*_, ts) in enumerate(cases.values()) for t in ts])
    grades = pd.DataFrame([each[0] for each in cases.values()])
    rows = pd.DataFrame([each[1] for each in cases.values() if each[1]])
    table = failures.make(grades, rows, [str(path)], STEPS).set_index("cause")
    assert dict.fromkeys(cases, 1 / 15) == pytest.approx(table.share.to_dict())
    assert set(table.n) == set(table["rows"]) == {15} and (table.low < table.share).all()
    assert table.study["loop"] == "no carried search state" and table.study["answer"] == ""


def test_causes_cluster_by_row(tmp_path):
    """Four samples of a row that all fail alike tell no more than one."""
    grades = pd.DataFrame([graded(i, i > 2, "wrong", sample=k) for i in range(6) for k in range(4)])
    rows = pd.DataFrame(
        [audited(i, "" if i > 2 else "k", "verdict") | {"sample": k} for i in range(6) for k in range(4)]
    )
    path = tmp_path / "audits/a/seed-1/greedy/test.parquet"
    write_table(path, [{"family": "cipher", "id": "0", "sample": 0, "text": "p"}])
    table = failures.make(grades, rows, [str(path)], STEPS).set_index("cause")
    assert (table.share["verdict"], table.n["verdict"], table["rows"]["verdict"]) == (0.5, 24, 6)
    assert table.high["verdict"] - table.low["verdict"] > 0.6


def test_an_arm_without_audit_is_named(tmp_path):
    path = tmp_path / "audits/a/seed-1/greedy/test.rows.parquet"
    with pytest.raises(LabError, match=r"audits/a/seed-1/greedy/test\.rows\.parquet: no such file"):
        read_cells([path], ["id"])
    (tmp_path / "arms.tsv").write_text("arm\tfamilies\tdesign\treveal\tseeds\na\tcipher\tforward\t0\t1\n")
    from measuring.inputs import read_arms

    run = Run(str(tmp_path), read_arms(tmp_path / "arms.tsv"), ("test",))
    with pytest.raises(LabError, match=r"audits/a/seed-1/greedy/test\.kinds\.parquet: no such file"):
        read_cells(run.files("kinds"), ["family"])


def test_two_by_two():
    grades = pd.DataFrame([graded(i, i < 6) for i in range(10)])
    rows = pd.DataFrame([audited(i, "" if 2 <= i < 8 else "k") for i in range(10)])
    rows = rows.astype({"valid": object})
    rows.loc[9, "valid"] = None
    line = meaning.make(grades, rows, ARMS, STEPS).iloc[0]
    counts = (line.valid_right, line.valid_wrong, line.invalid_right, line.invalid_wrong)
    assert line.installed == "no" and counts == (4, 2, 2, 1) and line.n == 9 and line.corruption == "none"
    assert line.right_if_valid == pytest.approx(4 / 6) and line.right_if_invalid == pytest.approx(2 / 3)
    assert line.right_if_valid_low < 0.5 < line.right_if_valid_high


def test_lengths_by_how_completions_end():
    ends = [(True, ""), (True, ""), (False, "wrong"), (False, "truncated")]
    table = lengths.make(pd.DataFrame([graded(i, o, f) for i, (o, f) in enumerate(ends)]), STEPS).set_index("end")
    assert table.share.to_dict() == {"all": 1, "right": 0.5, "truncated": 0.25, "wrong": 0.25}
    assert (table.q50["right"], table.q50["all"], table.n["all"]) == (15, 25, 4)


def test_categories_keep_what_parts_the_rows(tmp_path):
    """A feature of one value, one that names every row, and one that says the same as another are left out."""
    rule = [{"gate": "ab"[i % 2], "same": "xy"[i % 2], "single": "s", "code": str(i)} for i in range(8)]
    prompts = [next(iter(FAMILIES["cipher"].generate(row_rng(i, "c"), 1))).prompt for i in range(8)]
    rows = [{"id": str(i), "family": "cipher", "prompt": prompts[i], "answer": "word", "stratum": "all", "tier": 1,
             "rule": json.dumps(rule[i])} for i in range(8)]  # fmt: skip
    puzzle, solution = str(tmp_path / "puzzles/cipher/test.parquet"), str(tmp_path / "solutions/cipher/test.parquet")
    write_table(puzzle, rows)
    write_table(solution, [{"id": str(i), "answer": "word" if i else None} for i in range(8)])
    table = categories.make(pd.DataFrame([graded(i, i % 2 == 0) for i in range(8)]), [puzzle], [solution], STEPS)
    assert set(table.feature) <= {"gate", "examples"} and "gate" in set(table.feature)
    cells = table[table.feature == "gate"].set_index(["arm", "value"]).official.to_dict()
    assert cells == {("a", "a"): 1, ("a", "b"): 0, (categories.SOLVER, "a"): 0.75, (categories.SOLVER, "b"): 1}
    assert table[(table.arm == "a") & (table.value == "a")].low.iloc[0] == pytest.approx(0.51, abs=0.01)


def test_a_basis_is_the_first_function_that_fits():
    from puzzles.bit_manipulation.inventory import evaluate

    inputs = [3, 77, 130, 201, 255, 18, 99, 164, 222, 45]
    for name, table in (("xor", "01101001"), ("maj", "00010111"), ("choice", "00110101"), ("and", "00000001")):
        taps = ["rol3", "shl1", "shr2"]
        found = bit_rules.basis_of(tuple((x, evaluate(table, taps, x)) for x in inputs))
        assert list(bit_rules.BASIS).index(found) <= list(bit_rules.BASIS).index(name), name
        assert found == name or name == "and", name
    rng = np.random.default_rng(0)
    assert bit_rules.basis_of(tuple((x, int(rng.integers(256))) for x in inputs)) == bit_rules.NONE


def test_a_gate_that_an_arm_does_not_answer_stands_out(tmp_path):
    """Of two gates of as many taps one is answered always and one never; drawn rows hold one of them only."""
    rule = [{"gate": gate, "taps": ["rol1", "shl2"]} for gate in ("and", "xor") for _ in range(3)]
    prompt = next(iter(FAMILIES["bit_manipulation"].generate(row_rng(1, "b"), 1))).prompt
    rows = [
        {"id": str(i), "family": "bit_manipulation", "prompt": prompt, "answer": "1", "rule": json.dumps(r)}
        for i, r in enumerate(rule)
    ]
    puzzle, train, solution = (str(tmp_path / f"{n}/bit_manipulation/test.parquet") for n in ("p", "t", "s"))
    write_table(puzzle, rows)
    write_table(train, rows[:3])
    write_table(solution, [{"id": row["id"], "answer": "1"} for row in rows])
    grades = pd.DataFrame([graded(i, i < 3) for i in range(6)]).assign(family="bit_manipulation")
    table = bit_rules.make(grades, [puzzle], [solution], [train], pd.read_csv(ROOT / "config/published.csv"))
    gates = table[table.what == "gate"].set_index("name")
    assert gates["a greedy"].to_dict() == {"and": 1, "xor": 0} and set(gates.solver) == {1}
    assert gates.train.fillna(0).to_dict() == {"and": 1, "xor": 0} and set(gates.share) == {0.5}
    assert (gates.low < 0.5).all() and (gates.high > 0.5).all() and set(gates.n) == {3}
    assert set(table.what) == {"gate", "taps", "tap", "basis"} and table[table.what == "taps"].study.item() < 1
    assert bit_rules.make(grades, [], [], [], pd.DataFrame()).empty


def test_lengths_follow_cost_within_and_outside_the_training_tiers(tmp_path):
    n = 40
    puzzles, solutions, train, texts, corpus = (
        str(tmp_path / f"{name}.parquet")
        for name in (
            "puzzles/cipher/test", "solutions/cipher/test", "puzzles/cipher/train",
            "texts/cipher/forward/reveal-0/none/test", "corpora/a/seed-1",
        )
    )  # fmt: skip
    write_table(puzzles, [{"id": str(i), "family": "cipher", "tier": 1 + i // 20} for i in range(n)])
    write_table(solutions, [{"id": str(i), "nodes": i} for i in range(n)])
    write_table(train, [{"id": f"t{i}", "tier": 1} for i in range(5)])
    write_table(corpus, [{"id": f"t{i}", "family": "cipher", "role": "task"} for i in range(5)])
    shown = {"family": "cipher", "design": "forward", "reveal": "0", "status": "rendered"}
    write_table(texts, [shown | {"id": str(i), "n_chars": 100 + i} for i in range(n)])
    grades = pd.DataFrame([graded(i, True) | {"n_tokens": i if i < 20 else 60 - i} for i in range(n)])
    table = cost.make(grades, [puzzles], [train], [solutions], [texts], [corpus], ARMS, STEPS).set_index("tiers")
    assert table.rho.round(6).to_dict() == pytest.approx(
        {"all": table.rho["all"], "within": 1, "outside": -1, "tier 1": 1, "tier 2": -1}
    )
    assert list(table.text_rho) == pytest.approx([1] * 5)
    assert table.n["outside"] == 20 and table.training_share["outside"] == 0
    assert math.isnan(cost.correlation(pd.Series(range(9)), pd.Series(range(9)))[0])
    rho, low, high = cost.correlation(pd.Series([1, 2, 3, 4, 5, 6, 7, 8, 10, 9]), pd.Series(range(10)))
    assert low < 0.95 < rho < high < 1


def test_tokens_of_texts_and_their_loss_from_probes(tmp_path):
    line = {"kind": "k", "text": "ab 12", "verdict": "", "result": ""}
    rows = [
        {
            "family": "cipher",
            "design": "forward",
            "reveal": "0",
            "prompt": "a b 7",
            "completion": "ab 12 = 3" * k,
            "lines": [line] * k,
            "n_chars": 9 * k,
            "status": "rendered" if k else "too long",
        }
        for k in (1, 2, 3, 0)
    ]
    path = tmp_path / "texts/cipher/forward/reveal-0/none/test.parquet"
    write_table(path, rows)
    who = {"family": "cipher", "design": "forward", "reveal": "0", "eval_set": "test", "n_tokens": 6, "n_first": 3}
    probes = pd.DataFrame([who | {"arm": arm, "logprob": loss} for arm, loss in (("a", -3.0), ("b", -9.0))])
    bare = tokens.make([str(path)], probes[:0], ARMS).iloc[0]
    assert (bare.n, bare.rendered, bare.prompt_tokens, bare.lines_median, bare.chars_median) == (4, 3, 3, 2, 18)
    assert bare.tokens_mean == pytest.approx(10) and math.isnan(bare.loss)
    told = tokens.make([str(path)], probes, ARMS).iloc[0]
    assert told.loss == pytest.approx(0.5) and told["first"] == pytest.approx(0.5), "the corrupted arm is left out"


def test_information_is_found_and_its_baseline_takes_it_away():
    rng = np.random.default_rng(1)

    def keys(drawn) -> list[dict[str, int]]:
        return [dict(zip("abcdefghij", map(int, drawn()), strict=True)) for _ in range(200)]

    told, untold = keys(lambda: np.roll(range(10), rng.integers(2))), keys(lambda: rng.permutation(10))
    value, shuffled = walls.information(told)
    assert value > 1.5 > 10 * shuffled.max()
    value, shuffled = walls.information(untold)
    assert shuffled.min() < value < shuffled.max() + 0.005 and shuffled.mean() > 0.01


def test_hypotheses_rank_the_right_rules():
    prior, ranks = default_prior(True), []
    for problem in FAMILIES["cryptarithm_deduce"].generate(row_rng(3, "h"), 30):
        found = hypotheses(FAMILIES["cryptarithm_deduce"].parse(problem.prompt), prior)
        assert [h.probability for h in found] == sorted((h.probability for h in found), reverse=True)
        assert len({(h.mode, *h.operators.items()) for h in found}) == len(found)
        (own,) = [h for h in found if is_right(h, problem.rule)][:1]
        ranks.append(1 + found.index(own))
        glyphs = {equation.op for equation in FAMILIES["cryptarithm_deduce"].parse(problem.prompt).examples}
        assert set(own.operators) == glyphs
    assert 0.2 < np.mean(np.array(ranks) <= 1) < 0.8 < np.mean(np.array(ranks) <= 16)


def test_a_configuration_stands_beside_the_studys(tmp_path):
    folder = tmp_path / "adapters/a/seed-1"
    folder.mkdir(parents=True)
    (folder / "metrics.jsonl").write_text('{"step": 1, "tokens": 600}\n{"step": 2, "tokens": 600}\n')
    made = {"backbone": "b", "recipe": {"rank": 8, "epochs": 2, "lr": 0.1}, "ranks": 1, "gpus": 0}
    (folder / "provenance.json").write_text(json.dumps(made | {"run": {"rows": 30, "trainable_parameters": 7}}))
    published = pd.read_csv(ROOT / "config/published.csv")
    arms = ARMS.assign(families=[("cipher", "numeral")] * 2, design="forward", seeds="1")
    paths = [str(folder / "metrics.jsonl")], [str(folder / "provenance.json")]
    table = configuration.make(*paths, published, arms).set_index("arm")
    assert (table["rank"]["study"], table["rank"]["a"]) == (32, 8) and table.families["a"] == "cipher,numeral"
    assert (table.tokens_per_example["a"], table.steps["a"]) == (20, 2)


def test_the_map_of_the_study_names_targets_that_exist():
    """Every row names tables and figures of the house, or says `none` and why."""
    text = (ROOT / "results/reference/study.md").read_text()
    rows = [line.split("|")[1:-1] for line in text.splitlines() if line.startswith("|") and "---" not in line]
    targets = {f"{kind}s/{name}" for kind in ("table", "figure") for name in names(kind)}
    for what, target, *note in rows:
        if "target" not in target:
            named = {part for part in target.split("`") if "/" in part}
            assert named <= targets, (what, named - targets)
            assert named or (target.strip() == "none" and len(note[0]) > 20), what


def test_ranks_are_read_from_a_real_script(tmp_path):
    import made_run

    problems = list(FAMILIES["cryptarithm_deduce"].generate(row_rng(4, "s"), 3))
    puzzles, solutions, prior, out = (tmp_path / name for name in ("p.parquet", "s.parquet", "prior.json", "o.parquet"))
    shared = [
        {"id": p.id, "family": p.family, "stratum": p.stratum, "prompt": p.prompt, "answer": p.answer} for p in problems
    ]
    hidden = [
        row | {"rule": json.dumps(p.rule if i else {})} for i, (row, p) in enumerate(zip(shared, problems, strict=True))
    ]
    write_table(puzzles, hidden)
    write_table(solutions, [{"id": p.id, "answer": "no", "found": "{}"} for p in problems])
    prior.write_text(json.dumps(default_prior(True)))
    made_run.Made(tmp_path, {}).script(
        "hypotheses", "--puzzles", puzzles, "--solutions", solutions, "--prior", prior, "--out", out
    )
    rows = read_table(out).to_pandas()
    assert rows["rank"].isna().tolist() == [True, False, False], "a row whose rules nobody knows has no rank"
    assert (rows.standing[1:] <= rows["rank"][1:]).all() and (rows.standing[1:] >= 1).all()
