"""The screens: a toy design with the defects planted, a sound one without, and every forward design measured."""

import json
import math
import random
from pathlib import Path

import pytest
from test_forward_designs import FORWARD, solved

import forked
from common.artifacts import read_table, write_table
from puzzles.base import Solution
from puzzles.numeral import generate
from puzzles.registry import FAMILIES
from puzzles.tables import PUZZLES, problem_row
from reasoning.grammar.lines import FAILED, SEEN, Line, line
from reasoning.grammar.page import Truth
from reasoning.grammar.reveal import Reveal
from reasoning.grammar.texts import RENDERED, TEXTS, render_row, table_row
from reasoning.grammar.trace import Design
from reasoning.judging.screens import conditional_entropy, entropy, screen
from reasoning.registry import DESIGNS

SCRIPTS = Path(__file__).resolve().parents[2] / "workflow_scripts"


@line
class Sound(Line):
    KIND = "sound"
    TEXT = "{number} {verdict}"
    OUTCOMES = {"odd": SEEN, "even": SEEN}
    FORCED_BY = "the last digit"
    ROLES = "number:TV"
    number: int
    verdict: str

    def transcription(self, page):
        return self.number == page.parsed.query

    def verdict_follows(self, page):
        return (self.verdict == "odd") == bool(self.number % 2)


@line
class Fixed(Line):
    KIND = "fixed"
    TEXT = "no {number} {verdict}"
    OUTCOMES = {"refuted": FAILED}
    FORCED_BY = "nothing"
    ROLES = "number:T"
    number: int
    verdict: str

    def transcription(self, page):
        return True


@line
class Asserted(Line):
    KIND = "asserted"
    TEXT = "it is {number}"
    ROLES = "number:-"
    number: int


@line
class Bet(Line):
    KIND = "bet"
    TEXT = "bet {verdict}"
    OUTCOMES = {"left": SEEN, "right": SEEN}
    FORCED_BY = "nothing"
    verdict: str


TOY = Design("toy", "numeral", (Sound, Fixed, Asserted, Bet), render=None)


def toy_rows(n: int = 400) -> list[dict]:
    rng = random.Random(1)
    rows = []
    for problem in generate(rng, n):
        query = int(problem.prompt.split("number ")[1].split(" ")[0])
        lines = [Sound(query, "odd" if query % 2 else "even"), Fixed(query, "refuted"), Asserted(123456)]
        lines += [Bet(rng.choice(list(Bet.OUTCOMES)))] * rng.choice((1, 2))
        body = "\n".join(each.text() for each in lines)
        text = f"<think>\n{body}\n</think>\n\\boxed{{I}}"
        rows.append({"prompt": problem.prompt, "completion": text, "answer": "I", "status": RENDERED})
    return [*rows, {"prompt": "", "completion": "", "answer": "I", "status": "too hard"}]


def test_planted_defects_show_as_numbers_and_flags():
    whole, sound, fixed, asserted, bet = screen(toy_rows(), TOY)
    assert whole["kind"] == "" and whole["n_rows"] == 401 and whole["share_rendered"] == 400 / 401
    assert json.loads(whole["coverage"]) == {"written": 0.0}
    assert sound["flags"] == "" and sound["verdict_bits"] > 0.9
    assert sound["verdict_free"] == 0.0 and sound["verdict_given_line"] == 0.0 and sound["unwitnessed"] == 0.0
    assert sound["verdict_given_stump"] > 0.9  # no one feature tells odd from even
    assert fixed["flags"] == "one possible outcome" and fixed["verdict_bits"] == 0.0
    assert asserted["unwitnessed"] == 1.0 and asserted["unchecked"] == 1.0
    assert "unwitnessed" in asserted["flags"] and "unchecked" in asserted["flags"]
    assert bet["verdict_free"] == 1.0 and bet["verdict_given_line"] > 0.9 and "not forced" in bet["flags"]
    assert fixed["verdict_given_stump"] == 0.0 and bet["verdict_given_stump"] > 0.7
    # the second bet comes on a coin's toss, everything else in a fixed order
    assert sound["branching"] == fixed["branching"] == asserted["branching"] == 0.0
    assert "fixed: one possible outcome" in whole["flags"]


def test_fetch_distance_is_counted_back_to_the_nearest_place():
    rows = toy_rows(1)
    row = {**rows[0], "completion": "<think>\nit is 777777\nit is 777777\n</think>"}
    asserted = screen([row], TOY)[3]
    assert asserted["fetch_max"] == len("777777\n") and asserted["unwitnessed"] == 0.5


