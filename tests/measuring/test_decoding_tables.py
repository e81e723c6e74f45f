"""The tables about probes and decoders, against values counted by hand."""

import json
import math

import made_run
import numpy as np
import pandas as pd
import pytest
from scipy.stats import mannwhitneyu, spearmanr

from measuring.figures import decoders as decoders_figure
from measuring.figures import forced as forced_figure
from measuring.figures import oracle as oracle_figure
from measuring.stats import auc, clustered, clustered_mean, spearman
from measuring.tables import accuracy, decoders, probe, ranking, screening


def probed(arm: str, row: str, *lines: tuple[str, int, int, float], seed: str = "1") -> list[dict]:
    """Lines of one probed trace: kind, tokens, how many of them first, log-probability."""
    kept = {"arm": arm, "seed": seed, "eval_set": "test", "family": "sums", "design": "plain", "id": row}
    return [
        kept | {"line": i, "kind": kind, "n_tokens": n, "n_first": first, "logprob": logprob}
        for i, (kind, n, first, logprob) in enumerate(lines)
    ]


def test_the_probe_counts_by_hand():
    lines = probed("a", "x", ("open", 1, 1, -0.1), ("sum", 4, 3, -2.0), ("sum", 4, 4, -0.4), ("box", 2, 1, -3.0))
    lines += probed("a", "x", ("open", 1, 1, -0.1), ("sum", 4, 4, -0.2), ("box", 2, 2, -0.2), seed="2")
    lines += probed("a", "y", ("open", 1, 1, -0.1), ("sum", 6, 6, -0.6), ("box", 2, 0, -4.0))
    table = probe.make(pd.DataFrame(lines)).set_index("kind")
    own = table.loc["sum"]
    assert (own["rows"], own.lines, own.tokens) == (2, 4, 18)
    assert own.loss == pytest.approx(3.2 / 18) and own["first"] == pytest.approx(17 / 18)
    assert own.whole == pytest.approx(3 / 4)
    assert (own.left, own.left_low) == pytest.approx(clustered([1, 0], [2, 1])[:2])
    assert table.left["box"] == pytest.approx(1 / 3)  # y; x leaves in its first sum, and not at all with seed 2
    assert table.left["all"] == pytest.approx(2 / 3) and table.left["open"] == 0
    assert table.loss["all"] == pytest.approx((3.2 + 0.3 + 7.2) / table.tokens["all"])


def test_the_probe_predicts_what_it_predicts():
    lines, grades = [], []
    for arm, right in (("a", 4), ("b", 2), ("c", 3), ("d", 0)):
        for i in range(4):
            good = i < right
            lines += probed(arm, f"r{i}", ("open", 1, 1, -0.1), ("sum", 5, 5 if good else 2, -1.0), ("box", 4, 4, -0.1))
            kept = {"arm": arm, "seed": "1", "eval_set": "test", "family": "sums", "id": f"r{i}", "sample": 0}
            grades += [kept | {"decoder": "greedy", "official": good}, kept | {"decoder": "vote", "official": not good}]
    late, early = pd.DataFrame(lines), pd.DataFrame(lines)
    early["n_first"] = early.n_tokens - (early.arm == "b")  # after a tenth only b is known to go wrong, everywhere
    shares = {"a": 0.9, "b": 0.2, "c": 0.5, "d": None}
    both = [{"arm": arm, "transcription": share, "arithmetic": 1.0} for arm, share in shares.items()]
    both += [{"arm": "b", "transcription": 1.0, "arithmetic": 1.0, "decoder": "vote"}]
    steps = pd.DataFrame(both).assign(family="sums", eval_set="test")
    steps["decoder"] = steps.decoder.fillna("greedy")
    table = screening.make(late, early, pd.DataFrame(grades), steps)
    tenth = table[(table.after == "a tenth") & (table.of == "arms")].set_index(["predicted", "measure"])
    assert tenth.value["grade", "first"] == pytest.approx(spearmanr([1, 0, 1, 1], [4, 2, 3, 0])[0])
    assert tenth.value["steps", "first"] > 0 and list(tenth.n.loc["steps"]) == [4] * 3
    table = table[table.after == "all"]
    assert table[(table.predicted == "steps") & (table.measure == "first")].value.item() == pytest.approx(
        spearmanr([1, 0.5, 0.75, 0], [0.9, 0.2, 0.5, 1])[0]
    )
    table = table[table.predicted == "grade"]
    rows = table[table.of == "rows"].set_index(["arm", "measure"])
    assert rows.value["b", "reached"] == rows.value["b", "first"] == 1 and rows.value["b", "logprob"] == 0.5
    assert (rows.n["b", "first"], rows.n_right["b", "first"]) == (4, 2)
    assert math.isnan(rows.value["a", "reached"]) and math.isnan(rows.value["d", "reached"])
    arms = table[table.of == "arms"].set_index("measure")
    assert arms.value["first"] == pytest.approx(1) and math.isnan(arms.value["logprob"])  # it is the same everywhere
    assert arms.n["first"] == 4


