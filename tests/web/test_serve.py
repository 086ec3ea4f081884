"""`smartshopie serve`: real servers, real sockets."""

from __future__ import annotations

import datetime
import os
import signal
import subprocess
import sys
import threading
import time

import command
import pytest
from real_server import EVENTS, Server, open_streams, read_until, smartshopie, wait_all

from smartshopie_db import SmartShopieDB
from smartshopie_db.cli.serve import prepare

SOAK = "SMARTSHOPIE_SOAK" in os.environ
STREAMS = 500 if SOAK else 200
TOKEN = "a-token-of-some-length"


@pytest.fixture
def start():
    """Servers that are stopped when the test ends."""
    made = []

    def start(*words, **more):
        made.append(smartshopie(*words, **more))
        return made[-1]

    yield start
    for server in made:
        server.end()


def add(path, customers):
    with SmartShopieDB(path) as db:
        db.add_overview_kpis(record_date="2025-10-28", total_customers=customers)


def test_an_empty_folder_becomes_a_dashboard(start, tmp_path):
    path = tmp_path / "new.db"
    server = start(path, "--demo")
    assert f"{path} on http://127.0.0.1:{server.port}/" in server.said
    assert "reads only" in server.said
    assert server.get("/nope")[0] == 404
    assert server.stop() == (0, pytest.approx(0, abs=3))
    with SmartShopieDB(path) as db:
        age = (
            datetime.datetime.now(datetime.UTC).date()
            - db.get_overview_kpis().record_date
        )
        assert age.days in (0, 1)  # midnight may have passed
        assert db.overview_kpis.count() == 400


def test_nothing_of_the_demo_shop_lies_ahead(tmp_path):
    prepare(str(tmp_path / "shop.db"), demo=True)
    now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
    with SmartShopieDB(tmp_path / "shop.db") as db:
        for table in db.tables.values():
            if time := table.time_column:
                newest = table.select(order_by=f"-{time}", limit=1)[0][time]
                assert str(newest) <= str(now), table.name


def test_ctrl_c_is_130_and_nothing_is_said(start, path):
    server = start(path)
    before = server.said
    assert server.stop(signal.SIGINT)[0] == 130
    assert server.said == before


@pytest.mark.timed
@pytest.mark.slow
def test_a_stop_during_the_start_is_heard(path):
    for delay in [0.16 + 0.01 * i for i in range(20)]:
        process = command.start("serve", path, "--port", 0, stderr=subprocess.DEVNULL)
        time.sleep(delay)
        began = time.monotonic()
        process.terminate()
        assert process.wait(30) in (0, -signal.SIGTERM)
        assert time.monotonic() - began < 5


def test_who_answers_goes_with_who_was_killed(start, path):
    server = start(path)
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()
    end = time.monotonic() + 5
    with pytest.raises(OSError):
        while time.monotonic() < end:
            server.connect().close()
            time.sleep(0.05)


def test_a_port_in_use_is_one_line(start, path):
    server = start(path)
    _, said = command.run("serve", path, "--port", server.port, code=1)
    assert said.count("\n") == 1 and "in use" in said and str(server.port) in said


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["missing.db"], 1, "--demo"),
        (["--host", "0.0.0.0"], 2, "--allow-host"),
        (["--host", "0.0.0.0", "--allow-host", "a.example", "--debug"], 2, "--debug"),
        (["--writes"], 2, "TOKEN"),
        (["--writes", "--token-file", "short"], 2, "16 characters"),
        (["--port", "70000"], 2, "--port"),
        (["--streams", "0"], 2, "--streams"),
        (["--host", "192.0.2.1", "--allow-host", "a.example"], 1, "192.0.2.1"),
        (["garbage.db"], 1, "not a SQLite database"),
    ],
)
def test_what_cannot_be_served_is_refused(path, tmp_path, words, code, says):
    (tmp_path / "short").write_text("short")
    (tmp_path / "garbage.db").write_bytes(b"garbage" * 1000)
    if not words[0].endswith(".db"):
        words = [path, *words]
    words = ["serve", *words]
    if "--debug" in words:  # main() shows the exception itself then
        code = 1
        done = command.start(*words, stderr=-1, cwd=tmp_path)
        said = done.communicate(timeout=60)[1].decode()
        assert done.returncode == code and says in said
        return
    _, said = command.run(*words, folder=tmp_path, code=code)
    assert says in said


