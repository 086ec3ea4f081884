"""The overview's reports: against figures worked out by hand."""

import datetime

import pytest
from asking import ask

D = datetime.date
STAGES = ("Page Visitors", "AI Interaction", "Product View", "Add to Cart", "Purchase")


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


def stage(db, day, order, name, count):
    db.add_conversion_funnel_stage(
        record_date=day, stage_name=name, stage_order=order, count=count
    )


def test_a_funnel_has_as_many_stages_as_are_stored(db):
    for order in range(6):
        stage(db, "2025-01-01", order, f"stage {order}", 100 - order)
    assert len(ask(db, "overview/funnel")["data"]) == 6
    stage(db, "2025-02-01", 0, "alone", 7)
    assert [s["count"] for s in ask(db, "overview/funnel", period="7d")["data"]] == [7]


def test_a_renamed_stage_is_one_stage(db):
    stage(db, "2025-01-01", 0, "Visitors", 10)
    stage(db, "2025-01-02", 0, "Page Visitors", 30)
    stage(db, "2025-01-02", 1, "Purchase", 4)
    first, last = ask(db, "overview/funnel")["data"]
    assert (first["stage_name"], first["count"]) == ("Page Visitors", 40)
    assert last["percentage"] == 10.0


def test_a_stage_that_nobody_reached(db):
    stage(db, "2025-01-01", 0, "Page Visitors", 0)
    stage(db, "2025-01-01", 1, "Purchase", 0)
    first, last = ask(db, "overview/funnel")["data"]
    assert first["percentage"] is None and last["dropoff_rate"] is None


@pytest.mark.parametrize("name", ["overview/funnel", "overview/interaction-types"])
def test_snapshots_before_the_window_are_marked(db, name):
    for day, count in (("2025-01-01", 5), ("2025-01-09", 7), ("2025-03-01", 9)):
        stage(db, day, 0, "Page Visitors", count)
        db.add_interaction_type(record_date=day, interaction_name="Chat", count=count)
    found = ask(db, name, period="7d", as_of="2025-02-10")
    assert found["fallback"] is True
    assert found["from"] == found["to"] == D(2025, 1, 9)  # the newest up to as_of
    assert [item["count"] for item in found["data"]] == [7]
    assert not found.get("comparison")
    before = ask(db, name, start="2024-01-01", end="2024-01-31")
    assert before["data"] == [] and "fallback" not in before


def test_shares_of_interaction_types_are_those_of_the_sums(db):
    for day, chats, images in (("2025-01-01", 10, 10), ("2025-01-15", 80, 0)):
        for name, count in (("Chat", chats), ("Image Analysis", images)):
            db.add_interaction_type(
                record_date=day, interaction_name=name, count=count, percentage=33.0
            )
    data = ask(db, "overview/interaction-types")["data"]
    assert data[0] == {
        "interaction_name": "Chat", "interaction_type": "Chat", "count": 90,
        "percentage": 90.0,
    }  # fmt: skip
    assert data[1]["percentage"] == 10.0
