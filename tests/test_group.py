"""Writes of many threads share a COMMIT: each is still its own, and what was
acknowledged is in the file. What goes into one COMMIT is tested in c/test_group.c."""

import collections
import datetime
import itertools
import os
import random
import subprocess
import sys
import threading
import time

import oracle
import pytest
import scripts
from test_threads import run_all

from smartshopie_db import ClosedError, IntegrityError, SmartShopieDB

pytestmark = pytest.mark.timeout(120)
THREADS, ADDS = 8, 400
START = datetime.datetime(2025, 1, 1)


def minute(n):
    return START + datetime.timedelta(minutes=n)


def add(db, n):
    return db.add_realtime_metric(
        recorded_at=minute(n), active_sessions=n, on_conflict="error"
    )


def stored(path):
    rows = oracle.run(path, "SELECT active_sessions FROM realtime_metrics")
    return sorted(n for (n,) in rows)


def test_eight_threads_with_failing_neighbours(path):
    """One in ten is refused: exactly the others are there, each under its id."""
    acked, refused = [], []
    with SmartShopieDB(path) as db:
        taken = add(db, 0)

        def work(thread):
            rng = random.Random(thread)
            for i in range(ADDS):
                n = thread * 10_000 + i
                if rng.random() < 0.1:
                    with pytest.raises(IntegrityError) as caught:
                        add(db, 0)
                    assert caught.value.table == "realtime_metrics"
                    assert f"row id {taken})" in str(caught.value)
                    refused.append(n)
                else:
                    acked.append((n, add(db, n)))

        run_all([lambda t=t: work(t) for t in range(1, THREADS + 1)], seconds=90)
        assert db.stats()["shared_commits"] > len(acked) / 4
        rows = {row.active_sessions: row.id for row in db.realtime_metrics.select()}
    assert len(refused) > ADDS * THREADS / 20
    assert rows == dict(acked) | {0: taken}
    assert oracle.healthy(path)


CHECKER = """
import sqlite3, sys
con = sqlite3.connect(sys.argv[1], isolation_level=None)
for line in sys.stdin:
    id = int(line)
    n, = con.execute("SELECT count(*) FROM realtime_metrics WHERE id <= ?",
                     (id,)).fetchone()
    assert n == id, f"{id} was acknowledged, but {n} rows are up to it"
print("all there")
"""


