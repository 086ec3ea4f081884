"""smartshopie_db.dbapi: PEP 249, and the same answers as the standard sqlite3."""

import datetime
import gc
import json
import pickle
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
import warnings
from contextlib import closing

import old_backend
import pandas
import pytest

import smartshopie_db.dbapi as ours
from smartshopie_db import SmartShopieDB

MODULES = pytest.mark.parametrize("module", [sqlite3, ours], ids=["sqlite3", "ours"])
PEP_ERRORS = [
    "InterfaceError",
    "DataError",
    "OperationalError",
    "IntegrityError",
    "InternalError",
    "ProgrammingError",
    "NotSupportedError",
    "DatabaseError",
    "Error",
    "Warning",
]
TABLE = "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT UNIQUE, x)"
INSERT = "INSERT INTO t (name, x) VALUES (?, ?)"


@pytest.fixture
def conn(tmp_path):
    with closing(ours.connect(tmp_path / "new.db")) as conn:
        yield conn


# ---- the same as sqlite3: each scenario is run over both modules -------------


def kind_of(error):
    """The class of an error by the name that PEP 249 gives it."""
    names = [kind.__name__ for kind in type(error).__mro__]
    return next((name for name in names if name in PEP_ERRORS), names[0])


def tried(function, *args):
    try:
        found = function(*args)
    except Exception as error:
        return kind_of(error)
    return found if not hasattr(found, "fetchall") else found.fetchall()


def seen_by_another(module, path):
    with closing(module.connect(path)) as other:
        return other.execute("SELECT name FROM t ORDER BY id").fetchall()


def state(cursor):
    connection = cursor.connection
    return (
        cursor.rowcount,
        cursor.lastrowid,
        cursor.description,
        connection.in_transaction,
        connection.total_changes,
    )


def values(module, path):
    given = [1, -(2**63), 2**63 - 1, 1.5, 1e300, float("inf"), "", "a\0b", "\U0001f600"]
    given += [
        "2024-02-30",
        b"",
        b"\0\xff",
        None,
        True,
        bytearray(b"x"),
        memoryview(b""),
    ]
    given += [datetime.date(2024, 2, 29), datetime.datetime(2024, 2, 29, 1, 2, 3, 40)]
    given += [datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)]
    db = module.connect(path)
    with closing(db), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of the stock adapters
        for value in given:
            row = db.execute("SELECT ?1, typeof(?1), quote(?1)", (value,)).fetchone()
            yield row, [type(cell) for cell in row]


def cursor_attributes(module, path):
    with closing(module.connect(path)) as db:
        cursor = db.cursor()
        yield state(cursor), cursor.arraysize
        for sql, params in [
            (TABLE, ()),
            (INSERT, ("a", 1)),
            ("INSERT INTO t VALUES (77, 'b', 2), (78, 'c', 3)", ()),
            ("SELECT id, name AS n, x + 1, 'it' FROM t", ()),
            ("UPDATE t SET x = 0 WHERE id > 1", ()),
            ("UPDATE t SET x = 0 WHERE id > 1000", ()),
            ("SELECT id FROM t WHERE 0", ()),
            ("REPLACE INTO t VALUES (1, 'a', 2)", ()),
            ("-- note\n /* more */ DELETE FROM t WHERE id = 77", ()),
            ("WITH w AS (SELECT 1) SELECT * FROM w", ()),
            ("PRAGMA user_version", ()),
            ("", ()),
            ("  -- nothing", ()),
            ("CREATE INDEX i ON t (x)", ()),
            ("DROP TABLE t", ()),
        ]:
            assert cursor.execute(sql, params) is cursor
            yield sql, state(cursor), cursor.fetchall()


def returning(module, path):
    with closing(module.connect(path)) as db:
        db.execute(TABLE)
        cursor = db.execute(INSERT + " RETURNING id, upper(name)", ("a", 1))
        yield cursor.fetchall(), state(cursor)


