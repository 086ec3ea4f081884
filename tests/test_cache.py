"""Answers given again: only while they are true, always then, within their bytes."""

import datetime
import gc
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
import weakref

import layouts
import oracle
import pytest

from smartshopie_db import (
    ClosedError,
    Error,
    OverviewKPI,
    ProgrammingError,
    ReplacedError,
    SmartShopieDB,
)

DAY = datetime.date(2025, 1, 1)
CHANGE = "UPDATE overview_kpis SET total_customers = total_customers + 1"
LIMIT = 64 * 1024 * 1024


def fill(db, days=5):
    for n in range(days):
        db.add_overview_kpis(
            record_date=DAY + datetime.timedelta(n), total_customers=100 + n
        )


@pytest.fixture
def db(path):
    with SmartShopieDB(path) as db:
        fill(db)
        yield db


@pytest.fixture
def old_file(tmp_path):
    """A file with a rollback journal and some rows."""
    path = layouts.build(tmp_path / "old.db", next(iter(layouts.LAYOUTS)))
    oracle.run(path, "UPDATE overview_kpis SET total_customers = 100")
    return path


def total(db):
    return sum(row.total_customers or 0 for row in db.overview_kpis.select())


def compared(db, to):
    """All days from the first that is filled on, and others."""
    last = datetime.date(2099, 12, 31)
    return db.compare("overview_kpis", "total_customers", start=DAY, end=last, to=to)


def newest(db):
    return db.get_overview_kpis().total_customers


def elsewhere(path, *statements):
    """The same, committed by another process before this returns."""
    code = (
        "import sqlite3, sys\n"
        "db = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=10)\n"
        "for sql in sys.argv[2:]: db.execute(sql).fetchall()\n"
        "db.close()"
    )
    subprocess.run([sys.executable, "-c", code, path, *statements], check=True)


# ---- what is the same ------------------------------------------------------------


ASKED = {
    "a record": lambda db: db.get_overview_kpis(),
    "a record of a day": lambda db: db.get_overview_kpis(DAY),
    "of a day as text": lambda db: db.get_overview_kpis("2025-01-01"),
    "of a day by name": lambda db: db.get_overview_kpis(date="2025-01-01"),
    "rows": lambda db: db.overview_kpis.select(),
    "some columns": lambda db: db.overview_kpis.select(columns=["id", "record_date"]),
    "a window": lambda db: db.overview_kpis.select(start=DAY, limit=3, order_by="-id"),
    "a filter": lambda db: db.overview_kpis.select(total_customers=103),
    "a period": lambda db: db.get_conversion_trends(period="30d"),
    "an instant": lambda db: db.realtime_metrics.select(
        start=datetime.datetime(2025, 1, 1, 12)
    ),
    "by id": lambda db: db.overview_kpis.get(2),
    "the latest": lambda db: db.overview_kpis.latest(),
    "a count": lambda db: db.overview_kpis.count(start="2025-01-03"),
    "a query": lambda db: db.query("SELECT total_customers FROM overview_kpis"),
    "with values": lambda db: db.query("SELECT ? AS a, ? AS b", (1, "x")),
    "with names": lambda db: db.query("SELECT :a AS a", {"a": b"\x00"}),
    "lenient": lambda db: db.overview_kpis.select(strict=False),
    "in time": lambda db: db.overview_kpis.select(timeout=5),
    "a series": lambda db: db.series("overview_kpis", "rows", period="30d"),
    "of days given": lambda db: db.series(
        "overview_kpis", "total_customers", start=DAY, as_of=DAY
    ),
    "a comparison": lambda db: compared(db, "previous_period"),
    "with other days": lambda db: compared(db, "previous_year"),
    "a ranking": lambda db: db.top(
        "customer_interactions", "rows", 3, by="interaction_type", period="30d"
    ),
}


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
def test_the_same_object_is_given_again(db, ask):
    first = ask(db)
    before = db.stats()["cache_hits"]
    assert ask(db) is first
    assert db.stats()["cache_hits"] == before + 1
    with SmartShopieDB(db.db_path, cache=False) as plain:
        assert ask(plain) == first


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
def test_without_a_cache_it_is_not(path, ask):
    with SmartShopieDB(path, cache=False) as db:
        fill(db)
        first = ask(db)
        again = ask(db)
        assert again == first
        assert again is not first or isinstance(first, int | None)
        assert db.stats()["cache_hits"] == db.stats()["cache_limit"] == 0


