"""Products and categories: against figures worked out by hand."""

import datetime

import pytest
from asking import ask

D = datetime.date


def sale(db, day, number, name, **figures):
    db.add_product_analytics(
        record_date=day,
        product_id=number,
        product_name=name,
        category="skincare",
        **figures,
    )


@pytest.fixture
def sales(db):
    """P1 is renamed, P2 and P3 share a name; a year before, all sold much more."""
    old = {"revenue": 9999.0, "ai_recommendations": 999, "conversion_rate": 1.0}
    sale(db, "2024-01-01", "P1", "Serum", **old)
    first = {"ai_recommendations": 90, "conversion_rate": 10.0, "purchases": 9}
    sale(db, "2025-01-01", "P1", "Serum", revenue=10.0, **first)
    last = {"ai_recommendations": 10, "conversion_rate": 50.0, "purchases": 5}
    sale(db, "2025-01-02", "P1", "Serum Plus", revenue=30.0, **last)
    sale(db, "2025-01-01", "P2", "Kit", revenue=25.0, ai_recommendations=5)
    sale(db, "2025-01-02", "P3", "Kit", revenue=20.0, ai_recommendations=7)
    return db


def test_each_product_is_once_in_the_list(sales):
    found = ask(sales, "products/analytics", period="7d")["data"]
    assert [(p["product_id"], p["revenue"]) for p in found] == [
        ("P1", 40.0), ("P2", 25.0), ("P3", 20.0),
    ]  # fmt: skip
    assert found[0]["product_name"] == "Serum Plus" and found[0]["purchases"] == 14
    assert (
        found[0]["conversion_rate"] == 14.0
    )  # of a hundred, not the mean of 10 and 50
    assert found[1]["product_name"] == "Kit" and found[1]["record_date"] == D(
        2025, 1, 1
    )
    assert found[1]["views"] is None or found[1]["views"] == 0


def test_products_are_told_apart_by_id(sales):
    found = ask(sales, "products/recommended", period="7d")["data"]
    assert [(p["product_name"], p["recommendations"]) for p in found] == [
        ("Serum Plus", 100), ("Kit", 7), ("Kit", 5),
    ]  # fmt: skip
    assert found[0]["conversion_rate"] == 14.0 and found[0]["revenue"] == 40.0
    assert (
        ask(sales, "products/recommended", start="2030-01-01", end="2030-01-31")["data"]
        == []
    )


def category(db, month, name, **figures):
    db.add_category_performance(record_date=month, category_name=name, **figures)


@pytest.fixture
def categories(db):
    for month, views, revenue in (
        ("2024-12-01", 100, 50.0),
        ("2025-01-01", 300, 100.0),
        ("2025-02-01", 100, 200.0),
    ):
        category(
            db, month, "Sets", total_views=views, total_revenue=revenue,
            ai_recommendation_rate=20.0 if views == 300 else 40.0,
        )  # fmt: skip
    category(db, "2025-02-01", "Kits", total_views=10, total_revenue=600.0)
    db.add_overview_kpis(record_date="2025-02-28")
    return db


def test_categories_obey_the_period(categories):
    rows = ask(categories, "products/category-performance", period="2m")["data"]
    assert [(r.record_date.month, r.category_name) for r in rows] == [
        (1, "Sets"), (2, "Kits"), (2, "Sets"),
    ]  # fmt: skip
    assert len(rows.columns) == 9
    found = ask(categories, "products/category-performance", period="7d")
    assert found["fallback"] and found["from"] == D(2025, 2, 1)
    assert [row.category_name for row in found["data"]] == ["Kits", "Sets"]


def test_growth_is_against_as_many_months(categories):
    found = ask(categories, "products/category-growth", period="7d")
    assert found["data"] == [
        {"category_name": "Kits", "total_revenue": 600.0, "share": 75.0,
         "previous_revenue": None, "growth": None},
        {"category_name": "Sets", "total_revenue": 200.0, "share": 25.0,
         "previous_revenue": 100.0, "growth": 100.0},
    ]  # fmt: skip
    assert found["previous_start"] == D(2025, 1, 1)
    assert found["previous_end"] == D(2025, 1, 31)


def test_nobody_stored_how_sales_divide(categories):
    found = ask(
        categories, "products/cross-sell-upsell", start="2025-01-01", end="2025-02-28"
    )
    sets = found["data"][0]
    assert sets["category"] == "Sets" and sets["total_views"] == 400
    assert sets["cross_sell"] is None and sets["upsell"] is None
    assert sets["recommended_views"] == pytest.approx(100.0)  # 300 * 20 % + 100 * 40 %
    assert found["data"][1]["recommended_views"] is None
