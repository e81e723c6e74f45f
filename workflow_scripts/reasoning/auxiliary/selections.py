"""Which rendered rows an arm trains on: all, one stratum, or a quota of rows by how they end or what they ask.

all             whatever is rendered
right           leaves out rows that box another answer than the challenge accepts
join, value     one stratum
tiers-1-2       rows of these tiers of the solver's work
wrong-19        19 in 100 rows box a wrong answer (the study's r10 and r11)
ends-55-30-15   55 in 100 come to an answer straight on (joins among them), 30 by a split, 15 bail (r7 and r8)
ends-55-30-15-wrong-9
                the same, and 9 in 100 box a wrong answer, all of them bails
bad-10          10 in 100 name an example that contradicts the others (r6)
short, long     the third with the shortest or longest texts of every stratum and tier (the solver's expected work)
easy, hard      the third with the least or most expected work of every stratum and third of the lengths
alike, diverse  rows whose query asks for one rule in one reading order, the commonest; or for as many as there are
even            as many rows of every group of rules that the query can have: join, add, sub, mul (the honest corpora)

Who does not name a stratum claims all that make up CLAIMED of the puzzles: a corpus without one of them is refused.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

from common.errors import LabError
from common.typed import suggestion
from puzzles.checker import grade
from puzzles.equations.rules import BY_NAME, GROUPS
from reasoning.grammar.trace import Box

BAD = "study/bad"
"""The kind of line that names an example which contradicts the others."""
BAILS = {"chain/bail", "chain/last-resort", "crypt/undetermined"}
"""Kinds of line of a thought that has given up, whether it then guesses or not."""


class Part(NamedTuple):
    """So many rows of a kind. what: how an error names the rows; rule: does `belongs` read the row's hidden rule?"""

    n: int
    belongs: Callable[[Mapping[str, Any]], bool]
    what: str


def boxes_wrong(row: Mapping[str, Any]) -> bool:
    box = Box.parse(row["completion"].rpartition("\n")[2])
    return box is not None and box.answer != row["answer"]


def boxes_right(row: Mapping[str, Any]) -> bool:
    return grade(row["completion"], row["answer"]).official


def ending(row: Mapping[str, Any]) -> str:
    """How a chain ends: bail, split or chain."""
    kinds = {each["kind"] for each in row["lines"]}
    return "bail" if kinds & BAILS else "split" if "chain/split" in kinds else "chain"


def names_bad(row: Mapping[str, Any]) -> bool:
    return any(each["kind"] == BAD for each in row["lines"])


def group_of(row: Mapping[str, Any]) -> str:
    """The group of the rule that the query asks for; `row` with its hidden rule."""
    return BY_NAME[row["rule"]["query"]].group


THIRDS = {"short": ("n_chars", False), "long": ("n_chars", True), "easy": ("tier", False), "hard": ("tier", True)}
KINDRED = ("alike", "diverse")
RULED = ("even", *KINDRED)
"""Selections that read a row's hidden rule."""
WORDS, EXAMPLES = (
    ("all", "right", *RULED, *THIRDS),
    ("wrong-19", "bad-10", "ends-55-30-15", "ends-55-30-15-wrong-9", "tiers-1-2"),
)
CLAIMED = 0.15