def test_none_is_an_answer(db):
    assert db.get_revenue_summary() is None
    before = db.stats()["cache_hits"]
    assert db.get_revenue_summary() is None
    assert db.stats()["cache_hits"] == before + 1


DIFFERENT = [
    [1, 1.0, "1", b"1", True, None],
    [0, 0.0, -0.0, False, ""],
    [DAY, "2025-01-01", datetime.datetime(2025, 1, 1)],
    [float("inf"), 2**62, -1],
]


@pytest.mark.parametrize("values", DIFFERENT)
def test_a_value_is_asked_with_its_type(db, values):
    def ask(value):
        return db.query("SELECT ? AS value, typeof(?1) AS type", (value,))

    rows = [ask(value) for value in values]
    assert len({id(answer) for answer in rows}) == len(values)
    assert [ask(value) for value in values] == rows
    with SmartShopieDB(db.db_path, cache=False) as plain:
        for value, answer in zip(values, rows, strict=True):
            rows = plain.query("SELECT ? AS value, typeof(?1) AS type", (value,))
            assert repr(rows.to_list()) == repr(answer.to_list())


def test_what_differs_otherwise(db):
    select = db.overview_kpis.select
    answers = [
        select(),
        select(limit=1),
        select(offset=1),
        select(limit=1, offset=1),
        select(columns="id"),
        select(columns=("id", "record_date")),
        select(columns=("record_date", "id")),
        select(start="2025-01-01"),
        select(end="2025-01-01"),
        select(strict=False),
        db.conversion_funnel.select(),
        db.get_conversion_funnel(),
        db.query("SELECT * FROM overview_kpis"),
        db.query("SELECT * FROM overview_kpis "),
        db.query("SELECT :a, :b", {"a": 1, "b": 2}),
        db.query("SELECT :a, :b", {"a": 2, "b": 1}),
        db.query("SELECT ?, ?", [1, 2]),
        db.query("SELECT ?, ?", [2, 1]),
    ]
    assert len({id(answer) for answer in answers}) == len(answers)
    assert select(columns=["id", "record_date"]) is answers[5]  # a list or a tuple
    assert db.query("SELECT ?, ?", (1, 2)) is answers[-2]


class Text(str):
    def __eq__(self, other):
        raise AssertionError("Python code ran")

    __hash__ = str.__hash__


class Zone(datetime.tzinfo):
    def utcoffset(self, when):
        return datetime.timedelta(hours=1)


NOT_KEPT = {
    "a subclass of str": lambda db: db.get_overview_kpis(Text("2025-01-01")),
    "a time zone": lambda db: db.realtime_metrics.select(
        start=datetime.datetime(2025, 1, 1, tzinfo=Zone())
    ),
    "very many values": lambda db: db.query(
        f"SELECT {','.join('?' * 200)}", list(range(200))
    ),
    "an iterator": lambda db: db.query("SELECT ?", iter([1])),
}


@pytest.mark.parametrize("ask", NOT_KEPT.values(), ids=NOT_KEPT)
def test_other_arguments_are_taken_and_not_kept(db, ask):
    assert ask(db) is not None
    entries = db.stats()["cache_entries"]
    assert ask(db) is not None
    assert db.stats()["cache_entries"] == entries


def test_a_list_may_change_afterwards(db):
    columns, values = ["id"], [1]
    rows = db.overview_kpis.select(columns=columns)
    answer = db.query("SELECT ? AS a", values)
    columns.append("record_date")
    values[0] = 2
    assert db.overview_kpis.select(columns=columns) is not rows
    assert db.query("SELECT ? AS a", values)[0].a == 2
    assert db.query("SELECT ? AS a", [1]) is answer


def test_an_error_is_raised_each_time(db):
    for _ in range(3):
        with pytest.raises(ValueError, match="limit"):
            db.overview_kpis.select(limit=-1)
        with pytest.raises(ProgrammingError):
            db.query("SELECT nothing")
        with pytest.raises(TypeError):
            db.get_overview_kpis(1)
        with pytest.raises(TypeError):
            db.overview_kpis.get(True)
    assert db.overview_kpis.get(1).id == 1
    assert db.stats()["cache_entries"] == 1


# ---- SQL that says more than the content -----------------------------------------


