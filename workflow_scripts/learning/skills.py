"""Primitive skills, generated on the fly: what the small backbone can do before it sees any puzzle.

A worksheet is one chat: the user's turn holds material (a key, numbered lines, word pairs), the assistant's turn
holds lines, each a question and its answer. Only answers are learned; questions are random and cannot be predicted.
"""

import random
import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass

GLYPHS = "!\"#$%&'()/:<>?@[\\]^`{|}"
OPERATORS = "+-*"
ROMAN = ((100, "C"), (90, "XC"), (50, "L"), (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))


@dataclass(frozen=True, slots=True)
class Material:
    """What stands in the user's turn: a glyph -> digit key, numbered lines, cipher pairs (coded word, word)."""

    key: dict[str, int]
    rows: list[str]
    letters: dict[str, str]
    words: list[str]

    def text(self, rng: random.Random) -> str:
        inverse = {plain: coded for coded, plain in self.letters.items()}
        parts = []
        if self.key:
            parts.append("Key: " + " ".join(f"{glyph}={digit}" for glyph, digit in self.key.items()))
        parts.extend(self.rows)
        parts.extend(f"{''.join(inverse[c] for c in word)} -> {word}" for word in self.words)
        if rng.random() < 0.3:
            parts = parts[::-1]
        return "\n".join(parts)


def _word(rng: random.Random, alphabet: Sequence[str], low: int, high: int) -> str:
    return "".join(rng.choice(alphabet) for _ in range(rng.randint(low, high)))


def material(rng: random.Random) -> Material:
    """Draw a key of 10 glyphs (or none), two to five equation-like or bit-like lines, up to four cipher pairs."""
    glyphs, signs = (mixed := rng.sample(GLYPHS, len(GLYPHS)))[:10], mixed[10:13] if rng.random() < 0.4 else OPERATORS
    key = dict(zip(glyphs, rng.sample(range(10), 10), strict=True)) if rng.random() < 0.7 else {}
    rows = []
    style = rng.choice((0, 0, 1, 2))
    for _ in range(rng.randint(2, 5)):
        if style == 0:
            left = f"{_word(rng, glyphs, 2, 2)}{rng.choice(signs)}{_word(rng, glyphs, 2, 2)}"
            rows.append(f"{left} = {_word(rng, glyphs, 1, 4)}")
        elif style == 1:
            rows.append(f"{_word(rng, '01', 8, 8)} -> {_word(rng, '01', 8, 8)}")
        else:
            sign = rng.choice(OPERATORS + GLYPHS)
            rows.append(f"{rng.randint(10, 99)}{sign}{rng.randint(10, 99)} = {rng.randint(0, 9999)}")
    plain = list(string.ascii_lowercase)
    coded = rng.sample(plain, 26)
    words = [_word(rng, plain, 3, 7) for _ in range(rng.randint(2, 4))] if rng.random() < 0.5 else []
    return Material(key, rows, dict(zip(coded, plain, strict=True)), words)


def roman(n: int) -> str:
    """Roman numeral of 1..399."""
    out = ""
    for value, sign in ROMAN:
        while n >= value:
            out, n = out + sign, n - value
    return out


def column_sum(a: int, b: int) -> str:
    """Digit sums from the right, each with its carry: 27+96 -> `7+6=13 2+9+1=12 123`."""
    steps, carry = [], 0
    x, y = str(a)[::-1], str(b)[::-1]
    for i in range(max(len(x), len(y))):
        p, q = int(x[i]) if i < len(x) else 0, int(y[i]) if i < len(y) else 0
        total = p + q + carry
        steps.append(f"{p}+{q}{'+1' if carry else ''}={total}")
        carry = total // 10
    return " ".join(steps) + f" {a + b}"


def column_difference(a: int, b: int) -> str:
    """Digit differences from the right with borrows, for a >= b: 96-27 -> `16-7=9 8-2=6 69`."""
    steps, borrow = [], 0
    x, y = str(a)[::-1], str(b)[::-1].ljust(len(str(a)), "0")
    for p, q in zip(x, y, strict=True):
        top = int(p) - borrow
        borrow = 1 if top < int(q) else 0
        steps.append(f"{top + 10 * borrow}-{q}={top + 10 * borrow - int(q)}")
    return " ".join(steps) + f" {a - b}"


