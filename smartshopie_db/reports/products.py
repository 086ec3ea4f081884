"""Products and categories: what is recommended, seen and sold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .. import Row, Rows, SmartShopieDB
from .answer import (
    Answer,
    answer,
    largest,
    newest_of_each,
    percent,
    report,
    totals,
)
from .months import figures_of_months, months_before, rows_of_months
from .window import Window

SALES = ("views", "ai_recommendations", "purchases", "revenue", "conversion_rate")
CATEGORY = (
    "id", "record_date", "category_name", "total_products", "total_views",
    "total_revenue", "avg_conversion_rate", "ai_recommendation_rate", "created_at",
)  # fmt: skip
RATES = ("total_views", "ai_recommendation_rate", "avg_conversion_rate")


@report("products/analytics", "product_analytics")
def analytics(db: SmartShopieDB, window: Window) -> Answer:
    """The twenty products with the largest revenue in the window, each once.

    Names, id, record_date and the moments are those of a product's newest row.
    """
    rows = largest(_sales(db, window), "revenue", 20)
    newest = _newest(db, rows, window)
    return answer(window, [_product(row, newest[row.product_id]) for row in rows])


def _product(row: Row, newest: Any) -> dict[str, object]:
    return {
        "id": newest.id,
        "record_date": newest.record_date,
        "product_id": row.product_id,
        "product_name": newest.product_name,
        "category": newest.category,
        **{name: row[name] for name in SALES},
        "created_at": newest.created_at,
        "updated_at": newest.updated_at,
    }


@report("products/recommended", "product_analytics")
def recommended(db: SmartShopieDB, window: Window) -> Answer:
    """The five products that were recommended most."""
    rows = largest(_sales(db, window), "ai_recommendations", 5)
    newest = _newest(db, rows, window)
    data = [
        {
            "product_name": newest[row.product_id].product_name,
            "recommendations": row.ai_recommendations,
            "conversion_rate": row.conversion_rate,
            "revenue": row.revenue,
        }
        for row in rows
    ]
    return answer(window, data)


def _sales(db: SmartShopieDB, window: Window) -> Rows[Row]:
    """By id: products may share a name, and one may be renamed."""
    return totals(db, "product_analytics", SALES, window, "product_id")


def _newest(
    db: SmartShopieDB, rows: Sequence[Row], window: Window
) -> Mapping[str, Any]:
    ids = [row.product_id for row in rows]
    return newest_of_each(db, "product_analytics", "product_id", ids, window)


@report("products/category-performance", "category_performance")
def category_performance(db: SmartShopieDB, window: Window) -> Answer:
    """The categories by month, oldest first, in a month the largest revenue first."""
    rows, marks = rows_of_months(
        db, "category_performance", window, CATEGORY, ["record_date", "-total_revenue"]
    )
    return answer(window, rows, **marks)


@report("products/category-growth", "category_performance")
def category_growth(db: SmartShopieDB, window: Window) -> Answer:
    """Each category's revenue, its share, and its growth against the months before."""

    def ask(days: Window) -> Rows[Row]:
        return db.breakdown(
            "category_performance", "total_revenue", by="category_name", **days.given
        )

    rows, days, marks = figures_of_months(db, "category_performance", window, ask)
    start, end = months_before(days)
    before = db.breakdown(
        "category_performance",
        "total_revenue",
        by="category_name",
        start=start,
        end=end,
    )
    old = {row.category_name: row.total_revenue for row in before}
    data = [
        {
            "category_name": row.category_name,
            "total_revenue": row.total_revenue,
            "share": row.share,
            "previous_revenue": old.get(row.category_name),
            "growth": _growth(row.total_revenue, old.get(row.category_name)),
        }
        for row in rows
    ]
    return answer(window, data, previous_start=start, previous_end=end, **marks)


def _growth(value: float, previous: float | None) -> float | None:
    return None if previous is None else percent(value - previous, abs(previous))


@report("products/cross-sell-upsell", "category_performance")
def cross_sell(db: SmartShopieDB, window: Window) -> Answer:
    """The eight categories seen most, and how many of the views were recommended.

    cross_sell and upsell are None: no file stores how sales divide into the two.
    """

    def ask(days: Window) -> Rows[Row]:
        return totals(db, "category_performance", RATES, days, "category_name")

    rows, _, marks = figures_of_months(db, "category_performance", window, ask)
    data = [
        {
            "category": row.category_name,
            "cross_sell": None,
            "upsell": None,
            **{name: row[name] for name in RATES},
            "recommended_views": _part(row.total_views, row.ai_recommendation_rate),
        }
        for row in largest(rows, "total_views", 8)
    ]
    return answer(window, data, **marks)


def _part(whole: float | None, rate: float | None) -> float | None:
    return None if whole is None or rate is None else whole * rate / 100
