"""Rows of the challenge: any CSV with id, prompt and answer becomes the evaluation set `real`.

The family is told from the prompt. Every row is checked, so that what is imported can be solved and graded.
"""

import csv
import re
from collections.abc import Iterator
from pathlib import Path

from common.errors import LabError
from puzzles.base import AnswerError, Problem, PromptError
from puzzles.bit_manipulation.inventory import tap_sets
from puzzles.bit_manipulation.solver import scan
from puzzles.equations.prompt import Equation, join_of
from puzzles.registry import FAMILIES, family_of

COLUMNS = ("id", "prompt", "answer")
LONGEST_PROMPT = 20_000


def read_csv(path: str | Path) -> Iterator[tuple[int, str, str, str]]:
    """(row, id, prompt, answer) of every data row, the first being row 1.

    Columns may come in any order and among others; line breaks in a cell may be those of any system. Raises LabError
    naming file, row and field: no such file, not UTF-8 text, an empty file, a missing column, a cell too few, an empty
    cell, a duplicate id.
    """
    path = Path(path)
    if not path.is_file():
        raise LabError(f"no such file, expected a CSV with the columns {', '.join(COLUMNS)}", file=path)
    number = 0
    try:
        with open(path, newline="", encoding="utf-8-sig") as handle:
            reader = csv.DictReader(handle, strict=True)
            if reader.fieldnames is None:
                raise LabError(f"empty file, expected the columns {', '.join(COLUMNS)}", file=path)
            missing = [name for name in COLUMNS if name not in reader.fieldnames]
            if missing:
                found = ", ".join(reader.fieldnames)
                raise LabError(f"missing column; the header has {found}", file=path, row=0, field=missing[0])
            rows: dict[str, int] = {}
            for number, record in enumerate(reader, 1):
                if None in record:
                    raise LabError(f"more cells than the header's {len(reader.fieldnames)}", file=path, row=number)
                for name in COLUMNS:
                    if not record[name]:
                        raise LabError("empty, expected a value", file=path, row=number, field=name)
                first = rows.setdefault(record["id"], number)
                if first != number:
                    message = f"duplicate id {record['id']!r}, already in row {first}"
                    raise LabError(message, file=path, row=number, field="id")
                yield number, *(re.sub(r"\r\n?", "\n", record[name]) for name in COLUMNS)
    except UnicodeDecodeError as error:
        raise LabError(f"not UTF-8 text ({error.reason})", file=path) from error
    except csv.Error as error:
        raise LabError(f"not a CSV ({error})", file=path, row=number + 1) from error
    if not number:
        raise LabError("no rows below the header", file=path)


def stratum_of(family: str, parsed: object, answer: str) -> str:
    """join or value (equations), the fewest taps that explain the row (bits; "unknown" if none does), else "all"."""
    if family.startswith(("equation", "cryptarithm")):
        query = parsed.query
        return "join" if join_of(Equation(query.left, query.op, query.right, answer)) else "value"
    if family == "bit_manipulation":
        alive = scan((*parsed.examples, (parsed.query, int(answer, 2)))).alive
        return f"{tap_sets().size[alive].min()}-tap" if len(alive) else "unknown"
    return "all"


def problem_of(prompt: str, answer: str) -> Problem:
    """A prompt and its answer as a problem whose rule and key are not known.

    Raises PromptError naming the part, or AnswerError when the answer has not the family's form.
    """
    name = family_of(prompt)
    family = FAMILIES[name]
    if len(prompt) > LONGEST_PROMPT:
        raise PromptError(f"{len(prompt)} characters, at most {LONGEST_PROMPT} are supported", field="prompt")
    parsed = family.parse(prompt)
    if not family.is_answer(parsed, answer):
        raise AnswerError(f"expected {family.answer_form}, got {answer[:60]!r}")
    return Problem(
        family=name,
        prompt=prompt,
        answer=answer,
        stratum=stratum_of(name, parsed, answer),
        tier=0,
        canonical=family.canonical(parsed),
    )


def read_problems(path: str | Path) -> Iterator[tuple[str, Problem]]:
    """(id, problem) of every row of a CSV, in its order; raises LabError naming file, row and field."""
    for number, row_id, prompt, answer in read_csv(path):
        try:
            yield row_id, problem_of(prompt, answer)
        except PromptError as error:
            raise LabError(str(error), file=path, row=number, field="prompt") from error
        except AnswerError as error:
            raise LabError(str(error), file=path, row=number, field="answer") from error
