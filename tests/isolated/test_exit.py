"""How a process ends: in order, by accident, or killed; what was promised is kept."""

import os
import random
import signal
import time

import oracle
import pytest
import scripts

pytestmark = pytest.mark.timeout(60)


def numbers(path):
    rows = oracle.run(path, "SELECT active_sessions FROM realtime_metrics")
    assert oracle.healthy(path)
    return sorted(n for (n,) in rows)


def files(path):
    return sorted(name.name for name in path.parent.iterdir())


ENDS = {
    "of the script": "",
    "by exit": "sys.exit(0)",
    "with a reader": "rows = db.realtime_metrics.select(); it = iter(rows); next(it)",
    "with a global table": "table = db.realtime_metrics; del db",
    "with a cycle": "class A: pass\na = A(); a.a = a; a.db = db; del a, db",
    "with a thread's query": "def run():\n  with contextlib.suppress(OperationalError):"
    " db.query(SLOW)\nthreading.Thread(target=run, daemon=True).start()\n"
    "time.sleep(0.2)",
    "with an open block": "block = db.snapshot(); block.__enter__()",
}


@pytest.mark.timed
@pytest.mark.parametrize("how", ENDS)
def test_an_end_in_order_leaves_one_file(path, how):
    code = "db = SmartShopieDB(PATH)\nadd(db, 1)\n" + ENDS[how]
    begun = time.monotonic()
    scripts.run(code, path)
    assert time.monotonic() - begun < 10
    if how != "with an open block":
        assert files(path) == [path.name]
    assert numbers(path) == [1]


def test_an_open_transaction_is_rolled_back(path):
    scripts.run(
        """
        db = SmartShopieDB(PATH)
        add(db, 1)
        block = db.transaction()
        block.__enter__()
        add(db, 2)
        """,
        path,
    )
    assert numbers(path) == [1]


def test_an_exception_in_a_transaction_that_ends_the_script(path):
    process = scripts.start(
        """
        db = SmartShopieDB(PATH)
        with db.transaction():
            add(db, 1)
            1 / 0
        """,
        path,
    )
    _, error = process.communicate(timeout=30)
    assert process.returncode == 1
    assert error.rstrip().endswith("ZeroDivisionError: division by zero")
    assert numbers(path) == []


def test_an_abrupt_end_keeps_what_was_added(path):
    scripts.run("db = SmartShopieDB(PATH); add(db, 1); os._exit(0)", path)
    assert f"{path.name}-wal" in files(path)
    with oracle.connect(path):
        assert numbers(path) == [1]


LOOP = """
db = SmartShopieDB(PATH, durability=sys.argv[2])
first = max(numbers(db), default=0) + 1
assert db.realtime_metrics.count() % 3 == 0
for n in range(first, first + 100_000, 3):
    if n % 2:
        with db.transaction():
            for k in range(3):
                add(db, n + k)
    else:
        with db.get_cursor() as cursor:
            cursor.executemany(
                "INSERT INTO realtime_metrics (recorded_at, active_sessions)"
                " VALUES (?, ?)",
                [(minute(n + k), n + k) for k in range(3)],
            )
    os.write(1, b"%d\\n" % n)
"""


@pytest.mark.parametrize("durability", ["full", "normal"])
def test_a_killed_process_has_kept_its_word(path, durability):
    """Every acknowledged transaction is there, and none in part."""
    dice = random.Random(7)
    acknowledged = 0
    for _ in range(8):
        process = scripts.start(LOOP, path, durability)
        assert process.stdout.readline()
        time.sleep(dice.uniform(0, 0.15))
        os.kill(process.pid, signal.SIGKILL)
        out, error = process.communicate(timeout=30)
        assert error == ""
        lines = out.split("\n")[:-1]
        acknowledged = int(lines[-1]) if lines else acknowledged
        stored = numbers(path)
        assert len(stored) % 3 == 0
        assert stored == list(range(1, len(stored) + 1))
        assert len(stored) >= acknowledged + 2 if lines else True
