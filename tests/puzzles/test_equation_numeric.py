"""Equations with visible digits: generator, solver, prior, bad input."""

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puzzles import checker
from puzzles.base import PromptError
from puzzles.equations import numeric as family
from puzzles.equations import prompt as equations
from puzzles.equations.numeric import DEDUCE, GUESS, parse, solve
from puzzles.equations.prior import default_prior, fit_prior
from puzzles.equations.prompt import Equation, EquationRow

KINDS = (DEDUCE, GUESS)


def rows(kind: str, n: int, seed: int = 0, **options):
    return list(family.generate(random.Random(seed), n, family=kind, **options))


def row_of(text: str) -> EquationRow:
    *examples, query = text.split("; ")
    parts = [line.split(" = ") for line in examples]
    return EquationRow(
        tuple(Equation(left[:2], left[2], left[3:], output) for left, output in parts),
        Equation(query[:2], query[2], query[3:]),
    )


@pytest.mark.parametrize("kind", KINDS)
def test_same_seed_same_rows(kind):
    assert rows(kind, 30) == rows(kind, 30)
    assert rows(kind, 30) != rows(kind, 30, seed=1)


@pytest.mark.parametrize("kind", KINDS)
def test_rows_read_back_and_keep_the_constraints(kind):
    for problem in rows(kind, 400):
        row = parse(problem.prompt, kind)
        assert row.prompt == problem.prompt
        hidden = [family.rules.BY_NAME[name] for name in problem.rule["operators"].values()]
        groups = [rule.group for rule in hidden if not rule.is_join]
        assert len(hidden) == 3 and len(set(groups)) == len(groups)
        assert {rule.mode for rule in hidden} <= {"", problem.rule["mode"]}
        place = 1 if problem.rule["mode"] == "flip" else 0
        assert all(text[place] != "0" for e in (*row.examples, row.query) for text in (e.left, e.right))
        assert problem.stratum == ("join" if "join" in problem.rule["query"] else "value")


@pytest.mark.parametrize("kind", KINDS)
def test_the_answer_is_among_the_posterior_and_determined_rows_are_right(kind):
    for problem in rows(kind, 300, seed=3):
        solution = solve(parse(problem.prompt))
        answers = dict(solution.answers)
        assert problem.answer in answers
        assert abs(sum(answers.values()) - 1) < 1e-9
        if len(answers) == 1:
            assert solution.answer == problem.answer
        assert problem.tier in (1, 2, 3)


def test_generated_accuracy_agrees_with_the_posterior():
    found = [(solve(parse(p.prompt)), p) for kind in KINDS for p in rows(kind, 1000, seed=4)]
    right = sum(checker.official(s.answer, p.answer) for s, p in found)
    expected = sum(s.found["accepted"] for s, _ in found)
    assert abs(right - expected) < 4 * (len(found) * 0.2) ** 0.5
    strict = sum(s.answer == p.answer for s, p in found)
    assert abs(strict - sum(s.posterior for s, _ in found)) < 4 * (len(found) * 0.2) ** 0.5


def brute_force(row: EquationRow) -> set[str]:
    """Answers of every mode and assignment of rules that fits, from formulas written down a second time."""

    def outputs(mode, a, op, b):
        if mode == "flip":
            a, b = a[::-1], b[::-1]
        x, y = int(a), int(b)
        found = {("add", k): str(x + y + k) for k in (0, 1, -1)} | {("mul", k): str(x * y + k) for k in (0, 1, -1)}
        found["sub", "abs"] = str(abs(x - y))
        found["sub", "pre"] = ("<" if x != y else "") + str(abs(x - y))
        found["sub", "signed"] = ("<" if x < y else "") + str(abs(x - y))
        found["sub", "mod"] = str(max(x, y) % min(x, y))
        if mode == "flip":
            found["sub", "post"] = (">" if x != y else "") + str(abs(x - y))
            found["sub", "reverse"] = (">" if y < x else "") + str(abs(x - y))
        flipped = {}
        for name, text in found.items():
            digits = text.strip("<>")[:: -1 if mode == "flip" else 1]
            flipped[name] = (op if "<" in text else "") + digits + (op if ">" in text else "")
        if mode == "flip":
            a, b = a[::-1], b[::-1]
        return flipped | {("join", 0): a + b, ("join", 1): b + a}

    answers = set()
    for mode in ("normal", "flip"):
        lead = 0 if mode == "normal" else 1
        if any(text[lead] == "0" for e in (*row.examples, row.query) for text in (e.left, e.right)):
            continue
        fits = [({}, frozenset())]
        for op in row.operators:
            wider = []
            for names, groups in fits:
                for name in outputs(mode, "99", op, "99"):
                    if name[0] != "join" and name[0] in groups:
                        continue
                    if all(outputs(mode, e.left, op, e.right)[name] == e.output for e in row.examples if e.op == op):
                        wider.append((names | {op: name}, groups | {name[0]}))
            fits = wider
        query = row.query
        for names, _ in fits:
            answers.add(outputs(mode, query.left, query.op, query.right)[names[query.op]])
    return answers


