"""The study's five bounds, each by an exactly stated definition, the published value beside it."""

import json

import numpy as np
import pandas as pd

from common.artifacts import read_table
from common.config import IN_CONTEXT, USUAL_DECODER
from measuring.evidence import YES
from measuring.inputs import has_key
from measuring.pooling import POOLED
from measuring.stats import wilson
from reasoning.grammar.reveal import RULE_SOURCES
from reasoning.judging.closure import LEVELS, PUBLISHED

NEEDS = (
    "puzzles", "train_puzzles", "solutions", "hypotheses", "published", "arms", "tables/solvers", "tables/accuracy",
    "tables/kinds",
)  # fmt: skip
CAPTION = """Per family with a key and evaluation set. wall: which of the study's five bounds, or ``hit`` (its sixth
number); measure and definition: what is counted; value with n and a 95 % interval (Wilson for n rows, clustered by
row for lines, the middle 95 % of shuffles for a baseline); study: the published value and its n; measured: what an
independent re-measurement on real rows found; why: in what the published number differs, or why it cannot be had
again. Mutual information is the plug-in estimate in nats over all (glyph, digit) pairs of the keys, one pair per
glyph of a row; its baseline shuffles the digits among the glyphs of each row, which keeps both marginals and takes
all that a glyph could tell: an estimate inside its baseline is an estimate of nothing. Both also for as many rows as
the study had, because the estimate grows as rows get fewer."""
CHANGE = """a bound bounds a model only if no arm lies beyond it: an arm whose steps are installed and that lies on
value rows above the forward closures, or whose verdicts on kinds with several outcomes are as right as its arithmetic,
takes a wall down."""
STUDY_ROWS, SHUFFLES = 659, 200
RANKS = (1, 2, 4, 8)
STUDY_KINDS = {"ones": "kill/onesenum", "range": "kill/range", "both": "kill/2mode", "mode": "kill/modekill"}
FOLLOWS = "of the lines that copied and computed rightly so far, the verdict follows from their own numbers"
WHY = {
    "solver": "the study's solver has other rules and a posterior vote; its rows are real ones",
    "ambiguous": "the study does not say what it calls ambiguous",
    "information": "no script was released; for 659 drawn rows shuffled keys alone give .013 to .021",
    "base": "greedy in the model's own words, 7,680 tokens, another backbone",
    "forward": "no released script gives 1 of 659; the published algorithm is `full, given`, which settles 60 of 87",
    "verdict": "the study's kinds can end in one way only, so it scores which line is written, not a comparison",
    "hit": "nothing that computes it was released; its hypotheses seem to be a rule per operator and an order,"
    " ranked by a prior without a model",
}  # fmt: skip


def make(
    puzzles: list[str], train_puzzles: list[str], solutions: list[str], hypotheses: list[str], published: pd.DataFrame,
    arms: pd.DataFrame, solvers: pd.DataFrame, accuracy: pd.DataFrame, kinds: pd.DataFrame,
) -> pd.DataFrame:  # fmt: skip
    """Long form; empty without a family with a key."""
    theirs = published[published.table == "walls"].drop_duplicates(["row", "source"])
    study = theirs[theirs.source.str.startswith("paper")].set_index("row")
    again = theirs[~theirs.source.str.startswith("paper")].set_index("row").value
    unbroken = arms.index[(arms.recipe != IN_CONTEXT) & (arms.corruption == "none")]
    found: list[dict] = []
    for path, solution in zip(puzzles, solutions, strict=True):
        family, eval_set = path.split("/")[-2], path.rpartition("/")[2].removesuffix(".parquet")
        if not has_key(family):
            continue
        who = {"family": family, "eval_set": eval_set}
        train = next(p for p in train_puzzles if f"/{family}/" in p)
        ranks = next(p for p in hypotheses if p.endswith(f"/{family}/{eval_set}.parquet"))
        lines = [
            *of_the_solver(solvers.query("family == @family and eval_set == @eval_set"), solution),
            *of_the_keys(path, solution, train),
            *of_the_base(accuracy.query("family == @family and eval_set == @eval_set")),
            *of_forward_steps(solvers.query("family == @family and eval_set == @eval_set")),
            *of_the_highest(accuracy.query("family == @family and eval_set == @eval_set")),
            *of_verdicts(kinds.query("family == @family and eval_set == @eval_set"), published, unbroken),
            *of_the_ranks(ranks),
        ]
        found += [who | line for line in lines]
    columns = ["family", "eval_set", "wall", "measure", "stratum", "definition", "value", "n", "low", "high", "study",
               "study_n", "measured", "why"]  # fmt: skip
    for line in found:
        row = line.pop("row", "")
        if line["family"] == "cryptarithm_deduce" and row in study.index:
            line |= {"study": study.value[row], "study_n": study.n[row]}
        if line["family"] == "cryptarithm_deduce" and row in again.index:
            line["measured"] = again[row]
    return pd.DataFrame(found).reindex(columns=columns).astype({"why": str, "definition": str})


