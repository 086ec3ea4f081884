"""add_many(): what single adds would do, in one transaction, or nothing at all."""

import collections
import contextlib
import datetime
import itertools
import os
import shutil
import signal
import sqlite3
import threading
import time
from pathlib import Path
from types import MappingProxyType

import layouts
import oracle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from schema_facts import TABLES

from smartshopie_db import (
    AddResult,
    ClosedError,
    ConversionFunnel,
    CustomerInteraction,
    IntegrityError,
    OperationalError,
    OverviewKPI,
    ReadOnlyError,
    SchemaError,
    SmartShopieDB,
)

pytestmark = pytest.mark.timeout(60)

DAY = datetime.date(2025, 10, 28)
START = datetime.datetime(2025, 1, 1)


def stage(order, **columns):
    return {
        "record_date": DAY,
        "stage_name": f"stage {order}",
        "stage_order": order,
        "count": 10 * order,
        **columns,
    }


def interaction(n):
    return {
        "interaction_id": f"INT{n:07d}",
        "interaction_date": START + datetime.timedelta(minutes=n),
        "interaction_type": "chat",
        "customer_name": "Zoë",
        "response_time_sec": n / 4,
    }


STAMPS = ("created_at", "updated_at")


def contents(db, table, without=STAMPS):
    """Every row of a table but for the moments of writing."""
    rows = [dict(row) for row in getattr(db, table).select()]
    return [{k: v for k, v in row.items() if k not in without} for row in rows]


# ---- the same as single adds ---------------------------------------------------------

COUNTS = st.one_of(st.none(), st.integers(-1, 9))
STAGES = st.fixed_dictionaries(
    {
        "record_date": st.sampled_from([DAY, DAY.isoformat(), "2025-10-29"]),
        "stage_name": st.sampled_from(["Browse", "Café", "x" * 40]),
        "stage_order": st.integers(1, 5),
        "count": st.integers(-1, 30),
    },
    optional={
        "percentage": st.sampled_from([None, 0, 12.5, 100, 101.0]),
        "dropoff_rate": st.floats(0, 100),
        "created_at": st.just("2025-10-28 05:42:44.5"),
        "id": st.one_of(st.none(), st.integers(1, 30)),
    },
)
ENDPOINTS = st.fixed_dictionaries(
    {"endpoint_name": st.sampled_from(["/chat", "/search", "/Chat"])},
    optional={
        "method": st.sampled_from(["GET", "POST"]),
        "error_rate": st.one_of(st.none(), st.floats(0, 100)),
        "request_count": COUNTS,
        "last_checked": st.datetimes(datetime.datetime(2000, 1, 1)),
    },
)
SHAPES = st.sampled_from([dict, MappingProxyType, "record"])


def one_by_one(db, table, rows, on_conflict):
    """The counts, or the number of the row that is refused."""
    done = []
    try:
        with db.transaction():
            for row in rows:
                before = getattr(db, table).count()
                getattr(db, table).add(on_conflict=on_conflict, **row)
                added = getattr(db, table).count() - before
                done.append("inserted" if added else on_conflict)
    except IntegrityError:
        return len(done)
    counts = collections.Counter(done)
    return AddResult((counts["inserted"], counts["update"], counts["ignore"]))


def all_at_once(db, table, rows, on_conflict):
    try:
        return getattr(db, table).add_many(rows, on_conflict=on_conflict)
    except IntegrityError as error:
        return error.row


def shaped(db, table, row, shape):
    return getattr(db, table).record(**row) if shape == "record" else shape(row)


@pytest.mark.parametrize("layout", ["current", "newer"])
@pytest.mark.parametrize(
    ("table", "rows"), [("conversion_funnel", STAGES), ("api_endpoints", ENDPOINTS)]
)
def test_it_does_what_single_adds_do(tmp_path_factory, blank_file, layout, table, rows):
    folder = tmp_path_factory.mktemp("model")
    empty = blank_file
    if layout != "current":
        empty = layouts.build(folder / "old.db", layout, rows=False)
        rows = rows.map(lambda row: {k: v for k, v in row.items() if k != "id"})

    @given(
        st.lists(st.tuples(rows, SHAPES), max_size=12),
        st.sampled_from(["update", "ignore", "error"]),
        st.integers(0, 3),
    )
    @settings(max_examples=60)
    def check(given_rows, on_conflict, already):
        plain = [row for row, _ in given_rows]
        seeds = plain[:already]
        with (
            SmartShopieDB(shutil.copy(empty, folder / "a.db")) as single,
            SmartShopieDB(shutil.copy(empty, folder / "b.db")) as bulk,
        ):
            for row in seeds:
                for db in (single, bulk):
                    with contextlib.suppress(IntegrityError):
                        getattr(db, table).add(**row)
            bad = [row for row in plain if is_refused(single, table, row)]
            if on_conflict == "ignore" and bad:
                return  # a single add does not look at a row that it ignores
            shapes = [shaped(bulk, table, row, shape) for row, shape in given_rows]
            wanted = one_by_one(single, table, plain, on_conflict)
            got = all_at_once(bulk, table, shapes, on_conflict)
            assert got == wanted
            assert contents(bulk, table) == contents(single, table)
        for name in ("a.db", "b.db"):
            (folder / name).unlink()

    check()


