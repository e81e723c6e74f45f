"""How often each regime, mode and rule is drawn: the generators' parameters, and their fit from generated rows.

A prior is a plain dict (JSON): {"canonical": share of rows whose operators are + - *, and per regime
{"flip": share, "join": {operator glyph or "any": share of joins}, "swap": {mode: share of swapped joins among joins},
"rules": {mode: {group: {rule name: share}}}}}. The generators draw from such a dict, `fit_prior` estimates one from
rows whose hidden rule is known, and the solvers weigh configurations with it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from math import perm
from typing import Any

from common.errors import LabError
from puzzles.equations.rules import BY_NAME, MODES, VALUE_RULES, Rule

Prior = Mapping[str, Any]
REGIMES = ("canonical", "scrambled")
# The literal signs and the group that each stands for in a canonical row (unless it is a join).
SIGN_GROUPS = {"+": "add", "-": "sub", "*": "mul"}
SIGNS = tuple(SIGN_GROUPS)

# What each family's rows look like: shares inside a group for plain, +1 and -1, shares of differences per mode. A
# literal '-' is written in front, so canonical rows have no rule with a trailing minus; scrambled flip rows have hardly
# any with a leading one but flip_sub. Joins are mostly swapped in flip rows (joined from the values, then reversed).
_SHAPES: dict[bool, dict[str, Any]] = {
    False: {
        "canonical": 0.335,
        "flip": {"canonical": 0.98, "scrambled": 0.5},
        "join": {"canonical": {"+": 0.2, "-": 0.02, "*": 0.2}, "scrambled": {"any": 0.14}},
        "swap": {"canonical": {"normal": 0.05, "flip": 0.85}, "scrambled": {"normal": 0.05, "flip": 0.75}},
        "add": {"canonical": (0.47, 0.29, 0.24), "scrambled": (0.59, 0.22, 0.19)},
        "mul": {"canonical": (0.45, 0.31, 0.24), "scrambled": (0.57, 0.22, 0.21)},
        "sub": {
            "canonical": {mode: {"sub": 0.4, "abs": 0.19, "negabs": 0.22, "mod": 0.19} for mode in MODES},
            "scrambled": {
                "normal": {"sub": 0.42, "abs": 0.2, "negabs": 0.2, "mod": 0.18},
                "flip": {"sub": 0.33, "rsub": 0.2, "abs": 0.16, "negabs": 0.02, "absneg": 0.15, "mod": 0.14},
            },
        },
    },
    True: {
        "canonical": 0.6,
        "flip": {"canonical": 0.44, "scrambled": 0.36},
        "join": {"canonical": {"+": 0.21, "-": 0.02, "*": 0.19}, "scrambled": {"any": 0.08}},
        "swap": {"canonical": {"normal": 0.04, "flip": 0.65}, "scrambled": {"normal": 0.04, "flip": 0.6}},
        "add": {"canonical": (0.56, 0.23, 0.21), "scrambled": (0.84, 0.08, 0.08)},
        "mul": {"canonical": (0.59, 0.17, 0.24), "scrambled": (0.84, 0.09, 0.07)},
        "sub": {
            "canonical": {mode: {"sub": 0.58, "abs": 0.15, "negabs": 0.18, "mod": 0.09} for mode in MODES},
            "scrambled": {
                "normal": {"sub": 0.6, "abs": 0.14, "negabs": 0.16, "mod": 0.1},
                "flip": {"sub": 0.4, "rsub": 0.24, "abs": 0.16, "negabs": 0.03, "absneg": 0.09, "mod": 0.08},
            },
        },
    },
}


def default_prior(hidden: bool) -> dict[str, Any]:
    """The shares of the numeric (`hidden` False) and of the glyph family (True), after the published counts."""
    shape = _SHAPES[hidden]
    prior: dict[str, Any] = {"canonical": shape["canonical"], "regimes": {}}
    for regime in REGIMES:
        table: dict[str, dict[str, dict[str, float]]] = {}
        for mode in MODES:
            head = "flip_" if mode == "flip" else ""
            table[mode] = {
                group: dict(
                    zip((head + group, f"{head}{group}+1", f"{head}{group}-1"), shape[group][regime], strict=True)
                )
                for group in ("add", "mul")
            }
            table[mode]["sub"] = {head + name: share for name, share in shape["sub"][regime][mode].items()}
        prior["regimes"][regime] = {
            "flip": shape["flip"][regime],
            "join": dict(shape["join"][regime]),
            "swap": dict(shape["swap"][regime]),
            "rules": table,
        }
    return prior


GLYPH_PRIOR = default_prior(hidden=True)


def fit_prior(problems: Iterable[Mapping[str, Any]], smoothing: float = 1.0) -> dict[str, Any]:
    """Estimate a prior from hidden rules: mappings with "regime", "mode" and "operators" (all three of a row).

    `smoothing` pseudo-counts are added to every cell. Raises LabError when there is no row or a rule is unknown.
    """
    regimes: Counter[str] = Counter()
    flips: Counter[str] = Counter()
    joins: Counter[tuple[str, str, bool]] = Counter()
    swaps: Counter[tuple[str, str, bool]] = Counter()
    values: Counter[tuple[str, str]] = Counter()
    for number, rule in enumerate(problems):
        try:
            regime, mode, operators = rule["regime"], rule["mode"], rule["operators"]
            regimes[regime] += 1
            flips[regime] += mode == "flip"
            for glyph, name in operators.items():
                found = BY_NAME[name]
                joins[regime, glyph if regime == "canonical" else "any", found.is_join] += 1
                if found.is_join:
                    swaps[regime, mode, name == "join_swap"] += 1
                else:
                    values[regime, name] += 1
        except KeyError as error:
            raise LabError(f"no such entry or rule: {error}", row=number, field="rule") from error
    if not regimes:
        raise LabError("no row to fit a prior on", field="rule")

    def share(hit: float, miss: float) -> float:
        return (hit + smoothing) / (hit + miss + 2 * smoothing)

    fitted: dict[str, Any] = {"canonical": share(regimes["canonical"], regimes["scrambled"]), "regimes": {}}
    for regime in REGIMES:
        table: dict[str, dict[str, dict[str, float]]] = {mode: {} for mode in MODES}
        for mode in MODES:
            for group in ("add", "sub", "mul"):
                names = [r.name for r in VALUE_RULES if r.mode == mode and r.group == group]
                total = sum(values[regime, name] + smoothing for name in names)
                table[mode][group] = {name: (values[regime, name] + smoothing) / total for name in names}
        glyphs = SIGNS if regime == "canonical" else ("any",)
        fitted["regimes"][regime] = {
            "flip": share(flips[regime], regimes[regime] - flips[regime]),
            "join": {g: share(joins[regime, g, True], joins[regime, g, False]) for g in glyphs},
            "swap": {mode: share(swaps[regime, mode, True], swaps[regime, mode, False]) for mode in MODES},
            "rules": table,
        }
    return fitted


def falling(n: int, k: int) -> int:
    """n (n-1) ... (n-k+1): the number of ordered draws of k out of n."""
    return perm(n, k) if 0 <= k <= n else 0


def regime_shares(prior: Prior, glyphs: Iterable[str], pool: int) -> dict[str, float]:
    """P(regime and these operator glyphs): canonical rows draw them from + - *, scrambled ones from `pool` glyphs."""
    glyphs = tuple(glyphs)
    canonical = all(glyph in SIGNS for glyph in glyphs) and len(glyphs) <= 3
    return {
        "canonical": prior["canonical"] / falling(3, len(glyphs)) if canonical else 0.0,
        "scrambled": (1 - prior["canonical"]) / (falling(pool, len(glyphs)) or 1),
    }


def rule_share(prior: Prior, regime: str, mode: str, glyph: str, rule: Rule) -> float:
    """P(this operator has this rule | regime, mode), but for the assignment of groups, which `group_share` weighs."""
    shares = prior["regimes"][regime]
    join = shares["join"].get(glyph, shares["join"].get("any", 0.0))
    if rule.is_join:
        return join * (shares["swap"][mode] if rule.name == "join_swap" else 1 - shares["swap"][mode])
    if rule.mode != mode or (regime == "canonical" and rule.group != SIGN_GROUPS.get(glyph)):
        return 0.0
    return (1 - join) * shares["rules"][mode][rule.group].get(rule.name, 0.0)


def group_share(regime: str, groups: Iterable[str]) -> float:
    """P(these groups | which operators are not joins): no two of a row share one."""
    values = [group for group in groups if group != "join"]
    if len(set(values)) < len(values):
        return 0.0
    return 1.0 if regime == "canonical" else 1.0 / falling(3, len(values))
