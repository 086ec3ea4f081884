"""optimize() and stats(): what is done, what is said, and that nothing is lost."""

import datetime
import threading
import time

import oracle
import pytest

from smartshopie_db import ProgrammingError, ReadOnlyError, SmartShopieDB

pytestmark = pytest.mark.timeout(60)

START = datetime.datetime(2025, 1, 1)


def second(i):
    return START + datetime.timedelta(seconds=i)


def fill(db, n):
    with db.transaction():
        for i in range(n):
            db.add_realtime_metric(recorded_at=second(i), active_sessions=i)


def test_statistics_for_the_planner(demo):
    assert not oracle.run(
        demo.db_path, "SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_stat1'"
    )
    done = demo.optimize()
    assert not done["vacuumed"]
    assert oracle.run(demo.db_path, "SELECT count(*) FROM sqlite_stat1")[0][0] > 10
    assert demo.query("PRAGMA analysis_limit").to_list() == [(0,)]
    assert oracle.healthy(demo.db_path)


def test_the_log_is_copied_back(db, path):
    fill(db, 3000)
    before = path.stat().st_size
    done = db.optimize()
    assert done["checkpointed"]
    assert done["file_bytes"] == (before, path.stat().st_size)
    assert done["file_bytes"][1] > before + 100_000
    assert db.stats()["checkpoints"] >= 1


@pytest.mark.parametrize("kind", ["file", "memory"])
def test_vacuum_gives_back_what_is_empty(path, kind):
    with SmartShopieDB(path if kind == "file" else ":memory:") as db:
        fill(db, 5000)
        db.realtime_metrics.delete({"active_sessions": 4999})
        ids = [row.id for row in db.realtime_metrics.select(order_by="id")][::100]
        with db.transaction():
            for row in db.realtime_metrics.select():
                if row.id not in ids:
                    db.realtime_metrics.delete(row.id)
        done = db.optimize(vacuum=True)
        assert done["vacuumed"]
        assert done["free_pages"][0] > 20 and done["free_pages"][1] == 0
        assert done["pages"][1] < done["pages"][0]
        assert [row.id for row in db.realtime_metrics.select()] == ids
        assert db.stats()["free_pages"] == 0
    if kind == "file":
        assert oracle.healthy(path)
        assert path.stat().st_size == done["pages"][1] * 4096


def test_an_older_file(legacy_path):
    with SmartShopieDB(legacy_path) as db:
        before = {name: table.count() for name, table in db.tables.items()}
        done = db.optimize(vacuum=True)
        assert done["vacuumed"] and not done["checkpointed"]
        assert {name: table.count() for name, table in db.tables.items()} == before
    assert oracle.healthy(legacy_path)


def test_beside_writers_and_readers(path):
    """They wait or go on; nothing is lost."""
    stop, errors, counts = threading.Event(), [], [0, 0]

    def write(db, number):
        try:
            while not stop.is_set():
                i = counts[number] * 2 + number
                db.add_realtime_metric(recorded_at=second(i))
                counts[number] += 1
        except Exception as error:
            errors.append(error)

    with SmartShopieDB(path, durability="normal") as db:
        threads = [threading.Thread(target=write, args=(db, n)) for n in (0, 1)]
        for thread in threads:
            thread.start()
        for i in range(6):
            db.optimize(vacuum=i % 2 == 1)
            assert db.realtime_metrics.count() >= 0
        stop.set()
        for thread in threads:
            thread.join()
        assert errors == []
        assert db.realtime_metrics.count() == sum(counts) > 0
    assert oracle.healthy(path)


def test_where_it_is_refused(db, path):
    for block in (db.transaction(), db.snapshot()):
        with block, pytest.raises(ProgrammingError, match=r"optimize\(\) inside"):
            db.optimize()
    with pytest.raises(TypeError, match="vacuum"):
        db.optimize(vacuum=1)
    with (
        SmartShopieDB(path, mode="ro") as reader,
        pytest.raises(ReadOnlyError),
    ):
        reader.optimize()


# --- stats() ----------------------------------------------------------------------


def test_stats_say_how_large_the_file_is(db, path):
    fill(db, 100)
    stats = db.stats()
    assert stats["file_bytes"] == path.stat().st_size
    assert stats["wal_bytes"] == path.with_name(path.name + "-wal").stat().st_size > 0
    ((pages,),) = oracle.run(path, "PRAGMA page_count")
    assert (stats["pages"], stats["free_pages"]) == (pages, 0)
    with SmartShopieDB(":memory:") as memory:
        stats = memory.stats()
        assert stats["file_bytes"] == stats["wal_bytes"] == 0
        assert stats["pages"] > 30


def test_stats_say_who_is_reading_for_how_long(db):
    assert db.stats()["oldest_read_seconds"] == 0
    assert db.stats()["blocks"] == 0
    with db.snapshot():
        time.sleep(0.2)
        stats = db.stats()
        assert 0.15 < stats["oldest_read_seconds"] < 5
        assert stats["blocks"] == 1
    assert db.stats()["oldest_read_seconds"] == 0


@pytest.mark.timed
def test_stats_do_not_wait_for_a_reader(path):
    with SmartShopieDB(path, readers=1) as db:
        inside, leave = threading.Event(), threading.Event()

        def hold():
            with db.snapshot():
                inside.set()
                leave.wait(20)

        thread = threading.Thread(target=hold)
        thread.start()
        inside.wait(10)
        begun = time.monotonic()
        stats = db.stats()
        assert time.monotonic() - begun < 1
        leave.set()
        thread.join()
        assert stats["pages"] is None
        assert db.stats()["pages"] > 30
