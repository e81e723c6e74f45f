"""The skills of the made backbone: every answer right, in notations that are no design's."""

import random
import re
from collections import Counter
from itertools import product

import pytest

from learning.backbone.material import material
from learning.backbone.notation import CLOSE, OPEN, Notation, marked, pieces, plain
from learning.backbone.skills import SKILLS
from learning.backbone.worksheets import NAMES, sheet
from puzzles.registry import FAMILIES
from reasoning.registry import DESIGNS

EVEN = dict.fromkeys(NAMES, 1.0)
ROMAN = dict(zip("IVXLC", (1, 5, 10, 50, 100), strict=True))


def notation(turn: bool, style: int) -> Notation:
    """One fixed notation: `w a b: x=y z`."""
    signs = {"pair": "=", "gap": " ", "equals": "=", "plus": "+", "minus": "-", "times": "*", "yes": "yes", "no": "no"}
    signs = {name: marked(sign) for name, sign in signs.items()}
    order = tuple(map(marked, "<=>"))
    return Notation(
        word="w", after=False, ask=": ", between=" ", order=order, turn=turn, style=style, **signs
    )  # fmt: skip


def drawn(name: str, n: int = 150):
    """(page, turn, style, question without the word, answer) of a skill, in every way of showing it."""
    rng, needs = random.Random(name), SKILLS[name].needs
    for turn, style in product((False, True), range(4)):
        found = 0
        for _ in range(20 * n):
            page = material(rng, 120, {needs} if needs else set())
            if task := SKILLS[name].draw(rng, page, notation(turn, style)):
                assert task[0].startswith("w ") and task[0].endswith(": ") and OPEN not in task[0]
                yield page, turn, style, task[0][2:-2], plain(task[1])
                if (found := found + 1) == n // 8 + 1:
                    break
        assert found > n // 8, (name, turn, style)


def rows(page) -> list[tuple[str, str]]:
    return [row for block in page.blocks for row in block.rows]


def pairs(text: str) -> list[tuple[str, str]]:
    """`a=b c=d` where a, b may be any one character."""
    return [(text[i], text[i + 2]) for i in range(0, len(text), 4)]


def roman_number(text: str) -> int:
    values = [ROMAN[c] for c in text]
    return sum(-v if any(w > v for w in values[i + 1 : i + 2]) else v for i, v in enumerate(values))


def equations_hold(text: str) -> int:
    """How many `1+2=3` the text has; each must be true."""
    found = re.findall(r"(?<![^ ])(\d+(?:[-+*]\d+)+)=(-?\d+)(?![^ ])", text)
    for left, right in found:
        assert eval(re.sub(r"\b0+(?=\d)", "", left)) == int(right), text
    return len(found)


def ints(text: str) -> list[int]:
    return [int(x) for x in re.findall(r"\d+", text)]


def same(question: str) -> str:
    a, b = question.split(" ")
    return "yes" if a == b else "no"


def gate(question: str) -> str:
    parts = question.split(" ")
    name = next(p for p in parts if p.isalpha())
    a, *b = (int(p, 2) for p in parts if not p.isalpha())
    b = b[0] if b else 0
    known = {"NOT": 255 - a, "XOR": a ^ b, "AND": a & b, "OR": a | b, "XNOR": 255 - (a ^ b), "NAND": 255 - (a & b)}
    return f"{known[name]:08b}"


def shifted(question: str) -> str:
    (k, name), bits = sorted(question.split(" ")[:2]), question.split(" ")[2]
    if name.isdigit():
        k, name = name, k
    k, x = int(k), int(bits, 2)
    turns, left = ("<<<", "roll", "circle", "ROT"), ("<<", "left", "up", "LSH")
    value = (x << k | x >> 8 - k) if name in turns else x << k if name in left else x >> k
    return f"{value & 255:08b}"


def with_sign(page, sign: str) -> list[tuple[str, str]]:
    found = [row for block in page.of("glyphs", "numbers") for row in block.rows]
    return [row for row in found if len(row[0]) == 5 and row[0][2] == sign]


def placed(question: str, turn: bool) -> float:
    number, *k = question.split(" ")
    return int(number) / 10 ** (2 if turn else int(k[0]))


def renamed(text: str, turn: bool) -> str:
    names: dict[str, str] = {}
    return "".join(names.setdefault(c, ("ABCDEFGH" if turn else "12345678")[len(names)]) for c in text)


