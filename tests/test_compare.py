"""db.compare(): what is compared with what, and what is said of it."""

import math
import threading
import time

import pytest
from figures import DAY, D, add, add_interaction, kpis


def test_a_comparison_says_what_with_what(db):
    kpis(db, {D(2025, 1, 1) + i * DAY: 10 + i for i in range(20)})
    rows = {row.measure: row for row in db.compare("overview_kpis", period="7d")}
    total = rows["ai_interactions"]
    assert (total.start, total.end) == (D(2025, 1, 14), D(2025, 1, 20))
    assert (total.previous_start, total.previous_end) == (D(2025, 1, 7), D(2025, 1, 13))
    assert (total.value, total.previous, total.delta) == (182.0, 133.0, 49.0)
    assert math.isclose(total.percent, 100 * 49 / 133)
    assert (total.days, total.previous_days) == (7, 7)
    assert (total.trend, total.verdict, total.delta_unit) == ("up", "better", "count")
    stock = rows["total_customers"]
    assert (stock.value, stock.previous) == (29.0, 22.0)
    rate = rows["conversion_rate"]
    assert math.isclose(rate.delta, 0.7) and rate.percent is None
    assert (rate.unit, rate.delta_unit) == ("percent", "points")


def test_fractions_compare_in_points_too(db):
    for day, rate in (("2025-01-01", 0.5), ("2025-01-02", 0.75)):
        values = {"feature_name": "Chat", "usage_count": 10, "success_rate": rate}
        add(db, "ai_feature_performance", record_date=day, **values)
    (row,) = db.compare("ai_feature_performance", "success_rate", period="1d")
    assert (row.delta, row.delta_unit, row.percent) == (25.0, "points", None)


@pytest.mark.parametrize(
    ("first", "second", "trend", "verdict"),
    [(10, 5, "down", "better"), (5, 10, "up", "worse"), (5, 5, "flat", "same")],
)
def test_less_time_to_convert_is_better(db, first, second, trend, verdict):
    for day, minutes in (("2025-01-01", first), ("2025-01-02", second)):
        add(db, "conversion_analytics", record_date=day, avg_time_to_convert=minutes)
    (row,) = db.compare("conversion_analytics", "avg_time_to_convert", period="1d")
    assert (row.trend, row.verdict) == (trend, verdict)


def test_a_figure_without_a_direction_is_neither_better_nor_worse(db):
    for number, when in enumerate(("2025-01-01", "2025-01-02", "2025-01-02")):
        add_interaction(db, number, when)
    (row,) = db.compare("customer_interactions", "rows", period="1d")
    assert (row.value, row.previous, row.percent) == (2.0, 1.0, 100.0)
    assert (row.trend, row.verdict) == ("up", None)


def test_what_is_unknown_stays_unknown_in_a_comparison(db):
    kpis(db, {D(2025, 1, 10): 0, D(2025, 1, 12): 5})
    (row,) = db.compare("overview_kpis", "ai_interactions", period="1d")
    assert (row.value, row.previous, row.delta, row.percent) == (5.0, None, None, None)
    assert (row.trend, row.verdict, row.previous_days) == (None, None, 0)
    (zero,) = db.compare(
        "overview_kpis", "ai_interactions", period="1d", to=("2025-01-10",) * 2
    )
    assert (zero.previous, zero.delta, zero.percent) == (0.0, 5.0, None)
    (negative,) = db.compare(
        "overview_kpis", "ai_interactions", period="1d", as_of="2025-01-10"
    )
    assert (negative.value, negative.previous) == (0.0, None)


@pytest.mark.parametrize(
    ("given", "to", "start", "end"),
    [
        ({"period": "30d"}, "previous_period", D(2025, 9, 2), D(2025, 10, 1)),
        ({"period": "1m"}, "previous_period", D(2025, 9, 1), D(2025, 9, 30)),
        (
            {"period": "mtd", "as_of": "2025-10-20"},
            "previous_period",
            D(2025, 9, 1),
            D(2025, 9, 20),
        ),
        ({"period": "ytd"}, "previous_period", D(2024, 1, 1), D(2024, 10, 31)),
        ({"period": "30d"}, "previous_year", D(2024, 10, 2), D(2024, 10, 31)),
        (
            {"start": "2025-02-01", "end": "2025-02-28"},
            "previous_year",
            D(2024, 2, 1),
            D(2024, 2, 29),
        ),
        (
            {"start": "2025-10-01", "end": "2025-10-31"},
            "previous_period",
            D(2025, 9, 1),
            D(2025, 9, 30),
        ),
        (
            {"start": "2025-10-02", "end": "2025-10-31"},
            "previous_period",
            D(2025, 9, 2),
            D(2025, 10, 1),
        ),
        ({"period": "7d"}, ("2024-01-01", D(2024, 1, 7)), D(2024, 1, 1), D(2024, 1, 7)),
    ],
)
def test_what_a_time_is_compared_with(db, given, to, start, end):
    kpis(db, {D(2025, 10, 31): 1})
    (row,) = db.compare("overview_kpis", "ai_interactions", to=to, **given)
    assert (row.previous_start, row.previous_end) == (start, end)


def test_a_comparison_sees_one_state(db):
    """Both windows are read from one snapshot, also while somebody writes."""
    kpis(db, {D(2025, 1, 1): 0, D(2025, 1, 2): 0})
    done = threading.Event()

    def move():
        n = 0
        while not done.is_set():
            n += 1
            kpis(db, {D(2025, 1, 1): n, D(2025, 1, 2): n})

    writer = threading.Thread(target=move)
    writer.start()
    seen, end = [], time.monotonic() + 30
    try:
        while len({row.value for row in seen}) < 6 and time.monotonic() < end:
            seen += db.compare(
                "overview_kpis", "ai_interactions", period="1d", as_of="2025-01-02"
            )
    finally:
        done.set()
        writer.join()
    assert [row.delta for row in seen] == [0.0] * len(seen)
    assert len({row.value for row in seen}) > 5


def test_the_window_as_one_bucket(demo):
    """Every figure of each group is that of a ranking: one call for all of them."""
    for days in ({}, {"start": "2025-10-01", "end": "2025-10-28"}):
        (row,) = demo.series("overview_kpis", every="window", **days)
        for figure in demo.compare("overview_kpis", **days):
            assert row[figure.measure] == figure.value
        for figure in ("revenue", "conversion_rate"):
            rows = demo.series(
                "product_analytics", ["revenue", "conversion_rate"], every="window",
                by="product_id", **days,
            )  # fmt: skip
            top = demo.top("product_analytics", figure, by="product_id", **days)
            want = {row.product_id: row[figure] for row in top}
            assert want and {row.product_id: row[figure] for row in rows} == want
    (row,) = demo.series("overview_kpis", "rows", every="window", end="2025-10-29")
    assert row.complete == 0
