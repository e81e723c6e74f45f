"""Primitive skills, generated on the fly: the single steps that a chain of thought is made of.

A skill draws one task from a page of material in the notation of its worksheet: a question, and the answer that is
learned. Questions are random and are not learned. A skill that the page cannot serve gives None. No skill is a line of
a design, and its words are not a design's: see notation.py.
"""

import random
import string
from collections.abc import Callable
from dataclasses import dataclass

from learning.backbone.material import GLYPHS, LETTERS, Material, decimal, word
from learning.backbone.notation import Notation, plain

ROMAN = ((100, "C"), (90, "XC"), (50, "L"), (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))
Task = tuple[str, str]
Draw = Callable[[random.Random, Material, Notation], Task | None]


@dataclass(frozen=True, slots=True)
class Skill:
    """A way to draw tasks, the words that may name it, its kind, and what the page must have for it, if anything."""

    draw: Draw
    words: tuple[str, ...]
    kind: str
    needs: str | None


SKILLS: dict[str, Skill] = {}


def skill(kind: str, *words: str, needs: str | None = None) -> Callable[[Draw], Draw]:
    """Enter a function as a skill under its name."""

    def enter(draw: Draw) -> Draw:
        SKILLS[draw.__name__] = Skill(draw, words, kind, needs)
        return draw

    return enter


def _number(rng: random.Random, digits: int) -> int:
    return rng.randrange(10 ** (digits - 1), 10**digits)


def _text(rng: random.Random, low: int, high: int) -> str:
    alphabet = rng.choice((GLYPHS, GLYPHS, string.digits, string.digits, LETTERS, "01", GLYPHS + string.digits))
    return word(rng, alphabet, low, high)


def _row(rng: random.Random, page: Material, *kinds: str):
    """A block of the page and the number of one of its rows."""
    blocks = page.of(*kinds)
    block = rng.choice(blocks)
    return block, rng.randrange(len(block.rows))


def roman(n: int) -> str:
    """Roman numeral of 1..399."""
    out = ""
    for value, sign in ROMAN:
        while n >= value:
            out, n = out + sign, n - value
    return out


# Copying and finding


@skill("copying", "echo", "repeat", "again", "print", "type", "write")
def copy(rng, page, n):
    text = _text(rng, 3, rng.choice((6, 12, 24)))
    return n.question(text), text


@skill("copying", "spell", "apart", "spread", "space", "letters of")
def spread(rng, page, n):
    text = _text(rng, 2, 9)
    return n.question(text), n.gap.join(text)


@skill("copying", "glue", "close up", "fuse", "together", "tight")
def gather(rng, page, n):
    text = _text(rng, 2, 9)
    return n.question((" ", ", ", "-", " . ")[n.style].join(text)), text


@skill("copying", "number", "index", "count off", "positions", "places")
def number_off(rng, page, n):
    """Each character beside its position."""
    text, first = _text(rng, 2, 8), n.style % 2
    numbers = range(first, first + len(text))
    return n.question(text), n.pairs(numbers, text) if n.turn else n.pairs(text, numbers)


@skill("finding", "right of", "other side", "partner", "value", "look up", "goes to", needs="rows")
def right_side(rng, page, n):
    """The right side of a row, from its left side."""
    block, i = _row(rng, page)
    left, right = block.rows[i]
    return n.question(left), right


@skill("finding", "whole row", "full line", "complete", "entire", "finish", needs="rows")
def whole_row(rng, page, n):
    """A row as it stands, from its left side; half the notations write it with a sign of their own."""
    block, i = _row(rng, page)
    left, right = block.rows[i]
    return n.question(left), block.shown(i) if n.turn else f"{left}{n.equals}{right}"


@skill("finding", "labelled", "entry", "item", "under", "labeled", "record", needs="labels")
def labelled(rng, page, n):
    """The row beside a label that stands on the page, or its left side."""
    block, i = _row(rng, page)
    if not block.labels[i] or [x for b in page.blocks for x in b.labels].count(block.labels[i]) > 1:
        return None
    label = block.labels[i].strip()
    return n.question(label if n.turn else label.strip("().#:[]")), block.rows[i][0] if n.style == 0 else block.shown(i)


