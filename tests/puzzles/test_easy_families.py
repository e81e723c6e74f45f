"""Numeral, unit conversion, gravity and cipher: format, solvers against independent brute force, what they refuse."""

import math
import re
from collections import Counter
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import LabError
from puzzles import cipher, gravity, numeral, unit_conversion
from puzzles.base import PromptError, row_rng
from puzzles.proportional import OPEN, narrow

NUMERAL = """\
In Alice's Wonderland, numbers are secretly converted into a different numeral system. Some examples are given below:
44 -> XLIV
9 -> IX
100 -> C
Now, write the number 88 in the Wonderland numeral system."""
UNIT = """\
In Alice's Wonderland, a secret unit conversion is applied to measurements. For example:
40.0 m becomes 50.00
7.5 m becomes 9.38
12.34 m becomes 15.43
Now, convert the following measurement: 20.0 m"""
GRAVITY = """\
In Alice's Wonderland, the gravitational constant has been secretly changed. Here are some example observations:
For t = 2.0s, distance = 20.0 m
For t = 4.5s, distance = 101.25 m
For t = 1.23s, distance = 7.56 m
Now, determine the falling distance for t = 3.0s given d = 0.5*g*t^2."""
CIPHER = """\
In Alice's Wonderland, secret encryption rules are used on text. Here are some examples:
dbu tfft cppl -> cat sees book
uif xjtf ljoh tuvejft -> the wise king studies
cjse xsjuft tupsz -> bird writes story
Now, decrypt the following text: uif xjtf sbccju esfbnt"""


def rows(module, n, seed=0, **options):
    return list(module.FAMILY.generate(row_rng(seed, module.__name__), n, **options))


@pytest.mark.parametrize(
    ("module", "prompt", "answer"),
    [
        (numeral, NUMERAL, "LXXXVIII"),
        (unit_conversion, UNIT, "25.00"),
        (gravity, GRAVITY, "45.0"),
        (cipher, CIPHER, "the wise rabbit dreams"),
    ],
)
def test_written_by_hand(module, prompt, answer):
    solution = module.solve(module.parse(prompt))
    assert (solution.answer, solution.posterior, solution.n_consistent, solution.exhaustive) == (answer, 1.0, 1, True)


def test_numerals_by_their_definition():
    values = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}
    well_formed = re.compile(r"M{0,3}(CM|CD|D?C{0,3})(XC|XL|L?X{0,3})(IX|IV|V?I{0,3})")
    for n in range(1, numeral.LARGEST + 1):
        text = numeral.roman(n)
        signs = [values[c] for c in text]
        read = sum(-a if a < b else a for a, b in zip(signs, [*signs[1:], 0], strict=True))
        assert read == n and well_formed.fullmatch(text)


def test_numeral_rows():
    problems = rows(numeral, 3000)
    for problem in problems:
        row = numeral.parse(problem.prompt)
        numbers = [n for n, _ in row.examples]
        assert len(set(numbers)) == len(numbers) and 1 <= min(numbers) and max(numbers) <= 100
        assert numeral.solve(row).answer == problem.answer and numeral.solve(row).nodes == problem.tier
    assert {len(numeral.parse(p.prompt).examples) for p in problems} == {3, 4, 5}
    assert {numeral.parse(p.prompt).query for p in problems} == set(range(1, 101))


@pytest.mark.parametrize("module", [unit_conversion, gravity])
def test_rounded_rows_are_those_of_the_hidden_slope(module):
    for problem in rows(module, 1000):
        row = module.parse(problem.prompt)
        if module is gravity:
            made = [(str(round(0.5 * problem.rule["g"] * float(t) * float(t), 2)), d) for t, d in row.examples]
            assert 4.9 <= problem.rule["g"] <= 19.6 and all(1 <= float(t) <= 5 for t, _ in row.examples)
        else:
            made = [(f"{problem.rule['slope'] * float(x):.2f}", y) for x, y in row.examples]
            assert 0.5 <= problem.rule["slope"] <= 2 and all(5 <= float(x) <= 50 for x, _ in row.examples)
        assert all(a == b for a, b in made)
        assert not any(re.search(r"\.\d0$", x) for x, _ in row.examples), "trailing zeros are dropped on x and t"
        solution = module.solve(row)
        assert problem.answer in dict(solution.answers)
        if solution.n_consistent == 1:
            assert solution.answer == problem.answer and problem.tier < OPEN
        else:
            assert problem.tier == OPEN
        assert math.isclose(float(solution.answer), float(problem.answer), rel_tol=1e-2)


