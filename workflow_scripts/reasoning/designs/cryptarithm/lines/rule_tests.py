"""Lines that test the rules of an operator on its examples, and the rule that the tests leave."""

from typing import Annotated, Literal

from puzzles.equations.prior import SIGN_GROUPS
from puzzles.equations.prompt import EquationRow
from puzzles.equations.rules import BY_NAME, VALUE_RULES, Rule
from reasoning.designs.cryptarithm.lines.arithmetic import (
    ORDER,
    SUB_BASES,
    Addition,
    Modulo,
    Multiplication,
    Subtraction,
    beside,
    offset_word,
    sub_bases,
    test_group,
)
from reasoning.designs.cryptarithm.lines.notation import (
    NEAR,
    Difference,
    Flip,
    Pair,
    RuleName,
    Sum,
    example,
    fits,
    known_digits,
    left_over,
    near,
    operands_of,
    side_of,
    target_of,
)
from reasoning.designs.remainder import Taken
from reasoning.grammar.lines import FAILED, PASSED, Chars, Glyph, Line, Word, line
from reasoning.grammar.page import Page


class RuleTest(Line):
    """Shared by the tests: operands and target are what the page says, the verdict is kept for the rule line."""

    GROUP = ""

    def transcription(self, page: Page) -> bool:
        e = example(page, self.number)
        if e is None:
            return False
        known, mode = known_digits(page), "flip" if self.flip else "normal"
        for glyph, value, _ in page.get("trials", "", ())[-1:]:
            known[glyph] = value
        return operands_of(e, known, mode) == (self.x, self.y) and target_of(e, known, mode) == self.target

    def free(self, page: Page) -> str:
        """The digits that unknown glyphs of the target may have."""
        digits = left_over(page)[1]
        trials = page.get("trials", "", ())
        return digits.replace(str(trials[-1][1]), "") if trials else digits

    def establish(self, page: Page) -> None:
        e = example(page, self.number)
        if e is None:
            return
        trials = page.get("trials", "", ())
        if trials:
            rule = BY_NAME.get(page.get("rule", e.op, ""))
            trials[-1][2].append(rule is not None and self.verdict == offset_word(rule))
            return
        mode = "flip" if self.flip else "normal"
        page.put("test", f"{e.op} {mode} {self.GROUP} {self.number}", self.verdict)
        page.put("failed", "", self.number)
        if page.get("supposed") is not None:
            page.put("placed", str(self.number), True)


class WholeTest(RuleTest):
    """A test with its computation: the target is copied with the operands, and again beside what it is held against."""

    def transcription(self, page: Page) -> bool:
        return super().transcription(page) and self.again == self.target


@line
class AddTest(Addition, WholeTest):
    """The sum of an example's operands against its output, units and tens first."""

    KIND = "crypt/add-test"
    TEXT = "E{number} {flip}add {x} {y} has {target} : {units} {tens} {total} vs {again} -1={less} +1={more} {verdict}"
    OUTCOMES = NEAR
    FORCED_BY = "the total against the target beside it, one more and one less included"
    ROLES = "number:T flip:T~ x:TA y:TA units:A tens:A total:AV target:T again:TV less:A more:A line:~"
    GROUP = "add"
    number: int
    flip: Flip
    x: Pair
    y: Pair
    units: Sum
    tens: Sum
    total: int
    target: Word
    again: Word
    less: int
    more: int
    verdict: str

    def arithmetic(self, page: Page) -> bool:
        return super().arithmetic(page) and (self.less, self.more) == beside(self.total)

    def verdict_follows(self, page: Page) -> bool:
        return self.verdict == near(self.total, self.again, self.free(page))


@line
class MulTest(Multiplication, WholeTest):
    """The product of an example's operands against its output, by two partial products."""

    KIND = "crypt/mul-test"
    TEXT = (
        "E{number} {flip}mul {x} {y} has {target} :"
        " {tens} {ones} {columns:,} {total} vs {again} -1={less} +1={more} {verdict}"
    )
    OUTCOMES = NEAR
    FORCED_BY = "the total against the target beside it, one more and one less included"
    ROLES = "number:T flip:T~ x:TA y:TA tens:A ones:A columns:A total:AV target:T again:TV less:A more:A line:~"
    GROUP = "mul"
    number: int
    flip: Flip
    x: Pair
    y: Pair
    tens: Sum
    ones: Sum
    columns: tuple[Sum, ...]
    total: int
    target: Word
    again: Word
    less: int
    more: int
    verdict: str

    def arithmetic(self, page: Page) -> bool:
        return super().arithmetic(page) and (self.less, self.more) == beside(self.total)

    def verdict_follows(self, page: Page) -> bool:
        return self.verdict == near(self.total, self.again, self.free(page))


@line
class SubTest(Subtraction, WholeTest):
    """Larger minus smaller operand against the digits of an output; the sign is judged apart."""

    KIND = "crypt/sub-test"
    TEXT = "E{number} {flip}sub {x} {y} {order} has {target} : {units} {tens} {total} vs {again} {verdict}"
    OUTCOMES = {"same": PASSED, "no": FAILED}
    FORCED_BY = "the difference against the digits of the target beside it"
    ROLES = "number:T flip:T~ x:TA y:TA order:A units:A tens:A total:AV target:T again:TV line:~"
    GROUP = "sub"
    number: int
    flip: Flip
    x: Pair
    y: Pair
    order: Literal["<", "=", ">"]
    units: Difference
    tens: Difference
    total: int
    target: Word
    again: Word
    verdict: str

    def verdict_follows(self, page: Page) -> bool:
        found = fits(str(self.total), self.again.strip("-"), self.free(page))
        return self.verdict == ("no" if found is None else "same")

    def establish(self, page: Page) -> None:
        super().establish(page)
        case = self.flip, self.order + side_of(self.target)
        page.put("cases", "", (*page.get("cases", "", ()), case)[-5:])