@skill("finding", "after", "next", "following", "below it", "then comes", needs="rows")
def next_row(rng, page, n):
    """The row under a row; the last row has none."""
    block, i = _row(rng, page)
    rest = block.shown(i + 1) if i + 1 < len(block.rows) else "-"
    return n.question(block.shown(i)), rest if n.turn or rest == "-" else block.rows[i + 1][0]


@skill("finding", "all rows", "recite", "every row", "read out", "list them", needs="rows")
def recite(rng, page, n):
    """The rows of a block in their order, from the first one, numbered or not."""
    block, _ = _row(rng, page)
    rows = block.rows[:6]
    if sum(len(left) + len(right) for left, right in rows) > 110:
        rows = rows[:2]
    side = block.side if n.turn else n.pair
    shown = [side.join(row) if n.style < 3 else row[0] for row in rows]
    lines = [f"{i + 1}{n.ask}{row}" for i, row in enumerate(shown)] if n.after else shown
    return n.question(block.rows[0][0], len(rows)), "\n".join(lines)


@skill("finding", "first with", "having", "contains", "showing", "holding", "search", needs="glyphs")
def with_symbol(rng, page, n):
    """The first row of the page with a sign between its operands; the operands; or all such left sides."""
    rows = [row for block in page.of("glyphs", "numbers") for row in block.rows if len(row[0]) == 5]
    if not rows:
        return None
    sign = rng.choice(rows)[0][2]
    found = [row for row in rows if row[0][2] == sign]
    left, right = found[0]
    if n.style == 0:
        return n.question(sign), f"{left[:2]}{n.pair}{left[3:]}"
    if n.style == 1:
        return n.question(sign), f"{left}{n.equals}{right}"
    if n.style == 2:
        return n.question(sign), n.steps(*(row[0] for row in found[:4]))
    return n.question(sign), left


@skill("finding", "how many", "count", "number of", "times seen", "tally")
def count(rng, page, n):
    """How often a character occurs in a short text, or how long the text is."""
    text = word(rng, rng.sample(GLYPHS, 3) if n.turn else rng.sample(string.digits, 3), 1, 7)
    if n.style < 2:
        return n.question(text), str(len(text))
    sign = rng.choice(text)
    return n.question(sign, text), str(text.count(sign))


# Keys, pairs and alphabets


@skill("lookup", "by key", "digits of", "under the key", "values of", "keyed", needs="key")
def key_pairs(rng, page, n):
    """Each glyph with its digit; a glyph outside the key stands for itself."""
    if not page.key:
        return None
    glyphs = list(page.key) if rng.random() < 0.85 else GLYPHS
    text = word(rng, glyphs, 1, 7)
    return n.question(text), n.pairs(text, [page.key.get(g, g) for g in text])


@skill("lookup", "to digits", "as number", "plain number", "in figures", "numeral of", needs="key")
def key_digits(rng, page, n):
    """The digits alone."""
    if not page.key:
        return None
    text = word(rng, list(page.key), 1, 4)
    return n.question(text), "".join(page.key[g] for g in text)


@skill("lookup", "to glyphs", "signs of", "in signs", "symbols for", "back to signs", needs="key")
def key_back(rng, page, n):
    """Each digit with its glyph, alone or with the glyphs together after it."""
    if not page.key:
        return None
    inverse = {digit: glyph for glyph, digit in page.key.items()}
    digits = word(rng, list(inverse), 1, 5)
    glyphs = "".join(inverse[d] for d in digits)
    shown = n.pairs(digits, glyphs)
    return n.question(digits), n.steps(shown, glyphs) if n.turn else shown


@skill("lookup", "collect", "seconds", "right halves", "only values", "strip")
def collect(rng, page, n):
    """The second items of pairs, joined, in their order or from the end."""
    k = rng.randint(2, 6)
    second = word(rng, rng.choice((string.digits, string.digits, LETTERS, GLYPHS)), k, k)
    first = word(rng, rng.choice((GLYPHS, LETTERS)), k, k)
    return n.question(n.pairs(first, second)), second[::-1] if n.style == 0 else second


