"""What a cryptarithm prompt shows beside its puzzle: digits of the key or a slate of keys, the rules of the operators.

For a problem and an order there is one permutation of the row's ten glyphs; revealing k digits shows the first k. So
the arms k = 0..10 nest and every arm has the same rows. Some of the ten glyphs stand neither in the prompt nor in the
answer: they are shown like the others, because a shown glyph that is nowhere in the prompt would else be the answer's.

A slate is a list of candidate keys of which one is right, or none: to choose among them is to verify without proposing.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from math import comb
from typing import ClassVar

from common.errors import LabError
from puzzles.base import Problem, row_rng
from puzzles.cryptarithm.slate import candidate_keys
from puzzles.equations.prompt import DIGIT_GLYPHS, minus_and_digits, parse
from puzzles.equations.rules import BY_NAME

ORDERS = ("uniform", "query-first", "answer-first")
RULE_SOURCES = ("derived", "given", "hidden")
MOST = 10
THOUGHT = 1850
NONE = 20
"""In so many of 100 rows no key of a slate is right, unless the reveal says otherwise."""
DRAWN = ("plausible", "random")
LARGEST_SLATE = 9
_SLATE_LINE = re.compile(r"Key ([1-9]):((?: [!-~]=[0-9])++)")
_KEY_LINE = re.compile(r"Key:((?: [!-~]=[0-9])++)")
_NAMES = "|".join(map(re.escape, sorted(BY_NAME, key=len, reverse=True)))
_RULES_LINE = re.compile(rf"Rules: (normal|flip)((?: [!-~]=(?:{_NAMES}))++)")


@dataclass(frozen=True)
class Reveal:
    """What is shown, written `5`, `5-query-first`, `5-given` or `5-answer-first-hidden`; defaults are not written.

    digits: how many, 0..10. order: which glyphs come first; without effect when no digit or every digit is shown. rule:
    the operators' rules and the row's mode are `derived` in the thought, `given` by the prompt, or `hidden`: the
    thought uses them without testing or stating them.

    With a slate no digit is shown by itself: `slate-8`, `slate-2-random`, `slate-8-none-50-given`. slate: how many
    candidate keys. drawn: the wrong ones are plausible or random (puzzles/cryptarithm/slate.py). none: in so many of
    100 rows none is right.
    """

    digits: int = 0
    order: str = ORDERS[0]
    rule: str = RULE_SOURCES[0]
    slate: int = 0
    drawn: str = DRAWN[0]
    none: int = NONE

    PATTERN: ClassVar[str] = (
        rf"(?:[0-9]+(?:-(?:{'|'.join(ORDERS[1:])}))?|slate-[1-9](?:-(?:{'|'.join(DRAWN[1:])}))?(?:-none-[0-9]+)?)"
        rf"(?:-(?:{'|'.join(RULE_SOURCES[1:])}))?"
    )

    @classmethod
    def parse(cls, text: str) -> "Reveal":
        """Raises LabError (without a place) for a text that is not a reveal in its one written form."""
        reveal = None
        if re.fullmatch(cls.PATTERN, text):
            digits, _, rest = text.removeprefix("slate-").partition("-")
            rule = next((each for each in RULE_SOURCES[1:] if rest.endswith(each)), RULE_SOURCES[0])
            if text.startswith("slate-"):
                drawn = next((each for each in DRAWN[1:] if rest.startswith(each)), DRAWN[0])
                none = re.search("none-([0-9]+)", rest)
                reveal = cls(rule=rule, slate=int(digits), drawn=drawn, none=int(none[1]) if none else NONE)
            else:
                order = next((each for each in ORDERS[1:] if rest.startswith(each)), ORDERS[0])
                reveal = cls(int(digits), order, rule)
        if reveal is None or reveal.digits > MOST or reveal.none > 100 or str(reveal) != text:
            raise LabError(
                f"{text!r} is not a reveal; expected digits from 0 to {MOST}, with -{' or -'.join(ORDERS[1:])}"
                f" from 1 to {MOST - 1}, with -{' or -'.join(RULE_SOURCES[1:])},"
                f" such as 5 or 5-{ORDERS[1]}-{RULE_SOURCES[1]}; or a slate of 1 to {LARGEST_SLATE} keys, such as"
                f" slate-8, slate-8-{DRAWN[1]} or slate-8-none-50 (none right in 50 of 100 rows, not said for {NONE})"
            )
        return reveal

    def __str__(self) -> str:
        order = self.order if 0 < self.digits < MOST else ORDERS[0]
        said = [part for part, default in ((order, ORDERS[0]), (self.rule, RULE_SOURCES[0])) if part != default]
        if self.slate:
            none = f"none-{self.none}" if self.none != NONE else ""
            said = ["slate", str(self.slate), self.drawn if self.drawn != DRAWN[0] else "", none, *said]
            return "-".join(filter(None, said))
        return "-".join([str(self.digits), *said])


class Known(dict[str, int]):
    """What is known beforehand: glyph -> digit. rules: operator -> name of its rule, in the row's `mode`; empty, and
    "", where the thought has to find them. thought: the characters that a cryptarithm's thought may have. slate:
    candidate keys, none of which is known to be right."""

    def __init__(
        self,
        digits: Mapping[str, int] | Iterable[tuple[str, int]] = (),
        rules: Mapping[str, str] | None = None,
        mode: str = "",
        thought: int = THOUGHT,
        slate: Iterable[Mapping[str, int]] = (),
    ):
        super().__init__(digits)
        self.rules, self.mode, self.thought = dict(rules or {}), mode, thought
        self.slate = tuple(map(dict, slate))


def alphabet(problem: Problem, seed: int = 0) -> dict[str, int]:
    """The digits of all ten glyphs; a real row, of which fewer are known, gets the others drawn from unused ones."""
    drawn = problem.rule.get("alphabet")
    if drawn:
        return dict(drawn)
    unused = [glyph for glyph in DIGIT_GLYPHS if glyph not in problem.prompt + problem.answer]
    row_rng(seed, "alphabet", problem.id).shuffle(unused)
    free = (digit for digit in range(MOST) if digit not in problem.key.values())
    return {**problem.key, **dict(zip(unused, free, strict=False))}


def reveal_order(problem: Problem, order: str = "uniform", seed: int = 0) -> tuple[str, ...]:
    """The row's ten glyphs in the order in which they are revealed.

    uniform: at random. query-first: those of the query's operands, then the others at random. answer-first: one of the
    answer and one that is not the answer's in turn, as long as there are both, so that what is shown is not what the
    answer is made of.
    """
    if order not in ORDERS:
        raise LabError(f"unknown order of revealing {order!r}; one of {', '.join(ORDERS)}", field="order")
    glyphs = sorted(alphabet(problem, seed))
    row_rng(seed, "reveal", problem.id).shuffle(glyphs)
    query = parse(problem.prompt).query
    if order == "query-first":
        glyphs.sort(key=lambda glyph: glyph not in query.left + query.right)
    if order == "answer-first":
        asked = [[g for g in glyphs if (g in problem.answer) == inside] for inside in (True, False)]
        turns = {glyph: turn for part in asked for turn, glyph in enumerate(part)}
        glyphs.sort(key=lambda glyph: (turns[glyph], glyph not in problem.answer))
    return tuple(glyphs)


def shown_key(problem: Problem, k: int, order: str = "uniform", seed: int = 0) -> dict[str, int]:
    """The k revealed digits, glyph -> digit."""
    if not 0 <= k <= MOST:
        raise LabError(f"{k} is not a number of digits to reveal, expected 0..{MOST}", field="reveal")
    if k and not problem.key:
        raise LabError(f"family {problem.family} has no key to reveal", field="reveal")
    digits = alphabet(problem, seed) if k else {}
    return {glyph: digits[glyph] for glyph in reveal_order(problem, order, seed)[:k]} if k else {}


def by_chance(problem: Problem, k: int, order: str = "uniform", seed: int = 0) -> float:
    """How likely the best guess is right that knows only which glyphs are shown and how they are chosen.

    It also knows the answer's length and its minus, but no digit's value: strings of the glyphs that the prompt shows
    are weighed by how likely they make the shown set, and one of the best is picked. Where the set says nothing of the
    answer this is the chance of any string; more is a leak, as when the answer's own glyphs are permuted.
    """
    row = parse(problem.prompt)
    answer = minus_and_digits(replace(row.query, output=problem.answer))[1]
    shown = set(shown_key(problem, k, order, seed))
    every = shown.union(row.digit_glyphs())
    weights: dict[tuple[int, int], float] = {}
    strings: dict[tuple[int, int], int] = {}
    for m in range(1, len(answer) + 1):
        for j in range(m + 1):
            sets = comb(len(shown), j) * comb(len(every) - len(shown), m - j)
            if sets:
                strings[m, j] = sets * _onto(len(answer), m)
                weights[m, j] = _odds(k, m, j) if order == "answer-first" else 1.0
    own = len(set(answer)), len(shown.intersection(answer))
    best = max(weights.values())
    if not set(answer) <= every or weights[own] < best:
        return 0.0
    return 1 / sum(n for which, n in strings.items() if weights[which] == best)


def _onto(length: int, m: int) -> int:
    """Strings of a length that use each of m glyphs."""
    return sum((-1) ** i * comb(m, i) * (m - i) ** length for i in range(m + 1))


def _odds(k: int, m: int, j: int) -> float:
    """How likely answer-first shows one set of k glyphs, j of them the answer's m."""
    others = MOST - m
    inside = min(m, max((k + 1) // 2, k - others))
    return 1 / (comb(m, inside) * comb(others, k - inside)) if j == inside else 0.0


def known_of(problem: Problem, operators: Iterable[str], reveal: Reveal, seed: int = 0) -> Known:
    """What the thought starts from: the revealed digits as the prompt lists them and, unless it derives them, the rules
    of these operators."""
    digits = shown_key(problem, reveal.digits, reveal.order, seed)
    known = Known(dict(sorted(digits.items())), slate=slate_of(problem, reveal, seed) if reveal.slate else ())
    if reveal.rule == "derived":
        return known
    if not problem.rule:
        raise LabError(f"the rules of the row are not known, they cannot be {reveal.rule}", field="reveal")
    known.rules, known.mode = {op: problem.rule["operators"][op] for op in operators}, problem.rule["mode"]
    return known


def slate_of(problem: Problem, reveal: Reveal, seed: int = 0) -> tuple[dict[str, int], ...]:
    """The candidate keys of a row. Whether one is right is drawn once for all slates of the row."""
    has_right = row_rng(seed, "slate has right", problem.id).random() >= reveal.none / 100
    rng = row_rng(seed, "slate", reveal.slate, reveal.drawn, problem.id)
    return candidate_keys(
        parse(problem.prompt),
        alphabet(problem, seed),
        problem.rule["operators"],
        reveal.slate,
        rng,
        plausible=reveal.drawn == "plausible",
        has_right=has_right,
    )


def key_line(known: Mapping[str, int]) -> str:
    """The prompt's line of digits (glyphs in code order, so that it does not tell the order of revealing)."""
    return f"Key: {' '.join(f'{glyph}={digit}' for glyph, digit in sorted(known.items()))}" if known else ""


def rules_line(known: Known) -> str:
    """The prompt's line of rules: the mode, then every operator with its rule."""
    return f"Rules: {known.mode} {' '.join(f'{op}={rule}' for op, rule in known.rules.items())}" if known.rules else ""


def slate_lines(known: Known) -> list[str]:
    """The prompt's lines of candidate keys."""
    return [f"Key {k}:{key_line(key).removeprefix('Key:')}" for k, key in enumerate(known.slate, 1)]


def shown_prompt(prompt: str, known: Mapping[str, int]) -> str:
    """The prompt with its line of digits, its candidate keys and its line of rules, as far as there are any."""
    told = [*slate_lines(known), rules_line(known)] if isinstance(known, Known) else []
    return "\n".join(filter(None, (prompt, key_line(known), *told)))


def split_shown(shown: str) -> tuple[str, Known]:
    """The puzzle's own prompt and what the lines after it say."""
    known = Known()
    prompt, _, last = shown.rpartition("\n")
    match = _RULES_LINE.fullmatch(last)
    if match is not None:
        known.mode, known.rules = match[1], {pair[0]: pair[2:] for pair in match[2].split(" ")[1:]}
        shown = prompt
        prompt, _, last = shown.rpartition("\n")
    keys = []
    while match := _SLATE_LINE.fullmatch(last):
        keys.insert(0, {pair[0]: int(pair[2]) for pair in match[2].split(" ")[1:]})
        shown = prompt
        prompt, _, last = shown.rpartition("\n")
    known.slate = tuple(keys)
    match = _KEY_LINE.fullmatch(last)
    if match is None:
        return shown, known
    known.update((pair[0], int(pair[2])) for pair in match[1].split(" ")[1:])
    return prompt, known
