"""Bit manipulation: format, generator, exact solver against an independent brute force, catalog."""

import csv
import os
from collections import Counter
from itertools import combinations, permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import LabError
from puzzles.base import PromptError, row_rng
from puzzles.bit_manipulation import catalog as bit_catalog
from puzzles.bit_manipulation import family, inventory, solver
from puzzles.bit_manipulation import prior as bit_prior
from puzzles.bit_manipulation import prompt as bit_prompt

GOLDEN = """\
In Alice's Wonderland, a secret bit manipulation rule transforms 8-bit binary numbers. The transformation involves \
operations like bit shifts, rotations, XOR, AND, OR, NOT, and possibly majority or choice functions.

Here are some examples of input -> output:
00001111 -> 00011110
10000000 -> 00000001
01010101 -> 10101010
11000000 -> 10000001
00000001 -> 00000010
01100110 -> 11001100
10110010 -> 01100101

Now, determine the output for: 11010001"""


def rows(n, seed=0, **config):
    return list(family.generate(row_rng(seed, "bits"), n, **config))


def test_golden_prompt():
    parsed = bit_prompt.parse(GOLDEN)
    assert parsed.examples[0] == (0b00001111, 0b00011110) and parsed.query == 0b11010001
    assert bit_prompt.format_prompt(parsed.examples, parsed.query) == GOLDEN
    solution = solver.solve(parsed)
    assert solution.answer == "10100011" and solution.found["expression"] == "rol1"


def test_generated_rows_are_what_they_say():
    problems = rows(600)
    assert [p.prompt for p in problems] == [p.prompt for p in rows(600)]
    assert not {p.prompt for p in problems} & {p.prompt for p in rows(600, seed=1)}
    for problem in problems:
        parsed = bit_prompt.parse(problem.prompt)
        rule = problem.rule
        assert bit_prompt.format_prompt(parsed.examples, parsed.query) == problem.prompt
        assert 7 <= len(parsed.examples) <= 10 and len({i for i, _ in parsed.examples} | {parsed.query}) > 7
        assert all(inventory.evaluate(rule["table"], rule["taps"], i) == o for i, o in parsed.examples)
        assert problem.answer == f"{inventory.evaluate(rule['table'], rule['taps'], parsed.query):08b}"
        assert problem.stratum == f"{len(rule['taps'])}-tap"
        assert len({inventory.kind(tap) for tap in rule["taps"]}) == len(rule["taps"])


def test_shares_are_those_asked_for():
    problems = rows(4000)
    taps = Counter(p.stratum for p in problems)
    examples = Counter(p.prompt.count(" -> ") - 1 for p in problems)
    for n, share in bit_prior.TAP_SHARES.items():
        assert taps[f"{n}-tap"] / 4000 == pytest.approx(share, abs=0.03)
    for n, share in family.EXAMPLE_SHARES.items():
        assert examples[n] / 4000 == pytest.approx(share, abs=0.03)
    only = rows(50, gate_shares={"maj": 1}, tap_shares={3: 1}, example_shares={10: 1})
    assert {p.rule["gate"] for p in only} == {"maj"} and {p.stratum for p in only} == {"3-tap"}


def test_stratum_is_the_fewest_taps():
    for problem in rows(60):
        function = inventory.function_of(problem.rule["table"], problem.rule["taps"])
        fewest = next(
            n
            for n in (1, 2, 3)
            for taps in combinations(inventory.TAPS, n)
            if n == 3
            or any(inventory.function_of(inventory.table_str(t, n), taps) == function for t in range(2 ** (2**n)))
        )
        assert problem.stratum == f"{fewest}-tap"


def test_tier_is_the_cost_of_the_scan():
    problems = rows(400)
    nodes = {tier: [] for tier in range(1, 6)}
    for problem in problems:
        nodes[problem.tier].append(solver.solve(bit_prompt.parse(problem.prompt)).nodes)
    assert all(nodes.values())
    assert all(max(nodes[t]) < min(nodes[t + 1]) for t in range(1, 5))


