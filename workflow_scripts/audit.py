"""Check every line of every completion: transcription, arithmetic, verdict, and the truth of bare claims.

Reads completions (id, family, text; of sample.py or anyone's) and the puzzles they answer; writes one row per line.
A completion's prompt as shown, its design and its sample number are read from the columns prompt, design, reveal and
sample where they exist; otherwise the puzzle's own prompt, --design and 0 stand in. A column hidden says a
line of rules that a text uses and its prompt does not show. A completion whose design is empty is near none
(import_traces.py): it has no lines to judge, and whether it is valid is not known.

Two more tables can be had: --rows, one row per completion (valid, perfect = token-identical to the rendered trace of
--texts, first divergence, first failure, ending = the kind of its last line), and --kinds, one row per kind of line
(how often right on each mark, the outcomes it has here and had in the training examples, --corpus).

`given` is the verdict of the lines that copied and computed without a mistake. Of the same lines, `top` says whether
the outcome most frequent in the training examples would have been right, `stump` whether a one-feature rule fitted on
them would (reasoning/judging/stump.py); both are empty without --corpus. `true` holds claims without evidence to what
the puzzles hide. A row without a key (a real one) hides what its --solutions found, where their answer is right; of
another row, `valid` is not known once its completion makes such claims.

    python workflow_scripts/audit.py --completions completions.parquet --puzzles puzzles.parquet --out audit.parquet
"""

from collections import defaultdict

import pyarrow as pa

from common import cli
from common.artifacts import read_table, write_table
from common.errors import LabError
from common.progress import progress
from puzzles.base import PromptError
from reasoning.grammar.roles import may_claim
from reasoning.grammar.texts import RENDERED
from reasoning.grammar.trace import Design, parse_completion
from reasoning.judging.audit import (
    MEASURES,
    Checked,
    Training,
    audit,
    first_divergence,
    is_valid,
    kind_table,
    measures,
    trained_on,
)
from reasoning.judging.truths import truths
from reasoning.registry import design_of

WHO = {"id": pa.string(), "family": pa.string(), "design": pa.string(), "sample": pa.int32()}
LINES = pa.schema(
    [
        *WHO.items(),
        ("line", pa.int32()),
        ("kind", pa.string()),
        ("text", pa.string()),
        *((name, pa.bool_()) for name in MEASURES),
        ("outcome", pa.string()),
        ("first_failure", pa.bool_()),
    ]
)
ROWS = pa.schema(
    [
        *WHO.items(),
        ("n_lines", pa.int32()),
        ("n_malformed", pa.int32()),
        ("valid", pa.bool_()),
        ("perfect", pa.bool_()),
        ("divergence", pa.int32()),
        ("failure_line", pa.int32()),
        ("failure_kind", pa.string()),
        ("failure_axis", pa.string()),
        ("ending", pa.string()),
    ]
)
KINDS = pa.schema(
    [
        ("family", pa.string()),
        ("design", pa.string()),
        ("kind", pa.string()),
        ("n", pa.int64()),
        *((f"{name}_{what}", pa.int64()) for name in MEASURES for what in ("n", "right")),
        ("rule_of_thumb", pa.string()),
        ("declared", pa.string()),
        ("trained", pa.string()),
        ("written", pa.string()),
        ("fixed", pa.bool_()),
    ]
)


def read_completions(path: str, design: str | None) -> list[dict]:
    """The completions with every column that the audit needs; prompt is None where the table has none."""
    rows = read_table(path).to_pylist()
    for number, row in enumerate(rows, 1):
        for name in ("id", "family", "text"):
            if row.get(name) is None:
                raise LabError(f"missing; the table has {', '.join(row)}", file=path, row=number, field=name)
        row["design"] = design or row.get("design")
        if row["design"] is None:
            raise LabError("missing; name the design with --design", file=path, row=number, field="design")
        row["sample"], row["reveal"] = row.get("sample") or 0, row.get("reveal") or "0"
    return rows


def row_summary(
    who: dict, checked: list[Checked], text: str, expected: str | None, design: Design, is_known: bool
) -> dict:
    first = next((each for each in checked if each.first_failure), None)
    bare = {kind.KIND for kind in design.kinds if may_claim(kind.roles)}
    unknown = not is_known and not first and any(each.kind in bare for each in checked)
    return {
        **who,
        "n_lines": len(checked),
        "n_malformed": sum(each.failed == ("form",) for each in checked),
        "valid": None if unknown else is_valid(checked),
        "perfect": None if expected is None else text.rstrip("\n") == expected,
        "divergence": None if expected is None else first_divergence(text.rstrip("\n"), expected),
        "failure_line": first and first.line,
        "failure_kind": first.kind if first else "",
        "failure_axis": first.failed[0] if first else "",
        "ending": checked[-1].kind if checked else "",
    }