@skill("lookup", "pair up", "align", "zip", "side by side", "one by one")
def pair_up(rng, page, n):
    k = rng.randint(2, 9)
    left = word(rng, rng.choice((LETTERS, LETTERS, GLYPHS, "01")), k, k)
    right = word(rng, rng.choice((LETTERS, string.digits, "01")), k, k)
    return n.question(left, right), n.pairs(left, right)


@skill("lookup", "coded word", "letters for", "match letters", "unlock", "spelled pairs", needs="words")
def row_pairs(rng, page, n):
    """A coded row of the page as it stands, then the letters of one of its words as pairs."""
    block, i = _row(rng, page, "words")
    left, right = (side.split(" ") for side in block.rows[i])
    j = rng.randrange(len(left)) if n.turn else 0
    return n.question(left[j]), n.steps(block.shown(i), n.pairs(left[j], right[j]))


@skill("lookup", "apply", "replace", "substitute", "swap in", "translate")
def apply_pairs(rng, page, n):
    """A text under pairs that stand before it, as pairs; a letter without a pair becomes ?; then the text alone."""
    k = rng.randint(2, 9)
    alphabet = rng.choice((LETTERS, LETTERS, LETTERS, GLYPHS))
    left, right = rng.sample(alphabet, k), rng.sample(rng.choice((LETTERS, string.digits * 2)), k)
    known = dict(zip(left, right, strict=True))
    text = word(rng, left + (rng.sample(alphabet, 1) if n.turn else []), 2, 8)
    out = [known.get(c, "?") for c in text]
    shown = n.pairs(text, out)
    return n.question(n.pairs(left, right), text), shown if n.style < 2 else n.steps(shown, "".join(out))


@skill("lookup", "which word", "complete the word", "pattern", "blanks", "guess the word")
def fill(rng, page, n):
    """The word of a short list that a pattern with gaps fits."""
    size = rng.randint(3, 7)
    words = [word(rng, LETTERS, size, size) if rng.random() < 0.7 else word(rng, LETTERS, 3, 7) for _ in range(4)]
    wanted = rng.choice(words)
    gaps = set(rng.sample(range(len(wanted)), rng.randint(1, len(wanted) - 2)))
    pattern = "".join("?" if i in gaps else c for i, c in enumerate(wanted))
    if sum(len(w) == len(wanted) and all(p in ("?", c) for p, c in zip(pattern, w, strict=True)) for w in words) > 1:
        return None
    return n.question(pattern, " ".join(words)), wanted


@skill("lookup", "rename", "canonical", "relabel", "first seen", "in order of sight")
def rename(rng, page, n):
    """New names in the order of first sight: letters or numbers for glyphs."""
    text = word(rng, rng.sample(GLYPHS, rng.randint(2, 6)), 2, 9)
    names = "ABCDEFGH" if n.turn else "12345678"
    seen: dict[str, str] = {}
    for c in text:
        seen.setdefault(c, names[len(seen)])
    if n.style == 0:
        return n.question(text), n.pairs(seen, seen.values())
    shown = n.pairs(text, (seen[c] for c in text))
    return n.question(text), shown if n.style < 3 else n.steps(shown, "".join(seen[c] for c in text))


# Order and comparison


@skill("reverse", "backwards", "mirror", "from the end", "turned", "last to first")
def reverse(rng, page, n):
    text = _text(rng, 2, rng.choice((3, 5, 8)))
    return n.question(text), text[::-1]


@skill("reverse", "mirror both", "turn each", "each backwards", "both turned")
def reverse_each(rng, page, n):
    a, b = (word(rng, rng.choice((string.digits, GLYPHS)), 2, 3) for _ in range(2))
    return n.question(a, b), n.steps(a[::-1], b[::-1])


@skill("copying", "cut", "part at", "halves", "divide text", "around")
def split(rng, page, n):
    """The two sides of a sign, in order or swapped, apart or joined."""
    alphabet = rng.choice((GLYPHS, string.digits))
    a, b, sign = word(rng, alphabet, 2, 2), word(rng, alphabet, 2, 2), rng.choice(GLYPHS)
    first, second = (b, a) if n.turn else (a, b)
    return n.question(a + sign + b), first + second if n.style == 0 else n.steps(first, second)


