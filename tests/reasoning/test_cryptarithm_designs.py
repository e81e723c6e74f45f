"""Every cryptarithm design: what it writes reads back, checks out line by line, and never boxes a wrong answer."""

import random
import re
from collections import Counter
from dataclasses import replace
from functools import cache
from itertools import groupby

import pytest

from puzzles.base import Problem, Solution, row_rng
from puzzles.cryptarithm import family as cryptarithm
from puzzles.equations.prompt import Equation, EquationRow
from puzzles.equations.rules import BY_NAME, VALUE_RULES, apply
from reasoning.designs.cryptarithm.lines.drop_families import family_of
from reasoning.designs.cryptarithm.lines.drop_ident import returns_of
from reasoning.designs.cryptarithm.lines.join_lines import Example, Question
from reasoning.grammar.page import Page, Truth
from reasoning.grammar.reveal import RULE_SOURCES, shown_key, shown_prompt, split_shown
from reasoning.grammar.texts import RENDERED, Row, render_row
from reasoning.grammar.trace import Design, Trace, Unrenderable, completion_of, parse_completion
from reasoning.judging.audit import audit, audit_lines
from reasoning.judging.planted_errors import Told, errors
from reasoning.registry import DESIGNS

ROWS = 200
# The designs whose bailed rows keep their guess as the target, right or wrong, and the lines that say so.
KEEPS_WRONG_GUESSES = ("forced-chain", "anchor-capped", "anchor-sized")
KEEPS_WRONG_GUESSES += ("witness", "witness-hidden", "witness-onesided", "witness-balanced")
GUESSES = ("chain/bail", "chain/last-resort", "anchor/stop")
# Designs of the study whose renderer knows the key or the rules.
TRUTH_GUIDED = {"tiered", "decode-first", "truthful", "anchor", "anchor-capped", "anchor-sized"}
TRUTH_GUIDED |= {"honest-columns", "honest-products", "honest-branch"}
CRYPT = {key: design for key, design in DESIGNS.items() if key[0].startswith("cryptarithm")}


@cache
def rows(family: str) -> tuple[Problem, ...]:
    return tuple(cryptarithm.generate(row_rng(5, family), ROWS, family=family))


def render(design: Design, problem: Problem, k: int) -> Trace | str:
    known = shown_key(problem, k)
    parsed = cryptarithm.parse(problem.prompt)
    try:
        return design.render(problem, parsed, Solution(None), known, row_rng(0, problem.id))
    except Unrenderable as reason:
        return str(reason)


def first_false(problem: Problem, k: int, lines: list) -> tuple | None:
    """The first line with a False check, with its three checks."""
    page = Page.of(problem.family, shown_prompt(problem.prompt, shown_key(problem, k)))
    for each in lines:
        checks = (each.transcription(page), each.arithmetic(page), each.verdict_follows(page))
        if False in checks:
            return (each.text(), *checks)
        each.establish(page)
        page.lines_read += 1
    return None


@pytest.mark.parametrize(("family", "design_id"), CRYPT)
def test_no_line_of_a_broken_text_makes_a_check_raise(family: str, design_id: str) -> None:
    """Lines shuffled, taken from other rows, characters changed: the checks answer, whatever they are given."""
    design, rng = CRYPT[family, design_id], row_rng(1, design_id)
    texts = {}
    for problem in rows(family)[:12]:
        for k in (0, 6, 10):
            trace = render(design, problem, k)
            if isinstance(trace, Trace):
                texts[problem.id, k] = (problem, [each.text() for each in trace.lines])
    pool = [text for _, lines in texts.values() for text in lines]
    for (_, k), (problem, lines) in texts.items():
        broken = [*lines, *rng.sample(pool, min(len(pool), 20))]
        rng.shuffle(broken)
        for i, text in enumerate(broken):
            if text and rng.random() < 0.7:
                at = rng.randrange(len(text))
                broken[i] = text[:at] + rng.choice("0123456789AEx!?-+ ") + text[at + 1 :]
        shown = shown_prompt(problem.prompt, shown_key(problem, k))
        assert len(audit("<think>\n" + "\n".join(broken), shown, design)) == len(broken)