def share(wall: str, measure: str, stratum: str, definition: str, right: float, n: int, **more) -> dict:
    low, high = wilson(right, n)
    line = {"wall": wall, "measure": measure, "stratum": stratum, "definition": definition, "n": n}
    return line | {"value": right / n if n else np.nan, "low": low, "high": high, "why": ""} | more


def of_the_solver(solvers: pd.DataFrame, solution: str) -> list[dict]:
    found = []
    for row in solvers[solvers.measure == "official"].itertuples():
        told = {"row": "solver_ceiling", "why": WHY["solver"]} if row.stratum == POOLED else {}
        definition = "the answer with the largest posterior is the row's"
        found.append(share("solver", "right", row.stratum, definition, row.value * row.n, row.n, **told))
    posterior = read_table(solution, ["posterior"]).to_pandas().posterior
    definition = "no answer has more than half of the posterior"
    told = {"row": "ambiguous", "why": WHY["ambiguous"]}
    found.append(share("solver", "ambiguous", POOLED, definition, (posterior <= 0.5).sum(), len(posterior), **told))
    return found


def of_the_keys(puzzle: str, solution: str, train: str) -> list[dict]:
    drawn = keys_of(train)[:STUDY_ROWS]
    sets = {"evaluation rows": keys_of(puzzle, solution), f"{len(drawn)} training rows": drawn}
    found = []
    for name, keys in sets.items():
        if not keys:
            continue
        value, shuffled = information(keys)
        told = {"row": "mutual_information_nats", "why": WHY["information"]}
        line = {"wall": "information", "stratum": POOLED, "n": len(keys), "why": ""}
        found.append(
            line | {"measure": f"glyph and digit, {name}", "definition": "plug-in mutual information, nats",
                    "value": value} | told
        )  # fmt: skip
        low, high = np.quantile(shuffled, (0.025, 0.975))
        definition = f"the same after shuffling the digits of each row, {SHUFFLES} times"
        found.append(
            line | {"measure": f"shuffled, {name}", "definition": definition, "value": float(shuffled.mean()),
                    "low": float(low), "high": float(high)}
        )  # fmt: skip
    return found


def keys_of(puzzle: str, solution: str | None = None) -> list[dict[str, int]]:
    """The keys of all rows; of a row that hides none, the solver's where its answer is right."""
    rows = read_table(puzzle, ["id", "answer", "key"]).to_pylist()
    solved = {row["id"]: row for row in read_table(solution, ["id", "answer", "found"]).to_pylist()} if solution else {}
    found = []
    for row in rows:
        key, own = json.loads(row["key"]), solved.get(row["id"])
        if not key and own and own["answer"] == row["answer"]:
            key = json.loads(own["found"]).get("key", {})
        if key:
            found.append(key)
    return found


def information(keys: list[dict[str, int]]) -> tuple[float, np.ndarray]:
    """Mutual information of glyph and digit in nats, and the same for every shuffle (fixed seed)."""
    glyphs = {glyph: k for k, glyph in enumerate(sorted({glyph for key in keys for glyph in key}))}
    rows = np.concatenate([np.full(len(key), i) for i, key in enumerate(keys)])
    at = np.array([glyphs[glyph] for key in keys for glyph in key])
    digits = np.array([digit for key in keys for digit in key.values()])
    rng = np.random.default_rng(0)

    def estimate(drawn: np.ndarray) -> float:
        joint = np.bincount(at * 10 + drawn, minlength=10 * len(glyphs)).reshape(-1, 10) / len(at)
        expected = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)
        return float((joint[joint > 0] * np.log(joint[joint > 0] / expected[joint > 0])).sum())

    shuffles = []
    for _ in range(SHUFFLES):
        order = np.lexsort((rng.random(len(rows)), rows))  # the pairs stay in the order of the rows
        shuffles.append(estimate(digits[order]))
    return estimate(digits), np.array(shuffles)


def of_the_base(accuracy: pd.DataFrame) -> list[dict]:
    own = accuracy[~accuracy.trained.astype(bool) & (accuracy.arm_n == 0) & (accuracy.decoder == USUAL_DECODER)]
    own = own[(own.seed == POOLED) & (own.stratum == POOLED) & (own.reveal == 0) & (own.slate == 0)]
    found = []
    for row in own.itertuples():
        for measure, name, definition in (
            ("right", "official", "the backbone alone, no example in the prompt: official grade"),
            ("cut off", "truncated", "the token budget ran out"),
        ):
            told = {"row": f"base_{measure.replace(' ', '_')}", "why": WHY["base"]}
            value = getattr(row, name) * row.n
            found.append(share("base", f"{row.arm}: {measure}", POOLED, definition, value, row.n, **told))
    return found


