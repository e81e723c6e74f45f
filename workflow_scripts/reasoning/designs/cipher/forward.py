"""cipher / forward: pair the words of every example, spell out every pair, decode letter by letter, recall the rest.

Every word is spelled, in the order of the page, so that no step chooses one.

For a query word with letters that no example shows, the vocabulary's words of that length are listed (recalled), and
those that fit what is known are chosen from the list. One that fits completes the word; when several fit, the word is
taken up again after all others. Rows in which several words still fit then are not rendered, nor the few whose prompt
and completion would not go into a context of 2,048 tokens together.
"""

import random
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from typing import Annotated

from puzzles.base import Problem, Solution
from puzzles.cipher import VOCABULARY, CipherRow, pattern
from reasoning.grammar.lines import Chars, Letters, Line, line
from reasoning.grammar.page import Page
from reasoning.grammar.trace import Design, Trace, Unrenderable, completion_of

Letter = Annotated[str, Chars("a-z", 1)]
Seen = Annotated[str, Chars("a-z?")]
Seen1 = Annotated[str, Chars("a-z?", 1)]
MOST = 2180  # characters of prompt and completion; a token is a character but in the 135 of the prompt's phrases

_BY_PATTERN: dict[tuple[int, ...], list[str]] = defaultdict(list)
for _word in VOCABULARY:
    _BY_PATTERN[pattern(_word)].append(_word)


@cache
def words_of(length: int) -> tuple[str, ...]:
    """The vocabulary's words of so many letters, in alphabetical order."""
    return tuple(word for word in VOCABULARY if len(word) == length)


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
    """A query word spelled by the letters on the page."""
    return code in page.parsed.query and seen == spell(code, page.names("letter"))


@line
class Example(Line):
    """An example's cipher words, each with the plain word in the same place."""

    KIND = "cipher/example"
    TEXT = "E{i} {words: =}"
    ROLES = "i:T words:T"
    i: int
    words: tuple[tuple[Letters, Letters], ...]

    def transcription(self, page: Page) -> bool:
        examples = page.parsed.examples
        return 1 <= self.i <= len(examples) and self.words == tuple(zip(*examples[self.i - 1], strict=True))

    def establish(self, page: Page) -> None:
        page.put("example", "", self.words)


@line
class Pair(Line):
    """A cipher word of the example, its plain word, and their letters side by side."""

    KIND = "cipher/pair"
    TEXT = "{code}={plain} {letters: =}"
    ROLES = "code:TA plain:TA letters:A"
    code: Letters
    plain: Letters
    letters: tuple[tuple[Letter, Letter], ...]

    def transcription(self, page: Page) -> bool:
        return page.get("example", default=())[:1] == ((self.code, self.plain),)

    def arithmetic(self, page: Page) -> bool:
        return self.letters == tuple(zip(self.code, self.plain, strict=False))

    def establish(self, page: Page) -> None:
        page.put("example", "", page.get("example", default=())[1:])
        for code, plain in self.letters:
            page.put("letter", code, plain)


@line
class Decode(Line):
    """A query word letter by letter, and the word as far as its letters are known; ? is a letter that no pair shows."""

    KIND = "cipher/decode"
    TEXT = "{code} {letters: =}: {seen}"
    ROLES = "code:T letters:TA seen:A"
    code: Letters
    letters: tuple[tuple[Letter, Seen1], ...]
    seen: Seen

    def transcription(self, page: Page) -> bool:
        known = page.names("letter")
        return self.code in page.parsed.query and self.letters == tuple((c, known.get(c, "?")) for c in self.code)

    def arithmetic(self, page: Page) -> bool:
        return self.seen == "".join(plain for _, plain in self.letters)

    def establish(self, page: Page) -> None:
        if "?" not in self.seen:
            page.put("word", self.code, self.seen)


@line
class Words(Line):
    """The words of the vocabulary that have so many letters; what follows chooses among them."""

    KIND = "cipher/words"
    TEXT = "{n} letters {words: }"
    RECALLS = "the words of a length"
    ROLES = "n:A words:A"
    n: int
    words: tuple[Letters, ...]

    def arithmetic(self, page: Page) -> bool:
        return self.words == words_of(self.n)

    def establish(self, page: Page) -> None:
        page.put("words", str(self.n), self.words)


