"""Billing: against figures worked out by hand."""

import datetime

import layouts
import pytest
from asking import ask

from smartshopie_db import Error, SmartShopieDB
from smartshopie_db.reports import REPORTS, window

D = datetime.date


def bill(db, start, end, **amounts):
    db.add_billing_summary(
        billing_period_start=start,
        billing_period_end=end,
        plan_name="Business",
        **amounts,
    )


def test_the_bill_is_that_of_as_of(db):
    bill(db, "2025-01-01", "2025-01-31", total_estimated=1.0)
    bill(db, "2025-02-01", "2025-03-01", total_estimated=2.0)
    bill(db, "2025-03-01", "2025-03-31", total_estimated=3.0)
    for as_of, total in (
        ("2025-01-31", 1.0), ("2025-02-10", 2.0), ("2025-03-01", 3.0),
    ):  # fmt: skip
        found = ask(db, "billing/summary", as_of=as_of)
        assert found["data"]["total_estimated"] == total and "fallback" not in found
    found = ask(db, "billing/summary", as_of="2025-06-01")
    assert (found["from"], found["to"]) == (D(2025, 3, 1), D(2025, 3, 31))
    assert ask(db, "billing/summary", as_of="2024-06-01")["data"] is None


def test_totals_that_do_not_add_up_are_told(db):
    bill(
        db, "2025-01-01", "2025-01-31", subscription_amount=15000.0,
        overage_amount=10.95, total_estimated=1010.95,
    )  # fmt: skip
    data = ask(db, "billing/summary")["data"]
    assert data["total_estimated"] == 1010.95 and data["total_computed"] == 15010.95
    bill(
        db, "2025-01-01", "2025-01-31", chat_amount=10.0, image_amount=0.95,
        total_estimated=15010.95,
    )  # fmt: skip
    assert "total_computed" not in ask(db, "billing/summary")["data"]
    bill(db, "2025-01-01", "2025-01-31", overage_amount=None, total_estimated=1.0)
    assert ask(db, "billing/summary")["data"]["total_computed"] == 15010.95


def test_bills_of_older_files_add_up_by_their_costs(db):
    bill(
        db, "2024-01-01", "2024-01-31", base_cost=50.0, usage_cost=15.0, total_cost=60.0
    )
    assert ask(db, "billing/summary")["data"]["total_computed"] == 65.0


def test_use_is_that_of_the_months(db):
    for month in (1, 2, 3):
        for name in ("Image", "Chat"):
            db.add_usage_breakdown(
                record_date=D(2025, month, 1), service_name=name, used=month
            )
    db.add_overview_kpis(record_date="2025-03-31")
    rows = ask(db, "billing/usage-breakdown", period="2m")["data"]
    assert [(r.record_date.month, r.service_name) for r in rows] == [
        (2, "Chat"), (2, "Image"), (3, "Chat"), (3, "Image"),
    ]  # fmt: skip
    assert len(rows.columns) == 13
    found = ask(db, "billing/usage-breakdown", period="7d")
    assert (
        found["fallback"] and found["from"] == D(2025, 3, 1) and len(found["data"]) == 2
    )


def test_payments_and_alerts_are_newest_first(db):
    for month in range(1, 13):
        for half in (1, 15):
            db.add_billing_payment(
                payment_date=D(2025, month, half), description="Plan", amount=half
            )
        db.add_usage_alert(
            title=f"A{month}", created_at=f"2025-{month:02d}-01 10:00:00"
        )
    db.add_overview_kpis(record_date="2025-12-31")
    found = ask(db, "billing/payment-history", period="1y")["data"]
    assert len(found) == 12 and found[0].payment_date == D(2025, 12, 15)
    assert found.columns == (
        "payment_date", "description", "amount", "status", "invoice_url",
    )  # fmt: skip
    old = ask(db, "billing/payment-history", period="7d")
    assert old["fallback"] and old["to"] == D(2025, 12, 15) and len(old["data"]) == 12
    alerts = ask(db, "billing/alerts", period="45d")["data"]
    assert alerts["title"].to_list() == ["A12"]
    assert alerts.columns == ("level", "title", "message", "created_at")
    newest = ask(db, "billing/newest-alerts", period="7d", limit=3)
    assert newest["data"]["title"].to_list() == ["A12", "A11", "A10"]
    for limit in (0, 101, "1", None):
        with pytest.raises(ValueError, match="limit: expected a number from 1 to 100"):
            ask(db, "billing/newest-alerts", limit=limit)


def test_rows_that_do_not_say_of_when_are_shown(tmp_path):
    """As a program of the older package left them on a blank file."""
    with SmartShopieDB(layouts.build(tmp_path / "old.db", "reduced"), mode="ro") as db:
        found = ask(db, "billing/summary")
        assert found["data"] and found["data"]["billing_period_start"] is None
        found = ask(db, "billing/usage-breakdown")
        assert len(found["data"]) == db.usage_breakdown.count() > 0
        assert "fallback" not in found


@pytest.mark.parametrize("name", ["billing/payment-history", "billing/alerts"])
def test_errors_are_no_empty_answer(demo, name):
    asked = window(demo, period="7d")
    demo.close()
    with open(demo.db_path, "r+b") as raw:
        raw.seek(4096)
        raw.write(b"\xff" * 400_000)
    with pytest.raises(Error), SmartShopieDB(demo.db_path, mode="ro") as db:
        REPORTS[name].run(db, asked)
