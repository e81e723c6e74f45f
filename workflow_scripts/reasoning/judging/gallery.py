"""The gallery page: traces as a person reads them, self-contained HTML without scripts."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from reasoning.grammar.lines import Line
from reasoning.grammar.reveal import Reveal
from reasoning.grammar.texts import RENDERED, Row
from reasoning.grammar.trace import Design, Malformed, parse_completion
from reasoning.judging.audit import AXES, audit

HUES = (210, 30, 140, 285, 0, 175, 55, 330, 100, 245, 15, 190)
"""Colours of the kinds of a design, in the order in which it declares them; far apart first."""

STYLE = """
:root { color-scheme: light dark; --ink: #1c2024; --soft: #667; --ground: #fff; --panel: #f6f7f9; --rule: #dde; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8eaee; --soft: #99a; --ground: #14161a; --panel: #1d2026; --rule: #333a44; }
}
* { box-sizing: border-box; }
body { margin: 0; font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--ground);
  display: grid; grid-template-columns: 17rem minmax(0, 1fr); }
nav { position: sticky; top: 0; height: 100vh; overflow-y: auto; padding: 1rem; background: var(--panel);
  border-right: 1px solid var(--rule); font-size: 13px; }
nav a { display: block; color: inherit; text-decoration: none; padding: .1rem 0 .1rem .8rem; }
nav a:hover, nav a:focus { text-decoration: underline; }
nav b { display: block; margin-top: .8rem; }
main { padding: 1rem 2rem 6rem; max-width: 78rem; }
h2 { margin-top: 3rem; border-bottom: 2px solid var(--rule); }
h3 { margin: 2.2rem 0 .2rem; }
p.doc { margin: 0 0 .5rem; color: var(--soft); max-width: 60rem; white-space: pre-line; }
.traces { display: flex; flex-wrap: wrap; gap: 1rem; align-items: flex-start; }
.trace { flex: 1 1 24rem; min-width: 0; background: var(--panel); border: 1px solid var(--rule); border-radius: 6px; }
.trace header { padding: .4rem .8rem; border-bottom: 1px solid var(--rule); font-size: 13px; color: var(--soft); }
pre { margin: 0; padding: .4rem .8rem; font: 13px/1.55 ui-monospace, monospace; white-space: pre-wrap;
  overflow-wrap: anywhere; }
.prompt { background: var(--panel); border: 1px solid var(--rule); border-radius: 6px; max-width: 60rem; }
.line { position: relative; display: block; padding: 0 .4rem; margin-left: -.2rem;
  border-left: 4px solid hsl(var(--hue) 65% 50%); background: hsl(var(--hue) 70% 50% / .07); }
