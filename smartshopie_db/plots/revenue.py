"""What the assistant earned, by feature and category, and what is expected."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from .common import about, as_of, ask, nothing, over_time
from .drawing import Drawing, Style, Trace, Window
from .frame import HOVER, layout, period, time_axis, value_axis
from .palette import BLUE, ORANGE, SKY, shade
from .ranked import Item, ranking, split
from .text import number, shown
from .timeline import groups, stack

if TYPE_CHECKING:
    from .._core import SmartShopieDB

MOST = 10
CREDITED = "assistant revenue"  # what it is called everywhere


def attribution(db: SmartShopieDB, window: Window, style: Style) -> Drawing:
    timeline = groups(db, "revenue_attribution", "revenue_amount", "ai_feature", window)
    return over_time(
        "attribution", "Assistant revenue by feature", timeline, window, style,
        stack(timeline, "currency", style), value_axis("currency", style, "amount"),
        "currency",
    )  # fmt: skip


def category_revenue(db: SmartShopieDB, window: Window, style: Style) -> Drawing:
    """What is credited to the assistant, and the rest."""
    answer, found = ask("revenue/category", db, window)
    rows = [
        (row["category_name"], row["revenue_amount"], row["ai_attributed_revenue"])
        for row in found[:MOST]
    ]
    items = [
        Item(
            name, credited or 0,
            f"{number(credited, 'currency', style, 0)} of "
            + number(amount, "currency", style, 0),
        )
        for name, amount, credited in rows
    ]  # fmt: skip
    drawn = ranking(
        "category_revenue", "Revenue by category",
        about(answer, db, "category_revenue"), style, items,
        ("category", "revenue", "through the assistant"), rows,
        (None, "currency", "currency"),
    )  # fmt: skip
    rest = [(amount or 0) - (credited or 0) for _, amount, credited in rows]
    return split(drawn, items, rest, ("through the assistant", "without it"), SKY)


# ---- forecast ------------------------------------------------------------------------


def forecast(db: SmartShopieDB, window: Window, style: Style) -> Drawing:
    """Months that were, and the newest forecast with its bounds where it has any."""
    title = "Assistant revenue, forecast"
    answer, found = ask("revenue/forecasting", db, window)
    newest = found[0]["record_date"] if found else None
    note = as_of(answer, newest)
    figures = ("forecast_date", "predicted_revenue", "lower_bound", "upper_bound")
    ahead = [
        tuple(row[name] for name in figures)
        for row in found
        if None not in (row["forecast_date"], row["predicted_revenue"])
    ]
    if not ahead:
        return nothing("forecast", title, style, note)
    past = history(answer["history"], ahead[0][0])
    data = [
        *bounds(ahead, style),
        months("forecast", [(a, b) for a, b, _, _ in ahead], ORANGE, style, dash="dot"),
        months(CREDITED, past, BLUE, style),
    ]
    band = "; the band lies between its bounds" if len(data) > 2 else ""
    rows = [
        *((m.isoformat(), amount, None, None, None) for m, amount in past),
        *((m.isoformat(), None, *figures) for m, *figures in ahead),
    ]
    return Drawing(
        "forecast", title, note + band, data,
        layout(
            style, showlegend=True, legend={**layout(style)["legend"],
                                            "traceorder": "reversed"},
            xaxis=time_axis("month", hoverformat=HOVER["month"]),
            yaxis=value_axis("currency", style, "amount a month"),
        ),
        ("month", CREDITED, "forecast", "lower bound", "upper bound"), rows,
        (None, "currency", "currency", "currency", "currency"),
    )  # fmt: skip


Month = tuple[datetime.date, float]


def history(found: Any, until: datetime.date) -> list[Month]:
    """The whole months before the forecast, of the same revenue: the assistant's."""
    return [
        (row["record_date"], row["revenue_amount"])
        for row in found
        if row["complete"]
        and row["revenue_amount"] is not None
        and row["record_date"] < until
    ]


def months(
    name: str, values: list[Month], colour: str, style: Style, dash: str = "solid"
) -> Trace:
    return {
        "type": "scatter", "mode": "lines+markers", "name": name,
        "x": [month.isoformat() for month, _ in values],
        "y": [amount for _, amount in values],
        "line": {"color": colour, "width": 2.5, "dash": dash},
        "marker": {"color": colour, "size": 6}, **period("month"),
        "hovertemplate": shown("currency", style, "y", 0),
    }  # fmt: skip


def bounds(ahead: list[tuple[Any, ...]], style: Style) -> list[Trace]:
    """The band between the bounds, of the months that have both."""
    known = [(m, low, high) for m, _, low, high in ahead if None not in (low, high)]
    if not known:
        return []
    common = {
        "type": "scatter", "mode": "lines", "line": {"width": 0},
        "x": [month.isoformat() for month, _, _ in known], **period("month"),
    }  # fmt: skip
    return [
        {**common, "name": "lower bound", "y": [low for _, low, _ in known],
         "showlegend": False, "hovertemplate": shown("currency", style, "y", 0)},
        {**common, "name": "upper bound", "y": [high for *_, high in known],
         "showlegend": False, "fill": "tonexty", "fillcolor": shade(ORANGE, 0.22),
         "hovertemplate": shown("currency", style, "y", 0)},
    ]  # fmt: skip
