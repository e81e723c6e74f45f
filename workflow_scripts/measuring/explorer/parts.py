"""What the page shows: a table of all completions, and their texts in parts that it loads when a row is opened.

The page is opened as a file, where a browser lets it load scripts but read no other file; so every part is a script
that hands over its content, JSON packed with gzip and written in base64.
"""

import base64
import gzip
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.artifacts import read_table, whole
from common.errors import LabError
from common.progress import progress
from measuring.inputs import Run, cell_of
from reasoning.grammar.texts import RENDERED
from reasoning.grammar.trace import spoken
from reasoning.judging.audit import MARKS

HERE = Path(__file__).parent
PAGE = {"page.html": "index.html", "page.css": "page.css", "page.js": "page.js"}
"""The page's own files, and their names in the folder that is made."""
ROWS, SIZE = 100, 400_000
"""A part holds so many rows, or fewer once they have so many characters."""
CELL_FILES = (("completions", ".parquet"), ("grades", ".parquet"), ("audits", ".parquet"), ("audits", ".rows.parquet"))
TRACE_FILES = ("completions", "grades", "audit", "audit.rows", "puzzles")
"""The files of a folder of imported texts."""
FILTERS = (
    "arm", "seed", "decoder", "set", "family", "design", "stratum", "answer", "trace", "failure", "mark",
)  # fmt: skip
"""What the page filters by: columns of words."""
NONE = "none"
RIGHT, OFFICIAL, NO_BOX = "right", "right by the official rule alone", "no box"
PERFECT, VALID, FAULTY, UNKNOWN = "as rendered", "no fault", "a fault", "not known"
EMPTY, UNAUDITED = "no line", "not audited"
SIGNS = {True: "+", False: "-", None: "."}
PROBLEM = ("prompt", "hidden", "answer", "stratum", "key", "rule", "status", "rendered")


@dataclass(frozen=True)
class Cell:
    """The completions of one arm, seed and decoder on one evaluation set, and the files about them.

    texts: what the arm was shown and would have written itself; none of imported texts. puzzles: what the rows hide.
    """

    arm: str
    seed: str
    decoder: str
    completions: str
    grades: str
    lines: str
    rows: str
    texts: tuple[str, ...]
    puzzles: tuple[str, ...]

    @property
    def files(self) -> tuple[str, ...]:
        return (self.completions, self.grades, self.lines, self.rows, *self.texts, *self.puzzles)


def cells_of(run: Run) -> list[Cell]:
    """Every cell of a run, in the order of its table of arms."""
    found = []
    for paths in zip(*(run.cells(folder, suffix) for folder, suffix in CELL_FILES), strict=True):
        cell = cell_of(paths[0])
        arm, eval_set = cell["arm"], cell["eval_set"]
        puzzles = [f"{run.results}/puzzles/{family}/{eval_set}.parquet" for family in run.arms.at[arm, "families"]]
        texts = run.texts(arm, eval_set)
        found.append(Cell(arm, cell["seed"], cell["decoder"], *paths, texts=tuple(texts), puzzles=tuple(puzzles)))
    return found


def imported(folder: str | Path) -> Cell:
    """The cell of imported texts: what stands for the arm is the folder's name."""
    *paths, puzzles = (f"{folder}/{name}.parquet" for name in TRACE_FILES)
    return Cell(Path(folder).name, "", "imported", *paths, texts=(), puzzles=(puzzles,))


def write(out: str | Path, title: str, cells: Iterable[Cell]) -> None:
    """The page of these cells, a folder that appears whole."""
    with whole(out) as folder:
        parts = Parts(folder)
        for cell in progress(list(cells), desc="explorer"):
            parts.add(cell)
        parts.finish(title)


class Parts:
    """A folder that fills: parts as they are full, the table of all completions and the page at the end."""

    def __init__(self, folder: Path):
        self.folder, self.count = folder, 0
        self.starts: list[tuple[int, int]] = []
        self.words: dict[str, dict[str, int]] = {name: {} for name in (*FILTERS, "id")}
        self.columns: dict[str, list] = {name: [] for name in (*self.words, "sample", "problem")}
        self.problems: dict[tuple[str, ...], dict[str, tuple[int, str]]] = {}
        (folder / "parts").mkdir(parents=True)

    def part(self, content: object) -> int:
        """Write one part; the number that it is loaded by."""
        packed = gzip.compress(json.dumps(content, ensure_ascii=False).encode(), mtime=0)
        script = f'part({self.count}, "{base64.b64encode(packed).decode()}");\n'
        (self.folder / f"parts/{self.count}.js").write_text(script, encoding="ascii")
        self.count += 1
        return self.count - 1

    def problems_of(self, cell: Cell) -> dict[str, tuple[int, str]]:
        """Id -> (the part with the row's problem, its split). Cells share these parts."""
        key = cell.texts + cell.puzzles
        if key not in self.problems:
            self.problems[key] = found = {}
            for some in chunks(problems(cell)):
                number = self.part({row_id: problem for (row_id, _), problem in some})
                found.update((row_id, (number, split)) for (row_id, split), _ in some)
        return self.problems[key]

    def add(self, cell: Cell) -> None:
        """The completions of a cell: their rows of the table, and their texts in parts."""
        known = self.problems_of(cell)
        for some in chunks(completions(cell)):
            self.starts.append((len(self.columns["id"]), self.part([text for _, text in some])))
            for row, _ in some:
                if row["id"] not in known:
                    places = ", ".join(cell.texts or cell.puzzles)
                    raise LabError(f"{row['id']!r} is in none of {places}", file=cell.completions, field="id")
                row["problem"], row["set"] = known[row["id"]]
                for name, column in self.columns.items():
                    words = self.words.get(name)
                    column.append(row[name] if words is None else words.setdefault(row[name], len(words)))

    def finish(self, title: str) -> None:
        """The table of all completions, and the page."""
        if not self.starts:
            raise LabError("no completions to show")
        table = {
            "title": title,
            "marks": MARKS,
            "filters": FILTERS,
            "words": {name: list(words) for name, words in self.words.items()},
            "columns": self.columns,
            "starts": self.starts,
        }
        (self.folder / "rows.js").write_text(f"run({json.dumps(table)});\n", encoding="ascii")
        for source, name in PAGE.items():
            shutil.copyfile(HERE / source, self.folder / name)