def screens_of(name: str, n: int = 60, family: str = "cryptarithm_deduce") -> dict[str, dict]:
    """The screens of a design at no digit shown, by kind."""
    design, rows = DESIGNS[family, name], []
    for problem in FAMILIES[family].generate(random.Random(4), n):
        row = table_row(render_row(problem.id, problem, Solution(None), design, Reveal(), 0), design, Reveal())
        rows.append({**row, "truth": Truth.of(problem.key, problem.rule)})
    return {row["kind"]: row for row in screen(rows, design)}


@line
class OnLine(Line):
    """A value against a bound that is printed on the line."""

    KIND = "on-line"
    TEXT = "{number} of {bound} {verdict}"
    OUTCOMES = {"small": SEEN, "large": SEEN}
    FORCED_BY = "the bound on the line"
    ROLES = "number:V bound:V"
    number: int
    bound: int
    verdict: str

    def verdict_follows(self, page):
        return (self.verdict == "large") == (self.number >= self.bound)


@line
class OnPage(Line):
    """A value against the query, which the line does not print."""

    KIND = "on-page"
    TEXT = "{number} is {verdict}"
    OUTCOMES = {"small": SEEN, "large": SEEN}
    FORCED_BY = "the query"
    ROLES = "number:V"
    number: int
    verdict: str

    def verdict_follows(self, page):
        return (self.verdict == "large") == (self.number >= page.parsed.query)


@line
class ByTurn(Line):
    """A true comparison whose outcomes come in a fixed order."""

    KIND = "by-turn"
    TEXT = "{number} against {bound} {verdict}"
    OUTCOMES = {"no": FAILED, "match": SEEN}
    FORCED_BY = "the two numbers"
    ROLES = "number:V bound:V"
    number: int
    bound: int
    verdict: str

    def verdict_follows(self, page):
        return (self.verdict == "match") == (self.number == self.bound)


def made_rows(make, n: int = 300) -> list[dict]:
    """Numeral rows whose thoughts `make(rng, query)` writes."""
    rng, rows = random.Random(3), []
    for problem in generate(rng, n):
        query = int(problem.prompt.split("number ")[1].split(" ")[0])
        body = "\n".join(each.text() for each in make(rng, query))
        text = f"<think>\n{body}\n</think>\n\\boxed{{{problem.answer}}}"
        rows.append({"prompt": problem.prompt, "completion": text, "answer": problem.answer, "status": RENDERED})
    return rows


def test_what_the_line_and_what_the_page_tells_of_a_verdict_are_told_apart():
    def compared(rng, query):
        number, bound = rng.randrange(100), rng.randrange(100)
        return [
            OnLine(number, bound, "large" if number >= bound else "small"),
            OnPage(number, "large" if number >= query else "small"),
        ]

    _, on_line, on_page = screen(made_rows(compared), Design("toy", "numeral", (OnLine, OnPage), render=None))
    assert on_line["verdict_given_line"] == 0.0 and on_page["verdict_given_line"] > 0.3
    assert on_line["verdict_free"] == on_page["verdict_free"] == 0.0


def test_outcomes_in_a_fixed_order_leave_nothing_to_the_evidence():
    def turns(rng, query):
        bound = rng.randrange(100)
        return [ByTurn(bound + 1, bound, "no"), ByTurn(bound + 2, bound, "no"), ByTurn(bound, bound, "match")]

    def drawn(rng, query):
        bounds = [rng.randrange(100) for _ in range(3)]
        hits = [rng.random() < 0.5 for _ in range(3)]
        return [ByTurn(b if h else b + 1, b, "match" if h else "no") for b, h in zip(bounds, hits, strict=True)]

    design = Design("toy", "numeral", (ByTurn,), render=None)
    fixed, free = screen(made_rows(turns), design)[1], screen(made_rows(drawn), design)[1]
    assert fixed["verdict_given_stump"] < 0.05 and free["verdict_given_stump"] > 0.9
    assert fixed["verdict_given_line"] == free["verdict_given_line"] == 0.0


