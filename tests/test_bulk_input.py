"""add_many(): what it takes, from where, and what it refuses, naming the row."""

import time

import oracle
import pytest
from bulk import DAY, contents, interaction, stage

from smartshopie_db import (
    AddResult,
    ClosedError,
    IntegrityError,
    OperationalError,
    ReadOnlyError,
    SchemaError,
    SmartShopieDB,
)

pytestmark = pytest.mark.timeout(60)

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
        (
            stage(9, count=-1),
            IntegrityError,
            r"row 3: .*CHECK.*\(count = -1; expected >= 0\)",
        ),
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


def test_a_tuple_in_another_order_than_the_records_is_told_of_columns(db):
    with pytest.raises(TypeError, match=r"begins with total_.*give columns="):
        db.add_many("overview_kpis", [(DAY, 3)])


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


@pytest.mark.parametrize("raised", [RuntimeError, KeyboardInterrupt])
def test_a_length_that_cannot_be_said(db, raised):
    """Of a stream it is for the progress alone; but Ctrl-C is heard."""
    pyarrow = pytest.importorskip("pyarrow")
    table = pyarrow.Table.from_pylist([stage(1)])

    class Lazy:
        def __len__(self):
            raise raised

        def __arrow_c_stream__(self, requested_schema=None):
            return table.__arrow_c_stream__(requested_schema)

    if raised is KeyboardInterrupt:
        with pytest.raises(KeyboardInterrupt):
            db.conversion_funnel.add_many(Lazy())
        assert db.conversion_funnel.count() == 0
    else:
        assert db.conversion_funnel.add_many(Lazy()) == (1, 0, 0)
