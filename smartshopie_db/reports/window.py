"""Which days a report is about.

All reports of one request share one window, so that every figure of a page shows the
same days.  It ends at the newest day that any daily table holds, not today: a dashboard
over last year's data is not empty.
"""

from __future__ import annotations

import datetime
import functools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from .. import ProgrammingError, SmartShopieDB, Table

FEED = "customer_interactions"  # of all events, those that say how new the data is

PERIOD = "30d"
LONGEST = 36_600  # days; a hundred years
MOST = 1000  # windows remembered

DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Window:
    """Days from start to end, both included; as_of is the last day that is over.

    previous: the days just before, as many (months go with months): first and last.
    period: what was asked for, such as "30d"; None when the days were given.
    """

    start: datetime.date
    end: datetime.date
    as_of: datetime.date
    previous: tuple[datetime.date, datetime.date]
    period: str | None = None

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.end - self.start).days + 1

    @property
    def given(self) -> dict[str, Any]:
        """start= and end= for a call that takes them."""
        return {"start": self.start, "end": self.end}

    @property
    def until(self) -> datetime.date:
        """The last day of the window that is over."""
        return min(self.end, self.as_of)

    @property
    def every(self) -> Literal["day", "week", "month"]:
        """The buckets that fit its length; weeks begin on Monday."""
        if self.days <= 31:
            return "day"
        return "week" if self.days <= 92 else "month"


def window(
    db: SmartShopieDB,
    *,
    period: str | None = None,
    start: datetime.date | str | None = None,
    end: datetime.date | str | None = None,
    as_of: datetime.date | str | None = None,
) -> Window:
    """The days asked for: a period that ends at as_of, or start to end; "30d" alone.

    as_of is the newest stored day unless given.  start alone goes on to as_of, end
    alone begins with the oldest stored day.  ValueError names the wrong argument.
    """
    first, last = _day("start", start), _day("end", end)
    known = _day("as_of", as_of)
    if period is not None and (first or last):
        raise ValueError("period: cannot be combined with start or end; use as_of")
    newest = known or newest_day(db) or _today()
    if not first and not last:
        return _counted_back(db, PERIOD if period is None else period, newest)
    last = last or newest
    first = first or min(oldest_day(db) or last, last)
    return _check(_calendar(db, None, first, last, min(newest, last)))


def newest_day(db: SmartShopieDB) -> datetime.date | None:
    """The newest stored day over all daily tables; None for a file without rows."""
    return _extreme(db, "max")


def oldest_day(db: SmartShopieDB) -> datetime.date | None:
    """The oldest stored day over all daily tables; None for a file without rows."""
    return _extreme(db, "min")


def _counted_back(db: SmartShopieDB, period: str, as_of: datetime.date) -> Window:
    if not isinstance(period, str):
        raise ValueError(f"period: expected text such as '30d', got {period!r}")
    return _check(_calendar(db, period, None, as_of, as_of))


def _calendar(
    db: SmartShopieDB,
    period: str | None,
    start: datetime.date | None,
    end: datetime.date,
    as_of: datetime.date,
) -> Window:
    """As the core's calendar has it. What it says of some days is the same for ever and
    in every file, so it is asked once."""
    key = (period, start, end)
    found = _KNOWN.get(key)
    if found is None:
        if len(_KNOWN) >= MOST:
            _KNOWN.clear()
        found = _KNOWN[key] = _ask_calendar(db, *key)
    return Window(*found[:2], as_of, found[2], period)


_Days = tuple[datetime.date, datetime.date, tuple[datetime.date, datetime.date]]
_KNOWN: dict[tuple[str | None, datetime.date | None, datetime.date], _Days] = {}


