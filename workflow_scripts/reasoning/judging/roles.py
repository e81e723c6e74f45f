"""What forces every field of every kind of line, and on which axis its error belongs.

    T A V      on transcription, arithmetic or verdict; further letters are axes that may fail as well, because the
               line also computes or concludes with the field: `TA` is an operand
    T/A        on at least one of these: a rule's name decides how operands are read and what they give
    T~         the same, but another value can be as true (another example that shows the same, a rule that gives the
               same value)
    -          nothing on the page forces the field: a free choice, a guess or a bare claim

`line` is the line as a whole: others build on it, so that it cannot be left out, unless it says `~` (the later lines
may do without) or `-` (always). A verdict is forced by what its kind names in FORCED_BY.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

LETTERS = {"T": "transcription", "A": "arithmetic", "V": "verdict"}
LEFT_OUT = "line"

ROLES: dict[str, str] = {
    "anchor/anchor": "number:AT~ count:A",
    "anchor/attempt": "k:T x:TA y:TA value:A pairs:T/A",
    "anchor/completion": "number:TA x:TA y:TA value:AV target:TV pairs:V",
    "anchor/keep": "k:T",
    "anchor/map": "pairs:T",
    "anchor/narrowed": "number:T count:T pairs:TV",
    "anchor/operator": "op:T number:TV~ length:T rule:-",
    "anchor/order": "mode:T",
    "anchor/reject": "k:T",
    "anchor/sizes": "a:A b:A small:A c:A d:A large:A",
    "anchor/spaced": "number:T text_:T",
    "anchor/stop": "k:T chosen:-",
    "anchor/verify": "number:TAV x:TA y:TA value:AV",
    "anchor/way": "number:T/A pairs:T x:TA y:TA value:AV target:TV",
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
    "chain/dead": "what:- claim:T line:~",
    "chain/drop": "step:T op:- rules:- line:~",
    "chain/families": "step:T op:- mode:- families:- line:~",
    "chain/last-resort": "output:T line:~",
    "chain/only": "step:T op:- rules:- line:~",
    "chain/order": "step:T mode:- op:- line:~",
    "chain/pin": "step:T letter:- digit:- why:- line:~",
    "chain/pins": "step:T pairs:- line:~",
    "chain/resolved": "op:T rule:T pairs:T line:~",
    "chain/rules": "pairs:T line:~",
    "chain/split": "a:T~ b:T~ line:~",
    "chain/stall": "step:T what:T line:~",
    "chain/survives": "claim:T line:~",
    "cipher/absent": "letter:T~",
    "cipher/answer": "words:T",
    "cipher/decode": "code:T seen:T",
    "cipher/pair": "code:TA plain:TA letters:A",
    "cipher/recall": "code:TAV seen:TAV word:AV letters:A",
    "column/branch": "glyph:- digits:T",
    "column/branch-end": "glyph:T digit:- place:-",
    "column/division": "number:TV product:TA known:TA other:AV pairs:V",
    "column/lead": "number:T~ glyph:T digit:A/T",
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
    "crypt/row-back": "n:T number:T k:T",
    "crypt/row-step": "n:T number:T/A k:TA rule:T/A x:TA y:TA value:TA pairs:T/A counts:AV",
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
    "fact/factors": "number:T/V value:TA pairs:AV sets:VT",
    "fact/left": "glyph:T digits:TV again:T digit:V",
    "fact/no-zero": "glyphs:T",
    "fact/one": "number:T/V fact:T/V formula:T sets:VT",
    "fact/two": "number:T/V fact:T/V formula:T other:T/V other_fact:T/V other_formula:T sets:VT",
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
    "narrow/example": "step:T number:T/A sets:A/T line:~",
    "narrow/no-zero": "step:T letters:T line:~",
    "numeral/take": "before:TAV value:AV after:A symbol:TA so_far:T",
    "pin/column": "step:T number:T/A/V~ rule:T/A/V column:A/T/V work:A letter:T/A/V digit:A/V line:~",
    "pin/copy": "step:T number:T rule:T/A x:TA y:TA value:AV target:TV pairs:VT line:~",
    "pin/inverse": "step:T number:T rule:T/A value:TA side:T/A known:TA other:AV target:TV pairs:VT line:~",
    "pin/last": "step:T letter:T candidates:TV taken:TV letter_again:T digit:V line:~",
    "pin/lead": "step:T number:T~ op:T letter:T digit:A line:~",
    "pin/place": "step:T sets:TV letter:V/T digit:V line:~",
    "pin/reading": "step:T number:T/A/V rule:T/A/V sets:T/V work:A/T/V pairs:VT line:~",
    "pin/units": "step:T number:T/A/V rule:T/A/V first:TA second:TA work:AV target:TV letter:T/V digit:V line:~",
    "proportion/divide": "dividend:TA taken:TA left:AV digit:T",
    "proportion/multiply": "digit:T shifted:TA part:TA total:A",
    "proportion/round": "kept:TA dropped:TA answer:A",
    "proportion/slope": "slope:T",
    "proportion/table": "which:T multiples:AT",
    "study/bad": "number:T",
    "study/check": "number:T rule:TA x:TA y:TA value:AV expected:TV",
    "study/choose": "letter:- digits:-",
    "study/collision": "letter:T~ digit:V other:T digit2:TV",
    "study/compare": "op:T rule:A/T~ number:T x:TA y:TA value:AV target:TV",
    "study/cue": "op:T~ shape:TV",
    "study/distinct": "digits:TV",
    "study/drop": "op:- rules:- line:-",
    "study/excluded": "number:T output:T target:TV rule:TA x:TA y:TA value:AV",
    "study/exhausted": "letter:T tried:T",
    "study/map": "pairs:T",
    "study/no-pass": "count:T",
    "study/no-zero": "letters:T",
    "study/pass": "mode:- rules:- line:-",
    "study/pass-dead": "what:-",
    "study/pin-lead": "number:T~ letter:T digit:AT",
    "study/pin-sole": "letter:T gone:- letter2:T digit:-",
    "study/pin-units": "number:T/A/V rule:A/V work:AV letter:T/A/V digit:T/A/V",
    "study/pin-value": "number:TV rule:A/T/V~ x:TA y:TA value:AV letter:V/T/A digit:V/T/A",
    "study/rules": "pairs:T~",
    "study/take": "letter:- digit:-",
    "study/try": "letter:T digit:T consequence:- tried:T",
    "study/try-counted": "count:T letter:T digit:T consequence:- tried:T",
    "study/undo": "letter:T",
    "study/verify": "number:T output:T target:TV rule:TA x:TA y:TA value:AV",
    "study/without": "count:T number:T consequence:-",
    "try/both": "step:T op:T base:A/T/V~ number:T/A/V~ work:A/T/V target:TV turned:A/T/V turned_target:TV line:~",
    "try/group": "step:T other:T group:TV op:T~ mine:V/T~ line:~",
    "try/mode": "step:T mode:T op:T~ count:TV line:~",
    "try/ones": "step:T op:T rule:A/T/V~ number:T/A/V~ first:TA second:TA work:AV target:TV line:~",
    "try/order": "step:T mode:T op:T tests:A/T/V line:~",
    "try/range": "step:T op:T families:A/T mode:T/A~ number:T~ x0:TA x1:TA y0:TA y1:TA low:AV high:AV"
    " least:TV most:TV line:~",
    "try/readings": "step:T op:T rule:T/A~ number:T/A/V~ sets:TV work:A/T/V line:~",
    "try/sign": "step:T op:T families:A/T sides:AV number:T/A~ found:TV line:~",
    "try/value": "step:T op:T rule:T/A~ number:T x:TA y:TA value:AV target:TV line:~",
    "unit/example": "i:T x:TA x_cents:A y:TA y_cents:A query:TA query_cents:A",
}
"""Of a test with an opening word for each end (reasoning/designs/cryptarithm/lines/drop_lines.py) `try` is listed."""
ROLES |= {
    kind.replace("try/", f"{word}/"): spec
    for kind, spec in ROLES.items()
    if kind.startswith("try/")
    for word in ("not", "may")
}


@dataclass(frozen=True)
class Role:
    """Where the error of a field belongs: on one of `first`, perhaps also on `also`."""

    first: frozenset[str]
    also: frozenset[str]
    may_be_true: bool


@cache
def roles(kind: str) -> Mapping[str, Role | None]:
    """Field -> role of a kind of line; None for a field that nothing forces."""
    found: dict[str, Role | None] = {
        "verdict": Role(frozenset({"verdict"}), frozenset(), False),
        LEFT_OUT: Role(frozenset({"structure"}), frozenset(), False),
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
        found[name] = Role(axes, also, spec.endswith("~")) if axes else None
    return found


@cache
def is_bare(kind: str) -> bool:
    """Does the kind have a field that nothing on the page forces?"""
    return any(role is None for name, role in roles(kind).items() if name != LEFT_OUT)
