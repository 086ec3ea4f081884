"""Cursors whose user's own code runs in the middle of what they do."""

import sqlite3
from contextlib import closing

import pytest

import smartshopie_db.dbapi as ours

STOCK = dict(sqlite3.converters)  # before pandas puts its own in their place
MODULES = pytest.mark.parametrize("module", [sqlite3, ours], ids=["sqlite3", "ours"])


@pytest.fixture
def conn():
    with closing(ours.connect(":memory:", detect_types=ours.PARSE_COLNAMES)) as conn:
        yield conn


def test_a_converter_that_reads_the_cursor_as_it_goes(conn, monkeypatch):
    cursor = conn.cursor()
    seen = []

    class Converter:
        def __call__(self, text):
            return text

        def __del__(self):
            seen.append(cursor.fetchone())

    class Parameter:
        pass

    def run_another(_parameter):
        ours.converters["T"] = Converter()
        cursor.execute('SELECT 1 AS "a [T]", 2 AS "b [T]", 3, 4, 5, 6, 7, 8')
        del ours.converters["T"]
        return "mine"

    key = (Parameter, ours.PrepareProtocol)
    monkeypatch.setitem(ours.adapters, key, run_another)
    cursor.execute("SELECT ? AS z", (Parameter(),))
    assert seen == [("mine",)]  # of the whole of the one or the other, never of both
    assert cursor.fetchone() is None


def test_a_statement_of_nothing_leaves_no_rows(conn):
    cursor = conn.execute("SELECT 1").execute("-- nothing")
    assert cursor.description is None
    assert cursor.fetchall() == []


def converted(module, kind, stored):
    detect = module.PARSE_DECLTYPES
    with closing(module.connect(":memory:", detect_types=detect)) as conn:
        conn.execute(f"CREATE TABLE t (a {kind})")
        conn.execute("INSERT INTO t VALUES (?)", (stored,))
        return conn.execute("SELECT a FROM t").fetchone()[0]


@pytest.mark.filterwarnings("ignore:The default:DeprecationWarning")
@pytest.mark.parametrize(
    ("kind", "stored"),
    [
        ("date", "2024-1-5"),
        ("date", " 2024-01-05"),
        ("date", b"2024-01-05"),
        ("date", ""),
        ("date", b""),
        ("timestamp", "2024-01-05 1:2:3"),
        ("timestamp", "24-1-5 1:2:3.5"),
        ("timestamp", "2024-1-5 1:2:3.123456789"),
        ("timestamp", ""),
        ("timestamp", None),
    ],
)
def test_days_and_instants_as_others_wrote_them(kind, stored, monkeypatch):
    for name, converter in STOCK.items():
        monkeypatch.setitem(sqlite3.converters, name, converter)
    assert converted(ours, kind, stored) == converted(sqlite3, kind, stored)


@pytest.mark.parametrize("stored", ["2024-13-01", "soon", "2024-1-5 1:2", "2024-1"])
@pytest.mark.parametrize("kind", ["date", "timestamp"])
def test_what_is_no_day_and_no_instant(kind, stored):
    with pytest.raises((ValueError, TypeError)):
        converted(ours, kind, stored)


@MODULES
def test_rows_within_rows(module):
    with closing(module.connect(":memory:")) as conn:
        cursor = conn.execute("SELECT 1")
        row = (1,)
        for _ in range(500_000):
            row = module.Row(cursor, (row,))
        del row  # by a recursion that has an end


@MODULES
def test_fetchmany_by_keyword(module):
    """As SQL notebooks (JupySQL) call it."""
    with closing(module.connect(":memory:")) as conn:
        cursor = conn.execute("VALUES (1), (2), (3)")
        assert [tuple(row) for row in cursor.fetchmany(size=2)] == [(1,), (2,)]
        assert len(cursor.fetchmany(size=2)) == 1
        with pytest.raises(TypeError):
            cursor.fetchmany(1, size=2)
        with pytest.raises(TypeError):
            cursor.fetchmany(many=2)


@MODULES
def test_a_name_that_no_column_can_have(module):
    with closing(module.connect(":memory:")) as conn:
        conn.row_factory = module.Row
        row = conn.execute("SELECT 1 AS x").fetchone()
        for name in ("\ud800", "x\0", ""):
            with pytest.raises(IndexError):
                row[name]


def test_how_transactions_begin_is_one_of_four(conn):
    for begin in (-1, 4, 2**63 - 1):
        with pytest.raises(ValueError, match="_begin"):
            conn._begin = begin
