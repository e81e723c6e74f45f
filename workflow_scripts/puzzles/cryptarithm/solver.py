"""The exact cryptarithm solver: a relational join over the signature catalog, summed into a posterior over answers.

A configuration is a mode, a rule per operator and an injective digit for every digit glyph. All full digit maps are
equally likely and so are all operands 10..99, so the weight of a configuration is the prior of its mode and rules. The
sum runs over every configuration: glyphs that no value equation fixes are counted instead of enumerated, answer
digits that no fixed glyph carries are shared out over the glyphs that may carry them.
"""

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import factorial
from typing import Any

import numpy as np

from puzzles.base import Solution
from puzzles.cryptarithm import relational_join
from puzzles.cryptarithm.signatures import proper_rows, signature_of
from puzzles.equations import prompt as equations
from puzzles.equations import rules
from puzzles.equations.prior import GLYPH_PRIOR, falling, group_share, regime_shares, rule_share
from puzzles.equations.prompt import DIGIT_GLYPHS, OPERATOR_GLYPHS, Equation, EquationRow, join_of
from puzzles.equations.rules import JOINS, MODES, VALUE_RULES, Rule

# Join steps per mode: some tenths of a second.
BUDGET = 20_000_000
# Where the digits are not needed for the answer, fewer steps are spent on telling which rules the row has.
JOIN_BUDGET = 300_000
# Answers less likely than this are left out of the posterior (they still count in its sum).
NEGLIGIBLE = 1e-6
MAX_ANSWERS = 100
REGIMES = ("canonical", "scrambled")
_MODE_RULES = {
    mode: np.array([i for i, rule in enumerate(VALUE_RULES) if rule.mode == mode], dtype=np.int64) for mode in MODES
}
_WANTED = {mode: np.array([rule.mode == mode for rule in VALUE_RULES]) for mode in MODES}


