"""Who the customers are, what they ask about and what they are worth."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .common import as_of, columns, nothing, share
from .drawing import Drawing, Style, Window
from .frame import layout, name_axis, value_axis
from .palette import BLUE, ORANGE, SKY
from .ranked import DOWN, Item, bars, ranking, rows_layout
from .text import days, escape, label, number, shown

if TYPE_CHECKING:
    from .._core import SmartShopieDB

MOST = 10
PERCENT = ("%", "percent", "percentage")


def segments(db: SmartShopieDB, window: Window, style: Style) -> Drawing:
    found = db.get_customer_segments(as_of=window.end)
    total = sum(row.segment_size or 0 for row in found)
    rows = [
        (row.segment_name, row.segment_size, share(row.segment_size, total),
         row.avg_lifetime_value, row.avg_order_value)
        for row in found
    ]  # fmt: skip
    items = [
        Item(
            name, size,
            f"{number(size, 'count', style, 0)} · {number(part, 'percent', style, 1)}",
            (f"lifetime value {number(value, 'currency', style, 2)}",
             f"order value {number(order, 'currency', style, 2)}"),
        )
        for name, size, part, value, order in rows
    ]  # fmt: skip
    return ranking(
        "segments", "Customers by segment", as_of(found, window), style, items,
        ("segment", "customers", "share", "lifetime value", "order value"), rows,
        (None, "count", "percent", "currency", "currency"),
    )  # fmt: skip


def behavioral_patterns(db: SmartShopieDB, window: Window, style: Style) -> Drawing:
    found = db.get_behavioral_patterns(as_of=window.end)
    rows = [
        (str(row.pattern_type).replace("_", " "), row.pattern_name, row.value,
         row.metric_unit)
        for row in found
    ]  # fmt: skip
    items = [
        Item(
            f"{name} ({kind})", value,
            number(value, "percent" if unit in PERCENT else None, style, 1)
            + ("" if unit in PERCENT or not unit else f" {escape(unit)}"),
        )
        for kind, name, value, unit in rows
    ]  # fmt: skip
    most = max([100.0, *(row[2] or 0 for row in rows)])
    return ranking(
        "behavioral_patterns", "Habits of customers", as_of(found, window), style,
        items, ("pattern", "name", "value", "unit"), rows, (None, None, None, None),
        xaxis={"visible": False, "range": [0, most], "fixedrange": True},
    )  # fmt: skip


def concerns(db: SmartShopieDB, window: Window, style: Style) -> Drawing:
    """Questions on the left, what part was answered well on the right."""
    title, note = "What customers ask about", days(window.start, window.end)
    within: Any = {"start": window.start, "end": window.end, "by": "concern_name"}
    found = db.top("customer_concerns", "query_count", MOST, **within)
    asked = columns(found, ("concern_name", "query_count"))
    if not asked:
        return nothing("concerns", title, style, note)
    answered = dict(
        columns(db.top("customer_concerns", "ai_success_rate", 1000, **within),
                ("concern_name", "ai_success_rate"))
    )  # fmt: skip
    rows = [(name, count, answered.get(name)) for name, count in asked]
    texts = [number(count, "count", style, 0) for _, count, _ in rows]
    rates = [number(rate, "percent", style, 0) for *_, rate in rows]
    hover = [
        f"{escape(name)}: {text} questions<br>{number(rate, 'percent', style, 1)}"
        " answered well"
        for (name, _, rate), text in zip(rows, texts, strict=True)
    ]
    dots = {
        "type": "scatter", "mode": "lines+markers+text", "name": "answered well",
        "x": [rate for *_, rate in rows], "y": [i + DOWN for i in range(len(rows))],
        "xaxis": "x2", "text": rates, "textposition": "middle right",
        "line": {"color": ORANGE, "width": 1.5}, "connectgaps": False,
        "marker": {"color": ORANGE, "size": 9}, "customdata": hover,
        "hovertemplate": "%{customdata}<extra></extra>", "cliponaxis": False,
    }  # fmt: skip
    plain = {"visible": False, "fixedrange": True}
    return Drawing(
        "concerns", title, note,
        [bars([row[1] for row in rows], texts, hover, name="questions"), dots],
        rows_layout(
            [row[0] for row in rows], style, showlegend=True,
            xaxis={**plain, "domain": [0, 0.62], "rangemode": "tozero"},
            xaxis2={**plain, "domain": [0.68, 0.9], "range": [0, 100], "anchor": "y"},
        ),
        ("concern", "questions", "answered well"), rows, (None, "count", "percent"),
    )  # fmt: skip


def lifetime_value(db: SmartShopieDB, window: Window, style: Style) -> Drawing:
    title = "Lifetime value by time as a customer"
    found = db.get_customer_lifetime_value(as_of=window.end)
    note = as_of(found, window)
    if not found:
        return nothing("lifetime_value", title, style, note)
    rows = sorted(
        ((row.segment_name, row.current_clv, row.predicted_clv) for row in found),
        key=lambda row: tenure(row[0]),
    )
    places = list(range(len(rows)))
    names = [escape(name) for name, _, _ in rows]
    data = [
        {
            "type": "bar", "name": what, "x": places, "y": [row[k] for row in rows],
            "customdata": names, "marker": {"color": colour, "line": {"width": 0}},
            "hovertemplate": shown("currency", style, "y"),
        }
        for k, what, colour in ((1, "so far", BLUE), (2, "predicted", SKY))
    ]  # fmt: skip
    return Drawing(
        "lifetime_value", title, note, data,
        layout(
            style, showlegend=True, barmode="group", bargap=0.3,
            xaxis=name_axis([label(row[0], 14) for row in rows],
                            range=[-0.5, len(rows) - 0.5]),
            yaxis=value_axis("currency", style, "amount"),
        ),
        ("time as a customer", "so far", "predicted"), rows,
        (None, "currency", "currency"),
    )  # fmt: skip


def tenure(band: str | None) -> tuple[float, str]:
    """Bands by where they begin ("31-60d", "1-2y"); names without a number last."""
    band = band or ""
    found = re.match(r"\s*(\d+)", band)
    if not found:
        return float("inf"), band
    years = re.search(r"y", band, re.IGNORECASE)
    months = re.search(r"\bm|\dm", band, re.IGNORECASE)
    return int(found[1]) * (365 if years else 30 if months else 1), band


def customer_value(db: SmartShopieDB, window: Window, style: Style) -> Drawing:
    found = db.get_customer_value_analysis(as_of=window.end)
    rows = sorted(
        ((row.tier_name, row.total_revenue, row.customer_count, row.avg_revenue)
         for row in found),
        key=lambda row: -(row[1] or 0),
    )  # fmt: skip
    total = sum(row[1] or 0 for row in rows)
    items = [
        Item(
            name, revenue,
            f"{number(revenue, 'currency', style, 0)} · "
            + number(share(revenue, total), "percent", style, 1),
            (f"{number(count, 'count', style, 0)} customers, "
             f"{number(each, 'currency', style, 2)} each",),
        )
        for name, revenue, count, each in rows
    ]  # fmt: skip
    return ranking(
        "customer_value", "Revenue by value of customers", as_of(found, window), style,
        items, ("tier", "revenue to date", "customers", "revenue per customer"), rows,
        (None, "currency", "count", "currency"),
    )  # fmt: skip
