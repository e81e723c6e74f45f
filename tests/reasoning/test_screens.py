"""The screens: a toy design with the defects planted, a sound one without, and every forward design measured."""

import json
import math
import random
import subprocess
import sys
from pathlib import Path

import pytest
from test_forward_designs import FORWARD, solved

from common.artifacts import read_table, write_table
from puzzles.numeral import generate
from reasoning.grammar.lines import FAILED, SEEN, Line, line
from reasoning.grammar.reveal import Reveal
from reasoning.grammar.texts import RENDERED, TEXTS, render_row, table_row
from reasoning.grammar.trace import Design
from reasoning.judging.screens import conditional_entropy, coverage, entropy, screen
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
    whole, sound, fixed, asserted, bet = screen(toy_rows(), TOY, ['{"units":true}', '{"units":false}'])
    assert whole["kind"] == "" and whole["n_rows"] == 401 and whole["share_rendered"] == 400 / 401
    assert json.loads(whole["coverage"]) == {"units": 0.5}
    assert sound["flags"] == "" and sound["verdict_bits"] > 0.9
    assert sound["verdict_free"] == 0.0 and sound["verdict_given_line"] == 0.0 and sound["unwitnessed"] == 0.0
    assert fixed["flags"] == "one possible outcome" and fixed["verdict_bits"] == 0.0
    assert asserted["unwitnessed"] == 1.0 and asserted["unchecked"] == 1.0
    assert "unwitnessed" in asserted["flags"] and "unchecked" in asserted["flags"]
    assert bet["verdict_free"] == 1.0 and bet["verdict_given_line"] > 0.9 and "not forced" in bet["flags"]
    # the second bet comes on a coin's toss, everything else in a fixed order
    assert sound["branching"] == fixed["branching"] == asserted["branching"] == 0.0
    assert "fixed: one possible outcome" in whole["flags"]


def test_fetch_distance_is_counted_back_to_the_nearest_place():
    rows = toy_rows(1)
    row = {**rows[0], "completion": "<think>\nit is 777777\nit is 777777\n</think>"}
    asserted = screen([row], TOY)[3]
    assert asserted["fetch_max"] == len("777777\n") and asserted["unwitnessed"] == 0.5


def test_entropies():
    assert entropy([5, 5]) == 1.0 and entropy([]) == 0.0 and entropy([7, 0]) == 0.0
    pairs = [(1, "a"), (1, "b"), (2, "a"), (2, "a"), (3, "b")]
    assert conditional_entropy(pairs, least=2) == (0.5, 4)
    assert conditional_entropy(pairs, least=3) == (None, 0)
    assert math.isclose(conditional_entropy(pairs)[0], 0.4)
    assert coverage([]) == "{}"


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
        assert "outcome" not in kind["flags"] and "unwitnessed" not in kind["flags"], kind
        assert kind["verdict_free"] in (None, 0.0), kind


def test_script(tmp_path: Path):
    design = DESIGNS["numeral", "forward"]
    found = solved("numeral")[:20]
    rows = [table_row(render_row(p.id, p, s, design, Reveal(), 0), design, Reveal()) for p, _, s in found]
    write_table(tmp_path / "t.parquet", rows, TEXTS)
    write_table(tmp_path / "s.parquet", [{"id": p.id, "closure": '{"full":true}'} for p, _, _ in found])
    command = [sys.executable, SCRIPTS / "screen.py", "--texts", "t.parquet", "--solutions", "s.parquet"]
    subprocess.run([*command, "--out", "o.parquet"], cwd=tmp_path, check=True, capture_output=True)
    whole, take = read_table(tmp_path / "o.parquet").to_pylist()
    assert json.loads(whole["coverage"]) == {"full": 1.0} and take["kind"] == "numeral/take"
    write_table(tmp_path / "s.parquet", [{"id": "other", "closure": "{}"}])
    done = subprocess.run([*command, "--out", "no.parquet"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1 and "no solution of" in done.stderr