@cache
def _table() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The hash table of accumulated cells, reused from row to row: keys, masses, sample assignments, places taken."""
    size = 1 << relational_join.TABLE_BITS
    return (
        np.full(size, -1, dtype=np.int64),
        np.zeros(size),
        np.zeros(size, dtype=np.uint64),
        np.zeros(size // 2, dtype=np.int64),
    )


@dataclass(frozen=True, slots=True)
class _Task:
    """A row as the join sees it: glyphs are numbered, joins are set apart from value equations."""

    row: EquationRow
    glyphs: tuple[str, ...]
    slots: tuple[str, ...]
    values: tuple[Equation, ...]
    joins: dict[str, tuple[Rule, ...]]
    known: Mapping[str, int]
    asked: bool

    def bits(self, text: Iterable[str]) -> int:
        found = 0
        for glyph in text:
            found |= 1 << self.glyphs.index(glyph)
        return found


@dataclass(frozen=True, slots=True)
class _Cells:
    """What the join of one mode accumulated, one entry per assignment of rules and answer template."""

    mode: str
    asked_join: Rule | None
    combination: np.ndarray
    text: np.ndarray
    mass: np.ndarray
    sample: np.ndarray


def _trouble(row: EquationRow, given: Sequence[Equation], known: Mapping[str, int]) -> str:
    """Why a row cannot be a cryptarithm at all; "" if it can."""
    operators = {equation.op for equation in (*given, row.query)}
    glyphs = EquationRow(tuple(given), row.query).digit_glyphs()
    if clash := sorted(operators.intersection(glyphs)):
        return f"contradictory: {clash[0]!r} is both an operator and a digit glyph"
    everything = set(glyphs).union(known)
    if len(everything) > 10:
        return f"contradictory: {len(everything)} digit glyphs"
    if len(set(known.values())) < len(known) or not all(0 <= digit <= 9 for digit in known.values()):
        return "contradictory: the known digits are not different digits"
    return ""


def _task(row: EquationRow, given: Sequence[Equation], known: Mapping[str, int], asked: bool) -> _Task:
    glyphs = tuple(dict.fromkeys((*EquationRow(tuple(given), row.query).digit_glyphs(), *known)))
    joins: dict[str, tuple[Rule, ...]] = {}
    for equation in given:
        found = join_of(equation)
        joins[equation.op] = tuple(rule for rule in joins.get(equation.op, JOINS) if rule in found)
    joins = {op: found for op, found in joins.items() if found}
    values = tuple(equation for equation in given if equation.op not in joins)
    slots = tuple(dict.fromkeys(equation.op for equation in values))
    return _Task(row, glyphs, slots, values, joins, known, asked)


def solve(
    row: EquationRow,
    prior: Mapping[str, Any] | None = None,
    *,
    known: Mapping[str, int] | None = None,
    answer: str | None = None,
    budget: int = BUDGET,
) -> Solution:
    """The exact posterior over answers: every consistent (mode, rules, digits), weighed by `prior`.

    known: digits of glyphs that are given beforehand. answer: the query's answer where it is known; `found` is then
    the most probable configuration that gives it. budget: join steps per mode. found: mode, order, operators
    (glyph -> rule), query (rule), key (glyph -> digit, for every glyph that the configuration fixes).
    """
    prior = prior or GLYPH_PRIOR
    known = dict(known or {})
    given = row.examples if answer is None else (*row.examples, dataclasses.replace(row.query, output=answer))
    if reason := _trouble(row, given, known):
        return Solution(None, reason=reason)
    task = _task(row, given, known, asked=answer is None)
    for equation in task.values:
        if not len(proper_rows(signature_of(equation))[0]):
            return Solution(None, reason=f"contradictory: no rule of the inventory writes {equation.text}")
    cells: list[_Cells] = []
    leaves = nodes = 0
    exhaustive = True
    query_joins: tuple[Rule | None, ...] = task.joins.get(row.query.op) or (None,)
    for mode in MODES:
        for asked_join in query_joins:
            part, more_leaves, more_nodes, finished = _enumerate(task, prior, mode, asked_join, budget)
            cells += part
            leaves, nodes, exhaustive = leaves + more_leaves, nodes + more_nodes, exhaustive and finished
    found = _summarise(task, cells, answer)
    if found is None:
        reason = "contradictory: no rules and digits fit the examples" if exhaustive else "node budget spent"
        return Solution(None, nodes=nodes, exhaustive=exhaustive, reason=reason)
    answers, best = found
    return Solution(
        answer=answers[0][0],
        posterior=answers[0][1],
        answers=tuple(answers),
        n_consistent=leaves,
        exhaustive=exhaustive,
        nodes=nodes,
        found=best,
    )


def _nonzero(task: _Task, mode: str) -> int:
    """The glyphs that lead an operand's value in this mode, as bits: operand values are 10..99."""
    lead = 0 if mode == "normal" else 1
    lines = (*task.row.examples, task.row.query)
    return task.bits(text[lead] for line in lines for text in (line.left, line.right))


def _ways(task: _Task, fixed: int, nonzero: int) -> tuple[float, float]:
    """Ways to give the glyphs outside `fixed` different digits, where 0 is (index 1) or is not (0) used already."""
    rest = ((1 << len(task.glyphs)) - 1) & ~fixed
    free, unnamed, barred = 10 - fixed.bit_count(), rest.bit_count(), (rest & nonzero).bit_count()
    every = falling(free, unnamed)
    return float(every - (barred * falling(free - 1, unnamed - 1) if barred else 0)), float(every)