TOLD = [
    design.id
    for (family, _), design in CRYPT.items()
    if design.rules == RULE_SOURCES and design.reveals and family == "cryptarithm_deduce"
]
RULE_SECTION = {"crypt/join-test", "crypt/unseen", "crypt/signs", "crypt/rule", "crypt/bet", "letters/regime"}
RULE_SECTION |= {"chain/rules", "chain/resolved", "catalog/active", "catalog/group"}


@pytest.mark.parametrize("design_id", TOLD)
@pytest.mark.parametrize("text", ["0-given", "5-given", "5-query-first-hidden", "10-given", "10-hidden"])
def test_told_rules_are_used_without_a_word_of_where_they_are_from(design_id: str, text: str) -> None:
    """Everything checks out against the page with the rules; what derive, which never supposes, settles is true."""
    rendered = 0
    for family in ("cryptarithm_deduce", "cryptarithm_guess"):
        design = CRYPT[family, design_id]
        for problem in rows(family)[:30]:
            row = render_row(problem.id, problem, Solution(None), design, design.reveal(text), 0)
            shown = "\nRules: " in row.prompt
            assert shown == text.endswith("given") and bool(row.hidden) != shown
            if row.status != RENDERED:
                continue
            rendered += 1
            assert [each for each in audit(row.completion, row.page, design) if each.failed] == []
            assert not RULE_SECTION & {each.kind for each in row.lines}
            if design_id != "derive":
                continue
            page = Page.of(family, row.page)
            for each in parse_completion(row.completion, design)[:-1]:
                each.establish(page)
            settled = page.names("digit")
            assert all(problem.key.get(g) in (d, None) for g, d in settled.items()), row.completion
    assert rendered > 30


@pytest.mark.parametrize("design_id", TOLD)
def test_given_and_hidden_rules_differ_in_the_prompt_only(design_id: str) -> None:
    design = CRYPT["cryptarithm_deduce", design_id]
    for problem in rows("cryptarithm_deduce")[:20]:
        plain, given, hidden = (
            render_row(problem.id, problem, Solution(None), design, design.reveal(text), 0)
            for text in ("6", "6-given", "6-hidden")
        )
        assert given.lines == hidden.lines and hidden.prompt == plain.prompt
        assert given.prompt == given.page == hidden.page and given.prompt.startswith(plain.prompt + "\nRules: ")
        asked = problem.rule["operators"]
        assert split_shown(given.prompt)[1].rules == {
            op: asked[op] for op in cryptarithm.parse(problem.prompt).operators
        }


@pytest.mark.parametrize("design_id", TOLD)
def test_a_wrong_rule_is_noticed_where_it_is_used(design_id: str) -> None:
    """The same thought under a prompt that names another rule for the query's operator is not valid."""
    design, other = CRYPT["cryptarithm_deduce", design_id], {"add": "mul", "mul": "add", "sub": "add", "join": "add"}
    noticed = tried = 0
    for problem in rows("cryptarithm_deduce")[:40]:
        row = render_row(problem.id, problem, Solution(None), design, design.reveal("10-given"), 0)
        if row.status != RENDERED:
            continue
        prompt, known = split_shown(row.prompt)
        op = cryptarithm.parse(prompt).query.op
        known.rules[op] = other[BY_NAME[known.rules[op]].group]
        tried += 1
        noticed += any(each.failed for each in audit(row.completion, shown_prompt(prompt, known), design))
    assert tried > 20 and noticed == tried


def undetermined(family: str, design_id: str, k: int) -> int:
    traces = [render(CRYPT[family, design_id], problem, k) for problem in rows(family)]
    return sum(isinstance(trace, Trace) and trace.answer is None for trace in traces)