def column_product(a: int, d: int) -> str:
    """Digit products from the right with carries: 27*6 -> `7*6=42 2*6+4=16 162`."""
    steps, carry = [], 0
    for p in str(a)[::-1]:
        total = int(p) * d + carry
        steps.append(f"{p}*{d}{f'+{carry}' if carry else ''}={total}")
        carry = total // 10
    return " ".join(steps) + f" {a * d}"


def rotate(bits: str, k: int) -> str:
    """Rotate left by k."""
    return bits[k:] + bits[:k]


Line = tuple[str, str]
Skill = Callable[[random.Random, Material], Line | None]


def copy(rng: random.Random, page: Material) -> Line:
    alphabet = rng.choice((GLYPHS, string.digits, string.ascii_lowercase, "01", GLYPHS + string.digits))
    text = _word(rng, alphabet, 3, rng.choice((6, 12, 24)))
    return f"copy {text}: ", text


def fetch(rng: random.Random, page: Material) -> Line:
    i = rng.randrange(len(page.rows))
    return f"line {i + 1}: ", page.rows[i]


def right_side(rng: random.Random, page: Material) -> Line:
    left, right = rng.choice(page.rows).split(" ", 1)
    return f"{left} ", right


def with_operator(rng: random.Random, page: Material) -> Line | None:
    """The operands of the first line with an operator, then swapped."""
    row = rng.choice(page.rows)
    if "->" in row:
        return None
    row = next(other for other in page.rows if other[2] == row[2])
    left, right = row[:2], row[3:5]
    return f"with {row[2]}: ", f"{left}{right} {right}{left}"


def pairs(glyphs: Sequence[str], key: dict[str, int]) -> str:
    """Each glyph with its digit; a glyph outside the key stands for itself."""
    return " ".join(f"{glyph}={key.get(glyph, glyph)}" for glyph in glyphs)


def _equation(rng: random.Random, glyphs: Sequence[str]) -> tuple[str, str, str]:
    return _word(rng, glyphs, 2, 2), rng.choice(OPERATORS + GLYPHS), _word(rng, glyphs, 2, 2)


def split(rng: random.Random, page: Material) -> Line:
    """The operands without the operator, then swapped."""
    left, sign, right = _equation(rng, GLYPHS)
    return f"split {left}{sign}{right}: ", f"{left}{right} {right}{left}"


def decode(rng: random.Random, page: Material) -> Line | None:
    """The digits of glyphs, half the time of those around an operator."""
    if not page.key:
        return None
    glyphs = list(page.key)
    if rng.random() < 0.5:
        left, sign, right = _equation(rng, glyphs)
        return f"decode {left}{sign}{right}: ", pairs(left + right, page.key)
    shown = _word(rng, glyphs, 1, 6)
    return f"decode {shown}: ", pairs(shown, page.key)


def decode_line(rng: random.Random, page: Material) -> Line | None:
    """The digits of the first line with an operator."""
    row = rng.choice(page.rows)
    if not page.key or not set(row[:2]) <= set(page.key):
        return None
    row = next(other for other in page.rows if other[2] == row[2])
    return f"decode {row[2]} ", pairs([*row[:2], *row[3:5]], page.key)


def collect(rng: random.Random, page: Material) -> Line:
    """The digits of a list of pairs, as they stand or reversed."""
    glyphs, digits = rng.sample(GLYPHS, k := rng.randint(2, 4)), _word(rng, string.digits, k, k)
    shown = pairs(glyphs, dict(zip(glyphs, map(int, digits), strict=True)))
    return (f"{shown} > ", digits) if rng.random() < 0.6 else (f"{shown} < ", digits[::-1])


def encode(rng: random.Random, page: Material) -> Line | None:
    if not page.key:
        return None
    inverse = {digit: glyph for glyph, digit in page.key.items()}
    digits = [rng.randrange(10) for _ in range(rng.randint(1, 4))]
    return f"encode {''.join(map(str, digits))}: ", " ".join(f"{d}={inverse[d]}" for d in digits)


def letter_map(rng: random.Random, page: Material) -> Line | None:
    if not page.words:
        return None
    inverse = {plain: coded for coded, plain in page.letters.items()}
    seen = sorted(set("".join(page.words)))
    plain = _word(rng, seen, 1, 6)
    coded = "".join(inverse[c] for c in plain)
    if rng.random() < 0.5:
        return f"map {coded}: ", " ".join(f"{c}={p}" for c, p in zip(coded, plain, strict=True))
    return f"read {coded}: ", plain