def parameters(module, path):
    with closing(module.connect(path)) as db:
        for sql, params in [
            ("SELECT ?, ?", (1, 2)),
            ("SELECT ?, ?", [1, 2]),
            ("SELECT ?2, ?1", (1, 2)),
            ("SELECT :a, @a, $b", {"a": 1, "b": 2, "more": 3}),
            ("SELECT ?", ()),
            ("SELECT ?", (1, 2)),
            ("SELECT 1", (1,)),
            ("SELECT :a", {"b": 1}),
            ("SELECT ?", {"a": 1}),
            ("SELECT ?", (object(),)),
            ("SELECT ?", (2**63,)),
            ("SELECT ?", ([1],)),
            ("SELECT 1; SELECT 2", ()),
        ]:
            found = tried(db.execute, sql, params)
            # Two statements are a Warning of the stock module before Python 3.12.
            yield "ProgrammingError" if found == "Warning" else found


def errors(module, path):
    with closing(module.connect(path)) as db:
        db.execute(TABLE)
        db.execute("CREATE TABLE n (a NOT NULL, CHECK (a > 0))")
        for sql in [
            "SELEC 1",
            "SELECT * FROM nowhere",
            "SELECT nothing FROM t",
            "INSERT INTO n VALUES (NULL)",
            "INSERT INTO n VALUES (-1)",
            "INSERT INTO t VALUES ('text', 1, 1)",
            "SELECT zeroblob(2000000000)",
            "COMMIT",
            "ROLLBACK",
            "BEGIN",
            "BEGIN",
            "SELECT abs(-9223372036854775808)",
            TABLE,
        ]:
            yield sql, tried(db.execute, sql), db.in_transaction
        db.execute(INSERT, ("a", 1))
        yield tried(db.execute, INSERT, ("a", 1)), db.in_transaction
        yield tried(db.executemany, "SELECT ?", [(1,)])
        yield tried(db.executemany, INSERT, [("b", 1), ("a", 2), ("c", 3)])
        yield db.execute("SELECT name FROM t").fetchall(), db.in_transaction
        cursor = db.cursor()
        cursor.close()
        yield tried(cursor.execute, "SELECT 1"), tried(cursor.fetchone)
        yield tried(db.execute, 1), tried(cursor.execute)
        cursor = db.execute("SELECT 1")
    yield [tried(db.execute, "SELECT 1"), tried(db.commit), tried(db.cursor)]
    yield tried(cursor.fetchall), db.close()
    yield tried(module.connect, path.parent / "no" / "such")


def transactions(module, path):
    def seen():
        return seen_by_another(module, path)

    with closing(module.connect(path)) as db:
        db.execute(TABLE)
        yield db.in_transaction, db.isolation_level
        db.execute(INSERT, ("a", 1))
        yield db.in_transaction, seen(), db.execute("SELECT count(*) FROM t").fetchall()
        db.commit()
        yield db.in_transaction, seen(), db.commit()
        db.executemany(INSERT, [("b", 1), ("c", 2)])
        yield db.in_transaction, seen(), db.total_changes
        db.rollback()
        yield db.in_transaction, seen(), db.rollback()
        db.execute("BEGIN")
        yield db.in_transaction
        db.execute("INSERT INTO t (name) VALUES ('d')")
        db.execute("SAVEPOINT s")
        db.execute("INSERT INTO t (name) VALUES ('e')")
        db.execute("ROLLBACK TO s")
        db.execute("COMMIT")
        yield db.in_transaction, seen()
        with db:
            db.execute("INSERT INTO t (name) VALUES ('f')")
        yield seen()
        try:
            with db:
                db.execute("INSERT INTO t (name) VALUES ('g')")
                raise KeyError
        except KeyError:
            yield seen(), db.in_transaction
        db.execute("INSERT INTO t (name) VALUES ('h')")
        db.execute("CREATE TABLE more (a)")  # in the transaction, as it is no change
        yield db.in_transaction, seen()
        db.isolation_level = None
        yield db.in_transaction, seen()
        db.execute("INSERT INTO t (name) VALUES ('i')")
        yield db.in_transaction, seen()
        db.execute("begin immediate")
        db.execute("INSERT INTO t (name) VALUES ('j')")
        yield db.in_transaction
        db.execute("rollback")
        for level in ("", "DEFERRED", "IMMEDIATE", "EXCLUSIVE"):
            db.isolation_level = level
            db.execute("INSERT INTO t (name) VALUES (?)", (level,))
            yield db.in_transaction, db.isolation_level
            db.commit()
        db.execute("WITH w AS (SELECT 'k') INSERT INTO t (name) SELECT * FROM w")
        yield db.in_transaction, seen()
        db.execute("INSERT INTO t (name) VALUES ('lost')")
    yield seen()


