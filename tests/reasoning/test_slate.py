"""Slates: what the prompt lists, that nothing but the examples tells the right key, and the design that checks."""

import random
from dataclasses import replace

import pytest

from common.errors import LabError
from puzzles.base import Problem, Solution
from puzzles.cryptarithm.family import DEDUCE, generate, parse
from puzzles.cryptarithm.slate import carries, holds
from puzzles.equations.prompt import join_of
from reasoning.designs.cryptarithm.lines.slate_lines import SlateEnd, SlateKey
from reasoning.grammar.page import Page, Truth
from reasoning.grammar.reveal import NONE, THOUGHT, Known, Reveal, known_of, shown_prompt, slate_of, split_shown
from reasoning.grammar.texts import RENDERED, Row, render_row
from reasoning.grammar.trace import parse_completion
from reasoning.judging.audit import audit, audit_lines
from reasoning.registry import DESIGNS

DESIGN = DESIGNS[DEDUCE, "slate"]
PROBLEMS = [problem for problem in generate(random.Random(8), 260, family=DEDUCE) if problem.stratum == "value"]


def row_of(problem: Problem, text: str, thought: int = THOUGHT) -> Row:
    return render_row(problem.id, problem, Solution(None), DESIGN, DESIGN.reveal(text), 0, thought)


@pytest.mark.parametrize(
    "text", ["slate-2", "slate-8-given", "slate-8-random", "slate-9-none-50", "slate-4-random-none-0-hidden"]
)
def test_a_slate_is_written_one_way(text: str) -> None:
    assert str(Reveal.parse(text)) == text and Reveal.parse(text).digits == 0
    for wrong in (f"{text}-uniform", f"{text}-derived", text.replace("slate-", "slate-0"), "slate-8-none-101", "slate"):
        with pytest.raises(LabError, match="is not a reveal"):
            Reveal.parse(wrong)
    with pytest.raises(LabError, match=r"is not a reveal.*not said for 20"):
        Reveal.parse(f"slate-8-none-{NONE}")


def test_designs_say_what_they_can_show() -> None:
    with pytest.raises(LabError, match="design slate of cryptarithm_deduce can show 2 to 9 candidate keys"):
        DESIGN.reveal("0")
    with pytest.raises(LabError, match="design derive of cryptarithm_deduce can show 0 to 10 digits"):
        DESIGNS[DEDUCE, "derive"].reveal("slate-2")


def test_the_prompt_reads_back_with_its_slate() -> None:
    for problem in PROBLEMS[:20]:
        for text in ("slate-2", "slate-8-given"):
            known = known_of(problem, parse(problem.prompt).operators, Reveal.parse(text))
            shown = shown_prompt(problem.prompt, known)
            prompt, found = split_shown(shown)
            assert prompt == problem.prompt and dict(found) == {} and found.rules == known.rules
            assert found.slate == known.slate and len(found.slate) == int(text[6])
            assert shown.count("\nKey ") == len(found.slate)


@pytest.mark.parametrize("n", [2, 8])
def test_only_the_examples_tell_the_right_key(n: int) -> None:
    """Rows without a right key, its place, its likeness to the others; wrong keys carry an example or are random."""
    rights, places, alike, plausible, chance = 0, [0] * n, 0.0, [0, 0], [0, 0]
    for problem in PROBLEMS:
        key, row, rules = problem.rule["alphabet"], parse(problem.prompt), problem.rule["operators"]
        slates = [slate_of(problem, Reveal(slate=n, drawn=drawn)) for drawn in ("plausible", "random")]
        assert (key in slates[0]) == (key in slates[1])  # the same rows for the control
        for slate, seen in zip(slates, (plausible, chance), strict=True):
            assert len({tuple(sorted(each.items())) for each in slate}) == n
            for wrong in [each for each in slate if each != key]:
                assert sorted(wrong) == sorted(key) and not carries(row, wrong)
                seen[any(holds(e, wrong, rules[e.op]) for e in row.examples if not join_of(e))] += 1
        if key in slates[0]:
            rights += 1
            places[slates[0].index(key)] += 1
            shared = [sum(a[g] == b[g] for b in slates[0] if b is not a for g in a) for a in slates[0]]
            best = [a for a, s in zip(slates[0], shared, strict=True) if s == max(shared)]
            alike += (key in best) / len(best)
    assert abs(rights / len(PROBLEMS) - (1 - NONE / 100)) < 0.09
    assert max(places) < rights / n + 4 * (rights / n) ** 0.5
    assert abs(alike / rights - 1 / n) < 0.09
    assert plausible[True] > 0.95 * sum(plausible) and chance[True] < 0.15 * sum(chance)


@pytest.mark.parametrize("text", ["slate-2", "slate-2-random", "slate-8-given", "slate-8-random-hidden"])
def test_the_design_boxes_the_answer_of_the_right_key_or_says_none(text: str) -> None:
    told, none = 0, 0
    for problem in PROBLEMS[:60]:
        row = row_of(problem, text, 2200)  # with eight keys a fifth of the texts is longer than the default
        if row.status != RENDERED:
            continue
        told += 1
        right = problem.rule["alphabet"] in slate_of(problem, Reveal.parse(text))
        assert row.boxed == (problem.answer if right else None)
        none += row.boxed is None
        checked = audit(row.completion, row.page, DESIGN, Truth.of(problem.key, problem.rule))
        assert not any(each.failed for each in checked)
        ends = [each.verdict for each in parse_completion(row.completion, DESIGN) if isinstance(each, SlateEnd)]
        assert ends.count("stands") == right and ends[:-1] == ["out"] * (len(ends) - 1)
    assert told > 50 and none > 4


def test_a_key_that_is_put_out_wrongly_or_stands_untested_is_marked() -> None:
    found = 0
    for problem in PROBLEMS[:40]:
        row = row_of(problem, "slate-2-given")
        lines = [each for each in parse_completion(row.completion, DESIGN) if row.status == RENDERED]
        for number, each in enumerate(lines):
            if not isinstance(each, SlateEnd):
                continue
            other = replace(each, verdict="stands" if each.verdict == "out" else "out")
            claimed = replace(each, place="all", verdict="stands") if each.verdict == "out" else None
            begun = max(i for i, e in enumerate(lines[:number]) if isinstance(e, SlateKey))
            for wrong, axis, head in (
                (other, "verdict", lines[:number]),
                (claimed, "transcription", lines[:number]),
                (each, "transcription", lines[: begun + 1]),  # nothing tested
            ):
                if wrong is not None:
                    page = Page.of(DEDUCE, row.page)
                    checked = audit_lines([*head, wrong], page)
                    assert checked[-1].failed == (axis,), (wrong, row.completion)
                    found += 1
    assert found > 60


def test_without_a_slate_nothing_is_told() -> None:
    problem = PROBLEMS[0]
    parsed = parse(problem.prompt)
    with pytest.raises(LabError, match="lists no keys"):
        DESIGN.render(problem, parsed, Solution(None), Known(), random.Random(0))
