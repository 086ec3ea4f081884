"""Number cards: a figure of the window, and what became of it since the days before."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..state import State
from . import wording
from .blocks import Card

WIDTH, HEIGHT = 120, 28  # of a spark, in its own units
MONTHLY = ("ai_model_performance", "category_performance", "revenue_summary")
DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Figure:
    """A card that is wanted: `column` of a table, called `label`."""

    label: str
    column: str
    measure: str = ""  # how the trend below is told to show it


def cards(
    state: State,
    table: str,
    figures: Sequence[Figure],
    window: Any,
    link: Any = None,
    shown: str = "",
) -> list[Card]:
    """A card for each. Where the window has nothing, the newest before it, marked."""
    days, before, note = span(state, table, window)
    if days is None:
        return [absent(figure, state, table) for figure in figures]
    columns = [figure.column for figure in figures]
    rows = state.db.compare(table, columns, start=days[0], end=days[1], to=before)
    lines = {} if note else sparks(state, table, columns, days)
    found = zip(figures, rows, strict=True)
    return [
        card(
            figure,
            row,
            state,
            explained=meaning(state, table, figure.column),
            note=note,
            spark=lines.get(figure.column, ""),
            href=link(figure.measure) if link and figure.measure else "",
            current=bool(figure.measure) and figure.measure == shown,
        )
        for figure, row in found
    ]


def span(state: State, table: str, window: Any) -> tuple[Any, Any, str]:
    """(the days to show, those to compare with, what to say about them)."""
    if state.db.tables[table].count(start=window.start, end=window.end):
        return (window.start, window.end), "previous_period", ""
    last = newest(state, table, window.end)
    if last is None:
        return None, None, ""
    earlier = newest(state, table, last - DAY) or last - DAY
    note = f"of {wording.day(last)}, the newest before these days"
    if table in MONTHLY:
        note = f"of {wording.month(last)}, the newest month"
    return (last, last), (earlier, earlier), note


def newest(state: State, table: str, end: datetime.date) -> datetime.date | None:
    """The newest day of the table up to that one."""
    rows = state.db.tables[table]
    time = rows.time_column
    assert time is not None
    found = rows.select(columns=[time], end=end, order_by=f"-{time}", limit=1)
    return as_day(found[0][time]) if len(found) else None


def as_day(moment: Any) -> datetime.date | None:
    if isinstance(moment, datetime.datetime):
        return moment.date()
    return moment if isinstance(moment, datetime.date) else None


def meaning(state: State, table: str, column: str) -> str:
    for described in state.db.tables[table].schema:
        if described["name"] == column:
            return str(described["description"])
    return ""


def absent(figure: Figure, state: State, table: str) -> Card:
    return Card(
        figure.label,
        None,
        wording.NOTHING,
        explained=meaning(state, table, figure.column),
        note="nothing stored yet",
    )


def card(figure: Figure, row: Any, state: State, **more: Any) -> Card:
    currency = state.settings.currency
    if row.value is None:
        more["note"] = more["note"] or "not stored for these days"
    return Card(
        figure.label,
        row.value,
        wording.number(row.value, row.unit, currency),
        change=wording.change(row, currency),
        trend=row.trend,
        verdict=row.verdict,
        before=wording.number(row.previous, row.unit, currency)
        if row.previous is not None
        else "",
        range=wording.days(row.start, row.end),
        before_range=wording.days(row.previous_start, row.previous_end),
        **more,
    )


def sparks(state: State, table: str, columns: list[str], days: Any) -> dict[str, str]:
    """For each column the points of its line, for an SVG polyline."""
    n = (days[1] - days[0]).days + 1
    if n < 5:
        return {}
    every: Any = "day" if n <= 92 else "week"
    rows = state.db.series(table, columns, start=days[0], end=days[1], every=every)
    whole = [bool(complete) for complete in rows["complete"]]
    return {
        column: points(
            [
                value if complete or every == "day" else None
                for value, complete in zip(rows[column], whole, strict=True)
            ]
        )
        for column in columns
    }


def points(values: Sequence[float | None]) -> str:
    known = [(i, value) for i, value in enumerate(values) if value is not None]
    if len(known) < 5:
        return ""
    low = min(value for _, value in known)
    high = max(value for _, value in known)
    across = WIDTH / (len(values) - 1)
    up = (HEIGHT - 4) / (high - low) if high > low else 0
    middle = 0 if up else HEIGHT / 2 - 2
    return " ".join(
        f"{i * across:.1f},{HEIGHT - 2 - (value - low) * up - middle:.1f}"
        for i, value in known
    )
