"""Other people's completions or training texts, made ready to be graded, audited and shown like an arm's own.

Reads   --file F: a CSV, JSON Lines or Parquet file with a prompt and a text per row, or a chat (JSON Lines with
        `messages`, or prompt and text as lists of messages), and --puzzles: tables that know prompts of the file. The
        puzzle may stand anywhere in a prompt. A prompt that no table knows needs its answer in the file.
Writes  --completions: as sample.py does, with `row`, the row of the file, and `hidden`, the line of rules that the file
            says the text uses. Ids are those of the puzzles: of the tables, else made from the prompt. `sample` counts
            the texts of one prompt. `design` is the one that reads most lines of the family's texts, empty where it
            reads less than --least of a text
        --out-puzzles: the puzzles of these rows; `split` is `imported` where no table knows them
        --designs: how many lines every design reads

    python workflow_scripts/import_traces.py --file theirs.jsonl --puzzles results/main/puzzles/*/*.parquet \\
        --completions traces/completions.parquet --out-puzzles traces/puzzles.parquet --designs traces/designs.parquet
    python workflow_scripts/grade.py --completions traces/completions.parquet --out traces/grades.parquet
    python workflow_scripts/audit.py --completions traces/completions.parquet --puzzles traces/puzzles.parquet \\
        --out traces/audit.parquet --rows traces/audit.rows.parquet --kinds traces/audit.kinds.parquet
    python workflow_scripts/explorer.py --traces traces --out page
"""

from collections import Counter, defaultdict

import pyarrow as pa

from common import cli
from common.artifacts import read_table, write_table
from common.errors import LabError
from common.records import read_records
from puzzles.base import AnswerError, PromptError
from puzzles.importer import problem_of
from puzzles.registry import FAMILIES
from puzzles.tables import PUZZLES, problem_row
from reasoning.judging.foreign import LONGEST_TEXT, exchange, nearest, puzzle_in, share_read
from reasoning.registry import DESIGNS

IMPORTED = "imported"
TASK = "task"
TEXTS = ("id", "family", "design", "reveal", "stratum", "prompt", "answer", "text", "finish", "hidden")
COMPLETIONS = pa.schema(
    [*((name, pa.string()) for name in TEXTS)]
    + [("sample", pa.int32()), ("n_tokens", pa.int32()), ("row", pa.int32()), ("share_read", pa.float64())]
)
DESIGNS_READ = pa.schema(
    [("family", pa.string()), ("design", pa.string()), ("read", pa.int64()), ("lines", pa.int64())]
    + [("share", pa.float64()), ("nearest", pa.bool_())]
)


def known_puzzles(paths: list[str]) -> dict[str, dict]:
    """Prompt -> its row of the first table that has it."""
    found: dict[str, dict] = {}
    for path in paths:
        for row in read_table(path, PUZZLES.names).to_pylist():
            found.setdefault(row["prompt"], row)
    return found


def imported(fields: dict, known: dict[str, dict], names) -> tuple[dict, dict]:
    """(the completion, its puzzle) of one row of the file; raises LabError naming the field."""
    prompt, text = exchange(fields, names.prompt, names.text)
    if len(text) > LONGEST_TEXT:
        raise LabError(f"{len(text)} characters, at most {LONGEST_TEXT} are supported", field=names.text)
    asked, answer = puzzle_in(prompt), fields.get(names.answer)
    if answer is not None and not isinstance(answer, str):
        raise LabError(f"{answer!r} is not a text; the answer 007 is another than the number 7", field=names.answer)
    puzzle = known.get(asked.prompt)
    if puzzle is None:
        if not answer:
            message = "missing, and none of the tables of --puzzles has this prompt, so nothing can be graded"
            raise LabError(message, field=names.answer)
        puzzle = problem_row(problem_of(asked.prompt, answer), IMPORTED)
    elif answer and answer != puzzle["answer"]:
        raise LabError(f"{answer!r}, but the answer of this puzzle is {puzzle['answer']!r}", field=names.answer)
    hidden = fields.get("hidden") or ""
    return {
        **{name: puzzle[name] for name in ("id", "family", "stratum", "answer")},
        "reveal": str(asked.reveal(hidden)) if FAMILIES[asked.family].has_key else "0",
        "prompt": asked.shown,
        "text": text,
        "finish": fields.get("finish") or fields.get("finish_reason") or "",
        "hidden": hidden,
    }, puzzle


def main() -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--file", required=True)
    parser.add_argument("--puzzles", nargs="*", default=[], help="tables that know prompts of the file")
    parser.add_argument("--prompt", default="prompt", help="the field with the prompt")
    parser.add_argument("--text", default="text", help="the field with the text")
    parser.add_argument("--answer", default="answer", help="the field with the right answer, if there is one")
    parser.add_argument("--least", type=float, default=0.5, help="share of a thought's lines that its design must read")
    parser.add_argument("--skip", action="store_true", help="leave rows out whose prompt holds no puzzle")
    parser.add_argument("--completions", required=True)
    parser.add_argument("--out-puzzles", required=True)
    parser.add_argument("--designs", required=True)
    args = parser.parse_args()
    known, rows, puzzles = known_puzzles(args.puzzles), [], {}
    samples: Counter[str] = Counter()
    skipped = 0
    for number, fields in read_records(args.file):
        if fields.get("role", TASK) != TASK:  # the hints and drills of a corpus, which are no puzzles
            continue
        try:
            row, puzzle = imported(fields, known, args)
        except PromptError as error:
            if args.skip:
                skipped += 1
                continue
            message = f"{error}; --skip leaves such rows out"
            raise LabError(message, file=args.file, row=number, field=args.prompt) from error
        except AnswerError as error:
            raise LabError(str(error), file=args.file, row=number, field=args.answer) from error
        except LabError as error:
            raise LabError(error.message, file=args.file, row=number, field=error.field) from error
        rows.append({**row, "row": number, "sample": samples[row["id"]], "n_tokens": None})
        samples[row["id"]] += 1
        puzzles[row["id"]] = puzzle
    if not rows:
        raise LabError(f"no row with a puzzle; {skipped} left out", file=args.file)

    texts: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        texts[row["family"]].append(row["text"])
    designs = {family: nearest(family, found) for family, found in sorted(texts.items())}
    for row in rows:
        best = designs[row["family"]][0]
        read, lines = share_read(row["text"], DESIGNS[row["family"], best.design])
        row["share_read"] = read / lines if lines else None
        row["design"] = best.design if best.share > 0 and read >= args.least * lines else ""
    table = [
        {"family": f, "design": each.design, "read": each.read, "lines": each.lines, "share": each.share,
         "nearest": each is found[0] and each.share > 0}
        for f, found in designs.items() for each in found
    ]  # fmt: skip
    sources = [args.file, *args.puzzles]
    write_table(args.completions, rows, COMPLETIONS, params={"least": args.least}, sources=sources)
    write_table(args.out_puzzles, list(puzzles.values()), PUZZLES, sources=sources)
    write_table(args.designs, table, DESIGNS_READ, sources=sources)
    far = sum(not row["design"] for row in rows)
    print(f"{len(rows)} texts of {len(puzzles)} puzzles, {far} of them near no design; {skipped} rows left out")
    for family, (best, *_) in designs.items():
        near = f"nearest to {best.design}" if best.share else "near no design"
        print(f"{family}: {len(texts[family])} texts, {near} ({best.share:.1%} of the lines)")


if __name__ == "__main__":
    cli.run(main)
