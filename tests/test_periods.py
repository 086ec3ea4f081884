"""db.series(), compare(), top() and breakdown(): against a model in plain Python and
against polars on the same rows, on real databases, and on what must be refused."""

import datetime
import math
import sqlite3
import threading
import time
import zoneinfo
from collections import defaultdict
from fractions import Fraction

import polars as pl
import pytest
import soak
from hypothesis import example, given, settings
from hypothesis import strategies as st
from oracle import period_start
from schema_facts import TABLES

from smartshopie_db import SmartShopieDB

D = datetime.date
DAY = datetime.timedelta(days=1)
EVERY = ("day", "week", "month", "quarter", "year")
FIRST, LAST = D(2023, 11, 20), D(2025, 3, 10)

MANY = settings(max_examples=soak.times(60, 1000))


# ---- the model: exact arithmetic over the rows as a list of dicts --------------------


def rule_of(table, column):
    return "rows" if column == "rows" else TABLES[table].column(column).aggregate


def bucket_of(every, day):
    """The first and the last day of the calendar's bucket."""
    if every == "day":
        return day, day
    if every == "week":
        monday = day - datetime.timedelta(days=day.isocalendar().weekday - 1)
        return monday, monday + 6 * DAY
    months = {"month": 1, "quarter": 3, "year": 12}[every]
    start = D(day.year, (day.month - 1) // months * months + 1, 1)
    later = start.month + months
    following = D(start.year + (later - 1) // 12, (later - 1) % 12 + 1, 1)
    return start, following - DAY


def buckets(every, start, end):
    day = start
    while day <= end:
        first, last = bucket_of(every, day)
        yield max(first, start), min(last, end), first >= start and last <= end
        day = last + DAY


def exact(values):
    return sum(map(Fraction, values), Fraction(0))


def newest_of(rows, *columns):
    """The rows of the newest day on which all the columns have a value."""
    known = [r for r in rows if all(r[c] is not None for c in columns)]
    newest = max((r["day"] for r in known), default=None)
    return [r for r in known if r["day"] == newest]


def figure(table, column, rows, bucket_rows):
    """What one measure is for some rows; bucket_rows: of all groups of the bucket."""
    rule, _, rest = rule_of(table, column).partition(":")
    if rule == "rows":
        return len(rows)
    known = [r for r in rows if r[column] is not None]
    if rule == "last":
        day = max(
            (r["day"] for r in bucket_rows if r[column] is not None), default=None
        )
        known = [r for r in known if r["day"] == day]
    if rule in ("sum", "last"):
        return exact(r[column] for r in known) if known else None
    if rule == "mean" and not rest:
        return exact(r[column] for r in known) / len(known) if known else None
    if rule == "mean":
        known = [r for r in known if r[rest] is not None]
        above = exact(Fraction(r[column]) * Fraction(r[rest]) for r in known)
        below = exact(r[rest] for r in known)
    else:
        a, b = rest.split("/")
        known = [r for r in rows if r[a] is not None and r[b] is not None]
        if rule_of(table, a) == "last":
            known = newest_of(bucket_rows, a, b)
            known = [r for r in known if r in rows]
        above, below = exact(r[a] for r in known), exact(r[b] for r in known)
    return above / below if below else None


def same(got, want):
    if got is None or want is None:
        return got is want
    if isinstance(got, int):
        return got == want
    return math.isclose(got, float(want), rel_tol=1e-12, abs_tol=1e-9)


# ---- rows ----------------------------------------------------------------------------

days = st.dates(FIRST, LAST)
amount = st.none() | st.floats(0, 1e9, allow_nan=False).map(lambda x: round(x, 2))
count = st.none() | st.integers(0, 10**9)
share = st.none() | st.floats(0, 100).map(lambda x: round(x, 3))
name = st.sampled_from(["Chat", "chat", "Café", "", "Ω", "x" * 40])

kpi_rows = st.dictionaries(
    days,
    st.fixed_dictionaries(
        {
            "total_customers": st.integers(0, 10**9),
            "conversion_rate": share,
            "ai_interactions": st.integers(0, 10**9),
            "revenue_impact": amount,
        }
    ),
    max_size=30,
)
segment_rows = st.dictionaries(
    st.tuples(days, name),
    st.fixed_dictionaries(
        {
            "segment_size": st.integers(0, 10**6),
            "avg_lifetime_value": amount,
            "avg_order_value": amount,
        }
    ),
    max_size=30,
)
tier_rows = st.dictionaries(
    st.tuples(days, name),
    st.fixed_dictionaries({"customer_count": count, "total_revenue": amount}),
    max_size=30,
)


def add(db, table, **values):
    """One row; what the table requires and the test does not care about is made up."""
    facts = TABLES[table]
    return getattr(db, facts.adder)(**(facts.least() | values))


def without_none(values):
    return {key: value for key, value in values.items() if value is not None}


def load(table, rows):
    """A database with these rows, given as (day, group or None, values)."""
    names = TABLES[table].key
    db = SmartShopieDB(":memory:")
    with db.transaction():
        for day, group, values in rows:
            key = {"record_date": day} | ({names[1]: group} if len(names) > 1 else {})
            add(db, table, **key, **without_none(values))
    return db


def read_back(db, table):
    """What is stored, defaults included, with the day under its own name."""
    return [
        {**row, "day": row[TABLES[table].time]} for row in getattr(db, table).select()
    ]


def check_series(db, table, columns, every, start, end, by=None):
    rows = [r for r in read_back(db, table) if start <= r["day"] <= end]
    groups = sorted({r[by] for r in rows}) if by else [None]
    newest = max((r["day"] for r in read_back(db, table)), default=D.min)
    known = bucket_of(TABLES[table].step, newest)[1]
    want = []
    for first, last, whole in buckets(every, start, end):
        inside = [r for r in rows if first <= r["day"] <= last]
        for group in groups:
            of_group = [r for r in inside if by is None or r[by] == group]
            figures = [figure(table, c, of_group, inside) for c in columns]
            key = [group] if by else []
            want.append((first, last, int(whole and last <= known), *key, *figures))
    got = db.series(table, columns, start=start, end=end, every=every, by=by)
    head = ["start", "end", "complete", *([by] if by else []), *columns]
    assert list(got.columns) == head
    assert len(got) == len(want)
    for row, expected in zip(got, want, strict=True):
        cells = [row[c] for c in head]
        assert all(map(same_cell, cells, expected)), (dict(row), expected)


def same_cell(got, want):
    if isinstance(got, (int, float)) or isinstance(want, Fraction):
        return same(got, want)
    return got == want


def a_range(data):
    start = data.draw(st.dates(FIRST - 40 * DAY, LAST), label="start")
    length = data.draw(st.integers(0, 500), label="days")
    return start, start + length * DAY


@MANY
@given(rows=kpi_rows, every=st.sampled_from(EVERY), data=st.data())
def test_a_series_of_kpis_is_what_the_model_says(rows, every, data):
    columns = [
        "rows",
        "total_customers",
        "conversion_rate",
        "ai_interactions",
        "revenue_impact",
    ]
    with load("overview_kpis", [(d, None, v) for d, v in rows.items()]) as db:
        check_series(db, "overview_kpis", columns, every, *a_range(data))


@MANY
@given(rows=segment_rows, every=st.sampled_from(EVERY), data=st.data())
def test_weighted_means_and_stocks_by_group(rows, every, data):
    by = data.draw(st.sampled_from([None, "segment_name"]), label="by")
    columns = ["segment_size", "avg_lifetime_value", "avg_order_value", "rows"]
    with load("customer_segments", [(*k, v) for k, v in rows.items()]) as db:
        check_series(db, "customer_segments", columns, every, *a_range(data), by)


@MANY
@given(rows=tier_rows, every=st.sampled_from(EVERY), data=st.data())
def test_ratios_of_stocks(rows, every, data):
    stored = [(*k, v) for k, v in rows.items()]
    with load("customer_value_analysis", stored) as db:
        columns = ["avg_revenue", "total_revenue", "customer_count"]
        check_series(db, "customer_value_analysis", columns, every, *a_range(data))


def test_polars_says_the_same():
    start = D(2024, 1, 1)
    rows = [
        (
            start + i * DAY,
            None,
            {
                "total_customers": i,
                "ai_interactions": i * 7 % 501,
                "revenue_impact": i * 1.37,
                "conversion_rate": i % 97 / 7,
            },
        )
        for i in range(800)
        if i % 11
    ]
    with load("overview_kpis", rows) as db:
        frame = pl.DataFrame(
            [{**values, "record_date": day} for day, _, values in rows]
        ).sort("record_date")
        for every, step in {"week": "1w", "month": "1mo", "quarter": "1q"}.items():
            want = frame.group_by_dynamic("record_date", every=step).agg(
                pl.sum("ai_interactions", "revenue_impact"),
                pl.last("total_customers"),
                pl.mean("conversion_rate"),
            )
            got = db.series("overview_kpis", every=every)
            assert len(got) == len(want)
            for ours, theirs in zip(got, want.iter_rows(named=True), strict=True):
                first, _ = bucket_of(every, ours["start"])
                assert first == theirs["record_date"]
                for column in ("ai_interactions", "total_customers"):
                    assert ours[column] == theirs[column]
                for column in ("revenue_impact", "conversion_rate"):
                    assert math.isclose(ours[column], theirs[column], rel_tol=1e-12)


# ---- windows -------------------------------------------------------------------------


PERIODS = (
    *("1d", "7d", "30d", "90d", "12w", "1m", "3m", "6m", "12m", "1y"),
    *("mtd", "qtd", "ytd"),
)


@given(
    period=st.sampled_from(PERIODS),
    as_of=st.dates(D(2023, 1, 1), D(2026, 12, 31)),
)
@example("7d", D(2025, 10, 31))
@example("1m", D(2025, 9, 30))
@example("1m", D(2024, 2, 29))
def test_a_period_is_exactly_that_long(period, as_of):
    with SmartShopieDB(":memory:") as db:
        rows = db.series("overview_kpis", "rows", period=period, as_of=as_of)
        assert (rows[0].start, rows[-1].end) == (period_start(period, as_of), as_of)
        if period[:-1].isdigit() and period[-1] in "dw":
            assert len(rows) == int(period[:-1]) * (7 if period[-1] == "w" else 1)
        assert [row.rows for row in rows] == [0] * len(rows)


def test_the_window_ends_with_the_newest_stored_day(db):
    for day in ("2025-01-01", "2025-03-04", "2025-02-01"):
        db.add_overview_kpis(record_date=day, total_customers=1, ai_interactions=1)
    rows = db.series("overview_kpis", "ai_interactions", period="7d")
    assert (rows[0].start, rows[-1].end) == (D(2025, 2, 26), D(2025, 3, 4))
    assert rows["ai_interactions"].to_list() == [None] * 6 + [1]
    whole = db.series("overview_kpis", "ai_interactions", every="month")
    assert [(r.start, r.end, r.complete) for r in whole] == [
        (D(2025, 1, 1), D(2025, 1, 31), 1),
        (D(2025, 2, 1), D(2025, 2, 28), 1),
        (D(2025, 3, 1), D(2025, 3, 4), 0),
    ]


def test_start_and_end_alone_reach_to_what_is_stored(db):
    for day in ("2025-01-10", "2025-01-20"):
        db.add_overview_kpis(record_date=day, total_customers=1)
    ends = lambda **given: [  # noqa: E731
        (r[0].start, r[-1].end)
        for r in [db.series("overview_kpis", "rows", **given)]
        if r
    ]
    assert ends(start="2025-01-15") == [(D(2025, 1, 15), D(2025, 1, 20))]
    assert ends(end="2025-01-15") == [(D(2025, 1, 10), D(2025, 1, 15))]
    assert ends(start="2025-02-15") == ends(end="2024-02-15") == []
    assert ends(start="2025-02-15", end="2025-02-15") == [
        (D(2025, 2, 15), D(2025, 2, 15))
    ]


def test_a_bucket_is_complete_only_when_it_is_known_and_asked_for(db):
    db.add_overview_kpis(record_date="2025-03-15", total_customers=1)
    ask = {"table": "overview_kpis", "columns": "rows", "every": "month"}
    months = db.series(**ask, start="2025-01-02", end="2025-04-30")
    assert months["complete"].to_list() == [0, 1, 0, 0]
    later = db.series(**ask, start="2025-01-02", end="2025-04-30", as_of="2025-04-30")
    assert later["complete"].to_list() == [0, 1, 1, 1]


def test_a_row_that_counts_for_a_month_completes_it(db):
    add(db, "revenue_summary", record_date="2025-10-01", monthly_return=5.0)
    rows = db.series(
        "revenue_summary",
        "monthly_return",
        start="2025-10-01",
        end="2025-11-30",
        every="month",
    )
    assert [(r.monthly_return, r.complete) for r in rows] == [(5.0, 1), (None, 0)]


# ---- instants, stored forms and zones ------------------------------------------------


def add_interaction(db, number, when, **values):
    values = {"interaction_id": f"i{number}", "interaction_date": when, **values}
    add(db, "customer_interactions", **values)


def test_all_of_a_day_belongs_to_it(db):
    instants = (
        "2025-10-30 00:00:00",
        "2025-10-30 23:59:59.999999",
        "2025-10-31 00:00:00",
    )
    for number, when in enumerate(instants):
        add_interaction(db, number, when)
    rows = db.series("customer_interactions", "rows", period="2d")
    assert rows["rows"].to_list() == [2, 1]
    assert db.series("customer_interactions", "rows", period="1d")[0].rows == 1


def test_every_stored_form_of_an_old_file_falls_on_its_day(legacy_path):
    with SmartShopieDB(legacy_path) as db:
        for table, facts in TABLES.items():
            if facts.time is None or not db.tables[table].count():
                continue
            stored = defaultdict(int)
            for row in db.tables[table].select(columns=["id", facts.time]):
                when = row[facts.time]
                if when is not None:
                    day = when.date() if isinstance(when, datetime.datetime) else when
                    stored[day] += 1
            got = {r.start: r.rows for r in db.series(table, "rows") if r.rows}
            assert got == stored, table


ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "America/Sao_Paulo",
    "Pacific/Apia",
    "Africa/Cairo",
    "UTC",
)


@MANY
@given(
    zone=st.sampled_from(ZONES),
    start=st.dates(D(2011, 12, 1), D(2018, 12, 1)),
    hours=st.lists(st.integers(0, 24 * 60), min_size=1, max_size=40),
)
@example("Europe/Berlin", D(2018, 3, 24), [1, 22, 23, 24, 46, 47])
@example(
    "America/Sao_Paulo", D(2017, 10, 14), [2, 3, 4, 26, 27]
)  # a day without midnight
@example("Pacific/Apia", D(2011, 12, 29), [1, 10, 11, 30, 60])  # a day that never was
def test_days_of_a_zone(zone, start, hours):
    info = zoneinfo.ZoneInfo(zone)
    begin = datetime.datetime.combine(start, datetime.time(), datetime.UTC)
    instants = [begin + datetime.timedelta(hours=h, minutes=30) for h in hours]
    want = defaultdict(int)
    for when in instants:
        want[when.astimezone(info).date()] += 1
    with SmartShopieDB(":memory:") as db:
        with db.transaction():
            for number, when in enumerate(instants):
                add_interaction(db, number, when)
        got = db.series("customer_interactions", "rows", zone=zone)
        assert {r.start: r.rows for r in got if r.rows} == want
        assert (got[0].start, got[-1].start) == (min(want), max(want))
        for first in set(want):
            one = db.series(
                "customer_interactions", "rows", start=first, end=first, zone=info
            )
            assert one["rows"].to_list() == [want[first]]


def test_a_day_that_was_stored_as_a_day_is_that_day_in_any_zone(db):
    db.add_overview_kpis(record_date="2025-01-01", total_customers=1)
    rows = db.series("overview_kpis", "rows", zone="Asia/Tokyo")
    assert [(r.start, r.rows) for r in rows] == [(D(2025, 1, 1), 1)]


# ---- filling and grouping ------------------------------------------------------------


@pytest.fixture
def gaps(db):
    for day, chats in (("2025-01-01", 5), ("2025-01-03", None), ("2025-01-05", 7)):
        values = {} if chats is None else {"revenue_amount": chats}
        add(db, "revenue_attribution", record_date=day, ai_feature="Chat", **values)
    add(
        db,
        "revenue_attribution",
        record_date="2025-01-02",
        ai_feature="Quiz",
        revenue_amount=1,
    )
    return db


def test_gaps_are_unknown_unless_filled(gaps):
    def amounts(**given):
        rows = gaps.series("revenue_attribution", "revenue_amount", **given)
        return rows["revenue_amount"].to_list()

    stored = [r.revenue_amount for r in gaps.revenue_attribution.select()]
    zero = 0.0 if stored[1] == 0.0 else None  # what the schema's default makes of it
    chat = {"ai_feature": "Chat", "end": "2025-01-06"}
    assert amounts(**chat) == [5.0, None, zero, None, 7.0, None]
    assert amounts(**chat, fill=None) == [5.0, None, zero, None, 7.0, None]
    assert amounts(**chat, fill=0) == [5.0, 0.0, 0.0, 0.0, 7.0, 0.0]
    carried = 5.0 if zero is None else 0.0
    assert amounts(**chat, fill="previous") == [5.0, 5.0, carried, carried, 7.0, 7.0]
    assert amounts(**chat, start="2024-12-31", fill="previous")[0] is None


def test_each_group_is_filled_from_itself(gaps):
    rows = gaps.series(
        "revenue_attribution",
        "revenue_amount",
        by="ai_feature",
        fill="previous",
        end="2025-01-03",
    )
    assert [(r.start.day, r.ai_feature) for r in rows] == [
        (1, "Chat"),
        (1, "Quiz"),
        (2, "Chat"),
        (2, "Quiz"),
        (3, "Chat"),
        (3, "Quiz"),
    ]
    assert rows[1].revenue_amount is None and rows[5].revenue_amount == 1.0


def test_a_rate_cannot_be_filled_with_zero(db):
    with pytest.raises(ValueError, match="conversion_rate was 0"):
        db.series("overview_kpis", "conversion_rate", period="7d", fill=0)
    with pytest.raises(ValueError, match="total_customers was 0, but it is a stock"):
        db.series("overview_kpis", "total_customers", period="7d", fill=0)


def test_groups_add_up_to_the_whole(demo):
    for table in ("customer_segments", "revenue_attribution", "category_revenue"):
        facts = TABLES[table]
        (by,) = facts.key[1:]
        for column in facts.columns:
            if column.aggregate in ("sum", "last"):
                total = demo.series(table, column.name)[column.name].to_list()
                parts = defaultdict(list)
                for row in demo.series(table, column.name, by=by):
                    parts[row.start].append(row[column.name])
                for whole, part in zip(total, parts.values(), strict=True):
                    known = [x for x in part if x is not None]
                    assert same(whole, exact(known) if known else None)


def test_null_is_a_group_of_its_own_and_comes_last(db):
    for number, kind in enumerate(("b", None, "a", "b")):
        add_interaction(db, number, "2025-01-01 10:00", customer_id=kind)
    rows = db.series("customer_interactions", "rows", by="customer_id")
    assert [(r.customer_id, r.rows) for r in rows] == [
        ("a", 1),
        ("b", 2),
        (None, 1),
    ]


# ---- what must not be added up -------------------------------------------------------


def test_rows_of_different_kinds_do_not_add_up(db):
    for kind, n in (("daily", 5), ("weekly", 35)):
        add(
            db,
            "conversion_trends",
            record_date="2025-01-06",
            period_type=kind,
            conversions=n,
        )
    with pytest.raises(ValueError, match=r"period_type.*\('daily', 'weekly'\)"):
        db.series("conversion_trends", "conversions")
    for call in (db.compare, lambda *a: db.top(*a, by="record_date")):
        with pytest.raises(ValueError, match="does not add up"):
            call("conversion_trends", "conversions")
    daily = db.series("conversion_trends", "conversions", period_type="daily")
    assert daily["conversions"].to_list() == [5]
    both = db.series("conversion_trends", "conversions", by="period_type")
    assert both["conversions"].to_list() == [5, 35]
    assert db.series("conversion_trends", "rows")[0].rows == 2


def test_a_column_without_a_rule_is_refused_with_the_reason(db):
    for column, reason in {
        "stage_name": "it is no number",
        "percentage": "computed from others",
        "id": "identifier",
        "record_date": "it is no number",
    }.items():
        for call in (db.series, db.compare, db.top, db.breakdown):
            with pytest.raises(ValueError, match=f"{column} has no rule.*{reason}"):
                call("conversion_funnel", column)


def test_a_sum_of_integers_that_does_not_fit_is_an_error(db):
    from smartshopie_db import DataError

    for number in range(2):
        add_interaction(db, number, "2025-01-01", message_count=2**62)
    assert db.series("customer_interactions", "rows")[0].rows == 2
    with pytest.raises(DataError, match="message_count: the sum does not fit 64 bits"):
        db.series("customer_interactions", "message_count")


# ---- compare -------------------------------------------------------------------------


def kpis(db, values):
    with db.transaction():
        for day, n in values.items():
            db.add_overview_kpis(
                record_date=day,
                total_customers=n,
                conversion_rate=n / 10,
                ai_interactions=n,
                revenue_impact=float(n),
            )


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


# ---- top and breakdown ---------------------------------------------------------------


def products(db):
    sold = {("p1", 1): 10.0, ("p1", 2): 5.0, ("p2", 1): 20.0, ("p3", 2): 15.0}
    for (product, day), revenue in sold.items():
        values = {"product_id": product, "product_name": product.upper()}
        figures = {"revenue": revenue, "ai_recommendations": 2, "conversion_rate": 50.0}
        add(db, "product_analytics", record_date=D(2025, 1, day), **values, **figures)


def test_top_adds_up_each_group_and_sorts(db):
    products(db)
    rows = db.top("product_analytics", "revenue")
    assert rows.columns == ("product_id", "revenue", "start", "end")
    assert [(r.product_id, r.revenue) for r in rows] == [
        ("p2", 20.0),
        ("p1", 15.0),
        ("p3", 15.0),
    ]
    assert rows[0].start == D(2025, 1, 1) and rows[0].end == D(2025, 1, 2)
    assert len(db.top("product_analytics", "revenue", 2)) == 2
    assert len(db.top("product_analytics", "revenue", n=0)) == 0
    (one,) = db.top(
        "product_analytics",
        "revenue",
        1,
        by=["product_id", "product_name"],
        period="1d",
    )
    assert (one.product_id, one.product_name, one.revenue) == ("p3", "P3", 15.0)
    assert [r.rows for r in db.top("product_analytics", "rows", 1)] == [2]


def test_shares_come_from_the_figures_and_make_a_hundred(db):
    products(db)
    rows = db.breakdown("product_analytics", "revenue")
    assert rows.columns == ("product_id", "revenue", "share", "start", "end")
    assert math.isclose(sum(rows["share"].to_list()), 100, rel_tol=1e-12)
    assert [round(r.share, 6) for r in rows] == [40.0, 30.0, 30.0]


def test_rankings_of_real_files(real_path):
    """Many groups, and each kind of figure, against SQL."""
    plain = sqlite3.connect(real_path)
    for table, column, by, sql in (
        ("customer_concerns", "query_count", "concern_name", "sum(query_count)"),
        ("customer_concerns", "ai_success_rate", "concern_name",
         "sum(ai_success_rate * query_count) / sum(query_count)"),
        ("product_analytics", "revenue", "product_id", "sum(revenue)"),
        ("customer_lifetime_value", "current_clv", "segment_name", "avg(current_clv)"),
    ):  # fmt: skip
        with SmartShopieDB(real_path) as db:
            got = {row[by]: row[column] for row in db.top(table, column, 100, by=by)}
        want = dict(plain.execute(f"SELECT {by}, {sql} FROM {table} GROUP BY 1"))
        assert got == pytest.approx(want, rel=1e-12)
    plain.close()


def test_shares_of_what_is_no_whole(db):
    products(db)
    with pytest.raises(ValueError, match="conversion_rate is a rate or a mean"):
        db.breakdown("product_analytics", "conversion_rate")
    with pytest.raises(TypeError, match="needs the argument 'by'"):
        db.top("overview_kpis", "ai_interactions")
    kpis(db, {D(2025, 1, 1): 1, D(2025, 1, 2): 2})
    db.overview_kpis.update({"record_date": "2025-01-01"}, revenue_impact=-5.0)
    rows = db.breakdown("overview_kpis", "revenue_impact", by="record_date")
    assert [r.share for r in rows] == [None, None]


def test_stocks_break_down_at_the_newest_day(demo):
    rows = demo.breakdown("customer_segments", "segment_size")
    newest = demo.get_customer_segments()
    assert {r.segment_name: r.segment_size for r in rows} == {
        r.segment_name: r.segment_size for r in newest
    }
    assert math.isclose(sum(rows["share"].to_list()), 100)


# ---- real databases ------------------------------------------------------------------


def test_every_measure_of_a_real_database_can_be_asked_for(real_path):
    with SmartShopieDB(real_path, mode="ro", strict=False) as db:
        asked = 0
        for name, facts in TABLES.items():
            measures = [c for c in facts.columns if c.aggregate != "none"]
            if facts.time is None or not measures:
                continue
            by = [key for key in facts.key if key != facts.time] or None
            rows = db.series(name, by=by, every="month")
            stored = db.tables[name].select()
            for measure in measures:
                if measure.aggregate == "sum":
                    known = [
                        r[measure.name] for r in stored if r[measure.name] is not None
                    ]
                    got = [r[measure.name] for r in rows if r[measure.name] is not None]
                    assert same(
                        float(sum(got)) if known else None,
                        exact(known) if known else None,
                    )
                    asked += bool(known)
            db.compare(
                name,
                [m.name for m in measures if m.apart is None] or "rows",
                period="30d",
            )
        assert asked > 10


# ---- bad input -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (
            "series('overview_kpi')",
            ValueError,
            "no table 'overview_kpi'.*'overview_kpis'",
        ),
        ("series(3)", TypeError, "expected a table's name as str, got int"),
        ("series()", TypeError, "needs the argument 'table'"),
        (
            "series('overview_kpis', 'revenue_impct')",
            TypeError,
            "did you mean 'revenue_impact'",
        ),
        ("series('overview_kpis', [])", ValueError, "name at least one column"),
        ("series('overview_kpis', ['rows', 'rows'])", ValueError, "named twice"),
        ("series('overview_kpis', 5)", TypeError, "expected column names"),
        (
            "series('overview_kpis', period='7days')",
            ValueError,
            "period: expected a number",
        ),
        ("series('overview_kpis', period=7)", TypeError, "expected str such as '30d'"),
        (
            "series('overview_kpis', period='7d', start='2025-01-01')",
            TypeError,
            "cannot be combined",
        ),
        (
            "series('overview_kpis', start='2025-02-01', end='2025-01-01')",
            ValueError,
            "start= is after end=",
        ),
        ("series('overview_kpis', start='2025-02-30')", ValueError, "start"),
        (
            "series('overview_kpis', every='fortnight')",
            ValueError,
            "'day', 'week', 'month', 'quarter', 'year'",
        ),
        (
            "series('overview_kpis', fill=1)",
            ValueError,
            "expected None, 0 or 'previous'",
        ),
        (
            "series('overview_kpis', fill='zero')",
            ValueError,
            "expected None, 0 or 'previous'",
        ),
        (
            "series('overview_kpis', by='record_dat')",
            TypeError,
            "did you mean 'record_date'",
        ),
        ("series('overview_kpis', 'rows', by=['id', 'id'])", ValueError, "named twice"),
        (
            "series('overview_kpis', 'revenue_impact', by='revenue_impact')",
            ValueError,
            "already",
        ),
        ("series('overview_kpis', zone='Mars/Olympus')", ValueError, None),
        (
            "series('customer_interactions', zone='Mars/Olympus')",
            ValueError,
            "no time zone",
        ),
        ("series('customer_interactions', zone=3)", TypeError, "a name such as"),
        (
            "series('customer_interactions', start='0001-01-01', zone='UTC',"
            "end='9999-12-31')",
            ValueError,
            "at most 40000 days",
        ),
        ("series('api_configurations')", TypeError, "no time column"),
        ("compare('api_configurations')", TypeError, "no time column"),
        (
            "compare('overview_kpis', to='last_year')",
            ValueError,
            "'previous_period', 'previous_year'",
        ),
        (
            "compare('overview_kpis', to=('2025-01-02', '2025-01-01'))",
            ValueError,
            "in order",
        ),
        ("compare('overview_kpis', to=('2025-01-02',))", TypeError, "start, end"),
        (
            "compare('overview_kpis', start='0001-01-01', end='0001-01-31')",
            ValueError,
            "no such time",
        ),
        ("top('overview_kpis', None, by='id')", TypeError, "one column's name"),
        ("top('overview_kpis', 'rows', -1, by='id')", ValueError, "n: expected 0"),
        ("top('overview_kpis', 'rows', foo=1, by='id')", TypeError, "foo"),
        ("breakdown('overview_kpis')", TypeError, "needs the argument 'column'"),
    ],
)
def test_bad_arguments_are_named(db, call, error, match):
    with pytest.raises(error, match=match):
        eval(f"db.{call}")


