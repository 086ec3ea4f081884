"""Forks while other threads write, multiprocessing of each kind, gunicorn with preload:
nothing that was acknowledged is lost, whichever process wrote it.

Seen to fail: without ss_db_before_fork() in py/lifetime no child gets anywhere."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import oracle
import pytest
import scripts
import soak

FORKS = soak.times(100, 1000)
pytestmark = pytest.mark.timeout(120 + FORKS)


def numbers(path):
    rows = oracle.run(path, "SELECT active_sessions FROM realtime_metrics")
    assert oracle.healthy(path)
    return sorted(n for (n,) in rows)


def test_forks_in_the_middle_of_a_load(path):
    out = scripts.run(
        """
        FORKS = int(sys.argv[2])
        warnings.simplefilter("ignore", DeprecationWarning)  # to fork with threads
        db = SmartShopieDB(PATH)
        acked, stop = [], threading.Event()
        def work(worker):
            n = worker * 1_000_000
            while not stop.is_set():
                if n % 10 == 9:
                    with db.transaction():
                        add(db, n)
                        add(db, n + 1)
                    acked.extend((n, n + 1))
                    n += 2
                else:
                    add(db, n)
                    acked.append(n)
                    n += 1
        def child(i):
            had = set(acked)
            assert had <= set(numbers(db))
            add(db, i)
            with db.transaction():
                add(db, 100_000 + i)
        threads = [threading.Thread(target=work, args=(w,)) for w in range(1, 5)]
        for thread in threads:
            thread.start()
        for i in range(FORKS):
            ended(in_child(lambda: child(i)))
        stop.set()
        for thread in threads:
            thread.join()
        db.close()
        print(*acked)
        """,
        path,
        FORKS,
        timeout=60 + FORKS,
    )
    acked = list(map(int, out.split()))
    children = [*range(FORKS), *range(100_000, 100_000 + FORKS)]
    stored = numbers(path)
    wanted = sorted(acked + children)
    soak.figure("forks under load: rows lost or double", FORKS, stored != wanted)
    assert stored == wanted
    assert len(acked) > FORKS


POOL = """
import datetime, multiprocessing, sys
from smartshopie_db import SmartShopieDB
START = datetime.datetime(2025, 1, 1)
if __name__ == "__main__" or multiprocessing.get_start_method() == "fork":
    db = SmartShopieDB(sys.argv[1])
def work(job):
    path, n = job
    shop = globals().get("db") or SmartShopieDB(path)
    for i in range(20):
        minute = START + datetime.timedelta(minutes=n + i)
        shop.add_realtime_metric(recorded_at=minute, active_sessions=n + i)
    return shop.realtime_metrics.count() >= 20
if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[2])
    db.add_realtime_metric(recorded_at=START, active_sessions=0)
    with multiprocessing.Pool(3) as pool:
        jobs = [(sys.argv[1], 1 + 20 * i) for i in range(12)]
        assert all(pool.map(work, jobs, chunksize=1))
    assert db.realtime_metrics.count() == 241
    db.close()
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(path, tmp_path, method):
    (tmp_path / "pool.py").write_text(POOL)
    command = [sys.executable, "-W", "ignore", tmp_path / "pool.py", path, method]
    done = subprocess.run(
        command, env=scripts.environment(), capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert numbers(path) == list(range(241))


APP = """
import datetime, json, os
from smartshopie_db import SmartShopieDB
START = datetime.datetime(2025, 1, 1)
db = SmartShopieDB(os.environ["SHOP"])
db.add_realtime_metric(recorded_at=START, active_sessions=0)
def app(environ, start_response):
    n = int(environ["QUERY_STRING"])
    minute = START + datetime.timedelta(minutes=n)
    db.add_realtime_metric(recorded_at=minute, active_sessions=n)
    there = n in [row.active_sessions for row in db.realtime_metrics.select()]
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps([os.getpid(), there]).encode()]
"""


class UnixConnection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(20)
        self.sock.connect(self.host)


def ask(where, n):
    """What the server said, or None when its worker died meanwhile."""
    connection = UnixConnection("shop")
    connection.host = where
    try:
        connection.request("POST", f"/?{n}")
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        return json.loads(answer.read())
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def test_gunicorn_with_preload(path, tmp_path):
    """A worker is killed in the middle: the others and the next one go on."""
    (tmp_path / "app.py").write_text(APP)
    where = f"{tmp_path}/socket"
    options = ["--preload", "--workers=3", "--threads=2", "--worker-class=gthread"]
    options += ["--no-control-socket"]
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", *options, f"--bind=unix:{where}", "app:app"],
        cwd=tmp_path,
        env=scripts.environment() | {"SHOP": str(path)},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        for _ in range(300):
            if ask(where, 1) is not None:
                break
            time.sleep(0.1)
        acked, pids = [1], set()

        def client(first):
            for n in range(first, first + 40):
                if (answer := ask(where, n)) is not None:
                    pid, there = answer
                    assert there
                    acked.append(n)
                    if not pids:
                        os.kill(pid, signal.SIGKILL)
                    pids.add(pid)

        threads = [
            threading.Thread(target=client, args=(100 * i,)) for i in range(1, 7)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        server.terminate()
        _, complaints = server.communicate(timeout=30)
    assert "Traceback" not in complaints, complaints
    stored = numbers(path)
    assert {0, *acked} <= set(stored)
    assert len(acked) >= 200 and len(pids) >= 2
    assert len(stored) == len(set(stored))
