"""Revenue: against figures worked out by hand."""

import datetime

import pytest
from asking import ask

D = datetime.date


@pytest.fixture
def months(db):
    for month, money in ((10, 100.0), (11, 200.0), (12, 600.0)):
        db.add_revenue_summary(
            record_date=D(2024, month, 1), total_revenue_impact=money,
            monthly_investment=50.0, monthly_return=money, avg_order_value=money,
            roi_percentage=100 * (money - 50) / 50,
        )  # fmt: skip
    db.add_overview_kpis(record_date="2024-12-31")
    return db


def test_a_total_is_a_sum_and_a_monthly_figure_a_mean(months):
    data = ask(months, "revenue/summary", period="2m")["data"]
    assert data["total_revenue_impact"] == 800.0
    assert data["monthly_return"] == 400.0 and data["monthly_investment"] == 50.0
    assert data["avg_order_value"] == 400.0
    assert data["roi_percentage"] == 700.0 and data["roi"] == 7.0  # (800 - 100) / 100
    assert data["avg_order_value_with_ai"] is None


def test_months_are_compared_with_as_many_months(months):
    found = ask(months, "revenue/summary", period="45d")  # one first of a month in it
    rows = {row["measure"]: row for row in found["comparison"]}
    impact, back = rows["total_revenue_impact"], rows["monthly_return"]
    assert (impact["value"], impact["previous"]) == (600.0, 200.0)
    assert (back["value"], back["previous"], back["percent"]) == (600.0, 200.0, 200.0)
    assert (back["trend"], back["verdict"]) == ("up", "better")
    assert impact["previous_start"] == D(2024, 11, 1)
    found = ask(months, "revenue/summary", period="7d")
    assert found["fallback"] and found["from"] == D(2024, 12, 1)
    assert found["data"]["total_revenue_impact"] == 600.0
    assert found["comparison"][0]["previous"] == 200.0


def earned(db, day, feature, money):
    db.add_revenue_attribution(
        record_date=day, ai_feature=feature, revenue_amount=money, percentage=42.0
    )


def test_shares_are_those_of_the_bucket(db):
    earned(db, "2025-01-01", "Chat", 10.0)
    earned(db, "2025-01-01", "Images", 30.0)
    earned(db, "2025-01-03", "Chat", 60.0)
    found = ask(db, "revenue/attribution", period="3d")
    assert found["data"][0] == {
        "record_date": D(2025, 1, 1), "ai_feature": "Images",
        "revenue_source": "Images", "revenue_amount": 30.0, "percentage": 75.0,
        "complete": True,
    }  # fmt: skip
    assert [r["percentage"] for r in found["data"]] == [75.0, 25.0, 100.0]
    assert found["totals"] == [
        {"ai_feature": "Chat", "revenue_amount": 70.0, "percentage": 70.0},
        {"ai_feature": "Images", "revenue_amount": 30.0, "percentage": 30.0},
    ]
    assert found["comparison"][0].value == 100.0


def test_partial_weeks_are_marked_and_begin_in_the_window(db):
    for n in range(90):
        earned(db, D(2025, 1, 1) + datetime.timedelta(days=n), "Chat", 1.0)
    found = ask(db, "revenue/attribution", period="90d")["data"]
    assert found[0]["record_date"] == D(2025, 1, 1) and not found[0]["complete"]
    assert [row["complete"] for row in found[1:-1]] == [True] * 12
    assert found[-1]["revenue_amount"] == 1.0 and not found[-1]["complete"]


def test_categories_of_several_days_do_not_mix(db):
    for day, care, hair in (("2025-01-01", 10.0, 30.0), ("2025-01-02", 50.0, 10.0)):
        for name, money in (("Skincare", care), ("Haircare", hair)):
            db.add_category_revenue(
                record_date=day,
                category_name=name,
                revenue_amount=money,
                percentage=1.0,
            )
    found = ask(db, "revenue/category", period="7d")["data"]
    assert [(r["category_name"], r["revenue_amount"]) for r in found] == [
        ("Skincare", 60.0), ("Haircare", 40.0),
    ]  # fmt: skip
    assert [row["percentage"] for row in found] == [60.0, 40.0]
    day = ask(db, "revenue/category", period="1d")["data"]
    assert [row["revenue_amount"] for row in day] == [50.0, 10.0]


def test_tiers_are_those_of_one_day(db):
    for day, count in (("2025-01-01", 5), ("2025-01-08", 7)):
        db.add_customer_value_tier(
            record_date=day,
            tier_name="High Value",
            customer_count=count,
            avg_revenue=1.0,
        )
    (row,) = ask(db, "revenue/customer-value")["data"]
    assert row["customer_count"] == 7 and row["record_date"] == D(2025, 1, 8)
    found = ask(db, "revenue/customer-value", period="2d", as_of="2025-01-07")
    assert found["fallback"] and found["data"][0]["customer_count"] == 5


def test_only_the_newest_forecast_counts(db):
    for run, month, money in (
        ("2025-01-31", "2025-02-01", 1.0), ("2025-01-31", "2025-03-01", 2.0),
        ("2025-02-15", "2025-04-01", 4.0), ("2025-02-15", "2025-03-01", 3.0),
    ):  # fmt: skip
        db.add_revenue_forecast(
            record_date=run, forecast_date=month, predicted_revenue=money
        )
    earned(db, "2025-01-10", "Chat", 7.0)
    earned(db, "2025-02-10", "Chat", 5.0)
    found = ask(db, "revenue/forecasting")
    assert [row["predicted_revenue"] for row in found["data"]] == [3.0, 4.0]
    assert found["data"][0]["upper_bound"] is None
    assert len(found["history"]) == 12
    assert found["history"][-2:] == [
        {"record_date": D(2025, 1, 1), "revenue_amount": 7.0, "complete": True},
        {"record_date": D(2025, 2, 1), "revenue_amount": 5.0, "complete": False},
    ]
    before = ask(db, "revenue/forecasting", as_of="2025-02-01")
    assert [row["predicted_revenue"] for row in before["data"]] == [1.0, 2.0]
    assert before["history"][-1]["complete"] is True
