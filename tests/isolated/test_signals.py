"""Ctrl-C, time limits and cancel(): they stop what runs, soon, and nothing else."""

import json
import threading
import time

import oracle
import pytest
import scripts

from smartshopie_db import OperationalError, SmartShopieDB

pytestmark = pytest.mark.timeout(60)

# The promise is 100 ms; a loaded machine may be late itself.
BOUND = 0.4
SLOW = (
    "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c)"
    " SELECT max(x) FROM c"
)
SORT = (
    "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 2000000)"
    " SELECT x FROM c ORDER BY abs(x * 7919 % 1000003), x"
)

# Each blocks for many seconds, in the main thread of a process of its own.
BLOCKED = {
    "a query": "db.query(SLOW)",
    "a query of rows": "db.query(SLOW.replace('max(x)', 'x'))",
    "a sort": f"db.query({SORT!r} + ' DESC')",
    "a statement with parameters": "db.execute_query(SLOW + ' WHERE x > ?', (1,))",
    "a write": "db.execute(f'UPDATE realtime_metrics SET active_sessions = ({SLOW})')",
    "a cursor": "db.get_cursor().execute(SLOW)",
    "a script": "db.initialize_database(SCRIPT)",
    "a wait for a thread": "held_by_thread(lambda: add(db, 5))",
    "a wait to begin": "held_by_thread(lambda: db.transaction().__enter__())",
    "a wait for a process": "held_by_process(lambda: add(db, 5))",
    "a wait to close": "busy_thread(db.close)",
}
INTERRUPT = """
import sqlite3
SCRIPT = PATH + ".sql"
with open(SCRIPT, "w") as file:
    file.write("CREATE TABLE big AS " + SLOW + ";")
db = SmartShopieDB(PATH, busy_timeout=30).connect()
for n in range(5):
    add(db, n)
sent = []
def send():
    time.sleep(0.3)
    sent.append(time.monotonic())
    os.kill(os.getpid(), signal.SIGINT)
def held_by_thread(call):
    entered, leave = threading.Event(), threading.Event()
    def hold():
        with db.transaction():
            entered.set()
            leave.wait(20)
    holder = threading.Thread(target=hold)
    holder.start()
    entered.wait()
    try:
        call()
    finally:
        leave.set()
        holder.join()
def held_by_process(call):
    other = sqlite3.connect(PATH, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        call()
    finally:
        other.execute("ROLLBACK")
        other.close()
def busy_thread(call):
    started = threading.Event()
    def run():
        started.set()
        with contextlib.suppress(OperationalError):
            db.query(SLOW)
    thread = threading.Thread(target=run)
    thread.start()
    started.wait()
    time.sleep(0.1)
    try:
        call()
    except KeyboardInterrupt:
        caught.append(time.monotonic())
        raise
    finally:
        db.cancel()
        thread.join()
caught = []
sender = threading.Thread(target=send)
sender.start()
try:
    CALL
except KeyboardInterrupt:
    caught.append(time.monotonic())
sender.join()
assert numbers(db) == [0, 1, 2, 3, 4]
add(db, 6)
assert len(db.query("SELECT 1")) == 1
with db.transaction():
    add(db, 7)
db.close()
print(caught[0] - sent[0])
"""


@pytest.mark.parametrize("what", BLOCKED)
def test_ctrl_c_stops_it_and_the_database_goes_on(path, what, capsys):
    code = INTERRUPT.replace("CALL", BLOCKED[what])
    latency = float(scripts.run(code, path))
    with capsys.disabled():
        print(f"\n  Ctrl-C stopped {what} after {latency * 1000:.0f} ms", end="")
    assert 0 <= latency < BOUND
    rows = oracle.run(path, "SELECT active_sessions FROM realtime_metrics")
    assert [n for (n,) in rows] == [0, 1, 2, 3, 4, 6, 7]
    assert oracle.healthy(path)


