"""Every report on every kind of file: it answers, and says the same of its window."""

import datetime
import json
import sqlite3

import layouts
import pytest
from schema_facts import TABLES

from smartshopie_db import Record, Rows, SmartShopieDB
from smartshopie_db.reports import REPORTS, window

WINDOWS = (
    {"period": "7d"},
    {"period": "30d"},
    {"period": "90d"},
    {"period": "1y"},
    {"start": "2025-09-15", "end": "2025-10-20"},
    {"start": "2020-01-01", "end": "2020-01-31"},  # before everything
    {"start": "2031-01-01", "end": "2031-01-31"},  # ahead
)
UPSTREAM = {
    "test-assets", "health", "overview/kpis", "overview/funnel",
    "overview/interaction-types", "conversions/analytics", "conversions/trends",
    "customers/segments", "customers/behavioral-patterns", "customers/concerns",
    "customers/lifetime-value", "customers/product-gaps", "customers/interactions",
    "products/analytics", "products/recommended", "products/category-performance",
    "products/cross-sell-upsell", "ai/model-performance", "ai/summary",
    "ai/feature-performance", "interactions/summary", "revenue/summary",
    "customer/satisfaction", "revenue/attribution", "revenue/category",
    "revenue/customer-value", "revenue/forecasting", "realtime/system-health",
    "realtime/api-endpoints", "billing/summary", "billing/usage-breakdown",
    "billing/payment-history", "billing/alerts", "config",
}  # fmt: skip


def check_answer(path, found, asked):
    """Values and rows, all of which can become JSON; and the window, if it has one."""

    def plain(value):
        if isinstance(value, Rows):
            return json.loads(value.to_json())
        if isinstance(value, datetime.date):
            return value.isoformat()
        return dict(value)

    json.dumps(found, default=plain)
    if path in ("health", "test-assets"):
        return
    assert (found["start"], found["end"]) == (asked.start, asked.end)
    assert found["as_of"] == asked.as_of
    if found.get("fallback"):
        assert found["from"] <= found["to"]
        # A bill whose period is over may have begun in the window.
        assert found["from"] < asked.start or path == "billing/summary"
        assert found["data"]


def test_all_paths_of_upstream_are_there():
    assert REPORTS.keys() >= UPSTREAM
    for path, report in REPORTS.items():
        assert report.path == path and report.summary and len(report.summary) < 100


@pytest.mark.parametrize("name", list(REPORTS))
def test_it_answers_on_old_files(old_path, name):
    with SmartShopieDB(old_path, mode="ro", strict=False) as db:
        for given in WINDOWS:
            asked = window(db, **given)
            check_answer(name, REPORTS[name].run(db, asked), asked)


@pytest.mark.parametrize("name", list(REPORTS))
def test_it_answers_on_the_demo_data(demo, name):
    for given in WINDOWS:
        asked = window(demo, **given)
        found = REPORTS[name].run(demo, asked)
        check_answer(name, found, asked)
        if "2031" in str(asked.start) and "fallback" not in found:
            assert name in EMPTY_AHEAD or not REPORTS[name].tables, name


EMPTY_AHEAD = {  # days of flows, of which none is newest, and what has no days
    "overview/kpis", "conversions/trends", "products/analytics", "products/recommended",
    "interactions/summary", "customer/satisfaction", "revenue/attribution",
    "realtime/api-endpoints", "config", "health",
    "billing/newest-alerts", "billing/summary",
}  # fmt: skip


@pytest.mark.parametrize("name", list(REPORTS))
def test_it_answers_on_a_file_without_rows(db, name):
    for given in WINDOWS:
        asked = window(db, **given)
        found = REPORTS[name].run(db, asked)
        check_answer(name, found, asked)
        assert "fallback" not in found
        if name not in ("health", "test-assets"):
            assert len(found["data"] or []) == 0 or name == "ai/model-performance"


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory):
    """An old file where every other row has bytes in all cells but those of time."""
    path = layouts.build(tmp_path_factory.mktemp("spoilt") / "old.db", "newer")
    plain = sqlite3.connect(path)
    for table in TABLES.values():
        stored = [row[1] for row in plain.execute(f"PRAGMA table_info({table.name})")]
        for column in stored:
            if column not in ("id", table.time):
                spoil = f"UPDATE OR IGNORE {table.name} SET {column} = x'ff'"
                plain.execute(f"{spoil} WHERE rowid % 2")
    plain.commit()
    plain.close()
    return path


@pytest.mark.parametrize("name", list(REPORTS))
def test_it_answers_with_cells_of_no_kind(spoilt, name):
    with SmartShopieDB(spoilt, mode="ro", strict=False) as db:
        for given in WINDOWS:
            asked = window(db, **given)
            check_answer(name, REPORTS[name].run(db, asked), asked)


@pytest.mark.parametrize("name", list(REPORTS))
def test_it_answers_at_the_ends_of_the_calendar(old_path, name):
    with SmartShopieDB(old_path, mode="ro", strict=False) as db:
        for start, end in (
            ("0001-02-01", "0001-02-28"), ("0001-01-20", "0001-02-05"),
            ("9999-12-15", "9999-12-31"), ("9999-12-31", "9999-12-31"),
        ):  # fmt: skip
            asked = window(db, start=start, end=end)
            check_answer(name, REPORTS[name].run(db, asked), asked)


def test_days_that_are_not_over_may_hold_what_is_new(db):
    """as_of before the end of the window: rows after it count, and have their names."""
    for day, name in (("2025-01-01", "a"), ("2025-01-20", "b")):
        db.add_product_analytics(
            record_date=day,
            product_id=name,
            product_name=name,
            category="x",
            revenue=1.0,
        )
    asked = window(db, start="2025-01-01", end="2025-01-31", as_of="2025-01-10")
    found = REPORTS["products/analytics"].run(db, asked)["data"]
    assert [row["product_name"] for row in found] == ["a", "b"]


@pytest.mark.parametrize("name", list(REPORTS))
def test_it_answers_without_its_tables(tmp_path, name):
    file = layouts.build(tmp_path / "old.db", "oldest")
    plain = sqlite3.connect(file)
    for table in REPORTS[name].tables:
        plain.execute(f"DROP TABLE IF EXISTS {table}")
    plain.close()
    with SmartShopieDB(file, mode="ro", strict=False) as db:
        asked = window(db)
        check_answer(name, REPORTS[name].run(db, asked), asked)


def test_records_do_not_leak_a_database(demo):
    """What an answer holds is no more than values: it may be kept and sent later."""
    for report in REPORTS.values():
        found = report.run(demo, window(demo))
        assert not any(isinstance(value, Record) for value in found.values())
