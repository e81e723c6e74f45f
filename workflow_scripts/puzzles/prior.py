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
from puzzles.rules import BY_NAME, MODES, VALUE_RULES, Rule

Prior = Mapping[str, Any]
REGIMES = ("canonical", "scrambled")
# The literal signs and the group that each stands for in a canonical row (unless it is a join).
SIGN_GROUPS = {"+": "add", "-": "sub", "*": "mul"}
SIGNS = tuple(SIGN_GROUPS)

# Shares inside a group. Sums and products double the plain rule; a literal '-' is always written in front, so
# canonical rows have no rule with a trailing minus, and scrambled flip rows none with a leading one but flip_sub.
_PLAIN = {"": 0.54, "+1": 0.235, "-1": 0.225}
_DIFFERENCES = {
    ("canonical", "normal"): {"sub": 0.31, "abs": 0.23, "negabs": 0.23, "mod": 0.23},
    ("canonical", "flip"): {"sub": 0.31, "abs": 0.23, "negabs": 0.23, "mod": 0.23},
    ("scrambled", "normal"): {"sub": 0.31, "abs": 0.23, "negabs": 0.23, "mod": 0.23},
    ("scrambled", "flip"): {"sub": 0.2, "rsub": 0.2, "abs": 0.2, "negabs": 0.02, "absneg": 0.2, "mod": 0.18},
}


def _shares(regime: str) -> dict[str, dict[str, dict[str, float]]]:
    table: dict[str, dict[str, dict[str, float]]] = {}
    for mode in MODES:
        head = "flip_" if mode == "flip" else ""
        table[mode] = {group: {f"{head}{group}{k}": p for k, p in _PLAIN.items()} for group in ("add", "mul")}
        table[mode]["sub"] = {head + name: p for name, p in _DIFFERENCES[regime, mode].items()}
    return table


def default_prior(hidden: bool) -> dict[str, Any]:
    """What the real rows of the numeric (`hidden` False) or the glyph family (True) look like."""
    return {
        "canonical": 0.6 if hidden else 0.335,
        "regimes": {
            "canonical": {
                "flip": 0.4 if hidden else 0.98,
                "join": {"+": 0.2, "-": 0.02, "*": 0.2},
                "swap": {"normal": 0.1, "flip": 0.6 if hidden else 0.85},
                "rules": _shares("canonical"),
            },
            "scrambled": {
                "flip": 0.36 if hidden else 0.5,
                "join": {"any": 0.15},
                "swap": {"normal": 0.1, "flip": 0.5},
                "rules": _shares("scrambled"),
            },
        },
    }


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
