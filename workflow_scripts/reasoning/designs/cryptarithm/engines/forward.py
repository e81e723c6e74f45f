"""Forward work that several cryptarithm designs narrate: find a rule by tests, fill digits, work out the query.

Everything here sees the prompt and the shown key only.
"""

from collections.abc import Callable, Iterable, Mapping

from puzzles.base import Problem
from puzzles.equations import rules
from puzzles.equations.prior import SIGN_GROUPS
from puzzles.equations.prompt import Equation, EquationRow, join_of, minus_and_digits
from puzzles.equations.rules import BY_NAME, Rule
from reasoning.designs.cryptarithm.lines import arithmetic, digit_lines, join_lines, notation, query_lines, rule_tests
from reasoning.designs.remainder import mod_steps, sub_steps
from reasoning.grammar.lines import Line
from reasoning.grammar.reveal import Known
from reasoning.grammar.trace import Trace, Unrenderable

MOST_TRIALS = 5
OVER = "over budget of {} characters"


def groups_of(equation: Equation, canonical: bool) -> tuple[str, ...]:
    """The groups that can print an output of this shape, the operator's own sign first in canonical rows."""
    side, digits = minus_and_digits(equation)
    if side or len(digits) == 1:
        return ("sub",)
    groups = {2: ("add", "sub"), 3: ("add", "mul"), 4: ("mul",)}.get(len(digits), ())
    first = SIGN_GROUPS.get(equation.op) if canonical else None
    return tuple(sorted(groups, key=lambda group: group != first))