# name -> whether an answer is right, told by other means than the skill's own
CHECKS = {
    "copy": lambda page, turn, style, q, a: q == a,
    "spread": lambda page, turn, style, q, a: a == " ".join(q),
    "gather": lambda page, turn, style, q, a: a == q[:: 1 + len((" ", ", ", "-", " . ")[style])],
    "number_off": lambda page, turn, style, q, a: (
        a == " ".join(f"{i}={c}" if turn else f"{c}={i}" for i, c in enumerate(q, style % 2))
    ),
    "right_side": lambda page, turn, style, q, a: (q, a) in rows(page),
    "whole_row": lambda page, turn, style, q, a: (
        a in "\n".join(page.parts) if turn else tuple(a.split("=", 1)) in rows(page) or a.count("=") > 1
    ),
    "labelled": lambda page, turn, style, q, a: any(
        label and q in label and a == (block.rows[i][0] if style == 0 else block.shown(i))
        for block in page.blocks
        for i, label in enumerate(block.labels)
    ),
    "next_row": lambda page, turn, style, q, a: (
        a == "-"
        or any(
            q == block.shown(i) and a == (block.shown(i + 1) if turn else block.rows[i + 1][0])
            for block in page.blocks
            for i in range(len(block.rows) - 1)
        )
    ),
    "recite": lambda page, turn, style, q, a: len(a.split("\n")) == int(q.split(" ")[-1]),
    "with_symbol": lambda page, turn, style, q, a: (
        a == " ".join(row[0] for row in with_sign(page, q)[:4])
        if style == 2
        else a.startswith(with_sign(page, q)[0][0][:2])
    ),
    "count": lambda page, turn, style, q, a: int(a) == (len(q) if style < 2 else q[2:].count(q[0])),
    "key_pairs": lambda page, turn, style, q, a: pairs(a) == [(g, page.key.get(g, g)) for g in q],
    "key_digits": lambda page, turn, style, q, a: (
        len(a) == len(q) and all(page.key[g] == d for g, d in zip(q, a, strict=True))
    ),
    "key_back": lambda page, turn, style, q, a: all(page.key[g] == d for d, g in pairs(a[: 4 * len(q) - 1])),
    "collect": lambda page, turn, style, q, a: (a[::-1] if style == 0 else a) == "".join(b for _, b in pairs(q)),
    "pair_up": lambda page, turn, style, q, a: (
        q == "".join(x for x, _ in pairs(a)) + " " + "".join(y for _, y in pairs(a))
    ),
    "row_pairs": lambda page, turn, style, q, a: any(
        a.startswith(block.shown(i) + " ")
        and q in block.rows[i][0].split(" ")
        and "".join(c for c, _ in pairs(a[len(block.shown(i)) + 1 :])) == q
        and all(page.alphabet[p] == c for c, p in pairs(a[len(block.shown(i)) + 1 :]))
        for block in page.blocks
        for i in range(len(block.rows))
    ),
    "apply_pairs": lambda page, turn, style, q, a: (
        [(c, dict(pairs(q.rsplit(" ", 1)[0])).get(c, "?")) for c in q.rsplit(" ", 1)[1]]
        == pairs(a[: 4 * len(q.rsplit(" ", 1)[1]) - 1])
        and (style < 2 or a[4 * len(q.rsplit(" ", 1)[1]) :] == "".join(b for _, b in pairs(a.rsplit(" ", 1)[0])))
    ),
    "fill": lambda page, turn, style, q, a: (
        bool(re.fullmatch(q.split(" ")[0].replace("?", "."), a)) and a in q.split(" ")
    ),
    "rename": lambda page, turn, style, q, a: (
        dict(zip(q, renamed(q, turn), strict=True)) == dict(pairs(a))
        if style == 0
        else "".join(b for _, b in pairs(a)) == renamed(q, turn)
        if style < 3
        else "".join(b for _, b in pairs(a.rsplit(" ", 1)[0])) == renamed(q, turn) == a.rsplit(" ", 1)[1]
    ),
    "reverse": lambda page, turn, style, q, a: a == q[::-1],
    "reverse_each": lambda page, turn, style, q, a: [x[::-1] for x in q.split(" ")] == a.split(" "),
    "split": lambda page, turn, style, q, a: a.replace(" ", "") == (q[3:] + q[:2] if turn else q[:2] + q[3:]),
    "join_both": lambda page, turn, style, q, a: a == f"{q[:2]}{q[3:]} {q[3:]}{q[:2]}",
    "compare": lambda page, turn, style, q, a: a == same(q),
    "compare_row": lambda page, turn, style, q, a: any(
        q.startswith(left + " ") and a == f"{right} {'yes' if q == f'{left} {right}' else 'no'}"
        for left, right in rows(page)
    ),
    "order": lambda page, turn, style, q, a: (
        int(a) == (max if turn else min)(ints(q))
        if style == 0
        else (ints(q)[0] > ints(q)[1]) - (ints(q)[0] < ints(q)[1]) == "<=>".index(a) - 1
    ),
    "remaining": lambda page, turn, style, q, a: (
        set(a) - set("- ") == set("0123456789" if turn else q.split(" ")[0]) - set(q if turn else q.split(" ", 1)[1])
    ),
    "without": lambda page, turn, style, q, a: (
        Counter(q.split(" "))
        == Counter({k: 1 for k in a.split(" ") if k != "-"})
        + Counter({k: 2 for k in q.split(" ") if q.split(" ").count(k) == 2})
    ),
    "common": lambda page, turn, style, q, a: (
        set(a) - set("- ") == set(q.split(" ")[0]) & set(q.split(" ")[1]) - set("-")
    ),
    "member": lambda page, turn, style, q, a: a == ("yes" if q[0] in q[2:] else "no"),
    "mark": lambda page, turn, style, q, a: (
        all(
            (verdict == "yes") == (item in q.rsplit(" ", 1)[1] if turn else int(item) < int(q.rsplit(" ", 1)[1]))
            for item, verdict in re.findall(r"(\d+)=(\w+)", a)
        )
        and len(re.findall("=", a)) == q.count(" ")
    ),
    "distinct": lambda page, turn, style, q, a: (
        a == "".join(dict.fromkeys(q)) + (" yes" if len(set(q)) == len(q) else " no") * turn
    ),
    "digit_sum": lambda page, turn, style, q, a: eval(q) == int(a),
    "digit_difference": lambda page, turn, style, q, a: eval(q) == int(a),
    "digit_product": lambda page, turn, style, q, a: eval(q) == int(a),
    "ones": lambda page, turn, style, q, a: a == (f"{eval(q)} {eval(q) % 10}" if turn else str(eval(q) % 10)),
    "add": lambda page, turn, style, q, a: sum(ints(q)) == int(a),
    "subtract": lambda page, turn, style, q, a: ints(q)[0] - ints(q)[1] == int(a),
    "neighbours": lambda page, turn, style, q, a: (
        a == (f"{int(q) + 1} {int(q) - 1}" if turn else f"{int(q) - 1} {q} {int(q) + 1}")
    ),
    "times_digit": lambda page, turn, style, q, a: eval(q) == int(a),
    "long_add": lambda page, turn, style, q, a: eval(q) == int(a),
    "long_subtract": lambda page, turn, style, q, a: eval(q) == int(a),
    "add_columns": lambda page, turn, style, q, a: equations_hold(a) and sum(ints(q)) == ints(a)[-1],
    "subtract_columns": lambda page, turn, style, q, a: equations_hold(a) and ints(q)[0] - ints(q)[1] == ints(a)[-1],
    "multiply_columns": lambda page, turn, style, q, a: equations_hold(a) and ints(q)[0] * ints(q)[1] == ints(a)[-1],
    "multiply": lambda page, turn, style, q, a: equations_hold(a) == 3 and ints(q)[0] * ints(q)[1] == ints(a)[-1],
    "long_multiply": lambda page, turn, style, q, a: equations_hold(a) >= 3 and ints(q)[0] * ints(q)[1] == ints(a)[-1],
    "multiples": lambda page, turn, style, q, a: ints(a) == [int(q) * i for i in range(1, 10)],
    "divide": lambda page, turn, style, q, a: equations_hold(a) and divmod(*ints(q)) == tuple(ints(a)[-2:]),
    "largest_below": lambda page, turn, style, q, a: (
        ints(a)[0 if turn else 1] == ints(q)[-1] // ints(q)[3]
        and ints(a)[1 if turn else 0] == ints(q)[-1] // ints(q)[3] * ints(q)[3]
    ),
    "modulo": lambda page, turn, style, q, a: equations_hold(a) == 2 and ints(a)[-1] == ints(q)[0] % ints(q)[1],
    "digits_only": lambda page, turn, style, q, a: round(float(q) * 100) == int(a),
    "place_point": lambda page, turn, style, q, a: abs(placed(q, turn) - float(a)) < 1e-9,
    "round_two": lambda page, turn, style, q, a: abs(float(q) - float(a.split(" ")[-1])) <= 0.005 + 1e-9,
    "to_roman": lambda page, turn, style, q, a: roman_number(a.split(" ")[-1]) == int(q),
    "from_roman": lambda page, turn, style, q, a: roman_number(q) == int(a),
    "peel_roman": lambda page, turn, style, q, a: (
        roman_number(a.split(" ")[-1]) == int(q) and (turn or equations_hold(a))
    ),
    "bit_gate": lambda page, turn, style, q, a: gate(q) == a,
    "shift": lambda page, turn, style, q, a: shifted(q) == a,
    "bit_pairs": lambda page, turn, style, q, a: (
        q == "".join(x[0] for x in a.split(" ")) + " " + "".join(x[1] for x in a.split(" "))
    ),
    "bit_table": lambda page, turn, style, q, a: (
        all(pair in q.split(" ") for pair in a.split(" ")[:8]) and a.count("=") == 8
    ),
    "bit_induce": lambda page, turn, style, q, a: (
        [x + y + "=" + z for x, y, z in zip(*q.split(" "), strict=True)] == a.split(" ")[: len(q.split(" ")[0])]
    ),
    "bit_places": lambda page, turn, style, q, a: (
        a == " ".join(f"{i}={c}" for i, c in enumerate(q, style % 2))
        if turn
        else a == (" ".join(str(i) for i, c in enumerate(q, style % 2) if c == "1") or "-")
    ),
    "to_hex": lambda page, turn, style, q, a: int(a.replace(" ", ""), 16) == int(q, 2) and len(a) == 2 + turn,
}


