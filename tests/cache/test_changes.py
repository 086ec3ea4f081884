"""Answers given again: only while they are true, whoever changes the file and how."""

import os
import shutil
import sqlite3
import threading
import time

import oracle
import pytest
from cached import (
    CHANGE,
    CHANGES,
    by_a_vacuum,
    by_add,
    by_delete,
    by_update,
    by_upsert,
    compared,
    elsewhere,
    fill,
    newest,
    total,
)

from smartshopie_db import Error, ReplacedError, SmartShopieDB

# ---- every way of change -------------------------------------------------------------


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


@pytest.mark.timed
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


# ---- files without a log, and memory -------------------------------------------------


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
