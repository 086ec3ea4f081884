"""The last minutes that are stored.  Instants are UTC."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .common import ask, nothing, table
from .drawing import Drawing, Layout, Style, Trace, Window
from .frame import layout, time_axis, value_axis
from .palette import BLUE, GREEN, ORANGE, shade
from .text import day, days, shown

if TYPE_CHECKING:
    from .._core import SmartShopieDB


def active_sessions(db: SmartShopieDB, window: Window, style: Style) -> Drawing:
    area = {
        "type": "scatter", "mode": "lines", "fill": "tozeroy", "connectgaps": False,
        "line": {"color": BLUE, "width": 2}, "fillcolor": shade(BLUE, 0.15),
    }  # fmt: skip
    return one(
        db, window, style, "active_sessions", "Active sessions", "active_sessions",
        "count", area, value_axis("count", style, "sessions"),
    )  # fmt: skip


def live_conversions(db: SmartShopieDB, window: Window, style: Style) -> Drawing:
    bars = {"type": "bar", "marker": {"color": BLUE, "line": {"width": 0}}}
    return one(
        db, window, style, "live_conversions", "Conversions per minute",
        "conversions_per_min", "per minute", bars,
        value_axis("count", style, "a minute"),
    )  # fmt: skip


def system_health(db: SmartShopieDB, window: Window, style: Style) -> Drawing:
    """Percent above, milliseconds under it: two scales, two panels."""
    title = "Load and response time"
    figures = ("cpu_usage_pct", "memory_usage_pct", "api_response_time_ms")
    note, rows = readings(db, window, figures)
    if not rows:
        return nothing("system_health", title, style, note)
    times = [row[0] for row in rows]
    data = [
        {
            "type": "scatter", "mode": "lines", "name": what, "x": times,
            "y": [row[k] for row in rows], "connectgaps": False, "yaxis": axis,
            "line": {"color": colour, "width": 2},
            "hovertemplate": shown(unit, style, "y"),
        }
        for k, what, unit, axis, colour in (
            (1, "processor", "percent", "y2", BLUE),
            (2, "memory", "percent", "y2", GREEN),
            (3, "API response", "milliseconds", "y", ORANGE),
        )
    ]  # fmt: skip
    most = max([100.0, *(v for row in rows for v in row[1:3] if v is not None)])
    return Drawing(
        "system_health", title, note, data,
        layout(
            style, showlegend=True, hoversubplots="axis",
            xaxis=time_axis("minute", anchor="y"),
            yaxis=value_axis("milliseconds", style, "", domain=[0, 0.42], nticks=4),
            yaxis2=value_axis("percent", style, "", domain=[0.54, 1], nticks=4,
                              range=[0, most * 1.02]),
        ),
        ("minute (UTC)", "processor", "memory", "API response"), rows,
        (None, "percent", "percent", "milliseconds"),
    )  # fmt: skip


def readings(
    db: SmartShopieDB, window: Window, figures: tuple[str, ...]
) -> tuple[str, list[tuple[Any, ...]]]:
    """A note, and the newest hour of rows up to the window's end, the oldest first."""
    _, found = ask("realtime/system-health", db, window)
    rows = table(found, ("recorded_at", *figures))
    if not rows:
        return days(window.start, window.end), []
    first, last = rows[0][0], rows[-1][0]
    since = "" if first.date() == last.date() else f"{day(first)}, "
    note = f"{since}{first:%H:%M} to {last:%H:%M} UTC, {day(last)}"
    return note, [(moment.isoformat(), *rest) for moment, *rest in rows]


def one(
    db: SmartShopieDB,
    window: Window,
    style: Style,
    name: str,
    title: str,
    column: str,
    unit: str,
    trace: Trace,
    axis: Layout,
) -> Drawing:
    note, rows = readings(db, window, (column,))
    if not rows:
        return nothing(name, title, style, note)
    most = max((row[1] or 0 for row in rows), default=0)
    if most < 5:  # no half ones
        axis = {**axis, "dtick": 1}
    trace |= {
        "name": title, "x": [row[0] for row in rows], "y": [row[1] for row in rows],
        "hovertemplate": shown(unit, style, "y", 0) + "<extra></extra>",
    }  # fmt: skip
    return Drawing(
        name, title, note, [trace],
        layout(style, xaxis=time_axis("minute"), yaxis=axis),
        ("minute (UTC)", title.lower()), rows, (None, unit),
    )  # fmt: skip
