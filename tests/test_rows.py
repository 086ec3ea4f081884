"""Rows and Column: a sequence of records, and one of values, over the same columns."""

import copy
import datetime
import gc
import operator
import pickle
import sqlite3
import sys
from collections.abc import Iterator, Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

import smartshopie_db
from smartshopie_db import Column, OverviewKPI, Row, Rows, SmartShopieDB

DAY = datetime.date(2025, 1, 1)
N = 25
SQL = "SELECT * FROM overview_kpis ORDER BY id"


def kpis(n=N):
    for i in range(n):
        yield {
            "record_date": DAY + datetime.timedelta(days=i),
            "total_customers": None if i % 5 == 0 else 100 - i,
            "conversion_rate": i / 2,
        }


def fill(db, n=N):
    with db.transaction():
        for row in kpis(n):
            db.add_overview_kpis(**row)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    with SmartShopieDB(tmp_path_factory.mktemp("shared") / "shop.db") as db:
        fill(db)
        yield db


@pytest.fixture(scope="module")
def rows(shared):
    return shared.overview_kpis.select()


@pytest.fixture
def loose(path):
    """Rows of a file with two cells that their columns cannot hold."""
    db = sqlite3.connect(path)
    db.executemany(
        "INSERT INTO overview_kpis (record_date, total_customers) VALUES (?, ?)",
        [(f"2025-01-{i:02}", value) for i, value in enumerate([5, 7.5, 6, 8.25, 9], 1)],
    )
    db.commit()
    db.close()
    with SmartShopieDB(path, strict=False) as db:
        yield db.overview_kpis.select()


# ---- a sequence of records -------------------------------------------------------


def test_a_sequence(rows):
    assert isinstance(rows, Rows)
    assert not isinstance(rows, Sequence | Mapping)  # docs/design.md says why
    assert len(rows) == N
    assert rows
    assert not rows[:0]
    assert all(type(row) is OverviewKPI for row in rows)
    assert rows[0] == rows[-N]
    assert rows[-1].id == N
    assert list(rows)[3] == rows[3]
    assert [row.id for row in reversed(rows)] == list(range(N, 0, -1))


def test_the_same_rows_as_the_standard_module(shared, rows):
    db = sqlite3.connect(shared.db_path)
    cursor = db.execute(SQL)
    assert rows.columns == tuple(name for name, *_ in cursor.description)
    stored = cursor.fetchall()
    db.close()
    instant = rows.columns.index("created_at"), rows.columns.index("updated_at")

    def plain(cells):
        for i, cell in enumerate(cells):
            yield cell.isoformat(" ") if i in instant else str(cell) if i == 1 else cell

    assert [tuple(plain(cells)) for cells in rows.to_list()] == stored


def test_what_rows_are_read_by(rows):
    for wrong in (N, -N - 1):
        with pytest.raises(IndexError, match=f"^row {wrong} of {N}$"):
            rows[wrong]
    with pytest.raises(IndexError):
        rows[2**70]
    with pytest.raises(TypeError, match="by int, slice or column name, not by float"):
        rows[1.0]
    with pytest.raises(
        KeyError, match="'total_custmers'; did you mean 'total_customers"
    ):
        rows["total_custmers"]
    with pytest.raises(ValueError, match="zero"):
        rows[::0]
    assert rows[True] == rows[1]


def test_rows_cannot_change(rows):
    with pytest.raises(TypeError):
        rows[0] = rows[1]
    with pytest.raises(TypeError):
        del rows[0]
    with pytest.raises(TypeError):
        rows + rows
    with pytest.raises(TypeError):
        rows * 2
    with pytest.raises(TypeError, match="unhashable"):
        hash(rows)
    with pytest.raises(AttributeError):
        rows.columns = ()
    with pytest.raises(AttributeError):
        rows.more = 1


ends = st.none() | st.integers(-2 * N, 2 * N) | st.sampled_from([2**62, -(2**62)])
slices = st.builds(slice, ends, ends, ends.filter(lambda step: step != 0))


@given(slices, slices)
def test_slices_are_those_of_a_list(rows, first, second):
    ids, column = list(range(1, N + 1)), rows["id"]
    assert [row.id for row in rows[first]] == ids[first]
    assert column[first].to_list() == ids[first]
    assert [row.id for row in rows[first][second]] == ids[first][second]
    assert rows[first][second]["id"] == column[first][second] == ids[first][second]
    assert [row.id for row in reversed(rows[first])] == ids[first][::-1]
    assert list(reversed(column[first])) == ids[first][::-1]
    assert len(rows[first]) == len(ids[first])


def test_a_slice_is_a_view(rows):
    assert isinstance(rows[2:5], Rows)
    assert sys.getsizeof(rows[2:5]) == sys.getsizeof(rows) > N * 12 * 8


