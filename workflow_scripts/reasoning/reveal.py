"""Key reveal: which digits of a cryptarithm key the prompt shows, and the prompt as shown.

For a problem and an order there is one permutation of its glyphs; revealing k digits shows the first k. So the arms
k = 0..10 nest and every arm has the same rows.
"""

import re
from collections.abc import Mapping

from common.errors import LabError
from puzzles.base import Problem, row_rng

ORDERS = ("uniform", "query-first", "answer-first")
MOST = 10
_KEY_LINE = re.compile(r"Key:((?: [!-~]=[0-9])++)")


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


def shown_prompt(prompt: str, known: Mapping[str, int]) -> str:
    """The prompt with its key line (glyphs in code order, so that the line does not tell the order of revealing)."""
    if not known:
        return prompt
    return f"{prompt}\nKey: {' '.join(f'{glyph}={digit}' for glyph, digit in sorted(known.items()))}"


def split_shown(shown: str) -> tuple[str, dict[str, int]]:
    """The puzzle's own prompt and the revealed key of a prompt as shown."""
    prompt, _, last = shown.rpartition("\n")
    match = _KEY_LINE.fullmatch(last)
    if match is None:
        return shown, {}
    return prompt, {pair[0]: int(pair[2]) for pair in match[1].split(" ")[1:]}