def test_an_empty_table_has_no_rows_and_a_comparison_without_figures(db):
    assert len(db.series("overview_kpis", period="30d")) == 0
    assert len(db.series("overview_kpis")) == 0
    assert db.series("overview_kpis").columns[:3] == ("start", "end", "complete")
    rows = db.compare("overview_kpis", period="30d")
    assert [r.measure for r in rows] == list(db.series("overview_kpis").columns[3:])
    assert all(r.value is None and r.start is None and r.days is None for r in rows)
    assert len(db.breakdown("revenue_attribution", "revenue_amount")) == 0
    known = db.series("overview_kpis", "rows", period="7d", as_of="2030-01-01")
    assert known["rows"].to_list() == [0] * 7


def test_huge_ranges_work_or_say_why_not(db):
    ever = {"start": "0001-01-01", "end": "9999-12-31"}
    kpis(db, {D(2025, 1, 1): 3})
    years = db.series("overview_kpis", "ai_interactions", every="year", **ever)
    assert len(years) == 9999 and years[2024].ai_interactions == 3
    assert years[-1].end == D.max
    with db.transaction():
        for number in range(2):
            add_interaction(db, number, "2025-01-01")
    with pytest.raises(ValueError, match="would be more than 4000000 rows"):
        db.series("customer_interactions", "rows", by="interaction_id", **ever)


