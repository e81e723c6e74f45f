"""Screen a design against a backbone's tokenizer before training: tokens per text, and signs merged with a neighbour.

Reads the rendered train texts of one or more families and a backbone's folder; writes one row per table of texts
(learning/token_screen.py says what each column is) and says on standard error what should be seen to before training.

    python workflow_scripts/token_screen.py --texts results/main/texts/numeral/forward/reveal-0/none/train.parquet \\
        --backbone results/main/backbones/small --budget 1880 --out tokens.parquet
"""

import os
import sys
from dataclasses import asdict

from common import cli
from common.artifacts import read_table, write_table
from common.errors import LabError

WHO = ("family", "design", "reveal")


def main() -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--texts", nargs="+", required=True)
    parser.add_argument("--backbone", required=True, help="a folder with a tokenizer")
    parser.add_argument("--budget", type=int, required=True, help="new tokens that a completion may have")
    parser.add_argument("--out", required=True)
    args = parser.parse_args()
    os.environ["HF_HUB_OFFLINE"] = "1"
    from learning.backbones import load_tokenizer
    from learning.token_screen import screen

    tokenizer, table = load_tokenizer(args.backbone), []
    if not tokenizer.is_fast:
        raise LabError("the tokenizer does not tell where its tokens stand", file=args.backbone)

    def encode(text: str) -> list[tuple[int, int]]:
        return tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]

    for path in args.texts:
        rows = read_table(path, [*WHO, "prompt", "completion", "answer", "status"]).to_pylist()
        rendered = [row for row in rows if row["status"] == "rendered"]
        if not rendered:
            raise LabError("no rendered row", file=path, field="status")
        found = screen(rendered, encode, args.budget)
        who = {name: rendered[0][name] for name in WHO}
        table.append(who | asdict(found))
        if found.flags:
            print(f"{' '.join(who.values())}: {found.flags}", file=sys.stderr)
    write_table(args.out, table, params={"budget": args.budget}, sources=args.texts)


if __name__ == "__main__":
    cli.run(main)
