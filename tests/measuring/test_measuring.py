"""Statistics against values computed by hand or by brute force; tables and figures on small made-up results."""

import itertools
import json
import random
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import screen
from common.artifacts import write_table
from common.errors import LabError
from measuring import files, plots, tables
from measuring.stats import holm, mcnemar, wilson
from puzzles.leaks import check_no_leak

PUBLISHED = Path(__file__).resolve().parents[2] / "config/published.csv"


def scores(arm: list[list[int]]) -> pd.DataFrame:
    """One line per row and seed, from a list of rows of 0/1 per seed."""
    return pd.DataFrame(
        [{"id": f"r{i}", "official": bool(x)} for i, row in enumerate(arm) for x in row], columns=["id", "official"]
    )


def test_wilson_is_the_textbook_formula():
    low, high = wilson(8, 10)
    z, p, n = 1.959963984540054, 0.8, 10
    centre, half = (p + z * z / (2 * n)), z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    assert (low, high) == pytest.approx(((centre - half) / (1 + z * z / n), (centre + half) / (1 + z * z / n)))
    assert all(wilson(0, n)[0] == 0 and wilson(n, n)[1] == 1 for n in range(1, 200))
    assert all(np.isnan(x) for x in wilson(0, 0))


def test_mcnemar_is_exact_on_one_seed():
    found = mcnemar(scores([[1]] * 7 + [[0]] * 1 + [[1]] * 4), scores([[0]] * 7 + [[1]] * 1 + [[1]] * 4))
    assert (found["n"], found["a_only"], found["b_only"]) == (12, 7, 1)
    assert found["p"] == pytest.approx(2 * (1 + 8) / 2**8)


def test_mcnemar_counts_a_row_once_whatever_the_number_of_seeds():
    a, b = [[1, 1, 1], [1, 0, 1], [0, 0, 0], [1, 0, 0]], [[0, 0, 0], [0, 1, 0], [0, 0, 0], [0, 1, 0]]
    found = mcnemar(scores(a), scores(b))
    assert (found["a_only"], found["b_only"]) == (2, 0)
    assert found["p"] == pytest.approx(0.5)
    assert mcnemar(scores(a), scores(a))["p"] == 1.0


def test_mcnemar_compares_shared_rows_only():
    a = pd.DataFrame({"id": ["x", "y"], "official": [True, True]})
    b = pd.DataFrame({"id": ["y", "z"], "official": [False, True]})
    assert (mcnemar(a, b)["n"], mcnemar(a, b)["a_only"]) == (1, 1)


def test_mcnemar_false_alarms_stay_below_five_percent_with_correlated_seeds():
    """Rows differ in difficulty and seeds repeat them: a test that took the lines as independent would fail here."""
    rng = np.random.default_rng(1)
    alarms = 0
    for _ in range(300):
        rows = rng.random((2, 60, 1)) < 0.5  # each arm's own luck on a row, shared by its seeds
        a, b = (np.repeat(arm, 3, axis=1).astype(int).tolist() for arm in rows)
        alarms += mcnemar(scores(a), scores(b))["p"] < 0.05
    assert alarms / 300 <= 0.06


def test_holm_matches_its_definition():
    p = [0.01, 0.04, 0.03, 0.005]
    for order in itertools.permutations(range(4)):
        adjusted = holm([p[i] for i in order])
        assert [adjusted[order.index(i)] for i in range(4)] == pytest.approx([0.03, 0.06, 0.06, 0.02])


def write_grades(folder: Path, arm: str, seed: int, eval_set: str, rows: list[dict]) -> Path:
    path = folder / "grades" / arm / f"seed-{seed}" / "greedy" / f"{eval_set}.parquet"
    write_table(path, rows)
    return path


def grade(i: int, family: str, design: str, reveal: object, stratum: str, right: bool, **other: object) -> dict:
    line = {"id": f"{family}-{i}", "family": family, "design": design, "reveal": str(reveal), "stratum": stratum,
            "sample": 0, "official": right, "strict": right, "parsed": "1", "boxed": True,
            "failure": "" if right else "wrong",
            "n_tokens": 10 + i}  # fmt: skip
    return line | other


