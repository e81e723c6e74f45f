"""Screens: what can be said of a design from its rendered rows, before anything is trained.

Per kind of line, and with kind "" for the design as a whole:

outcomes        declared and seen, with counts; verdict_top: share of the most frequent one; verdict_bits: entropy.
verdict_free    mean log2 of the outcomes that the line's own check would accept: 0 where the page forces the verdict.
verdict_given_line
                entropy of the verdict given the rest of the line, over rests that occur at least twice (`repeats`).
unwitnessed     share of lines with a value that neither the prompt nor an earlier line shows and neither transcription
                nor arithmetic accounts for: the line looks ahead, or asserts.
unchecked       share of lines on which no axis has anything to check.
bare            share of lines with a field that nothing on the page forces (its ROLES): a choice or a claim.
bare_digits, bare_rules
                of the lines that settle a digit, or strike out rules, the share that is bare: the claims of a search
                that is not on the page. A digit that is only supposed is not counted.
wrong_answers, undetermined
                share of the rendered rows that box another answer than the row's, or box nothing.
tokens_mean     words, single digits and single signs of prompt and completion: about what a byte-pair tokenizer that
                splits digits makes of them.
fetch           characters back to the nearest earlier place of each value, a lower bound on how far it must be fetched;
                single letters and digits are left out, as their nearest place means nothing.
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
from reasoning.grammar.roles import LEFT_OUT
from reasoning.grammar.texts import RENDERED
from reasoning.grammar.trace import Box, Design, Malformed, parse_completion

TOKEN = re.compile(r"[A-Za-z]+|[^A-Za-z ]")
TOP_SHARE = 0.95
"""A verdict with a more frequent outcome than this is flagged as unbalanced."""


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
    verdicts: Counter = field(default_factory=Counter)
    rests: list[tuple[str, str]] = field(default_factory=list)
    free: list[float] = field(default_factory=list)
    unwitnessed: int = 0
    unchecked: int = 0
    bare: int = 0
    settles: Counter = field(default_factory=Counter)
    fetches: list[int] = field(default_factory=list)
    moves: list[tuple] = field(default_factory=list)


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


def is_bare(each: Line) -> bool:
    """Does the line have a field that nothing on the page forces?"""
    return any(role is None for name, role in each.roles.items() if name != LEFT_OUT)


def _free_bits(each: Line, page: Page) -> float:
    accepted = sum(replace(each, verdict=o).verdict_follows(page) is not False for o in each.OUTCOMES)
    return math.log2(max(1, accepted))


def _read_row(row: Mapping, design: Design, kinds: Mapping[str, _Kind]) -> None:
    page = Page.of(design.family, "\n".join(filter(None, (row["prompt"], row.get("hidden")))))
    text = row["prompt"] + "\n"
    before: tuple[str, str, str] = ("", "", "")
    for each in parse_completion(row["completion"], design):
        if isinstance(each, Malformed | Box):
            continue
        seen = kinds[each.KIND]
        seen.n += 1
        printed = each.text()
        checks = each.transcription(page), each.arithmetic(page), each.verdict_follows(page)
        seen.unchecked += checks == (None, None, None)
        new = False
        for value in values_of(each):
            place = text.rfind(value)
            if place < 0:
                new = True
            else:
                seen.fetches.append(len(text) - place)
        seen.unwitnessed += new and checks[:2] == (None, None)
        verdict = getattr(each, "verdict", "")
        if each.OUTCOMES:
            seen.verdicts[verdict] += 1
            seen.rests.append((replace(each, verdict=next(iter(each.OUTCOMES))).text(), verdict))
            seen.free.append(_free_bits(each, page))
        seen.moves.append(before)
        before = (before[1], each.KIND, verdict)
        digits, rules, depth = page.names("digit"), page.names("gone"), page.depth
        each.establish(page)
        bare = is_bare(each)
        seen.bare += bare
        if page.depth == depth:
            seen.settles["digit", bare] += len(page.names("digit")) > len(digits)
            seen.settles["rule", bare] += _struck(page.names("gone")) > _struck(rules)
        page.lines_read += 1
        text += printed + "\n"


def _struck(gone: Mapping[str, Sequence[str]]) -> int:
    return sum(map(len, gone.values()))


def coverage(closures: Iterable[str]) -> str:
    """JSON: for each rule set of the solutions' closure column, the share of rows that forward deduction settles."""
    flags: dict[str, list[bool]] = defaultdict(list)
    for closure in closures:
        for name, settled in json.loads(closure).items():
            flags[name].append(bool(settled))
    return json.dumps({name: round(sum(each) / len(each), 4) for name, each in sorted(flags.items())})


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _mean_of(parts: Sequence[tuple[float, float]]) -> float | None:
    """Sum of the second over the sum of the first."""
    return sum(b for _, b in parts) / sum(a for a, _ in parts) if parts else None


def _share(settles: Counter, what: str) -> float | None:
    total = settles[what, True] + settles[what, False]
    return settles[what, True] / total if total else None


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
    given, repeats = conditional_entropy(seen.rests, least=2)
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
        "verdict_given_line": given,
        "repeats": repeats,
        "unwitnessed": seen.unwitnessed / seen.n if seen.n else None,
        "unchecked": seen.unchecked / seen.n if seen.n else None,
        "bare": seen.bare / seen.n if seen.n else None,
        "fetch_mean": _mean(seen.fetches),
        "fetch_p95": _quantile(seen.fetches, 0.95),
        "fetch_max": max(seen.fetches, default=None),
    }


def screen(rows: Sequence[Mapping], design: Design, closures: Iterable[str] = ()) -> list[dict]:
    """The screens of a table of rendered texts; the first row is the design as a whole.

    rows: of one design, with prompt, hidden, completion and status. closures: the closure column of their solutions.
    """
    kinds = {kind.KIND: _Kind() for kind in design.kinds}
    rendered = [row for row in rows if row["status"] == RENDERED]
    for row in rendered:
        _read_row(row, design, kinds)
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
    for name, seen in kinds.items():
        whole.n += seen.n
        whole.verdicts += seen.verdicts
        whole.free += seen.free
        whole.unwitnessed += seen.unwitnessed
        whole.unchecked += seen.unchecked
        whole.fetches += seen.fetches
        whole.bare += seen.bare
        whole.settles += seen.settles
        whole.rests += [(f"{name} {rest}", verdict) for rest, verdict in seen.rests]
    lengths = [len(row["completion"]) for row in rendered]
    tested = [seen for seen in kinds.values() if seen.verdicts]
    boxes = [_boxed(row["completion"]) for row in rendered]
    table = [
        {
            **_measures(None, whole, len(rendered)),
            "outcomes_seen": "",
            "verdict_top": _mean_of([(seen.verdicts.total(), max(seen.verdicts.values())) for seen in tested]),
            "verdict_bits": _mean_of(
                [(seen.verdicts.total(), seen.verdicts.total() * entropy(seen.verdicts.values())) for seen in tested]
            ),
            "verdict_kinds": len(tested),
            "one_outcome": sum(len(seen.verdicts) == 1 for seen in tested),
            "bare_digits": _share(whole.settles, "digit"),
            "bare_rules": _share(whole.settles, "rule"),
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
            "coverage": coverage(closures),
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