@pytest.mark.timed
def test_a_handler_that_does_not_raise_runs_and_the_query_goes_on(path):
    out = scripts.run(
        """
        import json
        db = SmartShopieDB(PATH)
        seen = []
        signal.signal(signal.SIGALRM, lambda *_: seen.append(time.monotonic()))
        sql = SLOW.replace("FROM c)", "FROM c WHERE x < 4000000)")
        begun = time.monotonic()
        signal.setitimer(signal.ITIMER_REAL, 0.1, 0.1)
        rows = db.query(sql)
        took = time.monotonic() - begun
        signal.setitimer(signal.ITIMER_REAL, 0)
        assert rows[0]["max(x)"] == 4000000
        print(json.dumps([took, [at - begun for at in seen]]))
        """,
        path,
    )
    took, seen = json.loads(out)
    if took > 0.5:
        assert seen and seen[0] < 0.1 + BOUND
        assert len(seen) >= 2


def test_an_exception_of_a_handler_comes_out_as_it_is(path):
    scripts.run(
        """
        class Stop(Exception):
            pass
        def stop(*_):
            raise Stop("from the handler")
        signal.signal(signal.SIGALRM, stop)
        db = SmartShopieDB(PATH)
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        assert str(raises(Stop, lambda: db.query(SLOW))) == "from the handler"
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        def write():
            with db.transaction():
                add(db, 1)
                db.query(SLOW)
        raises(Stop, write)
        assert numbers(db) == []
        add(db, 2)
        """,
        path,
    )


@pytest.mark.timed
@pytest.mark.parametrize("where", ["PATH", "':memory:'"])
def test_a_handler_that_uses_the_database_does_not_hang(path, where):
    """The call that it interrupts may hold what it would wait for: it is told so."""
    scripts.run(
        f"""
        db = SmartShopieDB({where}, busy_timeout=20)
        seen = []
        def handler(*_):
            for call in (lambda: numbers(db), lambda: add(db, 9), db.close,
                         lambda: db.transaction().__enter__(), lambda: db.version):
                error = raises(ProgrammingError, call)
                assert "signal handler" in str(error), error
            other = SmartShopieDB(PATH)
            other.get_overview_kpis()
            other.close()
            seen.append(1)
        signal.signal(signal.SIGALRM, handler)
        add(db, 1)
        long = SLOW.replace("FROM c)", "FROM c WHERE x < 2000000)")
        for run in (lambda: db.query(long),
                    lambda: db.execute("UPDATE realtime_metrics SET active_sessions ="
                                       f" 1 + 0 * ({{long}})")):
            seen.clear()
            assert db.version == db.version  # and is kept
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            begun = time.monotonic()
            run()
            assert time.monotonic() - begun < 15
            assert seen == [1]
        assert numbers(db) == [1]
        add(db, 2)
        signal.signal(signal.SIGALRM, lambda *_: seen.append(numbers(db)))
        os.kill(os.getpid(), signal.SIGALRM)  # between calls it may
        assert seen[-1] == [1, 2]
        """,
        path,
    )


def test_many_interrupts_and_the_calls_after_them(path):
    """No later call is hit by an interrupt that came late."""
    scripts.run(
        """
        db = SmartShopieDB(PATH)
        class Stop(Exception):
            pass
        def stop(*_):
            raise Stop
        signal.signal(signal.SIGALRM, stop)
        for n in range(25):
            signal.setitimer(signal.ITIMER_REAL, 0.002 + n * 0.0005)
            raises(Stop, lambda: db.query(SLOW))
            assert len(db.query("SELECT 1")) == 1
            add(db, n)
        assert numbers(db) == list(range(25))
        """,
        path,
    )


# ---- time limits -----------------------------------------------------------------


def stopped(call):
    """How long it took until it was stopped."""
    begun = time.monotonic()
    with pytest.raises(OperationalError, match="time limit") as caught:
        call()
    assert caught.value.sqlite_errorname in ("SQLITE_INTERRUPT", None)
    return time.monotonic() - begun


