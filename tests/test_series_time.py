"""db.series(): windows, the day an instant belongs to, and time zones."""

import datetime
import zoneinfo
from collections import defaultdict

import soak
from figures import D, add, add_interaction
from hypothesis import example, given, settings
from hypothesis import strategies as st
from oracle import period_start
from schema_facts import TABLES

from smartshopie_db import SmartShopieDB

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


@settings(max_examples=soak.times(60, 1000))
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


def test_an_instant_beyond_the_calendar_of_a_zone(db):
    """As old systems write "for ever": the day after the last has no date."""
    for number, when in enumerate(["0001-01-01 02:00:00", "2025-01-01 20:00:00",
                                   "9999-12-31 20:00:00"]):  # fmt: skip
        add_interaction(db, number, when)
    for zone in ("Asia/Tokyo", "America/New_York"):
        rows = db.series(
            "customer_interactions", "rows", start="2025-01-01", end="2025-01-02",
            every="window", zone=zone,
        )  # fmt: skip
        assert rows["rows"].to_list() == [1]
        (newest,) = db.series(
            "customer_interactions", "rows", period="1d", every="window", zone=zone
        )
        assert (newest.end, newest.rows) == (D(9999, 12, 31), zone[0:2] == "Am")