def test_nothing_probed_gives_tables_without_rows():
    empty = pd.DataFrame(columns=["arm", "seed", "eval_set", "family", "id", "design", "line", "kind", "n_tokens",
                                  "n_first", "logprob"])  # fmt: skip
    grades = pd.DataFrame(columns=["arm", "seed", "eval_set", "family", "id", "sample", "decoder", "official"])
    steps = pd.DataFrame(columns=["arm", "family", "eval_set", "decoder", "transcription", "arithmetic"])
    assert probe.make(empty).empty and screening.make(empty, empty, grades, steps).empty


def test_areas_means_and_rank_correlations():
    rng = np.random.default_rng(1)
    a, b = rng.normal(1, 1, 60), rng.normal(0, 1, 80).round(1)
    area, low, high = auc(a, b)
    assert area == pytest.approx(mannwhitneyu(a, b).statistic / (60 * 80)) and 0.5 < low < area < high < 1
    assert auc([1, 1], [1, 1])[0] == 0.5 and auc([2], [1])[0] == 1 and math.isnan(auc([], [1])[0])
    flat, low, high = clustered_mean([2.0, 4.0, 6.0], [1, 2, 3])
    assert (flat, low, high) == pytest.approx((2, 2, 2))
    one = clustered_mean(a, np.ones(60))
    assert one[0] == pytest.approx(a.mean()) and one[2] - one[0] == pytest.approx(2.001 * a.std(ddof=1) / 60**0.5, 1e-3)
    assert spearman([1, 2, 3, 4], [1, 3, 2, 4])[0] == pytest.approx(0.8) and math.isnan(spearman([1, 2], [1, 2])[0])


ARM = {"arm": "a", "family": "gravity", "eval_set": "test", "design": "forward"}


def cell(decoder: str, right: list[int], *, kind: str, decoded: int, notes: dict | None = None, **settings) -> dict:
    """One decoder of one arm on four rows: which are right."""
    rows = [{"id": f"r{i}", "stratum": "join" if i < 2 else "value"} for i in range(4)]
    cells = ARM | {"seed": "1", "decoder": decoder, "sample": 0}
    told = {"notes": notes and json.dumps(notes), "kind": kind, "settings": json.dumps(settings)}
    done = [cells | r | told | {"n_tokens": 9, "n_decoded": decoded, "logprob_sum": -3.0} for r in rows]
    told = {"design": "forward", "reveal": 0, "order": "uniform", "rule": "derived", "slate": 0, "strict": True,
            "boxed": True, "failure": "", "n_tokens": 9, "boxes": True, "abstains": False, "abstained": False,
            "abstained_right": False}  # fmt: skip
    return {"completions": done, "grades": [cells | r | told | {"official": i in right} for i, r in enumerate(rows)]}


@pytest.fixture(scope="module")
def decoded() -> dict[str, pd.DataFrame]:
    cells = [
        cell("greedy", [0, 1], kind="greedy", decoded=9),
        cell("power", [0, 1, 2, 3], kind="power", decoded=90, notes={"proposed": 10, "accepted": 4, "uniform": 1}),
        cell("oracle-verdict", [0, 1, 2], kind="oracle", decoded=12, notes={"lines": 8, "corrected": 2, "unsolved": 1},
             answers=["verdict"]),
        cell("oracle-all", [0, 1, 2, 3], kind="oracle", decoded=12, notes={"lines": 8, "corrected": 4, "unsolved": 0},
             answers=["branch", "verdict", "transcription", "arithmetic"]),
        cell("forced-50", [0, 1, 2], kind="forced", decoded=5, notes={"lines": 8, "given": 4}, share=0.5, wrong=False),
        cell("astray-50", [0], kind="forced", decoded=5, notes={"lines": 8, "given": 4}, share=0.5, wrong=True),
    ]  # fmt: skip
    frames = {name: pd.DataFrame([row for c in cells for row in c[name]]) for name in ("completions", "grades")}
    arms = pd.DataFrame({**ARM, "backbone": "small", "recipe": "small", "corruption": "none", "selection": "all",
                         "n": 7, "reveal": "0", "families": [("gravity",)]}, index=["a"])  # fmt: skip
    right = accuracy.accuracy(frames["grades"], arms).assign(installed="yes")
    return frames | {"accuracy": right, "arms": arms}


