"""The page of all designs: their names stay in sight, columns stand in groups, every column says what it is."""

from html import escape

import pandas as pd

from common.errors import LabError
from measuring.files import STYLE

STUDY = "_study"
GROUPS: dict[str, dict[str, tuple[str, str]]] = {
    "size": {
        "n_rows": ("rows", "training rows that were rendered and screened"),
        "share_rendered": ("rendered", "share of the rows for which the design has a text"),
        "chars_mean": ("characters", "of a completion, mean"),
        "chars_p95": ("95 %", "of the completions have at most so many characters"),
        "tokens_mean": ("tokens", "of prompt and completion, as a tokenizer that splits digits makes them"),
        "lines_per_row": ("lines", "of a thought, mean"),
    },
    "answer": {
        "wrong_answers": ("wrong", "share of the texts that box another answer than the row's"),
        "undetermined": ("none", "share of the texts that box nothing"),
    },
    "settled by forward steps alone": {
        "coverage_written": ("written", "share of rows whose lines arrive at the answer, all evidence on the page"),
        "coverage_units_open": ("units", "and if all that follows from the written digits were drawn: by last digits"),
        "coverage_magnitude_open": ("magnitude", "by the size of numbers, too"),
        "coverage_compute_open": ("compute", "by results whose operands are known, too"),
        "coverage_limited_open": ("limited", "by equations with at most 100 combinations of digits left, too"),
        "coverage_full_open": ("full", "by all equations"),
    },
    "verdicts": {
        "verdict_kinds": ("kinds", "kinds of line that end in a verdict"),
        "one_outcome": ("one outcome", "how many of these kinds are only ever seen with one outcome"),
        "one_outcome_lines": ("their lines", "share of the lines with a verdict that are of those kinds"),
        "verdict_top": ("top", "share of the most frequent outcome"),
        "verdict_bits": ("bits", "entropy of the verdict"),
        "verdict_free": ("free", "bits that the line's own check leaves open; 0: the page forces it"),
        "verdict_given_line": ("given line", "bits that the line alone leaves open; 0: it carries its evidence"),
        "verdict_given_stump": ("given stump", "bits left open by one feature and the place; 0: said without looking"),
    },
    "claims": {
        "unwitnessed": ("unwitnessed", "share of lines that rest on something that no line and no prompt shows"),
        "unchecked": ("unchecked", "share of lines on which no mark has anything to check"),
        "bare": ("bare", "share of lines that are unwitnessed or have a field that nothing forces"),
        "recalls": ("from memory", "what the design takes from memory"),
        "recalled": ("rows with it", "share of rows with such a line"),
        "bare_digits": ("bare digits", "share of the settled digits that an unwitnessed line settled"),
        "bare_rules": ("bare rules", "share of the rules struck out that an unwitnessed line struck out"),
    },
    "distance and choice": {
        "fetch_mean": ("fetch", "characters back to the value on a line that is farthest, mean"),
        "fetch_p95": ("95 %", "of the lines fetch from at most so far"),
        "fetch_share": ("of the text", "the same as a share of the text so far"),
        "branching": ("branching", "bits of surprise at the kind of the next line: what is left to policy"),
    },
    "flags": {"flags": ("flags", "kinds of line with one outcome, or nearly one, or without a check")},
}  # fmt: skip
"""Group -> column -> (its head, what it says)."""
PAGE_STYLE = """
table { border-collapse: separate; border-spacing: 0; }
thead th { position: static; font-weight: 600; }
thead th, td { text-align: right; }
thead tr.heads th { position: sticky; top: 0; z-index: 2; background: Canvas; border-bottom: 2px solid GrayText; }
thead tr.groups th { padding-top: .6rem; text-align: left; font-size: 14px; border-bottom: 0; }
thead tr.words th { white-space: normal; font-weight: normal; font-size: 11px; line-height: 1.35; min-width: 7.5rem; }
thead tr.words th { vertical-align: top; }
tbody th, thead tr > :first-child { position: sticky; left: 0; z-index: 1; background: Canvas; text-align: left; }
tbody th, thead tr > :first-child { min-width: 11rem; box-shadow: inset -1px 0 GrayText; }
thead tr.heads th:first-child { z-index: 3; }
tbody th small { font-weight: normal; }
thead th.text, td.text { text-align: left; white-space: normal; min-width: 11rem; }
td.flags { min-width: 26rem; }
.start { border-left: 2px solid rgb(128 128 128 / .45); }
.study { background: rgb(128 128 128 / .12); font-style: italic; }
tbody th.name { font-size: 14px; padding-top: .9rem; }
"""


