"""Free SQL: query, execute, execute_query, cursors; transactions and snapshots."""

import contextlib
import datetime
import sqlite3
import threading

import oracle
import pytest
from schema_facts import TABLES

import smartshopie_db
from smartshopie_db import (
    ClosedError,
    DatabaseError,
    DataError,
    IntegrityError,
    OperationalError,
    ProgrammingError,
    SmartShopieDB,
)

SQL_ERROR = (ProgrammingError, OperationalError)


@pytest.fixture
def unchanged(demo):
    """The open demo database, which the test must leave as it was."""
    before = oracle.digest(demo.db_path)
    yield demo
    assert oracle.digest(demo.db_path) == before


def add_days(db, *numbers):
    for number in numbers:
        db.add_overview_kpis(
            record_date=f"2025-01-{number:02d}", total_customers=number
        )


def days(db):
    return [row.record_date.day for row in db.overview_kpis.select()]


# ---- query -----------------------------------------------------------------------

PLAIN_QUERIES = [
    ("SELECT * FROM conversion_funnel ORDER BY id", ()),
    ("SELECT count(*) AS n, sum(count) AS total FROM conversion_funnel", ()),
    ("SELECT stage_name FROM conversion_funnel WHERE count > ?", (5000,)),
    ("SELECT :a + :b AS c", {"a": 1, "b": 2.5}),
    ("SELECT @a AS a, $b AS b", {"a": None, "b": b"\x00\xff"}),
    ("SELECT 1 WHERE 0", ()),
    ("SELECT 9223372036854775807 AS big, -9223372036854775808 AS small", ()),
    ("SELECT 'a' AS t, 1 AS i, 1.5 AS r, NULL AS n, x'00' AS b", ()),
    ("VALUES (1, 'a'), (NULL, 'b')", ()),
    ("WITH t(x) AS (VALUES (3), (1), (2)) SELECT x FROM t ORDER BY x", ()),
    ("SELECT x FROM (SELECT 1 AS x UNION ALL SELECT 'two' UNION ALL SELECT NULL)", ()),
    ("SELECT '' AS empty, char(0) AS nul, char(128722) AS cart", ()),
    ("EXPLAIN QUERY PLAN SELECT * FROM overview_kpis", ()),
    ("PRAGMA table_info(overview_kpis)", ()),
    ("SELECT name FROM pragma_table_info('overview_kpis')", ()),
    ("  -- a comment\n SELECT 1 AS one; -- and one more\n", ()),
]


def stock_rows(path, sql, params):
    with oracle.connect(path) as db:
        cursor = db.execute(sql, params)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]


@pytest.mark.parametrize(("sql", "params"), PLAIN_QUERIES)
def test_execute_query_gives_what_the_standard_library_gives(unchanged, sql, params):
    got = unchanged.execute_query(sql, params)
    wanted = stock_rows(unchanged.db_path, sql, params)
    assert got == wanted
    assert [[type(cell) for cell in row.values()] for row in got] == [
        [type(cell) for cell in row.values()] for row in wanted
    ]
    assert all(type(row) is dict for row in got)


@pytest.mark.parametrize(("sql", "params"), PLAIN_QUERIES[1:9])
def test_query_gives_the_same_cells_as_rows(unchanged, sql, params):
    rows = unchanged.query(sql, params)
    wanted = stock_rows(unchanged.db_path, sql, params)
    assert [dict(row) for row in rows] == wanted
    assert len(rows) == len(wanted)


def test_parameters_have_numbers_too(unchanged):
    sql = "SELECT ?2 AS b, ?1 AS a, ?2 AS again"
    assert unchanged.execute_query(sql, (1, "x")) == [{"b": "x", "a": 1, "again": "x"}]


def test_query_types_the_columns_of_tables(demo):
    row = demo.query("SELECT record_date, created_at, count FROM conversion_funnel")[0]
    assert type(row.record_date) is datetime.date
    assert type(row.created_at) is datetime.datetime
    assert type(row["count"]) is int
    raw = demo.execute_query("SELECT record_date, created_at FROM conversion_funnel")[0]
    assert {type(cell) for cell in raw.values()} == {str}


