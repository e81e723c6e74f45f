"""Cryptarithms: generator, exact solver against two independent oracles, bad input."""

import random
from itertools import permutations

import numpy as np
import pytest
from cryptarithm_oracle import answers as oracle_answers
from hypothesis import given, settings
from hypothesis import strategies as st

from puzzles.base import PromptError
from puzzles.cryptarithm import family
from puzzles.cryptarithm.family import DEDUCE, GUESS, parse
from puzzles.cryptarithm.solver import solve
from puzzles.equations import prompt as equations
from puzzles.equations.prior import fit_prior
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


def uniform_prior():
    return fit_prior([p.rule for p in rows(DEDUCE, 1)], smoothing=1e6)


@pytest.mark.parametrize("kind", KINDS)
def test_same_seed_same_rows(kind):
    assert rows(kind, 30) == rows(kind, 30)
    assert rows(kind, 30) != rows(kind, 30, seed=1)


@pytest.mark.parametrize("kind", KINDS)
def test_rows_read_back_and_decode(kind):
    for problem in rows(kind, 300):
        row = parse(problem.prompt, kind)
        assert row.prompt == problem.prompt
        alphabet = problem.rule["alphabet"]
        assert sorted(alphabet.values()) == list(range(10))
        assert not set(alphabet).intersection(problem.rule["operators"])
        assert problem.key.items() <= alphabet.items()
        assert set(problem.key) == set(alphabet).intersection("".join((*row.digit_glyphs(), problem.answer)))
        digits = str.maketrans({glyph: str(digit) for glyph, digit in alphabet.items()})
        for equation in (*row.examples, Equation(row.query.left, row.query.op, row.query.right, problem.answer)):
            rule = family.equations.rules.BY_NAME[problem.rule["operators"][equation.op]]
            left, right, output = (part.translate(digits) for part in (equation.left, equation.right, equation.output))
            assert family.equations.rules.apply(rule, left, right, equation.op) == output


@pytest.mark.parametrize("kind", KINDS)
def test_canonical_form_ignores_order_and_names(kind):
    rng = random.Random(6)
    for problem in rows(kind, 100, seed=6):
        row = parse(problem.prompt)
        glyphs = rng.sample(equations.DIGIT_GLYPHS, len(row.digit_glyphs()))
        free = [glyph for glyph in equations.OPERATOR_GLYPHS if glyph not in glyphs]
        operators = rng.sample(free, len(row.operators))
        names = str.maketrans(dict(zip((*row.digit_glyphs(), *row.operators), (*glyphs, *operators), strict=True)))
        examples = [
            Equation(*(part.translate(names) for part in (e.left, e.op, e.right, e.output))) for e in row.examples
        ]
        rng.shuffle(examples)
        query = Equation(*(part.translate(names) for part in (row.query.left, row.query.op, row.query.right)))
        assert family.canonical(EquationRow(tuple(examples), query)) == problem.canonical


@pytest.mark.parametrize("kind", KINDS)
def test_solutions_are_configurations(kind):
    """`found` writes every example and the answer, and the true answer is never ruled out."""
    for problem in rows(kind, 200, seed=3):
        row = parse(problem.prompt)
        solution = solve(row)
        assert solution.exhaustive and solution.answer
        found = solution.found
        if solution.answers[0][1] > 0.999:
            assert solution.answer == problem.answer
        digits = str.maketrans({glyph: str(digit) for glyph, digit in found["key"].items()})
        assert len(set(found["key"].values())) == len(found["key"])
        for equation in (*row.examples, Equation(row.query.left, row.query.op, row.query.right, solution.answer)):
            rule = equations.rules.BY_NAME[found["operators"][equation.op]]
            assert rule.mode in ("", found["mode"])
            parts = [
                p if rule.is_join else p.translate(digits) for p in (equation.left, equation.right, equation.output)
            ]
            assert equations.rules.apply(rule, parts[0], parts[1], equation.op) == parts[2]


def test_accuracy_agrees_with_the_posterior():
    for kind, floor in ((DEDUCE, 0.68), (GUESS, 0.36)):
        found = [(solve(parse(p.prompt)), p) for p in rows(kind, 700, seed=4)]
        right = sum(s.answer == p.answer for s, p in found)
        expected = sum(s.posterior for s, _ in found)
        spread = sum(s.posterior * (1 - s.posterior) for s, _ in found) ** 0.5
        assert abs(right - expected) < 4 * spread
        assert right > floor * len(found)