def is_refused(db, table, row):
    values = [row.get("count"), row.get("request_count"), row.get("percentage")]
    return any(v is not None and (v < 0 or v > 100) for v in values)


def test_every_table_takes_what_it_gave(demo, path):
    """Rows of each table into a new file: tuples, dicts, records, Rows."""
    with SmartShopieDB(path) as other:
        for name in ("billing_summary", *TABLES):  # parents first
            rows = getattr(demo, name).select()
            getattr(other, name).add_many(rows)
            assert contents(other, name) == contents(demo, name), name
        for name in TABLES:
            rows = getattr(demo, name).select()
            for data in (list(rows), iter(rows), [dict(r) for r in rows], rows[::-1]):
                result = getattr(other, name).add_many(data)
                assert result == (0, len(rows), 0), name
            assert contents(other, name) == contents(demo, name), name


def test_tuples_are_in_the_order_of_the_records_arguments(db):
    names = ConversionFunnel.__match_args__
    one, two = stage(1, percentage=5.0), stage(2, percentage=None)
    rows = [tuple(one.get(n) for n in names), [two.get(n) for n in names]]
    db.conversion_funnel.add_many([rows[0], rows[1][:6]])
    for row, wanted in zip(db.conversion_funnel.select(), (one, two), strict=True):
        assert {name: row[name] for name in wanted} == wanted
    with pytest.raises(TypeError, match=r"row 0: 40 values for \d+ columns"):
        db.conversion_funnel.add_many([(None,) * 40])


def test_columns_name_the_places_of_a_tuple(db):
    columns = ("stage_order", "record_date", "stage_name", "count")
    result = db.add_many(
        "conversion_funnel", ((n, DAY, "x", 4) for n in range(3)), columns=columns
    )
    assert result == (3, 0, 0)
    assert [row.stage_order for row in db.conversion_funnel.select()] == [0, 1, 2]
    for bad, error, message in [
        ([(1, DAY)], TypeError, "row 0: 2 values for 4 columns"),
        ([{"stage_order": 1}], TypeError, "row 0: expected a tuple, as columns= says"),
    ]:
        with pytest.raises(error, match=message):
            db.add_many("conversion_funnel", bad, columns=columns)
    with pytest.raises(TypeError, match="'stage_ordr'; did you mean 'stage_order'"):
        db.add_many("conversion_funnel", [], columns=["stage_ordr"])
    with pytest.raises(ValueError, match="stage_order was given twice"):
        db.add_many("conversion_funnel", [], columns=["stage_order"] * 2)
    with pytest.raises(TypeError, match="sequence of column names, got str"):
        db.add_many("conversion_funnel", [], columns="stage_order")


def test_named_tuples_and_sqlite_rows_are_read_by_name(db):
    Stage = collections.namedtuple("Stage", "stage_order stage_name record_date count")
    con = sqlite3.connect(":memory:")
    con.row_factory = sqlite3.Row
    query = "SELECT 'y' stage_name, 2 stage_order, '2025-10-28' record_date, 5 count"
    rows = [Stage(1, "x", DAY, 0), con.execute(query).fetchone()]
    assert db.conversion_funnel.add_many(rows) == (2, 0, 0)
    assert [r.stage_name for r in db.conversion_funnel.select()] == ["x", "y"]


def test_records_alone_say_their_table(db):
    records = [OverviewKPI(record_date=DAY, total_customers=n) for n in range(3)]
    assert db.add_many(records) == (1, 2, 0)
    assert db.get_overview_kpis().total_customers == 2
    assert db.add_many(r for r in records) == (0, 3, 0)
    assert db.add_many(db.overview_kpis.select()) == (0, 1, 0)
    assert db.add_many([]) == (0, 0, 0)
    funnel = ConversionFunnel(record_date=DAY, stage_name="x", stage_order=1, count=1)
    with pytest.raises(
        TypeError, match=r"row 3: expected a OverviewKPI, got a .*Funnel"
    ):
        db.add_many([*records, funnel])
    with pytest.raises(TypeError, match=r"needs the name of a table first.*got dict"):
        db.add_many([stage(1)])


