"""Bars for names, the largest on top.  Name and figure stand over the bar, at its left
and at the right edge: that takes no width from it, and fits a phone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from .common import nothing
from .drawing import Drawing, Layout, Style, Trace
from .frame import layout
from .palette import BLUE
from .text import escape, label

ROW = 46  # pixels for a name and its bar
GAP = "\N{NO-BREAK SPACE}" * 2
LONGEST = 40  # characters of a name
BAR = 0.42  # of a row, in its lower part
DOWN = 0.22
TOP = 0.4  # above the middle of the first row


@dataclass(frozen=True)
class Item:
    """A row: its name, as stored; its bar and what is written at the right, as plotly
    takes it; `details` are what a pointer shows besides."""

    name: object
    value: float | None
    text: str
    details: tuple[str, ...] = ()

    def hover(self) -> str:
        return "<br>".join((f"{escape(self.name)}: {self.text}", *self.details))


def bars(
    items: Sequence[Item],
    values: Sequence[float | None] | None = None,
    *,
    name: str = "",
    colour: str = BLUE,
    shift: float = 0.0,
    **more: Any,
) -> Trace:
    """One bar a row, of the items' values unless others are given."""
    return {
        "type": "bar",
        "orientation": "h",
        "name": name,
        "x": [item.value for item in items] if values is None else list(values),
        "y": [row + DOWN + shift for row in range(len(items))],
        "width": BAR,
        "marker": {"color": colour, "line": {"width": 0}},
        "customdata": [item.hover() for item in items],
        "hovertemplate": "%{customdata}<extra></extra>",
        **more,
    }


def dots(items: Sequence[Item], values: Sequence[float | None], **more: Any) -> Trace:
    """One mark a row, at the height of its bar."""
    return {
        "type": "scatter",
        "mode": "markers",
        "x": list(values),
        "y": [row + DOWN for row in range(len(items))],
        "connectgaps": False,
        "cliponaxis": False,
        "customdata": [item.hover() for item in items],
        "hovertemplate": "%{customdata}<extra></extra>",
        **more,
    }


def rows_layout(items: Sequence[Item], style: Style, **more: Any) -> Layout:
    """The layout for such bars, from top to bottom, with words for ticks."""
    most = max((item.value or 0 for item in items), default=0) or 1
    return layout(
        style,
        hovermode="closest",
        height=ROW * max(len(items), 2) + (64 if more.get("showlegend") else 40),
        annotations=[
            words for row, item in enumerate(items) for words in _words(item, row)
        ],
        **{
            "xaxis": scale(most),
            "yaxis": {
                "visible": False,
                "range": [len(items) - 0.5, -TOP],
                "fixedrange": True,
            },
            **more,
        },
    )


def scale(most: float, **more: Any) -> Layout:
    """From zero to the right edge, without ticks."""
    return {"visible": False, "range": [0, most], "fixedrange": True, **more}


def _words(item: Item, row: int) -> list[dict[str, Any]]:
    """The figure comes last: where there is no room its background, that of the theme,
    covers the end of the name."""
    common = {
        "showarrow": False, "xref": "paper", "yref": "y", "yanchor": "bottom",
        "y": row + DOWN - BAR / 2, "borderpad": 0,
    }  # fmt: skip
    return [
        {
            **common,
            "x": 0,
            "xanchor": "left",
            "align": "left",
            "text": label(item.name, LONGEST),
        },
        {**common, "x": 1, "xanchor": "right", "text": GAP + item.text},
    ]


def ranking(
    name: str,
    title: str,
    note: str,
    style: Style,
    items: Sequence[Item],
    columns: tuple[str, ...],
    rows: list[tuple[Any, ...]],
    units: tuple[str | None, ...],
    **more: Any,
) -> Drawing:
    """One bar for each item; `rows` are its numbers."""
    if not items:
        return nothing(name, title, style, note)
    return Drawing(
        name, title, note, [bars(items)], rows_layout(items, style, **more),
        columns, rows, units,
    )  # fmt: skip


def split(
    drawn: Drawing,
    items: Sequence[Item],
    rest: Sequence[float | None],
    names: tuple[str, str],
    colour: str,
) -> Drawing:
    """The same, each bar continued by the rest of a whole."""
    if drawn.empty:
        return drawn
    first = [item.value for item in items]
    known = ([value or 0 for value in values] for values in (first, rest))
    layout = {
        **drawn.layout,
        "xaxis": scale(max(map(sum, zip(*known, strict=True)), default=0) or 1),
        "showlegend": True,
        "legend": {**drawn.layout["legend"], "traceorder": "normal"},
    }
    data = [
        {**drawn.data[0], "name": names[0]},
        bars(items, rest, name=names[1], colour=colour),
    ]
    return replace(drawn, data=data, layout=layout)