def test_accuracy_counts_by_hand(tmp_path):
    first = [grade(i, "cryptarithm_deduce", "derive", 5, "join" if i < 2 else "value", i in (0, 2)) for i in range(5)]
    second = [grade(i, "cryptarithm_deduce", "derive", 5, "join" if i < 2 else "value", i in (0, 3)) for i in range(5)]
    second[4] |= {"failure": "truncated", "boxed": False}
    paths = [write_grades(tmp_path, "derive-5", seed, "test", rows) for seed, rows in ((1, first), (2, second))]
    table = tables.accuracy(tables.read_grades(paths)).set_index(["stratum", "seed"])
    assert table.loc[("value", "1"), "official"] == pytest.approx(1 / 3)
    assert table.loc[("all", "all"), "official"] == pytest.approx(4 / 10)
    assert (table.loc[("all", "all"), "n"], table.loc[("all", "all"), "completions"]) == (5, 10)
    assert table.loc[("all", "all"), "truncated"] == pytest.approx(1 / 10)
    assert table.loc[("all", "2"), "no_box"] == pytest.approx(1 / 5)
    assert table.loc[("join", "all"), "official_low"] == pytest.approx(wilson(1, 2)[0])
    assert (table.loc[("value", "all"), "seed_min"], table.loc[("value", "all"), "seeds"]) == (pytest.approx(1 / 3), 2)
    assert len(table) == 9


def test_a_table_is_kept_in_three_forms(tmp_path):
    frame = pd.DataFrame({"arm": ["a<b", 99 * "c"], "low": [1 / 3, np.nan], "n": [120, 7]})
    files.write(tmp_path, "some", frame)
    assert pd.read_parquet(tmp_path / "some.parquet").equals(frame)
    assert (tmp_path / "some.csv").read_text() == f"arm,low,n\na<b,0.3333,120\n{99 * 'c'},,7\n"
    shown = re.findall("<t[hd]>(.*?)</t[hd]>", (tmp_path / "some.html").read_text())
    assert shown == ["arm", "low", "n", "a&lt;b", "0.3333", "120", 99 * "c", "", "7"]


def test_sets_stand_side_by_side(tmp_path):
    rows = {"test": [True, False, False, False], "real": [True, True]}
    paths = [
        write_grades(tmp_path, "mix", 1, name, [grade(i, "cipher", "forward", 0, "all", r) for i, r in enumerate(each)])
        for name, each in rows.items()
    ]
    paths.append(write_grades(tmp_path, "shown", 1, "test", [grade(0, "cipher", "forward", 3, "all", True)]))
    table = tables.sets(tables.accuracy(tables.read_grades(paths))).set_index("arm")
    mix = table.loc["mix"]
    assert (mix.test, mix.test_n, mix.real, mix.real_n) == (0.25, 4, 1, 2)
    assert (mix.real_low, mix.real_high) == pytest.approx(wilson(2, 2))
    assert table.loc["shown", "test"] == 1 and table.loc["shown"].filter(like="real").isna().all()


def test_a_family_without_strata_is_not_doubled(tmp_path):
    path = write_grades(tmp_path, "mix", 1, "test", [grade(i, "cipher", "forward", 0, "all", True) for i in range(4)])
    table = tables.accuracy(tables.read_grades([path]))
    assert sorted(table.seed) == ["1", "all"] and set(table.n) == {4}


def test_solvers_counts_unsolved_rows_as_wrong(tmp_path):
    rows = [{"id": str(i), "family": "cipher", "stratum": "all", "answer": str(i)} for i in range(4)]
    found = [{"id": str(i), "answer": None if i == 3 else "0", "posterior": 0.5, "exhaustive": True} for i in range(4)]
    write_table(tmp_path / "p/test.parquet", rows)
    write_table(tmp_path / "s/test.parquet", found)
    table = tables.solvers([tmp_path / "p/test.parquet"], [tmp_path / "s/test.parquet"], lambda p, g: p == g)
    values = table.set_index("measure").value.to_dict()
    assert values == pytest.approx({"official": 0.25, "strict": 0.25, "posterior": 0.5, "exhaustive": 1})
    with pytest.raises(LabError, match="have no solution"):
        write_table(tmp_path / "s/test.parquet", found[:3])
        tables.solvers([tmp_path / "p/test.parquet"], [tmp_path / "s/test.parquet"], lambda p, g: p == g)


