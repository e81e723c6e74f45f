"""The audit: every line of a completion checked on three axes against the prompt and against the page so far.

transcription: does the line agree with the prompt and with what earlier lines established? arithmetic: is everything
computed on it right? verdict: does its conclusion follow from its own numbers? Each is True, False, or None where the
line has nothing to check. An error in one line does not make later lines wrong: they are checked against what earlier
lines say, right or wrong.

A fourth mark, `true`, is for what a line claims without evidence (a digit pinned, a rule struck out): it holds the
claim to what the row hides. Such a claim never counts as following; a false one is a failure of its line like any
other. It is not judged below a guess that is wrong itself.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from reasoning.grammar.lines import Line
from reasoning.grammar.page import Page, Truth
from reasoning.grammar.trace import Design, Malformed, parse_completion
from reasoning.judging.stump import Features, Stump, features_of, fit

AXES = ("transcription", "arithmetic", "verdict")
MARKS = (*AXES, "true")
MALFORMED = "malformed"


@dataclass(frozen=True)
class Checked:
    """One line of a completion. kind of a line that is none of the design's: `malformed` or `malformed/<nearest>`.

    features: what a stump may go by; accepts: the outcomes that would have followed from the rest of the line.
    """

    line: int
    kind: str
    text: str
    transcription: bool | None
    arithmetic: bool | None
    verdict: bool | None
    outcome: str
    first_failure: bool = False
    true: bool | None = None
    features: Features | None = None
    accepts: tuple[str, ...] = ()

    @property
    def failed(self) -> tuple[str, ...]:
        """The marks that it fails; ("form",) for a malformed line."""
        if self.kind.startswith(MALFORMED):
            return ("form",)
        return tuple(mark for mark in MARKS if getattr(self, mark) is False)


def audit(text: str, shown: str, design: Design, truth: Truth | None = None) -> list[Checked]:
    """Check every line of a completion; raises PromptError for a broken prompt.

    shown: the prompt as the model saw it and, where there is one, the hidden line (Row.page). truth: what the row
    hides; without it bare claims are not judged.
    """
    page = Page.of(design.family, shown, truth)
    page.thinks = bool(design.kinds)
    return audit_lines(parse_completion(text, design), page)


def audit_lines(lines: Iterable[Line | Malformed], page: Page) -> list[Checked]:
    """The audit of lines already read, on a page that they then fill."""
    checked: list[Checked] = []
    clean = True
    seen: dict[str, list[str]] = {}
    for number, each in enumerate(lines):
        if isinstance(each, Malformed):
            kind = f"{MALFORMED}/{each.nearest}" if each.nearest else MALFORMED
            checked.append(Checked(number, kind, each.raw, None, None, None, "", clean))
            clean = False
            continue
        axes = each.transcription(page), each.arithmetic(page), each.verdict_follows(page)
        true = each.is_true(page) if page.judges else None
        fails = False in (*axes, true)
        outcome = getattr(each, "verdict", "")
        line = Checked(number, each.KIND, each.text(), *axes, outcome, clean and fails, true)
        if each.OUTCOMES:
            earlier = seen.setdefault(each.KIND, [])
            features = features_of(each, len(earlier), earlier[-1] if earlier else "")
            line = replace(line, features=features, accepts=accepted(each, page))
            earlier.append(outcome)
        checked.append(line)
        clean = clean and not fails
        page.in_doubt = fails
        each.establish(page)
        page.in_doubt = False
        page.lines_read += 1
    return checked


def accepted(each: Line, page: Page) -> tuple[str, ...]:
    """The outcomes that a line's own check would accept in its place."""
    return tuple(o for o in each.OUTCOMES if replace(each, verdict=o).verdict_follows(page) is not False)


def is_valid(checked: Sequence[Checked]) -> bool:
    """There is a line, and none is malformed or fails a mark: it follows, and what it claims without evidence is so."""
    return bool(checked) and not any(each.failed for each in checked)


@dataclass(frozen=True)
class Training:
    """What the training examples say of one kind of line: how often each outcome came, and the stump fitted on it."""

    outcomes: Mapping[str, int]
    stump: Stump

    @property
    def top(self) -> str:
        return max(sorted(self.outcomes), key=self.outcomes.__getitem__)


def trained_on(examples: Iterable[Iterable[Line | Malformed]], design: Design) -> dict[str, Training]:
    """Kind -> what the lines of all training examples say of it."""
    samples: dict[str, list[tuple[Features, str]]] = {kind.KIND: [] for kind in design.kinds if kind.OUTCOMES}
    for lines in examples:
        seen: dict[str, list[str]] = {}
        for each in lines:
            if isinstance(each, Malformed) or each.KIND not in samples:
                continue
            earlier = seen.setdefault(each.KIND, [])
            samples[each.KIND].append((features_of(each, len(earlier), earlier[-1] if earlier else ""), each.verdict))
            earlier.append(each.verdict)
    return {name: Training(Counter(o for _, o in found), fit(found)) for name, found in samples.items() if found}


MEASURES = (*MARKS, "given", "top", "stump")


def measures(each: Checked, training: Mapping[str, Training]) -> dict[str, bool | None]:
    """The marks of a line and, where it concludes from what it copied and computed without a mistake, `given`: whether
    its verdict follows, `top`: whether training's most frequent outcome would, `stump`: whether the stump's would."""
    found: dict[str, bool | None] = {mark: getattr(each, mark) for mark in MARKS}
    is_given = each.verdict is not None and False not in (each.transcription, each.arithmetic)
    known = training.get(each.kind) if is_given else None
    found["given"] = each.verdict if is_given else None
    found["top"] = known.top in each.accepts if known else None
    found["stump"] = known.stump.says(each.features) in each.accepts if known else None
    return found


def first_divergence(text: str, expected: str) -> int | None:
    """The line (0 is the opening tag) at which a completion first differs from the rendered one; None if nowhere."""
    for number, (got, want) in enumerate(zip(text.split("\n"), expected.split("\n"), strict=False)):
        if got != want:
            return number
    shorter = min(text.count("\n"), expected.count("\n"))
    return None if text == expected else shorter + 1


def kind_table(checked: Iterable[Checked], training: Mapping[str, Training], design: Design) -> list[dict]:
    """One row per kind: how often, of each measure how often it applies and is right, and the outcomes that are
    declared, trained and written.

    training: of the examples that the model was trained on. `fixed` marks a verdict-bearing kind that had a single
    outcome in training: its verdict says nothing about a comparison. rule_of_thumb: the stump in words.
    """
    groups: dict[str, list[Checked]] = {kind.KIND: [] for kind in design.kinds}
    for each in checked:
        groups.setdefault(each.kind, []).append(each)
    declared = {kind.KIND: kind.OUTCOMES for kind in design.kinds}
    table = []
    for kind, lines in groups.items():
        row: dict[str, object] = {"kind": kind, "n": len(lines)}
        found = [measures(each, training) for each in lines]
        for name in MEASURES:
            judged = [each[name] for each in found if each[name] is not None]
            row[f"{name}_n"], row[f"{name}_right"] = len(judged), sum(judged)
        known = training.get(kind)
        row["rule_of_thumb"] = str(known.stump) if known else ""
        row["declared"] = " ".join(declared.get(kind, ()))
        row["trained"] = " ".join(f"{outcome}:{n}" for outcome, n in sorted(known.outcomes.items())) if known else ""
        row["written"] = " ".join(f"{o}:{n}" for o, n in sorted(Counter(e.outcome for e in lines if e.outcome).items()))
        row["fixed"] = known is not None and len(known.outcomes) == 1
        table.append(row)
    return table
