"""A plot as a chart of the page: what the script draws, and its numbers for people."""

from __future__ import annotations

import csv
import datetime
import io
import math
from collections.abc import Mapping
from typing import Any

from ...plots import PLOTS, THEMES, Drawing, Plot, Style
from ..jsons import encode
from ..refused import Refused
from ..state import Body, State
from . import wording
from .asked import Asked
from .blocks import Cell, Chart, Choice, Column, Table

# What ends a script element, or a line of JavaScript, does not occur in these blocks.
_UNSAFE = {
    ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&'\u2028\u2029"
}  # fmt: skip
HEIGHT, STEP = 320, 40  # pixels of a chart
PREVIEW = 400  # rows of a table in the page; the download has all
FORMULAS = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would run


def data_block(value: Any) -> str:
    """JSON for <script type="application/json">."""
    return encode(value).decode().translate(_UNSAFE)


def themes() -> str:
    return data_block({name: {"layout": layout} for name, layout in THEMES.items()})


def style(state: State) -> Style:
    return Style(currency=state.settings.currency)


def parameters(plot: Plot, asked: Asked) -> dict[str, str]:
    """Those of the page's that are this plot's."""
    return {name: asked.shown[name] for name in plot.parameters if name in asked.shown}


def draw(state: State, name: str, asked: Asked, window: Any) -> Drawing:
    plot = PLOTS[name]
    return plot.draw(state.db, window, style(state), **parameters(plot, asked))


def chart(
    state: State, name: str, asked: Asked, window: Any, urls: Any, span: int
) -> Chart:
    """`urls` makes addresses: urls.here(query), urls.data(name, ext, query)."""
    drawing = draw(state, name, asked, window)
    layout = dict(drawing.layout)
    height = layout.pop("height", None)
    figure = {"data": drawing.data, "layout": layout}
    return Chart(
        id=name,
        title=drawing.title,
        note=drawing.note,
        figure="" if drawing.empty else data_block(figure),
        table=table(drawing, state.settings.currency),
        csv=urls.data(name, "csv", asked.query()),
        json=urls.data(name, "json", asked.query()),
        choices=choices(PLOTS[name], asked, urls),
        empty=drawing.empty or "",
        about=PLOTS[name].summary,
        tables=PLOTS[name].tables,
        span=span,
        height=step(height),
    )


def step(height: float | None) -> int:
    """One of the heights that app.css has: there is no style in the page."""
    if height is None:
        return HEIGHT
    return min(max(STEP * math.ceil(height / STEP), 160), 800)


def choices(plot: Plot, asked: Asked, urls: Any) -> list[Choice]:
    found = []
    for name, values in plot.parameters.items():
        chosen = asked.shown.get(name, values[0])
        for value in values:
            query = asked.query(**{name: None if value == values[0] else value})
            found.append(
                Choice(wording.words(value), urls.here(query), value == chosen)
            )
    return found


def table(drawing: Drawing, currency: str | None) -> Table:
    columns = [
        Column(wording.words(name), unit, is_number(drawing.rows, i))
        for i, (name, unit) in enumerate(
            zip(drawing.columns, drawing.units, strict=True)
        )
    ]
    rows = [
        [
            drawn(value, column, currency)
            for value, column in zip(row, columns, strict=True)
        ]
        for row in drawing.rows[:PREVIEW]
    ]
    more = len(drawing.rows) - PREVIEW
    note = f"and {more} more in the download" if more > 0 else ""
    return Table(f"{drawing.name}-table", drawing.title, note, columns, rows)


def is_number(rows: list[tuple[Any, ...]], i: int) -> bool:
    found = [row[i] for row in rows if row[i] is not None]
    return bool(found) and all(
        isinstance(value, int | float) and not isinstance(value, bool)
        for value in found
    )


def drawn(value: Any, column: Column, currency: str | None) -> Cell:
    if not column.number:
        value = as_day(value)
    text = wording.cell(value, column.unit, currency)
    return Cell(text, value if column.number else None, wording.iso(value))


def as_day(value: Any) -> Any:
    """Drawings have days as ISO text."""
    if isinstance(value, str) and len(value) == 10:
        try:
            return datetime.date.fromisoformat(value)
        except ValueError:
            pass
    return value


# ---- downloads -----------------------------------------------------------------------


def find(name: str) -> Plot:
    if name not in PLOTS:
        raise Refused(404, "not_found", "there is no such chart")
    return PLOTS[name]


def as_csv(drawing: Drawing) -> Body:
    """What begins as a formula gets an apostrophe: it is somebody's text."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(map(harmless, drawing.columns))
    writer.writerows([harmless(value) for value in row] for row in drawing.rows)
    return Body(file.getvalue().encode(), "text/csv; charset=utf-8")


def harmless(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(FORMULAS):
        return "'" + value
    return value


def as_json(drawing: Drawing, asked: Asked) -> Mapping[str, Any]:
    return {
        "success": True,
        "name": drawing.name,
        "title": drawing.title,
        "note": drawing.note,
        "columns": drawing.columns,
        "units": drawing.units,
        "rows": drawing.rows,
    }