def _enumerate(
    task: _Task, prior: Mapping[str, Any], mode: str, asked_join: Rule | None, budget: int
) -> tuple[list[_Cells], int, int, bool]:
    """Run the join of one mode; returns its cells, leaves, nodes and whether it finished."""
    row, query = task.row, task.row.query
    nonzero = _nonzero(task, mode)
    known_set = task.bits(task.known)
    known = 0
    for glyph, digit in task.known.items():
        place = task.glyphs.index(glyph)
        known |= digit << (4 * place)
        if digit == 0 and nonzero >> place & 1:
            return [], 0, 0, True
    gathered = []
    for equation in task.values:
        rule, letters = proper_rows(signature_of(equation))
        text = dict.fromkeys(equation.left + equation.right + equations.minus_and_digits(equation)[1])
        numbers = [task.glyphs.index(glyph) for glyph in text]
        packed, digits, starts = relational_join.gather(
            rule,
            letters,
            _WANTED[mode],
            np.array(numbers, dtype=np.int64),
            nonzero,
        )
        if not len(packed):
            return [], 0, 0, True
        gathered.append((task.slots.index(equation.op), sum(1 << k for k in numbers), packed, digits, starts))
    gathered = _ordered(gathered, known_set)
    fixed = known_set
    for _, glyph_set, *_ in gathered:
        fixed |= glyph_set

    operators = row.operators
    regimes = regime_shares(prior, operators, len(OPERATOR_GLYPHS) - 10)
    n = len(task.slots)
    factor = np.zeros((2, max(n, 1), len(VALUE_RULES)))
    base = np.zeros((2, n + 2))
    query_factor = np.zeros((2, len(VALUE_RULES) + 2))
    for k, regime in enumerate(REGIMES):
        flip = prior["regimes"][regime]["flip"]
        share = regimes[regime] * (flip if mode == "flip" else 1 - flip)
        for op, found in task.joins.items():
            options = (asked_join,) if op == query.op and asked_join else found
            share *= sum(rule_share(prior, regime, mode, op, rule) for rule in options)
        for count in range(n + 2):
            base[k, count] = share * group_share(regime, rules.GROUPS[:count]) if count < 4 else 0.0
        for place, op in enumerate(task.slots):
            for number in _MODE_RULES[mode]:
                factor[k, place, number] = rule_share(prior, regime, mode, op, VALUE_RULES[number])
        if query.op not in task.slots and not asked_join:
            for number, rule in enumerate((*VALUE_RULES, *JOINS)):
                query_factor[k, number] = rule_share(prior, regime, mode, query.op, rule)
    # The compiled search prunes on shares alone, so a regime that is out of the question must not lend any.
    factor[base.max(axis=1) == 0.0] = 0.0

    if not task.asked or asked_join:
        kind, slot, free = 3, 0, ()
    else:
        kind, slot = (0, task.slots.index(query.op)) if query.op in task.slots else (1, 0)
        free = tuple(dict.fromkeys(c for c in query.left + query.right if not fixed >> task.glyphs.index(c) & 1))
    turn = -1 if mode == "flip" else 1
    order = (*query.left[::turn], *query.right[::turn])
    keys, masses, samples, touched = _table()
    cells, leaves, nodes, finished = relational_join.search(
        int(mode == "flip"),
        np.array([g[0] for g in gathered], dtype=np.int64),
        np.array([g[4] for g in gathered], dtype=np.int64).reshape(-1, len(VALUE_RULES) + 1),
        _joined([g[2] for g in gathered], np.uint64),
        _joined([g[3] for g in gathered], np.int64),
        np.array([_nibbles(g[1]) for g in gathered], dtype=np.uint64),
        np.array([g[1] for g in gathered], dtype=np.int64),
        n,
        _MODE_RULES[mode],
        factor,
        base,
        np.uint64(known),
        known_set,
        kind,
        np.array([*map(task.glyphs.index, order), slot], dtype=np.int64),
        np.array([task.glyphs.index(glyph) for glyph in free], dtype=np.int64),
        nonzero,
        query_factor,
        np.array(_ways(task, fixed | task.bits(free), nonzero)),
        np.array(_ways(task, fixed, nonzero)),
        min(budget, JOIN_BUDGET) if asked_join else budget,
        keys,
        masses,
        samples,
        touched,
    )
    places = touched[:cells]
    code = keys[places]
    part = _Cells(mode, asked_join, code >> 24, code & 0xFFFFFF, masses[places], samples[places])
    keys[places] = -1
    return ([part] if cells else []), leaves, nodes, bool(finished)


