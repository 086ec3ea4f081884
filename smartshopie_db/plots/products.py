"""What is recommended, what sells, and what is asked for in vain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .common import about, ask, months_of
from .drawing import Drawing, Style, Window
from .palette import SKY
from .ranked import Item, ranking, split
from .text import label, number

if TYPE_CHECKING:
    from .._core import SmartShopieDB

MOST = 10


def top_products(db: SmartShopieDB, window: Window, style: Style) -> Drawing:
    """By revenue; what else is known of them stands in the hover text."""
    answer, found = ask("products/analytics", db, window)
    figures = ("product_name", "revenue", "ai_recommendations", "purchases")
    rows = [tuple(row[name] for name in figures) for row in found[:MOST]]
    items = [
        Item(
            name, revenue, number(revenue, "currency", style, 0),
            (f"recommended {number(shown, 'count', style, 0)} times",
             f"bought {number(bought, 'count', style, 0)} times"),
        )
        for name, revenue, shown, bought in rows
    ]  # fmt: skip
    return ranking(
        "top_products", "Products by revenue", about(answer, db, "product_analytics"),
        style, items, ("product", "revenue", "recommendations", "purchases"), rows,
        (None, "currency", "count", "count"),
    )  # fmt: skip


def product_gaps(db: SmartShopieDB, window: Window, style: Style) -> Drawing:
    answer, found = ask("customers/product-gaps", db, window)
    figures = ("product_name", "category", "demand_score", "potential_revenue")
    rows = [tuple(row[name] for name in figures) for row in found]
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
        about(answer, db, "product_gaps") + "; by demand", style, items,
        ("product", "category", "demand", "potential revenue"), rows,
        (None, None, None, "currency"),
    )  # fmt: skip


def category_performance(db: SmartShopieDB, window: Window, style: Style) -> Drawing:
    answer, found = ask("products/category-growth", db, window)
    figures = ("category_name", "total_revenue", "share", "previous_revenue", "growth")
    rows = [tuple(row[name] for name in figures) for row in found[:MOST]]
    items = [
        Item(
            name, revenue,
            f"{number(revenue, 'currency', style, 0)} · "
            + number(part, "percent", style, 1),
            (f"{number(before, 'currency', style, 0)} in the months before",),
        )
        for name, revenue, part, before, _ in rows
    ]  # fmt: skip
    return ranking(
        "category_performance", "Revenue by category", months_of(answer), style,
        items, ("category", "revenue", "share", "revenue before", "growth"), rows,
        (None, "currency", "percent", "currency", "percent"),
    )  # fmt: skip


def cross_sell(db: SmartShopieDB, window: Window, style: Style) -> Drawing:
    """Views that a recommendation led to, beside all others: what the file says of
    cross-selling.  It knows of no part that is upselling."""
    title = "Views that came from a recommendation"
    answer, found = ask("products/cross-sell-upsell", db, window)
    note = months_of(answer)
    figures = ("category", "total_views", "ai_recommendation_rate", "recommended_views")
    rows = [tuple(row[name] for name in figures) for row in found]
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


def other(views: int | None, led: float | None) -> float | None:
    return None if views is None or led is None else views - led
