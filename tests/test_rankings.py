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


def test_figures_that_do_not_add_up_have_no_shares(db):
    """Else who reached the second stage would be a part beside all who came."""
    for order, count in ((0, 100), (1, 40)):
        add(
            db, "conversion_funnel", record_date="2025-01-01",
            stage_order=order, stage_name=f"Stage {order}", count=count,
        )  # fmt: skip
    for by in (None, "stage_order", ["stage_name", "stage_order"]):
        with pytest.raises(ValueError, match=r"stage_order makes no whole \(0, 1\)"):
            db.breakdown("conversion_funnel", "count", by=by)
    (row,) = db.breakdown("conversion_funnel", "count", stage_order=1)
    assert (row.count, row.share) == (40, 100.0)
    top = db.top("conversion_funnel", "count", by="stage_order")
    assert top["count"].to_list() == [100, 40]


def test_a_share_beyond_all_numbers_is_unknown(db):
    for name in ("a", "b"):
        add(
            db, "revenue_attribution", record_date="2025-01-01",
            ai_feature=name, revenue_amount=1.7e308,
        )  # fmt: skip
    rows = db.breakdown("revenue_attribution", "revenue_amount")
    assert rows["share"].to_list() == [None, None]