.line:hover, .line:focus { background: hsl(var(--hue) 70% 50% / .22); outline: none; }
.line mark { color: inherit; font-weight: 700; background: none; border-bottom: 2px solid hsl(var(--hue) 65% 50%); }
.line .tip { display: none; position: absolute; z-index: 2; left: 1rem; top: 1.7em; padding: .5rem .8rem;
  width: max-content; max-width: 34rem; background: var(--ground); border: 1px solid var(--soft); border-radius: 6px;
  box-shadow: 0 4px 16px #0004; font: 12px/1.5 system-ui, sans-serif; white-space: pre-line; }
.line:hover .tip, .line:focus .tip { display: block; }
.kinds { font-size: 12px; color: var(--soft); margin: .3rem 0 .6rem; display: flex; flex-wrap: wrap; gap: .2rem 1rem; }
.kinds span::before { content: ""; display: inline-block; width: .7em; height: .7em; margin-right: .35em;
  border-radius: 2px; background: hsl(var(--hue) 65% 50%); }
.one { color: #c33; font-weight: 600; }
@media (max-width: 60rem) { body { display: block; } nav { position: static; height: auto; } main { padding: 1rem; } }
"""


@dataclass(frozen=True)
class Exhibit:
    """One row of a family and what each (design, reveal) makes of it; `rows` and `shown` go together."""

    puzzle: Mapping[str, Any]
    rows: Sequence[Row]
    shown: Sequence[tuple[Design, Reveal]]

    @property
    def told(self) -> int:
        """How many of the designs and reveals render this row."""
        return sum(row.status == RENDERED for row in self.rows)


def _hues(design: Design) -> dict[str, int]:
    return {kind.KIND: HUES[i % len(HUES)] for i, kind in enumerate(design.kinds)}


def _line(each: Line | Malformed, checked: Any, hues: Mapping[str, int]) -> str:
    if not isinstance(each, Line):
        return f'<span class="line" style="--hue:0">{escape(each.text())}</span>'
    text, verdict = escape(each.text()), getattr(each, "verdict", "")
    if verdict:
        head, _, tail = text.rpartition(escape(verdict))
        text = f"{head}<mark>{escape(verdict)}</mark>{tail}"
    fields = [f"{f.name} = {getattr(each, f.name)!r}" for f in dataclasses.fields(each)]
    words = {True: "right", False: "WRONG", None: "nothing to check"}
    checks = [f"{axis}: {words[getattr(checked, axis)]}" for axis in AXES]
    forced = [f"forced by {each.FORCED_BY}; can be {', '.join(each.OUTCOMES)}"] if each.OUTCOMES else []
    tip = escape("\n".join([each.KIND, *fields, *forced, *checks]))
    hue = hues.get(each.KIND, 0)
    return f'<span class="line" style="--hue:{hue}" tabindex="0">{text}<span class="tip">{tip}</span></span>'


def _trace(row: Row, design: Design, reveal: Reveal) -> str:
    head = f"reveal {reveal}"
    if row.status != RENDERED:
        return f'<div class="trace"><header>{head}: not told, {escape(row.status)}</header></div>'
    lines = parse_completion(row.completion, design)
    checked = audit(row.completion, row.page, design)
    hues = _hues(design)
    body = "".join(_line(each, check, hues) for each, check in zip(lines, checked, strict=True))
    key = "".join(f" &middot; {escape(line)}" for line in row.page.split("\n") if line.startswith(("Key:", "Rules:")))
    right = (
        ""
        if row.boxed is None
        else (" &middot; right" if row.boxed == row.answer else " &middot; boxes a wrong answer")
    )
    ending = " &middot; undetermined" if row.boxed is None else right
    return (
        f'<div class="trace"><header>{head}{key} &middot; {len(row.completion)} characters{ending}</header>'
        f"<pre>{body}</pre></div>"
    )


def _design(exhibit: Exhibit, design: Design, anchor: str) -> str:
    parts = [
        _trace(row, design, reveal)
        for row, (of, reveal) in zip(exhibit.rows, exhibit.shown, strict=True)
        if of is design
    ]
    legend = []
    for kind, hue in _hues(design).items():
        outcomes = next(k.OUTCOMES for k in design.kinds if k.KIND == kind)
        note = f" ({'/'.join(outcomes)})" if outcomes else ""
        flag = ' <b class="one">one outcome</b>' if len(outcomes) == 1 else ""
        legend.append(f'<span style="--hue:{hue}">{escape(kind + note)}{flag}</span>')
    return (
        f'<h3 id="{anchor}">{escape(design.id)}</h3><div class="kinds">{"".join(legend)}</div>'
        f'<div class="traces">{"".join(parts)}</div>'
    )


def page(exhibits: Sequence[Exhibit]) -> str:
    """The whole page."""
    links, sections = [], []
    for exhibit in exhibits:
        family = exhibit.puzzle["family"]
        links.append(f"<b>{escape(family)}</b>")
        sections.append(
            f'<h2 id="{family}">{escape(family)}</h2><pre class="prompt">{escape(exhibit.puzzle["prompt"])}</pre>'
        )
        sections.append(
            f'<p class="doc">answer {escape(exhibit.puzzle["answer"])} · stratum {exhibit.puzzle["stratum"]}</p>'
        )
        for design in dict.fromkeys(design for design, _ in exhibit.shown):
            anchor = f"{family}-{design.id}"
            links.append(f'<a href="#{anchor}">{escape(design.id)}</a>')
            sections.append(_design(exhibit, design, anchor))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Gallery of designs</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>'
        f"<nav><b>Gallery of designs</b>{''.join(links)}</nav><main>{''.join(sections)}</main></body></html>"
    )
