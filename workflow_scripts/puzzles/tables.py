"""The tables of this room: how a problem and a solution are laid out in Parquet, and read back."""

import json

import pyarrow as pa

from puzzles.base import Problem, Solution

PUZZLES = pa.schema(
    [
        ("id", pa.string()),
        ("family", pa.string()),
        ("split", pa.string()),
        ("prompt", pa.string()),
        ("answer", pa.string()),
        ("stratum", pa.string()),
        ("tier", pa.int32()),
        ("rule", pa.string()),
        ("key", pa.string()),
        ("canonical", pa.string()),
    ]
)
SOLUTIONS = pa.schema(
    [
        ("id", pa.string()),
        ("family", pa.string()),
        ("answer", pa.string()),
        ("posterior", pa.float64()),
        ("n_consistent", pa.int64()),
        ("exhaustive", pa.bool_()),
        ("nodes", pa.int64()),
        ("reason", pa.string()),
        ("found", pa.string()),
    ]
)


def json_text(value: object) -> str:
    """JSON in one line, keys in the order given, the same bytes for the same value."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def problem_row(problem: Problem, split: str, row_id: str | None = None) -> dict:
    """One row of PUZZLES."""
    return {
        "id": row_id or problem.id,
        "family": problem.family,
        "split": split,
        "prompt": problem.prompt,
        "answer": problem.answer,
        "stratum": problem.stratum,
        "tier": problem.tier,
        "rule": json_text(problem.rule),
        "key": json_text(problem.key),
        "canonical": problem.canonical,
    }


def solution_row(row_id: str, family: str, solution: Solution) -> dict:
    """One row of SOLUTIONS."""
    return {
        "id": row_id,
        "family": family,
        "answer": solution.answer,
        "posterior": solution.posterior,
        "n_consistent": solution.n_consistent,
        "exhaustive": solution.exhaustive,
        "nodes": solution.nodes,
        "reason": solution.reason,
        "found": json_text(solution.found),
    }
