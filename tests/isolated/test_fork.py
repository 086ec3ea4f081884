"""fork(): both sides go on, or the child is told; nothing is lost or corrupted."""

import subprocess
import sys

import oracle
import pytest
import scripts

pytestmark = pytest.mark.timeout(60)


def numbers(path):
    rows = oracle.run(path, "SELECT active_sessions FROM realtime_metrics")
    assert oracle.healthy(path)
    return sorted(n for (n,) in rows)


def test_both_sides_of_a_fork_go_on(path):
    scripts.run(
        """
        db = SmartShopieDB(PATH)
        add(db, 1)
        rows = db.realtime_metrics.select()
        def child():
            assert [row.active_sessions for row in rows] == [1]
            assert 1 in numbers(db)
            add(db, 2)
            assert {1, 2} <= set(numbers(db))
            db.close()
            raises(ClosedError, lambda: add(db, 9))
            db.connect()
            add(db, 3)
            db.close()
        pid = in_child(child)
        add(db, 4)
        ended(pid)
        assert sorted(numbers(db)) == [1, 2, 3, 4]
        add(db, 5)
        db.close()
        """,
        path,
    )
    assert numbers(path) == [1, 2, 3, 4, 5]
    assert [name.name for name in path.parent.iterdir()] == [path.name]


def test_a_child_that_ends_normally_harms_nobody(path):
    scripts.run(
        """
        db = SmartShopieDB(PATH)
        add(db, 1)
        pid = os.fork()
        if pid == 0:
            sys.exit(0)  # with every destructor and exit handler, unlike _exit
        ended(pid)
        for n in range(2, 50):
            add(db, n)
            if n % 10 == 0:
                pid = os.fork()
                if pid == 0:
                    add(db, 1000 + n)
                    del db
                    sys.exit(0)
                ended(pid)
        assert len(numbers(db)) == 53
        """,
        path,
    )
    assert numbers(path) == [*range(1, 50), *range(1010, 1041, 10)]


def test_a_fork_in_a_transaction_is_told_to_the_child(path):
    scripts.run(
        """
        db = SmartShopieDB(PATH)
        add(db, 1)
        def child():
            for call in (
                lambda: add(db, 9),
                lambda: numbers(db),
                db.get_overview_kpis,
                lambda: db.query("SELECT 1"),
                lambda: db.transaction().__enter__(),
                lambda: db.realtime_metrics.get(1),
            ):
                assert "fork" in str(raises(ForkError, call))
            with SmartShopieDB(PATH, busy_timeout=0.1) as own:
                assert numbers(own) == [1]
                raises(OperationalError, lambda: add(own, 9))
        with db.transaction():
            add(db, 2)
            ended(in_child(child))
            add(db, 3)
            assert numbers(db) == [1, 2, 3]
        add(db, 4)
        db.close()
        """,
        path,
    )
    assert numbers(path) == [1, 2, 3, 4]


def test_a_child_that_leaves_the_block_of_its_parent(path):
    """The with block unwinds in the child too; it must not end the parent's work."""
    scripts.run(
        """
        db = SmartShopieDB(PATH)
        add(db, 1)
        pid = None
        with contextlib.suppress(ForkError):
            with db.transaction():
                add(db, 2)
                pid = os.fork()
                if pid:
                    ended(pid)
                    add(db, 3)
        if pid == 0:
            raises(ForkError, lambda: numbers(db))
            sys.exit(0)
        assert numbers(db) == [1, 2, 3]
        """,
        path,
    )
    assert numbers(path) == [1, 2, 3]


def test_an_exception_in_the_child_leaves_the_block_as_itself(path):
    """There is nothing to roll back, so nothing stands in its way."""
    scripts.run(
        """
        db = SmartShopieDB(PATH)
        try:
            with db.transaction():
                add(db, 1)
                pid = os.fork()
                if pid == 0:
                    raise LookupError
                ended(pid)
                add(db, 2)
        except LookupError:
            os._exit(0)
        assert numbers(db) == [1, 2]
        """,
        path,
    )
    assert numbers(path) == [1, 2]


