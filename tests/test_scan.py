"""A whole table read by several readers is what one reader reads."""

import os
import shutil
import sqlite3
import threading
import time

import pytest
import scripts
import soak
from large import (
    PROCESSORS,
    ROWS,
    fill,
    old_file,
    read_while_others_commit,
    scans,
    spoil,
)

from smartshopie_db import DataError, OperationalError, SmartShopieDB

pytestmark = pytest.mark.skipif(PROCESSORS < 2, reason="one processor reads alone")


@pytest.fixture
def full(path):
    return fill(path)


def same(path, **arguments):
    """Read it with one reader and with several: how often those were several."""
    stock = sqlite3.connect(path)
    sql = "SELECT id FROM customer_interactions NOT INDEXED ORDER BY id"
    ids = [row[0] for row in stock.execute(sql)]
    stock.close()
    with (
        SmartShopieDB(path, readers=1, cache=False) as one,
        SmartShopieDB(path, cache=False) as several,
    ):
        wanted = one.customer_interactions.select(**arguments)
        if not arguments:
            assert wanted["id"].to_list() == ids
        for _ in range(3):
            got = several.customer_interactions.select(**arguments)
            assert got.columns == wanted.columns
            for name in wanted.columns:
                assert got[name].null_count == wanted[name].null_count, name
                assert got[name].to_list() == wanted[name].to_list(), name
            assert got.notes == wanted.notes
        assert scans(one)[1] == 0
        return scans(several)[1]


IDS = {
    "dense": "i",
    "every seventh": "i * 7",
    "two islands": "CASE WHEN i < 20000 THEN i ELSE i + 1000000000000 END",
    "negative": "i - 20000",
    "the ends": f"CASE i WHEN 1 THEN {-(2**63)} WHEN 2 THEN {2**63 - 1} ELSE i END",
    "backwards": f"{ROWS} - i",
    "squares": "i * i",
}


@pytest.mark.parametrize("ids", IDS)
def test_several_readers_read_what_one_reads(path, ids):
    fill(path, row_id=IDS[ids])
    assert same(path) == 3
    assert same(path, columns=["message_count", "customer_name"]) == 3


def test_rows_that_were_deleted_leave_no_trace(full):
    with SmartShopieDB(full, cache=False) as db:
        db.execute("DELETE FROM customer_interactions WHERE id % 5 = 0")
        db.execute("DELETE FROM customer_interactions WHERE id BETWEEN 5000 AND 8000")
    assert same(full) == 3


def test_small_tables_are_read_by_one(path):
    fill(path, rows=15_000)
    assert same(path) == 0


def test_what_is_no_whole_table_is_read_by_one(full):
    for arguments in ({"limit": 25_000}, {"order_by": "-id"}, {"offset": 5}):
        assert same(full, **arguments) == 0


def test_no_reader_is_waited_for(full):
    with SmartShopieDB(full, cache=False) as db:
        together = threading.Barrier(4)

        def work():
            together.wait()
            for _ in range(3):
                assert len(db.customer_interactions.select(columns="id")) == ROWS

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        stats = db.stats()
        assert stats["scans"] == 12
        assert stats["leases_out"] == 0
        assert stats["reader_waits"] == 0


def test_blocks_see_their_own_state_with_one_reader(full):
    with (
        SmartShopieDB(full, cache=False) as db,
        SmartShopieDB(full, cache=False) as other,
    ):
        with db.transaction():
            db.execute("DELETE FROM customer_interactions WHERE id > 25000")
            assert len(db.customer_interactions.select(columns="id")) == 25_000
        with db.snapshot():
            assert len(db.customer_interactions.select(columns="id")) == 25_000
            other.execute("DELETE FROM customer_interactions WHERE id > 22000")
            assert len(db.customer_interactions.select(columns="id")) == 25_000
        assert scans(db) == (3, 0)
        assert len(db.customer_interactions.select(columns="id")) == 22_000
        assert scans(db)[1] == 1


def test_a_file_without_a_log_is_read_by_one(full):
    stock = sqlite3.connect(full)
    assert stock.execute("PRAGMA journal_mode = DELETE").fetchone() == ("delete",)
    stock.close()
    with SmartShopieDB(full, mode="ro", cache=False) as db:
        assert len(db.customer_interactions.select()) == ROWS
        assert scans(db)[1] == 0
        assert not os.path.exists(f"{full}-shm")
    with SmartShopieDB(full, immutable=True, cache=False) as db:
        assert len(db.customer_interactions.select()) == ROWS
        assert scans(db)[1] == 1


