"""One table of all designs: what the screens say of each before training, the study's own numbers beside them.

Reads the screens of any number of designs and the published numbers; writes designs.parquet, .csv and .html, one row
per family, design and number of digits shown, and prints the main columns. `study` is the published run that a design
re-implements, ..._study the number published of it; reasoning/judging/screens.py says what each measure is.

    python workflow_scripts/compare.py --screens results/main/screens/*/*/reveal-0.parquet \\
        --published config/published.csv --out compare
"""

from common import cli
from measuring import comparison, comparison_page, files
from measuring.inputs import read_published

SHORT = {
    "n_rows": "rows", "share_rendered": "rendered", "share_rendered_study": "study's", "tokens_mean": "tokens",
    "tokens_mean_study": "study's", "coverage_limited_open": "coverage", "verdict_kinds": "kinds",
    "one_outcome": "one outcome", "one_outcome_lines": "lines of those", "one_outcome_lines_study": "study's",
    "verdict_given_line": "bits given line", "unwitnessed": "looks ahead", "bare_digits": "bare digits",
    "bare_digits_study": "study's", "bare_rules": "bare rules", "bare_rules_study": "study's", "wrong_answers": "wrong",
    "wrong_answers_study": "study's", "undetermined": "undetermined", "fetch_mean": "fetch", "branching": "branching",
}  # fmt: skip
"""The columns that are printed, and their heads; coverage is that of the closure `limited`, rules not given."""


def main() -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--screens", nargs="+", required=True)
    parser.add_argument("--published", required=True)
    parser.add_argument("--out", required=True)
    args = parser.parse_args()
    frame = comparison.designs(args.screens, read_published(args.published))
    files.write(args.out, "designs", frame, comparison_page.page(frame))
    named = frame.set_index(frame.design + frame.study.map(" = {}".format, na_action="ignore").fillna(""))
    for (family, reveal), part in named.groupby(["family", "reveal"]):
        short = part[[name for name in SHORT if name in part and part[name].notna().any()]].rename(columns=SHORT)
        print(f"\n{family}, {reveal} digits shown\n" + short.to_string(float_format="{:.4g}".format, na_rep="-"))


if __name__ == "__main__":
    cli.run(main)
