"""Number cards: a figure of the window, and what became of it since the days before."""

from __future__ import annotations

import datetime
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...reports import REPORTS, Window
from ..state import State
from . import wording
from .blocks import Card

WIDTH, HEIGHT = 120, 28  # of a spark, in its own units
DAY = datetime.timedelta(days=1)
OF_MONTHS = ("revenue/summary", "ai/summary")  # reports of a row for each month


@dataclass(frozen=True)
class Beside:
    """What should be the same figure, in another table; `text` says it where it is
    another one, that {} stands for."""

    table: str
    measure: str
    text: str


@dataclass(frozen=True)
class Figure:
    """A card that is wanted: a measure of a report, or a column of a table."""

    label: str
    measure: str
    shown_by: str = ""  # what tells the trend below to show it
    share_of: str = ""  # the measure that this is a part of
    beside: Beside | None = None


@dataclass(frozen=True)
class Found:
    """The measures of one table, compared; `note` says of which days, if of others."""

    table: str
    rows: dict[str, Any]
    days: tuple[datetime.date, datetime.date]
    note: str = ""
    daily: bool = True  # not of months, of which a row is no day's


def cards(
    state: State,
    source: str,
    figures: Sequence[Figure],
    window: Window,
    link: Any = None,
    shown: str = "",
) -> list[Card]:
    """A card for each figure. `source` is the path of a report, or a table."""
    found = ask(state, source, figures, window)
    known = [figure.measure for figure in figures if figure.measure in found.rows]
    lines = {} if found.note else sparks(state, found.table, known, found.days)
    return [
        card(
            figure,
            found,
            state,
            spark=lines.get(figure.measure, ""),
            href=link(figure.shown_by) if link and figure.shown_by else "",
            current=bool(figure.shown_by) and figure.shown_by == shown,
        )
        for figure in figures
    ]


def ask(state: State, source: str, figures: Sequence[Figure], window: Window) -> Found:
    days = (window.start, window.end)
    if source not in REPORTS:
        columns = [figure.measure for figure in figures]
        rows = state.db.compare(source, columns, to=window.previous, **window.given)
        return Found(source, {row.measure: row for row in rows}, days)
    report = REPORTS[source]
    answer: Any = report.run(state.db, window)
    by_measure = {row["measure"]: row for row in answer["comparison"]}
    note = fallback(answer["from"], answer["to"]) if "fallback" in answer else ""
    daily = source not in OF_MONTHS
    return Found(report.tables[0], by_measure, days, note, daily)


def fallback(start: datetime.date, end: datetime.date) -> str:
    """What is said where the days asked for have nothing."""
    if start == end and start.day == 1:
        return f"of {wording.month(start)}, the newest month"
    return f"of {wording.days(start, end)}, the newest before these days"


def newest(state: State, table: str, end: datetime.date) -> datetime.date | None:
    """The newest day of the table up to that one."""
    rows = state.db.tables[table]
    time = rows.time_column
    assert time is not None
    found = rows.select(columns=[time], end=end, order_by=f"-{time}", limit=1)
    moment = found[0][time] if len(found) else None
    if isinstance(moment, datetime.datetime):
        return moment.date()
    return moment if isinstance(moment, datetime.date) else None


def meaning(state: State, table: str, column: str) -> str:
    for described in state.db.tables[table].schema:
        if described["name"] == column:
            return str(described["description"])
    return ""


def card(figure: Figure, found: Found, state: State, **more: Any) -> Card:
    explained = meaning(state, found.table, figure.measure)
    row = found.rows.get(figure.measure)
    if row is None or row["value"] is None:
        note = missing(state, found)
        return Card(figure.label, None, wording.NOTHING, explained, note=note, **more)
    currency = state.settings.currency
    unit = row["unit"]
    before = row["previous"]
    return Card(
        figure.label,
        row["value"],
        wording.number(row["value"], unit, currency),
        explained,
        change=wording.change(row, currency),
        trend=row["trend"],
        verdict=row["verdict"],
        before="" if before is None else wording.number(before, unit, currency),
        range=wording.days(row["start"], row["end"]),
        before_range=wording.days(row["previous_start"], row["previous_end"]),
        note=found.note or notes(figure, row, found, state),
        **more,
    )


def missing(state: State, found: Found) -> str:
    """Why there is no figure: none at all, or none in these days."""
    last = newest(state, found.table, found.days[1])
    if last is None:
        return "nothing stored yet"
    return f"not stored for these days; the newest is of {wording.day(last)}"


def notes(figure: Figure, row: Any, found: Found, state: State) -> str:
    """What has to be known beside the figure."""
    said = (
        share(figure, row, found),
        stored(row) if found.daily else "",
        other(figure.beside, row, state),
    )
    return "; ".join(text for text in said if text)


def stored(row: Any) -> str:
    """On how many of its days there is a figure, as the charts say it."""
    n, known = (row["end"] - row["start"]).days + 1, row["days"]
    return f"stored for {known} of {n} days" if known and known < n else ""


def other(beside: Beside | None, row: Any, state: State) -> str:
    """The figure of the other table, where it differs by more than a rounding."""
    if beside is None:
        return ""
    days = {"start": row["start"], "end": row["end"]}
    (found,) = state.db.compare(beside.table, beside.measure, **days)
    value = found["value"]
    if value is None or math.isclose(value, row["value"], rel_tol=0.005, abs_tol=0.01):
        return ""
    shown = wording.number(value, found["unit"], state.settings.currency)
    return beside.text.format(shown)


def share(figure: Figure, row: Any, found: Found) -> str:
    whole = found.rows.get(figure.share_of)
    if whole is None or not whole["value"]:
        return ""
    return f"{wording.number(100 * row['value'] / whole['value'], 'percent')} of all"


def sparks(state: State, table: str, columns: list[str], days: Any) -> dict[str, str]:
    """For each column the points of its line, for an SVG polyline."""
    n = (days[1] - days[0]).days + 1
    if n < 5 or not columns:
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
