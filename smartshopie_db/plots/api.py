"""The endpoints that the shop is connected to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .common import ask
from .drawing import Drawing, Style, Window
from .ranked import Item, ranking
from .text import day, number

if TYPE_CHECKING:
    from .._core import SmartShopieDB


def endpoint_health(db: SmartShopieDB, window: Window, style: Style) -> Drawing:
    """Response times as last checked, whatever the window, with the share of errors."""
    _, found = ask("realtime/api-endpoints", db, window)
    rows = sorted(
        ((f"{row.method} {row.endpoint_name}", row.avg_response_ms, row.error_rate,
          row.daily_calls) for row in found),
        key=lambda row: -(row[1] or 0),
    )  # fmt: skip
    checked = [row.last_checked for row in found if row.last_checked is not None]
    items = [
        Item(
            name, ms,
            f"{number(ms, 'milliseconds', style, 0)} · "
            f"{number(errors, 'percent', style, 2)} errors",
            (f"{number(calls, 'count', style, 0)} calls a day",),
        )
        for name, ms, errors, calls in rows
    ]  # fmt: skip
    note = f"as last checked, {day(max(checked))}" if checked else "as last checked"
    return ranking(
        "endpoint_health", "Response time of endpoints", note, style, items,
        ("endpoint", "response time", "errors", "calls a day"), rows,
        (None, "milliseconds", "percent", "count"),
    )  # fmt: skip