def test_derive_needs_the_digits() -> None:
    counts = [undetermined("cryptarithm_deduce", "derive", k) for k in (0, 5, 8, 10)]
    assert counts[0] > 150 and counts == sorted(counts, reverse=True) and counts[-1] == 0


@pytest.mark.parametrize(("family", "design_id"), [key for key in CRYPT if key[1] not in TRUTH_GUIDED])
def test_the_hidden_rule_and_key_choose_no_line(family: str, design_id: str) -> None:
    design = CRYPT[family, design_id]
    for problem in rows(family)[:20]:
        known = shown_key(problem, 6)
        parsed = cryptarithm.parse(problem.prompt)
        blind = Problem(family, problem.prompt, problem.answer)
        try:
            lines = design.render(blind, parsed, Solution(None), known, row_rng(0)).lines
        except Unrenderable as reason:
            lines = str(reason)
        try:
            full = design.render(problem, parsed, Solution(None), known, row_rng(0)).lines
        except Unrenderable as reason:
            full = str(reason)
        assert lines == full


def test_a_wrong_line_is_noticed() -> None:
    """One digit of a printed sum changed: the arithmetic check fails, and only there."""
    problem = next(p for p in rows("cryptarithm_deduce") if p.rule["query"] == "add")
    trace = render(CRYPT["cryptarithm_deduce", "derive"], problem, 10)
    text = completion_of(trace)
    step = next(each for each in trace.lines if each.KIND == "crypt/add")
    wrong = str(step.total + 1)
    broken = text.replace(f" {step.total}\n", f" {wrong}\n")
    lines = parse_completion(broken, CRYPT["cryptarithm_deduce", "derive"])
    found = first_false(problem, 10, lines)
    assert found is not None and found[0] == step.text().rsplit(" ", 1)[0] + f" {wrong}" and found[1:3] == (True, False)


@pytest.mark.parametrize("design_id", ["derive", "search"])
def test_the_example_to_test_is_one_that_the_lookup_names(design_id: str) -> None:
    """An example of another operator, copied without a mistake, is noticed; so is a number that the lookup lacks."""
    design, noticed = CRYPT["cryptarithm_deduce", design_id], 0
    for problem in rows("cryptarithm_deduce")[:40]:
        trace = render(design, problem, 10)
        if isinstance(trace, str):
            continue
        lines = [each for each in trace.lines if not isinstance(each, Example | Question)]
        lookup, row = lines[0], cryptarithm.parse(problem.prompt)
        assert lookup.numbers == tuple(n for n, e in enumerate(row.examples, 1) if e.op == row.query.op)
        wrong = replace(lookup, numbers=(*lookup.numbers, len(row.examples) + 1))
        assert first_false(problem, 10, [wrong, *lines[1:]]) == (wrong.text(), True, None, False)
        other = next((n for n in range(1, len(row.examples) + 1) if n not in lookup.numbers), None)
        if other is not None:
            e = row.examples[other - 1]
            wrong = replace(lines[1], number=other, joined=e.left + e.right, swapped=e.right + e.left, output=e.output)
            assert first_false(problem, 10, [lookup, wrong])[:2] == (wrong.text(), False)
            noticed += 1
    assert noticed > 20


def test_tail_is_the_longest_of_its_ablations_and_all_box_the_same() -> None:
    for problem in rows("cryptarithm_deduce")[:40]:
        names = ("tail", "tail-noA", "tail-noL", "tail-noM")
        traces = [render(CRYPT["cryptarithm_deduce", name], problem, 4) for name in names]
        if all(isinstance(trace, Trace) for trace in traces):
            lengths = [len(completion_of(trace)) for trace in traces]
            assert lengths[0] == max(lengths) and len({trace.answer for trace in traces}) == 1


