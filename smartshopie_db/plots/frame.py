"""Axes and the layout that all figures share: few lines, honest scales."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

from .drawing import Layout, Style
from .text import affixes

WEEK_MS = 7 * 24 * 3600 * 1000
MONDAY = "2024-01-01"

DAY_MS = WEEK_MS // 7
FEW = 4

# Ticks say the day before the month, as the notes do; what is under them is said once.
TICKS: list[dict[str, Any]] = [
    {"dtickrange": [None, DAY_MS - 1], "value": "%H:%M\n%-d %b %Y"},
    {"dtickrange": [DAY_MS, 4 * WEEK_MS], "value": "%-d %b\n%Y"},
    {"dtickrange": ["M1", "M6"], "value": "%b\n%Y"},
    {"dtickrange": ["M12", None], "value": "%Y"},
]

# How each bucket is named when it is pointed at.
HOVER = {
    "minute": "%-d %b %Y, %H:%M UTC",
    "day": "%a %-d %b %Y",
    "week": "week of %-d %b %Y",
    "month": "%B %Y",
    "quarter": "%b %Y",
    "year": "%Y",
}


def layout(style: Style, **more: Any) -> Layout:
    """The layout without axes.  A finger on the figure scrolls the page."""
    return {
        "autosize": True,
        "dragmode": False,
        "hovermode": "x unified",
        "separators": style.separators,
        "margin": {"l": 8, "r": 16, "t": 16, "b": 8, "pad": 4},
        "showlegend": False,
        "barmode": "stack",
        "legend": {
            "orientation": "h", "x": 0, "xanchor": "left", "y": 1.02,
            "yanchor": "bottom", "title": {"text": ""},
        },
        **more,
    }  # fmt: skip


def value_axis(unit: str | None, style: Style, what: str, **more: Any) -> Layout:
    """A scale from zero.  Its ticks carry the unit; where there is none, or an amount
    has no currency, the title says what is counted."""
    before, after = affixes(unit, style)
    return {
        "automargin": True,
        "rangemode": "tozero",
        "tickprefix": before,
        "ticksuffix": after,
        "separatethousands": True,
        "nticks": 6,
        "showgrid": True,
        "zeroline": True,
        "title": {"text": "" if before or after else what, "standoff": 8},
        **more,
    }


def time_axis(every: str, starts: Sequence[str] = (), **more: Any) -> Layout:
    """An axis of buckets, which begin at `starts`: a few of them are each named, as
    plotly would put hours between."""
    ticks: Layout = {"tickformatstops": TICKS}
    months = every not in ("minute", "day", "week")
    if every == "minute":
        ticks = {"tickformat": "%H:%M"}
    elif 0 < len(starts) <= FEW:
        ticks = {
            "tickvals": list(starts),
            "tickformat": TICKS[2 if months else 1]["value"],
        }
        if len(starts) == 1:
            ticks["range"] = _around(starts[0], 31 if months else 1)
    if months:
        ticks["ticklabelmode"] = "period"
    return {
        **ticks,
        "type": "date",
        "automargin": True,
        "showgrid": False,
        "nticks": 6,
        "hoverformat": HOVER[every],
        **more,
    }


def _around(day: str, days: int) -> list[str]:
    middle, room = datetime.date.fromisoformat(day), datetime.timedelta(days)
    return [(middle - room).isoformat(), (middle + room).isoformat()]


def name_axis(labels: list[str], **more: Any) -> Layout:
    """Names from top to bottom, at 0, 1, 2: equal ones stay apart."""
    return {
        "automargin": True,
        "tickvals": list(range(len(labels))),
        "ticktext": labels,
        "range": [len(labels) - 0.5, -0.5],
        "showgrid": False,
        "zeroline": False,
        "ticks": "",
        **more,
    }


def period(every: str) -> dict[str, Any]:
    """Draws a bucket in the middle of its days rather than on the first."""
    if every == "week":
        return {
            "xperiod": WEEK_MS, "xperiod0": MONDAY, "xperiodalignment": "middle",
        }  # fmt: skip
    months = {"month": "M1", "quarter": "M3", "year": "M12"}.get(every)
    return {"xperiod": months, "xperiodalignment": "middle"} if months else {}
