"""No text and no order of lines breaks the audit; what its tables and its script say."""

import json
import random
from collections.abc import Sequence
from dataclasses import fields, replace
from itertools import product
from pathlib import Path

import pytest
from test_forward_designs import rendered, solved
from told import drawn, told

import forked
from common.artifacts import read_table, write_table
from puzzles.base import Solution
from puzzles.registry import FAMILIES
from puzzles.tables import PUZZLES, problem_row
from reasoning.designs.cryptarithm.lines import drop_units
from reasoning.designs.cryptarithm.lines.chain_lines import (
    AssertDrop,
    AssertPin,
    Resolved,
    Stall,
)
from reasoning.designs.cryptarithm.lines.letters import operators_of
from reasoning.grammar.lines import Line
from reasoning.grammar.page import Page
from reasoning.grammar.texts import TEXTS, render_row, table_row
from reasoning.grammar.trace import Box, completion_of
from reasoning.judging.audit import audit, audit_lines, first_divergence, is_valid, kind_table, trained_on
from reasoning.judging.planted_errors import wrong_lines
from reasoning.judging.stump import fit
from reasoning.registry import DESIGNS

SCRIPTS = Path(__file__).resolve().parents[2] / "workflow_scripts"


@pytest.mark.parametrize(("family", "name"), sorted(DESIGNS))
def test_any_order_and_any_values_are_judged_without_an_error(family: str, name: str):
    """Lines that read as the design's kinds but say anything, in any order, on any page of the family; and noise."""
    design, rng = DESIGNS[family, name], random.Random(5)
    rows = [each for _, each in told(family, name, 44)[0]][:12]
    pool = [(line, row.alphabet) for row in rows for line in row.lines if not isinstance(line, Box)]
    if not pool:
        pytest.skip("the design writes no lines")
    with_fields = [(line, alphabet) for line, alphabet in pool if fields(line)]
    picked = [(line, a, rng.choice(fields(line)).name) for line, a in rng.choices(with_fields, k=450)]
    wrong = [each for line, alphabet, field in picked for each in wrong_lines(line, field, alphabet, rng)]
    lines = [line for line, _ in pool] + wrong
    for row in rows:
        for _ in range(4):
            assert not is_valid(row.audit(rng.choices(lines, k=30)))
        for _ in range(8):
            noisy = list(row.text)
            for _ in range(rng.randrange(1, 12)):
                noisy[rng.randrange(len(noisy))] = rng.choice("0123456789 \n=+-*.?$azX\x00\u00e9")
            checked = audit("".join(noisy)[: rng.randrange(len(row.text))], row.shown, design)
            assert sum(each.first_failure for each in checked) <= 1


def test_first_divergence_is_a_line():
    assert first_divergence("a\nb\nc", "a\nb\nc") is None
    assert first_divergence("a\nx\nc", "a\nb\nc") == 1
    assert first_divergence("a", "a\nb") == 1


def test_kinds_with_one_outcome_in_training_are_marked():
    family = "equation_numeric_deduce"
    design, (told, _) = DESIGNS[family, "forward"], rendered(family, solved(family)[:30])
    checked = [each for shown, trace in told for each in audit(completion_of(trace), shown, design)]
    both = trained_on([trace.lines for _, trace in told], design)
    only = trained_on([[e for e in trace.lines if getattr(e, "verdict", "") != "no"] for _, trace in told], design)
    fixed = {row["kind"]: row["fixed"] for row in kind_table(checked, both, design)}
    assert not fixed["equation/test"]
    fixed = {row["kind"]: row["fixed"] for row in kind_table(checked, only, design)}
    assert fixed["equation/test"] and not fixed["equation/lock"]


def test_a_text_without_a_line_is_not_valid() -> None:
    """Else who writes nothing would pass for sound; of a design without lines the box is the line."""
    problem = drawn("cryptarithm_deduce", 1)[0][0]
    for text in ("", "<think>", "<think>\n</think>"):
        assert not is_valid(audit(text, problem.prompt, DESIGNS["cryptarithm_deduce", "derive"])), text
    boxed = f"<think>\n</think>\n\\boxed{{{problem.answer}}}"
    assert is_valid(audit(boxed, problem.prompt, DESIGNS["cryptarithm_deduce", "answer-only"]))
    assert not is_valid(audit(boxed, problem.prompt, DESIGNS["cryptarithm_deduce", "derive"]))