@pytest.mark.parametrize(
    "config",
    [
        {"tap_shares": {4: 1}},
        {"tap_shares": {1: -1}},
        {"tap_shares": {1: 0}},
        {"gate_shares": {"nandy": 1}},
        {"gate_shares": {"xor": 1}},
        {"example_shares": {6: 1}},
        {"ordered": 1.5},
    ],
)
def test_nonsense_parameters(config):
    with pytest.raises(LabError) as error:
        rows(1, **config)
    assert error.value.field


def test_negative_number_of_rows():
    with pytest.raises(LabError):
        rows(-1)


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("secret bit", "secret byte", "header"),
        ("Here are", "These are", "examples header"),
        ("00001111 ->", "0000111 ->", "example 1 input"),
        ("-> 00011110", "-> 0001111x", "example 1 output"),
        ("10000000 -> 00000001", "10000000 00000001", "example 2"),
        ("for: 11010001", "for: 1101000", "query"),
        ("for: 11010001", "for: 11010001\n", "query"),
        ("01100101\n\nNow", "01100101\nNow", "query"),
        ("Now, determine", "Now determine", "query"),
        ("00001111", "\u0660\u0660\u0660\u06601111", "example 1 input"),
    ],
)
def test_malformed_prompts(old, new, field):
    assert old in GOLDEN
    with pytest.raises(PromptError) as error:
        bit_prompt.parse(GOLDEN.replace(old, new, 1))
    assert error.value.field == field


def test_prompt_without_examples():
    head, tail = GOLDEN.split("00001111", 1)[0], "\nNow, determine the output for: 11010001"
    with pytest.raises(PromptError) as error:
        bit_prompt.parse(head + tail)
    assert error.value.field == "examples"


MUTATION = st.integers(0, len(GOLDEN)), st.integers(0, 3), st.text(max_size=3)


def solved_or_refused(place, cut, insert):
    try:
        parsed = bit_prompt.parse(GOLDEN[:place] + insert + GOLDEN[place + cut :])
    except PromptError as error:
        assert error.field
        return
    solution = solver.solve(parsed)
    assert (solution.answer is None) == bool(solution.reason)


@given(*MUTATION)
@settings(max_examples=500, deadline=None)
def test_mutated_prompts_are_solved_or_refused(place, cut, insert):
    solved_or_refused(place, cut, insert)


@pytest.mark.slow
@pytest.mark.exhaustive
@given(*MUTATION)
@settings(max_examples=20_000, deadline=None)
def test_many_mutated_prompts_are_solved_or_refused(place, cut, insert):
    solved_or_refused(place, cut, insert)


def test_contradictory_and_impossible_examples():
    parsed = bit_prompt.parse(GOLDEN)
    twice = bit_prompt.Parsed((*parsed.examples, (parsed.examples[0][0], 0)), parsed.query)
    solution = solver.solve(twice)
    assert solution.answer is None and "contradictory" in solution.reason
    rng = row_rng(5, "noise")
    noise = bit_prompt.Parsed(tuple((i, rng.randrange(256)) for i in rng.sample(range(256), 10)), 0)
    assert solver.solve(noise).answer is None and solver.solve(noise).reason


# An independent reading of the rules on strings: no table, no NumPy.
def _tap_text(tap, text):
    kind, k = tap.rstrip("1234567"), int(tap[3:] or 0)
    shifted = {"x": text, "rol": text[k:] + text[:k], "shl": text[k:] + "0" * k, "shr": "0" * k + text[: 8 - k]}
    return shifted[kind]