def test_finding(rows):
    assert rows[7] in rows
    assert dict(rows[7]) in rows
    assert {} not in rows
    assert 5 not in rows
    assert rows.index(rows[7]) == 7
    assert rows.index(rows[7], 3, 8) == 7
    assert rows.index(rows[-1], -2) == N - 1
    assert rows.count(rows[7]) == 1
    assert rows.count(None) == 0
    for bounds in ((8,), (0, 7), (-3, -1), (N + 5,)):
        with pytest.raises(ValueError, match="not in the sequence"):
            rows.index(rows[7], *bounds)
    with pytest.raises(TypeError):
        rows.index()


def test_iterators(rows):
    iterator = iter(rows)
    assert isinstance(iterator, Iterator)
    assert iter(iterator) is iterator
    assert operator.length_hint(iterator) == N
    next(iterator)
    assert operator.length_hint(iterator) == N - 1
    assert len(list(iterator)) == N - 1
    with pytest.raises(StopIteration):
        next(iterator)
    assert operator.length_hint(iterator) == 0
    values = iter(rows["id"])
    assert [next(values), operator.length_hint(values)] == [1, N - 1]
    for one_way in (iter(rows), iter(rows["id"])):
        with pytest.raises(TypeError):
            copy.copy(one_way)
        with pytest.raises(TypeError):
            type(one_way)()


def test_match_statements(rows):
    match rows[:2]:
        case [OverviewKPI(id=1), OverviewKPI(id=2)]:
            pass
        case _:
            pytest.fail("not matched as a sequence")


def test_an_annotation():
    assert str(Rows[OverviewKPI]) == ("smartshopie_db.Rows[smartshopie_db.OverviewKPI]")


# ---- comparing -------------------------------------------------------------------


def test_equal(shared, rows):
    again = shared.overview_kpis.select()
    assert rows == again == rows[:]
    assert rows == list(rows) == rows.to_dicts()
    assert rows == tuple(rows)
    assert list(rows) == rows
    assert rows != rows[1:]
    assert rows != rows[::-1]
    assert rows[1:3] == [rows[1], dict(rows[2])]
    assert rows != [*rows[:-1], None]
    assert rows != rows.to_list()
    assert rows != 5
    assert rows[:0] == []
    with pytest.raises(TypeError):
        rows < rows  # noqa: B015


def test_equal_by_columns(shared):
    def query(columns):
        return shared.query(f"SELECT {columns} FROM overview_kpis ORDER BY id")

    base = query("id AS a, conversion_rate AS b")
    assert base == query("id AS a, conversion_rate AS b")
    assert base == query("conversion_rate AS b, id AS a")
    assert base == query("id + 0.0 AS a, conversion_rate AS b")
    assert base != query("id AS a, conversion_rate AS c")
    assert base != query("id AS a, -conversion_rate AS b")
    assert base != query("id AS a")
    assert base == query("id AS a, conversion_rate AS b").to_dicts()


def test_a_list_that_changes_under_the_comparison(rows):
    class Clearing:
        def __eq__(self, other):
            victim.clear()
            return True

        __hash__ = None

    victim = [Clearing() for _ in rows]
    assert rows != victim
    assert victim == []
    victim = [Clearing() for _ in rows]
    assert rows["id"] != victim


# ---- columns ---------------------------------------------------------------------


def test_a_column(rows):
    column = rows["total_customers"]
    expected = [row["total_customers"] for row in kpis()]
    assert isinstance(column, Column)
    assert not isinstance(column, Sequence)
    assert column.to_list() == list(column) == expected
    assert column == expected == tuple(column) or list(column) == expected
    assert column == tuple(expected)
    assert (column.name, column.type, column.unit) == (
        "total_customers",
        "INTEGER",
        "count",
    )
    assert column.null_count == expected.count(None) == column.count(None)
    assert column[1:5].null_count == 0
    assert column[0] is None
    assert column[-1] == expected[-1]
    assert 99 in column
    assert "99" not in column
    assert column.index(98) == 2
    assert column.index(None, 1) == 5
    assert column != expected[1:]
    assert column != rows["id"]
    assert rows[::2]["id"] == list(range(1, N + 1, 2))
    for wrong in (N, -N - 1):
        with pytest.raises(IndexError, match=f"^value {wrong} of {N}$"):
            column[wrong]
    with pytest.raises(TypeError, match="by int or slice, not by str"):
        column["id"]
    with pytest.raises(ValueError, match="not in the sequence"):
        column.index("x")
    with pytest.raises(TypeError, match="unhashable"):
        hash(column)
    with pytest.raises(TypeError):
        Column()


