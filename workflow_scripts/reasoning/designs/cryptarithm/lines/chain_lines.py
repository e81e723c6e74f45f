"""Lines of the study's forced chain: bare claims, splits, guesses, endings. `s{step}` counts the chain's lines."""

from typing import Literal

from puzzles.equations.rules import BY_NAME, VALUE_RULES
from reasoning.designs.cryptarithm.lines import notation
from reasoning.designs.cryptarithm.lines.letters import (
    OPERATORS,
    Claim,
    Letter,
    Operator,
    ValueRule,
    candidates,
    drop,
    glyph_of,
    gone,
    hidden_digit,
    hidden_rule,
    holds,
    in_step,
    is_thing,
    letters_of,
    listed,
    live_modes,
    operator_glyph,
    operators_of,
    pinned,
    put_digit,
    settles,
    struck,
)
from reasoning.grammar.lines import FAILED, PASSED, Digit, Line, Word, line
from reasoning.grammar.page import Page


class ChainLine(Line):
    """A numbered line of the chain."""

    def transcription(self, page: Page) -> bool:
        return in_step(page, self.step) and self.agrees(page)

    def agrees(self, page: Page) -> bool:
        return True

    def establish(self, page: Page) -> None:
        page.put("step", "", self.step)
        self.settle(page)

    def settle(self, page: Page) -> None:
        """What the line itself establishes."""


@line
class AssertDrop(ChainLine):
    """Rules of an operator that fit no digits: a bare claim (r7), without any evidence on the line."""

    KIND = "chain/drop"
    TEXT = "s{step} {op} {rules:,} {verdict}"
    OUTCOMES = {"drop": FAILED}
    FORCED_BY = "nothing on the page: a claim about all digits that are left"
    ROLES = "step:T op:T/B~ rules:T/B~ line:~"
    step: int
    op: Operator
    rules: tuple[ValueRule, ...]
    verdict: str

    def agrees(self, page: Page) -> bool:
        live = operator_glyph(page, self.op) is not None and not struck(page, self.op) & set(self.rules)
        return live and listed(self.rules)

    def is_true(self, page: Page) -> bool | None:
        rule = hidden_rule(page, self.op)
        return None if rule is None else rule not in self.rules

    def settle(self, page: Page) -> None:
        drop(page, self.op, self.rules)


@line
class AssertOnly(ChainLine):
    """The only rules of an operator that fit any digits: the same bare claim, said the shorter way round."""

    KIND = "chain/only"
    TEXT = "s{step} {op} only {rules:,} {verdict}"
    OUTCOMES = {"drop": FAILED}
    FORCED_BY = "nothing on the page: a claim about all digits that are left"
    ROLES = "step:T op:T/B~ rules:T/B~ line:~"
    step: int
    op: Operator
    rules: tuple[ValueRule, ...]
    verdict: str

    def agrees(self, page: Page) -> bool:
        live = operator_glyph(page, self.op) is not None and not struck(page, self.op) & set(self.rules)
        return live and listed(self.rules)

    def is_true(self, page: Page) -> bool | None:
        rule = hidden_rule(page, self.op)
        return None if rule is None else rule in self.rules

    def settle(self, page: Page) -> None:
        drop(page, self.op, tuple(rule.name for rule in VALUE_RULES if rule.name not in self.rules))


@line
class AssertPin(ChainLine):
    """A letter's digit: a bare claim (r7). sole: the only digit that fits; left: the others hold the rest; place: no
    other letter can take it."""

    KIND = "chain/pin"
    TEXT = "s{step} {letter}={digit} {why} {verdict}"
    OUTCOMES = {"pin": PASSED}
    FORCED_BY = "nothing on the page: a claim about all digits that are left"
    ROLES = "step:T letter:T/B~ digit:T/B~ why:- line:~"
    step: int
    letter: Letter
    digit: Digit
    why: Literal["sole", "left", "place"]
    verdict: str

    def agrees(self, page: Page) -> bool:
        free = glyph_of(page, self.letter) is not None and pinned(page, self.letter) is None
        return free and self.digit not in notation.known_digits(page).values()

    def is_true(self, page: Page) -> bool | None:
        digit = hidden_digit(page, self.letter)
        return None if digit is None else self.digit == digit

    def settle(self, page: Page) -> None:
        put_digit(page, self.letter, self.digit)


@line
class AssertPins(ChainLine):
    """The digits of one letter or more: a bare claim, what is left of a witnessed line without its witness."""

    KIND = "chain/pins"
    TEXT = "s{step} so {pairs:,=} {verdict}"
    OUTCOMES = {"pin": PASSED}
    FORCED_BY = "nothing on the page: a claim about all digits that are left"
    ROLES = "step:T pairs:- line:~"
    step: int
    pairs: tuple[tuple[Letter, Digit], ...]
    verdict: str

    def agrees(self, page: Page) -> bool:
        held, digits = notation.known_digits(page).values(), [digit for _, digit in self.pairs]
        free = all(glyph_of(page, letter) is not None and pinned(page, letter) is None for letter, _ in self.pairs)
        return free and len(dict(self.pairs)) == len(set(digits)) == len(digits) and not set(digits) & set(held)

    def settle(self, page: Page) -> None:
        for letter, digit in self.pairs:
            put_digit(page, letter, digit)