@pytest.mark.parametrize("name", NAMES)
def test_answers_are_right(name):
    for page, turn, style, question, answer in drawn(name):
        assert CHECKS[name](page, turn, style, question, answer), (turn, style, question, answer, page.parts)


def test_signs_are_marked_and_nothing_else_changes_with_the_notation():
    """An example's signs are what the notation decides: with other signs, the other pieces stay."""
    text = f"7{marked('*')}6{marked(' is ')}42"
    assert pieces(text) == [("7", False), ("*", True), ("6", False), (" is ", True), ("42", False)]
    assert plain(text) == "7*6 is 42" and OPEN not in plain(text) and CLOSE not in plain(text)


def worksheet_lines(n: int):
    """(skill, question and answer as they stand, one text line each) of `n` worksheets."""
    for i in range(n):
        for line in sheet(random.Random(i), (256, 512, 1024)[i % 3], EVEN)[1]:
            for raw in (line.question + plain(line.answer)).split("\n"):
                yield line.skill, raw


def test_no_design_is_practised():
    """Of no kind of line of any design is there more than one in 400, which is what chance makes of the plainest."""
    kinds = {kind for design in DESIGNS.values() for kind in design.kinds}
    assert len(kinds) > 100
    hits, n = Counter(), 0
    for _, raw in worksheet_lines(1200):
        n += 1
        hits.update(kind.KIND for kind in kinds if raw.startswith(kind.opener) and kind.parse(raw) is not None)
    assert n > 15_000
    assert all(count / n < 1 / 400 for count in hits.values()), hits
    assert len(hits) < len(kinds) / 10, hits  # most never occur


