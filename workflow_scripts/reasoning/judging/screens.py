"""Screens: what can be said of a design from its rendered rows, before anything is trained.

Per kind of line, and with kind "" for the design as a whole:

outcomes        declared and seen, with counts; verdict_top: share of the most frequent one; verdict_bits: entropy.
verdict_free    mean log2 of the outcomes that the line's own check would accept: 0 where the page forces the verdict.
verdict_given_line
                bits of the verdict that the line alone leaves open: how the outcomes that would be right differ when
                the same line stands on the pages of other rows. 0 where the line carries its evidence; what it claims
                without any is held to what those rows hide.
verdict_given_stump
                bits that one feature of the line and its place leave open (judging/stump.py), fitted on every other row
                and measured on the rest. 0 where the verdict can be said without looking at the evidence.
unwitnessed     share of lines that rest on something which neither the line nor the page shows: a bare claim (role B in
                its ROLES), a premise that no line has written, a guess, a choice whose alternatives were never
                refuted (`is_bare` of the kind); or that have a value which neither the prompt nor an earlier line shows
                and neither transcription nor arithmetic accounts for.
unchecked       share of lines on which no mark has anything to check.
bare            share of lines with a field that nothing on the page forces (its ROLES), or unwitnessed.
recalls         what the kind takes from memory, as its RECALLS declares; for the design, what any of its lines does.
recalled        share of lines that take something from memory; for the design, of rows with such a line. The rest is
                read off the page or computed.
bare_digits, bare_rules
                of the digits that stand at the end, and of the rules struck out by then, the share that an unwitnessed
                line settled: the claims of a search that is not on the page.
coverage        of all rows, the share that the design's own lines settle. `written`: they arrive at the right answer
                and no unwitnessed line stands, so that all that it rests on is on the page. For cryptarithms also each
                set of forward rules (judging/closure.py, rules not given) from the digits of witnessed lines.
wrong_answers, undetermined
                share of the rendered rows that box another answer than the row's, or box nothing.
tokens_mean     words, single digits and single signs of prompt and completion: about what a byte-pair tokenizer that
                splits digits makes of them.
fetch           per line, characters back to the nearest earlier place of that value which is farthest, a lower bound on
                how far it must be fetched; single letters and digits are left out: their nearest place means nothing.
                fetch_share: the same as a share of the text so far, which does not grow with its length.
branching       bits of surprise at the kind of line, given the two kinds before it and the last verdict: the choices
                that a design leaves to policy.

Source of the measures: RASP-L screening (arXiv:2310.16028), and the artefacts of arXiv:2606.21884's designs.
"""

import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace

from reasoning.grammar.lines import Line
from reasoning.grammar.page import Page
from reasoning.grammar.roles import claims, is_open
from reasoning.grammar.texts import RENDERED
from reasoning.grammar.trace import Box, Design, Malformed, parse_completion
from reasoning.judging.audit import accepted
from reasoning.judging.closure import LEVELS, closure_flags
from reasoning.judging.stump import Features, features_of, fit

TOKEN = re.compile(r"[A-Za-z]+|[^A-Za-z ]")
TOP_SHARE = 0.95
"""A verdict with a more frequent outcome than this is flagged as unbalanced."""
MOST_LINES, MOST_PAGES, MOST_CLOSED = 120, 8, 300
"""Lines of a kind that are put on other pages, and these pages; rows whose written digits are closed."""


def entropy(counts: Iterable[int]) -> float:
    """Entropy in bits of the distribution with these counts; 0 for an empty one."""
    counts = [count for count in counts if count]
    total = sum(counts)
    return sum(count / total * math.log2(total / count) for count in counts)


def conditional_entropy(pairs: Iterable[tuple[object, object]], least: int = 1) -> tuple[float | None, int]:
    """(H(second | first) in bits, pairs used), over firsts with at least `least` pairs; None when there is none."""
    groups: dict[object, Counter] = defaultdict(Counter)
    for first, second in pairs:
        groups[first][second] += 1
    kept = [counts for counts in groups.values() if counts.total() >= least]
    total = sum(counts.total() for counts in kept)
    if not total:
        return None, 0
    return sum(counts.total() / total * entropy(counts.values()) for counts in kept), total


@dataclass
class _Kind:
    """What was seen of one kind of line."""

    n: int = 0
    rows: set[int] = field(default_factory=set)
    verdicts: Counter = field(default_factory=Counter)
    samples: list[tuple[int, Features, str]] = field(default_factory=list)
    lines: list[tuple[int, Line]] = field(default_factory=list)
    pages: list[tuple[int, Page]] = field(default_factory=list)
    free: list[float] = field(default_factory=list)
    unwitnessed: int = 0
    unchecked: int = 0
    bare: int = 0
    fetches: list[int] = field(default_factory=list)
    fetch_shares: list[float] = field(default_factory=list)
    moves: list[tuple] = field(default_factory=list)
    given_line: list[float] = field(default_factory=list)
    given_stump: float | None = None