@pytest.mark.parametrize("design_id", ["derive", "search", "catalog", "two-regime"])
def test_a_longer_thought_is_told_only_where_it_may_be(design_id: str) -> None:
    """More characters add rows and change none."""
    design, told = CRYPT["cryptarithm_deduce", design_id], {}
    for thought in (600, 1850, 6000):
        texts = [
            render_row(problem.id, problem, Solution(None), design, design.reveal("5"), 0, thought)
            for problem in rows("cryptarithm_deduce")[:25]
        ]
        told[thought] = {row.id: row.completion for row in texts if row.status == RENDERED}
        for row in texts:
            assert len(row.completion) <= thought + len("<think>\n</think>\n\\boxed{}") + len(row.boxed or "")
    assert told[600].items() < told[1850].items() <= told[6000].items()


@pytest.mark.parametrize("design_id", ["anchor-capped", "anchor-sized"])
def test_rows_that_give_up_after_three_tries_keep_their_wrong_guess(design_id: str) -> None:
    family = "cryptarithm_deduce"
    many = cryptarithm.generate(row_rng(17, family), 1000, family=family)
    told = [(p, t) for p in many if isinstance(t := render(CRYPT[family, design_id], p, 0), Trace)]
    stopped = [(p, t) for p, t in told if any(each.KIND == "anchor/stop" for each in t.lines)]
    wrong = [p for p, t in told if t.answer != p.answer]
    assert len(stopped) > 0.03 * len(told) and len(wrong) > 0.8 * len(stopped)
    assert {p.id for p in wrong} <= {p.id for p, _ in stopped}


def test_a_split_is_written_only_where_it_settles_the_row() -> None:
    """Nothing is guessed after it, and a chain that does guess says truly that no single split settles it."""
    design, ends = CRYPT["cryptarithm_deduce", "forced-chain"], Counter()
    for problem in rows("cryptarithm_deduce"):
        trace = render(design, problem, 0)
        if isinstance(trace, Trace):
            kinds = {each.KIND for each in trace.lines}
            assert not {"chain/split", "chain/bail"} <= kinds, completion_of(trace)
            ends[next((kind for kind in ("chain/split", "chain/bail") if kind in kinds), "chain")] += 1
            assert "chain/split" not in kinds or trace.answer == problem.answer
    assert min(ends.values()) > 5 and len(ends) == 3, ends


def test_every_guess_that_dies_is_shown_before_the_one_that_lives() -> None:
    """Guesses of one letter go up through the digits that are left of it, none skipped unseen."""
    design, seen = CRYPT["cryptarithm_deduce", "forced-chain"], 0
    for problem in rows("cryptarithm_deduce"):
        trace = render(design, problem, 0)
        if not isinstance(trace, Trace):
            continue
        guesses = [each.claim for each in trace.lines if each.KIND == "chain/case" and each.why == "guess"]
        out = [each.claim for each in trace.lines if each.KIND == "chain/dead"]
        for name, group in groupby(guesses, key=lambda claim: claim.partition("=")[0]):
            tried = list(group)
            assert [claim in out for claim in tried] == [True] * (len(tried) - 1) + [False], (name, tried)
            seen += len(tried) > 2
    assert seen > 3


def test_honest_facts_know_the_only_place_of_a_digit() -> None:
    design, places = CRYPT["cryptarithm_deduce", "honest-branch"], 0
    for problem in rows("cryptarithm_deduce")[:80]:
        trace = render(design, problem, 0)
        for each in trace.lines if isinstance(trace, Trace) else ():
            if each.KIND == "fact/place":
                places += 1
                assert problem.key[each.glyph] == each.digit, completion_of(trace)
                assert [g for g, digits in each.sets if str(each.digit) in digits] == [each.glyph]
    assert places > 3


# --- designs that differ in one thing ---

LONG = 8000


@cache
def witnessed(design_id: str, text: str) -> dict[str, Row]:
    """The rendered rows of a design, with room for long thoughts and (at 0) with little."""
    design, thought = CRYPT["cryptarithm_deduce", design_id], 1850 if text == "0" else LONG
    told = [
        render_row(problem.id, problem, Solution(None), design, design.reveal(text), 0, thought)
        for problem in rows("cryptarithm_deduce")[:80]
    ]
    return {row.id: row for row in told if row.status == RENDERED}


