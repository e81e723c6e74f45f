"""What forces each field of a line, and on which axis an error in the field belongs.

A kind of line declares it in ROLES, one `field:axes` per field, such as "number:T x:TA rule:T/A~ guess:-". The axes are
T (transcription), A (arithmetic) and V (verdict):

    TA     an error in the field fails on T. It may also fail on A, because the line computes with the field.
    T/A    an error fails on T, or on A, or on both: a rule's name says how operands are read and what they give.
    T~     as T, but another value can be as true, such as another example that shows the same. ~ goes with any axes.
    -      nothing on the page forces the field: a free choice, a guess, or a claim without evidence.

A verdict is not listed: FORCED_BY says what forces it. `line` stands for the line as a whole. Without an entry, other
lines build on it, so that leaving it out is an error. `line:~` says that later lines may do without it, `line:-` that
they always can.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

AXES_OF_LETTERS = {"T": "transcription", "A": "arithmetic", "V": "verdict"}
LEFT_OUT = "line"
_ENTRY = re.compile(r"(\w+):([TAV]+~?|[TAV](?:/[TAV])+~?|-|~)")


@dataclass(frozen=True)
class Role:
    """Where the error of a field belongs: on one of `first`, perhaps also on `also`."""

    first: frozenset[str]
    also: frozenset[str]
    may_be_true: bool


def read_roles(declared: str, fields: Iterable[str]) -> Mapping[str, Role | None]:
    """Field -> its role, None for a field that nothing forces; with LEFT_OUT, and the verdict where there is one.

    Raises TypeError unless every field but the verdict has exactly one entry.
    """
    found: dict[str, Role | None] = {LEFT_OUT: Role(frozenset({"structure"}), frozenset(), False)}
    named = []
    for each in declared.split():
        match = _ENTRY.fullmatch(each)
        if match is None or (match[2] == "~" and match[1] != LEFT_OUT):
            raise TypeError(f"ROLES: {each!r} is not field:axes, such as x:TA, rule:T/A~ or guess:-")
        name, axes = match.groups()
        named.append(name)
        if axes == "-":
            found[name] = None
        elif axes == "~":
            found[name] = Role(frozenset({"structure"}), frozenset(), True)
        else:
            letters = axes.rstrip("~")
            first = letters.split("/") if "/" in letters else letters[:1]
            on = frozenset(AXES_OF_LETTERS[c] for c in first)
            also = frozenset(AXES_OF_LETTERS[c] for c in letters if c != "/") - on
            found[name] = Role(on, also, axes.endswith("~"))
    fields = set(fields)
    wanted = fields - {"verdict"}
    if sorted(set(named) - {LEFT_OUT}) != sorted(wanted) or len(named) != len(set(named)):
        raise TypeError(f"ROLES must name every field but the verdict once: {' '.join(sorted(wanted))}")
    if "verdict" in fields:
        found["verdict"] = Role(frozenset({"verdict"}), frozenset(), False)
    return found