VARYING = [
    "SELECT random() AS x",
    "SELECT hex(randomblob(8)) AS x",
    "SELECT x FROM (SELECT abs(random()) AS x)",
    "WITH c AS (SELECT random() AS x) SELECT x FROM c",
    "SELECT id FROM overview_kpis ORDER BY random()",
    "SELECT CURRENT_TIMESTAMP AS x",
    "SELECT current_date AS x",
    "SELECT date('now') AS x",
    "SELECT strftime('%f', 'now') AS x",
    "SELECT julianday('now') AS x",
    "SELECT id FROM overview_kpis WHERE record_date < date('now', '-1 day')",
    "SELECT changes() AS x",
    "SELECT total_changes() AS x",
    "SELECT last_insert_rowid() AS x",
    "PRAGMA user_version",
    "PRAGMA table_info(overview_kpis)",
    "SELECT * FROM pragma_table_info('overview_kpis')",
    "SELECT count(*) AS n FROM sqlite_stmt",
    "EXPLAIN SELECT 1",
    "EXPLAIN QUERY PLAN SELECT * FROM overview_kpis",
]


@pytest.mark.parametrize("sql", VARYING)
def test_what_depends_on_more_than_the_content_is_run_each_time(db, sql):
    entries = db.stats()["cache_entries"]
    for _ in range(3):  # also when the statement is prepared already
        first = db.query(sql)
        assert db.query(sql) is not first
    assert db.stats()["cache_entries"] == entries


STEADY = [
    "SELECT abs(total_customers) AS x, upper(record_date) FROM overview_kpis",
    "SELECT sum(total_customers), count(*), group_concat(id) FROM overview_kpis",
    "SELECT id, row_number() OVER (ORDER BY id) AS n FROM overview_kpis",
    "SELECT value FROM json_each('[1, 2]')",
    "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 5) "
    "SELECT x FROM c",
    "SELECT name FROM sqlite_schema WHERE name LIKE 'o%'",
    "VALUES (1), (2)",
]


@pytest.mark.parametrize("sql", STEADY)
def test_what_depends_on_the_content_alone_is_kept(db, sql):
    assert db.query(sql) is db.query(sql)


# ---- every way of change ------------------------------------------------------------


def by_add(db):
    db.add_overview_kpis(record_date="2025-02-01", total_customers=900)


def by_upsert(db):
    db.add_overview_kpis(record_date="2025-01-05", total_customers=900)


def by_update(db):
    db.overview_kpis.update(5, total_customers=900)


def by_delete(db):
    db.overview_kpis.delete(5)


def by_execute(db):
    db.execute(CHANGE)


def by_cursor(db):
    with db.get_cursor() as cursor:
        cursor.execute(CHANGE)


def by_transaction(db):
    with db.transaction():
        db.execute(CHANGE)
        with db.transaction():
            db.execute(CHANGE)


def by_another_object(db):
    with SmartShopieDB(db.db_path) as other:
        other.execute(CHANGE)


def by_another_library(db):
    oracle.run(db.db_path, CHANGE)


def by_another_process(db):
    elsewhere(db.db_path, CHANGE)


def by_a_thread(db):
    thread = threading.Thread(target=db.execute, args=(CHANGE,))
    thread.start()
    thread.join()


def by_a_process_that_resets_the_log(db):
    elsewhere(
        db.db_path,
        CHANGE,
        "PRAGMA wal_checkpoint(TRUNCATE)",
        CHANGE,
        "PRAGMA wal_checkpoint(TRUNCATE)",
    )


def by_restoring_a_backup(db):
    """SQLite's backup API, into the file that is open here."""
    with (
        oracle.connect(":memory:") as copy,
        oracle.connect(db.db_path) as source,
    ):
        source.backup(copy)
        copy.execute(CHANGE)
        copy.backup(source)


def by_a_vacuum(db):
    """Row ids move where nothing else depends on them; here the content stays."""
    elsewhere(db.db_path, "DELETE FROM overview_kpis WHERE id = 5", "VACUUM")


