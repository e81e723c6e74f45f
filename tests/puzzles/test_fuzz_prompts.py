"""Mutated prompts: parsers answer with a parse or a PromptError, solvers with a solution, all in bounded time."""

import time
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from puzzles.base import PromptError, Solution, row_rng
from puzzles.registry import FAMILIES, family_of

SECONDS = 30
"""Far above any solver's budget, so that only a loop without an end fails, not a busy machine."""
TEXT = st.text(st.one_of(st.sampled_from('0123456789+-*=>. \n!"#@abzIVX\\{}|'), st.characters()), max_size=6)
KINDS = ("01", "0123456789", "abcdefghijklmnopqrstuvwxyz", "IVXLC", "!\"#$%&'()/:<?@[\\]^`{|}+*")


@cache
def seeds(name):
    return [p.prompt for p in FAMILIES[name].generate(row_rng(0, "fuzz", name), 40)]


def splice(draw, prompt):
    """Replace up to six characters anywhere by up to six others."""
    at = draw(st.integers(0, len(prompt)))
    return prompt[:at] + draw(TEXT) + prompt[at + draw(st.integers(0, 6)) :]


def splice_body(draw, prompt):
    """The same below the header, where it is most likely to get past the parser."""
    at = draw(st.integers(prompt.index("\n"), len(prompt)))
    return prompt[:at] + draw(TEXT) + prompt[at + draw(st.integers(0, 3)) :]


def same_kind(draw, prompt):
    """Put another character of its kind in the place of one of an example or the query: parsers let it pass."""
    rows = prompt.split("\n")
    at = draw(st.integers(1, len(rows) - 1))
    place = draw(st.integers(0, max(0, len(rows[at]) - 1)))
    old = rows[at][place : place + 1]
    kind = next((kind for kind in KINDS if old and old in kind), old)
    rows[at] = rows[at][:place] + (draw(st.sampled_from(kind)) if kind else "") + rows[at][place + 1 :]
    return "\n".join(rows)


def lines(draw, prompt):
    """Drop, repeat or move lines."""
    rows = prompt.split("\n")
    kind = draw(st.sampled_from(["drop", "repeat", "move"]))
    at, to = draw(st.integers(0, len(rows) - 1)), draw(st.integers(0, len(rows) - 1))
    row = rows[at] if kind == "repeat" else rows.pop(at)
    if kind != "drop":
        rows[to:to] = [row] * (draw(st.integers(1, 30)) if kind == "repeat" else 1)
    return "\n".join(rows)


def cut(draw, prompt):
    return prompt[: draw(st.integers(0, len(prompt)))]


def graft(draw, prompt):
    """Go on with the tail of a prompt of any family."""
    other = draw(st.sampled_from([p for name in FAMILIES for p in seeds(name)[:4]]))
    return prompt[: draw(st.integers(0, len(prompt)))] + other[draw(st.integers(0, len(other))) :]


CHANGES = (same_kind, same_kind, same_kind, splice, splice_body, lines, cut, graft)


@st.composite
def mutated(draw, name):
    prompt = draw(st.sampled_from(seeds(name)))
    for change in draw(st.lists(st.sampled_from(CHANGES), max_size=3)):
        if "\n" in prompt and not prompt.endswith("\n"):
            prompt = change(draw, prompt)
    return prompt


def attempt(name, prompt):
    """Parse and solve; returns the solution, or None for a prompt that the parser refuses."""
    family = FAMILIES[name]
    try:
        assert family_of(prompt) in FAMILIES
    except PromptError as error:
        assert error.field and str(error)
    try:
        parsed = family.parse(prompt)
    except PromptError as error:
        assert error.field and str(error)
        return None
    canonical, solution = family.canonical(parsed), family.solve(parsed)
    assert isinstance(canonical, str) and isinstance(solution, Solution) and solution.nodes >= 0
    if solution.answer is None:
        assert solution.reason and solution.answers == () and solution.posterior == 0
    else:
        assert solution.answer and 0 < solution.posterior <= 1 + 1e-9 and solution.n_consistent >= 1
    return solution


def fuzz(name, examples):
    outcomes = {"refused": 0, "unsolvable": 0, "solved": 0}

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(mutated(name))
    def check(prompt):
        start = time.perf_counter()
        solution = attempt(name, prompt)
        assert time.perf_counter() - start < SECONDS
        outcomes["refused" if solution is None else "unsolvable" if solution.answer is None else "solved"] += 1

    check()
    return outcomes


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", FAMILIES)
def test_mutated_prompts(name):
    outcomes = fuzz(name, 500)
    assert sum(outcomes.values()) >= 500 and all(outcomes.values()), f"every outcome occurs: {outcomes}"


@pytest.mark.slow
@pytest.mark.exhaustive
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("name", FAMILIES)
def test_many_mutated_prompts(name):
    outcomes = fuzz(name, 20_000)
    assert sum(outcomes.values()) >= 20_000
