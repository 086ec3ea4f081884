"""What a report is, and the parts that many reports share.

An answer is what goes out as JSON: "data" and, where a report has them, further keys;
always the window ("start", "end", "as_of"), and "fallback", "from" and "to" when the
window has no rows and the newest before its end are shown instead.
"""

from __future__ import annotations

import datetime
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from .. import Row, Rows, SmartShopieDB
from .window import Window, on

Answer = dict[str, object]

_Run = TypeVar("_Run", bound=Callable[..., Answer])
_Found = TypeVar("_Found", bound=Sequence[Any])


@dataclass(frozen=True)
class Report:
    """One report: the path below /api, the function, and what it needs to know.

    parameters: names of keyword arguments of `run` besides the window's.
    tables: which tables it reads.  summary: one line that says what it answers.
    """

    path: str
    run: Callable[..., Answer]
    parameters: tuple[str, ...]
    tables: tuple[str, ...]
    summary: str


REPORTS: dict[str, Report] = {}


def report(
    path: str, *tables: str, parameters: tuple[str, ...] = ()
) -> Callable[[_Run], _Run]:
    """Make a function a report; the first line of its docstring is the summary."""

    def enter(run: _Run) -> _Run:
        whole = _of_one_state(run)
        summary = (run.__doc__ or "").partition("\n")[0].rstrip(".")
        REPORTS[path] = Report(path, whole, parameters, tables, summary)
        return whole

    return enter


def _of_one_state(run: _Run) -> _Run:
    """Its reads show one state of the database.

    A snapshot would keep the calls from the answers kept of before, so it is taken only
    when somebody wrote meanwhile.
    """

    @functools.wraps(run)
    def whole(db: SmartShopieDB, window: Window, **parameters: Any) -> Answer:
        before = db.version
        found = run(db, window, **parameters)
        if db.version == before:
            return found
        with db.snapshot():
            return run(db, window, **parameters)

    return cast(_Run, whole)


def answer(window: Window, data: object, **more: object) -> Answer:
    """The answer of a report about a window."""
    days = {"start": window.start, "end": window.end, "as_of": window.as_of}
    return {"data": data, **more, **days}


# ---- falling back --------------------------------------------------------------------


def or_newest(
    db: SmartShopieDB, table: str, window: Window, ask: Callable[[Window], _Found]
) -> tuple[_Found, dict[str, object]]:
    """What `ask` finds in the window, or else on the table's newest day up to the
    window's end; and the marks of an answer that fell back."""
    found = ask(window)
    if found:
        return found, {}
    day = newest_day_of(db, table, window)
    if day is None:
        return found, {}
    found = ask(on(window, day))
    return found, fallback(day, day) if found else {}


def newest_day_of(
    db: SmartShopieDB, table: str, window: Window
) -> datetime.date | None:
    """The newest day of the table that is not after the window."""
    source = db.tables[table]
    column = source.time_column
    assert column is not None
    rows = source.select(
        columns=column,
        start=datetime.date.min,  # keeps out the NULLs of older files
        end=window.until,
        order_by="-" + column,
        limit=1,
    )
    for row in rows:
        day: datetime.date = row[column]
        return day
    return None


def newest_of_each(
    db: SmartShopieDB, table: str, key: str, values: Sequence[str], window: Window
) -> dict[str, Any]:
    """The newest row for each value of a column, up to the end of the window: what a
    group is called and where it belongs, which may change with time."""
    found = {row[key]: row for row in newest_rows(db, table, window)[0]}
    source = db.tables[table]
    for value in values:
        if value not in found:
            wanted: dict[str, Any] = {key: value}
            newest = [f"-{source.time_column}", "-id"]
            (found[value],) = source.select(
                end=window.end, order_by=newest, limit=1, **wanted
            )
    return found


def fallback(start: datetime.date, end: datetime.date) -> dict[str, object]:
    """The marks of an answer about other days than those asked for."""
    return {"fallback": True, "from": start, "to": end}


def newest_rows(
    db: SmartShopieDB, table: str, window: Window
) -> tuple[Sequence[Any], dict[str, object]]:
    """The rows of a table of snapshots on the newest day that is not after the window;
    and the marks of an answer that fell back if that day is before it."""
    source = db.tables[table]
    column = source.time_column
    assert column is not None
    get = getattr(db, "get_" + table)
    if source.shape == "one":
        day = newest_day_of(db, table, window)
        row = get(day) if day else None
        rows: Sequence[Any] = [row] if row else []
    else:
        rows = get(as_of=window.until)
    if not rows:
        return rows, {}
    day = rows[0][column]
    return rows, {} if day is None or day >= window.start else fallback(day, day)


# ---- figures -------------------------------------------------------------------------


def percent(part: float | None, whole: float | None) -> float | None:
    """part as percent of whole; None where either is unknown or whole is 0."""
    return 100 * part / whole if part is not None and whole else None


def compare(
    db: SmartShopieDB,
    table: str,
    columns: Sequence[str],
    window: Window,
    **filters: Any,
) -> Rows[Row]:
    """The figures of the window and of the days before it: a row for each column."""
    return db.compare(table, columns, to=window.previous, **window.given, **filters)


def series(
    db: SmartShopieDB,
    table: str,
    columns: str | Sequence[str],
    window: Window,
    by: str | Sequence[str] | None = None,
) -> Rows[Row]:
    """The figures by the buckets that fit the window's length."""
    return db.series(
        table,
        columns,
        every=window.every,
        by=by,
        as_of=window.as_of,
        **window.given,
    )


def totals(
    db: SmartShopieDB,
    table: str,
    columns: Sequence[str],
    window: Window,
    by: str | Sequence[str],
) -> Rows[Row]:
    """The figures of the whole window, a row for each group."""
    return db.series(table, columns, every="window", by=by, **window.given)


def largest(rows: Sequence[Any], column: str, n: int) -> list[Any]:
    """The n rows with the largest value, largest first; unknown ones last."""

    def place(row: Any) -> tuple[bool, float]:
        value = row[column]
        return (value is None, 0 if value is None else -value)

    return sorted(rows, key=place)[:n]


def compared(
    measure: str,
    value: float | None,
    previous: float | None,
    window: Window,
    better: str = "higher",
) -> Mapping[str, object]:
    """A row as those of compare(), of a rate in percent that no column holds."""
    delta = None if value is None or previous is None else value - previous
    trend = verdict = None
    if delta is not None:
        trend = "up" if delta > 0 else "down" if delta < 0 else "flat"
        if delta:
            verdict = "better" if (delta > 0) == (better == "higher") else "worse"
    return {
        "measure": measure, "value": value, "previous": previous, "delta": delta,
        "percent": None, "unit": "percent", "delta_unit": "points", "trend": trend,
        "verdict": verdict, "start": window.start, "end": window.end,
        "previous_start": window.previous[0], "previous_end": window.previous[1],
    }  # fmt: skip
