"""Training rows with a wrong key: which rows get one, the same for both designs, and how the thought ends."""

from functools import cache

import pytest

from puzzles.base import Problem, Solution, row_rng
from puzzles.cryptarithm import family as cryptarithm
from reasoning.grammar.reveal import split_shown
from reasoning.grammar.texts import RENDERED, Row, render_row
from reasoning.judging.audit import audit, is_valid
from reasoning.registry import DESIGNS

FAMILY = "cryptarithm_deduce"


@cache
def problems() -> tuple[Problem, ...]:
    return tuple(cryptarithm.generate(row_rng(3, FAMILY), 400, family=FAMILY))


def told(problem: Problem, design: str, reveal: str = "10", train: bool = True) -> Row:
    chosen = DESIGNS[FAMILY, design]
    return render_row(problem.id, problem, Solution(None), chosen, chosen.reveal(reveal), 0, train=train)


@cache
def wrong(design: str) -> tuple[tuple[Problem, Row], ...]:
    pairs = [(problem, told(problem, design)) for problem in problems()]
    return tuple((p, row) for p, row in pairs if dict(split_shown(row.prompt)[1]) != dict(sorted_key(p)))


def sorted_key(problem: Problem) -> list[tuple[str, int]]:
    return sorted(problem.rule["alphabet"].items())


@pytest.mark.parametrize("design", ["derive", "search"])
def test_a_few_rows_show_two_digits_swapped_and_end_without_a_rule(design: str) -> None:
    assert 0.02 * len(problems()) < len(wrong(design)) < 0.08 * len(problems())
    for problem, row in wrong(design):
        shown, own = split_shown(row.prompt)[1], dict(sorted_key(problem))
        changed = [glyph for glyph in own if own[glyph] != shown[glyph]]
        assert len(changed) == 2 and sorted(shown.values()) == sorted(own.values())
        assert problem.stratum == "value" and row.answer == problem.answer
        assert row.status == RENDERED and row.boxed is None
        assert row.lines[-1].text == f"undetermined: no rule for {cryptarithm.parse(problem.prompt).query.op}"
        assert is_valid(audit(row.completion, row.page, DESIGNS[FAMILY, design]))


def test_both_designs_have_the_same_wrong_keys() -> None:
    assert [row.prompt for _, row in wrong("derive")] == [row.prompt for _, row in wrong("search")]


def test_a_derivation_stops_once_every_rule_of_the_query_has_failed() -> None:
    for problem, row in wrong("derive"):
        own = {n for n, e in enumerate(cryptarithm.parse(problem.prompt).examples, 1) if e.op == row.lines[-1].text[-1]}
        tests = [each for each in row.lines if each.kind.endswith("-test") and each.kind != "crypt/join-test"]
        assert len(tests) > 1 and {int(each.text[1]) for each in tests} <= own
        assert any(each.result == "failed" for each in tests)
        assert not any(each.kind == "crypt/rule" for each in row.lines)


@pytest.mark.parametrize("reveal", ["9", "10-given"])
def test_other_prompts_and_other_splits_keep_their_key(reveal: str) -> None:
    for problem, _ in wrong("derive"):
        assert told(problem, "derive", reveal).prompt == told(problem, "derive", reveal, train=False).prompt
        assert dict(split_shown(told(problem, "derive", train=False).prompt)[1]) == dict(sorted_key(problem))
