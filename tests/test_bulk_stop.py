"""add_many(): in one transaction, or nothing at all, however it is stopped."""

import itertools
import os
import signal
import threading
import time

import pytest
from bulk import interaction, stage

from smartshopie_db import IntegrityError, OperationalError

pytestmark = pytest.mark.timeout(60)


def test_in_a_transaction_it_is_a_part_of_it(db):
    with pytest.raises(ZeroDivisionError), db.transaction():
        db.conversion_funnel.add_many([stage(1)])
        assert db.conversion_funnel.count() == 1
        1 / 0  # noqa: B018
    assert db.conversion_funnel.count() == 0
    with db.transaction():
        db.conversion_funnel.add_many([stage(1)])
        with pytest.raises(IntegrityError):
            db.conversion_funnel.add_many([stage(2), stage(3, count=-1)])
        db.conversion_funnel.add_many([stage(4)])
    assert [r.stage_order for r in db.conversion_funnel.select()] == [1, 4]


def big(n_rows, text):
    for n in range(n_rows):
        yield interaction(n) | {"activity_description": text}


def test_input_beyond_memory_goes_through_a_file(db, path):
    """50 MB of text: half stays in memory, the rest is read back in the same order."""
    text = "é" * 400
    columns = ["interaction_id", "interaction_date", "interaction_type"]

    def rows():
        for n, row in enumerate(big(60_000, text)):
            if n % 20_000 == 7:
                row["satisfaction_score"] = 3
            yield row

    assert db.customer_interactions.add_many(rows()) == (60_000, 0, 0)
    read = db.customer_interactions.select(columns=["id", *columns])
    for n in (0, 31_000, 59_999):
        assert dict(read[n]) == {"id": n + 1, **{k: interaction(n)[k] for k in columns}}
    scores = db.customer_interactions.select(satisfaction_score=3)
    assert [row.id for row in scores] == [8, 20_008, 40_008]
    assert db.customer_interactions.count(activity_description=text) == 60_000
    with pytest.raises(IntegrityError, match="row 59999: "):
        db.add_many(
            "customer_interactions",
            (r | {"message_count": -(n // 59_999)} for n, r in enumerate(rows())),
        )


def stop_soon(db, how):
    """Stop the load that this thread runs, a moment from now."""
    timer = threading.Timer(0.05, how)
    timer.start()
    return timer


@pytest.mark.parametrize("when", ["gathering", "moving"])
def test_cancel_leaves_nothing(db, when):
    def endless():
        n = 0
        while True:
            yield interaction(n)
            n += 1

    rows = [interaction(n) for n in range(150_000)]
    source = endless() if when == "gathering" else rows
    done = threading.Event()

    def cancel():
        while not done.is_set():
            db.cancel()
            time.sleep(0.01)

    thread = threading.Thread(target=cancel)
    timer = threading.Timer(0.05, thread.start)
    timer.start()
    try:
        with pytest.raises(OperationalError, match="cancel"):
            db.customer_interactions.add_many(source)
    finally:
        timer.join()
        done.set()
        thread.join()
    assert db.customer_interactions.count() == 0
    assert db.customer_interactions.add_many(rows[:10]) == (10, 0, 0)


@pytest.mark.parametrize("when", ["gathering", "moving"])
def test_ctrl_c_leaves_nothing(db, when):
    rows = [interaction(n) for n in range(150_000)]
    source = itertools.cycle(rows) if when == "gathering" else rows
    taken = threading.Event()

    def progress(done, total):
        if done > 0 and total in (None, done):
            taken.set()

    def interrupt():
        assert taken.wait(20)
        time.sleep(0.1)
        signal.raise_signal(signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        db.customer_interactions.add_many(source, progress=progress)
    thread.join()
    assert db.customer_interactions.count() == 0
    assert db.customer_interactions.add_many(rows[:10]) == (10, 0, 0)


def test_other_threads_run_while_rows_are_taken(db):
    """A list of plain values runs no Python code, and yet holds the GIL no longer."""
    rows = [stage(1) for _ in range(300_000)]
    ticks, done = [], threading.Event()

    def tick():
        while not done.is_set():
            ticks.append(time.monotonic())
            time.sleep(0.001)

    def stop(taken, total):
        if taken == total:
            raise LookupError

    thread = threading.Thread(target=tick)
    thread.start()
    start = time.monotonic()
    with pytest.raises(LookupError):
        db.conversion_funnel.add_many(rows, progress=stop)
    end = time.monotonic()
    done.set()
    thread.join()
    between = [tick for tick in ticks if start < tick < end]
    assert len(between) >= (end - start) / 0.05


@pytest.mark.timed
def test_a_time_limit_holds_for_all_of_it(db):
    def slow():
        for n in range(1000):
            time.sleep(0.01)
            yield interaction(n)

    start = time.monotonic()
    with pytest.raises(OperationalError, match="time limit"):
        db.customer_interactions.add_many(slow(), timeout=0.1, commit_every=1)
    assert time.monotonic() - start < 1
    with pytest.raises(OperationalError, match="time limit"):
        db.customer_interactions.add_many(
            [interaction(n) for n in range(100_000)], timeout=0.05
        )
    assert db.customer_interactions.count() < 100


def test_threads_load_beside_readers(db):
    def load(worker):
        for n in range(5):
            start = worker * 10_000 + n * 1000
            rows = [interaction(start + i) for i in range(1000)]
            assert db.customer_interactions.add_many(rows) == (1000, 0, 0)

    workers = [threading.Thread(target=load, args=(w,)) for w in range(4)]
    for worker in workers:
        worker.start()
    while any(worker.is_alive() for worker in workers):
        assert db.customer_interactions.count() % 1000 == 0
        time.sleep(0.002)
    assert db.customer_interactions.count() == 20_000


def test_a_child_process_does_not_go_on_with_the_load(db, path):
    read, write = os.pipe()

    def rows():
        yield interaction(1)
        pid = os.fork()
        if pid:
            os.waitpid(pid, 0)
        yield interaction(2 if pid else 3)
        if pid == 0:
            child.append(True)

    child = []
    try:
        result = db.customer_interactions.add_many(rows())
    except OperationalError as error:
        os.write(write, type(error).__name__.encode())
        os._exit(0)
    if child:
        os._exit(1)
    assert result == (2, 0, 0)
    assert os.read(read, 100) == b"ForkError"
    assert [r.interaction_id[-1] for r in db.customer_interactions.select()] == [
        "1",
        "2",
    ]


def test_a_stream_of_nothing_but_empty_batches_can_be_stopped(db):
    pyarrow = pytest.importorskip("pyarrow")
    full = pyarrow.RecordBatch.from_pylist([stage(1)])
    told = []

    def batches():
        yield full
        until = time.monotonic() + 30
        while time.monotonic() < until:
            yield full.slice(0, 0)
        yield full

    def progress(done, total):
        told.append(done)
        if len(told) == 4:  # the first is before, the next with the rows
            raise ZeroDivisionError

    reader = pyarrow.RecordBatchReader.from_batches(full.schema, batches())
    with pytest.raises(ZeroDivisionError):
        db.conversion_funnel.add_many(reader, progress=progress, commit_every=1)
    assert told == [0, 1, 1, 1]
    assert db.conversion_funnel.count() == 1
