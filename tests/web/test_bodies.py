"""Clients that send half a body, or do not read what they asked for."""

from __future__ import annotations

import gc
import io
import threading
import time

import pytest
import soak
from real_server import answered, read_until, smartshopie

from smartshopie_db import SmartShopieDB
from smartshopie_db.web import pieces
from smartshopie_db.web.page import assets
from smartshopie_db.web.v1 import incoming, receiving

TOKEN = "a-token-of-some-length"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
TABLE = "/api/v1/tables/overview_kpis"
ROW = b'{"record_date": "2026-01-01", "total_customers": 5}'
CLIENTS = soak.times(150, 300)


@pytest.fixture
def app(make_app):
    return make_app(writes=True, token=TOKEN)


class Slow:
    """A body of which the second half comes when `go` is set."""

    def __init__(self, data, go):
        self.parts, self.go = [data[:9], data[9:]], go
        self.begun = threading.Event()

    def read(self, size=-1):
        if len(self.parts) == 1:
            self.begun.set()
            self.go.wait(10)
        return self.parts.pop(0) if self.parts else b""


WHOLE = len(ROW)


def send(app, stream, length=WHOLE, path=TABLE, kind="application/json", **environ):
    environ = {
        "CONTENT_LENGTH": str(length),
        "wsgi.input": stream,
        "wsgi.input_terminated": True,  # as granian says
        **environ,
    }
    return app.test_client().post(
        path, content_type=kind, headers=BEARER, environ_overrides=environ
    )


@pytest.fixture
def slow(app):
    """slow(n): n bodies of which half has come; gives the list of their answers."""
    go, threads, answers = threading.Event(), [], []

    def start(n):
        for _ in range(n):
            stream = Slow(ROW, go)
            run = threading.Thread(target=lambda s=stream: answers.append(send(app, s)))
            run.start()
            threads.append(run)
            assert stream.begun.wait(5)
        return answers

    start.end = lambda: (go.set(), [thread.join(5) for thread in threads])
    yield start
    start.end()


def test_those_who_find_no_place_are_told_at_once(app, slow, monkeypatch):
    monkeypatch.setattr(receiving, "READERS", 2)
    answers = slow(2)
    got = send(app, io.BytesIO(ROW))
    assert (got.status_code, got.headers["Retry-After"]) == (503, "1")
    assert got.get_json()["error"]["code"] == "busy"
    assert app.test_client().get(TABLE).status_code == 200
    slow.end()
    assert sorted(a.status_code for a in answers) == [200, 201]
    assert send(app, io.BytesIO(ROW)).status_code == 200
    assert not receiving._due


def test_who_is_late_makes_room_and_is_refused(app, slow, monkeypatch):
    monkeypatch.setattr(receiving, "READERS", 1)
    monkeypatch.setattr(receiving, "MOST", 3)
    monkeypatch.setattr(incoming, "SECONDS", 0.1)
    answers = []
    for _ in range(3):
        answers = slow(1)
        time.sleep(0.15)
    assert send(app, io.BytesIO(ROW)).status_code == 503  # not for ever
    slow.end()
    assert [a.status_code for a in answers] == [408] * 3
    assert answers[0].headers["Connection"] == "close"
    assert answers[0].get_json()["error"]["code"] == "too_slow"
    assert send(app, io.BytesIO(ROW)).status_code == 201


def test_a_length_that_is_too_large_waits_for_nothing(app, slow, monkeypatch):
    monkeypatch.setattr(receiving, "READERS", 0)
    assert send(app, io.BytesIO(ROW), 1 << 30).status_code == 413


BULK = [
    ("application/json", b"[" + ROW + b"]"),
    ("application/x-ndjson", ROW + b"\n" + ROW.replace(b"-01-01", b"-01-02") + b"\n"),
    ("text/csv", b"record_date,total_customers\n2026-01-01,5\n2026-01-02,6\n"),
]


@pytest.mark.parametrize(("kind", "body"), BULK)
def test_a_body_that_ends_too_early_changes_nothing(app, path, kind, body):
    """Also when it ends at the end of a line."""
    cut = len(body) - 1 if kind.endswith("/json") else body[:-1].rindex(b"\n") + 1
    for length in (len(body), cut + 1):
        got = send(app, io.BytesIO(body[:cut]), length, f"{TABLE}/bulk", kind)
        assert got.status_code == 400
        assert got.get_json()["error"]["code"] == "incomplete"
    with SmartShopieDB(path) as db:
        assert db.overview_kpis.count(record_date="2026-01-01") == 0
    got = send(app, io.BytesIO(body), len(body), f"{TABLE}/bulk", kind)
    assert got.status_code == 200


def test_no_room_for_a_body_is_said(app, monkeypatch):
    def full(size):
        return open("/dev/full", "w+b", buffering=0)

    monkeypatch.setattr(receiving.tempfile, "SpooledTemporaryFile", full)
    got = send(app, io.BytesIO(b'{"record_date": "2025-10-28"}'), length=29)
    assert got.status_code == 507 and got.json["error"]["code"] == "disk_full"


