"""Tables on small made-up results, against values counted by hand."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import screen
from common.artifacts import write_table
from common.errors import LabError
from measuring import comparison, comparison_page, evidence, files, modules
from measuring.inputs import FILES, Run, read_arms, read_grades, read_published
from measuring.stats import clustered, wilson
from measuring.tables import accuracy, kinds, paired, runs, sets, solvers, traces
from reasoning.judging.audit import MEASURES

PUBLISHED = Path(__file__).resolve().parents[2] / "config/published.csv"
ARMS = pd.DataFrame(
    {"backbone": "small", "recipe": "study", "corruption": "none", "selection": "all", "n": "100",
     "families": [("cipher", "cryptarithm_deduce")] * 3, "design": ["derive", "forward", "forward"], "start": ""},
    index=["derive-5", "mix", "shown"],
)  # fmt: skip


def write_grades(folder: Path, arm: str, seed: int, eval_set: str, rows: list[dict], decoder: str = "greedy") -> Path:
    path = folder / "grades" / arm / f"seed-{seed}" / decoder / f"{eval_set}.parquet"
    write_table(path, rows)
    return path


def grade(i: int, family: str, design: str, reveal: object, stratum: str, right: bool, **other: object) -> dict:
    line = {"id": f"{family}-{i}", "family": family, "design": design, "reveal": str(reveal), "stratum": stratum,
            "sample": 0, "official": right, "strict": right, "parsed": "1", "boxed": True,
            "failure": "" if right else "wrong",
            "n_tokens": 10 + i}  # fmt: skip
    return line | other


def steps(arm: str, told: str) -> pd.DataFrame:
    """A table of steps of one arm, on the test rows."""
    cells = [(family, e) for family in ("cipher", "cryptarithm_deduce") for e in ("test", "real")]
    return pd.DataFrame(
        [dict(zip(evidence.KEYS, (arm, *cell, "greedy"), strict=True)) | {"installed": told} for cell in cells]
    )


def accuracies(paths: list[Path], **marks: object) -> pd.DataFrame:
    """The table of accuracies, every row with the same marks of its text and its completion."""
    known = {"boxes": True, "abstains": False, "abstained": False, "abstained_right": False} | marks
    return evidence.marked(accuracy.accuracy(read_grades(paths).assign(**known), ARMS), steps("mix", "yes"))


def test_accuracy_counts_by_hand(tmp_path):
    first = [grade(i, "cryptarithm_deduce", "derive", 5, "join" if i < 2 else "value", i in (0, 2)) for i in range(5)]
    second = [grade(i, "cryptarithm_deduce", "derive", 5, "join" if i < 2 else "value", i in (0, 3)) for i in range(5)]
    second[4] |= {"failure": "truncated", "boxed": False}
    paths = [write_grades(tmp_path, "derive-5", seed, "test", rows) for seed, rows in ((1, first), (2, second))]
    table = accuracies(paths).set_index(["stratum", "seed"])
    assert table.loc[("value", "1"), "official"] == pytest.approx(1 / 3)
    assert table.loc[("all", "all"), "official"] == pytest.approx(4 / 10)
    assert (table.loc[("all", "all"), "n"], table.loc[("all", "all"), "completions"]) == (5, 10)
    assert table.loc[("all", "all"), "truncated"] == pytest.approx(1 / 10)
    assert table.loc[("all", "2"), "no_box"] == pytest.approx(1 / 5)
    assert table.loc[("join", "all"), "official_low"] == pytest.approx(wilson(1, 2)[0])
    assert (table.loc[("value", "all"), "seed_min"], table.loc[("value", "all"), "seeds"]) == (pytest.approx(1 / 3), 2)
    assert len(table) == 9 and set(table.arm_n) == {100} and table.trained.all()


def test_samples_of_a_row_count_as_their_mean(tmp_path):
    """One row with four samples, all right, and one with one, wrong: a half, and an interval for two rows."""
    rows = [grade(0, "cipher", "forward", 0, "all", True, sample=k) for k in range(4)]
    rows.append(grade(1, "cipher", "forward", 0, "all", False, failure="truncated"))
    table = accuracies([write_grades(tmp_path, "mix", 1, "test", rows)]).set_index("seed")
    for seed in ("1", "all"):
        assert (table.official[seed], table.truncated[seed], table.n[seed], table.completions[seed]) == (0.5, 0.5, 2, 5)
        assert table.official_high[seed] == pytest.approx(wilson(1, 2)[1])
    assert table.seed_min["all"] == 0.5


def test_ceilings_come_from_the_arms_own_texts(tmp_path):
    """Text right, text wrong, text that gives up, no text; the model gives up on the last two and is right once."""
    end = [{"kind": "crypt/undetermined", "text": "", "verdict": ""}]
    box = "<think>\n</think>\n\\boxed{%s}"
    texts = [("0", "rendered", box % 1, []), ("1", "rendered", box % 2, []),
             ("2", "rendered", "<think>\nundetermined\n</think>", end), ("3", "too long", "", [])]  # fmt: skip
    line = pa.list_(pa.struct([(name, pa.string()) for name in ("kind", "text", "verdict")]))
    names = ("id", "family", "design", "reveal", "answer", "completion", "status")
    schema = pa.schema([(name, pa.string()) for name in names] + [("lines", line)])
    path = tmp_path / "texts/cipher/forward/reveal-0/none/test.parquet"
    fixed = {"family": "cipher", "design": "forward", "reveal": "0", "answer": "1"}
    told = [{"id": f"cipher-{i}", "completion": c, "status": s, "lines": e, **fixed} for i, s, c, e in texts]
    write_table(path, told, schema)
    rows = [grade(i, "cipher", "forward", 0, "all", i == 0) for i in range(4)]
    for row in rows[2:]:
        row |= {"boxed": False, "failure": "no-box"}
    grades = read_grades([write_grades(tmp_path, "mix", 1, "test", rows)])
    ends = ["box", "box", "crypt/undetermined", "crypt/undetermined"]
    audited = grades[accuracy.COMPLETION].assign(ending=ends)
    arms = ARMS.assign(reveal="0")
    told = steps("mix", "no")
    found = accuracy.make(grades, audited, [str(path)], arms, told).set_index("seed").loc["all"]
    assert found.installed == "no"
    assert (found.ceiling, found.ceiling_n, found.of_ceiling, found.official) == (0.25, 1, 1, 0.25)
    assert (found.abstains, found.abstained, found.abstained_right) == (0.25, 0.5, 0.25)
    cut = audited.assign(ending=["box", "box", "malformed", "crypt/undetermined"])
    found = accuracy.make(grades, cut, [str(path)], arms, told).set_index("seed").loc["all"]
    assert (found.abstained, found.abstained_right) == (0.25, 0), "no box is not yet an abstention"


def test_a_family_without_strata_is_not_doubled(tmp_path):
    path = write_grades(tmp_path, "mix", 1, "test", [grade(i, "cipher", "forward", 0, "all", True) for i in range(4)])
    table = accuracies([path])
    assert sorted(table.seed) == ["1", "all"] and set(table.n) == {4}


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
    table = sets.make(accuracies(paths)).set_index("arm")
    mix = table.loc["mix"]
    assert (mix.test, mix.test_n, mix.real, mix.real_n) == (0.25, 4, 1, 2)
    assert (mix.real_low, mix.real_high) == pytest.approx(wilson(2, 2))
    assert (mix.test_installed, mix.real_installed, table.loc["shown", "test_installed"]) == ("yes", "yes", "")
    assert table.loc["shown", "test"] == 1 and table.loc["shown"].filter(regex="^real(?!_inst)").isna().all()


def test_decoders_are_paired_as_arms_are(tmp_path):
    """Two arms under two decoders: a pair of arms per decoder, a pair of decoders per arm; Holm within each sort."""
    paths = []
    for arm, decoder, right in (("a", "greedy", 9), ("b", "greedy", 2), ("a", "vote", 10), ("b", "vote", 2)):
        rows = [grade(i, "cipher", "forward", 0, "all", i < right, sample=k) for i in range(12)
                for k in range(1 if decoder == "greedy" else 3)]  # fmt: skip
        paths.append(write_grades(tmp_path, arm, 1, "test", rows, decoder))
    arms = ARMS.iloc[1:].set_axis(["a", "b"])
    table = paired.make(read_grades(paths), arms, steps("a", "yes"), [])
    assert set(table.installed_a[table.arm_a == "a"]) == {"yes", ""} and set(table.installed_b[table.arm_b == "b"]) == {
        ""
    }
    pairs = list(table[["arm_a", "decoder_a", "arm_b", "decoder_b"]].itertuples(index=False, name=None))
    assert pairs == [
        ("a", "greedy", "b", "greedy"), ("a", "vote", "b", "vote"), ("a", "greedy", "a", "vote"),
        ("b", "greedy", "b", "vote"),
    ]  # fmt: skip
    assert list(table.draws_b) == [1, 3, 3, 3] and list(table.b_only) == [0, 0, 1, 0]
    assert list(table.p) == pytest.approx([2 / 2**7, 2 / 2**8, 1, 1])
    assert list(table.p_holm) == pytest.approx([2 / 2**7, 2 / 2**7, 1, 1])


def test_rows_of_an_own_design_count_those_of_the_start(tmp_path):
    """Two arms of one size from one start: the one that goes on in its start's design has seen more of its own rows;
    and the share of the smaller corpus that is in the other."""
    deduce, mixed = ("cryptarithm_deduce",), ("cipher", "cryptarithm_deduce")
    arms = pd.DataFrame.from_dict(
        {"steps": (deduce, "derive", "6000", ""), "derive": (deduce, "derive", "1200", "steps"),
         "search": (deduce, "search", "1200", "steps"), "twice": (mixed, "derive", "10", "derive")},
        orient="index", columns=["families", "design", "n", "start"],
    )  # fmt: skip
    told = [evidence.own_rows(arms, name, "cryptarithm_deduce") for name in arms.index]
    assert told == [6000, 7200, 1200, 7210] and evidence.own_rows(arms, "twice", "cipher") == 10
    assert evidence.own_rows(arms.iloc[:1].drop(columns="start"), "steps", "cryptarithm_deduce") == 6000
    arms.loc["search-long"] = deduce, "search", "7200", ""
    graded = [grade(0, "cryptarithm_deduce", "derive", 0, "value", True)]
    paths = [write_grades(tmp_path, arm, 1, "test", graded) for arm in ("derive", "search", "search-long")]
    texts = {"derive": "abcd", "search": "bcx", "search-long": ""}
    corpora = [tmp_path / f"corpora/{arm}/seed-1.parquet" for arm in texts]
    for path, own in zip(corpora, texts.values(), strict=True):
        rows = [("cryptarithm_deduce", each) for each in own] or [("cipher", "b")]
        path.parent.mkdir(parents=True)
        pd.DataFrame(rows, columns=["family", "completion"]).to_parquet(path)
    table = paired.make(read_grades(paths), arms, steps("a", "yes"), list(map(str, corpora)))
    pairs = table[table.stratum == "all"].set_index(["arm_a", "arm_b"])
    assert list(pairs.loc[("derive", "search"), ["own_rows_a", "own_rows_b", "matched"]]) == [7200, 1200, "no"]
    assert pairs.matched["derive", "search-long"] == "yes"
    assert pairs.shared["derive", "search"] == pytest.approx(2 / 3) and pd.isna(pairs.shared["derive", "search-long"])


def test_solvers_counts_unsolved_rows_as_wrong(tmp_path):
    rows = [{"id": str(i), "family": "cipher", "stratum": "all", "answer": str(i)} for i in range(4)]
    found = [{"id": str(i), "answer": None if i == 3 else "0", "posterior": 0.5, "exhaustive": True} for i in range(4)]
    write_table(tmp_path / "p/test.parquet", rows)
    write_table(tmp_path / "s/test.parquet", found)
    table = solvers.solved([tmp_path / "p/test.parquet"], [tmp_path / "s/test.parquet"], lambda p, g: p == g)
    values = table.set_index("measure").value.to_dict()
    assert values == pytest.approx({"official": 0.25, "strict": 0.25, "posterior": 0.5, "exhaustive": 1})
    with pytest.raises(LabError, match="have no solution"):
        write_table(tmp_path / "s/test.parquet", found[:3])
        solvers.solved([tmp_path / "p/test.parquet"], [tmp_path / "s/test.parquet"], lambda p, g: p == g)


def test_derivable_pools_strata_and_keeps_the_digits_shown_apart(tmp_path):
    closures = [
        {"id": i, "family": "cryptarithm_deduce", "stratum": stratum, "reveal": str(k), "closure": name,
         "settled": settled and name == "units/open", "by_chance": chance}
        for i, stratum, k, settled, chance in (
            ("a", "join", 0, True, 0.5), ("b", "value", 0, False, 0.1), ("c", "value", 0, False, None),
            ("c", "value", 5, True, 0.3),
        )
        for name in ("units/open", "full/open")
    ]  # fmt: skip
    write_table(tmp_path / "c/test.parquet", closures)
    texts = [  # right; right by a word from memory; not rendered; wrong
        {"family": "cipher", "stratum": "all", "answer": "a", "completion": box, "lines": [{"kind": kind}]}
        for kind, box in (("cipher/pair", "\\boxed{a}"), ("cipher/words", "\\boxed{a}"), ("cipher/pair", ""),
                          ("cipher/pair", "\\boxed{b}"))
    ]  # fmt: skip
    write_table(tmp_path / "t/test.parquet", texts)
    table = solvers.derivable([tmp_path / "c/test.parquet"], [tmp_path / "t/test.parquet"])
    values = table.set_index(["family", "stratum", "measure"]).value.to_dict()
    values = {key: value for key, value in values.items() if "full/open" not in key[2]}
    assert values == pytest.approx({
        ("cipher", "all", "closure forward trace"): 1 / 4,
        ("cryptarithm_deduce", "all", "closure units/open@0"): 1 / 3,
        ("cryptarithm_deduce", "join", "closure units/open@0"): 1,
        ("cryptarithm_deduce", "value", "closure units/open@0"): 0,
        ("cryptarithm_deduce", "all", "closure units/open@5"): 1,
        ("cryptarithm_deduce", "value", "closure units/open@5"): 1,
        ("cryptarithm_deduce", "all", "chance@0"): 0.3,
        ("cryptarithm_deduce", "join", "chance@0"): 0.5,
        ("cryptarithm_deduce", "value", "chance@0"): 0.1,
        ("cryptarithm_deduce", "all", "chance@5"): 0.3,
        ("cryptarithm_deduce", "value", "chance@5"): 0.3,
    })  # fmt: skip
    assert table[table.measure == "chance@0"].set_index("stratum").n.to_dict() == {"all": 2, "join": 1, "value": 1}


def test_shares_of_lines_are_clustered_by_row_over_seeds_and_samples(tmp_path):
    """Row a has six lines, all right; row b one in each seed, wrong: 6 of 8, but of two rows."""
    kind = {"family": "cipher", "design": "forward", "declared": "yes no", "trained": "no:9", "fixed": True}
    lines, told = [], []
    for seed in (1, 2):
        cell = tmp_path / f"audits/arm/seed-{seed}/greedy"
        rows = [("a", True)] * 3 + [("b", False)]
        line = {"family": "cipher", "design": "forward", "kind": "k", "transcription": True}
        line |= dict.fromkeys(("arithmetic", "true", "top", "stump"))
        schema = pa.schema([(n, pa.string()) for n in ("id", "family", "design", "kind")]
                           + [(n, pa.bool_()) for n in MEASURES])  # fmt: skip
        lines.append(str(cell / "test.parquet"))
        write_table(lines[-1], [line | {"id": i, "verdict": right, "given": right} for i, right in rows], schema)
        told.append(str(cell / "test.kinds.parquet"))
        write_table(told[-1], [kind | {"kind": name} for name in ("k", "unseen")])
    table = kinds.make(lines, told, steps("arm", "yes")).set_index("kind")
    assert set(table.installed) == {"yes"}
    found = table.loc["k"]
    assert (found.lines, found.rows, found.verdict, found.verdict_n) == (8, 2, 0.75, 8)
    assert (found.given, found.given_n) == (0.75, 8) and np.isnan(found.stump)
    assert (found.verdict_low, found.verdict_high) == pytest.approx(clustered([6, 0], [6, 2])[1:])
    assert found.verdict_high - found.verdict_low > np.subtract(*wilson(6, 8)[::-1])
    assert np.isnan(found.arithmetic) and found.transcription == 1 and found.fixed and found.eval_set == "test"
    assert table.lines["unseen"] == 0 and np.isnan(table.verdict["unseen"])


def test_traces_say_where_completions_first_go_wrong():
    row = {"id": "a", "family": "cipher", "design": "forward", "arm": "arm", "eval_set": "real", "decoder": "greedy",
           "n_lines": 3, "n_malformed": 0, "valid": True, "perfect": True, "failure_kind": "",
           "failure_axis": ""}  # fmt: skip
    wrong = row | {"id": "b", "valid": False, "perfect": None, "failure_kind": "k", "failure_axis": "verdict"}
    found = traces.make(pd.DataFrame([row, wrong, wrong, row | {"perfect": False}]), steps("other", "no")).iloc[0]
    assert found.installed == "", "nothing is said of an arm that the table of steps has not"
    assert (found.valid, found.perfect, found.perfect_n, found.valid_n) == (0.5, 0.5, 2, 4)
    assert found.first_failure == "k, verdict: 0.50" and found.eval_set == "real"
    assert (found.valid_low, found.valid_high) == pytest.approx(clustered([2, 0], [2, 2])[1:])


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


def test_runs_add_up_the_steps_and_keep_decoders_apart(tmp_path):
    path = write_run(tmp_path, "mix", 2, [2.0] * 18 + [1.0, 0.5])
    keys = {"arm": "mix", "seed": "2", "eval_set": "test"}
    reached = pd.DataFrame(
        [
            {**keys, "decoder": decoder, "stratum": stratum, "official": o, "n": n, "ceiling": 0.5, "installed": told}
            for decoder, stratum, o, n, told in (
                ("plain", "all", 1, 1, "yes"),
                ("plain", "all", 0, 3, "no"),
                ("plain", "join", 0.5, 2, "no"),
                ("vote", "all", 1, 9, "yes"),
            )
        ]
    )
    made = [path.with_name("provenance.json")]
    assert runs.make([], [], reached).empty
    table = runs.make([path], made, reached).set_index("decoder")
    found = table.loc["plain"]
    assert (found.steps, found.tokens, found.peak_memory_mb) == (20, 2000, 30)
    assert found.minutes == pytest.approx(40 / 60) and found.tokens_per_s == pytest.approx(50)
    assert found.loss == pytest.approx(0.75) and found.backbone == "small" and np.isnan(found.hint_accuracy)
    assert (found.official, found["official join"], found.ceiling) == (0.25, 0.5, 0.5)
    assert table.installed.to_dict() == {"plain": "no", "vote": "yes"}, "of all families"
    assert table.official["vote"] == 1 and np.isnan(table["official join"]["vote"])
    path.write_text('{"step": 1}\nnot json\n')
    with pytest.raises(LabError, match="row 2: not a JSON object"):
        runs.make([path], made, reached)
    made[0].write_text("{}")
    with pytest.raises(LabError, match=r"provenance\.json: missing backbone"):
        runs.read_provenance(made[0])


def test_published_numbers_name_a_missing_column(tmp_path):
    (tmp_path / "p.csv").write_text("table,row\nmaster,numeral\n")
    with pytest.raises(LabError, match=r"p\.csv: missing column\(s\) ci_high"):
        read_published(tmp_path / "p.csv")


def test_published_numbers_say_of_which_rows_they_are():
    frame = read_published(PUBLISHED)
    assert not frame.duplicated(["table", "row", "measure", "stratum", "source"]).any()
    bits = frame[(frame.table == "bit_star") & (frame.row == "hand_cot")].iloc[0]
    assert bits.n == 76 and bits.value == pytest.approx(4 / 76, abs=1e-4)
    wrong = frame[frame.measure.str.startswith("wrong_answers")].groupby("measure").row.agg(set)
    assert wrong.wrong_answers == {"r7", "r8"} and wrong.wrong_answers_corpus == {"r7", "r8", "r10", "r11"}
    assert ((frame.table == "master") & (frame.row == "cryptarithm_deduce") & (frame.measure == "model")).any()
    given = frame[frame.table == "intervention"].set_index("row").measure
    assert given.half == given.full == "cryptarithm_deduce, given" and given.none == "cryptarithm_deduce"
    entrants = frame[frame.table == "entrants"]
    assert set(entrants.held_out.dropna()) == {"yes", "no", "mostly no"} and len(entrants) > 15


def test_designs_stand_beside_their_published_counterparts(tmp_path):
    outcomes = {"a": (30, "drop:30"), "b": (10, "drop:4 keep:6"), "c": (5, "")}
    for family, design, coverage in (("cryptarithm_deduce", "witness", {"full/open": 0.4}), ("cipher", "witness", {})):
        whole = {"kind": "", "n_lines": 45, "outcomes_seen": "", "tokens_mean": 600.0, "coverage": json.dumps(coverage)}
        rows = [whole, *({"kind": k, "n_lines": n, "outcomes_seen": seen} for k, (n, seen) in outcomes.items())]
        rows = [{"family": family, "design": design, "reveal": "0", **row} for row in rows]
        write_table(tmp_path / f"{family}.parquet", pa.Table.from_pylist(rows, schema=screen.SCHEMA))
    frame = comparison.designs(sorted(tmp_path.glob("*.parquet")), read_published(PUBLISHED))
    page = comparison_page.page(frame)
    heads = page.partition('<tr class="heads">')[2].partition("</tr>")[0]
    columns = set(frame.columns) - {"family", "design", "reveal", "study"}
    assert heads.count("<th") == 1 + len(columns) and all(title.strip() for title in re.findall('title="(.*?)"', heads))
    assert page.count('<th scope="row">witness') == 2 and "(r8)" in page and ">2281<" in page
    with pytest.raises(LabError, match="field GROUPS: no words for weight"):
        comparison_page.page(frame.assign(weight=1))
    frame = frame.set_index("family")
    assert all(re.fullmatch("[a-z0-9_]+", name) for name in frame.columns)
    ours = frame.loc["cryptarithm_deduce"]
    assert (ours.study, ours.tokens_mean, ours.tokens_mean_study) == ("r8", 600, 2281)
    assert ours.one_outcome_lines == 30 / 40 and ours.one_outcome_lines_study == 1
    assert (ours.wrong_answers_study, ours.wrong_answers_corpus_study) == (0.38, 0.098)
    assert ours.coverage_full_open == 0.4
    other = frame.loc["cipher"]
    assert pd.isna(other.study) and pd.isna(other.tokens_mean_study) and pd.isna(other.coverage_full_open)


def test_every_module_declares_what_it_needs_and_what_would_change_our_mind():
    for kind in modules.KINDS:
        assert modules.names(kind)
        for name in modules.names(kind):
            found, module = modules.declared(kind, name), modules.load(kind, name)
            assert found.needs == module.NEEDS and found.caption.count("What would change our mind: ") == 1
            assert all(need in FILES or need.removeprefix("tables/") in modules.names("table") for need in found.needs)
            if kind == "figure":
                assert module.SELECTION.decoder and module.EXAMPLE["arm"]
    with pytest.raises(LabError, match="no table 'acuracy'; there are accuracy"):
        modules.load("table", "acuracy")


def test_a_module_without_a_declaration_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(modules, "HERE", tmp_path / "measuring")
    (tmp_path / "measuring/tables").mkdir(parents=True)
    (tmp_path / "measuring/tables/new.py").write_text('NEEDS = ("grades",)\nCAPTION = make()\n')
    with pytest.raises(LabError, match=r"new\.py: field CAPTION: missing"):
        modules.declared("table", "new")


def test_a_run_names_its_files(tmp_path):
    columns = ["arm", "families", "design", "reveal", "corruption", "selection", "n", "backbone", "recipe", "seeds"]
    rows = [
        ["# A note."],
        [*columns, "decoders"],
        ["mix", "numeral,cipher", "forward", "0", "swap", "all", "9", "small", "small", "2", "greedy,vote"],
        ["base", "cryptarithm_deduce", "derive", "5", "none", "all", "0", "small", "in-context", "1"],
    ]
    (tmp_path / "arms.tsv").write_text("\n".join("\t".join(row) for row in rows) + "\n")
    run = Run("r", read_arms(tmp_path / "arms.tsv"), ("test", "real"))
    assert run.files("metrics") == [f"r/adapters/mix/seed-{s}/metrics.jsonl" for s in (1, 2)]
    assert len(run.files("grades")) == 2 * 2 * 2 + 1, "real rows have no key to show, greedy is the usual decoder"
    assert "r/texts/cipher/forward/reveal-0/none/real.parquet" in run.files("texts")
    assert "r/texts/cryptarithm_deduce/derive/reveal-5/none/real.parquet" not in run.files("texts")
    assert run.texts("mix", "train")[0] == "r/texts/numeral/forward/reveal-0/swap/train.parquet"
    assert run.files("closures") == [f"r/closures/cryptarithm_deduce/{s}.parquet" for s in ("test", "real")]
    assert run.files("tables/accuracy") == ["r/tables/accuracy.parquet"]
    with pytest.raises(LabError, match="field NEEDS: unknown 'grade'; expected tables/NAME or one of arms"):
        run.files("grade")