def test_bare_claims_unsaid_premises_and_lucky_picks_are_unwitnessed():
    """r7 claims, r8 prints sets that no line narrowed, the shortcut and tail-noL take the right row at once; the search
    that shows its failures, and derive, do not. What stands on such lines is not covered."""
    found = {name: screens_of(name) for name in ("forced-chain", "witness", "shortcut", "tail-noL", "search", "derive")}
    share = {name: rows[""]["unwitnessed"] for name, rows in found.items()}
    assert share["search"] == share["derive"] == 0.0
    assert share["forced-chain"] > 0.3 and share["witness"] > 0.03
    assert found["shortcut"]["crypt/row"]["unwitnessed"] > 0.2 < found["tail-noL"]["crypt/row"]["unwitnessed"]
    assert found["search"]["crypt/row"]["unwitnessed"] == found["search"][""]["bare_digits"] == 0.0
    assert found["forced-chain"][""]["bare_digits"] > 0.9 and found["shortcut"][""]["bare_digits"] > 0.2
    assert found["forced-chain"]["chain/drop"]["verdict_given_line"] > 0.1
    written = {name: json.loads(rows[""]["coverage"])["written"] for name, rows in found.items()}
    assert written["forced-chain"] < 0.25 and written["shortcut"] < written["search"] - 0.1
    # digits that are only claimed let forward steps reach no further than the prompt does; derive has none at no digit
    full = {name: json.loads(rows[""]["coverage"])["full/open"] for name, rows in found.items()}
    assert full["forced-chain"] <= full["derive"] + 0.02 and full["search"] > full["derive"]


def test_entropies():
    assert entropy([5, 5]) == 1.0 and entropy([]) == 0.0 and entropy([7, 0]) == 0.0
    pairs = [(1, "a"), (1, "b"), (2, "a"), (2, "a"), (3, "b")]
    assert conditional_entropy(pairs, least=2) == (0.5, 4)
    assert conditional_entropy(pairs, least=3) == (None, 0)
    assert math.isclose(conditional_entropy(pairs)[0], 0.4)


@pytest.mark.parametrize("family", FORWARD)
def test_forward_designs_have_no_lookahead_and_two_outcomes_per_verdict(family: str):
    design = DESIGNS[family, "forward"]
    rows = [
        table_row(render_row(problem.id, problem, solution, design, Reveal(), 0), design, Reveal())
        for problem, _, solution in solved(family)
    ]
    whole, *kinds = screen(rows, design)
    print({name: whole[name] for name in ("share_rendered", "chars_mean", "fetch_mean", "branching", "flags")})
    for kind in kinds:
        assert "outcome" not in kind["flags"], kind
        assert "unwitnessed" not in kind["flags"] or kind["kind"] == "equation/bet", kind  # which says that it guesses
        assert kind["verdict_free"] in (None, 0.0), kind


def test_script(tmp_path: Path):
    design = DESIGNS["numeral", "forward"]
    found = solved("numeral")[:20]
    rows = [table_row(render_row(p.id, p, s, design, Reveal(), 0), design, Reveal()) for p, _, s in found]
    write_table(tmp_path / "t.parquet", rows, TEXTS)
    write_table(tmp_path / "p.parquet", [problem_row(p, "train") for p, _, _ in found], PUZZLES)
    command = [SCRIPTS / "screen.py", "--texts", "t.parquet", "--puzzles", "p.parquet"]
    forked.run(*command, "--out", "o.parquet", cwd=tmp_path, check=True)
    whole, take = read_table(tmp_path / "o.parquet").to_pylist()
    assert json.loads(whole["coverage"]) == {"written": 1.0} and take["kind"] == "numeral/take"
    write_table(tmp_path / "p.parquet", [problem_row(solved("numeral")[25][0], "train")], PUZZLES)
    done = forked.run(*command, "--out", "no.parquet", cwd=tmp_path)
    assert done.returncode == 1 and "no puzzle" in done.stderr


def test_an_answer_that_no_line_arrives_at_is_not_written():
    for family, name, share in (("cryptarithm_deduce", "answer-only", 0.0), ("numeral", "forward", 1.0)):
        assert json.loads(screens_of(name, 20, family)[""]["coverage"])["written"] == share


@pytest.mark.parametrize(
    ("family", "recalls", "least", "most"),
    [
        ("bit_manipulation", "which rule to try", 1.0, 1.0),
        ("equation_numeric_guess", "which rule is most frequent", 1.0, 1.0),
        ("cipher", "the words of a length", 0.3, 0.9),
        ("equation_numeric_deduce", "", 0.0, 0.0),
        ("gravity", "", 0.0, 0.0),
    ],
)
def test_a_forward_design_says_what_it_recalls(family, recalls, least, most):
    design, rows = DESIGNS[family, "forward"], []
    for problem, _, solution in solved(family)[:60]:
        row = render_row(problem.id, problem, solution, design, Reveal(), 17)
        rows.append(table_row(row, design, Reveal()))
    whole = screen(rows, design)[0]
    assert whole["recalls"] == recalls and least <= whole["recalled"] <= most
