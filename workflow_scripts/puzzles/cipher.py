"""A monoalphabetic substitution over short sentences of 77 words.

Tier: how many distinct letters of the query no example shows (0: a look-up in the examples is enough). Solver cost:
word candidates tried against the partial bijection.
"""

import math
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from puzzles.base import Family, Problem, PromptError, Solution
from puzzles.frame import checked, split_prompt

HEADER = "In Alice's Wonderland, secret encryption rules are used on text. Here are some examples:\n"
ARROW = " -> "
BEFORE = "\nNow, decrypt the following text: "
LETTERS = "abcdefghijklmnopqrstuvwxyz"

SLOTS: Mapping[str, tuple[str, ...]] = {
    slot: tuple(words.split())
    for slot, words in {
        "the": "the",
        "adjective": "ancient bright clever colorful curious dark golden hidden magical mysterious secret silver "
        "strange wise",
        "subject": "alice bird cat dragon hatter king knight mouse princess queen rabbit student teacher turtle wizard",
        "verb": "chases creates discovers draws dreams explores follows found imagines reads sees studies watches "
        "writes",
        "object": "book castle crystal door forest garden key map message mirror potion puzzle secret story treasure",
        "preposition": "above around beyond in inside near through under",
        "place": "castle cave forest garden island library mountain ocean palace school tower valley village "
        "wonderland",
    }.items()
}
TEMPLATES = (
    ("subject", "verb", "object"),
    ("the", "adjective", "subject", "verb"),
    ("subject", "verb", "preposition", "place"),
    ("subject", "verb", "the", "adjective", "object"),
)
VOCABULARY = tuple(sorted({word for words in SLOTS.values() for word in words}))
TIERS = range(0, 27)
MAX_WORDS = 12
NODE_BUDGET = 200_000
_CHOICES = [[SLOTS[slot] for slot in template] for template in TEMPLATES]


def pattern(word: str) -> tuple[int, ...]:
    """Where each letter of a word occurs first: equal for two words iff a substitution turns one into the other."""
    return tuple(word.index(letter) for letter in word)


BY_PATTERN: dict[tuple[int, ...], tuple[str, ...]] = {}
for _word in VOCABULARY:
    BY_PATTERN[pattern(_word)] = (*BY_PATTERN.get(pattern(_word), ()), _word)


@dataclass(frozen=True, slots=True)
class CipherRow:
    """A parsed prompt: examples as (cipher words, plain words), and the cipher words of the query."""

    examples: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]
    query: tuple[str, ...]


def generate(
    rng: random.Random, n: int, *, examples: Sequence[int] = (3, 4, 5), tiers: Sequence[int] = TIERS
) -> Iterator[Problem]:
    """`n` problems: a uniform permutation of the alphabet, sentences from four equally likely templates.

    Of the counts 3, 4, 5 the shares are those of the real rows (.41, .38, .21); any others are equally likely.
    """
    counts, wanted = checked(examples, range(1, 21), "examples"), set(checked(tiers, TIERS, "tiers"))
    shares = (0.41, 0.38, 0.21) if counts == (3, 4, 5) else None
    uniform, made = rng.random, 0
    while made < n:
        k = rng.choices(counts, shares)[0]
        drawn = [_CHOICES[int(uniform() * 4)] for _ in range(k + 1)]
        *shown, answer = [" ".join([words[int(uniform() * len(words))] for words in slots]) for slots in drawn]
        unseen = sorted(set(answer).difference(*shown), key=answer.index)
        if len(unseen) not in wanted:
            continue
        made += 1
        code = "".join(sorted(LETTERS, key=lambda _: uniform()))
        table = str.maketrans(LETTERS, code)
        lines = [f"{sentence.translate(table)}{ARROW}{sentence}" for sentence in shown]
        yield Problem(
            family="cipher",
            prompt=HEADER + "\n".join(lines) + f"{BEFORE}{answer.translate(table)}",
            answer=answer,
            stratum="all",
            tier=len(unseen),
            rule={"code": code},
            canonical=_canonical(shown, answer.translate(_capitals(unseen)) if unseen else answer),
        )


def _words(text: str, place: str) -> tuple[str, ...]:
    words = tuple(text.split(" "))
    if len(words) > MAX_WORDS or not all(word and not word.strip(LETTERS) and len(word) <= 20 for word in words):
        raise PromptError(f"expected words of a-z with one space between, got {text[:100]!r}", field=place)
    return words


def parse(prompt: str) -> CipherRow:
    """Read a prompt; raises PromptError naming the part."""
    lines, query = split_prompt(prompt, (HEADER, BEFORE, ""))
    pairs = []
    for i, line in enumerate(lines, 1):
        code, found, plain = line.partition(ARROW)
        if not found:
            raise PromptError(f"expected `<cipher words> -> <plain words>`, got {line[:100]!r}", field=f"example {i}")
        pair = _words(code, f"example {i}"), _words(plain, f"example {i}")
        if list(map(len, pair[0])) != list(map(len, pair[1])):
            raise PromptError("unequal words on the two sides (count or lengths)", field=f"example {i}")
        pairs.append(pair)
    return CipherRow(tuple(pairs), _words(query, "query"))


def sentence_weight(words: Sequence[str]) -> float:
    """The probability of a sentence under the four templates; 0 for one that none of them writes."""
    weight = 0.0
    for template in TEMPLATES:
        if len(template) == len(words) and all(w in SLOTS[s] for w, s in zip(words, template, strict=True)):
            weight += 1 / len(TEMPLATES) / math.prod(len(SLOTS[s]) for s in template)
    return weight