@skill("copying", "side to side", "both ways", "there and back", "two orders")
def join_both(rng, page, n):
    """Two texts joined in both orders."""
    alphabet = rng.choice((GLYPHS, string.digits))
    a, b = word(rng, alphabet, 2, 2), word(rng, alphabet, 2, 2)
    return n.question(a + n.pair + b if n.turn else f"{a} {b}"), n.steps(a + b, b + a)


def _near(rng: random.Random, text: str) -> str:
    """The same text half the time, else one that differs a little."""
    roll = rng.random()
    if roll < 0.5:
        return text
    if roll < 0.85 or len(text) < 3:
        alphabet = string.digits if text.isdigit() else LETTERS + " " if text.isalpha() else GLYPHS + string.digits
        i = rng.randrange(len(text))
        return text[:i] + rng.choice([c for c in alphabet if c != text[i]]) + text[i + 1 :]
    if roll < 0.95:
        i = rng.randrange(len(text) - 1)
        return text[:i] + text[i + 1] + text[i] + text[i + 2 :]
    return text[:-1]


@skill("compare", "compare", "identical", "twins", "equals", "is it", "the two")
def compare(rng, page, n):
    """Whether two texts that stand side by side are the same."""
    a = _text(rng, 1, rng.choice((4, 6, 8)))
    b = _near(rng, a)
    return n.question(a, b), n.verdict(a == b)


@skill("compare", "agrees with the row", "confirm", "row right", "as listed", "test the row", needs="rows")
def compare_row(rng, page, n):
    """A claim about a row: the row's right side, then whether the claim is it."""
    block, i = _row(rng, page)
    left, right = block.rows[i]
    if len(right) > 20:
        return None
    claim = _near(rng, right)
    return n.question(left, claim), n.steps(right, n.verdict(claim == right))


@skill("compare", "larger", "size", "order of", "smaller", "rank", "weigh")
def order(rng, page, n):
    """Which of two numbers is larger, as a sign or as the number itself."""
    a = _number(rng, rng.randint(1, 5))
    b = rng.choice((a, a + rng.randint(-9, 9), _number(rng, len(str(a))), _number(rng, rng.randint(1, 5))))
    b = max(b, 0)
    if n.style == 0:
        return n.question(a, b), str(max(a, b) if n.turn else min(a, b))
    return n.question(a, b), n.order[(a >= b) + (a > b)]


# Sets and candidates


@skill("sets", "left over", "missing digits", "others", "not used", "remaining")
def remaining(rng, page, n):
    """The digits (or the members of a short list) that a text does not use."""
    whole = string.digits if n.turn else "".join(sorted(rng.sample(string.digits + "ABCDEFGHJK", rng.randint(3, 8))))
    used = rng.sample(whole, rng.randint(1, len(whole)))
    rest = [c for c in whole if c not in used] or ["-"]
    shown = "".join(used) if n.style % 2 else plain(n.gap).strip("\n").join(used)
    asked = (shown,) if n.turn else (whole, shown)
    return n.question(*asked), "".join(rest) if n.style < 2 else n.gap.join(rest)


@skill("sets", "without", "remove", "minus item", "cross out", "all but")
def without(rng, page, n):
    """A list with one or two items crossed out."""
    items = rng.sample([word(rng, string.digits, 1, 3) for _ in range(9)], rng.randint(2, 7))
    items = list(dict.fromkeys(items))
    gone = rng.sample(items, min(len(items) - 1, rng.randint(1, 2)) or 1)
    gap = n.gap if "\n" not in n.gap else " "
    rest = [item for item in items if item not in gone]
    return n.question(gap.join(items), gap.join(gone)), gap.join(rest) or "-"


@skill("sets", "in both", "common", "overlap", "both have", "shared")
def common(rng, page, n):
    """The characters of the first text that the second has too."""
    alphabet = rng.choice((string.digits, string.digits, LETTERS[:12], GLYPHS[:12]))
    a, b = ("".join(rng.sample(alphabet, rng.randint(1, 7))) for _ in range(2))
    found = [c for c in a if c in b] or ["-"]
    return n.question(a, b), "".join(found) if n.turn else n.gap.join(found)


