"""Which days a report is about."""

import datetime

import pytest
from schema_facts import TABLES

from smartshopie_db import SmartShopieDB
from smartshopie_db.reports import newest_day, oldest_day, window
from smartshopie_db.reports.window import _tables

D = datetime.date


@pytest.fixture
def shop(db):
    """KPIs to the 31st of October, the feed one day further, months and bills later."""
    db.add_overview_kpis(record_date="2024-10-31", total_customers=1)
    db.add_overview_kpis(record_date="2025-10-31", total_customers=2)
    db.add_customer_interaction(
        interaction_id="1", interaction_date="2025-11-01 08:00:00",
        interaction_type="chat",
    )  # fmt: skip
    db.add_revenue_summary(record_date="2025-12-01", total_revenue_impact=1.0)
    db.add_billing_payment(payment_date="2026-01-01", description="ahead")
    return db


def test_the_anchor_is_the_newest_day_of_all_daily_tables(shop):
    assert newest_day(shop) == D(2025, 11, 1)
    assert oldest_day(shop) == D(2024, 10, 31)
    shop.add_customer_satisfaction(
        record_date="2025-11-03", overall_satisfaction=4.0,
        product_match_quality=4.0, ai_helpfulness=4.0,
    )  # fmt: skip
    assert newest_day(shop) == D(2025, 11, 3)


def test_every_table_of_days_is_asked():
    days = {
        table.name for table in TABLES.values()
        if table.time and table.step == "day" and table.shape != "events"
        and table.column(table.time).kind == "DATE"
    }  # fmt: skip
    daily, others = _tables()
    assert daily.keys() == days | {"customer_interactions"}
    times = {table.name: table.time for table in TABLES.values() if table.time}
    del times["api_endpoints"]
    assert daily | others == times


def test_how_long_a_row_counts():
    for name, table in SmartShopieDB(":memory:").tables.items():
        known = TABLES[name]
        dated = known.time and known.column(known.time).kind == "DATE"
        assert table.step == (known.step if dated else None)
    assert {table.step for table in SmartShopieDB(":memory:").tables.values()} == {
        "day", "month", None,
    }  # fmt: skip


def test_without_daily_rows_the_other_tables_are_the_anchor(db):
    db.add_revenue_summary(record_date="2025-12-01", total_revenue_impact=1.0)
    db.add_realtime_metric(recorded_at="2025-12-03 10:00:00")
    assert newest_day(db) == D(2025, 12, 3)
    assert oldest_day(db) == D(2025, 12, 1)


def test_a_file_without_rows_is_about_today(db):
    today = datetime.datetime.now(datetime.UTC).date()
    assert newest_day(db) is oldest_day(db) is None
    assert window(db).end in (today, today + datetime.timedelta(days=1))
    assert window(db, as_of="2025-01-30").start == D(2025, 1, 1)


@pytest.mark.parametrize(
    ("period", "start", "days", "every"),
    [
        ("7d", D(2025, 10, 26), 7, "day"),
        ("30d", D(2025, 10, 3), 30, "day"),
        (None, D(2025, 10, 3), 30, "day"),
        ("90d", D(2025, 8, 4), 90, "week"),
        ("1y", D(2024, 11, 2), 365, "month"),
        ("1w", D(2025, 10, 26), 7, "day"),
        ("mtd", D(2025, 11, 1), 1, "day"),
        ("ytd", D(2025, 1, 1), 305, "month"),
    ],
)
def test_a_period_has_exactly_its_days(shop, period, start, days, every):
    found = window(shop, period=period)
    assert (found.start, found.end, found.days) == (start, D(2025, 11, 1), days)
    assert found.as_of == D(2025, 11, 1) and found.every == every
    assert found.period == (period or "30d")


def test_days_may_be_given(shop):
    found = window(shop, start="2025-02-01", end=D(2025, 2, 28))
    assert (found.start, found.end) == (D(2025, 2, 1), D(2025, 2, 28))
    assert found.period is None and found.as_of == D(2025, 2, 28)
    assert found.previous == (D(2025, 1, 1), D(2025, 1, 31))  # a month, as it is one
    assert window(shop, start="2025-10-30").end == D(2025, 11, 1)
    assert window(shop, end="2025-01-31").start == D(2024, 10, 31)
    assert window(shop, end="2020-01-31").days == 1  # before all that is stored
    assert window(shop, period="7d", as_of="2025-01-07").start == D(2025, 1, 1)


def test_the_days_before_are_as_many(shop):
    found = window(shop, period="7d")
    assert found.previous == (D(2025, 10, 19), D(2025, 10, 25))
    assert window(shop, period="mtd").previous == (D(2025, 10, 1), D(2025, 10, 1))


def test_what_lies_ahead_is_not_over(shop):
    found = window(shop, start="2025-10-31", end="2025-11-30")
    assert found.end == D(2025, 11, 30) and found.as_of == D(2025, 11, 1)
    assert found.until == D(2025, 11, 1)
    found = window(shop, start="2025-10-01", end="2025-10-05", as_of="2025-10-04")
    assert (found.end, found.until) == (D(2025, 10, 5), D(2025, 10, 4))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"period": "7D"}, "period: expected a number followed by d, w, m or y"),
        ({"period": ""}, "period: expected"),
        ({"period": "-7d"}, "period: expected"),
        ({"period": 7}, "period: expected text"),
        ({"period": "7d", "start": "2025-01-01"}, "period: cannot be combined"),
        ({"period": "7d", "end": "2025-01-01"}, "period: cannot be combined"),
        ({"start": "yesterday"}, "start: expected a day as YYYY-MM-DD, got 'y"),
        ({"start": "20250101"}, "start: expected a day"),
        ({"end": "2025-02-29"}, "end: expected a day"),
        ({"as_of": "2025-1-1"}, "as_of: expected a day"),
        ({"as_of": datetime.datetime(2025, 1, 1)}, "as_of: expected a day"),
        ({"start": "2025-02-01", "end": "2025-01-01"}, "start: 2025-02-01 is after"),
        ({"start": "2030-01-01"}, "start: 2030-01-01 is after 2025-11-01"),
        ({"start": "1900-01-01", "end": "2025-01-01"}, "at most 36600"),
        ({"period": "200y"}, "period: .* at most 36600"),
        ({"start": "0001-01-01", "end": "0001-01-05"}, "no days before"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(shop, given, message):
    with pytest.raises(ValueError, match=message):
        window(shop, **given)


def test_old_files_have_an_anchor(old_path):
    with SmartShopieDB(old_path, mode="ro") as db:
        found = window(db)
        newest = [db.tables[name].latest() for name in _tables()[0]]
        assert any(newest) or newest_day(db) is None or found.days == 30
        assert found.days == 30 and found.end == (newest_day(db) or found.as_of)