def test_a_future_day_is_as_good_as_any(db):
    kpis(db, {D(2025, 1, 1): 3})
    rows = db.series(
        "overview_kpis", "ai_interactions", period="7d", as_of="2999-01-01"
    )
    assert rows["ai_interactions"].to_list() == [None] * 7


def test_inside_a_transaction_its_own_rows_count(db):
    with db.transaction():
        kpis(db, {D(2025, 1, 1): 3, D(2025, 1, 2): 4})
        assert db.series("overview_kpis", "ai_interactions")[
            "ai_interactions"
        ].to_list() == [3, 4]
        (row,) = db.compare("overview_kpis", "ai_interactions", period="1d")
        assert (row.value, row.previous) == (4.0, 3.0)
    with db.snapshot():
        assert len(db.series("overview_kpis")) == 2


def test_a_table_object_names_its_table(db):
    kpis(db, {D(2025, 1, 1): 3})
    assert db.series(db.overview_kpis) == db.series("overview_kpis")


# ---- kept answers --------------------------------------------------------------------


def test_an_answer_is_kept_until_something_changes(path):
    calls = (
        lambda db: db.series("overview_kpis", period="7d", every="week"),
        lambda db: db.compare("overview_kpis", ["ai_interactions"], period="1d"),
        lambda db: db.top("overview_kpis", "ai_interactions", by="record_date"),
        lambda db: db.breakdown("overview_kpis", "ai_interactions", by="record_date"),
    )
    with SmartShopieDB(path) as db, SmartShopieDB(path) as other:
        kpis(db, {D(2025, 1, 1): 3, D(2025, 1, 2): 4})
        for call in calls:
            first = call(db)
            assert call(db) is first
            other.overview_kpis.update({"record_date": "2025-01-02"}, ai_interactions=9)
            second = call(db)
            assert second is not first and second != first
            with db.transaction():
                assert call(db) is not second
            other.overview_kpis.update({"record_date": "2025-01-02"}, ai_interactions=4)
            assert call(db) == first


def test_an_answer_of_a_file_without_a_log_is_kept_too(real_path):
    with SmartShopieDB(real_path, mode="ro", strict=False) as db:
        first = db.series("overview_kpis", every="month")
        assert db.series("overview_kpis", every="month") is first
