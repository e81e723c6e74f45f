"""Arms whose rows cannot be had are refused when a run is planned, with what a sample of the rows shows."""

import re
from pathlib import Path

import pytest
from scipy.stats import binom
from test_bad_input import refused
from test_workflow import SMOKE, copy, edited

import generate
from common.config import read_yaml
from common.errors import LabError
from planning import supply
from planning.checks import read_lab

ROOT = Path(__file__).resolve().parents[2]
HEADER = "arm\tfamilies\tdesign\treveal\tcorruption\tselection\tn\tbackbone\trecipe\tseeds\tsource\n"


def said(folder: Path, *cells: str, rows: int = 1500, **settings: object) -> str:
    """What is said of an arm of deduce rows with this design, reveal, selection, n and perhaps source."""
    design, reveal, selection, n, *source = cells
    path = folder / "arms.tsv"
    lines = [f"{name}\tcryptarithm_deduce\t{design}\t{reveal}\tnone\t{selection}\t{n}\tsmall\tsmall\t1\t{source}"
             for name, source in (("first", ""), ("second", "".join(source)))]  # fmt: skip
    path.write_text(HEADER + "\n".join(lines[len(source) == 0 :]) + "\n")
    config = read_yaml(ROOT / "config/default.yaml") | {"arms": str(path), **settings}
    config["rows"] = {"train": {"default": rows}, "test": {"default": 9}}
    lab = read_lab(config, ["config/default.yaml"], lambda name: str(ROOT / name))
    try:
        supply.check_supply(lab)
    except LabError as error:
        return str(error).removeprefix(f"{path}: ")
    return ""


def test_a_stratum_without_a_text_is_refused(tmp_path):
    """A thought of 200 characters tells no value row; an arm that names the join rows does not claim any."""
    message = said(tmp_path, "derive", "10", "all", "100", thought=200)
    assert re.fullmatch(
        r"row 2, field selection: arm second, design derive of cryptarithm_deduce: it claims rows of stratum 'value',"
        r" and none of 100 has a text \(\d+: over budget of 200 characters.*\); the selection may name another stratum",
        message,
    ), message
    assert said(tmp_path, "derive", "10", "join", "100", thought=200) == ""
    assert said(tmp_path, "derive", "10", "all", "100") == said(tmp_path, "answer-only", "0", "all", "1500") == ""


def test_a_part_of_a_selection_that_is_too_rare_is_refused_with_counts(tmp_path):
    """Of the chains of r7 few end by a split; a small corpus has enough of them, the whole table has not."""
    message = said(tmp_path, "forced-chain", "0", "ends-55-30-15", "1500")
    found = re.fullmatch(
        r"row 2, field n: arm second, .*: 450 of 1500 training rows are asked for that end by a split; of the first"
        r" (\d+) there are (\d+) \((\d+): rendered.*\)", message,
    )  # fmt: skip
    assert found and int(found[2]) < 0.15 * int(found[1]) and int(found[3]) > 0.6 * int(found[1]), message
    assert said(tmp_path, "forced-chain", "0", "ends-55-30-15", "60") == ""
    assert " are rendered and of selection 'join'; " in said(tmp_path, "forced-chain", "0", "join", "1500")


def test_rows_of_another_arms_completions_are_left_to_its_harvest(tmp_path):
    assert said(tmp_path, "derive", "10", "join", "900") != ""
    assert said(tmp_path, "derive", "10", "all", "100", "first") == ""


def test_the_sample_is_what_the_run_will_draw_first():
    drawn = generate.problems("cryptarithm_deduce", "train", 60, 17, {})
    own = supply.Drawn(supply.training_problems("cryptarithm_deduce", 17, {})).first(60)
    assert [each.id for each in own] == [each.id for each in drawn]
    joins = supply.Drawn(supply.training_problems("cryptarithm_deduce", 17, {}, "join")).first(9)
    assert len(joins) == 9 and {each.stratum for each in joins} == {"join"}
    assert joins[0].id == next(each.id for each in drawn if each.stratum == "join")


@pytest.mark.parametrize(("k", "m", "share"), [(0, 100, 0.05), (3, 100, 0.3), (12, 12, 0.9), (5, 50, 1.0)])
def test_the_probability_of_so_few_rows(k, m, share):
    assert supply.at_most(k, m, share) == pytest.approx(binom.cdf(k, m, share))


def test_a_dry_run_says_it_and_plans_nothing(tmp_path):
    project = copy(tmp_path)
    row = (project / "config/arms.smoke.tsv").read_text().count("\n") + 1
    line = "many\tcryptarithm_deduce\tderive\t10\tnone\tjoin\t90\tslots\tsmoke\t1\n"
    arms = (project / "config/arms.smoke.tsv").read_text()
    backbone, recipe = arms.strip().split("\n")[-1].split("\t")[7:9]
    line = line.replace("slots\tsmoke", f"{backbone}\t{recipe}")
    with edited(project / "config/arms.smoke.tsv", lambda text: text + line):
        told = refused(project, *SMOKE)
    assert told.startswith(f"config/arms.smoke.tsv: row {row}, field n: arm many, design derive of"), told
