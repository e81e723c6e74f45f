"""The corruption ladder keeps its promises, key reveal nests, and the render script writes both."""

import random
import re
import subprocess
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from test_forward_designs import FORWARD, solved

import forked
from common.artifacts import read_table, write_table
from puzzles.base import Problem, PromptError
from puzzles.checker import official
from puzzles.equations.prompt import HEADER
from puzzles.equations.rules import BY_NAME
from puzzles.registry import FAMILIES
from puzzles.tables import PUZZLES, SOLUTIONS, problem_row, solution_row
from reasoning.grammar.reveal import (
    MOST,
    ORDERS,
    Known,
    Reveal,
    known_of,
    reveal_order,
    shown_key,
    shown_prompt,
    split_shown,
)
from reasoning.grammar.texts import RENDERED, Row, render_row
from reasoning.grammar.trace import Design
from reasoning.judging.audit import audit, is_valid
from reasoning.judging.corruption import CORRUPTIONS, FILLER, corrupt, misreadings, sattolo
from reasoning.registry import DESIGNS

SCRIPTS = Path(__file__).resolve().parents[2] / "workflow_scripts"
KEYED = Problem(
    "cryptarithm_deduce",
    f"{HEADER}$%+&! = @<\nNow, determine the result for: %&+#(",
    "@<&",
    key={glyph: digit for digit, glyph in enumerate("(@<?%{&!#^")},
)


RULED = replace(KEYED, rule={"mode": "flip", "operators": {"+": "flip_add+1", "-": "join_swap"}})


def rows_of(family: str, n: int = 120) -> tuple[Design, list[Row]]:
    design = DESIGNS[family, "forward"]
    found = solved(family)[:n]
    return design, [render_row(problem.id, problem, s, design, Reveal(), 0) for problem, _, s in found]


def told(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row.status == RENDERED]


def texts(row: Row) -> tuple[str, ...]:
    return tuple(line.text for line in row.lines)


def validity(rows: list[Row], design: Design) -> float:
    return sum(is_valid(audit(row.completion, row.prompt, design)) for row in rows) / len(rows)


@pytest.mark.parametrize("family", FORWARD)
@pytest.mark.parametrize("name", CORRUPTIONS)
def test_only_what_is_meant_to_change_changes(family: str, name: str):
    design, rows = rows_of(family)
    changed = corrupt(rows, name, design, 1)
    assert changed == corrupt(rows, name, design, 1)
    for before, after in zip(rows, changed, strict=True):
        assert (before.id, before.prompt, before.answer) == (after.id, after.prompt, after.answer)
        if after.status == RENDERED:
            assert name == "wrongans" or after.boxed == before.boxed
            assert after.completion.count("</think>") == 1
        elif before.status == RENDERED:
            assert name in ("shuffle", "delete30", "digit10", "wrongans") or name.startswith("verdictflip")
            assert after.completion == ""
    if name != "none" and told(changed):
        different = sum(a.completion != b.completion for a, b in zip(rows, changed, strict=True))
        assert different > len(told(changed)) / 20


@pytest.mark.parametrize("family", FORWARD)
@pytest.mark.parametrize("name", ["swap", "swapwithin"])
def test_swapped_lines_are_all_there_and_nobodys_own(family: str, name: str):
    design, rows = rows_of(family)
    before, after = told(rows), told(corrupt(rows, name, design, 1))
    assert sorted(row.donor for row in after) == sorted(row.id for row in before)
    assert Counter(map(texts, before)) == Counter(map(texts, after))
    assert all(row.donor != row.id and texts(row) != texts(own) for own, row in zip(before, after, strict=True))
    assert validity(before, design) == 1.0
    assert validity(after, design) < 0.05
    gap = [abs(len(own.completion) - len(row.completion)) for own, row in zip(before, after, strict=True)]
    if name == "swapwithin":
        free = told(corrupt(rows, "swap", design, 1))
        assert sum(gap) < sum(abs(len(o.completion) - len(r.completion)) for o, r in zip(before, free, strict=True))


