"""Every report on every kind of file: it answers, and says the same of its window."""

import datetime
import json

import layouts
import pytest

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


@pytest.mark.parametrize("name", list(REPORTS))
def test_it_answers_without_its_tables(tmp_path, name):
    import sqlite3

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
