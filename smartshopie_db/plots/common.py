"""From what was read to a Drawing."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..reports import REPORTS, Answer
from .drawing import Drawing, Layout, Span, Style, Trace, Window
from .frame import layout, time_axis
from .stretch import Days
from .text import day, days
from .timeline import Timeline

if TYPE_CHECKING:
    from .._core import SmartShopieDB

NOTHING = "Nothing is stored for these days."


def nothing(
    name: str, title: str, style: Style, note: str, why: str = NOTHING
) -> Drawing:
    """A drawing that says why it is empty."""
    axis = {"visible": False}
    return Drawing(
        name, title, note, [], layout(style, xaxis=axis, yaxis=axis), (), [], (), why
    )


def over_time(
    name: str,
    title: str,
    timeline: Timeline,
    window: Span,
    style: Style,
    data: list[Trace],
    yaxis: Layout,
    units: dict[str, str | None] | str | None,
    *,
    note: str | None = None,
    **more: Any,
) -> Drawing:
    """A drawing of a timeline: `units` of its columns, or the one of all of them."""
    note = timeline.note(window) if note is None else note
    if timeline.empty:
        return nothing(name, title, style, note)
    names = list(timeline.values)
    return Drawing(
        name,
        title,
        note,
        data,
        layout(
            style,
            xaxis=time_axis(timeline.every, timeline.starts),
            yaxis=yaxis,
            **{"showlegend": len(names) > 1, **more},
        ),
        (timeline.every, *names, "complete"),
        timeline.rows(),
        (
            None,
            *(units[n] if isinstance(units, dict) else units for n in names),
            None,
        ),
    )


def ask(
    path: str, db: SmartShopieDB, window: Window, **parameters: Any
) -> tuple[Answer, Any]:
    """The answer of a report, and its data."""
    answer = REPORTS[path].run(db, window, **parameters)
    return answer, answer["data"]


def about(answer: Answer, db: SmartShopieDB, table: str) -> str:
    """The note of an answer: its days, and on how many of them there is a figure."""
    span = span_of(answer)
    if answer.get("fallback"):
        return f"{days(span.start, span.end)}; nothing newer is stored"
    (row,) = db.compare(table, "rows", start=span.start, end=span.end)
    text = days(span.start, span.end)
    known: int = row["days"] or 0
    return text if known in (0, span.days) else f"{text}; stored for {known} of them"


def as_of(answer: Answer, newest: datetime.date | None) -> str:
    """The note of a snapshot: its day."""
    if newest is None:
        return days(span_of(answer).start, span_of(answer).end)
    text = f"as of {day(newest)}"
    return f"{text}; nothing newer is stored" if answer.get("fallback") else text


def months_of(answer: Answer) -> str:
    """The note of rows that are each of a month: the months that begin in the days."""
    span = span_of(answer)
    first = span.start
    if first.day > 1:
        first = (first.replace(day=1) + datetime.timedelta(31)).replace(day=1)
    if first > span.end:
        return days(span.start, span.end)
    if (first.year, first.month) == (span.end.year, span.end.month):
        text = f"{first:%B %Y}"
    else:
        text = f"{first:%B %Y} to {span.end:%B %Y}"
    return f"{text}, the newest that is stored" if answer.get("fallback") else text


def span_of(answer: Answer) -> Days:
    """The days that an answer is about."""
    words = ("from", "to") if answer.get("fallback") else ("start", "end")
    first, last = (answer[word] for word in words)
    assert isinstance(first, datetime.date) and isinstance(last, datetime.date)
    return Days(first, last)


def table(rows: Any, names: Sequence[str]) -> list[tuple[Any, ...]]:
    """These columns of Rows, row by row."""
    return list(zip(*(rows[name].to_list() for name in names), strict=True))


def share(part: float | None, whole: float | None) -> float | None:
    return None if part is None or not whole else 100 * part / whole
