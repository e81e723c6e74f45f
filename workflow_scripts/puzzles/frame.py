"""The frame that the four easy families share: a header line, one example per line, a last line with the query."""

from collections.abc import Sequence

from common.errors import LabError
from puzzles.base import PromptError

MAX_EXAMPLES = 20


def split_prompt(prompt: str, phrases: Sequence[str]) -> tuple[list[str], str]:
    """The example lines and the query's text of a prompt `header, examples, before query, [after query]`.

    `phrases` are (header with its newline, text before the query with its newline, text after the query).
    Raises PromptError naming the part that is not as expected.
    """
    header, before, after = phrases
    if not prompt.startswith(header):
        raise PromptError(f"expected it to start {header!r}", field="header")
    body, found, query = prompt[len(header) :].rpartition(before)
    if not found or not query.endswith(after):
        raise PromptError(f"expected a last line {before[1:] + '...' + after!r}", field="query")
    if not body:
        raise PromptError("no examples", field="examples")
    lines = body.split("\n")
    if len(lines) > MAX_EXAMPLES:
        raise PromptError(f"{len(lines)} examples, at most {MAX_EXAMPLES} are supported", field="examples")
    return lines, query[: len(query) - len(after)]


def checked(values: Sequence[int], allowed: range, field: str) -> tuple[int, ...]:
    """A non-empty choice of whole numbers within `allowed`; raises LabError naming the option."""
    values = tuple(values) if isinstance(values, list | tuple | range) else (values,)
    if not values or not all(type(v) is int and v in allowed for v in values):
        raise LabError(f"{list(values)!r} is not a list of whole numbers {allowed[0]}..{allowed[-1]}", field=field)
    return values