@skill("sets", "is in", "member", "among", "part of", "belongs")
def member(rng, page, n):
    alphabet = rng.choice((string.digits, LETTERS, GLYPHS))
    text = "".join(rng.sample(alphabet, rng.randint(1, 8)))
    c = rng.choice(text) if rng.random() < 0.5 else rng.choice(alphabet)
    return n.question(c, text), n.verdict(c in text)


@skill("sets", "sift", "sort out", "each one", "tick", "mark", "judge each")
def mark(rng, page, n):
    """Each item of a list with its verdict: in a set, or below a bound."""
    items = rng.sample(string.digits, rng.randint(2, 6)) if n.turn else [str(rng.randrange(100)) for _ in range(4)]
    if n.turn:
        bound = "".join(rng.sample(string.digits, rng.randint(2, 6)))
        good = [item in bound for item in items]
    else:
        bound = str(rng.randrange(10, 90))
        good = [int(item) < int(bound) for item in items]
    verdicts = [n.verdict(g) for g in good]
    kept = "".join(i for i, g in zip(items, good, strict=True) if g) if n.turn else ""
    shown = n.pairs(items, verdicts)
    asked = " ".join(items)
    return n.question(asked, bound), n.steps(shown, kept or "-") if n.style == 0 and n.turn else shown


@skill("sets", "distinct", "unique", "no repeats", "different ones", "once each")
def distinct(rng, page, n):
    """The distinct characters in the order of first sight, and whether any occurs twice."""
    text = word(rng, rng.sample(rng.choice((GLYPHS, string.digits)), rng.randint(2, 8)), 2, 9)
    seen = "".join(dict.fromkeys(text))
    return n.question(text), n.steps(seen, n.verdict(seen == text)) if n.turn else seen


# Arithmetic in one step


@skill("arithmetic", "sum", "plus", "total", "")
def digit_sum(rng, page, n):
    terms = [rng.randrange(10) for _ in range(rng.choice((2, 2, 3)))]
    if len(terms) == 3:
        terms[2] = 1
    return n.question(n.plus.join(map(str, terms))), str(sum(terms))


@skill("arithmetic", "difference", "minus", "less", "")
def digit_difference(rng, page, n):
    b = rng.randrange(10)
    a = rng.randrange(b, 20)
    return n.question(f"{a}{n.minus}{b}"), str(a - b)


@skill("arithmetic", "product", "times", "")
def digit_product(rng, page, n):
    a, b, c = rng.randrange(10), rng.randrange(10), rng.randrange(9) if n.turn else 0
    return n.question(f"{a}{n.times}{b}" + (f"{n.plus}{c}" if n.turn else "")), str(a * b + c)


@skill("arithmetic", "last digit", "ones", "units", "end digit")
def ones(rng, page, n):
    """The last digit of a sum, difference or product of digits, after the value or alone."""
    a, b = rng.randrange(10), rng.randrange(10)
    sign, value = ((n.plus, a + b), (n.times, a * b), (n.minus, 10 + a - b))[n.style % 3]
    shown = f"{a + 10 if n.style % 3 == 2 else a}{sign}{b}"
    return n.question(shown), n.steps(value, value % 10) if n.turn else str(value % 10)


@skill("arithmetic", "add up", "sum", "plus", "total", "")
def add(rng, page, n):
    a, b = rng.randrange(100), rng.randrange(100)
    return n.question(f"{a:02}{n.plus}{b:02}" if n.style == 0 else f"{a}{n.plus}{b}"), str(a + b)


@skill("arithmetic", "take off", "difference", "minus", "less", "")
def subtract(rng, page, n):
    """A difference of two-digit numbers, negative ones included."""
    a, b = rng.randrange(100), rng.randrange(100)
    return n.question(f"{a:02}{n.minus}{b:02}" if n.style == 0 else f"{a}{n.minus}{b}"), str(a - b)


@skill("arithmetic", "up and down", "neighbours", "one more one less", "around it")
def neighbours(rng, page, n):
    """A number plus and minus one."""
    a = _number(rng, rng.randint(1, 4))
    return n.question(a), n.steps(a + 1, a - 1) if n.turn else n.steps(a - 1, a, a + 1)