def test_parameters_take_python_values(demo):
    values = (
        None,
        True,
        -5,
        1.5,
        "é\0",
        b"\0\1",
        bytearray(b"x"),
        memoryview(b"y"),
        datetime.date(2025, 1, 2),
        datetime.datetime(2025, 1, 2, 3, 4, 5, 6),
    )
    marks = ", ".join(f"?{n + 1} AS c{n}" for n in range(len(values)))
    got = demo.execute_query(f"SELECT {marks}", values)[0]
    assert list(got.values()) == [
        None,
        1,
        -5,
        1.5,
        "é\0",
        b"\0\1",
        b"x",
        b"y",
        "2025-01-02",
        "2025-01-02 03:04:05.000006",
    ]


@pytest.mark.parametrize(
    ("params", "error"),
    [
        ((), ProgrammingError),
        ((1, 2), ProgrammingError),
        ({"a": 1}, ProgrammingError),
        ((float("nan"),), ValueError),
        ((2**63,), OverflowError),
        (("\ud800",), ValueError),
        ((object(),), TypeError),
        ((...,), TypeError),
        (("a", "b"), ProgrammingError),
        ("a", TypeError),
        (5, TypeError),
        ({1: 2}, (TypeError, ProgrammingError)),
    ],
    ids=str,
)
def test_parameters_that_do_not_fit(unchanged, params, error):
    for run in (unchanged.query, unchanged.execute_query):
        with pytest.raises(error):
            run("SELECT ?", params)
    with pytest.raises(error):
        unchanged.execute("DELETE FROM overview_kpis WHERE id = ?", params)


def test_parameters_may_be_given_by_name(unchanged):
    assert unchanged.query(sql="SELECT ? AS a", params=(1,))[0].a == 1
    assert (
        unchanged.execute(sql="DELETE FROM usage_alerts WHERE id = ?", params=[-1]) == 0
    )
    assert unchanged.execute_query(query="SELECT ? AS a", params=[2]) == [{"a": 2}]


def test_a_named_parameter_that_is_missing_is_named(unchanged):
    with pytest.raises(ProgrammingError, match=":second"):
        unchanged.query("SELECT :first, :second", {"first": 1})


WRITES = [
    "INSERT INTO overview_kpis (record_date) VALUES ('2030-01-01')",
    "UPDATE overview_kpis SET total_customers = 1",
    "DELETE FROM overview_kpis",
    "DELETE FROM overview_kpis RETURNING id",
    "CREATE TABLE t (x)",
    "DROP TABLE overview_kpis",
    "ALTER TABLE overview_kpis ADD COLUMN x",
    "PRAGMA user_version = 5",
    "WITH x AS (SELECT 1) DELETE FROM overview_kpis",
    "REINDEX",
    "ANALYZE",
]
NEVER = [
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "SAVEPOINT s",
    "RELEASE s",
    "ATTACH DATABASE ':memory:' AS other",
    "ATTACH 'other.db' AS other",
    "DETACH main",
    "VACUUM",
    "VACUUM INTO 'copy.db'",
    "PRAGMA journal_mode = DELETE",
    "PRAGMA synchronous = OFF",
    "PRAGMA foreign_keys = OFF",
    "PRAGMA writable_schema = 1",
    "PRAGMA query_only = 0",
    "PRAGMA trusted_schema = 1",
    "PRAGMA wal_checkpoint",
    "PRAGMA mmap_size(268435456)",
    "PRAGMA cache_spill = 0",
]
BROKEN = [
    "",
    "   ",
    "-- nothing",
    "SELEC 1",
    "SELECT",
    "SELECT * FROM nowhere",
    "SELECT nothing FROM overview_kpis",
    'SELECT "no column"',
    "SELECT 1; SELECT 2",
    "SELECT 1; DELETE FROM overview_kpis",
    "SELECT load_extension('x')",
    "SELECT 1\0; DROP TABLE overview_kpis",
    "SELECT '\ud800'",
    "SELECT ss_sink(1)",
]


@pytest.mark.parametrize("sql", WRITES)
def test_query_only_reads(unchanged, sql):
    with pytest.raises(SQL_ERROR, match=r"execute\(\)|read|PRAGMA"):
        unchanged.query(sql)


