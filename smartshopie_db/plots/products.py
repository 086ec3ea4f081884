"""What is recommended, what sells, and what is asked for in vain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .common import as_of, stored, table
from .drawing import Drawing, Style, Window
from .palette import SKY
from .ranked import Item, ranking, split
from .text import days, label, number

if TYPE_CHECKING:
    from .._core import SmartShopieDB

MOST = 10


def top_products(db: SmartShopieDB, window: Window, style: Style) -> Drawing:
    """By revenue; what else is known of them stands in the hover text."""
    keys = ("product_id", "product_name")
    within: Any = {"start": window.start, "end": window.end, "by": keys}
    figures = ("revenue", "ai_recommendations", "purchases")
    known: list[dict[tuple[str, str], Any]] = []
    for column in figures:
        n = 1000 if known else MOST
        found = db.top("product_analytics", column, n, **within)
        known.append({(a, b): c for a, b, c in table(found, (*keys, column))})
    rows = [
        (product[1], revenue, known[1].get(product), known[2].get(product))
        for product, revenue in known[0].items()
    ]
    items = [
        Item(
            name, revenue, number(revenue, "currency", style, 0),
            (f"recommended {number(shown, 'count', style, 0)} times",
             f"bought {number(bought, 'count', style, 0)} times"),
        )
        for name, revenue, shown, bought in rows
    ]  # fmt: skip
    return ranking(
        "top_products", "Products by revenue",
        stored(window, db, "product_analytics", "revenue"), style,
        items, ("product", "revenue", "recommendations", "purchases"), rows,
        (None, "currency", "count", "count"),
    )  # fmt: skip


def product_gaps(db: SmartShopieDB, window: Window, style: Style) -> Drawing:
    found = db.get_product_gaps(as_of=window.end)
    ranked = sorted(found, key=lambda row: -(row.demand_score or 0))[:MOST]
    rows = [
        (row.product_name, row.category, row.demand_score, row.potential_revenue)
        for row in ranked
    ]
    items = [
        Item(
            name, demand,
            number(demand, None, style, 0 if (demand or 0) > 1 else 2),
            (f"in {label(category or 'no category')}",
             f"could sell for {number(revenue, 'currency', style, 0)}"),
        )
        for name, category, demand, revenue in rows
    ]  # fmt: skip
    return ranking(
        "product_gaps", "Asked for, but not sold here",
        as_of(found, window) + "; by demand", style, items,
        ("product", "category", "demand", "potential revenue"), rows,
        (None, None, None, "currency"),
    )  # fmt: skip


def category_performance(db: SmartShopieDB, window: Window, style: Style) -> Drawing:
    found = db.get_category_performance(as_of=window.end)
    rows = sorted(
        ((row.category_name, row.total_revenue, row.total_views,
          row.avg_conversion_rate, row.total_products) for row in found),
        key=lambda row: -(row[1] or 0),
    )[:MOST]  # fmt: skip
    items = [
        Item(
            name, revenue, number(revenue, "currency", style, 0),
            (f"{number(views, 'count', style, 0)} views of "
             f"{number(products, 'count', style, 0)} products",
             f"{number(rate, 'percent', style, 1)} of them bought"),
        )
        for name, revenue, views, rate, products in rows
    ]  # fmt: skip
    return ranking(
        "category_performance", "Revenue by category", month(found, window), style,
        items, ("category", "revenue", "views", "conversion rate", "products"), rows,
        (None, "currency", "count", "percent", "count"),
    )  # fmt: skip


def cross_sell(db: SmartShopieDB, window: Window, style: Style) -> Drawing:
    """Views that a recommendation led to, beside all others: what the file says of
    cross-selling.  It knows of no part that is upselling."""
    title = "Views that came from a recommendation"
    found = db.get_category_performance(as_of=window.end)
    note = month(found, window)
    rows = sorted(
        ((row.category_name, row.total_views, row.ai_recommendation_rate,
          part(row.total_views, row.ai_recommendation_rate)) for row in found),
        key=lambda row: -(row[3] or 0),
    )[:MOST]  # fmt: skip
    items = [
        Item(
            name, led,
            f"{number(led, 'count', style, 0)} · {number(rate, 'percent', style, 1)}",
            (f"of {number(views, 'count', style, 0)} views",),
        )
        for name, views, rate, led in rows
    ]  # fmt: skip
    drawn = ranking(
        "cross_sell", title, note, style, items,
        ("category", "views", "share recommended", "views recommended"), rows,
        (None, "count", "percent", "count"),
    )  # fmt: skip
    rest = [other(views, led) for _, views, _, led in rows]
    return split(drawn, items, rest, ("from a recommendation", "other views"), SKY)


def part(views: int | None, rate: float | None) -> float | None:
    return None if views is None or rate is None else views * rate / 100


def other(views: int | None, led: float | None) -> float | None:
    return None if views is None or led is None else views - led


def month(found: Any, window: Window) -> str:
    """The month that monthly rows are about."""
    if not len(found):
        return days(window.start, window.end)
    first = found[0].record_date
    text = f"{first:%B %Y}"
    older = (first.year, first.month) < (window.end.year, window.end.month)
    return f"{text}, the newest month stored" if older else text
