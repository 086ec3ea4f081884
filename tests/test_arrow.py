"""The Arrow capsules themselves: who releases what, requests, and bad consumers.

tests/test_interop.py has what comes out; here a consumer of our own, in ctypes, does
what a good one never would.
"""

import ctypes
import gc
import os
import threading

import numpy
import pyarrow
import pytest
import scripts
import soak

from smartshopie_db import DataError, SmartShopieDB

N = 12
SCRIPT_HEAD = """
import sys
sys.path.insert(0, sys.argv[2])
from test_arrow import Array, Schema, Stream, inside
import gc, nanoarrow
"""
capsule_pointer = ctypes.pythonapi.PyCapsule_GetPointer
capsule_pointer.restype = ctypes.c_void_p
capsule_pointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
capsule_new = ctypes.pythonapi.PyCapsule_New
capsule_new.restype = ctypes.py_object
capsule_new.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]


class Schema(ctypes.Structure):
    pass


class Array(ctypes.Structure):
    pass


class Stream(ctypes.Structure):
    pass


def callback(kind, *arguments, result=None):
    return ctypes.CFUNCTYPE(result, ctypes.POINTER(kind), *arguments)


Schema._fields_ = [
    ("format", ctypes.c_char_p),
    ("name", ctypes.c_char_p),
    ("metadata", ctypes.c_void_p),
    ("flags", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("children", ctypes.POINTER(ctypes.POINTER(Schema))),
    ("dictionary", ctypes.POINTER(Schema)),
    ("release", callback(Schema)),
    ("private_data", ctypes.c_void_p),
]
Array._fields_ = [
    ("length", ctypes.c_int64),
    ("null_count", ctypes.c_int64),
    ("offset", ctypes.c_int64),
    ("n_buffers", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("buffers", ctypes.POINTER(ctypes.c_void_p)),
    ("children", ctypes.POINTER(ctypes.POINTER(Array))),
    ("dictionary", ctypes.POINTER(Array)),
    ("release", callback(Array)),
    ("private_data", ctypes.c_void_p),
]
Stream._fields_ = [
    ("get_schema", callback(Stream, ctypes.POINTER(Schema), result=ctypes.c_int)),
    ("get_next", callback(Stream, ctypes.POINTER(Array), result=ctypes.c_int)),
    ("get_last_error", callback(Stream, result=ctypes.c_char_p)),
    ("release", callback(Stream)),
    ("private_data", ctypes.c_void_p),
]
NAMES = {Schema: b"arrow_schema", Array: b"arrow_array", Stream: b"arrow_array_stream"}


def inside(capsule, kind):
    return kind.from_address(capsule_pointer(capsule, NAMES[kind]))


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    with SmartShopieDB(tmp_path_factory.mktemp("arrow") / "shop.db") as db:
        for n in range(N):
            db.add_conversion_funnel_stage(
                record_date=f"2025-01-{n + 1:02}",
                stage_name=f"stage {n}",
                stage_order=n,
                count=n,
                percentage=None if n % 4 == 0 else n / 2,
            )
        rows = db.conversion_funnel.select()
    return rows  # of a database that is closed by now


# --- lifetimes --------------------------------------------------------------------


def test_results_outlive_the_database(rows):
    assert pyarrow.table(rows).to_pylist() == rows.to_dicts()


def test_capsules_have_the_names_of_the_interface(rows):
    assert 'object "arrow_array_stream"' in repr(rows.__arrow_c_stream__())
    assert 'object "arrow_schema"' in repr(rows.__arrow_c_schema__())
    schema, array = rows["count"].__arrow_c_array__()
    assert 'object "arrow_schema"' in repr(schema)
    assert 'object "arrow_array"' in repr(array)
    assert 'object "arrow_schema"' in repr(rows["count"].__arrow_c_schema__())


def test_a_capsule_is_consumed_once(rows):
    stream = rows.__arrow_c_stream__()
    read = pyarrow.RecordBatchReader._import_from_c_capsule
    assert read(stream).read_all().num_rows == N
    with pytest.raises(pyarrow.ArrowInvalid, match="released"):
        read(stream)
    schema, array = rows["count"].__arrow_c_array__()
    assert pyarrow.Array._import_from_c_capsule(schema, array)[1].as_py() == 1
    with pytest.raises(pyarrow.ArrowInvalid, match="released"):
        pyarrow.Array._import_from_c_capsule(schema, array)


def test_a_stream_read_in_part(rows):
    reader = pyarrow.RecordBatchReader.from_stream(rows)
    batch = reader.read_next_batch()
    del reader
    gc.collect()
    assert batch.to_pylist() == rows.to_dicts()
    stream = rows.__arrow_c_stream__()
    inner = inside(stream, Stream)
    array, end = Array(), Array()
    assert inner.get_next(inner, array) == 0
    assert inner.get_next(inner, end) == 0
    assert not end.release
    inner.release(inner)
    assert not inner.release
    del stream, inner  # the array is ours still
    assert (array.length, array.n_children) == (N, len(rows.columns))
    array.release(array)
    assert not array.release


def test_a_child_outlives_all_else():
    with SmartShopieDB(":memory:") as db:
        for n in range(5):
            db.add_realtime_metric(recorded_at=f"2025-01-0{n + 1}", active_sessions=n)
        stream = db.realtime_metrics.select().__arrow_c_stream__()
    inner = inside(stream, Stream)
    array = Array()
    assert inner.get_next(inner, array) == 0
    del stream, inner
    child = Array.from_buffer_copy(array.children[2].contents)
    array.children[2].contents.release = callback(Array)()
    array.release(array)
    gc.collect()
    values = (ctypes.c_int64 * 5).from_address(child.buffers[1])
    assert list(values) == [0, 1, 2, 3, 4]
    child.release(child)
    assert not child.release


def test_a_renamed_capsule_is_released_too(rows):
    capsule = rows.__arrow_c_stream__()
    rename = ctypes.pythonapi.PyCapsule_SetName
    rename.argtypes = [ctypes.py_object, ctypes.c_char_p]
    name = ctypes.create_string_buffer(b"used")
    assert rename(capsule, name) == 0
    del capsule


def test_many_threads_read_one_result(rows):
    wrong = []

    def work(part):
        for _ in range(50):
            table = pyarrow.table(rows[part])
            if table.to_pylist() != rows[part].to_dicts():
                wrong.append(part)

    parts = [slice(None), slice(2, 9), slice(None, None, -1), slice(0, 0)]
    threads = [threading.Thread(target=work, args=(part,)) for part in parts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_released_by_a_thread_without_the_gil(rows):
    """The callbacks of a stream, called by ctypes, which lets the GIL go."""
    for _ in range(200):
        stream = rows.__arrow_c_stream__()
        inner = inside(stream, Stream)
        array, schema = Array(), Schema()
        assert inner.get_schema(inner, schema) == inner.get_next(inner, array) == 0
        work = [
            threading.Thread(target=thing.release, args=(thing,))
            for thing in (inner, schema, array)
        ]
        for thread in work:
            thread.start()
        for thread in work:
            thread.join()


# --- nothing is left behind -------------------------------------------------------

CONSUMERS = {
    "streams dropped": "rows.__arrow_c_stream__()",
    "schemas dropped": "rows.__arrow_c_schema__()",
    "columns dropped": "column.__arrow_c_array__()",
    "backwards": "rows[::-1]['stage_name'].__arrow_c_array__()",
    "buffers": "memoryview(rows['stage_order'])",
    "requests": "rows.__arrow_c_stream__(rows.__arrow_c_schema__())",
    "read in part": "stream = rows.__arrow_c_stream__();"
    " inner = inside(stream, Stream); schema = Schema();"
    " inner.get_schema(inner, schema); schema.release(schema)",
    "array taken": "stream = rows.__arrow_c_stream__();"
    " inner = inside(stream, Stream); array = Array(); inner.get_next(inner, array);"
    " array.children[3].contents.release(array.children[3]); array.release(array)",
    "consumed": "nanoarrow.c_array_stream(rows).get_next()",
    "consumer fails": "stream = nanoarrow.c_array_stream(rows)\n"
    "        try:\n            for array in stream:\n"
    "                raise KeyError\n        except KeyError:\n            pass",
    "refused": "raises(ValueError, lambda: rows.__arrow_c_stream__(other))",
    "mixed": "raises(DataError, mixed.__arrow_c_stream__)",
}
LEAKS = """
class Mallinfo(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in
                "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks "
                "keepcost".split()]
mallinfo = ctypes.CDLL(None).mallinfo2
mallinfo.restype = Mallinfo
def figures():
    gc.collect()
    with open("/proc/self/statm") as statm:
        pages = int(statm.read().split()[1])
    return mallinfo().uordblks, pages * os.sysconf("SC_PAGE_SIZE")
db = SmartShopieDB(PATH)
for n in range(20):
    db.add_conversion_funnel_stage(record_date="2025-01-01", stage_name=f"stage {n}",
                                   stage_order=n, count=n)
rows = db.conversion_funnel.select()
column = rows["stage_name"]
other = rows["count"].__arrow_c_schema__()
mixed = db.query("SELECT 1 AS x UNION ALL SELECT 'a'")
def once(times):
    for _ in range(times):
        CONSUMER
times = int(sys.argv[3])
once(times // 10)
before = figures()
once(times)
after = figures()
grown = [b - a for a, b in zip(before, after)]
assert grown[0] < 64 * 1024 and grown[1] < 1 << 20, grown
"""


@pytest.mark.slow
@pytest.mark.parametrize("how", CONSUMERS)
def test_nothing_is_left_behind(path, how):
    code = SCRIPT_HEAD + LEAKS.replace("CONSUMER", CONSUMERS[how])
    scripts.run(code, path, os.path.dirname(__file__), 100_000, timeout=200)


# --- what a consumer asks for -----------------------------------------------------


def test_a_request_is_only_read(rows):
    wanted = pyarrow.schema(rows).__arrow_c_schema__()
    first = pyarrow.RecordBatchReader._import_from_c_capsule(
        rows.__arrow_c_stream__(wanted)
    )
    again = pyarrow.RecordBatchReader._import_from_c_capsule(
        rows.__arrow_c_stream__(requested_schema=wanted)
    )
    assert first.schema == again.schema == pyarrow.schema(rows)


def released(capsule):
    pyarrow.Schema._import_from_c_capsule(capsule)
    return capsule


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda rows: 1, TypeError, 'a capsule named "arrow_schema".*not int'),
        (lambda rows: "arrow_schema", TypeError, "not str"),
        (lambda rows: pyarrow.schema(rows), TypeError, "capsule.*not pyarrow"),
        (lambda rows: rows.__arrow_c_stream__(), TypeError, "not PyCapsule"),
        (
            lambda rows: released(rows.__arrow_c_schema__()),
            ValueError,
            "consumed or released already",
        ),
        (
            lambda rows: rows["count"].__arrow_c_schema__(),
            ValueError,
            'type "l"; rows are a struct',
        ),
        (
            lambda rows: pyarrow.schema([("id", "int64")]).__arrow_c_schema__(),
            ValueError,
            "has 1 fields; the rows have 9 columns",
        ),
        (
            lambda rows: pyarrow.schema(
                [(f"f{n}", "int64") for n in range(9)]
            ).__arrow_c_schema__(),
            ValueError,
            'field 0 is "f0", the column is "id"',
        ),
        (
            lambda rows: pyarrow.schema(
                [(name, pyarrow.list_(pyarrow.int8())) for name in rows.columns]
            ).__arrow_c_schema__(),
            ValueError,
            '"id" is a flat column, and "\\+l" is a nested type',
        ),
    ],
)
def test_requests_that_make_no_sense(rows, make, error, message):
    with pytest.raises(error, match=message):
        rows.__arrow_c_stream__(make(rows))
    with pytest.raises(error, match=message):
        rows.__arrow_c_stream__(requested_schema=make(rows))