def test_a_fork_in_a_snapshot_is_told_to_the_child(path):
    scripts.run(
        """
        db = SmartShopieDB(PATH)
        add(db, 1)
        with db.snapshot():
            numbers(db)
            ended(in_child(lambda: raises(ForkError, lambda: numbers(db))))
            with SmartShopieDB(PATH) as other:
                add(other, 2)
            assert numbers(db) == [1]
        assert numbers(db) == [1, 2]
        """,
        path,
    )
    assert numbers(path) == [1, 2]


def test_a_database_in_memory_stays_with_the_parent(path):
    scripts.run(
        """
        db = SmartShopieDB(":memory:")
        add(db, 1)
        def child():
            raises(ForkError, lambda: numbers(db))
            raises(ForkError, lambda: add(db, 2))
        ended(in_child(child))
        assert numbers(db) == [1]
        add(db, 2)
        assert numbers(db) == [1, 2]
        """,
        path,
    )


def test_a_fork_behind_the_back_of_python_is_noticed(path):
    scripts.run(
        """
        fork = ctypes.CDLL(None).fork
        db = SmartShopieDB(PATH)
        add(db, 1)
        numbers(db)
        pid = fork()
        if pid == 0:
            code = 1
            try:
                raises(ForkError, lambda: numbers(db))
                raises(ForkError, lambda: add(db, 9))
                with SmartShopieDB(PATH) as own:
                    assert numbers(own) == [1]
                    add(own, 2)
                code = 0
            finally:
                os._exit(code)
        ended(pid)
        add(db, 3)
        assert numbers(db) == [1, 2, 3]
        db.close()
        """,
        path,
    )
    assert numbers(path) == [1, 2, 3]


def test_forks_while_other_threads_work(path):
    scripts.run(
        """
        warnings.simplefilter("ignore", DeprecationWarning)  # fork() beside threads
        db = SmartShopieDB(PATH).connect()
        stop = threading.Event()
        done = [0] * 4
        def work(worker):
            while not stop.is_set():
                add(db, worker * 100_000 + done[worker])
                done[worker] += 1
                numbers(db)
        threads = [threading.Thread(target=work, args=(w,)) for w in range(4)]
        for thread in threads:
            thread.start()
        children = 0
        end = time.monotonic() + 2
        try:
            while time.monotonic() < end:
                n = 1_000_000 + children
                ended(in_child(lambda: add(db, n)))
                children += 1
        finally:
            stop.set()
        for thread in threads:
            thread.join()
        wanted = {w * 100_000 + n for w in range(4) for n in range(done[w])}
        wanted |= {1_000_000 + n for n in range(children)}
        stored = numbers(db)
        assert len(stored) == len(wanted) and set(stored) == wanted
        assert children > 3 and min(done) > 3
        db.close()
        """,
        path,
    )
    assert oracle.healthy(path)


@pytest.mark.parametrize("how", ["connect and close", "use and drop"])
def test_forks_while_other_threads_open_and_close(path, how):
    """SQLite's own locks must be free at the fork, or the child waits for ever."""
    use = {
        "connect and close": "db.connect(); db.close()",
        "use and drop": "db.query('SELECT 1'); del db",
    }
    code = """
        warnings.simplefilter("ignore", DeprecationWarning)
        stop = threading.Event()
        def work():
            while not stop.is_set():
                db = SmartShopieDB(PATH)
                USE
        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        mine = SmartShopieDB(PATH)
        children = 0
        def child():
            signal.alarm(8)
            add(mine, children)
        end = time.monotonic() + 1.5
        try:
            while time.monotonic() < end:
                ended(in_child(child))
                children += 1
        finally:
            stop.set()
        for thread in threads:
            thread.join()
        assert (found := numbers(mine)) == list(range(children)), found
        mine.close()
        """
    scripts.run(code.replace("USE", use[how]), path)
    assert oracle.healthy(path)


