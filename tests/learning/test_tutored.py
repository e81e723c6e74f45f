"""Decoders with a tutor: given lines, lines that go astray, and an oracle that puts lines right on one axis."""

import json
import random
from collections import Counter
from dataclasses import fields, replace
from pathlib import Path

import pytest

import sample as sample_script
from common.artifacts import read_table, write_table
from common.errors import LabError
from learning.decoders import lacking, read_decoder, resolve
from learning.decoders.base import Stream
from learning.engines import ABILITIES, Extension, Opening, Question, open_engine
from learning.settings import BackboneOptions
from learning_fixtures import save_talker
from puzzles.base import Problem, Solution, row_rng
from puzzles.registry import FAMILIES
from puzzles.tables import PUZZLES, SOLUTIONS, problem_row, solution_row
from reasoning.grammar.page import Truth
from reasoning.grammar.reveal import Reveal
from reasoning.grammar.texts import TEXTS, Row, render_row, table_row
from reasoning.grammar.trace import Box, parse_completion
from reasoning.judging.audit import audit, audit_lines
from reasoning.judging.oracle import ANSWERS, is_wrong, repaired
from reasoning.judging.planted_errors import wrong_lines
from reasoning.judging.tutor import Tutor
from reasoning.registry import DESIGNS

USUAL = {"max_tokens": 3000, "batch": 4}


def told(family: str, design: str, reveal: str = "0", n: int = 6) -> list[tuple[Row, Tutor, Problem]]:
    """Rendered rows of a design, each with its tutor."""
    found = []
    for p in FAMILIES[family].generate(row_rng(3, family), n):
        keyed = FAMILIES[family].has_key
        solution = Solution(p.answer, 1.0) if keyed else FAMILIES[family].solve(FAMILIES[family].parse(p.prompt))
        row = render_row(p.id, p, solution, DESIGNS[family, design], Reveal.parse(reveal), 0)
        if row.status == "rendered":
            found.append((row, Tutor(DESIGNS[family, design], row.prompt, Truth.of(p.key, p.rule)), p))
    return found


@pytest.fixture(scope="module")
def gravity():
    return told("gravity", "forward", n=4)


MEASURED = [("gravity", "forward", "0"), ("equation_numeric_deduce", "forward", "0"), ("cipher", "forward", "0"),
            ("cryptarithm_deduce", "derive", "10")]  # fmt: skip


@pytest.mark.parametrize(("family", "design", "reveal"), MEASURED, ids=lambda each: each)
def test_the_oracle_puts_planted_errors_right(family, design, reveal):
    """Most errors in a result or a conclusion, alone on its line: the line is again the one that was rendered, or
    another that is right; a right line is never touched."""
    rng, found = random.Random(1), Counter()
    for row, tutor, _ in told(family, design, reveal, n=4):
        page, alphabet = tutor.page(), "".join(sorted(set(row.prompt + row.completion)))
        for line in parse_completion(row.completion, tutor.design)[:40]:
            if isinstance(line, Box):
                break
            assert all(repaired(line, page, axis) is None for axis in ANSWERS[:3])
            for field in fields(line):
                role = line.roles[field.name]
                for wrong in wrong_lines(line, field.name, alphabet, rng) if role else ():
                    for axis in {"arithmetic", "verdict"} & role.first:
                        if is_wrong(wrong, page, axis):
                            right = repaired(wrong, page, axis)
                            found[axis, right is not None] += 1
                            assert right is None or not is_wrong(right, page, axis)
                            assert right is None or type(right).parse(right.text()) == right
            line.establish(page)
            page.lines_read += 1
    for axis in ("arithmetic", "verdict"):
        solved, unsolved = found[axis, True], found[axis, False]
        assert solved + unsolved == 0 or solved / (solved + unsolved) > 0.85, (axis, found)
    assert found.total() > 20


def turned(pairs):
    """The pairs, each with the second part of the next one."""
    seconds = [second for _, second in pairs]
    return tuple((first, second) for (first, _), second in zip(pairs, [*seconds[1:], seconds[0]], strict=True))


