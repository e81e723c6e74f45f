"""One rendered row of every design, kept as a text file that a person has read. After an intended change, write them
anew and read the difference:

    WRITE_GOLDENS=1 pytest tests/reasoning/test_goldens.py -n 0
"""

import os
from pathlib import Path

import pytest
from told import drawn

from reasoning.grammar.texts import RENDERED, render_row
from reasoning.registry import DESIGNS

FOLDER = Path(__file__).resolve().parents[1] / "goldens" / "traces"
ROWS = 12
REVEAL = {"cryptarithm_deduce": 6, "cryptarithm_guess": 10}


def golden(family: str, name: str) -> str:
    """What is shown, then every line with its kind and what its verdict means: the row with the most kinds of both."""
    design = DESIGNS[family, name]
    reveal = design.reveal("slate-2-given" if name == "slate" else str(REVEAL.get(family, 0)))
    rows = [render_row("golden", problem, solution, design, reveal, 0) for problem, _, solution in drawn(family, ROWS)]
    row = max(rows, key=lambda row: (row.status == RENDERED, len({(each.kind, each.result) for each in row.lines})))
    assert row.status == RENDERED, row.status
    kinds = [f"{each.kind} {each.result}".strip() for each in row.lines]
    width = max(map(len, kinds), default=0)
    lines = [f"{kind:<{width}} | {each.text}" for kind, each in zip(kinds, row.lines, strict=True)]
    ending = f"undetermined, answer {row.answer}" if row.boxed is None else f"boxed {row.boxed}, answer {row.answer}"
    return "\n".join([row.page, "---", *lines, "---", ending]) + "\n"


@pytest.mark.parametrize(("family", "name"), sorted(DESIGNS))
def test_the_trace_is_the_one_that_was_read(family: str, name: str) -> None:
    path = FOLDER / family / f"{name}.txt"
    made = golden(family, name)
    if os.environ.get("WRITE_GOLDENS"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(made, encoding="utf-8")
    assert made == path.read_text(encoding="utf-8")


def test_no_golden_is_left_of_a_design_that_is_gone() -> None:
    assert {(path.parent.name, path.stem) for path in FOLDER.glob("*/*.txt")} == set(DESIGNS)