@pytest.mark.parametrize("kind", KINDS)
def test_an_independent_brute_force_finds_the_same_answers(kind):
    uniform = fit_prior([p.rule for p in rows(kind, 1)], smoothing=1e6)
    for problem in rows(kind, 200, seed=5):
        row = parse(problem.prompt)
        assert {answer for answer, _ in solve(row, uniform).answers} == brute_force(row)


@pytest.mark.parametrize("kind", KINDS)
def test_canonical_form_ignores_order_and_operator_names(kind):
    rng = random.Random(6)
    for problem in rows(kind, 100, seed=6):
        row = parse(problem.prompt)
        glyphs = rng.sample(equations.OPERATOR_GLYPHS, len(row.operators))
        names = str.maketrans(dict(zip(row.operators, glyphs, strict=True)))
        examples = [
            Equation(*(part.translate(names) for part in (e.left, e.op, e.right, e.output))) for e in row.examples
        ]
        rng.shuffle(examples)
        query = Equation(row.query.left, row.query.op.translate(names), row.query.right)
        assert family.canonical(EquationRow(tuple(examples), query)) == problem.canonical
        other = Equation(row.query.left, row.query.op, "98" if row.query.right != "98" else "97")
        assert family.canonical(EquationRow(row.examples, other)) != problem.canonical


def test_the_fit_recovers_the_generator():
    problems = rows(DEDUCE, 4000, seed=7)
    fitted, wanted = fit_prior([p.rule for p in problems]), default_prior(hidden=False)
    assert abs(fitted["canonical"] - wanted["canonical"]) < 0.03
    for regime in ("canonical", "scrambled"):
        ours, theirs = fitted["regimes"][regime], wanted["regimes"][regime]
        assert abs(ours["flip"] - theirs["flip"]) < 0.03
        for glyph, share in theirs["join"].items():
            assert abs(ours["join"][glyph] - share) < 0.04
        for group in ("add", "sub", "mul"):
            for name, share in theirs["rules"]["flip"][group].items():
                assert abs(ours["rules"]["flip"][group][name] - share) < 0.06


def test_tiers_tell_how_many_assignments_fit():
    counts = Counter()
    for problem in rows(DEDUCE, 300, seed=8):
        row = parse(problem.prompt)
        counts[problem.tier] += 1
        if problem.tier == 1:
            assert solve(row).posterior > 0.999
    assert min(counts[1], counts[2]) > 50


def test_contradictory_examples_are_unsolvable():
    solution = solve(row_of("12+34 = 46; 12+34 = 47; 55+11"))
    assert solution.answer is None and "contradictory" in solution.reason
    solution = solve(row_of("12+34 = 9; 55+11"))
    assert solution.answer is None and solution.reason.endswith("fits +")
    solution = solve(row_of("12+34 = 46; 12-34 = 47; 55+11"))
    assert solution.answer is None and "together" in solution.reason


def test_an_operator_outside_the_inventory_does_not_spoil_the_query():
    solution = solve(row_of("12&34 = 9; 12+34 = 46; 70+11 = 81; 70+20"))
    assert solution.answer == "90" and solution.reason.endswith("fits &")


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("In Alice", "In Bob", "header"),
        ("\nNow, determine the result for: ", "\nThen ", "query"),
        (" = ", " == ", "example 1"),
        ("12+34 =", "12+345 =", "example 1"),
        ("12+34 =", "1x+34 =", "example 1"),
        ("= 46", "= 4x", "example 1"),
        ("= 46", "= 463534", "example 1"),
        ("for: 70+20", "for: 70+2", "query"),
        ("for: 70+20", "for: 70&20", "query"),
        ("for: 70+20", "for: 70+2a", "query"),
        ("70*11 = 770\n", "\n", "example 2"),
    ],
)
def test_malformed_prompts_name_the_field(old, new, field):
    prompt = row_of("12+34 = 46; 70*11 = 770; 11+11 = 22; 70+20").prompt
    assert parse(prompt, DEDUCE)
    with pytest.raises(PromptError) as caught:
        parse(prompt.replace(old, new, 1), DEDUCE)
    assert caught.value.field == field


def test_guess_prompts_must_not_show_the_operator():
    prompt = row_of("12+34 = 46; 70+20").prompt
    with pytest.raises(PromptError):
        parse(prompt, GUESS)


@pytest.mark.parametrize(
    "count", [pytest.param(500), pytest.param(20_000, marks=[pytest.mark.slow, pytest.mark.exhaustive])]
)
def test_mutated_prompts_never_crash(count):
    prompts = [p.prompt for kind in KINDS for p in rows(kind, 20, seed=9)]
    alphabet = "0123456789+-*=/ \nab\\é"

    @settings(max_examples=count, deadline=None, database=None)
    @given(st.sampled_from(prompts), st.lists(st.tuples(st.integers(0, 400), st.sampled_from(alphabet)), max_size=4))
    def mutate(prompt, edits):
        for place, character in edits:
            place = max(len(equations.HEADER), place % len(prompt))
            prompt = prompt[:place] + character + prompt[place + 1 :]
        try:
            row = parse(prompt)
        except PromptError as error:
            assert error.field
            return
        solution = solve(row)
        assert solution.answer is not None or solution.reason

    mutate()
