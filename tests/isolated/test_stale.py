"""No answer is ever older than what was committed when it was asked for.

Processes commit at random, two with this package and two with the standard library, and
say so in shared memory after the commit returned; threads of this process read through
the cache all the time, and look there before each read.  In soak: one minute.
"""

import mmap
import random
import struct
import threading
import time

import oracle
import pytest
import scripts
import soak

from smartshopie_db import SmartShopieDB

SECONDS = soak.times(6, 60)
WRITERS, READERS = 4, 4
pytestmark = [pytest.mark.timeout(SECONDS * 3 + 60), pytest.mark.slow]

# Each has two rows, always changed together; `ack` comes after the commit returned.
WRITER = """
import mmap, random, sqlite3, struct
me, until = int(sys.argv[2]), time.time() + float(sys.argv[3])
with open(PATH + ".acks", "r+b") as file:
    acks = mmap.mmap(file.fileno(), 0)
dice = random.Random(me)
CHANGE = "UPDATE realtime_metrics SET active_sessions = ? WHERE id IN (?, ?)"
def by_package():
    with SmartShopieDB(PATH, durability="off", busy_timeout=30) as db:
        while True:
            n = yield
            db.execute(CHANGE, (n, me + 1, me + 101))
            if dice.random() < 0.02:  # everything closed, and opened again
                db.close()
                db.connect()
def by_library():
    db = None
    while True:
        n = yield
        if db is None:
            db = sqlite3.connect(PATH, isolation_level=None, timeout=30)
            db.execute("PRAGMA wal_autocheckpoint = 0")
            db.execute("PRAGMA synchronous = OFF")
        if dice.random() < 0.2:
            db.execute("BEGIN IMMEDIATE")
            db.execute(CHANGE, (10**9, me + 1, me + 101))
            db.execute("ROLLBACK")
        db.execute(CHANGE, (n, me + 1, me + 101))
        if dice.random() < 0.05:
            db.close()
            db = None
write = by_package() if me % 2 else by_library()
next(write)
n = 0
while time.time() < until:
    n += 1
    write.send(n)
    struct.pack_into("q", acks, me * 8, n)
    time.sleep(dice.choice((0, 0, 0.001, 0.005, 0.05)))
write.close()
print(n)
"""


class Kept:
    """A cache that is a little wrong: what a time limit makes of it."""

    def __init__(self, db):
        self.db, self.rows, self.until = db, None, 0

    def select(self):
        if time.monotonic() > self.until:
            self.rows = self.db.realtime_metrics.select()
            self.until = time.monotonic() + 0.002
        return self.rows


class Reader(threading.Thread):
    def __init__(self, db, select, acks, until):
        super().__init__()
        self.db, self.select, self.acks, self.until = db, select, acks, until
        self.stale, self.torn, self.mixed, self.n = [], [], [], 0
        self.versions = {}  # shared

    def run(self):
        while time.time() < self.until:
            least = struct.unpack_from(f"{WRITERS}q", self.acks)
            numbers = self.select()["active_sessions"].to_list()
            first, second = numbers[:WRITERS], numbers[WRITERS:]
            if any(n < ack for n, ack in zip(first, least, strict=True)):
                self.stale.append((least, numbers))
            if first != second or max(first) >= 10**9:
                self.torn.append(numbers)
            self.n += 1
            if self.n % 64 == 0:
                self.check_version()

    def check_version(self):
        """One version, one content: also for what other threads saw."""
        version = self.db.version
        numbers = tuple(self.select()["active_sessions"].to_list())
        if self.db.version == version:
            known = self.versions.setdefault(version, numbers)
            if known != numbers:
                self.mixed.append((version, known, numbers))
        time.sleep(random.random() / 1000)


def measure(path, seconds, select_of):
    with open(f"{path}.acks", "wb") as file:
        file.write(bytes(8 * WRITERS))
    numbers = ", ".join(
        f"({n + 1 + offset}, '2025-01-01 00:{n + offset // 5:02}:00', 0)"
        for offset in (0, 100)
        for n in range(WRITERS)
    )
    oracle.run(
        path,
        "INSERT INTO realtime_metrics (id, recorded_at, active_sessions) "
        f"VALUES {numbers}",
    )
    until = time.time() + seconds
    with SmartShopieDB(path, busy_timeout=30) as db, open(f"{path}.acks", "rb") as file:
        acks = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        writers = [
            scripts.start(WRITER, path, n, until - time.time() - 0.2)
            for n in range(WRITERS)
        ]
        select = select_of(db)
        readers = [Reader(db, select, acks, until) for _ in range(READERS)]
        versions = {}
        for reader in readers:
            reader.versions = versions
            reader.start()
        for reader in readers:
            reader.join()
        commits = sum(int(scripts.finish(writer, 60)) for writer in writers)
        figures = db.stats()
    assert oracle.healthy(path)
    return readers, commits, figures, versions


def test_no_answer_is_stale_and_no_row_is_torn(path):
    readers, commits, figures, versions = measure(
        path, SECONDS, lambda db: db.realtime_metrics.select
    )
    reads = sum(reader.n for reader in readers)
    print(f"{commits} commits, {reads} reads, {figures['cache_hits']} hits")
    for what in ("stale", "torn", "mixed"):
        n_bad = sum(len(getattr(reader, what)) for reader in readers)
        soak.figure(f"reads through the cache while 4 commit: {what}", reads, n_bad)
    assert [reader.stale[:1] for reader in readers] == [[]] * READERS
    assert [reader.torn[:1] for reader in readers] == [[]] * READERS
    assert [reader.mixed[:1] for reader in readers] == [[]] * READERS
    assert commits > 50 * SECONDS and len(versions) > 10
    assert figures["cache_hits"] > 2 * commits
    assert figures["cache_hits"] > reads / 2


def test_the_proof_finds_what_is_stale(path):
    """A cache that trusts two milliseconds is caught by the same means."""
    readers, commits, _, _ = measure(path, 2, lambda db: Kept(db).select)
    assert commits > 0
    assert sum(len(reader.stale) for reader in readers) > 0
    assert sum(len(reader.mixed) for reader in readers) > 0
