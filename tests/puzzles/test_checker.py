"""The official comparison, its fallbacks, and the strict verdict beside it."""

import pytest

from puzzles.checker import extract, grade, last_box, official


@pytest.mark.parametrize(
    ("text", "content"),
    [
        (r"so \boxed{12}", "12"),
        (r"\boxed{1} then \boxed{2}.", "2"),
        (r"\boxed{7} and an empty \boxed{}", "7"),
        (r"\boxed{7} and a blank \boxed{  }", "7"),
        (r"\boxed{a}b}", "a}b"),
        (r"\boxed{}}", "}"),
        (r"\boxed{{|}}", "{|}"),
        (r"\boxed{\}", "\\"),
        (r"\boxed{1} is in {curly} braces", "1} is in {curly"),
        (r"\boxed{1}} first, \boxed{2} last", "2"),
        (r"\boxed{5} but cut \boxed{6", "5"),
        (r"\boxed{6", None),
        ("12", None),
        ("", None),
    ],
)
def test_box_runs_to_the_last_brace_before_the_next(text, content):
    assert last_box(text) == content


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("Final answer is: 42\nthanks", "42"),
        ("the final answer is XIV", "XIV"),
        ("first 3.5 then -12.25 m", "-12.25"),
        ("no digits\n\nlast line \n", "last line"),
        (r"\boxed{} so 8", "8"),
        (" \n ", ""),
        ("", ""),
    ],
)
def test_fallbacks_in_their_order(text, parsed):
    assert extract(text) == parsed


@pytest.mark.parametrize(
    ("answer", "parsed", "right"),
    [
        ("00010010", "00010010", True),
        ("00010010", "10010", False),
        ("10", "10.0", False),
        ("64.81", "64.82", True),
        ("64.81", "65.4", True),
        ("64.81", "65.5", False),
        ("1564", "1565", True),
        ("0.00", "0.000001", True),
        ("2", "0002", True),
        ("-35", "35", False),
        ("35-", "35-", True),
        ("35-", "35", False),
        ("XIV", "xiv", True),
        ("XIV", "XV", False),
        ("cat sees door", " cat sees door ", True),
        ("@<&", "@<&", True),
        ("@<&", "@<", False),
        ("nan", "nan", False),
    ],
)
def test_official_comparison(answer, parsed, right):
    assert official(parsed, answer) is right


@pytest.mark.parametrize(
    ("text", "answer", "cut", "verdicts"),
    [
        (r"<think></think> \boxed{1564}", "1564", False, (True, True, "")),
        (r"\boxed{1565}", "1564", False, (True, False, "")),
        (r"\boxed{ 1564 }", "1564", False, (True, False, "")),
        (r"\boxed{xiv}", "XIV", False, (True, False, "")),
        ("it is 1564", "1564", False, (True, False, "no-box")),
        ("it is 1564", "1564", True, (True, False, "truncated")),
        (r"\boxed{99}", "1564", False, (False, False, "wrong")),
        (r"\boxed{99} and on", "1564", True, (False, False, "truncated")),
        (r"\boxed{}|}", "}|", False, (True, True, "")),
        ("", "1564", False, (False, False, "no-box")),
        ("", "", False, (True, False, "no-box")),
    ],
)
def test_grade(text, answer, cut, verdicts):
    result = grade(text, answer, cut)
    assert (result.official, result.strict, result.failure) == verdicts
    assert result.boxed is (last_box(text) is not None)
