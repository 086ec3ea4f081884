"""Conversions: against figures worked out by hand."""

import datetime

from asking import ask

D = datetime.date


def analysis(db, day, rate, **figures):
    db.add_conversion_analytics(
        record_date=day,
        overall_conversion_rate=rate,
        conversion_rate_change=9.9,
        **figures,
    )


def test_analytics_are_those_of_the_window(db):
    analysis(db, "2025-01-01", 2.0, avg_time_to_convert=10.0)
    analysis(db, "2025-01-08", 3.0, avg_time_to_convert=8.0)
    analysis(db, "2025-01-09", 5.0)
    found = ask(db, "conversions/analytics", period="7d")
    data = found["data"]
    assert list(data)[:2] == ["id", "record_date"] and data["record_date"] == D(
        2025, 1, 9
    )
    assert data["overall_conversion_rate"] == 4.0  # the mean of two
    assert data["conversion_rate_change"] == 2.0  # points, against the days before
    assert data["avg_time_to_convert"] == 8.0 and data["avg_time_change"] == -20.0
    assert data["cart_recovery_rate"] is None
    assert {row.measure: row.verdict for row in found["comparison"]}[
        "avg_time_to_convert"
    ] == "better"  # faster


def test_without_days_before_the_change_is_what_is_stored(db):
    analysis(db, "2025-01-08", 3.0, avg_time_change=-45.0)
    data = ask(db, "conversions/analytics", period="7d")["data"]
    assert data["conversion_rate_change"] == 9.9 and data["avg_time_change"] == -45.0


def test_an_analysis_before_the_window_is_marked(db):
    analysis(db, "2025-01-08", 3.0)
    db.add_overview_kpis(record_date="2025-03-01")
    found = ask(db, "conversions/analytics", period="7d")
    assert (found["fallback"], found["from"]) == (True, D(2025, 1, 8))
    assert found["data"]["overall_conversion_rate"] == 3.0
    assert found["comparison"] == []


def trend(db, day, conversions, length="daily"):
    db.add_conversion_trend(
        record_date=day, period_type=length, conversions=conversions,
        ai_attributed_conversions=conversions // 2,
    )  # fmt: skip


def test_weeks_are_not_added_to_days(db):
    trend(db, "2025-01-06", 10)
    trend(db, "2025-01-06", 900, "weekly")
    trend(db, "2025-01-08", 20)
    found = ask(db, "conversions/trends", period="7d")["data"]
    assert [item["conversions"] for item in found] == [None] * 4 + [10, None, 20]
    assert [item["record_date"].day for item in found] == [2, 3, 4, 5, 6, 7, 8]


def test_the_rate_is_the_share_of_visitors_who_bought(db):
    trend(db, "2025-01-01", 5)
    db.add_overview_kpis(
        record_date="2025-01-01", conversion_rate=4.0, total_customers=1_000_000
    )
    (item,) = ask(db, "conversions/trends", period="1d")["data"]
    assert item == {
        "record_date": D(2025, 1, 1), "conversions": 5, "ai_attributed_conversions": 2,
        "conversion_rate": 4.0, "complete": True,
    }  # fmt: skip


def test_partial_buckets_say_so_and_begin_in_the_window(db):
    for n in range(90):
        trend(db, D(2025, 3, 31) - n * datetime.timedelta(days=1), 1)
    weeks = ask(db, "conversions/trends", period="90d")["data"]
    assert weeks[0]["record_date"] == D(2025, 1, 1)  # a Wednesday, where it starts
    assert (weeks[0]["conversions"], weeks[0]["complete"]) == (5, False)
    assert (weeks[1]["conversions"], weeks[1]["complete"]) == (7, True)
    assert (weeks[-1]["conversions"], weeks[-1]["complete"]) == (1, False)
    assert sum(week["conversions"] for week in weeks) == 90
    ahead = ask(db, "conversions/trends", start="2025-03-30", end="2025-04-02")["data"]
    assert [day["complete"] for day in ahead] == [True, True, False, False]
