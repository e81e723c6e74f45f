"""How the rendered texts of evaluation rows end."""

import pandas as pd

from common.artifacts import read_table
from puzzles.checker import grade
from reasoning.grammar.texts import RENDERED


def read_texts(paths: list[str]) -> pd.DataFrame:
    """How the rendered texts end: boxes (the right answer), abstains (without a box), ending (the last line's kind)."""
    found = []
    for path in paths:
        columns = ["id", "family", "design", "reveal", "answer", "completion", "status", "lines"]
        for row in read_table(path, columns).to_pylist():
            graded = grade(row["completion"], row["answer"])
            found.append(
                {name: row[name] for name in ("id", "family", "design")}
                | {
                    "shown": row["reveal"],
                    "eval_set": path.rpartition("/")[2].removesuffix(".parquet"),
                    "boxes": row["status"] == RENDERED and graded.boxed and graded.official,
                    "abstains": row["status"] == RENDERED and not graded.boxed,
                    "ending": row["lines"][-1]["kind"] if row["lines"] else "",
                }
            )
    return pd.DataFrame(found)