@pytest.mark.parametrize(("kind", "body"), BULK)
def test_lines_without_a_length_are_refused(app, kind, body):
    """Of these half looks whole when the connection breaks; a list has its bracket."""
    chunked = {"HTTP_TRANSFER_ENCODING": "chunked"}
    got = send(app, io.BytesIO(body), "", f"{TABLE}/bulk", kind, **chunked)
    assert got.status_code == (200 if kind.endswith("/json") else 411)


@pytest.mark.timed
def test_writers_wait_for_no_body(app, path, slow):
    """A body that is on its way holds no lock of the database."""
    slow(3)
    began = time.monotonic()
    with SmartShopieDB(path) as db:
        db.add_overview_kpis(record_date="2026-02-01", total_customers=1)
    assert send(app, io.BytesIO(ROW)).status_code == 201
    assert time.monotonic() - began < 2


# ---- large answers -------------------------------------------------------------------


def script():
    return f"/static/{assets.version(assets.PLOTLY)}/{assets.PLOTLY}"


@pytest.fixture
def places(monkeypatch):
    """places(n): there are so many for large answers."""

    def set_places(n):
        monkeypatch.setattr(pieces, "_places", threading.BoundedSemaphore(n))

    return set_places


def test_a_large_answer_is_the_same_in_pieces(app, places):
    places(1)
    client = app.test_client()
    whole = assets.read(assets.PLOTLY).data
    for _ in range(3):  # each gives its place back
        got = client.get(script())
        assert got.data == whole and int(got.headers["Content-Length"]) == len(whole)
    got = client.head(script())
    assert got.data == b"" and int(got.headers["Content-Length"]) == len(whole)
    etag = {"If-None-Match": got.headers["ETag"]}
    assert client.get(script(), headers=etag).status_code == 304
    assert client.get(script()).status_code == 200


def test_only_so_many_large_answers_are_sent_at_once(app, places):
    places(2)
    client = app.test_client()
    held = [client.get(script(), buffered=False) for _ in range(2)]
    got = client.get(script())
    assert (got.status_code, got.headers["Retry-After"]) == (503, "2")
    assert client.get("/").status_code == 200  # small
    held.pop().close()
    gc.collect()
    assert client.get(script()).status_code == 200


def test_a_large_answer_does_not_take_for_ever(places, monkeypatch):
    places(1)
    monkeypatch.setattr(pieces, "SECONDS", 0.05)
    sent = pieces.Pieces(b"x" * (3 * pieces.PIECE))
    next(sent)
    time.sleep(0.06)
    assert list(sent) == []
    sent.close()
    sent.close()
    assert pieces._places.acquire(blocking=False)


def test_one_that_is_never_sent_gives_its_place_back(places):
    places(1)
    for _ in range(3):
        pieces.Pieces(b"x")


# ---- a real server -------------------------------------------------------------------


@pytest.fixture
def server(path, tmp_path):
    token = tmp_path / "token"
    token.write_text(TOKEN)
    token.chmod(0o600)
    started = smartshopie(path, "--streams", 20, "--writes", "--token-file", token)
    yield started
    started.end()


def longest(server, path, n=20):
    """Seconds of the slowest of n requests, each by a client of its own."""
    taken = []
    for _ in range(n):
        began = time.monotonic()
        assert server.get(path)[0] == 200
        taken.append(time.monotonic() - began)
    return max(taken)


def memory(server):
    """MiB of all processes of the server."""
    first, found = server.process.pid, 0
    with open(f"/proc/{first}/task/{first}/children", encoding="utf-8") as file:
        pids = [first, *file.read().split()]
    for pid in pids:
        with open(f"/proc/{pid}/status", encoding="utf-8") as file:
            fields = dict(line.split(":", 1) for line in file)
        found += int(fields["VmRSS"].split()[0]) // 1024
    return found


@pytest.mark.timed
def test_half_bodies_leave_threads_for_others(server):
    head = (
        f"POST {TABLE} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n"
        "Content-Type: application/json\r\nContent-Length: 500\r\n\r\n{"
    ).encode()
    clients = [server.connect(head) for _ in range(CLIENTS)]
    try:
        refused = CLIENTS - receiving.READERS  # the others wait for more of their body
        assert answered(clients, refused) == {503: refused}
        assert longest(server, "/healthz") < 1
        assert longest(server, "/") < 2
    finally:
        for client in clients:
            client.close()
    time.sleep(0.2)
    whole = head.replace(b" 500", b" %d" % len(ROW))[:-1] + ROW
    with server.connect(whole) as client:
        assert b" 201 " in read_until(client, b"\r\n")


@pytest.mark.timed
def test_clients_that_do_not_read_keep_little_memory(server):
    """Each asks for the charts' script, the largest there is, uncompressed."""
    assert server.get(script())[0] == 200
    before = memory(server)
    request = f"GET {script()} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    clients = [server.connect(request) for _ in range(CLIENTS)]
    try:
        statuses = answered(clients, CLIENTS)
        assert statuses == {200: pieces.SENDERS, 503: CLIENTS - pieces.SENDERS}
        assert longest(server, "/healthz") < 1
        assert memory(server) - before < 64
        if soak.SOAK:
            time.sleep(45)  # they are dropped, and others can have it
            assert server.get(script())[0] == 200
    finally:
        for client in clients:
            client.close()
    time.sleep(0.5)
    assert server.get(script())[0] == 200
