"""Bit designs: planted errors are caught, no check raises, what the designs know is the catalog's."""

import random
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puzzles.base import Problem, Solution, row_rng
from puzzles.bit_manipulation import catalog as bit_catalog
from puzzles.bit_manipulation import family, inventory, solver
from puzzles.bit_manipulation import prompt as bit_prompt
from reasoning.designs.bit_manipulation.catalog_repair import select
from reasoning.designs.bit_manipulation.lines import bit_columns, bits
from reasoning.grammar.page import Page
from reasoning.grammar.trace import Malformed, Unrenderable, completion_of, parse_completion
from reasoning.registry import DESIGNS

IDS = ("forward", "whole-value", "per-bit", "tap-table", "prior-scan", "peel", "bases", "catalog-repair", "eliminate")
FAMILY = "bit_manipulation"
ROWS = 160


@cache
def solved():
    rows = []
    for problem in family.generate(row_rng(21, "designs"), ROWS):
        parsed = bit_prompt.parse(problem.prompt)
        rows.append((problem, parsed, solver.solve(parsed)))
    return rows


@cache
def traces(design_id):
    design = DESIGNS[FAMILY, design_id]
    told = []
    for problem, parsed, solution in solved():
        try:
            told.append((problem, parsed, design.render(problem, parsed, solution, {}, row_rng(0, problem.id))))
        except Unrenderable as error:
            assert str(error)
    return design, told


def audit(lines, parsed):
    """(line, transcription, arithmetic, verdict) of each line; Malformed lines have None."""
    page = Page(FAMILY, parsed)
    records = []
    for each in lines:
        if isinstance(each, Malformed):
            records.append((each, None, None, None))
            continue
        records.append((each, each.transcription(page), each.arithmetic(page), each.verdict_follows(page)))
        each.establish(page)
        page.lines_read += 1
    return records


@pytest.mark.parametrize("design_id", IDS)
def test_rendering_is_a_function_of_row_and_seed(design_id):
    design, told = traces(design_id)
    for problem, parsed, solution in solved()[:20]:
        try:
            again = design.render(problem, parsed, solution, {}, row_rng(0, problem.id))
        except Unrenderable:
            continue
        assert again in [trace for _, _, trace in told]


@pytest.mark.parametrize("design_id", IDS)
def test_planted_errors_are_caught(design_id):
    """One changed character of a byte, bit, position or verdict makes some line false or unreadable."""
    design, told = traces(design_id)
    rng = random.Random(1)
    planted = missed = 0
    for _, parsed, trace in told:
        lines = [each.text() for each in trace.lines]
        for _ in range(4):
            at = rng.randrange(len(lines))
            changed = damage(lines[at], trace.lines[at], rng)
            if changed is None:
                continue
            text = completion_of(trace).replace(lines[at], changed, 1)
            records = audit(parse_completion(text, design), parsed)
            planted += 1
            missed += not any(isinstance(each, Malformed) or False in checks for each, *checks in records)
    assert planted > 100
    assert missed <= 0.01 * planted


def damage(text, each, rng):
    """The line with one bit flipped, one digit moved by one, or the verdict replaced."""
    if each.OUTCOMES and rng.random() < 0.3:
        other = rng.choice([word for word in each.OUTCOMES if word != each.verdict])
        return text.removesuffix(each.verdict) + other
    places = [i for i, char in enumerate(text) if char in "01234567"]
    if not places:
        return None
    place = rng.choice(places)
    new = {"0": "1", "1": "0"}.get(text[place]) or str((int(text[place]) + 1) % 8)
    return text[:place] + new + text[place + 1 :]


@pytest.mark.parametrize("design_id", IDS)
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_checks_never_raise_on_lines_out_of_place(design_id, data):
    """Lines of several rows, in any order, some damaged, on the page of yet another row."""
    design, told = traces(design_id)
    rng = random.Random(data.draw(st.integers(0, 2**32)))
    lines = []
    for _ in range(30):
        _, _, trace = rng.choice(told)
        each = rng.choice(trace.lines)
        text = each.text()
        for _ in range(rng.randrange(3)):
            text = damage(text, each, rng) or text
        lines.append(text)
    found = parse_completion("<think>\n" + "\n".join(lines) + "\n</think>\n\\boxed{00000000}", design)
    for _, *checks in audit(found, rng.choice(told)[1]):
        assert set(checks) <= {True, False, None}


@pytest.mark.parametrize("design_id", IDS)
@given(text=st.text(max_size=80), spoil=st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_any_text_is_read_and_checked(design_id, text, spoil):
    design, told = traces(design_id)
    _, parsed, trace = told[spoil % len(told)]
    whole = completion_of(trace)
    place = spoil % len(whole)
    audit(parse_completion(whole[:place] + text + whole[place:], design), parsed)


def test_bit_rules_are_the_catalogs():
    for problem, _, _ in solved():
        taps, table = tuple(problem.rule["taps"]), problem.rule["table"]
        assert bit_catalog.catalog().index.get(bits.bit_rules(table, taps)) is not None
    assert bits.bit_rules(inventory.GATE["maj"].table, ("rol2", "shl4", "shr7")) == tuple(
        "AND24 AND35 AND46 AND57 C0 C0 C0 AND01".split()
    )


def test_taps_on_strings_are_the_taps_on_numbers():
    for index, tap in enumerate(inventory.TAPS):
        for byte in range(256):
            assert bits.tap_value(tap, f"{byte:08b}") == f"{inventory.LUT[index, byte]:08b}"
    assert bits.tap_value("rol8", "00000001") == ""


def test_selected_rules_fit_or_are_the_default():
    for _, parsed, _ in solved()[:60]:
        inputs, _, _, wanted = bits.columns(parsed)
        for j, rule in enumerate(select(inputs, wanted)):
            if rule != "C1":
                assert bits.rule_column(rule, inputs) == wanted[j]
            elif "0" in wanted[j]:
                assert not bit_columns.fitting(inputs, [wanted[j]])[0]


def test_wrong_hypotheses_are_refuted_in_forward():
    design, told = traces("forward")
    verdicts = [each.verdict for _, _, trace in told for each in trace.lines if isinstance(each, bits.Test)]
    assert 0.1 < verdicts.count("no") / len(verdicts) < 0.4
    assert all(len(completion_of(trace)) <= 700 for _, _, trace in told)


def test_design_leaves_out_rows_that_the_solver_gets_wrong():
    problem, parsed, solution = solved()[0]
    wrong = solver.solve(bit_prompt.Parsed(((0, 0), (1, 0)), 7))
    assert wrong.answer != problem.answer
    with pytest.raises(Unrenderable):
        DESIGNS[FAMILY, "forward"].render(problem, parsed, wrong, {}, random.Random(0))


def test_elimination_knows_neither_the_rule_nor_the_answer():
    design, told = traces("eliminate")
    nothing = Problem(FAMILY, "", "")
    for _, parsed, trace in told[:60]:
        assert design.render(nothing, parsed, Solution(None), {}, random.Random(0)) == trace
    right = [trace.answer == problem.answer for problem, _, trace in told]
    assert sum(right) >= 0.9 * len(right)
