"""The whole measuring room on models whose behaviour is known: each must be told from the others by the tables.

Grades, audits, tables and figures are made by the scripts, as in a run; only training and decoding are left out.
"""

from collections import Counter

import made_run
import matplotlib.pyplot as plt
import pandas as pd
import pytest
from matplotlib.figure import Figure

from common.artifacts import read_table
from measuring import modules, plots
from reasoning.grammar.trace import parse_completion
from reasoning.registry import DESIGNS

CRYPT, NUMBERS, BITS = "cryptarithm_deduce", "equation_numeric_deduce", "bit_manipulation"
MODELS = {
    "oracle": made_run.oracle, "abstainer": made_run.abstainer, "echo": made_run.echo, "coin": made_run.coin,
    "miscounter": made_run.miscounter,
}  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> made_run.Made:
    """Every model on a design that gives up without a key, on it with the whole key, and on one that never does."""
    arm = made_run.arm
    planned = [
        (arm(f"{name}-{where}", family, design, reveal=reveal), {"greedy": model})
        for name, model in MODELS.items()
        for where, family, design, reveal in (
            ("blind", CRYPT, "derive", "0"), ("shown", CRYPT, "derive", "10"), ("numbers", NUMBERS, "forward", "0"),
        )
    ]  # fmt: skip
    made = made_run.make(tmp_path_factory.mktemp("planted"), planned, n=30)
    run = ("--results", made.results, "--arms", made.folder / "arms.tsv")
    for name in made_run.in_order():
        made.script("table", "--name", name, *run, "--out", made.results / "tables")
    for name in SAVED:
        made.script("figure", "--name", name, *run, "--out", made.results / f"figures/{name}.png")
    return made


SAVED = ("designs", "reveal", "verdicts")


@pytest.fixture(scope="module")
def pictures(made) -> dict[str, Figure]:
    """Every figure, made once; most of the time of writing one goes into ink."""
    found = {}
    for name in modules.names("figure"):
        found[name] = made.figure(name)
        plt.close(found[name])
    return found


@pytest.fixture(scope="module")
def tables(made) -> dict[str, pd.DataFrame]:
    return {name: read_table(made.results / f"tables/{name}.parquet").to_pandas() for name in modules.names("table")}


@pytest.fixture(scope="module")
def reached(tables) -> pd.DataFrame:
    table = tables["accuracy"]
    return table[(table.seed == "all") & (table.stratum == "all")].set_index("arm")


def axes(tables, arm: str) -> pd.Series:
    """Shares of right lines per axis, all kinds of an arm together, and how many verdicts there were."""
    own = tables["kinds"][tables["kinds"].arm == arm]
    names = ("transcription", "arithmetic", "verdict")
    shares = {axis: (own[axis] * own[f"{axis}_n"]).sum() / max(1, own[f"{axis}_n"].sum()) for axis in names}
    return pd.Series(
        shares | {"verdicts": own.verdict_n.sum(), "malformed": own.kind.str.startswith("malformed").sum()}
    )


def test_the_oracle_is_at_its_ceiling_and_every_line_is_right(tables, reached):
    for where in ("blind", "shown", "numbers"):
        own = reached.loc[f"oracle-{where}"]
        assert own.official == own.ceiling and own.of_ceiling == 1 and own.abstained_right == own.abstains
        assert list(axes(tables, f"oracle-{where}")[:3]) == [1, 1, 1]
    traces = tables["traces"].set_index("arm").filter(like="oracle", axis=0)
    assert len(traces) == 3 and (traces.valid * traces.valid_n).round().tolist() == traces.perfect_n.tolist(), (
        "valid wherever there is a text; it writes nothing where there is none, which is not valid"
    )
    assert 0 < reached.ceiling["oracle-blind"] < 0.5 < reached.ceiling["oracle-shown"], "a ceiling below 1 is seen"


def test_the_abstainer_is_never_right_and_rightly_undetermined_where_its_text_is(tables, reached):
    blind, shown, numbers = (reached.loc[f"abstainer-{where}"] for where in ("blind", "shown", "numbers"))
    assert blind.official == shown.official == 0 and blind.strict == shown.strict == numbers.strict == 0
    assert numbers.official < 0.1, "the official grade falls back on the last number, which may be right by chance"
    assert blind.of_ceiling == 0 and blind.abstained == 1 and blind.abstained_right == blind.abstains > 0.5
    assert shown.abstained == 1 and shown.abstained_right == shown.abstains < 0.1
    assert numbers.abstains == numbers.abstained == 0, "no text of the design gives up, so nothing counts as that"


