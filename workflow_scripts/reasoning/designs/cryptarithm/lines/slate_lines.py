"""Lines of the slate design: a candidate key of the prompt is taken up, and falls at an example or stands."""

from typing import Annotated, Literal

from puzzles.equations.prior import SIGN_GROUPS
from puzzles.equations.prompt import Equation
from puzzles.equations.rules import BY_NAME
from reasoning.designs.cryptarithm.engines.forward import groups_of
from reasoning.designs.cryptarithm.engines.propagation import MODES, clues
from reasoning.designs.cryptarithm.lines import notation
from reasoning.designs.cryptarithm.lines.arithmetic import offset_word, test_group
from reasoning.grammar.lines import FAILED, PASSED, Chars, Line, line
from reasoning.grammar.page import Page

ALL = "all"


def turns(page: Page) -> list[tuple[int, str]]:
    """Every candidate with every reading order that it is tried in: the row's own where the prompt gives it."""
    modes = (page.key.mode,) if page.key.mode else MODES
    return [(k, mode) for k in range(1, len(page.key.slate) + 1) for mode in modes]


@line
class SlateKey(Line):
    """Suppose a candidate key in a reading order; the examples that follow are read by it."""

    KIND = "slate/key"
    TEXT = "key {k} {mode}"
    ROLES = "k:T mode:T"
    k: int
    mode: Literal["normal", "flip"]

    def transcription(self, page: Page) -> bool:
        """The next in turn, as long as none stands."""
        tried = page.get("tried keys", "", 0)
        return turns(page)[tried : tried + 1] == [(self.k, self.mode)] and page.get("supposed") is None

    def establish(self, page: Page) -> None:
        page.put("tried keys", "", page.get("tried keys", "", 0) + 1)
        if not 0 < self.k <= len(page.key.slate):
            return
        key = page.key.slate[self.k - 1]
        page.mark(None if page.truth is None else key == page.truth.digits and self.mode == page.truth.mode)
        page.put("supposed", "", (self.k, self.mode))
        for glyph, value in key.items():
            page.put("digit", glyph, value)


def passes(page: Page, number: int, e: Equation, mode: str) -> bool | None:
    """Has the example been tested by the rule that the page holds for its operator, and with what result?"""
    rule = BY_NAME.get(page.get("rule", e.op, ""))
    if rule is None or rule.mode != mode:
        return None
    group = test_group(rule)
    verdict = page.get("test", f"{e.op} {mode} {group} {number}")
    wanted = "same" if group in ("sub", "mod") else offset_word(rule)
    if verdict is None or verdict != wanted:
        return None if verdict is None else False
    if group != "sub":
        return True
    if not page.key.rules:  # the rule was found by its signs
        return page.get("signs", mode) == rule.base or None
    sign = page.get("sign", str(number))
    return None if sign is None else sign == "same"


def has_no_rule(page: Page, e: Equation, mode: str) -> bool:
    """Has every group of rules been tested on the operator's examples, and has none fitted?"""
    if page.key.rules or page.get("rule", e.op) is not None:
        return False
    canonical = all(op in SIGN_GROUPS for op in page.parsed.operators)
    taken = {BY_NAME[name].group for name in page.names("rule").values() if name in BY_NAME}
    groups = [group for group in groups_of(e, canonical) if group not in taken]
    if "sub" in groups and notation.side_of(notation.target_of(e, {}, mode)) == ".":
        groups.append("mod")
    for group in groups:
        head = f"{e.op} {mode} {group} "
        words = {word for name, word in page.names("test").items() if name.startswith(head)}
        unsigned = group == "sub" and page.get("signs", mode) == "none"
        if not ("no" in words or len(words) > 1 or unsigned):
            return False
    return True


@line
class SlateEnd(Line):
    """The example at which a candidate falls, or that it carries all."""

    KIND = "slate/end"
    TEXT = "key {k} {mode} {place} {verdict}"
    OUTCOMES = {"out": FAILED, "stands": PASSED}
    FORCED_BY = "the tests of the examples under the key: one that fails puts it out"
    ROLES = "k:T mode:T place:TV"
    k: int
    mode: Literal["normal", "flip"]
    place: Annotated[str, Chars("E0-9a-z")]
    verdict: str

    def transcription(self, page: Page) -> bool:
        """It is the key supposed, and its tests on the page end there."""
        if page.get("supposed") != (self.k, self.mode):
            return False
        examples = {f"E{clue.number}": page.parsed.examples[clue.number - 1] for clue in clues(page.parsed)}
        if self.place == ALL:
            return all(passes(page, int(name[1:]), e, self.mode) for name, e in examples.items())
        e = examples.get(self.place)
        if e is None:
            return False
        first = next(name for name, other in examples.items() if other.op == e.op)
        fails = passes(page, int(self.place[1:]), e, self.mode) is False
        return fails or (self.place == first and has_no_rule(page, e, self.mode))

    def verdict_follows(self, page: Page) -> bool:
        return (self.verdict == "stands") == (self.place == ALL)

    def establish(self, page: Page) -> None:
        if self.verdict == "out":
            page.undo()


@line
class NoKey(Line):
    """No candidate carries all examples: the row stays without an answer."""

    KIND = "slate/none"
    TEXT = "no key stands"

    def transcription(self, page: Page) -> bool:
        return page.get("tried keys", "", 0) == len(turns(page)) and page.get("supposed") is None


SLATE_KINDS = (SlateKey, SlateEnd, NoKey)
