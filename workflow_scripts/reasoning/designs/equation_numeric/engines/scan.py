"""The scan of an operator's examples, shared by the two families of equations with visible digits.

The thought first lists the examples' operators, each with its number. An operator's examples are looked up in this
list. The scan takes the first of them, narrows the kinds of rule by the shape of the result, reads the operands
backwards (flip) and forwards (normal), and tests the rules in a fixed order. A rule that gives the first example is
tested on the operator's other examples. If one fails, the scan goes on where it was.
"""

from collections.abc import Iterator

from puzzles.equations import rules
from puzzles.equations.prompt import Equation, EquationRow, minus_and_digits
from reasoning.designs.equation_numeric.lines.equation_lines import (
    AT_ONCE,
    CANDIDATES,
    GROUP_OF,
    START,
    Example,
    JoinResult,
    JoinTest,
    Lock,
    Ops,
    Query,
    Read,
    Result,
    Shape,
    Test,
    With,
    Wording,
    from_start,
    shape,
    written,
)
from reasoning.grammar.lines import Line
from reasoning.grammar.trace import Unrenderable


class Scan:
    """Writes the lines of one row, its operators first; `lines` grows as the scan goes."""

    def __init__(self, row: EquationRow, wording: Wording = AT_ONCE):
        self.row, self.wording = row, wording
        self.lines: list[Line] = [Ops(tuple((example.op, number) for number, example in enumerate(row.examples, 1)))]

    def find(self, op: str) -> tuple[str, str]:
        """(mode, rule) of a shown operator, with its Lock line; raises Unrenderable when no rule fits."""
        numbered = [(number, e) for number, e in enumerate(self.row.examples, 1) if e.op == op]
        first, others = numbered[0], numbered[1:]
        side, digits = minus_and_digits(first[1])
        verdict = shape(len(digits), bool(side))
        self.lines.append(With(op, tuple(number for number, _ in numbered)))
        self._example(*first)
        if not verdict:
            raise Unrenderable("a result of more than four digits")
        self.lines.append(Shape(first[1].output, len(digits), "minus" if side else "plain", verdict))
        for mode, base in self._fitting(first, CANDIDATES[verdict]):
            if all(self._holds(number, example, mode, base) for number, example in others):
                self.lines.append(Lock(op, mode, base))
                return mode, base
        raise Unrenderable("no rule of the inventory fits an operator")

    def apply(self, mode: str, base: str) -> str:
        """The query's lines; returns the answer."""
        query = self.row.query
        self.lines.append(Query(query.left, query.op, query.right))
        if mode == "any":
            answer = rules.apply(rules.BY_NAME[base], query.left, query.right)
            self.lines.append(JoinResult(base, answer))
            return answer
        if not self._read(query, mode):
            raise Unrenderable("the query's operands cannot be read in the mode of its rule")
        value = from_start(base, self._start(query, mode, START[base]))
        answer = written(base, value, mode, query.op)
        self.lines.append(Result(base, value, answer))
        return answer

    def _fitting(self, first: tuple[int, Equation], bases: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        """Every rule that gives the first example; asked for another one, it goes back to where it stood."""
        _, example = first
        for base in bases:
            if GROUP_OF[base] == "join" and self._join(example, base):
                yield "any", base
                self._example(*first)
        for mode in ("flip", "normal"):
            if not self._read(example, mode):
                continue
            started: dict[str, int] = {}
            for base in bases:
                if GROUP_OF[base] == "join":
                    continue
                group = START[base]
                if group not in started:
                    started[group] = self._start(example, mode, group)
                if self._test(example, mode, base, started[group]):
                    yield mode, base
                    self._example(*first)
                    if base != bases[-1]:
                        self._read(example, mode)
                    started.clear()

    def _holds(self, number: int, example: Equation, mode: str, base: str) -> bool:
        self._example(number, example)
        if mode == "any":
            return self._join(example, base)
        return self._read(example, mode) and self._test(example, mode, base, self._start(example, mode, START[base]))

    def _example(self, number: int, example: Equation) -> None:
        self.lines.append(Example(number, example.left, example.op, example.right, example.output))

    def _read(self, equation: Equation, mode: str) -> bool:
        turn = -1 if mode == "flip" else 1
        x, y = equation.left[::turn], equation.right[::turn]
        possible = "0" not in (x[0], y[0])
        self.lines.append(Read(mode, x, y, "ok" if possible else "zero"))
        return possible

    def _start(self, equation: Equation, mode: str, group: str) -> int:
        turn = -1 if mode == "flip" else 1
        x, y = int(equation.left[::turn]), int(equation.right[::turn])
        self.lines.append(self.wording.start(group).of(x, y))
        return self.lines[-1].value

    def _test(self, example: Equation, mode: str, base: str, start: int) -> bool:
        value = from_start(base, start)
        printed = written(base, value, mode, example.op)
        fits = printed == example.output
        self.lines.append(Test(base, value, printed, example.output, "yes" if fits else "no"))
        return fits

    def _join(self, example: Equation, base: str) -> bool:
        printed = rules.apply(rules.BY_NAME[base], example.left, example.right)
        fits = printed == example.output
        self.lines.append(JoinTest(base, printed, example.output, "yes" if fits else "no"))
        return fits
