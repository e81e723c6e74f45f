"""From rows of the puzzles and solutions tables to rendered rows of a design."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import pyarrow as pa

from puzzles.base import Problem, Solution, row_rng
from puzzles.registry import FAMILIES
from reasoning.grammar.lines import Line
from reasoning.grammar.reveal import THOUGHT, Known, Reveal, known_of, rules_line, shown_prompt
from reasoning.grammar.trace import CLOSE, OPEN, Box, Design, Unrenderable

LINE = pa.struct([(name, pa.string()) for name in ("kind", "text", "verdict", "result")])
TEXTS = pa.schema(
    [
        ("id", pa.string()),
        ("family", pa.string()),
        ("design", pa.string()),
        ("reveal", pa.string()),
        ("prompt", pa.string()),
        ("hidden", pa.string()),
        ("lines", pa.list_(LINE)),
        ("completion", pa.string()),
        ("answer", pa.string()),
        ("stratum", pa.string()),
        ("tier", pa.int32()),
        ("n_chars", pa.int32()),
        ("status", pa.string()),
        ("donor", pa.string()),
    ]
)
RENDERED = "rendered"
PUZZLE_COLUMNS = ("id", "family", "prompt", "answer", "stratum", "tier", "rule", "key", "canonical")
SOLUTION_COLUMNS = ("id", "answer", "posterior", "n_consistent", "exhaustive", "nodes", "reason", "found")


@dataclass(frozen=True)
class Written:
    """A line as it stands in the table. result: what its verdict means, passed, failed or seen; "" without one."""

    kind: str
    text: str
    verdict: str = ""
    result: str = ""

    @classmethod
    def of(cls, line: Line) -> "Written":
        return cls(line.KIND, line.text(), getattr(line, "verdict", ""), line.result)


@dataclass(frozen=True)
class Row:
    """One row, rendered or not. boxed: what the completion boxes, None for nothing; cost: the solver's nodes.

    donor: the id of the row whose lines these are, "" when they are its own. hidden: the line of rules that the thought
    uses but the prompt does not show, "" when there is none. problem: what was rendered. thought: the characters that
    it could have.
    """

    id: str
    prompt: str
    answer: str
    stratum: str
    tier: int
    status: str
    lines: tuple[Written, ...] = ()
    boxed: str | None = None
    cost: int = 0
    donor: str = ""
    hidden: str = ""
    problem: Problem | None = None
    thought: int = THOUGHT

    @property
    def page(self) -> str:
        """What an audit starts from: the prompt and, where there is one, the hidden line."""
        return "\n".join(filter(None, (self.prompt, self.hidden)))

    @property
    def completion(self) -> str:
        if self.status != RENDERED:
            return ""
        body = "\n".join([OPEN, *(each.text for each in self.lines), CLOSE])
        return body if self.boxed is None else f"{body}\n{Box(self.boxed).text()}"


def problem_of(row: Mapping[str, Any]) -> Problem:
    """A row of the puzzles table as a Problem."""
    return Problem(
        family=row["family"],
        prompt=row["prompt"],
        answer=row["answer"],
        stratum=row["stratum"],
        tier=row["tier"],
        rule=json.loads(row["rule"]),
        key=json.loads(row["key"]),
        canonical=row["canonical"],
    )


def solution_of(row: Mapping[str, Any]) -> Solution:
    """A row of the solutions table as a Solution, without the other answers: no design reads them."""
    return Solution(
        answer=row["answer"],
        posterior=row["posterior"],
        n_consistent=row["n_consistent"],
        exhaustive=row["exhaustive"],
        nodes=row["nodes"],
        reason=row["reason"],
        found=json.loads(row["found"]),
    )


def render_row(
    row_id: str,
    problem: Problem,
    solution: Solution,
    design: Design,
    reveal: Reveal,
    seed: int,
    thought: int = THOUGHT,
    train: bool = False,
) -> Row:
    """Render one problem; what cannot be rendered keeps its prompt and answer, and the reason as its status.

    thought: the characters that a cryptarithm's thought may have. train: a training row, which a design may spoil.
    A row without a hidden key (real rows) shows the solver's key and rules where the solver's answer is right.
    """
    if reveal != Reveal() and not problem.key and solution.answer == problem.answer and solution.found.get("key"):
        found = solution.found
        problem = replace(problem, key=found["key"], rule={name: found[name] for name in ("operators", "mode")})
    parsed = FAMILIES[design.family].parse(problem.prompt)
    known = known_of(problem, parsed.operators, reveal, seed) if problem.key else Known()
    known.thought = thought
    if train and design.spoil:  # what is revealed stays that of the row's own problem
        problem, known = design.spoil(problem, known, row_rng(seed, "spoil", row_id))
        parsed = FAMILIES[design.family].parse(problem.prompt)
    hidden = reveal.rule == "hidden"
    base = Row(
        id=row_id,
        prompt=shown_prompt(problem.prompt, Known(known, slate=known.slate) if hidden else known),
        answer=problem.answer,
        stratum=problem.stratum,
        tier=problem.tier,
        status=RENDERED,
        cost=solution.nodes,
        hidden=rules_line(known) if hidden else "",
        problem=problem,
        thought=thought,
    )
    if reveal != Reveal() and not problem.key:
        return replace(base, status="no key to reveal")
    try:
        trace = design.render(problem, parsed, solution, known, row_rng(seed, design.family, design.id, row_id))
    except Unrenderable as reason:
        return replace(base, status=str(reason))
    lines = tuple(map(Written.of, trace.lines))
    return replace(base, lines=lines, boxed=trace.answer)


def table_row(row: Row, design: Design, reveal: Reveal) -> dict:
    """A row of TEXTS."""
    completion = row.completion
    return {
        "id": row.id,
        "family": design.family,
        "design": design.id,
        "reveal": str(reveal),
        "prompt": row.prompt,
        "hidden": row.hidden,
        "lines": [asdict(each) for each in row.lines],
        "completion": completion,
        "answer": row.answer,
        "stratum": row.stratum,
        "tier": row.tier,
        "n_chars": len(completion),
        "status": row.status,
        "donor": row.donor,
    }
