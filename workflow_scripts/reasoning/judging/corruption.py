"""Corruptions: each takes one property away from the traces, to measure what that property is worth.

none          identity
solutiononly  no lines at all: is a trace needed?
filler        every character of the lines but the line breaks becomes a dot: computation without content
swap          the lines of another row, one cycle through all rows: content without truth
swapwithin    the same within a tenth of the rows of like solver cost: at matched length
shuffle       the middle lines in another order: is order needed?
delete30      30 % of the middle lines dropped: is completeness needed?
digit10       10 % of the lines' digits replaced by another digit: is right arithmetic needed?
verdictflip10, verdictflip50, verdictflip100
              that percentage of verdicts replaced by another outcome: are right verdicts needed?
wrongans      the row rendered with one piece of its query misread: consistent lines that lead to a wrong answer

The boxed answer stays the row's own except under wrongans. Rows that a corruption cannot apply to get its reason as
their status. Source: the controls of arXiv:2505.13775 and arXiv:2502.07374, extended.
"""

import random
import re
import string
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from common.errors import LabError
from puzzles.base import Family, PromptError, row_rng
from puzzles.checker import official
from puzzles.registry import FAMILIES
from reasoning.grammar.reveal import split_shown
from reasoning.grammar.texts import RENDERED, Row, Written
from reasoning.grammar.trace import Design, Unrenderable

FILLER = "."
MISREADINGS = 12  # at most so many are tried per row


def _each(change: Callable[[Row, random.Random], Row]) -> Callable[[Sequence[Row], Design, int], list[Row]]:
    def corrupted(rows: Sequence[Row], design: Design, seed: int) -> list[Row]:
        return [change(row, row_rng(seed, change.__name__, row.id)) for row in rows]

    return corrupted


def _solutiononly(row: Row, rng: random.Random) -> Row:
    return replace(row, lines=())


def _filler(row: Row, rng: random.Random) -> Row:
    return replace(row, lines=tuple(Written("filler", FILLER * len(each.text)) for each in row.lines))


def _shuffle(row: Row, rng: random.Random) -> Row:
    middle = list(row.lines[1:-1])
    if len({each.text for each in middle}) < 2:
        return replace(row, status="too few middle lines to shuffle", lines=(), boxed=None)
    order = middle
    while [each.text for each in order] == [each.text for each in middle]:
        order = rng.sample(middle, len(middle))
    return replace(row, lines=(row.lines[0], *order, row.lines[-1]))


def _delete30(row: Row, rng: random.Random) -> Row:
    middle = range(1, len(row.lines) - 1)
    if not middle:
        return replace(row, status="no middle line to delete", lines=(), boxed=None)
    gone = set(rng.sample(middle, max(1, round(0.3 * len(middle)))))
    return replace(row, lines=tuple(each for number, each in enumerate(row.lines) if number not in gone))


def _digit10(row: Row, rng: random.Random) -> Row:
    places = [(i, j) for i, each in enumerate(row.lines) for j, c in enumerate(each.text) if c in string.digits]
    if not places:
        return replace(row, status="no digit to replace", lines=(), boxed=None)
    texts = [list(each.text) for each in row.lines]
    for i, j in rng.sample(places, max(1, round(0.1 * len(places)))):
        texts[i][j] = rng.choice([d for d in string.digits if d != texts[i][j]])
    return replace(
        row, lines=tuple(replace(each, text="".join(text)) for each, text in zip(row.lines, texts, strict=True))
    )


def _verdictflip(percentage: int) -> Callable[[Sequence[Row], Design, int], list[Row]]:
    def corrupted(rows: Sequence[Row], design: Design, seed: int) -> list[Row]:
        kinds = {kind.KIND: kind for kind in design.kinds if len(kind.OUTCOMES) > 1}

        def flipped(each: Written, rng: random.Random) -> Written:
            kind = kinds.get(each.kind)
            if kind is None or rng.random() * 100 >= percentage:
                return each
            verdict = rng.choice([outcome for outcome in kind.OUTCOMES if outcome != each.verdict])
            return Written.of(replace(kind.parse(each.text), verdict=verdict))

        out = []
        for row in rows:
            rng = row_rng(seed, "verdictflip", row.id)
            if not any(each.kind in kinds for each in row.lines):
                out.append(replace(row, status="no verdict with another outcome", lines=(), boxed=None))
            else:
                out.append(replace(row, lines=tuple(flipped(each, rng) for each in row.lines)))
        return out

    return corrupted


def sattolo(n: int, rng: random.Random) -> list[int]:
    """A uniform random cycle through n items as a list of donors; no item is its own."""
    donors = list(range(n))
    for i in range(n - 1, 0, -1):
        j = rng.randrange(i)
        donors[i], donors[j] = donors[j], donors[i]
    return donors


def _lines_of(row: Row) -> tuple[str, ...]:
    return tuple(each.text for each in row.lines)


def _derangement(rows: Sequence[Row], rng: random.Random, same: Callable[[Row, Row], bool]) -> list[int]:
    """Donors such that no row gets one that is `same`: a cycle, then exchanges until it holds.

    Raises LabError when that cannot be reached, as with two rows of which one has the other's lines.
    """
    donors = sattolo(len(rows), rng)
    for _ in range(100):
        bad = [i for i, donor in enumerate(donors) if same(rows[i], rows[donor])]
        if not bad:
            return donors
        for i in bad:
            j = rng.randrange(len(rows))
            if i != donors[j] and j != donors[i]:
                donors[i], donors[j] = donors[j], donors[i]
    raise LabError(f"no way to give each of {len(rows)} rows the lines of another")