def _brute_force(row: EquationRow) -> tuple[dict[str, float], float]:
    """Share of every answer and of answers with a digit that no glyph of the prompt has, over all digit maps."""
    glyphs = row.digit_glyphs()
    maps = np.array(list(permutations(range(10), len(glyphs))))
    column = {glyph: maps[:, k] for k, glyph in enumerate(glyphs)}
    mass: dict[str, float] = {}
    unnamed = 0.0
    for flip in (False, True):
        turn = -1 if flip else 1

        def number(text, turn=turn):
            return sum(column[glyph] * 10 ** (len(text) - 1 - k) for k, glyph in enumerate(text[::turn]))

        def signed(x, y, flip=flip):
            base = {f"add{k:+d}": (x + y + k, 0 * x) for k in (-1, 0, 1)}
            base |= {f"mul{k:+d}": (x * y + k, 0 * x) for k in (-1, 0, 1)}
            gap = abs(x - y)
            base |= {"sub": (gap, 1 * (x < y)), "abs": (gap, 0 * x), "negabs": (gap, 1 * (gap > 0))}
            base["sub%"] = (np.maximum(x, y) % np.maximum(np.minimum(x, y), 1), 0 * x)
            if flip:
                base |= {"subr": (gap, 2 * (y < x)), "absn": (gap, 2 * (gap > 0))}
            return base

        lines = [e for e in row.examples if e.output not in (e.left + e.right, e.right + e.left)]
        good = np.ones(len(maps), dtype=bool)
        for equation in (*row.examples, row.query):
            for text in (equation.left, equation.right):
                good &= column[text[::turn][0]] > 0
        fits = {}
        for equation in lines:
            side, output = equations.minus_and_digits(equation)
            wanted = {"": 0, "prefix": 1, "suffix": 2}[side]
            for name, (value, sign) in signed(number(equation.left), number(equation.right)).items():
                match = (value == number(output)) & (sign == wanted)
                if len(output) > 1:
                    match &= column[output[::turn][0]] > 0
                fits[equation.op, name] = fits.get((equation.op, name), good) & match
        operators = list(dict.fromkeys(e.op for e in lines))
        combinations = [((), good)]
        for op in operators:
            combinations = [
                ((*names, name), mask & fits[op, name])
                for names, mask in combinations
                for name in signed(np.array([11]), np.array([11]))
                if _group(name) not in map(_group, names)
            ]
        x, y = number(row.query.left), number(row.query.right)
        for names, mask in combinations:
            asked = names[operators.index(row.query.op)]
            value, sign = signed(x, y)[asked]
            for k in np.flatnonzero(mask):
                spelled = {str(digit): glyph for glyph, digit in zip(glyphs, maps[k], strict=True)}
                text = [spelled.get(c) for c in str(value[k])[::turn]]
                weight = _weight(names, flip)
                if None in text:
                    unnamed += weight
                    continue
                answer = "".join(text)
                answer = (row.query.op if sign[k] == 1 else "") + answer + (row.query.op if sign[k] == 2 else "")
                mass[answer] = mass.get(answer, 0.0) + weight
    total = sum(mass.values()) + unnamed
    return {answer: m / total for answer, m in mass.items()}, unnamed / total


def _group(name: str) -> str:
    return name[:3] if name[:3] in ("add", "mul") else "sub"


def _weight(names: tuple[str, ...], flip: bool) -> float:
    sizes = {"add": 3, "mul": 3, "sub": 6 if flip else 4}
    return float(np.prod([1 / sizes[_group(name)] for name in names]))


@pytest.mark.parametrize(
    "text",
    [
        "!@+#! = $!; #!+@@",
        "!@+#! = $!; !!+!%",
        "!@*!@ = !##; @!*@!",
        "!@[@! = #[; @![!@",
        "!@/@! = ##; #!{!# = !%; @!/!!",
        "!!'!! = !!!!; @!<@# = @; #!<@@",
    ],
)
def test_the_posterior_is_exact(text):
    """Against all digit maps and rules, in plain NumPy with formulas of its own, under equal weights."""
    row = row_of(text)
    wanted, unnamed = _brute_force(row)
    solution = solve(row, uniform_prior())
    assert wanted and solution.exhaustive
    found = {a: p for a, p in solution.answers if set(a) <= {*row.digit_glyphs(), row.query.op}}
    # Rows whose operators are + - * could be canonical; equal rule shares leave a factor of groups between regimes.
    assert set(found) == set(wanted)
    if not set(row.operators) & set("+-*"):
        for answer, share in wanted.items():
            assert found[answer] == pytest.approx(share, rel=1e-6)
        assert 1 - sum(found.values()) == pytest.approx(unnamed, abs=1e-6)