@pytest.mark.parametrize("module", [unit_conversion, gravity])
def test_posterior_of_rounded_rows_is_calibrated(module):
    unsure = []
    for problem in rows(module, 4000, seed=5):
        solution = module.solve(module.parse(problem.prompt))
        if solution.n_consistent > 1:
            unsure.append((solution.posterior, solution.answer == problem.answer))
    expected = sum(p for p, _ in unsure)
    spread = math.sqrt(sum(p * (1 - p) for p, _ in unsure))
    assert len(unsure) > 1000
    assert abs(sum(right for _, right in unsure) - expected) < 4 * spread


@given(
    st.lists(st.tuples(st.integers(100, 5000), st.integers(1, 9999)), min_size=1, max_size=5),
    st.integers(100, 5000),
)
def test_intervals_against_a_grid(pairs, query):
    """The slopes of a fine grid that round to every example give no answer that `narrow` has not, and the reverse."""
    found = narrow(pairs, query)
    if found.clash:
        i, j = found.clash
        assert narrow([pairs[i], pairs[j]], query).clash is not None
        return
    low, high = Fraction(*found.low), Fraction(*found.high)
    assert all(abs(low * x - y) <= Fraction(1, 2) and abs(high * x - y) <= Fraction(1, 2) for x, y in pairs)
    grid = [low + (high - low) * Fraction(2 * i + 1, 400) for i in range(200)]
    seen = Counter(math.floor(slope * query + Fraction(1, 2)) for slope in grid)
    shares = dict(found.answers)
    assert set(seen) <= set(shares) and math.isclose(sum(shares.values()), 1)
    assert all(abs(shares[y] - seen[y] / 200) <= 0.011 for y in shares)


def test_cipher_vocabulary_and_templates():
    sizes = {slot: len(words) for slot, words in cipher.SLOTS.items()}
    assert len(cipher.VOCABULARY) == 77 and sum(sizes.values()) == 81
    assert sizes == {
        "the": 1, "adjective": 14, "subject": 15, "verb": 14, "object": 15, "preposition": 8, "place": 14
    }  # fmt: skip  # castle, forest and garden are objects and places, secret is an adjective and an object
    problems = rows(cipher, 2000)
    assert all(cipher.sentence_weight(p.answer.split()) > 0 for p in problems)
    kinds = Counter((len(p.answer.split()), p.answer.startswith("the ")) for p in problems)
    assert set(kinds) == {(3, False), (4, True), (4, False), (5, False)}
    assert all(430 < count < 570 for count in kinds.values())
    assert 0.58 < sum(p.tier > 0 for p in problems) / len(problems) < 0.70
    fixed = Counter(sum(a == b for a, b in zip(cipher.LETTERS, p.rule["code"], strict=True)) for p in problems)
    assert 0.30 < fixed[0] / len(problems) < 0.44, "fixed points are allowed: about 1/e rows have none"


def test_cipher_rows_are_their_substitution():
    for problem in rows(cipher, 500):
        table = str.maketrans(cipher.LETTERS, problem.rule["code"])
        row = cipher.parse(problem.prompt)
        assert [tuple(w.translate(table) for w in plain) for _, plain in row.examples] == [c for c, _ in row.examples]
        assert " ".join(row.query) == problem.answer.translate(table)
        assert cipher.solve(row).answer == problem.answer


def brute_force(row):
    """Weight of every template sentence that some substitution consistent with the examples turns into the query."""
    pairs = [pair for codes, plains in row.examples for pair in zip("".join(codes), "".join(plains), strict=True)]
    weights = Counter()
    for template in cipher.TEMPLATES:
        if len(template) != len(row.query):
            continue
        slots = [[w for w in cipher.SLOTS[s] if len(w) == len(c)] for s, c in zip(template, row.query, strict=True)]
        for words in product(*slots):
            relation = {*pairs, *zip("".join(row.query), "".join(words), strict=True)}
            if len(relation) == len({c for c, _ in relation}) == len({p for _, p in relation}):
                weights[" ".join(words)] += 1 / math.prod(len(cipher.SLOTS[s]) for s in template)
    return {sentence: weight / weights.total() for sentence, weight in weights.items()}


def test_cipher_against_every_sentence():
    prompts = [p.prompt for p in rows(cipher, 20)]
    for problem in rows(cipher, 100, seed=3):
        nothing = f"{problem.rule['code'][25]} -> z"
        prompts.append(re.sub(r"(:\n)(.*\n)+(?=Now)", rf"\1{nothing}\n", problem.prompt))
    ambiguous = 0
    for prompt in prompts:
        row = cipher.parse(prompt)
        solution, expected = cipher.solve(row), brute_force(row)
        assert dict(solution.answers) == pytest.approx(expected)
        assert solution.exhaustive and solution.posterior == pytest.approx(max(expected.values()))
        ambiguous += len(expected) > 1
    assert ambiguous


