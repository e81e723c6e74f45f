"""One HTML page to read the designs by: the same row of a family in every design, at every reveal asked for.

Reads puzzles and solutions of any number of families, renders each design on the row that most designs can tell, and
audits what it rendered. Lines are coloured by kind, verdicts are marked, and pointing at a line (or tabbing to it)
shows its kind, its fields, what forces its verdict and how the three checks came out.

    python workflow_scripts/gallery.py --puzzles results/smoke/puzzles/*/test.parquet \\
        --solutions results/smoke/solutions/*/test.parquet --reveals 0 5 10 --out gallery.html
"""

from pathlib import Path

from common import cli
from common.artifacts import read_table, whole
from common.errors import LabError
from common.progress import progress
from reasoning.grammar.reveal import THOUGHT, Reveal
from reasoning.grammar.texts import PUZZLE_COLUMNS, SOLUTION_COLUMNS, problem_of, render_row, solution_of
from reasoning.judging.gallery import Exhibit, page
from reasoning.registry import DESIGNS


def main() -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--puzzles", nargs="+", required=True)
    parser.add_argument("--solutions", nargs="+", required=True, help="of the same puzzles, in the same order")
    parser.add_argument("--reveals", nargs="+", default=["0"], help="what is shown, such as 0 5 10-given")
    parser.add_argument("--candidates", type=int, default=20, help="rows of a family to choose from")
    parser.add_argument("--thought", type=int, default=THOUGHT, help="characters of a cryptarithm's thought")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", required=True)
    args = parser.parse_args()
    if len(args.puzzles) != len(args.solutions):
        raise LabError(f"{len(args.puzzles)} tables of puzzles, {len(args.solutions)} of solutions", field="solutions")
    reveals = [Reveal.parse(text) for text in args.reveals]
    exhibits = []
    for puzzles, solutions in progress(list(zip(args.puzzles, args.solutions, strict=True)), desc="gallery"):
        rows = read_table(puzzles, PUZZLE_COLUMNS).slice(0, args.candidates).to_pylist()
        solved = read_table(solutions, SOLUTION_COLUMNS).slice(0, args.candidates).to_pylist()
        if not rows:
            continue
        family = rows[0]["family"]
        shown = [
            (design, reveal)
            for (of, _), design in sorted(DESIGNS.items())
            if of == family
            for reveal in reveals
            if design.can_show(reveal)
        ]
        exhibits.append(
            max(
                (
                    Exhibit(
                        puzzle,
                        [
                            render_row(
                                puzzle["id"],
                                problem_of(puzzle),
                                solution_of(solution),
                                design,
                                reveal,
                                args.seed,
                                args.thought,
                            )
                            for design, reveal in shown
                        ],
                        shown,
                    )
                    for puzzle, solution in zip(rows, solved, strict=True)
                ),
                key=lambda exhibit: exhibit.told,
            )
        )
    with whole(Path(args.out)) as partial:
        partial.write_text(page(exhibits), encoding="utf-8")


if __name__ == "__main__":
    cli.run(main)
