"""How many cryptarithms forward deduction alone settles, for every number of digits shown.

Reads a cryptarithm puzzles table; writes one row per puzzle, number of digits shown (0..10, those that the rendered
texts show, in every order asked for) and stated set of rules: id, family, stratum, reveal, closure ("LEVEL/given": mode
and rules given, "LEVEL/open": neither), settled (the answer can be written: digits, rule and its glyphs). Rows whose
query is a join need no digits and count as settled under every set. Rows without a key (real ones) are closed without
digits and, as their rule is unknown, without the "given" sets.

by_chance: how likely the best guess is right that sees which glyphs are shown but no digit's value, the same for every
set of rules; empty for rows without a key.

    python workflow_scripts/closure.py --puzzles results/main/puzzles/cryptarithm_deduce/test.parquet --seed 17 \
        --out closure.parquet
"""

import pyarrow as pa

from common import cli
from common.artifacts import read_table, write_table
from common.progress import progress
from puzzles.registry import FAMILIES
from reasoning.grammar.reveal import MOST, ORDERS, Reveal, by_chance, shown_key
from reasoning.grammar.texts import PUZZLE_COLUMNS, problem_of
from reasoning.judging.closure import LEVELS, closure_flags

CLOSURES = pa.schema(
    [("id", pa.string()), ("family", pa.string()), ("stratum", pa.string()), ("reveal", pa.string())]
    + [("closure", pa.string()), ("settled", pa.bool_()), ("by_chance", pa.float64())]
)


def main() -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--puzzles", required=True)
    parser.add_argument("--seed", type=int, required=True, help="of the revealed digits, as for the texts")
    parser.add_argument("--orders", nargs="+", choices=ORDERS, default=[ORDERS[0]], help="of revealing")
    parser.add_argument("--out", required=True)
    args = parser.parse_args()

    rows = []
    reveals = {str(reveal): reveal for order in args.orders for k in range(MOST + 1) for reveal in [Reveal(k, order)]}
    for row in progress(read_table(args.puzzles, PUZZLE_COLUMNS).to_pylist(), desc="closure"):
        problem = problem_of(row)
        parsed = FAMILIES[problem.family].parse(problem.prompt)
        given = problem.rule or None
        names = [f"{level}/{kind}" for level in LEVELS for kind in (("given", "open") if given else ("open",))]
        for text, reveal in reveals.items() if problem.key else [("0", Reveal())]:
            known = shown_key(problem, reveal.digits, reveal.order, args.seed)
            flags = closure_flags(parsed, given, known) or dict.fromkeys(names, True)
            chance = by_chance(problem, reveal.digits, reveal.order, args.seed) if problem.key else None
            who = {"id": row["id"], "family": problem.family, "stratum": problem.stratum, "reveal": text}
            rows += [who | {"closure": name, "settled": flags[name], "by_chance": chance} for name in names]
    write_table(args.out, rows, CLOSURES, params={"seed": args.seed, "orders": args.orders}, sources=[args.puzzles])


if __name__ == "__main__":
    cli.run(main)