def test_a_chain_of_invented_claims_is_not_valid() -> None:
    """r7 with every digit pinned to another one's: nothing on the page speaks against it, what the row hides does."""
    rows = 0
    for problem, each in told("cryptarithm_deduce", "forced-chain", 120)[0]:
        names = operators_of(FAMILIES[problem.family].parse(problem.prompt))
        head = each.lines[: next((i for i, e in enumerate(each.lines) if isinstance(e, Resolved | Stall)), 0)]
        pins = [e.digit for e in head if isinstance(e, AssertPin)]
        if len(pins) < 2:
            continue
        turned = dict(zip(pins, pins[1:] + pins[:1], strict=True))
        lines = [replace(e, digit=turned[e.digit]) if isinstance(e, AssertPin) else e for e in head]
        assert is_valid(replace(each, truth=None).audit(lines))
        checked = each.audit(lines)
        assert not is_valid(checked) and all(e.verdict is None for e in checked if e.true is not None)
        assert [e.true for e in checked if e.kind == AssertPin.KIND] == [False] * len(pins)
        for number, line in enumerate(head):  # a drop of the rule that the operator has
            if isinstance(line, AssertDrop):
                own = next(problem.rule["operators"][glyph] for glyph, op in names.items() if op == line.op)
                wrong = replace(line, rules=(own,))
                assert each.audit([*head[:number], wrong])[-1].failed == ("true",)
        rows += 1
    assert rows > 30


def test_a_true_rule_dropped_with_invented_operands_fails_there_and_not_later() -> None:
    """Units that nobody narrowed, made up so that no pair fits: the line that drops the rule is to blame, no later one
    that keeps it."""
    found = 0
    for problem, each in told("cryptarithm_deduce", "witness-balanced", 400)[0]:
        row = FAMILIES[problem.family].parse(problem.prompt)
        names = operators_of(row)
        for number, line in enumerate(each.lines):
            if not isinstance(line, drop_units.TestOnes) or line.verdict != "keep":
                continue
            if line.rule != problem.rule["operators"][next(glyph for glyph, op in names.items() if op == line.op)]:
                continue
            e = row.examples[line.number - 1]
            for first, second in product("0123456789", repeat=2):
                work = drop_units.ones_work(line.rule, first, second, e)
                if work and not drop_units.ones_hits(line.rule, work, line.target, e):
                    break
            wrong = replace(line, first=first, second=second, work=work, verdict="drop")
            checked = each.audit([*each.lines[:number], wrong, replace(line, step=line.step + 1)])
            assert checked[number].first_failure and checked[number].verdict and checked[number].arithmetic
            assert not checked[number + 1].failed
            found += 1
    assert found > 5


def test_premises_that_a_line_has_said_are_used_whole() -> None:
    """One of several candidates left out, all else worked out rightly: the copy of the page is wrong."""
    found = 0
    for problem, each in told("cryptarithm_deduce", "witness-balanced", 400)[0]:
        row = FAMILIES[problem.family].parse(problem.prompt)
        for number, line in enumerate(each.lines):
            if isinstance(line, drop_units.TestOnes) and len(line.first) > 1:
                e = row.examples[line.number - 1]
                first = line.first[:-1]
                work = drop_units.ones_work(line.rule, first, line.second, e)
                hits = drop_units.ones_hits(line.rule, work, line.target, e)
                wrong = replace(line, first=first, work=work, verdict="keep" if hits else "drop")
                checked = each.audit([*each.lines[:number], wrong])[-1]
                assert checked.failed == ("transcription",), wrong
                found += 1
    assert found > 10


def test_a_claim_below_a_false_guess_is_not_judged() -> None:
    judged = {True: 0, False: 0}
    for problem, each in told("cryptarithm_deduce", "forced-chain", 120)[0]:
        page = Page.of(problem.family, each.shown, each.truth)
        for line, checked in zip(each.lines, each.audit(each.lines), strict=True):
            if isinstance(line, AssertPin):
                judged[checked.true is not None] += 1
                assert page.judges == (checked.true is not None)
            line.establish(page)
    assert judged[True] > 100 and judged[False] > 3


def test_measures_tell_an_echo_from_a_comparison() -> None:
    """Right arithmetic, the verdict always the most frequent one: `given` is what `top` is, the true traces reach 1."""
    family = "equation_numeric_deduce"
    design, (rows, _) = DESIGNS[family, "forward"], rendered(family, solved(family)[:60])
    training = trained_on([trace.lines for _, trace in rows], design)
    kind = max(training, key=lambda name: len(training[name].outcomes) > 1 and sum(training[name].outcomes.values()))
    echo = training[kind].top
    for says, reached in ((None, 1.0), (echo, training[kind].outcomes[echo] / sum(training[kind].outcomes.values()))):
        checked = []
        for shown, trace in rows:
            lines = [replace(e, verdict=says) if says and e.KIND == kind else e for e in trace.lines]
            for number, line in enumerate(lines):  # every line on the true page before it
                checked.append(audit_lines([line], page_before(family, shown, trace.lines[:number]))[0])
        row = next(row for row in kind_table(checked, training, design) if row["kind"] == kind)
        assert row["given_right"] == pytest.approx(reached * row["given_n"])
        assert row["top_right"] == training[kind].outcomes[echo] and row["given_n"] == row["top_n"]
        assert row["top_right"] <= row["stump_right"] <= row["given_n"]