def test_acknowledged_is_committed_and_in_order(path):
    """Another process sees each acknowledged row, and all committed before it."""
    spans = []
    checking = subprocess.Popen(
        [sys.executable, "-c", CHECKER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with SmartShopieDB(path) as db, checking as checker:

        def work(thread):
            for i in range(ADDS // 2):
                begun = time.monotonic_ns()
                id = add(db, thread * 10_000 + i)
                spans.append((begun, time.monotonic_ns(), id))
                os.write(checker.stdin.fileno(), b"%d\n" % id)

        run_all([lambda t=t: work(t) for t in range(THREADS)], seconds=90)
        output, _ = checker.communicate()
    assert output == b"all there\n"
    ids = [id for _, _, id in spans]
    assert sorted(ids) == list(range(1, len(ids) + 1))
    # Whoever began after another had its answer comes after it.
    ends = sorted((end, id) for _, end, id in spans)
    newest, done = 0, iter(ends)
    end, id_done = next(done)
    for begun, _, id in sorted(spans):
        while end < begun:
            newest = max(newest, id_done)
            end, id_done = next(done, (float("inf"), 0))
        assert id > newest


def test_update_and_delete_beside_adds(path):
    with SmartShopieDB(path) as db:
        ids = [add(db, n) for n in range(10, 410)]
        table = db.realtime_metrics

        def update():
            for id in ids[:200]:
                assert table.update(id, active_sessions=9) == 1

        def delete():
            for id in ids[200:]:
                assert table.delete(id) == 1
                assert table.delete(id) == 0

        def change_all():
            for _ in range(10):
                table.update({"active_sessions": 9}, api_response_time_ms=7)

        def more():
            for n in range(1000, 1200):
                add(db, n)

        run_all([update, delete, change_all, more], seconds=60)
        table.update({"active_sessions": 9}, api_response_time_ms=7)
        assert table.count(api_response_time_ms=7) == 200
    assert stored(path) == [9] * 200 + list(range(1000, 1200))


def test_beside_another_process(path):
    """Both wait for the file's lock; neither fails, nothing is lost."""
    with SmartShopieDB(path, busy_timeout=20) as db:
        add(db, 0)
        other = scripts.start(
            """
            with SmartShopieDB(PATH, busy_timeout=20) as db:
                for n in range(50_000, 50_400):
                    add(db, n)
            """,
            path,
        )

        def work(thread):
            for i in range(100):
                add(db, thread * 1000 + i)

        run_all([lambda t=t: work(t) for t in range(1, THREADS + 1)], seconds=90)
        scripts.finish(other)
    mine = [t * 1000 + i for t in range(1, THREADS + 1) for i in range(100)]
    assert stored(path) == [0, *mine, *range(50_000, 50_400)]


def test_nobody_is_starved(path):
    done = collections.Counter()
    stop = threading.Event()
    with SmartShopieDB(path) as db:
        db.connect()

        def work(thread):
            for i in itertools.count():
                if stop.is_set():
                    return
                add(db, thread * 100_000 + i)
                done[thread] += 1

        def transactions():
            for i in itertools.count():
                if stop.is_set():
                    return
                with db.transaction():
                    add(db, 9_000_000 + i)
                done["transaction"] += 1

        timer = threading.Timer(1.5, stop.set)
        timer.start()
        run_all([lambda t=t: work(t) for t in range(THREADS)] + [transactions])
    by_thread = [done[t] for t in range(THREADS)]
    assert max(by_thread) <= 3 * min(by_thread), done
    assert done["transaction"] * 3 >= min(by_thread), done
    assert len(stored(path)) == sum(done.values())


def test_close_while_they_wait(path):
    acked = []
    db = SmartShopieDB(path).connect()

    def work(thread):
        with pytest.raises(ClosedError):
            for i in itertools.count():
                acked.append(
                    thread * 100_000 + i if add(db, thread * 100_000 + i) else 0
                )

    def close():
        while len(acked) < 200:
            time.sleep(0.001)
        db.close()

    run_all([lambda t=t: work(t) for t in range(THREADS)] + [close])
    assert stored(path) == sorted(acked)


@pytest.mark.timed
def test_ctrl_c_withdraws_a_waiting_add(path):
    scripts.run(
        """
        db = SmartShopieDB(PATH).connect()
        inside, leave = threading.Event(), threading.Event()
        def block():
            with db.transaction():
                inside.set()
                leave.wait(20)
        others = [threading.Thread(target=block)]
        others += [threading.Thread(target=add, args=(db, n)) for n in (1, 2)]
        for thread in others:
            thread.start()
            inside.wait(20)
            time.sleep(0.1)  # the first of the adders leads and waits for the block
        killer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
        killer.start()
        begun = time.monotonic()
        raises(KeyboardInterrupt, lambda: add(db, 3))
        assert time.monotonic() - begun < 2
        leave.set()
        for thread in others:
            thread.join()
        add(db, 4)
        assert numbers(db) == [1, 2, 4], numbers(db)
        db.close()
        """,
        path,
    )


def test_fork_while_they_wait(path):
    """The child has none of the parent's adders, and adds for itself."""
    scripts.run(
        """
        db = SmartShopieDB(PATH).connect()
        stop = threading.Event()
        acked = []
        def work(worker):
            n = worker * 100_000
            while not stop.is_set():
                add(db, n)
                acked.append(n)
                n += 1
        threads = [threading.Thread(target=work, args=(w,)) for w in range(1, 9)]
        for thread in threads:
            thread.start()
        for n in range(10):
            time.sleep(0.02)
            ended(in_child(lambda: add(db, n)))
        stop.set()
        for thread in threads:
            thread.join()
        assert sorted(numbers(db)) == [*range(10), *sorted(acked)]
        db.close()
        """,
        path,
    )


@pytest.mark.parametrize("before", [0, 1])
def test_a_signal_handler_forks_while_its_own_add_waits(path, before):
    """Parent and child go on where they were: each adds its row. `before`: how many
    adds of others wait already."""
    scripts.run(
        f"""
        db = SmartShopieDB(PATH, busy_timeout=20)
        held, forking, children = threading.Event(), threading.Event(), []
        def hold():
            with db.transaction():
                add(db, 1)
                held.set()
                forking.wait()
        def fork(number, frame):
            forking.set()
            children.append(os.fork())
        def begin(work):
            threads.append(threading.Thread(target=work))
            threads[-1].start()
        threads = []
        signal.signal(signal.SIGALRM, fork)
        begin(hold)
        held.wait()
        for n in range({before}):
            begin(lambda: add(db, 2))
            while db.stats()["writer_waits"] == 0:
                time.sleep(0.001)
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        number = add(db, 3) and (4 if children == [0] else 5)
        add(db, number)
        if children == [0]:
            db.close()
            os._exit(0)
        for thread in threads:
            thread.join()
        ended(children[0])
        assert sorted(numbers(db)) == [1, *[2] * {before}, 3, 4, 5], numbers(db)
        db.close()
        """,
        path,
    )


def test_in_memory_too():
    with SmartShopieDB(":memory:") as db:

        def work(thread):
            for i in range(200):
                add(db, thread * 1000 + i)

        run_all([lambda t=t: work(t) for t in range(4)])
        assert db.realtime_metrics.count() == 800