def test_the_oracle_puts_right_what_is_wrong_in_all_its_parts():
    """Every pair of a line of pairs wrong at once: that is how a weak model fails."""
    kinds, seen = ("crypt/decode", "crypt/decode-query", "crypt/encode"), Counter()
    for row, tutor, _ in told("cryptarithm_deduce", "derive", "10", n=12):
        page = tutor.page()
        for line in parse_completion(row.completion, tutor.design):
            if line.KIND in kinds:
                fields = ("operands", "outputs") if line.KIND == "crypt/decode" else ("pairs",)
                wrong = replace(line, **{name: turned(getattr(line, name)) for name in fields})
                if is_wrong(wrong, page, "transcription"):
                    assert repaired(wrong, page, "transcription") == line
                    seen[line.KIND] += 1
            line.establish(page)
            page.lines_read += 1
    assert min(seen[kind] for kind in kinds) > 2


@pytest.mark.parametrize(
    ("design", "reveal", "kinds"),
    [("search", "10", ("crypt/counts", "crypt/row")), ("search", "5", ("crypt/counts", "crypt/row")),
     ("derive-search", "5", ("crypt/counts", "crypt/row-step"))],
)  # fmt: skip
def test_the_oracle_knows_the_next_candidate_of_a_search(design, reveal, kinds):
    """Lines of a search in which all that is computed is another line's: where the page has it computed, it is that."""
    rows, seen = told("cryptarithm_deduce", design, reveal, n=16), Counter()
    lines = [line for row, tutor, _ in rows for line in parse_completion(row.completion, tutor.design)]
    for row, tutor, _ in rows:
        page = tutor.page()
        for line in parse_completion(row.completion, tutor.design):
            for wrong in [other for other in lines if other.KIND == line.KIND in kinds][:12]:
                if is_wrong(wrong, page, "arithmetic"):
                    right = repaired(wrong, page, "arithmetic")
                    assert right is not None and not is_wrong(right, page, "arithmetic")
                    assert is_wrong(wrong, page, "verdict") or not is_wrong(right, page, "verdict")
                    own = replace(right, verdict=line.verdict) if line.OUTCOMES else right
                    seen[line.KIND, own == line] += 1
            line.establish(page)
            page.lines_read += 1
    own, others = ([seen[kind, same] for kind in kinds] for same in (True, False))
    assert min(own) > 20 and sum(others) < 0.05 * sum(own), seen  # counted or computed: both may be


def test_the_oracle_takes_the_branch_that_the_row_hides():
    """A false guess becomes a true one, a false claim a true one; without the truth nothing is known."""
    found = Counter()
    for row, tutor, _ in told("cryptarithm_deduce", "witness", n=12):
        page, unknown = tutor.page(), Tutor(tutor.design, row.prompt, None).page()
        for line in parse_completion(row.completion, tutor.design):
            if is_wrong(line, page, "branch"):
                right = repaired(line, page, "branch")
                found[right is not None] += 1
                assert right is None or not is_wrong(right, page, "branch")
            assert not is_wrong(line, unknown, "branch")
            line.establish(page), line.establish(unknown)
    assert found[True] > 0, found


class Writer:
    """An engine of characters that writes its text whatever stands before, from the line that comes next."""

    together, window, breaks = 0, 10**6, frozenset({10})

    def __init__(self, texts: dict[str, str]):
        self.texts, self.written = texts, 0

    def begin(self, question: Question, written: str = "") -> list[int]:
        self.names = getattr(self, "names", []) + [question.id] * (question.id not in getattr(self, "names", []))
        return [self.names.index(question.id), *map(ord, written)]

    def text(self, tokens) -> str:
        return "".join(map(chr, tokens))

    def extend(self, requests, *, temperature=0.0, stop=frozenset(), keep=False):
        number = 0
        while number < len(requests):
            name, *before = requests[number].beginning
            lines = self.texts[self.names[name]].split("\n")
            text = "\n".join(lines[self.text(before).count("\n") :])
            made = Extension(number, finish="stop")
            for c in text[: requests[number].budget]:
                made.tokens.append(ord(c))
                if ord(c) in stop:
                    made.finish = "pause"
                    break
            made.tokens += [0] if made.finish == "stop" else []
            made.logprobs = [-0.1] * len(made.tokens)
            self.written += len(made.tokens)
            yield made
            number += 1