CHANGES = [value for name, value in list(globals().items()) if name.startswith("by_")]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_change_is_seen(db, change):
    for _ in range(3):
        before, number, all_rows = total(db), newest(db), db.overview_kpis.select()
        rows = db.query("SELECT total(total_customers) AS t FROM overview_kpis")
        assert db.overview_kpis.select() is all_rows  # it would be given again
        compared(db, "previous_period")
        figures = compared(db, "previous_year")
        assert compared(db, "previous_year") is figures
        change(db)
        expected = oracle.run(
            db.db_path,
            "SELECT sum(total_customers), (SELECT total_customers FROM overview_kpis "
            "ORDER BY record_date DESC LIMIT 1) FROM overview_kpis",
        )
        assert [(total(db), newest(db))] == expected
        assert compared(db, "previous_period")[0].value == expected[0][1]
        assert compared(db, "previous_year")[0].value == expected[0][1]
        again = db.query("SELECT total(total_customers) AS t FROM overview_kpis")
        assert again[0].t == expected[0][0]
        if change not in (by_delete, by_a_vacuum, by_add, by_upsert, by_update):
            assert total(db) != before and newest(db) != number
            assert again is not rows
        if change in (by_delete, by_a_vacuum):
            oracle.run(
                db.db_path,
                "INSERT OR IGNORE INTO overview_kpis (id, record_date, total_customers)"
                " VALUES (5, '2025-01-05', 104)",
            )
        elif change in (by_add, by_upsert, by_update):
            db.overview_kpis.delete({"total_customers": 900})
            by_update_of_last(db)


def by_update_of_last(db):
    db.add_overview_kpis(record_date="2025-01-05", total_customers=104)


def test_ddl_is_seen(db):
    def tables():
        return len(db.query("SELECT name FROM sqlite_schema WHERE type = 'table'"))

    n = tables()
    assert tables() == n
    db.execute("CREATE TABLE mine (x)")
    assert tables() == n + 1
    elsewhere(db.db_path, "CREATE TABLE theirs (x)")
    assert tables() == n + 2
    assert len(db.query("SELECT * FROM mine")) == 0
    db.execute("ALTER TABLE mine ADD COLUMN y")
    assert db.query("SELECT * FROM mine").columns == ("x", "y")


def test_everyone_closed_and_opened_again_with_a_foreign_write_between(path):
    """The log's header begins again from the same bytes: nothing but being closed tells
    the two contents apart."""
    db = SmartShopieDB(path)
    fill(db)
    db.close()
    for n in range(4):
        db.connect()
        assert newest(db) == 104 + n
        first = db.overview_kpis.select()
        assert db.overview_kpis.select() is first
        db.close()
        assert not os.path.exists(f"{path}-wal")
        elsewhere(path, CHANGE)
    db.close()


def test_a_checkpoint_of_ours_changes_nothing(db):
    rows = db.overview_kpis.select()
    checkpoints = db.stats()["checkpoints"]
    for _ in range(1200):
        db.execute(CHANGE)
    assert db.stats()["checkpoints"] > checkpoints
    assert db.overview_kpis.select() is not rows
    assert total(db) == 510 + 5 * 1200
    rows = db.overview_kpis.select()
    elsewhere(db.db_path, "PRAGMA wal_checkpoint(PASSIVE)")
    assert db.overview_kpis.select() is rows


def test_what_is_rolled_back_changes_nothing(db):
    rows, record = db.overview_kpis.select(), db.get_overview_kpis()
    with pytest.raises(KeyError), db.transaction():
        db.execute(CHANGE)
        assert newest(db) == 105
        raise KeyError
    with pytest.raises(Error):
        db.add_overview_kpis(record_date="2025-02-01", total_customers=-1)
    assert db.overview_kpis.select() is rows
    assert db.get_overview_kpis() is record


def test_a_transaction_sees_itself_and_others_see_the_file(db):
    rows = db.overview_kpis.select()
    seen = []

    def look():
        seen.append(db.overview_kpis.select())

    with db.transaction():
        assert db.overview_kpis.select() is not rows  # it goes by
        db.execute(CHANGE)
        assert newest(db) == 105
        mine = db.overview_kpis.select()
        assert db.overview_kpis.select() is not mine
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
    assert seen[0] is rows
    assert newest(db) == 105
    assert db.overview_kpis.select() is not rows


def test_a_snapshot_sees_its_own_time(db):
    rows = db.overview_kpis.select()
    with db.snapshot():
        assert db.overview_kpis.select() is not rows
        elsewhere(db.db_path, CHANGE)
        assert newest(db) == 104
        seen = []
        thread = threading.Thread(target=lambda: seen.append(newest(db)))
        thread.start()
        thread.join()
        assert seen == [105]  # kept for the others, and not for the snapshot
        assert newest(db) == 104
    assert newest(db) == 105


