"""What series(), compare(), top() and breakdown() have in common: real databases, bad
input, and answers that are kept."""

import pytest
from figures import D, add_interaction, exact, kpis, same
from schema_facts import TABLES

from smartshopie_db import SmartShopieDB

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
