"""What a prompt shows of the key: nested, ten glyphs, and no word about the answer beyond the digits."""

import random
from collections import Counter
from dataclasses import replace
from itertools import product
from math import comb

import pytest

from puzzles.cryptarithm.family import DEDUCE, generate, parse
from reasoning.grammar.reveal import MOST, ORDERS, alphabet, by_chance, reveal_order, shown_key

PROBLEMS = [problem for problem in generate(random.Random(3), 400, family=DEDUCE) if problem.stratum == "value"]


def mean_chance(k: int, order: str) -> float:
    return sum(by_chance(problem, k, order) for problem in PROBLEMS) / len(PROBLEMS)


def test_ten_glyphs_nest_in_every_order() -> None:
    for problem in PROBLEMS[:60]:
        assert alphabet(problem) == problem.rule["alphabet"] and len(alphabet(problem)) == MOST
        for order in ORDERS:
            shown = [shown_key(problem, k, order) for k in range(MOST + 1)]
            assert [len(each) for each in shown] == list(range(MOST + 1))
            assert all(a.items() <= b.items() for a, b in zip(shown, shown[1:], strict=False))
            assert shown[-1] == alphabet(problem)


def test_the_full_key_says_nothing_by_what_it_shows() -> None:
    """Glyphs that stand nowhere in the prompt are shown whether the answer has them or not."""
    spare = [problem for problem in PROBLEMS if len(parse(problem.prompt).digit_glyphs()) < MOST]
    off = [set(shown_key(problem, MOST)) - set(parse(problem.prompt).digit_glyphs()) for problem in spare]
    needed = [bool(glyphs & set(problem.answer)) for problem, glyphs in zip(spare, off, strict=True)]
    assert all(off) and 0 < sum(needed) < len(spare) / 2


def test_query_first_leaves_the_answer_to_chance_and_answer_first_pads_it() -> None:
    for problem in PROBLEMS[:100]:
        query = parse(problem.prompt).query
        asked = {*query.left, *query.right}
        assert set(reveal_order(problem, "query-first")[: len(asked)]) == asked
        own = set(problem.answer) - {query.op}
        for k in range(1, 2 * min(len(own), MOST - len(own)) + 1):
            assert len(own.intersection(shown_key(problem, k, "answer-first"))) == (k + 1) // 2
    base = mean_chance(0, "uniform")
    for k, order in ((5, "uniform"), (MOST, "uniform"), (2, "query-first"), (5, "query-first")):
        assert abs(mean_chance(k, order) - base) < 0.005
    assert base < 0.03 and base < mean_chance(2, "answer-first") < 0.1


@pytest.mark.parametrize(("k", "order"), [(2, "answer-first"), (5, "answer-first"), (4, "uniform"), (4, "query-first")])
def test_the_best_guess_is_found_by_trying_every_string(k: int, order: str) -> None:
    """Each string of the shown and printed glyphs, weighed by how often seeds show this set when it is the answer."""
    for problem in [problem for problem in PROBLEMS if len(problem.answer) <= 3][:5]:
        row = parse(problem.prompt)
        shown = set(shown_key(problem, k, order))
        answer = problem.answer.replace(row.query.op, "")
        weights: dict[int | tuple[int, int], float] = {}
        strings = Counter()
        for text in product(sorted(shown | set(row.digit_glyphs())), repeat=len(answer)):
            which = len(set(text)), len(shown.intersection(text))
            if which not in weights and order == "answer-first":
                as_answer = replace(problem, answer="".join(text))
                sets = [frozenset(shown_key(as_answer, k, order, seed)) for seed in range(800)]
                # sets alike in how many of the answer's glyphs they have are equally likely
                weights[which] = sum(len(each.intersection(text)) == which[1] for each in sets) / 800 / _sets(k, *which)
            weights.setdefault(which, 1.0)
            strings[which] += 1
        best = max(weights.values())
        alike = [which for which, weight in weights.items() if weight > 0.75 * best]
        own = len(set(answer)), len(shown.intersection(answer))
        expected = 1 / sum(strings[which] for which in alike) if own in alike else 0.0
        assert by_chance(problem, k, order) == pytest.approx(expected)


def _sets(k: int, m: int, j: int) -> int:
    """Sets of k of the ten glyphs with j of the answer's m."""
    return comb(m, j) * comb(MOST - m, k - j)


def test_a_real_row_is_padded_with_glyphs_that_it_does_not_use() -> None:
    problem = PROBLEMS[0]
    bare = replace(problem, rule={name: problem.rule[name] for name in ("operators", "mode")})
    shown = shown_key(bare, MOST)
    assert sorted(shown.values()) == list(range(MOST)) and shown.items() >= problem.key.items()
    assert not (set(shown) - set(problem.key)) & set(problem.prompt.rpartition("examples:")[2])
