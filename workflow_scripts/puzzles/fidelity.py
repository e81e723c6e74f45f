"""Do generated rows look like real ones? One two-sample test per statistic and family.

Every statistic has one value per row: of its first example, of its query, or a mean. Rows are independent, so rows are
what the tests compare. Numbers get the Kolmogorov-Smirnov test, categories a chi-squared test of the contingency table.
The tolerance is a family-wise error of 5 % over all statistics (Holm).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import chi2_contingency, ks_2samp, random_table
from statsmodels.stats.multitest import multipletests

from puzzles.base import Problem
from puzzles.cipher import TEMPLATES, sentence_weight
from puzzles.equations.prompt import join_of, minus_and_digits
from puzzles.numeral import subtractions
from puzzles.registry import FAMILIES

ALPHA = 0.05
FEWEST, TABLES = 5, 19_999
"""Where a cell expects fewer than FEWEST rows, the chi-squared statistic is compared with that of random TABLES."""
Value = float | str


def _decimals(text: str) -> str:
    whole, _, decimals = text.partition(".")
    return f"{len(decimals)} decimals" + (" (.0)" if decimals == "0" else "")


def _numeral(row: Any, problem: Problem) -> dict[str, Value]:
    return {
        "examples": str(len(row.examples)),
        "first example": float(row.examples[0][0]),
        "query": float(row.query),
        "subtractions of the query": str(len(subtractions(row.query))),
        "query among the examples": str(row.query in [n for n, _ in row.examples]),
        "examples repeat": str(len({n for n, _ in row.examples}) < len(row.examples)),
    }


def _unit_conversion(row: Any, problem: Problem) -> dict[str, Value]:
    x, y = max(row.examples, key=lambda pair: float(pair[0]))
    return {
        "examples": str(len(row.examples)),
        "slope (longest example)": float(y) / float(x),
        "first x": float(row.examples[0][0]),
        "query x": float(row.query),
        "first x is printed with": _decimals(row.examples[0][0]),
        "first y is printed with": _decimals(row.examples[0][1]),
        "answer is printed with": _decimals(problem.answer),
    }


def _gravity(row: Any, problem: Problem) -> dict[str, Value]:
    t, d = max(row.examples, key=lambda pair: float(pair[0]))
    return {
        "examples": str(len(row.examples)),
        "g (longest example)": 2 * float(d) / float(t) ** 2,
        "first t": float(row.examples[0][0]),
        "query t": float(row.query),
        "first t is printed with": _decimals(row.examples[0][0]),
        "first d is printed with": _decimals(row.examples[0][1]),
        "answer is printed with": _decimals(problem.answer),
    }


def _template(words: Sequence[str]) -> str:
    if not sentence_weight(words):
        return "none"
    return " ".join(next(t for t in TEMPLATES if len(t) == len(words) and (("the" in t) == ("the" in words))))


def _cipher(row: Any, problem: Problem) -> dict[str, Value]:
    pairs = {c: p for codes, plains in row.examples for c, p in zip("".join(codes), "".join(plains), strict=True)}
    words = problem.answer.split(" ")
    query = set("".join(row.query))
    content = [word for word in words if word != "the"]
    return {
        "examples": str(len(row.examples)),
        "template of the first example": _template(row.examples[0][1]),
        "template of the answer": _template(words),
        "unseen letters of the query": str(len(query - set(pairs))),
        "letters shown": float(len(pairs)),
        "letters that stand for themselves": str(sum(c == p for c, p in pairs.items())),
        "first content word of the answer": content[0],
        "last word of the answer": words[-1],
        "letters of the answer": float(len(problem.answer)),
    }


def _bits(row: Any, problem: Problem, found: dict) -> dict[str, Value]:
    given, wanted = zip(*row.examples, strict=True)
    taps = found.get("taps", [])
    return {
        "examples": str(len(row.examples)),
        "inputs repeat": str(len({*given, row.query}) <= len(given)),
        "ones of the first input": float(given[0].bit_count()),
        "ones of the answer": float(problem.answer.count("1")),
        "mean ones of the outputs": float(np.mean([w.bit_count() for w in wanted])),
        "different outputs": float(len(set(wanted))),
        "taps (solver)": str(len(taps)),
        "gate (solver)": str(found.get("gate")),
        "kinds of taps (solver)": "+".join(sorted(tap.rstrip("1234567") for tap in taps)),
    }


def _equation(row: Any, problem: Problem, found: dict) -> dict[str, Value]:
    first, query = row.examples[0], row.query
    glyphs = row.operators
    sign = Counter(minus_and_digits(e)[0] for e in row.examples)
    joins = [bool(join_of(e)) for e in row.examples]
    values = {
        "examples": str(len(row.examples)),
        "different operators": str(len(glyphs)),
        "operators are all of + - *": str(set(glyphs) <= set("+-*")),
        "operator of the query": query.op,
        "operator of the first example": first.op,
        "length of the first output": str(len(first.output)),
        "length of the answer": str(len(problem.answer)),
        "some output is a join": str(any(joins)),
        "outputs with a leading minus": str(sign["prefix"]),
        "outputs with a trailing minus": str(sign["suffix"]),
        "stratum": problem.stratum,
        "mode (solver)": str(found.get("mode")),
        "rule of the first example (solver)": str(found.get("operators", {}).get(first.op)),
        "inside the rule inventory (solver)": str(bool(found)),
    }
    if row.seen:
        values["rule of the query (solver)"] = str(found.get("query"))
    if problem.family.startswith("equation"):
        sides = [text for e in (*row.examples, query) for text in (e.left, e.right)]
        values["operands that start with 0"] = str(any(text[0] == "0" for text in sides))
        values["operands that end with 0"] = str(any(text[1] == "0" for text in sides))
        values["first left operand"] = float(first.left)
    else:
        shown = row.digit_glyphs()
        values["digit glyphs"] = float(len(shown))
        values["first digit glyph"] = first.left[0]
        answer = set(problem.answer) - {query.op}
        values["answer has a glyph that the prompt has not"] = str(not answer <= set(shown))
    return values


EASY: dict[str, Callable[[Any, Problem], dict[str, Value]]] = {
    "numeral": _numeral,
    "unit_conversion": _unit_conversion,
    "gravity": _gravity,
    "cipher": _cipher,
}


def statistics(problem: Problem) -> dict[str, Value]:
    """Every statistic of one row: numbers, or categories as text. "(solver)": read off its best configuration."""
    family = FAMILIES[problem.family]
    row = family.parse(problem.prompt)
    common: dict[str, Value] = {"characters of the prompt": float(len(problem.prompt))}
    if problem.family in EASY:
        return common | EASY[problem.family](row, problem)
    found = dict(family.solve(row).found)
    return common | (_bits if problem.family == "bit_manipulation" else _equation)(row, problem, found)


def _summary(values: Sequence[Value]) -> str:
    if isinstance(values[0], float):
        low, middle, high = np.percentile(values, [5, 50, 95])
        return f"mean {np.mean(values):.4g}, 5/50/95 % {low:.4g}/{middle:.4g}/{high:.4g}"
    counts = Counter(values)
    parts = [f"{name} {count / len(values):.3f}" for name, count in counts.most_common(6)]
    return ", ".join(parts) + (f", {len(counts) - 6} more" if len(counts) > 6 else "")


def counts(real: Sequence[str], drawn: Sequence[str]) -> np.ndarray:
    """The 2 x k table of how often each category occurs in both samples."""
    a, b = Counter(real), Counter(drawn)
    return np.array([[sample[name] for name in sorted({*a, *b})] for sample in (a, b)])


def independence(table: np.ndarray) -> float:
    """p of a 2 x k table's chi-squared statistic: asymptotic, or from random tables where some cell expects few."""
    if table.shape[1] == 1:
        return 1.0
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    if expected.min() >= FEWEST:
        return float(chi2_contingency(table, correction=False).pvalue)
    tables = random_table(table.sum(axis=1), table.sum(axis=0)).rvs(TABLES, random_state=0)
    found = ((table - expected) ** 2 / expected).sum()
    chance = ((tables - expected) ** 2 / expected).sum(axis=(1, 2))
    return float((1 + (chance >= found - 1e-9).sum()) / (1 + TABLES))