@pytest.mark.parametrize("change", ["format", "children", "child", "n_children"])
def test_requests_that_are_no_schema(rows, change):
    capsule = rows.__arrow_c_schema__()
    schema = inside(capsule, Schema)
    kept = Schema.from_buffer_copy(schema)
    child = ctypes.addressof(schema.children[2].contents)
    if change == "format":
        schema.format = None
    elif change == "children":
        schema.children = None
    elif change == "child":
        schema.children[2] = None
    else:
        schema.n_children = -5
    with pytest.raises(ValueError, match="is no valid ArrowSchema"):
        rows.__arrow_c_stream__(capsule)
    ctypes.memmove(ctypes.byref(schema), ctypes.byref(kept), ctypes.sizeof(kept))
    schema.children[2] = ctypes.pointer(Schema.from_address(child))
    assert rows.__arrow_c_stream__(capsule)


def test_an_empty_capsule_of_the_right_name(rows):
    empty = Schema()
    name = NAMES[Schema]
    capsule = capsule_new(ctypes.addressof(empty), name, None)
    with pytest.raises(ValueError, match="consumed or released"):
        rows.__arrow_c_stream__(capsule)
    with pytest.raises(ValueError, match="consumed or released"):
        rows["id"].__arrow_c_array__(capsule)