@skill("arithmetic", "times digit", "product", "times", "")
def times_digit(rng, page, n):
    """A number of two to four digits times one digit, at once, zeros carried along."""
    a, d, zeros = _number(rng, rng.choice((2, 2, 3, 3, 4))), rng.randint(2, 9), 10 ** rng.choice((0, 0, 1, 2))
    return n.question(f"{a}{n.times}{d * zeros}"), str(a * d * zeros)


@skill("arithmetic", "sum", "plus", "total", "big sum", "")
def long_add(rng, page, n):
    k = rng.randint(3, 7)
    a, b = _number(rng, k), _number(rng, rng.randint(max(2, k - 2), k))
    return n.question(f"{a}{n.plus}{b}"), str(a + b)


@skill("arithmetic", "difference", "minus", "less", "big difference", "")
def long_subtract(rng, page, n):
    k = rng.randint(3, 6)
    b, a = sorted((_number(rng, k), _number(rng, rng.randint(k - 1, k))))
    return n.question(f"{a}{n.minus}{b}"), str(a - b)


# Arithmetic with shown steps


@skill("shown sums", "column sum", "sum in columns", "sum by digits", "long sum")
def add_columns(rng, page, n):
    """Digit sums from the right, each with its carry, then the whole."""
    k = rng.choice((2, 2, 3, 4, 5))
    a, b = _number(rng, k), _number(rng, rng.randint(1, k))
    steps, carry = [], 0
    x, y = str(a)[::-1], str(b)[::-1].ljust(k, "0")
    for p, q in zip(x, y, strict=True):
        total = int(p) + int(q) + carry
        steps.append(n.sum(*((p, q, 1) if carry else (p, q)), total=total))
        carry = total // 10
    return n.question(a, b), n.steps(*steps, a + b)


@skill("shown sums", "column difference", "difference by digits", "difference in columns", "long difference")
def subtract_columns(rng, page, n):
    """Digit differences from the right with borrowing, then the whole."""
    k = rng.choice((2, 2, 3, 4, 5))
    b, a = sorted((_number(rng, k), _number(rng, rng.randint(1, k))))
    steps, borrow = [], 0
    x, y = str(a)[::-1], str(b)[::-1].ljust(len(str(a)), "0")
    for p, q in zip(x, y, strict=True):
        top = int(p) - borrow
        borrow = 1 if top < int(q) else 0
        steps.append(n.difference(top + 10 * borrow, q, top + 10 * borrow - int(q)))
    return n.question(a, b), n.steps(*steps, a - b)


@skill("shown products", "digit product", "column product", "product by digits")
def multiply_columns(rng, page, n):
    """Digit products from the right with carries, then the whole."""
    a, d = _number(rng, rng.choice((2, 2, 3, 4))), rng.randint(2, 9)
    steps, carry = [], 0
    for p in str(a)[::-1]:
        total = int(p) * d + carry
        steps.append(n.product(p, d, total, carry))
        carry = total // 10
    return n.question(a, d), n.steps(*steps, a * d)


@skill("shown products", "partial products", "cross product", "product in parts", "long product")
def multiply(rng, page, n):
    """Partial products of two numbers of two digits, their sum."""
    a, b = rng.randrange(100), rng.randrange(100)
    tens, units = b // 10, b % 10
    parts = [
        n.product(a, tens * 10 if n.style % 2 else tens, a * tens * (10 if n.style % 2 else 1)),
        n.product(a, units, a * units),
    ]
    terms = [a * tens * 10, a * units]
    if n.turn:
        parts, terms = parts[::-1], terms[::-1]
    shown = f"{a:02}", f"{b:02}"
    return n.question(*(shown if n.style < 2 else (a, b))), n.steps(*parts, n.sum(*terms, total=a * b))


@skill("shown products", "great product", "many-digit product", "product by places")
def long_multiply(rng, page, n):
    """Partial products of numbers of three digits with running sums."""
    a, b = _number(rng, 3), _number(rng, rng.choice((2, 3)))
    places = [(int(d), 10**k) for k, d in enumerate(str(b)[::-1])]
    if n.turn:
        places = places[::-1]
    steps, whole = [], 0
    for i, (d, place) in enumerate(places):
        steps.append(n.product(a, d * place, a * d * place))
        if i:
            steps.append(n.sum(whole, a * d * place, total=whole + a * d * place))
        whole += a * d * place
    return n.question(a, b), n.steps(*steps)


