"""The page that a run is read by: what it is made of, and how it behaves in a real browser."""

import base64
import gzip
import json
import re
import shutil
from collections import defaultdict
from pathlib import Path

import pandas as pd
import pytest
from made_run import Made, arm, coin, echo, make, oracle

from browser import Browser
from common.artifacts import read_table, write_table
from common.errors import LabError
from measuring.explorer.parts import HERE, SIZE, Cell, cells_of, write
from reasoning.grammar.trace import CLOSE, OPEN
from reasoning.judging.audit import MARKS

EVIL = "</script><img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script> <b>&lt;"
LINES = 2_500
MEGABYTE = "\n".join([OPEN, *["40-40=0 XL XL"] * LINES, "x" * 1_000_000])


def hostile(row, rows, rng):
    return row["completion"].replace(f"\n{CLOSE}", f"\n{EVIL}\n{CLOSE}")


def endless(row, rows, rng):
    return MEGABYTE if row is rows[0] else row["completion"]


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Made:
    planned = [
        (arm("followed", "numeral,bit_manipulation", "forward"), {"greedy": oracle}),
        (arm("echoed", "cryptarithm_deduce", "search"), {"greedy": echo, "sample-2": coin}),
        (arm("shown", "cryptarithm_deduce", "derive", reveal="10"), {"greedy": coin}),
        (arm("hostile", "numeral", "forward"), {"greedy": hostile, "sample-2": endless}),
    ]
    return make(tmp_path_factory.mktemp("made"), planned, n=6, decoders=("greedy", "sample-2"))


@pytest.fixture(scope="module")
def page(made) -> Path:
    made.script(
        "explorer", "--results", made.results, "--arms", made.folder / "arms.tsv", "--out", made.folder / "page"
    )
    return made.folder / "page/index.html"


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    with Browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture
def browser(chromium, page):
    """The page, freshly opened."""
    chromium.call("Page.navigate", url="about:blank")
    chromium.events.clear()
    chromium.open(page)
    chromium.until("document.querySelector('#list a')")
    yield chromium
    assert chromium.faults == []


def table_of(page: Path) -> dict:
    return json.loads((page.parent / "rows.js").read_text().removeprefix("run(").removesuffix(");\n"))


def part_of(page: Path, number: int):
    packed = re.fullmatch(r'part\(\d+, "(.*)"\);\n', (page.parent / f"parts/{number}.js").read_text())[1]
    return json.loads(gzip.decompress(base64.b64decode(packed)))


def frames(made: Made, cell: Cell) -> tuple[pd.DataFrame, ...]:
    return tuple(read_table(path).to_pandas() for path in (cell.completions, cell.lines, cell.rows))


def opened(browser, row: str) -> None:
    browser.js(f"location.hash = 'row={row}'")
    browser.until(f"document.querySelector('#detail h2')?.textContent.startsWith('{row.split('/')[4]}')"
                  " && document.querySelector('.lines')")  # fmt: skip
    browser.until(f"document.querySelector('#detail nav a').hash.endsWith('{row}')")


def test_every_completion_is_in_it_with_every_mark(made, page):
    table, texts = table_of(page), []
    for (start, number), (end, _) in zip(
        table["starts"], [*table["starts"][1:], (len(table["columns"]["id"]), 0)], strict=True
    ):
        part = part_of(page, number)
        assert len(part) == end - start
        texts += part
    at = 0
    for cell in cells_of(made.run):
        completions, lines = (read_table(path).to_pylist() for path in (cell.completions, cell.lines))
        judged = defaultdict(list)
        for line in lines:
            judged[line["id"], line["sample"]].append(line)
        for row in completions:
            text, own = texts[at], judged[row["id"], row["sample"]]
            assert text["text"] == row["text"] and text["prompt"] == row["prompt"]
            signs = ["".join({True: "+", False: "-", None: "."}[each[mark]] for mark in MARKS) for each in own]
            assert list(text["lines"].values()) == [f"{s} {each['kind']}" for s, each in zip(signs, own, strict=True)]
            written = row["text"].split("\n")
            assert [written[int(number)] for number in text["lines"]] == [each["text"] for each in own]
            failed = [each["text"] for each in own if each["first_failure"]]
            assert ([] if text["first"] is None else [written[text["first"]]]) == failed
            assert part_of(page, table["columns"]["problem"][at])[row["id"]]["answer"] == row["answer"]
            at += 1
    assert at == len(texts)