def layout(columns: list[str]) -> list[tuple[str, str, str, str]]:
    """(group, column, head, words) of the columns of measures, in the order of the groups, a published number behind
    ours; raises LabError for a column without words."""
    found = []
    for group, members in GROUPS.items():
        for name, (head, words) in members.items():
            if name in columns:
                found.append((group, name, head, words))
            for other in columns:
                if other.endswith(STUDY) and other.removesuffix(STUDY).removesuffix("_corpus") == name:
                    corpus = " in its training rows" if other == f"{name}_corpus{STUDY}" else ""
                    found.append((group, other, "study's", f"the published number of its counterpart{corpus}"))
    unknown = set(columns) - {name for _, name, *_ in found} - {"family", "design", "reveal", "study"}
    if unknown:
        raise LabError(f"no words for {', '.join(sorted(unknown))}", file=__file__, field="GROUPS")
    return found


def cell(value: object) -> str:
    if isinstance(value, str):
        return escape(value)
    return "" if value is None or pd.isna(value) else f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"


def page(frame: pd.DataFrame) -> str:
    """One HTML page, a row per design and reveal. frame: of comparison.designs."""
    columns = layout(list(frame.columns))
    starts = {name for i, (group, name, *_) in enumerate(columns) if i == 0 or columns[i - 1][0] != group}
    texts = {name for name in frame if frame[name].map(lambda value: isinstance(value, str)).any()}

    def classes(name: str) -> str:
        found = [
            "start" * (name in starts),
            "study" * name.endswith(STUDY),
            "text" * (name in texts),
            "flags" * (name == "flags"),
        ]
        return f' class="{" ".join(filter(None, found))}"' if any(found) else ""

    spans: dict[str, int] = {}
    for group, *_ in columns:
        spans[group] = spans.get(group, 0) + 1
    head = ['<thead><tr class="groups"><td></td>']
    head += [f'<th scope="colgroup" colspan="{n}" class="start">{escape(group)}</th>' for group, n in spans.items()]
    head += ['</tr><tr class="heads"><th scope="col">design</th>']
    head += [
        f'<th scope="col"{classes(name)} title="{escape(words)}">{escape(text)}</th>'
        for _, name, text, words in columns
    ]
    head += ['</tr><tr class="words"><th>its name; the run of the study that it re-implements</th>']
    head += [f"<th{classes(name)}>{escape(words)}</th>" for _, name, _, words in columns]
    body = []
    for family, part in frame.groupby("family", sort=False):
        body.append(f'<tbody class="family"><tr><th scope="rowgroup" class="name">{escape(str(family))}</th>')
        body.append(f'<td colspan="{len(columns)}"></td></tr>')
        for row in part.to_dict("records"):
            notes = [f"reveal {row['reveal']}"] if str(row["reveal"]) != "0" else []
            notes += [row["study"]] if isinstance(row["study"], str) else []
            note = f" <small>({escape(', '.join(notes))})</small>" if notes else ""
            body.append(f'<tr><th scope="row">{escape(row["design"])}{note}</th>')
            body += [f"<td{classes(name)}>{cell(row[name])}</td>" for _, name, *_ in columns]
            body.append("</tr>")
        body.append("</tbody>")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>All designs before training</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}{PAGE_STYLE}</style></head><body>'
        f"<table><caption>All designs before training: {len(frame)} rows</caption>{''.join(head)}</tr></thead>"
        f"{''.join(body)}</table></body></html>\n"
    )
