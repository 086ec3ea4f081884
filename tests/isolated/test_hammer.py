"""Eight processes of eight threads on one file: no lock error comes out, nobody
starves, no sum is ever wrong.

Seen to fail: with BEGIN for BEGIN IMMEDIATE in ss_db_begin_work (lock errors)."""

import json

import oracle
import pytest
import scripts
import soak

SECONDS = soak.times(8, 600)

HAMMER = """
import json
SECONDS = float(sys.argv[2])
ACCOUNTS, EACH = 8, 1000
def adder(db, worker, count):
    add(db, worker * 1_000_000 + count)
def payer(db, worker, count):
    one, two = worker % ACCOUNTS, (worker + 1 + count % 7) % ACCOUNTS
    with db.transaction():
        db.execute("UPDATE bank SET n = n - 1 WHERE id = ?", [one])
        assert db.query("SELECT sum(n) AS n FROM bank")[0]["n"] == ACCOUNTS * EACH - 1
        db.execute("UPDATE bank SET n = n + 1 WHERE id = ?", [two])
def reader(db, worker, count):
    with db.snapshot():
        sums = [db.query("SELECT n FROM bank WHERE id = ?", [i])[0]["n"]
                for i in range(ACCOUNTS)]
        assert sum(sums) == ACCOUNTS * EACH
    assert db.realtime_metrics.count() >= 0
    time.sleep(0.002)
ROLES = [adder, payer, adder, reader]
def process(number, tell):
    db = SmartShopieDB(PATH, busy_timeout=5.0)
    db.connect()
    counts, failures = {}, []
    until = time.monotonic() + SECONDS
    def work(thread):
        worker, count = number * 8 + thread, 0
        try:
            while time.monotonic() < until:
                ROLES[thread % 4](db, worker, count)
                count += 1
        except BaseException as error:
            failures.append(f"{ROLES[thread % 4].__name__}: {error!r}")
        counts[worker] = count
    threads = [threading.Thread(target=work, args=(t,)) for t in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    db.close()
    os.write(tell, json.dumps([counts, failures]).encode() + b"\\n")
    os.close(tell)
pids, pipes = [], []
for number in range(8):
    hear, tell = os.pipe()
    pids.append(in_child(lambda: process(number, tell)))
    os.close(tell)
    pipes.append(hear)
counts, failures = {}, []
for pid, hear in zip(pids, pipes):
    with open(hear) as told:
        some, failed = json.load(told)
    counts |= some
    failures += failed
    ended(pid)
assert not failures, failures
print(json.dumps([[counts[str(w)] for w in range(64) if w % 4 == k] for k in range(4)]))
"""


@pytest.mark.slow
@pytest.mark.timeout(120 + 2 * SECONDS)
def test_eight_processes_of_eight_threads(path):
    oracle.run(
        path,
        "CREATE TABLE bank(id INTEGER PRIMARY KEY, n INTEGER)",
        "INSERT INTO bank SELECT value, 1000 FROM json_each('[0,1,2,3,4,5,6,7]')",
    )
    out = scripts.run(HAMMER, path, SECONDS, timeout=60 + 2 * SECONDS)
    adders, payers, more_adders, readers = json.loads(out)
    print(sorted(adders + more_adders), sorted(payers), sorted(readers))
    n_adds = sum(adders) + sum(more_adders)
    there = oracle.run(path, "SELECT count(*) FROM realtime_metrics")[0][0]
    soak.figure("adds of 8 x 8 threads: lost", n_adds, n_adds - there)
    soak.figure("payments and snapshots beside them", sum(payers) + sum(readers))
    assert there == n_adds
    assert oracle.run(path, "SELECT sum(n) FROM bank") == [(8000,)]
    assert oracle.healthy(path)
    assert min(readers) > 0
    for writers in (adders + more_adders, payers):
        assert max(writers) <= 3 * max(min(writers), 1), sorted(writers)
