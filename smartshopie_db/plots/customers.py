"""Who the customers are, what they ask about and what they are worth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .common import about, as_of, ask, nothing, share
from .drawing import Drawing, Style, Window
from .frame import layout, name_axis, value_axis
from .palette import BLUE, ORANGE, SKY
from .ranked import Item, bars, dots, ranking, rows_layout, scale
from .text import escape, label, number, shown

if TYPE_CHECKING:
    from .._core import SmartShopieDB

PERCENT = ("%", "percent", "percentage")


def segments(db: SmartShopieDB, window: Window, style: Style) -> Drawing:
    answer, found = ask("customers/segments", db, window)
    figures = ("segment_name", "segment_size", "segment_percentage",
               "avg_lifetime_value", "avg_order_value")  # fmt: skip
    rows = [tuple(row[name] for name in figures) for row in found]
    items = [
        Item(
            name, size,
            f"{number(size, 'count', style, 0)} · {number(part, 'percent', style, 1)}",
            (f"lifetime value {number(value, 'currency', style, 2)}",
             f"order value {number(order, 'currency', style, 2)}"),
        )
        for name, size, part, value, order in rows
    ]  # fmt: skip
    newest: Any = answer["record_date"]
    return ranking(
        "segments", "Customers by segment", as_of(answer, newest), style, items,
        ("segment", "customers", "share", "lifetime value", "order value"), rows,
        (None, "count", "percent", "currency", "currency"),
    )  # fmt: skip


def behavioral_patterns(db: SmartShopieDB, window: Window, style: Style) -> Drawing:
    answer, found = ask("customers/behavioral-patterns", db, window)
    rows = [
        (str(row["pattern_type"]).replace("_", " "), row["pattern_name"], row["value"],
         row["metric_unit"])
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
        "behavioral_patterns", "Habits of customers",
        about(answer, db, "behavioral_patterns"), style, items,
        ("pattern", "name", "value", "unit"), rows, (None, None, None, None),
        xaxis=scale(most),
    )  # fmt: skip


def concerns(db: SmartShopieDB, window: Window, style: Style) -> Drawing:
    """Questions on the left, what part was answered well on the right."""
    title = "What customers ask about"
    answer, found = ask("customers/concerns", db, window)
    note = about(answer, db, "customer_concerns")
    if not found:
        return nothing("concerns", title, style, note)
    rows = [
        (row["concern_name"], row["query_count"], row["ai_success_rate"])
        for row in found
    ]
    items = [
        Item(
            name, count, number(count, "count", style, 0) + " asked",
            (f"{number(rate, 'percent', style, 1)} answered well",),
        )
        for name, count, rate in rows
    ]  # fmt: skip
    rates = [row[2] for row in rows]
    answers = dots(
        items, rates, name="answered well", xaxis="x2", mode="markers+text",
        text=[number(rate, "percent", style, 0) for rate in rates],
        textposition="middle right",
        marker={"color": ORANGE, "size": 9},
    )  # fmt: skip
    return Drawing(
        "concerns", title, note, [bars(items, name="questions"), answers],
        rows_layout(
            items, style, showlegend=True,
            xaxis=scale(items[0].value or 1, domain=[0, 0.62]),
            xaxis2=scale(100, domain=[0.68, 0.88], anchor="y"),
        ),
        ("concern", "questions", "answered well"), rows, (None, "count", "percent"),
    )  # fmt: skip


def lifetime_value(db: SmartShopieDB, window: Window, style: Style) -> Drawing:
    title = "Lifetime value by time as a customer"
    answer, found = ask("customers/lifetime-value", db, window)
    note = about(answer, db, "customer_lifetime_value")
    if not found:
        return nothing("lifetime_value", title, style, note)
    rows = [
        (row["segment_name"], row["current_clv"], row["predicted_clv"]) for row in found
    ]
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


def customer_value(db: SmartShopieDB, window: Window, style: Style) -> Drawing:
    answer, found = ask("revenue/customer-value", db, window)
    rows = sorted(
        ((row["tier_name"], row["total_revenue"], row["customer_count"],
          row["avg_revenue"]) for row in found),
        key=lambda row: -(row[1] or 0),
    )  # fmt: skip
    newest = found[0]["record_date"] if found else None
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
        "customer_value", "Revenue by value of customers", as_of(answer, newest), style,
        items, ("tier", "revenue to date", "customers", "revenue per customer"), rows,
        (None, "currency", "count", "currency"),
    )  # fmt: skip
