"""cipher / forward: spell out the example words that show the query's letters, decode word by word, recall the rest.

A query word with letters that no example shows is completed from the vocabulary: at once when one word fits, after all
other words otherwise. Rows in which several words still fit then are not rendered.
"""

import random
from collections import defaultdict
from collections.abc import Mapping
from typing import Annotated

from puzzles.base import Problem, Solution
from puzzles.cipher import VOCABULARY, CipherRow, pattern
from reasoning.grammar.lines import Chars, Letters, Line, line
from reasoning.grammar.page import Page
from reasoning.grammar.trace import Design, Trace, Unrenderable

Letter = Annotated[str, Chars("a-z", 1)]
Seen = Annotated[str, Chars("a-z?")]

_BY_PATTERN: dict[tuple[int, ...], list[str]] = defaultdict(list)
for _word in VOCABULARY:
    _BY_PATTERN[pattern(_word)].append(_word)


def spell(code: str, letters: Mapping[str, str]) -> str:
    """A cipher word decoded as far as the letters go, ? elsewhere."""
    return "".join(letters.get(c, "?") for c in code)


def fitting(code: str, seen: str, letters: Mapping[str, str]) -> list[str]:
    """The vocabulary words that a cipher word can stand for; letters that are taken are not used twice."""
    taken = set(letters.values())
    return [
        word
        for word in _BY_PATTERN.get(pattern(code), ())
        if all(p == s or (s == "?" and p not in taken) for p, s in zip(word, seen, strict=True))
    ]


def looked_up(page: Page, code: str, seen: str) -> bool:
    """A query word spelled by the letters on the page, ? only for letters that were found absent."""
    letters, absent = page.names("letter"), page.names("absent")
    return code in page.parsed.query and seen == spell(code, letters) and all(c in letters or c in absent for c in code)


@line
class Pair(Line):
    """An example's cipher word, its plain word, and the letters read off them."""

    KIND = "cipher/pair"
    TEXT = "{code} {plain} {letters: =}"
    code: Letters
    plain: Letters
    letters: tuple[tuple[Letter, Letter], ...]

    def transcription(self, page: Page) -> bool:
        return any(
            pair == (self.code, self.plain)
            for codes, plains in page.parsed.examples
            for pair in zip(codes, plains, strict=True)
        )

    def arithmetic(self, page: Page) -> bool:
        return self.letters == tuple(dict.fromkeys(zip(self.code, self.plain, strict=False)))

    def establish(self, page: Page) -> None:
        for code, plain in self.letters:
            page.put("letter", code, plain)


@line
class Absent(Line):
    """A letter of the query that no example shows."""

    KIND = "cipher/absent"
    TEXT = "{letter} absent"
    letter: Letter

    def transcription(self, page: Page) -> bool:
        shown = any(self.letter in code for codes, _ in page.parsed.examples for code in codes)
        return not shown and any(self.letter in code for code in page.parsed.query)

    def establish(self, page: Page) -> None:
        page.put("absent", self.letter, True)


@line
class Decode(Line):
    """A query word as far as its letters are known."""

    KIND = "cipher/decode"
    TEXT = "{code} {seen}"
    code: Letters
    seen: Seen

    def transcription(self, page: Page) -> bool:
        return looked_up(page, self.code, self.seen)

    def establish(self, page: Page) -> None:
        if "?" not in self.seen:
            page.put("word", self.code, self.seen)


@line
class Recall(Line):
    """A query word completed from the vocabulary, and the letters that this gives."""

    KIND = "cipher/recall"
    TEXT = "{code} {seen} {word} {letters:,=}"
    code: Letters
    seen: Seen
    word: Letters
    letters: tuple[tuple[Letter, Letter], ...]

    def transcription(self, page: Page) -> bool:
        return looked_up(page, self.code, self.seen)

    def arithmetic(self, page: Page) -> bool:
        new = tuple((c, p) for c, p, s in zip(self.code, self.word, self.seen, strict=False) if s == "?")
        return (
            len(self.code) == len(self.word) == len(self.seen)
            and self.letters == tuple(dict.fromkeys(new))
            and all(s in ("?", p) for p, s in zip(self.word, self.seen, strict=True))
        )

    def verdict_follows(self, page: Page) -> bool:
        """The word follows when it is the only one that fits."""
        return len(self.seen) == len(self.code) and (fitting(self.code, self.seen, page.names("letter")) == [self.word])

    def establish(self, page: Page) -> None:
        page.put("word", self.code, self.word)
        for code, plain in self.letters:
            page.put("letter", code, plain)


@line
class Answer(Line):
    """The decoded words in the order of the query."""

    KIND = "cipher/answer"
    TEXT = "= {words: }"
    words: tuple[Letters, ...]

    def transcription(self, page: Page) -> bool:
        return self.words == tuple(page.get("word", code) for code in page.parsed.query)

    def establish(self, page: Page) -> None:
        page.answer = " ".join(self.words)


def render(
    problem: Problem, parsed: CipherRow, solution: Solution, known: Mapping[str, int], rng: random.Random
) -> Trace:
    if solution.answer != problem.answer:
        raise Unrenderable("the solver's sentence is not the answer")
    truth = dict(zip(parsed.query, problem.answer.split(" "), strict=True))
    pairs = [pair for codes, plains in parsed.examples for pair in zip(codes, plains, strict=True)]
    lines: list[Line] = []
    letters: dict[str, str] = {}
    absent = set()
    for letter in dict.fromkeys("".join(parsed.query)):
        if letter in letters:
            continue
        shown = next((pair for pair in pairs if letter in pair[0]), None)
        if shown is None:
            lines.append(Absent(letter))
            absent.add(letter)
            continue
        lines.append(Pair(*shown, tuple(dict.fromkeys(zip(*shown, strict=True)))))
        letters.update(lines[-1].letters)

    postponed = []

    def complete(code: str, seen: str) -> None:
        new = tuple(dict.fromkeys((c, p) for c, p, s in zip(code, truth[code], seen, strict=True) if s == "?"))
        if fitting(code, seen, letters) != [truth[code]]:
            raise Unrenderable("no word of the vocabulary, or more than one, fits a word of the query")
        lines.append(Recall(code, seen, truth[code], new))
        letters.update(new)

    for code in dict.fromkeys(parsed.query):
        seen = spell(code, letters)
        if "?" in seen and len(fitting(code, seen, letters)) == 1:
            complete(code, seen)
            continue
        lines.append(Decode(code, seen))
        if "?" in seen:
            postponed.append(code)
    for code in postponed:
        seen = spell(code, letters)
        if "?" in seen:
            complete(code, seen)
        else:
            lines.append(Decode(code, seen))
    lines.append(Answer(tuple(truth[code] for code in parsed.query)))
    return Trace(tuple(lines), problem.answer)


DESIGN = Design("forward", "cipher", (Pair, Absent, Decode, Recall, Answer), render)
