"""The official comparison, its fallbacks, and the strict verdict beside it."""

import random

import pytest

from puzzles.checker import extract, grade, official


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
        (r"\boxed{5} but cut \boxed{6", "6"),
        (r"\boxed{5} but cut \boxed{", "5"),
        (r"\boxed{6", "6"),
        (r"so \boxed{@<&", "@<&"),
        ("\\boxed{6\nmore", "6\nmore"),
        (r"\boxed{6 \boxed{7}", "7"),
        (r"\boxed{6 \boxed{}", "6"),
        (r"\boxed{ 12 }", "12"),
        (r"\boxed{} so 8", ""),
        ("It is 5, so \\boxed{ }", ""),
        ("\\boxed{\n}\nFinal answer: 5", ""),
        (r"The final answer is: 4, \boxed{", ""),
    ],
)
def test_a_box_runs_to_the_last_brace_before_the_next_or_to_the_end(text, content):
    assert extract(text) == content


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("Final answer is: 42\nthanks", "42"),
        ("The final answer is: 3 apples. Thanks", "3 apples. Thanks"),
        ("Final answer is: 1\nThe final answer is: 2\nFinal answer is: 3", "2"),
        ("Final answer: 1\nFINAL ANSWER IS: 2\nfinal answer : 3", "2"),
        ("final answer: 1\nFinal Answer: 2", "2"),
        ("Final answer:\n42", "42"),
        ("The final answer is:\n\n  XIV  \n7", "XIV"),
        ("Final answer \t\n:\n 5", "5"),
        ("Final answer：XIV", "XIV"),
        ("Final answer is：XIV 9 x", "9"),
        ("Final answer : \n", ""),
        ("Final answer:\n", "Final answer:"),
        ("The final answer is :4", "4"),
        ("d = 68.54\nThe final answer would be small.", "68.54"),
        ("the final answer is XIV", "the final answer is XIV"),
        ("the final answer is XIV, 6 and 7", "7"),
        ("first 3.5 then -12.25 m", "-12.25"),
        ("1,234 and 5.", "5"),
        ("no digits\n\nlast line \n", "last line"),
        (" \n ", "NOT_FOUND"),
        ("", "NOT_FOUND"),
    ],
)
def test_fallbacks_in_their_order(text, parsed):
    assert extract(text) == parsed


def metric_reads(text: str) -> str:
    """The published metric's reading once more, by position and without the checker's patterns."""
    starts = [i for i in range(len(text)) if text.startswith("\\boxed{", i)]
    contents = []
    for i, start in enumerate(starts):
        segment = text[start + 7 : starts[i + 1] if i + 1 < len(starts) else len(text)]
        contents.append(segment[: segment.rindex("}")] if "}" in segment else segment)
    if contents:
        return next((content.strip() for content in reversed(contents) if content.strip()), "")
    low = text.lower()
    for words, blanks, colons in (
        ("the final answer is", False, ":"),
        ("final answer is", False, ":"),
        ("final answer", True, ":："),
    ):
        found = None
        at = low.find(words)
        while at >= 0:
            end = at + len(words)
            while blanks and text[end : end + 1].isspace():
                end += 1
            rest = text[end + 1 :].lstrip()
            line = rest.split("\n")[0] or text[end + 1 :].replace("\n", "")
            if text[end : end + 1] and text[end] in colons and line:
                found = line.strip()
                at = low.find(words, len(text) - len(rest) + len(line))
            else:
                at = low.find(words, at + 1)
        if found is not None:
            return found
    numbers, i = [], 0
    while i < len(text):
        j = i + (text[i] == "-")
        if not text[j : j + 1].isdecimal():
            i += 1
            continue
        while text[j : j + 1].isdecimal():
            j += 1
        if text[j : j + 1] == "." and text[j + 1 : j + 2].isdecimal():
            j += 1
            while text[j : j + 1].isdecimal():
                j += 1
        numbers.append(text[i:j])
        i = j
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return numbers[-1] if numbers else lines[-1] if lines else "NOT_FOUND"


def test_the_reading_is_the_metric_s_on_many_texts():
    """Texts of the pieces that the rule looks at, in any order and number."""
    pieces = ["\\boxed{", "}", "{", " ", "\n", "\t", "5", "-1.5", ".", "XIV", "The final answer is", "final answer"]
    pieces += ["Final Answer is:", ":", "：", "the ", "is", "x"]
    rng, kinds = random.Random(0), set()
    for _ in range(30_000):
        allowed = pieces if rng.random() < 0.3 else pieces[1:]
        text = "".join(rng.choices(allowed, k=rng.randint(0, 9)))
        assert extract(text) == metric_reads(text), text
        kinds.add((extract(text) == "", "\\boxed{" in text, "answer" in text.lower()))
    assert len(kinds) == 7  # "" is read from a box or after the words only


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
    ("text", "answer", "cut", "boxed", "verdicts"),
    [
        (r"<think></think> \boxed{1564}", "1564", False, True, (True, True, "")),
        (r"\boxed{1565}", "1564", False, True, (True, False, "")),
        (r"\boxed{ 1564 }", "1564", False, True, (True, False, "")),
        (r"\boxed{xiv}", "XIV", False, True, (True, False, "")),
        ("it is 1564", "1564", False, False, (True, False, "no-box")),
        ("it is 1564", "1564", True, False, (True, False, "truncated")),
        (r"\boxed{99}", "1564", False, True, (False, False, "wrong")),
        (r"\boxed{99} and on", "1564", True, True, (False, False, "truncated")),
        (r"\boxed{}|}", "}|", False, True, (True, True, "")),
        (r"so \boxed{@<&", "@<&", False, False, (True, False, "no-box")),
        (r"so \boxed{@<&", "@<&", True, False, (True, False, "truncated")),
        (r"\boxed{5} but cut \boxed{6", "5", False, False, (False, False, "no-box")),
        (r"\boxed{5} but cut \boxed{6", "6", True, False, (True, False, "truncated")),
        (r"\boxed{} so 8", "8", False, False, (False, False, "no-box")),
        ("Final answer:\n42", "42", False, False, (True, False, "no-box")),
        ("", "1564", False, False, (False, False, "no-box")),
    ],
)
def test_grade(text, answer, cut, boxed, verdicts):
    result = grade(text, answer, cut)
    assert (result.official, result.strict, result.failure) == verdicts
    assert result.boxed is boxed and (result.official or not result.strict)
