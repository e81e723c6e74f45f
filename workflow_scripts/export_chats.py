"""The training examples of an arm as chats, in JSON Lines: what TRL's SFTTrainer and others read.

Each line has `messages`: the prompt of the user and the completion of the assistant. Train on the assistant's message
alone (`assistant_only_loss` of TRL). Beside it stand the columns of the corpus: id, family, design, role, answer,
stratum, hidden (a line of rules that the completion uses unsaid), and `unlearned`, the lines of the completion, counted
from 0, that carry no loss. Where an arm has such lines, the assistant's message says the same by characters:
`train_detail` has stretches from begin_offset to end_offset, both included, which are trained on or not (the format of
axolotl, `message_field_training_detail`).

    python workflow_scripts/export_chats.py --corpus results/main/corpora/search/seed-1.parquet --out search.jsonl
"""

import json
import re
from collections.abc import Collection
from pathlib import Path

from common import cli
from common.artifacts import read_table, whole

MEASURED = "hint-test"
"""The role of the examples that training measures itself by and does not learn."""
KEPT = ("id", "family", "design", "role", "answer", "stratum", "hidden", "unlearned")


def stretches(completion: str, unlearned: Collection[int]) -> list[dict]:
    """The completion from its first to its last character, in stretches that are learned or not; line ends belong to
    their lines."""
    found: list[dict] = []
    start = 0
    for number, line in enumerate(re.findall(r"[^\n]*\n|[^\n]+", completion)):
        end, train = start + len(line) - 1, number not in unlearned
        if found and found[-1]["train"] == train:
            found[-1]["end_offset"] = end
        else:
            found.append({"begin_offset": start, "end_offset": end, "train": train})
        start = end + 1
    return found


def main() -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--corpus", required=True)
    parser.add_argument("--out", required=True)
    args = parser.parse_args()
    rows = read_table(args.corpus, (*KEPT, "prompt", "completion")).to_pylist()
    rows = [row for row in rows if row["role"] != MEASURED]
    masked = any(row["unlearned"] for row in rows)
    with whole(Path(args.out)) as partial, open(partial, "w", encoding="utf-8", newline="\n") as handle:
        for row in rows:
            answer = {"role": "assistant", "content": row["completion"]}
            if masked:
                answer["train_detail"] = stretches(row["completion"], row["unlearned"])
            messages = [{"role": "user", "content": row["prompt"]}, answer]
            line = {"messages": messages, **{name: row[name] for name in KEPT}}
            handle.write(json.dumps(line, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    cli.run(main)
