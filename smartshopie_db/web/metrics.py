"""Figures about the server, in Prometheus' text form (version 0.0.4).

The form is a line for each number, so it needs no library. Counted are the requests of
each route by status, and how long they took; db.stats() has the rest. They are those of
one process.
"""

from __future__ import annotations

import bisect
import platform
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from flask import Response, g, request
from flask.sansio.scaffold import Scaffold

from .. import __version__

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BOUNDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
NO_ROUTE = "(none)"  # not the path: anybody could make up as many as they like
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PATCH", "PUT", "DELETE")
NO_METHOD = "(other)"  # for the same reason

# Of db.stats(): those that only grow, and the others.
COUNTERS = {
    "leases": "connections taken for a call",
    "writer_waits": "calls that waited for the writer",
    "reader_waits": "calls that waited for a reader",
    "shared_commits": "commits with the writes of several threads",
    "checkpoints": "checkpoints of the write-ahead log",
    "checkpoint_skips": "checkpoints put off",
    "scans": "whole tables read",
    "shared_scans": "of these by several readers",
    "cache_hits": "answers given again",
    "cache_misses": "answers made",
    "cache_evictions": "kept answers dropped for room",
}
GAUGES = {
    "schema_version": "of the file",
    "file_bytes": "size of the file",
    "wal_bytes": "size of the write-ahead log",
    "pages": "pages of the file",
    "free_pages": "of these unused",
    "leases_out": "connections in use",
    "readers_open": "connections that read",
    "blocks": "open transactions and snapshots",
    "oldest_read_seconds": "age of the oldest read that goes on",
    "wal_frames": "pages in the write-ahead log",
    "cache_entries": "answers kept",
    "cache_bytes": "their size",
    "cache_limit": "most that is kept",
}


class Requests:
    """How many there were and how long each took, by route and status."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, str, int], int] = {}
        self._times: dict[str, list[int]] = {}
        self._sums: dict[str, float] = {}

    def add(self, route: str, method: str, status: int, seconds: float) -> None:
        key, place = (route, method, status), bisect.bisect_left(BOUNDS, seconds)
        with self._lock:
            self._counts[key] = self._counts.get(key, 0) + 1
            if route not in self._times:
                self._times[route] = [0] * (len(BOUNDS) + 1)
                self._sums[route] = 0.0
            self._times[route][place] += 1
            self._sums[route] += seconds

    def copy(self) -> tuple[dict[Any, int], dict[str, list[int]], dict[str, float]]:
        with self._lock:
            times = {route: list(found) for route, found in self._times.items()}
            return dict(self._counts), times, dict(self._sums)


def install(scaffold: Scaffold, requests: Requests) -> None:
    """Count the requests of a blueprint or an app. The first to be installed, so that
    what others refuse is counted, too."""

    def begin() -> None:
        g.smartshopie_began = time.perf_counter()

    def end(response: Response) -> Response:
        now = time.perf_counter()
        # An app around a blueprint may have answered before begin(): with a log-in.
        seconds = now - g.get("smartshopie_began", now)
        route = request.url_rule.rule if request.url_rule else NO_ROUTE
        method = request.method if request.method in METHODS else NO_METHOD
        requests.add(route, method, response.status_code, seconds)
        return response

    scaffold.before_request(begin)
    scaffold.after_request(end)


# ---- text ----------------------------------------------------------------------------


def text(requests: Requests, stats: Mapping[str, Any] | None, streams: int) -> str:
    """`stats` is None when the database cannot be read."""
    lines = [*about_build(), *about_requests(requests)]
    lines += one("smartshopie_event_streams", "gauge", "event streams open", streams)
    up = int(stats is not None)
    lines += one("smartshopie_database_up", "gauge", "can the database be read", up)
    lines += about_database(stats or {})
    return "\n".join(lines) + "\n"


def about_build() -> Iterator[str]:
    labels = {"version": __version__, "python": platform.python_version()}
    return one("smartshopie_build_info", "gauge", "what runs", 1, labels)


def about_requests(requests: Requests) -> Iterator[str]:
    counts, times, sums = requests.copy()
    name = "smartshopie_http_requests_total"
    yield from head(name, "counter", "requests answered")
    for (route, method, status), n in sorted(counts.items()):
        yield line(name, {"route": route, "method": method, "status": status}, n)
    name = "smartshopie_http_request_seconds"
    yield from head(name, "histogram", "time until the answer was made")
    for route, buckets in sorted(times.items()):
        below = 0
        for bound, n in zip((*BOUNDS, "+Inf"), buckets, strict=True):
            below += n
            yield line(f"{name}_bucket", {"route": route, "le": bound}, below)
        yield line(f"{name}_sum", {"route": route}, round(sums[route], 6))
        yield line(f"{name}_count", {"route": route}, below)


def about_database(stats: Mapping[str, Any]) -> Iterator[str]:
    for kind, names in (("counter", COUNTERS), ("gauge", GAUGES)):
        for name, help in names.items():
            if stats.get(name) is None:
                continue
            full = f"smartshopie_database_{name}" + "_total" * (kind == "counter")
            yield from one(full, kind, help, stats[name])


def one(
    name: str, kind: str, help: str, value: float, labels: Mapping[str, Any] = {}
) -> Iterator[str]:
    yield from head(name, kind, help)
    yield line(name, labels, value)


def head(name: str, kind: str, help: str) -> Iterable[str]:
    return f"# HELP {name} {help}", f"# TYPE {name} {kind}"


def line(name: str, labels: Mapping[str, Any], value: float) -> str:
    inner = ",".join(f'{key}="{escape(str(labels[key]))}"' for key in labels)
    return f"{name}{{{inner}}} {value}" if labels else f"{name} {value}"


def escape(label: str) -> str:
    return label.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