def test_the_echo_is_known_by_its_transcriptions(tables, reached):
    """Its lines agree with themselves; verdicts and sums alone would make it look perfect."""
    for where in ("shown", "numbers"):
        own = axes(tables, f"echo-{where}")
        assert own.verdict > 0.85 and own.arithmetic == 1 and own.transcription < 0.8
        oracle = axes(tables, f"oracle-{where}")
        assert oracle.transcription == 1 and reached.official[f"echo-{where}"] < 0.1 < reached.ceiling[f"echo-{where}"]
    kinds = tables["kinds"].set_index(["arm", "kind"])
    assert kinds.transcription["echo-shown", "crypt/lookup"] < 0.1 < kinds.verdict["echo-shown", "crypt/lookup"]
    traces = tables["traces"].set_index("arm")
    assert (traces.valid[["echo-shown", "echo-numbers"]] < 0.2).all()
    assert traces.first_failure["echo-shown"].startswith("crypt/example, transcription: ")


def test_coin_verdicts_are_near_one_half_with_right_arithmetic(tables, reached):
    for where in ("shown", "numbers"):
        own = axes(tables, f"coin-{where}")
        assert own.arithmetic > 0.97 and own.verdicts > 100 and own.verdict < 0.7
        assert reached.official[f"coin-{where}"] == reached.ceiling[f"coin-{where}"], "it boxes what its target boxes"
    test = tables["kinds"].set_index(["arm", "kind"]).loc[("coin-numbers", "equation/test")]
    assert test.arithmetic == 1 and test.verdict_low < 0.5 < test.verdict_high < 0.75 and test.verdict_n > 50
    assert not test.fixed and "no:" in test.trained
    assert tables["traces"].set_index("arm").valid["coin-numbers"] < 0.2


def test_the_rule_of_evidence_asks_for_steps_and_not_for_verdicts(tables):
    """Who concludes by a coin is evidence of its procedure; who stops at once, copies or computes wrongly is not."""
    steps = tables["steps"].set_index("arm")
    for where in ("blind", "shown", "numbers"):
        told = {name: steps.installed[f"{name}-{where}"] for name in MODELS}
        assert told["oracle"] == told["coin"] == "yes"
        assert told["echo"] == told["abstainer"] == "no"
        assert where == "blind" or told["miscounter"] == "no", "without a key nothing is computed that could be wrong"
    assert (steps.written.filter(like="oracle") == 1).all() and (steps.written.filter(like="abstainer") < 0.5).all()
    for where in ("shown", "numbers"):
        wrong = steps.loc[f"miscounter-{where}"]
        assert wrong.arithmetic_high < 0.97 and wrong.transcription > 0.9 > wrong.arithmetic > 0.4
    own = steps.installed.to_dict()
    for name in ("accuracy", "kinds", "traces"):
        assert tables[name].set_index("arm").installed.groupby(level=0).first().to_dict() == own
    assert tables["sets"].set_index("arm").test_installed.to_dict() == own
    assert tables["runs"].set_index("arm").installed.to_dict() == own
    pairs = tables["paired"].set_index(["arm_a", "arm_b"])
    pair = pairs.loc[("miscounter-shown", "oracle-shown")].iloc[0]
    assert (pair.installed_a, pair.installed_b) == ("no", "yes")


def test_training_outcomes_are_those_of_the_examples(made, tables):
    """Not of the evaluation texts, and whatever the model writes."""
    kinds = tables["kinds"].set_index(["arm", "kind"])
    design, counts = DESIGNS[NUMBERS, "forward"], Counter()
    for row in read_table(made.results / "corpora/oracle-numbers/seed-1.parquet").to_pylist():
        lines = parse_completion(row["completion"], design)
        counts.update(line.verdict for line in lines if getattr(line, "KIND", "") == "equation/test")
    expected = " ".join(f"{outcome}:{n}" for outcome, n in sorted(counts.items()))
    assert counts.total() > 50 and len(counts) > 1
    for arm in ("oracle-numbers", "coin-numbers"):
        assert kinds.trained[arm, "equation/test"] == expected
    assert kinds.trained["abstainer-blind", "crypt/undetermined"] == ""


