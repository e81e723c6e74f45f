"""The audit's own measure: every design, every kind of line, every field that something forces, one error at a time."""

import random

import pytest
from told import told

from reasoning.grammar.lines import Line, line
from reasoning.grammar.roles import LEFT_OUT, read_roles
from reasoning.grammar.trace import Box
from reasoning.judging.audit import is_valid
from reasoning.judging.planted_errors import Told, cells, errors, leave_out, plant, wrong_lines
from reasoning.registry import DESIGNS

ROWS = 44


def traces(family: str, name: str) -> list[Told]:
    return [each for _, each in told(family, name, ROWS)[0]]


def test_roles_are_read_and_must_name_every_field_once() -> None:
    found = read_roles("a:TA b:T/V~ c:- line:~", ["a", "b", "c", "verdict"])
    assert (found["a"].first, found["a"].also) == ({"transcription"}, {"arithmetic"})
    assert (found["b"].first, found["b"].may_be_true) == ({"transcription", "verdict"}, True)
    assert found["c"] is None and found["verdict"].first == {"verdict"} and found[LEFT_OUT].may_be_true
    for declared in ("a:T", "a:T b:T b:T", "a:T b:T c:T", "a:T b:X", "a:T b", "a:T b:~"):
        with pytest.raises(TypeError, match="ROLES"):
            read_roles(declared, ["a", "b"])
    with pytest.raises(TypeError, match="Bare: ROLES must name every field but the verdict once: n"):

        @line
        class Bare(Line):
            KIND = "test/bare"
            TEXT = "{n}"
            n: int


@pytest.mark.parametrize(("family", "name"), sorted(DESIGNS))
def test_one_error_is_caught_on_its_axis_and_nothing_else_is_marked(family: str, name: str) -> None:
    """At least one error in every field of every kind of line that these rows have, and in every verdict."""
    rows = traces(family, name)
    kinds = {each.KIND for row in rows for each in row.lines} - {Box.KIND}
    if not kinds:
        pytest.skip("the design writes no lines")
    places = {(row.lines[number].KIND, field) for row in rows for number, field in cells(row.lines)}
    found = list(errors(rows, 2 * len(places), random.Random(1)))
    missed = [each for each in found if not (each.caught or each.true)]
    marked = [each for each in found if each.others]
    print(
        f"{family}/{name}: {len(found)} errors in {len(kinds)} kinds, {len(missed)} missed, {len(marked)} with others"
    )
    assert {each.kind for each in found} >= {kind for kind, field in places if field != LEFT_OUT}
    assert sum(each.true for each in found) <= 0.1 * len(found)
    assert len(missed) <= 0.01 * len(found), missed[:3]
    assert len(marked) <= 0.01 * len(found), marked[:3]


def test_the_measure_sees_an_audit_that_misses(monkeypatch) -> None:
    """With a check switched off the errors of its fields count as missed; a check that is too strict counts as well."""
    rows = traces("numeral", "forward")
    take = type(rows[0].lines[0])
    number = next(i for i, each in enumerate(rows[0].lines) if isinstance(each, take))
    wrong = next(wrong_lines(rows[0].lines[number], "after", rows[0].alphabet, random.Random(0)))
    assert take.roles["after"].first == {"arithmetic"}
    assert plant(rows[0], number, wrong, "after").caught
    monkeypatch.setattr(take, "arithmetic", lambda self, page: True)
    assert not plant(rows[0], number, wrong, "after").caught
    monkeypatch.setattr(take, "arithmetic", lambda self, page: False)
    assert plant(rows[0], number, wrong, "after").others and not is_valid(rows[0].audit(rows[0].lines))


def test_a_line_that_nothing_reads_is_no_error_when_left_out() -> None:
    rows = [each for each in traces("equation_numeric_deduce", "forward") if len(each.lines) > 3]
    found = [leave_out(row, number) for row in rows for number in range(len(row.lines) - 1)]
    assert None in found and any(each is not None and each.caught for each in found)
