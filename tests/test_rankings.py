"""db.top() and db.breakdown()."""

import math
import sqlite3

import pytest
from figures import D, add, kpis

from smartshopie_db import SmartShopieDB


def products(db):
    sold = {("p1", 1): 10.0, ("p1", 2): 5.0, ("p2", 1): 20.0, ("p3", 2): 15.0}
    for (product, day), revenue in sold.items():
        values = {"product_id": product, "product_name": product.upper()}
        figures = {"revenue": revenue, "ai_recommendations": 2, "conversion_rate": 50.0}
        add(db, "product_analytics", record_date=D(2025, 1, day), **values, **figures)


def test_top_adds_up_each_group_and_sorts(db):
    products(db)
    rows = db.top("product_analytics", "revenue")
    assert rows.columns == ("product_id", "revenue", "start", "end")
    assert [(r.product_id, r.revenue) for r in rows] == [
        ("p2", 20.0),
        ("p1", 15.0),
        ("p3", 15.0),
    ]
    assert rows[0].start == D(2025, 1, 1) and rows[0].end == D(2025, 1, 2)
    assert len(db.top("product_analytics", "revenue", 2)) == 2
    assert len(db.top("product_analytics", "revenue", n=0)) == 0
    (one,) = db.top(
        "product_analytics",
        "revenue",
        1,
        by=["product_id", "product_name"],
        period="1d",
    )
    assert (one.product_id, one.product_name, one.revenue) == ("p3", "P3", 15.0)
    assert [r.rows for r in db.top("product_analytics", "rows", 1)] == [2]


def test_shares_come_from_the_figures_and_make_a_hundred(db):
    products(db)
    rows = db.breakdown("product_analytics", "revenue")
    assert rows.columns == ("product_id", "revenue", "share", "start", "end")
    assert math.isclose(sum(rows["share"].to_list()), 100, rel_tol=1e-12)
    assert [round(r.share, 6) for r in rows] == [40.0, 30.0, 30.0]


def test_rankings_of_real_files(real_path):
    """Many groups, and each kind of figure, against SQL."""
    plain = sqlite3.connect(real_path)
    for table, column, by, sql in (
        ("customer_concerns", "query_count", "concern_name", "sum(query_count)"),
        ("customer_concerns", "ai_success_rate", "concern_name",
         "sum(ai_success_rate * query_count) / sum(query_count)"),
        ("product_analytics", "revenue", "product_id", "sum(revenue)"),
        ("customer_lifetime_value", "current_clv", "segment_name", "avg(current_clv)"),
    ):  # fmt: skip
        with SmartShopieDB(real_path) as db:
            got = {row[by]: row[column] for row in db.top(table, column, 100, by=by)}
        want = dict(plain.execute(f"SELECT {by}, {sql} FROM {table} GROUP BY 1"))
        assert got == pytest.approx(want, rel=1e-12)
    plain.close()


def test_shares_of_what_is_no_whole(db):
    products(db)
    with pytest.raises(ValueError, match="conversion_rate is a rate or a mean"):
        db.breakdown("product_analytics", "conversion_rate")
    with pytest.raises(TypeError, match="needs the argument 'by'"):
        db.top("overview_kpis", "ai_interactions")
    kpis(db, {D(2025, 1, 1): 1, D(2025, 1, 2): 2})
    db.overview_kpis.update({"record_date": "2025-01-01"}, revenue_impact=-5.0)
    rows = db.breakdown("overview_kpis", "revenue_impact", by="record_date")
    assert [r.share for r in rows] == [None, None]


def test_stocks_break_down_at_the_newest_day(demo):
    rows = demo.breakdown("customer_segments", "segment_size")
    newest = demo.get_customer_segments()
    assert {r.segment_name: r.segment_size for r in rows} == {
        r.segment_name: r.segment_size for r in newest
    }
    assert math.isclose(sum(rows["share"].to_list()), 100)