def test_the_same_run_gives_the_same_bytes_and_small_parts(made, page, tmp_path):
    write(tmp_path / "again", made.results.name, cells_of(made.run))
    files = {path.relative_to(page.parent): path.read_bytes() for path in page.parent.rglob("*.*")}
    assert files == {p.relative_to(tmp_path / "again"): p.read_bytes() for p in (tmp_path / "again").rglob("*.*")}
    long = [len(row["text"]) for _, number in table_of(page)["starts"] for row in part_of(page, number)]
    assert max(long) == len(MEGABYTE) > SIZE
    assert max(len(part_of(page, number)) for _, number in table_of(page)["starts"]) <= 100


def test_filter_open_a_row_and_see_the_marked_line(made, browser):
    cell = next(c for c in cells_of(made.run) if (c.arm, c.decoder) == ("shown", "greedy"))
    completions, lines, rows = frames(made, cell)
    assert rows.failure_kind.ne("").any()
    browser.js("""(() => { const select = document.querySelector('[name="arm"]'); select.value = 'shown';
        select.dispatchEvent(new Event('input', {bubbles: true})); })()""")
    browser.until("document.querySelectorAll('#list tbody tr').length === 18")
    assert browser.js("document.querySelector('#summary').textContent").startswith("18 completions of 90, on 6 puzzles")
    browser.js("location.hash += '&decoder=greedy&failure=' + encodeURIComponent("
               f"{json.dumps(rows.failure_kind[rows.failure_kind != ''].iloc[0])})")  # fmt: skip
    kind = rows.failure_kind[rows.failure_kind != ""].iloc[0]
    browser.until(f"document.querySelectorAll('#list tbody tr').length === {(rows.failure_kind == kind).sum()}")
    browser.js("document.querySelector('#list a').click()")
    browser.until("document.querySelector('tr.first')")
    row = rows[rows.failure_kind == kind].iloc[0]
    failed = lines[(lines.id == row.id) & lines.first_failure].iloc[0]
    shown = browser.js("document.querySelector('tr.first td.text').textContent")
    assert shown == f"first failure: {row.failure_axis}{failed.kind}{failed.text}"
    assert row.failure_axis in browser.js("document.querySelector('tr.first').className").split()
    assert browser.js("getComputedStyle(document.querySelector('tr.first td.text')).outlineStyle") == "solid"
    place = MARKS.index(row.failure_axis)
    assert browser.js(f"document.querySelectorAll('tr.first td.m')[{place}].textContent") == "✗"
    assert len(lines[lines.id == row.id]) == browser.js("document.querySelectorAll('.lines .kind').length")


def test_a_link_names_a_row_with_its_prompt_key_and_rendered_trace(made, browser):
    cell = next(c for c in cells_of(made.run) if (c.arm, c.decoder) == ("shown", "sample-2"))
    completions, _, _ = frames(made, cell)
    row = completions[completions["sample"] == 1].iloc[2]
    opened(browser, f"shown/1/sample-2/test/{row.id}/1")
    puzzle = read_table(cell.puzzles[0]).to_pandas().set_index("id").loc[row.id]
    told = browser.js("document.querySelector('#detail').textContent")
    assert row.prompt in told and row.answer in told
    assert all(f"{glyph}={digit}" in told for glyph, digit in json.loads(puzzle.key).items())
    rendered = read_table(cell.texts[0]).to_pandas().set_index("id").loc[row.id].completion
    column = "[...document.querySelectorAll('.lines td.{}')].map((cell) => cell.lastChild?.data ?? '')"
    assert browser.js(column.format("rendered"))[: rendered.count("\n") + 1] == rendered.split("\n")
    assert browser.js(column.format("text"))[: row.text.count("\n") + 1] == row.text.split("\n")
    browser.js("document.querySelector('#detail input').click()")
    assert browser.js("getComputedStyle(document.querySelector('.lines td.rendered')).display") == "none"
    browser.js("document.querySelector('#detail details').open = true")
    browser.until("document.querySelector('#detail details li')")
    same = sum((frames(made, c)[0].id == row.id).sum() for c in cells_of(made.run))
    assert browser.js("document.querySelectorAll('#detail details li').length") == same - 1