@line
class ModTest(Modulo, WholeTest):
    """The rest of larger by smaller operand against an output; the smaller is taken off until less is left."""

    KIND = "crypt/mod-test"
    TEXT = "E{number} {flip}mod {x} {y} {order} has {target} : {steps:,|none} {rest} vs {again} {verdict}"
    OUTCOMES = {"same": PASSED, "no": FAILED}
    FORCED_BY = "the rest against the target beside it"
    ROLES = "number:T flip:T~ x:TA y:TA order:A steps:A rest:AV target:T again:TV line:~"
    GROUP = "mod"
    number: int
    flip: Flip
    x: Pair
    y: Pair
    order: Literal["<", "=", ">"]
    steps: tuple[Taken, ...]
    rest: int
    target: Word
    again: Word
    verdict: str

    def verdict_follows(self, page: Page) -> bool:
        found = fits(str(self.rest), self.again, self.free(page))
        return self.verdict == ("no" if found is None else "same")


@line
class Signs(Line):
    """Where a difference writes its minus, over the tested examples: p in front, s behind, . none; and where the rules
    of the inventory write it, up to the first that agrees."""

    KIND = "crypt/signs"
    TEXT = "{flip}signs {cases:} {tried:,:} {verdict}"
    OUTCOMES = {**dict.fromkeys(SUB_BASES, PASSED), "none": FAILED}
    FORCED_BY = "which of the rules on the same line writes its minus as the cases have it"
    ROLES = "flip:TA cases:TAV tried:AV"
    flip: Flip
    cases: tuple[Annotated[str, Chars("<=>ps.", 2)], ...]
    tried: tuple[tuple[Literal[SUB_BASES], Annotated[str, Chars("<=>ps.")]], ...]
    verdict: str

    def transcription(self, page: Page) -> bool:
        """The cases are those of the latest tests of a difference."""
        return page.get("cases", "", ())[-len(self.cases) :] == tuple((self.flip, case) for case in self.cases)

    def arithmetic(self, page: Page) -> bool:
        sound = all(case[0] in ORDER and case[1] in "ps." for case in self.cases)
        return sound and self.tried == sub_bases("flip" if self.flip else "normal", self.cases)

    def verdict_follows(self, page: Page) -> bool:
        agree = [base for base, sides in self.tried if sides == "".join(self.cases)]
        return self.verdict == (agree[0] if agree else "none")

    def establish(self, page: Page) -> None:
        page.put("signs", self.flip.strip() or "normal", self.verdict)


@line
class RuleFound(Line):
    """The rule of an operator, as its tests left it."""

    KIND = "crypt/rule"
    TEXT = "rule {op} {rule}"
    ROLES = "op:T rule:T"
    op: Glyph
    rule: RuleName

    def transcription(self, page: Page) -> bool:
        rule = BY_NAME[self.rule]
        group = test_group(rule)
        head = f"{self.op} {rule.mode} {group} "
        verdicts = {verdict for name, verdict in page.names("test").items() if name.startswith(head)}
        if group == "sub":
            return verdicts == {"same"} and page.get("signs", rule.mode) == rule.base
        return verdicts == {"same" if group == "mod" else offset_word(rule)}

    def establish(self, page: Page) -> None:
        page.put("rule", self.op, self.rule)


@line
class Bet(Line):
    """A rule for an operator that no example shows: the plain one of the first group that is still open."""

    KIND = "crypt/bet"
    TEXT = "bet {op} of {groups:,} {rule}"
    ROLES = "op:T groups:TV rule:V"
    op: Glyph
    groups: tuple[Literal["add", "mul", "sub"], ...]
    rule: RuleName

    def transcription(self, page: Page) -> bool:
        return self.op == page.parsed.query.op and list(self.groups) == open_groups(page.parsed, page.names("rule"))

    def verdict_follows(self, page: Page) -> bool:
        dropped = any(NORMAL_RULES <= set(rules) for rules in page.names("gone").values())
        flip = dropped or page.get("mode") == "flip"
        return self.rule == bet_rule(self.groups, page.names("rule"), flip).name

    def is_bare(self, page: Page) -> bool:
        return True

    def establish(self, page: Page) -> None:
        page.put("rule", self.op, self.rule)


NORMAL_RULES = frozenset(rule.name for rule in VALUE_RULES if rule.mode == "normal")


def open_groups(row: EquationRow, found: dict[str, str]) -> list[str]:
    """The groups that an unseen query operator may still have: its sign's, or those no other operator has."""
    if all(op in SIGN_GROUPS for op in row.operators):
        return [SIGN_GROUPS[row.query.op]]
    used = {BY_NAME[name].group for op, name in found.items() if op != row.query.op}
    return [group for group in ("add", "mul", "sub") if group not in used]


def bet_rule(groups: tuple[str, ...], found: dict[str, str], flip: bool = False) -> Rule:
    """The plain rule of the first open group, in the mode of the rules found so far; without any, flip if said so."""
    mode = next((BY_NAME[name].mode for name in found.values() if BY_NAME[name].mode), "flip" if flip else "normal")
    return BY_NAME[("flip_" if mode == "flip" else "") + groups[0]]


TEST_KINDS = (AddTest, MulTest, SubTest, ModTest, Signs, RuleFound)