def compare(real: Sequence[Value], drawn: Sequence[Value]) -> tuple[str, float, float]:
    """(test, effect, p): KS and its distance for numbers, chi-squared and the total variation for categories."""
    if isinstance(real[0], float):
        found = ks_2samp(real, drawn)
        return "KS", float(found.statistic), float(found.pvalue)
    table = counts(real, drawn)
    shares = table / table.sum(axis=1, keepdims=True)
    return "chi2", float(abs(shares[0] - shares[1]).sum() / 2), independence(table)


def report(real: Iterable[Problem], drawn: Iterable[Problem], alpha: float = ALPHA) -> pd.DataFrame:
    """One line per family and statistic: test, n of both, summaries, effect, p, Holm-corrected p, differs.

    Only families that both samples have are compared.
    """
    tables: list[dict[str, dict[str, list[Value]]]] = []
    for problems in (real, drawn):
        table: dict[str, dict[str, list[Value]]] = {}
        for problem in problems:
            columns = table.setdefault(problem.family, {})
            for name, value in statistics(problem).items():
                columns.setdefault(name, []).append(value)
        tables.append(table)
    lines = []
    for family in (name for name in FAMILIES if all(name in table for table in tables)):
        for name, values in tables[0][family].items():
            others = tables[1][family][name]
            test, effect, p = compare(values, others)
            lines.append(
                {
                    "family": family,
                    "statistic": name,
                    "test": test,
                    "n_real": len(values),
                    "n_generated": len(others),
                    "real": _summary(values),
                    "generated": _summary(others),
                    "effect": effect,
                    "p": p,
                }
            )
    frame = pd.DataFrame(lines)
    differs, corrected, _, _ = multipletests(frame.p, alpha=alpha, method="holm")
    return frame.assign(p_holm=corrected, differs=differs)


def text(frame: pd.DataFrame, alpha: float = ALPHA) -> str:
    """The report as a person reads it: what differs first, then every statistic."""
    differ = frame[frame.differs]
    close = frame[~frame.differs & (frame.p < alpha)]
    lines = [
        f"{len(frame)} statistics of {frame.family.nunique()} families; tolerance: family-wise error {alpha:g} (Holm).",
        f"{len(differ)} differ, {len(close)} more have p < {alpha:g} before correction"
        f" ({alpha * len(frame):.0f} expected by chance).",
    ]
    for title, part in (("DIFFER", differ), ("NOT RULED OUT BY CHANCE", close), ("ALL", frame)):
        lines.append(f"\n{title}" + ("" if len(part) else ": none"))
        for row in part.itertuples():
            lines.append(
                f"{row.family}, {row.statistic}: {row.test} {row.effect:.3f}, p {row.p:.2g}, corrected {row.p_holm:.2g}"
            )
            lines.append(f"    real ({row.n_real}): {row.real}")
            lines.append(f"    generated ({row.n_generated}): {row.generated}")
    return "\n".join(lines) + "\n"