def values_of(each: Line) -> list[str]:
    """The texts of a line's fields, lists taken apart, verdict and single letters or digits left out."""
    texts: list[str] = []
    for part in fields(each):
        value = getattr(each, part.name)
        if part.name == "verdict":
            continue
        for item in value if isinstance(value, tuple) else (value,):
            texts += map(str, item) if isinstance(item, tuple) else [str(item)]
    return [text for text in texts if len(text) > 1 or not text.isalnum()]


def _free_bits(each: Line, page: Page) -> float:
    return math.log2(max(1, len(accepted(each, page))))


@dataclass
class _Standing:
    """What stands on the page: whether an unwitnessed line settled each digit and struck out each rule, how many
    unwitnessed lines stand, and the answer that the lines have arrived at."""

    digits: dict[str, bool] = field(default_factory=dict)
    rules: dict[tuple[str, str], bool] = field(default_factory=dict)
    lines: int = 0
    answer: str | None = None

    def after(self, page: Page, bare: bool) -> "_Standing":
        """The same once a line has been established."""
        digits = {glyph: self.digits.get(glyph, bare) for glyph in page.names("digit")}
        gone = [(op, rule) for op, rules in page.names("gone").items() for rule in rules]
        rules = {each: self.rules.get(each, bare) for each in gone}
        return _Standing(digits, rules, self.lines + bare, page.answer)


def _read_row(row: Mapping, number: int, design: Design, kinds: Mapping[str, _Kind]) -> _Standing:
    page = Page.of(design.family, "\n".join(filter(None, (row["prompt"], row.get("hidden")))), row.get("truth"))
    text = row["prompt"] + "\n"
    before: tuple[str, str, str] = ("", "", "")
    seen_outcomes: dict[str, list[str]] = {}
    standing, below = _Standing(), []
    for each in parse_completion(row["completion"], design):
        if isinstance(each, Malformed | Box):
            continue
        seen = kinds[each.KIND]
        seen.n += 1
        seen.rows.add(number)
        printed = each.text()
        checks = each.transcription(page), each.arithmetic(page), each.verdict_follows(page), each.is_true(page)
        seen.unchecked += checks == (None, None, None, None)
        new, farthest = False, 0
        for value in values_of(each):
            place = text.rfind(value)
            if place < 0:
                new = True
            else:
                farthest = max(farthest, len(text) - place)
        if farthest:
            seen.fetches.append(farthest)
            seen.fetch_shares.append(farthest / len(text))
        unwitnessed = claims(each.roles) or each.is_bare(page) or (new and checks[:2] == (None, None))
        seen.unwitnessed += unwitnessed
        seen.bare += unwitnessed or is_open(each.roles)
        verdict = getattr(each, "verdict", "")
        if each.OUTCOMES:
            earlier = seen_outcomes.setdefault(each.KIND, [])
            features = features_of(each, len(earlier), earlier[-1] if earlier else "")
            seen.verdicts[verdict] += 1
            seen.samples.append((number, features, verdict))
            seen.free.append(_free_bits(each, page))
            if len(seen.lines) < MOST_LINES:
                seen.lines.append((number, each))
            if len(seen.pages) < MOST_PAGES and (not seen.pages or seen.pages[-1][0] != number):
                seen.pages.append((number, page.copy()))
            earlier.append(verdict)
        seen.moves.append(before)
        before = (before[1], each.KIND, verdict)
        depth = page.depth
        each.establish(page)
        if page.depth > depth:
            below.append(standing)
        while page.depth < len(below):
            standing = below.pop()
        standing = standing.after(page, unwitnessed)
        page.lines_read += 1
        text += printed + "\n"
    return standing


def left_open(each: Line, pages: Sequence[Page]) -> float | None:
    """Bits of a line's verdict that the line alone leaves open, over the pages it might stand on; None without any.

    On each page the outcomes that would be right are looked at: that they differ from page to page, and that there are
    several on one page, both leave the verdict open.
    """
    found: list[tuple[str, ...]] = []
    for page in pages:
        outcomes = [o for o in each.OUTCOMES if replace(each, verdict=o).verdict_follows(page) is not False]
        if page.truth is not None:
            outcomes = [o for o in outcomes if replace(each, verdict=o).is_true(page) is not False]
        found.append(tuple(outcomes))
    if not found:
        return None
    return entropy(Counter(found).values()) + sum(math.log2(max(1, len(each))) for each in found) / len(found)


