"""What a backbone's tokenizer makes of a design's texts: how many tokens, and which signs it merges with a neighbour.

A cryptarithm's glyph, a digit or a bit is copied, looked up and changed one by one. Where the tokenizer makes one token
of two of them, a model has to know what is inside the token before it can do any of that, and the same glyph looks
different beside every neighbour. So a design whose signs merge is flagged: its failures may be the tokenizer's.

The signs are the characters of the answers that are no letters: glyphs, digits, minus signs. Where answers have letters
only (ciphers, numerals), they are the letters, and only the boxes are looked at, because elsewhere letters are words.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

MOST_MERGED, MOST_OVER = 0.01, 0.05
"""Larger shares are flagged."""
LOOKED = 64  # examples of a corpus that a training looks at before it starts
Encode = Callable[[str], Sequence[tuple[int, int]]]
"""Text -> the places (start, end) of its tokens, in characters."""


@dataclass(frozen=True)
class TokenScreen:
    """n: texts; tokens_...: of the completions; prompt_mean: of the prompts; over: share of them above the budget;
    signs: how many were looked at; merged: the share of them that stand in a token with another character;
    merged_tokens: the most frequent such tokens; flags: what to see to before training, empty if nothing."""

    n: int
    tokens_mean: float
    tokens_p95: int
    tokens_max: int
    prompt_mean: float
    budget: int
    over: float
    signs: int
    merged: float
    merged_tokens: str
    flags: str


def screen(rows: Sequence[Mapping], encode: Encode, budget: int) -> TokenScreen:
    """rows: rendered texts of one design (prompt, completion, answer); budget: tokens that a completion may have.

    Raises ValueError without rows.
    """
    if not rows:
        raise ValueError("no rendered row")
    alphabet = set("".join(row["answer"] for row in rows)) - {" "}
    signs = {c for c in alphabet if not c.isalpha()}
    lengths, prompts, merged, found = [], [], Counter(), 0
    for row in rows:
        prompt, completion = encode(row["prompt"]), encode(row["completion"])
        lengths.append(len(completion))
        prompts.append(len(prompt))
        box = row["completion"].rfind("\\boxed{") + len("\\boxed{")
        for text, spans, start in ((row["prompt"], prompt, 0), (row["completion"], completion, 0 if signs else box)):
            if signs or text is row["completion"]:
                n, here = merges(text, spans, signs or alphabet, start)
                found, merged = found + n, merged + here
    lengths.sort()
    p95 = lengths[min(len(rows) - 1, int(0.95 * len(rows)))]
    share = sum(n * count for (_, n), count in merged.items()) / found if found else 0.0
    over = sum(length > budget for length in lengths) / len(rows)
    often = Counter({token: count for (token, _), count in merged.items()}).most_common(5)
    named = " ".join(token for token, _ in often)
    flags = [f"{share:.0%} of the signs share a token with a neighbour ({named})"] * (share > MOST_MERGED)
    flags += [f"{over:.0%} of the thoughts have more than {budget} tokens"] * (over > MOST_OVER)
    return TokenScreen(
        n=len(rows), tokens_mean=sum(lengths) / len(rows), tokens_p95=p95, tokens_max=lengths[-1],
        prompt_mean=sum(prompts) / len(rows), budget=budget, over=over, signs=found,
        merged=share, merged_tokens=named, flags="; ".join(flags),
    )  # fmt: skip


def warning(rows: Sequence[Mapping], tokenizer, budget: int) -> str:
    """The flags of the first LOOKED examples of a corpus; "" where the tokenizer does not say where tokens stand."""
    shown = [row for row in rows[:LOOKED] if row.get("answer")]
    if not shown or not tokenizer.is_fast:
        return ""

    def encode(text: str) -> list[tuple[int, int]]:
        return tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]

    return screen(shown, encode, budget).flags


def merges(
    text: str, spans: Sequence[tuple[int, int]], signs: set[str], start: int = 0
) -> tuple[int, Counter[tuple[str, int]]]:
    """(signs in the text from `start` on, how often each token (its text, its signs) holds one and more than it).

    Where signs are no letters, tokens with letters are words, such as a fixed phrase of the prompt.
    """
    merged: Counter[tuple[str, int]] = Counter()
    are_letters = any(c.isalpha() for c in signs)
    for first, last in spans:
        token = text[first:last].strip()
        inside = sum(c in signs for c in token) if last > start and len(token) > 1 else 0
        if inside and (are_letters or not any(c.isalpha() for c in token)):
            merged[token, inside] += 1
    return sum(c in signs for c in text[start:]), merged
