"""add_many() from Arrow data: what each type of each producer becomes."""

import datetime
from decimal import Decimal

import pytest

pa = pytest.importorskip("pyarrow")
pytest.importorskip("pyarrow.compute")

DAY = datetime.date(2025, 1, 1)
NOON = datetime.datetime(2025, 1, 1, 12, 0, 0, 123456)


def stored(db, column, array, table="overview_kpis"):
    """What two cells become: a column of a table of days."""
    days = [DAY, DAY + datetime.timedelta(days=1)]
    data = pa.table({"record_date": pa.array(days), column: array})
    db.add_many(table, data)
    return [row[column] for row in getattr(db, table).select(order_by="record_date")]


INTEGERS = [pa.int8(), pa.int16(), pa.int32(), pa.int64()]
INTEGERS += [pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()]
FLOATS = [pa.float16(), pa.float32(), pa.float64()]
DECIMALS = [pa.decimal32(9, 2), pa.decimal64(18, 2)]
DECIMALS += [pa.decimal128(38, 2), pa.decimal256(76, 2)]
TEXTS = [pa.string(), pa.large_string(), pa.string_view()]
TEXTS += [pa.dictionary(pa.int8(), pa.string())]


@pytest.mark.parametrize("kind", [*INTEGERS, *FLOATS, *DECIMALS, pa.bool_()], ids=str)
def test_whole_numbers(db, kind):
    one = Decimal(1) if kind in DECIMALS else 1.0 if kind in FLOATS else 1
    array = pa.array([True if kind == pa.bool_() else one, None], kind)
    for column, wanted in (("total_customers", int), ("revenue_impact", float)):
        first, second = stored(db, column, array)
        assert (first, type(first), second) == (1, wanted, None)


@pytest.mark.parametrize("kind", [*FLOATS, *DECIMALS], ids=str)
def test_fractions(db, kind):
    half = Decimal("-2.5") if kind in DECIMALS else -2.5
    array = pa.array([half, None], kind)
    assert stored(db, "revenue_impact", array) == [-2.5, None]
    with pytest.raises(TypeError, match=r"row 0: total_customers: expected a whole"):
        stored(db, "total_customers", array)


@pytest.mark.parametrize("kind", TEXTS, ids=str)
def test_texts(db, kind):
    words = ["short", "é, and more than twelve bytes", ""]
    data = pa.table(
        {
            "interaction_id": pa.array(["a", "b", "c"]),
            "interaction_date": pa.array([NOON] * 3),
            "interaction_type": pa.array(words, pa.string()).cast(kind),
        }
    )
    db.add_many("customer_interactions", data)
    rows = db.customer_interactions.select()
    assert [row.interaction_type for row in rows] == words


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Kolkata"])
def test_instants(db, unit, zone):
    lost = {"s": 123456, "ms": 456, "us": 0, "ns": 0}[unit]
    instant = NOON - datetime.timedelta(microseconds=lost)
    kind = pa.timestamp(unit, zone)
    data = pa.table(
        {
            "interaction_id": pa.array(["a"]),
            "interaction_date": pa.array(
                [instant], kind
            ),  # naive: UTC, for pyarrow too
            "interaction_type": pa.array(["x"]),
        }
    )
    db.add_many("customer_interactions", data)
    (row,) = db.customer_interactions.select()
    assert row.interaction_date == instant


@pytest.mark.parametrize(
    "array",
    [
        pa.array([DAY], pa.date32()),
        pa.array([DAY], pa.date64()),
        pa.array([NOON], pa.timestamp("ns")),
        pa.array(["2025-01-01"]),
        pa.array(["2025-01-01T12:00:00"]).dictionary_encode(),
    ],
    ids=lambda array: str(array.type),
)
def test_days(db, array):
    db.add_many("overview_kpis", pa.table({"record_date": array}))
    (row,) = db.overview_kpis.select()
    assert row.record_date == DAY


def test_runs_and_nothing(db):
    runs = pa.compute.run_end_encode(pa.array([4, 4]))
    assert stored(db, "total_customers", runs) == [4, 4]
    assert stored(db, "total_customers", pa.nulls(2)) == [None, None]


def test_a_column_of_nothing_of_polars(db):
    """It has a bitmap, which an array of that type should not."""
    import polars as pl

    data = pl.DataFrame({"record_date": [DAY], "total_customers": [None]})
    assert db.add_many("overview_kpis", data).inserted == 1
    assert db.get_overview_kpis().total_customers is None


@pytest.mark.parametrize(
    ("array", "error", "why"),
    [
        (pa.array([1.0, float("nan")]), ValueError, "row 1: .* not a value"),
        (pa.array([1.0, float("inf")]), ValueError, "row 1: .* finite number, got inf"),
        (pa.array([1, 2**63], pa.uint64()), OverflowError, "row 1: .* 64 bits"),
        (pa.array([1.0, 1e30]), OverflowError, "row 1: .* does not fit in 64 bits"),
        (pa.array(["1", "2"]), TypeError, "'total_customers' is string"),
        (pa.array([[1], [2]]), TypeError, "'total_customers' is list"),
    ],
)
def test_what_is_refused(db, array, error, why):
    with pytest.raises(error, match=why):
        stored(db, "total_customers", array)
    assert db.overview_kpis.count() == 0


def test_all_mismatches_at_once(db):
    data = pa.table(
        {"total_custmers": [1], "conversion_rate": ["x"], "ai_interactions": [1]}
    )
    with pytest.raises(TypeError) as caught:
        db.add_many("overview_kpis", data)
    for part in (
        "did you mean 'total_customers'?",
        "'conversion_rate' is string, which cannot become REAL",
        "missing: record_date",
    ):
        assert part in str(caught.value)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_frame_without_columns(db, library):
    empty = pytest.importorskip(library).DataFrame([])
    with pytest.raises(TypeError, match="missing: record_date"):
        db.add_many("overview_kpis", empty)


def frames():
    import duckdb
    import nanoarrow
    import pandas as pd
    import polars as pl

    cells = {
        "interaction_id": ["a", "b"],
        "interaction_date": [NOON, NOON],
        "interaction_type": ["chat", "view"],
        "satisfaction_score": [5, None],
        "response_time_sec": [1.5, None],
        "customer_name": ["Zoë", None],
    }
    table = pa.table(cells)
    category = pl.DataFrame(cells).with_columns(
        pl.col("interaction_type").cast(pl.Categorical)
    )
    nullable = pd.DataFrame(cells).convert_dtypes()
    return {
        "pyarrow": table,
        "nanoarrow": nanoarrow.c_array_stream(table),
        "polars": pl.DataFrame(cells),
        "polars categories": category,
        "pandas": pd.DataFrame(cells),
        "pandas nullable": nullable,
        "pandas categories": nullable.astype({"interaction_type": "category"}),
        "duckdb": duckdb.from_arrow(table),
        "a slice": pa.concat_tables([table, table]).slice(2),
    }


def test_every_producer_gives_the_same_rows(db):
    wanted = None
    names = frames()["pyarrow"].column_names
    for kind, data in frames().items():
        db.customer_interactions.delete(all=True)
        db.add_many("customer_interactions", data)
        got = [
            tuple(r[name] for name in names)
            for r in db.customer_interactions.select(order_by="interaction_id")
        ]
        wanted = wanted or [
            ("a", NOON, "chat", 5, 1.5, "Zoë"),
            ("b", NOON, "view", None, None, None),
        ]
        assert got == wanted, kind
