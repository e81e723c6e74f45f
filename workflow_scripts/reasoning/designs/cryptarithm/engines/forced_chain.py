"""The study's forced chain (r7): no search on the page, each numbered line settles one thing.

The policy sees the prompt and the shown key only. A chain that is stuck tries one split into two cases, and then
labelled guesses. A policy that never guesses ends undetermined instead.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from itertools import product

from puzzles.equations.prior import SIGN_GROUPS
from puzzles.equations.prompt import EquationRow
from puzzles.equations.rules import BY_NAME, VALUE_RULES
from reasoning.designs.cryptarithm.engines.forward import Bounded
from reasoning.designs.cryptarithm.engines.propagation import (
    ALL_RULES,
    GROUP_RULES,
    GROUPS,
    MODE_RULES,
    MODES,
    State,
    bits,
    propagate,
    restrict,
    single,
    start,
)
from reasoning.designs.cryptarithm.lines import chain_lines, letters, notation, query_lines
from reasoning.grammar.lines import Line
from reasoning.grammar.trace import Unrenderable

MOST_SPLITS = 12
MOST_GUESSES = 5


class Chain(Bounded, ABC):
    """Narrates a forced chain."""

    guesses = True  # may guess when stuck; otherwise the thought ends undetermined
    scans = True

    def __init__(self, row: EquationRow, shown: Mapping[str, int]):
        super().__init__(row, shown)
        self.names, self.ops = letters.letters_of(row), letters.operators_of(row)
        self.step = 0
        self.quiet = False  # nothing is written

    def add(self, each: Line) -> Line:
        return each if self.quiet else super().add(each)

    def numbered(self, kind: Callable, *fields):
        self.step += 1
        return self.add(kind(self.step, *fields))

    # what a state knows

    def pins(self, state: State) -> dict[str, int]:
        return state.known()

    def rule(self, state: State) -> str | None:
        """The query's rule when it is settled."""
        if self.told:
            return self.rules[self.row.query.op].name
        mask = state.rules.get(self.row.query.op, 0)
        if not self.row.seen:
            return self.rules[self.row.query.op].name if self.row.query.op in self.rules else None
        return VALUE_RULES[mask.bit_length() - 1].name if single(mask) else None

    def resolved(self, state: State) -> bool:
        known = self.pins(state)
        return self.rule(state) is not None and all(c in known for c in self.row.query.left + self.row.query.right)

    def encodable(self, state: State) -> bool:
        """Resolved, and every digit of the answer has a glyph."""
        if not self.resolved(state):
            return False
        return not notation.lacking_digits(self.row, BY_NAME[self.rule(state)], self.pins(state))

    # the parts of a thought

    def table(self) -> None:
        row = self.row
        for number, e in enumerate(row.examples, 1):
            if self.scans:
                self.add(letters.Scan(number, letters.indexed(e), e.output))
        self.add(letters.Letters(tuple(self.names.items())))
        self.add(letters.Operators(tuple(self.ops.items())))
        digits, ops = "".join(row.digit_glyphs()), "".join(row.operators)
        self.apart(digits, ops)
        for number, e in enumerate(row.examples, 1):
            self.add(letters.FormLine(number, letters.form_of(row, e)))
        self.add(letters.QueryForm(letters.form_of(row, row.query)))
        given = tuple((self.names[g], d) for g, d in self.digits.items() if g in self.names)
        if given:
            self.add(letters.Given(given))

    def apart(self, digits: str, ops: str) -> None:
        self.add(letters.Disjoint(digits, ops, "shared" if set(digits) & set(ops) else "apart"))

    def narrate(self) -> None:
        """Write the whole thought."""
        row = self.row
        self.table()
        if self.asked():
            return
        vocabulary = None
        if self.told:
            told = notation.chosen_rules(self.known.rules)
            vocabulary = {op: 1 << index for op, index in told.items()}
        else:
            self.add(letters.Regime("".join(row.operators), "literal" if self.canonical else "arbitrary"))
            if self.canonical:
                vocabulary = {op: GROUP_RULES[GROUPS.index(group)] for op, group in SIGN_GROUPS.items()}
        state, self.clues = self.begin(vocabulary)
        self.advance(state)
        if state.dead:
            raise Unrenderable("no assignment of the inventory fits")
        self.bet_if_unseen(state)
        if not self.resolved(state):
            state = self.split(state) or state
        if not self.resolved(state):
            if not self.guesses:
                self.give_up(state)
                return
            self.guess(state)
            return
        self.finish(state)

    def begin(self, vocabulary: dict[str, int] | None):
        return start(self.row, self.digits, vocabulary)

    @abstractmethod
    def advance(self, state: State) -> None:
        """Write lines until nothing more is forced."""

    def bet_if_unseen(self, state: State) -> None:
        """Guess rows: say which rules are settled, bet on one for the query's operator."""
        if self.row.seen or self.row.query.op in self.rules or len(state.modes()) == 2:
            return
        settled = {op: VALUE_RULES[mask.bit_length() - 1] for op, mask in state.rules.items() if single(mask)}
        if settled:
            self.add(chain_lines.Rules(tuple((self.ops[op], rule.name) for op, rule in settled.items())))
            self.rules |= settled
        self.bet(flip=state.modes() == ("flip",))

    def finish(self, state: State) -> None:
        known, rule, query = self.pins(state), self.rule(state), self.row.query
        pairs = tuple((self.names[c], known[c]) for c in dict.fromkeys(query.left + query.right))
        if not self.told:
            self.add(chain_lines.Resolved(self.ops[query.op], rule, pairs))
        self.digits = dict(known)
        self.rules[query.op] = BY_NAME[rule]
        self.query()

    def undetermined(self, what: str, of: str) -> None:
        if not self.guesses:
            super().undetermined(what, of)
            return
        self.bailed = True
        query = self.row.query
        self.add(chain_lines.JoinOperands(query.left + query.right))
        self.answer = query.left + query.right

    def give_up(self, state: State) -> None:
        """The explicit ending: what the query still lacks."""
        known = self.pins(state)
        missing = "".join(dict.fromkeys(c for c in self.row.query.left + self.row.query.right if c not in known))
        self.add(
            query_lines.Undetermined("digit", missing)
            if missing
            else query_lines.Undetermined("rule", self.row.query.op)
        )

    # splits and guesses

    def stall(self, state: State) -> None:
        if len(state.modes()) > 1:
            what = "order"
        else:
            what = "rule" if self.rule(state) is None else "digit"
        self.numbered(chain_lines.Stall, what)

    def claim(self, state: State, claim: str) -> None:
        """Apply a claim to a state, silently."""
        name, _, value = claim.partition("=")
        glyphs = {letter: glyph for glyph, letter in self.names.items()}
        operators = {letter: op for op, letter in self.ops.items()}
        if name == "order":
            mask = MODE_RULES[MODES.index(value)]
            for op in state.rules:
                state.rules[op] &= mask
                if not state.rules[op]:
                    state.dead = op
        elif name in operators:
            state.rules[operators[name]] &= 1 << notation.RULE_INDEX[value]
        else:
            self.pin(state, glyphs[name], int(value))

    def pin(self, state: State, glyph: str, digit: int) -> None:
        restrict(state, glyph, 1 << digit, "claim")

    def points(self, state: State) -> list[tuple[str, str]]:
        """Two-valued points: the order, the query's rule, other rules, letters (the query's first)."""
        found = [("order=normal", "order=flip")] if len(state.modes()) == 2 else []
        query = self.row.query
        for op in sorted(state.rules, key=lambda op: op != query.op):
            live = bits(state.rules[op])
            if len(live) == 2:
                found.append(tuple(f"{self.ops[op]}={VALUE_RULES[i].name}" for i in live))
        known = self.pins(state)
        for glyph in sorted(state.domains, key=lambda glyph: glyph not in query.left + query.right):
            live = bits(state.domains[glyph])
            if len(live) == 2 and glyph in self.names and glyph not in known:
                found.append(tuple(f"{self.names[glyph]}={d}" for d in live))
        return found[:MOST_SPLITS]

    def silent(self, state: State, claim: str) -> State:
        """The state under a claim, its chain run without writing."""
        trial, step = self.fork(state), self.step
        self.quiet = True
        self.claim(trial, claim)
        if not trial.dead:
            self.advance(trial)
        self.quiet, self.step = False, step
        return trial

    def fork(self, state: State) -> State:
        return state.copy()

    def settles(self, state: State) -> bool:
        """Whether an answer can be written; on guess rows, whether only the bet on a rule is missing."""
        if self.row.seen or self.told:
            return self.encodable(state)
        known = self.pins(state)
        return len(state.modes()) == 1 and all(c in known for c in self.row.query.left + self.row.query.right)

    def split(self, state: State) -> State | None:
        """The first binary split that settles the row: a case dies and is shown, the other comes to an answer."""
        for pair in self.points(state):
            trials = [self.silent(state, claim) for claim in pair]
            dead = [trial.dead for trial in trials]
            if bool(dead[0]) == bool(dead[1]) or not self.settles(trials[1] if dead[0] else trials[0]):
                continue
            self.stall(state)
            self.add(chain_lines.SplitLine(*pair))
            lost, kept = (pair[0], pair[1]) if dead[0] else (pair[1], pair[0])
            self.cases(state, lost, kept, dead[0] or dead[1])
            self.add(chain_lines.Survives(kept))
            after = self.fork(state)
            self.claim(after, kept)
            self.advance(after)
            self.bet_if_unseen(after)
            return after
        return None

    def cases(self, state: State, lost: str, kept: str, dead: str) -> None:
        """Show the cases of a split; `dead` is what the lost one leaves without a value."""
        self.die(state, lost, "case")

    def die(self, state: State, claim: str, why: str) -> None:
        """Show a case until it has no value for something, and take it back."""
        trial, step = self.fork(state), self.step
        self.add(chain_lines.Case(why, claim))
        self.claim(trial, claim)
        if not trial.dead:
            self.advance(trial)
        self.out(claim, trial.dead)
        self.step = step

    def out(self, claim: str, dead: str) -> None:
        self.add(chain_lines.Dead(self.called(dead), claim, "out"))

    def called(self, what: str) -> str:
        """A glyph or operator by its letter; an example as it is."""
        return self.names.get(what) or self.ops.get(what) or what

    def guess(self, state: State) -> None:
        """Labelled guesses: order, the query's rule, digits of the query; at most five; then whatever is at hand."""
        self.stall(state)
        self.bailed = True
        self.add(chain_lines.Bail())
        query = self.row.query
        for _ in range(MOST_GUESSES):
            if self.resolved(state):
                break
            known = self.pins(state)
            if len(state.modes()) == 2:
                options = ["order=normal", "order=flip"]
            elif self.rule(state) is None and query.op in state.rules:
                options = [f"{self.ops[query.op]}={VALUE_RULES[i].name}" for i in bits(state.rules[query.op])]
            else:
                open_ = [c for c in query.left + query.right if c not in known]
                if not open_:
                    break
                glyph = min(open_, key=lambda c: (state.domains[c].bit_count(), c))
                options = [f"{self.names[glyph]}={d}" for d in bits(state.domains[glyph])]
            claim = next((each for each in options if not self.silent(state, each).dead), None)
            if claim is None:
                break
            for lost in options[: options.index(claim)]:
                self.die(state, lost, "guess")
            self.add(chain_lines.Case("guess", claim))
            self.claim(state, claim)
            self.advance(state)
            self.bet_if_unseen(state)
        if not self.resolved(state):
            self.assemble(state)
        self.finish(state)

    def assemble(self, state: State) -> None:
        """The first rule that is left and the smallest digits that are free, of those that lines have left."""
        query, known = self.row.query, self.pins(state)
        mask = state.rules.get(query.op, ALL_RULES)
        rule = self.rule(state) or VALUE_RULES[bits(mask)[0]].name
        open_ = [c for c in dict.fromkeys(query.left + query.right) if c not in known]
        free = [[d for d in self.said_of(state, c) if d not in known.values()] for c in open_]
        digits = next((each for each in product(*free) if len(set(each)) == len(each)), None)
        if digits is None:
            raise Unrenderable("no digits are left for the query's letters")
        pairs = [(self.names[c], digit) for c, digit in zip(open_, digits, strict=True)]
        for c, digit in zip(open_, digits, strict=True):
            state.domains[c] = 1 << digit
            self.note(state, c, digit)
        self.add(chain_lines.Assemble(rule, tuple(pairs)))
        if self.row.seen:
            state.rules[query.op] = 1 << notation.RULE_INDEX[rule]
        self.rules[query.op] = BY_NAME[rule]

    def said_of(self, state: State, glyph: str) -> Iterable[int]:
        """The digits that the lines have left of a glyph; here no line narrows them."""
        return range(10)

    def note(self, state: State, glyph: str, digit: int) -> None:
        """Keep a digit that was set without a line of its own."""


