"""What stands in the user's turn of a worksheet: keys, lists of rows in random notations, pairs of coded words."""

import random
import string
from collections.abc import Sequence
from dataclasses import dataclass, field

GLYPHS = "!\"#$%&'()*+-/:<>?@[\\]^`{|}"
LETTERS = string.ascii_lowercase
SIDES = (" = ", " -> ", ": ", " becomes ", " => ", " | ", " ~ ", " to ", " := ", "; ", " is ", " > ")
LABELS = ("{}. ", "({}) ", "#{} ", "{}) ", "row {}: ", "L{} ", "[{}] ", "No.{} ", "{}: ")
WIDTHS = {"glyphs": 13, "bits": 22, "numbers": 13, "decimals": 16, "words": 36}  # usual characters of a row
TITLES = ("Table", "List", "Given", "Data", "Rows", "Known", "Facts", "Key", "Here", "Note", "Values", "Sheet")


@dataclass(frozen=True, slots=True)
class Block:
    """Rows of one form: left and right sides, the sign between, labels (empty where they have none)."""

    kind: str  # glyphs, bits, numbers, decimals, words
    side: str
    rows: list[tuple[str, str]]
    labels: list[str]
    note: str = ""

    def shown(self, i: int) -> str:
        """Row i without its label."""
        return self.side.join(self.rows[i])

    def text(self) -> str:
        lines = [f"{label}{self.shown(i)}" for i, label in enumerate(self.labels)]
        return "\n".join([self.note, *lines] if self.note else lines)


@dataclass(frozen=True, slots=True)
class Material:
    """The blocks of one page, its key (glyph -> digit, may be empty) and its alphabet (plain -> coded)."""

    key: dict[str, str]
    alphabet: dict[str, str]
    blocks: list[Block]
    parts: list[str] = field(default_factory=list)

    def size(self) -> int:
        """Characters of the blocks."""
        return sum(len(block.text()) for block in self.blocks)

    def of(self, *kinds: str) -> list[Block]:
        return [block for block in self.blocks if not kinds or block.kind in kinds]


def word(rng: random.Random, alphabet: Sequence[str], low: int, high: int) -> str:
    """A string of low..high characters."""
    return "".join(rng.choices(alphabet, k=rng.randint(low, high)))


def decimal(rng: random.Random) -> str:
    """A positive number with up to two decimals."""
    places = rng.choice((1, 2, 2, 2))
    return f"{rng.randrange(10 ** rng.randint(2, 5)) / 100:.{places}f}"


def _sides(rng: random.Random, kind: str, key: dict[str, str], alphabet: dict[str, str], n: int):
    glyphs = list(key) or rng.sample(GLYPHS, 10)
    signs = rng.sample([c for c in GLYPHS if c not in glyphs], 3) if rng.random() < 0.5 else ["+", "-", "*"]
    unit, fixed = rng.choice(("", " m", " s", "kg", " ft")), rng.random() < 0.6
    for _ in range(n):
        if kind == "glyphs":
            yield f"{word(rng, glyphs, 2, 2)}{rng.choice(signs)}{word(rng, glyphs, 2, 2)}", word(rng, glyphs, 1, 5)
        elif kind == "bits":
            yield word(rng, "01", 8, 8), word(rng, "01", 8, 8)
        elif kind == "numbers":
            left = (
                f"{rng.randrange(100):02}{rng.choice(signs)}{rng.randrange(100):02}" if fixed else rng.randrange(9999)
            )
            yield str(left), word(rng, string.digits, 1, 4)
        elif kind == "decimals":
            yield decimal(rng) + unit, decimal(rng) + (unit if rng.random() < 0.1 else "")
        else:
            plain = " ".join(word(rng, LETTERS, 2, 8) for _ in range(rng.randint(1, 4)))
            yield "".join(alphabet.get(c, c) for c in plain), plain


def block(rng: random.Random, kind: str, key: dict[str, str], alphabet: dict[str, str], n: int, labels: bool) -> Block:
    """`n` rows of a kind with distinct left sides."""
    sides = dict(_sides(rng, kind, key, alphabet, n))
    rows = list(sides.items())
    shown = [""] * len(rows)
    if labels or rng.random() < 0.3:
        form, first = rng.choice(LABELS), rng.choice((1, 1, 1, 0, rng.randint(2, 60)))
        names = [str(first + i) for i in range(len(rows))]
        if rng.random() < 0.2:
            names = rng.sample(string.ascii_uppercase, len(rows)) if len(rows) < 26 else names
        shown = [form.format(name) for name in names]
    note = f"{rng.choice(TITLES)}{rng.choice((':', '', '.', ' -'))}" if rng.random() < 0.4 else ""
    return Block(kind, rng.choice(SIDES), rows, shown, note)


def material(rng: random.Random, size: int, needs: set[str]) -> Material:
    """About `size` characters of material, of which may be nothing where nothing is needed.

    needs: rows (any), labels (any with labels), glyphs, words, key, keyed (a key and rows of glyphs).
    """
    if not needs and size < 30:
        return Material({}, {}, [])
    glyphs = rng.sample(GLYPHS, 10)
    has_key = rng.random() < 0.4 or needs & {"key", "keyed"}
    key = dict(zip(glyphs, rng.sample(string.digits, 10), strict=True)) if has_key else {}
    if key and rng.random() < 0.25:
        key = dict(list(key.items())[: rng.randint(3, 9)])
    alphabet = dict(zip(LETTERS, rng.sample(LETTERS, 26), strict=True))
    page = Material(key, alphabet, [])
    kinds = rng.choices(tuple(WIDTHS), (4, 2, 2, 1.5, 2.5), k=8)
    wanted = [kind for kind in ("glyphs", "words") if kind in needs or (kind == "glyphs" and "keyed" in needs)]
    kinds[: len(wanted)] = rng.sample(wanted, len(wanted))
    while len(page.blocks) < max(1, len(wanted)) or (page.size() < 0.75 * size and len(page.blocks) < 8):
        kind = kinds[len(page.blocks)]
        n = max(2, min(rng.randint(2, 9), (size - page.size()) // WIDTHS[kind]))
        page.blocks.append(block(rng, kind, key, alphabet, n, labels="labels" in needs))
    rng.shuffle(page.blocks)
    page.parts.extend(block.text() for block in page.blocks)
    if key:
        pair, gap = rng.choice(("=", ":", "->", "-", " is ", "~", ">", "/")), rng.choice((" ", ", ", "; ", "\n", " | "))
        title = rng.choice((*TITLES, "")) + rng.choice((": ", " ", ":\n", " = "))
        shown = title + gap.join(f"{glyph}{pair}{digit}" for glyph, digit in key.items())
        page.parts.insert(rng.randint(0, len(page.parts)), shown)
    return page