@line
class AssertMode(ChainLine):
    """A reading order in which some operator has no rule: a bare claim (r7)."""

    KIND = "chain/order"
    TEXT = "s{step} order {mode} has no {op} {verdict}"
    OUTCOMES = {"drop": FAILED}
    FORCED_BY = "nothing on the page: a claim about all rules of the operator"
    ROLES = "step:T mode:T/B~ op:- line:~"
    step: int
    mode: Literal["normal", "flip"]
    op: Operator
    verdict: str

    def agrees(self, page: Page) -> bool:
        return operator_glyph(page, self.op) is not None and page.get("no-mode", self.mode) is None

    def is_true(self, page: Page) -> bool | None:
        return self.mode != page.truth.mode if page.judges else None

    def settle(self, page: Page) -> None:
        page.put("no-mode", self.mode, True)
        rules = tuple(rule.name for rule in VALUE_RULES if rule.mode == self.mode)
        for op in operators_of(page.parsed).values():
            drop(page, op, rules)


@line
class Stall(ChainLine):
    """The chain is stuck: what is still open."""

    KIND = "chain/stall"
    TEXT = "s{step} stuck on {what}"
    ROLES = "step:T what:T line:~"
    step: int
    what: Literal["order", "rule", "digit"]

    def agrees(self, page: Page) -> bool:
        """The first that is open: the reading order, the query's rule, a digit."""
        if len(live_modes(page)) > 1:
            return self.what == "order"
        op = page.parsed.query.op
        rules = len(VALUE_RULES) - len(gone(page, operators_of(page.parsed)[op]))
        return self.what == ("digit" if rules == 1 or page.get("rule", op) is not None else "rule")


@line
class SplitLine(Line):
    """A point with two values, tried as two cases."""

    KIND = "chain/split"
    TEXT = "split {a} or {b}"
    ROLES = "a:T/B~ b:T/B~ line:~"
    a: Claim
    b: Claim

    def transcription(self, page: Page) -> bool:
        same = self.a.partition("=")[0] == self.b.partition("=")[0]
        return same and self.a != self.b and claimable(page, self.a) and claimable(page, self.b)

    def is_true(self, page: Page) -> bool | None:
        """That there is no third value is a bare claim."""
        found = holds(page, self.a), holds(page, self.b)
        return None if None in found or not page.judges else any(found)

    def establish(self, page: Page) -> None:
        page.put("split", "", (self.a, self.b))


def suppose(page: Page, claim: str) -> None:
    """Put a claim such as A=3, x=add or order=flip on the page."""
    name, _, value = claim.partition("=")
    if name == "order":
        page.put("no-mode", "normal" if value == "flip" else "flip", True)
        for op in operators_of(page.parsed).values():
            drop(page, op, tuple(rule.name for rule in VALUE_RULES if rule.mode != value))
    elif len(name) == 1 and name in OPERATORS:
        glyph = operator_glyph(page, name)
        if glyph is not None and value in BY_NAME:
            drop(page, name, tuple(rule.name for rule in VALUE_RULES if rule.name != value))
    elif value.isdigit():
        put_digit(page, name, int(value[:1]))


def claimable(page: Page, claim: str) -> bool:
    """Is the claim about something the page knows of and has not settled?"""
    name, _, value = claim.partition("=")
    if name == "order":
        return value in ("normal", "flip") and page.get("no-mode", value) is None
    if len(name) == 1 and name in OPERATORS:
        return operator_glyph(page, name) is not None and value in BY_NAME and value not in gone(page, name)
    return len(value) == 1 and value.isdigit() and glyph_of(page, name) is not None and pinned(page, name) is None


@line
class Case(Line):
    """One case of a split, or a guess, on the page until it is taken back."""

    KIND = "chain/case"
    TEXT = "{why} {claim}"
    ROLES = "why:T claim:- line:~"
    why: Literal["case", "guess"]
    claim: Claim

    def transcription(self, page: Page) -> bool:
        """A case is one of the latest split's; a guess comes when no split has settled the row."""
        announced = self.claim in page.get("split", "", ()) if self.why == "case" else page.get("bailed", "", False)
        return announced and claimable(page, self.claim)

    def is_bare(self, page: Page) -> bool:
        return self.why == "guess"

    def establish(self, page: Page) -> None:
        page.mark(holds(page, self.claim))
        page.put("supposed", "", self.claim)
        suppose(page, self.claim)


