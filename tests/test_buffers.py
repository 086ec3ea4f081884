"""A column as plain memory: memoryview and numpy, without a copy and without a lie."""

import datetime
import hashlib
import io
import math
import sqlite3
import subprocess
import sys

import numpy
import pytest
import scripts

from smartshopie_db import SmartShopieDB

N = 20
DAY = datetime.date(2025, 3, 1)
EPOCH = datetime.date(1970, 1, 1)
FORMATS = {
    "id": ("q", 8, "int64"),
    "conversion_rate": ("d", 8, "float64"),
    "record_date": ("i", 4, "datetime64[D]"),
    "created_at": ("q", 8, "datetime64[us]"),
}
PARTS = [slice(None), slice(3, 11), slice(None, None, -1), slice(1, None, 3)]
PARTS += [slice(15, 2, -4), slice(5, 6), slice(5, 5), slice(19, None), slice(0, 9, 8)]


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """total_customers has NULLs in its first five rows, total_customers_change too."""
    with SmartShopieDB(tmp_path_factory.mktemp("buffers") / "shop.db") as db:
        with db.transaction():
            for n in range(N):
                db.add_overview_kpis(
                    record_date=DAY + datetime.timedelta(days=n),
                    conversion_rate=n / 4,
                    total_customers=None if n < 5 else n,
                    total_customers_change=None if n < 5 else -n / 2,
                )
        yield db.overview_kpis.select()


def raw(value):
    """A value as the buffer has it."""
    if isinstance(value, datetime.datetime):
        epoch = datetime.datetime(1970, 1, 1)
        return (value - epoch) // datetime.timedelta(microseconds=1)
    if isinstance(value, datetime.date):
        return (value - EPOCH).days
    return value


@pytest.mark.parametrize("part", PARTS, ids=str)
@pytest.mark.parametrize("name", FORMATS)
def test_memoryview(rows, name, part):
    code, width, _ = FORMATS[name]
    column = rows[part][name]
    with memoryview(column) as view:
        assert view.readonly
        assert (view.format, view.itemsize, view.ndim) == (code, width, 1)
        assert view.shape == (len(column),)
        assert view.tolist() == [raw(value) for value in column]
        assert view.obj is column
        assert view.nbytes == len(column) * width
    assert column[part][:2] == rows[name].to_list()[part][part][:2]


def test_a_buffer_is_the_columns_own_memory(rows):
    address = numpy.asarray(rows["id"]).__array_interface__["data"][0]
    part = numpy.asarray(rows["id"][4:])
    assert part.__array_interface__["data"] == (address + 32, True)
    back = numpy.asarray(rows["id"][::-1])
    assert back.__array_interface__["data"][0] == address + 19 * 8
    assert back.strides == (-8,)
    stamps = rows["created_at"].to_numpy()
    again = rows["created_at"].to_numpy()
    assert numpy.shares_memory(stamps, again)


def test_a_buffer_outlives_all_else():
    with SmartShopieDB(":memory:") as db:
        for n in range(3):
            db.add_realtime_metric(recorded_at=f"2025-01-0{n + 1}", active_sessions=n)
        view = memoryview(db.realtime_metrics.select()["active_sessions"])
    assert view.tolist() == [0, 1, 2]
    view.release()


def test_nothing_can_be_written(rows):
    view = memoryview(rows["id"])
    with pytest.raises(TypeError, match="read-only"):
        view[0] = 1
    array = numpy.asarray(rows["id"])
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 1
    with pytest.raises(TypeError, match="read-write"):
        io.BytesIO(b"x" * 200).readinto(rows["id"])


def test_bytes_of_a_step_need_an_order(rows):
    assert bytes(rows["id"][:2]) == (1).to_bytes(8, "little") + (2).to_bytes(
        8, "little"
    )
    with pytest.raises(BufferError, match="'id' is a view with a step"):
        hashlib.sha256(rows["id"][::2])
    assert memoryview(rows["id"][::2]).tobytes() == b"".join(
        value.to_bytes(8, "little") for value in range(1, N, 2)
    )


def test_null_has_no_buffer(rows):
    column = rows["total_customers"]
    message = "'total_customers' has 5 NULL of 20"
    with pytest.raises(BufferError, match=message):
        memoryview(column)
    with pytest.raises(BufferError, match="'total_customers_change' has 1 NULL of 2"):
        memoryview(rows[4:6]["total_customers_change"])
    assert memoryview(column[5:]).tolist() == list(range(5, N))
    assert memoryview(column[:4:-1]).tolist() == list(range(N - 1, 4, -1))
    # numpy then takes the values themselves: None stays None.
    assert numpy.asarray(column).tolist() == column.to_list()


