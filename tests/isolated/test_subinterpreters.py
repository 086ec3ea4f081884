"""Interpreters beside the first: each has its own copy of the module."""

import importlib.util

import oracle
import pytest
import scripts

MODULES = ("_interpreters", "_xxsubinterpreters")
MODULE = next((name for name in MODULES if importlib.util.find_spec(name)), None)
pytestmark = [
    pytest.mark.timeout(60),
    pytest.mark.skipif(MODULE is None, reason="this Python has no module for them"),
]

INSIDE = """
import sys
sys.path[:] = {path!r}
import datetime
from smartshopie_db import ClosedError, Error, OverviewKPI, SmartShopieDB
memory = SmartShopieDB(":memory:")
memory.add_overview_kpis(record_date="2025-01-01", total_customers=1)
assert memory.get_overview_kpis().total_customers == 1
file = SmartShopieDB({file!r})
file.add_realtime_metric(
    recorded_at=datetime.datetime(2025, 1, 1) + datetime.timedelta(minutes={n}),
    active_sessions={n},
)
rows = file.realtime_metrics.select(active_sessions={n})
assert len(rows) == 1 and rows[0].active_sessions == {n}
try:
    file.add_overview_kpis()
except TypeError as error:
    assert "record_date" in str(error)
else:
    raise AssertionError
record = OverviewKPI(record_date="2025-01-01")
closed = SmartShopieDB({file!r}).connect()
closed.close()
try:
    closed.get_overview_kpis()
except ClosedError as error:
    assert isinstance(error, Error)
"""
OUTSIDE = f"""
import {MODULE} as interpreters
INSIDE = {INSIDE!r}
def create_one():
    "With the lock of the first interpreter, as module and datetime need it to be."
    if interpreters.__name__ == "_interpreters":
        return interpreters.create("legacy")
    return interpreters.create(isolated=False)
def run_one(n, file=PATH):
    one = create_one()
    code = INSIDE.format(path=sys.path, file=file, n=n)
    failure = interpreters.run_string(one, code)
    assert failure is None, failure
    interpreters.destroy(one)
"""


def test_interpreters_come_and_go_with_handles_open(path):
    scripts.run(
        OUTSIDE
        + """
db = SmartShopieDB(PATH)
for n in range(20):
    run_one(n)
    assert len(numbers(db)) == n + 1
assert numbers(db) == list(range(20))
add(db, 100)
db.close()
""",
        path,
    )
    rows = oracle.run(path, "SELECT active_sessions FROM realtime_metrics")
    assert sorted(n for (n,) in rows) == [*range(20), 100]
    assert oracle.healthy(path)


def test_an_interpreter_in_a_thread(path):
    scripts.run(
        OUTSIDE
        + """
failures = []
def work(k):
    try:
        for n in range(4):
            run_one(k * 10 + n)
    except BaseException as error:
        failures.append(error)
threads = [threading.Thread(target=work, args=(k,)) for k in range(3)]
for thread in threads:
    thread.start()
db = SmartShopieDB(PATH)
for n in range(50):
    add(db, 1000 + n)
for thread in threads:
    thread.join()
assert not failures, failures
assert len(numbers(db)) == 62
""",
        path,
    )


def test_a_fork_after_interpreters_have_ended(path):
    scripts.run(
        OUTSIDE
        + """
db = SmartShopieDB(PATH)
for n in range(3):
    run_one(n)
def child():
    add(db, 50)
ended(in_child(child))
assert sorted(numbers(db)) == [0, 1, 2, 50]
gc.collect()
""",
        path,
    )


def test_an_interpreter_with_a_lock_of_its_own(path):
    """It works there, or says at the import that it does not."""
    scripts.run(
        OUTSIDE
        + """
for n in range(3):
    one = interpreters.create()
    code = INSIDE.format(path=sys.path, file=PATH, n=n)
    try:
        failure = interpreters.run_string(one, code)
    except Exception as error:
        failure = error
    assert failure is None or "does not support" in str(failure), failure
    interpreters.destroy(one)
db = SmartShopieDB(PATH)
add(db, 100)
assert numbers(db)[-1] == 100
""",
        path,
    )


def test_the_module_can_be_loaded_twice_in_one_interpreter(path):
    scripts.run(
        """
        first = sys.modules["smartshopie_db"]
        for name in [n for n in sys.modules if n.startswith("smartshopie_db")]:
            del sys.modules[name]
        import smartshopie_db as second
        assert second.SmartShopieDB is not first.SmartShopieDB
        assert not issubclass(second.ClosedError, first.ClosedError)
        one, two = first.SmartShopieDB(PATH), second.SmartShopieDB(PATH)
        add(one, 1)
        add(two, 2)
        assert numbers(one) == numbers(two) == [1, 2]
        assert type(two.get_overview_kpis()) is type(None)
        raises(TypeError, lambda: two.add(first.OverviewKPI(record_date="2025-01-01")))
        def child():
            add(one, 3)
            add(two, 4)
        ended(in_child(child))
        assert numbers(two) == [1, 2, 3, 4]
        del one, two, first, second
        gc.collect()
        """,
        path,
    )