def scripts(module, path):
    with closing(module.connect(path)) as db:
        cursor = db.executescript(f"{TABLE}; INSERT INTO t VALUES (1, 'a', 1);; -- x\n")
        yield db.in_transaction, seen_by_another(module, path), cursor.fetchall()
        db.execute(INSERT, ("b", 1))
        db.cursor().executescript("INSERT INTO t (name) VALUES ('c')")
        yield db.in_transaction, seen_by_another(module, path)
        db.executescript("BEGIN; INSERT INTO t (name) VALUES ('d')")
        yield db.in_transaction, seen_by_another(module, path)
        yield tried(db.executescript, "SELEC"), db.in_transaction
        yield db.executescript("VACUUM").fetchall(), db.total_changes
        yield tried(db.executescript, "SELECT 1\0"), tried(db.executescript, b"")


def two_connections(module, path):
    first, second = (closing(module.connect(path, timeout=0)) for _ in range(2))
    with first as a, second as b:
        a.execute(TABLE)
        a.execute(INSERT, ("a", 1))
        yield tried(b.execute, INSERT, ("b", 1)), b.in_transaction
        b.rollback()
        b.execute("BEGIN")
        yield b.execute("SELECT count(*) FROM t").fetchall()
        yield tried(a.commit), a.in_transaction  # a reader keeps it from committing
        b.commit()
        a.commit()
        yield b.execute("SELECT count(*) FROM t").fetchall()
        a.execute(INSERT, ("c", 1))
        b.execute("BEGIN")
        yield tried(b.execute, INSERT, ("b", 1)), b.in_transaction


def factories(module, path):
    with closing(module.connect(path)) as db:
        sql = "SELECT 1 AS a, 'x' AS B, NULL AS c"
        row = db.execute(sql).fetchone()
        yield row, repr(row), (*row, 1), hash(row), isinstance(row, tuple)
        yield json.dumps(row), row == (1, "x", None), row[::-1], row * 2
        a, *_ = row
        yield a, sorted([row, (0, "y", 1)]), pickle.loads(pickle.dumps(row))
        db.row_factory = module.Row
        row = db.execute(sql).fetchone()
        yield list(row.keys()), dict(row), dict(**row), list(row), tuple(row), len(row)
        yield row["A"], row["b"], row[0], row[-1], row[1:], tried(lambda: row["zz"])
        yield tried(lambda: row[3]), isinstance(row, module.Row), "x" in row
        yield row == db.execute(sql).fetchone()
        yield tuple(db.execute("SELECT ?, ?, ?", row).fetchall()[0]) == tuple(row)
        made = module.Row(db.execute(sql), (7, 8, 9))
        yield dict(made)
        db.row_factory = lambda cursor, row: {
            column[0]: row[i] for i, column in enumerate(cursor.description)
        }
        yield (
            db.execute(sql).fetchone(),
            list(db.execute(sql)),
            db.execute(sql).fetchmany(),
        )
        db.row_factory = lambda cursor, row: 1 / 0
        yield tried(db.execute(sql).fetchone)
        db.row_factory = None
        cursor = db.cursor()
        cursor.row_factory = lambda _, row: row[0]
        yield cursor.execute(sql).fetchall()
        db.text_factory = bytes
        yield db.execute("SELECT 'ä', x'00', 1").fetchall()
        db.text_factory = lambda text: text.decode("latin-1")
        yield db.execute("SELECT 'ä', x'00', 1").fetchall()


def fetching(module, path):
    with closing(module.connect(path)) as db:
        cursor = db.cursor()
        sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n LIMIT 7)"
        cursor.execute(sql + " SELECT i FROM n")
        yield cursor.fetchone(), cursor.fetchmany(), cursor.fetchmany(2)
        cursor.arraysize = 2
        yield cursor.fetchmany(), next(cursor), cursor.fetchall(), cursor.fetchone()
        yield cursor.fetchall(), list(cursor), cursor.fetchmany()
        yield [row[0] for row in cursor.execute(sql + " SELECT i FROM n")]
        yield cursor.setinputsizes([1]), cursor.setoutputsize(1)
        yield cursor.connection is db, iter(cursor) is cursor


