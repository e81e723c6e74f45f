"""The rule inventory and the catalog of signatures."""

import pyarrow.parquet as pq
import pytest

from puzzles.cryptarithm import signatures
from puzzles.equations import rules
from puzzles.equations.prompt import Equation
from puzzles.equations.rules import BY_NAME, RULES, VALUE_RULES, apply


def test_the_inventory_has_24_rules():
    assert len(RULES) == len(BY_NAME) == 24
    counts = {(mode, group): 0 for mode in ("", "normal", "flip") for group in rules.GROUPS}
    for rule in RULES:
        counts[rule.mode, rule.group] += 1
    assert counts["", "join"] == 2
    assert [counts["normal", group] for group in ("add", "sub", "mul")] == [3, 4, 3]
    assert [counts["flip", group] for group in ("add", "sub", "mul")] == [3, 6, 3]


@pytest.mark.parametrize(
    ("name", "left", "right", "output"),
    [
        ("join", "12", "34", "1234"),
        ("join_swap", "12", "34", "3412"),
        ("add", "57", "68", "125"),
        ("add+1", "57", "68", "126"),
        ("add-1", "57", "68", "124"),
        ("sub", "19", "58", "?39"),
        ("sub", "58", "19", "39"),
        ("abs", "19", "58", "39"),
        ("negabs", "58", "19", "?39"),
        ("negabs", "58", "58", "0"),
        ("mod", "17", "90", "5"),
        ("mul", "96", "54", "5184"),
        ("mul+1", "96", "54", "5185"),
        ("mul-1", "96", "54", "5183"),
        ("flip_add", "06", "67", "631"),
        ("flip_add+1", "06", "67", "731"),
        ("flip_add-1", "06", "67", "531"),
        ("flip_sub", "06", "77", "?71"),
        ("flip_sub", "77", "06", "71"),
        ("flip_rsub", "77", "06", "71?"),
        ("flip_rsub", "06", "77", "71"),
        ("flip_abs", "06", "77", "71"),
        ("flip_negabs", "77", "06", "?71"),
        ("flip_absneg", "77", "06", "71?"),
        ("flip_absneg", "77", "77", "0"),
        ("flip_mod", "51", "04", "01"),
        ("flip_mul", "21", "01", "021"),
        ("flip_mul+1", "21", "01", "121"),
        ("flip_mul-1", "21", "01", "911"),
    ],
)
def test_outputs_as_printed(name, left, right, output):
    assert apply(BY_NAME[name], left, right, "?") == output


def test_every_rule_has_an_example_above():
    marks = [mark for mark in test_outputs_as_printed.pytestmark if mark.name == "parametrize"]
    assert {case[0] for mark in marks for case in mark.args[1]} == set(BY_NAME)


def test_catalog_has_4205_signatures_and_the_published_rows():
    assert len(signatures.catalog().slices) == 4205
    found = [(rule.name, digits) for rule, digits in signatures.rows_of("ABCCCDD")]
    sums = "0299911 0388811 0477711 0566611 0655511 0744411 0833311 0922211".split()
    assert found[0] == ("add", "8911100")
    assert found[1:9] == [("flip_add", digits) for digits in sums]
    assert [name for name, _ in found[9:]] == ["flip_add+1"] * 6
    assert (found[9][1], found[-1][1]) == ("9288811", "9822211")
    assert len(found) == 15


def test_every_catalog_row_is_what_its_rule_prints():
    for signature in list(signatures.catalog().slices)[::97]:
        for rule, digits in signatures.rows_of(signature):
            assert digits == digits[:4] + apply(rule, digits[:2], digits[2:4])
            assert signatures.spell(digits) == signature


def test_catalog_counts_every_operand_pair_once():
    undefined = 2 * (100 + 99)  # remainders by a smaller operand of zero, in both modes
    assert len(signatures.catalog().rule) == len(VALUE_RULES) * 10_000 - undefined
    assert signatures.catalog().proper.sum() == len(VALUE_RULES) * 90 * 90


@pytest.mark.parametrize(
    ("left", "op", "right", "output", "signature"),
    [
        ("<!", "+", "^&", "@<?", "ABCDEAF"),
        ("{#", "-", "^?", "-?{", "ABCD-DA"),
        ("{#", "[", "^?", "?{[", "ABCDDA-"),
        ("##", "*", "##", "#", "AAAAA"),
    ],
)
def test_signature_of_an_equation(left, op, right, output, signature):
    assert signatures.signature_of(Equation(left, op, right, output)) == signature


def test_catalog_table_is_deterministic(tmp_path):
    from common.artifacts import write_table

    for name in ("a", "b"):
        write_table(tmp_path / name, signatures.build())
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    table = pq.read_table(tmp_path / "a").to_pylist()
    assert len(table) == 4205
    assert all(row["count"] == len(row["rows"]) for row in table)