def test_decoders_count_by_hand(decoded):
    table = decoders.make(decoded["accuracy"], decoded["grades"], decoded["completions"])
    whole = table[table.stratum == "all"].set_index("decoder")
    assert whole.official.to_dict() == {"greedy": 0.5, "power": 1, "oracle-verdict": 0.75, "oracle-all": 1,
                                        "forced-50": 0.75, "astray-50": 0.25}  # fmt: skip
    assert whole.cost["power"] == 10 and whole.decoded["power"] == 90 and whole.cost["greedy"] == 1
    assert (whole.more["power"], whole.less["power"], whole.p["power"]) == (2, 0, 0.5)
    assert (whole.more["astray-50"], whole.less["astray-50"]) == (0, 1) and whole.p_holm["power"] == 1
    assert whole.accepted["power"] == 0.4 and whole.uniform["power"] == pytest.approx(0.1)
    assert whole.corrected["oracle-verdict"] == 0.25 and whole.unsolved["oracle-verdict"] == 0.125
    assert whole.given["forced-50"] == 0.5 and whole[["accepted", "given", "p"]].loc["greedy"].isna().all()
    join = table[table.stratum == "join"].set_index("decoder")
    assert join.official["astray-50"] == 0.5 and join.n["astray-50"] == 2


def test_the_ladder_and_the_prefixes_are_drawn(decoded):
    """Each at its accuracy; what is given something is not among the decoders that are compared by cost."""
    table = decoders.make(decoded["accuracy"], decoded["grades"], decoded["completions"])
    ladder = oracle_figure.make(table, decoded["arms"])
    said = made_run.words(ladder)
    assert "verdict [25.0%, 12.5%]" in said and "all of them [50.0%, 0.0%]" in said and "nothing" in said
    lines = forced_figure.make(table, decoded["arms"]).axes[1].get_lines()
    curves = [line for line in lines if len(line.get_xdata()) == 2 and line.get_marker() == "o"]
    assert {tuple(map(float, line.get_xdata())) for line in curves} == {(0.0, 0.5)}
    assert sorted(tuple(map(float, line.get_ydata())) for line in curves) == [(0.0, 0.0), (0.0, 0.5)]  # value rows
    costs = decoders_figure.make(table, decoded["arms"])
    assert "power" in made_run.words(costs) and "oracle" not in made_run.words(costs).replace("an oracle", "")
    assert {9.0, 90.0} <= made_run.drawn(costs)
    for module in (oracle_figure, forced_figure, decoders_figure):
        alone = module.make(table[table.decoder == "greedy"], decoded["arms"])
        assert "Nothing to show: no arm " in made_run.words(alone) and module.EXAMPLE["arm"] in made_run.words(alone)


def test_likelier_answers_may_be_worse(monkeypatch):
    """Two rows with right and wrong answers, one without a wrong one; the text is likelier than what it writes."""
    own = []
    for row, answers in {"x": [(True, -9.0), (False, -3.0)], "y": [(True, -4.0), (False, -5.0), (False, -2.0)],
                         "z": [(True, -1.0)]}.items():  # fmt: skip
        for k, (right, total) in enumerate(answers):
            drawn = ARM | {"seed": "1", "id": row, "decoder": "sample-8", "kind": "sample", "sample": k}
            own.append(drawn | {"official": right, "logprob_sum": total, "n_tokens": 3 if right else 1})
    own = pd.DataFrame(own)
    power = own.assign(decoder="power", kind="power", logprob_sum=0.0)
    texts = pd.DataFrame([ARM | {"seed": "1", "id": row, "logprob": -2.5, "n_tokens": 5} for row in "xyz"])
    told = pd.DataFrame([ARM | {"id": row, "shown": "0", "boxes": row != "z"} for row in "xyz"])
    monkeypatch.setattr(ranking, "read_texts", lambda paths: told)
    arms = pd.DataFrame({"reveal": ["0"]}, index=["a"])
    written = pd.concat([own, power]).drop(columns="official")
    table = ranking.make(written, own, texts, [], arms).set_index(["of", "by"])
    line = table.loc["own answers", "sum"]
    assert line.auc == 0.25 and (line["rows"], line.rows_all, line.right, line.wrong) == (2, 3, 2, 3)
    assert line.says == "power sampling cannot help: likelier answers are not better"
    assert table.auc["own answers", "mean"] == pytest.approx(0.75)  # -3 against -3; -1.33 against -5 and -2
    assert table.auc["its text", "sum"] == pytest.approx((1 + 0.5) / 2)
    one = ranking.make(own[own.official].drop(columns="official"), own, texts, [], arms)
    assert one.says.str.startswith("nothing to compare").all() and one["rows"].eq(0).all()
