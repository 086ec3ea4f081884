"""Many threads and processes: nothing is lost, doubled, mixed up or stuck."""

import datetime
import multiprocessing
import os
import random
import subprocess
import sys
import threading
import time

import layouts
import oracle
import pytest

from smartshopie_db import ClosedError, OperationalError, SmartShopieDB

START = datetime.datetime(2025, 1, 1)
pytestmark = pytest.mark.timeout(60)


def minute(number):
    return START + datetime.timedelta(minutes=number)


def run_all(targets, seconds=30):
    """Run each in a thread; raise what one raised; fail when one hangs."""
    failures = []

    def guarded(target):
        try:
            target()
        except BaseException as error:
            failures.append(error)

    threads = [
        threading.Thread(target=guarded, args=(t,), daemon=True) for t in targets
    ]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0, deadline - time.monotonic()))
    assert not any(thread.is_alive() for thread in threads), "a thread hangs"
    if failures:
        raise failures[0]


# ---- threads ---------------------------------------------------------------------


@pytest.mark.parametrize("where", ["file", "memory", "older file"])
def test_eight_threads_add_and_none_is_lost(tmp_path, path, where):
    if where == "older file":
        path = layouts.build(tmp_path / "old.db", "newer", rows=False)
    with SmartShopieDB(":memory:" if where == "memory" else path) as db:
        ids = set()

        def add(worker):
            for n in range(100):
                number = worker * 1000 + n
                ids.add(
                    db.add_realtime_metric(
                        recorded_at=minute(number), active_sessions=number
                    )
                )

        run_all([lambda worker=worker: add(worker) for worker in range(8)])
        rows = db.realtime_metrics.select()
        assert len(rows) == len(ids) == 800
        assert {row.id for row in rows} == ids
        wanted = {worker * 1000 + n for worker in range(8) for n in range(100)}
        assert {row.active_sessions for row in rows} == wanted
        assert all(row.recorded_at == minute(row.active_sessions) for row in rows)


def test_threads_that_add_the_same_rows_make_each_once(db):
    def add():
        for n in random.Random(5).sample(range(50), 50):
            db.add_realtime_metric(recorded_at=minute(n), active_sessions=n)

    run_all([add] * 8)
    rows = db.realtime_metrics.select(order_by="recorded_at")
    assert [row.active_sessions for row in rows] == list(range(50))
    assert sorted(row.id for row in rows) == list(range(1, 51))


def test_threads_that_read_see_whole_transactions(db):
    """Two rows always change together; nobody may see them differ."""
    days = ("2025-01-01", "2025-01-02")
    for day in days:
        db.add_overview_kpis(record_date=day, total_customers=0)
    stop = threading.Event()

    def write():
        for n in range(1, 200):
            with db.transaction():
                for day in days:
                    db.add_overview_kpis(record_date=day, total_customers=n)
        stop.set()

    def read():
        last = -1
        while not stop.is_set():
            first, second = (r.total_customers for r in db.overview_kpis.select())
            assert first == second >= last
            last = first

    run_all([write, read, read, read])
    assert {row.total_customers for row in db.overview_kpis.select()} == {199}


def test_a_thread_reads_its_own_writes(db):
    def add_and_read(worker):
        for n in range(60):
            number = worker * 1000 + n
            row_id = db.add_realtime_metric(
                recorded_at=minute(number), active_sessions=number
            )
            assert db.realtime_metrics.get(row_id).active_sessions == number

    run_all([lambda worker=worker: add_and_read(worker) for worker in range(6)])


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("where", ["file", "memory"])
def test_sixteen_threads_and_a_close_in_the_middle(path, where, seed):
    """Whatever runs ends well or says ClosedError; what was acknowledged is there."""
    db = SmartShopieDB(path if where == "file" else ":memory:").connect()
    added, closed = [], []

    def work(worker):
        dice = random.Random(seed * 100 + worker)
        try:
            for n in range(100_000):
                kind = dice.randrange(8)
                if kind < 3:
                    number = worker * 1_000_000 + n
                    db.add_realtime_metric(
                        recorded_at=minute(number), active_sessions=number
                    )
                    added.append(number)
                elif kind == 3:
                    with db.transaction():
                        db.realtime_metrics.count()
                elif kind == 4:
                    with db.snapshot():
                        db.realtime_metrics.latest()
                elif kind == 5:
                    db.get_realtime_metrics(limit=5)
                elif kind == 6:
                    db.query("SELECT count(*) FROM realtime_metrics")
                else:
                    db.get_overview_kpis()
        except ClosedError:
            closed.append(worker)

    def close():
        time.sleep(0.15 + seed * 0.05)
        db.close()

    run_all([lambda worker=worker: work(worker) for worker in range(16)] + [close])
    assert len(closed) == 16
    if where == "file":
        assert len(added) > 0
        stored = oracle.run(path, "SELECT active_sessions FROM realtime_metrics")
        assert sorted(n for (n,) in stored) == sorted(added)
        assert oracle.healthy(path)
        assert [name.name for name in path.parent.iterdir()] == [path.name]
    with pytest.raises(ClosedError):
        db.get_overview_kpis()