def _fits(code: str, word: str, to_plain: Mapping[str, str], to_code: Mapping[str, str]) -> bool:
    return all(to_plain.get(c, p) == p and to_code.get(p, c) == c for c, p in zip(code, word, strict=True))


def solve(row: CipherRow, prior: dict | None = None) -> Solution:
    """Read letters off the examples, then enumerate every consistent choice of vocabulary words for the query.

    A word whose letters are all known is decoded, in the vocabulary or not. Decodings are weighted by the sentence
    templates; if no decoding is such a sentence, equally. No answer when the examples contradict each other or when
    no vocabulary word fits.
    """
    to_plain: dict[str, str] = {}
    to_code: dict[str, str] = {}
    for i, (codes, plains) in enumerate(row.examples, 1):
        for code, plain in zip(codes, plains, strict=True):
            for c, p in zip(code, plain, strict=True):
                if c not in to_plain and p not in to_code:
                    to_plain[c], to_code[p] = p, c
                elif to_plain.get(c) != p:
                    had = f"{c} = {to_plain[c]}" if c in to_plain else f"{to_code[p]} = {p}"
                    reason = f"example {i}: {code} -> {plain} needs {c} = {p}, earlier letters gave {had}"
                    return Solution(None, reason=reason, nodes=len(to_plain))

    nodes, candidates = 0, {}
    for code in dict.fromkeys(row.query):
        if all(c in to_plain for c in code):
            candidates[code] = ["".join(to_plain[c] for c in code)]
            continue
        same = BY_PATTERN.get(pattern(code), ())
        nodes += len(same)
        candidates[code] = [word for word in same if _fits(code, word, to_plain, to_code)]
        if not candidates[code]:
            seen = "".join(to_plain.get(c, "?") for c in code)
            reason = f"no word of the vocabulary fits {code} = {seen}"
            return Solution(None, reason=reason, nodes=nodes)

    order = sorted(candidates, key=lambda code: len(candidates[code]))
    decodings: list[dict[str, str]] = []
    exhaustive = True

    def extend(at: int, chosen: dict[str, str], plain: dict[str, str], code_of: dict[str, str]) -> None:
        nonlocal nodes, exhaustive
        if at == len(order):
            decodings.append(dict(chosen))
            return
        code = order[at]
        for word in candidates[code]:
            if nodes >= NODE_BUDGET:
                exhaustive = False
                return
            nodes += 1
            if _fits(code, word, plain, code_of):
                letters = list(zip(code, word, strict=True))
                extend(
                    at + 1,
                    {**chosen, code: word},
                    plain | dict(letters),
                    code_of | {p: c for c, p in letters},
                )

    extend(0, {}, to_plain, to_code)
    if not decodings:
        reason = "no choice of vocabulary words fits the query" + ("" if exhaustive else " within the node budget")
        return Solution(None, reason=reason, exhaustive=exhaustive, nodes=nodes)
    weights = [sentence_weight([chosen[code] for code in row.query]) for chosen in decodings]
    if not any(weights):
        weights = [1.0] * len(decodings)
    total = sum(weights)
    answers = tuple(
        sorted(
            (
                (" ".join(chosen[code] for code in row.query), weight / total)
                for chosen, weight in zip(decodings, weights, strict=True)
                if weight
            ),
            key=lambda pair: (-pair[1], pair[0]),
        )
    )
    answer, posterior = answers[0]
    best = dict(zip(row.query, answer.split(" "), strict=True))
    for code, word in best.items():
        for c, p in zip(code, word, strict=True):
            to_plain.setdefault(c, p)
    return Solution(
        answer,
        posterior,
        answers,
        len(decodings),
        exhaustive,
        nodes,
        "" if posterior == 1 else "the examples leave more than one sentence",
        {"letters": to_plain, "words": [best[code] for code in row.query]},
    )


def _canonical(plains: Sequence[str], query: str) -> str:
    return "/".join(sorted(plains)) + "?" + query


def _capitals(letters: Iterable[str]) -> dict[int, str]:
    """A translation of letters to A, B, ... in the order given."""
    return {ord(letter): chr(65 + i) for i, letter in enumerate(letters)}


def canonical(row: CipherRow) -> str:
    """Equal for two prompts that differ in the letters of the code and the order of examples only.

    Plain words stay as they are (they are English); the query is decoded as far as the examples go, its unseen letters
    become A, B, ... in order of appearance.
    """
    known = {ord(c): p for codes, plains in row.examples for c, p in zip("".join(codes), "".join(plains), strict=True)}
    text = " ".join(row.query)
    unseen = dict.fromkeys(c for c in text if c != " " and ord(c) not in known)
    return _canonical([" ".join(plains) for _, plains in row.examples], text.translate(known | _capitals(unseen)))


def is_answer(row: CipherRow, text: str) -> bool:
    """Whether some substitution of letters turns the query into this text."""
    code = " ".join(row.query)
    blanks = [c == " " for c in code] == [c == " " for c in text]
    return blanks and not text.strip(LETTERS + " ") and pattern(text) == pattern(code)


FAMILY = Family(
    name="cipher",
    generate=generate,
    parse=parse,
    solve=solve,
    canonical=canonical,
    is_answer=is_answer,
    answer_form="words of a-z that a substitution of letters turns the query into",
    phrases=(HEADER, ARROW, BEFORE),
    order=4,
)