def test_names_and_token(start, path, tmp_path):
    token = tmp_path / "token"
    token.write_text(TOKEN)
    token.chmod(0o644)
    server = start(
        path, "--host", "0.0.0.0", "--allow-host", "shop.example", "--writes",
        "--token-file", token,
    )  # fmt: skip
    assert "chmod 600" in server.said and "reads and writes" in server.said
    assert server.get("/nope", Host="shop.example")[0] == 404
    assert server.get("/nope", Host="evil.example")[0] == 400
    server.stop()
    token.chmod(0o600)
    server = start(path, "--writes", "--token-file", token)
    assert "chmod" not in server.said


def test_read_only_wins_over_the_environment(start, path):
    more = {"SMARTSHOPIE_WRITES": "1", "SMARTSHOPIE_TOKEN": TOKEN}
    assert "reads and writes" in start(path, **more).said
    assert "reads only" in start(path, "--read-only", **more).said


def p99(server, path, seconds):
    """Of requests one after the other on a kept connection."""
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    taken, end = [], time.monotonic() + seconds
    with server.connect() as client:
        while time.monotonic() < end:
            began = time.perf_counter()
            client.sendall(request)
            assert b" 200 " in read_until(client, b"\r\n\r\n")
            taken.append(time.perf_counter() - began)
    return sorted(taken)[len(taken) * 99 // 100]


@pytest.mark.timed
def test_streams_beside_requests(start, path):
    """They hold nobody up, hear of a change at once, and end with the server."""
    server = start(path, "--streams", STREAMS)
    streams = open_streams(server, STREAMS)
    with server.connect(EVENTS) as one_too_many:
        assert b"retry: 5000" in read_until(one_too_many, b"id: ")
    assert p99(server, "/healthz", 1) < 0.2
    threading.Timer(0.1, add, (path, 7)).start()
    assert wait_all(streams, b"event: changed", 2.1) < 2.1
    code, seconds = server.stop()
    assert code == 0 and seconds < 3
    wait_all(streams, b"", 1)  # each at its end
    for stream in streams:
        stream.close()


@pytest.mark.timed
def test_slow_clients_hold_nobody_up(start, path):
    """200 sockets that send a byte now and then, as a hostile client would."""
    server = start(path, "--streams", 20)
    request = b"GET /nope HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"x" * 1000
    slow = [server.connect() for _ in range(200)]
    stop = threading.Event()

    def drip():
        for byte in request:
            for client in slow:
                client.send(bytes([byte]))
            if stop.wait(1 if SOAK else 0.2):
                return

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        assert p99(server, "/healthz", 3) < 0.2
    finally:
        stop.set()
        thread.join()
        for client in slow:
            client.close()


def test_only_http_1_is_spoken(start, path):
    """Of HTTP/2 one client could keep every place of large answers, by streams that it
    never reads; no limit of ours sees those."""
    server = start(path)
    client = server.connect(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0")
    with client:
        said = client.recv(1 << 16)
    assert not said or said.startswith(b"HTTP/1.1 400")
    assert server.get("/healthz")[0] == 200


def test_requests_end_before_the_server_does(start, path, tmp_path):
    """What came before SIGTERM is answered."""
    server = start(path)
    with server.connect(EVENTS) as client:
        read_until(client, b"id: ")
        assert server.stop()[0] == 0
        rest = read_until(client, b"0\r\n\r\n", 2)
    assert rest.endswith(b"0\r\n\r\n")  # the stream's proper end


GUNICORN = [sys.executable, "-m", "gunicorn", "-b", "127.0.0.1:0"]
CONF = ["-c", "python:smartshopie_db.web.gunicorn_conf"]
APP = "smartshopie_db.web:create_app()"


@pytest.mark.timed
@pytest.mark.parametrize(
    ("words", "held"),
    [
        ([*CONF, "--preload"], True),
        ([*CONF, "--workers", "2"], True),
        (["--threads", "4", "--graceful-timeout", "1"], True),
        ([], False),  # gunicorn's own default: one thread, which nobody may hold
    ],
    ids=["preload", "two workers", "threads", "sync"],
)
def test_gunicorn(path, words, held):
    """Answers, a change by another process, SIGTERM; also when the app was made before
    the fork."""
    environment = command.environment(SMARTSHOPIE_DB=str(path))
    server = Server(*GUNICORN, *words, APP, env=environment)
    try:
        assert server.get("/healthz")[0] == 200
        with server.connect(EVENTS) as client:
            begun = read_until(client, b"id: ")
            assert (b"retry: 5000" not in begun) is held
            if held:
                add(path, 7)
                assert b"changed" in read_until(client, b"event: changed", 2)
            assert server.get("/healthz")[0] == 200
            if held:
                code, seconds = server.stop()
                assert code == 0 and seconds < 3
    finally:
        server.end()