def _given_line(seen: _Kind) -> list[float]:
    found = [left_open(each, [page for row, page in seen.pages if row != number]) for number, each in seen.lines]
    return [bits for bits in found if bits is not None]


def _given_stump(samples: Sequence[tuple[int, Features, str]]) -> float | None:
    """Cross-entropy in bits of what each part of the stump says, fitted on the even rows, on the lines of the odd."""
    train, test = ([(f, o) for number, f, o in samples if number % 2 == odd] for odd in (0, 1))
    if not train or not test:
        return None
    stump, outcomes = fit(train), sorted({o for _, _, o in samples})
    parts: dict[bool, Counter] = {True: Counter(outcomes), False: Counter(outcomes)}  # one more of each, none is at 0
    for features, outcome in train:
        parts[stump.holds(features)][outcome] += 1
    shares = [parts[stump.holds(features)] for features, _ in test]
    return (
        sum(math.log2(part.total() / part[outcome]) for part, (_, outcome) in zip(shares, test, strict=True))
        / len(test)
        if len(outcomes) > 1
        else 0.0
    )


def coverage(rows: Sequence[Mapping], standing: Sequence[_Standing | None], design: Design) -> str:
    """JSON: the share of rows that the design's own witnessed lines settle; see the module. standing: None for a row
    that was not rendered."""
    flags: dict[str, list[bool]] = defaultdict(list)
    with_key = [number for number, row in enumerate(rows) if row.get("truth") is not None][:MOST_CLOSED]
    for number, (row, found) in enumerate(zip(rows, standing, strict=True)):
        settled = found is not None and not found.lines and found.answer == row["answer"]
        flags["written"].append(settled)
        if number in with_key:
            page = Page.of(design.family, row["prompt"])
            known = {**page.key, **_witnessed(row, found, design)}
            levels = closure_flags(page.parsed, None, known) or dict.fromkeys((f"{x}/open" for x in LEVELS), True)
            for name, closed in levels.items():
                flags[name].append(closed or settled)
    return json.dumps({name: round(sum(each) / len(each), 4) for name, each in sorted(flags.items())})


def _witnessed(row: Mapping, found: _Standing | None, design: Design) -> dict[str, int]:
    """The digits that witnessed lines have settled by the end of the thought."""
    if found is None:
        return {}
    page = Page.of(design.family, "\n".join(filter(None, (row["prompt"], row.get("hidden")))))
    for each in parse_completion(row["completion"], design):
        if not isinstance(each, Malformed | Box):
            each.establish(page)
    digits = {glyph: value for glyph, value in page.names("digit").items() if not found.digits.get(glyph, True)}
    return digits if len(set(digits.values())) == len(digits) else {}


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _mean_of(parts: Sequence[tuple[float, float]]) -> float | None:
    """Sum of the second over the sum of the first."""
    return sum(b for _, b in parts) / sum(a for a, _ in parts) if parts else None


def _boxed(completion: str) -> str | None:
    found = Box.parse(completion.rpartition("\n")[2])
    return None if found is None else found.answer


def _quantile(values: Sequence[int], share: float) -> int | None:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else None


def _flags(kind: type[Line] | None, seen: _Kind) -> str:
    found = []
    if kind is not None and kind.OUTCOMES:
        if len(kind.OUTCOMES) == 1:
            found.append("one possible outcome")
        elif len(seen.verdicts) == 1:
            found.append("one outcome seen")
        elif seen.n and max(seen.verdicts.values()) > TOP_SHARE * seen.n:
            found.append("unbalanced")
        if seen.free and sum(seen.free) / len(seen.free) > 0.01:
            found.append("verdict not forced")
    if seen.unwitnessed:
        found.append("unwitnessed")
    if seen.n and seen.unchecked == seen.n:
        found.append("unchecked")
    return ", ".join(found)


def _measures(kind: type[Line] | None, seen: _Kind, rows: int) -> dict:
    known = seen.verdicts.total()
    return {
        "kind": "" if kind is None else kind.KIND,
        "forced_by": "" if kind is None else kind.FORCED_BY,
        "n_lines": seen.n,
        "lines_per_row": seen.n / rows if rows else None,
        "outcomes_declared": None if kind is None else len(kind.OUTCOMES),
        "outcomes_seen": " ".join(f"{outcome}:{n}" for outcome, n in sorted(seen.verdicts.items())),
        "verdict_top": max(seen.verdicts.values()) / known if known else None,
        "verdict_bits": entropy(seen.verdicts.values()) if known else None,
        "verdict_free": _mean(seen.free),
        "verdict_given_line": _mean(seen.given_line),
        "verdict_given_stump": seen.given_stump,
        "unwitnessed": seen.unwitnessed / seen.n if seen.n else None,
        "unchecked": seen.unchecked / seen.n if seen.n else None,
        "bare": seen.bare / seen.n if seen.n else None,
        "recalls": "" if kind is None else kind.RECALLS,
        "recalled": None if kind is None or not seen.n else float(bool(kind.RECALLS)),
        "fetch_mean": _mean(seen.fetches),
        "fetch_p95": _quantile(seen.fetches, 0.95),
        "fetch_max": max(seen.fetches, default=None),
        "fetch_share": _mean(seen.fetch_shares),
    }