def declared_types(module, path):
    detect = module.PARSE_DECLTYPES | module.PARSE_COLNAMES
    sql = "CREATE TABLE d (a DATE, b TIMESTAMP, c point, d decimal(9, 2), e)"
    day, instant = (
        datetime.date(2024, 2, 29),
        datetime.datetime(2024, 2, 29, 1, 2, 3, 4),
    )
    module.register_converter("point", lambda text: text.split(b";"))
    module.register_converter("DECIMAL", lambda text: ("d", text))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        for detecting in (0, module.PARSE_DECLTYPES, module.PARSE_COLNAMES, detect):
            with closing(module.connect(path, detect_types=detecting)) as db:
                db.execute("DROP TABLE IF EXISTS d")
                db.execute(sql)
                stored = (day, instant, "1;2", 1.5, None)
                db.execute("INSERT INTO d VALUES (?, ?, ?, ?, ?)", stored)
                db.execute("INSERT INTO d DEFAULT VALUES")
                yield db.execute("SELECT * FROM d").fetchall()
                cursor = db.execute(
                    'SELECT a AS "a [timestamp]", e "e [x]" FROM d LIMIT 0'
                )
                yield cursor.description
                cursor = db.execute('SELECT b AS "b [timestamp]" FROM d')
                yield cursor.fetchall(), cursor.description


SCENARIOS = [
    values,
    cursor_attributes,
    returning,
    parameters,
    errors,
    transactions,
    scripts,
    two_connections,
    factories,
    fetching,
    declared_types,
]


# What Python 3.12 says of "?2" with a sequence; 3.13 no longer does.
@pytest.mark.filterwarnings("ignore:Binding .* is a named parameter:DeprecationWarning")
@pytest.mark.parametrize("memory", [False, True], ids=["file", "memory"])
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.__name__)
def test_the_same_as_the_standard_module(scenario, memory, tmp_path):
    if memory and scenario in (transactions, scripts, two_connections, errors):
        pytest.skip("another connection would not see it")
    found = []
    for module in (sqlite3, ours):
        path = ":memory:" if memory else tmp_path / f"{module.__name__}.db"
        found.append(list(scenario(module, path)))
    for theirs, mine in zip(*found, strict=True):
        assert mine == theirs


# ---- the old backend ---------------------------------------------------------


def answers(module, path):
    client = old_backend.make(module, str(path)).test_client()
    note = {"day": "2031-01-01", "customers": 12}
    found = [client.get(route) for route in old_backend.ROUTES]
    found += [client.post("/note", json=note), client.get("/kpis?period=7d")]
    return [(answer.status_code, answer.get_json(silent=True)) for answer in found]


def shown_place(answer):
    """Our message of wrong SQL also names the place in it."""
    status, body = answer
    if status == 500:
        body["message"] = body["message"].partition(" (line ")[0]
    return status, body


def same_answers(path, tmp_path):
    copies = [shutil.copy(path, tmp_path / f"{name}.db") for name in ("stock", "our")]
    theirs, mine = answers(sqlite3, copies[0]), answers(ours, copies[1])
    assert [shown_place(answer) for answer in mine] == theirs
    return theirs


def test_the_old_backend_on_the_demo_data(demo_file, tmp_path):
    found = same_answers(demo_file, tmp_path)
    assert [status for status, _ in found].count(200) >= len(found) - 1


def test_the_old_backend_on_old_layouts(legacy_path, tmp_path):
    same_answers(legacy_path, tmp_path)


def test_the_old_backend_on_the_real_files(real_path, tmp_path):
    found = same_answers(real_path, tmp_path)
    assert [status for status, _ in found].count(200) > 15


# ---- pandas ------------------------------------------------------------------


def test_pandas_reads(demo_file, tmp_path):
    path = shutil.copy(demo_file, tmp_path / "demo.db")
    sql = "SELECT * FROM conversion_funnel WHERE id > ? ORDER BY id"
    frames = []
    for module in (sqlite3, ours):
        with closing(module.connect(path)) as db, warnings.catch_warnings():
            # pandas knows sqlite3 and SQLAlchemy by name; of others it says that it has
            # not tried them.
            warnings.filterwarnings("ignore", "pandas only supports SQLAlchemy")
            frames.append(
                [
                    pandas.read_sql(sql, db, params=(1,)),
                    pandas.read_sql_query(
                        sql, db, params=(1,), index_col="id", parse_dates="record_date"
                    ),
                    pandas.concat(pandas.read_sql(sql, db, params=(1,), chunksize=2)),
                    pandas.DataFrame(db.execute(sql, (1,)).fetchall()),
                ]
            )
    for theirs, mine in zip(*frames, strict=True):
        pandas.testing.assert_frame_equal(mine, theirs)
        assert len(mine) > 2