def completed(entry: dict, asked: list[tuple[Row, Tutor]], texts: list[str]) -> tuple[list[dict], Writer]:
    engine = Writer({row.id: text for (row, _), text in zip(asked, texts, strict=True)})
    questions = [Question(row.id, tutor.design.family, row.prompt, row.completion, tutor) for row, tutor in asked]
    streams = [Stream(i, 0, each, engine.begin(each)) for i, each in enumerate(questions)]
    (found,) = read_decoder(USUAL | entry).decode(engine, streams, 1)
    return sorted(found, key=lambda each: each["row"]), engine


def spoiled(row: Row, tutor: Tutor, axis: str, rng: random.Random, spared: str = "") -> tuple[str, int]:
    """A completion with an error on this axis and no other in one line, and the number of that line. spared: an axis on
    which no later line fails for it."""
    page, lines = tutor.page(), parse_completion(row.completion, tutor.design)
    sites = []
    for number, line in enumerate(lines[:-1]):
        for field in fields(line):
            role = line.roles[field.name]
            if role and role.first == {axis}:
                for wrong in wrong_lines(line, field.name, row.completion, rng):
                    if [each for each in ANSWERS if is_wrong(wrong, page, each)] == [axis]:
                        right = repaired(wrong, page, axis)
                        sites += [(number, wrong)] if right == line else []
        line.establish(page)
        page.lines_read += 1
    rng.shuffle(sites)
    for number, wrong in sites:
        checked = audit_lines([*lines[:number], wrong, *lines[number + 1 :]], tutor.page())
        if not any(spared in line.failed for line in checked):
            texts = row.completion.split("\n")
            texts[number + 1] = wrong.text()
            return "\n".join(texts), number + 1
    raise AssertionError(f"no line of {row.id} fails on {axis} and not on {spared}")


def test_the_oracle_answers_on_its_own_axis_only(gravity):
    asked = [(row, tutor) for row, tutor, _ in gravity]
    rng = random.Random(2)
    for axis, other in (("arithmetic", "verdict"), ("transcription", "arithmetic")):
        texts = [spoiled(row, tutor, axis, rng, other)[0] for row, tutor in asked]
        found, engine = completed({"kind": "oracle", "answers": [axis]}, asked, texts)
        assert [each["text"].rstrip("\0") for each in found] == [row.completion for row, _ in asked]
        assert all(each["notes"]["corrected"] == 1 and each["notes"]["unsolved"] == 0 for each in found)
        assert sum(each["n_decoded"] for each in found) == engine.written
        found, _ = completed({"kind": "oracle", "answers": [other]}, asked, texts)
        assert [each["text"].rstrip("\0") for each in found] == texts
        assert all(each["notes"]["corrected"] == 0 for each in found)


def test_the_model_s_own_rule_is_applied_well(gravity):
    """From the query on lines are put right against the lines before, and an error before it stays, with all that
    follows from it."""
    entry = {"kind": "applied", "answers": ["transcription", "arithmetic", "verdict"], "since": "proportion/multiply"}
    asked, rng, seen = [(row, tutor) for row, tutor, _ in gravity], random.Random(5), Counter()
    for row, tutor in asked * 6:
        text, number = spoiled(row, tutor, "arithmetic", rng)
        since = next(i for i, line in enumerate(row.lines, 1) if line.kind == "proportion/multiply")
        ((found,), _) = completed(entry, [(row, tutor)], [text])
        mine = found["text"].rstrip("\0").split("\n")
        seen[number >= since] += 1
        if number >= since:
            assert mine == row.completion.split("\n") and found["notes"]["corrected"] == 1
        else:
            assert mine[:since] == text.split("\n")[:since] != row.completion.split("\n")[:since]
    assert min(seen[True], seen[False]) > 1


class Turns(dict):
    """Texts of which each is written once, the last one ever again."""

    def __getitem__(self, name: str) -> str:
        texts = super().__getitem__(name)
        return texts.pop(0) if len(texts) > 1 else texts[0]


class Silent(Writer):
    """Its end of a turn is no part of a text, as with the engines."""

    def text(self, tokens) -> str:
        return super().text(tokens).rstrip("\0")


