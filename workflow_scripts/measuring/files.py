"""A table in the three forms that are kept of it: Parquet to compute with, CSV to take away, a page to read."""

from html import escape
from pathlib import Path

import pandas as pd
import pyarrow as pa

from common.artifacts import whole, write_table

STYLE = """
:root { color-scheme: light dark; }
body { margin: 0; font: 13px/1.5 system-ui, sans-serif; color: CanvasText; background: Canvas; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; white-space: nowrap; }
caption { text-align: left; padding: .6rem; font-weight: bold; position: sticky; left: 0; }
th, td { padding: .15rem .6rem; text-align: left; border-bottom: 1px solid rgb(128 128 128 / .3); }
thead th { position: sticky; top: 0; background: Canvas; vertical-align: bottom; }
tbody tr:hover { background: rgb(128 128 128 / .15); }
"""


def write(folder: str | Path, name: str, frame: pd.DataFrame, html: str = "") -> None:
    """Write `frame` to name.parquet, name.csv and name.html in a folder; four digits of a number in the last two.

    html: a page of the frame's own, where the usual one does not do.
    """
    place = Path(folder) / name
    write_table(place.with_suffix(".parquet"), pa.Table.from_pandas(frame, preserve_index=False))
    with whole(place.with_suffix(".csv")) as partial:
        frame.to_csv(partial, index=False, float_format="%.4g", lineterminator="\n")
    with whole(place.with_suffix(".html")) as partial:
        partial.write_text(html or page(name, frame), encoding="utf-8")


def page(name: str, frame: pd.DataFrame) -> str:
    """One HTML page with all rows and whole texts; a value that is missing is an empty cell."""
    table = frame.to_html(index=False, border=0, na_rep="", float_format="{:.4g}".format)
    head, body = table.split(">", 1)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(name)}</title>'
        f"<style>{STYLE}</style></head><body>{head}><caption>{escape(name)}, {len(frame)} rows</caption>{body}"
        "</body></html>\n"
    )