def test_text_has_no_buffer(rows):
    with SmartShopieDB(":memory:") as db:
        some = db.query("SELECT 1 AS x, 'a' AS y")
        db.add_usage_alert(title="t", message="m", created_at="2025-01-01")
        text = db.usage_alerts.select()["title"]
    for column in (some["x"], some["y"]):
        with pytest.raises(
            BufferError, match="is ANY, whose values are not of one size"
        ):
            memoryview(column)
    with pytest.raises(BufferError, match=r"'title' is TEXT.*to_numpy"):
        memoryview(text)
    array = text.to_numpy()
    assert (array.dtype, array.tolist()) == (object, ["t"])
    array = some["x"].to_numpy()
    assert (array.dtype, array.tolist()) == (object, [1])


# --- to_numpy ---------------------------------------------------------------------


@pytest.mark.parametrize("part", PARTS, ids=str)
@pytest.mark.parametrize("name", FORMATS)
def test_to_numpy(rows, name, part):
    column = rows[part][name]
    array = column.to_numpy()
    assert array.dtype == FORMATS[name][2]
    assert array.tolist() == column.to_list()
    assert array.flags.writeable == (name == "record_date")


@pytest.mark.parametrize("part", PARTS, ids=str)
def test_to_numpy_with_nulls(rows, part):
    column = rows[part]["total_customers"]
    values = column.to_list()
    array = column.to_numpy(fill=-7)
    assert array.dtype == "int64"
    assert array.tolist() == [-7 if value is None else value for value in values]
    if None in values:
        with pytest.raises(ValueError, match=r"'total_customers' has . NULL.*fill=0"):
            column.to_numpy()
        with pytest.raises(ValueError, match="NULL"):
            column.to_numpy(fill=None)
    change = rows[part]["total_customers_change"]
    array = change.to_numpy()
    assert array.dtype == "float64"
    found = [None if math.isnan(value) else value for value in array.tolist()]
    assert found == change.to_list()
    array = change.to_numpy(fill=1e300)
    assert array.tolist() == [1e300 if v is None else v for v in change.to_list()]


def test_to_numpy_has_not_a_time(tmp_path):
    path = tmp_path / "old.db"
    stock = sqlite3.connect(path)
    stock.execute(
        "CREATE TABLE overview_kpis (id INTEGER PRIMARY KEY, record_date DATE)"
    )
    stock.execute("INSERT INTO overview_kpis VALUES (1, NULL), (2, '2025-01-02')")
    stock.commit()
    stock.close()
    with SmartShopieDB(path, mode="ro") as db:
        rows = db.overview_kpis.select()
    for name, kind in (
        ("record_date", "datetime64[D]"),
        ("created_at", "datetime64[us]"),
    ):
        array = rows[name].to_numpy()
        assert array.dtype == kind
        assert array.tolist() == rows[name].to_list()
    assert numpy.isnat(rows["record_date"].to_numpy()).tolist() == [True, False]


@pytest.mark.parametrize(
    ("name", "fill", "error", "message"),
    [
        ("total_customers", 1.5, TypeError, "fill: expected int, got float"),
        ("total_customers", 2**63, (OverflowError, ValueError), "fill"),
        ("total_customers_change", "0", TypeError, "fill: expected float, got str"),
        ("record_date", 0, TypeError, "'record_date', which is DATE, NULL is NaT"),
    ],
)
def test_fill_is_checked(rows, name, fill, error, message):
    with pytest.raises(error, match=message):
        rows[name].to_numpy(fill=fill)


def test_wrong_arguments(rows):
    with pytest.raises(TypeError, match="did you mean 'fill'"):
        rows["id"].to_numpy(fil=1)
    with pytest.raises(TypeError):
        rows["id"].to_numpy(1)


def test_without_numpy_it_says_what_to_install(path):
    scripts.run(
        """
        sys.modules["numpy"] = None  # as if it was not installed
        db = SmartShopieDB(PATH)
        add(db, 1)
        column = db.realtime_metrics.select()["active_sessions"]
        error = raises(ModuleNotFoundError, column.to_numpy)
        assert "pip install numpy" in str(error)
        assert memoryview(column).tolist() == [1]
        """,
        path,
    )


def test_numpy_is_not_imported_before_it_is_needed():
    code = "import smartshopie_db, sys; sys.exit('numpy' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, env=scripts.environment())