@pytest.mark.parametrize("family", FORWARD)
def test_each_rung_takes_away_its_own_property(family: str):
    design, rows = rows_of(family)
    own = {row.id: row for row in rows}
    for row in told(corrupt(rows, "shuffle", design, 2)):
        was = texts(own[row.id])
        assert Counter(texts(row)) == Counter(was) and texts(row) != was
        assert (texts(row)[0], texts(row)[-1]) == (was[0], was[-1])
    for row in told(corrupt(rows, "delete30", design, 2)):
        was, now = texts(own[row.id]), iter(texts(own[row.id]))
        assert all(text in now for text in texts(row))
        assert len(was) - len(row.lines) == max(1, round(0.3 * (len(was) - 2)))
    for row in told(corrupt(rows, "digit10", design, 2)):
        was, now = "\n".join(texts(own[row.id])), "\n".join(texts(row))
        changes = [(a, b) for a, b in zip(was, now, strict=True) if a != b]
        assert all(a.isdigit() and b.isdigit() for a, b in changes)
        assert len(changes) == max(1, round(0.1 * sum(c.isdigit() for c in was)))
    for row in told(corrupt(rows, "filler", design, 2)):
        assert len(row.completion) == len(own[row.id].completion) and set("".join(texts(row))) == {FILLER}
    for row in told(corrupt(rows, "solutiononly", design, 2)):
        assert row.completion == f"<think>\n</think>\n\\boxed{{{row.boxed}}}"


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_a_wrong_answer_is_the_same_row_with_its_query_misread(family: str):
    """The thought is true of a prompt that differs in one piece of the query, and of no other."""
    design = DESIGNS.get((family, "forward")) or DESIGNS[family, "derive"]
    reveal = Reveal(10) if family.startswith("cryptarithm") else Reveal()
    rows = told([render_row(p.id, p, s, design, reveal, 0) for p, _, s in solved(family)[:40]])
    after = told(corrupt(rows, "wrongans", design, 2))
    assert len(after) > 0.8 * len(rows) and validity(after, design) == 0
    own = {row.id: row for row in rows}
    for row in after:
        assert not official(row.boxed, row.answer) and row.prompt == own[row.id].prompt
        true_of = []
        for prompt in misreadings(row.problem.prompt, FAMILIES[family], random.Random(0)):
            try:
                FAMILIES[family].parse(prompt)
            except PromptError:
                continue
            checked = audit(row.completion, row.page.replace(row.problem.prompt, prompt), design)
            true_of += [prompt] if is_valid(checked) else []
        assert true_of and all(len(prompt.split("\n")) == row.problem.prompt.count("\n") + 1 for prompt in true_of)
        assert all(prompt.split("\n")[:-1] == row.problem.prompt.split("\n")[:-1] for prompt in true_of)


@pytest.mark.parametrize("family", FORWARD)
def test_verdicts_are_flipped_as_often_as_said_and_nothing_else_is(family: str):
    design, rows = rows_of(family)
    two = {kind.KIND for kind in design.kinds if len(kind.OUTCOMES) > 1}
    for percentage in (10, 50, 100):
        after = told(corrupt(rows, f"verdictflip{percentage}", design, 3))
        pairs = [
            (old, new)
            for own, row in zip([r for r in rows if r.id in {a.id for a in after}], after, strict=True)
            for old, new in zip(own.lines, row.lines, strict=True)
        ]
        verdicts = [(old, new) for old, new in pairs if old.kind in two]
        assert all(old == new for old, new in pairs if old.kind not in two)
        if not verdicts:
            assert not after
            continue
        share = sum(old.verdict != new.verdict for old, new in verdicts) / len(verdicts)
        assert abs(share - percentage / 100) <= 3 * (0.25 / len(verdicts)) ** 0.5
        kinds = {kind.KIND: kind for kind in design.kinds}
        assert all(kinds[new.kind].parse(new.text).verdict == new.verdict for _, new in verdicts)


@pytest.mark.parametrize("n", [2, 3, 10, 101])
def test_sattolo_is_one_cycle(n: int):
    donors = sattolo(n, random.Random(n))
    at, length = donors[0], 1
    while at != 0:
        at, length = donors[at], length + 1
    assert length == n


def test_unknown_corruption_and_too_few_rows_are_refused():
    design, rows = rows_of("numeral", 3)
    with pytest.raises(ValueError, match="unknown corruption 'swop'"):
        corrupt(rows, "swop", design, 0)
    with pytest.raises(ValueError, match="at least two"):
        corrupt(rows[:1], "swap", design, 0)


