"""A process killed in the middle of one add_many(): while rows are gathered and wait in
a temporary file, and while the one statement moves them. Nothing of the load is there,
the file is sound, no temporary file is left.

Seen to fail: with commit_every in all stages, and with a temporary file that keeps its
name (columns/spool)."""

import contextlib
import os
import random
import time

import oracle
import pytest
import scripts
import soak

from smartshopie_db import SmartShopieDB

KILLS = soak.times(4, 60)
pytestmark = [pytest.mark.timeout(60 + 10 * KILLS), pytest.mark.slow]

PART = 999
# Row 0 changes the row that was there; the others come from all over the index.
LOAD = """
FOLDER, STAGE, PART = sys.argv[2], sys.argv[3], int(sys.argv[4])
def temporary_bytes():
    "Of the file without a name that the rows wait in."
    for fd in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            if os.readlink(f"/proc/self/fd/{fd}").startswith(FOLDER + "/"):
                return os.fstat(int(fd)).st_size
    return 0
def rows():
    n, text = 0, "x" * 1500
    while STAGE != "moving" or n < 40_000:
        yield {"interaction_id": f"I-{n * 7919 % 40_009}-{n // 40_009}",
               "interaction_date": minute(n), "interaction_type": "chat",
               "activity_description": text}
        n += 1
        if n % 1000 == 0 and STAGE == "gathering" and temporary_bytes() > 1_000_000:
            print(0, flush=True)
def progress(done, total):
    if STAGE == "moving" and done == 40_000:
        assert temporary_bytes() > 1_000_000
        print(0, flush=True)
    if STAGE == "parts" and done and done % PART == 0:
        print(done, flush=True)
db = SmartShopieDB(PATH)
options = {"commit_every": PART} if STAGE == "parts" else {}
db.customer_interactions.add_many(rows(), progress=progress, **options)
print("done", flush=True)
"""


def log_changed(path):
    with contextlib.suppress(FileNotFoundError):
        return os.stat(f"{path}-wal").st_mtime_ns


def kill_one(path, folder, stage):
    """Kill a load in that stage; how many of its rows were acknowledged."""
    os.environ["SQLITE_TMPDIR"] = str(folder)
    before = log_changed(path)
    process = scripts.start(LOAD, path, folder, stage, PART)
    try:
        told = process.stdout.readline()
        if stage == "moving":  # what does not fit in SQLite's memory is in the log
            while log_changed(path) == before:
                assert process.poll() is None, process.communicate()
        time.sleep(random.random() * 0.1)
        process.kill()
        out, error = process.communicate(timeout=30)
    finally:
        del os.environ["SQLITE_TMPDIR"]
        process.kill()
    assert error == "" and "done" not in out
    return int((told + out).split()[-1])


def stored(path):
    assert oracle.healthy(path)
    return oracle.run(
        path, "SELECT interaction_id, activity_description FROM customer_interactions"
    )


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "temporary"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("stage", ["gathering", "moving"])
def test_nothing_of_a_killed_load_is_there(path, folder, stage):
    with SmartShopieDB(path) as db:
        db.add_customer_interaction(
            interaction_id="I-0-0",
            interaction_date="2024-01-01 00:00:00",
            interaction_type="chat",
            activity_description="as it was",
        )
    n_wrong = 0
    for _ in range(KILLS):
        assert kill_one(path, folder, stage) == 0
        n_wrong += stored(path) != [("I-0-0", "as it was")]
        assert os.listdir(folder) == []
    soak.figure(f"loads killed while {stage}: something of it there", KILLS, n_wrong)
    assert n_wrong == 0
    with SmartShopieDB(path) as db:
        rows = [dict(row) for row in db.customer_interactions.select()]
        rows += [rows[0] | {"id": 9, "interaction_id": "I-1"}]
        assert db.customer_interactions.add_many(rows) == (1, 1, 0)


def test_of_a_load_in_parts_whole_parts_are_there(path, folder):
    """commit_every: each part is a load."""
    acked = kill_one(path, folder, "parts")
    n = len(stored(path))
    assert n % PART == 0 and n >= acked > 0
    assert os.listdir(folder) == []