def test_a_fork_waits_for_a_query_of_another_thread(path):
    scripts.run(
        """
        warnings.simplefilter("ignore", DeprecationWarning)
        db = SmartShopieDB(PATH)
        add(db, 1)
        sql = SLOW.replace("FROM c)", "FROM c WHERE x < 3000000)")
        seen = []
        thread = threading.Thread(target=lambda: seen.append(len(db.query(sql))))
        thread.start()
        time.sleep(0.1)
        pid = in_child(lambda: add(db, 2))
        thread.join()
        ended(pid)
        assert seen == [1]
        assert numbers(db) == [1, 2]
        """,
        path,
    )


def test_a_fork_in_another_thread_than_the_first(path):
    scripts.run(
        """
        warnings.simplefilter("ignore", DeprecationWarning)
        db = SmartShopieDB(PATH)
        add(db, 1)
        def work():
            ended(in_child(lambda: add(db, 2)))
            add(db, 3)
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        assert sorted(numbers(db)) == [1, 2, 3]
        """,
        path,
    )


def test_a_child_may_fork_again(path):
    scripts.run(
        """
        db = SmartShopieDB(PATH)
        add(db, 1)
        def child():
            add(db, 2)
            ended(in_child(lambda: add(db, 3)))
            add(db, 4)
            assert numbers(db) == [1, 2, 3, 4]
        ended(in_child(child))
        assert numbers(db) == [1, 2, 3, 4]
        """,
        path,
    )
    assert numbers(path) == [1, 2, 3, 4]


def test_several_databases_and_closed_ones(path):
    scripts.run(
        """
        one, two = SmartShopieDB(PATH), SmartShopieDB(PATH)
        closed, fresh = SmartShopieDB(PATH), SmartShopieDB(PATH)
        add(one, 1)
        add(two, 2)
        closed.connect()
        closed.close()
        def child():
            add(one, 3)
            add(two, 4)
            add(fresh, 5)
            raises(ClosedError, lambda: add(closed, 6))
        ended(in_child(child))
        raises(ClosedError, lambda: add(closed, 6))
        add(fresh, 7)
        assert numbers(one) == numbers(two) == [1, 2, 3, 4, 5, 7]
        """,
        path,
    )
    assert numbers(path) == [1, 2, 3, 4, 5, 7]


