"""Any sequence of calls, against a dict: what the database answers, in and out of
transactions and snapshots, across close() and garbage collection, from other threads
and when another program writes, is what the model says.

Seen to fail: with a rollback of the outermost block that commits."""

import datetime
import gc
import shutil
import tempfile
import threading
from pathlib import Path

import oracle
import pytest
import soak
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from schema_facts import TABLES

from smartshopie_db import ClosedError, IntegrityError, SmartShopieDB

START = datetime.datetime(2025, 1, 1)
KEYS = st.integers(0, 12)
VALUES = st.integers(0, 10**12) | st.none()


def minute(key):
    return START + datetime.timedelta(minutes=key)


def key_of(moment):
    return (moment - START) // datetime.timedelta(minutes=1)


def answer(rows):
    return {key_of(row.recorded_at): row.active_sessions for row in rows}


def in_thread(call):
    out = []
    thread = threading.Thread(target=lambda: out.append(call()))
    thread.start()
    thread.join()
    return out[0]


class Shop(RuleBasedStateMachine):
    """`rows` is what a read outside of a snapshot gives: {key: value}."""

    blank: Path
    n_steps: int  # of all machines

    @initialize(cache=st.booleans(), durability=st.sampled_from(["full", "off"]))
    def begin(self, cache, durability):
        self.folder = Path(tempfile.mkdtemp(prefix="state"))
        self.path = Path(shutil.copy(self.blank, self.folder / "shop.db"))
        self.db = SmartShopieDB(self.path, cache=cache, durability=durability)
        self.rows = {}
        self.blocks = []  # of transaction(): (the block, the rows before it)
        self.snapshot = None  # (the block, the rows it shows)
        self.kept = []  # answers, and what they said when they were given
        self.open = True

    def teardown(self):
        if not hasattr(self, "db"):
            return
        while self.blocks:
            self.leave_transaction(True)
        if self.snapshot:
            self.leave_snapshot()
        self.db.close()
        stored = oracle.rows_of(self.path, TABLES["realtime_metrics"])
        assert {key_of(r["recorded_at"]): r["active_sessions"] for r in stored} == (
            self.rows
        )
        assert oracle.healthy(self.path)
        shutil.rmtree(self.folder)

    @property
    def seen(self):
        return self.snapshot[1] if self.snapshot else self.rows

    def free(self):
        return self.open and not self.blocks and not self.snapshot

    # ---- writing ---------------------------------------------------------------------

    def writable(self):
        return self.open and not self.snapshot

    @precondition(writable)
    @rule(key=KEYS, value=VALUES, thread=st.booleans())
    def add(self, key, value, thread):
        def call():
            return self.db.add_realtime_metric(
                recorded_at=minute(key), active_sessions=value
            )

        if thread and not self.blocks:
            in_thread(call)
        else:
            call()
        self.rows[key] = value

    @precondition(writable)
    @rule(key=KEYS, value=VALUES)
    def add_once(self, key, value):
        arguments = {"recorded_at": minute(key), "active_sessions": value}
        if key in self.rows:
            with pytest.raises(IntegrityError):
                self.db.realtime_metrics.add(**arguments, on_conflict="error")
            self.db.realtime_metrics.add(**arguments, on_conflict="ignore")
        else:
            self.db.realtime_metrics.add(**arguments, on_conflict="error")
            self.rows[key] = value

    @precondition(writable)
    @rule(key=KEYS, value=VALUES)
    def update(self, key, value):
        n = self.db.realtime_metrics.update(
            {"recorded_at": minute(key)}, active_sessions=value
        )
        assert n == (key in self.rows)
        if n:
            self.rows[key] = value

    @precondition(writable)
    @rule(key=KEYS)
    def delete(self, key):
        n = self.db.realtime_metrics.delete({"recorded_at": minute(key)})
        assert n == (key in self.rows)
        self.rows.pop(key, None)

    @precondition(writable)
    @rule(first=KEYS, values=st.lists(VALUES, max_size=6))
    def add_many(self, first, values):
        self.db.add_many(
            "realtime_metrics",
            [
                {"recorded_at": minute(first + i), "active_sessions": value}
                for i, value in enumerate(values)
            ],
        )
        self.rows |= {first + i: value for i, value in enumerate(values)}

    @precondition(lambda self: self.open and not self.blocks)
    @rule(key=KEYS, value=VALUES, ours=st.booleans())
    def another_program(self, key, value, ours):
        """Or another thread, which a snapshot of this one does not see."""
        if ours:
            in_thread(
                lambda: self.db.add_realtime_metric(
                    recorded_at=minute(key), active_sessions=value
                )
            )
        else:
            number = "NULL" if value is None else value
            oracle.run(
                self.path,
                "INSERT INTO realtime_metrics(recorded_at, active_sessions) VALUES"
                f"('{minute(key)}', {number}) ON CONFLICT(recorded_at) DO UPDATE SET"
                " active_sessions = excluded.active_sessions",
            )
        self.rows = self.rows | {key: value}

    # ---- reading ---------------------------------------------------------------------

    def is_open(self):
        return self.open

    @precondition(is_open)
    @rule(n=st.integers(1, 3), newest=st.integers(1, 5))
    def read(self, n, newest):
        for _ in range(n):  # the second may be a kept answer
            rows = self.db.realtime_metrics.select()
            assert answer(rows) == self.seen
            some = self.db.get_realtime_metrics(limit=newest)
            wanted = sorted(self.seen, reverse=True)[:newest]
            assert [key_of(row.recorded_at) for row in some] == wanted
            assert answer(some) == {key: self.seen[key] for key in wanted}
        self.kept.append((rows, dict(self.seen)))

    @precondition(is_open)
    @rule(value=VALUES, key=KEYS)
    def count(self, value, key):
        table = self.db.realtime_metrics
        assert table.count() == len(self.seen)
        same = [k for k, v in self.seen.items() if v == value]
        assert table.count(active_sessions=value) == len(same)
        one = answer(table.select(recorded_at=minute(key)))
        assert one == {k: v for k, v in self.seen.items() if k == key}
        rows = self.db.query("SELECT sum(active_sessions) AS n FROM realtime_metrics")
        numbers = [v for v in self.seen.values() if v is not None]
        assert rows[0]["n"] == (sum(numbers) if numbers else None)

    @precondition(lambda self: self.open and not self.blocks)
    @rule()
    def read_elsewhere(self):
        assert in_thread(lambda: answer(self.db.realtime_metrics.select())) == self.rows

    @precondition(is_open)
    @rule(n=st.integers(0, 3))
    def iterate(self, n):
        """A part of it now; what is left stays what it was."""
        rows = iter(self.db.realtime_metrics.select(order_by="recorded_at"))
        part = [row for row, _ in zip(rows, range(n), strict=False)]
        assert answer(part).items() <= self.seen.items()
        left = {k: self.seen[k] for k in sorted(self.seen)[n + 1 :]}
        self.kept.append((rows, left if n < len(self.seen) else {}))

    @rule()
    def look_back(self):
        for rows, said in self.kept:
            assert answer(rows) == said
        self.kept = []

    @rule()
    def collect(self):
        gc.collect()

    # ---- blocks and lifetimes ------------------------------------------------

    @precondition(lambda self: self.writable() and len(self.blocks) < 3)
    @rule()
    def enter_transaction(self):
        block = self.db.transaction()
        block.__enter__()
        self.blocks.append((block, dict(self.rows)))

    @precondition(lambda self: self.blocks)
    @rule(commit=st.booleans())
    def leave_transaction(self, commit):
        block, before = self.blocks.pop()
        if commit:
            block.__exit__(None, None, None)
        else:
            error = ValueError("no")
            block.__exit__(ValueError, error, None)
            self.rows = before

    @precondition(lambda self: self.writable() and len(self.blocks) < 2)
    @rule(key=KEYS, value=VALUES)
    def undo_a_part(self, key, value):
        """A block that fails within one that goes on."""
        self.enter_transaction()
        self.enter_transaction()
        self.add(key, value, False)
        self.leave_transaction(False)
        self.read(1, 5)
        self.leave_transaction(True)

    @precondition(free)
    @rule()
    def enter_snapshot(self):
        block = self.db.snapshot()
        block.__enter__()
        self.snapshot = (block, dict(self.rows))

    @precondition(free)
    @rule(key=KEYS, value=VALUES, ours=st.booleans())
    def look_at_the_past(self, key, value, ours):
        """What is written before the first read of a snapshot is not in it."""
        self.enter_snapshot()
        self.another_program(key, value, ours)
        self.read(1, 5)
        self.leave_snapshot()

    @precondition(lambda self: self.snapshot)
    @rule()
    def leave_snapshot(self):
        block, _ = self.snapshot
        self.snapshot = None
        block.__exit__(None, None, None)

    @precondition(free)
    @rule()
    def close(self):
        self.db.close()
        self.open = False
        with pytest.raises(ClosedError):
            self.db.realtime_metrics.select()

    @precondition(lambda self: not self.open)
    @rule(anew=st.booleans())
    def reopen(self, anew):
        if anew:
            self.db = SmartShopieDB(self.path)
        else:
            self.db.connect()
        self.open = True

    @precondition(free)
    @rule()
    def drop(self):
        """Without close(): the garbage collector does it."""
        self.db = SmartShopieDB(self.path)

    @invariant()
    def keeps_few(self):
        Shop.n_steps += 1
        del self.kept[:-20]


@pytest.fixture
def of_this_test():
    """What other tests of the process left is not looked through at each collection:
    after some thousand tests that is a second each."""
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.slow
@pytest.mark.timeout(soak.times(200, 14400))
def test_any_sequence_of_calls(blank_file, of_this_test):
    Shop.blank, Shop.n_steps = blank_file, 0
    run_state_machine_as_test(
        Shop,
        settings=settings(
            max_examples=soak.times(60, 1000),
            stateful_step_count=100 if soak.SOAK else 40,
            derandomize=not soak.SOAK,
            deadline=None,
        ),
    )
    soak.figure("steps of the state machine: another answer", Shop.n_steps)