def test_the_last_of_equal_keys_wins_and_no_id_is_used_up(db):
    rows = [stage(1, count=n) for n in range(5)] + [stage(2)]
    assert db.conversion_funnel.add_many(rows) == (2, 4, 0)
    assert [(r.id, r.count) for r in db.conversion_funnel.select()] == [(1, 4), (2, 20)]
    db.conversion_funnel.add_many([stage(1, count=7), stage(3)])
    assert [r.id for r in db.conversion_funnel.select()] == [1, 2, 3]
    db.conversion_funnel.delete(3)
    db.conversion_funnel.add_many([stage(4)])
    assert db.conversion_funnel.latest().id == 4, "AUTOINCREMENT never gives one twice"


def test_what_a_row_leaves_out_stays_and_none_is_null(db):
    db.conversion_funnel.add_many([stage(1, percentage=5), stage(2, percentage=6)])
    left_out, none = stage(1), stage(2, percentage=None)
    db.conversion_funnel.add_many([left_out, none, stage(3, dropoff_rate=1.5)])
    rows = contents(db, "conversion_funnel")
    assert [r["percentage"] for r in rows] == [5, None, None]
    assert [r["dropoff_rate"] for r in rows] == [None, None, 1.5]


def test_moments_of_writing_are_kept_as_add_keeps_them(db):
    old = datetime.datetime(2020, 1, 1)
    db.conversion_funnel.add_many([stage(1, created_at=old, updated_at=old), stage(2)])
    db.conversion_funnel.add_many([stage(1, count=3), stage(2, updated_at=old)])
    one, two = db.conversion_funnel.select()
    now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
    assert one.created_at == old and two.updated_at == old
    for written in (one.updated_at, two.created_at):
        assert abs((now - written).total_seconds()) < 60


def test_what_the_standard_library_reads_is_canonical(db, path):
    moment = datetime.datetime(2025, 3, 1, 4, 5, 6, 789)
    zone = datetime.timezone(datetime.timedelta(hours=5, minutes=30))
    moments = [moment, moment.replace(tzinfo=zone), "2025-03-01T04:05", DAY]
    rows = [interaction(n) | {"interaction_date": m} for n, m in enumerate(moments)]
    db.customer_interactions.add_many(rows)
    stored = oracle.run(
        path, "SELECT interaction_date FROM customer_interactions ORDER BY id"
    )
    assert [text for (text,) in stored] == [
        "2025-03-01 04:05:06.000789",
        "2025-02-28 22:35:06.000789",
        "2025-03-01 04:05:00",
        "2025-10-28 00:00:00",
    ]


# ---- refusals ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "error", "message"),
    [
        (
            stage(9, count="x"),
            TypeError,
            r"row 3: conversion_funnel.count: expected int",
        ),
        (stage(9, count=2**63), OverflowError, r"row 3: .*does not fit in 64 bits"),
        (stage(9, percentage=float("nan")), ValueError, r"row 3: .*percentage: NaN"),
        (
            stage(9, record_date="2025-02-30"),
            ValueError,
            "row 3: .*record_date: .* day",
        ),
        (stage(9, stage_name="\ud800"), ValueError, r"row 3: .*lone surrogate"),
        (stage(9, stage_name=None), TypeError, r"row 3: .*stage_name cannot be None"),
        (
            {"record_date": DAY},
            TypeError,
            "row 3: .*needs more columns: stage_name, stage_order, count",
        ),
        (
            stage(9, cuont=1),
            TypeError,
            "row 3: .*no column 'cuont'; did you mean 'count'",
        ),
        (stage(9) | {1: 1}, TypeError, r"row 3: expected column names as str, got int"),
        (7, TypeError, r"row 3: expected a dict, tuple or record, got int"),
        ("text", TypeError, r"row 3: expected a dict, tuple or record, got str"),
        (stage(9, count=-1), IntegrityError, r"row 3: .*CHECK.*\(count = -1\)"),
    ],
)
def test_a_bad_row_is_named_and_nothing_is_written(db, row, error, message):
    db.conversion_funnel.add(**stage(1))
    before = contents(db, "conversion_funnel")
    rows = [stage(1, count=5), stage(2), stage(3), row, stage(4)]
    with pytest.raises(error, match=message):
        db.conversion_funnel.add_many(rows)
    assert contents(db, "conversion_funnel") == before
    db.conversion_funnel.add_many([stage(2)])