def reverse(rng: random.Random, page: Material) -> Line:
    text = _word(rng, rng.choice((GLYPHS, string.digits, string.digits, "01")), 2, 5)
    return f"reverse {text}: ", text[::-1]


def digit_sum(rng: random.Random, page: Material) -> Line:
    a, b, c = rng.randrange(10), rng.randrange(10), rng.randrange(2)
    return (f"{a}+{b}+1=", str(a + b + 1)) if c else (f"{a}+{b}=", str(a + b))


def digit_difference(rng: random.Random, page: Material) -> Line:
    a, b = rng.randrange(20), rng.randrange(10)
    a = max(a, b)
    return f"{a}-{b}=", str(a - b)


def digit_product(rng: random.Random, page: Material) -> Line:
    a, b, c = rng.randrange(10), rng.randrange(10), rng.randrange(9)
    return (f"{a}*{b}+{c}=", str(a * b + c)) if rng.random() < 0.4 else (f"{a}*{b}=", str(a * b))


def add(rng: random.Random, page: Material) -> Line:
    a, b = rng.randint(10, 99), rng.randint(10, 99)
    return f"{a}+{b}=", str(a + b)


def add_columns(rng: random.Random, page: Material) -> Line:
    high = rng.choice((99, 999, 9999))
    a, b = rng.randint(10, high), rng.randint(10, high)
    return f"add {a} {b}: ", column_sum(a, b)


def subtract(rng: random.Random, page: Material) -> Line:
    a, b = sorted((rng.randint(10, 99), rng.randint(10, 99)), reverse=True)
    return (f"{b}-{a}=", str(b - a)) if rng.random() < 0.3 else (f"{a}-{b}=", str(a - b))


def subtract_columns(rng: random.Random, page: Material) -> Line:
    high = rng.choice((99, 999))
    a, b = sorted((rng.randint(10, high), rng.randint(10, high)), reverse=True)
    return f"sub {a} {b}: ", column_difference(a, b)


def multiply_columns(rng: random.Random, page: Material) -> Line:
    a, d = rng.randint(10, rng.choice((99, 99, 9999))), rng.randint(2, 9)
    return f"mul {a} {d}: ", column_product(a, d)