def test_threads_that_connect_and_close_all_the_time(path):
    db = SmartShopieDB(path)
    outcomes = {"done": 0, "closed": 0}

    def connect_and_close():
        for _ in range(40):
            db.connect()
            db.close()

    def use():
        for _ in range(150):
            try:
                db.get_overview_kpis()
                outcomes["done"] += 1
            except ClosedError:
                outcomes["closed"] += 1

    run_all([connect_and_close, connect_and_close, use, use, use])
    db.close()
    assert sum(outcomes.values()) == 450
    assert oracle.healthy(path)


def test_writers_are_served_in_the_order_they_came(db):
    order = []
    threads = []

    def add(number):
        db.add_realtime_metric(recorded_at=minute(number))
        order.append(number)

    with db.transaction():
        for number in range(12):
            thread = threading.Thread(target=add, args=(number,))
            thread.start()
            threads.append(thread)
            time.sleep(0.03)  # it is waiting by now
    for thread in threads:
        thread.join(10)
    stored = [row.id for row in db.realtime_metrics.select(order_by="recorded_at")]
    assert stored == list(range(1, 13))
    assert sorted(order) == list(range(12))


@pytest.mark.timed
def test_a_reader_does_not_wait_for_a_writer(db):
    db.add_overview_kpis(record_date="2025-01-01")
    with db.transaction():
        db.add_overview_kpis(record_date="2025-01-02")
        times = []

        def read():
            begun = time.monotonic()
            assert db.overview_kpis.count() == 1
            times.append(time.monotonic() - begun)

        run_all([read] * 4, seconds=5)
    assert max(times) < 2


def test_more_threads_than_readers(path):
    with SmartShopieDB(path, readers=2) as db:
        db.add_overview_kpis(record_date="2025-01-01")

        def read():
            for _ in range(100):
                assert db.overview_kpis.count() == 1

        run_all([read] * 12)


@pytest.mark.timed
def test_a_writer_waits_no_longer_than_busy_timeout(path):
    with SmartShopieDB(path, busy_timeout=0.2) as db, db.transaction():
        seen = []

        def add():
            begun = time.monotonic()
            with pytest.raises(OperationalError):
                db.add_overview_kpis(record_date="2025-01-01")
            seen.append(time.monotonic() - begun)

        run_all([add])
        assert 0.15 < seen[0] < 3


def test_the_wal_does_not_grow_for_ever(path):
    """Checkpoints are ours alone; between the reads they get through."""
    wal = path.with_name(path.name + "-wal")
    sizes = []
    with SmartShopieDB(path, durability="off") as db:
        for n in range(1500):
            db.add_realtime_metric(recorded_at=minute(n), active_sessions=n)
            assert db.realtime_metrics.latest().active_sessions == n
            sizes.append(wal.stat().st_size)
        assert db.stats()["checkpoints"] >= 2
    assert 1_000_000 < max(sizes) < 8_000_000
    assert oracle.counts(path)["realtime_metrics"] == 1500
    assert oracle.healthy(path)


def test_results_are_shared_between_threads(demo):
    rows = demo.conversion_funnel.select()
    wanted = [dict(row) for row in rows]

    def look():
        for _ in range(300):
            assert [dict(row) for row in rows] == wanted

    run_all([look] * 8)