@line
class Dead(Line):
    """A case or guess that leaves something without a value; it is taken back."""

    KIND = "chain/dead"
    TEXT = "no value for {what} so {claim} {verdict}"
    OUTCOMES = {"out": FAILED}
    FORCED_BY = "nothing on the line: a claim about all digits that are left"
    ROLES = "what:- claim:TB line:~"
    what: Word
    claim: Claim
    verdict: str

    def transcription(self, page: Page) -> bool:
        return page.get("supposed") == self.claim and is_thing(page, self.what)

    def is_bare(self, page: Page) -> bool:
        return True

    def is_true(self, page: Page) -> bool | None:
        return is_out(page, self.claim)

    def establish(self, page: Page) -> None:
        page.undo()
        page.put("out", self.claim, True)


def is_out(page: Page, claim: str) -> bool | None:
    """Is a claim false that is still supposed?"""
    found = holds(page, claim)
    return not found if found is not None and page.judges_before else None


@line
class Survives(Line):
    """The other case holds, as the first is out."""

    KIND = "chain/survives"
    TEXT = "so {claim}"
    ROLES = "claim:T line:~"
    claim: Claim

    def transcription(self, page: Page) -> bool:
        split = page.get("split", "", ())
        others = [claim for claim in split if claim != self.claim]
        return self.claim in split and all(page.get("out", other) for other in others) and claimable(page, self.claim)

    def establish(self, page: Page) -> None:
        suppose(page, self.claim)


@line
class Rules(Line):
    """Every operator whose rule is settled."""

    KIND = "chain/rules"
    TEXT = "rules {pairs:,:}"
    ROLES = "pairs:T line:~"
    pairs: tuple[tuple[Operator, ValueRule], ...]

    def transcription(self, page: Page) -> bool:
        return all(operator_glyph(page, op) is not None and settles(page, op, rule) for op, rule in self.pairs)

    def establish(self, page: Page) -> None:
        for op, rule in self.pairs:
            glyph = operator_glyph(page, op)
            if glyph is not None:
                page.put("rule", glyph, rule)


@line
class Bail(Line):
    """No single split settles the row."""

    KIND = "chain/bail"
    TEXT = "no single split settles it"

    def establish(self, page: Page) -> None:
        page.put("bailed", "", True)


@line
class Assemble(Line):
    """Rule and digits taken without a reason, so that something can be boxed; the digits are some that are left."""

    KIND = "chain/assemble"
    TEXT = "assemble {rule} {pairs: =|none}"
    ROLES = "rule:- pairs:- line:~"
    rule: ValueRule
    pairs: tuple[tuple[Letter, Digit], ...]

    def transcription(self, page: Page) -> bool:
        taken = [digit for _, digit in self.pairs]
        if len(set(taken)) < len(taken) or any(pinned(page, letter) is not None for letter, _ in self.pairs):
            return False
        return all(str(digit) in candidates(page, letter)[0] for letter, digit in self.pairs)

    def is_bare(self, page: Page) -> bool:
        return True

    def establish(self, page: Page) -> None:
        page.put("rule", page.parsed.query.op, self.rule)
        for letter, value in self.pairs:
            put_digit(page, letter, value)


@line
class Resolved(Line):
    """Rule of the query and the digits of its letters, restated before the computation."""

    KIND = "chain/resolved"
    TEXT = "resolved {op} {rule} {pairs: =}"
    ROLES = "op:T rule:T pairs:T line:~"
    op: Operator
    rule: ValueRule
    pairs: tuple[tuple[Letter, Digit], ...]

    def transcription(self, page: Page) -> bool:
        glyph, names = page.parsed.query.op, letters_of(page.parsed)
        query = dict.fromkeys(names[c] for c in page.parsed.query.left + page.parsed.query.right)
        right = operator_glyph(page, self.op) == glyph and [letter for letter, _ in self.pairs] == list(query)
        settled = page.get("rule", glyph) == self.rule or settles(page, self.op, self.rule)
        return right and settled and all(pinned(page, a) == d for a, d in self.pairs)

    def establish(self, page: Page) -> None:
        page.put("rule", page.parsed.query.op, self.rule)


@line
class JoinOperands(Line):
    """Nothing is left but to box the operands joined."""

    KIND = "chain/last-resort"
    TEXT = "last resort {output}"
    ROLES = "output:T line:~"
    output: Word

    def transcription(self, page: Page) -> bool:
        query = page.parsed.query
        return self.output == query.left + query.right

    def is_bare(self, page: Page) -> bool:
        return True

    def establish(self, page: Page) -> None:
        page.answer = self.output


CHAIN_KINDS = (AssertDrop, AssertOnly, AssertPin, AssertMode)
END_KINDS = (Stall, Rules, SplitLine, Case, Dead, Survives, Bail, Assemble, Resolved, JoinOperands)