def test_an_error_knows_row_column_and_value(db):
    rows = [interaction(n) for n in range(70_000)]
    rows[66_000]["satisfaction_score"] = 9
    with pytest.raises(IntegrityError) as caught:
        db.customer_interactions.add_many(rows)
    error = caught.value
    assert (error.row, error.column, error.value) == (66_000, "satisfaction_score", "9")
    assert (error.table, error.sqlite_errorname) == (
        "customer_interactions",
        "SQLITE_CONSTRAINT_CHECK",
    )
    assert db.customer_interactions.count() == 0


def test_a_key_that_is_there_is_named(db):
    db.conversion_funnel.add(**stage(3))
    for rows in ([stage(1), stage(2), stage(3)], [stage(1), stage(2), stage(2)]):
        with pytest.raises(
            IntegrityError, match="row 2: conversion_funnel already has a"
        ):
            db.conversion_funnel.add_many(rows, on_conflict="error")
    assert db.conversion_funnel.count() == 1


def test_an_id_that_another_row_has_is_refused(db):
    db.conversion_funnel.add(**stage(1))
    with pytest.raises(
        IntegrityError, match=r"row 1: .*conversion_funnel.id \(id = 1\)"
    ):
        db.conversion_funnel.add_many([stage(2, id=7), stage(3, id=1)])
    assert db.conversion_funnel.add_many([stage(2, id=7), stage(3, id=None)]) == (
        2,
        0,
        0,
    )
    assert [row.id for row in db.conversion_funnel.select()] == [1, 7, 8]


def test_a_missing_parent_is_named(db):
    payment = {"payment_date": DAY, "description": "x", "amount": 1.0}
    rows = [payment | {"description": str(n), "billing_id": None} for n in range(5)]
    rows[3]["billing_id"] = 77
    with pytest.raises(
        IntegrityError, match=r"row 3: .*FOREIGN KEY.*\(billing_id = 77\)"
    ):
        db.billing_payments.add_many(rows)
    assert db.billing_payments.count() == 0


def test_a_missing_parent_is_named_far_into_a_statement(db):
    """One statement moves all rows that give the same columns, of many chunks."""

    def rows():
        for n in range(140_000):
            row = {"payment_date": DAY, "description": f"{n:>6}", "amount": 1.0}
            yield row if n == 5 else row | {"billing_id": 77 if n == 70_000 else None}

    with pytest.raises(IntegrityError, match=r"row 70000: .*\(billing_id = 77\)"):
        db.billing_payments.add_many(rows())
    assert db.billing_payments.count() == 0


def test_a_secret_is_not_shown(db):
    for bad in (5, b"sk-verysecret", ["sk-verysecret"]):
        with pytest.raises(TypeError) as caught:
            db.api_configurations.add_many([{"api_type": "x", "api_key": bad}])
        assert "verysecret" not in str(caught.value) and "5" not in str(caught.value)


@pytest.mark.parametrize(
    ("args", "error", "message"),
    [
        (("conversion_funnl", []), ValueError, "did you mean 'conversion_funnel'"),
        (("conversion_funnel",), TypeError, "needs the argument 'data'"),
        (
            (["x"], []),
            TypeError,
            "table: expected the name of a table as str, got list",
        ),
        ((5,), TypeError, r"expected rows .*got int"),
        (("conversion_funnel", "rows"), TypeError, r"expected rows .*got str"),
        (("conversion_funnel", stage(1)), TypeError, r"got dict; add.. takes one row"),
        (("conversion_funnel", None), TypeError, r"expected rows .*got NoneType"),
    ],
)
def test_wrong_arguments(db, args, error, message):
    with pytest.raises(error, match=message):
        db.add_many(*args)


def test_wrong_options(db):
    for options, error in [
        ({"on_conflict": "replace"}, ValueError),
        ({"commit_every": 0}, ValueError),
        ({"commit_every": 1.5}, TypeError),
        ({"progress": 5}, TypeError),
        ({"timeout": "x"}, TypeError),
        ({"tiemout": 1}, TypeError),
    ]:
        with pytest.raises(error, match=next(iter(options)).replace("ie", "ie?")[:3]):
            db.conversion_funnel.add_many([stage(1)], **options)
    assert db.conversion_funnel.count() == 0


def test_no_rows(db):
    for data in ([], (), iter(()), {}.values(), db.conversion_funnel.select()):
        assert db.conversion_funnel.add_many(data) == AddResult((0, 0, 0))


def test_files_that_cannot_be_written(path, tmp_path):
    with SmartShopieDB(path, mode="ro") as db, pytest.raises(ReadOnlyError):
        db.conversion_funnel.add_many([stage(1)])
    db = SmartShopieDB(path)
    db.close()
    with pytest.raises(ClosedError):
        db.conversion_funnel.add_many([stage(1)])
    oracle.run(tmp_path / "view.db", "CREATE TABLE other (x)")
    with (
        SmartShopieDB(tmp_path / "view.db") as db,
        pytest.raises(SchemaError, match="this file has no table"),
    ):
        db.conversion_funnel.add_many([stage(1)])