def pairs_of(one: str, other: str):
    for text in ("0", "1", "4-given"):
        a, b = witnessed(one, text), witnessed(other, text)
        assert a.keys() == b.keys() and len(a) > 20
        yield from ((a[name], b[name]) for name in a)


def test_what_a_test_opens_with_is_all_that_onesided_and_balanced_differ_in() -> None:
    """Same rows, lines and answers; each kind of test has one end in the one and both in the other."""
    ends: dict[str, set[str]] = {}
    for one, other in pairs_of("witness-onesided", "witness-balanced"):
        assert (one.prompt, one.boxed, len(one.completion)) == (other.prompt, other.boxed, len(other.completion))
        for a, b in zip(one.lines, other.lines, strict=True):
            assert a.verdict == b.verdict
            assert re.sub(r"^(s[0-9]+) (not|may) ", r"\1 try ", a.text) == b.text
            assert a.kind.replace("not/", "try/").replace("may/", "try/") == b.kind
            assert a.kind.startswith({"drop": "not/", "keep": "may/"}.get(a.verdict, ""))
            for line in (a, b):
                if re.match("(not|may|try)/", line.kind):
                    ends.setdefault(line.kind, set()).add(line.verdict)
    assert all(ends[f"try/{kind}"] == {"drop", "keep"} for kind in ("sign", "range", "ones", "readings", "value"))
    assert all(ends[f"try/{kind}"] == {"drop", "keep"} for kind in ("group", "mode"))
    assert all(ends[kind] == {"drop" if kind.startswith("not/") else "keep"} for kind in ends if kind[:3] != "try")


def test_the_ending_of_a_bail_is_all_that_witness_and_its_undetermined_twin_differ_in() -> None:
    bails = 0
    for one, other in pairs_of("witness", "witness-undetermined"):
        kinds = [each.kind for each in one.lines]
        if "chain/bail" not in kinds and "chain/last-resort" not in kinds:
            assert (one.lines, one.boxed) == (other.lines, other.boxed)
            continue
        bails += 1
        assert other.lines[:-1] == one.lines[: len(other.lines) - 1]
        assert other.lines[-1].kind == "crypt/undetermined" and other.boxed is None and one.boxed is not None
        assert "chain/bail" not in kinds or kinds.index("chain/bail") == len(other.lines) - 2
    assert bails > 30


def test_the_witness_is_all_that_witness_and_its_hidden_twin_differ_in() -> None:
    """A line for each line, with its number; drops and pins say their conclusion alone, others stay as they are."""
    bare = {"chain/drop", "chain/families", "chain/order", "chain/pins"}
    hidden = 0
    for one, other in pairs_of("witness", "witness-hidden"):
        assert (one.prompt, one.boxed) == (other.prompt, other.boxed)
        for a, b in zip(one.lines, other.lines, strict=True):
            if a.kind.startswith(("not/", "pin/")):
                hidden += 1
                assert b.kind in bare and a.text.split(" ")[0] == b.text.split(" ")[0]
                assert len(b.text) < len(a.text) or a.kind == "not/group"
                said = a.text.rpartition(" so ")[2].split(" ") if a.kind.startswith("pin/") else ()
                assert all(pair in b.text for pair in said)
            else:
                assert a == b
    assert hidden > 1000


def test_witness_names_a_rule_only_to_drop_it() -> None:
    for row in witnessed("witness", "1").values():
        assert {each.verdict for each in row.lines if each.kind.startswith("not/")} <= {"drop"}
        assert not any(each.kind.startswith(("may/", "try/")) for each in row.lines)


