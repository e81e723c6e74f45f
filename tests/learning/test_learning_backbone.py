"""The made backbone: skills with right answers, worksheets fixed by their number, a start that can already copy."""

import json
import random
import re

import pytest
import torch

from common.errors import LabError
from learning import skills
from learning.pretrain import Make, build, skill_accuracy
from learning.settings import check_folder
from learning.tokens import character_tokenizer
from learning.worksheets import IGNORE, Worksheets
from learning_fixtures import PHRASES, last_error, run

TOKENIZER = character_tokenizer(PHRASES, 1024)
ROMAN = dict(zip("IVXLC", (1, 5, 10, 50, 100), strict=True))


def roman_number(text: str) -> int:
    values = [ROMAN[c] for c in text]
    return sum(-v if any(w > v for w in values[i + 1 : i + 2]) else v for i, v in enumerate(values))


def test_equations_inside_answers_hold():
    """Every `left=right` with digits on both sides, in every answer of every skill, is true."""
    rng, n = random.Random(0), 0
    for _ in range(200):
        for name, question, answer in skills.lines(rng, skills.material(rng)):
            if name in (
                "copy",
                "fetch",
                "right_side",
                "decode",
                "encode",
                "letter_map",
                "reverse",
                "pair_up",
                "digits_only",
            ):
                continue
            for left, right in re.findall(r"(?<![^ ])([\d+*-]+)=(-?\d+)(?![^ =])", question + answer):
                assert eval(left) == int(right), (question, answer)
                n += 1
    assert n > 10_000


@pytest.mark.parametrize(
    ("name", "pattern", "check"),
    [
        ("add_columns", r"add (\d+) (\d+): .*?(\d+)$", lambda a, b, c: int(a) + int(b) == int(c)),
        ("subtract_columns", r"sub (\d+) (\d+): .*?(\d+)$", lambda a, b, c: int(a) - int(b) == int(c)),
        ("multiply_columns", r"mul (\d+) (\d+): .*?(\d+)$", lambda a, b, c: int(a) * int(b) == int(c)),
        ("multiply", r"mul (\d+) (\d+): .*=(\d+)$", lambda a, b, c: int(a) * int(b) == int(c)),
        ("product", r"(\d+)\*(\d+)=.*=(\d+)$", lambda a, b, c: int(a) * int(b) == int(c)),
        ("multiples", r"(\d+)\* (.*)$", lambda a, b: [int(a) * i for i in range(1, 10)] == [int(x) for x in b.split()]),
        ("digits_only", r"([\d.]+)=(\d+)$", lambda a, b: round(float(a) * 100) == int(b)),
        ("reverse", r"reverse (.+): (.+)$", lambda a, b: a == b[::-1]),
        ("copy", r"copy (.+): (.+)$", lambda a, b: a == b),
        ("compare", r"(.+) vs (.+): (\w+)$", lambda a, b, c: (a == b) == (c == "same")),
        ("order", r"(\d+)\?(\d+): (.)$", lambda a, b, c: (int(a) > int(b)) - (int(a) < int(b)) == "<=>".index(c) - 1),
        ("roman_value", r"(?:roman )?(\d+)(?: ->|:).* ([IVXLC]+)$", lambda a, b: int(a) == roman_number(b)),
    ],
)
def test_skill_answers(name, pattern, check):
    rng = random.Random(1)
    for _ in range(300):
        question, answer = skills.SKILLS[name][1](rng, skills.material(rng))
        assert check(*re.match(pattern, question + answer).groups()), (question, answer)


def test_bits():
    rng = random.Random(2)
    for _ in range(300):
        question, answer = skills.shift(rng, skills.material(rng))
        name, k, bits = re.match(r"(rol|shl|shr)(\d) (\d+): ", question).groups()
        x, k = int(bits, 2), int(k)
        wanted = {"rol": (x << k | x >> 8 - k) & 255, "shl": x << k & 255, "shr": x >> k}[name]
        assert int(answer, 2) == wanted and len(answer) == 8


def test_lookups_agree_with_the_material():
    rng, n = random.Random(3), 0
    for _ in range(300):
        page = skills.material(rng)
        text = page.text(rng)
        for skill in (skills.decode, skills.encode, skills.decode_line):
            if line := skill(rng, page):
                for pair in line[1].split(" "):
                    assert pair in text or pair[::-1] in text
                    n += 1
        if line := skills.with_operator(rng, page):
            operands, swapped = line[1].split(" ")
            assert f"{operands[:2]}{line[0][5]}{operands[2:]} = " in text and swapped == operands[2:] + operands[:2]
    assert n > 1000