@skill("shown products", "table of", "multiples", "times one to nine", "nine multiples")
def multiples(rng, page, n):
    x = _number(rng, rng.randint(2, 4))
    return n.question(x), n.steps(*(x * i for i in range(1, 10)))


@skill("division", "share out", "quotient", "divide", "goes into", "over")
def divide(rng, page, n):
    """Short division by a digit: for each digit what is divided, the product and the rest, then quotient and rest."""
    a, d = _number(rng, rng.randint(2, 4)), rng.randint(2, 9)
    steps, rest, quotient = [], 0, ""
    for digit in str(a):
        now = rest * 10 + int(digit)
        q = now // d
        rest = now - q * d
        quotient += str(q)
        steps += [now, n.product(q, d, q * d), n.difference(now, q * d, rest)]
    return n.question(a, d), n.steps(*steps, quotient, rest)


@skill("division", "largest below", "fits under", "biggest not above", "how often")
def largest_below(rng, page, n):
    """The largest multiple in a numbered list that a number still holds: itself, then which one it is, or turned."""
    x = _number(rng, rng.randint(1, 4))
    r = rng.randrange(10 * x)
    q = r // x
    listed = n.pairs(range(10), (x * i for i in range(10))).replace("\n", " ")
    return n.question(listed, r), n.steps(*((q, q * x) if n.turn else (q * x, q)))


@skill("division", "leftover", "modulus", "rest after", "residue")
def modulo(rng, page, n):
    """The rest of a two-digit number after a smaller one, with the multiple shown."""
    b = rng.randint(2, 60)
    a = rng.randint(b, 99) if b < 99 else 99
    q = a // b
    return n.question(a, b), n.steps(n.product(q, b, q * b), n.difference(a, q * b, a % b))


# Decimals and numerals


@skill("decimals", "no point", "drop the point", "hundredths", "as whole")
def digits_only(rng, page, n):
    """A decimal in hundredths."""
    shown = decimal(rng)
    return n.question(shown), str(round(float(shown) * 100))


@skill("decimals", "place point", "hundredths as decimal", "set the point", "shift point")
def place_point(rng, page, n):
    """A whole number over 100, or over 10 to the number that follows."""
    x = _number(rng, rng.randint(2, 8))
    k = 2 if n.turn else rng.randint(1, 5)
    padded = str(x).rjust(k + 1, "0")
    shown = f"{padded[:-k]}.{padded[-k:]}"
    return n.question(x) if n.turn else n.question(x, k), shown


@skill("decimals", "nearest hundredth", "two places", "round", "rounded")
def round_two(rng, page, n):
    """A decimal rounded to two places, the digit that decides first."""
    whole, more = _number(rng, rng.randint(1, 4)), _number(rng, rng.randint(3, 6))
    digits = str(more)
    up = int(digits[2]) >= 5
    value = whole * 100 + int(digits[:2]) + up
    shown = f"{value // 100}.{value % 100:02}"
    return n.question(f"{whole}.{digits}"), n.steps(digits[2], shown) if n.turn else shown


@skill("numerals", "roman", "in roman", "ancient", "letters for number")
def to_roman(rng, page, n):
    """A number in Roman numerals, its decimal parts first or not."""
    x = rng.randint(1, 120)
    parts = [int(d) * 10 ** (len(str(x)) - 1 - i) for i, d in enumerate(str(x)) if d != "0"]
    return n.question(x), n.steps(n.pairs(parts, map(roman, parts)), roman(x)) if n.turn else roman(x)


@skill("numerals", "from roman", "roman value", "decimal of", "read roman")
def from_roman(rng, page, n):
    x = rng.randint(1, 120)
    return n.question(roman(x)), str(x)


@skill("numerals", "peel", "take away parts", "greedy parts", "coins")
def peel_roman(rng, page, n):
    """Greedy Roman parts: what is taken, what is left, the numeral so far."""
    x = rng.randint(1, 120)
    steps, so_far, left = [], "", x
    for value, sign in ROMAN:
        while left >= value:
            so_far += sign
            steps.append(f"{sign}{n.pair}{left - value}" if n.turn else f"{n.difference(left, value, left - value)}")
            left -= value
    return n.question(x), n.steps(*steps, so_far)


