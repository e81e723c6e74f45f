"""The prompt of bit manipulation: written, read, and told apart from others."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from puzzles.base import PromptError

HEADER = (
    "In Alice's Wonderland, a secret bit manipulation rule transforms 8-bit binary numbers. The transformation "
    "involves operations like bit shifts, rotations, XOR, AND, OR, NOT, and possibly majority or choice functions."
)
EXAMPLES = "Here are some examples of input -> output:"
QUERY = "Now, determine the output for: "


@dataclass(frozen=True, slots=True)
class Parsed:
    """The prompt's numbers: example input and output bytes, and the query byte."""

    examples: tuple[tuple[int, int], ...]
    query: int


def format_prompt(examples: Iterable[tuple[int, int]], query: int) -> str:
    lines = [f"{i:08b} -> {o:08b}" for i, o in examples]
    return "\n".join([HEADER, "", EXAMPLES, *lines, "", f"{QUERY}{query:08b}"])


_BYTE = re.compile(r"[01]{8}", re.ASCII)


def is_byte(text: str) -> bool:
    """Whether a text is eight binary digits."""
    return bool(_BYTE.fullmatch(text))


def _byte(text: str, field: str) -> int:
    if not _BYTE.fullmatch(text):
        raise PromptError(f"expected eight binary digits, got {text[:40]!r}", field=field)
    return int(text, 2)


def parse(prompt: str) -> Parsed:
    """Parse a prompt; PromptError names the part that is not of the family's form."""
    lines = prompt.split("\n")
    if lines[0] != HEADER:
        raise PromptError("not the header of bit_manipulation", field="header")
    if lines[1:3] != ["", EXAMPLES]:
        raise PromptError(f"expected a blank line and {EXAMPLES!r} after the header", field="examples header")
    if len(lines) < 5 or lines[-2] != "":
        raise PromptError("expected a blank line before the query", field="query")
    if not lines[-1].startswith(QUERY):
        raise PromptError(f"expected a last line {QUERY + '...'!r}", field="query")
    examples = []
    for number, line in enumerate(lines[3:-2], 1):
        left, arrow, right = line.partition(" -> ")
        if not arrow:
            raise PromptError(f"expected 'input -> output', got {line[:40]!r}", field=f"example {number}")
        examples.append((_byte(left, f"example {number} input"), _byte(right, f"example {number} output")))
    if not examples:
        raise PromptError("no examples", field="examples")
    return Parsed(tuple(examples), _byte(lines[-1].removeprefix(QUERY), "query"))


def canonical(parsed: Parsed) -> str:
    """Equal for prompts that differ in the order (or repetition) of examples only."""
    pairs = ",".join(f"{i:02x}{o:02x}" for i, o in sorted(set(parsed.examples)))
    return f"bit_manipulation:{pairs}:{parsed.query:02x}"