def test_pandas_writes(tmp_path):
    frame = pandas.DataFrame(
        {"a": [1, 2, None], "b": ["x", None, "z"], "c": [True, False, True]}
    )
    found = []
    for module in (sqlite3, ours):
        path = tmp_path / f"{module.__name__}.db"
        with closing(module.connect(path)) as db, warnings.catch_warnings():
            warnings.filterwarnings("ignore", "pandas only supports SQLAlchemy")
            assert frame.to_sql("f", db, index=False) == 3
            assert frame.to_sql("f", db, index=False, if_exists="append") == 3
            with pytest.raises(ValueError):
                frame.to_sql("f", db, index=False)
        with closing(sqlite3.connect(path)) as db:
            found.append(db.execute("SELECT * FROM f").fetchall())
    assert found[0] == found[1]


# ---- PEP 249 -----------------------------------------------------------------


def test_the_module_has_what_pep_249_asks_for():
    assert (ours.apilevel, ours.threadsafety, ours.paramstyle) == ("2.0", 3, "qmark")
    assert issubclass(ours.Warning, Exception)
    assert issubclass(ours.Error, Exception)
    for name in PEP_ERRORS[:-3]:
        assert issubclass(getattr(ours, name), ours.DatabaseError) is (
            name != "InterfaceError"
        )
        assert issubclass(getattr(ours, name), ours.Error)
    for name in PEP_ERRORS:
        assert getattr(ours.Connection, name) is getattr(ours, name)
    assert ours.Date(2024, 2, 29) == datetime.date(2024, 2, 29)
    assert ours.Time(1, 2, 3) == datetime.time(1, 2, 3)
    assert ours.Timestamp(2024, 2, 29, 1) == datetime.datetime(2024, 2, 29, 1)
    for maker in ("DateFromTicks", "TimeFromTicks", "TimestampFromTicks"):
        assert getattr(ours, maker)(86400.5) == getattr(sqlite3, maker)(86400.5)
    assert ours.Binary(b"x") == b"x"
    for kind, name in [
        (ours.STRING, "text"),
        (ours.BINARY, "BLOB"),
        (ours.NUMBER, "REAL"),
        (ours.DATETIME, "timestamp"),
    ]:
        assert kind == name
        assert kind != "other"
        assert kind is not ours.ROWID
        assert kind != ours.ROWID
        assert len({kind, ours.ROWID}) == 2
    assert ours.sqlite_version_info == sqlite3.sqlite_version_info
    assert set(ours.__all__) <= set(dir(ours))


def test_what_a_connection_refuses(conn, tmp_path):
    conn.execute(TABLE)
    conn.executescript("VACUUM")  # after which SQLite looks at its schema anew
    for sql in [
        f"ATTACH '{tmp_path}/x.db' AS x",
        "CREATE TEMP TABLE q (a)",
        "PRAGMA journal_mode = OFF",
        "PRAGMA foreign_keys = OFF",
        "PRAGMA busy_timeout = 1",
        "PRAGMA wal_checkpoint",
        "PRAGMA writable_schema = 1",
    ]:
        with pytest.raises(ours.NotSupportedError, match="not supported"):
            conn.execute(sql)
        with pytest.raises(ours.NotSupportedError):
            conn.executescript(sql)
    for sql, value in [
        ("PRAGMA journal_mode = WAL", "wal"),
        ("PRAGMA journal_mode", "wal"),
        ("PRAGMA foreign_keys", 1),
        ("PRAGMA table_info(t)", 0),
    ]:
        assert conn.execute(sql).fetchone()[0] == value
    for sql in ("foreign_keys = ON", "synchronous = NORMAL", "cache_size = -4000"):
        conn.execute(f"PRAGMA {sql}")