def page_before(family: str, shown: str, lines: Sequence[Line]) -> Page:
    page = Page.of(family, shown)
    for each in lines:
        each.establish(page)
    return page


def test_a_stump_finds_the_feature_that_tells_the_outcome() -> None:
    rng = random.Random(0)
    samples = [
        ({"nth": n, "before": b, "noise": rng.random()}, "no" if n < 2 else "match") for n in range(4) for b in "ab"
    ]
    stump = fit(samples * 5)
    assert str(stump) == "nth <= 1: no else match" and all(stump.says(f) == o for f, o in samples)
    echo = [({"nth": 0, "before": b}, {"a": "b", "b": "a"}[b]) for b in "ab"]
    assert {fit(echo * 5).says(f) == o for f, o in echo} == {True}
    coin, held_out = [[({"x": rng.random()}, rng.choice(["no", "match"])) for _ in range(4000)] for _ in range(2)]
    stump = fit(coin)
    assert 0.45 < sum(stump.says(f) == o for f, o in held_out) / 4000 < 0.55
    assert str(fit([({"nth": 0}, "drop")] * 3)) == "drop"


def test_script_tells_lines_rows_and_kinds(tmp_path: Path):
    family = "numeral"
    problems = [problem for problem, _, _ in solved(family)[:4]]
    told, _ = rendered(family, solved(family)[:4])
    texts = [completion_of(trace) for _, trace in told]
    wrong = texts[1].replace("-", "-9", 1)
    write_table(tmp_path / "p.parquet", [problem_row(problem, "test") for problem in problems], PUZZLES)
    completions = [
        {"id": problem.id, "family": family, "design": "forward", "text": text}
        for problem, text in zip(problems, [texts[0], wrong, "no trace at all", ""], strict=True)
    ]
    write_table(tmp_path / "c.parquet", completions)
    command = [SCRIPTS / "audit.py", "--completions", "c.parquet", "--puzzles", "p.parquet"]
    command += ["--out", "a.parquet", "--rows", "r.parquet", "--kinds", "k.parquet"]
    forked.run(*command, cwd=tmp_path, check=True)
    lines = read_table(tmp_path / "a.parquet").to_pylist()
    assert [line["id"] for line in lines if line["first_failure"]] == [problems[1].id, problems[2].id]
    rows = read_table(tmp_path / "r.parquet").to_pylist()
    assert [row["valid"] for row in rows] == [True, False, False, False]
    assert [row["failure_axis"] for row in rows][:3] == ["", "arithmetic", "form"]
    assert rows[0]["perfect"] is None
    again = tmp_path / "b.parquet"
    forked.run(*command[:5], "--out", again, cwd=tmp_path, check=True)
    assert read_table(again).to_pylist() == lines and json.dumps(lines)


def test_script_refuses_completions_of_unknown_rows(tmp_path: Path):
    problem = solved("numeral")[0][0]
    write_table(tmp_path / "p.parquet", [problem_row(problem, "test")], PUZZLES)
    write_table(tmp_path / "c.parquet", [{"id": "x", "family": "numeral", "design": "forward", "text": ""}])
    command = [SCRIPTS / "audit.py", "--completions", "c.parquet", "--puzzles", "p.parquet"]
    done = forked.run(*command, "--out", "a.parquet", cwd=tmp_path)
    assert done.returncode == 1 and "field id: 'x' is in none of the puzzles" in done.stderr
    assert not (tmp_path / "a.parquet").exists()


