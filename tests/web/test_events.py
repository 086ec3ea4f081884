"""Streams of server-sent events: what they say, how many there are, when they end."""

from __future__ import annotations

import json
import os
import threading
import time

import pytest

from smartshopie_db import SmartShopieDB
from smartshopie_db.web import events, watch

THREADED = {"wsgi.multithread": True}


@pytest.fixture
def app(make_app):
    return make_app()


def add(path, customers):
    with SmartShopieDB(path) as db:
        db.add_overview_kpis(record_date="2025-10-28", total_customers=customers)


def opened(app, **options):
    options.setdefault("environ_overrides", THREADED)
    return app.test_client().get("/api/v1/events", **options)


def tag_of(app):
    return app.extensions["smartshopie"].tag()


def watchers():
    return {t for t in threading.enumerate() if t.name == "smartshopie-watch"}


def until(true, seconds=5):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_stream_tells_of_every_change(app, path):
    stream = opened(app)
    assert stream.headers["Content-Type"].startswith("text/event-stream")
    assert stream.headers["X-Accel-Buffering"] == "no"
    assert stream.headers["Cache-Control"] == "no-store"
    parts = stream.response.__iter__()
    first = next(parts).decode()
    assert "retry: " in first and f"id: {tag_of(app)}\n" in first
    assert "data:" not in first
    for customers in (1, 2):
        add(path, customers)
        lines = dict(
            line.split(": ", 1) for line in next(parts).decode().split("\n") if line
        )
        assert lines["event"] == "changed" and lines["id"] == tag_of(app)
        assert json.loads(lines["data"]) == {"version": tag_of(app)}
    stream.close()


def test_silence_is_broken_by_a_comment(app, monkeypatch):
    monkeypatch.setattr(events, "HEARTBEAT", 0.02)
    stream = opened(app)
    parts = stream.response.__iter__()
    next(parts)
    assert next(parts) == next(parts) == b":\n\n"
    stream.close()


@pytest.mark.parametrize("how", ["Last-Event-ID", "seen"])
def test_who_missed_a_change_hears_of_it_at_once(app, path, how):
    def begin(seen):
        if how == "seen":
            stream = opened(app, query_string={"seen": seen})
        else:
            stream = opened(app, headers={"Last-Event-ID": seen})
        text = next(stream.response.__iter__()).decode()
        stream.close()
        return text

    before = tag_of(app)
    assert "event: changed" not in begin(before)
    add(path, 7)
    assert "event: changed" in begin(before)


@pytest.mark.parametrize(
    "server", [{"wsgi.multithread": False}, {}, {"streams": 0}], ids=str
)
def test_who_is_not_held_gets_a_whole_answer(make_app, path, server):
    app = make_app(streams=server.get("streams", 2))
    overrides = THREADED if "streams" in server else server

    def ask(seen=None):
        headers = {"Last-Event-ID": seen} if seen else {}
        got = opened(app, headers=headers, environ_overrides=overrides)
        assert got.status_code == 200 and int(got.headers["Content-Length"])
        return got.text

    first = ask()
    assert first == f"retry: 5000\n\nid: {tag_of(app)}\n\n"
    before = tag_of(app)
    assert ask(before) == first
    add(path, 8)
    assert "event: changed" in ask(before)


def test_places_are_given_back_and_the_thread_ends(app):
    watcher = app.extensions["smartshopie"].watcher
    others = watchers()  # of earlier tests: such a thread ends at its next look
    for _ in range(3):
        streams = [opened(app) for _ in range(2)]
        assert watcher.open == 2 and len(watchers() - others) == 1
        over = opened(app)
        assert over.text.startswith("retry: 5000")
        head = app.test_client().head("/api/v1/events", environ_overrides=THREADED)
        assert head.status_code == 200
        for stream in streams:  # one begun, one not
            stream.close()
        assert watcher.open == 0
    until(lambda: not watchers() - others)


@pytest.mark.parametrize("gone", ["closed", "replaced"])
def test_a_stream_ends_when_the_database_goes(app, path, gone):
    stream = opened(app)
    parts = stream.response.__iter__()
    next(parts)
    if gone == "closed":
        app.extensions["smartshopie"].db.close()
    else:
        os.rename(path, path.with_name("elsewhere.db"))
    with pytest.raises(StopIteration):
        next(parts)
    stream.close()
    until(lambda: not watchers())
    if gone == "replaced":
        assert opened(app).text == "retry: 5000\n\n"


def test_streams_end_when_the_server_stops(app, monkeypatch):
    stream = opened(app)
    parts = stream.response.__iter__()
    next(parts)
    monkeypatch.setattr(watch, "serving", lambda: False)
    with pytest.raises(StopIteration):
        next(parts)
    stream.close()
    assert opened(app).text.startswith("retry: 5000")


def test_a_child_has_streams_of_its_own(app, path):
    held = opened(app)
    next(held.response.__iter__())
    child = os.fork()
    if child == 0:
        watcher = app.extensions["smartshopie"].watcher
        right = watcher.open == 0
        parts = opened(app).response.__iter__()
        next(parts)
        add(path, 9)
        right = right and b"changed" in next(parts) and watcher.open == 1
        os._exit(0 if right else 1)
    assert os.waitpid(child, 0)[1] == 0
    held.close()


def test_seen_is_checked(app):
    assert opened(app, query_string={"sene": "x"}).status_code == 400
