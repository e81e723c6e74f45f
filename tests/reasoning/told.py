"""Rows that the tests of designs, audit and screens share: drawn and solved once, rendered in every design."""

from functools import cache, lru_cache

from puzzles.base import Problem, Solution, row_rng
from puzzles.registry import FAMILIES
from reasoning.grammar.page import Truth
from reasoning.grammar.reveal import Reveal, known_of, shown_prompt
from reasoning.grammar.trace import Box, Unrenderable, completion_of
from reasoning.judging.planted_errors import Told
from reasoning.registry import DESIGNS


@cache
def drawn(family: str, n: int) -> tuple[tuple[Problem, object, Solution], ...]:
    """Generated problems, parsed and solved; no design of a family with a key reads the solution."""
    module = FAMILIES[family]
    problems = list(module.generate(row_rng(17, family), n))
    parsed = [module.parse(problem.prompt) for problem in problems]
    solved = [Solution(None) if p.key else module.solve(row) for p, row in zip(problems, parsed, strict=True)]
    return tuple(zip(problems, parsed, solved, strict=True))


@lru_cache(1)
def told(family: str, name: str, n: int) -> tuple[tuple[tuple[Problem, Told], ...], tuple[str, ...]]:
    """What a design makes of `n` rows, the digits shown going through all that it allows; and why rows are left out."""
    design = DESIGNS[family, name]
    found, reasons = [], []
    for number, (problem, parsed, solution) in enumerate(drawn(family, n)):
        reveal = Reveal.parse(design.shows[number % len(design.shows)])
        known = known_of(problem, parsed.operators, reveal) if problem.key else {}
        try:
            trace = design.render(problem, parsed, solution, known, row_rng(0, problem.id))
        except Unrenderable as reason:
            reasons.append(str(reason))
            continue
        lines = (*trace.lines, *(() if trace.answer is None else (Box(trace.answer),)))
        truth = Truth.of(problem.key, problem.rule)
        found.append((problem, Told(family, shown_prompt(problem.prompt, known), lines, completion_of(trace), truth)))
    return tuple(found), tuple(reasons)