def test_the_arguments_of_connect(tmp_path):
    with pytest.raises(ValueError, match="isolation_level"):
        ours.connect(tmp_path / "a.db", isolation_level="SOMETIMES")
    with pytest.raises(TypeError, match="isolation_level"):
        ours.connect(tmp_path / "a.db", isolation_level=1)
    with pytest.raises(TypeError, match="timeout"):
        ours.connect(tmp_path / "a.db", timeout="5")
    assert not (tmp_path / "a.db").exists()

    class Mine(ours.Connection):
        pass

    with closing(ours.connect(str(tmp_path / "a.db"), factory=Mine)) as db:
        assert type(db) is Mine
        assert db.isolation_level == ""
        with pytest.raises(ValueError, match="isolation_level"):
            db.isolation_level = "x"
    assert (tmp_path / "a.db").exists()
    with pytest.raises(ours.ProgrammingError, match="__init__"):
        ours.Connection.__new__(ours.Connection).cursor()


@MODULES
def test_uris(module, tmp_path):
    path = tmp_path / "a b.db"
    with closing(module.connect(path)) as db:
        db.execute(TABLE)
        db.execute(INSERT, ("a", 1))
        db.commit()
    uri = path.as_uri()
    for tail in ("", "?mode=rw", "?mode=rwc", "?mode=ro", "?immutable=1"):
        with closing(module.connect(uri + tail, uri=True)) as db:
            assert db.execute("SELECT name FROM t").fetchall() == [("a",)]
    read_only = closing(module.connect(uri + "?mode=ro", uri=True))
    with read_only as db, pytest.raises(module.OperationalError):
        db.execute(INSERT, ("b", 1))
    with closing(module.connect("file::memory:", uri=True)) as db:
        assert db.execute("SELECT 1").fetchall() == [(1,)]
    with pytest.raises(module.OperationalError):
        module.connect((tmp_path / "no.db").as_uri() + "?mode=rw", uri=True)
    with pytest.raises(module.OperationalError):
        module.connect(uri + "?mode=some", uri=True)
    with pytest.raises(module.OperationalError):
        module.connect(uri + "?mode=", uri=True)
    with closing(module.connect(uri + "?cache=private", uri=True)) as db:
        assert db.execute("SELECT name FROM t").fetchall() == [("a",)]


def test_a_database_in_memory_is_of_one_connection():
    for uri in ("file::memory:?cache=shared", "file:x?mode=memory&cache=shared"):
        with pytest.raises(ours.NotSupportedError, match="cache=shared"):
            ours.connect(uri, uri=True)


@MODULES
def test_adapters(module, conn, tmp_path):
    class Point:
        def __conform__(self, protocol):
            return "point" if protocol is module.PrepareProtocol else None

    class Line:
        pass

    module.register_adapter(Line, lambda line: b"line")
    with closing(module.connect(":memory:")) as db:
        found = db.execute("SELECT ?, ?", (Point(), Line())).fetchall()
        assert found == [("point", b"line")]
        module.register_adapter(Line, lambda line: 1 / 0)
        with pytest.raises((ZeroDivisionError, module.ProgrammingError)):
            db.execute("SELECT ?", (Line(),))


def test_an_adapter_that_is_replaced_by_its_own_call():
    """The later parameters of the statement are adapted by the one it began with."""

    class Connection(ours.Connection):
        def adapter(self):
            def adapt(value):
                self._adapt = None
                return (value, *[object() for _ in range(50)])[0].real

            return adapt

    with closing(Connection(":memory:")) as db:
        db._adapt = db.adapter()
        flags = [True] * 5
        found = db.execute("SELECT ?, ?, ?, ?, ?", flags).fetchall()
        assert found == [(1, 1, 1, 1, 1)]


def test_a_new_file_has_only_what_the_program_makes(tmp_path):
    path = tmp_path / "new.db"
    with closing(ours.connect(path)) as db:
        db.execute(TABLE)
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT name FROM sqlite_schema").fetchall()[0] == ("t",)