def _joined(parts: Sequence[np.ndarray], dtype: type) -> np.ndarray:
    return np.concatenate(parts) if parts else np.zeros(0, dtype=dtype)


def _nibbles(glyph_set: int) -> int:
    return sum(15 << (4 * k) for k in range(10) if glyph_set >> k & 1)


def _ordered(gathered: list[tuple], known_set: int) -> list[tuple]:
    """Fewest expected matches first; the starts of each equation are moved to its place in the joined arrays."""
    left, order, fixed, slots = list(gathered), [], known_set, set()
    offset = 0
    while left:

        def expected(item: tuple, fixed: int = fixed) -> float:
            rows = len(item[2]) / (4 if item[0] in slots else 1)
            return rows / 8.0 ** (item[1] & fixed).bit_count()

        item = left.pop(min(range(len(left)), key=lambda k: expected(left[k])))
        order.append((*item[:4], item[4] + offset))
        offset += len(item[2])
        fixed |= item[1]
        slots.add(item[0])
    return order


def _summarise(
    task: _Task, cells: list[_Cells], answer: str | None
) -> tuple[list[tuple[str, float]], dict[str, Any]] | None:
    """Sum cells into answers; returns them best first and the best configuration of the first. None without cells."""
    total = sum(float(part.mass.sum()) for part in cells)
    if total <= 0.0:
        return None
    mass: dict[str, float] = defaultdict(float)
    readings: list[dict[int, list[tuple[str, float]]]] = []
    for part in cells:
        texts, inverse = np.unique(part.text, return_inverse=True)
        weights = np.bincount(inverse, weights=part.mass)
        reader = _Reader(task, part)
        given: dict[int, list[tuple[str, float]]] = {}
        for text, weight in zip(texts.tolist(), weights.tolist(), strict=True):
            if answer is not None:
                given[text] = [(answer, 1.0)]
            elif weight > NEGLIGIBLE * total:
                given[text] = list(reader.read(text, NEGLIGIBLE * total / weight))
            for name, share in given.get(text, ()):
                mass[name] += weight * share
        readings.append(given)
    answers = sorted(((name, m / total) for name, m in mass.items()), key=lambda pair: (-pair[1], pair[0]))
    first = answers[0][0]
    best: tuple[float, _Cells, int] | None = None
    for part, given in zip(cells, readings, strict=True):
        shares = {text: dict(pairs).get(first, 0.0) for text, pairs in given.items()}
        score = part.mass * np.array([shares.get(text, 0.0) for text in part.text.tolist()])
        place = int(np.lexsort((part.text, part.combination, -score))[0])
        if best is None or score[place] > best[0]:
            best = (float(score[place]), part, place)
    return answers[:MAX_ANSWERS], _configuration(task, best[1], best[2], first)