class Forced(Chain):
    """r7: pins and drops are claimed as the engine infers them; pure narrowing is not shown."""

    def begin(self, vocabulary: dict[str, int] | None):
        """With nine of ten digits shown the last one is settled before the engine infers anything."""
        state, found = super().begin(vocabulary)
        for glyph, digit in state.known().items():
            if glyph in self.names and glyph not in self.digits:
                self.numbered(chain_lines.AssertPin, self.names[glyph], digit, "left", "pin")
        return state, found

    def advance(self, state: State) -> None:
        at = len(state.events)
        held = {glyph: digit for glyph, digit in state.known().items()}
        propagate(state, self.clues)
        orders = set()
        for event in state.events[at:]:
            if event.kind == "assign":
                if int(event.result) in (digit for glyph, digit in held.items() if glyph != event.name):
                    break  # two letters want one digit: the case is dead
                held[event.name] = int(event.result)
            if event.kind == "assign" and event.name in self.names and event.args[0] not in ("try", "claim"):
                why = {"equation": "sole", "taken": "left", "only": "place"}[event.args[0]]
                self.numbered(chain_lines.AssertPin, self.names[event.name], int(event.result), why, "pin")
            elif event.verdict == "drop" and event.args[0].startswith("mode"):
                mode = BY_NAME[event.args[1]].mode
                if mode not in orders:
                    orders.add(mode)
                    op = event.args[0].removeprefix("mode ")
                    self.numbered(chain_lines.AssertMode, mode, self.ops[op], "drop")
            elif event.verdict == "drop":
                left = tuple(event.result.split())
                names = event.args[1:]
                if left and len(left) < len(names):
                    self.numbered(chain_lines.AssertOnly, self.ops[event.name], left, "drop")
                else:
                    self.numbered(chain_lines.AssertDrop, self.ops[event.name], names, "drop")
