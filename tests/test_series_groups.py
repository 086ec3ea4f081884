"""db.series(): gaps and groups, and what must not be added up."""

import math
from collections import defaultdict

import pytest
from figures import D, add, add_interaction, exact, same
from schema_facts import TABLES

from smartshopie_db import DataError

# ---- filling and grouping ------------------------------------------------------------


@pytest.fixture
def gaps(db):
    for day, chats in (("2025-01-01", 5), ("2025-01-03", None), ("2025-01-05", 7)):
        values = {} if chats is None else {"revenue_amount": chats}
        add(db, "revenue_attribution", record_date=day, ai_feature="Chat", **values)
    add(
        db,
        "revenue_attribution",
        record_date="2025-01-02",
        ai_feature="Quiz",
        revenue_amount=1,
    )
    return db


def test_gaps_are_unknown_unless_filled(gaps):
    def amounts(**given):
        rows = gaps.series("revenue_attribution", "revenue_amount", **given)
        return rows["revenue_amount"].to_list()

    stored = [r.revenue_amount for r in gaps.revenue_attribution.select()]
    zero = 0.0 if stored[1] == 0.0 else None  # what the schema's default makes of it
    chat = {"ai_feature": "Chat", "end": "2025-01-06"}
    assert amounts(**chat) == [5.0, None, zero, None, 7.0, None]
    assert amounts(**chat, fill=None) == [5.0, None, zero, None, 7.0, None]
    assert amounts(**chat, fill=0) == [5.0, 0.0, 0.0, 0.0, 7.0, 0.0]
    carried = 5.0 if zero is None else 0.0
    assert amounts(**chat, fill="previous") == [5.0, 5.0, carried, carried, 7.0, 7.0]
    assert amounts(**chat, start="2024-12-31", fill="previous")[0] is None


def test_each_group_is_filled_from_itself(gaps):
    rows = gaps.series(
        "revenue_attribution",
        "revenue_amount",
        by="ai_feature",
        fill="previous",
        end="2025-01-03",
    )
    assert [(r.start.day, r.ai_feature) for r in rows] == [
        (1, "Chat"),
        (1, "Quiz"),
        (2, "Chat"),
        (2, "Quiz"),
        (3, "Chat"),
        (3, "Quiz"),
    ]
    assert rows[1].revenue_amount is None and rows[5].revenue_amount == 1.0


def test_a_rate_cannot_be_filled_with_zero(db):
    with pytest.raises(ValueError, match="conversion_rate was 0"):
        db.series("overview_kpis", "conversion_rate", period="7d", fill=0)
    with pytest.raises(ValueError, match="total_customers was 0, but it is a stock"):
        db.series("overview_kpis", "total_customers", period="7d", fill=0)


def test_groups_add_up_to_the_whole(demo):
    for table in ("customer_segments", "revenue_attribution", "category_revenue"):
        facts = TABLES[table]
        (by,) = facts.key[1:]
        for column in facts.columns:
            if column.aggregate in ("sum", "last"):
                total = demo.series(table, column.name)[column.name].to_list()
                parts = defaultdict(list)
                for row in demo.series(table, column.name, by=by):
                    parts[row.start].append(row[column.name])
                for whole, part in zip(total, parts.values(), strict=True):
                    known = [x for x in part if x is not None]
                    assert same(whole, exact(known) if known else None)


def test_null_is_a_group_of_its_own_and_comes_last(db):
    for number, kind in enumerate(("b", None, "a", "b")):
        add_interaction(db, number, "2025-01-01 10:00", customer_id=kind)
    rows = db.series("customer_interactions", "rows", by="customer_id")
    assert [(r.customer_id, r.rows) for r in rows] == [
        ("a", 1),
        ("b", 2),
        (None, 1),
    ]


# ---- what must not be added up -------------------------------------------------------


def test_rows_of_different_kinds_do_not_add_up(db):
    for kind, n in (("daily", 5), ("weekly", 35)):
        add(
            db,
            "conversion_trends",
            record_date="2025-01-06",
            period_type=kind,
            conversions=n,
        )
    with pytest.raises(ValueError, match=r"period_type.*\('daily', 'weekly'\)"):
        db.series("conversion_trends", "conversions")
    for call in (db.compare, lambda *a: db.top(*a, by="record_date")):
        with pytest.raises(ValueError, match="does not add up"):
            call("conversion_trends", "conversions")
    daily = db.series("conversion_trends", "conversions", period_type="daily")
    assert daily["conversions"].to_list() == [5]
    both = db.series("conversion_trends", "conversions", by="period_type")
    assert both["conversions"].to_list() == [5, 35]
    assert db.series("conversion_trends", "rows")[0].rows == 2


def test_a_column_without_a_rule_is_refused_with_the_reason(db):
    for column, reason in {
        "stage_name": "it is no number",
        "percentage": "computed from others",
        "id": "identifier",
        "record_date": "it is no number",
    }.items():
        for call in (db.series, db.compare, db.top, db.breakdown):
            with pytest.raises(ValueError, match=f"{column} has no rule.*{reason}"):
                call("conversion_funnel", column)


def test_a_sum_of_integers_that_does_not_fit_is_an_error(db):
    for number in range(2):
        add_interaction(db, number, "2025-01-01", message_count=2**62)
    assert db.series("customer_interactions", "rows")[0].rows == 2
    with pytest.raises(DataError, match="message_count: the sum does not fit 64 bits"):
        db.series("customer_interactions", "message_count")


INFINITY = math.inf


@pytest.mark.parametrize(
    "values, total, delta, trend",
    [
        ((1.7e308, 1.7e308), INFINITY, 0.0, "flat"),
        ((-1.7e308, 1.7e308), 0.0, None, "up"),
        ((1.0, INFINITY), INFINITY, None, "up"),
        ((INFINITY, 1.0), INFINITY, None, "down"),
        ((INFINITY, INFINITY), INFINITY, None, None),
        ((INFINITY, -INFINITY), None, None, None),
    ],
)
def test_no_figure_is_nan(db, values, total, delta, trend):
    """Beyond all numbers, or stored so, as in older files."""
    for day, value in enumerate(values, 1):
        record_date = D(2025, 1, day)
        add(db, "revenue_summary", record_date=record_date, monthly_investment=0.0)
        db.execute(  # which takes an infinite one, too
            "UPDATE revenue_summary SET monthly_return = ?, roi_percentage = ?"
            " WHERE record_date = ?",
            (value, value, record_date),
        )
    (month,) = db.series("revenue_summary", every="month")
    assert (month.monthly_return, month.roi_percentage) == (total, None)
    (row,) = db.compare("revenue_summary", "monthly_return", period="1d")
    assert (row.previous, row.value, row.delta) == (*values, delta)
    assert row.trend == trend and (row.verdict is None) == (trend is None)
    assert row.percent in (None, 0.0)


def test_only_the_newest_day_of_a_stock_has_to_fit(db):
    for day in (1, 2, 3):
        for name in ("a", "b"):
            add(
                db, "customer_segments", record_date=D(2025, 1, day),
                segment_name=name, segment_size=2**62 if day < 3 else 7,
            )  # fmt: skip
    (row,) = db.series("customer_segments", "segment_size", every="month")
    assert row.segment_size == 14
    with pytest.raises(DataError, match="segment_size: the sum does not fit 64 bits"):
        db.series("customer_segments", "segment_size", end=D(2025, 1, 2), every="month")
