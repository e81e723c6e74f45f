"""The prompt that both equation families share, and the draw of a row's operators, rules and operands."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations, product

from puzzles.base import PromptError
from puzzles.equations import rules
from puzzles.equations.prior import SIGN_GROUPS
from puzzles.equations.rules import Rule

HEADER = (
    "In Alice's Wonderland, a secret set of transformation rules is applied to equations. Below are a few examples:\n"
)
EQUALS = " = "
FOOTER = "\nNow, determine the result for: "
PHRASES = (HEADER, EQUALS, FOOTER)
DIGIT_GLYPHS = "!\"#$%&'()/:<>?@[\\]^`{|}"
OPERATOR_GLYPHS = DIGIT_GLYPHS + "*+-"
MAX_EXAMPLES = 12


@dataclass(frozen=True, slots=True)
class Equation:
    """`left op right = output` as printed; `output` is "" in the query."""

    left: str
    op: str
    right: str
    output: str = ""

    @property
    def text(self) -> str:
        return f"{self.left}{self.op}{self.right}" + (EQUALS + self.output if self.output else "")


@dataclass(frozen=True, slots=True)
class EquationRow:
    """A parsed prompt of either equation family."""

    examples: tuple[Equation, ...]
    query: Equation

    @property
    def operators(self) -> tuple[str, ...]:
        """Operator glyphs by first appearance, the query's last if the examples do not show it."""
        return tuple(dict.fromkeys(equation.op for equation in (*self.examples, self.query)))

    @property
    def seen(self) -> bool:
        """Whether an example shows the query's operator (deduce) or none does (guess)."""
        return any(equation.op == self.query.op for equation in self.examples)

    @property
    def prompt(self) -> str:
        return HEADER + "\n".join(e.text for e in self.examples) + FOOTER + self.query.text

    def digit_glyphs(self) -> tuple[str, ...]:
        """Everything in operands and outputs but the equation's own minus, by first appearance."""
        seen: dict[str, None] = {}
        for equation in (*self.examples, self.query):
            seen.update(dict.fromkeys(equation.left + equation.right))
            seen.update(dict.fromkeys(minus_and_digits(equation)[1]))
        return tuple(seen)


def minus_and_digits(equation: Equation) -> tuple[str, str]:
    """The side of the output's minus ("", "prefix" or "suffix") and the output without it."""
    output = equation.output
    if len(output) > 1 and output[0] == equation.op:
        return "prefix", output[1:]
    if len(output) > 1 and output[-1] == equation.op:
        return "suffix", output[:-1]
    return "", output


def join_of(equation: Equation) -> tuple[Rule, ...]:
    """The joins that write this equation's output."""
    return tuple(rule for rule in rules.JOINS if rules.apply(rule, equation.left, equation.right) == equation.output)


def _left_side(text: str, place: str) -> tuple[str, str, str]:
    if len(text) != 5:
        raise PromptError(f"expected five characters such as AB+CD, got {text!r}", field=place)
    if not text.isascii() or not text.isprintable() or " " in text:
        raise PromptError(f"expected printable ASCII without spaces, got {text!r}", field=place)
    return text[:2], text[2], text[3:]


def is_output(text: str) -> bool:
    """Whether a text may stand to the right of the equals sign, in either family."""
    return 1 <= len(text) <= 5 and text.isascii() and text.isprintable() and " " not in text


def parse(prompt: str) -> EquationRow:
    """Read a prompt of either family; digits are not told from glyphs here. Raises PromptError naming the part."""
    if not prompt.startswith(HEADER):
        raise PromptError("not the header of the equation families", field="header")
    body, found, query = prompt[len(HEADER) :].rpartition(FOOTER)
    if not found:
        raise PromptError("no query line", field="query")
    lines = body.split("\n")
    if len(lines) > MAX_EXAMPLES:
        raise PromptError(f"{len(lines)} examples, at most {MAX_EXAMPLES} are supported", field="examples")
    examples = []
    for number, line in enumerate(lines, 1):
        place = f"example {number}"
        left, found, output = line.partition(EQUALS)
        if not found or not output:
            raise PromptError(f"expected `AB+CD = output`, got {line!r}", field=place)
        if not is_output(output):
            raise PromptError(f"expected an output of one to five printable characters, got {output!r}", field=place)
        examples.append(Equation(*_left_side(left, place), output))
    return EquationRow(tuple(examples), Equation(*_left_side(query, "query")))