def _recalled(design: Design, kinds: Mapping[str, _Kind], n_rendered: int) -> dict[str, object]:
    """What the design as a whole takes from memory, and in which share of its rows."""
    used = [kind for kind in design.kinds if kind.RECALLS and kinds[kind.KIND].n]
    rows = set().union(*(kinds[kind.KIND].rows for kind in used))
    recalls = ", ".join(sorted({kind.RECALLS for kind in used}))
    return {"recalls": recalls, "recalled": len(rows) / n_rendered if n_rendered else None}


def screen(rows: Sequence[Mapping], design: Design) -> list[dict]:
    """The screens of a table of rendered texts; the first row is the design as a whole.

    rows: of one design, with prompt, hidden, completion, answer and status; truth: what the row hides, where known.
    """
    kinds = {kind.KIND: _Kind() for kind in design.kinds}
    rendered = [row for row in rows if row["status"] == RENDERED]
    standing = [
        _read_row(row, number, design, kinds) if row["status"] == RENDERED else None for number, row in enumerate(rows)
    ]
    for seen in kinds.values():
        seen.given_line, seen.given_stump = _given_line(seen), _given_stump(seen.samples)
    followers: dict[tuple, Counter] = defaultdict(Counter)
    for kind, seen in kinds.items():
        for context in seen.moves:
            followers[context][kind] += 1
    surprise = {
        kind: [math.log2(followers[context].total() / followers[context][kind]) for context in seen.moves]
        for kind, seen in kinds.items()
    }
    flags = {kind.KIND: _flags(kind, kinds[kind.KIND]) for kind in design.kinds}
    whole = _Kind()
    for seen in kinds.values():
        whole.n += seen.n
        whole.verdicts += seen.verdicts
        whole.free += seen.free
        whole.unwitnessed += seen.unwitnessed
        whole.unchecked += seen.unchecked
        whole.fetches += seen.fetches
        whole.bare += seen.bare
        whole.fetch_shares += seen.fetch_shares
        if seen.given_line:  # weighed by how often the verdict is given, not by the lines that were looked at
            given = sum(seen.given_line) / len(seen.given_line)
            whole.given_line += [given] * seen.verdicts.total()
    lengths = [len(row["completion"]) for row in rendered]
    tested = [seen for seen in kinds.values() if seen.verdicts]
    boxes = [_boxed(row["completion"]) for row in rendered]
    table = [
        {
            **_measures(None, whole, len(rendered)),
            **_recalled(design, kinds, len(rendered)),
            "outcomes_seen": "",
            "verdict_top": _mean_of([(seen.verdicts.total(), max(seen.verdicts.values())) for seen in tested]),
            "verdict_bits": _mean_of(
                [(seen.verdicts.total(), seen.verdicts.total() * entropy(seen.verdicts.values())) for seen in tested]
            ),
            "verdict_kinds": len(tested),
            "one_outcome": sum(len(seen.verdicts) == 1 for seen in tested),
            "verdict_given_stump": _mean_of(
                [(seen.verdicts.total(), seen.verdicts.total() * (seen.given_stump or 0)) for seen in tested]
            ),
            "bare_digits": _mean([bare for each in standing if each for bare in each.digits.values()]),
            "bare_rules": _mean([bare for each in standing if each for bare in each.rules.values()]),
            "wrong_answers": _mean(
                [box is not None and box != row["answer"] for row, box in zip(rendered, boxes, strict=True)]
            ),
            "undetermined": _mean([box is None for box in boxes]),
            "tokens_mean": _mean([len(TOKEN.findall(f"{row['prompt']}\n{row['completion']}")) for row in rendered]),
            "n_rows": len(rows),
            "share_rendered": len(rendered) / len(rows) if rows else None,
            "chars_mean": _mean(lengths),
            "chars_p95": _quantile(lengths, 0.95),
            "branching": _mean([bits for each in surprise.values() for bits in each]),
            "coverage": coverage(rows, standing, design),
            "flags": "; ".join(f"{kind}: {found}" for kind, found in flags.items() if found),
        }
    ]
    for kind in design.kinds:
        seen = kinds[kind.KIND]
        table.append(
            {
                **_measures(kind, seen, len(rendered)),
                "branching": _mean(surprise[kind.KIND]),
                "flags": flags[kind.KIND],
            }
        )
    return table