def test_a_replaced_file_is_noticed_in_time(db, tmp_path):
    other = tmp_path / "other.db"
    with oracle.connect(db.db_path) as source, oracle.connect(other) as copy:
        source.backup(copy)
    rows = db.overview_kpis.select()
    assert db.overview_kpis.select() is rows
    os.replace(other, db.db_path)
    begun = time.monotonic()
    with pytest.raises(ReplacedError):
        while time.monotonic() - begun < 5:
            assert db.overview_kpis.select() is rows
    assert time.monotonic() - begun < 0.5  # 0.1, and what a busy machine adds
    with pytest.raises(ReplacedError):
        db.overview_kpis.select()


def test_a_replaced_file_is_noticed_before_a_write(db, tmp_path):
    other = tmp_path / "other.db"
    shutil.copy(db.db_path, other)
    assert newest(db) == newest(db)
    os.replace(other, db.db_path)
    with pytest.raises(ReplacedError):
        db.add_overview_kpis(record_date="2025-02-01", total_customers=1)


# ---- files without a log, and memory ---------------------------------------------


def test_a_rollback_journal(old_file):
    with SmartShopieDB(old_file) as db:
        assert not db.stats()["wal"]
        rows = db.overview_kpis.select(strict=False)
        assert db.overview_kpis.select(strict=False) is rows
        numbers = rows["total_customers"].to_list()
        for n in range(1, 4):
            elsewhere(old_file, CHANGE)
            after = db.overview_kpis.select(strict=False)
            assert after["total_customers"].to_list() == [m + n for m in numbers]
            assert db.overview_kpis.select(strict=False) is after
        db.execute(CHANGE)
        after = db.overview_kpis.select(strict=False)
        assert after["total_customers"].to_list() == [m + 4 for m in numbers]
        with db.transaction():
            db.execute(CHANGE)
            own = db.overview_kpis.select(strict=False)
            assert own["total_customers"].to_list() == [m + 5 for m in numbers]
    assert not os.path.exists(f"{old_file}-shm")


def test_a_rollback_journal_that_is_rolled_back(old_file):
    with SmartShopieDB(old_file) as db:
        rows = db.overview_kpis.select(strict=False)
        with oracle.connect(old_file) as other:
            other.execute("PRAGMA cache_size = 1")
            other.execute("BEGIN IMMEDIATE")
            other.execute(CHANGE)
            assert db.overview_kpis.select(strict=False) is rows
            other.execute("ROLLBACK")
        assert db.overview_kpis.select(strict=False) is rows


def test_a_file_that_gets_a_log(old_file):
    with SmartShopieDB(old_file) as db:
        rows = db.overview_kpis.select(strict=False)
        assert db.overview_kpis.select(strict=False) is rows
        elsewhere(old_file, "PRAGMA journal_mode = wal")
        for n in range(1, 4):
            elsewhere(old_file, CHANGE)  # the file's own counter stays now
            after = db.overview_kpis.select(strict=False)
            assert set(after["total_customers"].to_list()) == {100 + n}
        assert db.overview_kpis.select(strict=False) is after


def test_memory():
    with SmartShopieDB(":memory:") as db:
        fill(db)
        rows = db.overview_kpis.select()
        assert db.overview_kpis.select() is rows
        db.execute(CHANGE)
        assert newest(db) == 105
        with pytest.raises(KeyError), db.transaction():
            db.execute(CHANGE)
            assert newest(db) == 106
            raise KeyError
        assert newest(db) == 105
        with db.transaction():
            db.execute(CHANGE)
        assert newest(db) == 106
        rows = db.overview_kpis.select()
        assert db.overview_kpis.select() is rows


def test_read_only_and_immutable(db):
    path = db.db_path
    with SmartShopieDB(path, mode="ro") as reader:
        rows = reader.overview_kpis.select()
        assert reader.overview_kpis.select() is rows
        db.execute(CHANGE)
        assert newest(reader) == 105
    db.close()
    with SmartShopieDB(path, immutable=True) as reader:
        rows = reader.overview_kpis.select()
        assert reader.overview_kpis.select() is rows
        assert reader.version == reader.version


# ---- how much ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "limit"),
    [(True, LIMIT), (False, 0), (0, 0), (1, 1), (10**6, 10**6), (2**63 - 1, 2**63 - 1)],
)
def test_the_limit(path, given, limit):
    with SmartShopieDB(path, cache=given) as db:
        assert db.get_overview_kpis() is None
        assert db.stats()["cache_limit"] == limit
    with SmartShopieDB(path) as db:
        assert db.stats()["cache_limit"] == LIMIT


