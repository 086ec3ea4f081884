"""The reports against plain SQL, on a made-up shop and on a real old file."""

import shutil

import pytest
from real import real_file

from smartshopie_db import SmartShopieDB
from smartshopie_db.reports import REPORTS, window

WINDOWS = (
    {"period": "7d"},
    {"period": "30d"},
    {"period": "90d"},
    {"period": "1y"},
    {"start": "2025-02-03", "end": "2025-03-31"},
)


@pytest.fixture(params=["made", "real"])
def file(request, tmp_path):
    if request.param == "made":
        return request.getfixturevalue("made_file")
    return shutil.copy(real_file("3240e3d"), tmp_path / "real.db")


@pytest.fixture(params=WINDOWS, ids=lambda given: str(next(iter(given.values()))))
def case(request, file, plain):
    """(answer of a report, rows of SQL whose ? are the window's ends, the window)"""
    with SmartShopieDB(file, mode="ro") as db:
        asked = window(db, **request.param)
        select = plain(file)

        def sql(text, days=(asked.start, asked.end)):
            return select(text, *(day.isoformat() for day in days))

        yield lambda path, **more: REPORTS[path].run(db, asked, **more), sql, asked


IN = "record_date BETWEEN ? AND ?"


def close(found):
    """Numbers may differ by the rounding of a sum."""
    if isinstance(found, list):
        return [close(item) for item in found]
    return {
        name: pytest.approx(value, rel=1e-9) if isinstance(value, float) else value
        for name, value in found.items()
    }


def bucket(asked):
    """SQL: the first day of a row's bucket, not before the window."""
    first = {
        "day": "record_date",
        "week": "date(record_date, 'weekday 0', '-6 days')",
        "month": "strftime('%Y-%m-01', record_date)",
    }[asked.every]
    return f"max({first}, '{asked.start}')"


def text_days(items, column="record_date"):
    return [{**item, column: item[column].isoformat()} for item in items]


def as_in(rows, items):
    """The items with those columns alone that the rows have."""
    return [{name: item[name] for name in rows[0]} for item in items]


def test_kpis(case):
    answer, sql, asked = case
    text = f"""SELECT sum(ai_interactions) AS ai_interactions,
        avg(conversion_rate) AS conversion_rate, sum(revenue_impact) AS revenue_impact,
        (SELECT total_customers FROM overview_kpis WHERE {IN}
         ORDER BY record_date DESC LIMIT 1) AS total_customers
        FROM overview_kpis WHERE {IN}"""
    days, before = (asked.start, asked.end), asked.previous
    (now,) = sql(text, days + days)
    (old,) = sql(text, before + before)
    data = answer("overview/kpis")["data"]
    for name, value in now.items():
        assert data[name] == pytest.approx(value)
        if old[name] is None:
            assert data[name + "_change"] is None
        elif name == "conversion_rate":
            assert data[name + "_change"] == pytest.approx(value - old[name])
        else:
            change = 100 * (value - old[name]) / old[name]
            assert data[name + "_change"] == pytest.approx(change)


def test_funnel(case):
    answer, sql, _ = case
    rows = sql(
        f"SELECT stage_name, stage_order, sum(count) AS count FROM conversion_funnel"
        f" WHERE {IN} GROUP BY 1, 2 ORDER BY 2"
    )
    found = answer("overview/funnel")["data"]
    first = rows[0]["count"]
    for stage, row in zip(found, rows, strict=True):
        assert {name: stage[name] for name in row} == row
        assert stage["percentage"] == pytest.approx(100 * row["count"] / first)
    for stage, before in zip(found[1:], rows, strict=False):
        lost = 100 * (stage["count"] - before["count"]) / before["count"]
        assert stage["dropoff_rate"] == pytest.approx(lost)


def test_interaction_types(case):
    answer, sql, _ = case
    rows = sql(
        f"SELECT interaction_name, sum(count) AS count FROM interaction_types"
        f" WHERE {IN} GROUP BY 1 ORDER BY 2 DESC"
    )
    found = answer("overview/interaction-types")
    if not rows:  # the real file has a snapshot every fortnight
        assert found["fallback"] and found["from"] < found["start"]
        return
    whole = sum(row["count"] for row in rows)
    wanted = [
        {**row, "interaction_type": row["interaction_name"],
         "percentage": pytest.approx(100 * row["count"] / whole)}
        for row in rows
    ]  # fmt: skip
    assert found["data"] == wanted
    assert sum(row["percentage"] for row in found["data"]) == pytest.approx(100)


def test_trends(case):
    answer, sql, asked = case
    first = bucket(asked)
    rows = sql(
        f"SELECT {first} AS record_date, sum(conversions) AS conversions,"
        f" sum(ai_attributed_conversions) AS ai_attributed_conversions"
        f" FROM conversion_trends WHERE {IN} AND period_type = 'daily'"
        f" GROUP BY 1 ORDER BY 1"
    )
    rates = sql(
        f"SELECT {first} AS day, avg(conversion_rate) AS rate FROM overview_kpis"
        f" WHERE {IN} GROUP BY 1"
    )
    rate = {row["day"]: row["rate"] for row in rates}
    found = text_days(answer("conversions/trends")["data"])
    for item in found:
        assert isinstance(item.pop("complete"), bool)
    assert found == [
        {**row, "conversion_rate": pytest.approx(rate[row["record_date"]])}
        for row in rows
    ]


