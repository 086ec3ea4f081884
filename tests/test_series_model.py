"""db.series() against a model in plain Python, and polars on the same rows."""

import datetime
import math
from fractions import Fraction

import polars as pl
import soak
from figures import DAY, D, add, exact, same
from hypothesis import given, settings
from hypothesis import strategies as st
from schema_facts import TABLES

from smartshopie_db import SmartShopieDB

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