def _brute_force(parsed):
    """Every byte function of one or two taps that fits: {(taps, outputs for all inputs)}, and their answers."""
    inputs = [f"{i:08b}" for i in range(256)]
    wanted = [(f"{i:08b}", f"{o:08b}") for i, o in parsed.examples]
    fits, answers = set(), set()
    for n in (1, 2):
        for taps in combinations(inventory.TAPS, n):
            for number in range(2 ** (2**n)):
                table = f"{number:0{2**n}b}"
                halves = [(table[: len(table) // 2], table[len(table) // 2 :]), (table[::2], table[1::2])]
                if any(low == high for low, high in halves[:n]):
                    continue  # one argument does not matter

                def run(text, taps=taps, table=table):
                    patterns = zip(*(_tap_text(tap, text) for tap in taps), strict=True)
                    return "".join(table[int("".join(pattern), 2)] for pattern in patterns)

                if all(run(i) == o for i, o in wanted):
                    fits.add((taps, tuple(map(run, inputs))))
                    answers.add(run(f"{parsed.query:08b}"))
    return fits, answers


def test_solver_agrees_with_brute_force_on_two_taps():
    two_taps = {**bit_prior.default_prior(), "sizes": {"1": 0.2, "2": 0.8, "3": 0.0}}
    problems = rows(200, seed=3, tap_shares={1: 0.2, 2: 0.6, 3: 0.2})
    ambiguous = 0
    for problem in problems:
        parsed = bit_prompt.parse(problem.prompt)
        parsed = bit_prompt.Parsed(parsed.examples[:4], parsed.query)  # few examples, so that rules compete
        fits, answers = _brute_force(parsed)
        solution = solver.solve(parsed, two_taps)
        assert solution.n_consistent == len(fits)
        assert {answer for answer, _ in solution.answers} == answers
        assert (solution.answer is None) == (not answers)
        ambiguous += len(answers) > 1
    assert ambiguous > 20


def test_posterior_is_calibrated_on_generated_rows():
    problems = rows(1500, seed=4)
    solutions = [solver.solve(bit_prompt.parse(p.prompt)) for p in problems]
    right = [s.answer == p.answer for s, p in zip(solutions, problems, strict=True)]
    expected = sum(s.posterior for s in solutions)
    assert sum(right) >= 0.975 * len(right)
    assert abs(sum(right) - expected) < 15
    for solution in solutions[:100]:
        assert sum(p for _, p in solution.answers) == pytest.approx(1)
        assert solution.posterior == solution.answers[0][1] == max(p for _, p in solution.answers)


def test_found_rule_reproduces_the_examples_and_the_answer():
    for problem in rows(200, seed=6):
        parsed = bit_prompt.parse(problem.prompt)
        solution = solver.solve(parsed)
        found = solution.found
        assert all(inventory.evaluate(found["table"], found["taps"], i) == o for i, o in parsed.examples)
        assert f"{inventory.evaluate(found['table'], found['taps'], parsed.query):08b}" == solution.answer


def test_answer_does_not_depend_on_the_order_of_examples():
    for problem in rows(40, seed=8):
        parsed = bit_prompt.parse(problem.prompt)
        turned = bit_prompt.Parsed(parsed.examples[::-1], parsed.query)
        assert bit_prompt.canonical(turned) == bit_prompt.canonical(parsed) == problem.canonical
        one, two = solver.solve(parsed), solver.solve(turned)
        assert (one.answer, one.n_consistent) == (two.answer, two.n_consistent)


def test_fitted_prior_is_close_to_the_shares():
    fitted = bit_prior.fit_prior(p.rule for p in rows(3000, seed=9))
    default = bit_prior.default_prior()
    assert fitted["sizes"]["2"] == pytest.approx(default["sizes"]["2"], abs=0.04)
    assert fitted["tables"]["2"]["0110"] == pytest.approx(default["tables"]["2"]["0110"], abs=0.04)
    assert set(fitted["patterns"]["3"]) == {"rol+shl+shr"}
    problems = rows(100, seed=10)
    parsed = [bit_prompt.parse(p.prompt) for p in problems]
    same = sum(solver.solve(q, fitted).answer == solver.solve(q).answer for q in parsed)
    assert same >= 98
    with pytest.raises(LabError):
        bit_prior.fit_prior([])


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_reordered_tables_are_the_same_function(order):
    table, taps = "01111001", ("rol2", "shl3", "shr4")
    turned = inventory.reorder(table, order)
    assert inventory.function_of(turned, [taps[j] for j in order]) == inventory.function_of(table, taps)


def test_gate_tables_match_their_text():
    assert inventory.GATE["maj"].table == "00010111" and inventory.GATE["andn"].table == "0010"
    assert inventory.GATE["ch"].table == "01010011" and inventory.GATE["sel"].table == "11010110"
    tables = [(gate.taps, gate.table) for gate in inventory.GATES]
    assert len(set(tables)) == len(tables) and all(inventory.depends_on_all(table) for _, table in tables)


# ---- catalog


def test_catalog_counts():
    table = bit_catalog.build()
    assert table.schema == bit_catalog.SCHEMA
    assert table.num_rows == 25_666
    assert sum(table.column("listed").to_pylist()) == bit_catalog.PUBLISHED_COUNT
    assert len(bit_catalog.catalog().index) == table.num_rows


def test_catalog_has_the_published_example():
    sequence = tuple("AND24 AND35 AND46 AND57 C0 C0 C0 AND01".split())
    whole = bit_catalog.catalog()
    row = whole.index[sequence]
    assert whole.functions[row].tobytes() == inventory.function_of(
        inventory.GATE["maj"].table, ("rol2", "shl4", "shr7")
    )
    assert whole.listed[row]


def test_sequences_compute_their_functions():
    whole = bit_catalog.catalog()
    rng = row_rng(0, "catalog")
    for row in rng.sample(range(len(whole.sequences)), 300):
        byte = rng.randrange(256)
        assert bit_catalog.apply_sequence(whole.sequences[row], byte) == whole.functions[row, byte]


def test_every_generated_rule_is_in_the_catalog():
    functions = {f.tobytes() for f in bit_catalog.catalog().functions}
    for problem in rows(300, seed=11):
        assert inventory.function_of(problem.rule["table"], problem.rule["taps"]) in functions


def test_nearest_is_by_hamming_distance():
    whole = bit_catalog.catalog()
    target = whole.sequences[1234]
    assert bit_catalog.nearest(target, 1) == [(0, 1234)]
    wrong = ("C1", *target[1:])
    found = bit_catalog.nearest(wrong, 32)
    distances = [sum(a != b for a, b in zip(wrong, whole.sequences[row], strict=True)) for _, row in found]
    assert distances == [d for d, _ in found] == sorted(distances) and 1234 in [row for _, row in found]
    assert all(whole.listed[row] for _, row in bit_catalog.nearest(wrong, 32, listed=True))
    with pytest.raises(LabError):
        bit_catalog.nearest(["C0"])


@pytest.mark.parametrize("rule", ["C2", "I9", "AND2", "XOR248", "T0110:123", "AND24 ", "", "T0110x110:123"])
def test_bad_per_bit_rules(rule):
    with pytest.raises(LabError):
        bit_catalog.rule_table(rule)


@pytest.mark.skipif("BENCHMARK_CSV" not in os.environ, reason="BENCHMARK_CSV names no file of real rows")
def test_real_rows():
    with open(os.environ["BENCHMARK_CSV"], newline="", encoding="utf-8") as handle:
        real = [row for row in csv.DictReader(handle) if row["prompt"].startswith(bit_prompt.HEADER)]
    assert real
    right = 0
    for row in real:
        parsed = bit_prompt.parse(row["prompt"])
        assert bit_prompt.format_prompt(parsed.examples, parsed.query) == row["prompt"]
        right += solver.solve(parsed).answer == row["answer"]
    assert right / len(real) >= 0.98