# ---- sources -------------------------------------------------------------------------


def test_a_source_that_raises_leaves_nothing(db):
    def rows():
        yield stage(1)
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        db.conversion_funnel.add_many(rows())
    assert db.conversion_funnel.count() == 0


def test_a_source_may_use_the_same_database(db):
    db.conversion_funnel.add_many([stage(n) for n in range(5)])

    def rows():
        for row in db.conversion_funnel.select():
            db.overview_kpis.add(record_date=DAY, total_customers=row.stage_order)
            assert db.conversion_funnel.count() == 5
            yield stage(row.stage_order + 100)

    assert db.conversion_funnel.add_many(rows()) == (5, 0, 0)
    assert db.get_overview_kpis().total_customers == 4


def test_commit_every_commits_as_it_goes(db, path):
    seen = []

    def rows():
        for n in range(25):
            if n % 10 == 0:
                query = "SELECT count(*) FROM conversion_funnel"
                seen.append(oracle.run(path, query)[0][0])
            yield stage(n) if n < 23 else 5

    with pytest.raises(TypeError, match="row 23: "):
        db.conversion_funnel.add_many(rows(), commit_every=10)
    assert seen == [0, 10, 20]
    assert db.conversion_funnel.count() == 20
    again = [stage(n) for n in range(30)]
    assert db.conversion_funnel.add_many(again, commit_every=10) == (10, 20, 0)
    assert db.conversion_funnel.add_many(again, commit_every=7) == (0, 30, 0)


def test_values_may_run_code_that_changes_their_row(db):
    class Number:
        def __index__(self):
            row.clear()
            row.extend([None] * 100)
            return 1

    row = [DAY, "x", Number(), 5]
    db.conversion_funnel.add_many([row], columns=list(stage(1)))
    assert db.conversion_funnel.get(1).count == 5
    changing = stage(2)

    class Other:
        def __index__(self):
            changing.clear()
            return 1

    changing["stage_order"] = Other()
    with pytest.raises(RuntimeError, match="row 0: the dict changed"):
        db.conversion_funnel.add_many([changing])
    assert db.conversion_funnel.count() == 1


def test_progress_is_told_and_can_stop_it(db):
    told = []
    rows = [stage(n) for n in range(50)]
    db.conversion_funnel.add_many(rows, progress=lambda *args: told.append(args))
    assert told[0] == (0, 50) and told[-1] == (50, 50)
    told.clear()
    db.conversion_funnel.add_many(
        iter(rows), commit_every=20, progress=lambda *args: told.append(args)
    )
    assert told == [(0, None), (20, None), (40, None), (50, None)]

    def slow():
        for row in rows[:6]:
            time.sleep(0.06)
            yield row | {"count": 1}

    def stop(done, total):
        if done > 2:
            raise StopAsyncIteration(done)

    with pytest.raises(StopAsyncIteration):
        db.conversion_funnel.add_many(slow(), progress=stop)
    assert db.conversion_funnel.count(count=1) == 0


# ---- Arrow ---------------------------------------------------------------------------


def stages(n, **columns):
    import pyarrow

    rows = [stage(order) for order in range(n)]
    table = pyarrow.Table.from_pylist(rows)
    for name, values in columns.items():
        table = table.append_column(name, [values])
    return table


def arrow_forms():
    import duckdb
    import polars
    import pyarrow

    table = stages(9)
    reader = pyarrow.RecordBatchReader.from_batches(
        table.schema, table.to_batches(max_chunksize=2)
    )
    return {
        "pyarrow": table,
        "batches": reader,
        "polars": polars.from_arrow(table),
        "pandas": table.to_pandas(),
        "duckdb": duckdb.from_arrow(table),
        "backwards": table.select(table.column_names[::-1]),
    }


def test_arrow_data_of_any_library(db):
    pytest.importorskip("pyarrow")
    wanted = [stage(n) for n in range(9)]
    for name, data in arrow_forms().items():
        result = db.conversion_funnel.add_many(data)
        assert sum(result) == 9 and result.ignored == 0, name
        names = list(stage(1))
        read = [{n: row[n] for n in names} for row in db.conversion_funnel.select()]
        assert read == wanted, name
        db.conversion_funnel.delete(all=True)


