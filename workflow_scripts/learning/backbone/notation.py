"""How one skill is written on one worksheet: words and signs, drawn at random from several.

No design's format is the practised one, because no format is: a worksheet writes a skill in one of many thousand ways,
shows it once as an example, and asks for it from then on. The words are not those of any design.
"""

import random
import re
from dataclasses import dataclass

OPEN, CLOSE = "\ue000", "\ue001"  # around what the notation decides: see `pieces`

ASK = (": ", " : ", " -> ", " => ", " | ", " ~ ", "; ", "? ", " .. ", ". ", " >> ", " := ", " - ", " ")
PAIR = ("=", ":", "-", ">", "/", "~", ".", "->", "_", "<", ": ", " is ")
GAP = (" ", " ", ", ", ",", "; ", " | ", " / ", " & ", " . ", "\n", "\n", "\n ")
BETWEEN = (" ", " ", ", ", " & ", " / ", " | ", " with ", " ; ", " by ")
IS = ("=", "=", " = ", ": ", " is ", "->", " -> ", "; ")
PLUS, MINUS, TIMES = ("+", "+", " + ", " plus "), ("-", "-", " - ", " minus "), ("*", "*", " * ", "x", " x ", " times ")
VERDICTS = (
    ("equal", "unequal"),
    ("true", "false"),
    ("alike", "unlike"),
    ("right", "wrong"),
    ("T", "F"),
    ("1", "0"),
    ("good", "bad"),
    ("in", "out"),
    ("pass", "refuse"),
    ("+", "x"),
    ("Y", "N"),
    ("fine", "miss"),
)
ORDERS = (("<", "=", ">"), ("less", "equal", "more"), ("below", "level", "above"), ("small", "even", "big"))


def marked(sign: str) -> str:
    return f"{OPEN}{sign}{CLOSE}"


def plain(text: str) -> str:
    """A text without the marks around its signs."""
    return text.replace(OPEN, "").replace(CLOSE, "")


def pieces(text: str) -> list[tuple[str, bool]]:
    """(piece, whether the notation alone decides it): what an example cannot be expected to foresee."""
    found = re.split(f"({OPEN}[^{CLOSE}]*{CLOSE})", text)
    return [(plain(piece), piece.startswith(OPEN)) for piece in found if piece]


@dataclass(frozen=True, slots=True)
class Notation:
    """Words and signs of one skill on one worksheet; `turn` and `style` choose between ways of showing the steps."""

    word: str
    after: bool
    ask: str
    pair: str
    gap: str
    between: str
    equals: str
    plus: str
    minus: str
    times: str
    yes: str
    no: str
    order: tuple[str, str, str]
    turn: bool
    style: int

    @classmethod
    def draw(cls, rng: random.Random, words: tuple[str, ...]) -> "Notation":
        """Draw every part by itself; short words more often, they leave more of a worksheet to the answers."""
        word = min(rng.choices(words, k=2), key=len)
        if rng.random() < 0.15:
            word = word.capitalize()
        yes, no = map(marked, rng.choice(VERDICTS))
        return cls(
            word=word,
            after=rng.random() < 0.25,
            ask=rng.choice(ASK),
            pair=marked(rng.choice(PAIR)),
            gap=marked(rng.choice(GAP)),
            between=rng.choice(BETWEEN),
            equals=marked(rng.choice(IS)),
            plus=marked(rng.choice(PLUS)),
            minus=marked(rng.choice(MINUS)),
            times=marked(rng.choice(TIMES)),
            yes=yes,
            no=no,
            order=tuple(map(marked, rng.choice(ORDERS))),
            turn=rng.random() < 0.5,
            style=rng.randrange(4),
        )

    def question(self, *arguments: object) -> str:
        """The word and the arguments up to the answer."""
        shown = self.between.join(map(str, arguments))
        parts = [shown, self.word] if self.after else [self.word, shown]
        return plain(" ".join(part for part in parts if part) + self.ask)

    def pairs(self, left, right) -> str:
        """Aligned items as pairs."""
        return self.gap.join(f"{a}{self.pair}{b}" for a, b in zip(left, right, strict=True))

    def steps(self, *parts: object) -> str:
        """The parts of an answer, one after the other."""
        return self.gap.join(map(str, parts))

    def sum(self, *terms: object, total: object) -> str:
        return f"{self.plus.join(map(str, terms))}{self.equals}{total}"

    def difference(self, a: object, b: object, rest: object) -> str:
        return f"{a}{self.minus}{b}{self.equals}{rest}"

    def product(self, a: object, b: object, value: object, carry: int = 0) -> str:
        return f"{a}{self.times}{b}{f'{self.plus}{carry}' if carry else ''}{self.equals}{value}"

    def verdict(self, holds: bool) -> str:
        return self.yes if holds else self.no