def test_pairs_tell_the_oracle_from_the_echo(tables):
    table = tables["paired"]
    own = table[(table.stratum == "all") & (table.arm_a == "echo-shown") & (table.arm_b == "oracle-shown")].iloc[0]
    assert own.b_only > 20 and own.a_only == 0 and own.p_holm < 0.001
    same = table[(table.stratum == "all") & (table.arm_a == "coin-shown") & (table.arm_b == "oracle-shown")].iloc[0]
    assert same.p == 1


def test_the_figures_show_the_differences(made, tables, reached, pictures):
    """The ceiling and the rightly undetermined share are drawn, and no two models look the same in the legend."""
    figure = pictures["designs"]
    said = made_run.words(figure)
    assert plots_have(figure, reached.ceiling["oracle-blind"]) and plots_have(figure, reached.abstains["oracle-blind"])
    assert "rightly undetermined" in said and "oracle-blind (n=8)" in said
    figure = pictures["reveal"]
    assert plots_have(figure, reached.official["oracle-shown"]) and plots_have(figure, 0.0)
    labels = [text for text in made_run.words(figure).split("\n") if text.startswith("model, design derive")]
    assert len(set(labels)) == len(MODELS)
    assert all(plots_have(figure, 0.01 + k / 137) for k in (0, 5, 10)), "what chance reaches is drawn at every dose"
    figure = pictures["verdicts"]
    kinds = tables["kinds"].set_index(["arm", "kind"])
    for arm, kind, axis in (
        ("coin-numbers", "equation/test", "given"), ("oracle-numbers", "equation/test", "given"),
        ("coin-numbers", "equation/test", "top"), ("coin-numbers", "equation/test", "stump"),
        ("echo-shown", "crypt/join-test", "transcription"),
    ):  # fmt: skip
        assert plots_have(figure, kinds[axis][arm, kind])
    empty = {name for name, each in pictures.items() if "Nothing to show: no arm " in made_run.words(each)}
    assert empty == {*ELSEWHERE, "slate", "decoders", "forced", "oracle", "reinforcement", "self_training"}
    for name in SAVED:
        assert (made.results / f"figures/{name}.png").stat().st_size > 10_000
    plt.close("all")


def test_only_arms_without_the_steps_are_struck_through(made, pictures, tmp_path):
    part = made.part(
        tmp_path / "part", [f"{name}-{where}" for name in ("oracle", "coin") for where in ("blind", "shown")]
    )
    part.tables("steps", "accuracy", "paired", "solvers", "runs")
    for name in ("designs", "reveal", "runs"):
        assert plots.STRUCK in made_run.words(pictures[name]), name
        assert plots.STRUCK not in made_run.words(part.figure(name)), name
    plt.close("all")


def test_verdicts_of_another_decoder_or_corruption_never_mix_in(made, tables):
    module, run = modules.load("figure", "verdicts"), made.run
    given = {"published": run.read("published"), "arms": run.read("arms")}
    other = tables["kinds"].assign(decoder="vote", given=0.987654, transcription=0.987654)
    figure = module.make(kinds=pd.concat([tables["kinds"], other]), **given)
    assert 0.987654 not in made_run.drawn(figure)
    given["arms"].loc["coin-numbers", "corruption"] = "swap"
    said = made_run.words(module.make(kinds=tables["kinds"], **given))
    assert "Left out for it: coin-numbers." in said and "coin-numbers (n=8" not in said
    plt.close("all")


ELSEWHERE = {  # figure -> two arms that stand apart on it
    "backbones": ("oracle-search", "echo-other"), "bits": ("oracle-bits", "echo-bits"),
    "corruption": ("oracle-numeral", "echo-swap"), "few_examples": ("oracle-few-1", "echo-few-20"),
    "interference": ("oracle-numeral", "echo-mix"), "memorisation": ("oracle-bits-known", "echo-bits-known"),
    "scale": ("oracle-search", "echo-many"),
}  # fmt: skip


