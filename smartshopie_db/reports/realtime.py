"""What goes on now: the minutes up to the newest reading, and the endpoints."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from typing import Any

from .. import SmartShopieDB
from .answer import Answer, answer, fallback, report
from .window import Window

READING = (
    "recorded_at", "active_sessions", "api_response_time_ms", "cpu_usage_pct",
    "memory_usage_pct", "conversions_per_min",
)  # fmt: skip
ENDPOINT = (
    "id", "endpoint_name", "method", "request_count", "avg_response_ms", "error_rate",
    "last_checked", "created_at", "updated_at", "base_url", "success_rate",
    "daily_calls",
)  # fmt: skip
LATEST = 60  # readings without since; none is older than an hour before the newest
MOST = 120  # readings after since

_INSTANT = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:?\d\d)?"
)


@report("realtime/system-health", "realtime_metrics", parameters=("since",))
def system_health(
    db: SmartShopieDB, window: Window, *, since: datetime.datetime | str | None = None
) -> Answer:
    """The newest readings up to the end of the window, oldest of them first.

    Without since: at most 60, of the hour before the newest.  since: an instant, in UTC
    unless it says otherwise; the newest 120 that are later, and "more" is True when
    there are others between.  ValueError for another since.
    """
    wanted: dict[str, Any] = {"columns": READING, "order_by": "-recorded_at"}
    if since is None:
        rows = db.realtime_metrics.select(limit=LATEST, end=window.until, **wanted)
        rows = rows[: _of_an_hour(rows["recorded_at"].to_list())]
        more = False
    else:
        later = instant("since", since) + datetime.timedelta(microseconds=1)
        rows = db.realtime_metrics.select(start=later, limit=MOST + 1, **wanted)
        more = len(rows) > MOST
        rows = rows[:MOST]
    marks: dict[str, object] = {"more": True} if more else {}
    days = [found.date() for found in rows["recorded_at"].to_list()]
    if since is None and days and days[0] < window.start:
        marks |= fallback(days[-1], days[0])
    return answer(window, rows[::-1], **marks)


def _of_an_hour(moments: list[Any]) -> int:
    """How many of the moments, newest first, lie in the hour before the first."""
    hour = datetime.timedelta(hours=1)
    return sum(moments[0] - moment < hour for moment in moments)


def instant(name: str, given: datetime.datetime | str) -> datetime.datetime:
    """An instant, also as text of ISO 8601, naive and in UTC; ValueError that names the
    argument."""
    try:
        found = given
        if isinstance(found, str) and _INSTANT.fullmatch(found):
            found = datetime.datetime.fromisoformat(found)
        if isinstance(found, datetime.datetime):
            if found.tzinfo is not None:
                found = found.astimezone(datetime.UTC).replace(tzinfo=None)
            if found < datetime.datetime.max:  # something can be later
                return found
    except (ValueError, OverflowError):
        pass
    raise ValueError(
        f"{name}: expected an instant such as 2025-10-31T09:19:00Z, got {given!r}"
    )


@report("realtime/api-endpoints", "api_endpoints")
def api_endpoints(db: SmartShopieDB, window: Window) -> Answer:
    """The monitored endpoints as last checked; "summary" has all of them together.

    The rates and the response time of the summary count each endpoint by its calls.
    """
    rows = db.get_api_endpoints(columns=ENDPOINT)
    summary = {
        "avg_response_ms": _by_calls(rows, "avg_response_ms"),
        "success_rate": _by_calls(rows, "success_rate"),
        "error_rate": _by_calls(rows, "error_rate"),
        "daily_calls": _sum(rows, "daily_calls"),
    }
    return answer(window, rows, summary=summary)


def _by_calls(rows: Sequence[Any], column: str) -> float | None:
    known = [row for row in rows if None not in (row[column], row["daily_calls"])]
    calls: int = sum(row["daily_calls"] for row in known)
    whole: float = sum(row[column] * row["daily_calls"] for row in known)
    return whole / calls if calls else None


def _sum(rows: Sequence[Any], column: str) -> int | None:
    known = [row[column] for row in rows if row[column] is not None]
    return sum(known) if known else None