@pytest.mark.parametrize(
    ("given", "error"),
    [(-1, ValueError), (2**63, ValueError), ("64M", TypeError), (1.5, TypeError)],
)
def test_a_wrong_limit(path, given, error):
    with pytest.raises(error, match="cache: expected"):
        SmartShopieDB(path, cache=given)
    with pytest.raises(TypeError, match="cache: expected"):
        SmartShopieDB(path, cache=None)


def test_the_least_recently_used_goes(path):
    with SmartShopieDB(path, cache=20_000) as db:
        fill(db, 30)
        size = db.stats()["cache_bytes"]
        assert size == 0
        kept = db.overview_kpis.get(1)
        size = db.stats()["cache_bytes"]
        n = 20_000 // size
        for number in range(2, n + 1):
            db.overview_kpis.get(number)
        assert db.stats()["cache_evictions"] == 0
        assert db.overview_kpis.get(1) is kept  # now the newest
        second = db.overview_kpis.get(2)
        third = db.overview_kpis.get(3)
        for number in range(n + 1, n + 4):
            db.overview_kpis.get(number)
            assert db.stats()["cache_bytes"] <= 20_000
        assert db.stats()["cache_evictions"] == 3
        assert db.overview_kpis.get(1) is kept
        assert db.overview_kpis.get(2) is second
        assert db.overview_kpis.get(3) is third
        hits = db.stats()["cache_hits"]
        db.overview_kpis.get(4)
        assert db.stats()["cache_hits"] == hits


def test_the_bytes_are_those_that_are_held(path):
    with SmartShopieDB(path, cache=4_000_000) as db:
        text = "x" * 100_000
        for n in range(20):
            rows = db.query("SELECT ? AS a, ? AS n", (text, n))
            assert sys.getsizeof(rows) > 100_000
            figures = db.stats()
            assert figures["cache_bytes"] >= figures["cache_entries"] * 200_000
            assert figures["cache_bytes"] <= 4_000_000
        assert db.stats()["cache_evictions"] > 0


def test_what_is_too_large_is_not_kept(path):
    with SmartShopieDB(path, cache=100_000) as db:
        small = db.query("SELECT 1 AS a")
        large = db.query("SELECT zeroblob(30000) AS a")
        assert db.query("SELECT zeroblob(30000) AS a") is not large
        assert db.query("SELECT 1 AS a") is small


def test_many_entries(db):
    first = [db.query("SELECT ? AS n", (n,)) for n in range(2000)]
    again = [db.query("SELECT ? AS n", (n,)) for n in range(2000)]
    assert all(a is b for a, b in zip(first, again, strict=True))
    assert db.stats()["cache_entries"] == 2000
    db.execute(CHANGE)
    db.get_overview_kpis()
    assert db.stats()["cache_entries"] == 1


def test_close_lets_everything_go(path):
    db = SmartShopieDB(path)
    fill(db)
    rows = db.overview_kpis.select()
    count = sys.getrefcount(rows)
    assert db.stats()["cache_entries"] == 1
    db.close()
    assert sys.getrefcount(rows) == count - 1
    with pytest.raises(ClosedError):
        db.overview_kpis.select()
    db.connect()
    assert db.overview_kpis.select() == rows
    assert db.stats()["cache_entries"] == 1
    db.close()


def test_results_outlive_and_the_object_goes(path):
    class Mine(SmartShopieDB):
        pass

    db = Mine(path)
    fill(db)
    rows, record = db.overview_kpis.select(), db.get_overview_kpis()
    counts = sys.getrefcount(rows), sys.getrefcount(record)
    db.me = db
    gone = weakref.ref(db)
    del db
    gc.collect()
    assert gone() is None
    assert (sys.getrefcount(rows), sys.getrefcount(record)) == (
        counts[0] - 1,
        counts[1] - 1,
    )
    assert rows[4] == record


def test_a_subclass_with_its_own_arguments(path):
    class Shop(SmartShopieDB):
        def __init__(self, name, cache):
            super().__init__(name, cache=cache)

    with Shop(path, False) as db:
        assert db.stats()["cache_limit"] == 0
    with Shop(path, 5000) as db:
        assert db.stats()["cache_limit"] == 5000


def test_the_first_answer_is_kept(path):
    db = SmartShopieDB(path)
    assert len(db.overview_kpis.select()) == 0
    rows = db.overview_kpis.select()
    assert db.overview_kpis.select() is rows
    figures = db.stats()
    assert figures["cache_hits"] >= 2
    db.close()


