"""Accuracy, calibration and time of the solvers, measured row by row on one core."""

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

import pandas as pd

from puzzles import checker, cipher
from puzzles.base import Problem, PromptError, Solution, content_hash, row_rng, split_of
from puzzles.registry import FAMILIES

COLUMNS = ("id", "family", "stratum", "prediction", "official", "strict", "posterior", "exhaustive", "nodes", "ms")
CONFIDENCE = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 1.0)


def search_space(family: str, parsed: object) -> float:
    """Configurations that a solver without insight would try, as a power of ten.

    cipher: joint choices of vocabulary words of the query's letter patterns. bits: truth tables over at most three of
    the taps. equations: modes times rules per operator, for cryptarithms times the ways to give the glyphs digits.
    The other families compute and do not search (0).
    """
    if family == "cipher":
        return sum(math.log10(max(1, len(cipher.BY_PATTERN.get(cipher.pattern(w), ())))) for w in set(parsed.query))
    if family == "bit_manipulation":
        return math.log10(sum(math.comb(22, n) * 2 ** (2**n) for n in (1, 2, 3)))
    if family.startswith(("equation", "cryptarithm")):
        space = math.log10(2) + len(parsed.operators) * math.log10(13)
        glyphs = len(parsed.digit_glyphs()) if FAMILIES[family].has_key else 0
        return space + math.log10(math.perm(10, min(10, glyphs)))
    return 0.0


def measure(rows: Iterable[tuple[str, Problem]], priors: Mapping[str, dict]) -> pd.DataFrame:
    """One line per (id, problem): COLUMNS and `space`; ms is parsing and solving, after one untimed row per family.

    A prompt that the family's parser refuses has no prediction, as one that the solver finds unsolvable.
    """
    lines, warm = [], set()
    for row_id, problem in rows:
        if problem.family not in warm:
            _solve(problem, priors)
            warm.add(problem.family)
        start = time.perf_counter()
        parsed, found = _solve(problem, priors)
        ms = 1000 * (time.perf_counter() - start)
        answered = found.answer is not None
        lines.append(
            {
                "id": row_id,
                "family": problem.family,
                "stratum": problem.stratum,
                "prediction": found.answer,
                "official": answered and checker.official(found.answer, problem.answer),
                "strict": found.answer == problem.answer,
                "posterior": found.posterior,
                "exhaustive": found.exhaustive,
                "nodes": found.nodes,
                "ms": ms,
                "space": search_space(problem.family, parsed) if parsed else 0.0,
            }
        )
    return pd.DataFrame(lines, columns=[*COLUMNS, "space"])


def _solve(problem: Problem, priors: Mapping[str, dict]) -> tuple[object, Solution]:
    family = FAMILIES[problem.family]
    try:
        parsed = family.parse(problem.prompt)
    except PromptError as error:
        return None, Solution(None, reason=str(error))
    return parsed, family.solve(parsed, priors.get(problem.family))


def accuracy(rows: pd.DataFrame) -> pd.DataFrame:
    """Per family and stratum: n, shares right (official, strict), expected right, answered, fully enumerated."""
    lines = []
    for family in [name for name in FAMILIES if name in set(rows.family)]:
        group = rows[rows.family == family]
        strata = sorted(set(group.stratum))
        parts = [("all", group), *((s, group[group.stratum == s]) for s in strata if s != "all")]
        for stratum, part in parts:
            lines.append(
                {
                    "family": family,
                    "stratum": stratum,
                    "n": len(part),
                    "official": part.official.mean(),
                    "strict": part.strict.mean(),
                    "expected": part.posterior.mean(),
                    "coverage": part.prediction.notna().mean(),
                    "exhaustive": part.exhaustive.mean(),
                }
            )
    return pd.DataFrame(lines)


def times(rows: pd.DataFrame) -> pd.DataFrame:
    """Per family: nodes (median, max), ms per row (median, p95, p99, max) and rows per second."""
    lines = []
    for family in [name for name in FAMILIES if name in set(rows.family)]:
        part = rows[rows.family == family]
        lines.append(
            {
                "family": family,
                "n": len(part),
                "nodes": part.nodes.median(),
                "max nodes": part.nodes.max(),
                "median ms": part.ms.median(),
                "p95 ms": part.ms.quantile(0.95),
                "p99 ms": part.ms.quantile(0.99),
                "max ms": part.ms.max(),
                "rows/s": 1000 * len(part) / part.ms.sum(),
            }
        )
    return pd.DataFrame(lines)


def calibration(rows: pd.DataFrame, edges: Sequence[float] = CONFIDENCE) -> pd.DataFrame:
    """Per bin of the solver's own posterior: how many rows, the mean posterior and the share right (exact string)."""
    bins = pd.cut(rows.posterior, edges, include_lowest=True)
    lines = []
    for name, part in [("all", rows), *((f, rows[rows.family == f]) for f in FAMILIES if f in set(rows.family))]:
        for interval, group in part.groupby(bins[part.index], observed=True):
            lines.append(
                {
                    "family": name,
                    "posterior": f"{max(0.0, interval.left):.2f}-{interval.right:.2f}",
                    "n": len(group),
                    "expected": group.posterior.mean(),
                    "measured": group.strict.mean(),
                }
            )
    return pd.DataFrame(lines)


def throughput(seed: int, families: Iterable[str], seconds: float = 0.5) -> pd.DataFrame:
    """Rows per CPU second of every generator: the draw alone, and with the hashes that generate.py needs."""
    lines = []
    for name in families:
        family, rng = FAMILIES[name], row_rng(seed, "throughput", name)
        list(family.generate(rng, 20))
        rates = []
        for finish in (None, lambda p: (p.id, content_hash(p.canonical), split_of(p.canonical))):
            made, start = 0, time.process_time()
            stream = family.generate(rng, 10**9)
            while time.process_time() - start < seconds:
                for problem in islice(stream, 100):
                    if finish:
                        finish(problem)
                made += 100
            rates.append(made / (time.process_time() - start))
        lines.append({"family": name, "drawn/s": rates[0], "drawn and hashed/s": rates[1]})
    return pd.DataFrame(lines)