def narrowed(selection: str, rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The rows among which a selection that compares them chooses, in their order; others narrow nothing."""
    if selection in KINDRED:
        kinds: dict[tuple[str, str], list] = {}
        for row in rows:
            kinds.setdefault((row["rule"]["query"], row["rule"]["mode"]), []).append(row)
        if selection == "alike":
            return max(kinds.values(), key=len, default=[])
        return [row for turn in zip_longest(*kinds.values()) for row in turn if row is not None]
    if selection not in THIRDS:
        return list(rows)
    name, most = THIRDS[selection]
    groups: dict[tuple, list[int]] = {}
    by_length = sorted(range(len(rows)), key=lambda i: rows[i]["n_chars"])
    third = {i: 3 * place // len(rows) for place, i in enumerate(by_length)}
    for i, row in enumerate(rows):
        held = third[i] if name == "tier" else row["tier"]
        groups.setdefault((row["stratum"], held), []).append(i)
    chosen = set()
    for own in groups.values():
        own.sort(key=lambda i: rows[i][name], reverse=most)
        chosen |= set(own[: max(1, len(own) // 3)])
    return [row for i, row in enumerate(rows) if i in chosen]


def shares(n: int, percentages: tuple[int, ...]) -> list[int]:
    """n rows in these hundredths, the first part taking what rounding leaves."""
    rest = [round(n * each / 100) for each in percentages[1:]]
    return [n - sum(rest), *rest]


def check(selection: str, strata: Iterable[str], kinds: Iterable[str]) -> None:
    """Raise LabError (without a place) for what a design of a family cannot be asked for.

    strata: of the family; kinds: the kinds of line of the design, which quotas of endings and bad examples go by.
    """
    strata, kinds = tuple(strata), tuple(kinds)
    known = [*WORDS, *(each for each in strata if each != "all"), *EXAMPLES]
    if selection not in known:
        if not re.fullmatch("(wrong|bad|ends|tiers)-[0-9].*", selection):
            raise LabError(f"unknown selection {selection!r}{suggestion(selection, known)}")
        parts(selection, 100)
    for start, needed in (("ends-", "chain/split"), ("bad-", BAD)):
        if selection.startswith(start) and needed not in kinds:
            raise LabError(f"selection {selection!r} is for designs with lines of kind {needed}")
    if selection in RULED and "join" not in strata:
        raise LabError(f"selection {selection!r} is for families whose query has a rule, such as cryptarithms")


def empty_stratum(selection: str, every: Iterable[str], chosen: Iterable[str]) -> str:
    """A stratum that a selection claims and that none of the chosen rows has; "" where there is none.

    every, chosen: the stratum of each puzzle and of each row that is there to choose from.
    """
    counts, there = Counter(every), set(chosen)
    if selection in counts or not there:
        return ""
    claimed = [name for name, n in counts.most_common() if n >= CLAIMED * counts.total()]
    return next((name for name in claimed if name not in there), "")


def parts(selection: str, n: int) -> list[Part]:
    """The parts of a corpus of n rows; raises LabError (without a place) for what is no selection."""
    if found := re.fullmatch("wrong-([0-9]{1,2})", selection):
        right, wrong = shares(n, (100 - int(found[1]), int(found[1])))
        return [
            Part(wrong, boxes_wrong, "box a wrong answer"),
            Part(right, lambda row: not boxes_wrong(row), "box no wrong answer"),
        ]
    if found := re.fullmatch("ends-([0-9]{1,2})-([0-9]{1,2})-([0-9]{1,2})(?:-wrong-([0-9]{1,2}))?", selection):
        chain, split, bail = map(int, found.groups()[:3])
        if chain + split + bail != 100 or int(found[4] or 0) > bail:
            raise LabError(
                f"{selection!r} is no selection; expected three parts of 100, and no more wrong rows than bails"
            )
        wrong = None if found[4] is None else int(found[4])
        counts = shares(n, (chain, split, *((bail,) if wrong is None else (bail - wrong, wrong))))
        made = [
            Part(counts[0], lambda row: ending(row) == "chain" and not boxes_wrong(row), "end straight on"),
            Part(counts[1], lambda row: ending(row) == "split" and not boxes_wrong(row), "end by a split"),
        ]
        if wrong is None:
            return [*made, Part(counts[2], lambda row: ending(row) == "bail", "bail")]
        return [
            *made,
            Part(counts[2], lambda row: ending(row) == "bail" and not boxes_wrong(row), "bail without a wrong answer"),
            Part(counts[3], lambda row: ending(row) == "bail" and boxes_wrong(row), "bail and box a wrong answer"),
        ]
    if found := re.fullmatch("bad-([0-9]{1,2})", selection):
        sound, bad = shares(n, (100 - int(found[1]), int(found[1])))
        return [
            Part(bad, names_bad, "name a bad example"),
            Part(sound, lambda row: not names_bad(row), "name no bad example"),
        ]
    if selection == "even":
        counts = [n // len(GROUPS) + (k < n % len(GROUPS)) for k in range(len(GROUPS))]
        return [
            Part(count, lambda row, group=group: group_of(row) == group, f"ask for a rule of group {group}")
            for count, group in zip(counts, GROUPS, strict=True)
        ]
    if selection in (*THIRDS, *KINDRED):
        return [Part(n, lambda row: True, f"are rendered and of selection {selection!r}")]
    if found := re.fullmatch("tiers((?:-[1-9])+)", selection):
        wanted = {int(each) for each in found[1].split("-")[1:]}
        return [Part(n, lambda row: row["tier"] in wanted, f"are of the tiers {found[1].replace('-', ' ').strip()}")]
    if selection == "right":
        return [Part(n, boxes_right, "are rendered and of selection 'right'")]
    if not re.fullmatch("[a-z_]+", selection):
        raise LabError(
            f"{selection!r} is no selection; expected all, right, even, short, long, easy, hard, alike, diverse,"
            " a stratum, tiers-N, wrong-N, bad-N, ends-A-B-C"
        )
    return [Part(n, lambda row: selection in ("all", row["stratum"]), f"are rendered and of selection {selection!r}")]