def test_the_interpreter_runs_on_while_a_query_does(db):
    """The GIL is away: another thread counts while SQLite does."""
    ticks = []
    done = threading.Event()

    def tick():
        while not done.is_set():
            ticks.append(time.monotonic())
            time.sleep(0.001)

    def query():
        begun = time.monotonic()
        db.query(
            "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c"
            " WHERE x < 3000000) SELECT max(x) FROM c"
        )
        ticks.append(("took", time.monotonic() - begun))
        done.set()

    run_all([tick, query])
    took = next(tick[1] for tick in ticks if isinstance(tick, tuple))
    assert len(ticks) > took * 50


# ---- processes -------------------------------------------------------------------

ADD = """
import datetime, sys
from smartshopie_db import SmartShopieDB
path, worker, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
start = datetime.datetime(2025, 1, 1)
with SmartShopieDB(path) as db:
    for n in range(count):
        number = worker * 100_000 + n
        db.add_realtime_metric(
            recorded_at=start + datetime.timedelta(minutes=number),
            active_sessions=number,
        )
        if n % 10 == 0:
            assert db.realtime_metrics.count(active_sessions=number) == 1
"""


def finish(processes):
    for process in processes:
        _, error = process.communicate(timeout=50)
        assert (process.returncode, error) == (0, "")


def start(*arguments):
    command = [sys.executable, "-c", *map(str, arguments)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("begin", ["a missing file", "a file of ours"])
def test_four_processes_add_and_none_is_lost(tmp_path, path, begin):
    path = tmp_path / "new.db" if begin == "a missing file" else path
    finish([start(ADD, path, worker, 150) for worker in range(4)])
    stored = oracle.run(path, "SELECT active_sessions FROM realtime_metrics")
    wanted = [worker * 100_000 + n for worker in range(4) for n in range(150)]
    assert sorted(n for (n,) in stored) == wanted
    assert oracle.healthy(path)


def test_four_processes_on_an_older_file(tmp_path):
    path = layouts.build(tmp_path / "old.db", "newer", rows=False)
    finish([start(ADD, path, worker, 40) for worker in range(4)])
    assert oracle.counts(path)["realtime_metrics"] == 160
    assert oracle.run(path, "PRAGMA journal_mode") == [("delete",)]


HOLD = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("BEGIN IMMEDIATE")
db.execute("DELETE FROM overview_kpis")
print("held", flush=True)
sys.stdin.readline()
db.execute("ROLLBACK")
"""


def hold_lock(path):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout.readline() == "held\n"
    return holder


@pytest.mark.timed
def test_a_lock_of_another_process_is_waited_for_and_no_longer(path):
    with SmartShopieDB(path, busy_timeout=0.3) as db:
        db.add_overview_kpis(record_date="2025-01-01")
        holder = hold_lock(path)
        begun = time.monotonic()
        with pytest.raises(OperationalError, match="lock"):
            db.add_overview_kpis(record_date="2025-01-02")
        waited = time.monotonic() - begun
        assert 0.25 < waited < 3
        assert db.overview_kpis.count() == 1
        holder.communicate("\n", timeout=10)
        db.add_overview_kpis(record_date="2025-01-02")
        assert db.overview_kpis.count() == 2


def test_a_lock_that_is_given_up_in_time_is_no_error(path):
    with SmartShopieDB(path, busy_timeout=20) as db:
        db.connect()
        holder = hold_lock(path)
        timer = threading.Timer(0.3, lambda: holder.communicate("\n"))
        timer.start()
        db.add_overview_kpis(record_date="2025-01-01")
        timer.join()
        assert db.overview_kpis.count() == 1


def test_processes_of_multiprocessing_share_the_file(path):
    for method in ("spawn", "fork"):
        context = multiprocessing.get_context(method)
        workers = [
            context.Process(target=add_one_day, args=(str(path), method, n))
            for n in range(3)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(40)
            assert worker.exitcode == 0
    with SmartShopieDB(path) as db:
        assert db.interaction_types.count() == 6


def add_one_day(path, method, n):
    with SmartShopieDB(path) as db:
        db.add_interaction_type(
            record_date="2025-01-01",
            interaction_name=f"{method} {n}",
            count=os.getpid(),
        )