def test_the_kinds_of_columns(rows, shared):
    assert {name: rows[name].type for name in rows.columns[:3]} == {
        "id": "INTEGER",
        "record_date": "DATE",
        "total_customers": "INTEGER",
    }
    assert rows["conversion_rate"].type == "REAL"
    assert rows["conversion_rate"].unit == "percent"
    assert rows["created_at"].type == "TIMESTAMP"
    assert rows["created_at"].unit is None
    assert shared.conversion_funnel.select()["stage_name"].type == "TEXT"
    free = shared.query("SELECT id, 1 + 1 AS two FROM overview_kpis")
    assert (free["id"].type, free["two"].type) == ("INTEGER", "ANY")
    assert free["two"].unit is None


# ---- free SQL --------------------------------------------------------------------


def test_a_name_that_comes_twice(shared):
    rows = shared.query("SELECT 1 AS a, 2 AS b, 3 AS a")
    assert rows.columns == ("a", "b", "a")
    assert rows["a"] == [1]
    assert rows.to_list() == [(1, 2, 3)]
    assert rows.to_dicts() == [{"a": 1, "b": 2}]
    assert type(rows[0]) is Row
    assert pickle.loads(pickle.dumps(rows)) == rows
    assert rows[0].__replace__(a=9) == {"a": 9, "b": 2}


def test_many_columns(shared):
    names = [f"c{i}" for i in range(200)]
    rows = shared.query("SELECT " + ", ".join(f"{i} AS c{i}" for i in range(200)))
    assert rows.columns == tuple(names)
    assert rows[0] == {name: i for i, name in enumerate(names)}
    assert rows[0].c199 == 199
    assert pickle.loads(pickle.dumps(rows)) == rows
    assert rows[0].__replace__(c199=0).c199 == 0
    assert len(repr(rows)) < 1000


def test_every_kind_of_cell(shared):
    rows = shared.query(
        "SELECT 1 AS x UNION ALL SELECT 2.5 UNION ALL SELECT 'a' || char(0) || 'b' "
        "UNION ALL SELECT x'00ff' UNION ALL SELECT NULL UNION ALL SELECT ''"
    )
    values = [1, 2.5, "a\0b", b"\0\xff", None, ""]
    assert sorted(rows["x"], key=repr) == sorted(values, key=repr)
    assert [type(x) for x in rows["x"]] == [type(x) for x in rows["x"].to_list()]


# ---- showing ---------------------------------------------------------------------


def test_repr(shared, rows):
    first, header, *lines = repr(rows).splitlines()
    assert first == f"<Rows overview_kpis: {N} rows x 12 columns>"
    assert header.split()[:3] == ["id", "record_date", "total_customers"]
    assert header.endswith("...")
    assert len(lines) == 11
    assert lines[0].split()[:3] == ["1", "2025-01-01", "None"]
    assert lines[-1] == "..."
    assert repr(rows[:1]).startswith("<Rows overview_kpis: 1 row x 12 columns>\n")
    assert repr(rows[:0]) == "<Rows overview_kpis: 0 rows x 12 columns>"
    assert repr(shared.query("SELECT 1 AS a, 'b' AS c")) == (
        "<Rows: 1 row x 2 columns>\na  c\n1  b"
    )


def test_repr_of_a_column(rows):
    assert repr(rows["id"][:2]) == "<Column overview_kpis.id INTEGER: 2 values [1, 2]>"
    assert repr(rows["id"]).endswith("25 values [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, ...]>")


def test_repr_is_safe_and_bounded(shared):
    rows = shared.query(
        "SELECT ? AS x, ? AS y UNION ALL SELECT 1, 2",
        ("\x1b[2J\r\n'\"\u202e", "\N{EM DASH}" * 1_000_000),
    )
    for shown in (repr(rows), repr(rows["x"]), repr(rows["y"]), repr(rows[0])):
        assert all(line.isprintable() for line in shown.split("\n"))
        assert len(shown) < 1000


# ---- notes -----------------------------------------------------------------------


def test_notes(rows, loose):
    assert rows.notes == ()
    assert loose["total_customers"] == [5, None, 6, None, 9]
    assert loose.notes == (
        {"row": 1, "column": "total_customers", "value": "7.5", "id": 2},
        {"row": 3, "column": "total_customers", "value": "8.25", "id": 4},
    )


def test_notes_of_a_view_are_its_own(loose):
    assert loose[2:].notes == (
        {"row": 1, "column": "total_customers", "value": "8.25", "id": 4},
    )
    assert [note["row"] for note in loose[::-1].notes] == [3, 1]
    assert loose[::2].notes == ()


def test_notes_survive_pickle(loose):
    again = pickle.loads(pickle.dumps(loose[1:]))
    assert again.notes == loose[1:].notes
    assert again == loose[1:]