def _ask_calendar(
    db: SmartShopieDB,
    period: str | None,
    start: datetime.date | None,
    end: datetime.date,
) -> _Days:
    """First and last day, and those of the days before; a comparison without rows."""
    if start and start > end:
        raise ValueError(f"start: {start} is after {end}, where the window ends")
    given: dict[str, Any] = (
        {"start": start, "end": end} if start else {"period": period, "as_of": end}
    )
    try:
        (row,) = db.compare("overview_kpis", "rows", id=-1, **given)
    except ValueError as error:
        if "no such time" in str(error):
            raise ValueError(
                f"{'start' if start else 'period'}: the calendar has no days before "
                "it to compare with"
            ) from None
        raise
    return row.start, row.end, (row.previous_start, row.previous_end)


def _check(found: Window) -> Window:
    if found.days > LONGEST:
        word = "period" if found.period else "start"
        raise ValueError(
            f"{word}: {found.start} to {found.end} has {found.days} days, at most "
            f"{LONGEST} are allowed"
        )
    return found


def _day(name: str, given: datetime.date | str | None) -> datetime.date | None:
    if given is None or (
        isinstance(given, datetime.date) and not isinstance(given, datetime.datetime)
    ):
        return given
    if isinstance(given, str) and len(given) == 10 and given.isascii():
        try:
            return datetime.date.fromisoformat(given)
        except ValueError:
            pass
    raise ValueError(f"{name}: expected a day as YYYY-MM-DD, got {given!r}")


def _today() -> datetime.date:
    """What a file without rows is about: UTC, as all its instants would be."""
    return datetime.datetime.now(datetime.UTC).date()


# ---- the newest and the oldest day ---------------------------------------------------


@functools.cache
def _tables() -> tuple[dict[str, str], dict[str, str]]:
    """Tables whose rows are those of a day, and those that are asked only when none of
    them holds anything, each with its time column.

    Events are no rows of a day, and a payment's may lie ahead.
    """
    daily: dict[str, str] = {}
    others: dict[str, str] = {}
    for name, table in SmartShopieDB(":memory:").tables.items():  # as of any file
        if table.time_column and table.shape != "all":
            of_days = (table.step == "day" and table.shape != "events") or name == FEED
            (daily if of_days else others)[name] = table.time_column
    return daily, others


def _extreme(db: SmartShopieDB, which: str) -> datetime.date | None:
    daily, others = _tables()
    if db.query("PRAGMA user_version")[0].user_version:  # a current file
        try:
            (row,) = db.query(_sql(which))
        except ProgrammingError:  # a table is missing
            pass
        else:
            if row.day is not None:
                return datetime.date.fromisoformat(row.day[:10])
            return _of_each(db, others, which)
    return _of_each(db, daily, which) or _of_each(db, others, which)


@functools.cache
def _sql(which: str) -> str:
    """One query over the indexes of all daily tables of a current file, where days and
    instants are text that begins with the day."""
    columns, _ = _tables()
    parts = (f"SELECT {which}({day}) AS day FROM {t}" for t, day in columns.items())
    return f"SELECT {which}(day) AS day FROM ({' UNION ALL '.join(parts)})"


def _of_each(
    db: SmartShopieDB, names: Iterable[str], which: str
) -> datetime.date | None:
    """The same as the core reads days, for the forms that older files have."""
    days = [_of_table(db.tables[name], which) for name in names]
    found = [day for day in days if day is not None]
    if not found:
        return None
    return max(found) if which == "max" else min(found)


def _of_table(table: Table[Any], which: str) -> datetime.date | None:
    column = table.time_column
    assert column is not None
    rows = table.select(
        columns=column,
        start=datetime.date.min,  # keeps out the NULLs of older files
        order_by=column if which == "min" else "-" + column,
        limit=1,
        strict=False,
    )
    for row in rows:
        found = row[column]
        if isinstance(found, datetime.datetime):
            return found.date()
        if isinstance(found, datetime.date):
            return found
    return None


def on(asked: Window, day: datetime.date) -> Window:
    """The window of another day than those asked for: where a report falls back."""
    before = max(day, datetime.date.min + DAY) - DAY
    return Window(day, day, asked.as_of, (before, before))