def test_results_of_queries_and_other_rows(db):
    db.conversion_funnel.add_many([stage(n) for n in range(5)])
    query = (
        "SELECT record_date, stage_name, stage_order + 3 AS stage_order, 7 AS count"
        " FROM conversion_funnel"
    )
    assert db.conversion_funnel.add_many(db.query(query)) == (3, 2, 0)
    some = db.conversion_funnel.select(columns=list(stage(1)))
    assert db.conversion_funnel.add_many(some, on_conflict="ignore") == (0, 0, 8)
    db.overview_kpis.add(record_date=DAY)
    with pytest.raises(TypeError, match=r"row 0: expected a ConversionFunnel, got a"):
        db.conversion_funnel.add_many(db.overview_kpis.select())


def test_arrow_data_that_does_not_fit(db):
    pytest.importorskip("pyarrow")
    table = stages(5)
    wrong = table.rename_columns(["record_date", "stage_nam", "stage_order", "x"])
    message = "no column 'stage_nam' .*no column 'x'; missing: stage_name, count"
    for data, error, text in [
        (wrong, TypeError, message),
        (stages(5, percentage=[1, 2, 300, 4, 5]), IntegrityError, "row 2: .*= 300"),
        (stages(3, dropoff_rate=["x"] * 3), TypeError, "dropoff_rate"),
        (
            stages(3).set_column(1, "stage_name", [["x", None, "y"]]),
            TypeError,
            "row 1:",
        ),
    ]:
        with pytest.raises(error, match=text):
            db.conversion_funnel.add_many(data)
        assert db.conversion_funnel.count() == 0
    with pytest.raises(TypeError, match=r"needs the name of a table first.*Table"):
        db.add_many(table)
    with pytest.raises(TypeError, match="columns: Arrow data has names of its own"):
        db.conversion_funnel.add_many(table, columns=["count"])

    class Liar:
        def __arrow_c_stream__(self, requested_schema=None):
            return 5

    with pytest.raises(TypeError, match="gave no Arrow stream"):
        db.conversion_funnel.add_many(Liar())


def test_an_arrow_stream_that_fails_or_uses_the_database(db):
    pyarrow = pytest.importorskip("pyarrow")
    table = stages(6)

    def reader(fail):
        def batches():
            for batch in table.to_batches(max_chunksize=2):
                yield batch
                seen.append(db.conversion_funnel.count())
            if fail:
                raise KeyError("mine")

        return pyarrow.RecordBatchReader.from_batches(table.schema, batches())

    seen = []
    with pytest.raises(OperationalError, match=r"stream failed: .*mine"):
        db.conversion_funnel.add_many(reader(fail=True))
    assert seen == [0, 0, 0] and db.conversion_funnel.count() == 0
    seen.clear()
    assert db.conversion_funnel.add_many(reader(fail=False), commit_every=4) == (
        6,
        0,
        0,
    )
    assert seen == [0, 4, 4] and db.conversion_funnel.count() == 6


def test_big_arrow_data_goes_through_a_file(db):
    pyarrow = pytest.importorskip("pyarrow")
    rows = [interaction(n) for n in range(60_000)]
    table = pyarrow.Table.from_pylist(rows).append_column(
        "activity_description", [["x" * 800] * 60_000]
    )
    table = table.select(table.column_names[::-1])
    told = []
    result = db.customer_interactions.add_many(
        table, progress=lambda *args: told.append(args)
    )
    assert result == (60_000, 0, 0) and told[-1] == (60_000, 60_000)
    read = db.customer_interactions.select(columns=table.column_names)
    assert dict(read[59_999]) == rows[59_999] | {"activity_description": "x" * 800}
    assert [row["interaction_id"] for row in read] == [
        r["interaction_id"] for r in rows
    ]


# ---- transactions, stopping, threads -------------------------------------------------


def test_in_a_transaction_it_is_a_part_of_it(db):
    with pytest.raises(ZeroDivisionError), db.transaction():
        db.conversion_funnel.add_many([stage(1)])
        assert db.conversion_funnel.count() == 1
        1 / 0  # noqa: B018
    assert db.conversion_funnel.count() == 0
    with db.transaction():
        db.conversion_funnel.add_many([stage(1)])
        with pytest.raises(IntegrityError):
            db.conversion_funnel.add_many([stage(2), stage(3, count=-1)])
        db.conversion_funnel.add_many([stage(4)])
    assert [r.stage_order for r in db.conversion_funnel.select()] == [1, 4]


def big(n_rows, text):
    for n in range(n_rows):
        yield interaction(n) | {"activity_description": text}