@pytest.mark.parametrize("count", [pytest.param(30), pytest.param(200, marks=pytest.mark.slow)])
def test_a_constraint_solver_allows_the_same_answers(count):
    prior = uniform_prior()
    checked = {DEDUCE: 0, GUESS: 0}
    for kind in KINDS:
        for problem in family.generate(random.Random(11), 100 * count, family=kind):
            row = parse(problem.prompt)
            solution = solve(row, prior)
            if solution.n_consistent > 40 or not set(row.digit_glyphs()) <= set(solution.found["key"]):
                continue
            shown = {*row.digit_glyphs(), row.query.op}
            ours = {answer for answer, _ in solution.answers if set(answer) <= shown}
            assert ours == oracle_answers(row), problem.prompt
            checked[kind] += 1
            if checked[kind] == count // 2:
                break
    assert checked == {DEDUCE: count // 2, GUESS: count // 2}


def test_known_digits_and_a_known_answer_narrow_the_row():
    free = known = 0.0
    for problem in rows(DEDUCE, 60, seed=8):
        row = parse(problem.prompt)
        before, after = solve(row), solve(row, known=problem.key)
        free, known = free + before.posterior, known + after.posterior
        assert problem.answer in dict(after.answers)
        assert after.found["key"].items() >= {g: problem.key[g] for g in problem.key if g in after.found["key"]}.items()
        told = solve(row, answer=problem.answer)
        assert told.answer == problem.answer and told.posterior == pytest.approx(1)
        assert solve(row, answer="".join(row.digit_glyphs()[:1]) * 4 + "+").answer is None
    assert known > free


def test_tiers_order_the_solvers_work():
    problems = rows(DEDUCE, 300, seed=9)
    nodes = {tier: [] for tier in (1, 2, 3, 4)}
    for problem in problems:
        nodes[problem.tier].append(solve(parse(problem.prompt)).nodes)
    medians = [np.median(nodes[tier]) for tier in (1, 2, 3, 4)]
    assert medians == sorted(medians) and medians[-1] > 20 * medians[0]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("!@+#$ = %&; '(+/: = <>; !@+#$", "12 digit glyphs"),
        ("!@+#$ = %&; !#-@+ = $; !@+#$", "both an operator and a digit"),
        ("!@+#$ = !!; !@+#$ = @@; !@+#$", "contradictory"),
        ("!!+!! = !@#!; !!+!!", "contradictory"),
        ("!@+#$ = %&'(<; !@+#$", "contradictory"),
    ],
)
def test_rows_that_cannot_be_are_unsolvable(text, reason):
    solution = solve(row_of(text))
    assert solution.answer is None
    assert reason in solution.reason
    assert solve(row_of(text), answer="!").answer is None


def test_a_spent_budget_is_told():
    row = row_of("!@+#$ = %&; '(+/:")
    assert "12" not in solve(row_of("!@+#$ = %&; ##+!%")).reason
    row = row_of("!@+#$ = %&; $'(!%")
    assert solve(row).exhaustive
    short = solve(row, budget=50)
    assert not short.exhaustive and (short.answer is not None or "budget" in short.reason)


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("In Alice", "In Bob", "header"),
        ("!@+#$ =", "!@+#$% =", "example 1"),
        ("!@+#$ =", "!@+1$ =", "example 1"),
        ("= %&", "= ", "example 1"),
        ("for: $$+$$", "for: $$+$", "query"),
        ("for: $$+$$", "for: $$-$$", "query"),
        ("\nNow", "\nThen", "query"),
        ("!@+#$ =", "!é+#$ =", "example 1"),
    ],
)
def test_malformed_prompts_name_the_field(old, new, field):
    prompt = row_of("!@+#$ = %&; $$+$$").prompt
    assert parse(prompt, DEDUCE)
    with pytest.raises(PromptError) as caught:
        parse(prompt.replace(old, new, 1), DEDUCE)
    assert caught.value.field == field


@pytest.mark.parametrize(
    "count", [pytest.param(500), pytest.param(20_000, marks=[pytest.mark.slow, pytest.mark.exhaustive])]
)
def test_mutated_prompts_never_crash(count):
    prompts = [p.prompt for kind in KINDS for p in rows(kind, 20, seed=9)]
    alphabet = equations.OPERATOR_GLYPHS + "= \na0é"

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
        solution = solve(row, budget=200_000)
        assert solution.answer is not None or solution.reason

    mutate()
