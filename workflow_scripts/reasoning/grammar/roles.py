"""What forces each field of a line, and on which axis an error in the field belongs.

A kind of line declares it in ROLES, one `field:axes` per field, such as "number:T x:TA rule:T/A~ guess:-". The axes are
T (transcription), A (arithmetic), V (verdict), and B and b (the mark `true`, of claims without evidence):

    TA     an error in the field fails on T. It may also fail on A, because the line computes with the field.
    T/A    an error fails on T, or on A, or on both: a rule's name says how operands are read and what they give.
    T~     as T, but another value can be as true, such as another example that shows the same. ~ goes with any axes.
    B      nothing on the page forces the field, but what the row hides does: a claim without evidence.
    b      the same, but only of a line that rests on what no line has written (`is_bare` of its kind).
    -      nothing forces the field: a free choice, a guess, the reason named for a claim.

A verdict is listed only where the rest of the line computes with it (VA): FORCED_BY says what forces it. `line` stands
for the line as a whole. Without an entry, other lines build on it, so that leaving it out is an error. `line:~` says
that later lines may do without it, `line:-` that they always can.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

AXES_OF_LETTERS = {"T": "transcription", "A": "arithmetic", "V": "verdict", "B": "true", "b": "true"}
LEFT_OUT, INVENTED = "line", "premises"
_ENTRY = re.compile(r"(\w+):([TAVBb]+~?|[TAVBb](?:/[TAVBb])+~?|-|~)")


@dataclass(frozen=True)
class Role:
    """Where the error of a field belongs: on one of `first`, perhaps also on `also`. claim: a claim in every line."""

    first: frozenset[str]
    also: frozenset[str]
    may_be_true: bool
    claim: bool = False


def read_roles(declared: str, fields: Iterable[str]) -> Mapping[str, Role | None]:
    """Field -> its role, None for a field that nothing forces; with LEFT_OUT, and the verdict where there is one.

    Raises TypeError unless every field but the verdict has exactly one entry.
    """
    found: dict[str, Role | None] = {
        LEFT_OUT: Role(frozenset({"structure"}), frozenset(), False),
        INVENTED: Role(frozenset(AXES_OF_LETTERS.values()), frozenset(), True),
    }
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
            found[name] = Role(on, also, axes.endswith("~"), "B" in first)
    fields = set(fields)
    wanted = fields - {"verdict"}
    if set(named) - {LEFT_OUT} - ({"verdict"} & fields) != wanted or len(named) != len(set(named)):
        raise TypeError(f"ROLES must name every field but the verdict once: {' '.join(sorted(wanted))}")
    if "verdict" in fields and "verdict" not in found:
        # a claim may lie in the verdict itself
        found["verdict"] = Role(frozenset({"verdict"}), frozenset({"true"} if may_claim(found) else ()), False)
    return found


Roles = Mapping[str, Role | None]


def claims(roles: Roles) -> bool:
    """Does every line of the kind claim something that only what the row hides can tell?"""
    return any(role is not None and role.claim for role in roles.values())


def may_claim(roles: Roles) -> bool:
    """May a line of the kind be held to what the row hides?"""
    known = [role for name, role in roles.items() if role is not None and name != INVENTED]
    return any("true" in role.first | role.also for role in known)


def is_open(roles: Roles) -> bool:
    """Does the kind have a field that nothing on the page forces?"""
    return any((role is None or role.claim) for name, role in roles.items() if name != LEFT_OUT)