def test_split_operands():
    rng = random.Random(5)
    for _ in range(100):
        question, answer = skills.split(rng, skills.material(rng))
        equation = question[6:11]
        assert answer == f"{equation[:2]}{equation[3:]} {equation[3:]}{equation[:2]}"


def test_collected_digits():
    rng = random.Random(4)
    for _ in range(300):
        question, answer = skills.collect(rng, skills.material(rng))
        shown = [pair[-1] for pair in question.split(" ")[:-2]]
        assert "".join(shown) == (answer if question.endswith("> ") else answer[::-1])


def test_worksheets_are_fixed_by_their_number():
    one = Worksheets(TOKENIZER, 200, 50, seed=5, context=1024)
    other = Worksheets(TOKENIZER, 200, 50, seed=5, context=1024)
    for i in (0, 7, 49):
        a, b = one[i], other[i]
        assert all(torch.equal(a[k], b[k]) for k in a)
        learned = a["labels"] != IGNORE
        assert torch.equal(a["labels"][learned], a["input_ids"][learned]) and 0.05 < learned.float().mean() < 0.9
        assert (a["position_ids"].diff() >= 1).all() and a["position_ids"].max() < 1024
    assert not torch.equal(one[0]["input_ids"], one[1]["input_ids"])
    assert not torch.equal(one[0]["input_ids"], Worksheets(TOKENIZER, 200, 50, seed=6, context=1024)[0]["input_ids"])


def test_structured_start_copies_before_any_training():
    g = torch.Generator().manual_seed(0)
    right = {}
    for start in ("structured", "random"):
        torch.manual_seed(0)
        model = build(Make(start=start, layers=2), len(TOKENIZER), TOKENIZER).eval()
        half = torch.randint(5, len(TOKENIZER), (16, 40), generator=g.manual_seed(0))
        ids = torch.cat([half, half], 1)
        with torch.no_grad():
            guess = model(input_ids=ids).logits.argmax(-1)
        right[start] = (guess[:, 41:-1] == ids[:, 42:]).float().mean().item()
    assert right["structured"] > 0.8 and right["random"] < 0.1


def test_skill_accuracy_of_a_model_that_knows_nothing():
    model = build(Make(start="random", layers=2), len(TOKENIZER), TOKENIZER)
    found = skill_accuracy(model, Worksheets(TOKENIZER, 256, 30, 0, 1024))
    assert set(found) <= set(skills.SKILLS) and all(row["accuracy"] < 0.9 and row["n"] > 0 for row in found.values())


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"widht": 3}, "unknown setting"),
        ({"head_size": 33}, "even size"),
        ({"start": "warm"}, "structured or random"),
        ({"layers": 0}, "not above zero"),
        ({"steps": -1}, "below zero"),
        ({"length": 512, "context": 256}, "192..256"),
    ],
)
def test_bad_settings(values, message):
    with pytest.raises(LabError, match=message):
        Make.read(values)


def test_backbone_script(tmp_path):
    """A made backbone and a local one linked from it; a source that is no model is refused."""
    make = {"width": 128, "layers": 2, "feed_forward": 32, "length": 192, "steps": 4, "batch": 2}
    out, table = tmp_path / "made", tmp_path / "made.json"
    common = ["--state", tmp_path / "state", "--threads", 1]
    done = run("backbone", "--options", json.dumps({"make": make}), "--out", out, "--skills", table, *common)
    assert done.returncode == 0, done.stderr[-2000:]
    check_folder(out)
    assert json.loads(table.read_text())["skills"]
    linked = tmp_path / "linked"
    done = run("backbone", "--options", json.dumps({"path": str(out)}), "--out", linked, "--skills", table, *common)
    assert done.returncode == 0, done.stderr[-2000:]
    check_folder(linked)
    options = json.dumps({"path": str(tmp_path / "absent")})
    done = run("backbone", "--options", options, "--out", tmp_path / "no", "--skills", table, *common)
    assert "no such backbone folder" in last_error(done) and not (tmp_path / "no").exists()