def unaudited(row: dict) -> dict:
    """The row of a completion that is of no design."""
    nothing = {name: None for name in ("valid", "perfect", "divergence", "failure_line")}
    who = {name: row[name] for name in WHO}
    return {**who, "n_lines": 0, "n_malformed": 0, **nothing, "failure_kind": "", "failure_axis": "", "ending": ""}


def outcomes(corpus: str, completions: list[dict]) -> dict[tuple[str, str], dict[str, Training]]:
    """(family, design) -> what the training examples say of each kind of line.

    Auxiliary tasks and drills in the corpus are no examples of the design.
    """
    examples: dict[str, list] = defaultdict(list)
    for row in read_table(corpus, ["family", "completion", "role"]).to_pylist():
        if row["role"] == "task":
            examples[row["family"]].append(row["completion"])
    found = {}
    for which in {(row["family"], row["design"]) for row in completions if row["design"]}:
        design = design_of(*which)
        found[which] = trained_on((parse_completion(text, design) for text in examples[which[0]]), design)
    return found


def main() -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--completions", required=True)
    parser.add_argument("--puzzles", nargs="+", required=True)
    parser.add_argument("--design", help="where the completions do not say it")
    parser.add_argument("--solutions", nargs="+", default=[], help="of the puzzles, for rows without a key")
    parser.add_argument("--texts", nargs="+", default=[], help="rendered texts of these rows")
    parser.add_argument("--corpus", help="the training examples of the arm")
    parser.add_argument("--out", required=True)
    parser.add_argument("--rows", help="table with one row per completion")
    parser.add_argument("--kinds", help="table with one row per kind of line")
    args = parser.parse_args()
    prompts = {
        row["id"]: row["prompt"] for path in args.puzzles for row in read_table(path, ["id", "prompt"]).to_pylist()
    }
    truth = truths(args.puzzles, args.solutions)
    expected: dict[tuple[str, str, str], str] = {}
    hidden: dict[tuple[str, str, str], str] = {}
    completions = read_completions(args.completions, args.design)
    for row in completions:
        if row.get("hidden"):
            hidden[row["id"], row["design"], row["reveal"]] = row["hidden"]
    for path in args.texts:
        columns = ["id", "family", "design", "reveal", "hidden", "completion", "status"]
        for row in read_table(path, columns).to_pylist():
            hidden[row["id"], row["design"], row["reveal"]] = row["hidden"]
            if row["status"] == RENDERED:
                expected[row["id"], row["design"], row["reveal"]] = row["completion"]

    trained = outcomes(args.corpus, completions) if args.corpus else {}
    lines, rows = [], []
    by_design: dict[tuple[str, str], list[Checked]] = defaultdict(list)
    for number, row in enumerate(progress(completions, desc="audit"), 1):
        if not row["design"]:
            rows.append(unaudited(row))
            continue
        design = design_of(row["family"], row["design"])
        shown = row.get("prompt") or prompts.get(row["id"])
        if row["id"] not in prompts:
            raise LabError(f"{row['id']!r} is in none of the puzzles", file=args.completions, row=number, field="id")
        which = row["id"], row["design"], row["reveal"]
        if row["reveal"].endswith("hidden") and which not in hidden:
            message = "a text of these rows is needed for the rules that the prompt hides; name it with --texts"
            raise LabError(message, file=args.completions, row=number, field="reveal")
        try:
            page = "\n".join(filter(None, (shown, hidden.get(which))))
            checked = audit(row["text"], page, design, truth[row["id"]])
        except PromptError as error:
            raise LabError(str(error), file=args.completions, row=number, field="prompt") from error
        who, known = {name: row[name] for name in WHO}, trained.get((row["family"], row["design"]), {})
        lines += [
            {
                **who,
                "line": each.line,
                "kind": each.kind,
                "text": each.text,
                **measures(each, known),
                "outcome": each.outcome,
                "first_failure": each.first_failure,
            }
            for each in checked
        ]
        rows.append(row_summary(who, checked, row["text"], expected.get(which), design, truth[row["id"]] is not None))
        by_design[row["family"], row["design"]] += checked

    sources = [args.completions, *args.puzzles, *args.solutions, *args.texts, *([args.corpus] if args.corpus else [])]
    write_table(args.out, lines, LINES, sources=sources)
    if args.rows:
        write_table(args.rows, rows, ROWS, sources=sources)
    if args.kinds:
        table = [
            {"family": family, "design": name, **row}
            for (family, name), checked in sorted(by_design.items())
            for row in kind_table(checked, trained.get((family, name), {}), design_of(family, name))
        ]
        write_table(args.kinds, table, KINDS, sources=sources)


if __name__ == "__main__":
    cli.run(main)