@pytest.mark.parametrize("sql", NEVER)
def test_no_free_sql_ends_transactions_or_changes_settings(unchanged, sql):
    for run in (unchanged.query, unchanged.execute, unchanged.execute_query):
        with pytest.raises(DatabaseError):
            run(sql)
        with pytest.raises(DatabaseError), unchanged.transaction():
            run(sql)
    with unchanged.get_cursor() as cursor, pytest.raises(DatabaseError):
        cursor.execute(sql)
    for name, value in {"foreign_keys": 1, "trusted_schema": 0}.items():
        assert unchanged.execute_query(f"PRAGMA {name}") == [{name: value}]


@pytest.mark.parametrize("sql", BROKEN)
def test_broken_sql_is_a_typed_error(unchanged, sql):
    for run in (unchanged.query, unchanged.execute, unchanged.execute_query):
        with pytest.raises((DatabaseError, ValueError)):
            run(sql)


@pytest.mark.parametrize("sql", [None, 5, b"SELECT 1", ["SELECT 1"], ...])
def test_sql_is_text(unchanged, sql):
    for run in (unchanged.query, unchanged.execute, unchanged.execute_query):
        with pytest.raises(TypeError):
            run(sql)


def test_an_error_of_sqlite_tells_its_code(unchanged):
    with pytest.raises(ProgrammingError, match="nowhere") as caught:
        unchanged.query("SELECT * FROM nowhere")
    assert caught.value.sqlite_errorcode == sqlite3.SQLITE_ERROR
    assert caught.value.sqlite_errorname == "SQLITE_ERROR"


def test_a_cell_that_its_declared_type_cannot_hold(tmp_path):
    path = tmp_path / "old.db"
    oracle.run(
        path,
        "CREATE TABLE overview_kpis (id INTEGER PRIMARY KEY, record_date DATE)",
        "INSERT INTO overview_kpis VALUES (1, 'soon')",
    )
    with SmartShopieDB(path) as db:
        sql = "SELECT record_date FROM overview_kpis"
        with pytest.raises(DataError, match="soon"):
            db.query(sql)
        rows = db.query(sql, strict=False)
        assert rows[0].record_date is None
        assert len(rows.notes) == 1
        assert db.execute_query(sql) == [{"record_date": "soon"}]


def test_text_that_is_no_utf8_is_a_data_error(tmp_path):
    path = tmp_path / "old.db"
    oracle.run(
        path,
        "CREATE TABLE usage_alerts (level TEXT, title TEXT)",
        "INSERT INTO usage_alerts VALUES (CAST(x'ff41' AS TEXT), 'ok')",
    )
    with SmartShopieDB(path) as db:
        for read in (
            lambda: db.query("SELECT level FROM usage_alerts")[0].level,
            lambda: db.execute_query("SELECT level FROM usage_alerts"),
            lambda: db.usage_alerts.select()[0].level,
        ):
            with pytest.raises(DataError):
                read()
        assert db.usage_alerts.select(columns=["title"])[0].title == "ok"


# ---- execute ---------------------------------------------------------------------


def test_execute_counts_the_rows_changed(db):
    add_days(db, 1, 2, 3)
    run = db.execute
    assert run("UPDATE overview_kpis SET total_customers = total_customers + 1") == 3
    assert run("UPDATE overview_kpis SET total_customers = 0 WHERE id > ?", (1,)) == 2
    assert run("DELETE FROM overview_kpis WHERE id = :id", {"id": 3}) == 1
    assert run("DELETE FROM overview_kpis WHERE id = 77") == 0
    assert run("INSERT INTO overview_kpis (record_date) VALUES (?), (?)",
               ("2025-02-01", datetime.date(2025, 2, 2))) == 2  # fmt: skip
    assert run("CREATE TABLE t (x)") == 0
    assert run("SELECT * FROM overview_kpis") == 0
    assert len(days(db)) == 4