def test_derivable_pools_strata_and_keeps_the_digits_shown_apart(tmp_path):
    closures = [
        {
            "family": "cryptarithm_deduce",
            "stratum": stratum,
            "reveal": str(k),
            "closure": "units/open",
            "settled": settled,
        }
        for stratum, k, settled in (("join", 0, True), ("value", 0, False), ("value", 0, False), ("value", 5, True))
    ]
    write_table(tmp_path / "c/test.parquet", closures)
    texts = [{"family": "cipher", "stratum": "all", "status": status} for status in ("rendered", "no", "rendered")]
    write_table(tmp_path / "t/test.parquet", texts)
    table = tables.derivable([tmp_path / "c/test.parquet"], [tmp_path / "t/test.parquet"])
    values = table.set_index(["family", "stratum", "measure"]).value.to_dict()
    assert values == pytest.approx({
        ("cipher", "all", "closure forward trace"): 2 / 3,
        ("cryptarithm_deduce", "all", "closure units/open@0"): 1 / 3,
        ("cryptarithm_deduce", "join", "closure units/open@0"): 1,
        ("cryptarithm_deduce", "value", "closure units/open@0"): 0,
        ("cryptarithm_deduce", "all", "closure units/open@5"): 1,
        ("cryptarithm_deduce", "value", "closure units/open@5"): 1,
    })  # fmt: skip


def test_kinds_pool_seeds_and_counts_only_lines_that_an_axis_applies_to(tmp_path):
    kind = {"family": "cipher", "design": "forward", "kind": "k", "n": 4, "declared": "yes no", "trained": "no:9",
            "fixed": True}  # fmt: skip
    kind |= {f"{axis}_{what}": 0 for axis in ("transcription", "arithmetic", "verdict") for what in ("n", "right")}
    paths = []
    for seed, right in ((1, 1), (2, 2)):
        paths.append(tmp_path / f"audits/arm/seed-{seed}/greedy/test.kinds.parquet")
        write_table(paths[-1], [kind | {"verdict_n": 3, "verdict_right": right}])
    found = tables.kinds(paths).iloc[0]
    assert (found.lines, found.verdict, found.verdict_n) == (8, 0.5, 6)
    assert np.isnan(found.arithmetic) and found.fixed and found.eval_set == "test"


def test_traces_say_where_completions_first_go_wrong(tmp_path):
    row = {"id": "a", "family": "cipher", "design": "forward", "n_lines": 3, "n_malformed": 0, "valid": True,
           "perfect": True, "failure_kind": "", "failure_axis": ""}  # fmt: skip
    wrong = row | {"valid": False, "perfect": None, "failure_kind": "k", "failure_axis": "verdict"}
    path = tmp_path / "audits/arm/seed-1/greedy/real.rows.parquet"
    write_table(path, [row, wrong, wrong, row | {"perfect": False}])
    found = tables.traces([path]).iloc[0]
    assert (found.valid, found.perfect, found.perfect_n) == (0.5, 0.5, 2)
    assert found.first_failure == "k, verdict: 0.50" and found.eval_set == "real"


def write_run(folder: Path, arm: str, seed: int, losses: list[float], **changes: object) -> Path:
    """metrics.jsonl and provenance.json of a training at 100 tokens a step and 50 tokens a second."""
    path = folder / f"adapters/{arm}/seed-{seed}/metrics.jsonl"
    path.parent.mkdir(parents=True)
    steps = [
        {"step": i, "loss": loss, "tokens": 100, "tokens_per_s": 50.0, "peak_memory_mb": 10.0 + i}
        for i, loss in enumerate(losses, 1)
    ]
    path.write_text("".join(json.dumps(step) + "\n" for step in steps))
    made = {"backbone": "small", "recipe": {"method": "lora"}, "ranks": 2, "gpus": 0}
    made["run"] = {"trainable_parameters": 7, "rows": 30, "native_voice": 0.01, "hint_accuracy": None}
    path.with_name("provenance.json").write_text(json.dumps(made | changes))
    return path


def test_runs_add_up_the_steps_and_the_accuracies_by_stratum(tmp_path):
    path = write_run(tmp_path, "mix", 2, [2.0] * 18 + [1.0, 0.5])
    keys = {"arm": "mix", "seed": "2", "eval_set": "test"}
    accuracy = pd.DataFrame(
        [
            {**keys, "decoder": decoder, "stratum": stratum, "official": o, "n": n}
            for decoder, stratum, o, n in (
                ("greedy", "all", 1, 1),
                ("greedy", "all", 0, 3),
                ("greedy", "join", 0.5, 2),
                ("vote", "all", 1, 9),
            )
        ]
    )
    assert tables.runs([], accuracy).empty
    found = tables.runs([path], accuracy).iloc[0]
    assert (found.steps, found.tokens, found.peak_memory_mb) == (20, 2000, 30)
    assert found.minutes == pytest.approx(40 / 60) and found.tokens_per_s == pytest.approx(50)
    assert found.loss == pytest.approx(0.75) and found.backbone == "small" and np.isnan(found.hint_accuracy)
    assert (found.official, found["official join"]) == (0.25, 0.5)
    path.write_text('{"step": 1}\nnot json\n')
    with pytest.raises(LabError, match="row 2: not a JSON object"):
        tables.runs([path], accuracy)
    path.with_name("provenance.json").write_text("{}")
    with pytest.raises(LabError, match=r"provenance\.json: missing backbone"):
        tables.read_provenance(path.with_name("provenance.json"))


