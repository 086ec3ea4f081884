"""GET /api/v1/events: server-sent events that say "changed" when the database has.

A stream keeps one thread of the server busy, so there is a limit, and a server without
threads gets none. Beyond it the answer is short and complete: a browser's EventSource
then asks again every few seconds with the last id it saw, and so polls by itself.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, request

from .._core import Error
from . import params
from .state import current
from .watch import GONE, Watcher

HEARTBEAT = 15.0  # seconds; that a client has gone is seen when it is written to
POLL = 5000  # milliseconds
RETRY = (1000, 3000)  # so that not all come back at once


def blueprint() -> Blueprint:
    made = Blueprint("events", __name__, url_prefix="/api/v1")
    made.add_url_rule("/events", "events", events)
    return made


def events() -> Response:
    """`seen` is the ETag's version that a page shows; a browser that comes again sends
    the same as Last-Event-ID."""
    seen = params.parse(("seen",)).get("seen", "")
    seen = request.headers.get("Last-Event-ID", seen)
    watcher = current().watcher
    if request.method != "GET" or not request.environ.get("wsgi.multithread"):
        return answer(once(seen))
    try:
        now = watcher.enter()
    except Error:  # not there any more, or not yet
        return answer(once(seen))
    if now is None:
        return answer(once(seen))
    response = answer(stream(watcher, now, seen))
    response.call_on_close(watcher.leave)
    return response


def answer(body: Any) -> Response:
    response = Response(body, content_type="text/event-stream; charset=utf-8")
    response.headers["X-Accel-Buffering"] = "no"  # nginx hands on what there is
    return response


def once(seen: str) -> bytes:
    """The whole answer for who is not held: what it is now, and when to come again."""
    try:
        now = current().tag()
    except Error:
        return begin(POLL)
    return begin(POLL) + (changed(now) if seen and seen != now else known(now))


def stream(watcher: Watcher, now: str, seen: str) -> Iterator[bytes]:
    first = changed(now) if seen and seen != now else known(now)
    yield begin(random.randint(*RETRY)) + first
    while (newer := watcher.wait(now, HEARTBEAT)) != GONE:
        yield b":\n\n" if newer == now else changed(newer)
        now = newer


def begin(milliseconds: int) -> bytes:
    return f"retry: {milliseconds}\n\n".encode()


def known(version: str) -> bytes:
    """An id without data: it is remembered, and no event."""
    return f"id: {version}\n\n".encode()


def changed(version: str) -> bytes:
    data = json.dumps({"version": version})
    return f"event: changed\nid: {version}\ndata: {data}\n\n".encode()