def test_input_beyond_memory_goes_through_a_file(db, path):
    """50 MB of text: half stays in memory, the rest is read back in the same order."""
    text = "é" * 400
    columns = ["interaction_id", "interaction_date", "interaction_type"]

    def rows():
        for n, row in enumerate(big(60_000, text)):
            if n % 20_000 == 7:
                row["satisfaction_score"] = 3
            yield row

    assert db.customer_interactions.add_many(rows()) == (60_000, 0, 0)
    read = db.customer_interactions.select(columns=["id", *columns])
    for n in (0, 31_000, 59_999):
        assert dict(read[n]) == {"id": n + 1, **{k: interaction(n)[k] for k in columns}}
    scores = db.customer_interactions.select(satisfaction_score=3)
    assert [row.id for row in scores] == [8, 20_008, 40_008]
    assert db.customer_interactions.count(activity_description=text) == 60_000
    with pytest.raises(IntegrityError, match="row 59999: "):
        db.add_many(
            "customer_interactions",
            (r | {"message_count": -(n // 59_999)} for n, r in enumerate(rows())),
        )


def stop_soon(db, how):
    """Stop the load that this thread runs, a moment from now."""
    timer = threading.Timer(0.05, how)
    timer.start()
    return timer


@pytest.mark.parametrize("when", ["gathering", "moving"])
def test_cancel_leaves_nothing(db, when):
    def endless():
        n = 0
        while True:
            yield interaction(n)
            n += 1

    rows = [interaction(n) for n in range(150_000)]
    source = endless() if when == "gathering" else rows
    done = threading.Event()

    def cancel():
        while not done.is_set():
            db.cancel()
            time.sleep(0.01)

    thread = threading.Thread(target=cancel)
    timer = threading.Timer(0.05, thread.start)
    timer.start()
    try:
        with pytest.raises(OperationalError, match="cancel"):
            db.customer_interactions.add_many(source)
    finally:
        timer.join()
        done.set()
        thread.join()
    assert db.customer_interactions.count() == 0
    assert db.customer_interactions.add_many(rows[:10]) == (10, 0, 0)


@pytest.mark.parametrize("when", ["gathering", "moving"])
def test_ctrl_c_leaves_nothing(db, when):
    rows = [interaction(n) for n in range(150_000)]
    source = itertools.cycle(rows) if when == "gathering" else rows
    taken = threading.Event()

    def progress(done, total):
        if done > 0 and total in (None, done):
            taken.set()

    def interrupt():
        assert taken.wait(20)
        time.sleep(0.1)
        signal.raise_signal(signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        db.customer_interactions.add_many(source, progress=progress)
    thread.join()
    assert db.customer_interactions.count() == 0
    assert db.customer_interactions.add_many(rows[:10]) == (10, 0, 0)


def test_other_threads_run_while_rows_are_taken(db):
    """A list of plain values runs no Python code, and yet holds the GIL no longer."""
    rows = [stage(1) for _ in range(300_000)]
    ticks, done = [], threading.Event()

    def tick():
        while not done.is_set():
            ticks.append(time.monotonic())
            time.sleep(0.001)

    def stop(taken, total):
        if taken == total:
            raise LookupError

    thread = threading.Thread(target=tick)
    thread.start()
    start = time.monotonic()
    with pytest.raises(LookupError):
        db.conversion_funnel.add_many(rows, progress=stop)
    end = time.monotonic()
    done.set()
    thread.join()
    between = [tick for tick in ticks if start < tick < end]
    assert len(between) >= (end - start) / 0.05


def test_a_time_limit_holds_for_all_of_it(db):
    def slow():
        for n in range(1000):
            time.sleep(0.01)
            yield interaction(n)

    start = time.monotonic()
    with pytest.raises(OperationalError, match="time limit"):
        db.customer_interactions.add_many(slow(), timeout=0.1, commit_every=1)
    assert time.monotonic() - start < 1
    with pytest.raises(OperationalError, match="time limit"):
        db.customer_interactions.add_many(
            [interaction(n) for n in range(100_000)], timeout=0.05
        )
    assert db.customer_interactions.count() < 100


def test_threads_load_beside_readers(db):
    def load(worker):
        for n in range(5):
            start = worker * 10_000 + n * 1000
            rows = [interaction(start + i) for i in range(1000)]
            assert db.customer_interactions.add_many(rows) == (1000, 0, 0)

    workers = [threading.Thread(target=load, args=(w,)) for w in range(4)]
    for worker in workers:
        worker.start()
    while any(worker.is_alive() for worker in workers):
        assert db.customer_interactions.count() % 1000 == 0
        time.sleep(0.002)
    assert db.customer_interactions.count() == 20_000


def test_a_child_process_does_not_go_on_with_the_load(db, path):
    read, write = os.pipe()

    def rows():
        yield interaction(1)
        pid = os.fork()
        if pid:
            os.waitpid(pid, 0)
        yield interaction(2 if pid else 3)
        if pid == 0:
            child.append(True)

    child = []
    try:
        result = db.customer_interactions.add_many(rows())
    except OperationalError as error:
        os.write(write, type(error).__name__.encode())
        os._exit(0)
    if child:
        os._exit(1)
    assert result == (2, 0, 0)
    assert os.read(read, 100) == b"ForkError"
    assert [r.interaction_id[-1] for r in db.customer_interactions.select()] == [
        "1",
        "2",
    ]


# ---- other files ---------------------------------------------------------------------


def test_older_files_take_rows_one_by_one(old_path):
    table = TABLES["conversion_funnel"]
    with SmartShopieDB(old_path) as db:
        before = oracle.rows_of(old_path, table)
        rows = [
            {
                "record_date": DAY,
                "stage_name": f"s{n}",
                "stage_order": 50 + n,
                "count": 1,
            }
            for n in range(20)
        ]
        try:
            db.conversion_funnel.add(**rows[0])
        except SchemaError:
            with pytest.raises(SchemaError):
                db.conversion_funnel.add_many(rows)
            return
        result = db.conversion_funnel.add_many([*rows, *rows])
        assert result == (19, 21, 0)
        assert len(oracle.rows_of(old_path, table)) == len(before) + 20
        wrong = [*rows, rows[0] | {"stage_order": None}]
        with pytest.raises(TypeError, match="row 20: "):
            db.conversion_funnel.add_many(wrong)
    assert oracle.healthy(old_path)


def test_memory_databases():
    with SmartShopieDB(":memory:") as db:
        db.initialize_database()
        assert db.conversion_funnel.add_many([stage(n) for n in range(9)]) == (9, 0, 0)
        records = db.conversion_funnel.select()
        assert db.add_many(records, on_conflict="ignore") == (0, 0, 9)


def test_glob_is_what_it_is_in_sqlite(db, path):
    """Our connections that write have a faster glob() of their own."""
    patterns = ["*", "a?c", "[0-9]*", "[^a]b", "x[", "", "*é*", "[0-9][0-9]", "\\*"]
    day = "[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]"
    clock = " [0-2][0-9]:[0-5][0-9]:[0-5][0-9]"
    patterns += [day, day + clock, day + clock + "." + 6 * "[0-9]"]
    texts = ["", "abc", "a", "1x", "bb", "x[", "caféé", "42", "*", None, 7, 2.5, b"a"]
    texts += ["2025-10-28", "2025-20-28", "2025-10-28 05:42:44", "2025-10-28 05:42:4"]
    texts += ["2025-10-28 05:42:44.398531", "2025-10-28 35:42:44", "2025/10/28"]
    plain = sqlite3.connect(":memory:")
    with db.transaction():
        for pattern in [*patterns, None]:
            for text in texts:
                sql = "SELECT ? GLOB ? AS answer"
                wanted = plain.execute(sql, (text, pattern)).fetchone()[0]
                assert db.query(sql, (text, pattern))[0].answer == wanted, (
                    text,
                    pattern,
                )


def test_the_table_of_rows_is_nobody_elses(db):
    for sql in ("SELECT * FROM ss_rows", "SELECT * FROM ss_rows(1)"):
        with db.transaction():
            try:
                assert len(db.query(sql)) == 0
            except Exception as error:
                assert "ss_rows" in str(error) or "no query solution" in str(error)


def test_the_result_is_a_named_tuple(db):
    result = db.add_many(
        "customer_interactions",
        [CustomerInteraction(**interaction(1)), interaction(2), interaction(2)],
    )
    inserted, updated, ignored = result
    assert (inserted, updated, ignored) == (2, 1, 0) == result
    assert result.inserted == 2 and result.updated == 1 and result.ignored == 0
    assert Path(db.db_path).exists()


def test_a_row_given_again_stays_as_it_is(db):
    """All of it: also when it was last changed, by add_many(), add() and update()."""
    old = "2020-01-02 03:04:05"
    row = {"record_date": "2025-01-01", "total_customers": 5, "conversion_rate": None}
    db.add_overview_kpis(**row, updated_at=old)
    before = db.get_overview_kpis()
    assert db.add_many("overview_kpis", [row]) == (0, 1, 0)
    db.add_overview_kpis(**row)
    assert db.overview_kpis.update(before.id, total_customers=5) == 1
    assert db.get_overview_kpis() == before
    for change in ({"conversion_rate": 1.0}, {"total_customers": None}):
        db.add_many("overview_kpis", [row | change])
        assert db.get_overview_kpis().updated_at > before.updated_at
        db.add_overview_kpis(**row, updated_at=old)
        db.add_overview_kpis(**row | change)
        assert db.get_overview_kpis().updated_at > before.updated_at
        db.add_overview_kpis(**row, updated_at=old)