def test_a_failed_statement_changes_nothing(db):
    add_days(db, 1, 2)
    before = oracle.digest(db.db_path)
    with pytest.raises(IntegrityError):
        db.execute("UPDATE overview_kpis SET total_customers = id - 2")
    with pytest.raises(IntegrityError):
        db.execute("UPDATE overview_kpis SET record_date = '2025-03-01'")
    assert oracle.digest(db.db_path) == before


def test_execute_query_writes_too(db):
    sql = "INSERT INTO overview_kpis (record_date) VALUES (?)"
    assert db.execute_query(sql, ("2025-01-05",)) == []
    assert db.execute_query("DELETE FROM overview_kpis RETURNING record_date") == [
        {"record_date": "2025-01-05"}
    ]
    assert days(db) == []


def test_a_table_of_ones_own(db):
    db.execute("CREATE TABLE notes (id INTEGER PRIMARY KEY, at TIMESTAMP, text TEXT)")
    db.execute(
        "INSERT INTO notes (at, text) VALUES (?, ?)",
        (datetime.datetime(2025, 1, 1), "x"),
    )
    row = db.query("SELECT * FROM notes")[0]
    assert dict(row) == {"id": 1, "at": datetime.datetime(2025, 1, 1), "text": "x"}
    assert db.execute("DROP TABLE notes") == 0
    with pytest.raises(SQL_ERROR):
        db.query("SELECT * FROM notes")


def test_a_changed_schema_is_seen_by_prepared_statements(db):
    db.execute("CREATE TABLE notes (a)")
    db.execute("INSERT INTO notes VALUES (1)")
    assert db.execute_query("SELECT * FROM notes") == [{"a": 1}]
    db.execute("ALTER TABLE notes ADD COLUMN b DEFAULT 2")
    assert db.execute_query("SELECT * FROM notes") == [{"a": 1, "b": 2}]
    oracle.run(db.db_path, "ALTER TABLE notes RENAME a TO c")
    assert db.execute_query("SELECT * FROM notes") == [{"c": 1, "b": 2}]


# ---- cursors ---------------------------------------------------------------------


def test_a_cursor_reads_like_the_standard_one(demo):
    sql = "SELECT id, stage_name, count FROM conversion_funnel WHERE id > ? ORDER BY id"
    with oracle.connect(demo.db_path) as stock, demo.get_cursor() as cursor:
        wanted = stock.execute(sql, (1,))
        assert cursor.execute(sql, (1,)) is cursor
        assert cursor.description == wanted.description
        rows = wanted.fetchall()
        assert [tuple(row) for row in cursor.fetchall()] == rows
        assert cursor.fetchall() == []
        assert cursor.fetchone() is None
        assert [tuple(row) for row in cursor.execute(sql, (1,))] == rows
        cursor.execute(sql, (1,))
        assert tuple(cursor.fetchone()) == rows[0]
        assert [tuple(row) for row in cursor.fetchmany(2)] == rows[1:3]
        assert [tuple(row) for row in cursor.fetchmany()] == rows[3:4]
        assert cursor.rowcount == -1


def test_a_row_of_a_cursor_has_positions_and_names(demo):
    with demo.get_cursor() as cursor:
        sql = "SELECT stage_name, count FROM conversion_funnel ORDER BY stage_order"
        row = cursor.execute(sql).fetchone()
    name, count = row
    assert row[0] == row["stage_name"] == row["STAGE_NAME"] == row[-2] == name
    assert row[1] == row["count"] == count
    assert row[:2] == (name, count)
    assert list(row.keys()) == ["stage_name", "count"]
    assert len(row) == 2
    assert dict(row) == {"stage_name": name, "count": count}
    for missing in (2, -3, "nothing"):
        with pytest.raises(IndexError):
            row[missing]


def test_a_cursor_gives_raw_stored_values(demo):
    with demo.get_cursor() as cursor:
        cursor.execute("SELECT record_date FROM overview_kpis")
        assert type(cursor.fetchone()[0]) is str


