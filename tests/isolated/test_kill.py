"""A writer killed at any moment: what it acknowledged is there, and each batch is there
as a whole or not at all.

A child with six threads (adds that share commits, transactions, an add of its own
connection) tells of each acknowledgement through a pipe until SIGKILL ends it; then a
process that knows only the standard library's sqlite3 looks.  The control tells before
it writes, and must be found out."""

import oracle
import pytest
import scripts
import soak

KILLS = soak.times(60, 1000)

WRITE = """
import random, select, shutil, sqlite3
BLANK, KILLS, SEED, MODE = sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]
PER_ROUND, PER_THREAD = 100_000, 10_000
def size_of(batch):
    return 2 + batch % 6 if batch % PER_ROUND >= 4 * PER_THREAD else 1
def row(batch, i):
    return {"recorded_at": minute(batch * 10 + i), "active_sessions": batch,
            "api_response_time_ms": size_of(batch)}
def write(db, batch):
    if size_of(batch) == 1:
        db.add_realtime_metric(**row(batch, 0))
    elif batch % 2 and hasattr(db, "add_many"):
        db.add_many("realtime_metrics", [row(batch, i) for i in range(size_of(batch))])
    else:
        with db.transaction():
            for i in range(size_of(batch)):
                db.add_realtime_metric(**row(batch, i))
def work(db, first, tell):
    for batch in range(first, first + PER_THREAD):
        if MODE == "too early":
            os.write(tell, b"%d\\n" % batch)
            time.sleep(0.001)
        write(db, batch)
        if MODE != "too early":
            os.write(tell, b"%d\\n" % batch)
def writer(round, tell):
    db, own = SmartShopieDB(PATH), SmartShopieDB(PATH)
    first = round * PER_ROUND
    for thread in range(6):
        threading.Thread(target=work, daemon=True, args=(
            own if thread == 5 else db, first + thread * PER_THREAD, tell)).start()
    time.sleep(60)
def kill_one(round, rng):
    "Let a writer write for a while; what it acknowledged."
    hear, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(hear)
            writer(round, tell)
        finally:
            os._exit(1)
    os.close(tell)
    told = b""
    if rng.random() < 0.85:  # else perhaps while it opens the file
        told = os.read(hear, 65536)
    until = time.monotonic() + rng.random() * 0.12
    while (left := until - time.monotonic()) > 0:
        if select.select([hear], [], [], left)[0]:
            told += os.read(hear, 65536)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    while more := os.read(hear, 65536):
        told += more
    os.close(hear)
    return {int(batch) for batch in told.split(b"\\n")[:-1]}
def look(round, acked):
    "How many acknowledged batches are missing, and how many rows there are."
    stock = sqlite3.connect(PATH)
    sizes = stock.execute(
        "SELECT active_sessions, count(*), min(api_response_time_ms),"
        " max(api_response_time_ms) FROM realtime_metrics GROUP BY 1").fetchall()
    for batch, *sizes_seen in sizes:
        assert sizes_seen == [size_of(batch)] * 3, f"batch {batch} is there in part"
    assert stock.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert stock.execute("PRAGMA foreign_key_check").fetchall() == []
    stock.close()
    present = {batch for batch, *_ in sizes}
    return len(acked - present), present
def reopened(present):
    "Ours opens what is left at once, reads the same, and writes."
    begun = time.monotonic()
    db = SmartShopieDB(PATH)
    assert set(numbers(db)) == present
    db.realtime_metrics.delete(add(db, 5))
    db.close()
    assert time.monotonic() - begun < 5  # 1 s, on a machine that does nothing else
rng = random.Random(SEED)
lost = n_acked = 0
before = set()
for round in range(1, KILLS + 1):
    if round % 50 == 1:
        for end in ("", "-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(PATH + end)
        shutil.copy(BLANK, PATH)
        before = set()
    acked = kill_one(round, rng)
    missing, present = look(round, acked | before)
    lost += missing
    n_acked += len(acked)
    before = present
    if round % 10 == 0:
        ended(in_child(lambda: reopened(present)))
print(lost, n_acked)
"""


def kill(path, blank_file, kills, seed, mode):
    out = scripts.run(
        WRITE, path, blank_file, kills, seed, mode, timeout=60 + 3 * kills
    )
    lost, acked = map(int, out.split())
    print(f"{kills} kills, {acked} acknowledged, {lost} lost")
    return lost, acked


@pytest.mark.slow
@pytest.mark.timeout(60 + 4 * KILLS)
def test_no_acknowledged_write_is_lost(path, blank_file):
    seed = soak.seed()
    lost, acked = kill(path, blank_file, KILLS, seed, "ours")
    soak.figure("writers killed: acknowledged commits lost", KILLS, lost)
    soak.figure("commits acknowledged before a kill: lost", acked, lost)
    assert lost == 0, f"seed {seed}"
    assert acked > 5 * KILLS
    assert oracle.healthy(path)


@pytest.mark.timeout(120)
def test_an_acknowledgement_too_early_is_found_out(path, blank_file):
    lost, _ = kill(path, blank_file, 5, 1, "too early")
    assert lost > 0