@pytest.mark.parametrize("order", ORDERS)
def test_revealed_digits_nest_and_read_back(order: str):
    before: dict[str, int] = {}
    for k in range(MOST + 1):
        known = shown_key(KEYED, k, order, seed=4)
        assert len(known) == k and before.items() <= known.items() <= KEYED.key.items()
        assert split_shown(shown_prompt(KEYED.prompt, known)) == (KEYED.prompt, known)
        before = known


def test_orders_of_revealing_put_the_named_glyphs_first():
    assert set(reveal_order(KEYED, "query-first")[:4]) == set("%&#(")
    assert set(reveal_order(KEYED, "answer-first")[:6:2]) == set("@<&")  # between them others
    assert len({reveal_order(KEYED, "uniform", seed) for seed in range(20)}) > 10


def test_reveal_refuses_what_it_cannot_show():
    with pytest.raises(ValueError, match="expected 0..10"):
        shown_key(KEYED, 11)
    with pytest.raises(ValueError, match="has no key"):
        shown_key(Problem("numeral", "p", "I"), 1)
    with pytest.raises(ValueError, match="unknown order"):
        shown_key(KEYED, 1, "backwards")


@pytest.mark.parametrize("text", ["0", "10", "5-query-first", "3-given", "0-hidden", "9-answer-first-hidden"])
def test_a_reveal_has_one_written_form(text: str):
    reveal = Reveal.parse(text)
    assert str(reveal) == text and re.fullmatch(Reveal.PATTERN, text)
    assert shown_prompt("p", known_of(RULED, RULED.rule["operators"], reveal)).count("\nRules: ") == (
        reveal.rule != "derived"
    )


@pytest.mark.parametrize(
    "text", ["", "11", "05", "5-", "5-uniform", "5-derived", "0-query-first", "5-given-query-first"]
)
def test_other_forms_of_a_reveal_are_refused(text: str):
    with pytest.raises(ValueError, match="is not a reveal; expected digits from 0 to 10"):
        Reveal.parse(text)


def test_the_lines_of_digits_and_rules_read_back():
    for digits in ({}, KEYED.key):
        for mode in ("normal", "flip"):
            known = Known(digits, {op: name for op, name in zip("!-~=+*", BY_NAME, strict=False)}, mode)
            prompt, back = split_shown(shown_prompt(KEYED.prompt, known))
            assert (prompt, back, back.rules, back.mode) == (KEYED.prompt, known, known.rules, mode)


def test_a_prompt_without_a_key_line_is_left_alone():
    for shown in ("a\nKey: 33=3", "a\nKey: ", "Key", "", "a\nKey: x=3 y=12"):
        assert split_shown(shown) == (shown, {})


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("render")
    found = solved("cipher")[:30]
    write_table(folder / "p.parquet", [problem_row(problem, "train") for problem, _, _ in found], PUZZLES)
    rows = [solution_row(problem.id, "cipher", solution) for problem, _, solution in found]
    write_table(folder / "s.parquet", rows, SOLUTIONS)
    return folder


def render(folder: Path, out: str, *more: str) -> subprocess.CompletedProcess:
    command = [SCRIPTS / "render.py", "--puzzles", "p.parquet", "--solutions", "s.parquet"]
    command += ["--family", "cipher", "--design", "forward", "--out", out, *more]
    return forked.run(*command, cwd=folder)


def test_render_writes_the_same_bytes_twice(tables: Path):
    for out in ("a.parquet", "b.parquet"):
        assert render(tables, out, "--corruption", "swap", "--seed", "3").returncode == 0
    assert (tables / "a.parquet").read_bytes() == (tables / "b.parquet").read_bytes()
    for row in read_table(tables / "a.parquet").to_pylist():
        assert row["n_chars"] == len(row["completion"]) and row["status"] == RENDERED
        assert row["completion"].endswith(f"\\boxed{{{row['answer']}}}")
        assert "\n".join(line["text"] for line in row["lines"]) in row["completion"]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (("--reveal", "3"), "field reveal: design forward of cipher can show 0 digits, rules derived; not 3"),
        (("--design", "other"), "no design 'other' of family 'cipher'"),
        (("--family", "numeral"), "row 1, field family: 'cipher', expected 'numeral'"),
        (("--solutions", "p.parquet"), "p.parquet: missing column(s)"),
    ],
)
def test_render_refuses(tables: Path, more: tuple[str, ...], says: str):
    done = render(tables, "bad.parquet", *more)
    assert done.returncode == 1 and says in done.stderr
    assert not (tables / "bad.parquet").exists()
