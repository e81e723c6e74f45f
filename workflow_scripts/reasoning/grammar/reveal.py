"""What a cryptarithm prompt shows beside its puzzle: digits of the key, and the rules of the operators.

For a problem and an order there is one permutation of its glyphs, and k revealed digits are those of its first k. So a
prompt with more digits shows everything that one with fewer digits shows, and every arm has the same rows.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from common.errors import LabError
from puzzles.base import Problem, row_rng
from puzzles.equations.rules import BY_NAME

ORDERS = ("uniform", "query-first", "answer-first")
RULE_SOURCES = ("derived", "given", "hidden")
MOST = 10
THOUGHT = 1850
_KEY_LINE = re.compile(r"Key:((?: [!-~]=[0-9])++)")
_NAMES = "|".join(map(re.escape, sorted(BY_NAME, key=len, reverse=True)))
_RULES_LINE = re.compile(rf"Rules: (normal|flip)((?: [!-~]=(?:{_NAMES}))++)")


@dataclass(frozen=True)
class Reveal:
    """What is shown, written `5`, `5-query-first`, `5-given` or `5-answer-first-hidden`; defaults are not written.

    digits: how many, 0..10. order: which glyphs come first; without effect when no digit or every digit is shown. rule:
    the operators' rules and the row's mode are `derived` in the thought, `given` by the prompt, or `hidden`: the
    thought uses them without testing or stating them.
    """

    digits: int = 0
    order: str = ORDERS[0]
    rule: str = RULE_SOURCES[0]

    PATTERN: ClassVar[str] = rf"[0-9]+(?:-(?:{'|'.join(ORDERS[1:])}))?(?:-(?:{'|'.join(RULE_SOURCES[1:])}))?"

    @classmethod
    def parse(cls, text: str) -> "Reveal":
        """Raises LabError (without a place) for a text that is not a reveal in its one written form."""
        reveal = None
        if re.fullmatch(cls.PATTERN, text):
            digits, _, rest = text.partition("-")
            order = next((each for each in ORDERS[1:] if rest.startswith(each)), ORDERS[0])
            rule = next((each for each in RULE_SOURCES[1:] if rest.endswith(each)), RULE_SOURCES[0])
            reveal = cls(int(digits), order, rule)
        if reveal is None or reveal.digits > MOST or str(reveal) != text:
            raise LabError(
                f"{text!r} is not a reveal; expected digits from 0 to {MOST}, with -{' or -'.join(ORDERS[1:])}"
                f" from 1 to {MOST - 1}, with -{' or -'.join(RULE_SOURCES[1:])},"
                f" such as 5 or 5-{ORDERS[1]}-{RULE_SOURCES[1]}"
            )
        return reveal

    def __str__(self) -> str:
        order = self.order if 0 < self.digits < MOST else ORDERS[0]
        said = [part for part, default in ((order, ORDERS[0]), (self.rule, RULE_SOURCES[0])) if part != default]
        return "-".join([str(self.digits), *said])


class Known(dict[str, int]):
    """What is known beforehand: glyph -> digit. rules: operator -> name of its rule, in the row's `mode`; empty, and
    "", where the thought has to find them. thought: the characters that a cryptarithm's thought may have."""

    def __init__(
        self,
        digits: Mapping[str, int] | Iterable[tuple[str, int]] = (),
        rules: Mapping[str, str] | None = None,
        mode: str = "",
        thought: int = THOUGHT,
    ):
        super().__init__(digits)
        self.rules, self.mode, self.thought = dict(rules or {}), mode, thought


def reveal_order(problem: Problem, order: str = "uniform", seed: int = 0) -> tuple[str, ...]:
    """The glyphs of the key in the order in which they are revealed.

    uniform: at random. query-first: those of the query's operands first, then those of the answer, then the others;
    answer-first: the answer's before the query's. Within a group at random.
    """
    if order not in ORDERS:
        raise LabError(f"unknown order of revealing {order!r}; one of {', '.join(ORDERS)}", field="order")
    glyphs = sorted(problem.key)
    row_rng(seed, "reveal", problem.id).shuffle(glyphs)
    if order == "uniform":
        return tuple(glyphs)
    query = problem.prompt.rpartition(": ")[2]
    first, second = (query, problem.answer) if order == "query-first" else (problem.answer, query)
    return tuple(sorted(glyphs, key=lambda glyph: (glyph not in first, glyph not in second)))


def shown_key(problem: Problem, k: int, order: str = "uniform", seed: int = 0) -> dict[str, int]:
    """The k revealed digits, glyph -> digit; the whole key when it has no more than k glyphs."""
    if not 0 <= k <= MOST:
        raise LabError(f"{k} is not a number of digits to reveal, expected 0..{MOST}", field="reveal")
    if k and not problem.key:
        raise LabError(f"family {problem.family} has no key to reveal", field="reveal")
    return {glyph: problem.key[glyph] for glyph in reveal_order(problem, order, seed)[:k]}


def known_of(problem: Problem, operators: Iterable[str], reveal: Reveal, seed: int = 0) -> Known:
    """What the thought starts from: the revealed digits and, unless it derives them, the rules of these operators."""
    digits = shown_key(problem, reveal.digits, reveal.order, seed)
    if reveal.rule == "derived":
        return Known(digits)
    if not problem.rule:
        raise LabError(f"the rules of the row are not known, they cannot be {reveal.rule}", field="reveal")
    return Known(digits, {op: problem.rule["operators"][op] for op in operators}, problem.rule["mode"])


def key_line(known: Mapping[str, int]) -> str:
    """The prompt's line of digits (glyphs in code order, so that it does not tell the order of revealing)."""
    return f"Key: {' '.join(f'{glyph}={digit}' for glyph, digit in sorted(known.items()))}" if known else ""


def rules_line(known: Known) -> str:
    """The prompt's line of rules: the mode, then every operator with its rule."""
    return f"Rules: {known.mode} {' '.join(f'{op}={rule}' for op, rule in known.rules.items())}" if known.rules else ""


def shown_prompt(prompt: str, known: Mapping[str, int]) -> str:
    """The prompt with its line of digits and its line of rules, as far as there are any."""
    rules = rules_line(known) if isinstance(known, Known) else ""
    return "\n".join(filter(None, (prompt, key_line(known), rules)))


def split_shown(shown: str) -> tuple[str, Known]:
    """The puzzle's own prompt and what the two lines after it say."""
    known = Known()
    prompt, _, last = shown.rpartition("\n")
    match = _RULES_LINE.fullmatch(last)
    if match is not None:
        known.mode, known.rules = match[1], {pair[0]: pair[2:] for pair in match[2].split(" ")[1:]}
        shown = prompt
        prompt, _, last = shown.rpartition("\n")
    match = _KEY_LINE.fullmatch(last)
    if match is None:
        return shown, known
    known.update((pair[0], int(pair[2])) for pair in match[1].split(" ")[1:])
    return prompt, known
