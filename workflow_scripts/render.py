"""Render the chains of thought of one design for a table of puzzles.

Reads puzzles and their solutions, writes one row per puzzle: the prompt as shown (with what is revealed),
the lines, the completion and its length. Rows that the design cannot tell keep prompt and answer; `status` says why.
Train rows may be corrupted (see reasoning/judging/corruption.py), and some designs spoil a share of them.

    python workflow_scripts/render.py --puzzles results/smoke/puzzles/cipher/train.parquet \\
        --solutions results/smoke/solutions/cipher/train.parquet --family cipher --design forward --out texts.parquet
"""

from common import cli
from common.artifacts import read_table, write_table
from common.errors import LabError
from common.progress import progress
from puzzles.base import PromptError
from puzzles.registry import FAMILIES
from reasoning.grammar.reveal import THOUGHT
from reasoning.grammar.texts import (
    PUZZLE_COLUMNS,
    SOLUTION_COLUMNS,
    TEXTS,
    problem_of,
    render_row,
    solution_of,
    table_row,
)
from reasoning.judging.corruption import CORRUPTIONS, corrupt
from reasoning.registry import design_of


def main() -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--puzzles", required=True)
    parser.add_argument("--solutions", required=True, help="of the same puzzles, in the same order")
    parser.add_argument("--family", required=True, choices=FAMILIES)
    parser.add_argument("--design", required=True)
    parser.add_argument("--reveal", default="0", help="digits, their order, the rules: such as 5-query-first-given")
    parser.add_argument("--corruption", choices=CORRUPTIONS, default="none")
    parser.add_argument("--thought", type=int, default=THOUGHT, help="characters of a cryptarithm's thought")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", required=True)
    args = parser.parse_args()
    design = design_of(args.family, args.design)
    try:
        reveal = design.reveal(args.reveal)
    except LabError as error:
        raise LabError(str(error), field="reveal") from None
    puzzles = read_table(args.puzzles, (*PUZZLE_COLUMNS, "split")).to_pylist()
    solutions = read_table(args.solutions, SOLUTION_COLUMNS).to_pylist()
    if [row["id"] for row in puzzles] != [row["id"] for row in solutions]:
        raise LabError(f"its ids are not those of {args.puzzles}", file=args.solutions, field="id")
    rows = []
    pairs = zip(puzzles, solutions, strict=True)
    for number, (puzzle, solved) in enumerate(
        progress(pairs, desc=f"render {args.family} {args.design}", total=len(puzzles)), 1
    ):
        if puzzle["family"] != args.family:
            message = f"{puzzle['family']!r}, expected {args.family!r}"
            raise LabError(message, file=args.puzzles, row=number, field="family")
        try:
            told = problem_of(puzzle), solution_of(solved), design, reveal, args.seed, args.thought
            rows.append(render_row(puzzle["id"], *told, train=puzzle["split"] == "train"))
        except PromptError as error:
            raise LabError(str(error), file=args.puzzles, row=number, field="prompt") from error
    rows = corrupt(rows, args.corruption, design, args.seed)
    params = {name: getattr(args, name) for name in ("family", "design", "reveal", "corruption", "thought", "seed")}
    table = [table_row(row, design, reveal) for row in rows]
    write_table(args.out, table, TEXTS, params=params, sources=[args.puzzles, args.solutions])


if __name__ == "__main__":
    cli.run(main)
