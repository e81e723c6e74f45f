"""What forces every field of every kind of line, and on which axis its error belongs.

    T A V      on transcription, arithmetic or verdict; further letters are axes that may fail as well, because the
               line also computes or concludes with the field: `TA` is an operand
    T/A        on at least one of these: a rule's name decides how operands are read and what they give
    T~         the same, but another value can be as true (another example that shows the same, a rule that gives the
               same value)
    B          nothing on the page forces the field, what the row hides does: a bare claim, judged by the mark `true`
    b          the same, but only of a line that rests on what no line has written (`is_bare` of its kind)
    -          nothing forces the field: a free choice, a guess, the reason named for a claim

`line` is the line as a whole: others build on it, so that it cannot be left out, unless it says `~` (the later lines
may do without) or `-` (always). A verdict is forced by what its kind names in FORCED_BY.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

LETTERS = {"T": "transcription", "A": "arithmetic", "V": "verdict", "B": "true", "b": "true"}
LEFT_OUT = "line"
INVENTED = "premises"

ROLES: Mapping[str, str] = {
    "anchor/anchor": "number:AT~ count:A",
    "anchor/attempt": "k:T x:TA y:TA value:A pairs:T/A",
    "anchor/completion": "number:TA x:TA y:TA value:AV target:TV pairs:V",
    "anchor/keep": "k:T",
    "anchor/map": "pairs:T",
    "anchor/narrowed": "number:TV left:T right:T target:T pairs:V",
    "anchor/operator": "op:TB number:T~ length:T rule:B/V",
    "anchor/order": "mode:T",
    "anchor/reject": "k:T",
    "anchor/sizes": "a:A b:A small:A c:A d:A large:A",
    "anchor/spaced": "number:T text_:T",
    "anchor/stop": "k:T chosen:-",
    "anchor/verify": "number:TAV x:TA y:TA value:AV",
    "bits/answer": "byte:T",
    "bits/apply": "byte:TA gate:TA taps:TA made:A",
    "bits/bases": "taps:-",
    "bits/by-bit": "steps:A/T",
    "bits/candidate": "rule:T/A~ column:AV line:~",
    "bits/column": "side:T p:T column:T",
    "bits/fill": "entries:TV",
    "bits/guess": "i:T/A~ gate:A taps:A~ made:AV wanted:TV",
    "bits/head": "tap:A residuals:AV",
    "bits/lock": "taps:TA table:TA~",
    "bits/near": "i:AT k:AT given:A made:A",
    "bits/out": "j:T rule:TA values:TA bit:A",
    "bits/peel-verify": "i:T given:TA head:A rest:A made:AV wanted:TV",
    "bits/query": "byte:TA values:A/T",
    "bits/recall": "row:T distance:A changes:TA",
    "bits/rest": "taps:- table:-",
    "bits/rule": "taps:- table:-",
    "bits/scan": "how:- j:T~ wanted:T",
    "bits/select": "j:T wanted:TV rule:A~ column:AV",
    "bits/skip": "n:-",
    "bits/stride": "rules:A/T~",
    "bits/test": "i:T given:TA values:A/T made:AV wanted:TV",
    "bits/tier": "head:TV",
    "bits/together": "tap:TA head:A rest:TA made:A",
    "bits/verify": "i:T given:TA made:AV wanted:TV",
    "bits/view": "i:A/T~ values:A wanted:T",
    "bits/walk": "j:TV~ wanted:TV rule:A~ column:AV",
    "box": "answer:T",
    "catalog/active": "op:AT families:A",
    "catalog/anchor": "number:V",
    "catalog/at": "path:T~ number:TA rule:A~ pairs:T/A",
    "catalog/branch": "k:A rule:A x:A y:A value:A",
    "catalog/fit": "number:T count:TV",
    "catalog/group": "op:T group:T owner:T line:~",
    "catalog/leave": "path:T",
    "catalog/order": "numbers:V",
    "catalog/scan": "number:T rule:A/T~ x:A/T/V y:A/T/V value:AV target:TV",
    "catalog/signature": "number:TA~ letters:T length:T side:T count:A",
    "chain/assemble": "rule:- pairs:- line:~",
    "chain/case": "why:T claim:- line:~",
    "chain/dead": "what:- claim:TB line:~",
    "chain/drop": "step:T op:T/B~ rules:T/B~ line:~",
    "chain/last-resort": "output:T line:~",
    "chain/leaves": "claim:TB what:- count:- line:~",
    "chain/only": "step:T op:T/B~ rules:T/B~ line:~",
    "chain/order": "step:T mode:T/B~ op:- line:~",
    "chain/pin": "step:T letter:T/B~ digit:T/B~ why:- line:~",
    "chain/resolved": "op:T rule:T pairs:T line:~",
    "chain/rules": "pairs:T line:~",
    "chain/split": "a:T/B~ b:T/B~ line:~",
    "chain/stall": "step:T what:T line:~",
    "chain/survives": "claim:T line:~",
    "cipher/absent": "letter:T~",
    "cipher/answer": "words:T",
    "cipher/decode": "code:T seen:T",
    "cipher/pair": "code:TA plain:TA letters:A",
    "cipher/recall": "code:TAV seen:TAV word:AV letters:A",
    "column/branch": "glyph:- digits:T",
    "column/branch-end": "glyph:TB digit:T/V/B~ place:-",
    "column/division": "number:TV product:TA known:TA other:AV pairs:V",
    "column/lead": "number:T~ glyph:T digit:A/T",
    "column/pin": "number:A/T/V column:A/T/V larger:A/T/V~ work:A glyph:T/A/V digit:V/T/A",
    "column/value": "number:TAV x:TA y:TA value:AV pairs:V",
    "crypt/add": "x:TA y:TA units:A tens:A total:A",
    "crypt/add-test": "number:T flip:T~ x:TA y:TA units:A tens:A total:AV target:TV line:~",
    "crypt/bet": "op:T groups:TV rule:V",
    "crypt/check": "number:T flip:T~ group:A/V~ x:TA y:TA value:AV target:TV line:~",
    "crypt/counts": "counts:AV",
    "crypt/decode": "number:T pairs:T",
    "crypt/decode-query": "pairs:T",
    "crypt/encode": "value:TV pairs:TV",
    "crypt/join-query": "how:TA left:TA right:TA output:A",
    "crypt/join-test": "number:T joined:TV swapped:TV output:TV",
    "crypt/left": "glyphs:T digits:T",
    "crypt/lookup": "ops:TV op:TV numbers:V line:~",
    "crypt/mod": "x:TA y:TA product:A rest:A",
    "crypt/mod-test": "number:T flip:T~ x:TA y:TA product:A rest:AV target:TV line:~",
    "crypt/mul": "x:TA y:TA tens:A ones:A total:A",
    "crypt/mul-test": "number:T flip:T~ x:TA y:TA tens:A ones:A total:AV target:TV line:~",
    "crypt/offset": "total:TA offset:TA value:A",
    "crypt/pin": "why:A glyph:T/A value:T/A",
    "crypt/query-value": "group:TA x:TA y:TA value:A",
    "crypt/read-off": "number:TA value:AV target:TV pairs:V",
    "crypt/reflect": "failed:T n:T number:T k:T",
    "crypt/reverse": "left:TA right:TA x:A y:A",
    "crypt/reverse-result": "value:TA printed:A",
    "crypt/row": "n:T number:TA k:A rule:T/A x:TA y:TA value:TA pairs:T/A",
    "crypt/rule": "op:T rule:T",
    "crypt/sign": "base:TV order:TV total:TV value:V",
    "crypt/sign-check": "number:T~ base:TA order:TA side:AV found:TV",
    "crypt/signs": "flip:TV cases:TV",
    "crypt/step": "expression:A~",
    "crypt/sub": "x:TA order:A y:TA units:A tens:A total:A",
    "crypt/sub-test": "number:T flip:T~ x:TA order:A y:TA units:A tens:A total:AV target:TV line:~",
    "crypt/try": "glyph:- value:T~",
    "crypt/undetermined": "what:T of:T",
    "crypt/undo": "n:T number:T k:T",
    "crypt/unseen": "op:T",
    "equation/bet": "op:T mode:T~ rule:-",
    "equation/difference": "x:TA y:TA value:A",
    "equation/example": "i:T left:T op:T right:T target:T",
    "equation/join-result": "rule:T answer:T",
    "equation/join-test": "rule:T~ printed:TV target:TV",
    "equation/lock": "op:VT mode:V rule:V",
    "equation/product": "x:TA y:TA tens:A ones:A value:A",
    "equation/query": "left:T op:T right:T",
    "equation/read": "mode:T~ x:TV y:TV",
    "equation/remainder": "large:T small:TA large_again:TA multiple:A value:A",
    "equation/result": "rule:TA value:A answer:A",
    "equation/shape": "target:TA digits:AV sign:AV",
    "equation/sum": "x:TA y:TA value:A",
    "equation/test": "rule:T/A~ value:A printed:AV target:TV",
    "gravity/example": "i:T t:TA t_cents:A d:TA d_cents:A query:TA query_cents:A",
    "gravity/square": "which:T t:TA u:TA hundreds:A tens:A both:A ones:A square:A",
    "letters/digits": "pairs:T",
    "letters/disjoint": "digits:TV ops:TV",
    "letters/form": "number:T form:T",
    "letters/given": "pairs:T",
    "letters/operators": "pairs:T",
    "letters/query-form": "form:T",
    "letters/regime": "ops:TV line:~",
    "letters/scan": "number:T places:T output:T",
    "letters/sets": "digits:T ops:T",
    "numeral/take": "before:TAV value:AV after:A symbol:TA so_far:T",
    "proportion/divide": "dividend:TA taken:TA left:AV digit:T",
    "proportion/multiply": "digit:T shifted:TA part:TA total:A",
    "proportion/round": "kept:TA dropped:TA answer:A",
    "proportion/slope": "slope:T",
    "proportion/table": "which:T multiples:AT",
    "slate/end": "k:T mode:T place:TV",
    "slate/key": "k:T mode:T",
    "study/bad": "number:T",
    "study/check": "number:T rule:TA x:TA y:TA value:AV expected:TV",
    "study/choose": "letter:T/B~ digits:T/B~",
    "study/collision": "letter:T~ digit:V other:T digit2:TV",
    "study/compare": "op:T rule:A/T~ number:T x:TA y:TA value:AV target:TV",
    "study/cue": "op:T~ shape:TV",
    "study/distinct": "digits:TV",
    "study/drop": "op:T/B~ rules:T/B~ line:-",
    "study/exhausted": "letter:T tried:T",
    "study/excluded": "number:T output:T target:TV rule:TA x:TA y:TA value:AV",
    "study/map": "pairs:T",
    "study/no-pass": "count:T",
    "study/no-zero": "letters:T",
    "study/pass": "mode:- rules:- line:-",
    "study/pass-dead": "what:-",
    "study/pin-lead": "number:T~ letter:T digit:AT",
    "study/pin-sole": "letter:T gone:- letter2:TB digit:T/B~",
    "study/pin-units": "number:T/A/V rule:A/V work:AV letter:T/A/V digit:T/A/V",
    "study/pin-value": "number:TV rule:A/T/V~ x:TA y:TA value:AV letter:V/T/A digit:V/T/A",
    "study/rules": "pairs:T~",
    "study/take": "letter:- digit:-",
    "study/try": "letter:TB digit:TB consequence:- tried:T",
    "study/try-counted": "count:T letter:TB digit:TB consequence:- tried:T",
    "study/undo": "letter:T",
    "study/verify": "number:T output:T target:TV rule:TA x:TA y:TA value:AV",
    "study/without": "count:T number:T consequence:-",
    "unit/example": "i:T x:TA x_cents:A y:TA y_cents:A query:TA query_cents:A",
    "witness/among": "step:T letter:T/B~ digits:T/B~ line:-",
    "witness/copy": "step:T number:T rule:TA x:TA y:TA value:TA pairs:T line:~",
    "witness/each": "step:T letter:TAb candidates:ATVb number:TA rule:AT~ work:T/A/V hits:V/b line:~",
    "witness/group": "step:T other:T group:TV op:T~ mine:V/T~ line:~",
    "witness/left": "step:T letter:Tb~ candidates:TAb taken:TA hits:A line:~",
    "witness/ones": "step:T op:T rule:A/T/V/b~ number:T/A/V/b~ work:A/T/V/b~ target:T/V/b~ line:~",
    "witness/order": "step:T mode:T op:T~ count:TV line:~",
    "witness/range": "step:T op:T families:A/T low:AV high:AV number:T~ least:TV most:T line:~",
    "witness/sign": "step:T op:T families:A/T sides:AV number:T/A~ found:TV line:~",
    "witness/units": "step:T letter:T/A/V/b candidates:ATVb number:AT rule:AT work:AV target:TV hits:V line:~",
    "witness/value": "step:T op:T rule:T/A~ number:T x:TA y:TA value:AV target:TV line:~",
}


@dataclass(frozen=True)
class Role:
    """Where the error of a field belongs: on one of `first`, perhaps also on `also`. claim: a bare claim as it is."""

    first: frozenset[str]
    also: frozenset[str]
    may_be_true: bool
    claim: bool = False


@cache
def roles(kind: str) -> Mapping[str, Role | None]:
    """Field -> role of a kind of line; None for a field that nothing forces."""
    found: dict[str, Role | None] = {
        "verdict": Role(frozenset({"verdict"}), frozenset(), False),
        LEFT_OUT: Role(frozenset({"structure"}), frozenset(), False),
        INVENTED: Role(frozenset(LETTERS.values()), frozenset(), True),
    }
    for each in ROLES.get(kind, "").split():
        name, _, spec = each.partition(":")
        if name == LEFT_OUT:
            found[name] = replace(found[name], may_be_true=True) if spec == "~" else None
            continue
        letters = spec.rstrip("~")
        first = letters.split("/") if "/" in letters else letters[:1]
        axes = frozenset(LETTERS[c] for c in first if c in LETTERS)
        also = frozenset(LETTERS[c] for c in letters if c in LETTERS) - axes
        found[name] = Role(axes, also, spec.endswith("~"), "B" in first) if axes else None
        if "true" in axes | also and axes:  # a claim may lie in the verdict itself
            found["verdict"] = replace(found["verdict"], also=frozenset({"true"}))
    return found


@cache
def is_bare(kind: str) -> bool:
    """Does the kind have a field that nothing on the page forces?"""
    return claims(kind) or any(role is None for name, role in roles(kind).items() if name != LEFT_OUT)


@cache
def claims(kind: str) -> bool:
    """Does every line of the kind claim something that only what the row hides can tell?"""
    return any(role is not None and role.claim for role in roles(kind).values())


@cache
def may_claim(kind: str) -> bool:
    """May a line of the kind be held to what the row hides?"""
    marks = [role.first | role.also for name, role in roles(kind).items() if role is not None and name != INVENTED]
    return any("true" in each for each in marks)