def test_beside_the_package_itself(path):
    with SmartShopieDB(path) as db, closing(ours.connect(path)) as conn:
        db.add_overview_kpis(record_date="2024-01-01", total_customers=1)
        conn.row_factory = ours.Row
        row = conn.execute("SELECT * FROM overview_kpis").fetchone()
        assert row["record_date"] == "2024-01-01"
        conn.execute("UPDATE overview_kpis SET total_customers = 2")
        assert db.get_overview_kpis().total_customers == 1
        conn.commit()
        assert db.get_overview_kpis().total_customers == 2
        with db.get_cursor() as cursor:
            assert type(cursor) is type(conn.cursor()) is ours.Cursor
            assert cursor.connection is db
            cursor.execute("SELECT total_customers AS n FROM overview_kpis")
            found = cursor.fetchone()
            assert type(found) is ours.Row
            assert found["n"] == 2
            with pytest.raises(ours.NotSupportedError):
                cursor.executescript("SELECT 1")
            cursor.row_factory = lambda _, row: row[0]
            assert cursor.execute("SELECT 5").fetchall() == [5]


# ---- threads, fork, stopping -------------------------------------------------


def in_thread(function):
    found = []
    thread = threading.Thread(target=lambda: found.append(tried(function)))
    thread.start()
    thread.join(60)
    assert not thread.is_alive()
    return found[0]


@MODULES
def test_a_connection_belongs_to_its_thread(module, tmp_path):
    with closing(module.connect(tmp_path / "a.db")) as db:
        cursor = db.execute("SELECT 1")
        for use in (
            db.cursor,
            db.commit,
            db.rollback,
            db.close,
            cursor.fetchone,
            lambda: cursor.execute("SELECT 1"),
            lambda: db.in_transaction if module is ours else db.commit(),
        ):
            assert in_thread(use) == "ProgrammingError"
        # From 3.12 on the stock module drops what was left, though it refused.
        if module is ours:
            assert cursor.fetchone() == (1,)


@MODULES
def test_a_transaction_goes_on_in_another_thread(module, tmp_path):
    path = tmp_path / "a.db"
    with closing(module.connect(path, check_same_thread=False)) as db:
        db.execute(TABLE)
        db.execute(INSERT, ("a", 1))
        assert in_thread(lambda: db.execute(INSERT, ("b", 2)).rowcount) == 1
        assert in_thread(lambda: db.in_transaction) is True
        assert seen_by_another(module, path) == []
        in_thread(db.commit)
        assert not db.in_transaction
        assert seen_by_another(module, path) == [("a",), ("b",)]
        in_thread(lambda: db.execute(INSERT, ("c", 2)))
        db.rollback()
        assert seen_by_another(module, path) == [("a",), ("b",)]


def test_threads_share_a_connection(tmp_path):
    """threadsafety 3: what threads do on one connection is done one after another."""
    n_threads, n = 6, 150
    db = ours.connect(tmp_path / "a.db", check_same_thread=False)
    db.execute("CREATE TABLE c (thread, i, UNIQUE (thread, i))")
    failures = []

    def work(me):
        try:
            for i in range(n):
                inserted = db.execute("INSERT INTO c VALUES (?, ?)", (me, i))
                assert inserted.rowcount == 1
                rows = db.execute("SELECT i FROM c WHERE thread = ?", (me,)).fetchall()
                assert rows == [(k,) for k in range(i + 1)]
                if i % 7 == me:
                    db.commit()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(me,)) for me in range(n_threads)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not failures
    db.commit()
    assert db.execute("SELECT count(*) FROM c").fetchone() == (n_threads * n,)
    assert db.total_changes == n_threads * n
    db.close()