def _swap(rows: Sequence[Row], design: Design, seed: int) -> list[Row]:
    if len(rows) < 2:
        raise LabError(f"{len(rows)} rendered row(s), at least two are needed to swap their lines")
    donors = _derangement(rows, row_rng(seed, "swap"), lambda row, donor: _lines_of(row) == _lines_of(donor))
    return [replace(row, lines=rows[d].lines, donor=rows[d].id) for row, d in zip(rows, donors, strict=True)]


def _swapwithin(rows: Sequence[Row], design: Design, seed: int) -> list[Row]:
    """Tenths by solver cost, then length; fewer parts for small tables, so that a part has at least eight rows."""
    order = sorted(range(len(rows)), key=lambda i: (rows[i].cost, len(rows[i].completion), rows[i].id))
    parts = max(1, min(10, len(rows) // 8))
    swapped: dict[int, Row] = {}
    for part in range(parts):
        members = order[part * len(rows) // parts : (part + 1) * len(rows) // parts]
        for i, row in zip(members, _swap([rows[i] for i in members], design, seed), strict=True):
            swapped[i] = row
    return [swapped[i] for i in range(len(rows))]


def misreadings(prompt: str, family: Family, rng: random.Random) -> Iterator[str]:
    """The prompt with one piece of its query taken for another, in random order: a word for a word of the examples, or
    a character for another digit or for a character of the examples."""
    examples, _, last = prompt.rpartition("\n")
    heads = [phrase.lstrip("\n") for phrase in family.phrases]
    head = max((phrase for phrase in heads if last.startswith(phrase)), key=len)
    tail = max((phrase for phrase in ("", *heads) if last[len(head) :].endswith(phrase)), key=len)
    query = last[len(head) : len(last) - len(tail)]
    if query.replace(" ", "").isalpha():
        pieces, pool = query.split(" "), re.findall("[a-z]+", examples.partition("\n")[2])
        options = [(i, other) for i in range(len(pieces)) for other in sorted(set(pool))]
    else:
        pieces, pool = list(query), set("".join(re.split(r"[\n ]", examples.partition("\n")[2])))
        options = [
            (i, other)
            for i, piece in enumerate(pieces)
            for other in (string.digits if piece.isdigit() else sorted(pool))
            if piece not in ". "
        ]
    rng.shuffle(options)
    between = " " if " " in query else ""
    for i, other in options:
        if other != pieces[i]:
            misread = between.join([*pieces[:i], other, *pieces[i + 1 :]])
            yield f"{examples}\n{head}{misread}{tail}"


def _wrongans(rows: Sequence[Row], design: Design, seed: int) -> list[Row]:
    return [_misread(row, design, row_rng(seed, "wrongans", row.id), seed) for row in rows]


def _misread(row: Row, design: Design, rng: random.Random, seed: int) -> Row:
    """The row rendered with one piece of its query misread: right for that query, wrong for the row."""
    family, known = FAMILIES[design.family], split_shown(row.page)[1]
    known.thought, tries = row.thought, 0
    for prompt in misreadings(row.problem.prompt, family, rng):
        try:
            parsed = family.parse(prompt)
        except PromptError:
            continue
        if tries == MISREADINGS:
            break
        tries += 1
        solution = family.solve(parsed)
        if solution.answer is None or official(solution.answer, row.answer):
            continue
        problem = replace(row.problem, prompt=prompt, answer=solution.answer)
        try:
            trace = design.render(problem, parsed, solution, known, row_rng(seed, design.family, design.id, row.id))
        except Unrenderable:
            continue
        if trace.answer is not None and not official(trace.answer, row.answer):
            lines = tuple(map(Written.of, trace.lines))
            return replace(row, lines=lines, boxed=trace.answer)
    return replace(row, status="no wrong answer to tell", lines=(), boxed=None)


_LADDER: dict[str, Callable[[Sequence[Row], Design, int], list[Row]]] = {
    "none": lambda rows, design, seed: list(rows),
    "solutiononly": _each(_solutiononly),
    "filler": _each(_filler),
    "swap": _swap,
    "swapwithin": _swapwithin,
    "shuffle": _each(_shuffle),
    "delete30": _each(_delete30),
    "digit10": _each(_digit10),
    **{f"verdictflip{p}": _verdictflip(p) for p in (10, 50, 100)},
    "wrongans": _wrongans,
}
CORRUPTIONS = tuple(_LADDER)


def corrupt(rows: Sequence[Row], name: str, design: Design, seed: int) -> list[Row]:
    """Corrupt the rendered rows of one table; the others stay as they are, in their places."""
    if name not in _LADDER:
        raise LabError(f"unknown corruption {name!r}; one of {', '.join(CORRUPTIONS)}", field="corruption")
    rendered = [row for row in rows if row.status == RENDERED]
    if not rendered:
        return list(rows)
    changed = iter(_LADDER[name](rendered, design, seed))
    return [next(changed) if row.status == RENDERED else row for row in rows]