def test_a_cursor_commits_at_the_end_of_its_block(db):
    insert = "INSERT INTO overview_kpis (record_date) VALUES (?)"
    with db.get_cursor() as cursor:
        cursor.execute(insert, ("2025-01-01",))
        assert (cursor.lastrowid, cursor.rowcount) == (1, 1)
        cursor.executemany(insert, [("2025-01-02",), ("2025-01-03",)])
        assert cursor.rowcount == 2
        cursor.execute("SELECT count(*) FROM overview_kpis")
        assert cursor.fetchone()[0] == 3
        assert oracle.counts(db.db_path)["overview_kpis"] == 0
    assert oracle.counts(db.db_path)["overview_kpis"] == 3
    with pytest.raises(ProgrammingError):
        cursor.execute("SELECT 1")


def test_a_cursor_rolls_back_after_an_exception(db):
    insert = "INSERT INTO overview_kpis (record_date) VALUES (?)"
    with pytest.raises(KeyError), db.get_cursor() as cursor:
        cursor.execute(insert, ("2025-01-01",))
        raise KeyError
    with pytest.raises(KeyError), db.get_cursor() as cursor:
        cursor.executemany(insert, [("2025-01-01",), ("2025-01-02",)])
        raise KeyError
    with pytest.raises(IntegrityError), db.get_cursor() as cursor:
        cursor.executemany(insert, [("2025-01-01",), ("2025-01-01",)])
    assert oracle.counts(db.db_path)["overview_kpis"] == 0
    add_days(db, 1)
    assert days(db) == [1]


def test_executemany_is_all_or_nothing(db):
    insert = "INSERT INTO overview_kpis (record_date) VALUES (?)"
    with db.get_cursor() as cursor:
        cursor.execute(insert, ("2025-01-09",))
        with pytest.raises(IntegrityError):
            cursor.executemany(insert, [("2025-01-01",), ("2025-01-01",)])
        with pytest.raises(ZeroDivisionError):
            cursor.executemany(insert, ((f"2025-01-0{1 // n}",) for n in (1, 0)))
    assert days(db) == [9]


def test_a_reading_cursor_does_not_keep_others_from_writing(db):
    with db.get_cursor() as cursor:
        cursor.execute("SELECT 1")
        other = threading.Thread(target=add_days, args=(db, 1))
        other.start()
        other.join(10)
        assert not other.is_alive()
    assert days(db) == [1]


def test_a_cursor_closes(db):
    with db.get_cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.close()
        cursor.close()
        with pytest.raises(ProgrammingError):
            cursor.fetchone()


# ---- transactions ----------------------------------------------------------------


def test_a_transaction_commits_all_at_its_end(db):
    with db.transaction() as inside:
        assert inside is db
        add_days(db, 1, 2)
        assert days(db) == [1, 2]
        assert db.get_overview_kpis().total_customers == 2
        assert len(db.query("SELECT 1 FROM overview_kpis")) == 2
        assert oracle.counts(db.db_path)["overview_kpis"] == 0
    assert oracle.counts(db.db_path)["overview_kpis"] == 2


def test_a_transaction_rolls_back_after_an_exception(db):
    add_days(db, 1)
    before = oracle.digest(db.db_path)
    with pytest.raises(KeyError), db.transaction():
        add_days(db, 2)
        db.overview_kpis.delete(1)
        db.execute("CREATE TABLE t (x)")
        raise KeyError
    assert days(db) == [1]
    assert oracle.digest(db.db_path) == before
    add_days(db, 3)
    assert days(db) == [1, 3]


def test_a_failed_add_inside_leaves_the_rest(db):
    with db.transaction():
        add_days(db, 1)
        with pytest.raises(IntegrityError):
            db.add_overview_kpis(record_date="2025-01-02", total_customers=-1)
        with pytest.raises(TypeError):
            db.add_overview_kpis()
        with pytest.raises(SQL_ERROR):
            db.execute("INSERT INTO nowhere VALUES (1)")
        add_days(db, 3)
    assert days(db) == [1, 3]


def test_transactions_nest(db):
    with db.transaction():
        add_days(db, 1)
        with contextlib.suppress(KeyError), db.transaction():
            add_days(db, 2)
            with db.transaction():
                add_days(db, 3)
            assert days(db) == [1, 2, 3]
            raise KeyError
        assert days(db) == [1]
        with db.transaction():
            add_days(db, 4)
            with contextlib.suppress(KeyError), db.transaction():
                add_days(db, 5)
                raise KeyError
        add_days(db, 6)
    assert days(db) == [1, 4, 6]
    with pytest.raises(KeyError), db.transaction():
        with db.transaction():
            add_days(db, 7)
        raise KeyError
    assert days(db) == [1, 4, 6]