def test_the_figure_of_the_ledger_has_a_mark_for_every_training(tmp_path):
    paths = [write_run(tmp_path, arm, seed, [loss]) for arm, loss in (("a", 2.0), ("b", 1.0)) for seed in (1, 2)]
    rows = [
        {"arm": arm, "seed": seed, "eval_set": "test", "decoder": "greedy", "stratum": stratum, "official": 0.5, "n": 4}
        for arm in "ab"
        for seed in "12"
        for stratum in ("all", "join", "value")
    ]
    figure = plots.runs(tables.runs(paths, pd.DataFrame(rows)))
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["b", "a"]
    for axis, columns in zip(figure.axes, [1] * len(plots.LEDGER) + [3], strict=True):
        assert sum(len(line.get_xdata()) for line in axis.get_lines()) == 4 * columns
    plots.save(figure, [tmp_path / "runs.png", tmp_path / "runs.pdf"])
    assert (tmp_path / "runs.png").stat().st_size > 10_000


def test_reveal_keeps_backbones_and_recipes_apart(results):
    accuracy, _, solvers = results
    crypt = accuracy[accuracy.family == "cryptarithm_deduce"]
    other = crypt.assign(arm="other-" + crypt.arm, backbone="other")
    rare = crypt[crypt.design == "derive"].assign(arm="rare", recipe="two-stage", official=0.999)
    figure = plots.reveal(pd.concat([accuracy, other, rare]), solvers, tables.read_published(PUBLISHED))
    labels = [axis.get_ylabel() for axis in figure.axes if axis.get_ylabel()]
    assert [label.split("\n")[-1] for label in labels] == ["other", "small"] * 2
    drawn = {y for axis in figure.axes for each in axis.get_lines() for y in each.get_ydata()}
    assert 0.999 not in drawn


def test_a_leak_is_found_and_named(tmp_path):
    train, test = tmp_path / "train.parquet", tmp_path / "test.parquet"
    write_table(train, [{"id": f"t{i}", "canonical": f"c{i}"} for i in range(5)])
    write_table(test, [{"id": f"e{i}", "canonical": f"c{i + 4}"} for i in range(3)])
    assert check_no_leak(["t0", "t1"], [train], [test]) == 3
    with pytest.raises(LabError, match=r"row e0, field canonical: it is also the training row t4"):
        check_no_leak(["t0", "t4"], [train], [test])
    with pytest.raises(LabError, match="row t9"):
        check_no_leak(["t9"], [train], [test])


@pytest.fixture
def results(tmp_path) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """accuracy, paired and solvers of a made-up run with two evaluation sets."""
    rng = random.Random(4)
    paths, closures = [], {"units/open": 0.05, "full/open": 0.3}
    for eval_set in ("test", "real"):
        for arm, design, reveal in [("answer-only", "answer-only", 0)] + [
            (f"{d}-{k}", d, k) for d in ("derive", "search") for k in (0, 5, 10)
        ]:
            for seed in (1, 2, 3):
                rows = []
                for i in range(60):
                    stratum = "join" if i < 15 else "value"
                    p = 0.9 if stratum == "join" else 0.02 + 0.07 * reveal
                    rows.append(grade(i, "cryptarithm_deduce", design, reveal, stratum, rng.random() < p))
                paths.append(write_grades(tmp_path, arm, seed, eval_set, rows))
        rows = []
        for family in plots.FAMILIES[:7]:
            strata = ("1-tap", "2-tap", "3-tap") if family == "bit_manipulation" else ("all",)
            strata = ("join", "value") if family.startswith("equation") else strata
            rows += [grade(i, family, "forward", 0, strata[i % len(strata)], rng.random() < 0.8) for i in range(30)]
        paths.append(write_grades(tmp_path, "forward-mix", 1, eval_set, rows))
        rows = [grade(i, "cryptarithm_deduce", "derive", 0, "join", i < 6) for i in range(60)]
        paths.append(write_grades(tmp_path, "base", 1, eval_set, rows))
    grades = tables.read_grades(paths)
    arms = pd.DataFrame(tables.ARM | {"backbone": "small", "recipe": "study"}, index=sorted(set(grades.arm)))
    arms.loc["base", "recipe"] = "in-context"
    accuracy = tables.accuracy(grades, arms)
    lines = []
    for (family, stratum, eval_set), _ in accuracy.groupby(["family", "stratum", "eval_set"]):
        measures = {"official": 0.97, "posterior": 0.95}
        if family.startswith("crypt"):
            measures |= {f"closure {n}@{k}": min(1, v + 0.08 * k) for n, v in closures.items() for k in range(0, 11, 5)}
        for measure, value in measures.items():
            low, high = wilson(value * 60, 60)
            lines.append({"family": family, "stratum": stratum, "eval_set": eval_set, "measure": measure,
                          "value": value, "n": 60, "low": low, "high": high})  # fmt: skip
    return accuracy, tables.paired(grades), pd.DataFrame(lines)