def test_digits_narrow_only_by_what_is_written() -> None:
    """Without the lines that narrow, later lines no longer agree with the page; and sets have more than one digit."""
    design, sizes, caught, tried = CRYPT["cryptarithm_deduce", "witness"], [], 0, 0
    for row in witnessed("witness", "1").values():
        lines = parse_completion(row.completion, design)
        sizes += [len(each.work) for each in lines if each.KIND == "not/ones"]
        kept = [each for each in lines if not each.KIND.startswith("narrow/")]
        uses = any(each.KIND in ("not/ones", "not/readings", "pin/last", "pin/reading") for each in kept)
        if len(kept) == len(lines) or not uses or any(each.KIND == "chain/case" for each in kept):
            continue
        steps = iter(range(1, len(kept) + 1))
        kept = [replace(each, step=next(steps)) if hasattr(each, "step") else each for each in kept]
        tried += 1
        caught += any("transcription" in each.failed for each in audit_lines(kept, Page.of(design.family, row.page)))
    assert tried > 3 and caught == tried
    assert sum(size > 1 for size in sizes) > 0.8 * len(sizes) > 20


def test_which_operand_a_rule_can_give_back_is_found_by_trying_all() -> None:
    """Of two operands from 10 to 99, as an output of two digits without a minus; in both reading orders."""
    pairs = [(str(x), str(y)) for x in range(10, 100) for y in range(10, 100)]
    for rule in VALUE_RULES:
        turn = -1 if rule.mode == "flip" else 1
        given = {
            side
            for x, y in pairs
            for side, operand in (("left", x), ("right", y))
            if apply(rule, x[::turn], y[::turn]) == operand[::turn]
        }
        said = returns_of(family_of(rule.name))
        assert given == {"none": set(), "either": {"left", "right"}}.get(said, {said}), rule.name


def test_an_output_that_is_an_operand_rules_families_out() -> None:
    """84!42=42 beside 36"27=63 and 24"86=110: never a sum, a product, a remainder or 42-84; every error is caught."""
    digits = dict(zip("@[&?<;{%#^", range(10), strict=True))
    glyph = {str(digit): each for each, digit in digits.items()}

    def say(text: str) -> str:
        return "".join(glyph.get(c, c) for c in text)

    told = [("84", "!", "42", "42"), ("36", '"', "27", "63"), ("24", '"', "86", "110")]
    examples = tuple(Equation(*map(say, each)) for each in told)
    row = EquationRow(examples, Equation(say("48"), '"', say("62"), ""))
    rule = {"mode": "normal", "operators": {"!": "sub", '"': "add"}}
    problem = Problem("cryptarithm_deduce", row.prompt, say("110"), rule=rule, key=digits)
    for name, word in (("witness", "not"), ("witness-balanced", "try")):
        design = CRYPT["cryptarithm_deduce", name]
        trace = render(design, problem, 0)
        drops = [each.text().split(" ", 1)[1] for each in trace.lines if each.KIND == f"{word}/ident"]
        drops = [each for each in drops if each.endswith("drop")]
        assert len(drops) == 2 and all(each.startswith(f"{word} x ") for each in drops)
        assert drops[0].endswith("returns none E1 AB BC gives BC drop") and "rsub returns left E1" in drops[1]
        row_told = Told(problem.family, problem.prompt, trace.lines, completion_of(trace), Truth.of(digits, rule))
        found = [each for each in errors([row_told], 120, random.Random(2)) if each.kind == f"{word}/ident"]
        fields = {"op", "families", "returns", "number", "left", "right", "output"}
        assert {each.field for each in found} >= (fields | {"verdict"} if word == "try" else fields)
        assert [each for each in found if not (each.caught or each.true) or each.others] == []
        kinds = {each.kind for each in audit_lines(trace.lines, Page.of(problem.family, problem.prompt)) if each.failed}
        assert kinds == set()
    hidden = render(CRYPT["cryptarithm_deduce", "witness-hidden"], problem, 0)
    assert not any("ident" in each.KIND for each in hidden.lines)