def test_threads_share_it(db):
    """Through one object: nobody sees less than what was committed when it asked."""
    stop = time.monotonic() + 1.5
    acked, wrong = [100], []

    def write():
        while time.monotonic() < stop:
            n = acked[0] + 1
            db.overview_kpis.update(1, total_customers=n)
            acked[0] = n
            time.sleep(0.002)

    def read():
        while time.monotonic() < stop:
            least = acked[0]
            row = db.overview_kpis.get(1)
            rows = db.overview_kpis.select()
            if row.total_customers < least or rows[0].total_customers < least:
                wrong.append((least, row, rows))

    threads = [threading.Thread(target=f) for f in (write, *[read] * 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    figures = db.stats()
    assert acked[0] > 103 and figures["cache_hits"] > 1000


# ---- the version -------------------------------------------------------------------


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_change_is_another_version(db, change):
    before = db.version
    assert before == db.version
    newest(db)
    assert db.version == before
    change(db)
    after = db.version
    assert after != before
    assert after == db.version


def test_the_version_of_nothing_new(db):
    before = db.version
    with pytest.raises(KeyError), db.transaction():
        db.execute(CHANGE)
        raise KeyError
    elsewhere(db.db_path, "PRAGMA wal_checkpoint(PASSIVE)")
    with SmartShopieDB(db.db_path) as other:
        assert other.version == before
    code = (
        "import sys, smartshopie_db as s; print(s.SmartShopieDB(sys.argv[1]).version)"
    )
    command = [sys.executable, "-c", code, db.db_path]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    assert answer.stdout.strip() == before
    assert db.version == before


def test_the_version_stays_over_restarts(path):
    with SmartShopieDB(path) as db:
        fill(db)
    versions = set()
    for _ in range(3):  # nothing is left to fold away
        with SmartShopieDB(path) as db:
            versions.add(db.version)
            total(db)
    assert len(versions) == 1
    seen = set()
    for _ in range(20):  # as fast as can be, where file times are coarse
        elsewhere_here(path)
        with SmartShopieDB(path) as db:
            seen.add(db.version)
    assert len(seen) == 20


def test_the_version_waits_for_the_clock_of_files(db):
    """Another write could leave the time that the file has now."""
    path = db.db_path

    def reopened(times=None):
        db.close()
        os.utime(path, times)
        db.connect()
        begun = time.monotonic()
        assert db.version
        return time.monotonic() - begun

    for _ in range(3):
        reopened()
        assert time.time_ns() - os.stat(path).st_mtime_ns >= 20_000_000
    assert reopened((time.time() + 3600,) * 2) < 1  # a clock that was put back


def test_the_version_is_made_once(db):
    """The text is kept as long as its state, and is no other's."""
    kept = db.version
    assert db.version is kept
    with db.snapshot():
        assert db.version == kept
        elsewhere(db.db_path, CHANGE)
        assert db.version == kept
    changed = db.version
    assert changed != kept and db.version is changed
    fill(db, 1)
    assert db.version not in (kept, changed)
    db.close()
    db.connect()
    assert db.version not in (kept, changed)


def elsewhere_here(path):
    with oracle.connect(path) as db:
        db.execute(CHANGE)


def test_the_version_in_a_block(db):
    before = db.version
    with db.snapshot():
        assert db.version == before
        elsewhere(db.db_path, CHANGE)
        assert db.version == before
        assert newest(db) == 104
    assert db.version != before
    with db.transaction(), pytest.raises(ProgrammingError, match="transaction"):
        _ = db.version


def test_the_version_of_a_rollback_journal(old_file):
    with SmartShopieDB(old_file) as db:
        versions = [db.version]
        for _ in range(3):
            assert db.version == versions[-1]
            elsewhere(old_file, CHANGE)
            versions.append(db.version)
        db.execute(CHANGE)
        versions.append(db.version)
        with db.snapshot():
            assert db.version == versions[-1]
    assert len(set(versions)) == 5
    with SmartShopieDB(old_file) as db:
        assert db.version == versions[-1]


def test_the_version_of_memory():
    with SmartShopieDB(":memory:") as db, SmartShopieDB(":memory:") as other:
        before = db.version
        assert before == db.version != other.version
        fill(db, 1)
        assert db.version != before


def test_the_version_of_a_closed_database(path):
    db = SmartShopieDB(path)
    assert db.version  # opens it
    db.close()
    with pytest.raises(ClosedError):
        _ = db.version


def test_a_record_is_no_key(db):
    """What a call answers cannot be changed by what is done with it."""
    record = db.get_overview_kpis()
    with pytest.raises(AttributeError):
        record.total_customers = 1
    assert isinstance(record, OverviewKPI)
    assert db.get_overview_kpis() is record


def test_a_connection_of_another_library_is_closed_without_harm(db):
    """Closing it must not take the locks that the watching connection needs."""
    for _ in range(5):
        rows = db.overview_kpis.select()
        other = sqlite3.connect(db.db_path)
        other.execute("SELECT 1 FROM overview_kpis").fetchall()
        other.close()
        elsewhere(db.db_path, CHANGE)
        assert db.overview_kpis.select() is not rows
    assert newest(db) == 109


# ---- texts of answers --------------------------------------------------------------


TEXTS = {
    "rows": lambda rows, record: rows.to_json(),
    "columns": lambda rows, record: rows.to_json("columns"),
    "wrapped": lambda rows, record: rows.to_json(prefix=b'{"a":', suffix=b"}"),
    "for html": lambda rows, record: rows.to_json(html=True, redact=True),
    "lines": lambda rows, record: rows.to_ndjson(),
    "csv": lambda rows, record: rows.to_csv(delimiter=";"),
    "a record": lambda rows, record: record.to_json(),
}


@pytest.mark.parametrize("text_of", TEXTS.values(), ids=TEXTS)
def test_a_text_is_made_once(db, text_of):
    rows, record = db.overview_kpis.select(), db.get_overview_kpis()
    before = db.stats()["cache_bytes"]
    text = text_of(rows, record)
    assert text_of(db.overview_kpis.select(), db.get_overview_kpis()) is text
    assert db.stats()["cache_bytes"] >= before + len(text)
    with SmartShopieDB(db.db_path, cache=False) as plain:
        other = plain.overview_kpis.select(), plain.get_overview_kpis()
        assert text_of(*other) == text
        assert text_of(*other) is not text_of(*other)
    db.execute(CHANGE)
    newest(db)
    assert text_of(rows, record) == text  # what is not kept any more can do it, too
    assert text_of(rows, record) is not text
    assert text_of(db.overview_kpis.select(), db.get_overview_kpis()) != text
    db.close()
    assert text_of(rows, record) == text


def test_texts_differ_by_what_was_asked(db):
    rows = db.overview_kpis.select()
    texts = [text_of(rows, rows[0]) for text_of in TEXTS.values()]
    assert len(set(texts)) == len(texts) - (texts[0] == texts[3])
    again = [text_of(rows, rows[0]) for text_of in TEXTS.values()]
    assert all(a is b for a, b in zip(texts[:-1], again[:-1], strict=True))
    with pytest.raises(ValueError, match="orient"):
        rows.to_json("x")
    with pytest.raises(TypeError):
        rows.to_json(html=1)


def test_texts_count_and_go(path):
    with SmartShopieDB(path, cache=400_000) as db:
        fill(db, 30)
        rows = db.overview_kpis.select()
        assert db.overview_kpis.get(1) is db.overview_kpis.get(1)
        for n in range(40):
            text = rows.to_json(prefix=b"x" * 10_000 + str(n).encode())
            assert text.startswith(b"x" * 10_000)
            assert db.stats()["cache_bytes"] <= 100_000  # a quarter
        assert db.overview_kpis.select() is rows
        for n in range(200):
            db.query("SELECT ? AS a, ? AS b", (n, "x" * 9000)).to_json()
            assert db.stats()["cache_bytes"] <= 400_000
        assert db.stats()["cache_evictions"] > 100
        assert db.overview_kpis.select() is not rows
        assert rows.to_json() == db.overview_kpis.select().to_json()


def test_texts_are_made_while_answers_go(db):
    """The answer leaves the cache while its text is being written without the GIL."""
    stop = time.monotonic() + 1
    db.execute("CREATE TABLE much AS SELECT * FROM overview_kpis, (VALUES (1), (2))")
    for _ in range(9):
        db.execute("INSERT INTO much SELECT * FROM much")

    def write():
        while time.monotonic() < stop:
            db.execute(CHANGE)

    def read():
        while time.monotonic() < stop:
            rows = db.query("SELECT * FROM much")
            assert rows.to_json()[:2] == b"[{" and rows.to_csv()

    threads = [threading.Thread(target=f) for f in (write, read, read, read)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert db.stats()["cache_misses"] > 3
