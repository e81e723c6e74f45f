"""Texts from elsewhere: what was asked and answered, which puzzle it is, and which design a text is nearest to."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from common.errors import LabError
from puzzles.base import PromptError
from puzzles.importer import LONGEST_PROMPT
from puzzles.registry import FAMILIES, family_of
from reasoning.grammar.reveal import Known, Reveal, split_shown
from reasoning.grammar.trace import CLOSE, OPEN, Design, Malformed, parse_completion, spoken
from reasoning.registry import DESIGNS

LONGEST_TEXT = 4_000_000
MOST_WORDS_AFTER = 40
"""So many lines may follow the puzzle in a prompt: how to write the answer, say."""
COMPARED = 100
"""Texts of a family by which its nearest design is found."""
THOUGHTS = ("reasoning_content", "reasoning", "thinking")
"""Where chats keep a thought that stands apart from the answer."""


def exchange(row: Mapping[str, Any], prompt: str = "prompt", text: str = "text") -> tuple[str, str]:
    """(what was asked, what was answered) of a row: of its fields of these names, or of its `messages`.

    Either field may itself be a list of messages. Of a conversation, the last answer and the last question before it
    count. Raises LabError naming the field that is missing or is not a text.
    """
    if "messages" in row and row.get(prompt) is None:
        messages = listed(row["messages"], "messages")
        last = max((i for i, each in enumerate(messages) if each.get("role") == "assistant"), default=None)
        if last is None:
            raise LabError("no message of the role assistant", field="messages")
        return asked(messages[:last], "messages"), answered(messages[last], "messages")
    for name in (prompt, text):
        if row.get(name) is None:
            raise LabError(f"missing; the row has {', '.join(map(str, row))}", field=name)
    question, answer = row[prompt], row[text]
    if not isinstance(question, str):
        question = asked(listed(question, prompt), prompt)
    if not isinstance(answer, str):
        answer = answered((listed(answer, text) or [{}])[-1], text)
    return re.sub(r"\r\n?", "\n", question), re.sub(r"\r\n?", "\n", answer)


def listed(value: Any, field: str) -> list[Mapping[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(each, Mapping) for each in value):
        raise LabError("expected a text or a list of messages, each with role and content", field=field)
    return value


def asked(messages: Sequence[Mapping[str, Any]], field: str) -> str:
    for each in reversed(messages):
        if each.get("role") == "user":
            return content(each, field)
    raise LabError("no message of the role user before the answer", field=field)


def answered(message: Mapping[str, Any], field: str) -> str:
    """The answer, after its thought where that stands apart."""
    thought = next((message[name] for name in THOUGHTS if isinstance(message.get(name), str)), "")
    said = content(message, field)
    return f"{OPEN}\n{thought.strip()}\n{CLOSE}\n{said.lstrip()}" if thought.strip() else said


def content(message: Mapping[str, Any], field: str) -> str:
    """The text of a message, which may come in typed parts."""
    found = message.get("content")
    if isinstance(found, list):
        found = "".join(each.get("text") or "" for each in found if isinstance(each, Mapping))
    if not isinstance(found, str):
        raise LabError("a message without content", field=field)
    return found


@dataclass(frozen=True)
class Asked:
    """The puzzle in a prompt. shown: with its lines of digits and rules; prompt: without; parsed: the family's form."""

    family: str
    shown: str
    prompt: str
    known: Known
    parsed: Any

    def reveal(self, hidden: str = "") -> Reveal:
        """What the prompt shows beside the puzzle; the order of revealing cannot be told from it."""
        rule = "hidden" if hidden else "given" if self.known.rules else "derived"
        return Reveal(digits=len(self.known), rule=rule, slate=len(self.known.slate))


def puzzle_in(prompt: str) -> Asked:
    """The last puzzle in a prompt: words may stand before its header, and lines after its question.

    Raises PromptError when there is none, or none that can be read.
    """
    start = max(prompt.rfind(family.phrases[0]) for family in FAMILIES.values())
    if start < 0:
        raise PromptError(f"no family's puzzle is in it; it starts {prompt[:60]!r}", field="prompt")
    if len(prompt) - start > LONGEST_PROMPT:
        message = f"{len(prompt) - start} characters, at most {LONGEST_PROMPT} are supported"
        raise PromptError(message, field="prompt")
    lines, fault = prompt[start:].rstrip().split("\n"), None
    for end in range(len(lines), max(0, len(lines) - MOST_WORDS_AFTER), -1):
        shown = "\n".join(lines[:end]).rstrip()
        own, known = split_shown(shown)
        try:
            family = family_of(own)
            return Asked(family, shown, own, known, FAMILIES[family].parse(own))
        except PromptError as error:
            fault = fault or error
    raise fault


def share_read(text: str, design: Design) -> tuple[int, int]:
    """(lines of the thought that are lines of the design, lines of the thought)."""
    found = parse_completion(text, design)
    thought = [each for each, (*_, thinking) in zip(found, spoken(text), strict=True) if thinking]
    return sum(not isinstance(each, Malformed) for each in thought), len(thought)


@dataclass(frozen=True)
class Nearness:
    """How much of the texts of a family a design can read. share: of the lines of their thoughts."""

    family: str
    design: str
    read: int
    lines: int

    @property
    def share(self) -> float:
        return self.read / self.lines if self.lines else float(not DESIGNS[self.family, self.design].kinds)


def nearest(family: str, texts: Iterable[str]) -> list[Nearness]:
    """The designs of a family, the one that reads most lines of the texts first; of equals, the one with the fewest
    kinds of line. Only the first texts are compared."""
    some, found = list(texts)[:COMPARED], []
    for (of, name), design in sorted(DESIGNS.items()):
        if of == family:
            counts = [share_read(text, design) for text in some]
            found.append(Nearness(family, name, sum(read for read, _ in counts), sum(n for _, n in counts)))
    return sorted(found, key=lambda each: (-each.share, len(DESIGNS[family, each.design].kinds), each.design))