def test_one_block_object_may_be_used_again(db):
    block = db.transaction()
    for number in (1, 2):
        with block:
            add_days(db, number)
    assert days(db) == [1, 2]


def test_ending_what_was_not_begun(db):
    with pytest.raises(ProgrammingError):
        db.transaction().__exit__(None, None, None)
    with pytest.raises(ProgrammingError):
        db.snapshot().__exit__(None, None, None)
    add_days(db, 1)


def add_in_a_block(db, number):
    with db.transaction():
        add_days(db, number)
        yield
        add_days(db, number + 10)


@pytest.mark.parametrize("fails", [False, True])
def test_blocks_that_cross_are_rolled_back_as_one(db, fails):
    """Neither can be taken back, nor kept, without rows of the other."""
    first, second = add_in_a_block(db, 1), add_in_a_block(db, 2)
    next(first), next(second)
    with pytest.raises(KeyError if fails else ProgrammingError):
        first.throw(KeyError) if fails else next(first)
    with pytest.raises(ProgrammingError, match="in another order"):
        next(second)
    assert days(db) == []
    with db.transaction():
        add_days(db, 3)
    assert oracle.counts(db.db_path)["overview_kpis"] == 1


def test_ending_a_block_twice_does_not_end_the_one_around_it(db):
    with pytest.raises(KeyError), db.transaction():
        inner = db.transaction()
        with inner:
            add_days(db, 1)
        with pytest.raises(ProgrammingError, match="is not open"):
            inner.__exit__(None, None, None)
        raise KeyError
    assert days(db) == []


def test_a_cursor_whose_end_failed_is_closed(db):
    insert = "INSERT OR ROLLBACK INTO overview_kpis (record_date) VALUES (?)"
    told = pytest.raises(ProgrammingError, match="nothing was committed")
    with told, db.get_cursor() as cursor:
        cursor.execute(insert, ("2025-01-01",))
        with pytest.raises(IntegrityError):
            cursor.execute(insert, ("2025-01-01",))
    with pytest.raises(ProgrammingError, match="closed"):
        cursor.execute(insert, ("2025-01-02",))
    assert oracle.counts(db.db_path)["overview_kpis"] == 0


def test_cursors_begin_and_end_in_any_order(db):
    insert = "INSERT INTO overview_kpis (record_date) VALUES (?)"
    with db.get_cursor() as outer, db.get_cursor() as inner:
        inner.execute(insert, ("2025-01-01",))
        outer.execute(insert, ("2025-01-02",))
    assert oracle.counts(db.db_path)["overview_kpis"] == 2


def test_another_thread_does_not_see_the_transaction_and_waits(db):
    add_days(db, 1)
    order = []

    def other():
        order.append(("read", days(db)))
        add_days(db, 3)
        order.append(("added", days(db)))

    with db.transaction():
        add_days(db, 2)
        thread = threading.Thread(target=other)
        thread.start()
        thread.join(0.3)
        assert thread.is_alive()
        assert order == [("read", [1])]
        order.append("committing")
    thread.join(10)
    assert order == [("read", [1]), "committing", ("added", [1, 2, 3])]


def test_a_transaction_belongs_to_the_thread_that_began_it(db):
    errors = []

    def end():
        try:
            db.transaction().__exit__(None, None, None)
        except ProgrammingError as error:
            errors.append(error)

    with db.transaction():
        add_days(db, 1)
        thread = threading.Thread(target=end)
        thread.start()
        thread.join()
    assert len(errors) == 1
    assert days(db) == [1]


def test_close_inside_a_transaction_is_refused(db):
    for block in (db.transaction, db.snapshot):
        with block():
            with pytest.raises(ProgrammingError, match="close"):
                db.close()
            with pytest.raises(ProgrammingError):
                db.__exit__(None, None, None)
            db.get_overview_kpis()
    add_days(db, 1)
    assert days(db) == [1]