def test_a_subprocess_is_no_fork(path):
    scripts.run(
        """
        import subprocess
        db = SmartShopieDB(PATH)
        with db.transaction():
            add(db, 1)
            subprocess.run([sys.executable, "-c", ""], check=True)
            subprocess.run(["true"], check=True, preexec_fn=lambda: None)
            add(db, 2)
        assert numbers(db) == [1, 2]
        """,
        path,
    )


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing_with_the_database_open(tmp_path, path, method):
    code = """
    import multiprocessing
    PATH = sys.argv[1]
    db = SmartShopieDB(PATH)
    def work(n):
        add(db, n)
        return db.realtime_metrics.count(active_sessions=n)
    if __name__ == "__main__":
        warnings.simplefilter("ignore", DeprecationWarning)
        add(db, 0)
        with multiprocessing.get_context(sys.argv[2]).Pool(3) as pool:
            assert pool.map(work, range(1, 30)) == [1] * 29
        assert sorted(numbers(db)) == list(range(30))
        db.close()
    """
    script = tmp_path / "script.py"
    script.write_text(scripts.BEFORE + scripts.textwrap.dedent(code))
    process = scripts.subprocess.run(
        [scripts.sys.executable, script, path, method],
        env=scripts.environment(),
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert (process.returncode, process.stderr) == (0, "")
    assert numbers(path) == list(range(30))


def test_kept_answers_end_at_a_fork(path):
    """Every handle is closed for it, the log goes, and its header begins anew: somebody
    else's write in between would otherwise look like nothing."""
    scripts.run(
        """
        import sqlite3
        db = SmartShopieDB(PATH)
        add(db, 1)
        db.close()
        def elsewhere():
            other = sqlite3.connect(PATH, isolation_level=None)
            other.execute("UPDATE realtime_metrics SET active_sessions = "
                          "active_sessions + 1")
            other.close()
        # After ours, which was registered first, so with every handle closed.
        hooks = []
        def between():
            for hook in hooks:
                hook()
        os.register_at_fork(after_in_parent=between)
        db.connect()
        for n in range(1, 6):
            assert numbers(db) == [n]
            rows = db.realtime_metrics.select()
            assert db.realtime_metrics.select() is rows
            version = db.version
            hooks[:] = [elsewhere]
            def child():
                while True:  # until the parent's hook is through
                    time.sleep(0.001)
                    if numbers(db) == [n + 1]:
                        break
                kept = db.realtime_metrics.select()
                assert db.realtime_metrics.select() is kept is not rows
                assert [row.active_sessions for row in rows] == [n]
                assert db.version != version
            pid = in_child(child)
            assert numbers(db) == [n + 1]
            assert db.version != version
            ended(pid)
            del hooks[:]
        db.close()
        """,
        path,
    )


def test_a_fork_while_another_thread_frees_a_database(path):
    """It is on no list any more, and its last close copies the log: the fork waits, or
    the child would inherit open files."""
    scripts.run(
        """
        warnings.simplefilter("ignore", DeprecationWarning)  # to fork with threads
        def full():
            db = SmartShopieDB(PATH, durability="off")
            text = "x" * 4000
            db.add_many("usage_alerts", ({"title": str(n), "message": text}
                                         for n in range(2000)))
            return db
        def inherited():
            found = []
            for fd in os.listdir("/proc/self/fd"):
                with contextlib.suppress(OSError):
                    found.append(os.readlink("/proc/self/fd/" + fd))
            assert not [name for name in found if name.startswith(PATH)], found
        for i in range(12):
            box = [full()]
            begun = threading.Event()
            def drop():
                begun.set()
                box.clear()
            thread = threading.Thread(target=drop)
            thread.start()
            begun.wait()
            time.sleep(i * 0.0005)
            ended(in_child(inherited))
            thread.join()
        """,
        path,
    )
    assert oracle.healthy(path)


def test_a_child_forks_though_a_thread_was_dropping_a_database(path):
    """The hook is registered first, so it runs last: between ours and the fork. No lock
    of Python's is used there, which the child would inherit locked."""
    code = """
import os, signal, sys, threading, time
dropping = False
def drop_meanwhile():
    global dropping
    dropping = True
    for _ in range(50):
        time.sleep(0)
def stop():
    global dropping
    dropping = False
os.register_at_fork(before=drop_meanwhile, after_in_parent=stop)
from smartshopie_db import SmartShopieDB
def drop():
    while True:
        if dropping:
            SmartShopieDB(sys.argv[1])
        else:
            time.sleep(0.001)
threading.Thread(target=drop, daemon=True).start()
def child(work):
    pid = os.fork()
    if pid == 0:
        signal.alarm(20)
        work()
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
for _ in range(20):
    child(lambda: child(lambda: None))
os._exit(0)
"""
    command = [sys.executable, "-W", "ignore", "-c", code, str(path)]
    subprocess.run(command, check=True, timeout=60)


def test_a_fork_though_threads_make_and_drop_databases_that_nobody_used(path):
    """There is nothing open in them: it does not wait until none is being dropped."""
    code = """
import os, signal, sys, threading
from smartshopie_db import SmartShopieDB
sys.setswitchinterval(1e-5)
stop = False
def churn():
    while not stop:
        SmartShopieDB(sys.argv[1])
for _ in range(6):
    threading.Thread(target=churn).start()
signal.alarm(40)
for _ in range(25):
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
stop = True
"""
    command = [sys.executable, "-W", "ignore", "-c", code, str(path)]
    subprocess.run(command, check=True, timeout=60)
