"""The line grammar: round trips for every field type, refused declarations, any text at all, linear time."""

import textwrap
import time
from typing import Annotated, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reasoning.grammar import lines as lines_module
from reasoning.grammar.lines import FAILED, PASSED, Bits, Chars, Digit, Digits, Glyph, Letters, Line, Number, Word, line
from reasoning.grammar.page import Page
from reasoning.grammar.trace import Box, Design, Malformed, Trace, completion_of, parse_completion

GLYPH = st.characters(min_codepoint=33, max_codepoint=126)


@line
class Plain(Line):
    KIND = "plain"
    TEXT = "E{i} {glyph}{op}={digit} -> {sign} {word} end"
    ROLES = "i:- glyph:- op:- digit:- sign:- word:-"
    i: int
    glyph: Glyph
    op: Glyph
    digit: Digit
    sign: Literal["add", "add+1"]
    word: Word


@line
class Lists(Line):
    KIND = "lists"
    TEXT = "{numbers:,|none}; {glyphs:}: {key: =}; {words:_}"
    ROLES = "numbers:- glyphs:- key:- words:-"
    numbers: tuple[int, ...]
    glyphs: tuple[Annotated[str, Chars("!-9", 1)], ...]
    key: tuple[tuple[Glyph, Digit], ...]
    words: tuple[Letters, ...]


@line
class Verdict(Line):
    KIND = "test"
    TEXT = "t {digits} {bits} {number} {{x}} {verdict}"
    OUTCOMES = {"no": FAILED, "none": FAILED, "yes": PASSED}
    FORCED_BY = "nothing, this is a test"
    ROLES = "digits:- bits:- number:-"
    digits: Digits
    bits: Bits
    number: Number
    verdict: str


DESIGN = Design("toy", "numeral", (Plain, Lists, Verdict), render=None)
INT = st.integers(-(10**14), 10**14)
LINES = st.one_of(
    st.builds(
        Plain, INT, GLYPH, GLYPH, st.integers(0, 9), st.sampled_from(["add", "add+1"]), st.text(GLYPH, min_size=1)
    ),
    st.builds(
        Lists,
        st.lists(INT, max_size=4).map(tuple),
        st.lists(st.characters(min_codepoint=33, max_codepoint=57), min_size=1, max_size=4).map(tuple),
        st.lists(st.tuples(GLYPH, st.integers(0, 9)), min_size=1, max_size=4).map(tuple),
        st.lists(st.text("abc", min_size=1), min_size=1, max_size=4).map(tuple),
    ),
    st.builds(
        Verdict,
        st.text("0123456789", min_size=1),
        st.text("01", min_size=1),
        st.decimals(-99, 99, places=2).map(str),
        st.sampled_from(list(Verdict.OUTCOMES)),
    ),
)


@given(LINES)
def test_every_line_reads_back(value: Line):
    assert type(value).parse(value.text()) == value


@given(st.lists(LINES, max_size=6), st.none() | st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1))
def test_every_completion_reads_back(lines: list[Line], answer: str | None):
    text = completion_of(Trace(tuple(lines), answer))
    assert parse_completion(text, DESIGN) == [*lines, *([] if answer is None else [Box(answer)])]


@settings(max_examples=300)
@given(st.text() | st.text("\n\\<>think/boxed{}E1 =-,") | st.binary().map(lambda raw: raw.decode("latin-1")))
def test_any_text_is_read_and_kept(text: str):
    for number, found in enumerate(parse_completion(text, DESIGN)):
        assert found.text() in text
        if isinstance(found, Malformed):
            assert found.line == number and text[found.offset :].startswith(found.raw)


@given(st.lists(LINES, min_size=1, max_size=4), st.data())
def test_a_cut_completion_loses_only_what_follows_the_cut(lines: list[Line], data: st.DataObject):
    text = completion_of(Trace(tuple(lines), "7"))
    cut = text[: data.draw(st.integers(0, len(text)))]
    whole_lines = cut.count("\n") - 1
    assert parse_completion(cut, DESIGN)[: max(0, min(whole_lines, len(lines)))] == lines[: max(0, whole_lines)]


def test_the_documented_example_is_real():
    """The declaration in the module's docstring runs, and its two equations hold."""
    block = lines_module.__doc__.split("Declaring a kind of line:\n")[1].split("A line that claims")[0]
    *declaration, first, second = textwrap.dedent(block).strip().splitlines()
    names = dict(vars(lines_module))
    exec("\n".join(declaration), names)
    assert eval(first, names) and eval(second, names)
    page = Page("numeral", None)
    line = names["Partial"](3, 12, 35, "large")
    assert (line.transcription(page), line.arithmetic(page), line.verdict_follows(page)) == (False, False, False)


def test_malformed_lines_name_the_nearest_kind():
    found = parse_completion("<think>\nE1 nonsense\n\u4f60\u597d\n</think>\nafter", DESIGN)
    assert [(each.nearest, each.offset) for each in found] == [("plain", 8), ("", 20), ("", 32)]


@pytest.mark.parametrize(
    ("text", "fields", "says"),
    [
        ("{a}{b}", {"a": int, "b": int}, "run into"),
        ("{a}7", {"a": int}, "run into"),
        ("{a}x", {"a": Word}, "run into"),
        ("{a:,} b", {"a": tuple[Word, ...]}, "separator"),
        ("{a:} b", {"a": tuple[int, ...]}, "separator"),
        ("{a:,} b", {"a": tuple[Glyph, ...]}, "separator"),
        ("{a:,=} b", {"a": tuple[tuple[Glyph, Digit], ...]}, "separator"),
        ("{a:-} b", {"a": tuple[int, ...]}, "separator"),
        ("{a:.} b", {"a": tuple[Number, ...]}, "separator"),
        ("{a:}{b}", {"a": tuple[Annotated[str, Chars("ab", 2)], ...], "b": Annotated[str, Chars("a", 1)]}, "run into"),
        ("{a} b", {"a": str}, "no written form"),
        ("no place", {"a": int}, "stand in TEXT"),
        ("{a} {a}", {"a": int}, "stand in TEXT"),
        ("{b}", {"a": int}, "'b'"),
        ("{verdict}", {"verdict": str}, "OUTCOMES"),
    ],
)
def test_a_declaration_that_could_not_be_read_back_is_refused(text: str, fields: dict, says: str):
    with pytest.raises(TypeError, match=says):
        line(type("Bad", (Line,), {"KIND": "bad", "TEXT": text, "__annotations__": fields}))


HOSTILE = {
    "one kind, no end": lambda n: "E1 $+=3 -> add " + "x" * n,
    "many items": lambda n: ",".join(["1"] * (n // 2)) + "; !",
    "many lines": lambda n: "t 0 1 2 {x} no\n" * (n // 15),
    "nesting": lambda n: "\\boxed{" * (n // 7),
    "digits": lambda n: "t " + "1" * n,
    "short lines": lambda n: "ab\n" * (n // 3),
    "other script": lambda n: "\u0905\x00\r\u2028" * (n // 4),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_reading_time_grows_linearly(name: str, record_property):
    """Eight times the text may take at most 24 times as long (quadratic would be 64 times)."""

    def seconds(length: int) -> float:
        text, best = HOSTILE[name](length), float("inf")
        for _ in range(3):
            start = time.process_time()
            parse_completion(text, DESIGN)
            best = min(best, time.process_time() - start)
        return best

    small, large = seconds(60_000), seconds(480_000)
    print(f"{name}: 60 kB {small * 1e3:.2f} ms, 480 kB {large * 1e3:.2f} ms, ratio {large / small:.1f}")
    assert large < 24 * small + 0.005