class _Reader:
    """Reads answer templates of one mode; shares out digits that no fixed glyph carries."""

    def __init__(self, task: _Task, part: _Cells):
        self.task, self.part = task, part
        lines = (*task.values, task.row.query)
        named = set(task.known).union(*(line.left + line.right for line in lines))
        for line in task.values:
            named.update(equations.minus_and_digits(line)[1])
        nonzero = _nonzero(task, part.mode)
        self.rest = [glyph for glyph in task.glyphs if glyph not in named]
        self.barred = {glyph for glyph in self.rest if nonzero >> task.glyphs.index(glyph) & 1}
        self.free = 10 - len(task.glyphs) + len(self.rest)
        self.pool = [g for g in DIGIT_GLYPHS if g not in task.glyphs and g not in task.row.operators]
        self._kept: dict[tuple[int, int | None, bool], list[tuple[tuple[str, ...], float]]] = {}

    def read(self, text: int, threshold: float) -> Iterator[tuple[str, float]]:
        """The answers of a template with their shares, those below `threshold` left out.

        A digit that no glyph of the prompt carries is written with the first glyphs of the pool that the prompt does
        not use; each of those is equally likely.
        """
        query = self.task.row.query
        kind = text >> 22
        if kind == relational_join.NONE:
            yield rules.apply(self.part.asked_join, query.left, query.right), 1.0
            return
        if kind != relational_join.VALUE:
            yield rules.apply(JOINS[kind - relational_join.JOIN], query.left, query.right), 1.0
            return
        zero_used, zero, sign, body = text & 1, text >> 1 & 7, text >> 4 & 3, text >> 6
        places = [body >> shift & 15 for shift in (12, 8, 4, 0)]
        places = [place for place in places if place != relational_join.END]
        nameless = len({place for place in places if place >= 10})
        shape = (nameless, zero - 1 if zero else None, bool(zero_used))
        if shape not in self._kept:
            self._kept[shape] = sorted(self._fills(*shape), key=lambda pair: (-pair[1], pair[0]))
        for names, share in self._kept[shape]:
            if share < threshold:
                return
            digits = "".join(names[place - 10] if place >= 10 else self.task.glyphs[place] for place in places)
            yield (query.op if sign == 1 else "") + digits + (query.op if sign == 2 else ""), share

    def _fills(self, nameless: int, zero: int | None, zero_used: bool) -> Iterator[tuple[tuple[str, ...], float]]:
        if nameless == 0:
            yield (), 1.0
            return
        f, z, m = self.free, len(self.barred), nameless
        outside = f - len(self.rest)

        def extend(names: tuple[str, ...], fresh: int) -> Iterator[tuple[tuple[str, ...], float]]:
            if len(names) < m:
                for glyph in self.rest:
                    if glyph not in names and not (len(names) == zero and glyph in self.barred):
                        yield from extend((*names, glyph), fresh)
                if fresh < min(outside, len(self.pool)):
                    yield from extend((*names, self.pool[fresh]), fresh + 1)
                return
            if zero_used:
                share = factorial(f - m) / factorial(f)
            elif zero is not None:
                share = factorial(f - m) / ((f - z) * factorial(f - 1))
            else:
                barred = sum(glyph in self.barred for glyph in names)
                share = (f - m - z + barred) * factorial(f - m - 1) / ((f - z) * factorial(f - 1)) if f > m else 0.0
            share *= falling(outside, fresh) / falling(len(self.pool), fresh)
            if share > 0.0:
                yield names, share

        yield from extend((), 0)


def _configuration(task: _Task, part: _Cells, place: int, answer: str) -> dict[str, Any]:
    """The record of one cell: mode, order, operators, query rule and the digits it fixes."""
    query = task.row.query
    combination, text, sample = int(part.combination[place]), int(part.text[place]), int(part.sample[place])
    last = combination & 31
    operators: dict[str, str] = {op: found[0].name for op, found in task.joins.items()}
    for k, op in enumerate(reversed(task.slots)):
        operators[op] = VALUE_RULES[combination >> (5 * (k + 1)) & 31].name
    if part.asked_join:
        operators[query.op] = part.asked_join.name
    elif last != relational_join.NO_CODE:
        operators[query.op] = (*VALUE_RULES, *JOINS)[last].name
    fixed = set(task.known)
    for equation in task.values:
        fixed.update(equation.left + equation.right + equations.minus_and_digits(equation)[1])
    asked = rules.BY_NAME[operators[query.op]]
    if text >> 22 == relational_join.VALUE:
        fixed.update(query.left + query.right)
    key = {glyph: sample >> (4 * k) & 15 for k, glyph in enumerate(task.glyphs) if glyph in fixed}
    if text >> 22 == relational_join.VALUE:
        left, right = ("".join(str(key[glyph]) for glyph in side) for side in (query.left, query.right))
        output = rules.apply(asked, left, right, query.op)
        key.update({glyph: int(digit) for glyph, digit in zip(answer, output, strict=True) if digit != query.op})
    return {
        "mode": part.mode,
        "order": "reversed" if part.mode == "flip" else "standard",
        "operators": {op: operators[op] for op in task.row.operators},
        "query": asked.name,
        "key": key,
    }