def test_rows_added_between_two_readings_are_there(full):
    with SmartShopieDB(full, cache=False) as db:
        table = db.customer_interactions
        assert len(table.select(columns="id")) == ROWS
        for n in range(5):
            stamp = f"2026-01-01 00:00:0{n}"
            table.add(
                id=ROWS + 1000 + n if n % 2 else -n - 1,
                interaction_id=f"new {n}",
                interaction_date=stamp,
                interaction_type="x",
            )
            rows = table.select(columns=["id", "interaction_id"])
            assert len(rows) == ROWS + n + 1
            assert f"new {n}" in (rows[-1].interaction_id, rows[0].interaction_id)
        assert scans(db)[1] == 6


# ---- cells that do not fit ---------------------------------------------------------


@pytest.fixture
def old(tmp_path):
    return old_file(tmp_path / "old.db")


def test_an_old_file_is_read_the_same(old):
    same(old)
    same(spoil(old), strict=False)


def test_notes_are_those_of_one_reader(full):
    assert same(spoil(full), strict=False) == 3


@pytest.mark.parametrize("age", ["old", "full"])
def test_the_error_is_that_of_one_reader(request, age):
    path = spoil(request.getfixturevalue(age))
    for readers in (1, 8):
        with SmartShopieDB(path, readers=readers, cache=False) as db:
            for _ in range(3):
                with pytest.raises(DataError) as caught:
                    db.customer_interactions.select()
                assert caught.value.row == 777
            assert len(db.customer_interactions.select(columns="id")) == ROWS


# ---- stopping -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def large_file(tmp_path_factory, blank_file):
    path = tmp_path_factory.mktemp("large") / "large.db"
    return fill(shutil.copy(blank_file, path), rows=250_000)


@pytest.fixture
def large(large_file, tmp_path):
    return shutil.copy(large_file, tmp_path / "large.db")


@pytest.mark.timed
def test_a_time_limit_and_a_cancel_stop_all_readers(large):
    with SmartShopieDB(large, cache=False) as db:
        table = db.customer_interactions
        rows = len(table.select(columns="id"))
        begun = time.monotonic()
        with pytest.raises(OperationalError, match="time"):
            table.select(timeout=0.005)
        assert time.monotonic() - begun < 2
        stop = threading.Event()

        def cancel():
            while not stop.wait(0.003):
                db.cancel()

        thread = threading.Thread(target=cancel)
        thread.start()
        with pytest.raises(OperationalError, match="cancel"):
            for _ in range(100):
                table.select()
        stop.set()
        thread.join()
        assert db.stats()["leases_out"] == 0
        assert len(table.select(columns="id")) == rows


def test_a_signal_stops_all_readers(large):
    scripts.run(
        """
        class Stop(Exception): pass
        def handler(*_): raise Stop
        signal.signal(signal.SIGALRM, handler)
        with SmartShopieDB(PATH, cache=False) as db:
            rows = len(db.customer_interactions.select(columns="id"))
            stopped = 0
            for n in range(30):
                signal.setitimer(signal.ITIMER_REAL, 0.004 + 0.002 * n)
                try:
                    db.customer_interactions.select()
                except Stop:
                    stopped += 1
                finally:
                    signal.setitimer(signal.ITIMER_REAL, 0)
            assert stopped > 3, stopped
            assert db.stats()["leases_out"] == 0
            assert len(db.customer_interactions.select(columns="id")) == rows
        """,
        large,
    )


def test_a_fork_waits_for_all_readers(large):
    scripts.run(
        """
        with SmartShopieDB(PATH, cache=False) as db:
            stop = threading.Event()
            rows = len(db.customer_interactions.select(columns="id"))
            def work():
                while not stop.is_set():
                    assert len(db.customer_interactions.select(columns="id")) == rows
            thread = threading.Thread(target=work)
            thread.start()
            def child():
                assert len(db.customer_interactions.select(columns="id")) == rows
                assert db.stats()["shared_scans"] >= 1
            for _ in range(5):
                time.sleep(0.02)
                ended(in_child(child))
            stop.set()
            thread.join()
        """,
        large,
    )


# ---- one state -----------------------------------------------------------------------


@pytest.mark.timeout(300)
def test_every_scan_is_a_committed_state(path):
    """The control, which does not compare the headers and is caught, is in C."""
    commits, read, shared = read_while_others_commit(
        path,
        soak.times(5, 120),
        lambda db: db.customer_interactions.select(
            columns=["message_count", "interaction_type"]
        ),
    )
    soak.figure("scans by several readers while others commit", read)
    assert commits > 100
    assert read > 20
    assert shared > 0