def test_segments(case):
    answer, sql, _ = case
    rows = sql(
        f"SELECT segment_name, segment_size, avg_lifetime_value, avg_order_value"
        f" FROM customer_segments WHERE record_date ="
        f" (SELECT max(record_date) FROM customer_segments WHERE {IN})"
    )
    whole = sum(row["segment_size"] for row in rows)
    found = answer("customers/segments")["data"]
    assert len(found) == len(rows)
    by_name = {row["segment_name"]: row for row in found}
    for row in rows:
        share = pytest.approx(100 * row["segment_size"] / whole)
        assert by_name[row["segment_name"]] == {**row, "segment_percentage": share}
    sizes = [row["segment_size"] for row in found]
    assert sizes == sorted(sizes, reverse=True)


def test_patterns(case):
    answer, sql, _ = case
    rows = sql(
        f"SELECT pattern_type, avg(value) AS value FROM behavioral_patterns"
        f" WHERE {IN} GROUP BY 1 ORDER BY 1"
    )
    found = answer("customers/behavioral-patterns")["data"]
    assert as_in(rows, found) == close(rows)
    assert all(item["pattern_name"] and item["metric_unit"] == "%" for item in found)


def test_concerns(case):
    answer, sql, _ = case
    rows = sql(
        f"SELECT concern_name, concern_category, sum(query_count) AS query_count,"
        f" sum(query_count * ai_success_rate) / sum(query_count) AS ai_success_rate"
        f" FROM customer_concerns WHERE {IN} GROUP BY 1, 2 ORDER BY 3 DESC LIMIT 10"
    )
    assert answer("customers/concerns")["data"] == close(rows)


def test_lifetime_value(case):
    answer, sql, _ = case
    rows = sql(
        f"SELECT segment_name, avg(current_clv) AS current_clv,"
        f" avg(predicted_clv) AS predicted_clv FROM customer_lifetime_value"
        f" WHERE {IN} GROUP BY 1 ORDER BY CASE segment_name WHEN '0-30d' THEN 1"
        f" WHEN '31-60d' THEN 2 WHEN '61-90d' THEN 3 WHEN '91-180d' THEN 4"
        f" WHEN '181-365d' THEN 5 WHEN '1-2y' THEN 6 ELSE 7 END"
    )
    assert answer("customers/lifetime-value")["data"] == close(rows)


def test_gaps(case):
    answer, sql, asked = case
    days = (asked.start, asked.end)
    rows = sql(
        f"SELECT product_name, category, avg(demand_score) AS demand_score,"
        f" (SELECT n.potential_revenue FROM product_gaps n WHERE n.record_date ="
        f"  (SELECT max(record_date) FROM product_gaps WHERE {IN})"
        f"  AND n.product_name = g.product_name) AS potential_revenue"
        f" FROM product_gaps g WHERE {IN} GROUP BY 1, 2 ORDER BY 3 DESC LIMIT 10",
        days + days,
    )
    found = answer("customers/product-gaps")["data"]
    assert [row.pop("gap_rank") for row in found] == list(range(1, len(rows) + 1))
    assert found == close(rows)


def test_products(case):
    answer, sql, _ = case
    rows = sql(
        f"SELECT product_id, sum(views) AS views, sum(purchases) AS purchases,"
        f" sum(ai_recommendations) AS ai_recommendations, sum(revenue) AS revenue,"
        f" sum(ai_recommendations * conversion_rate) / sum(ai_recommendations)"
        f" AS conversion_rate FROM product_analytics WHERE {IN}"
        f" GROUP BY 1 ORDER BY 5 DESC LIMIT 20"
    )
    found = answer("products/analytics")["data"]
    assert as_in(rows, found) == close(rows)
    top = sorted(rows, key=lambda row: -row["ai_recommendations"])[:5]
    found = answer("products/recommended")["data"]
    assert [row["recommendations"] for row in found] == [
        row["ai_recommendations"] for row in top
    ]
    for item, row in zip(found, top, strict=True):
        assert item["conversion_rate"] == pytest.approx(row["conversion_rate"])
        assert item["revenue"] == pytest.approx(row["revenue"])


def test_categories(case):
    answer, sql, _ = case
    rows = sql(
        f"SELECT id, record_date, category_name, total_views, total_revenue"
        f" FROM category_performance WHERE {IN} ORDER BY 2, 5 DESC"
    )
    found = answer("products/category-performance")
    if not rows:
        assert found["fallback"]
        return
    got = text_days(found["data"].to_dicts())
    assert as_in(rows, got) == rows
    rows = sql(
        f"SELECT category_name AS category, sum(total_views) AS total_views,"
        f" sum(total_views * ai_recommendation_rate) / 100 AS recommended_views"
        f" FROM category_performance WHERE {IN} GROUP BY 1 ORDER BY 2 DESC LIMIT 8"
    )
    found = answer("products/cross-sell-upsell")["data"]
    assert as_in(rows, found) == close(rows)


