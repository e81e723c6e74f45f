"""Screen puzzles and a design's lines for shortcuts: what a depth-two tree says of them from their looks alone.

Reads a family's puzzles and rendered texts of one design; writes one row per question (reasoning/judging/shortcuts.py
says which), the design empty where it is about the puzzles; says on standard error where the tree is right more often
than the most frequent value.

    python workflow_scripts/shortcuts.py --puzzles results/main/puzzles/numeral/train.parquet \\
        --texts results/main/texts/numeral/forward/reveal-0/none/train.parquet --out shortcuts.parquet
"""

import sys

from common import cli
from common.artifacts import read_table, write_table
from common.errors import LabError
from reasoning.judging.shortcuts import of_lines, of_puzzles, table
from reasoning.registry import design_of


def main() -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--puzzles", required=True)
    parser.add_argument("--texts", required=True)
    parser.add_argument("--out", required=True)
    args = parser.parse_args()
    puzzles = read_table(args.puzzles, ["prompt", "answer", "stratum", "rule"]).to_pylist()
    texts = read_table(args.texts, ["family", "design", "reveal", "completion", "status"]).to_pylist()
    if not texts:
        raise LabError("no rows", file=args.texts)
    who = {name: texts[0][name] for name in ("family", "design", "reveal")}
    found = table(of_puzzles(puzzles), {**who, "design": "", "reveal": ""})
    found += table(of_lines(texts, design_of(who["family"], who["design"])), who)
    for row in found:
        if row["flag"]:
            told = f"{row['tree']:.2f} right of {row['n']}, {row['majority']:.2f} by the most frequent value"
            print(f"{row['family']} {row['design']}: {row['target']}: {told}; {row['by']}", file=sys.stderr)
    if not found:
        raise LabError("too few rows for any question", file=args.puzzles)
    write_table(args.out, found, sources=[args.puzzles, args.texts])


if __name__ == "__main__":
    cli.run(main)
