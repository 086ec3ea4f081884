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
            xaxis=time_axis(timeline.every),
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


def as_of(found: Sequence[Any], window: Window) -> str:
    """The note of what holds for one day: that of the rows, the newest until then."""
    if not len(found):
        return days(window.start, window.end)
    newest: datetime.date = found[0].record_date
    text = f"as of {day(newest)}"
    return text if newest >= window.start else f"{text}; nothing newer is stored"


def ask(path: str, db: SmartShopieDB, window: Window) -> tuple[Answer, Any]:
    """The answer of a report, and its data."""
    answer = REPORTS[path].run(db, window)
    return answer, answer["data"]


def about(
    answer: Answer, db: SmartShopieDB, table: str, column: str, **filters: Any
) -> str:
    """The note of an answer: its days, and on how many of them there is a figure."""
    first, last = answer["start"], answer["end"]
    assert isinstance(first, datetime.date) and isinstance(last, datetime.date)
    if answer.get("fallback"):
        first, last = answer["from"], answer["to"]
        assert isinstance(first, datetime.date) and isinstance(last, datetime.date)
        return f"{days(first, last)}; nothing newer is stored"
    return stored(Days(first, last), db, table, column, **filters)


def stored(
    span: Span, db: SmartShopieDB, table: str, column: str, **filters: Any
) -> str:
    """The days of a sum or a mean; where it is of some of them, of how many."""
    (row,) = db.compare(table, column, start=span.start, end=span.end, **filters)
    text = days(span.start, span.end)
    known: int = row["days"] or 0
    return text if known in (0, span.days) else f"{text}; stored for {known} of them"


def table(rows: Any, names: Sequence[str]) -> list[tuple[Any, ...]]:
    """These columns of Rows, row by row."""
    return list(zip(*(rows[name].to_list() for name in names), strict=True))


def share(part: float | None, whole: float | None) -> float | None:
    return None if part is None or not whole else 100 * part / whole