def of_forward_steps(solvers: pd.DataFrame) -> list[dict]:
    found = []
    for level in LEVELS:
        for kind in ("given", "open"):
            own = solvers[(solvers.measure == f"closure {level}/{kind}@0") & (solvers.stratum == "value")]
            for row in own.itertuples():
                definition = f"forward steps of the set `{level}` write the answer; order and rules {kind}"
                told = {"measured": PUBLISHED[level]} if kind == "given" else {}
                if (level, kind) == ("full", "given"):
                    told |= {"row": "forward_closure", "why": WHY["forward"]}
                found.append(
                    share("forward", f"{level}, {kind}", "value", definition, row.value * row.n, row.n, **told)
                )
    return found


def of_the_highest(accuracy: pd.DataFrame) -> list[dict]:
    """The arm that comes highest on value rows, of those that can do their steps and are shown nothing of the key."""
    own = accuracy[accuracy.trained.astype(bool) & (accuracy.installed == YES) & (accuracy.corruption == "none")]
    own = own[(own.decoder == USUAL_DECODER) & (own.seed == POOLED) & (own.stratum == "value")]
    own = own[(own.reveal == 0) & (own.slate == 0) & (own.rule == RULE_SOURCES[0])]
    if own.empty:
        return []
    row = own.sort_values(["official", "arm"], ascending=[False, True]).iloc[0]
    definition = (
        f"official grade of the highest of {own.arm.nunique()} arms with installed steps, no digit or rule shown"
    )
    measure = f"highest arm: {row.arm}"
    return [share("forward", measure, "value", definition, row.official * row.n, row.n)]


def of_verdicts(kinds: pd.DataFrame, published: pd.DataFrame, arms: pd.Index) -> list[dict]:
    """The verdicts of some arms together, and each test of the witnessed designs that the study published."""
    found = []
    theirs = published[published.table == "fidelity"]
    wanted = kinds[
        kinds.arm.isin(arms) & (kinds.declared != "") & (kinds.given_n > 0) & (kinds.decoder == USUAL_DECODER)
    ]
    for fixed, own in wanted.groupby(wanted.fixed.astype(bool)):
        right = own.given * own.given_n
        each = right.groupby(own.arm).sum() / own.given_n.groupby(own.arm).sum()
        what = "one outcome" if fixed else "several outcomes"
        line = {"wall": "verdict", "measure": f"kinds with {what} in training, {len(each)} arms", "stratum": POOLED}
        line |= {"definition": f"{FOLLOWS}; low and high: of the lowest, highest arm"}
        line |= {"value": right.sum() / own.given_n.sum(), "low": each.min(), "high": each.max(), "why": ""}
        found.append(line | {"n": int(own.given_n.sum())})
        computed = own[own.arithmetic_n > 0]
        if not fixed and len(computed):
            right, n = float((computed.arithmetic * computed.arithmetic_n).sum()), int(computed.arithmetic_n.sum())
            line = {"wall": "verdict", "measure": "arithmetic of the same kinds", "stratum": POOLED, "n": n, "why": ""}
            found.append(line | {"definition": "of all their lines, what is computed is right", "value": right / n})
    for row in wanted[wanted.design.str.startswith("witness")].itertuples():
        opener, _, test = row.kind.partition("/")
        if test in STUDY_KINDS and opener in ("not", "try"):
            line = {"wall": "verdict", "measure": f"{row.arm}: {row.kind}", "stratum": POOLED, "n": int(row.given_n)}
            line |= {"definition": FOLLOWS, "value": row.given}
            line |= {"low": row.given_low, "high": row.given_high, "why": WHY["verdict"]}
            own = theirs[(theirs.row == STUDY_KINDS[test]) & (theirs.measure == "verdict")]
            found.append(line | {"study": own.value.iloc[0], "study_n": own.n.iloc[0]})
    return found


def of_the_ranks(path: str) -> list[dict]:
    rows = read_table(path, ["stratum", "rank", "standing"]).to_pandas()
    value = rows[rows.stratum == "value"]
    found = []
    for name, definition, row in (
        ("rank", "the row's order and rules are among the {} that the prior ranks first, ties against them", "hit_at_"),
        ("standing", "the same among those that full forward steps do not refute", "hit_standing_"),
    ):
        for k in RANKS:
            told = {"row": f"{row}{k}"} | ({"why": WHY["hit"]} if (name, k) == ("rank", 8) else {})
            hits = int((value[name] <= k).sum())
            found.append(share("hit", f"{name} at most {k}", "value", definition.format(k), hits, len(value), **told))
    return found
