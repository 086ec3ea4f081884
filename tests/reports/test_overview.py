"""The overview's reports: against figures worked out by hand."""

import datetime

import pytest

from smartshopie_db.reports import REPORTS, window

D = datetime.date
STAGES = ("Page Visitors", "AI Interaction", "Product View", "Add to Cart", "Purchase")


def ask(db, path, **given):
    return REPORTS[path].run(db, window(db, **given))


@pytest.fixture
def days(db):
    """Fourteen days: customers 101..114 with a fall on the last, interactions 10 a day,
    then 20; rates 4, then 6."""
    for n in range(14):
        db.add_overview_kpis(
            record_date=D(2025, 1, 1) + datetime.timedelta(days=n),
            total_customers=101 + n if n < 13 else 90,
            total_customers_change=77.0,  # as stored: not what is answered
            ai_interactions=10 if n < 7 else 20,
            conversion_rate=4.0 if n < 7 else 6.0,
            revenue_impact=100.0,
        )
    return db


def test_kpis_are_those_of_the_window_and_compared(days):
    found = ask(days, "overview/kpis", period="7d")
    assert found["data"] == {
        "total_customers": 90,  # the last, not the largest
        "total_customers_change": pytest.approx(100 * (90 - 107) / 107),
        "ai_interactions": 140,  # seven days, not eight
        "ai_interactions_change": 100.0,
        "conversion_rate": 6.0,
        "conversion_rate_change": 2.0,  # points
        "revenue_impact": 700.0,
        "revenue_impact_change": 0.0,
    }
    assert (found["start"], found["end"]) == (D(2025, 1, 8), D(2025, 1, 14))
    assert found["as_of"] == D(2025, 1, 14)
    row = found["comparison"][0]
    assert (row.previous_start, row.previous_end) == (D(2025, 1, 1), D(2025, 1, 7))
    assert type(found["data"]["total_customers"]) is int


def test_kpis_nobody_stored_are_none_and_a_zero_is_zero(db):
    db.add_overview_kpis(record_date="2025-01-01", ai_interactions=0)
    data = ask(db, "overview/kpis", period="7d")["data"]
    assert data["ai_interactions"] == 0 and data["total_customers"] is None
    assert data["ai_interactions_change"] is None


def test_kpis_of_no_row_are_none(days):
    assert (
        ask(days, "overview/kpis", start="2030-01-01", end="2030-01-31")["data"] is None
    )


def test_the_funnel_computes_its_shares_from_counts(db):
    for day, counts in (
        ("2025-01-01", (100, 80, 40, 20, 10)),
        ("2025-01-08", (300, 40, 20, 10, 6)),
    ):
        for order, (name, count) in enumerate(zip(STAGES, counts, strict=True)):
            db.add_conversion_funnel_stage(
                record_date=day, stage_name=name, stage_order=order, count=count,
                percentage=1.0, dropoff_rate=-1.0,
            )  # fmt: skip
    found = ask(db, "overview/funnel", period="30d")
    assert found["data"][1] == {
        "stage_name": "AI Interaction", "stage_order": 1, "count": 120,
        "stage_count": 120, "percentage": 30.0, "dropoff_rate": -70.0,
    }  # fmt: skip
    assert [stage["count"] for stage in found["data"]] == [400, 120, 60, 30, 16]
    assert found["data"][0]["percentage"] == 100.0
    assert "fallback" not in found
    (change,) = ask(db, "overview/funnel", period="7d")["comparison"]
    assert (change["value"], change["previous"]) == (2.0, 10.0)
    assert (change["delta"], change["trend"], change["verdict"]) == (
        -8.0,
        "down",
        "worse",
    )