def test_threads_share_a_cursor(tmp_path):
    """Each row of a shared cursor goes to one thread."""
    with closing(ours.connect(":memory:", check_same_thread=False)) as db:
        cursor = db.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n LIMIT 20000)"
            " SELECT i, 'row ' || i FROM n"
        )
        taken = []
        workers = [
            threading.Thread(target=lambda: taken.extend(list(cursor)))
            for _ in range(4)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(60)
        assert sorted(taken) == [(i, f"row {i}") for i in range(1, 20001)]

        def run():
            for i in range(300):
                cursor.execute("SELECT ?", (i,))
                for row in cursor.fetchall():
                    assert 0 <= row[0] < 300

        failures = []
        workers = [
            threading.Thread(target=lambda: failures.append(tried(run)))
            for _ in range(4)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(60)
        assert failures == [None] * 4


ENDLESS = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT max(i) FROM n"
)


def test_interrupt(tmp_path):
    with closing(ours.connect(tmp_path / "a.db")) as db:
        db.execute(TABLE)
        db.execute(INSERT, ("a", 1))
        timer = threading.Timer(0.2, db.interrupt)
        timer.start()
        with pytest.raises(ours.OperationalError):
            db.execute(ENDLESS)
        timer.join()
        assert db.in_transaction
        assert db.execute("SELECT name FROM t").fetchall() == [("a",)]


def test_closing_while_another_thread_runs(tmp_path):
    db = ours.connect(tmp_path / "a.db", check_same_thread=False)
    worker = threading.Thread(target=lambda: tried(db.execute, ENDLESS))
    worker.start()
    time.sleep(0.1)
    threading.Timer(0.2, db.interrupt).start()
    db.close()  # waits for what runs
    worker.join(30)
    assert not worker.is_alive()
    assert tried(db.execute, "SELECT 1") == "ProgrammingError"


FORK = """
import os, sys
import smartshopie_db.dbapi as sqlite3
path, open_transaction = sys.argv[1], sys.argv[2] == "open"
db = sqlite3.connect(path, check_same_thread=False)
db.execute("CREATE TABLE t (a)")
db.execute("INSERT INTO t VALUES (1)")
if not open_transaction:
    db.commit()
child = os.fork()
if child == 0:
    try:
        found = db.execute("SELECT a FROM t").fetchall()
        code = 10 + len(found)
    except sqlite3.OperationalError as error:
        code = 20 if "fork" in str(error) else 21
    os._exit(code)
code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
assert code == (20 if open_transaction else 11), code
db.execute("INSERT INTO t VALUES (2)")
db.commit()
assert db.execute("SELECT count(*) FROM t").fetchone() == (2,)
db.close()
"""


@pytest.mark.parametrize("transaction", ["open", "none"])
def test_fork(transaction, tmp_path):
    program = [sys.executable, "-c", FORK, str(tmp_path / "a.db"), transaction]
    subprocess.run(program, check=True, timeout=60)


FORK_MEANWHILE = """
import os, sys, threading, time
import smartshopie_db.dbapi as sqlite3
db = sqlite3.connect(sys.argv[1], check_same_thread=False)
db.execute("CREATE TABLE t (a)")
db.execute("INSERT INTO t VALUES (1)")
slow = ("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n LIMIT 1000000)"
        " SELECT max(i) FROM n")
ended = []
def work():
    db.execute(slow)
    ended.append(time.monotonic())
worker = threading.Thread(target=work)
worker.start()
time.sleep(0.1)
child = os.fork()
forked = time.monotonic()
if child == 0:
    os._exit(0)
os.waitpid(child, 0)
worker.join()
assert ended[0] < forked + 0.1, (ended, forked)  # the statement ended first
db.commit()
assert db.execute("SELECT a FROM t").fetchall() == [(1,)]
"""


def test_a_fork_waits_for_a_statement(tmp_path):
    program = [sys.executable, "-c", FORK_MEANWHILE, str(tmp_path / "a.db")]
    subprocess.run(program, check=True, timeout=60)


def test_importing_the_package_does_not_import_this():
    code = (
        "import sys, smartshopie_db; assert 'smartshopie_db.dbapi' not in sys.modules;"
        "import smartshopie_db.dbapi; assert 'sqlite3' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_a_long_log_is_folded_away(tmp_path):
    path = tmp_path / "a.db"
    with closing(ours.connect(path)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("CREATE TABLE big (a)")
        for _ in range(8):
            db.executemany("INSERT INTO big VALUES (?)", [(b"x" * 4000,)] * 400)
            db.commit()
        log = (tmp_path / "a.db-wal").stat().st_size
        assert log < 8 * 400 * 4096 / 2
    assert not (tmp_path / "a.db-wal").exists()


def test_a_row_made_while_its_cursor_runs_something_else(conn):
    """As a finalizer may do, whenever the collector comes by."""
    conn.row_factory = ours.Row
    cursor = conn.cursor()

    class Runs:
        def __init__(self):
            self.itself = self

        def __del__(self):
            cursor.execute("SELECT 1 AS x, 2 AS y")

    threshold = gc.get_threshold()
    gc.set_threshold(1)
    try:
        for _ in range(200):
            cursor.execute("SELECT 1 AS a UNION ALL SELECT 2")
            Runs()
            row = cursor.fetchone()
            assert row.keys() in (["a"], ["x", "y"])
    finally:
        gc.set_threshold(*threshold)
