"""Customers: against figures worked out by hand."""

import datetime

import pytest
from asking import ask

D = datetime.date


def test_segment_sizes_are_those_of_one_day(db):
    for day, size in (("2025-01-01", 200), ("2025-01-08", 300), ("2025-01-15", 100)):
        for name, factor in (("New", 1), ("Loyal", 3)):
            db.add_customer_segment(
                record_date=day, segment_name=name, segment_size=size * factor
            )
    found = ask(db, "customers/segments", period="30d")
    assert [(s["segment_name"], s["segment_size"]) for s in found["data"]] == [
        ("Loyal", 300), ("New", 100),
    ]  # fmt: skip
    assert [s["segment_percentage"] for s in found["data"]] == [75.0, 25.0]
    assert found["record_date"] == D(2025, 1, 15)
    found = ask(db, "customers/segments", period="3d", as_of="2025-01-14")
    assert found["fallback"] and found["from"] == D(2025, 1, 8)
    assert found["data"][0]["segment_size"] == 900


def test_patterns_obey_the_period(db):
    for n, value in enumerate((10.0, 20.0, 60.0)):
        db.add_behavioral_pattern(
            record_date=D(2025, 1, 1 + n), pattern_type="return_rate",
            pattern_name=f"{value:.0f}% within 30 days", value=value,
        )  # fmt: skip
    (week,) = ask(db, "customers/behavioral-patterns", period="7d")["data"]
    assert week == {
        "pattern_type": "return_rate", "pattern_name": "60% within 30 days",
        "value": 30.0, "metric_unit": None,
    }  # fmt: skip
    (day,) = ask(db, "customers/behavioral-patterns", period="1d")["data"]
    assert day["value"] == 60.0


def test_a_pattern_that_is_not_in_the_newest_day_has_its_name(db):
    for day, kind in (("2025-01-01", "return_rate"), ("2025-01-02", "peak_activity")):
        db.add_behavioral_pattern(
            record_date=day, pattern_type=kind, pattern_name=kind.upper(), value=1.0
        )
    names = [
        p["pattern_name"] for p in ask(db, "customers/behavioral-patterns")["data"]
    ]
    assert names == ["PEAK_ACTIVITY", "RETURN_RATE"]


def test_success_counts_by_questions(db):
    for day, count, rate in (("2025-01-01", 90, 100.0), ("2025-01-02", 10, 50.0)):
        db.add_customer_concern(
            record_date=day, concern_name="Dry Skin", concern_category="skincare",
            query_count=count, ai_success_rate=rate,
        )  # fmt: skip
    (row,) = ask(db, "customers/concerns")["data"]
    assert (row["query_count"], row["ai_success_rate"]) == (100, 95.0)  # not 75
    old = ask(db, "customers/concerns", period="7d", as_of="2025-06-01")
    assert old["fallback"] and old["data"][0]["query_count"] == 10


def test_tenure_bands_are_in_their_order(db):
    bands = (
        "2y+",
        "0-30d",
        "1-2y",
        "unknown",
        "31-60d",
        "181-365d",
        "91-180d",
        "61-90d",
    )
    for band in bands:
        db.add_customer_lifetime_value(
            record_date="2025-01-01", segment_name=band, predicted_clv=2.0
        )
    found = ask(db, "customers/lifetime-value")["data"]
    assert [row["segment_name"] for row in found] == [
        "0-30d", "31-60d", "61-90d", "91-180d", "181-365d", "1-2y", "2y+", "unknown",
    ]  # fmt: skip
    assert found[0]["current_clv"] is None and found[0]["predicted_clv"] == 2.0


def test_gaps_keep_fractions_and_newest_estimates(db):
    for day, money in (("2025-01-01", 100.0), ("2025-01-08", 120.0)):
        for name, score in (("Toner", 0.85), ("Mask", 0.92)):
            db.add_product_gap(
                record_date=day, product_name=name, category="skincare", gap_rank=9,
                demand_score=score, potential_revenue=money,
            )  # fmt: skip
    first, second = ask(db, "customers/product-gaps")["data"]
    assert first == {
        "gap_rank": 1, "product_name": "Mask", "category": "skincare",
        "demand_score": pytest.approx(0.92), "potential_revenue": 120.0,
    }  # fmt: skip
    assert (second["gap_rank"], second["product_name"]) == (2, "Toner")


def event(db, number, moment):
    db.add_customer_interaction(
        interaction_id=f"I{number}", interaction_date=moment, interaction_type="chat",
        customer_name="Demo Visitor",
    )  # fmt: skip


def test_the_last_day_of_the_feed_is_in_it(db):
    event(db, 1, "2025-01-07 23:59:59.999999")
    event(db, 2, "2025-01-01 00:00:00")
    event(db, 3, "2024-12-31 23:59:59")
    found = ask(db, "customers/interactions", period="7d")
    assert found["data"]["interaction_id"].to_list() == ["I1", "I2"]
    assert len(found["data"].columns) == 13 and "fallback" not in found


def test_the_feed_comes_in_pages(db):
    for n in range(25):
        event(db, n, f"2025-01-01 00:{n:02d}:00")
    seen, after = [], None
    while True:
        found = ask(db, "customers/interactions", limit=10, after=after)
        seen += found["data"]["interaction_id"].to_list()
        after = found["next_token"]
        if after is None:
            break
    assert seen == [f"I{n}" for n in range(24, -1, -1)]
    with pytest.raises(ValueError, match="after"):
        ask(db, "customers/interactions", after="nonsense")


def test_an_empty_feed_shows_the_newest_before_it(db):
    for n in range(3):
        event(db, n, f"2025-01-0{n + 1} 10:00:00")
    found = ask(db, "customers/interactions", as_of="2025-06-01", limit=2)
    assert found["data"]["interaction_id"].to_list() == ["I2", "I1"]
    assert (found["from"], found["to"]) == (D(2025, 1, 2), D(2025, 1, 3))
    rest = ask(
        db, "customers/interactions", as_of="2025-06-01", after=found["next_token"]
    )
    assert rest["data"]["interaction_id"].to_list() == ["I0"]


@pytest.mark.parametrize("limit", [0, -1, 1001, 10**20, "10", 1.0, True, None])
def test_limits_are_checked(db, limit):
    with pytest.raises(ValueError, match="limit: expected a number from 1 to 1000"):
        ask(db, "customers/interactions", limit=limit)
    event(db, 1, "2025-01-01 10:00:00")
    assert len(ask(db, "customers/interactions", limit=1000)["data"]) == 1


def test_days_without_a_survey_have_no_score(db):
    for day, score in (("2025-01-01", 4.0), ("2025-01-03", 3.0)):
        db.add_customer_satisfaction(
            record_date=day, overall_satisfaction=score, product_match_quality=score,
            ai_helpfulness=score,
        )  # fmt: skip
    found = ask(db, "customer/satisfaction", period="3d")
    assert [row["overall_satisfaction"] for row in found["data"]] == [4.0, None, 3.0]
    assert found["comparison"][0].value == 3.5