# ---- copies ----------------------------------------------------------------------


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickle(shared, rows, protocol):
    some = shared.overview_kpis.select(columns=["record_date", "total_customers"])
    free = shared.query("SELECT id AS a, x'00' AS b, 'x' AS c FROM overview_kpis")
    for original in (rows, rows[3:9:2], rows[::-1], rows[:0], some, free):
        again = pickle.loads(pickle.dumps(original, protocol))
        assert isinstance(again, Rows)
        assert again == original
        assert again.columns == original.columns
        assert [type(row) for row in again] == [type(row) for row in original]
        assert repr(again) == repr(original)
        for name in original.columns:
            column = pickle.loads(pickle.dumps(original[name], protocol))
            assert column == original[name]
            assert column.type == original[name].type
            assert (column.name, column.unit) == (name, original[name].unit)


def note(row, column):
    return {"row": row, "column": column, "value": ""}


@pytest.mark.parametrize(
    "forged",
    [
        ("overview_kpis", True, ("id",), b"\x00", ([1],), 2, ()),
        ("overview_kpis", True, ("id",), b"\x00", ([1],), -1, ()),
        ("overview_kpis", True, ("id",), b"\x00", (1,), 1, ()),
        ("overview_kpis", True, (), b"", (), 2**62, ()),
        ("overview_kpis", True, ("id",), b"\x00", ([1],), 1, ({},)),
        (None, False, ("a",), b"\x00", ([1],), 1, (note(5, "a"),)),
        (None, False, ("a",), b"\x00", ([1],), 1, (note(0, "b"),)),
        (None, False, ("a", "b"), b"\x00\xff", ([1], [2]), 1, ()),
        (None, False, ("a",), b"\x02", ([b"x"],), 1, ()),
    ],
)  # fmt: skip
def test_a_forged_pickle_is_refused(rows, forged):
    restore, _ = rows.__reduce__()
    with pytest.raises((TypeError, ValueError)):
        restore(*forged)


def test_a_pickle_that_changes_its_lists_while_restored(rows):
    class Clearing:
        def __index__(self):
            cells.clear()
            return 1

    restore, _ = rows.__reduce__()
    cells = [Clearing() for _ in range(3)]
    with pytest.raises(ValueError):
        restore(None, False, ("a",), b"\x00", (cells,), 3, ())


def test_copies_are_the_rows_themselves(rows):
    for view in (rows, rows["id"]):
        assert copy.copy(view) is view
        assert copy.deepcopy(view) is view


def test_plain_data(rows):
    dicts, tuples = rows[1:3].to_dicts(), rows[1:3].to_list()
    assert [type(row) for row in dicts] == [dict, dict]
    assert [tuple(row.values()) for row in dicts] == tuples
    assert tuple(dicts[0]) == rows.columns
    assert dict(zip(rows.columns, tuples[0], strict=True)) == rows[1]


# ---- lifetimes -------------------------------------------------------------------


def test_everything_outlives_its_source(tmp_path):
    db = SmartShopieDB(tmp_path / "shop.db")
    fill(db, 3)
    rows = db.overview_kpis.select()
    part, column, record = rows[1:], rows["id"][1:], rows[2]
    iterator, values = iter(part), iter(column)
    db.close()
    del db, rows
    gc.collect()
    assert [row.id for row in part] == [2, 3] == [row.id for row in iterator]
    del part
    assert list(values) == column.to_list() == [2, 3]
    assert record.id == 3
    assert record.record_date == DAY + datetime.timedelta(days=2)


def test_rows_are_seen_by_the_garbage_collector(rows):
    for seen in (rows, rows["id"], iter(rows), iter(rows["id"])):
        assert gc.is_tracked(seen)
        assert type(seen) in gc.get_referents(seen)
    assert not gc.is_tracked(rows[0])


def test_no_reference_is_lost(rows):
    def use():
        record = rows[3]
        for step in (1, -1, 2):
            view = rows[::step]
            assert view == rows[::step].to_dicts()
            repr(view), view.to_list(), pickle.loads(pickle.dumps(view))
        (
            record.__replace__(total_customers=5),
            hash(record),
            repr(record),
            record.items(),
        )
        rows["total_customers"].to_list(), repr(rows["id"])
        for wrong in ("total_custmers", 5):
            with pytest.raises(KeyError):
                record[wrong]
        with pytest.raises(TypeError):
            OverviewKPI(1, total_customers=2, record_date="2025-01-01")

    objects = (OverviewKPI, Rows, Column, smartshopie_db.Row, rows, "total_customers")
    for _ in range(3):
        use()
    before = [sys.getrefcount(thing) for thing in objects]
    for _ in range(50):
        use()
    gc.collect()
    after = [sys.getrefcount(thing) for thing in objects]
    assert all(abs(b - a) < 20 for a, b in zip(before, after, strict=True))
