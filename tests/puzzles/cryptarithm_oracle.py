"""A constraint model of cryptarithms in OR-tools, written apart from the solver: all answers that a row allows."""

from ortools.sat.python import cp_model

from puzzles.equations.prompt import EquationRow

GROUP = {"add": "add", "add+1": "add", "add-1": "add", "mul": "mul", "mul+1": "mul", "mul-1": "mul"}
NORMAL = ("sub", "abs", "negabs", "mod")
FLIP = ("sub", "rsub", "abs", "negabs", "absneg", "mod")


class _Collector(cp_model.CpSolverSolutionCallback):
    def __init__(self, digits, rules, answer):
        super().__init__()
        self.digits, self.rules, self.answer = digits, rules, answer
        self.found: set[str] = set()

    def on_solution_callback(self):
        digits = {glyph: self.value(variable) for glyph, variable in self.digits.items()}
        rules = {op: next(n for n, v in options.items() if self.value(v)) for op, options in self.rules.items()}
        answer = self.answer(digits, rules)
        if answer is not None:
            self.found.add(answer)


def _output(rule: str, x: int, y: int) -> tuple[int, int]:
    """Magnitude and side of the minus (0 none, 1 in front, 2 behind)."""
    if rule.startswith("add"):
        return x + y + int(rule[3:] or 0), 0
    if rule.startswith("mul"):
        return x * y + int(rule[3:] or 0), 0
    if rule == "mod":
        return max(x, y) % min(x, y), 0
    side = {"sub": x < y, "rsub": 2 * (y < x), "abs": 0, "negabs": x != y, "absneg": 2 * (x != y)}[rule]
    return abs(x - y), int(side)


def answers(row: EquationRow) -> set[str]:
    """Every answer, written with glyphs of the prompt, that some mode, rules and digits give.

    Joins of the examples are taken from their spelling: an operator that joins in every example joins.
    """
    found: set[str] = set()
    for flip in (False, True):
        found |= _answers_of_mode(row, flip)
    return found


def _answers_of_mode(row: EquationRow, flip: bool) -> set[str]:
    turn = -1 if flip else 1
    joined = {e.op for e in row.examples if e.output in (e.left + e.right, e.right + e.left)}
    lines = [e for e in row.examples if e.op not in joined]
    query = row.query
    model = cp_model.CpModel()
    glyphs = row.digit_glyphs()
    digits = {glyph: model.new_int_var(0, 9, glyph) for glyph in glyphs}
    model.add_all_different(digits.values())

    def number(text):
        ordered = text[::turn]
        return sum(digits[glyph] * 10 ** (len(ordered) - 1 - k) for k, glyph in enumerate(ordered))

    for equation in (*row.examples, query):
        for operand in (equation.left, equation.right):
            model.add(digits[operand[::turn][0]] >= 1)
    names = (*GROUP, *(FLIP if flip else NORMAL))
    rules = {op: {n: model.new_bool_var(f"{op} {n}") for n in names} for op in dict.fromkeys(e.op for e in lines)}
    asked = query.op not in joined and query.op not in rules
    if asked:
        rules[query.op] = {n: model.new_bool_var(f"{query.op} {n}") for n in names}
        rules[query.op]["join"] = model.new_bool_var("join")
        rules[query.op]["swap"] = model.new_bool_var("swap")
    for options in rules.values():
        model.add_exactly_one(options.values())
    for group in ("add", "mul", "sub"):
        members = [
            v
            for options in rules.values()
            for n, v in options.items()
            if group == GROUP.get(n, "sub") and n != "join" and n != "swap"
        ]
        model.add_at_most_one(members)
    for equation in lines:
        output, side = equation.output, 0
        if len(output) > 1 and output[0] == equation.op:
            output, side = output[1:], 1
        elif len(output) > 1 and output[-1] == equation.op:
            output, side = output[:-1], 2
        if len(output) > 1:
            model.add(digits[output[::turn][0]] >= 1)
        x, y, z = number(equation.left), number(equation.right), number(output)
        left, right = model.new_int_var(10, 99, "x"), model.new_int_var(10, 99, "y")
        model.add(left == x)
        model.add(right == y)
        product, gap = model.new_int_var(0, 9801, "xy"), model.new_int_var(0, 99, "|x-y|")
        large, small = (model.new_int_var(10, 99, name) for name in ("max", "min"))
        rest = model.new_int_var(0, 99, "mod")
        model.add_multiplication_equality(product, [left, right])
        model.add_abs_equality(gap, left - right)
        model.add_max_equality(large, [left, right])
        model.add_min_equality(small, [left, right])
        model.add_modulo_equality(rest, large, small)
        for name, chosen in rules[equation.op].items():
            if name in GROUP:
                shift = int(name[3:] or 0)
                if side:
                    model.add(chosen == 0)
                else:
                    model.add((left + right if GROUP[name] == "add" else product) + shift == z).only_enforce_if(chosen)
            elif name == "mod":
                model.add(rest == z).only_enforce_if(chosen) if side == 0 else model.add(chosen == 0)
            else:
                model.add(gap == z).only_enforce_if(chosen)
                signed = {"sub": (left - right, 1), "rsub": (right - left, 2)}
                if name in signed and side in (0, signed[name][1]):
                    difference = signed[name][0]
                    bound = difference >= 0 if side == 0 else difference <= -1
                    model.add(bound).only_enforce_if(chosen)
                elif name == "abs" and side == 0:
                    pass
                elif name in ("negabs", "absneg") and side == 0:
                    model.add(gap == 0).only_enforce_if(chosen)
                elif (name, side) in (("negabs", 1), ("absneg", 2)):
                    model.add(gap >= 1).only_enforce_if(chosen)
                else:
                    model.add(chosen == 0)

    def answer(values, chosen):
        if query.op in joined:
            spelled = [e for e in row.examples if e.op == query.op]
            return (
                query.left + query.right
                if all(e.output == e.left + e.right for e in spelled)
                else query.right + query.left
            )
        rule = chosen[query.op]
        if rule in ("join", "swap"):
            return query.left + query.right if rule == "join" else query.right + query.left
        x, y = (int("".join(str(values[glyph]) for glyph in text[::turn])) for text in (query.left, query.right))
        magnitude, side = _output(rule, x, y)
        spelled = {str(digit): glyph for glyph, digit in values.items()}
        text = [spelled.get(c) for c in str(magnitude)[::turn]]
        if None in text:
            return None
        return (query.op if side == 1 else "") + "".join(text) + (query.op if side == 2 else "")

    collector = _Collector(digits, rules, answer)
    solver = cp_model.CpSolver()
    solver.parameters.enumerate_all_solutions = True
    solver.parameters.num_workers = 1
    solver.solve(model, collector)
    return collector.found