def family_name(prompt: str) -> str:
    """Which of the four families of equations a prompt belongs to, told from its digits and operators."""
    row = parse(prompt)
    sides = "".join(equation.left + equation.right for equation in (*row.examples, row.query))
    return f"{'equation_numeric' if sides.isdigit() else 'cryptarithm'}_{'deduce' if row.seen else 'guess'}"


def relabelled(row: EquationRow, digits_hidden: bool) -> str:
    """A string equal for two rows that are the same up to the order of examples and the names of glyphs.

    Operators are always renamed; digits only where they are hidden behind glyphs.
    """

    def write(equations: Sequence[Equation], names: dict[str, str], operators: dict[str, str]) -> str:
        text = []
        for equation in equations:
            op = operators.setdefault(equation.op, "vwxyzut"[min(len(operators), 6)])
            line = equation.left + equation.right + equation.output
            if digits_hidden:
                line = "".join(op if c == equation.op else names.setdefault(c, chr(65 + len(names))) for c in line)
            else:
                line = line.replace(equation.op, op)
            text.append(op + line)
        return " ".join(text)

    groups: dict[str, list[Equation]] = {}
    for equation in row.examples:
        groups.setdefault(write((equation,), {}, {}), []).append(equation)
    blocks = [
        list(permutations(groups[shape])) if len(groups[shape]) < 5 else [groups[shape]] for shape in sorted(groups)
    ]
    return min(
        write([*(equation for block in choice for equation in block), row.query], {}, {}) for choice in product(*blocks)
    )


def _pick(rng: random.Random, shares: Mapping[str, float]) -> str:
    return rng.choices(tuple(shares), tuple(shares.values()))[0]


@dataclass(frozen=True, slots=True)
class Draw:
    """One row before it is printed: digits still visible."""

    regime: str
    mode: str
    operators: dict[str, Rule]
    row: EquationRow
    answer: str


def draw(
    rng: random.Random, prior: Mapping, deduce: bool, counts: Sequence[float], pool: Sequence[str] = OPERATOR_GLYPHS
) -> Draw:
    """Draw a row with visible digits: three operators, then 3-5 examples and a query that each use one of them.

    `counts` weighs 3, 4 and 5 examples; `pool` are the glyphs left for operators of a scrambled row.
    """
    regime = "canonical" if rng.random() < prior["canonical"] else "scrambled"
    shares = prior["regimes"][regime]
    mode = "flip" if rng.random() < shares["flip"] else "normal"
    glyphs = rng.sample("+-*" if regime == "canonical" else pool, 3)
    groups = rng.sample(("add", "sub", "mul"), 3)
    operators = {}
    for glyph, group in zip(glyphs, groups, strict=True):
        join = shares["join"].get(glyph, shares["join"].get("any"))
        if rng.random() < join:
            operators[glyph] = rules.JOINS[rng.random() < shares["swap"][mode]]
        else:
            group = SIGN_GROUPS[glyph] if regime == "canonical" else group
            operators[glyph] = rules.BY_NAME[_pick(rng, shares["rules"][mode][group])]
    n = rng.choices((3, 4, 5), counts)[0]
    while True:
        ops = rng.choices(glyphs, k=n + 1)
        if (ops[-1] in ops[:-1]) == deduce:
            break
    turn = -1 if mode == "flip" else 1
    equations = []
    for op in ops:
        left, right = (str(rng.randrange(10, 100))[::turn] for _ in range(2))
        equations.append(Equation(left, op, right, rules.apply(operators[op], left, right, op)))
    query = equations.pop()
    row = EquationRow(tuple(equations), Equation(query.left, query.op, query.right))
    return Draw(regime, mode, operators, row, query.output)


def hidden_rule(drawn: Draw) -> dict[str, object]:
    """The `rule` record of a generated problem."""
    return {
        "regime": drawn.regime,
        "mode": drawn.mode,
        "order": "reversed" if drawn.mode == "flip" else "standard",
        "operators": {glyph: rule.name for glyph, rule in drawn.operators.items()},
        "query": drawn.operators[drawn.row.query.op].name,
    }