def multiply(rng: random.Random, page: Material) -> Line:
    a, b = rng.randint(10, 99), rng.randint(10, 99)
    tens, ones = a * (b // 10) * 10, a * (b % 10)
    return f"mul {a} {b}: ", f"{a}*{b // 10}={tens // 10} {a}*{b % 10}={ones} {tens}+{ones}={a * b}"


def product(rng: random.Random, page: Material) -> Line:
    a, b = rng.randint(10, 99), rng.randint(10, 99)
    tens, ones = a * (b // 10) * 10, a * (b % 10)
    return f"{a}*{b}=", f"{tens}+{ones}={a * b}"


def _number(rng: random.Random, digits: int) -> int:
    return rng.randrange(10 ** (digits - 1), 10**digits)


def long_add(rng: random.Random, page: Material) -> Line:
    n = rng.randint(3, 7)
    a, b = _number(rng, n), _number(rng, rng.randint(max(2, n - 2), n))
    return f"{a}+{b}=", str(a + b)


def long_subtract(rng: random.Random, page: Material) -> Line:
    n = rng.randint(3, 6)
    b, a = sorted((_number(rng, n), _number(rng, rng.randint(n - 1, n))))
    return f"{a}-{b}=", str(a - b)


def multiples(rng: random.Random, page: Material) -> Line:
    x = _number(rng, rng.randint(2, 4))
    return f"{x}* ", " ".join(str(x * i) for i in range(1, 10))


def digits_only(rng: random.Random, page: Material) -> Line:
    whole, hundredths = _number(rng, rng.randint(1, 2)), rng.randrange(100)
    shown = f"{whole}.{hundredths:02}".rstrip("0").rstrip(".")
    return f"{shown}=", str(whole * 100 + hundredths)


def pair_up(rng: random.Random, page: Material) -> Line:
    n = rng.randint(2, 8)
    left = _word(rng, string.ascii_lowercase, n, n)
    right = _word(rng, rng.choice((string.ascii_lowercase, string.digits)), n, n)
    return f"pair {left} {right}: ", " ".join(f"{a}={b}" for a, b in zip(left, right, strict=True))


def reverse_pair(rng: random.Random, page: Material) -> Line:
    a, b = _word(rng, string.digits, 2, 2), _word(rng, string.digits, 2, 2)
    return f"flip {a} {b} ", f"{a[::-1]} {b[::-1]}"


def compare(rng: random.Random, page: Material) -> Line:
    a = _word(rng, rng.choice((string.digits, GLYPHS, "01")), 1, 5)
    b = list(a)
    if rng.random() < 0.5:
        i = rng.randrange(len(b))
        b[i] = rng.choice([c for c in (string.digits if a[0].isdigit() else GLYPHS) if c != b[i]])
    return f"{a} vs {''.join(b)}: ", "same" if a == "".join(b) else "differs"


def order(rng: random.Random, page: Material) -> Line:
    a, b = rng.randint(0, 99), rng.randint(0, 99)
    return f"{a}?{b}: ", "<" if a < b else ">" if a > b else "="


def roman_value(rng: random.Random, page: Material) -> Line:
    n = rng.randint(1, 100)
    if rng.random() < 0.5:
        parts = [int(d) * 10 ** (len(str(n)) - 1 - i) for i, d in enumerate(str(n))]
        return f"roman {n}: ", " ".join([*(f"{p}={roman(p)}" for p in parts if p), roman(n)])
    return f"{n} -> ", roman(n)


def bit_operation(rng: random.Random, page: Material) -> Line:
    a, b = _word(rng, "01", 8, 8), _word(rng, "01", 8, 8)
    name = rng.choice(("not", "xor", "and", "or"))
    if name == "not":
        return f"not {a}: ", "".join("10"[int(x)] for x in a)
    work = {"xor": lambda x, y: x ^ y, "and": lambda x, y: x & y, "or": lambda x, y: x | y}[name]
    return f"{a} {name} {b}: ", "".join(str(work(int(x), int(y))) for x, y in zip(a, b, strict=True))


def shift(rng: random.Random, page: Material) -> Line:
    a, k, name = _word(rng, "01", 8, 8), rng.randint(1, 7), rng.choice(("rol", "shl", "shr"))
    out = {"rol": rotate(a, k), "shl": a[k:] + "0" * k, "shr": "0" * k + a[: 8 - k]}[name]
    return f"{name}{k} {a}: ", out


SKILLS: dict[str, tuple[float, Skill]] = {
    "copy": (1.5, copy),
    "fetch": (0.3, fetch),
    "right_side": (0.7, right_side),
    "with_operator": (3.0, with_operator),
    "split": (1.5, split),
    "decode": (2.5, decode),
    "decode_line": (3.0, decode_line),
    "collect": (1.5, collect),
    "encode": (3.0, encode),
    "letter_map": (1.5, letter_map),
    "pair_up": (0.7, pair_up),
    "reverse": (0.7, reverse),
    "reverse_pair": (0.7, reverse_pair),
    "digit_sum": (0.5, digit_sum),
    "digit_difference": (0.5, digit_difference),
    "digit_product": (1.0, digit_product),
    "add": (0.5, add),
    "subtract": (0.5, subtract),
    "add_columns": (1.0, add_columns),
    "subtract_columns": (1.0, subtract_columns),
    "multiply_columns": (0.7, multiply_columns),
    "multiply": (0.7, multiply),
    "product": (0.3, product),
    "long_add": (0.5, long_add),
    "long_subtract": (0.5, long_subtract),
    "multiples": (0.5, multiples),
    "digits_only": (0.3, digits_only),
    "compare": (0.7, compare),
    "order": (0.3, order),
    "roman_value": (0.7, roman_value),
    "bit_operation": (0.5, bit_operation),
    "shift": (0.7, shift),
}


def lines(rng: random.Random, page: Material, names: Sequence[str] = ()) -> list[tuple[str, str, str]]:
    """An endless-enough list of (skill, question, answer) drawn by weight; skills the page cannot serve are skipped."""
    chosen = {name: SKILLS[name] for name in names or SKILLS}
    drawn = rng.choices(list(chosen), weights=[weight for weight, _ in chosen.values()], k=400)
    out = []
    for name in drawn:
        line = chosen[name][1](rng, page)
        if line is not None:
            out.append((name, *line))
    return out