def test_a_thought_is_drawn_again_from_its_first_fault(gravity):
    """Lines before it stay, later ones are new; every draw counts, and the last one stands, with a fault or without."""
    asked, rng = [(row, tutor) for row, tutor, _ in gravity], random.Random(3)
    spoilt = [spoiled(row, tutor, "arithmetic", rng) for row, tutor in asked]
    entry = {"kind": "refine", "rounds": 2, "temperature": 0.8, "seed": 1}
    questions = [Question(row.id, "gravity", row.prompt, row.completion, tutor) for row, tutor in asked]
    for helped in (True, False):
        texts = {
            row.id: [text, row.completion][: 1 + helped] for (row, _), (text, _) in zip(asked, spoilt, strict=True)
        }
        engine = Silent(Turns(texts))
        streams = [Stream(i, 0, each, engine.begin(each)) for i, each in enumerate(questions)]
        (found,) = read_decoder(USUAL | entry).decode(engine, streams, 1)
        for each in found:
            (row, tutor), (text, number) = asked[each["row"]], spoilt[each["row"]]
            assert tutor.fault(text) == number and tutor.fault(row.completion) is None
            if helped:
                assert each["text"] == row.completion and each["notes"] == {"redrawn": 1, "faulty": 0}
                again = "\n".join(row.completion.split("\n")[number:])
                assert each["n_decoded"] == len(text) + 1 + len(again) + 1
            else:
                assert each["text"] == text and each["notes"] == {"redrawn": 2, "faulty": 1}


def test_given_lines(gravity):
    """All of the lines and a model that only closes and boxes: the answer; a share of them: that many."""
    asked = [(row, tutor) for row, tutor, _ in gravity]
    whole = [row.completion for row, _ in asked]
    for share in (0.0, 0.25, 0.5, 1.0):
        entry = {"kind": "forced", "share": share, "wrong": False, "seed": 1}
        found, engine = completed(entry, asked, whole)
        assert [each["text"].rstrip("\0") for each in found] == whole
        for each, (row, _) in zip(found, asked, strict=True):
            n = len(row.lines)
            assert each["notes"] == {"lines": n, "given": round(share * n)}
            ahead = sum(len(line.text) + 1 for line in row.lines[: round(share * n)])
            assert each["n_tokens"] - each["n_decoded"] == (ahead + len("<think>\n") if ahead else 0)
        assert sum(each["n_decoded"] for each in found) == engine.written


def test_lines_that_go_astray(gravity):
    """The last given line is the first that the audit marks, and the same again with the same seed."""
    asked = [(row, tutor) for row, tutor, _ in gravity]
    entry = {"kind": "forced", "share": 0.5, "wrong": True, "seed": 1}
    found, _ = completed(entry, asked, [row.completion for row, _ in asked])
    for each, (row, tutor) in zip(found, asked, strict=True):
        given = each["notes"]["given"]
        assert 0 < given <= round(0.5 * len(row.lines))
        lines, mine = row.completion.split("\n"), each["text"].rstrip("\0").split("\n")
        assert mine[:given] == lines[:given] and mine[given] != lines[given] and mine[given + 1 :] == lines[given + 1 :]
        checked = audit(each["text"].rstrip("\0"), row.prompt, tutor.design, tutor.truth)
        assert next(line.line for line in checked if line.first_failure) == given - 1
    assert completed(entry, asked, [row.completion for row, _ in asked])[0] == found


def test_a_row_without_a_text_is_decoded_from_the_start(gravity):
    row, tutor, _ = gravity[0]
    engine = Writer({"x": "<think>\n</think>"})
    question = Question("x", "gravity", row.prompt, "", tutor)
    for wrong in (False, True):
        decoder = read_decoder(USUAL | {"kind": "forced", "share": 0.5, "wrong": wrong, "seed": 1})
        ((found,),) = decoder.decode(engine, [Stream(0, 0, question, engine.begin(question))], 1)
        assert found["text"] == "<think>\n</think>\0" and found["notes"] == {"lines": 0, "given": 0}


class Rewriter:
    """A tutor that replaces every second line."""

    def listener(self, answers):
        return self

    corrected = unsolved = n = 0

    def heard(self, raw: str) -> str:
        Rewriter.n += 1
        return f"{raw[: len(raw) // 2]}+7" if Rewriter.n % 2 else raw


