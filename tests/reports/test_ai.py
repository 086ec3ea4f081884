"""AI quality: stored figures only."""

import datetime

import pytest
from asking import ask

D = datetime.date


def model(db, day, name, accuracy, ms=None):
    db.add_ai_model_performance(
        record_date=day, model_name=name, accuracy=accuracy, response_time_ms=ms
    )


@pytest.fixture
def models(db):
    model(db, "2025-01-01", "Model v2", 90.0, 1000)
    model(db, "2025-01-01", "Baseline v1", 80.0, 500)
    model(db, "2025-02-01", "Model v2", 94.0, 800)
    db.add_overview_kpis(record_date="2025-02-28", conversion_rate=4.5)
    return db


@pytest.mark.parametrize("period", ["7d", "30d", "90d", "1y"])
def test_accuracy_is_what_is_stored_each_time(models, period):
    stored = {row.accuracy for row in models.ai_model_performance.select()}
    first, again = (
        ask(models, "ai/model-performance", period=period) for _ in range(2)
    )
    assert first == again
    for line in first["series"]:
        assert set(line["data"]) <= stored | {None}


def test_a_month_without_a_figure_is_none(models):
    found = ask(models, "ai/model-performance", period="90d")
    assert found["categories"] == [D(2025, 1, 1), D(2025, 2, 1)]
    assert found["series"] == [
        {"name": "Baseline v1", "data": [80.0, None]},
        {"name": "Model v2", "data": [90.0, 94.0]},
    ]
    assert len(found["data"]) == 3
    found = ask(models, "ai/model-performance", period="7d")
    assert found["fallback"] and found["categories"] == [D(2025, 2, 1)]


def test_the_ring_has_the_newest_month_and_no_made_up_zero(models):
    (ring,) = ask(models, "ai/model-performance", period="7d", mode="ring")["data"]
    assert ring == {"accuracy": 94.0, "user_satisfaction": None, "conversion_rate": 4.5}
    models.add_customer_satisfaction(
        record_date="2025-02-28", overall_satisfaction=4.0, product_match_quality=1.0,
        ai_helpfulness=1.0,
    )  # fmt: skip
    (ring,) = ask(models, "ai/model-performance", period="7d", mode="ring")["data"]
    assert ring["user_satisfaction"] == 80.0
    (ring,) = ask(models, "ai/model-performance", mode="ring", as_of="2020-01-31")[
        "data"
    ]
    assert ring["accuracy"] is None
    with pytest.raises(ValueError, match="mode: expected 'ring', got 'zzz'"):
        ask(models, "ai/model-performance", mode="zzz")


def test_summary_compares_with_the_baseline_and_invents_no_confidence(models):
    found = ask(models, "ai/summary", period="90d")
    data = found["data"]
    assert data["accuracy"] == 88.0 and data["confidence"] is None
    assert data["response_time_ms"] == pytest.approx(2300 / 3)
    assert data["ab_winner"] == "Model v2" and data["ab_improvement_pct"] == 15.0
    assert [m["rows"] for m in data["models"]] == [2, 1]
    week = ask(models, "ai/summary", period="7d")
    assert week["fallback"] and week["data"]["accuracy"] == 94.0
    assert week["data"]["ab_improvement_pct"] is None  # nothing to compare with
    assert week["comparison"][0].previous == 85.0  # January's, whole


def test_without_a_baseline_the_next_best_is_it(db):
    model(db, "2025-01-01", "A", 90.0)
    model(db, "2025-01-01", "B", 99.0)
    model(db, "2025-01-01", "C", 50.0)
    data = ask(db, "ai/summary", period="7d")["data"]
    assert data["ab_winner"] == "B" and data["ab_improvement_pct"] == pytest.approx(
        10.0
    )


def test_the_baseline_need_not_be_the_next_best(db):
    for name, accuracy in (("A", 90.0), ("baseline", 60.0), ("B", 80.0)):
        model(db, "2025-01-01", name, accuracy)
    assert ask(db, "ai/summary")["data"]["ab_improvement_pct"] == 50.0


def test_features_count_by_use(db):
    for day, uses, rate in (("2025-01-01", 30, 0.9), ("2025-01-02", 10, 0.5)):
        db.add_ai_feature_performance(
            record_date=day, feature_name="Chat", usage_count=uses, success_rate=rate
        )
    (row,) = ask(db, "ai/feature-performance")["data"]
    assert row["usage_count"] == 40 and row["success_rate"] == pytest.approx(0.8)
    assert row["record_date"] == D(2025, 1, 2) and row["user_satisfaction"] is None
    (row,) = ask(db, "ai/feature-performance", period="1d")["data"]
    assert row["usage_count"] == 10
