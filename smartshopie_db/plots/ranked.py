"""Bars for names, the largest on top.  Each name stands over its bar, so that a long
one takes no width from it, also on a phone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .common import nothing
from .drawing import Drawing, Layout, Style, Trace
from .frame import layout
from .palette import BLUE
from .text import escape, label

ROW = 46  # pixels for a name and its bar
LONGEST = 60
BAR = 0.42  # of a row, in its lower part
DOWN = 0.22


def bars(
    values: Sequence[float | None],
    texts: Sequence[str] | None,
    hover: Sequence[str],
    *,
    name: str = "",
    colour: str = BLUE,
    **more: Any,
) -> Trace:
    """One bar a row; its text stands inside where it fits.  `hover` is escaped text."""
    wide: Trace = {
        "type": "bar",
        "orientation": "h",
        "name": name,
        "x": list(values),
        "y": [i + DOWN for i in range(len(values))],
        "width": BAR,
        "marker": {"color": colour, "line": {"width": 0}},
        "customdata": list(hover),
        "hovertemplate": "%{customdata}<extra></extra>",
    }
    if texts is not None:
        wide |= {
            "text": list(texts),
            "textposition": "auto",
            "textangle": 0,
            "constraintext": "none",
            "insidetextfont": {"color": "#ffffff"},
            "cliponaxis": False,
        }
    return {**wide, **more}


def rows_layout(names: Sequence[object], style: Style, **more: Any) -> Layout:
    """The layout for such bars: rows from the top, names over them, no ticks."""
    plain: Layout = {"visible": False, "rangemode": "tozero", "fixedrange": True}
    return layout(
        style,
        hovermode="closest",
        height=ROW * max(len(names), 2) + 40,
        annotations=[over(name, row) for row, name in enumerate(names)],
        **{
            "xaxis": plain,
            "yaxis": {
                "visible": False,
                "range": [len(names) - 0.5, -0.5],
                "fixedrange": True,
            },
            **more,
        },
    )


def over(name: object, row: int, **more: Any) -> dict[str, Any]:
    """The name at the left over its bar."""
    return {
        "text": label(name, LONGEST),
        "showarrow": False,
        "xref": "paper",
        "x": 0,
        "xanchor": "left",
        "yref": "y",
        "y": row + DOWN - BAR / 2,
        "yanchor": "bottom",
        "align": "left",
        "borderpad": 0,
        **more,
    }


@dataclass(frozen=True)
class Item:
    """A row of a ranking; `details` are what a pointer shows under its name."""

    name: object
    value: float | None
    text: str
    details: tuple[str, ...] = ()

    def hover(self) -> str:
        return "<br>".join((f"{escape(self.name)}: {self.text}", *self.details))


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
    bar = bars(
        [item.value for item in items],
        [item.text for item in items],
        [item.hover() for item in items],
    )
    return Drawing(
        name, title, note, [bar],
        rows_layout([item.name for item in items], style, **more),
        columns, rows, units,
    )  # fmt: skip
