"""The made-up shop of `demo.generate()`: the same every time, and its figures agree."""

import datetime
import statistics
import time
from collections import Counter, defaultdict

import pytest

from smartshopie_db import SmartShopieDB
from smartshopie_db.demo import generate
from smartshopie_db.shop import Shop
from smartshopie_db.visits import even, wheel

DAYS, ROWS = 400, 5000
UNTIL = datetime.date(2025, 12, 31)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    path = tmp_path_factory.mktemp("shop") / "shop.db"
    generate(path, days=DAYS, rows=ROWS)
    return path


@pytest.fixture(scope="module")
def tables(made):
    with SmartShopieDB(made) as db:
        return {name: table.select().to_dicts() for name, table in db.tables.items()}


def test_every_table_has_rows(tables):
    assert len(tables) == 30 and all(tables.values())
    assert len(tables["overview_kpis"]) == DAYS
    assert len(tables["customer_interactions"]) == ROWS
    assert tables["overview_kpis"][-1]["record_date"] == UNTIL


def test_two_runs_are_equal(tables, tmp_path):
    generate(tmp_path / "again.db", days=DAYS, rows=ROWS)
    with SmartShopieDB(tmp_path / "again.db") as db:
        for name, table in db.tables.items():
            again = without_stamps(table.select().to_dicts())
            assert again == without_stamps(tables[name]), name


def test_another_seed_is_another_shop(tmp_path):
    first, other = Shop(30, UNTIL, 0, seed=1), Shop(30, UNTIL, 0, seed=2)
    assert first.days != other.days


def without_stamps(rows):
    stamps = ("created_at", "updated_at")
    return [{k: v for k, v in row.items() if k not in stamps} for row in rows]


def sums(rows, column, by="record_date"):
    found = defaultdict(float)
    for row in rows:
        found[row[by]] += row[column]
    return {key: round(value, 2) for key, value in found.items()}


def column(rows, name):
    return {row["record_date"]: row[name] for row in rows}


def test_interactions_are_the_sum_of_their_kinds(tables):
    wanted = column(tables["overview_kpis"], "ai_interactions")
    assert sums(tables["interaction_types"], "count") == wanted
    assert column(tables["interaction_summary"], "total_interactions") == wanted
    for row in tables["interaction_summary"]:
        assert row["total_interactions"] == (
            row["chat_interactions"] + row["questionnaire_interactions"]
            + row["image_analysis_interactions"] + row["routine_planner_interactions"]
        )  # fmt: skip


def test_revenue_is_the_sum_of_its_parts(tables):
    impact = column(tables["overview_kpis"], "revenue_impact")
    assert sums(tables["revenue_attribution"], "revenue_amount") == impact
    whole = sums(tables["category_revenue"], "revenue_amount")
    assert sums(tables["product_analytics"], "revenue") == pytest.approx(whole)
    assert all(impact[day] < whole[day] for day in whole)


def test_months_add_up_their_days(tables):
    months = defaultdict(float)
    for day, amount in column(tables["overview_kpis"], "revenue_impact").items():
        months[day.replace(day=1)] += amount
    found = column(tables["revenue_summary"], "total_revenue_impact")
    assert found == pytest.approx(months)


def test_the_funnel_only_narrows_and_ends_with_the_purchases(tables):
    days = defaultdict(list)
    for row in tables["conversion_funnel"]:
        days[row["record_date"]].append(row)
    bought = column(tables["conversion_trends"], "conversions")
    for day, stages in days.items():
        counts = [stage["count"] for stage in stages]
        assert counts == sorted(counts, reverse=True) and len(counts) == 5
        assert counts[-1] == bought[day]
        assert stages[0]["percentage"] == 100


def test_segments_hold_all_customers(tables):
    customers = column(tables["overview_kpis"], "total_customers")
    for day, n in sums(tables["customer_segments"], "segment_size").items():
        assert n == customers[day]
    counts = list(customers.values())
    assert counts == sorted(counts)


def visits(tables):
    return {
        row["record_date"]: row["count"]
        for row in tables["conversion_funnel"]
        if row["stage_order"] == 0
    }


def test_the_week_has_a_rhythm(tables):
    found = defaultdict(list)
    for day, n in visits(tables).items():
        found[day.weekday()].append(n)
    medians = {day: statistics.median(found[day]) for day in found}
    assert min(medians[5], medians[6]) > max(medians[k] for k in range(4))


def test_the_campaign_and_the_outage_can_be_seen(tables):
    found = visits(tables)
    shop = Shop(DAYS, UNTIL, 0, seed=1)
    week = datetime.timedelta(days=7)
    for day in range(14):
        date = shop.campaign + datetime.timedelta(days=day)
        assert found[date] > 1.15 * found[date - 2 * week]
    for day in range(2):
        date = shop.outage + datetime.timedelta(days=day)
        assert found[date] < 0.6 * found[date - week]
    slow = column(tables["interaction_summary"], "avg_response_time")
    assert slow[shop.outage] > 2 * slow[shop.outage - week]


def test_a_file_with_rows_is_left_alone(made):
    with pytest.raises(FileExistsError, match="has rows"):
        generate(made, days=3)


def test_progress_is_told(tmp_path):
    told = []
    generate(tmp_path / "x.db", days=2, rows=20_000, progress=lambda *a: told.append(a))
    assert told and all(done >= 0 for done, total in told)


def test_interactions_look_like_a_shop(tables):
    rows = tables["customer_interactions"]
    times = [row["interaction_date"] for row in rows]
    assert times == sorted(times) and len({t.date() for t in times}) == DAYS
    numbers = [row["interaction_id"] for row in rows]
    assert numbers == [f"I-{n:09}" for n in range(1, ROWS + 1)]
    kinds = Counter(row["interaction_type"] for row in rows)
    for kind, percent in (("chat", 47), ("questionnaire", 27), ("image", 17)):
        assert kinds[kind] / ROWS * 100 == pytest.approx(percent, abs=3)
    assert {row["satisfaction_score"] for row in rows} == {None, 1, 2, 3, 4, 5}
    hours = Counter(time.hour for time in times)
    assert max(hours, key=hours.get) in (18, 19, 20)
    assert all(hours[hour] < hours[19] / 3 for hour in range(6))
    assert len({time.second for time in times}) == 60
    by_id = {row["customer_id"]: row["customer_name"] for row in rows}
    assert all(by_id[row["customer_id"]] == row["customer_name"] for row in rows)
    assert min(by_id) >= "C-000001"


def test_answers_are_slow_in_the_outage(tables):
    shop = Shop(DAYS, UNTIL, 0, seed=1)
    slow, usual = [], []
    for row in tables["customer_interactions"]:
        in_outage = (row["interaction_date"].date() - shop.outage).days in (0, 1)
        (slow if in_outage else usual).append(row["response_time_sec"])
    assert statistics.mean(slow) > 2 * statistics.mean(usual)


def test_a_wheel_has_places_by_weight():
    assert Counter(wheel("abc", (1, 2, 1))) == {"a": 64, "b": 128, "c": 64}
    thirds = Counter(even((None, "x", "y")))
    assert sorted(thirds.values()) == [85, 85, 86]


@pytest.mark.timed
def test_interactions_are_made_quickly():
    """A million in about a second of processor time; bounds are wide."""
    shop = Shop(100, UNTIL, 200_000, seed=1)
    begun = time.process_time()
    assert sum(1 for _ in shop.interactions()) == 200_000
    assert time.process_time() - begun < 1