class Worker:
    """Writes lines while it works forward on one row; `digits` is the key known so far, `rules` the rules found.

    known: what it starts from; told: it starts with every operator's rule, which it neither tests nor states.
    """

    def __init__(self, row: EquationRow, shown: Mapping[str, int]):
        self.row, self.digits = row, dict(shown)
        self.known = shown if isinstance(shown, Known) else Known(shown)
        self.told = bool(self.known.rules)
        self.lines: list[Line] = []
        self.rules: dict[str, Rule] = {op: BY_NAME[name] for op, name in self.known.rules.items()}
        self.answer: str | None = None
        self.decoded: dict[int, int] = {}  # example -> how many digits were known when it was last decoded
        self.tested: dict[str, int] = {}  # operator -> how many digits were known when its tests last failed
        self.canonical = all(op in SIGN_GROUPS for op in row.operators)
        self.thought = self.known.thought
        self.bailed = False  # it ends in a guess that says so

    def add(self, each: Line) -> Line:
        self.lines.append(each)
        return each

    # joins

    def join(self, op: str) -> str:
        """Test an operator's examples for a join: join, swap, both or neither."""
        found = "both"
        for number, e in self.examples(op):
            joins = {rule.name for rule in join_of(e)}
            verdict = {0: "neither", 2: "both"}.get(len(joins)) or ("join" if "join" in joins else "swap")
            self.add(join_lines.JoinTest(number, e.left + e.right, e.right + e.left, e.output, verdict))
            if verdict == "neither":
                return verdict
            found = verdict if found == "both" else found
        return found

    def join_query(self, verdict: str) -> None:
        query = self.row.query
        how = "swap" if verdict == "swap" else "join"
        self.answer = rules.apply(rules.JOINS[how == "swap"], query.left, query.right)
        self.add(join_lines.JoinQuery(how, query.left, query.right, self.answer))

    def look_up(self) -> None:
        """Write down the examples and which of them have the query's operator, before one of them is used."""
        for number, e in enumerate(self.row.examples, 1):
            self.add(join_lines.Example.of(number, e))
        query = self.row.query
        self.add(join_lines.Question(query.op, query.left, query.right))
        if not self.told:
            self.add(join_lines.Lookup.of(self.row))

    def asked(self) -> bool:
        """See whether the query's operator is shown and is a join; a join is answered at once (True)."""
        op = self.row.query.op
        if self.told:
            verdict = join_lines.JOIN_WORDS.get(self.rules[op].name, "neither")
        elif self.row.seen:
            verdict = self.join(op)
        else:
            self.add(join_lines.Unseen(op))
            return False
        if verdict != "neither":
            self.join_query(verdict)
        return verdict != "neither"

    # digits

    def examples(self, op: str) -> list[tuple[int, Equation]]:
        return [(number, e) for number, e in enumerate(self.row.examples, 1) if e.op == op]

    def unknown(self, text: str) -> str:
        return "".join(dict.fromkeys(c for c in text if c not in self.digits))

    def left_over(self) -> tuple[str, str]:
        free = "".join(str(d) for d in range(10) if d not in self.digits.values())
        return self.unknown("".join(self.row.digit_glyphs())), free

    def left(self) -> tuple[str, str]:
        """Say what is left, unless the latest such line still holds."""
        over = self.left_over()
        latest = next((e for e in reversed(self.lines) if isinstance(e, digit_lines.Left)), None)
        if over[0] and over[1] and (latest is None or (latest.glyphs, latest.digits) != over):
            self.add(digit_lines.Left(*over))
        return over

    def decode(self, number: int) -> None:
        """Decode an example, unless it was decoded and nothing is new."""
        e = self.row.examples[number - 1]
        text = e.left + e.right + e.output
        known = sum(c in self.digits for c in text)
        if self.decoded.get(number) != known:
            self.decoded[number] = known
            self.add(digit_lines.Decode.of(number, self._pairs(text, notation.minus_glyph(e))))

    def _pairs(self, text: str, minus: str) -> tuple[tuple[str, str], ...]:
        return tuple((c, "-" if c == minus else str(self.digits.get(c, c))) for c in text)

    def last(self) -> bool:
        """Give the last glyph the last digit."""
        glyphs, free = self.left_over()
        if len(glyphs) != 1 or len(free) != 1:
            return False
        self.left()
        self.digits[glyphs] = int(free)
        self.add(digit_lines.Pin("last", glyphs, int(free)))
        return True

    # tests

    def test(
        self, number: int, e: Equation, mode: str, group: str, digits: Mapping[str, int], free: str | None
    ) -> Line:
        """The line that tests one group in one mode on an example whose operands are known."""
        x, y = notation.operands_of(e, digits, mode)
        order = arithmetic.compare(int(x), int(y))
        target, flip = notation.target_of(e, digits, mode), "flip " if mode == "flip" else ""
        if group in ("add", "mul"):
            total = int(x) + int(y) if group == "add" else int(x) * int(y)
            held = target, target, *arithmetic.beside(total), notation.near(total, target, free)
            if group == "mul":
                return rule_tests.MulTest(number, flip, x, y, *arithmetic.mul_steps(x, y), *held)
            return rule_tests.AddTest(number, flip, x, y, *arithmetic.add_steps(x, y), total, *held)
        if group == "mod":
            steps, rest = mod_steps(x, y)
            same = notation.fits(str(rest), target, free) is not None
            return rule_tests.ModTest(number, flip, x, y, order, steps, rest, target, target, "same" if same else "no")
        total = abs(int(x) - int(y))
        same = notation.fits(str(total), target.strip("-"), free) is not None
        steps = sub_steps(x, y)
        return rule_tests.SubTest(number, flip, x, y, order, *steps, total, target, target, "same" if same else "no")

    def usable(self, op: str) -> list[tuple[int, Equation]]:
        """The operator's examples whose operands are known, those with a known output first."""
        known = [(n, e) for n, e in self.examples(op) if not self.unknown(e.left + e.right)]
        return sorted(known, key=lambda pair: (len(self.unknown(minus_and_digits(pair[1])[1])), pair[0]))

    def plans(self, e: Equation) -> Iterable[tuple[str, str]]:
        """Which group and mode to test, in order."""
        settled = {rule.mode for rule in self.rules.values()}
        taken = {rule.group for rule in self.rules.values()}
        for group in groups_of(e, self.canonical):
            if group not in taken:
                for mode in kinds_modes(settled):
                    yield group, mode
                    if group == "sub" and not minus_and_digits(e)[0]:
                        yield "mod", mode

    def find_rule(self, op: str) -> bool:
        """Test the inventory in its fixed order until a rule fits every usable example of the operator.

        With an output fully known the first rule that fits is taken; with unknown digits in every output all rules
        are tested and only a single fit counts.
        """
        usable = self.usable(op)
        if not usable or self.tested.get(op) == len(self.digits):
            return False
        self.tested[op] = len(self.digits)
        partial = bool(self.unknown(minus_and_digits(usable[0][1])[1]))
        free = self.left()[1] if self.left_over()[0] else None
        found: list[str] = []
        for group, mode in self.plans(usable[0][1]):
            rule = self._try_rule(usable, group, mode, free)
            if rule:
                found.append(rule)
                if not partial:
                    break
        if len(found) != 1 or found[0] == "several":
            return False
        self.rules[op] = BY_NAME[found[0]]
        self.add(rule_tests.RuleFound(op, found[0]))
        for number, e in usable:
            self._read_off(number, e)
        return True

    def _try_rule(self, usable: list[tuple[int, Equation]], group: str, mode: str, free: str | None) -> str:
        """The rule's name when every example passes, "several" when it cannot be told, "" when one fails."""
        words = []
        for number, e in usable:
            self.decode(number)
            each = self.add(self.test(number, e, mode, group, self.digits, free))
            words.append(each.verdict)
            if each.verdict == "no" or words[0] != each.verdict:
                return ""
        head = "flip_" if mode == "flip" else ""
        if words[0] == "several":
            return "several"
        if group == "mod":
            return head + "mod"
        if group != "sub":
            return head + group + words[0].removeprefix("same")
        cases = tuple(
            arithmetic.compare(*map(int, notation.operands_of(e, self.digits, mode)))
            + notation.side_of(notation.target_of(e, {}, mode))
            for _, e in usable
        )
        tried = arithmetic.sub_bases(mode, cases)
        base = tried[-1][0] if tried[-1][1] == "".join(cases) else "none"
        self.add(rule_tests.Signs("flip " if mode == "flip" else "", cases, tried, base))
        return "" if base == "none" else head + base

    def _value(self, e: Equation, rule: Rule) -> str:
        """What a rule gives on known operands, as the tests write it."""
        x, y = notation.operands_of(e, self.digits, rule.mode)
        return arithmetic.rule_value(rule, x, y)

    def _read_off(self, number: int, e: Equation) -> None:
        """Digits of unknown output glyphs, from the value of the example's rule."""
        rule, target = self.rules[e.op], notation.target_of(e, self.digits, self.rules[e.op].mode)
        value = self._value(e, rule)
        new = notation.fits(value, target)
        if new:
            pairs = tuple((glyph, int(value)) for glyph, value in new.items())
            self.add(digit_lines.ReadOff(number, value, target, pairs))
            self.digits |= dict(pairs)

    def read(self, number: int, e: Equation) -> bool:
        """Compute an example by its known rule when that gives digits to glyphs of its output."""
        rule = self.rules[e.op]
        if rule.is_join or self.unknown(e.left + e.right) or not self.unknown(minus_and_digits(e)[1]):
            return False
        free = self.left()[1]
        self.decode(number)
        self.add(self.test(number, e, rule.mode, arithmetic.test_group(rule), self.digits, free))
        self._read_off(number, e)
        return True

    def trial(self, number: int, e: Equation) -> bool:
        """An example of a known sum or product with one unknown operand glyph: try every digit left."""
        rule, unknown = self.rules.get(e.op), self.unknown(e.left + e.right)
        if rule is None or rule.group not in ("add", "mul") or len(unknown) != 1:
            return False
        if len(self.left_over()[1]) > MOST_TRIALS:
            return False
        free = self.left()[1]
        self.decode(number)
        passed = []
        for digit in map(int, free):
            self.add(digit_lines.Try(unknown, digit))
            rest = free.replace(str(digit), "")
            each = self.add(self.test(number, e, rule.mode, rule.group, {**self.digits, unknown: digit}, rest))
            if each.verdict == arithmetic.offset_word(rule):
                passed.append(digit)
        if len(passed) != 1:
            return False
        self.digits[unknown] = passed[0]
        self.add(digit_lines.Pin("only", unknown, passed[0]))
        return True

    # the query

    def bet(self, flip: bool = False) -> None:
        """A rule for the unseen query operator, from what the others leave; `flip`: the normal order is out."""
        if self.told:
            return
        names = {op: rule.name for op, rule in self.rules.items()}
        groups = tuple(rule_tests.open_groups(self.row, names))
        if groups:
            self.rules[self.row.query.op] = rule_tests.bet_rule(groups, names, flip)
            self.add(rule_tests.Bet(self.row.query.op, groups, self.rules[self.row.query.op].name))

    def missing(self) -> str:
        return self.unknown(self.row.query.left + self.row.query.right)

    def lacking(self) -> str:
        """Query glyphs without a digit, or, once they and the rule are known, answer digits without a glyph."""
        rule = self.rules.get(self.row.query.op)
        return self.missing() or (notation.lacking_digits(self.row, rule, self.digits) if rule else "")

    def conclude(self) -> None:
        """Bet on the rule of an unseen operator, then the query, or an explicit end when a digit or rule is missing."""
        if not self.row.seen and not self.missing():
            self.bet()
        if self.missing():
            self.undetermined("digit", self.missing())
        elif self.row.query.op not in self.rules:
            self.undetermined("rule", self.row.query.op)
        else:
            self.query()

    def query(self) -> None:
        """Decode, compute step by step, encode; sets the answer, or ends undetermined where a glyph is missing."""
        query, rule = self.row.query, self.rules[self.row.query.op]
        self.add(digit_lines.DecodeQuery(self._pairs(query.left + query.right, "")))
        x, y = notation.operands_of(query, self.digits, rule.mode)
        if rule.mode == "flip":
            self.add(query_lines.Reverse(x[::-1], y[::-1], x, y))
        value = self._value(query, rule)
        self.work_out(rule, x, y)
        if rule.group == "sub" and rule.base != "mod":
            self.add(query_lines.SignQuery(rule.base, arithmetic.compare(int(x), int(y)), abs(int(x) - int(y)), value))
        if rule.base[-2:] in arithmetic.OFFSETS:
            k = arithmetic.OFFSETS[rule.base[-2:]]
            self.add(query_lines.OffsetQuery(int(value) - k, rule.base[-2:], int(value)))
        if rule.mode == "flip":
            value, plain = query_lines.reversed_digits(value), value
            self.add(query_lines.ReverseResult(plain, value))
        glyph_of = {str(digit): glyph for glyph, digit in self.digits.items()} | {"-": query.op}
        lost = "".join(dict.fromkeys(c for c in value if c not in glyph_of))
        if lost and self.last():
            glyph_of = {str(digit): glyph for glyph, digit in self.digits.items()} | {"-": query.op}
            lost = "".join(dict.fromkeys(c for c in value if c not in glyph_of))
        self.add(query_lines.KeyBack(tuple((glyph, f"{digit}={glyph}") for glyph, digit in self.digits.items())))
        if lost:
            self.undetermined("glyph", lost)
            return
        self.add(query_lines.Encode(value, tuple((c, glyph_of[c]) for c in value)))
        self.answer = "".join(glyph_of[c] for c in value)

    def work_out(self, rule: Rule, x: str, y: str) -> None:
        """The query's sum, product, distance or rest with its steps."""
        order = arithmetic.compare(int(x), int(y))
        if rule.group == "add":
            self.add(query_lines.AddQuery(x, y, *arithmetic.add_steps(x, y), int(x) + int(y)))
        elif rule.group == "mul":
            self.add(query_lines.MulQuery(x, y, *arithmetic.mul_steps(x, y)))
        elif rule.base == "mod":
            self.add(query_lines.ModQuery(x, y, order, *mod_steps(x, y)))
        else:
            total = abs(int(x) - int(y))
            self.add(query_lines.SubQuery(x, y, order, *sub_steps(x, y), total))

    def undetermined(self, what: str, of: str) -> None:
        self.add(query_lines.Undetermined(what, of))

    def trace(self) -> Trace:
        return Trace(tuple(self.lines), self.answer)