@pytest.mark.timed
def test_a_time_limit_stops_a_call(db):
    for call in (
        lambda: db.query(SLOW, timeout=0.2),
        lambda: db.query(SORT, timeout=0.2),
        lambda: db.execute(f"CREATE TABLE t AS {SLOW}", timeout=0.2),
    ):
        assert 0.15 < stopped(call) < 0.2 + BOUND
        assert len(db.query("SELECT 1", timeout=0.2)) == 1
    db.add_overview_kpis(record_date="2025-01-01")
    assert db.get_overview_kpis(timeout=5).id == 1


@pytest.mark.timed
def test_the_database_has_a_time_limit_for_all_calls(path):
    with SmartShopieDB(path, timeout=0.2) as db:
        for call in (
            lambda: db.query(SLOW),
            lambda: db.execute_query(SLOW),
            lambda: db.execute(f"CREATE TABLE t AS {SLOW}"),
        ):
            assert 0.15 < stopped(call) < 0.2 + BOUND
        assert 0.05 < stopped(lambda: db.query(SLOW, timeout=0.1)) < 0.1 + BOUND
        with db.get_cursor() as cursor:
            stopped(lambda: cursor.execute(SLOW))
        db.add_overview_kpis(record_date="2025-01-01")
        with db.transaction():
            db.add_overview_kpis(record_date="2025-01-02")
            time.sleep(0.3)  # the limit is for a call, not for a block
            db.add_overview_kpis(record_date="2025-01-03")
        assert db.overview_kpis.count() == 3


@pytest.mark.timed
def test_a_time_limit_holds_while_waiting_for_a_lock(path):
    with SmartShopieDB(path, timeout=0.2, busy_timeout=20) as db:
        db.connect()
        with oracle.connect(path) as other:
            other.execute("BEGIN IMMEDIATE")
            begun = time.monotonic()
            with pytest.raises(OperationalError):
                db.add_overview_kpis(record_date="2025-01-01")
            assert time.monotonic() - begun < 0.2 + BOUND
            other.execute("ROLLBACK")
        db.add_overview_kpis(record_date="2025-01-01")


# ---- cancel ----------------------------------------------------------------------


def test_cancel_stops_every_other_thread(db):
    stopped_after = []
    cancelled = []
    ready = threading.Barrier(4)

    def run(sql):
        ready.wait()
        try:
            db.query(sql)
        except OperationalError as error:
            assert "cancel" in str(error)
            stopped_after.append(time.monotonic() - cancelled[0])

    threads = [threading.Thread(target=run, args=(sql,)) for sql in (SLOW, SLOW, SORT)]
    for thread in threads:
        thread.start()
    ready.wait()
    time.sleep(0.2)
    cancelled.append(time.monotonic())
    db.cancel()
    for thread in threads:
        thread.join(10)
    assert len(stopped_after) == 3
    assert max(stopped_after) < BOUND
    assert len(db.query(COUNT)) == 1


COUNT = SLOW.replace("FROM c)", "FROM c WHERE x < 20000)")  # some milliseconds


def test_cancel_of_nothing_hits_nothing(db):
    for n in range(200):
        db.cancel()
        db.add_realtime_metric(recorded_at=f"2025-01-01 00:{n // 60:02}:{n % 60:02}")
        db.cancel()
        assert len(db.query(COUNT)) == 1
    assert db.realtime_metrics.count() == 200


def test_an_add_that_was_cancelled_was_not_stored(db):
    done, refused = [], []
    stop = threading.Event()

    def add(worker):
        n = worker * 100_000
        while not stop.is_set():
            n += 1
            try:
                db.add_realtime_metric(
                    recorded_at=f"{2000 + worker}-01-01 00:00:00.{n % 100_000:06}",
                    active_sessions=n,
                )
                done.append(n)
            except OperationalError:
                refused.append(n)

    threads = [threading.Thread(target=add, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(400):
        db.cancel()
        time.sleep(0.002)
    stop.set()
    for thread in threads:
        thread.join(10)
    stored = [row.active_sessions for row in db.realtime_metrics.select()]
    assert sorted(stored) == sorted(done)
    assert not set(stored) & set(refused)
    assert len(done) > 20


def test_cancel_after_close(db):
    db.close()
    db.cancel()
    db.connect()
    assert len(db.query("SELECT 1")) == 1