def test_no_notation_prevails():
    """No skill has a notation of which more than a twentieth of its worksheets are written."""
    seen: dict[str, Counter] = {}
    for i in range(4000):
        rng = random.Random(i)
        for line in sheet(rng, 256, EVEN)[1]:
            if line.example:
                signs = tuple(text for text, sign in pieces(line.answer) if sign)
                shape = (re.sub(r"[^A-Za-z ]|\b\w\b", "", line.question), line.question[-3:], signs[:2])
                seen.setdefault(line.skill, Counter())[shape] += 1
    assert set(seen) == set(NAMES)
    for name, shapes in seen.items():
        assert max(shapes.values()) <= max(3, 0.1 * shapes.total()), (name, shapes.most_common(2))


def test_no_prompt_and_no_trace_is_in_a_worksheet():
    phrases = {p.strip() for family in FAMILIES.values() for p in family.phrases if len(p.strip()) > 12}
    for i in range(600):
        page, lines = sheet(random.Random(i), 1024, EVEN)
        text = "\n".join([*page.parts, *(line.question + plain(line.answer) for line in lines)])
        assert not any(phrase in text for phrase in phrases) and "boxed" not in text


def test_a_question_is_asked_once_and_the_first_of_a_skill_is_its_example():
    for i in range(300):
        _, lines = sheet(random.Random(i), 512, EVEN)
        assert len({line.question for line in lines}) == len(lines)
        seen = set()
        for line in lines:
            assert line.example == (line.skill not in seen)
            seen.add(line.skill)