@pytest.fixture(scope="module")
def further(tmp_path_factory) -> made_run.Made:
    """The witnessed designs and slates, by a model that concludes and one that tosses coins or copies another row; and
    pairs of arms for the figures that compare arms of a certain sort, the one by the oracle, the other by the echo."""
    arm = made_run.arm
    planned = [
        (arm(f"{model}-{name}", CRYPT, name.partition(":")[0], reveal=reveal), {"greedy": MODELS[model]})
        for name, reveal, models in (
            ("witness", "4", ("oracle",)), ("witness-balanced", "4", ("oracle", "coin")),
            ("slate", "slate-2-given", ("oracle", "echo", "coin")),
        )
        for model in models
    ]  # fmt: skip
    planned += [
        (row, {"greedy": MODELS[row["arm"].partition("-")[0]]})
        for row in (
            arm("oracle-search", CRYPT, "search"), arm("echo-other", CRYPT, "search", backbone="other"),
            arm("echo-many", CRYPT, "search", n=90), arm("oracle-numeral", "numeral", "forward"),
            arm("echo-swap", "numeral", "forward", corruption="swap"), arm("echo-mix", "numeral,cipher", "forward"),
            arm("oracle-bits", BITS, "prior-scan"), arm("echo-bits", BITS, "prior-scan"),
            arm("oracle-bits-known", BITS, "catalog-repair"), arm("echo-bits-known", BITS, "catalog-repair"),
            arm("oracle-few-1", CRYPT, "journey", recipe="few", n=1),
            arm("echo-few-20", CRYPT, "journey", recipe="few", n=20),
        )
    ]  # fmt: skip
    made = made_run.make(tmp_path_factory.mktemp("further"), planned, n=32)
    made.tables("kinds", "steps", "accuracy", "paired", "meaning", "configuration", "traces")
    return made


@pytest.mark.parametrize("name", ELSEWHERE)
def test_the_oracle_and_the_echo_stand_apart(further, name):
    """Where the one is right on half of the rows or more, the other is hardly ever."""
    oracle, echo = ELSEWHERE[name]
    reached = further.run.read("tables/accuracy").query("seed == 'all'")
    reached = reached[reached.stratum == ("join" if name == "few_examples" else "all")]
    right = reached[reached.family != "cipher"].set_index("arm").official
    figure = further.figure(name)
    assert right[oracle] > 0.4 and right[echo] < 0.2
    assert plots_have(figure, right[oracle]) and plots_have(figure, right[echo]), made_run.words(figure)
    plt.close(figure)


def test_fidelity_and_slate_can_come_out_either_way(further):
    """Coin verdicts lie near one half where a test has two ends, conclusions at 1; slates at their ceiling or below."""
    tables = {name: further.run.read(f"tables/{name}") for name in ("kinds", "steps", "accuracy")}
    own = tables["kinds"].set_index("arm")
    tests = own[own.kind.str.startswith("try/") & (own.given_n > 0)]
    assert len(tests.loc[["oracle-witness-balanced"]]) > 3 and (tests.loc[["oracle-witness-balanced"]].given == 1).all()
    coins = tests.loc[["coin-witness-balanced"]]
    share = (coins.given * coins.given_n).sum() / coins.given_n.sum()
    assert 0.35 < share < 0.65
    bound = own[own.kind.str.startswith("not/") & (own.trained != "")]
    assert len(bound) > 3 and bound.fixed.astype(bool).all(), "one end says nothing of verdicts"
    assert tables["steps"].set_index("arm").installed["coin-witness-balanced"] == "yes", "a coin is no wrong step"
    figure = further.figure("fidelity")
    for arm in ("oracle-witness-balanced", "coin-witness-balanced"):
        assert all(plots_have(figure, value) for value in tests.loc[[arm]].given)
    reached = tables["accuracy"]
    reached = reached[(reached.seed == "all") & (reached.stratum == "value")].set_index("arm")
    figure = further.figure("slate")
    assert reached.official["oracle-slate"] == reached.ceiling["oracle-slate"] > 0.5 > reached.official["echo-slate"]
    assert plots_have(figure, reached.official["echo-slate"]) and plots_have(figure, reached.ceiling["oracle-slate"])
    assert reached.official["coin-slate"] == reached.ceiling["coin-slate"], "its answers alone would look like checking"
    ends = own[own.kind == "slate/end"].given
    assert ends["oracle-slate"] == 1 and ends["coin-slate"] < 0.7
    assert plots_have(figure, ends["coin-slate"])
    plt.close("all")


def plots_have(figure, value: float) -> bool:
    return round(float(value), 6) in made_run.drawn(figure)