def test_a_model_goes_on_from_the_corrected_line(tmp_path):
    """The engine that crops what it has kept against the one that reads everything again."""
    backbone = str(save_talker(tmp_path / "backbone"))
    found = {}
    for name in ("slots", "generate"):
        engine = open_engine(Opening(backbone, None, BackboneOptions(engine=name), 4))
        engine.__dict__["breaks"] = frozenset(engine.tokenizer.encode("e7Q\n"))  # it seldom writes a line break
        asked = [Question(str(i), "sums", f"Add: {i}", "", Rewriter()) for i in range(3)]
        Rewriter.n = 0
        found[name] = []
        for i, question in enumerate(asked):  # one by one, so that both engines ask the tutor in the same order
            stream = Stream(i, 0, question, engine.begin(question))
            decoder = read_decoder({"kind": "oracle", "answers": ["verdict"], "max_tokens": 60, "batch": 4})
            found[name] += [record for part in decoder.decode(engine, [stream], 1) for record in part]
    assert found["slots"] == found["generate"]


def test_the_script_makes_tutors_of_the_puzzles(tmp_path, gravity, monkeypatch):
    design, solved = DESIGNS["gravity", "forward"], [Solution(p.answer, 1.0) for *_, p in gravity]
    write_table(tmp_path / "texts.parquet", [table_row(row, design, Reveal()) for row, *_ in gravity], TEXTS)
    write_table(tmp_path / "puzzles.parquet", [problem_row(p, "test") for *_, p in gravity], PUZZLES)
    answers = [solution_row(p.id, "gravity", s) for (*_, p), s in zip(gravity, solved, strict=True)]
    write_table(tmp_path / "solutions.parquet", answers, SOLUTIONS)
    save_talker(tmp_path / "backbone", context=2048)
    words = [
        "--threads",
        "1",
        "--texts",
        "texts.parquet",
        "--backbone",
        "backbone",
        "--state",
        "state",
        "--out",
        "out.parquet",
    ]
    entry = {"kind": "forced", "share": 1.0, "wrong": False, "seed": 1, "max_tokens": 1500, "batch": 4}
    monkeypatch.chdir(tmp_path)
    for more in ([], ["--puzzles", "puzzles.parquet", "--solutions", "solutions.parquet"]):
        monkeypatch.setattr("sys.argv", ["sample.py", *words, *more, "--decoder", json.dumps(entry)])
        if not more:
            with pytest.raises(LabError, match="field --puzzles: the decoder needs the puzzles of the rows"):
                sample_script.main()
        else:
            sample_script.main()
    for made, (row, *_) in zip(read_table(Path("out.parquet")).to_pylist(), gravity, strict=True):
        assert made["text"].startswith(row.completion.partition("\n</think>")[0] + "\n")
        assert json.loads(made["notes"]) == {"given": len(row.lines), "lines": len(row.lines)}


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"kind": "forced", "share": 1.5, "wrong": False, "seed": 1}, "x.share: 1.5 is not a share from 0 to 1"),
        ({"kind": "forced", "share": 0.0, "wrong": True, "seed": 1}, "x.share: 0.0 is not above 0 where a line is to"),
        (
            {"kind": "oracle", "answers": []},
            "x.answers: [] is not a list of transcription, arithmetic, verdict, branch",
        ),
        ({"kind": "oracle", "answers": ["sums"]}, "x.answers: ['sums'] is not a list of transcription"),
        ({"kind": "applied", "answers": ["verdict"], "since": ""}, "x.since: expected a part of the name of a kind"),
        ({"kind": "applied", "answers": ["verdict"], "since": "("}, "x.since: not a regular expression"),
        ({"kind": "applied", "answers": ["branch"], "since": "query"}, "x.answers: what a row hides is no application"),
        ({"kind": "refine", "rounds": 0, "temperature": 0.8, "seed": 1}, "x.rounds: 0 is not at least 1"),
        ({"kind": "oracle", "answers": "verdict"}, "x.answers: 'verdict' is not a list of texts"),
    ],
)
def test_entries_that_cannot_be(entry, message):
    with pytest.raises(LabError) as caught:
        resolve({"x": entry}, USUAL, "d.yaml")
    assert str(caught.value).startswith(f"d.yaml: field {message}")


def test_servers_cannot_be_tutored():
    entries = resolve({"x": {"kind": "oracle", "answers": ["verdict"]}}, USUAL)
    assert [name for name in ABILITIES if lacking("x", entries, name)] == ["endpoint", "baseline"]