# Bits


@skill("bits", "gate", "bitwise", "logic", "combine")
def bit_gate(rng, page, n):
    """Two bytes under a gate, or one inverted."""
    a, b = word(rng, "01", 8, 8), word(rng, "01", 8, 8)
    name = rng.choice(("NOT", "XOR", "AND", "OR", "XNOR", "NAND"))
    work = {
        "NOT": lambda x, y: 1 - x,
        "XOR": lambda x, y: x ^ y,
        "AND": lambda x, y: x & y,
        "OR": lambda x, y: x | y,
        "XNOR": lambda x, y: 1 - (x ^ y),
        "NAND": lambda x, y: 1 - (x & y),
    }[name]
    asked = (name, a) if name == "NOT" else ((a, name, b) if n.turn else (name, a, b))
    return n.question(*asked), "".join(str(work(int(x), int(y))) for x, y in zip(a, b, strict=True))


@skill("bits", "move", "slide", "turn bits", "displace")
def shift(rng, page, n):
    """A byte shifted or rotated either way; the direction's word is part of the question."""
    a, k = word(rng, "01", 8, 8), rng.randint(1, 7)
    names = (("<<<", "<<", ">>"), ("roll", "left", "right"), ("circle", "up", "down"), ("ROT", "LSH", "RSH"))[n.style]
    i = rng.randrange(3)
    out = (a[k:] + a[:k], a[k:] + "0" * k, "0" * k + a[: 8 - k])[i]
    return n.question(f"{names[i]} {k}" if n.turn else f"{k} {names[i]}", a), out


@skill("bits", "bit pairs", "stack", "columns of two", "two by two")
def bit_pairs(rng, page, n):
    """The bits of two bytes, place by place."""
    a, b = word(rng, "01", 8, 8), word(rng, "01", 8, 8)
    return n.question(a, b), n.steps(*(x + y for x, y in zip(a, b, strict=True)))


@skill("bits", "truth table", "from table", "by the table", "table of bits")
def bit_table(rng, page, n):
    """Bits or pairs of bits under a table that stands in the question, shown as pairs with the whole after them."""
    inputs = ("0", "1") if n.style == 0 else ("00", "01", "10", "11")
    table = {x: rng.choice("01") for x in rng.sample(inputs, len(inputs))}
    asked = [rng.choice(inputs) for _ in range(8)]
    out = [table[x] for x in asked]
    shown = n.pairs(asked, out)
    return (
        n.question(n.pairs(table, table.values()).replace("\n", " "), " ".join(asked)),
        n.steps(shown, "".join(out)) if n.turn else shown,
    )


@skill("bits", "learn the table", "induce", "tabulate", "seen so far")
def bit_induce(rng, page, n):
    """The table of a gate from two bytes and its output, as far as it is seen, inputs in order."""
    inputs = ("00", "01", "10", "11")
    table = {x: rng.choice("01") for x in inputs}
    a, b = word(rng, "01", 4, 6), ""
    b = word(rng, "01", len(a), len(a))
    out = "".join(table[x + y] for x, y in zip(a, b, strict=True))
    seen = {x + y: z for x, y, z in zip(a, b, out, strict=True)}
    walk = n.pairs([x + y for x, y in zip(a, b, strict=True)], out)
    kept = n.pairs(sorted(seen), [seen[x] for x in sorted(seen)])
    return n.question(a, b, out), n.steps(walk, kept) if n.turn else walk


@skill("bits", "ones in", "set bits", "where ones", "lit places")
def bit_places(rng, page, n):
    """The places of the ones of a byte."""
    a = word(rng, "01", 8, 8)
    places = [i for i, c in enumerate(a, n.style % 2) if c == "1"]
    return n.question(a), n.pairs(range(n.style % 2, 8 + n.style % 2), a) if n.turn else n.gap.join(
        map(str, places or ["-"])
    )


@skill("bits", "hex", "base sixteen", "nibbles", "two hex digits")
def to_hex(rng, page, n):
    a = word(rng, "01", 8, 8)
    return n.question(a), n.steps(f"{int(a[:4], 2):x}", f"{int(a[4:], 2):x}") if n.turn else f"{int(a, 2):02x}"
