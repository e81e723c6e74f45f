"""How soon the right rules of a cryptarithm are named by a solver that only ranks, and by one that also refutes.

Reads a cryptarithm puzzles table, its solutions and the fitted prior; writes one row per puzzle: id, family, stratum,
hypotheses (a reading mode and a rule per shown operator: how many have the shape of the examples), rank (of the row's
own rules, 1 is best, ties against it; puzzles/cryptarithm/hypotheses.py), standing (the same among those that full
forward deduction does not refute, at most MOST hypotheses tried; empty beyond). A row without a hidden rule (a real
one) has the rules that its solution found, where the solution's answer is right; else both ranks are empty.

    python workflow_scripts/hypotheses.py --puzzles test.parquet --solutions solutions.parquet --prior prior.json \\
        --out hypotheses.parquet
"""

import json

import pyarrow as pa

from common import cli
from common.artifacts import read_table, write_table
from common.progress import progress
from puzzles.cryptarithm.hypotheses import hypotheses, is_right
from puzzles.registry import FAMILIES
from reasoning.judging.closure import close
from solve import read_prior

HYPOTHESES = pa.schema(
    [("id", pa.string()), ("family", pa.string()), ("stratum", pa.string())]
    + [(name, pa.int32()) for name in ("hypotheses", "rank", "standing")]
)
MOST = 64


def main() -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--puzzles", required=True)
    parser.add_argument("--solutions", required=True, help="of the same rows")
    parser.add_argument("--prior", required=True, help="JSON of fit_prior.py")
    parser.add_argument("--out", required=True)
    args = parser.parse_args()

    prior, rows = read_prior(args.prior), []
    found = {row["id"]: row for row in read_table(args.solutions, ["id", "answer", "found"]).to_pylist()}
    puzzles = read_table(args.puzzles, ["id", "family", "stratum", "prompt", "answer", "rule"]).to_pylist()
    for puzzle in progress(puzzles, desc="hypotheses"):
        parsed = FAMILIES[puzzle["family"]].parse(puzzle["prompt"])
        solution = found.get(puzzle["id"])
        is_solved = solution is not None and solution["answer"] == puzzle["answer"]
        rule = json.loads(puzzle["rule"]) or (json.loads(solution["found"]) if is_solved else {})
        ranked = hypotheses(parsed, prior)
        row = {name: puzzle[name] for name in ("id", "family", "stratum")} | {"hypotheses": len(ranked)}
        rows.append(row | {"rank": None, "standing": None})
        own = next((each for each in ranked if rule and is_right(each, rule)), None)
        if own is not None:
            rank = sum(each.probability >= own.probability for each in ranked)
            rows[-1]["rank"] = rank
            if rank <= MOST:
                ahead = (each for each in ranked[:rank] if each is not own)
                rows[-1]["standing"] = 1 + sum(bool(close(parsed, "full", each.given).modes) for each in ahead)
    write_table(args.out, rows, HYPOTHESES, sources=[args.puzzles, args.solutions, args.prior])


if __name__ == "__main__":
    cli.run(main)