@line
class Fit(Line):
    """A query word as far as its letters are known, and the listed words that it can stand for."""

    KIND = "cipher/fit"
    TEXT = "{code} {seen} fits {words:,|none}"
    ROLES = "code:TA seen:TA words:A"
    code: Letters
    seen: Seen
    words: tuple[Letters, ...]

    def transcription(self, page: Page) -> bool:
        return looked_up(page, self.code, self.seen) and len(self.seen) == len(self.code)

    def arithmetic(self, page: Page) -> bool:
        listed = page.get("words", str(len(self.code)), ())
        fits = fitting(self.code, self.seen, page.names("letter")) if len(self.seen) == len(self.code) else []
        return self.words == tuple(word for word in listed if word in fits)

    def establish(self, page: Page) -> None:
        page.put("fits", self.code, (self.seen, self.words))


@line
class Complete(Line):
    """A query word that only one word fits, and the letters that this gives."""

    KIND = "cipher/complete"
    TEXT = "{code} is {word} {letters:,=}"
    ROLES = "code:TA word:TA letters:A"
    code: Letters
    word: Letters
    letters: tuple[tuple[Letter, Letter], ...]

    def transcription(self, page: Page) -> bool:
        return page.get("fits", self.code, ("", ()))[1] == (self.word,)

    def arithmetic(self, page: Page) -> bool:
        seen = page.get("fits", self.code, ("", ()))[0]
        new = tuple((c, p) for c, p, s in zip(self.code, self.word, seen, strict=False) if s == "?")
        return self.letters == tuple(dict.fromkeys(new))

    def establish(self, page: Page) -> None:
        page.put("word", self.code, self.word)
        for code, plain in self.letters:
            page.put("letter", code, plain)


@line
class Answer(Line):
    """The decoded words in the order of the query."""

    KIND = "cipher/answer"
    TEXT = "= {words: }"
    ROLES = "words:T"
    words: tuple[Letters, ...]

    def transcription(self, page: Page) -> bool:
        return self.words == tuple(page.get("word", code) for code in page.parsed.query)

    def establish(self, page: Page) -> None:
        page.answer = " ".join(self.words)


def render(
    problem: Problem, parsed: CipherRow, solution: Solution, known: Mapping[str, int], rng: random.Random
) -> Trace:
    lines: list[Line] = []
    letters: dict[str, str] = {}
    for i, example in enumerate(parsed.examples, 1):
        words = tuple(zip(*example, strict=True))
        lines.append(Example(i, words))
        for code, plain in words:
            lines.append(Pair(code, plain, tuple(zip(code, plain, strict=True))))
            letters.update(lines[-1].letters)

    listed = set()

    def complete(code: str) -> bool:
        """Write what is known of a word; whether that settles it."""
        seen = spell(code, letters)
        lines.append(Decode(code, tuple(zip(code, seen, strict=True)), seen))
        if "?" not in seen:
            return True
        if len(code) not in listed:
            listed.add(len(code))
            lines.append(Words(len(code), words_of(len(code))))
        fits = fitting(code, seen, letters)
        lines.append(Fit(code, seen, tuple(fits)))
        if len(fits) != 1:
            return False
        new = tuple(dict.fromkeys((c, p) for c, p, s in zip(code, fits[0], seen, strict=True) if s == "?"))
        lines.append(Complete(code, fits[0], new))
        letters.update(new)
        return True

    postponed = [code for code in dict.fromkeys(parsed.query) if not complete(code)]
    if not all([complete(code) for code in postponed]):
        raise Unrenderable("more than one word, or none, of the vocabulary fits a word of the query")
    answer = tuple(spell(code, letters) for code in parsed.query)
    lines.append(Answer(answer))
    trace = Trace(tuple(lines), " ".join(answer))
    if len(problem.prompt) + len(completion_of(trace)) > MOST:
        raise Unrenderable(f"prompt and thought have more than {MOST} characters")
    return trace


DESIGN = Design("forward", "cipher", (Example, Pair, Decode, Words, Fit, Complete, Answer), render)
