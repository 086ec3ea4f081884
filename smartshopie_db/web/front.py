"""The short way for plain GETs of what @fresh marks: an app that is ours alone answers
them before Flask makes its objects, which take longer than most answers do.

It takes what it can be sure of: a fixed path, a known host, a query of plain words.
Anything else, and whatever fails, goes the long way and is answered, or refused, there;
a test holds both ways to the same answers.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from flask import Flask

from . import guard, params
from .answers import FAILED, Body, has, keep, wants_gzip
from .pieces import LARGE
from .state import State

PLAIN = re.compile(r"[A-Za-z0-9_.:&=-]*")  # nothing to decode
MOST = 256  # hosts and query strings remembered
SLOW = ("HTTP_ORIGIN", "HTTP_RANGE", "HTTP_UPGRADE", "CONTENT_LENGTH")

Start = Callable[..., Any]


@dataclass(frozen=True)
class Route:
    rule: str
    view: Callable[..., Any]
    names: tuple[str, ...]


class Front:
    """A WSGI application around that of Flask."""

    def __init__(self, app: Flask, state: State) -> None:
        self._app, self._state = app, state
        self._flask = app.wsgi_app
        self._routes: dict[str, Route] | None = None
        self._hosts: set[str] = set()
        self._given: dict[tuple[str, str], dict[str, Any]] = {}
        self._headers = [*guard.HEADERS.items(), ("Cache-Control", "private, no-cache")]
        self._headers.append(("Vary", "Accept-Encoding"))
        self._hooks = hooks(app)

    def __call__(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        began = time.perf_counter()
        route = self._route(environ)
        if route is None:
            return self._flask(environ, start)
        try:
            status, headers, body = self._answer(route, environ)
        except Exception as error:  # said in the one way that errors are said
            if guard.is_busy(error):
                environ[FAILED] = error  # to ask again would take as long once more
            return self._flask(environ, start)
        start(status, headers)
        seconds = time.perf_counter() - began
        self._state.requests.add(route.rule, "GET", int(status[:3]), seconds)
        return [body]

    def _route(self, environ: dict[str, Any]) -> Route | None:
        if environ["REQUEST_METHOD"] != "GET" or environ.get("SCRIPT_NAME"):
            return None
        if self._routes is None:  # the first goes the long way: then Flask takes no
            self._routes = self._find_routes()  # more hooks and routes
            return None
        route = self._routes.get(environ["PATH_INFO"])
        if route is None or any(environ.get(name) for name in SLOW):
            return None
        host = environ.get("HTTP_HOST", "")
        return route if host in self._hosts or self._knows(host) else None

    def _find_routes(self) -> dict[str, Route]:
        found: dict[str, Route] = {}
        if hooks(self._app) != self._hooks:
            return found  # somebody's own, as a log-in: nothing goes past them
        for rule in self._app.url_map.iter_rules():
            view = self._app.view_functions.get(rule.endpoint)
            fresh = getattr(view, "fresh", None)
            if fresh and not rule.arguments and "GET" in (rule.methods or ()):
                found[rule.rule] = Route(rule.rule, *fresh)
        return found

    def _knows(self, host: str) -> bool:
        right = guard.is_trusted(host.lower(), guard.trusted(self._app, self._state))
        if right and len(self._hosts) < MOST:
            self._hosts.add(host)
        return right

    def _answer(
        self, route: Route, environ: dict[str, Any]
    ) -> tuple[str, list[tuple[str, str]], bytes]:
        given = self._parsed(route, environ.get("QUERY_STRING", ""))
        tag = self._state.tag()
        headers = [*self._headers, ("ETag", f'W/"{tag}"')]
        body = self._body(route, given, tag)
        if has(environ.get("HTTP_IF_NONE_MATCH", ""), tag):
            return "304 NOT MODIFIED", headers, b""
        data, encoding = body.data, environ.get("HTTP_ACCEPT_ENCODING", "")
        if wants_gzip(body, encoding):
            data = body.compressed()
            headers.append(("Content-Encoding", "gzip"))
        if len(data) >= LARGE:
            raise ValueError("not to be sent in one piece")
        headers.append(("Content-Type", body.type))
        headers.append(("Content-Length", str(len(data))))
        return "200 OK", headers, data

    def _body(self, route: Route, given: dict[str, Any], tag: str) -> Body:
        key = ("", (route.view, *sorted(given.items())))
        body = self._state.bodies.get(tag, key)
        if body is None:
            state = self._state
            body = keep(state, tag, key, lambda: route.view(state, **given))
        return body

    def _parsed(self, route: Route, query: str) -> dict[str, Any]:
        key = (route.rule, query)
        given = self._given.get(key)
        if given is None:
            if not PLAIN.fullmatch(query):
                raise ValueError("not a plain query")
            pairs = [pair.partition("=")[::2] for pair in query.split("&") if pair]
            given = params.parse(route.names, pairs)
            if len(self._given) >= MOST:
                self._given.clear()
            self._given[key] = given
        return given


def hooks(app: Flask) -> int:
    """How many functions are called around each request."""
    kinds: tuple[dict[Any, list[Any]], ...] = (
        app.before_request_funcs,
        app.after_request_funcs,
        app.teardown_request_funcs,
        app.url_value_preprocessors,
    )
    return sum(len(found) for kind in kinds for found in kind.values())
