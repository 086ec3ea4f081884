"""Faults that were found once, each by the shortest way to it."""

import contextlib
import datetime
import signal
import threading
import time

import oracle
import pytest

from smartshopie_db import (
    OperationalError,
    ProgrammingError,
    SchemaError,
    SmartShopieDB,
)

MINUTE = "2025-01-01 00:00:00"
FOREVER = (
    "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) "
    "SELECT max(x) AS x FROM c"
)


@pytest.fixture
def db(path):
    with SmartShopieDB(path) as opened:
        yield opened


@pytest.mark.parametrize("call", ["ss_sink()", "ss_sink(1)", "ss_sink(NULL, 2)"])
def test_the_sink_is_not_for_sql(db, call):
    with pytest.raises(ProgrammingError):
        db.query(f"SELECT {call} FROM sqlite_schema")


def test_a_cursor_closed_in_its_block_still_commits(db, path):
    with db.get_cursor() as cursor:
        cursor.execute(
            "INSERT INTO realtime_metrics(recorded_at) VALUES (?)", (MINUTE,)
        )
        cursor.close()
    db.add_realtime_metric(recorded_at="2025-01-01 00:01:00")
    assert oracle.run(path, "SELECT count(*) FROM realtime_metrics") == [(2,)]
    assert db.stats()["leases_out"] == 0


def test_a_thread_does_not_inherit_the_block_of_one_that_ended(path):
    db = SmartShopieDB(path, busy_timeout=0.2)

    def block():
        with db.transaction():
            yield

    held = block()
    for work in (lambda: next(held), None):
        results = []
        if work is None:

            def work(results=results):
                try:
                    results.append(db.execute("DELETE FROM realtime_metrics"))
                except OperationalError as error:
                    results.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert isinstance(results[0], OperationalError)  # it waited, and was not let in
    held.close()  # the block ends, in another thread
    assert db.stats()["leases_out"] == 0
    db.add_realtime_metric(recorded_at=MINUTE)
    db.close()


@pytest.mark.parametrize("change", ["extend", "clear"])
def test_parameters_are_copied_before_code_can_change_them(db, change):
    class Zone(datetime.tzinfo):
        def utcoffset(self, moment):
            params.extend([1] * 100) if change == "extend" else params.clear()
            return datetime.timedelta(0)

    params = [datetime.datetime(2025, 1, 1, tzinfo=Zone()), "b" * 50]
    rows = db.query("SELECT ? AS a, ? AS b", params)
    assert rows[0].b == "b" * 50


def test_tables_dropped_in_a_transaction_that_failed_are_there(db):
    with contextlib.suppress(RuntimeError), db.transaction():
        db.execute("DROP TABLE product_gaps")
        assert db.product_gaps.count() == 0
        raise RuntimeError
    db.add_product_gap(record_date="2025-01-01", product_name="x")
    assert db.product_gaps.count() == 1


def test_a_schema_that_cannot_be_used_is_not_committed(db):
    db.execute("ALTER TABLE usage_alerts RENAME TO old_alerts")
    with pytest.raises(SchemaError, match="usage_alerts"):
        db.execute("CREATE VIEW usage_alerts AS SELECT 1")
    assert (
        db.query("SELECT count(*) AS n FROM sqlite_schema WHERE type='view'")[0].n == 0
    )


@pytest.mark.parametrize("use", ["close", "execute"])
def test_a_signal_handler_cannot_use_the_database_in_mid_call(path, use):
    db = SmartShopieDB(path).connect()

    def handler(number, frame):
        db.close() if use == "close" else db.execute("DELETE FROM product_gaps")

    before = signal.signal(signal.SIGALRM, handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with pytest.raises(ProgrammingError, match="signal handler"):
            db.query(FOREVER, timeout=20)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert db.query("SELECT 1 AS one")[0].one == 1
    db.close()


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TEMP TABLE realtime_metrics(x)",
        "CREATE TEMP VIEW overview_kpis AS SELECT 1",
        "CREATE TEMP TRIGGER t AFTER INSERT ON usage_alerts BEGIN SELECT 1; END",
    ],
)
def test_nothing_temporary_hides_a_table(db, sql):
    with pytest.raises(ProgrammingError, match="temporary"):
        db.execute(sql)


def test_a_pragma_does_not_act_from_a_table(db):
    with pytest.raises(ProgrammingError, match="PRAGMA"):
        db.query("SELECT * FROM pragma_optimize")
    assert db.query("SELECT count(*) AS n FROM pragma_table_info('usage_alerts')")[0].n


def test_a_script_with_a_nul_is_refused_whole(db, tmp_path):
    script = tmp_path / "s.sql"
    script.write_text("CREATE TABLE a(x);\0CREATE TABLE b(x);")
    with pytest.raises(ValueError, match="NUL"):
        db.initialize_database(script)
    assert "a" not in {row.name for row in db.query("SELECT name FROM sqlite_schema")}
    with pytest.raises(ValueError, match="NUL"):
        db.query("SELECT :a", {"a\0b": 1})


@pytest.mark.timed
def test_setting_up_an_empty_file_obeys_busy_timeout(tmp_path):
    path = tmp_path / "empty.db"
    oracle.run(path, "CREATE TABLE t(x)", "DROP TABLE t")
    with oracle.connect(path) as other:
        other.execute("BEGIN")
        other.execute("SELECT * FROM sqlite_schema").fetchall()
        started = time.monotonic()
        with pytest.raises(OperationalError):
            SmartShopieDB(path, busy_timeout=0.2).connect()
        assert time.monotonic() - started < 5


def test_the_end_of_time_is_a_bound(db):
    db.add_realtime_metric(recorded_at=MINUTE)
    assert len(db.realtime_metrics.select(end=datetime.datetime.max)) == 1
    assert len(db.realtime_metrics.select(as_of=datetime.date.max)) == 1


def test_a_subclass_may_have_an_init_of_its_own(path):
    class Shop(SmartShopieDB):
        def __init__(self, folder, name):
            super().__init__(folder / name, readers=2)
            self.name = name

    with Shop(path.parent, path.name) as shop:
        assert shop.db_path == str(path)
        assert shop.get_overview_kpis() is None
        shop.__init__(path.parent, "other.db")  # once made, it stays what it is
        assert shop.db_path == str(path)
    with pytest.raises(TypeError, match="nam"):
        SmartShopieDB(path, nam=1)


def test_a_condition_on_an_absent_column_deletes_nothing(tmp_path):
    path = tmp_path / "old.db"
    oracle.run(
        path,
        "CREATE TABLE overview_kpis(id INTEGER PRIMARY KEY, record_date DATE)",
        "INSERT INTO overview_kpis(record_date) VALUES ('2025-01-01')",
    )
    with SmartShopieDB(path) as db:
        with pytest.raises(SchemaError, match="conversion_rate"):
            db.overview_kpis.delete({"conversion_rate": None})
        assert db.overview_kpis.count() == 1


def test_connect_waits_for_a_close_under_way(path):
    db = SmartShopieDB(path).connect()
    inside, leave = threading.Event(), threading.Event()

    def block():
        with db.transaction():
            inside.set()
            leave.wait(10)
            db.add_realtime_metric(recorded_at=MINUTE)  # a block may end its work

    holder = threading.Thread(target=block)
    holder.start()
    inside.wait(10)
    closer = threading.Thread(target=db.close)
    closer.start()
    time.sleep(0.1)
    threading.Timer(0.2, leave.set).start()
    assert db.connect() is db
    assert db.realtime_metrics.count() == 1
    closer.join()
    holder.join()
    db.close()