def test_a_hostile_completion_is_only_text(made, browser):
    cell = next(c for c in cells_of(made.run) if (c.arm, c.decoder) == ("hostile", "greedy"))
    opened(browser, f"hostile/1/greedy/test/{frames(made, cell)[0].id[0]}/0")
    assert EVIL in browser.js("document.querySelector('.lines').textContent")
    assert browser.js("document.querySelectorAll('img, .lines script').length") == 0
    assert browser.js("document.title") == f"Explorer: {made.results.name}"


def test_a_completion_of_a_megabyte_opens_and_shows_more_on_demand(made, browser):
    cell = next(c for c in cells_of(made.run) if (c.arm, c.decoder) == ("hostile", "sample-2"))
    opened(browser, f"hostile/1/sample-2/test/{frames(made, cell)[0].id[0]}/0")
    assert browser.js("document.querySelectorAll('.lines tbody tr').length") == 2001
    browser.js("document.querySelector('.lines tbody tr:last-child button').click()")
    assert browser.js("document.querySelectorAll('.lines tbody tr').length") == LINES + 2
    assert browser.js("document.querySelector('.lines').textContent.length") < 500_000
    browser.js("document.querySelector('.lines tbody tr:last-child button').click()")
    assert browser.js("document.querySelector('.lines').textContent.length") > 1_000_000


def test_keys_alone_open_and_move_and_a_page_loads_only_what_is_read(browser):
    loaded = "loading.size"
    assert browser.js(loaded) == 0
    browser.js("document.querySelector('#list a').focus()")
    browser.press("Enter")
    browser.until("document.querySelector('.lines')")
    assert browser.js(loaded) == 2
    browser.press("ArrowDown")
    browser.until("document.querySelectorAll('#list a')[1].hasAttribute('aria-current')")
    browser.until("document.activeElement === document.querySelectorAll('#list a')[1]")
    browser.until("document.querySelector('#detail h2').textContent.startsWith(document.activeElement.textContent)")
    browser.js("document.querySelector('#detail nav button').click()")
    browser.until("document.querySelectorAll('#list a')[0].hasAttribute('aria-current')")


def test_what_is_not_there_is_said(made, page, chromium, tmp_path):
    folder = shutil.copytree(page.parent, tmp_path / "page")
    shutil.rmtree(folder / "parts")
    chromium.call("Page.navigate", url="about:blank")
    chromium.open(folder / "index.html", "#arm=nobody&row=no/such/row")
    chromium.until("document.querySelector('#detail h2')?.textContent === 'No such completion'")
    assert "Not in this run: arm nobody" in chromium.js("document.querySelector('#summary').textContent")
    chromium.js("document.querySelector('#list a').click()")
    chromium.until("document.querySelector('#detail').textContent.includes('the page needs its whole folder')")


def test_grades_of_other_completions_and_a_missing_audit_are_named(made, tmp_path):
    cell = next(c for c in cells_of(made.run) if c.arm == "followed")
    other = tmp_path / "grades.parquet"
    write_table(other, read_table(cell.grades).slice(1))
    for wrong, words in (
        ({"grades": str(other)}, f"{other}: field id: its rows are not those of {cell.completions}"),
        ({"rows": str(tmp_path / "none.parquet")}, "none.parquet: no such file"),
    ):
        parts = {name: getattr(cell, name) for name in Cell.__dataclass_fields__} | wrong
        with pytest.raises(LabError, match=re.escape(words)):
            write(tmp_path / "page", "run", [Cell(**parts)])
        assert not (tmp_path / "page").exists()
    with pytest.raises(LabError, match="no completions"):
        write(tmp_path / "page", "run", [])


def luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    digits = "".join(2 * c for c in digits) if len(digits) == 3 else digits
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4
              for v in (int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4))]  # fmt: skip
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_every_colour_can_be_read_in_light_and_dark():
    """WCAG 2.2, 1.4.3: text stands out at least 4.5 to 1."""
    schemes = re.findall(r":root \{(.*?)\}", (HERE / "page.css").read_text(), re.S)
    assert len(schemes) == 2
    for scheme in schemes:
        colours = dict(re.findall(r"--(\w+): (#\w+);", scheme))
        for ground in ("ground", "panel", "chosen"):
            for name in set(colours) - {"ground", "panel", "chosen", "rule"}:
                light, dark = sorted((luminance(colours[name]), luminance(colours[ground])), reverse=True)
                assert (light + 0.05) / (dark + 0.05) >= 4.5, (name, ground)