def test_figures_are_made_and_repeat_to_the_byte(results, tmp_path):
    accuracy, paired, solvers = results
    published = tables.read_published(PUBLISHED)
    make = {
        "frontier": lambda: plots.frontier(accuracy, solvers, published),
        "designs": lambda: plots.designs(accuracy, paired, published),
        "reveal": lambda: plots.reveal(accuracy, solvers, published),
    }
    for name, figure in make.items():
        for turn in "ab":
            plots.save(figure(), [tmp_path / f"{name}-{turn}.png", tmp_path / f"{name}-{turn}.pdf"])
        for suffix in ("png", "pdf"):
            one, two = ((tmp_path / f"{name}-{turn}.{suffix}").read_bytes() for turn in "ab")
            assert one == two and len(one) > 10_000


def test_figures_show_every_arm_and_the_published_numbers(results):
    accuracy, paired, solvers = results
    published = tables.read_published(PUBLISHED)
    figure = plots.designs(accuracy, paired, published)
    labels = {label.get_text() for axis in figure.axes for label in axis.get_yticklabels()}
    assert {"answer-only", "base", "derive-0", "search-0", "r1", "r11"} <= labels and "derive-5" not in labels
    figure = plots.frontier(accuracy, solvers, published)
    points = {
        (round(float(line.get_xdata()[0]), 3), line.get_label()) for axis in figure.axes for line in axis.get_lines()
    }
    assert (0.678, "published: model") in points and (0.97, "exact solver") in points
    assert (0.1, "not trained: base") in points and (0.1, "model, design derive") not in points
    curves = [line for axis in plots.reveal(accuracy, solvers, published).axes for line in axis.get_lines()]
    assert not any(0.1 in line.get_ydata() for line in curves)


def test_published_numbers_name_a_missing_column(tmp_path):
    (tmp_path / "p.csv").write_text("table,row\nmaster,numeral\n")
    with pytest.raises(LabError, match=r"p\.csv: missing column\(s\) ci_high"):
        tables.read_published(tmp_path / "p.csv")


def test_designs_stand_beside_their_published_counterparts(tmp_path):
    kinds = {"a": (30, "drop:30"), "b": (10, "drop:4 keep:6"), "c": (5, "")}
    for family, design, coverage in (("cryptarithm_deduce", "witness", {"full/open": 0.4}), ("cipher", "witness", {})):
        whole = {"kind": "", "n_lines": 45, "outcomes_seen": "", "tokens_mean": 600.0, "coverage": json.dumps(coverage)}
        rows = [whole, *({"kind": k, "n_lines": n, "outcomes_seen": seen} for k, (n, seen) in kinds.items())]
        rows = [{"family": family, "design": design, "reveal": "0", **row} for row in rows]
        write_table(tmp_path / f"{family}.parquet", pa.Table.from_pylist(rows, schema=screen.SCHEMA))
    frame = tables.designs(sorted(tmp_path.glob("*.parquet")), tables.read_published(PUBLISHED)).set_index("family")
    assert all(re.fullmatch("[a-z0-9_]+", name) for name in frame.columns)
    ours = frame.loc["cryptarithm_deduce"]
    assert (ours.study, ours.tokens_mean, ours.tokens_mean_study) == ("r8", 600, 2281)
    assert ours.one_outcome_lines == 30 / 40 and ours.one_outcome_lines_study == 1
    assert ours.coverage_full_open == 0.4
    other = frame.loc["cipher"]
    assert pd.isna(other.study) and pd.isna(other.tokens_mean_study) and pd.isna(other.coverage_full_open)