def test_a_transaction_of_a_closed_database(db):
    block = db.transaction()
    db.close()
    with pytest.raises(ClosedError), block:
        pass


def test_a_transaction_in_memory():
    with SmartShopieDB(":memory:") as db:
        with db.transaction():
            add_days(db, 1)
        with contextlib.suppress(KeyError), db.transaction():
            add_days(db, 2)
            raise KeyError
        assert days(db) == [1]


def test_every_writer_works_inside_a_transaction(db):
    with db.transaction():
        for table in TABLES.values():
            getattr(db, table.adder)(**table.row(1))
            record = getattr(smartshopie_db, table.record)(**table.row(2))
            db.add(record)
            assert getattr(db, table.name).count() == 2
        db.overview_kpis.update(1, total_customers=5)
        db.overview_kpis.delete(2)
        with db.get_cursor() as cursor:
            cursor.execute("UPDATE overview_kpis SET total_customers = 6")
        assert db.get_overview_kpis().total_customers == 6
    counts = oracle.counts(db.db_path)
    assert counts.pop("overview_kpis") == 1
    assert set(counts.values()) == {2}


def test_a_transaction_rolled_back_by_a_timeout_is_dead(db):
    slow = (
        "UPDATE overview_kpis SET total_customers = (WITH RECURSIVE c(x) AS (SELECT 1"
        " UNION ALL SELECT x + 1 FROM c) SELECT max(x) FROM c)"
    )
    add_days(db, 1)
    with pytest.raises(ProgrammingError, match="rolled"), db.transaction():
        add_days(db, 2)
        with pytest.raises(OperationalError):
            db.execute(slow, timeout=0.05)
        for _ in range(2):
            with pytest.raises(ProgrammingError, match="rolled back"):
                add_days(db, 3)
    assert days(db) == [1]
    add_days(db, 4)
    assert days(db) == [1, 4]


def test_a_query_that_was_stopped_leaves_the_transaction(db):
    endless = (
        "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c)"
        " SELECT max(x) FROM c"
    )
    with db.transaction():
        add_days(db, 1)
        with pytest.raises(OperationalError):
            db.query(endless, timeout=0.05)
        add_days(db, 2)
    assert days(db) == [1, 2]


# ---- snapshots -------------------------------------------------------------------


def test_a_snapshot_sees_one_state(db):
    add_days(db, 1)
    with db.snapshot() as view:
        assert view is db
        oracle.run(
            db.db_path, "INSERT INTO overview_kpis (record_date) VALUES ('2025-01-02')"
        )
        assert days(db) == [1]
        assert db.overview_kpis.count() == 1
        assert db.execute_query("SELECT count(*) AS n FROM overview_kpis") == [{"n": 1}]
        with db.snapshot():
            assert days(db) == [1]
        thread_saw = []
        thread = threading.Thread(target=lambda: thread_saw.append(days(db)))
        thread.start()
        thread.join()
        assert thread_saw == [[1, 2]]
        assert days(db) == [1]
    assert days(db) == [1, 2]


def test_a_snapshot_is_fixed_when_it_begins(db):
    with db.snapshot():
        oracle.run(
            db.db_path, "INSERT INTO overview_kpis (record_date) VALUES ('2025-01-02')"
        )
        assert days(db) == []
    assert days(db) == [2]


def test_a_snapshot_ends_with_its_exception(db):
    with pytest.raises(KeyError), db.snapshot():
        raise KeyError
    add_days(db, 1)
    assert days(db) == [1]


def test_writing_inside_a_snapshot_goes_to_the_database(db):
    with db.snapshot():
        add_days(db, 1)
        assert days(db) == []
    assert days(db) == [1]


def test_a_snapshot_inside_a_transaction_is_refused(db):
    with db.transaction():
        add_days(db, 1)
        with pytest.raises(ProgrammingError), db.snapshot():
            pass
    assert days(db) == [1]


def test_vacuum_says_what_does_it(db):
    with pytest.raises(ProgrammingError, match=r"use db\.optimize\(vacuum=True\)"):
        db.execute("VACUUM")