class Bounded(Worker):
    """A Worker that gives up as soon as its thought is too long; `times` as long where lines are dropped at the end."""

    def __init__(self, row: EquationRow, shown: Mapping[str, int], times: int = 1):
        super().__init__(row, shown)
        self.length, self.times = 0, times

    def add(self, each: Line) -> Line:
        self.length += len(each.text()) + 1
        if self.length > self.times * self.thought:
            raise Unrenderable(OVER.format(self.times * self.thought))
        return super().add(each)


def gated(problem: Problem, work: Worker) -> Trace:
    """The trace. Raises Unrenderable when it is too long, or boxes a wrong answer without saying that it guesses. (The
    study's designs that guess keep wrong answers as targets.)"""
    trace = work.trace()
    if sum(len(each.text()) + 1 for each in trace.lines) > work.thought:
        raise Unrenderable(OVER.format(work.thought))
    if trace.answer is not None and trace.answer != problem.answer and not work.bailed:
        raise Unrenderable("the trace's answer is not the row's")
    return trace


def kinds_modes(settled: set[str]) -> tuple[str, ...]:
    """The modes still possible: the one of a rule already found, else normal before flip."""
    return tuple(settled) if len(settled) == 1 else ("normal", "flip")


def until_fixed(*steps: Callable[[], bool]) -> None:
    """Take the first step that makes progress, again and again, until none does."""
    while any(step() for step in steps):
        pass