def test_script_judges_hidden_rules_by_the_texts(tmp_path: Path):
    """A thought that uses unsaid rules is held to those of the rendered rows, which must be named."""
    family, design = "cryptarithm_deduce", DESIGNS["cryptarithm_deduce", "derive"]
    problems = [problem for problem, _, _ in solved(family)[:6]]
    reveal = design.reveal("10-hidden")
    rows = [render_row(problem.id, problem, Solution(None), design, reveal, 0) for problem in problems]
    write_table(tmp_path / "p.parquet", [problem_row(problem, "test") for problem in problems], PUZZLES)
    write_table(tmp_path / "t.parquet", [table_row(row, design, reveal) for row in rows], TEXTS)
    told = [{"id": row.id, "family": family, "design": "derive", "reveal": str(reveal), "prompt": row.prompt,
             "text": row.completion} for row in rows]  # fmt: skip
    write_table(tmp_path / "c.parquet", told)
    command = [SCRIPTS / "audit.py", "--completions", "c.parquet", "--puzzles", "p.parquet"]
    command += ["--out", "a.parquet", "--rows", "r.parquet"]
    done = forked.run(*command, cwd=tmp_path)
    assert done.returncode == 1 and "row 1, field reveal: a text of these rows is needed" in done.stderr
    forked.run(*command, "--texts", "t.parquet", cwd=tmp_path, check=True)
    found = read_table(tmp_path / "r.parquet").to_pylist()
    assert len(found) == 6 and all(row["valid"] and row["perfect"] for row in found)


def test_script_sets_verdicts_beside_what_training_would_say(tmp_path: Path):
    """`given` beside what the most frequent outcome and the stump reach on the same lines; nothing without a corpus."""
    family = "equation_numeric_deduce"
    found = {problem.prompt: problem for problem, _, _ in solved(family)[:12]}
    rows, _ = rendered(family, solved(family)[:12])
    problems, texts = [found[shown] for shown, _ in rows], [completion_of(trace) for _, trace in rows]
    write_table(tmp_path / "p.parquet", [problem_row(problem, "test") for problem in problems], PUZZLES)
    write_table(tmp_path / "corpus.parquet", [{"family": family, "completion": t, "role": "task"} for t in texts])
    told = [
        {"id": p.id, "family": family, "design": "forward", "text": t} for p, t in zip(problems, texts, strict=True)
    ]
    write_table(tmp_path / "c.parquet", told)
    command = [SCRIPTS / "audit.py", "--completions", "c.parquet", "--puzzles", "p.parquet"]
    command += ["--out", "a.parquet", "--kinds", "k.parquet", "--rows", "r.parquet"]
    forked.run(*command, "--corpus", "corpus.parquet", cwd=tmp_path, check=True)
    kinds = {row["kind"]: row for row in read_table(tmp_path / "k.parquet").to_pylist()}
    test = next(row for row in kinds.values() if len(row["trained"].split()) > 1)
    assert test["given_n"] == test["given_right"] == test["top_n"] == test["stump_n"] > 5
    most = max(int(each.rpartition(":")[2]) for each in test["trained"].split())
    assert test["top_right"] == most <= test["stump_right"] and test["rule_of_thumb"]
    lines = read_table(tmp_path / "a.parquet").to_pylist()
    assert sum(bool(line["top"]) for line in lines if line["kind"] == test["kind"]) == most
    assert {line["true"] for line in lines} == {None}  # its lines claim nothing bare
    forked.run(*command, cwd=tmp_path, check=True)
    assert {line["top"] for line in read_table(tmp_path / "a.parquet").to_pylist()} == {None}
    assert all(row["valid"] for row in read_table(tmp_path / "r.parquet").to_pylist())


def test_script_does_not_know_a_bare_thought_of_a_row_that_hides_nothing_known(tmp_path: Path):
    """r7 on a row without a key: valid is empty, or judged by the solver's key where its answer is right."""
    family, name = "cryptarithm_deduce", "forced-chain"
    problem, each = next(
        (p, e) for p, e in told(family, name, 120)[0] if any(isinstance(x, AssertPin) for x in e.lines)
    )
    bare = replace(problem, key={}, rule={})
    write_table(tmp_path / "p.parquet", [problem_row(bare, "real")], PUZZLES)
    row = {"id": problem.id, "family": family, "design": name, "text": each.text, "prompt": each.shown}
    write_table(tmp_path / "c.parquet", [row])
    found = {"key": problem.key, "operators": problem.rule["operators"], "mode": problem.rule["mode"]}
    write_table(tmp_path / "s.parquet", [{"id": problem.id, "answer": problem.answer, "found": json.dumps(found)}])
    command = [SCRIPTS / "audit.py", "--completions", "c.parquet", "--puzzles", "p.parquet"]
    command += ["--out", "a.parquet", "--rows", "r.parquet"]
    valid = []
    for more in ([], ["--solutions", "s.parquet"]):
        forked.run(*command, *more, cwd=tmp_path, check=True)
        valid.append(read_table(tmp_path / "r.parquet").to_pylist()[0]["valid"])
    assert valid == [None, True]