def test_arguments(rows):
    with pytest.raises(TypeError, match="did you mean 'requested_schema'"):
        rows.__arrow_c_stream__(request_schema=None)
    with pytest.raises(TypeError):
        rows["id"].__arrow_c_array__(None, None)
    with pytest.raises(KeyError, match="did you mean 'count'"):
        rows["cont"]


# --- what no Arrow column can hold ------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "message", "row"),
    [
        ("SELECT 1 AS x UNION ALL SELECT 'a'", "'a' among integers.*AS TEXT", 1),
        ("SELECT 1.5 AS x UNION ALL SELECT x'00'", "among reals", 1),
        ("SELECT 1.5 AS x UNION ALL SELECT 9007199254740993", "no float64", 1),
        ("SELECT CAST(x'ff' AS TEXT) AS x", "not valid UTF-8", 0),
    ],
)
def test_a_mixture_is_refused(sql, message, row):
    with SmartShopieDB(":memory:") as db:
        rows = db.query(sql)
        for call in (
            rows.__arrow_c_stream__,
            rows.__arrow_c_schema__,
            rows["x"].__arrow_c_array__,
            rows[:0].__arrow_c_schema__,
        ):
            with pytest.raises(DataError, match=message) as caught:
                call()
            assert (caught.value.column, caught.value.row) == ("x", row)