def chunks(items: Iterable[tuple[Any, dict]]) -> Iterator[list[tuple[Any, dict]]]:
    """Lists of at most ROWS items, closed early where their texts are long."""
    some, size = [], 0
    for item in items:
        some.append(item)
        size += sum(len(value) for value in item[1].values() if isinstance(value, str))
        if len(some) == ROWS or size >= SIZE:
            yield some
            some, size = [], 0
    if some:
        yield some


def problems(cell: Cell) -> Iterator[tuple[tuple[str, str], dict]]:
    """((id, split), the prompt as shown, the answer, what is hidden and the rendered trace) of every row of a cell."""
    columns = ("id", "split", "prompt", "answer", "stratum", "key", "rule")
    puzzles = {row["id"]: row for path in cell.puzzles for row in read_table(path, columns).to_pylist()}
    if not cell.texts:
        for row in puzzles.values():
            yield (row["id"], row["split"]), {name: row.get(name, "") for name in PROBLEM}
    for path in cell.texts:
        for row in read_table(path, ("id", "prompt", "hidden", "completion", "status")).to_pylist():
            if row["id"] not in puzzles:
                raise LabError(f"{row['id']!r} is in none of {', '.join(cell.puzzles)}", file=path, field="id")
            rendered = {"rendered": row["completion"] if row["status"] == RENDERED else ""}
            found = puzzles[row["id"]] | row | rendered
            yield (row["id"], found["split"]), {name: found[name] for name in PROBLEM}


def completions(cell: Cell) -> Iterator[tuple[dict, dict]]:
    """(its row of the table, its text and what is marked in it) of every completion of a cell.

    Raises LabError where grades or audit are of other completions.
    """
    written = read_table(cell.completions, ("id", "family", "design", "stratum", "sample", "prompt", "text", "finish"))
    grades = read_table(cell.grades, ("id", "sample", "official", "strict", "failure", "parsed"))
    audits = read_table(cell.rows, ("id", "sample", "n_lines", "valid", "perfect", "divergence", "failure_line",
                                    "failure_kind", "failure_axis"))  # fmt: skip
    lines = read_table(cell.lines, ("kind", *MARKS))
    signs = zip(*([SIGNS[value] for value in lines[mark].to_pylist()] for mark in MARKS), strict=True)
    kinds = lines["kind"].to_pylist()
    judged = iter([f"{''.join(sign)} {kind}" for sign, kind in zip(signs, kinds, strict=True)])
    rows = written.to_pylist()
    for path, others in ((cell.grades, grades), (cell.rows, audits)):
        ids = [(row["id"], row["sample"]) for row in rows]
        if ids != list(zip(others["id"].to_pylist(), others["sample"].to_pylist(), strict=True)):
            raise LabError(f"its rows are not those of {cell.completions}, in their order", file=path, field="id")
    for row, grade, audit in zip(rows, grades.to_pylist(), audits.to_pylist(), strict=True):
        numbers = [number for number, *_ in spoken(row["text"])][: audit["n_lines"]]
        if len(numbers) != audit["n_lines"]:
            raise LabError("it judges more lines than there are", file=cell.rows, row=row["id"], field="n_lines")
        first = None if audit["failure_line"] is None else numbers[audit["failure_line"]]
        who = {"arm": cell.arm, "seed": cell.seed, "decoder": cell.decoder}
        columns = {name: row[name] for name in ("id", "sample", "family", "design", "stratum")}
        outcome = {"answer": answer_of(grade), "trace": trace_of(row, audit)}
        failure = {"failure": audit["failure_kind"] or NONE, "mark": audit["failure_axis"] or NONE}
        text = {
            "text": row["text"],
            "prompt": row["prompt"],
            "read": grade["parsed"],
            "finish": row["finish"],
            "lines": {number: next(judged) for number in numbers},
            "first": first,
            "differs": audit["divergence"],
        }
        yield who | columns | outcome | failure, text


def answer_of(grade: Mapping[str, Any]) -> str:
    """What the two rules say of an answer, in words."""
    if grade["strict"]:
        return RIGHT
    if grade["official"]:
        return OFFICIAL
    return NO_BOX if grade["failure"] == "no-box" else grade["failure"]


def trace_of(row: Mapping[str, Any], audit: Mapping[str, Any]) -> str:
    """What the audit says of a thought, in words."""
    if not row["design"]:
        return UNAUDITED
    if not audit["n_lines"]:
        return EMPTY
    if audit["perfect"]:
        return PERFECT
    return {True: VALID, False: FAULTY, None: UNKNOWN}[audit["valid"]]
