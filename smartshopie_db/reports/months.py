"""Tables with a row for each month, dated on its first day.

A window of a few days seldom holds such a day; then the newest month before its end is
shown, marked as a fallback.  Months are compared with as many whole months before.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from .. import Row, Rows, SmartShopieDB
from .answer import fallback, newest_day_of
from .window import DAY, Window, on

_Found = TypeVar("_Found", bound=Sequence[Any])


def figures_of_months(
    db: SmartShopieDB, table: str, window: Window, ask: Callable[[Window], _Found]
) -> tuple[_Found, Window, dict[str, object]]:
    """What `ask` finds in the window or, where that is nothing, on the newest day of
    the table; the window that it is of; the marks of an answer that fell back."""
    found = ask(window)
    day = None if found else newest_day_of(db, table, window)
    if day is None:
        return found, window, {}
    days = on(window, day)
    found = ask(days)
    return found, days, fallback(day, day) if found else {}


def rows_of_months(
    db: SmartShopieDB,
    table: str,
    window: Window,
    columns: Sequence[str],
    order: Sequence[str],
) -> tuple[Rows[Row], dict[str, object]]:
    """The rows of the window, or those of the newest day, and the marks of that."""

    def ask(days: Window) -> Rows[Row]:
        return db.tables[table].select(columns=columns, order_by=order, **days.given)

    rows, _, marks = figures_of_months(db, table, window, ask)
    if not rows:  # some older files do not say of when a row is
        undated: dict[str, Any] = {str(db.tables[table].time_column): None}
        rows = db.tables[table].select(columns=columns, limit=1000, **undated)
    return rows, marks


def months_before(days: Window) -> tuple[datetime.date, datetime.date]:
    """The days to compare the months of the window with: as many months just before
    the first that begins in it; the window's own previous days if none does."""
    first = days.start
    while first <= days.end and first.day != 1:
        if first == datetime.date.max:
            return days.previous
        first += DAY
    if first > days.end:
        return days.previous
    count = (days.end.year - first.year) * 12 + days.end.month - first.month + 1
    month = first.year * 12 + first.month - 1 - count
    return datetime.date(month // 12, month % 12 + 1, 1), first - DAY