def test_interactions(case):
    answer, sql, asked = case
    parts = ", ".join(
        f"sum({kind}_interactions) AS {kind}_interactions"
        for kind in ("questionnaire", "chat", "image_analysis", "routine_planner")
    )
    (row,) = sql(
        f"SELECT sum(total_interactions) AS total_interactions, {parts},"
        f" sum(avg_response_time * total_interactions) / sum(total_interactions)"
        f" AS avg_response_time FROM interaction_summary WHERE {IN}"
    )
    found = answer("interactions/summary")
    computed = found["data"].pop("total_computed", row["total_interactions"])
    assert found["data"] == close(row)
    assert (
        computed
        == sum(row[name] for name in row if name.endswith("_interactions"))
        - (row["total_interactions"])
    )
    rows = sql(
        f"SELECT {bucket(asked)} AS date, {parts} FROM interaction_summary"
        f" WHERE {IN} GROUP BY 1 ORDER BY 1"
    )
    timeline = text_days(found["timeline"], "date")
    assert as_in(rows, timeline) == rows


def test_satisfaction(case):
    answer, sql, asked = case
    rows = sql(
        f"SELECT {bucket(asked)} AS record_date,"
        f" avg(overall_satisfaction) AS overall_satisfaction,"
        f" avg(product_match_quality) AS product_match_quality,"
        f" avg(ai_helpfulness) AS ai_helpfulness"
        f" FROM customer_satisfaction WHERE {IN} GROUP BY 1 ORDER BY 1"
    )
    found = text_days(answer("customer/satisfaction")["data"])
    assert as_in(rows, found) == close(rows)
    assert len(found) <= 32  # a year is twelve or thirteen months, not 366 days


def test_attribution(case):
    answer, sql, asked = case
    rows = sql(
        f"SELECT {bucket(asked)} AS record_date, ai_feature, ai_feature AS"
        f" revenue_source, sum(revenue_amount) AS revenue_amount"
        f" FROM revenue_attribution WHERE {IN} GROUP BY 1, 2 ORDER BY 1, 4 DESC"
    )
    found = text_days(answer("revenue/attribution")["data"])
    assert as_in(rows, found) == close(rows)
    whole = {}
    for item in found:
        day = item["record_date"]
        whole[day] = whole.get(day, 0) + item["percentage"]
        assert day >= asked.start.isoformat()
    assert list(whole.values()) == pytest.approx([100] * len(whole))
    totals = answer("revenue/attribution")["totals"]
    whole = sum(row["revenue_amount"] for row in rows)
    assert sum(row["revenue_amount"] for row in totals) == pytest.approx(whole)


def test_revenue(case):
    answer, sql, _ = case
    (row,) = sql(
        f"SELECT sum(total_revenue_impact) AS total_revenue_impact,"
        f" avg(avg_order_value) AS avg_order_value,"
        f" avg(monthly_return) AS monthly_return,"
        f" avg(monthly_investment) AS monthly_investment,"
        f" sum(roi_percentage * monthly_investment) / sum(monthly_investment)"
        f" AS roi_percentage FROM revenue_summary WHERE {IN}"
    )
    found = answer("revenue/summary")
    if row["total_revenue_impact"] is None:
        assert found["fallback"]
        return
    assert {name: found["data"][name] for name in row} == close(row)
    assert found["data"]["roi"] == pytest.approx(row["roi_percentage"] / 100)


def test_models(case):
    answer, sql, _ = case
    rows = sql(
        f"SELECT record_date, model_name, accuracy, response_time_ms"
        f" FROM ai_model_performance WHERE {IN} ORDER BY 1, 2"
    )
    found = answer("ai/model-performance")
    if not rows:
        assert found["fallback"]
        return
    got = text_days(found["data"].to_dicts())
    assert as_in(rows, got) == rows
    days = sorted({row["record_date"] for row in rows})
    assert [day.isoformat() for day in found["categories"]] == days
    stored = {(row["record_date"], row["model_name"]): row["accuracy"] for row in rows}
    for line in found["series"]:
        assert line["data"] == [stored.get((day, line["name"])) for day in days]
    (row,) = sql(f"SELECT avg(accuracy) AS a FROM ai_model_performance WHERE {IN}")
    assert answer("ai/summary")["data"]["accuracy"] == pytest.approx(row["a"])


def test_feed(case):
    answer, sql, asked = case
    rows = sql(
        "SELECT interaction_id FROM customer_interactions WHERE"
        " substr(interaction_date, 1, 10) BETWEEN ? AND ?"
        " ORDER BY interaction_date DESC, id DESC LIMIT 10"
    )
    found = answer("customers/interactions")
    if rows:
        assert found["data"]["interaction_id"].to_list() == [
            row["interaction_id"] for row in rows
        ]
        assert "fallback" not in found
    for row in found["data"]:
        assert row["interaction_date"].date() <= asked.end