def test_word_outside_the_vocabulary_is_decoded_when_its_letters_are_known():
    prompt = CIPHER.replace("esfbnt", "dpbu")
    assert cipher.solve(cipher.parse(prompt)).answer == "the wise rabbit coat"


@pytest.mark.parametrize(
    ("module", "old", "new", "reason"),
    [
        (numeral, "9 -> IX", "9 -> VIIII", "9 is IX"),
        (unit_conversion, "7.5 m becomes 9.38", "7.5 m becomes 9.48", "no slope fits examples 1 and 2"),
        (gravity, "distance = 7.56", "distance = 7.0", "no slope fits examples 2 and 3"),
        (cipher, "cjse", "cjsf", "bird needs f = d"),
        (cipher, "sbccju", "sbccja", "fits sbccja = rabbi?"),
    ],
)
def test_contradictions_have_no_answer_and_a_reason(module, old, new, reason):
    golden = {numeral: NUMERAL, unit_conversion: UNIT, gravity: GRAVITY, cipher: CIPHER}[module]
    assert old in golden
    solution = module.solve(module.parse(golden.replace(old, new)))
    assert solution.answer is None and solution.posterior == 0 and solution.answers == ()
    assert reason in solution.reason


@pytest.mark.parametrize(
    ("module", "old", "new", "field"),
    [
        (numeral, "numeral system. Some", "numeral System. Some", "header"),
        (numeral, "Now, write", "Write", "query"),
        (numeral, "44 -> XLIV\n9 -> IX\n100 -> C\n", "\n", "examples"),
        (numeral, "9 -> IX", "9 - IX", "example 2"),
        (numeral, "9 -> IX", "9 -> nine", "example 2"),
        (numeral, "9 -> IX", "0 -> IX", "example 2"),
        (numeral, "number 88", "number 4000", "query"),
        (numeral, "number 88", "number ٨", "query"),
        (unit_conversion, "7.5 m", "7,5 m", "example 2"),
        (unit_conversion, "7.5 m", "0.0 m", "example 2"),
        (unit_conversion, "7.5 m", "-7.5 m", "example 2"),
        (unit_conversion, "9.38", "9.383", "example 2"),
        (unit_conversion, "9.38", "1e3", "example 2"),
        (unit_conversion, "9.38", "9.", "example 2"),
        (unit_conversion, "20.0 m", "twenty m", "query"),
        (unit_conversion, "20.0 m", "20.0", "query"),
        (gravity, "For t = 4.5s", "for t = 4.5s", "example 2"),
        (gravity, "101.25 m", "101.25", "example 2"),
        (gravity, "t = 3.0s", "t = nan s", "query"),
        (cipher, "dbu tfft cppl", "dbu tfft", "example 1"),
        (cipher, "dbu tfft cppl", "dbu tff cppl", "example 1"),
        (cipher, "dbu tfft cppl", "dbu  tfft cppl", "example 1"),
        (cipher, "dbu tfft cppl", "Dbu tfft cppl", "example 1"),
        (cipher, " -> cat", " = cat", "example 1"),
        (cipher, "uif xjtf sbccju esfbnt", "", "query"),
    ],
)
def test_malformed_prompts_name_the_part(module, old, new, field):
    golden = {numeral: NUMERAL, unit_conversion: UNIT, gravity: GRAVITY, cipher: CIPHER}[module]
    assert golden.count(old) == 1
    with pytest.raises(PromptError) as error:
        module.parse(golden.replace(old, new))
    assert error.value.field == field


@pytest.mark.parametrize("module", [numeral, unit_conversion, gravity, cipher])
def test_tiers_can_be_asked_for(module):
    tiers = [module.TIERS[1], module.TIERS[2]]
    problems = rows(module, 60, tiers=tiers)
    assert {p.tier for p in problems} == set(tiers)
    assert {len(module.parse(p.prompt).examples) for p in rows(module, 20, examples=[4])} == {4}
    for options in ({"tiers": []}, {"tiers": [99]}, {"tiers": "1"}, {"examples": [0]}, {"examples": [3.5]}):
        with pytest.raises(LabError) as error:
            rows(module, 1, **options)
        assert error.value.field == next(iter(options))