# --- more text than 32 bits can count ---------------------------------------------


@pytest.mark.skipif(not soak.SOAK, reason="takes 5 GB")
def test_text_past_two_gigabytes(path):
    with SmartShopieDB(path) as db:
        db.add_usage_alert(title="t", message="x" * 1_000_000, created_at="2025-01-01")
        rows = db.query(
            "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 2200)"
            " SELECT n, message FROM c, usage_alerts"
        )
    column = pyarrow.array(rows["message"])
    assert column.type == pyarrow.large_string()
    assert len(column) == 2200
    column.validate(full=True)
    assert column[2199].as_py() == "x" * 1_000_000
    offsets = numpy.frombuffer(column.buffers()[1], dtype="int64")
    assert offsets[2200] == 2_200_000_000 > 2**31
    # Offsets of 32 bits cannot be had, and are not given.
    asked = pyarrow.field("message", pyarrow.string()).__arrow_c_schema__()
    schema, _ = rows["message"].__arrow_c_array__(asked)
    assert pyarrow.Field._import_from_c_capsule(schema).type == pyarrow.large_string()
    del column, offsets
    table = pyarrow.table(rows[::-1])
    table.validate(full=True)
    assert table["message"][0].as_py() == "x" * 1_000_000


class Forgetful:
    """A stream of pyarrow's whose release is Python, where no exception survives."""

    def __init__(self, *batches):
        reader = pyarrow.RecordBatchReader.from_batches(batches[0].schema, batches)
        self.inner, self.outer = reader.__arrow_c_stream__(), Stream()
        self.released = 0
        inner = inside(self.inner, Stream)
        types = dict(Stream._fields_)

        def release(stream):
            self.released += 1
            stream.contents.release = types["release"]()

        self.outer.get_schema = types["get_schema"](
            lambda _, out: inner.get_schema(inner, out)
        )
        self.outer.get_next = types["get_next"](
            lambda _, out: inner.get_next(inner, out)
        )
        self.outer.get_last_error = types["get_last_error"](lambda _: b"")
        self.outer.release = types["release"](release)

    def __arrow_c_stream__(self, requested_schema=None):
        return capsule_new(ctypes.addressof(self.outer), NAMES[Stream], None)


def test_an_error_outlives_a_release_in_python(db):
    batches = [
        pyarrow.record_batch({"record_date": [f"2025-01-0{n}"], "total_customers": [x]})
        for n, x in enumerate([1.0, 2.5], 1)
    ]
    stream = Forgetful(*batches)
    with pytest.raises(TypeError, match="row 1: total_customers"):
        db.add_many("overview_kpis", stream)
    assert stream.released == 1
    assert db.overview_kpis.count() == 0
